"""Compiled reference of many neurons at once: the same method as `kernel`, lane by lane.

`batch_step` takes one step in every lane and flags the lanes at which something may have
happened. This module looks at those, one by one: it ends a stretch of equal steps, moves to the
next piece of the stimulus, fires, switches, and refills a lane whose neuron is done.

A step that crosses the threshold is not taken. The lane goes back to where it began and tries
shorter ones, by Newton's iteration on the step's length, until one ends on the threshold. These
trials are ordinary steps of the lane and so cost next to nothing.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.reference import batch_step as at
from spicealif.reference.batch_lanes import (
    BEGIN,
    BUSY,
    CROSSED,
    CURRENT,
    D_0,
    D_1,
    DELAY_OFF_S,
    DELAY_ON_S,
    DIVERGED,
    END_SPIKES,
    ESTIMATE,
    EVENTS,
    FINISHED,
    FULL,
    G_0,
    G_1,
    GOES_ON,
    GRID,
    H_DISCHARGE,
    IDLE,
    KIND,
    LISTED,
    LOG_K,
    N_SINES,
    NEURON,
    NOTHING,
    OVERLONG,
    PART,
    PHASE,
    PIECE,
    SCHMITT,
    SLOPE,
    STALLED,
    STEPS,
    STEPS_IN,
    T_EVENT,
    T_LAST,
    T_REF,
    TAKEN,
    TAU,
    TIME,
    TIMED,
    TIMER,
    TOO_SHORT,
    TRIAL,
    TRIALS,
    U_MAX,
    U_ON,
    V_RESET,
    V_REST,
    VT_INV,
    H,
    J,
    K,
    S,
    compiled,
    end_lane,
    enter_phase,
    load_lane,
)
from spicealif.reference.batch_step import LANES, advance_even, advance_odd
from spicealif.reference.equations import rates, sine_sum
from spicealif.reference.kernel import (
    DELAY_OFF,
    DELAY_ON,
    DISCHARGE,
    EVENTS_PER_STEP,
    HELD,
    INTEGRATE,
    MAX_ITERATIONS,
    _first_root,
)

__all__ = ["DONE", "MOVED", "advance", "distribute"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

# What `advance` reports.
DONE, MOVED = 0, 1
#: Room that the list of spikes must have before a round: lanes, steps and spikes at one instant.
SPIKES_PER_ROUND = 8 * LANES
# A trial that is off by less than this part of the step is corrected linearly: the neglected
# square is below the rounding of v_c.
TOLERANCE = 1e-7


@compiled()
def _root(g_0: float, b_1: float, b_2: float, g_1: float) -> float:
    """Return where the cubic with these Bezier ordinates first rises through 0, or -1.

    Rising ordinates, the rule, make a rising cubic; three of Newton's iterations bring its root
    to far below what the trials need. All else is left to the single kernel's careful search.
    """
    if not (g_0 < b_1 < b_2 < g_1 and g_1 > 0.0):
        return _first_root(g_0, b_1, b_2, g_1)
    (c_1, c_2) = (3.0 * (b_1 - g_0), 3.0 * (b_2 - 2.0 * b_1 + g_0))
    c_3 = g_1 - g_0 + 3.0 * (b_1 - b_2)
    s = g_0 / (g_0 - g_1)
    for _ in range(3):
        p = g_0 + s * (c_1 + s * (c_2 + s * c_3))
        s = min(max(s - p / (c_1 + s * (2.0 * c_2 + s * 3.0 * c_3)), 0.0), 1.0)
    return s


@compiled(fastmath={"contract"}, forceinline=True)
def _settle(  # noqa: PLR0912, PLR0915 - one state machine, as in `kernel.advance`
    n: int,
    new: int,
    happened: int,
    w: FloatArray,
    ints: IntArray,
    par: FloatArray,
    pieces: FloatArray,
    sines: FloatArray,
    first: IntArray,
    ends: FloatArray,
    spikes: FloatArray,
    control: IntArray,
    max_steps: int,
) -> None:
    """Go on from where lane n's last stretch ended, S after grid step J: events, next stretch.

    `happened` is BEGIN for a neuron's beginning, NOTHING, CROSSED or TIMER for the timed event.
    Afterwards the lane has a stretch of steps to take, or is idle.
    """
    r = ints[NEURON, n]
    (phase, j, k) = (ints[PHASE, n], ints[J, n], ints[PIECE, n])
    (t_0, h, s) = (pieces[k, TIME], w[H + n], w[S + n])
    stale = happened != NOTHING  # whether current and derivatives must be computed
    happened = NOTHING if happened == BEGIN else happened
    while True:
        if happened != NOTHING:
            t = w[T_EVENT + n] if happened == TIMER else t_0 + (j * h + s)
            ints[EVENTS, n] += 1
            w[at.PEAK + n] = max(w[at.PEAK + n], w[new + at.V + n])
            fired = phase == DELAY_ON
            if phase == INTEGRATE:
                fired = par[r, SCHMITT] == 0.0 or par[r, DELAY_ON_S] == 0.0
                if par[r, SCHMITT] == 0.0:
                    w[new + at.V + n] = par[r, V_RESET]
                    if par[r, T_REF] > 0.0:
                        (phase, w[T_EVENT + n]) = (HELD, t + par[r, T_REF])
                elif par[r, DELAY_ON_S] > 0.0:
                    (phase, w[T_EVENT + n]) = (DELAY_ON, t + par[r, DELAY_ON_S])
                else:
                    phase = DISCHARGE
            elif phase == DELAY_ON:
                phase = DISCHARGE
            elif phase == DISCHARGE and par[r, DELAY_OFF_S] > 0.0:
                (phase, w[T_EVENT + n]) = (DELAY_OFF, t + par[r, DELAY_OFF_S])
            else:
                phase = INTEGRATE
            enter_phase(n, r, phase, w, par)
            if fired:
                spikes[control[LISTED], 0] = r
                spikes[control[LISTED], 1] = t
                control[LISTED] += 1
                ends[r, END_SPIKES] += 1
                if t <= w[T_LAST + n]:
                    ints[EVENTS, n] = EVENTS_PER_STEP + 1
                w[T_LAST + n] = t
            if ints[EVENTS, n] > EVENTS_PER_STEP:
                end_lane(n, new, STALLED, t, w, ints, ends, control)
                return
            (stale, happened) = (True, NOTHING)
        elif j == pieces[k, STEPS_IN]:
            k += 1
            t_0 = pieces[k, TIME]
            if k + 1 == first[r + 1, 0]:
                status = FINISHED if math.isfinite(w[new + at.V + n]) else DIVERGED
                end_lane(n, new, status, t_0, w, ints, ends, control)
                return
            (j, s, stale) = (0, 0.0, True)
            h = (pieces[k + 1, TIME] - t_0) / pieces[k, STEPS_IN]
            (w[H + n], w[at.T_PIECE + n]) = (h, t_0)
            (w[at.I_PIECE + n], w[at.SLOPE + n]) = (pieces[k, CURRENT], pieces[k, SLOPE])
        position = j * h + s
        if stale:
            i = w[at.I_PIECE + n] + w[at.SLOPE + n] * position
            if first[r + 1, 1] > first[r, 1]:
                i += sine_sum(t_0 + position, sines[first[r, 1] : first[r + 1, 1]])
            (v, x, d_1) = (w[new + at.V + n], w[new + at.X + n], par[r, D_1])
            circuit = (par[r, V_REST], par[r, D_0], d_1, par[r, G_0], par[r, G_1])
            leak = (*circuit, w[at.C_INV + n], w[at.G_SWITCH + n])
            device = (par[r, U_ON], par[r, VT_INV], par[r, K], par[r, TAU])
            (m, kv, kx) = rates(v, x, i, leak, (*device, par[r, U_MAX], par[r, LOG_K]), None)
            (w[new + at.M + n], w[new + at.KV + n], w[new + at.KX + n]) = (m, kv, kx)
            w[new + at.MD + n] = (kv - m * d_1 * kx) / (par[r, D_0] + d_1 * x)
            w[new + at.I_0 + n] = i
            stale = False
        if w[at.SIGN + n] * w[new + at.M + n] - w[at.OFFSET + n] >= 0.0:
            happened = CROSSED  # already beyond the threshold as the phase began
            continue
        length = h - s
        (timed, due) = (False, math.inf)
        if phase in (DELAY_ON, DELAY_OFF, HELD):
            due = max(w[T_EVENT + n] - (t_0 + position), 0.0)
            timed = due <= length
            length = min(due, length)
        if timed and length == 0.0:
            happened = TIMER
            ints[STEPS, n] += 1
            continue
        in_parts = phase in (DISCHARGE, DELAY_OFF) and length > par[r, H_DISCHARGE]
        if s == 0.0 and not timed and not in_parts:
            # whole grid steps up to the end of the piece, or up to the last before the event
            last = pieces[k, STEPS_IN]
            if due < (last - j) * h:
                last = j + max(math.ceil(due / h) - 1.0, 1.0)
            (ints[KIND, n], w[at.BASE + n], w[at.LENGTH + n]) = (GRID, 0.0, h)
            (w[at.COUNT + n], w[at.END + n], w[at.ROW + n]) = (j, last, 0.0)
        else:
            parts = math.ceil(length / par[r, H_DISCHARGE]) if in_parts else 1.0
            # The parts of a grid step are no rows; where the first begins is one.
            w[at.PEAK + n] = max(w[at.PEAK + n], w[new + at.V + n])
            (ints[KIND, n], w[at.BASE + n], w[at.LENGTH + n]) = (PART, position, length / parts)
            parts = min(parts, float(max_steps - ints[STEPS, n] + 1))
            (w[at.COUNT + n], w[at.END + n], w[at.ROW + n]) = (0.0, parts, -math.inf)
        (ints[PHASE, n], ints[PIECE, n], ints[J, n]) = (phase, k, j)
        (w[S + n], ints[TIMED, n]) = (s, 1 if timed else 0)
        return


@compiled(fastmath={"contract"}, forceinline=True)
def _attend(  # noqa: PLR0912, PLR0915 - what may have happened, case by case
    n: int,
    old: int,
    new: int,
    w: FloatArray,
    ints: IntArray,
    pieces: FloatArray,
    ends: FloatArray,
    control: IntArray,
    max_steps: int,
) -> int:
    """Look at what the step from `old` to `new` has done to lane n.

    Returns what `_settle` is to go on from, or GOES_ON if the lane has its next step already.
    """
    kind = ints[KIND, n]
    if kind == IDLE:
        return GOES_ON
    length = w[at.LENGTH + n]
    (m, md) = (w[new + at.M + n], w[new + at.MD + n])
    (sign, offset) = (w[at.SIGN + n], w[at.OFFSET + n])
    (g, slope) = (sign * m - offset, sign * md)
    if kind == TRIAL:
        # Newton's iteration as in `kernel._shorten`, its limits included
        step = -g / slope if slope > 0.0 else math.inf
        full = w[FULL + n]
        stands = ints[TRIALS, n] > MAX_ITERATIONS
        if stands or abs(step) <= TOLERANCE * full:
            if not stands:
                length = min(length + step, full)
                v = w[new + at.V + n]
                w[new + at.ENERGY + n] += step * v * w[new + at.I_0 + n]
                w[new + at.V + n] = v + step * w[new + at.KV + n]
                w[new + at.X + n] += step * w[new + at.KX + n]
            w[S + n] = min(w[S + n] + length, w[H + n])
            return CROSSED
        ints[TRIALS, n] += 1
        if ints[TRIALS, n] == MAX_ITERATIONS or not slope > 0.0:
            (ints[TRIALS, n], length) = (MAX_ITERATIONS + 1, w[ESTIMATE + n])
        else:
            if g < 0.0:
                w[TOO_SHORT + n] = max(w[TOO_SHORT + n], length)
            nearer = 0.5 * (w[TOO_SHORT + n] + length)
            length = min(length + step if length + step > w[TOO_SHORT + n] else nearer, full)
    else:
        third = length * (1.0 / 3.0) * sign
        g_0 = sign * w[old + at.M + n] - offset
        (b_1, b_2) = (g_0 + third * w[old + at.MD + n], g - third * md)
        root = -1.0
        if g >= 0.0 or b_1 >= 0.0 or b_2 >= 0.0:
            root = _root(g_0, b_1, b_2, g)
        count = int(w[at.COUNT + n])
        if root < 0.0:
            if w[at.COUNT + n] < w[at.END + n]:
                return GOES_ON
            ints[STEPS, n] += count - (ints[J, n] if kind == GRID else 0)
            (s, happened) = (0.0, NOTHING)
            if kind == GRID or ints[TIMED, n] == 0:
                ints[EVENTS, n] = 0
            if kind == GRID:
                ints[J, n] = count
            elif ints[TIMED, n] == 0:
                ints[J, n] += 1
            else:
                (s, happened) = (min(w[S + n] + count * length, w[H + n]), TIMER)
            w[S + n] = s
            v = w[new + at.V + n]
            if not math.isfinite(v) or ints[STEPS, n] > max_steps:
                status = OVERLONG if math.isfinite(v) else DIVERGED
                t = pieces[ints[PIECE, n], TIME] + (ints[J, n] * w[H + n] + s)
                end_lane(n, new, status, t, w, ints, ends, control)
                return GOES_ON
            return happened
        # A crossing: back to where the step began, to try shorter ones.
        done = w[at.COUNT + n] - 1.0
        if kind == GRID:
            ints[STEPS, n] += count - ints[J, n]
            (ints[J, n], w[S + n], ints[EVENTS, n]) = (count - 1, 0.0, 0)
        else:
            ints[STEPS, n] += count
            w[S + n] += done * length
        w[at.BASE + n] += done * length
        (ints[KIND, n], ints[TRIALS, n]) = (TRIAL, 0)
        (w[FULL + n], w[TOO_SHORT + n]) = (length, 0.0)
        length *= root
        w[ESTIMATE + n] = length
    for q in range(at.N_STATE):
        w[new + q * LANES + n] = w[old + q * LANES + n]
    (w[at.LENGTH + n], w[at.COUNT + n], w[at.END + n]) = (length, 0.0, 1.0)
    return GOES_ON


@compiled()
def _refill(
    new: int,
    queue: IntArray,
    w: FloatArray,
    ints: IntArray,
    par: FloatArray,
    pieces: FloatArray,
    sines: FloatArray,
    first: IntArray,
    ends: FloatArray,
    spikes: FloatArray,
    control: IntArray,
    max_steps: int,
) -> None:
    """Start a neuron in every idle lane, as far as the queue has any."""
    for n in range(LANES):
        if ints[KIND, n] == IDLE and control[TAKEN] < queue.size:
            (r, control[TAKEN]) = (queue[control[TAKEN]], control[TAKEN] + 1)
            control[BUSY] += 1
            load_lane(n, r, new, w, ints, par, pieces, sines, first)
            _settle(
                n, new, BEGIN, w, ints, par, pieces, sines, first, ends, spikes, control, max_steps
            )
    control[N_SINES] = 0
    for n in range(LANES):
        if ints[KIND, n] != IDLE:
            r = ints[NEURON, n]
            control[N_SINES] = max(control[N_SINES], first[r + 1, 1] - first[r, 1])


@compiled(nogil=True)
def advance(  # noqa: PLR0912 - which lanes have something to do
    queue: IntArray,
    rounds: int,
    more: bool,
    flags: npt.NDArray[np.uint8],
    words: npt.NDArray[np.uint64],
    w: FloatArray,
    ints: IntArray,
    par: FloatArray,
    pieces: FloatArray,
    sines: FloatArray,
    first: IntArray,
    ends: FloatArray,
    spikes: FloatArray,
    control: IntArray,
    max_steps: int,
) -> int:
    """Take two steps in every lane, `rounds` times, refilling lanes from the queue.

    Parameters
    ----------
    queue : array of int
        Neurons to start.
    rounds : int
        When to return at the latest.
    more : bool
        Whether to return as soon as a lane finds the queue empty.
    flags, words : array of uint8, array of uint64
        The flags of `batch_step`, and the same memory 8 to a word.
    w, ints, par, pieces, sines, first, ends, spikes : array
        See `batch_lanes`.
    control : array of int
        Neurons taken from the queue, spikes listed, largest number of sines in a lane, lanes at
        work; updated.
    max_steps : int
        A neuron with more steps is given up.

    Returns
    -------
    int
        DONE if the queue is empty and every lane idle; else MOVED: the rounds are over, the list
        of spikes is full, or a lane is idle and there may be more neurons for it.
    """
    for _ in range(rounds):
        if spikes.shape[0] - control[LISTED] < SPIKES_PER_ROUND:
            return MOVED
        if control[BUSY] < LANES:
            if control[TAKEN] < queue.size:
                _refill(
                    at.EVEN, queue, w, ints, par, pieces, sines, first, ends, spikes, control,
                    max_steps,
                )  # fmt: skip
            elif control[BUSY] == 0:
                return DONE
            elif more:
                return MOVED
        for half in range(2):
            (old, new) = (at.EVEN, at.ODD) if half == 0 else (at.ODD, at.EVEN)
            if half == 0:
                advance_even(w, flags, control[N_SINES])
            else:
                advance_odd(w, flags, control[N_SINES])
            for q in range(words.size):
                if words[q] == 0:
                    continue
                for n in range(8 * q, 8 * q + 8):
                    if flags[n] == 0:
                        continue
                    happened = _attend(n, old, new, w, ints, pieces, ends, control, max_steps)
                    if happened != GOES_ON:
                        _settle(
                            n, new, happened, w, ints, par, pieces, sines, first, ends, spikes,
                            control, max_steps,
                        )  # fmt: skip
    return MOVED


@compiled(nogil=True)
def distribute(spikes: FloatArray, place: IntArray, time: FloatArray) -> None:
    """Write each spike's time to its neuron's place, and move that place on."""
    for k in range(spikes.shape[0]):
        r = int(spikes[k, 0])
        time[place[r]] = spikes[k, 1]
        place[r] += 1

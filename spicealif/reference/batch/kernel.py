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

from spicealif.reference.batch import step as at
from spicealif.reference.batch.lanes import (
    BEGIN,
    BUSY,
    CROSSED,
    DIVERGED,
    ESTIMATE,
    EVENTS,
    FULL,
    GOES_ON,
    GRID,
    IDLE,
    KIND,
    LISTED,
    N_SINES,
    NEURON,
    NOTHING,
    OVERLONG,
    PIECE,
    STEPS,
    TAKEN,
    TIME,
    TIMED,
    TIMER,
    TOO_SHORT,
    TRIAL,
    TRIALS,
    H,
    J,
    S,
    compiled,
    end_lane,
    load_lane,
)
from spicealif.reference.batch.settle import settle
from spicealif.reference.batch.step import LANES, advance_even, advance_odd
from spicealif.reference.kernel import (
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
            settle(
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
                        settle(
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

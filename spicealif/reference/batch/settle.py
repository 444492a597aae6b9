"""Events within a step of a lane: sought where g crosses zero, settled one at a time."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.reference.batch import step as at
from spicealif.reference.batch.lanes import (
    BEGIN,
    CROSSED,
    CURRENT,
    D_0,
    D_1,
    DELAY_OFF_S,
    DELAY_ON_S,
    DIVERGED,
    END_SPIKES,
    EVENTS,
    FINISHED,
    G_0,
    G_1,
    GRID,
    H_DISCHARGE,
    KIND,
    LISTED,
    LOG_K,
    NEURON,
    NOTHING,
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
    TAU,
    TIME,
    TIMED,
    TIMER,
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
)
from spicealif.reference.equations import rates, sine_sum
from spicealif.reference.kernel import (
    DELAY_OFF,
    DELAY_ON,
    DISCHARGE,
    EVENTS_PER_STEP,
    HELD,
    INTEGRATE,
)

__all__ = ["settle"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


@compiled(fastmath={"contract"}, forceinline=True)
def settle(  # noqa: PLR0912, PLR0915 - one state machine, as in `kernel.advance`
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

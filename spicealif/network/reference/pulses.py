"""The compiled step of a `schmitt` network: pulses of outputs, and synapses that conduct.

A neuron's output is at its high level from its firing until its switch opens again; an ideal
source. Its synapses conduct meanwhile by the equations of `pulse_rates`.

The state of a neuron is v_c, x and the states of the synapses that end in it. It goes through a
grid step by itself, with RK4 steps cut at the edges that arrive, at the corners of its stimulus and
at its own events, each where it happens. Edges with no delay, or one shorter than the step, can act
within that very step: then those who receive them repeat it (`run_step`), until no edge moves any
more. As every effect is later than its cause, each repetition settles one edge more at least.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.network.reference.lanes import compiled
from spicealif.network.reference.pulse_rates import (
    DELAY_OFF_S,
    DELAY_ON_S,
    G_DS,
    H_DISCHARGE,
    PHASE,
    PIECE,
    ROWS,
    STATUS,
    STEPS,
    T_EVENT,
    T_LAST,
    V_LOW,
    V_TH,
    V,
    X,
    finish,
    rates_of,
    rk4_of,
)
from spicealif.reference.kernel import (
    DELAY_OFF,
    DELAY_ON,
    DISCHARGE,
    EVENTS_PER_STEP,
    INTEGRATE,
    MAX_ITERATIONS,
    _first_root,
)

__all__ = ["DIVERGED", "EDGES", "FINE", "MOST_ROWS", "STALLED", "UNSETTLED", "run_steps"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

#: Edges that an output may have in one grid step; more mean that it spikes without end.
EDGES = 64
#: What became of a neuron, or of a step.
FINE, STALLED, DIVERGED, UNSETTLED = range(4)
#: Repetitions of a grid step.
MOST_REPEATS = 4 * EDGES
#: Rows that are left to a grid step's events, and rows of a trace until they are taken.
ROOM, MOST_ROWS = 8 * EDGES, 1 << 14


@compiled()
def _advance(  # noqa: PLR0912, PLR0915 - one state machine, as in `spicealif.reference.kernel`
    r: int,
    t_0: float,
    t_1: float,
    edges: FloatArray,
    which: IntArray,
    n_edges: int,
    out: FloatArray,
    y: FloatArray,
    y_1: FloatArray,
    work: FloatArray,
    neurons: Any,
    synapses: Any,
    models: Any,
    rows: FloatArray,
) -> int:
    """Take neuron r through the grid step from t_0 to t_1; return the number of its output's edges.

    `edges` has time and level of what arrives, in order, and `which` the synapses. An edge of the
    output is written to `out`: its time, and whether it rises.
    """
    (par, _, _, _, fs, ns, pieces, _, _) = neurons
    (first, _, _, _, level, state, _) = synapses
    n = first[r + 1] - first[r]
    now = work[6]
    (y[0], y[1]) = (fs[r, V], fs[r, X])
    for c in range(n):
        y[c + 2] = state[first[r] + c]
    (t, edge, made, events) = (t_0, 0, 0, 0)
    stale = True
    (sign, offset, g_switch) = (0.0, 1.0, 0.0)
    while True:
        phase = ns[r, PHASE]
        stop = min(t_1, pieces[r, ns[r, PIECE] + 1, 0])
        if edge < n_edges:
            stop = min(stop, edges[edge, 0])
        timed = phase in (DELAY_ON, DELAY_OFF)
        if timed:
            stop = min(stop, fs[r, T_EVENT])
        happened = False
        if stop <= t:
            stale = True
            if timed and fs[r, T_EVENT] <= t:
                happened = True
            elif edge < n_edges and edges[edge, 0] <= t:
                level[which[edge]] = edges[edge, 1]
                edge += 1
                continue
            elif pieces[r, ns[r, PIECE] + 1, 0] <= t:
                ns[r, PIECE] += 1
                continue
        if stale:
            sign = 1.0 if phase == INTEGRATE else (-1.0 if phase == DISCHARGE else 0.0)
            below = -par[r, V_LOW] if phase == DISCHARGE else 1.0
            offset = par[r, V_TH] if phase == INTEGRATE else below
            g_switch = par[r, G_DS] if phase in (DISCHARGE, DELAY_OFF) else 0.0
            rates_of(
                r, t, 0.0, y[0], y[1], y[2 : n + 2], work[0, 2:], now, g_switch, neurons, synapses,
                models,
            )  # fmt: skip
            (work[0, 0], work[0, 1]) = (now[1], now[2])
            stale = False
            if rows.shape[0] > 0 and (ns[r, ROWS] == 0 or t > rows[ns[r, ROWS] - 1, 0]):
                row = ns[r, ROWS]
                (rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3]) = (t, y[0], now[0], y[1])
                ns[r, ROWS] += 1
        g = sign * now[0] - offset
        if not happened and g >= 0.0:
            happened = True
        if not happened:
            if t >= t_1:
                break
            length = stop - t
            if phase in (DISCHARGE, DELAY_OFF) and length > par[r, H_DISCHARGE]:
                length = length / math.ceil(length / par[r, H_DISCHARGE])
            last = t + length >= stop or length == stop - t
            rk4_of(r, t, length, y, y_1, work, g_switch, neurons, synapses, models)
            then = work[7]
            finish(
                r, t + length, length, n, y, y_1, work, then, g_switch, neurons, synapses, models
            )
            ns[r, STEPS] += 1
            g_end = sign * then[0] - offset
            third = length * (1.0 / 3.0) * sign
            (b_1, b_2) = (g + third * now[3], g_end - third * then[3])
            root = -1.0
            if g_end >= 0.0 or b_1 >= 0.0 or b_2 >= 0.0:
                root = _first_root(g, b_1, b_2, g_end)
            if root >= 0.0:
                happened = True
                (full, low, trial) = (length, 0.0, 0)
                estimate = root * full
                length = estimate
                while True:
                    rk4_of(r, t, length, y, y_1, work, g_switch, neurons, synapses, models)
                    finish(
                        r, t + length, length, n, y, y_1, work, then, g_switch, neurons, synapses,
                        models,
                    )  # fmt: skip
                    if trial > MAX_ITERATIONS:
                        break
                    rise = sign * then[3]
                    g_end = sign * then[0] - offset
                    step = -g_end / rise if rise > 0.0 else math.inf
                    if abs(step) <= 1e-9 * full:
                        step = min(length + step, full) - length
                        y_1[0] += step * then[1]
                        y_1[1] += step * then[2]
                        for c in range(n):
                            y_1[c + 2] += step * work[8, c + 2]
                        length += step
                        break
                    trial += 1
                    if trial == MAX_ITERATIONS or not rise > 0.0:
                        (trial, length) = (MAX_ITERATIONS + 1, estimate)
                        continue
                    if g_end < 0.0:
                        low = max(low, length)
                    nearer = length + step
                    length = min(nearer if nearer > low else 0.5 * (low + length), full)
                t += length
            else:
                t = stop if last else t + length
            for c in range(n + 2):
                y[c] = y_1[c]
            if not math.isfinite(y[0]):
                ns[r, STATUS] = DIVERGED
                break
            if not happened:
                for c in range(4):
                    now[c] = then[c]
                for c in range(n + 2):
                    work[0, c] = work[8, c]
                if ns[r, ROWS] < rows.shape[0] - ROOM:
                    row = ns[r, ROWS]
                    (rows[row, 0], rows[row, 1]) = (t, y[0])
                    (rows[row, 2], rows[row, 3]) = (now[0], y[1])
                    ns[r, ROWS] += 1
                continue
        events += 1
        fired = phase == DELAY_ON
        released = phase == DELAY_OFF
        if phase == INTEGRATE:
            fired = par[r, DELAY_ON_S] == 0.0
            ns[r, PHASE] = DISCHARGE if fired else DELAY_ON
            fs[r, T_EVENT] = t + par[r, DELAY_ON_S]
        elif phase == DELAY_ON:
            ns[r, PHASE] = DISCHARGE
        elif phase == DISCHARGE and par[r, DELAY_OFF_S] > 0.0:
            ns[r, PHASE] = DELAY_OFF
            fs[r, T_EVENT] = t + par[r, DELAY_OFF_S]
        else:
            released = True
            ns[r, PHASE] = INTEGRATE
        if fired or released:
            (out[made, 0], out[made, 1]) = (t, 1.0 if fired else 0.0)
            made += 1
        if fired:
            if t <= fs[r, T_LAST]:
                ns[r, STATUS] = STALLED
            fs[r, T_LAST] = t
        if events > EVENTS_PER_STEP or made == EDGES:
            ns[r, STATUS] = STALLED
        if ns[r, STATUS] != FINE:
            break
        stale = True
    (fs[r, V], fs[r, X]) = (y[0], y[1])
    for c in range(n):
        state[first[r] + c] = y[c + 2]
    return made


@compiled()
def _copy(of: Any, to: Any, row: int) -> None:
    """Copy a row."""
    for k in range(of.shape[1]):
        to[row, k] = of[row, k]


@compiled(nogil=True)
def run_step(  # noqa: PLR0912, PLR0915 - first all, then those who must repeat
    t_0: float,
    t_1: float,
    arrivals: Any,
    targets: Any,
    made: FloatArray,
    n_made: IntArray,
    kept: Any,
    dirty: npt.NDArray[np.bool_],
    edges: FloatArray,
    which: IntArray,
    fresh: FloatArray,
    y: FloatArray,
    y_1: FloatArray,
    work: FloatArray,
    neurons: Any,
    synapses: Any,
    models: Any,
    row_of: IntArray,
    rows: FloatArray,
) -> int:
    """Take all neurons through a grid step.

    Parameters
    ----------
    t_0, t_1 : float
    arrivals : tuple
        What left in earlier steps and arrives in this one, as `mail.Mail.arrivals` gives it; the
        time constants are synapses, and the sizes levels.
    targets : tuple of array
        Of each output: where its synapses begin, and the synapses; of each synapse: its
        presynaptic number, target, delay, low and high level.
    made, n_made : array, shapes (outputs, EDGES, 2) and (outputs,)
        Edges that each output makes in this step; those of sources are there already.
    kept : tuple of array
        Room for the state at t_0: floats, integers, levels, states.
    dirty : array of bool, shape (neurons,)
    edges, which, fresh, y, y_1, work : array
        Room.
    neurons, synapses, models : tuple
        See `_rates`.
    row_of, rows : array
        Which neurons' traces are kept (-1: not), and these.

    Returns
    -------
    int
        FINE, UNSETTLED, or the status of a neuron that cannot go on.
    """
    (fs, ns) = (neurons[4], neurons[5])
    (first, level, state) = (synapses[0], synapses[4], synapses[5])
    (fs_0, ns_0, level_0, state_0) = kept
    (_, _, pre, target, delay, v_low, v_high) = targets
    (out_first, out_synapse) = (targets[0], targets[1])
    (arrive, a_time, a_which, a_size) = arrivals
    (n, n_out) = (fs.shape[0], made.shape[0])
    for r in range(n):
        _copy(fs, fs_0, r)
        _copy(ns, ns_0, r)
    for s in range(level.size):
        (level_0[s], state_0[s]) = (level[s], state[s])
    for r in range(n):
        (dirty[r], n_made[r]) = (True, 0)
    any_made = False
    for p in range(n, n_out):
        any_made = any_made or n_made[p] > 0
    for repeat in range(MOST_REPEATS):
        again = False
        for r in range(n):
            if not dirty[r]:
                continue
            dirty[r] = False
            if repeat > 0:
                steps = ns[r, STEPS]
                _copy(fs_0, fs, r)
                _copy(ns_0, ns, r)
                ns[r, STEPS] = steps
                for s in range(first[r], first[r + 1]):
                    (level[s], state[s]) = (level_0[s], state_0[s])
            m = 0
            for a in range(arrive[r], arrive[r + 1]):
                (edges[m, 0], edges[m, 1], which[m]) = (a_time[a], a_size[a], a_which[a])
                m += 1
            if any_made:
                for s in range(first[r], first[r + 1]):
                    for e in range(n_made[pre[s]]):
                        t = made[pre[s], e, 0] + delay[s]
                        if t <= t_1 and m < which.size:
                            high = made[pre[s], e, 1] > 0.0
                            (edges[m, 0], which[m]) = (t, s)
                            edges[m, 1] = v_high[s] if high else v_low[s]
                            m += 1
                # by time; those of one synapse are in order already and stay so
                for a in range(1, m):
                    (t, value, s) = (edges[a, 0], edges[a, 1], which[a])
                    b = a
                    while b > 0 and edges[b - 1, 0] > t:
                        (edges[b, 0], edges[b, 1]) = (edges[b - 1, 0], edges[b - 1, 1])
                        which[b] = which[b - 1]
                        b -= 1
                    (edges[b, 0], edges[b, 1], which[b]) = (t, value, s)
            size = first[r + 1] - first[r] + 2
            own_rows = rows[row_of[r]] if row_of[r] >= 0 else rows[0, :0]
            count = _advance(
                r, t_0, t_1, edges, which, m, fresh, y[:size], y_1[:size], work, neurons, synapses,
                models, own_rows,
            )  # fmt: skip
            if ns[r, STATUS] != FINE:
                return int(ns[r, STATUS])
            same = count == n_made[r]
            for e in range(count if same else 0):
                same = same and fresh[e, 1] == made[r, e, 1]
                # What remains is rounding: a step that was cut elsewhere before this edge.
                same = same and abs(fresh[e, 0] - made[r, e, 0]) <= 1e-9 * (t_1 - t_0)
            if same:
                continue
            n_made[r] = count
            for e in range(count):
                (made[r, e, 0], made[r, e, 1]) = (fresh[e, 0], fresh[e, 1])
            any_made = any_made or count > 0
            for k in range(out_first[r], out_first[r + 1]):
                s = out_synapse[k]
                if delay[s] <= t_1 - t_0:
                    dirty[target[s]] = True
                    again = True
        if not again:
            return FINE
    return UNSETTLED


@compiled(nogil=True)
def run_steps(
    j: int,
    j_stop: int,
    h: float,
    heads: IntArray,
    nothing: IntArray,
    arrivals: Any,
    targets: Any,
    made: FloatArray,
    n_made: IntArray,
    kept: Any,
    dirty: npt.NDArray[np.bool_],
    edges: FloatArray,
    which: IntArray,
    fresh: FloatArray,
    y: FloatArray,
    y_1: FloatArray,
    work: FloatArray,
    neurons: Any,
    synapses: Any,
    models: Any,
    row_of: IntArray,
    rows: FloatArray,
) -> tuple[int, int]:
    """Take grid step j, and those after it up to `j_stop` as long as nothing is to be handed over.

    Parameters
    ----------
    j, j_stop : int
    h : float
        Grid step in s.
    heads : array
        The mail's buckets, by which it is seen that something arrives.
    nothing : array of int
        The first of `arrivals` where nothing arrives.
    arrivals, ...
        See `run_step`; of step j.

    Returns
    -------
    tuple of int
        See `run_step`, and the next grid step. It returns when an output has made an edge, before a
        step in which edges arrive, and when rows are to be taken.
    """
    (ns, here) = (neurons[5], arrivals[0])
    status = FINE
    while True:
        status = run_step(
            j * h, (j + 1) * h, (here, arrivals[1], arrivals[2], arrivals[3]), targets, made,
            n_made, kept, dirty, edges, which, fresh, y, y_1, work, neurons, synapses, models,
            row_of, rows,
        )  # fmt: skip
        j += 1
        here = nothing
        over = status != FINE or j >= j_stop or heads[j % heads.size] >= 0
        for p in range(n_made.size):
            over = over or n_made[p] > 0
        if rows.shape[1] > 0:
            for r in range(row_of.size):
                over = over or (row_of[r] >= 0 and ns[r, ROWS] > MOST_ROWS // 2)
        if over:
            return status, j

"""Compiled: many neurons through one window, each while the others' waveforms are given."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.circuit.layout import P_V_LEVEL, P_V_OH, Y_V_C
from spicealif.circuit.linked import (
    I_BEGIN,
    I_COUNT,
    I_END,
    I_GROUP,
    I_NODE,
    I_SIDE,
    I_STATES,
    N_ROWS,
    PARTS,
    R_OUTPUT,
    RECORD,
    ROOM,
    across,
)
from spicealif.circuit.run import advance

__all__ = ["CONDUCTING", "Tables", "mark", "sweep"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
#: The network's fixed arrays, the order in which `sweep` takes them apart.
Tables: TypeAlias = tuple[Any, ...]

#: A pulse begins where the output has risen by this part of its swing.
RISEN = 0.005
#: From this voltage (V) on, forward, a synapse that blocks is looked at; below, its current is
#: nanoamperes.
CONDUCTING = 0.05
#: An error of a diode's voltage counts by this much less where its charge goes to a capacitor
#: instead of an output.
INCOMING = 0.1
#: Derivatives of changes are taken over at least this time (s).
SHORTEST = 1e-10
#: Up to this voltage (V) a diode's is that across the synapse.
BLOCKING = 0.2
#: It falls where it does so by more than this part of its swing in a nanosecond.
FALLING = 0.01


@njit(cache=True, error_model="numpy")
def _value(t: float, k: int, times: FloatArray, v: FloatArray, d: FloatArray) -> float:
    """Return the cubic between knots k and k + 1 at t."""
    h = times[k + 1] - times[k]
    if h <= 0.0:
        return float(v[k + 1])
    a = (t - times[k]) / h
    b = 1.0 - a
    return float(
        v[k] * (1.0 + 2.0 * a) * b * b
        + v[k + 1] * (1.0 + 2.0 * b) * a * a
        + h * a * b * (d[k] * b - d[k + 1] * a)
    )


@njit(cache=True, error_model="numpy")
def distance(
    times_a: FloatArray, v_a: FloatArray, d_a: FloatArray, n_a: int,
    times_b: FloatArray, v_b: FloatArray, d_b: FloatArray, n_b: int, floor: float, some: float,
) -> tuple[float, float]:  # fmt: skip
    """Compare two waves over a window.

    Parameters
    ----------
    times_a, v_a, d_a, n_a, times_b, v_b, d_b, n_b
        Knots of both: times, values, derivatives, and how many.
    floor : float
        What is below it counts as this (V).
    some : float
        See below (V s).

    Returns
    -------
    integral : float
        Of the absolute difference in V s.
    since : float
        When that was above `some` first in s; infinity if never.
    """
    (total, i, j, since) = (0.0, 0, 0, np.inf)
    t = times_a[0]
    end = min(times_a[n_a - 1], times_b[n_b - 1])
    last = abs(max(v_a[0], floor) - max(v_b[0], floor))
    while t < end:
        while i < n_a - 2 and times_a[i + 1] <= t:
            i += 1
        while j < n_b - 2 and times_b[j + 1] <= t:
            j += 1
        then = min(times_a[i + 1], times_b[j + 1])
        if then <= t:
            break
        a = max(_value(then, i, times_a, v_a, d_a), floor)
        now = abs(a - max(_value(then, j, times_b, v_b, d_b), floor))
        total += 0.5 * (last + now) * (then - t)
        if since == np.inf and total > some:
            since = t
        (t, last) = (then, now)
    return total, since


@njit(cache=True, error_model="numpy")
def _find_corners(
    times: FloatArray, out: FloatArray, slope: FloatArray, n: int, level: float, swing: float,
    corners: FloatArray,
) -> int:  # fmt: skip
    """Write where pulses begin to rise and to fall; return how many there are."""
    count = 0
    high = out[0] > level + RISEN * swing
    falling = False
    for k in range(1, n):
        if count >= corners.size:
            break
        if not high and out[k] > level + RISEN * swing:
            corners[count] = times[k - 1]
            (count, high, falling) = (count + 1, True, False)
        elif high and not falling and slope[k] < -FALLING * swing * 1e9:
            corners[count] = times[k - 1]
            (count, falling) = (count + 1, True)
        elif high and out[k] < level + RISEN * swing:
            high = False
    return count


@njit(cache=True, error_model="numpy")
def _largest_change(
    k: int, other: int, blocks: bool, lag: float, some: float, waves: Tables
) -> tuple[float, float]:
    """Return the largest change in V of a capacitor's wave, as a synapse's other neuron meets it.

    If the synapse blocks, that is the change only while the other's output is above the capacitor;
    else `lag` (s), the synapse's conductance over its capacitance, times the change's derivative.
    And when it was above `some` first in s; infinity if never.
    """
    (times, knots, counts, which) = waves
    (new, old, side) = (which[k], 1 - which[k], which[other])
    (i, j, c, most, since, last) = (0, 0, 0, 0.0, np.inf, 0.0)
    t = times[new, k, 0]
    end = times[new, k, counts[new, k] - 1]
    while t < end:
        while i < counts[new, k] - 2 and times[new, k, i + 1] <= t:
            i += 1
        while c < counts[side, other] - 2 and times[side, other, c + 1] <= t:
            c += 1
        then = min(times[new, k, i + 1], times[side, other, c + 1])
        if then <= t:
            break
        while j < counts[old, k] - 2 and times[old, k, j + 1] < then:
            j += 1
        now = _value(then, i, times[new, k], knots[new, 2, k], knots[new, 3, k])
        before = _value(then, j, times[old, k], knots[old, 2, k], knots[old, 3, k])
        change = abs(now - before)
        if blocks:
            out = _value(then, c, times[side, other], knots[side, 0, other], knots[side, 1, other])
            if out - min(now, before) < CONDUCTING:
                change = lag * abs(now - before - last) / max(then - t, SHORTEST)
        most = max(most, change)
        if since == np.inf and most > some:
            since = t
        (t, last) = (then, now - before)
    return most, since


@njit(cache=True, error_model="numpy")
def mark(  # noqa: PLR0912 - outputs and capacitors
    ids: IntArray, tol: float, swing: FloatArray, level: FloatArray,
    pulsing: npt.NDArray[np.bool_], lowest: FloatArray, groups: Tables, waves: Tables,
    blocks: npt.NDArray[np.bool_], gain: FloatArray, lag: FloatArray, effect: FloatArray,
    dirty: npt.NDArray[np.bool_], since: FloatArray,
) -> float:  # fmt: skip
    """Mark those who are joined to neurons whose waves have changed by more than `tol` (s).

    An output's change counts by its integral (see `SynapseArrays.gain`), behind synapses that block
    only of what is high. A capacitor's change counts by what it does to the neuron that the synapse
    begins at (see `SynapseArrays.effect` and `_largest_change`). A capacitor that falls below
    ground has synapses conduct whose output is low.

    `since` gets the times (s) until which those who are marked need not be solved again: what has
    changed before is below a tenth of the tolerance.

    Returns
    -------
    float
        The largest change that made nobody dirty.
    """
    (pre, post, ins, in_start, outs, out_start) = groups
    (times, knots, counts, which) = waves
    (n, ignored) = (dirty.size, 0.0)
    for k in ids:
        (new, old) = (which[k], 1 - which[k])
        for kind in range(2):
            # once for synapses that block, once for those that do not
            most = 0.0
            for a in range(out_start[k], out_start[k + 1]):
                blocked = blocks[outs[a]] and lowest[post[outs[a]]] > -CONDUCTING
                if blocked == (kind == 0) and (kind == 1 or pulsing[k]):
                    most = max(most, gain[outs[a]])
            if most == 0.0:
                continue
            (moved, first) = distance(
                times[old, k], knots[old, 0, k], knots[old, 1, k], counts[old, k],
                times[new, k], knots[new, 0, k], knots[new, 1, k], counts[new, k],
                level[k] + RISEN * swing[k] if kind == 0 else -np.inf, 0.1 * tol / most,
            )  # fmt: skip
            for a in range(out_start[k], out_start[k + 1]):
                target = post[outs[a]]
                blocked = blocks[outs[a]] and lowest[target] > -CONDUCTING
                if blocked != (kind == 0):
                    continue
                by_out = gain[outs[a]] * moved
                if by_out > tol:
                    since[target] = min(since[target], first)
                    dirty[target] = True
                else:
                    ignored = max(ignored, by_out)
        for a in range(in_start[k], in_start[k + 1]):
            synapse = ins[a]
            other = pre[synapse]
            if other >= n or effect[synapse] == 0.0:
                continue
            (by_v, first) = _largest_change(
                k, other, blocks[synapse], lag[synapse], 0.1 * tol / effect[synapse], waves
            )
            by_v *= effect[synapse]
            if by_v > tol:
                since[other] = min(since[other], first)
                dirty[other] = True
            else:
                ignored = max(ignored, by_v)
    return ignored


@njit(cache=True, error_model="numpy", nogil=True)
def sweep(  # noqa: PLR0912, PLR0915 - takes the tables apart
    ids: IntArray,
    begin: float,
    end: float,
    tables: Tables,
    groups: Tables,
    before: Tables,
    after: Tables,
    waves: Tables,
    corners: FloatArray,
    n_corners: IntArray,
    results: Tables,
    kept: Tables,
    saved: Tables,
    since: FloatArray,
    tol: float,
    model: Any,
) -> None:
    """Take neurons from the begin of a window to its end.

    Parameters
    ----------
    ids : array of int
        Which.
    begin, end : float
        In s.
    tables : tuple
        values, active, n_active, times, currents, slopes, piece_start, sines, sine_start, h_max,
        q of the leaks, nodes before and behind each synapse's begin, see `NetworkArrays`.
    groups : tuple
        Of the synapses: equations, currents, rates, group, q, q_start, n_states, weights,
        follows, pre, post, ins, in_start, outs, out_start.
    before, after : tuple
        y, fs, ns, states of synapses at their targets and at their sources: at the begin, and to
        be written at the end.
    waves : tuple
        See `circuit.linked.wave_at`. A neuron's new wave is written to the side that does not
        count.
    corners, n_corners : array
        Of each node's waves, shape (2, nodes, most), (2, nodes).
    results : tuple
        To be written for each neuron: status, spike times, number of spikes, rows,
        whether the output has been high, steps taken, lowest voltage of the capacitor over all
        sweeps of the window.
    kept : tuple
        Which row of the buffers a neuron's traces go to (0: that of all others), and the buffers,
        shape (rows, 9, knots).
    saved : tuple
        Checkpoints of each neuron: numbers, where each neuron's begin among them, how long each
        is, and integers, shape (n, most, ...); see `circuit.linked.checkpoint`.
    since : array
        For each neuron: solve it from its last checkpoint before this time (s) on.
    tol : float
        Relative tolerance.
    model : tuple or None
        Current and rate of the leaks' model; None for the MMS model and the resistor.
    """
    (values, active, n_active, t_all, i_all, slope_all, piece_start, sines, sine_start, h_max,
     q_leak) = tables  # fmt: skip
    (eqs, currents, rate_s, group, q, q_start, n_states, weights, follows, pre, post, ins,
     in_start, outs, out_start) = groups  # fmt: skip
    (y_0, fs_0, ns_0, in_0, out_0) = before
    (y_1, fs_1, ns_1, in_1, out_1) = after
    (times, knots, counts, which) = waves
    (status, spikes, n_spikes, rows_of, pulsing, steps, lowest) = results
    (slot, buffers, scratch) = kept
    (saved_numbers, saved_start, saved_length, saved_whole) = saved
    most_saved = saved_whole.shape[1]
    settings = np.array([tol, 0.0, end, (end - begin) / most_saved])
    device_room = np.zeros(4)
    for n in ids:
        (mine, mine_out) = (
            ins[in_start[n] : in_start[n + 1]],
            outs[out_start[n] : out_start[n + 1]],
        )
        (n_in, n_out) = (mine.size, mine_out.size)
        z = np.zeros(2 * (n_in + n_out))
        for a in range(n_in):
            (z[2 * a], z[2 * a + 1]) = (in_0[mine[a], 0], in_0[mine[a], 1])
        for b in range(n_out):
            a = n_in + b
            (z[2 * a], z[2 * a + 1]) = (out_0[mine_out[b], 0], out_0[mine_out[b], 1])
        # A pulse could fit between the stages of a step, and so steps end where one begins. The
        # capacitors that synapses end in have none: a discharge stays, and no step is blind to it.
        most = 0
        for a in range(n_in):
            most += n_corners[which[pre[mine[a]]], pre[mine[a]]]
        mixed = np.empty(most)
        (most, last) = (0, -1)
        for a in range(n_in):
            node = pre[mine[a]]
            if node != last:
                last = node
                for c in range(n_corners[which[node], node]):
                    mixed[most] = corners[which[node], node, c]
                    most += 1
        mixed = np.sort(mixed[:most])
        new = 1 - which[n]
        own = (
            times[new, n],
            knots[new, 0, n],
            knots[new, 1, n],
            knots[new, 2, n],
            knots[new, 3, n],
        )
        n_all = n_in + n_out
        whole = np.zeros(2 + RECORD * n_all, dtype=np.int64)
        room = np.zeros(ROOM + n_out + (PARTS + 2) * n_all)
        (whole[0], whole[1], room[R_OUTPUT]) = (n_in, n_out, knots[which[n], 0, n, 0])
        for a in range(n_all):
            synapse = mine[a] if a < n_in else mine_out[a - n_in]
            node = pre[synapse] if a < n_in else post[synapse]
            record = whole[2 + RECORD * a : 2 + RECORD * (a + 1)]
            record[I_GROUP] = group[synapse]
            (record[I_BEGIN], record[I_END]) = (q_start[synapse], q_start[synapse + 1])
            (record[I_STATES], record[I_NODE]) = (n_states[synapse], node)
            (record[I_SIDE], record[I_COUNT]) = (which[node], counts[which[node], node])
            first = ROOM + n_out + PARTS * n_all + 2 * a
            (room[first], room[first + 1]) = (weights[synapse, 0], weights[synapse, 1])
            if a < n_in and follows[synapse]:
                room[first] *= INCOMING
        (first, behind) = (piece_start[n], piece_start[n + 1])
        stimulus = (
            t_all[first:behind], i_all[first : behind - 1], slope_all[first : behind - 1],
            sines[sine_start[n] : sine_start[n + 1]],
        )  # fmt: skip
        numbers = saved_numbers[
            saved_start[n] : saved_start[n] + most_saved * saved_length[n]
        ].reshape((most_saved, saved_length[n]))
        integers = saved_whole[n]
        (n_y, n_fs, n_ns) = (y_0.shape[1], fs_0.shape[1], ns_0.shape[1])
        at = integers[0, n_ns] if since[n] > begin else 0
        while at > 0 and numbers[at - 1, 0] >= since[n]:
            at -= 1
        integers[0, n_ns] = at
        resumed = at > 0
        if resumed:
            at -= 1
            y_1[n] = numbers[at, 1 : 1 + n_y]
            fs_1[n] = numbers[at, 1 + n_y : 1 + n_y + n_fs]
            for c in range(z.size):
                z[c] = numbers[at, 1 + n_y + n_fs + c]
            for c in range(n_ns):
                ns_1[n, c] = integers[at, c]
            (old, last) = (which[n], ns_1[n, 3])
            times[new, n, :last] = times[old, n, :last]
            knots[new, :, n, :last] = knots[old, :, n, :last]
            room[R_OUTPUT] = knots[new, 0, n, last - 1]
            taken_before = ns_1[n, 5]
        else:
            y_1[n] = y_0[n]
            fs_1[n] = fs_0[n]
            ns_1[n] = ns_0[n]
            (ns_1[n, 3], ns_1[n, 4]) = (0, 0)
            fs_1[n, 4] = -1.0
            taken_before = ns_0[n, 5]
        links = (
            eqs, currents, rate_s, whole, room, times, knots, q, z, np.zeros((N_ROWS, z.size)),
            mixed, own, numbers, integers,
        )  # fmt: skip
        if resumed:
            # While it blocks, a diode's voltage goes with that across the synapse at once.
            for a in range(n_all):
                synapse = mine[a] if a < n_in else mine_out[a - n_in]
                if follows[synapse]:
                    before_it = numbers[at, 1 + n_y + n_fs + z.size + a]
                    now_it = across(numbers[at, 0], y_1[n, Y_V_C], a, links)
                    if max(before_it, now_it) < BLOCKING:
                        z[2 * a] += now_it - before_it
        settings[1] = h_max[n]
        table = buffers[slot[n]] if slot[n] >= 0 else scratch
        out = (
            table[0], table[1], table[2], table[3], table[4], table[5], table[6], table[7],
            table[8], spikes[n],
        )  # fmt: skip
        act = active[n, : n_active[n]]
        if model is None:
            status[n] = advance(
                values[n], act, stimulus, y_1[n], fs_1[n], ns_1[n], out, settings, 1 << 40, None,
                links,
            )  # fmt: skip
        else:
            device = (model[0], model[1], q_leak[n], device_room)
            status[n] = advance(
                values[n], act, stimulus, y_1[n], fs_1[n], ns_1[n], out, settings, 1 << 40, device,
                links,
            )  # fmt: skip
        n_knots = ns_1[n, 3]
        counts[new, n] = n_knots
        (rows_of[n], n_spikes[n]) = (n_knots, ns_1[n, 4])
        for a in range(n_in):
            (in_1[mine[a], 0], in_1[mine[a], 1]) = (z[2 * a], z[2 * a + 1])
        for b in range(n_out):
            a = n_in + b
            (out_1[mine_out[b], 0], out_1[mine_out[b], 1]) = (z[2 * a], z[2 * a + 1])
        level = values[n, P_V_LEVEL]
        n_corners[new, n] = _find_corners(
            own[0], own[1], own[2], n_knots, level, values[n, P_V_OH] - level, corners[new, n]
        )
        if n_corners[new, n] > 0 or own[1][0] > level + RISEN * (values[n, P_V_OH] - level):
            pulsing[n] = True
        for c in range(n_knots):
            lowest[n] = min(lowest[n], own[3][c])
        steps[n] = ns_1[n, 5] - taken_before

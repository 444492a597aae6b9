"""One neuron of an `ideal` network through a window, by itself.

The method of `spicealif.reference.kernel`, with the exact decay of the synaptic currents as part of
the source. It takes what the lanes do not: models of devices other than the MMS, sines, and neurons
whose traces are kept.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.network.reference.lanes import (
    C_INV,
    D_0,
    D_1,
    DIVERGED,
    FINE,
    G_0,
    G_1,
    LOG_K,
    STALLED,
    T_REF,
    TAU,
    U_MAX,
    U_ON,
    V_RESET,
    V_REST,
    V_TH,
    VT_INV,
    Arrivals,
    K,
)
from spicealif.reference.device import Device
from spicealif.reference.equations import membrane, rates, rk4, sine_sum, slope
from spicealif.reference.kernel import EVENTS_PER_STEP, MAX_ITERATIONS, _first_root

__all__ = ["N_STATE", "ROOM", "advance_one"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

# A neuron's floats: v_c, x, when v_c is let go, last spike, start within the grid step; from
# CURRENTS on its synaptic currents.
V, X, T_HELD, T_LAST, S, CURRENTS = range(6)
N_STATE = 5
# Its integers: grid step, piece, next arrival, held, events in the grid step, status, steps, rows,
# spikes.
J, PIECE, NEXT, HELD, EVENTS, STATUS, STEPS, ROWS, SPIKES = range(9)
N_INTS = 9
#: Rows and spikes that must fit before a step.
ROOM = 6


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _current(
    p: float,
    after: float,
    piece: tuple[float, float, float],
    sines: FloatArray,
    currents: FloatArray,
    taus: FloatArray,
) -> float:
    """Return the current p after the piece's start, `after` after that of the step."""
    i = piece[1] + piece[2] * p
    if sines.shape[0] > 0:
        i += sine_sum(piece[0] + p, sines)
    for k in range(taus.size):
        i += currents[k] * math.exp(-after / taus[k])
    return float(i)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def advance_one(  # noqa: PLR0912, PLR0915 - one state machine, as in `spicealif.reference.kernel`
    begins: bool,
    slot: int,
    par: FloatArray,
    taus: FloatArray,
    pieces: FloatArray,
    sines: FloatArray,
    fs: FloatArray,
    ns: IntArray,
    arrivals: Arrivals,
    j_end: int,
    h: float,
    spikes: FloatArray,
    rows: FloatArray,
    device: Device | None,
) -> bool:
    """Take a neuron through a window.

    Parameters
    ----------
    begins : bool
        Whether the window begins; False to go on after there was too little room.
    slot : int
        Its place among the arrivals.
    par, taus : array
        Its row of those of `lanes.advance_blocks`; with a device d_0 is R_s.
    pieces : array
        Its own; closed by a row at infinity.
    sines : array, shape (S, 4)
        Amplitude, angular frequency, phase, start.
    fs, ns : array
        Its state.
    arrivals, j_end, h
        As of `lanes.advance_blocks`.
    spikes : array
        Times; ns[SPIKES] of them are there.
    rows : array, shape (n, 4)
        Time, v_c, v_mem, x; ns[ROWS] of them are there. Of no room where no traces are kept.
    device : Device or None
        See `spicealif.reference.device`.

    Returns
    -------
    bool
        False if there is too little room for spikes or rows.
    """
    (arrive, time, which, size) = arrivals
    w = (par[U_ON], par[VT_INV], par[K], par[TAU], par[U_MAX], par[LOG_K])
    v_th = par[V_TH]
    currents = fs[CURRENTS:]
    if begins:
        ns[NEXT] = arrive[slot]
    (v, x, s, j) = (fs[V], fs[X], fs[S], ns[J])
    (held, k_piece) = (ns[HELD] == 1, ns[PIECE])
    traced = rows.shape[0] > 0
    (stale, done) = (True, False)
    (m, kv, kx, md, i_0) = (0.0, 0.0, 0.0, 0.0, 0.0)
    piece = (pieces[k_piece, 0], pieces[k_piece, 1], pieces[k_piece, 2])
    leak = (par[V_REST], par[D_0], par[D_1], par[G_0], par[G_1], 0.0, 0.0)
    if traced and ns[ROWS] == 0 and j == 0:
        m = membrane(v, x, leak, device)
        (rows[0, 0], rows[0, 1], rows[0, 2], rows[0, 3]) = (0.0, v, m, x)
        ns[ROWS] = 1
    while ns[STATUS] == FINE:
        if ns[SPIKES] > spikes.size - ROOM or (traced and ns[ROWS] > rows.shape[0] - ROOM):
            break
        t = j * h + s
        stop = pieces[k_piece + 1, 0]
        if ns[NEXT] < arrive[slot + 1]:
            stop = min(stop, time[ns[NEXT]])
        if held:
            stop = min(stop, fs[T_HELD])
        if stop <= t:
            ns[EVENTS] += 1
            stale = True
            v_before = v
            if held and fs[T_HELD] <= t:
                held = False
            elif pieces[k_piece + 1, 0] <= t:
                k_piece += 1
                piece = (pieces[k_piece, 0], pieces[k_piece, 1], pieces[k_piece, 2])
            else:
                while ns[NEXT] < arrive[slot + 1] and time[ns[NEXT]] <= t:
                    if which[ns[NEXT]] >= 0:
                        currents[which[ns[NEXT]]] += size[ns[NEXT]]
                    elif not held:
                        v += size[ns[NEXT]]
                    ns[NEXT] += 1
            if traced and v != v_before:
                row = ns[ROWS]
                m = membrane(v, x, leak, device)
                (rows[row, 0], rows[row, 1]) = (np.nextafter(rows[row - 1, 0], np.inf), v)
                (rows[row, 2], rows[row, 3]) = (m, x)
                ns[ROWS] += 1
            continue
        if stale:
            c_inv = 0.0 if held else par[C_INV]
            leak = (par[V_REST], par[D_0], par[D_1], par[G_0], par[G_1], c_inv, 0.0)
            i_0 = _current(t - piece[0], 0.0, piece, sines, currents, taus)
            m, kv, kx = rates(v, x, i_0, leak, w, device)
            md = slope(m, x, kv, kx, leak, device)
            stale = False
        length = 0.0
        crossed = not held and m >= v_th
        if j == j_end and not crossed:
            done = True
            break
        if not crossed:
            last = not stop < (j + 1) * h
            length = (j + 1) * h - t if last else stop - t
            p = t - piece[0]
            i = (
                i_0,
                _current(p + 0.5 * length, 0.5 * length, piece, sines, currents, taus),
                _current(p + length, length, piece, sines, currents, taus),
            )
            v_1, x_1, _ = rk4((v, x), (kv, kx), i, length, (leak, w), device)
            m_1, kv_1, kx_1 = rates(v_1, x_1, i[2], leak, w, device)
            md_1 = slope(m_1, x_1, kv_1, kx_1, leak, device)
            ns[STEPS] += 1
            if not held:
                (g, g_end, third) = (m - v_th, m_1 - v_th, length * (1.0 / 3.0))
                (b_1, b_2) = (g + third * md, g_end - third * md_1)
                if g_end >= 0.0 or b_1 >= 0.0 or b_2 >= 0.0:
                    root = _first_root(g, b_1, b_2, g_end)
                    if root >= 0.0:
                        # Newton's iteration on the step's length; see `_shorten` there.
                        crossed = True
                        full = length
                        estimate = root * full
                        (length, low, n) = (estimate, 0.0, 0)
                        while True:
                            i = (
                                i_0,
                                _current(
                                    p + 0.5 * length, 0.5 * length, piece, sines, currents, taus
                                ),
                                _current(p + length, length, piece, sines, currents, taus),
                            )
                            v_1, x_1, _ = rk4((v, x), (kv, kx), i, length, (leak, w), device)
                            if n > MAX_ITERATIONS:
                                break
                            m_1, kv_1, kx_1 = rates(v_1, x_1, i[2], leak, w, device)
                            rise = slope(m_1, x_1, kv_1, kx_1, leak, device)
                            step = (v_th - m_1) / rise if rise > 0.0 else math.inf
                            if abs(step) <= 1e-9 * full:
                                after = min(length + step, full)
                                v_1 += (after - length) * kv_1
                                x_1 += (after - length) * kx_1
                                length = after
                                break
                            n += 1
                            if n == MAX_ITERATIONS or not rise > 0.0:
                                (n, length) = (MAX_ITERATIONS + 1, estimate)
                                continue
                            if m_1 < v_th:
                                low = max(low, length)
                            length = min(
                                length + step if length + step > low else 0.5 * (low + length), full
                            )
            (v, x) = (v_1, x_1)
            for k in range(taus.size):
                currents[k] *= math.exp(-length / taus[k])
            if not crossed:
                (i_0, m, kv, kx, md) = (i[2], m_1, kv_1, kx_1, md_1)
                if last:
                    (j, s) = (j + 1, 0.0)
                    ns[EVENTS] = 0
                else:
                    s = stop - j * h
                if not math.isfinite(v):
                    ns[STATUS] = DIVERGED
                if traced:
                    row = ns[ROWS]
                    t = j * h + s
                    if t > rows[row - 1, 0]:
                        (rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3]) = (t, v, m, x)
                        ns[ROWS] += 1
                continue
        s = min(s + length, h)
        t = j * h + s
        ns[EVENTS] += 1
        spikes[ns[SPIKES]] = t
        ns[SPIKES] += 1
        if t <= fs[T_LAST] or ns[EVENTS] > EVENTS_PER_STEP:
            ns[STATUS] = STALLED
        fs[T_LAST] = t
        for k in range(2 if traced else 0):
            row = ns[ROWS]
            if k == 0 and t <= rows[row - 1, 0]:
                continue
            v_row = v if k == 0 else par[V_RESET]
            m = membrane(v_row, x, leak, device)
            rows[row, 0] = t if k == 0 else np.nextafter(rows[row - 1, 0], np.inf)
            (rows[row, 1], rows[row, 2], rows[row, 3]) = (v_row, m, x)
            ns[ROWS] += 1
        v = par[V_RESET]
        if par[T_REF] > 0.0:
            (held, fs[T_HELD]) = (True, t + par[T_REF])
        stale = True
    (fs[V], fs[X], fs[S]) = (v, x, s)
    (ns[J], ns[PIECE], ns[HELD]) = (j, k_piece, 1 if held else 0)
    return done or ns[STATUS] != FINE

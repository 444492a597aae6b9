"""Compiled fixed-step RK4 kernel of the reference neuron, with events located inside the step.

The state is (v_c, x). For the MMS model, with G = x/R_on + (1 - x)/R_off::

    v_mem  = (v_c - v_rest) / (1 + R_s G)
    dv_c/dt = (i_in - v_mem G - g_switch v_c) / C
    dx/dt  = (s_on (1 - x) - p_off x) / tau

With a = exp((V_on - v_mem)/V_T) and K = exp((V_on + V_off)/V_T) both switching probabilities
share one exponential: s_on = 1/(1 + a), p_off = a/(a + K). This holds for any sign of V_on and
V_off. Where a or K would leave the range of a double, the two are evaluated apart. Other models:
see `equations`.

A step ends on every corner of the stimulus. A threshold crossing is found with the cubic Hermite
interpolant of v_mem over the step, then refined on the RK4 step itself, shortened until its end
lies on the threshold: state and source energy at an event keep the order 4.

With metastable switches (`switches`) every step is followed by a draw that puts x where the
switches are; a jump of x over the threshold is an event of the step that begins there.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.reference.device import Device
from spicealif.reference.equations import (
    SIXTH,
    Coefficients,
    FloatArray,
    Numbers,
    Pair,
    Triple,
    membrane,
    rates,
    rk4,
    sine_sum,
    slope,
    source_current,
)
from spicealif.reference.switches import Switches, move_switches

__all__ = ["DONE", "PAUSED", "ROWS_PER_STEP", "STALLED", "advance"]

IntArray: TypeAlias = npt.NDArray[np.int64]
# t_piece, i_piece, slope_piece, n_piece (steps in each piece), sines
Stimulus: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]
# rows of time, v_c, v_mem, x, energy and spike level; spike times
Buffers: TypeAlias = tuple[npt.NDArray[Any], ...]

# What `advance` reports.
DONE, PAUSED, STALLED = 0, 1, 2

# Phases of the neuron. The ideal variant uses INTEGRATE and HELD.
INTEGRATE, DELAY_ON, DISCHARGE, DELAY_OFF, HELD = 0, 1, 2, 3, 4

# A buffer must have room for this many rows: the first one, and two at an event.
ROWS_PER_STEP = 3
# More events within one grid step mean that the step is far too long or the neuron is stuck.
EVENTS_PER_STEP = 10_000
MAX_ITERATIONS = 12

# Sizes of the state arrays.
N_FLOAT_STATE, N_INT_STATE = 12, 9


@njit(cache=True, error_model="numpy")
def _first_root(g_0: float, b_1: float, b_2: float, g_1: float) -> float:
    """Return where the cubic with these Bezier ordinates first rises through 0 in (0, 1], or -1.

    The cubic is negative at 0. The first of the monotonic parts between its extrema that ends at
    or above 0 holds the root.
    """
    c_1 = 3.0 * (b_1 - g_0)
    c_2 = 3.0 * (b_2 - 2.0 * b_1 + g_0)
    c_3 = g_1 - g_0 + 3.0 * (b_1 - b_2)
    (e_1, e_2) = (2.0, 2.0)
    disc = c_2 * c_2 - 3.0 * c_3 * c_1
    if disc > 0.0:
        z = -(c_2 + math.copysign(math.sqrt(disc), c_2))
        # the two roots of c_1 + 2 c_2 s + 3 c_3 s^2, without cancellation
        r_1 = c_1 / z if z != 0.0 else 2.0
        r_2 = z / (3.0 * c_3) if c_3 != 0.0 else 2.0
        e_1 = min(r_1 if r_1 > 0.0 else 2.0, r_2 if r_2 > 0.0 else 2.0)
        e_2 = max(r_1, r_2)
    (lo, hi) = (0.0, -1.0)
    for end in (e_1, e_2, 1.0):
        if end <= lo or end > 1.0:
            continue
        p = g_1 if end == 1.0 else g_0 + end * (c_1 + end * (c_2 + end * c_3))
        if p >= 0.0:
            hi = end
            break
        lo = end
    if hi < 0.0:
        return -1.0
    s = 0.5 * (lo + hi)
    for _ in range(200):
        p = g_0 + s * (c_1 + s * (c_2 + s * c_3))
        (lo, hi) = (s, hi) if p < 0.0 else (lo, s)
        slope = c_1 + s * (2.0 * c_2 + s * 3.0 * c_3)
        nxt = s - p / slope if slope > 0.0 else -1.0
        nxt = nxt if lo < nxt < hi else 0.5 * (lo + hi)  # bisect where Newton leaves the bracket
        if abs(nxt - s) <= 1e-16 or p == 0.0:
            break
        s = nxt
    return s


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _shorten(
    estimate: float,
    h: float,
    y: Pair,
    k1: Pair,
    i_0: float,
    p: float,
    watch: Pair,
    piece: Triple,
    sines: FloatArray,
    coefficients: Coefficients,
    device: Device | None,
) -> tuple[float, float, float, float]:
    """Return length, v_c, x and energy of the RK4 step from p that ends on the threshold.

    The estimate of the Hermite cubic is off by O(h^4); Newton's iteration on the RK4 step itself
    removes that error. Where it does not converge (v_mem only touches the threshold), the
    estimate stands.
    """
    (sign, offset) = watch
    (leak, w) = coefficients
    (length, lo, n) = (estimate, 0.0, 0)
    while True:
        i = (
            i_0,
            source_current(p + 0.5 * length, piece, sines),
            source_current(p + length, piece, sines),
        )
        v_1, x_1, e_1 = rk4(y, k1, i, length, coefficients, device)
        if n > MAX_ITERATIONS:
            return length, v_1, x_1, e_1
        m, kv, kx = rates(v_1, x_1, i[2], leak, w, device)
        g = sign * m - offset
        rise = sign * slope(m, x_1, kv, kx, leak, device)
        step = -g / rise if rise > 0.0 else math.inf
        if abs(step) <= 1e-9 * h:
            # the last correction is far below the error of a linear update
            length = min(length + step, h)
            return length, v_1 + step * kv, x_1 + step * kx, e_1 + step * v_1 * i[2]
        n += 1
        if n == MAX_ITERATIONS or not rise > 0.0:
            (n, length) = (MAX_ITERATIONS + 1, estimate)
            continue
        if g < 0.0:
            lo = max(lo, length)
        length = min(length + step if length + step > lo else 0.5 * (lo + length), h)


@njit(cache=True, error_model="numpy")
def _write(out: Buffers, row: int, values: Numbers, level: int) -> int:
    """Write time, v_c, v_mem, x, energy and level to a row; return the number of rows."""
    (out[0][row], out[1][row], out[2][row], out[3][row], out[4][row]) = values
    out[5][row] = level
    return row + 1


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def advance(  # noqa: PLR0912, PLR0915 - one state machine, in one loop for its speed
    par: FloatArray,
    stimulus: Stimulus,
    fs: FloatArray,
    ns: IntArray,
    out: Buffers,
    max_steps: int,
    device: Device | None,
    switches: Switches | None,
) -> int:
    """Integrate until the end, a full buffer or `max_steps` steps.

    Parameters
    ----------
    par : array
        c_inv, v_rest, d_0, d_1, g_0, g_1 (v_mem = (v_c - v_rest)/(d_0 + d_1 x), G = g_0 + g_1 x;
        with a device d_0 is R_s), the six of `equations.mms_switching`, v_th, v_low, v_reset,
        t_ref, g_ds, delay_on, delay_off, h_discharge, schmitt (0 or 1).
    stimulus : tuple of arrays
        See `Stimulus`.
    fs, ns : array
        The state to resume from, updated on return. fs: v_c, x, energy, v_mem, its derivative,
        dv_c/dt, dx/dt, i_in, offset in the grid step, time of the timed event, time of the last
        row, time of the last spike. ns: piece, grid step, phase, steps until the next row,
        events in this grid step, rows, spikes, stride, steps taken. A new run has grid step -1.
    out : tuple of arrays
        See `Buffers`; rows ns[5] and spikes ns[6] onwards are written.
    max_steps : int
        Steps to take at most.
    device : Device or None
        The leak's device (`spicealif.reference.device`); None for the MMS model and the resistor.
    switches : Switches or None
        The metastable switches to draw (`spicealif.reference.switches`); None for their mean.

    Returns
    -------
    int
        DONE, STALLED, or PAUSED (a buffer is full or the steps are taken).
    """
    (t_piece, i_piece, slope_piece, n_piece, sines) = stimulus
    (out_t, out_v, out_m, out_x, out_e, out_level, out_spike) = out
    (c_inv, v_rest, d_0, d_1, g_0, g_1) = (par[0], par[1], par[2], par[3], par[4], par[5])
    w = (par[6], par[7], par[8], par[9], par[10], par[11])
    (v_th, v_low, v_reset, t_ref) = (par[12], par[13], par[14], par[15])
    (g_ds, delay_on, delay_off, h_discharge) = (par[16], par[17], par[18], par[19])
    schmitt = par[20] != 0.0
    (v, x, energy, m, md, kv) = (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5])
    (kx, i_0, s, t_event, t_row, t_last) = (fs[6], fs[7], fs[8], fs[9], fs[10], fs[11])
    (k, j, phase, wait) = (ns[0], ns[1], ns[2], ns[3])
    (events, row, spike, stride) = (ns[4], ns[5], ns[6], ns[7])
    (n_pieces, n_sines) = (n_piece.size, sines.shape[0])
    (row_limit, n_spikes) = (out_t.size - ROWS_PER_STEP, out_spike.size)
    (status, left, t_stop) = (DONE, max_steps, t_piece[n_pieces])
    entered = True  # a new piece or phase (or call): the constants that depend on it must be set
    fresh = j < 0  # a new piece or an event: the derivatives at the start of the step are stale
    (piece, h, n) = ((0.0, 0.0, 0.0), 0.0, np.int64(0))
    (leak, sign, offset) = ((v_rest, d_0, d_1, g_0, g_1, c_inv, 0.0), 0.0, 1.0)
    while k < n_pieces:
        if entered:
            piece = (t_piece[k], i_piece[k], slope_piece[k])
            n = n_piece[k]
            h = (t_piece[k + 1] - t_piece[k]) / n
            # sign*v_mem - offset rises through 0 at the crossing watched for; else it is -1
            sign = 1.0 if phase == INTEGRATE else (-1.0 if phase == DISCHARGE else 0.0)
            offset = v_th if phase == INTEGRATE else (-v_low if phase == DISCHARGE else 1.0)
            c_eff = 0.0 if phase == HELD else c_inv
            g_switch = g_ds if phase in (DISCHARGE, DELAY_OFF) else 0.0
            leak = (v_rest, d_0, d_1, g_0, g_1, c_eff, g_switch)
            entered = False
        if fresh:
            j = max(j, 0)
            i_0 = source_current(j * h + s, piece, sines)
            m, kv, kx = rates(v, x, i_0, leak, w, device)
            md = slope(m, x, kv, kx, leak, device)
            if row == 0:
                (row, t_row, wait) = (_write(out, 0, (0.0, v, m, x, 0.0), 0), 0.0, stride)
            fresh = False
        if left <= 0 or row > row_limit or spike >= n_spikes:
            status = PAUSED
            break
        p = j * h
        g = sign * m - offset
        crossed = g >= 0.0  # already beyond the threshold as the phase began
        (timed, length) = (False, 0.0)
        if not crossed:
            length = h - s
            last = True  # this step ends on the grid
            if phase != INTEGRATE:
                if phase != DISCHARGE:
                    due = max(t_event - (piece[0] + (p + s)), 0.0)
                    timed = due <= length
                    length = min(due, length)
                if phase in (DISCHARGE, DELAY_OFF) and length > h_discharge:
                    length = length / math.ceil(length / h_discharge)
                    timed = last = False
            p_1 = p + h if last and not timed else p + s + length
            p_m = p + (s + 0.5 * length)
            i_m = piece[1] + piece[2] * p_m
            i_1 = piece[1] + piece[2] * p_1
            # not by `source_current`, which counts references to the array each time
            if n_sines > 0:
                i_m += sine_sum(piece[0] + p_m, sines)
                i_1 += sine_sum(piece[0] + p_1, sines)
            v_1, x_1, e_1 = rk4((v, x), (kv, kx), (i_0, i_m, i_1), length, (leak, w), device)
            m_1, kv_1, kx_1 = rates(v_1, x_1, i_1, leak, w, device)
            md_1 = slope(m_1, x_1, kv_1, kx_1, leak, device)
            left -= 1
            # A cubic lies in the hull of its Bezier ordinates: all below 0, no crossing.
            g_end = sign * m_1 - offset
            third = 2.0 * SIXTH * length * sign
            (b_1, b_2) = (g + third * md, g_end - third * md_1)
            if g_end >= 0.0 or b_1 >= 0.0 or b_2 >= 0.0:
                root = _first_root(g, b_1, b_2, g_end)
                if root >= 0.0:
                    crossed = True
                    (at, y, k1) = (root * length, (v, x), (kv, kx))
                    length, v_1, x_1, e_1 = _shorten(
                        at, length, y, k1, i_0, p + s, (sign, offset), piece, sines, (leak, w),
                        device,
                    )  # fmt: skip
            if switches is not None:
                if crossed:
                    i_1 = source_current(p + s + length, piece, sines)
                    m_1, kv_1, kx_1 = rates(v_1, x_1, i_1, leak, w, device)
                    md_1 = slope(m_1, x_1, kv_1, kx_1, leak, device)
                m_m = 0.5 * (m + m_1) + 0.125 * length * (md - md_1)  # Hermite's cubic
                x_1 = move_switches(x, (m, m_m, m_1), length, w, switches)
                m_1, kv_1, kx_1 = rates(v_1, x_1, i_1, leak, w, device)
                md_1 = slope(m_1, x_1, kv_1, kx_1, leak, device)
            (v, x) = (v_1, x_1)
            energy += e_1
            if not crossed and not timed:
                (i_0, m, kv, kx, md) = (i_1, m_1, kv_1, kx_1, md_1)
                if not last:
                    s += length
                    continue
                (j, s, events, wait) = (j + 1, 0.0, 0, wait - 1)
                if wait == 0 or j == n:
                    t = t_piece[k + 1] if j == n else piece[0] + j * h
                    if t > t_row:
                        u = np.uint64(row)  # unsigned: no code for indices below 0
                        (out_t[u], out_v[u], out_m[u]) = (t, v, m)
                        (out_x[u], out_e[u]) = (x, energy)
                        out_level[u] = 0 if phase in (INTEGRATE, DELAY_ON) else 1
                        (row, t_row) = (row + 1, t)
                    wait = stride
                if j == n:
                    (k, j) = (k + 1, -1)
                    entered = fresh = True
                continue
        # An event, at the time s + length after the grid point.
        s = min(s + length, h)
        t = t_event if timed and not crossed else piece[0] + (p + s)
        events += 1
        m = membrane(v, x, leak, device)
        fired = phase == DELAY_ON
        level = 1 if phase in (DISCHARGE, DELAY_OFF, HELD) else 0
        v_after = v
        if phase == INTEGRATE:
            fired = not schmitt or delay_on == 0.0
            phase = DISCHARGE if schmitt else INTEGRATE
            if schmitt and delay_on > 0.0:
                (phase, t_event) = (DELAY_ON, t + delay_on)
            elif not schmitt:
                (level, v_after) = (1, v_reset)
                if t_ref > 0.0:
                    (phase, t_event) = (HELD, t + t_ref)
        elif phase == DELAY_ON:
            phase = DISCHARGE
        elif phase == DISCHARGE and delay_off > 0.0:
            (phase, t_event) = (DELAY_OFF, t + delay_off)
        else:
            phase = INTEGRATE
        if t > t_row:
            (row, t_row) = (_write(out, row, (t, v, m, x, energy), level), t)
        elif level == 1:  # the row of this very instant is there already
            out_level[row - 1] = 1
        v = v_after
        t_after = np.nextafter(t_row, np.inf)
        if phase not in (DELAY_ON, DELAY_OFF) and t_after <= t_stop:
            m = membrane(v, x, leak, device)
            level = 1 if phase in (DISCHARGE, HELD) else 0
            (row, t_row) = (_write(out, row, (t_after, v, m, x, energy), level), t_after)
        if fired:
            out_spike[spike] = t
            spike += 1
            events = EVENTS_PER_STEP + 1 if t <= t_last else events
            t_last = t
        if events > EVENTS_PER_STEP:
            status = STALLED
            break
        entered = fresh = True
    (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5]) = (v, x, energy, m, md, kv)
    (fs[6], fs[7], fs[8], fs[9], fs[10], fs[11]) = (kx, i_0, s, t_event, t_row, t_last)
    (ns[0], ns[1], ns[2], ns[3], ns[4]) = (k, j, phase, wait, events)
    (ns[5], ns[6], ns[8]) = (row, spike, ns[8] + max_steps - left)
    return status

"""Compiled stiff integrator of the circuit's equations: RODAS, with located events.

RODAS is the Rosenbrock method of order 4 with an embedded error estimate of order 3 by Hairer and
Wanner ("Solving Ordinary Differential Equations II", 1996, section IV.7, coefficients of their
code RODAS): L-stable, one Jacobian and one LU decomposition a step, no iteration. There is thus no
Newton start that could land on the wrong branch of the Schmitt trigger, which is how SPICE comes
to fire early.

Steps end on every corner of the stimulus. A sharp comparator's crossing is bracketed by steps of
the method itself, shortened until they end on the threshold; so is a spike of a smooth one.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._compiled import njit
from spicealif.circuit.layout import (
    COMPARATOR_SHARP,
    N_STATES,
    P_C,
    P_COMPARATOR,
    P_G_SWITCH,
    P_K_TANH,
    P_KP,
    P_POLE,
    P_RESET,
    P_T_HOLD,
    P_V_HIGH,
    P_V_LOW,
    P_V_OH,
    P_V_OL,
    P_V_RESET,
    P_V_SWITCH,
    P_V_TO,
    P_VDMOS,
    P_WAIT,
    Y_T1,
    Y_V_C,
    Y_V_GD,
    Y_X,
)
from spicealif.circuit.rates import rates
from spicealif.reference.device import Device

__all__ = [
    "DONE",
    "N_FLOAT_STATE",
    "N_INT_STATE",
    "N_WORK",
    "PAUSED",
    "STALLED",
    "advance",
    "jacobian",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
# t_piece, i_piece, slope_piece, sines
Stimulus: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
# rows of time, v_c, v_mem, x, spike voltage and energy; spike times
Buffers: TypeAlias = tuple[FloatArray, ...]

# What `advance` reports.
DONE, PAUSED, STALLED = 0, 1, 2

# Sizes of the arrays that carry the state, and of the work space: f at the start and at the end,
# the new state, its argument, right sides, six stages; then Jacobian and LU.
N_FLOAT_STATE, N_INT_STATE = 6, 9
N_WORK = 11 * N_STATES + 2 * N_STATES * N_STATES
# The shortest step; below it the circuit has no solution that doubles could follow.
H_MIN = 1e-19
# Length of the first step after an event and after a corner.
H_EVENT, H_CORNER = 1e-12, 1e-9
EVENTS_AT_ONCE = 100

# Difference in V (or of x) for the Jacobian.
DIFFERENCE = 1e-5
GAMMA = 0.25
A_21 = 1.544
A_31, A_32 = 0.9466785280815826, 0.2557011698983284
A_41, A_42, A_43 = 3.314825187068521, 2.896124015972201, 0.9986419139977817
A_51, A_52, A_53, A_54 = (
    1.221224509226641,
    6.019134481288629,
    12.53708332932087,
    -0.6878860361058950,
)
C_21 = -5.6688
C_31, C_32 = -2.430093356833875, -0.2063599157091915
C_41, C_42, C_43 = -0.1073529058151375, -9.594562251023355, -20.47028614809616
C_51, C_52, C_53, C_54 = (
    7.496443313967647,
    -10.24680431464352,
    -33.99990352819905,
    11.70890893206160,
)
C_61, C_62, C_63, C_64, C_65 = (
    8.083246795921522,
    -7.981132988064893,
    -31.52159432874371,
    16.31930543123136,
    -6.058818238834054,
)
ALPHA_2, ALPHA_3, ALPHA_4 = 0.386, 0.21, 0.63
D_1, D_2, D_3, D_4 = 0.25, -0.1043, 0.1035, -0.03620000000000023


@njit(cache=True, error_model="numpy")
def _drive(s: float, k: int, stimulus: Stimulus) -> tuple[float, float]:
    """Return i_in and its slope at the time s after the start of piece k."""
    (t_piece, i_piece, slope_piece, sines) = stimulus
    (i, slope) = (i_piece[k] + slope_piece[k] * s, slope_piece[k])
    for n in range(sines.shape[0]):
        since = t_piece[k] + s - sines[n, 3]
        angle = sines[n, 1] * max(since, 0.0) + sines[n, 2]
        i += sines[n, 0] * math.sin(angle)
        if since >= 0.0:
            slope += sines[n, 0] * sines[n, 1] * math.cos(angle)
    return i, slope


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def jacobian(
    y: FloatArray,
    i_in: float,
    output: float,
    p: FloatArray,
    active: IntArray,
    f: FloatArray,
    arg: FloatArray,
    g: FloatArray,
    f_low: FloatArray,
    jac: FloatArray,
    device: Device | None,
) -> None:
    """Fill `jac` with differences of the rates, for the active states.

    All rates but one are nearly linear over a difference of 10 uV, which has to be that large
    because a drain resistance of 1 mohm magnifies rounding. The one is that of the comparator's
    first pole, whose tanh may be only microvolts wide; but its argument u is linear, so that its
    part is taken out of the differences and its derivative put in.
    """
    n = active.size
    arg[:] = y
    (k_tanh, swing) = (p[P_K_TANH], p[P_V_OH] - p[P_V_OL])
    u = rates(y, i_in, output, p, g, device)[3]
    s = math.tanh(k_tanh * u)
    slope = 0.5 * swing / p[P_POLE] * k_tanh * (1.0 - s * s)
    for b in range(n):
        j = active[b]
        arg[j] = y[j] + DIFFERENCE
        u_1 = rates(arg, i_in, output, p, g, device)[3]
        delta = arg[j] - y[j]
        if j == Y_V_GD:  # the one stiff capacitance that depends on its own voltage
            (high, arg[j]) = (arg[j], y[j] - DIFFERENCE)
            rates(arg, i_in, output, p, f_low, device)
            for a in range(n):
                jac[a * N_STATES + b] = (g[active[a]] - f_low[active[a]]) / (high - arg[j])
        else:
            for a in range(n):
                i = active[a]
                change = g[i] - f[i]
                if i == Y_T1:
                    change -= 0.5 * swing / p[P_POLE] * (math.tanh(k_tanh * u_1) - s)
                    change += slope * (u_1 - u)
                jac[a * N_STATES + b] = change / delta
        arg[j] = y[j]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _factor(jac: FloatArray, lu: FloatArray, n: int, diagonal: float, pivot: IntArray) -> bool:
    """Decompose ``diagonal I - jac`` with row exchanges; return whether it is regular."""
    for a in range(n):
        for b in range(n):
            lu[a * N_STATES + b] = -jac[a * N_STATES + b]
        lu[a * N_STATES + a] += diagonal
    for c in range(n):
        best, at = abs(lu[c * N_STATES + c]), c
        for a in range(c + 1, n):
            size = abs(lu[a * N_STATES + c])
            if size > best:
                best, at = size, a
        pivot[c] = at
        if not (best > 0.0 and best < math.inf):
            return False
        if at != c:
            for b in range(n):
                (u, v) = (lu[c * N_STATES + b], lu[at * N_STATES + b])
                (lu[c * N_STATES + b], lu[at * N_STATES + b]) = (v, u)
        inverse = 1.0 / lu[c * N_STATES + c]
        for a in range(c + 1, n):
            factor = lu[a * N_STATES + c] * inverse
            lu[a * N_STATES + c] = factor
            if factor != 0.0:
                for b in range(c + 1, n):
                    lu[a * N_STATES + b] -= factor * lu[c * N_STATES + b]
    return True


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _solve(lu: FloatArray, n: int, pivot: IntArray, b: FloatArray) -> None:
    """Solve in place."""
    for c in range(n):
        at = pivot[c]
        if at != c:
            (u, v) = (b[c], b[at])
            (b[c], b[at]) = (v, u)
    for a in range(1, n):
        total = b[a]
        for c in range(a):
            total -= lu[a * N_STATES + c] * b[c]
        b[a] = total
    for a in range(n - 1, -1, -1):
        total = b[a]
        for c in range(a + 1, n):
            total -= lu[a * N_STATES + c] * b[c]
        b[a] = total / lu[a * N_STATES + a]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _step(  # noqa: PLR0912 - six stages, written out
    y: FloatArray,
    s: float,
    h: float,
    k: int,
    stimulus: Stimulus,
    output: float,
    p: FloatArray,
    active: IntArray,
    pivot: IntArray,
    work: FloatArray,
    tol: float,
    device: Device | None,
) -> float:
    """Take one step of length h from the time s in piece k.

    `work` holds f(y) and the Jacobian; the new state goes to its third row.

    Returns
    -------
    float
        The error over the tolerance; infinity if the step has no finite result.
    """
    n = active.size
    (f, new, arg, g) = (work[0:10], work[20:30], work[30:40], work[40:50])
    (k_1, k_2, k_3, k_4) = (work[50:60], work[60:70], work[70:80], work[80:90])
    (k_5, k_6) = (work[90:100], work[100:110])
    (jac, lu) = (work[110:210], work[210:310])
    if not _factor(jac, lu, n, 1.0 / (h * GAMMA), pivot):
        return math.inf
    # The current is the only part of the equations that depends on time itself; its slope acts
    # on v_c through the same factor as the current.
    i_0, slope = _drive(s, k, stimulus)
    rates(y, i_0 + 1.0, output, p, g, device)
    f_t = (g[Y_V_C] - f[Y_V_C]) * slope
    c = 1.0 / h

    for a in range(n):
        k_1[a] = f[active[a]] + (h * D_1 * f_t if active[a] == Y_V_C else 0.0)
    _solve(lu, n, pivot, k_1)

    arg[:] = y
    for a in range(n):
        arg[active[a]] += A_21 * k_1[a]
    i_2, _ = _drive(s + ALPHA_2 * h, k, stimulus)
    rates(arg, i_2, output, p, g, device)
    for a in range(n):
        k_2[a] = g[active[a]] + c * C_21 * k_1[a]
        k_2[a] += h * D_2 * f_t if active[a] == Y_V_C else 0.0
    _solve(lu, n, pivot, k_2)

    for a in range(n):
        arg[active[a]] = y[active[a]] + A_31 * k_1[a] + A_32 * k_2[a]
    i_3, _ = _drive(s + ALPHA_3 * h, k, stimulus)
    rates(arg, i_3, output, p, g, device)
    for a in range(n):
        k_3[a] = g[active[a]] + c * (C_31 * k_1[a] + C_32 * k_2[a])
        k_3[a] += h * D_3 * f_t if active[a] == Y_V_C else 0.0
    _solve(lu, n, pivot, k_3)

    for a in range(n):
        arg[active[a]] = y[active[a]] + A_41 * k_1[a] + A_42 * k_2[a] + A_43 * k_3[a]
    i_4, _ = _drive(s + ALPHA_4 * h, k, stimulus)
    rates(arg, i_4, output, p, g, device)
    for a in range(n):
        k_4[a] = g[active[a]] + c * (C_41 * k_1[a] + C_42 * k_2[a] + C_43 * k_3[a])
        k_4[a] += h * D_4 * f_t if active[a] == Y_V_C else 0.0
    _solve(lu, n, pivot, k_4)

    for a in range(n):
        arg[active[a]] = (
            y[active[a]] + A_51 * k_1[a] + A_52 * k_2[a] + A_53 * k_3[a] + A_54 * k_4[a]
        )
    i_1, _ = _drive(s + h, k, stimulus)
    rates(arg, i_1, output, p, g, device)
    for a in range(n):
        k_5[a] = g[active[a]] + c * (C_51 * k_1[a] + C_52 * k_2[a] + C_53 * k_3[a] + C_54 * k_4[a])
    _solve(lu, n, pivot, k_5)

    for a in range(n):
        arg[active[a]] += k_5[a]
    rates(arg, i_1, output, p, g, device)
    for a in range(n):
        k_6[a] = g[active[a]] + c * (
            C_61 * k_1[a] + C_62 * k_2[a] + C_63 * k_3[a] + C_64 * k_4[a] + C_65 * k_5[a]
        )
    _solve(lu, n, pivot, k_6)
    new[:] = arg
    total = 0.0
    for a in range(n):
        j = active[a]
        new[j] += k_6[a]
        scale = 1e-2 + max(abs(y[j]), abs(new[j]))
        total += (k_6[a] / scale) ** 2
    error = math.sqrt(total / n) / tol
    return error if error < math.inf else math.inf  # NaN too


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _bracket(
    what: int,
    low: float,
    g_low: float,
    high: float,
    g_high: float,
    y: FloatArray,
    s: float,
    k: int,
    stimulus: Stimulus,
    output: float,
    p: FloatArray,
    active: IntArray,
    pivot: IntArray,
    work: FloatArray,
    tol: float,
    wanted: tuple[float, float],
    device: Device | None,
) -> float:
    """Return the length of the step from s after which ``sign * voltage - level`` is just >= 0.

    `what` is the voltage: 1 for v_d, 2 for the comparator's output; `wanted` is (sign, level).
    Between a length where it is below and one where it is not, by the Illinois method on steps
    of the integrator itself. The new state for that length is left in `work`.
    """
    (new, end) = (work[20:30], work[10:20])
    (sign, level) = wanted
    side = 0
    for _ in range(60):
        if high - low <= 1e-9 * high or high - low <= 1e-15:
            break
        at = (low * g_high - high * g_low) / (g_high - g_low)
        if not (low < at < high):
            at = 0.5 * (low + high)
        _step(y, s, at, k, stimulus, output, p, active, pivot, work, tol, device)
        i_in, _ = _drive(s + at, k, stimulus)
        volts = rates(new, i_in, output, p, end, device)
        g = sign * (volts[1] if what == 1 else volts[2]) - level
        if g >= 0.0:
            (high, g_high) = (at, g)
            if g <= 1e-12:
                break
            if side == 1:
                g_low *= 0.5
            side = 1
        else:
            (low, g_low) = (at, g)
            if side == -1:
                g_high *= 0.5
            side = -1
    _step(y, s, high, k, stimulus, output, p, active, pivot, work, tol, device)
    return high


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def advance(  # noqa: PLR0912, PLR0915 - one state machine
    par: FloatArray,
    active: IntArray,
    stimulus: Stimulus,
    y: FloatArray,
    fs: FloatArray,
    ns: IntArray,
    out: Buffers,
    settings: FloatArray,
    max_steps: int,
    device: Device | None,
) -> int:
    """Integrate until the end, a full buffer or `max_steps` steps.

    Parameters
    ----------
    par : array, shape (N_PARAMETERS,)
        The circuit, see `layout`.
    active : array of int
        The states that this circuit has.
    stimulus : tuple of arrays
        See `Stimulus`; sines with angular frequencies.
    y : array, shape (N_STATES,)
        The state, updated.
    fs, ns : array
        Where to resume, updated. fs: time in the piece, step, energy, end of a hold (or -1),
        time of the last row, comparator output of a sharp comparator. ns: piece, sharp
        comparator high, armed for a spike, rows, spikes, steps, rejected steps, discharge to be
        ended by a reset, MOSFET held off by a reset or until the spike.
    out : tuple of arrays
        See `Buffers`.
    settings : array
        Relative tolerance, largest step in s.
    max_steps : int
        Steps to take at most.
    device : Device or None
        See `rates`.

    Returns
    -------
    int
        DONE, STALLED, or PAUSED (a buffer is full or the steps are taken).
    """
    t_piece = stimulus[0]
    (out_t, out_v, out_m, out_x, out_s, out_e, out_spike) = out
    (tol, h_max) = (settings[0], settings[1])
    (s, h, energy, hold, t_row, output) = (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5])
    (k, high, armed, row, spike) = (ns[0], ns[1], ns[2], ns[3], ns[4])
    (falling, off) = (ns[7], ns[8])
    p = par.copy()
    work = np.empty(N_WORK)
    pivot = np.empty(N_STATES, dtype=np.int64)
    (f, end, new, arg, g_work) = (work[0:10], work[10:20], work[20:30], work[30:40], work[40:50])
    jac = work[110:210]
    sharp = p[P_COMPARATOR] == COMPARATOR_SHARP
    wait = p[P_WAIT] != 0.0 and not sharp
    swing = p[P_V_OH] - p[P_V_OL]
    middle = p[P_V_OL] + 0.5 * swing
    arming = middle - 0.25 * swing
    off_level = p[P_V_TO] if p[P_VDMOS] != 0.0 else p[P_V_SWITCH]
    (n_pieces, left, status, at_once) = (t_piece.size - 1, max_steps, DONE, 0)
    (fresh, new_jacobian) = (True, True)
    (m, v_d, v_spike) = (0.0, 0.0, 0.0)
    while k < n_pieces:
        length_of_piece = t_piece[k + 1] - t_piece[k]
        if fresh:
            p[P_C] = math.inf if hold >= 0.0 else par[P_C]
            # The discharge that a reset ends is over: what the gate still has to fall would pull
            # v_c away from v_reset, the faster the smaller the on-resistance.
            (p[P_KP], p[P_G_SWITCH]) = (0.0, 0.0) if off == 1 else (par[P_KP], par[P_G_SWITCH])
            i_in, _ = _drive(s, k, stimulus)
            m, v_d, v_spike, _ = rates(y, i_in, output, p, f, device)
            (fresh, new_jacobian) = (False, True)
            if row == 0:
                (out_t[0], out_v[0], out_m[0], out_x[0]) = (t_piece[k] + s, y[Y_V_C], m, y[Y_X])
                (out_s[0], out_e[0]) = (v_spike, energy)
                (row, t_row) = (1, t_piece[k] + s)
        if left <= 0 or row >= out_t.size - 2 or spike >= out_spike.size:
            status = PAUSED
            break
        # A sharp comparator that is already beyond its threshold switches without a step.
        (sign, level) = (1.0, p[P_V_HIGH]) if high == 0 else (-1.0, -p[P_V_LOW])
        g_0 = sign * v_d - level
        fired = sharp and hold < 0.0 and g_0 >= 0.0
        taken = 0.0
        if not fired:
            rest = length_of_piece - s
            last = True
            h_try = min(h, h_max)
            release = False
            if hold >= 0.0 and hold - (t_piece[k] + s) <= rest:
                (rest, release) = (max(hold - (t_piece[k] + s), 0.0), True)
            if h_try < rest:
                # no crumb of a step at the end
                (last, release) = (False, False)
                h_try = min(h_try, 0.5 * rest)
            else:
                h_try = rest
            if new_jacobian:
                i_in, _ = _drive(s, k, stimulus)
                jacobian(y, i_in, output, p, active, f, arg, g_work, end, jac, device)
                new_jacobian = False
            left -= 1
            if h_try > 0.0:
                error = _step(y, s, h_try, k, stimulus, output, p, active, pivot, work, tol, device)
                factor = max(0.1, min(5.0, 0.9 / max(error, 1e-12) ** 0.25))
                if error > 1.0:
                    ns[6] += 1
                    h = h_try * min(factor, 0.8)
                    if h < H_MIN:
                        status = STALLED
                        break
                    continue
                i_1, _ = _drive(s + h_try, k, stimulus)
                m_1, v_d1, v_spike1, _ = rates(new, i_1, output, p, end, device)
                h = h_try * factor if not last or h_try * factor > h else h
                taken = h_try
                event = 0
                if sharp and hold < 0.0 and sign * v_d1 - level >= 0.0:
                    event = 1
                    taken = _bracket(
                        1, 0.0, g_0, h_try, sign * v_d1 - level, y, s, k, stimulus, output, p,
                        active, pivot, work, tol, (sign, level), device,
                    )  # fmt: skip
                elif not sharp and armed == 1 and v_spike < middle and v_spike1 >= middle:
                    at = _bracket(
                        2, 0.0, v_spike - middle, h_try, v_spike1 - middle, y, s, k, stimulus,
                        output, p, active, pivot, work, tol, (1.0, middle), device,
                    )  # fmt: skip
                    out_spike[spike] = t_piece[k] + (s + at)
                    (spike, armed, falling) = (spike + 1, 0, 1)
                    if wait:
                        taken = at
                        (last, release, off, fresh, h) = (False, False, 0, True, H_EVENT)
                    else:
                        # the spike's own step was only for its time; on with the whole one
                        _step(y, s, h_try, k, stimulus, output, p, active, pivot, work, tol, device)
                elif (
                    not sharp
                    and falling == 1
                    and (p[P_RESET] != 0.0 or p[P_T_HOLD] > 0.0)
                    and v_spike > off_level
                    and v_spike1 <= off_level
                ):
                    event = 2
                    taken = _bracket(
                        2, 0.0, off_level - v_spike, h_try, off_level - v_spike1, y, s, k, stimulus,
                        output, p, active, pivot, work, tol, (-1.0, -off_level), device,
                    )  # fmt: skip
                if event > 0:
                    (last, release) = (False, False)
                i_0, _ = _drive(s, k, stimulus)
                i_m, _ = _drive(s + 0.5 * taken, k, stimulus)
                i_1, _ = _drive(s + taken, k, stimulus)
                m_1, v_d1, v_spike1, _ = rates(new, i_1, output, p, end, device)
                v_0, v_1 = y[Y_V_C], new[Y_V_C]
                v_m = 0.5 * (v_0 + v_1) + 0.125 * taken * (f[Y_V_C] - end[Y_V_C])
                energy += taken / 6.0 * (v_0 * i_0 + 4.0 * v_m * i_m + v_1 * i_1)
                if off == 1 and not wait and v_spike < arming <= v_spike1:
                    (off, fresh) = (0, True)
                y[:] = new
                f[:] = end
                (m, v_d, v_spike) = (m_1, v_d1, v_spike1)
                if v_spike < arming and armed == 0:
                    armed = 1
                    if wait:
                        (off, fresh) = (1, True)
                (s, new_jacobian, at_once) = (s + taken, True, 0)
                t = t_piece[k + 1] if last and not release else t_piece[k] + s
                if t > t_row:
                    (out_t[row], out_v[row], out_m[row]) = (t, y[Y_V_C], m)
                    (out_x[row], out_s[row], out_e[row]) = (y[Y_X], v_spike, energy)
                    (row, t_row) = (row + 1, t)
                if event == 0:
                    if release:
                        (hold, fresh, h) = (-1.0, True, H_EVENT)
                    elif last:
                        (k, s, fresh, h) = (k + 1, 0.0, True, min(h, H_CORNER))
                    continue
            elif release:
                (hold, fresh, h) = (-1.0, True, H_EVENT)
                continue
            else:  # nothing of the piece is left
                (k, s, fresh, h) = (k + 1, 0.0, True, min(h, H_CORNER))
                continue
        # --- an event: a sharp comparator switches, or a smooth one's discharge ends ---
        at_once += 1
        if at_once > EVENTS_AT_ONCE:
            status = STALLED
            break
        if sharp and high == 0:
            (high, output, off) = (1, p[P_V_OH], 0)
            out_spike[spike] = t_piece[k] + s
            spike += 1
        else:
            if sharp:
                (high, output) = (0, p[P_V_OL])
            falling = 0
            if p[P_RESET] != 0.0:
                # The drain moves with v_c, so that the jump itself pushes no charge into the gate.
                y[Y_V_GD] += y[Y_V_C] - p[P_V_RESET]
                y[Y_V_C] = p[P_V_RESET]
                off = 1
            if p[P_T_HOLD] > 0.0:
                hold = t_piece[k] + s + p[P_T_HOLD]
        (fresh, h) = (True, H_EVENT)
        i_in, _ = _drive(s, k, stimulus)
        m, v_d, v_spike, _ = rates(y, i_in, output, p, f, device)
        t_after = np.nextafter(t_row, np.inf)
        (out_t[row], out_v[row], out_m[row]) = (t_after, y[Y_V_C], m)
        (out_x[row], out_s[row], out_e[row]) = (y[Y_X], v_spike, energy)
        (row, t_row) = (row + 1, t_after)
    (fs[0], fs[1], fs[2], fs[3], fs[4], fs[5]) = (s, h, energy, hold, t_row, output)
    (ns[0], ns[1], ns[2], ns[3], ns[4]) = (k, high, armed, row, spike)
    ns[5] += max_steps - left
    (ns[7], ns[8]) = (falling, off)
    return status

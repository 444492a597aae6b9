"""Compiled stiff integrator of the circuit's equations: RODAS, one step of it.

RODAS is the Rosenbrock method of order 4 with an embedded error estimate of order 3 by Hairer and
Wanner ("Solving Ordinary Differential Equations II", 1996, section IV.7, coefficients of their
code RODAS): L-stable, one Jacobian and one LU decomposition a step, no iteration. There is thus no
Newton start that could land on the wrong branch of the Schmitt trigger, which is how SPICE comes
to fire early.

`run` takes the steps. What a step calls is compiled without counting references to arrays
(``_nrt=False``): it makes none, and counting took more time than the arithmetic.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.circuit.layout import (
    N_STATES,
    P_K_TANH,
    P_POLE,
    P_PULL_UP,
    P_V_OH,
    P_V_OL,
    Y_T1,
    Y_V_C,
    Y_V_GD,
)
from spicealif.circuit.partials import has_partials, write_partials
from spicealif.circuit.rates import rates
from spicealif.reference.device import Device

__all__ = [
    "N_WORK",
    "Buffers",
    "FloatArray",
    "IntArray",
    "Stimulus",
    "copy",
    "drive",
    "factor",
    "jacobian",
    "shift",
    "solve",
    "step",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
# t_piece, i_piece, slope_piece, sines
Stimulus: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
# rows of time, v_c, v_mem, x, spike voltage, energy, v_d and the two drops; spike times
Buffers: TypeAlias = tuple[FloatArray, ...]

# Size of the work space: f at the start and at the end, the new state, its argument, right sides,
# six stages; then Jacobian and LU; the output's derivative and what else `linked` keeps.
N_WORK = 15 * N_STATES + 2 * N_STATES * N_STATES

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
# The same as arrays, stage by stage.
A = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [A_21, 0.0, 0.0, 0.0, 0.0],
    [A_31, A_32, 0.0, 0.0, 0.0],
    [A_41, A_42, A_43, 0.0, 0.0],
    [A_51, A_52, A_53, A_54, 0.0],
    [A_51, A_52, A_53, A_54, 1.0],
])  # fmt: skip
C = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [C_21, 0.0, 0.0, 0.0, 0.0],
    [C_31, C_32, 0.0, 0.0, 0.0],
    [C_41, C_42, C_43, 0.0, 0.0],
    [C_51, C_52, C_53, C_54, 0.0],
    [C_61, C_62, C_63, C_64, C_65],
])  # fmt: skip
ALPHA = np.array([0.0, ALPHA_2, ALPHA_3, ALPHA_4, 1.0, 1.0])
D = np.array([D_1, D_2, D_3, D_4, 0.0, 0.0])


@njit(cache=True, _nrt=False, error_model="numpy")
def copy(to: FloatArray, of: FloatArray) -> None:
    """Copy numbers; NumPy's own assignment would count references, and so could not be here."""
    for j in range(of.size):
        to[j] = of[j]


@njit(cache=True, _nrt=False, error_model="numpy")
def drive(s: float, k: int, stimulus: Stimulus) -> tuple[float, float]:
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


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
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
    edge: FloatArray,
    device: Device | None,
) -> tuple[float, float]:
    """Fill `jac` with the rates' derivatives by the active states, `edge` with the output's.

    Those of a circuit of real parts are written out (`partials`), others are differences.

    Of these all but one are nearly linear over a difference of 10 uV, which has to be that large
    because a drain resistance of 1 mohm magnifies rounding. The one is that of the comparator's
    first pole, whose tanh may be only microvolts wide; but its argument u is linear, so that its
    part is taken out of the differences and its derivative put in.

    Returns
    -------
    by_current, by_load : float
        See `partials.write_partials`; NaN of differences.
    """
    if has_partials(p):
        return write_partials(y, p, active, f, jac, edge, device)
    n = active.size
    copy(arg, y)
    (k_tanh, swing) = (p[P_K_TANH], p[P_V_OH] - p[P_V_OL])
    if p[P_PULL_UP] > 0.0:
        swing = 1.0
    _, _, v_spike, u = rates(y, i_in, output, p, g, device)
    s = math.tanh(k_tanh * u)
    slope = 0.5 * swing / p[P_POLE] * k_tanh * (1.0 - s * s)
    for b in range(n):
        j = active[b]
        arg[j] = y[j] + DIFFERENCE
        _, _, v_1, u_1 = rates(arg, i_in, output, p, g, device)
        delta = arg[j] - y[j]
        edge[j] = (v_1 - v_spike) / delta
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
    return math.nan, math.nan


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def shift(jac: FloatArray, lu: FloatArray, n: int, diagonal: float) -> None:
    """Write ``diagonal I - jac``."""
    for a in range(n):
        for b in range(n):
            lu[a * N_STATES + b] = -jac[a * N_STATES + b]
        lu[a * N_STATES + a] += diagonal


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def factor(lu: FloatArray, n: int, pivot: IntArray) -> bool:
    """Decompose a matrix in place with row exchanges; return whether it is regular."""
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


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def solve(lu: FloatArray, n: int, pivot: IntArray, b: FloatArray) -> None:
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


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def step(  # noqa: PLR0912 - six stages, written out
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
    shift(jac, lu, n, 1.0 / (h * GAMMA))
    if not factor(lu, n, pivot):
        return math.inf
    # The current is the only part of the equations that depends on time itself; its slope acts
    # on v_c through the same factor as the current.
    i_0, slope = drive(s, k, stimulus)
    rates(y, i_0 + 1.0, output, p, g, device)
    f_t = (g[Y_V_C] - f[Y_V_C]) * slope
    c = 1.0 / h

    for a in range(n):
        k_1[a] = f[active[a]] + (h * D_1 * f_t if active[a] == Y_V_C else 0.0)
    solve(lu, n, pivot, k_1)

    copy(arg, y)
    for a in range(n):
        arg[active[a]] += A_21 * k_1[a]
    i_2, _ = drive(s + ALPHA_2 * h, k, stimulus)
    rates(arg, i_2, output, p, g, device)
    for a in range(n):
        k_2[a] = g[active[a]] + c * C_21 * k_1[a]
        k_2[a] += h * D_2 * f_t if active[a] == Y_V_C else 0.0
    solve(lu, n, pivot, k_2)

    for a in range(n):
        arg[active[a]] = y[active[a]] + A_31 * k_1[a] + A_32 * k_2[a]
    i_3, _ = drive(s + ALPHA_3 * h, k, stimulus)
    rates(arg, i_3, output, p, g, device)
    for a in range(n):
        k_3[a] = g[active[a]] + c * (C_31 * k_1[a] + C_32 * k_2[a])
        k_3[a] += h * D_3 * f_t if active[a] == Y_V_C else 0.0
    solve(lu, n, pivot, k_3)

    for a in range(n):
        arg[active[a]] = y[active[a]] + A_41 * k_1[a] + A_42 * k_2[a] + A_43 * k_3[a]
    i_4, _ = drive(s + ALPHA_4 * h, k, stimulus)
    rates(arg, i_4, output, p, g, device)
    for a in range(n):
        k_4[a] = g[active[a]] + c * (C_41 * k_1[a] + C_42 * k_2[a] + C_43 * k_3[a])
        k_4[a] += h * D_4 * f_t if active[a] == Y_V_C else 0.0
    solve(lu, n, pivot, k_4)

    for a in range(n):
        arg[active[a]] = (
            y[active[a]] + A_51 * k_1[a] + A_52 * k_2[a] + A_53 * k_3[a] + A_54 * k_4[a]
        )
    i_1, _ = drive(s + h, k, stimulus)
    rates(arg, i_1, output, p, g, device)
    for a in range(n):
        k_5[a] = g[active[a]] + c * (C_51 * k_1[a] + C_52 * k_2[a] + C_53 * k_3[a] + C_54 * k_4[a])
    solve(lu, n, pivot, k_5)

    for a in range(n):
        arg[active[a]] += k_5[a]
    rates(arg, i_1, output, p, g, device)
    for a in range(n):
        k_6[a] = g[active[a]] + c * (
            C_61 * k_1[a] + C_62 * k_2[a] + C_63 * k_3[a] + C_64 * k_4[a] + C_65 * k_5[a]
        )
    solve(lu, n, pivot, k_6)
    copy(new, arg)
    total = 0.0
    for a in range(n):
        j = active[a]
        new[j] += k_6[a]
        scale = 1e-2 + max(abs(y[j]), abs(new[j]))
        total += (k_6[a] / scale) ** 2
    error = math.sqrt(total / n) / tol
    return error if error < math.inf else math.inf  # NaN too

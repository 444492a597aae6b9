"""The reference neuron's equations, compiled: v_mem, the rates of v_c and x, one RK4 step.

The MMS model and the resistor are built in, in the closed form that `kernel` describes; their
`device` is None, and numba leaves the other branch out when it compiles. Every other model comes
as the `device` of `spicealif.reference.device`. Then v_mem is the solution of
``v_mem + R_s i(v_mem, x) = v_c - v_rest``, and its derivative follows from that equation::

    dv_mem/dt = (dv_c/dt - R_s i_x dx/dt) / (1 + R_s i_v)

Order 4 needs a smooth right side. A rate that begins at a threshold voltage like (v - v_on)^alpha
(VTEAM) leaves the spike times at about the order 1 + alpha, at most 4, and one that begins in
proportion (Yakopcic) at the order 2.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.reference.device import Device, solve_branch

__all__ = [
    "membrane",
    "mms_rate",
    "mms_switching",
    "rates",
    "rk4",
    "sine_sum",
    "slope",
    "source_current",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = tuple[float, ...]
Pair: TypeAlias = tuple[float, float]
Triple: TypeAlias = tuple[float, float, float]
# (leak, w). leak: v_rest, d_0, d_1, g_0, g_1, c_inv, g_switch, where v_mem = (v_c - v_rest)/(d_0 +
# d_1 x) and G = g_0 + g_1 x; with a device d_0 is R_s, and d_1, g_0 and g_1 do not count.
# w: see `mms_switching`; with a device it does not count.
Coefficients: TypeAlias = tuple[Numbers, Numbers]

SIXTH = 1.0 / 6.0
# |u| below which exp(u), its square and its product with K are finite if |ln K| <= LOG_K_LIMIT.
U_LIMIT, LOG_K_LIMIT = 340.0, 300.0


@njit(cache=True, error_model="numpy")
def mms_switching(v_on: float, v_off: float, v_t: float, tau: float) -> Numbers:
    """Return what `mms_rate` needs: v_on/V_T, 1/V_T, K, tau, largest |u|, ln K."""
    log_k = (v_on + v_off) / v_t
    safe = abs(log_k) <= LOG_K_LIMIT
    k = math.exp(log_k) if safe else 1.0
    return v_on / v_t, 1.0 / v_t, k, tau, U_LIMIT if safe else -1.0, log_k


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _mms_rate_apart(u: float, log_k: float, x: float, tau: float) -> float:
    """Return dx/dt with each probability from its own exponential; inf becomes 0, never NaN."""
    if tau == math.inf:  # a resistor
        return 0.0
    (s_on, p_off) = (1.0 / (1.0 + math.exp(u)), 1.0 / (1.0 + math.exp(log_k - u)))
    return (s_on * (1.0 - x) - p_off * x) / tau


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def mms_rate(v: float, x: float, w: Numbers) -> float:
    """Return dx/dt of the MMS model at the voltage v; w from `mms_switching`."""
    (u_on, vt_inv, k, tau, u_max, log_k) = w
    u = u_on - v * vt_inv
    if abs(u) < u_max:
        a = math.exp(u)
        (b, c) = (a + k, 1.0 + a)
        return (b * (1.0 - x) - a * c * x) / (tau * (c * b))
    return _mms_rate_apart(u, log_k, x, tau)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def membrane(v: float, x: float, leak: Numbers, device: Device | None) -> float:
    """Return v_mem at v_c = v."""
    if device is None:
        return (v - leak[0]) / (leak[1] + leak[2] * x)
    return solve_branch(v - leak[0], leak[1], x, device)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def rates(v: float, x: float, i: float, leak: Numbers, w: Numbers, device: Device | None) -> Triple:
    """Return v_mem, dv_c/dt and dx/dt."""
    (v_rest, d_0, d_1, g_0, g_1, c_inv, g_switch) = leak
    if device is None:
        m = (v - v_rest) / (d_0 + d_1 * x)
        return m, c_inv * ((i - g_switch * v) - m * (g_0 + g_1 * x)), mms_rate(m, x, w)
    (_, x_rate, q, out) = device
    m = solve_branch(v - v_rest, d_0, x, device)
    return m, c_inv * ((i - g_switch * v) - out[0]), x_rate(m, x, q)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def slope(m: float, x: float, kv: float, kx: float, leak: Numbers, device: Device | None) -> float:
    """Return dv_mem/dt where `rates` has just returned m, kv and kx: the device is left there."""
    if device is None:
        return (kv - m * leak[2] * kx) / (leak[1] + leak[2] * x)
    (r_s, out) = (leak[1], device[3])
    return float((kv - r_s * out[2] * kx) / (1.0 + r_s * out[1]))


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def rk4(
    y: Pair, k1: Pair, i: Triple, h: float, coefficients: Coefficients, device: Device | None
) -> Triple:
    """Return v_c, x and the source energy after one step of length h from y = (v_c, x)."""
    (v, x) = y
    (kv_1, kx_1) = k1
    (i_0, i_m, i_1) = i
    (leak, w) = coefficients
    q = 0.5 * h
    v_2 = v + q * kv_1
    _, kv_2, kx_2 = rates(v_2, x + q * kx_1, i_m, leak, w, device)
    v_3 = v + q * kv_2
    _, kv_3, kx_3 = rates(v_3, x + q * kx_2, i_m, leak, w, device)
    v_4 = v + h * kv_3
    _, kv_4, kx_4 = rates(v_4, x + h * kx_3, i_1, leak, w, device)
    s = h * SIXTH
    return (
        v + s * (kv_1 + 2.0 * (kv_2 + kv_3) + kv_4),
        x + s * (kx_1 + 2.0 * (kx_2 + kx_3) + kx_4),
        s * (v * i_0 + 2.0 * i_m * (v_2 + v_3) + v_4 * i_1),
    )


@njit(cache=True, error_model="numpy")
def sine_sum(t: float, sines: FloatArray) -> float:
    """Return the sum of the sines (amplitude, angular frequency, phase, t_start) at time t."""
    total = 0.0
    for n in range(sines.shape[0]):
        total += sines[n, 0] * math.sin(sines[n, 1] * max(t - sines[n, 3], 0.0) + sines[n, 2])
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def source_current(p: float, piece: Triple, sines: FloatArray) -> float:
    """Return i_in at the time p after the start of the piece (t, i, slope)."""
    (t_k, i_k, slope) = piece
    i = i_k + slope * p
    if sines.shape[0] > 0:
        i += sine_sum(t_k + p, sines)
    return i

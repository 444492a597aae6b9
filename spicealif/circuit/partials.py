"""The partial derivatives of `rates` for a circuit of real parts, written out by hand.

A step of `rodas` needs them once. By differences that is a dozen evaluations of the rates, more
than everything else in a step; here it costs little more than one. Circuits with an ideal part
have fewer states and other equations, and stay with differences (`rodas.jacobian`).
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.circuit.layout import (
    AMPLIFIER_FOUR_RESISTOR,
    COMPARATOR_REAL,
    N_STATES,
    P_AMPLIFIER,
    P_C,
    P_C_GD_MAX,
    P_C_GD_MIN,
    P_C_GS,
    P_C_JO,
    P_COMPARATOR,
    P_COMPARATOR_BIAS_SLOPE,
    P_COMPARATOR_C_IN,
    P_COMPARATOR_I_BIAS,
    P_COMPARATOR_R_OUT,
    P_COMPARATOR_V_OS,
    P_G_0,
    P_G_1,
    P_G_OUT,
    P_G_S,
    P_GAIN,
    P_I_OUT,
    P_I_S,
    P_K_TANH,
    P_KP,
    P_LOADING,
    P_M_TRIODE,
    P_OPAMP_BOTTOM,
    P_OPAMP_C_IN,
    P_OPAMP_GM,
    P_OPAMP_POLE,
    P_OPAMP_R_OUT,
    P_OPAMP_SLEW,
    P_OPAMP_TOP,
    P_OPAMP_V_OS,
    P_POLE,
    P_PULL_UP,
    P_R,
    P_R_A,
    P_R_B,
    P_R_DRAIN,
    P_R_GATE,
    P_R_SOURCE,
    P_TAU,
    P_TURN_OFF,
    P_V_OFF,
    P_V_OH,
    P_V_OL,
    P_V_ON,
    P_V_REF,
    P_V_REST,
    P_V_T,
    P_V_TO,
    P_VDMOS,
    Y_AN,
    Y_AP,
    Y_CP,
    Y_G,
    Y_T1,
    Y_T2,
    Y_V_C,
    Y_V_GD,
    Y_V_GS,
    Y_X,
)
from spicealif.circuit.rates import CLAMP, FORWARD, GMIN, SUBTHRESHOLD, V_J
from spicealif.reference.device import Device, solve_branch

__all__ = ["has_partials", "write_load_partials", "write_partials"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

#: Difference of voltage and state for the rate of a device that is given as a function.
DEVICE_DIFFERENCE = 1e-6


@njit(cache=True, _nrt=False, error_model="numpy")
def has_partials(p: FloatArray) -> bool:
    """Return whether `write_partials` knows a circuit: one whose parts are all real."""
    return bool(
        p[P_AMPLIFIER] == AMPLIFIER_FOUR_RESISTOR
        and p[P_COMPARATOR] == COMPARATOR_REAL
        and p[P_VDMOS] != 0.0
    )


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _channel(v_gs: float, v_gd: float, p: FloatArray) -> tuple[float, float]:
    """Return the derivatives of VDMOS' channel current with respect to v_gs and v_gd."""
    v_ds = v_gs - v_gd
    z = ((v_gs if v_ds >= 0.0 else v_gd) - p[P_V_TO]) / SUBTHRESHOLD
    if z > 0.0:
        e = math.exp(-z)
        (over, part) = (z + math.log1p(e), 1.0 / (1.0 + e))
    else:
        e = math.exp(z)
        (over, part) = (math.log1p(e), e / (1.0 + e))
    over *= SUBTHRESHOLD
    (kp, m) = (p[P_KP], p[P_M_TRIODE])
    v = m * abs(v_ds)
    (by_over, by_v) = (kp * over, 0.0) if over <= v else (kp * v, kp * (over - v))
    by_gate = by_over * part + by_v * m
    if v_ds >= 0.0:
        return by_gate, -by_v * m
    return by_v * m, -by_gate


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _diode_slopes(v: float, p: FloatArray) -> tuple[float, float]:
    """Return the derivatives of the body diode's current and capacitance."""
    v_t = p[P_V_T]
    if v >= -3.0 * v_t:
        by_i = p[P_I_S] / v_t * math.exp(v / v_t) if v < 500.0 * v_t else 0.0
    else:
        by_i = 3.0 * p[P_I_S] / v * (3.0 * v_t / (v * math.e)) ** 3
    if v < FORWARD * V_J:
        by_c = 0.5 * p[P_C_JO] / (V_J * (1.0 - v / V_J) ** 1.5)
    else:
        by_c = 0.5 * p[P_C_JO] / (V_J * (1.0 - FORWARD) ** 1.5)
    return by_i + GMIN, by_c


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _capacitances(v_c: float, v_gd: float, p: FloatArray) -> tuple[float, float, float]:
    """Return the body diode's capacitance, the gate-drain's, and the latter's derivative."""
    if -v_c < FORWARD * V_J:
        c_j = p[P_C_JO] / math.sqrt(1.0 + v_c / V_J)
    else:
        c_j = p[P_C_JO] / (1.0 - FORWARD) ** 1.5 * (1.0 - 1.5 * FORWARD - 0.5 * v_c / V_J)
    s = (p[P_C_GD_MAX] - p[P_C_GD_MIN]) / (1.0 + math.pi / 2.0)
    if v_gd > 0.0:
        t = math.tanh(v_gd)
        return c_j, p[P_C_GD_MAX] - s + s * t, s * (1.0 - t * t)
    return c_j, p[P_C_GD_MAX] - s + s * math.atan(v_gd), s / (1.0 + v_gd * v_gd)


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _x_slopes(v: float, x: float, p: FloatArray, device: Device | None) -> tuple[float, float]:
    """Return the derivatives of dx/dt with respect to the voltage and to x."""
    tau = p[P_TAU]
    if tau == math.inf:
        return 0.0, 0.0
    if device is not None:
        (rate, q, e) = (device[1], device[2], DEVICE_DIFFERENCE)
        by_v = (rate(v + e, x, q) - rate(v - e, x, q)) / (2.0 * e)
        # Upwards only: below 0 a model may have no value.
        return by_v, (rate(v, x + e, q) - rate(v, x, q)) / e
    v_t = p[P_V_T]
    a = (p[P_V_ON] - v) / v_t
    b = (v + p[P_V_OFF]) / v_t
    on = 1.0 / (1.0 + math.exp(min(max(a, -500.0), 500.0)))
    off = 1.0 / (1.0 + math.exp(min(max(b, -500.0), 500.0)))
    by_v = (1.0 - x) * on * (1.0 - on) + x * off * (1.0 - off)
    return by_v / (v_t * tau), -(on + off) / tau


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def write_partials(  # noqa: PLR0912, PLR0915 - one circuit, as in `rates`
    y: FloatArray,
    p: FloatArray,
    active: IntArray,
    f: FloatArray,
    jac: FloatArray,
    edge: FloatArray,
    device: Device | None,
) -> tuple[float, float]:
    """Fill the Jacobian of a circuit that `has_partials`, and the output's derivatives.

    Parameters
    ----------
    y : array, shape (N_STATES,)
        The state.
    p : array, shape (N_PARAMETERS,)
        The circuit.
    active : array of int
        The states that it has, ascending.
    f : array, shape (N_STATES,)
        The rates at `y`.
    jac : array, shape (N_STATES**2,)
        Is filled: row a N_STATES, column b for the active states a and b.
    edge : array
        Its first N_STATES get the derivatives of the comparator's output.
    device : Device or None
        See `rates.rates`.

    Returns
    -------
    by_current, by_load : float
        The rate of v_c for each ampere that comes in, in V/s, and the output's voltage for each
        that is drawn from it, in V.
    """
    (v_c, x, cp, t2) = (y[Y_V_C], y[Y_X], y[Y_CP], y[Y_T2])
    jac[:] = 0.0
    for j in range(N_STATES):
        edge[j] = 0.0
    # --- amplifier: v_s by v_c, a_n and x; v_d by g, a_n and cp ---
    (g_1, load) = (1.0 / p[P_R], p[P_LOADING])
    (g_2, g_a, g_o) = (g_1 / p[P_GAIN], 1.0 / p[P_R_A], 1.0 / p[P_OPAMP_R_OUT])
    (g_s, g_l, v_rest) = (p[P_G_S], load * g_1, p[P_V_REST])
    whole = 1.0 / (g_o + g_2 + g_a)
    (d_g, d_an, d_cp) = (g_o * whole, g_2 * whole, g_a * whole)
    # of the leak's current: by v_mem, and by x at a fixed v_mem
    (s_c, s_an, s_x, v_s) = (0.0, 0.0, 0.0, v_rest)
    if device is not None:
        r = 1.0 / (g_s + g_l) if g_s > 0.0 else 0.0
        v_open = v_c - v_rest
        if g_s > 0.0:
            v_open = v_c - r * (g_s * v_rest + g_l * y[Y_AN])
        v_s = v_c - solve_branch(v_open, r, x, device)
        (leak_v, leak_x) = (device[3][1], device[3][2])
        share = 1.0 / (1.0 + r * leak_v)
        (s_c, s_an, s_x) = (r * leak_v * share, r * g_l * share, r * leak_x * share)
    else:
        leak_v = p[P_G_0] + p[P_G_1] * x
        if g_s > 0.0:
            share = 1.0 / (leak_v + g_l + g_s)
            v_s = (leak_v * v_c + g_l * y[Y_AN] + g_s * v_rest) * share
            (s_c, s_an, s_x) = (
                leak_v * share, g_l * share, p[P_G_1] * (v_c - v_s) * share
            )  # fmt: skip
        leak_x = p[P_G_1] * (v_c - v_s)
    v_mem = v_c - v_s
    c_in = 1.0 / p[P_OPAMP_C_IN]
    jac[Y_AP * N_STATES + Y_V_C] = g_1 * c_in
    jac[Y_AP * N_STATES + Y_AP] = -(g_1 + g_2) * c_in
    row = Y_AN * N_STATES
    jac[row + Y_V_C] = g_1 * s_c * c_in
    jac[row + Y_X] = g_1 * s_x * c_in
    jac[row + Y_AN] = (g_1 * (s_an - 1.0) + g_2 * (d_an - 1.0)) * c_in
    jac[row + Y_G] = g_2 * d_g * c_in
    jac[row + Y_CP] = g_2 * d_cp * c_in
    gm = p[P_OPAMP_GM]
    s = math.tanh(gm / p[P_OPAMP_SLEW] * (y[Y_AP] - y[Y_AN] + p[P_OPAMP_V_OS]))
    slope = gm * (1.0 - s * s)
    row = Y_G * N_STATES
    (jac[row + Y_AP], jac[row + Y_AN]) = (slope, -slope)
    beyond = y[Y_G] > p[P_OPAMP_TOP] or y[Y_G] < p[P_OPAMP_BOTTOM]
    jac[row + Y_G] = -p[P_OPAMP_POLE] - (CLAMP if beyond else 0.0)

    # --- the comparator's output: by T2, cp, and what the gate's capacitances feed into it ---
    (g_g, g_d, g_so) = (1.0 / p[P_R_GATE], 1.0 / p[P_R_DRAIN], 1.0 / p[P_R_SOURCE])
    node = 1.0 / (g_g + g_d + g_so)
    (g_out, g_b) = (1.0 / p[P_COMPARATOR_R_OUT], 1.0 / p[P_R_B])
    (swing, v_spike_by_t2) = (p[P_V_OH] - p[P_V_OL], g_out)
    rest = p[P_G_OUT] + g_b + g_g - g_g * g_g * node
    if p[P_PULL_UP] > 0.0:
        # The transistor's conductance falls with T2, so that the output's own value counts.
        (swing, g_p, off) = (1.0, 1.0 / p[P_PULL_UP], max(1.0 - t2, 1e-9))
        g_t = g_out * off ** p[P_TURN_OFF]
        drive = g_d * (v_c + y[Y_V_GD]) + g_so * y[Y_V_GS]
        v_spike = g_t * p[P_V_OL] + g_p * p[P_V_OH] + g_b * cp - p[P_I_OUT] + g_g * node * drive
        inverse = 1.0 / (g_t + g_p + rest)
        by = -p[P_TURN_OFF] * g_t / off if 1.0 - t2 > 1e-9 else 0.0
        v_spike_by_t2 = by * (p[P_V_OL] - v_spike * inverse)
    else:
        inverse = 1.0 / (g_out + rest)
    edge[Y_T2] = v_spike_by_t2 * inverse
    edge[Y_CP] = g_b * inverse
    edge[Y_V_C] = edge[Y_V_GD] = g_g * node * g_d * inverse
    edge[Y_V_GS] = g_g * node * g_so * inverse

    # --- comparator ---
    u = cp - p[P_V_REF] + p[P_COMPARATOR_V_OS]
    s = math.tanh(0.5 * u / p[P_V_T])
    bias = -p[P_COMPARATOR_I_BIAS] * p[P_COMPARATOR_BIAS_SLOPE] * 0.5 / p[P_V_T] * (1.0 - s * s)
    (row, c_in) = (Y_CP * N_STATES, 1.0 / p[P_COMPARATOR_C_IN])
    for j in range(N_STATES):
        jac[row + j] = g_b * edge[j] * c_in
    jac[row + Y_G] += g_a * d_g * c_in
    jac[row + Y_AN] += g_a * d_an * c_in
    jac[row + Y_CP] += (g_a * (d_cp - 1.0) - g_b + bias) * c_in
    (s, pole) = (math.tanh(p[P_K_TANH] * u), 1.0 / p[P_POLE])
    jac[Y_T1 * N_STATES + Y_CP] = 0.5 * swing * pole * p[P_K_TANH] * (1.0 - s * s)
    jac[Y_T1 * N_STATES + Y_T1] = -pole
    jac[Y_T2 * N_STATES + Y_T1] = pole
    jac[Y_T2 * N_STATES + Y_T2] = -pole

    # --- MOSFET and membrane; v_g = node (g_g v_spike + g_d (v_c + v_gd) + g_so v_gs) ---
    (by_gs, by_gd) = _channel(y[Y_V_GS], y[Y_V_GD], p)
    (by_i, by_c) = _diode_slopes(-v_c, p)
    (c_j, c_gd, c_gd_slope) = _capacitances(v_c, y[Y_V_GD], p)
    (gs, gd, membrane) = (Y_V_GS * N_STATES, Y_V_GD * N_STATES, Y_V_C * N_STATES)
    (c_gs, c_gd, c) = (1.0 / p[P_C_GS], 1.0 / c_gd, 1.0 / (p[P_C] + c_j))
    for j in range(N_STATES):
        gate = node * g_g * edge[j]
        if j in (Y_V_C, Y_V_GD):
            gate += node * g_d
        elif j == Y_V_GS:
            gate += node * g_so
        jac[gs + j] = g_so * gate * c_gs
        jac[gd + j] = g_d * gate * c_gd  # the drain's current is -g_d v_g and what follows
        jac[membrane + j] = g_d * gate * c
    jac[gs + Y_V_GS] -= (g_so + by_gs) * c_gs
    jac[gs + Y_V_GD] -= by_gd * c_gs
    jac[gd + Y_V_C] -= g_d * c_gd
    jac[gd + Y_V_GS] += by_gs * c_gd
    jac[gd + Y_V_GD] += (by_gd - g_d - f[Y_V_GD] * c_gd_slope) * c_gd
    jac[membrane + Y_V_GD] -= g_d * c
    jac[membrane + Y_V_C] -= (
        g_d + leak_v * (1.0 - s_c) + g_l + by_i - f[Y_V_C] * by_c
    ) * c  # fmt: skip
    jac[membrane + Y_AP] += g_l * c
    jac[membrane + Y_AN] += leak_v * s_an * c
    jac[membrane + Y_X] += (leak_v * s_x - leak_x) * c
    (by_v, by_x) = _x_slopes(v_mem, x, p, device)
    row = Y_X * N_STATES
    jac[row + Y_V_C] = by_v * (1.0 - s_c)
    jac[row + Y_AN] = -by_v * s_an
    jac[row + Y_X] = by_x - by_v * s_x

    n = active.size
    if n < N_STATES:  # each moves to a place before or at its own
        for a in range(n):
            for b in range(n):
                jac[a * N_STATES + b] = jac[active[a] * N_STATES + active[b]]
    return c, -inverse


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def write_load_partials(
    y: FloatArray, p: FloatArray, by_current: float, by_load: float, by: FloatArray
) -> None:
    """Fill the rates' derivatives by a current in A that is drawn from the output.

    Parameters
    ----------
    y : array, shape (N_STATES,)
    p : array, shape (N_PARAMETERS,)
    by_current, by_load : float
        What `write_partials` returned.
    by : array, shape (N_STATES,)
        Is filled.
    """
    (g_g, g_d, g_so) = (1.0 / p[P_R_GATE], 1.0 / p[P_R_DRAIN], 1.0 / p[P_R_SOURCE])
    gate = by_load * g_g / (g_g + g_d + g_so)
    by[:] = 0.0
    by[Y_CP] = by_load / (p[P_R_B] * p[P_COMPARATOR_C_IN])
    by[Y_V_GS] = g_so * gate / p[P_C_GS]
    by[Y_V_GD] = g_d * gate / _capacitances(y[Y_V_C], y[Y_V_GD], p)[1]
    by[Y_V_C] = g_d * gate * by_current

"""The circuit's differential equations, written out from its parts and compiled.

What SPICE solves as a network is here a system of ten states (`layout`): the nodes without
capacitance are all linear in the states once the leak device is, and are eliminated by hand.

- Membrane: ``(c + c_j) dv_c/dt = i_in - i(v_mem, x) - i_load - i_drain + i_diode``.
- Leak device: the MMS model, whose ``i = G(x) v_mem``, or a resistor; both are built in, and their
  `device` is None. Other models come as a `spicealif.reference.device.Device`, and v_mem is then
  the solution of ``v_mem + r_th i(v_mem, x) = v_open``: seen from the device, r_s with v_rest and
  what the amplifier's resistors add is a source v_c - v_open behind a resistance r_th.
- Op-amp: one pole whose charging current saturates (slew rate), input capacitances, bias
  currents, offset, output resistance, limits 1.5 V from the rails, as in
  ``models/parts/opamp_behavioural.cir.j2``.
- Comparator: two poles behind a tanh, as in ``comparator_behavioural.cir.j2``; or one, as
  in ``comparator_ideal.cir.j2``; or sharp, an event for the integrator (`COMPARATOR_SHARP`), its
  output then given from outside.
- MOSFET: SPICE's VDMOS model as ngspice documents it in its manual and source (drain current with
  logarithmic subthreshold region and triode multiplier; gate-drain capacitance between its limits
  by tanh and atan; body diode with grading 0.5 at 0.8 V), or a smooth switch.

The memristor's exponents are limited to +-500, as in the netlist.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.circuit.layout import (
    AMPLIFIER_FOUR_RESISTOR,
    AMPLIFIER_IDEAL,
    COMPARATOR_REAL,
    COMPARATOR_SHARP,
    COMPARATOR_SMOOTH,
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
    P_F_D,
    P_F_O,
    P_G_0,
    P_G_1,
    P_G_OUT,
    P_G_S,
    P_G_SWITCH,
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
    P_OPAMP_I_BIAS,
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
    P_V_0,
    P_V_OFF,
    P_V_OH,
    P_V_OL,
    P_V_ON,
    P_V_REF,
    P_V_REST,
    P_V_SWITCH,
    P_V_T,
    P_V_TO,
    P_V_WIDTH,
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
from spicealif.reference.device import Device, solve_branch

__all__ = ["drops", "rates"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Voltages: TypeAlias = tuple[float, float, float, float]

#: Conductance (S) by which SPICE bridges its junctions.
GMIN = 1e-12
#: Siemens with which the op-amp's output is kept within its limits, per farad of its gain node.
CLAMP = 1e9
#: Slope of VDMOS' subthreshold region in V and the body diode's potential, as the netlist's card
#: states them, and the diode's forward coefficient, SPICE's default.
SUBTHRESHOLD, V_J, FORWARD = 0.1, 0.8, 0.5


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _behind(
    v_c: float,
    x: float,
    g_s: float,
    v_rest: float,
    g_l: float,
    v_l: float,
    device: Device,
) -> float:
    """Return v_s behind the device: g_s leads from it to v_rest, and g_l to v_l.

    Leaves the device's current and its derivatives in the device's last array.
    """
    if g_s == 0.0:  # r_s = 0
        return v_c - solve_branch(v_c - v_rest, 0.0, x, device)
    r_th = 1.0 / (g_s + g_l)
    v_open = v_c - r_th * (g_s * v_rest + g_l * v_l)
    return v_c - solve_branch(v_open, r_th, x, device)


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _x_rate(v: float, x: float, p: FloatArray, device: Device | None) -> float:
    """Return dx/dt of the memristor at the voltage v; 0 while tau is infinite."""
    tau = p[P_TAU]
    if tau == math.inf:
        return 0.0
    if device is not None:
        return float(device[1](v, x, device[2]))
    a = min(max((p[P_V_ON] - v) / p[P_V_T], -500.0), 500.0)
    b = min(max((v + p[P_V_OFF]) / p[P_V_T], -500.0), 500.0)
    return float(((1.0 - x) / (1.0 + math.exp(a)) - x / (1.0 + math.exp(b))) / tau)


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _drain_current(v_gs: float, v_gd: float, p: FloatArray) -> float:
    """Return VDMOS' channel current from drain to source; a negative v_ds exchanges the two."""
    v_ds = v_gs - v_gd
    over = (v_gs if v_ds >= 0.0 else v_gd) - p[P_V_TO]
    z = over / SUBTHRESHOLD
    over = SUBTHRESHOLD * (z + math.log1p(math.exp(-z)) if z > 0.0 else math.log1p(math.exp(z)))
    v = p[P_M_TRIODE] * abs(v_ds)
    i = 0.5 * p[P_KP] * over * over if over <= v else p[P_KP] * v * (over - 0.5 * v)
    return float(i if v_ds >= 0.0 else -i)


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _gate_drain_capacitance(v_gd: float, p: FloatArray) -> float:
    """Return VDMOS' gate-drain capacitance."""
    s = (p[P_C_GD_MAX] - p[P_C_GD_MIN]) / (1.0 + math.pi / 2.0)
    return float(p[P_C_GD_MAX] - s + s * (math.tanh(v_gd) if v_gd > 0.0 else math.atan(v_gd)))


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def _diode(v: float, p: FloatArray) -> tuple[float, float]:
    """Return current and capacitance of the body diode at the forward voltage v."""
    v_t, i_s = p[P_V_T], p[P_I_S]
    if v >= -3.0 * v_t:
        i = i_s * (math.exp(min(v / v_t, 500.0)) - 1.0)
    else:
        i = -i_s * (1.0 + (3.0 * v_t / (v * math.e)) ** 3)
    if v < FORWARD * V_J:
        c = p[P_C_JO] / math.sqrt(1.0 - v / V_J)
    else:  # the tangent, beyond which SPICE does not follow the square root
        c = p[P_C_JO] / (1.0 - FORWARD) ** 1.5 * (1.0 - 1.5 * FORWARD + 0.5 * v / V_J)
    return i + GMIN * v, c


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def rates(  # noqa: PLR0912, PLR0915 - one circuit; cut up, it would compute shared terms twice
    y: FloatArray,
    i_in: float,
    output: float,
    p: FloatArray,
    dy: FloatArray,
    device: Device | None,
) -> Voltages:
    """Write the states' derivatives.

    Parameters
    ----------
    y : array, shape (N_STATES,)
        The state.
    i_in : float
        Input current in A.
    output : float
        Output of a sharp comparator in V; other comparators have their own.
    p : array, shape (N_PARAMETERS,)
        The circuit.
    dy : array, shape (N_STATES,)
        Is filled.
    device : Device or None
        The leak's device; None for the MMS model and the resistor.

    Returns
    -------
    v_mem, v_d, v_spike, u : float
        Voltages across the leak device, at the amplifier's output and at the comparator's, and
        between the inputs of a comparator that is not sharp.
    """
    (v_c, x, a_n, cp) = (y[Y_V_C], y[Y_X], y[Y_AN], y[Y_CP])
    (amplifier, comparator) = (p[P_AMPLIFIER], p[P_COMPARATOR])
    (g_m, g_s, v_rest) = (p[P_G_0] + p[P_G_1] * x, p[P_G_S], p[P_V_REST])
    dy[:] = 0.0

    # --- amplifier: v_s between leak device and r_s, and v_d ---
    (g_1, load, i_load, v_d) = (0.0, p[P_LOADING], 0.0, 0.0)
    if amplifier == AMPLIFIER_IDEAL:
        if device is None:
            v_s = (g_m * v_c + g_s * v_rest) / (g_m + g_s) if g_s > 0.0 else v_rest
        else:
            v_s = _behind(v_c, x, g_s, v_rest, 0.0, 0.0, device)
        v_d = p[P_GAIN] * (v_c - v_s)
    else:
        g_1 = 1.0 / p[P_R]
        g_2 = g_1 / p[P_GAIN]
        if amplifier == AMPLIFIER_FOUR_RESISTOR:
            g_a = 1.0 / p[P_R_A] if comparator == COMPARATOR_REAL else 0.0
            g_o = 1.0 / p[P_OPAMP_R_OUT]
            v_d = (g_o * y[Y_G] + g_2 * a_n + g_a * cp) / (g_o + g_2 + g_a)
            g_l = load * g_1
            v_s = v_rest
            if device is not None:
                v_s = _behind(v_c, x, g_s, v_rest, g_l, a_n, device)
            elif g_s > 0.0:
                v_s = (g_m * v_c + g_l * a_n + g_s * v_rest) / (g_m + g_l + g_s)
            (a_p, i_b, c_in) = (y[Y_AP], p[P_OPAMP_I_BIAS], p[P_OPAMP_C_IN])
            dy[Y_AP] = (g_1 * (v_c - a_p) - g_2 * a_p - i_b) / c_in
            dy[Y_AN] = (g_1 * (v_s - a_n) + g_2 * (v_d - a_n) - i_b) / c_in
            slew = p[P_OPAMP_SLEW]
            e = a_p - a_n + p[P_OPAMP_V_OS]
            over = max(y[Y_G] - p[P_OPAMP_TOP], 0.0) - max(p[P_OPAMP_BOTTOM] - y[Y_G], 0.0)
            dy[Y_G] = slew * math.tanh(p[P_OPAMP_GM] / slew * e) - p[P_OPAMP_POLE] * y[Y_G]
            dy[Y_G] -= CLAMP * over
        else:  # an ideal op-amp draws nothing: its inputs follow from the resistors
            v_d = y[Y_G]
            a_p = g_1 * v_c / (g_1 + g_2)
            # the inverting input seen from v_s: g_1 and g_2 in series, towards v_d
            g_l = load * g_1 * g_2 / (g_1 + g_2)
            v_s = v_rest
            if device is not None:
                v_s = _behind(v_c, x, g_s, v_rest, g_l, v_d, device)
            elif g_s > 0.0:
                v_s = (g_m * v_c + g_l * v_d + g_s * v_rest) / (g_m + g_l + g_s)
            a_n = (g_1 * v_s + g_2 * v_d) / (g_1 + g_2)
            dy[Y_G] = p[P_OPAMP_GM] * (a_p - a_n) - p[P_OPAMP_POLE] * y[Y_G]
        i_load = load * g_1 * (v_c - a_p)
    v_mem = v_c - v_s

    # --- comparator and gate: v_spike, and the gate's node behind its resistance ---
    vdmos = p[P_VDMOS] != 0.0
    (g_g, g_d, g_so, drive, u) = (0.0, 0.0, 0.0, 0.0, 0.0)
    if vdmos:
        (g_g, g_d, g_so) = (1.0 / p[P_R_GATE], 1.0 / p[P_R_DRAIN], 1.0 / p[P_R_SOURCE])
        # what drain and source feed into the gate node through the two capacitances
        drive = g_d * (v_c + y[Y_V_GD]) + g_so * y[Y_V_GS]
    g_node = g_g + g_d + g_so
    if comparator == COMPARATOR_SHARP:
        v_spike = output
    elif comparator == COMPARATOR_REAL:
        (g_o, g_b) = (1.0 / p[P_COMPARATOR_R_OUT], 1.0 / p[P_R_B])
        (v_spike, low, swing) = (g_o * y[Y_T2] + g_b * cp, p[P_V_OL], p[P_V_OH] - p[P_V_OL])
        if p[P_PULL_UP] > 0.0:  # the poles go from 0 to 1, the part to which the transistor is off
            (low, swing, g_p) = (0.0, 1.0, 1.0 / p[P_PULL_UP])
            g_t = g_o * max(1.0 - y[Y_T2], 1e-9) ** p[P_TURN_OFF]
            v_spike = g_t * p[P_V_OL] + g_p * p[P_V_OH] + g_b * cp
            g_o = g_t + g_p
        g_o += p[P_G_OUT]
        v_spike -= p[P_I_OUT]
        if vdmos:
            v_spike = (v_spike + g_g / g_node * drive) / (g_o + g_b + g_g - g_g * g_g / g_node)
        else:
            v_spike /= g_o + g_b
        u = cp - p[P_V_REF] + p[P_COMPARATOR_V_OS]
        i_b = p[P_COMPARATOR_I_BIAS]
        i_b *= 1.0 - p[P_COMPARATOR_BIAS_SLOPE] * math.tanh(0.5 * u / p[P_V_T])
        dy[Y_CP] = ((v_d - cp) / p[P_R_A] + g_b * (v_spike - cp) + i_b) / p[P_COMPARATOR_C_IN]
        s = 0.5 * (1.0 + math.tanh(p[P_K_TANH] * u))
        dy[Y_T1] = (low + swing * s - y[Y_T1]) / p[P_POLE]
        dy[Y_T2] = (y[Y_T1] - y[Y_T2]) / p[P_POLE]
    else:
        v_spike = y[Y_T1]

    # --- MOSFET ---
    (i_drain, i_diode, c_j, i_gate) = (0.0, 0.0, 0.0, 0.0)
    if vdmos:
        v_g = (g_g * v_spike + drive) / g_node
        i_gate = g_g * (v_spike - v_g)
        i_channel = _drain_current(y[Y_V_GS], y[Y_V_GD], p)
        i_drain = g_d * (v_c - v_g + y[Y_V_GD])
        dy[Y_V_GS] = (g_so * (v_g - y[Y_V_GS]) - i_channel) / p[P_C_GS]
        dy[Y_V_GD] = (i_channel - i_drain) / _gate_drain_capacitance(y[Y_V_GD], p)
        i_diode, c_j = _diode(-v_c, p)
    else:
        s = 0.5 * (1.0 + math.tanh((v_spike - p[P_V_SWITCH]) / p[P_V_WIDTH]))
        i_drain = p[P_G_SWITCH] * s * v_c
    if comparator == COMPARATOR_SMOOTH:
        # one pole of as many farads as it has seconds, fed through 1 ohm, which the gate loads
        u = p[P_F_D] * v_d + p[P_F_O] * v_spike - p[P_V_0]
        s = 0.5 * (1.0 + math.tanh(p[P_K_TANH] * u))
        i_gate += p[P_G_OUT] * v_spike + p[P_I_OUT]
        dy[Y_T1] = (p[P_V_OL] + (p[P_V_OH] - p[P_V_OL]) * s - v_spike - i_gate) / p[P_POLE]

    i_leak = g_m * v_mem if device is None else device[3][0]
    dy[Y_V_C] = (i_in - i_leak - i_load - i_drain + i_diode) / (p[P_C] + c_j)
    dy[Y_X] = _x_rate(v_mem, x, p, device)
    return v_mem, v_d, v_spike, u


@njit(cache=True, _nrt=False, error_model="numpy", fastmath={"contract"})
def drops(y: FloatArray, p: FloatArray) -> tuple[float, float]:
    """Return the voltages across the output resistances of op-amp and comparator; 0 without one.

    Over the resistance they are the currents that the outputs deliver, which come from the
    supplies. They are linear in the state, so that of its derivatives they are the derivatives; but
    for an open collector's, which is the voltage across its pull-up.
    """
    (a, b) = (0.0, 0.0)
    if p[P_AMPLIFIER] == AMPLIFIER_FOUR_RESISTOR:
        g_2 = 1.0 / (p[P_R] * p[P_GAIN])
        g_a = 1.0 / p[P_R_A] if p[P_COMPARATOR] == COMPARATOR_REAL else 0.0
        g_o = 1.0 / p[P_OPAMP_R_OUT]
        a = y[Y_G] - (g_o * y[Y_G] + g_2 * y[Y_AN] + g_a * y[Y_CP]) / (g_o + g_2 + g_a)
    if p[P_COMPARATOR] == COMPARATOR_REAL:
        (g_o, g_b) = (1.0 / p[P_COMPARATOR_R_OUT], 1.0 / p[P_R_B])
        (source, v_spike) = (y[Y_T2], g_o * y[Y_T2] + g_b * y[Y_CP])
        if p[P_PULL_UP] > 0.0:
            (g_p, source) = (1.0 / p[P_PULL_UP], p[P_V_OH])
            g_t = g_o * max(1.0 - y[Y_T2], 1e-9) ** p[P_TURN_OFF]
            v_spike = g_t * p[P_V_OL] + g_p * p[P_V_OH] + g_b * y[Y_CP]
            g_o = g_t + g_p
        g_o += p[P_G_OUT]
        v_spike -= p[P_I_OUT]
        if p[P_VDMOS] != 0.0:
            (g_g, g_d, g_so) = (1.0 / p[P_R_GATE], 1.0 / p[P_R_DRAIN], 1.0 / p[P_R_SOURCE])
            g_node = g_g + g_d + g_so
            drive = g_d * (y[Y_V_C] + y[Y_V_GD]) + g_so * y[Y_V_GS]
            v_spike = (v_spike + g_g / g_node * drive) / (g_o + g_b + g_g - g_g * g_g / g_node)
        else:
            v_spike /= g_o + g_b
        b = source - v_spike
    return a, b

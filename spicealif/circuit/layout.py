"""Where each number of the circuit's equations stands in the arrays the compiled code works on.

Numba turns these names into constants. States: see `rates`.
"""

from __future__ import annotations

__all__ = [
    "AMPLIFIER_FOUR_RESISTOR",
    "AMPLIFIER_IDEAL",
    "AMPLIFIER_IDEAL_OPAMP",
    "COMPARATOR_REAL",
    "COMPARATOR_SHARP",
    "COMPARATOR_SMOOTH",
    "N_PARAMETERS",
    "N_STATES",
]

# States. A state that a variant does not have stays where it is.
Y_V_C, Y_X = 0, 1  # capacitor voltage (V), memristor state
Y_AP, Y_AN, Y_G = 2, 3, 4  # op-amp: its two inputs and its gain node (V)
Y_CP, Y_T1, Y_T2 = 5, 6, 7  # comparator: input and its two poles (V); the smooth one uses T1 only
Y_V_GS, Y_V_GD = 8, 9  # MOSFET: voltages of its two capacitances inside its resistances (V)
N_STATES = 10

# Variants.
AMPLIFIER_IDEAL, AMPLIFIER_FOUR_RESISTOR, AMPLIFIER_IDEAL_OPAMP = 0, 1, 2
COMPARATOR_SHARP, COMPARATOR_SMOOTH, COMPARATOR_REAL = 0, 1, 2

# Parameters, SI units.
(
    P_AMPLIFIER,  # one of AMPLIFIER_*
    P_COMPARATOR,  # one of COMPARATOR_*
    P_VDMOS,  # 1: VDMOS, 0: ideal switch
    P_C,
    P_G_0,  # leak conductance G = g_0 + g_1 x, unless the device has its own equations
    P_G_1,
    P_G_S,  # 1 / r_s; 0 stands for r_s = 0
    P_V_REST,
    P_V_ON,
    P_V_OFF,
    P_V_T,
    P_TAU,  # infinity: x is held (a resistor); with a device of its own nothing else counts
    P_LOADING,  # 1: the amplifier's resistors load the neuron, 0: they do not
    P_GAIN,
    P_R,
    P_OPAMP_C_IN,
    P_OPAMP_I_BIAS,
    P_OPAMP_V_OS,
    P_OPAMP_GM,  # per farad of its gain node: 2 pi gain_bandwidth
    P_OPAMP_SLEW,
    P_OPAMP_POLE,  # 2 pi gain_bandwidth / open_loop_gain
    P_OPAMP_R_OUT,
    P_OPAMP_TOP,  # limits of its output
    P_OPAMP_BOTTOM,
    P_V_OH,
    P_V_OL,
    P_V_LEVEL,  # low level without a load: v_ol, or an open collector's through its pull-up
    P_R_A,
    P_R_B,
    P_V_REF,
    P_K_TANH,  # 2 gain / (v_oh - v_ol)
    P_POLE,  # time constant of each pole
    P_COMPARATOR_V_OS,
    P_COMPARATOR_I_BIAS,
    P_COMPARATOR_BIAS_SLOPE,  # see Comparator.bias_slope
    P_COMPARATOR_C_IN,
    P_COMPARATOR_R_OUT,
    P_PULL_UP,  # resistance to the comparator's supply of an open collector; 0: push-pull
    P_TURN_OFF,  # its power, see Comparator.turn_off
    P_F_D,  # the smooth comparator's input, see Neuron.ideal_feedback
    P_F_O,
    P_V_0,
    P_V_HIGH,  # thresholds of the sharp comparator, at the amplifier's output
    P_V_LOW,
    P_V_TO,
    P_KP,
    P_M_TRIODE,
    P_R_SOURCE,
    P_R_DRAIN,
    P_R_GATE,
    P_C_GS,
    P_C_GD_MAX,
    P_C_GD_MIN,
    P_C_JO,
    P_I_S,
    P_G_SWITCH,  # ideal switch: conductance when on, V of its middle, V of its width
    P_V_SWITCH,
    P_V_WIDTH,
    P_RESET,  # 1: at the end of the discharge v_c is set to v_reset
    P_V_RESET,
    P_T_HOLD,  # and held for this long
    P_WAIT,  # 1: the MOSFET conducts from the spike on only, see `Cause.DISCHARGE_TIME`
    P_G_OUT,  # what synapses draw from the output: a conductance times its voltage and a current
    P_I_OUT,
) = range(64)
N_PARAMETERS = 64

"""From a neuron to the numbers of its circuit's equations, with each cause of a gap on or off."""

from __future__ import annotations

import enum
import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit import layout as at
from spicealif.design import (
    Comparator,
    DifferenceAmplifier,
    IdealComparator,
    Memristor,
    Mosfet,
    Neuron,
    OpAmp,
    Resistor,
)
from spicealif.design.parts import TWO_POLE_DELAY
from spicealif.errors import IntegrationError

__all__ = ["ALL_CAUSES", "Cause", "CircuitParameters", "circuit_parameters"]

_Floats = NDArray[np.float64]

#: How much faster the op-amp is made to switch its effect off, and how much more precise.
_OFF = 1e6
#: How much smaller the MOSFET's on-resistance and its capacitances are made. Both at 1e6 would ask
#: for more digits than a double has.
_OFF_MOSFET = 1e3
#: How much the comparator's gain is raised, which makes the transition that much narrower.
_OFF_GAIN = 1e2
#: A drain resistance (ohm) that is no longer made smaller.
_R_D_SMALL = 1e-3


class Cause(enum.Enum):
    """What makes a circuit differ from the `ideal` reference.

    The value is the name in tables and files; `label` is for people, `off` says what the circuit
    is with the cause taken away.
    """

    RESET_LEVEL = "reset_level"
    DISCHARGE_TIME = "discharge_time"
    MOSFET_CHARGE = "mosfet_charge"
    BODY_DIODE = "body_diode"
    COMPARATOR_DELAY = "comparator_delay"
    COMPARATOR_INPUT = "comparator_input"
    OPAMP_SPEED = "opamp_speed"
    OPAMP_RANGE = "opamp_range"
    AMPLIFIER_LOADING = "amplifier_loading"
    STIMULUS_EDGES = "stimulus_edges"

    @property
    def label(self) -> str:
        """What the cause is called in tables and figures."""
        return _LABELS[self][0]

    @property
    def off(self) -> str:
        """What the circuit does with the cause switched off."""
        return _LABELS[self][1]


_LABELS = {
    Cause.RESET_LEVEL: (
        "reset level (v_low above v_reset)",
        "v_c is set to v_reset when the discharge ends",
    ),
    Cause.DISCHARGE_TIME: (
        "discharge time (R_ds(on))",
        "the MOSFET's on-resistance is 1000 times smaller from the spike on, followed by t_ref",
    ),
    Cause.MOSFET_CHARGE: (
        "MOSFET capacitances, charge injection",
        "all its capacitances are 1000 times smaller",
    ),
    Cause.BODY_DIODE: (
        "MOSFET body diode",
        "it does not conduct, so that v_c falls below ground as far as the current takes it",
    ),
    Cause.COMPARATOR_DELAY: (
        "comparator delay and output levels",
        "it switches at its thresholds at once, between the same levels, without output "
        "resistance and input capacitance",
    ),
    Cause.COMPARATOR_INPUT: (
        "comparator bias, offset and gain",
        "no bias current, no offset, 100 times the gain (or exact thresholds if it is also sharp)",
    ),
    Cause.OPAMP_SPEED: (
        "op-amp bandwidth and slew",
        "1e6 times the bandwidth and slew rate, 1e6 times smaller input capacitances and output "
        "resistance",
    ),
    Cause.OPAMP_RANGE: (
        "op-amp offset, gain and range",
        "no offset, no bias current, 1e6 times the open-loop gain, no limits of the output",
    ),
    Cause.AMPLIFIER_LOADING: (
        "loading by the difference amplifier",
        "its resistors are driven by buffers that draw nothing from the neuron",
    ),
    Cause.STIMULUS_EDGES: ("stimulus edges", "pulses and steps have edges of no duration"),
}

#: Every cause: the circuit as it is.
ALL_CAUSES = frozenset(Cause)


@dataclass(frozen=True, eq=False)
class CircuitParameters:
    """The numbers of a circuit's equations.

    Attributes
    ----------
    values : ndarray, shape (N_PARAMETERS,)
        See `layout`; SI units.
    active : ndarray of int
        The states that this circuit has.
    y_0 : ndarray, shape (N_STATES,)
        A state near that at t = 0; the nodes other than v_c and x still have to settle.
    neuron : Neuron
        What they are of, its stimulus as the equations see it.
    """

    values: _Floats
    active: NDArray[np.int64]
    y_0: _Floats
    neuron: Neuron


def circuit_parameters(
    neuron: Neuron, causes: AbstractSet[Cause] = ALL_CAUSES
) -> CircuitParameters:
    """Return the numbers of a neuron's circuit.

    Parameters
    ----------
    neuron : Neuron
    causes : set of Cause
        The causes that are on; with all of them it is the circuit of the netlist, and with none
        it behaves as the `ideal` reference.

    Returns
    -------
    CircuitParameters
        Two sets of causes that differ only in causes that this neuron does not have give the same
        numbers.

    Raises
    ------
    IntegrationError
        If a maker's model stands for a part, which has no equations.
    """
    if why := neuron.no_equations:
        raise IntegrationError(
            f"{why[:1].upper()}{why[1:]}; take a SPICE simulator, or give the part by its figures."
        )
    neuron = neuron.at_temperature
    p = np.zeros(at.N_PARAMETERS)
    y = np.zeros(at.N_STATES)
    active = [at.Y_V_C]
    _membrane(neuron, p, y, active)
    _amplifier(neuron, causes, p, y, active)
    _comparator(neuron, causes, p, y, active)
    _mosfet(neuron, causes, p, y, active)
    if Cause.RESET_LEVEL not in causes:
        p[at.P_RESET], p[at.P_V_RESET] = 1.0, neuron.v_reset
    if Cause.DISCHARGE_TIME not in causes:
        p[at.P_T_HOLD] = neuron.t_ref
        # So strong a MOSFET would discharge the capacitor while a slow comparator's output is
        # still on its way up, and no spike would be seen.
        p[at.P_WAIT] = 1.0
    if Cause.STIMULUS_EDGES not in causes:
        neuron = neuron.replace(stimulus=neuron.stimulus.sharp())
    return CircuitParameters(p, np.array(sorted(active)), y, neuron)


def _membrane(neuron: Neuron, p: _Floats, y: _Floats, active: list[int]) -> None:
    leak = neuron.leak
    p[at.P_C] = neuron.c
    p[at.P_G_S] = 1 / neuron.r_s if neuron.r_s > 0 else 0.0
    p[at.P_V_REST] = y[at.Y_V_C] = neuron.v_rest
    p[at.P_V_T] = neuron.thermal_voltage
    if isinstance(leak, Resistor):
        p[at.P_G_0], p[at.P_TAU] = 1 / leak.r, math.inf
        return
    y[at.Y_X] = leak.x_0
    active.append(at.Y_X)
    p[at.P_TAU] = 1.0  # of the other models, whose rate is their own: x is not held
    if isinstance(leak, Memristor):
        p[at.P_G_0], p[at.P_G_1] = 1 / leak.r_off, 1 / leak.r_on - 1 / leak.r_off
        p[at.P_V_ON], p[at.P_V_OFF], p[at.P_TAU] = leak.v_on, leak.v_off, leak.tau


def _amplifier(
    neuron: Neuron, causes: AbstractSet[Cause], p: _Floats, y: _Floats, active: list[int]
) -> None:
    amplifier = neuron.difference_amplifier
    p[at.P_GAIN] = amplifier.gain
    if not isinstance(amplifier, DifferenceAmplifier):
        p[at.P_AMPLIFIER] = at.AMPLIFIER_IDEAL
        return
    p[at.P_R] = amplifier.r
    p[at.P_LOADING] = float(Cause.AMPLIFIER_LOADING in causes)
    fast = 1.0 if Cause.OPAMP_SPEED in causes else _OFF
    precise = Cause.OPAMP_RANGE not in causes
    opamp = amplifier.opamp
    p[at.P_OPAMP_GM] = 2 * math.pi * opamp.gain_bandwidth * fast
    gain = opamp.open_loop_gain * (_OFF if precise else 1.0)
    p[at.P_OPAMP_POLE] = p[at.P_OPAMP_GM] / gain
    active.append(at.Y_G)
    if not isinstance(opamp, OpAmp):
        p[at.P_AMPLIFIER] = at.AMPLIFIER_IDEAL_OPAMP
        return
    active += [at.Y_AP, at.Y_AN]
    p[at.P_AMPLIFIER] = at.AMPLIFIER_FOUR_RESISTOR
    p[at.P_OPAMP_C_IN] = opamp.c_in / fast
    p[at.P_OPAMP_SLEW] = opamp.slew_rate * fast
    p[at.P_OPAMP_R_OUT] = opamp.r_out / fast
    p[at.P_OPAMP_TOP] = math.inf if precise else neuron.supplies.v_pos - opamp.headroom
    p[at.P_OPAMP_BOTTOM] = -math.inf if precise else neuron.supplies.v_neg + opamp.headroom
    if not precise:
        p[at.P_OPAMP_V_OS], p[at.P_OPAMP_I_BIAS] = opamp.v_os, opamp.i_bias


def _comparator(
    neuron: Neuron, causes: AbstractSet[Cause], p: _Floats, y: _Floats, active: list[int]
) -> None:
    comparator, network = neuron.comparator, neuron.network
    p[at.P_V_OH], p[at.P_V_OL] = comparator.v_oh, comparator.v_ol
    p[at.P_V_LEVEL] = neuron.output_levels[0]
    p[at.P_R_A], p[at.P_R_B], p[at.P_V_REF] = network.r_a, network.r_b, network.v_ref
    real_input = Cause.COMPARATOR_INPUT in causes
    if Cause.COMPARATOR_DELAY not in causes:
        p[at.P_COMPARATOR] = at.COMPARATOR_SHARP
        high, low = network.v_high, network.v_low
        if real_input and isinstance(comparator, Comparator):
            high, low = neuron.comparator_thresholds
        p[at.P_V_HIGH], p[at.P_V_LOW] = high, low
        return
    y[at.Y_T1] = comparator.v_ol
    active.append(at.Y_T1)
    gain = comparator.gain
    if isinstance(comparator, IdealComparator):
        p[at.P_COMPARATOR] = at.COMPARATOR_SMOOTH
        p[at.P_POLE] = comparator.t_delay / math.log(2)
        p[at.P_F_D], p[at.P_F_O], p[at.P_V_0] = neuron.ideal_feedback
    else:
        active += [at.Y_CP, at.Y_T2]
        p[at.P_COMPARATOR] = at.COMPARATOR_REAL
        p[at.P_POLE] = comparator.t_delay / TWO_POLE_DELAY
        p[at.P_COMPARATOR_C_IN] = comparator.c_in
        p[at.P_COMPARATOR_R_OUT] = comparator.r_out
        y[at.Y_T2] = comparator.v_ol
        if comparator.output == "open-collector":
            p[at.P_PULL_UP] = comparator.r_pull_up
            p[at.P_TURN_OFF] = comparator.turn_off
            y[at.Y_T1] = y[at.Y_T2] = 0.0
        if real_input:
            p[at.P_COMPARATOR_V_OS] = comparator.v_os
            p[at.P_COMPARATOR_I_BIAS] = comparator.i_bias
            p[at.P_COMPARATOR_BIAS_SLOPE] = comparator.bias_slope
        else:
            gain *= _OFF_GAIN
    p[at.P_K_TANH] = 2 * gain / (comparator.v_oh - comparator.v_ol)


def _mosfet(
    neuron: Neuron, causes: AbstractSet[Cause], p: _Floats, y: _Floats, active: list[int]
) -> None:
    mosfet = neuron.mosfet
    strong = 1.0 if Cause.DISCHARGE_TIME in causes else _OFF_MOSFET
    if not isinstance(mosfet, Mosfet):
        p[at.P_G_SWITCH] = strong / mosfet.r_ds_on
        p[at.P_V_SWITCH], p[at.P_V_WIDTH] = mosfet.v_to, mosfet.v_gs_width
        return
    small = 1.0 if Cause.MOSFET_CHARGE in causes else 1 / _OFF_MOSFET
    active += [at.Y_V_GS, at.Y_V_GD]
    p[at.P_VDMOS] = 1.0
    p[at.P_V_TO], p[at.P_KP], p[at.P_M_TRIODE] = mosfet.v_to, mosfet.kp * strong, mosfet.m_triode
    p[at.P_R_SOURCE] = mosfet.r_s / strong
    p[at.P_R_DRAIN] = max(mosfet.r_d / strong, min(mosfet.r_d, _R_D_SMALL))
    p[at.P_R_GATE] = mosfet.r_g
    p[at.P_C_GS] = mosfet.c_gs * small
    p[at.P_C_GD_MAX], p[at.P_C_GD_MIN] = mosfet.c_gd_max * small, mosfet.c_gd_min * small
    p[at.P_C_JO], p[at.P_I_S] = mosfet.c_jo * small, mosfet.i_s
    if Cause.BODY_DIODE not in causes and _goes_below_ground(neuron):
        p[at.P_I_S] = 0.0
    y[at.Y_V_GS] = neuron.comparator.v_ol
    y[at.Y_V_GD] = neuron.comparator.v_ol - neuron.v_rest


def _goes_below_ground(neuron: Neuron) -> bool:
    """Return whether v_c can be below ground, which is where the MOSFET's body diode conducts."""
    _, before, after = neuron.stimulus.knots(neuron.t_stop)
    least = float(min(before.min(), after.min()))
    least -= sum(abs(amplitude) for amplitude, *_ in neuron.stimulus.sines())
    return least < 0 or neuron.v_rest < 0

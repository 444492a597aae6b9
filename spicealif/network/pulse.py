"""What a presynaptic output gives: the height and the duration of its pulse."""

from __future__ import annotations

import math
from typing import NamedTuple

from spicealif.design import DifferenceAmplifier, MemristorModel, Mosfet, Neuron, OpAmp

__all__ = ["Pulse", "nominal_pulse"]


class Pulse(NamedTuple):
    """A pulse of an output.

    Attributes
    ----------
    swing : float
        Its height in V.
    t_pulse : float
        Its duration at half the height in s.
    """

    swing: float
    t_pulse: float


def nominal_pulse(neuron: Neuron) -> Pulse:
    """Return the height and an estimate of the duration of a neuron's output pulse.

    The output is high from the comparator's switching at its upper threshold until that at its
    lower one. Between them the capacitor discharges through the MOSFET's on-resistance R:
    ``C R ln(v_1 / v_2)``, where v_1 and v_2 are the capacitor's voltages at the two thresholds
    (`Neuron.effective_thresholds`, plus v_rest and what drops across r_s). A real op-amp follows
    this exponential late: with one pole of time constant tau_a = (1 + gain) / (2 pi gbw) it
    crosses a low threshold ``T ln(T / (T - tau_a))`` after its input, T = C R (its slew rate is
    left out; where tau_a reaches T, tau_a is taken). The time in which the MOSFET
    is not yet on or still on at the ends cancels but for the difference of the two delays
    (`Neuron.switch_delays`).

    The input current, the synapses' currents and the MOSFET's gate charge are left out: of the
    presets ``paper`` and ``lif`` at 0.6 mA the circuit's pulse is 1 to 2 % longer with ideal parts
    and 7 to 9 % longer with real ones (``tests/network/test_nominal_pulse.py``). It is what a
    weight that is stated as a charge is turned into a transconductance with. The
    height is the output's with the load of its own feedback network and without synapses.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    Pulse

    Examples
    --------
    >>> pulse = nominal_pulse(load_preset("paper"))
    >>> f"{pulse.swing:.2f} V, {1e9 * pulse.t_pulse:.0f} ns"
    '3.73 V, 604 ns'
    """
    neuron = neuron.at_temperature
    (high, low), leak = neuron.effective_thresholds, neuron.leak
    at = max(high, 1e-3)
    if isinstance(leak, MemristorModel):
        resistance = leak.resistance(at, leak.x_0)
    else:
        resistance = leak.r_min(at)
    share = 1.0 + neuron.r_s / resistance if math.isfinite(resistance) else 1.0
    v_1, v_2 = neuron.v_rest + share * high, neuron.v_rest + share * low
    tau = neuron.c * neuron.r_ds_on
    # The capacitor goes to ground; a threshold at or below it is crossed late, by other currents.
    least = 1e-3 * abs(v_1) if v_1 > 0 else 1e-3
    v_1, v_2 = max(v_1, least), max(v_2, least)
    time = tau * math.log(v_1 / v_2) + _bend(neuron, v_1, v_2) + _lag(neuron, tau)
    on, off = neuron.switch_delays
    return Pulse(neuron.v_gate - neuron.output_levels[0], max(time + off - on, tau))


def _bend(neuron: Neuron, v_1: float, v_2: float) -> float:
    """Return what a real MOSFET's channel takes longer in s than its resistance at small voltage.

    ``i = k (v_o v - m v^2 / 2)`` with k = m kp and the overdrive v_o, so that the time from v_1 to
    v_2 is ``C / (k v_o) (ln(v_1 / v_2) + ln((v_o - m v_2 / 2) / (v_o - m v_1 / 2)))``.
    """
    mosfet = neuron.mosfet
    if not isinstance(mosfet, Mosfet):
        return 0.0
    overdrive, m = neuron.v_gate - mosfet.v_to, mosfet.m_triode
    if overdrive <= m * v_1:  # it would be saturated
        return 0.0
    ratio = (overdrive - 0.5 * m * v_2) / (overdrive - 0.5 * m * v_1)
    return neuron.c / (m * mosfet.kp * overdrive) * math.log(ratio)


def _lag(neuron: Neuron, tau: float) -> float:
    """Return by how much in s the difference amplifier is behind a decay of time constant tau."""
    amplifier = neuron.difference_amplifier
    if not (isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp)):
        return 0.0
    tau_a = (1.0 + amplifier.gain) / (2.0 * math.pi * amplifier.opamp.gain_bandwidth)
    return tau * math.log(tau / (tau - tau_a)) if tau_a < 0.6 * tau else tau_a

"""The pulse that a presynaptic output gives in the references."""

from __future__ import annotations

import math
from typing import NamedTuple

from spicealif.design import MemristorModel, Neuron
from spicealif.network.description import SpikeSource

__all__ = ["Pulse", "pulse_of"]


class Pulse(NamedTuple):
    """A rectangular pulse.

    Attributes
    ----------
    high, low : float
        Levels of the output in V.
    duration : float
        In s.
    """

    high: float
    low: float
    duration: float


def pulse_of(pre: Neuron | SpikeSource) -> Pulse:
    """Return the pulse of a spike source, or about that of a neuron's `schmitt` reference.

    A neuron's lasts as long as C discharges through the closed switch from the upper threshold to
    the lower one, at the device's first state, and the time in which the switch opens:
    ``r_ds_on C ln(v_1 / v_2) + delay_off``. What flows into C meanwhile is left out.
    """
    if isinstance(pre, SpikeSource):
        return Pulse(pre.v_high, pre.v_low, pre.t_pulse)
    neuron = pre.at_temperature
    (low, high), leak = neuron.output_levels, neuron.leak
    share = 1.0
    if isinstance(leak, MemristorModel):
        r = leak.resistance(max(neuron.v_th, 1e-3), leak.x_0)
        share = 1.0 + neuron.r_s / r if 0.0 < r < math.inf else 1.0
    v_low = neuron.network.v_low / neuron.difference_amplifier.gain
    (v_1, v_2) = (neuron.v_rest + share * neuron.v_th, neuron.v_rest + share * v_low)
    least = 1e-3 * max(abs(v_1), 1e-3)  # the switch leads to ground; a threshold may lie below
    tau = neuron.c * neuron.r_ds_on
    time = tau * math.log(max(v_1, least) / max(v_2, least)) + neuron.switch_delays[1]
    return Pulse(high, low, max(time, tau))

"""What the parts' values are at a design's temperature.

They are given at `Neuron.temperature_nominal` with a coefficient each. Whoever computes with them,
netlist, equations and reference, takes the neuron that this makes of them, so that the
coefficients are known in one place.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spicealif.design._base import written_kelvin
from spicealif.design._shared import thermal_voltage
from spicealif.design.leak import Resistor
from spicealif.design.parts import Comparator, DifferenceAmplifier, Mosfet, OpAmp, VendorModel
from spicealif.errors import DesignError

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["at_temperature"]

#: Of a silicon diode's saturation current: band gap in eV and exponent, as SPICE has them by
#: default (EG, XTI).
_EG, _XTI = 1.11, 3.0


def at_temperature(neuron: Neuron) -> Neuron:
    """Return a neuron with the values that its parts have at its temperature.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    Neuron
        Whose nominal temperature is its temperature; `neuron` itself if it is so already.

    Raises
    ------
    DesignError
        If it would not work there.
    """
    degrees = neuron.temperature - neuron.temperature_nominal
    if degrees == 0:
        return neuron
    changes: dict[str, Any] = {"temperature_nominal": written_kelvin(neuron.temperature)}
    r, c = 1 + neuron.tc_r * degrees, 1 + neuron.tc_c * degrees
    if r != 1:
        changes |= _resistors(neuron, r)
    if c != 1:
        changes["c"] = neuron.c * c
    amplifier, comparator = neuron.difference_amplifier, neuron.comparator
    # Makers' models keep their values: `vendor_doubts` tells.
    opamp = amplifier.opamp if isinstance(amplifier, DifferenceAmplifier) else None
    if isinstance(opamp, OpAmp) and not isinstance(opamp, VendorModel):
        changes["difference_amplifier.opamp.v_os"] = opamp.v_os + opamp.tc_v_os * degrees
    if isinstance(comparator, Comparator) and not isinstance(comparator, VendorModel):
        changes["comparator.v_os"] = comparator.v_os + comparator.tc_v_os * degrees
        changes["comparator.t_delay"] = comparator.t_delay * (1 + comparator.tc_t_delay * degrees)
    if isinstance(neuron.mosfet, Mosfet) and not isinstance(neuron.mosfet, VendorModel):
        changes |= _mosfet(neuron.mosfet, neuron.temperature_nominal, neuron.temperature)
    try:
        return neuron.replace(changes)
    except DesignError as error:
        raise DesignError(f"At {neuron.temperature:g} K: {error}") from None


def _resistors(neuron: Neuron, factor: float) -> dict[str, Any]:
    """Return the resistances; the hysteresis network's too, so that its thresholds stay."""
    changes: dict[str, Any] = {
        "r_s": neuron.r_s * factor,
        "hysteresis.r_a": neuron.network.r_a * factor,
    }
    if neuron.hysteresis.series is not None:
        # The rounded values are what was bought; the network is solved for what they gave.
        gain = neuron.difference_amplifier.gain
        changes |= {"hysteresis.series": None, "v_low": neuron.network.v_low / gain}
    if isinstance(neuron.leak, Resistor):
        changes["leak.r"] = neuron.leak.r * factor
    if isinstance(neuron.difference_amplifier, DifferenceAmplifier):
        changes["difference_amplifier.r"] = neuron.difference_amplifier.r * factor
    if isinstance(neuron.comparator, Comparator):
        own = not isinstance(neuron.comparator, VendorModel)
        for name in ("r_out", "r_pull_up") if own else ("r_pull_up",):
            changes[f"comparator.{name}"] = getattr(neuron.comparator, name) * factor
    return changes


def _mosfet(mosfet: Mosfet, nominal: float, temperature: float) -> dict[str, Any]:
    """Return threshold, transconductance, resistances and the body diode's current."""
    ratio = temperature / nominal
    mobility = ratio**mosfet.mobility_exponent
    diode = ratio**_XTI * math.exp((ratio - 1) * _EG / thermal_voltage(temperature))
    return {
        "mosfet.v_to": mosfet.v_to + mosfet.tc_v_to * (temperature - nominal),
        "mosfet.kp": mosfet.kp * mobility,
        # doped silicon as the channel is
        "mosfet.r_s": mosfet.r_s / mobility,
        "mosfet.r_d": mosfet.r_d / mobility,
        "mosfet.i_s": mosfet.i_s * diode,
    }

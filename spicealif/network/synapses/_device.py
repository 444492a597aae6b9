"""What synapses with a memristor share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spicealif.design.devices import MemristorModel
from spicealif.design.devices.subcircuit import SubcircuitMemristor
from spicealif.errors import DesignError
from spicealif.network.synapses._synapse import WeightKind

__all__ = [
    "READ_VOLTAGE",
    "checked_device",
    "device_coefficients",
    "device_conductances",
    "weighted_state",
]

#: Voltage in V at which a conductance that is given as a weight is meant.
READ_VOLTAGE = 0.1


def checked_device(device: Any) -> MemristorModel:
    """Return a device that is a memristor with equations.

    Raises
    ------
    DesignError
        If it is a resistor or a maker's subcircuit.
    """
    if not isinstance(device, MemristorModel) or isinstance(device, SubcircuitMemristor):
        raise DesignError(
            f"A synapse's device is a memristor with equations, not a {device.kind}; take a model "
            "such as mms, or a synapse of kind diode for a resistor."
        )
    return device


def device_coefficients(
    device: MemristorModel, values: Mapping[str, Any], thermal_voltage: float
) -> tuple[Any, ...]:
    """Return the device's coefficients; `values` has its parameters as ``device.name``."""
    own = {name: getattr(device, name) for name in type(device).model_fields}
    own |= {name[7:]: value for name, value in values.items() if name.startswith("device.")}
    return tuple(device.coefficients(own, thermal_voltage))


def device_conductances(device: MemristorModel, states: Any) -> Any:
    """Return the conductances in S, when read, at states."""
    distinct, place = np.unique(np.asarray(states, dtype=float), return_inverse=True)
    each = [1.0 / device.resistance(READ_VOLTAGE, x) for x in distinct.tolist()]
    return np.array(each)[place]


def weighted_state(device: MemristorModel, unit: WeightKind, weights: Any) -> Any:
    """Return the states at which a device has given conductances (or resistances) when read.

    Currents of all models rise with x, so that there is one state.

    Raises
    ------
    DesignError
        If the device cannot have one of them.
    """
    wanted = np.atleast_1d(np.asarray(weights, dtype=float))
    wanted = 1.0 / wanted if unit == "resistance" else wanted

    def conductance(x: float) -> float:
        return 1.0 / device.resistance(READ_VOLTAGE, x)

    least, most = conductance(0.0), conductance(1.0)
    slack = 1e-9 * most
    if np.any(wanted < least - slack) or np.any(wanted > most + slack):
        worst = wanted[np.argmax(np.maximum(least - wanted, wanted - most))]
        raise DesignError(
            f"The device has {least:.4g} to {most:.4g} S at {READ_VOLTAGE:g} V, so that a weight "
            f"of {worst:.4g} S is out of its reach; change the weight or the device."
        )
    # Weights are many and often the same: each distinct one is looked for once.
    distinct, place = np.unique(wanted, return_inverse=True)
    states = np.array(_states(device, distinct.tolist()))[place]
    return states if np.ndim(weights) else float(states[0])


def _states(device: MemristorModel, conductances: list[float]) -> list[float]:
    """Return the states by Newton's method, which a bracket keeps within [0, 1].

    Of rising conductances each one's state is where the next one's search begins.
    """
    # No model's current depends on the temperature, so any thermal voltage will do.
    q, out, states = device.numbers(0.025), [0.0, 0.0, 0.0], []
    current, x = device.current, 0.5
    for conductance in conductances:
        wanted, low, high = conductance * READ_VOLTAGE, 0.0, 1.0
        for _ in range(100):
            current(READ_VOLTAGE, x, q, out)
            missing = wanted - out[0]
            if abs(missing) <= 4e-16 * abs(wanted) or high - low <= 1e-15:
                break
            low, high = (x, high) if missing > 0 else (low, x)
            x = x + missing / out[2] if out[2] > 0 else -1.0
            if not low <= x <= high:
                x = 0.5 * (low + high)
        states.append(x)
    return states

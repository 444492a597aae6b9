"""What the neuron and the series circuit have in common."""

from __future__ import annotations

import hashlib
import json

from spicealif.design._base import Part

__all__ = ["digest_of", "thermal_voltage"]

# CODATA 2018, exact by definition of the SI.
_BOLTZMANN = 1.380649e-23
_ELEMENTARY_CHARGE = 1.602176634e-19


def thermal_voltage(temperature: float) -> float:
    """Return kT/q in V at a temperature in K."""
    return _BOLTZMANN * temperature / _ELEMENTARY_CHARGE


def digest_of(design: Part) -> str:
    """Return SHA-256 of everything that can change a design's result, as hexadecimal text."""
    data = design.to_dict()
    for name in ("name", "description", "source"):
        data.pop(name, None)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

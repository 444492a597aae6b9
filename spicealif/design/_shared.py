"""What the neuron and the series circuit have in common."""

from __future__ import annotations

import hashlib
import json
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spicealif.design._base import Part

__all__ = ["digest_of", "thermal_voltage"]

# CODATA 2018, exact by definition of the SI.
_T = TypeVar("_T", float, NDArray[np.float64])
_BOLTZMANN = 1.380649e-23
_ELEMENTARY_CHARGE = 1.602176634e-19


def thermal_voltage(temperature: _T) -> _T:
    """Return kT/q in V at a temperature in K, a number or an array."""
    return _BOLTZMANN * temperature / _ELEMENTARY_CHARGE


def digest_of(design: Part) -> str:
    """Return SHA-256 of everything that can change a design's result, as hexadecimal text."""
    data = design.to_dict()
    for name in ("name", "description", "source"):
        data.pop(name, None)
    # Another package's model: its equations are not in the digest of our code.
    for name in type(design).model_fields:
        code = getattr(getattr(design, name), "code_digest", None)
        if callable(code) and (said := code()):
            data[name]["code"] = said
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

"""The memristor models.

Ours are one file each here (parameters and equations) and one template
``models/parts/leak_<name>.cir.j2``; packages may bring more. docs/new_model.md shows how.
"""

from __future__ import annotations

from spicealif.design._base import (
    Ampere,
    Farad,
    Number,
    Ohm,
    PerSecond,
    PerVolt,
    Second,
    Volt,
)
from spicealif.design.devices._model import (
    LoopScale,
    MemristorModel,
    SearchRange,
    on_below_off,
)
from spicealif.design.devices.gmms import GMMS
from spicealif.design.devices.mms import Memristor
from spicealif.design.devices.registry import MODELS
from spicealif.design.devices.vteam import VTEAM
from spicealif.design.devices.yakopcic import Yakopcic

__all__ = [
    "GMMS",
    "MODELS",
    "VTEAM",
    "Ampere",
    "Farad",
    "LoopScale",
    "Memristor",
    "MemristorModel",
    "Number",
    "Ohm",
    "PerSecond",
    "PerVolt",
    "SearchRange",
    "Second",
    "Volt",
    "Yakopcic",
    "on_below_off",
]

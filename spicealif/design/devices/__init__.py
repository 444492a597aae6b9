"""The memristor models, and the table that makes them known.

A model is one file here (its parameters and equations), one template
``models/parts/leak_<name>.cir.j2``, and one entry in `MODELS`; docs/new_model.md shows how.
"""

from __future__ import annotations

from spicealif.design.devices._model import LoopScale, MemristorModel, SearchRange
from spicealif.design.devices.gmms import GMMS
from spicealif.design.devices.mms import Memristor
from spicealif.design.devices.vteam import VTEAM
from spicealif.design.devices.yakopcic import Yakopcic

__all__ = [
    "GMMS",
    "MODELS",
    "VTEAM",
    "LoopScale",
    "Memristor",
    "MemristorModel",
    "SearchRange",
    "Yakopcic",
]

#: Every memristor model by its name, which is its ``kind`` in a design.
MODELS: dict[str, type[MemristorModel]] = {
    "mms": Memristor,
    "gmms": GMMS,
    "vteam": VTEAM,
    "yakopcic": Yakopcic,
}

"""The memristor models by name: ours, and those of other packages.

A package announces a model with the entry point ``spicealif.devices``, whose name is the model's
``kind``, and brings its template (`MemristorModel.template_folder`); docs/new_model.md shows one.
Packages are looked for when a name is none of ours or all names are asked for, so that they cost
nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from spicealif._support.classes import ClassesByName, checked_class
from spicealif._support.plugins import Addition
from spicealif.design.devices._model import MemristorModel
from spicealif.design.devices.gmms import GMMS
from spicealif.design.devices.mms import Memristor
from spicealif.design.devices.vteam import VTEAM
from spicealif.design.devices.yakopcic import Yakopcic
from spicealif.errors import DesignError

__all__ = ["ADDED", "MODELS", "OWN", "load_model"]

#: Our own models by name, which is their ``kind`` in a design.
OWN: dict[str, type[MemristorModel]] = {
    "mms": Memristor,
    "gmms": GMMS,
    "vteam": VTEAM,
    "yakopcic": Yakopcic,
}
#: All models. Reserved are a leak that is no memristor model, and a former name.
ADDED = Addition(
    "spicealif.devices",
    "memristor model",
    DesignError,
    tuple(OWN),
    ("resistor", "memristor", "subcircuit"),
)


@cache
def load_model(name: str) -> type[MemristorModel]:
    """Return a model by name.

    Parameters
    ----------
    name : str
        One of ours, or one that a package announces.

    Raises
    ------
    DesignError
        If there is none, or it is a package's and cannot be loaded or is no model.
    """
    if name in OWN:
        return OWN[name]
    kind: type[MemristorModel]
    kind, _ = checked_class(
        ADDED, name, MemristorModel, "spicealif.design.MemristorModel", ("title", "example"),
        f"leak_{name}.cir.j2",
    )  # fmt: skip
    return kind


#: Every memristor model that can be had by its name, which is its ``kind`` in a design.
MODELS: Mapping[str, type[MemristorModel]] = ClassesByName("MODELS", ADDED, load_model)

"""The memristor models by name: ours, and those of other packages.

A package announces a model with the entry point ``spicealif.devices``, whose name is the model's
``kind``, and brings its template (`MemristorModel.template_folder`); docs/new_model.md shows one.
Packages are looked for when a name is none of ours or all names are asked for, so that they cost
nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

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
    (kind, label), ask = ADDED.load(name), "ask those who make it"
    if not (isinstance(kind, type) and issubclass(kind, MemristorModel)):
        raise DesignError(
            f"{label} is no subclass of spicealif.design.MemristorModel but {ascii(kind)[:60]}; "
            f"{ask}."
        )
    lacking = sorted(kind.__abstractmethods__)
    lacking += [name for name in ("title", "example") if not hasattr(kind, name)]
    if lacking:
        raise DesignError(f"{label} has no {', '.join(lacking)}; {ask}.")
    field = kind.model_fields.get("kind")
    if field is None or field.default != name:
        raise DesignError(
            f"{label} is announced under another name than its kind "
            f"({ascii(field.default if field else None)}); {ask}."
        )
    template = f"leak_{name}.cir.j2"
    if not (kind.template_folder() / template).is_file():
        raise DesignError(f"{label} has no template {template} in its folder 'templates'; {ask}.")
    return kind


class _Models(Mapping[str, type[MemristorModel]]):
    """All models that can be had; a package's broken one is none of them."""

    def __getitem__(self, name: str) -> type[MemristorModel]:
        try:
            return load_model(name)
        except DesignError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        yield from OWN
        for name in ADDED.names()[len(OWN) :]:
            try:
                load_model(name)
            except DesignError:
                continue
            yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"MODELS({', '.join(self)})"


#: Every memristor model that can be had by its name, which is its ``kind`` in a design.
MODELS: Mapping[str, type[MemristorModel]] = _Models()

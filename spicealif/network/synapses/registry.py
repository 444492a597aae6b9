"""The kinds of synapses by name: ours, and those of other packages.

A package announces a kind with the entry point ``spicealif.synapses``, whose name is its ``kind``,
and brings its template (`Synapse.template_folder`).
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Mapping
from functools import cache

from spicealif._support.plugins import Addition
from spicealif.errors import DesignError
from spicealif.network.synapses._synapse import Synapse
from spicealif.network.synapses.crossbar import CrossbarSynapse
from spicealif.network.synapses.current import CurrentSynapse
from spicealif.network.synapses.diode import DiodeSynapse
from spicealif.network.synapses.memristor import MemristorSynapse

__all__ = ["ADDED", "OWN", "SYNAPSES", "load_synapse"]

#: Our own kinds by name.
OWN: dict[str, type[Synapse]] = {
    "diode": DiodeSynapse,
    "memristor": MemristorSynapse,
    "current": CurrentSynapse,
    "crossbar": CrossbarSynapse,
}
ADDED = Addition("spicealif.synapses", "kind of synapse", DesignError, tuple(OWN))


@cache
def load_synapse(name: str) -> type[Synapse]:
    """Return a kind of synapse by name.

    Raises
    ------
    DesignError
        If there is none, or it is a package's and cannot be loaded or is no kind of synapse.
    """
    if name in OWN:
        return OWN[name]
    (kind, label), ask = ADDED.load(name), "ask those who make it"
    if not (isinstance(kind, type) and issubclass(kind, Synapse)):
        raise DesignError(
            f"{label} is no subclass of spicealif.network.Synapse but {ascii(kind)[:60]}; {ask}."
        )
    lacking = sorted(kind.__abstractmethods__)
    lacking += [one for one in ("title", "weights") if not hasattr(kind, one)]
    if lacking:
        raise DesignError(f"{label} has no {', '.join(lacking)}; {ask}.")
    if any(one.opname == "RAISE_VARARGS" for one in dis.get_instructions(kind.equations)):
        raise DesignError(
            f"{label} raises in its equations, which compiled code cannot hand on; {ask}."
        )
    field = kind.model_fields.get("kind")
    if field is None or field.default != name:
        raise DesignError(
            f"{label} is announced under another name than its kind "
            f"({ascii(field.default if field else None)}); {ask}."
        )
    template = f"synapse_{name}.cir.j2"
    if not (kind.template_folder() / template).is_file():
        raise DesignError(f"{label} has no template {template} in its folder 'templates'; {ask}.")
    return kind


class _Synapses(Mapping[str, type[Synapse]]):
    """All kinds that can be had; a package's broken one is none of them."""

    def __getitem__(self, name: str) -> type[Synapse]:
        try:
            return load_synapse(name)
        except DesignError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        yield from OWN
        for name in ADDED.names()[len(OWN) :]:
            try:
                load_synapse(name)
            except DesignError:
                continue
            yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"SYNAPSES({', '.join(self)})"


#: Every kind of synapse that can be had by its name, which is its ``kind`` in a network.
SYNAPSES: Mapping[str, type[Synapse]] = _Synapses()

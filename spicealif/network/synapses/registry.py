"""The kinds of synapses by name: ours, and those of other packages.

A package announces a kind with the entry point ``spicealif.synapses``, whose name is its ``kind``,
and brings its template (`Synapse.template_folder`).
"""

from __future__ import annotations

import dis
from collections.abc import Mapping
from functools import cache

from spicealif._support.classes import ClassesByName, checked_class
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
    kind: type[Synapse]
    kind, label = checked_class(
        ADDED, name, Synapse, "spicealif.network.Synapse", ("title", "weights"),
        f"synapse_{name}.cir.j2",
    )  # fmt: skip
    if any(one.opname == "RAISE_VARARGS" for one in dis.get_instructions(kind.equations)):
        raise DesignError(
            f"{label} raises in its equations, which compiled code cannot hand on; ask those who "
            "make it."
        )
    return kind


#: Every kind of synapse that can be had by its name, which is its ``kind`` in a network.
SYNAPSES: Mapping[str, type[Synapse]] = ClassesByName("SYNAPSES", ADDED, load_synapse)

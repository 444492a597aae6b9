"""What ``spicealif plugins`` lists."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata

from spicealif._support.plugins import Announced, announced, patiently
from spicealif.design.devices.registry import ADDED as MODELS_ADDED
from spicealif.design.devices.registry import OWN, load_model
from spicealif.design.parts.store import added_parts, load_added
from spicealif.errors import SpicealifError
from spicealif.netlist.dialect import ADDED as DIALECTS_ADDED
from spicealif.netlist.dialect import OWN as OWN_DIALECTS
from spicealif.netlist.dialect import Dialect, find_dialect
from spicealif.network.synapses.registry import ADDED as SYNAPSES_ADDED
from spicealif.network.synapses.registry import OWN as OWN_SYNAPSES
from spicealif.network.synapses.registry import load_synapse
from spicealif.simulators import get_simulator
from spicealif.simulators.registry import GROUP

__all__ = ["Plugin", "find_plugins"]


@dataclass(frozen=True)
class Plugin:
    """Something that spicealif or another package brings.

    Attributes
    ----------
    what : str
        ``"simulator"``, ``"model"``, ``"dialect"``, ``"synapse"`` or ``"part"``.
    name : str
    package : str
        Which package brings it, with its version.
    target : str
        Module and name within it.
    trouble : str
        Why it cannot be had; empty if it can.
    """

    what: str
    name: str
    package: str
    target: str
    trouble: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the attributes as a dictionary."""
        return asdict(self)


def find_plugins() -> list[Plugin]:
    """Return all simulators, models, dialects and synapses, each with what is wrong with it."""
    ours = f"spicealif {metadata.version('spicealif')}"
    out = [_tried("simulator", one, _simulator) for one in announced(GROUP)]
    out += [Plugin("model", n, ours, f"{m.__module__}:{m.__name__}") for n, m in OWN.items()]
    out += [_tried("model", one, load_model) for one in MODELS_ADDED.found]
    out += [Plugin("dialect", n, ours, f"{Dialect.__module__}:OWN") for n in OWN_DIALECTS]
    out += [_tried("dialect", one, find_dialect) for one in DIALECTS_ADDED.found]
    out += [
        Plugin("synapse", n, ours, f"{s.__module__}:{s.__name__}") for n, s in OWN_SYNAPSES.items()
    ]
    out += [_tried("synapse", one, load_synapse) for one in SYNAPSES_ADDED.found]
    # Of ours there are twenty, which 'presets --parts' lists.
    return out + [_tried("part", one, load_added) for one in added_parts()]


def _simulator(name: str) -> None:
    get_simulator(name).close()


def _tried(what: str, one: Announced, load: Callable[[str], object]) -> Plugin:
    trouble = one.trouble
    if not trouble:
        try:
            if one.ours:
                load(one.name)
            else:
                patiently(functools.partial(load, one.name), f"The {what} {ascii(one.name)}")
        except SpicealifError as error:
            trouble = str(error).rstrip(".")
    target = one.entry.value if one.entry is not None else ""
    return Plugin(what, one.name or "?", one.package, target, trouble)

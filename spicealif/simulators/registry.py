"""Simulators by name, found through the entry points ``spicealif.simulators``."""

from __future__ import annotations

from importlib import metadata

from spicealif.errors import SimulatorError
from spicealif.simulators.run import Simulator

__all__ = ["get_simulator", "simulator_names"]

_GROUP = "spicealif.simulators"


def simulator_names() -> list[str]:
    """Return the names of the simulators that are registered, sorted."""
    return sorted({e.name for e in metadata.entry_points(group=_GROUP)})


def get_simulator(name: str) -> Simulator:
    """Return a new simulator; nothing is started or looked for yet.

    Parameters
    ----------
    name : str
        One of `simulator_names()`.

    Returns
    -------
    Simulator

    Raises
    ------
    SimulatorError
        If the name is not known.
    """
    for entry in metadata.entry_points(group=_GROUP):
        if entry.name == name:
            simulator: Simulator = entry.load()()
            return simulator
    raise SimulatorError(
        f"There is no simulator {ascii(name)}; choose one of {', '.join(simulator_names())}."
    )

"""Simulators by name, found through the entry points ``spicealif.simulators``."""

from __future__ import annotations

import inspect
from importlib import metadata
from typing import Any

from spicealif.errors import SimulatorError
from spicealif.simulators.run import Simulator

__all__ = ["get_simulator", "simulator_names"]

_GROUP = "spicealif.simulators"


def simulator_names() -> list[str]:
    """Return the names of the simulators that are registered, sorted."""
    return sorted({e.name for e in metadata.entry_points(group=_GROUP)})


def get_simulator(name: str, **options: Any) -> Simulator:
    """Return a new simulator; nothing is started or looked for yet.

    Parameters
    ----------
    name : str
        One of `simulator_names()`.
    **options
        What its class takes, such as ``solver="alternate"`` for `ltspice.Ltspice`, or
        ``cross_check=True`` for those that write raw files.

    Returns
    -------
    Simulator

    Raises
    ------
    SimulatorError
        If the name is not known, or an option is none of that simulator's.
    """
    for entry in metadata.entry_points(group=_GROUP):
        if entry.name == name:
            try:
                kind = entry.load()
            except Exception as error:
                raise SimulatorError(
                    f"The simulator {name} cannot be loaded ({type(error).__name__}: {error}); "
                    f"install {entry.dist.name if entry.dist else entry.value} again."
                ) from error
            known = inspect.signature(kind).parameters
            anything = any(p.kind is p.VAR_KEYWORD for p in known.values())
            for option in options:
                if option not in known and not anything:
                    takes = f"it takes {', '.join(known)}" if known else "it takes none"
                    raise SimulatorError(
                        f"The simulator {name} has no option {ascii(option)}; {takes}."
                    )
            simulator: Simulator = kind(**options)
            return simulator
    raise SimulatorError(
        f"There is no simulator {ascii(name)}; choose one of {', '.join(simulator_names())}."
    )

"""Simulators by name, found through the entry points ``spicealif.simulators``.

Ours are found so, and those of other packages (see `spicealif._support.plugins`).
"""

from __future__ import annotations

import inspect
from typing import Any

from spicealif._support.plugins import Announced, announced, careful, chosen
from spicealif.errors import SimulatorError
from spicealif.simulators.run import Simulator

__all__ = ["GROUP", "get_simulator", "simulator_names", "version_of"]

GROUP = "spicealif.simulators"
#: What a simulator has, see `Simulator`.
_METHODS, _TEXTS = ("run", "close"), ("name", "dialect")


def simulator_names() -> list[str]:
    """Return the names of the simulators that are registered, sorted.

    Examples
    --------
    >>> simulator_names()
    ['equations', 'ltspice', 'ngspice', 'ngspice-batch']
    """
    return sorted({found.name for found in announced(GROUP) if found.name})


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
        If the name is not known, an option is none of that simulator's, or it is a plug-in that
        does not load, is no simulator, or shares its name with another one.

    Examples
    --------
    >>> get_simulator("equations").name
    'equations'
    """
    found = announced(GROUP)
    names = sorted({one.name for one in found if one.name})
    unknown = f"There is no simulator {ascii(name)}; choose one of {', '.join(names)}."
    label = f"The simulator {ascii(name)[1:-1]}"
    return _made(chosen(found, name, SimulatorError, label, unknown), options)


def version_of(simulator: Simulator) -> str:
    """Return a simulator's version, whatever a plug-in does when it is asked.

    Raises
    ------
    SimulatorError
        If it has none to tell, or raises something else than our errors.
    """
    label = f"The simulator {ascii(getattr(simulator, 'name', '?'))[1:-1]}"
    told: object = careful(
        lambda: simulator.version, f"{label} cannot tell its version", "install it again"
    )
    if not isinstance(told, str) or not told:
        raise SimulatorError(
            f"{label} gives {ascii(told)[:60]} for its version instead of a text; ask those who "
            "make it."
        )
    return told


def _made(found: Announced, options: dict[str, Any]) -> Simulator:
    assert found.entry is not None
    label, again = f"The simulator {ascii(found.name)[1:-1]}", f"install {found.package} again"
    kind = careful(found.entry.load, f"{label} cannot be loaded", again)
    if not callable(kind):
        raise SimulatorError(
            f"{label} of {found.package} is no class but {ascii(kind)[:60]}; ask those who make it."
        )
    try:
        known = inspect.signature(kind).parameters
    except (TypeError, ValueError):  # of something compiled, which tells nothing
        known = {}  # type: ignore[assignment]
    anything = any(p.kind is p.VAR_KEYWORD for p in known.values())
    for option in options:
        if option not in known and not anything:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise SimulatorError(f"{label} has no option {ascii(option)}; {takes}.")
    made: Any = careful(lambda: kind(**options), f"{label} cannot be made", again)
    lacking = careful(lambda: _lacking(made), f"{label} cannot be made", again)
    if lacking:
        raise SimulatorError(
            f"{label} of {found.package} is no simulator, since it has no {', '.join(lacking)}; "
            "ask those who make it."
        )
    simulator: Simulator = made
    return simulator


def _lacking(made: Any) -> list[str]:
    """Return what something lacks of a simulator, without asking it for its version."""
    lacking = [m for m in _METHODS if not callable(getattr(made, m, None))]
    lacking += [t for t in _TEXTS if not isinstance(getattr(made, t, None), str)]
    # Something that hands everything on to another object has its attributes nowhere.
    static = inspect.getattr_static(made, "version", None)
    if static is None and not hasattr(type(made), "__getattr__"):
        lacking.append("version")
    return lacking

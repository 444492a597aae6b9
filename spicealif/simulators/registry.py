"""Simulators by name, found through the entry points ``spicealif.simulators``.

Ours are found so, and those of other packages (plug-ins). A plug-in can be broken in any way: its
import can fail or end the program, its class can be none, two can have the same name, the file
that announces it can be no text. None of that may touch the other simulators.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeVar

from spicealif.errors import SimulatorError, SpicealifError
from spicealif.simulators.run import Simulator

__all__ = [
    "Announced",
    "announced",
    "get_simulator",
    "patiently",
    "simulator_names",
    "version_of",
]

_T = TypeVar("_T")

_GROUP = "spicealif.simulators"
_OURS = "spicealif"
#: Seconds that a plug-in may take to be looked at.
_PATIENCE = 20.0
#: What a simulator has, see `Simulator`.
_METHODS, _TEXTS = ("run", "close"), ("name", "dialect")


@dataclass(frozen=True)
class Announced:
    """A simulator that a package announces.

    Attributes
    ----------
    name : str
        As which it is announced; empty if the announcement itself cannot be read.
    package : str
        Which package does, with its version.
    entry : EntryPoint or None
        How to load it.
    trouble : str
        Why it cannot be had under this name; empty if nothing is known against it.
    """

    name: str
    package: str
    entry: metadata.EntryPoint | None
    trouble: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is one of this package's own."""
        return self.package.partition(" ")[0] == _OURS


def simulator_names() -> list[str]:
    """Return the names of the simulators that are registered, sorted."""
    return sorted({found.name for found in announced() if found.name})


def announced() -> list[Announced]:
    """Return all simulators that packages announce, ours first, each with what is wrong with it.

    Nothing is imported; that a plug-in fails to load shows in `get_simulator`.
    """
    found: list[Announced] = []
    # Package by package, so that one whose files are damaged stops no other. A package that is
    # found twice is there once, as for imports: where it is found first.
    seen: set[str] = set()
    for distribution in metadata.distributions():
        package = "a package without a name"
        try:
            name = distribution.name
            if name.lower() in seen:
                continue
            seen.add(name.lower())
            package = f"{name} {distribution.version}"
            entries = [e for e in distribution.entry_points if e.group == _GROUP]
        except Exception as error:
            reason = f"its entry points cannot be read ({_what(error)}); install it again"
            if _announces(distribution):
                found.append(Announced("", package, None, reason))
            continue
        found += [Announced(e.name, package, e) for e in entries]
    return sorted((_judged(f, found) for f in found), key=lambda f: (not f.ours, f.name, f.package))


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
    """
    named = [found for found in announced() if found.name == name]
    for found in named:
        if not found.trouble:
            return _made(found, options)
    if named:
        raise SimulatorError(
            f"The simulator {ascii(name)[1:-1]} cannot be used: {named[0].trouble}."
        )
    raise SimulatorError(
        f"There is no simulator {ascii(name)}; choose one of {', '.join(simulator_names())}."
    )


def version_of(simulator: Simulator) -> str:
    """Return a simulator's version, whatever a plug-in does when it is asked.

    Raises
    ------
    SimulatorError
        If it has none to tell, or raises something else than our errors.
    """
    label = f"The simulator {ascii(getattr(simulator, 'name', '?'))[1:-1]}"
    told: object = _careful(
        lambda: simulator.version, f"{label} cannot tell its version", "install it again"
    )
    if not isinstance(told, str) or not told:
        raise SimulatorError(
            f"{label} gives {ascii(told)[:60]} for its version instead of a text; ask those who "
            "make it."
        )
    return told


def patiently(call: Callable[[], _T], what: str) -> _T:
    """Return what a call gives, if that does not take too long.

    Parameters
    ----------
    call : callable
        Runs in a thread, which is left behind if it hangs: nothing else ends it.
    what : str
        What hangs, for the error.

    Raises
    ------
    SimulatorError
        If it takes longer.
    Exception
        What the call raises.
    """
    answers: list[_T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)

    asking = threading.Thread(target=ask, name="spicealif-patiently", daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    if errors:
        raise errors[0]
    if not answers:
        raise SimulatorError(
            f"{what} has not answered after {_PATIENCE:g} s; uninstall it, or ask those who make "
            "it."
        )
    return answers[0]


def _judged(one: Announced, all_of_them: list[Announced]) -> Announced:
    """Say of a simulator whether others want its name."""
    if one.entry is None or one.ours:
        return one  # nobody takes our names away from us
    others = [f for f in all_of_them if f.name == one.name and f is not one and f.entry is not None]
    if not others:
        return one
    if any(f.ours for f in others):
        trouble = f"{one.package} announces it too, and spicealif's own counts; uninstall that one"
    else:
        packages = sorted({f.package for f in [one, *others]})
        trouble = (
            f"{' and '.join(packages)} both announce it; uninstall one of them"
            if len(packages) > 1
            else f"{one.package} announces it twice; install that again"
        )
    return Announced(one.name, one.package, one.entry, trouble)


def _made(found: Announced, options: dict[str, Any]) -> Simulator:
    assert found.entry is not None
    label, again = f"The simulator {ascii(found.name)[1:-1]}", f"install {found.package} again"
    kind = _careful(found.entry.load, f"{label} cannot be loaded", again)
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
    made: Any = _careful(lambda: kind(**options), f"{label} cannot be made", again)
    lacking = _careful(lambda: _lacking(made), f"{label} cannot be made", again)
    if lacking:
        raise SimulatorError(
            f"{label} of {found.package} is no simulator, since it has no {', '.join(lacking)}; "
            "ask those who make it."
        )
    simulator: Simulator = made
    return simulator


def _careful(call: Callable[[], Any], what: str, remedy: str) -> Any:
    """Return what a call of foreign code gives; whatever it raises becomes an error of ours."""
    try:
        return call()
    except (KeyboardInterrupt, SpicealifError):
        raise
    except BaseException as error:  # a plug-in may even leave the program (SystemExit)
        raise SimulatorError(f"{what} ({_what(error)}); {remedy}.") from error


def _lacking(made: Any) -> list[str]:
    """Return what something lacks of a simulator, without asking it for its version."""
    lacking = [m for m in _METHODS if not callable(getattr(made, m, None))]
    lacking += [t for t in _TEXTS if not isinstance(getattr(made, t, None), str)]
    # Something that hands everything on to another object has its attributes nowhere.
    static = inspect.getattr_static(made, "version", None)
    if static is None and not hasattr(type(made), "__getattr__"):
        lacking.append("version")
    return lacking


def _announces(distribution: metadata.Distribution) -> bool:
    """Return whether a package's entry points, which cannot be read, are meant for us."""
    try:
        return _GROUP in (distribution.read_text("entry_points.txt") or "")
    except Exception:
        return True  # no text at all: nobody can tell


def _what(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__

"""What other packages add to ours, found through entry points.

A plug-in can be broken in any way: its import can fail or end the program, what it announces can be
something else, two can have the same name, the file that announces it can be no text. None of that
may touch ours or the other plug-ins.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import metadata
from typing import Any, TypeVar

from spicealif.errors import SimulatorError, SpicealifError

__all__ = ["Addition", "Announced", "announced", "careful", "chosen", "patiently", "reason_of"]

_T = TypeVar("_T")
_OURS = "spicealif"
#: Seconds that a plug-in may take to be looked at.
_PATIENCE = 20.0


@dataclass(frozen=True)
class Announced:
    """Something that a package announces.

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


def announced(group: str) -> list[Announced]:
    """Return all that packages announce of a kind, ours first, each with what is wrong with it.

    Nothing is imported; that a plug-in fails to load shows when it is loaded.

    Parameters
    ----------
    group : str
        Of the entry points, such as ``"spicealif.simulators"``.
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
            entries = [e for e in distribution.entry_points if e.group == group]
        except Exception as error:
            reason = f"its entry points cannot be read ({reason_of(error)}); install it again"
            if _announces(distribution, group):
                found.append(Announced("", package, None, reason))
            continue
        found += [Announced(e.name, package, e) for e in entries]
    return sorted((_judged(f, found) for f in found), key=lambda f: (not f.ours, f.name, f.package))


def chosen(found: Sequence[Announced], name: str, kind: type[SpicealifError], label: str,
           unknown: str) -> Announced:  # fmt: skip
    """Return what is announced under a name and can be had.

    Parameters
    ----------
    found : sequence of Announced
    name : str
    kind : type of SpicealifError
        What to raise if there is none.
    label, unknown : str
        What it is called in a sentence, and the sentence if nobody announces it.
    """
    named = [one for one in found if one.name == name]
    for one in named:
        if not one.trouble:
            return one
    raise kind(f"{label} cannot be used: {named[0].trouble}." if named else unknown)


@dataclass(frozen=True)
class Addition:
    """Something that packages add to what we have: memristor models, netlist dialects.

    Attributes
    ----------
    group : str
        Of the entry points.
    what : str
        What one is called, such as ``"memristor model"``.
    kind : type of SpicealifError
        Of what is raised.
    ours : tuple of str
        Names of our own, in the order in which they are listed.
    reserved : tuple of str
        Names beside these that no package can have.
    """

    group: str
    what: str
    kind: type[SpicealifError]
    ours: tuple[str, ...]
    reserved: tuple[str, ...] = ()

    @cached_property
    def found(self) -> tuple[Announced, ...]:
        """Return what packages announce, each with what is wrong with it; nothing is loaded."""
        trouble = (
            f"spicealif's own {self.what.split()[-1]} of that name counts; uninstall the package"
        )
        taken = (*self.ours, *self.reserved)
        return tuple(
            replace(one, trouble=trouble) if one.name in taken else one
            for one in announced(self.group)
        )

    def names(self) -> list[str]:
        """Return the names that there should be, ours first; nothing is loaded for it."""
        others = {one.name for one in self.found if one.name} - {*self.ours, *self.reserved}
        return [*self.ours, *sorted(others)]

    def load(self, name: str) -> tuple[Any, str]:
        """Return what a package brings under a name, and what that is called in a sentence.

        Raises
        ------
        SpicealifError
            Of this `kind`, if there is none, or it does not load or hangs.
        """
        unknown = f"There is no {self.what} {ascii(name)}; choose one of {', '.join(self.names())}."
        called = f"The {self.what} {ascii(name)}"
        one = chosen(self.found, name, self.kind, called, unknown)
        assert one.entry is not None
        (load, label) = (one.entry.load, f"{called} of {one.package}")
        loaded = careful(
            lambda: patiently(load, label, self.kind),
            f"{label} cannot be loaded",
            "install it again",
            self.kind,
        )
        return loaded, label


def careful(
    call: Callable[[], Any], what: str, remedy: str, kind: type[SpicealifError] = SimulatorError
) -> Any:
    """Return what a call of foreign code gives; whatever it raises becomes an error of ours.

    Parameters
    ----------
    call : callable
    what, remedy : str
        Begin and end of the sentence.
    kind : type of SpicealifError
        Of the error.
    """
    try:
        # What foreign code prints is no part of our output, which may be JSON.
        with contextlib.redirect_stdout(sys.stderr):
            return call()
    except (KeyboardInterrupt, SpicealifError):
        raise
    except BaseException as error:  # a plug-in may even leave the program (SystemExit)
        raise kind(f"{what} ({reason_of(error)}); {remedy}.") from error


def patiently(call: Callable[[], _T], what: str, kind: type[SpicealifError] = SimulatorError) -> _T:
    """Return what a call gives, if that does not take too long.

    Parameters
    ----------
    call : callable
        Runs in a thread, which is left behind if it hangs: nothing else ends it.
    what : str
        What hangs, for the error.
    kind : type of SpicealifError
        Of the error.

    Raises
    ------
    SpicealifError
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
        raise kind(
            f"{what} has not answered after {_PATIENCE:g} s; uninstall it, or ask those who make "
            "it."
        )
    return answers[0]


def reason_of(error: BaseException) -> str:
    """Return what an error says, short enough for a sentence."""
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _judged(one: Announced, all_of_them: list[Announced]) -> Announced:
    """Say of something announced whether others want its name."""
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


def _announces(distribution: metadata.Distribution, group: str) -> bool:
    """Return whether a package's entry points, which cannot be read, are meant for us."""
    try:
        return group in (distribution.read_text("entry_points.txt") or "")
    except Exception:
        return True  # no text at all: nobody can tell

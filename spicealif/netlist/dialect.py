"""What netlists of different simulators call the same things.

Why dialects differ at all: the elements of our netlists are of the subset that ngspice and LTspice
both understand (see `spicealif.netlist.portable`), so the templates are shared. What differs is
what SPICE never standardised: how a vector is spelled in ``.save`` and in the raw file, what
separates the levels of a hierarchical name, which options exist, and what a ``.tran`` card's first
field does. That is here; the head of the netlist and the card itself are templates in the dialect's
own folder. Other packages announce dialects of their own with the entry point
``spicealif.dialects``, which names a `Dialect`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from spicealif._support.plugins import Addition
from spicealif.errors import NetlistError

__all__ = ["ADDED", "OWN", "Dialect", "dialects", "find_dialect"]


@dataclass(frozen=True)
class Dialect:
    """The spellings of one dialect.

    Attributes
    ----------
    name : str
        Its name, which is also its templates' folder.
    voltage, current : str
        How the voltage of a node and the current into a source are written, the name as ``{}``.
    separator : str
        What stands between the levels of a hierarchical name, as in ``x_cmp.t1``.
    options : frozenset of str
        Options that this dialect alone has.
    step_may_be_zero : bool
        Whether the first field of ``.tran`` may be 0.
    makers_mode : str
        What a simulator is to be set to where a netlist holds a maker's model, which speaks
        PSpice or LTspice; empty if nothing.
    has_library : bool
        Whether LTspice's own library is at hand.
    templates : Path or None
        Folder of its templates (``neuron_head.cir.j2``, ``series_head.cir.j2``,
        ``transient.cir.j2``); None for our own dialects.
    """

    name: str
    voltage: str = "v({})"
    current: str = "i({})"
    separator: str = "."
    options: frozenset[str] = frozenset()
    step_may_be_zero: bool = False
    makers_mode: str = ""
    has_library: bool = False
    templates: Path | None = None


#: Our own dialects by name.
OWN = {
    d.name: d
    for d in (
        Dialect("ngspice", makers_mode="ltpsa"),
        Dialect(
            "ltspice",
            "V({})",
            "I({})",
            separator=":",
            options=frozenset({"plotwinsize", "numdgt"}),
            step_may_be_zero=True,
            has_library=True,
        ),
    )
}
_TEMPLATES = ("neuron_head.cir.j2", "series_head.cir.j2", "transient.cir.j2")


ADDED = Addition("spicealif.dialects", "netlist dialect", NetlistError, tuple(sorted(OWN)))


def dialects() -> list[str]:
    """Return the names of the dialects that netlists can be written in, sorted.

    A package's that cannot be loaded is none of them.
    """
    names = set(OWN)
    for name in set(ADDED.names()) - names:
        with contextlib.suppress(NetlistError):
            names.add(find_dialect(name).name)
    return sorted(names)


def find_dialect(name: str) -> Dialect:
    """Return a dialect.

    Parameters
    ----------
    name : str
        One of `dialects()`.

    Returns
    -------
    Dialect

    Raises
    ------
    NetlistError
        If there is no such dialect, or it is a package's and cannot be loaded.
    """
    if name in OWN:
        return OWN[name]
    (loaded, label), ask = ADDED.load(name), "ask those who make it"
    if not isinstance(loaded, Dialect):
        raise NetlistError(
            f"{label} is no spicealif.netlist.Dialect but {ascii(loaded)[:60]}; {ask}."
        )
    if loaded.name != name:
        raise NetlistError(
            f"{label} is announced under another name than its own ({ascii(loaded.name)}); {ask}."
        )
    lacking = [t for t in _TEMPLATES if not ((loaded.templates or Path()) / t).is_file()]
    if loaded.templates is None or lacking:
        raise NetlistError(f"{label} has no templates {', '.join(lacking or _TEMPLATES)}; {ask}.")
    return loaded

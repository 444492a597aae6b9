"""What netlists of different simulators call the same things.

Why dialects differ at all: the elements of our netlists are of the subset that ngspice and LTspice
both understand (see `spicealif.netlist.portable`), so the templates are shared. What differs is
what SPICE never standardised: how a vector is spelled in ``.save`` and in the raw file, what
separates the levels of a hierarchical name, which options exist, and what a ``.tran`` card's first
field does. The first two are here; the other two are templates in the dialect's own folder.
"""

from __future__ import annotations

from dataclasses import dataclass

from spicealif.errors import NetlistError

__all__ = ["Dialect", "dialects", "find_dialect"]


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
    """

    name: str
    voltage: str = "v({})"
    current: str = "i({})"
    separator: str = "."


_DIALECTS = {
    d.name: d for d in (Dialect("ngspice"), Dialect("ltspice", "V({})", "I({})", separator=":"))
}


def dialects() -> list[str]:
    """Return the names of the dialects that netlists can be written in."""
    return sorted(_DIALECTS)


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
        If there is no such dialect.
    """
    if name not in _DIALECTS:
        raise NetlistError(
            f"There is no netlist dialect {ascii(name)}; choose one of {', '.join(dialects())}."
        )
    return _DIALECTS[name]

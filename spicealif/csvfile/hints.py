"""What a heading, or a line above the table, may say of units, signs and scales without being read.

Nothing is read by these rules: where one finds something, the user is asked.
"""

from __future__ import annotations

import re

from spicealif.csvfile.headings import GENERIC, Heading, key_of
from spicealif.csvfile.units import find_unit, is_ambiguous

__all__ = ["other_sign", "other_unit", "unit_above"]

_APART = re.compile(r"[\s,;|:=\[\]\(\)\{\}<>\"'/_.*]+")
_NUMBER = re.compile(r"[-+]?[\d.]+(?:e[-+]?\d+)?", re.IGNORECASE)
_LONG_TIMES = re.compile(r"minutes?|hours?|days", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[({].*")
_INDEX = re.compile(r"(?:\[\d+\]|\(\d+\))+\s*\Z")
#: In front of a name, or anywhere in it, signs that turn, square, rectify or scale a quantity.
_TURNED = re.compile(r"\s*[-\u2212\u2013~]|.*[|^*\u221a\u00d7\u00b2\u00b7]|.*/\s*\d|.*\bx ?10",
                     re.IGNORECASE | re.DOTALL)  # fmt: skip
_UNIT_PART = re.compile(r"[\[(][^\[\]()]*[\])]")


def unit_above(line: str, base: str) -> bool:
    """Return whether a line above the table names a unit that is not the one assumed.

    Parameters
    ----------
    line : str
    base : str
        ``s``, ``V`` or ``A``, which is assumed of a column without a unit. A line that names just
        that, and a number with its unit (``sampled every 50 us``), contradict nothing.
    """
    cells = [cell for cell in _APART.split(line) if cell]
    return any(
        _scaled(cell, base) and not (k and _NUMBER.fullmatch(cells[k - 1]))
        for k, cell in enumerate(cells)
    )


def other_unit(text: str, base: str) -> bool:
    """Return whether a heading in which no unit was found may hold one all the same."""
    bare = _INDEX.sub("", text)
    if _BRACKETED.search(bare) or unit_above(bare, base):
        return True
    # timems, currentmA
    return any(
        key_of(bare).startswith(name) and _scaled(bare.strip()[len(name) :], base)
        for name in GENERIC[base] if len(name) > 1
    )  # fmt: skip


def other_sign(text: str, head: Heading) -> bool:
    """Return whether a heading says ``-I``, ``|I|``, ``I*1000``, ``I (mA) x10``."""
    bare = _UNIT_PART.sub(" ", text)
    if head.unit and bare.rstrip().endswith(head.unit):
        bare = bare.rstrip()[: -len(head.unit)]
    return bool(_TURNED.match(bare))


def _scaled(cell: str, base: str) -> bool:
    unit = find_unit(cell)
    if unit is not None:
        return unit.base == base and unit.power != 0
    if base == "s" and _LONG_TIMES.fullmatch(cell):
        return True
    return is_ambiguous(cell) and Heading("", cell).base == base

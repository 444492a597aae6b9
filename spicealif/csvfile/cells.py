"""What one cell of a table says: a number, that there is none, or something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "LARGEST",
    "NumberFormat",
    "find_formats",
    "is_either",
    "kind_of",
    "missing_word",
    "parse_number",
]

#: Larger numbers are codes of instruments (9.9E37 infinity, 9.91E37 none, 199.999E99): nobody
#: measures such values, in whatever unit.
LARGEST = 1e30

_BLANK_WORDS = frozenset({"", "-", "--", "---", "----", ".", "?", "??", "???"})
_NO_VALUE_WORDS = (
    "nan n/a na null none nil missing undef undefined invalid inf -inf +inf infinity -infinity "
    "+infinity \u221e -\u221e +\u221e ovld overload ol -ol +ol o.l overflow -overflow +overflow "
    "ovrflw overld over overrange underrange clipped clip #n/a #nv #na #value! #wert! #div/0! "
    "#num! #zahl! #ref! #bezug! #name? 1.#qnan -1.#qnan 1.#ind -1.#ind 1.#inf -1.#inf +1.#inf "
    "1.#snan -nan -nan(ind) nan(ind) +nan ---.-- --.-- -----"
)
_NO_VALUE = frozenset(_NO_VALUE_WORDS.split())
_STARS = re.compile(r"\*{2,}|#{2,}")

_DIGIT = re.compile(r"[0-9]")
_LONGEST = 60  # characters of a number, written by whatever program

_EXPONENT = r"(?:[eEdD][+-]?\d+)?"
# (Two runs of digits side by side would take time with the square of a long cell's length.)
_PLAIN = re.compile(rf"[+-]?(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}", re.ASCII)
_COMMA = re.compile(rf"[+-]?\d+,\d+{_EXPONENT}", re.ASCII)
#: ``1,234`` and ``1.234``: a decimal sign, or one between thousands?
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)
#: Blanks between thousands (also the no-break and the narrow one) and apostrophes.
_GAPS = "[ \u00a0\u2009\u202f'\u2019]"
_GROUPED = {
    point: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}(?:([{other}]|{_GAPS})\d{{3}})(?:\1\d{{3}})*"
        rf"([{point}]\d*)?{_EXPONENT}",
        re.ASCII,
    )
    for point, other in ((".", ","), (",", "."))
}
_QUANTITY = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*"
    r"(?:[fpnu\u00b5\u03bcmkKMGT]|meg|Meg|MEG)?(?:s|V|A|sec|Volt|Amp)?\Z"
)
_RKM = re.compile(r"[+-]?\d+[pnu\u00b5\u03bcmkM]\d+\Z", re.ASCII)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-"})


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : str
        ``"."``, ``","``, or ``"?"`` as long as the cells do not tell.
    groups : str
        The sign between thousands that was seen beyond doubt, or an empty text.
    """

    decimal: str = "."
    groups: str = ""


def kind_of(cell: str) -> str:
    """Return ``n`` (number), ``q`` (number with prefix or unit), ``m`` (no value) or ``t`` (text).

    Parameters
    ----------
    cell : str
        Stripped.
    """
    if len(cell) > _LONGEST:
        return "n" if _PLAIN.fullmatch(cell) else "t"
    return _kind_of(cell)


@lru_cache(maxsize=4096)  # the same cells are looked at with one delimiter after another
def _kind_of(cell: str) -> str:
    if not cell:
        return "m"
    if _PLAIN.fullmatch(cell):
        return "n"
    if missing_word(cell) is not None:
        return "m"
    if _DIGIT.search(cell) is None:
        return "t"
    cell = cell.translate(_MINUS)
    if _PLAIN.fullmatch(cell) or _COMMA.fullmatch(cell):
        return "n"
    if any(grouped.fullmatch(cell) for grouped in _GROUPED.values()):
        return "n"
    return "q" if _QUANTITY.match(cell) or _RKM.match(cell) else "t"


def is_either(cell: str) -> bool:
    """Return whether a cell is one such as ``1,234``, a number in two ways."""
    return _EITHER.fullmatch(cell.translate(_MINUS)) is not None


def missing_word(cell: str) -> str | None:
    """Return what a cell says that has no value (an empty text if nothing); None for others."""
    word = cell.lower()
    if word in _BLANK_WORDS:
        return ""
    if word in _NO_VALUE or _STARS.fullmatch(cell):
        return cell
    return None


def parse_number(cell: str, form: NumberFormat) -> float | None:
    """Return the number in a cell, or None if it is none beyond doubt.

    Parameters
    ----------
    cell : str
        Stripped, not empty.
    form : NumberFormat
        Of the column.
    """
    cell = cell.translate(_MINUS)
    if form.decimal == ".":
        if _PLAIN.fullmatch(cell):
            return _float(cell)
    elif form.decimal == ",":
        if _COMMA.fullmatch(cell):
            return _float(cell.replace(",", "."))
        if _PLAIN.fullmatch(cell) and "." not in cell:
            return _float(cell)
    elif _PLAIN.fullmatch(cell) and "." not in cell:
        return _float(cell)
    else:
        return None
    match = _GROUPED[form.decimal].fullmatch(cell)
    if match is None:
        return None
    sign = match[1]
    # "1,234" among decimal points may be either, unless "1,234.5" stands in the column as well.
    if sign in ".," and cell.count(sign) == 1 and match[2] is None and form.groups != sign:
        return None
    return _float(cell.replace(sign, "").replace(",", "."))


def find_formats(rows: Iterable[Sequence[str]], width: int) -> list[NumberFormat]:
    """Return how the numbers of each column are written.

    A column speaks for itself where it can; one that cannot (only cells such as ``1,234``) goes
    with the rest of the table, and where that does not tell either stays open.

    Parameters
    ----------
    rows : iterable of sequences of str
        The first rows of the table.
    width : int
        Number of columns.
    """
    seen: list[set[str]] = [set() for _ in range(width)]
    for row in rows:
        for signs, cell in zip(seen, row, strict=False):
            if "," in cell or "." in cell:
                signs.update(_evidence(cell.strip().translate(_MINUS)))
    decimals = {sign for signs in seen for sign in signs & {".", ","}}
    commas_group = any("g," in signs for signs in seen)
    forms = []
    for signs in seen:
        groups = "".join(sign[1] for sign in sorted(signs) if sign in {"g.", "g,"})[:1]
        if signs & {".", ","}:
            # Both in one column: those with a point are read, the others are refused.
            decimal = "." if "." in signs else ","
        elif "?" in signs:  # 1,234
            decimal = "," if decimals == {","} and "p" not in signs else "?"
            if commas_group and decimals == {"."}:
                decimal, groups = ".", ","
        elif "p" in signs:  # 1.234
            decimal = "?" if "," in decimals else "."
        else:
            decimal = "," if decimals == {","} else "."
        forms.append(NumberFormat(decimal, groups))
    return forms


def _evidence(cell: str) -> set[str]:
    """Return what a cell says of decimal signs: itself, ``p`` for 1.234 and ``?`` for 1,234."""
    if either := _EITHER.fullmatch(cell):
        return {"p"} if either[1] == "." else {"?"}
    if _PLAIN.fullmatch(cell):
        return {"."} if "." in cell else set()
    if _COMMA.fullmatch(cell):
        return {","}
    for decimal, grouped in _GROUPED.items():
        match = grouped.fullmatch(cell)
        if match is None:
            continue
        sign = match[1]
        if sign not in ".,":
            return {decimal} if match[2] else set()
        if match[2] or cell.count(sign) > 1:
            return {decimal, f"g{sign}"}
    return set()


def _float(cell: str) -> float:
    return float(cell.replace("d", "e").replace("D", "e"))

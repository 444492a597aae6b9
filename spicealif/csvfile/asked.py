"""Columns as a user names them: ``v_in=CH1``, ``time=1 [ms]``, ``i=-#3``, ``time=every 2us``."""

from __future__ import annotations

import math
import re

import numpy as np

from spicealif.csvfile.headings import key_of, parse_heading
from spicealif.csvfile.match import LONG, Match, Pick, Quantity, listed
from spicealif.csvfile.table import Table
from spicealif.csvfile.units import Unit
from spicealif.errors import TableFileError
from spicealif.quantities.grammar import parse_quantity

__all__ = ["are_numbers", "refuse_other_interval", "take_asked"]

#: Part by which a stated interval may differ from the mean one of a column of times.
_DIFFERENT = 0.02

_EVERY = re.compile(r"every\s+(?P<step>.+)", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"#(?P<number>\d{1,6})\s*(?:[\[(]\s*(?P<unit>[^\[\]()]+?)\s*[\])])?")
_NUMBER = re.compile(r"-?\s*#?\d+\s*(?:[\[(].*)?\Z")


def are_numbers(texts: list[str]) -> bool:
    """Return whether columns are asked for by their numbers, all of them."""
    return bool(texts) and all(
        _EVERY.fullmatch(text.strip()) or _NUMBER.match(text.strip()) for text in texts
    )


def take_asked(match: Match, quantity: Quantity, text: str, names: frozenset[str]) -> None:
    """Take the column that a text names.

    Parameters
    ----------
    match : Match
    quantity : Quantity
    text : str
        See `match_columns`.
    names : frozenset of str
        Headings that are known.

    Raises
    ------
    TableFileError
        If there is no such column, or there are several.
    """
    table = match.table
    if (every := _EVERY.fullmatch(text)) and text not in table.headings:
        if quantity.unit != "s":
            raise TableFileError(
                f"Only the time can be {ascii(text[:LONG])}; give {quantity.name} a column."
            )
        match.picks[quantity.name] = _equally_spaced(every["step"])
        return
    negative = text.startswith("-") and text not in table.headings
    plain = text[1:].strip() if negative else text
    column, unit = _asked(match, quantity, plain, names)
    # A unit behind a number with # is said in spite of the heading.
    match.add(quantity, column, unit, -1.0 if negative else 1.0, forced=plain.startswith("#"))


def refuse_other_interval(match: Match) -> None:
    """Refuse ``every 1us`` beside a column of times that are 50 us apart.

    Raises
    ------
    TableFileError
        If there is such a column.
    """
    pick = next((p for p in match.picks.values() if p.column is None and p.counter is None), None)
    if pick is None or pick.step <= 0:
        return
    for k, head in enumerate(match.heads):
        known = head.known
        if k in match.taken or known is None or known.base != "s":
            continue
        values = match.table.columns[k].values
        values = values[np.isfinite(values)]
        if len(values) < 2 or not values[-1] > values[0]:
            continue
        step = float(values[-1] - values[0]) / (len(values) - 1) * 10.0**known.power
        # Times that were rounded, for which this is the way out, are right on the whole.
        if abs(step - pick.step) > _DIFFERENT * step:
            raise TableFileError(
                f"The rows of {match.table.name} are {step:.4g} s apart by its column "
                f"{match.shown(k)} and are said to be {pick.step:.4g} s apart; take one of them: "
                f"{match.way('time', f'#{k + 1}')}, or the file without that column."
            )


def _equally_spaced(text: str) -> Pick:
    try:
        step = parse_quantity(text, "s")
    except ValueError as error:
        raise TableFileError(f"The time between rows {error}.") from None
    if not (step > 0 and math.isfinite(step)):
        raise TableFileError(f"The time between rows is {step:g} s; give a positive one.")
    return Pick(None, Unit("s"), shown=f"a sample every {step:g} s", step=step)


def _asked(match: Match, quantity: Quantity, plain: str, names: frozenset[str]) -> tuple[int, str]:
    """Return column and unit (if stated) of a column that is asked for."""
    table = match.table
    if number := _NUMBERED.fullmatch(plain):
        return _numbered(table, int(number["number"])), number["unit"] or ""
    same = [k for k, heading in enumerate(table.headings) if plain and plain == heading]
    unit = ""
    if not same:
        wanted = parse_heading(plain, names)
        unit = wanted.unit
        name = wanted.name or plain
        same = [k for k, h in enumerate(table.headings) if name == h]
        same = same or [k for k, head in enumerate(match.heads) if name == head.name and name]
        if not same and re.fullmatch(r"\d{1,6}", name):
            return _numbered(table, int(name)), unit
        if not same:
            same = [k for k, head in enumerate(match.heads)
                    if key_of(name) and key_of(name) in (key_of(head.name),
                                                         key_of(table.headings[k]))]  # fmt: skip
    else:
        name = plain
    if not same:
        raise TableFileError(
            f"The file {table.name} has no column {ascii(plain[:LONG])}; give one of its headings "
            f"({listed(table.headings)}) or a number from 1 to {len(table.columns)}."
        )
    if len(same) > 1:
        both = " and ".join(str(k + 1) for k in same[:2])
        raise TableFileError(
            f"The file {table.name} has {ascii(plain[:LONG])} over the columns {both}; give the "
            f"number, as in {match.way(quantity.name, f'#{same[0] + 1}')} or "
            f"{match.way(quantity.name, f'#{same[1] + 1}')}."
        )
    if name.isdigit() and int(name) != same[0] + 1:
        match.notes.append(
            f"{ascii(name)} is the heading of column {same[0] + 1}; #{name} would be the column "
            "of that number."
        )
    return same[0], unit


def _numbered(table: Table, number: int) -> int:
    if not 1 <= number <= len(table.columns):
        raise TableFileError(
            f"The file {table.name} has {len(table.columns)} columns, no column {number}; give a "
            f"number from 1 to {len(table.columns)}."
        )
    return number - 1

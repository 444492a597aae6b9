"""Which column is which quantity: by heading, by unit, or as it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spicealif.csvfile.asked import are_numbers, refuse_other_interval, take_asked
from spicealif.csvfile.headings import Heading, parse_heading
from spicealif.csvfile.match import Match, Pick, Quantity, Way
from spicealif.csvfile.table import Table
from spicealif.csvfile.units import Unit
from spicealif.errors import TableFileError

__all__ = ["counts", "match_columns"]


def match_columns(
    table: Table, quantities: Sequence[Quantity], wanted: Mapping[str, str], way: Way
) -> Match:
    """Find the columns of quantities by what is asked for, by headings and by units.

    Parameters
    ----------
    table : Table
    quantities : sequence of Quantity
    wanted : mapping of str to str
        Columns by quantity: a heading or a number from 1 (``#2`` where headings are numbers), with
        the unit in brackets where the file does not say it, and a minus in front to turn the sign.
        ``time`` may be ``every 2us`` where the rows are equally spaced and no column says how.
    way : callable
        Makes a remedy of a quantity and a column.

    Returns
    -------
    Match

    Raises
    ------
    TableFileError
        If a column that is asked for is not there, or two could be the same quantity.
    """
    names = frozenset().union(*(q.names for q in quantities))
    heads = [
        Heading(_unitless(text, names), unit) if unit else parse_heading(text, names)
        for text, unit in zip(table.headings, table.units, strict=True)
    ]
    match = Match(table, tuple(quantities), way, heads, asked=frozenset(wanted))
    known = {q.name: q for q in quantities}
    if unknown := set(wanted) - set(known):
        raise TableFileError(
            f"There is no quantity {ascii(min(unknown))} to assign a column to; use one of "
            f"{', '.join(known)}."
        )
    if table.doubt and not are_numbers(list(wanted.values())):
        raise TableFileError(
            f"The file {table.name} {table.doubt}; write one heading over each column, or give "
            f"the columns by their numbers: {way(quantities[0].name, 'NUMBER')}."
        )
    for name, text in wanted.items():
        take_asked(match, known[name], text.strip(), names)
    for quantity in quantities:
        if quantity.name not in match.picks:
            _take_known(match, quantity)
    bases = [q.unit for q in quantities]
    for quantity in quantities:
        if bases.count(quantity.unit) == 1 and quantity.name not in match.asked:
            _take_by_unit(match, quantity)
    if "time" in match.asked:
        refuse_other_interval(match)
    return match


def counts(values: npt.NDArray[np.float64]) -> bool:
    """Return whether a column numbers the rows."""
    return len(values) > 3 and bool(np.all(np.diff(values) == 1))


def _unitless(text: str, names: frozenset[str]) -> str:
    """Return the name of a heading whose unit stands in a row of its own."""
    head = parse_heading(text, names)
    return head.name or text


def _take_known(match: Match, quantity: Quantity) -> None:
    table = match.table
    which = [
        k for k, head in enumerate(match.heads)
        if k not in match.taken and head.base in ("", quantity.unit)
        and any(key in quantity.names for key in head.keys)
    ]  # fmt: skip
    with_numbers = [k for k in which if match.is_free(k)]
    # A time of day beside the seconds is no second time.
    which = with_numbers or which
    if quantity.unit != "s":  # "id" may be a current, or number the rows
        which = [k for k in which if match.heads[k].base or not counts(table.columns[k].values)]
    made = table.time if quantity.unit == "s" else None
    values = [table.columns[k].values for k in which]
    scales = [match.heads[k].known for k in which]
    if len(which) > 1 and all(
        scale == scales[0] and _same(v, values[0])
        for scale, v in zip(scales[1:], values[1:], strict=True)
    ):
        which = which[:1]  # ngspice repeats the time in front of each vector
    if len(which) > 1:
        both = " and ".join(match.shown(k) for k in which[:2])
        remedies = " or ".join(match.remedy(quantity.name, k) for k in which[:2])
        raise TableFileError(
            f"In {table.name} {both} could both be {quantity.what}; say which: {remedies}."
        )
    if which:
        match.add(quantity, which[0])
    elif made is not None:
        shown = f"start {made.start:g} s and increment {made.step:g} s in the preamble"
        match.picks[quantity.name] = Pick(
            None, Unit("s"), 1.0, shown, made.start, made.step, made.counter
        )
    else:
        _refuse_other_unit(match, quantity)


def _refuse_other_unit(match: Match, quantity: Quantity) -> None:
    """Refuse ``Time (min)`` and ``v_in (A)`` rather than to overlook them."""
    for k, head in enumerate(match.heads):
        named = any(key in quantity.names for key in head.keys)
        if named and match.is_free(k) and head.base not in ("", quantity.unit):
            match.add(quantity, k)


def _take_by_unit(match: Match, quantity: Quantity) -> None:
    """Take the one column in a quantity's unit whose name says nothing else.

    Beside a column that is known by its name, such a column is asked about.
    """
    columns = match.table.columns
    which = [
        k for k, head in enumerate(match.heads)
        if match.is_free(k) and head.base in ("", quantity.unit) and _may_be(head, quantity)
    ]  # fmt: skip
    if quantity.unit == "s":
        which = [k for k in which if _rises(columns[k].values)]
    pick = match.picks.get(quantity.name)
    if pick is not None and pick.column is not None:
        taken = pick.column
        others = [k for k in which if not _same(columns[k].values, columns[taken].values)]
        which = [taken, *others] if others else []
    if len(which) > 1:
        both = " and ".join(match.shown(k) for k in which[:2])
        remedies = " or ".join(match.remedy(quantity.name, k) for k in which[:2])
        raise TableFileError(
            f"In {match.table.name} {both} could both be {quantity.what}; say which: {remedies}."
        )
    if which:
        match.add(quantity, which[0])


def _may_be(head: Heading, quantity: Quantity) -> bool:
    if head.base == quantity.unit:
        return head.is_neutral or head.is_generic(quantity.unit)
    # I1, Current 2
    return quantity.unit == "A" and any(
        re.fullmatch(r"(?:i|current)(?:ch)?\d", key) for key in head.keys
    )


def _rises(values: npt.NDArray[np.float64]) -> bool:
    values = values[np.isfinite(values)]
    return len(values) > 1 and bool(np.all(np.diff(values) >= 0)) and values[-1] > values[0]


def _same(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))

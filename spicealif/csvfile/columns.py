"""Which column is which quantity: by heading, by unit, or as it is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spicealif.csvfile.headings import Heading, key_of, parse_heading
from spicealif.csvfile.table import Table
from spicealif.csvfile.units import Unit, find_unit, is_ambiguous
from spicealif.errors import TableFileError
from spicealif.quantities import parse_quantity

__all__ = ["Match", "Pick", "Quantity", "Way", "counts", "listed", "match_columns"]

#: How a remedy names a column: the quantity and the column, both as texts.
Way = Callable[[str, str], str]

_EVERY = re.compile(r"every\s+(?P<step>.+)", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"#(?P<number>\d{1,6})\s*(?:[\[(]\s*(?P<unit>[^\[\]()]+?)\s*[\])])?")
_SHOWN = 8  # headings that a message lists
_LONG = 60  # characters of a heading in a message


@dataclass(frozen=True)
class Quantity:
    """What is looked for in a table.

    Attributes
    ----------
    name : str
        As the user calls it: ``v_mem``.
    what : str
        In messages: "the voltage across the memristor".
    unit : str
        ``s``, ``V`` or ``A``.
    names : frozenset of str
        Headings that mean it, without unit, as `key_of` writes them.
    """

    name: str
    what: str
    unit: str
    names: frozenset[str]


@dataclass(frozen=True)
class Pick:
    """Where a quantity comes from.

    Attributes
    ----------
    column : int or None
        None if it is made of `start` and `step`.
    unit : Unit
    sign : float
    shown : str
        What it is called in notes.
    start, step : float
        Of a time that no column holds, in s; `counter` is the column that counts the samples.
    counter : int or None
    """

    column: int | None
    unit: Unit
    sign: float = 1.0
    shown: str = ""
    start: float = 0.0
    step: float = 0.0
    counter: int | None = None


@dataclass
class Match:
    """What was found; more may be added by who knows more (see `add`).

    Attributes
    ----------
    table : Table
    quantities : tuple of Quantity
    way : callable
    heads : list of Heading
        Of each column.
    picks : dict of str to Pick
    asked : frozenset of str
        Quantities that the user named a column for.
    notes : list of str
        What was assumed, without the file's name in front.
    """

    table: Table
    quantities: tuple[Quantity, ...]
    way: Way
    heads: list[Heading]
    picks: dict[str, Pick] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    @property
    def taken(self) -> dict[int, str]:
        """Which columns are used, and for what."""
        return {p.column: name for name, p in self.picks.items() if p.column is not None}

    def is_free(self, column: int) -> bool:
        """Return whether a column has numbers and is not used yet."""
        return column not in self.taken and bool(
            np.isfinite(self.table.columns[column].values).any()
        )

    def shown(self, column: int) -> str:
        """Return a column as it may stand in a message."""
        heading = self.table.headings[column]
        return ascii(heading[:_LONG]) if heading else f"column {column + 1}"

    def remedy(self, quantity: str, column: int) -> str:
        """Return how to say that a column is a quantity."""
        heading = self.table.headings[column]
        plain = heading.isascii() and heading.isprintable() and not set(heading) & set("'\"\\")
        unique = self.table.headings.count(heading) == 1 and not heading.startswith("#")
        if plain and unique and heading and not heading.isdigit() and len(heading) <= _LONG:
            return self.way(quantity, heading)
        return self.way(quantity, f"#{column + 1}")

    def add(
        self,
        quantity: Quantity,
        column: int,
        unit: str = "",
        sign: float = 1.0,
        *,
        forced: bool = False,
    ) -> None:
        """Take a column for a quantity.

        Parameters
        ----------
        quantity : Quantity
        column : int
        unit : str
            What the user says; the heading's if empty.
        sign : float
        forced : bool
            Whether the user's unit stands where the heading says another.

        Raises
        ------
        TableFileError
            If the unit is none of the quantity, or the column is used already.
        """
        other = self.taken.get(column)
        if other is not None:
            where = self._where(column)
            raise TableFileError(
                f"{where[0].upper()}{where[1:]} of {self.table.name} is asked for as {other} and "
                f"as {quantity.name}; give each a column of its own."
            )
        stated = self.heads[column].unit
        if unit and find_unit(stated) and find_unit(unit) not in (None, find_unit(stated)):
            if not forced:
                raise TableFileError(
                    f"The {self._where(column)} of {self.table.name} is headed in {stated} and "
                    f"asked for in {unit}; leave the unit out, or say "
                    f"{self.way(quantity.name, f'#{column + 1} [{unit}]')} if the heading is wrong."
                )
            self.notes.append(
                f"{self.shown(column)} is taken in {unit} as asked, not in {stated} as headed."
            )
        scale = self._scale(quantity, unit or stated, column)
        if not (unit or stated):
            self.notes.append(
                f"the heading {self.shown(column)} has no unit; {quantity.unit} is assumed."
                if self.table.headings[column]
                else f"{self.shown(column)} has no unit; {quantity.unit} is assumed."
            )
        shown = ("-" if sign < 0 else "") + self.shown(column)
        self.picks[quantity.name] = Pick(column, scale, sign, shown)

    def _where(self, column: int) -> str:
        heading = self.table.headings[column]
        return f"column {column + 1}" + (f" ({ascii(heading[:_LONG])})" if heading else "")

    def _scale(self, quantity: Quantity, unit: str, column: int) -> Unit:
        if not unit:
            return Unit(quantity.unit)
        known = find_unit(unit)
        if known is not None and known.base == quantity.unit:
            return known
        (base, shown) = (quantity.unit, self._where(column))
        by_number = self.way(quantity.name, f"#{column + 1} [{base}]")
        if known is None and is_ambiguous(unit) and Heading("", unit).base == base:
            milli = self.way(quantity.name, f"#{column + 1} [m{base}]")
            raise TableFileError(
                f"The unit {ascii(unit)} of {shown} of {self.table.name} may be milli or mega; "
                f"say {milli} if it is milli, or write the column in {base}."
            )
        raise TableFileError(
            f"The unit {ascii(unit[:_LONG])} of {shown} of {self.table.name} is not one of "
            f"{quantity.what.split(',')[0].removeprefix('the ')}; write the column in {base}, or "
            f"say {by_number} if it is in {base}."
        )


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
    by_number = bool(wanted) and all(
        _EVERY.fullmatch(t.strip()) or re.match(r"-?\s*#?\d+\s*(?:[\[(].*)?\Z", t.strip())
        for t in wanted.values()
    )
    if table.doubt and not by_number:
        raise TableFileError(
            f"The file {table.name} {table.doubt}; write one heading over each column, or give "
            f"the columns by their numbers: {way(quantities[0].name, 'NUMBER')}."
        )
    for name, text in wanted.items():
        _take_asked(match, known[name], text.strip(), names)
    for quantity in quantities:
        if quantity.name not in match.picks:
            _take_known(match, quantity)
    bases = [q.unit for q in quantities]
    for quantity in quantities:
        if quantity.name not in match.picks and bases.count(quantity.unit) == 1:
            _take_by_unit(match, quantity)
    return match


def counts(values: npt.NDArray[np.float64]) -> bool:
    """Return whether a column numbers the rows."""
    return len(values) > 3 and bool(np.all(np.diff(values) == 1))


def listed(headings: Sequence[str], none: str = "none") -> str:
    """Return headings as they may stand in a message."""
    shown = [ascii(heading[:_LONG]) for heading in headings if heading]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) + more) or none


def _unitless(text: str, names: frozenset[str]) -> str:
    """Return the name of a heading whose unit stands in a row of its own."""
    head = parse_heading(text, names)
    return head.name or text


# --- what is asked for ----------------------------------------------------------------------------


def _take_asked(match: Match, quantity: Quantity, text: str, names: frozenset[str]) -> None:
    table = match.table
    if (every := _EVERY.fullmatch(text)) and text not in table.headings:
        if quantity.unit != "s":
            raise TableFileError(
                f"Only the time can be {ascii(text[:_LONG])}; give {quantity.name} a column."
            )
        match.picks[quantity.name] = _equally_spaced(every["step"])
        return
    negative = text.startswith("-") and text not in table.headings
    plain = text[1:].strip() if negative else text
    column, unit = _asked(match, quantity, plain, names)
    # A unit behind a number with # is said in spite of the heading.
    match.add(quantity, column, unit, -1.0 if negative else 1.0, forced=plain.startswith("#"))


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
            f"The file {table.name} has no column {ascii(plain[:_LONG])}; give one of its headings "
            f"({listed(table.headings)}) or a number from 1 to {len(table.columns)}."
        )
    if len(same) > 1:
        both = " and ".join(str(k + 1) for k in same[:2])
        raise TableFileError(
            f"The file {table.name} has {ascii(plain[:_LONG])} over the columns {both}; give the "
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


# --- what headings and units say ------------------------------------------------------------------


def _take_known(match: Match, quantity: Quantity) -> None:
    table = match.table
    which = [
        k for k, head in enumerate(match.heads)
        if k not in match.taken and head.base in ("", quantity.unit)
        and any(key in quantity.names for key in head.keys)
    ]  # fmt: skip
    with_numbers = [k for k in which if match.is_free(k)]
    if quantity.unit != "s":  # "id" may be a current, or number the rows
        with_numbers = [
            k for k in with_numbers if match.heads[k].base or not counts(table.columns[k].values)
        ]
    # A time of day beside the seconds is no second time.
    which = with_numbers or which
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


def _take_by_unit(match: Match, quantity: Quantity) -> None:
    """Take the one column in a quantity's unit whose name says nothing else."""
    which = [
        k for k, head in enumerate(match.heads)
        if match.is_free(k) and head.base in ("", quantity.unit) and _may_be(head, quantity)
    ]  # fmt: skip
    if quantity.unit == "s":
        which = [k for k in which if _rises(match.table.columns[k].values)]
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

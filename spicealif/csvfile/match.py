"""Which columns were taken for which quantity, and how a message speaks of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spicealif.csvfile.headings import Heading
from spicealif.csvfile.hints import other_sign, other_unit, unit_above
from spicealif.csvfile.table import Table
from spicealif.csvfile.units import Unit, find_unit, is_ambiguous
from spicealif.errors import TableFileError

__all__ = ["LONG", "Match", "Pick", "Quantity", "Way", "listed"]

#: How a remedy names a column: the quantity and the column, both as texts.
Way = Callable[[str, str], str]

#: Characters of a heading in a message.
LONG = 60
_SHOWN = 8  # headings that a message lists


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
        return ascii(heading[:LONG]) if heading else f"column {column + 1}"

    def remedy(self, quantity: str, column: int, sign: str = "") -> str:
        """Return how to say that a column is a quantity; the sign "-" turns it."""
        heading = self.table.headings[column]
        plain = heading.isascii() and heading.isprintable() and not set(heading) & set("'\"\\")
        unique = self.table.headings.count(heading) == 1 and not heading.startswith("#")
        if plain and unique and heading and not heading.isdigit() and len(heading) <= LONG:
            return self.way(quantity, f"{sign}{heading}")
        return self.way(quantity, f"{sign}#{column + 1}")

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
        if not (forced or sign < 0):
            self._refuse_turned(quantity, column)
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
            self._refuse_unread(quantity, column)
            self.notes.append(
                f"the heading {self.shown(column)} has no unit; {quantity.unit} is assumed."
                if self.table.headings[column]
                else f"{self.shown(column)} has no unit; {quantity.unit} is assumed."
            )
        shown = ("-" if sign < 0 else "") + self.shown(column)
        self.picks[quantity.name] = Pick(column, scale, sign, shown)

    def _refuse_unread(self, quantity: Quantity, column: int) -> None:
        """Refuse to assume a unit where the heading or a line above may say another."""
        base, text = quantity.unit, self.table.headings[column]
        remedy = (
            f"write the unit into the heading, or say "
            f"{self.way(quantity.name, f'#{column + 1} [{base}]')} if it is in {base}"
        )
        if other_unit(text, base):
            raise TableFileError(
                f"The heading {ascii(text[:LONG])} in {self.table.name} may hold a unit that is "
                f"not known here; {remedy}."
            )
        said = next((line for line in self.table.comments if unit_above(line, base)), None)
        if said is not None:
            raise TableFileError(
                f"The {self._where(column)} of {self.table.name} has no unit, and a line above it "
                f"speaks of units ({ascii(said[:LONG])}); {remedy}."
            )

    def _refuse_turned(self, quantity: Quantity, column: int) -> None:
        """Refuse a column that may hold the quantity with another sign or scale."""
        text = self.table.headings[column]
        if other_sign(text, self.heads[column]):
            raise TableFileError(
                f"The heading {ascii(text[:LONG])} in {self.table.name} may say that the column is "
                f"turned or scaled; say {self.way(quantity.name, f'#{column + 1}')} to take it as "
                f"it is, or {self.way(quantity.name, f'-#{column + 1}')} to turn its sign."
            )

    def _where(self, column: int) -> str:
        heading = self.table.headings[column]
        return f"column {column + 1}" + (f" ({ascii(heading[:LONG])})" if heading else "")

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
            f"The unit {ascii(unit[:LONG])} of {shown} of {self.table.name} is not one of "
            f"{quantity.what.split(',')[0].removeprefix('the ')}; write the column in {base}, or "
            f"say {by_number} if it is in {base}."
        )


def listed(headings: Sequence[str], none: str = "none") -> str:
    """Return headings as they may stand in a message."""
    shown = [ascii(heading[:LONG]) for heading in headings if heading]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) + more) or none

"""The numbers of the columns that were found, in SI units, and what became of the other cells."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.csvfile.cells import is_either
from spicealif.csvfile.match import Match, Pick, Quantity
from spicealif.csvfile.table import Column, Table
from spicealif.errors import TableFileError
from spicealif.quantities.grammar import parse_quantity

__all__ = ["Values", "read_values"]

_Floats = npt.NDArray[np.float64]
_DATE = re.compile(r"\d{1,4}[-/.]\w{1,3}[-/.]\d{1,4}\b|.*\b\d{1,2}:\d{2}(?::\d{2})?")
_SHOWN = 40  # characters of a cell
#: What loggers write where there is no value, and how far beyond all others such a number stands.
_FILLS, _FAR = (999.0, 9999.0, 99999.0, 999999.0, 999.25, 999.9, 9999.9), 50.0
#: Likewise where it stands several times.
_FAR_AGAIN = 2.0


@dataclass(frozen=True, eq=False)
class Values:
    """Quantities of a table, row by row.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (N,)
        In SI units; finite.
    lines : ndarray, shape (N,)
        Line of each row in the file, from 1.
    rows : ndarray, shape (N,)
        Number of each row in the table, from 0.
    notes : list of str
        What was taken, assumed and left out, without the file's name in front.
    """

    columns: dict[str, _Floats]
    lines: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    notes: list[str]


def read_values(match: Match, *, skip: bool = True) -> Values:
    """Return the numbers of the columns that were found.

    Parameters
    ----------
    match : Match
    skip : bool
        Whether rows without a number are left out and counted, rather than refused.

    Returns
    -------
    Values

    Raises
    ------
    TableFileError
        If something in one of the columns is no number beyond doubt, a row is too short, or no row
        is complete.
    """
    table = match.table
    by_name = {q.name: q for q in match.quantities}
    columns: dict[str, _Floats] = {}
    notes: list[str] = []
    for name, pick in match.picks.items():
        columns[name] = _column(match, by_name[name], pick, notes)
    good = np.ones(len(table.lines), dtype=bool)
    for values in columns.values():
        good &= np.isfinite(values)
    missing = int(np.sum(~good))
    if missing:
        _left_out(match, columns, good, skip, notes)
    origin = _origin(match)
    rows = np.flatnonzero(good)
    return Values(
        {name: values[rows] if missing else values for name, values in columns.items()},
        table.lines[rows], rows, [*origin, *match.notes, *notes],
    )  # fmt: skip


def _origin(match: Match) -> list[str]:
    """Return where the quantities come from, in words."""
    if not match.picks:
        return []
    table = match.table
    taken = ", ".join(f"{name} from {pick.shown}" for name, pick in match.picks.items())
    unused = [match.shown(k) for k in range(len(table.columns)) if k not in match.taken
              and k not in {p.counter for p in match.picks.values()}
              and np.isfinite(table.columns[k].values).any()]  # fmt: skip
    rest = ""
    if unused:
        more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""
        rest = f"; not used: {', '.join(unused[:5])}{more}"
    maker = f" (format: {table.maker})" if table.maker else ""
    below = ""
    if table.has_preamble and len(table.lines):
        below = f", the table begins in line {table.lines[0]}"
    return [f"{taken}{rest}{maker}{below}."]


def _column(match: Match, quantity: Quantity, pick: Pick, notes: list[str]) -> _Floats:
    table = match.table
    if pick.column is None:
        n = len(table.lines)
        count = (
            np.arange(n, dtype=np.float64)
            if pick.counter is None
            else table.columns[pick.counter].values
        )
        return np.asarray(pick.start + count * pick.step)
    column = table.columns[pick.column]
    _refuse(table, pick.column, column, quantity, match)
    values = _scaled(_without_fills(column, quantity), pick)
    if column.quantities:
        values = values.copy()
        known: dict[str, float] = {}
        for row, text in column.quantities:
            if text not in known:
                known[text] = _quantity(table, pick, quantity, row, text)
            values[row] = pick.sign * known[text]
        notes.append(
            f"{len(column.quantities)} values of {quantity.name} have a prefix or unit of their "
            f"own, such as {ascii(column.quantities[0][1][:_SHOWN])}."
        )
    return values


def _without_fills(column: Column, quantity: Quantity) -> _Floats:
    """Return a column's numbers, NaN where loggers wrote -999 or 9999 for none.

    Only where the number stands far outside of all others: -999 mV may well be measured. Times
    are let alone; one that does not rise is refused anyhow.
    """
    values = column.values
    if quantity.unit == "s":
        return values
    nines = np.isin(np.abs(values), _FILLS)
    if not nines.any():
        return values
    rest = np.abs(values[~nines & np.isfinite(values)])
    # The same again and again is measured by nobody, far from all others.
    far = _FAR if int(nines.sum()) < 2 else _FAR_AGAIN
    if not len(rest) or float(np.abs(values[nines]).min()) < far * float(rest.max()):
        return values
    for code in np.unique(values[nines]):
        column.codes[f"{code:g}"] = int(np.sum(values == code))
    return np.where(nines, np.nan, values)


def _scaled(values: _Floats, pick: Pick) -> _Floats:
    power = pick.unit.power
    # Divided, not multiplied by 0.001, which is no number of the computer.
    values = values / 10.0**-power if power < 0 else values * 10.0**power if power else values
    return -values if pick.sign < 0 else values


def _quantity(table: Table, pick: Pick, quantity: Quantity, row: int, text: str) -> float:
    line = table.lines[row]
    if pick.unit.power:
        raise TableFileError(
            f"Line {line} of {table.name} has {ascii(text[:_SHOWN])} below a heading with a "
            "prefix; write plain numbers there."
        )
    try:
        return parse_quantity(text, quantity.unit)
    except ValueError as error:
        raise TableFileError(f"A cell in line {line} of {table.name} {error}.") from None


def _refuse(table: Table, k: int, column: Column, quantity: Quantity, match: Match) -> None:
    """Refuse a column with cells that are no numbers; the first of them is named."""
    short = [(row, 2, "") for row, count in table.short.items() if count <= k]
    texts = [(row, 0, cell) for row, cell in column.texts[:1]]
    unclear = [(row, 1, cell) for row, cell in column.unclear[:1]]
    faults = [*texts, *unclear, *short[:1]]
    if not faults:
        return
    row, kind, cell = min(faults)
    line, shown = table.lines[row], ascii(cell[:_SHOWN])
    if kind == 2:
        width = len(table.columns)
        where = "the headings have" if any(table.headings) else "other rows have"
        raise TableFileError(
            f"Line {line} of {table.name} has {table.short[row]} columns where {where} {width}; "
            "mend or remove the line."
        )
    if kind == 1 and "," in cell and not is_either(cell):
        raise TableFileError(
            f"Line {line} of {table.name} has {shown} in a column with decimal points; write all "
            "numbers with a decimal point."
        )
    if kind == 1:
        raise TableFileError(
            f"Line {line} of {table.name} has {shown}, which may be a number with decimals or with "
            "thousands set apart; write the numbers with a decimal point and nothing else."
        )
    if cell == table.headings[k]:
        raise TableFileError(
            f"Line {line} of {table.name} has the headings again; leave one record in the file."
        )
    if quantity.unit == "s" and _DATE.match(cell):
        raise TableFileError(
            f"The times of {table.name} are dates or times of day ({shown} in line {line}); give "
            f"them in s, or say {match.way(quantity.name, 'every INTERVAL')} if the samples are "
            "equally spaced."
        )
    raise TableFileError(
        f"Line {line} of {table.name} has {shown} where a number is expected ({quantity.name}); "
        "mend or remove the line."
    )


def _left_out(
    match: Match, columns: dict[str, _Floats], good: npt.NDArray[np.bool_], skip: bool,
    notes: list[str],
) -> None:  # fmt: skip
    """Say which rows have no number."""
    table = match.table
    picks = match.picks
    for name, values in columns.items():
        if not np.isfinite(values).any():
            codes = _codes(table.columns[picks[name].column or 0].codes)
            held = f" but {codes}" if codes else ""
            raise TableFileError(
                f"The column of {name} ({picks[name].shown}) in {table.name} holds no "
                f"number{held}; name another, or measure again within the range."
            )
    if not good.any():
        raise TableFileError(
            f"The file {table.name} has no row where all of {', '.join(columns)} are numbers; "
            "name other columns."
        )
    first = int(np.flatnonzero(~good)[0])
    if not skip:
        name = next(n for n, values in columns.items() if not np.isfinite(values[first]))
        raise TableFileError(
            f"Line {table.lines[first]} of {table.name} has no number for {name} (empty, not "
            "finite, or a code for no value); mend or remove the line."
        )
    total: Counter[str] = Counter()
    for pick in picks.values():
        if pick.column is not None:
            total += table.columns[pick.column].codes
    codes = _codes(total)
    notes.append(
        f"{int(np.sum(~good))} rows without a number were left out (the first in line "
        f"{table.lines[first]}{'; codes: ' + codes if codes else ''})."
    )


def _codes(codes: Counter[str]) -> str:
    shown = [f"{ascii(text)} {count} times" for text, count in codes.most_common(3)]
    return ", ".join(shown)

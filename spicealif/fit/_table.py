"""Reading a table of numbers from a text file that some instrument or program wrote.

The delimiter, the decimal sign, comments, preambles and the row of headings are found from the
text; `spicealif.fit._columns` says what the columns are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.errors import FitError

__all__ = ["Table", "parse_table"]

_COMMENTS = ("#", "%", "//", "!")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?\Z")
#: Cells that say that there is no value; they become NaN.
_MISSING = {"", "-", "--", "---", "nan", "n/a", "na", "null", "none", "inf", "-inf", "+inf"}
# None splits at any white space
_DELIMITERS = ("\t", ";", ",", None)


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers in columns.

    Attributes
    ----------
    headings : tuple of str
        Of each column; empty texts where the file has none.
    units : tuple of str
        From a row of units under the headings; empty texts where there is none.
    values : ndarray, shape (rows, columns)
        NaN where a cell is empty or says that there is no value.
    lines : ndarray, shape (rows,)
        The line of each row in the file, from 1.
    """

    headings: tuple[str, ...]
    units: tuple[str, ...]
    values: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]


def parse_table(text: str, name: str) -> Table:
    """Find the table in a text.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        What the file is called in messages.

    Returns
    -------
    Table

    Raises
    ------
    FitError
        If there is no table, or a row in it is not like the others.
    """
    lines = [(k, line.strip("\r\n \ufeff")) for k, line in enumerate(text.splitlines(), 1)]
    rows = [(k, line) for k, line in lines if line.strip(" \t;,")]
    data = [(k, line) for k, line in rows if not line.startswith(_COMMENTS)]
    counts = {d: _count_numeric(data, d) for d in _DELIMITERS}
    delimiter = max(counts, key=lambda d: counts[d])
    if counts[delimiter] < 2:
        raise FitError(
            f"{name} has no table of numbers with two columns or more; give a CSV file with one "
            "row for each sample."
        )
    split = [(k, _split(line, delimiter)) for k, line in data]
    first = _first_row(split, delimiter)
    width = len(split[first][1])
    values = np.empty((len(split) - first, width))
    comma = _has_decimal_comma(split[first:], delimiter)
    for row, (k, cells) in enumerate(split[first:]):
        if len(cells) != width:
            raise FitError(
                f"{name}, line {k}, has {len(cells)} columns where the first row has {width}; "
                "mend or remove the line."
            )
        for column, cell in enumerate(cells):
            number = _number(cell, comma)
            if number is None:
                raise FitError(
                    f"{name}, line {k}, has {ascii(cell[:40])} where a number is expected; mend "
                    "or remove the line."
                )
            values[row, column] = number
    numbers = np.array([k for k, _ in split[first:]])
    headings, units = _headings(rows, split[:first], numbers[0], width, delimiter)
    return Table(headings, units, values, numbers)


def _split(line: str, delimiter: str | None) -> list[str]:
    cells = line.split(delimiter)
    # A delimiter at the end of every line is an instrument's habit, not a column.
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [cell.strip().strip('"').strip() for cell in cells]


def _number(cell: str, comma: bool) -> float | None:
    if cell.lower() in _MISSING:
        return float("nan")
    try:
        return float(cell.replace(",", ".") if comma else cell)
    except ValueError:
        return None


def _numeric(cells: Sequence[str], delimiter: str | None) -> bool:
    """Return whether these cells are a row of numbers."""
    if len(cells) < 2:
        return False
    numbers = [_number(cell, comma=delimiter != ",") for cell in cells]
    return None not in numbers and not all(n is None or np.isnan(n) for n in numbers)


def _count_numeric(data: Sequence[tuple[int, str]], delimiter: str | None) -> int:
    # Long files are alike from some line on.
    return sum(_numeric(_split(line, delimiter), delimiter) for _, line in data[:2000])


def _first_row(split: Sequence[tuple[int, list[str]]], delimiter: str | None) -> int:
    """Return where the table begins: two rows of numbers, equally long, one after the other."""
    good = [_numeric(cells, delimiter) for _, cells in split]
    for k in range(len(split) - 1):
        if good[k] and good[k + 1] and len(split[k][1]) == len(split[k + 1][1]):
            return k
    return good.index(True)


def _has_decimal_comma(split: Sequence[tuple[int, list[str]]], delimiter: str | None) -> bool:
    if delimiter == ",":
        return False
    return any(_DECIMAL_COMMA.match(cell) for _, cells in split[:2000] for cell in cells)


def _headings(
    rows: Sequence[tuple[int, str]],
    before: Sequence[tuple[int, list[str]]],
    begin: int,
    width: int,
    delimiter: str | None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return headings and units from the lines above the table."""
    none = ("",) * width
    above = [cells for _, cells in before if len(cells) == width]
    if not above:
        # numpy.savetxt writes its headings as a comment
        comments = [line.lstrip("#%/! ") for k, line in rows if k < begin]
        above = [cells for line in comments if len(cells := _split(line, delimiter)) == width]
    if not above:
        return none, none
    last = tuple(above[-1])
    bare = [cell.strip("()[] ") for cell in last]
    from spicealif.fit._columns import is_unit

    if len(above) > 1 and all(is_unit(cell) or not cell for cell in bare) and any(bare):
        return tuple(above[-2]), tuple(bare)
    return last, none

"""A table of numbers in a text file: its columns as numbers, with what else stood in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spicealif.csvfile.cells import (
    LARGEST,
    NumberFormat,
    find_formats,
    is_either,
    kind_of,
    missing_word,
    parse_number,
)
from spicealif.csvfile.decoding import decode_table
from spicealif.csvfile.instruments import MadeTime, read_preamble
from spicealif.csvfile.layout import Layout, find_layout
from spicealif.csvfile.rows import data_rows
from spicealif.errors import TableFileError

__all__ = ["Column", "Table", "read_table"]

_CHUNK = 20_000  # rows converted at once
_KEPT = 10  # texts of a column that are kept, to show one


@dataclass(eq=False)
class Column:
    """One column.

    Attributes
    ----------
    values : ndarray, shape (rows,)
        NaN where there is no number.
    codes : collections.Counter
        What stood where an instrument says that there is no value, such as ``9.91E37``.
    quantities : list of (int, str)
        Row and text of numbers with a prefix or a unit.
    texts : list of (int, str)
        Row and text of the first cells that are no numbers.
    unclear : list of (int, str)
        Row and text of cells such as ``1,234`` that are numbers in two ways.
    """

    values: npt.NDArray[np.float64]
    codes: Counter[str] = field(default_factory=Counter)
    quantities: list[tuple[int, str]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    unclear: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Table:
    """A table, its headings not yet understood (see `find_columns`).

    Attributes
    ----------
    name : str
        What the file is called in messages.
    headings, units : tuple of str
        Of each column; empty texts where the file has none.
    columns : tuple of Column
    lines : ndarray, shape (rows,)
        Line of each row in the file, from 1.
    doubt : str
        Why the headings cannot be told, as the end of a sentence about the file; or empty.
    maker : str
        Whose format it is, or an empty text.
    time : MadeTime or None
        Times that the preamble gives instead of a column.
    interval : float or None
        In s, where the preamble states one.
    has_preamble : bool
        Whether anything but comments stands above table and headings.
    short : dict of int to int
        Rows with too few cells, and how many they have.
    comments : tuple of str
        What else stands above the data: comments without their marks, rows of a preamble.
    """

    name: str
    headings: tuple[str, ...]
    units: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: npt.NDArray[np.int64]
    doubt: str = ""
    maker: str = ""
    time: MadeTime | None = None
    interval: float | None = None
    has_preamble: bool = False
    short: dict[int, int] = field(default_factory=dict)
    comments: tuple[str, ...] = ()


def read_table(data: bytes, name: str) -> Table:
    """Read the table that a text file holds.

    Parameters
    ----------
    data : bytes
        The file's content.
    name : str
        What the file is called in messages; one printable line.

    Returns
    -------
    Table

    Raises
    ------
    TableFileError
        If it is not a text, holds no table or two, or a row has too many cells.
    """
    try:
        return _read(data, name)
    except MemoryError:
        raise TableFileError(
            f"The file {name} does not fit into memory; give a shorter record."
        ) from None


def _read(data: bytes, name: str) -> Table:
    text = decode_table(data, name)
    preamble = read_preamble(text, find_layout(text, name), name)
    layout = preamble.layout
    width = max(layout.width, len(layout.headings))
    forms = [*layout.formats, *[NumberFormat()] * (width - len(layout.formats))]
    readers = [_ColumnReader(form) for form in forms]
    lines: list[npt.NDArray[np.int64]] = []
    short: dict[int, int] = {}
    rows: list[list[str]] = []
    numbers: list[int] = []
    total = 0
    empty: list[int] = []
    for number, row in data_rows(text, layout.start, layout.delimiter, name):
        # The first cell alone tells of nearly all rows; one of a damaged table may have none.
        if not (row and row[0].strip()) and not any(cell.strip() for cell in row):
            if len(row) > 1:
                empty.append(number)
            continue
        # Empty cells between rows are values that are missing; below the last row they are none.
        rows += [[""] * width for _ in empty]
        numbers += empty
        empty.clear()
        if len(row) != width:
            _fit(row, width, number, total + len(rows), short, name, layout)
        rows.append(row)
        numbers.append(number)
        if len(rows) >= _CHUNK:
            total += _take(rows, readers)
            lines.append(np.array(numbers, dtype=np.int64))
            rows, numbers = [], []
    _take(rows, readers)
    lines.append(np.array(numbers, dtype=np.int64))
    units = (*layout.units, *[""] * (width - len(layout.units)))
    headings = (*layout.headings, *[""] * (width - len(layout.headings)))
    return Table(
        name, headings, units, tuple(reader.finish() for reader in readers),
        np.concatenate(lines), layout.doubt, preamble.maker, preamble.time, preamble.interval,
        bool(layout.above), short,
        (*layout.comments, *(", ".join(row.cells) for row in layout.above)),
    )  # fmt: skip


def _fit(
    row: list[str], width: int, line: int, k: int, short: dict[int, int], name: str, layout: Layout
) -> None:
    """Bring a row to the table's width."""
    if len(row) > width:
        if any(cell.strip() for cell in row[width:]):
            where = "the headings have" if any(layout.headings) else "other rows have"
            found = len(row)
            while not row[found - 1].strip():
                found -= 1
            raise TableFileError(
                f"Line {line} of {name} has {found} columns where {where} {width}; mend or remove "
                "the line."
            )
        del row[width:]
    else:
        short[k] = len(row)
        row.extend([""] * (width - len(row)))


def _take(rows: Sequence[Sequence[str]], readers: Sequence[_ColumnReader]) -> int:
    if rows:
        for reader, cells in zip(readers, zip(*rows, strict=True), strict=True):
            reader.take(cells)
    return len(rows)


class _ColumnReader:
    """Turns the cells of one column into numbers, many at once where they are plain."""

    def __init__(self, form: NumberFormat) -> None:
        self.form = form
        self.parts: list[npt.NDArray[np.float64]] = []
        self.rows = 0
        self.column = Column(np.empty(0))

    def take(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        values = self._plain(cells)
        if values is None:
            values = self._one_by_one(cells)
        bad = np.flatnonzero(~(np.abs(values) < LARGEST))
        if len(bad):
            for k in bad.tolist():
                if not np.isnan(values[k]) or missing_word(cells[k].strip()):
                    self.column.codes[cells[k].strip()[:20]] += 1
            values[bad] = np.nan
        self.parts.append(values)
        self.rows += len(cells)

    def _plain(self, cells: Sequence[str]) -> npt.NDArray[np.float64] | None:
        joined = "\0".join(cells)  # which no text has
        # float() takes "1_000" and digits of other scripts, which are no numbers in a file.
        if "_" in joined or not joined.isascii():
            return None
        if self.form.decimal == ",":
            if "." in joined:
                return None
            joined = joined.replace(",", ".")
            cells = joined.split("\0")
        elif self.form.decimal == "?" and "." in joined:
            return None
        try:
            return np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return None

    def _one_by_one(self, cells: Sequence[str]) -> npt.NDArray[np.float64]:
        values = np.full(len(cells), np.nan)
        for k, cell in enumerate(cells):
            cell = cell.strip()  # noqa: PLW2901
            if not cell:
                continue
            number = parse_number(cell, self.form)
            if number is not None:
                values[k] = number
            elif missing_word(cell) is None:
                self._odd(self.rows + k, cell)
        return values

    def _odd(self, row: int, cell: str) -> None:
        kind = kind_of(cell)
        if kind == "n":
            self.column.unclear.append((row, cell))
        elif kind == "q":
            self.column.quantities.append((row, cell))
        elif len(self.column.texts) < _KEPT:
            self.column.texts.append((row, cell[:100]))

    def finish(self) -> Column:
        """Return the column."""
        column = self.column
        column.values = np.concatenate(self.parts) if self.parts else np.empty(0)
        told = any(not is_either(cell) for _, cell in column.unclear)
        if self.form.decimal == "?" and told:
            # The first rows did not tell how numbers are written, others do.
            (form,) = find_formats(([cell] for _, cell in column.unclear), 1)
            rest = []
            for row, cell in column.unclear:
                number = parse_number(cell, form)
                if number is None:
                    rest.append((row, cell))
                else:
                    column.values[row] = number
            column.unclear = rest
        return column

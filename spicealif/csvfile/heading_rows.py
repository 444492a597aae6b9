"""The rows above a table that hold its headings and their units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from spicealif.csvfile.headings import GENERIC, parse_heading
from spicealif.csvfile.rows import Row, split_line
from spicealif.csvfile.runs import Run, is_heading
from spicealif.csvfile.units import find_unit, is_ambiguous
from spicealif.errors import TableFileError

__all__ = [
    "DELIMITERS",
    "Headings",
    "find_headings",
    "headings_in_comments",
    "is_counting",
    "is_units",
    "numbered_columns",
    "trimmed",
]

#: In the order in which they are preferred where several do; None is any white space.
DELIMITERS = ("\t", ";", ",", "|", None)
#: Behind the headings, with no column below them.
_NO_COLUMN = re.compile(r"start\Z|increment\Z|t0\s*=|tinc\s*=", re.IGNORECASE)
#: In a row of units, of columns that have none.
_NO_UNIT = frozenset(
    {
        "",
        "#",
        "-",
        "--",
        "1",
        "none",
        "sequence",
        "index",
        "number",
        "pts",
        "bits",
        "value",
        "values",
    }
)


class Headings(NamedTuple):
    """Headings, their units, how many rows they take, and what is wrong with them."""

    texts: tuple[str, ...]
    units: tuple[str, ...]
    used: int
    doubt: str


def find_headings(
    rows: Sequence[Row], kinds: Sequence[str], first: int, run: Run, width: int
) -> Headings:
    """Return the headings above a table.

    Parameters
    ----------
    rows : sequence of Row
        Down to some of the table's.
    kinds : sequence of str
        Of each row the kinds of its cells.
    first : int
        The table's first row.
    run : Run
        The rows of the table.
    width : int
        Number of columns.
    """
    none = ("",) * width
    if first == 0 or not _is_names(rows[first - 1], kinds[first - 1], run):
        return Headings(none, none, 0, "")
    given = max(len(row.cells) for row in rows[first:])
    used = 1
    lone = trimmed(rows[first - 1].cells)
    if first > 1 and len(lone) == 1 < width and not is_units(lone):
        # A title stands between headings and data.
        upper = rows[first - 2]
        named = _is_names(upper, kinds[first - 2], run) and _fits(upper.cells, width, given)
        used = 2 if named else 1
    last, at_row = rows[first - used], first - used
    units = none
    at = [j for j in range(len(last.cells)) if j < len(run.profile) and run.profile[j] == "n"]
    if at_row > 0 and is_units([last.cells[j] for j in at]):
        upper = rows[at_row - 1]
        named = _is_names(upper, kinds[at_row - 1], run) and _fits(upper.cells, width, given)
        if named and not is_units([upper.cells[j] for j in at if j < len(upper.cells)]):
            units = tuple(_unit_in_row(cell) for cell in last.cells)
            last, used = upper, used + 1
    if len(trimmed(last.cells)) == width + 1 and last.cells[width].lower() == "comment":
        last = Row(last.line, last.end, last.cells[:width])  # LabVIEW's, which no row has
    if not _fits(last.cells, width, given):
        found = len(trimmed(last.cells))
        doubt = f"has {found} headings in line {last.line} over rows of {width} columns"
        if found == width - 1:
            doubt += " (does the first number the rows?)"
        if found > 1:
            return Headings(none, none, 1, doubt)
        # Headings parted otherwise than the rows
        cells = _split_otherwise(last.cells[0], width)
        return Headings(cells or none, none, 1, "")
    texts = _padded(last.cells, max(width, len(trimmed(last.cells))))
    return Headings(texts, units, used, "")


def is_units(cells: Sequence[str]) -> bool:
    """Return whether cells are units, some of them at least, and nothing else."""
    bare = [cell.strip("()[] ") for cell in cells]
    units = [find_unit(cell) is not None or is_ambiguous(cell) for cell in bare]
    return any(units) and all(
        unit or cell.lower() in _NO_UNIT for unit, cell in zip(units, bare, strict=True)
    )


def is_counting(cells: Sequence[str]) -> bool:
    """Return whether cells number the columns, from 0 or 1."""
    numbers = [int(cell) for cell in cells if cell.isdigit() and cell.isascii() and len(cell) < 4]
    bare = cells[1:] if cells and not cells[0] else cells
    return len(bare) == len(numbers) >= 2 and numbers in (
        list(range(len(numbers))), list(range(1, len(numbers) + 1)),
    )  # fmt: skip


def numbered_columns(
    rows: Sequence[Row], kinds: Sequence[str], first: int, width: int, name: str
) -> tuple[int, tuple[str, ...]]:
    """Return the begin and the headings of a table whose first row may number its columns."""
    none = ("",) * width
    if first + 1 >= len(rows):
        return first, none
    cells, below = rows[first].cells, rows[first + 1]
    if not cells[0] and below.cells[0] and len(cells) <= width:
        return first + 1, _padded(cells, width)
    others = [c for row in rows[first + 1 :][:100] for c in row.cells]
    if len(cells) > 2 and any("." in c or "e" in c.lower() for c in others):
        raise TableFileError(
            f"Line {rows[first].line} of {name} ({','.join(cells[:5])}) may number the columns or "
            "be the first sample; remove it, or write headings there."
        )
    return first, none


def headings_in_comments(
    comments: Sequence[str], delimiter: str | None, width: int
) -> tuple[str, ...]:
    """Return the headings that a comment holds: numpy.savetxt writes them so."""
    generic = frozenset().union(*GENERIC.values())
    best: tuple[int, tuple[str, ...]] = (0, ("",) * width)
    for comment in comments:
        if len(comment) > 2000 or comment.count('"') % 2:
            continue
        for sign in (delimiter, *(d for d in DELIMITERS if d != delimiter)):
            cells = [cell.strip() for cell in split_line(comment, sign)]
            if len(cells) != width:
                continue
            heads = [parse_heading(cell) for cell in cells]
            known = sum(
                head.known is not None or any(key in generic for key in head.keys) for head in heads
            )
            if known >= max(best[0], 1):
                best = (known, tuple(cells))
            break
    return best[1]


def trimmed(cells: Sequence[str]) -> Sequence[str]:
    """Return cells without the empty ones at their end."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _is_names(row: Row, kinds: str, run: Run) -> bool:
    return is_heading(row.cells, kinds, run) or ("t" in kinds and "n" not in kinds)


def _fits(cells: Sequence[str], width: int, given: int) -> bool:
    """Return whether there are as many headings as columns, apart from empty ones at the end."""
    named = trimmed([cell if not _NO_COLUMN.match(cell) else "" for cell in cells])
    return len(cells) >= width and len(named) <= given


def _split_otherwise(line: str, width: int) -> tuple[str, ...] | None:
    for delimiter in DELIMITERS:
        cells = tuple(cell.strip() for cell in split_line(line, delimiter))
        if len(cells) == width and all(cells) and len(line) < 2000:
            return cells
    return None


def _unit_in_row(cell: str) -> str:
    bare = cell.strip("()[] ")
    return "" if bare.lower() in ("value", "values") else bare


def _padded(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells[:width], *[""] * (width - len(cells)))

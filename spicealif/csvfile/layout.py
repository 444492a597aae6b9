"""Where the table is in a text: its delimiter, its first row, its headings and their units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from spicealif.csvfile.cells import NumberFormat, find_formats, kind_of, missing_word
from spicealif.csvfile.headings import GENERIC, parse_heading
from spicealif.csvfile.rows import (
    COMMENTS,
    Row,
    head_rows,
    logical_lines,
    split_line,
    without_comment,
)
from spicealif.csvfile.units import find_unit, is_ambiguous
from spicealif.errors import TableFileError

__all__ = ["Layout", "find_layout", "is_units"]

#: In the order in which they are preferred where several do; None is any white space.
_DELIMITERS = ("\t", ";", ",", "|", None)
_LINES = 4000  # among which the table has to begin
_ROWS = 2000  # of the table that tell how it is written
_RECORD = 8  # rows that are a table of their own, rather than a part of a preamble
_DIGITS = tuple("+-.0123456789")
_SEP = re.compile(r'"?sep=(.)"?\s*\Z', re.IGNORECASE)
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


@dataclass(frozen=True)
class Layout:
    """What was found before the rows are read.

    Attributes
    ----------
    delimiter : str or None
        None is any white space.
    start : int
        First line of the data, from 1.
    width : int
        Number of columns.
    headings, units : tuple of str
        Of each column; empty texts where the file has none.
    doubt : str
        Why the headings cannot be told, as the end of a sentence about the file.
    above : tuple of Row
        The rows above the headings: an instrument's preamble.
    comments : tuple of str
        Above the data, without their marks.
    head : tuple of Row
        The first rows of the data.
    formats : tuple of NumberFormat
        Of each column.
    """

    delimiter: str | None
    start: int
    width: int
    headings: tuple[str, ...]
    units: tuple[str, ...]
    doubt: str
    above: tuple[Row, ...]
    comments: tuple[str, ...]
    head: tuple[Row, ...]
    formats: tuple[NumberFormat, ...]


@dataclass
class _Run:
    """Rows one after the other that may be rows of one table."""

    first: int
    last: int
    profile: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.last - self.first + 1

    @property
    def numbers(self) -> list[int]:
        return [k for k, kind in enumerate(self.profile) if kind == "n"]

    @property
    def has_text(self) -> bool:
        return "t" in self.profile


def find_layout(text: str, name: str) -> Layout:
    """Find the table in a text.

    Parameters
    ----------
    text : str
        Decoded (see `decode_table`).
    name : str
        What the file is called in messages.

    Returns
    -------
    Layout

    Raises
    ------
    TableFileError
        If there is no table with two columns of numbers, or there are two.
    """
    lines = logical_lines(text, _LINES)
    forced = None
    if lines and (match := _SEP.match(lines[0][2].strip())):
        forced = match[1]
        lines = lines[1:]
    comments = [line for line in lines if line[2].lstrip(" ").startswith(COMMENTS)]
    skipped = {line[0] for line in comments}
    lines = [x for x in lines if x[2].strip(" \t;,|") and x[0] not in skipped]
    lines = [(a, b, without_comment(x) if x.lstrip()[:1] in _DIGITS else x) for a, b, x in lines]
    best: tuple[float, str | None, list[Row], list[str], list[_Run], _Run] | None = None
    for delimiter in _DELIMITERS if forced is None else (forced,):
        if delimiter is not None and not any(delimiter in line for _, _, line in lines):
            continue
        rows = head_rows(lines, delimiter)
        kinds = ["".join(map(kind_of, row.cells)) for row in rows]
        runs = _runs(kinds)
        for run in runs:
            score = float(run.rows * (1 if run.has_text else 3))
            if rows[run.first].cells[:1] == ("DataValue",):
                score = 1e9
            if len(run.numbers) >= 2 and (best is None or score > best[0]):
                best = (score, delimiter, rows, kinds, runs, run)
    if best is None:
        raise TableFileError(
            f"The file {name} has no table of numbers with two columns or more; give a CSV file "
            "with one row for each sample."
        )
    (_, delimiter, rows, kinds, runs, run) = best
    first = _begin(rows, kinds, runs, run, name)
    head = rows[first:][:_ROWS]
    width = max(len(_trimmed(row.cells)) for row in head)
    if delimiter == ",":
        _refuse_unquoted_commas(head, kinds[first:], name)
    found = _headings(rows, kinds, first, run, width)
    if found.doubt:
        # One row that is too long is at fault itself.
        lengths = Counter(len(_trimmed(row.cells)) for row in head)
        common = lengths.most_common(1)[0][0]
        again = _headings(rows, kinds, first, run, common) if common < width else found
        if not again.doubt:
            found, width = again, common
    headings, units, used, doubt = found
    if not any(headings) and not doubt and _is_counting(rows[first].cells):
        first, headings = _numbered_columns(rows, kinds, first, width, name)
        head = rows[first:][:_ROWS]
    units = (*units, *[""] * (len(headings) - len(units)))[: len(headings)]
    start = rows[first].line
    notes = tuple(line.lstrip("#%/! ").strip() for number, _, line in comments if number < start)
    if not any(headings) and not used:
        headings = _from_comments(notes, delimiter, width)
    return Layout(
        delimiter, start, width, headings, units, doubt, tuple(rows[: first - used]), notes,
        tuple(head), tuple(find_formats((row.cells for row in head), width)),
    )  # fmt: skip


def is_units(cells: Sequence[str]) -> bool:
    """Return whether cells are units, some of them at least, and nothing else."""
    bare = [cell.strip("()[] ") for cell in cells]
    units = [find_unit(cell) is not None or is_ambiguous(cell) for cell in bare]
    return any(units) and all(
        unit or cell.lower() in _NO_UNIT for unit, cell in zip(units, bare, strict=True)
    )


# --- the rows of the table ------------------------------------------------------------------------


def _runs(kinds: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    current: _Run | None = None
    for k, row in enumerate(kinds):
        numbers = row.count("n") + row.count("q")
        if current is not None:
            merged = _merged(current.profile, row) if numbers or "t" not in row else None
            if merged is not None:
                current.last, current.profile = k, merged
                continue
            current = None
        if numbers:
            current = _Run(k, k, ["n" if kind == "q" else kind for kind in row])
            runs.append(current)
    return runs


def _merged(profile: Sequence[str], row: str) -> list[str] | None:
    """Return what two rows of one table have in common, or None if they are not of one."""
    out = list(profile) + ["m"] * (len(row) - len(profile))
    for k, kind in enumerate(row):
        kind = "n" if kind == "q" else kind  # noqa: PLW2901
        if out[k] == "m":
            out[k] = kind
        elif kind not in ("m", out[k]):
            return None
    return out


def _is_like(other: _Run, run: _Run) -> bool:
    """Return whether rows further up may be rows of the same table."""
    texts = [k for k, kind in enumerate(other.profile) if kind == "t"]
    same = all(k < len(run.profile) and run.profile[k] == "t" for k in texts)
    return same and _merged(run.profile, "".join(other.profile)) is not None


def _begin(
    rows: Sequence[Row], kinds: Sequence[str], runs: Sequence[_Run], run: _Run, name: str
) -> int:
    """Return the first row of the table: no row of data is left out for looking like another."""
    first = run.first
    earlier = [r for r in runs if r.last < run.first]
    for other in earlier:
        if other.rows >= _RECORD and not other.has_text and len(other.numbers) >= 2:
            raise TableFileError(
                f"The file {name} has a table in line {rows[other.first].line} and another in "
                f"line {rows[run.first].line}; leave one of them."
            )
    like = [r for r in earlier if len(r.numbers) >= 2 and _is_like(r, run)]
    heading = [
        k for k in range(run.first) if "n" not in kinds[k] and kinds[k].count("t") > 1
        and len(kinds[k]) >= len(run.numbers)
    ]  # fmt: skip
    last = heading[-1] if heading else -1
    if any(r.first > last for r in like):
        first = min(r.first for r in like if r.first > last)
    elif sum(r.rows for r in like) > 2:
        raise TableFileError(
            f"The file {name} has a table in line {rows[like[0].first].line} and another in line "
            f"{rows[run.first].line}; leave one of them."
        )
    while first > 0 and _is_data(rows, kinds, first - 1, run):
        first -= 1
    return first


def _is_data(rows: Sequence[Row], kinds: Sequence[str], k: int, run: _Run) -> bool:
    """Return whether a row above the table belongs to it, well-formed or not."""
    row = kinds[k].replace("q", "n").ljust(len(run.profile), "m")
    numbers = run.numbers
    if _is_heading(rows[k].cells, kinds[k], run):
        return False
    first = row[numbers[0]]
    others = [row[j] for j in numbers[1:]]
    if first == "n":
        return True
    if first == "m":
        said = [j for j in numbers if j < len(rows[k].cells) and missing_word(rows[k].cells[j])]
        return "t" not in others and ("n" in others or bool(said))
    # A text in front of numbers: a bad row below headings, a line of a preamble elsewhere.
    below = k > 0 and "n" not in kinds[k - 1] and len(kinds[k - 1]) >= numbers[-1] + 1
    return "n" in others and below


def _is_heading(cells: Sequence[str], kinds: str, run: _Run) -> bool:
    """Return whether a row holds names: texts, some of them numbers such as those of channels."""
    if "t" not in kinds:
        return False
    at = [j for j in run.numbers if j < len(cells)]
    # Under names of quantities no number is a name.
    if not at or kinds[at[0]] not in "tm":
        return False
    texts = [j for j in at if kinds[j] == "t"]
    return bool(texts) and all(
        kinds[j] in "tm" or (cells[j].isdigit() and len(cells[j]) < 4) for j in at
    )


def _refuse_unquoted_commas(head: Sequence[Row], kinds: Sequence[str], name: str) -> None:
    """Refuse ``0,000,0,302``: commas between the columns and for the decimal sign."""
    rows = [row for row, kind in zip(head, kinds, strict=False) if set(kind) == {"n"}]
    if not rows or any(len(row.cells) % 2 for row in rows):
        return
    whole = all(re.fullmatch(r"[+-]?\d+", cell) for row in rows for cell in row.cells[::2])
    part = [cell for row in rows for cell in row.cells[1::2]]
    if (
        whole
        and all(re.fullmatch(r"\d+([eE][+-]?\d+)?", cell) for cell in part)
        and any(re.match(r"0\d", cell) for cell in part)
    ):
        raise TableFileError(
            f"The file {name} has commas between the columns and, as it seems, within the numbers "
            f"(line {rows[0].line}); export it with semicolons or tabs between the columns, or "
            "with decimal points."
        )


# --- headings -------------------------------------------------------------------------------------


class _Headings(NamedTuple):
    """Headings, their units, how many rows they take, and what is wrong with them."""

    texts: tuple[str, ...]
    units: tuple[str, ...]
    used: int
    doubt: str


def _headings(
    rows: Sequence[Row], kinds: Sequence[str], first: int, run: _Run, width: int
) -> _Headings:
    none = ("",) * width
    if first == 0 or not _is_names(rows[first - 1], kinds[first - 1], run):
        return _Headings(none, none, 0, "")
    given = max(len(row.cells) for row in rows[first : first + _ROWS])
    used = 1
    if first > 1 and len(_trimmed(rows[first - 1].cells)) == 1 < width:
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
    if len(_trimmed(last.cells)) == width + 1 and last.cells[width].lower() == "comment":
        last = Row(last.line, last.end, last.cells[:width])  # LabVIEW's, which no row has
    if not _fits(last.cells, width, given):
        found = len(_trimmed(last.cells))
        doubt = f"has {found} headings in line {last.line} over rows of {width} columns"
        if found == width - 1:
            doubt += " (does the first number the rows?)"
        if found > 1:
            return _Headings(none, none, 1, doubt)
        # Headings parted otherwise than the rows
        cells = _split_otherwise(last.cells[0], width)
        return _Headings(cells or none, none, 1, "")
    texts = _padded(last.cells, max(width, len(_trimmed(last.cells))))
    return _Headings(texts, units, used, "")


def _split_otherwise(line: str, width: int) -> tuple[str, ...] | None:
    for delimiter in _DELIMITERS:
        cells = tuple(cell.strip() for cell in split_line(line, delimiter))
        if len(cells) == width and all(cells) and len(line) < 2000:
            return cells
    return None


def _unit_in_row(cell: str) -> str:
    bare = cell.strip("()[] ")
    return "" if bare.lower() in ("value", "values") else bare


def _is_names(row: Row, kinds: str, run: _Run) -> bool:
    return _is_heading(row.cells, kinds, run) or ("t" in kinds and "n" not in kinds)


def _fits(cells: Sequence[str], width: int, given: int) -> bool:
    """Return whether there are as many headings as columns, apart from empty ones at the end."""
    named = _trimmed([cell if not _NO_COLUMN.match(cell) else "" for cell in cells])
    return len(cells) >= width and len(named) <= given


def _is_counting(cells: Sequence[str]) -> bool:
    numbers = [int(cell) for cell in cells if cell.isdigit() and cell.isascii() and len(cell) < 4]
    bare = cells[1:] if cells and not cells[0] else cells
    return len(bare) == len(numbers) >= 2 and numbers in (
        list(range(len(numbers))), list(range(1, len(numbers) + 1)),
    )  # fmt: skip


def _numbered_columns(
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


def _from_comments(comments: Sequence[str], delimiter: str | None, width: int) -> tuple[str, ...]:
    """Return the headings that a comment holds: numpy.savetxt writes them so."""
    generic = frozenset().union(*GENERIC.values())
    best: tuple[int, tuple[str, ...]] = (0, ("",) * width)
    for comment in comments:
        if len(comment) > 2000 or comment.count('"') % 2:
            continue
        for sign in (delimiter, *(d for d in _DELIMITERS if d != delimiter)):
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


def _trimmed(cells: Sequence[str]) -> Sequence[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _padded(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells[:width], *[""] * (width - len(cells)))

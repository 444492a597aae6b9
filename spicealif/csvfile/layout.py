"""Where the table is in a text: its delimiter, its first row, its headings and their units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spicealif.csvfile.cells import NumberFormat, find_formats, kind_of, missing_word
from spicealif.csvfile.heading_rows import (
    DELIMITERS,
    find_headings,
    headings_in_comments,
    is_counting,
    numbered_columns,
    trimmed,
)
from spicealif.csvfile.rows import (
    COMMENTS,
    Row,
    head_rows,
    logical_lines,
    without_comment,
)
from spicealif.csvfile.runs import Run, find_runs, is_heading, is_like
from spicealif.errors import TableFileError

__all__ = ["Layout", "find_layout"]

_LINES = 4000  # among which the table has to begin
_WIDEST = 100_000  # characters of a line
_MOST_COLUMNS = 4096  # no instrument writes that many, and each takes its time
_ROWS = 2000  # of the table that tell how it is written
_RECORD = 8  # rows that are a table of their own, rather than a part of a preamble
_DIGITS = tuple("+-.0123456789")
_CLOCK = re.compile(r"[\"']?(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T])?\d{1,2}:\d{2}")
_SEP = re.compile(r'"?sep=([;,|\t:^~])"?\s*\Z', re.IGNORECASE)


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
    if lines and (match := _SEP.match(lines[0][2].strip(" \ufeff"))):
        forced = match[1]
        lines = lines[1:]
    comments = [line for line in lines if line[2].lstrip(" ").startswith(COMMENTS)]
    skipped = {line[0] for line in comments}
    lines = [x for x in lines if x[2].strip(" \t;,|") and x[0] not in skipped]
    lines = [(a, b, without_comment(x) if x.lstrip()[:1] in _DIGITS else x) for a, b, x in lines]
    (delimiter, rows, kinds, runs, run) = _best(lines, forced, name)
    first = _begin(rows, kinds, runs, run, name)
    head = rows[first:][:_ROWS]
    width = max(len(trimmed(row.cells)) for row in head)
    if delimiter == ",":
        _refuse_unquoted_commas(head, kinds[first:], name)
    upper = rows[: first + _ROWS]
    found = find_headings(upper, kinds, first, run, width)
    if found.doubt:
        # One row that is too long is at fault itself.
        lengths = Counter(len(trimmed(row.cells)) for row in head)
        common = lengths.most_common(1)[0][0]
        again = find_headings(upper, kinds, first, run, min(common, width))
        if not again.doubt:
            found, width = again, common
    headings, units, used, doubt = found
    if not any(headings) and not doubt and is_counting(rows[first].cells):
        first, headings = numbered_columns(rows, kinds, first, width, name)
        head = rows[first:][:_ROWS]
    units = (*units, *[""] * (len(headings) - len(units)))[: len(headings)]
    start = rows[first].line
    notes = tuple(line.lstrip("#%/! ").strip() for number, _, line in comments if number < start)
    if not any(headings) and not used:
        headings = headings_in_comments(notes, delimiter, width)
    return Layout(
        delimiter, start, width, headings, units, doubt, tuple(rows[: first - used]), notes,
        tuple(head), tuple(find_formats((row.cells for row in head), width)),
    )  # fmt: skip


def _best(
    lines: list[tuple[int, int, str]], forced: str | None, name: str
) -> tuple[str | None, list[Row], list[str], list[Run], Run]:
    """Return delimiter, rows, kinds of their cells and runs, and the run that is the table."""
    if long := next((a for a, _, line in lines if len(line) > _WIDEST), None):
        raise TableFileError(
            f"Line {long} of {name} has more than {_WIDEST:,} characters; write one row for each "
            "sample."
        )
    best: tuple[float, str | None, list[Row], list[str], list[Run], Run] | None = None
    for delimiter in DELIMITERS if forced is None else (forced,):
        if delimiter is not None and not any(delimiter in line for _, _, line in lines):
            continue
        rows = head_rows(lines, delimiter)
        widest = max(rows, key=lambda row: len(row.cells), default=None)
        if widest is not None and len(widest.cells) > _MOST_COLUMNS:
            raise TableFileError(
                f"Line {widest.line} of {name} has more than {_MOST_COLUMNS:,} cells; write one "
                "row for each sample."
            )
        kinds = ["".join(map(kind_of, row.cells)) for row in rows]
        runs = find_runs(kinds)
        for run in runs:
            score = float(run.rows * (1 if run.has_text else 3))
            if rows[run.first].cells[:1] == ("DataValue",):
                score = 1e9
            if len(run.numbers) >= 2 and (best is None or score > best[0]):
                best = (score, delimiter, rows, kinds, runs, run)
    if best is None:
        clock = next((a for a, _, line in lines if _CLOCK.match(line)), None)
        if clock is not None:
            raise TableFileError(
                f"The times of {name} are dates or times of day (line {clock}), which are not "
                "read; give them in s, or say that the time is 'every INTERVAL' if the samples are "
                "equally spaced."
            )
        raise TableFileError(
            f"The file {name} has no table of numbers with two columns or more; give a CSV file "
            "with one row for each sample."
        )
    return best[1:]


def _begin(
    rows: Sequence[Row], kinds: Sequence[str], runs: Sequence[Run], run: Run, name: str
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
    like = [r for r in earlier if len(r.numbers) >= 2 and is_like(r, run)]
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


def _is_data(rows: Sequence[Row], kinds: Sequence[str], k: int, run: Run) -> bool:
    """Return whether a row above the table belongs to it, well-formed or not."""
    row = kinds[k].replace("q", "n").ljust(len(run.profile), "m")
    numbers = run.numbers
    if is_heading(rows[k].cells, kinds[k], run):
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

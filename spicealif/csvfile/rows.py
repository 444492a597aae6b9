"""Lines of a text as rows of cells: quotes after RFC 4180, comments, any delimiter."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from spicealif.errors import TableFileError

__all__ = [
    "COMMENTS",
    "Row",
    "data_rows",
    "head_rows",
    "logical_lines",
    "split_line",
    "without_comment",
]

#: What comments begin with.
COMMENTS = ("#", "%", "//", "!")
#: A comment behind numbers, not the error code of a spreadsheet such as #N/A.
_BEHIND = re.compile(
    r"(?<=[\s\d.])#(?!N/?A|NV|VAL|WERT|DIV|NUM|ZAHL|REF|BEZUG|NAME|QNAN|SNAN|IND|INF|#)"
)
_BLOCK = 1 << 20  # characters taken at once
_WORDS = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
_QUOTE_LINES = 20  # that a quoted cell above the table may take


@dataclass(frozen=True)
class Row:
    """A row above the data, or one of the first rows of the data.

    Attributes
    ----------
    line, end : int
        Its first line in the file, from 1, and its last.
    cells : tuple of str
        Stripped.
    """

    line: int
    end: int
    cells: tuple[str, ...]


def split_line(line: str, delimiter: str | None) -> list[str]:
    """Return the cells of one row; a delimiter of None is any white space."""
    if delimiter is None:
        if '"' not in line:
            return line.split()
        return [
            m[1].replace('""', '"') if m[1] is not None else m[2] for m in _WORDS.finditer(line)
        ]
    if '"' not in line:
        return line.rstrip("\n").split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a cell longer than any number or name, or a quote out of place
        return line.split(delimiter)


def without_comment(line: str) -> str:
    """Return a row of numbers without the comment behind it."""
    if "#" not in line or '"' in line:
        return line
    return _BEHIND.split(line, maxsplit=1)[0]


def head_rows(lines: list[tuple[int, int, str]], delimiter: str | None) -> list[Row]:
    """Return the rows of the first lines of a file (see `logical_lines`)."""
    rows = []
    for first, last, line in lines:
        cells = split_line(line, delimiter)
        rows.append(Row(first, last, tuple(cell.strip() for cell in cells)))
    return rows


def logical_lines(text: str, most: int) -> list[tuple[int, int, str]]:
    """Return the first lines of a text, those joined that one quoted cell holds.

    Parameters
    ----------
    text : str
    most : int
        Number of lines.

    Returns
    -------
    list of (int, int, str)
        First and last number of the line, from 1, and its text. A quote that is not closed within
        a few lines is a sign like any other: preambles are not written with care.
    """
    plain = text[: most * 2000].split("\n", most)[:most]
    out = []
    k = 0
    while k < len(plain):
        line, used = plain[k], 1
        if line.count('"') % 2:
            for more in range(1, min(_QUOTE_LINES, len(plain) - k)):
                if plain[k + more].count('"') % 2:
                    line, used = "\n".join(plain[k : k + more + 1]), more + 1
                    break
        out.append((k + 1, k + used, line))
        k += used
    return out


def data_rows(
    text: str, start: int, delimiter: str | None, name: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the data with the number of the line where each ends.

    Parameters
    ----------
    text : str
    start : int
        Number of the first line of the data, from 1.
    delimiter : str or None
    name : str
        What the file is called in messages.

    Yields
    ------
    int, list of str
        Comments and blank lines are left out; cells are not stripped.

    Raises
    ------
    TableFileError
        If a quote is not closed, or something follows a closing quote.
    """
    lines = _numbered(text, start)
    if delimiter is None:
        for number, line in lines:
            yield number, split_line(line, None)
        return
    last = start

    def fed() -> Iterator[str]:
        nonlocal last
        for last, line in lines:  # noqa: B007 - the line that the reader is at
            yield line

    reader = csv.reader(fed(), delimiter=delimiter, skipinitialspace=True, strict=True)
    begin = start
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            long = "limit" in str(error)
            raise TableFileError(
                f"Line {begin if long else last} of {name} has "
                + ("a cell of more than 100,000 characters" if long else _quote_trouble(error))
                + "; mend or remove the line."
            ) from None
        if row is None:
            return
        yield last, row
        begin = last + 1


def _quote_trouble(error: csv.Error) -> str:
    if "expected after" in str(error):
        return "something behind a closing quotation mark"
    return "a quotation mark that is not closed"


def _numbered(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield the lines from one on, without comments and blank lines."""
    at, number = 0, 1
    while number < start:
        at = text.index("\n", at) + 1
        number += 1
    while at < len(text):
        end = text.find("\n", at + _BLOCK)
        block = text[at : end + 1 if end >= 0 else len(text)]
        at += len(block)
        has_comments = any(mark in block for mark in COMMENTS)
        for line in block.split("\n"):
            if line and not line.isspace():
                if not has_comments:
                    yield number, line + "\n"
                elif not line.lstrip(" ").startswith(COMMENTS):
                    yield number, without_comment(line) + "\n"
            number += 1
        if block.endswith("\n"):
            number -= 1  # what follows the last line end belongs to the next block

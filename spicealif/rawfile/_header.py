"""Headers of raw files: parse one, and say which simulator wrote it.

A raw file is one or more plots, one after the other; a plot is a text header that ends in a line
``Binary:`` or ``Values:``, then its numbers. The dialects differ in little: LTspice from XVII on
writes its headers in UTF-16, says ``forward`` or ``reverse``, and gives an ``Offset``; Qspice adds
lines of its own; Xyce leaves the number of points blank until its run ends, and writes title and
date once, however many plots follow.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from spicealif._support.foreign import HEAD, foreign
from spicealif.errors import RawFileError
from spicealif.rawfile._lines import CutOff, TooLong, find_title, read_line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CutOff", "Header", "RawVariable", "fail", "parse_header"]

_MAX_LINES = 10_000  # header lines other than variables, so that a huge text file fails at once

_KEY = re.compile(r"[A-Za-z][\w. ()/-]{0,40}")
_COUNT = re.compile(r"\d{1,18}")
_DIMS = re.compile(r"\bdims=(\d{1,18}(?:,\d{1,18})*)(?:\s|$)")
#: Words of a Command or Version line, in the order in which they are looked for.
_WRITERS = (
    ("qspice", "qspice"),
    ("ltspice", "ltspice"),
    ("linear technology", "ltspice"),
    ("xyce", "xyce"),
    ("ngspice", "ngspice"),
)
#: Words that LTspice, and only LTspice, writes on its Flags line.
_LTSPICE_FLAGS = frozenset(
    {"forward", "reverse", "stepped", "double", "fastaccess", "compressed", "nocompression"}
)


@dataclass(frozen=True, slots=True)
class RawVariable:
    """One variable of a plot.

    Attributes
    ----------
    name : str
        The name as the file has it, for example ``v(out)``.
    type : str
        What the file calls its kind, for example ``time``, ``voltage``, ``device_current``.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Header:
    """What one header says, and where its numbers begin.

    Attributes
    ----------
    title, date, plotname, command : str
        The lines of these names; empty where the header has none.
    flags : frozenset of str
        The words of the ``Flags`` line, in lower case.
    variables : tuple of RawVariable
        In the order of the columns.
    n_points : int
        The number of points the header declares; 0 where it leaves it blank.
    offset : float
        What is to be added to the stored axis.
    writer : str
        ``ngspice``, ``ltspice``, ``qspice``, ``xyce``, or empty if the header does not tell.
    binary : bool
        Whether binary numbers follow (otherwise text).
    width : int
        Bytes a character of the header: 1, or 2 for UTF-16.
    data : int
        Offset of the first byte after the header.
    n_counted : int
        How many variables the header counts; it may list more, see `_more_variables`.
    """

    title: str
    date: str
    plotname: str
    command: str
    flags: frozenset[str]
    variables: tuple[RawVariable, ...]
    n_points: int
    offset: float
    writer: str
    binary: bool
    width: int
    data: int
    n_counted: int


def fail(path: Path, what: str, remedy: str = "run the simulation again") -> NoReturn:
    """Raise a RawFileError: one sentence with the file, the fault and the remedy.

    Raises
    ------
    RawFileError
        Always.
    """
    raise RawFileError(f"{ascii(str(path))}: {what}; {remedy}.")


def parse_header(
    file: BinaryIO, path: Path, start: int, before: Header | None = None
) -> Header | None:
    """Parse the header at `start`, or report that the file ends there.

    Parameters
    ----------
    file : binary file
        The open raw file.
    path : Path
        Its path, for messages.
    start : int
        Offset at which a header, or nothing but white space, is expected.
    before : Header, optional
        The header of the plot before, which a header without a title goes on with.

    Returns
    -------
    Header or None
        None when only white space is left.

    Raises
    ------
    CutOff
        The file ends before the header does.
    RawFileError
        The bytes are no header of a raw file.
    """
    width = find_title(file, start)
    if width is None:
        return None
    if not width:
        _fail_foreign(file, path, start)
    fields: dict[str, str] = {}
    variables: tuple[RawVariable, ...] = ()
    dims: list[int] = []
    n = 0
    for _ in range(_MAX_LINES):
        line = _line(file, path, width)
        if not line.strip():
            continue
        if line.startswith("."):  # Qspice notes parameters and aliases as in a netlist
            fields.setdefault("abscissa", "")
            continue
        if variables and (more := _more_variables(line, len(variables))):
            variables += more
            continue
        key, colon, value = line.partition(":")
        if not colon or not _KEY.fullmatch(key):
            fail(path, f"its header has the line {line[:40]!r}, which is not 'Key: value'")
        key = key.strip().lower()
        fields[key] = value.strip()
        if key == "variables":
            if variables:
                fail(path, "a header of it lists its variables twice")
            n = _count(path, fields, "no. variables")
            variables, dims = _variables(file, path, width, n)
        elif key in {"binary", "values"}:
            break
    else:
        fail(path, f"a header of it has more than {_MAX_LINES} lines")
    if not variables:
        fail(path, "a header of it lists no variables")

    fields = _continued(fields, before)
    n_points = _count(path, fields, "no. points", blank=0)
    flags = _flags(path, fields, dims, n_points)
    return Header(
        title=fields.get("title", ""),
        date=fields.get("date", ""),
        plotname=fields.get("plotname", ""),
        command=fields.get("command", ""),
        flags=flags,
        variables=variables,
        n_points=n_points,
        offset=_offset(path, fields),
        writer=_writer(fields, flags, width),
        binary=key == "binary",
        width=width,
        data=file.tell(),
        n_counted=n,
    )


def _continued(fields: dict[str, str], before: Header | None) -> dict[str, str]:
    """Take from the plot before what a header without a title leaves out."""
    if before is None or "title" in fields:
        return fields
    said = {"title": before.title, "date": before.date, "command": before.command}
    return {**said, "version": before.writer, **fields}


def _fail_foreign(file: BinaryIO, path: Path, start: int) -> NoReturn:
    """Say what stands where a header should."""
    if start == 0:
        file.seek(0)
        if known := foreign(file.read(HEAD)):
            fail(path, *known)
    what = "it" if start == 0 else f"what follows byte {start}"
    fail(
        path,
        f"{what} does not begin with 'Title:' as a plot of a raw file does",
        "pass a raw file that a simulator wrote, or run the simulation again",
    )


def _more_variables(line: str, n: int) -> tuple[RawVariable, ...]:
    """Return the variable that a line lists beyond the number counted, the `n`-th; empty if none.

    LTspice writes the header of a frequency response analysis before the first point is there, and
    counts the frequency alone.
    """
    parts = line.strip().split("\t") if line.count("\t") >= 2 else line.split()
    if len(parts) < 3 or parts[0].strip() != str(n):
        return ()
    return (RawVariable(parts[1].strip(), sys.intern(" ".join(parts[2:]).split()[0])),)


def _writer(fields: dict[str, str], flags: frozenset[str], width: int) -> str:
    """Which simulator wrote a header."""
    command = f"{fields.get('command', '')} {fields.get('version', '')}".lower()
    for word, writer in _WRITERS:
        if word in command:
            return writer
    if "abscissa" in fields:
        return "qspice"
    if width == 2 or flags & _LTSPICE_FLAGS:
        return "ltspice"
    # up to 43 ngspice says no more than "version 42", or nothing
    return "ngspice" if flags & {"padded", "unpadded"} or command.startswith("version ") else ""


def _flags(path: Path, fields: dict[str, str], dims: list[int], n_points: int) -> frozenset[str]:
    """Check the words of the ``Flags`` line."""
    flags = frozenset(fields.get("flags", "").lower().split())
    if ("real" in flags) == ("complex" in flags):
        fail(path, "a header of it does not say whether its numbers are real or complex")
    if "unpadded" in flags and any(size != n_points for size in dims):
        # ngspice then leaves out the values that a short vector lacks, so rows differ in length
        fail(
            path,
            "it is flagged 'unpadded' and holds a vector shorter than the others",
            "write it again after 'unset nopadding'",
        )
    return flags


def _offset(path: Path, fields: dict[str, str]) -> float:
    """Parse the offset of the axis."""
    text = fields.get("offset", "") or "0"
    try:
        offset = float(text)
    except ValueError:
        offset = math.nan
    if not math.isfinite(offset):
        fail(path, f"a header of it gives {text[:20]!r} where 'offset' needs a number")
    return offset


def _line(file: BinaryIO, path: Path, width: int) -> str:
    """One line of the header, without its end."""
    try:
        return read_line(file, width)
    except TooLong as error:
        fail(path, f"its header has a line of more than {error.args[0]} bytes")


def _count(path: Path, fields: dict[str, str], key: str, blank: int | None = None) -> int:
    """Parse a number of variables or points."""
    text = fields.get(key)
    if text == "" and blank is not None:
        return blank
    if text is None or not _COUNT.fullmatch(text) or not text.isascii():
        shown = "nothing" if text is None else repr(text[:20])
        fail(path, f"a header of it gives {shown} where '{key}' needs a count")
    return int(text)


def _variables(
    file: BinaryIO, path: Path, width: int, n: int
) -> tuple[tuple[RawVariable, ...], list[int]]:
    """Read the variable lines and the sizes of the vectors that state them.

    The list grows with the lines that are there, so a huge `n` allocates nothing.
    """
    if n == 0:
        fail(path, "a header of it declares no variables")
    variables: list[RawVariable] = []
    dims: list[int] = []
    for i in range(n):
        line = _line(file, path, width)
        # names such as "v(a) - v(b)" hold spaces, so tabs separate where there are tabs; what
        # follows the type (LTspice 26, ngspice's dims=) is no part of it
        parts = line.strip().split("\t") if line.count("\t") >= 2 else line.split()
        if len(parts) < 3 or parts[0].strip() != str(i):
            fail(path, f"the line {line.strip()[:40]!r} stands where variable {i} should")
        kind = " ".join(parts[2:]).split()
        # a file has few types and many variables
        variables.append(RawVariable(parts[1].strip(), sys.intern(kind[0]) if kind else ""))
        match = _DIMS.search(line)
        if match:
            dims.append(math.prod(int(size) for size in match[1].split(",")[:8]))
    return tuple(variables), dims

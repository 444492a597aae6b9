"""Headers of ngspice raw files: parse one, and find where the next one begins.

A raw file is one or more plots, one after the other; a plot is a text header that ends in a line
``Binary:`` or ``Values:``, then its numbers. Everything here works on an open binary file and
holds at most a few megabytes of it in memory.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from spicealif.errors import RawFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CutOff", "Header", "RawVariable", "fail", "find_header", "parse_header"]

_MAX_LINE = 1 << 16  # bytes; no line of a genuine header comes near it
_MAX_LINES = 10_000  # header lines other than variables, so that a huge text file fails at once
_SCAN = 1 << 22  # bytes a step when searching for the next header
_TITLE = b"Title:"  # the line every plot begins with
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"T\0", b"\0T")  # how LTspice encodes its headers
_BLANKS = 64  # bytes of white space allowed between two plots

_KEY = re.compile(r"[A-Za-z][\w. ]{0,40}")
_COUNT = re.compile(r"\d{1,18}")
_DIMS = re.compile(r"\bdims=(\d{1,18}(?:,\d{1,18})*)(?:\s|$)")
# words that LTspice, and only LTspice, writes on its Flags line
_LTSPICE_FLAGS = frozenset(
    {"forward", "reverse", "stepped", "double", "fastaccess", "compressed", "nocompression"}
)


class CutOff(Exception):
    """The file ends inside a header."""


@dataclass(frozen=True, slots=True)
class RawVariable:
    """One variable of a plot.

    Attributes
    ----------
    name : str
        The name as the file has it, for example ``v(out)``.
    type : str
        What the file calls its kind, for example ``time``, ``voltage``, ``current``.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Header:
    """What one header says, and where its numbers begin.

    Attributes
    ----------
    title, date, plotname : str
        The lines of these names; empty where the header has none.
    flags : frozenset of str
        The words of the ``Flags`` line, in lower case.
    variables : tuple of RawVariable
        In the order of the columns.
    n_points : int
        The number of points the header declares.
    binary : bool
        Whether binary numbers follow (otherwise text).
    data : int
        Offset of the first byte after the header.
    """

    title: str
    date: str
    plotname: str
    flags: frozenset[str]
    variables: tuple[RawVariable, ...]
    n_points: int
    binary: bool
    data: int


def fail(path: Path, what: str, remedy: str = "run the simulation again") -> NoReturn:
    """Raise a RawFileError: one sentence with the file, the fault and the remedy.

    Raises
    ------
    RawFileError
        Always.
    """
    raise RawFileError(f"{ascii(str(path))}: {what}; {remedy}.")


def parse_header(file: BinaryIO, path: Path, start: int) -> Header | None:
    """Parse the header at `start`, or report that the file ends there.

    Parameters
    ----------
    file : binary file
        The open raw file.
    path : Path
        Its path, for messages.
    start : int
        Offset at which a header, or nothing but white space, is expected.

    Returns
    -------
    Header or None
        None when only white space is left.

    Raises
    ------
    CutOff
        The file ends before the header does.
    RawFileError
        The bytes are no header of an ngspice raw file.
    """
    if not _find_title(file, path, start):
        return None
    fields: dict[str, str] = {}
    variables: tuple[RawVariable, ...] = ()
    dims: list[int] = []
    for _ in range(_MAX_LINES):
        line = _line(file, path)
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        if not colon or not _KEY.fullmatch(key):
            fail(path, f"its header has the line {line[:40]!r}, which is not 'Key: value'")
        key = key.strip().lower()
        fields[key] = value.strip()
        if key in {"flags", "command"}:
            _refuse_ltspice(path, fields)
        elif key == "variables":
            if variables:
                fail(path, "a header of it lists its variables twice")
            variables, dims = _variables(file, path, _count(path, fields, "no. variables"))
        elif key in {"binary", "values"}:
            break
    else:
        fail(path, f"a header of it has more than {_MAX_LINES} lines")
    if not variables:
        fail(path, "a header of it lists no variables")

    n_points = _count(path, fields, "no. points")
    return Header(
        title=fields.get("title", ""),
        date=fields.get("date", ""),
        plotname=fields.get("plotname", ""),
        flags=_flags(path, fields, dims, n_points),
        variables=variables,
        n_points=n_points,
        binary=key == "binary",
        data=file.tell(),
    )


def find_header(file: BinaryIO, start: int, size: int) -> int:
    """Offset of the first header, complete or cut off, at or after `start`.

    Needed where the header does not say how many points follow: after an analysis that failed,
    ngspice leaves ``No. Points: 0`` and writes the next analysis behind it.

    Parameters
    ----------
    file : binary file
        The open raw file.
    start : int
        Where to begin.
    size : int
        Size of the file, in bytes.

    Returns
    -------
    int
        The offset; `size` when there is no further header.
    """
    # Title, line end, Date or Plotname: long enough to recognise, never needed in full at once
    overlap = _MAX_LINE
    position = start
    while position < size:
        file.seek(position)
        block = file.read(_SCAN + overlap)
        at = block.find(_TITLE)
        while 0 <= at < _SCAN:  # what lies beyond is seen whole in the next step
            if _is_header(block[at : at + overlap]):
                return position + at
            at = block.find(_TITLE, at + 1)
        position += _SCAN
    return size


def _is_header(text: bytes) -> bool:
    """Whether `text`, which begins with ``Title:``, goes on like a header or ends like one."""
    _, newline, rest = text.partition(b"\n")
    if not newline:
        return len(text) < _MAX_LINE and text.isascii() and b"\0" not in text
    return any(rest[: len(key)] == key[: len(rest)] for key in (b"Date:", b"Plotname:"))


def _find_title(file: BinaryIO, path: Path, start: int) -> bool:
    """Move to the ``Title:`` that may follow white space at `start`; False at the file's end."""
    file.seek(start)
    head = file.read(_BLANKS + len(_TITLE))
    text = head.lstrip()
    if not text and len(head) < _BLANKS:
        return False
    if start == 0 and head.startswith(_UTF16):
        _fail_ltspice(path)
    begin = text[: len(_TITLE)].lower()
    if not begin or not _TITLE.lower().startswith(begin):
        what = "it" if start == 0 else f"what follows byte {start}"
        fail(
            path,
            f"{what} does not begin with {_TITLE.decode()!r} as a plot of ngspice does",
            "pass a raw file that ngspice wrote, or run the simulation again",
        )
    file.seek(start + len(head) - len(text))
    return True


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


def _line(file: BinaryIO, path: Path) -> str:
    """One line of the header, without its end."""
    line = file.readline(_MAX_LINE)
    if not line.endswith(b"\n"):
        if len(line) < _MAX_LINE:
            raise CutOff
        fail(path, f"its header has a line of more than {_MAX_LINE} bytes")
    return line.decode("utf-8", errors="replace").rstrip("\r\n")


def _count(path: Path, fields: dict[str, str], key: str) -> int:
    """Parse a number of variables or points."""
    text = fields.get(key)
    if text is None or not _COUNT.fullmatch(text) or not text.isascii():
        shown = "nothing" if text is None else repr(text[:20])
        fail(path, f"a header of it gives {shown} where '{key}' needs a count")
    return int(text)


def _variables(file: BinaryIO, path: Path, n: int) -> tuple[tuple[RawVariable, ...], list[int]]:
    """Read the variable lines and the sizes of the vectors that state them.

    The list grows with the lines that are there, so a huge `n` allocates nothing.
    """
    if n == 0:
        fail(path, "a header of it declares no variables")
    variables: list[RawVariable] = []
    dims: list[int] = []
    for i in range(n):
        line = _line(file, path)
        # names such as "v(a) - v(b)" hold spaces, so tabs separate where there are tabs
        parts = line.strip().split("\t") if line.count("\t") >= 2 else line.split()
        if len(parts) < 3 or parts[0].strip() != str(i):
            fail(path, f"the line {line.strip()[:40]!r} stands where variable {i} should")
        kind = " ".join(parts[2:]).split()
        variables.append(RawVariable(parts[1].strip(), kind[0] if kind else ""))
        match = _DIMS.search(line)
        if match:
            dims.append(math.prod(int(size) for size in match[1].split(",")[:8]))
    return tuple(variables), dims


def _refuse_ltspice(path: Path, fields: dict[str, str]) -> None:
    """Refuse a file whose ``Flags`` or ``Command`` only LTspice writes."""
    if _LTSPICE_FLAGS & set(fields.get("flags", "").lower().split()):
        _fail_ltspice(path)
    command = fields.get("command", "").lower()
    if "ltspice" in command or "linear technology" in command:
        _fail_ltspice(path)


def _fail_ltspice(path: Path) -> NoReturn:
    """Refuse a file of LTspice."""
    fail(
        path,
        "it was written by LTspice, and LTspice raw files are not read by this version",
        "run the netlist in ngspice",
    )

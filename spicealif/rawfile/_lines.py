"""The text of raw files' headers, in 8 bits or UTF-16: its lines, and where a header begins.

Everything here works on an open binary file and holds at most a few megabytes of it in memory.
"""

from __future__ import annotations

import re
from typing import BinaryIO

__all__ = ["CutOff", "TooLong", "find_header", "find_title", "is_header_or_end", "read_line"]

_MAX_LINE = 1 << 16  # bytes; no line of a genuine header comes near it
_MAX_TITLE = 1 << 12  # bytes of a title line that is recognised between two plots
_SCAN = 1 << 22  # bytes a step, at most, when searching for the next header
_FIRST_SCAN = 1 << 12  # bytes of the first step: the next header is often near
_BLANKS = 64  # bytes of white space allowed between two plots

_UTF16 = "utf-16-le"
#: The beginning of a header by the width of its characters, in lower case. UTF-16 comes first:
#: its bytes would pass for 8-bit white space. Xyce writes Title and Date once: each later plot of
#: its file begins at Plotname.
_TITLES = tuple(
    (width, word.encode(_UTF16 if width == 2 else "ascii"))
    for width in (2, 1)
    for word in ("title:", "plotname:")
)
_SPACE = {1: re.compile(rb"\s*"), 2: re.compile(rb"(?:[ \t\r\n]\0)*")}
_MARKS = (b"\xff\xfe", b"\xef\xbb\xbf")  # byte order marks that an editor may have put in front
#: What a header begins with, for the search; the writers' own spelling.
_ANY_TITLE = re.compile(
    b"|".join(
        re.escape(word.encode(code))
        for word in ("Title:", "Plotname:")
        for code in ("ascii", _UTF16)
    )
)
#: What the line behind each begins with.
_SECOND_LINES = {b"T": ("Date:", "Plotname:"), b"P": ("Flags:",)}


class CutOff(Exception):
    """The file ends inside a header."""


class TooLong(Exception):
    """A line of a header has more bytes than the one number in ``args``."""


def find_title(file: BinaryIO, start: int) -> int | None:
    """Move to the ``Title:`` or ``Plotname:`` that may follow white space at `start`.

    Parameters
    ----------
    file : binary file
        The open raw file; left at the beginning of the title.
    start : int
        Where a header is expected.

    Returns
    -------
    int or None
        Bytes a character (1 or 2); 0 if something else stands there; None if only white space is
        left in the file.

    Raises
    ------
    CutOff
        The file ends inside the word.
    """
    file.seek(start)
    head = file.read(_BLANKS + 16)
    for mark in _MARKS:
        if head.startswith(mark):
            head, start = head[len(mark) :], start + len(mark)
    whole = len(head) < _BLANKS  # the file ends here
    for width, title in _TITLES:
        blanks = _blanks(head, width)
        text = head[blanks:].lower()
        if text.startswith(title):
            file.seek(start + blanks)
            return width
        if whole and text and title.startswith(text):
            raise CutOff
    return None if whole and not head[_blanks(head, 2) :].strip() else 0


def read_line(file: BinaryIO, width: int) -> str:
    """Read one line, without its end.

    Parameters
    ----------
    file : binary file
        At the beginning of a line; left at the beginning of the next.
    width : int
        Bytes a character.

    Returns
    -------
    str
        UTF-16 or UTF-8; what is no UTF-8 is taken for cp1252, as LTspice IV wrote it.

    Raises
    ------
    CutOff
        The file ends inside the line.
    TooLong
        The line is longer than any line of a header.
    """
    line = bytearray()
    while True:
        piece = file.readline(_MAX_LINE - len(line))
        line += piece
        if not piece.endswith(b"\n"):
            if len(line) < _MAX_LINE:
                raise CutOff
            raise TooLong(_MAX_LINE)
        if width == 1:
            break
        if len(line) % 2:  # else the byte was the upper half of a character
            second = file.read(1)
            line += second
            if second == b"\0":
                break
            if not second:
                raise CutOff
    if width == 2:
        text = line.decode(_UTF16, errors="replace")
    else:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("cp1252", errors="replace")
    return text.rstrip("\r\n")


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
    position, step = start, _FIRST_SCAN
    while position < size:
        file.seek(position)
        # the overlap lets a title that begins in this step be seen whole
        block = file.read(step + _MAX_TITLE)
        line_end = -1
        for match in _ANY_TITLE.finditer(block):
            at = match.start()
            if at >= step:  # seen whole in the next step
                break
            width = 2 if block[at + 1 : at + 2] == b"\0" else 1
            # many titles may stand on one line: its end is looked for once
            if line_end <= at:
                line_end = block.find(b"\n", at)
                line_end = len(block) if line_end < 0 else line_end
            if _is_header(block, at, line_end, width, position + len(block) >= size):
                return position + at
        position += step
        step = min(2 * step, _SCAN)
    return size


def is_header_or_end(file: BinaryIO, at: int) -> bool:
    """Whether a header, a cut-off header, or nothing but white space follows `at`."""
    try:
        return find_title(file, at) != 0
    except CutOff:
        return True


def _blanks(head: bytes, width: int) -> int:
    """Count the bytes of white space at the beginning of `head`."""
    match = _SPACE[width].match(head)
    return match.end() if match else 0


def _is_header(block: bytes, at: int, line_end: int, width: int, last: bool) -> bool:
    """Whether the title at `at`, whose line ends at `line_end`, goes on like a header."""
    if line_end - at > _MAX_TITLE:
        return False
    if line_end == len(block):  # the file ends in this line, if it ends in this block
        text = block[at:]
        if width == 2:
            return last and not any(text[1::2]) and b"\0" not in text[::2]
        return last and text.isascii() and b"\0" not in text
    rest = block[line_end + width : line_end + width + 32]
    for word in _SECOND_LINES[block[at : at + 1]]:
        key = word.encode(_UTF16) if width == 2 else word.encode()
        found = rest[: len(key)]
        if found == key or (last and key.startswith(found)):
            return True
    return False

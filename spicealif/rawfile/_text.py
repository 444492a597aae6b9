"""Numbers of raw files that are written as text (``Values:``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from spicealif.rawfile._header import Header, fail

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["parse_text"]

_TEXT = 1 << 22  # bytes of text parsed at a time
_LONGEST = 1000  # bytes; no number comes near it
#: A number as programs write it that follow the system's language. One that could be a pair of
#: numbers is left alone: these write all digits behind the comma.
_COMMA = re.compile(rb"^([+-]?\d{1,3}),(\d{1,17}[eE][+-]?\d{1,4})$")
_COMMAS = re.compile(rb",[^\s,]{0,400},")
#: How old C libraries, LTspice IV's and XVII's among them, print what is no finite number.
_NOT_FINITE = re.compile(rb"1\.#(INF|IND|QNAN|SNAN)\d*(?:e[+-]\d+)?", re.IGNORECASE)


def parse_text(file: BinaryIO, path: Path, header: Header, end: int) -> tuple[NDArray[Any], ...]:
    """Parse the numbers of a text plot.

    A point is its number, then the values of its variables; a complex value is ``re,im``, in
    some files of LTspice ``re,<TAB>im``. In a real plot a decimal comma is read
    (``1,250000e-03``). What follows the last white space is dropped: a number
    cut short can look like a whole one.

    Parameters
    ----------
    file : binary file
        The open raw file.
    path : Path
        Its path, for messages.
    header : Header
        The plot's header.
    end : int
        Offset of the first byte behind the plot.

    Returns
    -------
    tuple of ndarray, shape (n_points,)
        One a variable, float64 or complex128; the axis of a complex plot is real if it is
        written so, as Qspice does.

    Raises
    ------
    RawFileError
        The text is not what the header announces.
    """
    numbers, real_axis, rest = _numbers(file, path, header, end)
    n_variables = len(header.variables)
    parts = 2 if "complex" in header.flags else 1
    first = 1 if real_axis else parts
    per_point = 1 + first + parts * (n_variables - 1)
    n = numbers.size // per_point
    table = numbers[: n * per_point].reshape(n, per_point)
    if not np.array_equal(table[:, 0], np.arange(n)):
        bad = int(np.flatnonzero(table[:, 0] != np.arange(n))[0])
        fail(path, f"the text of point {bad} does not begin with its number")
    if header.n_points and n >= header.n_points:
        table = _counted(path, header, table, numbers[n * per_point :], rest)
        n = len(table)
    if parts == 1:
        return tuple(np.ascontiguousarray(table[:, 1:].T))
    axis = [np.ascontiguousarray(table[:, 1])] if real_axis else []
    body = table[:, 1 + len(axis) :]
    values = np.empty((body.shape[1] // 2, n), np.complex128)
    values.real = body[:, 0::2].T
    values.imag = body[:, 1::2].T
    return (*axis, *values)


def _counted(
    path: Path, header: Header, table: NDArray[np.float64], left: NDArray[np.float64], rest: bytes
) -> NDArray[np.float64]:
    """Check what follows the points that a header counts; return all points that are some.

    More of them are there while a run is going; LTspice leaves one of zeros alone.
    """
    n = len(table)
    begun = not left.size or left[0] == n  # the next point's number
    digits = not rest or left.size > 0 or str(n).encode().startswith(rest)
    header_begun = any(word.startswith(rest) for word in (b"Title:", b"Plotname:"))
    if not begun or not (digits or (header_begun and not left.size)):
        fail(path, f"more follows the {header.n_points} points that a header declares")
    surplus = table[header.n_points :, 1:]
    return table[: header.n_points] if not surplus.any() else table


def _numbers(
    file: BinaryIO, path: Path, header: Header, end: int
) -> tuple[NDArray[np.float64], bool, bytes]:
    """Return all complete numbers, whether a complex plot's axis is real, and what was dropped."""
    is_complex = "complex" in header.flags
    seen = 0  # complete words so far
    real_axis = False
    pieces: list[NDArray[np.float64]] = []
    rest = b""
    position = header.data
    while position < end:
        file.seek(position)
        read = file.read(min(_TEXT * header.width, end - position))
        if not read:
            break
        position += len(read)
        if header.width == 2:
            whole = len(read) // 2 * 2  # of a file that is cut off half a character is left
            read = read[:whole].decode("utf-16-le", errors="replace").encode()
        text = rest + read
        tokens = text.split()
        rest = b"" if text[-1:].isspace() or not tokens else tokens.pop()
        if len(rest) > _LONGEST:
            fail(path, "its text has something longer than a number")
        if is_complex and seen < 2 <= seen + len(tokens):
            real_axis = b"," not in tokens[1 - seen]
        seen += len(tokens)
        try:
            # underscores are Python's, no simulator's
            if b"_" in text or (is_complex and _COMMAS.search(text)):
                raise ValueError
            if is_complex:
                joined = b" ".join(tokens).replace(b",", b" ").split()
            elif b"," in text:
                joined = [_COMMA.sub(rb"\1.\2", word) for word in tokens]
            else:
                joined = tokens
            if b"#" in text:
                joined = [_NOT_FINITE.sub(_spell, word) for word in joined]
            pieces.append(np.fromiter(map(float, joined), np.float64, len(joined)))
        except ValueError:
            if any(word.count(b",") > is_complex for word in tokens):
                fail(
                    path,
                    "its numbers have commas that can be read in more than one way",
                    "run the simulation again with a decimal point (LC_NUMERIC=C) or in binary",
                )
            fail(path, f"the text before byte {position} holds something that is no number")
    return np.concatenate(pieces) if pieces else np.empty(0), real_axis, rest


def _spell(match: re.Match[bytes]) -> bytes:
    """Spell an infinity or no-number as Python does."""
    return b"inf" if match[1].upper() == b"INF" else b"nan"

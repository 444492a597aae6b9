"""Finds how the numbers of a binary plot lie in its file.

Nothing in a raw file states the width of its numbers; it follows from who wrote the file, and the
file's size tells whether that is right:

- ngspice, Xyce, Qspice and LTspice with the flag ``double`` write real plots in float64; LTspice
  otherwise writes the first variable in float64 and the others in float32, whatever the analysis.
- Complex plots are complex128 throughout, but Qspice's frequency is a float64.
- A point's values stand together, but with the flag ``fastaccess`` a variable's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import numpy as np

from spicealif.rawfile._count import (
    axis_looks_right,
    byte_order_is_wrong,
    further_points,
    was_edited,
)
from spicealif.rawfile._header import Header, fail
from spicealif.rawfile._layout import Layout
from spicealif.rawfile._lines import find_header, is_header_or_end

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["place"]

_F4, _F8, _C16 = np.dtype("<f4"), np.dtype("<f8"), np.dtype("<c16")


def place(file: BinaryIO, path: Path, header: Header, size: int) -> tuple[Layout, int, int]:
    """Find how the numbers of a binary plot lie, how many points there are, and where it ends.

    Parameters
    ----------
    file : binary file
        The open raw file.
    path : Path
        Its path, for messages.
    header : Header
        The plot's header.
    size : int
        The file's size in bytes.

    Returns
    -------
    layout : Layout
    n_points : int
        Complete points in the file.
    end : int
        Offset of the first byte behind the plot.

    Raises
    ------
    RawFileError
        The size fits more than one reading of the header, or none of a ``fastaccess`` file that
        does not say how many points it has; or the bytes are no numbers of a plot.
    """
    layout, n_points, end = _placed(file, path, header, size)
    _check_numbers(file, path, header, layout, n_points)
    return layout, n_points, end


def _placed(file: BinaryIO, path: Path, header: Header, size: int) -> tuple[Layout, int, int]:
    """Find what `place` returns."""
    told, other = _layouts(header)
    n = header.n_points
    fits = n and _fits(file, told, n, size)
    if not fits and was_edited(file, header.data):
        fail(
            path,
            "its numbers were destroyed when an editor or a transfer took it for text",
            "copy it again as a binary file, or run the simulation again",
        )
    if n and not fits:
        told = _choose(file, path, header, told, other, size)
    if "fastaccess" in header.flags:
        return _by_variable(file, path, header, told, size)
    if n and _fits(file, told, n, size):
        return told, n, header.data + n * told.row
    # The count was never written or cannot be right: the data end at the next header, if any.
    end = find_header(file, header.data, size)
    held = (end - header.data) // told.row
    if not n or held < n:
        return told, held, end
    more = further_points(file, header, told, end)
    if more is None:
        _fail_surplus(path, header.data + n * told.row)
    return told, n + more, end


def _layouts(header: Header) -> tuple[Layout, Layout]:
    """Return the layout that the header tells, and the other one there is for its kind of number.

    They differ only in the width of some numbers.
    """
    n = len(header.variables)
    if "complex" in header.flags:
        pair = (Layout(_C16, _C16, n, header.data), Layout(_F8, _C16, n, header.data))
        return pair[::-1] if header.writer == "qspice" else pair
    pair = (Layout(_F8, _F8, n, header.data), Layout(_F8, _F4, n, header.data))
    single = header.writer == "ltspice" and "double" not in header.flags
    return pair[::-1] if single else pair


def _fits(file: BinaryIO, layout: Layout, n_points: int, size: int) -> bool:
    """Whether the plot's end, in this layout, is the file's or the beginning of another plot."""
    end = layout.data + n_points * layout.row
    return end == size or (end < size and is_header_or_end(file, end))


def _choose(
    file: BinaryIO, path: Path, header: Header, told: Layout, other: Layout, size: int
) -> Layout:
    """Decide between what the header tells, which the size does not fit, and the other layout."""
    if header.writer == "ltspice" and "complex" in header.flags:
        # the imaginary part of a frequency is zero, and no second frequency is
        file.seek(header.data + _F8.itemsize)
        return other if any(file.read(_F8.itemsize)) else told
    if told.row == other.row or not _fits(file, other, header.n_points, size):
        return told
    if other.row > told.row:  # a file with bytes to spare was not cut off, but may still grow
        growing = axis_looks_right(file, header, told, (size - header.data) // told.row)
        return told if growing else other
    if not header.writer:
        fail(
            path,
            "its size fits a plot that was cut off as well as a complete one of shorter numbers, "
            "and it does not say which program wrote it",
            "write it again, or run the simulation again",
        )
    return told  # a file cut off just there


def _check_numbers(
    file: BinaryIO, path: Path, header: Header, layout: Layout, n_points: int
) -> None:
    """Refuse numbers that would be read as others."""
    if not n_points:
        return
    if byte_order_is_wrong(file, header, layout, n_points):
        fail(
            path,
            "its numbers have their high byte first, as Spectre's nutbin files do",
            "write it as text (nutascii)",
        )
    if header.n_counted != layout.n_variables and n_points != header.n_points:
        fail(
            path,
            f"a header of it counts {header.n_counted} variables and lists {layout.n_variables}",
            "run the simulation again",
        )


def _fail_surplus(path: Path, at: int) -> NoReturn:
    fail(
        path,
        f"what follows byte {at} is neither a plot nor more points of the one before it",
        "run the simulation again, or copy the file again",
    )


def _by_variable(
    file: BinaryIO, path: Path, header: Header, layout: Layout, size: int
) -> tuple[Layout, int, int]:
    """Place a ``fastaccess`` plot, of which only whole variables can be found."""
    held = size - header.data
    points = header.n_points
    if not points:
        points, left = divmod(held, layout.row)
        if left:
            fail(
                path,
                "it is flagged 'fastaccess' and does not say how many points it has",
                "convert it again from the file that the simulation left",
            )
    row = layout.row
    layout = replace(layout, stride_points=points)
    end = header.data + points * row
    if held > points * row and not is_header_or_end(file, end):
        # One record of zeros may be stored beyond those counted, which puts each variable further
        # behind the other. Of more records nobody could say whether the file is whole, and so
        # where its variables begin.
        end = find_header(file, header.data, size)
        longer = replace(layout, stride_points=points + 1)
        if end - header.data != (points + 1) * row or not _last_is_zero(file, longer):
            _fail_surplus(path, header.data + points * row)
        return longer, points, end
    last = layout.n_variables - 1
    # the last variable tells which points are complete
    complete = max(0, held - layout.offset(last)) // layout.dtype(last).itemsize
    n = min(points, complete)
    return layout, n, header.data + points * layout.row if n == points else size


def _last_is_zero(file: BinaryIO, layout: Layout) -> bool:
    """Whether the last point of a ``fastaccess`` plot is zero in all variables."""
    last = layout.stride_points - 1
    for i in range(layout.n_variables):
        size = layout.dtype(i).itemsize
        file.seek(layout.data + layout.offset(i) + last * size)
        if any(file.read(size)):
            return False
    return True

"""How the numbers of a binary plot lie in its file.

Nothing in a raw file states the width of its numbers; it follows from who wrote the file, and the
file's size tells whether that is right:

- ngspice, Xyce, Qspice and LTspice with the flag ``double`` write real plots in float64; LTspice
  otherwise writes the first variable in float64 and the others in float32, whatever the analysis.
- Complex plots are complex128 throughout, but Qspice's frequency is a float64.
- A point's values stand together, but with the flag ``fastaccess`` a variable's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from spicealif.simulators._raw_header import Header, fail
from spicealif.simulators._raw_lines import find_header, is_header_or_end

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Layout", "place"]

_F4, _F8, _C16 = np.dtype("<f4"), np.dtype("<f8"), np.dtype("<c16")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number of a binary plot is.

    Attributes
    ----------
    first, rest : numpy.dtype
        Type of the first variable, and of all others.
    n_variables : int
    data : int
        Offset of the first number in the file, in bytes.
    stride_points : int
        0 where a point's values stand together; otherwise (``fastaccess``) the number of points
        from one variable to the next.
    """

    first: np.dtype[np.generic]
    rest: np.dtype[np.generic]
    n_variables: int
    data: int
    stride_points: int = 0

    @property
    def row(self) -> int:
        """Bytes of one point."""
        return self.first.itemsize + self.rest.itemsize * (self.n_variables - 1)

    def dtype(self, i: int) -> np.dtype[np.generic]:
        """Type of variable `i`."""
        return self.rest if i else self.first

    def offset(self, i: int) -> int:
        """Bytes from the first number of the plot to the first of variable `i`."""
        before = self.first.itemsize + self.rest.itemsize * (i - 1) if i else 0
        return before * (self.stride_points or 1)


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
        does not say how many points it has.
    """
    told, other = _layouts(header)
    if header.n_points and not _fits(file, told, header.n_points, size):
        told = _choose(file, path, header, told, other, size)
    if "fastaccess" in header.flags:
        return _by_variable(path, header, told, size)
    held = (size - header.data) // told.row
    if 0 < header.n_points <= held:
        return told, header.n_points, header.data + header.n_points * told.row
    # the count was never written or cannot be right: the data end at the next header, if any
    end = find_header(file, header.data, size)
    return told, (end - header.data) // told.row, end


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
    if other.row > told.row:  # a file with bytes to spare was not cut off
        return other
    if not header.writer:
        fail(
            path,
            "its size fits a plot that was cut off as well as a complete one of shorter numbers, "
            "and it does not say which program wrote it",
            "write it again, or run the simulation again",
        )
    return told  # a file cut off just there


def _by_variable(path: Path, header: Header, layout: Layout, size: int) -> tuple[Layout, int, int]:
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
    layout = Layout(layout.first, layout.rest, layout.n_variables, layout.data, points)
    last = layout.n_variables - 1
    # the last variable tells which points are complete
    complete = max(0, held - layout.offset(last)) // layout.dtype(last).itemsize
    n = min(points, complete)
    return layout, n, header.data + points * layout.row if n == points else size

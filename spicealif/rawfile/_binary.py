"""Copying the columns of a binary plot out of its file, at the speed of reading it.

Where a point's values stand together, columns are copied out of a memory map of one window of the
file at a time, so a file may be larger than the memory.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spicealif.rawfile._layout import Layout

__all__ = ["read_columns", "same_as_next"]

_WINDOW = 1 << 25  # bytes of the file that a thread maps at a time: bounds the resident memory
_THREADS = 2  # more gain little: the memory is the limit
_BLOCK = 320 * 1024  # bytes transposed at a time: fits a core's cache (measured: 4,096 x 10)

_Columns = tuple["NDArray[Any]", ...]


def read_columns(file: BinaryIO, layout: Layout, which: range, points: slice) -> _Columns:
    """Copy adjacent columns, or some points of them, into new arrays.

    Parameters
    ----------
    file : binary file
        The open raw file.
    layout : Layout
        How its numbers lie.
    which : range
        The variables.
    points : slice
        The points, which must be in the file.

    Returns
    -------
    tuple of ndarray, shape (points.stop - points.start,)
        One a variable, contiguous, in the type they are stored in.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or has become shorter.
    """
    n = points.stop - points.start
    columns: list[NDArray[Any]] = []
    chosen = which
    split: list[tuple[range, NDArray[Any]]] = []
    if chosen.start == 0 and layout.first != layout.rest:
        split.append((range(1), np.empty((1, n), layout.first)))
        chosen = range(1, which.stop)
    if chosen:
        split.append((chosen, np.empty((len(chosen), n), layout.dtype(chosen.start))))
    if n:
        if layout.stride_points:
            _read_runs(file, layout, split, points.start)
        else:
            _read_rows(file, layout, split, points.start)
    for _, rows in split:
        columns.extend(rows)
    return tuple(columns)


def same_as_next(file: BinaryIO, layout: Layout, points: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell at which points all variables have the bytes they have at the next point.

    Parameters
    ----------
    file : binary file
        The open raw file.
    layout : Layout
        How its numbers lie.
    points : ndarray of int, shape (K,)
        Points, of which none is the last.

    Returns
    -------
    ndarray of bool, shape (K,)

    Raises
    ------
    OSError, ValueError
        As in `read_columns`.
    """
    same = np.ones(len(points), np.bool_)
    for at, point in enumerate(points.tolist()):
        if not layout.stride_points:
            pairs = [(layout.data + point * layout.row, layout.row)]
        else:
            sizes = [layout.dtype(i).itemsize for i in range(layout.n_variables)]
            pairs = [
                (layout.data + layout.offset(i) + point * size, size)
                for i, size in enumerate(sizes)
            ]
        for offset, size in pairs:
            file.seek(offset)
            both = file.read(2 * size)
            if both[:size] != both[size:]:
                same[at] = False
                break
    return same


def _read_runs(
    file: BinaryIO, layout: Layout, split: list[tuple[range, NDArray[Any]]], first: int
) -> None:
    """Fill arrays from a file in which each variable's values stand together."""
    for which, out in split:
        for i, row in zip(which, out, strict=True):
            offset = layout.data + layout.offset(i) + first * row.itemsize
            _fill(file, offset, memoryview(row.view(np.uint8)))


def _read_rows(
    file: BinaryIO, layout: Layout, split: list[tuple[range, NDArray[Any]]], first: int
) -> None:
    """Fill arrays from a file in which each point's values stand together.

    Copying from a map a block of rows at a time reads each byte of the file once and needs no
    buffer in between; a column at a time would read the whole file once for every column.
    """
    n, row = split[0][1].shape[1], layout.row
    begin = layout.data + first * row
    rows = max(1, _WINDOW // row)
    step = max(1, _BLOCK // row)

    def copy(at: int) -> None:
        count = min(rows, n - at)
        start = begin + at * row
        base = start - start % mmap.ALLOCATIONGRANULARITY
        length = start - base + count * row
        with mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=base) as window:
            blocks = [
                np.ndarray(
                    (count, len(which)),
                    out.dtype,
                    window,
                    start - base + layout.offset(which.start),
                    (row, out.itemsize),
                )
                for which, out in split
            ]
            for a in range(0, count, step):
                b = min(a + step, count)
                for (_, out), block in zip(split, blocks, strict=True):
                    out[:, at + a : at + b] = block[a:b].T
            del blocks, block  # the window cannot be closed while an array refers to it

    if n <= rows:
        copy(0)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:  # NumPy lets go of the GIL while it copies
        list(pool.map(copy, range(0, n, rows)))


def _fill(file: BinaryIO, offset: int, view: memoryview) -> None:
    """Read bytes from `offset` on until `view` is full."""
    file.seek(offset)
    while len(view):
        done = file.readinto(view)  # type: ignore[attr-defined]
        if not done:
            raise ValueError("it has become shorter")
        view = view[done:]

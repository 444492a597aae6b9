"""How many points a plot has where its header's count is not what the file holds.

Programs write the count before the points are there. It is too small in the file of a run that is
still going, and where LTspice has put an empty record behind the points of a stepped ``.dc`` list;
too large in a file that was cut off. Whether bytes behind the last point that was counted are
further points shows from the axis: it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from spicealif.rawfile._binary import read_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spicealif.rawfile._header import Header
    from spicealif.rawfile._layout import Layout

__all__ = [
    "axis_looks_right",
    "byte_order_is_wrong",
    "further_points",
    "goes_on",
    "was_edited",
]

_NEAREST, _FARTHEST = 1e-40, 1e30  # of values on an axis, beside zero
_LOOKED_AT = 4096  # points, when telling one layout from another
_CHUNK = 1 << 20  # bytes
_SAMPLE = 1 << 12  # bytes: a file may have many plots
#: What saving bytes as UTF-8 text makes of those that are none.
_REPLACED = b"\xef\xbf\xbd"


def further_points(file: BinaryIO, header: Header, layout: Layout, end: int) -> int | None:
    """Count the points behind those that a header counts.

    Parameters
    ----------
    file : binary file
        The open raw file.
    header : Header
        The plot's header, with a count.
    layout : Layout
        How its numbers lie; a point's stand together.
    end : int
        Offset of the first byte that is not this plot's.

    Returns
    -------
    int or None
        0 where nothing but zeros follows; None where something else does.
    """
    begin = header.data + header.n_points * layout.row
    used = _last_nonzero(file, begin, end) + 1 - begin
    if used <= 0:
        return 0
    whole = min(-(-used // layout.row), (end - begin) // layout.row)
    if whole == 0:
        # The beginning of a point; its axis, if that is whole, tells.
        if end - begin < layout.first.itemsize:
            return None
        file.seek(begin)
        value = np.frombuffer(file.read(layout.first.itemsize), layout.first)
        last = _axis(file, layout, slice(header.n_points - 1, header.n_points))
        joined = np.concatenate((last, np.asarray(value.real, np.float64)))
        return 0 if goes_on(header, joined, 1, joined[0]) else None
    n = header.n_points
    axis = _axis(file, layout, slice(n - 1, n + whole))
    first = _axis(file, layout, slice(0, 1))[0]
    return whole if goes_on(header, axis, 1, first) else None


def goes_on(header: Header, axis: NDArray[np.float64], n: int, first: float) -> bool:
    """Tell whether an axis goes on behind its first `n` values as one does.

    Parameters
    ----------
    header : Header
        Whose axis it is.
    axis : ndarray, shape (N,)
        As stored.
    n : int
        How many are known to be right, at least 1.
    first : float
        The first value of the whole axis, at which each step begins.

    Returns
    -------
    bool
        False where a plot has no axis.
    """
    kind = header.variables[0].type.lower()
    if kind not in ("time", "frequency") and "dc" not in header.plotname.lower():
        return False
    if not np.isfinite(axis).all():
        return False
    if kind == "time":
        axis, first = np.abs(axis), abs(first)  # a sign is LTspice's mark
    known, tail = axis[n - 1 :], axis[n:]
    steps = np.diff(known)
    if "reverse" in header.flags:
        steps = -steps
    back = steps < 0
    # No run and no sweep gets that near zero or that far; bytes of something else do.
    size = np.abs(tail)
    if np.any((tail != 0) & ((size < _NEAREST) | (size > _FARTHEST))):
        return False
    if "stepped" in header.flags:
        return bool(np.all(~back | (tail == first)))
    return not bool(back.any())


def axis_looks_right(file: BinaryIO, header: Header, layout: Layout, n: int) -> bool:
    """Tell whether the first points have an axis as a run leaves it, in a layout.

    Parameters
    ----------
    file : binary file
        The open raw file.
    header : Header
    layout : Layout
        One that the header allows.
    n : int
        How many points are there.

    Returns
    -------
    bool
    """
    axis = _axis(file, layout, slice(0, min(n, _LOOKED_AT)))
    return len(axis) > 0 and goes_on(header, axis, 1, axis[0])


def byte_order_is_wrong(file: BinaryIO, header: Header, layout: Layout, n_points: int) -> bool:
    """Tell whether the numbers are stored with the high byte first, as none of the readers expect.

    Parameters
    ----------
    file : binary file
        The open raw file.
    header : Header
    layout : Layout
    n_points : int
        How many points there are.

    Returns
    -------
    bool
        True only if the axis makes sense so and otherwise not.
    """
    if n_points < 3:
        return False
    axis = _axis(file, layout, slice(0, min(n_points, 64)))
    if goes_on(header, axis, 1, axis[0]) and np.abs(axis).max() < 1e30:
        return False
    turned = axis.byteswap()
    with np.errstate(all="ignore"):
        likely = bool(np.isfinite(turned).all() and np.abs(turned).max() < 1e30)
    return likely and bool(np.ptp(turned) > 0) and goes_on(header, turned, 1, turned[0])


def was_edited(file: BinaryIO, start: int) -> bool:
    """Tell whether an editor has saved binary numbers as text, which destroys them.

    Parameters
    ----------
    file : binary file
        The open raw file.
    start : int
        Offset of the first number.

    Returns
    -------
    bool
    """
    file.seek(start)
    sample = file.read(_SAMPLE)
    return sample.count(_REPLACED) > max(2, len(sample) // 100)


def _axis(file: BinaryIO, layout: Layout, points: slice) -> NDArray[np.float64]:
    """Return the axis as stored, without an imaginary part."""
    column = read_columns(file, layout, range(1), points)[0].real
    return np.ascontiguousarray(column, dtype=np.float64)


def _last_nonzero(file: BinaryIO, begin: int, end: int) -> int:
    """Offset of the last byte that is not zero; `begin` - 1 if all are."""
    at = end
    while at > begin:
        start = max(begin, at - _CHUNK)
        file.seek(start)
        kept = file.read(at - start).rstrip(b"\0")
        if kept:
            return start + len(kept) - 1
        at = start
    return begin - 1

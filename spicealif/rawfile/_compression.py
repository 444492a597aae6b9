"""Between the points of a plot: LTspice's waveform compression, and interpolation.

LTspice leaves out points that a parabola through their neighbours gives well enough. It marks the
middle point of such a parabola by a negative time: the points k - 1, k and k + 1 then stand for
all of the parabola through them, and straight lines between them are off by percents of the range.
Elsewhere, and in the files of other programs, the waveform between two points is a straight line.

On the interval from a to b of a parabola, it is the straight line plus ``bend (t - a) (t - b)``,
with the same `bend` on both its intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["TOLERANCE", "Grid", "interpolate", "middles"]

#: How far straight lines between the points of an expanded waveform may be from the parabola, as
#: a fraction of the variable's range.
TOLERANCE = 2.5e-4
#: At most that many intervals replace one. It is what the worst parabola with equal halves needs
#: (its bend times the square of a half is at most the range), and bounds the memory.
_MOST = 32


def middles(stored: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the middle points of parabolas.

    Parameters
    ----------
    stored : ndarray, shape (N,)
        Times of one step as stored, with their signs.

    Returns
    -------
    ndarray of int
        Their indices. A mark at an end, beside another mark or at a time out of order belongs to
        no parabola.
    """
    k = np.flatnonzero(stored < 0)
    k = k[(k > 0) & (k < len(stored) - 1)]
    t = np.abs(stored)
    good = (stored[k - 1] >= 0) & (t[k - 1] < t[k]) & (t[k] < t[k + 1]) & (stored[k + 1] < np.inf)
    return k[good & (stored[k + 1] >= 0)]


class Grid:
    """The points that a compressed waveform has once its parabolas are drawn.

    Parameters
    ----------
    stored : ndarray, shape (N,)
        Times of one step as stored, with their signs.
    columns : sequence of ndarray, shape (N,)
        All its variables; between two points as many are put in as the most bent one needs.
    """

    def __init__(self, stored: NDArray[np.float64], columns: Sequence[NDArray[Any]]) -> None:
        self._middles = k = middles(stored)
        self._t = np.abs(stored)
        with np.errstate(all="ignore"):
            self._width = np.diff(self._t)
            pieces = np.ones(len(self._width), np.int64)
            for y in columns:
                need = _need(_bends(self._t, y, k), _range(y))
                for interval in (k - 1, k):
                    wanted = np.ceil(self._width[interval] * need).clip(1, _MOST)
                    pieces[interval] = np.maximum(pieces[interval], wanted.astype(np.int64))
        # where the stored points go; which interval each new point is in, and how far
        self._kept = np.concatenate(([0], np.cumsum(pieces)))
        self._interval = np.repeat(np.arange(len(pieces)), pieces)
        begins = np.repeat(self._kept[:-1], pieces)
        self._part = (np.arange(len(begins)) - begins) / pieces[self._interval]

    def times(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expanded axis, given the axis; the points of it stay in."""
        return self._draw(t, np.zeros(len(self._width)))

    def values(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return an expanded column, given the column, in its type; its points stay in."""
        k = self._middles
        bends = np.zeros(len(self._width))
        bends[k - 1] = bends[k] = _bends(self._t, y, k)
        return self._draw(y, bends)

    def _draw(self, y: NDArray[Any], bends: NDArray[np.float64]) -> NDArray[Any]:
        """Draw straight lines through the points, and bend them."""
        out = np.empty(len(self._interval) + 1, y.dtype)
        with np.errstate(all="ignore"):  # what is not finite stays so
            moves = np.diff(_wide(y))[self._interval]
            bows = (bends * self._width**2)[self._interval] * (self._part - 1)
            out[:-1] = y[self._interval] + (moves + bows) * self._part
        out[self._kept] = y
        return out


def interpolate(
    at: NDArray[np.float64],
    axis: NDArray[np.float64],
    y: NDArray[Any],
    marked: NDArray[np.intp],
) -> NDArray[Any]:
    """Return values of a waveform between its points.

    Parameters
    ----------
    at : ndarray of float64
        Where, within the axis.
    axis : ndarray of float64, shape (N,)
        The axis, not falling; N > 0.
    y : ndarray, shape (N,)
        The column, real or complex.
    marked : ndarray of int
        Indices of the middle points of parabolas.

    Returns
    -------
    ndarray, shape of `at`
        float64 or complex128.
    """
    y = _wide(y)
    if len(axis) == 1:
        return np.full(at.shape, y[0])
    i = (np.searchsorted(axis, at, side="right") - 1).clip(0, len(axis) - 2)
    width = axis[i + 1] - axis[i]
    with np.errstate(all="ignore"):  # what is not finite stays so
        part = np.divide(at - axis[i], width, out=np.zeros(at.shape), where=width > 0)
        out = y[i] + (y[i + 1] - y[i]) * part
        if len(marked):
            bends = np.zeros(len(axis) - 1)
            bends[marked - 1] = bends[marked] = _bends(axis, y, marked)
            out += bends[i] * width**2 * part * (part - 1)
    return np.asarray(out)


def _bends(t: NDArray[np.float64], y: NDArray[Any], k: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the coefficient of the square of the parabolas whose middles are `k`."""
    y = _wide(y)
    left, right = t[k] - t[k - 1], t[k + 1] - t[k]
    with np.errstate(all="ignore"):
        slopes = (y[k + 1] - y[k]) / right - (y[k] - y[k - 1]) / left
        return np.asarray(slopes / (left + right))


def _wide(y: NDArray[Any]) -> NDArray[Any]:
    """Return a column in double precision."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return y.astype(np.result_type(y, np.float64), copy=False)


def _range(y: NDArray[Any]) -> float:
    """Return the range of a column, NaN if it holds what is no number."""
    return float(y.max()) - float(y.min())


def _need(bends: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Return how many pieces a second of each parabola needs.

    A piece of length h is off by ``bend h^2 / 4`` in its middle.
    """
    if not 0 < span < np.inf:
        return np.zeros(len(bends))
    with np.errstate(all="ignore"):
        need = np.sqrt(np.abs(bends) / (4 * TOLERANCE * span))
    return np.asarray(np.nan_to_num(need, nan=0.0))

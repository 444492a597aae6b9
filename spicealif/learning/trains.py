"""From scaled inputs to the spikes of sources: what a crossbar of a stage is driven by."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["TRAIN_ENCODINGS", "TrainEncoding", "spike_trains"]

_Floats: TypeAlias = NDArray[np.float64]
TrainEncoding: TypeAlias = Literal["rate", "first-spike", "series", "steps"]
TRAIN_ENCODINGS: tuple[TrainEncoding, ...] = get_args(TrainEncoding)


def spike_trains(
    u: _Floats, encoding: TrainEncoding, rate_high: float, duration: float
) -> list[_Floats]:
    """Return the spike times that inputs stand for; nothing is drawn.

    Parameters
    ----------
    u : ndarray, shape (m, K)
        Inputs from 0 to 1 of m sources; K is 1 but for ``series`` and ``steps``.
    encoding : {"rate", "first-spike", "series", "steps"}
        ``rate``: spikes at the rate r = u rate_high, the k-th (from 0) at ``(k + 1/2) / r``.
        ``first-spike``: one at ``(1 - u) duration``; none for u = 0. ``series``: the rate follows
        the K values, at equally spaced times from 0 to the end and joined by straight lines.
        ``steps``: the rate is each of the K values for a K-th of the duration. The k-th spike then
        is where the integral of the rate is k + 1/2.
    rate_high : float
        In Hz.
    duration : float
        In s.

    Returns
    -------
    list of ndarray
        In s, before the duration, a train for each source.
    """
    if encoding == "first-spike":
        return [(1 - row) * duration if row[0] > 0 else np.empty(0) for row in u]
    rates = u * rate_high
    if encoding == "series" and u.shape[1] > 1:
        begin, end = rates[:, :-1], rates[:, 1:]
    else:
        begin = end = rates
    step = duration / begin.shape[1]
    return [_where_whole(a, b, step) for a, b in zip(begin, end, strict=True)]


def _where_whole(begin: _Floats, end: _Floats, step: float) -> _Floats:
    """Return where the integral of a rate is 1/2, 3/2 and so on.

    Parameters
    ----------
    begin, end : ndarray, shape (K,)
        The rate in Hz at both ends of each stretch, a straight line between them.
    step : float
        Length of a stretch in s.
    """
    done = np.concatenate([[0.0], np.cumsum(0.5 * (begin + end) * step)])
    k = np.arange(np.ceil(done[-1] - 0.5)) + 0.5
    at = np.minimum(np.searchsorted(done, k, side="right") - 1, len(begin) - 1)
    left, slope = k - done[at], (end - begin)[at] / step
    # The root of left = a t + slope t^2 / 2 in the form that subtracts nothing.
    root = np.sqrt(np.maximum(begin[at] ** 2 + 2 * slope * left, 0.0))
    t = at * step + 2 * left / (begin[at] + root)
    return np.asarray(t[t < step * len(begin)])

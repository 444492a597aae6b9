"""Leaving out samples that a straight line between those kept gives as well."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["Thinner"]

_Floats = NDArray[np.float64]


class Thinner:
    """Traces that come block by block, of which as many samples are kept as lines need.

    Parameters
    ----------
    part : float
        Of each trace's span: how far a line between kept samples may be from one that is left out.
        The span is that of what has come so far, so that it is never more than this part of the
        whole.
    """

    def __init__(self, part: float) -> None:
        self.part = part
        #: Samples that have come.
        self.samples = 0
        self._low: _Floats | None = None
        self._high: _Floats | None = None
        self._last: _Floats | None = None
        self._kept: list[_Floats] = []
        self._names: tuple[str, ...] = ()

    def feed(self, time: _Floats, traces: Mapping[str, _Floats]) -> None:
        """Take the next samples.

        Parameters
        ----------
        time : ndarray, shape (n,)
            In s, not decreasing, and not before what has come.
        traces : mapping of str to ndarray, shape (n,)
            The same names in every block.
        """
        from spicealif._support.decimation_kernel import kept_samples  # compiled

        if not len(time):
            return
        self._names = tuple(traces)
        self.samples += len(time)
        block = np.array([time, *traces.values()])
        if self._last is not None:  # which was kept; lines to the first of these start there
            block = np.concatenate((self._last[:, None], block), axis=1)
        values = block[1:]
        finite = np.isfinite(values)
        whole = finite.all(axis=0)
        wanted = ~whole
        wanted[1:] |= ~whole[:-1]
        wanted[:-1] |= ~whole[1:]
        low, high = (np.where(finite, values, end) for end in (np.inf, -np.inf))
        if self._low is None or self._high is None:
            self._low, self._high = (np.full(len(values), end) for end in (np.inf, -np.inf))
        wanted[low.argmin(axis=1)[low.min(axis=1) < self._low]] = True
        wanted[high.argmax(axis=1)[high.max(axis=1) > self._high]] = True
        self._low = np.minimum(self._low, low.min(axis=1))
        self._high = np.maximum(self._high, high.max(axis=1))
        span = np.where(self._high >= self._low, self._high - self._low, 0.0)
        kept = kept_samples(block[0], np.where(finite, values, 0.0), self.part * span, wanted)
        if self._last is not None:
            kept[0] = False
        self._kept.append(block[:, kept])
        self._last = block[:, -1].copy()

    def result(self) -> tuple[_Floats, dict[str, _Floats]]:
        """Return the time in s and the traces of what was kept, shape (m,) each."""
        if not self._kept:
            return np.empty(0), {}
        out = np.empty((len(self._kept[0]), sum(block.shape[1] for block in self._kept)))
        end = out.shape[1]
        while self._kept:  # each is given back as it is copied, so that there are never two of all
            block = self._kept.pop()
            out[:, end - block.shape[1] : end] = block
            end -= block.shape[1]
        self._kept = [out]
        return out[0], dict(zip(self._names, out[1:], strict=True))

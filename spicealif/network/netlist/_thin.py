"""Few points whose straight lines stay near a waveform: what a deck plays back."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif._support.compiled import njit
from spicealif.errors import NetlistError

__all__ = ["LEAST_STEP", "thin_pwl"]

_Floats = NDArray[np.float64]

#: Least time in s between two points of a source: where a waveform jumps, or has several samples
#: at one time, later ones are moved by it.
LEAST_STEP = 1e-13


def thin_pwl(
    t: ArrayLike, v: ArrayLike, tolerance: float = 1e-4, jitter: float = 0.0
) -> tuple[_Floats, _Floats]:
    """Return a continuous piecewise linear function that is near another, of few points.

    A greedy funnel: each line is made as long as possible, from where the last one ended, through
    the band around the samples. The points stand at times of samples, but not on them. Each point
    costs a simulator several steps, so that the band may be given in time as well: a line may be
    off where the waveform itself is as far off a moment earlier or later, which is on its edges.

    Parameters
    ----------
    t, v : array_like, shape (n,)
        Times in s, not decreasing, and values, linear in between.
    tolerance : float
        Largest difference in the unit of `v`.
    jitter : float
        The difference may be more where `v` takes the value within this time in s, up to
        `tolerance`.

    Returns
    -------
    t, v : ndarray, shape (m,)
        Strictly increasing times, from the first to the last; values within the band at each of
        the n times, and, since both are linear there, with a jitter of 0 in between. Samples at
        the same time are first moved apart by `LEAST_STEP`.

    Raises
    ------
    NetlistError
        If the samples are none, not as many values as times, not finite, or in no order, or a
        tolerance is negative.
    """
    times, values = np.array(t, dtype=np.float64), np.array(v, dtype=np.float64)
    if times.ndim != 1 or times.shape != values.shape or not times.size:
        raise NetlistError(
            f"A waveform to play back has {times.shape} times and {values.shape} values; give as "
            "many of one as of the other."
        )
    if not (np.isfinite(times).all() and np.isfinite(values).all() and np.all(np.diff(times) >= 0)):
        raise NetlistError(
            "A waveform to play back has times that decrease or numbers that are not finite; give "
            "it in order of time."
        )
    if not (0 <= tolerance < math.inf and 0 <= jitter < math.inf):
        raise NetlistError(
            f"Waveforms are to be played back within {tolerance} V or {jitter} s; give 0 or more."
        )
    _separate(times, LEAST_STEP)
    low, high = _band(times, values, tolerance, jitter)
    count = _funnel(times, values, low, high)
    return times[:count].copy(), values[:count].copy()


@njit(cache=True, nogil=True)
def _separate(t: _Floats, least: float) -> None:
    for k in range(1, len(t)):
        t[k] = max(t[k], t[k - 1] + least)


@njit(cache=True, nogil=True)
def _band(t: _Floats, v: _Floats, tolerance: float, jitter: float) -> tuple[_Floats, _Floats]:
    """Return the least and the largest value within the jitter of each time, and the tolerance."""
    low, high = v - tolerance, v + tolerance
    if jitter == 0:
        return low, high
    n = len(t)
    for k in range(n):
        least = most = v[k]
        for way in (-1, 1):
            j = k
            while 0 <= j + way < n and abs(t[j + way] - t[k]) <= jitter:
                j += way
                least, most = min(least, v[j]), max(most, v[j])
            if 0 <= j + way < n:
                part = (jitter - abs(t[j] - t[k])) / abs(t[j + way] - t[j])
                there = v[j] + part * (v[j + way] - v[j])
                least, most = min(least, there), max(most, there)
        low[k], high[k] = least - tolerance, most + tolerance
    return low, high


@njit(cache=True, nogil=True)
def _funnel(t: _Floats, v: _Floats, low: _Floats, high: _Floats) -> int:
    """Put the points at the beginning of t and v; return how many there are."""
    n, count = len(t), 1
    t_0, v_0 = t[0], v[0]
    least, most = -np.inf, np.inf
    t_last, v_last = t[0], v[0]
    for k in range(1, n):
        step = t[k] - t_0
        down, up = max(least, (low[k] - v_0) / step), min(most, (high[k] - v_0) / step)
        if down > up:
            # The line ends at the sample before, as near to it as its funnel allows.
            step = t_last - t_0
            v_0 += step * min(max((v_last - v_0) / step, least), most)
            t_0 = t_last
            # Points are fewer than samples so far: none is overwritten that is still needed.
            t[count], v[count] = t_0, v_0
            count += 1
            step = t[k] - t_0
            down, up = (low[k] - v_0) / step, (high[k] - v_0) / step
        least, most = down, up
        t_last, v_last = t[k], v[k]
    if n > 1:
        step = t_last - t_0
        v_0 += step * min(max((v_last - v_0) / step, least), most)
        t[count], v[count] = t_last, v_0
        count += 1
    return count

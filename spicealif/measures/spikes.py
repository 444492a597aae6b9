"""Measures of spike trains: times, intervals, adaptation, and distances between two trains.

A spike train is a one-dimensional array of sorted, finite spike times in s, possibly empty.
Times, levels and rates are floats in SI units. numba compiles the distances on first use.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.errors import CompareError

__all__ = [
    "adaptation_index", "crossing_times", "gamma_coincidence", "instantaneous_rate", "intervals",
    "match_spikes", "mean_rate", "spikes_per_window", "van_rossum", "victor_purpura",
    "within_window_intervals",
]  # fmt: skip

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def crossing_times(
    time: ArrayLike, signal: ArrayLike, level: float, *, rising: bool = True, hysteresis: float = 0
) -> Floats:
    """Return the times at which a sampled signal crosses a level, to below the sampling step.

    A rising crossing lies between a sample below `level` and a next one at or above it; its time
    is interpolated linearly: error h^2 |s''| / (8 |s'|) for a step h. A start at or above is none.

    Parameters
    ----------
    time, signal : array_like, shape (n,)
        Sample times in s, not decreasing, of any spacing, and the samples. Of several at one time
        the first and the last count, as the limits from the left and from the right.
    level : float
        Level in the unit of `signal`; a spike is a rising crossing of it.
    rising : bool
        False for falling crossings: the same of ``-signal`` and ``-level``.
    hysteresis : float
        Before each crossing, since the one before it or the start, some sample must be below
        ``level - hysteresis`` (above ``level + hysteresis`` when falling).

    Returns
    -------
    ndarray, shape (n_crossings,)
        Crossing times in s, sorted.

    Raises
    ------
    CompareError
        If shapes differ, a value is not finite, the time decreases or `hysteresis` is negative.
    """
    t, s = _vector("time", time, ordered=True), _vector("signal", signal)
    if t.size != s.size:
        raise CompareError(f"time has {t.size} values, signal {s.size}; pass as many of each.")
    if not (math.isfinite(level) and 0 <= hysteresis < math.inf):
        given = f"level is {level}, hysteresis {hysteresis}"
        raise CompareError(f"{given}; give finite values and a hysteresis of zero or more.")
    same = t[1:] == t[:-1]
    if same.any():
        keep = np.ones(t.size, dtype=np.bool_)
        keep[1:-1] = ~(same[1:] & same[:-1])
        t, s = t[keep], s[keep]
    if not rising:
        s, level = -s, -level
    below = s < level
    before = np.flatnonzero(below[:-1] & ~below[1:])
    if hysteresis > 0 and before.size:
        # Any upward passage disarms the trigger: the lowest sample since the last one decides.
        since = np.concatenate(([0], before[:-1] + 1))
        before = before[np.minimum.reduceat(s[: before[-1] + 1], since) < level - hysteresis]
    t_before, t_after = t[before], t[before + 1]
    fraction = (level - s[before]) / (s[before + 1] - s[before])
    # Rounding must not carry a crossing past the sample that ends its segment.
    return np.minimum(t_before + fraction * (t_after - t_before), t_after)


def intervals(t_spike: ArrayLike) -> Floats:
    """Return the inter-spike intervals (ISI).

    Parameters
    ----------
    t_spike : array_like, shape (n,)
        Spike times in s.

    Returns
    -------
    ndarray, shape (max(n - 1, 0),)
        Intervals in s.

    Raises
    ------
    CompareError
        If the spike times are not sorted or not finite.
    """
    return np.diff(_vector("t_spike", t_spike, ordered=True))


def mean_rate(t_spike: ArrayLike, duration: float) -> float:
    """Return the number of spikes divided by the length of the recording.

    Parameters
    ----------
    t_spike : array_like, shape (n,)
        Spike times in s.
    duration : float
        Length of the recording in s.

    Returns
    -------
    float
        Rate in 1/s.

    Raises
    ------
    CompareError
        If the train is invalid, or `duration` is not positive or shorter than the train.
    """
    train = _vector("t_spike", t_spike, ordered=True)
    _require_duration(duration, train)
    return train.size / duration


def instantaneous_rate(t_spike: ArrayLike) -> Floats:
    """Return 1/ISI at the end of each interval, that is at ``t_spike[1:]``.

    Parameters
    ----------
    t_spike : array_like, shape (n,)
        Spike times in s.

    Returns
    -------
    ndarray, shape (max(n - 1, 0),)
        Rates in 1/s; infinite where two spikes coincide.

    Raises
    ------
    CompareError
        If the spike times are not sorted or not finite.
    """
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(1.0 / intervals(t_spike))


def spikes_per_window(t_spike: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> Indices:
    """Count the spikes in each half-open window [start, end), for example a stimulus pulse.

    Parameters
    ----------
    t_spike, starts, ends : array_like, shape (n,), (m,), (m,)
        Spike times and the edges of the windows in s; windows may overlap, in any order.

    Returns
    -------
    ndarray of int, shape (m,)
        Number of spikes in each window.

    Raises
    ------
    CompareError
        If the train is invalid, the shapes differ or a window ends before it starts.
    """
    _, first, last = _ranges(t_spike, starts, ends)
    return last - first


def within_window_intervals(t_spike: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> Floats:
    """Return the ISIs whose two spikes lie in the same window, window after window.

    Intervals that span a pause of the stimulus say nothing about adaptation; nor do neighbours at
    the seam of two windows in the result, so give `adaptation_index` one window at a time.

    Parameters
    ----------
    t_spike, starts, ends : array_like, shape (n,), (m,), (m,)
        Spike times and the edges of the windows in s, as in `spikes_per_window`.

    Returns
    -------
    ndarray, shape (sum of max(count - 1, 0) over the windows,)
        Intervals in s.

    Raises
    ------
    CompareError
        If the train is invalid, the shapes differ or a window ends before it starts.
    """
    train, first, last = _ranges(t_spike, starts, ends)
    count = np.maximum(last - first - 1, 0)
    index = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
    return np.asarray(np.diff(train)[index])


def adaptation_index(isi: ArrayLike) -> float:
    """Return the mean relative change from one inter-spike interval to the next.

    The mean over k of (ISI_{k+1} - ISI_k) / (ISI_{k+1} + ISI_k): 0 for regular spiking, positive
    when intervals lengthen (adaptation, see Benda & Herz, Neural Computation 15:2523, 2003).

    Parameters
    ----------
    isi : array_like, shape (n,)
        Successive intervals in s, positive.

    Returns
    -------
    float
        The index, dimensionless; nan with fewer than two intervals.

    Raises
    ------
    CompareError
        If an interval is not finite or not positive.
    """
    interval = _vector("isi", isi)
    if (interval <= 0).any():
        raise CompareError("isi has an interval of zero or less; remove coincident spikes first.")
    if interval.size < 2:
        return math.nan
    before, after = interval[:-1], interval[1:]
    return float(np.mean((after - before) / (after + before)))


def victor_purpura(a: ArrayLike, b: ArrayLike, q: float) -> float:
    """Return the spike-time distance of Victor & Purpura, J. Neurophysiology 76:1310 (1996).

    The least cost of turning train `a` into train `b`: 1 to delete or insert a spike, q |dt| to
    shift one. A shift over 2/q or more is never cheaper than deleting and inserting, so only pairs
    nearer than that are visited: exact, in O(n k) time with k of them per spike, and O(m) memory.

    Parameters
    ----------
    a, b : array_like, shape (n,) and (m,)
        Spike times in s.
    q : float
        Cost of shifting in 1/s; 0 compares counts, inf matches equal times only (elephant: none).

    Returns
    -------
    float
        Distance, dimensionless, from abs(n - m) to n + m.

    Raises
    ------
    CompareError
        If a train is invalid or `q` is negative or NaN.
    """
    train_a, train_b = _vector("a", a, ordered=True), _vector("b", b, ordered=True)
    if not q >= 0:
        raise CompareError(f"q is {q}; give a cost in 1/s of zero or more.")
    if q == 0:
        return float(abs(train_a.size - train_b.size))
    from spicealif.measures import spike_kernels as kernels

    if math.isinf(q):
        return float(train_a.size + train_b.size - 2 * kernels.coincidences(train_a, train_b, 0.0))
    return float(kernels.victor_purpura(train_a, train_b, float(q), 2.0 / q))


def van_rossum(a: ArrayLike, b: ArrayLike, tau: float) -> float:
    """Return the distance of van Rossum, Neural Computation 13:751 (2001).

    D^2 = (1/tau) integral of (f - g)^2 dt, where f and g are the trains convolved with exp(-t/tau)
    for t >= 0. In this normalisation, that of the paper, one spike against none has D^2 = 1/2 and
    two single spikes dt apart 1 - exp(-|dt|/tau). elephant's value squared is 2 D^2.

    Parameters
    ----------
    a, b : array_like, shape (n,) and (m,)
        Spike times in s.
    tau : float
        Time constant in s; inf compares the counts, D = abs(n - m) / sqrt(2).

    Returns
    -------
    float
        D, dimensionless.

    Raises
    ------
    CompareError
        If a train is invalid or `tau` is not positive.
    """
    train_a, train_b = _vector("a", a, ordered=True), _vector("b", b, ordered=True)
    _require_positive("tau", tau)
    from spicealif.measures import spike_kernels as kernels

    return math.sqrt(kernels.van_rossum_squared(train_a, train_b, float(tau)))


def match_spikes(a: ArrayLike, b: ArrayLike, max_distance: float) -> tuple[Indices, Indices]:
    """Match the spikes of two trains one to one, in order, at the least total cost.

    The cost is that of `victor_purpura` with q = 2/max_distance: 2 |dt| / max_distance for a pair,
    1 for a spike left alone. Spikes `max_distance` or more apart are never matched. Of equally
    cheap matchings it is the one that leaves later spikes alone, whichever train comes first.

    Parameters
    ----------
    a, b : array_like, shape (n,) and (m,)
        Spike times in s.
    max_distance : float
        Matched spikes are nearer than this, in s.

    Returns
    -------
    i_a, i_b : ndarray of int, shape (n_matched,)
        ``a[i_a[k]]`` is matched with ``b[i_b[k]]``; both strictly increasing.

    Raises
    ------
    CompareError
        If a train is invalid or `max_distance` is not positive and finite.
    """
    train_a, train_b = _vector("a", a, ordered=True), _vector("b", b, ordered=True)
    _require_positive("max_distance", max_distance, below=math.inf)
    from spicealif.measures import spike_kernels as kernels

    return kernels.match(train_a, train_b, float(max_distance))


def gamma_coincidence(a: ArrayLike, b: ArrayLike, window: float, duration: float) -> float:
    """Return the coincidence factor Gamma of a model's train `b` with the reference train `a`.

    Gamma = (N_c - 2 nu Delta N_a) / ((N_a + N_b) / 2) / (1 - 2 nu Delta), with N_c pairs within
    +-Delta and nu = N_b / duration: a Poisson train of the model's rate has 2 nu Delta N_a of them
    by chance. Equal trains have 1, chance about 0. A spike is in one pair at most. Not symmetric:
    the last factor has the rate of `b` (brian2modelfitting: of the reference, throughout). Kistler
    et al., Neural Comput. 9:1015 (1997); Jolivet et al., J. Neurosci. Methods 169:417 (2008).

    Parameters
    ----------
    a, b : array_like, shape (n,) and (m,)
        Spike times in s, of the reference and of the model.
    window, duration : float
        Delta, to be scaled to the ISI (2 ms is usual at 10/s), and length of the recording, in s.

    Returns
    -------
    float
        Gamma; nan if both trains are empty, 0 if one is.

    Raises
    ------
    CompareError
        If an input is invalid, or 2 nu Delta >= 1: chance alone would then pair every spike.
    """
    train_a, train_b = _vector("a", a, ordered=True), _vector("b", b, ordered=True)
    _require_duration(duration, train_a, train_b)
    longest = duration / (2 * train_b.size) if train_b.size else math.inf
    _require_positive("window", window, below=longest)
    if train_a.size + train_b.size == 0:
        return math.nan
    from spicealif.measures import spike_kernels as kernels

    chance = window / longest
    excess = kernels.coincidences(train_a, train_b, float(window)) - chance * train_a.size
    return float(2 * excess / (train_a.size + train_b.size) / (1 - chance))


def _vector(name: str, values: ArrayLike, *, ordered: bool = False) -> Floats:
    array = np.require(values, np.float64, ["C", "A", "W"])  # read-only: another type to numba
    if array.ndim != 1:
        raise CompareError(f"{name} has shape {array.shape}; pass a one-dimensional array.")
    if not np.isfinite(array).all():
        k = int(np.argmin(np.isfinite(array)))
        raise CompareError(f"{name}[{k}] is {array[k]}; remove values that are not finite.")
    if ordered and (array[1:] < array[:-1]).any():
        k = int(np.argmax(array[1:] < array[:-1]))
        raise CompareError(f"{name}[{k + 1}] is before {name}[{k}]; sort the times first.")
    return array


def _require_positive(name: str, value: float, *, below: float | None = None) -> None:
    if not value > 0 or (below is not None and value >= below):
        limit = {None: "", math.inf: " and finite"}.get(below, f" and below {below} s")
        raise CompareError(f"{name} is {value:g} s; give a time above zero{limit}.")


def _require_duration(duration: float, *trains: Floats) -> None:
    _require_positive("duration", duration, below=math.inf)
    if any(t.size and t[-1] - t[0] > duration * (1 + 1e-9) for t in trains):  # rounded ends
        raise CompareError(f"the spikes span more than duration {duration:g} s; give all of it.")


def _ranges(t: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> tuple[Floats, Indices, Indices]:
    train = _vector("t_spike", t, ordered=True)
    start, end = _vector("starts", starts), _vector("ends", ends)
    if start.size != end.size:
        raise CompareError(f"there are {start.size} starts, {end.size} ends; pass as many of each.")
    if (end < start).any():
        k = int(np.argmax(end < start))
        raise CompareError(f"window {k} ends before it starts; swap starts[{k}] and ends[{k}].")
    return train, np.searchsorted(train, start), np.searchsorted(train, end)

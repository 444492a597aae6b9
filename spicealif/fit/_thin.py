"""Means of neighbours in place of the samples of a large record.

Nothing is left out: every sample goes into one mean, and a mean counts in the fit as many times as
it has samples, so that the sum of squares that is minimised is that of the whole record up to what
neighbours differ by among each other, which no parameter changes. Means are short where the signals
change fast, down to single samples beside an edge, and longer the farther the next edge is.
Picking samples instead would throw away what many samples say of a slow part.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spicealif.fit._period import noise_of
from spicealif.fit.loop import Loop

__all__ = ["thinned"]

_Floats = npt.NDArray[np.float64]
#: Means that a change of the whole range of a signal gets, at least, if there are samples enough.
_PER_RANGE = 24
#: A difference of neighbouring means is a change from so many standard deviations of noise on.
_SIGNIFICANT = 6.0
#: Lengths of the means on which changes are sought: 1, and then as many times longer each.
_LONGER = 4
#: Times that differ by less, as a part of the period, are the same.
_SAME = 1e-9
#: Samples of the shortest loop.
_FEWEST = 16


def thinned(loop: Loop, usual: int, most: int, periods: int = 1) -> Loop:
    """Return a loop of means of neighbouring samples; the same loop if it is not longer.

    Parameters
    ----------
    loop : Loop
        The periods of a steady state are laid upon each other.
    usual : int
        How many means.
    most : int
        How many where the signals change so often that the usual number would blur them.
    periods : int
        Of a steady state: how many of them the record is laid upon.

    Returns
    -------
    Loop
        With `Loop.counts`, and a note if it is not `loop`.
    """
    n = len(loop.time)
    if n <= usual:
        return loop
    time = loop.time - loop.time[0]
    if loop.period is not None:
        span = periods * loop.period
        time = time % span
        time = np.where(span - time < _SAME * loop.period, 0.0, time)
    order = np.argsort(time, kind="stable")
    time = time[order]
    counts = np.ones(n) if loop.counts is None else loop.counts[order]
    signals = [y[order] for y in (loop.v_in, loop.v_mem, loop.i)]
    change = _change(signals)
    total = float(change.sum())
    number = int(min(max(usual, _PER_RANGE * total), most, n))
    # half of the means by the number of samples, half by what the signals change
    density = 0.5 / n + 0.5 * change / total if total > 0 else np.full(n, 1 / n)
    ends = np.searchsorted(np.cumsum(density), np.arange(1, number) / number)
    if loop.period is not None:
        # Samples of one phase stay together: their order is no order.
        phases = np.flatnonzero(np.diff(time, prepend=-math.inf) > _SAME * loop.period)
        ends = np.append(phases, n)[np.searchsorted(phases, ends)]
    begin = np.unique(np.concatenate(([0], ends[ends < n])))
    weight = np.add.reduceat(counts, begin)
    (t, v_in, v_mem, i) = (np.add.reduceat(y * counts, begin) / weight for y in (time, *signals))
    kept = len(begin)
    name = loop.name
    if kept < _FEWEST and periods == 1 and loop.period is not None:
        # All samples fall upon a few moments of the period; those of several periods make a loop.
        return thinned(loop, usual, most, periods=math.ceil(_FEWEST / kept))
    what = "" if loop.period is None else ", periods laid upon each other"
    note = f"{name}: {n} samples were fitted as {kept} means of neighbours{what}."
    return replace(
        loop, time=t + loop.time[0], v_in=v_in, v_mem=v_mem, i=i, counts=weight,
        notes=(*loop.notes, note),
    )  # fmt: skip


def _change(signals: list[_Floats]) -> _Floats:
    """Return how much signals change around each sample, in parts of their ranges.

    A change is spread over two of the means on which it is seen, to each side; an edge, which is
    seen on all, gives means whose lengths grow with the distance from it.
    """
    n = len(signals[0])
    out = np.zeros(n)
    places = np.arange(n, dtype=np.float64)
    for signal in signals:
        y = signal / np.ptp(signal)
        steps = np.abs(np.diff(y))
        quantum = float(steps[steps > 0].min()) if steps.any() else 0.0
        noise = max(noise_of(places, y), quantum / 2)
        length = 1
        while n // length >= 32:
            whole = n // length * length
            means = y[:whole].reshape(-1, length).mean(axis=1)
            limit = _SIGNIFICANT * noise * math.sqrt(2 / length)
            jump = np.abs(np.diff(means))
            jump = np.where(jump > limit, jump, 0.0)
            spread = np.zeros(len(means))
            for shift in (-1, 0, 1, 2):
                low, high = max(shift, 0), len(means) + min(shift - 1, 0)
                spread[low:high] += jump[low - shift : high - shift]
            out[:whole] = np.maximum(out[:whole], np.repeat(spread / (4 * length), length))
            length *= _LONGER
    return out

"""Which parts of a run a figure shows enlarged: its first and its last spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.measures import spikes
from spicealif.measures.one_side import has_pulses

__all__ = ["Window", "ends_of_run"]

_Floats = NDArray[np.float64]
#: So many spikes at most are enlarged, and so many pulses.
_SPIKES, _PULSES = 12, 4
#: So many of a stimulus without pulses.
_SOME = 8


class Window(NamedTuple):
    """A part of a run.

    Attributes
    ----------
    start, end : float
        In s.
    title : str
        What it is called, such as "first pulse".
    """

    start: float
    end: float
    title: str


def ends_of_run(
    neuron: Neuron, trains: Sequence[_Floats], begin: float, end: float, least: int = 1
) -> tuple[Window, Window]:
    """Return where a run's first and last spikes are, whatever its stimulus.

    Parameters
    ----------
    neuron : Neuron
    trains : sequence of ndarray, shape (K,)
        Spike times of each side in s; either side's spikes count.
    begin, end : float
        What there is of the run, in s.
    least : int
        Neighbouring pulses are taken too until there are so many spikes.

    Returns
    -------
    first, last : Window
        Of a stimulus with pulses the first and the last of those that have a spike, of which they
        show up to `_SPIKES`; else the first and the last spikes. Without any spike, the first and
        the last pulse, or tenths of the run.
    """
    inside = [t[(t >= begin) & (t <= end)] for t in trains]
    if has_pulses(neuron):
        return _pulses(neuron, inside, begin, end, least)
    if not any(len(t) for t in inside):
        part = (end - begin) / 10
        return (
            Window(begin, begin + part, "start of the run"),
            Window(end - part, end, "end of the run"),
        )
    first, last = _first(inside, _SOME, begin, end), _last(inside, _SOME, begin, end)
    return Window(*first, "first spikes"), Window(*last, "last spikes")


def _pulses(
    neuron: Neuron, trains: Sequence[_Floats], begin: float, end: float, least: int
) -> tuple[Window, Window]:
    starts, ends = neuron.stimulus.whole_windows(neuron.t_stop, begin, end)
    number = np.searchsorted(neuron.stimulus.windows(neuron.t_stop)[0], starts)
    # A long pause is not shown to its end.
    over = np.minimum(neuron.stimulus.drive_ends(neuron.t_stop)[number], ends)
    counts = np.max([spikes.spikes_per_window(t, starts, ends) for t in trains], axis=0)
    fired = np.flatnonzero(counts)
    if not len(fired):
        fired = np.array([0, len(starts) - 1])
    low, high = int(fired[0]), int(fired[-1])
    few = np.cumsum(counts[low : high + 1][:_PULSES])
    more = int(np.searchsorted(few, min(least, few[-1])))
    first = range(low, low + more + 1)
    few = np.cumsum(counts[low : high + 1][::-1][:_PULSES])
    more = int(np.searchsorted(few, min(least, few[-1])))
    last = range(high - more, high + 1)

    def span(pulses: range) -> tuple[float, float]:
        begun, done = float(starts[pulses[0]]), float(ends[pulses[-1]])
        latest = max((float(t[t <= done].max(initial=begun)) for t in trains), default=begun)
        needed = max(float(over[pulses[-1]]), latest)
        return begun, min(done, needed + 0.3 * (needed - begun))

    a, b = span(first), span(last)
    return (
        Window(*_first(trains, _SPIKES, *a, whole=True), _title(first, number, "first", low == 0)),
        Window(
            *_last(trains, _SPIKES, *b, whole=True),
            _title(last, number, "last", high == len(starts) - 1),
        ),
    )


def _title(pulses: range, number: NDArray[np.int_], which: str, at_end: bool) -> str:
    if at_end:
        return f"{which} pulse" if len(pulses) == 1 else f"{which} {len(pulses)} pulses"
    shown = [int(number[k]) + 1 for k in (pulses[0], pulses[-1])]
    told = f"pulse {shown[0]}" if len(pulses) == 1 else f"pulses {shown[0]} to {shown[1]}"
    return f"{told}, the {which} with spikes"


def _first(
    trains: Sequence[_Floats], most: int, begin: float, end: float, whole: bool = False
) -> tuple[float, float]:
    """Return the span of the first spikes within another span; the whole of it if they are few."""
    inside = [t[(t >= begin) & (t <= end)] for t in trains]
    if whole and max(map(len, inside)) <= most:
        return begin, end
    earliest = min(float(t[0]) for t in inside if len(t))
    latest = max(float(t[:most][-1]) for t in inside if len(t))
    room = _room(earliest, latest, begin, end)
    # The way up to the first spike is shown where it is no longer than what follows.
    start = begin if earliest - begin <= latest - earliest + room else earliest - room
    return max(begin, start), min(end, latest + room)


def _last(
    trains: Sequence[_Floats], most: int, begin: float, end: float, whole: bool = False
) -> tuple[float, float]:
    """Return the span of the last spikes within another span; the whole of it if they are few."""
    inside = [t[(t >= begin) & (t <= end)] for t in trains]
    if whole and max(map(len, inside)) <= most:
        return begin, end
    earliest = min(float(t[-most:][0]) for t in inside if len(t))
    latest = max(float(t[-1]) for t in inside if len(t))
    room = _room(earliest, latest, begin, end)
    return max(begin, earliest - room), min(end, latest + room)


def _room(earliest: float, latest: float, begin: float, end: float) -> float:
    """Return how much is shown around spikes, in s; of one spike alone a part of the run."""
    return 0.1 * (latest - earliest) or 0.05 * (end - begin)

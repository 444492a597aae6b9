"""Spikes on their way: from when they leave a neuron until they arrive at another.

Time is cut into windows no longer than the least delay. A spike that leaves in one window arrives
in a later one; it waits in that window's bucket, a list linked through a pool. So the cost is that
of the spikes, whatever the number of synapses, and of one pass over the neurons for each window.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.network.reference.lanes import Arrivals, compiled

__all__ = ["Mail"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

#: Buckets at most; a window further off shares a bucket with nearer ones and is told apart.
MAX_BUCKETS = 1 << 16
FIRST_POOL = 1 << 12
#: Ciura's gaps for Shell's sort.
GAPS = (8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1)

# Columns of the pool's integers: next in the list, window, slot, time constant, synapse.
NEXT, WINDOW, SLOT, WHICH, SYNAPSE = range(5)
# Fields of `counts`: first free entry, free entries, entries under way, entries that have arrived.
FREE, N_FREE, UNDER_WAY, ARRIVED = range(4)


@compiled(nogil=True)
def deliveries(spikes: FloatArray, first: IntArray) -> int:
    """Return how many entries the spikes (rows of neuron and time) need."""
    total = 0
    for k in range(spikes.shape[0]):
        a = int(spikes[k, 0])
        total += first[a + 1] - first[a]
    return total


@compiled(nogil=True)
def post(
    spikes: FloatArray,
    first: IntArray,
    ints: IntArray,
    delay: FloatArray,
    size: FloatArray,
    pool: IntArray,
    values: FloatArray,
    heads: IntArray,
    counts: IntArray,
    window: int,
    window_length: float,
    t_stop: float,
) -> None:
    """Send spikes through all synapses of their neurons, to arrive in `window` or later.

    Parameters
    ----------
    spikes : array, shape (n, 2)
        Neuron and time.
    first : array of int
        Where the synapses of each neuron begin.
    ints : array of int, shape (m, 3)
        Slot of the target, time constant, number of each synapse.
    delay, size : array, shape (m,)
    pool, values, heads, counts : array
        See above; values are time and size. There is room enough (`deliveries`).
    """
    for k in range(spikes.shape[0]):
        a = int(spikes[k, 0])
        for s in range(first[a], first[a + 1]):
            t = spikes[k, 1] + delay[s]
            if t >= t_stop:
                continue
            e = counts[FREE]
            counts[FREE] = pool[e, NEXT]
            counts[N_FREE] -= 1
            counts[UNDER_WAY] += 1
            there = max(int(t / window_length), window)
            bucket = there % heads.size
            pool[e, NEXT] = heads[bucket]
            heads[bucket] = e
            pool[e, WINDOW] = there
            pool[e, SLOT] = ints[s, 0]
            pool[e, WHICH] = ints[s, 1]
            pool[e, SYNAPSE] = ints[s, 2]
            values[e, 0] = t
            values[e, 1] = size[s]


@compiled(nogil=True)
def count_arrivals(
    window: int, pool: IntArray, heads: IntArray, counts: IntArray, arrive: IntArray
) -> int:
    """Set where each slot's arrivals of a window begin; return how many there are."""
    for n in range(arrive.size):
        arrive[n] = 0
    e = heads[window % heads.size]
    while e >= 0:
        if pool[e, WINDOW] == window:
            arrive[pool[e, SLOT] + 1] += 1
        e = pool[e, NEXT]
    total = 0
    for n in range(1, arrive.size):
        total += arrive[n]
        arrive[n] = total
    return total


@compiled()
def _sort(
    begin: int, end: int, time: FloatArray, which: IntArray, size: FloatArray, order: IntArray
) -> None:
    """Sort one slot's arrivals by time, then by synapse (Shell's method: no room needed)."""
    for gap in GAPS:
        for i in range(begin + gap, end):
            (t, w, q, s) = (time[i], which[i], size[i], order[i])
            k = i
            while k >= begin + gap and (
                time[k - gap] > t or (time[k - gap] == t and order[k - gap] > s)
            ):
                (time[k], which[k]) = (time[k - gap], which[k - gap])
                (size[k], order[k]) = (size[k - gap], order[k - gap])
                k -= gap
            (time[k], which[k], size[k], order[k]) = (t, w, q, s)


@compiled(nogil=True)
def hand_out(
    window: int,
    pool: IntArray,
    values: FloatArray,
    heads: IntArray,
    counts: IntArray,
    arrive: IntArray,
    place: IntArray,
    time: FloatArray,
    which: IntArray,
    size: FloatArray,
    order: IntArray,
) -> None:
    """Write a window's arrivals slot by slot, in the order of their times and synapses."""
    for n in range(place.size):
        place[n] = arrive[n]
    bucket = window % heads.size
    (e, kept) = (heads[bucket], -1)
    while e >= 0:
        after = pool[e, NEXT]
        if pool[e, WINDOW] != window:
            pool[e, NEXT] = kept
            kept = e
        else:
            k = place[pool[e, SLOT]]
            place[pool[e, SLOT]] += 1
            (time[k], size[k]) = (values[e, 0], values[e, 1])
            (which[k], order[k]) = (pool[e, WHICH], pool[e, SYNAPSE])
            pool[e, NEXT] = counts[FREE]
            counts[FREE] = e
            counts[N_FREE] += 1
            counts[UNDER_WAY] -= 1
            counts[ARRIVED] += 1
        e = after
    heads[bucket] = kept
    for slot in range(place.size):
        if place[slot] > arrive[slot] + 1:
            _sort(arrive[slot], place[slot], time, which, size, order)


class Mail:
    """All spikes that are under way.

    Parameters
    ----------
    n_slots : int
        Number of targets.
    window_length : float
        In s.
    longest : float
        Largest delay in s.
    t_stop : float
        What would arrive then or later is dropped.
    """

    def __init__(self, n_slots: int, window_length: float, longest: float, t_stop: float) -> None:
        buckets = min(int(min(longest, t_stop) / window_length) + 3, MAX_BUCKETS)
        self._heads = np.full(buckets, -1, dtype=np.int64)
        self._pool = np.zeros((0, 5), dtype=np.int64)
        self._values = np.zeros((0, 2))
        self._counts = np.array([-1, 0, 0, 0], dtype=np.int64)
        self._length, self._t_stop = window_length, t_stop
        self._arrive = np.zeros(n_slots + 1, dtype=np.int64)
        self._place = np.zeros(n_slots, dtype=np.int64)
        self._arrivals: tuple[Any, ...] = (np.zeros(0), np.zeros(0, np.int64), np.zeros(0))
        self._order = np.zeros(0, dtype=np.int64)
        self._grow(FIRST_POOL)

    @property
    def arrived(self) -> int:
        """How many spikes have arrived."""
        return int(self._counts[ARRIVED])

    def send(self, spikes: FloatArray, first: IntArray, ints: IntArray, delay: FloatArray,
             size: FloatArray, window: int) -> None:  # fmt: skip
        """Send spikes; see `post`."""
        needed = deliveries(spikes, first)
        if needed > self._counts[N_FREE]:
            self._grow(max(needed, len(self._pool)))
        post(
            spikes, first, ints, delay, size, self._pool, self._values, self._heads, self._counts,
            window, self._length, self._t_stop,
        )  # fmt: skip

    def arrivals(self, window: int) -> Arrivals:
        """Return what arrives in a window; it is under way no more."""
        total = count_arrivals(window, self._pool, self._heads, self._counts, self._arrive)
        if total > self._order.size:
            room = 2 * total
            self._arrivals = (np.zeros(room), np.zeros(room, np.int64), np.zeros(room))
            self._order = np.zeros(room, dtype=np.int64)
        (time, which, size) = self._arrivals
        hand_out(
            window, self._pool, self._values, self._heads, self._counts, self._arrive, self._place,
            time, which, size, self._order,
        )  # fmt: skip
        return self._arrive, time, which, size

    def _grow(self, more: int) -> None:
        old = len(self._pool)
        pool = np.zeros((old + more, 5), dtype=np.int64)
        pool[:old] = self._pool
        pool[old:, NEXT] = np.arange(old + 1, old + more + 1)
        pool[-1, NEXT] = self._counts[FREE]
        values = np.zeros((old + more, 2))
        values[:old] = self._values
        self._pool, self._values = pool, values
        self._counts[FREE] = old
        self._counts[N_FREE] += more

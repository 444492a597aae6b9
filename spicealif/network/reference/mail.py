"""Spikes on their way: from when they leave a neuron until they arrive at another.

Time is cut into windows no longer than the least delay. A spike that leaves in one window arrives
in a later one; it waits in that window's bucket, a list of chunks (one after the other in memory,
where a list of single entries would miss the cache at each). So the cost is that of the spikes,
whatever the number of synapses, and of one pass over the neurons for each window.
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
MAX_BUCKETS = 1 << 14
#: Entries of a chunk, and chunks to begin with.
CHUNK, FIRST_CHUNKS = 32, 256
#: Ciura's gaps for Shell's sort.
GAPS = (8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1)

# Integers of an entry: window, slot, time constant, synapse.
WINDOW, SLOT, WHICH, SYNAPSE = range(4)
# Fields of `counts`: first free chunk, free chunks, entries that have arrived.
FREE, N_FREE, ARRIVED = range(3)


@compiled(nogil=True)
def deliveries(spikes: FloatArray, first: IntArray) -> int:
    """Return how many entries the spikes (rows of neuron and time) need."""
    total = 0
    for k in range(spikes.shape[0]):
        a = int(spikes[k, 0])
        total += first[a + 1] - first[a]
    return total


@compiled(forceinline=True)
def _place(
    bucket: int, heads: IntArray, filled: IntArray, chain: IntArray, counts: IntArray
) -> int:
    """Return the place of a new entry of a bucket."""
    c = heads[bucket]
    if c < 0 or filled[c] == CHUNK:
        after = counts[FREE]
        counts[FREE] = chain[after]
        counts[N_FREE] -= 1
        (chain[after], filled[after], heads[bucket]) = (c, 0, after)
        c = after
    place = c * CHUNK + filled[c]
    filled[c] += 1
    return int(place)


@compiled(nogil=True)
def post(
    spikes: FloatArray,
    first: IntArray,
    ints: IntArray,
    delay: FloatArray,
    size: FloatArray,
    entries: IntArray,
    values: FloatArray,
    heads: IntArray,
    filled: IntArray,
    chain: IntArray,
    counts: IntArray,
    window: int,
    per_second: float,
    t_stop: float,
    after: float,
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
    entries, values, heads, filled, chain, counts : array
        What is under way; values are time and size. There is room enough (`deliveries`).
    window : int
    per_second : float
        Windows in a second.
    t_stop, after : float
        What would arrive at t_stop or later, or at `after` or earlier, is left out.
    """
    for k in range(spikes.shape[0]):
        a = int(spikes[k, 0])
        for s in range(first[a], first[a + 1]):
            t = spikes[k, 1] + delay[s]
            if t >= t_stop or t <= after:
                continue
            there = max(int(t * per_second), window)
            e = _place(there % heads.size, heads, filled, chain, counts)
            entries[e, WINDOW] = there
            entries[e, SLOT] = ints[s, 0]
            entries[e, WHICH] = ints[s, 1]
            entries[e, SYNAPSE] = ints[s, 2]
            values[e, 0] = t
            values[e, 1] = size[s]


@compiled(nogil=True)
def count_arrivals(
    window: int,
    entries: IntArray,
    heads: IntArray,
    filled: IntArray,
    chain: IntArray,
    arrive: IntArray,
) -> int:
    """Set where each slot's arrivals of a window begin; return how many there are."""
    for n in range(arrive.size):
        arrive[n] = 0
    c = heads[window % heads.size]
    while c >= 0:
        for e in range(c * CHUNK, c * CHUNK + filled[c]):
            if entries[e, WINDOW] == window:
                arrive[entries[e, SLOT] + 1] += 1
        c = chain[c]
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
    entries: IntArray,
    values: FloatArray,
    heads: IntArray,
    filled: IntArray,
    chain: IntArray,
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
    c = heads[bucket]
    heads[bucket] = -1
    while c >= 0:
        after = chain[c]
        for e in range(c * CHUNK, c * CHUNK + filled[c]):
            if entries[e, WINDOW] == window:
                k = place[entries[e, SLOT]]
                place[entries[e, SLOT]] += 1
                (time[k], size[k]) = (values[e, 0], values[e, 1])
                (which[k], order[k]) = (entries[e, WHICH], entries[e, SYNAPSE])
                counts[ARRIVED] += 1
            else:  # of a later window: back into the bucket, which holds no more than was freed
                to = _place(bucket, heads, filled, chain, counts)
                for q in range(4):
                    entries[to, q] = entries[e, q]
                (values[to, 0], values[to, 1]) = (values[e, 0], values[e, 1])
        chain[c] = counts[FREE]
        counts[FREE] = c
        counts[N_FREE] += 1
        c = after
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
        self._entries = np.zeros((0, 4), dtype=np.int64)
        self._values = np.zeros((0, 2))
        self._filled = np.zeros(0, dtype=np.int64)
        self._chain = np.zeros(0, dtype=np.int64)
        self._counts = np.array([-1, 0, 0], dtype=np.int64)
        self._per_second, self._t_stop = 1.0 / window_length, t_stop
        self._arrive = np.zeros(n_slots + 1, dtype=np.int64)
        self._place = np.zeros(n_slots, dtype=np.int64)
        self._arrivals: tuple[Any, ...] = (np.zeros(0), np.zeros(0, np.int64), np.zeros(0))
        self._order = np.zeros(0, dtype=np.int64)
        self._grow(FIRST_CHUNKS)

    @property
    def heads(self) -> IntArray:
        """The buckets by window, modulo their number; -1 where nothing is under way."""
        return self._heads

    @property
    def arrived(self) -> int:
        """How many spikes have arrived."""
        return int(self._counts[ARRIVED])

    def send(self, spikes: FloatArray, first: IntArray, ints: IntArray, delay: FloatArray,
             size: FloatArray, window: int, after: float = -1.0) -> None:  # fmt: skip
        """Send spikes; see `post`."""
        # Each bucket's last chunk may be filled in part, and one is kept for `hand_out`.
        needed = deliveries(spikes, first)
        needed = needed // CHUNK + min(needed, len(self._heads)) + 2
        if needed > self._counts[N_FREE]:
            self._grow(max(needed, len(self._chain)))
        post(
            spikes, first, ints, delay, size, self._entries, self._values, self._heads,
            self._filled, self._chain, self._counts, window, self._per_second, self._t_stop,
            after,
        )  # fmt: skip

    def arrivals(self, window: int) -> Arrivals:
        """Return what arrives in a window; it is under way no more."""
        total = count_arrivals(
            window, self._entries, self._heads, self._filled, self._chain, self._arrive
        )
        if total > self._order.size:
            room = 2 * total
            self._arrivals = (np.zeros(room), np.zeros(room, np.int64), np.zeros(room))
            self._order = np.zeros(room, dtype=np.int64)
        if self._counts[N_FREE] < 2:
            self._grow(len(self._chain))
        (time, which, size) = self._arrivals
        hand_out(
            window, self._entries, self._values, self._heads, self._filled, self._chain,
            self._counts, self._arrive, self._place, time, which, size, self._order,
        )  # fmt: skip
        return self._arrive, time, which, size

    def _grow(self, more: int) -> None:
        old = len(self._chain)

        def longer(a: npt.NDArray[Any], by: int) -> Any:
            return np.concatenate([a, np.zeros((by, *a.shape[1:]), dtype=a.dtype)])

        self._entries = longer(self._entries, more * CHUNK)
        self._values = longer(self._values, more * CHUNK)
        self._filled, self._chain = longer(self._filled, more), longer(self._chain, more)
        self._chain[old:] = np.arange(old + 1, old + more + 1)
        self._chain[-1] = self._counts[FREE]
        self._counts[FREE] = old
        self._counts[N_FREE] += more

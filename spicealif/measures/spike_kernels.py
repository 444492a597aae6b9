"""Compiled kernels of `spicealif.measures.spikes`; importing this module imports numba.

Every kernel expects sorted, finite, C-contiguous, writable float64 trains: the public functions
validate, the kernels do not. (numba compiles a read-only array as another type, a second time.)
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit

__all__ = [
    "coincidences",
    "match",
    "van_rossum_squared",
    "victor_purpura",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

# The directions of the matching's traceback, one byte for each cell of the band.
SKIP_B, SKIP_A, PAIR = 0, 1, 2

# Cells whose directions are held at once; a wider band is recomputed from checkpoints.
BLOCK_CELLS = 1 << 24


@njit(cache=True)
def victor_purpura(a: FloatArray, b: FloatArray, q: float, window: float) -> float:
    """Return the Victor-Purpura distance, shifting only over less than `window` = 2/q.

    ``row[j]`` is the cost of turning the spikes of `a` seen so far into the first j spikes of `b`.
    Outside the band each further spike adds 1, so a row is stored over its band only, in place.
    The costs themselves are summed, not what is saved against deleting everything: all terms
    are non-negative, and a small distance between long trains keeps its relative accuracy.
    """
    n_a, n_b = a.size, b.size
    row = np.empty(n_b + 1)
    row[0] = 0.0
    low = high = 0  # b[low:high] lie within the window of the spike of a
    for i in range(n_a):
        t = a[i]
        while low < n_b and t - b[low] >= window:
            low += 1
        seen = high
        while high < n_b and b[high] - t < window:
            high += 1
        for j in range(seen, high):
            row[j + 1] = row[j] + 1.0
        diagonal = row[low]
        left = diagonal + 1.0
        row[low] = left
        for j in range(low, high):
            above = row[j + 1]
            # Keep the chain of dependences short: `left` enters by one addition and one minimum.
            rest = min(above + 1.0, diagonal + q * abs(t - b[j]))
            left = min(left + 1.0, rest)
            row[j + 1] = left
            diagonal = above
    distance: float = row[high] + (n_b - high)
    return distance


@njit(cache=True)
def van_rossum_squared(a: FloatArray, b: FloatArray, tau: float) -> float:
    """Return D^2 of van Rossum from one sweep over the merged trains.

    Between two spikes f - g is A exp(-t/tau), whose square integrates to
    A^2 (tau/2) (1 - exp(-2 dt/tau)): only decaying exponentials, and a sum of non-negative terms.
    """
    n_a, n_b = a.size, b.size
    i = j = 0
    amplitude = 0.0
    last = 0.0
    total = 0.0
    while i < n_a or j < n_b:
        if i < n_a and j < n_b and a[i] == b[j]:  # they cancel, exactly
            i += 1
            j += 1
            continue
        if j == n_b or (i < n_a and a[i] < b[j]):
            t, sign = a[i], 1.0
            i += 1
        else:
            t, sign = b[j], -1.0
            j += 1
        if amplitude != 0.0:
            fall = math.expm1((last - t) / tau)  # exp(-dt/tau) - 1, exact also for dt << tau
            total -= amplitude * amplitude * fall * (2.0 + fall)
            amplitude += amplitude * fall
        amplitude += sign
        last = t
    return 0.5 * (total + amplitude * amplitude)


@njit(cache=True)
def coincidences(a: FloatArray, b: FloatArray, window: float) -> int:
    """Return the largest number of one-to-one pairs with |dt| <= `window`."""
    i = j = count = 0
    # Pairing the two earliest spikes that can be paired never loses a later pair.
    while i < a.size and j < b.size:
        difference = a[i] - b[j]
        if difference > window:
            j += 1
        elif difference < -window:
            i += 1
        else:
            count += 1
            i += 1
            j += 1
    return count


def match(a: FloatArray, b: FloatArray, max_distance: float) -> tuple[IntArray, IntArray]:
    """Return the index arrays of the matching of `measures.spikes.match_spikes`.

    The rows (spikes of `a`) are cut into blocks of at most `BLOCK_CELLS` cells of the band. The
    first pass keeps the costs at each block's start, the second recomputes the blocks from
    the last to the first and follows the directions back. One block needs one pass.
    """
    low, high = _band(a, b, max_distance)
    cells = np.concatenate((np.zeros(1, np.intp), np.cumsum(high - low)))
    bounds = [0]
    while bounds[-1] < a.size:
        first = bounds[-1]
        last = int(np.searchsorted(cells, cells[first] + BLOCK_CELLS, side="right")) - 1
        bounds.append(min(max(last, first + 1), a.size))
    blocks = list(itertools.pairwise(bounds))
    widest = max((int(cells[v] - cells[u]) for u, v in blocks), default=0)
    steps = np.empty(widest, np.uint8)
    row = np.empty(b.size + 1)
    row[0] = 0.0

    checkpoints: list[tuple[int, FloatArray]] = []
    for first, last in blocks:
        seen = int(high[first - 1]) if first else 0
        left = int(low[first])  # to the left of the band the costs are final: nothing to keep
        checkpoints.append((left, row[left : seen + 1].copy()))
        _fill(a, b, max_distance, low, high, cells, first, last, row, steps)

    partner = np.full(a.size, -1, np.intp)
    column = int(high[-1]) if a.size else 0
    for k in range(len(blocks) - 1, -1, -1):
        first, last = blocks[k]
        if k < len(blocks) - 1:  # the last block's directions are still there
            left, costs = checkpoints[k]
            row[left : left + costs.size] = costs
            _fill(a, b, max_distance, low, high, cells, first, last, row, steps)
        column = _trace(low, high, cells, first, last, column, steps, partner)
    i_a = np.flatnonzero(partner >= 0)
    return i_a, partner[i_a]


@njit(cache=True)
def _band(a: FloatArray, b: FloatArray, window: float) -> tuple[IntArray, IntArray]:
    """Return, for each spike of `a`, the half-open range of spikes of `b` nearer than `window`."""
    low = np.empty(a.size, np.intp)
    high = np.empty(a.size, np.intp)
    left = right = 0
    for i in range(a.size):
        while left < b.size and a[i] - b[left] >= window:
            left += 1
        while right < b.size and b[right] - a[i] < window:
            right += 1
        low[i] = left
        high[i] = right
    return low, high


@njit(cache=True)
def _fill(
    a: FloatArray,
    b: FloatArray,
    window: float,
    low: IntArray,
    high: IntArray,
    cells: IntArray,
    first: int,
    last: int,
    row: FloatArray,
    steps: npt.NDArray[np.uint8],
) -> None:
    """Advance `row` over spikes first..last-1 of `a` as `victor_purpura` does, with directions."""
    q = 2.0 / window
    for i in range(first, last):
        t = a[i]
        seen = high[i - 1] if i > 0 else 0
        for j in range(seen, high[i]):
            row[j + 1] = row[j] + 1.0
        diagonal = row[low[i]]
        left = diagonal + 1.0
        row[low[i]] = left
        cell = cells[i] - cells[first]
        for j in range(low[i], high[i]):
            above = row[j + 1]
            pair = diagonal + q * abs(t - b[j])
            # At equal cost the last spike is left alone rather than paired. Whether of a or b is
            # the same: if both are optimal, neither is paired (else pairing both would be cheaper).
            step = SKIP_B
            left += 1.0
            if above + 1.0 < left:
                left = above + 1.0
                step = SKIP_A
            if pair < left:
                left = pair
                step = PAIR
            row[j + 1] = left
            steps[cell] = step
            cell += 1
            diagonal = above


@njit(cache=True)
def _trace(
    low: IntArray,
    high: IntArray,
    cells: IntArray,
    first: int,
    last: int,
    column: int,
    steps: npt.NDArray[np.uint8],
    partner: IntArray,
) -> int:
    """Follow the directions back over one block, fill in `partner`, return the column reached."""
    i = last - 1
    while i >= first:
        column = min(column, high[i])  # later spikes of b have no partner at or before i
        if column <= low[i]:
            i -= 1
            continue
        step = steps[cells[i] - cells[first] + column - 1 - low[i]]
        if step == SKIP_B:
            column -= 1
        elif step == SKIP_A:
            i -= 1
        else:
            partner[i] = column - 1
            column -= 1
            i -= 1
    return column

"""In which order the neurons of a network are solved."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

__all__ = ["levels_of"]

_Ints = NDArray[np.int64]
#: Neurons of a loop are parted into at most so many groups that are solved one after the other.
MOST_COLOURS = 8


def levels_of(pre: _Ints, post: _Ints, n: int) -> list[_Ints]:
    """Return the neurons in groups, each of which is solved at once.

    What feeds forward comes in the order of the signals, so that one pass through all groups has
    them right but for what synapses draw from outputs. The neurons of a loop are parted so that,
    as far as a few groups allow it, none acts on another of its group (Gauss-Seidel between
    groups, Jacobi within).

    Parameters
    ----------
    pre, post : ndarray of int
        Synapses; nodes from `n` on are no neurons.
    n : int
        Number of neurons.
    """
    inner = (pre < n) & (pre != post)
    (pre, post) = (pre[inner], post[inner])
    graph = csr_matrix((np.ones(len(pre)), (pre, post)), shape=(n, n))
    n_parts, part = connected_components(graph, directed=True, connection="strong")
    depth = _depths(part[pre], part[post], n_parts)
    colour = _colours(pre, post, part, n)
    key = depth[part] * MOST_COLOURS + colour
    order = np.argsort(key, kind="stable").astype(np.int64)
    edges = np.flatnonzero(np.diff(key[order])) + 1
    bounds = [0, *edges.tolist(), n]
    return [order[a:b] for a, b in pairwise(bounds) if b > a]


def _depths(before: NDArray[np.int32], behind: NDArray[np.int32], n: int) -> _Ints:
    """Return how many parts are on the longest way to each part."""
    other = before != behind
    edges = np.unique(np.stack([before[other], behind[other]], axis=1), axis=0)
    depth = np.zeros(n, dtype=np.int64)
    incoming = np.bincount(edges[:, 1], minlength=n)
    start = np.searchsorted(edges[:, 0], np.arange(n + 1))
    ready = list(np.flatnonzero(incoming == 0))
    while ready:
        part = ready.pop()
        for target in edges[start[part] : start[part + 1], 1]:
            depth[target] = max(depth[target], depth[part] + 1)
            incoming[target] -= 1
            if incoming[target] == 0:
                ready.append(target)
    return depth


def _colours(pre: _Ints, post: _Ints, part: NDArray[np.int32], n: int) -> _Ints:
    """Return a number below MOST_COLOURS for each neuron of a loop, 0 for all others."""
    same = part[pre] == part[post]
    both = np.concatenate([np.stack([pre[same], post[same]]), np.stack([post[same], pre[same]])], 1)
    order = np.argsort(both[0], kind="stable")
    (first, second) = both[:, order]
    start = np.searchsorted(first, np.arange(n + 1))
    colour = np.zeros(n, dtype=np.int64)
    for k in range(n):
        others = second[start[k] : start[k + 1]]
        taken = np.bincount(colour[others[others < k]], minlength=MOST_COLOURS)
        # Where no colour is free, the one that fewest of its neighbours have.
        colour[k] = int(np.argmin(taken)) if len(others) else 0
    return colour

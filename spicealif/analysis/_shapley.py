"""Shapley values: how much each of several causes contributes to what they do together.

A cause's value is the mean, over all orders in which the causes may be switched on, of what its
switching on changes (Shapley, "A value for n-person games", 1953). The values of all causes sum to
what all together change, and a cause that never changes anything gets nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "all_subsets",
    "ends_of_orders",
    "exact_shares",
    "marginals",
    "sampled_orders",
    "sampled_shares",
    "shares_of_pairs",
    "spread_over_orders",
    "subsets_of_orders",
]

_Floats: TypeAlias = NDArray[np.float64]
#: A set of causes by their numbers.
Subset: TypeAlias = frozenset[int]


def all_subsets(n: int) -> list[Subset]:
    """Return all subsets of n causes; the empty and the full one come first."""
    middle = [frozenset(c) for size in range(1, n) for c in combinations(range(n), size)]
    ends = [frozenset(range(n)), frozenset[int]()]
    return [*ends[: 2 if n else 1], *middle]


def exact_shares(values: Mapping[Subset, _Floats], n: int) -> _Floats:
    """Return the Shapley values from the value of every subset.

    Parameters
    ----------
    values : mapping of frozenset to ndarray, shape (M,)
        M figures for each of the ``2**n`` subsets.
    n : int
        Number of causes.

    Returns
    -------
    ndarray, shape (n, M)
        They sum to the full subset's value less the empty one's.
    """
    weight = [
        math.factorial(size) * math.factorial(n - 1 - size) / math.factorial(n) for size in range(n)
    ]
    some = next(iter(values.values()))
    shares = np.zeros((n, len(some)))
    for subset, value in values.items():
        for k in subset:
            shares[k] += weight[len(subset) - 1] * (value - values[subset - {k}])
    return shares


def marginals(values: Mapping[Subset, _Floats], n: int) -> tuple[_Floats, _Floats]:
    """Return what switching each cause on changes when it comes first, and when it comes last.

    Parameters
    ----------
    values : mapping of frozenset to ndarray, shape (M,)
        M figures for the empty and the full set, each single cause and each set but one.
    n : int
        Number of causes.

    Returns
    -------
    first, last : ndarray, shape (n, M)
    """
    every, none = frozenset(range(n)), frozenset[int]()
    first = [values[frozenset({k})] - values[none] for k in range(n)]
    last = [values[every] - values[every - {k}] for k in range(n)]
    width = len(values[none])
    return np.reshape(first, (n, width)), np.reshape(last, (n, width))


def spread_over_orders(values: Mapping[Subset, _Floats], n: int) -> tuple[_Floats, _Floats]:
    """Return the least and the most that switching each cause on changes, over the sets known.

    Parameters
    ----------
    values : mapping of frozenset to ndarray, shape (M,)
        M figures for each subset; all of them, or those that some orders meet.
    n : int

    Returns
    -------
    least, most : ndarray, shape (n, M)
    """
    width = len(next(iter(values.values())))
    least, most = np.full((n, width), math.inf), np.full((n, width), -math.inf)
    for subset, value in values.items():
        for k in subset:
            before = values.get(subset - {k})
            if before is not None:
                least[k] = np.minimum(least[k], value - before)
                most[k] = np.maximum(most[k], value - before)
    return least, most


def ends_of_orders(n: int) -> list[Subset]:
    """Return the sets that `marginals` needs: each cause alone, and all but each."""
    every = frozenset(range(n))
    met = {frozenset({k}) for k in range(n)} | {every - {k} for k in range(n)}
    return sorted(met - {every, frozenset[int]()}, key=lambda s: (len(s), sorted(s)))


def sampled_orders(n: int, count: int, seed: int) -> list[tuple[int, ...]]:
    """Return `count` random orders of n causes, each followed by its reverse.

    The reverse of an order has the opposite chance effects, which halves the variance or better.

    Parameters
    ----------
    n, count : int
        `count` is rounded up to an even number.
    seed : int

    Returns
    -------
    list of tuple of int
    """
    rng = np.random.default_rng(seed)
    orders: list[tuple[int, ...]] = []
    for _ in range((count + 1) // 2):
        order = tuple(int(k) for k in rng.permutation(n))
        orders += [order, order[::-1]]
    return orders


def subsets_of_orders(orders: Sequence[tuple[int, ...]]) -> list[Subset]:
    """Return the subsets met when the causes are switched on in these orders, each once."""
    n = len(orders[0])
    met = {frozenset(order[:k]) for order in orders for k in range(n + 1)}
    ends = [frozenset(range(n)), frozenset[int]()]
    return [*ends, *sorted(met - set(ends), key=lambda s: (len(s), sorted(s)))]


def sampled_shares(
    values: Mapping[Subset, _Floats], orders: Sequence[tuple[int, ...]]
) -> tuple[_Floats, _Floats]:
    """Return estimates of the Shapley values, and their standard errors.

    Parameters
    ----------
    values : mapping of frozenset to ndarray, shape (M,)
        M figures for each subset that the orders meet.
    orders : sequence of tuple of int
        From `sampled_orders`: pairs of an order and its reverse.

    Returns
    -------
    shares, errors : ndarray, shape (n, M)
        The shares sum to the full subset's value less the empty one's, whatever the orders. The
        errors come from the spread between pairs; NaN with a single pair.
    """
    pairs = shares_of_pairs(values, orders)
    errors = np.full(pairs.shape[1:], math.nan)
    if len(pairs) > 1:
        errors = pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))
    return pairs.mean(axis=0), errors


def shares_of_pairs(values: Mapping[Subset, _Floats], orders: Sequence[tuple[int, ...]]) -> _Floats:
    """Return the estimates of the Shapley values from each pair of an order and its reverse.

    Parameters
    ----------
    values, orders
        See `sampled_shares`.

    Returns
    -------
    ndarray, shape (P, n, M)
    """
    n = len(orders[0])
    some = next(iter(values.values()))
    steps = np.zeros((len(orders), n, len(some)))
    for row, order in enumerate(orders):
        for k, cause in enumerate(order):
            steps[row, cause] = values[frozenset(order[: k + 1])] - values[frozenset(order[:k])]
    pairs: _Floats = steps.reshape(len(orders) // 2, 2, n, len(some)).mean(axis=1)
    return pairs

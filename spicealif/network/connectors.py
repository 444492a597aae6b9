"""Which neuron is joined to which: all-to-all, one-to-one, at random, from a list."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spicealif.design._base import Number, Part
from spicealif.design._sentences import register_tags
from spicealif.network.arrays import Pairs

__all__ = [
    "AllToAll",
    "AnyConnector",
    "Connector",
    "FixedInDegree",
    "FixedProbability",
    "FromList",
    "OneToOne",
]

_Ints: TypeAlias = NDArray[np.int64]
#: Numbers drawn at once where a choice needs one for each neuron of the source.
_AT_ONCE = 4_000_000


class Connector(Part):
    """Which neuron of a source is joined to which of a target."""

    kind: str

    @abstractmethod
    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """Return the indices of source and target of each connection.

        Parameters
        ----------
        n_pre, n_post : int
            Sizes of source and target.
        same : bool
            Whether source and target are the same population.
        rng : numpy.random.Generator
            What is drawn is drawn from it.
        """

    @abstractmethod
    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """Return the number of connections, or its mean where it is drawn; nothing is allocated."""

    @property
    def counted(self) -> bool:
        """Whether `count` is the number itself, so that weights may be listed one by one."""
        return True

    def trouble(self, n_pre: int, n_post: int, same: bool) -> str:
        """Return what is wrong with it between populations of such sizes; empty if nothing is."""
        if self.count(n_pre, n_post, same) == 0 and self.counted:
            return (
                "joins nothing; a neuron is joined to itself only with self_connections = true, "
                "so give other populations or remove the projection"
            )
        return ""


class AllToAll(Connector):
    """Every neuron of the source to every one of the target, target running fastest.

    Attributes
    ----------
    self_connections : bool
        Whether a neuron is joined to itself where source and target are the same population.
    """

    kind: Literal["all-to-all"] = "all-to-all"
    self_connections: bool = Field(default=False, description="whether neurons join themselves")

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """See `Connector.pairs`."""
        others = same and not self.self_connections
        return _of_all(np.arange(self.count(n_pre, n_post, same), dtype=np.int64), n_post, others)

    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """See `Connector.count`."""
        return n_pre * (n_post - (same and not self.self_connections))


class OneToOne(Connector):
    """The k-th neuron of the source to the k-th of the target; two populations of one size."""

    kind: Literal["one-to-one"] = "one-to-one"

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """See `Connector.pairs`."""
        both = np.arange(n_pre, dtype=np.int64)
        return both, both.copy()

    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """See `Connector.count`."""
        return n_pre

    def trouble(self, n_pre: int, n_post: int, same: bool) -> str:
        """See `Connector.trouble`."""
        if same:
            return (
                "joins every neuron of a population to itself, one-to-one; take another target, or "
                "list the pairs (from-list)"
            )
        if n_pre != n_post:
            return (
                f"is one-to-one between {n_pre} and {n_post}; give both the same size, or take "
                "another connector"
            )
        return ""


class FixedProbability(Connector):
    """Each possible connection with the same probability, each for itself.

    Attributes
    ----------
    probability : float
        From 0 to 1.
    self_connections : bool
        Whether a neuron may be joined to itself.
    """

    kind: Literal["fixed-probability"] = "fixed-probability"
    probability: Number = Field(ge=0, le=1, description="of each connection")
    self_connections: bool = Field(default=False, description="whether neurons join themselves")

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """See `Connector.pairs`."""
        others = same and not self.self_connections
        taken = _successes(n_pre * (n_post - others), self.probability, rng)
        return _of_all(taken, n_post, others)

    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """See `Connector.count`."""
        possible = n_pre * (n_post - (same and not self.self_connections))
        return round(possible * self.probability)

    @property
    def counted(self) -> bool:
        """Whether `count` is the number itself."""
        return False


class FixedInDegree(Connector):
    """Every neuron of the target from as many neurons of the source, all different.

    Connections are in the order of their targets.

    Attributes
    ----------
    in_degree : int
    self_connections : bool
        Whether a neuron may be joined to itself.
    """

    kind: Literal["fixed-in-degree"] = "fixed-in-degree"
    in_degree: int = Field(ge=1, description="connections into each neuron of the target")
    self_connections: bool = Field(default=False, description="whether neurons join themselves")

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """See `Connector.pairs`."""
        others = same and not self.self_connections
        chosen = _subsets(n_pre - others, self.in_degree, n_post, rng)
        post = np.repeat(np.arange(n_post, dtype=np.int64), self.in_degree)
        pre = chosen.ravel()
        return pre + (pre >= post if others else 0), post

    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """See `Connector.count`."""
        return self.in_degree * n_post

    def trouble(self, n_pre: int, n_post: int, same: bool) -> str:
        """See `Connector.trouble`."""
        most = n_pre - (same and not self.self_connections)
        if self.in_degree > most:
            return (
                f"has an in_degree of {self.in_degree}, and there are {most} neurons to draw from; "
                f"give at most {most}"
            )
        return ""


class FromList(Connector):
    """The pairs of a list; a pair that is there twice makes two synapses.

    Attributes
    ----------
    connections : array of int, shape (m, 2)
        Indices of source and target, from 0.
    """

    kind: Literal["from-list"] = "from-list"
    connections: Pairs = Field(description="pairs of indices of source and target, from 0")

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """See `Connector.pairs`."""
        both = np.asarray(self.connections.array, dtype=np.int64)
        return both[:, 0].copy(), both[:, 1].copy()

    def count(self, n_pre: int, n_post: int, same: bool) -> int:
        """See `Connector.count`."""
        return len(self.connections)

    def trouble(self, n_pre: int, n_post: int, same: bool) -> str:
        """See `Connector.trouble`."""
        listed = self.connections.array
        if not len(listed):
            return "has an empty list of connections; list some, or remove the projection"
        for column, size, what in ((0, n_pre, "source"), (1, n_post, "target")):
            bad = np.flatnonzero((listed[:, column] < 0) | (listed[:, column] >= size))
            if len(bad):
                return (
                    f"lists the pair {listed[bad[0]].tolist()} as its number {bad[0]}, and the "
                    f"{what}'s neurons are 0 to {size - 1}; give indices among these"
                )
        return ""


AnyConnector: TypeAlias = Annotated[
    AllToAll | OneToOne | FixedProbability | FixedInDegree | FromList, Field(discriminator="kind")
]
register_tags(AllToAll, OneToOne, FixedProbability, FixedInDegree, FromList)


def _of_all(k: _Ints, n_post: int, others: bool) -> tuple[_Ints, _Ints]:
    """Return the pairs with these numbers among all pairs, without those of one neuron."""
    row = max(n_post - others, 1)
    pre, post = k // row, k % row
    if others:
        post += post >= pre
    return pre, post


def _successes(n: int, p: float, rng: np.random.Generator) -> _Ints:
    """Return which of n independent trials succeed, sorted, at the cost of the successes alone.

    The gaps between successes are geometric.
    """
    if p <= 0 or n <= 0:
        return np.empty(0, dtype=np.int64)
    if p >= 1:
        return np.arange(n, dtype=np.int64)
    parts: list[_Ints] = []
    last = -1
    while last < n:
        left = (n - last) * p
        gaps = rng.geometric(p, int(left + 6 * left**0.5) + 16)
        places = last + np.cumsum(np.minimum(gaps, n + 1))
        parts.append(places)
        last = int(places[-1])
    taken = np.concatenate(parts)
    return taken[taken < n]


def _subsets(n: int, k: int, rows: int, rng: np.random.Generator) -> _Ints:
    """Draw `rows` sets of k of the numbers below n, each set as likely as any, sorted in itself."""
    out = np.empty((rows, k), dtype=np.int64)
    if k * k < n:
        # Floyd's algorithm (Bentley and Floyd, Comm. ACM 30 (9), 1987), all rows at once.
        for j in range(k):
            top = n - k + j
            drawn = rng.integers(0, top + 1, size=rows)
            there = (out[:, :j] == drawn[:, None]).any(axis=1)
            out[:, j] = np.where(there, top, drawn)
    else:
        chunk = max(1, _AT_ONCE // n)
        for first in range(0, rows, chunk):
            keys = rng.random((min(chunk, rows - first), n))
            out[first : first + chunk] = np.argpartition(keys, k - 1, axis=1)[:, :k]
    out.sort(axis=1)
    return out

"""Which neuron is joined to which: all-to-all, one-to-one, from a list."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spicealif.design._base import Part

__all__ = ["AllToAll", "AnyConnector", "FromList", "OneToOne"]

_Ints: TypeAlias = NDArray[np.int64]


class AllToAll(Part):
    """Every neuron of the source to every one of the target.

    Attributes
    ----------
    self_connections : bool
        Whether a neuron is joined to itself where source and target are the same population.
    """

    kind: Literal["all-to-all"] = "all-to-all"
    self_connections: bool = False

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """Return the indices of source and target of each connection."""
        pre, post = (a.ravel() for a in np.indices((n_pre, n_post)))
        if same and not self.self_connections:
            keep = pre != post
            pre, post = pre[keep], post[keep]
        return pre.astype(np.int64), post.astype(np.int64)


class OneToOne(Part):
    """The k-th neuron of the source to the k-th of the target."""

    kind: Literal["one-to-one"] = "one-to-one"

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """Return the indices of source and target of each connection."""
        both = np.arange(n_pre, dtype=np.int64)
        return both, both.copy()


class FromList(Part):
    """The pairs of a list.

    Attributes
    ----------
    pairs_listed : sequence of (int, int)
        Indices of source and target, from 0.
    """

    kind: Literal["from-list"] = "from-list"
    connections: tuple[tuple[int, int], ...]

    def pairs(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator
              ) -> tuple[_Ints, _Ints]:  # fmt: skip
        """Return the indices of source and target of each connection."""
        both = np.array(self.connections, dtype=np.int64).reshape(-1, 2)
        return both[:, 0].copy(), both[:, 1].copy()


AnyConnector: TypeAlias = Annotated[AllToAll | OneToOne | FromList, Field(discriminator="kind")]

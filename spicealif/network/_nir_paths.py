"""What stands between the neurons of a NIR graph: weights and delays, put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import DesignError

__all__ = ["NirPath", "node_kind", "paths_from", "refuse_kind"]

_Floats = NDArray[np.float64]
_BETWEEN = ("Linear", "Affine", "Delay")
KNOWN = ("Input", "Output", "LIF", *_BETWEEN)


def node_kind(name: str, node: Any) -> str:
    """Return a node's kind, if it is one that a network here can have.

    Raises
    ------
    DesignError
        If it is not.
    """
    kind = type(node).__name__
    refuse_kind(name, kind)
    return kind


def refuse_kind(name: str, kind: str) -> None:
    """Raise `DesignError` if a node is of a kind that a network here cannot have."""
    if kind not in KNOWN:
        raise DesignError(
            f"The node {ascii(name)} of the NIR graph is {_a(kind)}, which has no counterpart "
            f"here; only graphs of {', '.join(KNOWN[:-1])} and {KNOWN[-1]} are read."
        )


@dataclass(frozen=True, eq=False)
class NirPath:
    """A way of spikes from one node to the next that has neurons.

    Attributes
    ----------
    source, target : str
    weight : ndarray, shape (n_target, n_source), or None
        None where the path has no weights: one to one.
    before, after : ndarray or float
        Delays in s ahead of the weights, one for each neuron of the source, and behind them.
    """

    source: str
    target: str
    weight: _Floats | None = None
    before: Any = 0.0
    after: Any = 0.0

    def through(self, name: str, kind: str, node: Any) -> NirPath:
        """Return the path continued through a Linear, Affine or Delay node."""
        if kind == "Delay":
            delay = _finite(name, "delay", node.delay).ravel()
            if np.any(delay < 0):
                raise DesignError(
                    f"The delay of the node {ascii(name)} is {delay.min():g} s; give 0 or more."
                )
            if self.weight is None:
                return NirPath(self.source, self.target, None, self.before + delay, 0.0)
            return NirPath(self.source, self.target, self.weight, self.before, self.after + delay)
        weight = _finite(name, "weight", node.weight)
        if weight.ndim != 2:
            raise DesignError(
                f"The weight of the node {ascii(name)} has {weight.ndim} dimensions; only "
                "matrices (2) are read."
            )
        if kind == "Affine" and np.any(_finite(name, "bias", node.bias)):
            raise DesignError(
                f"The Affine node {ascii(name)} has a bias, a constant current that a synapse does "
                "not give; set it to 0 and add it to the neurons' stimulus."
            )
        if self.weight is None:
            return NirPath(self.source, self.target, weight, self.before, 0.0)
        if np.any(self.after):
            raise DesignError(
                f"There is a Delay between two nodes of weights before {ascii(name)}; put it ahead "
                "of both or behind both."
            )
        if weight.shape[1] != self.weight.shape[0]:
            raise DesignError(
                f"The weight of the node {ascii(name)} has {weight.shape[1]} columns for "
                f"{self.weight.shape[0]} inputs; give a matrix that fits."
            )
        return NirPath(self.source, self.target, weight @ self.weight, self.before, 0.0)


def paths_from(source: str, graph: Any) -> Iterator[NirPath]:
    """Give the paths from a node with neurons to the next ones, Output left out.

    Raises
    ------
    DesignError
        If a node between has no counterpart here, or a loop has no neurons in it.
    """
    followers: dict[str, list[str]] = {}
    for a, b in graph.edges:
        followers.setdefault(str(a), []).append(str(b))

    def walk(name: str, path: NirPath, seen: tuple[str, ...]) -> Iterator[NirPath]:
        for follower in followers.get(name, ()):
            if follower not in graph.nodes:
                raise DesignError(
                    f"An edge of the NIR graph leads to {ascii(follower)}, which is not among its "
                    "nodes; write the file again."
                )
            node = graph.nodes[follower]
            kind = node_kind(follower, node)
            if kind == "LIF":
                yield NirPath(source, follower, path.weight, path.before, path.after)
            elif kind in _BETWEEN:
                if follower in seen:
                    raise DesignError(
                        f"The nodes {', '.join(map(ascii, seen))} of the NIR graph are a loop "
                        "without neurons; there is nothing to compute in it."
                    )
                yield from walk(follower, path.through(follower, kind, node), (*seen, follower))

    yield from walk(source, NirPath(source, source), ())


def _finite(name: str, what: str, value: Any) -> _Floats:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.all(np.isfinite(array)):
        raise DesignError(
            f"The {what} of the node {ascii(name)} is not of finite numbers; write the file again."
        )
    return array


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'AEIO' else 'a'} {kind}"

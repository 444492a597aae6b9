"""What is connected to what, so that every node has a path to ground for direct current.

LTspice refuses a node that only capacitors and current sources reach ("Node x is floating and
connected to current source"); ngspice solves it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Call", "Card", "Scope", "endless_calls", "floating_nodes"]

#: A card: its line, from 1, and its text.
Card = tuple[int, str]


@dataclass(frozen=True)
class Call:
    """A subcircuit in use: the card, the subcircuit's name, the nodes given to its ports."""

    card: Card
    name: str
    nodes: tuple[str, ...]


@dataclass
class Scope:
    """The names of the circuit, or of one subcircuit; all in lower case.

    Attributes
    ----------
    ports : tuple of str
    elements : set of str
    nodes : dict of str to Card
        Nodes that elements are connected to, with the first such card.
    conducting : list of tuple of str
        Pairs of nodes that direct current can flow between.
    mentioned : list of tuple
        Nodes that expressions speak of, with the card.
    calls : list of Call
    """

    ports: tuple[str, ...] = ()
    elements: set[str] = field(default_factory=set)
    nodes: dict[str, Card] = field(default_factory=dict)
    conducting: list[tuple[str, str]] = field(default_factory=list)
    mentioned: list[tuple[Card, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def subcircuit_of(self, instance: str) -> str:
        """Return the subcircuit that an element, in lower case, calls; nothing if it calls none."""
        names = (call.name for call in self.calls if call.card[1].split()[0].lower() == instance)
        return next(names, "")


def floating_nodes(top: Scope, subcircuits: dict[str, Scope]) -> Iterator[tuple[str, Card]]:
    """Give each node without a path to ground for direct current, with a card that names it.

    Parameters
    ----------
    top : Scope
        The circuit.
    subcircuits : dict of str to Scope
        Its subcircuits; calls of others, and of a subcircuit by itself, count as open.

    Yields
    ------
    node : str
    card : Card
    """
    done: dict[str, _Groups] = {}
    for name in subcircuits:
        _solve(name, subcircuits, done)
    for scope, groups in [(s, done[n]) for n, s in subcircuits.items()] + [
        (top, _groups(top, subcircuits, done))
    ]:
        # A subcircuit's port may be grounded outside; whoever calls it answers for that.
        grounded = {groups.find(n) for n in ("0", *scope.ports)}
        for node, card in scope.nodes.items():
            if groups.find(node) not in grounded:
                yield node, card


def endless_calls(subcircuits: dict[str, Scope]) -> Iterator[Call]:
    """Give a call of each subcircuit that contains itself, or lies between two that do."""
    calls = {
        name: [call for call in scope.calls if call.name in subcircuits]
        for name, scope in subcircuits.items()
    }
    inner = {name: {call.name for call in inside} for name, inside in calls.items()}
    outer: dict[str, set[str]] = {name: set() for name in subcircuits}
    for name, names in inner.items():
        for other in names:
            outer[other].add(name)
    # Whatever ends, from above or from below, is taken away until nothing more is.
    for down, up in ((inner, outer), (outer, inner)):
        ends = [name for name in subcircuits if name in down and not down[name]]
        while ends:
            name = ends.pop()
            for other in up.pop(name):
                if other in down:
                    down[other].discard(name)
                    if not down[other]:
                        ends.append(other)
            del down[name]
    for name in inner:
        yield next(call for call in calls[name] if call.name in inner)


class _Groups:
    """Nodes that are connected, as disjoint sets."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        root = node
        while (up := self._parent.get(root, root)) != root:
            root = up
        while (up := self._parent.get(node, node)) != root:
            self._parent[node], node = root, up
        return root

    def join(self, a: str, b: str) -> None:
        self._parent[self.find(a)] = self.find(b)


def _solve(name: str, subcircuits: dict[str, Scope], done: dict[str, _Groups]) -> None:
    """Fill `done` for a subcircuit, those that it calls first; without recursion."""
    waiting = [name]
    begun: set[str] = set()
    while waiting:
        current = waiting[-1]
        if current in done:
            waiting.pop()
            continue
        needed = [
            c.name
            for c in subcircuits[current].calls
            if c.name in subcircuits and c.name not in done and c.name not in begun
        ]
        begun.add(current)
        if needed:
            waiting += needed
            continue
        done[current] = _groups(subcircuits[current], subcircuits, done)
        waiting.pop()


def _groups(scope: Scope, subcircuits: dict[str, Scope], done: dict[str, _Groups]) -> _Groups:
    groups = _Groups()
    for a, b in scope.conducting:
        groups.join(a, b)
    for call in scope.calls:
        inside = done.get(call.name)
        if inside is None:
            continue
        outside = {inside.find("0"): "0"}
        for port, node in zip(subcircuits[call.name].ports, call.nodes, strict=False):
            first = outside.setdefault(inside.find(port), node)
            groups.join(first, node)
    return groups

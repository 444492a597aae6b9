"""The elements that are still to be placed."""

from __future__ import annotations

from collections.abc import Sequence

from spicealif.schematic.cards import Element

__all__ = ["Parts"]


class Parts:
    """Elements by name, each of which can be taken once.

    Parameters
    ----------
    elements : sequence of Element
    """

    def __init__(self, elements: Sequence[Element]) -> None:
        self._left = {element.name: element for element in elements}

    def take(self, *names: str, nodes: tuple[str, ...] | None = None) -> Element | None:
        """Return the first element of these names that there is and that has these nodes."""
        for name in names:
            element = self._left.get(name)
            if element is not None and nodes in (None, element.nodes):
                return self._left.pop(name)
        return None

    def take_together(self, **nodes: tuple[str, ...]) -> dict[str, Element] | None:
        """Return the elements of these names if all are there and have these nodes."""
        found = {name: self._left.get(name) for name in nodes}
        if any(e is None or e.nodes != nodes[name] for name, e in found.items()):
            return None
        return {name: self._left.pop(name) for name in nodes}

    def take_all(self, start: str) -> list[Element]:
        """Return all elements whose names begin so."""
        names = [name for name in self._left if name.startswith(start)]
        return [self._left.pop(name) for name in names]

    def take_leak(self) -> Element | None:
        """Return what is between v_c and v_s: a memristor of three ports, or anything of two."""
        for name, element in self._left.items():
            ends = element.nodes[:2] == ("v_c", "v_s")
            fits = (name == "X_leak" and len(element.nodes) == 3) or (
                name.endswith("_leak") and element.kind in "RCVIB" and len(element.nodes) == 2
            )
            if ends and fits:
                return self._left.pop(name)
        return None

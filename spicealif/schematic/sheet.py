"""A sheet: symbols at their places, wires, names of nets, texts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Literal

from spicealif.schematic.cards import Element
from spicealif.schematic.symbols import Point, Symbol, symbol_of, turned

__all__ = ["CHARACTER", "LINE", "Flag", "Group", "Placed", "Sheet", "Text", "Wire", "Words"]

#: What a part of the sheet is for: the circuit as Fig. 4b has it, its supplies, or elements that
#: only the simulator wants, such as step steering and paths to ground.
Group = Literal["circuit", "supplies", "numerics"]
#: Width of a character and height of a line by the size that LTspice gives a text: estimates, on
#: the large side, since the font is the user's.
CHARACTER = {1: 9.5, 2: 14.0}
LINE = {1: 24, 2: 32}


@dataclass(frozen=True)
class Words:
    """Where a symbol's name or value stands.

    Attributes
    ----------
    at : Point
        On the sheet.
    side : str
        Where the words lie as seen from there: to its right, centred above or below, or nowhere.
    size : int
        LTspice's.
    """

    at: Point
    side: Literal["right", "above", "below", "hidden"] = "right"
    size: int = 2


@dataclass(frozen=True)
class Placed:
    """A symbol at its place.

    Attributes
    ----------
    element : Element
    symbol : Symbol
    at : Point
        Where its origin is.
    turn : str
        ``"R0"``, ``"R90"``, ``"R180"`` or ``"R270"``.
    group : str
    name, value : Words
    """

    element: Element
    symbol: Symbol
    at: Point
    turn: str
    group: Group
    name: Words
    value: Words

    @property
    def pins(self) -> tuple[Point, ...]:
        """Where its pins are, in the order of the element's nodes."""
        return tuple(self.on_sheet(pin) for pin in self.symbol.pins)

    def on_sheet(self, point: Point) -> Point:
        """Return where a point of the symbol is."""
        x, y = turned(point, self.turn)
        return self.at[0] + x, self.at[1] + y


@dataclass(frozen=True)
class Wire:
    """A straight wire."""

    a: Point
    b: Point
    group: Group


@dataclass(frozen=True)
class Flag:
    """The name of the net at a place; ``"0"`` is ground."""

    at: Point
    net: str
    group: Group


@dataclass(frozen=True)
class Text:
    """Text on the sheet, its first line's left end in the middle of its height at a place.

    Attributes
    ----------
    at : Point
    text : str
        Of one line or several.
    directive : bool
        Whether LTspice takes it into the netlist; otherwise it is a comment.
    size : int
    """

    at: Point
    text: str
    directive: bool
    size: int = 1

    @property
    def width(self) -> int:
        """Estimate of its width."""
        return round(CHARACTER[self.size] * max(map(len, self.text.splitlines())))

    @property
    def height(self) -> int:
        """Estimate of its height."""
        return LINE[self.size] * len(self.text.splitlines())


@dataclass
class Sheet:
    """A sheet that is being drawn.

    Attributes
    ----------
    placed : list of Placed
    wires : list of Wire
    flags : list of Flag
    texts : list of Text
    """

    placed: list[Placed] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def place(
        self, element: Element, pin: Point, turn: str = "R0", group: Group = "circuit"
    ) -> tuple[Point, ...]:
        """Put an element's symbol where its first pin is at `pin`; return where all its pins are.

        Its name and value stand to its right, and a lying resistor's above and below it.
        """
        symbol = symbol_of(element)
        dx, dy = turned(symbol.pins[0], turn)
        at = (pin[0] - dx, pin[1] - dy)
        corners = [turned(corner, turn) for corner in symbol.box]
        xs = sorted(at[0] + x for x, _ in corners)
        ys = sorted(at[1] + y for _, y in corners)
        long = len(element.value) > 9
        size = 1 if long else 2
        x, y = (xs[0] + xs[1]) // 2, (ys[0] + ys[1]) // 2
        name = Words((xs[1] + 8, y - 16))
        value = Words((xs[1] + 8, y + 16), size=size)
        if turn in ("R90", "R270"):
            name, value = Words((x, ys[0]), "above"), Words((x, ys[1]), "below", size)
        elif element.kind == "X" and len(symbol.pins) > 3:  # clear of the supplies' pins
            name, value = Words((at[0] + 72, at[1] - 48)), Words((at[0] + 72, at[1] + 48))
        self.placed.append(Placed(element, symbol, at, turn, group, name, value))
        return self.placed[-1].pins

    def wire(self, *points: Point, group: Group = "circuit") -> None:
        """Draw a wire through some points."""
        for a, b in itertools.pairwise(points):
            if a != b:
                self.wires.append(Wire(a, b, group))

    def flag(self, at: Point, net: str, group: Group = "circuit") -> None:
        """Name the net at a place."""
        self.flags.append(Flag(at, net, group))

    def ground(self, pin: Point, y: int | None = None, group: Group = "circuit") -> None:
        """Connect a pin to ground, by a wire down to `y` if that is given."""
        end = (pin[0], pin[1] if y is None else y)
        self.wire(pin, end, group=group)
        self.flag(end, "0", group)

    def split(self) -> None:
        """Cut wires where others end, as LTspice itself keeps them."""
        ends = {p for w in self.wires for p in (w.a, w.b)} | {f.at for f in self.flags}
        ends |= {pin for placed in self.placed for pin in placed.pins}
        pieces = []
        for wire in self.wires:
            on = sorted(p for p in ends if _between(wire, p))
            on = on if wire.a < wire.b else on[::-1]
            pieces += [Wire(a, b, wire.group) for a, b in itertools.pairwise(on)]
        self.wires = pieces

    def note(self, at: Point, text: str, directive: bool = False, size: int = 1) -> Text:
        """Put a text on the sheet and return it."""
        self.texts.append(Text(at, text, directive, size))
        return self.texts[-1]


def _between(wire: Wire, point: Point) -> bool:
    (xs, ys) = sorted((wire.a[0], wire.b[0])), sorted((wire.a[1], wire.b[1]))
    return xs[0] <= point[0] <= xs[1] and ys[0] <= point[1] <= ys[1]

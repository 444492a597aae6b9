"""Symbols: LTspice's own by their pins, and those that are written beside a sheet.

Lengths are LTspice's: 16 to a step of its grid, y downwards. Pins are in SPICE's order, that of the
netlist. The positions are those of the files in LTspice's folder ``lib/sym``, as public copies of
``res.asy``, ``cap.asy``, ``voltage.asy``, ``current.asy``, ``bv.asy``, ``bi.asy``, ``e.asy``,
``g.asy`` and ``nmos.asy`` have them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

from spicealif.schematic.cards import Element

__all__ = ["GRID", "Point", "Symbol", "symbol_of", "turned", "turned_back"]

#: A place on the sheet, or in a symbol.
Point = tuple[int, int]
#: A step of LTspice's grid.
GRID = 16
_Stroke = tuple[Point, Point]


@dataclass(frozen=True)
class Symbol:
    """A symbol.

    Attributes
    ----------
    name : str
        As a sheet calls it: the file's name without its ending.
    pins : tuple of Point
    box : tuple of Point
        Corners of what is drawn, without the leads.
    strokes : tuple of pairs of Point
        The lines of a symbol of ours, and of a MOSFET; of LTspice's others schemdraw has its own.
    marks : tuple of (int, int, str)
        Characters in a symbol of ours, centred at a place.
    ports : tuple of str
        Names of the pins of a symbol of ours.
    text : str
        What a symbol of ours is, in words; empty for LTspice's.
    """

    name: str
    pins: tuple[Point, ...]
    box: tuple[Point, Point]
    strokes: tuple[_Stroke, ...] = ()
    marks: tuple[tuple[int, int, str], ...] = ()
    ports: tuple[str, ...] = ()
    text: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether a file beside the sheet has it."""
        return bool(self.text)


def _path(*points: Point) -> tuple[_Stroke, ...]:
    return tuple(itertools.pairwise(points))


_LTSPICE = {
    "R": Symbol("res", ((16, 16), (16, 96)), ((0, 24), (32, 88))),
    "C": Symbol("cap", ((16, 0), (16, 64)), ((0, 28), (32, 36))),
    "V": Symbol("voltage", ((0, 16), (0, 96)), ((-32, 24), (32, 88))),
    "I": Symbol("current", ((0, 0), (0, 80)), ((-32, 8), (32, 72))),
    "BV": Symbol("bv", ((0, 16), (0, 96)), ((-32, 24), (32, 88))),
    "BI": Symbol("bi", ((0, 0), (0, 80)), ((-32, 8), (32, 72))),
    "E": Symbol("e", ((0, 16), (0, 96), (-48, 32), (-48, 80)), ((-48, 24), (32, 88))),
    "G": Symbol("g", ((0, 96), (0, 16), (-48, 32), (-48, 80)), ((-48, 24), (32, 88))),
    "M": Symbol(
        "nmos",
        ((48, 0), (0, 80), (48, 96)),
        ((8, 8), (48, 88)),
        (
            *_path((48, 0), (48, 16), (16, 16)),
            *_path((16, 8), (16, 24)),
            *_path((16, 40), (16, 56)),
            *_path((16, 72), (16, 88)),
            *_path((8, 16), (8, 80), (0, 80)),
            *_path((16, 80), (48, 80), (48, 96)),
            *_path((48, 80), (48, 48), (16, 48)),
            *_path((28, 42), (16, 48), (28, 54)),
        ),
    ),
}

_TRIANGLE = (
    *_path((16, -64), (112, 0), (16, 64), (16, -64)),
    *_path((0, -32), (16, -32)),
    *_path((0, 32), (16, 32)),
    *_path((112, 0), (128, 0)),
    *_path((48, -64), (48, -43)),
    *_path((48, 64), (48, 43)),
)
_FIVE = ("inp", "inn", "vp", "vn", "out")
_FIVE_PINS: tuple[Point, ...] = ((0, -32), (0, 32), (48, -64), (48, 64), (128, 0))
#: The sign of hysteresis, inside a comparator.
_LOOP = (
    *_path((40, 10), (60, 10), (60, -10), (72, -10)),
    *_path((52, 10), (52, -10), (60, -10)),
)
_MEMRISTOR = (
    *_path((-16, 16), (16, 16), (16, 80), (-16, 80), (-16, 16)),
    # The bar is at the end where a current that enters lowers the resistance, as in Kvatinsky et
    # al., IEEE Trans. Circuits Syst. II 61 (11), 2014.
    *_path((0, 0), (0, 31), (9, 31), (9, 42), (-9, 42), (-9, 53), (9, 53), (9, 64), (0, 64)),
    *_path((0, 64), (0, 96)),
    *_path((-16, 19), (16, 19)),
    *_path((-16, 22), (16, 22)),
    *_path((-48, 48), (-16, 48)),
)
_OURS = {
    "X_leak": Symbol(
        "spicealif_memristor",
        ((0, 0), (0, 96), (-48, 48)),
        ((-16, 16), (16, 80)),
        _MEMRISTOR,
        (),
        ("p", "n", "x"),
        "memristor with its state x as a voltage,",
    ),
    "X_op": Symbol(
        "spicealif_opamp",
        _FIVE_PINS,
        ((16, -64), (112, 64)),
        _TRIANGLE,
        ((32, -32, "+"), (32, 32, "-")),
        _FIVE,
        "op-amp",
    ),
    "X_cmp": Symbol(
        "spicealif_comparator",
        _FIVE_PINS,
        ((16, -64), (112, 64)),
        _TRIANGLE + _LOOP,
        ((32, -32, "+"), (32, 32, "-")),
        _FIVE,
        "comparator",
    ),
}


#: What our symbols' pins are connected to.
_NODES = {
    "X_op": ("ap", "an", "v_pos", "v_neg", "v_d"),
    "X_cmp": ("cp", "ref", "v_cc", "0", "spike"),
}


def symbol_of(element: Element) -> Symbol:
    """Return the symbol that an element is drawn with."""
    if element.kind == "B":
        return _LTSPICE["B" + element.value[0].upper()]
    if element.kind != "X":
        return _LTSPICE[element.kind]
    ours = _OURS.get(element.name)
    # A model of another package may have ports of its own, and a maker's another order of them.
    usual = _NODES.get(element.name, element.nodes) == element.nodes
    usual = usual and element.nodes[:2] != ("v_s", "v_c")
    if ours is not None and len(ours.pins) == len(element.nodes) and usual:
        return ours
    return _block(element.value, element.ports or tuple(map(str, range(1, len(element.nodes) + 1))))


@cache
def _block(subcircuit: str, ports: tuple[str, ...]) -> Symbol:
    """Return a box with pins to the left and right, for a subcircuit that has no symbol here."""
    left = (len(ports) + 1) // 2
    height = 32 * (left + 1)
    pins = tuple(
        (0, 32 * (k + 1)) if k < left else (192, 32 * (k - left + 1)) for k in range(len(ports))
    )
    strokes = _path((16, 0), (176, 0), (176, height), (16, height), (16, 0))
    strokes += tuple(((x, y), (16 if x == 0 else 176, y)) for x, y in pins)
    marks = tuple((44 if x == 0 else 148, y, p) for (x, y), p in zip(pins, ports, strict=True))
    name = f"spicealif_{subcircuit}"
    return Symbol(
        name, pins, ((16, 0), (176, height)), strokes, marks, ports, f"subcircuit {subcircuit}"
    )


def turned(point: Point, turn: str) -> Point:
    """Return where a point gets to when its symbol is turned (``"R0"`` to ``"R270"``)."""
    x, y = point
    return {"R0": (x, y), "R90": (-y, x), "R180": (-x, -y), "R270": (y, -x)}[turn]


def turned_back(point: Point, turn: str) -> Point:
    """Return the point of a symbol that `turned` brings to `point`."""
    return turned(point, {"R90": "R270", "R270": "R90"}.get(turn, turn))

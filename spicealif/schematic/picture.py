"""The sheet as a picture, drawn with schemdraw: the circuit with its values, for print.

It shows the circuit. Supplies are values at the pins that they feed; what only the simulator wants
(step steering, paths to ground) is not drawn.
"""

from __future__ import annotations

import sys
from collections import Counter
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import in_figure_style, new_figure
from spicealif.design import Neuron
from spicealif.netlist import build_netlist
from spicealif.schematic.cards import Cards, read_cards
from spicealif.schematic.layout import lay_out
from spicealif.schematic.sheet import Flag, Placed, Sheet
from spicealif.schematic.symbols import Point
from spicealif.schematic.wording import (
    element_words,
    formula_name,
    note_of,
    part_note,
    value_words,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_schematic"]

#: Units of the sheet to one of schemdraw's, whose resistor is as long as LTspice's body then.
_UNIT = 64.0
#: Millimetres to a unit of the sheet: the paper's neuron gets 180 mm wide.
_SCALE = 0.0879
_FONT, _LINE = 8.0, 0.9  # points
#: Room for a title in mm.
_TITLE = 7.0
#: Height of a line of text in units of the sheet.
_ROW = 34
#: How far an amplifier's name stands to the left of and above where LTspice has it, whose letters
#: are smaller: between the symbol's slope and the feedback's wire.
_NEARER = (18, 12)
#: Nets whose names say nothing to a reader of the picture.
_INNER = frozenset({"ap", "an", "cp", "ref", "g"})
#: Ends of a source that schemdraw takes in the other order: it puts the plus at the second.
_REVERSED = frozenset({"voltage", "bv", "e"})
_ELEMENTS = {
    "res": "ResistorIEEE",
    "cap": "Capacitor",
    "voltage": "SourceV",
    "current": "SourceI",
    "bv": "SourceControlledV",
    "bi": "SourceControlledI",
    "e": "SourceControlledV",
    "g": "SourceControlledI",
}


@in_figure_style
def draw_schematic(neuron: Neuron, *, title: bool | str = False) -> Figure:
    """Draw a neuron's circuit in the layout of the paper's Fig. 4b, with its values.

    Parameters
    ----------
    neuron : Neuron
    title : bool or str
        Whether the figure says above the circuit what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        As large as it is to be printed, texts of 8 points: 180 mm wide for the paper's neuron. A
        notebook shows it.

    Raises
    ------
    NetlistError
        If the netlist cannot be built, or has an element that a schematic does not know.

    Examples
    --------
    >>> path = save_figure(draw_schematic(load_preset("paper")), "paper.svg")
    """
    cards = read_cards(build_netlist(neuron, "ltspice").text)
    figure = _Picture(lay_out(cards), cards, neuron, _TITLE if title else 0.0).figure
    return say_what(figure, f"{plain(neuron.name)}: the circuit with its values", title)


def _schemdraw() -> ModuleType:
    """Import schemdraw, which imports pyplot, without letting that choose a backend."""
    if "schemdraw" not in sys.modules:
        from matplotlib import rcParams

        chosen = dict.__getitem__(rcParams, "backend")
        rcParams["backend"] = "agg"
        try:
            import schemdraw.elements
        finally:
            dict.__setitem__(rcParams, "backend", chosen)
    import schemdraw.elements

    return schemdraw


class _Picture:
    """A picture that is being drawn."""

    def __init__(self, sheet: Sheet, cards: Cards, neuron: Neuron, above: float) -> None:
        self._schemdraw = _schemdraw()
        self._cards = cards
        self._neuron = neuron
        placed = [p for p in sheet.placed if p.group == "circuit"]
        wires = [w for w in sheet.wires if w.group == "circuit"]
        flags = [f for f in sheet.flags if f.group == "circuit"]
        ends = [p for w in wires for p in (w.a, w.b)] + [pin for p in placed for pin in p.pins]
        told = [(note_of(p.element), part_note(p.element, neuron)) for p in placed]
        notes = [note for pair in told for note in pair if note]
        left, right = min(x for x, _ in ends) - 64, max(x for x, _ in ends) + 64
        bottom = max(y for _, y in ends) + 32
        top = min(y for _, y in ends) - 64
        below = bottom + _ROW * (len(notes) + 1) if notes else bottom + 16
        width, height = (_SCALE * length for length in (right - left, below - top))
        self.figure = new_figure(width, height + above, layout="none")
        axes = self.figure.add_axes((0, 0, 1, height / (height + above)))
        # What the user may have set in schemdraw is overruled.
        self._drawing = self._schemdraw.Drawing(
            canvas=axes, show=False, lw=_LINE, fontsize=_FONT, color="black", ls="-", fill=None
        )
        self._drawing.dwgparams.pop("bgcolor", None)
        for wire in wires:
            self._between("Line", wire.a, wire.b)
        for point, count in Counter(ends).items():
            if count > 2:
                self._at("Dot", point, radius=0.05)
        for part in placed:
            self._part(part)
        for flag in flags:
            self._flag(flag)
        for k, note in enumerate(notes):
            self._text((left + 16, bottom + _ROW * (k + 1)), note, ("left", "center"))
        self._drawing.draw(show=False)
        axes.set(xlim=(left / _UNIT, right / _UNIT), ylim=(-below / _UNIT, -top / _UNIT))
        axes.set_aspect("equal")
        axes.axis("off")
        for text in axes.texts:
            text.set_parse_math("$" in text.get_text())

    def _between(self, name: str, a: Point, b: Point) -> None:
        """Draw one of schemdraw's elements from one place to another."""
        element = getattr(self._schemdraw.elements, name)()
        self._drawing.add(element.endpoints(_scaled(a), _scaled(b)))

    def _at(self, name: str, at: Point, **options: Any) -> None:
        """Draw one of schemdraw's elements of one place."""
        element = getattr(self._schemdraw.elements, name)(**options)
        self._drawing.add(element.at(_scaled(at)).theta(0))

    def _text(self, at: Point, text: str, align: tuple[str, str]) -> None:
        element = self._schemdraw.elements.Element()
        x, y = _scaled(at)
        element.segments.append(
            self._schemdraw.SegmentText((0, 0), text, align=align, fontsize=_FONT)
        )
        self._drawing.add(element.at((x, y)).theta(0))

    def _part(self, part: Placed) -> None:
        name = _ELEMENTS.get(part.symbol.name)
        pins = part.pins
        if name is None:
            self._strokes(part)
        else:
            first, second = pins[:2]
            if part.symbol.name in _REVERSED:
                first, second = second, first
            self._between(name, first, second)
        for (x, y), sign in zip(pins[2:], "+\N{MINUS SIGN}", strict=False):
            if part.element.kind in "EG":
                self._between("Line", (x, y), (x + 8, y))
                self._text((x + 12, y), sign, ("left", "center"))
        self._words(part)

    def _strokes(self, part: Placed) -> None:
        """Draw a symbol by the lines that it has on LTspice's sheet."""
        element = self._schemdraw.elements.Element()
        for a, b in part.symbol.strokes:
            ends = [_scaled(part.on_sheet(p)) for p in (a, b)]
            element.segments.append(self._schemdraw.Segment(ends))
        self._drawing.add(element.at((0, 0)).theta(0))
        for x, y, mark in part.symbol.marks:
            text = "\N{MINUS SIGN}" if mark == "-" else mark
            self._text(part.on_sheet((x, y)), text, ("center", "center"))

    def _words(self, part: Placed) -> None:
        """Write name and value where the sheet has them."""
        first, second = element_words(part.element, self._neuron)
        if part.name.side == "above":
            x, y = part.name.at
            self._text((x, y - 4), first, ("center", "bottom"))
            self._text((x, part.value.at[1] + 6), second, ("center", "top"))
            return
        x, y = part.name.at
        lying = len(part.symbol.pins) > 3  # an amplifier, whose words stand above it
        middle = y if lying or second else y + _ROW // 2
        if lying and part.element.kind == "X":
            x, middle = x - _NEARER[0], middle - _NEARER[1]
        self._text((x, middle), first, ("left", "center"))
        if second:
            self._text((x, y + _ROW), second, ("left", "center"))

    def _flag(self, flag: Flag) -> None:
        x, y = flag.at
        if flag.net == "0":
            self._at("Ground", flag.at, lead=False)
            return
        supply = next((e for e in self._cards.elements if e.nodes == (flag.net, "0")), None)
        if supply is not None and flag.net.startswith("v_") and supply.name in _SUPPLIES:
            text = value_words(supply)
            text = text if text.startswith(("0", "\N{MINUS SIGN}")) else f"+{text}"
        elif flag.net in _INNER:
            return
        else:
            text = formula_name(flag.net)
        below = flag.net == "v_neg"
        self._text((x, y + 6 if below else y - 6), text, ("center", "top" if below else "bottom"))


_SUPPLIES = frozenset({"V_pos", "V_neg", "V_comparator"})


def _scaled(point: Point) -> tuple[float, float]:
    return point[0] / _UNIT, -point[1] / _UNIT

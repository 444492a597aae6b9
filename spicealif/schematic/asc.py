"""Sheets and symbols as LTspice's files: schematics (``.asc``) and symbols (``.asy``)."""

from __future__ import annotations

from spicealif._support.kinds import SEAL, sealed
from spicealif.schematic.sheet import Placed, Sheet, Words
from spicealif.schematic.symbols import Symbol, turned_back

__all__ = ["asc_text", "asy_text"]

#: How a text is justified so that it lies to the right of its place, centred above it or below it.
#: A turned symbol turns its texts' justification with it, and LTspice keeps them readable.
_JUSTIFIED = {
    ("right", "R0"): "Left",
    ("right", "R180"): "Right",
    ("above", "R270"): "VTop",
    ("below", "R270"): "VBottom",
}
#: LTspice's numbers of a symbol's two texts.
_NAME, _VALUE = 0, 3
_FRAME = 96


def asc_text(sheet: Sheet) -> str:
    """Return a sheet as LTspice's schematic, in ASCII, signed."""
    left, top = _corner(sheet)
    lines = ["Version 4", "SHEET 1 {} {}".format(*_size(sheet, left, top))]
    for wire in sheet.wires:
        (a, b), (c, d) = wire.a, wire.b
        lines.append(f"WIRE {a - left} {b - top} {c - left} {d - top}")
    for flag in dict.fromkeys((f.at, f.net) for f in sheet.flags):
        (x, y), net = flag
        lines.append(f"FLAG {x - left} {y - top} {net}")
    for placed in sheet.placed:
        x, y = placed.at
        lines.append(f"SYMBOL {placed.symbol.name} {x - left} {y - top} {placed.turn}")
        lines.append(_window(_NAME, placed, placed.name))
        lines.append(_window(_VALUE, placed, placed.value))
        lines.append(f"SYMATTR InstName {placed.element.name}")
        lines.append(f"SYMATTR Value {placed.element.value}")
    for text in sheet.texts:
        mark = "!" if text.directive else ";"
        # A line's end is written as a backslash and an n.
        content = text.text.replace("\n", "\\n")
        x, y = text.at
        lines.append(f"TEXT {x - left} {y - top} Left {text.size} {mark}{content}")
    return sealed("\n".join(lines) + "\n")


def _window(number: int, placed: Placed, words: Words) -> str:
    if words.side == "hidden":
        return f"WINDOW {number} 0 0 Invisible {words.size}"
    away = (words.at[0] - placed.at[0], words.at[1] - placed.at[1])
    x, y = turned_back(away, placed.turn)
    return f"WINDOW {number} {x} {y} {_JUSTIFIED[words.side, placed.turn]} {words.size}"


def _corner(sheet: Sheet) -> tuple[int, int]:
    """Return what is subtracted so that the sheet begins at its frame's width."""
    xs = [x for w in sheet.wires for x in (w.a[0], w.b[0])] + [t.at[0] for t in sheet.texts]
    ys = [y for w in sheet.wires for y in (w.a[1], w.b[1])] + [t.at[1] for t in sheet.texts]
    # whole steps, so that pins stay on the grid
    return min(xs) - _FRAME, (min(ys) - _FRAME) // 16 * 16


def _size(sheet: Sheet, left: int, top: int) -> tuple[int, int]:
    right = max(
        [w.b[0] for w in sheet.wires] + [t.at[0] + t.width for t in sheet.texts], default=left
    )
    bottom = max(
        [w.b[1] for w in sheet.wires] + [t.at[1] + t.height for t in sheet.texts], default=top
    )
    return right - left + _FRAME, bottom - top + _FRAME


def asy_text(symbol: Symbol) -> str:
    """Return a symbol of ours as LTspice's symbol, signed."""
    lines = ["Version 4", "SymbolType CELL"]
    lines += [f"LINE Normal {a} {b} {c} {d}" for (a, b), (c, d) in symbol.strokes]
    lines += [f"TEXT {x} {y} Center 2 {text}" for x, y, text in symbol.marks]
    (_, top), (right, bottom) = symbol.box
    lines += [
        f"WINDOW {_NAME} {right + 8} {(top + bottom) // 2 - 16} Left 2",
        f"WINDOW {_VALUE} {right + 8} {(top + bottom) // 2 + 16} Left 2",
        f"SYMATTR Value {symbol.name}",
        "SYMATTR Prefix X",
        f"SYMATTR Description {symbol.text} of spicealif, {SEAL}",
    ]
    for number, ((x, y), port) in enumerate(zip(symbol.pins, symbol.ports, strict=True), start=1):
        lines += [f"PIN {x} {y} NONE 0", f"PINATTR PinName {port}", f"PINATTR SpiceOrder {number}"]
    return sealed("\n".join(lines) + "\n")

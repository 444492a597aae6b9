"""LTspice's schematics read by themselves: nets from geometry, boxes of texts, a picture.

Nothing here is spicealif's: pins of LTspice's symbols are those of its published symbol files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LTSPICE", "Box", "Sheet", "Symbol", "draw", "nets", "read_sheet", "text_boxes"]

Point = tuple[int, int]
#: left, top, right, bottom
Box = tuple[float, float, float, float]

#: LTspice's own symbols: pins in SPICE's order, the body's box.
LTSPICE: dict[str, tuple[tuple[Point, ...], Box]] = {
    "res": (((16, 16), (16, 96)), (0, 24, 32, 88)),
    "cap": (((16, 0), (16, 64)), (0, 28, 32, 36)),
    "voltage": (((0, 16), (0, 96)), (-32, 24, 32, 88)),
    "current": (((0, 0), (0, 80)), (-32, 8, 32, 72)),
    "bv": (((0, 16), (0, 96)), (-32, 24, 32, 88)),
    "bi": (((0, 0), (0, 80)), (-32, 8, 32, 72)),
    "e": (((0, 16), (0, 96), (-48, 32), (-48, 80)), (-48, 24, 32, 88)),
    "g": (((0, 96), (0, 16), (-48, 32), (-48, 80)), (-48, 24, 32, 88)),
    "nmos": (((48, 0), (0, 80), (48, 96)), (8, 8, 48, 88)),
}
#: Matrices of LTspice's turns; a mirrored symbol is mirrored at its vertical axis first.
TURNS: dict[str, tuple[int, int, int, int]] = {
    "R0": (1, 0, 0, 1),
    "R90": (0, -1, 1, 0),
    "R180": (-1, 0, 0, -1),
    "R270": (0, 1, -1, 0),
}
TURNS |= {f"M{k[1:]}": (-a, b, -c, d) for k, (a, b, c, d) in TURNS.items()}
#: Width of a character and height of a line, by size.
CHARACTER, LINE = {1: 9.0, 2: 13.0}, {1: 22, 2: 28}


def turned(point: Point, turn: str) -> Point:
    a, b, c, d = TURNS[turn]
    x, y = point
    return a * x + b * y, c * x + d * y


@dataclass
class Symbol:
    kind: str
    at: Point
    turn: str
    attributes: dict[str, str] = field(default_factory=dict)
    windows: dict[int, tuple[Point, str, int]] = field(default_factory=dict)
    pins: tuple[Point, ...] = ()
    lines: tuple[tuple[Point, Point], ...] = ()
    box: Box = (0, 0, 0, 0)

    @property
    def name(self) -> str:
        return self.attributes["InstName"]


@dataclass
class Sheet:
    wires: list[tuple[Point, Point]] = field(default_factory=list)
    flags: list[tuple[Point, str]] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    texts: list[tuple[Point, str, int, str]] = field(default_factory=list)


def read_sheet(path: Path) -> Sheet:
    """Read a schematic and, beside it, the symbols that are not LTspice's."""
    sheet = Sheet()
    for line in path.read_text(encoding="ascii").splitlines():
        word, *rest = line.split(" ")
        if word == "WIRE":
            a, b, c, d = map(int, rest)
            sheet.wires.append(((a, b), (c, d)))
        elif word == "FLAG":
            sheet.flags.append(((int(rest[0]), int(rest[1])), rest[2]))
        elif word == "SYMBOL":
            sheet.symbols.append(Symbol(rest[0], (int(rest[1]), int(rest[2])), rest[3]))
        elif word == "WINDOW":
            number, x, y, side, size = rest
            sheet.symbols[-1].windows[int(number)] = ((int(x), int(y)), side, int(size))
        elif word == "SYMATTR":
            sheet.symbols[-1].attributes[rest[0]] = " ".join(rest[1:])
        elif word == "TEXT":
            x, y, side, size = rest[:4]
            assert side == "Left"
            text = " ".join(rest[4:])
            sheet.texts.append(((int(x), int(y)), text[1:], int(size), text[0]))
        else:
            assert word in ("Version", "SHEET"), line
    for symbol in sheet.symbols:
        own = path.parent / f"{symbol.kind}.asy"
        pins, box, lines = _own(own) if own.exists() else (*LTSPICE[symbol.kind], ())
        symbol.pins = tuple(_on_sheet(symbol, p) for p in pins)
        symbol.lines = tuple((_on_sheet(symbol, p), _on_sheet(symbol, q)) for p, q in lines)
        x0, y0 = _on_sheet(symbol, (int(box[0]), int(box[1])))
        x1, y1 = _on_sheet(symbol, (int(box[2]), int(box[3])))
        symbol.box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return sheet


def _on_sheet(symbol: Symbol, point: Point) -> Point:
    x, y = turned(point, symbol.turn)
    return symbol.at[0] + x, symbol.at[1] + y


def _own(path: Path) -> tuple[tuple[Point, ...], Box, tuple[tuple[Point, Point], ...]]:
    """Return pins in SPICE's order, box and lines of a symbol file."""
    pins: dict[int, Point] = {}
    lines = []
    at = (0, 0)
    for line in path.read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[0] == "PIN":
            at = (int(words[1]), int(words[2]))
        elif words[:2] == ["PINATTR", "SpiceOrder"]:
            pins[int(words[2])] = at
        elif words[:2] == ["LINE", "Normal"]:
            a, b, c, d = map(int, words[2:])
            lines.append(((a, b), (c, d)))
    ordered = tuple(pins[k] for k in range(1, len(pins) + 1))
    inner = [p for line in lines for p in line if p not in ordered]
    xs, ys = [p[0] for p in inner], [p[1] for p in inner]
    return ordered, (min(xs), min(ys), max(xs), max(ys)), tuple(lines)


def _on(wire: tuple[Point, Point], point: Point) -> bool:
    (a, b), (c, d) = wire
    x, y = point
    return min(a, c) <= x <= max(a, c) and min(b, d) <= y <= max(b, d)


def nets(sheet: Sheet) -> dict[str, tuple[str, ...]]:
    """Return what each symbol's pins are connected to, by the symbol's name.

    A wire's end connects where it touches another wire, a pin or a flag; wires that cross do not.
    Flags of one name connect. A net without a flag is called by a place on it.
    """
    parent: dict[Any, Any] = {}

    def find(key: Any) -> Any:
        while (up := parent.setdefault(key, key)) != key:
            key = up
        return key

    points = {p for wire in sheet.wires for p in wire} | {at for at, _ in sheet.flags}
    points |= {pin for symbol in sheet.symbols for pin in symbol.pins}
    for wire in sheet.wires:
        assert wire[0] != wire[1]
        assert wire[0][0] == wire[1][0] or wire[0][1] == wire[1][1], "wires are upright or level"
        for point in points:
            if _on(wire, point):
                parent[find(point)] = find(wire[0])
    for at, name in sheet.flags:
        parent[find(at)] = find(name)
    names = {}
    for _, name in sheet.flags:
        assert names.setdefault(find(name), name) == name, "two names on one net"
    return {
        s.name: tuple(names.get(find(pin), f"unnamed at {pin}") for pin in s.pins)
        for s in sheet.symbols
    }


def text_boxes(sheet: Sheet, *, beyond: bool = False) -> dict[str, Box]:
    """Return an estimate of where each visible text is, by a description of it.

    A net's name at the end of a wire is above it (below, if the wire comes from above), or
    `beyond` the end in the wire's direction, upright on an upright wire: public programs that draw
    LTspice's sheets differ in this.
    """
    boxes: dict[str, Box] = {}
    for symbol in sheet.symbols:
        for number, key in ((0, "InstName"), (3, "Value")):
            at, side, size = symbol.windows[number]
            if side == "Invisible":
                continue
            text = symbol.attributes[key]
            x, y = _on_sheet(symbol, at)
            boxes[f"{symbol.name} {key}"] = _box(text, x, y, _side(side, symbol.turn), size)
    for k, ((x, y), name) in enumerate(sheet.flags):
        if name == "0":
            boxes[f"ground {k}"] = (x - 16, y + 1, x + 16, y + 22)
            continue
        below = any((x, y) in w and min(w[0][1], w[1][1]) < y for w in sheet.wires)
        level = any(_on(w, (x, y)) and w[0][1] == w[1][1] for w in sheet.wires)
        side = "below" if below and not level else "above"
        ends = [q if p == (x, y) else p for p, q in sheet.wires if (x, y) in (p, q)]
        if beyond and len(ends) == 1:
            boxes[f"flag {name} {k}"] = _beyond(name, (x, y), ends[0])
        else:
            boxes[f"flag {name} {k}"] = _box(name, x, y, side, 2)
    for (x, y), text, size, _ in sheet.texts:
        rows = text.split("\\n")
        width = CHARACTER[size] * max(map(len, rows))
        top = y - LINE[size] / 2
        boxes[f"text {text[:30]}"] = (x, top, x + width, top + LINE[size] * len(rows))
    return boxes


def _side(justified: str, turn: str) -> str:
    """Return where a text lies as seen from its place; turning a symbol turns this too."""
    table = {
        ("Left", "R0"): "right",
        ("Right", "R180"): "right",
        ("VTop", "R270"): "above",
        ("VBottom", "R270"): "below",
    }
    return table[justified, turn]


def _box(text: str, x: float, y: float, side: str, size: int) -> Box:
    width, height = CHARACTER[size] * len(text), LINE[size]
    if side == "right":
        return x, y - height / 2, x + width, y + height / 2
    top = y - height - 2 if side == "above" else y + 2
    return x - width / 2, top, x + width / 2, top + height


def _beyond(text: str, end: Point, other: Point) -> Box:
    length, half = CHARACTER[2] * len(text), LINE[2] / 2
    (x, y), (u, v) = end, other
    if y == v:
        return (x, y - half, x + length, y + half) if x > u else (x - length, y - half, x, y + half)
    return (x - half, y, x + half, y + length) if y > v else (x - half, y - length, x + half, y)


def draw(sheet: Sheet, path: Path, *, boxes: bool = False) -> None:
    """Draw the sheet as a picture: wires, symbols' lines or boxes, pins, texts."""
    from matplotlib.figure import Figure

    places = text_boxes(sheet)
    right = max(b[2] for b in places.values()) + 50
    bottom = max(b[3] for b in places.values()) + 50
    figure = Figure(figsize=(right / 130, bottom / 130), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, right), ylim=(bottom, 0))
    axes.axis("off")
    for (a, b), (c, d) in sheet.wires:
        axes.plot([a, c], [b, d], "-", color="navy", lw=1)
    ends = [p for w in sheet.wires for p in w] + [p for s in sheet.symbols for p in s.pins]
    for point in set(ends):
        if ends.count(point) > 2:
            axes.plot(*point, "s", color="navy", ms=3)
    for symbol in sheet.symbols:
        _draw_symbol(axes, symbol)
    for (x, y), name in sheet.flags:
        if name == "0":
            axes.fill([x - 16, x + 16, x], [y, y, y + 20], fill=False, ec="green", lw=0.8)
    shown = {f"{s.name} {key}": s.attributes[key] for s in sheet.symbols for key in s.attributes}
    shown |= {f"flag {name} {k}": name for k, (_, name) in enumerate(sheet.flags)}
    shown |= {f"text {t[:30]}": t.replace("\\n", "\n") for _, t, _, _ in sheet.texts}
    for key, (x0, y0, x1, y1) in places.items():
        if boxes:
            axes.fill([x0, x1, x1, x0], [y0, y0, y1, y1], fill=False, ec="0.8", lw=0.5)
        if key in shown:
            rows = shown[key].count("\n") + 1
            height = (y1 - y0) / rows
            size = height * 0.65 * 72 / 130
            axes.text(
                x0, y0, shown[key], fontsize=size, va="top", linespacing=1.25, parse_math=False
            )
    figure.savefig(path)


def _draw_symbol(axes: Any, symbol: Symbol) -> None:
    x0, y0, x1, y1 = symbol.box
    if symbol.lines:
        for (a, b), (c, d) in symbol.lines:
            axes.plot([a, c], [b, d], "-", color="firebrick", lw=0.8)
    else:
        axes.fill([x0, x1, x1, x0], [y0, y0, y1, y1], fill=False, ec="firebrick", lw=0.8)
        axes.text((x0 + x1) / 2, (y0 + y1) / 2, symbol.kind, fontsize=4, ha="center")
        for x, y in symbol.pins:
            cx, cy = min(max(x, x0), x1), min(max(y, y0), y1)
            axes.plot([x, cx], [y, cy], "-", color="firebrick", lw=0.8)
    for x, y in symbol.pins:
        axes.plot(x, y, "o", color="firebrick", ms=2)

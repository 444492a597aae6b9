"""The lower part of the sheet: supplies, step steering, long values, directives."""

from __future__ import annotations

from dataclasses import replace

from spicealif._support.kinds import SEAL
from spicealif.schematic.cards import Cards, Element
from spicealif.schematic.parts import Parts
from spicealif.schematic.sheet import CHARACTER, LINE, Group, Sheet, Words

__all__ = ["corner", "margin"]

#: Longest value that stands beside its symbol, and longest that stands on the sheet at all.
_BESIDE, _SHOWN = 24, 240
#: Distance between elements of the lower row, which leaves room for a value.
_STEP = 256


def corner(sheet: Sheet, parts: Parts, y: int) -> int:
    """Place what belongs to no part of the circuit, in a row; return where there is room below.

    Parameters
    ----------
    sheet : Sheet
    parts : Parts
    y : int
        Height of the row's upper end.
    """
    x = 0
    for name in ("V_pos", "V_neg", "V_comparator"):
        if supply := parts.take(name):
            _upright(sheet, supply, x, y, "supplies")
            x += _STEP
    for state in ("st", "sv"):
        together = parts.take_together(
            **{f"B_{state}": ("0", state), f"C_{state}": (state, "0"), f"R_{state}": (state, "0")}
        )
        if together is None:
            continue
        first = x
        for element in together.values():
            _upright(sheet, element, x, y, "numerics", rail=True)
            x += 160 if element.kind == "B" else _STEP - 96
        sheet.wire((first, y + 32), (first + 160, y + 32), group="numerics")
        sheet.wire((first + 160, y + 32), (first + 320, y + 32), group="numerics")
        sheet.flag((first + 80, y + 32), state, "numerics")
        x += 48
    for name in ("R_sw", "R_t"):  # paths to ground that LTspice wants
        path = parts.take(name)
        if path is not None and path.nodes[1] == "0":
            _upright(sheet, path, x, y, "numerics")
            x += 160
    for element in parts.take_all(""):
        x = _by_names(sheet, element, x, y)
    return max([y, *(flag.at[1] + 48 for flag in sheet.flags)])


def _upright(
    sheet: Sheet, element: Element, x: int, y: int, group: Group, rail: bool = False
) -> None:
    """Place an element of two nodes between a net above it and ground."""
    flipped = element.nodes[0] == "0"
    if flipped:
        low, high = sheet.place(element, (x, y + 144), "R180", group)
    else:
        high, low = sheet.place(element, (x, y + 64), "R0", group)
    sheet.wire((x, y + 32), high, group=group)
    if not rail:
        sheet.flag((x, y + 32), element.nodes[int(flipped)], group)
    sheet.ground(low, y + 160, group)


def _by_names(sheet: Sheet, element: Element, x: int, y: int) -> int:
    """Place an element with the names of its nets at its pins; return where the next may stand."""
    x += 112  # room for the names to the left
    pins = sheet.place(element, (x, y + 64), group="circuit")
    placed = sheet.placed[-1]
    (left, top), (right, bottom) = placed.symbol.box
    ox, oy = placed.at
    for pin, net in zip(pins, element.nodes, strict=True):
        on_side = oy + top <= pin[1] <= oy + bottom
        if on_side:
            end = (pin[0] - 48 if pin[0] <= ox + left else pin[0] + 48, pin[1])
        else:
            end = (pin[0], pin[1] - 16 if pin[1] < oy + top else pin[1] + 16)
        sheet.wire(pin, end)
        sheet.flag(end, net)
    if len(pins) > 4:
        above = oy + top - 16
        sheet.placed[-1] = replace(
            placed,
            name=Words((ox + left, above), size=1),
            value=Words((ox + left, oy + bottom + 16), size=1),
        )
    return ox + right + _STEP


def margin(sheet: Sheet, cards: Cards, y: int) -> None:
    """Put long values, and below them the directives, on the sheet; the heading above it."""
    y = _values(sheet, y + 32)
    _directives(sheet, cards, y + 48)
    heading = [
        *cards.heading,
        f"This sheet was written by spicealif, {SEAL}; one that is edited is not replaced unasked.",
    ]
    sheet.note((0, -112 - LINE[1] * len(heading)), "\n".join(heading))


def _values(sheet: Sheet, y: int) -> int:
    """Give each value that is too long for its symbol's side a line of its own."""
    for k, placed in enumerate(sheet.placed):
        length = len(placed.element.value)
        if length <= _BESIDE:
            continue
        sheet.note((0, y), f"{placed.element.name}:")
        words = Words((80, y), size=1)
        if length > _SHOWN:
            words = replace(words, side="hidden")
            sheet.note(words.at, f"a value of {length} characters; it is in the symbol")
        sheet.placed[k] = replace(placed, value=words)
        y += LINE[1]
    return y


def _directives(sheet: Sheet, cards: Cards, y: int) -> None:
    """Put directives and models into one column and subcircuits into the next two."""
    subcircuits = [b for b in cards.blocks if b.lower().startswith(".subckt")]
    others = [b for b in cards.blocks if b not in subcircuits]
    x = 0
    for column in ([*cards.directives, *others], subcircuits[:-1], subcircuits[-1:]):
        below, width = y, 0
        for text in column:
            note = sheet.note((x, below), text, directive=True)
            below += note.height + (LINE[1] if "\n" in text else LINE[1] // 3)
            width = max(width, note.width)
        x += width + (round(8 * CHARACTER[1]) if column else 0)

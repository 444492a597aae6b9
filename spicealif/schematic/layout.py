"""Where everything stands on the sheet: the circuit in the layout of the paper's Fig. 4b.

From left to right: stimulus, capacitor, discharge MOSFET, leak device over series resistor and
resting voltage, difference amplifier, Schmitt trigger; a wire along the bottom brings its output
back to the gate. Below stand long values, supplies, what only the simulator wants, and the
directives. All nets have their netlist's names, since expressions and directives use these.

An element that is not known by its name, of a package's own model for one, stands with the
supplies, each pin connected by its net's name.
"""

from __future__ import annotations

from spicealif.schematic.amplifiers import difference_amplifier, schmitt_trigger
from spicealif.schematic.cards import Cards
from spicealif.schematic.margin import corner, margin
from spicealif.schematic.parts import Parts
from spicealif.schematic.sheet import Sheet

__all__ = ["lay_out"]

#: Height of the upper row's grounds, of the node between leak and R_s, and of the wire along the
#: bottom; the capacitor's rail is at 0.
_GROUND, _SENSE, _BOTTOM = 208, 208, 512


def lay_out(cards: Cards) -> Sheet:
    """Return the sheet of a neuron's netlist.

    Parameters
    ----------
    cards : Cards
        What the netlist has.
    """
    sheet = Sheet()
    parts = Parts(cards.elements)
    gate, x_leak = _membrane(sheet, parts)
    x_sense = _leak_branch(sheet, parts, x_leak)
    x_v_d = difference_amplifier(sheet, parts, x_sense, _SENSE)
    x_spike = schmitt_trigger(sheet, parts, x_v_d)
    if gate is not None and x_spike is not None:
        sheet.wire((x_spike, 160), (x_spike, _BOTTOM), (gate, _BOTTOM), (gate, 192))
    margin(sheet, cards, corner(sheet, parts, _BOTTOM + 64))
    sheet.split()
    return sheet


def _membrane(sheet: Sheet, parts: Parts) -> tuple[int | None, int]:
    """Place stimulus, capacitor and discharge MOSFET; return where gate and leak are."""
    x = 0
    reached = []
    for source in parts.take_all("I_in"):
        _, end = sheet.place(source, (x, 192), "R180")
        sheet.wire((x, 0), end)
        sheet.ground((x, 192), _GROUND)
        reached.append(x)
        x += 192
    if capacitor := parts.take("C_m"):
        top, end = sheet.place(capacitor, (x, 112))
        sheet.wire((x, 0), top)
        sheet.ground(end, _GROUND)
        reached.append(x)
    gate = None
    if mosfet := parts.take("M_sw", nodes=("v_c", "spike", "0")):
        x += 208
        drain, gate_pin, source_pin = sheet.place(mosfet, (x, 112))
        sheet.wire((x, 0), drain)
        sheet.ground(source_pin)
        gate = gate_pin[0] - 32
        sheet.wire(gate_pin, (gate, gate_pin[1]))
        reached.append(x)
    elif switch := parts.take("B_sw", nodes=("v_c", "0")):
        x += 176
        top, end = sheet.place(switch, (x, 112))
        sheet.wire((x, 0), top)
        sheet.ground(end, _GROUND)
        reached.append(x)
    x += 240
    if reached:
        sheet.wire((reached[0], 0), (x, 0))
    return gate, x


def _leak_branch(sheet: Sheet, parts: Parts, x: int) -> int:
    """Place leak, series resistor and resting voltage; return where the difference is taken."""
    right = x + 272
    sheet.wire((x, 0), (right, 0))
    sheet.flag((x + 128, 0), "v_c")
    sheet.flag((x + 128, _SENSE), "v_s")
    leak = parts.take_leak()
    if leak is not None:
        tall = leak.kind == "X"
        top, end, *rest = sheet.place(leak, (x, 64 if tall else 80))
        sheet.wire((x, 0), top)
        sheet.wire(end, (x, _SENSE))
        if rest:  # the state
            sheet.wire(rest[0], (rest[0][0] - 32, rest[0][1]))
            sheet.flag((rest[0][0] - 32, rest[0][1]), leak.nodes[2])
    sheet.wire((x, _SENSE), (right, _SENSE))
    series = parts.take("R_s", "V_s", nodes=("v_s", "v_r"))
    if series is not None:
        top, end = sheet.place(series, (x, _SENSE + 16))
        sheet.wire((x, _SENSE), top)
        sheet.wire(end, (x, 352))
        sheet.wire((x, 336), (x - 48, 336))
        sheet.flag((x - 48, 336), "v_r")
    if rest_voltage := parts.take("V_rest", nodes=("v_r", "0")):
        _, end = sheet.place(rest_voltage, (x, 352))
        sheet.ground(end, 448)
    return right

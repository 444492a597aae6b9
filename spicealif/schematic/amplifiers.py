"""Places of the difference amplifier and the Schmitt trigger, in each of their variants."""

from __future__ import annotations

from spicealif.schematic.parts import Parts
from spicealif.schematic.sheet import Sheet
from spicealif.schematic.symbols import Point

__all__ = ["difference_amplifier", "schmitt_trigger"]

#: Height of v_d, the difference amplifier's output.
_V_D = 128


def difference_amplifier(sheet: Sheet, parts: Parts, x: int, y_sense: int) -> int:
    """Place the difference amplifier; return where its output is, at a height of 128.

    Parameters
    ----------
    sheet : Sheet
    parts : Parts
    x : int
        Where v_c ends, at a height of 0, and v_s, at `y_sense`.
    y_sense : int
    """
    if ideal := parts.take("E_d", nodes=("v_d", "0", "v_c", "v_s")):
        leak, x = x, x + 48  # clear of the leak's words
        out, low, plus, minus = sheet.place(ideal, (x + 64, 64))
        sheet.wire((leak, 0), (x, 0), (x, plus[1]), plus)
        sheet.wire((leak, y_sense), (x, y_sense), (x, minus[1]), minus)
        sheet.ground(low, low[1] + 32)
        _to_output(sheet, out, 32, x + 224)
        return x + 224
    resistors = parts.take_together(
        R_d1=("v_c", "ap"), R_d2=("ap", "0"), R_d3=("v_s", "an"), R_d4=("an", "v_d")
    )
    if resistors is None:
        return x
    x_in = x + 288
    for name, y, turn_at in (("R_d1", 0, 96), ("R_d3", y_sense, 160)):
        start, end = sheet.place(resistors[name], (x + 16, y), "R270")
        sheet.wire((x, y), start)
        sheet.wire(end, (x_in - 32, y), (x_in - 32, turn_at), (x_in, turn_at))
        sheet.flag((x_in - 96, y), resistors[name].nodes[1])
    top, end = sheet.place(resistors["R_d2"], (x + 128, 32))
    sheet.wire((x + 128, 0), top)
    sheet.ground(end, 128)
    x_out = _op_amp(sheet, parts, x_in)
    start, end = sheet.place(resistors["R_d4"], (x_in, 320), "R270")
    sheet.wire((x_in - 32, y_sense), (x_in - 32, 320), start)
    sheet.wire(end, (x_out, 320), (x_out, _V_D))
    return x_out


def _op_amp(sheet: Sheet, parts: Parts, x: int) -> int:
    """Place the op-amp with its inputs ap at 96 and an at 160; return where its output is."""
    nodes = ("ap", "an", "v_pos", "v_neg", "v_d")
    if amplifier := parts.take("X_op", nodes=nodes):
        _, _, high, low, out = sheet.place(amplifier, (x, 96))
        for (a, b), step, net in ((high, -16, "v_pos"), (low, 16, "v_neg")):
            sheet.wire((a, b), (a, b + step))
            sheet.flag((a, b + step), net)
        sheet.wire(out, (x + 160, _V_D))
        return x + 160
    ideal = parts.take_together(
        G_op=("0", "g", "ap", "an"), C_g=("g", "0"), R_g=("g", "0"), E_op=("v_d", "0", "g", "0")
    )
    if ideal is None:
        sheet.flag((x, 96), "ap")
        sheet.flag((x, 160), "an")
        return x + 160
    low, high, plus, minus = sheet.place(ideal["G_op"], (x + 48, 160))
    sheet.wire((x, 96), plus)
    sheet.wire((x, 160), (x, minus[1]), minus)
    sheet.ground(low, 176)
    rail = 48
    x_g = x + 48
    sheet.wire(high, (x_g, rail))
    for name, right in (("C_g", x + 272), ("R_g", x + 400)):
        top, end = sheet.place(ideal[name], (right, 80))
        sheet.wire((x_g, rail), (right, rail), top)
        sheet.ground(end, 176)
        x_g = right
    sheet.flag((x + 160, rail), "g")
    out, low, plus, minus = sheet.place(ideal["E_op"], (x + 720, 80))
    sheet.wire((x_g, rail), (plus[0] - 32, rail), (plus[0] - 32, plus[1]), plus)
    sheet.wire(minus, (minus[0] - 32, minus[1]))
    sheet.ground((minus[0] - 32, minus[1]), 176)
    sheet.ground(low, 176)
    _to_output(sheet, out, rail, x + 880)
    return x + 880


def _to_output(sheet: Sheet, pin: Point, y: int, x: int) -> None:
    """Lead from the upper end of a source, over its name, to v_d."""
    sheet.wire(pin, (pin[0], y), (x, y), (x, _V_D))


def schmitt_trigger(sheet: Sheet, parts: Parts, x: int) -> int | None:
    """Place the Schmitt trigger; return where its output is, at a height of 160.

    Parameters
    ----------
    sheet : Sheet
    parts : Parts
    x : int
        Where v_d is.
    """
    sheet.wire((x, _V_D), (x + 64, _V_D))
    sheet.flag((x + 48, _V_D), "v_d")
    x += 64
    real = parts.take_together(
        R_a=("v_d", "cp"),
        R_b=("cp", "spike"),
        V_ref=("ref", "0"),
        X_cmp=("cp", "ref", "v_cc", "0", "spike"),
    )
    if real is None:
        return _ideal_trigger(sheet, parts, x)
    sheet.wire((x, _V_D), (x + 16, _V_D))
    _, end = sheet.place(real["R_a"], (x + 16, _V_D), "R270")
    x_plus, x_in = x + 144, x + 224
    sheet.wire(end, (x_plus, _V_D), (x_in, _V_D))
    sheet.flag((x_plus + 48, _V_D), "cp")
    _, _, high, low, out = sheet.place(real["X_cmp"], (x_in, _V_D))
    sheet.wire(high, (high[0], high[1] - 16))
    sheet.flag((high[0], high[1] - 16), "v_cc")
    sheet.ground(low, low[1] + 16)
    start, end = sheet.place(real["R_b"], (x_in + 16, -32), "R270")
    x_spike = x_in + 192
    sheet.wire((x_plus, _V_D), (x_plus, -32), start)
    sheet.wire(end, (x_spike, -32), (x_spike, 160))
    sheet.wire(out, (x_spike, 160), (x_spike + 80, 160))
    sheet.flag((x_spike + 80, 160), "spike")
    top, end = sheet.place(real["V_ref"], (x_in - 64, 272))
    sheet.wire((x_in, 192), (x_in - 64, 192), top)
    sheet.flag((x_in - 32, 192), "ref")
    sheet.ground(end, 368)
    return x_spike


def _ideal_trigger(sheet: Sheet, parts: Parts, x: int) -> int | None:
    """Place the ideal Schmitt trigger: its input's voltage u, and the source that drives spike."""
    ideal = parts.take_together(B_u=("u", "0"), B_t=("0", "spike"), C_t=("spike", "0"))
    if ideal is None:
        return None
    x += 96
    top, end = sheet.place(ideal["B_u"], (x, 112))
    sheet.wire((x, 80), top)
    sheet.flag((x, 80), "u")
    sheet.ground(end, 208)
    x += 160
    rail = 80
    low, high = sheet.place(ideal["B_t"], (x, 192), "R180")
    sheet.wire((x, rail), high)
    sheet.ground(low, 208)
    top, end = sheet.place(ideal["C_t"], (x + 144, 112))
    sheet.wire((x, rail), (x + 144, rail), top)
    sheet.ground(end, 208)
    x += 368
    sheet.wire((x - 224, rail), (x, rail), (x, 160), (x + 80, 160))
    sheet.flag((x + 80, 160), "spike")
    return x

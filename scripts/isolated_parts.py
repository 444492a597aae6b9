"""Measure each of the parts that come with spicealif by itself, in ngspice, against its data sheet.

    python scripts/isolated_parts.py [-o docs/any_part.md] [--only NAME]

Every figure is from a small deck around the part's own lines of a netlist. "Data sheet" is the
figure that the preset's file gives, with its source there; what the data sheet does not state has
none. The exit code is 1 if a model misses its figure by more than `WITHIN` says.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from parts_table import run

from spicealif import Neuron, build_netlist, load_preset
from spicealif.design.parts.store import load_part, part_names

#: How far a model may be from its figure: op-amps and comparators are built from it; MOSFETs were
#: fitted to several figures at a time.
WITHIN = {"opamp": 0.03, "comparator": 0.03, "mosfet": 0.05}
#: In V, of an op-amp's output range: how soft the model's limit is.
RANGE = 0.02
CELSIUS = (-20.0, 25.0, 100.0)
OVERDRIVES = (5, 20, 100)
#: For a comparator whose inputs do not reach the paper's reference.
HIGHER = {"difference_amplifier.gain": 5}
NUMBER = r"(\d+(?:\.\d+)?)"


@dataclass(frozen=True)
class Figure:
    """A figure of a part by itself, and the data sheet's if it has one."""

    kind: str
    part: str
    what: str
    model: float
    sheet: float | None
    unit: str

    @property
    def good(self) -> bool:
        """Whether the model is as near as `WITHIN` says."""
        if self.sheet is None:
            return True
        near = (self.kind, self.unit) == ("opamp", "V") and abs(self.model - self.sheet) <= RANGE
        return near or abs(self.off) <= WITHIN[self.kind]

    @property
    def off(self) -> float:
        """By how much the model is off, as a part of the data sheet's figure if that is not 0."""
        return (self.model - (self.sheet or 0.0)) / (self.sheet or 1.0)

    def row(self) -> str:
        """Return the row of the table."""
        sheet = "" if self.sheet is None else f"{self.sheet:.3g} {self.unit}"
        return f"| {self.part} | {self.what} | {self.model:.3g} {self.unit} | {sheet} |"


def neuron_with(where: str, name: str, more: dict[str, object] | None = None) -> Neuron:
    """Return the paper's neuron with a part, in which it is as the presets' file has it."""
    return load_preset("paper").replace({f"{where}.preset": name, **(more or {})})


def cut(text: str, start: str, end: str) -> str:
    """Return the part of a netlist from a line's beginning to what ends it."""
    begin = text.index(f"\n{start}") + 1
    return text[begin : text.index(end, begin)]


def opamp(name: str) -> Iterator[Figure]:
    """Give the figures of an op-amp: bandwidth, slew rate, output range, bias current."""
    title, values = load_part("opamp", name).title, load_part("opamp", name).values
    stands = float(values.get("supply_max", 36.0))
    supply = min(stands, 10.0) / 2
    more = {"supplies.v_pos": supply, "supplies.v_neg": -supply}
    neuron = neuron_with("difference_amplifier.opamp", name, more)
    part = neuron.difference_amplifier.opamp
    lines = cut(build_netlist(neuron).text, ".subckt " + part.name, ".ends") + ".ends\n"
    deck = f"{lines}V_p vp 0 {supply}\nV_n vn 0 {-supply}\n"
    ac = run(
        f"{deck}V_in in 0 DC 0 AC 1\nX in 0 vp vn out {part.name}",
        "ac dec 200 0.01 1g\nlet a = abs(v(out))\nmeas ac low find a at=0.01\n"
        "meas ac high when a=10",
    )
    ramp = 0.4 / part.slew_rate
    slew = run(
        f"{deck}V_in in 0 PULSE(-2 2 {ramp} 1n 1n {40 * ramp} {80 * ramp})\n"
        f"X in out vp vn out {part.name}\n.options reltol=1e-6",
        f"tran {ramp / 100} {20 * ramp} 0 {ramp / 100}\n"
        "meas tran t_a when v(out)=-0.2 cross=1\nmeas tran t_b when v(out)=0.2 cross=1",
    )
    swing = run(
        f"{deck}V_in in 0 {supply}\nX in out vp vn out {part.name}\nR_l out 0 1g",
        "op\nlet top = v(out)\nlet i_in = i(v_in)\nprint top\nprint i_in",
    )
    rate = 0.4 / (slew["t_b"][0] - slew["t_a"][0])
    room = supply - swing["top"][0]
    yield Figure("opamp", title, "gain", ac["low"][0] / 1e3, part.open_loop_gain / 1e3, "V/mV")
    product = part.gain_bandwidth / 1e6
    # Where the gain is ten: one pole, so that the product of gain and frequency is the bandwidth.
    yield Figure("opamp", title, "gain-bandwidth", 10 * ac["high"][0] / 1e6, product, "MHz")
    yield Figure("opamp", title, "slew rate", rate / 1e6, part.slew_rate / 1e6, "V/us")
    yield Figure("opamp", title, "output below its rail", room, part.headroom, "V")
    bias = -swing["i_in"][0] * 1e9
    yield Figure("opamp", title, "input bias current", bias, part.i_bias * 1e9, "nA")


def comparator(name: str) -> Iterator[Figure]:
    """Give a comparator's delays at three overdrives, levels and bias current."""
    title = load_part("comparator", name).title
    neuron = neuron_with("comparator", name, HIGHER if name == "lt1016" else None)
    part, supply = neuron.comparator, neuron.supplies.v_comparator
    text = build_netlist(neuron).text
    lines = cut(text, ".subckt " + part.name, ".ends") + ".ends\n"
    pulled = part.output == "open-collector"
    rest = f"{lines}V_cc vcc 0 {supply}\nV_r ref 0 1.5\nX in ref vcc 0 out {part.name}\n"
    levels = run(
        f"{rest}V_in in 0 1.6",
        "op\nlet high = v(out)\nprint high\nalter v_in = 1.4\nop\nlet low = v(out)\nprint low\n"
        "alter v_in = 1.5\nop\nlet bias = i(v_in)\nprint bias",
    )
    yield Figure("comparator", title, "high level, no load", levels["high"][0], part.v_oh, "V")
    # An open collector's low level has the pull-up's current in it.
    low = None if pulled else part.v_ol * 1e3
    yield Figure("comparator", title, "low level", levels["low"][0] * 1e3, low, "mV")
    middle = (levels["high"][0] + levels["low"][0]) / 2
    t = part.t_delay
    for overdrive in OVERDRIVES:
        step = f"PULSE({-0.1} {overdrive}m {10 * t} {t / 1000} {t / 1000} {20 * t} {100 * t})"
        seen = run(
            f"{rest}V_s in ref {step}\n.options reltol=1e-6",
            f"tran {t / 100} {30 * t} 0 {t / 100}\nmeas tran t_x when v(in)=1.5 rise=1\n"
            f"meas tran t_up when v(out)={middle} rise=1",
        )
        delay = (seen["t_up"][0] - seen["t_x"][0]) * 1e9
        sheet = t * 1e9 if overdrive == stated_overdrive(name) else None
        yield Figure("comparator", title, f"delay, {overdrive} mV overdrive", delay, sheet, "ns")
    bias = levels["bias"][0] * 1e9
    yield Figure("comparator", title, "input bias current", bias, part.i_bias * 1e9, "nA")


def stated_overdrive(name: str) -> int:
    """Return at which overdrive in mV the preset's delay is stated; the least if it is not."""
    text = str(load_part("comparator", name).sources.get("t_delay", ""))
    found = re.search(rf"{NUMBER} mV overdrive", text)
    return int(float(found[1])) if found else OVERDRIVES[0]


def mosfet(name: str) -> Iterator[Figure]:
    """Give a MOSFET's threshold at three temperatures and its on-resistances."""
    part = load_part("mosfet", name)
    told = figures_of(name)
    threshold = re.search(rf"{NUMBER} V typical at {NUMBER} (mA|uA)", told["v_gs_th"])
    middle = re.search(rf"{NUMBER} to {NUMBER} V at {NUMBER} (mA|uA)", told["v_gs_th"])
    if threshold:
        volt, current = float(threshold[1]), float(threshold[2])
        unit = threshold[3]
    elif middle:
        volt, current = (float(middle[1]) + float(middle[2])) / 2, float(middle[3])
        unit = middle[4]
    else:
        sys.exit(f"{name}: no threshold in {told['v_gs_th']!r}")
    drain = current * (1e-3 if unit == "mA" else 1e-6)
    slope = float(part.values.get("tc_v_to", -0.004))
    for celsius in CELSIUS:
        card = card_of(name, celsius)
        seen = run(
            f"{card}\nI_t 0 t {drain}\nM_t t t 0 part\n.options temp={celsius} tnom={celsius}",
            "op\nlet vth = v(t)\nprint vth",
        )
        # The slope is the data sheet's, or that of a like part: see the file.
        sheet = volt + slope * (celsius - 25.0)
        yield Figure(
            "mosfet", part.title, f"V_GS(th) at {celsius:g} degC", seen["vth"][0], sheet, "V"
        )
    for gate, ohm, ampere in on_resistances(told["r_ds_on"]):
        seen = run(
            f"{card_of(name, 25.0)}\nV_g g 0 {gate}\nI_d 0 d {ampere}\nM_d d g 0 part\n"
            ".options temp=25 tnom=25",
            f"op\nlet r_on = v(d)/{ampere}\nprint r_on",
        )
        yield Figure("mosfet", part.title, f"R_DS(on) at {gate:g} V", seen["r_on"][0], ohm, "ohm")


def on_resistances(text: str) -> Iterator[tuple[float, float, float]]:
    """Give gate voltage, on-resistance and drain current of each that a data sheet states."""
    ampere = re.findall(rf"{NUMBER} mA", text)
    amperes = iter([float(a) / 1e3 for a in ampere])
    only = next(iter([float(a) / 1e3 for a in ampere]), 0.1)
    pattern = rf"{NUMBER} ohm(?: typical)?(?: \([^)]*\))? at {NUMBER} V"
    found = re.findall(pattern, text)
    for ohm, gate in found:
        each = next(amperes, only) if len(ampere) >= len(found) else only
        yield float(gate), float(ohm), each


def figures_of(name: str) -> dict[str, str]:
    """Return what a MOSFET's file says of its data sheet's figures."""
    import tomllib

    from spicealif._support.resources import models_dir

    path = models_dir() / "parts" / "mosfets" / f"{name}.toml"
    return {k: str(v) for k, v in tomllib.loads(path.read_text())["figures"].items()}


def card_of(name: str, celsius: float) -> str:
    """Return a MOSFET's card at a temperature, under the name part."""
    kelvin = f"{celsius + 273.15!r} K"
    neuron = neuron_with("mosfet", name, {"temperature": kelvin})
    text = build_netlist(neuron).text
    found = re.search(r"^\.model (\w+) vdmos.*(?:\n\+.*)*", text, re.MULTILINE | re.IGNORECASE)
    assert found is not None
    return found[0].replace(found[1], "part", 1)


MAKERS = {"opamp": opamp, "comparator": comparator, "mosfet": mosfet}


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    found = [
        figure
        for kind, make in MAKERS.items()
        for name in part_names(kind)  # type: ignore[arg-type]
        if not arguments.only or arguments.only == name
        for figure in make(name)
    ]
    lines = ["| part | figure | model | data sheet |", "|---|---|---|---|"]
    lines += [figure.row() for figure in found]
    print("\n".join(lines))
    if arguments.output is not None:
        text = arguments.output.read_text(encoding="utf-8")
        start, end = "<!-- table: isolated -->", "<!-- end of isolated -->"
        begin = text.index(start) + len(start)
        stop = text.index(end, begin)
        body = "\n".join(lines)
        arguments.output.write_text(f"{text[:begin]}\n{body}\n\n{text[stop:]}", encoding="utf-8")
    bad = [figure for figure in found if not figure.good]
    for figure in bad:
        print("not as near as said:", figure.row())
    known = [abs(f.off) for f in found if f.sheet is not None]
    print(
        f"{len(found)} figures, {len(known)} with the data sheet's; worst {max(known):.2%}, "
        f"median {np.median(known):.2%}"
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

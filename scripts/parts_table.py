"""Measure each part of the netlist by itself, in ngspice, and write docs/parts.md.

Every row is a small deck around the part's own lines of the netlist of the preset `paper`, against
the data sheet's typical figure and limits or, where its tables were not at hand, the maker's
macro-model.

Usage: python scripts/parts_table.py [--check]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from spicealif import build_netlist, load_preset
from spicealif.simulators.process.environment import ngspice_environment
from spicealif.sweep import DEFAULT_TOLERANCES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "parts.md"
OP482 = "Analog Devices OP282/OP482, Rev. I"
AD8561 = "Analog Devices AD8561, Rev. 0"
MACRO = "macro-model"
ONSEMI = "onsemi NDS7002A/D (2N7002)"

HEAD = """# The parts by themselves

<!-- Written by scripts/parts_table.py; a test fails if it is not up to date. -->

Each part of the preset `paper` in a deck of its own, in ngspice. "Model" is what the part does
there; "typical" and "limits" are the source's. A figure without limits is one that the data sheet
does not bound, or whose table was not at hand.

The AD8561's electrical tables could not be had when this was made. What its text says (delay, bias
current, capacitance, input range) is used; output and gain are those of the maker's macro-model as
the library of Qucs-S carries it (`VoltageComparators.lib`), measured in ngspice 39 at 5 V. The
macro-model itself is not part of this project. Its low level behind 500 ohm (1.6 V at 3.2 mA) is
not what such an output does, and is not followed.
"""

SCATTER = """## What scatters

In prototypes (`spicealif sweep`, `MonteCarlo`) and in `spicealif explain --tolerances` (there
without the memristor's own), around the design's value. A spread without a unit is a part of that
value. Uniform: half the width. Normal: three standard deviations, beyond which no value is drawn.
Lognormal: the standard deviation of the logarithm. Bias current, output and gain of the comparator
and the MOSFET's transconductance do not scatter: no limits of them were at hand, or they bound too
little (R_DS(on) of the 2N7002: at most 7.5 ohm, 1.7 ohm typical).
"""
UNITS = {
    "difference_amplifier.opamp.v_os": "V",
    "comparator.v_os": "V",
    "mosfet.v_to": "V",
    "temperature": "K",
}


@dataclass(frozen=True)
class Row:
    """A figure of a part: how the model does, and what the source says."""

    what: str
    model: float
    unit: str
    typical: float | None
    low: float | None
    high: float | None
    source: str

    @property
    def within(self) -> bool:
        """Whether the model is within the limits, or 10 % of the typical figure without any."""
        if self.low is None and self.high is None:
            return self.typical is None or abs(self.model / self.typical - 1) <= 0.1
        above = self.low is None or self.model >= self.low
        return above and (self.high is None or self.model <= self.high)

    def cells(self) -> list[str]:
        """Return the row of the table."""
        limits = {
            (False, False): f"{self.low} to {self.high}",
            (True, False): f"at most {self.high}",
            (False, True): f"at least {self.low}",
            (True, True): "",
        }[self.low is None, self.high is None]
        typical = "" if self.typical is None else f"{self.typical:g}"
        return [self.what, f"{self.model:.3g} {self.unit}", typical, limits, self.source]


def netlist() -> str:
    """Return the netlist of the paper's neuron."""
    return build_netlist(load_preset("paper")).text


def subcircuit(name: str) -> str:
    """Return a subcircuit's lines."""
    text = netlist()
    start = text.index(f".subckt {name} ")
    return text[start : text.index(".ends", start) + len(".ends")]


def run(deck: str, commands: str) -> dict[str, list[float]]:
    """Run a deck and return what it prints, by name and in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.cir"
        path.write_text(f"* part\n{deck}\n.control\n{commands}\n.endc\n.end\n")
        done = subprocess.run(
            ["ngspice", "-n", "-b", str(path)],
            env=ngspice_environment(Path(folder)),  # without a home ngspice dies
            capture_output=True,
            text=True,
            check=False,
        )
    found: dict[str, list[float]] = {}
    for name, value in re.findall(r"^(\w+)\s+=\s+(-?\d\S*)", done.stdout, re.MULTILINE):
        found.setdefault(name, []).append(float(value))
    if not found:
        sys.exit(f"ngspice printed nothing:\n{done.stdout}\n{done.stderr}")
    return found


def opamp() -> list[Row]:
    """Return the rows of the op-amp."""
    part = subcircuit("op482")
    rails = "V_p vp 0 5\nV_n vn 0 -5\n"
    ac = run(
        f"{part}\n{rails}V_in in 0 DC 0 AC 1\nX in 0 vp vn out op482",
        "ac dec 100 1 100meg\nlet a = abs(v(out))\nmeas ac gain find a at=1\n"
        "meas ac unity when a=1",
    )
    slew = run(
        f"{part}\n{rails}V_in in 0 PULSE(-2 2 1u 1n 1n 10u 20u)\nX in out vp vn out op482\n"
        ".options reltol=1e-6",
        "tran 1n 3u 0 2n\nmeas tran t_a when v(out)=-1 cross=1\n"
        "meas tran t_b when v(out)=1 cross=1",
    )
    swing = run(
        f"{part}\n{rails}V_in in 0 4.9\nX in out vp vn out op482\nR_l out 0 10k",
        "tran 1u 50u\nmeas tran top find v(out) at=49u\nmeas tran i_in find i(v_in) at=49u",
    )
    rate = 2 / (slew["t_b"][0] - slew["t_a"][0])
    return [
        Row("open-loop gain", ac["gain"][0] / 1e3, "V/mV", 20, None, None, OP482),
        Row("gain-bandwidth product", ac["unity"][0] / 1e6, "MHz", 4, None, None, OP482),
        Row("slew rate", rate / 1e6, "V/us", 9, 7, None, OP482),
        Row("output's distance from a rail", 5 - swing["top"][0], "V", 1.5, None, None, OP482),
        Row("input bias current", -swing["i_in"][0] * 1e12, "pA", 3, None, 100, OP482),
    ]


def comparator() -> list[Row]:
    """Return the rows of the comparator."""
    part = subcircuit("ad8561")
    rest = "V_cc vcc 0 5\nV_r ref 0 0.4\nI_l out 0 0\nX in ref vcc 0 out ad8561"
    high = run(
        f"{part}\n{rest}\nV_in in 0 0.5",
        "foreach il 0.05m 0.1m 0.2m 0.3m 0.4m 1m\nalter I_l = $il\nop\nlet v_h = v(out)\n"
        "let i_hi = i(v_in)\nlet i_lo = i(v_r)\nprint v_h\nprint i_hi\nprint i_lo\nend",
    )
    low = run(f"{part}\n{rest}\nV_in in 0 0.3", "op\nlet v_l = v(out)\nprint v_l")
    middle = run(
        f"{part}\n{rest}\nV_in in 0 0.4",
        "op\nlet i_mid = i(v_in)\nprint i_mid\ndc v_in 0.395 0.405 2u\nlet g = deriv(v(out))\n"
        "meas dc gain max g",
    )
    delays = []
    for overdrive in (5, 20, 100):
        step = f"PULSE(-0.1 {overdrive}m 100n 10p 10p 200n 1u)"
        deck = f"{part}\nV_cc vcc 0 5\nV_in in 0 {step}\nX in 0 vcc 0 out ad8561"
        seen = run(
            f"{deck}\n.options reltol=1e-6",
            "tran 0.05n 250n 0 0.05n\nmeas tran t_x when v(in)=0 rise=1\n"
            "meas tran t_up when v(out)=1.909 rise=1",
        )
        delays.append((overdrive, (seen["t_up"][0] - seen["t_x"][0]) * 1e9))
    macro = {0.05: 3.835, 0.1: 3.799, 0.2: 3.763, 0.3: 3.742, 0.4: 3.727, 1: 3.678}
    rows = [
        Row(f"high level at {load} mA", v, "V", typical, None, None, MACRO)
        for (load, typical), v in zip(macro.items(), high["v_h"], strict=True)
    ]
    rows.append(Row("low level, unloaded", low["v_l"][0] * 1e3, "mV", 18, None, None, MACRO))
    gain = middle["gain"][0] / 1e3
    rows.append(Row("largest gain, unloaded", gain, "V/mV", 11.4, None, None, MACRO))
    for overdrive, delay in delays:
        typical = 7 if overdrive == 5 else None
        what = f"delay, {overdrive} mV overdrive"
        rows.append(Row(what, delay, "ns", typical, None, None, AD8561))
    micro = 1e6
    rows += [
        Row("bias current, inputs equal", middle["i_mid"][0] * micro, "uA", 3, None, None, AD8561),
        Row("the same, the lower input", high["i_lo"][0] * micro, "uA", 6, None, None, AD8561),
        Row("the same, the higher input", high["i_hi"][0] * micro, "uA", None, 0, 0.5, AD8561),
    ]
    return rows


def mosfet() -> list[Row]:
    """Return the rows of the MOSFET."""
    text = netlist()
    start = text.index(".model n2n7002")
    card = text[start : text.index("\n*", start)]
    deck = f"""{card}
V_g g 0 0 AC 0
V_d d 0 25 AC 0
M_c d g 0 n2n7002
I_t 0 t 250u
M_t t t 0 n2n7002
V_g5 g5 0 5
I_5 0 d5 50m
M_5 d5 g5 0 n2n7002
V_g10 g10 0 10
I_10 0 d10 0.5
M_10 d10 g10 0 n2n7002
V_f f 0 3
V_df df 0 10
M_f df f 0 n2n7002
I_sd sd 0 0.115
M_sd sd 0 0 n2n7002"""
    commands = """op
let vth = v(t)
let r5 = v(d5)/50m
let r10 = v(d10)/0.5
let vsd = -v(sd)
print vth
print r5
print r10
print vsd
alter v_d acmag = 1
ac lin 1 1meg 1meg
let crss = abs(imag(i(v_g)))/(2*pi*1e6)
let coss = abs(imag(i(v_d)))/(2*pi*1e6)
print crss
print coss
alter v_d acmag = 0
alter v_g acmag = 1
ac lin 1 1meg 1meg
let ciss = abs(imag(i(v_g)))/(2*pi*1e6)
print ciss
dc v_f 1.5 5 0.002
let id = -i(v_df)
let gm = deriv(id)
meas dc gfs find gm when id=0.2"""
    got = {name: values[0] for name, values in run(deck, commands).items()}
    pico = 1e12
    return [
        Row("V_GS(th) at 250 uA", got["vth"], "V", 2.1, 1.0, 2.5, ONSEMI),
        *ends_of_the_threshold(),
        Row("R_DS(on) at 5 V, 50 mA", got["r5"], "ohm", 1.7, None, 7.5, ONSEMI),
        Row("R_DS(on) at 10 V, 500 mA", got["r10"], "ohm", 1.2, None, 7.5, ONSEMI),
        Row("g_FS at 200 mA", got["gfs"] * 1e3, "mS", 320, 80, None, ONSEMI),
        Row("C_iss at 25 V, 1 MHz", got["ciss"] * pico, "pF", 20, None, 50, ONSEMI),
        Row("C_oss at 25 V, 1 MHz", got["coss"] * pico, "pF", 11, None, 25, ONSEMI),
        Row("C_rss at 25 V, 1 MHz", got["crss"] * pico, "pF", 4, None, 5, ONSEMI),
        Row("V_SD at 115 mA", got["vsd"], "V", 0.88, None, 1.5, ONSEMI),
    ]


def ends_of_the_threshold() -> list[Row]:
    """Return V_GS(th) at both ends of the threshold's tolerance."""
    (tolerance,) = (t for t in DEFAULT_TOLERANCES if t.parameter == "mosfet.v_to")
    middle = load_preset("paper").mosfet.v_to
    rows = []
    for name, v_to in (
        ("least", middle - tolerance.spread),
        ("largest", middle + tolerance.spread),
    ):
        text = build_netlist(load_preset("paper").replace({"mosfet.v_to": v_to})).text
        start = text.index(".model n2n7002")
        card = text[start : text.index("\n*", start)]
        found = run(f"{card}\nI_t 0 t 250u\nM_t t t 0 n2n7002", "op\nlet vth = v(t)\nprint vth")
        what = f"the same, v_to at its {name} ({v_to:.3g} V)"
        rows.append(Row(what, found["vth"][0], "V", None, 1.0, 2.5, ONSEMI))
    return rows


def scatter() -> list[str]:
    """Return the table of what scatters in prototypes and in `explain --tolerances`."""
    lines = [SCATTER, "| parameter | spread | distribution | source |", "|---|---|---|---|"]
    for t in DEFAULT_TOLERANCES:
        spread = f"{t.spread:g}" if t.relative else f"{t.spread:g} {UNITS[t.parameter]}"
        lines.append(f"| {t.parameter} | {spread} | {t.distribution} | {t.source} |")
    return [*lines, ""]


def page(tables: dict[str, list[Row]]) -> str:
    """Return the page."""
    lines = [HEAD]
    for title, rows in tables.items():
        lines += [f"## {title}", "", "| figure | model | typical | limits | source |"]
        lines += ["|---|---|---|---|---|"]
        lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
        lines.append("")
    return "\n".join([*lines, *scatter()])


def main() -> None:
    """Write the page, or check that it is what the parts do, and that they are within limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    options = parser.parse_args()
    tables = {"OP482": opamp(), "AD8561": comparator(), "2N7002": mosfet()}
    text = page(tables)
    outside = [row.what for rows in tables.values() for row in rows if not row.within]
    if outside:
        print("outside:", ", ".join(outside))
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        outside.append("docs/parts.md is not what the parts do; run scripts/parts_table.py")
        print(outside[-1])
    sys.exit(1 if outside else 0)


if __name__ == "__main__":
    main()

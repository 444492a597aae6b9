"""The check of the portable subset: it passes every deck of ours and finds every planted fault."""

from __future__ import annotations

import math
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from own_ngspice import with_home

from spicealif.design import Neuron, load_preset
from spicealif.errors import DesignError, NetlistError
from spicealif.netlist import PortabilityFinding, build_netlist, dialects, find_unportable
from spicealif.netlist._expression import _FUNCTIONS
from spicealif.netlist.render import STYLES

# A step that is written in few digits, so that tests can find it.
PAPER = load_preset("paper").replace({"numerics.t_step_max": 2e-7})
DECKS = {d: build_netlist(PAPER, d).text for d in dialects()}
IDEAL = build_netlist(PAPER.ideal(), "ltspice").text

# --- random designs -----------------------------------------------------------------------------


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Give numbers of any size in between, and the two ends."""
    exponents = st.floats(math.log10(low), math.log10(high))
    return st.one_of(st.sampled_from([low, high]), exponents.map(lambda e: 10.0**e))


@st.composite
def stimuli(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(["constant", "step", "pulse", "sine", "pwl", *["sum"] * (depth < 2)])
    )
    current, signed = floats(1e-12, 1e-3), st.floats(-1e-4, 1e-4)
    match kind:
        case "sum":
            return {"kind": kind, "terms": draw(st.lists(stimuli(depth + 1), min_size=1))[:4]}
        case "constant":
            return {"kind": kind, "amplitude": draw(current)}
        case "pwl":
            count = draw(st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 333]))
            rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
            t = np.sort(rng.uniform(0, draw(floats(1e-6, 10)), count))
            return {"kind": kind, "t": t.tolist(), "i": rng.uniform(-1e-4, 1e-3, count).tolist()}
        case "step":
            extra = {"t_rise": draw(floats(1e-15, 1e-2)), "delay": draw(st.floats(0, 1e-2))}
        case "sine":
            extra = {
                "frequency": draw(floats(1, 1e5)),
                "phase": draw(st.floats(-1e3, 1e3)),
                "delay": draw(st.floats(0, 1e-2)),
            }
        case _:
            extra = {"frequency": draw(floats(1, 1e6)), "duty": draw(st.floats(0.01, 0.99))}
            room = 0.9 * min(extra["duty"], 1 - extra["duty"]) / extra["frequency"]
            edges = st.floats(1e-5, 1).map(lambda share: share * room)
            extra |= {"t_rise": draw(edges), "t_fall": draw(edges)}
            if draw(st.booleans()):
                extra["n_pulses"] = draw(st.integers(1, 30))
    return {"kind": kind, "amplitude": draw(current), "offset": draw(signed), **extra}


OPAMPS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("ideal"), "open_loop_gain": floats(1e3, 1e9)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("op482"),
            "v_os": st.floats(-1e-3, 1e-3),
            "i_bias": st.floats(-1e-9, 1e-9),
            "slew_rate": floats(1e3, 1e12),
            "c_in": floats(1e-18, 1e-9),
            "headroom": st.sampled_from([0, 1.5]),
            "i_quiescent": st.sampled_from([0, 1e-3]),
        }
    ),
)
AMPLIFIERS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("ideal"), "gain": floats(0.5, 5)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("four-resistor"),
            "gain": floats(0.5, 5),
            "r": floats(10, 1e12),
            "opamp": OPAMPS,
        }
    ),
)
COMPARATORS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("ideal"), "gain": floats(1e3, 1e7)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("ad8561"),
            "v_ol": st.floats(-0.5, 0.1),
            "v_os": st.floats(-1e-3, 1e-3),
            "t_delay": floats(1e-15, 1e-6),
            "i_bias": st.sampled_from([0, 3e-6, -3e-6]),
        }
    ),
)
MOSFETS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("ideal"), "v_gs_width": floats(1e-3, 1)}),
    st.fixed_dictionaries({"kind": st.just("vdmos"), "c_jo": floats(1e-20, 1e-9)}),
)
LEAKS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("resistor"), "r": floats(100, 1e15)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("mms"),
            "r_on": floats(100, 1e5),
            "r_off": floats(1e5, 1e15),
            "v_on": st.floats(-100, 100),
            "v_off": st.floats(-100, 100),
            "tau": floats(1e-6, 1e6),
            "x_0": st.sampled_from([0, 0.3, 1]),
        }
    ),
)
# What any one number may be changed to, if the design still is one.
EXTREMES = st.sampled_from([5e-324, 1e-300, 1e-30, 1e-9, -1e-3, 0.0, 1.0, 1e9, 1e30, 1e300])


def numbers(data: dict[str, Any], path: str = "") -> Iterator[str]:
    """Give the dotted names of a design's numbers."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{path}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{path}{key}"


@st.composite
def neurons(draw: st.DrawFn) -> Neuron:
    data = {
        "stimulus": draw(stimuli()),
        "leak": draw(LEAKS),
        "difference_amplifier": draw(AMPLIFIERS),
        "comparator": draw(COMPARATORS),
        "mosfet": draw(MOSFETS),
        "c": draw(floats(1e-10, 1)),
        "r_s": draw(st.one_of(st.just(0.0), floats(1e-3, 1e6))),
        "v_rest": draw(st.sampled_from([0, -0.1, 0.02])),
        "v_th": draw(st.floats(0.35, 0.6)),
        "v_low": draw(st.floats(0.1, 0.2)),
        "t_stop": draw(floats(1e-9, 10)),
        "temperature": draw(st.floats(200, 400)),
        "numerics": {
            "steering": draw(st.booleans()),
            "method": draw(st.sampled_from(["trap", "gear"])),
        },
    }
    try:
        neuron = Neuron.from_dict(data)
    except DesignError:
        reject()
    for name in draw(st.lists(st.sampled_from(list(numbers(neuron.to_dict()))), max_size=3)):
        try:
            neuron = neuron.replace({name: draw(EXTREMES)})
        except DesignError:
            continue
    return neuron


@pytest.mark.slow
@settings(max_examples=320, deadline=None)
@given(neuron=neurons(), style=st.sampled_from(STYLES))
def test_every_deck_is_portable(neuron: Neuron, style: str) -> None:
    amplifier = neuron.difference_amplifier
    if amplifier.kind == "four-resistor" and amplifier.r * amplifier.gain == 0:
        reject()  # 5e-324 ohm and a half of it: no resistor
    for dialect in dialects():
        try:
            inside = style == "parameters"
            text = build_netlist(neuron, dialect, style=style, subcircuit=inside).text
        except NetlistError as error:
            # A number of the circuit that is not finite, or an edge of 0: refused by name.
            assert str(error).endswith(".")
            continue
        assert find_unportable(text, dialect) == ()


# --- planted faults -----------------------------------------------------------------------------


def planted(deck: str, card: str) -> tuple[str, int]:
    """Return the deck with a card before its analysis, and that card's line."""
    head, mark, tail = deck.partition("* --- analysis ---")
    return f"{head}{card}\n{mark}{tail}", head.count("\n") + 1


def found(text: str, dialect: str = "ltspice") -> tuple[PortabilityFinding, ...]:
    findings = find_unportable(text, dialect)
    for finding in findings:
        assert finding.reason
        assert str(finding).startswith(f"line {finding.line}: ")
    return findings


PLANTED = {
    # expressions
    "limit": ("B_n v_c 0 I=limit(V(x),0,1)", "limit"),
    "if": ("B_n v_c 0 I=if(V(x)>0,1,0)", "'if'|made of"),
    "comparison": ("B_n v_c 0 I=V(x)>0", "made of"),
    "caret": ("B_n v_c 0 I=V(x)^2", "made of"),
    "double star": ("B_n v_c 0 I=V(x)**2", "operand"),
    "ternary": ("B_n v_c 0 I=V(x)?1:0", "made of"),
    "pi": ("B_n v_c 0 I=pi*V(x)", "'pi'"),
    "time": ("B_n v_c 0 I=time", "'time'"),
    "table": ("B_n v_c 0 I=table(V(x),0,0,1,1)", "'table'"),
    "pow": ("B_n v_c 0 I=pow(V(x),2)", "'pow'"),
    "log": ("B_n v_c 0 I=log(V(x))", "'log'"),
    "idt": ("B_n v_c 0 I=idt(V(x))", "'idt'"),
    "ddt": ("B_n v_c 0 I=ddt(V(x))", "'ddt'"),
    "u, which differs at 0": ("B_n v_c 0 I=u(V(x))", "'u'"),
    "a parameter": ("B_n v_c 0 I=gain*V(x)", "'gain'"),
    "braces": ("B_n v_c 0 I={V(x)}", "braces"),
    "a current": ("B_n v_c 0 I=I(V_pos)", "'i'"),
    "suffix in an expression": ("B_n v_c 0 I=1k*V(x)", "suffix"),
    "an exponent without digits": ("B_n v_c 0 I=1e*V(x)", "suffix"),
    "a number beyond floats": ("B_n v_c 0 I=1e999*V(x)", "beyond"),
    "two arguments too few": ("B_n v_c 0 I=max(V(x))", "','"),
    "one too many": ("B_n v_c 0 I=abs(V(x),1)", "'\\)'"),
    "a sign after an operator": ("B_n v_c 0 I=V(x)*-3", "operand"),
    "a parenthesis too few": ("B_n v_c 0 I=(V(x)+1", "'\\)'"),
    "a parenthesis too many": ("B_n v_c 0 I=V(x)+1)", "should end"),
    "5000 parentheses": (f"B_n v_c 0 I={'(' * 5000}1{')' * 5000}", "within each other"),
    "nothing": ("B_n v_c 0 I=", "V= or I="),
    "an operator alone": ("B_n v_c 0 I=V(x)+", "operand"),
    "three nodes in V()": ("B_n v_c 0 I=V(x,v_c,0)", "'\\)'"),
    "a node in a subcircuit": ("B_n v_c 0 I=V(x_cmp:t1)", "made of"),
    "an unknown node": ("B_n v_c 0 I=V(nowhere)", "no element is connected"),
    "a behavioural resistor": ("B_n v_c 0 R=1+V(x)", "R="),
    "a charge": ("B_n v_c 0 Q=V(x)", "R="),
    "a Laplace transfer": ("B_n v_c 0 I=V(x) laplace=1", "made of"),
    # numbers
    "2k2": ("R_n v_c 0 2k2", "written out"),
    "1u": ("C_n v_c 0 1u", "written out"),
    "10meg": ("R_n v_c 0 10meg", "written out"),
    "1M": ("R_n v_c 0 1M", "written out"),
    "4Farads": ("C_n v_c 0 4Farads", "written out"),
    "micro sign": ("C_n v_c 0 1\N{MICRO SIGN}", "ASCII"),
    "Greek mu": ("C_n v_c 0 1\N{GREEK SMALL LETTER MU}", "ASCII"),
    "other digits": ("R_n v_c 0 \N{ARABIC-INDIC DIGIT ONE}", "ASCII"),
    "a parameter of nowhere": ("R_n v_c 0 {r}", "no parameter 'r'"),
    "quotes": ("R_n v_c 0 '2*r'", "braces"),
    "infinity": ("R_n v_c 0 inf", "written out"),
    "no value": ("R_n v_c 0", "one number"),
    "a resistor of 0": ("R_n v_c 0 0.0", "0 ohm"),
    "a number of 41 digits": (f"R_n v_c 0 {'1' * 41}", "written out"),
    # elements
    "Rser": ("C_n v_c 0 1e-9 Rser=1", "one number"),
    "IC": ("C_n v_c 0 1e-9 IC=0", "one number"),
    "temperature coefficient": ("R_n v_c 0 1e3 tc=0.01", "one number"),
    "a-device": ("A_n v_c 0 0 0 0 0 spike 0 SCHMITT", "'a'"),
    "XSPICE's a-device": ("A_n [v_c] [spike] adc", "'a'"),
    "switch with Vh": ("S_n v_c 0 spike 0 sw", "'s'"),
    "inductor": ("L_n v_c 0 1e-3", "'l'"),
    "a diode without its model": ("D_n v_c 0 d", "no model"),
    "a mirror of no source": ("F_n v_c 0 V_nosuch 2", "no voltage source"),
    "current-controlled voltage": ("H_n v_c 0 V_pos 2", "'h'"),
    "polynomial": ("E_n new 0 POLY(1) v_c 0 0 1", "four nodes"),
    "behavioural E": ("E_n new 0 value={V(x)}", "not a function"),
    "E's table": ("E_n new 0 v_c 0 table=(0,0,1,1)", "written out"),
    "a MOSFET with its body": ("M_n v_c spike 0 0 n2n7002", "VDMOS"),
    "an unknown model": ("M_n v_c spike 0 nosuch", "no model"),
    "an unknown subcircuit": ("X_n v_c 0 nosuch", "no subcircuit"),
    "a port too few": ("X_n v_c 0 mms_memristor", "3 ports, not 2"),
    "parameters of a call": ("X_n v_c 0 x mms_memristor r=1", "parameters"),
    "an AC source": ("V_n new 0 AC 1", "source"),
    "a source of AC and DC": ("V_n new 0 DC 1 AC 1", "source"),
    "EXP": ("I_n 0 v_c EXP(0 1 0 1 2 1)", "source"),
    "a number of pulses": ("I_n 0 v_c PULSE(0 1 0 1e-9 1e-9 1e-4 1e-3 5)", "seven"),
    "six fields of PULSE": ("I_n 0 v_c PULSE(0 1 0 1e-9 1e-9 1e-4)", "seven"),
    "an ideal edge": ("I_n 0 v_c PULSE(0 1 0 0 1e-9 1e-4 1e-3)", "defaults"),
    "a period too short": ("I_n 0 v_c PULSE(0 1 0 1e-9 1e-9 2e-3 1e-3)", "fit"),
    "a number of cycles": ("I_n 0 v_c SIN(0 1 1e3 0 0 0 5)", "three to six"),
    "a frequency of 0": ("I_n 0 v_c SIN(0 1 0)", "default"),
    "relative times": ("I_n 0 v_c PWL(0 0 +1e-3 1)", "'\\+'"),
    "times that go back": ("I_n 0 v_c PWL(0 0 1e-3 1 1e-3 2)", "increase"),
    "a time too many": ("I_n 0 v_c PWL(0 0 1e-3)", "pairs"),
    "an empty PWL": ("I_n 0 v_c PWL()", "pairs"),
    "PWL of a file": ("I_n 0 v_c PWL file=a.csv", "source"),
    "a repeated PWL": ("I_n 0 v_c PWL repeat for 5 (0 0 1 1) endrepeat", "source"),
    "no initial value": (".ic", "it must be .ic with"),
    "no option": (".options", "it must be .options with"),
    "an open function": ("I_n 0 v_c SIN(0 1 1e3", "source"),
    "text after a function": ("I_n 0 v_c SIN(0 1 1e3) Rser=1", "source"),
    "a sound file": ("V_n new 0 wavefile=a.wav", "written out"),
    "a trigger": ("I_n 0 v_c PULSE(0 1 0 1e-9 1e-9 1e-4 1e-3) Trigger=V(x)", "source"),
    # names
    "one name in two cases": ("r_B v_c 0 1e9", "two elements"),
    "gnd": ("R_n v_c GND 1e9", "node 0"),
    "a number as node": ("R_n 1 0 1e9", "no node name"),
    "node 00": ("R_n v_c 00 1e9", "no node name"),
    "a global node": ("R_n v_c $g_a 1e9", "comments"),
    "a dot in a name": ("R.n v_c 0 1e9", "rename"),
    "a name alone": ("R_n", "one number"),
    # topology
    "a current into a capacitor": ("I_n 0 new 1e-3\nC_n new 0 1e-9", "no path to ground"),
    "a source of current on nothing": ("B_n 0 new I=V(x)", "no path to ground"),
    "a gate of its own": ("M_n v_c new 0 n2n7002\nC_n new 0 1e-9", "no path to ground"),
    # subcircuits
    "ground as a port": (".subckt sub a gnd\nR_1 a gnd 1.0\n.ends", "node 0"),
    "node 0 as a port": (".subckt sub a 0\nR_1 a 0 1.0\n.ends", "port is node 0"),
    "one port twice": (".subckt sub a A\nR_1 a 0 1.0\n.ends", "one name"),
    "two subcircuits of a name": (".subckt OP482 a b\nR_1 a b 1.0\n.ends", "two subcircuits"),
    "one in itself": ("X_n v_c 0 sub\n.subckt sub a b\nX_1 a b sub\nR_1 a b 1.0\n.ends", "itself"),
    "one in another in the first": (
        "X_n v_c 0 sub\n.subckt sub a b\nX_1 a b other\nR_1 a b 1.0\n.ends\n"
        ".subckt other a b\nX_1 a b sub\n.ends",
        "itself",
    ),
    "one within another": (".subckt sub a\n.subckt sub2 b\n.ends", "within a subcircuit"),
    "its parameters": (".subckt sub a b params: r=1\nR_1 a b 1.0\n.ends", "parameters"),
    "it does not end": (".subckt sub a b\nR_1 a b 1.0", "within a subcircuit|not end"),
    "another ends": (".subckt sub a b\nR_1 a b 1.0\n.ends other", "ends 'sub'"),
    "an end of nothing": (".ends", "no subcircuit is open"),
    "an option within": (".subckt sub a\nR_1 a 0 1.0\n.options reltol=1e-3\n.ends", "within a sub"),
    "a model within": (".subckt sub a\nR_1 a 0 1.0\n.model m vdmos(kp=1)\n.ends", "within a sub"),
    "a floating node within": (".subckt sub a\nC_1 a n 1e-9\nR_1 a 0 1.0\n.ends", "no path"),
    # cards with a dot
    ".control": (".control\nshell touch x\n.endc", ".control"),
    ".CONTROL, indented": ("  .CONTROL", "blank"),
    ".include": (".include /etc/passwd", ".include"),
    ".include of an address": (".inc https://example.com/a.lib", "comments"),
    ".lib": (".lib a.lib", ".lib"),
    ".step": (".step param r 1 2 1", ".step"),
    ".wave": (".wave a.wav 16 44100 V(x)", ".wave"),
    ".meas": (".meas tran a max V(x)", ".meas"),
    # parameters
    "two on a card": (".param r=1 s=2", "one parameter a card"),
    "blanks": (".param r = 1", "one parameter a card"),
    "blanks in an expression": (".param r={1 + 2}", "one parameter a card"),
    "no value of a parameter": (".param r", "one parameter a card"),
    "a name without braces": (".param r=1\n.param s=r", "no number"),
    "an expression without braces": (".param r=2*3", "no number"),
    "a plus before a number": (".param r=+1", "no number"),
    "a micro sign": (".param r=1\N{MICRO SIGN}", "ASCII"),
    "2k2 of a parameter": (".param r=2k2", "no number"),
    "mil": (".param r=1mil", "no number"),
    "a parameter in two cases": (".param r=1\n.param R=2", "two parameters"),
    "a keyword as a parameter": (".param ac=1", "meaning of its own"),
    "LTspice's constant": (".param k=1", "meaning of its own"),
    "one that needs itself": (".param r={s}\n.param s={2*r}", "needs itself"),
    "one that needs nothing known": (".param r={s}", "no parameter 's'"),
    "a power": (".param r={2**3}", "operand"),
    "a caret": (".param r={2^3}", "made of"),
    "limit of a parameter": (".param r={limit(1,2,3)}", "not a function"),
    "a root of -1": (".param r={sqrt(0-1)}", "cannot be computed"),
    "a division by 0": (".param r={1/0}", "cannot be computed"),
    "no number at all": (".param r={1e308*10}", "beyond"),
    "5000 parentheses of a parameter": (f".param r={{{'(' * 5000}1{')' * 5000}}}", "within each"),
    "one within a subcircuit": (".subckt sub a\n.param r=1\nR_1 a 0 {r}\n.ends", "within a sub"),
    "a B source's sum in braces": (".param r=1\nB_n v_c 0 I=V(x)/{2*r}", "parentheses inside"),
    "two sums in parentheses": (".param r=1\nB_n v_c 0 I=V(x)/{(2*r)+(r)}", "parentheses inside"),
    "a resistance of 0 by parameter": (".param r=0\nR_n v_c 0 {r}", "0 ohm"),
    "an option by parameter": (".param r=1m\n.options reltol={r}", "braces"),
    "a model's by parameter": (".param r=1\n.model m vdmos(kp={s} ksubthres=0.1 vj=0.8)", "'s'"),
    "a saved node of no instance": (".save V(x_none:t1)", "no element is connected"),
    "a saved node of no subcircuit": (".save V(x_cmp:nowhere)", "'x_cmp:nowhere'"),
    ".func": (".func f(x) {x}", "braces"),
    ".global": (".global a", ".global"),
    ".op": (".op", ".op"),
    ".temp": (".temp 25", ".temp"),
    ".nodeset": (".nodeset V(x)=1", ".nodeset"),
    ".backanno": (".backanno", ".backanno"),
    ".option": (".option reltol=1e-3", ".option"),
    "a second analysis": (".tran 0 1e-3 0 1e-6", "2 cards .tran"),
    "an option of neither": (".options nosuch=1", "'nosuch'"),
    "an option of ngspice's": (".options interp", "'interp'"),
    "gmin": (".options gmin=1e-12", "'gmin'"),
    "a model of another kind": (".model q npn(is=1e-14)", "only VDMOS and D"),
    "a diode's other parameter": (".model d d(is=1e-14 rs=1)", "D's parameter 'rs'"),
    "a model twice": (".model N2N7002 vdmos(kp=1 ksubthres=0.1 vj=0.8)", "two models"),
    "a parameter of one": (".model m vdmos(kp=1 theta=1 ksubthres=0.1 vj=0.8)", "'theta'"),
    "a parameter twice": (".model m vdmos(kp=1 KP=2 ksubthres=0.1 vj=0.8)", "twice"),
    "a default that differs": (".model m vdmos(kp=1 vj=0.8)", "ksubthres is 0.1"),
    "another": (".model m vdmos(kp=1 ksubthres=0.1)", "vj is 0.8"),
    "a flag of a model": (".model m vdmos(nchan kp=1 ksubthres=0.1 vj=0.8)", "'nchan'"),
    "an initial current": (".ic I(L1)=1", "node"),
    "an initial voltage of ground": (".ic V(0)=1", "node"),
    "one of nowhere": (".ic V(nowhere)=1", "no element is connected"),
    "nothing saved": (".save", "no vector"),
    "all saved": (".save all", "'all'"),
    "a wildcard": (".save V(*)", "V"),
    "text after a vector": (".save V(x)/2", "V\\(x\\)/2"),
    "a vector of nowhere": (".save V(nowhere)", "no element is connected"),
    "a current of no source": (".save I(V_nowhere)", "no voltage source"),
    "a resistor's current": (".save I(R_b)", "no voltage source"),
    "ngspice's spelling": (".save v(x)", "v\\(x\\)"),
    "ngspice's levels": (".save V(x_cmp.t1)", "x_cmp.t1"),
    # text
    "; comment": ("R_n v_c 0 1e9 ; note", "comments"),
    "$ comment": ("R_n v_c 0 1e9 $ note", "comments"),
    "// comment": ("R_n v_c 0 1e9 // note", "comments"),
    "backquotes": ("R_n v_c 0 `ls`", "braces"),
    "*# command": ("*#shell touch x", "commands"),
    "*ng_script": ("*ng_script", "commands"),
    "a card behind a comment": ("* note\n+ tc=0.5", "continuation"),
    "a card behind a blank line": ("\n+ tc=0.5", "continuation"),
    "indented": (" R_n v_c 0 1e9", "blank"),
    "an indented comment": (" * note", "blank"),
    "tab": ("R_n\tv_c 0 1e9", "ASCII"),
    "NUL": ("R_n v_c 0 1e9\0", "ASCII"),
    "CR": ("R_n v_c 0 1e9\r", "ASCII"),
    "a line of its own by CR": ("* note\r.control", "ASCII"),
    "vertical tab": ("* note\x0b.control", "ASCII"),
    "next line": ("* note\x85.control", "ASCII"),
    "line separator": ("* note\u2028.control", "ASCII"),
    "DEL": ("* note\x7f", "ASCII"),
    "byte order mark": ("\ufeff* note", "ASCII"),
    "a surrogate": ("* \ud800", "ASCII"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str) -> None:
    card, reason = PLANTED[name]
    deck, line = planted(DECKS["ltspice"], card)
    findings = found(deck)
    assert any(re.search(reason, f.reason) for f in findings), findings
    # Where it is, but for what is missing or doubled as a whole.
    lines = range(line, line + card.count("\n") + 1)
    end = deck.count("\n") + 1
    assert any(f.line in lines or f.line == end for f in findings), findings
    for finding in findings:
        assert len(finding.reason.splitlines()) == 1


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(deck: str) -> str:
        assert old in deck
        return deck.replace(old, new, 1)

    return change


CHANGED: dict[str, tuple[Callable[[str], str], str]] = {
    "uic": (replaced("2e-07\n.end", "2e-07 uic\n.end"), "uic"),
    "two fields of .tran": (replaced(" 0.05 0 2e-07", " 0.05"), "all four"),
    "one field of .tran": (lambda deck: re.sub(r"\.tran .*", ".tran 0.05", deck), "all four"),
    "a later start": (replaced(" 0.05 0 2e-07", " 0.05 0.01 2e-07"), "origin"),
    "an endless step": (replaced(" 0.05 0 2e-07", " 0.05 0 0"), "0 or less"),
    "startup": (replaced("2e-07\n.end", "2e-07 startup\n.end"), "all four"),
    "no analysis": (lambda deck: re.sub(r"\.tran.*\n", "", deck), "0 cards .tran"),
    "no end": (replaced(".end\n", ""), "not .end"),
    "text on the end": (replaced(".end\n", ".end x\n"), ".end alone"),
    "text after the end": (lambda deck: deck + "R_n v_c 0 1.0\n", "after .end"),
    ".control after the end": (lambda deck: deck + ".control\nshell ls\n.endc\n", "after .end"),
    "two ends": (lambda deck: deck + ".end\n", "after .end"),
    "another method": (replaced("method=trap", "method=euler"), "'euler'"),
    "an option twice": (replaced("method=trap", "method=trap RELTOL=1e-3"), "twice"),
    "no method": (replaced("method=trap", "method"), "''"),
    "blanks around =": (replaced("method=trap", "method = trap"), "''|'='"),
    "no title": (lambda deck: deck[1:], "title"),
    "a script": (lambda deck: "*ng_script\n" + deck, "commands"),
    "a card as title": (lambda deck: "R_n v_c 0 1.0\n" + deck, "title"),
    "a continued title": (replaced("\n", "\n+ x\n"), "continuation"),
    "lines ended by CR LF": (lambda deck: deck.replace("\n", "\r\n"), "ASCII"),
    "lines ended by CR": (lambda deck: deck.replace("\n", "\r"), "ASCII"),
    "a missing resistor": (lambda deck: re.sub(r"R_1 t1 vn.*\n", "", deck), "'t1' has no path"),
    "a port too many": (replaced("ad8561 inp", "ad8561 more inp"), "6 ports, not 5"),
    "a port renamed": (replaced("ad8561 inp", "ad8561 other"), "'inp'"),
    "a subcircuit renamed": (replaced(".subckt op482", ".subckt op_482"), "no subcircuit 'op482'"),
    "ends missing": (replaced(".ends\n", ""), "within a subcircuit"),
}


@pytest.mark.parametrize("dialect", dialects())
@pytest.mark.parametrize("name", CHANGED)
def test_a_spoilt_deck_is_found(name: str, dialect: str) -> None:
    change, reason = CHANGED[name]
    findings = found(change(DECKS[dialect]), dialect)
    assert any(re.search(reason, f.reason) for f in findings), findings


def test_the_decks_that_faults_are_planted_in_have_none() -> None:
    assert find_unportable(IDEAL) == ()
    for dialect, deck in DECKS.items():
        assert find_unportable(deck, dialect) == ()
        # Neither does their end or a harmless card more.
        assert find_unportable(deck.rstrip("\n"), dialect) == ()
        card = "* ngspice; LTspice $ // {}\n*\n\nR_new v_c 0 .5e+3\nb_new v_c 0 i=-abs(v(x,0))"
        assert find_unportable(planted(deck, card)[0], dialect) == ()


def test_findings_stand_in_the_order_of_the_netlist() -> None:
    """What is known at the end only too: here node a, which floats, and the subcircuit."""
    deck = "* t\nX1 a b s\n.subckt s p q\nX2 p q s\n.ends\nR1 b 0 1k\n.tran 0 1 0 1\n.end"
    assert [f.line for f in find_unportable(deck)] == [2, 4, 6]


def test_options_of_the_other_are_found() -> None:
    own = ".options plotwinsize=0 numdgt=15"
    assert own in DECKS["ltspice"]
    (finding,) = found(planted(DECKS["ngspice"], own)[0], "ngspice")
    assert "'plotwinsize'" in finding.reason


def test_each_dialect_has_its_own_spelling_of_vectors() -> None:
    other = {"ngspice": "ltspice", "ltspice": "ngspice"}
    for dialect, deck in DECKS.items():
        assert any("vector" in f.reason for f in found(deck, other[dialect]))
    for vector in ("V(x)", "v(x_cmp:t1)", "V(x_cmp:t1)", "i(v_pos)/2", "@m_sw[id]"):
        assert found(planted(DECKS["ngspice"], f".save {vector}")[0], "ngspice")


def test_a_step_of_0_is_ltspices() -> None:
    text = re.sub(r"\.tran \S+", ".tran 0", DECKS["ngspice"])
    (finding,) = found(text, "ngspice")
    assert "0 or less" in finding.reason


def test_a_finding_names_the_first_line_of_its_card() -> None:
    deck, line = planted(DECKS["ltspice"], "R_n v_c\n+ 0\n+ 2k2")
    (finding,) = found(deck)
    assert (finding.line, finding.text) == (line, "R_n v_c  0  2k2")


def test_findings_know_each_fault() -> None:
    deck = DECKS["ltspice"]
    for card, _ in (PLANTED["limit"], PLANTED["tab"], PLANTED[".control"]):
        deck, _ = planted(deck, card)
    assert len({f.line for f in found(deck)}) >= 3


def test_an_unknown_dialect_is_an_error() -> None:
    with pytest.raises(NetlistError, match="choose one of"):
        find_unportable(DECKS["ltspice"], "spectre")


# --- any text -----------------------------------------------------------------------------------

PIECES = ["\n", "\n+ ", "(", ")", " ", "*", ".", "0", "V(", "{", "\0", ".subckt a b\n", "\n.ends\n"]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_no_text_raises(text: str) -> None:
    for dialect in dialects():
        assert found("* t\n" + text, dialect)
        assert found(text, dialect)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(data=st.data(), real=st.booleans())
def test_no_mutated_deck_raises(data: st.DataObject, real: bool) -> None:
    text = DECKS["ltspice"] if real else IDEAL
    for _ in range(data.draw(st.integers(1, 4))):
        a, b = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        b = min(b, a + 30)
        new = data.draw(st.one_of(st.text(max_size=5), st.sampled_from(PIECES), st.just(text[a:b])))
        text = text[:a] + new + text[b:]
    for dialect in dialects():
        found(text, dialect)


HOSTILE: dict[str, Callable[[int], str]] = {
    "digits": lambda n: "R_1 a 0 " + "1" * n,
    "digits and a letter": lambda n: "B_1 a 0 I=" + "1" * n + "k",
    "digits in .ic": lambda n: ".ic V(a)=" + "1" * n + "k",
    "points": lambda n: "B_1 a 0 I=" + "1." * n,
    "exponents": lambda n: "B_1 a 0 I=" + "1e" * n,
    "parentheses": lambda n: "B_1 a 0 I=" + "(" * n,
    "closing parentheses": lambda n: ".model m vdmos(" + ") " * n + "x",
    "signs": lambda n: "B_1 a 0 I=" + "-" * n,
    "a long sum": lambda n: "B_1 a 0 I=1" + "+V(a,0)" * n,
    "blanks": lambda n: "R_1" + " " * n + "x",
    "a long name": lambda n: "R_" + "a" * n + " b 0 1",
    "continuation lines": lambda n: "I_1 0 a PWL(0 0" + "\n+ 1 1" * n + ")",
    "a long PWL": lambda n: f"I_1 0 a PWL({' '.join(map(str, range(2 * n)))})",
    "ports": lambda n: ".subckt s " + " ".join(f"p{k}" for k in range(n)) + "\n.ends",
    "a chain": lambda n: "\n".join(f"R_{k} n{k} n{k + 1} 1" for k in range(n)),
    "a chain from its end": lambda n: "\n".join(f"R_{k} n{n - k} n{n - k - 1} 1" for k in range(n)),
    "a star of subcircuits": lambda n: "".join(
        f".subckt s{k} a\nR_1 a 0 1\n.ends\nX_{k} b s{k}\n" for k in range(n)
    ),
    "subcircuits within each other": lambda n: "".join(
        f".subckt s{k} a\nX_1 a s{k + 1}\n.ends\n" for k in range(n)
    ),
    "and from the last": lambda n: "".join(
        f".subckt s{n - k} a\nX_1 a s{n - k + 1}\n.ends\n" for k in range(n)
    ),
    "a ring of subcircuits": lambda n: "".join(
        f".subckt s{k} a\nX_1 a s{(k + 1) % n}\n.ends\n" for k in range(n)
    ),
    "many calls of two": lambda n: (
        ".subckt s a\n"
        + "".join(f"X_{k} a t\n" for k in range(n))
        + ".ends\n.subckt t a\nX_1 a s\n.ends"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_its_time_grows_with_the_text(name: str) -> None:
    make = HOSTILE[name]
    size = 500

    def seconds(n: int) -> float:
        text = f"* t\n{make(n)}\n"
        taken = []
        for _ in range(3):
            start = time.process_time()
            found(text)
            taken.append(time.process_time() - start)
        return min(taken)

    seconds(100)
    # A text 8 times as long: a time that grows with the square would be 64 times as long.
    assert seconds(8 * size) < 24 * max(seconds(size), 1e-3)


# --- the functions that it allows ---------------------------------------------------------------

# LTspice's help, "B. Arbitrary Behavioral Voltage or Current Sources", lists each of these.
MEANING: dict[str, Callable[..., float]] = {
    "abs": abs,
    "asinh": math.asinh,
    "atan": math.atan,
    "cos": math.cos,
    "cosh": math.cosh,
    "exp": math.exp,
    "ln": math.log,
    "max": max,
    "min": min,
    "sin": math.sin,
    "sinh": math.sinh,
    "sqrt": math.sqrt,
    "tan": math.tan,
    "tanh": math.tanh,
    "uramp": lambda v: max(v, 0.0),
}
# exp is a straight line above 14 in ngspice's compatibility modes; no deck of ours goes there with
# a result that matters.
ARGUMENTS = [-13.9, -3.7, -1.0, -1e-9, 0.0, 1e-12, 0.3, 1.0, 2.5, 13.9]
LARGE = {"abs", "asinh", "atan", "max", "min", "sqrt", "tanh", "uramp"}


@pytest.mark.parametrize("mode", ["", "ltpsa"])
def test_ngspice_computes_every_function_that_is_allowed(tmp_path: Path, mode: str) -> None:
    assert set(MEANING) == set(_FUNCTIONS)
    cards, expected = ["* functions", "R_0 in 0 1.0"], []
    for name, function in MEANING.items():
        arguments = [*ARGUMENTS, *([-1e8, -50.0, 50.0, 1e8] if name in LARGE else [])]
        for x in arguments:
            if (x < 0 and name in ("ln", "sqrt")) or (x == 0 and name == "ln"):
                continue  # LTspice takes the real part, ngspice something large: no deck does it
            given = [x] if _FUNCTIONS[name] == 1 else [x, 0.5]
            k = len(expected)
            # An argument that only the solver knows, so that nothing is folded beforehand.
            terms = ",".join([f"V(a{k})", "0.5"][: len(given)])
            cards += [f"V_{k} a{k} 0 {x!r}", f"B_{k} b{k} 0 V={name}({terms})"]
            expected.append(function(*given))
    deck = "\n".join([*cards, ".save v(in)", ".tran 1 1 0 1", ".end"])
    assert find_unportable(deck, "ngspice") == ()
    prints = "\n".join(f"print v(b{k})" for k in range(len(expected)))
    text = deck.replace(
        ".save v(in)\n.tran 1 1 0 1", f".control\nop\nset numdgt=16\n{prints}\n.endc"
    )
    path = tmp_path / "functions.cir"
    path.write_text(text)
    done = subprocess.run(
        ["ngspice", "-n", "-b", *(["-D", f"ngbehavior={mode}"] if mode else []), str(path)],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, env=with_home(), check=False,
    )  # fmt: skip
    values = dict(re.findall(r"^v\(b(\d+)\) = (\S+)", done.stdout, re.MULTILINE))
    computed = [float(values[str(k)]) for k in range(len(expected))]
    assert computed == pytest.approx(expected, rel=1e-14, abs=1e-14)

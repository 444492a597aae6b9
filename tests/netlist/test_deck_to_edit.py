"""The deck to edit: parameters that give the same circuit, and stay one when they are stepped."""

from __future__ import annotations

import operator
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ltspice_standin import install
from own_ngspice import with_home

from spicealif.design import (
    Memristor,
    Neuron,
    PulseTrain,
    SeriesCircuit,
    device_names,
    load_preset,
    preset_names,
)
from spicealif.errors import DesignError, NetlistError
from spicealif.netlist import build_netlist, dialects, find_unportable
from spicealif.netlist._card_lines import read_cards
from spicealif.netlist._parameter_cards import Parameters
from spicealif.netlist._symbols import Symbol, acosh, engineering, maximum, minimum, sqrt, tanh
from spicealif.rawfile.raw import read_raw
from spicealif.results import load_result
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.judge import spike_times

PAPER = load_preset("paper")
SUM = {
    "kind": "sum",
    "terms": [
        {"kind": "constant", "amplitude": 1e-4},
        {"kind": "sine", "amplitude": 1e-4, "frequency": 50, "phase": 1},
        {"kind": "pulse", "amplitude": 3e-4, "frequency": 70},
        {"kind": "pwl", "t": [0, 1e-3], "i": [0, 1e-4]},
    ],
}
SINE = {"kind": "sine", "amplitude": 1e-3, "frequency": 2e4, "phase": 1, "offset": 1e-4}
#: Designs that between them take every way to write a value.
DESIGNS: dict[str, Neuron] = {
    **{name: load_preset(name) for name in preset_names()},
    **{f"{name}, ideal": load_preset(name).ideal() for name in preset_names()},
    "hot": PAPER.replace({"temperature": 350, "tc_r": 1e-4, "tc_c": -3e-5}),
    "hot and ideal": PAPER.replace({"temperature": 350, "tc_r": 1e-4}).ideal(),
    "E24": PAPER.replace({"hysteresis.series": "E24"}),
    "E96, hot": PAPER.replace({"hysteresis.series": "E96", "temperature": 350, "tc_r": 1e-4}),
    "open collector": PAPER.replace({"comparator": {"preset": "lm393"}, "hysteresis.r_a": 1e4}),
    "NPN inputs": PAPER.replace({"comparator": {"preset": "lm311"}, "hysteresis.r_a": 1e4}),
    "offsets": PAPER.replace({"comparator.v_os": -1e-3, "difference_amplifier.opamp.v_os": 2e-3}),
    "no r_s": PAPER.replace(r_s=0),
    "a sum": PAPER.replace(stimulus=SUM),
    "a fast sine": PAPER.replace(stimulus=SINE),
    "three pulses": PAPER.replace({"stimulus.n_pulses": 3}),
    "pulses after the end": PAPER.replace({"stimulus.delay": 1.0}),
    "a step": PAPER.replace(stimulus={"kind": "step", "amplitude": 1e-3}),
    "a constant": PAPER.replace(stimulus={"kind": "constant", "amplitude": 1e-3}),
    "no steering": PAPER.replace({"numerics.steering": False}),
    **{name: PAPER.replace({"leak": {"preset": name}}) for name in device_names()},
}
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+\.?\d*(?:e[-+]?\d+)?")


def in_numbers(text: str) -> list[str]:
    """Return a deck's cards with what its expressions amount to; no comments, no parameters."""
    cards = [card for _, card in read_cards(text.split("\n")) if not card.startswith("*")]
    parameters = Parameters()
    for card in cards:
        if card.startswith(".param"):
            parameters.add(card)
    return [parameters.substitute(c) if "{" in c else c for c in cards if c[:6] != ".param"]


def check_equal(
    design: Neuron | SeriesCircuit, dialect: str, rtol: float = 1e-12, **kind: Any
) -> None:
    """Check that a deck in parameters is the one in numbers, but for rounding."""
    named = in_numbers(build_netlist(design, dialect, style="parameters", **kind).text)
    plain = in_numbers(build_netlist(design, dialect, **kind).text)
    assert [_NUMBER.sub("#", c) for c in named] == [_NUMBER.sub("#", c) for c in plain]
    for a, b in zip(named, plain, strict=True):
        x, y = ([float(n) for n in _NUMBER.findall(card)] for card in (a, b))
        np.testing.assert_allclose(x, y, rtol=rtol, atol=0, err_msg=b)


@pytest.mark.parametrize("name", DESIGNS)
def test_expressions_amount_to_the_designs_own_values(name: str) -> None:
    for dialect in dialects():
        check_equal(DESIGNS[name], dialect)
        check_equal(DESIGNS[name], dialect, subcircuit=True)


FOLLOWED = [
    *("c", "v_th", "v_low", "r_s", "leak.tau", "hysteresis.r_a", "difference_amplifier.gain"),
    *("comparator.v_oh", "comparator.v_ol", "comparator.gain", "comparator.r_out"),
    *("stimulus.amplitude", "stimulus.duty", "numerics.steps_per_charge", "numerics.t_step_max"),
    *("numerics.steering_delta", "numerics.steering_parts"),
]


@settings(max_examples=60, deadline=None)
@given(
    factors=st.dictionaries(
        st.sampled_from(FOLLOWED),
        st.floats(0.2, 3),
    ),
    name=st.sampled_from(["paper", "paper, ideal", "open collector", "a fast sine", "hot"]),
)
def test_expressions_follow_other_values(factors: dict[str, float], name: str) -> None:
    neuron = DESIGNS[name]
    for path, factor in factors.items():
        value: Any = neuron
        for part in path.split("."):
            value = getattr(value, part, None)
        if value is None or (name == "open collector" and path == "comparator.v_oh"):
            continue
        try:
            neuron = neuron.replace({path: value * factor})
        except DesignError:
            continue
    check_equal(neuron, "ltspice", rtol=1e-9)


@pytest.mark.parametrize("device", device_names())
def test_series_circuits_have_parameters_too(device: str) -> None:
    for drive in ({"kind": "sine", "amplitude": 1, "frequency": 100}, SUM):
        circuit = SeriesCircuit.from_dict(
            {"device": {"preset": device}, "r_s": 100, "drive": drive, "t_stop": 0.02}
        )
        for dialect in dialects():
            check_equal(circuit, dialect)
            text = build_netlist(circuit, dialect, style="parameters").text
            assert find_unportable(text, dialect) == ()


@pytest.mark.parametrize("subcircuit", [False, True])
@pytest.mark.parametrize("style", ["numbers", "parameters"])
def test_what_ngspice_and_ltspice_read_alike(style: str, subcircuit: bool) -> None:
    for neuron in DESIGNS.values():
        for dialect in dialects():
            text = build_netlist(neuron, dialect, style=style, subcircuit=subcircuit).text
            assert find_unportable(text, dialect) == ()


def test_the_text_is_for_people(tmp_path: Path) -> None:
    text = build_netlist(PAPER, "ltspice", style="parameters").text
    for line in (".param c=100n", ".param v_th=0.4", ".param tau=5m", ".param in_amplitude=1m"):
        assert f"\n{line}\n" in text
    assert "\nC_m v_c 0 {c}\n" in text
    assert "\n.tran 0 {t_stop} 0 {t_step}\n" in text
    assert ".step param c list 50n 100n 200n" in text
    # Only what the circuit has: no figure that is checked by Python alone, nothing of a reference.
    assert not re.search(r"supply_max|v_reset|t_ref|num_h|accuracy", text)
    names = re.findall(r"(?m)^\.param (\w+)=", text)
    for name in names:
        assert re.search(rf"\{{[^}}]*\b{name}\b[^}}]*\}}", text), name


def test_what_does_not_follow_is_told() -> None:
    def head(neuron: Neuron) -> str:
        return build_netlist(neuron, style="parameters").text.split("* --- derived")[0]

    plain = head(PAPER)
    assert "of the series" not in plain and "i_peak" not in plain and "r_s is 0" not in plain
    rounded = head(DESIGNS["E24"])
    assert "resistors are of the series E24" in rounded
    assert not re.search(r"(?m)^\.param v_(th|low)=", rounded)
    assert "of the series E96" in head(DESIGNS["E96, hot"])
    assert re.search(r"(?m)^\.param i_peak=", head(DESIGNS["a sum"]))
    assert "i_peak is to be too" in head(DESIGNS["a sum"])
    assert "r_s is 0" in head(DESIGNS["no r_s"])
    assert "(76.85 degC) is no parameter" in head(DESIGNS["hot"])


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("r.x_neuron.r_b", "R_b cp spike {r_b}"),
        ("x_neuron.x_cmp.t1", "B_1 vn t1 I="),
        ("x_neuron:v_s", "X_leak v_c v_s x"),
        ("i_in1", "I_in1 0 v_c PULSE("),
        ("v_pos#branch", "V_pos v_pos 0 {supply_v_pos}"),
    ],
)
def test_what_a_simulator_complains_of_is_found_in_the_subcircuit(name: str, card: str) -> None:
    found = build_netlist(PAPER, style="parameters", subcircuit=True).find(name)
    assert found is not None
    assert found.text.startswith(card)


# --- numbers and expressions --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-7, "100n"), (0.4, "0.4"), (5e-3, "5m"), (1500.0, "1500"), (2e4, "20k"), (4e6, "4meg"),
        (-1e-3, "-1m"), (0.0, "0"), (4e-14, "40f"), (1e-18, "1e-18"), (2.8e-12, "2.8p"),
        (0.1 + 0.2, "0.30000000000000004"), (1.2345678901234567e-7, "123.45678901234566n"),
        (11400.0, "11400"), (5e9, "5g"),
    ],
)  # fmt: skip
def test_engineering_notation(value: float, text: str) -> None:
    assert engineering(value) == text


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_engineering_notation_is_exact(value: float) -> None:
    text = engineering(value)
    assert len(text) <= len(repr(value))
    found = re.fullmatch(r"(-?[\d.]+(?:e[-+]?\d+)?)(meg|[fpnumkg]?)", text)
    assert found
    power = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "meg": 6, "g": 9}
    assert float(Decimal(found[1]).scaleb(power[found[2]])) == value
    assert Parameters().evaluate(text) == value


_LEAVES = st.one_of(
    st.sampled_from([Symbol("a", 3.0), Symbol("b", 0.25), Symbol("c", -2.0)]), st.floats(0.1, 10)
)


_WAYS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def _joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def join(way: str, x: Any, y: Any) -> Any:
        if not isinstance(x, Symbol) and not isinstance(y, Symbol):
            x = Symbol("a", 3.0) * x
        if way in _WAYS:
            return _WAYS[way](x, y * y + 1.0 if way == "/" else y)
        x = x if isinstance(x, Symbol) else y
        return {
            "min": lambda: minimum(x, y), "max": lambda: maximum(x, y), "tanh": lambda: tanh(x),
            "root": lambda: acosh(sqrt(x * x) + 1.0),
        }[way]()  # fmt: skip

    ways = st.sampled_from(["+", "-", "*", "/", "min", "max", "tanh", "root"])
    return st.builds(join, ways, inner, inner)


@given(symbol=st.recursive(_LEAVES, _joined, max_leaves=12))
def test_an_expressions_text_is_its_value(symbol: Any) -> None:
    if not isinstance(symbol, Symbol):
        return
    parameters = Parameters()
    for card in (".param a=3", ".param b=0.25", ".param c=-2"):
        parameters.add(card)
    assert parameters.evaluate(symbol.text) == pytest.approx(symbol.value, rel=1e-12, abs=1e-300)
    # ngspice takes the braces away in a B source.
    assert parameters.substitute(f"B_1 a 0 V=V(a)/{symbol.braced}")


@pytest.mark.parametrize("name", ["", "a b", "a\n.control", "1a", "a}", "\u00e9"])
def test_a_symbols_name_is_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        Symbol(name, 1.0)
    for other in ("1", True, None, np.float64(1)):
        with pytest.raises(TypeError):
            _ = Symbol("a", 1.0) * other


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["", "Numbers", "params", "a\nb", "\u2029"])
def test_an_unknown_style_is_one_sentence(style: str) -> None:
    with pytest.raises(NetlistError, match="choose one of numbers, parameters") as caught:
        build_netlist(PAPER, style=style)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["c", "TAU", "r_b"])
def test_a_part_named_like_a_parameter_is_refused(name: str) -> None:
    neuron = PAPER.replace({"comparator.name": name})
    build_netlist(neuron)
    with pytest.raises(NetlistError, match=f"A part is called '{name}', which is a parameter"):
        build_netlist(neuron, style="parameters")


def test_what_cannot_be_a_subcircuit_is_refused() -> None:
    with pytest.raises(NetlistError, match="is the neuron's subcircuit too"):
        build_netlist(PAPER.replace({"mosfet.name": "ALIF"}), subcircuit=True)
    circuit = SeriesCircuit(
        device=Memristor(**Memristor.example),
        drive=PulseTrain(amplitude=1, frequency=100),
        t_stop=1e-2,
    )
    with pytest.raises(NetlistError, match="Only a neuron can be a subcircuit"):
        build_netlist(circuit, subcircuit=True)


# --- in simulators ------------------------------------------------------------------------------


def spikes_of(neuron: Neuron, **kind: Any) -> np.ndarray:
    run = get_simulator("ngspice-batch").run(build_netlist(neuron, **kind), timeout=100)
    assert run.status is Status.OK, run.message
    assert run.errors == ()
    assert run.waveforms is not None
    assert len(run.waveforms.t_spike) > 2
    return run.waveforms.t_spike


RUN = [*preset_names(), "paper, ideal", "open collector", "a sum"]


@pytest.mark.parametrize(
    "name", ["lif", *(pytest.param(n, marks=pytest.mark.slow) for n in RUN if n != "lif")]
)
def test_a_deck_to_edit_spikes_as_the_other(name: str) -> None:
    neuron = DESIGNS[name].replace(t_stop=0.6e-3 if name != "a sum" else 2e-3)
    if name == "a sum":
        neuron = neuron.replace({"stimulus.terms": [{"kind": "constant", "amplitude": 1e-3}]})
    plain = spikes_of(neuron)
    for kind in ({"style": "parameters"}, {"style": "parameters", "subcircuit": True}):
        assert np.abs(spikes_of(neuron, **kind) - plain).max() < 1e-9  # measured: below 0.05 ns


#: Parameters of the deck and the design's values, that are stepped.
STEPS: list[tuple[str, float, dict[str, float]]] = [
    ("c", 220e-9, {"c": 220e-9}),
    ("tau", 1e-4, {"leak.tau": 1e-4}),
    ("v_th", 0.5, {"v_th": 0.5}),
]


@pytest.mark.parametrize("subcircuit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_step_in_ngspice_is_the_deck_of_that_value(tmp_path: Path, subcircuit: bool) -> None:
    neuron = PAPER.replace(t_stop=0.6e-3)
    text = build_netlist(neuron, style="parameters", subcircuit=subcircuit).text
    commands = []
    for k, (name, value, _) in enumerate(STEPS):
        usual = {"c": neuron.c, "tau": neuron.leak.tau, "v_th": neuron.v_th}[name]
        commands += [f"alterparam {name}={value!r}", "reset", "run", f"write {k}.raw"]
        commands += [f"alterparam {name}={usual!r}"]
    control = "\n".join([".control", *commands, ".endc"])
    (tmp_path / "deck.cir").write_text(text.replace("\n.end\n", f"\n{control}\n.end\n"))
    subprocess.run(
        ["ngspice", "-n", "-b", "deck.cir"],
        cwd=tmp_path, env=with_home(), capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    counts = []
    for k, (_, _, change) in enumerate(STEPS):
        other = neuron.replace(change)
        (plot,) = read_raw(tmp_path / f"{k}.raw")
        stepped = spike_times(np.array(plot["time"]), np.array(plot["v(spike)"]), other)
        plain = spikes_of(other)
        counts.append(len(plain))
        assert len(stepped) == len(plain)
        assert np.abs(stepped - plain).max() < 10e-9  # measured: below 0.01 ns
    assert len(set(counts)) > 1  # the steps are steps


@pytest.mark.parametrize("mode", ["", pytest.param("ltpsa", marks=pytest.mark.slow)])
def test_a_step_in_ltspices_dialect_is_the_deck_of_that_value(tmp_path: Path, mode: str) -> None:
    neuron = PAPER.replace(t_stop=0.4e-3)
    text = build_netlist(neuron, "ltspice", style="parameters", subcircuit=True).text
    step = ".step param c list 47n 100n"
    deck = tmp_path / "deck.net"
    deck.write_text(text.replace("\n.end\n", f"\n{step}\n.end\n"))
    program = install(tmp_path / "bin", mode=mode)
    subprocess.run([program, "-b", deck], capture_output=True, timeout=100, check=True)
    for k, c in enumerate((47e-9, 100e-9), start=1):
        other = neuron.replace(c=c)
        waveforms = load_result(tmp_path / "deck.raw", other, step=k)
        plain = spikes_of(other)
        assert len(waveforms.t_spike) == len(plain)
        assert np.abs(waveforms.t_spike - plain).max() < 10e-9
        assert set(waveforms.signals) >= {"v_c", "v_mem", "x", "spike"}

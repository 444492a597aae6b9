"""The netlist: what reaches it, what cannot, and where every line of it came from."""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spicealif import solve_reference
from spicealif._support.resources import models_dir, netlists_dir
from spicealif.design import Neuron, PiecewiseLinear, load_preset, preset_names
from spicealif.errors import NetlistError, SpicealifError
from spicealif.netlist import Netlist, _environment, build_netlist, dialects, find_dialect, render
from spicealif.netlist._environment import _finalize
from spicealif.netlist._symbols import Symbol
from spicealif.netlist.render import STYLES, _Spice
from spicealif.simulators import Status, get_simulator

PAPER = load_preset("paper")
ROOTS = {"netlists": netlists_dir(), "models": models_dir()}
TEMPLATES = sorted([*models_dir().glob("parts/*.j2"), *netlists_dir().rglob("*.j2")])

# Everything that a neuron can hold, so that every number of a design appears at least once.
EVERYTHING = {
    "difference_amplifier.opamp.v_os": 1e-3,
    "comparator.v_os": 1e-3,
    "numerics.h": 1e-6,
    "t_ref": 1e-5,
    "v_reset": 0.01,
    "v_rest": 0.02,
    "leak.x_0": 0.1,
    "stimulus.delay": 1e-5,
    "stimulus.offset": 1e-5,
    "stimulus.n_pulses": 2,
    "t_stop": 3e-3,
}
REAL = PAPER.replace(EVERYTHING)
IDEAL = REAL.ideal()
NEURONS = {
    "real": REAL,
    "ideal": IDEAL,
    "lif": load_preset("lif").replace({"r_s": 100}),
    "lif, no r_s": load_preset("lif"),
    "knowm": load_preset("knowm-generic"),
    "ideal op-amp": REAL.replace({"difference_amplifier.opamp": {"kind": "ideal"}}),
    "no steering": REAL.replace({"numerics.steering": False}),
    "endless pulses": PAPER,
    "long pwl": PAPER.replace(
        {
            "stimulus": PiecewiseLinear(
                t=(np.arange(50) * 1e-3).tolist(), i=(1e-3 * np.sin(np.arange(50))).tolist()
            )
        }
    ),
    "sum": PAPER.replace(
        {
            "stimulus": {
                "kind": "sum",
                "terms": [
                    {"kind": "constant", "amplitude": 1e-4},
                    {"kind": "sine", "amplitude": 1e-4, "frequency": 50, "phase": 1},
                    {"kind": "pwl", "t": [0, 1e-3, 2e-3, 3e-3, 4e-3], "i": [0, 1e-4, 0, 1e-4, 0]},
                ],
            }
        }
    ),
}


def leaves(data: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """Give (dotted name, value) of every number in a design."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{path}{key}", value


def nudged(value: float) -> float:
    return value + 1 if isinstance(value, int) else value * (1 + 1e-6) or 1e-6


@pytest.fixture(params=dialects())
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=NEURONS)
def netlist(request: pytest.FixtureRequest, dialect: str) -> Netlist:
    return build_netlist(NEURONS[request.param], dialect)


# --- source map ---------------------------------------------------------------------------------


def as_pattern(template_line: str) -> str:
    """Turn a line of a template into a pattern for what it can print."""
    out = ""
    for part in re.split(r"(\{\{.*?\}\}|\{%.*?%\})", template_line):
        if part.startswith(("{% if", "{% for")):
            out += "(?:"
        elif part.startswith("{% end"):
            out += ")*"
        else:
            out += r"\S.*?" if part.startswith("{{") else re.escape(part)
    return out


@pytest.mark.parametrize("which", ["real", "lif, no r_s", "sum"])
@pytest.mark.parametrize("subcircuit", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_every_line_of_a_deck_to_edit_comes_from_the_template_line_named(
    which: str, style: str, subcircuit: bool, dialect: str
) -> None:
    check_source_map(build_netlist(NEURONS[which], dialect, style=style, subcircuit=subcircuit))


def test_every_line_comes_from_the_template_line_named(netlist: Netlist) -> None:
    check_source_map(netlist)


def check_source_map(netlist: Netlist) -> None:
    lines = netlist.text.splitlines()
    assert [s.text for s in netlist.source_map] == lines
    assert [s.line for s in netlist.source_map] == list(range(1, len(lines) + 1))
    # A long PWL is one line of the template and several of the netlist.
    cards: list[tuple[str, int, str]] = []
    for s in netlist.source_map:
        here = (s.template, s.template_line)
        if s.text.startswith("+ ") and cards and cards[-1][:2] == here:
            cards[-1] = (*here, f"{cards[-1][2]}\n{s.text}")
        else:
            cards.append((*here, s.text))
    for template, number, text in cards:
        kind, rest = template.split("/", 1)
        source = (ROOTS[kind] / rest).read_text().splitlines()[number - 1]
        assert re.fullmatch(as_pattern(source), text, re.DOTALL), (template, number, text)
        assert not source.startswith(("{#", "{%"))


def test_lines_of_a_template_keep_their_order(netlist: Netlist) -> None:
    for template in {s.template for s in netlist.source_map}:
        numbers = [s.template_line for s in netlist.source_map if s.template == template]
        assert numbers == sorted(numbers)


def test_components_have_their_own_lines(dialect: str) -> None:
    netlist = build_netlist(REAL, dialect)
    component = {s.text.split()[0]: s.component for s in netlist.source_map if s.text[0] not in "*"}
    assert "comparator: AD8561" in component["R_b"]
    assert "MOSFET" in component["M_sw"]
    assert "memristor" in component["B_m"]
    assert "membrane" in component["C_m"]
    assert "op-amp: OP482" in component["B_g"]
    assert component[".tran"] == "analysis"


@pytest.mark.parametrize(
    ("name", "text", "template"),
    [
        ("r_b", "R_b cp spike", "comparator_behavioural"),
        ("R_B", "R_b cp spike", "comparator_behavioural"),
        ("v_pos#branch", "V_pos v_pos 0", "supplies"),
        ("cp", "R_a v_d cp", "comparator_behavioural"),
        ("x_cmp.t1", "B_1 vn t1", "comparator_behavioural"),
        ("b.x_cmp.b_1", "B_1 vn t1", "comparator_behavioural"),
        ("i.x_op.i_q", "I_q vp vn", "opamp_behavioural"),
        ("i.x_cmp.i_q", "I_q vp vn", "comparator_behavioural"),
        ("m_sw", "M_sw v_c spike", "mosfet_vdmos"),
        ("i_in1", "I_in1 0 v_c", "stimulus"),
        ("c.x_leak.c_x", "C_x x 0", "metastable_switches"),
    ],
)
def test_find_an_element_or_node(name: str, text: str, template: str, dialect: str) -> None:
    found = build_netlist(REAL, dialect).find(name)
    assert found is not None
    assert found.text.startswith(text)
    assert f"{template}.cir.j2" in found.template
    assert str(found.line) in str(found)


def test_find_nothing_and_line_numbers() -> None:
    netlist = build_netlist(REAL)
    assert netlist.find("nothing") is None
    assert netlist.find("x_cmp.nothing") in (None, netlist.find("x_cmp"))
    last = len(netlist.text.splitlines())
    assert (netlist.line(0), netlist.line(last + 1), netlist.line(-1)) == (None, None, None)
    assert netlist.line(last).text == ".end"
    assert netlist.line(1).text.startswith("* spicealif")


# --- what reaches the netlist -------------------------------------------------------------------

# Numbers that are not in the netlist, and why.
REFERENCE_ONLY = {
    "v_reset",  # where the ideal reference puts v_c; the circuit discharges to v_low
    "t_ref",  # how long the ideal reference holds it; the circuit has its own delays
    "numerics.h",  # the reference's step
}
CHECKED_ONLY = {
    # The behavioural comparator has no limit of its inputs; the design is refused beyond it.
    "comparator.common_mode_headroom",
    "comparator.supply_max",
    "comparator.common_mode_low",
    "comparator.r_pull_up",  # of an open collector
    "difference_amplifier.opamp.supply_max",
    # Told, not refused.
    "difference_amplifier.opamp.common_mode_low",
    "difference_amplifier.opamp.common_mode_high",
}
IDEAL_ONLY = {
    # Ideal parts draw no supply current; there are no supplies in that netlist.
    "supplies.v_pos",
    "supplies.v_neg",
    "supplies.v_comparator",
    # The ideal comparator feeds back by the ratio of the resistors, which the thresholds set.
    "hysteresis.r_a",
}


#: What decides the reltol of a run that is checked, and reaches a netlist with that.
CHOSEN_ONLY = {"numerics.accuracy"}
# The largest step comes from the one of these that asks for the shortest.
STEP_LIMITS = {"numerics.t_step_max", "numerics.steps_per_charge"}


def unreached(neuron: Neuron, dialect: str, style: str = "numbers") -> set[str]:
    def text(neuron: Neuron) -> str:
        return build_netlist(neuron, dialect, style=style).text

    return {
        name
        for name, value in leaves(neuron.to_dict())
        if _same(text(neuron.replace({name: nudged(value)})), text(neuron))
    }


def _same(a: str, b: str) -> bool:
    """Whether two netlists differ by rounding at most, far below the change that was made."""
    number = re.compile(r"(?<![\w.])[-+]?\d+\.?\d*(?:e[-+]?\d+)?")
    if number.sub("#", a) != number.sub("#", b):
        return False
    x, y = (np.array([float(v) for v in number.findall(t)]) for t in (a, b))
    return bool(np.allclose(x, y, rtol=1e-12, atol=0))


def test_every_number_of_a_real_neuron_reaches_the_netlist(dialect: str) -> None:
    # The temperature coefficients have an effect at another temperature only.
    missing = unreached(REAL.replace(temperature=310), dialect)
    assert missing - STEP_LIMITS == REFERENCE_ONLY | CHECKED_ONLY | CHOSEN_ONLY
    assert len(missing & STEP_LIMITS) == 1


def test_every_number_of_an_ideal_neuron_reaches_the_netlist(dialect: str) -> None:
    missing = unreached(IDEAL.replace(temperature=310), dialect)
    assert missing - STEP_LIMITS == REFERENCE_ONLY | IDEAL_ONLY | CHOSEN_ONLY


def test_every_number_reaches_a_deck_to_edit(dialect: str) -> None:
    # There both limits of the step are part of an expression.
    for neuron, allowed in ((REAL, CHECKED_ONLY), (IDEAL, IDEAL_ONLY)):
        missing = unreached(neuron.replace(temperature=310), dialect, "parameters")
        assert missing == REFERENCE_ONLY | CHOSEN_ONLY | allowed


@pytest.mark.slow
@pytest.mark.parametrize("which", ["lif", "ideal op-amp", "endless pulses", "sum"])
def test_every_number_of_other_neurons_reaches_the_netlist(which: str, dialect: str) -> None:
    allowed = REFERENCE_ONLY | CHECKED_ONLY | CHOSEN_ONLY | STEP_LIMITS
    assert unreached(NEURONS[which].replace(temperature=310), dialect) <= allowed


def test_where_the_reltol_comes_from(dialect: str) -> None:
    words = {
        "nobody": build_netlist(REAL, dialect),
        "the design": build_netlist(REAL.replace({"numerics.reltol": 2e-7}), dialect),
        "a run": build_netlist(REAL, dialect, reltol=3e-6),
    }
    assert [n.reltol for n in words.values()] == [1e-8, 2e-7, 3e-6]
    for who, netlist in words.items():
        assert f".options reltol={netlist.reltol} " in netlist.text
        told = "* reltol is what a run took that looked for spike times within 2e-08 s "
        assert (told in netlist.text) == (who == "a run")


@pytest.mark.parametrize("name", sorted(STEP_LIMITS))
def test_the_shortest_of_the_step_limits_reaches_the_netlist(name: str, dialect: str) -> None:
    tight = {"numerics.t_step_max": 1e-8, "numerics.steps_per_charge": 1e5}[name]
    netlist = build_netlist(REAL.replace({name: tight}), dialect)
    step = REAL.c * (REAL.v_th - REAL.v_low) / REAL.stimulus.peak(REAL.t_stop) / tight
    expected = step if name == "numerics.steps_per_charge" else tight
    last = next(line for line in netlist.text.splitlines() if line.startswith(".tran"))
    assert float(last.split()[-1]) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(REFERENCE_ONLY))
def test_numbers_of_the_reference_reach_the_reference(name: str) -> None:
    neuron = REAL.replace({"t_stop": 3e-4, "stimulus.n_pulses": None})
    assert build_netlist(neuron).text == build_netlist(neuron.replace({name: 2e-6})).text
    a = solve_reference(neuron)
    b = solve_reference(neuron.replace({name: 2e-6}))
    assert len(a.t_spike) > 1
    if name == "numerics.h":
        # A good integrator's spikes hardly move with the step; its number of steps does.
        assert a.attrs["n_steps"] != b.attrs["n_steps"]
    else:
        assert len(a.t_spike) != len(b.t_spike) or abs(a.t_spike - b.t_spike).max() > 1e-7


def test_choices_reach_the_netlist(dialect: str) -> None:
    for changes in (
        {"numerics.steering": False},
        {"numerics.method": "gear"},
        {"hysteresis.series": "E24"},
        {"leak": {"kind": "resistor", "r": 1500}},
        {"r_s": 0},
    ):
        changed = build_netlist(REAL.replace(changes), dialect)
        assert changed.text != build_netlist(REAL, dialect).text


def test_values_are_written_exactly(dialect: str) -> None:
    c = 1.2345678901234567e-7
    assert f"C_m v_c 0 {c!r}\n" in build_netlist(PAPER.replace(c=c), dialect).text
    network = REAL.network
    text = build_netlist(REAL, dialect).text
    assert f"R_b cp spike {network.r_b!r}\n" in text
    assert f"V_ref ref 0 {network.v_ref!r}\n" in text


EXTREMES = [5e-324, 1e-320, 1e-300, 1e-30, 1e30, 1e300, 1.7e308, -1e-320, -1e300, -1.7e308, 0.0]


@settings(max_examples=250, deadline=None)
@given(
    which=st.sampled_from(["real", "ideal", "lif", "ideal op-amp", "endless pulses", "sum"]),
    style=st.sampled_from(STYLES),
    data=st.data(),
)
def test_whatever_the_numbers_the_netlist_is_finite_or_refused(
    which: str, style: str, data: st.DataObject
) -> None:
    neuron = NEURONS[which]
    names = [name for name, _ in leaves(neuron.to_dict())]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    value = st.one_of(st.sampled_from(EXTREMES), st.floats(allow_nan=False, allow_infinity=False))
    changes = {name: data.draw(value) for name in chosen}
    try:
        changed = neuron.replace(changes)
        text = "".join(build_netlist(changed, d, style=style).text for d in dialects())
    except SpicealifError as error:
        assert str(error).endswith(".")
        return
    assert not re.search(r"(?<![\w])(?:inf|nan)(?!\w)", text, re.IGNORECASE)


# --- what cannot reach the netlist --------------------------------------------------------------

SEPARATORS = ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


class _Text(str):
    __slots__ = ()


class _Float(float):
    __slots__ = ()


class _Symbol(Symbol):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        *(f"a{s}b" for s in SEPARATORS),
        *(f"a{s}" for s in SEPARATORS),
        *SEPARATORS,
        "",
        " ",
        "a b",
        "a.b",
        "a-b",
        "1a",
        "a;b",
        "a*",
        "`ls`",
        ".control",
        "{a}",
        "'a'",
        "é",
        "а",  # noqa: RUF001 (a Cyrillic letter)
        "a\0",
        True,
        False,
        None,
        float("nan"),
        float("inf"),
        float("-inf"),
        1j,
        b"a",
        [1.0],
        (1.0,),
        {},
        object(),
        np.float64(1.0),
        np.bool_(True),
        np.str_("a"),
        _Text("a"),
        _Float(1.0),
        _Symbol("a", 1.0),
        Symbol("a", math.inf),
        Symbol("a", 1e200) * 1e200,
        Path("a"),
        PAPER,
        jinja2.Undefined(name="x"),
    ],
    ids=lambda v: ascii(v)[:20] if isinstance(v, str) else type(v).__name__,
)
def test_finalize_refuses(value: Any) -> None:
    with pytest.raises(NetlistError) as caught:
        _finalize(value)
    assert len(str(caught.value).splitlines()) == 1
    # The same through a template of the real environment.
    environment = render.find_template(find_dialect("ngspice"), "neuron.cir.j2", None).environment
    with pytest.raises((NetlistError, jinja2.UndefinedError)):
        environment.from_string("R_1 a b {{ x }}").render(x=value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e-7, "1e-07"),
        (-0.0, "-0.0"),
        (3, "3"),
        (0.1 + 0.2, "0.30000000000000004"),
        ("trap", "trap"),
        ("_a1", "_a1"),
        (_Spice("PULSE(0 1)"), "PULSE(0 1)"),
        (Symbol("tau", 1e-3), "{tau}"),
        (2 * Symbol("r_on", 500.0), "{(2*r_on)}"),
    ],
)
def test_finalize_accepts(value: Any, text: str) -> None:
    assert _finalize(value) == text


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_finalized_numbers_are_read_back_exactly(value: float) -> None:
    assert float(_finalize(value)) == value
    assert re.fullmatch(r"[-+0-9.e]+", _finalize(value))


@given(value=st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.booleans()))
def test_finalize_never_prints_anything_but_names_and_numbers(value: Any) -> None:
    try:
        text = _finalize(value)
    except NetlistError:
        return
    assert re.fullmatch(r"-?[0-9]+|[A-Za-z_][A-Za-z0-9_]*", text)


def test_what_a_template_does_not_know_is_an_error() -> None:
    environment = render.find_template(find_dialect("ngspice"), "neuron.cir.j2", None).environment
    assert environment.undefined is jinja2.StrictUndefined
    # What is printed meets _finalize first; what is only asked for meets jinja.
    for text in ("{{ nothing }}", "{{ neuron.nothing }}", "{% if nothing %}{% endif %}"):
        with pytest.raises((jinja2.UndefinedError, NetlistError)):
            environment.from_string(text).render(neuron=PAPER)


@pytest.fixture
def broken_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a copy of the netlist templates that a test may spoil."""
    copied = tmp_path / "netlists"
    shutil.copytree(netlists_dir(), copied)
    monkeypatch.setattr(_environment, "netlists_dir", lambda: copied)
    render.find_template.cache_clear()
    yield copied
    render.find_template.cache_clear()


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("base/neuron.cir.j2", "R_1 a 0 {{ nothing }}"),
        ("base/neuron.cir.j2", "R_1 a 0 {{ neuron.nothing }}"),
        ("base/neuron.cir.j2", "{% include 'nothing.j2' %}"),
        ("base/neuron.cir.j2", "{% if %}"),
        ("base/analysis.cir.j2", "{% if %}"),
        ("base/analysis.cir.j2", "* {{ neuron.description }}"),
        ("base/analysis.cir.j2", "* {{ neuron.numerics }}"),
        ("base/analysis.cir.j2", "* {{ 1 / 0 }}"),
        ("base/analysis.cir.j2", "* \N{GREEK SMALL LETTER MU}"),
        ("base/analysis.cir.j2", "* tab\there"),
    ],
)
def test_a_broken_template_is_one_sentence(
    broken_templates: Path, dialect: str, file: str, line: str
) -> None:
    path = broken_templates / file
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(NetlistError) as caught:
        build_netlist(PAPER, dialect)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("file", ["neuron_head.cir.j2", "transient.cir.j2"])
def test_a_dialects_template_that_is_missing_is_named(
    broken_templates: Path, dialect: str, file: str
) -> None:
    (broken_templates / dialect / file).unlink()
    with pytest.raises(NetlistError, match=re.escape(file)):
        build_netlist(PAPER, dialect)
    for other in set(dialects()) - {dialect}:
        build_netlist(PAPER, other)


HOSTILE = ".control\nshell rm -rf x\n.endc\n*ng_script\n`rm x`\r.wave\u2028.include /etc/passwd"


def test_free_text_never_reaches_the_netlist(dialect: str) -> None:
    neuron = PAPER.replace(name="a_very_special_name", description=HOSTILE, source=HOSTILE)
    assert build_netlist(neuron, dialect).text == build_netlist(PAPER, dialect).text


def test_no_netlist_holds_a_command(netlist: Netlist) -> None:
    text = netlist.text.lower()
    for word in (".control", "shell", "`", "ng_script", ".inc", ".lib", ".wave", "$", "//"):
        assert word not in text
    assert text.splitlines()[0] == (
        "* spicealif: memristor-based adaptive leaky integrate-and-fire (alif) neuron"
    )


def test_netlists_are_printable_ascii(netlist: Netlist) -> None:
    assert re.fullmatch(r"[ -~\n]+", netlist.text)
    assert netlist.text.endswith(".end\n")
    assert netlist.text.count(".end\n") == 1
    assert all(len(line) < 1000 for line in netlist.text.splitlines())


# --- digest, dialects, files --------------------------------------------------------------------


def test_digest_is_that_of_the_text(netlist: Netlist) -> None:
    assert netlist.digest == hashlib.sha256(netlist.text.encode()).hexdigest()
    again = build_netlist(copy.deepcopy(netlist.neuron), netlist.dialect)
    assert again.digest == netlist.digest


@pytest.mark.slow
def test_digest_is_the_same_in_another_process() -> None:
    code = (
        "from spicealif import build_netlist, load_preset;"
        "print(build_netlist(load_preset('paper')).digest)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=dict(os.environ, PYTHONHASHSEED=seed),
        )
        assert done.stdout.strip() == build_netlist(PAPER).digest


def test_dialects() -> None:
    assert "ngspice" in dialects()
    assert "base" not in dialects()
    for bad in ("", "base", "spectre", "../netlists/ngspice", "a\nb"):
        with pytest.raises(NetlistError, match="choose one of") as caught:
            build_netlist(PAPER, bad)
        assert len(str(caught.value).splitlines()) == 1


def test_write(tmp_path: Path, dialect: str) -> None:
    netlist = build_netlist(PAPER, dialect)
    path = netlist.write(tmp_path / "new" / "folder")
    assert path.read_bytes() == netlist.text.encode("ascii")
    assert [p.name for p in path.parent.iterdir()] == ["neuron.cir"]


def test_vectors_and_signals_agree(netlist: Netlist) -> None:
    used = {vector for terms in netlist.signals.values() for _, vector in terms}
    assert used == set(netlist.vectors)
    save = next(line for line in netlist.text.splitlines() if line.startswith(".save"))
    assert save.split()[1:] == list(netlist.vectors)
    assert ("x" in netlist.signals) == (netlist.neuron.leak.kind == "mms")


# --- templates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_templates_state_their_parameters(path: Path) -> None:
    source = path.read_text()
    head = re.match(r"\{#-(.*?)-#\}", source, re.DOTALL)
    assert head, "a template begins with a comment"
    body = source[head.end() :]
    assert source.isascii()
    printed = re.findall(r"\{\{(.*?)\}\}", body)
    chains = {c for text in printed for c in re.findall(r"[a-z_][a-z_0-9.]*\.[a-z_0-9]+", text)}
    attributes = {c.rpartition(".")[2] for c in chains if not c.startswith("loop.")}
    if path.parent.name != "parts":
        return  # the frame states its input as a whole
    missing = {a for a in attributes if not re.search(rf"(?<!\w){a}(?!\w)", head[1])}
    assert not missing
    assert re.search(r"Parameters:", head[1])


# --- ngspice accepts it -------------------------------------------------------------------------

AMPLIFIERS: dict[str, dict[str, Any]] = {
    "op482": {"kind": "four-resistor"},
    "ideal op-amp": {"kind": "four-resistor", "opamp": {"kind": "ideal"}},
    "ideal amplifier": {"kind": "ideal"},
}
COMBINATIONS = list(
    itertools.product(
        AMPLIFIERS,
        ("ad8561", "ideal"),
        ("vdmos", "ideal"),
        ("mms", "resistor"),
        (True, False),
    )
)


@pytest.mark.slow
@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda c: "-".join(map(str, c)))
def test_ngspice_accepts_every_combination(combination: tuple[str, str, str, str, bool]) -> None:
    amplifier, comparator, mosfet, leak, steering = combination
    base = PAPER if leak == "mms" else load_preset("lif")
    neuron = base.replace(
        {
            "difference_amplifier": AMPLIFIERS[amplifier],
            "comparator": {"kind": comparator},
            "mosfet": {"kind": mosfet},
            "numerics.steering": steering,
            "t_stop": 250e-6,
        }
    )
    run = get_simulator("ngspice-batch").run(build_netlist(neuron), timeout=60)
    assert run.status is Status.OK, run.message
    assert run.errors == ()
    # It fires and recovers: the first spike comes at 60 us (memristor) or 115 us (resistor).
    assert len(run.waveforms.t_spike) >= 2
    assert run.waveforms["spike"][-1] < 0.1
    # No step is longer than asked for, and the first sample is t = 0.
    assert run.waveforms.time[0] == 0
    assert np.diff(run.waveforms.time).max() <= neuron.numerics.t_step_max * 1.001


@pytest.mark.parametrize("which", ["real", "long pwl", "sum", "knowm"])
def test_ngspice_accepts_full_neurons(which: str) -> None:
    neuron = NEURONS[which].replace(t_stop=20e-6)
    run = get_simulator("ngspice-batch").run(build_netlist(neuron), timeout=60)
    assert run.status is Status.OK, run.message
    assert run.errors == ()


@pytest.mark.parametrize("name", preset_names())
def test_ngspice_starts_from_rest(name: str) -> None:
    neuron = load_preset(name).replace(t_stop=2e-6)
    for n in (neuron, neuron.ideal()):
        run = get_simulator("ngspice-batch").run(build_netlist(n), timeout=60)
        assert run.waveforms["v_c"][0] == pytest.approx(n.v_rest, abs=1e-6)
        if "x" in run.waveforms:
            assert run.waveforms["x"][0] == pytest.approx(n.leak.x_0, abs=1e-6)

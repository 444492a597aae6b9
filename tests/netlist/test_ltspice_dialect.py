"""The LTspice dialect: the same circuit as ngspice's, in words that LTspice documents."""

from __future__ import annotations

import math
import re
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from ltspice_standin import install
from own_ngspice import with_home
from shared_runs import SharedRuns

from spicealif import find_reltol
from spicealif._support.resources import models_dir, netlists_dir
from spicealif.cli import cli
from spicealif.design import Neuron, PulseTrain, Sine, Stimulus, Sum, load_preset, preset_names
from spicealif.errors import NetlistError
from spicealif.netlist import Netlist, build_netlist, dialects, find_dialect
from spicealif.simulators import Run, Status, get_simulator
from spicealif.simulators.ltspice.runner import Ltspice

PAPER = load_preset("paper")
#: Every variant of every part is in one of them.
NEURONS = {
    name + suffix: neuron
    for name in preset_names()
    for suffix, neuron in (("", load_preset(name)), (", ideal", load_preset(name).ideal()))
}


def run_by_ltspice(neuron: Neuron, folder: Path, mode: str) -> Run:
    """Return the stand-in's run of LTspice's deck."""
    run = Ltspice(install(folder, mode=mode)).run(build_netlist(neuron, "ltspice"), timeout=300)
    assert run.status is Status.OK, run.message
    return run


@cache
def run_by_ngspice(neuron: Neuron) -> Run:
    """Return ngspice's run of its own deck, which is the same for both of LTspice's modes."""
    run = get_simulator("ngspice-batch").run(build_netlist(neuron), timeout=300)
    assert run.status is Status.OK, run.message
    return run


def both_runs(neuron: Neuron, folder: Path, mode: str) -> tuple[Run, Run]:
    """Return ngspice's run of its own deck, and the stand-in's of LTspice's."""
    return run_by_ngspice(neuron), run_by_ltspice(neuron, folder, mode)


# --- one design, two dialects -------------------------------------------------------------------


@pytest.mark.slow
def test_both_decks_agree_over_the_whole_of_the_papers_run(
    tmp_path: Path, shared_runs: SharedRuns
) -> None:
    # ngspice's compatibility mode is the harder one: it makes a straight line of exp above 14. The
    # circuit has no such exp any more.
    run = shared_runs.cosimulated(PAPER).run
    same = PAPER.replace({"numerics.reltol": run.netlist.reltol})
    ltspice = run_by_ltspice(same, tmp_path, "ltpsa")
    assert PAPER.t_stop == 50e-3
    a = run.require().t_spike
    b = ltspice.require().t_spike
    assert len(a) == len(b) == 229
    assert np.abs(a - b).max() < 2e-9  # measured: 0.07 ns


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["", "ltpsa"])
@pytest.mark.parametrize("name", NEURONS)
def test_both_decks_agree(tmp_path: Path, name: str, mode: str) -> None:
    neuron = NEURONS[name].replace(t_stop=2e-3)
    ngspice, ltspice = both_runs(neuron, tmp_path, mode)
    a, b = ngspice.waveforms.t_spike, ltspice.waveforms.t_spike
    assert len(a) == len(b) >= 10
    assert np.abs(a - b).max() < (1e-9 if mode else 1e-15)
    # The quantities have the same names and signs, supply currents included.
    assert ngspice.netlist.signals.keys() == ltspice.netlist.signals.keys()
    for quantity in ngspice.netlist.signals:
        x, y = (run.waveforms[quantity] for run in (ngspice, ltspice))
        assert y[0] == pytest.approx(x[0], rel=1e-6, abs=1e-9)
        assert np.mean(y) == pytest.approx(np.mean(x), rel=1e-3, abs=1e-9)
        if not mode:
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", NEURONS)
def test_the_circuit_is_the_same_line_by_line(name: str) -> None:
    """What is not spelling is the same text, so that every parameter reaches both decks."""
    lines = [build_netlist(NEURONS[name], d).text.splitlines() for d in ("ngspice", "ltspice")]
    own = [
        [line for line in mine if line not in other]
        for mine, other in zip(lines, lines[::-1], strict=True)
    ]
    assert [{line.split()[0] for line in part} for part in own] == [
        {"*", ".ic", ".save", ".tran"},
        {"*", ".ic", ".save", ".options", ".tran"},
    ]
    spelled = [[line.upper() for line in part if line.startswith((".ic", ".save"))] for part in own]
    assert spelled[0] == spelled[1]
    for part in own:
        transient = next(line for line in part if line.startswith(".tran")).split()
        assert [float(t) for t in transient[2:]] == [
            NEURONS[name].t_stop, 0, NEURONS[name].t_step_max,
        ]  # fmt: skip


# --- what LTspice's help says -------------------------------------------------------------------


def test_ltspices_result_is_kept_whole() -> None:
    """.OPTIONS: plotwinsize=0 turns compression off, numdgt above 6 stores doubles."""
    text = build_netlist(PAPER, "ltspice").text
    assert re.search(r"^\.options plotwinsize=0 numdgt=15$", text, re.MULTILINE)
    assert "plotwinsize" not in build_netlist(PAPER).text
    # .TRAN: Tstep may be 0, and needs no plotting increment then; uic is not wanted.
    assert re.search(r"^\.tran 0 0\.05 0 [-+.e0-9]+$", text, re.MULTILINE)


# Defaults by LTspice's help, "M. MOSFET", for what the card leaves out; ngspice's 1e15 ohm and
# 1e99 V are its infinities. Other parameters are ngspice's own and do nothing by default.
VDMOS_DEFAULTS = {
    **{"phi": 0.6, "lambda": 0, "rds": math.inf, "rb": 0, "bv": math.inf, "ibv": 1e-10, "nbv": 1},
    **{"n": 1, "tt": 0, "eg": 1.11, "xti": 3, "m": 0.5, "fc": 0.5, "a": 1, "mu": -1.5, "tcvth": 0},
    **{"ksubthres": 0, "vj": 1},
}


def test_what_the_mosfets_card_leaves_out_is_alike_in_both(tmp_path: Path) -> None:
    source = (models_dir() / "parts" / "mosfet_vdmos.cir.j2").read_text()
    given = set(re.findall(r"(\w+)=", source[source.index(".model") :]))
    path = tmp_path / "show.cir"
    path.write_text(
        "* defaults\nM_1 d d 0 m\nV_1 d 0 1\n.model m vdmos(vto=1)\n"
        ".control\nop\nshowmod m_1\n.endc\n.end\n"
    )
    done = subprocess.run(
        ["ngspice", "-n", "-b", str(path)],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, env=with_home(), check=False,
    )  # fmt: skip
    ngspice = {
        name: float(value)
        for name, value in re.findall(r"^ *(\w+) +([-+.e0-9]+)$", done.stdout, re.MULTILINE)
    }
    differ = {
        name
        for name, value in VDMOS_DEFAULTS.items()
        if ngspice[name] != value and not (value == math.inf and ngspice[name] >= 1e15)
    }
    assert differ == {"ksubthres", "vj"}
    assert differ <= given


SOURCES: dict[str, Stimulus] = {
    "sine": Sine(amplitude=2e-3, frequency=700, offset=1e-3, delay=3e-4, phase=0.7),
    "sine, negative phase": Sine(amplitude=2e-3, frequency=700, delay=3e-4, phase=-8.0),
    "pulse": PulseTrain(amplitude=1e-3, frequency=900, duty=0.3, delay=2e-4, t_fall=3e-5),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_mean_what_ltspices_help_says(tmp_path: Path, name: str) -> None:
    """The deck's source by LTspice's formulas, by ngspice, and by the design."""
    stimulus = SOURCES[name]
    (text,) = stimulus.spice(2e-3)
    fields = [float(f) for f in re.findall(r"[-+.e0-9]+(?=[ )])", text)]
    time = np.arange(0, 2e-3, 1e-5)
    if isinstance(stimulus, Sine):
        offset, amplitude, frequency, delay, damping, phase = fields
        after = np.maximum(time - delay, 0)  # before Td: Voffset + Vamp sin(pi Phi / 180)
        helped = offset + amplitude * np.exp(-after * damping) * np.sin(
            2 * np.pi * frequency * after + np.pi * phase / 180
        )
    else:
        low, high, delay, rise, fall, on, period = fields
        into = np.where(time < delay, period, np.mod(time - delay, period))
        corners = [0, rise, rise + on, rise + on + fall, period]
        helped = np.interp(into, corners, [low, high, high, low, low])
    np.testing.assert_allclose(helped, stimulus.value(time), rtol=1e-9, atol=1e-15)
    deck = f"* source\nI_1 0 a {text}\nR_1 a 0 1.0\n.save v(a)\n.tran 1e-05 0.002 0 1e-05\n.end\n"
    (tmp_path / "source.cir").write_text(deck.replace(".end\n", (
        ".control\nrun\nset wr_singlescale\nset numdgt=12\nwrdata out.txt v(a)\n.endc\n.end\n"
    )))  # fmt: skip
    subprocess.run(
        ["ngspice", "-n", "-b", "source.cir"],
        capture_output=True, timeout=60, cwd=tmp_path, env=with_home(), check=False,
    )  # fmt: skip
    t, v = np.loadtxt(tmp_path / "out.txt").T
    assert t[-1] == pytest.approx(2e-3)
    np.testing.assert_allclose(v, stimulus.value(t), rtol=1e-6, atol=1e-9)


def test_no_line_begins_with_what_is_a_card_to_one_of_them() -> None:
    """Elements and cards are those that both have; the rest are comments or continued lines."""
    three = Sum(
        terms=[
            {"kind": "constant", "amplitude": 1e-4},
            {"kind": "sine", "amplitude": 1e-4, "frequency": 50},
            {
                "kind": "pwl",
                "t": [k * 1e-3 for k in range(20)],
                "i": [k % 2 * 1e-4 for k in range(20)],
            },
        ]
    )
    for neuron in (PAPER.replace(stimulus=three), PAPER.ideal(), load_preset("lif")):
        lines = build_netlist(neuron, "ltspice").text.splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            assert re.match(r"\*( |$)|\+ |[RCBIVEGMX]_\w+ |\.[a-z]+", line), line
            # A continued line follows its card.
            assert not (line.startswith("+") and before.startswith("*"))
        assert lines[-1] == ".end"


# --- the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.cir", "x.net", "x.sp"])
def test_the_command_writes_a_file_for_ltspice(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    words = ["netlist", "paper", "--dialect", "ltspice", "--no-check", "-o", str(path)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    content = path.read_bytes()
    assert content == build_netlist(PAPER, "ltspice").text.encode("ascii")
    assert content.endswith(b".end\n")
    assert b"\r" not in content
    head = content.decode().split("*\n")[0]
    # What it is, who reads it, what to do with it, and how the result comes back.
    assert head.startswith("* spicealif: memristor-based adaptive leaky integrate-and-fire")
    for words in ("Units: V, A, s, ohm, F", "For LTspice", "press Run", "V(v_c)-V(v_s)", ".raw"):
        assert words in head
    assert "spicealif compare thisfile.raw --neuron NEURON" in head
    assert all(line.startswith("* ") for line in head.splitlines())


@pytest.mark.slow
def test_a_netlist_for_ltspice_takes_the_reltol_that_ngspice_needed(tmp_path: Path) -> None:
    path = tmp_path / "neuron.net"
    words = ["netlist", "paper", "-s", "t_stop=1m", "--dialect", "ltspice", "-o", str(path)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    found = find_reltol(PAPER.replace(t_stop=1e-3), "ngspice-batch")
    assert found is not None
    assert 0 < found.error < 20e-9
    assert f".options reltol={found.reltol} " in path.read_text()
    said = f"Note: reltol {found.reltol:g}, with which spike times in ngspice are within "
    assert said in done.stderr
    given = PAPER.replace({"numerics.reltol": 1e-6})
    assert find_reltol(given) is None


def test_what_the_head_says_to_plot_is_saved() -> None:
    for dialect in dialects():
        netlist = build_netlist(PAPER, dialect)
        head = netlist.text.split("*\n")[0]
        asked = set(re.findall(r"(?<![A-Za-z])[vV]\(\w+\)", head.partition("Open")[2] or head))
        spelled = {v for v in asked if v in netlist.vectors}
        assert {v.lower() for v in asked} == {v.lower() for v in spelled}
        assert len(spelled) >= 3


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x_cmp:t1", "B_1 vn t1"),
        ("V(x_cmp:t1)", None),
        ("X_CMP:B_1", "B_1 vn t1"),
        ("b:x_cmp:b_1", "B_1 vn t1"),
        ("x_leak:c_x", "C_x x 0"),
        ("X_op:g", "B_g 0 g"),
        ("R_B", "R_b cp spike"),
        ("V_pos", "V_pos v_pos 0"),
        ("cp", "R_a v_d cp"),
        ("x_cmp", "X_cmp cp ref"),
        ("", None),
        (":", None),
    ],
)
def test_find_knows_ltspices_spelling(name: str, text: str | None) -> None:
    line = build_netlist(PAPER, "ltspice").find(name)
    assert (line is None) if text is None else (line is not None and line.text.startswith(text))


def test_a_name_is_found_alike_in_both_dialects() -> None:
    decks = [build_netlist(PAPER, dialect) for dialect in dialects()]

    def where(netlist: Netlist, name: str) -> tuple[str, int, str] | None:
        line = netlist.find(name)
        return line and (line.template, line.template_line, line.component)

    for inner in ("x_cmp.t1", "x_op.b_g", "x_leak.x"):
        for name in (inner, inner.replace(".", ":"), inner.upper()):
            assert where(decks[0], name) == where(decks[1], name) is not None


def test_vectors_are_spelled_per_dialect() -> None:
    ngspice, ltspice = (build_netlist(PAPER, d) for d in ("ngspice", "ltspice"))
    assert ngspice.vectors[:2] == ("v(v_c)", "v(v_s)")
    assert ltspice.vectors[:2] == ("V(v_c)", "V(v_s)")
    assert [v.lower() for v in ltspice.vectors] == list(ngspice.vectors)
    assert set(ngspice.vectors).isdisjoint(ltspice.vectors)
    for netlist in (ngspice, ltspice):
        spelling = find_dialect(netlist.dialect)
        assert spelling.voltage.format("spike") in netlist.vectors
        assert spelling.current.format("v_pos") in netlist.vectors
        assert netlist.dialect == spelling.name
        assert netlist.signals["v_mem"] == ((1.0, netlist.vectors[0]), (-1.0, netlist.vectors[1]))
    assert ngspice.digest != ltspice.digest


def test_dialects_are_known_by_name() -> None:
    assert dialects() == ["ltspice", "ngspice"]
    assert [find_dialect(d).separator for d in dialects()] == [":", "."]
    for bad in ("", "LTspice", "base", "a\nb"):
        with pytest.raises(NetlistError, match="choose one of ltspice, ngspice"):
            find_dialect(bad)


def test_each_dialect_has_the_same_templates_and_the_base_includes_them() -> None:
    folders = {p.name: {f.name for f in p.iterdir()} for p in netlists_dir().iterdir()}
    base = folders.pop("base")
    assert sorted(folders) == dialects()
    (names,) = {frozenset(files) for files in folders.values()}
    assert names == {
        "network_head.cir.j2",
        "neuron_head.cir.j2",
        "series_head.cir.j2",
        "transient.cir.j2",
    }
    assert names.isdisjoint(base)
    included = {
        name
        for path in (netlists_dir() / "base").iterdir()
        for name in re.findall(r'{% include "([^"]+)"(?: ignore missing)? %}', path.read_text())
    }
    assert names <= included

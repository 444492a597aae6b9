"""Parts by data sheet: presets, files, what is refused and what is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from spicealif import build_netlist, cosimulate, load_preset, load_toml, parse_toml, verify
from spicealif.cli.main import run
from spicealif.design import OpAmp, dump_toml, schema
from spicealif.design.parts.store import PARTS, load_part, part_names
from spicealif.errors import DesignError
from spicealif.netlist import find_unportable

PAPER = load_preset("paper").replace(t_stop=2e-3)
TABLES = {"opamp": "difference_amplifier.opamp", "comparator": "comparator", "mosfet": "mosfet"}
EVERY = [(kind, name) for kind in PARTS for name in part_names(kind)]
#: Why these do not go into the paper's circuit.
REFUSED = {
    "lt1016": "is below its input range, which begins at 1.25 V",
}
USED = [(kind, name) for kind, name in EVERY if name not in REFUSED]


def part_of(neuron, kind):
    for step in TABLES[kind].split("."):
        neuron = getattr(neuron, step)
    return neuron


def with_part(kind, name, **more):
    part = load_part(kind, name)
    changes = {f"{TABLES[kind]}.preset": name, **more}
    stands = part.values.get("supply_max", 36.0)
    if kind == "opamp" and stands < 10:
        changes |= {"supplies.v_pos": stands / 2, "supplies.v_neg": -stands / 2}
    return PAPER.replace(changes)


def test_there_are_enough_of_each():
    assert len(part_names("opamp")) >= 6
    assert len(part_names("comparator")) >= 6
    assert len(part_names("mosfet")) >= 6


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda v: v)
def test_every_value_has_its_source(kind, name):
    part = load_part(kind, name)
    assert part.title
    assert part.source
    assert set(part.values) == set(part.sources)
    assert all(part.sources.values())


@pytest.mark.parametrize("name", REFUSED)
def test_a_part_that_cannot_work_here_is_refused(name):
    with pytest.raises(DesignError, match=REFUSED[name]):
        with_part("comparator", name)


@pytest.mark.parametrize(("kind", "name"), USED, ids=lambda v: v)
def test_a_preset_is_in_the_netlist_under_its_own_name(kind, name):
    neuron = with_part(kind, name)
    given = part_of(neuron, kind)
    assert given.name == name
    for key, value in load_part(kind, name).values.items():
        assert getattr(given, key) == value
    for dialect in ("ngspice", "ltspice"):
        text = build_netlist(neuron, dialect).text
        title = name[1:] if kind == "mosfet" and name[1:2].isdigit() else name
        assert f": {title.upper()} " in text
        assert f" {name}" in text
        assert find_unportable(text, dialect) == ()
    # What a file says is what it was made from.
    assert parse_toml(dump_toml(neuron)) == neuron


def test_the_former_parts_are_presets_and_former_kinds_are_read():
    for kind, name in (("opamp", "op482"), ("comparator", "ad8561"), ("mosfet", "n2n7002")):
        assert with_part(kind, name) == PAPER
    former = {"comparator.kind": "ad8561", "difference_amplifier.opamp.kind": "op482"}
    assert PAPER.replace(former) == PAPER


def test_a_part_s_name_is_welcome_as_its_kind():
    name = "difference_amplifier.opamp"
    by_kind = PAPER.replace({f"{name}.kind": "tl072"})
    assert by_kind == PAPER.replace({f"{name}.preset": "tl072"})
    changed = PAPER.replace({f"{name}.preset": "tl072", f"{name}.v_os": 1e-3})
    assert changed.difference_amplifier.opamp.v_os == 1e-3
    # Of the part before nothing is left.
    slow = PAPER.replace({f"{name}.slew_rate": 1e5}).replace({f"{name}.preset": "tl072"})
    assert slow == by_kind


def test_a_file_of_one_s_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\npart = "opamp"\n[values]\nslew_rate = 2e6\n')
    neuron = PAPER.replace({"difference_amplifier.opamp.file": str(path)})
    assert neuron.difference_amplifier.opamp == OpAmp(name="mine", slew_rate=2e6)
    assert "* --- op-amp: MINE ---" in build_netlist(neuron).text


def test_a_file_beside_the_neuron_s_own(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text('part = "mosfet"\n[values]\nkp = 0.3\n')
    text = 'preset = "paper"\n[mosfet]\nfile = "mine.toml"\n'
    (tmp_path / "neuron.toml").write_text(text)
    monkeypatch.chdir("/")
    neuron = load_toml(tmp_path / "neuron.toml")
    assert (neuron.mosfet.name, neuron.mosfet.kp) == ("mine", 0.3)
    validator = jsonschema.Draft202012Validator(schema())
    whole = PAPER.to_dict()
    for table in ({"preset": "bss138"}, {"file": "mine.toml"}, whole["mosfet"]):
        assert validator.is_valid({**whole, "mosfet": table})
    assert not validator.is_valid({**whole, "mosfet": {"preset": "nosuch"}})


def test_two_parts_of_one_name_are_refused():
    with pytest.raises(DesignError, match="Two parts are called 'ad8561'"):
        PAPER.replace({"difference_amplifier.opamp.name": "AD8561"})
    with pytest.raises(DesignError, match="Two parts are called 'mms_memristor'"):
        PAPER.replace({"mosfet.name": "mms_memristor"})


WRONG = {
    "an unknown part": ("opamp", {"preset": "tl07"}, r"'tl07' is neither .* did you mean 'tl07"),
    "an unknown kind": ("opamp", {"kind": "tl99"}, r"'tl99' is no kind of op-amp; .*tl072"),
    "a part of another kind": (
        "comparator",
        {"preset": "tl072"},
        r"neither one of the comparators",
    ),
    "two names": ("opamp", {"preset": "tl072", "file": "a.toml"}, r"both name a part"),
    "no path": ("opamp", {"file": 3}, r"is not a path"),
    "an empty name": ("comparator", {"preset": " "}, r"name of the comparator is empty; .*lm393"),
    "an empty path": ("opamp", {"file": ""}, r"opamp\.file is empty"),
    "no such file": ("opamp", {"file": "nosuch.toml"}, r"nosuch"),
    "a kind and a part": ("opamp", {"preset": "tl072", "kind": "ideal"}, r"does not go with"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_names(name):
    kind, table, said = WRONG[name]
    with pytest.raises(DesignError, match=said) as caught:
        PAPER.replace({f"{TABLES[kind]}.{key}": value for key, value in table.items()})
    assert "\n" not in str(caught.value)


FILES = {
    "no table": 'part = "opamp"\n',
    "no part": "[values]\nslew_rate = 1e6\n",
    "another part": 'part = "mosfet"\n[values]\nkp = 0.1\n',
    "unknown key": 'part = "opamp"\n[values]\nslewrate = 1e6\n',
    "out of range": 'part = "opamp"\n[values]\nslew_rate = -1.0\n',
    "no name for a netlist": 'part = "opamp"\nname = "a b"\n[values]\nslew_rate = 1e6\n',
    "not TOML": "part: opamp\n",
}


@pytest.mark.parametrize("name", FILES)
def test_wrong_files(name, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILES[name])
    with pytest.raises(DesignError) as caught:
        PAPER.replace({"difference_amplifier.opamp.file": str(path)})
    assert "\n" not in str(caught.value)


def test_what_a_part_does_not_stand_is_refused():
    with pytest.raises(DesignError, match=r"op482 is supplied with 45 V and stands 36 V"):
        PAPER.replace({"supplies.v_pos": 40.0})
    with pytest.raises(DesignError, match=r"comparator.*ad8561|ad8561 is supplied"):
        PAPER.replace({"supplies.v_comparator": 30.0})


def test_what_real_parts_would_not_do_is_told(capsys, tmp_path):
    assert PAPER.doubts == []
    (far,) = PAPER.replace({"difference_amplifier.opamp.common_mode_low": 6.0}).doubts
    assert far.startswith("The op-amp op482 senses 1 V to 5 V")
    late, lost = PAPER.replace({"comparator.t_delay": 1e-4}).doubts
    assert "counts as no spike" in lost
    assert "its delay sets the rate" in late
    code = run(["netlist", "paper", "-s", "comparator.t_delay=100u", "-o", str(tmp_path / "a.cir")])
    assert code == 0
    assert "its delay sets the rate" in capsys.readouterr().err


def test_presets_are_listed_and_printed(capsys):
    assert run(["presets", "--parts"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for _, name in EVERY)
    assert run(["presets", "tl072"]) == 0
    assert "[sources]" in capsys.readouterr().out
    assert run(["presets", "--parts", "paper"]) == 1
    assert "There is no part 'paper'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [("opamp", "lm358"), ("opamp", "tl072"), ("comparator", "lt1719"), ("comparator", "lm311"),
     ("comparator", "lm393"),
     ("comparator", "tlv3501"),
     ("mosfet", "bss138")],
)  # fmt: skip
def test_ngspice_and_equations_agree(kind, name):
    """All of them over 50 ms: scripts/part_presets.py."""
    result = cosimulate(with_part(kind, name), "ngspice-batch")
    assert result.check is not None
    assert result.check.reached
    assert result.check.spikes[0] == result.check.spikes[1] > 3
    for measure in ("isi_mean", "supply_energy_per_spike", "v_c_peak"):
        figure = result.comparison.of_a[measure]
        assert abs(result.check.errors[measure]) < 1e-3 * abs(figure), measure


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tl072", "lm311", "bss123"])
def test_a_part_by_itself_has_its_data_sheet_s_figures(name):
    """All of them: scripts/isolated_parts.py, which writes the table of docs/any_part.md."""
    script = Path(__file__).parents[2] / "scripts" / "isolated_parts.py"
    done = subprocess.run(
        [sys.executable, str(script), "--only", name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (script.parents[1] / "docs" / "any_part.md").read_text(encoding="utf-8")
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 5
    assert all(row in page for row in rows)


@pytest.mark.slow
def test_an_open_collector_s_spikes_by_every_route():
    """SciPy's solver, which `verify` takes, looks for half of the swing that the pull-up leaves."""
    found = verify(with_part("comparator", "lm393").replace(t_stop=3e-4))
    assert found.ok
    assert found.matched >= 3


def test_an_open_collector_s_thresholds_are_those_asked_for():
    """Its low level has the pull-up and the transistor behind it, its high level the pull-up."""
    for name in ("lm311", "lm393"):
        neuron = PAPER.replace({"comparator.preset": name, "comparator.r_pull_up": 2.2e3})
        c, network = neuron.comparator, neuron.network
        ours = (network.v_high, network.v_low)
        assert ours == pytest.approx((neuron.v_th, neuron.v_low), rel=1e-9)
        # By Kirchhoff: the comparator's input is at the reference while the output is low, or high.
        for level, v_0, g_0 in ((ours[0], c.v_ol, 1 / c.r_out), (ours[1], 0.0, 0.0)):
            g_p, g_b = 1 / c.r_pull_up, 1 / network.r_b
            out = (c.v_oh * g_p + v_0 * g_0 + network.v_ref * g_b) / (g_p + g_0 + g_b)
            current = (level - network.v_ref) / network.r_a
            assert current == pytest.approx((network.v_ref - out) * g_b, rel=1e-9)
    with pytest.raises(DesignError, match="pulled up to its supply of 5 V, and v_oh is 4 V"):
        PAPER.replace({"comparator.preset": "lm393", "comparator.v_oh": 4.0})


def test_bias_of_each_input_pair():
    """Out of a PNP pair's lower input flows all of it, into an NPN pair's higher one."""
    from spicealif.circuit import circuit_parameters
    from spicealif.circuit import layout as at

    slopes = {"pnp": 1.0, "npn": -1.0, "cmos": 0.0}
    for pair, slope in slopes.items():
        p = circuit_parameters(PAPER.replace({"comparator.input": pair})).values
        assert p[at.P_COMPARATOR_BIAS_SLOPE] == slope
    spikes = {}
    for pair in slopes:
        neuron = PAPER.replace(
            {"comparator.input": pair, "comparator.i_bias": 2e-5, "t_stop": 4e-4}
        )
        result = cosimulate(neuron, "ngspice-batch")
        assert result.check is not None
        assert result.check.worst < 20e-9
        spikes[pair] = result.run.require().t_spike[0]
    assert len({round(t, 9) for t in spikes.values()}) == 3


def test_a_package_brings_a_part(monkeypatch, tmp_path):
    path = tmp_path / "theirs.toml"
    path.write_text('name = "theirs"\npart = "mosfet"\n[values]\nkp = 0.3\n')
    from spicealif.design.parts import store

    class Theirs:
        found = ()

        def load(self, name):
            return os.fspath(path), "The part 'theirs' of somebody 1.0"

    monkeypatch.setattr(store, "_added", Theirs)
    monkeypatch.setattr(store, "_others", lambda: frozenset({"theirs"}))
    assert PAPER.replace({"mosfet.preset": "theirs"}).mosfet.kp == 0.3
    assert np.isfinite(PAPER.r_ds_on)

"""``--json``, ``--all``, ``-v`` and ``-q``: alike in every command."""

import json
import subprocess
import sys

import pytest
from all_commands import every_command

from spicealif import load_preset, load_waveforms, solve_reference
from spicealif.cli._answer import _plain
from spicealif.cli.main import run
from spicealif.measures.one_side import MEASURES
from spicealif.measures.tables import MAIN_MEASURES

SHORT = ["-s", "t_stop=1m"]
EQUATIONS = [*SHORT, "--simulator", "equations", "--no-figures"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capsys, *arguments, code=0):
    """What a command prints with --json, which must be all that it prints."""
    assert run([*arguments, "--json"]) == code
    seen = capsys.readouterr()
    return json.loads(seen.out), seen.err


def test_every_command_takes_them():
    for name, command in every_command():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"-q", "-v"} <= options, name
        assert "--json" in options or name == "completion", name
        (as_json,) = [p for p in command.params if "--json" in p.opts] or [None]
        assert as_json is None or as_json.is_flag, name


def test_a_run_with_its_comparison_and_its_place(here, capsys):
    found, _ = answer(capsys, "run", "paper", *EQUATIONS, "-o", "results")
    assert found["status"] == "OK"
    assert found["folder"] == "results"
    saved = json.loads((here / "results" / "comparison.json").read_text())
    assert found["comparison"] == saved


def test_results_that_are_replaced_are_told(here, capsys):
    command = ["run", "lif", *EQUATIONS, "-o", "results"]
    assert run(command) == 0
    assert "Replaced" not in capsys.readouterr().err
    assert run(command) == 0
    assert "Replaced the results in 'results'.\n" in capsys.readouterr().err
    # A run that stops leaves them as they are.
    long = ["run", "lif", "-s", "t_stop=20", *EQUATIONS[2:], "--timeout", "0.5", "-o", "results"]
    assert run([*long, "--yes"]) == 1
    assert "Replaced" not in capsys.readouterr().err
    assert (here / "results-stopped").is_dir()


def test_sides_have_spike_times_to_the_last_bit(here, capsys):
    found, _ = answer(capsys, "reference", "lif", *SHORT, "-o", "r.nc")
    assert found["t_spike"] == load_waveforms("r.nc").t_spike.tolist()
    found, _ = answer(
        capsys, "simulate", "lif", *SHORT, "--simulator", "equations", "-o", "c.nc"
    )  # fmt: skip
    assert found["t_spike"] == load_waveforms(found["file"]).t_spike.tolist()


def test_what_is_printed_for_people_is_left_out(here, capsys):
    assert answer(capsys, "netlist", "lif")[0]["text"].startswith("* spicealif")
    assert not list(here.iterdir())
    assert answer(capsys, "presets", "lif")[0]["leak"]["kind"] == "resistor"
    assert {n["name"] for n in answer(capsys, "presets")[0]["neurons"]} >= {"lif", "paper"}
    assert "op482" in str(answer(capsys, "presets", "--parts")[0]["opamps"])
    assert answer(capsys, "schema")[0]["title"] == "Neuron"
    assert answer(capsys, "schematic", "lif", "-o", "lif.svg")[0]["files"] == ["lif.svg"]
    found, _ = answer(capsys, "cite", "lif")
    assert found["bibtex"].startswith("% the program")


def test_sweeps_and_what_is_made_of_them(here, capsys):
    over = ["--over", "c=47n,100n", "--sides", "reference", "--workers", "1", "--store", "s"]
    found, _ = answer(capsys, "sweep", "lif", *SHORT, *over, "-o", "s.nc")
    assert (found["points"], found["failed"], found["file"]) == (2, 0, "s.nc")
    assert answer(capsys, "plot", "s.nc", "-o", "s.svg")[0]["files"] == ["s.svg"]
    assert answer(capsys, "store", "list", "--store", "s")[0]["results"] == 2
    found, _ = answer(capsys, "export", "s.nc", "-o", "s.csv")
    assert (found["rows"], found["columns"][:2]) == (2, ["c [F]", "side"])


def test_an_error_leaves_standard_output_empty(here, capsys):
    assert run(["run", "nothing", "--json"]) == 1
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.startswith("Error: 'nothing' is neither")
    assert run(["netlist", "lif", "-o", "-", "--json"]) == 1
    assert "Both the JSON and a file are to go to standard output" in capsys.readouterr().err


def test_json_knows_no_nan():
    assert _plain({"a": float("nan"), "b": [float("inf"), 1.5, True, None, "x"]}) == {
        "a": None, "b": [None, 1.5, True, None, "x"],
    }  # fmt: skip


def test_short_tables_have_the_main_rows(here, capsys):
    neuron = load_preset("paper").replace(t_stop="1m")
    solve_reference(neuron).save("a.nc")
    solve_reference(neuron, "schmitt").save("b.nc")
    assert run(["compare", "b.nc", "a.nc", "--no-check"]) == 0
    short = capsys.readouterr().out
    assert run(["compare", "b.nc", "a.nc", "--no-check", "--all"]) == 0
    full = capsys.readouterr().out
    labels = {name: info.label for name, info in MEASURES.items()}
    shown = {name for name, label in labels.items() if f"\n{label} " in f"\n{full}"}
    assert len(shown) > len(MAIN_MEASURES)
    for name in shown:
        assert (f"\n{labels[name]} " in f"\n{short}") == (name in MAIN_MEASURES), name
    assert f"{len(shown - set(MAIN_MEASURES))} more rows with --all." in short
    assert "--all" not in full


def test_v_tells_what_is_done_on_standard_error(here):
    done = subprocess.run(
        [sys.executable, "-m", "spicealif", "run", "lif", *EQUATIONS, "-v", "-q", "-o", "r"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    assert any("RK4 (ideal): " in line and line.endswith("8 spikes") for line in lines)
    assert any("wrote 'r" in line and "circuit.nc' (" in line for line in lines)
    assert "RK4 (ideal): " not in done.stdout
    # As it was for the next command of the same process.
    import logging

    assert run(["presets", "lif", "-v"]) == 0
    assert not logging.getLogger("spicealif").handlers

"""The command line as a user meets it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from spicealif import load_preset, load_toml, load_waveforms, parse_toml
from spicealif.cli import cli

PROGRAM = str(Path(sys.executable).with_name("spicealif"))
SHORT = ("-s", "t_stop=1m")


def run(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    out = subprocess.run(
        [PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    if check:
        assert out.returncode == 0, out.stderr
    return out


def test_help_of_every_command_has_an_example(tmp_path):
    commands = ["", *cli.commands]
    assert set(commands) >= {
        "run", "netlist", "simulate", "reference", "compare", "presets", "doctor"
    }  # fmt: skip
    for command in commands:
        text = run(*([command] if command else []), "--help", cwd=tmp_path).stdout
        assert "Example:  spicealif" in text, command


def test_examples_in_the_help_are_valid_commands(tmp_path):
    """Parse each --help example with click itself, so that no option in it is unknown."""
    for name, command in cli.commands.items():
        words = shlex.split(command.epilog)[2:]
        assert words[0] == name
        words = words[: words.index(">")] if ">" in words else words
        with command.make_context(name, words[1:]) as context:
            assert context.params is not None


def test_run_writes_everything(tmp_path):
    out = run("run", "paper", *SHORT, cwd=tmp_path)
    assert re.search(r"^spikes +8 +7 +\+1$", out.stdout, re.MULTILINE)
    folder = tmp_path / "spicealif-results" / "paper_t_stop_1m"
    assert {p.name for p in folder.iterdir()} == {
        "neuron.toml", "neuron.cir", "simulator.log", "reference.nc", "circuit.nc",
        "comparison.json", "comparison.txt", "fig5.png", "fig6.png", "overlay.png",
    }  # fmt: skip
    # Not the preset's own name: its results must not be taken for the preset's.
    expected = load_preset("paper").replace(t_stop=1e-3, name="paper_t_stop_1m")
    assert load_toml(folder / "neuron.toml") == expected
    assert "numerical error of these figures is not known" in out.stdout
    assert "spicealif run --certify" in out.stdout
    data = json.loads((folder / "comparison.json").read_text())
    assert data["circuit (ngspice)"]["spike_count"] == 8
    assert data["pair"]["matched"] == 7
    circuit = load_waveforms(folder / "circuit.nc")
    assert len(circuit.t_spike) == 8
    assert circuit.dataset.v_mem.attrs["units"] == "V"
    assert (folder / "overlay.png").read_bytes().startswith(b"\x89PNG")
    # Nothing of the work is left beside the results.
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_steps_apart_give_the_same_as_run(tmp_path):
    run("simulate", "paper", *SHORT, "-o", "c.nc", "--simulator", "ngspice-batch", cwd=tmp_path)
    run("reference", "paper", *SHORT, "-o", "r.nc", cwd=tmp_path)
    table = run("compare", "c.nc", "r.nc", "--figure", "both.png", cwd=tmp_path).stdout
    assert re.search(r"^spikes +8 +7 +\+1$", table, re.MULTILINE)
    assert (tmp_path / "both.png").stat().st_size > 10_000
    data = json.loads(run("compare", "c.nc", "r.nc", "--json", cwd=tmp_path).stdout)
    assert data["pair"]["matched"] == 7


def test_a_raw_file_that_somebody_else_ran_can_be_compared(tmp_path):
    run("netlist", "paper", *SHORT, "-o", "neuron.cir", cwd=tmp_path)
    subprocess.run(
        ["ngspice", "-n", "-b", "-r", "mine.raw", "neuron.cir"],
        cwd=tmp_path, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (tmp_path / "mine.toml").write_text('preset = "paper"\nt_stop = "1m"\n')
    run("reference", "mine.toml", "-o", "r.nc", cwd=tmp_path)
    out = run("compare", "mine.raw", "r.nc", "--neuron", "mine.toml", "--cross-check", cwd=tmp_path)
    assert re.search(r"^spikes +8 +7 +\+1$", out.stdout, re.MULTILINE)


def test_netlist_is_printed_as_it_is(tmp_path):
    text = run("netlist", "paper", cwd=tmp_path).stdout
    assert text.startswith("* spicealif: memristor-based adaptive")
    assert text.endswith(".end\n")


def test_presets_print_as_toml_that_reads_back(tmp_path):
    listing = run("presets", cwd=tmp_path).stdout
    for name in ("paper", "lif", "knowm-generic"):
        assert f"{name}\n" in listing
        assert parse_toml(run("presets", name, cwd=tmp_path).stdout) == load_preset(name)
    assert listing.count("Source:") == listing.count("\n    Source:")
    assert "reconstruction" in listing


def test_schema_is_json(tmp_path):
    assert json.loads(run("schema", cwd=tmp_path).stdout)["title"] == "Neuron"


def test_doctor_says_what_is_there(tmp_path):
    text = run("doctor", cwd=tmp_path).stdout
    assert "ok       simulator ngspice: ngspice-" in text
    assert "ok       numba" in text


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path):
    environment = dict(os.environ, PATH=str(tmp_path), NGSPICE_LIBRARY_PATH="nowhere.so")
    out = subprocess.run(
        [PROGRAM, "doctor"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert out.returncode == 1
    assert "apt-get install ngspice" in out.stdout
    assert "apt-get install libngspice0" in out.stdout


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["simulate", "run"])
@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
def test_a_signal_ends_it_at_once_and_leaves_no_process(tmp_path, simulator, command, stop):
    process = subprocess.Popen(
        [PROGRAM, command, "paper", "--simulator", simulator, "-s", "t_stop=5"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    family = psutil.Process(process.pid)
    deadline = time.monotonic() + 30
    children: list[psutil.Process] = []
    # One that lasts: "ngspice -v", which asks for the version, comes first and is soon gone.
    while not children and time.monotonic() < deadline:
        first = family.children(recursive=True)
        time.sleep(0.5)
        children = [child for child in first if child.is_running()]
    assert children
    time.sleep(1.0)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + stop
    assert errors.strip().startswith("Error: Interrupted")
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert not list(tmp_path.iterdir())


def test_a_timeout_keeps_what_there_is_and_fails(tmp_path):
    out = run(
        "run", "paper", "--timeout", "1.5", "--no-figures", "-o", "out", cwd=tmp_path, check=False
    )
    assert out.returncode == 1
    assert "timeout" in out.stderr
    partial = load_waveforms(tmp_path / "out" / "circuit.nc")
    assert 0 < partial.time[-1] < 50e-3
    # The comparison covers the time that was simulated.
    assert "circuit (ngspice)" in out.stdout


def test_output_to_a_closed_pipe_is_no_error(tmp_path):
    """Its own code may be 141 (tests/test_exit_codes.py); the pipeline's is head's."""
    out = subprocess.run(
        f"{PROGRAM} netlist paper | head -1", cwd=tmp_path, shell=True, capture_output=True,
        text=True, check=False, executable="/bin/bash", env={**os.environ, "BASH_ENV": ""},
    )  # fmt: skip
    assert out.returncode == 0
    assert out.stderr == ""


def test_other_changes_have_other_names():
    from spicealif.cli._options import find_neuron

    assert find_neuron("paper", ("leak.tau=2m", "c=220n")).name == "paper_tau_2m_c_220n"
    assert find_neuron("paper", ("v_rest=-0.01",)).name == "paper_v_rest_neg_0p01"
    assert find_neuron("paper", ("name=mine", "c=220n")).name == "mine"
    many = ("c=220n", "leak.r_on=501", "leak.r_off=1501", "leak.v_on=0.271", "leak.v_off=0.271")
    names = {find_neuron("paper", (*many, f"r_s=50{k}")).name for k in range(5)}
    assert len(names) == 5
    assert find_neuron("paper", many, ideal=True).name.endswith("_ideal")

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
from all_commands import every_command
from command_line import call
from own_ngspice import with_home

from spicealif import load_preset, load_toml, load_waveforms, parse_toml
from spicealif.errors import DesignError

PROGRAM = str(Path(sys.executable).with_name("spicealif"))
SHORT = ("-s", "t_stop=1m")


def run(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    out = call(*arguments, cwd=cwd)
    if check:
        assert out.returncode == 0, out.stderr
    return out


def program(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed program, where it is part of what is tested."""
    out = subprocess.run(
        [PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert out.returncode == 0, out.stderr
    return out


def test_help_of_every_command_has_an_example(tmp_path):
    commands = ["", "network", *(name for name, _ in every_command())]
    assert set(commands) >= {
        "run", "netlist", "simulate", "reference", "compare", "presets", "doctor"
    }  # fmt: skip
    for command in commands:
        text = run(*command.split(), "--help", cwd=tmp_path).stdout
        assert "Example:  spicealif" in text, command
    assert program("--help", cwd=tmp_path).stdout == run("--help", cwd=tmp_path).stdout


def test_examples_in_the_help_are_valid_commands(tmp_path):
    """Parse each --help example with click itself, so that no option in it is unknown."""
    for name, command in every_command():
        words = shlex.split(command.epilog)[2:]
        depth = len(name.split())
        assert " ".join(words[:depth]) == name
        words = words[: words.index(">")] if ">" in words else words
        with command.make_context(name, words[depth:]) as context:
            assert context.params is not None


@pytest.mark.slow
def test_run_writes_everything(tmp_path):
    out = program("run", "paper", *SHORT, cwd=tmp_path)
    assert re.search(r"^spikes +8 +7 +\+1$", out.stdout, re.MULTILINE)
    folder = tmp_path / "spicealif-results" / "paper_t_stop_1m"
    assert {p.name for p in folder.iterdir()} == {
        "neuron.toml", "neuron.cir", "simulator.log", "reference.nc", "circuit.nc",
        "comparison.json", "comparison.txt", "fig5.png", "fig6.png", "overlay.png",
        "provenance.json",
    }  # fmt: skip
    # Not the preset's own name: its results must not be taken for the preset's.
    saved = load_toml(folder / "neuron.toml")
    assert saved.name == "paper_t_stop_1m"
    assert saved.description == "paper, changed: t_stop = 1m."
    assert saved.digest == load_preset("paper").replace(t_stop=1e-3).digest
    assert "Numerical error of circuit (ngspice), against the circuit's own" in out.stdout
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


@pytest.mark.slow
def test_run_draws_in_the_format_that_is_asked_for(tmp_path):
    words = ("run", "lif", "-s", "t_stop=0.5m", "--simulator", "equations", "-o", "out")
    run(*words, cwd=tmp_path)
    said = run(*words, "--format", "SVG", "--title", cwd=tmp_path).stdout
    # Those of the earlier run would be taken for this one's.
    pictures = {p.name for p in (tmp_path / "out").iterdir() if p.suffix in (".png", ".svg")}
    assert pictures == {"fig5.svg", "fig6.svg", "overlay.svg"}
    assert all(name in said for name in pictures)
    assert "<dc:description>lif_t_stop_0p5m: circuit (equations)</dc:description>" in (
        tmp_path / "out" / "fig6.svg"
    ).read_text().replace("\n", "")


def test_steps_apart_give_the_same_as_run(tmp_path):
    run("simulate", "paper", *SHORT, "-o", "c.nc", "--simulator", "ngspice-batch", cwd=tmp_path)
    run("reference", "paper", *SHORT, "-o", "r.nc", cwd=tmp_path)
    table = run("compare", "c.nc", "r.nc", "--figure", "both.png", cwd=tmp_path).stdout
    assert re.search(r"^spikes +8 +7 +\+1$", table, re.MULTILINE)
    assert (tmp_path / "both.png").stat().st_size > 10_000
    data = json.loads(run("compare", "c.nc", "r.nc", "--json", cwd=tmp_path).stdout)
    assert data["pair"]["matched"] == 7


@pytest.mark.slow
def test_a_raw_file_that_somebody_else_ran_can_be_compared(tmp_path):
    run("netlist", "paper", *SHORT, "-o", "neuron.cir", cwd=tmp_path)
    subprocess.run(
        ["ngspice", "-n", "-b", "-r", "mine.raw", "neuron.cir"],
        cwd=tmp_path, env=with_home(), check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (tmp_path / "mine.toml").write_text('preset = "paper"\nt_stop = "1m"\n')
    run("reference", "mine.toml", "-o", "r.nc", cwd=tmp_path)
    out = run("compare", "mine.raw", "r.nc", "--neuron", "mine.toml", "--cross-check", cwd=tmp_path)
    assert re.search(r"^spikes +8 +7 +\+1$", out.stdout, re.MULTILINE)


def test_netlist_is_printed_as_it_is(tmp_path):
    text = run("netlist", "paper", cwd=tmp_path).stdout
    assert text.startswith("* spicealif: memristor-based adaptive")
    assert text.endswith(".end\n")


def test_a_deck_to_edit_is_written_without_a_run(tmp_path):
    command = ("netlist", "paper", "--dialect", "ltspice", "--style", "parameters", "--subckt")
    done = run(*command, "-o", "neuron.net", cwd=tmp_path)
    assert "Note" not in done.stderr  # no run that looks for the tolerance of these values alone
    text = (tmp_path / "neuron.net").read_text()
    assert "\n.param c=100n\n" in text
    assert "\n.subckt alif v_c spike v_pos v_neg v_cc\n" in text
    assert "\n.options reltol=1e-08 " in text
    assert run(*command, cwd=tmp_path).stdout == text


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_run_does_its_whole_job_where_no_spice_is(tmp_path):
    environment = dict(os.environ, PATH=str(tmp_path), NGSPICE_LIBRARY_PATH="nowhere.so")

    def ran(*options):
        return subprocess.run(
            [PROGRAM, "run", "lif", "-s", "t_stop=0.5m", "-q", *options], env=environment,
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    done = ran("-o", "out")
    assert done.returncode == 0, done.stderr
    assert "circuit (equations)" in done.stdout.splitlines()[0]
    assert "solved by its own differential equations, since no SPICE is here" in done.stderr
    assert "apt-get install libngspice0" in done.stderr
    assert (tmp_path / "out" / "fig6.png").exists()
    named = ran("--simulator", "ngspice", "-o", "other")
    assert named.returncode == 1
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["simulate", "run"])
@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
def test_a_signal_ends_it_at_once_and_leaves_no_process(tmp_path, simulator, command, stop):
    # Where the tests run in the background, a signal may be ignored, which is inherited.
    asis = "import os, signal, sys; signal.signal(int(sys.argv[1]), signal.SIG_DFL); "
    start = [sys.executable, "-c", f"{asis}os.execv(sys.argv[2], sys.argv[2:])", str(int(stop))]
    process = subprocess.Popen(
        [*start, PROGRAM, command, "paper", "--simulator", simulator, "-s", "t_stop=5", "--yes"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    family = psutil.Process(process.pid)
    try:
        deadline = time.monotonic() + 30
        children: list[psutil.Process] = []
        # One that lasts: "ngspice -v", which asks for the version, comes first and is soon gone.
        while not children and time.monotonic() < deadline:
            first = family.children(recursive=True)
            time.sleep(0.25)
            children = [child for child in first if child.is_running()]
        assert children
        time.sleep(0.25)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 128 + stop
    assert errors.strip().startswith("Error: Interrupted")
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
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
    # and what is wrong with the waveforms goes with them
    assert partial.attrs["caveat"].startswith("Stopped at ")
    assert partial.attrs["caveat"].endswith("(TIMEOUT)")


@pytest.mark.slow
def test_half_a_run_does_not_replace_what_is_there(tmp_path):
    run("run", "paper", *SHORT, "--no-figures", "-o", "out", cwd=tmp_path)
    good = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    half = ("-s", "t_stop=0.2", "--timeout", "1")
    out = run("run", "paper", *half, "--no-figures", "-o", "out", cwd=tmp_path, check=False)
    assert out.returncode == 1
    assert "Wrote to out-stopped: " in out.stdout
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == good
    assert "caveat" in load_waveforms(tmp_path / "out-stopped" / "circuit.nc").attrs
    out = run("simulate", "paper", *half, "-o", "out/circuit.nc", cwd=tmp_path, check=False)
    assert out.returncode == 1
    assert "Wrote out/circuit-stopped.nc." in out.stdout
    assert (tmp_path / "out" / "circuit.nc").read_bytes() == good["circuit.nc"]


def test_a_coarse_tolerance_is_told_and_goes_with_the_waveforms(tmp_path):
    coarse = ("-s", "numerics.reltol=1e-3")
    out = run("simulate", "paper", *SHORT, *coarse, "-o", "a.nc", cwd=tmp_path)
    assert "Warning: numerics.reltol = 0.001 is coarse" in out.stderr
    assert "numerics.reltol = 0.001 is coarse" in run("compare", "a.nc", cwd=tmp_path).stdout


def test_a_current_of_a_file_can_be_set(tmp_path):
    (tmp_path / "i.csv").write_text("t,i\n0,0\n1e-3,1e-3\n")
    columns = ("-s", "stimulus.columns.time=#1 [ms]")
    current = ("-s", "stimulus.file=i.csv", *columns)
    out = run("reference", "paper", *SHORT, *current, "-o", "a.nc", cwd=tmp_path)
    assert "'i' has no unit; A is assumed" in out.stderr
    attrs = load_waveforms(tmp_path / "a.nc").attrs
    neuron = parse_toml(str(attrs["design"]))
    assert (neuron.stimulus.kind, neuron.stimulus.t) == ("pwl", (0, 1e-6))
    assert "stimulus.file = i.csv" in neuron.description
    out = run("reference", "paper", *current, "-s", "stimulus.offset=1m", cwd=tmp_path, check=False)
    assert "remove 'stimulus.offset' from --set" in out.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("tau=2m", "did you mean 'leak.tau'"),
        ("C=220n", "did you mean 'c'"),
        ("leak.Tau=1m", "did you mean 'tau'"),
        ("frequency=2k", "did you mean 'stimulus.frequency'"),
        ("c=220n,100n", "which is 2 values"),
        ("temperature=-300 degC", "not above absolute zero"),
        ("qwertz=1", "remove it"),
    ],
)
def test_a_wrong_change_is_answered_with_the_right_one(change, words):
    from spicealif.cli._options import find_neuron

    with pytest.raises(DesignError, match=words):
        find_neuron("paper", (change,))


def test_output_to_a_closed_pipe_is_no_error(tmp_path):
    """Its own code may be 141 (tests/cli/test_exit_codes.py); the pipeline's is head's."""
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


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("verify paper -s t_stop=0.3m --tolerance 20", "finds no fault in a run of 0.0003 s"),
        ("run paper --certify --tolerance 5", "a part of each reference figure"),
        ("run paper --timeout 1 --timeout 2", "--timeout is given twice"),
        ("sweep paper --experiment f-i-curve -s stimulus.amplitude=2m", "a stimulus of its own"),
        ("sweep paper --over stimulus.file=a.csv,b.csv", "stimulus.file cannot be varied"),
        ("run dev.toml", "a device's file and no neuron's"),
        ("run wrapped.toml", "Unknown key 'neuron'"),
        ("reference paper -s stimulus.file=late.csv -s t_stop=2m", "go from 0.01 s to 0.02 s"),
        ("propose gmms_knowm --rate 5k --adaptation 1.5 --current 1", "(i_max, --max-current)"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, command, words):
    (tmp_path / "dev.toml").write_text("name = 'd'\n[device]\nkind = 'mms'\n[fit]\n")
    (tmp_path / "wrapped.toml").write_text("[neuron]\npreset = 'paper'\n")
    (tmp_path / "late.csv").write_text("t_s,i_A\n0.01,0\n0.02,0\n")
    out = run(*shlex.split(command), cwd=tmp_path, check=False)
    assert out.returncode in (1, 2)
    assert words in out.stderr
    assert not out.stdout


def test_points_behind_the_end_of_the_run_are_told(tmp_path):
    (tmp_path / "i.csv").write_text("t_s,i_A\n0,0\n1,1e-3\n2,0\n")
    out = run("reference", "paper", "-s", "stimulus.file=i.csv", *SHORT, cwd=tmp_path)
    assert "2 points of the stimulus' 3 (the last at 2 s) are behind the end" in out.stderr

"""Tables, citations and completion on the command line."""

import re
import select
import shlex
import shutil
import subprocess
import sys
import time

import pandas as pd
import ptyprocess
import pytest

from spicealif import load_preset, load_waveforms, solve_reference
from spicealif.cli.main import cli, run
from spicealif.design import device_names, preset_names

SHORT = ["lif", "-s", "t_stop=1m"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_reference_writes_what_the_ending_says(here, capsys):
    assert run(["reference", *SHORT, "-o", "r.csv", "-q"]) == 0
    assert "It has the traces; spike times and provenance are in a .nc" in capsys.readouterr().out
    assert run(["reference", *SHORT, "-o", "r.nc", "-q"]) == 0
    frame = pd.read_csv("r.csv", float_precision="round_trip")
    waveforms = load_waveforms("r.nc")
    assert (frame["v_c [V]"] == waveforms["v_c"]).all()
    # A table of ours may be replaced, with a word; somebody's file may not.
    capsys.readouterr()
    assert run(["reference", *SHORT, "-o", "r.csv"]) == 0
    assert capsys.readouterr().err == "Replaced 'r.csv'.\n"
    assert run(["reference", *SHORT, "-o", "r.csv", "-q"]) == 0
    assert capsys.readouterr().err == ""
    frame.rename(columns={"v_c [V]": "mine"}).to_csv("r.csv", index=False)
    capsys.readouterr()
    assert run(["reference", *SHORT, "-o", "r.csv", "-q"]) == 1
    assert "exists and is not a file of waveforms as spicealif writes it" in capsys.readouterr().err


def test_another_ending_is_refused_before_anything_is_computed(here, capsys):
    for command in (
        ["reference", *SHORT],
        ["simulate", *SHORT],
        ["sweep", "lif", "--over", "c=1n"],
    ):
        assert run([*command, "-o", "r.xlsx"]) == 1
        assert re.search(r"use \.nc, \.csv or \.parquet\.", capsys.readouterr().err)
    assert not list(here.iterdir())


def test_export_of_a_file_and_of_a_folder(here, capsys):
    neuron = load_preset("lif").replace(t_stop="1m")
    (here / "run").mkdir()
    solve_reference(neuron).save("run/reference.nc")
    solve_reference(neuron, "schmitt").save("run/circuit.nc")
    assert run(["export", "run", "-o", "m.csv"]) == 0
    assert "Wrote m.csv: 2" in capsys.readouterr().out
    assert run(["export", "run", "--table", "spikes", "-o", "s.parquet"]) == 0
    frame = pd.read_parquet("s.parquet")
    assert sorted(set(frame["side"])) == ["reference (ideal)", "reference (schmitt)"]
    assert run(["export", "run", "-o", "m.csv"]) == 0
    assert "Replaced 'm.csv'." in capsys.readouterr().err
    assert run(["export", "run", "-o", "m.csv", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["export", "run/reference.nc", "-o", "-"]) == 0
    assert run(["export", "run/reference.nc", "-o", "run/reference.nc"]) == 1
    assert "is read by this command and would be replaced" in capsys.readouterr().err
    assert run(["export", "nothing.nc", "-o", "x.csv"]) == 1
    assert "nothing.nc" in capsys.readouterr().err


def test_export_replaces_neither_what_it_reads_nor_what_is_not_its_own(here, capsys):
    neuron = load_preset("lif").replace(t_stop="1m")
    (here / "run").mkdir()
    solve_reference(neuron).save("run/reference.nc")
    before = (here / "run" / "reference.nc").read_bytes()
    assert run(["export", "run", "-o", "run/reference.nc"]) == 1
    assert "is read by this command and would be replaced" in capsys.readouterr().err
    over = ["--over", "c=47n,100n", "--sides", "reference", "--workers", "1", "--store", "s"]
    assert run(["sweep", *SHORT, *over, "-o", "sweep.nc", "-q"]) == 0
    (here / "mine.csv").write_text("measure,label,unit,mine\nprecious,by hand,kg,1\n")
    (here / "spikes.csv").write_text("spike,t_spike [s]\n1,0.5\n")
    capsys.readouterr()
    for command in (
        ["export", "run", "--table", "spikes", "-o", "sweep.nc"],
        ["export", "run", "--table", "measures", "-o", "mine.csv"],
        ["reference", *SHORT, "-o", "spikes.csv"],
    ):
        assert run(command) == 1
        assert "give the result another name, or add --force" in capsys.readouterr().err
    assert (here / "run" / "reference.nc").read_bytes() == before


def test_export_tells_that_two_sides_do_not_belong_together(here, capsys):
    neuron = load_preset("lif").replace(t_stop="1m")
    (here / "run").mkdir()
    solve_reference(neuron).save("run/reference.nc")
    solve_reference(neuron.replace(c="200n"), "schmitt").save("run/circuit.nc")
    assert run(["export", "run", "-o", "m.csv", "-q"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Note: The two results are of different neurons (they differ in c);")


def test_a_sweep_as_a_table(here, capsys):
    over = ["--over", "c=47n,100n", "--sides", "reference", "--workers", "1", "--store", "s"]
    assert run(["sweep", *SHORT, *over, "-o", "sweep.csv", "-q"]) == 0
    assert len(pd.read_csv("sweep.csv")) == 2
    assert run(["sweep", *SHORT, *over, "-o", "sweep.csv", "-q"]) == 0  # it may be replaced
    capsys.readouterr()
    assert run(["plot", "sweep.csv"]) == 1


def test_cite(here, capsys):
    assert run(["cite"]) == 0
    assert "@inproceedings{molter2016," in capsys.readouterr().out
    assert run(["cite", "lif", "--json"]) == 0
    assert '"bibtex": "% the program' in capsys.readouterr().out
    assert run(["cite", "nothing"]) == 1
    assert "'nothing' is neither a preset" in capsys.readouterr().err


def completed(*words):
    """What a shell is told, as click's scripts ask for it."""
    done = subprocess.run(
        [sys.executable, "-m", "spicealif"],
        env={
            "PATH": "",
            "COMP_WORDS": "spicealif " + " ".join(words),
            "COMP_CWORD": str(len(words)),
            "_SPICEALIF_COMPLETE": "bash_complete",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "pap"), [n for n in preset_names() if n.startswith("pap")]),
        (("run", "paper", "--simulator", "ng"), ["ngspice", "ngspice-batch"]),
        (("run", "paper", "--set", "leak.ta"), ["leak.tau="]),
        (("sweep", "lif", "--over", "leak."), ["leak.kind=", "leak.r="]),
        (("sweep", "--experiment", "f"), ["frequency-response", "f-i-curve"]),
        (("explain", "--measure", "isi_f"), ["isi_first"]),
        (("propose", "gm"), [n for n in device_names() if n.startswith("gm")]),
        (("run", "nothing", "--set", "leak"), []),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_words_that_could_come_next(words, expected):
    assert completed(*words) == expected


@pytest.mark.slow
def test_bash_completes_a_key_and_waits_for_its_value(here):  # as docs/shell.md says
    script = here / "completion.bash"
    done = subprocess.run(
        [sys.executable, "-m", "spicealif", "completion", "bash"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    script.write_text(done.stdout)
    (here / "bin").mkdir()
    program = here / "bin" / "spicealif"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spicealif "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{here / 'bin'}:/usr/bin:/bin", "TERM": "dumb", "PS1": "ready> ",
        "HOME": str(here),
    }  # fmt: skip
    bash = ptyprocess.PtyProcessUnicode.spawn(
        [shutil.which("bash") or "bash", "--norc", "-i"],
        env=environment, cwd=str(here), dimensions=(24, 120),
    )  # fmt: skip

    def until(text):
        seen, end = "", time.monotonic() + 60
        while text not in seen:
            ready, _, _ = select.select([bash.fd], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{text!r} never came, but {seen!r}"
            seen += bash.read(1000)
        return seen

    try:
        until("ready> ")
        bash.write(f"source {shlex.quote(str(script))}\n")
        until("ready> ")
        bash.write("spicealif run paper --set leak.ta\t")
        assert until("leak.tau=").endswith("leak.tau=")
        bash.write("3m")
        assert until("3m") == "3m"  # no blank before it
    finally:
        bash.terminate(force=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_the_program(shell, capsys):
    assert run(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "_SPICEALIF_COMPLETE" in out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=out, text=True, check=True)


def test_every_argument_that_names_a_neuron_completes():
    with_neuron = [
        c.name for c in cli.commands.values() if any(p.name == "neuron" for p in c.params)
    ]
    assert len(with_neuron) >= 8
    for name in with_neuron:
        (parameter,) = [p for p in cli.commands[name].params if p.name == "neuron"]
        assert "shell_complete" in vars(parameter), name

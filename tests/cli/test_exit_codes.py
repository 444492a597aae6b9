"""Exit codes, all of which `spicealif.cli.main.run` makes; ``docs/exit_codes.md`` lists them."""

from __future__ import annotations

import errno
import importlib
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from spicealif.cli.main import CODES, cli, run
from spicealif.design import load_preset
from spicealif.errors import DesignError

PROGRAM = str(Path(sys.executable).with_name("spicealif"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


SHORT = ("-s", "t_stop=0.2m", "-q")

#: The command line, its exit code, and a part of what is said on standard error.
TABLE: dict[str, tuple[tuple[str, ...], int, str]] = {
    "nothing": ((), 2, "Usage: spicealif"),
    "--help": (("--help",), 0, ""),
    "--version": (("--version",), 0, ""),
    "no such command": (("nix",), 2, "No such command 'nix'"),
    "no such option": (("netlist", "--nix"), 2, "No such option"),
    "option without value": (("netlist", "-o"), 2, "requires an argument"),
    "no number": (("sweep", "-n", "some"), 2, "not a number"),
    "no argument": (("plot",), 2, "Missing argument"),
    "netlist": (("netlist", "lif"), 0, ""),
    "schematic": (("schematic", "lif", "-o", "lif.asc"), 0, ""),
    "schematic of no such kind": (("schematic", "lif", "-o", "lif.txt"), 1, "use .asc, .svg"),
    "presets": (("presets",), 0, ""),
    "presets of no name": (("presets", "nix"), 1, "There is no preset"),
    "schema": (("schema",), 0, ""),
    "plugins": (("plugins",), 0, ""),
    "no such neuron": (("netlist", "nix"), 1, "neither a preset"),
    "reference": (("reference", "lif", *SHORT, "-o", "r.nc"), 0, ""),
    "reference, bad variant": (("reference", "lif", "--variant", "nix"), 1, "nix"),
    "seed without switches": (("reference", "--seed", "1"), 2, "--seed"),
    "propose for nothing": (("propose", "nix", "--rate", "5k", "--adaptation", "2"), 1, "nix"),
    "compare nothing": (("compare", "nix.nc"), 1, "cannot be loaded"),
    "plot nothing": (("plot", "nix.nc"), 1, "cannot be loaded"),
    "report of nothing": (("report", "nix"), 1, "cannot be read"),
    "report without a result": (("report",), 2, "Missing argument"),
    "fit nothing": (("fit", "nix.csv"), 1, "nix.csv"),
    "learn": (("learn", "--list"), 0, ""),
    "learn without a task": (
        ("learn",),
        2,
        "Missing argument",
    ),
    "learn nothing": (("learn", "nix"), 1, "neither a task"),
    "sweep without end": (("sweep",), 1, "--over"),
    "sweep": (("sweep", "lif", *SHORT, "--over", "c=47n,100n", "--sides", "reference"), 0, ""),
    "store": (("store", "list", "--store", "empty"), 0, ""),
    "store, no such action": (("store", "nix"), 2, "nix"),
    "output": (("netlist", "lif", "-o", "x.asc"), 1, "ending says something else"),
    "every command's help": (("verify", "-h"), 0, ""),
}


@pytest.mark.parametrize("name", TABLE)
def test_exit_codes(name, capsys):
    arguments, code, said = TABLE[name]
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in out + err
    if code == CODES["done"]:
        assert out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (click.exceptions.Exit(0), 0, ""),
        (click.exceptions.Exit(1), 1, ""),
        (click.exceptions.Exit(7), 7, ""),
        (SystemExit(), 1, ""),
        (SystemExit(3), 3, ""),
        (click.UsageError("Wrong."), 2, "Error: Wrong."),
        (click.ClickException("Wrong."), 1, "Error: Wrong."),
        (click.exceptions.Abort(), 130, "Interrupted; files already written are whole."),
        (KeyboardInterrupt(), 130, "Interrupted; files already written are whole."),
        (DesignError("Wrong; mend it."), 1, "Error: Wrong; mend it."),
        (MemoryError(), 1, "There is not enough memory; free some"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "There is not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), 1, "not enough memory"),
        (RecursionError(), 1, "nested too deeply"),
        (PermissionError(13, "Permission denied", "in.csv"), 1, "'in.csv' cannot be used (Perm"),
        (OSError(24, "Too many open files"), 1, "The system refused something (Too many open f"),
        (EOFError(), 1, "a fault of its own"),
        (KeyError("x"), 1, "(KeyError at "),
        (UnicodeEncodeError("ascii", "\u2192", 0, 1, "no"), 1, "a fault of its own"),
    ],
)
def test_whatever_is_raised(error, code, said, monkeypatch, capsys):
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("spicealif.design.schema", fail)
    assert run(["schema"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= (5 if isinstance(error, click.UsageError) else 1)


def test_an_error_that_is_ours_can_be_seen_whole(monkeypatch, capsys):
    monkeypatch.setenv("SPICEALIF_TRACEBACK", "1")
    monkeypatch.setattr("spicealif.design.schema", lambda: {}["x"])
    assert run(["schema"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_answers_of_no(monkeypatch, capsys):
    bad = SimpleNamespace(ok=False, to_dict=dict)
    monkeypatch.setattr("spicealif.analysis.verification.verify", lambda *_, **__: bad)
    assert run(["verify", "lif"]) == 1
    bad.ok = True
    assert run(["verify", "lif"]) == 0
    wish = SimpleNamespace(met=False)
    monkeypatch.setattr("spicealif.propose.propose_neuron", lambda *_, **__: wish)
    for wish.met in (False, True):
        assert run(["propose", "x", "--rate", "5k", "--adaptation", "2"]) == (not wish.met)
    monkeypatch.setattr("spicealif._support.plugins.announced", lambda group: [])
    assert run(["doctor"]) == 1
    assert "No SPICE works" in capsys.readouterr().out


def _program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PROGRAM, *arguments], timeout=60, check=False, **options)


def _closed() -> None:
    os.close(1)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("netlist", "lif"), ("presets",)])
def test_a_reader_that_leaves_is_told_by_the_code_and_nothing_else(command):
    reads, writes = os.pipe()
    os.close(reads)
    done = _program(*command, stdout=writes, stderr=subprocess.PIPE)
    os.close(writes)
    assert (done.returncode, done.stderr) == (CODES["broken pipe"], b"")


@pytest.mark.slow
def test_files_are_written_though_nobody_reads(here):
    reads, writes = os.pipe()
    os.close(reads)
    done = _program("reference", "lif", *SHORT, "-o", "r.nc", stdout=writes, stderr=writes)
    os.close(writes)
    assert done.returncode == CODES["broken pipe"]
    assert (here / "r.nc").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("command", [("netlist", "lif"), ("schema",)])
def test_a_closed_standard_output(command):
    done = _program(*command, stderr=subprocess.PIPE, preexec_fn=_closed)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: Standard output cannot be written (it is not open")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", [("netlist", "lif"), ("schema",)])
def test_a_full_standard_output(command):
    with Path("/dev/full").open("wb") as full:  # opened as a shell does, not replaced
        done = _program(*command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"Error: Standard output cannot be written (No space left on device)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_no_character_is_an_error(here, environment):
    text = 'name = "a"\npreset = "lif"\ndescription = "\u2192 \u00b5 \u20ac"\n'
    (here / "a.toml").write_text(text, encoding="utf-8")
    name = "caf\u00e9 \u2192.cir"
    done = _program("netlist", "a.toml", "-o", name, capture_output=True,
                    env={**os.environ, **environment})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Wrote ")


@pytest.fixture()
def signalled(monkeypatch):
    """What a signal's handler does, as if no test before had called it."""
    interrupts = importlib.import_module("spicealif.cli._interrupts")
    monkeypatch.setattr(interrupts, "_last", -math.inf)
    monkeypatch.setattr(interrupts, "_number", 0)
    handler: Callable[..., Any] = interrupts._raise
    return lambda number: handler(number, None)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_has_its_own_code(name, monkeypatch, signalled):
    number = getattr(signal, name)
    monkeypatch.setattr("spicealif.design.schema", lambda *_: signalled(number))
    assert run(["schema"]) == 128 + number


@pytest.mark.parametrize("made", [ValueError, DesignError, click.UsageError, BrokenPipeError])
def test_an_interrupt_that_a_library_makes_an_error_of(made, monkeypatch, signalled, capsys):
    def stop(*_: Any) -> None:
        try:
            signalled(signal.SIGTERM)
        except KeyboardInterrupt as error:
            raise made("a library's own words") from error

    monkeypatch.setattr("spicealif.design.schema", stop)
    assert run(["schema"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "Error: Interrupted; files already written are whole.\n"
    monkeypatch.setattr("spicealif.design.schema", lambda *_: 1 / 0)
    assert run(["schema"]) == 1  # a later error in the same process is no interrupt


def test_an_interrupt_while_a_design_is_written_out():
    """pydantic calls Python for a temperature, and makes an error of all that it raises."""

    def interrupt(frame: Any, *_: Any) -> None:
        if frame.f_code.co_name == "written_kelvin":
            raise KeyboardInterrupt

    neuron = load_preset("paper")
    before = sys.getprofile()
    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            neuron.to_dict()
    finally:
        sys.setprofile(before)


def test_every_command_is_in_the_table_or_said_to_be_elsewhere():
    tried = {arguments[0] for arguments, *_ in TABLE.values() if arguments}
    # These start a simulator: tests/cli/test_cli.py, tests/analysis/test_attribution.py. Those
    # print or write what is there: tests/cli/test_tables_cli.py. And tests/cli/test_network_cli.py,
    # tests/cli/test_learn_circuit_cli.py.
    assert set(cli.commands) - tried == {
        "run", "simulate", "explain", "doctor", "export", "cite", "completion", "network",
        "learn-circuit",
    }  # fmt: skip

"""Whatever is wrong on the command line: one sentence, a remedy, and nothing written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spicealif import dump_toml, load_preset
from spicealif.cli import main
from spicealif.waveforms import Waveforms

SHORT = ["-s", "t_stop=0.1m"]
# What a user is told to do: every message must have one of these.
REMEDY = re.compile(
    r"\b(give|use|set|choose|remove|raise|lower|install|shorten|write|mend|see|save|exchange|take|"
    r"sort|start|run|check|pass|free|did you mean|try)\b"
)


@dataclass
class Result:
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Call the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["spicealif", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def check_sentence(result: Result, words: str = "", code: int = 1) -> None:
    """One line on stderr, one sentence, with a remedy; no traceback, nothing on stdout."""
    assert result.code == code, result
    assert result.out == ""
    assert "Traceback" not in result.err
    # splitlines() parts at every line separator of Unicode, as some terminals do.
    lines = result.err.splitlines()
    assert len(lines) == 1, lines
    assert result.err.endswith(".\n")
    assert lines[0].startswith("Error: ")
    text = lines[0].removeprefix("Error: ")
    assert text.isprintable()
    assert REMEDY.search(text), text
    # What others said stands in quotes or parentheses and may have full stops.
    own = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    while own != (shorter := re.sub(r"\([^()]*\)", "", own)):
        own = shorter
    assert not re.search(r"\.\s+[A-Z]", own), text
    assert words in text, text


def check_usage(result: Result, words: str = "") -> None:
    """Click's own errors: usage and hint, if any, then one sentence."""
    assert result.code == 2, result
    assert result.out == ""
    assert "Traceback" not in result.err
    last = result.err.splitlines()[-1]
    assert last.startswith("Error: ")
    # A misused option is told without the usage.
    assert "Usage: " in result.err or len(result.err.splitlines()) == 1
    assert words in last, last


# --- the design ---------------------------------------------------------------------------------

SEPARATORS = ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]

# name: (changes, a part of the message)
BAD_VALUES: dict[str, tuple[list[str], str]] = {
    "unknown key": (["tempreature=300"], "did you mean 'temperature'"),
    "unknown dotted key": (["leak.tao=1m"], "did you mean 'tau'"),
    "unknown table": (["foo.bar=1"], "Unknown key 'foo'"),
    "key of a single value": (["c.x=1"], "'c' is a single value"),
    "empty key": (["=3"], "KEY=VALUE"),
    "only a dot": ([".=3"], "Unknown key"),
    "no equals sign": (["c"], "KEY=VALUE"),
    "no equals sign, newline": (["c\nd"], "KEY=VALUE"),
    "key with a newline": (["a\nb=3"], "Unknown key"),
    "key with a separator": (["a\u2028b=3"], "Unknown key"),
    "negative C": (["c=-100n"], "c = "),
    "zero C": (["c=0"], "greater than 0"),
    "nan": (["c=nan"], "not finite"),
    "inf": (["c=inf"], "not finite"),
    "too large for a float": (["c=1e999"], "not finite"),
    "empty value": (["c="], "not a quantity"),
    "zero tau": (["leak.tau=0"], "leak.tau"),
    "negative tau": (["leak.tau=-1m"], "leak.tau"),
    "x_0 above 1": (["leak.x_0=1.5"], "1 or less"),
    "r_on above r_off": (["leak.r_on=2k"], "exchange them"),
    "V_low zero": (["v_low=0"], "raise v_low"),
    "V_low negative": (["v_low=-50m"], "raise v_low"),
    "V_low at V_th": (["v_low=0.4"], "lower v_low or raise v_th"),
    "V_low above V_th": (["v_low=0.5"], "lower v_low or raise v_th"),
    "latch by current": (["stimulus.amplitude=100m"], "latch"),
    "latch by rounding": (["v_low=1m", "v_th=0.41", "hysteresis.series=E24"], "latch"),
    "fires without end": (["v_reset=1"], "lower v_reset"),
    "MOSFET never on": (["mosfet.v_to=4"], "raise comparator.v_oh"),
    "op-amp out of range": (["supplies.v_pos=1"], "raise supplies.v_pos"),
    "absurd run time": (["t_stop=1e9"], "shorten the run"),
    "too many pulses": (
        ["stimulus.frequency=1G", "stimulus.t_rise=0.1p", "stimulus.t_fall=0.1p"],
        "lower the frequency",
    ),
    "more pulses than numbers": (
        ["stimulus.frequency=1e308", "stimulus.t_rise=0", "stimulus.t_fall=0", "t_stop=100"],
        "pulses",
    ),
    "duty 0": (["stimulus.duty=0"], "stimulus.duty"),
    "duty 1": (["stimulus.duty=1"], "stimulus.duty"),
    "duty 150 %": (["stimulus.duty=1.5"], "stimulus.duty"),
    "edges do not fit": (["stimulus.t_rise=0.6m"], "shorten them"),
    "no pulses": (["stimulus.n_pulses=0"], "1 or more"),
    "half a pulse": (["stimulus.n_pulses=2.5"], "n_pulses"),
    "wrong kind of stimulus": (["stimulus.kind=saw"], "set kind to one of"),
    "wrong kind of leak": (["leak.kind=inductor"], "set kind to one of"),
    "kind without its values": (["leak.kind=resistor"], "leak"),
    "text for a table": (["leak=3"], "leak"),
    "wrong type": (["numerics.steering=perhaps"], "numerics.steering"),
    "true for a number": (["c=true"], "not a number"),
    "unknown method": (["numerics.method=euler"], "'trap' or 'gear'"),
    "unknown series": (["hysteresis.series=E12"], "'E24' or 'E96'"),
    "wrong unit": (["c=100nH"], "instead of 'F'"),
    "SPICE's M": (["t_stop=5M"], "write '5m' for milli or '5meg'"),
    "a decimal comma": (["c=0,22u"], "write '0.22u'"),
    "h zero": (["numerics.h=0"], "numerics.h"),
    "h too small": (["numerics.h=1e-18"], "raise numerics.t_step_max and numerics.h"),
    "t_step_max zero": (["numerics.t_step_max=0"], "numerics.t_step_max"),
    "reltol 2": (["numerics.reltol=2"], "less than 1"),
    "t_stop zero": (["t_stop=0"], "greater than 0"),
    "name with spaces": (["name=two words"], "letters, digits and underscores"),
    "name with a quote": (["name=it's"], "letters, digits and underscores"),
    "name with a path": (["name=../../etc/x"], "letters, digits and underscores"),
    "name with a command": (["name=.control"], "letters, digits and underscores"),
    "name empty": (["name="], "letters, digits and underscores"),
    "name too long": (["name=" + 65 * "x"], "name"),
    **{
        f"name with {s!a}": ([f"name=a{s}.control"], "letters, digits and underscores")
        for s in SEPARATORS
    },
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_bad_values(case: str, cli: Cli, tmp_path: Path) -> None:
    changes, words = BAD_VALUES[case]
    out = tmp_path / "out"
    out.mkdir()
    (out / "keep.txt").write_text("mine")
    before = snapshot(tmp_path)
    options = [o for change in changes for o in ("-s", change)]
    for command, target in (("netlist", out / "n.cir"), ("run", out), ("simulate", out / "c.nc")):
        check_sentence(cli(command, "paper", *options, "-o", str(target)), words)
        assert snapshot(tmp_path) == before


# name: (the file's bytes or text, a part of the message)
PAPER = 'preset = "paper"\n'
BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "broken TOML": ("c = \n", "not valid TOML"),
    "broken TOML, separator": ('c = "\u2028\n', "not valid TOML"),
    "broken TOML, control character": ('c = "\x1e"\n', "not valid TOML"),
    "not UTF-8": (b'name = "\xff\xfe"\n', "UTF-8"),
    "UTF-16": ('preset = "paper"\n'.encode("utf-16"), "save it as UTF-8"),
    "UTF-16 without a mark": ('preset = "paper"\n'.encode("utf-16-le"), "save it as UTF-8"),
    "empty": ("", "is missing"),
    "binary": (bytes(range(1, 128)), "not valid TOML"),
    "unknown preset": ('preset = "papper"\n', "choose one of"),
    "preset with a newline": ('preset = "pa\\nper"\n', "choose one of"),
    "unknown key with a newline": (PAPER + '"a\\nb" = 1\n', "Unknown key"),
    "unknown key in an array": (
        PAPER + "stimulus = {kind='sum', terms=[{kind='constant', amplitude=1e-4, foo=1}]}",
        "'foo' in stimulus.terms[0]",
    ),
    "name ends with a newline": (PAPER + 'name = "abc\\n"\n', "letters, digits"),
    "name is a number": (PAPER + "name = 3\n", "name"),
    "a date for a number": (PAPER + "c = 2020-01-01\n", "not a number"),
    "an array for a number": (PAPER + "c = [1]\n", "not a number"),
    "an integer beyond floats": (PAPER + "c = 1" + 400 * "0", "c"),
    "an integer beyond Python": (PAPER + "c = 1" + 5000 * "0", ""),
    "deep nesting": (PAPER + "a = " + 3000 * "[" + 3000 * "]", ""),
    "nan": (PAPER + "c = nan\n", "not finite"),
    "no stimulus": (
        "v_th=0.4\nv_low=0.05\nc=1e-7\nt_stop=1\nleak={kind='resistor', r=1}",
        "stimulus is missing",
    ),
    "kind is an array": (PAPER + "stimulus.kind = [1]\n", "set kind to one of"),
    "kind is missing": (PAPER + "stimulus = {amplitude=1}\ncomparator.kind = 3\n", "kind"),
    "empty PWL": (PAPER + "stimulus = {kind='pwl', t=[], i=[]}", "give at least one"),
    "unsorted PWL": (PAPER + "stimulus = {kind='pwl', t=[0,2,1], i=[0,0,0]}", "sort them"),
    "unequal PWL": (PAPER + "stimulus = {kind='pwl', t=[0,1], i=[0]}", "give as many"),
    "PWL before 0": (PAPER + "stimulus = {kind='pwl', t=[-1,1], i=[0,0]}", "start at 0"),
    "PWL with nan": (PAPER + "stimulus = {kind='pwl', t=[0,1], i=[0,nan]}", "not finite"),
    "PWL without currents": (PAPER + "stimulus = {kind='pwl', t=[0,1]}", "missing"),
    "empty sum": (PAPER + "stimulus = {kind='sum', terms=[]}", "stimulus.terms"),
    "missing CSV": (PAPER + "[stimulus]\nfile = 'missing.csv'\n", "cannot be read"),
    "CSV is a folder": (PAPER + "[stimulus]\nfile = '.'\n", "cannot be read"),
    "CSV with a zero byte in its name": (PAPER + '[stimulus]\nfile = "a\\u0000b"\n', ""),
    "CSV with a newline in its name": (PAPER + '[stimulus]\nfile = "a\\nb"\n', "cannot be read"),
    "broken CSV": (PAPER + "[stimulus]\nfile = 'broken.csv'\n", "Line 3"),
    "empty CSV": (PAPER + "[stimulus]\nfile = 'empty.csv'\n", "no table of numbers"),
    "CSV and more": (PAPER + "[stimulus]\nfile = 'broken.csv'\nduty = 0.5\n", "remove duty"),
    "CSV and a key with a newline": (
        PAPER + "[stimulus]\nfile = 'broken.csv'\n\"a\\nb\" = 0.5\n",
        "remove",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(case: str, cli: Cli, tmp_path: Path) -> None:
    content, words = BAD_FILES[case]
    path = tmp_path / "neuron.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "broken.csv").write_text("t,i\n0,0\n1,one\n")
    (tmp_path / "empty.csv").write_text("# nothing\n")
    out = tmp_path / "out"
    out.mkdir()
    before = snapshot(tmp_path)
    check_sentence(cli("netlist", str(path), "-o", str(out / "n.cir")), words)
    check_sentence(cli("run", str(path), "-o", str(out)), words)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.toml", "cannot be read"),
        ("nothing", "neither a preset"),
        ("a\nb", "neither a preset"),
        ("a\u2028b", "neither a preset"),
        ("a\nb.toml", "cannot be read"),
        (".", "cannot be read"),
        ("PAPER", "neither a preset"),
        ("é", "neither a preset"),
        ("a\0b.toml", ""),
        (300 * "x", ""),
    ],
    ids=lambda v: ascii(v)[:24],
)
def test_neurons_that_are_not_there(name: str, words: str, cli: Cli, tmp_path: Path) -> None:
    for command in ("netlist", "simulate", "reference", "run"):
        check_sentence(cli(command, name), words)
    check_sentence(cli("compare", "a.nc", "b.nc", "--neuron", name), words)
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("name", ["bad\nname.toml", "bad\u2028name.toml", "bad\x1ename.toml"])
def test_a_file_name_cannot_break_the_line(name: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PAPER + "unknown = 1\n")
    check_sentence(cli("netlist", name), "Unknown key 'unknown'")


@pytest.mark.parametrize("name", ["nothing", "a\nb", "../presets/paper", ""])
def test_presets_that_are_not_there(name: str, cli: Cli) -> None:
    check_sentence(cli("presets", name), "choose one of")


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
@pytest.mark.parametrize("timeout", ["-1", "0", "nan", "-inf"])
def test_bad_timeouts(simulator: str, timeout: str, cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    result = cli(
        "simulate",
        "paper",
        *SHORT,
        "--simulator",
        simulator,
        "--timeout",
        timeout,
        "-o",
        str(out / "c.nc"),
    )
    check_sentence(result, "give a positive number of seconds")
    assert snapshot(tmp_path) == {"out": None}


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["ngspice", "ngspice-batch"])
@pytest.mark.parametrize("timeout", ["inf", "1e300"])
def test_a_timeout_beyond_all_clocks_is_no_crash(
    simulator: str, timeout: str, cli: Cli, tmp_path: Path
) -> None:
    # Either answer is good: run without a limit, or say that it is no time.
    result = cli("simulate", "paper", *SHORT, "--simulator", simulator, "--timeout", timeout)
    if result.code:
        check_sentence(result)
    else:
        assert (tmp_path / "paper_t_stop_0p1m-circuit.nc").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["simulate", "run"])
@pytest.mark.parametrize("name", ["spectre", "", "a\nb", "NGSPICE"])
def test_unknown_simulator(command: str, name: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" if command == "run" else tmp_path / "out" / "c.nc"
    check_sentence(cli(command, "paper", "--simulator", name, "-o", str(target)), "choose one of")
    assert snapshot(tmp_path) == {"out": None}


@pytest.mark.parametrize("name", ["spectre", "", "../netlists", "a\u2029b"])
def test_unknown_dialect(name: str, cli: Cli, tmp_path: Path) -> None:
    check_sentence(cli("netlist", "paper", "--dialect", name, "-o", "n.cir"), "choose one of")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("name", ["params", "", "NUMBERS", "a\u2029b"])
def test_unknown_style(name: str, cli: Cli, tmp_path: Path) -> None:
    check_sentence(cli("netlist", "paper", "--style", name, "-o", "n.cir"), "choose one of numbers")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("name", ["euler", "", "a\nb"])
def test_unknown_variant(name: str, cli: Cli, tmp_path: Path) -> None:
    check_sentence(cli("reference", "paper", "--variant", name), "choose one of ideal, schmitt")
    (tmp_path / "out").mkdir()
    result = cli("run", "paper", *SHORT, "--variant", name, "-o", str(tmp_path / "out"))
    check_sentence(result, "choose one of ideal, schmitt")
    assert snapshot(tmp_path) == {"out": None}


def test_an_unknown_variant_is_refused_before_the_circuit_is_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spicealif.simulators.ngspice.batch import NgspiceBatch

    def run(self: NgspiceBatch, *_: Any, **__: Any) -> None:
        raise AssertionError("minutes of computing for nothing")

    monkeypatch.setattr(NgspiceBatch, "run", run)
    options = ["--variant", "euler", "--simulator", "ngspice-batch"]
    check_sentence(cli("run", "paper", *SHORT, *options, "-o", "out"), "choose one of ideal")


@pytest.mark.parametrize("tolerance", ["nan", "inf", "-inf", "-1e-3", "1e999"])
def test_bad_tolerances(tolerance: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    options = ["--certify", f"--tolerance={tolerance}", "-o", str(tmp_path / "out")]
    check_sentence(cli("run", "paper", *SHORT, *options), "give a number from 0 to below 1")
    assert snapshot(tmp_path) == {"out": None}


@pytest.mark.parametrize("tolerance", ["1e-3", "nan"])
def test_a_tolerance_without_a_certificate(tolerance: str, cli: Cli, tmp_path: Path) -> None:
    result = cli("run", "paper", *SHORT, "--tolerance", tolerance)
    check_sentence(result, "give --certify too")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    "options",
    [
        ["--certify", "--variant", "euler"],
        ["--certify", "--timeout", "-1"],
        ["--certify", "--simulator", "spectre"],
        ["--certify", "--set", "stimulus.t_rise=0"],
        ["--certify", "--set", "t_stop=300"],
        ["--variant", "euler"],
        ["--timeout", "-1"],
        ["--simulator", "spectre"],
        ["--set", "stimulus.t_rise=0"],
        ["--set", "v_low=0"],
    ],
    ids=lambda o: "-".join(o).replace("--", ""),
)
def test_a_refused_run_does_not_even_make_the_folder(
    options: list[str], cli: Cli, tmp_path: Path
) -> None:
    check_sentence(cli("run", "paper", *SHORT, *options, "-o", "out"))
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("field", ["t_rise", "t_fall"])
def test_ideal_edges_are_not_for_circuits(field: str, cli: Cli, tmp_path: Path) -> None:
    change = ["-s", f"stimulus.{field}=0"]
    for command in ("netlist", "simulate"):
        check_sentence(cli(command, "paper", *SHORT, *change), "set it to a duration")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "paper", "--timeout", "soon"], "is 'soon', which is not a number"),
        (["netlist", "paper", "--unknown"], "No such option"),
        (["frobnicate"], "No such command"),
        (["netlist", "paper", "lif"], "unexpected extra argument"),
        (["compare"], "Missing argument"),
        (["netlist", "paper", "--set"], "requires an argument"),
        (["compare", "a.nc", "b.nc", "--json=1"], "does not take a value"),
        (["run", "--figures=maybe"], "does not take a value"),
        (["run", "--certify=yes"], "does not take a value"),
        (["run", "--certify", "--tolerance", "little"], "is 'little', which is not a number"),
    ],
)
def test_usage(arguments: list[str], words: str, cli: Cli, tmp_path: Path) -> None:
    check_usage(cli(*arguments), words)
    assert snapshot(tmp_path) == {}


# --- explain and verify ---------------------------------------------------------------------------

# name: (command and options, a part of the message)
BAD_CHECKS: dict[str, tuple[list[str], str]] = {
    "unknown measure": (["explain", "--measure", "isi"], "choose among mean_rate"),
    "measure with a newline": (["explain", "--measure", "a\nb"], "choose among"),
    "a pair's measure": (["explain", "--measure", "isi_mean", "--measure", "gamma"], "'gamma'"),
    "one order": (["explain", "--orders", "1"], "give 2 or more"),
    "negative orders": (["explain", "--orders=-2"], "give 2 or more"),
    "no workers": (["explain", "--workers", "0"], "give 1 or more"),
    "explain, unknown simulator": (["explain", "--simulator", "spectre"], "choose one of"),
    "explain, no timeout": (["explain", "--timeout", "0"], ""),
    "explain, ideal edge": (["explain", "--set", "stimulus.t_rise=0"], "set it to a duration"),
    "explain, would latch": (["explain", "--set", "v_low=0"], "raise v_low"),
    "unknown method": (["verify", "--method", "euler"], "choose one of rodas, LSODA"),
    "method with a newline": (["verify", "--method", "a\nb"], "choose one of rodas, LSODA"),
    "no method": (["verify", "--method", ""], "choose one of rodas, LSODA"),
    "tolerance of another unit": (["verify", "--tolerance", "20 V"], "The tolerance"),
    "tolerance no quantity": (["verify", "--tolerance", "small"], "The tolerance"),
    "tolerance 0": (["verify", "--tolerance", "0"], "give a positive time"),
    "negative tolerance": (["verify", "--tolerance=-1n"], "give a positive time"),
    "tolerance nan": (["verify", "--tolerance", "nan"], "tolerance"),
    "tolerance inf": (["verify", "--tolerance", "inf"], "tolerance"),
    "rtol 0": (["verify", "--rtol", "0"], "choose one between"),
    "rtol nan": (["verify", "--rtol", "nan"], "choose one between"),
    "rtol 1": (["verify", "--method", "rodas", "--rtol", "1"], "choose one between"),
    "verify, unknown simulator": (["verify", "--simulator", "spectre"], "choose one of"),
    "verify, ideal edge": (["verify", "--set", "stimulus.t_rise=0"], "set it to a duration"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD_CHECKS)
def test_bad_options_of_explain_and_verify(case: str, cli: Cli, tmp_path: Path) -> None:
    (command, *options), words = BAD_CHECKS[case]
    check_sentence(cli(command, "paper", *SHORT, *options), words)
    assert snapshot(tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["explain", "verify"])
def test_simulators_of_explain_and_verify_that_are_not_there(
    command: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nonexistent")
    check_sentence(cli(command, "paper", *SHORT), "NGSPICE_LIBRARY_PATH")
    assert snapshot(tmp_path) == {}


# --- simulators that are not there --------------------------------------------------------------


@pytest.mark.parametrize("command", ["simulate", "run"])
def test_program_missing(
    command: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    before = snapshot(tmp_path)
    target = tmp_path / "out" if command == "run" else tmp_path / "out" / "c.nc"
    result = cli(command, "paper", *SHORT, "--simulator", "ngspice-batch", "-o", str(target))
    check_sentence(result, "apt-get install ngspice")
    assert snapshot(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("command", ["simulate", "run"])
def test_library_missing(
    command: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nonexistent")
    target = tmp_path / "out" if command == "run" else tmp_path / "out" / "c.nc"
    result = cli(command, "paper", *SHORT, "--simulator", "ngspice", "-o", str(target))
    check_sentence(result, "NGSPICE_LIBRARY_PATH")
    assert "apt-get install" in result.err
    assert snapshot(tmp_path) == {"out": None}


def test_a_program_that_is_not_ngspice(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "ngspice"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    before = snapshot(tmp_path)
    result = cli("simulate", "paper", *SHORT, "--simulator", "ngspice-batch", "-o", "c.nc")
    assert result.code == 1
    assert result.err.startswith("Error: ")
    assert len(result.err.splitlines()) == 1
    assert snapshot(tmp_path) == before


# --- places that cannot be written --------------------------------------------------------------


@pytest.mark.parametrize("command", ["netlist", "simulate", "reference", "run", "explain"])
@pytest.mark.parametrize("place", ["below a file", "proc", "a folder"])
def test_unwritable(command: str, place: str, cli: Cli, tmp_path: Path) -> None:
    # Not by permissions: they do not hold for root.
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    name = {
        "below a file": str(tmp_path / "file" / "x" / "out"),
        "proc": "/proc/nothing/out",
        "a folder": str(tmp_path / "folder"),
    }[place]
    if place == "a folder" and command in ("run", "explain"):
        name = str(tmp_path / "file")  # these want a folder and are given a file
    before = snapshot(tmp_path)
    if place != "a folder":
        # An ending that is written: another one is refused for itself, before the place.
        name += {"netlist": ".cir", "simulate": ".nc", "reference": ".nc"}.get(command, "")
    extra = ["--simulator", "ngspice-batch"] if command in ("simulate", "run") else []
    result = cli(command, "paper", "-s", "t_stop=2u", *extra, "-o", name)
    assert result.code == 1
    check_sentence(Result(result.code, "", result.err), "choose another place")
    assert snapshot(tmp_path) == before


# --- comparing ----------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Give a folder with one good result and many bad ones."""
    folder = tmp_path / "results"
    folder.mkdir()
    time = np.linspace(0, 1e-3, 50)
    signals = dict.fromkeys(("v_mem", "v_c", "spike", "i_in"), 0 * time)
    good = Waveforms(
        time,
        signals,
        np.array([1e-4, 3e-4]),
        {"design": dump_toml(load_preset("lif")), "side": "reference"},
    )
    good.save(folder / "good.nc")
    Waveforms(time, signals, np.empty(0)).save(folder / "anonymous.nc")
    Waveforms(time, signals, np.empty(0), {"design": "c = \n"}).save(folder / "hostile.nc")
    Waveforms(time, {"v_c": time}, np.empty(0), good.attrs).save(folder / "bare.nc")
    Waveforms(time[:0], {"v_mem": time[:0]}, np.empty(0), good.attrs).save(folder / "empty.nc")
    data = (folder / "good.nc").read_bytes()
    (folder / "truncated.nc").write_bytes(data[: len(data) // 2])
    (folder / "head.nc").write_bytes(data[:100])
    (folder / "nothing.nc").write_bytes(b"")
    (folder / "garbage.nc").write_bytes(b"garbage\n" * 100)
    (folder / "garbage.raw").write_bytes(b"garbage\n" * 100)
    (folder / "nothing.raw").write_bytes(b"")
    (folder / "a folder").mkdir()
    (folder / "a folder.raw").mkdir()
    import xarray as xr

    xr.Dataset({"a": ("b", [1.0])}).to_netcdf(folder / "foreign.nc", engine="h5netcdf")
    (folder / "ltspice.raw").write_bytes(ltspice_file())
    (folder / "rc.raw").write_text(text_raw("Transient Analysis"))
    (folder / "ac.raw").write_text(text_raw("AC Analysis"))
    (folder / "cut.raw").write_text(text_raw("Transient Analysis")[:120])
    return folder


def ltspice_file() -> bytes:
    """Return a raw file of the layout that LTspice writes: UTF-16 and float32."""
    head = (
        "Title: * neuron\nDate: Mon Jan 01 00:00:00 2024\nPlotname: Transient Analysis\n"
        "Flags: real forward\nNo. Variables: 2\nNo. Points:            2\n"
        "Offset:   0.0000000000000000e+000\nCommand: Linear Technology Corporation LTspice XVII\n"
        "Variables:\n\t0\ttime\ttime\n\t1\tV(v_c)\tvoltage\nBinary:\n"
    )
    rows = b"".join(np.float64(t).tobytes() + np.float32(1).tobytes() for t in (0.0, 1e-3))
    return head.encode("utf-16-le") + rows


def text_raw(plot: str) -> str:
    """Return a raw file of ngspice that has none of the neuron's vectors."""
    return (
        f"Title: rc\nDate: Mon Jan  1 00:00:00  2024\nPlotname: {plot}\nFlags: real\n"
        "No. Variables: 2\nNo. Points: 2\nVariables:\n\t0\ttime\ttime\n\t1\tv(out)\tvoltage\n"
        "Values:\n0\t0.0\n\t1.0\n\n1\t1.0\n\t1.0\n"
    )


COMPARE: dict[str, tuple[list[str], str]] = {
    "missing": (["missing.nc", "good.nc"], "give a netCDF file"),
    "missing second": (["good.nc", "missing.nc"], "give a netCDF file"),
    "missing, JSON": (["missing.nc", "good.nc", "--json"], "give a netCDF file"),
    "garbage": (["garbage.nc", "good.nc"], "give a netCDF file"),
    "nothing in it": (["nothing.nc", "good.nc"], "give a netCDF file"),
    "truncated": (["truncated.nc", "good.nc"], "give a netCDF file"),
    "only a head": (["head.nc", "good.nc"], "give a netCDF file"),
    "folder": (["a folder", "good.nc"], "give a netCDF file"),
    "foreign": (["foreign.nc", "good.nc"], "has no 'time'"),
    "newline in the name": (["a\nb.nc", "good.nc"], "give a netCDF file"),
    "separator in the name": (["a\u2028b.nc", "good.nc"], "give a netCDF file"),
    "lacks a quantity": (["bare.nc", "good.nc"], "have no 'v_mem'"),
    "no samples": (["empty.nc", "good.nc"], "no samples"),
    "no design": (["anonymous.nc", "anonymous.nc"], "give the neuron (--neuron FILE)"),
    "hostile design": (["hostile.nc", "anonymous.nc"], ""),
    "raw without neuron": (["rc.raw", "good.nc"], "give the neuron (--neuron FILE)"),
    "raw missing": (["missing.raw", "good.nc", "--neuron", "paper"], "missing.raw"),
    "raw garbage": (["garbage.raw", "good.nc", "--neuron", "paper"], "garbage.raw"),
    "raw empty": (["nothing.raw", "good.nc", "--neuron", "paper"], "nothing.raw"),
    "raw folder": (["a folder.raw", "good.nc", "--neuron", "paper"], "a folder.raw"),
    "raw cut": (["cut.raw", "good.nc", "--neuron", "paper"], "cut.raw"),
    "raw of something else": (["rc.raw", "good.nc", "--neuron", "paper"], "save these vectors"),
    "raw without transient": (["ac.raw", "good.nc", "--neuron", "paper"], "ac.raw"),
    "raw of LTspice": (["ltspice.raw", "good.nc", "--neuron", "paper"], "ltspice.raw"),
    "raw, newline in the name": (["a\nb.raw", "good.nc", "--neuron", "paper"], ""),
    "raw, separator in the name": (["a\u2028b.raw", "good.nc", "--neuron", "paper"], ""),
    "unknown neuron": (["good.nc", "good.nc", "--neuron", "nothing"], "neither a preset"),
}


@pytest.mark.parametrize("case", COMPARE)
def test_compare(case: str, cli: Cli, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, words = COMPARE[case]
    monkeypatch.chdir(results)
    before = snapshot(results)
    check_sentence(cli("compare", *arguments), words)
    assert snapshot(results) == before


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("figure.xyz", ".png, .svg or .pdf"),
        ("figure", ".png, .svg or .pdf"),
        ("a\nb.xyz", ".png, .svg or .pdf"),
        ("good.nc/figure.png", "cannot be written"),
    ],
)
def test_compare_figure(
    figure: str, words: str, cli: Cli, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    before = snapshot(results)
    result = cli("compare", "good.nc", "good.nc", "--json", "--figure", figure)
    # Before anything is read or computed.
    check_sentence(result, words)
    assert snapshot(results) == before


# --- as a process -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["netlist", "paper", "--set", "c=-1"],
        ["run", "paper", "--set", "v_low=0"],
        ["netlist", "missing.toml"],
        ["compare", "missing.nc", "missing.nc"],
        ["netlist", "paper", "--set", "name=\udcff"],  # a byte that is not UTF-8
        ["netlist", "\udcff.toml"],
    ],
    ids=ascii,
)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_as_a_process(arguments: list[str], locale: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("spicealif")), *arguments],
        cwd=tmp_path,
        capture_output=True,
        env=dict(os.environ, LC_ALL=locale, PYTHONUTF8="0"),
        timeout=60,
        check=False,
    )
    assert done.stdout == b""
    check_sentence(Result(done.returncode, "", done.stderr.decode("utf-8")))
    assert snapshot(tmp_path) == {}

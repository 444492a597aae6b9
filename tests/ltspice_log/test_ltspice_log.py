"""The reader of LTspice's logs against logs that LTspice wrote, reported wordings, and damage."""

from __future__ import annotations

import math
import os
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spicealif.errors import LogFileError
from spicealif.ltspice_log.log import (
    LogMessage,
    LtspiceLog,
    decode_log,
    parse_ltspice_log,
    read_ltspice_log,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "ltspice_files"
REAL = sorted(SHARED.rglob("*.log")) if SHARED.is_dir() else []
JULIA = SHARED / "cstook__LTspice.jl" / "test"
PLUGIN = SHARED / "svd-ai-lab__sim-plugin-ltspice"
real = pytest.mark.skipif(not REAL, reason="LTspice's own files are not in ../shared")
each_real = pytest.mark.parametrize("path", REAL, ids=lambda p: f"{p.parent.name}/{p.name}")

# The parts of a run, as the versions write them.
HEAD_26 = """LTspice 26.1.1 for Windows
Circuit: C:\\run\\neuron.net
Start Time: Thu Jan 15 00:00:00 2026
"""
SETUP_26 = """solver = Normal
Maximum thread count: 1
tnom = 27
temp = 27
method = trap
"""
TAIL_26 = """Total elapsed time: 0.250 seconds.
Total iterations: 142

Files loaded:
C:\\error: fatal\\run(2).net

"""
DONE_26 = HEAD_26 + SETUP_26 + ".OP point found by inspection.\n" + TAIL_26
HEAD_17 = "Circuit: * a neuron with error: in its title\n\n"
TAIL_17 = """

Date: Thu Jan 15 00:00:00 2026
Total elapsed time: 0.250 seconds.

tnom = 27
temp = 50
method = modified trap
totiter = 144
solver = Alternate
Matrix Compiler1:       2 opcodes  0.0/[0.0]/0.0

"""
FOUND_17 = "Direct Newton iteration for .op point succeeded.\n"


# ------------------------------------------------------------------------------- real logs


@real
@each_real
def test_real_log_decodes_at_every_length(path: Path) -> None:
    data = path.read_bytes()
    text, encoding = decode_log(data)
    assert encoding == ("utf-16-le" if data[1] == 0 else "utf-8")
    assert "Circuit: *" in text
    for mark in "\r\x00\ufffd":
        assert mark not in text
    for end in range(2, len(data)):
        part = decode_log(data[:end])[0]
        assert text.startswith(part.removesuffix("\n"))
        if end % 7 == 0:
            parse_ltspice_log(part)


@real
@each_real
def test_real_log_is_a_finished_run_without_errors(path: Path) -> None:
    log = read_ltspice_log(path)
    assert log.finished
    assert log.elapsed_s is not None and 0 < log.elapsed_s < 1
    assert not log.errors
    assert (log.method, log.solver, log.temp, log.tnom) == ("modified trap", "Normal", 27, 27)
    assert log.version == ("LTspice 17.2.4 for MacOS" if PLUGIN in path.parents else "")
    assert log.circuit and not log.circuit.startswith("*")
    for measurement in log.measurements.values():
        assert measurement.values.shape == (max(1, len(log.steps)),)


@real
def test_real_steps() -> None:
    assert read_ltspice_log(JULIA / "test9.log").steps == (
        {"vin": -1.0},
        {"vin": 0.0},
        {"vin": 1.0},
    )
    steps = read_ltspice_log(JULIA / "test11.log").steps
    assert len(steps) == 24
    assert steps[13] == {"a": 2.0, "b": 20.0, "c": 200.0}
    log = read_ltspice_log(JULIA / "test13.log")
    assert log.steps[29] == {"2n2222(vaf)": 100.0, "v2": 30.0, "v1": 2.0}
    assert log.step_lines[29] == "2n2222(vaf)=100 v2=30 v1=2"
    assert read_ltspice_log(JULIA / "test14.log").steps == ()


@real
def test_real_measurements() -> None:
    log = read_ltspice_log(JULIA / "test9.log")
    assert log.measurements["bad_meas"].expression == "1/vin"
    assert list(log.measurements["bad_meas"].values) == [-1, math.inf, 1]
    assert list(log.measurements["bad_meas2"].values) == [1, -math.inf, -1]
    assert list(log.measurements["m1"].at) == [0.5] * 3
    # in UTF-16 because of a Greek name
    assert read_ltspice_log(JULIA / "test15.log").measurements["\u03c3"].values == [4.5e-5]
    average = read_ltspice_log(JULIA / "test14.log").measurements["m1"]
    assert (average.values, average.from_, average.to, average.at) == ([493.1], [0], [1], None)


@real
def test_real_warning() -> None:
    (warning,) = read_ltspice_log(JULIA / "test14.log").messages
    assert warning.names == ("OUT", "V1")
    assert not warning.fatal


@real
@pytest.mark.parametrize("name", ["src/sim_plugin_ltspice/_skills", "tests/lib/fixtures"])
def test_real_ac_measurements(name: str) -> None:
    (path,) = (PLUGIN / name).rglob("rlc_ac*.log")
    results = read_ltspice_log(path).measurements
    assert list(results) == ["peakmag", "fr", "bw_3db_lo", "bw_3db_hi", "gain_5k"]
    assert results["peakmag"].values.dtype == np.complex128
    assert results["peakmag"].values[0] == pytest.approx(10 ** (-0.0123613 / 20))
    assert (results["peakmag"].from_, results["peakmag"].to) == ([100], [1e5])
    # WHEN: the frequency is the result, and what it waited for may be no number
    assert results["fr"].values == results["fr"].at == [5035.04]
    assert results["bw_3db_lo"].expression == "mag(v(out))=peakmag*0.7071"
    assert results["bw_3db_lo"].values == [4644.92]
    assert results["gain_5k"].at == [5030]


@real
@each_real
def test_real_log_against_a_second_reader(path: Path) -> None:
    from spicelib.log import ltsteps

    other = ltsteps.LTSpiceLogReader(str(path))
    log = read_ltspice_log(path)
    assert [set(other.stepset)] * len(log.steps) == [set(step) for step in log.steps]
    for name, values in other.stepset.items():
        assert values == [step[name] for step in log.steps]
    assert {n for n in other.dataset if not n.endswith(("_at", "_from", "_to"))} == set(
        log.measurements
    )
    for name, m in log.measurements.items():
        for suffix, column in (("_at", m.at), ("_from", m.from_), ("_to", m.to)):
            if column is None:
                assert name + suffix not in other.dataset
            else:
                assert list(column) == other.dataset[name + suffix]
        values = other.dataset[name]
        if "=" in m.expression:  # a WHEN: it takes the level, or its text, for the result
            values = other.dataset[f"{name}_at"]
        # it leaves Microsoft's infinities as text
        values = [float(v.replace("1.#INF", "inf")) if isinstance(v, str) else v for v in values]
        assert list(m.values) == pytest.approx(values, abs=0)


# ------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("encoding", "mark", "name"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings(encoding: str, mark: bytes, name: str, end: str) -> None:
    text = "Circuit: * µ\n.step temp=-40°C\n.step temp=27°C\n\ng: v(out)=(-3.0103dB,-45°) at 1000\n"
    data = mark + text.replace("\n", end).encode(encoding)
    assert decode_log(data) == (text, name)
    log = parse_ltspice_log(text)
    assert log.steps == ({"temp": -40}, {"temp": 27})
    assert log.measurements["g"].values[0] == pytest.approx((1 - 1j) / 2, rel=1e-5)
    for cut in range(len(mark) + 2, len(data)):
        part, _ = decode_log(data[:cut])
        assert text.startswith(part.removesuffix("\n"))


def test_lines_in_another_encoding() -> None:
    mixed = "Circuit: * µ\n".encode() + ".step temp=-40°\n".encode("cp1252")
    assert decode_log(mixed) == ("Circuit: * µ\n.step temp=-40°\n", "utf-8")
    # XVII copies a title in a double-byte code page as it is; cp1252 lacks some of its bytes
    text, encoding = decode_log(b"Circuit: * \x81\x8d\xb0\n.step r=1\n")
    assert (encoding, parse_ltspice_log(text).steps) == ("latin-1", ({"r": 1.0},))


@pytest.mark.parametrize("degree", ["°", "Â°", "\ufffd", "?", "∞", "", "°C", "Â°C"])
def test_mangled_degrees(degree: str) -> None:
    log = parse_ltspice_log(f".step temp=-40{degree}\n\ng: v(out)=(-20dB,180{degree[:2]})\n")
    assert log.steps == ({"temp": -40.0},)
    assert log.measurements["g"].values[0] == pytest.approx(-0.1)


# ------------------------------------------------------------------------------- results


FORMS = {  # forms of IV, XVII, 17, 24 and 26; numbers have 6 or 12 digits
    "vmax: MAX(v(out))=0.999955832958 FROM 0 TO 0.001": (0.999955832958, 0, 0.001, None),
    "vend: V(out)=0.993253 at 0.0005": (0.993253, None, None, 0.0005),
    "half: v(out)=0.5 AT 7.11305e-005": (7.11305e-5, None, None, 7.11305e-5),
    "level: v(out)=vmax/sqrt(2) AT 252.921": (252.921, None, None, 252.921),
    "rise=0.000220382 FROM 1.11609e-005 TO 0.000231543": (
        0.000220382,
        1.11609e-5,
        0.000231543,
        None,
    ),
    "twice: vmax*2=1.99991": (1.99991, None, None, None),
    "eq: a==b=1": (1, None, None, None),
    "inf: 1/x=1.#INF": (math.inf, None, None, None),
    "neg: 1/x=-1.#INF at 1": (-math.inf, None, None, 1),
    "ind: 0/x=-1.#IND": (math.nan, None, None, None),
    "ind2: 0/x=1.#IND00": (math.nan, None, None, None),
    "nan: 0/x=-nan(ind)": (math.nan, None, None, None),
    "z: v(a)=(3,-4)": (3 - 4j, None, None, None),
    "lin: v(a)=(2,90°)": (2j, None, None, None),
    "none: mag(v(a))=(-infdB,0°)": (0, None, None, None),
    "ph: ph(v(out))=(33.0643dB,180°) at 1000": (-45.0, None, None, 1000),
}


@pytest.mark.parametrize("line", FORMS)
def test_forms_of_results(line: str) -> None:
    (result,) = parse_ltspice_log(DONE_26 + line + "\n").measurements.values()
    value, start, stop, at = FORMS[line]
    assert result.values[0] == pytest.approx(value, rel=1e-4, abs=1e-12, nan_ok=True)
    for column, expected in ((result.from_, start), (result.to, stop), (result.at, at)):
        assert (None if column is None else column.tolist()) == (
            None if expected is None else [expected]
        )
    assert result.name == line.replace("=", ":").split(":")[0]


def test_a_sentence_about_ltspice_is_no_version() -> None:
    log = parse_ltspice_log("LTspice cannot open the netlist.\n")
    assert log.version == ""
    assert [m.text for m in log.fatal] == ["LTspice cannot open the netlist."]


def test_failed_results() -> None:
    lines = 'before: a=1\nMeasurement "Never" FAIL\'ed\n\nafter: b=2\n'
    log = parse_ltspice_log(HEAD_17 + FOUND_17 + lines + TAIL_17)
    assert {n: m.values.tolist() for n, m in log.measurements.items() if n != "never"} == {
        "before": [1.0],
        "after": [2.0],
    }
    assert math.isnan(log.measurements["never"].values[0])
    assert [m.level for m in log.messages] == ["warning"]


TABLES = """
Measurement: s_find
  step\tv(out)\tat
     1\t0.993253\t0.0005
     2\t(-6.0206dB,0°)\t0.0005
     3\t0.220522\t0.0005

Measurement: s_when
  step\tV(out)=0.5
     1\t7.01e-05
     2\t0.000139
     3\tfailed

Measurement: s_rise
  step\ts_rise\tFROM\tTO
     1\t2.6e-005\t1.1e-005\t3.7e-005
     2\t5.0e-005\t2.1e-005\t7.2e-005
     3\t1.#INF\t0\t1.#INF
"""


def test_tables() -> None:
    steps = "".join(f".step r={r}\n" for r in (1000, "2K", "20Meg"))
    log = parse_ltspice_log(HEAD_17 + FOUND_17 + steps + TABLES + TAIL_17)
    assert log.steps == ({"r": 1e3}, {"r": 2e3}, {"r": 20e6})
    find, when, rise = log.measurements.values()
    assert find.values == pytest.approx([0.993253, 0.5, 0.220522], rel=1e-5)
    assert list(find.at) == [0.0005] * 3
    assert when.expression == "V(out)=0.5"
    assert when.values == pytest.approx([7.01e-5, 0.000139, math.nan], nan_ok=True)
    assert rise.expression == ""
    assert list(rise.to) == [3.7e-5, 7.2e-5, math.inf]
    cut = parse_ltspice_log(HEAD_17 + steps + TABLES[: TABLES.index("     3\t1.#INF")])
    assert np.isnan(cut.measurements["s_rise"].values).tolist() == [False, False, True]
    # without .step lines the rows are counted
    assert parse_ltspice_log(TABLES).measurements["s_find"].values.shape == (3,)


def test_steps_between_the_messages_of_26() -> None:
    point = ".OP point found by inspection.\n"
    log = parse_ltspice_log(
        f"{HEAD_26}\n.step r=1000 c=1e-07\n{SETUP_26}{point}\n.step r=2000 c=2e-07\n{point}"
        + TAIL_26
    )
    assert log.steps == ({"r": 1e3, "c": 1e-7}, {"r": 2e3, "c": 2e-7})
    assert not log.messages


def test_steps_that_are_none() -> None:
    log = parse_ltspice_log(".step param R 1 10 1\n.step\n.step m=bc547b n=1_0 o=²\n")
    (step,) = log.steps
    assert all(math.isnan(value) for value in step.values())
    assert log.step_lines == ("m=bc547b n=1_0 o=²",)


def test_netlist_and_files_in_the_log_are_no_messages() -> None:
    listing = "\n   --- Expanded Netlist ---\n* error: title\nwarning: none=1\n.step a=1\n.end\n\n"
    log = parse_ltspice_log(HEAD_17 + listing + FOUND_17 + "vx: v(x)=1\n" + TAIL_17)
    assert (log.messages, log.steps, list(log.measurements)) == ((), (), ["vx"])
    assert parse_ltspice_log(DONE_26).messages == ()


def test_fourier_and_operating_points_are_no_results() -> None:
    text = """N-Period=1
Fourier components of V(out)
DC component:-0.0735952

Harmonic\tFrequency\t Fourier \tNormalized\t Phase  \tNormalized
 Number \t  [Hz]   \tComponent\t Component\t[degree]\tPhase [deg]
    1   \t1.000e+03\t8.659e-01\t1.000e+00\t   -0.01°\t    0.00°
Total Harmonic Distortion: 13.603246%(13.610258%)

Semiconductor Device Operating Points:
                        --- Diodes ---
Name:      d2          d1
Id:      1.16e-08   -8.59e-12
"""
    log = parse_ltspice_log(HEAD_17 + FOUND_17 + text + TAIL_17)
    assert (log.measurements, log.messages) == ({}, ())


def test_facts() -> None:
    new, old = parse_ltspice_log(DONE_26), parse_ltspice_log(HEAD_17 + FOUND_17 + TAIL_17)
    assert new.version == "LTspice 26.1.1 for Windows"
    assert (new.circuit, old.circuit) == (
        "C:\\run\\neuron.net",
        "a neuron with error: in its title",
    )
    assert (old.method, old.solver, old.temp) == ("modified trap", "Alternate", 50)
    assert new.elapsed_s == old.elapsed_s == 0.25
    assert parse_ltspice_log("Total elapsed time: 0,119 seconds.").elapsed_s == 0.119
    assert parse_ltspice_log("Total elapsed time: 2 minutes 3.5 seconds.").elapsed_s == 123.5
    assert parse_ltspice_log("Total elapsed time: ").elapsed_s is None
    assert parse_ltspice_log("Total elapsed time: ").finished
    empty = parse_ltspice_log("")
    assert (empty.finished, empty.elapsed_s, empty.temp, empty.messages) == (False, None, None, ())


# ------------------------------------------------------------------------------- messages


def only(log: LtspiceLog) -> LogMessage:
    (message,) = log.messages
    return message


CARDS_26 = [  # recorded with 26.1.1, without Circuit and elapsed time where parsing fails
    ("", 4, "Expected node name here.", "R2 a", ("R2",)),
    ("", 2, "File not found.", ".include nosuchfile.lib", ()),
    ("", 7, 'Expected ")" here.', ".meas tran broken FIND V(out AT 0.5m", ()),
    (HEAD_26, 4, "Instance with that name already defined.", "R1 a 0 2k", ("R1",)),
    (HEAD_26, 4, 'Undefined model "nosuchmodel".', "D1 b 0 NOSUCHMODEL", ("D1",)),
    (HEAD_26, 3, "No such parameter defined.", "R1 a 0 {undefined_r}", ("R1",)),
    (HEAD_26, 4, "This sub-circuit name is not defined.", "X1 b 0 nosuchsub", ("X1",)),
    (HEAD_26, 5, "This results in only one step.", ".step param Rx list 1k", ()),  # ADI
]


@pytest.mark.parametrize(("head", "line", "text", "card", "names"), CARDS_26)
def test_refused_line_of_26(
    head: str, line: int, text: str, card: str, names: tuple[str, ...]
) -> None:
    log = parse_ltspice_log(f"{head}C:\\run (2)\\n.cir({line}): {text}\n{card}\n    ^^^^\n")
    assert only(log) == LogMessage(
        "error",
        f"C:\\run (2)\\n.cir({line}): {text} {card}",
        line,
        names,
        True,
        "C:\\run (2)\\n.cir",
    )
    assert (log.finished, log.steps) == (False, ())


def test_complaint_of_26_that_does_not_stop_the_run() -> None:
    complaint = "/models/d.lib(3): Emission coefficient, N=0.01, too small.\n"
    message = only(parse_ltspice_log(HEAD_26 + complaint + SETUP_26 + TAIL_26))
    assert (message.level, message.fatal, message.file) == ("warning", False, "/models/d.lib")


FATAL = [  # (log, text, names): the run's data are no solution
    # recorded with 26.1.1; the elapsed time is there
    (
        f'{HEAD_26}{SETUP_26}\nConvergence Failure:  Time step too small; initial timepoint: '
        f'trouble with node "a"\n\n{TAIL_26}',
        'Convergence Failure: Time step too small; initial timepoint: trouble with node "a"',
        ("a",),
    ),
    (
        f"{HEAD_26}{SETUP_26}{FOUND_17}\nSimulation Failed: Iteration limit reached\n\n{TAIL_26}",
        "Simulation Failed: Iteration limit reached",
        (),
    ),
    (
        f"{HEAD_26}{SETUP_26}Total elapsed time: 0.000 seconds.\nTotal iterations: 0\n"
        "Voltage source V2 and inductor L1 are paralleled making an over-defined circuit matrix.\n"
        "You will need to correct the circuit or add some series resistance.",
        "Voltage source V2 and inductor L1 are paralleled making an over-defined circuit matrix. "
        "You will need to correct the circuit or add some series resistance.",
        ("V2", "L1"),
    ),
    (
        f"{HEAD_26}{SETUP_26}Total elapsed time: 0.000 seconds.\nTotal iterations: 0\n"
        "R1: Resistance must not be zero.",
        "R1: Resistance must not be zero.",
        ("R1",),
    ),
    (f"{HEAD_26}No analysis specified.", "No analysis specified.", ()),
    (f"{HEAD_26}More than one analysis specified.", "More than one analysis specified.", ()),
    # a report of 26.0.2
    (
        f"{HEAD_26}{SETUP_26}.OP point found by inspection.\n\n"
        f"Simulation Failed: Matrix is singular\n\n{TAIL_26}",
        "Simulation Failed: Matrix is singular",
        (),
    ),
    # ADI's reference for 24 and later
    (
        f"{HEAD_26}{SETUP_26}Convergence Failure: Time step too small; time = 1.0005e-06, timestep "
        f'= 1.25e-19: trouble with instance "x_cmp:A2"\n{TAIL_26}',
        "Convergence Failure: Time step too small; time = 1.0005e-06, timestep = 1.25e-19: "
        'trouble with instance "x_cmp:A2"',
        ("x_cmp:A2",),
    ),
    # reports of XVII and 24
    (
        f"{HEAD_17}Analysis: time step too small; time = 1.1e-009, timestep = 1.125e-019: trouble "
        "with d-flop instance a3\n",
        "Analysis: time step too small; time = 1.1e-009, timestep = 1.125e-019: trouble with "
        "d-flop instance a3",
        ("a3",),
    ),
    (
        f"{HEAD_17}{FOUND_17}Fatal Error: Analysis: Time step too small; time = 1.264, timestep = "
        "1.25e-15:\n                 trouble with node \"nspk\"\n",
        "Fatal Error: Analysis: Time step too small; time = 1.264, timestep = 1.25e-15: trouble "
        'with node "nspk"',
        ("nspk",),
    ),
    # recorded with XVII, where the log stays UTF-16
    (
        f"{HEAD_17}Fatal Error: Unknown subcircuit called in:\n   x1 in out nosuchsub\n\n",
        "Fatal Error: Unknown subcircuit called in: x1 in out nosuchsub",
        ("x1",),
    ),
    # a report of IV or XVII under Wine
    (
        f"{HEAD_17}{FOUND_17}Singular matrix:  Check node u1:15\n",
        "Singular matrix: Check node u1:15",
        ("u1:15",),
    ),
    # an unknown reason where only a reason can stand
    (f"{HEAD_26}Something new is wrong with V3.\n", "Something new is wrong with V3.", ()),
    (
        f"{HEAD_26}{SETUP_26}Total elapsed time: 0.000 seconds.\nL1 is unheard of.",
        "L1 is unheard of.",
        (),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "names"), FATAL, ids=lambda v: str(v)[-40:])
def test_fatal_messages(text: str, expected: str, names: tuple[str, ...]) -> None:
    log = parse_ltspice_log(text)
    assert only(log) == LogMessage("error", expected, None, names, fatal=True)
    assert log.fatal == log.errors == log.messages


def test_error_on_line_of_xvii_is_fatal_only_if_the_run_ends_there() -> None:
    ignored = "Error on line 4 : .frobnicate 1 2\n\t Unknown control card\n"  # recorded
    message = only(parse_ltspice_log(HEAD_17 + ignored + FOUND_17 + TAIL_17))
    assert message == LogMessage(
        "error", "Error on line 4 : .frobnicate 1 2 Unknown control card", 4
    )
    missing = 'Error on line 2 : s1 n003 n001 n002 0 sw Unable to find definition of model "sw"\n'
    message = only(parse_ltspice_log(HEAD_17 + missing))  # a report
    assert (message.line, message.names, message.fatal) == (2, ("s1",), True)


NOT_FATAL = [  # the run goes on, and its data are what LTspice takes for the solution
    # recorded with XVII and 26.1.1
    ("ERROR: Node A is floating and connected to current source I1", "error", ("A", "I1")),
    ('Measurement "never" FAIL\'ed', "warning", ()),
    (
        "Trouble finding operating point....skipping operating point for Transient analysis.",
        "warning",
        (),
    ),
    (
        'Instance "x1:M1": Length shorter than recommended for a level 1 MOSFET.',
        "warning",
        ("x1:M1",),
    ),
    # reports of 17.2.4 and 26
    ("WARNING: Node VO2 is floating.", "warning", ("VO2",)),
    ('Warning: Multiple definitions of model "bc847b" Type: BJT', "warning", ()),
    (
        "WARNING: Less than two connections to node u1:9.  This node is used by e:u1:cmr.",
        "warning",
        ("u1:9", "e:u1:cmr"),
    ),
]


@pytest.mark.parametrize(("line", "level", "names"), NOT_FATAL)
def test_messages_of_runs_that_go_on(line: str, level: str, names: tuple[str, ...]) -> None:
    for text in (
        f"{HEAD_17}{line}\n\n{FOUND_17}{TAIL_17}",
        f"{HEAD_26}{SETUP_26}{line}\n\n{FOUND_17}{line}\n{TAIL_26}",
    ):
        message = only(parse_ltspice_log(text))
        assert message == LogMessage(level, " ".join(line.split()), None, names)  # type: ignore[arg-type]


def test_indented_reasons_belong_to_the_line_above() -> None:
    curly = (
        'Questionable use of curly braces in "b1 a 0 v={v(b)}"\n'
        '    Error: undefined symbol in: "[v](b)"\n'
    )
    meas = ".meas tran broken find v(out at 0.5m\n  Error: FIND can not be evaluated.\n"
    log = parse_ltspice_log(curly + HEAD_17 + FOUND_17 + meas + TAIL_17)
    assert [(m.level, m.fatal) for m in log.messages] == [("warning", False), ("error", False)]
    assert log.messages[1].text == (
        ".meas tran broken find v(out at 0.5m Error: FIND can not be evaluated."
    )


@pytest.mark.parametrize(
    "chatter",
    [
        # recorded with 26.1.1
        """Direct Newton iteration failed to find operating point.
Starting Gmin stepping
Gmin stepping failed to find operating point. Use".option gminsteps=0" to skip all Gmin stepping.
Starting source stepping with srcstepmethod=0
Starting source stepping with srcstepmethod=1, level 2
Source stepping failed to find operating point. Use ".options srcsteps=0" to skip all source \
stepping.
Pseudo Transient failed to find the operating point at 10 µs
Changing Tseed to 1e-09
Gmin stepping succeeded in finding the operating point.
""",
        # recorded with XVII; spicelib's test files
        """Direct Newton iteration failed to find .op point.  (Use ".option noopiter" to skip.)
Starting Gmin stepping
Increasing initial diagonal Gmin to 100
Singular matrix:  Check node u1:15
Gmin = 10737.4
vernier = 0.5
Gmin = 0
Gmin stepping succeeded in finding the operating point.
""",
    ],
)
def test_search_for_an_operating_point_that_succeeds(chatter: str) -> None:
    for text in (HEAD_17 + chatter + TAIL_17, HEAD_26 + SETUP_26 + chatter + TAIL_26):
        log = parse_ltspice_log(text)
        assert not log.fatal
        assert not [m for m in log.messages if not m.text.startswith("Singular")]
        assert not log.measurements


# ------------------------------------------------------------------------------- files


def test_files_that_are_no_logs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge.log").open("wb") as file:
        file.truncate((1 << 28) + 1)
    for path, words in (
        (tmp_path / "none.log", "does not exist"),
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / "huge.log", "larger than 256 MB"),
        ("a\0b", "no path"),
        (None, "no path"),
    ):
        with pytest.raises(LogFileError, match=words):
            read_ltspice_log(path)  # type: ignore[arg-type]
    (tmp_path / "empty.log").touch()
    assert read_ltspice_log(tmp_path / "empty.log").encoding == "utf-8"


# ------------------------------------------------------------------------------- damage

PIECES = [
    *DONE_26.split("\n"), *TAIL_17.split("\n"), *TABLES.split("\n"), *FORMS,
    *(line for line, _, _ in NOT_FATAL), *(text.split("\n")[-1] for text, _, _ in FATAL),
    "a.cir(4): b.", "R1 a", "^^^^", "  Error: c", ".step a=1 b=2", "--- Expanded Netlist ---",
    "Measurement:", "x=(1dB,1e999°)", "y=(1e999,2°)", "=", "(", "): ", "     99999999\t1",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text()), max_size=30).map("\n".join))
def test_parsing_never_raises(text: str) -> None:
    log = parse_ltspice_log(text)
    assert log.text == text
    for measurement in log.measurements.values():
        for column in (measurement.from_, measurement.to, measurement.at):
            assert column is None or column.shape == measurement.values.shape
    for message in log.messages:
        assert "\n" not in message.text and len(message.text) <= 1000


@given(st.binary())
def test_decoding_never_raises(data: bytes) -> None:
    text, encoding = decode_log(data)
    assert "\r" not in text
    text.encode(encoding, "replace")
    parse_ltspice_log(text)


@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_decoding_undoes_encoding(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    if b"\0" not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        plain = data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        assert decode_log(data) == (plain, "utf-8")


HOSTILE = {
    "one long line": "a" * 1_000_000,
    "spaces": " " * 1_000_000,
    "returns": "\r" * 1_000_000,
    "carets": "a.b(1): c\nd\n" + "^" * 1_000_000,
    "digits": "x=" + "1" * 1_000_000,
    "signs": "x: y" + "=" * 1_000_000,
    "parentheses": "x.y" + "(" * 300_000 + "): " + "(1): " * 20_000,
    "intervals": "x=1" + " FROM 0 TO 1" * 30_000,
    "quotes": 'Measurement "' * 30_000,
    "errors": "Fatal Error: \n" * 30_000,
    "continued": "Error: a\n" + " b\n" * 60_000,
    "distinct": "\n".join(f"Warning: {k}" for k in range(5_000)),
    "sources": "voltage source " * 30_000 + "over-defined circuit matrix",
    "steps": ".step a=1\n" * 20_000,
    "step": ".step " + "a=1 " * 60_000,
    "tables": ".step a=1\n" * 10_000 + "Measurement: x\n  step\ty\tFROM\n     1\t1\n" * 5_000,
    "distinct tables": ".step a=1\n" * 10_000
    + "".join(f"Measurement: x{k}\n  step\ty\tFROM\n     1\t1\n" for k in range(5_000)),
    "failures": ".step a=1\n" * 10_000
    + "".join(f'Measurement "x{k}" FAIL\'ed\n' for k in range(5_000)),
    "rows": "Measurement: x\n  step\ty\n" + "     999999999\t1\n" * 20_000,
    "columns": "Measurement: x\n  step" + "\tat" * 60_000 + "\n     1" + "\t1" * 60_000,
    "located": "a/b(1): c\n" * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_logs_take_linear_time_and_memory(name: str) -> None:
    text = HOSTILE[name]
    tracemalloc.start()
    begin = time.process_time()
    parse_ltspice_log(decode_log(text.encode())[0])
    used, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # tracing slows it down several times; anything quadratic would take far longer
    assert used < 10
    assert peak < 150 * len(text) + 5_000_000

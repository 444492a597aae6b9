"""What LTspice's logs put on one line, warnings that change a result, and lines that are no result.

The wordings are those of logs of LTspice IV in a public project (mainster/LTspiceWorkspace), of
Qspice's as spicelib reads them, and of Xyce's source.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _log_pieces import END, HEAD, plot_of

from spicealif.ltspice_log.log import parse_ltspice_log
from spicealif.netlist import build_netlist
from spicealif.simulators import read_raw
from spicealif.simulators.judge import read_log
from spicealif.simulators.ltspice._judge import messages

FATAL = (
    "Fatal Error: Analysis:  Time step too small; time = 9e-010, timestep = 1.25e-019: trouble "
    "with or-instance a7"
)
SHOWN = " ".join(FATAL.split())


# ------------------------------------------------------------------------------- glued


@pytest.mark.parametrize(
    "before",
    [
        "",
        "Heightened Def Con from 9e-010 " + "+" * 50,
        "Heightened Def Con from 9e-010 ",
        "Heightened Def Con from 9e-010 +++to 9.1e-010",
        "Heightened Def Con from 9e-010 ++++ ",
        "Heightened DefCon from 9e-010 ++",
        "++++++",
        "+to 9e-10",
        "Changing Tseed to 5.85938e-007",
        "Gmin = 0.01",
        "vernier = 0.5",
        "Source Step = 3.0303%",
        "Direct Newton iteration for .op point succeeded.",
        "Gmin stepping succeeded in finding the operating point.",
        ".step r=1000",
        ".step r=1000 c=2u",
        "vmax: MAX(v(out))=0.999955 FROM 0 TO 0.001",
        "WARNING: Node A is floating.",
        "something new ....",
    ],
)
def test_a_fatal_error_is_seen_wherever_it_stands(before: str) -> None:
    log = parse_ltspice_log(f"{HEAD}{before}{FATAL}\n\n")
    (fatal,) = log.fatal
    assert fatal.text == SHOWN
    assert fatal.names == ("a7",)
    assert fatal.level == "error"


def test_what_a_fatal_error_is_glued_to_is_read_too() -> None:
    log = parse_ltspice_log(f"{HEAD}.step r=1000{FATAL}\n")
    assert log.steps == ({"r": 1000.0},)
    log = parse_ltspice_log(f"{HEAD}vmax: MAX(v(out))=0.5 FROM 0 TO 1{FATAL}\n")
    assert log.measurements["vmax"].values == [0.5]
    log = parse_ltspice_log(f"{HEAD}WARNING: Node A is floating.{FATAL}\n")
    assert [m.level for m in log.messages] == ["warning", "error"]


@pytest.mark.parametrize(
    "line",
    [
        "Heightened Def Con from 1e-3 +++Changing Tseed to 1e-8",
        "Heightened Def Con from 0.00450849 +++to 0.00450849",
        "Heightened Def Con from 0.00450849 to 0.00450849",
        "+Changing Tseed to 1e-008",
        "+to 0.1",
        "to 0.0155081",
    ],
)
def test_progress_is_no_message(line: str) -> None:
    log = parse_ltspice_log(
        f"{HEAD}{line}\nDirect Newton iteration for .op point succeeded.\n{END}"
    )
    assert log.messages == ()
    assert log.measurements == {}


def test_other_messages_behind_progress() -> None:
    point = "Direct Newton iteration for .op point succeeded."
    for text, count in (
        (f"Heightened Def Con from 1 ++Singular matrix:  Check node n1\n{point}", 1),
        (f"+++{point}", 0),
        ("Heightened Def Con from 1 +++Simulation Failed: Matrix is singular", 1),
        ("++Analysis: Time step too small; time = 1, timestep = 1e-19: trouble with node 'n1'.", 1),
    ):
        assert len(parse_ltspice_log(f"{HEAD}{text}\n{END}").messages) == count
    # a step behind the sentence before it
    log = parse_ltspice_log(f"{HEAD}{point}.step r=1\n.step r=2{point}\n{END}")
    assert log.steps == ({"r": 1.0}, {"r": 2.0})


@pytest.mark.parametrize(
    "line",
    [
        "Circuit: * C:\\Fatal Error\\x.asc",
        "Circuit: * Fatal Error: a title",
        'WARNING: Less than two connections to node "Fatal Error".',
        'Questionable use of curly braces in "b1 a 0 v={Fatal Error}"',
    ],
)
def test_names_that_read_like_errors(line: str) -> None:
    assert not parse_ltspice_log(f"{line}\n{HEAD}{END}").fatal


# ------------------------------------------------------------------------------- what changes


WARNINGS = [
    'Unknown node in .ic card: "s" -- ignoring',
    "C4: both pins shorted together -- ignoring.",
    "u25:d18: both pins shorted together -- ignoring.",
    "M2: all pins shorted together -- ignoring.",
    'Unknown model type "ctrl-v-s" -- ignored',
    "E3: Trouble evaluating Laplacian at DC.",
    "V1: Missing value, assumed 0V @ DC",
    "V4: Removing PWL point (0.7,0)",
    "C4: Increased Cpar to 3e-016",
    "x1:tload: using linear interpolation because trytocompact option specified",
    ".dc sweep increment has wrong sign -- fixing...",
    "Number of points per octave reduced from 10000 to 9375.",
    "Limiting fall time of source v3 to 6.07153e-019",
    "Terminal Gmin changed to 1e-012",
    "This circuit has floating nodes.",
    '.fourier quantity "I(l1)" not pressent in data.',
    'Stray ".ends" card: .ends',
    'Missing ".ends" statement in file "x.sub"',
    'Model "u1:mnmos": Oxide thickness thinner than recommended for a level 1 MOSFET.',
    "WARNING: Can't resolve .param av=gm*2",
    "WARNING: Specified period is not longer than the sum of Trise, Tfall, and Ton for v3.  "
    "Increasing period to 0.003",
    # wordings that nobody has recorded
    'Unknown node in .nodeset card: "q" -- ignoring',
    "L7: negative inductance replaced by its magnitude.",
    'Parameter "foo" is not supported and was ignored.',
    "B1: illegal argument of sqrt() clipped to zero",
]


@pytest.mark.parametrize("line", WARNINGS)
def test_warnings_that_change_a_result(line: str, paper) -> None:
    log = parse_ltspice_log(
        f"{HEAD}{line}\nDirect Newton iteration for .op point succeeded.\n{END}"
    )
    (message,) = log.messages
    assert (message.level, message.fatal) == ("warning", False)
    assert message.text == " ".join(line.split())
    errors, warnings = messages(log, build_netlist(paper, "ltspice"))
    assert not errors
    assert [w.text for w in warnings] == [message.text]


@pytest.mark.parametrize(
    "line",
    [
        "Ignoring empty pin current: Ix(u1:2)",
        "Could not converge to DC with sources off!",
        "Early termination of direct N-R iteration.",
        "Increasing initial diagonal Gmin to 100",
        "Per .tran options, skipping operating point for transient analysis.",
        "Direct Newton iteration failed to find .op point.  (Use \".option noopiter\" to skip.)",
        "matrix size = 2",
    ],
)  # fmt: skip
def test_stages_and_notices_are_no_warnings(line: str) -> None:
    log = parse_ltspice_log(
        f"{HEAD}{line}\nGmin stepping succeeded in finding the operating point.\n{END}"
    )
    assert log.messages == ()


def test_what_ends_a_run_is_an_error_however_it_is_worded() -> None:
    log = parse_ltspice_log('Circuit: * x\n\nUnknown model type "ctrl-v-s"\n')
    (message,) = log.fatal
    assert message.level == "error"


def test_messages_of_xyce() -> None:
    text = (
        "Netlist warning in file x.cir at or near line 5\n Device instance R1 has no value\n\n"
        "Netlist error in file x.cir at or near line 7\n No model foo\n"
        "User fatal error: nothing to do\nSimulation aborted due to error.\n"
    )
    log = parse_ltspice_log(text)
    assert [m.level for m in log.messages] == ["warning", "error", "error", "error"]
    assert log.messages[0].text.endswith("line 5 Device instance R1 has no value")
    assert len(log.fatal) == 3


def test_ngspice_says_what_it_ignores(paper) -> None:
    _, warnings = read_log(
        "Warning : IC on non-existent node - nowhere, ignored\n"
        ".fourier line ignored since rawfile was produced.\n"
        "Note: v2: has no value, DC 0 assumed\n",
        build_netlist(paper, "ngspice"),
    )
    assert len(warnings) == 3


# ------------------------------------------------------------------------------- no results


@pytest.mark.parametrize(
    "line",
    [
        "Laplace(E1): Window=20ms Nfft=32768",
        "Laplace(E1): Window=5.66961ms Nfft=16384",
        "Laplace(E1): Window=0.02 Nfft=32768",
        "Laplace(x1:E1): Nfft=32768",
        "Laplace(E1): Window=20ms",
        "E1: Window=20ms Nfft=32768",
        "settings: a=1 b=2 c=3",
        "N-Period=100",
        "time: step=20m",
    ],
)
def test_settings_are_no_results(line: str) -> None:
    log = parse_ltspice_log(f"{HEAD}{line}\n{END}")
    assert log.measurements == {}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("g: if(a==b,1,0)=1", 1),
        ("fs: freq=7461220", 7461220),
        ("gainmag: 20*log10(hypot(are,aim) / hypot(bre,bim))=0.0362809", 0.0362809),
        ("q: x=1", 1),
        ("vmax: MAX(v(out))=0,999955 FROM 0 TO 0,001", 0.999955),
        ("half: v(out)=0.5 AT 7,11305e-005", 7.11305e-5),
        ("g: v(out)=(-20,0dB,180,0°) at 1000", -0.1),
    ],
)
def test_results_are_still_results(line: str, value: float) -> None:
    (result,) = parse_ltspice_log(f"{HEAD}{line}\n{END}").measurements.values()
    assert result.values[0] == pytest.approx(value)


# ------------------------------------------------------------------------------- steps


@pytest.mark.parametrize(
    "line",
    [
        "{k} of 2 steps:  .step r1={v}",
        "{k} of 2 steps: .step r1={v}",
        "{k} of 2 step: .STEP R1={v}",
        ".step r1={v}",
        "   .step   r1={v}",
    ],
)
def test_spellings_of_steps(line: str, tmp_path: Path) -> None:
    lines = [line.format(k=k + 1, v=v) for k, v in enumerate((1000, "2k"))]
    log = tmp_path / "q.log"
    log.write_text("C:\\a\\x.net\n" + "\n".join(lines) + END)
    raw = plot_of(tmp_path / "q.qraw")
    for plots in (read_raw(raw, log=log), read_raw(raw)):
        assert plots[0].step_values == ({"r1": 1000.0}, {"r1": 2000.0})
    np.testing.assert_array_equal(plots[0].columns(1)["V(out)"], np.linspace(0, 1, 5))

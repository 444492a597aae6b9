"""LTspice as a simulator: good runs, refused netlists, progress, threads, two readers, commands."""

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ltspice as other_reader
import numpy as np
import pytest
from _ltspice_runs import (
    FLAVOURS,
    PAPER,
    T_STOP,
    after,
    assert_beginning,
    assert_told,
    host_of,
    netlist_of,
    ours,
    place,
    prepared,
    whole,
)
from click.testing import CliRunner
from netlist_runs import ask_for, edit

from spicealif import certify, cosimulate, load_preset, verify
from spicealif.cli import cli
from spicealif.errors import SimulatorError
from spicealif.netlist import build_netlist
from spicealif.rawfile import second_reader
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.ltspice.runner import Ltspice, Solver
from spicealif.simulators.ngspice.batch import NgspiceBatch
from spicealif.simulators.process.process import Finished, _exit_code
from spicealif.waveforms import QUANTITIES

__all__ = ["place", "prepared", "whole"]

# --- good runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_good_run(place, flavour):
    simulator = place.ltspice(flavour=flavour, real=True)
    run = simulator.run(PAPER)
    assert_told(run, Status.OK)
    assert (run.errors, run.warnings) == ((), ())
    assert run.netlist is PAPER
    assert (
        run.version
        == {
            "iv": "Linear Technology Corporation LTspice IV",
            "xvii": "Linear Technology Corporation LTspice XVII",
            "mac17": "LTspice 17.2.4 for MacOS",
            "win24": "LTspice 24.1.9 for Windows",
            "win26": "LTspice 26.0.2 for Windows",
        }[flavour]
    )
    waveforms = run.require()
    assert set(waveforms) == {*PAPER.signals, "i_in"}
    assert waveforms.time[0] == 0
    assert waveforms.time[-1] == pytest.approx(T_STOP, rel=1e-12)
    assert np.all(np.diff(waveforms.time) > 0)
    assert all(waveforms.dataset[n].attrs["units"] == QUANTITIES[n][0] for n in waveforms)
    assert waveforms.attrs["simulator"] == "ltspice"
    assert waveforms.attrs["version"] == run.version
    assert waveforms.attrs["netlist_digest"] == PAPER.digest
    assert 0 < run.cost.cpu_s < run.cost.wall_s + 0.1
    assert run.cost.points == len(waveforms)


def test_it_computes_what_ngspice_does(place):
    """The stand-in runs ngspice, so no more than that nothing is lost, renamed or turned round."""
    neuron = load_preset("paper").replace({"t_stop": 2e-4})
    netlist = build_netlist(neuron, "ltspice")
    one = place.ltspice(real=True).run(netlist).require()
    other = NgspiceBatch().run(build_netlist(neuron)).require()
    assert len(one.t_spike) == len(other.t_spike) == 3
    np.testing.assert_allclose(one.t_spike, other.t_spike, rtol=0, atol=20e-9)
    for name in ("v_c", "x", "v_mem", "i_pos", "i_comparator"):
        scale = np.ptp(other[name])
        at = np.linspace(0, 2.5e-5, 50)  # before the first spike, where time does not matter
        np.testing.assert_allclose(one.at(name, at), other.at(name, at), rtol=0, atol=1e-3 * scale)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solver", "told"),
    [
        (Solver.DEFAULT, "Normal"),
        ("normal", "Normal"),
        ("ALTERNATE", "Alternate"),
        (Solver.ALTERNATE, "Alternate"),
    ],
)
def test_solver(place, solver, told):
    program = place.ltspice().program.path
    run = Ltspice(program, solver=solver).run(PAPER)
    assert f"solver = {told}" in run.log


def test_macos_has_no_choice_of_the_solver(place):
    program = place.ltspice(flavour="mac17").program.path
    simulator = Ltspice(program, solver="alternate", host=host_of("mac17"))
    with pytest.raises(SimulatorError, match="no command-line choice of the solver"):
        simulator.run(PAPER)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"solver": "fast"}, "LTspice has no solver 'fast'; choose one of default, normal, alt"),
        ({"solver": 1}, "LTspice has no solver 1; choose"),
        ({"idle_limit": 0}, "idle_limit is 0 s; give a positive number of seconds, or None"),
        ({"idle_limit": float("nan")}, "idle_limit is nan s; give"),
    ],
)
def test_parameters_that_make_no_sense(options, words):
    with pytest.raises(SimulatorError, match=re.escape(words)):
        Ltspice("/bin/true", **options)


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan")])
def test_timeouts_that_make_no_sense(timeout):
    with pytest.raises(SimulatorError, match=r"The timeout is .* s; give a positive number"):
        Ltspice("/bin/true").run(PAPER, timeout=timeout)


def test_a_netlist_for_another_simulator():
    with pytest.raises(SimulatorError, match=r"in the dialect ngspice; build it with build_netl"):
        Ltspice("/bin/true").run(build_netlist(PAPER.neuron))


def test_it_is_found_by_its_name(place, monkeypatch):
    monkeypatch.setenv("SPICEALIF_LTSPICE", str(place.ltspice().program.path))
    simulator = get_simulator("ltspice")
    assert (simulator.name, simulator.dialect) == ("ltspice", "ltspice")
    assert simulator.where.endswith("named by SPICEALIF_LTSPICE")
    assert simulator.run(PAPER).ok
    simulator.close()
    assert simulator.run(PAPER).ok


# --- netlists that LTspice refuses ----------------------------------------------------------------

MOSFET = "discharge MOSFET: 2N7002 (netlist line 83, from models/parts/mosfet_vdmos.cir.j2:"
COMPARATOR = (
    "AD8561 with hysteresis network (netlist line 61, from models/parts/comparator_behavioural"
)
RESISTOR = "series resistor (netlist line 26, from netlists/base/neuron.cir.j2:"
OPAMP = "op-amp: OP482 (netlist line 46, from models/parts/opamp_behavioural.cir.j2:"
ANALYSIS = "analysis (netlist line 98, from netlists/base/analysis.cir.j2:"
MEMBRANE = "membrane (netlist line 14, from netlists/base/neuron.cir.j2:"

# Name: netlist; words of XVII and 17, of 24 and 26; where.
REFUSED = {
    "unknown model": (
        edit(PAPER, "M_sw", "M_sw v_c spike 0 nosuch"),
        'Unable to find definition of model "nosuch"',
        'Undefined model "nosuch"',
        MOSFET,
    ),
    "unknown subcircuit": (
        edit(PAPER, "X_cmp", "X_cmp cp ref v_cc 0 spike nosuch"),
        "Unknown subcircuit called in: x_cmp cp ref v_cc 0 spike nosuch",
        'Unknown subcircuit called "nosuch"',
        COMPARATOR,
    ),
    "no value": (edit(PAPER, "R_s v_s", "R_s v_s v_r"), "Missing value", "Missing value", RESISTOR),
    "no value in a subcircuit": (
        edit(PAPER, "C_g g 0", "C_g g 0"),
        "Missing value",
        "Missing value",
        OPAMP,
    ),
    "bad option": (
        edit(PAPER, ".options temp", ".options nosuch=3"),
        "Unrecognized option: nosuch",
        'Unknown option "nosuch"',
        ANALYSIS,
    ),
    "bad directive": (
        after(PAPER, "C_m", ".frobnicate 1 2"),
        "Unknown control card",
        "Unknown simulation directive",
        MEMBRANE,
    ),
    "twice the same": (
        after(PAPER, "C_m", "R_s v_s v_r 1"),
        "Multiple instances of R_s",
        'Multiple definition of "R_s"',
        "series resistor (netlist line 27, ",
    ),
    "two analyses": (
        after(PAPER, ".tran", ".op"),
        "Multiple analyses found",
        "More than one analysis specified",
        "",
    ),
    "no analysis": (edit(PAPER, ".tran"), "No analysis command", "No analysis specified", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("flavour", ["xvii", "mac17", "win26"])
@pytest.mark.parametrize("case", REFUSED)
def test_refused(place, case, flavour):
    netlist, old, new, where = REFUSED[case]
    # these two the stand-in leaves to ngspice
    real = case in ("unknown model", "unknown subcircuit")
    run = place.ltspice(flavour=flavour, real=real).run(netlist, timeout=30)
    assert_told(run, Status.REJECTED, "Nothing was computed: ", where)
    assert (new if flavour == "win26" else old) in run.reason
    assert run.waveforms is None
    (error,) = run.errors
    assert where in str(error)
    assert run.warnings == ()


@pytest.mark.parametrize("flavour", ["xvii", "mac17", "win26"])
def test_a_matrix_that_is_singular(place, flavour):
    netlist = after(PAPER, "C_m", "V_q q 0 1", "E_q q 0 v_c 0 1")
    run = place.ltspice(flavour=flavour, real=True).run(netlist, timeout=30)
    assert_told(run, Status.REJECTED, "ingular")
    assert ("membrane" in run.reason) == (flavour != "win26")  # 26 names no node


@pytest.mark.slow
@pytest.mark.parametrize("flavour", ["xvii", "mac17", "win26"])
def test_the_solver_stops_half_way(place, whole, flavour):
    netlist = after(PAPER, "C_m", "B_loop loop 0 V=u(V(v_c)-0.1)-2*u(V(loop)-0.3)")
    run = place.ltspice(flavour=flavour, real=True).run(netlist, timeout=30)
    assert_told(run, Status.STOPPED_EARLY, "Time step too small", 'node "loop" [membrane (netlist')
    assert 1e-6 < run.waveforms.time[-1] < T_STOP
    np.testing.assert_allclose(
        run.waveforms["v_c"], whole.at("v_c", run.waveforms.time), rtol=0, atol=2e-5
    )


@pytest.mark.parametrize("flavour", ["xvii", "win26"])
def test_a_node_that_floats_is_a_warning(place, flavour):
    netlist = after(PAPER, "C_m", "C_q v_c q 1e-9")
    run = place.ltspice(flavour=flavour).run(netlist)
    assert_told(run, Status.OK)
    assert run.errors == ()
    assert "WARNING: Node q is floating. [membrane (netlist line 14, " in str(run.warnings[0])


def test_a_vector_that_does_not_exist(place):
    """LTspice leaves it out and says nothing."""
    run = place.ltspice(real=True).run(ask_for(PAPER, other="V(nosuch)"))
    assert_told(run, Status.INCOMPLETE, "The vectors V(nosuch) are missing")
    assert set(run.waveforms) == {*PAPER.signals, "i_in"}


# --- progress -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ["iv", "win26"])
def test_progress_follows_the_raw_file(place, whole, flavour):
    seen = []
    run = place.ltspice("slow:1.5", flavour=flavour).run(PAPER, progress=seen.append)
    assert_told(run, Status.OK)
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.7
    assert 0.3 < seen[-1] <= 1


# --- several at a time ----------------------------------------------------------------------------


@pytest.mark.slow
def test_eight_runs_at_a_time(place, prepared, whole):
    """One simulator, eight threads, and what goes wrong with others beside them."""
    simulator = place.ltspice(cross_check=True)
    others = [place.ltspice(do, idle=None) for do in ("kill", "singular", "hang")]
    output = sys.stdout

    def one(k):
        if k % 3 == 1:
            # of those that hang only the one that is meant is ended
            return others[k % 9 // 3].run(PAPER, timeout=1.0 if k % 9 // 3 == 2 else None)
        return simulator.run(PAPER)

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(one, range(18)))
    assert sys.stdout is output
    for k, run in enumerate(runs):
        if k % 3 == 1:
            assert run.status in (
                (Status.CRASHED,), (Status.UNSOLVED,), (Status.TIMEOUT,)
            )[k % 9 // 3]  # fmt: skip
        else:
            assert_told(run, Status.OK)
            assert run.warnings == ()
            assert_beginning(run.waveforms, whole)


@pytest.mark.slow
def test_different_netlists_at_a_time(place):
    """Each run's waveforms are those of its own netlist."""
    simulator = place.ltspice(real=True)
    netlists = [netlist_of(t_stop=t * 1e-6) for t in (2, 3, 4, 5, 6, 7, 8, 9)]
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(simulator.run, netlists))
    for netlist, run in zip(netlists, runs, strict=True):
        assert run.netlist is netlist
        assert run.require().time[-1] == pytest.approx(netlist.t_stop)
        assert run.waveforms.attrs["netlist_digest"] == netlist.digest


# --- two readers ----------------------------------------------------------------------------------


@pytest.fixture(params=["ltspice", "ngspice-batch"])
def checked(request, place):
    """Return a simulator that cross-checks, and a netlist for it."""
    if request.param == "ltspice":
        return place.ltspice(cross_check=True), PAPER
    return NgspiceBatch(cross_check=True), build_netlist(PAPER.neuron)


def test_two_readers_agree(checked):
    simulator, netlist = checked
    run = simulator.run(netlist)
    assert run.status is Status.OK
    assert run.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_two_readers_agree_on_every_flavour(place, flavour):
    run = place.ltspice(flavour=flavour, cross_check=True).run(PAPER)
    assert_told(run, Status.OK)
    assert run.warnings == ()


def test_a_difference_in_the_last_bit_fails_the_run(checked, monkeypatch):
    simulator, netlist = checked
    real = second_reader._columns

    def differing(other):
        columns = real(other)
        name = next(n for n in columns if n.lower() == "v(x)")
        columns[name] = columns[name].copy()
        columns[name][-1] = np.nextafter(columns[name][-1], 1)
        return columns

    monkeypatch.setattr(second_reader, "_columns", differing)
    run = simulator.run(netlist)
    assert run.status is Status.READERS_DIFFER
    assert "reads other values of " in run.reason
    assert "(x)" in run.reason
    assert not run.ok
    assert run.waveforms.time[-1] == pytest.approx(T_STOP)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["raises", "column missing", "column more", "fewer points"])
def test_other_ways_to_differ(place, monkeypatch, how):
    real = second_reader._columns

    def differing(other):
        columns = real(other)
        if how == "raises":
            raise ZeroDivisionError
        if how == "column missing":
            del columns["V(x)"]
        if how == "column more":
            columns["V(more)"] = columns["V(x)"]
        return {n: v[:-1] for n, v in columns.items()} if how == "fewer points" else columns

    monkeypatch.setattr(second_reader, "_columns", differing)
    run = place.ltspice(cross_check=True).run(PAPER)
    assert_told(run, Status.READERS_DIFFER)


def test_without_the_cross_check_nobody_asks(place, monkeypatch):
    monkeypatch.setattr(other_reader, "Ltspice", None)
    assert place.ltspice().run(PAPER).ok


def test_a_file_that_the_second_reader_cannot_read_is_skipped_with_a_word(place):
    netlist = edit(PAPER, ".options plotwinsize", ".options plotwinsize=0")  # without numdgt
    run = place.ltspice(cross_check=True).run(netlist)
    assert_told(run, Status.OK)
    (warning,) = run.warnings
    assert str(warning).startswith("Not cross-checked: the package ltspice ")
    assert "float32" in str(warning)


def test_a_run_that_failed_already_keeps_its_own_status(place):
    run = place.ltspice("cut", cross_check=True).run(PAPER)
    assert_told(run, Status.STOPPED_EARLY)
    assert place.ltspice("singular", cross_check=True).run(PAPER).status is Status.UNSOLVED


def test_the_shared_library_has_no_file_to_check():
    with pytest.raises(SimulatorError, match="use ngspice-batch or ltspice to cross-check"):
        get_simulator("ngspice", cross_check=True)


def test_options_that_a_simulator_does_not_have():
    with pytest.raises(SimulatorError, match="has no option 'nosuch'; it takes program, solver"):
        get_simulator("ltspice", nosuch=1)


def test_a_simulator_that_cannot_be_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "spicealif.simulators.ltspice.runner", None)
    with pytest.raises(SimulatorError, match=r"ltspice cannot be loaded \(ModuleNotFoundError: .*"):
        get_simulator("ltspice")


# --- the rest of the package ----------------------------------------------------------------------


@pytest.mark.slow
def test_cosimulate_certify_verify(place):
    neuron = load_preset("paper").replace({"t_stop": 1e-4})
    simulator = place.ltspice(real=True)
    result = cosimulate(neuron, simulator)
    assert result.run.ok
    assert result.run.simulator == "ltspice"
    assert "LTspice 26.0.2 for Windows" in str(result.run.waveforms.attrs["version"])
    assert len(result.run.waveforms.t_spike) > 0
    certificate = certify(neuron, simulator)
    assert certificate.run.simulator == "ltspice"
    assert certificate.run.ok
    verification = verify(neuron, simulator)
    assert verification.run.simulator == "ltspice"


def run_command(*words):
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.slow
def test_commands(place, monkeypatch, tmp_path):
    monkeypatch.setenv("SPICEALIF_LTSPICE", str(place.ltspice(real=True).program.path))
    short = ("--set", "t_stop=50u", "--simulator", "ltspice", "--cross-check")
    code, text = run_command("simulate", "paper", *short, "-o", str(tmp_path / "a.nc"))
    assert code == 0, text
    assert "LTspice 26.0.2 for Windows: " in text
    assert (tmp_path / "a.nc").exists()
    code, text = run_command("run", "paper", *short, "--no-figures", "-o", str(tmp_path / "out"))
    assert code == 0, text
    assert "LTspice 26.0.2" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("nothing", "without a raw file or a log. The simulator ended without writing anything"),
        ("singular", "LTspice says: "),
    ],
)
def test_a_command_whose_run_fails(place, monkeypatch, tmp_path, do, words):
    monkeypatch.setenv("SPICEALIF_LTSPICE", str(place.ltspice(do).program.path))
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("spicealif"), "simulate", "paper"),
            *("--set", "t_stop=50u", "--simulator", "ltspice", "-o", "a.nc"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_doctor(place, monkeypatch):
    program = place.ltspice().program.path
    monkeypatch.setenv("SPICEALIF_LTSPICE", str(program))
    code, text = run_command("doctor")
    assert code == 0
    assert "ok       simulator ltspice: LTspice (unknown version)\n" in text
    assert f"{program}, named by SPICEALIF_LTSPICE\n" in text
    monkeypatch.setenv("SPICEALIF_LTSPICE", "/no/such/program")
    code, text = run_command("doctor")
    assert code == 0  # ngspice is there
    assert "absent   simulator ltspice: SPICEALIF_LTSPICE names '/no/such/program', and LTs" in text


# --- Windows' exit codes, and real Wine -----------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, 0),
        (1, 1),
        (0xC0000005, -0x3FFFFFFB),
        (0xE06D7363, -0x1F928C9D),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (-9, -9),
    ],
)
def test_exit_codes_of_windows(code, expected):
    """An exception's code is large and positive there; exit(-1) is larger still."""
    assert _exit_code(code) == expected


def test_what_an_exception_on_windows_is_called(tmp_path):
    program = tmp_path / "LTspice"
    program.touch()
    (tmp_path / "neuron.net").write_text(PAPER.text)
    done = Finished(_exit_code(0xC0000005), 0.0, False)
    output, _ = Ltspice(program)._output(PAPER, tmp_path / "neuron.net", done)
    (error,) = output.messages[0]
    assert str(error) == "LTspice was ended by exception 0xC0000005"


@pytest.mark.skipif(
    not (shutil.which("wine") and shutil.which("xvfb-run")), reason="needs Wine and xvfb"
)
def test_a_window_under_real_wine(place, tmp_path, monkeypatch):
    """Wine's notepad waits for somebody, as LTspice does behind a dialog: it is found, and ended.

    What is left are Wine's own services, which end by themselves; the virtual screen, its lock and
    its folder are gone.
    """
    prefix = tmp_path / "prefix"
    environment = {**os.environ, "WINEPREFIX": str(prefix), "WINEDEBUG": "-all"}
    subprocess.run(
        ["wineboot", "--init"], env=environment, check=False, capture_output=True, timeout=200
    )
    notepad = prefix / "drive_c/windows/system32/notepad.exe"
    if not notepad.exists():
        pytest.skip("this Wine makes no prefix")
    monkeypatch.setenv("WINEPREFIX", str(prefix))
    # without a blank, which xvfb-run cannot bear
    (tmp_path / "here").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "here"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    simulator = Ltspice(notepad, idle_limit=3.0)
    assert simulator.program.has_own_screen
    try:
        run = simulator.run(PAPER, timeout=100)
        left = {p.name() for p in ours()}
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, check=False, capture_output=True)
        # Not psutil's waiting: nobody here collects what Wine orphans.
        deadline = time.monotonic() + 20
        while ours() and time.monotonic() < deadline:
            time.sleep(0.1)
    assert_told(run, Status.STALLED, "LTspice did nothing for 3 s")
    assert not left & {"notepad.exe", "Xvfb", "xvfb-run", "wine", "wine64"}
    assert list((tmp_path / "here").iterdir()) == []

"""What becomes of a run that goes wrong: its status, its words, and what it leaves behind."""

import contextlib
import os
import signal
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
from netlist_runs import (
    SIMULATORS,
    ask_for,
    children,
    edit,
    netlist_of,
    nothing_left_behind,
    worker_of,
)

from spicealif.errors import SimulatorError, SimulatorNotFound
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.judge import read_log
from spicealif.simulators.ngspice import shared as ngspice_shared

PAPER = netlist_of()
OTHER = netlist_of("lif")


@pytest.fixture(params=SIMULATORS, scope="module")
def simulator(request):
    simulator = get_simulator(request.param)
    yield simulator
    simulator.close()


@pytest.fixture(params=SIMULATORS)
def fresh(request):
    simulator = get_simulator(request.param)
    yield simulator
    simulator.close()


def after(start, *new):
    return edit(PAPER, start, *new, keep=True)


def cut(netlist, start):
    """Return the netlist up to and without the line that begins with `start`."""
    lines = netlist.text.splitlines()
    (at,) = [k for k, line in enumerate(lines) if line.startswith(start)]
    return replace(
        netlist, text="\n".join(lines[:at]) + "\n", _origins=tuple(netlist._origins[:at])
    )


# Name: netlist, what the message must hold: ngspice's words, component, line and template.
REJECTED = {
    "unknown model": (
        edit(PAPER, "M_sw", "M_sw v_c spike 0 nosuch"),
        "could not find a valid modelname",
        "discharge MOSFET: 2N7002 (netlist line 80, from models/parts/mosfet_vdmos.cir.j2:",
    ),
    "unknown subcircuit": (
        edit(PAPER, "X_cmp", "X_cmp cp ref v_cc 0 spike nosuch"),
        "unknown subckt: x_cmp cp ref v_cc 0 spike nosuch",
        "comparator: AD8561 with hysteresis network (netlist line 58, from "
        "models/parts/comparator_behavioural.cir.j2:",
    ),
    "too few nodes": (
        edit(PAPER, "X_cmp", "X_cmp cp ref v_cc 0 ad8561"),
        "Too few parameters for subcircuit",
        "comparator: AD8561 with hysteresis network (netlist line 58, ",
    ),
    "unknown subcircuit parameter": (
        edit(PAPER, "X_cmp", "X_cmp cp ref v_cc 0 spike ad8561 nosuch=3"),
        "Mismatch: 0 formal but 1 actual params",
        "comparator: AD8561 with hysteresis network (netlist line 58, ",
    ),
    "undefined parameter": (
        edit(PAPER, "R_s v_s", "R_s v_s v_r {nosuch}"),
        "Undefined parameter [nosuch]",
        "series resistor (netlist line 23, from netlists/base/neuron.cir.j2:",
    ),
    "undefined parameter in a subcircuit": (
        edit(PAPER, "R_g g", "R_g g 0 {nosuch}"),
        "Undefined parameter [nosuch]",
        "op-amp: OP482 (netlist line 44, from models/parts/opamp_behavioural.cir.j2:",
    ),
    "duplicate element": (
        after("C_m", "C_m v_c 0 1e-9"),
        "device already exists",
        "membrane (netlist line 11, from netlists/base/neuron.cir.j2:",
    ),
    "duplicate element in a subcircuit": (
        after("C_1 t1", "C_1 t1 vn 1e-9"),
        "device already exists",
        "comparator: AD8561 with hysteresis network (netlist line 68, ",
    ),
    "syntax error": (
        edit(PAPER, "B_1 vn", "B_1 vn t1 I=1+*tanh("),
        "syntax error, parsing stopped at * tanh (",
        "comparator: AD8561 with hysteresis network (netlist line 67, ",
    ),
    "unknown function": (
        edit(PAPER, "B_g 0 g", "B_g 0 g I=nosuch(V(inp))"),
        "no such function 'nosuch'",
        "op-amp: OP482 (netlist line 42, from models/parts/opamp_behavioural.cir.j2:",
    ),
    "subcircuit without end": (
        edit(PAPER, "B_s vp vn", ".subckt other a b"),
        "Mismatch of .subckt ... .ends",
        "comparator: AD8561 with hysteresis network (netlist line 59, ",
    ),
    "analysis without length": (
        edit(PAPER, ".tran", ".tran 5e-07"),
        "TSTOP is invalid",
        "analysis (netlist line 97, from netlists/ngspice/transient.cir.j2:",
    ),
    "missing include": (
        after("C_m", ".include nosuch.inc"),
        "Could not find include file nosuch.inc",
        "",
    ),
    "two sources in parallel": (
        after("V_rest", "V_two v_r 0 1.0"),
        "singular matrix",
        "series resistor (netlist line 24, from netlists/base/neuron.cir.j2:",
    ),
    "node that nothing drives": (
        edit(PAPER, "B_g 0 g", "B_g 0 g I=V(nosuch)"),
        "singular matrix:  check node x_op.nosuch",
        "op-amp: OP482 (netlist line 42, ",
    ),
    "capacitor that floats and is charged": (
        after("C_m", "C_fl fl1 fl2 1e-9", "I_fl 0 fl1 1e-3"),
        "singular matrix:  check node fl",
        "membrane (netlist line 11, ",
    ),
    "logarithm of a negative number": (
        after("C_m", "B_log nn 0 V=log(V(v_c)-1)"),
        "out of range for log in line b_log",
        "membrane (netlist line 11, ",
    ),
    "no analysis": (edit(PAPER, ".tran"), "look whether an analysis is asked for", ""),
    "no circuit": (cut(PAPER, "* --- stimulus"), "", ""),
    "nothing at all": (replace(PAPER, text="", _origins=()), "", ""),
    "no .end and no analysis": (cut(PAPER, ".tran"), "", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", REJECTED)
def test_rejected(simulator, case):
    """A good run of another netlist goes before: nothing of it may come back as this one's."""
    netlist, words, where = REJECTED[case]
    assert simulator.run(OTHER).ok
    run = simulator.run(netlist, timeout=20)
    assert run.status is Status.REJECTED, run.message
    assert not run.ok
    assert run.waveforms is None
    assert run.cost.points == 0
    assert run.reason.startswith("Nothing was computed")
    assert run.message == f"{run.reason} {Status.REJECTED.value}"
    assert words.lower() in run.message.lower()
    assert where in run.message
    if where:
        assert any(where in str(error) for error in run.errors)


@pytest.mark.slow
def test_after_every_failure_a_good_run_is_right(simulator):
    expected = simulator.run(PAPER).require()
    for case in ("undefined parameter", "missing include", "two sources in parallel"):
        assert not simulator.run(REJECTED[case][0], timeout=20).ok
        waveforms = simulator.run(PAPER).require()
        np.testing.assert_array_equal(waveforms.time, expected.time)
        np.testing.assert_array_equal(waveforms["v_c"], expected["v_c"])


@pytest.mark.slow
def test_missing_end(simulator):
    """The library must not run the circuit before it again; the program does without .end."""
    assert simulator.run(OTHER).ok
    run = simulator.run(without_end(PAPER), timeout=20)
    if run.ok:
        np.testing.assert_array_equal(
            run.require()["v_c"], get_simulator("ngspice-batch").run(PAPER).require()["v_c"]
        )
    else:
        assert run.status is Status.REJECTED
        assert run.waveforms is None


def without_end(netlist):
    text = netlist.text.removesuffix(".end\n")
    return replace(netlist, text=text, _origins=netlist._origins[:-1])


# --- data that are not what was asked for ---------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "vector", ["v(nosuch)", "v(x_cmp.nosuch)", "i(v_nosuch)", "@m_sw[nosuch]", "@nosuch[id]"]
)
def test_a_vector_that_does_not_exist(simulator, vector):
    run = simulator.run(ask_for(PAPER, other=vector))
    assert run.status is Status.INCOMPLETE
    assert vector in run.message
    # What is there is kept.
    assert run.waveforms.time[-1] == pytest.approx(PAPER.t_stop)
    assert set(run.waveforms) >= {*PAPER.signals, "i_in"}


def test_all_missing_vectors_are_named(simulator):
    run = simulator.run(edit(PAPER, ".save", ".save v(v_c) v(v_s) v(x) v(spike) i(v_pos)"))
    assert run.status is Status.INCOMPLETE
    assert run.reason == "The vectors v(v_d), i(v_neg), i(v_comparator) are missing."
    assert set(run.waveforms) == {"v_c", "v_mem", "x", "spike", "i_pos", "i_in"}


def test_a_vector_inside_a_subcircuit(simulator):
    waveforms = simulator.run(ask_for(PAPER, pole="V(x_cmp.t1)")).require()
    assert waveforms["pole"][0] == pytest.approx(0.018)


@pytest.mark.slow
@pytest.mark.parametrize("signal_name", ["other", "spike"])
def test_values_that_are_not_finite(simulator, signal_name):
    netlist = ask_for(after("C_m", "V_nn nn 0 PWL(0 0 2e-5 0 3e-5 1e999)"), other="v(nn)")
    if signal_name == "spike":
        netlist = replace(netlist, signals={**PAPER.signals, "spike": ((1.0, "v(nn)"),)})
    run = simulator.run(netlist)
    assert run.status is Status.INCOMPLETE
    assert run.reason == f"{signal_name} hold values that are not finite."
    assert not np.isfinite(run.waveforms[signal_name]).all()
    assert np.isfinite(run.waveforms["v_c"]).all()


def test_analysis_shorter_than_asked_for(simulator):
    run = simulator.run(edit(PAPER, ".tran", ".tran 5e-07 2e-05 0 5e-07"))
    assert run.status is Status.STOPPED_EARLY
    assert run.reason == "It ended at 2e-05 s of 5e-05 s."
    assert run.waveforms.time[-1] == pytest.approx(2e-5)
    assert run.cost.points == len(run.waveforms) > 10


# --- the solver gives up half-way -----------------------------------------------------------------

# A regenerative element without capacitance, which beyond some input has no solution.
STUCK = "B_loop loop 0 V=u(V(v_c)-0.1)-2*u(V(loop)-0.3)"


def test_solver_stops_half_way(simulator):
    expected = simulator.run(PAPER).require()
    run = simulator.run(after("C_m", STUCK))
    assert run.status is Status.STOPPED_EARLY
    waveforms = run.waveforms
    end = waveforms.time[-1]
    assert 1e-6 < end < PAPER.t_stop
    assert len(waveforms) == run.cost.points > 100
    assert set(waveforms) == set(expected)
    np.testing.assert_allclose(
        waveforms["v_c"], expected.at("v_c", waveforms.time), rtol=0, atol=2e-5
    )
    assert f"It ended at {end:.6g} s of 5e-05 s: " in run.message
    assert "Timestep too small" in run.message
    assert "membrane (netlist line 11, from netlists/base/neuron.cir.j2:" in run.message
    assert simulator.run(PAPER).ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "new", "component", "template"),
    [
        ("R_s v_s", STUCK, "series resistor", "neuron.cir.j2"),
        (
            "B_s vp vn",
            "B_loop loop vn V=u(V(inp)-0.1)-2*u(V(loop)-0.3)",
            "comparator: AD8561",
            "comparator_behavioural.cir.j2",
        ),
        (
            "B_sn 0 vn",
            "B_loop loop 0 V=u(V(inp)-0.05)-2*u(V(loop)-0.3)",
            "op-amp: OP482",
            "opamp_behavioural.cir.j2",
        ),
    ],
)
def test_the_component_where_it_stuck_is_named(simulator, start, new, component, template):
    run = simulator.run(after(start, new))
    assert run.status is Status.STOPPED_EARLY
    assert run.waveforms.time[-1] > 0
    assert component in run.message
    assert template in run.message


# --- what looks like a failure and is none --------------------------------------------------------


def test_names_that_hold_error(simulator):
    run = simulator.run(
        after(
            "C_m",
            "V_error error 0 1",
            "R_error error 0 1e3",
            "V_fatal error.fatal 0 1",
            "R_fatal error.fatal 0 1e3",
        )
    )
    assert run.status is Status.OK
    assert run.errors == ()
    assert run.warnings == ()


def test_stepping_that_succeeds(simulator):
    netlist = after(
        "C_m", "V_g g0 0 5", "R_g g0 g1 1", "B_g g1 0 I=10*tanh(1e5*(V(g1)-1))+1e-3*V(g1)"
    )
    run = simulator.run(netlist)
    assert "gmin stepping" in run.log, "the netlist does not do what it is for"
    assert run.status is Status.OK
    assert run.errors == ()


def test_singular_matrix_on_the_way_is_a_warning(simulator):
    run = simulator.run(after("C_m", "R_fl fl1 fl2 1e3"))
    assert run.status is Status.OK
    assert run.errors == ()
    (warning,) = [m for m in run.warnings if "check node fl1" in m.text]
    assert "membrane (netlist line 11, " in str(warning)


def test_warnings_name_components(simulator):
    # ngspice makes 1 milliohm of a resistor without value.
    run = simulator.run(edit(PAPER, "R_s v_s", "R_s v_s v_r"))
    assert run.status is Status.OK
    (warning,) = run.warnings
    assert "set to 1 mOhm" in warning.text
    assert "series resistor (netlist line 23, " in str(warning)

    run = simulator.run(edit(PAPER, "+ is=4e-14", "+ nosuch=4e-14 mtriode=1.25)"))
    assert run.status is Status.OK
    (warning,) = run.warnings
    assert "unrecognized parameter (nosuch) - ignored" in warning.text
    assert "discharge MOSFET: 2N7002 (netlist line 81, " in str(warning)


def test_unknown_option_is_not_noticed(simulator):
    """ngspice says nothing of it; the templates' options are checked where they are rendered."""
    run = simulator.run(after(".options temp", ".options nosuch=3"))
    assert run.status is Status.OK
    assert "nosuch" not in run.log
    assert run.warnings == ()


def test_a_log_of_another_netlist_does_no_harm():
    """Lines, nodes and parameters that the netlist does not have."""
    log = (
        "Error on line 4711 or its substitute:\n  q_9 a b c\nunable to find\n\n"
        'doAnalyses: TRAN:  Timestep too small; time = 1e-5: trouble with node "nosuch"\n'
        "Undefined parameter [a.b(]\nNetlist line no. 0:\nUndefined parameter [zz]\n"
        "Error on line"
    )
    errors, warnings = read_log(log, PAPER)
    assert [m.source for m in errors] == [None] * len(errors)
    assert len(errors) == 5
    assert errors[0].text == "Error on line 4711 or its substitute: q_9 a b c unable to find"
    assert warnings == ()
    assert read_log("", PAPER) == ((), ())


# --- runs that are stopped ------------------------------------------------------------------------


@pytest.mark.slow
def test_timeout(fresh):
    long = netlist_of(t_stop=0.05)
    reference = fresh.run(netlist_of(t_stop=2e-4)).require()
    with nothing_left_behind():
        fresh.close()
        begun = time.perf_counter()
        run = fresh.run(long, timeout=1.0)
        elapsed = time.perf_counter() - begun
        assert run.status is Status.TIMEOUT
        assert 0.9 < elapsed < 5
    waveforms = run.waveforms
    end = waveforms.time[-1]
    assert 0 < end < long.t_stop
    assert run.reason == f"Stopped at {end:.6g} s of 0.05 s, after the 1 s that it was given."
    assert "--timeout" in run.message
    assert run.cost.points == len(waveforms)
    assert np.all(np.diff(waveforms.time) > 0)
    # The partial data are the run's beginning, spikes included.
    # How far it comes in a second is the machine's affair.
    n = int(np.sum(reference.t_spike < end - 1e-6))
    assert len(waveforms.t_spike) >= n > 0
    np.testing.assert_allclose(waveforms.t_spike[:n], reference.t_spike[:n], rtol=0, atol=1e-7)
    assert fresh.run(PAPER).ok


@pytest.mark.slow
@pytest.mark.parametrize("timeout", [1e-9, 1e-3, 1e-2, 3e-2])
def test_very_short_timeouts(fresh, timeout):
    """Stopped while it loads, before the first point, or with a few: never an exception."""
    fresh.run(PAPER)
    begun = time.perf_counter()
    run = fresh.run(netlist_of(t_stop=0.05), timeout=timeout)
    assert time.perf_counter() - begun < 2
    assert run.status is Status.TIMEOUT
    assert run.waveforms is None or run.waveforms.time[-1] < 0.05
    assert fresh.run(PAPER).ok


@pytest.mark.slow
def test_halt_while_the_run_begins():
    """A halt in the first fraction of a millisecond was lost, and the run then went on for good."""
    simulator = get_simulator("ngspice")
    for timeout in np.linspace(3e-4, 2e-3, 8):
        simulator.run(PAPER)
        begun = time.perf_counter()
        assert simulator.run(netlist_of(t_stop=0.05), timeout=timeout).status is Status.TIMEOUT
        assert time.perf_counter() - begun < 2
    simulator.close()


@pytest.mark.slow
def test_timeouts_about_as_long_as_the_run(fresh):
    """Whatever wins the race, the outcome is one of two, and the next run is good."""
    duration = fresh.run(PAPER).cost.wall_s
    duration = min(duration, fresh.run(PAPER).cost.wall_s)
    for factor in np.linspace(0.7, 1.3, 12):
        run = fresh.run(PAPER, timeout=duration * factor)
        assert run.status in {Status.OK, Status.TIMEOUT}
        assert (run.status is Status.OK) == (
            run.waveforms is not None and run.waveforms.time[-1] >= PAPER.t_stop * (1 - 1e-9)
        )
    assert fresh.run(PAPER).ok


@contextlib.contextmanager
def signalled(simulator, number):
    """Yield a progress callback that sends a signal to the simulator's process, once."""
    before = children() - ({worker_of(simulator)} if simulator.name == "ngspice" else set())
    sent = []

    def send(fraction):
        if fraction > 0 and not sent:
            (pid,) = children() - before
            os.kill(pid, number)
            sent.append(pid)

    yield send
    assert sent
    assert not psutil.pid_exists(sent[0])


@pytest.mark.slow
def test_process_killed_from_outside(fresh):
    fresh.run(PAPER)
    long = netlist_of(t_stop=0.05)
    with signalled(fresh, signal.SIGKILL) as kill:
        run = fresh.run(long, progress=kill)
    if fresh.name == "ngspice":  # its data were in its own memory
        assert run.status is Status.CRASHED
        assert run.waveforms is None
        assert "ngspice-batch" in run.message
    else:  # its data are in the file
        assert run.status is Status.CRASHED  # a signal is no word of the circuit
        assert 0 < run.waveforms.time[-1] < 0.05
    assert fresh.run(PAPER).ok


@pytest.mark.slow
def test_process_that_hangs(fresh, monkeypatch):
    monkeypatch.setattr(ngspice_shared, "_HALT_GRACE", 0.5)
    fresh.run(PAPER)
    with signalled(fresh, signal.SIGSTOP) as stop:
        begun = time.perf_counter()
        run = fresh.run(netlist_of(t_stop=0.05), timeout=1.0, progress=stop)
        assert time.perf_counter() - begun < 1.0 + 0.5 + 2.0
    assert run.status is Status.TIMEOUT
    assert fresh.run(PAPER).ok


@pytest.mark.slow
def test_worker_killed_between_runs(fresh):
    fresh.run(PAPER)
    if fresh.name == "ngspice":
        os.kill(worker_of(fresh), signal.SIGKILL)
    assert fresh.run(PAPER).status in {Status.OK, Status.CRASHED}
    assert fresh.run(PAPER).ok


def test_a_worker_that_cannot_import_is_not_taken_for_a_missing_library(tmp_path, monkeypatch):
    package = tmp_path / "PySpice"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('planted')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    simulator = get_simulator("ngspice")
    with pytest.raises(SimulatorError, match="planted") as caught:
        _ = simulator.version
    assert not isinstance(caught.value, SimulatorNotFound)
    assert "install spicealif again" in str(caught.value)

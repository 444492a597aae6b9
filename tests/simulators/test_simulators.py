"""Both simulators with real ngspice: good runs, the warm worker, and what surrounds a run."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from netlist_runs import SIMULATORS, ask_for, edit, netlist_of, nothing_left_behind, worker_of

from spicealif.design import (
    Constant,
    PiecewiseLinear,
    PulseTrain,
    Sine,
    Step,
    Sum,
    dump_toml,
    load_preset,
)
from spicealif.errors import RunFailed, SimulatorError, SimulatorNotFound
from spicealif.netlist import Netlist, build_netlist
from spicealif.simulators import Status, get_simulator, simulator_names
from spicealif.simulators.ngspice.batch import NgspiceBatch
from spicealif.simulators.ngspice.shared import NgspiceShared
from spicealif.simulators.process.path import find_on_path
from spicealif.waveforms import QUANTITIES


@pytest.fixture(params=SIMULATORS, scope="module")
def simulator(request):
    simulator = get_simulator(request.param)
    yield simulator
    simulator.close()


@pytest.fixture(params=SIMULATORS)
def fresh(request):
    """A simulator that nothing has been run with."""
    simulator = get_simulator(request.param)
    yield simulator
    simulator.close()


@pytest.fixture
def shared():
    simulator = NgspiceShared()
    yield simulator
    simulator.close()


@pytest.fixture(scope="module")
def paper() -> Netlist:
    """Long enough for some spikes."""
    return netlist_of(t_stop=2e-4)


# --- good runs ------------------------------------------------------------------------------------


def test_good_run(simulator, paper):
    started = time.perf_counter()
    run = simulator.run(paper)
    elapsed = time.perf_counter() - started

    assert run.status is Status.OK
    assert run.ok
    assert run.reason == ""
    assert run.message == Status.OK.value
    assert run.errors == ()
    assert run.warnings == ()
    assert run.netlist is paper
    assert run.simulator == simulator.name
    assert run.version == simulator.version
    assert re.fullmatch(r"ngspice-\d+(\.\d+)?\+?", run.version)
    assert run.require() is run.waveforms

    waveforms = run.waveforms
    assert set(waveforms) == {*paper.signals, "i_in"}
    assert waveforms.time[0] == 0
    assert waveforms.time[-1] == pytest.approx(paper.t_stop, rel=1e-12)
    assert np.all(np.diff(waveforms.time) > 0)
    assert len(waveforms.t_spike) == 3
    assert np.all(np.isfinite([waveforms[name] for name in waveforms]))

    assert run.cost.points == len(waveforms)
    assert 0 < run.cost.cpu_s < run.cost.wall_s + 0.05
    assert run.cost.wall_s <= elapsed


def test_units_and_provenance(simulator, paper):
    waveforms = simulator.run(paper).require()
    for name in waveforms:
        assert waveforms.dataset[name].attrs["units"] == QUANTITIES[name][0]
    assert waveforms.dataset["time"].attrs["units"] == "s"
    assert waveforms.attrs == {
        "side": "circuit",
        "simulator": simulator.name,
        "version": simulator.version,
        "netlist_digest": paper.digest,
        "reltol": paper.reltol,
        "design_digest": paper.neuron.digest,
        "neuron": "paper",
        "design": dump_toml(paper.neuron),
        "t_stop": 2e-4,
    }
    # What the quantities are, not only that they are there.
    assert waveforms["v_c"].max() > 0.3
    assert -1e-6 < waveforms["x"].min() < waveforms["x"].max() < 0.05
    assert waveforms["spike"].max() == pytest.approx(paper.neuron.comparator.v_oh, abs=0.1)
    assert waveforms["i_comparator"].min() > 4e-3  # its quiescent current, delivered
    assert waveforms["i_pos"].min() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "netlist",
    [
        netlist_of(t_stop=2e-4),
        netlist_of("lif", t_stop=3e-4, stimulus=Constant(amplitude=1e-3)),
        netlist_of("knowm-generic", t_stop=1e-4),
        build_netlist(load_preset("paper").replace({"t_stop": 2e-4}).ideal()),
    ],
    ids=["paper", "lif", "knowm-generic", "ideal"],
)
def test_simulators_agree(netlist):
    shared, batch = NgspiceShared(), NgspiceBatch()
    try:
        one, other = shared.run(netlist).require(), batch.run(netlist).require()
    finally:
        shared.close()
    np.testing.assert_array_equal(one.time, other.time)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-12, atol=1e-15, err_msg=name)
    assert len(one.t_spike) > 0
    np.testing.assert_allclose(one.t_spike, other.t_spike, rtol=0, atol=1e-9)


def test_runs_repeat_exactly(simulator, paper):
    """Nothing of one run, nor of a different one in between, reaches the next."""
    first = simulator.run(paper).require()
    assert simulator.run(netlist_of("lif")).ok
    second = simulator.run(paper).require()
    np.testing.assert_array_equal(first.time, second.time)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize(
    "stimulus",
    [
        PulseTrain(amplitude=1e-3, frequency=40e3, duty=0.3, delay=3e-6),
        PulseTrain(amplitude=1e-3, frequency=40e3, t_rise=2e-6, t_fall=5e-6, n_pulses=1),
        Step(amplitude=1e-3, delay=1e-5, offset=1e-4),
        Sine(amplitude=3e-4, frequency=50e3, offset=5e-4, delay=4e-6, phase=0.5),
        PiecewiseLinear(t=(0.0, 1e-5, 2e-5, 3e-5), i=(0.0, 1e-3, 1e-3, 2e-4)),
        Sum(terms=(Constant(amplitude=2e-4), Step(amplitude=5e-4, delay=2e-5))),
    ],
    ids=["pulse", "one slow pulse", "step", "sine", "pwl", "sum"],
)
def test_i_in_is_what_ngspice_delivers(simulator, stimulus):
    netlist = netlist_of(stimulus=stimulus)
    sources = [line for line in netlist.text.splitlines() if line.startswith("I_in")]
    for source in sources:  # from ground into the membrane, by way of an ammeter
        name = source.split()[0]
        netlist = edit(netlist, f"{name} ", source.replace(" 0 v_c ", " 0 meter ", 1))
    netlist = edit(netlist, "C_m", "V_meter meter v_c 0", keep=True)
    waveforms = simulator.run(ask_for(netlist, measured="i(v_meter)")).require()
    assert np.ptp(waveforms["i_in"]) > 1e-4
    np.testing.assert_allclose(waveforms["i_in"], waveforms["measured"], rtol=0, atol=1e-9)


def test_charge_balance(simulator):
    """C dv/dt is i_in less the current into the leak: the traces belong to one another."""
    netlist = netlist_of("lif", t_stop=5e-5)
    neuron = netlist.neuron
    run = simulator.run(netlist).require()
    load = run["v_c"] * (1 / neuron.leak.r + 1 / 40e3)  # leak, and r_d1 with r_d2
    current = run["i_in"] - load
    charge = np.cumsum(np.diff(run.time) * (current[1:] + current[:-1]) / 2)
    assert run["v_c"][-1] > 0.1
    # The MOSFET's capacitances add about 0.1 % to C.
    np.testing.assert_allclose(run["v_c"][1:], charge / neuron.c, rtol=2e-3, atol=1e-6)


def test_progress(simulator):
    seen = []
    run = simulator.run(netlist_of(t_stop=1e-3), progress=seen.append)
    assert run.ok
    assert seen
    assert all(0 <= fraction <= 1 for fraction in seen)
    assert seen == sorted(seen)


# --- the warm worker ------------------------------------------------------------------------------


@pytest.mark.slow
def test_worker_is_kept_and_stays_small(shared):
    netlist = netlist_of()
    assert shared.run(netlist).ok
    pid = worker_of(shared)
    for _ in range(5):
        assert shared.run(netlist).ok
    worker = psutil.Process(pid)
    before, threads = worker.memory_info().rss, worker.num_threads()
    points = {shared.run(netlist).cost.points for _ in range(30)}
    assert worker_of(shared) == pid
    assert len(points) == 1
    assert worker.memory_info().rss - before < 3e6  # one run keeps 30 kB of data
    # ngspice's thread announces its end a moment before it is gone.
    deadline = time.monotonic() + 5
    while worker.num_threads() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker.num_threads() <= threads


@pytest.mark.slow
def test_worker_is_replaced_after_a_failure(shared):
    netlist = netlist_of()
    good = shared.run(netlist)
    pid = worker_of(shared)
    assert not shared.run(edit(netlist, "R_s ", "R_s v_s v_r {nosuch}")).ok
    assert not psutil.pid_exists(pid)
    again = shared.run(netlist)
    assert worker_of(shared) != pid
    np.testing.assert_array_equal(again.require()["v_c"], good.require()["v_c"])


def test_a_late_halt_is_no_request(shared):
    """A halt that crosses with the end of a run must neither kill the worker nor halt the next."""
    netlist = netlist_of()
    assert shared.run(netlist).ok
    pid = worker_of(shared)
    shared._worker._connection.send(("halt",))
    assert shared.run(netlist).ok
    assert shared.run(netlist).ok
    assert worker_of(shared) == pid


@pytest.mark.slow
def test_close_and_use_again(fresh):
    netlist = netlist_of()
    with nothing_left_behind():
        assert fresh.run(netlist).ok
        fresh.close()
        fresh.close()
        assert fresh.run(netlist).ok
        fresh.close()


def test_start_does_not_wait(shared):
    shared.start()
    assert shared._worker._version is None  # its first word has not been waited for
    pid = worker_of(shared)
    assert shared.run(netlist_of()).ok
    assert worker_of(shared) == pid


def test_a_forgotten_simulator_leaves_no_worker():
    with nothing_left_behind():
        simulator = NgspiceShared()
        assert simulator.run(netlist_of()).ok
        del simulator


PARENT = """
import sys
from spicealif.design import load_preset
from spicealif.netlist import build_netlist
from spicealif.simulators.ngspice.shared import NgspiceShared
paper = load_preset("paper")
simulator = NgspiceShared()
assert simulator.run(build_netlist(paper.replace({"t_stop": 5e-5}))).ok
print(simulator._worker._process.pid, flush=True)
if sys.argv[1] == "busy":
    simulator.run(build_netlist(paper), progress=lambda _: print("running", flush=True))
sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_worker_dies_with_its_parent(state):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        if state == "busy":
            assert parent.stdout.readline() == "running\n"
        assert worker.is_running()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    with contextlib.suppress(psutil.NoSuchProcess):
        for _ in range(100):
            if worker.status() == psutil.STATUS_ZOMBIE:
                break  # dead; whoever inherited it has not looked yet
            time.sleep(0.05)
        else:
            worker.kill()
            pytest.fail("the worker outlived its parent")


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATORS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_from_progress_is_passed_on(name, error):
    def interrupt(fraction):
        raise error

    simulator = get_simulator(name)
    with nothing_left_behind(), pytest.raises(error):
        simulator.run(netlist_of(t_stop=0.05), progress=interrupt)
    assert simulator.run(netlist_of()).ok
    simulator.close()


# --- the user's surroundings ----------------------------------------------------------------------


def test_spiceinit_is_not_run(plain_folder, monkeypatch, fresh):
    marker = plain_folder / "marker"
    (plain_folder / ".spiceinit").write_text(f"shell touch {marker}\n")
    (plain_folder / "spice.rc").write_text(f"shell touch {marker}\n")
    monkeypatch.setenv("HOME", str(plain_folder))
    monkeypatch.chdir(plain_folder)

    (plain_folder / "trap.cir").write_text("* trap\nV_1 a 0 1\nR_1 a 0 1\n.op\n.end\n")
    subprocess.run(["ngspice", "-b", "trap.cir"], capture_output=True, check=False)
    assert marker.exists(), "the trap itself does not work"
    marker.unlink()

    assert fresh.version.startswith("ngspice-")
    assert fresh.run(netlist_of()).ok
    assert not marker.exists()
    left = sorted(p.name for p in plain_folder.iterdir())
    assert left == [".spiceinit", "spice.rc", "trap.cir"]


@pytest.mark.slow
def test_ascii_raw_files_in_the_environment(monkeypatch, fresh, paper):
    expected = NgspiceBatch().run(paper).require()
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    waveforms = fresh.run(paper).require()
    np.testing.assert_array_equal(waveforms.time, expected.time)
    for name in expected:
        np.testing.assert_allclose(waveforms[name], expected[name], rtol=1e-12, atol=1e-15)


def test_nothing_reaches_the_terminal_or_the_folder(tmp_path, monkeypatch, fresh, capfd):
    monkeypatch.chdir(tmp_path)
    assert fresh.run(netlist_of()).ok
    assert not fresh.run(edit(netlist_of(), "M_sw", "M_sw v_c spike 0 nosuch")).ok
    fresh.close()
    assert tuple(capfd.readouterr()) == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_temporary_files_are_removed(tmp_path, monkeypatch, fresh):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert fresh.run(netlist_of()).ok
    fresh.run(netlist_of(t_stop=0.05), timeout=0.1)
    fresh.close()
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_temporary_files(tmp_path, monkeypatch, fresh):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nosuch"))
    with pytest.raises(SimulatorError, match="TMPDIR"):
        fresh.run(netlist_of())


# --- finding simulators ---------------------------------------------------------------------------


def test_names():
    assert simulator_names() == sorted([*SIMULATORS, "equations", "ltspice"])
    for name in simulator_names():
        simulator = get_simulator(name)
        assert simulator.name == name
        assert simulator.dialect == ("ltspice" if name == "ltspice" else "ngspice")


def test_unknown_simulator_lists_the_known():
    with pytest.raises(SimulatorError) as caught:
        get_simulator("ltspize\n")
    assert str(caught.value) == (
        "There is no simulator 'ltspize\\n'; choose one of equations, ltspice, ngspice, "
        "ngspice-batch."
    )


def test_missing_program(monkeypatch):
    simulator = NgspiceBatch("nosuch-spice")
    for use in (lambda: simulator.version, lambda: simulator.run(netlist_of())):
        with pytest.raises(SimulatorNotFound, match=r"'nosuch-spice'.*apt-get install ngspice"):
            use()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SimulatorNotFound, match="apt-get install ngspice"):
        NgspiceBatch().run(netlist_of())


@pytest.mark.slow
def test_missing_library(monkeypatch, shared):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "libnosuch.so")
    with nothing_left_behind():
        for use in (lambda: shared.version, lambda: shared.run(netlist_of())):
            with pytest.raises(SimulatorNotFound) as caught:
                use()
            assert "apt-get install libngspice0" in str(caught.value)
            assert "libnosuch.so" in str(caught.value)
            assert "NGSPICE_LIBRARY_PATH" in str(caught.value)
    monkeypatch.delenv("NGSPICE_LIBRARY_PATH")
    assert shared.run(netlist_of()).ok


@pytest.mark.parametrize("program", ["true", "false"])
def test_a_program_that_is_not_ngspice(program):
    run = NgspiceBatch(program).run(netlist_of())
    assert run.status is Status.REJECTED
    assert run.waveforms is None
    assert run.version == "ngspice (unknown version)"


def test_a_program_that_cannot_be_started(tmp_path):
    program = tmp_path / "ngspice"
    program.write_bytes(b"\x7fELF nothing of the kind")
    program.chmod(0o755)
    with pytest.raises(SimulatorError, match="check that it is ngspice"):
        NgspiceBatch(str(program)).run(netlist_of())


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan")])
def test_timeout_must_be_positive(simulator, timeout):
    with pytest.raises(SimulatorError, match="positive number of seconds"):
        simulator.run(netlist_of(), timeout=timeout)


@pytest.mark.parametrize("timeout", [float("inf"), 1e12, 60])
def test_long_timeouts(simulator, timeout):
    assert simulator.run(netlist_of(), timeout=timeout).ok


@pytest.mark.slow
def test_require_carries_the_run(simulator):
    run = simulator.run(edit(netlist_of(), "M_sw", "M_sw v_c spike 0 nosuch"))
    with pytest.raises(RunFailed) as caught:
        run.require()
    assert caught.value.run is run
    assert str(caught.value) == run.message
    assert run.message == f"{run.reason} {Status.REJECTED.value}"


def test_environment_is_left_alone(fresh):
    before = dict(os.environ)
    assert fresh.run(netlist_of()).ok
    assert dict(os.environ) == before


def test_a_program_in_the_current_folder_is_nobody_s(tmp_path, monkeypatch):
    """On Windows shutil.which looks there first."""
    program = tmp_path / "here" / "tool"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.chdir(program.parent)
    monkeypatch.setattr("shutil.which", lambda name, path=None: str(Path(name).absolute()))
    assert find_on_path("tool", str(tmp_path / "bin")) is None
    assert find_on_path("tool", str(program.parent)) == str(program)
    assert find_on_path(str(program), "") == str(program)

"""The simulator against the circuit's own equations, as a user asks for it."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from command_line import call

from spicealif import Neuron, Status, Verification, get_simulator, load_preset, simulate, verify
from spicealif.circuit import METHODS
from spicealif.cli import main
from spicealif.errors import CompareError, IntegrationError, RunFailed, SimulatorError
from spicealif.simulators import Run
from spicealif.simulators.run import Cost

PROGRAM = str(Path(sys.executable).with_name("spicealif"))
BATCH = "ngspice-batch"
# SPICE's own tolerances, and nothing that leads it to the thresholds.
LOOSE = {
    "numerics.reltol": 1e-3, "numerics.chgtol": 1e-14, "numerics.steering": False,
    "numerics.t_step_max": 1e-5,
}  # fmt: skip


@pytest.fixture(scope="module")
def short(paper: Neuron) -> Neuron:
    return paper.replace(t_stop=5e-4)


@pytest.fixture(scope="module")
def good(paper: Neuron) -> Verification:
    return verify(paper.replace(t_stop=1e-3))


def test_the_default_netlist_is_within_20_ns_of_the_equations(good):
    assert good.ok
    assert good.tolerance == 20e-9
    assert good.matched == len(good.equations.t_spike) == 8
    assert good.equations.attrs["method"] == "LSODA"
    assert abs(good.time_error_mean) <= abs(good.time_error_worst) < 20e-9


def test_errors_are_those_of_the_spike_times(good):
    error = good.run.require().t_spike - good.equations.t_spike
    assert good.time_error_mean == pytest.approx(error.mean(), rel=1e-9)
    assert abs(good.time_error_worst) == pytest.approx(np.abs(error).max(), rel=1e-9)
    assert good.time_error_worst in error


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rodas", "Radau"])
@pytest.mark.parametrize("ideal", [False, True], ids=["real", "ideal"])
def test_other_methods_say_the_same(short, method, ideal):
    neuron = short.replace(t_stop=3e-4)
    result = verify(neuron.ideal() if ideal else neuron, BATCH, method=method)
    assert result.ok
    assert result.matched >= 4


def test_loose_settings_are_not_within(paper):
    result = verify(paper.replace({"t_stop": 1e-3, **LOOSE}), BATCH, method="rodas")
    assert not result.ok
    assert "NOT within 20 ns" in str(result)
    assert result.to_dict()["ok"] is False


@pytest.mark.slow
def test_the_tolerance_decides(short):
    worst = abs(verify(short, BATCH, method="rodas").time_error_worst)
    assert worst > 0
    assert not verify(short, BATCH, method="rodas", tolerance=worst / 2).ok
    assert verify(short, BATCH, method="rodas", tolerance=2 * worst).ok


class Moved:
    """Runs ngspice and hands back other spikes."""

    name, dialect, version = "moved", "ngspice", "moved-1"

    def __init__(self, change: Any) -> None:
        self.tool, self.change = get_simulator(BATCH), change

    def run(self, netlist: Any, **options: Any) -> Run:
        run = self.tool.run(netlist, **options)
        waveforms = run.require()
        spikes = self.change(waveforms.t_spike)
        return replace(run, waveforms=replace(waveforms, t_spike=spikes))

    def close(self) -> None:
        self.tool.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "matched"),
    [
        (lambda t: t[1:], 7),
        (lambda t: np.append(t, t[-1] + 2e-4), 8),
        (lambda t: t[:0], 0),
        (lambda t: np.append(t[:-1], t[-1] + 1e-4), 7),
    ],
    ids=["one lost", "one more", "none", "one elsewhere"],
)
def test_a_spike_without_a_partner_is_not_ok(short, change, matched):
    result = verify(short, Moved(change), method="rodas")
    assert result.matched == matched
    assert not result.ok
    if matched:
        assert abs(result.time_error_worst) < 20e-9
    else:
        assert math.isnan(result.time_error_worst)
        assert result.to_dict()["time_error_worst"] is None


@pytest.mark.slow
def test_one_spike_that_is_late_is_found(short):
    late = np.array([0, 0, 0, -3e-8, 0, 0, 0, 0])
    result = verify(short, Moved(lambda t: t + late), method="rodas")
    assert not result.ok
    assert result.matched == 8
    assert result.time_error_worst == pytest.approx(-3e-8, abs=5e-9)
    assert result.time_error_mean == pytest.approx(-3e-8 / 8, abs=5e-9)
    assert verify(short, Moved(lambda t: t + late), method="rodas", tolerance=1e-7).ok


def test_silence_on_both_sides_is_agreement(short):
    silent = short.replace({"stimulus.amplitude": 1e-4})
    result = verify(silent, BATCH, method="rodas")
    assert result.ok
    assert result.matched == 0
    assert math.isnan(result.time_error_mean)
    assert "-" in dict(result.rows)["worst spike-time difference"]
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["time_error_mean"] is None


def test_table_dictionary_and_notebook_say_the_same(good):
    data, rows = good.to_dict(), dict(good.rows)
    assert data["spikes_simulator"] == data["spikes_equations"] == data["matched"] == 8
    assert rows["spikes, ngspice"] == rows["spikes, equations by LSODA"] == "8"
    assert data["simulator"] == "ngspice"
    assert data["version"] == good.run.version
    assert data["time_error_worst"] == good.time_error_worst
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    text = str(good)
    for label, figure in good.rows:
        assert label in text
        assert figure in text
        assert figure in good._repr_html_()
    assert "is within 20 ns" in text
    assert "LSODA with a relative tolerance of 1e-09" in text


# --- what cannot be done --------------------------------------------------------------------------


class Broken:
    """Fails, counts, and may take its time."""

    name, dialect, version = "broken", "ngspice", "broken-1"

    def __init__(self, seconds: float = 0.0) -> None:
        self.runs, self.seconds = 0, seconds

    def run(self, netlist: Any, *, timeout: Any = None, progress: Any = None) -> Run:
        self.runs += 1
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.01)
            progress(0.1)
        parts = (netlist, None, "", (), (), Cost(0.0, 0.0, 0), self.name, self.version)
        return Run(Status.CRASHED, "It fell over.", *parts)

    def close(self) -> None: ...


def no_threads_left() -> bool:
    return not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]


@pytest.mark.parametrize("tolerance", [0.0, -1e-9, math.nan, math.inf])
def test_bad_tolerances_are_refused_before_anything_runs(paper, tolerance):
    simulator = Broken()
    with pytest.raises(CompareError, match="give a positive time"):
        verify(paper, simulator, tolerance=tolerance)
    assert simulator.runs == 0


@pytest.mark.parametrize("method", ["euler", "", "lsoda", "a\nb"])
def test_bad_methods_are_refused_before_anything_runs(paper, method):
    simulator = Broken()
    with pytest.raises(IntegrationError, match=f"choose one of {', '.join(METHODS)}") as info:
        verify(paper, simulator, method=method)
    assert simulator.runs == 0
    assert "\n" not in str(info.value)


def test_an_unknown_simulator_is_refused(paper):
    with pytest.raises(SimulatorError, match="choose one of"):
        verify(paper, "spectre")


@pytest.mark.parametrize("rtol", [0.0, 1.0, -1e-9, math.nan])
def test_equations_that_cannot_be_solved_end_the_simulator_s_run(short, rtol):
    start = time.monotonic()
    with pytest.raises(IntegrationError, match="between 1e-14 and 1e-2"):
        verify(short, Broken(seconds=60.0), rtol=rtol)
    assert time.monotonic() - start < 20
    assert no_threads_left()


@pytest.mark.parametrize("method", ["LSODA", "rodas"])
def test_a_failing_run_stops_the_equations(method):
    # A constant current is one piece, seconds of work for SciPy.
    neuron = load_preset("lif").replace(t_stop=2.0 if method == "rodas" else 0.2)
    start = time.monotonic()
    with pytest.raises(RunFailed, match="It fell over") as info:
        verify(neuron, Broken(), method=method)
    assert time.monotonic() - start < 15
    assert info.value.run.status is Status.CRASHED
    assert no_threads_left()


def test_a_timeout_of_the_simulator(paper):
    start = time.monotonic()
    with pytest.raises(RunFailed, match="--timeout"):
        verify(paper.replace(t_stop=0.5), BATCH, timeout=0.2)
    assert time.monotonic() - start < 15
    assert no_threads_left()


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["ngspice", BATCH])
def test_an_interrupt_stops_both_sides(simulator):
    neuron = load_preset("lif").replace({"t_stop": 1.0, "numerics.t_step_max": 1e-6})
    known = {p.pid for p in psutil.Process().children(recursive=True)}
    calls: list[float] = []

    def interrupt(fraction: float) -> None:
        calls.append(time.monotonic())
        if len(calls) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(neuron, simulator, progress=interrupt)
    assert time.monotonic() - calls[-1] < 10
    assert not [p for p in psutil.Process().children(recursive=True) if p.pid not in known]
    assert no_threads_left()


@pytest.mark.slow
def test_progress_rises_to_1_in_the_caller_s_thread(short):
    seen: list[tuple[float, threading.Thread]] = []
    verify(short, BATCH, progress=lambda f: seen.append((f, threading.current_thread())))
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert {t for _, t in seen} == {threading.current_thread()}


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.slow
def test_command_line(tmp_path):
    out = call("verify", "paper", "-s", "t_stop=0.5m", "--simulator", BATCH, cwd=tmp_path)
    assert out.returncode == 0, out.stderr
    assert "worst spike-time difference" in out.stdout
    assert "within 20 ns of the circuit's own differential equations" in out.stdout
    assert list(tmp_path.iterdir()) == []


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["spicealif", "verify", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


SHORT = ["-s", "t_stop=0.3m", "--simulator", BATCH, "--method", "rodas"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--ideal"], 0),
        (["--tolerance", "1f"], 1),
        (["--tolerance", "1e-15"], 1),
        (["--tolerance", "0.1 ms"], 0),
        (["--rtol", "1e-8"], 0),
    ],
    ids=lambda o: "-".join(o) if isinstance(o, list) else str(o),
)
def test_the_exit_code_says_whether_they_agree(monkeypatch, capsys, options, code):
    assert exit_code(monkeypatch, "paper", *SHORT, *options, "--json") == code
    out, errors = capsys.readouterr()
    data = json.loads(out)
    assert data["ok"] == (code == 0)
    assert data["method"] == "rodas"
    assert data["spikes_simulator"] >= 3
    assert errors == ""


def test_a_loose_netlist_fails_on_the_command_line(monkeypatch, capsys):
    changes = [o for k, v in LOOSE.items() for o in ("-s", f"{k}={v}")]
    assert exit_code(monkeypatch, "paper", *SHORT, *changes) == 1
    out, errors = capsys.readouterr()
    assert "NOT within 20 ns" in out
    assert errors == ""


@pytest.mark.slow
def test_simulate_and_verify_run_the_same_netlist(short):
    a = simulate(short, BATCH)
    b = verify(short, BATCH, method="rodas").run
    assert a.netlist.digest == b.netlist.digest
    np.testing.assert_array_equal(a.require().t_spike, b.require().t_spike)

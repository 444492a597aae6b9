"""Runs that are as accurate as was asked for: how the tolerance is found, and what is said."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from spicealif import cosimulate, load_preset
from spicealif.circuit import solve_circuit
from spicealif.design.numerics import SAFE_RELTOL
from spicealif.netlist import build_netlist
from spicealif.simulators import Cost, Run, Status
from spicealif.simulators.accurate import run_accurately, solve_spike_judge, spikes_of

NEURON = load_preset("paper").replace(t_stop=2e-3)
EXACT = np.linspace(1e-4, 1.9e-3, 19)
JUDGED = (EXACT, 1e-10)


class Tool:
    """A simulator whose spikes are off by a function of the tolerance."""

    name, dialect, version = "tool", "ngspice", "tool 1"

    def __init__(self, error, status=lambda reltol: Status.OK, takes=0.0):
        self.error, self.status, self.takes = error, status, takes
        self.tried, self.timeouts = [], []

    def run(self, netlist, *, timeout=None, progress=None):
        self.tried.append(netlist.reltol)
        self.timeouts.append(timeout)
        time.sleep(self.takes)
        assert f"reltol={netlist.reltol} " in netlist.text
        error, status = self.error(netlist.reltol), self.status(netlist.reltol)
        spikes = EXACT[1:] if math.isnan(error) else EXACT + error
        waveforms = replace(WAVEFORMS, t_spike=spikes)
        return Run(status, "", netlist, waveforms, "", (), (), Cost(1.0, 2.0, 100), "tool", "1")

    def close(self):
        pass


WAVEFORMS = solve_circuit(NEURON, rtol=1e-4)


def falling(at_1e_6):
    return lambda reltol: at_1e_6 * (reltol / 1e-6) ** 0.55


def run(tool, judge=lambda: JUDGED, neuron=NEURON, **options):
    return run_accurately(neuron, tool, judge, **options)


def test_one_run_is_enough_for_an_easy_neuron():
    tool = Tool(falling(1e-9))
    found = run(tool)
    assert len(tool.tried) == len(found.attempts) == 1
    assert tool.tried[0] > 1e-7  # begun loosely
    assert found.attempts[0].error == pytest.approx(tool.error(tool.tried[0]) + 1e-10)
    assert found.run.netlist.reltol == tool.tried[0]


@pytest.mark.parametrize("at_1e_6", [60e-9, 600e-9, 2e-6])
def test_it_is_tightened_by_what_is_missing(at_1e_6):
    tool = Tool(falling(at_1e_6))
    found = run(tool)
    assert 2 <= len(tool.tried) <= 3
    assert all(b <= a / 4 for a, b in zip(tool.tried, tool.tried[1:], strict=False))
    assert found.attempts[-1].error <= NEURON.numerics.accuracy < found.attempts[-2].error
    # Not much more than was asked for: by the power law it aims at 0.6 of it.
    assert found.attempts[-1].error > 0.2 * NEURON.numerics.accuracy
    assert found.run.cost == Cost(len(tool.tried) * 1.0, len(tool.tried) * 2.0, 100)


def test_another_number_of_spikes_is_not_accurate():
    tool = Tool(lambda reltol: math.nan if reltol > 2e-7 else 1e-9)
    found = run(tool)
    assert math.isnan(found.attempts[0].error)
    assert found.attempts[-1].error < 2e-9


def test_what_more_steps_do_not_change_is_given_up():
    """A model whose class and template differ, for example."""
    tool = Tool(lambda reltol: 1e-6)
    found = run(tool)
    assert SAFE_RELTOL / 1e3 < tool.tried[-1] <= SAFE_RELTOL
    assert len(tool.tried) <= 4
    assert found.attempts[-1].error > NEURON.numerics.accuracy
    other = Tool(lambda reltol: math.nan)
    run(other)
    assert len(other.tried) <= 6


def test_a_judge_that_is_not_sure_is_not_chased():
    tool = Tool(lambda reltol: 1e-9)
    found = run(tool, lambda: (EXACT, 30e-9))
    assert tool.tried[-1] > 1e-10
    assert found.attempts[-1].error > 30e-9


def test_without_a_judge_it_is_safe():
    tool = Tool(falling(1e-9))
    assert run(tool, None).attempts == ()
    assert tool.tried == [SAFE_RELTOL]
    # The equations cannot be solved, which is known after the first run.
    tool = Tool(falling(1e-9))
    found = run(tool, lambda: None)
    assert (found.attempts, tool.tried[1:]) == ((), [SAFE_RELTOL])
    assert found.run.netlist.reltol == SAFE_RELTOL


def test_a_given_tolerance_is_taken():
    tool = Tool(falling(1e-3))
    assert run(tool, neuron=NEURON.replace({"numerics.reltol": 3e-5})).attempts == ()
    assert tool.tried == [3e-5]


def test_a_whole_run_is_worth_more_than_a_tighter_one_that_fails():
    tool = Tool(falling(60e-9), lambda reltol: Status.OK if reltol > 1e-6 else Status.STOPPED_EARLY)
    found = run(tool)
    assert found.run.ok
    assert len(tool.tried) == 2
    assert len(found.attempts) == 1
    failing = Tool(falling(60e-9), lambda reltol: Status.STOPPED_EARLY)
    assert run(failing).run.status is Status.STOPPED_EARLY
    assert len(failing.tried) == 1


def test_the_timeout_is_for_all_runs():
    tool = Tool(falling(5e-6), takes=0.2)
    run(tool, timeout=10.0)
    assert tool.timeouts[0] == 10.0
    assert all(9.0 < t < 9.9 for t in tool.timeouts[1:])
    tool = Tool(falling(5e-6), takes=0.2)
    found = run(tool, timeout=0.1)
    assert len(tool.tried) == 1  # and what there is is kept
    assert found.run.ok


def test_the_judge_is_as_sure_as_it_must_be():
    for accuracy in (20e-9, 2e-11):
        neuron = NEURON.replace({"numerics.accuracy": accuracy})
        judge = solve_spike_judge(neuron)
        times, own = spikes_of(judge)
        assert own <= accuracy / 5
        best = solve_circuit(neuron, rtol=1e-11).t_spike
        assert np.abs(times - best).max() <= accuracy / 5


@pytest.mark.slow
def test_the_table_says_what_was_reached():
    result = cosimulate(NEURON, "ngspice-batch")
    assert result.check is not None
    (attempt,) = result.check.attempts
    assert result.check.reached
    assert result.check.worst <= attempt.error <= NEURON.numerics.accuracy
    assert result.run.netlist.reltol == attempt.reltol == result.run.require().attrs["reltol"]
    note = result.comparison.notes[-1]
    assert "Asked for were 20 ns (numerics.accuracy), reached in 1 run, with reltol " in note
    told = result.comparison.to_dict()["numerical_error"]
    assert told["accuracy_asked_for"] == 20e-9
    assert told["attempts"] == [{"reltol": attempt.reltol, "error": attempt.error}]
    # Only what ngspice itself can give can be reached.
    never = cosimulate(
        NEURON.replace({"numerics.accuracy": 1e-15, "t_stop": 3e-4}), "ngspice-batch"
    )
    assert never.check is not None
    assert never.check.reached is False
    assert "did not reach" in never.comparison.notes[-1]


@pytest.mark.slow
def test_thinned_while_they_come(monkeypatch):
    """The traces of a long run, in blocks: the same spikes and figures, lines as near as stated."""
    monkeypatch.setattr("spicealif.simulators.thinned._BLOCK", 999)
    monkeypatch.setattr("spicealif.circuit.solve._FIRST_ROWS", 1000)
    monkeypatch.setattr("spicealif.reference.driver.TAKEN_ROWS", 1000)
    neuron = NEURON.replace({"numerics.reltol": 1e-6})
    for name in ("ngspice-batch", "equations"):
        whole = cosimulate(neuron, name)
        thin = cosimulate(neuron, name, interpolation_error=1e-3)
        pairs = (
            (whole.run.require(), thin.run.require()),
            (whole.reference, thin.reference),
        )
        for a, b in pairs:
            assert len(b) < 0.6 * len(a)
            assert b.attrs["samples"] == len(a)
            assert b.attrs["interpolation_error"] == 1e-3
            np.testing.assert_array_equal(a.t_spike, b.t_spike)
            assert set(a) == set(b)
            for quantity in a:
                off = np.abs(b.at(quantity, a.time) - a[quantity]).max()
                assert off <= 1e-3 * np.ptp(a[quantity]) * (1 + 1e-9)
        assert thin.run.cost.points == whole.run.cost.points
        for one, other in zip(whole.comparison.rows, thin.comparison.rows, strict=True):
            traces = one[0].startswith(("error of", "mean error of"))
            assert one[:3] == other[:3] or traces, (one, other)
    assert build_netlist(neuron).interpolation_error == 0.0

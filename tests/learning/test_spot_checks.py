"""Which counts differ between two sides, and whether an edge explains it."""

import json

import numpy as np
import pytest

from spicealif.errors import CompareError, DesignError, SimulatorNotFound
from spicealif.learning._spot_shown import CountDifference
from spicealif.learning.circuit_study import run_circuit_study
from spicealif.learning.spot_checks import SpotChecks, _chosen, _of_run, spot_check

INNER, END = np.array([0.5]), 1.0


def differences(a, b):
    rows, moved = _of_run(np.array(a), np.array(b), INNER, END)
    return [CountDifference(7, 2, *row) for row in rows], moved


def test_a_spike_on_either_side_of_an_edge_is_told_with_its_distance():
    found, moved = differences([0.1, 0.4999, 0.8], [0.1, 0.5001, 0.8])
    assert moved == pytest.approx(2e-4)
    assert [(d.window, d.equations, d.simulator) for d in found] == [(0, 2, 1), (1, 1, 2)]
    for d in found:
        assert d.t == pytest.approx(0.4999, abs=3e-4)
        assert d.distance == pytest.approx(1e-4)
        assert d.explained


def test_a_spike_at_the_end_is_explained_and_one_in_between_is_not():
    found, _ = differences([0.1, 0.3, 0.99995], [0.1, 0.3001])
    assert [(d.window, d.explained) for d in found] == [(1, True)]
    found, moved = differences([0.1, 0.3, 0.4, 0.7], [0.1001, 0.4, 0.7])
    assert moved == pytest.approx(1e-4)  # what comes after the missing spike is not counted
    assert [(d.window, d.explained) for d in found] == [(0, False)]
    # two more near the edge are one too many
    assert not CountDifference(0, 0, 0, 3, 1, 0.5, 0.0, 1e-3).explained


def test_equal_counts_differ_in_nothing():
    found, moved = differences([0.1, 0.7], [0.2, 0.7])
    assert not found
    assert moved == pytest.approx(0.1)
    assert differences([], [])[1] == 0


def test_uncertified_samples_come_first_and_the_rest_is_drawn_by_seed():
    first = np.array([4, 9])
    some = _chosen(20, first, 6, 0)
    assert some[:2].tolist() == [4, 9]
    assert len(set(some.tolist())) == 6
    assert np.array_equal(some, _chosen(20, first, 6, 0))
    assert not np.array_equal(some, _chosen(20, first, 6, 1))
    assert _chosen(3, first[:0], 30, 0).tolist() != []
    assert len(_chosen(3, first[:0], 30, 0)) == 3


def test_it_shows_itself():
    found = SpotChecks(
        np.array([3, 1]), 1, "ngspice", 8, (CountDifference(3, 0, 1, 4, 5, 0.5, 1e-9, 2e-9),
        CountDifference(1, 2, 0, 4, 6, 0.5, 1e-9, 2e-9)), 1e-9, np.array([0, 1]),
        np.array([0, 0]), ("sample 1, neuron 3: cannot",),
    )  # fmt: skip
    assert len(found.unexplained) == 1
    text = str(found)
    assert "unexplained" in text
    assert text.index("sample 1, neuron 2") < text.index("sample 3, neuron 0")
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["unexplained"] == 1
    assert [d["explained"] for d in told["differences"]] == [True, False]


def test_choices_that_make_no_sense_are_refused():
    with pytest.raises(CompareError, match="no simulator"):
        spot_check(None, None, np.zeros((2, 1)), backend="equations")
    with pytest.raises(CompareError, match="none to check"):
        spot_check(None, None, np.zeros((2, 1)), samples=0)


def test_a_study_asks_for_its_simulator_before_anything_else(monkeypatch, tmp_path):
    with pytest.raises(CompareError, match="no simulator"):
        run_circuit_study("no such task", spot_checks=1, backend="equations")
    monkeypatch.setenv("SPICEALIF_LTSPICE", str(tmp_path / "nowhere.exe"))
    with pytest.raises(SimulatorNotFound):
        run_circuit_study("no such task", spot_checks=1, backend="ltspice")
    with pytest.raises(DesignError):  # which needs none
        run_circuit_study("no such task", backend="ltspice")

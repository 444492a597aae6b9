"""Bounds of features from spike times that are known to an error, by hand."""

import numpy as np
import pytest

from spicealif.learning import AlifBank, bound_features
from spicealif.learning.feature_bounds import RunErrors, bounds_of_runs
from spicealif.learning.features import feature_matrix
from spicealif.learning.runs import BankRuns

END = 1.0
EVERY = ("count", "t_first", "isi_mean", "x_last", "energy")


def runs(*trains, x=0.5, energy=2.0):
    n = len(trains)
    return BankRuns(
        np.arange(n)[:, None], np.concatenate([np.array(t, dtype=float) for t in trains]),
        np.array([len(t) for t in trains]), np.full(n, x), np.full(n, energy),
        np.full(n, np.nan), {}, END, "equations",
    )  # fmt: skip


def bounds(a, b=None, beyond=None, *, t=1e-3, features=("count",), windows=1):
    b = a if b is None else b
    beyond = a if beyond is None else beyond
    errors = RunErrors(np.array([t]), np.array([0.25]), np.array([0.125]))
    low, high = bounds_of_runs(runs(a), runs(b), runs(beyond), errors, features, windows)
    return low[0].tolist(), high[0].tolist()


def test_counts_far_from_all_edges_are_certain():
    low, high = bounds([0.1, 0.3, 0.6, 0.9], windows=2)
    assert low == high == [2, 2]


def test_a_spike_near_an_edge_may_be_in_either_window():
    assert bounds([0.1, 0.4995, 0.9], windows=2) == ([1, 1], [2, 2])
    assert bounds([0.1, 0.5005, 0.9], windows=2) == ([1, 1], [2, 2])
    assert bounds([0.1, 0.502, 0.9], windows=2) == ([1, 2], [1, 2])


def test_a_spike_near_the_end_may_come_or_not():
    assert bounds([0.1, 0.9995]) == ([1], [2])
    # one that comes just behind the end, at both levels
    assert bounds([0.1], beyond=[0.1, 1.0005]) == ([1], [2])
    assert bounds([0.1], beyond=[0.1, 1.002]) == ([1], [1])
    # one that only the finer level has
    assert bounds([0.1], [0.1, 0.9999]) == ([1], [2])
    assert bounds([0.1, 0.9999], [0.1]) == ([1], [2])


def test_times_and_intervals():
    assert bounds([0.25, 0.75], features=("t_first",)) == (
        pytest.approx([0.249]), pytest.approx([0.251])
    )  # fmt: skip
    low, high = bounds([0.2, 0.4, 0.8], features=("isi_mean",))
    assert (low[0], high[0]) == pytest.approx((0.3 - 1e-3, 0.3 + 1e-3))
    # none at all: the duration, for certain
    assert bounds([], features=("t_first", "isi_mean")) == ([END, END], [END, END])
    # one that may not come: anything from it to the duration
    low, high = bounds([0.9995], features=("t_first", "isi_mean"))
    assert (low, high) == (pytest.approx([0.9985, END]), pytest.approx([1.0005, END]))
    low, high = bounds([0.2, 0.9995], features=("isi_mean",))
    assert (low[0], high[0]) == pytest.approx((0.7995 - 2e-3, END))


def test_state_and_energy():
    assert bounds([0.5], features=("x_last", "energy")) == ([0.25, 1.875], [0.75, 2.125])


def test_a_run_that_failed_has_no_bounds():
    a = runs([0.5], [0.5])
    broken = BankRuns(**{**a.__dict__, "run_errors": {1: "cannot"}})
    errors = RunErrors(*np.full((3, 2), 1e-9))
    low, high = bounds_of_runs(a, broken, a, errors, ("count",), 1)
    assert low[0] == high[0] == 1
    assert np.isnan([low[1], high[1]]).all()


def test_whatever_the_spikes_do_within_their_error_is_within_the_bounds():
    rng = np.random.default_rng(3)
    error, hit = 0.009, 0
    for _ in range(300):
        # intervals above 0.02, so that spikes keep their order
        train = np.cumsum(rng.uniform(0.02, 0.3, 40))
        longer = train[train < 1.02]
        inside = longer[longer <= END]
        low, high = bounds(inside, beyond=longer, t=error, features=EVERY, windows=4)
        moved = longer + rng.uniform(-error, error, len(longer))
        moved = moved[moved <= END]
        now = feature_matrix(runs(moved), EVERY, 4)[0]
        assert (np.array(low) - 1e-12 <= now).all(), (inside, moved)
        assert (now <= np.array(high) + 1e-12).all(), (inside, moved)
        hit += len(moved) != len(inside)
    assert hit > 3


@pytest.mark.slow
def test_state_and_energy_are_no_surer_than_the_solver_was_asked_for():
    """Of two levels that happen to agree nothing better follows."""
    x = np.array([[0.0], [0.369], [1.0]])
    bank = AlifBank(encoding="rate", duration="0.5m", features=("x_last", "energy"),
                    backend="equations", cache=None).fit(x)  # fmt: skip
    found = bound_features(bank, x, judged=1)
    truth = bank.with_(rtol=1e-11).transform(x)
    assert ((found.low <= truth) & (truth <= found.high)).all()
    assert (found.errors.x >= 1e-7 * np.abs(found.runs.run_x_last)).all()
    assert (found.errors.energy >= 1e-7 * np.abs(found.runs.run_energy_source)).all()

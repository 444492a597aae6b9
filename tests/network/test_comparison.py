"""Two results of a network: what is the same, what is not, from when on, and how certain it is."""

import json
import math

import numpy as np
import pytest

from spicealif.analysis.certificate import Verdict
from spicealif.errors import CompareError
from spicealif.network import compare_networks, measure_network
from spicealif.network.measures import Trains
from spicealif.network.refinement import growth_of, side_error

T_STOP = 1e-3
FIRST = np.arange(1, 10) * 1e-4


def trains(*t_spike, label="made", t_stop=T_STOP):
    names = tuple(f"n_{k}" for k in range(len(t_spike)))
    return Trains(label, names, t_spike, t_stop, None, np.arange(len(t_spike)))


def error_of(a, moved):
    """Return the error of a result whose finer level has all spikes moved."""
    fine = trains(*(t + moved for t in a.t_spike))
    coarse = measure_network(a)
    return side_error(coarse, measure_network(fine, tau=coarse.tau), ("coarse", "fine"))


def test_differences_are_those_of_matched_spikes():
    a = trains(FIRST + 2e-6, FIRST + np.linspace(0, 8e-6, 9), label="a")
    b = trains(FIRST, FIRST, label="b")
    found = compare_networks(a, b)
    assert found.matched.tolist() == [9, 9]
    np.testing.assert_allclose(found.worst, [2e-6, 8e-6])
    np.testing.assert_allclose(found.median, [2e-6, 4e-6])
    np.testing.assert_allclose(found.gamma, 1.0)
    assert found.first_apart.tolist() == [-1, -1]
    assert np.isnan(found.first_apart_at).all()
    assert found.match_window == pytest.approx(5e-5)
    assert found.labels == ("a", "b")
    np.testing.assert_allclose(found.matched_at[1], FIRST)


def test_the_first_spike_without_a_partner_is_found_on_either_side():
    missing = np.delete(FIRST, 4)
    more = np.sort(np.append(FIRST, 3.4e-4))
    found = compare_networks(trains(missing, more, FIRST), trains(FIRST, FIRST, np.empty(0)))
    assert found.first_apart.tolist() == [4, 3, 0]
    np.testing.assert_allclose(found.first_apart_at, [5e-4, 3.4e-4, 1e-4])
    assert math.isnan(found.worst[2])
    assert "number 1 of n_2 at 100 us" in found.table()


def test_measures_of_both_sides_have_one_time_constant():
    found = compare_networks(trains(FIRST[::2], FIRST), trains(FIRST, FIRST))
    assert found.of_a.tau == found.of_b.tau == pytest.approx(2.5e-5)
    assert found["rate"].gap == pytest.approx(-2e3)
    assert found["rate"].verdict is None  # nobody knows the errors
    assert "no verdicts" in " ".join(found.notes)


def test_verdicts_weigh_the_gap_against_errors_and_tolerance():
    b = trains(FIRST, FIRST)
    far, near = trains(FIRST + 5e-6, FIRST + 5e-9), trains(FIRST + 5e-6, FIRST + 1e-7)
    small = (error_of(far, 1e-9), error_of(b, 1e-9))
    found = compare_networks(far, b, errors=small)
    assert found.verdicts == (Verdict.DIFFER, Verdict.AGREE)
    assert found["rate"].verdict is Verdict.AGREE
    assert found["latency"].verdict is Verdict.DIFFER
    assert found["latency"].error == pytest.approx(2e-9)
    rough = (error_of(near, 1e-6), error_of(b, 1e-9))
    found = compare_networks(near, b, errors=rough)
    assert found.verdicts == (Verdict.NOT_RESOLVED, Verdict.NOT_RESOLVED)
    assert "lower rtol" in " ".join(found.notes)


def test_a_count_that_is_not_certain_leaves_its_neuron_unresolved():
    a, b = trains(FIRST, FIRST + 5e-6), trains(FIRST, FIRST)
    coarse = measure_network(a)
    fine = measure_network(trains(FIRST[:-1], FIRST + 5e-6), tau=coarse.tau)
    error = side_error(coarse, fine, ("coarse", "fine"))
    assert error.counts_differ.tolist() == [True, False]
    assert math.isnan(error.spike_times)
    assert error.certain_until == pytest.approx(9e-4)
    assert error.of_network["rate"] == pytest.approx(500)
    found = compare_networks(a, b, errors=(error, error_of(b, 1e-10)))
    assert found.verdicts == (Verdict.NOT_RESOLVED, Verdict.DIFFER)
    assert found["rate"].verdict is Verdict.NOT_RESOLVED


def test_spike_times_are_certain_until_one_is_further_off_than_the_part_of_an_interval():
    late = FIRST + np.where(FIRST > 5.5e-4, 3e-6, 1e-6)
    coarse = measure_network(trains(late, FIRST))
    error = side_error(coarse, measure_network(trains(FIRST, FIRST), tau=1e-5), ("a", "b"))
    assert error.certain_until == pytest.approx(6e-4)  # 2 % of 100 us are 2 us
    assert not error.certain
    assert error.worst.tolist() == [pytest.approx(3e-6), 0.0]


@pytest.mark.parametrize("seed", range(5))
def test_growth_is_the_rate_of_differences_that_multiply(seed):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, T_STOP, 300))
    found = growth_of(t, 1e-12 * np.exp(1e4 * t) * rng.normal(size=300), T_STOP)
    assert found.multiplies
    assert found.rate == pytest.approx(1e4, abs=4 * found.error)
    assert found.rate == pytest.approx(1e4, rel=0.1)
    assert found.e_fold == pytest.approx(1 / found.rate)
    assert "e-fold" in found.sentence


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_differences_that_add_up_do_not_multiply(power, seed):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, T_STOP, 300))
    found = growth_of(t, 1e-9 * (t / T_STOP) ** power * rng.normal(size=300), T_STOP)
    assert not found.multiplies
    assert found.power == pytest.approx(power, abs=0.3)
    assert math.isnan(found.e_fold)


def test_growth_of_few_spikes_is_not_told():
    assert math.isnan(growth_of(FIRST[:3], FIRST[:3] * 1e-6, T_STOP).rate)
    assert math.isnan(growth_of(FIRST, np.zeros(9), T_STOP).rate)


def test_a_comparison_shows_the_worst_neurons_of_many():
    moved = [FIRST + k * 1e-6 for k in range(20)]
    found = compare_networks(trains(*moved), trains(*([FIRST] * 20)))
    assert "n_19" in found.table()
    assert "n_3 " not in found.table()
    assert "8 more neurons" in found.table()
    assert "n_3 " in found.table(all=True)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["neurons"][19]["worst"] == pytest.approx(19e-6)
    assert "20 of 20" in repr(found)
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize(
    ("a", "options", "message"),
    [
        (trains(FIRST), {}, "different neurons"),
        (trains(FIRST, FIRST, t_stop=2e-3), {}, "the same length"),
        (trains(FIRST, FIRST), {"tolerance": 1.0}, "from 0 to below 1"),
        (trains(FIRST, FIRST), {"tolerance": math.nan}, "from 0 to below 1"),
        (trains(FIRST, FIRST), {"tau": -1.0}, "above 0"),
        (object(), {}, "no spikes of named neurons"),
    ],
)
def test_bad_input_is_one_sentence(a, options, message):
    with pytest.raises(CompareError, match=message):
        compare_networks(a, trains(FIRST, FIRST), **options)


def test_figures_go_by_their_names():
    found = compare_networks(trains(FIRST), trains(FIRST))
    with pytest.raises(CompareError, match="choose one of rate"):
        found["speed"]

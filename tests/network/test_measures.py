"""Measures of a network's spikes: against closed forms, NumPy on a fine grid, and pair by pair."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy.stats import variation

from spicealif import load_preset
from spicealif.errors import CompareError
from spicealif.measures import spikes
from spicealif.network import (
    NETWORK_MEASURES,
    DiodeSynapse,
    FromList,
    Network,
    Population,
    Projection,
    expand,
    measure_network,
)
from spicealif.network.measures import Trains
from spicealif.network.measures.filtered import integrals

T_STOP = 1e-3
TAU = 3e-5


def trains(*t_spike, expanded=None, **more):
    n = len(t_spike)
    return Trains(
        "made", tuple(f"n_{k}" for k in range(n)), tuple(np.asarray(t, float) for t in t_spike),
        T_STOP, expanded, np.arange(n), **more,
    )  # fmt: skip


def network(size, connections):
    return expand(
        Network(
            populations=(Population(name="n", neuron=load_preset("paper"), size=size),),
            projections=(
                Projection(
                    source="n", target="n", synapse=DiodeSynapse(r=2e3),
                    connector=FromList(connections=connections),
                ),
            ) if connections else (),
            t_stop=T_STOP,
        )
    )  # fmt: skip


def poisson(n, rate, seed=0):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, T_STOP, rng.poisson(rate * T_STOP))) for _ in range(n)]


def filtered(t, time, tau):
    """Return the train, filtered, on a grid."""
    late = time[:, None] - np.asarray(t)[None, :]
    return np.where(late >= 0, np.exp(-np.maximum(late, 0) / tau), 0.0).sum(axis=1)


def test_one_spike_has_the_integrals_of_one_exponential():
    first, second, whole = integrals(np.array([2e-4]), TAU, 3e-4)
    left = math.exp(-1e-4 / TAU)
    assert first == pytest.approx(1 - left, rel=1e-14)
    assert second == pytest.approx((1 - left**2) / 2, rel=1e-14)
    assert whole == 0.5


def test_synchrony_is_the_spread_in_time_of_the_mean_over_that_of_each():
    t_spike = poisson(5, 2e4)
    time = (np.arange(200_000) + 0.5) * T_STOP / 200_000
    time = time[time > min(t[0] for t in t_spike) + 5 * TAU]  # before, all rise together
    signals = np.array([filtered(t, time, TAU) for t in t_spike])
    chi = math.sqrt(signals.mean(axis=0).var() / signals.var(axis=1).mean())
    assert measure_network(trains(*t_spike), tau=TAU)["synchrony"] == pytest.approx(chi, rel=1e-4)


def test_synchrony_is_1_for_equal_trains_and_falls_as_the_root_for_independent_ones():
    same = poisson(1, 2e4)[0]
    assert measure_network(trains(same, same, same))["synchrony"] == pytest.approx(1, abs=1e-12)
    found = measure_network(trains(*poisson(400, 2e4)), tau=TAU)["synchrony"]
    assert found == pytest.approx(1 / math.sqrt(400), rel=0.2)


def test_synchrony_moves_smoothly_with_a_spike():
    # counts in bins would jump
    t_spike = poisson(4, 1e4)
    base = measure_network(trains(*t_spike), tau=TAU)["synchrony"]
    moved = [t + (1e-10 if k == 0 else 0) for k, t in enumerate(t_spike)]
    assert 0 < abs(measure_network(trains(*moved), tau=TAU)["synchrony"] - base) < 1e-4


def test_the_distance_of_pairs_is_that_of_every_pair():
    t_spike = [*poisson(5, 1e4), np.empty(0)]
    squares = [spikes.van_rossum(a, b, TAU) ** 2 for a, b in itertools.combinations(t_spike, 2)]
    found = measure_network(trains(*t_spike), tau=TAU)["van_rossum"]
    assert found == pytest.approx(math.sqrt(np.mean(squares)), rel=1e-12)


def test_neurons_and_populations_have_their_counts_rates_and_spreads():
    t_spike = [*poisson(3, 1e4), np.array([1e-4]), np.empty(0)]
    found = measure_network(trains(*t_spike, expanded=network(5, [[0, 1]])))
    assert found.count.tolist() == [len(t) for t in t_spike]
    np.testing.assert_allclose(found.rate, found.count / T_STOP)
    own = [variation(np.diff(t)) for t in t_spike[:3]]
    np.testing.assert_allclose(found.cv[:3], own)
    assert np.isnan(found.cv[3:]).all()
    assert found.latency[3] == 1e-4
    assert math.isnan(found.latency[4])
    (population,) = found.populations
    assert (population.size, population.count) == (5, found.count.sum())
    assert population.rate == pytest.approx(found.rate.mean())
    assert population.cv == pytest.approx(np.mean(own))


def test_energy_is_shared_among_the_spikes():
    found = measure_network(
        trains([1e-4, 2e-4], [], energy=np.array([4e-9, 2e-9]), energy_supply=np.array([1.0, 3.0]))
    )
    assert found.energy_per_spike[0] == 2e-9
    assert math.isnan(found.energy_per_spike[1])
    assert found["energy"] == pytest.approx(6e-9)
    assert found["energy_per_spike"] == pytest.approx(3e-9)
    assert found["supply_energy_per_spike"] == pytest.approx(2.0)


def test_a_chain_hands_on_with_its_delay_link_by_link():
    chain = network(4, [[0, 1], [1, 2], [2, 3]])
    found = measure_network(trains([1e-4], [1.2e-4, 5e-4], [1.5e-4], [], expanded=chain))
    np.testing.assert_allclose(found.link_delay, [2e-5, 3e-5, math.nan])
    assert found["propagation_delay"] == pytest.approx(2.5e-5)
    assert not found.is_ring


@pytest.mark.parametrize(
    ("size", "connections", "ring"),
    [
        (3, [[0, 1], [1, 2], [2, 0]], True),
        (3, [[0, 2], [2, 1], [1, 0]], True),
        (4, [[0, 1], [1, 0], [2, 3], [3, 2]], False),
        (3, [[0, 1], [1, 2], [0, 2]], False),
        (3, [[0, 1], [1, 2]], False),
    ],
)
def test_rings_are_known(size, connections, ring):
    found = measure_network(trains(*[[1e-4]] * size, expanded=network(size, connections)))
    assert found.is_ring is ring


def test_a_neuron_a_third_of_a_period_late_has_a_third_as_its_phase():
    first = np.arange(1, 9) * 1e-4
    found = measure_network(trains(first, first + 1e-4 / 3, first - 1e-6, first[:1] - 5e-5))
    np.testing.assert_allclose(found.phase[:3], [0, 1 / 3, 0.99], atol=1e-9)
    np.testing.assert_allclose(found.locking[:3], 1, atol=1e-9)
    assert math.isnan(found.phase[3])  # before the first interval
    # Twice the rate has two opposite phases: no mean one.
    double = measure_network(trains(first, np.arange(2, 16) * 5e-5))
    assert double.locking[1] == pytest.approx(0, abs=1e-9)


def test_what_is_undefined_says_why():
    found = measure_network(trains([], []))
    nothing = {name for name, value in found.of_network.items() if math.isnan(value)}
    assert set(found.undefined) == nothing
    assert "synchrony" in nothing
    assert all(text.endswith(".") for text in found.undefined.values())
    assert found.undefined["propagation_delay"] == "It is not known which neurons are joined."
    one = measure_network(trains([1e-4], expanded=network(1, [])))
    assert one.undefined["synchrony"] == "There is one neuron only."
    assert one.undefined["propagation_delay"].startswith("No synapse")


def test_measures_show_themselves():
    found = measure_network(trains(*poisson(20, 1e4)))
    assert set(json.loads(json.dumps(found.to_dict(), allow_nan=False))["network"]) == set(
        NETWORK_MEASURES
    )
    assert "n_11" in found.table()
    assert "n_12" not in found.table()
    assert "8 more neurons" in found.table()
    assert "n_19" in found.table(all=True)
    assert "20 neurons" in repr(found)
    assert "<table>" in found._repr_html_()


class Bare:
    """A result that knows its spikes only."""

    names = ("n_0", "n_1")
    t_spike = (np.array([1e-4]), np.array([2e-4]))


def test_a_bare_result_is_measured_with_its_network_or_length():
    assert measure_network(Bare(), t_stop=T_STOP)["rate"] == pytest.approx(1e3)
    joined = measure_network(Bare(), network(2, [[0, 1]]))
    assert joined["propagation_delay"] == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measure_network(object()), "has no spikes of named neurons"),
        (lambda: measure_network(Bare()), "how long the run is"),
        (lambda: measure_network(Bare(), network(3, [])), "are not those of the network"),
        (lambda: measure_network(trains([1e-4]), tau=0.0), "above 0"),
        (lambda: measure_network(trains([1e-4]), tau=math.nan), "above 0"),
        (lambda: measure_network(trains([1e-4]))["speed"], "choose one of rate"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(CompareError, match=message):
        call()

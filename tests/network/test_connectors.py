"""Who is joined to whom: counts, distributions, independence, cost."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spicealif.network import (
    AllToAll,
    FixedInDegree,
    FixedProbability,
    FromList,
    Network,
    OneToOne,
    expand,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def net(connector: object, n_pre: int = 20, n_post: int = 20, **more: object) -> Network:
    pops = [{"name": "a", "neuron": "lif", "size": n_pre}, {"name": "b", "neuron": "lif",
             "size": n_post}]  # fmt: skip
    joined = {"source": "a", "target": "b", "synapse": {"kind": "diode", "r": 1e3},
              "connector": connector}  # fmt: skip
    return Network.from_dict({"populations": pops, "projections": [joined], "t_stop": 1e-3, **more})


def test_all_to_all_runs_over_targets_first_and_leaves_out_itself():
    pre, post = AllToAll().pairs(2, 3, False, rng())
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip
    pre, post = AllToAll().pairs(3, 3, True, rng())
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1),
    ]  # fmt: skip
    pre, post = AllToAll(self_connections=True).pairs(3, 3, True, rng())
    assert len(pre) == 9


def test_one_to_one_and_a_list():
    pre, post = OneToOne().pairs(4, 4, False, rng())
    assert pre.tolist() == post.tolist() == [0, 1, 2, 3]
    pre, post = FromList(connections=[[2, 0], [0, 1], [2, 0]]).pairs(3, 3, True, rng())
    assert (pre.tolist(), post.tolist()) == ([2, 0, 2], [0, 1, 0])


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.floats(0, 1), st.integers(0, 99))
def test_random_pairs_are_pairs_each_once(n_pre, n_post, same, p, seed):
    n_post = n_pre if same else n_post
    pre, post = FixedProbability(probability=p).pairs(n_pre, n_post, same, rng(seed))
    assert len({*zip(pre.tolist(), post.tolist(), strict=True)}) == len(pre)
    assert np.all((pre >= 0) & (pre < n_pre) & (post >= 0) & (post < n_post))
    assert not (same and np.any(pre == post))
    if p == 1:
        assert len(pre) == n_pre * (n_post - same)
    if p == 0:
        assert len(pre) == 0


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_fixed_probability_is_binomial_and_even(p):
    counts, cells = [], np.zeros((10, 12))
    for seed in range(400):
        pre, post = FixedProbability(probability=p).pairs(10, 12, False, rng(seed))
        counts.append(len(pre))
        cells[pre, post] += 1
    # mean and variance of the binomial distribution, at 4 standard errors
    n, mean, variance = 120, 120 * p, 120 * p * (1 - p)
    assert abs(np.mean(counts) - mean) < 4 * np.sqrt(variance / 400)
    assert abs(np.var(counts) / variance - 1) < 4 * np.sqrt(2 / 400)
    # every cell as often as any other
    chi2 = np.sum((cells - 400 * p) ** 2 / (400 * p * (1 - p)))
    assert stats.chi2.cdf(chi2, n) < 0.9999
    assert stats.chi2.sf(chi2, n) < 0.9999


@pytest.mark.parametrize(("n", "k"), [(40, 3), (12, 5), (6, 6), (30, 29)])
def test_fixed_in_degree_draws_sets_evenly(n, k):
    """Both ways of drawing: Floyd's (k * k < n) and by sorting keys."""
    pre, post = FixedInDegree(in_degree=k).pairs(n, 3000, False, rng())
    sets = pre.reshape(3000, k)
    assert np.all(np.diff(sets, axis=1) > 0)
    assert np.array_equal(post, np.repeat(np.arange(3000), k))
    often = np.bincount(pre, minlength=n)
    expected = 3000 * k / n
    spread = np.sqrt(max(expected * (1 - k / n), 1e-9))
    assert np.all(np.abs(often - expected) <= 5 * spread + 1e-9)


def test_no_neuron_is_among_its_own_sources():
    pre, post = FixedInDegree(in_degree=9).pairs(10, 10, True, rng())
    for k in range(10):
        assert pre[post == k].tolist() == [i for i in range(10) if i != k]
    pre, post = FixedInDegree(in_degree=2).pairs(50, 50, True, rng())
    assert not np.any(pre == post)
    assert np.all((pre >= 0) & (pre < 50))


def test_the_same_seed_draws_the_same_and_another_another():
    random = {"kind": "fixed-probability", "probability": 0.3}
    one, two = (expand(net(random, seed=5)).synapses[0] for _ in range(2))
    assert np.array_equal(one.pre, two.pre)
    assert np.array_equal(one.post, two.post)
    other = expand(net(random, seed=6)).synapses[0]
    assert len(other.pre) != len(one.pre) or not np.array_equal(other.pre, one.pre)


def test_projections_draw_independently_of_one_another():
    random = {"kind": "fixed-in-degree", "in_degree": 4}
    network = net(random)
    (joined,) = network.projections
    more = network.replace(projections=(joined, joined, joined))
    first = expand(network).synapses[0]
    three = expand(more).synapses
    assert np.array_equal(first.pre, three[0].pre)
    assert not np.array_equal(three[0].pre, three[1].pre)
    assert not np.array_equal(three[1].pre, three[2].pre)
    # whatever stands before it: another connector leaves the second one's draws
    changed = more.replace({"projections.0.connector": AllToAll()})
    assert np.array_equal(expand(changed).synapses[1].pre, three[1].pre)


def test_counts_are_told_without_drawing():
    assert AllToAll().count(1000, 1000, True) == 999_000
    assert FixedProbability(probability=0.1).count(10**6, 10**6, False) == 10**11
    assert FixedInDegree(in_degree=7).count(100, 3, False) == 21
    assert net({"kind": "fixed-in-degree", "in_degree": 4}).n_synapses == 80


def test_a_hundred_thousand_synapses_take_well_under_a_second():
    network = net({"kind": "fixed-in-degree", "in_degree": 100}, 1000, 1000)
    sparse = network.replace({"projections.0.connector": FixedProbability(probability=0.1)})
    for one in (network, sparse):
        start = time.perf_counter()
        (synapses,) = expand(one).synapses
        took = time.perf_counter() - start
        assert abs(len(synapses.pre) - 100_000) < 2000
        assert took < 0.5

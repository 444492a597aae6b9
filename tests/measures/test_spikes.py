"""Spike-train measures against closed forms, brute force, quadrature and elephant."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spicealif.errors import CompareError
from spicealif.measures import spikes
from spicealif.measures.spikes import (
    adaptation_index,
    crossing_times,
    gamma_coincidence,
    instantaneous_rate,
    intervals,
    match_spikes,
    mean_rate,
    spikes_per_window,
    van_rossum,
    victor_purpura,
    within_window_intervals,
)

Train = np.ndarray[Any, np.dtype[np.float64]]

# A grid makes coincident and equidistant spikes frequent; free floats cover the rest.
GRID = st.lists(st.integers(0, 40).map(lambda k: k * 0.25e-3), max_size=12)
FREE = st.lists(st.floats(0, 10e-3), max_size=12)
TRAINS = st.one_of(GRID, FREE).map(lambda t: np.array(sorted(t), dtype=float))
COSTS = st.sampled_from([0.0, 1.0, 150.0, 500.0, 2000.0, 8000.0, 1e9, math.inf])
TAUS = st.sampled_from([1e-6, 0.2e-3, 1e-3, 20e-3, 10.0, math.inf])
many = settings(max_examples=150, deadline=None)


def random_trains(seed: int, n: int = 60) -> tuple[Train, Train]:
    """A train and a jittered copy that lost some spikes and gained others; rate near 1/ms."""
    rng = np.random.default_rng(seed)
    a = np.cumsum(rng.gamma(3.0, 0.33e-3, n))
    b = a + rng.normal(0.0, 0.2e-3, n)
    b = np.sort(np.concatenate((b[rng.random(n) > 0.1], rng.uniform(0, a[-1], n // 10))))
    return a, b


# ---------------------------------------------------------------- crossing times


def test_sine_crossings_below_the_sampling_step() -> None:
    f = 100.0
    rng = np.random.default_rng(1)
    t = np.sort(np.concatenate(([0.0, 0.1], rng.uniform(0, 0.1, 1500))))
    level = 0.3
    found = crossing_times(t, np.sin(2 * np.pi * f * t), level)
    exact = np.arange(10) / f + math.asin(level) / (2 * np.pi * f)
    h = np.diff(t)[np.searchsorted(t, exact) - 1]
    bound = h**2 * (2 * np.pi * f) * 1.0 / (8 * 0.9)  # |s''| <= w^2, |s'| > 0.9 w near the level
    assert found.shape == exact.shape
    assert np.all(np.abs(found - exact) < bound)
    falling = crossing_times(t, np.sin(2 * np.pi * f * t), level, rising=False)
    np.testing.assert_allclose(
        falling, np.arange(10) / f + 0.5 / f - exact[0], atol=bound.max() * 9
    )


def test_interpolation_converges_with_order_two() -> None:
    error = []
    for n in (401, 801, 1601):
        t = np.linspace(0, 0.1, n)
        found = crossing_times(t, np.sin(2 * np.pi * 37.0 * t + 0.4) + 3 * t, 0.71)
        fine = np.linspace(0, 0.1, 4_000_001)
        exact = crossing_times(fine, np.sin(2 * np.pi * 37.0 * fine + 0.4) + 3 * fine, 0.71)
        error.append(np.abs(found - exact).mean())
    # The error also depends on where the crossing lies in its step: compare over two halvings.
    assert error[2] < error[0] / 6


def test_straight_line_is_exact() -> None:
    np.testing.assert_allclose(crossing_times([0, 4], [-1, 3], 0.5), [1.5])
    np.testing.assert_allclose(crossing_times([0, 4], [3, -1], 0.5, rising=False), [2.5])
    assert crossing_times([0, 4], [3, -1], 0.5).size == 0


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ([-1, 0, 1], [1]),  # a sample exactly on the level
        ([-1, 0, 0, 0, 1], [1]),  # a plateau on the level
        ([-1, 0, 0, -1, 1], [1, 3.5]),  # touches and leaves
        ([0, 1, 2], []),  # starts on the level
        ([1, 2, 3], []),  # starts above
        ([0, -1, 1], [1.5]),
        ([-1, -1, -1], []),
        ([-1, 1, -1, 1], [0.5, 2.5]),
        ([-1], []),
        ([], []),
    ],
)
def test_samples_on_the_level(signal: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(crossing_times(np.arange(len(signal)), signal, 0.0), expected)
    mirrored = crossing_times(np.arange(len(signal)), [-s for s in signal], 0.0, rising=False)
    np.testing.assert_allclose(mirrored, expected)


def test_duplicated_times_are_a_jump() -> None:
    assert crossing_times([0, 1, 1, 2], [-1, -1, 1, 1], 0.0).tolist() == [1]
    # Only the limits from the left and from the right count, whatever lies between them.
    assert crossing_times([0, 1, 1, 1, 1, 2], [-1, -1, 5, -5, 1, 1], 0.0).tolist() == [1]
    assert crossing_times([0, 1, 1, 1, 2], [-1, -1, 1, -1, -1], 0.0).size == 0
    # A spike that ends in a jump back, then a second one.
    np.testing.assert_allclose(crossing_times([0, 1, 1, 2], [-1, 1, -1, 1], 0.0), [0.5, 1.5])


def test_hysteresis_ignores_ringing() -> None:
    t = np.arange(9.0)
    s = [-3, 1, -1, 1, -1, 1, -3, 1, 2]
    assert crossing_times(t, s, 0.0).tolist() == [0.75, 2.5, 4.5, 6.75]
    assert crossing_times(t, s, 0.0, hysteresis=2.0).tolist() == [0.75, 6.75]
    # To be below level - hysteresis is strict, and a start between the two levels is unarmed.
    assert crossing_times(t, s, 0.0, hysteresis=3.0).size == 0
    assert crossing_times([0, 1], [-1, 1], 0.0, hysteresis=2.0).size == 0
    down = crossing_times(t, np.negative(s), 0.0, rising=False, hysteresis=2.0)
    assert down.tolist() == [0.75, 6.75]


@pytest.mark.slow
@many
@given(
    st.lists(st.integers(-4, 4), max_size=40),
    st.lists(st.integers(0, 2), min_size=40, max_size=40),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_crossings_equal_a_schmitt_trigger(s: list[int], steps: list[int], h: float) -> None:
    """A loop over the samples, one state, is the definition."""
    t = np.cumsum(steps)[: len(s)]
    kept = [k for k in range(len(s)) if not 0 < k < len(s) - 1 or not t[k - 1] == t[k] == t[k + 1]]
    expected, armed = [], False
    for left, right in itertools.pairwise(kept):
        armed = armed or s[left] < -h
        if s[left] < 0 <= s[right]:
            if armed:
                expected.append(t[left] - s[left] * (t[right] - t[left]) / (s[right] - s[left]))
            armed = False
    found = crossing_times(t, s, 0.0, hysteresis=h)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.all(np.diff(found) >= 0)


def test_crossing_stays_inside_its_segment() -> None:
    rng = np.random.default_rng(3)
    t = 1e3 + np.cumsum(rng.integers(1, 4, 10_000)) * 2.0**-43  # steps of one to three ulps
    s = rng.normal(size=t.size)
    found = crossing_times(t, s, 0.0)
    k = np.flatnonzero((s[:-1] < 0) & (s[1:] >= 0))
    assert found.size == k.size > 2000
    assert np.all((t[k] <= found) & (found <= t[k + 1]))
    end = 0.75 * 2.0**-52  # -1 + (end + 1) rounds to a later time
    assert crossing_times([-1.0, end], [-1, 0], 0.0).tolist() == [end]


# ---------------------------------------------------------------- one train


def test_intervals_and_rates() -> None:
    t = [0.0, 1e-3, 3e-3, 7e-3]
    np.testing.assert_allclose(intervals(t), [1e-3, 2e-3, 4e-3])
    np.testing.assert_allclose(instantaneous_rate(t), [1000, 500, 250])
    assert mean_rate(t, 10e-3) == pytest.approx(400)
    assert intervals([]).size == intervals([1.0]).size == instantaneous_rate([1.0]).size == 0
    assert mean_rate([], 1.0) == 0
    assert mean_rate([1.0, 1.1], 0.1) == pytest.approx(20)  # 1.1 - 1.0 is a little more than 0.1
    assert instantaneous_rate([1.0, 1.0, 2.0]).tolist() == [math.inf, 1.0]


def test_windows_are_half_open() -> None:
    t = [0.0, 1.0, 2.0, 3.0, 3.0, 4.0]
    counts = spikes_per_window(t, [0, 1, 3, 4, 9, 2], [1, 3, 4, 4, 10, 5])
    assert counts.tolist() == [1, 2, 2, 0, 0, 4]
    assert np.issubdtype(counts.dtype, np.integer)
    assert spikes_per_window([], [0], [1]).tolist() == [0]
    assert spikes_per_window(t, [], []).size == 0


def test_intervals_across_a_pause_are_left_out() -> None:
    t = [0.0, 1.0, 3.0, 10.0, 11.5, 20.0, 30.0, 30.5]
    found = within_window_intervals(t, [0, 10, 20, 25, 29], [5, 15, 25, 26, 31])
    assert found.tolist() == [1.0, 2.0, 1.5, 0.5]
    assert within_window_intervals(t, [10, 0], [15, 5]).tolist() == [1.5, 1.0, 2.0]
    assert within_window_intervals(t, [-1], [99]).tolist() == intervals(t).tolist()
    assert within_window_intervals([], [0], [1]).size == 0
    assert within_window_intervals([0.5], [0], [1]).size == 0
    assert within_window_intervals(t, [], []).size == 0


@many
@given(TRAINS, st.lists(st.tuples(st.floats(0, 10e-3), st.floats(0, 5e-3)), max_size=6))
def test_windows_equal_a_loop(t: Train, windows: list[tuple[float, float]]) -> None:
    starts = [w[0] for w in windows]
    ends = [w[0] + w[1] for w in windows]
    inside = [t[(t >= u) & (t < v)] for u, v in zip(starts, ends, strict=True)]
    assert spikes_per_window(t, starts, ends).tolist() == [x.size for x in inside]
    expected = np.concatenate([np.empty(0), *(np.diff(x) for x in inside)])
    assert within_window_intervals(t, starts, ends).tolist() == expected.tolist()


def test_adaptation_index() -> None:
    assert adaptation_index([1e-3, 1e-3, 1e-3]) == 0
    assert adaptation_index([1.0, 3.0]) == pytest.approx(0.5)
    assert adaptation_index([3.0, 1.0]) == pytest.approx(-0.5)
    assert adaptation_index([1.0, 2.0, 6.0]) == pytest.approx((1 / 3 + 1 / 2) / 2)
    ratio = 1.07  # a geometric sequence has the same term everywhere
    assert adaptation_index(1e-4 * ratio ** np.arange(30)) == pytest.approx(0.07 / 2.07)
    assert math.isnan(adaptation_index([]))
    assert math.isnan(adaptation_index([1.0]))


# ---------------------------------------------------------------- Victor-Purpura


def full_dynamic_programme(a: Train, b: Train, q: float) -> float:
    """The algorithm of the paper, over the whole table."""
    cost = np.zeros((a.size + 1, b.size + 1))
    cost[:, 0] = np.arange(a.size + 1)
    cost[0, :] = np.arange(b.size + 1)
    for i in range(a.size):
        for j in range(b.size):
            distance = abs(a[i] - b[j])
            shift = q * distance if distance else 0.0
            cost[i + 1, j + 1] = min(cost[i, j + 1] + 1, cost[i + 1, j] + 1, cost[i, j] + shift)
    return float(cost[-1, -1])


def test_victor_purpura_by_hand() -> None:
    assert victor_purpura([], [], 1.0) == 0
    assert victor_purpura([1.0], [], 5.0) == 1
    assert victor_purpura([1.0], [1.25], 2.0) == 0.5
    assert victor_purpura([1.0], [3.0], 2.0) == 2  # deleting and inserting is cheaper
    assert victor_purpura([1.0], [2.0], 2.0) == 2  # exactly at the edge of the band
    assert victor_purpura([0.0, 1.0], [0.25], 2.0) == 1.5
    assert victor_purpura([1, 2, 3], [1.25, 2.5], 2.0) == 2.5
    assert victor_purpura([0, 1, 2], [0, 5], 0.0) == 1
    assert victor_purpura([0, 1, 1, 2], [0, 1, 3], math.inf) == 3


@many
@given(TRAINS, TRAINS, COSTS)
def test_victor_purpura_equals_the_full_table(a: Train, b: Train, q: float) -> None:
    assert victor_purpura(a, b, q) == pytest.approx(full_dynamic_programme(a, b, q), abs=1e-12)


@many
@given(TRAINS, TRAINS, TRAINS, COSTS)
def test_victor_purpura_is_a_metric(a: Train, b: Train, c: Train, q: float) -> None:
    ab = victor_purpura(a, b, q)
    assert ab == victor_purpura(b, a, q)
    assert victor_purpura(a, a, q) == 0
    assert abs(a.size - b.size) - 1e-12 <= ab <= a.size + b.size
    assert ab <= victor_purpura(a, c, q) + victor_purpura(c, b, q) + 1e-12
    if 0 < q < math.inf and not np.array_equal(a, b):
        assert ab > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("q", [0.0, 30.0, 700.0, 4e3, 1e5])
def test_victor_purpura_equals_elephant(seed: int, q: float) -> None:
    elephant, pq, trains = elephant_trains(*random_trains(seed))
    theirs = elephant.victor_purpura_distance(trains, q / pq.s)[0, 1]
    assert victor_purpura(*random_trains(seed), q) == pytest.approx(float(theirs), rel=1e-9)


def test_victor_purpura_of_long_trains_keeps_small_distances() -> None:
    a = np.arange(200_000) * 1e-3
    b = a + 2.0**-40
    exact = 50.0 * math.fsum(b - a)
    assert victor_purpura(a, b, 50.0) == pytest.approx(exact, rel=1e-10)


# ---------------------------------------------------------------- van Rossum


def van_rossum_by_pairs(a: Train, b: Train, tau: float) -> float:
    """D^2 as the double sum over all pairs of spikes."""

    def overlap(u: Train, v: Train) -> float:
        return float(np.exp(-np.abs(u[:, None] - v[None, :]) / tau).sum()) / 2

    return overlap(a, a) + overlap(b, b) - 2 * overlap(a, b)


def test_van_rossum_by_hand() -> None:
    tau = 2e-3
    assert van_rossum([], [], tau) == 0
    # (1/tau) times the integral of exp(-2t/tau) from 0 to infinity
    assert van_rossum([5e-3], [], tau) ** 2 == pytest.approx(0.5)
    assert van_rossum([], [-5e-3], tau) ** 2 == pytest.approx(0.5)
    for dt in (1e-6, 1e-3, 5e-3):
        expected = -math.expm1(-dt / tau)
        assert van_rossum([1e-3], [1e-3 + dt], tau) ** 2 == pytest.approx(expected)
    assert van_rossum([0, 1e-3], [], tau) ** 2 == pytest.approx(1 + math.exp(-0.5))
    assert van_rossum([1.0, 1.0], [], tau) ** 2 == pytest.approx(2)
    assert van_rossum([0, 1, 2, 7], [5], math.inf) == pytest.approx(3 / math.sqrt(2))
    assert van_rossum([0, 1, 2, 7], [5], 1e-9) ** 2 == pytest.approx(5 / 2)


@pytest.mark.parametrize(
    ("a", "b"), [([3e-3], []), ([1e-3, 4e-3], [1.5e-3]), ([0, 1e-3, 1e-3], [0.5e-3, 6e-3])]
)
def test_van_rossum_equals_quadrature(a: list[float], b: list[float]) -> None:
    from scipy.integrate import quad

    tau = 1.7e-3

    def squared(t: float) -> float:
        f = sum(math.exp(-(t - s) / tau) for s in a if t >= s)
        g = sum(math.exp(-(t - s) / tau) for s in b if t >= s)
        return (f - g) ** 2

    edges = [*sorted(a + b), max(a + b) + 25 * tau]
    pieces = [quad(squared, u, v, epsabs=1e-14)[0] for u, v in itertools.pairwise(edges) if u < v]
    assert van_rossum(a, b, tau) ** 2 == pytest.approx(math.fsum(pieces) / tau, rel=1e-9)


@many
@given(TRAINS, TRAINS, TAUS)
def test_van_rossum_equals_the_double_sum(a: Train, b: Train, tau: float) -> None:
    expected = van_rossum_by_pairs(a, b, tau)
    assert van_rossum(a, b, tau) ** 2 == pytest.approx(expected, rel=1e-10, abs=1e-12)


@many
@given(TRAINS, TRAINS, TRAINS, TAUS)
def test_van_rossum_is_a_metric(a: Train, b: Train, c: Train, tau: float) -> None:
    ab = van_rossum(a, b, tau)
    assert ab == van_rossum(b, a, tau)
    assert van_rossum(a, a, tau) == 0
    assert ab <= van_rossum(a, c, tau) + van_rossum(c, b, tau) + 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tau", [0.1e-3, 2e-3, 50e-3])
def test_van_rossum_equals_elephant_over_root_two(seed: int, tau: float) -> None:
    elephant, pq, trains = elephant_trains(*random_trains(seed))
    theirs = float(elephant.van_rossum_distance(trains, tau * pq.s)[0, 1])
    assert 2 * van_rossum(*random_trains(seed), tau) ** 2 == pytest.approx(theirs**2, rel=1e-9)


def test_van_rossum_neither_overflows_nor_loses_small_shifts() -> None:
    t = np.arange(5000) * 1.0
    far = van_rossum(t - 1e6, t + 1e6, 1e-9)  # exp(t/tau) would be exp(1e15)
    assert far**2 == pytest.approx(t.size)
    dt = 2.0**-45  # 3e-14 s beside a time constant of 1 ms
    found = van_rossum([0.5], [0.5 + dt], 1e-3) ** 2
    assert found == pytest.approx(-math.expm1(-dt / 1e-3), rel=1e-12, abs=0)


# ---------------------------------------------------------------- matching


def cost_of(a: Train, b: Train, pairs: tuple[Any, Any], max_distance: float) -> float:
    i, j = pairs
    shifts = 2 * np.abs(a[i] - b[j]).sum() / max_distance
    return float(a.size + b.size - 2 * i.size + shifts)


def assert_valid(a: Train, b: Train, pairs: tuple[Any, Any], max_distance: float) -> None:
    i, j = pairs
    assert i.shape == j.shape
    assert np.all(np.diff(i) > 0)
    assert np.all(np.diff(j) > 0)
    assert np.all(np.abs(a[i] - b[j]) < max_distance)


def test_match_by_hand() -> None:
    i, j = match_spikes([1.0, 2.0, 3.0], [1.1, 2.9], 0.5)
    assert (i.tolist(), j.tolist()) == ([0, 2], [0, 1])
    # The nearest neighbour of b[0] is a[1], yet two pairs cost less than one.
    i, j = match_spikes([0.0, 1.0], [0.6, 1.7], 1.0)
    assert (i.tolist(), j.tolist()) == ([0, 1], [0, 1])
    # Not so if the second pair is hardly worth it.
    i, j = match_spikes([0.0, 1.0], [0.9, 1.95], 1.0)
    assert (i.tolist(), j.tolist()) == ([1], [0])
    for empty in (match_spikes([], [1.0], 1.0), match_spikes([1.0], [], 1.0)):
        assert empty[0].size == empty[1].size == 0
    assert match_spikes([0.0], [1.0], 1.0)[0].size == 0  # exactly max_distance apart


def test_match_ties_leave_the_later_spike_alone() -> None:
    assert match_spikes([0.0], [-1.0, 1.0], 2.0)[1].tolist() == [0]
    assert match_spikes([-1.0, 1.0], [0.0], 2.0)[0].tolist() == [0]
    i, j = match_spikes([1.0, 1.0, 1.0], [1.0, 1.0], 0.1)
    assert (i.tolist(), j.tolist()) == ([0, 1], [0, 1])


@many
@given(TRAINS, TRAINS, st.sampled_from([0.25e-3, 0.3e-3, 1e-3, 4e-3, 1.0]))
def test_match_is_optimal_and_agrees_with_victor_purpura(a: Train, b: Train, d: float) -> None:
    pairs = match_spikes(a, b, d)
    assert_valid(a, b, pairs, d)
    expected = full_dynamic_programme(a, b, 2 / d)
    assert cost_of(a, b, pairs, d) == pytest.approx(expected, abs=1e-12)
    assert victor_purpura(a, b, 2 / d) == pytest.approx(expected, abs=1e-12)


@many
@given(*[st.lists(st.integers(0, 30), max_size=15).map(sorted)] * 2, st.sampled_from([1, 2, 4, 16]))
def test_match_does_not_depend_on_the_order_of_the_trains(
    a: list[int], b: list[int], d: int
) -> None:
    i, j = match_spikes(a, b, d)  # integers: ties are exact and frequent
    j_swapped, i_swapped = match_spikes(b, a, d)
    assert (i.tolist(), j.tolist()) == (i_swapped.tolist(), j_swapped.tolist())


@settings(max_examples=60, deadline=None)
@given(GRID.map(lambda t: sorted(t)[:5]), GRID.map(lambda t: sorted(t)[:5]))
def test_match_is_optimal_among_all_matchings(first: list[float], second: list[float]) -> None:
    a, b, d = np.array(first, dtype=float), np.array(second, dtype=float), 2e-3
    best = min(
        cost_of(a, b, (np.array(i, dtype=int), np.array(j, dtype=int)), d)
        for k in range(min(a.size, b.size) + 1)
        for i in itertools.combinations(range(a.size), k)
        for j in itertools.combinations(range(b.size), k)
    )
    assert cost_of(a, b, match_spikes(a, b, d), d) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("cells", [1, 7, 100, 1000])
def test_match_in_blocks_is_the_same(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from spicealif.measures import spike_kernels as _spike_kernels

    cases = [(*random_trains(seed, 150), d) for seed in range(4) for d in (0.2e-3, 2e-3, 40e-3)]
    cases.append((np.array([0.0, 1.0, 5.0, 5.1]), np.array([1.01, 3.0, 5.05]), 0.1))
    whole = [match_spikes(*case) for case in cases]
    monkeypatch.setattr(_spike_kernels, "BLOCK_CELLS", cells)
    for case, (i, j) in zip(cases, whole, strict=True):
        i_blocks, j_blocks = match_spikes(*case)
        assert i_blocks.tolist() == i.tolist()
        assert j_blocks.tolist() == j.tolist()


def test_match_of_long_trains() -> None:
    a, b = random_trains(9, 100_000)
    for d in (1e-3, 200e-3):  # a band of two, and one of 400 that needs several blocks
        pairs = match_spikes(a, b, d)
        assert_valid(a, b, pairs, d)
        assert cost_of(a, b, pairs, d) == pytest.approx(victor_purpura(a, b, 2 / d), rel=1e-9)


# ---------------------------------------------------------------- coincidence factor


def test_gamma_by_hand() -> None:
    a, b = [0.1, 0.2, 0.3, 0.4], [0.101, 0.25, 0.402]
    chance = 2 * 0.005 * 3 / 1.0
    expected = (2 - chance * 4) / (0.5 * 7) / (1 - chance)
    assert gamma_coincidence(a, b, 0.005, 1.0) == pytest.approx(expected)
    assert gamma_coincidence(a, a, 0.005, 1.0) == pytest.approx(1)
    swapped = (2 - 2 * 0.005 * 4 * 3) / (0.5 * 7) / (1 - 2 * 0.005 * 4)
    assert gamma_coincidence(b, a, 0.005, 1.0) == pytest.approx(swapped)
    assert gamma_coincidence([0.1], [0.3], 0.01, 1.0) < 0
    assert gamma_coincidence([], [0.3], 0.01, 1.0) == 0
    assert gamma_coincidence([0.3], [], 0.01, 1.0) == 0
    assert math.isnan(gamma_coincidence([], [], 0.01, 1.0))
    # One spike cannot coincide with two.
    assert gamma_coincidence([0.1], [0.1, 0.1], 0.01, 1.0) == pytest.approx((1 - 0.04) / 1.5 / 0.96)


def test_gamma_of_independent_poisson_trains_is_about_zero() -> None:
    rng = np.random.default_rng(4)
    a = np.sort(rng.uniform(0, 1000, 8000))
    b = np.sort(rng.uniform(0, 1000, 20_000))
    assert abs(gamma_coincidence(a, b, 0.2e-3, 1000.0)) < 0.01


@many
@given(TRAINS, TRAINS, st.sampled_from([1e-6, 0.1e-3, 0.2501e-3]))
def test_gamma_counts_the_largest_matching(a: Train, b: Train, window: float) -> None:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    gamma = gamma_coincidence(a, b, window, 0.02)
    if a.size == 0 or b.size == 0:
        return
    graph = csr_matrix(np.abs(a[:, None] - b[None, :]) <= window)
    pairs = int((maximum_bipartite_matching(graph) >= 0).sum())
    chance = 2 * window * b.size / 0.02
    expected = (pairs - chance * a.size) / (0.5 * (a.size + b.size)) / (1 - chance)
    assert gamma == pytest.approx(expected)
    assert gamma <= 1 + 1e-12


# ---------------------------------------------------------------- errors and the module


OK = [0.0, 1.0]
TAKES_A_TRAIN: list[Callable[[Any], object]] = [
    intervals,
    instantaneous_rate,
    lambda t: mean_rate(t, 10.0),
    lambda t: spikes_per_window(t, [0], [1]),
    lambda t: within_window_intervals(t, [0], [1]),
    lambda t: crossing_times(t, np.zeros(np.size(t)), 0.0),
    lambda t: victor_purpura(t, OK, 1.0),
    lambda t: victor_purpura(OK, t, 1.0),
    lambda t: van_rossum(t, OK, 1.0),
    lambda t: van_rossum(OK, t, 1.0),
    lambda t: match_spikes(t, OK, 1.0),
    lambda t: match_spikes(OK, t, 1.0),
    lambda t: gamma_coincidence(t, OK, 0.1, 10.0),
    lambda t: gamma_coincidence(OK, t, 0.1, 10.0),
]


@pytest.mark.parametrize("measure", TAKES_A_TRAIN)
def test_invalid_trains_are_refused(measure: Callable[[Any], object]) -> None:
    with pytest.raises(CompareError, match=r"\[2\] is before .*\[1\]; sort the times first"):
        measure([0.0, 2.0, 1.0])
    with pytest.raises(CompareError, match=r"\[1\] is nan; remove"):
        measure([0.0, math.nan, 1.0])
    with pytest.raises(CompareError, match=r"\[0\] is -inf; remove"):
        measure([-math.inf, 0.0])
    with pytest.raises(CompareError, match="one-dimensional"):
        measure([[0.0, 1.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: crossing_times([0, 1], [0], 0.0), "2 values, signal 1; pass"),
        (lambda: crossing_times([0, 1], [0, math.nan], 0.0), r"signal\[1\] is nan"),
        (lambda: crossing_times(OK, OK, math.nan), "give finite values"),
        (lambda: crossing_times(OK, OK, 0.0, hysteresis=-1.0), "hysteresis of zero or more"),
        (lambda: crossing_times(OK, OK, 0.0, hysteresis=math.inf), "hysteresis of zero or more"),
        (lambda: mean_rate(OK, 0.0), "duration is 0 s; give a time above zero and finite"),
        (lambda: mean_rate(OK, math.inf), "duration is inf s"),
        (lambda: mean_rate(OK, 0.5), "span more than duration 0.5 s; give all"),
        (lambda: spikes_per_window(OK, [0, 1], [1]), "2 starts, 1 ends; pass"),
        (lambda: spikes_per_window(OK, [0, 3], [1, 2]), "window 1 ends before it starts; swap"),
        (lambda: within_window_intervals(OK, [3], [2]), "window 0 ends before"),
        (lambda: spikes_per_window(OK, [math.nan], [2]), r"starts\[0\] is nan"),
        (lambda: adaptation_index([1.0, 0.0]), "remove coincident spikes"),
        (lambda: adaptation_index([1.0, math.nan]), r"isi\[1\] is nan"),
        (lambda: victor_purpura(OK, OK, -1.0), "q is -1.0; give a cost"),
        (lambda: victor_purpura(OK, OK, math.nan), "q is nan; give a cost"),
        (lambda: van_rossum(OK, OK, 0.0), "tau is 0 s; give a time above zero\\."),
        (lambda: van_rossum(OK, OK, math.nan), "tau is nan s"),
        (lambda: match_spikes(OK, OK, 0.0), "max_distance is 0 s"),
        (lambda: match_spikes(OK, OK, math.inf), "max_distance is inf s; .* and finite"),
        (lambda: gamma_coincidence(OK, OK, 0.0, 1.0), "window is 0 s"),
        (lambda: gamma_coincidence(OK, OK, 0.25, 1.0), "above zero and below 0.25 s"),
        (lambda: gamma_coincidence(OK, OK, 0.1, 0.5), "span more than duration"),
    ],
)
def test_invalid_arguments_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(CompareError, match=message) as caught:
        call()
    assert str(caught.value).endswith(".")
    assert str(caught.value).count("; ") == 1  # one sentence: what is wrong; what to do


def test_read_only_and_strided_input() -> None:
    t = np.arange(10.0)
    t.flags.writeable = False
    assert victor_purpura(t[::2], t[1::2], 0.5) == 2.5
    assert victor_purpura(t.astype(">f4")[::2], range(1, 10, 2), 0.5) == 2.5
    assert np.array_equal(t, np.arange(10.0))


def test_numba_is_imported_only_when_used() -> None:
    code = """
import sys, spicealif.measures.spikes as s
s.intervals([0, 1])
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert sorted(spikes.__all__) == spikes.__all__
    assert all(callable(getattr(spikes, name)) for name in spikes.__all__)


def elephant_trains(a: Train, b: Train) -> tuple[Any, Any, list[Any]]:
    """Return elephant's module of distances, quantities, and the two trains in neo's form."""
    neo, pq, dissimilarity = (
        import_module(name) for name in ("neo", "quantities", "elephant.spike_train_dissimilarity")
    )
    stop = max(a[-1], b[-1]) * pq.s
    start = min(0.0, a[0], b[0]) * pq.s
    trains = [neo.SpikeTrain(t * pq.s, t_start=start, t_stop=stop) for t in (a, b)]
    return dissimilarity, pq, trains

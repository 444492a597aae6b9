"""Large records: means of neighbours instead of samples, with nothing lost and nothing bent."""

from __future__ import annotations

import numpy as np
import pytest

from spicealif.design import Memristor, SeriesCircuit, Sine
from spicealif.design._shared import thermal_voltage
from spicealif.fit import Loop, fit_device
from spicealif.fit._objective import Objective, scale_of
from spicealif.fit._problem import Problem
from spicealif.fit._thin import thinned
from spicealif.reference.series.solve import solve_series

DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.33, v_off=0.2, tau=4.5e-5)
TRUTH = {name: getattr(DEVICE, name) for name in ("r_on", "r_off", "v_on", "v_off", "tau")}


def record(n, periods=1, noise=0.01, steady=True):
    """Return a loop of n samples over so many periods of 1 ms."""
    # a single shot of many periods is the steady state too, as far as these tests go
    t_stop = 6e-3 if steady or periods > 10 else periods * 1e-3
    drive = Sine(amplitude=0.8, frequency=1e3)
    trace = solve_series(SeriesCircuit(device=DEVICE, r_s=5000, drive=drive, t_stop=t_stop))
    t = np.arange(n) / n * periods * 1e-3
    rng = np.random.default_rng(1)
    signals = [
        np.interp(t % 1e-3 + 5e-3 if t_stop == 6e-3 else t, trace.time, trace[name])
        for name in ("v_mem", "i_mem", "v_in")
    ]
    v, i, u = (y + noise * np.abs(y).max() * rng.standard_normal(n) for y in signals)
    return Loop(t, v, i, u, 5000.0, 1e-3 if steady else None)


def test_short_records_are_left_alone():
    loop = record(1200)
    assert thinned(loop, 1200, 6000) is loop


def test_a_record_of_few_moments_of_the_period_is_laid_upon_several_periods():
    loop = record(12_000, periods=1200)  # 10 samples a period
    few = thinned(loop, 1200, 6000)
    np.testing.assert_allclose(few.time, np.arange(20) * 1e-4, atol=1e-12)
    np.testing.assert_array_equal(few.counts, 600)
    fit = fit_device(few, "mms", temperature=298.5)
    for name, value in TRUTH.items():
        low, high = fit.interval(name)
        assert low < value < high


@pytest.mark.parametrize(("n", "periods"), [(30_011, 3), (30_000, 3), (30_000, 300)])
@pytest.mark.parametrize("steady", [True, False])
def test_every_sample_is_in_one_mean(steady, n, periods):
    if steady and n / periods == 100:
        # samples of all periods fall upon each other: as many means as a period has samples
        assert len(thinned(record(n, periods), 1200, 6000).time) == 100
        return
    loop = record(n, periods, steady=steady)
    few = thinned(loop, 1200, 6000)
    assert 16 <= len(few.time) <= 6000
    assert few.counts.sum() == n
    assert len(few.time) > 500
    assert np.all(np.diff(few.time) > 0)
    for name in ("v_mem", "i", "v_in"):
        mean = np.average(getattr(few, name), weights=few.counts)
        assert mean == pytest.approx(getattr(loop, name).mean(), rel=1e-9, abs=1e-15)
    assert any(f"{n} samples" in note for note in few.notes)
    # and means of means are those of all
    fewer = thinned(few, 250, 1000)
    assert fewer.counts.sum() == n
    assert len(fewer.time) <= 1000


@pytest.mark.slow
def test_the_sum_of_squares_between_devices_is_that_of_the_whole_record():
    loop = record(20_000)
    few = thinned(loop, 1200, 6000)
    names = Problem.of((few,), "mms", 298.5, None, None, (), 0, 0.95).unknowns

    def sums(of, values):
        objective = Objective([of], Memristor, thermal_voltage(298.5), names, {})
        z = objective.place(values)
        r = objective.residuals(z, [1e-6])
        n = len(r) // 2
        (w_v, w_i) = (np.broadcast_to(w, n) for w in objective.weights[0])
        counts = np.ones(n) if of.counts is None else of.counts[objective.drives[0].order]
        return np.sum((r[:n] / w_v) ** 2 * counts), np.sum((r[n:] / w_i) ** 2 * counts)

    for name, value in TRUTH.items():
        other = {**TRUTH, name: value * 1.1}
        whole = np.subtract(sums(loop, other), sums(loop, TRUTH))
        thin = np.subtract(sums(few, other), sums(few, TRUTH))
        np.testing.assert_allclose(thin, whole, rtol=3e-3)


def test_samples_beside_an_edge_stay_single():
    n = 50_000
    t = np.arange(n) / n
    u = np.where((t > 0.3) & (t < 0.6), 1.0, 0.0) + 1e-3 * np.random.default_rng(0).normal(size=n)
    few = thinned(Loop(t, 0.5 * u, 1e-3 * u, u, 500.0), 1200, 6000)
    assert len(few.time) < 3000
    for edge in (0.3, 0.6):
        near = np.abs(few.time - edge) < 1.5 / n
        assert np.all(few.counts[near] == 1)
        # and means grow with the distance, so that a line between two of them crosses no edge
        far = np.abs(few.time - edge)
        assert np.all(few.counts / n < np.maximum(2 * far, 2 / n))
    exact = np.where((few.time > 0.3) & (few.time < 0.6), 1.0, 0.0)
    np.testing.assert_allclose(few.v_in, exact, atol=6e-3)


@pytest.mark.slow
def test_a_fit_of_a_large_record_finds_the_device_as_well_as_its_samples_allow():
    result = fit_device(record(100_000, 5))
    assert len(result.loops[0].loop.time) <= 6000
    assert "100000 samples" in str(result)
    for name, truth in TRUTH.items():
        (low, high) = result.interval(name)
        assert abs(result.value(name) - truth) < 2 * (high - low) / 2
        # of 200 samples it is 1 to 3 %; 500 times as many make it 22 times smaller
        assert (high - low) / 2 < 0.003 * truth


def test_the_scale_is_that_of_the_means():
    few = thinned(record(20_000), 1200, 6000)
    assert scale_of([few]).t_sample == pytest.approx(1e-3 / 1200, rel=0.5)

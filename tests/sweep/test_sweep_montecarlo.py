"""Tolerances and Monte Carlo against SciPy's distributions and against the theory of errors."""

import math

import numpy as np
import pytest
import scipy.stats

from spicealif import load_preset
from spicealif.errors import SweepError
from spicealif.sweep import (
    DEFAULT_TOLERANCES,
    MonteCarlo,
    Tolerance,
    f_i_curve,
    prototypes,
    tolerances_of,
)
from spicealif.sweep.tolerances import Distribution

LIF = load_preset("lif")
U = np.concatenate([[1e-12, 1 - 1e-12], np.linspace(0.001, 0.999, 999)])


def scipys(distribution, nominal, spread):
    """The same distribution as SciPy has it; `spread` in the parameter's unit."""
    if distribution == "uniform":
        return scipy.stats.uniform(nominal - spread, 2 * spread)
    if distribution == "normal":
        return scipy.stats.truncnorm(-3, 3, loc=nominal, scale=spread / 3)
    return scipy.stats.lognorm(spread, scale=nominal)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "lognormal"])
@pytest.mark.parametrize(("nominal", "spread"), [(100e-9, 0.05), (1500.0, 0.5), (2.0, 0.9)])
def test_distributions_are_scipys(distribution, nominal, spread):
    tolerance = Tolerance("c", spread, distribution)
    absolute = spread if distribution == "lognormal" else spread * nominal
    expected = scipys(distribution, nominal, absolute)
    # SciPy's own quantiles of the truncated normal are good to 1e-9 only.
    np.testing.assert_allclose(tolerance.values(nominal, U), expected.ppf(U), rtol=1e-8)
    assert tolerance.standard_deviation(nominal) == pytest.approx(expected.std(), rel=1e-9)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("nominal", [0.0, -1.5, 2.0])
def test_absolute_spreads(distribution, nominal):
    tolerance = Tolerance("comparator.v_os", 7e-3, distribution, relative=False)
    expected = scipys(distribution, nominal, 7e-3)
    np.testing.assert_allclose(tolerance.values(nominal, U), expected.ppf(U), rtol=1e-8, atol=1e-11)
    assert tolerance.standard_deviation(nominal) == pytest.approx(expected.std(), rel=1e-9)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "lognormal"])
@pytest.mark.parametrize("sampling", ["random", "latin-hypercube", "sobol"])
def test_samples_come_from_the_distribution(distribution, sampling):
    """Kolmogorov and Smirnov's test, with the seed fixed; parameters are independent."""
    tolerances = [Tolerance(name, 0.1, distribution) for name in ("c", "leak.r", "v_th")]
    values = MonteCarlo(LIF, 2048, tolerances, seed=5, sampling=sampling).points.values
    for tolerance, nominal in zip(tolerances, (1e-7, 1500.0, 0.4), strict=True):
        spread = 0.1 if distribution == "lognormal" else 0.1 * nominal
        test = scipy.stats.kstest(
            values[tolerance.parameter], scipys(distribution, nominal, spread).cdf
        )
        assert test.pvalue > 0.01
    correlations = np.corrcoef(list(values.values())) - np.eye(3)
    assert np.abs(correlations).max() < 0.07


def test_seeds():
    def drawn(seed, n=50):
        return MonteCarlo(LIF, n, seed=seed).points.values

    one, same, other = drawn(1), drawn(1), drawn(2)
    assert list(one) == [t.parameter for t in tolerances_of(LIF)]
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
        assert not np.intersect1d(one[name], other[name]).size
        # A longer experiment begins with the same prototypes.
        np.testing.assert_array_equal(drawn(1, 80)[name][:50], one[name])


def test_default_tolerances_fit_the_presets():
    names = {t.parameter for t in DEFAULT_TOLERANCES}
    assert {t.parameter for t in tolerances_of(load_preset("paper"))} == names - {"leak.r"}
    lif = {t.parameter for t in tolerances_of(LIF)}
    # A series resistor of 0 has no tolerance, and there is no memristor.
    assert "leak.r" in lif
    assert not {"r_s", "leak.r_on", "leak.tau"} & lif
    assert all(t.source for t in DEFAULT_TOLERANCES)


REFUSED = {
    "no spread": (("c", 0.0), {}, "give it above 0"),
    "spread not finite": (("c", math.nan), {}, "give it above 0"),
    "could be 0": (("c", 1.0), {}, "could be 0"),
    "unknown": (("c", 0.1, "cauchy"), {}, "choose one of uniform"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_tolerances_refused(case):
    arguments, choices, words = REFUSED[case]
    with pytest.raises(SweepError, match=words):
        Tolerance(*arguments, **choices)


def test_experiments_refused():
    c = Tolerance("c", 0.1)
    for n in (0, -1, True, 1.5):
        with pytest.raises(SweepError, match="number of prototypes"):
            MonteCarlo(LIF, n, [c])
    with pytest.raises(SweepError, match="Nothing scatters"):
        MonteCarlo(LIF, 3, [])
    with pytest.raises(SweepError, match="two tolerances"):
        MonteCarlo(LIF, 3, [c, c])
    with pytest.raises(SweepError, match="no sampling 'grid'"):
        MonteCarlo(LIF, 3, [c], sampling="grid")
    with pytest.raises(SweepError, match="a part of 0 is 0"):
        MonteCarlo(LIF, 3, [Tolerance("r_s", 0.1)])
    with pytest.raises(SweepError, match="cannot scatter"):
        MonteCarlo(LIF, 3, [Tolerance("mosfet.kind", 0.1)])
    with pytest.raises(SweepError, match="no parameter"):
        MonteCarlo(LIF, 3, [Tolerance("leak.tau", 0.1)])


# --- physics --------------------------------------------------------------------------------------


def interval(c, r, v_th, i, t_ref=0.0):
    """The closed form of a LIF neuron's interval at constant current, from rest at 0."""
    return t_ref + r * c * np.log(i * r / (i * r - v_th))


@pytest.mark.slow
@pytest.mark.parametrize("t_ref", [0.0, 50e-6])
def test_f_i_curve_is_the_closed_form(t_ref, tmp_path):
    neuron = LIF.replace(t_ref=t_ref, t_stop=20e-3)
    result = f_i_curve(neuron, points=40, peak=0.5e-3, sides="reference").run(
        store=tmp_path, workers=1
    )
    i = result["stimulus.amplitude"].values
    above = i * 1500.0 > 0.4
    assert 0 < above.sum() < 40
    expected = np.where(above, interval(1e-7, 1500.0, 0.4, np.where(above, i, 1), t_ref), np.nan)
    for name in ("isi_first", "isi_last", "isi_mean"):
        measured = result[name].sel(side="reference").values
        np.testing.assert_allclose(measured, expected, rtol=1e-9)
    # Below the rheobase there are no spikes and no interval, and this is no failure.
    assert (result["spike_count"].sel(side="reference").values[~above] == 0).all()
    assert (result["status"] == "OK").all()


@pytest.mark.slow
def test_f_i_curve_of_the_ideal_circuit(tmp_path):
    """The circuit discharges to v_low in a finite time, and its comparator has a pole of 9 ns.

    At the preset's 0.5 mA docs/measured.md has 2.1 us over 95 intervals beside the ``schmitt``
    reference; the slower v_mem creeps up to the threshold, the more it is.
    """
    neuron = LIF.ideal().replace(t_stop=2e-3)
    sweep = f_i_curve(neuron, points=6, peak=0.6e-3, variant="schmitt")
    result = sweep.run(store=tmp_path, workers=2)
    assert (result["status"] == "OK").all()
    i = result["stimulus.amplitude"].values
    above = i * 1500.0 > 0.4
    assert above.sum() == 4
    circuit, reference = (result["isi_last"].sel(side=s).values for s in ("circuit", "reference"))
    late = circuit - reference
    assert (late[above] > 0).all()
    assert (late[above] < 50e-9).all()
    assert late[np.isclose(i, 0.5e-3)] < 2.15e-6 / 95
    assert (np.diff(late[above]) < 0).all()
    # The closed form from v_low, the discharge through the MOSFET, two delays, and what is charged
    # again because the second lets v_mem fall past v_low. The rest is the comparator's slow start.
    i, c, delay = i[above], neuron.c, neuron.comparator.t_delay
    closed = 1500 * c * np.log((i * 1500 - 0.05) / (i * 1500 - 0.4))
    r = 1 / (1 / neuron.mosfet.r_ds_on + 1 / 1500)
    discharge = r * c * np.log((0.4 - i * r) / (0.05 - i * r))
    past = 0.05 / (r * c) * delay * c / (i - 0.05 / 1500)
    rest = circuit[above] - closed - discharge - 2 * delay - past
    assert (rest > 0).all()
    assert (rest < 60e-9).all()
    assert np.isnan(circuit[~above]).all()


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["uniform", "normal", "lognormal"])
def test_monte_carlo_agrees_with_first_order_propagation(distribution, tmp_path):
    """Mean and variance of the interval under small tolerances, within their sampling errors."""
    n, spread = 2000, 0.006
    names = {"c": 1e-7, "leak.r": 1500.0, "v_th": 0.4}
    tolerances = [Tolerance(name, spread, distribution) for name in names]
    neuron = LIF.replace(t_stop=1e-3)
    experiment = MonteCarlo(neuron, n, tolerances, seed=11, sides="reference")
    result = experiment.run(store=tmp_path, workers=1)
    isi = result["isi_mean"].sel(side="reference").values
    assert np.isfinite(isi).all()

    c, r, v = names.values()
    i = 0.5e-3
    nominal = interval(c, r, v, i)
    slope = {
        "c": nominal / c,
        "leak.r": nominal / r + r * c * (1 / r - i / (i * r - v)),
        "v_th": r * c / (i * r - v),
    }
    variance = sum(
        (slope[t.parameter] * t.standard_deviation(names[t.parameter])) ** 2 for t in tolerances
    )
    # The mean's next order is below a tenth of its sampling error at these spreads.
    assert isi.mean() == pytest.approx(nominal, abs=4 * math.sqrt(variance / n))
    # The variance of a sum of these is spread by its kurtosis, which is at most a normal one's.
    assert isi.var(ddof=1) == pytest.approx(variance, rel=4 * math.sqrt(2 / n))
    # Point by point, the closed form itself.
    values = [result[name].values for name in names]
    np.testing.assert_allclose(isi, interval(*values, i), rtol=1e-9)


def test_latin_hypercube_estimates_means_better(tmp_path):
    """That is what it is offered for: the nearly linear interval's mean from few prototypes."""
    tolerances = [Tolerance(name, 0.02) for name in ("c", "leak.r", "v_th")]
    neuron = LIF.replace(t_stop=1e-3)
    spread = {}
    for sampling in ("random", "latin-hypercube"):
        means = [
            MonteCarlo(neuron, 40, tolerances, seed, sampling, sides="reference")
            .run(store=tmp_path, executor=_Here())["isi_mean"]
            .mean()
            .item()
            for seed in range(8)
        ]
        spread[sampling] = np.std(means)
    assert spread["latin-hypercube"] < 0.2 * spread["random"]


@pytest.mark.slow
def test_prototypes_scatter_in_the_circuit_only(tmp_path):
    neuron = LIF.ideal().replace({"t_stop": 4e-4, "numerics.steering": False})
    result = prototypes(neuron, n=3, seed=2).run(store=tmp_path, workers=1)
    assert (result["status"] == "OK").all()
    circuit, reference = (result["isi_mean"].sel(side=s).values for s in ("circuit", "reference"))
    assert len(set(reference)) == 1
    assert len(set(circuit)) == 3
    assert result.attrs["varies"] == "circuit"


class _Here:
    """An executor that computes at once, in this process."""

    _max_workers = 1

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(*arguments))
        return future


def test_every_distribution_is_tested():
    assert set(Distribution.__args__) == {"uniform", "normal", "lognormal"}

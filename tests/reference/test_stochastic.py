"""Metastable switches drawn one by one: mean, variance, distribution, seeds, refusals."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.stats import binom, chi2, chisquare, kstest

from spicealif import Neuron, compare, load_waveforms, solve_reference
from spicealif.cli.main import cli
from spicealif.design import GMMS, Memristor, Resistor, StimulusPieces
from spicealif.errors import IntegrationError
from spicealif.reference import driver
from spicealif.reference.switches import draw_switches

Floats = NDArray[np.float64]
V_T = 1.380649e-23 * 298.5 / 1.602176634e-19
PAPER = driver.KernelParameters(
    leak=Memristor(r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.27, tau=5e-3),
    c=100e-9, r_s=500.0, thermal_voltage=V_T, v_th=0.4, v_low=0.05, r_ds_on=10.0,
)  # fmt: skip
# With r_on = r_off the current, and so the voltage, does not feel x: v(t) is given.
(R, C) = (1000.0, 100e-9)
GIVEN = dataclasses.replace(
    PAPER,
    leak=Memristor(r_on=R, r_off=R, v_on=0.2, v_off=-0.1, tau=1e-3),
    r_s=0.0,
    v_th=1e3,
)
SWING = StimulusPieces(
    np.array([0.0, 3e-3]), np.array([1e-4]), np.zeros(1), np.array([[4e-4, 400.0, 0.0, 0.0]])
)
SEEDS = range(2000)


def square(n: int, i: float = 1e-3) -> StimulusPieces:
    return StimulusPieces(0.5e-3 * np.arange(2 * n + 1), np.tile([i, 0.0], n), np.zeros(2 * n))


def run(params: Any, pieces: Any, n: int | None, seed: int = 0, h: float = 1e-6, **more: Any):
    more = {"variant": "ideal", **more}
    return driver.integrate(
        params, pieces, t_stop=float(pieces.t[-1]), h=h, switches=n, seed=seed, **more
    )


def given_mean(params: Any, t: Floats) -> tuple[Floats, Floats]:
    """Return the chance of being on, and the integral of both rates, under SWING at times t."""
    leak, w = params.leak, 2 * math.pi * 400.0

    def right_side(t: float, y: Floats) -> list[float]:
        i_in = 1e-4 + 4e-4 * math.sin(w * t)
        a = 1 / (1 + math.exp((leak.v_on - y[0]) / V_T)) / leak.tau
        b = 1 / (1 + math.exp((leak.v_off + y[0]) / V_T)) / leak.tau
        return [(i_in - y[0] / R) / C, a * (1 - y[1]) - b * y[1], a + b]

    y = [0.0, params.x_0, 0.0]
    s = solve_ivp(right_side, (0, t[-1]), y, "DOP853", t_eval=t, rtol=1e-12, atol=1e-14)
    return s.y[1], s.y[2]


# --- the mean and its limit -----------------------------------------------------------------------


@pytest.mark.parametrize("i", [0.3e-3, 1e-3], ids=["silent", "spiking"])
def test_deviation_from_the_mean_falls_with_the_root_of_the_number(i):
    """The slope of log RMS(x - x of MMS) over log N, N = 1e2 to 1e6, is -1/2."""
    pieces, grid = square(10, i), np.linspace(0.0, 10e-3, 401)
    mean = run(PAPER, pieces, None)
    assert (mean.t_spike.size > 50) == (i > 0.5e-3)
    x = np.interp(grid, mean.time, mean.x)
    assert np.ptp(x) > 0.1
    numbers = np.array([10**2, 10**3, 10**4, 10**5, 10**6])
    rms = []
    for n in numbers.tolist():
        runs = [run(PAPER, pieces, n, seed) for seed in range(16)]
        off = [np.interp(grid, r.time, r.x) - x for r in runs]
        rms.append(float(np.sqrt(np.mean(np.square(off)))))
    slope = np.polyfit(np.log(numbers), np.log(rms), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.03)
    assert rms[-1] < 1e-3


def test_spike_times_approach_those_of_the_mean():
    mean = run(PAPER, square(10), None).t_spike
    numbers, rms = np.array([10**5, 10**6, 10**7, 10**8]), []
    for n in numbers.tolist():
        spikes = [run(PAPER, square(10), n, seed).t_spike for seed in range(48)]
        assert {s.size for s in spikes} == {mean.size}
        rms.append(float(np.sqrt(np.mean([np.square(s - mean) for s in spikes]))))
    assert np.polyfit(np.log(numbers), np.log(rms), 1)[0] == pytest.approx(-0.5, abs=0.05)


def test_error_of_the_mean_is_of_second_order():
    """With 1e15 switches nothing is left of the draws' noise."""
    t = np.array([0.5e-3, 1.5e-3, 3e-3])
    exact, _ = given_mean(GIVEN, t)
    steps = np.array([100e-6, 50e-6, 25e-6])
    errors = []
    for h in steps:
        result = run(GIVEN, SWING, 10**15, h=h)
        errors.append(np.abs(np.interp(t, result.time, result.x) - exact).max())
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] > 1.8
    assert errors[-1] < 1e-4


def test_generalised_model_has_the_same_switches():
    leak = GMMS(
        r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.27, tau=5e-3,
        phi=0.8, alpha_f=2e-4, beta_f=4.0, alpha_r=2e-4, beta_r=4.0,
    )  # fmt: skip
    params = dataclasses.replace(PAPER, leak=leak)
    mean = run(params, square(5), None, variant="schmitt")
    drawn = run(params, square(5), 10**10, variant="schmitt")
    assert mean.t_spike.size > 20
    np.testing.assert_allclose(drawn.t_spike, mean.t_spike, rtol=0, atol=1e-8)
    np.testing.assert_allclose(drawn.x[-1], mean.x[-1], rtol=0, atol=1e-4)


# --- variance and distribution, voltage given -----------------------------------------------------


@pytest.fixture(scope="module")
def many() -> tuple[Floats, Floats]:
    """Return x of 100 switches at 1 ms and 3 ms, for 2000 seeds."""
    results = [run(GIVEN, SWING, 100, seed, 10e-6) for seed in SEEDS]
    rows = np.searchsorted(results[0].time, [1e-3 - 1e-9, 3e-3 - 1e-9])
    x = np.array([r.x[rows] for r in results])
    return x[:, 0], x[:, 1]


def test_variance_is_the_binomial_one(many):
    """The sum of squared deviations over their variance is chi-square; 2.5 % on each side."""
    p, _ = given_mean(GIVEN, np.array([1e-3, 3e-3]))
    for x, mean in zip(many, p, strict=True):
        assert 0.1 < mean < 0.9
        variance = mean * (1 - mean) / 100
        total = np.sum((x - mean) ** 2) / variance
        assert 0.025 < chi2(len(SEEDS)).cdf(total) < 0.975
        # the mean over the seeds is that of MMS
        assert abs(x.mean() - mean) < 3 * math.sqrt(variance / len(SEEDS))


def test_distribution_is_the_binomial_one(many):
    p, _ = given_mean(GIVEN, np.array([1e-3, 3e-3]))
    for x, mean in zip(many, p, strict=True):
        on = np.rint(100 * x).astype(int)
        edges = np.unique(binom(100, mean).ppf(np.linspace(0, 1, 21)[1:-1]))
        counts = np.histogram(on, np.r_[-np.inf, edges + 0.5, np.inf])[0]
        chances = np.diff(np.r_[0.0, binom(100, mean).cdf(edges), 1.0])
        assert counts.size > 10
        value = chisquare(counts, chances * len(SEEDS)).pvalue
        assert value > 0.01


def test_switches_forget_as_they_should(many):
    """The covariance at two times is p (1 - p)/N at the first, times exp(-integral of a + b)."""
    p, decay = given_mean(GIVEN, np.array([1e-3, 3e-3]))
    expected = p[0] * (1 - p[0]) * math.exp(decay[0] - decay[1]) / 100
    covariance = np.cov(*many)[0, 1]
    spread = math.sqrt(np.var(many[0]) * np.var(many[1]) / len(SEEDS))
    assert expected > 3 * spread
    assert abs(covariance - expected) < 3 * spread


def test_one_switch_waits_exponentially():
    """N = 1: the device is on or off, and the time between is exponential with the rate's mean."""
    v = 0.16  # constant, by a current to match
    params = dataclasses.replace(GIVEN, v_c_0=v)
    pieces = StimulusPieces(np.array([0.0, 3.0]), np.array([v / R]), np.zeros(1))
    result = run(params, pieces, 1, seed=3, h=5e-6)
    assert set(np.unique(result.x)) == {0.0, 1.0}
    turns = np.flatnonzero(np.diff(result.x))
    waits = np.diff(result.time[turns + 1])
    rate_on = 1 / (1 + math.exp((0.2 - v) / V_T)) / 1e-3
    rate_off = 1 / (1 + math.exp((v - 0.1) / V_T)) / 1e-3
    after_off = waits[result.x[turns[:-1] + 1] == 0.0]
    after_on = waits[result.x[turns[:-1] + 1] == 1.0]
    jitter = np.random.default_rng(0).uniform(-5e-6, 0.0, waits.size)  # turns happen in a step
    for waits_there, rate in ((after_off, rate_on), (after_on, rate_off)):
        assert waits_there.size > 100
        smooth = np.maximum(waits_there + jitter[: waits_there.size], 0.0)
        value = kstest(smooth, "expon", args=(0.0, 1 / rate)).pvalue
        assert value > 0.01


def test_draws_of_a_long_step_are_the_equilibrium():
    rng = np.random.Generator(np.random.PCG64(5))
    on = np.array([draw_switches(0, 50, 3e3, 1e3, rng) for _ in range(4000)])
    assert on.mean() == pytest.approx(37.5, abs=3 * math.sqrt(50 * 0.75 * 0.25 / 4000))
    assert 0.005 < chi2(4000).cdf(np.sum((on - 37.5) ** 2) / (50 * 0.75 * 0.25)) < 0.995
    assert draw_switches(7, 50, 0.0, 0.0, rng) == 7
    assert draw_switches(7, 50, 1e9, 0.0, rng) == 50
    assert draw_switches(7, 50, 0.0, 1e9, rng) == 0


def test_draws_of_one_step_have_exact_chances():
    """From 30 of 50: on after it is the sum of two binomials, with the two-state chances."""
    rng, (a, b) = np.random.Generator(np.random.PCG64(11)), (0.7, 0.4)
    on = np.array([draw_switches(30, 50, a, b, rng) for _ in range(20_000)])
    gone = 1 - math.exp(-(a + b))
    (p_on, p_off) = (a / (a + b) * gone, b / (a + b) * gone)
    chances = np.convolve(binom(20, p_on).pmf(range(21)), binom(30, 1 - p_off).pmf(range(31)))
    likely = chances * 20_000 > 5
    counts = np.bincount(on, minlength=51)
    rest = 20_000 * chances[~likely].sum()
    expected, seen = chances[likely] * 20_000, counts[likely]
    expected, seen = np.r_[expected, rest], np.r_[seen, counts[~likely].sum()]
    assert chisquare(seen, expected).pvalue > 0.01


# --- seeds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_same_seed_same_waveforms(paper, variant):
    neuron = paper.replace(t_stop=3e-3)
    first, again = (solve_reference(neuron, variant, switches=300, seed=8) for _ in range(2))
    other = solve_reference(neuron, variant, switches=300, seed=9)
    for name in ("v_c", "v_mem", "x", "spike"):
        np.testing.assert_array_equal(first[name], again[name])
    np.testing.assert_array_equal(first.time, again.time)
    np.testing.assert_array_equal(first.t_spike, again.t_spike)
    assert (first.attrs["switches"], first.attrs["seed"]) == (300, 8)
    assert not np.array_equal(first.t_spike, other.t_spike)
    assert "seed" not in solve_reference(neuron, variant).attrs


def test_pausing_changes_no_bit(monkeypatch):
    whole = run(PAPER, square(3), 200, 4)
    monkeypatch.setattr(driver, "CHUNK_STEPS", 7)
    monkeypatch.setattr(driver, "MAX_FIRST_ROWS", 3)
    parts = run(PAPER, square(3), 200, 4)
    for field in dataclasses.fields(whole):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(parts, field.name))


@pytest.mark.parametrize("n", [1, 3, 1000, 10**15])
@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_x_is_a_share_of_the_switches(n, variant):
    params = dataclasses.replace(PAPER, x_0=0.4, t_ref=5e-6, delay_on=1e-6, delay_off=2e-6)
    result = run(params, square(3), n, 2, variant=variant)
    np.testing.assert_array_equal(result.x, np.rint(result.x * n) / n)
    assert 0.0 <= result.x.min() <= result.x.max() <= 1.0
    assert result.x[0] == round(0.4 * n) / n
    assert result.t_spike.size > 5
    assert np.all(np.diff(result.time) > 0)


def test_threshold_passed_by_a_jump_of_x():
    """One switch that turns off raises v_mem from below the threshold to above it."""
    leak = PAPER.leak.replace({"tau": 1e-4, "v_on": 1.0, "v_off": -0.5})
    params = dataclasses.replace(PAPER, leak=leak, x_0=1.0, v_th=0.6, v_c_0=1.0)
    # 1 mA holds v_mem at 0.5 V while the switch is on; when it is off, 0.75 V of 1 V are v_mem
    pieces = StimulusPieces(np.array([0.0, 2e-3]), np.array([1e-3]), np.zeros(1))
    result = run(params, pieces, 1, 1)
    first = int(np.flatnonzero(result.x == 0.0)[0])
    # within a step x moves by its mean, which v_c feels a little
    np.testing.assert_allclose(result.v_mem[:first], 0.5, rtol=1e-3)
    assert result.v_mem[first] == pytest.approx(0.75, rel=1e-3)
    assert result.t_spike[0] == result.time[first]
    assert result.v_c[first + 1] == 0.0


# --- refusals and the command line ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "seed", "says"),
    [(0, 0, "switches"), (-3, 0, "switches"), (2.5, 0, "switches"), (True, 0, "switches"),
     (10**16, 0, "more than can be drawn"), (5, -1, "seed"), (5, 1.0, "seed"),
     (5, 2**63, "too large")],
)  # fmt: skip
def test_senseless_numbers(paper, switches, seed, says):
    with pytest.raises(IntegrationError, match=says):
        solve_reference(paper, switches=switches, seed=seed)


def test_models_without_switches_say_so(paper):
    resistor = dataclasses.replace(PAPER, leak=Resistor(r=1000.0))
    with pytest.raises(IntegrationError, match=r"resistor.*mms or gmms"):
        run(resistor, square(1), 10)
    vteam = {"kind": "vteam", "r_on": 500, "r_off": 1500, "v_on": 0.2, "v_off": 0.2}
    neuron = paper.replace({"leak": {**vteam, "k_on": 100, "k_off": 100}})
    with pytest.raises(IntegrationError, match=r"VTEAM.*mms or gmms"):
        solve_reference(neuron, switches=10)


def test_command_line(paper: Neuron, tmp_path):
    target = tmp_path / "drawn.nc"
    options = ["--switches", "1000", "--seed", "1", "-s", "t_stop=2m", "-q", "-o", str(target)]
    done = CliRunner().invoke(cli, ["reference", "paper", *options])
    assert done.exit_code == 0, done.output
    assert "1000 switches, seed 1" in done.output
    saved = load_waveforms(target)
    assert (saved.attrs["switches"], saved.attrs["seed"]) == (1000, 1)
    drawn = solve_reference(paper.replace(t_stop=2e-3), switches=1000, seed=1)
    np.testing.assert_array_equal(saved["x"], drawn["x"])
    table = str(compare(saved, solve_reference(paper.replace(t_stop=2e-3))))
    assert "reference (ideal, 1000 switches, seed 1)" in table
    done = CliRunner().invoke(cli, ["reference", "paper", "--seed", "1"])
    assert (done.exit_code, "--switches" in done.output) == (2, True)
    done = CliRunner().invoke(cli, ["reference", "lif", "--switches", "10"])
    assert done.exit_code != 0

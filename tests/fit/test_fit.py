"""Fits of memristor models: loops solved by SciPy, and loops that others measured."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit

from spicealif.design import GMMS, MODELS, VTEAM, Memristor, Yakopcic
from spicealif.design._shared import thermal_voltage
from spicealif.errors import FitError
from spicealif.fit import Loop, fit_device
from spicealif.fit._drive import Drive, whiteness

ROOT = Path(__file__).parents[2]
MEASURED = ROOT.parent / "shared" / "measured"
PERIOD = 1e-3
TRUE = Memristor(r_on=3400, r_off=29000, v_on=0.32, v_off=0.15, tau=4e-5)


def study():
    """The module of the larger study, whose devices and loops these tests take."""
    path = ROOT / "benchmarks" / "fit_recovery.py"
    spec = importlib.util.spec_from_file_location("fit_recovery", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDY = study()


def loop_of(device=TRUE, noise=0.01, seed=0, amplitude=0.8, points=400, r_s=5000.0):
    rng = np.random.default_rng(seed)
    return STUDY.noisy_loop(rng, device, r_s, amplitude, points, noise)


def shot(device, drive, t, r_s, x_0, noise=0.0, seed=0):
    """A single shot, solved by SciPy with the model's plain functions."""
    q = device.numbers(thermal_voltage(298.5))

    def voltage(now, x):
        u, out = float(drive(now)), [0.0] * 3
        v = u
        for _ in range(100):
            device.current(v, x, q, out)
            step = (v + r_s * out[0] - u) / (1 + r_s * out[1])
            v -= step
            if abs(step) < 1e-15:
                break
        return v, out[0]

    def rate(now, x):
        return device.rate(voltage(now, float(x[0]))[0], float(x[0]), q)

    solution = solve_ivp(
        rate, (t[0], t[-1]), [x_0], "LSODA", t, rtol=1e-8, atol=1e-10, max_step=t[-1] / 200
    )
    v, i = np.array([voltage(now, x) for now, x in zip(t, solution.y[0], strict=True)]).T
    rng = np.random.default_rng(seed)
    noisy = [y + noise * np.abs(y).max() * rng.standard_normal(len(t)) for y in (v, i)]
    return Loop(t, *noisy, np.array([float(drive(now)) for now in t]), r_s)


# --- recovery -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_random_devices_are_found_again():
    said = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        device, r_s, amplitude = STUDY.random_device(rng)
        result = fit_device(STUDY.noisy_loop(rng, device, r_s, amplitude, 1000, 0.01), seed=seed)
        # 1 % of the amplitude is the noise, so the loss is about that over the variance of each
        assert result.loss < 2e-3
        assert result.loss_error < 1e-3 * result.loss
        for name, value, (low, high) in zip(
            result.names, result.values, result.intervals, strict=True
        ):
            truth = getattr(device, name)
            # three times the half-width is about six standard errors
            assert abs(value - truth) < 1.5 * (high - low), name
            if max(high / value - 1, 1 - low / value) < 0.02:
                said.append(abs(value / truth - 1))
    # What is said to be within 2 % is so but for one in twenty; the study has 406 such values.
    assert len(said) >= 12
    assert sum(error > 0.02 for error in said) <= 2
    assert max(said) < 0.03


def test_without_noise_every_parameter_is_found():
    result = fit_device(loop_of(noise=0.0))
    assert result.loss < 1e-9
    for name in ("r_on", "r_off", "v_on", "v_off", "tau"):
        assert getattr(result.device, name) == pytest.approx(getattr(TRUE, name), rel=2e-3)
    assert result.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "device", "names"),
    [
        (
            "vteam",
            VTEAM(
                r_on=1000, r_off=9000, v_on=0.15, v_off=0.1, k_on=3000, k_off=4000, alpha_on=2.0,
                alpha_off=3.0, p=4,
            ),
            ("r_on", "r_off", "v_on", "k_on"),
        ),
        (
            "yakopcic",
            Yakopcic(
                a_1=3e-4, a_2=3e-4, b=2.0, v_p=0.16, v_n=0.15, a_p=9000, a_n=9000, x_p=0.3,
                x_n=0.5, alpha_p=1, alpha_n=5,
            ),
            ("a_1", "b", "v_p", "v_n", "a_p"),
        ),
    ],
)  # fmt: skip
def test_other_models_find_their_own_loops(model, device, names):
    t = np.linspace(0, 2e-3, 50)
    loop = shot(device, lambda now: 0.9 * np.sin(2e3 * np.pi * now), t, 1000.0, 0.2, noise=1e-4)
    result = fit_device(loop, model)
    assert result.loss < 1e-5
    for name in names:
        assert getattr(result.device, name) == pytest.approx(getattr(device, name), rel=0.1), name


@pytest.mark.slow
def test_gmms_finds_its_schottky_part_and_is_never_worse_than_mms():
    device = GMMS(
        r_on=3400, r_off=2e5, v_on=0.3, v_off=0.15, tau=4e-5, phi=0.8, alpha_f=4e-5, beta_f=4.0,
        alpha_r=8e-5, beta_r=3.0,
    )  # fmt: skip
    t = np.linspace(0, 2e-3, 400)
    loop = shot(device, lambda now: 0.8 * np.sin(2e3 * np.pi * now), t, 5000.0, 0.1, noise=1e-3)
    simple, general = fit_device(loop, "mms"), fit_device(loop, "gmms")
    assert general.loss < 1e-5 < simple.loss
    (low, high) = general.interval("v_on")
    assert low - (high - low) < device.v_on < high + (high - low)
    assert general.device.v_off == pytest.approx(device.v_off, abs=0.02)
    assert general.held["phi"] == 0.8


@pytest.mark.slow
def test_of_an_mms_loop_gmms_is_not_worse_either():
    loop = loop_of(points=100)
    assert fit_device(loop, "gmms").loss <= fit_device(loop, "mms").loss * (1 + 1e-9)


# --- measured loops -----------------------------------------------------------------------------


def measured(name):
    path = MEASURED / "w_sdc" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"the measured loop {name} is not beside the project (../shared/measured)")
    with (MEASURED / "index.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["file"] == f"w_sdc/{name}.csv")
    t, v_mem, v_in, i = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    r_s, period = float(row["series_resistor_ohm"]), 1 / float(row["frequency_Hz"])
    return Loop(t, v_mem, i, v_in, r_s, period, name)


@pytest.mark.slow
@pytest.mark.parametrize("drive", ["1Hz", "1000Hz"])
@pytest.mark.parametrize("device", ["M1", "M2"])
def test_measured_loops_are_fitted(drive, device):
    loop = measured(f"5k_0.8V_{drive}_{device}")
    simple = fit_device(loop, "mms")
    assert simple.loss <= 0.005
    assert simple.loss_error < 1e-6
    assert fit_device(loop, "gmms").loss <= simple.loss
    # A model of five numbers does not explain a device down to 0.1 % of noise.
    assert any("noise" in warning for warning in simple.warnings)


@pytest.mark.slow
def test_another_seed_finds_the_same_minimum():
    loop = measured("47k_0.8V_100Hz_M2")
    losses = [fit_device(loop, seed=seed).loss for seed in range(4)]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-4)


@pytest.mark.slow
def test_one_set_does_not_fit_two_frequencies_but_r_on_and_tau_of_their_own_do():
    loops = [measured("5k_0.8V_100Hz_M1"), measured("5k_0.8V_1000Hz_M1")]
    shared = fit_device(loops)
    own = fit_device(loops, per_loop=["r_on", "tau"])
    assert shared.loss > 3 * 0.005
    assert own.loss < shared.loss / 3
    assert {"r_on[0]", "r_on[1]", "tau[0]", "tau[1]"} < set(own.names)
    slow, fast = (own.values[own.names.index(n)] for n in ("tau[0]", "tau[1]"))
    assert own.loops[0].device.tau == slow
    assert own.loops[1].device.tau == fast
    parts = [f.nmse_v + f.nmse_i for f in own.loops]
    assert own.loss == pytest.approx(np.mean(parts), rel=1e-6)


# --- loss, intervals, what cannot be known ------------------------------------------------------


@pytest.mark.slow
def test_loss_is_what_it_is_said_to_be():
    loop = loop_of()
    fitted = fit_device(loop).loops[0]
    for ours, y, simulated in (
        (fitted.nmse_v, loop.v_mem, fitted.v_mem),
        (fitted.nmse_i, loop.i, fitted.i),
    ):
        assert ours == pytest.approx(np.mean((simulated - y) ** 2) / np.var(y), rel=1e-9)
    # and the simulation is the fitted device's, by the other route
    device, v_t = fitted.device, thermal_voltage(298.5)
    drive = np.interp

    def rate(t, x):
        g = x / device.r_on + (1 - x) / device.r_off
        v = drive(t, np.append(loop.time, PERIOD), np.append(fitted.v_in, fitted.v_in[0]))
        v = v / (1 + loop.r_s * g)
        on, off = expit((v - device.v_on) / v_t), expit(-(v + device.v_off) / v_t)
        return (on * (1 - x) - off * x) / device.tau

    x = solve_ivp(
        rate, (0, PERIOD), [device.x_0], "LSODA", loop.time, rtol=1e-9, atol=1e-11, max_step=2e-6
    )
    np.testing.assert_allclose(fitted.x, x.y[0], atol=1e-4)


@pytest.mark.slow
def test_intervals_and_correlations_are_those_of_repeated_fits():
    fits = [fit_device(loop_of(seed=seed, points=100), seed=seed) for seed in range(20)]
    inside = [
        low <= getattr(TRUE, name) <= high
        for result in fits
        for name, (low, high) in zip(result.names, result.intervals, strict=True)
    ]
    # 100 of them at 95 %, not independent within a loop: 85 is 4.6 standard deviations off
    assert 85 <= sum(inside) <= 100
    seen = np.corrcoef(np.log(np.abs([result.values for result in fits])).T)
    strong = np.abs(fits[0].correlation) > 0.8
    np.fill_diagonal(strong, False)
    assert strong.any()
    # the standard error of a correlation of 0.8 from 20 values is 0.08
    np.testing.assert_allclose(fits[0].correlation[strong], seen[strong], atol=0.3)


@pytest.mark.slow
def test_level_is_that_of_the_normal_distribution():
    narrow = fit_device(loop_of(points=200), level=0.5)
    wide = fit_device(loop_of(points=200), level=0.99)
    width = np.diff(wide.intervals, axis=1) / np.diff(narrow.intervals, axis=1)
    # quantiles: 2.576 / 0.674
    np.testing.assert_allclose(width, 3.82, rtol=0.15)


@pytest.mark.slow
def test_residuals_that_are_not_noise_widen_the_intervals():
    clean = loop_of(noise=0.003, points=200)
    slow = 0.006 * np.sin(2 * np.pi * 3 * clean.time / PERIOD)
    bent = Loop(clean.time, clean.v_mem + slow, clean.i, clean.v_in, clean.r_s, clean.period)
    good, bad = fit_device(clean), fit_device(bent)
    assert good.loops[0].white
    assert not bad.loops[0].white
    assert any("More than noise" in warning for warning in bad.warnings)


@pytest.mark.slow
def test_what_the_loop_does_not_pin_is_said():
    # 0.2 V hardly set the device, so r_on and tau trade with v_on
    result = fit_device(loop_of(amplitude=0.2, points=200))
    assert result.not_identifiable
    text = " ".join(result.warnings)
    assert all(name in text for name in result.not_identifiable)
    pairs = np.abs(result.correlation - np.eye(len(result.names)))
    assert pairs.max() > 0.95
    assert "Correlated" in text


@pytest.mark.slow
def test_a_parameter_at_its_bound_is_said():
    result = fit_device(loop_of(points=200), bounds={"tau": (1e-6, 1e-5)})
    assert result.at_bound == ("tau",)
    assert result.device.tau == pytest.approx(1e-5, rel=1e-3)
    assert any("bound" in warning and "tau" in warning for warning in result.warnings)


# --- what can be asked for ----------------------------------------------------------------------


@pytest.mark.slow
def test_held_parameters_stay():
    result = fit_device(loop_of(points=200), held={"v_on": 0.3, "r_off": 3e4})
    assert result.names == ("r_on", "v_off", "tau")
    assert (result.device.v_on, result.device.r_off) == (0.3, 3e4)
    assert result.held["v_on"] == 0.3


@pytest.mark.slow
def test_a_held_parameter_of_the_model_is_set_free_by_bounds():
    loop = loop_of(points=40)  # of the names alone
    assert "phi" not in fit_device(loop, "gmms").names
    assert "phi" in fit_device(loop, "gmms", bounds={"phi": (0.5, 1.0)}).names


@pytest.mark.slow
def test_same_seed_same_bits():
    loop = loop_of(points=100)
    first, second = fit_device(loop, seed=3), fit_device(loop, seed=3)
    assert first.values.tobytes() == second.values.tobytes()
    assert first.intervals.tobytes() == second.intervals.tobytes()


@pytest.mark.slow
def test_sampling_need_not_be_uniform():
    rng = np.random.default_rng(5)
    whole = loop_of(noise=0.002, points=2000)
    keep = np.sort(rng.choice(2000, 300, replace=False))
    loop = Loop(whole.time[keep], whole.v_mem[keep], whole.i[keep], whole.v_in[keep], 5000, PERIOD)
    result = fit_device(loop)
    assert result.device.r_on == pytest.approx(TRUE.r_on, rel=0.01)
    assert result.device.tau == pytest.approx(TRUE.tau, rel=0.03)


@pytest.mark.slow
def test_several_periods_are_one_steady_state():
    parts = [loop_of(seed=s, points=200, noise=0.002) for s in range(3)]
    time = np.concatenate([p.time + k * PERIOD for k, p in enumerate(parts)])
    joined = [np.concatenate([getattr(p, n) for p in parts]) for n in ("v_mem", "i", "v_in")]
    result = fit_device(Loop(time, *joined, 5000.0, PERIOD))
    assert result.device.r_on == pytest.approx(TRUE.r_on, rel=0.01)
    fitted = result.loops[0]
    # in the order of the samples
    np.testing.assert_allclose(fitted.v_mem, joined[0], atol=0.02)
    np.testing.assert_allclose(fitted.v_mem[:200], fitted.v_mem[200:400], atol=1e-6)


@pytest.mark.slow
def test_single_shot_by_pulses_finds_its_initial_state():
    t = np.linspace(0, 2e-3, 401)
    # corners on samples, so that lines between the samples are the drive
    corners = np.array([0, 0.1, 0.105, 0.3, 0.305, 0.5, 0.505, 0.7, 0.705, 1.0]) * 1e-3
    levels = [0.05, 0.05, 0.8, 0.8, 0.05, 0.05, -0.8, -0.8, 0.05, 0.05]

    def pulses(now):
        return np.interp(now % 1e-3, corners, levels)

    loop = shot(TRUE, pulses, t, 5000.0, 0.4, noise=0.003)
    result = fit_device(loop)
    assert result.names[-1] == "x_0"
    assert result.loops[0].device.x_0 == pytest.approx(0.4, abs=0.05)
    assert result.device.r_on == pytest.approx(TRUE.r_on, rel=0.02)
    held = fit_device(loop, held={"x_0": 0.4})
    assert "x_0" not in held.names
    assert held.loops[0].device.x_0 == pytest.approx(0.4)


@pytest.mark.slow
def test_progress_rises_to_one():
    seen = []
    fit_device(loop_of(points=100), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 10


# --- the drive ----------------------------------------------------------------------------------


def test_noise_in_the_drive_is_fitted_away():
    loop = loop_of(points=400)
    drive = Drive(loop)
    assert "Fourier" in drive.text
    clean = 0.8 * np.sin(2 * np.pi * loop.time / PERIOD + 0.7)
    error = drive.values(loop.time) - clean
    # 3 coefficients of 400 samples with noise of 8 mV
    assert np.std(error) < 3 * 0.008 * np.sqrt(3 / 400)


def test_a_square_drive_is_not_taken_for_a_short_series():
    loop = loop_of(points=400, noise=0.0)
    square = np.where(loop.time < PERIOD / 2, 0.8, -0.8)
    drive = Drive(Loop(loop.time, loop.v_mem, loop.i, square, 5000, PERIOD))
    assert "lines" in drive.text
    np.testing.assert_allclose(drive.values(loop.time), square)


def test_whiteness_is_a_fair_test():
    rng = np.random.default_rng(0)
    p = [whiteness(rng.standard_normal(200)) for _ in range(1000)]
    # 5 % of white series fall below 5 %: 50 of 1000, standard deviation 7
    assert 25 < sum(np.array(p) < 0.05) < 80
    assert whiteness(np.sin(np.arange(200) / 10)) < 1e-6


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "mss"}, "choose one of mms"),
        ({"level": 95}, "between 0 and 1"),
        ({"temperature": -3}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"held": {"beta": 1}}, "no parameter 'beta'"),
        ({"bounds": {"phi": (0, 1)}}, "no parameter 'phi'"),
        ({"per_loop": ["t"]}, "no parameter 't'"),
        ({"bounds": {"tau": (1e-3, 1e-6)}}, "not a range"),
        ({"bounds": {"tau": (1e-6, float("inf"))}}, "not a range"),
        ({"bounds": {"tau": (1e-6, 1e-3)}, "held": {"tau": 1e-4}}, "take one of the two away"),
        ({"held": {"tau": -1.0}}, "tau"),
        ({"held": {"r_on": 100.0, "r_off": 10.0}}, "r_on"),
        (
            {"held": {"r_on": 1, "r_off": 2, "v_on": 0.1, "v_off": 0.1, "tau": 1}},
            "Every parameter is held",
        ),
    ],
)
def test_what_makes_no_sense_is_one_sentence(options, words):
    with pytest.raises(FitError, match=words) as error:
        fit_device(loop_of(points=50), **options)
    assert "\n" not in str(error.value)


def test_turned_current_is_said():
    loop = loop_of(points=100, noise=0.0)
    with pytest.raises(FitError, match="opposite signs"):
        fit_device(Loop(loop.time, loop.v_mem, -loop.i, loop.v_in, 5000, PERIOD))


def test_no_loop_is_said():
    with pytest.raises(FitError, match="no loop"):
        fit_device([])


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_fitted(model):
    result = fit_device(loop_of(points=40), model)
    assert type(result.device) is MODELS[model]
    assert result.loss < 0.5
    assert len(result.values) == len(result.names) == len(result.intervals)
    assert np.isfinite(result.intervals).all()

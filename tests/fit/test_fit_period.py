"""The period of a drive, of many kinds, and frequencies that a drive does not have."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.signal import chirp, sawtooth

from spicealif.errors import FitError
from spicealif.fit import Loop, fit_device
from spicealif.fit._checks import check_loops
from spicealif.fit.reading import find_period

WAVES = {
    "sine": lambda p: np.sin(2 * np.pi * p),
    "offset": lambda p: 3 + np.sin(2 * np.pi * p) + 0.3 * np.sin(4 * np.pi * p + 1),
    "triangle": lambda p: sawtooth(2 * np.pi * p, 0.5),
    "lopsided": lambda p: sawtooth(2 * np.pi * p, 0.8),
    "pulses": lambda p: np.where(p % 1 < 0.3, 1.0, 0.0),
    "pulses both ways": lambda p: (
        np.where(p % 1 < 0.2, 1.0, 0.0) - np.where((p % 1 > 0.5) & (p % 1 < 0.7), 0.6, 0.0)
    ),
    "third harmonic": lambda p: 0.2 * np.sin(2 * np.pi * p) + np.sin(6 * np.pi * p + 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WAVES)
def test_no_multiple_of_the_period_is_taken_for_it(kind):
    rng = np.random.default_rng(3)
    for _ in range(8):
        m, n = rng.uniform(2, 6), int(rng.integers(150, 600))
        t = np.arange(n) / n * m
        u = WAVES[kind](t + rng.uniform())
        u = u + 0.02 * np.ptp(u) * rng.standard_normal(n)
        assert find_period(t * 1e-3, u) == pytest.approx(1e-3, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sine", "triangle", "pulses"])
def test_ten_per_cent_of_noise_do_not_hide_a_period(kind):
    rng = np.random.default_rng(4)
    t = np.arange(2000) / 2000 * 20.3
    u = WAVES[kind](t) + 0.1 * rng.standard_normal(len(t))
    assert find_period(t, u) == pytest.approx(1, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sine", "offset", "pulses"])
def test_samples_may_be_spaced_unevenly(kind):
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(0, 4.4, 500))
    u = WAVES[kind](t) + 0.01 * rng.standard_normal(len(t))
    assert find_period(t, u) == pytest.approx(1, rel=0.01)


@pytest.mark.slow
def test_a_thousand_periods_are_told_to_a_part_of_a_sample():
    rng = np.random.default_rng(6)
    t = np.arange(20000) / 20000 * 1000.37
    u = np.sin(2 * np.pi * t) + 0.1 * rng.standard_normal(len(t))
    # Cramer and Rao's bound for the frequency of a sine in noise is 3.9e-7 here
    assert find_period(t, u) == pytest.approx(1, rel=1.5e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "drive",
    [
        lambda t, rng: chirp(t, 1, t[-1], 2.5),
        lambda t, rng: np.sin(2 * np.pi * t) * np.exp(-0.5 * t),
        lambda t, rng: np.where((t > 1) & (t < 2), 1.0, 0.0),
        lambda t, rng: np.cumsum(rng.standard_normal(len(t))),
        lambda t, rng: rng.standard_normal(len(t)),
        lambda t, rng: np.floor(2 * t),
        lambda t, rng: t,
    ],
    ids=["chirp", "decay", "one pulse", "walk", "noise", "staircase", "ramp"],
)
def test_what_does_not_repeat_itself_has_no_period(drive):
    rng = np.random.default_rng(7)
    for n in (80, 400, 3000):
        t = np.arange(n) / n * 6
        assert find_period(t, drive(t, rng) + 0.003 * rng.standard_normal(n)) is None


@pytest.mark.slow
def test_the_search_takes_time_in_proportion_to_the_samples():
    def cost(n: int) -> float:
        t = np.arange(n) * (3.37e-3 / n)
        begin = time.process_time()
        assert find_period(t, np.sin(2e3 * np.pi * t)) == pytest.approx(1e-3, rel=1e-6)
        return time.process_time() - begin

    cost(1000)
    # 20 times the samples; of the square it would be 400 times
    assert cost(200_000) < 100 * max(min(cost(10_000) for _ in range(2)), 0.01)


def loop(period):
    """Return four periods of a resistor of 500 ohm behind 500 ohm at 1 kHz."""
    rng = np.random.default_rng(8)
    t = np.arange(400) / 100e3
    u = np.sin(2e3 * np.pi * t)
    signals = (y + 0.01 * np.ptp(y) * rng.standard_normal(400) for y in (0.5 * u, 1e-3 * u, u))
    return Loop(t, *signals, 500.0, period)


@pytest.mark.parametrize(
    ("frequency", "words"),
    [
        (2e3, "repeats itself at 1000 Hz, not at 2000 Hz"),
        (1.05e3, "not at 1050 Hz"),
        (1e300, "cannot be seen in samples"),
        (7e4, "cannot be seen in samples"),
    ],
)
def test_a_frequency_that_the_drive_does_not_have_is_refused(frequency, words):
    with pytest.raises(FitError, match=words):
        fit_device(loop(1 / frequency))


def test_part_of_the_frequency_is_said():
    assert check_loops([loop(1e-3)]) == []
    (said,) = check_loops([loop(2e-3)])
    assert "2 times as often as the 500 Hz" in said

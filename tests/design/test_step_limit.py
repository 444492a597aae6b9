"""Steps that RK4 cannot follow are refused, wherever a step is said; prototypes are memristors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from spicealif import load_preset, solve_reference
from spicealif.design import SeriesCircuit
from spicealif.errors import DesignError, IntegrationError
from spicealif.reference import solve_references, solve_series
from spicealif.sweep import MonteCarlo, Tolerance
from spicealif.sweep.space import design_value
from spicealif.sweep.worker import INVALID

LIF, PAPER = load_preset("lif"), load_preset("paper")
RC = LIF.leak.r * LIF.c  # type: ignore[union-attr]


def test_plain_neuron_fires_as_its_closed_form_says() -> None:
    drive = LIF.leak.r * LIF.stimulus.amplitude  # type: ignore[union-attr]
    interval = RC * math.log(drive / (drive - LIF.v_th))
    expected = int(LIF.t_stop / interval)
    assert expected == 87
    # The last figure is what `too_long` promises of the longest step that is taken.
    for part, error in ((0.01, 1e-5), (0.3, 1e-4), (1.0, 7e-3)):
        fired = solve_reference(LIF, h=part * RC).t_spike
        assert len(fired) == expected
        assert np.diff(fired).mean() == pytest.approx(interval, rel=error)


@pytest.mark.parametrize("h", ["1m", 0.5e-3, "0.4m", 2.5 * RC, 1.001 * RC])
def test_a_step_beyond_the_time_constant_is_refused_everywhere(h: float | str) -> None:
    with pytest.raises(DesignError, match=r"numerics.h = .* unstable beyond 0.000418 s\); give at"):
        LIF.replace({"numerics.h": h})
    step = LIF.replace({"t_stop": h}).t_stop  # as a number
    for solve in (
        lambda: solve_reference(LIF, h=step),
        lambda: solve_reference(LIF, "schmitt", h=step),
        lambda: solve_references([PAPER.replace(c="10u"), LIF], h=step),
    ):
        with pytest.raises(IntegrationError, match=r"give at most 0\.00015 s"):
            solve()


def test_the_device_may_be_what_is_fast() -> None:
    fast = PAPER.replace({"leak.tau": "1u"})
    with pytest.raises(DesignError, match="give at most 1e-06 s"):
        fast.replace({"numerics.h": "2u"})
    assert fast.replace({"numerics.h": "0.9u"}).default_h == 0.9e-6


@pytest.mark.slow
def test_a_point_of_a_sweep_whose_step_became_too_long_is_refused_alone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from spicealif.sweep import Sweep

    base = LIF.replace({"numerics.h": 0.9 * RC, "t_stop": "2m"})
    found = Sweep(base, {"c": [LIF.c, LIF.c / 2]}, sides="reference").run(store=tmp_path, workers=1)
    assert list(found["status"].values) == ["OK", INVALID]
    assert "give at most" in str(found["reason"].values[1])


def test_a_series_circuit() -> None:
    circuit = SeriesCircuit.from_dict(
        {
            "device": {"kind": "mms", **dict(LOOP)},
            "r_s": "5k",
            "drive": {"kind": "sine", "amplitude": "0.8 V", "frequency": "1k"},
            "t_stop": "1m",
        }
    )
    with pytest.raises(DesignError, match="give at most 2e-05 s"):
        circuit.replace({"numerics.h": "60u"})
    with pytest.raises(IntegrationError, match="give at most 2e-05 s"):
        solve_series(circuit, h=60e-6)
    assert np.isfinite(solve_series(circuit, h=2e-5)["x"]).all()


LOOP = {"r_on": 600.0, "r_off": 9000.0, "v_on": 0.25, "v_off": 0.15, "tau": 20e-6}


# --- prototypes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", ["random", "latin-hypercube", "sobol"])
def test_every_prototype_is_a_memristor(sampling: str) -> None:
    n = 4096
    drawn = MonteCarlo(PAPER, n, seed=3, sampling=sampling).points.values  # type: ignore[arg-type]
    again = MonteCarlo(PAPER, n, seed=3, sampling=sampling).points.values  # type: ignore[arg-type]
    on, off = drawn["leak.r_on"], drawn["leak.r_off"]
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)
    assert np.all(on <= off)
    # r_on has its own distribution, and r_off that of the pairs which SciPy draws and throws away
    assert stats.kstest(np.log(on / PAPER.leak.r_on) / 0.22, "norm").pvalue > 1e-3  # type: ignore[union-attr]
    rng = np.random.default_rng(1)
    truth = []
    for value in on[:1500]:
        while (r := PAPER.leak.r_off * math.exp(0.72 * rng.standard_normal())) < value:  # type: ignore[union-attr]
            pass
        truth.append(r)
    assert stats.ks_2samp(off, truth).pvalue > 1e-3


@pytest.mark.parametrize("distribution", ["uniform", "normal", "lognormal"])
def test_the_inverse_of_a_distribution(distribution: str) -> None:
    tolerance = Tolerance("c", 0.3, distribution)  # type: ignore[arg-type]
    u = np.linspace(0.001, 0.999, 101)
    assert tolerance.cumulative(2.0, tolerance.values(2.0, u)) == pytest.approx(u, abs=1e-12)


def test_only_one_of_the_resistances_scatters() -> None:
    for name in ("leak.r_on", "leak.r_off"):
        points = MonteCarlo(PAPER, 500, [Tolerance(name, 2.0, "lognormal")]).points.values[name]
        on = points if name == "leak.r_on" else design_value(PAPER, "leak.r_on")
        off = points if name == "leak.r_off" else design_value(PAPER, "leak.r_off")
        assert np.all(on <= off)
    # An r_off that cannot reach r_on stays as drawn, and the design refuses it.
    low = Tolerance("leak.r_off", 0.01)
    high = Tolerance("leak.r_on", 2000.0, relative=False)
    drawn = MonteCarlo(PAPER, 50, [high, low]).points.values
    assert np.any(drawn["leak.r_on"] > drawn["leak.r_off"])

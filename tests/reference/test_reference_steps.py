"""The reference's step knows the source, and two levels differ (cases `numerics/` r1, r3, r4)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from spicealif import load_preset, solve_reference
from spicealif.measures.one_side import measure

PAPER = load_preset("paper")
STRONG = {"kind": "constant", "amplitude": 10e-3}
MEASURED = {"kind": "mms", "r_on": 1186.5, "r_off": 156412.0, "v_on": 0.2877, "v_off": 0.1296,
            "tau": 4.35e-3}  # fmt: skip
DRIVEN = {
    "r_on 20k": {"leak.r_on": 20e3, "leak.r_off": 200e3, "leak.tau": 20e-3, "t_stop": 5e-3},
    "r_on 5k, 1 uF": {
        "leak.r_on": 5e3, "leak.r_off": 50e3, "leak.tau": 20e-3, "c": 1e-6, "t_stop": 20e-3,
    },
    "r_on 500k": {"leak.r_on": 500e3, "leak.r_off": 5e6, "leak.tau": 0.5, "t_stop": 3e-4},
    "measured device": {"leak": MEASURED, "t_stop": 5e-3},
}  # fmt: skip


def noise(step, t_stop, mean, deviation):
    t = np.arange(0, t_stop, step)
    i = np.clip(mean + deviation * np.random.default_rng(7).standard_normal(len(t)), -4e-3, 1e-2)
    return {"kind": "pwl", "t": t.tolist(), "i": i.tolist()}


def errors(neuron, fine):
    """Return the error of x at the end, the one that halving shows, and that of four judge's steps.

    The judge's own error is 4**4 times smaller than the last, since RK4 is of order 4.
    """
    levels = [
        solve_reference(neuron),
        solve_reference(neuron, h=neuron.default_h / 2),
        solve_reference(neuron, h=4 * fine),
        solve_reference(neuron, h=fine),
    ]
    assert len({len(level.t_spike) for level in levels}) == 1
    base, half, coarse, judge = (float(level["x"][-1]) for level in levels)
    return abs(base - judge), abs(base - half), abs(coarse - judge)


@pytest.mark.parametrize("name", DRIVEN)
def test_a_strong_drive_has_short_steps(name):
    neuron = PAPER.replace({**DRIVEN[name], "stimulus": STRONG})
    error, shown, own = errors(neuron, 2e-8)
    assert error < 1e-7  # 2e-2 and more when the step did not know the source
    assert shown > error / 3
    assert own / 4**4 < error / 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "changes"),
    [
        (1e-7, {"t_stop": 5e-4}),
        (4e-6, {"leak.r_on": 20e3, "leak.r_off": 200e3, "leak.tau": 20e-3, "t_stop": 3e-3}),
    ],
)
def test_the_finer_level_refines_every_piece(step, changes):
    neuron = PAPER.replace({**changes, "stimulus": noise(step, changes["t_stop"], 2e-3, 5e-3)})
    error, shown, _ = errors(neuron, min(1e-8, step / 16))
    assert error < 1e-6
    assert shown > error / 3  # it was 0 where the knots are nearer than h/2
    assert shown > 0


@pytest.mark.parametrize("t_stop", [5e-3, 5.03e-3, 5.3e-3])
def test_a_pulse_that_is_cut_off_is_not_the_last_one(t_stop):
    neuron = PAPER.replace({"t_stop": t_stop})
    assert measure(solve_reference(neuron), neuron)["spikes_last_pulse"] == 7


def test_random_designs_against_dop853():
    """Three of the designs of the study, whose judge shares no code with the package."""
    path = Path(__file__).parents[2] / "benchmarks" / "random_reference.py"
    spec = importlib.util.spec_from_file_location("random_reference", path)
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    rng = np.random.default_rng(4)
    for variant in ("ideal", "schmitt", "ideal"):
        neuron = study.draw(rng).replace({"t_stop": 2e-4})
        t_spike, x = study.oracle(neuron, variant, 1e-11)
        waveforms = solve_reference(neuron, variant)
        assert len(t_spike) == len(waveforms.t_spike)
        assert np.abs(waveforms.t_spike - t_spike).max(initial=0) < 1e-9
        assert abs(waveforms["x"][-1] - x) < 1e-6

"""The reference with every memristor model: SciPy, orders, the built-in path, mixed batches."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from model_equations import DEVICES, V_T, equations
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from spicealif import Neuron, solve_reference
from spicealif.design import MODELS, Memristor, StimulusPieces
from spicealif.reference import driver, solve_references

PAPER = driver.KernelParameters(
    leak=Memristor(r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.27, tau=5e-3),
    c=100e-9, r_s=500.0, thermal_voltage=V_T, v_th=0.4, v_low=0.05, r_ds_on=10.0,
)  # fmt: skip


def params_of(name: str, **changes: Any) -> driver.KernelParameters:
    leak = DEVICES[name]
    return dataclasses.replace(PAPER, leak=leak, x_0=leak.x_0, **changes)


def square(n: int, i: float = 1e-3) -> StimulusPieces:
    return StimulusPieces(0.5e-3 * np.arange(2 * n + 1), np.tile([i, 0.0], n), np.zeros(2 * n))


def sine(t_stop: float) -> StimulusPieces:
    sines = np.array([[0.8e-3, 700.0, 0.3, 0.0]])
    return StimulusPieces(np.array([0.0, t_stop]), np.array([3e-4]), np.zeros(1), sines)


def run(params: driver.KernelParameters, pieces: StimulusPieces, variant: Any, h: float, **more):
    return driver.integrate(
        params, pieces, variant=variant, t_stop=float(pieces.t[-1]), h=h, **more
    )


def oracle(q: driver.KernelParameters, pieces: StimulusPieces, variant: str):
    """Return spike times and final (v_c, x) by DOP853, restarted at corners and events.

    Its states are v_mem and x, so that no implicit equation is solved but at a reset.
    """
    device = equations(q.leak)

    def v_c(y):
        return q.v_rest + y[0] + q.r_s * device(y[0], y[1])[0]

    def v_mem(v, x):
        u = v - q.v_rest
        if u == 0.0:
            return 0.0
        return brentq(lambda m: m + q.r_s * device(m, x)[0] - u, min(u, 0), max(u, 0), xtol=1e-16)

    (t, y, phase, due, spikes) = (0.0, np.array([0.0, q.x_0]), "integrate", 0.0, [])
    for k in range(pieces.i.size):
        end = pieces.t[k + 1]
        while t < end:

            def rhs(t, y, k=k, phase=phase):
                i_in = pieces.i[k] + sum(
                    a * math.sin(2 * math.pi * f * t + angle) for a, f, angle, _ in pieces.sines
                )
                (i, i_v, i_x, dx) = device(y[0], y[1])
                dv = (i_in - i) / q.c
                if phase in ("discharge", "delay off"):
                    dv -= v_c(y) / (q.r_ds_on * q.c)
                if phase == "held":
                    dv = 0.0
                return [(dv - q.r_s * i_x * dx) / (1 + q.r_s * i_v), dx]

            sign = {"integrate": 1.0, "discharge": -1.0}.get(phase, 0.0)

            def watch(t, y, sign=sign):
                return sign * (y[0] - (q.v_th if sign > 0 else q.v_low))

            (watch.terminal, watch.direction) = (True, 1.0)
            stop = end if sign else min(end, due)
            crossed = watch(t, y) >= 1e-12
            if not crossed and stop > t:
                longest = 0.4e-6 if phase in ("discharge", "delay off") else 5e-6
                s = solve_ivp(
                    rhs, (t, stop), y, "DOP853", events=watch if sign else None,
                    max_step=longest, rtol=2e-13, atol=1e-15,
                )  # fmt: skip
                (t, y) = (s.t[-1], s.y[:, -1])
                crossed = s.status == 1
                if crossed:
                    (t, y) = (s.t_events[0][0], s.y_events[0][0])
            if not crossed and (sign or t < due):
                continue
            if phase == "held":
                phase = "integrate"
            elif variant == "ideal":
                spikes.append(t)
                y = np.array([v_mem(q.v_reset, y[1]), y[1]])
                (phase, due) = ("held" if q.t_ref else "integrate", t + q.t_ref)
            else:
                phases = ["integrate", "delay on", "discharge", "delay off", "integrate"]
                phase = phases[phases.index(phase) + 1]
                if phase.startswith("delay"):
                    due = t + (q.delay_on if phase == "delay on" else q.delay_off)
                elif phase == "discharge":
                    spikes.append(t)
    return np.array(spikes), v_c(y), y[1]


RESET = {"v_rest": -0.05, "v_reset": 0.03, "t_ref": 20e-6}
DELAYED = {"delay_on": 3.7e-6, "delay_off": 5.3e-6}


@pytest.mark.parametrize(
    ("name", "variant", "changes", "tolerance"),
    [
        # smooth, or as good as: the reference is of order 4
        ("gmms", "ideal", RESET, 2e-15),
        ("gmms", "ideal", {"r_s": 0.0}, 2e-15),
        ("gmms", "schmitt", DELAYED, 2e-15),
        ("vteam", "ideal", RESET, 5e-14),
        ("vteam", "schmitt", DELAYED, 5e-14),
        # kinks at the thresholds, where the reference is of order 2
        ("yakopcic", "ideal", RESET, 5e-11),
        ("yakopcic", "schmitt", DELAYED, 5e-11),
    ],
)
def test_agrees_with_scipy(name, variant, changes, tolerance):
    q = params_of(name, **changes)
    q = dataclasses.replace(q, v_c_0=q.v_rest)
    (spikes, v_c, x) = oracle(q, square(1), variant)
    result = run(q, square(1), variant, 0.25e-6)
    assert len(spikes) >= 5
    assert len(result.t_spike) == len(spikes)
    np.testing.assert_allclose(result.t_spike, spikes, rtol=0, atol=tolerance)
    assert result.v_c[-1] == pytest.approx(v_c, abs=1e-9)
    assert result.x is not None
    assert result.x[-1] == pytest.approx(x, abs=1e-9)
    assert abs(x - q.x_0) > 1e-3


def errors_of(params, pieces, variant, steps):
    exact = run(params, pieces, variant, 0.05e-6, stride=1000).t_spike
    spikes = [run(params, pieces, variant, h, stride=1000).t_spike for h in steps]
    assert {s.size for s in spikes} == {exact.size}
    assert exact.size > 10
    return np.array([np.abs(s - exact).max() for s in spikes])


STEPS = np.array([8.0, 4.0, 2.0, 1.0, 0.5]) * 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("pieces", [square(4), sine(4e-3)], ids=["square", "sine"])
@pytest.mark.parametrize(("name", "margin"), [("gmms", 0.1), ("vteam", 0.3)])
def test_smooth_models_are_of_order_four(name, margin, pieces, variant):
    error = errors_of(params_of(name), pieces, variant, STEPS)
    assert np.polyfit(np.log(STEPS), np.log(error), 1)[0] == pytest.approx(4.0, abs=margin)
    assert error[3] < 2e-13  # at 1 us


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("name", ["vteam", "yakopcic"])
def test_kinks_leave_order_two(name, variant):
    """Of VTEAM with alpha = 1, and of Yakopcic's model; the errors at 1 us stay below 0.5 ns."""
    params = params_of(name)
    if name == "vteam":
        leak = params.leak.replace({"alpha_on": 1.0, "alpha_off": 1.0, "k_on": 30.0})
        params = dataclasses.replace(params, leak=leak)
    error = errors_of(params, square(4), variant, STEPS)
    assert 1.0 < np.polyfit(np.log(STEPS), np.log(error), 1)[0] < 3.0
    assert error[3] < 0.5e-9


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("r_s", [0.0, 500.0])
def test_function_pointers_give_what_the_built_in_equations_give(monkeypatch, variant, r_s):
    params = dataclasses.replace(PAPER, r_s=r_s, v_rest=-0.02, v_c_0=-0.02, t_ref=3e-6, **DELAYED)
    built_in = run(params, square(5), variant, 1e-6)
    monkeypatch.setattr(driver, "_built_in", lambda leak: False)
    pointers = run(params, square(5), variant, 1e-6)
    assert built_in.t_spike.size > 20
    np.testing.assert_allclose(pointers.t_spike, built_in.t_spike, rtol=0, atol=1e-16)
    same = np.abs(np.diff(built_in.time)) > 1e-12  # rows that are not a pair at a jump
    for name in ("v_c", "v_mem", "x", "energy"):
        (a, b) = (getattr(r, name)[1:][same] for r in (built_in, pointers))
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("name", DEVICES)
def test_resuming_changes_no_bit(monkeypatch, name, variant):
    params = params_of(name, **DELAYED)
    whole = run(params, square(2), variant, 1e-6)
    monkeypatch.setattr(driver, "CHUNK_STEPS", 7)
    monkeypatch.setattr(driver, "MAX_FIRST_ROWS", 3)
    monkeypatch.setattr(driver, "FIRST_SPIKES", 1)
    parts = run(params, square(2), variant, 1e-6)
    assert whole.t_spike.size > 3
    for field in dataclasses.fields(whole):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(parts, field.name))


@pytest.mark.parametrize("name", DEVICES)
def test_branch_equation_holds_at_every_row(name):
    params = params_of(name)
    result = run(params, square(2), "schmitt", 1e-6)
    device = equations(params.leak)
    v_c = [m + params.r_s * device(m, x)[0] for m, x in zip(result.v_mem, result.x, strict=True)]
    np.testing.assert_allclose(v_c, result.v_c, rtol=1e-13, atol=1e-15)
    assert result.v_mem.max() == pytest.approx(0.4, abs=1e-12)


# --- neurons --------------------------------------------------------------------------------------


def neuron_of(paper: Neuron, name: str, **changes: Any) -> Neuron:
    return paper.replace({"leak": DEVICES[name].to_dict(), "t_stop": 3e-3, **changes})


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("name", DEVICES)
def test_neuron_of_each_model_spikes_and_adapts(paper, name, variant):
    neuron = neuron_of(paper, name)
    waveforms = solve_reference(neuron, variant)
    assert len(waveforms.t_spike) > 10
    x = waveforms["x"]
    assert 0.0 <= x.min() < x.max() <= 1.0
    assert x[-1] > x[0]
    first = np.diff(waveforms.t_spike[:2])[0]
    last = waveforms.t_spike[waveforms.t_spike > 2e-3]
    assert np.diff(last[:2])[0] > first  # a rising x takes part of v_c away from v_mem
    # what the default step leaves
    finer = solve_reference(neuron, variant, h=neuron.default_h / 8)
    assert np.abs(waveforms.t_spike - finer.t_spike).max() < 0.2e-9


def test_example_of_every_model_makes_a_neuron(paper):
    """The published devices are not made for this circuit: it need not spike, but it must run."""
    for kind, model in MODELS.items():
        neuron = paper.replace({"leak": {"kind": kind, **model.example}, "t_stop": 1e-3})
        waveforms = solve_reference(neuron)
        assert np.isfinite(waveforms["v_c"]).all()
        assert 0.0 <= waveforms["x"].min() <= waveforms["x"].max() <= 1.0


def test_step_of_a_current_that_the_source_cannot_drive_to_the_threshold(paper):
    """At v_th the device would take 3 kA; the source stops where it takes 1 mA."""
    device = DEVICES["gmms"].replace({"alpha_f": 1e-9, "beta_f": 70.0})
    neuron = paper.replace({"leak": device.to_dict(), "t_stop": 2e-3, "r_s": 100.0})
    assert 1e-8 < neuron.default_h < 1e-6
    waveforms = solve_reference(neuron)
    assert len(waveforms.t_spike) == 0
    finer = solve_reference(neuron, h=neuron.default_h / 4)
    t = np.linspace(0, 2e-3, 100)
    np.testing.assert_allclose(waveforms.at("v_c", t), finer.at("v_c", t), rtol=0, atol=1e-6)
    assert 0.1 < waveforms["v_mem"].max() < 0.3


def test_default_step_follows_the_steepest_current(paper):
    steep = DEVICES["gmms"].replace({"alpha_f": 1e-8, "beta_f": 25.0})
    neuron = paper.replace({"leak": steep.to_dict(), "t_stop": 2e-3})
    slope = 0.8 / 500 + 0.2 * 1e-8 * 25 * math.exp(25 * 0.4)
    slope += 0.2 * 1e-4 * 3 * math.exp(-3 * 0.4)
    assert neuron.default_h == pytest.approx(neuron.c * (1 / slope + neuron.r_s) / 100, rel=1e-9)
    waveforms = solve_reference(neuron, "schmitt")
    finer = solve_reference(neuron, "schmitt", h=neuron.default_h / 8)
    assert len(waveforms.t_spike) > 10
    assert np.abs(waveforms.t_spike - finer.t_spike).max() < 1e-12


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_many_neurons_of_different_models_at_once(paper, variant):
    lif = paper.replace({"leak": {"kind": "resistor", "r": 1000.0}, "t_stop": 2e-3})
    mixed = [neuron_of(paper, name, t_stop=2e-3) for name in DEVICES]
    mixed += [paper.replace(t_stop=2e-3), lif]
    mixed += [neuron.replace({"c": 150e-9}) for neuron in mixed]
    summaries = solve_references(mixed, variant)
    for neuron, summary in zip(mixed, summaries, strict=True):
        alone = solve_reference(neuron, variant)
        assert len(alone.t_spike) > 5
        np.testing.assert_allclose(summary.t_spike, alone.t_spike, rtol=0, atol=1e-12)
        if neuron.leak.kind in DEVICES:  # by the very same kernel
            np.testing.assert_array_equal(summary.t_spike, alone.t_spike)
            assert summary.x_final == alone["x"][-1]

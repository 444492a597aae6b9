"""The batched reference against the single kernel, bit for bit against itself, and on failures."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

from spicealif import Neuron, load_preset
from spicealif.design import Memristor, StimulusPieces, preset_names
from spicealif.errors import IntegrationError, SpicealifError
from spicealif.measures.one_side import measure
from spicealif.reference import solve_reference, solve_references
from spicealif.reference.batch.run import run_jobs
from spicealif.reference.batch.solve import _job
from spicealif.reference.driver import integrate

IDEAL = load_preset("paper").ideal()
DESIGNS = 250  # in each variant


def random_stimulus(rng, t_stop, i, kinds):
    kind = rng.choice(kinds)
    f = rng.uniform(2.0, 12.0) / t_stop
    edge = rng.choice([0.0, 1e-8, 1e-5])
    if kind == "constant":
        return {"kind": kind, "amplitude": i}
    if kind == "step":
        delay = rng.uniform(0.0, 0.3) * t_stop
        return {"kind": kind, "amplitude": i, "delay": delay, "t_rise": edge}
    if kind == "pulse":
        edges = {"t_rise": edge, "t_fall": edge, "offset": rng.choice([0.0, 0.1 * i])}
        return {
            "kind": kind,
            "amplitude": i,
            "frequency": f,
            "duty": rng.uniform(0.3, 0.7),
            **edges,
        }
    if kind == "sine":
        shape = {"phase": rng.uniform(-3.0, 3.0), "delay": rng.choice([0.0, 0.1 * t_stop])}
        return {"kind": kind, "amplitude": 0.6 * i, "offset": 0.6 * i, "frequency": f, **shape}
    if kind == "pwl":
        n = rng.integers(2, 12)
        t = np.sort(rng.uniform(0.0, 1.1 * t_stop, n))
        return {"kind": kind, "t": t.tolist(), "i": (i * rng.uniform(-0.2, 1.3, n)).tolist()}
    terms = [random_stimulus(rng, t_stop, 0.65 * i, kinds[:-1]) for _ in range(rng.integers(2, 4))]
    return {"kind": kind, "terms": terms}


def random_neuron(rng) -> Neuron:
    """Return a valid neuron that usually fires, over decades of resistance, time and current."""
    kinds = ["constant", "step", "pulse", "sine", "pwl", "sum"]
    while True:
        r_on = 10.0 ** rng.uniform(2.3, 4.0)
        r_s = rng.choice([0.0, rng.uniform(0.0, 1.0) * r_on])
        c = 10.0 ** rng.uniform(-8.5, -6.5)
        tau_m = c * (r_on + r_s)
        leak = {"kind": "resistor", "r": r_on}
        if rng.random() < 0.8:
            leak = {
                "kind": "mms", "r_on": r_on, "r_off": r_on * rng.uniform(1.5, 30.0),
                "v_on": rng.uniform(0.1, 0.5), "v_off": rng.uniform(-0.2, 0.5),
                "tau": tau_m * 10.0 ** rng.uniform(0.0, 2.0), "x_0": rng.choice([0.0, 0.3]),
            }  # fmt: skip
        v_th = rng.uniform(0.15, 0.8)
        t_stop = tau_m * rng.uniform(10.0, 60.0)
        changes = {
            "leak": leak, "c": c, "r_s": r_s, "v_th": v_th, "t_stop": t_stop,
            "v_low": v_th * rng.uniform(0.08, 0.5), "v_reset": rng.choice([0.0, 0.2 * v_th]),
            "t_ref": rng.choice([0.0, 0.3 * tau_m]), "temperature": rng.uniform(250.0, 400.0),
            "stimulus": random_stimulus(rng, t_stop, v_th / r_on * rng.uniform(1.05, 4.0), kinds),
        }  # fmt: skip
        try:
            return IDEAL.replace(changes)
        except SpicealifError:
            continue  # a discharge that the current holds up


@pytest.fixture(scope="module")
def designs() -> list[Neuron]:
    rng = np.random.default_rng(20260807)
    presets = [load_preset(name) for name in preset_names()]
    return presets + [random_neuron(rng) for _ in range(DESIGNS)]


def same(a, b) -> bool:
    """Return whether two summaries agree in every bit."""
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a)]
    return all(np.array_equal(p, q, equal_nan=True) if p is not None and not isinstance(p, str)
               else p == q for p, q in pairs)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_spikes_are_those_of_the_single_kernel(designs, variant):
    spikes = 0
    for neuron, summary in zip(designs, solve_references(designs, variant), strict=True):
        w = solve_reference(neuron, variant)
        assert summary.error is None
        assert summary.n_steps == w.attrs["n_steps"]
        assert len(summary.t_spike) == len(w.t_spike)
        np.testing.assert_allclose(summary.t_spike, w.t_spike, rtol=0, atol=1e-12)
        # v_c falls within nanoseconds in a discharge, where the rounding of an absolute time shows
        v_c = 1e-11 if variant == "ideal" else 1e-8
        assert summary.v_c_final == pytest.approx(w["v_c"][-1], abs=v_c)
        assert summary.v_c_peak == pytest.approx(w["v_c"].max(), abs=v_c)
        assert summary.energy_source == pytest.approx(w.attrs["energy_source"], rel=1e-9)
        if isinstance(neuron.leak, Memristor):
            assert summary.x_final == pytest.approx(w["x"][-1], abs=1e-10)
        else:
            assert math.isnan(summary.x_final)
        spikes += len(w.t_spike)
    assert spikes > 10_000


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_no_bit_depends_on_neighbours_order_or_threads(designs, variant):
    some = designs[:90]
    together = solve_references(some, variant, threads=1)
    rng = np.random.default_rng(5)
    order = rng.permutation(len(some))
    shuffled = solve_references([some[k] for k in order], variant, threads=3)
    for place, k in enumerate(order):
        assert same(shuffled[place], together[k])
    for k in (0, 1, 2, 17, 44):
        assert same(solve_references([some[k]], variant)[0], together[k])


def test_no_bit_depends_on_when_the_kernel_pauses(designs, monkeypatch):
    whole = solve_references(designs[:70])
    monkeypatch.setattr("spicealif.reference.batch.run.ROUNDS", 7)
    monkeypatch.setattr("spicealif.reference.batch.run.SPIKES", 1030)
    for a, b in zip(solve_references(designs[:70]), whole, strict=True):
        assert same(a, b)


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
def test_measures_are_those_of_the_traces(designs, variant):
    some = designs[:40]
    for neuron, summary in zip(some, solve_references(some, variant), strict=True):
        found = measure(summary.waveforms(neuron), neuron)
        expected = measure(solve_reference(neuron, variant), neuron)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-7, atol=1e-10, err_msg=name)


def job(variant="ideal", **changes):
    """Return the paper's neuron over 2 ms with parameters that a `Neuron` would refuse."""
    plain = _job(load_preset("paper").replace({"t_stop": 2e-3}), variant, 1e-6)
    return dataclasses.replace(plain, params=dataclasses.replace(plain.params, **changes))


def error_alone(j):
    with pytest.raises(IntegrationError) as caught:
        integrate(j.params, j.pieces, variant=j.variant, t_stop=float(j.pieces.t[-1]), h=j.h)
    return str(caught.value)


def test_one_that_fails_does_not_disturb_the_others():
    good = job()
    endless = job(v_reset=3.0)
    wrong = job(c=-1.0)
    long = StimulusPieces(np.array([0.0, 50.0]), np.array([1e-3]), np.zeros(1))
    far = dataclasses.replace(job(v_th=1e9), pieces=long, h=5e-3)
    out = run_jobs([good, endless, wrong, far, good], 1)
    assert [o.error is None for o in out] == [True, False, False, False, True]
    assert out[1].error == error_alone(endless)
    assert out[2].error == error_alone(wrong)
    assert "diverged" in out[3].error
    assert "diverged" in error_alone(far)
    alone = run_jobs([good], 1)[0]
    for o in (out[0], out[4]):
        np.testing.assert_array_equal(o.t_spike, alone.t_spike)
        assert (o.v_c, o.energy, o.n_steps) == (alone.v_c, alone.energy, alone.n_steps)


def test_a_discharge_without_end_is_given_up(monkeypatch):
    for module in ("batch.run", "driver"):
        monkeypatch.setattr(f"spicealif.reference.{module}.MAX_STEPS", 10_000)
    latched = job("schmitt", v_low=-0.01, r_ds_on=1e-3)
    (out, good) = run_jobs([latched, job("schmitt")], 1)
    assert "too many steps" in out.error
    assert (len(out.t_spike), out.n_steps, good.error) == (1, 20_001, None)


@pytest.mark.parametrize("delays", [(0.0, 0.0), (3.7e-6, 5.3e-6), (90e-6, 120e-6), (0.0, 5e-6)])
def test_delays_of_the_switch(delays):
    j = job("schmitt", delay_on=delays[0], delay_off=delays[1])
    (out,) = run_jobs([j], 1)
    result = integrate(j.params, j.pieces, variant="schmitt", t_stop=2e-3, h=1e-6)
    assert len(result.t_spike) > 2
    np.testing.assert_allclose(out.t_spike, result.t_spike, rtol=0, atol=1e-14)
    assert out.n_steps == result.n_steps
    assert out.v_c_peak == pytest.approx(result.v_c.max(), abs=1e-9)


def test_start_above_the_threshold_and_huge_steps():
    for j in (job(v_c_0=2.0), dataclasses.replace(job(v_th=0.05), h=2e-4)):
        (out,) = run_jobs([j], 1)
        result = integrate(j.params, j.pieces, variant="ideal", t_stop=2e-3, h=j.h)
        np.testing.assert_allclose(out.t_spike, result.t_spike, rtol=0, atol=1e-14)


@pytest.mark.parametrize("v_off", [0.27, -0.27, 2.0, 5.0, -5.0])
def test_exponents_within_and_beyond_the_lanes(v_off):
    leak = IDEAL.leak.replace({"v_off": v_off})
    neuron = load_preset("paper").replace({"leak": leak.to_dict(), "t_stop": 3e-3})
    (summary,) = solve_references([neuron])
    w = solve_reference(neuron)
    assert len(w.t_spike) > 5
    np.testing.assert_allclose(summary.t_spike, w.t_spike, rtol=0, atol=1e-14)
    assert summary.x_final == pytest.approx(w["x"][-1], abs=1e-12)


def test_more_sines_than_a_lane_has_room_for():
    terms = [{"kind": "sine", "amplitude": 1e-4, "offset": 1e-4, "frequency": 500.0 * (k + 1)}
             for k in range(9)]  # fmt: skip
    paper = load_preset("paper").replace({"t_stop": 3e-3})
    nine = paper.replace({"stimulus": {"kind": "sum", "terms": terms}})
    eight = paper.replace({"stimulus": {"kind": "sum", "terms": terms[:8]}})
    for neuron, summary in zip((nine, eight), solve_references([nine, eight]), strict=True):
        np.testing.assert_allclose(
            summary.t_spike, solve_reference(neuron).t_spike, rtol=0, atol=1e-14
        )


def test_options(paper):
    neuron = paper.replace({"t_stop": 1e-3})
    seen = []
    (summary,) = solve_references([neuron], h=2e-6, progress=seen.append)
    w = solve_reference(neuron, h=2e-6)
    assert (summary.h, summary.n_steps, seen[-1]) == (2e-6, w.attrs["n_steps"], 1.0)
    assert summary.waveforms(neuron).attrs == {**w.attrs, "energy_source": summary.energy_source}
    assert solve_references([]) == []
    for options in ({"variant": "euler"}, {"h": 0.0}, {"h": math.nan}, {"threads": 0}):
        with pytest.raises(IntegrationError):
            solve_references([neuron], **options)
    failed = dataclasses.replace(summary, error="The solution diverged; choose a smaller h.")
    with pytest.raises(IntegrationError, match="diverged"):
        failed.waveforms(neuron)


def test_import_stays_light():
    code = "import sys, spicealif.reference; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

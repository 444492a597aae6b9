"""A reservoir without synapses is a bank; with them it is the network that it writes out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from spicealif.errors import DesignError, IntegrationError, SpicealifWarning
from spicealif.learning import AlifBank, AlifReservoir
from spicealif.learning import _reservoir_runs as module
from spicealif.learning.encoding import ENCODINGS
from spicealif.learning.trains import spike_trains
from spicealif.network import (
    CurrentSynapse,
    DiodeSynapse,
    load_network_preset,
    run_network,
    solve_network,
)

RNG = np.random.default_rng(5)
SERIES = RNG.normal(size=(4, 2, 9))
FLAT = RNG.uniform(-1, 3, size=(4, 3))


@pytest.mark.parametrize("variant", ["ideal", "schmitt"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_without_synapses_it_is_a_bank(encoding, variant):
    x = SERIES if encoding in ("series", "steps") else FLAT
    both = {
        "n_neurons": 6, "duration": "2m", "i_high": "2m", "encoding": encoding, "windows": 3,
        "features": ("count", "t_first", "isi_mean", "x_last"), "random_state": 4,
        "spread": {"leak.tau": ("1m", "9m"), "c": ("80n", "120n")}, "variant": variant,
    }  # fmt: skip
    bank = AlifBank(**both).fit(x)
    reservoir = AlifReservoir(**both, synapse=None, cache=None).fit(x)
    one, other = bank.solve(x), reservoir.solve(x)
    assert one.counts.sum() > 100
    for k in range(4):
        for j in range(6):
            ours, theirs = other.t_spike(k, j), one.t_spike(k, j)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    ours = reservoir.features_of(other)
    np.testing.assert_allclose(ours, bank.features_of(one), rtol=1e-9, atol=1e-12)
    # The neurons of a network share the shortest of their steps.
    whole = run_network(reservoir.network_of(x[:1]), sides=("reference",), variant=variant)
    for j, train in enumerate(whole.reference.t_spike):
        np.testing.assert_allclose(train, one.t_spike(0, j), rtol=0, atol=1e-10)


WRITTEN = {
    "currents": {"spread": {"c": ("80n", "120n")}},
    "steps": {"encoding": "steps"},
    "crossbar": {"input": "crossbar", "encoding": "rate", "i_low": "0.3m"},
    "crossbar over time": {"input": "crossbar", "encoding": "series", "rate_high": "20k"},
    "preset": {"network": "ring"},
    "preset with sources": {"network": "balanced", "variant": "schmitt", "mixing": "random"},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_sample_is_the_network_that_is_written_out(name):
    parameters = WRITTEN[name]
    x = SERIES if parameters.get("encoding") in ("series", "steps") else FLAT
    reservoir = AlifReservoir(
        **{"n_neurons": 6, "duration": "0.5m", "i_high": "2m", "probability": 0.5, "cache": None}
        | parameters
    ).fit(x)
    runs = reservoir.solve(x[:2])
    network = reservoir.network_of(x[1:2])
    assert network.n_synapses > 0
    alone = run_network(network, sides=("reference",), variant=reservoir.variant_).reference
    assert sum(map(len, alone.t_spike)) > 10
    for j, train in enumerate(alone.t_spike):
        np.testing.assert_array_equal(runs.t_spike(1, j), train)
    np.testing.assert_array_equal(runs.x_last[1], alone.x_end)


def test_the_circuit_is_the_circuit():
    x = FLAT[:, :2]
    reservoir = AlifReservoir(
        n_neurons=2, duration="0.3m", i_high="3m", synapse="diode", inhibitory=0, probability=1,
        features=("count", "energy"), backend="equations", cache=None, i_low="1m",
    ).fit(x)  # fmt: skip
    runs = reservoir.solve(x[:1])
    alone = solve_network(reservoir.network_of(x[:1]))
    assert runs.counts.sum() > 4
    for j in range(2):
        np.testing.assert_array_equal(runs.t_spike(0, j), alone.t_spike[j])
    np.testing.assert_array_equal(reservoir.features_of(runs)[0, 1::2], alone.energy)


@pytest.mark.slow
def test_ngspice_counts_what_the_equations_count():
    x = FLAT[:, :2]
    reservoir = AlifReservoir(
        n_neurons=3, duration="0.5m", i_high="2m", probability=0.7, backend="equations",
        cache=None, random_state=1,
    ).fit(x)  # fmt: skip
    assert reservoir.network_of(x[:1]).n_synapses > 1
    spice = reservoir.with_(backend="ngspice").transform(x[:1])
    assert spice.max() > 5
    np.testing.assert_array_equal(spice, reservoir.transform(x[:1]))


@pytest.mark.slow
def test_processes_change_no_bit(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_STARTING", 0.0)
    monkeypatch.setattr(module, "_JOB", 1e-9)  # a sample in each job
    x = RNG.uniform(size=(5, 2))
    parameters = {"n_neurons": 4, "duration": "1m", "probability": 0.5}
    one = AlifReservoir(**parameters, cache=None).fit(x)
    two = one.with_(n_jobs=2, cache=tmp_path)
    np.testing.assert_array_equal(one.solve(x).times, two.solve(x).times)
    assert len(list(tmp_path.rglob("*.kept"))) == 5


def test_what_was_interrupted_goes_on(tmp_path, monkeypatch):
    x = np.linspace(0, 1, 6)[:, None]
    reservoir = AlifReservoir(n_neurons=3, duration="0.2m", cache=tmp_path).fit(x)

    def stop(fraction):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reservoir.with_(progress=stop).transform(x)
    assert len(list(tmp_path.rglob("*.kept"))) == 4
    solved = []
    real = module._solved
    monkeypatch.setattr(module, "_solved", lambda *a: solved.append(1) or real(*a))
    whole = reservoir.transform(x)
    assert len(solved) == 2
    np.testing.assert_array_equal(whole, reservoir.with_(cache=None).transform(x))


def test_what_takes_long_is_told_before(monkeypatch):
    monkeypatch.setattr(module, "_LONG", 0.0)
    reservoir = AlifReservoir(n_neurons=3, duration="0.2m", cache=None).fit(FLAT)
    with pytest.warns(SpicealifWarning, match=r"3 samples that are left .* n_jobs=1"):
        reservoir.transform(FLAT)


def test_trains_have_the_integral_of_their_rate():
    u = np.vstack([RNG.uniform(size=7), np.zeros(7), np.linspace(0, 1, 7)])
    trains = spike_trains(u, "series", 50e3, 3e-3)
    t = np.linspace(0, 3e-3, 300_001)
    for row, train in zip(u, trains, strict=True):
        rate = 50e3 * np.interp(t, np.linspace(0, 3e-3, 7), row)
        whole = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(t))])
        assert len(train) == np.floor(whole[-1] + 0.5)
        np.testing.assert_allclose(np.interp(train, t, whole), np.arange(len(train)) + 0.5,
                                   atol=1e-4)  # fmt: skip
    (held,) = spike_trains(np.array([[1.0, 0.5]]), "steps", 10e3, 1e-3)
    np.testing.assert_allclose(held, [50e-6, 150e-6, 250e-6, 350e-6, 450e-6, 600e-6, 800e-6])
    (even,) = spike_trains(np.array([[0.5]]), "rate", 8e3, 1e-3)
    np.testing.assert_allclose(even, np.array([125, 375, 625, 875]) * 1e-6)
    first, none = spike_trains(np.array([[0.75], [0.0]]), "first-spike", 8e3, 1e-3)
    assert (first.tolist(), none.tolist()) == ([0.25e-3], [])


def test_the_crossbar_brings_the_stated_current_in_the_mean():
    x = np.zeros((2, 40))
    x[1] = 1
    reservoir = AlifReservoir(
        n_neurons=30, input="crossbar", encoding="rate", i_low="0.1m", duration="1m", cache=None
    ).fit(x)
    (crossbar,) = (p for p in reservoir.network_.projections if p.synapse.kind == "crossbar"
                   and p.target == "exc")  # fmt: skip
    source = reservoir.network_.sources[0]
    charge = crossbar.synapse.gain * crossbar.conductance.array * source.v_high * source.t_pulse
    assert (charge.sum(axis=0) * 4e3).mean() == pytest.approx(0.9e-3, rel=0.03)
    own = AlifReservoir("crossbar-8x8", input="crossbar", encoding="rate", cache=None)
    x = RNG.uniform(size=(2, 8))
    assert own.fit(x).transform(x).shape == (2, 8)
    assert len(own.network_.projections) == 1
    with pytest.raises(ValueError, match="8 sources and the samples have 3 inputs"):
        own.fit(FLAT)


def test_in_a_pipeline_with_pandas_and_names():
    x = pd.DataFrame(RNG.uniform(size=(30, 2)), columns=["length", "width"])
    y = (x["length"] > x["width"]).astype(int)
    reservoir = AlifReservoir(n_neurons=5, duration="1m", i_high="2m", cache=None)
    out = reservoir.set_output(transform="pandas").fit_transform(x)
    assert list(out.columns) == ["exc_0_count", "exc_1_count", "exc_2_count", "exc_3_count",
                                 "inh_0_count"]  # fmt: skip
    assert make_pipeline(reservoir, RidgeClassifier()).fit(x, y).score(x, y) > 0.7
    other = AlifReservoir(n_neurons=5, duration="1m", i_high="2m", cache=None, random_state=1)
    assert not np.array_equal(other.fit_transform(x), out)


CROSSBAR = {"input": "crossbar", "encoding": "rate"}
WRONG = {
    "input": ({"input": "light"}, ValueError, "no input"),
    "mixing": ({"mixing": "some"}, ValueError, "no mixing"),
    "encoding": ({"input": "crossbar"}, ValueError, "with input='crossbar'; .* rate, first"),
    "energy": ({"features": ("energy",)}, ValueError, "reference does not say energy"),
    "x": ({"features": ("x_last",), "backend": "ngspice"}, ValueError, "does not say x_last"),
    "network": ({"network": "rign"}, DesignError, "neither a network preset"),
    "spread": ({"network": "ring", "spread": {"c": (1, 2)}}, ValueError, "leave spread out"),
    "direct": ({"mixing": "direct"}, ValueError, "20 neurons for 3 inputs"),
    "none": ({"n_neurons": None}, ValueError, "n_neurons is None"),
    "sign": ({"synapse": "diode"}, ValueError, "cannot inhibit"),
    "synapse": ({"synapse": "memristor"}, DesignError, "from its name alone"),
    "no synapse": ({"synapse": 3}, DesignError, "give the name of a kind"),
    "share": ({"inhibitory": 2}, ValueError, "share from 0 to 1"),
    "rate": (CROSSBAR | {"rate_high": "1M"}, DesignError, "lower rate"),
    "unit": ({"rate_high": "1 s"}, IntegrationError, "rate_high"),
    "weight": ({"weight": "1k ohm"}, DesignError, "weight"),
    "factor": ({"synapse": CurrentSynapse(tau_s=1e-4, g_m=1e-4)}, ValueError, "inhibition multip"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parameters_are_a_sentence(name):
    parameters, kind, said = WRONG[name]
    with pytest.raises(kind, match=said) as caught:
        AlifReservoir(**parameters, cache=None).fit(FLAT)
    assert "\n" not in str(caught.value)


def test_a_synapse_of_its_own_and_a_network_file(tmp_path):
    x = FLAT
    own = AlifReservoir(n_neurons=4, synapse=DiodeSynapse(r=3e3), inhibitory=0, cache=None,
                        probability=0.5, duration="0.2m").fit(x)  # fmt: skip
    assert own.network_.projections[0].synapse.r == 3e3
    from spicealif.network import save_network

    path = save_network(load_network_preset("ring"), tmp_path / "mine.toml")
    one, two = (AlifReservoir(n, duration="0.3m", cache=None).fit(x) for n in (path, "ring"))
    np.testing.assert_array_equal(one.transform(x), two.transform(x))


def test_a_sample_that_fails_is_named(monkeypatch):
    reservoir = AlifReservoir(n_neurons=3, duration="0.2m", cache=None).fit(FLAT)

    def fail(*args, **kwargs):
        raise IntegrationError("It diverged; choose a smaller h.")

    monkeypatch.setattr(module, "solve_network_reference", fail)
    with pytest.raises(IntegrationError, match=r"Sample 0, neuron 0.*12 of 12.*It diverged"):
        reservoir.transform(FLAT)

"""The networks that come with spicealif: they load, and something happens in them."""

from __future__ import annotations

import numpy as np
import pytest

from spicealif.circuit import solve_circuit
from spicealif.design import PiecewiseLinear, Sum
from spicealif.errors import DesignError
from spicealif.network import (
    Expanded,
    expand,
    load_network_preset,
    network_preset_names,
)

NAMES = ["balanced", "chain", "crossbar-8x8", "pair", "ring", "winner-take-all"]


def test_there_are_six_and_another_is_refused():
    assert network_preset_names() == NAMES
    with pytest.raises(DesignError, match="There is no network preset 'rong'; choose one of bal"):
        load_network_preset("rong")


@pytest.mark.parametrize(
    ("name", "neurons", "synapses"),
    [
        ("pair", 2, 1), ("ring", 8, 8), ("chain", 8, 7), ("winner-take-all", 4, 12),
        ("balanced", 50, 500), ("crossbar-8x8", 8, 64),
    ],
)  # fmt: skip
def test_each_has_its_size_and_says_whence_its_values_are(name, neurons, synapses):
    network = load_network_preset(name)
    assert (network.n_neurons, network.n_synapses) == (neurons, synapses)
    assert sum(len(s.pre) for s in expand(network).synapses) == synapses
    assert "preset 'paper'" in network.source
    assert network.description


def spikes(expanded: Expanded, k: int, stop: float, *currents: PiecewiseLinear) -> np.ndarray:
    """Return the spikes of one neuron's circuit with more current than its own."""
    neuron = expanded.neurons[k]
    stimulus = Sum(terms=(neuron.stimulus, *currents)) if currents else neuron.stimulus
    return solve_circuit(neuron.replace(stimulus=stimulus, t_stop=stop), interpolation_error=1e-4)


def through_diode(wave, r: float) -> PiecewiseLinear:
    """Return about the current of a diode synapse, 0.7 V across the diode, 0.4 V behind it."""
    return PiecewiseLinear(t=tuple(wave.time), i=tuple(np.maximum(wave["spike"] - 1.1, 0) / r))


def through_low_pass(wave, tau: float, g_m: float, sign: int) -> PiecewiseLinear:
    """Return the current of a current synapse, unsaturated: an exact low-pass of straight lines."""
    t, v = wave.time, wave["spike"]
    v_f = np.empty_like(v)
    v_f[0] = v[0]
    for k, h in enumerate(np.diff(t)):
        decay = np.exp(-h / tau)
        mean = (1 - decay) * tau / h
        v_f[k + 1] = v_f[k] * decay + v[k] * (mean - decay) + v[k + 1] * (1 - mean)
    return PiecewiseLinear(t=tuple(t), i=tuple(sign * g_m * v_f))


@pytest.mark.slow
def test_in_the_pair_the_second_fires_because_of_the_first():
    e = expand(load_network_preset("pair"))
    first = spikes(e, 0, 1e-3)
    assert len(first.t_spike) > 20
    assert len(spikes(e, 1, 1e-3).t_spike) == 0
    driven = spikes(e, 1, 1e-3, through_diode(first, e.synapses[0].values["r"][0]))
    assert len(driven.t_spike) > 3


@pytest.mark.slow
def test_in_the_chain_spikes_are_handed_on():
    e = expand(load_network_preset("chain"))
    s = e.synapses[0]
    wave, stop = spikes(e, 0, 1e-3), 1e-3
    assert len(spikes(e, 1, stop).t_spike) == 0
    counts = [len(wave.t_spike)]
    for k in range(1, 4):
        current = through_low_pass(wave, s.synapse.tau_s, s.values["g_m"][k - 1], s.synapse.sign)
        wave = spikes(e, k, stop, current)
        counts.append(len(wave.t_spike))
    assert counts[0] >= counts[1] >= counts[2] >= counts[3] > 4


@pytest.mark.slow
def test_the_winner_silences_the_others():
    e = expand(load_network_preset("winner-take-all"))
    s = e.synapses[0]
    alone = [len(spikes(e, k, 2e-3).t_spike) for k in range(4)]
    assert alone == sorted(alone, reverse=True)
    assert alone[3] > 10
    winner = spikes(e, 0, 2e-3)
    inhibition = through_low_pass(winner, s.synapse.tau_s, s.values["g_m"][0], s.synapse.sign)
    for k in (1, 3):
        assert len(spikes(e, k, 2e-3, inhibition).t_spike) <= 2


def test_neurons_of_ring_and_balanced_fire_alone():
    for name in ("ring", "balanced"):
        e = expand(load_network_preset(name))
        counts = [len(spikes(e, k, 1e-3).t_spike) for k in (0, 7)]
        assert min(counts) > 2


def test_in_the_crossbar_the_sources_make_the_difference():
    e = expand(load_network_preset("crossbar-8x8"))
    s, stop = e.synapses[0], 2e-3
    terms = []
    for k in np.flatnonzero(s.post == 0):
        source, times = e.sources[s.pre[k] - len(e.neurons)]
        g = 1 / s.synapse.memristor.resistance(0.1, s.values["device.x_0"][k])
        edges = times[:, None] + np.array([0, source.t_edge, source.t_pulse, 1.01e-6])
        high = np.tile([0, 1, 1, 0], len(times)) * (source.v_high - source.v_low) + source.v_low
        at = np.concatenate([[-1e-9], edges.ravel()]) + 1e-9
        terms.append(PiecewiseLinear(t=tuple(at), i=tuple(g * np.append(source.v_low, high))))
    with_them = len(spikes(e, 0, stop, *terms).t_spike)
    without = len(spikes(e, 0, stop).t_spike)
    assert with_them > 1.5 * without + 3
    # the diagonal is the strongest of each column
    g = s.projection.conductance.array
    assert np.array_equal(g.argmax(axis=0), np.arange(8))

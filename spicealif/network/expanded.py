"""The network neuron by neuron and synapse by synapse: what every side computes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.network.build import neuron_maker, stream
from spicealif.network.description import Network, Projection, SpikeSource
from spicealif.network.pulse import nominal_pulse
from spicealif.network.synapses import Synapse

__all__ = ["Expanded", "Synapses", "expand", "pulses"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of one projection.

    Attributes
    ----------
    projection : Projection
    synapse : Synapse
        The kind and the parameters that all have.
    pre : ndarray of int, shape (m,)
        Presynaptic neuron; indices from ``len(neurons)`` on are spike sources.
    post : ndarray of int, shape (m,)
        Postsynaptic neuron.
    values : mapping of str to ndarray, shape (m,)
        Parameters that differ from connection to connection, SI units, by dotted name.
    delay : ndarray, shape (m,)
        In s.
    """

    projection: Projection
    synapse: Synapse
    pre: _Ints
    post: _Ints
    values: Mapping[str, _Floats]
    delay: _Floats


@dataclass(frozen=True, eq=False)
class Expanded:
    """All neurons, sources and synapses of a network.

    Attributes
    ----------
    network : Network
    neurons : tuple of Neuron
        Every neuron's own design, with the network's ``t_stop``.
    names : tuple of str
        Their names, such as ``"exc_3"``, then those of the sources.
    sources : tuple of (SpikeSource, ndarray)
        Each single source with its spike times in s.
    synapses : tuple of Synapses
        One for each projection.
    """

    network: Network
    neurons: tuple[Neuron, ...]
    names: tuple[str, ...]
    sources: tuple[tuple[SpikeSource, _Floats], ...]
    synapses: tuple[Synapses, ...]


def expand(network: Network) -> Expanded:
    """Return a network neuron by neuron and synapse by synapse; the same for the same seed.

    Neurons of a population that do not differ are one object, and those that do share all parts in
    which they do not: a neuron that differs costs about 1 ms, one that does not nothing.

    Parameters
    ----------
    network : Network

    Raises
    ------
    DesignError
        If a neuron's values make no working neuron; the sentence names it.
    """
    neurons: list[Neuron] = []
    names: list[str] = []
    sources: list[tuple[SpikeSource, _Floats]] = []
    first: dict[str, int] = {}
    for index, population in enumerate(network.populations):
        first[population.name] = len(neurons)
        make = neuron_maker(population, network.t_stop, network.seed, index)
        neurons += [make(k) for k in range(population.size)]
        names += [f"{population.name}_{k}" for k in range(population.size)]
    for index, source in enumerate(network.sources):
        first[source.name] = len(neurons) + len(sources)
        trains = source.trains(network.t_stop, network.seed, index)
        sources += [(source, train) for train in trains]
        names += [f"{source.name}_{k}" for k in range(source.size)]
    known: dict[int, tuple[float, float]] = {}
    synapses = []
    for index, projection in enumerate(network.projections):
        pre_of, post_of = (
            network.population(projection.source),
            network.population(projection.target),
        )
        rng = np.random.Generator(np.random.PCG64(stream(network.seed, 1, index)))
        pre, post = projection.connector.pairs(
            pre_of.size, post_of.size, projection.source == projection.target, rng
        )
        values: dict[str, _Floats] = {}
        delay = projection.picked(projection.delay, pre, post)
        weights = None
        if projection.weight is not None:
            unit, given = projection.weight
            weights = projection.picked(given, pre, post)
            there = weights > 0  # a conductance or a charge of 0 is no synapse
            if not there.all():
                pre, post, weights, delay = pre[there], post[there], weights[there], delay[there]
        pre, post = pre + first[projection.source], post + first[projection.target]
        if projection.weight is not None:
            swing, t_pulse = _pulses(neurons, sources, pre, known)
            name, each = projection.synapse.weighted(unit, weights, swing=swing, t_pulse=t_pulse)
            values[name] = np.asarray(each, dtype=float)
        synapses.append(Synapses(projection, projection.synapse, pre, post, values, delay))
    return Expanded(network, tuple(neurons), tuple(names), tuple(sources), tuple(synapses))


def pulses(expanded: Expanded, pre: _Ints) -> tuple[_Floats, _Floats]:
    """Return the heights in V and durations in s of presynaptic outputs' pulses.

    Parameters
    ----------
    expanded : Expanded
    pre : ndarray of int, shape (m,)
        Neurons and sources.

    Returns
    -------
    swing, t_pulse : ndarray, shape (m,)
        See `nominal_pulse`; each distinct neuron's is computed once.
    """
    return _pulses(expanded.neurons, expanded.sources, pre, {})


def _pulses(
    neurons: Sequence[Neuron],
    sources: Sequence[tuple[SpikeSource, _Floats]],
    pre: _Ints,
    known: dict[int, tuple[float, float]],
) -> tuple[_Floats, _Floats]:
    distinct, place = np.unique(pre, return_inverse=True)
    both = np.empty((len(distinct), 2))
    for row, k in enumerate(distinct.tolist()):
        if k >= len(neurons):
            source = sources[k - len(neurons)][0]
            both[row] = source.v_high - source.v_low, source.t_pulse
            continue
        neuron = neurons[k]
        if id(neuron) not in known:
            known[id(neuron)] = nominal_pulse(neuron)
        both[row] = known[id(neuron)]
    return both[place, 0], both[place, 1]

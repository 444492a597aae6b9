"""The network neuron by neuron and synapse by synapse: what every side computes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.network.description import Network, Projection, SpikeSource
from spicealif.network.synapses import Synapse

__all__ = ["Expanded", "Synapses", "expand"]

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
    """Return a network neuron by neuron and synapse by synapse; the same for the same seed."""
    neurons: list[Neuron] = []
    names: list[str] = []
    sources: list[tuple[SpikeSource, _Floats]] = []
    first: dict[str, int] = {}
    for population in network.populations:
        first[population.name] = len(neurons)
        for k in range(population.size):
            changes = {name: values[k] for name, values in population.parameters.items()}
            neurons.append(population.neuron.replace({**changes, "t_stop": network.t_stop}))
            names.append(f"{population.name}_{k}")
    for source in network.sources:
        first[source.name] = len(neurons) + len(sources)
        for k in range(source.size):
            sources.append((source, np.array(source.times[k], dtype=float)))
            names.append(f"{source.name}_{k}")
    synapses = []
    rng = np.random.Generator(np.random.PCG64(network.seed))
    for projection in network.projections:
        pre_of, post_of = (
            network.population(projection.source),
            network.population(projection.target),
        )
        pre, post = projection.connector.pairs(
            pre_of.size, post_of.size, projection.source == projection.target, rng
        )
        values: dict[str, _Floats] = {}
        for unit in ("conductance", "resistance", "charge"):
            given = getattr(projection, unit)
            if given is not None:
                name, each = projection.synapse.weighted(
                    unit, np.asarray(given, dtype=float), swing=3.78, t_pulse=1e-6
                )
                values[name] = np.broadcast_to(np.asarray(each, dtype=float), pre.shape).copy()
        delay = np.broadcast_to(np.asarray(projection.delay, dtype=float), pre.shape).copy()
        synapses.append(
            Synapses(
                projection, projection.synapse, pre + first[projection.source],
                post + first[projection.target], values, delay,
            )
        )  # fmt: skip
    return Expanded(network, tuple(neurons), tuple(names), tuple(sources), tuple(synapses))

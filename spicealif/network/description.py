"""The network: populations of neurons, sources of spikes, and projections between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from spicealif.design import Neuron
from spicealif.design._base import Identifier, Part, Second, Volt
from spicealif.network.connectors import AnyConnector
from spicealif.network.synapses import AnySynapse

__all__ = ["Network", "Population", "Projection", "SpikeSource"]


class Population(Part):
    """Neurons of one design.

    Attributes
    ----------
    name : str
    neuron : Neuron
        The design; its ``t_stop`` is the network's.
    size : int
    parameters : mapping of str to sequence of float
        What differs from neuron to neuron, by dotted name, such as ``"stimulus.high"``: as many
        numbers as there are neurons, SI units.
    """

    name: Identifier = Field(description="letters, digits and underscores")
    neuron: Neuron
    size: int = Field(ge=1, le=1_000_000)
    parameters: Mapping[str, tuple[float, ...]] = Field(default={})


class SpikeSource(Part):
    """Sources that give pulses at stated times; neurons that nothing acts upon.

    Attributes
    ----------
    name : str
    size : int
    times : sequence of sequence of float
        Spike times in s of each source.
    t_pulse : float
        Duration of a pulse at half its height in s.
    t_edge : float
        Duration of its edges in s.
    v_high, v_low : float
        Levels in V.
    """

    name: Identifier = Field(description="letters, digits and underscores")
    size: int = Field(ge=1, le=1_000_000)
    times: tuple[tuple[float, ...], ...] = Field(default=())
    t_pulse: Second = Field(default=1e-6, gt=0)
    t_edge: Second = Field(default=10e-9, gt=0)
    v_high: Volt = Field(default=3.8)
    v_low: Volt = Field(default=0.018)


class Projection(Part):
    """Synapses of one kind from a population or sources to a population.

    Attributes
    ----------
    source, target : str
        Names; the source may be a `SpikeSource`.
    synapse : Synapse
    connector : connector
    conductance, resistance, charge : float or sequence of float, optional
        The weights, in S, ohm or C: at most one of the three, one number or one for each
        connection in the connector's order. Without any the synapse's own parameters hold.
    delay : float or sequence of float
        In s; of the references only.
    """

    source: Identifier
    target: Identifier
    synapse: AnySynapse
    connector: AnyConnector
    conductance: float | tuple[float, ...] | None = Field(default=None)
    resistance: float | tuple[float, ...] | None = Field(default=None)
    charge: float | tuple[float, ...] | None = Field(default=None)
    delay: float | tuple[float, ...] = Field(default=0.0)


class Network(Part):
    """Neurons and what joins them.

    Attributes
    ----------
    name : str
    description, source : str
        For people.
    populations : sequence of Population
    sources : sequence of SpikeSource
    projections : sequence of Projection
    t_stop : float
        Length of the run in s.
    seed : int
        Of all that is drawn.
    """

    name: Identifier = Field(default="network")
    description: str = Field(default="", max_length=2000)
    source: str = Field(default="", max_length=2000)
    populations: tuple[Population, ...]
    sources: tuple[SpikeSource, ...] = Field(default=())
    projections: tuple[Projection, ...] = Field(default=())
    t_stop: Second = Field(gt=0)
    seed: int = Field(default=0, ge=0)

    def population(self, name: str) -> Any:
        """Return a population or spike source by name."""
        both: tuple[Any, ...] = (*self.populations, *self.sources)
        return next(p for p in both if p.name == name)

"""What the measures of a network are called, and those of a population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from spicealif.measures.one_side import Measure

__all__ = ["NETWORK_MEASURES", "PopulationMeasures"]

#: Every measure of the network as a whole, by its name in `NetworkMeasures.of_network`.
NETWORK_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "rate": Measure("mean rate", "Hz"),
        "cv": Measure("mean CV of intervals"),
        "latency": Measure("mean time to the first spike", "s"),
        "synchrony": Measure("synchrony"),
        "van_rossum": Measure("van Rossum distance of pairs (rms)"),
        "propagation_delay": Measure("propagation delay (median)", "s"),
        "energy": Measure("source energy", "J"),
        "energy_per_spike": Measure("source energy per spike", "J"),
        "supply_energy": Measure("supply energy", "J"),
        "supply_energy_per_spike": Measure("supply energy per spike", "J"),
    }
)


@dataclass(frozen=True)
class PopulationMeasures:
    """Means over a population's neurons.

    Attributes
    ----------
    name : str
    size, count : int
        Neurons, and their spikes.
    rate : float
        In Hz.
    cv : float
        Over the neurons that have one; NaN if none has.
    """

    name: str
    size: int
    count: int
    rate: float
    cv: float

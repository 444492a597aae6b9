"""What is measured of a network's spikes: of each neuron, each population and the whole."""

from spicealif.network.measures.measure import (
    NETWORK_MEASURES,
    NetworkMeasures,
    PopulationMeasures,
    measure_network,
)
from spicealif.network.measures.trains import Trains, trains_of

__all__ = [
    "NETWORK_MEASURES",
    "NetworkMeasures",
    "PopulationMeasures",
    "Trains",
    "measure_network",
    "trains_of",
]

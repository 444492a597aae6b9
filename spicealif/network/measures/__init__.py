"""What is measured of a network's spikes: of each neuron, each population and the whole."""

from spicealif.network.measures.measure import (
    NETWORK_MEASURES,
    NetworkMeasures,
    PopulationMeasures,
    check_tau,
    common_tau,
    measure_network,
    together,
)
from spicealif.network.measures.trains import Trains, trains_of

__all__ = [
    "NETWORK_MEASURES",
    "NetworkMeasures",
    "PopulationMeasures",
    "Trains",
    "check_tau",
    "common_tau",
    "measure_network",
    "together",
    "trains_of",
]

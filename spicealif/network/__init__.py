"""Networks of neurons: description, circuit side, reference, netlists, witness."""

from spicealif.network.connectors import AllToAll, FromList, OneToOne
from spicealif.network.description import Network, Population, Projection, SpikeSource
from spicealif.network.expanded import Expanded, Synapses, expand
from spicealif.network.synapses import (
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    JunctionDiode,
    MemristorSynapse,
    Synapse,
)

__all__ = [
    "AllToAll",
    "CrossbarSynapse",
    "CurrentSynapse",
    "DiodeSynapse",
    "Expanded",
    "FromList",
    "JunctionDiode",
    "MemristorSynapse",
    "Network",
    "OneToOne",
    "Population",
    "Projection",
    "SpikeSource",
    "Synapse",
    "Synapses",
    "expand",
]

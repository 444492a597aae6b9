"""Synapses as circuits: each kind one class with its equations, one template, one entry."""

from spicealif.network.synapses._synapse import JunctionDiode, Synapse, WeightKind
from spicealif.network.synapses.choice import AnySynapse
from spicealif.network.synapses.crossbar import CrossbarSynapse
from spicealif.network.synapses.current import CurrentSynapse
from spicealif.network.synapses.diode import DiodeSynapse
from spicealif.network.synapses.memristor import MemristorSynapse
from spicealif.network.synapses.registry import SYNAPSES, load_synapse

__all__ = [
    "SYNAPSES",
    "AnySynapse",
    "CrossbarSynapse",
    "CurrentSynapse",
    "DiodeSynapse",
    "JunctionDiode",
    "MemristorSynapse",
    "Synapse",
    "WeightKind",
    "load_synapse",
]

"""Networks of neurons: description, circuit side, reference, netlists, witness."""

from spicealif.network.arrays import Values
from spicealif.network.connectors import (
    AllToAll,
    Connector,
    FixedInDegree,
    FixedProbability,
    FromList,
    OneToOne,
)
from spicealif.network.description import (
    MAX_SYNAPSES,
    Network,
    Population,
    Projection,
    Scatter,
    SpikeSource,
    StimulusArrays,
    Tolerances,
)
from spicealif.network.expanded import Expanded, Synapses, expand
from spicealif.network.pulse import Pulse, nominal_pulse
from spicealif.network.synapses import (
    SYNAPSES,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    JunctionDiode,
    MemristorSynapse,
    Synapse,
    load_synapse,
)

__all__ = [
    "MAX_SYNAPSES",
    "SYNAPSES",
    "AllToAll",
    "Connector",
    "CrossbarSynapse",
    "CurrentSynapse",
    "DiodeSynapse",
    "Expanded",
    "FixedInDegree",
    "FixedProbability",
    "FromList",
    "JunctionDiode",
    "MemristorSynapse",
    "Network",
    "OneToOne",
    "Population",
    "Projection",
    "Pulse",
    "Scatter",
    "SpikeSource",
    "StimulusArrays",
    "Synapse",
    "Synapses",
    "Tolerances",
    "Values",
    "expand",
    "load_synapse",
    "nominal_pulse",
]

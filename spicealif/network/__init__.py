"""Networks of neurons: description, circuit side, reference, netlists, witness."""

from spicealif.network.arrays import Values
from spicealif.network.budget import NetworkBudget, network_budget
from spicealif.network.certificate import NetworkCertificate, certify_network
from spicealif.network.choices import find_neurons
from spicealif.network.circuit import NetworkSolution, NeuronTraces, solve_network
from spicealif.network.comparison import NetworkComparison, NetworkFigure, compare_networks
from spicealif.network.connectors import (
    AllToAll,
    Connector,
    FixedInDegree,
    FixedProbability,
    FromList,
    OneToOne,
)
from spicealif.network.dataset import to_dataset
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
from spicealif.network.estimate import NetworkEstimate, estimate_network
from spicealif.network.expanded import Expanded, Synapses, expand
from spicealif.network.figures import (
    comparison_figure,
    phase_figure,
    propagation_figure,
    raster_figure,
    weights_figure,
)
from spicealif.network.loading import load_network_run
from spicealif.network.measures import (
    NETWORK_MEASURES,
    NetworkMeasures,
    PopulationMeasures,
    measure_network,
)
from spicealif.network.nir_export import NirExport, export_nir, nir_graph
from spicealif.network.nir_files import import_nir
from spicealif.network.presets import load_network_preset, network_preset_names
from spicealif.network.pulse import Pulse, nominal_pulse
from spicealif.network.reference import NetworkReference, solve_network_reference
from spicealif.network.refinement import Growth, SideError
from spicealif.network.run import NetworkRun, run_network
from spicealif.network.schema import network_schema
from spicealif.network.store import dump_network, load_network, parse_network, save_network
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
    "NETWORK_MEASURES",
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
    "Growth",
    "JunctionDiode",
    "MemristorSynapse",
    "Network",
    "NetworkBudget",
    "NetworkCertificate",
    "NetworkComparison",
    "NetworkEstimate",
    "NetworkFigure",
    "NetworkMeasures",
    "NetworkReference",
    "NetworkRun",
    "NetworkSolution",
    "NeuronTraces",
    "NirExport",
    "OneToOne",
    "Population",
    "PopulationMeasures",
    "Projection",
    "Pulse",
    "Scatter",
    "SideError",
    "SpikeSource",
    "StimulusArrays",
    "Synapse",
    "Synapses",
    "Tolerances",
    "Values",
    "certify_network",
    "compare_networks",
    "comparison_figure",
    "dump_network",
    "estimate_network",
    "expand",
    "export_nir",
    "find_neurons",
    "import_nir",
    "load_network",
    "load_network_preset",
    "load_network_run",
    "load_synapse",
    "measure_network",
    "network_budget",
    "network_preset_names",
    "network_schema",
    "nir_graph",
    "nominal_pulse",
    "parse_network",
    "phase_figure",
    "propagation_figure",
    "raster_figure",
    "run_network",
    "save_network",
    "solve_network",
    "solve_network_reference",
    "to_dataset",
    "weights_figure",
]

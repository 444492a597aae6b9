"""The circuit side of networks: every neuron's equations, joined by waveform relaxation."""

from spicealif.network.circuit.result import NetworkSolution, NeuronTraces
from spicealif.network.circuit.solve import DEFAULT_RTOL, DEFAULT_T_TOL, solve_network

__all__ = [
    "DEFAULT_RTOL",
    "DEFAULT_T_TOL",
    "NetworkSolution",
    "NeuronTraces",
    "solve_network",
]

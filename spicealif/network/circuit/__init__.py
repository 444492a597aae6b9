"""The circuit side of networks: every neuron's equations, joined by waveform relaxation."""

from spicealif.network.circuit.result import NetworkSolution, NeuronTraces
from spicealif.network.circuit.solve import solve_network

__all__ = ["NetworkSolution", "NeuronTraces", "solve_network"]

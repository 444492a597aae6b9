"""The circuit's own differential equations, written out from the design; no SPICE is involved."""

from spicealif.circuit.parameters import ALL_CAUSES, Cause, circuit_parameters
from spicealif.circuit.solve import METHODS, Method, check_method, solve_circuit

__all__ = [
    "ALL_CAUSES",
    "METHODS",
    "Cause",
    "Method",
    "check_method",
    "circuit_parameters",
    "solve_circuit",
]

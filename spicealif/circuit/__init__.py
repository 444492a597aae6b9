"""The circuit's own differential equations, written out from the design; no SPICE is involved."""

from spicealif.circuit.check import (
    Attempt,
    CircuitCheck,
    check_by_finer,
    check_circuit,
    solve_judges,
    with_check,
)
from spicealif.circuit.judged import SPIKE_TIME_ERROR, sharpened, solve_as_judge, spike_movement
from spicealif.circuit.parameters import ALL_CAUSES, Cause, circuit_parameters
from spicealif.circuit.solve import METHODS, Method, check_method, solve_circuit

__all__ = [
    "ALL_CAUSES",
    "METHODS",
    "SPIKE_TIME_ERROR",
    "Attempt",
    "Cause",
    "CircuitCheck",
    "Method",
    "check_by_finer",
    "check_circuit",
    "check_method",
    "circuit_parameters",
    "sharpened",
    "solve_as_judge",
    "solve_circuit",
    "solve_judges",
    "spike_movement",
    "with_check",
]

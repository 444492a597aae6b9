"""SPICE's junction diode, as numba compiles it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from spicealif._support.compiled import njit

__all__ = ["GMIN", "diode_capacitance", "diode_current"]

#: Conductance (S) by which SPICE bridges its junctions.
GMIN = 1e-12
#: SPICE's default: above this part of the built-in voltage its capacitance follows a tangent.
FORWARD = 0.5


@njit(cache=True, error_model="numpy")
def diode_current(v: float, q: Sequence[float], k: int) -> float:
    """Return the current in A at the forward voltage v; q[k:] are `JunctionDiode.numbers`.

    As ngspice documents it: exponential, and beyond -3 n V_t a cubic that tends to -i_s.
    """
    v_t = q[k + 1]
    if v >= -3.0 * v_t:
        i = q[k] * (math.exp(min(v / v_t, 200.0)) - 1.0)
    else:
        i = -q[k] * (1.0 + (3.0 * v_t / (v * math.e)) ** 3)
    return float(i + GMIN * v)


@njit(cache=True, error_model="numpy")
def diode_capacitance(v: float, q: Sequence[float], k: int) -> float:
    """Return the capacitance in F at the forward voltage v: depletion and diffusion."""
    (v_t, m, v_j) = (q[k + 1], q[k + 3], q[k + 4])
    if v < FORWARD * v_j:
        c = q[k + 2] * (1.0 - v / v_j) ** -m
    else:
        c = q[k + 2] * (1.0 - FORWARD) ** (-1.0 - m) * (1.0 - FORWARD * (1.0 + m) + m * v / v_j)
    if v >= -3.0 * v_t:
        c += q[k + 5] * q[k] / v_t * math.exp(min(v / v_t, 200.0))
    return float(c)

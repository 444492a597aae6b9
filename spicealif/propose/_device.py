"""What a device does to the neuron around it, from its model's equations alone."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spicealif.design import MemristorModel

__all__ = ["Branch", "charge_time"]

_HALVINGS = 60


class Branch:
    """A device at a temperature, asked at single voltages and states.

    Parameters
    ----------
    device : MemristorModel
    thermal_voltage : float
        kT/q in V.
    """

    def __init__(self, device: MemristorModel, thermal_voltage: float) -> None:
        self.device = device
        self._q = device.numbers(thermal_voltage)
        self._out = [0.0, 0.0, 0.0]

    def current(self, v: float, x: float) -> float:
        """Return the current in A at the voltage v (V) and the state x."""
        self.device.current(v, x, self._q, self._out)
        return self._out[0]

    def conductance(self, v: float, x: float) -> float:
        """Return di/dv in S."""
        self.device.current(v, x, self._q, self._out)
        return self._out[1]

    def rate(self, v: float, x: float) -> float:
        """Return dx/dt in 1/s."""
        return self.device.rate(v, x, self._q)

    def largest_state(self, v_th: float) -> float:
        """Return the largest x that can occur while v stays at or below v_th (V).

        dx/dt rises with v and falls with x, so x cannot pass the state at which dx/dt is 0 at
        v_th, unless it starts above it.
        """
        low, high = self.device.x_0, 1.0
        if self.rate(v_th, low) <= 0:
            return low
        if self.rate(v_th, high) > 0:
            return high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.rate(v_th, middle) > 0 else (low, middle)
        return high

    def time_constant(self, v: float) -> float:
        """Return the time constant in s with which x settles at the voltage v, or infinity."""
        slope = (self.rate(v, 0.75) - self.rate(v, 0.25)) / 0.5
        return -1 / slope if slope < 0 else math.inf


def charge_time(branch: Branch, x: float, v_th: float, r_s: float, i_in: float) -> float:
    """Return the time in s per farad in which a current charges C from 0 to the threshold.

    With the state held at x. On the branch ``v_c = v + r_s i(v, x)`` and
    ``C dv_c/dt = i_in - i(v, x)``, so that the time is C times the integral of
    ``(1 + r_s di/dv) / (i_in - i)`` over v from 0 to v_th; for a resistance R it is
    ``(R + r_s) ln(i_in R / (i_in R - v_th))``.

    Parameters
    ----------
    branch : Branch
    x : float
        State.
    v_th : float
        Membrane voltage at the threshold in V.
    r_s : float
        Series resistance in ohm.
    i_in : float
        Input current in A; above the device's at v_th, or the answer is infinite.

    Returns
    -------
    float
    """
    if branch.current(v_th, x) >= i_in:
        return math.inf
    nodes, weights = _gauss()
    total = 0.0
    for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
        # The nodes lie denser towards v_th, where the integrand has its pole not far behind.
        v = v_th * (1 - (1 - node) ** 2)
        dv = 2 * v_th * (1 - node)
        total += weight * dv * (1 + r_s * branch.conductance(v, x)) / (i_in - branch.current(v, x))
    return total


@cache
def _gauss() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(24)
    return (nodes + 1) / 2, weights / 2

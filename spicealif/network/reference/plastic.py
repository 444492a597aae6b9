"""Spikes through devices whose state they move."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif._support.compiled import njit
from spicealif.network.reference.point import Plastic
from spicealif.network.reference.tables import Joined

__all__ = ["Moving"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

#: Steps through a pulse, steps per time constant of the device between pulses, and at most.
PULSE_STEPS, REST_STEPS, MOST_STEPS = 16, 20, 4000


@njit(cache=True, error_model="numpy")
def _move(
    x: float,
    v: float,
    length: float,
    steps: int,
    q: FloatArray,
    room: FloatArray,
    current: Any,
    rate: Any,
) -> tuple[float, float]:
    """Return state and charge after a length of time at a voltage, by RK4."""
    (h, charge) = (length / steps, 0.0)
    for _ in range(steps):
        current(v, x, q, room)
        i_1 = room[0]
        k_1 = rate(v, x, q)
        k_2 = rate(v, x + 0.5 * h * k_1, q)
        k_3 = rate(v, x + 0.5 * h * k_2, q)
        k_4 = rate(v, x + h * k_3, q)
        x_1 = min(max(x + h / 6.0 * (k_1 + 2.0 * (k_2 + k_3) + k_4), 0.0), 1.0)
        # The charge by Simpson's rule, its middle by Hermite's cubic.
        current(v, 0.5 * (x + x_1) + 0.125 * h * (k_1 - rate(v, x_1, q)), q, room)
        i_2 = room[0]
        x = x_1
        current(v, x, q, room)
        charge += h / 6.0 * (i_1 + 4.0 * i_2 + room[0])
    return x, charge


@njit(cache=True, error_model="numpy", nogil=True)
def sizes(
    spikes: FloatArray,
    first: IntArray,
    unit: FloatArray,
    factor: FloatArray,
    x: FloatArray,
    t_last: FloatArray,
    v_pulse: FloatArray,
    v_rest: FloatArray,
    t_pulse: FloatArray,
    t_rest: float,
    q: FloatArray,
    room: FloatArray,
    out: FloatArray,
    current: Any,
    rate: Any,
) -> None:
    """Move the devices behind one spike (neuron, time) and set what it brings."""
    (a, t) = (int(spikes[0]), spikes[1])
    for s in range(first[a], first[a + 1]):
        rest = t - t_last[s]
        if rest > 0.0:
            steps = min(max(math.ceil(REST_STEPS * rest / t_rest), 1), MOST_STEPS)
            x[s], _ = _move(x[s], v_rest[s], rest, steps, q[s], room, current, rate)
        x[s], charge = _move(x[s], v_pulse[s], t_pulse[s], PULSE_STEPS, q[s], room, current, rate)
        t_last[s] = t + t_pulse[s]
        out[s] = factor[s] * charge * unit[s]


class Moving:
    """The devices of one projection, as they are now.

    Parameters
    ----------
    joined : Joined
        With `plastic`.
    """

    def __init__(self, joined: Joined) -> None:
        from spicealif.reference.device import compiled_functions

        assert joined.plastic is not None
        self.joined = joined
        self._plastic: Plastic = joined.plastic
        self._x = self._plastic.x.copy()
        self._t_last = np.zeros(len(self._x))
        self._room = np.zeros(4)
        (self._current, self._rate) = compiled_functions(self._plastic.model)
        #: What the last spike through each synapse brings.
        self.size = np.zeros(len(self._x))

    def spike(self, spike: FloatArray) -> None:
        """Move the devices behind one spike, a row of neuron and time, and set `size`."""
        p, joined = self._plastic, self.joined
        sizes(
            spike, joined.first, joined.size, p.factor, self._x, self._t_last, p.v_pulse, p.v_rest,
            p.t_pulse, p.t_rest, p.q, self._room, self.size, self._current, self._rate,
        )  # fmt: skip

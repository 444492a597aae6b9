"""The reference's steps that a design asks for: from the neuron's times, a sine and the source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from spicealif.design.devices import MemristorModel

if TYPE_CHECKING:
    from spicealif.design.leak import AnyLeak
    from spicealif.design.stimulus.base import StimulusPieces

__all__ = ["SOURCE_SHARE", "STEPS_PER_TIME", "largest_steps"]

_Floats = npt.NDArray[np.float64]

#: Steps per shortest time constant and per period of a sine, and the part of the device's voltage
#: scale that the source moves v_mem by in one step at most. With these the error of x was below
#: 1e-7 in 200 random designs with up to 20 times the paper's current
#: (`benchmarks/random_reference.py`).
STEPS_PER_TIME, SOURCE_SHARE = 100, 0.4


class _Membrane(Protocol):
    """What a neuron and the reference's parameters both have; SI units."""

    @property
    def c(self) -> float: ...
    @property
    def r_s(self) -> float: ...
    @property
    def v_th(self) -> float: ...
    @property
    def thermal_voltage(self) -> float: ...
    @property
    def leak(self) -> AnyLeak: ...


def largest_steps(of: _Membrane, pieces: StimulusPieces, shortest_time: float) -> _Floats:
    """Return the largest reference step in s in each piece of a stimulus.

    The least of the shortest time constant and a sine's shortest period over `STEPS_PER_TIME`, and
    of the time in which the source alone moves v_mem by `SOURCE_SHARE` of the device's voltage
    scale. The state's rate follows v_mem within that scale (kT/q for the MMS model). What the leak
    moves needs no bound of its own: near the device's thresholds it is slow.

    Parameters
    ----------
    of : Neuron or KernelParameters
    pieces : StimulusPieces
        K pieces.
    shortest_time : float
        See `Neuron.shortest_time`.

    Returns
    -------
    ndarray, shape (K,)
    """
    begin, sines = np.asarray(pieces.i, dtype=np.float64), np.asarray(pieces.sines)
    frequency = sines[:, 1].max(initial=0.0)
    period = 1.0 / frequency if frequency > 0.0 else math.inf
    times = np.full(begin.shape, min(shortest_time, period) / STEPS_PER_TIME)
    leak = of.leak
    if not isinstance(leak, MemristorModel):
        return times  # linear: nothing depends on how fast the voltage moves
    with np.errstate(over="ignore", invalid="ignore"):
        end = begin + np.asarray(pieces.slope) * np.diff(np.asarray(pieces.t, dtype=np.float64))
    largest = np.maximum(np.abs(begin), np.abs(end)) + np.abs(sines[:, 0]).sum()
    r = leak.r_max(of.v_th)
    divider = 1.0 if math.isinf(r) else r / (r + of.r_s)
    moved = SOURCE_SHARE * leak.voltage_scale(of.thermal_voltage) * of.c / divider
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        out: _Floats = np.minimum(times, moved / largest)
    return out

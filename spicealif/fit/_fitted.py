"""A measured loop beside what the fitted device does in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.design import MemristorModel
from spicealif.fit.loop import Loop

__all__ = ["FittedLoop"]

_Floats = npt.NDArray[np.float64]
#: A loop's loss beyond which nothing that was measured is described.
_DESCRIBED = 0.5


@dataclass(frozen=True, eq=False)
class FittedLoop:
    """A loop and what the fitted device does in its place.

    Attributes
    ----------
    loop : Loop
    device : MemristorModel
        With the values that belong to this loop; its x_0 is the state at the record's begin.
    v_mem, i, x, v_in : ndarray, shape (N,)
        Simulated at the loop's samples, in their order; v_in is what drove the simulation.
    nmse_v, nmse_i : float
        Mean squared error over the variance of the measured values.
    drive : str
        How the drive was taken from the samples.
    white : bool
        Whether the residuals look like noise (Ljung-Box test of both at 1 %).
    """

    loop: Loop
    device: MemristorModel
    v_mem: _Floats
    i: _Floats
    x: _Floats
    v_in: _Floats
    nmse_v: float
    nmse_i: float
    drive: str
    white: bool

    @property
    def described(self) -> bool:
        """Whether the device is one of this loop at all: a loss of 0.5 or less, of 2 at most."""
        return self.nmse_v + self.nmse_i <= _DESCRIBED

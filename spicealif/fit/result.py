"""What a fit has found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.design import MemristorModel
from spicealif.fit.loop import Loop

__all__ = ["FitResult", "FittedLoop"]

_Floats = npt.NDArray[np.float64]


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


@dataclass(frozen=True, eq=False)
class FitResult:
    """A memristor model fitted to measured loops.

    Attributes
    ----------
    model : str
        Its name in `spicealif.design.MODELS`.
    device : MemristorModel
        The fitted device, x_0 = 0; of the first loop where parameters differ between loops.
    names : tuple of str, length P
        The fitted parameters; one that each loop has its own of as ``tau[0]``, ``tau[1]``.
    values : ndarray, shape (P,)
        In SI units.
    intervals : ndarray, shape (P, 2)
        Confidence intervals at `level`.
    correlation : ndarray, shape (P, P)
        Of the estimates.
    held : dict of str to float
        Parameters that were not fitted.
    bounds : ndarray, shape (P, 2)
        Where was looked.
    at_bound : tuple of str
        Parameters that ended at a bound.
    not_identifiable : tuple of str
        Parameters that the loops hardly pin.
    level : float
        Of the intervals.
    temperature : float
        In K.
    seed : int
    loss : float
        Mean over the loops of NMSE(v) + NMSE(i).
    loss_error : float
        By how much the loss changes if every step of the simulation is halved.
    loops : tuple of FittedLoop
    warnings : tuple of str
        Sentences.
    evaluations : int
        Simulations of a loop.
    cpu_s, wall_s : float
        What the fit took, in s.
    """

    model: str
    device: MemristorModel
    names: tuple[str, ...]
    values: _Floats
    intervals: _Floats
    correlation: _Floats
    held: dict[str, float]
    bounds: _Floats
    at_bound: tuple[str, ...]
    not_identifiable: tuple[str, ...]
    level: float
    temperature: float
    seed: int
    loss: float
    loss_error: float
    loops: tuple[FittedLoop, ...]
    warnings: tuple[str, ...]
    evaluations: int
    cpu_s: float
    wall_s: float

"""A measured loop: what was driven, what was seen, through which resistor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Loop"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Loop:
    """One record of a memristor behind a series resistor.

    Attributes
    ----------
    time : ndarray, shape (N,)
        In s, rising; need not be uniform.
    v_mem, i, v_in : ndarray, shape (N,)
        Voltage across the device in V, its current in A, voltage of the source in V.
    r_s : float
        Series resistance in ohm; may be 0.
    period : float or None
        Of the drive in s, if the record is of the steady state under a periodic drive; the record
        may hold several periods. None is a single shot, which begins in some state x_0.
    name : str
        What the loop is called in tables and figures.
    file, sha256 : str
        Where it was read from; empty if it was not.
    notes : tuple of str
        What was assumed in reading it.
    """

    time: _Floats
    v_mem: _Floats
    i: _Floats
    v_in: _Floats
    r_s: float
    period: float | None = None
    name: str = "loop"
    file: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

"""A measured loop: what was driven, what was seen, through which resistor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.errors import FitError
from spicealif.quantities.grammar import format_quantity

__all__ = ["Loop"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Loop(Described):
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
    counts : ndarray, shape (N,), or None
        How many samples each one is the mean of, if they are means; it counts in a fit as many
        times.
    made : str
        Which of ``v_mem``, ``i``, ``v_in`` was made of the two others, by the resistor; may be
        empty.

    Raises
    ------
    FitError
        If shapes differ, a value is not finite, the time does not rise, or the resistor or period
        makes no sense.
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
    counts: _Floats | None = None
    made: str = ""

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(self.time))
        for name in ("time", "v_mem", "i", "v_in"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (n,):
                raise FitError(
                    f"{self.name}: {name} has the shape {values.shape}, time has {n} samples; give "
                    "arrays of the same length."
                )
            if not np.isfinite(values).all():
                raise FitError(
                    f"{self.name}: {name} is not finite everywhere; remove such samples."
                )
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if self.counts is not None:
            counts = np.array(self.counts, dtype=np.float64)
            if counts.shape != (n,) or not (np.isfinite(counts).all() and (counts > 0).all()):
                raise FitError(
                    f"{self.name}: counts must be {n} positive numbers, one for each sample."
                )
            counts.setflags(write=False)
            object.__setattr__(self, "counts", counts)
        if n < 16:
            raise FitError(f"{self.name} has {n} samples; a fit needs at least 16.")
        if not np.all(np.diff(self.time) > 0):
            raise FitError(f"{self.name}: the time does not rise everywhere; sort the samples.")
        for name in ("v_mem", "i", "v_in"):
            if not np.ptp(getattr(self, name)) > 0:
                raise FitError(f"{self.name}: {name} is the same everywhere; check the column.")
        if not (self.r_s >= 0 and math.isfinite(self.r_s)):
            raise FitError(
                f"{self.name}: r_s = {self.r_s:g} ohm; give a series resistor of 0 or more."
            )
        if self.period is not None and not (self.period > 0 and math.isfinite(self.period)):
            raise FitError(f"{self.name}: the period is {self.period:g} s; give a positive one.")

    def _facts(self) -> list[tuple[str, str]]:
        drive = "single shot" if self.frequency is None else format_quantity(self.frequency, "Hz")
        return [
            ("", f"'{self.name}'"),
            ("", counted(len(self.time), "sample")),
            ("drive to", format_quantity(self.v_peak, "V")),
            ("", drive),
            ("behind", format_quantity(self.r_s, "ohm")),
        ]

    @property
    def label(self) -> str:
        """What the loop is called in messages: its file, or its name."""
        return self.file or self.name

    @property
    def v_peak(self) -> float:
        """Largest absolute voltage of the source in V."""
        return float(np.abs(self.v_in).max())

    @property
    def frequency(self) -> float | None:
        """Of the drive in Hz; None for a single shot."""
        return None if self.period is None else 1 / self.period

"""Identification of memristor models from measured loops."""

from spicealif.fit.fitting import fit_device
from spicealif.fit.loop import Loop
from spicealif.fit.reading import read_loop
from spicealif.fit.result import FitResult, FittedLoop

__all__ = ["FitResult", "FittedLoop", "Loop", "fit_device", "read_loop"]

"""Identification of memristor models from measured loops."""

from spicealif.fit.fitting import fit_device
from spicealif.fit.loop import Loop
from spicealif.fit.reading import read_loop
from spicealif.fit.result import FitResult, FittedLoop
from spicealif.fit.saved import load_fit

__all__ = ["FitResult", "FittedLoop", "Loop", "fit_device", "load_fit", "read_loop"]

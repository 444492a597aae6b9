"""Experiments of many points: sweeps over parameters, Monte Carlo over parts' tolerances."""

from spicealif.sweep.experiment import Experiment, Sweep
from spicealif.sweep.figures import sweep_figure
from spicealif.sweep.missing import Progress
from spicealif.sweep.presets import (
    EXPERIMENTS,
    adaptation_map,
    experiment,
    f_i_curve,
    frequency_response,
    prototypes,
)
from spicealif.sweep.space import SAMPLINGS, Points, Range
from spicealif.sweep.statistics import Sensitivity, Yield, sensitivity, yield_of
from spicealif.sweep.store import Store, StoreReport, default_store
from spicealif.sweep.tolerances import DEFAULT_TOLERANCES, MonteCarlo, Tolerance, tolerances_of

__all__ = [
    "DEFAULT_TOLERANCES",
    "EXPERIMENTS",
    "SAMPLINGS",
    "Experiment",
    "MonteCarlo",
    "Points",
    "Progress",
    "Range",
    "Sensitivity",
    "Store",
    "StoreReport",
    "Sweep",
    "Tolerance",
    "Yield",
    "adaptation_map",
    "default_store",
    "experiment",
    "f_i_curve",
    "frequency_response",
    "prototypes",
    "sensitivity",
    "sweep_figure",
    "tolerances_of",
    "yield_of",
]

"""Figures of networks: rasters, weights, phases, propagation, differences."""

from spicealif.network.figures.activity import phase_figure, propagation_figure, raster_figure
from spicealif.network.figures.differences import comparison_figure
from spicealif.network.figures.weights import weights_figure

__all__ = [
    "comparison_figure",
    "phase_figure",
    "propagation_figure",
    "raster_figure",
    "weights_figure",
]

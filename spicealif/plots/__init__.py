"""Figures: the paper's Fig. 5 and 6, and circuit against reference.

Drawn in a style of our own (`spicealif._support.figures`); no window system is needed. Traces are
reduced to their extremes per horizontal pixel before they are drawn: the picture is the same and a
million samples cost no more than a thousand.
"""

from spicealif._support.figures import FIGURE_ENDINGS, figure_style, save_figure
from spicealif.plots._traces import envelope
from spicealif.plots.budget import budget_figure
from spicealif.plots.of_result import figure_of
from spicealif.plots.overlay import overlay_figure
from spicealif.plots.sides import circuit_figure, reference_figure

__all__ = [
    "FIGURE_ENDINGS",
    "budget_figure",
    "circuit_figure",
    "envelope",
    "figure_of",
    "figure_style",
    "overlay_figure",
    "reference_figure",
    "save_figure",
]

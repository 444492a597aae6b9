"""Figures: the paper's Fig. 5 and 6, and circuit against reference.

Drawn in a style of our own (`STYLE_FILE`, a style of matplotlib's) for print: `COLUMN_WIDTH` or
`PAGE_WIDTH` wide, 8 pt; no window system is needed. A figure's ``savefig`` and `save_figure` write
it; its attribute ``caption`` says what it shows. Traces are reduced to their extremes per
horizontal pixel before they are drawn: the picture is the same and a million samples cost no more
than a thousand.
"""

from spicealif._support.figures import COLUMN as COLUMN_WIDTH
from spicealif._support.figures import (
    FIGURE_ENDINGS,
    FIGURE_FORMATS,
    STYLE_FILE,
    figure_style,
    save_figure,
)
from spicealif._support.figures import PAGE as PAGE_WIDTH
from spicealif.plots._traces import envelope
from spicealif.plots.budget import budget_figure
from spicealif.plots.of_result import figure_of
from spicealif.plots.overlay import overlay_figure
from spicealif.plots.sides import circuit_figure, reference_figure

__all__ = [
    "COLUMN_WIDTH",
    "FIGURE_ENDINGS",
    "FIGURE_FORMATS",
    "PAGE_WIDTH",
    "STYLE_FILE",
    "budget_figure",
    "circuit_figure",
    "envelope",
    "figure_of",
    "figure_style",
    "overlay_figure",
    "reference_figure",
    "save_figure",
]

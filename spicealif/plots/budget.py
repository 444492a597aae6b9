"""A gap budget as waterfalls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import dress, scale_of
from spicealif._support.figure_symbols import measure_label, plain, say_what, with_symbols
from spicealif._support.figures import PAGE, add_legend, in_figure_style, new_figure
from spicealif.measures.tables import figure as figure_text
from spicealif.plots._traces import CIRCUIT_COLOUR, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spicealif.analysis.budget import GapBudget, MakersPart, MeasureBudget
    from spicealif.circuit import Cause

__all__ = ["budget_figure"]

_SUM_COLOUR = "0.5"
#: Height of a bar with its room, and of a panel's title and axis, in mm.
_ROW, _AROUND = 4.1, 17.0
#: Rows of the stripes that a bar has which lowers a measure, so that it shows without colours too.
_STRIPES = "////"


@in_figure_style
def budget_figure(budget: GapBudget, *, title: bool | str = False) -> Figure:
    """Return a waterfall for each measure: from the reference, cause by cause, to the circuit.

    A bar that raises the measure is blue, one that lowers it orange and striped, and the sum grey;
    beside each bar stands its value.

    Parameters
    ----------
    budget : GapBudget
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    from matplotlib.patches import Patch

    shown = budget.measures
    causes = [s.cause for s in shown[0].shares if s.applies] if shown else []
    columns = min(len(shown), 2) or 1
    rows = -(-len(shown) // columns) or 1
    figure = new_figure(PAGE, 12 + rows * (_AROUND + _ROW * (len(causes) + 2)))
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, of in zip(panels, shown, strict=False):
        _waterfall(axes, of, causes)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    key = [
        Patch(facecolor=CIRCUIT_COLOUR),
        Patch(facecolor=REFERENCE_COLOUR, edgecolor="white", hatch=_STRIPES, lw=0),
        Patch(facecolor=_SUM_COLOUR),
    ]
    told = ["raises the circuit's value", "lowers it", "sum: circuit minus reference"]
    add_legend(figure, key, told)
    sampled = f", sampled from {budget.n_orders} orders" if budget.n_orders else ""
    name = plain(budget.neuron.name)
    return say_what(
        figure, f"{name}: circuit minus ideal reference, cause by cause{sampled}", title
    )


def _waterfall(axes: Axes, budget: MeasureBudget, causes: list[Cause | MakersPart]) -> None:
    """Draw one measure: bars that each start where the one above ended, and their sum."""
    from matplotlib.ticker import MaxNLocator

    shares = [s for s in budget.shares if s.cause in causes]
    values = [s.value for s in shares] + [budget.residual]
    errors = [s.error for s in shares] + [0.0]
    starts = np.concatenate(([0.0], np.cumsum(values)))
    for k, (start, value) in enumerate(zip(starts, values, strict=False)):
        raises = value >= 0
        axes.barh(
            k, value, left=start, height=0.7, lw=0,
            color=CIRCUIT_COLOUR if raises else REFERENCE_COLOUR,
            hatch=None if raises else _STRIPES, edgecolor="white",
            xerr=errors[k] or None, error_kw={"lw": 0.8},
        )  # fmt: skip
        # thin lines lead from the end of one bar to the next
        axes.plot([start + value] * 2, [k, k + 1], color="0.6", lw=0.6, zorder=0)
    axes.barh(len(values), budget.gap, color=_SUM_COLOUR, height=0.7, lw=0)
    axes.axvline(0, color="0.3", lw=0.6)
    labels = [with_symbols(c.label) for c in causes]
    axes.set_yticks(range(len(values) + 1), [*labels, "residual", "sum"], parse_math=True)
    axes.set_ylim(len(values) + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    every = np.array([*values, budget.gap])
    dress(axes.xaxis, "circuit minus reference", budget.unit, every)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    low, high = min(starts.min(), budget.gap), max(starts.max(), budget.gap)
    room = 0.05 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    _numbers(axes, every, [*errors, 0.0], budget.unit)
    reference, circuit = (
        figure_text(v, budget.unit).replace(" u", " µ") for v in (budget.reference, budget.circuit)
    )
    label = measure_label(budget.name, budget.label)
    axes.set_title(f"{label}: {reference} → {circuit}", parse_math=True)


def _numbers(axes: Axes, values: NDArray[np.float64], errors: list[float], unit: str) -> None:
    """Write each bar's value beside it, in the unit of the axis and to a part of the largest."""
    largest = float(np.abs(values).max())
    factor, _ = scale_of(largest, unit)
    power = math.floor(math.log10(largest * factor)) if largest > 0 else 0
    digits = max(2 - power, 0)
    for k, (value, error) in enumerate(zip(values, errors, strict=True)):
        text = f"{value * factor:+.{digits}f}"
        if float(text) == 0:
            text = text[1:]
        text = text.replace("-", "\N{MINUS SIGN}")
        text += f" ± {error * factor:.{digits}f}" if error else ""
        axes.annotate(
            text, (1.0, k), xycoords=("axes fraction", "data"), xytext=(2, 0),
            textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip

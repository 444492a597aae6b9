"""A gap budget as waterfalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spicealif._support.figures import in_figure_style, new_figure
from spicealif.measures.tables import figure as figure_text
from spicealif.plots._traces import CIRCUIT_COLOUR, REFERENCE_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spicealif.analysis.budget import GapBudget, MakersPart, MeasureBudget
    from spicealif.circuit import Cause

__all__ = ["budget_figure"]


@in_figure_style
def budget_figure(budget: GapBudget) -> Figure:
    """Return a waterfall for each measure: from the reference, cause by cause, to the circuit.

    Parameters
    ----------
    budget : GapBudget

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = budget.measures
    causes = [s.cause for s in shown[0].shares if s.applies] if shown else []
    columns = min(len(shown), 3) or 1
    rows = -(-len(shown) // columns) or 1
    height = 1.2 + rows * (0.9 + 0.24 * (len(causes) + 2))
    figure = new_figure(3.2 + 2.7 * columns, height)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, of in zip(panels, shown, strict=False):
        _waterfall(axes, of, causes)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    sampled = f", sampled from {budget.n_orders} orders" if budget.n_orders else ""
    figure.suptitle(
        f"{budget.neuron.name}: circuit minus ideal reference, cause by cause{sampled}", fontsize=11
    )
    return figure


def _waterfall(axes: Axes, budget: MeasureBudget, causes: list[Cause | MakersPart]) -> None:
    """Draw one measure: bars that each start where the one above ended, and their sum."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    shares = [s for s in budget.shares if s.cause in causes]
    values = [s.value for s in shares] + [budget.residual]
    starts = np.concatenate(([0.0], np.cumsum(values)))
    for k, (start, value) in enumerate(zip(starts, values, strict=False)):
        colour = CIRCUIT_COLOUR if value >= 0 else REFERENCE_COLOUR
        error = shares[k].error if k < len(shares) else 0.0
        axes.barh(k, value, left=start, color=colour, height=0.7, xerr=error or None)
        # thin lines lead from the end of one bar to the next
        axes.plot([start + value] * 2, [k, k + 1], color="0.6", lw=0.6, zorder=0)
    axes.barh(len(values), budget.gap, color="0.45", height=0.7)
    axes.axvline(0, color="0.3", lw=0.8)
    labels = [c.label for c in causes]
    axes.set_yticks(range(len(values) + 1), [*labels, "residual", "gap"], fontsize=8)
    axes.set_ylim(len(values) + 0.6, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if budget.unit:
        axes.xaxis.set_major_formatter(EngFormatter(unit=budget.unit))
    axes.tick_params(axis="x", labelsize=8)
    low, high = min(starts.min(), budget.gap), max(starts.max(), budget.gap)
    room = 0.05 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    reference, circuit = (
        figure_text(v, budget.unit).replace(" u", " µ") for v in (budget.reference, budget.circuit)
    )
    axes.set_title(f"{budget.label}\n{reference} → {circuit}", fontsize=9)
    axes.grid(axis="x", color="0.92", lw=0.6)
    axes.set_axisbelow(True)

"""The figure of a study: each method's accuracy with its interval, and the level of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spicealif._support.figure_symbols import say_what
from spicealif._support.figures import COLUMN, add_legend, in_figure_style, new_figure
from spicealif._support.text import counted
from spicealif.errors import LearningError
from spicealif.learning._names import label_of, stage_of
from spicealif.learning.study_cells import StudyCells

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure


__all__ = ["study_figure"]

#: Colour (Okabe and Ito's, told apart by everybody) and marker of each stage.
_LOOKS = {
    "alif": ("#D55E00", "o", "ALIF"), "lif": ("#0072B2", "s", "LIF"),
    "raw": ("#000000", "D", "raw"), "": ("#009E73", "^", "classical"),
}  # fmt: skip
_ROW, _EDGES = 5.0, 30.0  # mm
#: How far above a method's row its splits are, in rows.
_UP = 0.25


@in_figure_style
def study_figure(result: StudyCells, *, title: bool | str = False) -> StyledFigure:
    """Draw a study.

    Parameters
    ----------
    result : StudyResult
    title : bool or str
        Whether it says above what it shows, or what it says there. What it shows is its attribute
        `caption` as well.

    Returns
    -------
    matplotlib.figure.Figure
        88 mm wide, a row for each method: the mean with its 95 % interval, a small dot for each
        split, a dotted line at the accuracy of always naming the largest class, and a thin one at
        the ALIF readout that all are compared with.

    Raises
    ------
    LearningError
        If no cell has an accuracy.
    """
    methods = [one for one in result.methods if one.splits]
    if not methods:
        raise LearningError("No cell of the study has an accuracy, so that there is no figure.")
    figure = new_figure(COLUMN, _EDGES + _ROW * len(methods))
    axes = figure.subplots()
    seen = set()
    for k, one in enumerate(methods):
        colour, marker, label = _LOOKS[stage_of(one.method)[0]]
        cells = [c for c in result.cells if c.method == one.method and c.status == "OK"]
        values = 100 * np.array([cell.accuracy for cell in cells])
        # Above the row, where the interval's line does not hide them.
        axes.plot(values, np.full(len(values), k - _UP), ".", color=colour, alpha=0.5, markersize=3)
        axes.plot([100 * one.low, 100 * one.high], [k, k], "-", color=colour)
        axes.plot(
            [100 * one.accuracy], [k], marker, color=colour, markersize=4, linestyle="none",
            label=None if label in seen else label,
        )  # fmt: skip
        seen.add(label)
    axes.axvline(100 * result.chance, color="0.4", linestyle=":", label="largest class")
    if result.compared_with is not None:
        base = 100 * result[result.compared_with].accuracy
        axes.axvline(base, color=_LOOKS["alif"][0], linewidth=0.5, label="compared with")
    axes.plot([], [], ".", color="0.5", markersize=3, label="one split")
    axes.set_yticks(range(len(methods)), [label_of(one.method) for one in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("accuracy (%)")
    add_legend(figure, *axes.get_legend_handles_labels())
    return say_what(figure, _caption(result), title)


def _caption(result: StudyCells) -> str:
    seeds = len({cell.seed for cell in result.cells})
    return (
        f"Accuracy on the task {result.task.name} over {counted(seeds, 'split')}: mean and 95 % "
        "interval of each method (corrected resampled t), each split a small dot; dotted: always "
        f"naming the largest class, {100 * result.chance:.1f} %{_about_line(result)}."
    )


def _about_line(result: StudyCells) -> str:
    if result.compared_with is None:
        return ""
    return f"; thin: {label_of(result.compared_with)}, which all are compared with"

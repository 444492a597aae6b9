"""Two results of a network against each other, neuron by neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spicealif._support.figure_axes import dress
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import PAGE, add_legend, in_figure_style, new_figure, readable
from spicealif.network.comparison import NetworkComparison
from spicealif.network.figures._common import COLOURS, label_neurons, time_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["comparison_figure"]


@in_figure_style
def comparison_figure(comparison: NetworkComparison, *, title: bool | str = False) -> Figure:
    """Return how far the spikes of two results of a network are apart.

    Parameters
    ----------
    comparison : NetworkComparison
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide: on the left the rates of each neuron on both sides, in the middle the
        spike-time differences, their median (a line) and all of them (points), on the right their
        magnitudes over time, where growth shows.
    """
    names = comparison.names
    height = min(max(3.4 * len(names), 30), 110)
    factor, unit = time_unit(comparison.of_b.trains.t_stop)
    figure = new_figure(PAGE, height + 28)
    rates, apart, growth = figure.subplots(1, 3, width_ratios=[2, 2, 3])
    rows = np.arange(len(names))
    styles = ((COLOURS[0], "o", "none"), (COLOURS[1], "x", COLOURS[1]))
    for of, label, (colour, marker, face) in zip(
        (comparison.of_a, comparison.of_b), comparison.labels, styles, strict=True
    ):
        rates.plot(
            of.rate, rows, marker, ms=4, mew=0.9, color=colour, mfc=face, label=readable(label)
        )
    every = np.concatenate([comparison.of_a.rate, comparison.of_b.rate])
    dress(rates.xaxis, "rate", "Hz", every)
    rates.set_xlim(left=0)
    label_neurons(rates, names)
    at = np.repeat(rows, [len(d) for d in comparison.differences])
    d = np.concatenate([*comparison.differences, np.empty(0)])
    t = np.concatenate([*comparison.matched_at, np.empty(0)])
    apart.plot(d, at, ".", ms=2.5, color="0.6")
    middle = [np.median(x) if len(x) else np.nan for x in comparison.differences]
    apart.plot(middle, rows, "|", ms=7, mew=1.4, color=COLOURS[0])
    apart.axvline(0, color="0.3", lw=0.6)
    label_neurons(apart, names)
    apart.set_ylabel("")
    apart.tick_params(labelleft=False)
    dress(apart.xaxis, "difference", "s", d)
    there = d != 0
    if there.any():
        growth.plot(t[there] * factor, np.abs(d[there]), ".", ms=2.5, color=COLOURS[0])
        dress(growth.yaxis, "size of the difference", "s", np.abs(d[there]), log=True)
    alone = comparison.first_apart_at[comparison.first_apart >= 0] * factor
    if len(alone):
        growth.axvline(float(alone.min()), color=COLOURS[1], lw=0.9, ls=(0, (3, 1.5)))
    growth.set_xlim(0, comparison.of_b.trains.t_stop * factor)
    growth.set_xlabel(f"time ({unit})")
    add_legend(figure, *rates.get_legend_handles_labels())
    labels = " less ".join(plain(label) for label in comparison.labels)
    told = "; the dashed line is the first spike without a partner" if len(alone) else ""
    return say_what(
        figure, f"{labels}: rates, spike-time differences, and their size over time{told}", title
    )

"""Who fires when: rasters, the phases of a ring, spikes along a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._support.figure_axes import dress
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import COLUMN, PAGE, add_legend, in_figure_style, new_figure
from spicealif.errors import CompareError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded
from spicealif.network.figures._common import (
    COLOURS,
    MARKERS,
    groups_of,
    label_neurons,
    time_unit,
)
from spicealif.network.measures import Trains, measure_network, trains_of
from spicealif.network.measures.measure import spike_phases

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["phase_figure", "propagation_figure", "raster_figure"]

#: Bins of the rate, and neurons that have a line of their own in a figure.
_BINS, _LINES = 100, 12


def _name(trains: Trains) -> str:
    known = "network" if trains.expanded is None else trains.expanded.network.name
    return f"{plain(known)}, {plain(trains.label)}"


@in_figure_style
def raster_figure(
    result: Any,
    network: Network | Expanded | None = None,
    *,
    bin_width: float | None = None,
    title: bool | str = False,
) -> Figure:
    """Return the spikes of all neurons, and below them each population's rate.

    Parameters
    ----------
    result : NetworkSolution, NetworkReference or FlatRun
    network : Network or Expanded, optional
        What it is of, where it does not say so.
    bin_width : float, optional
        Of the rate in s; half of the mean interval, and a hundredth of the run at least, if not
        given.
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    trains = trains_of(result, network)
    factor, unit = time_unit(trains.t_stop)
    n = len(trains.names)
    if bin_width is not None and not 0 < bin_width <= trains.t_stop:
        raise CompareError(
            f"A bin of {bin_width:g} s does not fit into a run of {trains.t_stop:g} s; give a time "
            "above 0 within it."
        )
    width = bin_width or max(np.nan_to_num(trains.interval) / 2, trains.t_stop / _BINS)
    bins = max(round(trains.t_stop / width), 1)
    edges = np.linspace(0.0, trains.t_stop, bins + 1)
    figure = new_figure(PAGE, 50 + min(max(3.2 * n, 16), 70))
    raster, rate = figure.subplots(2, 1, sharex=True, height_ratios=[min(max(3.2 * n, 16), 70), 26])
    handles, labels = [], []
    for k, (name, places) in enumerate(groups_of(trains)):
        colour = COLOURS[k % len(COLOURS)]
        raster.eventplot(
            [trains.t_spike[p] * factor for p in places], lineoffsets=places.tolist(),
            linelengths=0.8, colors=colour, linewidths=0.8,
        )  # fmt: skip
        spikes = np.concatenate([trains.t_spike[p] for p in places])
        found = np.histogram(spikes, edges)[0] / len(places) / np.diff(edges)
        style = ("-", (0, (4, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))[k % 4]
        line = rate.stairs(found, edges * factor, color=colour, lw=1.0, ls=style, baseline=None)
        handles.append(line)
        labels.append(f"{name} ({len(places)})")
    label_neurons(raster, trains.names)
    rate.set_xlim(0, trains.t_stop * factor)
    rate.set_xlabel(f"time ({unit})")
    highest = max(float(np.nanmax(h.get_data().values, initial=0.0)) for h in handles)
    dress(rate.yaxis, "rate per neuron", "Hz", np.array([highest]))
    rate.set_ylim(bottom=0)
    if len(handles) > 1:
        add_legend(figure, handles, labels)
    figure.align_ylabels()
    return say_what(
        figure,
        f"{_name(trains)}: spikes, and rate per neuron in bins of "
        f"{trains.t_stop / bins * factor:.3g} {unit}",
        title,
    )


@in_figure_style
def phase_figure(
    result: Any, network: Network | Expanded | None = None, *, title: bool | str = False
) -> Figure:
    """Return each neuron's phase in the intervals of the first, spike by spike, over time.

    Parameters
    ----------
    result, network, title
        See `raster_figure`; at most 12 neurons, evenly taken, are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.

    Raises
    ------
    CompareError
        If the first neuron has fewer than 2 spikes, or there is no other.
    """
    trains = trains_of(result, network)
    first = trains.t_spike[0]
    if len(first) < 2 or len(trains.names) < 2:
        raise CompareError(
            f"There are no phases: {trains.names[0]} has {len(first)} spikes, and its intervals "
            "are what another neuron's phase is counted in; give a longer run of 2 neurons or more."
        )
    factor, unit = time_unit(trains.t_stop)
    n = len(trains.names)
    shown = np.unique(np.linspace(1, n - 1, min(n - 1, _LINES)).round().astype(int))
    figure = new_figure(PAGE, 75)
    axes = figure.subplots()
    for row, k in enumerate(shown):
        t, phase = spike_phases(trains.t_spike[k], first)
        axes.plot(
            t * factor, phase, MARKERS[row % len(MARKERS)], ms=3.2, mew=0.7, mfc="none",
            color=COLOURS[row % len(COLOURS)], label=trains.names[k],
        )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_xlim(0, trains.t_stop * factor)
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel(f"phase relative to {trains.names[0]}")
    add_legend(figure, *axes.get_legend_handles_labels())
    return say_what(
        figure, f"{_name(trains)}: phase of spikes in the intervals of {trains.names[0]}", title
    )


@in_figure_style
def propagation_figure(
    result: Any, network: Network | Expanded | None = None, *, title: bool | str = False
) -> Figure:
    """Return the spikes along a chain, and from each neuron to the next the delay.

    Parameters
    ----------
    result, network, title
        See `raster_figure`. Without a network the neurons are taken in their order.

    Returns
    -------
    matplotlib.figure.Figure
        88 mm wide: above all spikes, the first of each joined; below the delay of each link, first
        spike to first spike.

    Raises
    ------
    CompareError
        If no two neurons that are joined have both a spike.
    """
    measures = measure_network(result, network)
    trains, links, delay = measures.trains, measures.links, measures.link_delay
    if trains.expanded is None:
        steps = np.arange(len(trains.names) - 1)
        links = np.stack([steps, steps + 1], axis=1)
        delay = np.diff(measures.latency)
    there = np.isfinite(delay)
    links, delay = links[there], delay[there]
    if not len(links):
        raise CompareError(
            "No two neurons that are joined have both a spike, so that nothing propagates; give a "
            "longer run or stronger synapses."
        )
    factor, unit = time_unit(trains.t_stop)
    rows = min(max(3.2 * len(trains.names), 16), 60)
    figure = new_figure(COLUMN, rows + 58)
    above, below = figure.subplots(2, 1, height_ratios=[rows, 34])
    above.eventplot(
        [t * factor for t in trains.t_spike], lineoffsets=range(len(trains.names)),
        linelengths=0.7, colors="0.55", linewidths=0.8,
    )  # fmt: skip
    for pre, post in links:
        above.plot(measures.latency[[pre, post]] * factor, [pre, post], color=COLOURS[1], lw=0.9)
    above.plot(measures.latency * factor, np.arange(len(trains.names)), "o", ms=3, color=COLOURS[1])
    above.set_xlim(0, trains.t_stop * factor)
    above.set_xlabel(f"time ({unit})")
    label_neurons(above, trains.names)
    below.plot(np.arange(len(links)), delay, "o", ms=3.5, color=COLOURS[0])
    below.vlines(np.arange(len(links)), 0, delay, color=COLOURS[0], lw=0.9)
    below.axhline(0, color="0.3", lw=0.6)
    if len(links) <= _LINES:
        told = [_link(trains.names[a], trains.names[b]) for a, b in links]
        below.set_xticks(range(len(links)), told, rotation=90 if len(links) > 4 else 0)
    else:
        below.set_xlabel("link")
    below.grid(axis="x", visible=False)
    dress(below.yaxis, "delay", "s", delay)
    return say_what(
        figure,
        f"{_name(trains)}: spikes (first ones joined along the links), and the delay of each link",
        title,
    )


def _link(a: str, b: str) -> str:
    """Return a link's name; that of the population only once."""
    (of_a, _, number_a), (of_b, _, number_b) = a.rpartition("_"), b.rpartition("_")
    return f"{number_a} → {number_b}" if of_a == of_b else f"{a} → {b}"

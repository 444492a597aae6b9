"""Fig. 5 and 6 of the paper: one side alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import set_label, with_prefix
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import PAGE, in_figure_style, new_figure
from spicealif.design import Neuron
from spicealif.plots._traces import (
    CIRCUIT_COLOUR,
    LABELS,
    REFERENCE_COLOUR,
    draw_trace,
    envelope,
    input_current,
    mark_threshold,
    shade,
    time_unit,
)
from spicealif.plots._windows import Window, ends_of_run
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["circuit_figure", "reference_figure"]


@in_figure_style
def reference_figure(waveforms: Waveforms, neuron: Neuron, *, title: bool | str = False) -> Figure:
    """Return the layout of the paper's Fig. 5: v_mem, x and v_c of the reference.

    Above them is the input current; beside the whole run, its first and its last pulse that has
    spikes (without pulses its first and last spikes).

    Parameters
    ----------
    waveforms : Waveforms
        The reference's.
    neuron : Neuron
        Gives the threshold that is marked.
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    names = [n for n in ("v_mem", "x", "v_c") if n in waveforms]
    variant = plain(str(waveforms.attrs.get("variant", "")))
    caption = f"{plain(neuron.name)}: reference (ODE by RK4, {variant})"
    return _stack(waveforms, neuron, names, REFERENCE_COLOUR, caption, title)


@in_figure_style
def circuit_figure(waveforms: Waveforms, neuron: Neuron, *, title: bool | str = False) -> Figure:
    """Return the layout of the paper's Fig. 6: v_mem, v_c, spike and x of the circuit.

    Above them is the input current; beside the whole run, its first and its last pulse that has
    spikes (without pulses its first and last spikes).

    Parameters
    ----------
    waveforms : Waveforms
        The circuit's.
    neuron : Neuron
        Gives the threshold that is marked.
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    names = [n for n in ("v_mem", "v_c", "spike", "x") if n in waveforms]
    caption = (
        f"{plain(neuron.name)}: circuit ({plain(str(waveforms.attrs.get('simulator', 'SPICE')))})"
    )
    return _stack(waveforms, neuron, names, CIRCUIT_COLOUR, caption, title)


def _stack(
    waveforms: Waveforms,
    neuron: Neuron,
    names: list[str],
    colour: str,
    caption: str,
    title: bool | str,
) -> Figure:
    """Draw a row for each signal: the whole run, and its first and last spikes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    factor, unit = time_unit(neuron.t_stop)
    first, last = ends_of_run(
        neuron, (waveforms.t_spike,), float(waveforms.time[0]), float(waveforms.time[-1])
    )
    columns = (Window(0.0, neuron.t_stop, "whole run"), first, last)
    # Room between the columns, or the last tick label of one touches the first of the next.
    layout = ConstrainedLayoutEngine(wspace=0.03)
    figure = new_figure(PAGE, 14 + 17 + 26 * len(names), layout=layout)
    panels = figure.subplots(
        1 + len(names), 3, sharex="col", sharey="row",
        width_ratios=[2, 1, 1], height_ratios=[0.65] + [1] * len(names), squeeze=False,
    )  # fmt: skip
    _draw_input(list(panels[0]), waveforms, neuron, columns, factor)
    for letter, row, name in zip("abcd", panels[1:], names, strict=False):
        for axes, window in zip(row, columns, strict=True):
            draw_trace(axes, waveforms, name, factor, colour, window[:2])
        if name == "v_mem":
            for axes in row[:-1]:
                axes.axhline(neuron.v_th, color="0.4", lw=0.7, ls=":", zorder=1)
            mark_threshold(row[-1], neuron.v_th)
        if name == "spike":
            _whole_swing(row[0], waveforms["spike"], neuron)
        set_label(row[0].yaxis, LABELS[name])
        # In the corner outside of the data, where a paper has them.
        row[0].set_title(f"({letter})", loc="left")
    for axes, window in zip(panels[0], columns, strict=True):
        axes.set_title(window.title)
    for axes, window in zip(panels[-1], columns, strict=True):
        axes.set_xlabel(f"time ({unit})")
        axes.set_xlim(window.start * factor, window.end * factor)
        axes.locator_params(axis="x", nbins=6 if axes is panels[-1][0] else 4)
    for row in panels:
        for window in (first, last):
            shade(row[0], window.start * factor, window.end * factor)
    figure.align_ylabels(panels[:, 0])
    return say_what(figure, caption, title)


def _whole_swing(axes: Axes, spike: NDArray[np.float64], neuron: Neuron) -> None:
    """Show the comparator's whole swing, so that an output at rest looks like one."""
    levels = (*neuron.output_levels, float(spike.min()), float(spike.max()))
    room = 0.05 * (max(levels) - min(levels))
    axes.set_ylim(min(levels) - room, max(levels) + room)


def _draw_input(
    row: list[Axes],
    waveforms: Waveforms,
    neuron: Neuron,
    columns: tuple[Window, ...],
    factor: float,
) -> None:
    current = input_current(waveforms, neuron)
    scale, unit = with_prefix(float(np.abs(current).max(initial=0.0)), "A")
    for axes, window in zip(row, columns, strict=True):
        t, i = envelope(waveforms.time, current, window[:2])
        axes.plot(t * factor, i * scale, color="0.25")
    row[0].margins(y=0.12)
    set_label(row[0].yaxis, LABELS["i_in"].replace("(A)", f"({unit})"))

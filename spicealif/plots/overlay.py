"""Circuit against reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import set_label
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import PAGE, add_legend, in_figure_style, new_figure, readable
from spicealif.design import Neuron
from spicealif.measures import spikes
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import has_pulses
from spicealif.plots._traces import (
    CIRCUIT_COLOUR,
    LABELS,
    REFERENCE_COLOUR,
    draw_trace,
    mark_threshold,
    shade,
    time_unit,
)
from spicealif.plots._windows import ends_of_run
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["overlay_figure"]

_Floats = NDArray[np.float64]
#: Waveforms, label and colour of both sides.
_Sides: TypeAlias = tuple[tuple[Waveforms, str, str], ...]
#: Characters of a name beside the raster.
_LONGEST = 20


@in_figure_style
def overlay_figure(comparison: Comparison, *, title: bool | str = False) -> Figure:
    """Return circuit against reference: v_mem and v_c at both ends, raster, x, spikes per pulse.

    The ends are the first and the last pulses that have spikes, or without pulses the first and
    the last spikes.

    Parameters
    ----------
    comparison : Comparison
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    neuron = comparison.neuron
    sides = (
        (comparison.a, readable(comparison.labels[0]), CIRCUIT_COLOUR),
        (comparison.b, readable(comparison.labels[1]), REFERENCE_COLOUR),
    )
    begin, t_stop = _span(comparison)
    windows = ends_of_run(neuron, [w.t_spike for w, _, _ in sides], begin, t_stop, least=6)
    factor, unit = time_unit(t_stop)

    figure = new_figure(PAGE, 172)
    grid = figure.add_gridspec(5, 2, height_ratios=[3, 3, 1.3, 2.2, 2.2])
    for row, name in enumerate(("v_mem", "v_c")):
        left = figure.add_subplot(grid[row, 0])
        right = figure.add_subplot(grid[row, 1], sharey=left)
        right.tick_params(labelleft=False)
        set_label(left.yaxis, LABELS[name])
        for axes, window in ((left, windows[0]), (right, windows[1])):
            for waveforms, label, colour in sides:
                if name in waveforms:
                    draw_trace(axes, waveforms, name, factor, colour, window[:2], label=label)
            axes.set_xlim(window.start * factor, window.end * factor)
            axes.locator_params(axis="x", nbins=5)
            if name == "v_mem":
                axes.axhline(neuron.v_th, color="0.4", lw=0.7, ls=":", zorder=1)
                axes.tick_params(labelbottom=False)
                axes.set_title(window.title)
            else:
                axes.set_xlabel(f"time ({unit})")
    top_left, top_right = figure.axes[:2]
    mark_threshold(top_right, neuron.v_th)

    raster = figure.add_subplot(grid[2, :])
    _raster(raster, sides, factor)
    state = figure.add_subplot(grid[3, :], sharex=raster)
    _state_or_rate(state, sides, factor, t_stop)
    rate = figure.add_subplot(grid[4, :], sharex=raster)
    _counts(rate, comparison, sides, factor)
    for axes in (raster, state):
        axes.tick_params(labelbottom=False)
        for window in windows:
            shade(axes, window.start * factor, window.end * factor)
    rate.set_xlabel(f"time ({unit})")
    rate.set_xlim(begin * factor, t_stop * factor)
    # Named here: matplotlib itself leaves out what begins with an underscore.
    add_legend(figure, top_left.lines[: len(sides)], [label for _, label, _ in sides])
    figure.align_ylabels()
    cut = t_stop < neuron.t_stop * (1 - 1e-9)
    ended = f" (ended at {t_stop * factor:.4g} {unit})" if cut else ""
    names = " and ".join(plain(label) for label in comparison.labels)
    return say_what(figure, f"{plain(neuron.name)}: {names}{ended}", title)


def _raster(axes: Axes, sides: _Sides, factor: float) -> None:
    for k, (waveforms, _, colour) in enumerate(sides):
        axes.eventplot(
            waveforms.t_spike * factor, lineoffsets=1 - k, linelengths=0.8, colors=colour, lw=0.6
        )
    # Short, since the legend has the whole; but two references are told apart.
    names = [label.split(" (")[0] for _, label, _ in sides]
    if names[0] == names[1]:
        names = [_within(label) for _, label, _ in sides]
    axes.set_yticks([1, 0], [_short(name) for name in names])
    axes.set_ylim(-0.6, 1.6)
    axes.set_ylabel("spikes")
    axes.grid(axis="y", visible=False)


def _within(label: str) -> str:
    """Return what tells a side from another of its kind: what stands in its brackets."""
    _, _, rest = label.partition(" (")
    return rest.replace(")", "").replace(" (", ", ") or label


def _short(name: str) -> str:
    """Return a name that leaves room for the data."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _state_or_rate(axes: Axes, sides: _Sides, factor: float, t_stop: float) -> None:
    """Draw x, or for a neuron without memristor the instantaneous rate."""
    with_state = [side for side in sides if "x" in side[0]]
    for waveforms, label, colour in with_state:
        draw_trace(axes, waveforms, "x", factor, colour, (0.0, t_stop), label=label)
    if with_state:
        set_label(axes.yaxis, LABELS["x"])
        return
    for waveforms, label, colour in sides:
        t = waveforms.t_spike
        rate = spikes.instantaneous_rate(t)
        marker = "s" if colour == REFERENCE_COLOUR else "o"
        axes.plot(t[1:] * factor, rate, marker, ms=2.5, color=colour, label=label, fillstyle="none")
    axes.set_ylabel("1 / interval (Hz)")


def _counts(axes: Axes, comparison: Comparison, sides: _Sides, factor: float) -> None:
    """Draw spikes per pulse, or per tenth of a run without pulses."""
    begin, t_stop = _span(comparison)
    starts, ends = _windows(comparison.neuron, begin, t_stop)
    pulses = has_pulses(comparison.neuron)
    if not pulses:
        edges = np.linspace(begin, t_stop, 11)
        starts, ends = edges[:-1], edges[1:]
    for (waveforms, label, colour), marker in zip(sides, "os", strict=True):
        count = spikes.spikes_per_window(waveforms.t_spike, starts, ends)
        middle = (starts + ends) / 2 * factor
        axes.plot(middle, count, marker, ms=3.5, color=colour, label=label, fillstyle="none")
    axes.set_ylabel("spikes per pulse" if pulses else "spikes per\ntenth of the run")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
    axes.locator_params(axis="y", integer=True)


def _span(comparison: Comparison) -> tuple[float, float]:
    """Return when both sides have begun, and when the first of them ends, in s."""
    a, b = comparison.a.time, comparison.b.time
    return float(max(a[0], b[0])), float(min(a[-1], b[-1]))


def _windows(neuron: Neuron, begin: float, end: float) -> tuple[_Floats, _Floats]:
    """Return the pulses that begin after `begin` and whose current is over by the time `end`."""
    return neuron.stimulus.whole_windows(neuron.t_stop, begin, end)

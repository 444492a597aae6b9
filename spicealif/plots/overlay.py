"""Circuit against reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figures import in_figure_style, new_figure, readable
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
    time_unit,
)
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["overlay_figure"]

_Floats = NDArray[np.float64]
#: Waveforms, label and colour of both sides.
_Sides: TypeAlias = tuple[tuple[Waveforms, str, str], ...]


@in_figure_style
def overlay_figure(comparison: Comparison) -> Figure:
    """Return circuit against reference: v_mem and v_c at both ends, raster, x, spikes per pulse.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    neuron = comparison.neuron
    sides = (
        (comparison.a, readable(comparison.labels[0]), CIRCUIT_COLOUR),
        (comparison.b, readable(comparison.labels[1]), REFERENCE_COLOUR),
    )
    begin, t_stop = _span(comparison)
    starts, ends = _windows(neuron, begin, t_stop)
    first, last = _ends_of_run(starts, ends, begin, t_stop)
    factor, unit = time_unit(t_stop)

    # Room between the upper panels, or the last tick label of one touches the first of the next.
    layout = ConstrainedLayoutEngine(wspace=0.05)
    figure = new_figure(10, 11, layout=layout)
    cut = t_stop < neuron.t_stop * (1 - 1e-9)
    ended = f" (ended at {t_stop * factor:.4g} {unit})" if cut else ""
    grid = figure.add_gridspec(5, 2, height_ratios=[3, 3, 1.3, 2.2, 2.2])
    for row, name in enumerate(("v_mem", "v_c")):
        left = figure.add_subplot(grid[row, 0])
        right = figure.add_subplot(grid[row, 1], sharey=left)
        right.tick_params(labelleft=False)
        left.set_ylabel(LABELS[name], parse_math=True)
        for axes, (t0, t1) in ((left, first), (right, last)):
            for waveforms, label, colour in sides:
                if name in waveforms:
                    draw_trace(axes, waveforms, name, factor, colour, (t0, t1), label=label)
            axes.set_xlim(t0 * factor, t1 * factor)
            axes.locator_params(axis="x", nbins=5)
            if name == "v_mem":
                axes.axhline(neuron.v_th, color="0.4", lw=0.8, ls=":")
            else:
                axes.set_xlabel(f"time ({unit})")
    top_left, top_right = figure.axes[:2]
    top_left.set_title("start of the run", fontsize=10)
    top_right.set_title("end of the run", fontsize=10)
    mark_threshold(top_right, neuron.v_th)

    raster = figure.add_subplot(grid[2, :])
    _raster(raster, sides, factor)
    state = figure.add_subplot(grid[3, :], sharex=raster)
    _state_or_rate(state, sides, factor, t_stop)
    rate = figure.add_subplot(grid[4, :], sharex=raster)
    _counts(rate, comparison, sides, factor)
    rate.set_xlabel(f"time ({unit})")
    rate.set_xlim(begin * factor, t_stop * factor)
    # Named here: matplotlib itself leaves out what begins with an underscore.
    figure.legend(
        top_left.lines[: len(sides)],
        [label for _, label, _ in sides],
        title=f"{neuron.name}{ended}",
        loc="outside upper center",
        ncols=2,
        frameon=False,
    )
    for axes in figure.axes:
        axes.grid(color="0.92", lw=0.6)
        axes.set_axisbelow(True)
    return figure


def _raster(axes: Axes, sides: _Sides, factor: float) -> None:
    for k, (waveforms, _, colour) in enumerate(sides):
        axes.eventplot(
            waveforms.t_spike * factor, lineoffsets=1 - k, linelengths=0.8, colors=colour, lw=0.7
        )
    axes.set_yticks([1, 0], [label.split(" (")[0] for _, label, _ in sides])
    axes.set_ylim(-0.6, 1.6)
    axes.set_title("spikes", fontsize=10)


def _state_or_rate(axes: Axes, sides: _Sides, factor: float, t_stop: float) -> None:
    """Draw x, or for a neuron without memristor the instantaneous rate."""
    with_state = [side for side in sides if "x" in side[0]]
    for waveforms, label, colour in with_state:
        draw_trace(axes, waveforms, "x", factor, colour, (0.0, t_stop), label=label)
    if with_state:
        axes.set_ylabel(LABELS["x"], parse_math=True)
        return
    for waveforms, label, colour in sides:
        t = waveforms.t_spike
        rate = spikes.instantaneous_rate(t)
        axes.plot(t[1:] * factor, rate, ".", ms=4, color=colour, label=label)
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
        axes.plot(middle, count, marker, ms=4, color=colour, label=label, fillstyle="none")
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


def _ends_of_run(
    starts: _Floats, ends: _Floats, begin: float, t_stop: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the first and the last two pulses, or tenths of a run without pulses."""
    if len(starts) > 3:
        return (float(starts[0]), float(ends[1])), (float(starts[-2]), float(ends[-1]))
    part = (t_stop - begin) / 10
    return (begin, begin + part), (t_stop - part, t_stop)

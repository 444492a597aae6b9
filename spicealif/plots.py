"""Figures: the paper's Fig. 5 and 6, and circuit against reference.

Drawn in a style of our own, see `spicealif._figures`; no window system is needed. Traces are
reduced to their extremes per horizontal pixel before they are drawn: the picture is the same and a
million samples cost no more than a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif import spikes
from spicealif._figures import (
    FIGURE_ENDINGS,
    figure_style,
    in_figure_style,
    new_figure,
    readable,
    save_figure,
)
from spicealif._tables import figure as figure_text
from spicealif.comparison import Comparison
from spicealif.design import Neuron
from spicealif.measures import has_pulses
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spicealif.circuit import Cause
    from spicealif.gap_budget import GapBudget, MeasureBudget

__all__ = [
    "FIGURE_ENDINGS",
    "budget_figure",
    "circuit_figure",
    "envelope",
    "figure_style",
    "overlay_figure",
    "reference_figure",
    "save_figure",
]

_Floats = NDArray[np.float64]
#: Waveforms, label and colour of both sides.
_Sides: TypeAlias = tuple[tuple[Waveforms, str, str], ...]

#: Okabe and Ito's palette, which people with colour vision deficiency can tell apart.
_CIRCUIT, _REFERENCE = "#0072B2", "#D55E00"
_LABELS = {
    "v_mem": r"$v_\mathrm{mem}$ (V)",
    "v_c": r"$v_\mathrm{c}$ (V)",
    "x": r"$x$",
    "spike": "spike (V)",
}
_PIXELS = 1500


@in_figure_style
def reference_figure(waveforms: Waveforms, neuron: Neuron) -> Figure:
    """Return the layout of the paper's Fig. 5: v_mem, x and v_c of the reference.

    Parameters
    ----------
    waveforms : Waveforms
        The reference's.
    neuron : Neuron
        Gives the threshold that is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = [n for n in ("v_mem", "x", "v_c") if n in waveforms]
    title = f"Reference (ODE by RK4, {readable(str(waveforms.attrs.get('variant', '')))})"
    return _stack(waveforms, neuron, names, _REFERENCE, title)


@in_figure_style
def circuit_figure(waveforms: Waveforms, neuron: Neuron) -> Figure:
    """Return the layout of the paper's Fig. 6: v_mem, v_c, spike and x of the circuit.

    Parameters
    ----------
    waveforms : Waveforms
        The circuit's.
    neuron : Neuron
        Gives the threshold that is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = [n for n in ("v_mem", "v_c", "spike", "x") if n in waveforms]
    title = f"Circuit ({readable(str(waveforms.attrs.get('simulator', 'SPICE')))})"
    return _stack(waveforms, neuron, names, _CIRCUIT, title)


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
        (comparison.a, readable(comparison.labels[0]), _CIRCUIT),
        (comparison.b, readable(comparison.labels[1]), _REFERENCE),
    )
    begin, t_stop = _span(comparison)
    starts, ends = _windows(neuron, begin, t_stop)
    first, last = _ends_of_run(starts, ends, begin, t_stop)
    factor, unit = _time_unit(t_stop)

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
        left.set_ylabel(_LABELS[name], parse_math=True)
        for axes, (t0, t1) in ((left, first), (right, last)):
            for waveforms, label, colour in sides:
                if name in waveforms:
                    _draw(axes, waveforms, name, factor, colour, (t0, t1), label=label)
            axes.set_xlim(t0 * factor, t1 * factor)
            axes.locator_params(axis="x", nbins=5)
            if name == "v_mem":
                axes.axhline(neuron.v_th, color="0.4", lw=0.8, ls=":")
            else:
                axes.set_xlabel(f"time ({unit})")
    top_left, top_right = figure.axes[:2]
    top_left.set_title("start of the run", fontsize=10)
    top_right.set_title("end of the run", fontsize=10)
    _mark_threshold(top_right, neuron.v_th)

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


def envelope(
    time: _Floats, values: _Floats, span: tuple[float, float], bins: int = _PIXELS
) -> tuple[_Floats, _Floats]:
    """Reduce a trace to its extremes in equal bins of time.

    Parameters
    ----------
    time, values : ndarray, shape (N,)
        The trace; time in s, not decreasing.
    span : tuple of float
        The part to keep, in s.
    bins : int
        Number of bins.

    Returns
    -------
    time, values : ndarray, shape (M,)
        The part of the trace in `span` with one sample beyond each end; if it has more than
        4 samples a bin, for each bin its lowest and its highest sample, in their order of time.
    """
    low = max(int(np.searchsorted(time, span[0])) - 1, 0)
    high = min(int(np.searchsorted(time, span[1], side="right")) + 1, len(time))
    t, v = time[low:high], values[low:high]
    if len(t) <= 4 * bins:
        return t, v
    edges = np.searchsorted(t, np.linspace(t[0], t[-1], bins + 1)[:-1])
    edges = np.unique(edges)
    width = np.diff(np.append(edges, len(t)))
    # argmin per bin without a loop: sort by (bin, value) and take the first and last of each.
    bin_of = np.repeat(np.arange(len(edges)), width)
    order = np.lexsort((v, bin_of))
    lowest, highest = order[edges], order[edges + width - 1]
    keep = np.unique(np.concatenate((lowest, highest)))
    return t[keep], v[keep]


def _waterfall(axes: Axes, budget: MeasureBudget, causes: list[Cause]) -> None:
    """Draw one measure: bars that each start where the one above ended, and their sum."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    shares = [s for s in budget.shares if s.cause in causes]
    values = [s.value for s in shares] + [budget.residual]
    starts = np.concatenate(([0.0], np.cumsum(values)))
    for k, (start, value) in enumerate(zip(starts, values, strict=False)):
        colour = _CIRCUIT if value >= 0 else _REFERENCE
        error = shares[k].error if k < len(shares) else 0.0
        axes.barh(k, value, left=start, color=colour, height=0.7, xerr=error or None)
        # thin lines lead from the end of one bar to the next
        axes.plot([start + value] * 2, [k, k + 1], color="0.6", lw=0.6, zorder=0)
    axes.barh(len(values), budget.gap, color="0.45", height=0.7)
    axes.axvline(0, color="0.3", lw=0.8)
    labels = [c.label for c in causes]
    axes.set_yticks(range(len(values) + 1), [*labels, "numerical residual", "gap"], fontsize=8)
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


def _stack(
    waveforms: Waveforms, neuron: Neuron, names: list[str], colour: str, title: str
) -> Figure:
    factor, unit = _time_unit(neuron.t_stop)
    figure = new_figure(8, 2.1 * len(names) + 0.6)
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for letter, axes, name in zip("abcd", panels, names, strict=False):
        _draw(axes, waveforms, name, factor, colour, (0.0, neuron.t_stop))
        if name == "v_mem":
            axes.axhline(neuron.v_th, color="0.4", lw=0.8, ls=":")
            _mark_threshold(axes, neuron.v_th)
        axes.set_ylabel(_LABELS[name], parse_math=True)
        axes.set_title(f"({letter})", loc="left", fontsize=10)
        axes.grid(color="0.92", lw=0.6)
        axes.set_axisbelow(True)
    panels[-1].set_xlabel(f"time ({unit})")
    panels[-1].set_xlim(0, neuron.t_stop * factor)
    figure.suptitle(f"{title}: {neuron.name}", fontsize=11)
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
        _draw(axes, waveforms, "x", factor, colour, (0.0, t_stop), label=label)
    if with_state:
        axes.set_ylabel(_LABELS["x"], parse_math=True)
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


def _draw(
    axes: Axes,
    waveforms: Waveforms,
    name: str,
    factor: float,
    colour: str,
    span: tuple[float, float],
    label: str | None = None,
) -> None:
    t, v = envelope(waveforms.time, waveforms[name], span)
    # The reference dashed, so that the circuit shows beneath where the two agree.
    style = "--" if label is not None and colour == _REFERENCE else "-"
    axes.plot(t * factor, v, style, color=colour, lw=0.9, label=label)


def _mark_threshold(axes: Axes, v_th: float) -> None:
    where = (1.005, v_th)
    text = r"$V_\mathrm{th}$"
    axes.annotate(
        text, where, xycoords=("axes fraction", "data"), va="center", fontsize=9, parse_math=True
    )


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


def _time_unit(t_stop: float) -> tuple[float, str]:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if t_stop * factor >= 1:
            return factor, unit
    return 1e9, "ns"

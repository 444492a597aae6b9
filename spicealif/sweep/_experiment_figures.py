"""Figures of the experiments that have one of their own: see `spicealif.sweep.presets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import dress, is_log, quantity
from spicealif._support.figures import new_figure
from spicealif.sweep import _panels as panels
from spicealif.sweep._grid_figures import map_row
from spicealif.sweep._results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT_FIGURES", "adaptation_map", "f_i_curve", "frequency_response", "temperature"]

CURRENT, FREQUENCY = "stimulus.amplitude", "stimulus.frequency"
DRIFT, TEMPERATURE = "drift", "temperature"
_LOOKS = {"circuit": "solid", "reference": "dashed"}
TAU, R_S = "leak.tau", "r_s"
#: So many amplitudes at most get an entry in the legend.
_AMPLITUDES = 8


def f_i_curve(results: Results) -> Figure:
    """Draw onset and steady rate over the current."""
    figure = new_figure(6.5, 4.8)
    axes = figure.add_subplot()
    current = results.coordinate(CURRENT)
    drawn = []
    for side in results.sides:
        silent = results.values("spike_count", side) == 0
        quiet = results.quiet_at_end(side)
        for name, text, style in (
            ("isi_first", "onset, 1 / first interval", {"fillstyle": "full"}),
            ("isi_last", "steady, 1 / last interval", {"fillstyle": "none", "alpha": 0.75}),
        ):
            with np.errstate(divide="ignore"):
                rate = 1 / results.values(name, side)
            rate[silent] = 0.0  # no spikes is a rate; one spike has no interval and stays out
            if name == "isi_last":
                rate[quiet] = 0.0  # adapted to silence: the last interval is no steady state's
            panels.line(axes, current, rate, side, label=f"{side}: {text}", **style)
            drawn.append(rate)
    panels.crosses(axes, current[results.failed])
    dress(axes.xaxis, "constant current", results.unit(CURRENT), current)
    dress(axes.yaxis, "rate", "Hz", np.concatenate(drawn))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    return panels.finish(figure, results, "f-I curve")


def frequency_response(results: Results) -> Figure:
    """Draw rate, spikes per period and mean interval over frequency, a line per amplitude."""
    import matplotlib as mpl
    from matplotlib.lines import Line2D

    figure = new_figure(12, 4.6)
    all_axes = figure.subplots(1, 3, sharex=True)
    frequency = results.coordinate(FREQUENCY).astype(float)
    levels = results.coordinate(CURRENT) if CURRENT in results.dims else np.zeros(1)
    order = [results.dims.index(d) for d in (FREQUENCY, CURRENT) if d in results.dims]
    shape = (len(frequency), len(levels))

    def table(values: NDArray[Any]) -> NDArray[Any]:
        return values.transpose(order).reshape(shape)

    failed = table(results.failed)
    # The lightest colours of the map are too faint on white.
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(levels)))
    for axes, measure in zip(all_axes, ("mean_rate", "", "isi_mean"), strict=True):
        drawn = []
        for side in results.sides:
            values = table(results.values(measure or "mean_rate", side))
            values = values if measure else values / frequency[:, None]
            for k, colour in enumerate(colours):
                panels.line(axes, frequency, values[:, k], side, color=colour, ms=3)
            drawn.append(values.ravel())
        # A row of crosses for each amplitude that has any, together in the lower third.
        with_failed = np.flatnonzero(failed.any(axis=0))
        apart = min(0.05, 0.3 / max(len(with_failed), 1))
        for row, i in enumerate(with_failed):
            panels.crosses(axes, frequency[failed[:, i]], 0.04 + apart * row, color=colours[i])
        dress(axes.xaxis, "stimulus frequency", "Hz", frequency, log=len(frequency) > 1)
        if measure:
            unit = results.unit(measure)
            dress(axes.yaxis, results.label(measure), unit, np.concatenate(drawn))
        else:
            # They fall as one over the frequency, down to 0, which a plain logarithm has no place
            # for: linear up to 1, logarithmic above.
            axes.set_yscale("symlog", linthresh=1, subs=range(2, 10))
            axes.yaxis.set_major_formatter(lambda v, _: f"{v:g}")
            axes.set_ylabel("spikes per period")
        axes.set_ylim(bottom=0)
    handles = [Line2D([], [], color=c, lw=2) for c in colours]
    labels = [quantity(level, results.unit(CURRENT)) for level in levels]
    if len(levels) > _AMPLITUDES:  # only some of them: the colours lie evenly between
        shown = np.linspace(0, len(levels) - 1, _AMPLITUDES).round().astype(int)
        handles, labels = [handles[i] for i in shown], [labels[i] for i in shown]
    if CURRENT not in results.dims:
        handles, labels = [], []
    for side in results.sides:
        look: panels.Style = {"color": "0.3", "lw": 1.2, "ms": 4}
        look |= {"ls": "--", "marker": "s", "fillstyle": "none"} if side == "reference" else {}
        look |= {"marker": "o"} if side == "circuit" else {}
        handles.append(Line2D([], [], **look))
        labels.append(side)
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return panels.finish(figure, results, "frequency response by amplitude")


def adaptation_map(results: Results) -> Figure:
    """Draw the ratio of last to first interval over tau and r_s, and what it costs."""
    sides = len(results.sides)
    figure = new_figure(10.5, 8.6) if sides > 1 else new_figure(11, 4.6)
    grid = figure.subplots(sides, 2, squeeze=False)
    *maps, cost = grid.ravel()
    map_row(figure, maps, results, "adaptation_ratio", (TAU, R_S))
    x, y = [], []
    for side in results.sides:
        x.append(results.values("adaptation_ratio", side).ravel())
        y.append(results.values("energy_per_spike", side).ravel())
        panels.points(cost, x[-1], y[-1], side)
    dress(cost.xaxis, results.label("adaptation_ratio"), "", np.concatenate(x))
    name, energies = "energy_per_spike", np.concatenate(y)
    log = is_log(energies[np.isfinite(energies)])
    dress(cost.yaxis, results.label(name), results.unit(name), energies, log=log)
    if sides > 1:
        cost.legend(frameon=False)
    cost.set_title("what adaptation costs", fontsize=10)
    what = "adaptation over time scale and series resistor"
    return panels.finish(figure, results, what, measure="adaptation_ratio", grey=True)


def temperature(results: Results) -> Figure:
    """Draw what intervals, their growth and the energy of a spike change by from 25 degC."""
    import matplotlib as mpl

    figure = new_figure(10, 7.4)
    celsius = results.coordinate(TEMPERATURE).astype(float) - 273.15
    names = [str(text) for text in results.of_points("description")[:, 0]]
    colours = [mpl.colormaps["viridis"](k) for k in np.linspace(0, 0.85, len(names) - 1)]
    colours.append(mpl.colors.to_rgba("#D55E00"))
    order = [results.dims.index(d) for d in (DRIFT, TEMPERATURE)]
    measures = ("isi_first", "isi_last", "isi_growth", "energy_per_spike")
    for axes, measure in zip(figure.subplots(2, 2, sharex=True).ravel(), measures, strict=True):
        for side in results.sides:
            values = results.values(measure, side).transpose(order)
            for name, colour, row in zip(names, colours, values, strict=True):
                label = name if side == results.sides[0] else None
                good = np.isfinite(row)
                ordinary = np.interp(25.0, celsius[good], row[good]) if good.any() else np.nan
                change = 100 * (row / ordinary - 1)
                panels.line(axes, celsius, change, side, color=colour, ms=3, label=label)
        dress(axes.xaxis, "temperature", "", celsius)
        axes.set_xlabel("temperature (\N{DEGREE SIGN}C)")
        axes.set_ylabel(f"{results.label(measure)}: change (%)")
    panels.legend_below(figure, figure.axes[0], 3)
    sides = " and ".join(f"{side} {_LOOKS.get(side, '')}".strip() for side in results.sides)
    return panels.finish(figure, results, f"change from 25 \N{DEGREE SIGN}C ({sides})")


#: How experiments are drawn, by kind and dimensions.
EXPERIMENT_FIGURES: Mapping[tuple[str, frozenset[str]], Callable[[Results], Figure]] = {
    ("f-i-curve", frozenset({CURRENT})): f_i_curve,
    ("frequency-response", frozenset({FREQUENCY, CURRENT})): frequency_response,
    ("frequency-response", frozenset({FREQUENCY})): frequency_response,
    ("adaptation-map", frozenset({TAU, R_S})): adaptation_map,
    ("temperature", frozenset({DRIFT, TEMPERATURE})): temperature,
}

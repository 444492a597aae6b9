"""Figures of the experiments that have one of their own: see `spicealif.sweep.presets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import (
    CELSIUS,
    ZERO_CELSIUS,
    dress,
    is_log,
    quantity,
    set_label,
)
from spicealif._support.figures import COLUMN, PAGE, add_legend, new_figure
from spicealif.sweep import _panels as panels
from spicealif.sweep._grid_figures import map_row
from spicealif.sweep._results import Results

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = ["EXPERIMENT_FIGURES", "adaptation_map", "f_i_curve", "frequency_response", "temperature"]

CURRENT, FREQUENCY = "stimulus.amplitude", "stimulus.frequency"
DRIFT, TEMPERATURE = "drift", "temperature"
TAU, R_S = "leak.tau", "r_s"
#: So many amplitudes at most get an entry in the legend.
_AMPLITUDES = 8
#: Where changes with temperature start from, in K.
_ORDINARY = ZERO_CELSIUS + 25.0
#: Areas of the smallest and the largest marker, in square points.
_AREAS = (5.0, 45.0)
#: So many of their sizes stand in the legend.
_SIZES = 3
#: Of what drifts, so that lines are told apart without colours too.
_MARKERS = "o^Dvs"
_ONSET, _STEADY = "onset, 1 / first interval", "steady, 1 / last interval"
#: Why there is no rate to be drawn, each with its mark.
_REASONS: Mapping[str, panels.Style] = {
    "no spikes": {"marker": "v", "ms": 3, "gid": "no rate"},
    "one spike, no interval": {"marker": "d", "ms": 3.5, "gid": "no rate"},
    "silent at the end": {"marker": "o", "ms": 2.8, "fillstyle": "none", "gid": "no rate"},
}  # fmt: skip


def f_i_curve(results: Results, title: bool | str = False) -> StyledFigure:
    """Draw onset and steady rate over the current, and below them where there is none, and why."""
    from matplotlib.lines import Line2D

    figure = new_figure(COLUMN, 92)
    axes, why = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    current = results.coordinate(CURRENT)
    drawn, reasons = [], set()
    for row, side in enumerate(results.sides):
        count = results.values("spike_count", side)
        quiet = results.quiet_at_end(side)
        for name, text, style in (
            ("isi_first", _ONSET, {"fillstyle": "full"}),
            ("isi_last", _STEADY, {"fillstyle": "none"}),
        ):
            with np.errstate(divide="ignore"):
                rate = 1 / results.values(name, side)
            if name == "isi_last":
                rate[quiet] = np.nan  # the last interval is no steady state's
            panels.line(axes, current, rate, side, label=f"{side}: {text}", **style)
            drawn.append(rate)
        for text, which in (
            ("no spikes", count == 0),
            ("one spike, no interval", count == 1),
            ("silent at the end", quiet),
        ):
            if which.any():
                reasons.add(text)
                why.plot(
                    current[which], np.full(int(which.sum()), row), ls="none", label=text,
                    color=panels.COLOURS[side], **_REASONS[text],
                )  # fmt: skip
    panels.crosses(axes, current[results.failed])
    dress(axes.xaxis, "", results.unit(CURRENT), current)
    dress(why.xaxis, "constant current", results.unit(CURRENT), current)
    dress(axes.yaxis, "rate", "Hz", np.concatenate(drawn))
    axes.set_ylim(bottom=0)
    axes.tick_params(labelbottom=False)
    axes.set_xlabel("")
    why.set_yticks(range(len(results.sides)), results.sides)
    why.set_ylim(len(results.sides) - 0.4, -0.6)
    why.tick_params(axis="y", length=0)
    why.grid(axis="y", visible=False)
    why.set_visible(bool(reasons))
    if not reasons:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(why.get_xlabel())
    entries = panels.side_looks(results, None)
    entries += [
        (Line2D([], [], color="0.3", marker="o", markerfacecolor=face), text)
        for text, face in ((_ONSET, "0.3"), (_STEADY, "none"))
    ]
    entries += [
        (Line2D([], [], color="0.3", ls="none", **look), text)
        for text, look in _REASONS.items()
        if text in reasons
    ]
    if results.failed.any():
        entries.append((Line2D([], [], **panels.CROSS), "failed"))
    add_legend(figure, [handle for handle, _ in entries], [text for _, text in entries])
    return panels.finish(figure, results, "f-I curve", title=title)


def frequency_response(results: Results, title: bool | str = False) -> StyledFigure:
    """Draw rate, spikes per period and mean interval over frequency, a line per amplitude."""
    import matplotlib as mpl
    from matplotlib.lines import Line2D

    figure = new_figure(PAGE, 72)
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
                panels.line(axes, frequency, values[:, k], side, color=colour)
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
    looks = panels.side_looks(results, markers=True)
    if failed.any():
        looks.append((Line2D([], [], **panels.CROSS), "failed"))
    add_legend(figure, [*handles, *(h for h, _ in looks)], [*labels, *(t for _, t in looks)])
    what = "frequency response by amplitude" if labels else "frequency response"
    return panels.finish(figure, results, what, title=title)


def adaptation_map(results: Results, title: bool | str = False) -> StyledFigure:
    """Draw the ratio of last to first interval over tau and r_s, and what it costs.

    Of what it costs there is a panel for each side: a point's colour is its tau, its size its r_s,
    and a line joins the points of one r_s.
    """
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.lines import Line2D

    name, n = "adaptation_ratio", len(results.sides)
    figure = new_figure(PAGE, 138 if n > 1 else 78)
    # Apart, so that the labels of the one leave the other its room.
    if n > 1:
        upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.25], squeeze=False).ravel()
        maps = list(upper.subplots(1, 3))
    else:
        upper, lower = figure.subfigures(1, 2, squeeze=False).ravel()
        maps = [upper.subplots()]
    costs = list(lower.subplots(1, n, sharex=True, sharey=True, squeeze=False)[0])
    map_row(upper, maps, results, name, (TAU, R_S))
    tau, r_s = results.of_points(TAU).astype(float), results.of_points(R_S).astype(float)
    levels = np.unique(r_s)
    ends = (float(tau.min()), float(tau.max()))
    norm = LogNorm(*ends) if is_log(results.coordinate(TAU)) else Normalize(*ends)
    area = np.interp(np.arange(len(levels)), [0, max(len(levels) - 1, 1)], _AREAS)
    ratios = [results.values(name, side) for side in results.sides]
    energies = [results.values("energy_per_spike", side) for side in results.sides]
    every = np.concatenate([e.ravel() for e in energies])
    for axes, side, ratio, energy in zip(costs, results.sides, ratios, energies, strict=True):
        for level, size in zip(levels, area, strict=True):
            of = np.flatnonzero(r_s.ravel() == level)
            of = of[np.argsort(tau.ravel()[of])]
            x, y = ratio.ravel()[of], energy.ravel()[of]
            axes.plot(x, y, color="0.75", lw=0.5, zorder=1)
            points = axes.scatter(
                x, y, s=size, c=tau.ravel()[of], norm=norm, cmap="viridis",
                edgecolors="0.2", linewidths=0.4, zorder=2,
            )  # fmt: skip
        dress(axes.xaxis, results.label(name), "", np.concatenate([r.ravel() for r in ratios]))
        log = is_log(every[np.isfinite(every)])
        unit = results.unit("energy_per_spike")
        dress(axes.yaxis, results.label("energy_per_spike"), unit, every, log=log)
        axes.set_title(f"{side}: what adaptation costs" if n > 1 else "what adaptation costs")
        axes.label_outer()
    panels.colour_bar(lower, points, costs, results, TAU, "", results.coordinate(TAU))
    shown = np.unique(np.linspace(0, len(levels) - 1, _SIZES).round().astype(int))
    handles = [Line2D([], [], marker="o", ls="none", ms=area[k] ** 0.5, color="0.4") for k in shown]
    labels = [f"{results.label(R_S)} = {quantity(levels[k], results.unit(R_S))}" for k in shown]
    sizes = list(zip(handles, labels, strict=True))
    panels.map_legend(lower if n > 1 else figure, maps, results, name, sizes, formulas=True)
    what = f"adaptation over {results.label(TAU)} and {results.label(R_S)}"
    return panels.finish(figure, results, what, measure=name, title=title)


def temperature(results: Results, title: bool | str = False) -> StyledFigure:
    """Draw what intervals, their growth and the energy of a spike change by from 25 degC."""
    import matplotlib as mpl

    figure = new_figure(PAGE, 132)
    kelvin = results.coordinate(TEMPERATURE).astype(float)
    names = [str(text) for text in results.of_points("description")[:, 0]]
    colours = [mpl.colormaps["viridis"](k) for k in np.linspace(0, 0.85, len(names) - 1)]
    colours.append(mpl.colors.to_rgba(str(panels.COLOURS["reference"])))
    order = [results.dims.index(d) for d in (DRIFT, TEMPERATURE)]
    measures = ("isi_first", "isi_last", "isi_growth", "energy_per_spike")
    all_axes = figure.subplots(2, 2, sharex=True).ravel()
    for axes, measure in zip(all_axes, measures, strict=True):
        for side in results.sides:
            values = results.values(measure, side).transpose(order)
            for k, (name, row) in enumerate(zip(names, values, strict=True)):
                good = np.isfinite(row)
                usual = np.interp(_ORDINARY, kelvin[good], row[good]) if good.any() else np.nan
                change = 100 * (row / usual - 1)
                panels.line(
                    axes, kelvin, change, side, color=colours[k], marker=_MARKERS[k],
                    label=name if side == results.sides[0] else None,
                )  # fmt: skip
        dress(axes.xaxis, "temperature", "K", kelvin)
        set_label(axes.yaxis, f"{results.label(measure)}:\nchange from 25 {CELSIUS} (%)")
        if axes in all_axes[:2]:
            axes.set_xlabel("")
    figure.align_ylabels()
    panels.legend_below(figure, [all_axes[0]], panels.side_looks(results, "0.3"))
    return panels.finish(figure, results, f"change from 25 {CELSIUS}", title=title)


#: How experiments are drawn, by kind and dimensions.
EXPERIMENT_FIGURES: Mapping[
    tuple[str, frozenset[str]], Callable[[Results, bool | str], StyledFigure]
] = {
    ("f-i-curve", frozenset({CURRENT})): f_i_curve,
    ("frequency-response", frozenset({FREQUENCY, CURRENT})): frequency_response,
    ("frequency-response", frozenset({FREQUENCY})): frequency_response,
    ("adaptation-map", frozenset({TAU, R_S})): adaptation_map,
    ("temperature", frozenset({DRIFT, TEMPERATURE})): temperature,
}

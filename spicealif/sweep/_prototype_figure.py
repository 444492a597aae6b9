"""The figure of a Monte Carlo experiment: histograms, what moves a measure, yield."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import dress, quantity, with_prefix
from spicealif._support.figure_symbols import parameter_label
from spicealif._support.figures import PAGE, new_figure
from spicealif._support.kept import tell
from spicealif.errors import SweepError
from spicealif.sweep import _panels as panels
from spicealif.sweep._results import MAIN_MEASURES, Results
from spicealif.sweep.statistics import Sensitivity, Yield, sensitivity, yield_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spicealif._support.styled_figure import StyledFigure

__all__ = ["YIELD_WIDTH", "Limits", "prototypes"]

_Floats = NDArray[np.float64]
Limits: TypeAlias = Mapping[str, tuple[float, float]]

#: Yields count prototypes within this part of the nominal value unless limits are given.
YIELD_WIDTH = 0.1
#: A linear regression that explains less than this gives way to one of ranks.
_LINEAR = 0.7
_BINS = (5, 40)
#: Histograms in a row.
_ROW = 4


def prototypes(
    results: Results, measure: str | None, limits: Limits | None, title: bool | str = False
) -> StyledFigure:
    """Draw how built neurons scatter, what makes them scatter, and how many are good."""
    of = results.side()
    shown = [measure] if measure else [*dict.fromkeys([*(limits or ()), *MAIN_MEASURES])]
    shown = [m for m in shown if m == measure or np.isfinite(results.values(m, of)).any()][:_ROW]
    shown = shown or [MAIN_MEASURES[0]]
    good = dict(limits) if limits else _default_limits(results, shown)
    figure = new_figure(PAGE, 138)
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.3], squeeze=False).ravel()
    alone = len(shown) == 1
    histograms = list(upper.subplots(1, 2 if alone else len(shown), squeeze=False)[0])
    share = histograms.pop() if alone else None
    for axes, name in zip(histograms, shown, strict=True):
        varied = [s for s in results.sides_of(name) if s is None or s != results.nominal_side]
        _histogram_panel(axes, results, name, varied, good.get(name))
        if axes is not histograms[0]:
            axes.set_ylabel("")
    panels.legend_below(upper, histograms)
    if share is None:
        tornado, share = lower.subplots(1, 2)
    else:
        tornado = lower.subplots()
    _tornado(tornado, results, shown)
    each: list[tuple[str, tuple[float, float] | None, Yield]] = [
        (name, ends, yield_of(results.dataset, {name: ends}, of)) for name, ends in good.items()
    ]
    if limits:
        _tell_of_none(results, of, each)
    if len(good) > 1:
        each.append(("all of these", None, yield_of(results.dataset, good, of)))
    around = "nominal value" if results.nominal_side else "median"
    kept = "limits as given" if limits else f"limits: {around} ± {100 * YIELD_WIDTH:g} %"
    _yield_panel(share, results, each, f"yield of the {of};\n{kept}")
    return panels.finish(figure, results, "prototypes", marked=False, title=title)


def _tell_of_none(
    results: Results, of: str, each: Sequence[tuple[str, tuple[float, float] | None, Yield]]
) -> None:
    """Say of limits that no prototype is within where the prototypes are: a unit may be wrong."""
    for name, ends, share in each:
        values = results.values(name, of)
        values = values[np.isfinite(values)]
        if ends is None or share.share > 0 or not len(values):
            continue
        (low, high), unit = (float(values.min()), float(values.max())), results.unit(name)
        tell(
            f"No prototype is within the limits ({_interval(ends, unit)}): {name} of the {of} runs "
            f"from {quantity(low, unit)} to {quantity(high, unit)}; see the limits' unit."
        )


def _default_limits(results: Results, measures: Sequence[str]) -> dict[str, tuple[float, float]]:
    out = {}
    for name in measures:
        middle = results.nominal(name)
        if not math.isfinite(middle):
            values = results.values(name, results.side())
            finite = values[np.isfinite(values)]
            middle = float(np.median(finite)) if len(finite) else math.nan
        if math.isfinite(middle) and middle:  # a tenth of nothing is no limit
            ends = sorted((middle * (1 - YIELD_WIDTH), middle * (1 + YIELD_WIDTH)))
            out[name] = (ends[0], ends[1])
    return out


def _tornado(axes: Axes, results: Results, measures: Sequence[str]) -> None:
    """Draw the sensitivity of the first measure that has one, or say why there is none."""
    trouble = ""
    for name in measures:
        try:
            table = _best_regression(results, name)
        except SweepError as error:
            trouble = trouble or str(error)
            continue
        _bars_panel(axes, table, results.label(name), results.unit(name))
        return
    axes.set_axis_off()
    panels.note(axes, trouble)


def _best_regression(results: Results, measure: str) -> Sensitivity:
    linear = sensitivity(results.dataset, measure)
    if linear.r_squared >= _LINEAR:
        return linear
    ranks = sensitivity(results.dataset, measure, method="rank")
    return ranks if ranks.r_squared > linear.r_squared else linear


def _histogram_panel(
    axes: Axes,
    results: Results,
    measure: str,
    sides: Sequence[str | None],
    limits: tuple[float, float] | None,
) -> None:
    """Draw how a measure scatters, the design's own value, and the limits as a grey band."""
    columns = {side: results.values(measure, side).ravel() for side in sides}
    good = {side: v[np.isfinite(v)] for side, v in columns.items()}
    everything = np.concatenate(list(good.values()))
    dress(axes.xaxis, results.label(measure), results.unit(measure), everything)
    axes.set_ylabel("prototypes")
    if not len(everything):
        panels.note(axes, "no values")
        return
    if lacking := results.without(measure):
        axes.set_title(f"{lacking} without a value")
    edges = _bins(everything)
    for side, values in good.items():
        # The second side as an outline, so that the first shows beneath.
        second = side == "reference" and len(sides) > 1
        look: panels.Style = {"alpha": 0.75}
        if second:
            look = {"histtype": "step", "ls": "--", "lw": 1.2}
        look |= {"color": panels.COLOURS[side], "label": panels.side_label(side)}
        axes.hist(values, edges.tolist(), **look)
    nominal = results.nominal(measure)
    if math.isfinite(nominal):
        axes.axvline(
            nominal,
            color=panels.COLOURS[results.nominal_side],
            ls="--",
            lw=1.2,
            label=f"{results.nominal_side}, as designed",
        )
    if limits is not None:
        low, high = axes.get_xlim()
        ends = np.clip(limits, low, high)
        axes.axvspan(*ends, color="0.88", zorder=0, label="within the limits")
        axes.set_xlim(low, high)
    axes.locator_params(axis="y", integer=True)


def _bars_panel(axes: Axes, table: Sensitivity, label: str, unit: str) -> None:
    """Draw a tornado: a bar for each parameter, the longest on top, with 95 % error bars."""
    rows = range(len(table.names))
    axes.barh(
        rows,
        table.coefficients,
        xerr=1.96 * table.standard_errors,
        color=panels.COLOURS[table.side or None],
        height=0.7,
        alpha=0.75,
        error_kw={"lw": 0.8, "ecolor": "0.3"},
    )
    axes.axvline(0, color="0.3", lw=0.6)
    names = [parameter_label(name) for name in table.names]
    axes.set_yticks(rows, names, parse_math=True)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(table.names) - 0.4, -0.6)
    axes.locator_params(axis="x", nbins=5)
    of = " of ranks" if table.method == "rank" else ""
    axes.set_xlabel(f"standardised regression coefficient{of}\nwith 95 % error bars")
    side = f" ({table.side})" if table.side else ""
    title = f"what moves the {label}{side}:\nR² = {table.r_squared:.2f}, n = {table.n}"
    axes.set_title(title, parse_math=True)
    if table.method == "linear":
        top = axes.secondary_xaxis(
            "top", functions=(_times(table.scatter), _times(1 / table.scatter))
        )
        top.spines["top"].set_visible(True)
        per = "per standard deviation\nof the parameter"
        dress(top.xaxis, per, unit, table.scatter * table.coefficients)
        top.xaxis.labelpad = 4


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda value: np.multiply(value, factor)


def _yield_panel(
    axes: Axes,
    results: Results,
    rows: Sequence[tuple[str, tuple[float, float] | None, Yield]],
    title: str,
) -> None:
    """Draw the share of prototypes within each limit, with its interval.

    Parameters
    ----------
    axes : Axes
    results : Results
    rows : sequence of (str, (float, float) or None, Yield)
        Measure and limits; no limits for the row of all together, whose name is a plain text.
    title : str
    """
    if not rows:
        axes.set_axis_off()
        panels.note(axes, "There are no values to set limits around.")
        return
    axes.set_title(title)
    labels = []
    for k, (name, limits, share) in enumerate(rows):
        percent = 100 * np.array(share)
        error = [[max(percent[0] - percent[1], 0)], [max(percent[2] - percent[0], 0)]]
        axes.errorbar(percent[0], k, xerr=error, fmt="o", color="0.2", ms=3.5)
        told = f"{percent[0]:.0f} % ({percent[1]:.0f} to {percent[2]:.0f})"
        axes.annotate(
            told, (1.0, k), xycoords=("axes fraction", "data"), xytext=(5, 0),
            textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip
        text = results.label(name) if limits else name
        labels.append(f"{text}\n{_interval(limits, results.unit(name))}" if limits else text)
    axes.set_yticks(range(len(rows)), labels, parse_math=True)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("prototypes within the limits (%)\nwith 95 % Wilson interval")


def _interval(limits: tuple[float, float], unit: str) -> str:
    low, high = limits
    if math.isinf(low) and math.isinf(high):
        return "any value"
    if math.isinf(low):
        return f"at most {quantity(high, unit)}"
    if math.isinf(high):
        return f"at least {quantity(low, unit)}"
    # Both in the prefix of the larger one.
    factor, text = with_prefix(max(abs(low), abs(high)), unit)
    return f"{low * factor:.4g} to {high * factor:.4g} {text}".rstrip()


def _bins(values: _Floats) -> _Floats:
    """Return the edges of a histogram's bins: not too few, and not as many as outliers ask for."""
    if np.ptp(values) <= 1e-9 * np.abs(values).max():
        middle, half = float(values[0]), 0.05 * abs(float(values[0])) or 1.0
        return np.linspace(middle - half, middle + half, 6)
    # The rule's width follows from the bulk, so that outliers would make bins by the thousand.
    quarter = np.subtract(*np.percentile(values, [75, 25])) or float(np.ptp(values))
    count = float(np.ptp(values)) / (2 * quarter / len(values) ** (1 / 3))
    return np.linspace(values.min(), values.max(), int(np.clip(math.ceil(count), *_BINS)) + 1)

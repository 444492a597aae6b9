"""Figures of what a circuit makes of a readout: levels, budget, energy against accuracy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif._support.figure_symbols import say_what, with_symbols
from spicealif._support.figures import COLUMN, PAGE, add_legend, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spicealif._support.styled_figure import StyledFigure
    from spicealif.learning._accuracy_shown import AccuracyBudgetShown
    from spicealif.learning._energy_shown import EnergyShown
    from spicealif.learning._transfer_shown import TransferShown

__all__ = [
    "accuracy_budget_figure",
    "circuit_study_figure",
    "energy_figure",
    "transfer_figure",
]

#: Okabe and Ito's colours: what costs accuracy, what gains some, sums, what is trained anew.
_COSTS, _GAINS, _SUM, _AGAIN = "#D55E00", "#0072B2", "0.5", "#009E73"
_STRIPES = "////"
#: Height of a row, and of a panel's title and axis, in mm.
_ROW, _AROUND = 4.6, 20.0


@in_figure_style
def accuracy_budget_figure(
    budget: AccuracyBudgetShown, *, title: bool | str = False
) -> StyledFigure:
    """Draw a budget: a bar for each share with its interval of 95 %, and their sum.

    Parameters
    ----------
    budget : AccuracyBudget
    title : bool or str
        Whether it says above what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide. Shares within chance are pale.
    """
    figure = new_figure(PAGE, _AROUND + _ROW * (len(budget.shares) + 2))
    _budget(figure.subplots(), budget)
    _budget_key(figure)
    drawn = f" and {budget.n_draws} draws of the tolerances" if budget.n_draws else ""
    return say_what(
        figure,
        f"Points of accuracy that the circuit loses against the ideal equations, over "
        f"{budget.n_samples} test samples{drawn}: Shapley shares with intervals of 95 %; pale: "
        "within chance.",
        title,
    )


def _budget_key(figure: StyledFigure) -> None:
    from matplotlib.patches import Patch

    key = [
        Patch(facecolor=_COSTS),
        Patch(facecolor=_GAINS, edgecolor="white", hatch=_STRIPES, lw=0),
        Patch(facecolor=_COSTS, alpha=0.3),
        Patch(facecolor=_SUM),
    ]
    add_legend(figure, key, ["costs accuracy", "gains some", "within chance", "sum"])


def _budget(axes: Axes, budget: AccuracyBudgetShown) -> None:
    shares = [*budget.shares, budget.residual]
    rows = [(s.value, s.interval, s.within_chance) for s in shares]
    rows.append((budget.loss.value, budget.loss, False))
    for k, (value, interval, chance) in enumerate(rows):
        last = k == len(rows) - 1
        costs = value >= 0
        colour = _SUM if last else _COSTS if costs else _GAINS
        axes.barh(
            k, 100 * value, height=0.7, lw=0, color=colour, alpha=0.3 if chance else 1.0,
            hatch=None if costs or last else _STRIPES, edgecolor="white",
        )  # fmt: skip
        if math.isfinite(interval.low):
            ends = 100 * np.clip([interval.low, interval.high], -1, 1)
            axes.plot(ends, [k, k], "-", color="0.2", lw=0.8)
    labels = [with_symbols(s.player.label) for s in shares]
    axes.set_yticks(range(len(rows)), [*labels, "sum"], parse_math=True)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0, color="0.3", lw=0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("lost accuracy (points)")
    axes.set_title(
        f"{100 * budget.ideal.value:.1f} % (ideal equations) → "
        f"{100 * budget.circuit.value:.1f} % ({budget.whole})"
    )


@in_figure_style
def transfer_figure(carried: TransferShown, *, title: bool | str = False) -> StyledFigure:
    """Draw a transfer: the accuracy of each level with its interval, and that trained anew.

    Parameters
    ----------
    carried : Transfer
    title : bool or str
        See `accuracy_budget_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        88 mm wide.
    """
    figure = new_figure(COLUMN, _AROUND + _ROW * len(carried.levels))
    axes = figure.subplots()
    _transfer(axes, carried)
    add_legend(figure, *axes.get_legend_handles_labels())
    return say_what(
        figure,
        f"Accuracy over {carried.n_test} test samples of a readout trained on features of the "
        "ideal equations, with intervals of 95 %.",
        title,
    )


def _transfer(axes: Axes, carried: TransferShown) -> None:
    for k, level in enumerate(carried.levels):
        again = k > 0 and level.accuracy_recovered is not None
        up = -0.12 if again else 0.0  # a level with one dot has it on its tick
        found = [(level.accuracy, _COSTS, "o", "trained on ideal features", up)]
        if again and level.accuracy_recovered is not None:
            found.append((level.accuracy_recovered, _AGAIN, "s", "trained on its own", 0.12))
        for estimate, colour, marker, label, up in found:
            ends = np.clip([estimate.low, estimate.high], 0, 1) * 100
            if np.isfinite(ends).all():
                axes.plot(ends, [k + up] * 2, "-", color=colour, lw=0.8)
            seen = axes.get_legend_handles_labels()[1]
            axes.plot(
                [100 * estimate.value], [k + up], marker, color=colour, markersize=4,
                linestyle="none", label=None if label in seen else label,
            )  # fmt: skip
    axes.set_yticks(range(len(carried.levels)), [level.label for level in carried.levels])
    axes.set_ylim(len(carried.levels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("accuracy (%)")


@in_figure_style
def energy_figure(found: EnergyShown, *, title: bool | str = False) -> StyledFigure:
    """Draw energy per decision against accuracy, with adaptation on and off.

    Parameters
    ----------
    found : EnergyPerDecision
    title : bool or str
        See `accuracy_budget_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        88 mm wide.
    """
    figure = new_figure(COLUMN, 60.0)
    axes = figure.subplots()
    _energy(axes, found)
    add_legend(figure, *axes.get_legend_handles_labels())
    return say_what(
        figure,
        f"Energy of {found.n_neurons} neurons for a decision against accuracy over "
        f"{len(found.on.right)} test samples: mean, the middle 90 % of the samples, and the "
        "accuracy's interval of 95 %; hollow: without what the supplies deliver idle.",
        title,
    )


def _energy(axes: Axes, found: EnergyShown) -> None:
    largest = max(float(of.total.max()) for of in (found.on, found.off))
    factor, unit = _joule(largest)
    # The square is larger, and below: where both are at one place both are seen.
    for of, colour, marker, size, z in (
        (found.on, _COSTS, "o", 4, 3.0), (found.off, _GAINS, "s", 6, 2.5),
    ):  # fmt: skip
        look: Any = {"color": colour, "marker": marker, "markersize": size, "zorder": z}
        energy, right = factor * float(of.total.mean()), 100 * of.accuracy.value
        low, high = factor * np.quantile(of.total, [0.05, 0.95])
        axes.plot([low, high], [right, right], "-", color=colour, lw=0.8)
        axes.plot(
            [energy, energy], [100 * of.accuracy.low, 100 * of.accuracy.high], "-", color=colour,
            lw=0.8,
        )  # fmt: skip
        axes.plot([energy], [right], linestyle="none", label=of.label, **look)
        if math.isfinite(of.idle):
            axes.plot([energy - factor * of.idle], [right], linestyle="none", mfc="none", **look)
    if math.isfinite(found.on.idle):
        axes.plot([], [], "o", color="0.4", mfc="none", markersize=4, linestyle="none",
                  label="without idle supplies")  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_xlabel(f"energy per decision ({unit})")
    axes.set_ylabel("accuracy (%)")


def _joule(largest: float) -> tuple[float, str]:
    for factor, unit in ((1.0, "J"), (1e3, "mJ"), (1e6, "µJ"), (1e9, "nJ")):
        if largest * factor >= 1:
            return factor, unit
    return 1e12, "pJ"


@in_figure_style
def circuit_study_figure(
    name: str,
    carried: TransferShown,
    found: EnergyShown | None = None,
    budget: AccuracyBudgetShown | None = None,
    *,
    title: bool | str = False,
) -> StyledFigure:
    """Draw a study of a circuit: levels, energy against accuracy, and the budget if there is one.

    Parameters
    ----------
    name : str
        Of the task.
    carried : Transfer
    found : EnergyPerDecision, optional
    budget : AccuracyBudget, optional
    title : bool or str
        See `accuracy_budget_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.
    """
    above = max(_AROUND + _ROW * len(carried.levels), 60.0)
    below = _AROUND + _ROW * (len(budget.shares) + 2) if budget is not None else 0.0
    figure = new_figure(PAGE, above + below)
    heights = [above, below] if budget is not None else [above]
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    panels = [figure.add_subplot(grid[0, 0])]
    _transfer(panels[0], carried)
    if found is not None:
        panels.append(figure.add_subplot(grid[0, 1]))
        _energy(panels[1], found)
    panels[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    for axes in panels[1:]:
        axes.legend(loc="center")  # totals are on the right, and what is not idle on the left
    if budget is not None:
        _budget(figure.add_subplot(grid[1, :]), budget)
        _budget_key(figure)
    return say_what(
        figure,
        f"The task {name} from ideal equations to the circuit: accuracy of a readout over "
        f"{carried.n_test} test samples, energy per decision, and what the lost points are made "
        "of; intervals of 95 %.",
        title,
    )

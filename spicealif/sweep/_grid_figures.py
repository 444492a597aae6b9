"""Figures of any sweep: lines over one parameter, maps over two or three, drawn points."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import dress, is_log, is_text, positions, quantity, set_label
from spicealif._support.figures import COLUMN, PAGE, new_figure
from spicealif.errors import SweepError
from spicealif.sweep import _panels as panels
from spicealif.sweep._results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    from spicealif._support.styled_figure import StyledFigure

__all__ = ["lines", "many_maps", "map_row", "maps", "scatter"]

_Floats = NDArray[np.float64]
#: So many values of a third parameter at most make a row of maps.
_COLUMNS = 6
_DIFFERENCE = "circuit minus reference"
#: Of a panel's width on the page, what is left for the axis itself in mm.
_LEFT = 0.6
#: Characters of a label to a mm of a panel's width on the page.
_CHARACTERS = 0.5


def lines(results: Results, measure: str | None, title: bool | str = False) -> StyledFigure:
    """Draw measures over the only parameter; a measure of both sides with their difference."""
    (dim,) = results.dims
    shown: list[str] = [measure] if measure else list(results.main)
    with_gap = measure is not None and len(results.sides_of(measure)) > 1
    n = len(shown) + with_gap
    columns = 1 if n == 1 else 2
    rows = -(-n // columns)
    figure = new_figure(COLUMN if columns == 1 else PAGE, 10 + 54 * rows)
    all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
    column = results.coordinate(dim)
    x = positions(column)
    for axes, name in zip(all_axes, [*shown, *([None] if with_gap else [])], strict=False):
        if name is None:
            gap = results.gap(shown[0])
            panels.line(axes, x, gap, None, label=_DIFFERENCE)
            axes.axhline(0, color="0.5", lw=0.6)
            of, values = shown[0], [gap]
            label = f"{results.label(of)}:\n{_DIFFERENCE}"
        else:
            of, label = name, results.label(name)
            values = [results.values(name, side) for side in results.sides_of(name)]
            for side, y in zip(results.sides_of(name), values, strict=True):
                panels.line(axes, x, y, side)
        panels.crosses(axes, x[results.failed])
        dress(
            axes.xaxis, results.label(dim), results.unit(dim), column,
            log=is_log(column), grid=True, room=65,
        )  # fmt: skip
        dress(axes.yaxis, label, results.unit(of), np.concatenate(values))
        if not np.isfinite(np.concatenate(values)).any():
            panels.note(axes, "no values")
    for axes in all_axes[n:]:
        axes.set_visible(False)
    panels.legend_below(figure, list(all_axes[:n]))
    figure.align_ylabels()
    what = f"{results.label(measure) if measure else 'measures'} over {results.label(dim)}"
    return panels.finish(figure, results, what, title=title)


def scatter(results: Results, measure: str, title: bool | str = False) -> StyledFigure:
    """Draw a measure against each parameter of points that were drawn."""
    names = results.parameters
    columns = 2 if len(names) in (2, 4) else min(len(names), 3) or 1
    rows = -(-len(names) // columns) or 1
    figure = new_figure(COLUMN if columns == 1 else PAGE, 10 + 52 * rows)
    all_axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    sides = results.sides_of(measure)
    values = {side: results.values(measure, side).ravel() for side in sides}
    for k, (axes, name) in enumerate(zip(all_axes, names, strict=False)):
        x = _scatter_axis(axes, results, name)
        for side, y in values.items():
            panels.points(axes, x, y, side)
        panels.crosses(axes, x[results.failed.ravel()])
        if k % columns == 0:
            everything = np.concatenate(list(values.values()))
            dress(axes.yaxis, results.label(measure), results.unit(measure), everything)
    for axes in all_axes[len(names) :]:
        axes.set_visible(False)
    panels.legend_below(figure, list(all_axes[: len(names)]))
    return panels.finish(figure, results, results.label(measure), measure=measure, title=title)


def maps(results: Results, measure: str, title: bool | str = False) -> StyledFigure:
    """Draw maps over two parameters: both sides and their difference, or one side."""
    x, y = results.dims
    views = 3 if len(results.sides_of(measure)) > 1 else 1
    figure = new_figure(PAGE, 66) if views > 1 else new_figure(COLUMN, 72)
    row = figure.subplots(1, views, squeeze=False)[0]
    map_row(figure, list(row), results, measure, (x, y))
    panels.map_legend(figure, list(row), results, measure)
    return panels.finish(figure, results, results.label(measure), measure=measure, title=title)


def many_maps(results: Results, measure: str, title: bool | str = False) -> StyledFigure:
    """Draw maps over two parameters for each value of a third."""
    lengths = dict(zip(results.dims, results.failed.shape, strict=True))
    across = min(lengths, key=lambda d: lengths[d])
    if len(lengths) > 3 or lengths[across] > _COLUMNS:
        told = ", ".join(f"{d} ({k} values)" for d, k in lengths.items())
        example = results.coordinate(across)[0]
        value = repr(example.item()) if hasattr(example, "item") else repr(example)
        raise SweepError(
            f"A figure shows at most two parameters and up to {_COLUMNS} values of a third, and "
            f"this sweep has {told}; take a slice, such as dataset.sel({{{across!r}: {value}}}) "
            f"(--at {across}={value})."
        )
    x, y = (d for d in results.dims if d != across)
    columns = results.coordinate(across)
    at = results.dims.index(across)
    sides = results.sides_of(measure)
    rows: list[tuple[str, _Floats]] = [
        (panels.side_label(s) if len(sides) > 1 else "", results.values(measure, s)) for s in sides
    ]
    norm: Any = panels.shared_norm([v for _, v in rows])
    looks: list[tuple[Any, Any]] = [(norm, "viridis")] * len(rows)
    if len(sides) > 1:
        rows.append((_DIFFERENCE, results.gap(measure)))
        looks.append(panels.gap_norm([rows[-1][1]]))
    figure = new_figure(PAGE, 14 + 42 * len(rows))
    all_axes = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey=True)
    for k, ((what, values), (norm, cmap)) in enumerate(zip(rows, looks, strict=True)):
        for i, axes in enumerate(all_axes[k]):
            cells = np.take(values, i, at)
            mesh = panels.map_panel(
                axes, results, cells, (x, y), norm, cmap, np.take(results.failed, i, at),
                room=_LEFT * PAGE / len(columns),
            )  # fmt: skip
            if what == _DIFFERENCE:
                panels.minus_signs(axes, results, cells, (x, y))
            if k == 0:
                value = quantity(columns[i], results.unit(across))
                axes.set_title(f"{results.label(across)} = {value}", parse_math=True)
            axes.label_outer()
        panels.colour_bar(figure, mesh, list(all_axes[k]), results, measure, what, values)
    for axes in all_axes[-1]:  # which may be too narrow for their label
        words = textwrap.wrap(axes.get_xlabel(), int(_CHARACTERS * PAGE / len(columns)))
        set_label(axes.xaxis, "\n".join(words))
    panels.map_legend(figure, list(all_axes.ravel()), results, measure)
    return panels.finish(figure, results, results.label(measure), measure=measure, title=title)


def map_row(
    figure: FigureBase, row: list[Axes], results: Results, measure: str, dims: tuple[str, str]
) -> None:
    """Draw maps of both sides with one colour scale and of their difference, or of one side."""
    turned = dims != results.dims
    sides = results.sides_of(measure)
    values = [results.values(measure, side) for side in sides]
    views: list[tuple[str, _Floats, Any, Any]] = []
    norm: Any = panels.shared_norm(values)
    for side, v in zip(sides, values, strict=True):
        views.append((panels.side_label(side), v, norm, "viridis"))
    if len(sides) > 1:
        gap = results.gap(measure)
        views.append((_DIFFERENCE, gap, *panels.gap_norm([gap])))
    failed = results.failed.T if turned else results.failed
    for axes, (what, v, scale, cmap) in zip(row, views, strict=True):
        cells = v.T if turned else v
        mesh = panels.map_panel(
            axes, results, cells, dims, scale, cmap, failed, room=_LEFT * PAGE / len(views)
        )
        if len(views) > 1:  # else there is but one
            axes.set_title(what)
        # Sides share their colours and so the prefix of their bars.
        shared = np.concatenate(values) if scale is norm else v
        difference = what == _DIFFERENCE
        if difference:
            panels.minus_signs(axes, results, cells, dims)
        panels.colour_bar(
            figure, mesh, [axes], results, measure, "difference of" if difference else "", shared
        )


def _scatter_axis(axes: Axes, results: Results, name: str) -> _Floats:
    """Make a parameter the x axis of drawn points; return where they lie, shape (n,)."""
    column = results.of_points(name).ravel()
    log = not is_text(column) and is_log(column)
    dress(axes.xaxis, results.label(name), results.unit(name), column, log=log)
    return positions(column)

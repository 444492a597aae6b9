"""The panels that sweeps' figures are made of; each draws into axes that it is given."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import (
    cell_edges,
    dress,
    is_log,
    positions,
    quantity,
)
from spicealif._support.figures import readable
from spicealif._support.text import shown
from spicealif.sweep._results import PROTOTYPE, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure, FigureBase

__all__ = [
    "COLOURS", "Style", "colour_bar", "crosses", "finish", "gap_norm", "legend_below", "line",
    "map_panel", "note", "points", "shared_norm", "side_label",
]  # fmt: skip

_Floats = NDArray[np.float64]
Style = dict[str, Any]

#: The same as in `spicealif.plots`: Okabe and Ito's blue and orange; black for the pair.
COLOURS: Mapping[str | None, str] = {"circuit": "#0072B2", "reference": "#D55E00", None: "0.2"}
_CROSS: Style = {"marker": "x", "ls": "none", "ms": 6, "mew": 1.5, "color": "0.1"}


def side_label(side: str | None) -> str:
    """Return what a side is called in a legend."""
    return side or "circuit and reference"


def _grid_lines(axes: Axes) -> None:
    """Draw the faint grid of all our figures."""
    axes.grid(color="0.92", lw=0.6)
    axes.set_axisbelow(True)


def note(axes: Axes, text: str) -> None:
    """Write a sentence into the middle of a panel that has nothing to show."""
    look: Style = {"ha": "center", "va": "center", "color": "0.4", "wrap": True, "fontsize": 9}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, **look)


def line(axes: Axes, x: _Floats, y: _Floats, side: str | None, **style: Any) -> None:
    """Draw a measure over a parameter: circuit solid with dots, reference dashed with squares."""
    order = np.argsort(x)
    look: Style = {"lw": 1.2, "ms": 4, "color": COLOURS[side]}
    if side == "reference":
        look |= {"ls": "--", "marker": "s", "fillstyle": "none"}
    else:
        look |= {"ls": "-", "marker": "o"}
    axes.plot(x[order], y[order], **(look | {"label": side_label(side)} | style))


def points(axes: Axes, x: _Floats, y: _Floats, side: str | None) -> None:
    """Draw points without lines."""
    line(axes, x, y, side, ls="none", alpha=0.8)


def crosses(axes: Axes, x: _Floats, height: float = 0.04, **style: Any) -> None:
    """Mark failed points by crosses at a height (0 to 1) of the panel, along its lower edge."""
    if len(x):
        look = _CROSS | {"label": "failed", "gid": "failed", "clip_on": False} | style
        axes.plot(x, np.full(len(x), height), transform=axes.get_xaxis_transform(), **look)


def map_panel(
    axes: Axes,
    results: Results,
    values: _Floats,
    dims: tuple[str, str],
    norm: Normalize,
    cmap: Any,
    failed: NDArray[np.bool_],
) -> QuadMesh:
    """Draw a map of values over two parameters.

    Parameters
    ----------
    axes : Axes
    results : Results
    values : ndarray, shape (n_x, n_y)
        NaN stays grey.
    dims : (str, str)
        The parameters along x and y.
    norm, cmap
        The colours.
    failed : ndarray of bool, shape (n_x, n_y)
        Where to put crosses.

    Returns
    -------
    QuadMesh
        For the colour bar.
    """
    edges, order, middles = [], [], []
    for dim, axis in zip(dims, (axes.xaxis, axes.yaxis), strict=True):
        column = results.coordinate(dim)
        log = is_log(column)
        where = positions(column)
        order.append(np.argsort(where))
        middles.append(where)
        edges.append(cell_edges(where[order[-1]], log=log))
        dress(axis, results.label(dim), results.unit(dim), column, log=log, grid=True)
    axes.set_facecolor("0.82")
    cells = np.ma.masked_invalid(values[np.ix_(*order)].T)
    mesh = axes.pcolormesh(*edges, cells, norm=norm, cmap=cmap, rasterized=cells.size > 10_000)
    axes.set_xlim(edges[0][0], edges[0][-1])
    axes.set_ylim(edges[1][0], edges[1][-1])
    at = np.nonzero(failed)
    if len(at[0]):
        axes.plot(
            middles[0][at[0]], middles[1][at[1]], **(_CROSS | {"gid": "failed", "label": "failed"})
        )
    axes.minorticks_off()
    return mesh


def shared_norm(values: Sequence[_Floats]) -> Normalize:
    """Return a colour scale from the lowest to the highest of several maps' values."""
    from matplotlib.colors import Normalize

    good = np.concatenate([v[np.isfinite(v)] for v in values])
    return Normalize(float(good.min()), float(good.max())) if len(good) else Normalize(0, 1)


def gap_norm(values: Sequence[_Floats]) -> tuple[Normalize, Any]:
    """Return a colour scale around 0 and its colours: blue where the circuit's value is larger."""
    from matplotlib.colors import CenteredNorm, LinearSegmentedColormap

    good = np.concatenate([np.abs(v[np.isfinite(v)]) for v in values])
    half = float(good.max()) if len(good) and good.max() > 0 else 1.0
    colours = [str(COLOURS["reference"]), "white", str(COLOURS["circuit"])]
    return CenteredNorm(0, half), LinearSegmentedColormap.from_list("gap", colours)


def colour_bar(
    figure: Figure,
    mesh: Any,
    beside: list[Axes],
    results: Results,
    measure: str,
    what: str,
    values: _Floats,
) -> None:
    """Add a colour bar beside panels; `values` chooses its prefix, `what` begins its label."""
    bar = figure.colorbar(mesh, ax=beside)
    label = f"{what}:\n{results.label(measure)}" if what else results.label(measure)
    dress(bar.ax.yaxis, label, results.unit(measure), values)


def legend_below(figure: FigureBase, axes: Axes, columns: int | None = None) -> None:
    """Add the legend of a panel that stands for all, each name once, if there is a choice."""
    handles, labels = axes.get_legend_handles_labels()
    by_name = dict(zip(labels, handles, strict=True))
    if len(by_name) > 1:
        figure.legend(
            list(by_name.values()), list(by_name), loc="outside lower center",
            ncols=columns or len(by_name), frameon=False,
        )  # fmt: skip


def finish(
    figure: Figure,
    results: Results,
    what: str,
    *,
    marked: bool = True,
    measure: str | None = None,
    grey: bool = False,
) -> Figure:
    """Add grid and title: the neuron, what is shown, and how many points are not to be seen.

    Parameters
    ----------
    figure : Figure
    results : Results
    what : str
        What is shown.
    marked : bool
        Whether failed points are marked by crosses.
    measure : str, optional
        What points may lack without having failed, which the title then says.
    grey : bool
        Whether such points are grey cells.

    Returns
    -------
    Figure
        The same.
    """
    from matplotlib.collections import QuadMesh

    for axes in figure.axes:
        if not any(isinstance(c, QuadMesh) for c in axes.collections):
            _grid_lines(axes)
    lines = [f"{readable(results.name)}: {what}" if results.name else what]
    told = [f"{name} = {quantity(v, results.unit(name))}" for name, v in results.fixed.items()]
    if told:
        lines.append(", ".join(told[:4]) + (", ..." if len(told) > 4 else ""))
    failed = int(results.failed.sum())
    unit = "prototypes" if results.dims == (PROTOTYPE,) else "points"
    count = f"{results.size} {unit}"
    if failed:
        after = " (crosses)" if marked else " (outside every limit)"
        count += f", {failed} of them failed{after}"
    if measure is not None and (lacking := results.without(measure)):
        count += f", {lacking} without a value" + (" (grey)" if grey else "")
    sides = " and ".join(results.sides)
    lines.append(f"{sides}, {count}")
    if said := str(results.dataset.attrs.get("witness", "")):
        lines += textwrap.wrap(shown(said), int(9.5 * figure.get_figwidth()))[:3]
    figure.suptitle("\n".join(lines), fontsize=11)
    return figure

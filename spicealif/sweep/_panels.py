"""The panels that sweeps' figures are made of; each draws into axes that it is given."""

from __future__ import annotations

import math
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
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import add_legend
from spicealif._support.text import shown
from spicealif.sweep._results import PROTOTYPE, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize
    from matplotlib.figure import FigureBase

    from spicealif._support.styled_figure import StyledFigure

__all__ = [
    "COLOURS", "CROSS", "Style", "colour_bar", "crosses", "finish", "gap_norm", "legend_below",
    "line", "map_legend", "map_panel", "minus_signs", "note", "points", "shared_norm",
    "side_label", "side_looks",
]  # fmt: skip

_Floats = NDArray[np.float64]
Style = dict[str, Any]

#: The same as in `spicealif.plots`: Okabe and Ito's blue and orange; black for the pair.
COLOURS: Mapping[str | None, str] = {"circuit": "#0072B2", "reference": "#D55E00", None: "0.2"}
CROSS: Style = {"marker": "x", "ls": "none", "ms": 4.5, "mew": 1.1, "color": "0.1"}
_MINUS: Style = {
    "marker": "_", "ls": "none", "ms": 4, "mew": 0.9, "color": "black", "gid": "minus",
    "label": "circuit below reference",
}  # fmt: skip
_GREY = "0.82"
#: Cells at most in which a minus shows a negative difference.
_SIGNED = 200


def side_label(side: str | None) -> str:
    """Return what a side is called in a legend."""
    return side or "circuit and reference"


def side_looks(
    results: Results, colour: str | None = "0.3", *, markers: bool = False
) -> list[tuple[Any, str]]:
    """Return legend entries of the sides' lines.

    Parameters
    ----------
    results : Results
    colour : str or None
        Of both, where colours stand for something else; None for the sides' own.
    markers : bool
        Whether the sides have their own markers, too.
    """
    from matplotlib.lines import Line2D

    out = []
    for side in results.sides:
        second = side == "reference"
        look: Style = {"ls": "--" if second else "-", "color": colour or COLOURS[side]}
        if markers:
            look |= {"marker": "s", "fillstyle": "none"} if second else {"marker": "o"}
        out.append((Line2D([], [], **look), side))
    return out


def note(axes: Axes, text: str) -> None:
    """Write a sentence into the middle of a panel that has nothing to show."""
    look: Style = {"ha": "center", "va": "center", "color": "0.4", "wrap": True}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, **look)


def line(axes: Axes, x: _Floats, y: _Floats, side: str | None, **style: Any) -> None:
    """Draw a measure over a parameter: circuit solid with dots, reference dashed with squares."""
    order = np.argsort(x)
    look: Style = {"color": COLOURS[side]}
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
        look = CROSS | {"label": "failed", "gid": "failed", "clip_on": False} | style
        axes.plot(x, np.full(len(x), height), transform=axes.get_xaxis_transform(), **look)


def map_panel(
    axes: Axes,
    results: Results,
    values: _Floats,
    dims: tuple[str, str],
    norm: Normalize,
    cmap: Any,
    failed: NDArray[np.bool_],
    room: float = math.inf,
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
    room : float
        Width of the panel in mm.

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
        dress(
            axis, results.label(dim), results.unit(dim), column, log=log, grid=True,
            room=room if axis is axes.xaxis else math.inf,
        )  # fmt: skip
    axes.set_facecolor(_GREY)
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    cells = values[np.ix_(*order)].T  # pcolormesh leaves out what is not finite
    mesh = axes.pcolormesh(*edges, cells, norm=norm, cmap=cmap, rasterized=cells.size > 10_000)
    axes.set_xlim(edges[0][0], edges[0][-1])
    axes.set_ylim(edges[1][0], edges[1][-1])
    at = np.nonzero(failed)
    if len(at[0]):
        axes.plot(
            middles[0][at[0]], middles[1][at[1]], **(CROSS | {"gid": "failed", "label": "failed"})
        )
    axes.minorticks_off()
    return mesh


def minus_signs(axes: Axes, results: Results, values: _Floats, dims: tuple[str, str]) -> bool:
    """Mark where differences are below 0, which both ends of a colour scale are alike dark for.

    Parameters
    ----------
    axes : Axes
        With the map of the differences.
    results : Results
    values : ndarray, shape (n_x, n_y)
    dims : (str, str)

    Returns
    -------
    bool
        Whether there are marks: there is a negative difference, and cells are few.
    """
    below = np.nonzero(values < 0)
    if not len(below[0]) or values.size > _SIGNED:
        return False
    x, y = (positions(results.coordinate(dim)) for dim in dims)
    axes.plot(x[below[0]], y[below[1]], **_MINUS)
    return True


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
    figure: FigureBase,
    mesh: Any,
    beside: list[Axes],
    results: Results,
    measure: str,
    what: str,
    values: _Floats,
) -> None:
    """Add a colour bar beside panels; `values` chooses its prefix, `what` begins its label."""
    bar = figure.colorbar(mesh, ax=beside, aspect=25, pad=0.02)
    label = f"{what}\n{results.label(measure)}" if what else results.label(measure)
    log = bar.ax.get_yscale() == "log"
    dress(bar.ax.yaxis, label, results.unit(measure), values, log=log)
    bar.ax.grid(visible=False)


def legend_below(
    figure: FigureBase,
    of: Sequence[Axes],
    more: Sequence[tuple[Any, str]] = (),
    least: int = 2,
    formulas: bool = False,
) -> None:
    """Add the legend of panels, each name once, if it has something to tell.

    Parameters
    ----------
    figure : Figure or SubFigure
    of : sequence of Axes
    more : sequence of (Artist, str)
        Entries that no panel has.
    least : int
        So many entries are worth a legend.
    formulas : bool
        Whether entries hold formulas.
    """
    by_name: dict[str, Any] = {}
    for axes in of:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            by_name.setdefault(label, handle)
    by_name |= {label: handle for handle, label in more}
    if len(by_name) >= least:
        add_legend(figure, list(by_name.values()), list(by_name), formulas=formulas)


def map_legend(
    figure: FigureBase,
    of: Sequence[Axes],
    results: Results,
    measure: str,
    more: Sequence[tuple[Any, str]] = (),
    formulas: bool = False,
) -> None:
    """Add the legend of maps: crosses, grey cells and minus signs, as far as there are any."""
    from matplotlib.patches import Patch

    grey = [(Patch(facecolor=_GREY), "no value")] if results.without(measure) else []
    legend_below(figure, of, [*grey, *more], 1, formulas)


def finish(
    figure: StyledFigure,
    results: Results,
    what: str,
    *,
    marked: bool = True,
    measure: str | None = None,
    title: bool | str = False,
) -> StyledFigure:
    """Add the caption: the neuron, what is shown, and how many points are not to be seen.

    Parameters
    ----------
    figure : StyledFigure
    results : Results
    what : str
        What is shown; may hold formulas.
    marked : bool
        Whether failed points are marked by crosses.
    measure : str, optional
        What points may lack without having failed, which the caption then says.
    title : bool or str
        Whether the caption is drawn, or what is drawn instead.

    Returns
    -------
    Figure
        The same.
    """
    said = f"{plain(results.name)}: {what}" if results.name else what
    told = [
        f"{results.label(name)} = {quantity(v, results.unit(name))}"
        for name, v in results.fixed.items()
    ]
    if told:
        said += " at " + ", ".join(told[:4]) + (", ..." if len(told) > 4 else "")
    failed = int(results.failed.sum())
    unit = "prototypes" if results.dims == (PROTOTYPE,) else "points"
    count = f"{results.size} {unit}"
    if failed:
        after = " (crosses)" if marked else " (outside every limit)"
        count += f", {failed} of them failed{after}"
    if measure is not None and (lacking := results.without(measure)):
        count += f", {lacking} without a value"
    said += f"; {' and '.join(results.sides)}, {count}"
    if witness := str(results.dataset.attrs.get("witness", "")):
        said += f"; {plain(shown(witness).rstrip('.'))}"
    return say_what(figure, said, title)

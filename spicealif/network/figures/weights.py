"""Who is joined to whom, and how strongly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figure_axes import dress, is_log
from spicealif._support.figure_symbols import plain, say_what
from spicealif._support.figures import PAGE, in_figure_style, new_figure
from spicealif.errors import CompareError
from spicealif.network.circuit import NetworkSolution
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, Synapses, expand

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spicealif._support.styled_figure import StyledFigure

__all__ = ["weights_figure"]

_Floats = NDArray[np.float64]
_COLUMNS = 3
#: Labels and units of the parameters that weights set.
_KNOWN = {
    "r": ("resistance", "ohm"),
    "g_m": ("transconductance", "S"),
    "device.x_0": ("state", ""),
}


@in_figure_style
def weights_figure(
    network: Network | Expanded,
    solution: NetworkSolution | None = None,
    *,
    title: bool | str = False,
) -> Figure:
    """Return a matrix of weights for each projection: a row for each source, a column each target.

    Parameters
    ----------
    network : Network or Expanded
    solution : NetworkSolution, optional
        With it, projections through memristors have a second matrix: the states at the end.
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there.

    Returns
    -------
    matplotlib.figure.Figure
        180 mm wide.

    Raises
    ------
    CompareError
        If there are no synapses, or the solution is of another network.
    """
    expanded = network if isinstance(network, Expanded) else expand(network)
    if not any(len(some.pre) for some in expanded.synapses):
        raise CompareError("The network has no synapses; there are no weights to draw.")
    total = sum(len(some.pre) for some in expanded.synapses)
    if solution is not None and (
        len(solution.weights_end) != total or solution.expanded.names != expanded.names
    ):
        raise CompareError("The solution is of another network; give that which it is of.")
    panels: list[tuple[str, Synapses, _Floats, str, str]] = []
    begin = 0
    for some in expanded.synapses:
        ends = slice(begin, begin + len(some.pre))
        begin = ends.stop
        label, unit, values = _weights(some)
        of = f"{some.projection.source} → {some.projection.target}"
        if solution is not None and some.synapse.memristor is not None:
            after = solution.weights_end[ends, some.synapse.n_states - 1]
            panels += [(f"{of}, start", some, values, label, unit)]
            panels += [(f"{of}, end", some, after, label, unit)]
        else:
            panels.append((of, some, values, label, unit))
    columns = min(len(panels), _COLUMNS) if len(panels) != 4 else 2
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(PAGE, 8 + rows * (58 if columns > 2 else 72))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (name, some, values, label, unit) in zip(axes, panels, strict=False):
        shared = [v for _, s, v, _, _ in panels if s is some]
        _matrix(figure, ax, expanded, some, values, np.concatenate(shared), label, unit)
        ax.set_title(plain(name), parse_math=True)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    states = " and states of memristors at start and end" if solution is not None else ""
    name = plain(expanded.network.name)
    return say_what(figure, f"{name}: weights of the synapses{states}, by projection", title)


def _weights(some: Synapses) -> tuple[str, str, _Floats]:
    """Return what a projection's weights are: label, unit, and one for each synapse."""
    name = next(
        (n for n in some.values if n in some.synapse.weights.values()),
        "device.x_0" if some.synapse.memristor is not None else "",
    )
    name = name or next(iter(some.synapse.weights.values()))
    if name in some.values:
        values = some.values[name]
    else:
        of: Any = some.synapse
        for part in name.split("."):
            of = getattr(of, part)
        values = np.full(len(some.pre), float(of))
    label, unit = _KNOWN.get(name, (name, ""))
    sign = getattr(some.synapse, "sign", 1)
    return label, unit, values * sign if name != "device.x_0" else values


def _matrix(
    figure: StyledFigure,
    axes: Axes,
    expanded: Expanded,
    some: Synapses,
    values: _Floats,
    shared: _Floats,
    label: str,
    unit: str,
) -> None:
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.ticker import MaxNLocator

    (pre_of, first_pre), (post_of, first_post) = (
        _range(expanded, name) for name in (some.projection.source, some.projection.target)
    )
    matrix = np.full((pre_of, post_of), np.nan)
    for a, b, v in zip(some.pre - first_pre, some.post - first_post, values, strict=True):
        matrix[a, b] = v if np.isnan(matrix[a, b]) else matrix[a, b] + v
    low, high = float(shared.min()), float(shared.max())
    if label == "state":
        low, high = 0.0, 1.0
    log = label != "state" and is_log(shared)
    if low == high:
        low, high = min(0.0, low), max(0.0, high)
    norm = LogNorm(low, high) if log else Normalize(low, high)
    image = axes.imshow(matrix, norm=norm, cmap="viridis", interpolation="nearest", aspect="auto")
    axes.set_facecolor("0.9")
    axes.grid(visible=False)
    axes.set_xlabel(f"target ({some.projection.target})")
    axes.set_ylabel(f"source ({some.projection.source})")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
    bar = figure.colorbar(image, ax=axes, pad=0.03)
    dress(bar.ax.yaxis, label, unit, shared, log=log)


def _range(expanded: Expanded, name: str) -> tuple[int, int]:
    """Return the size of a population or source, and the number of its first."""
    network = expanded.network
    begin = 0
    for one in network.populations:
        if one.name == name:
            return one.size, begin
        begin += one.size
    for source in network.sources:
        if source.name == name:
            return source.size, begin
        begin += source.size
    raise CompareError(f"The network has no population {ascii(name)}.")

"""What figures of networks share: colours, axes of time and of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spicealif.network.measures import Trains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "MARKERS", "groups_of", "label_neurons", "time_unit"]

#: Okabe and Ito's palette, which people with colour vision deficiency can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: What tells lines apart without colours.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
#: So many neurons get a tick each.
_NAMED = 16


def groups_of(trains: Trains) -> list[tuple[str, NDArray[np.int64]]]:
    """Return each population's name and the places of its neurons among these."""
    if trains.expanded is None:
        return [("neurons", np.arange(len(trains.names)))]
    out, begin = [], 0
    for population in trains.expanded.network.populations:
        end = begin + population.size
        here = np.flatnonzero((trains.neurons >= begin) & (trains.neurons < end))
        if len(here):
            out.append((population.name, here))
        begin = end
    return out


def label_neurons(axes: Axes, names: tuple[str, ...]) -> None:
    """Give the y axis the neurons' names, or their numbers where they are many."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    if len(names) <= _NAMED:
        axes.set_yticks(range(len(names)), list(names))
    axes.set_ylabel("neuron")
    axes.grid(axis="y", visible=False)


def time_unit(t_stop: float) -> tuple[float, str]:
    """Return the factor from s to a unit that suits the run, and the unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if t_stop * factor >= 1:
            return factor, unit
    return 1e9, "ns"

"""The waveforms of a window, and what is kept of them when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit import layout
from spicealif.design import MemristorModel
from spicealif.network.circuit.arrays import NetworkArrays
from spicealif.network.circuit.result import NeuronTraces
from spicealif.network.expanded import Expanded
from spicealif.network.netlist.played import source_points

__all__ = ["Waves"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
#: Knots, spikes and corners that there is first room for.
FIRST_KNOTS, FIRST_SPIKES, FIRST_CORNERS = 1024, 64, 128
#: Columns of `circuit.run`'s rows that are kept, as they are called in traces.
_COLUMNS = {"v_c": 1, "v_mem": 2, "x": 3, "spike": 4, "v_d": 6}


class Waves:
    """Waves of all nodes over one window, and what previous windows left.

    Parameters
    ----------
    expanded : Expanded
    arrays : NetworkArrays
    kept : ndarray of int
        Neurons whose traces are kept.
    """

    def __init__(self, expanded: Expanded, arrays: NetworkArrays, kept: _Ints) -> None:
        self._expanded, self._arrays, self._kept = expanded, arrays, kept
        self._n, self._nodes = len(expanded.neurons), len(expanded.names)
        self._slot = np.full(self._n, -1, dtype=np.int64)
        self._slot[kept] = np.arange(len(kept))
        self._which = np.zeros(self._nodes, dtype=np.int64)
        self.status = np.zeros(self._n, dtype=np.int64)
        self._n_spikes = np.zeros(self._n, dtype=np.int64)
        self._rows = np.zeros(self._n, dtype=np.int64)
        self.pulsing = np.zeros(self._n, dtype=np.bool_)
        self.lowest = np.zeros(self._n)
        self.steps = np.zeros(self._n, dtype=np.int64)
        self._all_spikes: list[list[_Floats]] = [[] for _ in range(self._n)]
        self._all_rows: list[list[_Floats]] = [[] for _ in kept]
        t_stop = expanded.network.t_stop
        self._sources = [source_points(one, times, t_stop) for one, times in expanded.sources]
        self._make(FIRST_KNOTS, FIRST_SPIKES, FIRST_CORNERS)

    def _make(self, knots: int, spikes: int, corners: int) -> None:
        self._times = np.zeros((2, self._nodes, knots))
        self._values = np.zeros((2, 4, self._nodes, knots))
        self._counts = np.zeros((2, self._nodes), dtype=np.int64)
        self._spikes = np.zeros((self._n, spikes))
        self._corners = np.zeros((2, self._nodes, corners))
        self._n_corners = np.zeros((2, self._nodes), dtype=np.int64)
        self._buffers = np.zeros((len(self._kept), 9, knots))

    def arguments(self) -> tuple[Any, ...]:
        """Return waves, corners, results and kept traces as `kernel.sweep` takes them."""
        scratch = np.empty((9, self._times.shape[2]))
        return (
            (self._times, self._values, self._counts, self._which), self._corners,
            self._n_corners,
            (self.status, self._spikes, self._n_spikes, self._rows, self.pulsing, self.steps,
             self.lowest),
            (self._slot, self._buffers, scratch),
        )  # fmt: skip

    def grow(self) -> None:
        """Double all room; what is in it stays."""
        (times, values, spikes, corners) = (self._times, self._values, self._spikes, self._corners)
        (counts, n_corners, buffers) = (self._counts, self._n_corners, self._buffers)
        self._make(2 * times.shape[2], 2 * spikes.shape[1], 2 * corners.shape[2])
        self._times[..., : times.shape[2]] = times
        self._values[..., : times.shape[2]] = values
        self._spikes[:, : spikes.shape[1]] = spikes
        self._corners[..., : corners.shape[2]] = corners
        self._buffers[..., : buffers.shape[2]] = buffers
        (self._counts, self._n_corners) = (counts, n_corners)

    def begin(self, t: float) -> None:
        """Set the waves that the first guess is made of."""
        self._counts[:] = 1
        self._times[..., 0] = t
        for k in range(self._n):
            self._values[:, 0, k, 0] = self._arrays.level[k]
            self._values[:, 2, k, 0] = self._arrays.y[k, layout.Y_V_C]

    def guess(self, begin: float, end: float) -> None:
        """Let every output stay where it is and every capacitor go on; sources are known."""
        self.pulsing[:] = False
        self.lowest[:] = np.inf
        nodes = np.arange(self._n)
        side = self._which[: self._n]
        last = self._counts[side, nodes] - 1
        at_end = self._times[side, nodes, last] > begin  # a window that is taken again
        last = np.where(at_end, 0, last)
        for column in (0, 2):
            v = self._values[side, column, nodes, last]
            slope = np.zeros(self._n)
            if column == 2:
                slope = self._values[side, 3, nodes, last].copy()
                # A capacitor that is being discharged does not go on like that.
                slope[v + slope * (end - begin) < np.minimum(v, 0.0)] = 0.0
                self.lowest[:] = np.minimum(v, v + slope * (end - begin))
            self._values[side, column, nodes, 0] = v
            self._values[side, column, nodes, 1] = v + slope * (end - begin)
            self._values[side, column + 1, nodes, 0] = slope
            self._values[side, column + 1, nodes, 1] = slope
        self._times[side, nodes, 0] = begin
        self._times[side, nodes, 1] = end
        self._counts[side, nodes] = 2
        self._n_corners[side, nodes] = 0
        for k, (t, v) in enumerate(self._sources):
            self._set_source(self._n + k, t, v, begin, end)

    def _set_source(self, node: int, t: _Floats, v: _Floats, begin: float, end: float) -> None:
        """Write the straight pieces of a source's wave, two knots where they meet."""
        inside = t[(t > begin) & (t < end)]
        points = np.concatenate([[begin], inside, [end]])
        values = np.interp(points, t, v)
        slopes = np.diff(values) / np.diff(points)
        count = 2 * (len(points) - 1)
        while count + 2 > self._times.shape[2] or len(inside) > self._corners.shape[2]:
            self.grow()
        self._times[0, node, 0:count:2], self._times[0, node, 1:count:2] = points[:-1], points[1:]
        self._values[0, 0, node, 0:count:2] = values[:-1]
        self._values[0, 0, node, 1:count:2] = values[1:]
        self._values[0, 1, node, 0:count:2] = self._values[0, 1, node, 1:count:2] = slopes
        self._counts[0, node] = count
        self._corners[0, node, : len(inside)] = inside
        self._n_corners[0, node] = len(inside)

    def flip(self, ids: _Ints) -> None:
        """Let the new waves of these neurons count."""
        self._which[ids] = 1 - self._which[ids]

    def accept(self, begin: float, end: float, state: list[Any]) -> None:
        """Keep spikes and traces of a window that is done."""
        for k in np.flatnonzero(self._n_spikes):
            self._all_spikes[k].append(self._spikes[k, : self._n_spikes[k]].copy())
        for slot, k in enumerate(self._kept):
            side, count = self._which[k], int(self._rows[k])
            rows = np.empty((11, count))
            rows[:9] = self._buffers[slot, :, :count]
            rows[9] = self._values[side, 1, k, :count]
            rows[10] = self._values[side, 3, k, :count]
            self._all_rows[slot].append(rows)

    def spikes(self) -> tuple[_Floats, ...]:
        """Return the spike times of every neuron."""
        return tuple(np.concatenate([*s, np.zeros(0)]) for s in self._all_spikes)

    def traces(self) -> Mapping[int, NeuronTraces]:
        """Return the traces that are kept."""
        out = {}
        for slot, k in enumerate(self._kept):
            rows = np.concatenate(self._all_rows[slot], axis=1)
            # The end of a window and the beginning of the next may differ by rounding.
            rows[0] = np.maximum.accumulate(rows[0])
            signals = {name: rows[column] for name, column in _COLUMNS.items()}
            signals |= {"spike_slope": rows[9], "v_c_slope": rows[10]}
            if not isinstance(self._expanded.neurons[k].leak, MemristorModel):
                del signals["x"]
            out[int(k)] = NeuronTraces(rows[0], signals)
        return out

"""A network's waveforms over (neuron, time), and its spikes, as one xarray.Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.errors import CompareError
from spicealif.network.measures import trains_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["to_dataset"]

_Floats = NDArray[np.float64]
#: Quantities in a dataset, and their units.
_UNITS = {"v_c": "V", "v_mem": "V", "x": "1", "spike": "V", "v_d": "V"}
#: Points of the grid unless told.
_POINTS = 2001


def to_dataset(result: Any, time: ArrayLike | None = None) -> xr.Dataset:
    """Return a result of a network as a dataset.

    Parameters
    ----------
    result : NetworkSolution or NetworkReference
    time : array_like, shape (k,), optional
        The common grid in s, increasing, within the run; 2,001 points over all of it if not given.

    Returns
    -------
    xarray.Dataset
        Coordinates ``neuron`` (names of those whose traces were kept) and ``time`` in s, and for
        each quantity an array over both: between a trace's samples by the cubic of its slopes where
        it has them (``v_c`` and ``spike`` of a solution), else by straight lines; NaN for ``x`` of
        a neuron without a memristor. Spikes of all neurons are ragged: ``t_spike`` over ``spike_``
        with ``spike_neuron``, the number of the neuron in ``name``; sorted by neuron, then time.
        ``spike_`` has this name because ``spike`` is the output's voltage.

    Raises
    ------
    CompareError
        If the grid is not increasing or leaves the run.

    Examples
    --------
    >>> network = load_network_preset("pair").replace(t_stop="0.1m")
    >>> data = to_dataset(solve_network(network, keep="all"))
    >>> data.sizes["neuron"]
    2
    """
    import xarray as xr

    trains = trains_of(result)
    grid = np.linspace(0.0, trains.t_stop, _POINTS) if time is None else _grid(time, trains.t_stop)
    traces = getattr(result, "traces", {})
    kept = [k for k, name in enumerate(trains.names) if k in traces or name in traces]
    columns: dict[str, _Floats] = {}
    for row, k in enumerate(kept):
        t, signals = _signals(traces[k] if k in traces else traces[trains.names[k]])
        for name in _UNITS:
            if name in signals:
                values = columns.setdefault(name, np.full((len(kept), len(grid)), np.nan))
                values[row] = _at(grid, t, signals[name], signals.get(f"{name}_slope"))
    count = [len(t) for t in trains.t_spike]
    data: dict[str, Any] = {
        name: (("neuron", "time"), values, {"units": _UNITS[name]})
        for name, values in columns.items()
    }
    data["t_spike"] = ("spike_", np.concatenate([*trains.t_spike, np.empty(0)]), {"units": "s"})
    data["spike_neuron"] = ("spike_", np.repeat(np.arange(len(count)), count))
    attrs: dict[str, Any] = {"t_stop": trains.t_stop, "side": trains.label}
    if trains.expanded is not None:
        own = trains.expanded.network
        attrs |= {"network": own.name, "network_digest": own.digest}
    return xr.Dataset(
        data,
        {
            "neuron": [trains.names[k] for k in kept],
            "time": ("time", grid, {"units": "s"}),
            "name": list(trains.names),
        },
        attrs,
    )


def _grid(time: ArrayLike, t_stop: float) -> _Floats:
    grid = np.asarray(time, dtype=float)
    if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all():
        raise CompareError("The time grid is no list of finite numbers; give times in s.")
    if (np.diff(grid) <= 0).any():
        raise CompareError("The time grid does not increase; sort it and give each time once.")
    if grid[0] < 0 or grid[-1] > t_stop * (1 + 1e-9):
        raise CompareError(
            f"The time grid goes from {grid[0]:g} s to {grid[-1]:g} s, and the run from 0 to "
            f"{t_stop:g} s; give times within it."
        )
    return grid


def _signals(traces: Any) -> tuple[_Floats, dict[str, _Floats]]:
    if hasattr(traces, "signals"):
        return traces.time, dict(traces.signals)
    return traces.t, {name: getattr(traces, name) for name in ("v_c", "v_mem", "x")}


def _at(grid: _Floats, t: _Floats, v: _Floats, slope: _Floats | None) -> _Floats:
    """Return a trace on the grid; of two samples at one time the later counts."""
    if slope is None:
        return np.asarray(np.interp(grid, t, v))
    k = np.clip(np.searchsorted(t, grid, side="right") - 1, 0, len(t) - 2)
    h = t[k + 1] - t[k]
    a = np.divide(grid - t[k], h, out=np.ones(len(grid)), where=h > 0)
    a = np.clip(a, 0.0, 1.0)
    b = 1.0 - a
    return np.asarray(
        v[k] * (1 + 2 * a) * b * b
        + v[k + 1] * (1 + 2 * b) * a * a
        + h * a * b * (slope[k] * b - slope[k + 1] * a)
    )

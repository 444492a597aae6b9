"""Tables of networks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.network import NetworkRun
    from spicealif.network.certificate import NetworkCertificate
    from spicealif.network.comparison import NetworkComparison

__all__ = ["Points", "Whole", "population_table", "spike_counts"]


#: Points of a sweep that are printed.
MOST_POINTS = 30
_SWEPT = {"spike_count": "", "mean_rate": "Hz", "synchrony": "", "energy": "J"}


class Whole:
    """A comparison or certificate, with all of its neurons or the main ones.

    Parameters
    ----------
    result : NetworkComparison or NetworkCertificate
    all_rows : bool
    """

    def __init__(self, result: NetworkComparison | NetworkCertificate, all_rows: bool) -> None:
        self._result, self._all = result, all_rows

    def __str__(self) -> str:
        return self._result.table(all=self._all)


def population_table(run: NetworkRun) -> str:
    """Return the spikes and rates of each population, of the sides that there are."""
    from spicealif.measures.tables import text_table

    sides = {"circuit": run.solution, "reference": run.reference}
    there = {name: side for name, side in sides.items() if side is not None}
    rows = []
    start = 0
    for population in run.network.populations:
        inside = slice(start, start + population.size)
        start += population.size
        row = [population.name, str(population.size)]
        for side in there.values():
            count = sum(map(len, side.t_spike[inside]))
            rate = count / population.size / run.network.t_stop
            row += [str(count), f"{rate / 1e3:.4g} kHz"]
        rows.append(row)
    head = ["population", "neurons"]
    for name in there:
        head += [f"spikes ({name})", "mean rate"]
    return text_table(head, rows).rstrip("\n")


class Points:
    """The points of a sweep; of more than `MOST_POINTS` the first ones.

    Parameters
    ----------
    result : xarray.Dataset
    """

    def __init__(self, result: xr.Dataset) -> None:
        self._result = result

    def __str__(self) -> str:
        return _points(self._result)


def _points(result: xr.Dataset) -> str:
    """Return a row for each point and side: spikes, rate, synchrony, energy."""
    import numpy as np

    from spicealif.measures.tables import text_table
    from spicealif.quantities import format_quantity

    def shown(value: Any, unit: str) -> str:
        if isinstance(value, str):
            return value
        return "-" if np.isnan(value) else format_quantity(float(value), unit)

    names = str(result.attrs["parameters"]).split()
    units = [str(result[name].attrs["units"]).removeprefix("1") for name in names]
    status = result["status"].values
    measures = [
        (name, unit) for name, unit in _SWEPT.items()
        if name in result and not np.isnan(result[name].values).all()
    ]  # fmt: skip
    rows = []
    for k in range(min(status.size, MOST_POINTS)):
        at = np.unravel_index(k, status.shape)
        point = [
            shown(result[name].values[place], unit)
            for name, unit, place in zip(names, units, at, strict=True)
        ]
        if status[at] != "OK":
            rows.append([*point, str(status[at]), *[""] * len(measures)])
            continue
        for i, side in enumerate(result["side"].values):
            figures = [shown(result[name].values[(i, *at)], unit) for name, unit in measures]
            rows.append([*point, str(side), *figures])
    head = [*names, "side", *(name.replace("_", " ") for name, _ in measures)]
    notes = []
    if any(name == "synchrony" for name, _ in measures):
        tau = format_quantity(float(result.attrs["tau"]), "s")
        notes.append(f"Synchrony is of trains filtered by exp(-t / {tau}).")
    if status.size > MOST_POINTS:
        notes.append(f"{status.size - MOST_POINTS} more points are in the files.")
    return text_table(head, rows, notes).rstrip("\n")


def spike_counts(run: NetworkRun) -> dict[str, dict[str, int]]:
    """Return how often each neuron fired, by side and name."""
    names = run.expanded.names
    sides = {"circuit": run.solution, "reference": run.reference}
    return {
        side: {name: len(train) for name, train in zip(names, found.t_spike, strict=False)}
        for side, found in sides.items()
        if found is not None
    }

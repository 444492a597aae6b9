"""Tables of networks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.network import NetworkRun
    from spicealif.network.certificate import NetworkCertificate
    from spicealif.network.comparison import NetworkComparison

__all__ = ["Whole", "population_table", "spike_counts", "sweep_table"]


#: Points of a sweep that are printed.
MOST_POINTS = 30
_SWEPT = (("spike_count", ""), ("mean_rate", "Hz"), ("synchrony", ""), ("energy", "J"))


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


def sweep_table(result: xr.Dataset) -> str:
    """Return the points of a sweep with their spikes, rates, synchrony and energy, side by side.

    Of more than `MOST_POINTS` the first ones; the files have all.
    """
    import numpy as np

    from spicealif.measures.tables import text_table
    from spicealif.quantities import format_quantity

    names = str(result.attrs["parameters"]).split()
    units = [str(result[name].attrs.get("units", "1")).replace("1", "") for name in names]
    sides = [str(side) for side in result["side"].values]
    shape = result["status"].shape
    columns = [(m, unit) for m, unit in _SWEPT if m in result]
    rows = []
    for k in range(min(result["status"].size, MOST_POINTS)):
        at = np.unravel_index(k, shape)
        row = []
        for name, unit, place in zip(names, units, at, strict=True):
            value = result[name].values[place]
            row.append(value if isinstance(value, str) else format_quantity(float(value), unit))
        if result["status"].values[at] != "OK":
            rows.append([*row, str(result["status"].values[at])])
            continue
        for measure, unit in columns:
            for side in sides:
                value = float(result[measure].sel(side=side).values[at])
                row.append("-" if np.isnan(value) else format_quantity(value, unit))
        rows.append(row)
    head = [*names, *(f"{m.replace('_', ' ')} ({side})" for m, _ in columns for side in sides)]
    full = [row + [""] * (len(head) - len(row)) for row in rows]
    left = result["status"].size - len(rows)
    more = f"\n{left} more points are in the files." if left else ""
    return text_table(head, full).rstrip("\n") + more


def spike_counts(run: NetworkRun) -> dict[str, dict[str, int]]:
    """Return how often each neuron fired, by side and name."""
    names = run.expanded.names
    sides = {"circuit": run.solution, "reference": run.reference}
    return {
        side: {name: len(train) for name, train in zip(names, found.t_spike, strict=False)}
        for side, found in sides.items()
        if found is not None
    }

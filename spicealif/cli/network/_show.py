"""Tables of networks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spicealif.network import NetworkRun
    from spicealif.network.certificate import NetworkCertificate
    from spicealif.network.comparison import NetworkComparison

__all__ = ["Whole", "population_table", "spike_counts"]


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


def spike_counts(run: NetworkRun) -> dict[str, dict[str, int]]:
    """Return how often each neuron fired, by side and name."""
    names = run.expanded.names
    sides = {"circuit": run.solution, "reference": run.reference}
    return {
        side: {name: len(train) for name, train in zip(names, found.t_spike, strict=False)}
        for side, found in sides.items()
        if found is not None
    }

"""Tables of networks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spicealif.cli._terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spicealif.network import NetworkRun

__all__ = ["Text", "population_table", "spike_counts"]


class Text:
    """A table that `for_terminal` fits to the terminal."""

    def __init__(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
    ) -> None:
        self._parts = head, rows, notes

    def __str__(self) -> str:
        from spicealif.measures.tables import text_table

        return text_table(*self._parts)


def population_table(run: NetworkRun) -> str:
    """Return the spikes and rates of each population, of every side that there is."""
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
    return for_terminal(Text(head, rows)).rstrip("\n")


def spike_counts(run: NetworkRun) -> dict[str, dict[str, int]]:
    """Return how often each neuron fired, by side and name."""
    names = run.expanded.names
    sides = {"circuit": run.solution, "reference": run.reference}
    return {
        side: {name: len(train) for name, train in zip(names, found.t_spike, strict=False)}
        for side, found in sides.items()
        if found is not None
    }

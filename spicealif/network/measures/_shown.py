"""What the measures of a network show: tables, notes and plain figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain
from spicealif.network.measures.names import NETWORK_MEASURES, PopulationMeasures
from spicealif.network.measures.trains import Trains

__all__ = ["FEW", "MeasuresShown", "listed"]

#: Heading and rows.
_Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]
#: Neurons that a short table lists.
FEW = 12

_COLUMNS = (
    ("spikes", "count", ""),
    ("rate", "rate", "Hz"),
    ("CV", "cv", ""),
    ("first spike", "latency", "s"),
    ("source energy per spike", "energy_per_spike", "J"),
    ("supply energy per spike", "supply_energy_per_spike", "J"),
)


def listed(values: NDArray[Any]) -> list[Any]:
    """Return an array as JSON has it: None for what does not exist."""
    return [plain(v) for v in values.tolist()]


def _grouped(undefined: Mapping[str, str]) -> list[str]:
    """Return a sentence for each reason why measures are not there."""
    by: dict[str, list[str]] = {}
    for name, why in undefined.items():
        by.setdefault(why, []).append(NETWORK_MEASURES[name].label)
    return [f"{why} So there is no {', no '.join(labels)}." for why, labels in by.items()]


class MeasuresShown(ShownInNotebooks):
    """What of `NetworkMeasures` is shown."""

    trains: Trains
    tau: float
    phase: NDArray[np.float64]
    locking: NDArray[np.float64]
    links: NDArray[np.int64]
    link_delay: NDArray[np.float64]
    is_ring: bool
    populations: tuple[PopulationMeasures, ...]
    of_network: Mapping[str, float]
    undefined: Mapping[str, str]

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("", self.trains.label),
            ("", counted(len(self.trains.names), "neuron")),
            ("rate", figure(self.of_network["rate"], "Hz")),
            ("synchrony", figure(self.of_network["synchrony"])),
        ]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the tables."""
        return [
            f"Synchrony is chi of Golomb and Rinzel, 1 where all fire together; it and the van "
            f"Rossum distance are of trains filtered by exp(-t / {figure(self.tau, 's')}).",
            *_grouped(self.undefined),
        ]

    def rows(self, *, all: bool = False) -> list[tuple[str, ...]]:
        """Return a row for each neuron as texts.

        Parameters
        ----------
        all : bool
            Whether to list all; otherwise at most 12.
        """
        shown = range(len(self.trains.names) if all else min(len(self.trains.names), FEW))
        columns = [(getattr(self, name), unit) for _, name, unit in self._columns]
        return [
            (self.trains.names[k], *(figure(column[k].item(), u) for column, u in columns))
            for k in shown
        ]

    @property
    def _columns(self) -> list[tuple[str, str, str]]:
        known = [c for c in _COLUMNS if np.isfinite(getattr(self, c[1])).any() or c[1] == "count"]
        ring = [("phase", "phase", ""), ("locking", "locking", "")] if self.is_ring else []
        return [*known, *ring]

    def table(self, *, all: bool = False) -> str:
        """Return the measures as text: the network, its populations, its neurons.

        Parameters
        ----------
        all : bool
            Whether to list all neurons; otherwise at most 12.
        """
        return "\n".join(page.text() for page in self._made(all))

    def _pages(self) -> list[Page]:
        return self._made(False)

    def _made(self, every: bool) -> list[Page]:
        whole = [
            (info.label, figure(self.of_network[name], info.unit))
            for name, info in NETWORK_MEASURES.items()
            if name not in self.undefined
        ]
        of = [
            (p.name, str(p.size), str(p.count), figure(p.rate, "Hz"), figure(p.cv))
            for p in self.populations
        ]
        head = ("population", "neurons", "spikes", "rate", "CV")
        neurons = (("neuron", *(c[0] for c in self._columns)), self.rows(all=every))
        rest = len(self.trains.names) - len(neurons[1])
        more = [f"{counted(rest, 'more neuron')} with all=True."] if rest else []
        tables: list[_Table] = [(("network", self.trains.label), whole)]
        if of:
            tables.append((head, of))
        tables.append(neurons)
        return [Page(tuple(tables), [*more, *self.notes])]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and lists, for JSON."""
        names = self.trains.names
        arrays = (
            *("count", "rate", "cv", "latency", "energy", "energy_supply", "energy_per_spike"),
            *("supply_energy_per_spike", "phase", "locking"),
        )
        return {
            "label": self.trains.label,
            "t_stop": self.trains.t_stop,
            "tau": self.tau,
            "network": {name: plain(v) for name, v in self.of_network.items()},
            "undefined": dict(self.undefined),
            "populations": {
                p.name: {
                    "size": p.size, "count": p.count, "rate": plain(p.rate), "cv": plain(p.cv),
                }
                for p in self.populations
            },
            "neurons": {"name": list(names), **{a: listed(getattr(self, a)) for a in arrays}},
            "links": {
                "source": [names[k] for k in self.links[:, 0].tolist()],
                "target": [names[k] for k in self.links[:, 1].tolist()],
                "delay": listed(self.link_delay),
            },
            "is_ring": self.is_ring,
        }  # fmt: skip

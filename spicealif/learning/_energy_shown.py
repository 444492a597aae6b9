"""What energy per decision shows: rows, notes and plain figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.learning._chance import Estimate, wilson
from spicealif.learning._words import interval_of, p_value, percent
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["DecisionEnergy", "EnergyShown"]

_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DecisionEnergy:
    """What a bank of circuits takes for each test sample.

    Attributes
    ----------
    name, label : str
        ``"on"`` with adaptation, ``"off"`` without it.
    right : ndarray of bool, shape (n,)
        Whether each test sample is predicted rightly.
    source, supply : ndarray, shape (n,)
        Energy in J from the sources and from the supplies, summed over the neurons; NaN for
        supplies that are not there, as of ideal parts.
    spikes : ndarray of int, shape (n,)
        Of all neurons.
    idle : float
        Energy in J that the supplies of all neurons deliver over a sample's duration without any
        current; NaN where there are none.
    failed : int
        Runs that were not solved to their end, without energy in these sums.
    """

    name: str
    label: str
    right: NDArray[np.bool_]
    source: _Floats
    supply: _Floats
    spikes: NDArray[np.int64]
    idle: float
    failed: int

    @property
    def accuracy(self) -> Estimate:
        """With Wilson's interval."""
        return wilson(int(self.right.sum()), len(self.right))

    @property
    def total(self) -> _Floats:
        """Energy per decision in J, shape (n,): of sources and, where there are some, supplies."""
        return self.source + np.nan_to_num(self.supply)

    @property
    def per_spike(self) -> float:
        """Energy in J of all test samples over their spikes; NaN without spikes."""
        spikes = int(self.spikes.sum())
        return float(self.total.sum()) / spikes if spikes else math.nan

    @property
    def idle_share(self) -> float:
        """Part of the energy that would be taken without any current too."""
        total = float(self.total.mean())
        return self.idle / total if total > 0 else math.nan


class EnergyShown(ShownInNotebooks):
    """What of an `EnergyPerDecision` is shown."""

    on: DecisionEnergy
    off: DecisionEnergy
    p_value: float
    n_neurons: int
    duration: float
    trained_on: str
    remarks: tuple[str, ...]

    def _facts(self) -> list[tuple[str, str]]:
        return [
            (of.label, f"{figure(float(of.total.mean()), 'J')}, {percent(of.accuracy.value)}")
            for of in (self.on, self.off)
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts, with adaptation and without."""
        both = (self.on, self.off)
        return [
            ("accuracy", *(percent(of.accuracy.value) for of in both)),
            ("  interval", *(interval_of(of.accuracy) for of in both)),
            ("energy per decision", *(figure(float(of.total.mean()), "J") for of in both)),
            ("  of the sources", *(figure(float(of.source.mean()), "J") for of in both)),
            ("  of the supplies", *(figure(float(of.supply.mean()), "J") for of in both)),
            ("    of these idle", *(figure(of.idle, "J") for of in both)),
            ("idle share", *(percent(of.idle_share) for of in both)),
            ("spikes per decision", *(f"{of.spikes.mean():.4g}" for of in both)),
            ("energy per spike", *(figure(of.per_spike, "J") for of in both)),
        ]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        notes = [
            f"Means over {counted(len(self.on.right), 'test sample')}, a decision being "
            f"{counted(self.n_neurons, 'neuron')} over {figure(self.duration, 's')}, by the "
            "circuit's own equations; the readout's own energy is not in it. Without adaptation "
            "the memristor is the resistor that it is at the start, and all else is equal; each "
            f"has a readout of its own, trained on the {_TRAINED[self.trained_on]}. Idle is what "
            "the supplies deliver without any current.",
            f"McNemar's exact test of the rightly predicted samples: p = {p_value(self.p_value)}.",
        ]
        if failed := self.on.failed + self.off.failed:
            notes.append(f"{counted(failed, 'run')} could not be followed, and has no energy here.")
        return [*notes, *self.remarks]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "kind": "energy-per-decision",
            "n_neurons": self.n_neurons,
            "duration": self.duration,
            "trained_on": self.trained_on,
            "p_value": self.p_value,
            "levels": [_plain(of) for of in (self.on, self.off)],
            "remarks": list(self.remarks),
            "notes": self.notes,
        }

    def _pages(self) -> Sequence[Page]:
        head = ("", self.on.label, self.off.label)
        return [Page(((head, self.rows()),), self.notes)]


_TRAINED = {
    "reference": "features of the ideal equations",
    "equations": "features of the circuit",
}


def _plain(of: DecisionEnergy) -> dict[str, Any]:
    return {
        "name": of.name,
        "label": of.label,
        "n": len(of.right),
        "accuracy": of.accuracy.to_dict(),
        "energy": plain(float(of.total.mean())),
        "source": plain(float(of.source.mean())),
        "supply": plain(float(of.supply.mean())),
        "energy_deviation": plain(float(np.std(of.total))),
        "idle": plain(of.idle),
        "idle_share": plain(of.idle_share),
        "spikes": float(of.spikes.mean()),
        "per_spike": plain(of.per_spike),
        "failed": of.failed,
        "by_sample": {
            "wrong": np.flatnonzero(~of.right).tolist(),
            "source": [plain(e) for e in of.source.tolist()],
            "supply": [plain(e) for e in of.supply.tolist()],
            "spikes": of.spikes.tolist(),
        },
    }

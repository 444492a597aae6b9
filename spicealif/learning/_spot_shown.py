"""What spot checks show: rows, notes and plain figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["CountDifference", "SpotChecksShown"]

#: Differences that the text lists.
_FEW = 20


@dataclass(frozen=True)
class CountDifference:
    """A count that simulator and equations do not share.

    Attributes
    ----------
    sample, neuron, window : int
    equations, simulator : int
        Spikes in the window.
    t : float
        Time in s of the spike that is nearest to an edge of it; NaN without spikes.
    distance : float
        From that edge in s.
    error : float
        How far a spike of this run may lie on the other side, in s: twice what the run's common
        spikes move.
    """

    sample: int
    neuron: int
    window: int
    equations: int
    simulator: int
    t: float
    distance: float
    error: float

    @property
    def explained(self) -> bool:
        """Whether one spike more or less is nearer to the edge than the error."""
        return abs(self.equations - self.simulator) == 1 and self.distance <= self.error


class SpotChecksShown(ShownInNotebooks):
    """What of `SpotChecks` is shown."""

    samples: NDArray[np.int64]
    uncertified: int
    backend: str
    n_counts: int
    differences: tuple[CountDifference, ...]
    worst: float
    predicted_equations: NDArray[Any]
    predicted_simulator: NDArray[Any]
    failed: tuple[str, ...]

    @property
    def unexplained(self) -> tuple[CountDifference, ...]:
        """Differences for which no spike is near enough to an edge."""
        return tuple(d for d in self.differences if not d.explained)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("by", self.backend),
            ("", counted(len(self.samples), "sample")),
            ("counts that differ", f"{len(self.differences)} of {self.n_counts}"),
            ("unexplained", str(len(self.unexplained))),
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the first table as texts."""
        changed = int(np.sum(self.predicted_equations != self.predicted_simulator))
        return [
            ("samples checked", str(len(self.samples))),
            ("  of these not certified", str(self.uncertified)),
            ("counts compared", str(self.n_counts)),
            ("counts that differ", str(len(self.differences))),
            ("  unexplained", str(len(self.unexplained))),
            ("predictions that differ", str(changed)),
            ("worst movement of a spike", figure(self.worst, "s")),
            ("runs that failed", str(len(self.failed))),
        ]

    def difference_rows(self) -> list[tuple[str, ...]]:
        """Return a row for each count that differs as texts, the unexplained first."""
        some = sorted(self.differences, key=lambda d: d.explained)[:_FEW]
        return [
            (
                f"sample {d.sample}, neuron {d.neuron}, window {d.window}", str(d.equations),
                str(d.simulator), figure(d.t, "s"),
                figure(d.distance, "s") if math.isfinite(d.distance) else "-",
                figure(d.error, "s"), "at an edge" if d.explained else "unexplained",
            )
            for d in some
        ]  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the tables."""
        notes = [
            f"{counted(len(self.samples), 'sample')} solved by {self.backend} and by the circuit's "
            "own equations: those whose predictions are not certified, and others at random. A "
            "count that differs is explained by one spike nearer to the edge of the window, or to "
            "the end, than twice what the run's spikes move between the two.",
        ]
        if (more := len(self.differences) - _FEW) > 0:
            notes.append(f"{counted(more, 'more difference')} in to_dict().")
        notes += [f"Failed: {text}" for text in self.failed[:3]]
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "kind": "spot-checks",
            "backend": self.backend,
            "samples": self.samples.tolist(),
            "uncertified": self.uncertified,
            "n_counts": self.n_counts,
            "worst": plain(self.worst),
            "differences": [
                {
                    "sample": d.sample, "neuron": d.neuron, "window": d.window,
                    "equations": d.equations, "simulator": d.simulator, "t": plain(d.t),
                    "distance": plain(d.distance), "error": plain(d.error),
                    "explained": d.explained,
                }
                for d in self.differences
            ],
            "unexplained": len(self.unexplained),
            "predicted_equations": [plain(p) for p in self.predicted_equations],
            "predicted_simulator": [plain(p) for p in self.predicted_simulator],
            "failed": list(self.failed),
            "notes": self.notes,
        }  # fmt: skip

    def _pages(self) -> Sequence[Page]:
        whole = (("spot checks", ""), self.rows())
        if not self.differences:
            return [Page((whole,), self.notes)]
        head = (
            *("count that differs", "equations", self.backend, "nearest spike", "from the edge"),
            *("error", "why"),
        )
        return [Page((whole, (head, self.difference_rows())), self.notes)]

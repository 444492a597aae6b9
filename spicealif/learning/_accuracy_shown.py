"""What an accuracy budget shows: rows, notes and plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.learning._chance import Estimate
from spicealif.learning._words import interval_of, percent, points, points_interval
from spicealif.learning.players import Player
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import plain
from spicealif.sweep.tolerances import Tolerance

__all__ = ["AccuracyBudgetShown", "AccuracyShare"]


@dataclass(frozen=True)
class AccuracyShare:
    """What a player takes from the accuracy.

    Attributes
    ----------
    player : Player
    value : float
        Its Shapley value as a part of 1; above 0 where it costs accuracy.
    error_samples, error_orders : float
        Standard errors: over the test samples, and over orders and draws; the latter 0 where there
        was one draw and all sets were solved.
    interval : Estimate
        Of both errors.
    """

    player: Player
    value: float
    error_samples: float
    error_orders: float
    interval: Estimate

    @property
    def within_chance(self) -> bool:
        """Whether its interval holds 0."""
        return self.interval.within_chance

    @property
    def changes_nothing(self) -> bool:
        """Whether it changes no prediction, of which an interval says nothing."""
        return self.value == 0 and self.error_samples == 0 and self.error_orders == 0


class AccuracyBudgetShown(ShownInNotebooks):
    """What of an `AccuracyBudget` is shown."""

    ideal: Estimate
    circuit: Estimate
    loss: Estimate
    shares: tuple[AccuracyShare, ...]
    residual: AccuracyShare
    residual_changed: int
    n_samples: int
    n_draws: int
    n_orders: int
    n_sets: int
    seed: int
    lost_by_sample: NDArray[np.float64]
    failed: int
    refused: int
    tolerances: tuple[Tolerance, ...]

    def _facts(self) -> list[tuple[str, str]]:
        clear = sum(not s.within_chance for s in self.shares)
        return [
            ("ideal", percent(self.ideal.value)),
            ("circuit", percent(self.circuit.value)),
            ("", counted(len(self.shares), "share")),
            ("beyond chance", str(clear)),
            ("", counted(self.n_samples, "test sample")),
        ]

    @property
    def whole(self) -> str:
        """What all players together make: the circuit, with its tolerances if these are drawn."""
        return "circuit with tolerances" if self.n_draws else "circuit"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts."""
        return [
            ("ideal equations", percent(self.ideal.value), interval_of(self.ideal), "", "", ""),
            (self.whole, percent(self.circuit.value), interval_of(self.circuit), "", "", ""),
            (
                "lost", points(self.loss.value), points_interval(self.loss), "", "",
                _told(self.loss),
            ),
            *(self._row(share) for share in self.shares),
            self._row(self.residual),
        ]  # fmt: skip

    def _row(self, share: AccuracyShare) -> tuple[str, ...]:
        return (
            f"  {share.player.label}",
            points(share.value),
            "" if share.changes_nothing else points_interval(share.interval),
            points(share.error_samples, sign=False),
            points(share.error_orders, sign=False),
            "none changed" if share.changes_nothing else _told(share.interval),
        )

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        if self.n_orders:
            how = f"sampled, from {self.n_orders} orders"
        else:
            how = "exact for these draws, from all sets"
        drawn = f", {counted(self.n_draws, 'draw')} of the tolerances" if self.n_draws else ""
        notes = [
            f"Points of accuracy over {counted(self.n_samples, 'test sample')}; above 0 is lost. "
            f"Shares are Shapley values, {how} ({counted(self.n_sets, 'set')} solved{drawn}); with "
            "the residual they sum to what is lost.",
            "Intervals are of 95 % and hold both errors: of the finite test set, and of orders and "
            "draws. A share is within chance where its interval holds 0; of several shares some "
            "are beyond it by chance. Where none changed, no test sample is predicted otherwise by "
            f"it; with {counted(self.n_samples, 'test sample')} that leaves open a change of up to "
            f"{percent(min(3 / self.n_samples, 1.0))} of all samples, with 95 % confidence.",
            "The residual is what the circuit's equations without any cause and the ideal "
            f"reference differ by, in {counted(self.residual_changed, 'prediction')} of "
            f"{self.n_samples}.",
        ]
        if self.failed:
            notes.append(
                f"{counted(self.failed, 'run')} of the circuit could not be followed to the end; "
                "the features of such a run count as the bank fills them in."
            )
        if self.refused:
            notes.append(
                f"{counted(self.refused, 'draw')} that the design refuses, by a neuron that would "
                "latch, say, had to be passed over."
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "kind": "accuracy-budget",
            "ideal": self.ideal.to_dict(),
            "circuit": self.circuit.to_dict(),
            "loss": self.loss.to_dict(),
            "shares": [_share(share) for share in self.shares],
            "residual": _share(self.residual),
            "residual_changed": self.residual_changed,
            "n_samples": self.n_samples,
            "n_draws": self.n_draws,
            "n_orders": self.n_orders,
            "n_sets": self.n_sets,
            "seed": self.seed,
            "failed": self.failed,
            "refused": self.refused,
            "tolerances": [asdict(t) for t in self.tolerances],
            "lost_by_sample": self.lost_by_sample.tolist(),
            "notes": self.notes,
        }

    def _pages(self) -> Sequence[Page]:
        head = ("", "accuracy or points", "interval", "error (samples)", "error (orders)", "")
        return [Page(((head, self.rows()),), self.notes)]


def _told(estimate: Estimate) -> str:
    return "within chance" if estimate.within_chance else ""


def _share(share: AccuracyShare) -> dict[str, Any]:
    return {
        "name": share.player.name,
        "label": share.player.label,
        "causes": [cause.value for cause in share.player.causes],
        "parameters": list(share.player.parameters),
        "value": plain(share.value),
        "error_samples": plain(share.error_samples),
        "error_orders": plain(share.error_orders),
        "interval": share.interval.to_dict(),
        "within_chance": share.within_chance,
    }

"""What a transfer shows: rows, notes and plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.learning._chance import Estimate, of_draws, wilson
from spicealif.learning._words import interval_of, p_value, percent, points, points_interval
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import plain
from spicealif.sweep.tolerances import Tolerance

__all__ = ["TransferLevel", "TransferShown"]

_Bools: TypeAlias = NDArray[np.bool_]

_HEAD = (
    *("", "accuracy", "interval", "lost points", "interval", "changed predictions", "p"),
    *("counts that differ", "others differ by", "re-trained"),
)


@dataclass(frozen=True, eq=False)
class TransferLevel:
    """What becomes of a trained readout on features of one kind.

    Attributes
    ----------
    name, label : str
    right : ndarray of bool, shape (D, N)
        Whether each test sample is predicted rightly, in each draw.
    changed : ndarray of bool, shape (D, N)
        Whether the prediction is another than on the ideal features.
    counts_differ : float
        Part of the pulse counts that are not those of the ideal equations; NaN without counts.
    others_differ : float
        Root mean square of what the other features differ by, each in units of its standard
        deviation over the ideal features of the training samples (features that are the same for
        all of them left out); NaN without others.
    recovered : ndarray of bool, shape (D, N), or None
        As `right`, of a readout trained on this level's own features of the training samples.
    failed : int
        Runs that could not be followed to their end.
    p_values : tuple of float
        McNemar's exact test of each draw against the ideal level.
    """

    name: str
    label: str
    right: _Bools
    changed: _Bools
    counts_differ: float
    others_differ: float
    recovered: _Bools | None
    failed: int
    p_values: tuple[float, ...]

    @property
    def draws(self) -> int:
        """Draws of the tolerances; 1 where nothing is drawn."""
        return len(self.right)

    @property
    def accuracy(self) -> Estimate:
        """Mean over draws; Wilson's interval of one, over samples and draws of several."""
        return _accuracy(self.right)

    @property
    def accuracy_recovered(self) -> Estimate | None:
        """The accuracy of the readout trained on this level's own features."""
        return None if self.recovered is None else _accuracy(self.recovered)


class TransferShown(ShownInNotebooks):
    """What of a `Transfer` is shown."""

    levels: tuple[TransferLevel, ...]
    n_train: int
    n_test: int
    n_features: int
    seed: int
    tolerances: tuple[Tolerance, ...]
    remarks: tuple[str, ...]

    def lost(self, name: str, *, recovered: bool = False) -> Estimate:
        """Return what a level loses; see `Transfer`."""
        raise NotImplementedError

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("", counted(self.n_test, "test sample")),
            ("", counted(self.n_features, "feature")),
            *((level.name, percent(level.accuracy.value)) for level in self.levels),
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row for each level as texts."""
        return [self._row(level) for level in self.levels]

    def _row(self, level: TransferLevel) -> tuple[str, ...]:
        lost, first = self.lost(level.name), level is self.levels[0]
        again = level.accuracy_recovered
        least, most = min(level.p_values), max(level.p_values)
        p = p_value(least) if least == most else f"{p_value(least)} to {p_value(most)}"
        # Over several draws a mean.
        changed = f"{level.changed.sum(axis=1).mean():.3g}"
        return (
            level.label + (f", {counted(level.draws, 'draw')}" if level.draws > 1 else ""),
            percent(level.accuracy.value),
            interval_of(level.accuracy),
            "" if first else points(lost.value),
            "" if first else points_interval(lost),
            "" if first else changed,
            "" if first else p,
            "" if first else percent(level.counts_differ),
            "" if first else "-" if level.others_differ != level.others_differ
            else f"{level.others_differ:.3g}",
            "" if first else "-" if again is None else percent(again.value),
        )  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        notes = [
            f"One readout, trained on features of the ideal equations of "
            f"{counted(self.n_train, 'sample')}, and {counted(self.n_test, 'test sample')} with "
            f"{counted(self.n_features, 'feature')}. Intervals are of 95 %: of one run by Wilson, "
            "of several draws over samples and draws; of lost points they are paired.",
            "p is of McNemar's exact test of rightly predicted samples against the ideal "
            "equations, for each draw by itself. Other features than counts differ by the root "
            "mean square in units of each feature's standard deviation.",
        ]
        if any(level.recovered is not None for level in self.levels[1:]):
            notes.append(
                "Re-trained: the accuracy of a readout trained on features of the same circuit."
            )
        lost = [self.lost(level.name) for level in self.levels[1:]]
        if any(one.low == one.high == 0 for one in lost):
            notes.append(
                "Where no sample is lost or gained the interval has no width; with "
                f"{counted(self.n_test, 'test sample')} that leaves open a change of up to "
                f"{percent(min(3 / self.n_test, 1.0))} of all samples, with 95 % confidence."
            )
        failed = [
            f"{level.label} {counted(level.failed, 'run')}" for level in self.levels if level.failed
        ]
        if failed:
            notes.append(
                f"Not followed to the end, and counted as the bank fills them in: "
                f"{', '.join(failed)}."
            )
        return [*notes, *self.remarks]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "kind": "transfer",
            "n_train": self.n_train,
            "n_test": self.n_test,
            "n_features": self.n_features,
            "seed": self.seed,
            "tolerances": [asdict(t) for t in self.tolerances],
            "levels": [self._level(level) for level in self.levels],
            "remarks": list(self.remarks),
            "notes": self.notes,
        }

    def _level(self, level: TransferLevel) -> dict[str, Any]:
        again = level.accuracy_recovered
        return {
            "name": level.name,
            "label": level.label,
            "draws": level.draws,
            "accuracy": level.accuracy.to_dict(),
            "accuracy_of_draws": level.right.mean(axis=1).tolist(),
            "lost": self.lost(level.name).to_dict(),
            "changed": level.changed.sum(axis=1).tolist(),
            "p_values": [plain(p) for p in level.p_values],
            "counts_differ": plain(level.counts_differ),
            "others_differ": plain(level.others_differ),
            "recovered": None if again is None else again.to_dict(),
            "lost_recovered": None
            if again is None
            else self.lost(level.name, recovered=True).to_dict(),
            "failed": level.failed,
            # Numbers of test samples, a list for each draw.
            "by_sample": {
                "wrong": _numbers(~level.right),
                "changed": _numbers(level.changed),
                "wrong_recovered": None if level.recovered is None else _numbers(~level.recovered),
            },
        }

    def _pages(self) -> Sequence[Page]:
        return [Page(((_HEAD, self.rows()),), self.notes)]


def _numbers(which: _Bools) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in which]


def _accuracy(right: _Bools) -> Estimate:
    if len(right) == 1:
        return wilson(int(right.sum()), right.shape[1])
    return of_draws(right.astype(float))

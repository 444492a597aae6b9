"""What certified predictions show: rows, notes and plain figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.learning._words import percent
from spicealif.learning.feature_bounds import FeatureBounds
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["BoundsInShort", "CertifiedShown"]


@dataclass(frozen=True)
class BoundsInShort:
    """The figures of `FeatureBounds` that a certificate shows and keeps.

    Attributes
    ----------
    levels : tuple of str
    judge_ratio : float
    judged : int
        As there.
    t_median, t_worst : float
        Errors of the runs' spike times in s; NaN without runs.
    uncertain : float
        Part of all features that are not one number.
    of_kind : mapping of str to float
        Of counts the part that is not certain; of other features half of the widest bounds, in the
        feature's unit.
    failed : int
        Runs that were not solved to their end.
    """

    levels: tuple[str, str]
    judge_ratio: float
    judged: int
    t_median: float
    t_worst: float
    uncertain: float
    of_kind: Mapping[str, float]
    failed: int

    @classmethod
    def of(cls, bounds: FeatureBounds, kinds: NDArray[Any]) -> Self:
        """Return the figures of bounds; `kinds` is what each of their columns is."""
        of_kind = {}
        for kind in dict.fromkeys(kinds.tolist()):
            here = kinds == kind
            if kind == "count":
                of_kind[kind] = float(bounds.uncertain[:, here].mean())
            else:
                of_kind[kind] = _worst((bounds.high - bounds.low)[:, here].ravel() / 2)
        t = bounds.errors.t
        return cls(
            bounds.levels, float(bounds.judge_ratio), bounds.judged, _median(t), _worst(t),
            float(bounds.uncertain.mean()), of_kind, len(bounds.runs.run_errors),
        )  # fmt: skip


class CertifiedShown(ShownInNotebooks):
    """What of `CertifiedPredictions` is shown."""

    predicted: NDArray[Any]
    certified: NDArray[np.bool_]
    margins: NDArray[np.float64]
    readout: str
    linear: bool
    short: BoundsInShort

    @property
    def trusted(self) -> bool:
        """Whether the levels that the errors are taken from were seen to converge."""
        return bool(self.short.judge_ratio <= 1.0)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("certified", f"{int(self.certified.sum())} of {len(self.certified)}"),
            ("readout", self.readout),
            ("", self.short.levels[0]),
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts."""
        n, short = len(self.certified), self.short
        sure = int(self.certified.sum())
        rows: list[tuple[str, ...]] = [
            ("predictions", str(n)),
            ("certified", f"{sure} ({percent(sure / n)})"),
            ("not certified", str(n - sure)),
            ("error of spike times, typical", figure(short.t_median, "s")),
            ("error of spike times, worst", figure(short.t_worst, "s")),
        ]
        for kind, value in short.of_kind.items():
            if kind == "count":
                rows.append(("counts that are not certain", f"{value:.3%}".replace("%", " %")))
            else:
                rows.append((f"error of {kind}, worst", figure(value, _unit(kind))))
        if self.linear:
            # of those samples that something could change, by the least score
            rows.append(("least margin of a certified one", figure(self._least(), "")))
        return rows

    def _least(self) -> float:
        some = self.margins[self.certified]
        return float(some.min()) if len(some) else float("nan")

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        (own, finer), ratio = self.short.levels, self.short.judge_ratio
        notes = [
            f"Errors are twice what figures move from {own} to {finer}, and six times what the "
            "latter move at a third level at least; a count can change by spikes within the error "
            "of a window's edge or of the end. A prediction is certified if no features within "
            "these bounds lead to another one.",
        ]
        if self.linear:
            notes.append(f"The margins of {self.readout} are bounded by interval arithmetic.")
        else:
            notes.append(
                f"{self.readout} is not linear, so that its margins cannot be bounded here: only "
                "predictions whose features are all certain are certified."
            )
        judged = counted(self.short.judged, "sample")
        if np.isnan(ratio):
            notes.append("Nothing was solved at a third level, so that the errors are not judged.")
        elif self.trusted:
            notes.append(
                f"The runs of {judged}, solved at a third level, moved there by {ratio:.2g} of "
                "what all moved to the second."
            )
        else:
            notes.append(
                f"Not trusted: the runs of {judged} moved more from the second level to the third "
                f"({ratio:.2g} times) than all from the first to the second; take another rtol, or "
                "another h of the reference."
            )
        if failed := self.short.failed:
            notes.append(
                f"{counted(failed, 'run')} could not be followed to the end; predictions from "
                "such a run are not certified."
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        short = self.short
        return {
            "kind": "certified-predictions",
            "n": len(self.certified),
            "certified": int(self.certified.sum()),
            "uncertified": np.flatnonzero(~self.certified).tolist(),
            "predicted": [plain(p) for p in self.predicted],
            "margins": [plain(float(m)) for m in self.margins],
            "readout": self.readout,
            "linear": self.linear,
            "levels": list(short.levels),
            "judge_ratio": plain(short.judge_ratio),
            "judged": short.judged,
            "trusted": self.trusted,
            "spike_time_error_median": plain(short.t_median),
            "spike_time_error_worst": plain(short.t_worst),
            "uncertain_features": plain(short.uncertain),
            "errors_of_features": {kind: plain(value) for kind, value in short.of_kind.items()},
            "failed": short.failed,
            "notes": self.notes,
        }

    def _pages(self) -> Sequence[Page]:
        return [Page(((("certified predictions", ""), self.rows()),), self.notes)]


def _unit(kind: str) -> str:
    return {"t_first": "s", "isi_mean": "s", "energy": "J"}.get(kind, "")


def _median(values: NDArray[np.float64]) -> float:
    return float(np.nanmedian(values)) if len(values) else float("nan")


def _worst(values: NDArray[np.float64]) -> float:
    some = values[np.isfinite(values)]
    return float(some.max()) if len(some) else float("nan")

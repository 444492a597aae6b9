"""What certified predictions show: rows, notes and plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.learning._words import percent
from spicealif.learning.feature_bounds import FeatureBounds
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["CertifiedShown"]


class CertifiedShown(ShownInNotebooks):
    """What of `CertifiedPredictions` is shown."""

    predicted: NDArray[Any]
    certified: NDArray[np.bool_]
    margins: NDArray[np.float64]
    bounds: FeatureBounds
    kinds: NDArray[Any]
    readout: str
    linear: bool

    @property
    def trusted(self) -> bool:
        """Whether the levels that the errors are taken from were seen to converge."""
        return bool(self.bounds.judge_ratio <= 1.0)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("certified", f"{int(self.certified.sum())} of {len(self.certified)}"),
            ("readout", self.readout),
            ("", self.bounds.levels[0]),
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts."""
        n, errors = len(self.certified), self.bounds.errors
        sure = int(self.certified.sum())
        rows: list[tuple[str, ...]] = [
            ("predictions", str(n)),
            ("certified", f"{sure} ({percent(sure / n)})"),
            ("not certified", str(n - sure)),
            ("error of spike times, typical", figure(_median(errors.t), "s")),
            ("error of spike times, worst", figure(_worst(errors.t), "s")),
        ]
        uncertain = self.bounds.uncertain
        for kind in dict.fromkeys(self.kinds.tolist()):
            here = self.kinds == kind
            if kind == "count":
                part = float(uncertain[:, here].mean())
                rows.append(("counts that are not certain", f"{part:.3%}".replace("%", " %")))
            else:
                width = (self.bounds.high - self.bounds.low)[:, here] / 2
                rows.append((f"error of {kind}, worst", figure(_worst(width.ravel()), _unit(kind))))
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
        (own, finer), ratio = self.bounds.levels, self.bounds.judge_ratio
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
        judged = counted(self.bounds.judged, "sample")
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
        if failed := len(self.bounds.runs.run_errors):
            notes.append(
                f"{counted(failed, 'run')} could not be followed to the end; predictions from "
                "such a run are not certified."
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        errors = self.bounds.errors
        return {
            "kind": "certified-predictions",
            "n": len(self.certified),
            "certified": int(self.certified.sum()),
            "uncertified": np.flatnonzero(~self.certified).tolist(),
            "predicted": [plain(p) for p in self.predicted],
            "margins": [plain(float(m)) for m in self.margins],
            "readout": self.readout,
            "linear": self.linear,
            "levels": list(self.bounds.levels),
            "judge_ratio": plain(float(self.bounds.judge_ratio)),
            "judged": self.bounds.judged,
            "trusted": self.trusted,
            "spike_time_error_median": plain(_median(errors.t)),
            "spike_time_error_worst": plain(_worst(errors.t)),
            "uncertain_features": plain(float(self.bounds.uncertain.mean())),
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

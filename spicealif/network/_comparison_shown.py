"""What a comparison of networks shows: tables, notes and plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.analysis.certificate import Verdict
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, gap_figure, plain
from spicealif.network.measures import NetworkMeasures
from spicealif.network.refinement import SideError

__all__ = ["NOT_RESOLVED", "ComparisonShown", "NetworkFigure"]

#: Heading and rows.
_Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]
#: Neurons that a short table lists.
_FEW = 12
#: What helps where a network's figure is not resolved.
NOT_RESOLVED = (
    "Not resolved: the numerical error is not small against the gap or the tolerance, or counts "
    "are not certain; lower rtol and t_tol, or the reference's h, or shorten the run."
)


@dataclass(frozen=True)
class NetworkFigure:
    """A figure of both sides.

    Attributes
    ----------
    name, label, unit : str
        As in `NETWORK_MEASURES`; SI.
    a, b, gap : float
        The figure of each side and a less b; NaN where it does not exist.
    error_a, error_b, error : float
        Numerical error of each side and their sum; NaN where it is not known.
    tolerance : float
        Largest gap, error included, at which the sides agree.
    verdict : Verdict or None
        None without errors of both sides.
    """

    name: str
    label: str
    unit: str
    a: float
    b: float
    gap: float
    error_a: float
    error_b: float
    error: float
    tolerance: float
    verdict: Verdict | None


class ComparisonShown(ShownInNotebooks):
    """What of a `NetworkComparison` is shown."""

    of_a: NetworkMeasures
    of_b: NetworkMeasures
    labels: tuple[str, str]
    match_window: float
    matched: NDArray[np.int64]
    worst: NDArray[np.float64]
    median: NDArray[np.float64]
    gamma: NDArray[np.float64]
    first_apart: NDArray[np.int64]
    first_apart_at: NDArray[np.float64]
    figures: tuple[NetworkFigure, ...]
    verdicts: tuple[Verdict | None, ...]
    errors: tuple[SideError | None, SideError | None]
    tolerance: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the neurons."""
        return self.of_a.names

    def _facts(self) -> list[tuple[str, str]]:
        same = int(np.sum(self.first_apart < 0))
        return [
            ("", " and ".join(self.labels)),
            ("", counted(len(self.names), "neuron")),
            ("spike for spike", f"{same} of {len(self.names)}"),
            ("worst difference", figure(self._overall, "s")),
        ]

    @property
    def _overall(self) -> float:
        there = self.worst[np.isfinite(self.worst)]
        return float(there[np.argmax(np.abs(there))]) if len(there) else float("nan")

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the tables."""
        notes = [
            f"Spikes are matched if they are nearer than {figure(self.match_window, 's')}; "
            f"synchrony and van Rossum distance are of trains filtered by exp(-t / "
            f"{figure(self.of_a.tau, 's')}).",
        ]
        apart = np.flatnonzero(self.first_apart >= 0)
        if len(apart):
            first = int(apart[np.argmin(self.first_apart_at[apart])])
            notes.append(
                f"Not spike for spike: {len(apart)} of {len(self.names)}; the first spike without "
                f"a partner is number {int(self.first_apart[first]) + 1} of {self.names[first]} at "
                f"{figure(float(self.first_apart_at[first]), 's')}."
            )
        if None in self.errors:
            notes.append(
                "Numerical errors of these figures are not known, so that there are no verdicts; "
                "--certificate (in Python certify_network) measures them."
            )
        elif Verdict.NOT_RESOLVED in {f.verdict for f in self.figures} | {*self.verdicts}:
            notes.append(NOT_RESOLVED)
        return notes

    def rows(self, *, all: bool = False) -> list[tuple[str, ...]]:
        """Return a row for each neuron as texts.

        Parameters
        ----------
        all : bool
            Whether to list all; otherwise at most the 12 with the largest differences.
        """
        order = range(len(self.names))
        if not all and len(self.names) > _FEW:
            size = np.where(self.first_apart >= 0, np.inf, np.nan_to_num(np.abs(self.worst)))
            order = np.argsort(-size, kind="stable")[:_FEW].tolist()
        return [self._row(k) for k in order]

    def _row(self, k: int) -> tuple[str, ...]:
        verdict = self.verdicts[k]
        return (
            self.names[k], str(self.of_a.count[k]), str(self.of_b.count[k]), str(self.matched[k]),
            figure(float(self.worst[k]), "s"), figure(float(self.median[k]), "s"),
            figure(float(self.gamma[k])), figure(float(self.first_apart_at[k]), "s"),
            *([] if None in self.errors else ["-" if verdict is None else verdict.value]),
        )  # fmt: skip

    def table(self, *, all: bool = False) -> str:
        """Return the comparison as text: the network, then its neurons.

        Parameters
        ----------
        all : bool
            Whether to list all neurons; otherwise at most the 12 with the largest differences.
        """
        return "\n".join(page.text() for page in self._made(all))

    def _pages(self) -> list[Page]:
        return self._made(False)

    def _made(self, every: bool) -> list[Page]:
        known = None not in self.errors
        head = ("network", *self.labels, "difference", *(["error", "verdict"] if known else []))
        whole = [
            (
                f.label, figure(f.a, f.unit), figure(f.b, f.unit), gap_figure(f.a, f.b, f.unit),
                *([figure(f.error, f.unit), "-" if f.verdict is None else f.verdict.value]
                  if known else []),
            )
            for f in self.figures
        ]  # fmt: skip
        rows = self.rows(all=every)
        heads = (
            *("neuron", "spikes (a)", "spikes (b)", "matched", "worst difference", "median"),
            *("coincidence", "apart from", *(["verdict"] if known else [])),
        )
        rest = len(self.names) - len(rows)
        more = [f"{counted(rest, 'more neuron')} with all=True."] if rest else []
        tables: list[_Table] = [(head, whole), (heads, rows)]
        return [Page(tuple(tables), [*more, *self.notes])]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and lists, for JSON."""
        return {
            "labels": list(self.labels),
            "tolerance": self.tolerance,
            "match_window": self.match_window,
            "network": {
                f.name: {
                    "label": f.label, "unit": f.unit, "a": plain(f.a), "b": plain(f.b),
                    "gap": plain(f.gap), "error_a": plain(f.error_a), "error_b": plain(f.error_b),
                    "error": plain(f.error), "tolerance": plain(f.tolerance),
                    "verdict": None if f.verdict is None else f.verdict.value,
                }
                for f in self.figures
            },
            "neurons": [
                {
                    "name": name, "count_a": int(self.of_a.count[k]),
                    "count_b": int(self.of_b.count[k]), "matched": int(self.matched[k]),
                    "worst": plain(float(self.worst[k])), "median": plain(float(self.median[k])),
                    "gamma": plain(float(self.gamma[k])),
                    "first_apart": None if self.first_apart[k] < 0 else int(self.first_apart[k]),
                    "first_apart_at": plain(float(self.first_apart_at[k])),
                    "verdict": None if (v := self.verdicts[k]) is None else v.value,
                }
                for k, name in enumerate(self.names)
            ],
            "errors": [None if e is None else e.to_dict() for e in self.errors],
            "notes": self.notes,
        }  # fmt: skip

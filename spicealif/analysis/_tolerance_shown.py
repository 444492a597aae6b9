"""What a budget over tolerances shows: rows, notes and plain figures."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from spicealif.analysis._budget_text import short_label, with_sign
from spicealif.analysis._intervals import COVERED, FEWEST, Interval, MeasureTolerance
from spicealif.analysis.budget import GapBudget
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import plain
from spicealif.sweep.tolerances import Tolerance

__all__ = ["ToleranceShown"]

#: The part of a draw's deviation above which what the orders leave open is told.
_DOUBT = 0.2
_HEADINGS = ("nominal", f"{COVERED:.0%} of draws", "above 0")


class ToleranceShown(ShownInNotebooks):
    """What of a `ToleranceBudget` is shown."""

    budget: GapBudget
    measures: tuple[MeasureTolerance, ...]
    tolerances: tuple[Tolerance, ...]
    n_draws: int
    refused: int
    n_orders: int
    seed: int

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.budget.neuron.name}'"),
            ("drawn", f"{self.n_draws} times, {self.refused} refused"),
            ("measures", ", ".join(m.name for m in self.measures) or "none"),
        ]

    def rows(self, measure: MeasureTolerance) -> list[tuple[str, ...]]:
        """Return the rows of one measure's table as texts."""
        rows: list[tuple[str, ...]] = [("gap", *_cells(measure.gap, measure.unit))]
        for cause, interval in measure.shares.items():
            rows.append((f"  {cause.label}", *_cells(interval, measure.unit)))
        return rows

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the tables."""
        drawn = ", ".join(t.parameter for t in self.tolerances)
        notes = [
            f"Intervals hold the middle {COVERED:.0%} of {self.n_draws - self.refused} draws of "
            f"{drawn}, each within its tolerance; circuit and reference have the same values. "
            f"'Above 0' is the part of the draws. Seed {self.seed}.",
            "The circuits of the draws are solved by the circuit's own equations. Their shares are "
            f"the nominal circuit's exact ones and the differences on {self.n_orders} orders.",
        ]
        for measure in self.measures:
            doubtful = [
                short_label(c)
                for c, i in measure.shares.items()
                if i.error > _DOUBT * i.deviation and i.error > 1e-3 * abs(measure.gap.deviation)
            ]
            if doubtful:
                notes.append(
                    f"The choice of orders leaves open more than {_DOUBT:.0%} of the spread of "
                    f"these shares of {measure.label}: {', '.join(doubtful)}."
                )
        if self.refused:
            notes.append(
                f"{self.refused} of {self.n_draws} draws are no neuron (they would latch) or could "
                "not be solved, and are left out."
            )
        missing = [b.label for b in self.budget.measures if not self._has(b.name)]
        if missing:
            notes.append(
                f"Without intervals, since fewer than {FEWEST} draws have them: "
                f"{', '.join(missing)}."
            )
        return notes

    def _has(self, name: str) -> bool:
        return any(m.name == name for m in self.measures)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return self.budget.to_dict() | {
            "tolerances": {
                "seed": self.seed,
                "n_draws": self.n_draws,
                "refused": self.refused,
                "n_orders": self.n_orders,
                "covered": COVERED,
                "parameters": {
                    t.parameter: {
                        "spread": t.spread,
                        "distribution": t.distribution,
                        "relative": t.relative,
                        "source": t.source,
                    }
                    for t in self.tolerances
                },
                "measures": {
                    m.name: {
                        "label": m.label,
                        "unit": m.unit,
                        "draws": m.draws,
                        "gap": _as_dict(m.gap),
                        "shares": {c.value: _as_dict(i) for c, i in m.shares.items()},
                    }
                    for m in self.measures
                },
            }
        }

    def _pages(self) -> list[Page]:
        pages = [Page((((m.label, *_HEADINGS), self.rows(m)),)) for m in self.measures]
        last = replace(pages.pop(), notes=self.notes) if pages else Page((), self.notes)
        return [*self.budget._pages(), *pages, last]


def _cells(interval: Interval, unit: str) -> tuple[str, str, str]:
    return (
        with_sign(interval.nominal, unit),
        f"{with_sign(interval.low, unit)} to {with_sign(interval.high, unit)}",
        f"{interval.positive:.0%}",
    )


def _as_dict(interval: Interval) -> dict[str, Any]:
    return {name: plain(value) for name, value in asdict(interval).items()}

"""What a gap budget shows: rows, notes and plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spicealif.analysis._budget_text import (
    RANGE_NOTE,
    part_text,
    range_text,
    share_text,
    short_label,
)
from spicealif.analysis._shares import MakersPart, MeasureBudget
from spicealif.circuit.parameters import Cause
from spicealif.design import Neuron, dump_toml
from spicealif.measures.one_side import MEASURES
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, gap_figure, plain

__all__ = ["RESIDUAL_SMALL", "BudgetShown"]

#: The part of the gap above which a residual makes the shares doubtful.
RESIDUAL_SMALL = 0.05
_RANGE = "first on, last on"
#: Measures side by side in the printed table.
_COLUMNS = 3


class BudgetShown(ShownInNotebooks):
    """What of a `GapBudget` is shown."""

    neuron: Neuron
    measures: tuple[MeasureBudget, ...]
    undefined: tuple[str, ...]
    simulator: str
    n_subsets: int
    n_orders: int
    exchanged: tuple[MakersPart, ...]
    n_exchanged: int

    @property
    def causes(self) -> tuple[Cause | MakersPart, ...]:
        """Whatever has a share, in the order of `MeasureBudget.shares`."""
        return (*Cause, *self.exchanged)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.neuron.name}'"),
            ("by", self.simulator),
            ("causes", str(len(self.causes))),
            ("measures", ", ".join(b.name for b in self.measures) or "none"),
        ]

    def rows(self, names: Sequence[str] | None = None) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts, one column for each measure.

        Parameters
        ----------
        names : sequence of str, optional
            The measures; all if not given.

        Returns
        -------
        list of tuple of str
            Both sides, the gap, each cause's share, the residual.
        """
        budgets = self._chosen(names)
        rows = [
            ("reference (ideal)", *(figure(b.reference, b.unit) for b in budgets)),
            ("circuit", *(figure(b.circuit, b.unit) for b in budgets)),
            ("gap", *(gap_figure(b.circuit, b.reference, b.unit) for b in budgets)),
        ]
        for k, cause in enumerate(self.causes):
            rows.append((f"  {cause.label}", *(share_text(b.shares[k], b) for b in budgets)))
        rows.append(("  residual", *(part_text(b.residual, b) for b in budgets)))
        return rows

    def range_rows(self, names: Sequence[str] | None = None) -> list[tuple[str, ...]]:
        """Return what each cause changes when switched on first and last, as texts.

        Parameters
        ----------
        names : sequence of str, optional
            The measures; all if not given.

        Returns
        -------
        list of tuple of str
            A row for each cause that the neuron has.
        """
        budgets = self._chosen(names)
        return [
            (f"  {cause.label}", *(range_text(b.shares[k], b) for b in budgets))
            for k, cause in enumerate(self.causes)
            if budgets and budgets[0].shares[k].applies
        ]

    def _chosen(self, names: Sequence[str] | None) -> list[MeasureBudget]:
        return [b for b in self.measures if names is None or b.name in names]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        how = (
            f"exact, from all {self.n_subsets} sets of causes"
            if not self.n_orders
            else f"sampled, from {self.n_orders} orders ({self.n_subsets} sets of causes), each "
            "with its standard error"
        )
        notes = [
            f"Shares are Shapley values, {how}; with the residual they sum to the gap. "
            "Percentages are of the gap; they are left out where shares are ten times the gap and "
            "more.",
            "The reference here has a stimulus with edges of no duration. The residual is what "
            f"{self.simulator}, the circuit's own equations and the reference differ by among "
            "themselves.",
        ]
        if self.exchanged:
            named = "; ".join(f"{part.title}: {part.stand_in}" for part in self.exchanged)
            notes.append(
                "Makers' models have no equations here. The share of one is what it changes in the "
                f"simulator when it takes the place of what stands in for it ({named}), in every "
                f"set of such parts ({self.n_exchanged + 1} runs). The other causes are those of "
                "the circuit with all the stand-ins in their places: what they say of such a part "
                "is true of its stand-in."
            )
        if self.measures:
            notes.append(RANGE_NOTE)
        turning = [
            f"{b.label} ({', '.join(labels)})"
            for b in self.measures
            if (labels := [short_label(s.cause) for s in b.shares if b.turns(s)])
        ]
        if turning:
            notes.append(
                "Whether these causes add to the gap or take from it depends on the order in which "
                f"the causes are switched on: {'; '.join(turning)}."
            )
        absent = [
            s.cause.label
            for s in (self.measures[0].shares if self.measures else ())
            if not s.applies
        ]
        if absent:
            notes.append(f"This neuron does not have: {', '.join(absent)}.")
        none = [b.label for b in self.measures if b.gap == 0]
        if none:
            notes.append(f"There is no gap in: {', '.join(none)}.")
        loose = [
            b.label
            for b in self.measures
            if b.gap != 0 and abs(b.residual) > RESIDUAL_SMALL * abs(b.gap)
        ]
        if loose:
            notes.append(
                f"Not resolved, since the residual is above {RESIDUAL_SMALL:.0%} of the gap: "
                f"{', '.join(loose)}."
            )
        if self.undefined:
            named = ", ".join(MEASURES[name].label for name in self.undefined)
            notes.append(
                f"Without a budget, since a side or a set of causes has no such figure: {named}."
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "neuron": self.neuron.name,
            "design_digest": self.neuron.digest,
            "design": dump_toml(self.neuron),
            "simulator": self.simulator,
            "exact": not self.n_orders,
            "n_subsets": self.n_subsets,
            "n_orders": self.n_orders,
            "causes": {c.value: {"label": c.label, "off": c.off} for c in self.causes},
            "undefined": list(self.undefined),
            "notes": self.notes,
            "measures": {
                b.name: {
                    "label": b.label,
                    "unit": b.unit,
                    "circuit": plain(b.circuit),
                    "reference": plain(b.reference),
                    "gap": plain(b.gap),
                    "shares": {
                        s.cause.value: {
                            "value": plain(s.value),
                            "error": plain(s.error),
                            "applies": s.applies,
                            "first": plain(s.first),
                            "last": plain(s.last),
                            "least": plain(s.least),
                            "most": plain(s.most),
                        }
                        for s in b.shares
                    },
                    "residual": plain(b.residual),
                }
                for b in self.measures
            },
        }

    def _pages(self) -> list[Page]:
        labels = [b.label for b in self.measures]
        tables = (("", *labels), self.rows()), ((_RANGE, *labels), self.range_rows())
        return [Page(tables, self.notes, _COLUMNS)]

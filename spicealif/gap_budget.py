"""A gap budget: each cause's share of each measure's gap, as tables, JSON and files.

`spicealif.attribution.explain` makes one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spicealif._budget_text import RANGE_NOTE, part_text, range_text, share_text, short_label
from spicealif._files import write_text
from spicealif._folders import exchanging
from spicealif._kinds import BUDGET_FILES
from spicealif._tables import figure, gap_figure, html_table, note_lines, plain, text_table
from spicealif.circuit.parameters import Cause
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures import MEASURES

__all__ = ["RESIDUAL_SMALL", "GapBudget", "MeasureBudget", "Share", "save_budget"]

#: The part of the gap above which a residual makes the shares doubtful.
RESIDUAL_SMALL = 0.05
#: The part of the largest share of a gap below which a change of sign over orders is not told.
_SMALL_SHARE = 0.05
_RANGE = "first on, last on"
#: Measures side by side in the printed table.
_COLUMNS = 3


@dataclass(frozen=True)
class Share:
    """What one cause contributes to a gap.

    Attributes
    ----------
    cause : Cause
    value : float
        Its Shapley value, in the measure's unit.
    error : float
        Standard error of a sampled value; 0 of an exact one.
    applies : bool
        Whether this neuron has the cause at all; if not, all figures are 0.
    first, last : float
        What switching the cause on changes before all others, and after all others.
    least, most : float
        The least and the most that it changes over all orders (of those sampled, if so).
    """

    cause: Cause
    value: float
    error: float
    applies: bool
    first: float = 0.0
    last: float = 0.0
    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True)
class MeasureBudget:
    """The gap of one measure and what it is made of.

    Attributes
    ----------
    name, label, unit : str
        As in `MEASURES`; SI.
    circuit, reference : float
        The simulator's circuit with all parts as designed, and the `ideal` reference with edges
        of no duration.
    gap : float
        Circuit minus reference.
    shares : tuple of Share
        One for each cause.
    residual : float
        The gap less all shares: what the simulator differs by from the equations of the same
        circuit, and the equations without any cause from the reference. It is numerical error,
        or a mistake in one of the three.
    """

    name: str
    label: str
    unit: str
    circuit: float
    reference: float
    gap: float
    shares: tuple[Share, ...]
    residual: float

    def turns(self, share: Share) -> bool:
        """Return whether a share's sign depends on the order, by more than 5 % of the largest."""
        most = _SMALL_SHARE * max((abs(s.value) for s in self.shares), default=0.0)
        return share.least < -most and share.most > most


@dataclass(frozen=True, eq=False)
class GapBudget:
    """What the gap between the circuit and the `ideal` reference is made of.

    Attributes
    ----------
    neuron : Neuron
    measures : tuple of MeasureBudget
        Those that were asked for, without those that are not defined for this neuron (then
        `undefined` names them).
    undefined : tuple of str
        Measures that some set of causes leaves without a value, for example an interval where
        only one spike is left.
    simulator : str
        Its name and version.
    n_subsets : int
        Sets of causes that were solved (or taken from the cache).
    n_orders : int
        Orders sampled; 0 if all sets were solved and the shares are exact.
    """

    neuron: Neuron
    measures: tuple[MeasureBudget, ...]
    undefined: tuple[str, ...]
    simulator: str
    n_subsets: int
    n_orders: int

    def __getitem__(self, name: str) -> MeasureBudget:
        """Return the budget of a measure by its name."""
        for budget in self.measures:
            if budget.name == name:
                return budget
        known = ", ".join(b.name for b in self.measures)
        raise CompareError(f"There is no budget of {ascii(name)}; choose one of {known}.")

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
        for k, cause in enumerate(Cause):
            rows.append((f"  {cause.label}", *(share_text(b.shares[k], b) for b in budgets)))
        rows.append(("  numerical residual", *(part_text(b.residual, b) for b in budgets)))
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
            for k, cause in enumerate(Cause)
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
        loose = [b.label for b in self.measures if abs(b.residual) > RESIDUAL_SMALL * abs(b.gap)]
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
            "simulator": self.simulator,
            "exact": not self.n_orders,
            "n_subsets": self.n_subsets,
            "n_orders": self.n_orders,
            "causes": {c.value: {"label": c.label, "off": c.off} for c in Cause},
            "undefined": list(self.undefined),
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

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write ``budget.json`` and ``budget.txt`` into a folder, created if need be.

        A figure of an earlier budget is removed.

        Raises
        ------
        OutputError
            If something cannot be written.
        """
        return save_budget(folder, self.to_dict(), str(self))

    def __str__(self) -> str:
        tables = []
        for start in range(0, len(self.measures), _COLUMNS):
            some = self.measures[start : start + _COLUMNS]
            of = [b.name for b in some]
            tables.append(text_table(("", *(b.label for b in some)), self.rows(of)))
            tables.append(text_table((_RANGE, *(b.label for b in some)), self.range_rows(of)))
        return "\n".join([*tables, *note_lines(self.notes)])

    def _repr_html_(self) -> str:
        labels = [b.label for b in self.measures]
        shares = html_table(("", *labels), self.rows(), [])
        return shares + html_table((_RANGE, *labels), self.range_rows(), self.notes)


def save_budget(folder: str | os.PathLike[str], data: dict[str, Any], text: str) -> list[Path]:
    """Write a budget as ``budget.json`` and ``budget.txt``; see `GapBudget.save`."""
    import json

    target = Path(folder)
    with exchanging(target, BUDGET_FILES) as beside:
        write_text(beside / "budget.json", json.dumps(data, indent=1, allow_nan=False) + "\n")
        write_text(beside / "budget.txt", f"{text}\n")
    return [target / "budget.json", target / "budget.txt"]

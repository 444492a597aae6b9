"""A gap budget: each cause's share of each measure's gap, and its files.

`spicealif.analysis.attribution.explain` makes one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from spicealif._support.drawn import Drawn
from spicealif._support.files import write_text
from spicealif._support.folders import exchanging
from spicealif._support.kinds import BUDGET_FILES
from spicealif.analysis._budget_shown import RESIDUAL_SMALL, BudgetShown
from spicealif.analysis._shares import MakersPart, MeasureBudget, Share
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures.shown import ShownInNotebooks, json_text

__all__ = ["RESIDUAL_SMALL", "GapBudget", "MakersPart", "MeasureBudget", "Share", "save_budget"]


@dataclass(frozen=True, eq=False, repr=False)
class GapBudget(BudgetShown, Drawn):
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
    exchanged : tuple of MakersPart
        Parts that makers' models stand for; see `explain`.
    n_exchanged : int
        Runs of the simulator with one of them or more.
    """

    neuron: Neuron
    measures: tuple[MeasureBudget, ...]
    undefined: tuple[str, ...]
    simulator: str
    n_subsets: int
    n_orders: int
    exchanged: tuple[MakersPart, ...] = ()
    n_exchanged: int = 0

    def __getitem__(self, name: str) -> MeasureBudget:
        """Return the budget of a measure by its name."""
        for budget in self.measures:
            if budget.name == name:
                return budget
        known = ", ".join(b.name for b in self.measures)
        raise CompareError(f"There is no budget of {ascii(name)}; choose one of {known}.")

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write ``budget.json`` and ``budget.txt`` into a folder, created if need be.

        A figure of an earlier budget is removed.

        Raises
        ------
        OutputError
            If something cannot be written.
        """
        return save_budget(folder, self)


def save_budget(folder: str | os.PathLike[str], budget: ShownInNotebooks) -> list[Path]:
    """Write a budget as ``budget.json`` and ``budget.txt``; see `GapBudget.save`."""
    target = Path(folder)
    with exchanging(target, BUDGET_FILES) as beside:
        write_text(beside / "budget.json", f"{json_text(budget)}\n")
        write_text(beside / "budget.txt", f"{budget}\n")
    return [target / "budget.json", target / "budget.txt"]

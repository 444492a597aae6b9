"""What the gap between circuit and reference is made of: a share for each cause.

The circuit's own differential equations (`spicealif.circuit`) are solved with every set of causes
switched on, from none, where they behave as the `ideal` reference, to all, where they are the
netlist's circuit. The Shapley value of a cause is its share of the gap. What the simulator, the
equations and the reference differ by among themselves is the residual, a line of its own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._cache import NO_HOME, Cache, cache_folder
from spicealif._cause_sets import BUDGET_MEASURES, CauseSets, causes_of
from spicealif._files import write_text
from spicealif._folders import exchanging
from spicealif._kinds import BUDGET_FILES
from spicealif._shapley import (
    all_subsets,
    exact_shares,
    sampled_orders,
    sampled_shares,
    subsets_of_orders,
)
from spicealif._tables import figure, gap_figure, html_table, note_lines, plain, text_table
from spicealif.circuit.parameters import Cause
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures import MEASURES
from spicealif.simulators import Simulator

__all__ = [
    "BUDGET_MEASURES",
    "RESIDUAL_SMALL",
    "SHOWN_MEASURES",
    "GapBudget",
    "MeasureBudget",
    "Share",
    "explain",
]

#: Orders that are sampled at most.
_MOST_ORDERS = 100_000

_Floats: TypeAlias = NDArray[np.float64]

#: The measures in the table and the figure, unless told.
SHOWN_MEASURES = (
    *("mean_rate", "isi_mean", "isi_growth"),
    *("adaptation_ratio", "x_final", "energy_per_spike"),
)
#: The part of the gap above which a residual makes the shares doubtful.
RESIDUAL_SMALL = 0.05
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
        Whether this neuron has the cause at all; if not, the value is 0.
    """

    cause: Cause
    value: float
    error: float
    applies: bool


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
        budgets = [b for b in self.measures if names is None or b.name in names]
        rows = [
            ("reference (ideal)", *(figure(b.reference, b.unit) for b in budgets)),
            ("circuit", *(figure(b.circuit, b.unit) for b in budgets)),
            ("gap", *(gap_figure(b.circuit, b.reference, b.unit) for b in budgets)),
        ]
        for k, cause in enumerate(Cause):
            rows.append((f"  {cause.label}", *(_share(b.shares[k], b) for b in budgets)))
        rows.append(("  numerical residual", *(_part(b.residual, b) for b in budgets)))
        return rows

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
            labels = ", ".join(MEASURES[name].label for name in self.undefined)
            notes.append(
                f"Without a budget, since a side or a set of causes has no such figure: {labels}."
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
        import json

        target = Path(folder)
        with exchanging(target, BUDGET_FILES) as beside:
            text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
            write_text(beside / "budget.json", text + "\n")
            write_text(beside / "budget.txt", f"{self}\n")
        return [target / "budget.json", target / "budget.txt"]

    def __str__(self) -> str:
        tables = []
        for start in range(0, len(self.measures), _COLUMNS):
            some = self.measures[start : start + _COLUMNS]
            rows = self.rows([b.name for b in some])
            tables.append(text_table(("", *(b.label for b in some)), rows))
        return "\n".join([*tables, *note_lines(self.notes)])

    def _repr_html_(self) -> str:
        return html_table(("", *(b.label for b in self.measures)), self.rows(), self.notes)


def explain(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    measures: Sequence[str] = SHOWN_MEASURES,
    orders: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    timeout: float | None = None,
    cache: str | os.PathLike[str] | bool | None = True,
    progress: Callable[[float], None] | None = None,
) -> GapBudget:
    """Attribute the gap between a neuron's circuit and its `ideal` reference to causes.

    Parameters
    ----------
    neuron : Neuron
    simulator : str or Simulator
        Runs the circuit as it is, see `simulate`; all other sets of causes are solved by the
        circuit's own equations.
    measures : sequence of str
        Of `BUDGET_MEASURES`.
    orders : int, optional
        Sample this many orders of the causes (an even number) instead of solving all sets; with
        the 9 causes of a real circuit there are 512 sets.
    seed : int
        Of the sampled orders.
    workers : int, optional
        Threads that solve the equations; as many as the process may use CPUs if not given.
    timeout : float, optional
        Seconds of wall time for the simulator.
    cache : path-like or bool or None
        Folder for the figures of each set and of the simulator's run; True is the user's cache
        folder (``SPICEALIF_CACHE`` sets another), False or None none.
    progress : callable, optional
        Called in this thread with the fraction done.

    Returns
    -------
    GapBudget

    Raises
    ------
    CompareError
        If a measure is unknown, or the number of orders or workers makes no sense.
    RunFailed
        If the simulator's run is not complete.
    NetlistError, IntegrationError, SimulatorNotFound
        If one side cannot be run at all.
    """
    names = _checked(measures, orders, workers)
    causes = causes_of(neuron)
    n = len(causes)
    order_list = None if orders is None else sampled_orders(n, orders, seed) if n > 1 else None
    subsets = all_subsets(n) if order_list is None else subsets_of_orders(order_list)
    folder = cache_folder() if cache is True else Path(cache) if cache else None
    kept = Cache(folder)
    if cache is True and folder is None:
        kept.trouble = f"Nothing is kept for the next time: {NO_HOME}"
    job = CauseSets(neuron, causes, simulator, timeout, kept)
    try:
        values, circuit, reference, version = job.work(subsets, workers, progress)
    finally:
        kept.tell_trouble()

    table = {s: np.array([values[s][name] for name in names]) for s in subsets}
    if order_list is None:
        shares = exact_shares(table, n)
        errors = np.zeros_like(shares)
    else:
        shares, errors = sampled_shares(table, order_list)
    budgets, undefined = [], []
    for m, name in enumerate(names):
        gap = circuit[name] - reference[name]
        if not (math.isfinite(gap) and np.isfinite(shares[:, m]).all()):
            undefined.append(name)
            continue
        of = {
            c: Share(c, float(shares[k, m]), float(errors[k, m]), True)
            for k, c in enumerate(causes)
        }
        every = tuple(of.get(c, Share(c, 0.0, 0.0, False)) for c in Cause)
        residual = gap - float(shares[:, m].sum())
        info = MEASURES[name]
        budgets.append(
            MeasureBudget(
                name, info.label, info.unit, circuit[name], reference[name], gap, every, residual
            )
        )
    return GapBudget(
        neuron,
        tuple(budgets),
        tuple(undefined),
        version,
        len(subsets),
        len(order_list) if order_list else 0,
    )


def _checked(measures: Sequence[str], orders: int | None, workers: int | None) -> list[str]:
    for name in measures:
        if name not in BUDGET_MEASURES:
            raise CompareError(
                f"There is no budget of {ascii(name)}; choose among {', '.join(BUDGET_MEASURES)}."
            )
    if not measures:
        raise CompareError("No measure was asked for; name at least one.")
    if orders is not None and not 2 <= orders <= _MOST_ORDERS:
        what = "few" if orders < 2 else "many"
        least = "2 or more" if orders < 2 else f"{_MOST_ORDERS} at most"
        raise CompareError(f"{orders} orders are too {what} to sample; give {least}.")
    if workers is not None and workers < 1:
        raise CompareError(f"{workers} workers cannot work; give 1 or more.")
    return list(dict.fromkeys(measures))


def _part(value: float, budget: MeasureBudget) -> str:
    if abs(value) <= 1e-12 * max(abs(budget.circuit), abs(budget.reference)):
        value = 0.0  # the rounding of the sums
    text = figure(value, budget.unit)
    text = text if text.startswith("-") else f"+{text}"
    # A percentage of a gap in which large shares cancel would say nothing.
    if not budget.gap or abs(value) >= 10 * abs(budget.gap):
        return text
    percent = f"{value / budget.gap:+.1%}"
    return f"{text} ({'0.0%' if percent in ('+0.0%', '-0.0%') else percent})"


def _share(share: Share, budget: MeasureBudget) -> str:
    if not share.applies:
        return "-"
    text = _part(share.value, budget)
    return f"{text} ± {figure(share.error, budget.unit)}" if share.error else text

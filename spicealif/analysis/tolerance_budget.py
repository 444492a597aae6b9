"""What may be concluded from a gap budget: its shares over the tolerances of the parts.

A budget is one circuit's: one draw of offsets, resistances and temperature. Here the parts are
drawn many times within their tolerances, and each draw has a budget of its own. A draw's shares are
measured on a few orders of the causes and not on all: what is used of them is only by how much they
differ from the nominal circuit's shares on the same orders (a control variate), and the nominal
circuit's exact shares are added. What the choice of orders leaves open is estimated from the
differences between the orders and told.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import open_cache
from spicealif._support.drawn import Drawn
from spicealif.analysis._cause_sets import CauseSets, causes_of
from spicealif.analysis._intervals import COVERED, FEWEST, Interval, MeasureTolerance
from spicealif.analysis._shapley import sampled_orders, shares_of_pairs, subsets_of_orders
from spicealif.analysis._tolerance_shown import ToleranceShown
from spicealif.analysis.attribution import SHOWN_MEASURES, explain
from spicealif.analysis.budget import GapBudget, save_budget
from spicealif.circuit.parameters import Cause, circuit_parameters
from spicealif.design import Neuron
from spicealif.errors import CompareError, DesignError, IntegrationError
from spicealif.measures.one_side import MEASURES
from spicealif.simulators import Simulator
from spicealif.sweep.tolerances import MonteCarlo, Tolerance, tolerances_of

__all__ = ["Interval", "MeasureTolerance", "ToleranceBudget", "explain_tolerances"]

_Floats: TypeAlias = NDArray[np.float64]

#: Draws and orders (pairs of an order and its reverse) unless told: on two cores the paper's neuron
#: takes about four minutes.
DRAWS, ORDERS = 32, 4
_MOST = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class ToleranceBudget(ToleranceShown, Drawn):
    """A gap budget with intervals over the parts' tolerances.

    Attributes
    ----------
    budget : GapBudget
        The nominal circuit's, exact.
    measures : tuple of MeasureTolerance
        Those that at least 20 draws have.
    tolerances : tuple of Tolerance
        What was drawn.
    n_draws : int
        Draws asked for.
    refused : int
        Draws that the design refuses (they would latch), or that could not be solved.
    n_orders : int
        Orders of the causes that each draw's shares are measured on.
    seed : int
    """

    budget: GapBudget
    measures: tuple[MeasureTolerance, ...]
    tolerances: tuple[Tolerance, ...]
    n_draws: int
    refused: int
    n_orders: int
    seed: int

    def __getitem__(self, name: str) -> MeasureTolerance:
        """Return a measure by its name."""
        for found in self.measures:
            if found.name == name:
                return found
        known = ", ".join(m.name for m in self.measures)
        raise CompareError(f"There are no intervals of {ascii(name)}; choose one of {known}.")

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write ``budget.json`` and ``budget.txt`` into a folder, created if need be.

        Raises
        ------
        OutputError
            If something cannot be written.
        """
        return save_budget(folder, self)


def explain_tolerances(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    measures: Sequence[str] = SHOWN_MEASURES,
    tolerances: Sequence[Tolerance] | None = None,
    draws: int = DRAWS,
    orders: int = ORDERS,
    seed: int = 0,
    workers: int | None = None,
    timeout: float | None = None,
    cache: str | os.PathLike[str] | bool | None = True,
    progress: Callable[[float], None] | None = None,
) -> ToleranceBudget:
    """Attribute the gap to causes, with intervals over the tolerances of the parts.

    Parameters
    ----------
    neuron : Neuron
        The nominal circuit.
    simulator : str or Simulator
        Runs the nominal circuit; see `explain`.
    measures : sequence of str
        Of `BUDGET_MEASURES`.
    tolerances : sequence of Tolerance, optional
        What is drawn: if not given, `tolerances_of` the neuron without the leak device, which is
        the same on both sides and no part of the circuit around it.
    draws : int
        From 20 to 10,000; Latin hypercube.
    orders : int
        Orders of the causes that each draw is measured on, at least 4 (pairs of an order and its
        reverse).
    seed : int
        Of draws and orders.
    workers, timeout, cache, progress
        See `explain`.

    Returns
    -------
    ToleranceBudget

    Raises
    ------
    CompareError
        If a choice makes no sense, or fewer than 20 draws can be solved.
    SweepError
        If a tolerance's parameter is not there.
    RunFailed, NetlistError, IntegrationError, SimulatorNotFound
        See `explain`.
    """
    circuit_parameters(neuron)  # which refuses a part that has no equations
    if not FEWEST <= draws <= _MOST:
        raise CompareError(f"{draws} draws make no interval; give {FEWEST} to {_MOST}.")
    if orders < ORDERS:
        raise CompareError(f"{orders} orders do not tell their own error; give {ORDERS} or more.")
    chosen = tuple(
        tolerances
        if tolerances is not None
        else (t for t in tolerances_of(neuron) if not t.parameter.startswith("leak."))
    )
    points = MonteCarlo(neuron, draws, chosen, seed, "latin-hypercube", sides="reference").points
    causes = causes_of(neuron)
    n = len(causes)
    order_list = sampled_orders(n, orders, seed)
    subsets = subsets_of_orders(order_list)
    # Of the work: all sets of the nominal circuit (with its run), then the draws'.
    first = 2.0**n + 16
    share = first / (first + draws * (len(subsets) + 1))
    report = progress or (lambda fraction: None)
    budget = explain(
        neuron, simulator, measures=measures, workers=workers, timeout=timeout, cache=cache,
        progress=lambda f: report(f * share),
    )  # fmt: skip
    names = [b.name for b in budget.measures]
    kept = open_cache(cache)
    neurons = [neuron]
    for k in range(draws):
        try:
            neurons.append(neuron.replace(points.changes(k)))
        except DesignError:
            continue
    jobs = [CauseSets(of, causes, simulator, timeout, kept) for of in neurons]
    try:
        found = CauseSets.work_together(
            jobs, subsets, workers, lambda f: report(share + f * (1 - share))
        )
    finally:
        kept.tell_trouble()
    solved = [_shares(result, order_list, names) for result in found]
    nominal, rest = solved[0], [s for s in solved[1:] if s is not None]
    assert nominal is not None, "explain has solved the same sets"
    if len(rest) < FEWEST:
        raise CompareError(
            f"Only {len(rest)} of {draws} draws are neurons that could be solved, fewer than "
            f"{FEWEST}; take more draws, or smaller tolerances."
        )
    return ToleranceBudget(
        budget,
        tuple(_measures(budget, causes, nominal[0], rest)),
        chosen,
        draws,
        draws - len(rest),
        len(order_list),
        seed,
    )


_Solved: TypeAlias = tuple[_Floats, _Floats]


def _shares(
    result: tuple[dict[frozenset[int], dict[str, float]], dict[str, float]] | IntegrationError,
    orders: list[tuple[int, ...]],
    names: list[str],
) -> _Solved | None:
    """Return the shares on each pair of orders, shape (pairs, n, M), and the gap."""
    if isinstance(result, IntegrationError):
        return None
    values, reference = result
    table = {s: np.array([v[name] for name in names]) for s, v in values.items()}
    full = table[frozenset(orders[0])]
    gap = full - np.array([reference[name] for name in names])
    return shares_of_pairs(table, orders), gap


def _measures(
    budget: GapBudget, causes: list[Cause], base: _Floats, draws: list[_Solved]
) -> list[MeasureTolerance]:
    out = []
    pairs = np.array([d[0] for d in draws]) - base  # (draws, pairs, n, M), from the nominal's
    gaps = np.array([d[1] for d in draws])
    for m, of in enumerate(budget.measures):
        whole = np.isfinite(pairs[:, :, :, m]).all(axis=(1, 2)) & np.isfinite(gaps[:, m])
        if whole.sum() < FEWEST:
            continue
        exact = {s.cause: s.value for s in of.shares}
        shares = {}
        for k, cause in enumerate(causes):
            each = pairs[whole, :, k, m]
            # the mean of P pairs, whose own scatter tells that of the mean
            error = math.sqrt(float(each.var(axis=1, ddof=1).mean()) / each.shape[1])
            shares[cause] = _interval(exact[cause], exact[cause] + each.mean(axis=1), error)
        info = MEASURES[of.name]
        gap = _interval(of.gap, gaps[whole, m], 0.0)
        out.append(MeasureTolerance(of.name, info.label, info.unit, gap, shares, int(whole.sum())))
    return out


def _interval(nominal: float, values: _Floats, error: float) -> Interval:
    low, high = np.quantile(values, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Interval(
        nominal,
        float(low),
        float(high),
        float(values.mean()),
        float(values.std(ddof=1)),
        float(np.mean(values > 0)),
        error,
    )

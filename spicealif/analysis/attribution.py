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
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import open_cache
from spicealif.analysis._cause_sets import BUDGET_MEASURES, CauseSets, causes_of
from spicealif.analysis._exchange import Exchange, with_exchange
from spicealif.analysis._shapley import (
    all_subsets,
    ends_of_orders,
    exact_shares,
    marginals,
    sampled_orders,
    sampled_shares,
    spread_over_orders,
    subsets_of_orders,
)
from spicealif.analysis.budget import RESIDUAL_SMALL, GapBudget, MeasureBudget, Share
from spicealif.circuit.parameters import Cause
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures.one_side import MEASURES
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

    A part that its maker's model stands for has no equations and is one cause as a whole: it is
    exchanged against its ideal variant, in every set of such parts, and the simulator runs each.

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
        the 9 causes of a real circuit there are 512 sets, with the body diode of one whose v_c can
        be below ground 1,024.
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
    DesignError
        If the circuit would not work with a maker's model exchanged.
    RunFailed
        If the simulator's run is not complete.
    NetlistError, IntegrationError, SimulatorNotFound
        If one side cannot be run at all.

    Examples
    --------
    >>> budget = explain(load_preset("paper").replace(t_stop="2m"), "equations", orders=2)
    >>> budget["mean_rate"].unit
    'Hz'
    """
    names = _checked(measures, orders, workers)
    if neuron.no_equations:
        exchange = Exchange.of(neuron)

        def part(begin: float) -> Callable[[float], None] | None:
            return None if progress is None else lambda done: progress(begin + done / 2)

        with_cache = open_cache(cache)
        try:
            figures = exchange.figures(simulator, timeout, with_cache, part(0.0))
        finally:
            with_cache.tell_trouble()
        rest = explain(
            exchange.without, simulator, measures=names, orders=orders, seed=seed, workers=workers,
            timeout=timeout, cache=cache, progress=part(0.5),
        )  # fmt: skip
        return with_exchange(rest, neuron, exchange, figures, names)
    causes = causes_of(neuron)
    n = len(causes)
    order_list = None if orders is None else sampled_orders(n, orders, seed) if n > 1 else None
    subsets = all_subsets(n)
    if order_list is not None:
        subsets = list(dict.fromkeys([*subsets_of_orders(order_list), *ends_of_orders(n)]))
    kept = open_cache(cache)
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
    first, last = marginals(table, n)
    least, most = spread_over_orders(table, n)
    budgets, undefined = [], []
    for m, name in enumerate(names):
        gap = circuit[name] - reference[name]
        if not (math.isfinite(gap) and np.isfinite(shares[:, m]).all()):
            undefined.append(name)
            continue
        of = {
            c: Share(
                c,
                float(shares[k, m]),
                float(errors[k, m]),
                True,
                *(float(a[k, m]) for a in (first, last, least, most)),
            )
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

"""What each cause in the circuit changes of a network: Shapley shares, on or off in all neurons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cores import usable_cores
from spicealif.analysis._cause_sets import causes_of
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
from spicealif.analysis.attribution import MeasureBudget, Share
from spicealif.circuit import ALL_CAUSES, Cause
from spicealif.errors import CompareError
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, gap_figure, plain
from spicealif.network.circuit import DEFAULT_T_TOL, solve_network
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.network.measures import NETWORK_MEASURES, measure_network

__all__ = ["NetworkBudget", "network_budget"]

_Floats = NDArray[np.float64]

#: Causes up to whose number all sets are solved unless told otherwise, and orders sampled else.
_EXACT, _ORDERS = 5, 8


@dataclass(frozen=True, eq=False, repr=False)
class NetworkBudget(ShownInNotebooks):
    """What the causes change of a network's measures.

    Attributes
    ----------
    name : str
        The network's.
    measures : tuple of MeasureBudget
        Their ``circuit`` is the network as it is, ``reference`` the network with the causes off,
        and ``residual`` rounding. Shares sum to the gap.
    undefined : tuple of str
        Measures that some set of causes leaves without a value.
    causes : tuple of Cause
        Those that have a share.
    n_subsets, n_orders : int
        Sets that were solved; orders that were sampled, 0 if the shares are exact.
    tau : float
        See `measure_network`; that of the network as it is, in all sets.
    """

    name: str
    measures: tuple[MeasureBudget, ...]
    undefined: tuple[str, ...]
    causes: tuple[Cause, ...]
    n_subsets: int
    n_orders: int
    tau: float

    def __getitem__(self, name: str) -> MeasureBudget:
        """Return the budget of a measure by its name."""
        for budget in self.measures:
            if budget.name == name:
                return budget
        raise CompareError(
            f"There is no budget of {ascii(name)}; choose one of "
            f"{', '.join(b.name for b in self.measures) or 'none'}."
        )

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.name}'"),
            ("causes", str(len(self.causes))),
            ("measures", ", ".join(b.name for b in self.measures) or "none"),
        ]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        how = (
            f"sampled, from {self.n_orders} orders ({self.n_subsets} sets of causes), each with "
            "its standard error"
            if self.n_orders
            else f"exact, from all {self.n_subsets} sets of causes"
        )
        notes = [
            f"Shares are Shapley values, {how}; they sum to the gap. A cause is on or off in all "
            "neurons at once.",
            "Without the causes the synapses are still those of the circuit.",
        ]
        if self.undefined:
            named = ", ".join(NETWORK_MEASURES[name].label for name in self.undefined)
            notes.append(f"Without a budget, since a set of causes has no such figure: {named}.")
        return notes

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as texts, one column for each measure."""
        budgets = self.measures
        rows = [
            ("without these causes", *(figure(b.reference, b.unit) for b in budgets)),
            ("circuit", *(figure(b.circuit, b.unit) for b in budgets)),
            ("gap", *(gap_figure(b.circuit, b.reference, b.unit) for b in budgets)),
        ]
        for k, cause in enumerate(self.causes):
            rows.append((f"  {cause.label}", *(_share(b.shares[k], b.unit) for b in budgets)))
        return rows

    def _pages(self) -> list[Page]:
        head = ("", *(b.label for b in self.measures))
        return [Page(((head, self.rows()),), self.notes, 3)]

    def table(self) -> str:
        """Return the budget as text."""
        return str(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "network": self.name,
            "exact": not self.n_orders,
            "n_subsets": self.n_subsets,
            "n_orders": self.n_orders,
            "tau": self.tau,
            "causes": {c.value: {"label": c.label, "off": c.off} for c in self.causes},
            "undefined": list(self.undefined),
            "notes": self.notes,
            "measures": {
                b.name: {
                    "label": b.label, "unit": b.unit, "circuit": plain(b.circuit),
                    "without": plain(b.reference), "gap": plain(b.gap),
                    "shares": {
                        s.cause.value: {
                            "value": plain(s.value), "error": plain(s.error),
                            "first": plain(s.first), "last": plain(s.last),
                            "least": plain(s.least), "most": plain(s.most),
                        }
                        for s in b.shares
                    },
                }
                for b in self.measures
            },
        }  # fmt: skip


def _share(share: Share, unit: str) -> str:
    text = figure(share.value, unit)
    text = text if text.startswith("-") else f"+{text}"
    return f"{text} \u00b1 {figure(share.error, unit)}" if share.error else text


def network_budget(
    network: Network | Expanded,
    measure: str | Sequence[str] = "rate",
    *,
    causes: Sequence[Cause] | None = None,
    orders: int | None = None,
    seed: int = 0,
    rtol: float = 1e-6,
    t_tol: float = DEFAULT_T_TOL,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkBudget:
    """Attribute what the circuit changes of a network's measures to causes.

    The gap is the network as it is less the network with the causes off in all neurons. The ideal
    that this ends at, with all causes off, is the circuit's own equations of every neuron without
    its parts' imperfections (`solve_circuit`): outputs switch at once, have no output resistance,
    and are not loaded by what they drive. The synapses stay the circuit's: they conduct during
    pulses of a length and between levels, from the ideal outputs. So it is not the reference
    ``ideal``, whose spikes are points, and near the reference ``schmitt``.

    Parameters
    ----------
    network : Network or Expanded
    measure : str or sequence of str
        Of `NETWORK_MEASURES`.
    causes : sequence of Cause, optional
        Those to switch; all others stay on. All that any of the neurons has, if not given.
    orders : int, optional
        Sample this many orders of the causes (an even number); if not given, all sets are solved
        for at most 5 causes, and 8 orders are sampled for more.
    seed : int
        Of the orders.
    rtol, t_tol : float
        See `solve_network`.
    workers : int, optional
        Sets that are solved at a time; as many as there are cores, if not given.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    NetworkBudget

    Raises
    ------
    CompareError
        If a measure or a cause is unknown or not there, or the number of orders makes no sense.
    IntegrationError
        If the network cannot be solved with a set of causes.

    Examples
    --------
    >>> from spicealif.circuit import Cause
    >>> network = load_network_preset("pair").replace(t_stop="0.1m")
    >>> budget = network_budget(network, "rate", causes=[Cause.COMPARATOR_DELAY, Cause.OPAMP_SPEED])
    >>> len(budget["rate"].shares)
    2
    """
    names = _checked(measure, orders, workers)
    expanded = network if isinstance(network, Expanded) else expand(network)
    chosen = _chosen(expanded, causes)
    n = len(chosen)
    if orders is None and n > _EXACT:
        orders = _ORDERS
    order_list = None if orders is None or n < 2 else sampled_orders(n, orders, seed)
    subsets = all_subsets(n)
    if order_list is not None:
        subsets = list(dict.fromkeys([*subsets_of_orders(order_list), *ends_of_orders(n)]))
    others = ALL_CAUSES - set(chosen)
    stop = threading.Event()

    def look(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    def solved(subset: frozenset[int]) -> Any:
        on = frozenset(chosen[k] for k in subset) | others
        return solve_network(expanded, causes=on, rtol=rtol, t_tol=t_tol, workers=1, progress=look)

    whole = measure_network(solve_network(
        expanded, causes=ALL_CAUSES, rtol=rtol, t_tol=t_tol, workers=workers
    ))  # fmt: skip
    every = frozenset(range(n))
    table = {every: np.array([whole.of_network[name] for name in names])}
    rest = [s for s in subsets if s != every]
    with ThreadPoolExecutor(workers or usable_cores()) as pool:
        futures = {pool.submit(solved, s): s for s in rest}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                found = measure_network(future.result(), tau=whole.tau)
                table[futures[future]] = np.array([found.of_network[name] for name in names])
                if progress is not None:
                    progress((1 + done) / (1 + len(rest)))
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise
    return _budget(expanded, names, chosen, table, order_list, whole.tau)


class _Stopped(Exception):
    """Ends a solution that nobody waits for any more."""


def _budget(
    expanded: Expanded,
    names: list[str],
    causes: list[Cause],
    table: dict[frozenset[int], _Floats],
    orders: list[tuple[int, ...]] | None,
    tau: float,
) -> NetworkBudget:
    n = len(causes)
    if orders is None:
        shares = exact_shares(table, n)
        errors = np.zeros_like(shares)
    else:
        shares, errors = sampled_shares(table, orders)
    first, last = marginals(table, n)
    least, most = spread_over_orders(table, n)
    every, none = table[frozenset(range(n))], table[frozenset()]
    budgets, undefined = [], []
    for m, name in enumerate(names):
        if not np.isfinite([every[m], none[m], *shares[:, m]]).all():
            undefined.append(name)
            continue
        of = tuple(
            Share(c, float(shares[k, m]), float(errors[k, m]), True,
                  *(float(a[k, m]) for a in (first, last, least, most)))
            for k, c in enumerate(causes)
        )  # fmt: skip
        gap, info = float(every[m] - none[m]), NETWORK_MEASURES[name]
        budgets.append(
            MeasureBudget(
                name, info.label, info.unit, float(every[m]), float(none[m]), gap, of,
                gap - float(shares[:, m].sum()),
            )
        )  # fmt: skip
    return NetworkBudget(
        expanded.network.name, tuple(budgets), tuple(undefined), tuple(causes), len(table),
        len(orders) if orders else 0, tau,
    )  # fmt: skip


def _checked(measure: str | Sequence[str], orders: int | None, workers: int | None) -> list[str]:
    names = [measure] if isinstance(measure, str) else list(dict.fromkeys(measure))
    for name in names:
        if name not in NETWORK_MEASURES:
            raise CompareError(
                f"There is no budget of {ascii(name)}; choose among {', '.join(NETWORK_MEASURES)}."
            )
    if not names:
        raise CompareError("No measure was asked for; name at least one.")
    if orders is not None and orders < 2:
        raise CompareError(f"{orders} orders are too few to sample; give 2 or more.")
    if workers is not None and workers < 1:
        raise CompareError(f"{workers} workers cannot work; give 1 or more.")
    return names


def _chosen(expanded: Expanded, causes: Sequence[Cause] | None) -> list[Cause]:
    """Return the causes to switch, in the order of `Cause`."""
    if causes is not None and not causes:
        raise CompareError("No cause was given; name at least one.")
    distinct = {id(neuron): neuron for neuron in expanded.neurons}
    known: set[Cause] = set()
    for neuron in distinct.values():
        known |= set(causes_of(neuron))
        if known == ALL_CAUSES:
            break
    if causes is None:
        return [c for c in Cause if c in known]
    for cause in causes:
        if cause not in known:
            raise CompareError(
                f"No neuron of the network has the cause {getattr(cause, 'value', cause)!r}; "
                f"choose among {', '.join(c.value for c in Cause if c in known)}."
            )
    return [c for c in Cause if c in set(causes)]

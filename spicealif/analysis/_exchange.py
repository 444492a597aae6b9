"""A gap budget where makers' models stand for parts: each as a whole, by its exchange in SPICE.

Such a part has no equations in which causes could be switched off. So the simulator runs the
circuit with every set of these parts in their ideal variants; a part's share is the Shapley value
of its being there. What is left, the circuit with all of them ideal, has equations, and its gap is
attributed as usual.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spicealif._support.cache import Cache
from spicealif.analysis._cause_sets import CauseSets
from spicealif.analysis._shapley import (
    all_subsets,
    exact_shares,
    marginals,
    spread_over_orders,
)
from spicealif.analysis._shares import MakersPart, MeasureBudget, Share
from spicealif.analysis.budget import GapBudget
from spicealif.design import Neuron, OpAmp, Part, SubcircuitMemristor
from spicealif.design._vendor import vendor_parts
from spicealif.errors import DesignError
from spicealif.simulators import Simulator

__all__ = ["Exchange", "with_exchange"]


@dataclass(frozen=True)
class Exchange:
    """The circuits of a neuron with some of its makers' models ideal.

    Attributes
    ----------
    parts : tuple of MakersPart
    neurons : dict of frozenset to Neuron
        By the set of parts that are there; without any it is a circuit that has equations.
    """

    parts: tuple[MakersPart, ...]
    neurons: dict[frozenset[int], Neuron]

    @classmethod
    def of(cls, neuron: Neuron) -> Exchange:
        """Return the circuits of a neuron.

        Raises
        ------
        DesignError
            If one of them would not work.
        """
        found = vendor_parts(neuron)
        parts = tuple(
            MakersPart(place, part.called, part.stand_in) for place, part in found.items()
        )
        whole = neuron.ideal()
        # The resistors around an op-amp stay.
        ideal: dict[str, Part] = {"comparator": whole.comparator, "mosfet": whole.mosfet}
        ideal |= {place: part.ideal() for place, part in found.items() if isinstance(part, OpAmp)}
        if isinstance(neuron.leak, SubcircuitMemristor):
            ideal["leak"] = neuron.leak.as_mms()
        neurons = {}
        for there in all_subsets(len(parts)):
            gone = [part for k, part in enumerate(parts) if k not in there]
            try:
                neurons[there] = neuron.replace({part.value: ideal[part.value] for part in gone})
            except DesignError as error:
                names = " and ".join(part.title for part in gone)
                raise DesignError(
                    f"The gap cannot be attributed, since without the model of the {names}: {error}"
                ) from None
        return cls(parts, neurons)

    @property
    def without(self) -> Neuron:
        """The circuit with all of them ideal."""
        return self.neurons[frozenset()]

    def figures(
        self,
        simulator: str | Simulator,
        timeout: float | None,
        cache: Cache,
        progress: Callable[[float], None] | None,
    ) -> dict[frozenset[int], dict[str, float]]:
        """Run every circuit but the one with all of them ideal; return their figures."""
        subsets = [s for s in self.neurons if s]
        out = {}
        for k, subset in enumerate(subsets):
            job = CauseSets(self.neurons[subset], [], simulator, timeout, cache)
            out[subset], _ = job.circuit_alone()
            if progress is not None:
                progress((k + 1) / len(subsets))
        return out


def with_exchange(
    budget: GapBudget,
    neuron: Neuron,
    exchange: Exchange,
    figures: dict[frozenset[int], dict[str, float]],
    names: Sequence[str],
) -> GapBudget:
    """Return the budget of a neuron from that of its circuit with all makers' models ideal.

    Parameters
    ----------
    budget : GapBudget
        Of ``exchange.without``.
    neuron : Neuron
    exchange : Exchange
    figures : dict of frozenset to dict
        Of `Exchange.figures`.
    names : sequence of str
        The measures that were asked for.

    Returns
    -------
    GapBudget
    """
    n, every = len(exchange.parts), frozenset(range(len(exchange.parts)))
    measures, undefined = [], [name for name in names if name in budget.undefined]
    for of in budget.measures:
        table = {s: np.array([found[of.name]]) for s, found in figures.items()}
        table[frozenset()] = np.array([of.circuit])
        shares = exact_shares(table, n)[:, 0]
        if not np.isfinite(shares).all():
            undefined.append(of.name)
            continue
        first, last = (a[:, 0] for a in marginals(table, n))
        least, most = (a[:, 0] for a in spread_over_orders(table, n))
        added = tuple(
            Share(
                part,
                float(shares[k]),
                0.0,
                True,
                *(float(a[k]) for a in (first, last, least, most)),
            )
            for k, part in enumerate(exchange.parts)
        )
        circuit = figures[every][of.name]
        measures.append(_measure(of, circuit, added))
    return replace(
        budget, neuron=neuron, measures=tuple(measures), undefined=tuple(undefined),
        exchanged=exchange.parts, n_exchanged=len(figures),
    )  # fmt: skip


def _measure(of: MeasureBudget, circuit: float, added: tuple[Share, ...]) -> MeasureBudget:
    gap = circuit - of.reference
    shares = (*of.shares, *added)
    residual = gap - math.fsum(s.value for s in shares)
    return replace(of, circuit=circuit, gap=gap, shares=shares, residual=residual)

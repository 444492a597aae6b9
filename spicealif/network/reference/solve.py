"""From a network to its spikes: the reference of many neurons with synapses between them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cores import usable_cores
from spicealif._support.drawn import Drawn
from spicealif.design import MemristorModel
from spicealif.errors import IntegrationError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.reference.driver import check_variant

__all__ = ["NetworkReference", "NetworkTrace", "solve_network_reference"]

_LOG = logging.getLogger(__name__)
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NetworkTrace:
    """The waveforms of one neuron.

    Attributes
    ----------
    t : ndarray
        In s, strictly increasing; at a jump there are two samples, one at the event and one at the
        next floating-point number.
    v_c, v_mem : ndarray
        In V.
    x : ndarray
        State of the leak's memristor; 0 with a resistor.
    """

    t: _Floats
    v_c: _Floats
    v_mem: _Floats
    x: _Floats


@dataclass(frozen=True, eq=False)
class NetworkReference(Drawn):
    """What the reference of a network gives.

    Attributes
    ----------
    names : tuple of str
        The neurons.
    t_spike : tuple of ndarray
        Each neuron's spike times in s.
    traces : mapping of str to NetworkTrace
        Of the neurons that were asked for.
    n_steps : int
        RK4 steps of all neurons.
    h : float
        Largest step in s.
    attrs : mapping
        How it was made; among them the number of spikes that arrived (`n_arrived`).
    expanded : Expanded or None
        The network.
    x_end : ndarray, shape (n,)
        States of the leaks' memristors at the end; NaN with a resistor, and empty where a file of
        an earlier version did not hold them.
    """

    names: tuple[str, ...]
    t_spike: tuple[_Floats, ...]
    traces: Mapping[str, NetworkTrace]
    n_steps: int
    h: float
    attrs: Mapping[str, Any] = field(default_factory=dict)
    expanded: Expanded | None = None
    x_end: _Floats = field(default_factory=lambda: np.empty(0))


def solve_network_reference(
    network: Network | Expanded,
    *,
    variant: Literal["ideal", "schmitt"] = "ideal",
    h: float | None = None,
    workers: int | None = None,
    keep: Sequence[str | int] = (),
    progress: Callable[[float], None] | None = None,
) -> NetworkReference:
    """Integrate a network's reference equations by RK4, with every event where it happens.

    Each neuron follows the equations of `spicealif.reference.solve_reference`. In ``ideal`` a spike
    is a point in time. After the synapse's delay it brings a current that decays with tau_s, by the
    exact exponential, or a charge at once (`point_form`). Between neurons delays must be above 0:
    within the shortest one they are independent of each other, so that each goes through that
    window by itself, with its steps cut at what arrives, and spike times stay off the grid, with
    errors of the order 4 (Morrison, Straube, Plesser, Diesmann, Neural Computation 19, 2007;
    Hanuschkin et al., Frontiers in Neuroinformatics 4:113, 2010). While v_c is held (t_ref) charges
    are lost and currents decay.

    In ``schmitt`` the output is a pulse from a neuron's firing to its release, delayed as a whole,
    and the synapses' own equations conduct during it (`spicealif.network.reference.pulses`).

    Parameters
    ----------
    network : Network or Expanded
    variant : {"ideal", "schmitt"}
    h : float, optional
        Largest step in s of all neurons. If not given, the least that any neuron's leak, source or
        synapses need (`Neuron.default_h` with the synapses' currents), and no more than the
        shortest delay.
    workers : int, optional
        Threads of ``ideal``; as many as processors if not given, and fewer where the work is
        little. The answer does not depend on it by a bit. ``schmitt`` takes one.
    keep : sequence of str or int
        Neurons, by name or number, whose traces are wanted. They are solved one by one, which may
        change their spike times by rounding.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    NetworkReference

    Raises
    ------
    IntegrationError
        If the variant is unknown, a delay or the step makes no sense, a neuron spikes without end,
        or its solution diverges; neurons are named.

    Examples
    --------
    >>> network = load_network_preset("pair").replace(t_stop="0.2m")
    >>> reference = solve_network_reference(network, variant="schmitt")
    >>> [len(t) for t in reference.t_spike]
    [7, 1]
    """
    check_variant(variant)
    if workers is not None and workers < 1:
        raise IntegrationError(f"{workers} threads cannot compute; choose 1 or more.")
    expanded = network if isinstance(network, Expanded) else expand(network)
    if h is not None and not 0.0 < h < math.inf:
        raise IntegrationError(f"The step h is {h} s; choose a finite step above 0.")
    kept = _numbers(expanded, keep)
    threads = workers or usable_cores()
    neurons = [neuron.at_temperature for neuron in expanded.neurons]
    names = expanded.names[: len(neurons)]
    if variant == "schmitt":
        from spicealif.network.reference.conducting import run_schmitt

        outcome, grid = run_schmitt(expanded, h, kept, progress)
    else:
        from spicealif.network.reference.ideal import run_ideal
        from spicealif.network.reference.tables import ideal_tables

        tables = ideal_tables(expanded, h, kept)
        grid = tables.grid
        longest = max((float(s.delay.max(initial=0.0)) for s in expanded.synapses), default=0.0)
        outcome = run_ideal(tables, neurons, names, kept, longest, threads, progress)
    step = grid.h
    order = np.lexsort((outcome.spikes[:, 1], outcome.spikes[:, 0]))
    (numbers, times) = (outcome.spikes[order, 0].astype(np.int64), outcome.spikes[order, 1])
    cuts = np.searchsorted(numbers, np.arange(len(names) + 1))
    t_spike = tuple(times[a:b].copy() for a, b in pairwise(cuts))
    traces = {
        names[k]: NetworkTrace(*(column.copy() for column in rows.T))
        for k, rows in outcome.traces.items()
    }
    _LOG.info("RK4 (%s): %d steps, %d spikes", variant, outcome.n_steps, len(times))
    attrs = {
        "side": "reference", "variant": variant, "h": step, "n_steps": outcome.n_steps,
        "n_arrived": outcome.n_arrived, "network": expanded.network.name,
    }  # fmt: skip
    plain = [not isinstance(neuron.leak, MemristorModel) for neuron in neurons]
    return NetworkReference(
        tuple(names), t_spike, traces, outcome.n_steps, step, attrs, expanded,
        np.where(plain, math.nan, outcome.x),
    )  # fmt: skip


def _numbers(expanded: Expanded, keep: Sequence[str | int]) -> list[int]:
    """Return the numbers of neurons that are given by name or number."""
    n = len(expanded.neurons)
    places = {name: k for k, name in enumerate(expanded.names[:n])}
    out = []
    for one in [keep] if isinstance(keep, str) else keep:
        k = places.get(one, -1) if isinstance(one, str) else int(one)
        if not 0 <= k < n:
            raise IntegrationError(
                f"There is no neuron {ascii(one)} to keep traces of; give names such as "
                f"{expanded.names[0]!r} or numbers from 0 to {n - 1}."
            )
        out.append(k)
    return sorted(set(out))

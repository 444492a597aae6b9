"""Two results of one network side by side: each neuron, and the network as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.drawn import Drawn
from spicealif.analysis.certificate import Verdict, decide
from spicealif.errors import CompareError
from spicealif.measures.spikes import gamma_coincidence, match_spikes
from spicealif.network._comparison_shown import ComparisonShown, NetworkFigure
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded
from spicealif.network.measures import (
    NETWORK_MEASURES,
    NetworkMeasures,
    common_tau,
    measure_network,
    trains_of,
)
from spicealif.network.refinement import SideError

__all__ = ["TOLERANCE", "NetworkComparison", "NetworkFigure", "compare_networks"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: The gap, relative to the second figure, below which two figures agree, unless told.
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class NetworkComparison(ComparisonShown, Drawn):
    """Two results of a network, compared.

    Attributes
    ----------
    of_a, of_b : NetworkMeasures
        Of each side, with the same tau.
    labels : tuple of str
        What they are called.
    match_window : float
        Spikes are matched if they are nearer than this in s: half of b's mean interval, or of a's,
        or else of the length of the run.
    matched : ndarray of int, shape (n,)
    differences : tuple of ndarray
        Spike times of a less those of b in s, of each neuron's matched spikes.
    matched_at : tuple of ndarray
        Spike times of b in s that these are at.
    worst, median : ndarray, shape (n,)
        Of the differences, the largest by magnitude with its sign, and the median magnitude; NaN
        without matched spikes.
    gamma : ndarray, shape (n,)
        Coincidence factor (`spicealif.measures.spikes.gamma_coincidence`, with b as the reference
        and half of `match_window`); NaN where undefined.
    first_apart, first_apart_at : ndarray of int and of float, shape (n,)
        Number, from 0, and time in s of the first spike of b, or of a, that has no partner; -1 and
        NaN if every spike has one.
    figures : tuple of NetworkFigure
        The network's measures, with errors where they are known, and verdicts.
    verdicts : tuple of (Verdict or None)
        On each neuron's spike times; None without errors.
    errors : tuple of (SideError or None)
        Numerical errors of both sides, where they are known; see `certify_network`.
    tolerance : float
        Relative to b's figure; of spike times, to the mean interval.
    """

    of_a: NetworkMeasures
    of_b: NetworkMeasures
    labels: tuple[str, str]
    match_window: float
    matched: _Ints
    differences: tuple[_Floats, ...]
    matched_at: tuple[_Floats, ...]
    worst: _Floats
    median: _Floats
    gamma: _Floats
    first_apart: _Ints
    first_apart_at: _Floats
    figures: tuple[NetworkFigure, ...]
    verdicts: tuple[Verdict | None, ...]
    errors: tuple[SideError | None, SideError | None]
    tolerance: float

    def __getitem__(self, name: str) -> NetworkFigure:
        """Return a figure of the network by its name."""
        for one in self.figures:
            if one.name == name:
                return one
        raise CompareError(
            f"There is no figure {ascii(name)}; choose one of "
            f"{', '.join(f.name for f in self.figures)}."
        )


def compare_networks(
    circuit: Any,
    reference: Any,
    *,
    network: Network | Expanded | None = None,
    labels: tuple[str, str] | None = None,
    errors: tuple[SideError | None, SideError | None] = (None, None),
    tolerance: float = TOLERANCE,
    tau: float | None = None,
) -> NetworkComparison:
    """Compare two results of one network.

    Parameters
    ----------
    circuit, reference : NetworkSolution, NetworkReference or FlatRun
        Any two of them, of the same neurons.
    network : Network or Expanded, optional
        What they are of, where they do not say so.
    labels : tuple of str, optional
        What to call them.
    errors : tuple of SideError, optional
        Numerical errors of both sides; without them no verdict is given.
    tolerance : float
        Relative to the reference's figure; of spike times, to the mean interval.
    tau : float, optional
        See `measure_network`; `common_tau` of the reference, then the circuit, if not given.

    Returns
    -------
    NetworkComparison

    Raises
    ------
    CompareError
        If the neurons or the lengths of the runs are not the same, or the tolerance makes no sense.

    Examples
    --------
    >>> network = load_network_preset("ring").replace(t_stop="0.2m")
    >>> comparison = compare_networks(
    ...     solve_network(network), solve_network_reference(network, variant="schmitt")
    ... )
    >>> len(comparison.names)
    8
    """
    if not 0 <= tolerance < 1:
        raise CompareError(
            f"The tolerance is {tolerance:g}, and it is a part of each figure; give a number from "
            "0 to below 1, such as 1e-3."
        )
    a, b = trains_of(circuit, network), trains_of(reference, network)
    if a.names != b.names:
        raise CompareError(
            f"The results are of different neurons ({len(a.names)}, {a.names[0]} ..., and "
            f"{len(b.names)}, {b.names[0]} ...); give two of one network."
        )
    if abs(a.t_stop - b.t_stop) > 1e-9 * b.t_stop:
        raise CompareError(
            f"One run ends at {a.t_stop:g} s and the other at {b.t_stop:g} s; give two of the same "
            "length."
        )
    tau = common_tau(b, a) if tau is None else tau
    of_a, of_b = measure_network(a, tau=tau), measure_network(b, tau=tau)
    interval = next((x for x in (b.interval, a.interval) if x > 0), b.t_stop)
    each = [_of_neuron(x, y, interval, b.t_stop) for x, y in zip(a.t_spike, b.t_spike, strict=True)]
    diffs, at, worst, median, gamma, number, apart = zip(*each, strict=True)
    whole = tuple(_figure(name, of_a, of_b, errors, tolerance) for name in NETWORK_MEASURES)
    names = labels or (a.label, b.label)
    if names[0] == names[1]:
        names = (f"{names[0]} (a)", f"{names[1]} (b)")
    return NetworkComparison(
        of_a, of_b, names, interval / 2, np.array([len(d) for d in diffs], dtype=np.int64), diffs,
        at, np.array(worst), np.array(median), np.array(gamma), np.array(number, dtype=np.int64),
        np.array(apart), tuple(f for f in whole if not (math.isnan(f.a) and math.isnan(f.b))),
        _verdicts(each, of_a, of_b, errors, tolerance * interval), errors, tolerance,
    )  # fmt: skip


def _of_neuron(
    a: _Floats, b: _Floats, interval: float, t_stop: float
) -> tuple[_Floats, _Floats, float, float, float, int, float]:
    i, j = match_spikes(a, b, interval / 2)
    d = a[i] - b[j]
    try:
        gamma = gamma_coincidence(b, a, interval / 4, t_stop)
    except CompareError:
        gamma = math.nan  # so many spikes that chance alone pairs them all
    worst = float(d[np.argmax(np.abs(d))]) if len(d) else math.nan
    median = float(np.median(np.abs(d))) if len(d) else math.nan
    firsts = ((b, _first_alone(b, j)), (a, _first_alone(a, i)))
    alone = [(float(train[k]), k) for train, k in firsts if k >= 0]
    at, number = min(alone, default=(math.nan, -1))
    return d, b[j], worst, median, gamma, number, at


def _first_alone(train: _Floats, partners: NDArray[np.intp]) -> int:
    """Return the number of the first spike without a partner; -1 if all have one."""
    alone = np.setdiff1d(np.arange(len(train)), partners)
    return int(alone[0]) if len(alone) else -1


def _figure(
    name: str,
    of_a: NetworkMeasures,
    of_b: NetworkMeasures,
    errors: tuple[SideError | None, SideError | None],
    tolerance: float,
) -> NetworkFigure:
    a, b = of_a.of_network[name], of_b.of_network[name]
    own = tuple(math.nan if e is None else e.of_network[name] for e in errors)
    gap, limit, verdict = a - b, tolerance * abs(b), None
    if not math.isnan(gap) and None not in errors:
        lost = any(e is not None and bool(e.counts_differ.any()) for e in errors)
        verdict = decide(gap, sum(own), limit, may_agree=not lost)
    info = NETWORK_MEASURES[name]
    return NetworkFigure(
        name, info.label, info.unit, a, b, gap, own[0], own[1], sum(own), limit, verdict
    )


def _verdicts(
    each: list[Any],
    of_a: NetworkMeasures,
    of_b: NetworkMeasures,
    errors: tuple[SideError | None, SideError | None],
    limit: float,
) -> tuple[Verdict | None, ...]:
    """Return the verdicts on spike times: a spike without a partner makes trains differ."""
    (error_a, error_b) = errors
    if error_a is None or error_b is None:
        return (None,) * len(each)
    out = []
    for k, (_, _, worst, _, _, number, _) in enumerate(each):
        error = float(error_a.worst[k] + error_b.worst[k])
        if math.isnan(error):  # the number of spikes is not certain
            out.append(Verdict.NOT_RESOLVED)
        elif number >= 0:
            out.append(decide(math.inf, error, limit))
        elif math.isnan(worst):  # neither has a spike
            out.append(Verdict.AGREE)
        else:
            out.append(decide(worst, error, limit))
    return tuple(out)

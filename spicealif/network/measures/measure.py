"""Measures of a network: how much its neurons fire, how regularly, and how much together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.drawn import Drawn
from spicealif.errors import CompareError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded
from spicealif.network.measures._shown import MeasuresShown
from spicealif.network.measures.filtered import integrals
from spicealif.network.measures.names import NETWORK_MEASURES, PopulationMeasures
from spicealif.network.measures.trains import Trains, trains_of

__all__ = [
    "NETWORK_MEASURES",
    "NetworkMeasures",
    "PopulationMeasures",
    "check_tau",
    "common_tau",
    "measure_network",
    "spike_phases",
    "together",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: The time constant that trains are filtered with, as a part of the mean interval.
TAU_OF_INTERVAL = 0.25
#: Time constants after the network's first spike from which on synchrony is measured: before, all
#: signals rise from 0 together.
SETTLED = 5.0


@dataclass(frozen=True, eq=False, repr=False)
class NetworkMeasures(MeasuresShown, Drawn):
    """Measures of one result of a network.

    Attributes
    ----------
    trains : Trains
        What was measured.
    tau : float
        Time constant in s of the filtered trains of ``synchrony`` and ``van_rossum``.
    count : ndarray of int, shape (n,)
    rate : ndarray, shape (n,)
        Spikes over the length of the run, in Hz.
    cv : ndarray, shape (n,)
        Standard deviation of a neuron's intervals over their mean; NaN below 3 spikes. Adaptation
        raises it as well as irregularity.
    latency : ndarray, shape (n,)
        Time of the first spike in s; NaN without one.
    energy, energy_supply, energy_per_spike, supply_energy_per_spike : ndarray, shape (n,)
        In J; NaN where they are not known.
    phase, locking : ndarray, shape (n,)
        Mean phase of a neuron's spikes in the intervals of the first neuron, 0 to below 1, and how
        sharp it is: angle and length of the mean of exp(2 pi i phase), 1 where the phase is always
        the same (the phase of events: Pikovsky, Rosenblum, Kurths, "Synchronization", 2001).
        NaN without spikes in such an interval.
    links : ndarray of int, shape (m, 2)
        Pairs of neurons that a synapse leads from and to, each once.
    link_delay : ndarray, shape (m,)
        First spike of the second less that of the first, in s.
    is_ring : bool
        Whether the links are one closed ring through all neurons.
    populations : tuple of PopulationMeasures
    of_network : mapping of str to float
        See `NETWORK_MEASURES`; NaN where undefined. ``synchrony`` is chi of Golomb and Rinzel
        (Physica D 72, 259 (1994); Golomb, Scholarpedia 2(1), 1347 (2007)): the standard deviation
        in time of the neurons' mean signal, over the root of the mean of each one's variance. 1 if
        all fire together, of the order of 1 over the root of n if they have nothing to do with
        one another. The signal is the spike train filtered by exp(-t / tau), from 5 tau after the
        network's first spike on, since all signals rise together before: unlike counts in
        bins it moves smoothly with the spikes, so that its numerical error can be told, and it
        costs no more than there are spikes, where pairs cost the square of the neurons.
        ``van_rossum`` is the root of the mean squared distance (`spicealif.measures.spikes.
        van_rossum`, same tau) of all pairs. ``propagation_delay`` is the median of `link_delay`.
    undefined : mapping of str to str
        Why a measure of the network is NaN, a sentence for each.
    """

    trains: Trains
    tau: float
    count: _Ints
    rate: _Floats
    cv: _Floats
    latency: _Floats
    energy: _Floats
    energy_supply: _Floats
    energy_per_spike: _Floats
    supply_energy_per_spike: _Floats
    phase: _Floats
    locking: _Floats
    links: _Ints
    link_delay: _Floats
    is_ring: bool
    populations: tuple[PopulationMeasures, ...]
    of_network: Mapping[str, float]
    undefined: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the neurons."""
        return self.trains.names

    def __getitem__(self, name: str) -> float:
        """Return a measure of the network by its name."""
        if name not in self.of_network:
            raise CompareError(
                f"There is no measure {ascii(name)} of a network; choose one of "
                f"{', '.join(self.of_network)}."
            )
        return self.of_network[name]


def measure_network(
    result: Any,
    network: Network | Expanded | None = None,
    *,
    tau: float | None = None,
    t_stop: float | None = None,
) -> NetworkMeasures:
    """Measure a result of a network.

    Parameters
    ----------
    result : NetworkSolution, NetworkReference, FlatRun or Trains
        Or anything else with ``names`` and ``t_spike``.
    network : Network or Expanded, optional
        What it is of, where it does not say so itself; without it there are no populations and
        links.
    tau : float, optional
        Time constant in s of ``synchrony`` and ``van_rossum``; `common_tau` of this result if not
        given. Two results are comparable with the same one only.
    t_stop : float, optional
        Length of the run in s, where nothing else says it.

    Returns
    -------
    NetworkMeasures

    Raises
    ------
    CompareError
        If there are no spikes of named neurons, tau makes no sense, or the length is not known.

    Examples
    --------
    >>> solution = solve_network(load_network_preset("ring").replace(t_stop="0.2m"))
    >>> measure_network(solution).rate.shape
    (8,)
    """
    trains = trains_of(result, network, t_stop)
    check_tau(tau)
    n = len(trains.names)
    count = np.array([len(t) for t in trains.t_spike], dtype=np.int64)
    cv = np.array([_cv(t) for t in trains.t_spike])
    latency = np.array([t[0] if len(t) else math.nan for t in trains.t_spike])
    energy, supply = (
        np.full(n, math.nan) if e is None else np.asarray(e, dtype=float)
        for e in (trains.energy, trains.energy_supply)
    )
    per_spike, supply_per_spike = (_over(e, count) for e in (energy, supply))
    phase, locking = _phases(trains.t_spike)
    links = _links(trains)
    link_delay = latency[links[:, 1]] - latency[links[:, 0]]
    own_tau = common_tau(trains) if tau is None else tau
    synchrony, distance = together(trains, own_tau)
    total = int(count.sum())
    of_network = {
        "rate": total / n / trains.t_stop,
        "cv": _mean(cv),
        "latency": _mean(latency),
        "synchrony": synchrony,
        "van_rossum": distance,
        "propagation_delay": float(np.median(link_delay[np.isfinite(link_delay)]))
        if np.isfinite(link_delay).any()
        else math.nan,
        "energy": float(energy.sum()),
        "energy_per_spike": float(energy.sum() / total) if total else math.nan,
        "supply_energy": float(supply.sum()),
        "supply_energy_per_spike": float(supply.sum() / total) if total else math.nan,
    }
    return NetworkMeasures(
        trains, own_tau, count, count / trains.t_stop, cv, latency, energy, supply, per_spike,
        supply_per_spike, phase, locking, links, link_delay, _is_ring(links, n),
        _populations(trains, count, cv), of_network, _reasons(of_network, trains, count, links),
    )  # fmt: skip


def check_tau(tau: float | None) -> None:
    """Raise `CompareError` unless tau is a finite time above 0, or None."""
    if tau is not None and not 0 < tau < math.inf:
        raise CompareError(f"tau is {tau} s; give a finite time above 0.")


def common_tau(*results: Trains) -> float:
    """Return the time constant in s that results are compared with where none is given.

    A quarter of the mean interval of the first of them that has intervals; the length of the run
    where none has. The reference is first where there is one, then the circuit; of a sweep the
    first point. So all sides and points of a comparison have one.
    """
    intervals = (one.interval for one in results)
    interval = next((x for x in intervals if x > 0), 0.0)
    return interval * TAU_OF_INTERVAL or results[0].t_stop


def _cv(t: _Floats) -> float:
    if len(t) < 3:
        return math.nan
    isi = np.diff(t)
    return float(isi.std() / isi.mean()) if isi.mean() > 0 else math.nan


def _over(energy: _Floats, count: _Ints) -> _Floats:
    out = np.full(len(energy), math.nan)
    return np.asarray(np.divide(energy, count, out=out, where=count > 0))


def _mean(values: _Floats) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else math.nan


def _phases(t_spike: tuple[_Floats, ...]) -> tuple[_Floats, _Floats]:
    phase, locking = np.full(len(t_spike), math.nan), np.full(len(t_spike), math.nan)
    for k, t in enumerate(t_spike):
        of = spike_phases(t, t_spike[0])[1]
        if len(of):
            mean = np.exp(2j * np.pi * of).mean()
            phase[k] = float(np.angle(mean) / (2 * np.pi)) % 1.0
            locking[k] = float(abs(mean))
    return phase, locking


def spike_phases(t: _Floats, of: _Floats) -> tuple[_Floats, _Floats]:
    """Return which spikes lie between two of another train, in s, and at which phase (0 to 1)."""
    if len(of) < 2:
        return np.empty(0), np.empty(0)
    inside = t[(t >= of[0]) & (t < of[-1])]
    before = np.searchsorted(of, inside, side="right") - 1
    return inside, (inside - of[before]) / (of[before + 1] - of[before])


def _links(trains: Trains) -> _Ints:
    """Return the pairs of these neurons that synapses join, by their places among them."""
    if trains.expanded is None or not trains.expanded.synapses:
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.concatenate(
        [np.stack([s.pre, s.post], axis=1) for s in trains.expanded.synapses]
    ).astype(np.int64)
    place = np.full(len(trains.expanded.names), -1)
    place[trains.neurons] = np.arange(len(trains.neurons))
    pairs = place[pairs]
    there = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    return np.asarray(np.unique(pairs[there], axis=0))


def _is_ring(links: _Ints, n: int) -> bool:
    if n < 2 or len(links) != n or len(set(links[:, 0].tolist())) != n:
        return False
    after = dict(links.tolist())
    at, seen = after[0], 1
    while at != 0 and seen <= n:
        at, seen = after.get(at, 0), seen + 1
    return seen == n


def together(trains: Trains, tau: float) -> tuple[float, float]:
    """Return chi and the rms distance of all pairs; both from integrals of filtered trains.

    The sum of all pairs' squared distances is n times the sum of each train's square less the
    square of their sum.
    """
    n = len(trains.t_spike)
    if n < 2:
        return math.nan, math.nan
    t_stop, merged = trains.t_stop, np.sort(np.concatenate(trains.t_spike))
    every = [integrals(t, tau, t_stop)[2] for t in (merged, *trains.t_spike)]
    distance = math.sqrt(max(2 * (n * sum(every[1:]) - every[0]) / (n * (n - 1)), 0.0))
    begin = merged[0] + SETTLED * tau if len(merged) else t_stop
    if begin >= t_stop:
        return math.nan, distance
    own = float(np.mean([_variance(t, tau, begin, t_stop) for t in trains.t_spike]))
    mean = _variance(merged, tau, begin, t_stop) / n**2
    return (math.sqrt(max(mean, 0.0) / own) if own > 0 else math.nan), distance


def _variance(t: _Floats, tau: float, begin: float, end: float) -> float:
    """Return the variance in time of a filtered train between two times."""
    before = integrals(t[t < begin], tau, begin)
    whole = integrals(t, tau, end)
    length = (end - begin) / tau
    return (whole[1] - before[1]) / length - ((whole[0] - before[0]) / length) ** 2


def _populations(trains: Trains, count: _Ints, cv: _Floats) -> tuple[PopulationMeasures, ...]:
    if trains.expanded is None:
        return ()
    out, begin = [], 0
    for population in trains.expanded.network.populations:
        here = (trains.neurons >= begin) & (trains.neurons < begin + population.size)
        begin += population.size
        if here.any():
            (size, spikes) = int(here.sum()), int(count[here].sum())
            rate = spikes / size / trains.t_stop
            out.append(PopulationMeasures(population.name, size, spikes, rate, _mean(cv[here])))
    return tuple(out)


def _reasons(
    found: Mapping[str, float], trains: Trains, count: _Ints, links: _Ints
) -> dict[str, str]:
    n = len(count)
    few = "There is one neuron only." if n < 2 else "No neuron has a spike."
    if not len(links):
        unlinked = (
            "It is not known which neurons are joined."
            if trains.expanded is None
            else "No synapse leads from one neuron to another."
        )
    else:
        unlinked = "No two neurons that are joined have both a spike."
    energy = "This side knows no energies." if count.sum() else "No neuron has a spike."
    supply = energy if trains.energy_supply is None else "Not every neuron has supplies."
    why = {
        "cv": "No neuron has 3 spikes.",
        "latency": "No neuron has a spike.",
        "synchrony": few
        if n < 2 or not count.any()
        else "The run ends before 5 tau after the first spike, or no signal changes after it.",
        "van_rossum": few,
        "propagation_delay": unlinked,
        "energy": "This side knows no energies.",
        "energy_per_spike": energy,
        "supply_energy": "This side knows no energies."
        if trains.energy_supply is None
        else "Not every neuron has supplies.",
        "supply_energy_per_spike": supply if count.sum() else "No neuron has a spike.",
    }
    return {name: why[name] for name, value in found.items() if math.isnan(value)}

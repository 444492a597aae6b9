"""What two levels of one side of a network differ by, and whether the network multiplies it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.network.measures import NETWORK_MEASURES, NetworkMeasures

__all__ = ["CERTAIN", "Growth", "SideError", "growth_of", "side_error"]

_Floats = NDArray[np.float64]

#: The part of the mean interval beyond which a spike time is not certain any more.
CERTAIN = 0.02
#: Bins of time that a growth is fitted over, and the fewest of them.
_BINS, _FEWEST = 16, 5
#: A network multiplies errors if the difference grows by this factor within the run.
_FACTOR = 10.0
#: Measures of the network that are means over neurons, or a median over links.
_MEANS = ("cv", "latency", "propagation_delay")


@dataclass(frozen=True)
class Growth:
    """How the difference between two levels grows with time.

    Attributes
    ----------
    rate, error : float
        Of the fit ``a exp(rate t)`` of the difference's size, in 1/s, and its standard error; NaN
        where there are too few spikes. The points are root mean squares of all neurons' differences
        in bins of time, and the fit is one of their logarithms.
    power : float
        Exponent of the fit ``b t^power`` over the same points: errors that only add
        up have 0.5 to 1.
    multiplies : bool
        Whether the exponential describes the points better than the power and is a factor of 10
        or more over the run, by twice its standard error.
    e_fold : float
        The time in s in which a difference grows e-fold, 1/rate; NaN unless it multiplies.
    """

    rate: float
    error: float
    power: float
    multiplies: bool
    e_fold: float

    @property
    def sentence(self) -> str:
        """What it means."""
        from spicealif.measures.tables import figure

        if math.isnan(self.rate):
            return "There are too few spikes to tell whether differences grow."
        if self.multiplies:
            return (
                f"The network multiplies errors: a difference grows e-fold in "
                f"{figure(self.e_fold, 's')} ({figure(self.rate, '1/s')})."
            )
        return (
            "The network does not multiply errors within this run: differences grow as time to "
            f"the power of {self.power:.2g}."
        )


@dataclass(frozen=True, eq=False)
class SideError:
    """The numerical error of one side: what it changes by when it is refined.

    An estimate, not a bound: the finer level has an error of its own.

    Attributes
    ----------
    level, fine_level : str
        What the two levels are, in words.
    worst : ndarray, shape (n,)
        Largest change of a spike time of each neuron in s; NaN if its counts differ.
    counts_differ : ndarray of bool, shape (n,)
    of_network : mapping of str to float
        Change of each of `NETWORK_MEASURES`; NaN where a level has none. Of means over neurons
        and links the mean of their single changes, which do not cancel by chance.
    of_neurons : mapping of str to ndarray, shape (n,)
        Change of each neuron's count, rate, cv and latency.
    growth : Growth
    certain_until : float
        Time in s up to which spike times are certain to `CERTAIN` of the mean interval: that of
        the first spike that is not. The end of the run if all are.
    t_stop : float
        Length of the run in s.
    iteration : float
        The error that the iteration itself states, in s; 0 where there is none.
    """

    level: str
    fine_level: str
    worst: _Floats
    counts_differ: NDArray[np.bool_]
    of_network: Mapping[str, float]
    of_neurons: Mapping[str, _Floats]
    growth: Growth
    certain_until: float
    t_stop: float
    iteration: float = 0.0

    @property
    def spike_times(self) -> float:
        """The worst of all neurons in s; NaN if a count differs."""
        return float(self.worst.max(initial=0.0))

    @property
    def certain(self) -> bool:
        """Whether the spike times are certain up to the end."""
        return self.certain_until >= self.t_stop

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and lists, for JSON."""
        from spicealif.measures.tables import plain

        return {
            "level": self.level,
            "fine_level": self.fine_level,
            "spike_times": plain(self.spike_times),
            "worst": [plain(v) for v in self.worst.tolist()],
            "counts_differ": self.counts_differ.tolist(),
            "of_network": {k: plain(v) for k, v in self.of_network.items()},
            "of_neurons": {k: [plain(x) for x in v.tolist()] for k, v in self.of_neurons.items()},
            "growth": {
                "rate": plain(self.growth.rate), "error": plain(self.growth.error),
                "power": plain(self.growth.power), "multiplies": self.growth.multiplies,
                "e_fold": plain(self.growth.e_fold),
            },
            "certain_until": self.certain_until,
            "iteration": plain(self.iteration),
        }  # fmt: skip


def side_error(
    coarse: NetworkMeasures,
    fine: NetworkMeasures,
    levels: tuple[str, str],
    iteration: float = 0.0,
    certain: float = CERTAIN,
) -> SideError:
    """Return what two levels of a side differ by.

    Parameters
    ----------
    coarse, fine : NetworkMeasures
        Of the level asked for and the finer one, with the same tau.
    levels : tuple of str
        What they are, in words.
    iteration : float
        See `SideError`.
    certain : float
        See `CERTAIN`.
    """
    pairs = list(zip(coarse.trains.t_spike, fine.trains.t_spike, strict=True))
    differ = np.array([len(a) != len(b) for a, b in pairs])
    worst = np.array(
        [math.nan if len(a) != len(b) else float(np.abs(a - b).max(initial=0.0)) for a, b in pairs]
    )
    t_stop = coarse.trains.t_stop
    limit = certain * fine.trains.interval
    until = min((_until(a, b, limit, t_stop) for a, b in pairs), default=t_stop)
    short = [(a[: len(b)], b[: len(a)]) for a, b in pairs]
    t = np.concatenate([b for _, b in short])
    d = np.concatenate([a - b for a, b in short])
    of_neurons = {
        name: np.abs(getattr(coarse, name) - getattr(fine, name))
        for name in ("count", "rate", "cv", "latency")
    }
    of_network = {
        name: abs(coarse.of_network[name] - fine.of_network[name]) for name in NETWORK_MEASURES
    }
    links = np.abs(coarse.link_delay - fine.link_delay)
    for name in _MEANS:
        each = links if name == "propagation_delay" else of_neurons[name]
        each = each[np.isfinite(each)]
        of_network[name] = max(of_network[name], float(each.mean())) if len(each) else math.nan
    return SideError(
        *levels, worst, differ, of_network, of_neurons, growth_of(t, d, t_stop), until, t_stop,
        iteration,
    )  # fmt: skip


def _until(a: _Floats, b: _Floats, limit: float, t_stop: float) -> float:
    """Return when the first spike comes that the other level has not, or not within the limit."""
    n = min(len(a), len(b))
    apart = np.flatnonzero(np.abs(a[:n] - b[:n]) > limit)
    if len(apart):
        return float(min(a[apart[0]], b[apart[0]]))
    if len(a) != len(b):
        return float((a if len(a) > n else b)[n])
    return t_stop


def growth_of(t: _Floats, d: _Floats, t_stop: float) -> Growth:
    """Return how differences of spike times grow with time; see `Growth`.

    Parameters
    ----------
    t, d : ndarray, shape (n,)
        When the spikes are, and their differences, in s.
    t_stop : float
        Length of the run in s.
    """
    there = (d != 0) & (t > 0)
    t, d = t[there], d[there]
    none = Growth(math.nan, math.nan, math.nan, False, math.nan)
    if len(t) < 2 * _FEWEST:
        return none
    order = np.argsort(t)
    parts = [p for p in np.array_split(order, min(_BINS, len(t) // 2)) if len(p)]
    at = np.array([t[p].mean() for p in parts])
    size = np.array([0.5 * math.log(float(np.mean(d[p] ** 2))) for p in parts])
    if len(at) < _FEWEST or np.ptp(at) == 0:
        return none
    rate, error, left = _line(at, size)
    power, _, left_of_power = _line(np.log(at), size)
    multiplies = left < left_of_power and (rate - 2 * error) * t_stop > math.log(_FACTOR)
    return Growth(rate, error, power, multiplies, 1.0 / rate if multiplies else math.nan)


def _line(x: _Floats, y: _Floats) -> tuple[float, float, float]:
    """Return slope, its standard error and the sum of squares that a straight line leaves."""
    x, y = x - x.mean(), y - y.mean()
    squares = float(x @ x)
    slope = float(x @ y) / squares
    left = float(np.sum((y - slope * x) ** 2))
    return slope, math.sqrt(left / (len(x) - 2) / squares), left

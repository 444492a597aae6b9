"""Sources of spikes: neurons that nothing acts upon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from spicealif._support.text import counted
from spicealif.design._base import Identifier, Part, Second, Volt
from spicealif.network.arrays import Rates, Times, Values, as_array
from spicealif.network.populations import MAX_SIZE

__all__ = ["MAX_SPIKES", "SpikeSource"]

#: Spikes that sources may give together.
MAX_SPIKES = 20_000_000

_Floats: TypeAlias = NDArray[np.float64]


def _trains(value: Any) -> Any:
    """Take the times of a single source without a list around them."""
    if isinstance(value, Values):
        return list(value.array) if value.array.ndim == 2 else [value]
    if isinstance(value, np.ndarray):
        return list(value) if value.ndim == 2 else [value]
    if isinstance(value, list | tuple) and value:
        lists = [isinstance(v, list | tuple | np.ndarray | Values | Mapping) for v in value]
        return value if any(lists) else [value]
    return value


if TYPE_CHECKING:
    _Trains: TypeAlias = tuple[Values, ...]
else:
    _Trains = Annotated[tuple[Times, ...], BeforeValidator(_trains)]


class SpikeSource(Part):
    """Sources that give pulses at stated times, or at random ones (Poisson).

    Attributes
    ----------
    name : str
        The k-th source, from 0, is called ``name_k``.
    size : int
    times : sequence of array
        Spike times in s of each source, in order; those from the network's ``t_stop`` on are left
        out.
    rate : float or array, optional
        Instead of times: spikes per second that each source gives on average, at random and off
        any grid. Two are `t_dead` apart at least, and the rest of the interval is exponential.
    seed : int, optional
        Of the random times; from the network's where it is not given.
    t_pulse : float
        Duration of a pulse at half its height in s.
    t_edge : float
        Duration of its edges in s, shorter than a pulse.
    v_high, v_low : float
        Levels in V.
    """

    name: Identifier = Field(description="letters, digits and underscores")
    size: int = Field(ge=1, le=MAX_SIZE, description="number of sources")
    times: _Trains = Field(default=(), description="spike times in s, a list for each source")
    rate: Rates | None = Field(default=None, description="mean spikes per second")
    seed: int | None = Field(default=None, ge=0, description="of the random times")
    t_pulse: Second = Field(default=1e-6, gt=0, description="duration of a pulse in s")
    t_edge: Second = Field(default=10e-9, gt=0, description="duration of its edges in s")
    v_high: Volt = Field(default=3.8, ge=-100, le=100, description="high level in V")
    v_low: Volt = Field(default=0.018, ge=-100, le=100, description="low level in V")

    @property
    def t_dead(self) -> float:
        """The least time in s between two spikes: a pulse with both of its edges."""
        return self.t_pulse + 2 * self.t_edge

    def spikes(self, t_stop: float) -> float:
        """Return how many spikes all of them give, or about how many."""
        if self.rate is not None:
            return float(np.broadcast_to(as_array(self.rate), self.size).sum()) * t_stop
        return sum(len(times) for times in self.times)

    def late(self, t_stop: float) -> int:
        """Return how many of the stated spikes are at or beyond the end of a run."""
        return sum(int(np.count_nonzero(times.array >= t_stop)) for times in self.times)

    def trains(self, t_stop: float, seed: int, index: int) -> list[_Floats]:
        """Return the spike times of each source before the end of a run, in s.

        Parameters
        ----------
        t_stop : float
        seed : int
            The network's.
        index : int
            The place of these sources among the network's. Each single source draws from a
            stream of its own, so that more of them change nothing of the others.
        """
        if self.rate is None:
            return [t.array[t.array < t_stop].astype(float) for t in self.times]
        rates = np.broadcast_to(as_array(self.rate), self.size)
        (root, key) = (seed, (2, index)) if self.seed is None else (self.seed, ())
        return [
            _poisson(rate, self.t_dead, t_stop, _stream(root, (*key, k)))
            for k, rate in enumerate(rates.tolist())
        ]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        who = f"the sources {self.name!r}"
        if self.v_high <= self.v_low:
            raise ValueError(
                f"v_high = {self.v_high:g} V of {who} is not above v_low = {self.v_low:g} V; "
                "exchange them"
            )
        if self.t_edge >= self.t_pulse:
            raise ValueError(
                f"t_edge = {self.t_edge:g} s of {who} is not shorter than t_pulse = "
                f"{self.t_pulse:g} s; give shorter edges"
            )
        if (self.rate is None) == (not self.times):
            have = "neither times nor rate" if self.rate is None else "both times and rate"
            raise ValueError(
                f"The sources {self.name!r} have {have}; give one of the two (an empty list for "
                "each silent source)"
            )
        if self.rate is not None:
            self._check_rate(who)
        else:
            self._check_times(who)
        return self

    def _check_rate(self, who: str) -> None:
        rates = as_array(self.rate if self.rate is not None else 0.0)
        if rates.ndim > 1 or (rates.ndim and len(rates) != self.size):
            raise ValueError(
                f"rate of {who} has the shape {rates.shape} for {counted(self.size, 'source')}; "
                "give one number, or one for each"
            )
        if np.any(rates < 0):
            raise ValueError(f"rate of {who} is {rates.min():g} Hz; give 0 or more")
        if np.any(rates * self.t_dead >= 1):
            raise ValueError(
                f"rate of {who} is {rates.max():g} Hz, and pulses of {self.t_dead:g} s with their "
                f"edges allow less than {1 / self.t_dead:.4g} Hz; give a lower rate or shorter "
                "pulses"
            )

    def _check_times(self, who: str) -> None:
        if len(self.times) != self.size:
            raise ValueError(
                f"times of {who} has {counted(len(self.times), 'list')} for "
                f"{counted(self.size, 'source')}; give a list for each"
            )
        if self.seed is not None:
            raise ValueError(f"seed of {who} draws nothing, as the times are stated; remove it")
        for k, train in enumerate(self.times):
            times = train.array
            if len(times) and times[0] < 0:
                raise ValueError(
                    f"times of {self.name}_{k} begin at {times[0]:g} s; give times of 0 or more"
                )
            gaps = np.diff(times)
            if len(gaps) and gaps.min() <= 0:
                at = int(np.argmax(gaps <= 0))
                raise ValueError(
                    f"times of {self.name}_{k} are not in order: {times[at]:g} s is followed by "
                    f"{times[at + 1]:g} s; sort them, each once"
                )
            if len(gaps) and gaps.min() < self.t_dead * (1 - 1e-9):
                at = int(np.argmin(gaps))
                raise ValueError(
                    f"times of {self.name}_{k} have spikes {gaps[at]:g} s apart at {times[at]:g} "
                    f"s, and a pulse with its edges takes {self.t_dead:g} s; give shorter pulses "
                    "(t_pulse) or times farther apart"
                )


def _stream(seed: int, key: tuple[int, ...]) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _poisson(rate: float, dead: float, t_stop: float, rng: np.random.Generator) -> _Floats:
    """Draw spike times with a mean rate and a dead time, until t_stop."""
    if rate <= 0:
        return np.empty(0)
    mean = 1 / rate - dead
    parts: list[_Floats] = []
    last = -dead
    while last < t_stop:
        expected = (t_stop - last) * rate
        steps = dead + rng.exponential(mean, int(expected + 6 * expected**0.5) + 16)
        parts.append(last + np.cumsum(steps))
        last = float(parts[-1][-1])
    times = np.concatenate(parts)
    return np.asarray(times[times < t_stop])

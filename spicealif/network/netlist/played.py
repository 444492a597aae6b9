"""What stands in a deck for neurons that are not in it: their waveforms, as few points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import NetlistError
from spicealif.network.description import SpikeSource
from spicealif.network.netlist._thin import LEAST_STEP, thin_pwl

__all__ = ["Playable", "Played", "PlayedBack", "source_points"]

_Floats = NDArray[np.float64]

#: How far what is played back may be from the waveforms, in V, and how far its edges in s. Two of
#: the paper's neurons in a ring, 2 ms, reltol 1e-8, against their flat deck (1.95 s of CPU for a
#: neuron alone): 1e-4 V and 0.2 ns make 1,500 points, 3.2 s and 0.5 ns; 1e-4 V alone 6,100 points,
#: 7.4 s and 0.6 ns; 1e-3 V and 1 ns 550 points, 2.5 s and 7 ns. The worst difference goes with the
#: voltage, the cost with the points.
TOLERANCE, JITTER = 3e-4, 500e-12
#: The same where a synapse does not block: it hands on what an output does between pulses, and a
#: strong one amplifies it.
FINE = 3e-6


class Playable(Protocol):
    """What is asked of a neuron's solution: two waveforms, linear between their points.

    Attributes
    ----------
    t_out, v_out : ndarray, shape (n,)
        Output of the comparator: times in s, not decreasing, and V.
    t_c, v_c : ndarray, shape (m,)
        Capacitor.
    t_spike : ndarray, shape (k,)
        Spike times in s.
    """

    @property
    def t_out(self) -> _Floats:
        """Times of the output in s."""
        ...

    @property
    def v_out(self) -> _Floats:
        """Output in V."""
        ...

    @property
    def t_c(self) -> _Floats:
        """Times of the capacitor in s."""
        ...

    @property
    def v_c(self) -> _Floats:
        """Capacitor in V."""
        ...

    @property
    def t_spike(self) -> _Floats:
        """Spike times in s."""
        ...


@dataclass(frozen=True, eq=False)
class Played:
    """Playable of one neuron; see `Playable`."""

    t_out: _Floats
    v_out: _Floats
    t_c: _Floats
    v_c: _Floats
    t_spike: _Floats = field(default_factory=lambda: np.empty(0))


class PlayedBack:
    """Playable of many neurons, thinned once and then kept, for decks of several threads.

    Parameters
    ----------
    played : mapping of int to Playable
        By the neurons' indices.
    tolerance, jitter : float
        See `thin_pwl`.
    """

    def __init__(
        self,
        played: Mapping[int, Playable],
        tolerance: float = TOLERANCE,
        jitter: float = JITTER,
    ) -> None:
        self.played = played
        self.tolerance = tolerance
        self.jitter = jitter
        self._thin: dict[tuple[int, str], tuple[_Floats, _Floats]] = {}
        self._lock = Lock()

    def points(self, neuron: int, which: str) -> tuple[_Floats, _Floats]:
        """Return the points of a neuron's output (``"out"``) or capacitor (``"c"``).

        Raises
        ------
        NetlistError
            If there are no waveforms of this neuron, or they are none.
        """
        key = (neuron, which)
        with self._lock:
            if key not in self._thin:
                one = self.played.get(neuron)
                if one is None:
                    raise NetlistError(
                        f"Of neuron {neuron} there are no waveforms to play back; give those of "
                        "every neuron that has a synapse with the one in the deck."
                    )
                t, v = (one.t_out, one.v_out) if which == "out" else (one.t_c, one.v_c)
                self._thin[key] = thin_pwl(t, v, self.tolerance, self.jitter)
            return self._thin[key]


def source_points(source: SpikeSource, times: _Floats, t_stop: float) -> tuple[_Floats, _Floats]:
    """Return corner times in s and voltages of a source of spikes.

    Its output crosses the middle of its levels at each of `times` on its way up, and `t_pulse`
    later on its way down; pulses that touch are one, and what is before t = 0 is cut off.

    Raises
    ------
    NetlistError
        If its edges leave no time between them.
    """
    if not 0 < source.t_edge < source.t_pulse:
        raise NetlistError(
            f"The pulses of source {source.name} have edges of {source.t_edge:g} s and are "
            f"{source.t_pulse:g} s long; give edges longer than 0 and shorter than a pulse."
        )
    times = np.sort(np.asarray(times, dtype=float))
    times = times[times - 0.5 * source.t_edge < t_stop]
    half, width = 0.5 * source.t_edge, source.t_pulse
    first = np.ones(len(times), dtype=np.bool_)
    # Up to where the fall of one ends, another's rise is no rise.
    first[1:] = np.diff(times) > width + source.t_edge + LEAST_STEP
    starts = times[first]
    ends = times[np.append(first[1:], True)] + width if len(times) else times
    t = np.column_stack((starts - half, starts + half, ends - half, ends + half)).ravel()
    v = np.tile([source.v_low, source.v_high, source.v_high, source.v_low], len(starts))
    if not len(t) or t[0] > 0:
        return np.insert(t, 0, 0.0), np.insert(v, 0, source.v_low)
    at_zero = float(np.interp(0.0, t, v))
    later = t > 0
    return np.insert(t[later], 0, 0.0), np.insert(v[later], 0, at_zero)

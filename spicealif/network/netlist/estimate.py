"""What a deck of several neurons will cost a simulator, said before it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spicealif.network.expanded import Expanded
from spicealif.simulators.estimate import estimate_run

__all__ = ["FlatEstimate", "estimate_deck"]

#: Seconds of CPU for each point: of the deck itself, and for each neuron in it.
_PER_POINT, _PER_NEURON = 5e-6, 28e-6
#: Of the points that each neuron would take alone, so many are left when they share them.
_SHARED = 0.75
#: Points of a run for each point of what is played back.
_PER_KNOT = 5.0
#: Neurons whose spikes are counted by the reference; others are taken to be like them.
_ASKED = 8


@dataclass(frozen=True)
class FlatEstimate:
    """What a run of a deck takes, about: within a factor of three, most often.

    Attributes
    ----------
    neurons : int
        In the deck.
    spikes : float
        Of all of them, without their synapses.
    points : float
        Time points.
    cpu_s : float
        Of the simulator, in s.
    """

    neurons: int
    spikes: float
    points: float
    cpu_s: float

    def __str__(self) -> str:
        unit, value = ("h", self.cpu_s / 3600) if self.cpu_s > 5400 else ("s", self.cpu_s)
        return (
            f"{self.neurons} neurons in one deck: about {self.points:.2g} time points and "
            f"{value:.2g} {unit} of CPU"
        )


def estimate_deck(
    expanded: Expanded, neurons: tuple[int, ...], knots: int, reltol: float
) -> FlatEstimate:
    """Estimate what a run of a deck takes.

    Every neuron's events shorten the step of all, so that points add up, and a point costs in
    proportion to the neurons.

    Parameters
    ----------
    expanded : Expanded
    neurons : tuple of int
        The neurons in the deck.
    knots : int
        Points of what is played back.
    reltol : float

    Returns
    -------
    FlatEstimate
    """
    asked = neurons[:: max(len(neurons) // _ASKED, 1)][:_ASKED]
    found = [estimate_run(expanded.neurons[k], check=False, reference=False) for k in asked]
    known = [e for e in found if math.isfinite(e.points)]
    share = len(neurons) / max(len(known), 1)
    spikes = sum(e.spikes for e in known) * share
    # `estimate_run` is for 1e-8.
    own = _SHARED * sum(e.points for e in known) * share
    points = own * (1e-8 / reltol) ** 0.3 + _PER_KNOT * knots
    cpu = points * (_PER_POINT + _PER_NEURON * len(neurons))
    return FlatEstimate(len(neurons), spikes, points, cpu)

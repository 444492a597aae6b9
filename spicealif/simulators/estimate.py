"""What a run of a neuron will take, about, before it starts.

The spikes of a short stretch of the reference say how many there will be. How many points a spike
takes, and how long a point, was measured on the presets and on random designs
(`benchmarks/accuracy.py`); another machine, or a neuron that needs a tighter tolerance, may take
three times as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from spicealif.design import Neuron
from spicealif.errors import DesignError, IntegrationError

__all__ = ["Estimate", "estimate_run"]

#: Steps of the reference that the stretch may take, and how many times as long it may be.
_PROBE = 2e5
#: Points of SPICE for each spike beside those that the largest step makes, at a reltol of 1e-6; and
#: how many times as many at the 1e-8 of a run that nobody checks.
_POINTS, _SAFE = 700.0, 5.0
#: Seconds of CPU for each point in SPICE, each spike of the equations at a relative tolerance of
#: 1e-7, each spike of the two solutions that judge, and each step of the reference.
_PER_POINT, _PER_SPIKE, _PER_JUDGED, _PER_STEP = 16e-6, 3e-3, 12e-3, 0.2e-6
#: Points of the equations for each spike.
_EQUATION_POINTS = 250.0


@dataclass(frozen=True)
class Estimate:
    """What a run takes, about.

    Attributes
    ----------
    spikes : float
    points : float
        Of the circuit.
    cpu_s : float
        Of simulator, equations and reference together, in s.
    """

    spikes: float
    points: float
    cpu_s: float

    def __mul__(self, factor: float) -> Estimate:
        return Estimate(self.spikes * factor, self.points * factor, self.cpu_s * factor)


def estimate_run(
    neuron: Neuron,
    simulator: str = "ngspice",
    *,
    check: bool = True,
    reference: bool = True,
    roughly: bool = False,
) -> Estimate:
    """Estimate what a neuron's run takes.

    Parameters
    ----------
    neuron : Neuron
    simulator : str
    check : bool
        Whether it is checked against the equations, as in `cosimulate`.
    reference : bool
        Whether the reference is integrated too.
    roughly : bool
        Whether an upper bound of the spikes will do: without a leak, and discharged at once.

    Returns
    -------
    Estimate
    """
    steps = neuron.t_stop / neuron.default_h
    spikes = _most_spikes(neuron) if roughly else _spikes(neuron, steps)
    cpu = steps * _PER_STEP if reference else 0.0
    if simulator == "equations":
        points = spikes * _EQUATION_POINTS
        cpu += spikes * _PER_SPIKE
    else:
        tight = 1.0 if check and neuron.numerics.reltol is None else _SAFE
        points = neuron.t_stop / neuron.t_step_max + spikes * _POINTS * tight
        cpu += points * _PER_POINT
    if check:
        cpu += spikes * _PER_JUDGED
    return Estimate(spikes, points, cpu)


def _most_spikes(neuron: Neuron) -> float:
    """Return how often the peak current could charge the capacitor between the thresholds."""
    peak = max(neuron.stimulus.peak(neuron.t_stop), 0.0)
    return neuron.t_stop * peak / (neuron.c * (neuron.v_th - neuron.v_low))


def _spikes(neuron: Neuron, steps: float) -> float:
    """Return about how many spikes there will be, from the beginning of the run."""
    from spicealif.reference import solve_reference

    part = min(1.0, _PROBE / max(steps, 1.0))
    try:
        short = neuron if part == 1.0 else neuron.replace(t_stop=neuron.t_stop * part)
        return len(solve_reference(short, "schmitt").t_spike) / part
    except (DesignError, IntegrationError):
        return math.nan if part == 1.0 else 0.0

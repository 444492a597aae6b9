"""A circuit's run that is as accurate as was asked for, and not much more so.

How accurate a netlist's spike times are depends on the design by factors of a hundred, so no fixed
tolerance fits: what is enough for one is a waste for most. A run begins with the loosest tolerance
that has a fair chance, its spikes are compared with those of the circuit's own differential
equations, and it is repeated more tightly if it must be. How often that is, and what it costs:
`benchmarks/accuracy.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit.check import Attempt
from spicealif.circuit.judged import SPIKE_TIME_ERROR, sharpened, solve_as_judge
from spicealif.design import Neuron
from spicealif.design.numerics import SAFE_RELTOL
from spicealif.errors import DesignError, IntegrationError
from spicealif.netlist import Netlist, build_netlist
from spicealif.reference import solve_reference
from spicealif.simulators.run import Cost, Progress, Run, Simulator
from spicealif.waveforms import Waveforms

__all__ = ["Accurate", "Judge", "SpikeJudge", "run_accurately", "solve_spike_judge", "spikes_of"]

#: Spike times in s of the circuit's own equations and the error of these in s.
SpikeJudge: TypeAlias = tuple[NDArray[np.float64], float]
#: Returns them, or None if the equations cannot be solved; waits for them if need be.
Judge: TypeAlias = Callable[[], SpikeJudge | None]

#: The loosest and the tightest relative tolerance to begin with, and the last.
_LOOSEST, _TIGHTEST, _LAST = 1e-5, 1e-7, 1e-10
#: Steps of the reference that are taken to find that out.
_PROBE = 5e5
#: How far a tolerance of 1e-6 moves spikes, in units of what one millionth of the thresholds does.
_MOVES, _AT = 3.0, 1e-6
#: The error goes with about this power of the tolerance, as measured on random designs; it is to
#: come down to this share of what was asked for.
_POWER, _AIM = 0.55, 0.6
#: The least and the largest factor between two tolerances.
_STEPS = (4.0, 1e3)
#: And the one where the counts differ, so that nothing is known of the error.
_UNKNOWN = 16.0
#: The judge's first relative tolerance, and what part of the accuracy its own error may be.
_JUDGE_RTOL, _JUDGE_SHARE = 1e-6, 0.2
#: Where the error falls by less than this although steps are many, it is not one of steps.
_FALLS = 0.7


@dataclass(frozen=True, eq=False)
class Accurate:
    """A run, and what it took.

    Attributes
    ----------
    run : Run
        The last complete one, or what there is of the first. Its cost is that of all of them, its
        points are its own.
    attempts : tuple of Attempt
        Every run whose spikes were compared, in order; empty if none was.
    """

    run: Run
    attempts: tuple[Attempt, ...] = ()


def run_accurately(
    neuron: Neuron,
    tool: Simulator,
    judge: Judge | None,
    *,
    timeout: float | None = None,
    interpolation_error: float = 0.0,
    progress: Progress | None = None,
) -> Accurate:
    """Run a neuron's netlist until its spike times are as accurate as ``numerics.accuracy``.

    Parameters
    ----------
    neuron : Neuron
    tool : Simulator
    judge : callable or None
        Called after each run. Without one, and where ``numerics.reltol`` is given, the tool solves
        the equations itself or there are none (`Neuron.no_equations`), there is one run.
    timeout : float, optional
        Seconds of wall time for all runs.
    interpolation_error : float
        See `Netlist`.
    progress : callable, optional
        Called with the fraction done of each run.

    Returns
    -------
    Accurate

    Raises
    ------
    NetlistError, SimulatorNotFound, SimulatorError
        As `build_netlist` and `Simulator.run`.
    """
    numerics = neuron.numerics

    def deck(reltol: float | None) -> Netlist:
        netlist = build_netlist(neuron, tool.dialect, reltol=reltol)
        return replace(netlist, interpolation_error=interpolation_error)

    own = tool.name == "equations" or neuron.no_equations
    if judge is None or numerics.reltol is not None or own:
        netlist = deck(None)
        return Accurate(tool.run(netlist, timeout=timeout, progress=progress))
    begin, left = time.monotonic(), timeout
    best: Run | None = None
    spent = Cost(0.0, 0.0, 0)
    attempts: list[Attempt] = []
    reltol = _first(neuron)
    while True:
        netlist = deck(reltol)
        run = tool.run(netlist, timeout=left, progress=progress)
        cost = run.cost
        spent = Cost(spent.cpu_s + cost.cpu_s, spent.wall_s + cost.wall_s, cost.points)
        if not run.ok:  # an earlier one that is whole is worth more
            return Accurate(_costing(best or run, spent), tuple(attempts))
        best = run
        judged = judge()
        if judged is None:
            if reltol <= SAFE_RELTOL:
                return Accurate(_costing(run, spent))
            reltol = SAFE_RELTOL
        else:
            error = _error(run, judged)
            attempts.append(Attempt(reltol, error))
            unsure = judged[1] > 0.5 * numerics.accuracy and reltol <= SAFE_RELTOL
            if error <= numerics.accuracy or reltol <= _LAST or unsure or _hopeless(attempts):
                return Accurate(_costing(run, spent), tuple(attempts))
            reltol = _next(reltol, error, numerics.accuracy)
        if timeout is not None:
            left = timeout - (time.monotonic() - begin)
            if left <= 0:
                return Accurate(_costing(run, spent), tuple(attempts))


def solve_spike_judge(neuron: Neuron, progress: Callable[[float], None] | None = None) -> Waveforms:
    """Solve the circuit's equations as closely as ``numerics.accuracy`` asks of a judge.

    Parameters
    ----------
    neuron : Neuron
    progress : callable, optional
        Called with the fraction done of each solution; it may raise to end the work.

    Returns
    -------
    Waveforms
        As of `solve_as_judge`; their own error is a fifth of the accuracy or less, where the
        equations can be solved as closely.

    Raises
    ------
    IntegrationError
        As `solve_circuit`.
    """
    solved = solve_as_judge(neuron, rtol=_JUDGE_RTOL, progress=progress)
    enough = _JUDGE_SHARE * neuron.numerics.accuracy
    return sharpened(solved, neuron, solved.t_spike, enough=enough, progress=progress)


def spikes_of(judge: Waveforms) -> SpikeJudge:
    """Return what `run_accurately` needs of `solve_spike_judge`."""
    return judge.t_spike, float(judge.attrs[SPIKE_TIME_ERROR])


def _first(neuron: Neuron) -> float:
    """Return the tolerance to begin with.

    From how far the reference's spikes move with the thresholds: a simulator that meets these a
    little late errs like one whose thresholds are a little off, and where v_mem hardly rises when
    it gets there, or many intervals add up, either is a lot. Of a long run its beginning is taken,
    which does not take long.
    """
    factor = 1 + _AT
    try:
        steps = neuron.t_stop / neuron.default_h
        if steps > _PROBE:
            neuron = neuron.replace(t_stop=neuron.t_stop * _PROBE / steps)
        moved = neuron.replace(v_th=neuron.v_th * factor, v_low=neuron.v_low * factor)
        a, b = (solve_reference(n, "schmitt").t_spike for n in (neuron, moved))
    except (DesignError, IntegrationError):
        return _TIGHTEST
    if len(a) != len(b):
        return _TIGHTEST
    expected = _MOVES * float(np.abs(a - b).max(initial=0.0))
    if not expected > 0:
        return _LOOSEST
    reltol = _AT * (_AIM * neuron.numerics.accuracy / expected) ** (1 / _POWER)
    return float(f"{min(max(reltol, _TIGHTEST), _LOOSEST):.1e}")


def _error(run: Run, judged: SpikeJudge) -> float:
    """Return how far a spike may be off in s, the judge's own error included; NaN if unknown."""
    expected, own = judged
    found = run.require().t_spike
    if len(found) != len(expected):
        return math.nan
    return float(np.abs(found - expected).max(initial=0.0)) + own


def _next(reltol: float, error: float, accuracy: float) -> float:
    least, largest = _STEPS
    factor = _UNKNOWN
    if math.isfinite(error):
        factor = (error / (_AIM * accuracy)) ** (1 / _POWER)
    # Two digits: people read them.
    return max(float(f"{reltol / min(max(factor, least), largest):.1e}"), _LAST)


def _hopeless(attempts: list[Attempt]) -> bool:
    """Return whether smaller steps do not help: the models differ, or the judge is not sure."""
    if len(attempts) < 2 or attempts[-1].reltol > SAFE_RELTOL:
        return False
    before, after = attempts[-2].error, attempts[-1].error
    return not after < _FALLS * before if math.isfinite(before) else not math.isfinite(after)


def _costing(run: Run, cost: Cost) -> Run:
    return replace(run, cost=replace(cost, points=run.cost.points))

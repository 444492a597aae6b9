"""A third, independent route: the circuit's own differential equations against the simulator.

The simulator and the equations share the design's numbers and nothing else: neither the
netlist's templates nor any solver. Where their spike times agree, both are right.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from spicealif.analysis._verification_shown import VerificationShown
from spicealif.circuit import (
    SPIKE_TIME_ERROR,
    Method,
    check_method,
    sharpened,
    solve_as_judge,
)
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.measures import spikes
from spicealif.netlist import build_netlist
from spicealif.simulators import Run, Simulator, get_simulator
from spicealif.waveforms import Waveforms

__all__ = ["Verification", "verify"]

#: The error of a spike time in s that this project asks of its default netlists.
TOLERANCE = 20e-9


@dataclass(frozen=True, eq=False, repr=False)
class Verification(VerificationShown):
    """A circuit's spike times by a simulator and by its equations.

    Attributes
    ----------
    neuron : Neuron
    run : Run
        The simulator's run, complete.
    equations : Waveforms
        The solution of the equations, with their own error (`solve_as_judge`).
    matched : int
        Spikes of the simulator with a partner in the equations nearer than half the mean
        interval.
    time_error_mean, time_error_worst : float
        Of matched spikes, simulator minus equations, in s; worst by magnitude. NaN without any.
    tolerance : float
        In s.
    """

    neuron: Neuron
    run: Run
    equations: Waveforms
    matched: int
    time_error_mean: float
    time_error_worst: float
    tolerance: float

    @property
    def equations_error(self) -> float:
        """Error of the equations' own spike times in s: what a tolerance 10 times as loose moves.

        NaN if it changes their number.
        """
        return float(self.equations.attrs[SPIKE_TIME_ERROR])

    @property
    def all_matched(self) -> bool:
        """Whether every spike of either side has its partner."""
        return self.matched == len(self.equations.t_spike) == len(self.run.require().t_spike)

    @property
    def ok(self) -> bool:
        """Whether every spike has its partner and none is further off than the tolerance.

        The equations' own error counts as difference: what they cannot tell does not pass.
        """
        if not self.all_matched or math.isnan(self.equations_error):
            return False
        worst = abs(self.time_error_worst) if self.matched else 0.0
        return worst + self.equations_error <= self.tolerance


class _Stopped(Exception):
    """Ends the equations' thread."""


def verify(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    method: Method = "LSODA",
    rtol: float | None = None,
    tolerance: float = TOLERANCE,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Verification:
    """Check a simulator's spike times against the circuit's own differential equations.

    Parameters
    ----------
    neuron : Neuron
    simulator : str or Simulator
        As in `simulate`.
    method : {"LSODA", "Radau", "BDF", "rodas"}
        SciPy's solvers, or the project's own; see `solve_circuit`.
    rtol : float, optional
        Relative tolerance of the solver.
    tolerance : float
        Largest difference of a spike time in s for ``ok``.
    timeout : float, optional
        Seconds of wall time for the simulator.
    progress : callable, optional
        Called with the fraction done of whichever side is behind.

    Returns
    -------
    Verification

    Raises
    ------
    CompareError
        If the tolerance is not a positive number, or not below the length of the run.
    RunFailed
        If the simulator's run is not complete.
    NetlistError, IntegrationError, SimulatorNotFound
        If one side cannot be run at all.

    Examples
    --------
    >>> verify(load_preset("paper").replace(t_stop="1m"), "ngspice").ok
    True
    """
    if not 0 < tolerance < math.inf:
        raise CompareError(f"The tolerance is {tolerance:g} s; give a positive time such as 20e-9.")
    if tolerance >= neuron.t_stop:
        raise CompareError(
            f"A tolerance of {tolerance:g} s finds no fault in a run of {neuron.t_stop:g} s; give "
            "a shorter time, with its unit, such as 20n."
        )
    check_method(method)
    stop = threading.Event()
    done = {"simulator": 0.0, "equations": 0.0}

    def show(fraction: float) -> None:
        done["simulator"] = fraction
        if pending.done():
            pending.result()  # equations that cannot be solved end the simulator's run too
        if progress is not None:
            progress(min(done.values()))

    def watch(fraction: float) -> None:
        if stop.is_set():
            raise _Stopped
        done["equations"] = fraction

    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator
    try:
        netlist = build_netlist(neuron, tool.dialect)
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(solve_as_judge, neuron, method=method, rtol=rtol, progress=watch)
            try:
                run = tool.run(netlist, timeout=timeout, progress=show)
                waveforms = run.require()
                _wait(pending, lambda: show(1.0))
            except BaseException:
                stop.set()  # or leaving the pool would wait for the end of the equations
                raise
            equations = pending.result()
            # An error that takes no more than a third of the tolerance is no matter.
            equations = sharpened(equations, neuron, waveforms.t_spike, enough=tolerance / 3)
    finally:
        if isinstance(simulator, str):
            tool.close()
    a, b = waveforms.t_spike, equations.t_spike
    interval = float(np.diff(b).mean()) if len(b) > 1 else neuron.t_stop
    i_a, i_b = spikes.match_spikes(a, b, interval / 2)
    error = a[i_a] - b[i_b]
    return Verification(
        neuron,
        run,
        equations,
        matched=len(error),
        time_error_mean=float(error.mean()) if len(error) else math.nan,
        time_error_worst=float(error[np.argmax(np.abs(error))]) if len(error) else math.nan,
        tolerance=tolerance,
    )


def _wait(pending: Any, show: Callable[[], None]) -> None:
    """Wait for a future in short turns, so that Ctrl-C and the progress get theirs."""
    from concurrent.futures import wait

    while not wait([pending], timeout=0.1).done:
        show()

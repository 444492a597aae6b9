"""The second level of refinement, and running both levels and the equations at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from spicealif.design import Neuron
from spicealif.design.refinement import refined
from spicealif.netlist import build_netlist
from spicealif.reference import Variant
from spicealif.simulators import Run, Simulator, get_simulator
from spicealif.simulators.accurate import (
    SpikeJudge,
    run_accurately,
    solve_spike_judge,
    spikes_of,
)
from spicealif.waveforms import Waveforms

__all__ = ["Levels", "refined"]

#: The share of the work of the run as asked for and of the finer one, for the progress.
_WORK = (1 / 3, 2 / 3)
#: Seconds between two looks at what runs, and for simulators to stop by themselves.
_LOOK, _GRACE = 0.1, 3.0


class _Stopped(Exception):
    """Ends a run that nobody waits for any more."""


class Levels:
    """Two runs of the circuit and, beside them, two of the reference and one of the equations.

    The first level's run is as accurate as ``numerics.accuracy`` asks for, and the second level
    follows from what that took; where ``numerics.reltol`` is given both are known beforehand.

    Parameters
    ----------
    levels : tuple of Neuron
        As asked for, and finer.
    simulator : str or Simulator
        A name is opened twice, for runs side by side; a simulator does one after the other.
    variant : {"ideal", "schmitt"}
    timeout : float or None
        Seconds of wall time for each of the circuit's runs.

    Raises
    ------
    NetlistError, SimulatorError
        If a netlist cannot be built, or there is no such simulator.
    """

    def __init__(
        self,
        levels: tuple[Neuron, Neuron],
        simulator: str | Simulator,
        variant: Variant,
        timeout: float | None,
    ) -> None:
        self.levels, self.variant, self.timeout = levels, variant, timeout
        # A simulator is not to be shared between threads.
        self.tools = (
            [get_simulator(simulator) for _ in levels]
            if isinstance(simulator, str)
            else [simulator]
        )
        for neuron in levels:  # what is refused is told before anything is computed
            build_netlist(neuron, self.tools[0].dialect)
        self.done = [0.0, 0.0]
        #: Set when the second level is known: at once, unless it follows from the first.
        self.found = threading.Event()
        own = self.tools[0].name == "equations" or levels[0].no_equations
        if levels[0].numerics.reltol is not None or own:
            self.found.set()
        self.stop = threading.Event()
        #: Set when the run as asked for has failed: no use in the finer one.
        self.hopeless = threading.Event()

    def close(self) -> None:
        """Close the simulators."""
        for tool in self.tools:
            tool.close()

    def work(
        self, progress: Callable[[float], None] | None
    ) -> tuple[list[Run | None], list[Waveforms], Waveforms | None]:
        """Run everything; the caller's thread waits, shows the progress and takes Ctrl-C.

        Parameters
        ----------
        progress : callable or None
            Called in the caller's thread with the fraction of the circuit's runs that is done.

        Returns
        -------
        list of Run or None, list of Waveforms, Waveforms or None
            Both levels of the circuit, both of the reference, and the circuit's equations, if it
            has any. The finer run is None if it was not done or not finished because the other
            failed.

        Raises
        ------
        IntegrationError, SimulatorError
            If one side cannot be run at all; the other is stopped then.
        """
        with ThreadPoolExecutor(len(self.tools)) as circuits, ThreadPoolExecutor(1) as beside:
            pending: set[Future[Any]] = set()
            try:
                equations = beside.submit(self._equations)
                references = beside.submit(self._references)
                runs = [circuits.submit(self._circuit, k, equations) for k in (0, 1)]
                pending |= {*runs, references, equations}
                while pending:
                    finished, pending = wait(pending, _LOOK, FIRST_COMPLETED)
                    for future in finished:
                        future.result()  # raises what it raised
                    if progress is not None:
                        progress(sum(w * d for w, d in zip(_WORK, self.done, strict=True)))
            except BaseException:
                self.stop.set()
                # A simulator that reports no progress does not see the event.
                if wait(pending, _GRACE).not_done:
                    self.close()
                raise
            return [f.result() for f in runs], references.result(), equations.result()

    def _circuit(self, k: int, equations: Future[Waveforms | None]) -> Run | None:
        def judged() -> SpikeJudge | None:
            solved = equations.result()
            return None if solved is None else spikes_of(solved)

        try:
            while k == 1 and not self.found.wait(_LOOK):
                self._look(k, 0.0)
            self._look(k, 0.0)
            run = run_accurately(
                self.levels[k], self.tools[k % len(self.tools)], judged,
                timeout=self.timeout, progress=partial(self._look, k),
            ).run  # fmt: skip
        except _Stopped:
            return None
        self.done[k] = 1.0
        if k == 0:
            if not run.ok:
                self.hopeless.set()
            if not self.found.is_set():
                self.levels = self.levels[0], refined(self.levels[0], run.netlist.reltol)
            self.found.set()
        return run

    def _look(self, k: int, fraction: float) -> None:
        if self.stop.is_set() or (k == 1 and self.hopeless.is_set()):
            raise _Stopped
        self.done[k] = fraction

    def _references(self) -> list[Waveforms]:
        from spicealif.reference import solve_reference

        return [solve_reference(n, self.variant, progress=self._go_on) for n in self.levels]

    def _equations(self) -> Waveforms | None:
        if self.levels[0].no_equations:
            return None
        return solve_spike_judge(self.levels[0], progress=self._go_on)

    def _go_on(self, _: float) -> None:
        if self.stop.is_set():
            raise _Stopped

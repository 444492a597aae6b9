"""The second level of refinement, and running both levels and the equations at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from spicealif.design import Neuron, Numerics
from spicealif.netlist import build_netlist
from spicealif.reference import Variant
from spicealif.simulators import Run, Simulator, get_simulator
from spicealif.waveforms import Waveforms

__all__ = ["Levels", "refined"]

#: The share of the work of the run as asked for and of the finer one, for the progress.
_WORK = (1 / 3, 2 / 3)
#: Seconds between two looks at what runs, and for simulators to stop by themselves.
_LOOK, _GRACE = 0.1, 3.0


def refined(neuron: Neuron) -> Neuron:
    """Return a neuron at the second level of refinement.

    A tenth of the reltol, half the largest step, a finer steering, and half the reference's step
    h; each from the default where the neuron's own setting is looser, so that the second level can
    be trusted whatever the first is. The steering changes too, so that both levels do not shorten
    their steps at the same places. On 2 ms of the presets, real or ideal, the default settings are
    within 0.5 ns of the circuit's own equations and this level within 0.1 ns.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    Neuron
        Steering on.

    Raises
    ------
    DesignError
        If the run would take too many steps.
    """
    old, good = neuron.numerics, Numerics()
    changes: dict[str, Any] = {
        name: min(getattr(old, name), getattr(good, name))
        for name in ("abstol", "vntol", "chgtol", "trtol")
    }
    changes |= {
        "reltol": min(old.reltol, good.reltol) / 10,
        # Half of what it really is, which with a sine may be less than the setting.
        "t_step_max": min(neuron.t_step_max, good.t_step_max) / 2,
        "steering": True,
        "steering_delta": min(old.steering_delta, good.steering_delta) / 2,
        "steering_parts": max(old.steering_parts, good.steering_parts) * 1.5,
        "steps_per_charge": max(old.steps_per_charge, good.steps_per_charge) * 2,
        "steering_c": max(old.steering_c, good.steering_c),
        "h": min(neuron.default_h, neuron.replace({"numerics.h": None}).default_h) / 2,
    }
    return neuron.replace({f"numerics.{name}": value for name, value in changes.items()})


class _Stopped(Exception):
    """Ends a run that nobody waits for any more."""


class Levels:
    """Two runs of the circuit and, beside them, two of the reference and one of the equations.

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
        self.netlists = [build_netlist(n, self.tools[0].dialect) for n in levels]
        self.done = [0.0, 0.0]
        self.stop = threading.Event()
        #: Set when the run as asked for has failed: no use in the finer one.
        self.hopeless = threading.Event()

    def close(self) -> None:
        """Close the simulators."""
        for tool in self.tools:
            tool.close()

    def work(
        self, progress: Callable[[float], None] | None
    ) -> tuple[list[Run | None], list[Waveforms]]:
        """Run everything; the caller's thread waits, shows the progress and takes Ctrl-C.

        Parameters
        ----------
        progress : callable or None
            Called in the caller's thread with the fraction of the circuit's runs that is done.

        Returns
        -------
        list of Run or None, list of Waveforms
            Both levels of the circuit; both of the reference, and the circuit's equations. The
            finer run is None if it was not done or not finished because the other failed.

        Raises
        ------
        IntegrationError, SimulatorError
            If one side cannot be run at all; the other is stopped then.
        """
        with ThreadPoolExecutor(len(self.tools)) as circuits, ThreadPoolExecutor(1) as beside:
            pending: set[Future[Any]] = set()
            try:
                runs = [circuits.submit(self._circuit, k) for k in (0, 1)]
                references = beside.submit(self._references)
                pending |= {*runs, references}
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
            return [future.result() for future in runs], references.result()

    def _circuit(self, k: int) -> Run | None:
        try:
            self._look(k, 0.0)
            run = self.tools[k % len(self.tools)].run(
                self.netlists[k], timeout=self.timeout, progress=partial(self._look, k)
            )
        except _Stopped:
            return None
        self.done[k] = 1.0
        if k == 0 and not run.ok:
            self.hopeless.set()
        return run

    def _look(self, k: int, fraction: float) -> None:
        if self.stop.is_set() or (k == 1 and self.hopeless.is_set()):
            raise _Stopped
        self.done[k] = fraction

    def _references(self) -> list[Waveforms]:
        from spicealif.circuit import solve_as_judge
        from spicealif.reference import solve_reference

        def look(_: float) -> None:
            if self.stop.is_set():
                raise _Stopped

        references = [solve_reference(n, self.variant, progress=look) for n in self.levels]
        return [*references, solve_as_judge(self.levels[0], progress=look)]

"""The whole job for one neuron: circuit and reference, run and compared."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spicealif._files import write_text
from spicealif._folders import exchanging
from spicealif._kinds import RUN_FILES, signed
from spicealif._needs import check_needs, circuit_needs, reference_needs
from spicealif.comparison import Comparison, compare
from spicealif.design import AnyDesign, Neuron, dump_toml
from spicealif.netlist import build_netlist
from spicealif.reference import Variant, check_variant
from spicealif.simulators import Run, Simulator, get_simulator
from spicealif.waveforms import Waveforms

__all__ = ["RESULT_FILES", "Cosimulation", "compare_run", "cosimulate", "simulate"]

#: Names of the files that a run may leave; what is left of an earlier run would be mistaken for
#: its own.
RESULT_FILES = frozenset(RUN_FILES)


@dataclass(frozen=True, eq=False)
class Cosimulation:
    """Circuit and reference of one neuron.

    Attributes
    ----------
    neuron : Neuron
    run : Run
        The circuit's run; ``run.waveforms`` are its traces.
    reference : Waveforms
        The reference's traces.
    comparison : Comparison or None
        Circuit against reference; None if the circuit's run computed nothing. Of a run that
        ended early it covers what there is.
    """

    neuron: Neuron
    run: Run
    reference: Waveforms
    comparison: Comparison | None

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write design, netlist, log, waveforms and comparison into a folder.

        Parameters
        ----------
        folder : path-like
            Created if need be; files of the same names are replaced, and results and figures of
            an earlier run that this one does not have are removed: all at once, when all are there.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        OutputError
            If something cannot be written, or another run writes into the folder; what was there
            is as it was then.
        """
        import json

        target = Path(folder)
        with exchanging(target, RESULT_FILES) as beside:
            files = [
                write_text(beside / "neuron.toml", signed(dump_toml(self.neuron))),
                self.run.netlist.write(beside),
                write_text(beside / "simulator.log", self.run.log + "\n"),
                self.reference.save(beside / "reference.nc"),
            ]
            if self.run.waveforms is not None:
                files.append(self.run.waveforms.save(beside / "circuit.nc"))
            if self.comparison is not None:
                text = json.dumps(self.comparison.to_dict(), indent=1, allow_nan=False)
                files.append(write_text(beside / "comparison.json", text + "\n"))
                files.append(write_text(beside / "comparison.txt", f"{self.comparison}\n"))
        return [target / file.name for file in files]


class _Stopped(Exception):
    """Ends the reference's thread."""


def simulate(
    design: AnyDesign,
    simulator: str | Simulator = "ngspice",
    *,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Build a design's netlist and run it.

    Parameters
    ----------
    design : Neuron or SeriesCircuit
    simulator : str or Simulator
        A name is opened for this run and closed after it; pass a simulator to keep its worker
        warm over several runs.
    timeout : float, optional
        Seconds of wall time.
    progress : callable, optional
        Called with the fraction done, 0 to 1.

    Returns
    -------
    Run
        Look at ``run.status``, or use ``run.require()`` for waveforms or an error.

    Raises
    ------
    NetlistError
        If the netlist cannot be built.
    SimulatorNotFound
        If the simulator is not on this machine.
    ResourceError
        If there is less memory than the run needs at least.
    """
    check_needs(circuit_needs(design, timeout))
    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator
    try:
        return tool.run(build_netlist(design, tool.dialect), timeout=timeout, progress=progress)
    finally:
        if isinstance(simulator, str):
            tool.close()


def cosimulate(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    variant: Variant = "ideal",
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Cosimulation:
    """Run a neuron as a circuit and as differential equations, and compare.

    Parameters
    ----------
    neuron : Neuron
    simulator : str or Simulator
        As in `simulate`.
    variant : {"ideal", "schmitt"}
        The reference, see `solve_reference`.
    timeout : float, optional
        Seconds of wall time for the simulator.
    progress : callable, optional
        Called with the fraction of the simulator's run that is done.
    meanwhile : callable, optional
        Called in another thread after the reference, while the simulator may still be running.

    Returns
    -------
    Cosimulation

    Raises
    ------
    NetlistError, IntegrationError, SimulatorNotFound, ResourceError
        If one side cannot be run at all. A run that fails half-way raises nothing: see
        ``Cosimulation.run``.
    """
    # Before the simulator starts: its run may take minutes.
    check_variant(variant)
    check_needs(circuit_needs(neuron, timeout) + reference_needs(neuron))
    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator
    netlist = build_netlist(neuron, tool.dialect)

    stop = threading.Event()

    def stop_if_asked(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    def reference_side() -> Waveforms:
        from spicealif.reference import solve_reference

        result = solve_reference(neuron, variant, progress=stop_if_asked)
        if meanwhile is not None:
            meanwhile()
        return result

    try:
        # The reference takes a fraction of a second, most of it numba's start; the simulator's
        # process runs beside it.
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(reference_side)
            try:
                run = tool.run(netlist, timeout=timeout, progress=progress)
            except BaseException:
                stop.set()  # or leaving the pool would wait for the end of the reference
                raise
            reference = pending.result()
    finally:
        if isinstance(simulator, str):
            tool.close()
    return Cosimulation(neuron, run, reference, compare_run(run, reference, neuron))


def compare_run(run: Run, reference: Waveforms, neuron: Neuron) -> Comparison | None:
    """Compare what a run has computed, the whole or a part, with the reference.

    Parameters
    ----------
    run : Run
    reference : Waveforms
    neuron : Neuron
        What both are of.

    Returns
    -------
    Comparison or None
        None if the run got no further than the reference's first step.
    """
    if run.waveforms is None or not run.waveforms.time[-1] >= reference.time[1]:
        return None
    return compare(run.waveforms, reference, neuron)

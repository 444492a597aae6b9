"""The whole job for one neuron: circuit and reference, run and compared."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

from spicealif._support.described import Described
from spicealif._support.drawn import Drawn
from spicealif._support.files import write_text
from spicealif._support.folders import exchanging
from spicealif._support.kinds import RUN_FILES, signed
from spicealif._support.origin import origin
from spicealif._support.text import counted
from spicealif.circuit import (
    Attempt,
    CircuitCheck,
    check_circuit,
    solve_judges,
    spike_movement,
)
from spicealif.design import AnyDesign, Neuron, dump_toml
from spicealif.design.needs import check_needs, circuit_needs, reference_needs
from spicealif.errors import CompareError, IntegrationError
from spicealif.measures.comparison import Comparison, compare
from spicealif.measures.one_side import energies
from spicealif.measures.shown import json_text
from spicealif.netlist import build_netlist
from spicealif.reference import Variant, check_variant
from spicealif.simulators import Run, Simulator, get_simulator
from spicealif.simulators.accurate import (
    SpikeJudge,
    run_accurately,
    solve_spike_judge,
    spikes_of,
)
from spicealif.simulators.equations import rtol_of
from spicealif.simulators.second_level import check_in_spice
from spicealif.waveforms import Waveforms

__all__ = ["RESULT_FILES", "Cosimulation", "compare_run", "cosimulate", "find_reltol", "simulate"]

#: Names of the files that a run may leave; what is left of an earlier run would be mistaken for
#: its own.
RESULT_FILES = frozenset(RUN_FILES)


@dataclass(frozen=True, eq=False, repr=False)
class Cosimulation(Described, Drawn):
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
    check : CircuitCheck or None
        The numerical error of the circuit's figures; None if it was not asked for, or the run is
        not complete.
    """

    neuron: Neuron
    run: Run
    reference: Waveforms
    comparison: Comparison | None
    check: CircuitCheck | None = None

    def _facts(self) -> list[tuple[str, str]]:
        counts = [("reference has", counted(len(self.reference.t_spike), "spike"))]
        if self.run.waveforms is not None:
            spikes = counted(len(self.run.waveforms.t_spike), "spike")
            counts.insert(0, (f"{self.run.simulator} has", spikes))
        return [("of", f"'{self.neuron.name}'"), ("status", self.run.status.name), *counts]

    def _repr_html_(self) -> str:
        run = self.run._repr_html_()
        return run if self.comparison is None else f"{self.comparison._repr_html_()}{run}"

    def save(
        self, folder: str | os.PathLike[str], *, interpolation_error: float = 0.0
    ) -> list[Path]:
        """Write design, netlist, log, waveforms, comparison and provenance into a folder.

        Parameters
        ----------
        folder : path-like
            Created if need be; files of the same names are replaced, and results and figures of
            an earlier run that this one does not have are removed: all at once, when all are there.
        interpolation_error : float
            Of the waveforms on disk: the part of each trace's span that straight lines between the
            samples may be off by (see `Waveforms.decimated`); 0 keeps every sample.

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

        def kept(waveforms: Waveforms) -> Waveforms:
            part = interpolation_error - float(waveforms.attrs.get("interpolation_error", 0.0))
            if not part > 0:
                return waveforms
            attrs = {**waveforms.attrs, **energies(waveforms, self.neuron)}
            return replace(waveforms, attrs=attrs).decimated(part)

        target = Path(folder)
        with exchanging(target, RESULT_FILES) as beside:
            files = [
                write_text(beside / "neuron.toml", signed(dump_toml(self.neuron))),
                self.run.netlist.write(beside),
                write_text(beside / "simulator.log", self.run.log + "\n"),
                kept(self.reference).save(beside / "reference.nc"),
                write_text(beside / "provenance.json", f"{self._provenance()}\n"),
            ]
            if self.run.waveforms is not None:
                files.append(kept(self.run.waveforms).save(beside / "circuit.nc"))
            if self.comparison is not None:
                text = json_text(self.comparison)
                files.append(write_text(beside / "comparison.json", f"{text}\n"))
                files.append(write_text(beside / "comparison.txt", f"{self.comparison}\n"))
        return [target / file.name for file in files]

    def _provenance(self) -> str:
        """Return as JSON where and when this was computed, how it ended and what it cost."""
        variant = self.reference.attrs.get("variant")
        return json.dumps({**origin(), **self.run.record(), "variant": variant}, indent=1)


_Judges: TypeAlias = tuple[Waveforms, Waveforms] | IntegrationError


class _Stopped(Exception):
    """Ends the work of the other thread."""


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

    Examples
    --------
    >>> run = simulate(load_preset("paper").replace(t_stop="1m"))
    >>> len(run.require().t_spike)
    8
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
    check: bool = True,
    interpolation_error: float = 0.0,
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
        Seconds of wall time for the simulator, all of its runs, and for the check.
    progress : callable, optional
        Called with the fraction of the simulator's run that is done, from 0 on again for another.
    meanwhile : callable, optional
        Called in another thread after the reference, while the simulator may still be running.
    check : bool
        Whether the circuit's differential equations are solved too, beside the simulator, so that
        the numerical error of its figures is known (``Cosimulation.check``). Unless
        ``numerics.reltol`` is given, the simulator then runs as loosely as ``numerics.accuracy``
        allows (see `run_accurately`); without the check it runs with a reltol of 1e-8. A circuit
        that has no equations (`Neuron.no_equations`) is run with that and, for its numerical
        error, a second time with a finer one.
    interpolation_error : float
        Above 0, traces are thinned while they come, to as many samples as straight lines between
        them need to be within this part of each trace's span; spikes and energies are those of all
        samples. Then a run of any length takes little memory, but for the simulators that hold
        their data in theirs (``ngspice``; ``ngspice-batch`` writes them to disk).

    Returns
    -------
    Cosimulation

    Raises
    ------
    NetlistError, IntegrationError, SimulatorNotFound, ResourceError
        If one side cannot be run at all. A run that fails half-way raises nothing: see
        ``Cosimulation.run``.

    Examples
    --------
    >>> result = cosimulate(load_preset("paper").replace(t_stop="2m"), "equations")
    >>> result
    <Cosimulation of 'paper', status OK, equations has 16 spikes, reference has 14 spikes>
    >>> print(f"first interval {result.comparison.of_a['isi_first'] * 1e6:.1f} us")
    first interval 60.0 us
    >>> figure = result.plot()
    """
    # Before the simulator starts: its run may take minutes.
    check_variant(variant)
    if not 0 <= interpolation_error < 1:
        raise CompareError(
            f"The interpolation error is {interpolation_error}; give a part of a trace's span from "
            "0 to below 1, such as 1e-3."
        )
    if not interpolation_error > 0:
        check_needs(circuit_needs(neuron, timeout) + reference_needs(neuron))
    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator
    build_netlist(neuron, tool.dialect)  # what it refuses is told before anything is computed

    began = time.monotonic()
    stop, judged_in_vain = threading.Event(), threading.Event()

    def stop_if_asked(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    def stop_judging(_: float) -> None:
        if stop.is_set() or judged_in_vain.is_set():
            raise _Stopped
        if timeout is not None and time.monotonic() - began > timeout:
            raise IntegrationError(
                f"the time limit of {timeout:g} s ended before the circuit's differential "
                "equations were solved"
            )

    # The equations themselves are judged by tighter tolerances.
    rtol = rtol_of(neuron) if tool.name == "equations" else None

    def reference_side() -> tuple[Waveforms, _Judges | None]:
        from spicealif.reference import solve_reference

        result = solve_reference(
            neuron, variant, interpolation_error=interpolation_error, progress=stop_if_asked
        )
        if meanwhile is not None:
            meanwhile()
        return result, _judge(neuron, rtol, stop_judging) if check else None

    try:
        # The reference takes a fraction of a second, most of it numba's start; the simulator's
        # process runs beside it.
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(reference_side)

            def judged() -> SpikeJudge | None:
                solved = pending.result()[1]
                if solved is None or isinstance(solved, IntegrationError):
                    return None
                return solved[1].t_spike, spike_movement(*solved)

            try:
                accurate = run_accurately(
                    neuron, tool, judged if check else None, timeout=timeout,
                    interpolation_error=interpolation_error, progress=progress,
                )  # fmt: skip
                if not accurate.run.ok:
                    judged_in_vain.set()
                reference, judge = pending.result()
            except BaseException:
                stop.set()  # or leaving the pool would wait for the end of the reference
                raise
        end = None if timeout is None else began + timeout
        known = check_in_spice(neuron, tool, accurate.run, end, progress) if check else None
    finally:
        if isinstance(simulator, str):
            tool.close()
    run = accurate.run
    comparison = compare_run(run, reference, neuron)
    if judge is not None and run.ok and run.waveforms is not None and comparison is not None:
        known = known or check_circuit(
            run.waveforms, neuron, judges=judge, attempts=accurate.attempts
        )
        comparison = replace(comparison, check=known)
    return Cosimulation(neuron, run, reference, comparison, known)


def find_reltol(
    neuron: Neuron,
    simulator: str | Simulator = "ngspice",
    *,
    progress: Callable[[float], None] | None = None,
) -> Attempt | None:
    """Find the relative tolerance with which a neuron's netlist is accurate enough.

    For a netlist that runs where nobody checks it, such as in LTspice on another machine: its
    `build_netlist` takes what ngspice needed.

    Parameters
    ----------
    neuron : Neuron
    simulator : str or Simulator
    progress : callable, optional
        Called with the fraction done of each run.

    Returns
    -------
    Attempt or None
        The last tolerance and its error, which is above ``numerics.accuracy`` where none reaches
        that. None where there is nothing to be found: ``numerics.reltol`` is given, or there are
        no equations or they cannot be solved.

    Raises
    ------
    NetlistError, SimulatorNotFound, SimulatorError
        If it cannot be run at all.
    RunFailed
        If no run reaches its end.

    Examples
    --------
    >>> found = find_reltol(load_preset("paper").replace(t_stop="1m"))
    >>> found.error < 20e-9
    True
    """
    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator

    def judged() -> SpikeJudge | None:
        try:
            return spikes_of(solve_spike_judge(neuron))
        except IntegrationError:
            return None

    if neuron.numerics.reltol is not None or neuron.no_equations:
        return None
    try:
        found = run_accurately(neuron, tool, cache(judged), progress=progress)
    finally:
        if isinstance(simulator, str):
            tool.close()
    found.run.require()
    return found.attempts[-1] if found.attempts else None


def _judge(neuron: Neuron, rtol: float | None, progress: Callable[[float], None]) -> _Judges:
    """Return the circuit's equations solved, or why they are not."""
    try:
        return solve_judges(neuron, rtol, progress)
    except IntegrationError as error:
        return error
    except _Stopped:
        return IntegrationError("the run did not reach its end")


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

"""Networks in SPICE: the whole as one deck, or neuron by neuron as witness of a solution."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cores import usable_cores
from spicealif.errors import NetlistError, RunFailed, SimulatorError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.network.netlist import (
    NetworkNetlist,
    Played,
    PlayedBack,
    build_network_netlist,
    build_witness_netlist,
)
from spicealif.network.netlist.played import FINE, JITTER, TOLERANCE, Playable
from spicealif.simulators import Run, Simulator, Status, get_simulator
from spicealif.simulators.judge import spike_times
from spicealif.waveforms import Waveforms

__all__ = ["FlatRun", "WitnessResult", "run_flat", "run_witnesses", "worst_difference"]

_Floats = NDArray[np.float64]

#: Spikes so near to the end of a run, in s, may be in one train and beyond the end of the other.
_END = 50e-9


@dataclass(frozen=True, eq=False)
class FlatRun:
    """A run of a whole network as one deck.

    Attributes
    ----------
    run : Run
        Status, messages, cost and vectors, as of one neuron; its waveforms are called after
        quantity and neuron (``"v_c:exc_3"``).
    netlist : NetworkNetlist
    t_spike : tuple of ndarray
        Spike times in s of each neuron: its output rises through half its swing.
    failed : tuple of str
        Names of the neurons that the simulator blames, where the run is not complete.
    """

    run: Run
    netlist: NetworkNetlist
    t_spike: tuple[_Floats, ...]
    failed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the data are complete."""
        return self.run.ok

    @property
    def message(self) -> str:
        """What happened and what to do, for people."""
        if self.ok or not self.failed:
            return self.run.message
        return f"At {', '.join(self.failed)}: {self.run.message}"

    def require(self) -> FlatRun:
        """Return this, if the run is complete.

        Raises
        ------
        RunFailed
            If it is not; its ``run`` has what there is.
        """
        if not self.ok:
            raise RunFailed(self.message, self.run)
        return self

    def waveforms(self, name: str) -> Waveforms:
        """Return what there is of one neuron.

        Raises
        ------
        NetlistError
            If no neuron is called so.
        RunFailed
            If nothing was computed.
        """
        if name not in self.netlist.names:
            raise NetlistError(
                f"No neuron is called {ascii(name)[:60]}; they are {_few(self.netlist.names)}."
            )
        made = self.run.waveforms
        if made is None:
            raise RunFailed(self.message, self.run)
        signals = {
            key.partition(":")[0]: made[key] for key in made if key.partition(":")[2] == name
        }
        spikes = self.t_spike[self.netlist.names.index(name)]
        return Waveforms(made.time, signals, spikes, made.attrs)

    def played(self) -> dict[int, Played]:
        """Return the waveforms of all neurons by index, as witness decks play them back.

        Raises
        ------
        RunFailed
            If the run is not complete.
        """
        out = {}
        for k, name in zip(self.require().netlist.neurons, self.netlist.names, strict=True):
            one = self.waveforms(name)
            out[k] = Played(one.time, one["spike"], one.time, one["v_c"], one.t_spike)
        return out


@dataclass(frozen=True, eq=False)
class WitnessResult:
    """What the deck of one neuron said.

    Attributes
    ----------
    name : str
    index : int
    t_spike : ndarray
        Its spike times in s.
    status : Status
    message : str
        One sentence; empty if the run is complete.
    cpu_s : float
        Of the simulator in s.
    worst : float
        Largest difference in s to the spikes that were given; infinite where there are more or
        fewer of them, nan where the run is not complete.
    points, knots : int
        Time points of the run, and points of what was played back.
    """

    name: str
    index: int
    t_spike: _Floats
    status: Status
    message: str
    cpu_s: float
    worst: float
    points: int
    knots: int

    @property
    def ok(self) -> bool:
        """Whether the run is complete."""
        return self.status.ok


def run_flat(
    network: Network | Expanded,
    simulator: str | Simulator = "ngspice-batch",
    *,
    reltol: float = 1e-8,
    timeout: float | None = None,
    keep: tuple[str, ...] = ("v_c", "spike"),
    progress: Callable[[float], None] | None = None,
) -> FlatRun:
    """Run a whole network as one deck.

    Its cost goes with the square of the number of neurons; `NetworkNetlist.estimate` says it
    before.

    Parameters
    ----------
    network : Network or Expanded
    simulator : str or Simulator
        One that runs netlists: ``ngspice-batch``, ``ngspice`` or ``ltspice``.
    reltol : float
        SPICE's relative tolerance.
    timeout : float, optional
        Seconds of wall time.
    keep : tuple of str
        Quantities; ``spike`` is always among them.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    FlatRun

    Raises
    ------
    NetlistError
        If the network has no netlist; see `build_network_netlist`.
    SimulatorError, SimulatorNotFound
        If there is no such simulator.
    """
    tool = _tool(simulator)
    quantities = tuple(dict.fromkeys((*keep, "spike")))
    netlist = build_network_netlist(network, tool.dialect, reltol=reltol, quantities=quantities)
    try:
        run = tool.run(netlist, timeout=timeout, progress=progress)
    finally:
        if isinstance(simulator, str):
            tool.close()
    return FlatRun(run, netlist, _spikes(run, netlist), _blamed(run, netlist))


def run_witnesses(
    network: Network | Expanded,
    neurons: Sequence[int] | None,
    played: Mapping[int, Playable],
    simulator: str | Simulator = "ngspice-batch",
    *,
    reltol: float = 1e-8,
    tolerance: float | None = None,
    jitter: float = JITTER,
    workers: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[WitnessResult]:
    """Run the decks of single neurons with all others played back, several at a time.

    Parameters
    ----------
    network : Network or Expanded
    neurons : sequence of int, optional
        Indices; all of them, if not given.
    played : mapping of int to waveforms
        The solution to be checked; see `spicealif.network.netlist.Played`.
    simulator : str or Simulator
        As in `run_flat`.
    reltol : float
        SPICE's relative tolerance.
    tolerance, jitter : float, optional
        How far what is played back may be from the solution, in V, and its edges in s.
    workers : int, optional
        Runs at a time; as many as there are cores, if not given. No result depends on it.
    timeout : float, optional
        Seconds of wall time for each run.
    progress : callable, optional
        Called with the fraction of the runs that are done.

    Returns
    -------
    list of WitnessResult
        In the order asked for. A neuron whose deck fails has a status and a message; the others
        are run all the same.

    Raises
    ------
    SimulatorError, SimulatorNotFound
        If there is no such simulator, or no worker is to run it.
    """
    expanded = network if isinstance(network, Expanded) else expand(network)
    asked = list(range(len(expanded.neurons)) if neurons is None else neurons)
    if workers is not None and workers < 1:
        raise SimulatorError(f"{workers} runs at a time are none; give 1 or more.")
    tool = _tool(simulator)
    if not tool.version:  # it is on this machine, or this raises
        raise SimulatorError(f"The simulator {tool.name} has no version; install it again.")
    if tolerance is None:
        blocking = all(some.synapse.blocks for some in expanded.synapses)
        tolerance = TOLERANCE if blocking else FINE
    back = PlayedBack(played, tolerance, jitter)
    stop = threading.Event()
    local = threading.local()

    def look(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    def one(index: int) -> WitnessResult:
        if stop.is_set():
            raise _Stopped
        if not hasattr(local, "tool"):
            local.tool = _tool(simulator)
        mine: Simulator = local.tool
        try:
            return _witness(expanded, index, back, mine, reltol, timeout, look)
        finally:
            if isinstance(simulator, str):
                mine.close()

    count = max(1, min(workers or usable_cores(), len(asked)))
    with ThreadPoolExecutor(count, thread_name_prefix="spicealif-witness") as pool:
        futures = [pool.submit(one, index) for index in asked]
        waiting = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if progress is not None:
                    progress(1 - len(waiting) / len(futures))
        except BaseException:
            # The runs that are on end within a tenth of a second, and no other begins.
            stop.set()
            for future in waiting:
                future.cancel()
            raise
    return [future.result() for future in futures]


def worst_difference(given: _Floats, found: _Floats, t_stop: float) -> float:
    """Return the largest difference in s between two trains; infinite if counts differ.

    A spike within 50 ns of the end may be beyond it in the other train, and is then left out.
    """
    short = min(len(given), len(found))
    for train in (given, found):
        if len(train) - short > 1 or (len(train) > short and train[-1] < t_stop - _END):
            return math.inf
    return float(np.abs(given[:short] - found[:short]).max(initial=0.0))


class _Stopped(Exception):
    """A run is given up because the caller was interrupted."""


def _witness(
    expanded: Expanded,
    index: int,
    back: PlayedBack,
    tool: Simulator,
    reltol: float,
    timeout: float | None,
    look: Callable[[float], None],
) -> WitnessResult:
    name = expanded.names[index] if 0 <= index < len(expanded.neurons) else str(index)
    nothing = np.empty(0)
    try:
        netlist = build_witness_netlist(
            expanded, index, back, tool.dialect, reltol=reltol, quantities=("spike",)
        )
        run = tool.run(netlist, timeout=timeout, progress=look)
    except (NetlistError, SimulatorError) as error:
        return WitnessResult(
            name, index, nothing, Status.REJECTED, f"{name}: {error}", 0.0, math.nan, 0, 0
        )
    (spikes,) = _spikes(run, netlist)
    worst, message = math.nan, ""
    if run.ok:
        given = np.asarray(back.played[index].t_spike) if index in back.played else nothing
        worst = worst_difference(given, spikes, netlist.t_stop)
        if math.isinf(worst):
            message = f"{name} has {len(spikes)} spikes instead of {len(given)}."
    else:
        message = f"{name}: {run.message}"
    return WitnessResult(
        name, index, spikes, run.status, message, run.cost.cpu_s, worst, run.cost.points,
        netlist.knots,
    )  # fmt: skip


def _tool(simulator: str | Simulator) -> Simulator:
    tool = get_simulator(simulator) if isinstance(simulator, str) else simulator
    if tool.name == "equations":
        raise SimulatorError(
            "The simulator equations runs no netlists; choose ngspice-batch, ngspice or ltspice, "
            "or solve the network's own equations."
        )
    return tool


def _spikes(run: Run, netlist: NetworkNetlist) -> tuple[_Floats, ...]:
    made = run.waveforms
    out = []
    for k, name in zip(netlist.neurons, netlist.names, strict=True):
        key = f"spike:{name}"
        there = made is not None and key in made
        neuron = netlist.expanded.neurons[k]
        out.append(spike_times(made.time, made[key], neuron) if there and made else np.empty(0))
    return tuple(out)


def _blamed(run: Run, netlist: NetworkNetlist) -> tuple[str, ...]:
    if run.ok:
        return ()
    return netlist.named(os.linesep.join(message.text for message in run.errors))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")

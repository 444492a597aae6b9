"""What is done for a point, in whatever process or thread it is done.

A job is self-contained and small, and so is its answer, so that both can go to another machine.
A simulator is kept warm between the jobs of a thread.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, TypeAlias

from spicealif._support.kept import stamp_of
from spicealif.design import Neuron, parse_toml
from spicealif.errors import (
    DesignError,
    IntegrationError,
    SimulatorError,
    SimulatorNotFound,
    SpicealifError,
)
from spicealif.measures.comparison import pair_measures
from spicealif.measures.one_side import measure
from spicealif.measures.tables import plain
from spicealif.reference import Variant
from spicealif.simulators import Simulator, Status, get_simulator
from spicealif.simulators.accurate import (
    Accurate,
    SpikeJudge,
    run_accurately,
    solve_spike_judge,
    spikes_of,
)
from spicealif.waveforms import Waveforms

__all__ = [
    "ERROR",
    "INVALID",
    "OK",
    "PASSING",
    "READY",
    "UNKEPT",
    "Job",
    "Settings",
    "Side",
    "Value",
    "evaluate",
    "failure",
    "lost",
    "serve",
    "trouble",
]

Side: TypeAlias = Literal["circuit", "reference", "both"]
Value: TypeAlias = dict[str, Any]

#: Statuses of a point; the others are those of a run, see `Status`.
OK, INVALID, ERROR = "OK", "INVALID", "ERROR"
#: In a failed result: the trouble was the machine's and not the point's, so it is not to be kept.
PASSING = "passing"
#: How the reason of a point begins whose measures are there and whose waveforms are not.
UNKEPT = "The waveforms could not be kept"
#: A worker process' first word.
READY = "ready"
#: Seconds after which a worker ends in the middle of what it does, once its parent is gone.
_GRACE = 2.0


@dataclass(frozen=True)
class Settings:
    """What all points of an experiment have in common.

    Attributes
    ----------
    sides : {"circuit", "reference", "both"}
        What is computed.
    varies : {"circuit", "reference", "both"}
        Which sides the parameters' values apply to; the other side stays at the base design.
    variant : {"ideal", "schmitt"}
        The reference.
    simulator : str
    timeout : float or None
        Seconds of wall time for one run of the circuit.
    spikes : bool
        Whether spike times are kept.
    waveforms : str
        Folder for the waveforms of each point; empty if they are not kept.
    experiment : str
        What the results are filed under in the store.
    """

    sides: Side
    varies: Side
    variant: Variant
    simulator: str
    timeout: float | None
    spikes: bool
    waveforms: str
    experiment: str


@dataclass(frozen=True)
class Job:
    """Points to be computed.

    Attributes
    ----------
    base : str
        The base design as TOML.
    settings : Settings
    points : tuple of (str, mapping)
        Key, and the values that differ from the base design.
    """

    base: str
    settings: Settings
    points: tuple[tuple[str, Mapping[str, Any]], ...]

    def evaluate(self) -> list[Value]:
        """Compute the points; see `evaluate`. Jobs of another kind compute in their own way."""
        # Whatever the number of points: one that is computed alone must get the same bits.
        if self.settings.sides == "reference" and not self.settings.waveforms:
            return _references(self)
        return [_point(self, key, changes) for key, changes in self.points]


def evaluate(job: Job) -> list[Value]:
    """Compute the points of a job.

    Parameters
    ----------
    job : Job

    Returns
    -------
    list of dict
        For each point, in order, plain numbers and texts: ``status``, ``reason``, ``cpu_s``,
        ``simulator`` (its version), and for each side its measures (see `measure`; NaN is None),
        for both also ``pair`` (see `Comparison`); of a SPICE's run that was checked ``check``
        (see `run_accurately`).
    """
    return job.evaluate()


def failure(job: Job, status: str, reason: str) -> list[Value]:
    """Return a failed result for each point of a job."""
    return [_failed(job.settings, status, reason) for _ in job.points]


def lost(job: Job, reason: str) -> list[Value]:
    """Return a failed result for each point of a job that came to nothing through no fault of its.

    It is not kept, so that the same experiment run again computes these points.
    """
    return [{**value, PASSING: True} for value in failure(job, ERROR, reason)]


def _failed(settings: Settings, status: str, reason: str) -> Value:
    return {"status": status, "reason": reason, "experiment": settings.experiment}


def _point(job: Job, key: str, changes: Mapping[str, Any]) -> Value:
    start = time.thread_time()
    try:
        value = _compute(job, key, changes)
    except Exception as error:
        value = trouble(job.settings, error)
    value["cpu_s"] = value.get("cpu_s", 0.0) + time.thread_time() - start
    return value


def trouble(settings: Settings, error: Exception) -> Value:
    """Return what becomes of a point: its trouble, of whatever kind, is not the others'."""
    kind = INVALID if isinstance(error, DesignError) else ERROR
    ours = isinstance(error, SpicealifError)
    value = _failed(settings, kind, str(error) if ours else f"{type(error).__name__}: {error}.")
    if isinstance(error, SimulatorError | MemoryError) or (isinstance(error, OSError) and not ours):
        value[PASSING] = True  # no simulator here, or no room
    return value


def _compute(job: Job, key: str, changes: Mapping[str, Any]) -> Value:
    settings = job.settings
    base = _base(job.base)
    varied = base.replace(dict(changes))
    value: Value = {"status": OK, "reason": "", "experiment": settings.experiment}
    circuit = reference = None
    if settings.sides != "reference":
        neuron = varied if settings.varies != "reference" else base
        accurate = _run(neuron, settings)
        run = accurate.run
        if accurate.attempts:
            last = accurate.attempts[-1]
            value["check"] = _plain({"spike_time_error": last.error, "reltol": last.reltol})
        value["simulator"], value["cpu_s"] = run.version, run.cost.cpu_s
        if not run.ok or run.waveforms is None:
            failed = _failed(settings, run.status.name, run.message)
            failed |= {k: value[k] for k in ("simulator", "cpu_s")}
            return failed | ({PASSING: True} if run.status.passing else {})
        circuit = run.waveforms
        value["circuit"] = _plain(measure(circuit, neuron))
    if settings.sides != "circuit":
        neuron = varied if settings.varies != "circuit" else base
        if neuron is base:
            reference = _nominal(job.base, settings.variant)
        else:
            reference = _reference(neuron, settings.variant)
        value["reference"] = _plain(measure(reference, neuron))
    if circuit is not None and reference is not None:
        value["pair"] = _plain(pair_measures(circuit, reference, varied))
    sides = {"circuit": circuit, "reference": reference}
    _keep(value, {k: w for k, w in sides.items() if w is not None}, settings, key)
    return value


def _run(neuron: Neuron, settings: Settings) -> Accurate:
    tool = _simulator(settings.simulator)
    judge = lru_cache(maxsize=1)(lambda: _judge(neuron))

    def once() -> Accurate:
        return run_accurately(neuron, tool, judge, timeout=settings.timeout)

    try:
        run = once()
        again = run.run.status is Status.CRASHED
    except SimulatorNotFound:
        raise
    except SimulatorError:
        again = True  # perhaps it was killed while it started
    if again:
        # Killed by somebody, for want of memory perhaps; if it is the netlist, it dies again.
        run = once()
    return run


def _judge(neuron: Neuron) -> SpikeJudge | None:
    """Return the equations' spikes and their error; None if they cannot be solved."""
    try:
        return spikes_of(solve_spike_judge(neuron))
    except IntegrationError:
        return None


def _references(job: Job) -> list[Value]:
    """Integrate many neurons at once; their traces are not kept."""
    from spicealif.reference import solve_references

    settings, start = job.settings, time.process_time()
    base = _base(job.base)
    values: dict[int, Value] = {}
    neurons: dict[int, Neuron] = {}
    for k, (_, changes) in enumerate(job.points):
        try:
            neurons[k] = base.replace(dict(changes))
        except Exception as error:
            values[k] = trouble(settings, error)
    # One thread: as many jobs as there are workers run at the same time.
    summaries = solve_references(list(neurons.values()), settings.variant, threads=1)
    for (k, neuron), summary in zip(neurons.items(), summaries, strict=True):
        if summary.error is not None:
            values[k] = _failed(settings, ERROR, summary.error)
            continue
        value: Value = {"status": OK, "reason": "", "experiment": settings.experiment}
        try:
            waveforms = summary.waveforms(neuron)
            value["reference"] = _plain(measure(waveforms, neuron))
            _keep(value, {"reference": waveforms}, settings, "")
        except Exception as error:
            value = trouble(settings, error)
        values[k] = value
    share = (time.process_time() - start) / len(job.points)
    return [values[k] | {"cpu_s": share} for k in range(len(job.points))]


def _keep(value: Value, sides: Mapping[str, Waveforms], settings: Settings, key: str) -> None:
    if settings.spikes:
        value["t_spike"] = {side: w.t_spike.tolist() for side, w in sides.items()}
    if settings.waveforms:
        try:
            Path(settings.waveforms).mkdir(parents=True, exist_ok=True)
            stamps = {}
            for side, waveforms in sorted(sides.items()):
                path = waveforms.save(Path(settings.waveforms) / f"{key}-{side}.nc")
                stamps[side] = stamp_of(path)
            value["waveforms"] = stamps
        except Exception as error:  # HDF5 has errors of many kinds for a disk that is full
            # The measures are there all the same; with room the same point is computed again.
            told = str(error) if isinstance(error, SpicealifError) else f"{type(error).__name__}."
            if isinstance(error, OSError) and error.strerror:
                told = f"{error.strerror}."
            value["reason"] = f"{UNKEPT} ({told.rstrip('.')}); free some space, and run this again."
            value[PASSING] = True


@lru_cache(maxsize=4)
def _base(text: str) -> Neuron:
    return parse_toml(text)


@lru_cache(maxsize=4)
def _nominal(text: str, variant: Variant) -> Waveforms:
    return _reference(_base(text), variant)


def _reference(neuron: Neuron, variant: Variant) -> Waveforms:
    from spicealif.reference import solve_reference

    return solve_reference(neuron, variant)


class _Tools(threading.local):
    """The simulators of a thread: some are not to be shared between threads."""

    def __init__(self) -> None:
        self.by_name: dict[str, Simulator] = {}


_TOOLS = _Tools()


def _simulator(name: str) -> Simulator:
    tool = _TOOLS.by_name.get(name)
    if tool is None:
        # It ends with its thread: whatever process it holds goes when it is collected.
        tool = _TOOLS.by_name[name] = get_simulator(name)
    return tool


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in figures.items()}


def serve() -> NoReturn:
    """Be a worker process: compute the jobs that come in, until there is nobody to send any.

    Jobs and lists of values are pickled, one after the other, on standard input and output.
    """
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What libraries print must not come between the answers.
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit)
    arrived: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(jobs, arrived), daemon=True).start()
    answers.write(f"spicealif {READY}\n".encode("ascii"))
    answers.flush()
    try:
        while True:
            job = arrived.get()
            try:
                values = evaluate(job)
            except Exception as error:
                values = failure(job, ERROR, f"{type(error).__name__}: {error}.")
            pickle.dump(values, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
    finally:
        for tool in _TOOLS.by_name.values():
            tool.close()
        os._exit(0)  # at once: taking the interpreter down takes as long as starting it


def _receive(jobs: IO[bytes], arrived: queue.SimpleQueue[Job]) -> None:
    """Take jobs in as they come, so that it is noticed at once when the parent is gone."""
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            arrived.put(pickle.load(jobs))
    # The main thread ends its simulator and takes its files away.
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


def _exit(number: int, frame: object) -> NoReturn:
    # Once: what is done on the way out must not be interrupted.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(1)

"""Drive the kernel of many neurons: jobs in, spike times and final states out, on some threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.design import Memristor, StimulusPieces
from spicealif.design.neuron import MAX_STEPS
from spicealif.errors import IntegrationError
from spicealif.reference import driver
from spicealif.reference.driver import KernelParameters, Variant

__all__ = ["Job", "Outcome", "run_jobs"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

# Rounds of two steps in one call of the kernel: some hundredths of a second, then Ctrl-C and
# progress get a turn.
ROUNDS = 50_000
# Spikes that a thread's list has room for before it must be emptied.
SPIKES = 65_536
# Neurons that a thread takes at once, at most; each call of the kernel costs some microseconds.
PORTION = 64
# Seconds between two calls of `progress`.
INTERVAL = 0.1


class _Stopped(Exception):
    """The calling thread wants no more."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One neuron to integrate: the arguments of `driver.integrate`.

    Attributes
    ----------
    params : KernelParameters
    pieces : StimulusPieces
        Its last time is the end of the run.
    variant : {"ideal", "schmitt"}
    h : float
        Largest step in s.
    """

    params: KernelParameters
    pieces: StimulusPieces
    variant: Variant
    h: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    t_spike : ndarray, shape (K,)
        Spike times in s.
    v_c, x, energy, v_c_peak, t : float
        Final state in V, 1 and J, largest v_c of the single kernel's rows in V, time reached in s.
    n_steps : int
    error : str or None
        The text of the `IntegrationError`.
    """

    t_spike: FloatArray
    v_c: float = math.nan
    x: float = math.nan
    energy: float = math.nan
    v_c_peak: float = math.nan
    t: float = 0.0
    n_steps: int = 0
    error: str | None = None


def run_jobs(
    jobs: Sequence[Job], threads: int, progress: Callable[[float], None] | None = None
) -> list[Outcome]:
    """Integrate every job.

    Parameters
    ----------
    jobs : sequence of Job
        In any order; those of similar length share the lanes.
    threads : int
        Threads to compute with, besides the calling one, which waits.
    progress : callable, optional
        Called by the calling thread with the fraction of the jobs that are done.

    Returns
    -------
    list of Outcome
        In the order of the jobs; no bit of one depends on the others or on `threads`.
    """
    outcomes: list[Outcome | None] = [None] * len(jobs)
    (in_lanes, alone) = (list[tuple[int, IntArray]](), list[int]())
    for number, job in enumerate(jobs):
        try:
            driver._check_parameters(job.params, job.variant)
            n_piece = driver._count_steps(job.pieces, float(job.pieces.t[-1]), job.h)
        except IntegrationError as error:
            outcomes[number] = Outcome(np.empty(0), error=str(error))
            continue
        if _fits(job):
            in_lanes.append((number, n_piece))
        else:
            alone.append(number)
    # The longest first, so that no thread is left with one at the end; those with sines together,
    # since a lane without pays for its neighbours' sines.
    in_lanes.sort(key=lambda entry: (-len(jobs[entry[0]].pieces.sines), -int(entry[1].sum())))
    block = _Block([jobs[number] for number, _ in in_lanes], [n_piece for _, n_piece in in_lanes])
    stop = threading.Event()

    def alone_job(number: int) -> None:
        outcomes[number] = _run_alone(jobs[number], stop)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        # more threads than full sets of lanes would only share the lanes out
        workers = min(threads, -(-len(in_lanes) // block.lanes))
        tasks = [pool.submit(block.work, stop, threads) for _ in range(workers)]
        tasks += [pool.submit(alone_job, number) for number in alone]
        try:
            waiting = set(tasks)
            while waiting:
                (_, waiting) = wait(waiting, timeout=INTERVAL)
                if progress is not None:
                    done = block.done + sum(outcomes[number] is not None for number in alone)
                    progress((done + len(jobs) - len(in_lanes) - len(alone)) / len(jobs))
        finally:
            stop.set()
    for task in tasks:
        task.result()
    for (number, _), outcome in zip(in_lanes, block.outcomes(), strict=True):
        outcomes[number] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _fits(job: Job) -> bool:
    """Return whether the lanes' exponential and sine reach as far as the job needs."""
    from spicealif.reference import batch_lanes, batch_step

    (leak, sines) = (job.params.leak, job.pieces.sines)
    if isinstance(leak, Memristor):
        log_k = (leak.v_on + leak.v_off) / job.params.thermal_voltage
        if not abs(log_k) <= batch_lanes.LOG_K_LIMIT:
            return False
    if len(sines) == 0:
        return True
    angle = 2.0 * math.pi * np.abs(sines[:, 1]) * float(job.pieces.t[-1]) + np.abs(sines[:, 2])
    return len(sines) <= batch_step.MAX_SINES and bool(np.all(angle <= batch_step.MAX_ANGLE))


def _run_alone(job: Job, stop: threading.Event) -> Outcome:
    """Integrate one job by the single kernel."""

    def turn(_: float) -> None:
        if stop.is_set():
            raise _Stopped

    try:
        result = driver.integrate(
            job.params,
            job.pieces,
            variant=job.variant,
            t_stop=float(job.pieces.t[-1]),
            h=job.h,
            progress=turn,
        )
    except (IntegrationError, _Stopped) as error:
        return Outcome(np.empty(0), error=str(error) or "The integration was stopped.")
    return Outcome(
        t_spike=result.t_spike,
        v_c=float(result.v_c[-1]),
        x=0.0 if result.x is None else float(result.x[-1]),
        energy=float(result.energy[-1]),
        v_c_peak=float(result.v_c.max()),
        t=float(result.time[-1]),
        n_steps=result.n_steps,
    )


class _Block:
    """The jobs that the lanes take, as the kernel wants them, and the results."""

    def __init__(self, jobs: Sequence[Job], n_pieces: Sequence[IntArray]) -> None:
        from spicealif.reference import batch_kernel, batch_lanes, batch_step

        self.lanes = batch_step.LANES
        (self._kernel, self._of) = (batch_kernel, batch_lanes)
        self._size = len(jobs)
        self._next = 0
        self._lock = threading.Lock()
        self._spikes: list[FloatArray] = []
        self._ends = np.zeros((len(jobs), batch_lanes.N_ENDS))
        self._ends[:, batch_lanes.END_STATUS] = batch_lanes.RUNNING
        par = [
            [*driver._kernel_parameters(job.params, job.variant, job.h), *_start(job.params)]
            for job in jobs
        ]
        pieces = [
            np.column_stack(
                (
                    job.pieces.t,
                    np.append(job.pieces.i, 0.0),
                    np.append(job.pieces.slope, 0.0),
                    np.append(n_piece, 0.0),
                )
            )
            for job, n_piece in zip(jobs, n_pieces, strict=True)
        ]
        # the kernel wants angular frequencies
        sines = [job.pieces.sines * [1.0, 2.0 * math.pi, 1.0, 1.0] for job in jobs]
        self._tables = (
            np.array(par, dtype=np.float64),
            _joined(pieces),
            _joined(sines),
            np.column_stack((_starts(pieces), _starts(sines))),
            self._ends,
        )

    @property
    def done(self) -> int:
        """How many jobs are done."""
        return int(np.count_nonzero(self._ends[:, self._of.END_STATUS] != self._of.RUNNING))

    def work(self, stop: threading.Event, threads: int) -> None:
        """Integrate, in lanes of this thread's own, until no job is left."""
        (kernel, of) = (self._kernel, self._of)
        (flags, words, w, ints) = of.new_lanes()
        spikes = np.empty((SPIKES, 2))
        control = np.zeros(of.N_CONTROL, dtype=np.int64)
        queue = self._take(self.lanes, threads)
        status = kernel.MOVED
        while (status != kernel.DONE or queue.size > 0) and not stop.is_set():
            more = self._next < self._size
            arrays = (flags, words, w, ints, *self._tables, spikes, control)
            status = kernel.advance(queue, ROUNDS, more, *arrays, 2 * int(MAX_STEPS))
            if control[of.TAKEN] == queue.size:
                queue = self._take(self.lanes - int(control[of.BUSY]), threads)
                control[of.TAKEN] = 0
            listed = int(control[of.LISTED])
            if status == kernel.DONE or listed > SPIKES // 2:
                with self._lock:
                    self._spikes.append(spikes[:listed].copy())
                control[of.LISTED] = 0

    def outcomes(self) -> list[Outcome]:
        """Return the results in the order of the jobs."""
        of = self._of
        (neuron, time) = np.concatenate([np.empty((0, 2)), *self._spikes]).T
        # a neuron stays in one thread, and there its spikes are in order
        time = time[np.argsort(neuron, kind="stable")]
        last = np.cumsum(self._ends[:, of.END_SPIKES].astype(np.int64))
        spikes = np.split(time, last[:-1]) if self._size else []
        return [
            self._outcome(row, t_spike) for row, t_spike in zip(self._ends, spikes, strict=True)
        ]

    def _outcome(self, row: FloatArray, t_spike: FloatArray) -> Outcome:
        of = self._of
        (v_c, x, energy, peak, t, status, n_steps, _) = row.tolist()
        error = None
        if status != of.FINISHED:
            error = _reason(status == of.STALLED, v_c, int(n_steps), t)
        return Outcome(t_spike, v_c, x, energy, peak, t, int(n_steps), error)

    def _take(self, idle: int, threads: int) -> IntArray:
        """Return the next jobs for a thread with so many idle lanes, none if none is left."""
        with self._lock:
            first = self._next
            # near the end only what is needed at once, so that all threads end together
            share = min(PORTION, (self._size - first) // (4 * threads))
            self._next = min(first + max(idle, share), self._size)
            return np.arange(first, self._next)


def _reason(stalled: bool, v_c: float, n_steps: int, t: float) -> str:
    """Return the single kernel's words for an integration that cannot go on."""
    fs = np.array([v_c, 0.0, 0.0])
    ns = np.array([0] * 8 + [n_steps], dtype=np.int64)
    try:
        driver._check_progress(stalled, fs, ns, t)
    except IntegrationError as error:
        return str(error)
    return f"The integration was stopped at t = {t:g} s."


def _start(params: KernelParameters) -> tuple[float, float]:
    """Return (v_c, x) at t = 0."""
    return params.v_c_0, params.x_0 if isinstance(params.leak, Memristor) else 0.0


def _joined(tables: list[FloatArray]) -> FloatArray:
    """Return tables of four columns one below the other."""
    return np.concatenate([np.empty((0, 4)), *tables])


def _starts(tables: list[FloatArray]) -> IntArray:
    """Return the row at which each table begins in the joined one, and the end."""
    return np.cumsum([0, *map(len, tables)], dtype=np.int64)

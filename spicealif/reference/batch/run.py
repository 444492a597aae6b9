"""Drive the kernel of many neurons: jobs in, spike times and final states out, on some threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from spicealif.design import Memristor, MemristorModel, StimulusPieces
from spicealif.design._working import MAX_STEPS
from spicealif.errors import IntegrationError
from spicealif.reference import driver
from spicealif.reference.driver import KernelParameters, Variant
from spicealif.reference.steps import count_steps

if TYPE_CHECKING:
    from spicealif.reference.batch.columns import Tables

__all__ = ["Job", "Outcome", "failure", "run_jobs", "run_tables"]

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
    (in_lanes, alone) = (list[int](), list[int]())
    for number, job in enumerate(jobs):
        (in_lanes if _fits(job) else alone).append(number)
    # The longest first, so that no thread is left with one at the end; those with sines together,
    # since a lane without pays for its neighbours' sines.
    in_lanes.sort(key=lambda number: _cost(jobs[number]), reverse=True)
    block = _Block([jobs[number] for number in in_lanes])
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
    for number, outcome in zip(in_lanes, block.outcomes(), strict=True):
        outcomes[number] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _cost(job: Job) -> tuple[int, float]:
    """Return number of sines and about the number of steps."""
    return len(job.pieces.sines), float(job.pieces.t[-1]) / job.h if job.h > 0.0 else 0.0


def _fits(job: Job) -> bool:
    """Return whether the lanes' exponential and sine reach as far as the job needs."""
    from spicealif.reference.batch import lanes as batch_lanes
    from spicealif.reference.batch import step as batch_step

    (leak, sines) = (job.params.leak, job.pieces.sines)
    if isinstance(leak, MemristorModel) and not isinstance(leak, Memristor):
        return False  # the lanes know the MMS model and the resistor
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


class _Lanes:
    """Neurons as the kernel wants them, and the results; the base of `_Block` and `_Columns`."""

    def __init__(self, n: int) -> None:
        from spicealif.reference.batch import kernel as batch_kernel
        from spicealif.reference.batch import lanes as batch_lanes
        from spicealif.reference.batch import step as batch_step

        self.lanes = batch_step.LANES
        (self._kernel, self._of) = (batch_kernel, batch_lanes)
        self._n = n
        self._next = 0
        self._lock = threading.Lock()
        self._spikes: list[FloatArray] = []
        self.ends = np.zeros((n, batch_lanes.N_ENDS))
        self.ends[:, batch_lanes.END_STATUS] = batch_lanes.RUNNING
        self._first = np.zeros((n + 1, 2), dtype=np.int64)
        self._par = np.empty((n, batch_lanes.N_PAR))
        self._pieces = np.zeros((0, 4))
        self._sines = np.empty((0, 4))

    @property
    def tables(self) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]:
        """The kernel's par, pieces, sines, first and ends."""
        return self._par, self._pieces, self._sines, self._first, self.ends

    @property
    def done(self) -> int:
        """How many jobs are done."""
        return int(np.count_nonzero(self.ends[:, self._of.END_STATUS] != self._of.RUNNING))

    def work(self, stop: threading.Event, threads: int) -> None:
        """Integrate, in lanes of this thread's own, until no job is left."""
        (kernel, of) = (self._kernel, self._of)
        (flags, words, w, ints) = of.new_lanes()
        spikes = np.empty((SPIKES, 2))
        control = np.zeros(of.N_CONTROL, dtype=np.int64)
        queue = self._take(self.lanes, threads)
        (status, more) = (kernel.MOVED, self._next < self._n)
        while (status != kernel.DONE or queue.size > 0 or more) and not stop.is_set():
            arrays = (flags, words, w, ints, *self.tables, spikes, control)
            status = kernel.advance(queue, ROUNDS, more, *arrays, 2 * int(MAX_STEPS))
            if control[of.TAKEN] == queue.size:
                queue = self._take(self.lanes - int(control[of.BUSY]), threads)
                (control[of.TAKEN], more) = (0, self._next < self._n)
            listed = int(control[of.LISTED])
            if status == kernel.DONE or listed > SPIKES // 2:
                with self._lock:
                    self._spikes.append(spikes[:listed].copy())
                control[of.LISTED] = 0

    def _ready(self, begin: int, end: int) -> IntArray:
        """Return which of these neurons are to be integrated, their rows being written."""
        return np.arange(begin, end, dtype=np.int64)

    def times(self) -> tuple[FloatArray, IntArray]:
        """Return the spike times of all neurons, one after the other, and how many each has."""
        of = self._of
        counts = self.ends[:, of.END_SPIKES].astype(np.int64)
        last = np.cumsum(counts)
        time = np.empty(last[-1] if last.size else 0)
        place = np.append(0, last[:-1])
        for part in self._spikes:
            # a neuron stays in one thread, and there its spikes are in order
            self._kernel.distribute(part, place, time)
        return time, counts

    def _take(self, idle: int, threads: int) -> IntArray:
        """Return the next jobs for a thread with so many idle lanes, none if none is left."""
        with self._lock:
            begin = self._next
            # near the end only what is needed at once, so that all threads end together
            share = min(PORTION, (self._n - begin) // (4 * threads))
            self._next = min(begin + max(idle, share), self._n)
            end = self._next
        # While this thread does so, the others compute.
        return self._ready(begin, end)


class _Block(_Lanes):
    """The jobs that the lanes take; each is written into the tables when its turn comes."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        super().__init__(len(jobs))
        self._jobs = jobs
        self._refused: dict[int, str] = {}
        sizes = [(0, 0), *((len(job.pieces.t), len(job.pieces.sines)) for job in jobs)]
        self._first = np.cumsum(sizes, axis=0, dtype=np.int64)
        self._pieces = np.zeros((self._first[-1, 0], 4))
        self._sines = np.empty((self._first[-1, 1], 4))

    def fill(self, r: int) -> bool:
        """Write job r into the tables; return whether it makes sense."""
        (job, of) = (self._jobs[r], self._of)
        try:
            driver._check_parameters(job.params, job.variant)
            n_piece = count_steps(job.params, job.pieces, float(job.pieces.t[-1]), job.h)
        except IntegrationError as error:
            self._refused[r] = str(error)
            self.ends[r, of.END_STATUS] = of.FINISHED
            return False
        memristor = isinstance(job.params.leak, MemristorModel)
        self._par[r, : of.START_V] = driver._kernel_parameters(job.params, job.variant, job.h)
        self._par[r, of.START_V] = job.params.v_c_0
        self._par[r, of.START_X] = job.params.x_0 if memristor else 0.0
        (k, u) = self._first[r].tolist()
        rows = self._pieces[k : k + len(job.pieces.t)]
        rows[:, of.TIME] = job.pieces.t
        rows[:-1, of.CURRENT] = job.pieces.i
        rows[:-1, of.SLOPE] = job.pieces.slope
        rows[:-1, of.STEPS_IN] = n_piece
        if len(job.pieces.sines) > 0:
            # the kernel wants angular frequencies
            turn = [1.0, 2.0 * math.pi, 1.0, 1.0]
            self._sines[u : u + len(job.pieces.sines)] = job.pieces.sines * turn
        return True

    def _ready(self, begin: int, end: int) -> IntArray:
        return np.array([r for r in range(begin, end) if self.fill(r)], dtype=np.int64)

    def outcomes(self) -> list[Outcome]:
        """Return the results in the order of the jobs."""
        time, counts = self.times()
        spikes = np.split(time, np.cumsum(counts)[:-1]) if counts.size else []
        return [self._outcome(r, t_spike) for r, t_spike in enumerate(spikes)]

    def _outcome(self, r: int, t_spike: FloatArray) -> Outcome:
        if r in self._refused:
            return Outcome(t_spike, error=self._refused[r])
        (v_c, x, energy, peak, t, _, n_steps, _) = self.ends[r].tolist()
        error = failure(self.ends[r])
        return Outcome(t_spike, v_c, x, energy, peak, t, int(n_steps), error)


class _Columns(_Lanes):
    """Neurons whose rows are all there."""

    def __init__(self, made: Tables) -> None:
        super().__init__(len(made.par))
        self._par, self._pieces = made.par, made.pieces
        self._sines, self._first = made.sines, made.first


def run_tables(
    made: Tables, threads: int, progress: Callable[[float], None] | None = None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Integrate neurons that are columns.

    Parameters
    ----------
    made : Tables
        All of which fit the lanes.
    threads, progress
        As in `run_jobs`.

    Returns
    -------
    ends : ndarray, shape (n, N_ENDS)
        What became of each, see `lanes`.
    times : ndarray
        Spike times in s, one neuron after the other.
    counts : ndarray, shape (n,)
        How many of these each has.
    """
    block = _Columns(made)
    stop = threading.Event()
    workers = min(threads, -(-len(made.par) // block.lanes))
    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        waiting = {pool.submit(block.work, stop, threads) for _ in range(workers)}
        tasks = list(waiting)
        try:
            while waiting:
                (_, waiting) = wait(waiting, timeout=INTERVAL)
                if progress is not None:
                    progress(block.done / len(made.par))
        finally:
            stop.set()
    for task in tasks:
        task.result()
    return block.ends, *block.times()


def failure(ends: FloatArray) -> str | None:
    """Return why a neuron's integration did not reach its end, from its row of ends."""
    from spicealif.reference.batch import lanes as of

    (v_c, _, _, _, t, status, n_steps, _) = ends.tolist()
    return None if status == of.FINISHED else _reason(status == of.STALLED, v_c, int(n_steps), t)


def _reason(stalled: bool, v_c: float, n_steps: int, t: float) -> str:
    """Return the single kernel's words for an integration that cannot go on."""
    fs = np.array([v_c, 0.0, 0.0])
    ns = np.array([0] * 8 + [n_steps], dtype=np.int64)
    try:
        driver._check_progress(stalled, fs, ns, t)
    except IntegrationError as error:
        return str(error)
    return f"The integration was stopped at t = {t:g} s."

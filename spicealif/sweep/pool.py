"""Handing jobs to an executor, and what becomes of jobs whose worker dies.

Our own workers are programs that this process starts and talks to over pipes, each with a thread
here that waits for it. Python's own pools would ask for more: that the user's script can be
imported a second time, that nobody kills this process (their workers would then wait for ever), and
that no worker dies (all of them would be given up). Here a worker that dies takes one job with it,
which is tried again point by point; a pipe that closes tells a worker that this process is gone.
"""

from __future__ import annotations

import contextlib
import math
import pickle
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import replace
from typing import Any

from spicealif._support.cores import usable_cores
from spicealif.errors import SweepError
from spicealif.sweep._process import WorkerProcess
from spicealif.sweep.worker import PASSING, READY, Job, Value, evaluate, failure, lost

__all__ = ["CRASHED", "Pool", "batch_size", "run_jobs", "width"]

#: Status of points whose worker process died with them, twice; as trouble of the machine it is not
#: kept, so that the same experiment run again tries once more.
CRASHED = "CRASHED"
#: More processes than any machine has cores for.
_MOST_WORKERS = 4096
#: Jobs handed over and not yet done, for each worker: enough to keep all busy, few to lose.
_AHEAD = 2
#: Points of a job that computes many at once, at most.
_BATCH = 256
#: Seconds between two looks at what runs.
_LOOK = 0.2
#: How often a worker is started that was killed before it could say that it is ready.
_STARTS = 3


def batch_size(points: int, executor: Executor | None, workers: int | None) -> int:
    """Return how many points a job should have: many at once, but work for every worker."""
    return max(1, min(_BATCH, math.ceil(points / (_AHEAD * width(executor, workers)))))


class Pool:
    """Worker processes of our own, each made anew when it has died.

    Parameters
    ----------
    workers : int or None
        Number of processes, started as they are needed; the usable cores if not given.

    Raises
    ------
    SweepError
        If the number makes no sense.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = width(None, workers)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="spicealif-sweep")
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._processes: set[WorkerProcess] = set()
        self._closed = False
        #: Why no process can be started; found out once for all jobs.
        self._trouble: SweepError | None = None

    def submit(self, job: Job) -> Future[list[Value]]:
        """Hand over a job; its future raises `SweepError` if no worker can be started."""
        return self._threads.submit(self._compute, job)

    def close(self, *, kill: bool) -> None:
        """End the processes, at once or when they have done their jobs."""
        self._threads.shutdown(wait=not kill, cancel_futures=kill)
        with self._lock:
            self._closed = True
            processes = list(self._processes)
        # First all are told, then all are waited for.
        for process in processes:
            process.hang_up()
        for process in processes:
            process.end()
        self._threads.shutdown(wait=True)
        for process in processes:
            process.forget()

    def _compute(self, job: Job) -> list[Value]:
        values = self._attempt(job)
        if values is not None:
            return values
        # The process died. Tried one by one, the point that kills its worker is the culprit, and
        # the others lose nothing but time.
        values = []
        for point in job.points:
            one = replace(job, points=(point,))
            again = self._attempt(one)
            if again is None:
                how = self._of_thread.ending
                reason = f"The worker process {how} while it computed this point, twice."
                again = [v | {PASSING: True} for v in failure(one, CRASHED, reason)]
            values += again
        return values

    def _attempt(self, job: Job) -> list[Value] | None:
        """Return a job's values; None if its process died with it."""
        process: WorkerProcess | None = getattr(self._of_thread, "process", None)
        if process is None or not process.alive():
            self._discard(process)
            process = self._of_thread.process = self._start()
        try:
            return process.ask(job)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._of_thread.process = None
            self._discard(process)
            self._of_thread.ending = process.ending
            if self._closed:
                raise CancelledError from None
            return None

    def look(self) -> None:
        """End the processes that were stopped and do not go on; to be called often."""
        with self._lock:
            processes = list(self._processes)
        for process in processes:
            process.look()

    def _start(self) -> WorkerProcess:
        word = ""
        for _ in range(_STARTS):
            with self._lock:
                if self._closed:
                    raise CancelledError
                if self._trouble is not None:
                    raise self._trouble
                process = WorkerProcess()
                self._processes.add(process)
            word = process.first_word()
            if word == READY:
                return process
            self._discard(process)
            if self._closed:
                raise CancelledError
            if not process.killed:  # by whomever, for want of memory perhaps
                break
        self._trouble = SweepError(
            f"A worker process does not start ({word}); install spicealif again, or give an "
            "executor of your own, such as concurrent.futures.ThreadPoolExecutor()."
        )
        raise self._trouble

    def _discard(self, process: WorkerProcess | None) -> None:
        if process is not None:
            process.end()
            process.forget()
            with self._lock:
                self._processes.discard(process)


def run_jobs(
    jobs: Iterable[Job],
    executor: Executor | None,
    workers: int | None,
    look: Callable[[], None],
) -> Generator[tuple[Job, list[Value]], None, None]:
    """Compute jobs, in whatever order they get done.

    Parameters
    ----------
    jobs : iterable of Job
        Taken as they are needed.
    executor : Executor or None
        Who computes them; processes of our own if None.
    workers : int or None
        Number of our own processes, or how many jobs a foreign executor does at a time.
    look : callable
        Called a few times a second.

    Yields
    ------
    Job, list of dict
        Each job once, with a value for each of its points.

    Raises
    ------
    SweepError
        If a foreign executor is broken or takes no more work, after everything that it did do was
        given; or if our own processes cannot be started.
    """
    work = _Work(jobs, executor, workers)
    finished = False
    try:
        while work.fill():
            done, _ = wait(work.pending, _LOOK, FIRST_COMPLETED)
            work.look()
            look()
            for future in done:
                yield from work.take(future)
        if work.trouble is not None:
            raise work.trouble
        finished = True
    finally:
        work.close(kill=not finished)


class _Work:
    """Jobs on their way through an executor."""

    def __init__(self, jobs: Iterable[Job], executor: Executor | None, workers: int | None) -> None:
        self.queue, self.executor = iter(jobs), executor
        self.room = _AHEAD * width(executor, workers)
        self.pool = Pool(workers) if executor is None else None
        self.pending: dict[Future[list[Value]], Job] = {}
        #: Why no more jobs are handed over; those under way are still waited for.
        self.trouble: SweepError | None = None

    def fill(self) -> bool:
        """Hand over jobs while there is room; return whether any are under way."""
        while self.trouble is None and len(self.pending) < self.room:
            job = next(self.queue, None)
            if job is None:
                break
            try:
                self.pending[self._submit(job)] = job
            except SweepError as error:
                self.trouble = error
        return bool(self.pending)

    def take(self, future: Future[list[Value]]) -> Iterator[tuple[Job, list[Value]]]:
        """Give the result of a job that is done, unless it shows that the executor is broken."""
        job = self.pending.pop(future)
        try:
            values = _result(future, job)
        except SweepError as error:
            self.trouble = self.trouble or error
        else:
            yield job, values

    def look(self) -> None:
        """See to our processes."""
        if self.pool is not None:
            self.pool.look()

    def close(self, *, kill: bool) -> None:
        """End our processes; leave a foreign executor without work of ours."""
        for future in self.pending:
            future.cancel()
        if self.pool is not None:
            self.pool.close(kill=kill)

    def _submit(self, job: Job) -> Future[list[Value]]:
        if self.pool is not None:
            return self.pool.submit(job)
        assert self.executor is not None
        try:
            return self.executor.submit(evaluate, job)
        except RuntimeError as error:  # a BrokenExecutor is one
            raise SweepError(
                f"The executor takes no more work ({error}); what was done is stored: run the "
                "same again with a new one."
            ) from None


def _result(future: Future[list[Value]], job: Job) -> list[Value]:
    try:
        return future.result()
    except SweepError:
        raise
    except BrokenExecutor as error:
        raise SweepError(
            f"The executor broke ({error}); what was done is stored: run the same again with a "
            "new one."
        ) from None
    except CancelledError:
        return lost(job, "It was cancelled before it was computed.")
    except Exception as error:
        # Whatever an executor raises, of a lost machine for example.
        return lost(job, f"{type(error).__name__}: {error}.")


def width(executor: Executor | None, workers: int | None) -> int:
    """Return how many jobs an executor does at a time, as far as it tells."""
    if workers is not None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise SweepError(f"The number of workers is {workers}; give 1 or more.")
        if workers > _MOST_WORKERS:
            raise SweepError(f"The number of workers is {workers}; give at most {_MOST_WORKERS}.")
        return workers
    if executor is None:
        return usable_cores()
    told: Any = getattr(executor, "_max_workers", None)
    if told is None:
        with contextlib.suppress(Exception):  # Dask's knows its cluster
            told = sum(executor._client.nthreads().values())  # type: ignore[attr-defined]
    return told if isinstance(told, int) and told > 0 else 4 * usable_cores()

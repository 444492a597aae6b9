"""Handing jobs to an executor, and what becomes of jobs whose worker dies.

The pool of our own is `concurrent.futures.ProcessPoolExecutor`, which breaks as a whole when one
of its processes dies. Then every job that was under way is tried again by itself in a new pool: the
one that kills its worker again is the culprit and fails, the others lose nothing but time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import Any

from spicealif.errors import SweepError
from spicealif.sweep.worker import ERROR, Job, Value, evaluate, failure

__all__ = ["CRASHED", "Pool", "run_jobs", "usable_cores"]

#: Status of points whose worker process died with them, twice.
CRASHED = "CRASHED"
#: Jobs handed over and not yet done, for each worker: enough to keep all busy, few to lose.
_AHEAD = 2
#: Seconds between two looks at what runs.
_LOOK = 0.2


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


class Pool:
    """Worker processes of our own, made anew when one of them has died.

    Parameters
    ----------
    workers : int or None
        Number of processes; the usable cores if not given.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and (isinstance(workers, bool) or not workers >= 1):
            raise SweepError(f"The number of workers is {workers}; give 1 or more.")
        self.workers = workers or usable_cores()
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, job: Job) -> Future[list[Value]]:
        """Hand over a job."""
        if self._executor is None:
            if multiprocessing.parent_process() is not None:
                raise SweepError(
                    "A worker process was asked to start workers of its own; put what starts the "
                    'experiment under if __name__ == "__main__": in your script.'
                )
            self._executor = ProcessPoolExecutor(
                self.workers, mp_context=_context(), initializer=_ignore_interrupts
            )
        return self._executor.submit(evaluate, job)

    def restart(self) -> None:
        """Give up the processes; the next job gets new ones."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        # Python 3.14 has kill_workers(); before, the processes are to be had this way only.
        processes = list((getattr(executor, "_processes", None) or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                process.kill()
        for process in processes:
            with contextlib.suppress(OSError, ValueError, AssertionError):
                process.join(5)

    def close(self, *, kill: bool) -> None:
        """End the processes, at once or when they are idle."""
        if kill:
            self.restart()
        elif self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None


def run_jobs(
    jobs: Iterable[Job],
    executor: Executor | None,
    workers: int | None,
    look: Callable[[], None],
) -> Iterator[tuple[Job, list[Value]]]:
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
        If a foreign executor is broken.
    """
    work = _Work(iter(jobs), executor, workers)
    try:
        while work.fill():
            done, _ = wait(work.pending, _LOOK, FIRST_COMPLETED)
            look()
            for future in done:
                yield from work.take(future)
            yield from work.mend()
        work.finished = True
    finally:
        work.close()


class _Work:
    """Jobs on their way through an executor."""

    def __init__(
        self, queue: Iterator[Job], executor: Executor | None, workers: int | None
    ) -> None:
        self.queue, self.executor = queue, executor
        self.pool = Pool(workers) if executor is None else None
        width = self.pool.workers if self.pool is not None else _width(executor, workers)
        self.room = width * _AHEAD
        self.pending: dict[Future[list[Value]], Job] = {}
        #: Jobs that were under way when a worker died, to be tried one at a time.
        self.suspects: deque[Job] = deque()
        self.alone = False
        self.broken: list[Job] = []
        self.finished = False

    def fill(self) -> bool:
        """Hand over jobs while there is room; return whether any are under way."""
        while len(self.pending) < (1 if self.suspects else self.room):
            self.alone = bool(self.suspects)
            job = self.suspects.popleft() if self.suspects else next(self.queue, None)
            if job is None:
                break
            if self.pool is not None:
                self.pending[self.pool.submit(job)] = job
            else:
                self.pending[self._foreign(job)] = job
            if self.alone:
                break
        return bool(self.pending)

    def take(self, future: Future[list[Value]]) -> Iterator[tuple[Job, list[Value]]]:
        """Give the result of a job that is done, unless its worker died."""
        job = self.pending.pop(future)
        try:
            values = future.result()
        except BrokenExecutor as error:
            if self.pool is None:
                raise SweepError(
                    f"The executor broke ({error}); what was done is stored: run the same again "
                    "with a new one."
                ) from None
            self.broken.append(job)
            return
        except CancelledError:
            values = failure(job, ERROR, "It was cancelled before it was computed.")
        except Exception as error:
            # Whatever an executor raises, of a lost machine for example.
            values = failure(job, ERROR, f"{type(error).__name__}: {error}.")
        yield job, values

    def mend(self) -> Iterator[tuple[Job, list[Value]]]:
        """After the death of a worker: find the job that kills it."""
        if not self.broken or self.pool is None:
            return
        broken = [*self.broken, *self.pending.values()]
        self.broken.clear()
        self.pending.clear()
        self.pool.restart()
        if self.alone and len(broken) == 1:
            reason = "The worker process died while it computed this point, twice."
            yield broken[0], failure(broken[0], CRASHED, reason)
        else:
            self.suspects.extend(one for job in broken for one in _singles(job))

    def close(self) -> None:
        """End our processes; leave a foreign executor without work of ours."""
        if self.pool is not None:
            self.pool.close(kill=not self.finished)
        for future in self.pending:
            future.cancel()

    def _foreign(self, job: Job) -> Future[list[Value]]:
        assert self.executor is not None
        try:
            return self.executor.submit(evaluate, job)
        except RuntimeError as error:
            raise SweepError(
                f"The executor takes no more work ({error}); what was done is stored: run the "
                "same again with a new one."
            ) from None


def _singles(job: Job) -> Iterator[Job]:
    for point in job.points:
        yield Job(job.base, job.settings, (point,))


def _width(executor: Executor | None, workers: int | None) -> int:
    """Return how many jobs an executor does at a time, as far as it tells."""
    told: Any = workers or getattr(executor, "_max_workers", None)
    return told if isinstance(told, int) and told > 0 else 4 * usable_cores()


def _context() -> multiprocessing.context.BaseContext:
    # Not by fork: this process may have threads, and numba's and ngspice's do not survive it.
    methods = multiprocessing.get_all_start_methods()
    if "forkserver" not in methods:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spicealif.sweep.worker"])
    return context


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

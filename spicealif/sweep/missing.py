"""Computing what a store does not have yet: each result is kept as soon as it is there.

Whatever is computed point by point (designs of a neuron, networks, cells of a study) has a key for
each point and jobs that say how they are computed; all else is here, once for all of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from concurrent.futures import Executor
from typing import TypeAlias, TypeVar

from spicealif._support.kept import tell
from spicealif.sweep.pool import run_jobs
from spicealif.sweep.store import Store, default_store
from spicealif.sweep.worker import OK, PASSING, Job, Value

__all__ = ["Progress", "compute_missing", "opened"]

#: Called with the points done (stored ones included), all points, and the failed ones among them.
Progress: TypeAlias = Callable[[int, int, int], None]

_T = TypeVar("_T")


@contextlib.contextmanager
def opened(store: Store | str | os.PathLike[str] | None) -> Iterator[Store]:
    """Give a store, or that of a folder (`default_store` if None), which is closed at the end."""
    if isinstance(store, Store):
        yield store
        return
    own = Store(store or default_store())
    try:
        yield own
    finally:
        own.close()


def compute_missing(
    asked: Mapping[str, _T],
    values: MutableMapping[str, Value],
    store: Store,
    jobs: Callable[[Mapping[str, _T]], Iterable[Job]],
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Compute the points that have no value yet, each key once, into `values` and the store.

    Parameters
    ----------
    asked : mapping of str to object
        All points: for each key what its job is made of.
    values : mutable mapping of str to dict
        What is there already; has a value for each key afterwards.
    store : Store
        Takes each result as soon as it is there, but for trouble that was the machine's. What is
        interrupted, by Ctrl-C or an executor that breaks, loses nothing that was done.
    jobs : callable
        Makes jobs of the points that are missing, taken as they are needed; not called if none is.
    executor, workers
        See `run_jobs`.
    progress : callable, optional
        See `Progress`; called before the first and after the last point, and in between a few times
        a second.

    Raises
    ------
    SweepError
        See `run_jobs`.

    Warns
    -----
    SpicealifWarning
        Once, as soon as results can no longer be kept.
    """
    missing = {key: what for key, what in asked.items() if key not in values}
    failed = sum(value["status"] != OK for value in values.values())

    def look() -> None:
        if progress is not None:
            progress(len(values), len(asked), failed)

    look()
    if not missing:
        return
    store.prepare()
    told = _tell_trouble(store, False)
    # Closed here and not whenever it is collected: it holds the worker processes.
    with contextlib.closing(run_jobs(jobs(missing), executor, workers, look)) as done:
        for job, results in done:
            for (key, _), value in zip(job.points, results, strict=True):
                if not value.pop(PASSING, False):
                    store.put(key, value)
                values[key] = value
                failed += value["status"] != OK
            told = _tell_trouble(store, told)
    look()


def _tell_trouble(store: Store, told: bool) -> bool:
    """Tell once that results are not kept, when it is found and not when all is over."""
    if store.trouble and not told:
        tell(store.trouble)
    return bool(store.trouble)

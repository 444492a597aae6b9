"""Studies: all methods over all splits, each cell computed once and kept.

The pool of processes and the store are those of sweeps: a worker that dies takes one cell with it,
every result is a line with its own digest, and a study that was stopped or killed goes on where it
was. A job holds the readouts of one stage on one split, so that the bank runs once for them.

A cell's key holds what the cell depends on and no more: that of a classical method knows nothing of
the bank, so that another bank computes the bank's own cells anew and leaves the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from spicealif._support.cache import digest_of, source_digest
from spicealif.design import load_preset
from spicealif.errors import LearningError
from spicealif.learning._names import SERIES_ONLY, stage_of
from spicealif.learning.datasets import Dataset, dataset_names
from spicealif.learning.runs import version_of_backend
from spicealif.learning.study_cells import Cell
from spicealif.learning.study_result import StudyResult
from spicealif.learning.task import Task
from spicealif.learning.task_files import dump_task, load_task, parse_task
from spicealif.sweep.missing import Progress, compute_missing, opened
from spicealif.sweep.pool import width
from spicealif.sweep.store import Store
from spicealif.sweep.worker import OK, PASSING, Job, Settings, Value, trouble

__all__ = ["check_methods", "run_study"]

#: What the cells of every method depend on, and those of a bank beside it.
_SOURCES = tuple(
    f"learning/{name}"
    for name in ("_models.py", "methods.py", "splits.py", "datasets")
)  # fmt: skip
_OF_BANK = (
    *(
        f"learning/{name}.py"
        for name in (
            *("bank", "bank_checks", "runs", "control", "encoding", "features", "inputs"),
            *("neurons", "stage"),
        )
    ),
    "bank", "reference", "circuit", "design", "quantities",
    "sweep/space.py", "sweep/tolerances.py",
)  # fmt: skip
#: Of a bank that a simulator solves.
_OF_SIMULATOR = ("netlist", "simulators", "rawfile", "waveforms.py", "measures/one_side.py")
_PACKAGES = ("scikit-learn", "numpy", "scipy")


@dataclass(frozen=True)
class _StudyJob(Job):
    """Cells of one split whose methods read the same stage: `base` is the task as TOML.

    Attributes
    ----------
    digest : str
        Of the data that the cells' keys are of.
    """

    digest: str = field(kw_only=True)

    def evaluate(self) -> list[Value]:
        """Compute the cells; the trouble of one is not the others'."""
        from spicealif.learning.methods import outcomes
        from spicealif.learning.splits import split_of

        cells = [changes for _, changes in self.points]
        try:
            task = _task(self.base)
            dataset = _data(self.base, self.digest)
            if dataset.digest != self.digest:
                raise LearningError("The data changed while the study ran; run it again.")
        except Exception as error:  # whoever handed over the job could read them: not kept
            return [trouble(self.settings, error) | {PASSING: True} for _ in cells]
        try:
            split = split_of(task, dataset, int(cells[0]["seed"]))
            found: Mapping[str, Any] = outcomes(
                task, dataset, split, [str(cell["method"]) for cell in cells]
            )
        except Exception as error:
            return [trouble(self.settings, error) for _ in cells]
        values = []
        for cell in cells:
            one = found[str(cell["method"])]
            if isinstance(one, Exception):
                values.append(trouble(self.settings, one))
                continue
            values.append(
                {
                    "status": OK, "reason": "", "experiment": self.settings.experiment,
                    "method": cell["method"], "seed": cell["seed"],
                    "n_train": len(split.train), "n_test": len(split.test),
                    "accuracy": one.accuracy, "balanced_accuracy": one.balanced_accuracy,
                    "inner_accuracy": one.inner_accuracy, "n_features": one.n_features,
                    "chosen": one.chosen, "stage_s": one.stage_s, "fit_s": one.fit_s,
                    "notes": list(one.notes), "predictions": one.predictions.tolist(),
                    "wrong": np.flatnonzero(one.predictions != dataset.y[split.test]).tolist(),
                }
            )  # fmt: skip
        return values


def run_study(
    task: Task | str | os.PathLike[str],
    *,
    methods: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> StudyResult:
    """Compute what the store does not have yet of a study, and return everything.

    Parameters
    ----------
    task : Task, str or path-like
        A task, the name of one that comes with spicealif, or the path of a TOML file.
    methods : sequence of str, optional
        Such as "alif-ridge", "raw-svm" or "minirocket"; all of the task's if not given.
    seeds : int or sequence of int, optional
        How many splits, or which; all of the task's if not given.
    store : Store or path-like, optional
        Where results are kept; `spicealif.sweep.default_store` if not given.
    executor : Executor, optional
        Who computes; processes of our own if not given.
    workers : int, optional
        Number of processes; the usable cores if not given. No result depends on it.
    retry_failed : bool
        Compute cells anew that failed before.
    progress : callable, optional
        Called with the cells done (stored ones included), all cells, and the failed ones.

    Returns
    -------
    StudyResult

    Raises
    ------
    DesignError, LearningError
        If the task, its data or a method makes no sense.
    StoreError
        If the store cannot be read.
    SweepError
        If no process can be started. What was done is stored.

    Examples
    --------
    >>> result = run_study("iris", methods=["raw-ridge", "k-nn"], seeds=2, workers=1)
    >>> [cell.method for cell in result.cells]
    ['raw-ridge', 'k-nn', 'raw-ridge', 'k-nn']
    """
    described = task if isinstance(task, Task) else load_task(task)
    chosen = check_methods(described, methods)
    numbers = _check_seeds(described, seeds)
    width(None, workers)
    _check_packages(chosen)
    dataset = described.load_data()
    cells = [(method, seed) for seed in numbers for method in chosen]
    keys = _keys(described, dataset, cells)
    with opened(store) as kept:
        values = kept.find(set(keys), failed=not retry_failed)
        kept.tell_damage()
        compute_missing(
            dict(zip(keys, cells, strict=True)), values, kept,
            lambda missing: _jobs(
                described, dataset.digest, {cell: key for key, cell in missing.items()}
            ),
            executor=executor, workers=workers, progress=progress,
        )  # fmt: skip
    return StudyResult(
        described,
        tuple(_cell(*cell, values[key]) for cell, key in zip(cells, keys, strict=True)),
        dataset.classes, dataset.counts, dataset.source, dataset.notes,
    )  # fmt: skip


def check_methods(task: Task, methods: Sequence[str] | None) -> list[str]:
    """Return the methods that are asked for, each once.

    Raises
    ------
    LearningError
        If there is no such method, or none.
    """
    if methods is None:
        return task.methods
    if isinstance(methods, str) or not methods or not all(isinstance(m, str) for m in methods):
        raise LearningError("The methods are no list of names; give one or more of them.")
    for method in methods:
        stage_of(method)
    return list(dict.fromkeys(methods))


def _check_seeds(task: Task, seeds: int | Sequence[int] | None) -> list[int]:
    if seeds is None:
        seeds = task.seeds
    given = [*range(int(seeds))] if _is_whole(seeds) else seeds
    if not isinstance(given, Iterable) or not all(_is_whole(seed) for seed in given):
        raise LearningError(
            f"The seeds are {ascii(seeds)[:60]}; give a whole number of splits, or a list of them."
        )
    numbers = list(dict.fromkeys(int(seed) for seed in given))
    if not numbers or min(numbers) < 0:
        raise LearningError("There are no seeds, or one is below 0; give at least 1 split.")
    return numbers


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_packages(methods: Sequence[str]) -> None:
    of_series = any(stage_of(method)[1] in SERIES_ONLY for method in methods)
    for package in ("sklearn", *(["aeon"] if of_series else [])):
        try:
            __import__(package)
        except ImportError:
            raise LearningError(
                f"A study takes the package {package}, which is not installed; install it with: "
                "pip install 'spicealif[learning]'."
            ) from None


def _keys(task: Task, dataset: Dataset, cells: Sequence[tuple[str, int]]) -> list[str]:
    """Return the key of each cell: the digest of everything that its result depends on."""
    split = [task.data.split, task.data.folds if task.data.split == "folds" else None]
    common = [dataset.digest, split, task.inner_folds, source_digest(*_SOURCES),
              {name: _version(name) for name in _PACKAGES}]  # fmt: skip
    needs = {stage_of(method) for method, _ in cells}
    bank = _bank_key(task) if any(stage in ("alif", "lif") for stage, _ in needs) else None
    return [
        digest_of(common, method, seed, _own_key(*stage_of(method), bank)) for method, seed in cells
    ]


def _own_key(stage: str, readout: str, bank: list[Any] | None) -> Any:
    """Return what a method's cells depend on and others' do not."""
    if readout in SERIES_ONLY:
        return _version("aeon")
    return bank if stage in ("alif", "lif") else None


def _bank_key(task: Task) -> list[Any]:
    """Return what a bank's cells depend on; a preset's name says nothing of what it holds."""
    given, backend = task.bank.neuron, task.bank.backend
    neuron = load_preset(given) if isinstance(given, str) else given
    key = [task.bank.to_dict(), neuron.digest, source_digest(*_OF_BANK)]
    if backend in ("ngspice", "ltspice"):
        key += [source_digest(*_OF_SIMULATOR), version_of_backend(backend)]
    return key


@lru_cache(maxsize=8)
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _jobs(task: Task, digest: str, missing: Mapping[tuple[str, int], str]) -> Iterator[_StudyJob]:
    """Give a job for each split and stage, and for each classical method."""
    settings = Settings("both", "both", "ideal", "equations", None, False, "", f"learn-{task.name}")
    groups: dict[tuple[int, str], list[tuple[str, dict[str, Any]]]] = {}
    for (method, seed), key in missing.items():
        group = seed, stage_of(method)[0] or method
        groups.setdefault(group, []).append((key, {"method": method, "seed": seed}))
    base = dump_task(_with_absolute_path(task))
    for points in groups.values():
        yield _StudyJob(base, settings, tuple(points), digest=digest)


def _with_absolute_path(task: Task) -> Task:
    """Return the task as a process in another folder can read it."""
    if task.data.source in dataset_names():
        return task
    return task.replace({"data.source": str(Path(task.data.source).absolute())})


def _cell(method: str, seed: int, value: Value) -> Cell:
    if value["status"] != OK:
        return Cell(method, seed, str(value["status"]), str(value["reason"]))
    return Cell(
        method, seed, OK, "", value["accuracy"], value["balanced_accuracy"],
        value["inner_accuracy"], value["n_train"], value["n_test"], value["n_features"],
        value["stage_s"], value["fit_s"], value["chosen"], tuple(value["notes"]),
        tuple(value["predictions"]), tuple(value["wrong"]),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _task(text: str) -> Task:
    return parse_task(text)


@lru_cache(maxsize=2)
def _data(text: str, digest: str) -> Dataset:
    """Return a task's data; a file that has another digest by now is read anew."""
    return _task(text).load_data()

"""Which samples train and which test, by a task's split and a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import LearningError
from spicealif.learning.datasets import Dataset
from spicealif.learning.task import Task

__all__ = ["Split", "split_of"]

_Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Places of samples in a data set, apart from each other.

    Attributes
    ----------
    seed : int
    train, test : ndarray of int
    """

    seed: int
    train: _Places
    test: _Places


def split_of(task: Task, dataset: Dataset, seed: int) -> Split:
    """Return a task's split of a seed; it depends on the classes alone.

    Parameters
    ----------
    task : Task
    dataset : Dataset
    seed : int
        Of folds: fold ``seed % folds`` of repetition ``seed // folds``, whose shuffle has the
        repetition's number as its seed. Of resamples: 0 is the data set's own split; each other
        draws, class by class, as many training samples as that has.

    Returns
    -------
    Split

    Raises
    ------
    LearningError
        If a class has fewer samples than there are folds.
    """
    if task.data.split == "folds":
        return _fold(dataset, seed, task.data.folds)
    if dataset.split is None:
        raise LearningError(f"{dataset.name} has no split of its own; take the split folds.")
    if seed == 0:
        return Split(0, *dataset.split)
    rng = np.random.Generator(np.random.PCG64(seed))
    train = []
    for label in range(len(dataset.classes)):
        members = np.flatnonzero(dataset.y == label)
        count = int((dataset.y[dataset.split[0]] == label).sum())
        train.append(rng.permutation(members)[:count])
    chosen = rng.permutation(np.concatenate(train))
    both = np.concatenate(dataset.split)  # a set may leave samples out of its split
    return Split(seed, chosen, np.setdiff1d(both, chosen))


def _fold(dataset: Dataset, seed: int, folds: int) -> Split:
    if (least := min(dataset.counts)) < folds:
        few = dataset.classes[dataset.counts.index(least)]
        raise LearningError(
            f"{dataset.name} has {least} samples of the class {ascii(few)} and {folds} folds are "
            "asked for; take at most as many folds."
        )
    from sklearn.model_selection import StratifiedKFold

    parts = StratifiedKFold(folds, shuffle=True, random_state=seed // folds)
    train, test = list(parts.split(np.zeros(len(dataset)), dataset.y))[seed % folds]
    return Split(seed, train.astype(np.int64), test.astype(np.int64))

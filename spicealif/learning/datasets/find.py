"""Finding a data set by its name or path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spicealif.errors import LearningError
from spicealif.learning.datasets._idx import is_idx, load_idx
from spicealif.learning.datasets._own import load_csv, load_npz
from spicealif.learning.datasets._shipped import SHIPPED
from spicealif.learning.datasets.dataset import Dataset, Kind

__all__ = ["dataset_names", "load_dataset"]

_TABLES = (".csv", ".tsv", ".txt")


def dataset_names() -> list[str]:
    """Return the names of the data sets that come with the packages of the extra, sorted.

    Examples
    --------
    >>> dataset_names()[:3]
    ['arrowhead', 'basic-motions', 'breast-cancer']
    """
    return sorted(SHIPPED)


def load_dataset(
    source: str | os.PathLike[str],
    *,
    label: str | None = None,
    drop: Sequence[str] = (),
    kind: Kind | None = None,
) -> Dataset:
    """Return a data set.

    Parameters
    ----------
    source : str or path-like
        One of `dataset_names`, or the path of the user's data: a CSV file with a row for each
        sample and names above; an npz file with X and y, or X_train, y_train, X_test and y_test; or
        the folder of MNIST's files (``train-images-idx3-ubyte`` and so on, packed or not).
    label : str, optional
        Of a CSV file: the column of the classes; it must be said.
    drop : sequence of str
        Of a CSV file: columns that are no features.
    kind : {"features", "series"}, optional
        Of a CSV or npz file: whether a row is features or the steps of a series. If not given,
        arrays of three dimensions (n, channels, steps) are series, and all others features.

    Returns
    -------
    Dataset

    Raises
    ------
    LearningError
        If there is no such data set, it cannot be read, or what it holds could mean two things.

    Examples
    --------
    >>> load_dataset("iris")
    <Dataset 'iris', 150 samples, 4 features, 3 classes>
    """
    name = os.fspath(source)
    if name in SHIPPED:
        if label is not None or drop or kind is not None:
            raise LearningError(
                f"{name} comes with its classes and columns; label, drop and kind are for files of "
                "your own: leave them out."
            )
        return SHIPPED[name]()
    path = Path(name)
    try:
        there, idx = path.exists(), is_idx(path)
    except (OSError, ValueError):
        there = idx = False
    ending = path.suffix.lower()
    if not there:
        raise LearningError(
            f"There is no data set and no file {ascii(name)}; choose one of "
            f"{', '.join(dataset_names())}, or give the path of a .csv, an .npz, or MNIST's files."
        )
    if ending in _TABLES and path.is_file():
        return load_csv(path, label, drop, kind)
    if label is not None or drop:
        raise LearningError(
            f"label and drop name columns of a CSV file, and {ascii(name)} is none; leave them out."
        )
    if ending == ".npz" and path.is_file():  # a pipe would be waited for
        return load_npz(path, kind)
    if idx or path.is_dir():
        found = load_idx(path)
        if kind == "series":
            side = found.x.shape[1] // _rows(found)
            return replace(found, kind="series", x=found.x.reshape(len(found), -1, side),
                           columns=tuple(f"row_{k}" for k in range(_rows(found))))  # fmt: skip
        return found
    raise LearningError(
        f"{ascii(name)} is no file of data that is known here; give a .csv, an .npz, or the folder "
        "of MNIST's files."
    )


def _rows(images: Dataset) -> int:
    """Return how many rows the images have, by the name of their last pixel."""
    return int(images.columns[-1].split("_")[1]) + 1

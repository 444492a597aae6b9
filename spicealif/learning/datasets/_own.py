"""The user's own data: CSV and npz. What could mean two things is asked for, not guessed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spicealif._support.text import counted, shown
from spicealif.errors import LearningError
from spicealif.learning.datasets.dataset import Dataset, Kind, made

__all__ = ["load_csv", "load_npz"]

_SHOWN = 8  # names of columns in a sentence


def load_csv(
    path: Path, label: str | None, drop: Sequence[str], kind: Kind | None = None
) -> Dataset:
    """Read a table with a row for each sample.

    The columns are separated by commas, semicolons, tabs or spaces, the first row names them. One
    column is the class, which must be named; all others that are not dropped are numbers: features,
    or for ``kind="series"`` the steps of one channel, in the order of the columns.

    Parameters
    ----------
    path : Path
    label : str or None
        Name of the column of the classes.
    drop : sequence of str
        Columns that are neither, such as a number of the sample.
    kind : {"features", "series"}, optional

    Raises
    ------
    LearningError
        If it cannot be read, or it is not clear what a column is.
    """
    name = ascii(path.name)
    # Once without headings: pandas would tell two of the same name apart by itself.
    columns = [str(c) for c in _frame(path, header=None, nrows=1).iloc[0]]
    frame = _frame(path)
    if len(frame.columns) == len(columns):
        frame.columns = columns
    listed = ", ".join(shown(c, 30) for c in columns[:_SHOWN])
    listed += f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    if len(set(columns)) < len(columns):
        raise LearningError(f"{name} has two columns of the same name; give each its own.")
    if all(_is_number(c) for c in columns):
        raise LearningError(
            f"{name} has numbers in its first row and no names of columns; add a first row with "
            "names."
        )
    if label is None:
        raise LearningError(
            f"{name} does not say which column is the class; name it (label = 'NAME'), one of "
            f"{listed}."
        )
    for one in (label, *drop):
        if one not in columns:
            raise LearningError(f"{name} has no column {ascii(one)}; it has {listed}.")
    if label in drop:
        raise LearningError(f"The column {ascii(label)} is the class and dropped; choose one.")
    rest = [c for c in columns if c != label and c not in drop]
    if not rest:
        raise LearningError(f"{name} has no column beside the class; add the features.")
    if frame[label].isna().any():
        row = int(frame[label].isna().to_numpy().argmax())
        raise LearningError(
            f"{name} has a row without a class (row {row + 1} below the names); fill it in."
        )
    for column in rest:
        _check_numbers(frame[column], column, name)
    return made(
        path.stem, _shaped(frame[rest].to_numpy(np.float64), kind), frame[label].to_numpy(),
        columns=["series"] if kind == "series" else rest, source=f"The user's file {name}.",
        where=name,
    )  # fmt: skip


def load_npz(path: Path, kind: Kind | None = None) -> Dataset:
    """Read arrays X and y, or X_train, y_train, X_test and y_test, of an npz file.

    X is (n, d), or (n, channels, K) for series; with ``kind="series"`` (n, K) is one channel. Files
    that hold Python objects are refused.

    Raises
    ------
    LearningError
        If it cannot be read, or does not hold these arrays.
    """
    name = ascii(path.name)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {key: file[key] for key in file.files}
    except MemoryError:
        raise LearningError(
            f"{name} says that it holds more than there is memory for; it is damaged, or give "
            "fewer samples."
        ) from None
    except Exception as error:  # zipfile, zlib and numpy have errors of many kinds for damage
        reason = getattr(error, "strerror", None) or "damaged, no npz file, or with Python objects"
        raise LearningError(
            f"{name} cannot be read ({reason}); save plain arrays with numpy.savez."
        ) from None
    there = {key.lower(): key for key in arrays}
    if len(there) < len(arrays):
        raise LearningError(
            f"{name} has two arrays whose names differ in capitals alone; leave one out."
        )
    both = [[there.get(f"{a}_{part}") for a in ("x", "y")] for part in ("train", "test")]
    whole = [there.get(a) for a in ("x", "y")]
    if all(whole) and not any(key for pair in both for key in pair):
        x, y, split = arrays[str(whole[0])], arrays[str(whole[1])], None
    elif all(key for pair in both for key in pair) and not any(whole):
        (xs, ys) = zip(
            *[[np.asarray(arrays[str(key)]) for key in pair] for pair in both], strict=True
        )
        if any(one.dtype.kind not in "biuf" for one in xs):
            raise LearningError(f"{name} holds values that are no numbers; give numbers.")
        if any(one.ndim < 1 for one in xs) or any(one.ndim != 1 for one in ys):
            raise LearningError(
                f"{name} has not one label for each sample; give y_train and y_test of one "
                "dimension."
            )
        if xs[0].shape[1:] != xs[1].shape[1:]:
            raise LearningError(
                f"{name} has X_train and X_test of different shapes ({xs[0].shape}, "
                f"{xs[1].shape}); give samples of one shape."
            )
        x, y = np.concatenate(xs), np.concatenate(ys)
        n = len(xs[0])
        if len(ys[0]) != n:
            raise LearningError(f"{name} has not one y_train for each X_train; give one each.")
        if not n or n == len(x):
            raise LearningError(f"{name} has no sample to train with, or none to test; give both.")
        if len({_sort_of(one) for one in ys}) > 1:
            raise LearningError(
                f"{name} has labels of another kind in y_train ({ys[0].dtype}) than in y_test "
                f"({ys[1].dtype}); give both as numbers, or both as texts."
            )
        split = (np.arange(n), np.arange(n, len(x)))
    else:
        told = ", ".join(shown(k, 30) for k in list(arrays)[:_SHOWN]) or "nothing"
        raise LearningError(
            f"{name} holds {told}; give the arrays X and y, or X_train, y_train, X_test and y_test."
        )
    return made(
        path.stem, _shaped(x, kind), y, split=split, source=f"The user's file {name}.", where=name
    )


def _sort_of(labels: Any) -> str:
    kind: str = labels.dtype.kind
    return "number" if kind in "iuf" else kind


def _shaped(x: Any, kind: Kind | None) -> Any:
    x = np.asarray(x)
    if kind == "series" and x.ndim == 2:
        return x[:, np.newaxis, :]
    if kind == "features" and x.ndim == 3:
        return x.reshape(len(x), -1)
    return x


def _frame(path: Path, **options: Any) -> Any:
    import pandas as pd

    name = ascii(path.name)
    try:
        if _has_nul(path):
            raise LearningError(f"{name} has bytes of 0, which no text has; save it as UTF-8 text.")
        with warnings.catch_warnings():
            # Where a row has more cells than there are names, some of them would be lost.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path, sep=None, engine="python", encoding="utf-8-sig", index_col=False,
                skipinitialspace=True, **options,
            )  # fmt: skip
    except LearningError:
        raise
    except UnicodeDecodeError:
        raise LearningError(f"{name} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise LearningError(
            f"{name} cannot be read ({error.strerror or error}); check the path and its rights."
        ) from None
    except Exception as error:  # pandas and csv have errors of many kinds for what is no table
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__, 120)
        raise LearningError(
            f"{name} is no table that can be read ({reason}); give a row for each sample, the same "
            "number of cells in each."
        ) from None


def _has_nul(path: Path) -> bool:
    """Return whether a file has a byte of 0: what follows it in a number would not be read."""
    with path.open("rb") as file:
        return any(b"\0" in block for block in iter(lambda: file.read(1 << 20), b""))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_numbers(column: Any, heading: str, name: str) -> None:
    """Refuse a column that is no feature, or may be none."""
    told = ascii(shown(heading, 40))
    if not len(column):
        raise LearningError(f"{name} has names of columns and no rows below; add the samples.")
    if column.dtype.kind not in "iufb":
        sample = next((str(v) for v in column if not _is_number(str(v))), str(column.iloc[0]))
        if "," in sample and _is_number(sample.replace(",", ".", 1)):
            raise LearningError(
                f"{name} has decimal commas in the column {told} (such as {ascii(sample)}); write "
                "points."
            )
        raise LearningError(
            f"{name} has texts in the column {told} (such as {ascii(shown(sample, 30))}), which "
            f"are no feature; leave it out (drop = [{told}]), or code it in numbers."
        )
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        raise LearningError(
            f"{name} has {counted(int(column.isna().sum()), 'cell')} without a value in the column "
            f"{told} (the first in row {row + 1} below the names); fill them in or drop the "
            "column."
        )
    values = column.to_numpy(np.float64)
    if len(values) > 2 and (np.diff(values) == 1).all():
        raise LearningError(
            f"{name} has a column {told} that numbers the rows, which would be taken for a "
            f"feature; leave it out (drop = [{told}])."
        )

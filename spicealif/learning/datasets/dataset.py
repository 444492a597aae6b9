"""What a data set is here: samples, classes, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.errors import LearningError

__all__ = ["Dataset", "Kind", "made"]

Kind: TypeAlias = Literal["features", "series"]
_Floats: TypeAlias = NDArray[np.float64]
#: Up to it a floating-point number is one whole number and no other.
_LARGEST_LABEL = 2.0**53


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Described):
    """Samples with their classes.

    Attributes
    ----------
    name : str
    kind : {"features", "series"}
    x : ndarray, shape (n, d) or (n, channels, K)
        Features, or for series each channel's K values; all finite.
    y : ndarray of int, shape (n,)
        The class of each sample, a place in `classes`.
    columns : tuple of str
        Names of the features, or of the channels.
    classes : tuple of str
    split : tuple of ndarray of int, or None
        Places of the training samples and of the test samples where the data set has a split of
        its own.
    source : str
        Whom to cite, as a sentence.
    notes : tuple of str
        What was done to the data, as sentences.
    """

    name: str
    kind: Kind
    x: _Floats
    y: NDArray[np.int64]
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    split: tuple[NDArray[np.int64], NDArray[np.int64]] | None
    source: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.y)

    def _facts(self) -> list[tuple[str, str]]:
        shape = counted(self.x.shape[1], "channel" if self.kind == "series" else "feature")
        if self.kind == "series":
            shape += f" of {self.x.shape[2]} steps"
        facts = [
            ("", f"'{self.name}'"),
            ("", counted(len(self), "sample")),
            ("", shape),
            ("", f"{len(self.classes)} classes"),
        ]
        if self.split is not None:
            facts.append(("split", f"{len(self.split[0])} and {len(self.split[1])}"))
        return facts

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Number of samples of each class."""
        return tuple(np.bincount(self.y, minlength=len(self.classes)).tolist())

    @property
    def flat(self) -> _Floats:
        """Each sample as one row, shape (n, d): a series' channels one after the other."""
        return self.x.reshape(len(self), -1)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the samples, the classes and the split, as hexadecimal text."""
        import hashlib

        digest = hashlib.sha256(repr((self.kind, self.x.shape, self.classes)).encode())
        for array in (self.x, self.y, *(self.split or ())):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def made(
    name: str,
    x: Any,
    labels: Any,
    *,
    columns: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    split: tuple[Any, Any] | None = None,
    source: str = "",
    notes: Sequence[str] = (),
    where: str = "",
) -> Dataset:
    """Return a data set once it makes sense.

    Parameters
    ----------
    name, columns, split, source, notes
        As in `Dataset`; columns that are not given are numbered.
    x : array-like, shape (n, d) or (n, channels, K)
    labels : array-like, shape (n,)
        Classes as numbers or texts.
    classes : sequence of str, optional
        Names of the classes in the order of their sorted labels.
    where : str
        What the sentences speak of; the data set's name if not given.

    Raises
    ------
    LearningError
        If shapes do not fit, a value is not finite, or there are fewer than two classes.
    """
    where = where or f"The data set {name}"
    try:
        if np.asarray(x).dtype.kind in "cmM":  # of which a part would be lost
            raise TypeError
        x = np.ascontiguousarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise LearningError(f"{where} holds values that are no numbers; give numbers.") from None
    labels = np.asarray(labels)
    if x.ndim not in (2, 3) or not x.size:
        raise LearningError(
            f"{where} has samples of the shape {x.shape}; give an array (n, features) or, for "
            "series, (n, channels, steps)."
        )
    if labels.ndim != 1 or len(labels) != len(x):
        raise LearningError(
            f"{where} has {len(x)} samples and labels of the shape {labels.shape}; give one label "
            "for each sample."
        )
    bad = ~np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    if bad.any():
        raise LearningError(
            f"{where} has {counted(int(bad.sum()), 'sample')} with a missing or infinite value "
            f"(the first is number {int(bad.argmax())}, from 0); fill them in or leave them out."
        )
    if labels.dtype.kind == "f" and not (np.abs(labels) <= _LARGEST_LABEL).all():
        raise LearningError(
            f"{where} has labels that are missing, infinite or beyond whole numbers; give classes."
        )
    if labels.dtype.kind == "f" and not (labels == np.round(labels)).all():
        raise LearningError(
            f"{where} has labels that are no whole numbers (such as {labels[0]:g}), which reads "
            "like a quantity to be predicted; give classes."
        )
    if labels.dtype.kind == "f":
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "O":
        labels = labels.astype(str)
    values, y = np.unique(labels, return_inverse=True)
    if labels.dtype.kind == "U" and len({str(v).strip() for v in values}) < len(values):
        raise LearningError(
            f"{where} has labels that differ in spaces alone, which would be classes of their own; "
            "take the spaces off."
        )
    if len(values) < 2:
        raise LearningError(f"{where} has samples of one class only; give two or more.")
    if len(values) > len(y) // 2:
        raise LearningError(
            f"{where} has {len(values)} different labels in {len(y)} samples, which are hardly "
            "classes; name the column or array that holds the classes."
        )
    return Dataset(
        name, "features" if x.ndim == 2 else "series", x, y.astype(np.int64).reshape(-1),
        tuple(columns) or tuple(f"x{k}" for k in range(x.shape[1])),
        tuple(classes) if classes is not None else tuple(str(v) for v in values),
        None if split is None else _indices(split), source, tuple(notes),
    )  # fmt: skip


def _indices(split: tuple[Any, Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    train, test = (np.asarray(part, dtype=np.int64) for part in split)
    return train, test

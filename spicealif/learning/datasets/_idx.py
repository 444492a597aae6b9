"""MNIST's own files (IDX): images and labels, packed with gzip or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import LearningError
from spicealif.learning.datasets.dataset import Dataset, made

__all__ = ["is_idx", "load_idx"]

_IMAGES, _LABELS = "images", "labels"
#: Magic numbers: bytes (8) in three dimensions, and in one.
_MAGIC = {_IMAGES: 0x803, _LABELS: 0x801}
_PARTS = ("train", "t10k")
#: No MNIST-like set is as large; a damaged heading must not ask for all memory.
_LARGEST = 1 << 30


def is_idx(path: Path) -> bool:
    """Return whether a path is that of MNIST's files: one of them, or a folder with some."""
    if path.is_dir():
        return any(_found(path, part, _IMAGES) for part in _PARTS)
    return "idx" in path.name and path.is_file()


def load_idx(path: Path) -> Dataset:
    """Read MNIST's files, or those of a set in the same form.

    Parameters
    ----------
    path : Path
        The folder that holds them, or one of the files of images: the others are looked for beside
        it. Where there are both parts, ``train`` and ``t10k``, they are the split.

    Raises
    ------
    LearningError
        If a file is missing, damaged, or not of this form.
    """
    folder = path if path.is_dir() else path.parent
    parts = [part for part in _PARTS if _found(folder, part, _IMAGES)]
    if not parts:
        raise LearningError(
            f"The folder {ascii(str(folder))} has no file train-images-idx3-ubyte (or .gz); give "
            "the folder that has MNIST's files under their own names."
        )
    images, labels = [], []
    for part in parts:
        there = _found(folder, part, _LABELS)
        if there is None:
            raise LearningError(
                f"The folder {ascii(str(folder))} has {part}-images and no file of the same "
                f"part's labels; put {part}-labels-idx1-ubyte beside it."
            )
        found = _found(folder, part, _IMAGES)
        assert found is not None
        images.append(_read(found, _IMAGES))
        labels.append(_read(there, _LABELS))
        if len(images[-1]) != len(labels[-1]):
            raise LearningError(
                f"{ascii(found.name)} has {len(images[-1])} images and {ascii(there.name)} "
                f"{len(labels[-1])} labels; they are not of the same set: get both again."
            )
    if len({one.shape[1:] for one in images}) > 1:
        raise LearningError(
            "The images of train and t10k are of different sizes; they are not of the same set: "
            "get them again."
        )
    x, n = np.concatenate(images), len(images[0])
    rows, columns = x.shape[1:]
    split = (np.arange(n), np.arange(n, len(x))) if len(parts) > 1 else None
    return made(
        folder.resolve().name or "mnist", x.reshape(len(x), -1), np.concatenate(labels),
        columns=[f"pixel_{r}_{c}" for r in range(rows) for c in range(columns)], split=split,
        source="The user's files in MNIST's form; for MNIST itself: Y. LeCun, L. Bottou, Y. Bengio "
        "and P. Haffner, Proc. IEEE 86, 2278, 1998.",
        where=f"The folder {ascii(str(folder))}",
    )  # fmt: skip


def _found(folder: Path, part: str, what: str) -> Path | None:
    dims = {_IMAGES: "idx3", _LABELS: "idx1"}[what]
    for mark in ("-", "."):
        for ending in ("", ".gz"):
            path = folder / f"{part}-{what}{mark}{dims}-ubyte{ending}"
            if path.is_file():
                return path
    return None


def _read(path: Path, what: str) -> NDArray[np.uint8]:
    name = ascii(path.name)
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise LearningError(f"{name} is damaged or cut off (gzip); get it again.") from None
    except OSError as error:
        raise LearningError(
            f"{name} cannot be read ({error.strerror or error}); check the path and its rights."
        ) from None
    dims = _MAGIC[what] & 0xFF
    begin = 4 * (1 + dims)
    if len(data) < begin or struct.unpack(">I", data[:4])[0] != _MAGIC[what]:
        raise LearningError(
            f"{name} is no IDX file of {what}: it does not begin with the number "
            f"{_MAGIC[what]}; give MNIST's own file."
        )
    shape = struct.unpack(f">{dims}I", data[4:begin])
    if math.prod(shape) != len(data) - begin:
        raise LearningError(
            f"{name} says that it has {' x '.join(map(str, shape))} values and holds "
            f"{len(data) - begin}; it is damaged or cut off: get it again."
        )
    return np.frombuffer(data, np.uint8, offset=begin).reshape(shape)

"""The data sets that come with scikit-learn, aeon and mnist1d; none needs a network.

Of each: what it is, whom to cite, and what was done to make an array of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from spicealif.errors import LearningError
from spicealif.learning.datasets.dataset import Dataset, made

__all__ = ["SHIPPED"]

#: Steps of the longest series of JapaneseVowels, which the archive states.
_LONGEST_VOWEL = 29
_DIGITS = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, doi:10.24432/C50P49 (its test part, as scikit-learn ships it)."
)
_UCR = "from the UCR archive (H. A. Dau et al., IEEE/CAA J. Autom. Sinica 6, 1293, 2019)"
_UEA = "from the UEA archive (A. Bagnall et al., arXiv:1811.00075, 2018)"


def _sklearn() -> Any:
    try:
        from sklearn import datasets
    except ImportError:
        raise _missing("scikit-learn") from None
    return datasets


def _missing(package: str) -> LearningError:
    return LearningError(
        f"The package {package} is not installed, which this data set comes with; install it with: "
        "pip install 'spicealif[learning]'."
    )


def _digits() -> Dataset:
    data = _sklearn().load_digits()
    return made("digits", data.data, data.target, columns=data.feature_names, source=_DIGITS)


def _digits_rows() -> Dataset:
    data = _sklearn().load_digits()
    return made(
        "digits-rows", data.images, data.target, columns=[f"row_{k}" for k in range(8)],
        source=_DIGITS,
        notes=["Each image's 8 rows are 8 channels; a row's 8 pixels from left to right are its "
               "steps in time."],
    )  # fmt: skip


def _iris() -> Dataset:
    data = _sklearn().load_iris()
    return made(
        "iris", data.data, data.target, columns=data.feature_names, classes=data.target_names,
        source="R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of "
        "Eugenics 7, 179, 1936.",
    )  # fmt: skip


def _breast_cancer() -> Dataset:
    data = _sklearn().load_breast_cancer()
    return made(
        "breast-cancer", data.data, data.target, columns=data.feature_names,
        classes=data.target_names,
        source="W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin "
        "(Diagnostic), UCI Machine Learning Repository, 1995, doi:10.24432/C5DW2B.",
    )  # fmt: skip


def _archive(name: str, loader: str, source: str) -> Callable[[], Dataset]:
    def load() -> Dataset:
        try:
            from aeon import datasets
        except ImportError:
            raise _missing("aeon") from None
        parts = [getattr(datasets, loader)(split=split) for split in ("train", "test")]
        notes = []
        if isinstance(parts[0][0], list):
            lengths = [series.shape[1] for x, _ in parts for series in x]
            notes.append(
                f"The series have {min(lengths)} to {max(lengths)} steps. Each was made "
                f"{_LONGEST_VOWEL} steps long by repeating its last value, so that the length of "
                "a series shows in where its end begins."
            )
            parts = [(np.stack([_padded(series) for series in x]), y) for x, y in parts]
        x = np.concatenate([x for x, _ in parts])
        y = np.concatenate([y for _, y in parts])
        begin = len(parts[0][1])
        return made(
            name, x, y, columns=[f"channel_{k}" for k in range(x.shape[1])],
            split=(np.arange(begin), np.arange(begin, len(y))), source=source, notes=notes,
        )  # fmt: skip

    return load


def _padded(series: Any) -> Any:
    missing = _LONGEST_VOWEL - series.shape[1]
    return np.pad(series, ((0, 0), (0, missing)), mode="edge")


def _mnist1d() -> Dataset:
    try:
        with _own_randomness():
            from mnist1d.data import get_dataset_args, make_dataset

            # Made anew and not downloaded; its own default seed is 42.
            data = make_dataset(get_dataset_args())
    except ImportError:
        raise _missing("mnist1d") from None
    x = np.concatenate([data["x"], data["x_test"]])[:, np.newaxis, :]
    n = len(data["x"])
    return made(
        "mnist1d", x, np.concatenate([data["y"], data["y_test"]]), columns=["signal"],
        split=(np.arange(n), np.arange(n, len(x))),
        source="S. Greydanus and D. Kobak, Scaling down deep learning with MNIST-1D, ICML 2024, "
        "arXiv:2011.14439.",
        notes=["Made by the package mnist1d with its default settings and seed 42, centred and "
               "scaled by that package over all samples; it is not the file that its authors "
               "published."],
    )  # fmt: skip


@contextlib.contextmanager
def _own_randomness() -> Iterator[None]:
    """Put the global generators back, which mnist1d seeds."""
    import random

    before = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


#: By the name that a task gives.
SHIPPED: Mapping[str, Callable[[], Dataset]] = MappingProxyType(
    {
        "digits": _digits,
        "digits-rows": _digits_rows,
        "iris": _iris,
        "breast-cancer": _breast_cancer,
        "gunpoint": _archive(
            "gunpoint", "load_gunpoint",
            f"C. A. Ratanamahatana and E. Keogh, GunPoint, {_UCR}.",
        ),
        "italy-power-demand": _archive(
            "italy-power-demand", "load_italy_power_demand",
            f"E. Keogh et al., ItalyPowerDemand, {_UCR}.",
        ),
        "arrowhead": _archive(
            "arrowhead", "load_arrow_head", f"L. Ye and E. Keogh, ArrowHead, {_UCR}."
        ),
        "basic-motions": _archive(
            "basic-motions", "load_basic_motions", f"BasicMotions, {_UEA}."
        ),
        "japanese-vowels": _archive(
            "japanese-vowels", "load_japanese_vowels",
            "M. Kudo, J. Toyama and M. Shimbo, Multidimensional curve classification using "
            f"passing-through regions, Pattern Recognition Letters 20, 1103, 1999, {_UEA}.",
        ),
        "mnist1d": _mnist1d,
    }
)  # fmt: skip

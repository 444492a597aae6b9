"""The cells of a study, and what follows from them for each method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.errors import LearningError
from spicealif.learning._names import stage_of
from spicealif.learning.statistics import (
    corrected_interval,
    corrected_t_test,
    holm,
    wilson_interval,
)
from spicealif.learning.task import Task

__all__ = ["Cell", "MethodResult", "StudyCells"]

_OK = "OK"
#: Of confidence, and below which p a difference counts as one.
_LEVEL, _ALPHA = 0.95, 0.05
#: Classes count as unequal when the largest has this many times the samples of the smallest.
_UNEQUAL = 1.5


@dataclass(frozen=True)
class Cell:
    """One method on one split.

    Attributes
    ----------
    method : str
    seed : int
    status, reason : str
        "OK", or how and why it failed; then the figures are NaN.
    accuracy, balanced_accuracy : float
        On the test samples; the second is the mean of the classes' recalls.
    inner_accuracy : float or None
        By folds within the training samples, of what was chosen there.
    n_train, n_test, n_features : int
    stage_s, fit_s : float
        CPU seconds of the stage, shared by its readouts, and of fit and predictions.
    chosen : mapping
        What was chosen within the training samples.
    notes : tuple of str
        What was warned of.
    predictions : tuple of int
        Classes of the test samples, in the split's order.
    wrong : tuple of int
        Places in that order where the prediction is wrong.
    """

    method: str
    seed: int
    status: str = _OK
    reason: str = ""
    accuracy: float = math.nan
    balanced_accuracy: float = math.nan
    inner_accuracy: float | None = None
    n_train: int = 0
    n_test: int = 0
    n_features: int = 0
    stage_s: float = math.nan
    fit_s: float = math.nan
    chosen: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    predictions: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()

    @cached_property
    def right(self) -> NDArray[np.float64]:
        """1 for each test sample that is named right, else 0."""
        out = np.ones(self.n_test)
        out[list(self.wrong)] = 0.0
        return out


@dataclass(frozen=True)
class MethodResult:
    """One method over its splits.

    Attributes
    ----------
    method : str
    splits, failed : int
        Cells that have an accuracy, and those that failed.
    accuracy, low, high : float
        Mean, and its interval (`corrected_interval`; `wilson_interval` of one split's test samples
        where all splits agree, or there is one).
    balanced_accuracy, inner_accuracy : float
        Means; NaN where there is none.
    n_features : int
    difference : float
        Mean over the splits that both have of this method's accuracy less that of the ALIF readout
        that the study compares with; NaN for itself.
    p, p_holm : float
        Of the paired corrected t-test (`corrected_t_test`, with the variance over test samples),
        and by Holm's method over all methods but ALIF's own; NaN where nothing is tested.
    p_nadeau_bengio : float
        By Nadeau and Bengio's correction alone; another one than `p` where there are more test
        than training samples.
    seconds : float
        CPU seconds of a cell: stage, fit and predictions.
    """

    method: str
    splits: int
    failed: int
    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    inner_accuracy: float
    n_features: int
    difference: float = math.nan
    p: float = math.nan
    p_holm: float = math.nan
    p_nadeau_bengio: float = math.nan
    seconds: float = math.nan

    @property
    def verdict(self) -> str:
        """What the comparison with ALIF says: "better", "worse", "within chance" or ""."""
        if math.isnan(self.p_holm):
            return ""
        if self.p_holm >= _ALPHA:
            return "within chance"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, eq=False, repr=False)
class StudyCells(Described):
    """The cells of a study; `StudyResult` shows and saves them.

    Attributes
    ----------
    task : Task
    cells : tuple of Cell
    classes : tuple of str
    counts : tuple of int
        Samples of each class in the whole data set.
    data_source : str
        Whom to cite for the data.
    data_notes : tuple of str
        What was done to the data.
    """

    task: Task
    cells: tuple[Cell, ...]
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    data_source: str
    data_notes: tuple[str, ...] = ()

    def __getitem__(self, method: str) -> MethodResult:
        """Return a method's result by its name."""
        for one in self.methods:
            if one.method == method:
                return one
        raise LearningError(
            f"The study has no method {ascii(method)}; choose one of "
            f"{', '.join(one.method for one in self.methods)}."
        )

    @property
    def failed(self) -> tuple[Cell, ...]:
        """Cells that failed."""
        return tuple(cell for cell in self.cells if cell.status != _OK)

    @cached_property
    def chance(self) -> float:
        """Accuracy of always naming the largest class."""
        return max(self.counts) / sum(self.counts)

    @cached_property
    def unequal(self) -> bool:
        """Whether classes are so unequal that the balanced accuracy is shown too."""
        return max(self.counts) > _UNEQUAL * min(self.counts)

    @cached_property
    def compared_with(self) -> str | None:
        """The ALIF readout that all others are compared with; None if there is none.

        It is the one with the best mean accuracy by folds within the training samples: chosen by
        the test samples it would look better than it is.
        """
        best: tuple[float, str] | None = None
        for method in dict.fromkeys(cell.method for cell in self.cells):
            inner = [c.inner_accuracy for c in self._good(method) if c.inner_accuracy is not None]
            if stage_of(method)[0] == "alif" and inner:
                mean = float(np.mean(inner))
                if best is None or mean > best[0]:
                    best = mean, method
        return best[1] if best else None

    @cached_property
    def methods(self) -> tuple[MethodResult, ...]:
        """Each method's result, in the order of the study."""
        names = list(dict.fromkeys(cell.method for cell in self.cells))
        tests = {name: self._tested(name) for name in names}
        others = [name for name in names if stage_of(name)[0] != "alif"]
        adjusted = dict(zip(others, holm([tests[n][1] for n in others]), strict=True))
        return tuple(self._summary(name, *tests[name], adjusted.get(name)) for name in names)

    def _good(self, method: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.method == method and cell.status == _OK]

    def _tested(self, method: str) -> tuple[float, float, float]:
        """Return the mean difference to ALIF over the splits of both, p, and Nadeau's p."""
        base = self.compared_with
        if base is None or method == base:
            return math.nan, math.nan, math.nan
        ours = {cell.seed: cell for cell in self._good(base)}
        pairs = [(cell, ours[cell.seed]) for cell in self._good(method) if cell.seed in ours]
        if not pairs:
            return math.nan, math.nan, math.nan
        a = [cell.accuracy for cell, _ in pairs]
        b = [cell.accuracy for _, cell in pairs]
        sizes = _sizes([cell for cell, _ in pairs])
        apart = [float(np.var(one.right - other.right)) / one.n_test for one, other in pairs]
        p = corrected_t_test(a, b, *sizes, test_variance=float(np.mean(apart)))[1]
        return float(np.mean(np.subtract(a, b))), p, corrected_t_test(a, b, *sizes)[1]

    def _summary(
        self, method: str, difference: float, p: float, p_nb: float, p_holm: float | None
    ) -> MethodResult:
        cells = self._good(method)
        failed = sum(cell.method == method for cell in self.cells) - len(cells)
        if not cells:
            nan = math.nan
            return MethodResult(method, 0, failed, nan, nan, nan, nan, nan, 0)
        sizes = _sizes(cells)
        apart = float(np.mean([np.var(cell.right) / cell.n_test for cell in cells]))
        mean, low, high = corrected_interval(
            [cell.accuracy for cell in cells], *sizes, _LEVEL, test_variance=apart
        )
        if math.isnan(low):
            low, high = wilson_interval(mean, sizes[1], _LEVEL)
        inner = [cell.inner_accuracy for cell in cells if cell.inner_accuracy is not None]
        return MethodResult(
            method, len(cells), failed, mean, max(low, 0.0), min(high, 1.0),
            float(np.mean([cell.balanced_accuracy for cell in cells])),
            float(np.mean(inner)) if inner else math.nan, cells[0].n_features, difference, p,
            math.nan if p_holm is None else p_holm, p_nb,
            float(np.mean([cell.stage_s + cell.fit_s for cell in cells])),
        )  # fmt: skip

    def _facts(self) -> list[tuple[str, str]]:
        done = [one for one in self.methods if one.splits]
        facts = [("of", f"'{self.task.name}'"), ("", counted(len(self.methods), "method"))]
        facts.append(("", counted(len({cell.seed for cell in self.cells}), "split")))
        if done:
            best = max(done, key=lambda one: one.accuracy)
            facts.append(("best", f"{best.method} {100 * best.accuracy:.1f} %"))
        if self.failed:
            facts.append(("failed", counted(len(self.failed), "cell")))
        return facts


def _sizes(cells: Sequence[Cell]) -> tuple[float, float]:
    """Return the mean numbers of training and test samples; folds differ by one."""
    return float(np.mean([c.n_train for c in cells])), float(np.mean([c.n_test for c in cells]))

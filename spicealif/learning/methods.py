"""Methods of a study: a stage and a readout, or a classical method, fitted on a split's training.

Every method sees the training samples of its split alone: the bank's input range, the scalers and
all that is chosen (by folds within the training samples) come from these. Test samples are only
ever transformed and predicted, each by itself.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron, load_preset
from spicealif.errors import LearningError, SpicealifError, SpicealifWarning
from spicealif.learning._names import SERIES_ONLY, stage_of
from spicealif.learning.datasets import Dataset
from spicealif.learning.splits import Split
from spicealif.learning.task import Task

__all__ = [
    "FittedMethod",
    "FittedStage",
    "Outcome",
    "fit_method",
    "fit_stage",
    "outcomes",
    "stage_name",
]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedStage:
    """What stands before a readout, fitted on a split's training samples.

    Attributes
    ----------
    name : str
        "raw", "alif", "lif", or "series" for methods that take the series as they are.
    bank : AlifBank or None
    """

    name: str
    bank: Any = None

    def transform(self, x: _Floats) -> _Floats:
        """Return the features of samples, (n, d); of the stage "series" the samples themselves."""
        if self.bank is not None:
            return np.asarray(self.bank.transform(x), dtype=np.float64)
        return x if self.name == "series" else x.reshape(len(x), -1)


@dataclass(frozen=True, eq=False)
class FittedMethod:
    """A stage and a classifier behind it.

    Attributes
    ----------
    method : str
    stage : FittedStage
    model : object
        A classifier of scikit-learn's or aeon's kind.
    """

    method: str
    stage: FittedStage
    model: Any

    def predict(self, x: _Floats) -> NDArray[np.int64]:
        """Return the class of each sample."""
        return np.asarray(self.model.predict(self.stage.transform(x)), dtype=np.int64)

    @property
    def inner_accuracy(self) -> float | None:
        """Accuracy of what was chosen, by folds within the training samples."""
        found = getattr(self.model, "best_score_", None)
        return None if found is None else float(found)

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen within the training samples."""
        found = dict(getattr(self.model, "best_params_", {}))
        if hasattr(self.model, "window_"):
            found["window"] = self.model.window_
        return {
            key.removeprefix("model__"): value
            if isinstance(value, str | int)
            else float(value)
            if isinstance(value, float | np.floating)
            else type(value).__name__
            for key, value in found.items()
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method made of a split.

    Attributes
    ----------
    predictions : ndarray of int
        Of the test samples, in the split's order.
    accuracy, balanced_accuracy : float
        The second is the mean of the classes' recalls.
    inner_accuracy : float or None
    n_features : int
    chosen : dict
    stage_s, fit_s : float
        CPU seconds of the stage (shared by its readouts), and of the fit and the predictions.
    notes : tuple of str
        What was warned of, each sentence once.
    """

    predictions: NDArray[np.int64]
    accuracy: float
    balanced_accuracy: float
    inner_accuracy: float | None
    n_features: int
    chosen: dict[str, Any]
    stage_s: float
    fit_s: float
    notes: tuple[str, ...]


def fit_stage(task: Task, dataset: Dataset, split: Split, name: str) -> FittedStage:
    """Return a stage, fitted on a split's training samples.

    Parameters
    ----------
    task : Task
    dataset : Dataset
    split : Split
    name : {"raw", "alif", "lif", "series"}

    Raises
    ------
    DesignError, LearningError
        If the bank cannot be made.
    """
    if name in ("raw", "series"):
        return FittedStage(name)
    from spicealif.learning.bank import AlifBank

    arguments, x = task.bank.arguments(split.seed), dataset.x[split.train]
    meant: Mapping[str, _Floats] = {}
    if name == "lif":
        from spicealif.learning.control import without_adaptation

        given = arguments["neuron"]
        neuron: Neuron = load_preset(given) if isinstance(given, str) else given
        # What the memristor's bank is refused for is told of that one.
        with warnings.catch_warnings(), contextlib.suppress(SpicealifError):
            warnings.simplefilter("ignore")
            meant = AlifBank(**arguments).fit(x).values_
        arguments["neuron"] = without_adaptation(neuron)
        # A resistor has none of the memristor's values.
        spread = arguments["spread"] or {}
        rest = {k: v for k, v in spread.items() if not k.startswith("leak.")}
        arguments["spread"] = rest or None
    bank = AlifBank(**arguments, n_jobs=1).fit(x)
    # What is drawn goes by a parameter's place in the list, and the resistor's list is another:
    # neuron by neuron the two banks have the same values in all that both have.
    bank.values_ |= {key: v for key, v in meant.items() if key in bank.values_}
    return FittedStage(name, bank)


def fit_method(
    task: Task,
    dataset: Dataset,
    split: Split,
    method: str,
    stage: FittedStage | None = None,
    features: _Floats | None = None,
) -> FittedMethod:
    """Return a method, fitted on a split's training samples.

    Parameters
    ----------
    task : Task
    dataset : Dataset
    split : Split
    method : str
        Such as "alif-ridge" or "rbf-svm".
    stage : FittedStage, optional
        If it is there already.
    features : ndarray, optional
        Of the training samples, as the stage gives them.

    Raises
    ------
    LearningError
        If there is no such method, or nothing can be fitted.
    """
    from spicealif.learning._models import MODELS

    _, readout = stage_of(method)
    stage = stage or fit_stage(task, dataset, split, stage_name(method))
    if features is None:
        features = stage.transform(dataset.x[split.train])
    if not np.isfinite(features).all():
        raise LearningError(
            f"The bank gives features that are missing or infinite "
            f"({int((~np.isfinite(features)).sum())} of {features.size}); choose other features."
        )
    y = dataset.y[split.train]
    model = MODELS[readout](y, task.inner_folds, split.seed, features[0].size)
    return FittedMethod(method, stage, model.fit(features, y))


def stage_name(method: str) -> str:
    """Return the stage that a method reads; classical ones read the samples as they are."""
    stage, readout = stage_of(method)
    return stage or ("series" if readout in SERIES_ONLY else "raw")


def outcomes(
    task: Task, dataset: Dataset, split: Split, methods: Sequence[str]
) -> dict[str, Outcome | Exception]:
    """Return what methods that read one stage make of a split, or why one fails.

    The stage is fitted once, and its features are made once.

    Parameters
    ----------
    task : Task
    dataset : Dataset
    split : Split
    methods : sequence of str
        All of one stage.
    """
    from threadpoolctl import threadpool_limits

    begin = time.process_time()
    # One thread, by which sums of matrix products are the same whatever the machine is busy with.
    with threadpool_limits(1), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        stage = fit_stage(task, dataset, split, stage_name(methods[0]))
        train = stage.transform(dataset.x[split.train])
        test = stage.transform(dataset.x[split.test])
        stage_s = time.process_time() - begin
        common = _sentences(told)
        found: dict[str, Outcome | Exception] = {}
        for method in methods:
            told.clear()
            try:
                found[method] = _outcome(task, dataset, split, method, stage, (train, test),
                                         stage_s, common, told)  # fmt: skip
            except Exception as error:
                found[method] = error
    return found


def _outcome(
    task: Task,
    dataset: Dataset,
    split: Split,
    method: str,
    stage: FittedStage,
    features: tuple[_Floats, _Floats],
    stage_s: float,
    common: tuple[str, ...],
    told: list[warnings.WarningMessage],
) -> Outcome:
    begin = time.process_time()
    fitted = fit_method(task, dataset, split, method, stage, features[0])
    predicted = np.asarray(fitted.model.predict(features[1]), dtype=np.int64)
    fit_s = time.process_time() - begin
    right = predicted == dataset.y[split.test]
    classes = [right[dataset.y[split.test] == k] for k in range(len(dataset.classes))]
    return Outcome(
        predicted, float(right.mean()), float(np.mean([c.mean() for c in classes if len(c)])),
        fitted.inner_accuracy, int(features[0][0].size), fitted.chosen, stage_s, fit_s,
        (*common, *_sentences(told)),
    )  # fmt: skip


def _sentences(told: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return warnings as sentences: ours as they are, and of others that a fit did not converge."""
    found = []
    for one in told:
        if issubclass(one.category, SpicealifWarning):
            found.append(str(one.message))
        elif one.category.__name__ == "ConvergenceWarning":
            found.append("Some fit of the search did not converge within its iterations.")
    return tuple(dict.fromkeys(found))

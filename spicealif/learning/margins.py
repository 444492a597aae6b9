"""How far a linear readout's prediction is from another class, over a box of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LinearReadout", "linear_readout"]

_Floats = NDArray[np.float64]

#: Classifiers whose prediction is the class of the largest score, one linear score a class.
_LINEAR = (
    *("RidgeClassifier", "RidgeClassifierCV", "LogisticRegression", "LogisticRegressionCV"),
    *("LinearSVC", "SGDClassifier", "Perceptron", "PassiveAggressiveClassifier"),
    *("LinearDiscriminantAnalysis",),
)
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class LinearReadout:
    """A readout as scores that are linear in the features.

    Attributes
    ----------
    weights : ndarray, shape (classes, m)
        Per unit of each feature.
    offsets : ndarray, shape (classes,)
    sizes : ndarray, shape (m,)
        What is subtracted from each feature, by magnitude: it counts in the rounding.
    classes : ndarray, shape (classes,)
    """

    weights: _Floats
    offsets: _Floats
    sizes: _Floats
    classes: NDArray[Any]

    def scores(self, features: ArrayLike) -> _Floats:
        """Return the scores, shape (n, classes)."""
        scores: _Floats = np.asarray(features, dtype=float) @ self.weights.T + self.offsets
        return scores

    def margins(self, low: ArrayLike, high: ArrayLike, chosen: NDArray[np.int64]) -> _Floats:
        """Return the least lead of the chosen class over every other one within a box.

        Parameters
        ----------
        low, high : array_like, shape (n, m)
            Bounds of each sample's features.
        chosen : ndarray of int, shape (n,)
            Numbers of the classes that are predicted.

        Returns
        -------
        ndarray, shape (n,)
            The least difference of scores, what rounding may be wrong by taken off: above 0 no
            features within the bounds lead to another prediction. Infinite with a single class;
            -inf where a bound is no number.
        """
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        largest = np.maximum(np.abs(low), np.abs(high)) + self.sizes
        slack = 4 * (low.shape[1] + 3) * _EPS
        least = np.full(len(low), np.inf)
        with np.errstate(invalid="ignore"):
            for k in range(len(self.classes)):
                rows = np.flatnonzero(chosen != k)
                lead = self.weights[chosen[rows]] - self.weights[k]
                # Each score is rounded by itself.
                both = np.abs(self.weights[chosen[rows]]) + np.abs(self.weights[k])
                base = self.offsets[chosen[rows]] - self.offsets[k]
                ends = np.minimum(lead * low[rows], lead * high[rows]).sum(axis=1) + base
                size = (both * largest[rows]).sum(axis=1)
                size += np.abs(self.offsets[chosen[rows]]) + np.abs(self.offsets[k])
                least[rows] = np.minimum(least[rows], ends - slack * size)
        least[~(np.isfinite(low).all(axis=1) & np.isfinite(high).all(axis=1))] = -np.inf
        return least


def linear_readout(readout: Any) -> LinearReadout | None:
    """Return a fitted readout as linear scores, or None if it is none of the known linear ones.

    Parameters
    ----------
    readout : estimator
        Fitted: a linear classifier (ridge, logistic regression, linear SVM, linear discriminant),
        or a `Pipeline` of scalers (standard, min-max, max-abs, robust) and one. A search for its
        parameters stands for the best it has found.

    Returns
    -------
    LinearReadout or None
    """
    found = getattr(readout, "best_estimator_", readout)
    steps = [step for _, step in found.steps] if hasattr(found, "steps") else [found]
    *scalers, classifier = steps
    classifier = getattr(classifier, "best_estimator_", classifier)
    if not _is_linear(classifier):
        return None
    weights = np.atleast_2d(np.asarray(classifier.coef_, dtype=float))
    offsets = np.broadcast_to(np.asarray(classifier.intercept_, dtype=float), len(weights)).copy()
    classes = np.asarray(classifier.classes_)
    if len(weights) == 1 and len(classes) == 2:
        # The one score is for the second class and, with its sign changed, for the first; a score
        # of half as much for each leads to the same differences.
        weights, offsets = np.vstack([-weights, weights]) / 2, np.array([-0.5, 0.5]) * offsets
    if len(weights) != len(classes):
        return None
    sizes = np.zeros(weights.shape[1])
    for scaler in reversed(scalers):
        parts = _scaling(scaler)
        if parts is None:
            return None
        shift, factor = parts  # what goes out is (what comes in - shift) * factor
        weights = weights * factor
        offsets = offsets - weights @ np.broadcast_to(shift, weights.shape[1])
        sizes = sizes / np.where(factor == 0, 1.0, np.abs(factor)) + np.abs(shift)
    return LinearReadout(weights, offsets, sizes, classes)


def _is_linear(classifier: Any) -> bool:
    names = {base.__name__ for base in type(classifier).__mro__}
    return bool(names & set(_LINEAR)) and getattr(classifier, "coef_", None) is not None


def _scaling(scaler: Any) -> tuple[_Floats, _Floats] | None:
    """Return what a scaler takes off and multiplies with; None if it is none of those known."""
    if scaler is None or isinstance(scaler, str):  # "passthrough"
        return np.zeros(1), np.ones(1)
    name = type(scaler).__name__
    if name == "StandardScaler":
        shift = scaler.mean_ if scaler.with_mean else np.zeros(1)
        return np.asarray(shift), 1 / np.asarray(scaler.scale_ if scaler.with_std else [1.0])
    if name == "OneScale":  # of studies: one divisor for all features
        return np.asarray(scaler.mean_), np.full(len(scaler.mean_), 1 / scaler.scale_)
    if name == "RobustScaler":
        shift = scaler.center_ if scaler.with_centering else np.zeros(1)
        return np.asarray(shift), 1 / np.asarray(scaler.scale_ if scaler.with_scaling else [1.0])
    if name == "MaxAbsScaler" and not getattr(scaler, "clip", False):
        return np.zeros(1), 1 / np.asarray(scaler.scale_)
    if name == "MinMaxScaler" and not scaler.clip:
        factor = np.asarray(scaler.scale_)
        return -np.asarray(scaler.min_) / factor, factor
    return None

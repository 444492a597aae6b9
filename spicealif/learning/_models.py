"""The classifiers of a study, each choosing its own parameters on the training data alone.

Grids are small and the same for all tasks: a study compares methods that somebody sets up with
care and without knowing the test samples, not the best that a long search would find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from spicealif.errors import LearningError

__all__ = ["MODELS", "DtwNeighbour", "OneScale", "inner_folds"]

_Floats = NDArray[np.float64]
#: Training samples among which 1-NN DTW compares its windows.
_MOST_COMPARED = 500
#: Windows of DTW as a share of the series' length; 0 is the Euclidean distance.
_WINDOWS = (0.0, 0.05, 0.1, 0.2, 1.0)
_TREES = 300


class OneScale(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Centre each feature, and divide all by the same number.

    Features that have a unit in common (pixels, values of a series) keep their weight so.
    """

    def fit(self, x: _Floats, y: Any = None) -> OneScale:
        """Take the means and the one standard deviation."""
        self.mean_ = x.mean(axis=0)
        self.scale_ = float((x - self.mean_).std()) or 1.0
        return self

    def transform(self, x: _Floats) -> _Floats:
        """Return ``(x - mean) / scale``."""
        out: _Floats = (x - self.mean_) / self.scale_
        return out


class DtwNeighbour(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The nearest neighbour by dynamic time warping, whose window is chosen by leaving one out.

    Of windows that do equally well the narrowest is taken.
    """

    def fit(self, x: _Floats, y: NDArray[np.int64]) -> DtwNeighbour:
        """Choose the window among the training samples, and keep these."""
        from aeon.distances import dtw_pairwise_distance

        self.classes_ = np.unique(y)
        self.x_, self.y_ = x, y
        some = np.arange(len(y)) % max(1, -(-len(y) // _MOST_COMPARED)) == 0
        x, y = x[some], y[some]
        right = []
        for window in _WINDOWS:
            apart = dtw_pairwise_distance(x, window=window)
            np.fill_diagonal(apart, np.inf)
            right.append(float((y[apart.argmin(axis=1)] == y).mean()))
        self.window_ = _WINDOWS[int(np.argmax(right))]
        self.best_score_ = max(right)
        return self

    def predict(self, x: _Floats) -> NDArray[np.int64]:
        """Return the class of each sample's nearest neighbour."""
        from aeon.distances import dtw_pairwise_distance

        apart = dtw_pairwise_distance(x, self.x_, window=self.window_)
        out: NDArray[np.int64] = self.y_[apart.argmin(axis=1)]
        return out


def inner_folds(y: NDArray[np.int64], folds: int, seed: int) -> StratifiedKFold:
    """Return the folds within the training data, at most as many as the rarest class has samples.

    Raises
    ------
    LearningError
        If a class has one training sample.
    """
    least = int(np.unique(y, return_counts=True)[1].min())
    if least < 2:
        raise LearningError(
            "A class has one training sample, so that nothing can be chosen within the training "
            "data; give more samples of it, or leave it out."
        )
    return StratifiedKFold(min(folds, least), shuffle=True, random_state=seed)


def _searched(
    model: Any, grid: Mapping[str, Any], scale: Any = None
) -> Callable[[NDArray[np.int64], int, int, int], Any]:
    """Return a maker of a model behind a scaler, its grid searched by inner folds."""

    def make(y: NDArray[np.int64], folds: int, seed: int, d: int) -> Any:
        one = model(seed)
        values = grid(d) if callable(grid) else grid
        pipe = Pipeline([("scale", scale or StandardScaler()), ("model", one)])
        named = {k if k == "scale" else f"model__{k}": v for k, v in values.items()}
        return GridSearchCV(
            pipe, named, cv=inner_folds(y, folds, seed), scoring="accuracy", error_score="raise"
        )

    return make


def _convolution(name: str, seed: int) -> Any:
    # aeon takes seconds to import: methods that need none of it do without.
    from aeon.classification import convolution_based

    return getattr(convolution_based, name)(random_state=seed, n_jobs=1)


def _either(**grid: Any) -> Any:
    return {"scale": [StandardScaler(), OneScale()], **grid}


def _rbf_grid(d: int) -> Any:
    # Behind both scalers a feature has a variance of about 1, so that distances go with sqrt(d).
    return _either(C=[1.0, 10.0, 100.0], gamma=[0.3 / d, 1.0 / d, 3.0 / d])


#: By name, a function of the training classes, the inner folds, the seed and the number of features
#: that returns the classifier, not yet fitted.
MODELS: Mapping[str, Callable[[NDArray[np.int64], int, int, int], Any]] = MappingProxyType(
    {
        "ridge": _searched(lambda seed: RidgeClassifier(), {"alpha": np.logspace(-3, 4, 8)}),
        "logistic": _searched(
            lambda seed: LogisticRegression(max_iter=1000, tol=1e-3), {"C": np.logspace(-4, 1, 6)}
        ),
        # Of the two problems the primal one, which is solved without chance.
        "svm": _searched(
            lambda seed: LinearSVC(dual=False, tol=1e-3, max_iter=5000),
            {"C": np.logspace(-5, 0, 6)},
        ),
        "rbf-svm": _searched(lambda seed: SVC(), _rbf_grid),  # type: ignore[arg-type]
        "random-forest": _searched(
            lambda seed: RandomForestClassifier(_TREES, random_state=seed),
            {"max_features": ["sqrt", 0.3]},
        ),
        "k-nn": _searched(
            lambda seed: KNeighborsClassifier(), _either(n_neighbors=[1, 3, 5, 9])
        ),
        "mlp": _searched(
            lambda seed: MLPClassifier((100,), max_iter=500, random_state=seed),
            {"alpha": [1e-4, 1e-1]},
        ),
        "minirocket": lambda y, folds, seed, d: _convolution("MiniRocketClassifier", seed),
        "rocket": lambda y, folds, seed, d: _convolution("RocketClassifier", seed),
        "1nn-dtw": lambda y, folds, seed, d: DtwNeighbour(),
    }
)  # fmt: skip

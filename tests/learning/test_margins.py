"""Margins of linear readouts against brute force over the corners of boxes."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from spicealif.learning.margins import linear_readout

X, Y = load_iris(return_X_y=True)
#: Spikes, and something that is 1e-9 of them.
X = X * np.array([1.0, 10.0, 1e-9, 1e3])
READOUTS = [
    make_pipeline(StandardScaler(), RidgeClassifier()),
    make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=2000)),
    make_pipeline(RobustScaler(), StandardScaler(with_mean=False), LinearSVC()),
    LinearDiscriminantAnalysis(),
]


@pytest.mark.parametrize(
    "readout", READOUTS, ids=lambda r: type(getattr(r, "steps", [[0, r]])[-1][1]).__name__
)
@pytest.mark.parametrize("classes", [2, 3])
def test_scores_predict_what_the_readout_predicts(readout, classes):
    x, y = X[classes > Y], Y[classes > Y] * 5 - 3
    readout.fit(x, y)
    linear = linear_readout(readout)
    scores = linear.scores(x)
    assert np.array_equal(linear.classes[scores.argmax(axis=1)], readout.predict(x))
    theirs = readout.decision_function(x)
    ours = scores[:, 1] - scores[:, 0] if classes == 2 else scores
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_margin_is_the_least_over_all_corners_of_the_box(classes):
    chosen = 3 - classes <= Y
    x, y = X[chosen], Y[chosen]
    readout = make_pipeline(StandardScaler(), RidgeClassifier()).fit(x, y)
    linear = linear_readout(readout)
    rng = np.random.default_rng(1)
    width = 0.3 * rng.random(x.shape) * x.std(axis=0)
    low, high = x - width, x + 2 * width
    chosen = linear.scores(x).argmax(axis=1)
    margins = linear.margins(low, high, chosen)
    least, flips = np.full(len(x), np.inf), np.zeros(len(x), dtype=bool)
    for corner in itertools.product([False, True], repeat=x.shape[1]):
        at = np.where(corner, high, low)
        scores = linear.scores(at)
        lead = scores[np.arange(len(x)), chosen][:, None] - scores
        lead[np.arange(len(x)), chosen] = np.inf
        least = np.minimum(least, lead.min(axis=1))
        flips |= readout.predict(at) != linear.classes[chosen]
    np.testing.assert_allclose(margins, least, rtol=1e-9, atol=1e-12)
    assert (margins <= least).all()
    assert 0 < flips.sum() < len(x)
    assert np.array_equal(flips, margins <= 0)


def test_a_bound_that_is_no_number_certifies_nothing():
    linear = linear_readout(make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, Y))
    low = X[:2].copy()
    low[0, 1] = np.nan
    margins = linear.margins(low, X[:2], np.zeros(2, dtype=int))
    assert margins[0] == -np.inf
    assert margins[1] > 0


@pytest.mark.parametrize(
    "readout",
    [
        make_pipeline(StandardScaler(), SVC(kernel="linear")),  # one against one
        make_pipeline(MinMaxScaler(clip=True), RidgeClassifier()),
        make_pipeline(PolynomialFeatures(), RidgeClassifier()),
        KNeighborsClassifier(),
    ],
    ids=["svc", "clipped", "polynomial", "neighbours"],
)
def test_other_readouts_have_no_linear_scores(readout):
    assert linear_readout(readout.fit(X, Y)) is None

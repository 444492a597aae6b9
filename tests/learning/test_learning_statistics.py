"""Intervals and tests against SciPy's and against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from spicealif.errors import LearningError
from spicealif.learning import corrected_interval, corrected_t_test, holm, wilson_interval

A = [0.90, 0.92, 0.95, 0.91, 0.89]
B = [0.88, 0.91, 0.92, 0.93, 0.86]


def test_without_a_correction_it_is_the_paired_t_test():
    t, p = corrected_t_test(A, B, 1.0, 1e-15)
    known = stats.ttest_rel(A, B)
    assert t == pytest.approx(known.statistic, rel=1e-9)
    assert p == pytest.approx(known.pvalue, rel=1e-9)
    low, high = stats.ttest_1samp(A, 0.0).confidence_interval(0.95)
    assert corrected_interval(A, 1.0, 1e-15)[1:] == pytest.approx((low, high), rel=1e-9)


def test_the_correction_by_hand():
    # Differences 2, 1, 3, -2, 3 points: mean 1.4, variance 4.3; 1/5 + 1/4 of it is 1.935.
    t, p = corrected_t_test(A, B, 80, 20)
    assert t == pytest.approx(1.4 / math.sqrt(1.935), rel=1e-9)
    assert p == pytest.approx(2 * stats.t.sf(t, 4), rel=1e-9)
    assert corrected_t_test(B, A, 80, 20) == pytest.approx((-t, p))


def test_it_keeps_its_level_where_the_plain_test_does_not():
    """Two equal methods on folds that are repeated: real differences are found too often."""
    rng = np.random.default_rng(0)
    found = np.zeros(2)
    for _ in range(300):
        # Each sample is right by method a, by b, or both, whatever it is trained with.
        d = rng.choice([-1.0, 0.0, 1.0], size=100, p=[0.1, 0.8, 0.1])
        means = []
        for _ in range(10):
            means += [float(d[part].mean()) for part in np.split(rng.permutation(100), 5)]
        found += [corrected_t_test(means, [0.0] * 50, 80, 20)[1] < 0.05,
                  stats.ttest_1samp(means, 0).pvalue < 0.05]  # fmt: skip
    assert found[0] / 300 < 0.08
    assert found[1] / 300 > 0.3


@pytest.mark.parametrize("n_train", [30, 150])
def test_the_variance_of_the_mean_where_it_is_known(n_train):
    """Accuracies that are sums over training and test samples, drawn many times."""
    n, splits = 300, 6
    n_test = n - n_train
    rng = np.random.default_rng(2)
    means, widths = [], []
    for _ in range(1500):
        g, h = rng.normal(0, 1.0, n), rng.normal(0, 30.0, n)
        values, apart = [], []
        for _ in range(splits):
            order = rng.permutation(n)
            train, test = order[:n_train], order[n_train:]
            values.append(g[train].mean() * 8 + h[test].mean())
            apart.append(h[test].var() / n_test)
        mean, low, _ = corrected_interval(values, n_train, n_test - 1e-9 * (n_train == 150),
                                          test_variance=float(np.mean(apart)))  # fmt: skip
        means.append(mean)
        widths.append((mean - low) / stats.t.ppf(0.975, splits - 1))
    assert np.sqrt(np.mean(np.square(widths))) == pytest.approx(np.std(means), rel=0.06)


def test_what_cannot_be_tested():
    assert corrected_t_test(A, A, 80, 20) == (0.0, 1.0)
    assert all(map(math.isnan, corrected_t_test(A, np.subtract(A, 0.1), 80, 20)))
    assert all(map(math.isnan, corrected_t_test([0.9], [0.8], 80, 20)))
    mean, low, high = corrected_interval([0.9, 0.9, 0.9], 80, 20)
    assert (mean, math.isnan(low), math.isnan(high)) == (pytest.approx(0.9), True, True)
    for bad in (
        lambda: corrected_t_test(A, B[:-1], 80, 20),
        lambda: corrected_interval([], 80, 20),
        lambda: corrected_interval(A, 0, 20),
        lambda: corrected_interval(A, 80, 20, level=95),
    ):
        with pytest.raises(LearningError):
            bad()


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, and no less after that.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    mixed = holm([math.nan, 0.02])
    assert (math.isnan(mixed[0]), mixed[1]) == (True, 0.02)


@pytest.mark.parametrize(("right", "n"), [(40, 40), (0, 7), (33, 50)])
def test_wilson_is_scipys(right, n):
    known = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(right / n, n) == pytest.approx((known.low, known.high), abs=1e-12)

"""How often two equally good methods are called different over splits of the same samples.

Two methods of one kind read features of their own, which are drawn alike, so that over all data
sets neither is better. Each data set is split many times; the share of data sets in which p is
below 5 % should be 5 %. Printed: that share for the plain paired t-test, for Nadeau and Bengio's
correction, and for the one that spicealif uses (see `spicealif.learning.statistics`); the true
standard deviation of the mean difference, and what the three take it for.

Run: python benchmarks/splits.py (about a minute; n data sets with the argument n).

With 300 data sets and 10 splits, linear discriminants:

    train  test    plain   N. and B.   used    true sd, and taken for it
       50   150    0.523   0.003       0.013   0.0437   0.0129  0.0718  0.0506
       66  1030    0.380   0.000       0.007   0.0185   0.0072  0.0904  0.0215
       40    40    0.460   0.040       0.040   0.0791   0.0259  0.0860  0.0860
      160    40    0.150   0.017       0.017   0.0433   0.0305  0.0571  0.0571

With one of the two better by a shift of 0.3, it is found (the power):

       50   150    0.967   0.227       0.383
       66  1030    1.000   0.033       0.997
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import stats

from spicealif.learning import corrected_interval, corrected_t_test

SPLITS, FEATURES, SHIFT = 10, 4, 0.6
SIZES = ((50, 150), (66, 1030), (40, 40), (160, 40))


def discriminant(x, y, new):
    """Return which new samples a linear discriminant takes for class 1."""
    means = [x[y == k].mean(axis=0) for k in (0, 1)]
    spread = np.cov((x - np.where(y[:, None] == 0, *means)).T) + 0.05 * np.eye(x.shape[1])
    w = np.linalg.solve(spread, means[1] - means[0])
    return (new - (means[0] + means[1]) / 2) @ w > 0


def splits_of(rng, y, n_train, n_test):
    """Yield training and test samples: folds where the test samples are few, else resamples."""
    n, order = n_train + n_test, np.arange(len(y))
    for k in range(SPLITS):
        if n_test < n_train:
            folds = n // n_test
            order = rng.permutation(n) if k % folds == 0 else order
            test = order[(k % folds) * n_test : (k % folds + 1) * n_test]
            yield np.setdiff1d(np.arange(n), test), test
        else:
            drawn = [rng.permutation(np.flatnonzero(y == c))[: n_train // 2] for c in (0, 1)]
            train = np.concatenate(drawn)
            yield train, np.setdiff1d(np.arange(n), train)


def trial(rng, n_train, n_test, better):
    """Return p of the three tests, the mean difference and the three standard deviations."""
    y = np.repeat([0, 1], (n_train + n_test) // 2)
    x = rng.normal(size=(len(y), 2 * FEATURES))
    x[:, :FEATURES] += (SHIFT + better) * y[:, None]
    x[:, FEATURES:] += SHIFT * y[:, None]
    values, apart = [], []
    for train, test in splits_of(rng, y, n_train, n_test):
        right = [
            discriminant(x[train][:, some], y[train], x[test][:, some]) == y[test]
            for some in (slice(0, FEATURES), slice(FEATURES, None))
        ]
        d = right[0].astype(float) - right[1]
        values.append(d.mean())
        apart.append(d.var() / n_test)
    none, mean = [0.0] * SPLITS, float(np.mean(apart))
    sizes = n_train, n_test
    p = [
        stats.ttest_1samp(values, 0.0).pvalue,
        corrected_t_test(values, none, *sizes)[1],
        corrected_t_test(values, none, *sizes, test_variance=mean)[1],
    ]
    t = stats.t.ppf(0.975, SPLITS - 1)
    ends = [corrected_interval(values, *sizes, test_variance=w) for w in (None, mean)]
    taken = [float(np.std(values, ddof=1)) / SPLITS**0.5, *((m - low) / t for m, low, _ in ends)]
    return p, float(np.mean(values)), taken


def main(n: int) -> None:
    """Print a line for each size, of equal methods and of one that is better."""
    for better in (0.0, 0.3):
        print(f"one of the two better by {better:g}")
        for sizes in SIZES:
            rng = np.random.default_rng(0)
            found = [trial(rng, *sizes, better) for _ in range(n)]
            share = (np.array([p for p, _, _ in found]) < 0.05).mean(axis=0)
            sd = np.sqrt(np.mean(np.square([taken for _, _, taken in found]), axis=0))
            true = np.std([mean for _, mean, _ in found])
            print(*(f"{size:5d}" for size in sizes), *(f"{s:8.3f}" for s in share), f"{true:9.4f}",
                  *(f"{s:8.4f}" for s in sd))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)

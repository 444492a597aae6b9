"""Intervals and tests for accuracies over splits of the same samples.

Splits share samples, so that their accuracies are no independent draws: the usual t-test takes
differences for real that are not. Nadeau and Bengio's correction (Machine Learning 52, 239, 2003,
doi:10.1023/A:1024068626366) adds the share of test to training samples to the variance of the mean;
Bouckaert and Frank (PAKDD 2004, doi:10.1007/978-3-540-24775-3_3) found it to keep its level for
repeated folds.

It takes the spread between splits for one of test samples alone, which with more test than training
samples makes it far too wide (five times at 66 and 1,030, see ``benchmarks/splits.py``): there most
of the spread comes from the few training samples, and splits share few of these. So where the
spread over the test samples is known and there are more of them, the two parts are told apart. Let
an accuracy be a sum over the training samples plus a sum over the test samples, with variances V
and W, and N = n_train + n_test. Splits drawn from the same N samples then differ by

    s^2 = V n_test / N + W n_train / N,

and the mean of J of them has the variance

    s^2 / J + V n_train / N + W n_test / N.

W is known from single test samples (their variance over n_test), V is what s^2 leaves. With V = 0
this is Nadeau and Bengio's variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import LearningError

__all__ = ["corrected_interval", "corrected_t_test", "holm", "wilson_interval"]


def corrected_interval(
    values: Sequence[float] | NDArray[np.float64],
    n_train: float,
    n_test: float,
    level: float = 0.95,
    *,
    test_variance: float | None = None,
) -> tuple[float, float, float]:
    """Return the mean over splits and its interval by the corrected resampled t.

    Parameters
    ----------
    values : sequence of float
        One figure for each split, such as an accuracy.
    n_train, n_test : float
        Samples of a split.
    level : float
        Of confidence.
    test_variance : float, optional
        Variance of a split's figure over draws of test samples: of an accuracy a, a (1 - a) /
        n_test. Used where there are more test than training samples; see the module.

    Returns
    -------
    mean, low, high : float
        NaN for the ends where there is one split, or all are equal: then nothing is known of how
        far they lie apart.

    Raises
    ------
    LearningError
        If there are no values, or a number makes no sense.

    Examples
    --------
    >>> mean, low, high = corrected_interval([0.90, 0.92, 0.94], 80, 20)
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.92, 0.854, 0.986)
    """
    from scipy import stats

    mean, variance, splits = _mean_and_variance(values, n_train, n_test, test_variance)
    if not 0 < level < 1:
        raise LearningError(f"The level {level:g} is no level of confidence; give one as 0.95.")
    if splits < 2 or variance == 0:
        return mean, math.nan, math.nan
    half = float(stats.t.ppf(0.5 + level / 2, splits - 1)) * math.sqrt(variance)
    return mean, mean - half, mean + half


def corrected_t_test(
    a: Sequence[float] | NDArray[np.float64],
    b: Sequence[float] | NDArray[np.float64],
    n_train: float,
    n_test: float,
    *,
    test_variance: float | None = None,
) -> tuple[float, float]:
    """Return t and the two-sided p of the paired corrected resampled t-test.

    Parameters
    ----------
    a, b : sequence of float
        Figures of two methods over the same splits.
    n_train, n_test : float
        Samples of a split.
    test_variance : float, optional
        Variance of a split's difference over draws of test samples: the variance of "a is right"
        less "b is right" over single samples, over n_test. Used where there are more test than
        training samples; see the module.

    Returns
    -------
    t, p : float
        0 and 1 where all splits agree to the last bit; NaN where all differences are the same
        number, or there is one split: then there is nothing to test by.

    Raises
    ------
    LearningError
        If they are not of the same splits, or there are none.

    Examples
    --------
    >>> t, p = corrected_t_test([0.90, 0.92, 0.95], [0.88, 0.91, 0.92], 80, 20)
    >>> round(t, 3), round(p, 3)
    (2.619, 0.12)
    """
    from scipy import stats

    if len(a) != len(b):
        raise LearningError(
            f"There are {len(a)} and {len(b)} figures; give those of the same splits."
        )
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    # Accuracies are quotients: equal differences come out a few last bits apart.
    differences = np.round(differences, 12)
    mean, variance, splits = _mean_and_variance(differences, n_train, n_test, test_variance)
    if splits > 1 and not differences.any():
        return 0.0, 1.0
    if splits < 2 or variance == 0:
        return math.nan, math.nan
    t = mean / math.sqrt(variance)
    return t, float(2 * stats.t.sf(abs(t), splits - 1))


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's step-down method, in the order given.

    Parameters
    ----------
    p : sequence of float
        NaN for what was not tested, which stays so and does not count.

    Returns
    -------
    list of float

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    known = sorted((value, k) for k, value in enumerate(p) if not math.isnan(value))
    out, least = [math.nan] * len(p), 0.0
    for rank, (value, k) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * value))
        out[k] = least
    return out


def wilson_interval(right: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share of `n` independent samples.

    Parameters
    ----------
    right : float
        The share.
    n : float
        Samples.
    level : float
        Of confidence.

    Examples
    --------
    >>> low, high = wilson_interval(1.0, 40)
    >>> round(low, 3), high
    (0.912, 1.0)
    """
    from scipy import stats

    z = float(stats.norm.ppf(0.5 + level / 2))
    middle = (right + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(right * (1 - right) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _mean_and_variance(
    values: Any, n_train: float, n_test: float, test_variance: float | None
) -> tuple[float, float, int]:
    """Return the mean, the variance of it, and the number of splits."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size or array.ndim != 1 or not np.isfinite(array).all():
        raise LearningError("There are no figures of splits, or some are missing; give all.")
    if not (n_train > 0 and n_test > 0):
        raise LearningError(
            f"A split of {n_train:g} and {n_test:g} samples is none; give both numbers above 0."
        )
    splits = len(array)
    # The spread of equal numbers is rounding.
    spread = float(array.var(ddof=1)) if splits > 1 and np.ptp(array) > 1e-12 else 0.0
    mean = float(array.mean())
    if test_variance is None or n_test <= n_train:
        return mean, (1 / splits + n_test / n_train) * spread, splits
    train, test = n_train / (n_train + n_test), n_test / (n_train + n_test)
    of_training = max(0.0, (spread - train * test_variance) / test)
    return mean, spread / splits + train * of_training + test * test_variance, splits

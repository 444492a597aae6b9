"""What of a count of right predictions is chance: intervals, and a test of paired changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spicealif.learning.statistics import wilson_interval
from spicealif.measures.tables import plain

__all__ = ["CONFIDENCE", "Estimate", "combined", "mcnemar", "of_draws", "wilson"]

_Floats = NDArray[np.float64]

#: Of every interval here.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval of 95 %.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float

    @property
    def within_chance(self) -> bool:
        """Whether the interval holds 0."""
        return self.low <= 0.0 <= self.high

    def to_dict(self) -> dict[str, float | None]:
        """Return value and ends for JSON; None where they are not finite."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_dict` was given; of a known value an end that is not finite is open.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no such dictionary.
        """
        value = data["value"]
        open_end = math.nan if value is None else math.inf
        low, high = (
            float(end) if end is not None else sign * open_end
            for end, sign in ((data["low"], -1.0), (data["high"], 1.0))
        )
        return cls(math.nan if value is None else float(value), low, high)


def wilson(right: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return a proportion with Wilson's interval.

    Parameters
    ----------
    right, n : int
        `right` of `n`.
    confidence : float

    Returns
    -------
    Estimate
        NaN throughout without any sample.
    """
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    low, high = wilson_interval(right / n, n, confidence)
    # The ends at 0 and 1 are exact, which rounding would miss.
    return Estimate(right / n, 0.0 if right == 0 else low, 1.0 if right == n else high)


def mcnemar(worse: int, better: int) -> float:
    """Return the p-value of McNemar's exact test, two-sided.

    Parameters
    ----------
    worse, better : int
        Samples that one classifier has right and the other wrong, and the other way round.

    Returns
    -------
    float
        1 where nothing changed.
    """
    n = worse + better
    if n == 0:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2.0 * float(bdtr(min(worse, better), n, 0.5)))


def combined(value: float, *sources: tuple[float, float]) -> Estimate:
    """Return a figure with an interval from independent sources of error.

    Parameters
    ----------
    value : float
    *sources : tuple of (float, float)
        Standard error and degrees of freedom of each. A NaN, an error that is not known, makes
        the interval infinite.

    Returns
    -------
    Estimate
        By Student's distribution with the degrees of freedom of Welch and Satterthwaite.
    """
    if any(math.isnan(error) for error, _ in sources):
        return Estimate(value, -math.inf, math.inf)
    variances = [(error * error, freedom) for error, freedom in sources if error > 0]
    total = sum(v for v, _ in variances)
    if total <= 0.0:
        return Estimate(value, value, value)
    from scipy.special import stdtrit

    parts = [(v / total, f) for v, f in variances]
    freedom = 1.0 / sum(v * v / f for v, f in parts)
    half = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * math.sqrt(total)
    return Estimate(value, value - half, value + half)


def of_draws(values: _Floats) -> Estimate:
    """Return the mean over draws and samples with an interval that is of both.

    Parameters
    ----------
    values : ndarray, shape (D, N)
        A figure of each draw and sample, such as 1 for a right prediction.

    Returns
    -------
    Estimate
        The variance of the mean over samples and that over draws are added, which counts what is
        particular to a draw and a sample twice: the interval is no narrower than it should be.
        With one draw it is of the samples alone.
    """
    draws, n = values.shape
    sources = [(_error(values.mean(axis=0)), n - 1.0)]
    if draws > 1:
        sources.append((_error(values.mean(axis=1)), draws - 1.0))
    return combined(float(values.mean()), *sources)


def _error(values: _Floats) -> float:
    """Return the standard error of a mean; NaN of a single value."""
    if len(values) < 2:
        return math.nan
    return float(values.std(ddof=1)) / math.sqrt(len(values))

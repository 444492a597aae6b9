"""What scatter does: which parameter moves a measure how much, and how many points are good."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif.errors import SweepError
from spicealif.measures.shown import Page, Shown
from spicealif.sweep._results import Results

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Sensitivity", "Yield", "sensitivity", "yield_of"]

_Floats = NDArray[np.float64]
Method: TypeAlias = Literal["linear", "rank"]
#: The normal distribution's 97.5 % point, for intervals that hold 95 %.
_Z = 1.959963984540054


class Yield(NamedTuple):
    """A share of points with its 95 % Wilson interval.

    Attributes
    ----------
    share, low, high : float
        0 to 1.
    """

    share: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Sensitivity(Shown):
    """How much each parameter's scatter moves a measure.

    Attributes
    ----------
    measure : str
    side : str
        ``circuit`` or ``reference``; empty for a measure of the pair.
    method : {"linear", "rank"}
        See `sensitivity`.
    names : tuple of str
        The parameters, the one that moves the measure most first.
    coefficients, standard_errors : ndarray, shape (len(names),)
        Standardised regression coefficients: standard deviations (of the measure, or of its ranks)
        for one standard deviation (of the parameter, or of its ranks).
    scatter : float
        The measure's standard deviation, in its unit. For the linear method, coefficient times
        scatter is how much of the unit one standard deviation of the parameter makes.
    r_squared : float
        The part of the measure's variance that the regression explains.
    n : int
        Points that the regression was made from.
    left_out : int
        Points that failed or have no such measure.
    """

    measure: str
    side: str
    method: Method
    names: tuple[str, ...]
    coefficients: _Floats
    standard_errors: _Floats
    scatter: float
    r_squared: float
    n: int
    left_out: int

    def _pages(self) -> list[Page]:
        rows = [
            [name, f"{b:+.3f}", f"{e:.3f}"]
            for name, b, e in zip(self.names, self.coefficients, self.standard_errors, strict=True)
        ]
        out = f", {self.left_out} without a value left out" if self.left_out else ""
        note = f"{self.method} regression of {self.n} points{out}; R^2 = {self.r_squared:.3f}"
        of = f"{self.measure} ({self.side})" if self.side else self.measure
        return [Page((([of, "coefficient", "standard error"], rows),), [note])]


def sensitivity(
    dataset: xr.Dataset,
    measure: str,
    side: str | None = None,
    *,
    method: Method = "linear",
) -> Sensitivity:
    """Return how much each parameter's scatter moves a measure, by one regression on all.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of a sweep; best of one whose points were drawn, such as a Monte Carlo experiment.
    measure : str
        Name of a measure.
    side : {"circuit", "reference"}, optional
        If not given, the circuit if it was computed and its values vary.
    method : {"linear", "rank"}
        ``linear``: ordinary least squares of the measure on the parameters, all in standard
        deviations. ``rank``: the same of their ranks, which also serves a measure that is monotone
        in the parameters without being linear.

    Returns
    -------
    Sensitivity
        Standard errors are those of least squares, for the coefficients' scatter from one set of
        points to another. Parameters that do not vary, and texts, are left out, and so are points
        without a value, such as failed ones.

    Raises
    ------
    SweepError
        If there is no such measure or side, nothing varies, the points are too few, or the
        parameters' values follow from each other.
    """
    if method not in get_args(Method):
        raise SweepError(f"There is no method {ascii(method)}; choose linear or rank.")
    results = Results(dataset)
    results.check(measure)
    of = results.side(side) if results.sides_of(measure) != (None,) else ""
    y = results.values(measure, of or None).ravel()
    columns = {n: results.of_points(n).ravel() for n in results.parameters}
    numbers = {n: c.astype(float) for n, c in columns.items() if c.dtype.kind in "fiu"}
    names = [n for n, c in numbers.items() if np.ptp(c) > 0]
    if not names:
        raise SweepError("No parameter varies; take a sweep of numbers with several values.")
    good = np.isfinite(y)
    y, numbers = y[good], {n: numbers[n][good] for n in names}
    n, k = len(y), len(names)
    if n < k + 2:
        raise SweepError(
            f"{measure} has a value at {n} points, and {k} parameters need at least {k + 2}; take "
            "more points."
        )
    names = [n for n in names if np.ptp(numbers[n]) > 0]
    # A scatter of rounding errors is none.
    if np.ptp(y) <= 1e-12 * np.abs(y).max():
        raise SweepError(f"{measure} is the same at all points; choose another measure or side.")
    x = np.column_stack([numbers[name] for name in names])
    scatter = float(y.std(ddof=1))
    if method == "rank":
        from scipy.stats import rankdata

        x, y = rankdata(x, axis=0), rankdata(y)
    coefficients, errors, r_squared = _regression(x, y)
    order = np.argsort(-np.abs(coefficients), kind="stable")
    return Sensitivity(
        measure=measure,
        side=of,
        method=method,
        names=tuple(names[i] for i in order),
        coefficients=coefficients[order],
        standard_errors=errors[order],
        scatter=scatter,
        r_squared=r_squared,
        n=n,
        left_out=int((~good).sum()),
    )


def yield_of(
    dataset: xr.Dataset, limits: Mapping[str, tuple[float, float]], side: str | None = None
) -> Yield:
    """Return the share of points whose measures are all within limits.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of a sweep, usually a Monte Carlo experiment.
    limits : mapping of str to (float, float)
        For each measure the lowest and the highest value that are good, in SI units; infinity for
        no limit.
    side : {"circuit", "reference"}, optional
        If not given, the circuit if it was computed and its values vary.

    Returns
    -------
    Yield
        The share and the ends of its 95 % Wilson interval, which supposes that the points were
        drawn independently (``sampling="random"``). A point that failed, or that has no such
        measure, is not good.

    Raises
    ------
    SweepError
        If there is no such measure or side, or a limit's ends are not in order.
    """
    results = Results(dataset)
    if not limits:
        raise SweepError("There are no limits; give a measure with its lowest and highest value.")
    good = ~results.failed
    for measure, (low, high) in limits.items():
        results.check(measure)
        if not low <= high:
            raise SweepError(
                f"The limits of {measure} are {low:g} and {high:g}; give the lower one first."
            )
        of = results.side(side) if results.sides_of(measure) != (None,) else None
        values = results.values(measure, of)
        good &= (values >= low) & (values <= high)
    return _wilson(int(good.sum()), int(good.size))


def _regression(x: _Floats, y: _Floats) -> tuple[_Floats, _Floats, float]:
    """Return standardised coefficients, their standard errors, and the variance explained."""
    n, k = x.shape
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    target = (y - y.mean()) / y.std(ddof=1)
    coefficients, _, rank, _ = np.linalg.lstsq(z, target, rcond=1e-10)
    if rank < k:
        raise SweepError(
            "The parameters' values follow from each other, so that their effects cannot be told "
            "apart; vary them independently."
        )
    rest = target - z @ coefficients
    squares = float(rest @ rest)
    covariance = np.linalg.inv(z.T @ z) * (squares / (n - k - 1))
    return coefficients, np.sqrt(np.diag(covariance)), 1 - squares / float(target @ target)


def _wilson(good: int, n: int) -> Yield:
    """Return a binomial share with its Wilson score interval."""
    share, z2 = good / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # The interval of none and of all ends at 0 and 1 exactly, but for rounding.
    low = 0.0 if good == 0 else middle - half
    high = 1.0 if good == n else middle + half
    return Yield(share, low, high)

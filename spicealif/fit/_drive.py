"""What drives the simulated circuit: the source's voltage as a function of time, from its samples.

Noise in the drive would bias the fit: 8 mV of it stand in an exponent over V_T = 26 mV. A periodic
record's drive is therefore a short Fourier series where that describes the samples down to noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from spicealif.fit.loop import Loop

__all__ = ["Drive", "whiteness"]

_Floats = npt.NDArray[np.float64]
#: Harmonics at most.
_MAX_HARMONICS = 10
#: Whiteness below which the series does not describe the drive. Low, because a false alarm costs
#: more than a wave form that hides in the noise.
_LEVEL = 1e-4
#: Residuals of this part of the drive's variation are below what instruments resolve.
_RESOLUTION = 1e-3


class Drive:
    """The drive of one loop, and the grid of steps on which the loop is simulated.

    Parameters
    ----------
    loop : Loop

    Attributes
    ----------
    order : ndarray of int, shape (N,)
        The loop's samples in the order of their phase (periodic) or time.
    ends : ndarray
        Times in s of these samples from the first; a periodic drive's period ends the list.
    coefficients, covariance : ndarray or None
        Of the Fourier series, and their covariance by the scatter of the samples; None if the
        samples are joined by lines.
    """

    def __init__(self, loop: Loop) -> None:
        time = loop.time - loop.time[0]
        self.period = loop.period
        if loop.period is not None:
            # Of the last sample's rounding must not become a phase of nearly a period.
            time = np.where(loop.period - time % loop.period < 1e-9 * loop.period, 0.0,
                            time % loop.period)  # fmt: skip
        self.order = np.argsort(time, kind="stable")
        self._t, self._u = time[self.order], loop.v_in[self.order]
        counts = None if loop.counts is None else loop.counts[self.order]
        #: of each sample's residual, in whose scale the noise of all is the same
        self._weights = None if counts is None else np.sqrt(counts / counts.mean())
        self.ends = self._t if loop.period is None else np.append(self._t, loop.period)
        self.coefficients: _Floats | None = None
        self.covariance: _Floats | None = None
        if loop.period is not None:
            self._fit_series()

    @property
    def text(self) -> str:
        """How the drive was taken from the samples."""
        if self.coefficients is None:
            return "samples joined by lines"
        n = len(self.coefficients) // 2
        return f"Fourier series of {n} harmonic{'s' if n > 1 else ''}"

    def values(self, time: _Floats, coefficients: _Floats | None = None) -> _Floats:
        """Return the source's voltage in V, by other coefficients if these are given."""
        given = self.coefficients if coefficients is None else coefficients
        if given is not None:
            out: _Floats = self._basis(time, len(given) // 2) @ given
            return out
        if self.period is None:
            return np.asarray(np.interp(time, self._t, self._u))
        joined: _Floats = np.interp(time, self.ends, np.append(self._u, self._u[0]))
        return joined

    def grid(
        self, h: float, coefficients: _Floats | None = None
    ) -> tuple[_Floats, _Floats, npt.NDArray[np.int64]]:
        """Return steps of at most h that end on every sample.

        Returns
        -------
        u : ndarray, shape (2 n + 1,)
            The drive in V at begin, middle and end of each step.
        lengths : ndarray, shape (n,)
            Of the steps in s.
        at : ndarray of int, shape (N,)
            Which step end is which sample, in the order `order`.
        """
        distance = np.diff(self.ends)
        count = np.maximum(np.ceil(distance / h * (1 - 1e-9)), 1.0).astype(np.int64)
        lengths = np.repeat(distance / count, count)
        first = np.concatenate(([0], np.cumsum(count)))
        sub = np.arange(len(lengths)) - np.repeat(first[:-1], count)
        begin = np.repeat(self.ends[:-1], count) + sub * lengths
        u = np.empty(2 * len(lengths) + 1)
        u[:-1:2] = self.values(begin, coefficients)
        u[1::2] = self.values(begin + 0.5 * lengths, coefficients)
        u[-1] = self.values(self.ends[-1:], coefficients)[0]
        return u, lengths, first[: len(self.order)]

    def _fit_series(self) -> None:
        (t, u, n) = (self._t, self._u, len(self._t))
        if self._weights is not None:
            u = u * self._weights
        best: tuple[float, Any, Any, Any] | None = None
        for k in range(1, min(_MAX_HARMONICS, (n - 2) // 4) + 1):
            basis = self._basis(t, k)
            if self._weights is not None:
                basis = basis * self._weights[:, None]
            c = np.linalg.lstsq(basis, u)[0]
            rest = u - basis @ c
            power = max(float(rest @ rest) / n, 1e-300)
            # Bayesian information criterion
            score = n * math.log(power) + (2 * k + 1) * math.log(n)
            if best is None or score < best[0]:
                best = (score, c, rest, basis)
        if best is None:
            return
        (_, c, rest, basis) = best
        if whiteness(rest) > _LEVEL or rest.std() < _RESOLUTION * self._u.std():
            self.coefficients = c
            variance = rest @ rest / (n - len(c))
            self.covariance = variance * np.linalg.inv(basis.T @ basis)

    def _basis(self, time: _Floats, harmonics: int) -> _Floats:
        angle = 2 * math.pi / (self.period or math.inf) * time
        columns: Sequence[_Floats] = [
            f(k * angle) for k in range(1, harmonics + 1) for f in (np.cos, np.sin)
        ]
        return np.column_stack([np.ones_like(time), *columns])


def whiteness(residuals: _Floats, lags: int = 10) -> float:
    """Return the p-value of the Ljung-Box test that the residuals are white noise.

    Parameters
    ----------
    residuals : ndarray, shape (N,)
        In the order of time or phase.
    lags : int
        Autocorrelations that are tested together.

    Returns
    -------
    float
        Between 0 (certainly correlated) and 1.
    """
    r = residuals - residuals.mean()
    (n, power) = (len(r), float(r @ r))
    if not power > 0:
        return 1.0
    lags = min(lags, n // 4)
    rho = np.array([r[k:] @ r[:-k] for k in range(1, lags + 1)]) / power
    statistic = n * (n + 2) * float(np.sum(rho**2 / (n - np.arange(1, lags + 1))))
    return float(chi2.sf(statistic, lags))

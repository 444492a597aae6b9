"""How well the loops pin the parameters.

The estimate minimises a weighted sum of squares whose weights are the loss's, not the noise's.
Its covariance is therefore the sandwich A^-1 B A^-1, with A = J'J and B the covariance of J'r:

- Residuals that look like noise: B from the scatter of the residuals of v and i and their
  covariance within a sample (the two are often made of each other through the series resistor).
- Residuals that do not: the model does not explain the loop down to the noise. B then by Newey and
  West (Econometrica 55, 1987), with the bandwidth by Andrews (Econometrica 59, 1991) for AR(1).
- The drive's Fourier series is fitted too; the scatter of its coefficients is added to B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicealif.fit._drive import whiteness
from spicealif.fit._objective import FINE_STEADY, Objective

__all__ = ["Uncertainty", "find_uncertainty"]

_Floats = npt.NDArray[np.float64]
#: Distance in z of the two points that a derivative is taken from.
_STEP = 1e-5
#: Level of the test for white residuals.
_LEVEL = 0.01
#: A loop's loss below which what is left is the arithmetic's.
_EXACT = 1e-7


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Of the places z of the unknowns.

    Attributes
    ----------
    covariance : ndarray, shape (P, P)
    white : tuple of bool
        For each loop, whether its residuals look like noise.
    freedom : int
        Degrees of freedom of the residuals.
    """

    covariance: _Floats
    white: tuple[bool, ...]
    freedom: int


def find_uncertainty(
    objective: Objective, z: _Floats, steps: Sequence[float], residuals: _Floats
) -> Uncertainty:
    """Return how well the unknowns are known at the minimum.

    Parameters
    ----------
    objective : Objective
    z : ndarray, shape (P,)
        The minimum.
    steps : sequence of float
        Of the simulation, for each loop, in s.
    residuals : ndarray, shape (M,)
        At the minimum.
    """
    (p, m) = (len(z), len(residuals))
    slopes = np.empty((m, p))
    for k in range(p):
        # one-sided at the end of the range
        (low, high) = (z.copy(), z.copy())
        low[k], high[k] = max(z[k] - _STEP, 0.0), min(z[k] + _STEP, 1.0)
        difference = objective.residuals(high, steps) - objective.residuals(low, steps)
        slopes[:, k] = difference / (high[k] - low[k])
    freedom = max(m - p, 1)
    middle = np.zeros((p, p))
    white = []
    begin = 0
    for k, loop in enumerate(objective.loops):
        n = len(loop.time)
        (of_v, of_i) = (slice(begin, begin + n), slice(begin + n, begin + 2 * n))
        begin += 2 * n
        (j_v, j_i, r_v, r_i) = (slopes[of_v], slopes[of_i], residuals[of_v], residuals[of_i])
        exact = float(r_v @ r_v + r_i @ r_i) * len(objective.loops) < _EXACT
        white.append(exact or min(whiteness(r_v), whiteness(r_i)) > _LEVEL)
        if white[-1]:
            s = np.cov(np.vstack([r_v, r_i]), bias=True)
            cross = j_v.T @ j_i
            part = s[0, 0] * j_v.T @ j_v + s[1, 1] * j_i.T @ j_i + s[0, 1] * (cross + cross.T)
        else:
            scores = j_v * r_v[:, None] + j_i * r_i[:, None]
            part = _newey_west(scores - scores.mean(axis=0), loop.period is not None)
        middle += part * (m / freedom)
        middle += _from_drive(objective, k, z, steps[k], np.vstack([j_v, j_i]))
    # A direction that the loops do not pin at all is known from its range: uniform in [0, 1].
    variance = float(residuals @ residuals) / freedom
    inverse = np.linalg.inv(slopes.T @ slopes + 12 * variance * np.eye(p))
    middle += 12 * variance**2 * np.eye(p)
    return Uncertainty(inverse @ middle @ inverse, tuple(white), freedom)


def _newey_west(scores: _Floats, periodic: bool) -> _Floats:
    """Return the covariance of the sum of autocorrelated scores, shape (N, P)."""
    n = len(scores)
    power = np.sum(scores[:-1] ** 2, axis=0)
    rho = np.sum(scores[1:] * scores[:-1], axis=0) / np.where(power > 0, power, 1.0)
    rho = np.clip(rho, -0.97, 0.97)
    alpha = float(np.median(4 * rho**2 / ((1 - rho) ** 2 * (1 + rho) ** 2)))
    lags = int(min(max(1.1447 * (alpha * n) ** (1 / 3), 1.0), n // 4))
    out: _Floats = scores.T @ scores
    for k in range(1, lags + 1):
        c = scores[k:].T @ scores[:-k]
        if periodic:
            c = c + scores[:k].T @ scores[-k:]
        out = out + (1 - k / (lags + 1)) * (c + c.T)
    return out


def _from_drive(objective: Objective, loop: int, z: _Floats, h: float, slopes: _Floats) -> _Floats:
    """Return the covariance of J'r that the scatter of the drive's coefficients brings."""
    drive = objective.drives[loop]
    (c, covariance) = (drive.coefficients, drive.covariance)
    if c is None or covariance is None:
        return np.zeros((len(z), len(z)))
    step = 1e-5 * float(np.abs(c).max())
    (w_v, w_i) = objective.weights[loop]
    effect = np.empty((len(slopes), len(c)))
    for k in range(len(c)):
        ends = []
        for sign in (1.0, -1.0):
            other = c.copy()
            other[k] += sign * step
            (v, i, _) = objective.simulate(z, loop, h, FINE_STEADY, other)
            ends.append(np.concatenate([w_v * v, w_i * i]))
        effect[:, k] = (ends[0] - ends[1]) / (2 * step)
    moved = slopes.T @ effect
    out: _Floats = moved @ covariance @ moved.T
    return out

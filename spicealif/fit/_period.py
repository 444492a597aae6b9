"""The period of a drive, from its samples: in a time in proportion to their number.

Candidates come from the spectrum (and, where the record holds few periods, from a scan of their
number); each is brought to the least squares of a Fourier series, and the one whose series
describes the samples with the fewest terms is taken (Schwarz's information criterion): 2 T and 3 T
describe a drive of period T as well as T does, but need twice and three times the terms. Whether
the record repeats itself at all is then asked of all samples in the order of their phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len, rfft

__all__ = [
    "Periodicity",
    "find_period",
    "find_periodicity",
    "is_uniform",
    "joins",
    "noise_of",
    "repeats_at",
    "rest_at",
]

_Floats = npt.NDArray[np.float64]
#: Harmonics of the series at most. The strongest line may be this harmonic of the fundamental.
_HARMONICS, _STRONGEST = 16, 12
#: Samples and periods of the strongest line that candidates are compared on; samples a period that
#: are enough; numbers of periods up to which they are scanned.
_COMPARED, _COMPARED_PERIODS, _ENOUGH, _SCANNED = 1024, 60, 48, 8
#: Candidates whose minimum is sought.
_TRIED = 8
#: Below this part of the drive's power a rest is the arithmetic's.
_FLOOR = 1e-9
#: Part of the drive's power that three harmonics may leave in a record of less than two periods,
#: which cannot show that it repeats itself, and the power of differences between neighbours in
#: phase that a longer record may have; both besides the noise, of which so much is allowed for.
_LEFT, _DIFFERENCE, _NOISE, _NOISE_SHORT, _LENIENT = 0.0025, 0.1, 0.25, 0.05, 1.5
#: From so many periods on a record can show that it repeats itself.
_REPEATS = 1.9
#: How much worse (twice the logarithm of the likelihood) a whole number of periods may be than the
#: best one: three standard deviations.
_WHOLE = 9.0
#: How much better, in the same measure, the rarer of two ways to cut a record must be.
_RARER = 4.0


@dataclass(frozen=True)
class Periodicity:
    """How a drive repeats itself.

    Attributes
    ----------
    period : float
        In s.
    harmonics : int
        Of the series that describes it.
    rest : float
        Part of the drive's power that the series leaves.
    """

    period: float
    harmonics: int
    rest: float


def find_period(time: _Floats, drive: _Floats) -> float | None:
    """Return the period of a drive that repeats itself, or None.

    Parameters
    ----------
    time, drive : ndarray, shape (N,)
        In s and V.

    Returns
    -------
    float or None
        In s. A record of one period is recognised by its end joining its begin.
    """
    found = find_periodicity(time, drive)
    return None if found is None else found.period


def find_periodicity(time: _Floats, drive: _Floats) -> Periodicity | None:
    """Return how a drive repeats itself, None if it does not; parameters as of `find_period`."""
    n = len(time)
    t = time - time[0]
    mean_step = float(t[-1]) / (n - 1)
    peak = float(np.abs(drive).max())
    if not (peak > 0 and float(t[-1]) > 0):
        return None
    u = drive / peak
    u = u - u.mean()
    if not float(u @ u) > 1e-24 * n:
        return None
    # in units of the record's length, which holds the last sample's step too
    span = float(t[-1]) + mean_step
    s = t / span
    line = _strongest_line(s, u)
    (s_part, u_part) = _part(s, u, line)
    best: tuple[float, float, int] | None = None
    for f, first in _candidates(s_part, u_part, line):
        (score, f_found, count) = _scored(s_part, u_part, f, first)
        if f_found > 0.9 and (best is None or score < best[0]):
            best = (score, f_found, count)
    if best is None:
        return None
    (_, f, count) = best
    (s_few, u_few) = _averaged(s, u, int(n / (f * _ENOUGH)))
    f = _refined(s_few, u_few, f, min(count, 8))
    f = _whole(s_few, u_few, f, count, 1 / n, bool(_is_joined(u)))
    noise = noise_of(t, u) ** 2 / float(u @ u / n)
    if not (f >= 1 - 1e-9 and _is_periodic(s, u, f, count, noise)):
        return None
    return Periodicity(span / f, count, _rest(s_few, u_few, f, count)[0])


def rest_at(time: _Floats, drive: _Floats, period: float, harmonics: int) -> float:
    """Return which part of the drive's power a series of that period leaves.

    Parameters
    ----------
    time, drive : ndarray, shape (N,)
        In s and V.
    period : float
        In s.
    harmonics : int
        Of the series.
    """
    t = time - time[0]
    span = float(t[-1]) * len(t) / (len(t) - 1)
    (s, u) = _averaged(t / span, drive - drive.mean(), int(len(t) * period / (span * _ENOUGH)))
    return _rest(s, u, span / period, harmonics)[0]


def joins(time: _Floats, drive: _Floats) -> bool:
    """Return whether a record may be one period: its end goes on to its begin, and it has both.

    Parameters
    ----------
    time, drive : ndarray, shape (N,)
    """
    jump = abs(float(drive[0] - drive[-1]))
    return _is_joined(drive) and float(np.ptp(drive)) > 0 and jump < 0.1 * float(np.ptp(drive))


def repeats_at(time: _Floats, drive: _Floats, period: float) -> bool:
    """Return whether a drive repeats itself with that period; True if the record is too short.

    Parameters
    ----------
    time, drive : ndarray, shape (N,)
        In s and V.
    period : float
        In s.
    """
    (t, u) = (time - time[0], drive - drive.mean())
    f = float(t[-1]) * len(t) / (len(t) - 1) / period
    if f < _REPEATS:
        return True
    noise = noise_of(t, u) ** 2 / float(u @ u / len(u))
    return _difference(t / period, u) < _DIFFERENCE + _LENIENT * min(noise, _NOISE)


def noise_of(time: _Floats, values: _Floats) -> float:
    """Return the standard deviation of the white noise in samples of something smooth.

    Jumps are no noise: it is a median.

    Parameters
    ----------
    time, values : ndarray, shape (N,)
    """
    if is_uniform(time):
        y = values
        difference = y[:-4] - 4 * y[1:-3] + 6 * y[2:-2] - 4 * y[3:-1] + y[4:]
        return float(np.median(np.abs(difference))) / (0.6745 * math.sqrt(70))
    part = (time[1:-1] - time[:-2]) / (time[2:] - time[:-2])
    difference = values[1:-1] - (1 - part) * values[:-2] - part * values[2:]
    size = np.sqrt(1 + (1 - part) ** 2 + part**2)
    return float(np.median(np.abs(difference) / size)) / 0.6745


def is_uniform(time: _Floats) -> bool:
    """Return whether samples are equally far apart, to a hundredth of their distance."""
    n = len(time)
    step = (time[-1] - time[0]) / (n - 1)
    return bool(np.abs(time - time[0] - step * np.arange(n)).max() < 0.01 * step)


def _strongest_line(s: _Floats, u: _Floats) -> float:
    """Return the number of periods in the record of the strongest line in its spectrum."""
    n = len(u)
    y = u if is_uniform(s) else np.interp(np.arange(n) / n, s, u)
    padded = next_fast_len(4 * n, real=True)
    power = np.abs(rfft(y - y.mean(), padded))
    k = int(np.argmax(power))
    if k * n > 6 * padded:
        # A window keeps the lines apart where there are enough periods to have it.
        power = np.abs(rfft((y - y.mean()) * np.hanning(n), padded))
        k = int(np.argmax(power))
    return float(k * n / padded)


def _part(s: _Floats, u: _Floats, line: float) -> tuple[_Floats, _Floats]:
    """Return the samples that candidates are compared on."""
    end = len(s)
    if line > _COMPARED_PERIODS:
        end = max(int(np.searchsorted(s, _COMPARED_PERIODS / line)), min(end, _COMPARED))
    least = _COMPARED if line <= _SCANNED else _COMPARED_PERIODS * _ENOUGH
    return _averaged(s[:end], u[:end], end // least)


def _averaged(s: _Floats, u: _Floats, count: int) -> tuple[_Floats, _Floats]:
    """Return means of so many samples each."""
    if count < 2:
        return s, u
    whole = len(s) // count * count
    return s[:whole].reshape(-1, count).mean(axis=1), u[:whole].reshape(-1, count).mean(axis=1)


def _candidates(s: _Floats, u: _Floats, line: float) -> list[tuple[float, int]]:
    """Return numbers of periods in the whole record, and harmonics to begin with."""
    guesses = [(line / j, max(j, 3)) for j in range(1, _STRONGEST + 1) if line / j > 0.8]
    if line <= _SCANNED:
        # Few periods hardly make lines in a spectrum.
        most = min(1.3 * max(line, 1.0) + 1.0, len(s) / 8)
        numbers = np.arange(0.9, max(most, 1.5), 0.05)
        rests = np.array([_rest(s, u, float(f), 3)[0] for f in numbers])
        inner = np.r_[True, rests[1:] < rests[:-1]] & np.r_[rests[:-1] < rests[1:], True]
        guesses += [(float(f), 3) for f in numbers[inner]]
    # Those that leave much more than another are not worth the search for their minimum.
    rests = np.array([_criterion(s, u, f)[0] for f, _ in guesses])
    kept: list[tuple[float, int]] = []
    for k in np.argsort(rests):
        f = guesses[k][0]
        if len(kept) < _TRIED and all(abs(f - g) > 0.02 for g, _ in kept):
            kept.append(guesses[k])
    return kept


def _most_harmonics(s: _Floats, f: float) -> int:
    """Return how many harmonics the samples resolve and their number allows."""
    n = len(s)
    cycles = f * float(s[-1])
    return max(min(_HARMONICS, int(n / (2.5 * max(cycles, 1.0))), (n - 4) // 4), 1)


def _basis(s: _Floats, f: float, harmonics: int) -> _Floats:
    turn = np.exp(2j * np.pi * f * s)
    out = np.empty((len(s), 2 * harmonics + 1))
    out[:, 0] = 1.0
    wave = np.ones_like(turn)
    for k in range(harmonics):
        wave = wave * turn
        (out[:, 2 * k + 1], out[:, 2 * k + 2]) = (wave.real, wave.imag)
    return out


def _rest(s: _Floats, u: _Floats, f: float, harmonics: int) -> tuple[float, _Floats, _Floats]:
    """Return the part of the power that a series leaves, its coefficients and the residuals."""
    basis = _basis(s, f, harmonics)
    gram = basis.T @ basis
    # of few periods' samples the columns are nearly dependent
    gram[np.diag_indices_from(gram)] *= 1 + 1e-12
    c = np.asarray(np.linalg.solve(gram, basis.T @ u), dtype=np.float64)
    rest = u - basis @ c
    about = u - u.mean()
    return float(rest @ rest) / float(about @ about), c, rest


def _refined(s: _Floats, u: _Floats, f: float, harmonics: int, iterations: int = 12) -> float:
    """Return the number of periods of the least squares near f (Gauss-Newton)."""
    harmonics = min(harmonics, _most_harmonics(s, f))
    length = float(s[-1])
    middle = s - 0.5 * length
    (rest, c, r) = _rest(s, u, f, harmonics)
    limit = 0.25 / length
    for _ in range(iterations):
        basis = _basis(s, f, harmonics)
        order = np.arange(1, harmonics + 1)
        slope = (basis[:, 1::2] @ (order * c[2::2]) - basis[:, 2::2] @ (order * c[1::2])) * middle
        slope *= 2 * np.pi
        design = np.column_stack([basis, slope])
        gram = design.T @ design
        gram[np.diag_indices_from(gram)] *= 1 + 1e-12
        change = float(np.linalg.solve(gram, design.T @ r)[-1])
        change = min(max(change, -limit), limit)
        for _ in range(6):
            new = f + change
            if new > 0:
                (new_rest, new_c, new_r) = _rest(s, u, new, harmonics)
                if new_rest <= rest:
                    break
            change /= 4
        else:
            return f
        done = abs(change) < 1e-9 / length or rest - new_rest < 1e-7 * rest
        (f, rest, c, r) = (new, new_rest, new_c, new_r)
        if done:
            break
    return f


def _scored(s: _Floats, u: _Floats, f: float, first: int) -> tuple[float, float, int]:
    """Return the least information criterion near f, the number of periods and of harmonics."""
    f = _refined(s, u, f, first, 4)
    (score, count) = _criterion(s, u, f)
    if count > first:
        g = _refined(s, u, f, min(count, 8), 4)
        (other, other_count) = _criterion(s, u, g)
        if other < score:
            return other, g, other_count
    return score, f, count


def _criterion(s: _Floats, u: _Floats, f: float) -> tuple[float, int]:
    """Return the least information criterion, and of which number of harmonics it is."""
    most = _most_harmonics(s, f)
    # all numbers of harmonics by one decomposition
    basis = _basis(s, f, most)
    gram = basis.T @ basis
    gram[np.diag_indices_from(gram)] *= 1 + 1e-12
    explained = np.cumsum(np.linalg.solve(np.linalg.cholesky(gram), basis.T @ u) ** 2)
    power = float(u @ u)
    (n, k) = (len(u), np.arange(1, most + 1))
    left = np.maximum((power - explained[2::2]) / power, _FLOOR)
    scores = n * np.log(left) + (2 * k + 2) * math.log(n)
    at = int(np.argmin(scores))
    return float(scores[at]), at + 1


def _whole(
    s: _Floats, u: _Floats, f: float, harmonics: int, step: float, joined: bool
) -> float:  # fmt: skip
    """Return a whole number of periods if the record seems cut at one, else f.

    Its last sample comes before the first one's return, or it is that return.
    """
    count = round(f)
    if count < 1 or not joined:
        return f
    n = len(u)
    free = max(_rest(s, u, f, harmonics)[0], _FLOOR)
    best = f
    least = math.inf
    for length in (1.0, 1.0 - step):
        g = count / length
        rest = max(_rest(s, u, g, harmonics)[0], _FLOOR)
        # a third of a sample at the record's end
        near = abs(g / f - 1) < step / 3
        likely = near or n * math.log(rest / free) < _WHOLE
        # that the last sample is the first one's return is the rarer case
        if likely and abs(g - f) < 0.05 and n * (math.log(rest) - math.log(least)) < -_RARER:
            (best, least) = (g, rest)
    return best


def _is_periodic(s: _Floats, u: _Floats, f: float, harmonics: int, noise: float) -> bool:
    if f < _REPEATS:
        rest = _rest(*_averaged(s, u, len(s) // _COMPARED), f, min(harmonics, 3))[0]
        whole = abs(f - 1) < 1.5 / len(s)
        return rest < _LEFT + _LENIENT * min(noise, _NOISE_SHORT) and (not whole or _is_joined(u))
    return _difference(s * f, u) < _DIFFERENCE + _LENIENT * min(noise, _NOISE)


def _difference(turns: _Floats, u: _Floats) -> float:
    """Return the power of differences between neighbours in phase, as a part of the whole."""
    y = u[np.argsort(turns % 1.0, kind="stable")]
    difference = np.diff(y, append=y[:1])
    return float(difference @ difference) / (2 * float(u @ u))


def _is_joined(u: _Floats) -> bool:
    """Return whether the drive goes on from its end to its begin."""
    jump = abs(u[0] - u[-1])
    usual = float(np.quantile(np.abs(np.diff(u)), 0.9))
    return bool(jump <= 3 * usual + 0.02 * float(np.ptp(u)))

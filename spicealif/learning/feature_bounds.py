"""Bounds of a bank's features from what its runs are off by numerically.

The same runs are solved at two levels. A spike is taken to be wrong by at most twice what the
spikes of its run move between them; by no less than twice the typical run's movement, since a
difference can vanish by chance; and by no less than six times what the finer level itself moves at
one finer still, which is solved for some samples: who judges may be wrong by a third of what it
judges. The same holds for state and energy, which are also wrong by no less than the part of them
that the solver was asked for, since single runs may converge later than those that are judged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.circuit.solve import DEFAULT_RTOL
from spicealif.errors import CompareError
from spicealif.learning._levels import as_equations, part
from spicealif.learning.encoding import OVER_TIME, currents
from spicealif.learning.features import window_edges
from spicealif.learning.runs import BankRuns

__all__ = ["FeatureBounds", "RunErrors", "bound_features", "bounds_of_runs"]

_Floats: TypeAlias = NDArray[np.float64]
_Progress: TypeAlias = Callable[[float], None]

#: How much more than its movement a figure may be wrong by.
_SAFETY = 2.0
#: How large the error of what judges may be against that of what is judged.
_JUDGE_SHARE = 1 / 3
#: Spike times (s) and other figures (relative) are not told apart below.
_T_FLOOR, _FLOOR = 1e-12, 1e-13
#: Part of the duration that a run is followed beyond its end, for spikes just behind it.
_BEYOND = 0.01
_LEVEL = 10.0


@dataclass(frozen=True, eq=False)
class RunErrors:
    """Upper estimates of what each distinct run is wrong by.

    Attributes
    ----------
    t : ndarray, shape (runs,)
        Of its spike times in s.
    x, energy : ndarray, shape (runs,)
        Of the state at the end, and of the source's energy in J.
    """

    t: _Floats
    x: _Floats
    energy: _Floats


@dataclass(frozen=True, eq=False)
class FeatureBounds:
    """A bank's features and between what they lie.

    Attributes
    ----------
    runs : BankRuns
        At the bank's own level.
    features, low, high : ndarray, shape (n, columns)
        NaN bounds where a run was not solved to its end.
    errors : RunErrors
    judge_ratio : float
        The worst movement of the judged samples' runs from the finer level to one finer still,
        against that of all runs from the bank's level to the finer; NaN where nothing was judged.
        Above 1 the levels do not converge.
    judged : int
        Samples that it is of.
    levels : tuple of str
        How the runs were solved: at the bank's level, and finer.
    """

    runs: BankRuns
    features: _Floats
    low: _Floats
    high: _Floats
    errors: RunErrors
    judge_ratio: float
    judged: int
    levels: tuple[str, str]

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Features that are not one number, shape (n, columns)."""
        return np.not_equal(self.low, self.high)


def bound_features(
    bank: Any,
    samples: ArrayLike,
    *,
    judged: int = 4,
    seed: int = 0,
    progress: _Progress | None = None,
) -> FeatureBounds:
    """Return a bank's features of some samples with bounds.

    Parameters
    ----------
    bank : AlifBank
        Fitted; of the reference or the circuit's equations.
    samples : array_like
        As the bank takes them.
    judged : int
        Samples, drawn by `seed`, at which the finer level is judged by one finer still.
    seed : int
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    FeatureBounds

    Raises
    ------
    CompareError
        If the bank's backend is a simulator, whose error no tolerance of ours bounds.
    """
    x = np.asarray(samples)
    chosen = np.random.default_rng(seed).permutation(len(x))[: min(judged, len(x))]
    own, finer, finest = (_level(bank, k) for k in range(3))
    # What each of the solutions takes, about.
    total = 1 + 1 + 1.6 + 2.5 * len(chosen) / max(len(x), 1)
    coarse = _solved(own, x, part(progress, 0, 1 / total))
    end = bank.duration_ * (1 + _BEYOND)
    beyond = _solved(own, x, part(progress, 1 / total, 1 / total), end)
    fine = _solved(finer, x, part(progress, 2 / total, 1.6 / total))
    moved = _movements(coarse, fine)
    last, ratio = RunErrors(*np.zeros((3, 1))), np.nan
    if len(chosen):
        picked = x[chosen]
        again = _solved(finest, picked, part(progress, 3.6 / total, 1 - 3.6 / total))
        last = _movements(_some(fine, chosen, again), again)
        ratio = _ratio(moved, last, coarse)
    base = RunErrors(
        *(
            np.maximum(_at_least_typical(m), f.max(initial=0.0) / _JUDGE_SHARE)
            for m, f in ((moved.t, last.t), (moved.x, last.x), (moved.energy, last.energy))
        )
    )
    asked = _rtol(own) if own.backend == "equations" else 0.0
    errors = RunErrors(
        _SAFETY * base.t + _T_FLOOR,
        _SAFETY * base.x + _FLOOR + asked * np.nan_to_num(np.abs(coarse.run_x_last)),
        _SAFETY * base.energy + (_FLOOR + asked) * np.abs(coarse.run_energy_source),
    )
    low, high = bounds_of_runs(coarse, fine, beyond, errors, bank.features, bank.windows)
    low, high = (b[coarse.unique].reshape(coarse.n_samples, -1) for b in (low, high))
    if progress is not None:
        progress(1.0)
    return FeatureBounds(
        coarse, bank.features_of(coarse), low, high, errors, float(ratio), len(chosen),
        (_told(own), _told(finer)),
    )  # fmt: skip


def _solved(
    bank: Any, samples: ArrayLike, progress: _Progress | None, until: float | None = None
) -> BankRuns:
    solver = as_equations(bank, backend=bank.backend, causes=bank.causes)
    runs: BankRuns = solver._solve(solver._scaled(samples), progress, until=until)
    return runs


def _level(bank: Any, level: int) -> Any:
    """Return a bank so many levels finer."""
    if bank.backend == "equations":
        return as_equations(bank, causes=bank.causes, rtol=_rtol(bank) / _LEVEL**level)
    if bank.backend != "reference":
        raise CompareError(
            f"The numerical error of {bank.backend} has no bound here; take a bank of the "
            "backend equations or reference."
        )
    if level == 0:
        return bank
    h = _step(bank) / 2**level
    other = copy.copy(bank)
    other.exchanged_ = True  # so that nothing is made anew
    other.neuron_ = bank.neuron_.replace({"numerics.h": h})
    return other


def _rtol(bank: Any) -> float:
    return DEFAULT_RTOL["rodas"] if bank.rtol is None else float(bank.rtol)


def _step(bank: Any) -> float:
    """Return the reference's shortest step: of every neuron, and between the current's corners."""
    names = list(bank.values_)
    rows = zip(*bank.values_.values(), strict=True) if names else [()]
    steps = [
        bank.neuron_.replace({n: float(v) for n, v in zip(names, row, strict=True)}).default_h
        for row in rows
    ]
    u = np.zeros((1, bank.n_times_) if bank.encoding in OVER_TIME else 1)
    times, _ = currents(u, bank.encoding, bank.i_low_, bank.i_high_, bank.duration_)
    apart = np.inf if times is None else float(np.diff(times).min())
    return float(min([*steps, apart]))


def _told(bank: Any) -> str:
    if bank.backend == "equations":
        return f"equations, rtol {_rtol(bank):g}"
    h = bank.neuron_.numerics.h
    return "reference, usual steps" if h is None else f"reference, h {h:.3g} s"


def _trains(runs: BankRuns) -> list[_Floats]:
    return np.split(runs.times, np.cumsum(runs.run_counts)[:-1]) if len(runs.run_counts) else []


def _movements(a: BankRuns, b: BankRuns) -> RunErrors:
    """Return what each run moves between two levels; runs without a common spike move 0."""
    pairs = zip(_trains(a), _trains(b), strict=True)
    t = np.array(
        [
            float(np.abs(x[: min(len(x), len(y))] - y[: min(len(x), len(y))]).max(initial=0.0))
            for x, y in pairs
        ]
    )
    x = np.nan_to_num(np.abs(a.run_x_last - b.run_x_last))
    energy = np.nan_to_num(np.abs(a.run_energy_source - b.run_energy_source))
    return RunErrors(t, x, energy)


def _at_least_typical(moved: _Floats) -> _Floats:
    """Return the movements, none below the median of those that moved at all."""
    some = moved[moved > 0]
    return np.maximum(moved, float(np.median(some)) if len(some) else 0.0)


def _some(runs: BankRuns, samples: NDArray[np.int64], like: BankRuns) -> BankRuns:
    """Return the runs of some samples, numbered as in those solved for these alone."""
    numbers = np.zeros(len(like.run_counts), dtype=np.int64)
    numbers[like.unique.ravel()] = runs.unique[samples].ravel()
    trains = _trains(runs)
    return replace(
        like,
        times=np.concatenate([trains[k] for k in numbers]),
        run_counts=runs.run_counts[numbers],
        run_x_last=runs.run_x_last[numbers],
        run_energy_source=runs.run_energy_source[numbers],
    )


def _ratio(moved: RunErrors, last: RunErrors, coarse: BankRuns) -> float:
    """Return the worst movement of the last step between levels against that of the first."""
    energy = float(np.nanmax(np.abs(coarse.run_energy_source), initial=0.0))
    worst = 0.0
    for first, second, floor in (
        (moved.t, last.t, _T_FLOOR),
        (moved.x, last.x, _FLOOR),
        (moved.energy, last.energy, _FLOOR * energy),
    ):
        most = float(np.nanmax(second, initial=0.0))
        if most > floor:
            worst = max(worst, most / max(float(np.nanmax(first, initial=0.0)), floor))
    return worst


def bounds_of_runs(
    coarse: BankRuns,
    fine: BankRuns,
    beyond: BankRuns,
    errors: RunErrors,
    features: tuple[str, ...],
    windows: int,
) -> tuple[_Floats, _Floats]:
    """Return the bounds of each distinct run's features, shape (runs, columns).

    Parameters
    ----------
    coarse, fine : BankRuns
        At two levels.
    beyond : BankRuns
        As `coarse`, followed beyond the end.
    errors : RunErrors
    features : tuple of str
        See `feature_matrix`.
    windows : int

    Returns
    -------
    low, high : ndarray
    """
    edges, end = window_edges(coarse.duration, windows), coarse.duration
    low, high = [], []
    trains = zip(_trains(coarse), _trains(fine), _trains(beyond), strict=True)
    for k, (a, b, c) in enumerate(trains):
        run = _Run(a, b, c[c > end], float(errors.t[k]), end)
        rows: list[tuple[_Floats, _Floats]] = []
        for feature in features:
            if feature == "count":
                rows.append(run.counts(edges))
            elif feature == "t_first":
                rows.append(run.first())
            elif feature == "isi_mean":
                rows.append(run.mean_interval())
            elif feature == "x_last":
                x = float(coarse.run_x_last[k])
                off = 0.0 if np.isnan(x) else float(errors.x[k])
                x = 0.0 if np.isnan(x) else x
                rows.append((np.array([x - off]), np.array([x + off])))
            else:
                middle, off = float(coarse.run_energy_source[k]), float(errors.energy[k])
                rows.append((np.array([middle - off]), np.array([middle + off])))
        low.append(np.concatenate([row[0] for row in rows]))
        high.append(np.concatenate([row[1] for row in rows]))
    ends = np.array(low), np.array(high)
    for k in {*coarse.run_errors, *fine.run_errors, *beyond.run_errors}:
        ends[0][k] = ends[1][k] = np.nan
    return ends


class _Run:
    """The spikes of one run, and which of them are certain."""

    def __init__(self, a: _Floats, b: _Floats, c: _Floats, error: float, end: float) -> None:
        n = min(len(a), len(b))
        more = (a if len(a) > n else b)[n:]
        self.t = np.concatenate([a[:n], more, c])
        self.common = np.arange(len(self.t)) < n
        self.error, self.end = error, end
        possible = self.t - error <= end
        self.t, self.common = self.t[possible], self.common[possible]

    @property
    def _sure(self) -> NDArray[np.bool_]:
        early: NDArray[np.bool_] = np.asarray(self.t + self.error <= self.end)
        return np.logical_and(self.common, early)

    def counts(self, edges: _Floats) -> tuple[_Floats, _Floats]:
        begin, end = edges[:-1].copy(), edges[1:].copy()
        begin[0], end[-1] = -np.inf, np.inf  # the run's own end is looked after apart
        t, error = self.t[:, None], self.error
        inside = self._sure[:, None] & (t - error >= begin) & (t + error < end)
        maybe = (t + error >= begin) & (t - error < end)
        return inside.sum(axis=0).astype(float), maybe.sum(axis=0).astype(float)

    def first(self) -> tuple[_Floats, _Floats]:
        if not len(self.t):
            return np.array([self.end]), np.array([self.end])
        low, high = float(self.t.min()) - self.error, float(self.t.min()) + self.error
        if not self._sure.any():
            high = max(high, self.end)
        return np.array([low]), np.array([high])

    def mean_interval(self) -> tuple[_Floats, _Floats]:
        least, most = int(self._sure.sum()), len(self.t)
        low, high = [], []
        for n in range(least, most + 1):
            if n < 2:
                low.append(self.end)
                high.append(self.end)
                continue
            middle = (self.t[n - 1] - self.t[0]) / (n - 1)
            off = 2 * self.error / (n - 1) + 4 * np.finfo(float).eps * self.end
            low.append(middle - off)
            high.append(middle + off)
        return np.array([min(low)]), np.array([max(high)])

"""Some predictions checked in SPICE: a simulator's feature counts beside the equations'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.errors import CompareError
from spicealif.learning._levels import as_equations, part
from spicealif.learning._spot_shown import CountDifference, SpotChecksShown
from spicealif.learning.certified import CertifiedPredictions
from spicealif.learning.features import window_edges
from spicealif.learning.runs import BankRuns
from spicealif.simulators import get_simulator
from spicealif.simulators.registry import version_of

__all__ = ["CountDifference", "SpotChecks", "check_backend", "spot_check"]

_Floats: TypeAlias = NDArray[np.float64]

#: Samples that are checked unless told, the uncertified ones included.
SAMPLES = 30
#: A spike may be this many times as far from an edge as the worst that its neighbours moved.
_SAFETY = 2.0
#: What is told as the error where nothing moved, in s.
_FLOOR = 1e-12


def check_backend(backend: str) -> None:
    """Refuse what is no simulator, or not on this machine.

    Raises
    ------
    CompareError, SimulatorNotFound
    """
    if backend not in ("ngspice", "ltspice"):
        raise CompareError(f"{ascii(backend)} is no simulator here; choose ngspice or ltspice.")
    version_of(get_simulator(backend))


@dataclass(frozen=True, eq=False, repr=False)
class SpotChecks(SpotChecksShown):
    """Samples solved by a simulator too, and what it counts otherwise.

    Attributes
    ----------
    samples : ndarray of int
        Their numbers: the uncertified, then others at random.
    uncertified : int
        How many of them are not certified.
    backend : str
        The simulator.
    n_counts : int
        Counts compared: samples by neurons by windows.
    differences : tuple of CountDifference
        Every count that differs, with the reason or without.
    worst : float
        The worst movement in s of a spike that both have, over all runs.
    predicted_equations, predicted_simulator : ndarray, shape (samples,)
        What the readout says of each side's features.
    failed : tuple of str
        What the simulator could not solve.
    """

    samples: NDArray[np.int64]
    uncertified: int
    backend: str
    n_counts: int
    differences: tuple[CountDifference, ...]
    worst: float
    predicted_equations: NDArray[Any]
    predicted_simulator: NDArray[Any]
    failed: tuple[str, ...]


def spot_check(
    bank: Any,
    readout: Any,
    X: ArrayLike,  # noqa: N803
    certified: CertifiedPredictions | None = None,
    *,
    samples: int = SAMPLES,
    backend: str = "ngspice",
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> SpotChecks:
    """Run some samples in a simulator and compare every feature count with the equations'.

    Parameters
    ----------
    bank : AlifBank
        Fitted; the circuit is solved by its equations with all causes.
    readout : estimator
        Fitted on the bank's features.
    X : array_like
        Samples, as the bank takes them.
    certified : CertifiedPredictions, optional
        Of the same samples: those that are not certified are checked first.
    samples : int
        How many are checked; the rest is drawn at random.
    backend : {"ngspice", "ltspice"}
    seed : int
        Of the samples drawn.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    SpotChecks

    Raises
    ------
    CompareError
        If the backend is no simulator, or `certified` is of other samples.
    SimulatorNotFound
        If it is not on this machine.

    Notes
    -----
    A count that differs is explained by a spike that lies so near to the edge of a window, or to
    the end, that it is on the other side there: no farther than twice what the run's spikes move
    between the two sides.
    """
    x = np.asarray(X)
    if samples < 1:
        raise CompareError(f"{samples} samples are none to check; give 1 or more.")
    check_backend(backend)
    if certified is not None and len(certified.certified) != len(x):
        raise CompareError(
            f"{len(certified.certified)} predictions were certified, and there are {len(x)} "
            "samples; give the same samples."
        )
    first = np.empty(0, dtype=np.int64) if certified is None else certified.uncertified
    chosen = _chosen(len(x), first, samples, seed)
    equations = as_equations(bank, progress=part(progress, 0.0, 0.1)).solve(x[chosen])
    spice = as_equations(bank, backend=backend, rtol=None, progress=part(progress, 0.1, 0.9)).solve(
        x[chosen]
    )
    windows = bank.windows if "count" in bank.features else 1
    differences, worst = _differences(equations, spice, windows, chosen)
    failed = tuple(f"sample {chosen[k]}, neuron {j}: {why}" for (k, j), why in spice.errors.items())
    predicted = [
        readout.predict(np.nan_to_num(bank.features_of(runs))) for runs in (equations, spice)
    ]
    if progress is not None:
        progress(1.0)
    return SpotChecks(
        chosen, int(np.isin(chosen, first).sum()), backend, equations.unique.size * windows,
        differences, worst, predicted[0], predicted[1], failed,
    )  # fmt: skip


def _chosen(n: int, first: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return the samples to check: `first`, and others at random."""
    count = min(count, n)
    others = np.setdiff1d(np.arange(n), first)
    others = np.random.default_rng(seed).permutation(others)[: max(count - len(first), 0)]
    return np.concatenate([first[:count], others])


def _differences(
    a: BankRuns, b: BankRuns, windows: int, samples: NDArray[np.int64]
) -> tuple[tuple[CountDifference, ...], float]:
    """Return the counts of two sides that differ, and the worst movement of a common spike."""
    edges = window_edges(a.duration, windows)
    # The last edge is the end, which a spike may be at or never reach.
    inner = edges[1:-1]
    known: dict[tuple[int, int], tuple[list[tuple[int, int, int, float, float, float]], float]] = {}
    found: list[CountDifference] = []
    worst = 0.0
    skipped = set(b.errors)
    for k, j in np.ndindex(*a.unique.shape):
        if (k, j) in skipped:
            continue
        key = int(a.unique[k, j]), int(b.unique[k, j])
        if key not in known:
            known[key] = _of_run(a.t_spike(k, j), b.t_spike(k, j), inner, a.duration)
        rows, moved = known[key]
        worst = max(worst, moved)
        found += [CountDifference(int(samples[k]), j, *row) for row in rows]
    return tuple(found), worst


def _of_run(
    a: _Floats, b: _Floats, inner: _Floats, end: float
) -> tuple[list[tuple[int, int, int, float, float, float]], float]:
    """Return a run's windows with other counts, and what its common spikes move at most.

    Of each window: its number, both counts, the spike that is nearest to one of its edges of all
    that the sides have on different ones (s), its distance (s), and the error (s).
    """
    moved = _movement(a, b)
    error = _SAFETY * moved + _FLOOR
    counts = [
        np.bincount(np.searchsorted(inner, t, side="right"), minlength=len(inner) + 1)
        for t in (a, b)
    ]
    rows = []
    for w in np.flatnonzero(counts[0] != counts[1]).tolist():
        edges = [*([inner[w - 1]] if w else []), inner[w] if w < len(inner) else end]
        spikes = np.concatenate([a, b])
        apart = np.abs(spikes[:, None] - np.array(edges)) if len(spikes) else np.empty((0, 1))
        at, distance = (float("nan"), float("inf"))
        if apart.size:
            nearest = int(apart.min(axis=1).argmin())
            at, distance = float(spikes[nearest]), float(apart[nearest].min())
        rows.append((w, int(counts[0][w]), int(counts[1][w]), at, distance, error))
    return rows, moved


def _movement(a: _Floats, b: _Floats) -> float:
    """Return what common spikes move at most, up to where a spike of one side has no partner."""
    n = min(len(a), len(b))
    intervals = np.concatenate([np.diff(a), np.diff(b)])
    # Spikes that are farther apart than this are not the same one.
    limit = 0.25 * float(intervals.min(initial=np.inf))
    apart = np.abs(a[:n] - b[:n])
    first = int(np.argmax(apart > limit)) if (apart > limit).any() else n
    return float(apart[:first].max(initial=0.0))

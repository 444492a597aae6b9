"""What is read off the neurons of a stage: features with names and units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spicealif.learning.runs import BankRuns

__all__ = [
    "FEATURES",
    "Feature",
    "checked_features",
    "feature_columns",
    "feature_matrix",
    "window_edges",
]

_Floats: TypeAlias = NDArray[np.float64]
Feature: TypeAlias = Literal["count", "t_first", "isi_mean", "x_last", "energy"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
#: Windows at most: far more than a run has spikes, and no memory is asked for that is not there.
_MOST_WINDOWS = 100_000
_UNITS: dict[str, str] = {
    "count": "1", "t_first": "s", "isi_mean": "s", "x_last": "1", "energy": "J",
}  # fmt: skip


def window_edges(duration: float, windows: int) -> _Floats:
    """Return the edges of equal windows in s, shape (windows + 1,)."""
    return np.linspace(0.0, duration, windows + 1)


def feature_columns(
    neurons: Sequence[str], features: Sequence[Feature], windows: int
) -> tuple[list[str], list[str]]:
    """Return names and units of the columns of `feature_matrix`."""
    names, units = [], []
    for neuron in neurons:
        for feature in features:
            parts = [""]
            if feature == "count" and windows > 1:
                parts = [f"_{w}" for w in range(windows)]
            names += [f"{neuron}_{feature}{part}" for part in parts]
            units += [_UNITS[feature]] * len(parts)
    return names, units


def feature_matrix(runs: BankRuns, features: Sequence[Feature], windows: int) -> _Floats:
    """Return the features of every sample.

    Parameters
    ----------
    runs : BankRuns
    features : sequence of str
        ``count``: spikes in each of `windows` equal windows, a spike at an edge in the later one.
        ``t_first``: time of the first spike in s; the duration if there is none. ``isi_mean``:
        mean interval in s; the duration with fewer than two spikes. ``x_last``: state of the
        memristor at the end; 0 with a resistor. ``energy``: from the source, in J.
    windows : int

    Returns
    -------
    ndarray, shape (n, columns)
        The columns of a neuron are together, in the order of `features`.
    """
    blocks = [_of_runs(runs, feature, windows) for feature in features]
    every = np.concatenate(blocks, axis=1)[runs.unique]  # (n, m, columns)
    return every.reshape(runs.n_samples, -1)


def _of_runs(runs: BankRuns, feature: Feature, windows: int) -> _Floats:
    """Return one feature of each distinct run, shape (runs, columns)."""
    counts, times = runs.run_counts, runs.times
    if feature == "x_last":
        return np.nan_to_num(runs.run_x_last, nan=0.0)[:, None]
    if feature == "energy":
        return runs.run_energy_source[:, None]
    run = np.repeat(np.arange(len(counts)), counts)
    if feature == "count":
        window = np.searchsorted(window_edges(runs.duration, windows)[1:-1], times, side="right")
        flat = np.bincount(run * windows + window, minlength=len(counts) * windows)
        return flat.reshape(len(counts), windows).astype(float)
    begin = np.cumsum(counts) - counts
    out = np.full(len(counts), runs.duration)
    if feature == "t_first":
        fired = counts > 0
        out[fired] = times[begin[fired]]
    else:
        several = counts > 1
        last = times[(begin + counts - 1)[several]]
        out[several] = (last - times[begin[several]]) / (counts[several] - 1)
    return out[:, None]


def checked_features(features: Sequence[str], windows: object) -> None:
    """Refuse features that there are not.

    Raises
    ------
    ValueError
    """
    # The order of a set is another one in each process.
    listed = isinstance(features, list | tuple | np.ndarray)
    names = [str(name) for name in features] if listed else []
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"features is {features!r}; give a list of different ones among {', '.join(FEATURES)}."
        )
    for name in names:
        if name not in FEATURES:
            raise ValueError(f"There is no feature {name!r}; choose among {', '.join(FEATURES)}.")
    if isinstance(windows, bool) or not isinstance(windows, int | np.integer) or windows < 1:
        raise ValueError(f"windows is {windows!r}; give a whole number from 1 up.")
    if windows > _MOST_WINDOWS:
        raise ValueError(f"windows is {windows}; give at most {_MOST_WINDOWS}.")

"""How many predictions lie nearer to another class than the numerical error of their features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.learning._certified_shown import BoundsInShort, CertifiedShown
from spicealif.learning._levels import feature_kinds
from spicealif.learning.feature_bounds import FeatureBounds, bound_features
from spicealif.learning.margins import linear_readout

__all__ = ["CertifiedPredictions", "certify_predictions"]

_Floats: TypeAlias = NDArray[np.float64]

#: Samples at which the finer level is judged, unless told.
JUDGED = 4


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedPredictions(CertifiedShown):
    """Which predictions no numerical error within the bounds can change.

    Attributes
    ----------
    predicted : ndarray, shape (n,)
    certified : ndarray of bool, shape (n,)
        Whether every set of features within the bounds leads to the same prediction.
    margins : ndarray, shape (n,)
        The least lead of the predicted class's score over every other one within the bounds; NaN
        for a readout that is not linear, whose predictions are certified where all features are
        certain.
    readout : str
        What the readout is called.
    linear : bool
        Whether its margins can be bounded.
    short : BoundsInShort
        The figures of `bounds` that are shown.
    bounds : FeatureBounds or None
        None of a study that was read from a file, which keeps the figures in `short`.
    """

    predicted: NDArray[Any]
    certified: NDArray[np.bool_]
    margins: _Floats
    readout: str
    linear: bool
    short: BoundsInShort
    bounds: FeatureBounds | None = None

    @property
    def uncertified(self) -> NDArray[np.int64]:
        """Numbers of the samples whose predictions are not certified."""
        return np.flatnonzero(~self.certified)


def certify_predictions(
    bank: Any,
    readout: Any,
    X: ArrayLike,  # noqa: N803
    *,
    judged: int = JUDGED,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> CertifiedPredictions:
    """Say which predictions the numerical error of their features cannot change.

    Parameters
    ----------
    bank : AlifBank
        Fitted, of the backend ``equations`` (``bank.with_(backend="equations")``) or ``reference``.
    readout : estimator
        Fitted on the bank's features. Of a linear one, alone or behind scalers in a `Pipeline`, the
        margin is bounded by interval arithmetic (`linear_readout`); of any other a prediction is
        certified only where no feature is uncertain, as counts far from windows' edges are.
    X : array_like
        Samples, as the bank takes them.
    judged : int
        Samples at which the level that bounds the errors is judged by one finer still.
    seed : int
        Of these samples.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    CertifiedPredictions

    Raises
    ------
    CompareError
        If the bank's backend is a simulator.

    Notes
    -----
    The bounds of the features hold what the solution is wrong by, rounding of the readout's own sum
    included. They are estimates from two levels, judged by a third; given them the rest is exact.
    A neuron that comes near its threshold without a spike at both levels is not seen.
    """
    bounds = bound_features(bank, X, judged=judged, seed=seed, progress=progress)
    # A run that failed has no features that a readout could read.
    features = np.nan_to_num(bounds.features)
    predicted = readout.predict(features)
    whole = np.all(np.isfinite(bounds.low), axis=1)
    linear = linear_readout(readout)
    if linear is None:
        margins = np.full(len(features), np.nan)
        certified = np.logical_and(whole, ~bounds.uncertain.any(axis=1))
    else:
        chosen = np.searchsorted(linear.classes, predicted)
        margins = linear.margins(bounds.low, bounds.high, chosen)
        certified = np.logical_and(whole, margins > 0)
    return CertifiedPredictions(
        predicted, certified, margins, _name_of(readout), linear is not None,
        BoundsInShort.of(bounds, feature_kinds(bank)), bounds,
    )  # fmt: skip


def _name_of(readout: Any) -> str:
    readout = getattr(readout, "best_estimator_", readout)
    steps = [step for _, step in readout.steps] if hasattr(readout, "steps") else [readout]
    return ", ".join(s if isinstance(s, str) else type(s).__name__ for s in steps)

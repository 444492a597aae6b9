"""One trained readout on the features of ideal equations, of the circuit, and of other circuits."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.design import MemristorModel, Neuron
from spicealif.errors import CompareError
from spicealif.learning._chance import Estimate, mcnemar, of_draws
from spicealif.learning._levels import (
    LEVELS,
    Level,
    check_samples,
    driven_neuron,
    feature_kinds,
    fitted_bank,
    levels_of,
    part,
    scatter_of,
    solved_features,
    trained,
)
from spicealif.learning._transfer_shown import TransferLevel, TransferShown
from spicealif.learning.circuit_figures import transfer_figure
from spicealif.sweep.tolerances import Tolerance

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = ["LEVELS", "Transfer", "TransferLevel", "transfer"]

_Floats: TypeAlias = NDArray[np.float64]

#: Draws of the parts unless told.
DRAWS = 5


@dataclass(frozen=True, eq=False, repr=False)
class Transfer(TransferShown):
    """A readout trained on ideal features, on features of other kinds.

    Attributes
    ----------
    levels : tuple of TransferLevel
        The ideal equations first.
    n_train, n_test : int
    n_features : int
    seed : int
        The first draw's; each further draw has the next.
    tolerances : tuple of Tolerance
        What was drawn.
    remarks : tuple of str
        What was changed of the bank for a level.
    """

    levels: tuple[TransferLevel, ...]
    n_train: int
    n_test: int
    n_features: int
    seed: int
    tolerances: tuple[Tolerance, ...]
    remarks: tuple[str, ...]

    def __getitem__(self, name: str) -> TransferLevel:
        """Return a level by its name."""
        for level in self.levels:
            if level.name == name:
                return level
        raise CompareError(
            f"There is no level {ascii(name)}; choose one of "
            f"{', '.join(level.name for level in self.levels)}."
        )

    def lost(self, name: str, *, recovered: bool = False) -> Estimate:
        """Return what a level loses against the ideal equations, with a paired interval.

        Parameters
        ----------
        name : str
            Of the level.
        recovered : bool
            With the readout trained on the level's own features.
        """
        level, ideal = self[name], self.levels[0].right.astype(float)
        right = level.recovered if recovered else level.right
        if right is None:
            return Estimate(math.nan, math.nan, math.nan)
        return of_draws(ideal - right.astype(float))

    def plot(self, *, title: bool | str = False) -> StyledFigure:
        """Return the figure; see `transfer_figure`."""
        return transfer_figure(self, title=title)


def transfer(
    bank: Any,
    readout: Any,
    X_train: ArrayLike,  # noqa: N803
    y_train: ArrayLike,
    X_test: ArrayLike,  # noqa: N803
    y_test: ArrayLike,
    *,
    levels: Sequence[str] = LEVELS,
    device: str | os.PathLike[str] | MemristorModel | Neuron | None = None,
    tolerances: str | Sequence[Tolerance] | None = "default",
    draws: int = DRAWS,
    retrain: bool = False,
    rtol: float | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Transfer:
    """Apply a readout that was trained on ideal features to features of the circuit.

    Parameters
    ----------
    bank : AlifBank
        Fitted on `X_train` in a copy; see `budget_accuracy`.
    readout : estimator
        A classifier, trained in a copy on the features of the ideal equations.
    X_train, y_train, X_test, y_test : array_like
    levels : sequence of str
        Of ``"ideal"`` (always computed), ``"circuit"``, ``"tolerances"`` (the circuit, its parts
        drawn), ``"device"`` (the circuit with another memristor) and ``"resistor"`` (the circuit
        with a resistor as leak: adaptation off).
    device : str, path-like, MemristorModel or Neuron, optional
        For the level ``device``: a device preset or its file, a memristor, or a whole neuron. A fit
        to a measured W-SDC device at 1 kHz if not given.
    tolerances : "default", sequence of Tolerance or None
        What is drawn at the level ``tolerances``.
    draws : int
    retrain : bool
        Whether a readout is also trained on each level's own features of the training samples,
        which takes the circuit's features of these.
    rtol : float, optional
        Of the circuit's equations; the bank's own if not given.
    seed : int
        Of the draws.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    Transfer

    Raises
    ------
    CompareError
        If a choice makes no sense.
    """
    if draws < 1:
        raise CompareError(f"{draws} draws are none; give 1 or more.")
    _, labels = check_samples(X_test, y_test)
    base = fitted_bank(bank, X_train, y_train)
    scatter = scatter_of(driven_neuron(base), tolerances)
    wanted, remarks = levels_of(base, levels, device, scatter, draws, seed, rtol)
    train = base.transform(X_train)
    fitted = trained(readout, base, X_train, y_train, features=train)
    ideal = _Features(base, X_test, fitted, train)

    banks = sum(len(level.banks) for level in wanted) * (2 if retrain else 1)
    found: list[TransferLevel] = [ideal.level(LEVELS[0], "ideal equations", labels)]
    done = 0
    for level in wanted:
        rows = []
        for make in level.banks:
            step = part(progress, done / banks, 1 / banks)
            done += 1
            features, failed = solved_features(of := make(step), X_test)
            recovered = None
            if retrain:
                own, _ = solved_features(make(part(progress, done / banks, 1 / banks)), X_train)
                done += 1
                again = trained(readout, of, X_train, y_train, features=own)
                recovered = again.predict(features) == labels
            rows.append((features, failed, recovered))
        found.append(_level(level, ideal, rows, labels))
    if progress is not None:
        progress(1.0)
    return Transfer(
        tuple(found), len(train), len(labels), train.shape[1], seed,
        scatter if any(level.name == "tolerances" for level in wanted) else (), remarks,
    )  # fmt: skip


class _Features:
    """The ideal features, and what others differ from them by."""

    def __init__(self, bank: Any, samples: ArrayLike, readout: Any, train: _Floats) -> None:
        self.readout = readout
        self.test = bank.transform(samples)
        self.predicted = readout.predict(self.test)
        self.spread = train.std(axis=0)
        # What is the same for all samples but for rounding has no spread to compare with.
        self.varies = self.spread > 1e-9 * np.abs(train).max(axis=0)
        self.counts = feature_kinds(bank) == "count"

    def level(self, name: str, label: str, labels: NDArray[Any]) -> TransferLevel:
        """Return the ideal level, which differs from nothing."""
        right = (self.predicted == labels)[None]
        none = np.zeros_like(right)
        counts, others = (
            0.0 if some.any() else math.nan for some in (self.counts, ~self.counts & self.varies)
        )
        return TransferLevel(name, label, right, none, counts, others, right, 0, (1.0,))

    def differences(self, features: _Floats) -> tuple[float, float]:
        """Return the part of the counts that differ, and the others' root mean square."""
        off = features - self.test
        counts = float(np.mean(off[:, self.counts] != 0)) if self.counts.any() else math.nan
        chosen = ~self.counts & self.varies
        others = off[:, chosen] / self.spread[chosen]
        size = float(np.sqrt(np.mean(others**2))) if others.size else math.nan
        return counts, size


def _level(level: Level, ideal: _Features, rows: list[Any], labels: NDArray[Any]) -> TransferLevel:
    predicted = np.array([ideal.readout.predict(features) for features, *_ in rows])
    before = ideal.predicted == labels
    right = predicted == labels
    differ = np.array([ideal.differences(features) for features, *_ in rows])
    tests = tuple(mcnemar(int(np.sum(before & ~now)), int(np.sum(~before & now))) for now in right)
    recovered = None if rows[0][2] is None else np.array([row[2] for row in rows])
    return TransferLevel(
        level.name, level.label, right, predicted != ideal.predicted,
        float(differ[:, 0].mean()), float(differ[:, 1].mean()), recovered,
        sum(row[1] for row in rows), tests,
    )  # fmt: skip

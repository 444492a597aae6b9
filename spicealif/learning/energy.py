"""Energy per decision beside accuracy, with adaptation on and off."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.circuit import solve_circuit
from spicealif.design import Constant
from spicealif.errors import CompareError
from spicealif.learning._chance import mcnemar
from spicealif.learning._energy_shown import DecisionEnergy, EnergyShown
from spicealif.learning._levels import (
    as_equations,
    check_samples,
    fitted_bank,
    part,
    trained,
    with_neuron,
)
from spicealif.learning.circuit_figures import energy_figure
from spicealif.learning.control import without_adaptation
from spicealif.learning.runs import BankRuns

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = ["DecisionEnergy", "EnergyPerDecision", "energy_per_decision"]

#: Neurons whose idle energy stands for all.
_IDLE_NEURONS = 4


@dataclass(frozen=True, eq=False, repr=False)
class EnergyPerDecision(EnergyShown):
    """Energy per decision and accuracy, with and without adaptation.

    Attributes
    ----------
    on, off : DecisionEnergy
        `off` has a resistor for the memristor, its resistance at the start, and all else equal.
    p_value : float
        McNemar's exact test of the rightly predicted samples of the two.
    n_neurons : int
    duration : float
        Of a decision in s.
    trained_on : str
        What the readouts are trained on, see `energy_per_decision`.
    remarks : tuple of str
        What was changed of the bank besides.
    """

    on: DecisionEnergy
    off: DecisionEnergy
    p_value: float
    n_neurons: int
    duration: float
    trained_on: str
    remarks: tuple[str, ...]

    def plot(self, *, title: bool | str = False) -> StyledFigure:
        """Return the figure; see `energy_figure`."""
        return energy_figure(self, title=title)


def energy_per_decision(
    bank: Any,
    readout: Any,
    X_train: ArrayLike,  # noqa: N803
    y_train: ArrayLike,
    X_test: ArrayLike,  # noqa: N803
    y_test: ArrayLike,
    *,
    train: str = "reference",
    progress: Callable[[float], None] | None = None,
) -> EnergyPerDecision:
    """Return what a decision takes, beside how often it is right, with adaptation on and off.

    Parameters
    ----------
    bank : AlifBank
        Fitted on `X_train` in a copy.
    readout : estimator
        A classifier, trained in a copy for each of the two.
    X_train, y_train, X_test, y_test : array_like
        Energies are of `X_test`, by the circuit's own equations.
    train : {"reference", "equations"}
        What the readouts are trained on: features of the ideal equations of the same neurons, or of
        the circuit, which takes the circuit's runs of the training samples too.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    EnergyPerDecision

    Raises
    ------
    CompareError
        If `train` is none of these.
    """
    if train not in ("reference", "equations"):
        raise CompareError(
            f"Readouts are not trained on {ascii(train)}; choose reference or equations."
        )
    _, labels = check_samples(X_test, y_test)
    own = fitted_bank(bank, X_train, y_train)
    other, lost = with_neuron(own, without_adaptation(own.neuron_))
    found = []
    for k, (name, label, of) in enumerate(
        (("on", "adaptation on", own), ("off", "adaptation off", other))
    ):
        steps = (part(progress, 0.5 * k, 0.25), part(progress, 0.5 * k + 0.25, 0.25))
        trainer = of if train == "reference" else as_equations(of, progress=steps[0])
        fitted = trained(readout, trainer, X_train, y_train)
        solver = as_equations(of, progress=steps[1])
        runs = solver.solve(X_test)
        predicted = fitted.predict(np.nan_to_num(solver.features_of(runs)))
        found.append(_of_runs(name, label, runs, predicted == labels, _idle(of)))
    if progress is not None:
        progress(1.0)
    on, off = found
    worse, better = int(np.sum(on.right & ~off.right)), int(np.sum(~on.right & off.right))
    remarks = (
        [f"Neurons without adaptation do not differ in {', '.join(lost)}, which they do not have."]
        if lost
        else []
    )
    return EnergyPerDecision(
        on, off, mcnemar(worse, better), own.n_neurons_, own.duration_, train, tuple(remarks)
    )


def _of_runs(
    name: str, label: str, runs: BankRuns, right: NDArray[np.bool_], idle: float
) -> DecisionEnergy:
    # A run that failed has no energy; where none has any there are no supplies.
    source = np.nansum(runs.energy_source, axis=1)
    supply = runs.energy_supply
    sums = np.nansum(supply, axis=1)
    if not np.isfinite(supply).any():
        sums = np.full(len(source), math.nan)
    return DecisionEnergy(
        name, label, right, source, sums, runs.counts.sum(axis=1), idle, len(runs.errors)
    )


def _idle(bank: Any) -> float:
    """Return what the supplies of all neurons deliver over a sample without any current, in J."""
    names = list(bank.values_)
    rows = np.column_stack([bank.values_[n] for n in names]) if names else np.empty((1, 0))
    # Values that do not change what idle parts draw still give other neurons; a few stand for all.
    kinds = np.unique(rows, axis=0)[:_IDLE_NEURONS]
    each = []
    for row in kinds:
        neuron = bank.neuron_.replace({n: float(v) for n, v in zip(names, row, strict=True)})
        idle = neuron.replace({"stimulus": Constant(amplitude=0.0)})
        each.append(float(solve_circuit(idle).attrs.get("energy_supply", math.nan)))
    return float(np.mean(each)) * int(bank.n_neurons_)

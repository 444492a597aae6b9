"""A task from ideal equations to the circuit: transfer, budget, certificates, checks, energy."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.files import write_text
from spicealif._support.kept import told_once
from spicealif._support.kinds import CIRCUIT_STUDY, check_ending
from spicealif._support.text import counted
from spicealif.errors import LearningError
from spicealif.learning._levels import LEVELS, as_equations, fitted_bank, part, trained
from spicealif.learning.accuracy_budget import AccuracyBudget, budget_accuracy, check_orders
from spicealif.learning.certified import CertifiedPredictions, certify_predictions
from spicealif.learning.circuit_figures import circuit_study_figure
from spicealif.learning.datasets import Dataset
from spicealif.learning.energy import EnergyPerDecision, energy_per_decision
from spicealif.learning.players import Grouping
from spicealif.learning.splits import Split, split_of
from spicealif.learning.spot_checks import SpotChecks, check_backend, spot_check
from spicealif.learning.task import Task
from spicealif.learning.task_files import load_task
from spicealif.learning.transfer import Transfer, transfer
from spicealif.measures.shown import Page, ShownInNotebooks, json_text
from spicealif.sweep.tolerances import Tolerance

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure
    from spicealif.design import MemristorModel, Neuron

__all__ = ["CircuitStudy", "chosen_samples", "run_circuit_study"]

#: About what each part takes, in units of one solution of the circuit for all test samples.
_CERTIFICATE, _ENERGY, _SPOT = 4.0, 2.0, 20.0


@dataclass(frozen=True, eq=False, repr=False)
class CircuitStudy(ShownInNotebooks):
    """What became of a task's readout on the way from ideal equations to the circuit.

    Attributes
    ----------
    task : Task
    readout : str
        Its name in the task.
    seed : int
        Of split, draws, orders and checks.
    train, test : ndarray of int
        Places of the samples in the data set.
    exchange : bool
        Whether the split's test samples trained, and its training samples tested.
    transfer : Transfer
    budget : AccuracyBudget or None
    certified : CertifiedPredictions or None
        Of the circuit's equations.
    spot_checks : SpotChecks or None
    energy : EnergyPerDecision or None
    """

    task: Task
    readout: str
    seed: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    exchange: bool
    transfer: Transfer
    budget: AccuracyBudget | None = None
    certified: CertifiedPredictions | None = None
    spot_checks: SpotChecks | None = None
    energy: EnergyPerDecision | None = None

    @property
    def parts(self) -> dict[str, ShownInNotebooks]:
        """The results by name, those that there are."""
        every = {
            "transfer": self.transfer, "budget": self.budget, "certified": self.certified,
            "spot_checks": self.spot_checks, "energy": self.energy,
        }  # fmt: skip
        return {name: found for name, found in every.items() if found is not None}

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.task.name}'"),
            ("readout", self.readout),
            ("", counted(len(self.test), "test sample")),
            *([("with", "the split's sides exchanged")] if self.exchange else []),
            ("with", ", ".join(self.parts)),
        ]

    def _pages(self) -> Sequence[Page]:
        return [page for found in self.parts.values() for page in found._pages()]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and texts, for JSON."""
        return {
            "kind": "circuit-study",
            "task": self.task.to_dict(),
            "readout": self.readout,
            "seed": self.seed,
            "train": self.train.tolist(),
            "test": self.test.tolist(),
            "exchange": self.exchange,
            **{name: found.to_dict() for name, found in self.parts.items()},
        }

    def plot(self, *, title: bool | str = False) -> StyledFigure:
        """Return the figure; see `circuit_study_figure`."""
        return circuit_study_figure(
            self.task.name, self.transfer, self.energy, self.budget, title=title
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything as JSON, which `load_circuit_study` reads; return the path.

        Raises
        ------
        OutputError
            If it cannot be written, or does not end in .json.
        """
        check_ending(Path(path), CIRCUIT_STUDY)
        return write_text(Path(path), f"{json_text(self)}\n")


@told_once()  # what is told of the samples is so at every level
def run_circuit_study(
    task: Task | str | os.PathLike[str],
    *,
    readout: str | None = None,
    samples: int | None = None,
    exchange: bool = False,
    levels: Sequence[str] = LEVELS,
    device: str | os.PathLike[str] | MemristorModel | Neuron | None = None,
    tolerances: str | Sequence[Tolerance] | None = "default",
    draws: int = 4,
    orders: int | None = 8,
    grouping: Grouping = "parts",
    budget: bool = True,
    certify: bool = True,
    spot_checks: int = 0,
    energy: bool = True,
    retrain: bool = False,
    backend: str = "ngspice",
    seed: int = 0,
    workers: int | None = -1,
    cache: Any = True,
    progress: Callable[[float], None] | None = None,
) -> CircuitStudy:
    """Take a task's readout from ideal equations to the circuit.

    Parameters
    ----------
    task : Task, str or path-like
        A task, or the name or file of one.
    readout : {"ridge", "logistic", "svm"}, optional
        The task's first if not given. It chooses its own parameters within the training samples, on
        features of the ideal equations.
    samples : int, optional
        Test samples, drawn by `seed` from those of the task's split; all if not given. Of tasks
        with folds there may be more than a fold has: then all others train.
    exchange : bool
        Whether the split's test samples train, and those that it trains with test: both ways
        together test every sample once.
    levels, device, tolerances, draws, retrain
        See `transfer`.
    orders, grouping
        See `budget_accuracy`.
    budget, certify, energy : bool
        Whether `budget_accuracy`, `certify_predictions` and `energy_per_decision` are done.
    spot_checks : int
        Samples that `spot_check` solves in a simulator; minutes each for banks of many neurons.
    backend : {"ngspice", "ltspice"}
        Of the spot checks.
    seed : int
        Of the split and everything that is drawn.
    workers : int, optional
        Threads; -1 are all cores.
    cache : bool or path-like or None
        Where runs of the circuit are kept, see `AlifBank`.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    CircuitStudy

    Raises
    ------
    LearningError, CompareError, DesignError
        If a choice makes no sense, or the data cannot be read.
    SimulatorNotFound
        If the simulator of the spot checks is not on this machine; it is asked for first.
    """
    from spicealif.learning.bank import AlifBank

    if budget:  # not after the transfer, which takes a while
        check_orders(draws, orders)
    if spot_checks:
        check_backend(backend)
    if tolerances is None:
        levels = [level for level in levels if level != "tolerances"]
    described = task if isinstance(task, Task) else load_task(task)
    dataset = described.load_data()
    split = chosen_samples(described, dataset, samples, seed, exchange)
    name = described.readouts[0] if readout is None else readout
    model = _readout(described, name, dataset.y[split.train], seed)
    bank = AlifBank(**{**described.bank.arguments(seed), "cache": cache}, n_jobs=workers)
    data = (
        dataset.x[split.train], dataset.y[split.train],
        dataset.x[split.test], dataset.y[split.test],
    )  # fmt: skip
    weights = {
        "transfer": len(set(levels)) + draws * 2.0,
        "budget": (orders or 64) * 8.0 * budget,
        "certified": _CERTIFICATE * certify,
        "spot_checks": _SPOT * (spot_checks > 0),
        "energy": _ENERGY * energy,
    }
    told = _Parts(progress, weights)

    carried = transfer(
        bank, model, *data, levels=levels, device=device, tolerances=tolerances, draws=draws,
        retrain=retrain, seed=seed, progress=told("transfer"),
    )  # fmt: skip
    shares = certified = checks = used = None
    if budget:
        shares = budget_accuracy(
            bank, model, *data, tolerances=tolerances, draws=draws, orders=orders,
            grouping=grouping, seed=seed, progress=told("budget"),
        )  # fmt: skip
    if certify or spot_checks:
        own = fitted_bank(bank, data[0], data[1])
        fitted = trained(model, own, data[0], data[1])
        circuit = as_equations(own)
        if certify:
            certified = certify_predictions(
                circuit, fitted, data[2], seed=seed, progress=told("certified")
            )
        if spot_checks:
            checks = spot_check(
                circuit, fitted, data[2], certified, samples=spot_checks, backend=backend,
                seed=seed, progress=told("spot_checks"),
            )  # fmt: skip
    if energy:
        used = energy_per_decision(bank, model, *data, progress=told("energy"))
    if progress is not None:
        progress(1.0)
    return CircuitStudy(
        described, name, seed, split.train, split.test, exchange, carried, shares, certified,
        checks, used,
    )  # fmt: skip


class _Parts:
    """Progress of parts by their weights."""

    def __init__(self, progress: Callable[[float], None] | None, weights: dict[str, float]) -> None:
        self.progress, self.weights = progress, weights

    def __call__(self, name: str) -> Callable[[float], None] | None:
        total = sum(self.weights.values())
        names = list(self.weights)
        before = sum(self.weights[n] for n in names[: names.index(name)])
        return part(self.progress, before / total, self.weights[name] / total)


def chosen_samples(
    task: Task, dataset: Dataset, samples: int | None, seed: int, exchange: bool = False
) -> Split:
    """Return which samples train and test; see `run_circuit_study`.

    Raises
    ------
    LearningError
        If there are not so many.
    """
    split = split_of(task, dataset, seed)
    if exchange:
        split = Split(seed, split.test, split.train)
    if samples is None or samples == len(split.test):
        return split
    if samples < 1:
        raise LearningError(f"{samples} test samples are none; give 1 or more.")
    if samples < len(split.test):
        some = np.random.default_rng(seed).permutation(len(split.test))[:samples]
        return Split(seed, split.train, np.sort(split.test[some]))
    least, classes = len(dataset.classes), len(dataset)
    if task.data.split != "folds" or exchange or samples > classes - least:
        raise LearningError(
            f"{samples} test samples are more than {dataset.name} has to test with "
            f"({len(split.test)}); give fewer, or leave the number out for all."
        )
    from sklearn.model_selection import StratifiedShuffleSplit

    whole = StratifiedShuffleSplit(1, test_size=samples, random_state=seed)
    train, test = next(whole.split(np.zeros(len(dataset)), dataset.y))
    return Split(seed, np.sort(train).astype(np.int64), np.sort(test).astype(np.int64))


def _readout(task: Task, name: str, labels: NDArray[Any], seed: int) -> Any:
    from spicealif.learning._models import MODELS
    from spicealif.learning._names import READOUTS

    if name not in READOUTS:
        raise LearningError(
            f"There is no readout {ascii(name)}; choose one of {', '.join(READOUTS)}."
        )
    # Of these the grid does not depend on the number of features.
    return MODELS[name](labels, task.inner_folds, seed, 1)

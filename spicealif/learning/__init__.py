"""Banks of neurons as a stage of machine learning, and what they are worth on real tasks."""

from spicealif.learning._certified_shown import BoundsInShort
from spicealif.learning.accuracy_budget import AccuracyBudget, AccuracyShare, budget_accuracy
from spicealif.learning.bank import AlifBank
from spicealif.learning.certified import CertifiedPredictions, certify_predictions
from spicealif.learning.circuit_figures import (
    accuracy_budget_figure,
    circuit_study_figure,
    energy_figure,
    transfer_figure,
)
from spicealif.learning.circuit_study import CircuitStudy, run_circuit_study
from spicealif.learning.control import without_adaptation
from spicealif.learning.datasets import Dataset, dataset_names, load_dataset
from spicealif.learning.energy import DecisionEnergy, EnergyPerDecision, energy_per_decision
from spicealif.learning.feature_bounds import FeatureBounds, RunErrors, bound_features
from spicealif.learning.margins import LinearReadout, linear_readout
from spicealif.learning.players import Player, players_of
from spicealif.learning.reservoir import AlifReservoir
from spicealif.learning.runs import BankRuns
from spicealif.learning.splits import Split, split_of
from spicealif.learning.spot_checks import CountDifference, SpotChecks, spot_check
from spicealif.learning.statistics import (
    corrected_interval,
    corrected_t_test,
    holm,
    wilson_interval,
)
from spicealif.learning.study import run_study
from spicealif.learning.study_cells import Cell, MethodResult
from spicealif.learning.study_figure import study_figure
from spicealif.learning.study_files import load_circuit_study, load_study
from spicealif.learning.study_result import StudyResult
from spicealif.learning.task import Bank, Data, Task
from spicealif.learning.task_files import (
    dump_task,
    load_task,
    parse_task,
    save_task,
    task_names,
    task_schema,
)
from spicealif.learning.transfer import Transfer, TransferLevel, transfer

__all__ = [
    "AccuracyBudget",
    "AccuracyShare",
    "AlifBank",
    "AlifReservoir",
    "Bank",
    "BankRuns",
    "BoundsInShort",
    "Cell",
    "CertifiedPredictions",
    "CircuitStudy",
    "CountDifference",
    "Data",
    "Dataset",
    "DecisionEnergy",
    "EnergyPerDecision",
    "FeatureBounds",
    "LinearReadout",
    "MethodResult",
    "Player",
    "RunErrors",
    "Split",
    "SpotChecks",
    "StudyResult",
    "Task",
    "Transfer",
    "TransferLevel",
    "accuracy_budget_figure",
    "bound_features",
    "budget_accuracy",
    "certify_predictions",
    "circuit_study_figure",
    "corrected_interval",
    "corrected_t_test",
    "dataset_names",
    "dump_task",
    "energy_figure",
    "energy_per_decision",
    "holm",
    "linear_readout",
    "load_circuit_study",
    "load_dataset",
    "load_study",
    "load_task",
    "parse_task",
    "players_of",
    "run_circuit_study",
    "run_study",
    "save_task",
    "split_of",
    "spot_check",
    "study_figure",
    "task_names",
    "task_schema",
    "transfer",
    "transfer_figure",
    "wilson_interval",
    "without_adaptation",
]

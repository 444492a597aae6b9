"""Banks of neurons as a stage of machine learning, and what they are worth on real tasks."""

from spicealif.learning.bank import AlifBank
from spicealif.learning.control import without_adaptation
from spicealif.learning.datasets import Dataset, dataset_names, load_dataset
from spicealif.learning.reservoir import AlifReservoir
from spicealif.learning.runs import BankRuns
from spicealif.learning.splits import Split, split_of
from spicealif.learning.statistics import (
    corrected_interval,
    corrected_t_test,
    holm,
    wilson_interval,
)
from spicealif.learning.study import run_study
from spicealif.learning.study_cells import Cell, MethodResult
from spicealif.learning.study_figure import study_figure
from spicealif.learning.study_files import load_study
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

__all__ = [
    "AlifBank",
    "AlifReservoir",
    "Bank",
    "BankRuns",
    "Cell",
    "Data",
    "Dataset",
    "MethodResult",
    "Split",
    "StudyResult",
    "Task",
    "corrected_interval",
    "corrected_t_test",
    "dataset_names",
    "dump_task",
    "holm",
    "load_dataset",
    "load_study",
    "load_task",
    "parse_task",
    "run_study",
    "save_task",
    "split_of",
    "study_figure",
    "task_names",
    "task_schema",
    "wilson_interval",
    "without_adaptation",
]

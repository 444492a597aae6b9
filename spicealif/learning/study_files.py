"""Studies read from files."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from spicealif._support.json_files import read_json
from spicealif.errors import CompareError, DesignError, LearningError
from spicealif.learning._names import stage_of
from spicealif.learning.study_cells import Cell
from spicealif.learning.study_result import StudyResult
from spicealif.learning.task import Task

__all__ = ["load_study", "study_from_dict"]


def load_study(path: str | os.PathLike[str]) -> StudyResult:
    """Read what `StudyResult.save` wrote as JSON.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    StudyResult

    Raises
    ------
    LearningError
        If it cannot be read, or is no study.

    Examples
    --------
    >>> result = run_study("iris", methods=["k-nn"], seeds=2, workers=1)
    >>> path = result.save("iris.json")
    >>> load_study(path)["k-nn"] == result["k-nn"]
    True
    """
    path = Path(path)
    try:
        data = read_json(path)
    except CompareError as error:
        raise LearningError(str(error)) from None
    return study_from_dict(data, ascii(path.name))


def study_from_dict(data: Any, name: str) -> StudyResult:
    """Return a study's result from what `StudyResult.to_dict` gave.

    Parameters
    ----------
    data : object
    name : str
        What is named if it is none.

    Raises
    ------
    LearningError
    """
    try:
        cells = tuple(_cell(dict(cell)) for cell in data["cells"])
        if not cells or not data["counts"] or min(map(int, data["counts"])) < 1:
            raise ValueError
        return StudyResult(
            Task.from_dict(data["task"]), cells, tuple(map(str, data["classes"])),
            tuple(map(int, data["counts"])), str(data["data_source"]),
            tuple(map(str, data["data_notes"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError, DesignError):
        raise LearningError(
            f"{name} is no study's result, or damaged; make it again with 'spicealif learn'."
        ) from None


def _cell(data: dict[str, Any]) -> Cell:
    stage_of(str(data["method"]))
    for name in ("accuracy", "balanced_accuracy", "stage_s", "fit_s"):
        data[name] = math.nan if data[name] is None else float(data[name])
    for name in ("notes", "predictions", "wrong"):
        data[name] = tuple(data[name])
    cell = Cell(**data)
    counts = (cell.seed, cell.n_train, cell.n_test, cell.n_features, *cell.wrong)
    if any(type(count) is not int or count < 0 for count in counts):
        raise ValueError
    if cell.inner_accuracy is not None and not math.isfinite(cell.inner_accuracy):
        raise ValueError
    # Of a cell that failed there are no figures.
    if cell.status == "OK":
        whole = len(cell.predictions) == cell.n_test and all(k < cell.n_test for k in cell.wrong)
        if not whole or not (cell.n_train and cell.n_test and 0 <= cell.accuracy <= 1):
            raise ValueError
    return cell

"""Studies in files: JSON with everything, CSV with a row for each method."""

from __future__ import annotations

import csv
import io
import math
import os
from pathlib import Path
from typing import Any

from spicealif._support.files import write_text
from spicealif._support.json_files import read_json
from spicealif._support.kinds import STUDY, check_ending
from spicealif.errors import CompareError, DesignError, LearningError
from spicealif.learning._names import label_of, stage_of
from spicealif.learning.study_result import Cell, StudyResult
from spicealif.learning.task import Task
from spicealif.measures.shown import json_text

__all__ = ["load_study", "save_study", "study_from_dict"]

_COLUMNS = {
    "accuracy": "accuracy", "accuracy_low": "low", "accuracy_high": "high",
    "balanced_accuracy": "balanced_accuracy", "inner_accuracy": "inner_accuracy",
    "difference_to_alif": "difference", "p": "p", "p_holm": "p_holm", "verdict": "verdict",
    "splits": "splits", "failed": "failed", "n_features": "n_features", "cpu_s": "seconds",
}  # fmt: skip


def save_study(result: StudyResult, path: str | os.PathLike[str]) -> Path:
    """Write a study's result; see `StudyResult.save`."""
    path = Path(path)
    check_ending(path, STUDY)
    if path.suffix.lower() == ".json":
        return write_text(path, json_text(result) + "\n")
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["method", "label", *_COLUMNS])
    for one in result.methods:
        cells = [getattr(one, name) for name in _COLUMNS.values()]
        rows.writerow([one.method, label_of(one.method), *(_text(cell) for cell in cells)])
    return write_text(path, out.getvalue())


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
        if not cells:
            raise ValueError
        return StudyResult(
            Task.from_dict(data["task"]), cells, tuple(map(str, data["classes"])),
            tuple(map(int, data["counts"])), str(data["data_source"]),
            tuple(map(str, data["data_notes"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, DesignError):
        raise LearningError(
            f"{name} is no study's result, or damaged; make it again with 'spicealif learn'."
        ) from None


def _cell(data: dict[str, Any]) -> Cell:
    stage_of(str(data["method"]))
    for name in ("accuracy", "balanced_accuracy", "stage_s", "fit_s"):
        data[name] = math.nan if data[name] is None else float(data[name])
    for name in ("notes", "predictions"):
        data[name] = tuple(data[name])
    return Cell(**data)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return str(value)

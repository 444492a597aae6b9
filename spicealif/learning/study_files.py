"""Studies read from files."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from spicealif._support.json_files import read_json
from spicealif.errors import CompareError, DesignError, LearningError, SpicealifError
from spicealif.learning._circuit_saved import circuit_study_of
from spicealif.learning._names import stage_of
from spicealif.learning.circuit_study import CircuitStudy
from spicealif.learning.study_cells import Cell
from spicealif.learning.study_result import StudyResult
from spicealif.learning.task import Task

__all__ = ["load_circuit_study", "load_study"]

#: What is wrong with a file that does not hold what it should, whatever it holds instead.
_NOT_AS_IT_SHOULD = (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError)


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
    data, name = _read(path)
    try:
        return _study(data)
    except (*_NOT_AS_IT_SHOULD, DesignError):
        if _has(data, "transfer", "test"):
            raise LearningError(
                f"{name} is a study of a circuit; read it with load_circuit_study, or give what "
                "'spicealif learn' wrote."
            ) from None
        raise LearningError(
            f"{name} is no study's result, or damaged; make it again with 'spicealif learn'."
        ) from None


def load_circuit_study(path: str | os.PathLike[str]) -> CircuitStudy:
    """Read what `CircuitStudy.save` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    CircuitStudy
        With all that its tables and figures show. The bounds of single features are not in the
        file: ``certified.bounds`` is None.

    Raises
    ------
    LearningError
        If it cannot be read, or is no study of a circuit.

    Examples
    --------
    >>> task = load_task("iris").replace({"bank.duration": "0.5m", "bank.i_high": "2m"})
    >>> study = run_circuit_study(task, samples=2, levels=["circuit"], budget=False, certify=False,
    ...                           energy=False)
    >>> load_circuit_study(study.save("circuit.json")).to_dict() == study.to_dict()
    True
    """
    data, name = _read(path)
    try:
        return circuit_study_of(data)
    except (*_NOT_AS_IT_SHOULD, SpicealifError):
        if _has(data, "task", "cells"):
            raise LearningError(
                f"{name} is a study of methods; read it with load_study, or give what 'spicealif "
                "learn-circuit' wrote."
            ) from None
        raise LearningError(
            f"{name} is no study of a circuit, damaged, or of an earlier version; make it again "
            "with 'spicealif learn-circuit', which takes the runs that are kept."
        ) from None


def _read(path: str | os.PathLike[str]) -> tuple[Any, str]:
    """Return what a JSON file holds, and its name for a sentence."""
    path = Path(path)
    try:
        return read_json(path), ascii(path.name)
    except CompareError as error:
        raise LearningError(str(error)) from None


def _has(data: Any, *keys: str) -> bool:
    return isinstance(data, dict) and set(keys) <= set(data)


def _study(data: Any) -> StudyResult:
    """Return a study's result from what `StudyResult.to_dict` gave."""
    cells = tuple(_cell(dict(cell)) for cell in data["cells"])
    if not cells or not data["counts"] or min(map(int, data["counts"])) < 1:
        raise ValueError
    return StudyResult(
        Task.from_dict(data["task"]), cells, tuple(map(str, data["classes"])),
        tuple(map(int, data["counts"])), str(data["data_source"]),
        tuple(map(str, data["data_notes"])),
    )  # fmt: skip


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

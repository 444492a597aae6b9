"""Reading the JSON files of results, and making sure that they are what a report is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spicealif._support.text import shown
from spicealif.errors import CompareError
from spicealif.report._material import Json

__all__ = ["check_budget", "check_certificate", "check_fit"]


def check_certificate(data: Any, file: Path) -> tuple[Any, Any]:
    """Return how many spikes a saved certificate is of, on both sides.

    Raises
    ------
    CompareError
        If it is damaged or of another version.
    """
    try:
        measures = data["measures"]
        for m in measures.values():
            _ = str(m["label"]), str(m["unit"]), m["verdict"]
            for key in ("circuit", "reference", "gap", "circuit_error", "reference_error", "error",
                        "tolerance"):  # fmt: skip
                _number(m[key])
        for level in data["levels"]:
            _ = [_number(level.get(key)) for key in ("reltol", "t_step_max", "steering_delta", "h")]
        for value in (data["movement"]["circuit"], data.get("equations_difference")):
            _number(value)
        float(data["tolerance"])
        _check_notes(data)
        counts = measures["spike_count"]["circuit"], measures["spike_count"]["reference"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(file, error, "run 'spicealif run --certify' again") from None
    return counts


def check_budget(data: Any, file: Path) -> None:
    """Raise `CompareError` if a saved budget is damaged or of another version."""
    try:
        _ = str(data["neuron"]), int(data["n_subsets"]), int(data["n_orders"])
        _check_notes(data)
        causes = {str(k): str(c["label"]) for k, c in data["causes"].items()}
        for budget in data["measures"].values():
            _ = str(budget["label"]), str(budget["unit"])
            if not budget["shares"].keys() <= causes.keys():
                raise KeyError("a share has no cause")
            for key in ("circuit", "reference", "gap", "residual"):
                float(budget[key])
            for share in budget["shares"].values():
                _ = bool(share["applies"])
                _number(share["error"])
                for key in ("value", "first", "last"):
                    float(share[key])
        if "tolerances" in data:
            _check_tolerances(data["tolerances"], causes)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(file, error, "run 'spicealif explain' again") from None


def check_fit(data: Json, path: Path) -> None:
    """Raise `CompareError` if a saved fit without traces is damaged."""
    try:
        _ = str(data["model"]), float(data["loss"]), float(data["level"])
        for parameter in data["parameters"].values():
            _number(parameter["value"])
            _ = [_number(end) for end in parameter["interval"]], str(parameter["unit"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, error, "fit again") from None


def _check_tolerances(told: Json, causes: Mapping[str, str]) -> None:
    """Raise what is wrong with the part of a budget that is over the parts' tolerances."""
    float(told["covered"])
    for m in told["measures"].values():
        _ = str(m["label"]), str(m["unit"]), int(m["draws"])
        if not m["shares"].keys() <= causes.keys():
            raise KeyError("a share has no cause")
        for interval in (m["gap"], *m["shares"].values()):
            for key in ("nominal", "low", "high", "positive"):
                float(interval[key])


def _check_notes(data: Json) -> None:
    if not isinstance(data.get("notes", []), list):
        raise TypeError("its notes are no list")


def _damaged(path: Path, error: Exception, remedy: str) -> CompareError:
    return CompareError(
        f"{ascii(str(path))} is damaged or of another version ({type(error).__name__}: "
        f"{shown(error, 60)}); {remedy}, or take the file away."
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)

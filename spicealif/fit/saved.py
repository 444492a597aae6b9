"""Loading what a fit has saved as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spicealif._support.text import shown
from spicealif.design import MODELS
from spicealif.errors import FitError, SpicealifError
from spicealif.fit._fitted import FittedLoop
from spicealif.fit.loop import Loop
from spicealif.fit.result import FitResult

__all__ = ["fit_from_dict", "load_fit"]


def load_fit(path: str | os.PathLike[str]) -> FitResult:
    """Load a fit that ``spicealif fit --result`` wrote.

    Parameters
    ----------
    path : path-like
        The JSON file.

    Returns
    -------
    FitResult
        Its loops have the samples that the file has, at most 2000 each: enough to be drawn, and
        not the record that was fitted.

    Raises
    ------
    FitError
        If the file cannot be read or is no fit's.
    """
    name = ascii(str(path))
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FitError(
            f"{name} cannot be read ({error.strerror}); give a file that 'spicealif fit --result' "
            "wrote."
        ) from None
    except (ValueError, RecursionError):
        raise FitError(
            f"{name} is no JSON; give a file that 'spicealif fit --result' wrote."
        ) from None
    try:
        return fit_from_dict(data)
    except FitError as error:
        raise FitError(f"{name}: {error}") from None


def fit_from_dict(data: Mapping[str, Any]) -> FitResult:
    """Return a fit from what `FitResult.to_dict` gave; see `load_fit`.

    Raises
    ------
    FitError
        If it is not such a dictionary, or of a version that kept no traces.
    """
    if isinstance(data, Mapping) and "parameters" in data and "traces" not in data:
        raise FitError(
            "This fit was saved without its traces, by an earlier version; fit again to have them."
        )
    try:
        return _fit(data)
    except (SpicealifError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FitError(
            f"This is no fit as 'spicealif fit --result' writes it ({type(error).__name__}: "
            f"{shown(error, 80)}); fit again."
        ) from None


def _fit(data: Mapping[str, Any]) -> FitResult:
    model = str(data["model"])
    device = MODELS[model].from_dict(data["device"])
    parameters = data["parameters"]
    names = tuple(map(str, parameters))
    own = list(parameters.values())
    return FitResult(
        model=model,
        device=device,
        names=names,
        values=np.array([_number(p["value"]) for p in own], dtype=np.float64),
        intervals=np.array([[_number(e) for e in p["interval"]] for p in own]).reshape(-1, 2),
        correlation=np.array(data["correlation"]["matrix"], dtype=np.float64),
        held={str(k): float(v) for k, v in data["held"].items()},
        bounds=np.array([[_number(e) for e in p["bounds"]] for p in own]).reshape(-1, 2),
        at_bound=tuple(n for n, p in zip(names, own, strict=True) if p["at_bound"]),
        not_identifiable=tuple(
            n
            for n, p in zip(names, own, strict=True)
            if not p["identifiable"] and not p["at_bound"]
        ),
        level=float(data["level"]),
        temperature=float(data["temperature"]),
        seed=int(data["seed"]),
        loss=float(data["loss"]),
        loss_error=float(data["loss_error"]),
        loops=tuple(
            _loop(traces, record, device.from_dict(data["device"]))
            for traces, record in zip(data["traces"], data["loops"], strict=True)
        ),
        warnings=tuple(map(str, data["warnings"])),
        evaluations=int(data["evaluations"]),
        cpu_s=float(data["cpu_s"]),
        wall_s=float(data["wall_s"]),
    )


def _loop(traces: Mapping[str, Any], record: Mapping[str, Any], device: Any) -> FittedLoop:
    measured, fitted = traces["measured"], traces["fitted"]
    time = np.array(traces["time"], dtype=np.float64)
    loop = Loop(
        time,
        np.array(measured["v_mem"], dtype=np.float64),
        np.array(measured["i"], dtype=np.float64),
        np.array(measured["v_in"], dtype=np.float64),
        float(traces["r_s"]),
        None if traces["period"] is None else float(traces["period"]),
        str(traces["name"]),
        str(record.get("file", "")),
        str(record.get("sha256", "")),
    )
    v_mem, i, x, v_in = (
        np.array(fitted[name], dtype=np.float64) for name in ("v_mem", "i", "x", "v_in")
    )
    if any(v.shape != time.shape or not np.isfinite(v).all() for v in (v_mem, i, x, v_in)):
        raise ValueError("the fitted traces are not as long as the measured ones")
    return FittedLoop(
        loop=loop,
        device=device,
        v_mem=v_mem,
        i=i,
        x=x,
        v_in=v_in,
        nmse_v=float(traces["nmse_v"]),
        nmse_i=float(traces["nmse_i"]),
        drive=str(traces["drive"]),
        white=bool(traces["white"]),
    )


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)

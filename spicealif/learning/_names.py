"""Names of stages, readouts and classical methods, and what stands for them in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, TypeAlias

from spicealif.errors import LearningError

__all__ = [
    "BASELINES",
    "READOUTS",
    "SERIES_ONLY",
    "STAGES",
    "Baseline",
    "Readout",
    "label_of",
    "method_names",
    "stage_of",
]

Readout: TypeAlias = Literal["ridge", "logistic", "svm"]
Baseline: TypeAlias = Literal[
    "rbf-svm", "random-forest", "k-nn", "mlp", "minirocket", "rocket", "1nn-dtw"
]

#: What a readout reads: the samples as they are, or what a bank makes of them.
STAGES: Mapping[str, str] = MappingProxyType({"alif": "ALIF", "lif": "LIF", "raw": "raw"})
READOUTS: Mapping[str, str] = MappingProxyType(
    {"ridge": "ridge", "logistic": "logistic", "svm": "linear SVM"}
)
BASELINES: Mapping[str, str] = MappingProxyType(
    {
        "rbf-svm": "RBF-SVM",
        "random-forest": "random forest",
        "k-nn": "k-NN",
        "mlp": "MLP",
        "minirocket": "MiniRocket",
        "rocket": "ROCKET",
        "1nn-dtw": "1-NN DTW",
    }
)
#: Classical methods that ask for series.
SERIES_ONLY = frozenset({"minirocket", "rocket", "1nn-dtw"})


def method_names(
    readouts: Sequence[str], baselines: Sequence[str], stages: Sequence[str] = tuple(STAGES)
) -> list[str]:
    """Return the names of methods: each stage with each readout, then the classical ones."""
    return [f"{stage}-{readout}" for stage in stages for readout in readouts] + list(baselines)


def stage_of(method: str) -> tuple[str, str]:
    """Return the stage and the readout of a method, or "" and the classical method.

    Raises
    ------
    LearningError
        If there is no such method.
    """
    stage, _, readout = method.partition("-")
    if stage in STAGES and readout in READOUTS:
        return stage, readout
    if method in BASELINES:
        return "", method
    names = method_names(list(READOUTS), list(BASELINES))
    close = get_close_matches(method, names, n=1)
    hint = f"did you mean {close[0]!r}, or choose" if close else "choose"
    raise LearningError(f"There is no method {ascii(method)}; {hint} among {', '.join(names)}.")


def label_of(method: str) -> str:
    """Return what stands for a method in a table, such as ``"ALIF, ridge"``."""
    stage, readout = stage_of(method)
    return f"{STAGES[stage]}, {READOUTS[readout]}" if stage else BASELINES[readout]

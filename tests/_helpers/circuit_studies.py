"""A study of a circuit that nobody has solved: of every part some figures, for what reads them."""

from __future__ import annotations

import math

import numpy as np

from spicealif import Cause
from spicealif.learning import (
    AccuracyBudget,
    AccuracyShare,
    BoundsInShort,
    CertifiedPredictions,
    CircuitStudy,
    CountDifference,
    DecisionEnergy,
    EnergyPerDecision,
    Player,
    SpotChecks,
    Transfer,
    TransferLevel,
    load_task,
)
from spicealif.learning._chance import Estimate
from spicealif.sweep import Tolerance

__all__ = ["made_circuit_study"]

N = 4


def made_circuit_study(*parts: str) -> CircuitStudy:
    """Return a study of four samples; with names of parts only these beside the transfer."""
    every = {
        "budget": _budget(), "certified": _certified(), "spot_checks": _spot_checks(),
        "energy": _energy(),
    }  # fmt: skip
    chosen = {k: v for k, v in every.items() if not parts or k in parts}
    return CircuitStudy(
        load_task("iris"), "ridge", 3, np.arange(10, 20), np.array([1, 4, 6, 9]), False,
        _transfer(), **chosen,
    )  # fmt: skip


def _level(name, *right, again=None):
    right = np.array(right, dtype=bool)
    again = None if again is None else np.array(again, dtype=bool)
    return TransferLevel(
        name, f"the {name}", right, ~right, 0.1, math.nan, again, 1, (0.5,) * len(right)
    )


def _transfer():
    levels = (
        _level("ideal", [1, 1, 1, 1]), _level("circuit", [1, 0, 1, 1], again=[[1, 1, 1, 0]]),
        _level("tolerances", [1, 0, 1, 0], [0, 0, 1, 0], again=[[1, 1, 1, 0]] * 2),
    )  # fmt: skip
    scatter = (
        Tolerance("c", 0.05, source="a sheet"),
        Tolerance("temperature", 10.0, "normal", False),
    )
    return Transfer(levels, 10, N, 3, 3, scatter, ("c is left out.",))


def _share(value, low, high, label, *causes, parameters=()):
    player = Player("-".join(c.value for c in causes) or "other", label, causes, parameters)
    return AccuracyShare(player, value, 0.01, 0.01, Estimate(value, low, high))


def _budget():
    shares = (
        _share(0.4, 0.2, 0.6, "reset level", Cause.RESET_LEVEL),
        _share(-0.1, -0.3, 0.1, "op-amp", Cause.OPAMP_SPEED, Cause.COMPARATOR_DELAY),
        _share(0.2, -math.inf, math.inf, "tolerance of C", parameters=("c",)),
    )
    lost = np.array([[0, 1, 0, 0.6], [0, -0.1, 0, -0.3], [0.1, 0.3, 0.1, 0.3], [0, 0, 0, 0]])
    return AccuracyBudget(
        Estimate(1.0, 0.5, 1.0), Estimate(0.5, 0.2, 0.8), Estimate(0.5, 0.2, 0.8), shares,
        _share(0.0, 0.0, 0.0, "residual"), 0, N, 2, 4, 9, 3, lost, 2, 1, _transfer().tolerances,
    )  # fmt: skip


def _certified():
    short = BoundsInShort(
        ("equations, rtol 1e-07", "equations, rtol 1e-08"), 0.2, 2, 3e-12, 9e-12, 0.125,
        {"count": 0.25, "t_first": 9e-12}, 1,
    )  # fmt: skip
    return CertifiedPredictions(
        np.array([0, 1, 2, 0]), np.array([True, True, False, False]),
        np.array([0.3, math.inf, -0.1, -math.inf]), "RidgeClassifier", True, short,
    )  # fmt: skip


def _spot_checks():
    differences = (
        CountDifference(2, 1, 0, 5, 6, 1e-3, 1e-9, 4e-9),
        CountDifference(0, 3, 1, 2, 0, math.nan, math.inf, 1e-12),
    )
    return SpotChecks(
        np.array([2, 0]), 1, "ngspice", 16, differences, 2e-9, np.array([2, 0]), np.array([2, 1]),
        ("sample 0, neuron 2: stopped",),
    )  # fmt: skip


def _used(name, factor, supply):
    energy = factor * np.array([1e-6, 2e-6, 3e-6, 4e-6])
    return DecisionEnergy(
        name, f"adaptation {name}", np.array([True, False, True, True]), energy, supply * energy,
        np.array([3, 4, 5, 6]), supply * 1e-6, 0,
    )  # fmt: skip


def _energy():
    on, off = _used("on", 1.0, 9.0), _used("off", 2.0, math.nan)
    return EnergyPerDecision(on, off, 1.0, 4, 1e-3, "reference", ("leak.tau is left out.",))

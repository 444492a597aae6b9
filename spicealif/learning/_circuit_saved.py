"""Studies of circuits from what their `to_dict` gave.

Only what was found stands for something here: what follows from it (means, intervals, sentences)
is in the files for other readers, and is made anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit.parameters import Cause
from spicealif.learning._accuracy_shown import AccuracyShare
from spicealif.learning._certified_shown import BoundsInShort
from spicealif.learning._chance import Estimate
from spicealif.learning._energy_shown import DecisionEnergy
from spicealif.learning._levels import LEVELS
from spicealif.learning._names import READOUTS
from spicealif.learning._spot_shown import CountDifference
from spicealif.learning._transfer_shown import TransferLevel
from spicealif.learning.accuracy_budget import AccuracyBudget
from spicealif.learning.certified import CertifiedPredictions
from spicealif.learning.circuit_study import CircuitStudy
from spicealif.learning.energy import EnergyPerDecision
from spicealif.learning.players import Player
from spicealif.learning.spot_checks import SpotChecks
from spicealif.learning.task import Task
from spicealif.learning.transfer import Transfer
from spicealif.sweep.tolerances import Tolerance

__all__ = ["circuit_study_of"]

_Json: TypeAlias = Mapping[str, Any]
_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]


def circuit_study_of(data: _Json) -> CircuitStudy:
    """Return a study from what its `to_dict` gave.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, SpicealifError
        If it is no such dictionary.
    """
    _need(data["kind"] == "circuit-study" and data["readout"] in READOUTS)
    _need(type(data["exchange"]) is bool)
    train, test = (_places(data[name]) for name in ("train", "test"))
    _need(len(train) and len(test) and not set(train.tolist()) & set(test.tolist()))
    n = len(test)
    carried = _transfer(data["transfer"])
    _need((carried.n_train, carried.n_test) == (len(train), n))
    parts: dict[str, Any] = {
        name: read(data[name], n) for name, read in _PARTS.items() if name in data
    }
    return CircuitStudy(
        Task.from_dict(data["task"]), data["readout"], _count(data["seed"]), train, test,
        data["exchange"], carried, **parts,
    )  # fmt: skip


def _transfer(data: _Json) -> Transfer:
    n = _count(data["n_test"])
    levels = tuple(_level(level, n) for level in data["levels"])
    names = [level.name for level in levels]
    _need(names[:1] == [LEVELS[0]] and len(set(names)) == len(names) and set(names) <= set(LEVELS))
    return Transfer(
        levels, _count(data["n_train"]), n, _count(data["n_features"]), _count(data["seed"]),
        _tolerances(data), _texts(data["remarks"]),
    )  # fmt: skip


def _level(data: _Json, n: int) -> TransferLevel:
    own = data["by_sample"]
    wrong, changed = (_marked(own[name], n) for name in ("wrong", "changed"))
    again = own["wrong_recovered"]
    recovered = None if again is None else ~_marked(again, n)
    p_values = tuple(_part(p) for p in data["p_values"])
    shapes = {wrong.shape, changed.shape, (len(p_values), n)}
    _need(len(wrong) and len(shapes | ({recovered.shape} if recovered is not None else set())) == 1)
    return TransferLevel(
        _text(data["name"]), _text(data["label"]), ~wrong, changed, _number(data["counts_differ"]),
        _number(data["others_differ"]), recovered, _count(data["failed"]), p_values,
    )  # fmt: skip


def _budget(data: _Json, n: int) -> AccuracyBudget:
    shares = tuple(_share(share) for share in data["shares"])
    lost = np.array([_finite(row) for row in data["lost_by_sample"]])
    _need(shares and data["n_samples"] == n and lost.shape == (len(shares) + 1, n))
    residual_changed = _count(data["residual_changed"])
    _need(residual_changed <= n)
    counts = {
        name: _count(data[name])
        for name in ("n_samples", "n_draws", "n_orders", "n_sets", "seed", "failed", "refused")
    }
    ideal, circuit, loss = (_estimate(data[name]) for name in ("ideal", "circuit", "loss"))
    return AccuracyBudget(
        ideal, circuit, loss, shares, _share(data["residual"]), residual_changed,
        lost_by_sample=lost, tolerances=_tolerances(data), **counts,
    )  # fmt: skip


def _share(data: _Json) -> AccuracyShare:
    player = Player(
        _text(data["name"]), _text(data["label"]), tuple(Cause(c) for c in data["causes"]),
        _texts(data["parameters"]),
    )  # fmt: skip
    return AccuracyShare(
        player, _number(data["value"]), _number(data["error_samples"]),
        _number(data["error_orders"]), _estimate(data["interval"]),
    )  # fmt: skip


def _certified(data: _Json, n: int) -> CertifiedPredictions:
    certified = ~_marked([data["uncertified"]], n)[0]
    linear = data["linear"]
    _need(type(linear) is bool)
    # What is infinite has no number in a file: nothing can change a prediction, or anything.
    unknown = np.where(certified, math.inf, -math.inf) if linear else np.full(n, math.nan)
    margins = np.array([_number(margin) for margin in data["margins"]])
    _need(margins.shape == (n,))
    own, finer = _texts(data["levels"])
    short = BoundsInShort(
        (own, finer), _number(data["judge_ratio"]), _count(data["judged"]),
        _number(data["spike_time_error_median"]), _number(data["spike_time_error_worst"]),
        _part(data["uncertain_features"]),
        {_text(kind): _number(value) for kind, value in data["errors_of_features"].items()},
        _count(data["failed"]),
    )  # fmt: skip
    return CertifiedPredictions(
        _classes(data["predicted"], n), certified, np.where(np.isnan(margins), unknown, margins),
        _text(data["readout"]), linear, short,
    )  # fmt: skip


def _spot_checks(data: _Json, n: int) -> SpotChecks:
    samples = _places(data["samples"])
    _need(len(samples) and samples.max() < n)
    uncertified = _count(data["uncertified"])
    _need(uncertified <= len(samples))
    return SpotChecks(
        samples, uncertified, _text(data["backend"]), _count(data["n_counts"]),
        tuple(_difference(one) for one in data["differences"]), _number(data["worst"]),
        _classes(data["predicted_equations"], len(samples)),
        _classes(data["predicted_simulator"], len(samples)), _texts(data["failed"]),
    )  # fmt: skip


def _difference(data: _Json) -> CountDifference:
    counts = {
        name: _count(data[name])
        for name in ("sample", "neuron", "window", "equations", "simulator")
    }
    distance = math.inf if data["distance"] is None else _number(data["distance"])
    return CountDifference(
        t=_number(data["t"]), distance=distance, error=_number(data["error"]), **counts
    )


def _energy(data: _Json, n: int) -> EnergyPerDecision:
    on, off = (_used(level, n) for level in data["levels"])
    _need((on.name, off.name) == ("on", "off") and data["trained_on"] in ("reference", "equations"))
    duration = _number(data["duration"])
    _need(duration > 0)
    return EnergyPerDecision(
        on, off, _part(data["p_value"]), _count(data["n_neurons"]), duration, data["trained_on"],
        _texts(data["remarks"]),
    )  # fmt: skip


def _used(data: _Json, n: int) -> DecisionEnergy:
    own = data["by_sample"]
    source = _finite(own["source"])
    supply = np.array([_number(energy) for energy in own["supply"]])
    spikes = np.array([_count(spikes) for spikes in own["spikes"]])
    _need({source.shape, supply.shape, spikes.shape} == {(n,)})
    return DecisionEnergy(
        _text(data["name"]), _text(data["label"]), ~_marked([own["wrong"]], n)[0], source, supply,
        spikes, _number(data["idle"]), _count(data["failed"]),
    )  # fmt: skip


_PARTS: Mapping[str, Any] = {
    "budget": _budget, "certified": _certified, "spot_checks": _spot_checks, "energy": _energy,
}  # fmt: skip


def _need(true: object) -> None:
    if not true:
        raise ValueError


def _number(value: Any) -> float:
    """Return a number; NaN where there is none."""
    if value is None:
        return math.nan
    _need(type(value) in (int, float) and math.isfinite(value))
    return float(value)


def _finite(values: Sequence[Any]) -> _Floats:
    out = np.array([_number(value) for value in values])
    _need(np.isfinite(out).all())
    return out


def _part(value: Any) -> float:
    """Return a number from 0 to 1."""
    found = _number(value)
    _need(0.0 <= found <= 1.0)
    return found


def _count(value: Any) -> int:
    _need(type(value) is int and value >= 0)
    return int(value)


def _text(value: Any) -> str:
    _need(type(value) is str)
    return str(value)


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    _need(type(values) is list)
    return tuple(_text(value) for value in values)


def _places(values: Sequence[Any]) -> NDArray[np.int64]:
    """Return numbers of samples, each once."""
    found = np.array([_count(value) for value in values], dtype=np.int64)
    _need(len(set(found.tolist())) == len(found))
    return found


def _marked(rows: Sequence[Sequence[Any]], n: int) -> _Bools:
    """Return which of n samples are named in each row."""
    out = np.zeros((len(rows), n), dtype=bool)
    for row, values in zip(out, rows, strict=True):
        places = _places(values)
        _need(places.max(initial=-1) < n)
        row[places] = True
    return out


def _classes(values: Sequence[Any], n: int) -> NDArray[Any]:
    _need(len(values) == n)
    return np.array([_count(value) for value in values], dtype=np.int64)


def _estimate(data: _Json) -> Estimate:
    for value in (data["value"], data["low"], data["high"]):
        _number(value)
    return Estimate.from_dict(data)


def _tolerances(data: _Json) -> tuple[Tolerance, ...]:
    return tuple(Tolerance(**tolerance) for tolerance in data["tolerances"])

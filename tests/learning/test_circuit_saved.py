"""Studies of circuits: what is written is read again, and what is damaged is not."""

from __future__ import annotations

import copy
import json

import pytest
from circuit_studies import made_circuit_study

from spicealif.errors import LearningError, OutputError
from spicealif.learning import load_circuit_study, load_study


@pytest.mark.parametrize(
    "parts", [(), ("budget",), ("certified",), ("spot_checks",), ("energy",), ("none",)]
)
def test_a_study_is_the_same_when_it_was_saved(tmp_path, parts):
    study = made_circuit_study(*parts)
    again = load_circuit_study(study.save(tmp_path / "study.json"))
    assert again.to_dict() == study.to_dict()
    assert str(again) == str(study)
    assert repr(again) == repr(study)
    assert list(again.parts) == list(study.parts)


def test_what_follows_from_single_samples_follows_again(tmp_path):
    study = made_circuit_study()
    again = load_circuit_study(study.save(tmp_path / "study.json"))
    assert again.transfer["tolerances"].right.tolist() == [[1, 0, 1, 0], [0, 0, 1, 0]]
    assert again.transfer["circuit"].recovered.tolist() == [[1, 1, 1, 0]]
    assert again.transfer.lost("tolerances") == study.transfer.lost("tolerances")
    assert again.budget.lost_by_sample.tolist() == study.budget.lost_by_sample.tolist()
    assert again.budget.shares == study.budget.shares
    assert again.certified.margins.tolist() == study.certified.margins.tolist()
    assert again.certified.short == study.certified.short
    assert again.certified.bounds is None
    assert [d.explained for d in again.spot_checks.differences] == [True, False]
    assert again.energy.on.total.tolist() == study.energy.on.total.tolist()
    drawn = [
        [line.get_xdata().tolist() for line in axes.lines if hasattr(line.get_xdata(), "tolist")]
        for found in (study, again) for axes in found.plot().axes
    ]  # fmt: skip
    assert drawn[: len(drawn) // 2] == drawn[len(drawn) // 2 :]


def changed(data, path, value):
    """Return the data with another value at a path, or without it."""
    data = copy.deepcopy(data)
    *before, last = path.split(".")
    place = data
    for key in before:
        place = place[int(key) if key.isdigit() else key]
    if isinstance(place, list):
        last = int(last)
    if value is ...:
        del place[last]
    else:
        assert place[last] != value
        place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "study"),
        ("task", {}),
        ("task.readouts", ["x"]),
        ("readout", "k-nn"),
        ("seed", -1),
        ("seed", True),
        ("train", [1, 2]),
        ("test", []),
        ("test", [1, 4, 6]),
        ("test", [1, 4, 6, 10]),
        ("test", [1, 4, 6, 6]),
        ("exchange", 1),
        ("exchange", ...),
        ("transfer", []),
        ("transfer.levels", []),
        ("transfer.levels.0", ...),
        ("transfer.levels.1.name", "ideal"),
        ("transfer.levels.1.by_sample", ...),
        ("transfer.levels.1.by_sample.wrong", [[4]]),
        ("transfer.levels.1.by_sample.wrong", [[1, 1]]),
        ("transfer.levels.1.by_sample.wrong", [[1], [1]]),
        ("transfer.levels.1.by_sample.wrong", [["1"]]),
        ("transfer.levels.2.by_sample.wrong_recovered", [[3]]),
        ("transfer.levels.1.p_values", [1.5]),
        ("transfer.levels.1.counts_differ", "x"),
        ("transfer.levels.1.label", None),
        ("transfer.tolerances.0.spread", -1.0),
        ("transfer.tolerances.0", {"parameter": "c"}),
        ("transfer.remarks", "none"),
        ("budget.shares", []),
        ("budget.shares.0", ...),
        ("budget.shares.0.causes", ["gremlins"]),
        ("budget.lost_by_sample.0", [0.0, 1.0, 0.0, None]),
        ("budget.lost_by_sample.1", [0.0]),
        ("budget.lost_by_sample.1", [0.0, 1e400, 0.0, 0.0]),
        ("budget.n_samples", 5),
        ("budget.residual_changed", 5),
        ("budget.loss.value", "0.5"),
        ("budget.loss", None),
        ("certified.uncertified", [7]),
        ("certified.margins", [0.3]),
        ("certified.predicted", [0, 1, 2]),
        ("certified.levels", ["one"]),
        ("certified.linear", None),
        ("certified.errors_of_features", []),
        ("spot_checks.samples", []),
        ("spot_checks.samples", [2, 4]),
        ("spot_checks.uncertified", 3),
        ("spot_checks.differences.0.window", -1),
        ("energy.levels.1", ...),
        ("energy.levels.0.name", "off"),
        ("energy.levels.0.by_sample.source", [1e-6, 2e-6, 3e-6, None]),
        ("energy.levels.0.by_sample.spikes", [3, 4, 5, 6.5]),
        ("energy.trained_on", "nothing"),
        ("energy.duration", 0),
        ("energy.p_value", 2),
    ],
)
def test_a_damaged_study_is_not_read(tmp_path, path, value):
    file = tmp_path / "damaged.json"
    file.write_text(json.dumps(changed(made_circuit_study().to_dict(), path, value)))
    with pytest.raises(LearningError, match=r"'damaged.json' is no study of a circuit, damaged"):
        load_circuit_study(file)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"circuit-study"', "{}", '{"kind": []}'])
def test_what_is_none_is_not_read(tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(LearningError, match="make it again with 'spicealif learn-circuit'"):
        load_circuit_study(file)


def test_files_that_cannot_be_read_say_so(tmp_path):
    file = tmp_path / "cut.json"
    made_circuit_study().save(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(LearningError, match="damaged or no JSON"):
        load_circuit_study(file)
    with pytest.raises(LearningError, match="cannot be read"):
        load_circuit_study(tmp_path / "none.json")
    with pytest.raises(OutputError, match=r"use \.json"):
        made_circuit_study().save(tmp_path / "study.csv")


def test_the_two_kinds_of_studies_are_told_apart(tmp_path):
    with pytest.raises(LearningError, match="is a study of a circuit; read it with load_circuit"):
        load_study(made_circuit_study().save(tmp_path / "circuit.json"))
    (tmp_path / "study.json").write_text('{"task": {}, "cells": []}')
    with pytest.raises(LearningError, match="is a study of methods; read it with load_study"):
        load_circuit_study(tmp_path / "study.json")

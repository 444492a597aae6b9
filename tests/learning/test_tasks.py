"""Tasks: in files and out, what ships, and what makes no sense."""

from __future__ import annotations

import tomllib

import jsonschema
import numpy as np
import pytest
from learning_tasks import small_task

from spicealif import load_preset, save_toml
from spicealif._support.resources import models_dir
from spicealif.errors import DesignError, LearningError
from spicealif.learning import (
    AlifBank,
    Task,
    dump_task,
    load_task,
    parse_task,
    save_task,
    task_names,
    task_schema,
)

SHIPPED = ["arrowhead", "basic-motions", "breast-cancer", "digits", "digits-rows", "gunpoint",
           "iris", "italy-power-demand", "japanese-vowels", "mnist1d"]  # fmt: skip


def test_shipped_tasks_read_back_and_follow_the_schema():
    assert task_names() == SHIPPED
    schema = task_schema()
    for name in SHIPPED:
        task = load_task(name)
        assert task.name == name
        assert task.seeds >= 10
        assert parse_task(dump_task(task)) == task
        text = (models_dir() / "tasks" / f"{name}.toml").read_text()
        jsonschema.validate(tomllib.loads(text), schema)


def test_digits_by_rows_have_72_features():
    task = load_task("digits-rows")
    bank = AlifBank(**task.bank.arguments(0)).fit(task.load_data().x[:40])
    assert len(bank.get_feature_names_out()) == 72


def test_arguments_are_those_of_a_bank(tmp_path):
    given = small_task(tmp_path).bank.arguments(seed=5)
    bank = AlifBank(**given)
    assert given["random_state"] == 5
    own = {"cache", "causes", "channels", "n_jobs", "progress"}
    assert set(bank.get_params(deep=False)) - set(given) == own


def test_a_neuron_and_data_beside_the_file(tmp_path, monkeypatch):
    np.savez(tmp_path / "mine.npz", X=np.arange(24.0).reshape(8, 3), y=[0, 1] * 4)
    save_toml(load_preset("paper").replace(c="220n"), tmp_path / "mine.toml")
    (tmp_path / "task.toml").write_text(
        "[data]\nsource = 'mine.npz'\nfolds = 2\n[bank]\nneuron = 'mine.toml'\n"
    )
    monkeypatch.chdir("/")
    task = load_task(tmp_path / "task.toml")
    assert (task.name, task.bank.neuron.c) == ("task", 2.2e-7)
    assert len(task.load_data()) == 8
    again = load_task(save_task(task, tmp_path / "again.toml"))
    assert again == task
    other = task.replace({"bank.neuron": {"preset": "paper", "c": "220n"}})
    assert other.bank.neuron.c == 2.2e-7
    bare = task.replace({"baselines": []})
    assert load_task(save_task(bare, tmp_path / "bare.toml")).baselines == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[data]\n", "data.source"),
        ("[data]\nsource = 'iris'\nfold = 3\n", "Unknown key 'fold'"),
        ("readouts = ['svn']\n[data]\nsource = 'iris'\n", "use one of 'ridge', 'logistic' or"),
        ("readouts = ['svm', 'svm']\n[data]\nsource = 'iris'\n", "readouts has a name twice"),
        ("[data]\nsource = 'iris'\n[bank]\ni_low = 1\n", "i_low is 1 A and i_high 0.001 A"),
        ("[data]\nsource = 'iris'\n[bank]\nneuron = 'x'\n", "neuron = 'x' is no preset"),
        ("[leak]\n", "neuron's or a network's file"),
        ("[data\n", "not valid TOML"),
    ],
)
def test_what_is_said_to_a_task(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(DesignError) as told:
        load_task(path)
    assert words in str(told.value)
    assert "mine.toml" in str(told.value)


#: Of a bank what the types of a description refuse, and what only the rules of its fit do.
OTHER_TYPES = [
    {"duration": 0}, {"neuron": "papper"}, {"encoding": "latency"}, {"features": ["rate"]},
    {"input_range": [1.0]}, {"windows": 0},
]  # fmt: skip
AGAINST_RULES = [
    {"features": ["count", "count"]}, {"windows": 10**9}, {"input_range": (2.0, 1.0)},
    {"input_range": (1.0, 2.0), "polarity": "split"}, {"n_neurons": 3, "neurons_per_input": 2},
    {"n_neurons": 3, "polarity": "split"}, {"spread": {"leak.nonesuch": [1.0, 2.0]}},
    {"spread": {"c": ["1 V", "2 V"]}}, {"spread": {"c": [2e-7, 1e-7]}},
    {"spread": {"t_stop": ["1m", "2m"]}}, {"i_high": 1.0}, {"i_low": "2m"}, {"duration": 1e9},
    {"rtol": -1.0, "backend": "equations"},
    {"rtol": 5.0},
]  # fmt: skip


def told_of(values):
    return ", ".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize("values", [*OTHER_TYPES, *AGAINST_RULES], ids=told_of)
def test_a_bank_that_makes_no_sense_is_refused_with_its_task(values):
    """Before any data are read, by the rules of the bank's own fit."""
    with pytest.raises(DesignError) as told:
        Task.from_dict({"name": "mine", "data": {"source": "nowhere.csv"}, "bank": values})
    said = str(told.value)
    assert "\n" not in said
    with pytest.raises(ValueError) as fitted:
        AlifBank(**values).fit([[-1.0], [0.0], [1.0]])
    if values in AGAINST_RULES:
        assert said.rsplit(";", maxsplit=1)[-1] == str(fitted.value).split(";")[-1]


def test_a_file_of_data_is_no_task():
    with pytest.raises(DesignError, match=r"write a task's file .* source = 'plants.csv'"):
        load_task("some/plants.csv")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bank.encoding": "series"}, "has features, and the bank's encoding series takes series"),
        ({"baselines": ["rocket"]}, "rocket take series"),
        ({"data.split": "resamples"}, "no split of its own"),
        ({"data.source": "nonesuch"}, "no data set and no file"),
    ],
)
def test_data_that_do_not_fit(changes, words):
    with pytest.raises(LearningError, match=words):
        load_task("iris").replace(changes).load_data()

"""``spicealif learn-circuit``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from learning_tasks import small_task

from spicealif.cli.main import run
from spicealif.errors import LearningError
from spicealif.learning import load_circuit_study, load_task, run_circuit_study, save_task, split_of
from spicealif.learning.circuit_study import chosen_samples


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "kept"))
    save_task(small_task(tmp_path), tmp_path / "small.toml")
    return tmp_path


WORDS = ("learn-circuit", "small.toml", "--set", "bank.duration=0.5m", "--set", "bank.i_high=2m",
         "--samples", "3", "--draws", "1", "--workers", "2")  # fmt: skip


@pytest.mark.slow
def test_a_study_is_printed_and_written(here, capsys):
    words = [*WORDS, "--orders", "2", "--grouping", "one", "-o", "out.json", "--figure", "out.png",
             "--report", "out.html"]  # fmt: skip
    assert run(words) == 0
    seen = capsys.readouterr()
    for text in ("circuit with tolerances", "reset level", "certified", "idle share"):
        assert text in seen.out
    assert "Wrote out.json, out.png, out.html." in seen.out
    assert "small: circuit" in (here / "out.html").read_text()
    assert (here / "out.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((here / "out.json").read_text())
    loaded = load_circuit_study("out.json")
    assert loaded.to_dict() == found
    assert (
        str(loaded).split() == seen.out.removesuffix("Wrote out.json, out.png, out.html.\n").split()
    )
    assert (found["task"]["name"], len(found["test"])) == ("small", 3)
    budget = found["budget"]
    total = sum(s["value"] for s in budget["shares"]) + budget["residual"]["value"]
    assert total == pytest.approx(budget["loss"]["value"], abs=1e-12)
    levels = {level["name"]: level for level in found["transfer"]["levels"]}
    assert levels["tolerances"]["accuracy"]["value"] == budget["circuit"]["value"]
    # The same again is there already, and may replace what it has written.
    assert run([*WORDS, "--no-budget", "-o", "out.json", "-q"]) == 0
    again = json.loads((here / "out.json").read_text())
    assert "budget" not in again
    assert again["transfer"] == found["transfer"]
    assert again["energy"] == found["energy"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--samples", "100"), 1, "more than small has"),
        (("--samples", "0"), 1, "give 1 or more"),
        (("--readout", "rbf-svm"), 1, "choose one of ridge"),
        (("--draws", "0"), 1, "0 draws"),
        (("--orders", "1", "--draws", "1"), 1, "sampled in pairs"),
        (("--grouping", "all"), 2, "is not one of"),
        (("--device", "no-such"), 1, "no-such"),
        (("-o", "out.csv"), 1, "use .json"),
        (("--report", "out.pdf"), 1, "use .html"),
        (("--format", "png"), 1, "add --figure"),
        (("--set", "bank.duration=3V"), 1, "give it in s"),
        (("--set", "bank.spread.leak.nonesuch=1,2"), 1, "no parameter 'leak.nonesuch'"),
        (("--set", "bank.i_high=1"), 1, "would latch"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_solved(here, capsys, words, code, said):
    assert run([*WORDS[:2], *words]) == code
    assert said in capsys.readouterr().err
    assert not list((here / "kept").rglob("*.kept"))


def test_test_samples_are_the_split_s_or_more():
    task = load_task("iris")
    data = task.load_data()
    whole = chosen_samples(task, data, None, 3)
    assert np.array_equal(whole.test, split_of(task, data, 3).test)
    some = chosen_samples(task, data, 10, 3)
    assert set(some.test) < set(whole.test)
    assert np.array_equal(some.train, whole.train)
    more = chosen_samples(task, data, 60, 3)
    assert len(more.test) == 60
    assert np.array_equal(np.sort([*more.train, *more.test]), np.arange(150))
    assert np.bincount(data.y[more.test]).tolist() == [20, 20, 20]
    series = load_task("basic-motions")
    with pytest.raises(LearningError, match="more than basic-motions has"):
        chosen_samples(series, series.load_data(), 60, 0)


def test_the_two_sides_of_a_split_can_be_exchanged():
    task = load_task("basic-motions")
    data = task.load_data()
    one = chosen_samples(task, data, None, 0)
    other = chosen_samples(task, data, None, 0, exchange=True)
    assert np.array_equal(one.train, other.test)
    assert np.array_equal(one.test, other.train)
    assert np.array_equal(np.sort([*one.test, *other.test]), np.arange(80))
    some = chosen_samples(task, data, 10, 0, exchange=True)
    assert set(some.test) < set(one.train)
    assert np.array_equal(some.train, one.test)
    iris = load_task("iris")
    with pytest.raises(LearningError, match="more than iris has"):
        chosen_samples(iris, iris.load_data(), 121, 0, exchange=True)


def test_nothing_is_solved_without_a_task():
    with pytest.raises(LearningError, match="no readout 'k-nn'"):
        run_circuit_study("iris", readout="k-nn")

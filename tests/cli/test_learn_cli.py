"""``spicealif learn``: what it prints and writes, and what it says to what makes no sense."""

from __future__ import annotations

import json
import re

import pytest
from _terminal import Terminal, command
from learning_tasks import small_task

from spicealif.cli.main import run
from spicealif.learning import load_study, save_task, task_names, task_schema
from spicealif.sweep import Store


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def task(here):
    save_task(small_task(here), here / "small.toml")
    return ("small.toml", "--store", "store", "--workers", "1")


@pytest.mark.slow
def test_a_study_is_printed_and_written(task, here, capsys):
    words = ["learn", *task, "--seeds", "2", "-o", "out.json", "--figure", "out.svg", "--report",
             "out.html"]  # fmt: skip
    assert run(words) == 0
    seen = capsys.readouterr()
    assert re.search(r"^ALIF, ridge +\d", seen.out, re.MULTILINE)
    assert "Wrote out.json, out.svg, out.html." in seen.out
    assert "kept from before" not in seen.out
    found = load_study("out.json")
    assert len(found.cells) == 8
    assert "<svg" in (here / "out.svg").read_text()
    assert "small: learning" in (here / "out.html").read_text()
    # One cell by itself, and the same as JSON: from the store and to the bit.
    assert run(["learn", *task, "--method", "alif-ridge", "--seed", "1", "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    whole = next(c for c in found.cells if (c.method, c.seed) == ("alif-ridge", 1))
    assert alone["cells"][0]["predictions"] == list(whole.predictions)
    assert run(["learn", *task, "--seeds", "2", "--methods", "raw,k-nn", "-o", "out.csv"]) == 0
    assert "4 of 4 cells kept from before; --store NEW_FOLDER" in capsys.readouterr().out
    assert len((here / "out.csv").read_text().splitlines()) == 3
    assert Store(here / "store").check().results == 8


def test_the_tasks_are_listed(here, capsys):
    assert run(["learn", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == task_names()


def test_the_schema_is_printed(task, capsys):
    assert run(["learn", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == task_schema()
    assert run(["learn", "--schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == schema
    for words in ((*task, "--schema"), ("--list", "--schema"), ("--schema", "-o", "schema.json"),
                  ("--list", "--report", "tasks.html")):  # fmt: skip
        assert run(["learn", *words]) == 1
        assert "give it alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--seeds", "0"), 1, "give 1 or more"),
        (("--method", "k-nn"), 1, "give both, or neither"),
        (("--method", "k-nn", "--seed", "1", "--seeds", "3"), 1, "choose one"),
        (("--methods", "alif,svn"), 1, "no method 'svn'; choose among"),
        (("--methods", "knn"), 1, "no method 'knn'; did you mean 'k-nn'"),
        (("--set", "bank.duration"), 1, "not of the form KEY=VALUE"),
        (("--set", "bank.duration=3V"), 1, "give it in s"),
        (("--set", "bank.duration=1m", "--set", "bank.duration=2m"), 1, "twice; give it once"),
        (("--set", "bank.encoding=steps", "--set", "readouts=svn"), 1, "use one of 'ridge'"),
        (("-o", "out.nc"), 1, "use .json or .csv"),
        (("-o", "small.toml"), 1, "use .json or .csv"),
        (("--set", "bank.spread.leak.nonesuch=1,2"), 1, "no parameter 'leak.nonesuch'"),
        (("--set", "bank.input_range=2,1"), 1, "does not rise"),
        (("--set", "bank.features=count,count"), 1, "give a list of different ones"),
        (("--report", "out.txt"), 1, "use .html"),
        (("--format", "png"), 1, "add --figure"),
        (("--list",), 1, "leave out"),
    ],
)
def test_what_is_refused(task, capsys, words, code, said):
    assert run(["learn", *task, *words]) == code
    assert said in capsys.readouterr().err


def test_no_task_and_one_that_is_not_there(here, capsys):
    assert run(["learn"]) == 2
    assert "--list shows" in capsys.readouterr().err
    assert run(["learn", "nonesuch"]) == 1
    assert "see 'spicealif learn --list'" in capsys.readouterr().err


@pytest.mark.slow
def test_values_are_set(task, capsys):
    changes = ("bank.spread.leak.tau=1m,9m", "bank.features=count,x_last", "readouts=svm",
               "data.folds=3", "baselines=k-nn,mlp")  # fmt: skip
    words = [word for change in changes for word in ("--set", change)]
    assert run(["learn", *task, *words, "--methods", "raw", "--seeds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["task"]
    assert found["bank"]["spread"] == {"leak.tau": ["1m", "9m"]}
    assert found["bank"]["features"] == ["count", "x_last"]
    assert (found["readouts"], found["data"]["folds"]) == (["svm"], 3)


@pytest.mark.slow
def test_a_failed_cell_is_told_and_is_exit_code_one(task, capsys):
    words = ["--set", "bank.spread.leak.tau=-2,-1", "--seeds", "1", "--methods", "alif,k-nn"]
    assert run(["learn", *task, *words]) == 1
    seen = capsys.readouterr()
    assert "1 of 2 cells failed; the first is alif-ridge, seed 0:" in seen.err
    assert re.search(r"^k-NN +\d", seen.out, re.MULTILINE)


@pytest.mark.slow
def test_progress_is_seen_and_an_interrupt_keeps_what_was_done(task, here):
    arguments = ("learn", *task, "--set", "seeds=200")
    terminal = Terminal(command(*arguments), columns=100, folder=here)
    assert terminal.read_until(
        lambda t: any(re.search(r"small, 800 cells.* [1-9]\d*/800, .*left", row)
                      for row in t.lines())
    ), terminal.lines()  # fmt: skip
    terminal.press_ctrl_c()
    seen = terminal.finish()
    assert (seen.code, seen.trouble) == (130, []), seen.text
    assert "What was done is kept; the same command goes on from there." in seen.text
    assert Store(here / "store").check().results > 0

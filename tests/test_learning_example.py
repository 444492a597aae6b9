"""The example of hybrid learning: its text is that of its results, and a part of them is run."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "hybrid_learning"


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return {name: importlib.import_module(name) for name in ("tasks", "circuit")}


def kept(name: str):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def block(name: str) -> str:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"<!-- study: {name} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)
    return found


def test_the_text_is_what_the_results_say(example):
    tasks, circuit = kept("tasks"), kept("circuit")
    assert block("tasks") == example["tasks"].text(tasks)
    assert block("published") == example["tasks"].published(tasks)
    assert block("answer") == example["tasks"].answer(tasks, circuit)
    assert block("circuit") == example["circuit"].text(circuit)


def test_every_method_has_all_splits_of_every_task(example):
    from spicealif.learning import load_task, task_names

    tasks = kept("tasks")
    assert set(tasks) == set(task_names()) == set(example["tasks"].ORDER)
    for name, task in tasks.items():
        assert set(task["methods"]) == set(load_task(name).methods)
        for method, found in task["methods"].items():
            assert found["failed"] == 0
            each = task["accuracies"][method]
            assert len(each) == found["splits"] == task["methods"]["alif-ridge"]["splits"]
            assert len(each) >= 10
            assert found["accuracy"] == pytest.approx(sum(each) / len(each), abs=1e-5)


def test_shares_sum_to_what_is_lost():
    for study in kept("circuit").values():
        budget = study["budget"]
        shares = [*budget["shares"], budget["residual"]]
        total = sum(share["value"] for share in shares)
        assert total == pytest.approx(budget["loss"]["value"], abs=1e-6)
        assert len(shares) >= 10


def test_what_the_text_says_in_short():
    tasks, circuit = kept("tasks"), kept("circuit")

    def verdicts(stage):
        return {
            name: task["methods"][f"{stage}-{task['compared_with'].split('-')[1]}"]["verdict"]
            for name, task in tasks.items()
        }

    assert [n for n, verdict in verdicts("lif").items() if verdict != "within chance"] == [
        "mnist1d"
    ]
    assert verdicts("lif")["mnist1d"] == "worse"
    assert {n for n, v in verdicts("raw").items() if v == "worse"} >= {"basic-motions", "mnist1d"}
    for name, study in circuit.items():
        level = {one["name"]: one for one in study["transfer"]["levels"]}
        ideal = level["ideal"]["accuracy"]["value"]
        assert level["circuit"]["accuracy"]["value"] > ideal - 0.03
        for changed in ("tolerances", "device"):
            assert level[changed]["accuracy"]["value"] < ideal
            lost = ideal - level[changed]["recovered"]["value"]
            if (name, changed) == ("basic-motions-exchanged", "device"):
                assert lost == pytest.approx(3 / 40)
            else:
                assert lost < 0.01
        assert all(one["idle_share"] > 0.99 for one in study["energy"]["levels"])
    budget = circuit["basic-motions-exchanged"]["budget"]
    beyond = [share["name"] for share in budget["shares"] if not share["within_chance"]]
    assert beyond == ["tolerance:leak"]


@pytest.mark.slow
def test_a_cell_again_is_the_same(tmp_path):
    from spicealif.learning import run_study

    tasks = kept("tasks")
    for name, methods in (("iris", ["alif-ridge", "k-nn"]), ("basic-motions", ["alif-ridge"])):
        again = run_study(name, methods=methods, seeds=[1], store=tmp_path, workers=1)
        for cell in again.cells:
            assert cell.accuracy == pytest.approx(
                tasks[name]["accuracies"][cell.method][1], abs=1e-6
            )

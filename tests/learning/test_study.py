"""Studies: what is computed, kept and computed again; what the table says."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from learning_tasks import small_task
from scipy import stats

from spicealif import load_preset
from spicealif.errors import CompareError, LearningError
from spicealif.learning import (
    Cell,
    StudyResult,
    corrected_t_test,
    load_study,
    run_study,
    save_task,
    study,
    study_figure,
)
from spicealif.report import report_html
from spicealif.sweep import Store
from spicealif.sweep.worker import PASSING


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


def run(task, folder, **options):
    with ThreadPoolExecutor(1) as executor:
        return run_study(task, store=folder / "store", executor=executor, **options)


@pytest.fixture(scope="module")
def result(folder):
    return run(small_task(folder), folder)


def made(accuracies, n_test=20, **others):
    """A result with these accuracies of each method."""
    cells = tuple(
        Cell(method, seed, accuracy=a, balanced_accuracy=a, inner_accuracy=others.get(method),
             n_train=80, n_test=n_test, stage_s=0.0, fit_s=0.0,
             wrong=tuple(range(round((1 - a) * n_test))))
        for method, values in accuracies.items() for seed, a in enumerate(values)
    )  # fmt: skip
    from spicealif.learning import load_task

    return StudyResult(load_task("iris"), cells, ("a", "b"), (60, 40), "nobody.")


def test_the_table_has_every_method_and_what_was_compared(result):
    text = str(result)
    for label in ("ALIF, ridge", "LIF, ridge", "raw, ridge", "k-NN"):
        assert label in text
    assert result.compared_with == "alif-ridge"
    assert "compared with" in text
    assert "4 folds of repeated stratified 2-fold, 15 training and 15 test samples." in text
    assert len(result.cells) == 16
    assert result.chance == 0.5
    assert repr(result).startswith("<StudyResult of 'small', 4 methods, 4 splits, best ")
    assert "<table" in result._repr_html_()


def test_accuracies_are_those_of_the_predictions(result, folder):
    from spicealif.learning import split_of

    task = small_task(folder)
    data = task.load_data()
    for cell in result.cells:
        test = split_of(task, data, cell.seed).test
        right = np.array(cell.predictions) == data.y[test]
        assert cell.accuracy == right.mean()


def test_a_second_run_computes_nothing_and_another_bank_only_its_own(result, folder):
    seen = []
    same = run(small_task(folder), folder, progress=lambda *told: seen.append(told))
    assert seen == [(16, 16, 0)]
    assert same.to_dict() == result.to_dict()
    seen.clear()
    run(small_task(folder, **{"bank.duration": "1m"}), folder, progress=lambda *t: seen.append(t))
    assert seen[0] == (8, 16, 0)  # raw and k-NN do not depend on the bank
    assert seen[-1] == (16, 16, 0)


def test_keys_hold_the_sources_of_all_that_computes():
    """What the methods and the bank import of this room is in the digest of their cells."""
    room = Path(study.__file__).parent
    described = {"_names.py", "_sklearn.py", "task.py"}  # which compute nothing

    def imported(name):
        tree = ast.parse((room / name).read_text())
        found = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        names = {m.split(".")[2] for m in found if m.startswith("spicealif.learning.")}
        return {n if (room / n).is_dir() else f"{n}.py" for n in names}

    for start, listed in (
        ({"methods.py", "splits.py"}, {*study._SOURCES, *study._OF_BANK}),
        ({"bank.py", "control.py"}, set(study._OF_BANK)),
    ):
        seen, left = set(), set(start)
        while left:
            name = left.pop()
            seen.add(name)
            new = set() if (room / name).is_dir() or name in described else imported(name)
            left |= new - seen
        assert {f"learning/{name}" for name in seen - described} <= listed


def test_keys_hold_what_else_results_depend_on(folder, monkeypatch):
    """What stands in a preset's file, who solved, and the package of a classical method."""
    task = small_task(folder)
    data = task.load_data()
    cells = [("alif-ridge", 0), ("k-nn", 0), ("1nn-dtw", 0)]

    def changed(task):
        keys = study._keys(task, data, cells)
        return {method for (method, _), a, b in zip(cells, before, keys, strict=True) if a != b}

    before = study._keys(task, data, cells)
    assert changed(task) == set()
    with monkeypatch.context() as patch:
        other = load_preset("paper").replace({"c": 9e-8})
        patch.setattr(study, "load_preset", lambda name: other)
        assert changed(task) == {"alif-ridge"}
    with monkeypatch.context() as patch:
        patch.setattr(study, "_version", lambda name: "other" if name == "aeon" else "")
        assert "1nn-dtw" in changed(task)
    simulated = task.replace({"bank.backend": "ngspice"})
    monkeypatch.setattr(study, "version_of_backend", lambda name: "ngspice (46)")
    before = study._keys(simulated, data, cells)
    monkeypatch.setattr(study, "version_of_backend", lambda name: "ngspice (47)")
    assert changed(simulated) == {"alif-ridge"}


def test_a_file_that_changes_is_read_anew(tmp_path):
    """In the same process too; a result of the old file must not be kept as one of the new."""
    task = small_task(tmp_path, **{"seeds": 1})
    with ThreadPoolExecutor(1) as executor:
        options = {"methods": ["k-nn"], "store": tmp_path / "store", "executor": executor}
        run_study(task, **options)
        y = np.repeat([0, 1], 15)
        np.savez(tmp_path / "small.npz", X=np.random.default_rng(0).normal(size=(30, 3)), y=y)
        after = run_study(task, **options).cells[0]
        fresh = run_study(task, **{**options, "store": tmp_path / "fresh"}).cells[0]
    assert after.predictions == fresh.predictions
    job = next(study._jobs(task, "0" * 64, {("k-nn", 0): "key"}))
    (value,) = job.evaluate()
    assert "changed while the study ran" in value["reason"]
    assert value[PASSING]  # and so it is not kept


def test_one_cell_is_that_of_the_whole_study(result, folder, tmp_path):
    alone = run(small_task(folder), tmp_path, methods=["alif-ridge"], seeds=[3])
    whole = next(c for c in result.cells if (c.method, c.seed) == ("alif-ridge", 3))
    assert alone.cells[0].predictions == whole.predictions
    assert alone.cells[0].inner_accuracy == whole.inner_accuracy
    # Nothing is compared or tested with one cell; what was chosen tells it apart from others.
    told = " ".join(alone.notes)
    assert "1 fold (seed 3) of repeated stratified 2-fold" in told
    assert f"Chosen by folds within the training samples: alpha = {whole.chosen['alpha']}." in told
    assert "compared with" not in told
    assert "Nadeau" not in told
    assert "points above 0 are more than it has" in " ".join(result.notes)


def test_a_cell_that_fails_is_named_and_ends_no_other(folder, tmp_path):
    bad = small_task(
        folder, **{"bank.spread": {"leak.tau": (-2.0, -1.0)}}
    )  # refused when it is drawn
    found = run(bad, tmp_path, seeds=1)
    assert {c.method for c in found.failed} == {"alif-ridge"}
    assert found["k-nn"].splits == 1
    assert "Failed: alif-ridge, seed 0:" in str(found)
    assert "greater than 0" in found.failed[0].reason
    assert found.compared_with is None
    store = Store(tmp_path / "store")
    assert store.check().failed == 1
    seen = []
    run(bad, tmp_path, seeds=1, retry_failed=True, progress=lambda *told: seen.append(told))
    assert (seen[0], seen[-1]) == ((3, 4, 0), (4, 4, 1))


@pytest.mark.slow
def test_what_was_done_is_there_after_a_kill(folder, tmp_path):
    task = small_task(folder, seeds=60)
    path = save_task(task, tmp_path / "many.toml")
    arguments = [sys.executable, "-m", "spicealif", "learn", str(path), "--store",
                 str(tmp_path / "store"), "--workers", "1", "-q"]  # fmt: skip
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if Store(tmp_path / "store").check().results > 4:
                break
            time.sleep(0.2)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    there = Store(tmp_path / "store").check().results
    assert 4 < there < 240
    seen = []
    found = run(task, tmp_path, seeds=5, progress=lambda *told: seen.append(told))
    assert seen[0][0] > 4
    assert len(found.cells) == 20
    assert not found.failed


def test_figures_and_tests_are_those_of_the_formulas():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.8, 0.9, 10)
    better = base + rng.uniform(0.04, 0.06, 10)
    level = base + rng.uniform(-0.05, 0.05, 10)
    found = made({"alif-ridge": base, "rbf-svm": better, "k-nn": level}, **{"alif-ridge": 0.9})
    assert found["rbf-svm"].p == corrected_t_test(better, base, 80, 20)[1]
    assert found["rbf-svm"].p_holm == pytest.approx(2 * found["rbf-svm"].p)
    assert (found["rbf-svm"].verdict, found["k-nn"].verdict) == ("better", "within chance")
    assert found["rbf-svm"].difference == pytest.approx((better - base).mean())
    half = stats.t.ppf(0.975, 9) * np.sqrt((0.1 + 0.25) * base.var(ddof=1))
    assert found["alif-ridge"].low == pytest.approx(base.mean() - half)
    rows = {row[0]: row for row in found.rows()}
    assert rows["RBF-SVM"][3] == f"{100 * (better - base).mean():+.1f}"
    assert "60.0 %" in str(found)  # of the largest class


def test_the_readout_is_chosen_by_training_samples_and_not_by_test_samples():
    found = made(
        {"alif-ridge": [0.8, 0.81], "alif-svm": [0.95, 0.9]}, **{"alif-ridge": 0.9, "alif-svm": 0.7}
    )
    assert found.compared_with == "alif-ridge"
    assert np.isnan(found["alif-svm"].p_holm)
    assert found["alif-svm"].difference == pytest.approx(0.12)


def test_equal_accuracies_get_wilsons_interval_and_small_training_sets_a_note():
    found = made({"alif-ridge": [1.0, 1.0, 1.0]}, n_test=100, **{"alif-ridge": 1.0})
    known = stats.binomtest(100, 100).proportion_ci(0.95, method="wilson")
    assert (found["alif-ridge"].low, found["alif-ridge"].high) == pytest.approx((known.low, 1.0))
    assert "the interval is Wilson's" in str(found)
    assert "There are 1.2 test samples for each training sample" in str(found)


def test_with_more_test_samples_the_parts_of_the_spread_are_told_apart():
    base, other = [0.90, 0.92, 0.91, 0.93], [0.95, 0.96, 0.97, 0.96]
    found = made({"alif-ridge": base, "k-nn": other}, n_test=800, **{"alif-ridge": 0.9})
    # Where both are right or wrong they do not differ: the rest is the difference.
    apart = np.mean([(d - d**2) / 800 for d in np.subtract(other, base)])
    known = corrected_t_test(other, base, 80, 800, test_variance=apart)[1]
    assert found["k-nn"].p == pytest.approx(known)
    assert found["k-nn"].p_nadeau_bengio == corrected_t_test(other, base, 80, 800)[1]
    assert found["k-nn"].p < 0.05
    assert found["k-nn"].p_nadeau_bengio > 0.1


def test_a_result_is_saved_and_read(result, tmp_path):
    path = result.save(tmp_path / "small.json")
    again = load_study(path)
    assert again.to_dict() == result.to_dict()
    assert json.loads(path.read_text())["compared_with"] == "alif-ridge"
    table = result.save(tmp_path / "small.csv").read_text().splitlines()
    assert table[0].startswith("method,label,accuracy,accuracy_low,accuracy_high,")
    assert len(table) == 5
    path.write_text('{"task": {}, "cells": []}')
    with pytest.raises(LearningError, match=r"'small.json' is no study's result"):
        load_study(path)
    path.write_text("{")
    with pytest.raises(LearningError, match="damaged or no JSON"):
        load_study(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("wrong", [10**6]), ("n_test", -1), ("n_test", 10**9), ("inner_accuracy", "x"),
     ("seed", None), ("accuracy", None), ("predictions", [])],
)  # fmt: skip
def test_a_study_with_a_senseless_cell_is_not_read(result, tmp_path, name, value):
    data = result.to_dict()
    data["cells"][0][name] = value
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data))
    with pytest.raises(LearningError, match="no study's result, or damaged"):
        load_study(path)


def test_the_figure_has_a_row_for_each_method(result):
    axes = result.plot(title=True).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "ALIF, ridge", "LIF, ridge", "raw, ridge", "k-NN"
    ]  # fmt: skip
    drawn = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "^"]
    assert drawn == [100 * result["k-nn"].accuracy]
    labels = axes.get_legend_handles_labels()[1]
    assert {"compared with", "one split", "largest class"} <= set(labels)
    with pytest.raises(LearningError, match="no figure"):
        study_figure(made({}))


def test_the_report_says_who_is_best(result, tmp_path):
    page = report_html(result)
    best = max(result.methods, key=lambda one: one.accuracy)
    assert f"The best mean accuracy is {100 * best.accuracy:.1f}" in page
    assert "Each method on each split" in page
    assert "['" not in page  # lists are not shown as Python writes them
    path = result.save(tmp_path / "small.json")
    assert "small: learning" in report_html(path)
    path.write_text('{"task": {}, "cells": []}')
    with pytest.raises((CompareError, LearningError)):
        report_html(path)


def test_what_makes_no_study(folder, tmp_path):
    task = small_task(folder)
    for options, words in (
        ({"methods": []}, "no list of names"),
        ({"methods": ["alif-svn"]}, "no method 'alif-svn'; did you mean 'alif-svm', or choose"),
        ({"seeds": 0}, "no seeds"),
        ({"seeds": [-1]}, "below 0"),
        ({"seeds": [0.5]}, "give a whole number"),
        ({"seeds": "12"}, "give a whole number"),
        ({"methods": [1]}, "no list of names"),
    ):
        with pytest.raises(LearningError, match=words):
            run(task, tmp_path, **options)
    with pytest.raises(LearningError, match=r"no method 'x'; choose one of"):
        run(task, folder)["x"]

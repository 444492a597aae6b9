"""No test sample reaches a fit; without a connection there is nothing to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from learning_tasks import small_task
from scipy import stats

from spicealif.learning import load_task, split_of
from spicealif.learning._models import MODELS, DtwNeighbour, OneScale
from spicealif.learning.methods import fit_method, fit_stage, outcomes, stage_name
from spicealif.learning.study import run_study

FEATURES = ("alif-ridge", "alif-logistic", "alif-svm", "lif-ridge", "raw-ridge", "rbf-svm",
            "random-forest", "k-nn", "mlp")  # fmt: skip
SERIES = ("minirocket", "rocket", "1nn-dtw")


@pytest.mark.parametrize("method", [
    pytest.param(m, marks=pytest.mark.slow) if m in ("random-forest", "mlp", *SERIES) else m
    for m in (*FEATURES, *SERIES)
])  # fmt: skip
def test_no_test_sample_reaches_a_fit(tmp_path, method):
    """With other test samples the same is fitted: it predicts the same, to the last bit."""
    if method in SERIES:
        task = load_task("basic-motions")
        data = task.load_data()
        data = replace(data, x=data.x[:, :, :20])
    else:
        task = small_task(tmp_path)
        data = task.load_data()
    split = split_of(task, data, 1)
    poisoned = data.x.copy()
    poisoned[split.test] = 1e9
    other = replace(data, x=poisoned, y=np.where(np.isin(np.arange(len(data)), split.test),
                                                 0, data.y))  # fmt: skip
    fitted, again = (fit_method(task, d, split, method) for d in (data, other))
    grid = data.x + np.random.default_rng(0).normal(size=data.x.shape)
    if fitted.stage.bank is not None:
        assert (fitted.stage.bank.inputs_.high == again.stage.bank.inputs_.high).all()
    assert (fitted.predict(grid) == again.predict(grid)).all()
    assert fitted.chosen == again.chosen
    assert fitted.inner_accuracy == again.inner_accuracy
    if hasattr(fitted.model, "decision_function"):
        features = fitted.stage.transform(grid)
        assert (
            fitted.model.decision_function(features) == again.model.decision_function(features)
        ).all()


def test_splits_are_apart_and_cover_all(tmp_path):
    task = small_task(tmp_path, **{"data.folds": 3})
    data = task.load_data()
    tests = [split_of(task, data, seed) for seed in range(6)]
    for one in tests:
        assert not set(one.train) & set(one.test)
    for repetition in (tests[:3], tests[3:]):
        every = np.concatenate([one.test for one in repetition])
        assert sorted(every) == list(range(30))
    assert set(tests[0].test) != set(tests[3].test)
    series = load_task("basic-motions")
    data = series.load_data()
    own, drawn = split_of(series, data, 0), split_of(series, data, 3)
    assert own.train.tolist() == list(range(40))
    assert sorted([*drawn.train, *drawn.test]) == list(range(80))
    assert np.bincount(data.y[drawn.train]).tolist() == [10, 10, 10, 10]
    assert set(drawn.train) != set(own.train)


@pytest.mark.slow
def test_shuffled_labels_give_chance(tmp_path):
    """Each seed shuffles anew; what is right of all test samples is within a binomial interval."""
    task = small_task(tmp_path, inner_folds=3)
    data = task.load_data()
    rng = np.random.default_rng(8)
    methods = ["alif-ridge", "k-nn"]
    right, n = dict.fromkeys(methods, 0), 0
    for _ in range(20):
        shuffled = replace(data, y=rng.permutation(data.y))
        split = split_of(task, shuffled, 0)
        n += len(split.test)
        for method in methods:
            found = outcomes(task, shuffled, split, [method])[method]
            right[method] += round(found.accuracy * len(split.test))
    for method in methods:
        low, high = stats.binom.interval(0.999, n, 0.5)
        assert low <= right[method] <= high, (method, right[method], n)
    # With their own labels the same samples are told apart.
    split = split_of(task, data, 0)
    assert all(outcomes(task, data, split, [m])[m].accuracy > 0.75 for m in methods)


def test_a_seed_gives_the_same_bits(tmp_path):
    task = small_task(tmp_path)
    data = task.load_data()
    split = split_of(task, data, 2)
    for method in ("alif-ridge", "random-forest"):
        a, b = (outcomes(task, data, split, [method])[method] for _ in range(2))
        assert (a.accuracy, a.inner_accuracy, a.chosen) == (b.accuracy, b.inner_accuracy, b.chosen)
        assert a.predictions.tolist() == b.predictions.tolist()


def test_the_bank_is_that_of_the_task_and_without_adaptation_in_lif(tmp_path):
    task = small_task(tmp_path, **{"bank.spread": {"c": ("47n", "220n"), "leak.tau": ("1m", "9m")}})
    data = task.load_data()
    split = split_of(task, data, 0)
    alif, lif = (fit_stage(task, data, split, name).bank for name in ("alif", "lif"))
    assert (alif.neuron_.leak.kind, lif.neuron_.leak.kind) == ("mms", "resistor")
    assert set(alif.values_) == {"c", "leak.tau"}
    assert set(lif.values_) == {"c"}
    assert (alif.values_["c"] == lif.values_["c"]).all()
    # The leak's come first: what is drawn goes by places.
    turned = task.replace({"bank.spread": {"leak.tau": ("1m", "9m"), "c": ("47n", "220n")}})
    turned = turned.replace({"bank.tolerances": "default"})
    alif, lif = (fit_stage(turned, data, split, name).bank for name in ("alif", "lif"))
    both = set(alif.values_) & set(lif.values_)
    assert {"c", "r_s"} <= both
    assert all((alif.values_[name] == lif.values_[name]).all() for name in both)
    assert "leak.r" in lif.values_
    assert [stage_name(m) for m in ("alif-svm", "raw-svm", "k-nn", "rocket")] == [
        "alif", "raw", "raw", "series"
    ]  # fmt: skip


def test_dtw_by_hand_and_the_narrowest_of_equal_windows():
    x = np.zeros((6, 1, 20))
    for k, at in enumerate((2, 5, 8)):
        x[k, 0, at : at + 3] = 1.0  # a pulse, early or late
        x[k + 3, 0, at : at + 6] = -1.0
    y = np.array([0, 0, 0, 1, 1, 1])
    model = DtwNeighbour().fit(x, y)
    assert model.best_score_ == 1.0
    moved = np.roll(x, 4, axis=2)
    assert DtwNeighbour().fit(x, y).predict(moved).tolist() == y.tolist()
    # A distance that may warp matches two shifted pulses exactly.
    from aeon.distances import dtw_distance

    assert dtw_distance(x[0], x[1], window=1.0) == 0.0


def test_one_scale_keeps_the_features_weights():
    x = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 5.0, 0.1] + 7.0
    out = OneScale().fit(x).transform(x)
    assert out.std() == pytest.approx(1.0)
    ratio = np.std(out, axis=0) / np.std(x, axis=0)
    assert ratio == pytest.approx([ratio[0]] * 3)
    assert set(MODELS) == {"ridge", "logistic", "svm", "rbf-svm", "random-forest", "k-nn", "mlp",
                           "minirocket", "rocket", "1nn-dtw"}  # fmt: skip


def test_a_class_of_one_sample_is_told(tmp_path):
    task = small_task(tmp_path)
    np.savez(tmp_path / "small.npz", X=np.arange(18.0).reshape(9, 2), y=[0] * 6 + [1] * 3)
    result = run_study(task, methods=["k-nn"], seeds=1, store=tmp_path / "store", workers=1)
    assert "A class has one training sample" in result.failed[0].reason

"""A bank gives what single runs give, in scikit-learn's ways, and says what is wrong."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spicealif import load_preset, solve_circuit, solve_reference
from spicealif._support.kept import told_once
from spicealif.errors import DesignError, IntegrationError, SpicealifWarning
from spicealif.learning import AlifBank, without_adaptation
from spicealif.learning.encoding import ENCODINGS, SLOTS, currents
from spicealif.learning.features import FEATURES

RNG = np.random.default_rng(5)
SERIES = RNG.normal(size=(4, 2, 9))
FLAT = RNG.uniform(-1, 3, size=(4, 3))


def _neuron(bank: AlifBank, j: int, u: np.ndarray):
    """Write a run out as a person would: a neuron with a stimulus of its own."""
    times, i = bank._encode(u[None])
    stimulus = (
        {"kind": "constant", "amplitude": float(i[0])}
        if times is None
        else {"kind": "pwl", "t": times.tolist(), "i": i[0].tolist()}
    )
    values = {name: float(array[j]) for name, array in bank.values_.items()}
    return load_preset("paper").replace({**values, "t_stop": bank.duration_, "stimulus": stimulus})


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_spikes_are_those_of_single_runs(encoding):
    x = SERIES if encoding in ("series", "steps") else FLAT
    bank = AlifBank(
        duration="3m", i_high="2m", encoding=encoding, neurons_per_input=2, features=FEATURES,
        windows=3, spread={"leak.tau": ("1m", "9m"), "c": ("80n", "120n")}, random_state=4,
    ).fit(x)  # fmt: skip
    runs = bank.solve(x)
    features = bank.features_of(runs).reshape(4, bank.n_neurons_, -1)
    u, _ = bank.inputs_.scaled(x if x.ndim == 3 else x[:, :, None])
    assert runs.counts.sum() > 100
    for k in range(4):
        for j in range(bank.n_neurons_):
            alone = solve_reference(_neuron(bank, j, u[k, j]))
            t = alone.t_spike
            np.testing.assert_allclose(runs.t_spike(k, j), t, rtol=0, atol=1e-12)
            counted = np.histogram(t, np.linspace(0, 3e-3, 4))[0]
            first = t[0] if len(t) else 3e-3
            isi = np.diff(t).mean() if len(t) > 1 else 3e-3
            told = [*counted, first, isi, alone["x"][-1], alone.attrs["energy_source"]]
            np.testing.assert_allclose(features[k, j], told, rtol=1e-9, atol=1e-15)


def test_the_encodings_mean_what_they_say():
    u = np.array([0.0, 0.25, 1.0])
    times, i = currents(u, "rate", 1e-4, 1e-3, 6.4e-3)
    rises = (np.diff(i, axis=1) > 0).sum(axis=1) + (i[:, 0] > 1e-4)
    assert rises.tolist() == [0, 16, SLOTS]
    charge = np.trapezoid(i - 1e-4, times, axis=1)
    np.testing.assert_allclose(charge, np.round(u * SLOTS) * 0.9e-3 * 50e-6, rtol=2e-2)
    times, i = currents(u, "first-spike", 0.0, 1e-3, 6.4e-3)
    onset = [times[np.argmax(row > 5e-4)] if row.any() else np.inf for row in i]
    assert onset[0] == np.inf
    assert onset[1:] == pytest.approx([4.8e-3, 0.0], abs=2e-6)
    times, i = currents(np.array([[0.5, 1.0]]), "steps", 0.0, 1e-3, 2e-3)
    np.testing.assert_allclose(np.interp([0.0, 1e-3, 1.01e-3, 2e-3], times, i[0]),
                               [5e-4, 5e-4, 1e-3, 1e-3])  # fmt: skip


def test_the_circuit_is_the_circuit(tmp_path):
    bank = AlifBank(duration="1m", i_high="2m", features=FEATURES, tolerances="default", draw=3)
    ideal = bank.fit(FLAT)
    circuit = ideal.with_(backend="equations", cache=tmp_path)
    runs = circuit.solve(FLAT[:2])
    u, _ = ideal.inputs_.scaled(FLAT[:2, :, None])
    for k, j in ((0, 0), (1, 2)):
        alone = solve_circuit(_neuron(ideal, j, u[k, j]))
        np.testing.assert_array_equal(runs.t_spike(k, j), alone.t_spike)
        assert runs.energy_supply[k, j] == alone.attrs["energy_supply"]
    again = circuit.solve(FLAT[:2])
    assert list(tmp_path.rglob("*.kept"))
    for name in ("times", "run_counts", "run_x_last", "run_energy_source", "run_energy_supply"):
        np.testing.assert_array_equal(getattr(again, name), getattr(runs, name))
    temperatures = circuit.values_["temperature"]
    assert np.ptp(temperatures) == 0  # neurons of one bank are in one room
    assert np.ptp(circuit.values_["c"]) > 0


def test_ngspice_counts_what_the_equations_count(tmp_path):
    bank = AlifBank(duration="1m", i_high="2m").fit(FLAT)
    some = FLAT[:1]
    spice = bank.with_(backend="ngspice", cache=tmp_path).transform(some)
    equations = bank.with_(backend="equations", cache=tmp_path).transform(some)
    assert spice.max() > 5
    np.testing.assert_array_equal(spice, equations)


def test_what_was_interrupted_goes_on(tmp_path, monkeypatch):
    from spicealif.learning import runs as module

    monkeypatch.setattr(module, "_BLOCK", 2)
    x = np.linspace(0, 1, 6)[:, None]
    bank = AlifBank(duration="0.2m", backend="equations", cache=tmp_path).fit(x)

    def stop(fraction):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bank.with_(progress=stop).transform(x)
    kept = len(list(tmp_path.rglob("*.kept")))
    assert 1 <= kept < 3
    solved = []
    real = module.solve_bank
    monkeypatch.setattr(module, "solve_bank", lambda *a, **k: solved.append(1) or real(*a, **k))
    bank.transform(x)
    assert len(solved) == 3 - kept


def test_in_a_pipeline_with_a_search_and_pandas():
    x = pd.DataFrame(RNG.uniform(size=(40, 2)), columns=["length", "width"])
    y = (x["length"] > x["width"]).astype(int)
    bank = AlifBank(duration="2m").set_output(transform="pandas")
    assert list(bank.fit_transform(x).columns) == ["length_count", "width_count"]
    assert bank.feature_units_ == ("1", "1")
    model = make_pipeline(AlifBank(duration="2m"), StandardScaler(), LogisticRegression())
    search = GridSearchCV(model, {"alifbank__i_high": ["0.5m", "1m"]}, cv=2, n_jobs=2).fit(x, y)
    assert search.best_score_ > 0.8


def test_threads_change_no_bit():
    x = RNG.uniform(size=(30, 2))
    one, two = (AlifBank(duration="2m", features=FEATURES, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.fit_transform(x), two.fit_transform(x))


def test_random_mixtures_and_polarity():
    x = RNG.normal(size=(50, 4))
    mixed = AlifBank(duration="1m", n_neurons=6, random_state=1).fit(x)
    assert mixed.transform(x).shape == (50, 6)
    assert not np.array_equal(
        mixed.inputs_.weights, AlifBank(n_neurons=6, random_state=2).fit(x).inputs_.weights
    )
    split = AlifBank(duration="1m", polarity="split").fit(x)
    u, _ = split.inputs_.scaled(x[:, :, None])
    most = np.abs(x).max(axis=0)
    np.testing.assert_allclose(u[:, ::2, 0] - u[:, 1::2, 0], x / most)
    assert split.get_feature_names_out()[:2].tolist() == ["x0_pos_count", "x0_neg_count"]


def test_neurons_that_say_nothing_are_told():
    with pytest.warns(SpicealifWarning, match="do not spike"):
        AlifBank(i_high="10u", duration="1m").fit(FLAT)
    with pytest.warns(SpicealifWarning, match="saturated"):
        AlifBank("paper", i_high="1m", duration="0.1m").fit(FLAT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bank = AlifBank(duration="4m").fit(FLAT)
    with pytest.warns(SpicealifWarning, match=r"More than 5 % .* beyond the range"):
        bank.transform(FLAT * 5)


def test_warnings_are_of_the_user_s_line_and_come_once():
    """Through a pipeline too; the usual filter shows a text once for a line."""
    bank = AlifBank(duration="2m", features=("count",)).fit(FLAT)
    pipeline = make_pipeline(StandardScaler(), bank).fit(FLAT)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default", SpicealifWarning)
        for factor in (4, 5, 6):
            bank.transform(FLAT * factor)
        first = len(told)
        pipeline.transform(FLAT * 5)
        bank.set_output(transform="pandas").transform(FLAT * 5)
    lines = Path(__file__).read_text().splitlines()
    assert first == 1
    assert [lines[one.lineno - 1].strip() for one in told] == [
        "bank.transform(FLAT * factor)", "pipeline.transform(FLAT * 5)",
        'bank.set_output(transform="pandas").transform(FLAT * 5)',
    ]  # fmt: skip
    assert {one.filename for one in told} == {__file__}


def test_a_warning_needs_no_file_of_the_user():
    """What is run from a shell's text has none, and its module cannot be looked up."""
    text = "from spicealif._support.kept import tell\nfor _ in range(2): tell('Some sentence.')"
    done = subprocess.run(
        [sys.executable, "-"], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.count("Some sentence.") == 1
    assert "<stdin>:2: SpicealifWarning" in done.stderr


def test_what_is_told_once_is_told_once():
    bank = AlifBank(duration="2m", features=("count",)).fit(FLAT)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with told_once():
            bank.transform(FLAT * 4)
            bank.with_(variant="schmitt").transform(FLAT * 5)
        assert len(told) == 1
        bank.transform(FLAT * 4)
    assert len(told) == 2


def test_without_adaptation_only_the_leak_differs():
    paper = load_preset("paper")
    control = without_adaptation(paper)
    assert control.leak.r == paper.leak.r_off  # x_0 is 0
    assert control.replace({"leak": paper.leak}) == paper
    assert without_adaptation(control) is control


WRONG = {
    "encoding": ({"encoding": "latency"}, ValueError, "no encoding"),
    "backend": ({"backend": "xyce"}, ValueError, "no backend"),
    "features": ({"features": "count"}, ValueError, "give a list"),
    "feature": ({"features": ["rate"]}, ValueError, "no feature"),
    "windows": ({"windows": 0}, ValueError, "windows is 0"),
    "currents": ({"i_low": "2m"}, ValueError, "lower first"),
    "unit": ({"i_high": "1 V"}, IntegrationError, "i_high"),
    "duration": ({"duration": -1.0}, ValueError, "above 0"),
    "range": ({"input_range": 3}, ValueError, "input_range"),
    "range turned round": ({"input_range": (1, 0)}, ValueError, "exchange"),
    "both mixtures": ({"n_neurons": 4, "neurons_per_input": 2}, ValueError, "choose one"),
    "copies": ({"neurons_per_input": 0}, ValueError, "neurons_per_input is 0"),
    "causes": ({"causes": []}, ValueError, "causes are of"),
    "jobs": ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
    "neuron": ({"neuron": "papper"}, DesignError, "neither a preset"),
    "spread": ({"spread": {"leak.tau": 3}}, DesignError, "give two values"),
    "spread of a text": ({"spread": {"name": (0, 1)}}, DesignError, "cannot be spread"),
    "tolerances": ({"tolerances": "some"}, DesignError, "'default'"),
    "channels": ({"encoding": "steps", "channels": 2}, ValueError, "not 2 channels"),
    "no channel": ({"encoding": "steps", "channels": 0}, ValueError, "channels is 0"),
    "features of a set": ({"features": {"count", "x_last"}}, ValueError, "give a list"),
    "too many windows": ({"windows": 10**9}, ValueError, "at most"),
    "range of a text": ({"input_range": "01"}, ValueError, "input_range"),
    "range too wide": ({"input_range": (-1e308, 1e308)}, ValueError, "wider than numbers"),
    "rtol": ({"rtol": "1e-6", "backend": "equations"}, ValueError, "rtol is"),
    "no causes": ({"causes": ["x"], "backend": "equations"}, ValueError, "give a set of"),
    "spread's unit": ({"spread": {"leak.tau": ("1mV", "9mV")}}, DesignError, "two values in s"),
    "spread's letters": ({"spread": {"c": "12"}}, DesignError, "two values in F"),
    "spread of the run": ({"spread": {"t_stop": ("1m", "2m")}}, DesignError, "a sample gives"),
    "spread of pairs": ({"spread": [("c", (1e-9, 2e-9))]}, DesignError, "give a table"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parameters_are_a_sentence(name):
    parameters, kind, said = WRONG[name]
    with pytest.raises(kind, match=said) as caught:
        AlifBank(**parameters).fit(FLAT)
    assert "\n" not in str(caught.value)


def test_wrong_samples_are_a_sentence():
    with pytest.raises(ValueError, match="series or steps"):
        AlifBank().fit(SERIES)
    bank = AlifBank(encoding="series", duration="1m").fit(SERIES)
    with pytest.raises(ValueError, match="values over time"):
        bank.transform(SERIES[:, :, :5])
    with pytest.raises(ValueError, match="another fit"):
        bank.with_(windows=3)
    with pytest.raises(ValueError, match="at least one value"):
        AlifBank(encoding="series").fit(np.zeros((2, 1, 0)))


def test_parameters_of_two_fits_are_not_mixed():
    """A bank that was changed after its fit would have the old range with the new currents."""
    bank = AlifBank(duration="0.2m").fit(FLAT)
    for name, value in {"i_high": "2m", "duration": "1m", "encoding": "rate"}.items():
        old = bank.get_params()[name]
        bank.set_params(**{name: value})
        for use in (bank.with_, lambda: bank.transform(FLAT)):
            with pytest.raises(ValueError, match=f"{name} was changed after the fit"):
                use()
        bank.set_params(**{name: old})
    bank.set_params(features=["nonesuch"])
    with pytest.raises(ValueError, match="no feature"):
        bank.transform(FLAT)
    with pytest.raises(ValueError, match="wider than numbers"):
        AlifBank().fit([[-1e308], [1e308]])


def test_numbers_of_numpy_are_numbers(tmp_path):
    given = {"duration": "0.2m", "backend": "equations", "tolerances": "default"}
    plain = AlifBank(**given, draw=1, rtol=float(np.float32(1e-5)), cache=None)
    numpy = AlifBank(**given, draw=np.int64(1), rtol=np.float32(1e-5), cache=tmp_path,
                     features=np.array(["count"]), windows=np.int64(1))  # fmt: skip
    assert (plain.fit_transform(FLAT[:1]) == numpy.fit_transform(FLAT[:1])).all()

"""One small bank of real circuits: bounds, certified predictions, energies, spot checks."""

import json

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spicealif import Cause, Tolerance, solve_circuit
from spicealif.design import Constant
from spicealif.errors import CompareError
from spicealif.learning import AlifBank
from spicealif.learning.accuracy_budget import budget_accuracy
from spicealif.learning.certified import certify_predictions
from spicealif.learning.energy import energy_per_decision
from spicealif.learning.feature_bounds import bound_features
from spicealif.learning.players import Player
from spicealif.learning.spot_checks import spot_check
from spicealif.learning.transfer import transfer

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)
Y = np.arange(6) % 2
X = np.round(RNG.random((6, 4)) + 0.6 * Y[:, None], 1)
READOUT = make_pipeline(StandardScaler(), RidgeClassifier())


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def bank(kept):
    return AlifBank(
        duration="0.5m", features=("count", "t_first", "x_last"), windows=2, i_high="2m",
        spread={"leak.tau": ("1m", "5m"), "c": ("50n", "100n")}, cache=kept, n_jobs=2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(bank):
    own = bank.fit(X)
    return own, READOUT.fit(own.transform(X), Y)


@pytest.mark.parametrize("backend", ["reference", "equations"])
def test_a_much_finer_solution_is_within_the_bounds(fitted, backend):
    bank, _ = fitted
    found = bound_features(bank.with_(backend=backend), X[:3], judged=2)
    if backend == "equations":
        finer = bank.with_(backend=backend, rtol=3e-10)
    else:
        finer = bank.with_(neuron=bank.neuron_.replace({"numerics.h": 2e-8}))
    features = finer.transform(X[:3])
    assert (found.low <= features).all()
    assert (features <= found.high).all()
    assert not np.array_equal(found.features, features)  # another level it is
    assert np.array_equal(found.features, bank.with_(backend=backend).transform(X[:3]))
    assert 0 < found.errors.t.max() < 1e-9
    assert 0 < found.judge_ratio <= 1


@pytest.mark.parametrize("encoding", ["rate", "first-spike", "steps", "series"])
def test_bounds_hold_for_currents_that_change(encoding):
    bank = AlifBank(
        encoding=encoding, duration="1m", features=("count", "isi_mean", "energy"), windows=4,
        i_high="2m", channels=2,
    ).fit(X)  # fmt: skip
    found = bound_features(bank, X)
    features = bank.with_(neuron=bank.neuron_.replace({"numerics.h": 2e-8})).transform(X)
    assert (found.low <= features).all()
    assert (features <= found.high).all()
    assert found.uncertain[:, np.char.endswith(found_names(bank), "energy")].all()


def found_names(bank):
    return bank.get_feature_names_out().astype(str)


def test_predictions_are_certified_and_a_sample_on_the_boundary_is_not(fitted):
    bank, readout = fitted
    circuit = bank.with_(backend="equations")
    found = certify_predictions(circuit, readout, X)
    assert found.certified.all()
    assert np.array_equal(found.predicted, readout.predict(circuit.transform(X)))
    # move the boundary onto the first sample
    linear = make_pipeline(StandardScaler(), RidgeClassifier()).fit(circuit.transform(X), Y)
    score = linear.decision_function(circuit.transform(X))[0]
    linear[-1].intercept_ -= score
    again = certify_predictions(circuit, linear, X)
    assert again.uncertified.tolist() == [0]
    assert "not certified" in str(again)
    assert json.loads(json.dumps(again.to_dict(), allow_nan=False))["uncertified"] == [0]
    with pytest.raises(CompareError, match="no bound"):
        certify_predictions(bank.with_(backend="ngspice"), readout, X)


def test_a_readout_without_margins_is_certified_where_features_are_certain(bank):
    counts = AlifBank(
        duration="1m", features=("count",), i_high="2m", cache=bank.cache, n_jobs=2
    ).fit(X)  # fmt: skip
    readout = KNeighborsClassifier(1).fit(counts.transform(X), Y)
    found = certify_predictions(counts.with_(backend="equations"), readout, X)
    assert not found.linear
    assert np.array_equal(found.certified, ~found.bounds.uncertain.any(axis=1))
    assert found.certified.any()
    assert "not linear" in str(found)


def test_energies_are_the_sums_of_single_circuits(bank):
    found = energy_per_decision(bank, READOUT, X, Y, X, Y)
    own = bank.fit(X)
    u, _ = own.inputs_.scaled(own._samples(X, reset=False))
    source = supply = spikes = idle = 0.0
    for j in range(4):
        neuron = own.neuron_.replace({name: float(v[j]) for name, v in own.values_.items()})
        run = solve_circuit(neuron.replace({"stimulus": Constant(amplitude=2e-3 * u[1, j, 0])}))
        source += run.attrs["energy_source"]
        supply += run.attrs["energy_supply"]
        spikes += len(run.t_spike)
        quiet = solve_circuit(neuron.replace({"stimulus": Constant(amplitude=0.0)}))
        idle += quiet.attrs["energy_supply"]
    assert found.on.source[1] == pytest.approx(source, rel=1e-9)
    assert found.on.supply[1] == pytest.approx(supply, rel=1e-9)
    assert found.on.spikes[1] == spikes
    assert found.on.idle == pytest.approx(idle, rel=1e-9)
    assert found.on.total[1] == pytest.approx(source + supply, rel=1e-9)
    every = found.on.total.sum() / found.on.spikes.sum()
    assert found.on.per_spike == pytest.approx(every)
    # all but the memristor is the same, its capacitors' spread too
    assert "leak.tau" in found.remarks[0]
    assert "c" not in found.remarks[0].split("differ in ")[1].split(",")
    assert "idle share" in str(found)
    assert len(json.dumps(found.to_dict(), allow_nan=False)) > 300


def test_a_transfer_to_circuits_and_its_budget_agree(bank):
    scatter = [Tolerance("c", 0.05)]
    carried = transfer(
        bank, READOUT, X, Y, X, Y, tolerances=scatter, draws=2, levels=["circuit", "tolerances"]
    )
    players = [
        Player("circuit", "circuit", tuple(Cause)), Player("tolerance", "tolerance", (), ("c",))
    ]  # fmt: skip
    shares = budget_accuracy(
        bank, READOUT, X, Y, X, Y, tolerances=scatter, players=players, draws=2, orders=None
    )
    assert shares.circuit.value == pytest.approx(carried["tolerances"].accuracy.value)
    assert shares.ideal.value == carried["ideal"].accuracy.value
    total = sum(s.value for s in shares.shares) + shares.residual.value
    assert total == pytest.approx(shares.loss.value, abs=1e-14)
    assert shares.residual_changed == 0
    assert 0 < carried["circuit"].others_differ < 10


def test_a_spot_check_in_spice_agrees(fitted):
    bank, readout = fitted
    certified = certify_predictions(bank.with_(backend="equations"), readout, X)
    told = []
    found = spot_check(bank, readout, X, certified, samples=1, progress=told.append)
    assert (len(found.samples), found.n_counts, found.failed) == (1, 8, ())
    assert not found.unexplained
    assert 0 < found.worst < 1e-7
    assert told == sorted(told)

"""A readout carried over to other circuits, with features that are told by a rule."""

import json

import numpy as np
import pytest
from bank_stubs import ReadsOff, StubBank
from scipy.stats import binomtest

from spicealif import Cause, Tolerance, load_device
from spicealif.design import Resistor
from spicealif.errors import CompareError
from spicealif.learning.transfer import transfer

X, Y = np.arange(20), np.zeros(20)
SCATTER = [Tolerance("c", 0.05)]


def rule(sample, causes, scatter, draw, neuron):
    """The circuit loses samples 0 to 4 and each draw one more; a resistor turns all round."""
    if not causes:
        return 0
    if isinstance(neuron.leak, Resistor):
        return 1
    if neuron.leak.r_on > 1000:  # the measured device
        return sample < 7
    return sample < 5 + (1 + draw if scatter else 0)


@pytest.fixture(scope="module")
def found():
    return transfer(
        StubBank(rule), ReadsOff(), X, Y, X, Y, tolerances=SCATTER, draws=3, retrain=True
    )


def test_accuracies_and_changed_predictions(found):
    right = {level.name: level.right.sum(axis=1).tolist() for level in found.levels}
    assert right == {
        "ideal": [20], "circuit": [15], "tolerances": [14, 13, 12], "device": [13],
        "resistor": [0],
    }  # fmt: skip
    for level in found.levels:
        assert level.changed.sum(axis=1).tolist() == [20 - n for n in right[level.name]]
        assert level.accuracy.value == pytest.approx(np.mean(right[level.name]) / 20)
        assert level.counts_differ == pytest.approx(1 - level.accuracy.value)
        assert np.isnan(level.others_differ)
    circuit = binomtest(15, 20).proportion_ci(method="wilson")
    assert found["circuit"].accuracy.low == pytest.approx(circuit.low)
    assert found["circuit"].p_values == (pytest.approx(binomtest(0, 5).pvalue),)
    assert found["tolerances"].p_values[2] == pytest.approx(binomtest(0, 8).pvalue)
    assert found.lost("tolerances").value == pytest.approx(7 / 20)


def test_a_readout_that_is_trained_anew_recovers_what_is_only_turned_round(found):
    assert found["resistor"].accuracy.value == 0
    assert found["resistor"].accuracy_recovered.value == 1
    assert found["circuit"].accuracy_recovered.value == 0.75
    assert found.lost("resistor", recovered=True).value == 0


def test_without_training_anew_the_training_samples_are_not_solved():
    solved = []
    bank = StubBank(rule, solved=solved)
    some = transfer(bank, ReadsOff(), X, Y, X, Y, levels=["circuit"])
    assert solved == [(frozenset(Cause), frozenset(), None)]
    assert [level.name for level in some.levels] == ["ideal", "circuit"]
    assert some["circuit"].recovered is None
    assert np.isnan(some.lost("circuit", recovered=True).value)


def test_the_measured_device_is_in_the_neuron():
    seen = []

    def looks(sample, causes, scatter, draw, neuron):
        seen.append(neuron.leak)
        return 0

    device = load_device("w_sdc_5k_1khz_m2").device
    for given in (device, "w_sdc_5k_1khz_m2"):
        transfer(StubBank(looks), ReadsOff(), X, Y, X, Y, levels=["device"], device=given)
        assert seen[-1] == device


def test_progress_and_what_is_shown(found):
    told = []
    transfer(
        StubBank(rule), ReadsOff(), X, Y, X, Y, tolerances=SCATTER, draws=2, retrain=True,
        progress=told.append,
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert "circuit with tolerances, 3 draws" in str(found)
    assert len(json.dumps(found.to_dict(), allow_nan=False)) > 500
    assert "ideal 100.0 %" in repr(found)
    assert "has no width" not in str(found)
    same = transfer(StubBank(lambda *_: 0), ReadsOff(), X, Y, X, Y, levels=["circuit"])
    assert "with 20 test samples that leaves open a change of up to 15.0 %" in str(same)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"levels": ["real"]}, "no level 'real'"),
        ({"draws": 0}, "0 draws"),
        ({"tolerances": None, "levels": ["tolerances"]}, "Nothing scatters"),
    ],
)
def test_choices_that_make_no_sense_are_refused(choices, message):
    with pytest.raises(CompareError, match=message):
        transfer(StubBank(rule), ReadsOff(), X, Y, X, Y, **choices)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(CompareError, match="one label"):
        transfer(StubBank(rule), ReadsOff(), X, Y, X, Y[:3])


def test_the_bank_s_own_tolerance_of_the_equations_stays_unless_another_is_given():
    seen = []

    class Noting(StubBank):
        def solve(self, X):  # noqa: N803
            seen.append((self.backend, self.rtol))
            return super().solve(X)

    bank = Noting(rule, rtol=1e-5)
    transfer(bank, ReadsOff(), X, Y, X, Y, levels=["circuit", "resistor"])
    transfer(bank, ReadsOff(), X, Y, X, Y, levels=["circuit"], rtol=1e-4)
    assert [rtol for backend, rtol in seen if backend == "equations"] == [1e-5, 1e-5, 1e-4]

"""Points of a sweep by the equations that another simulator looks at."""

from __future__ import annotations

import numpy as np
import pytest

from spicealif.errors import SweepError
from spicealif.sweep import Experiment, Sweep
from spicealif.sweep.space import Points
from spicealif.sweep.witness import Witness, check_witness, parse_witness, with_witness

from spicealif import load_preset  # isort: skip

NEURON = load_preset("lif").replace(t_stop=1e-3)


def test_what_is_written():
    assert parse_witness("ngspice:5%") == Witness("ngspice", share=0.05)
    assert parse_witness("ngspice-batch: 20", 3) == Witness("ngspice-batch", count=20, seed=3)
    for text in ("ngspice", "ngspice:", ":5%", "ngspice:0", "ngspice:0%", "ngspice:101%",
                 "ngspice:1.5", "ngspice:-1", "ngspice:5 points"):  # fmt: skip
        with pytest.raises(SweepError, match="write ngspice:5%"):
            parse_witness(text)


def test_who_is_drawn():
    assert Witness("x", share=0.05).drawn(100) == Witness("x", count=5).drawn(100)
    assert len(set(Witness("x", share=0.05).drawn(1000))) == 50
    assert Witness("x", share=0.01).drawn(3) == Witness("x", count=1).drawn(3)
    assert Witness("x", count=9).drawn(4) == [0, 1, 2, 3]
    assert Witness("x", count=9, seed=1).drawn(1000) != Witness("x", count=9).drawn(1000)


@pytest.mark.slow
def test_the_witness_sees_what_the_equations_see(tmp_path):
    over = {"c": [90e-9, 100e-9], "mosfet.kp": [0.3, 0.46, 0.6]}
    sweep = Sweep(NEURON, over, simulator="equations", sides="circuit", spikes=True)
    result = sweep.run(store=tmp_path, workers=1)
    seen = with_witness(sweep, result, Witness("ngspice", count=3), store=tmp_path, workers=1)
    chosen = seen["witness_point"].values
    assert len(set(chosen)) == 3
    assert (seen["witness_status"] == "OK").all()
    assert (seen["witness_spike_time"] < NEURON.numerics.accuracy).all()
    assert (seen["witness_spike_time"] > 0).all()  # it was another program that computed them
    mean = seen["witness_difference"].sel(witness_measure="isi_mean")
    assert (np.abs(mean) < 2e-9).all()
    assert seen.attrs["witness"].startswith("Witness: ngspice-")
    assert "computed 3 points of 6 too (drawn with seed 0)" in seen.attrs["witness"]
    # Whatever is wrong with a point shows: here the spikes of another one.
    order = np.roll(np.arange(6), 2).reshape(2, 3)
    turned = result.copy()
    for name in ("t_spike", "isi_mean"):
        flat = result[name].values.reshape(1, 6, -1)[:, order.ravel()]
        turned[name] = (result[name].dims, flat.reshape(result[name].shape))
    wrong = with_witness(sweep, turned, Witness("ngspice", count=3), store=tmp_path, workers=1)
    moved = wrong["witness_spike_time"].values
    assert (np.isnan(moved) | (moved > 1e-7)).all()


def test_a_witness_that_cannot_be_one():
    points = Points({"c": np.array([1e-7])}, {"c": 1})
    own = Experiment(NEURON, points, simulator="equations", spikes=True)
    with pytest.raises(SweepError, match="computed the points itself"):
        check_witness(own, Witness("equations", count=1))
    with pytest.raises(SweepError, match="keep spikes"):
        check_witness(
            Experiment(NEURON, points, simulator="equations"), Witness("ngspice", count=1)
        )
    with pytest.raises(SweepError, match="keep spikes"):
        check_witness(
            Experiment(NEURON, points, sides="reference", spikes=True), Witness("ngspice", count=1)
        )


@pytest.mark.slow
def test_silent_points_and_points_without_a_result_are_no_agreement(tmp_path):
    over = {"v_th": [5.0, 0.4]}  # the first is refused
    sweep = Sweep(
        NEURON.replace(t_stop=1e-5), over, simulator="equations", sides="circuit", spikes=True
    )
    result = sweep.run(store=tmp_path, workers=1)
    seen = with_witness(sweep, result, Witness("ngspice", share=1), store=tmp_path, workers=1)
    assert seen["witness_point"].values.tolist() == [1]
    assert np.isnan(seen["witness_spike_time"].values).all()
    assert seen.attrs["witness"].startswith("Witness: ngspice-")
    assert seen.attrs["witness"].endswith(
        "computed 1 point of 2 too (drawn with seed 0); no spike time can be compared; 1 point "
        "without a spike on either side."
    )
    refused = Sweep(NEURON, {"v_th": [5.0]}, simulator="equations", sides="circuit", spikes=True)
    nothing = refused.run(store=tmp_path, workers=1)
    seen = with_witness(refused, nothing, Witness("ngspice", count=1), store=tmp_path, workers=1)
    assert seen.attrs["witness"] == "Witness: no point has a result to be looked at."

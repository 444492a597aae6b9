"""Sweeps, prototypes and certificates of neurons with other memristor models."""

from __future__ import annotations

import numpy as np
import pytest
from model_equations import DEVICES
from vendor_models import MOSFET

from spicealif import MonteCarlo, Neuron, Sweep, certify, solve_circuit, solve_reference
from spicealif.analysis._verdicts import Verdict
from spicealif.errors import SweepError
from spicealif.sweep import tolerances_of
from spicealif.sweep.presets import adaptation_map


@pytest.fixture(scope="module")
def neurons(paper: Neuron) -> dict[str, Neuron]:
    return {
        name: paper.replace({"leak": device.to_dict(), "name": name, "t_stop": 4e-4})
        for name, device in DEVICES.items()
    }


def mean_interval(spikes) -> float:
    return float(np.diff(spikes).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameter", "values"),
    [("gmms", "leak.alpha_f", [1e-4, 2e-4]), ("vteam", "leak.k_on", [50.0, 150.0]),
     ("yakopcic", "leak.a_1", [0.03, 0.04])],
)  # fmt: skip
def test_sweep_over_a_parameter_of_the_model(neurons, tmp_path, name, parameter, values):
    sweep = Sweep(neurons[name], {parameter: values}, sides="both", simulator="ngspice-batch")
    found = sweep.run(workers=1, store=tmp_path)["isi_mean"]
    for k, value in enumerate(values):
        neuron = neurons[name].replace({parameter: value})
        at = found.isel({parameter: k})
        exact = mean_interval(solve_reference(neuron).t_spike)
        assert float(at.sel(side="reference")) == pytest.approx(exact, rel=1e-9)
        exact = mean_interval(solve_circuit(neuron).t_spike)
        assert float(at.sel(side="circuit")) == pytest.approx(exact, rel=2e-5)


@pytest.mark.slow
def test_device_scatters_where_its_spread_is_known(neurons, tmp_path):
    known = {n: {t.parameter for t in tolerances_of(neuron)} for n, neuron in neurons.items()}
    device = {"leak.r_on", "leak.r_off", "leak.v_on", "leak.v_off", "leak.tau"}
    assert known["gmms"] == known["vteam"] | device
    assert not any(p.startswith("leak.") for n in ("vteam", "yakopcic") for p in known[n])
    built = MonteCarlo(neurons["yakopcic"], 2, sides="reference", varies="both")
    intervals = built.run(workers=1, store=tmp_path)["isi_mean"].values
    assert np.isfinite(intervals).all()
    assert np.ptp(intervals) > 0


def test_adaptation_map_needs_a_tau(neurons):
    assert "leak.tau" in adaptation_map(neurons["gmms"], points=2).points.values
    for name in ("vteam", "yakopcic"):
        with pytest.raises(SweepError, match="mms or gmms"):
            adaptation_map(neurons[name])


@pytest.mark.slow
def test_certificate_resolves_another_model(neurons):
    certificate = certify(neurons["yakopcic"], "ngspice-batch")
    verdicts = {m.name: m.verdict for m in certificate.require()}
    # the circuit starts its intervals at v_low instead of at 0, which is no numerical error
    assert verdicts["isi_mean"] is Verdict.DIFFER


def test_a_makers_model_does_not_scatter(paper):
    card = {"kind": "subcircuit", "model": "N7", "text": MOSFET}
    before, after = (
        {t.parameter for t in tolerances_of(n)} for n in (paper, paper.replace(mosfet=card))
    )
    assert before - after == {p for p in before if p.startswith("mosfet.")} != set()

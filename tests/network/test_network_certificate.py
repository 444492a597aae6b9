"""Certificates and gap budgets of small networks, and their waveforms as a dataset."""

import json
import math

import numpy as np
import pytest

from spicealif import load_preset
from spicealif.circuit import Cause
from spicealif.errors import CompareError
from spicealif.network import (
    DiodeSynapse,
    FromList,
    Network,
    Population,
    Projection,
    certify_network,
    load_network_preset,
    measure_network,
    network_budget,
    solve_network,
    to_dataset,
)
from spicealif.network.reference import solve_network_reference

RING = Network(
    name="three",
    populations=(
        Population(
            name="n", neuron=load_preset("paper"), size=3,
            parameters={"stimulus.amplitude": (1e-3, 1.1e-3, 1.2e-3)},
        ),
    ),
    projections=(
        Projection(
            source="n", target="n", synapse=DiodeSynapse(r=2e3),
            connector=FromList(connections=((0, 1), (1, 2), (2, 0))),
        ),
    ),
    t_stop=2e-4,
)  # fmt: skip


@pytest.fixture(scope="module")
def certificate():
    seen = []
    made = certify_network(RING, keep="all", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    return made


@pytest.fixture(scope="module")
def truth():
    return solve_network(RING, rtol=1e-8, t_tol=1e-11)


def worst(a, b):
    return max(
        float(np.abs(x - y).max(initial=0)) for x, y in zip(a.t_spike, b.t_spike, strict=True)
    )


def test_the_error_is_that_against_a_far_finer_level(certificate, truth):
    error = certificate.circuit_error
    assert not error.counts_differ.any()
    assert error.spike_times > 0
    assert error.spike_times == pytest.approx(worst(certificate.solution, truth), rel=0.2)
    # the finer level's own error is well below
    assert worst(certificate.fine, truth) < error.spike_times / 5
    exact = measure_network(truth, tau=certificate.measures.tau)
    for name in ("cv", "latency", "synchrony", "van_rossum", "propagation_delay", "energy"):
        true = abs(certificate.measures[name] - exact[name])
        assert true < 2 * error.of_network[name], name


def test_the_reference_is_halved(certificate):
    assert certificate.fine_reference.h == pytest.approx(certificate.reference.h / 2)
    finest = solve_network_reference(RING, variant="schmitt", h=certificate.reference.h / 8)
    error = certificate.reference_error.spike_times
    # at the order 4 a sixteenth of the error is left; the rest is rounding
    assert error == pytest.approx(worst(certificate.reference, finest), rel=0.1, abs=1e-15)


def test_the_comparison_has_the_errors_of_both_sides(certificate):
    comparison = certificate.comparison
    assert comparison.errors == (certificate.circuit_error, certificate.reference_error)
    figure = comparison["latency"]
    assert figure.error == pytest.approx(
        certificate.circuit_error.of_network["latency"]
        + certificate.reference_error.of_network["latency"]
    )
    assert figure.verdict.value == "differ"
    assert comparison.of_a.tau == certificate.measures.tau
    assert certificate.measures.is_ring


def test_a_certificate_shows_itself(certificate):
    plain = json.loads(json.dumps(certificate.to_dict(), allow_nan=False))
    assert plain["circuit_error"]["iteration"] == certificate.solution.iteration_error
    text = certificate.table(all=True)
    assert "rtol 1e-07, t_tol 10 ps" in text
    assert "n_2" in text
    assert "three" in repr(certificate)
    assert certificate._repr_html_().count("<table>") == 3


def test_without_a_reference_there_is_no_comparison():
    alone = certify_network(RING.replace(t_stop=5e-5), reference=False)
    assert alone.comparison is None
    assert alone.reference_error is None
    assert "reference" not in alone.table()
    assert alone.to_dict()["comparison"] is None


@pytest.mark.parametrize("certain", [0.0, 1.0, math.nan])
def test_a_part_of_an_interval_is_between_0_and_1(certain):
    with pytest.raises(CompareError, match="between 0 and 1"):
        certify_network(RING, certain=certain)
    with pytest.raises(CompareError, match="from 0 to below 1"):
        certify_network(RING, tolerance=-1.0)


SHORT = RING.replace(t_stop=1.2e-4)
TWO = (Cause.COMPARATOR_DELAY, Cause.DISCHARGE_TIME)


def test_shares_sum_to_the_gap_between_the_circuit_and_the_circuit_without():
    seen = []
    budget = network_budget(SHORT, ("rate", "latency", "cv"), causes=TWO, progress=seen.append)
    with_all = measure_network(solve_network(SHORT))
    off = frozenset(Cause) - set(TWO)
    without = measure_network(solve_network(SHORT, causes=off), tau=with_all.tau)
    of = budget["latency"]
    assert of.gap == pytest.approx(with_all["latency"] - without["latency"], rel=1e-12)
    assert sum(s.value for s in of.shares) == pytest.approx(of.gap, rel=1e-9)
    assert [s.cause for s in of.shares] == [c for c in Cause if c in TWO]
    # with two causes a share is the mean of first and last
    for share in of.shares:
        assert share.value == pytest.approx((share.first + share.last) / 2, rel=1e-9)
        assert share.error == 0
    assert abs(of.gap) > 1e-7
    assert seen[-1] == 1.0
    assert (budget.n_subsets, budget.n_orders) == (4, 0)
    plain = json.loads(json.dumps(budget.to_dict(), allow_nan=False))
    assert set(plain["measures"]) == {"rate", "latency", *(b.name for b in budget.measures)}
    assert "comparator delay" in budget.table()


@pytest.mark.slow
def test_sampled_shares_sum_to_the_gap_and_have_errors():
    budget = network_budget(
        SHORT, "latency", causes=(*TWO, Cause.RESET_LEVEL, Cause.OPAMP_SPEED), orders=4
    )
    of = budget["latency"]
    assert sum(s.value for s in of.shares) == pytest.approx(of.gap, rel=1e-9)
    assert budget.n_orders == 4
    assert any(s.error > 0 for s in of.shares)
    assert "standard error" in budget.table()


@pytest.mark.parametrize(
    ("measure", "options", "message"),
    [
        ("speed", {}, "choose among rate"),
        ((), {}, "name at least one"),
        ("rate", {"orders": 1}, "2 or more"),
        ("rate", {"workers": 0}, "1 or more"),
        ("rate", {"causes": ()}, "name at least one"),
        ("rate", {"causes": (Cause.BODY_DIODE,)}, "No neuron of the network has the cause"),
        ("rate", {"causes": ("speed",)}, "No neuron of the network has the cause"),
    ],
)
def test_a_budget_of_nothing_is_refused(measure, options, message):
    with pytest.raises(CompareError, match=message):
        network_budget(SHORT, measure, **options)


def test_a_dataset_has_the_traces_on_a_grid_and_all_spikes(certificate):
    solution = certificate.solution
    grid = np.linspace(0, 2e-4, 501)
    data = to_dataset(solution, grid)
    assert data.v_c.dims == ("neuron", "time")
    assert data.neuron.values.tolist() == ["n_0", "n_1", "n_2"]
    traces = solution.traces[1]
    np.testing.assert_allclose(
        data.v_mem.sel(neuron="n_1"), np.interp(grid, traces.time, traces.signals["v_mem"])
    )
    # the cubics, against the straight lines that are fine enough
    fine = np.interp(grid, *traces.linear("v_c", 1e-6))
    assert np.abs(data.v_c.sel(neuron="n_1").values - fine).max() < 2e-6
    for k, train in enumerate(solution.t_spike):
        np.testing.assert_array_equal(data.t_spike[data.spike_neuron == k], train)
    assert data.attrs["network_digest"] == RING.digest


def test_a_dataset_of_the_reference_has_the_neurons_that_were_kept(tmp_path):
    reference = solve_network_reference(RING, variant="schmitt", keep=["n_2"])
    data = to_dataset(reference)
    assert data.sizes["neuron"] == 1
    assert data.sizes["name"] == 3
    trace = reference.traces["n_2"]
    np.testing.assert_allclose(data.x.values[0], np.interp(data.time, trace.t, trace.x))
    data.to_netcdf(tmp_path / "network.nc", engine="h5netcdf")
    assert "v_c" not in to_dataset(certify_free())


def certify_free():
    """Return a solution without traces."""
    return solve_network(load_network_preset("pair").replace(t_stop=2e-5))


@pytest.mark.parametrize(
    ("grid", "message"),
    [([0.0, 0.0], "does not increase"), ([0.0, 1.0], "within it"), ([math.nan], "finite"),
     ([], "finite"), ([[0.0]], "finite"), ([-1e-6, 0.0], "within it")],
)  # fmt: skip
def test_a_grid_that_makes_no_sense_is_refused(certificate, grid, message):
    with pytest.raises(CompareError, match=message):
        to_dataset(certificate.solution, grid)

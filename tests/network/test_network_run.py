"""Runs of networks: both sides, their folder, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spicealif.errors import (
    CompareError,
    DesignError,
    IntegrationError,
    OutputError,
    ResourceError,
    WaveformError,
)
from spicealif.network import (
    estimate_network,
    expand,
    find_neurons,
    load_network_preset,
    load_network_run,
    run_network,
    solve_network_reference,
)
from spicealif.network.run import chosen_variant


def pair(**changes):
    return load_network_preset("pair").replace({"t_stop": "0.2m", **changes})


@pytest.fixture(scope="module")
def run():
    return run_network(pair(), keep="all", workers=1)


def test_both_sides_are_solved_and_drive_each_other(run):
    assert [len(t) for t in run.solution.t_spike][1] > 0, "n_1 fires only because of n_0"
    assert len(run.reference.t_spike[0]) > 0
    assert run.reference.attrs["variant"] == "schmitt"
    assert set(run.cost) == {"circuit", "reference"}
    # Each neuron of a train that rises is in order.
    for side in (run.solution, run.reference):
        assert all(np.all(np.diff(train) > 0) for train in side.t_spike)


def test_what_is_saved_comes_back_to_the_last_bit(run, tmp_path):
    files = run.save(tmp_path / "run")
    assert {"network.toml", "circuit.nc", "reference.nc", "provenance.json"} <= {
        f.name for f in files
    }
    back = load_network_run(tmp_path / "run")
    assert back.network == run.network
    for side in ("solution", "reference"):
        for a, b in zip(getattr(run, side).t_spike, getattr(back, side).t_spike, strict=True):
            assert a.tobytes() == b.tobytes()
            assert b.dtype == np.float64
    assert back.solution.traces.keys() == {0, 1}
    for k, traces in run.solution.traces.items():
        assert traces.time.tobytes() == back.solution.traces[k].time.tobytes()
        assert traces.signals.keys() == back.solution.traces[k].signals.keys()
        for name, values in traces.signals.items():
            assert values.tobytes() == back.solution.traces[k].signals[name].tobytes()
    for name, trace in run.reference.traces.items():
        for key in ("t", "v_c", "v_mem", "x"):
            assert getattr(trace, key).tobytes() == (
                getattr(back.reference.traces[name], key).tobytes()
            )
    for name in ("energy", "energy_supply", "x_end", "weights_end", "rtol", "n_steps"):
        assert np.array_equal(
            getattr(run.solution, name), getattr(back.solution, name), equal_nan=name == "energy"
        ), name
    # And is written again as the same files.
    back.save(tmp_path / "again")
    for name in ("circuit.nc", "reference.nc", "network.toml", "measures.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_a_folder_is_replaced_whole(run, tmp_path):
    run.save(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    one = run_network(pair(), sides=("reference",), workers=1)
    one.save(tmp_path)
    assert not (tmp_path / "circuit.nc").exists(), "of the earlier run"
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert load_network_run(tmp_path).solution is None
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_save_that_fails_leaves_the_earlier_run(run, tmp_path, monkeypatch):
    run.save(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    monkeypatch.setattr("spicealif.network.run.save_reference", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_network(pair(t_stop="0.1m"), workers=1).save(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["circuit.nc", "reference.nc", "network.toml", "measures.json"])
def test_a_changed_byte_is_noticed(run, tmp_path, name):
    run.save(tmp_path)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WaveformError, match=f"'{name}' in .* is not what was saved"):
        load_network_run(tmp_path)
    path.unlink()
    with pytest.raises(WaveformError, match=f"'{name}' is missing"):
        load_network_run(tmp_path)


def test_spikes_of_another_network_are_refused(run, tmp_path):
    """Even where the stamps are made to fit."""
    from spicealif._support.kept import stamp_of

    run.save(tmp_path / "a")
    run_network(pair(seed=7), workers=1).save(tmp_path / "b")
    (tmp_path / "a" / "circuit.nc").write_bytes((tmp_path / "b" / "circuit.nc").read_bytes())
    place = tmp_path / "a" / "provenance.json"
    told = json.loads(place.read_text())
    told["files"]["circuit.nc"] = list(stamp_of(tmp_path / "a" / "circuit.nc"))
    place.write_text(json.dumps(told))
    with pytest.raises(WaveformError, match="of another network than the one beside it"):
        load_network_run(tmp_path / "a")


def test_the_same_bits_with_any_number_of_workers():
    ring = load_network_preset("ring").replace(t_stop="0.2m")
    runs = [run_network(ring, keep=[0], workers=n) for n in (1, 2, 3)]
    for other in runs[1:]:
        for side in ("solution", "reference"):
            for a, b in zip(getattr(runs[0], side).t_spike, getattr(other, side).t_spike,
                            strict=True):  # fmt: skip
                assert a.tobytes() == b.tobytes()
        a, b = (r.solution.traces[0].signals["v_c"] for r in (runs[0], other))
        assert a.tobytes() == b.tobytes()
    assert sum(map(len, runs[0].solution.t_spike)) > 0


def test_the_variant_follows_from_the_delays():
    assert chosen_variant(pair()) == "schmitt"
    assert chosen_variant(pair(**{"projections.0.delay": "10u"})) == "ideal"


def test_progress_goes_from_none_to_all():
    seen: list[float] = []
    run_network(pair(), workers=1, progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= 1


def test_neurons_go_by_number_name_and_population():
    expanded = expand(load_network_preset("balanced"))
    name = expanded.network.populations[1].name
    assert find_neurons(expanded, ["3", 0, f"{name}_0"]) == [0, 3, 40]
    assert find_neurons(expanded, [name]) == list(range(40, 50))
    for wrong in ("50", "-1", "exc_99", "", "1e1", "nobody"):
        with pytest.raises(DesignError, match="The network has no neuron"):
            find_neurons(expanded, [wrong])


def test_what_makes_no_sense_is_refused():
    with pytest.raises(IntegrationError, match="no side 'spice'"):
        run_network(pair(), sides=("spice",))  # type: ignore[arg-type]
    with pytest.raises(IntegrationError, match="No side"):
        run_network(pair(), sides=())
    with pytest.raises(IntegrationError, match="A certificate is of both sides"):
        run_network(pair(), sides=("reference",), certificate=True)
    with pytest.raises(DesignError, match="no neuron 'n_9'"):
        run_network(pair(), keep=["n_9"])
    with pytest.raises(ResourceError, match="of memory"):
        run_network(pair(t_stop="400"), keep="all")


def test_the_estimate_grows_with_what_is_asked_for():
    small, ring = estimate_network(pair()), load_network_preset("ring")
    assert small.cpu_s < estimate_network(ring).cpu_s
    assert estimate_network(ring, sides=("reference",)).circuit == 0
    assert estimate_network(ring, kept=8).memory > estimate_network(ring).memory
    assert estimate_network(ring, rtol=1e-9).cpu_s > estimate_network(ring).cpu_s


@pytest.mark.slow
def test_the_estimate_is_within_a_factor_of_ten():
    """It is said before a run of hours; what it is good for is the power of ten."""
    ring = load_network_preset("ring")
    run_network(ring.replace(t_stop="0.05m"), workers=1)  # compiled, or loaded
    run = run_network(ring, workers=1)
    about = estimate_network(ring)
    assert 0.1 < run.cost["circuit"] / about.circuit < 10
    assert 0.02 < run.cost["reference"] / about.reference < 10


def test_a_provenance_whose_cost_or_tau_is_none_is_refused(run, tmp_path):
    run.save(tmp_path / "a")
    place = tmp_path / "a" / "provenance.json"
    good = json.loads(place.read_text())
    for wrong in ({"cpu_s": 3}, {"cpu_s": {"circuit": "long"}}, {"tau": "short"}, {"tau": -1}):
        place.write_text(json.dumps(good | wrong))
        with pytest.raises(WaveformError, match=r"provenance.json .* damaged; .*again"):
            load_network_run(tmp_path / "a")


def test_a_name_that_no_file_can_have_is_a_sentence(run, tmp_path):
    long = tmp_path / ("n" * 300)
    with pytest.raises(WaveformError, match="is no folder; give one"):
        load_network_run(long)
    with pytest.raises(OutputError, match="too long"):
        run.save(long)


def test_all_sides_of_a_comparison_have_one_tau(run, tmp_path):
    from spicealif.network import compare_networks, measure_network
    from spicealif.network.sweep import NetworkSweep

    quarter = measure_network(run.reference, run.network).tau
    taus = {one.tau for one in run.measures.values()}
    assert taus == {run.comparison.of_a.tau, run.comparison.of_b.tau, quarter}
    assert measure_network(run.solution).tau != quarter
    again = run_network(run.network, tau=20e-6)
    again.save(tmp_path / "a")
    loaded = load_network_run(tmp_path / "a")
    for one in (*again.measures.values(), *loaded.measures.values(), loaded.comparison.of_a):
        assert one.tau == 20e-6
    assert again.certificate is None
    with pytest.raises(CompareError, match="tau is 0"):
        run_network(run.network, tau=0.0)
    over = {"projections.0.resistance": ["200", "2k"]}
    sweep = NetworkSweep(run.network, over)
    result = sweep.run(store=tmp_path / "store", workers=1)
    first = run_network(sweep.network.replace(sweep.changes(0)))
    assert result.attrs["tau"] == first.measures["reference"].tau
    second = run_network(sweep.network.replace(sweep.changes(1)), tau=result.attrs["tau"])
    for side, measures in second.measures.items():
        found = float(result["van_rossum"].sel(side=side)[1])
        assert found == pytest.approx(measures["van_rossum"], rel=1e-12)
    # What is kept does not depend on it.
    other = NetworkSweep(run.network, over, tau=5e-6)
    assert other.keys() == sweep.keys()
    assert other.run(store=tmp_path / "store", workers=1).attrs["tau"] == 5e-6
    assert compare_networks(run.solution, run.reference, tau=5e-6).of_a.tau == 5e-6


def test_a_reference_says_where_the_leaks_end(run, tmp_path):
    traces = run.reference.traces.values()
    last = [trace.x[-1] for trace in traces]
    assert min(last) > 1e-3
    np.testing.assert_allclose(run.reference.x_end, last, rtol=1e-12)
    run.save(tmp_path / "a")
    loaded = load_network_run(tmp_path / "a").reference
    assert np.array_equal(loaded.x_end, run.reference.x_end)
    delayed = pair().replace({"projections.0.delay": "10u"})
    whole, one = (solve_network_reference(delayed, keep=keep) for keep in ((), [0, 1]))
    last = [trace.x[-1] for trace in one.traces.values()]
    np.testing.assert_allclose(one.x_end, last, rtol=1e-12)
    np.testing.assert_allclose(whole.x_end, last, rtol=1e-9)
    plain = pair().replace({"populations.n.neuron.leak": {"kind": "resistor", "r": 5e3}})
    assert np.isnan(solve_network_reference(plain, variant="schmitt").x_end).all()

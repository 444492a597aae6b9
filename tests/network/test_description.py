"""A network's description: what it takes, what it becomes, how it is changed."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest

from spicealif.design import MODELS, Constant, PiecewiseLinear, load_preset
from spicealif.errors import DesignError, SpicealifWarning, SweepError
from spicealif.network import (
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    Network,
    Population,
    Projection,
    SpikeSource,
    StimulusArrays,
    Tolerances,
    Values,
    expand,
    nominal_pulse,
)
from spicealif.network.build import changed
from spicealif.network.sweep import NetworkSweep
from spicealif.quantities import parse_quantity

PAPER = load_preset("paper").replace(stimulus=Constant(amplitude=1e-3))
DIODE = {"kind": "diode", "r": 1e3}
ALL = {"kind": "all-to-all"}


def network(**changes):
    base = {
        "populations": [{"name": "a", "neuron": PAPER, "size": 3}],
        "sources": [{"name": "s", "size": 2, "times": [[1e-4], [2e-4, 3e-4]]}],
        "projections": [{"source": "s", "target": "a", "synapse": DIODE, "connector": ALL}],
        "t_stop": "1m",
    }
    return Network.from_dict({**base, **changes})


def test_neurons_are_told_as_preset_table_or_design():
    as_name, as_table, as_design = (
        Population(name="a", neuron=neuron, size=1).neuron
        for neuron in ("paper", {"preset": "paper", "c": "220n"}, PAPER)
    )
    assert as_name == load_preset("paper")
    assert as_table.c == 220e-9
    assert as_design is PAPER


def test_the_expanded_network_has_names_that_a_person_finds():
    e = expand(network())
    assert e.names == ("a_0", "a_1", "a_2", "s_0", "s_1")
    assert [n.t_stop for n in e.neurons] == [1e-3] * 3
    (synapses,) = e.synapses
    assert synapses.pre.tolist() == [3, 3, 3, 4, 4, 4]  # sources come behind the neurons
    assert synapses.post.tolist() == [0, 1, 2, 0, 1, 2]
    assert [times.tolist() for _, times in e.sources] == [[1e-4], [2e-4, 3e-4]]


def test_no_two_neurons_have_equal_names():
    """``a_1`` with its neuron 0 and ``a`` with its neuron 10 share no name, nor do any others."""
    names = ["a", "a_1", "a_1_0", "a_10", "b_", "b__1"]
    populations = [{"name": name, "neuron": PAPER, "size": 12} for name in names]
    e = expand(network(populations=populations))
    assert len({name.lower() for name in e.names}) == len(e.names)


def test_parameters_are_arrays_with_units():
    population = Population(
        name="a", neuron=PAPER, size=2,
        parameters={"c": ["100n", "110 nF"], "stimulus": {"amplitude": np.array([1e-3, 2e-3])}},
    )  # fmt: skip
    e = expand(network(populations=[population]))
    assert [n.c for n in e.neurons] == [100e-9, 110e-9]
    assert [n.stimulus.amplitude for n in e.neurons] == [1e-3, 2e-3]
    assert e.neurons[0] == PAPER.replace(c=100e-9, t_stop=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"c": 220e-9},
        {"leak.r_on": 400.0, "leak.tau": 1e-3},
        {"stimulus.amplitude": 2e-3, "comparator.v_os": 1e-3},
        {"difference_amplifier.opamp.v_os": 1e-3, "mosfet.v_to": 2.2},
        {"temperature": 150.0},
        {"numerics.reltol": 1e-5},
    ],
)
def test_a_changed_neuron_is_the_one_that_replace_gives(changes):
    texts = {n: f"{v} K" if n == "temperature" else v for n, v in changes.items()}
    assert changed(PAPER, changes) == PAPER.replace(texts)


def test_neurons_that_do_not_differ_are_one_object():
    twice = Population(name="a", neuron=PAPER, size=4, parameters={"c": [1e-7, 2e-7, 1e-7, 2e-7]})
    e = expand(network(populations=[twice]))
    assert e.neurons[0] is e.neurons[2]
    assert e.neurons[0] is not e.neurons[1]
    assert e.neurons[0].comparator is e.neurons[1].comparator


def test_stimuli_are_arrays():
    arrays = StimulusArrays(t=["0", "1m"], i=[["0", "1m"], ["2m", "2m"]])
    e = expand(network(populations=[{"name": "a", "neuron": PAPER, "size": 2, "stimuli": arrays}]))
    assert e.neurons[0].stimulus == PiecewiseLinear(t=(0.0, 1e-3), i=(0.0, 1e-3))
    assert e.neurons[1].stimulus == PiecewiseLinear(t=(0.0, 1e-3), i=(2e-3, 2e-3))


def test_parts_scatter_as_their_tolerances_say():
    scatter = Tolerances(of=[{"parameter": "c", "spread": 0.05}], seed=3)
    populations = [
        {"name": "a", "neuron": PAPER, "size": 200, "tolerances": scatter},
        {"name": "b", "neuron": PAPER, "size": 200, "tolerances": {}},
    ]
    e = expand(network(populations=populations, projections=[]))
    c = np.array([n.c for n in e.neurons[:200]])
    assert 0.95e-7 <= c.min() < 0.955e-7
    assert 1.045e-7 < c.max() <= 1.05e-7
    assert abs(c.mean() / 1e-7 - 1) < 4 * 0.05 / np.sqrt(3 * 200)
    # what has no tolerance stays; without any stated the sold parts' hold, but one room
    assert {n.r_s for n in e.neurons[:200]} == {500.0}
    assert len({n.r_s for n in e.neurons[200:]}) == 200
    assert {n.temperature for n in e.neurons} == {PAPER.temperature}
    again = expand(network(populations=populations, projections=[], seed=1))
    assert [n.c for n in again.neurons[:200]] == c.tolist()  # its own seed
    assert again.neurons[200] != e.neurons[200]  # the network's
    assert expand(network(populations=populations, projections=[])).neurons == e.neurons


def test_poisson_sources_have_their_rate_and_are_off_any_grid():
    rate, dead = 50e3, 1.02e-6
    one = network(sources=[{"name": "s", "size": 20, "rate": "50k"}], t_stop=0.1, projections=[])
    trains = [times for _, times in expand(one).sources]
    intervals = np.concatenate([np.diff(times) for times in trains])
    assert intervals.min() >= dead
    assert abs(len(intervals) / (20 * 0.1 * rate) - 1) < 4 / np.sqrt(20 * 0.1 * rate)
    # exponential beyond the dead time: mean and standard deviation are the same
    beyond = intervals - dead
    assert abs(beyond.std() / beyond.mean() - 1) < 0.02
    assert abs(beyond.mean() - (1 / rate - dead)) < 4 * beyond.std() / np.sqrt(len(beyond))
    assert np.all(np.concatenate(trains) % 1e-7 != 0)
    assert all(np.all(np.diff(times) > 0) and times[-1] < 0.1 for times in trains)


def test_more_sources_change_nothing_of_those_that_were_there():
    few, many = (
        expand(network(sources=[{"name": "s", "size": n, "rate": 1e4}], projections=[]))
        for n in (2, 5)
    )
    for k in range(2):
        assert np.array_equal(few.sources[k][1], many.sources[k][1])
    assert not np.array_equal(many.sources[0][1], many.sources[1][1])
    own = network(sources=[{"name": "s", "size": 2, "rate": 1e4, "seed": 9}], projections=[])
    one, other = expand(own), expand(own.replace(seed=77))
    assert np.array_equal(one.sources[0][1], other.sources[0][1])


def test_rates_differ_from_source_to_source():
    one = network(sources=[{"name": "s", "size": 3, "rate": [0, 1e4, 1e5]}], projections=[],
                  t_stop=0.05)  # fmt: skip
    counts = [len(times) for _, times in expand(one).sources]
    assert counts[0] == 0
    assert abs(counts[1] - 500) < 100
    assert counts[2] > 4000


def test_spikes_beyond_the_end_are_told_and_left_out():
    with pytest.warns(SpicealifWarning, match="2 spikes of the sources 's' at or beyond t_stop"):
        late = network(sources=[{"name": "s", "size": 1, "times": [1e-4, 1e-3, 2e-3]}])
    with pytest.warns(SpicealifWarning):
        assert expand(late.replace(name="again")).sources[0][1].tolist() == [1e-4]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"resistance": "10k ohm"}, [1e4] * 6),
        ({"conductance": "100 uS"}, [1e4] * 6),
        ({"resistance": [1e3, 2e3, 3e3, 4e3, 5e3, "6k"]}, [1e3, 2e3, 3e3, 4e3, 5e3, 6e3]),
        ({"resistance": [[1e3, 2e3, 3e3], [4e3, 5e3, 6e3]]}, [1e3, 2e3, 3e3, 4e3, 5e3, 6e3]),
        ({"conductance": [[1e-3, 0, 0], [0, 5e-4, 0]]}, [1e3, 2e3]),
    ],
)
def test_weights_in_each_form(given, values):
    joined = {"source": "s", "target": "a", "synapse": {"kind": "diode"}, "connector": ALL, **given}
    (synapses,) = expand(network(projections=[joined])).synapses
    assert synapses.values["r"] == pytest.approx(values, rel=1e-15)
    assert len(synapses.pre) == len(synapses.post) == len(synapses.delay) == len(values)


def test_a_matrix_picks_weights_and_delays_by_source_and_target():
    weights, delays = np.arange(1, 7).reshape(2, 3) * 1e3, np.arange(6).reshape(2, 3) * 1e-6
    connector = {"kind": "fixed-probability", "probability": 0.5}
    joined = {"source": "s", "target": "a", "synapse": {"kind": "diode"}, "connector": connector,
              "resistance": weights, "delay": delays}  # fmt: skip
    (synapses,) = expand(network(projections=[joined], seed=2)).synapses
    assert 0 < len(synapses.pre) < 6
    row = synapses.pre - 3
    assert np.array_equal(synapses.values["r"], weights[row, synapses.post])
    assert np.array_equal(synapses.delay, delays[row, synapses.post])


def test_a_charge_is_that_of_the_presynaptic_pulse():
    current = {"kind": "current", "tau_s": "100u"}
    two = network(
        populations=[
            {"name": "a", "neuron": PAPER, "size": 2, "parameters": {"c": [1e-7, 2e-7]}},
            {"name": "b", "neuron": PAPER, "size": 1},
        ],
        projections=[
            {"source": "a", "target": "b", "synapse": current, "connector": ALL, "charge": "1n"},
            {"source": "s", "target": "b", "synapse": current, "connector": ALL, "charge": "1n"},
        ],
    )
    e = expand(two)
    pulses = [nominal_pulse(neuron) for neuron in e.neurons[:2]]
    assert e.synapses[0].values["g_m"] * [p.swing * p.t_pulse for p in pulses] == pytest.approx(
        [1e-9] * 2, rel=1e-12
    )
    source = two.sources[0]
    area = (source.v_high - source.v_low) * source.t_pulse
    assert e.synapses[1].values["g_m"] * area == pytest.approx([1e-9] * 2, rel=1e-12)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_devices_weights_are_its_conductances_when_read(name):
    device = MODELS[name](**MODELS[name].example)
    least, most = (1 / device.resistance(0.1, x) for x in (0.0, 1.0))
    wanted = np.random.default_rng(1).uniform(max(least, 1e-3 * most), most, (6, 20))
    two = network(
        populations=[{"name": "a", "neuron": PAPER, "size": 20}],
        sources=[{"name": "s", "size": 6, "rate": 1e3}],
        projections=[{"source": "s", "target": "a", "connector": ALL, "conductance": wanted,
                      "synapse": CrossbarSynapse(device=device)}],
    )  # fmt: skip
    (synapses,) = expand(two).synapses
    x_0 = synapses.values["device.x_0"]
    assert 0 <= x_0.min() <= x_0.max() <= 1
    read = [1 / device.resistance(0.1, x) for x in x_0]
    assert read == pytest.approx(wanted.ravel(), rel=1e-14)


def test_a_sign_stands_beside_the_synapse_or_in_it():
    current = {"kind": "current", "tau_s": 1e-4, "g_m": 1e-4}
    beside = Projection(source="a", target="a", synapse=current, connector=ALL, sign=-1)
    inside = Projection(source="a", target="a", synapse={**current, "sign": -1}, connector=ALL)
    whole = Projection(
        source="a", target="a", synapse=CurrentSynapse(**current), connector=ALL, sign=-1
    )
    assert beside == inside == whole
    assert beside.replace(sign=1).synapse.sign == 1


def test_what_a_weight_sets_may_be_left_out_of_the_synapse():
    joined = Projection(
        source="a", target="b", synapse={"kind": "diode"}, connector=ALL, resistance="4k7"
    )
    assert isinstance(joined.synapse, DiodeSynapse)
    with pytest.raises(DesignError, match=r"synapse\.r is missing"):
        Projection(source="a", target="b", synapse={"kind": "diode"}, connector=ALL)


@pytest.mark.parametrize(
    ("name", "value", "get"),
    [
        ("populations.a.neuron.c", "220n", lambda n: n.populations[0].neuron.c == 220e-9),
        ("populations.0.size", 5, lambda n: n.populations[0].size == 5),
        ("populations.a.neuron.leak.tau", 1e-3, lambda n: n.populations[0].neuron.leak.tau == 1e-3),
        (
            "populations.a.parameters.stimulus.amplitude",
            [1e-3, 2e-3, 3e-3],
            lambda n: n.populations[0].parameters.get("stimulus.amplitude") == [1e-3, 2e-3, 3e-3],
        ),
        ("projections.0.synapse.r", "2k", lambda n: n.projections[0].synapse.r == 2e3),
        ("projections.0.delay", "3u", lambda n: n.projections[0].delay == 3e-6),
        ("sources.s.t_pulse", "2u", lambda n: n.sources[0].t_pulse == 2e-6),
        ("t_stop", "2m", lambda n: n.t_stop == 2e-3),
        ("seed", 4, lambda n: n.seed == 4),
    ],
)
def test_values_are_replaced_by_dotted_names(name, value, get):
    old = network()
    new = old.replace({name: value})
    assert get(new)
    assert not get(old)
    assert new.digest != old.digest
    assert new.replace({}) == new


def test_a_value_that_weights_set_is_said_once():
    plain = {"source": "s", "target": "a", "connector": ALL}
    for synapse, unit, name in (
        ({"kind": "diode", "r": "2k"}, "resistance", "r"),
        ({"kind": "current", "tau_s": 1e-4, "g_m": 0.1}, "charge", "g_m"),
    ):
        with pytest.raises(DesignError, match=f"weights as {unit}, .* {name} = .* one of the two"):
            Projection(**plain, synapse=synapse, **{unit: 1e-9})
    # A synapse that is made already must have one, which is lost, and comes back from no file.
    made = Projection(**plain, synapse=DiodeSynapse(r=2e3), resistance="3k")
    assert made.synapse.r == 1.0
    assert Projection.from_dict(made.to_dict()) == made
    old = network(projections=[made])
    assert old.replace({"projections.0.resistance": "10k"}).projections[0].resistance == 1e4
    with pytest.raises(DesignError, match="give one of the two"):
        old.replace({"projections.0.synapse.r": "10k"})
    with pytest.raises(SweepError, match=r"take projections\.0\.resistance"):
        NetworkSweep(old, {"projections.0.synapse.r": [1e3, 2e3]})
    assert NetworkSweep(network(), {"projections.0.synapse.r": [1e3, 2e3]}).changes(1)


def test_the_digest_is_of_what_can_change_a_result():
    one = network()
    assert one.digest == network().digest
    assert one.replace(name="other", description="words").digest == one.digest
    # the neuron's own end and words count for nothing: the network's t_stop does
    other = PAPER.replace(t_stop=2e-3, description="other words")
    assert network(populations=[{"name": "a", "neuron": other, "size": 3}]).digest == one.digest
    renamed = network(
        populations=[{"name": "b", "neuron": PAPER, "size": 3}],
        projections=[{"source": "s", "target": "b", "synapse": DIODE, "connector": ALL}],
    )
    assert renamed.digest != one.digest


def test_a_network_is_frozen_equal_to_its_like_and_can_be_sent():
    one = network(projections=[{"source": "s", "target": "a", "synapse": {"kind": "diode"},
                                "connector": ALL, "resistance": np.full(6, 1e3)}])  # fmt: skip
    with pytest.raises(DesignError, match=r"use \.replace"):
        one.seed = 3
    weights = one.projections[0].resistance
    assert isinstance(weights, Values)
    with pytest.raises(ValueError, match="read-only"):
        weights.array[0] = 5.0
    same = pickle.loads(pickle.dumps(one))
    assert same == one
    assert same.digest == one.digest
    assert hash(same) == hash(one)
    assert one != network()


def test_it_shows_itself_in_a_line():
    wide = network(
        populations=[{"name": f"p{k}", "neuron": "lif", "size": 2} for k in range(40)],
        projections=[], name="x" * 60, description="word " * 300,
    )  # fmt: skip
    for one in (network(), wide):
        assert len(repr(one)) < 600
        assert len(one._repr_html_()) < 600
    assert repr(network()) == (
        "<Network 'network', 3 neurons, 6 synapses (diode), 1 ms, populations a (3), sources s (2)>"
    )


def test_a_thousand_neurons_that_all_differ_take_a_few_seconds():
    amplitudes = np.linspace(0.8e-3, 1.2e-3, 1000)
    many = network(
        populations=[{"name": "a", "neuron": PAPER, "size": 1000,
                      "parameters": {"stimulus.amplitude": amplitudes}}], projections=[],
    )  # fmt: skip
    start = time.perf_counter()
    e = expand(many)
    assert time.perf_counter() - start < 4
    assert [n.stimulus.amplitude for n in e.neurons] == amplitudes.tolist()


def test_sources_may_be_given_as_objects():
    source = SpikeSource(name="s", size=1, times=np.array([1e-4, 2e-4]), v_high="3.3 V")
    assert source.times == (Values([1e-4, 2e-4]),)
    assert source.v_high == parse_quantity("3.3", "V")
    assert network(sources=[source], projections=[]).population("s") is source

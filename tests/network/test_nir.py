"""NIR: files that ``nir`` itself wrote, dynamics against closed forms, and what is lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest

from spicealif import solve_reference
from spicealif.errors import OutputError
from spicealif.network import (
    Network,
    expand,
    export_nir,
    import_nir,
    load_network_preset,
    network_preset_names,
    nir_graph,
)


def lif(n: int = 2, **changes: object) -> nir.LIF:
    values = {"tau": 10e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **changes}
    return nir.LIF(
        **{k: np.broadcast_to(np.asarray(v, float), n).copy() for k, v in values.items()}
    )


def graph(weight: np.ndarray, *between: tuple[str, nir.NIRNode], node: nir.LIF) -> nir.NIRGraph:
    nodes = {
        "input": nir.Input(input_type=np.array([weight.shape[1]])),
        "fc": nir.Linear(weight=weight),
        **dict(between),
        "lif": node,
        "output": nir.Output(output_type=np.array(node.r.shape)),
    }
    names = list(nodes)
    return nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    weight = np.array([[0.5, -0.25, 0.0], [0.1, 0.0, 0.3]])
    delay = nir.Delay(delay=np.array([1e-3, 2e-3]))
    path = tmp_path / "made by nir.nir"
    nir.write(path, graph(weight, ("d", delay), node=lif(tau=[1e-2, 2e-2], r=[1.0, 2.0])))
    return path


def test_a_file_that_nir_wrote_becomes_a_network(file: Path):
    network = import_nir(file, dt="1m", t_stop="20m")
    assert network.name == "made_by_nir"
    (population,) = network.populations
    assert (population.name, population.size) == ("lif", 2)
    e = expand(network)
    # r = 1 means 10 kohm: c = tau / r
    assert [n.leak.r for n in e.neurons] == [1e4, 2e4]
    assert [n.c for n in e.neurons] == pytest.approx([1e-6, 1e-6], rel=1e-15)
    assert [(n.v_th, n.v_rest, n.v_reset) for n in e.neurons] == [(1.0, 0.0, 0.0)] * 2
    assert {n.leak.kind for n in e.neurons} == {"resistor"}
    joined = {
        (s.synapse.sign, e.names[a], e.names[b]): (q, d)
        for s in e.synapses
        for a, b, q, d in zip(
            s.pre, s.post, np.broadcast_to(s.projection.charge, s.pre.shape), s.delay, strict=True
        )
    }
    # w (1 V / 10 kohm) 1 ms, and the delay of the target
    assert joined == {
        (1, "input_0", "lif_0"): (pytest.approx(0.5e-7), 1e-3),
        (1, "input_0", "lif_1"): (pytest.approx(0.1e-7), 2e-3),
        (1, "input_2", "lif_1"): (pytest.approx(0.3e-7), 2e-3),
        (-1, "input_1", "lif_0"): (pytest.approx(0.25e-7), 1e-3),
    }


@pytest.mark.parametrize(
    ("tau", "r", "leak", "threshold", "reset", "current"),
    [
        (10e-3, 1.0, 0.0, 1.0, 0.0, 1.5),
        (20e-3, 2.0, 0.0, 1.0, 0.2, 0.8),
        (5e-3, 0.5, 0.3, 1.2, 0.1, 3.0),
        (10e-3, 1.0, -0.2, 0.9, 0.0, 1.3),
    ],
)
def test_the_imported_neuron_fires_at_the_closed_forms_interval(
    tau, r, leak, threshold, reset, current
):
    """tau dv/dt = v_leak - v + R I from v_reset to v_threshold, solved by hand."""
    node = lif(1, tau=tau, r=r, v_leak=leak, v_threshold=threshold, v_reset=reset)
    network = import_nir(graph(np.eye(1), node=node), t_stop=0.1, dt="1m")
    (neuron,) = expand(network).neurons
    driven = neuron.replace({"stimulus.amplitude": current * 1.0 / 10e3})
    t = solve_reference(driven, "ideal").t_spike
    end = leak + r * current
    interval = tau * np.log((end - reset) / (end - threshold))
    assert len(t) >= 4
    assert np.diff(t) == pytest.approx([interval] * (len(t) - 1), rel=1e-8)


def test_a_graph_exported_and_read_by_nir_is_the_one_imported(file: Path, tmp_path: Path):
    network = import_nir(file, dt="1m")
    exported = export_nir(network, tmp_path / "back.nir")
    assert exported.path == tmp_path / "back.nir"
    again = nir.read(tmp_path / "back.nir")
    node = again.nodes["lif"]
    assert node.tau == pytest.approx([1e-2, 2e-2], rel=1e-12)
    assert node.r == pytest.approx([1e4, 2e4], rel=1e-12)  # in ohm
    assert (node.v_threshold.tolist(), node.v_leak.tolist()) == ([1.0, 1.0], [0.0, 0.0])
    total = sum(n.weight for n in again.nodes.values() if isinstance(n, nir.Linear))
    original = np.array([[0.5, -0.25, 0.0], [0.1, 0.0, 0.3]])
    assert total == pytest.approx(original * 1e-4 * 1e-3, rel=1e-12)
    back = import_nir(tmp_path / "back.nir", r_unit=1)
    assert back.populations[0].parameters == network.populations[0].parameters
    for one, other in zip(expand(network).synapses, expand(back).synapses, strict=True):
        assert np.array_equal(one.pre, other.pre)
        assert np.array_equal(one.post, other.post)
        assert one.values["g_m"] == pytest.approx(other.values["g_m"], rel=1e-12)
        assert one.delay == pytest.approx(other.delay, rel=1e-12)


def test_delays_ahead_of_weights_and_matrices_in_a_row_are_put_together():
    first, second = np.array([[1.0, 2.0], [0.5, 0.0]]), np.array([[2.0, 0.0], [1.0, -1.0]])
    nodes = {
        "input": nir.Input(input_type=np.array([2])),
        "d": nir.Delay(delay=np.array([1e-3, 3e-3])),
        "one": nir.Linear(weight=first),
        "two": nir.Affine(weight=second, bias=np.zeros(2)),
        "lif": lif(),
        "output": nir.Output(output_type=np.array([2])),
    }
    names = list(nodes)
    e = expand(
        import_nir(nir.NIRGraph(nodes=nodes, edges=list(pairwise(names))),
                   dt=1e-3)
    )  # fmt: skip
    found, delays = np.zeros((2, 2)), np.zeros((2, 2))
    for s in e.synapses:
        charges = np.broadcast_to(s.projection.charge, s.pre.shape)
        found[s.post, s.pre - 2] = s.synapse.sign * charges / 1e-7
        delays[s.post, s.pre - 2] = s.delay
    assert found == pytest.approx(second @ first)
    assert delays.tolist() == [[1e-3, 3e-3], [1e-3, 3e-3]]


def test_v_low_is_above_zero_wherever_the_reset_is():
    for reset in (-0.5, 0.0, 0.5):
        network = import_nir(graph(np.eye(2), node=lif(v_reset=reset)), dt="1m")
        neuron = network.populations[0].neuron
        assert 0 < neuron.v_low < neuron.v_th
        assert neuron.v_reset == reset


def test_recurrent_graphs_import():
    nodes = {
        "input": nir.Input(input_type=np.array([2])),
        "lif": lif(),
        "rec": nir.Linear(weight=np.array([[0.0, -1.0], [-1.0, 0.0]])),
        "output": nir.Output(output_type=np.array([2])),
    }
    edges = [("input", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")]
    network = import_nir(nir.NIRGraph(nodes=nodes, edges=edges), dt="1m")
    ends = {(p.source, p.target, p.synapse.sign) for p in network.projections}
    assert ends == {("input", "lif", 1), ("lif", "lif", -1)}


def test_names_are_made_plain_and_stay_apart():
    nodes = {
        "0": nir.Input(input_type=np.array([1])),
        "a.b": lif(1),
        "A-b": lif(1),
        "out": nir.Output(output_type=np.array([1])),
    }
    edges = [("0", "a.b"), ("a.b", "A-b"), ("A-b", "out")]
    network = import_nir(nir.NIRGraph(nodes=nodes, edges=edges), dt="1m")
    assert [p.name for p in network.populations] == ["a_b", "A_b_v2"]
    assert network.sources[0].name == "n0"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pair", ["The adaptation of n", "input currents of n", "diode synapses"]),
        ("balanced", ["The adaptation of inh", "saturation i_max", "parts of exc's circuit"]),
        ("crossbar-8x8", ["The spike times of in", "memristors' plasticity"]),
    ],
)
def test_what_a_graph_cannot_say_is_told(name, words):
    exported = nir_graph(load_network_preset(name))
    for word in words:
        assert word in str(exported)
    assert len(repr(exported)) < 600
    network = load_network_preset(name)
    assert {p.name for p in network.populations} <= set(exported.graph.nodes)


@pytest.mark.parametrize("name", network_preset_names())
def test_every_presets_file_is_read_by_nir_and_by_us(name: str, tmp_path: Path):
    network = load_network_preset(name)
    path = tmp_path / "n.nir"
    export_nir(network, path)
    assert isinstance(nir.read(path), nir.NIRGraph)
    back = import_nir(path, r_unit=1, t_stop=network.t_stop)
    assert [(p.name, p.size) for p in back.populations] == [
        (p.name, p.size) for p in network.populations
    ]
    pairs = {(a, b) for s in expand(network).synapses for a, b in zip(s.pre, s.post, strict=True)}
    again = {(a, b) for s in expand(back).synapses for a, b in zip(s.pre, s.post, strict=True)}
    assert again == pairs


def test_weights_of_other_kinds_are_their_pulses_charge():
    (weight,) = (
        n.weight for n in nir_graph(load_network_preset("pair")).graph.nodes.values()
        if isinstance(n, nir.Linear) and n.weight.any()
    )  # fmt: skip
    # (3.73 V - 0.2 V - 0.6 V) / 200 ohm for 0.604 us
    assert weight[1, 0] == pytest.approx(2.93 / 200 * 0.604e-6, rel=0.005)
    assert np.count_nonzero(weight) == 1


def test_single_delays_become_their_mean_and_that_is_told():
    two = [{"name": n, "neuron": "lif", "size": 2} for n in "ab"]
    joined = {"source": "a", "target": "b", "connector": {"kind": "all-to-all"}, "charge": "1n",
              "synapse": {"kind": "current", "tau_s": 1e-5}}  # fmt: skip
    data = {"populations": two, "t_stop": 1e-3}

    def delay(values: object) -> nir_graph:
        return nir_graph(Network.from_dict({**data, "projections": [{**joined, "delay": values}]}))

    mixed = delay([[1e-6, 2e-6], [3e-6, 8e-6]])
    assert any("single delays" in sentence for sentence in mixed.lost)
    (node,) = (n for n in mixed.graph.nodes.values() if isinstance(n, nir.Delay))
    assert node.delay == pytest.approx([2e-6, 5e-6])
    for values in ([[1e-6, 2e-6]] * 2, [[1e-6] * 2, [2e-6] * 2], 3e-6):
        exact = delay(values)
        assert not any("delays" in sentence for sentence in exact.lost)
        back = expand(import_nir(exported_graph(exported=exact), r_unit=1)).synapses[0]
        wanted = np.broadcast_to(values, (2, 2))
        assert back.delay == pytest.approx(wanted[back.pre, back.post - 2], rel=1e-12)


def exported_graph(exported: object) -> nir.NIRGraph:
    return exported.graph  # type: ignore[attr-defined]


def test_other_endings_are_refused(tmp_path: Path):
    with pytest.raises(OutputError, match=r"use a name that ends in \.nir"):
        export_nir(load_network_preset("pair"), tmp_path / "n.txt")

"""The text of networks' netlists: portable, small, with names that a person finds."""

import re

import numpy as np
import pytest

from spicealif import load_device, load_preset
from spicealif.errors import NetlistError
from spicealif.netlist import build_netlist, find_unportable
from spicealif.network import (
    AllToAll,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    FromList,
    JunctionDiode,
    MemristorSynapse,
    Network,
    OneToOne,
    Population,
    Projection,
    SpikeSource,
    expand,
)
from spicealif.network.netlist import (
    Played,
    build_network_netlist,
    build_witness_netlist,
    thin_pwl,
)
from spicealif.network.netlist.played import source_points

PAPER = load_preset("paper")
LIF = load_preset("lif")
MMS = PAPER.leak.replace({"r_on": 2e3, "r_off": 2e4})
YAKOPCIC = load_device("yakopcic_oblea").device
KINDS = (
    DiodeSynapse(r=2e3),
    MemristorSynapse(device=MMS),
    CurrentSynapse(tau_s=50e-6, g_m=50e-6, sign=-1),
    CrossbarSynapse(device=YAKOPCIC, gain=0.5, sign=-1),
)


def network(*projections, exc=PAPER, size=3, t_stop=1e-3, **more):
    amplitudes = tuple(1e-3 * (1 + 0.03 * k) for k in range(size))
    populations = (
        Population(
            name="exc", neuron=exc, size=size, parameters={"stimulus.amplitude": amplitudes}
        ),
        Population(name="inh", neuron=LIF, size=2),
    )
    sources = (SpikeSource(name="noise", size=2, times=((10e-6, 50e-6, 52e-6), (0.0,))),)
    return Network(
        populations=populations, sources=sources, projections=projections, t_stop=t_stop, **more
    )


def joined(synapse, source="exc", target="inh", connector=None, **more):
    return Projection(
        source=source, target=target, synapse=synapse, connector=connector or AllToAll(), **more
    )


MIXED = network(
    *(joined(kind) for kind in KINDS),
    joined(KINDS[0], "noise", "exc", FromList(connections=((0, 0), (1, 0), (1, 2)))),
    joined(KINDS[1], "inh", "exc", conductance=1e-4),
    joined(KINDS[0], "exc", "exc", resistance=5e3),
)


def flat_waveforms(expanded):
    t = np.array([0.0, expanded.network.t_stop])
    return {k: Played(t, 0 * t, t, 0 * t) for k in range(len(expanded.neurons))}


def cards(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


@pytest.mark.parametrize("dialect", ["ngspice", "ltspice"])
def test_decks_are_of_the_portable_subset(dialect):
    netlist = build_network_netlist(MIXED, dialect, quantities=("v_c", "spike", "x", "v_mem"))
    assert find_unportable(netlist.text, dialect) == ()
    expanded = expand(MIXED)
    for k in range(len(expanded.neurons)):
        witness = build_witness_netlist(expanded, k, flat_waveforms(expanded), dialect)
        assert find_unportable(witness.text, dialect) == ()
        assert len(witness.source_map) == witness.text.count("\n")


def test_names_are_found_by_a_person():
    netlist = build_network_netlist(MIXED)
    text = netlist.text
    assert cards(text, "X_exc_2 ") == ["X_exc_2 v_exc_2 s_exc_2 v_pos v_neg v_cc alif_exc"]
    assert cards(text, "I_exc_2_1 ")[0].startswith("I_exc_2_1 0 v_exc_2 PULSE(0.0 0.00106")
    assert cards(text, "R_syn_exc_2_inh_1 ") == ["R_syn_exc_2_inh_1 s_exc_2 d_exc_2_inh_1 2000.0"]
    # The second projection of the same two; and that of a third, to a column of its target.
    assert cards(text, "X_syn_exc_2_inh_1_p2 ")
    assert cards(text, "X_syn_exc_2_inh_1_p4 ")[0].split()[2] == "col4_inh_1"
    assert cards(text, "F_col4_inh_1 ") == ["F_col4_inh_1 0 v_inh_1 V_col4_inh_1 -0.5"]
    assert "* --- projection 4: exc to inh, crossbar ---" in text
    assert netlist.find("x_exc_2.cp").component.startswith("comparator")
    assert netlist.find("v_noise_0").component == "sources of spikes"
    assert netlist.signals["v_c:inh_1"] == ((1.0, "v(v_inh_1)"),)
    spelled = build_network_netlist(MIXED, "ltspice", quantities=("x",)).signals
    assert spelled == {f"x:exc_{k}": ((1.0, f"V(x_exc_{k}:x)"),) for k in range(3)}  # no x in LIF


def test_a_simulator_s_words_name_their_neurons():
    netlist = build_network_netlist(MIXED)
    assert netlist.named('trouble with node "x_exc_2.x_cmp.t1"') == ("exc_2",)
    assert netlist.named("d_exc_1_inh_0") == ("exc_1", "inh_0")
    assert netlist.named("x_syn_exc_2_inh_1_p4 and i_exc_0_1") == ("exc_2", "inh_1", "exc_0")
    assert netlist.named("timestep too small; reltol") == ()


def test_states_begin_where_the_equations_do():
    netlist = build_network_netlist(MIXED)
    initial = dict(re.findall(r"v\((\w+)\)=(\S+)", " ".join(cards(netlist.text, ".ic"))))
    expanded = expand(MIXED)
    low = PAPER.output_levels[0]
    group = expanded.synapses[2]
    assert float(initial["f_exc_0_inh_0_p3"]) == group.synapse.initial(low, 0.0)[0] == low
    rest = LIF.v_rest
    (v_d,) = expanded.synapses[0].synapse.initial(low, rest)
    assert float(initial["d_exc_0_inh_0"]) == rest + v_d
    # Weights of memristors are their states.
    (x,) = {float(initial[name]) for name in initial if name.startswith("x_inh_")}
    read = MMS.resistance(0.1, x)
    assert read == pytest.approx(1e4, rel=1e-6)


def test_neurons_of_one_design_share_a_subcircuit_and_others_do_not():
    own = {"stimulus.amplitude": (1e-3, 2e-3, 1e-3), "c": (1e-7, 1e-7, 1.1e-7)}
    op_amp = PAPER.replace({"difference_amplifier.opamp.slew_rate": 1e7})
    made = Network(
        populations=(
            Population(name="a", neuron=PAPER, size=3, parameters=own),
            Population(name="b", neuron=PAPER, size=1),
            Population(name="c", neuron=op_amp.replace({"supplies.v_pos": 6.0}), size=1),
        ),
        t_stop=1e-3,
    )
    text = build_network_netlist(made).text
    assert [c.split()[-1] for c in cards(text, "X_") if " s_" in c] == [
        "alif_a", "alif_a", "alif_a_2", "alif_a", "alif_c"
    ]  # fmt: skip
    assert len(cards(text, ".subckt ad8561 ")) == 1
    assert [c.split()[1] for c in cards(text, ".subckt op482")] == ["op482", "op482_2"]
    # Supplies are shared where their voltages are the same.
    assert cards(text, "V_pos") == ["V_pos v_pos 0 5.0", "V_pos_s2 v_pos_s2 0 6.0"]
    (own,) = [k for k, line in enumerate(text.splitlines()) if line.startswith(".subckt alif_c")]
    assert "op482_2" in "\n".join(text.splitlines()[own : own + 20])
    assert find_unportable(text, "ngspice") == ()


def test_the_subcircuit_is_that_of_one_neuron():
    one = build_netlist(PAPER, subcircuit=True).text.splitlines()
    start, end = one.index("* --- the neuron ---"), one.index("* --- test bench ---")
    alone = [line for line in one[start + 2 : end] if not line.startswith(".subckt")]
    text = build_network_netlist(MIXED).text.splitlines()
    start = next(k for k, line in enumerate(text) if line.startswith(".subckt alif_exc"))
    # The leak is the second device of its kind: the name alone differs.
    found = [line.replace("mms_memristor_2", "mms_memristor") for line in text[start + 1 :]]
    assert found[: len(alone)] == alone


def test_large_networks_stay_small():
    def lines(size):
        ring = FromList(connections=tuple((k, (k + 1) % size) for k in range(size)))
        made = network(joined(KINDS[0], "exc", "exc", ring), size=size)
        return build_network_netlist(made).text.count("\n")

    # Instance, current, a third of a card .save and a sixth of .ic; three lines a synapse.
    assert lines(100) - lines(50) <= 50 * 5.6


def test_sources_are_pulses_that_rise_at_their_times():
    source = SpikeSource(name="n", size=1, times=((3e-6,),), t_edge=20e-9)
    t, v = source_points(source, np.array([3e-6, 10e-6, 10.5e-6, 30e-6]), 20e-6)
    middle = (source.v_high + source.v_low) / 2
    rises = [a + (b - a) / 2 for a, b, p, q in zip(t, t[1:], v, v[1:], strict=False) if p < q]
    falls = [a + (b - a) / 2 for a, b, p, q in zip(t, t[1:], v, v[1:], strict=False) if p > q]
    np.testing.assert_allclose(rises, [3e-6, 10e-6], atol=1e-15)  # two that touch are one
    np.testing.assert_allclose(falls, [4e-6, 11.5e-6], atol=1e-15)
    assert np.all(np.diff(t) > 0)
    # One that begins before 0 is under way.
    t, v = source_points(source, np.array([0.0]), 1e-3)
    assert (t[0], v[0]) == (0.0, pytest.approx(middle))
    with pytest.raises(NetlistError, match="edges"):
        source_points(source.model_copy(update={"t_edge": 1e-6}), np.array([0.0]), 1e-3)


def test_a_witness_deck_has_one_neuron_and_what_touches_it():
    expanded = expand(MIXED)
    k = expanded.names.index("inh_0")
    netlist = build_witness_netlist(expanded, k, flat_waveforms(expanded))
    text = netlist.text
    assert [c.split()[0] for c in cards(text, "X_") if c.split()[-1].startswith("lif")] == [
        "X_inh_0"
    ]
    # Three presynaptic neurons with four synapses each, one source each; and three targets.
    assert len(cards(text, "V_s_")) == 3
    assert [c.split()[0] for c in cards(text, "V_v_")] == [f"V_v_exc_{j}" for j in range(3)]
    assert len(cards(text, "D_syn_inh_0_")) == 3
    assert "inh_1" not in text
    # exc_0 drives, but is not driven by, what the mirrors and transconductors end in.
    witness = build_witness_netlist(expanded, 0, flat_waveforms(expanded)).text
    assert cards(witness, "C_syn_exc_0_inh_0_p3")
    assert not cards(witness, "B_syn_exc_0_inh")
    assert not cards(witness, "F_col4")
    assert cards(witness, "V_noise_0 ")


ONE_WAY = network(joined(KINDS[2]))
BAD = {
    "a delay": (network(joined(KINDS[0], delay=1e-6)), "delay of 1e-06 s, which no circuit has"),
    "two temperatures": (network(exc=PAPER.replace({"temperature": 310.0})), "one temperature"),
    "ideal edges": (network(exc=PAPER.replace({"stimulus.t_rise": 0.0})), "ideal edge"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_netlist_is_refused(case):
    made, words = BAD[case]
    with pytest.raises(NetlistError, match=words):
        build_network_netlist(made)


@pytest.mark.parametrize(
    "asked", [{"reltol": 0.0}, {"quantities": ("v_x",)}, {"dialect": "nosuch"}]
)
def test_what_makes_no_sense_is_refused(asked):
    with pytest.raises(NetlistError):
        build_network_netlist(ONE_WAY, **asked)


def test_a_witness_needs_what_is_around_it():
    expanded = expand(MIXED)
    with pytest.raises(NetlistError, match="no neuron 5"):
        build_witness_netlist(expanded, 5, {})
    with pytest.raises(NetlistError, match="no waveforms"):
        build_witness_netlist(expanded, 0, {})


def test_diodes_of_different_make_have_their_own_models():
    other = DiodeSynapse(r=2e3, diode=JunctionDiode(i_s=1e-14))
    text = build_network_netlist(
        network(joined(KINDS[0]), joined(other, "inh", "exc", OneToOne()), size=2)
    ).text
    assert [c.split()[1] for c in cards(text, ".model junction")] == ["junction", "junction_2"]
    assert cards(text, "D_syn_inh_0_exc_0")[0].endswith(" junction_2")


# --- what is played back ---


def waveform(seed=0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, 1e-3, 5000))
    v = np.where((t % 1e-4) < 1e-6, 3.8, 0.018) + 0.3 * np.sin(t / 5e-5)
    return t, v + rng.normal(0, 1e-5, len(t))


@pytest.mark.parametrize("tolerance", [0.0, 1e-4, 1e-2])
def test_thinned_waveforms_are_nowhere_further_off(tolerance):
    t, v = waveform()
    at, values = thin_pwl(t, v, tolerance)
    assert (at[0], at[-1]) == (t[0], t[-1])
    assert np.all(np.diff(at) > 0)
    assert np.abs(np.interp(t, at, values) - v).max() <= tolerance + 1e-12
    assert len(at) <= len(t)


def test_thinning_leaves_few_points():
    t = np.linspace(0, 1, 20001)
    straight = thin_pwl(t, 3 * t, 1e-9)
    assert len(straight[0]) == 2
    # The best there is for a parabola, v'' = 2: lines of length sqrt(16 tolerance / v'').
    at, _ = thin_pwl(t, t**2, 1e-4)
    assert len(at) - 1 <= 1.5 / np.sqrt(8e-4)


def test_edges_may_be_off_in_time_instead():
    t = np.linspace(0, 1e-6, 10001)
    v = 3.8 / (1 + np.exp((0.5e-6 - t) / 2e-9))
    at, values = thin_pwl(t, v, 1e-4, 2e-10)
    assert len(at) < 0.6 * len(thin_pwl(t, v, 1e-4)[0])
    found, fine = np.interp(t, at, values), np.linspace(-2e-10, 2e-10, 41)
    shifted = np.array([np.interp(t + d, t, v) for d in fine])
    assert np.all(found <= shifted.max(axis=0) + 1.001e-4)
    assert np.all(found >= shifted.min(axis=0) - 1.001e-4)


def test_jumps_become_steep_edges():
    t = np.array([0.0, 1e-6, 1e-6, 1e-6, 2e-6])
    v = np.array([0.0, 0.4, 0.4, 0.0, 0.1])
    at, _ = thin_pwl(t, v)
    assert np.all(np.diff(at) > 0)
    assert at[2] - at[1] < 1e-12
    assert len(at) == 4


@pytest.mark.parametrize(
    ("t", "v"), [([], []), ([0, 1], [1]), ([1, 0], [0, 0]), ([0, np.nan], [0, 0])]
)
def test_waveforms_that_are_none_are_refused(t, v):
    with pytest.raises(NetlistError):
        thin_pwl(t, v)

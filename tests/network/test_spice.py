"""Networks in ngspice: the flat deck, and every neuron alone as witness of it."""

import math

import numpy as np
import pytest
from ltspice_standin import install
from netlist_runs import edit, nothing_left_behind

from spicealif import load_preset
from spicealif.errors import NetlistError, RunFailed, SimulatorError
from spicealif.netlist import build_netlist
from spicealif.network import (
    AllToAll,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    FromList,
    MemristorSynapse,
    Network,
    Population,
    Projection,
    SpikeSource,
    expand,
)
from spicealif.network.spice import run_flat, run_witnesses, worst_difference
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.ltspice.runner import Ltspice

PAPER = load_preset("paper")
MMS = PAPER.leak.replace({"r_on": 2e3, "r_off": 2e4})
BOTH = FromList(connections=((0, 1), (1, 0)))
PAIR = Network(
    name="pair",
    populations=(
        Population(
            name="exc", neuron=PAPER, size=2, parameters={"stimulus.amplitude": (1e-3, 1.03e-3)}
        ),
    ),
    sources=(SpikeSource(name="noise", size=1, times=((20e-6, 150e-6),)),),
    projections=(
        Projection(source="exc", target="exc", synapse=DiodeSynapse(r=2e3), connector=BOTH),
        Projection(
            source="exc", target="exc", synapse=MemristorSynapse(device=MMS), connector=BOTH
        ),
        Projection(
            source="exc", target="exc", connector=BOTH,
            synapse=CurrentSynapse(tau_s=50e-6, g_m=50e-6, sign=-1),
        ),
        Projection(
            source="exc", target="exc", synapse=CrossbarSynapse(device=MMS, sign=-1), connector=BOTH
        ),
        Projection(source="noise", target="exc", synapse=DiodeSynapse(r=5e3), connector=AllToAll()),
    ),
    t_stop=2.7e-4,
)  # fmt: skip
RELTOL = 1e-7


@pytest.fixture(scope="module")
def flat():
    return run_flat(PAIR, reltol=RELTOL).require()


class Changed:
    """A simulator that runs something else than it was given."""

    name, dialect = "changed", "ngspice"

    def __init__(self, change):
        self.change, self.tool = change, get_simulator("ngspice-batch")
        self.version = self.tool.version

    def run(self, netlist, **options):
        return self.tool.run(self.change(netlist), **options)

    def close(self):
        self.tool.close()


def test_a_network_of_one_neuron_is_the_neuron():
    alone = PAPER.replace({"t_stop": 2.7e-4})
    network = Network(populations=(Population(name="a", neuron=PAPER, size=1),), t_stop=2.7e-4)
    found = run_flat(network, reltol=1e-8)
    run = get_simulator("ngspice-batch").run(build_netlist(alone, reltol=1e-8))
    (spikes,) = found.t_spike
    assert len(spikes) == len(run.require().t_spike) >= 3
    np.testing.assert_allclose(spikes, run.waveforms.t_spike, rtol=0, atol=1e-10)


def test_synapses_act(flat):
    without = run_flat(PAIR.replace({"projections": ()}), reltol=RELTOL)
    for found, alone in zip(flat.t_spike, without.t_spike, strict=True):
        assert len(found) >= 3
        assert np.abs(found[:3] - alone[:3]).max() > 1e-6


def test_every_neuron_alone_agrees_with_the_flat_deck(flat):
    results = run_witnesses(PAIR, None, flat.played(), reltol=RELTOL)
    print([(r.name, r.worst, r.cpu_s, r.knots, r.points) for r in results])
    assert [r.name for r in results] == ["exc_0", "exc_1"]
    for result in results:
        assert (result.ok, result.message) == (True, "")
        assert result.worst < 5e-9
    assert sum(r.cpu_s for r in results) < 3 * flat.run.cost.cpu_s
    # The same whatever runs beside it.
    again = run_witnesses(expand(PAIR), [1, 0], flat.played(), reltol=RELTOL, workers=1)
    for one, other in zip(results, reversed(again), strict=True):
        np.testing.assert_array_equal(one.t_spike, other.t_spike)


def test_a_wrong_solution_is_told(flat):
    played = flat.played()
    # What drives the other comes an interval late; what it is compared with stays.
    late = type(played[0])(
        played[0].t_out + 60e-6, played[0].v_out, played[0].t_c, played[0].v_c, played[0].t_spike
    )
    (result,) = run_witnesses(PAIR, [1], {**played, 0: late}, reltol=RELTOL)
    assert result.worst > 1e-7  # 20 times what is let pass above
    fewer = type(played[1])(*(getattr(played[1], n) for n in ("t_out", "v_out", "t_c", "v_c")))
    (result,) = run_witnesses(PAIR, [1], {**played, 1: fewer}, reltol=RELTOL)
    assert math.isinf(result.worst)
    assert "spikes instead of 0" in result.message


def test_the_ltspice_deck_gives_the_same_spikes(flat, tmp_path):
    tool = Ltspice(install(tmp_path, mode="ltpsa"))
    found = run_flat(PAIR, tool, reltol=RELTOL).require()
    worst = max(
        worst_difference(a, b, PAIR.t_stop)
        for a, b in zip(flat.t_spike, found.t_spike, strict=True)
    )
    print("ltspice's dialect", worst)
    assert worst < 5e-9


def test_the_cost_is_said_before(flat):
    before = flat.netlist.estimate()
    assert flat.run.cost.points / 3 < before.points < flat.run.cost.points * 3
    assert "2 neurons in one deck" in str(before)


def test_waveforms_are_had_by_neuron(flat):
    one = flat.waveforms("exc_1")
    assert set(one) == {"v_c", "spike"}
    np.testing.assert_array_equal(one.t_spike, flat.t_spike[1])
    with pytest.raises(NetlistError, match="exc_0, exc_1"):
        flat.waveforms("exc_2")


def test_a_neuron_that_fails_is_named(flat):
    def change(netlist):
        if "X_exc_1 " not in netlist.text:
            return netlist
        # A node whose voltage is infinite after 10 us: in the end no step is small enough.
        bad = (
            "C_bad bad_exc_1 0 1e-9",
            "R_bad bad_exc_1 0 1e9",
            ".ic v(bad_exc_1)=0",
            "B_bad 0 bad_exc_1 I=1e-4*(V(bad_exc_1)+1)*(V(bad_exc_1)+1)",
        )
        return edit(netlist, "X_exc_1 ", *bad, keep=True)

    tool = Changed(change)
    broken = run_flat(PAIR, tool, reltol=1e-6, timeout=60)
    print(broken.message, broken.run.log[-300:])
    assert not broken.ok
    assert broken.failed == ("exc_1",)
    with pytest.raises(RunFailed, match="exc_1"):
        broken.require()
    good, bad = run_witnesses(PAIR, None, flat.played(), tool, reltol=1e-6, timeout=60)
    assert good.ok
    assert (bad.status, math.isnan(bad.worst)) == (Status.STOPPED_EARLY, True)
    assert bad.message.startswith("exc_1: ")


def test_waveforms_that_are_missing_fail_one_deck_only(flat):
    played = flat.played()
    result, other = run_witnesses(PAIR, None, {1: played[1]}, reltol=1e-5)
    assert result.ok  # nothing to compare with, but all that it needs
    assert other.status is Status.REJECTED
    assert "no waveforms" in other.message


def test_ctrl_c_ends_all_runs(flat):
    def progress(_):
        raise KeyboardInterrupt

    with nothing_left_behind(), pytest.raises(KeyboardInterrupt):
        run_witnesses(PAIR, [0, 1, 0, 1], flat.played(), reltol=1e-5, progress=progress)


@pytest.mark.parametrize("asked", [{"simulator": "equations"}, {"simulator": "x"}, {"workers": 0}])
def test_what_makes_no_sense_is_refused(asked):
    with pytest.raises(SimulatorError):
        run_witnesses(PAIR, None, {}, **asked)


def test_trains_are_compared_spike_by_spike():
    given = np.array([1e-4, 2e-4, 3e-4])
    assert worst_difference(given, given + 1e-9, 4e-4) == pytest.approx(1e-9)
    assert math.isinf(worst_difference(given, given[:2], 4e-4))
    # At the very end one of them may be beyond it.
    assert worst_difference(given, given[:2], 3e-4 + 1e-8) == 0
    assert worst_difference(given[:0], given[:0], 1.0) == 0

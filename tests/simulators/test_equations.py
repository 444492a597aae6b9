"""The circuit's equations in a simulator's place, against SPICE."""

from __future__ import annotations

import threading
from importlib import metadata

import numpy as np
import pytest

from spicealif import load_preset, simulate
from spicealif.design import MODELS, Constant, SeriesCircuit, Sine
from spicealif.errors import SimulatorError
from spicealif.measures.one_side import measure
from spicealif.netlist import build_netlist
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.equations import rtol_of


def paper(t_stop=1e-3):
    return load_preset("paper").replace(t_stop=t_stop)


def neuron_of(kind):
    """Return a neuron that spikes every 50 us, whatever the resistance of the device."""
    device = MODELS[kind](**MODELS[kind].example)
    base = paper()
    r, v = device.r_min(base.v_th), base.v_th
    current = min(1.5 * v / r, 10e-3)  # the MOSFET must sink it
    return base.replace(
        leak=device, c=current * 50e-6 / v, r_s=0.2 * r, stimulus=Constant(amplitude=current),
    ).replace({"difference_amplifier.r": max(1e5, 100 * r)})  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_every_figure_is_spice_s(kind):
    """Measured on `paper`: spike times within 1 ns, supply energies within 2e-7 of each other."""
    neuron = paper() if kind == "mms" else neuron_of(kind)
    runs = [simulate(neuron, name).require() for name in ("equations", "ngspice")]
    assert [run.attrs["simulator"] for run in runs] == ["equations", "ngspice"]
    assert set(runs[0]) == set(runs[1])
    figures = [measure(run, neuron) for run in runs]
    assert figures[0]["spike_count"] == figures[1]["spike_count"] > 2
    np.testing.assert_allclose(runs[0].t_spike, runs[1].t_spike, rtol=0, atol=2e-9)
    for name in ("energy_per_spike", "supply_energy_per_spike", "v_c_peak"):
        assert figures[0][name] == pytest.approx(figures[1][name], rel=2e-5), name
    # VTEAM's rate has a corner: ngspice is 1.2e-6 off there, the equations 2e-7.
    assert figures[0]["x_final"] == pytest.approx(figures[1]["x_final"], abs=2e-6)
    for name in ("i_pos", "i_neg", "v_c", "v_d"):
        # Where both have a sample near; edges of nanoseconds are sampled by chance.
        t = runs[0].time[1:-1]
        gap = np.abs(runs[1].at(name, t) - runs[0][name][1:-1])
        assert np.median(gap) < 3e-4 * np.ptp(runs[1][name]), name


def test_the_energy_of_the_supplies_is_integrated_and_not_summed_over_rows():
    neuron = paper()
    fine, coarse = (
        measure(simulate(neuron.replace({"numerics.reltol": r}), "equations").require(), neuron)
        for r in (1e-10, 1e-6)
    )
    assert coarse["supply_energy_per_spike"] == pytest.approx(
        fine["supply_energy_per_spike"], rel=1e-6
    )


def test_parts_without_supplies_have_no_currents():
    waveforms = simulate(paper(2e-4).ideal(), "equations").require()
    assert set(waveforms) == {"v_c", "v_mem", "x", "spike", "v_d", "i_in"}
    assert np.isnan(measure(waveforms, paper(2e-4).ideal())["supply_energy_per_spike"])


def test_what_a_run_says():
    netlist = build_netlist(paper(2e-4))
    tool, told = get_simulator("equations"), []
    run = tool.run(netlist, progress=told.append)
    assert (run.status, run.simulator) == (Status.OK, "equations")
    assert run.version == f"spicealif {metadata.version('spicealif')}"
    assert run.cost.points == len(run.require()) > 100
    assert told[-1] == 1.0
    assert run.require().attrs["rtol"] == rtol_of(paper()) == pytest.approx(1e-7)
    late = tool.run(build_netlist(paper(50e-3)), timeout=1e-9)
    assert late.status is Status.TIMEOUT
    assert late.waveforms is None
    with pytest.raises(SimulatorError, match="timeout"):
        tool.run(netlist, timeout=-1.0)


def test_a_series_circuit_is_refused():
    device = load_preset("paper").leak
    series = SeriesCircuit(
        device=device, r_s=1e3, drive=Sine(amplitude=1, frequency=1e3), t_stop=1e-3
    )
    run = simulate(series, "equations")
    assert run.status is Status.REJECTED
    assert "series circuit" in run.message


def test_one_object_serves_one_thread():
    tool, netlist = get_simulator("equations"), build_netlist(paper(50e-3))
    refused = []

    def again(_: float) -> None:
        def ask() -> None:
            with pytest.raises(SimulatorError, match="another thread"):
                tool.run(netlist)
            refused.append(True)

        if not refused:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()

    tool.run(netlist, progress=again)
    assert refused

"""Makers' models in netlists: what ngspice and LTspice's dialect make of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from ltspice_standin import install
from vendor_models import (
    CMP2,
    COMPARATOR,
    MEMRISTOR,
    MOSFET,
    OPAMP,
    TL072,
    TL072_FIGURES,
    TL072_ONE_POLE,
)

from spicealif import (
    build_netlist,
    certify,
    cosimulate,
    load_preset,
    simulate,
    solve_reference,
)
from spicealif.cli.main import run as command
from spicealif.design import SeriesCircuit, SubcircuitOpAmp
from spicealif.errors import DesignError, IntegrationError, NetlistError, SimulatorError
from spicealif.netlist import find_dialect
from spicealif.simulators import Status, get_simulator
from spicealif.simulators.ltspice.runner import Ltspice

PAPER = load_preset("paper").replace({"t_stop": 4e-4, "numerics.reltol": 1e-7})
AMPLIFIER = "difference_amplifier.opamp"
WHOLE = {
    AMPLIFIER: {**OPAMP, "text": TL072_ONE_POLE},
    "comparator": COMPARATOR,
    "mosfet": {"kind": "subcircuit", "model": "M7", "pins": "drain gate source", "text": MOSFET},
}
LIBRARY = {
    AMPLIFIER: {**OPAMP, "kind": "library", "model": "OP482", "library": "ADI.lib"},
    "comparator": {
        **{"kind": "library", "model": "AD8561", "library": "ADI.lib", "v_oh": 3.8, "v_ol": 0.018},
        "pins": "v+ in+ in- v- gnd gnd nc out",
    },
}


@pytest.fixture(scope="module")
def tool():
    tool = get_simulator("ngspice")
    yield tool
    tool.close()


@pytest.fixture(scope="module")
def behavioural(tool):
    """Return spikes of the parts by their figures, which are the makers' models' own."""
    neuron = PAPER.replace({AMPLIFIER: TL072_FIGURES})
    return tool.run(build_netlist(neuron)).require().t_spike


@pytest.fixture(scope="module")
def embedded(tool):
    """Return the run of three makers' models."""
    return tool.run(build_netlist(PAPER.replace(WHOLE)))


def test_what_a_simulator_refuses_of_a_makers_model_is_no_fault_of_the_netlist(embedded):
    refused = replace(embedded, status=Status.REJECTED, reason="Unknown parameter.")
    assert "try another simulator or an older model of the maker's" in refused.message
    assert "report it" not in refused.message


def test_makers_models_run_as_their_figures_say(embedded, behavioural):
    assert embedded.status is Status.OK, embedded.message
    found = embedded.waveforms.t_spike
    assert len(found) == len(behavioural) >= 4
    # some ns when it was written, all of it the op-amp's input pair; asked for are 100 ns
    assert np.abs(found - behavioural).max() < 2e-8


def test_what_makes_another_op_amp_of_it_is_its_second_pole(tool, behavioural):
    neuron = PAPER.replace({**WHOLE, AMPLIFIER: {**OPAMP, "text": TL072}})
    intervals = np.diff(tool.run(build_netlist(neuron)).require().t_spike)
    shorter = np.diff(behavioural) - intervals
    # at 6.4 MHz: the amplifier lags, and the discharge goes on for longer or shorter
    assert 1e-7 < np.abs(shorter).min() < np.abs(shorter).max() < 4e-7


def test_the_other_dialect_says_the_same(embedded, tmp_path):
    netlist = build_netlist(PAPER.replace(WHOLE), "ltspice")
    assert netlist.compatibility == ""
    ltspice = Ltspice(install(tmp_path / "ltspice", mode="ltpsa", check="ltspice"))
    found = ltspice.run(netlist).require()
    assert np.abs(found.t_spike - embedded.waveforms.t_spike).max() < 1e-9


def test_the_program_and_the_library_are_set_alike_and_one_run_spoils_no_other(
    tool, embedded, behavioural
):
    netlist = build_netlist(PAPER.replace(WHOLE))
    assert netlist.compatibility == "ltpsa"
    assert "ngspice -D ngbehavior=ltpsa" in netlist.text
    batch = get_simulator("ngspice-batch").run(netlist).require()
    np.testing.assert_allclose(batch.t_spike, embedded.waveforms.t_spike, rtol=0, atol=1e-11)
    # the mode reads exp otherwise: our own decks get a process that never had it
    plain = build_netlist(PAPER.replace({AMPLIFIER: TL072_FIGURES}))
    assert plain.compatibility == ""
    tool.run(netlist)
    worker = tool._worker
    np.testing.assert_array_equal(tool.run(plain).require().t_spike, behavioural)
    assert tool._worker is not worker


@pytest.mark.parametrize(("model", "kind"), [("N7", "card"), ("M7", "subcircuit")], ids=lambda v: v)
def test_a_mosfet_is_a_card_or_a_subcircuit(tool, model, kind):
    pins = {"pins": "drain gate source"} if kind == "subcircuit" else {}
    table = {"kind": "subcircuit", "model": model, "text": MOSFET, **pins}
    short = PAPER.replace(t_stop=1.5e-4)
    ours, theirs = (
        tool.run(build_netlist(n)).require().t_spike for n in (short, short.replace(mosfet=table))
    )
    # the very card of the paper's MOSFET
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)


def test_a_memristors_model_is_run_and_its_values_are_the_references(tool):
    values = {name: getattr(PAPER.leak, name) for name in ("r_on", "r_off", "v_on", "v_off", "tau")}
    text = MEMRISTOR.replace("TAU=0.1m", f"TAU={PAPER.leak.tau}")
    table = {"kind": "subcircuit", "model": "MEM", "pins": "p n x", "text": text, **values}
    short = PAPER.replace({"t_stop": 1.5e-4, "leak.x_0": 0.2})
    neuron = short.replace(leak={**table, "x_0": 0.2})
    ours, theirs = (tool.run(build_netlist(n)).require() for n in (short, neuron))
    np.testing.assert_allclose(theirs.t_spike, ours.t_spike, rtol=0, atol=1e-11)
    assert theirs["x"][0] == pytest.approx(0.2, abs=1e-6)
    assert neuron.leak.as_mms() == short.leak
    references = [solve_reference(n).t_spike for n in (neuron, short)]
    np.testing.assert_allclose(*references, rtol=0, atol=1e-15)
    assert "references take the MMS device" in " ".join(neuron.doubts)
    assert "memristor MEM is a model of its maker" in neuron.no_equations
    with pytest.raises(DesignError, match="lacks x; write the roles in the order"):
        neuron.replace({"leak.pins": "p n"})
    with pytest.raises(DesignError, match="cannot be somebody's SPICE model"):
        SeriesCircuit(device=neuron.leak, r_s=1e3, drive=short.stimulus, t_stop=1e-3)


@pytest.mark.parametrize("dialect", ["ngspice", "ltspice"])
def test_where_the_cards_are_and_that_they_are_those(dialect):
    neuron = PAPER.replace(WHOLE)
    netlist = build_netlist(neuron, dialect)
    for part in (neuron.difference_amplifier.opamp, neuron.comparator, neuron.mosfet):
        assert hashlib.sha256(part.text.encode()).hexdigest() in netlist.text
        assert part.netlist_text in netlist.text
    line = netlist.find("x_op.re")
    assert line.text == "RE 10 99 1MEG"
    assert line.template == "models/parts/opamp_subcircuit.cir.j2"
    assert line.component == "op-amp: TL072, its maker's model"
    assert len(netlist.source_map) == len(netlist.text.splitlines())


def test_a_part_that_was_made_past_the_checks_does_not_reach_a_netlist():
    amplifier = PAPER.replace(WHOLE).difference_amplifier
    fields = amplifier.opamp.model_dump() | {"text": amplifier.opamp.text + ".control\n"}
    bad = amplifier.model_copy(update={"opamp": SubcircuitOpAmp.model_construct(**fields)})
    neuron = PAPER.replace(WHOLE).model_copy(update={"difference_amplifier": bad})
    with pytest.raises(NetlistError, match=r"op-amp TL072 may not stand in a netlist: line .*runs"):
        build_netlist(neuron)


def test_a_library_is_for_ltspice_alone():
    neuron = PAPER.replace(LIBRARY)
    lines = build_netlist(neuron, "ltspice").text.splitlines()
    assert lines.count(".lib ADI.lib") == 1
    assert "X_op ap an v_pos v_neg v_d OP482" in lines
    assert "X_cmp v_cc cp ref 0 0 0 comparator_nc1 spike AD8561" in lines
    assert "R_comparator_nc1 comparator_nc1 0 1e9" in lines
    for simulator in ("ngspice", "ngspice-batch", "equations"):
        with pytest.raises(NetlistError, match=r"op-amp OP482 is a model of LTspice's own.*ADI"):
            simulate(neuron, simulator)
    assert not find_dialect("ngspice").has_library


def test_an_open_collectors_pull_up_stands_beside_its_model():
    table = {**COMPARATOR, "output": "open-collector", "v_oh": 5.0, "r_pull_up": 2e3}
    netlist = build_netlist(PAPER.replace(comparator=table))
    assert "R_p v_cc spike 2000.0" in netlist.text.splitlines()
    assert netlist.design.network.r_out == 2e3


def test_the_equations_refuse_by_the_parts_name():
    neuron = PAPER.replace(WHOLE)
    with pytest.raises(
        SimulatorError, match="the op-amp TL072, the comparator CMP2 and the MOSFET"
    ):
        simulate(neuron, "equations")
    with pytest.raises(IntegrationError, match="no differential equations here; take a SPICE"):
        from spicealif import solve_circuit

        solve_circuit(neuron)


def test_the_command_line_reads_a_makers_file(tmp_path, capsys):
    (tmp_path / "CMP2.lib").write_text(CMP2)
    given = {"kind": "subcircuit", "file": tmp_path / "CMP2.lib", "model": "cmp2"}
    given |= {"pins": "in+ in- v+ v- out", "v_oh": 3.8, "v_ol": "18m"}
    changes = [word for k, v in given.items() for word in ("--set", f"comparator.{k}={v}")]
    assert command(["netlist", "paper", *changes]) == 0
    said = capsys.readouterr()
    assert "X_cmp cp ref v_cc 0 spike comparator__cmp2" in said.out
    assert "figures beside it that nobody gave are those of an AD8561 (r_out, gain" in said.err
    assert command(["run", "paper", *changes, "--simulator", "equations", "-q"]) == 1
    said = capsys.readouterr()
    assert "equations cannot run this neuron, since the comparator CMP2 is a model" in said.err


class Second:
    """A simulator that is not here: a run made before, and then one that failed."""

    name, dialect, version = "ngspice", "ngspice", "ngspice-39"

    def __init__(self, run):
        self.runs = [run, replace(run, status=Status.STOPPED_EARLY, reason="It stopped.")]

    def run(self, netlist, **_):
        return self.runs.pop(0)

    def close(self):
        pass


def test_a_second_level_that_fails_leaves_the_error_unknown(embedded):
    result = cosimulate(PAPER.replace(WHOLE), Second(embedded))
    assert result.run.ok
    assert (
        "is not known: the op-amp TL072, the comparator CMP2 and the MOSFET M7 are makers' models"
    ) in str(result.comparison)
    assert "a second run at a finer level failed (It stopped)" in str(result.comparison)
    assert result.check.to_dict()["spike_time_worst"] is None


@pytest.mark.slow
def test_errors_rest_on_two_levels_of_spice_and_say_so(tool):
    neuron = PAPER.replace({"t_stop": 1.5e-4, AMPLIFIER: WHOLE[AMPLIFIER]})
    result = cosimulate(neuron, tool)
    assert result.check.finer.startswith("reltol 1e-09 in place of 1e-07, half the largest")
    assert result.check.worst < 1e-9
    text = str(result.comparison)
    assert "against a second run in SPICE with reltol 1e-09 in place of 1e-07" in text
    assert "since the op-amp TL072 is a model of its maker, which has no differential" in text
    assert " +- " in text
    certificate = certify(neuron, tool)
    assert certificate.require()
    assert certificate.equations is None
    assert "rest on two levels of SPICE alone, since the op-amp TL072" in str(certificate)
    assert certificate.to_dict()["equations_error"] is None


@pytest.mark.parametrize("how", [{"style": "parameters"}, {"subcircuit": True}])
def test_a_deck_to_edit_has_no_makers_models(how):
    with pytest.raises(NetlistError, match=r"is its maker's model, .* leave --style and --subckt"):
        build_netlist(PAPER.replace({"comparator": COMPARATOR}), **how)


def test_a_kind_that_is_nearly_a_makers_model():
    with pytest.raises(DesignError, match=r"'subckt' is no kind .*; did you mean 'subcircuit'"):
        PAPER.replace({"comparator": {**COMPARATOR, "kind": "subckt"}})

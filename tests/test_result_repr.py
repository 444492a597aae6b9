"""Results where they are only named: one line as text, a table in a notebook, a figure."""

import inspect
from html.parser import HTMLParser

import numpy as np
import pytest

import spicealif
from spicealif import (
    Loop,
    MonteCarlo,
    Proposal,
    Range,
    SeriesCircuit,
    Store,
    Sweep,
    Tolerance,
    build_netlist,
    certify,
    cosimulate,
    explain,
    fit_device,
    load_device,
    load_preset,
    solve_bank,
    verify,
)
from spicealif.errors import CompareError
from spicealif.plots import figure_of

pytestmark = pytest.mark.slow

#: As much text as a design may hold, with what a browser could take for a tag.
TEXT = "<b>&amp; " + "long " * 398
NEURON = load_preset("paper").replace(t_stop="1m", description=TEXT)

FACTS = dict.fromkeys(("x_first", "x_last", "x_low", "x_high", "margin", "v_c_peak", "load"), 0.5)


def sine_loop():
    """A resistor of 1 kohm behind 1 kohm, with some noise."""
    time = np.linspace(0, 1e-2, 400, endpoint=False)
    v_in = np.sin(2 * np.pi * 100 * time)
    noise = 1e-3 * np.random.default_rng(1).standard_normal(400)
    return Loop(time, v_in / 2 + noise, v_in / 2e3, v_in, 1e3, 1e-2, name="<i>loop")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One result of every public class that is one."""
    both = cosimulate(NEURON, "equations")
    device = load_device("gmms_knowm")
    drive = {"kind": "sine", "amplitude": "0.8 V", "frequency": 100.0}
    found = [
        NEURON,
        SeriesCircuit(device=device.device, drive=drive, t_stop="10m"),
        device,
        build_netlist(NEURON),
        both,
        both.run,
        both.comparison,
        both.reference,
        certify(NEURON, "equations"),
        verify(NEURON, "equations"),
        explain(NEURON, "equations", orders=2, cache=False),
        Sweep(NEURON, {"c": np.geomspace(1e-8, 1e-6, 500), "mosfet.kind": ["vdmos", "ideal"]}),
        MonteCarlo(NEURON, 40),
        Range("47n", "220n"),
        Tolerance("c", 0.05),
        Store(tmp_path_factory.mktemp("store")),
        solve_bank(NEURON, {"c": [1e-7, 2e-7]}),
        sine_loop(),
        fit_device(sine_loop(), held={"tau": 1e-3, "v_on": 5.0, "v_off": 5.0, "r_off": 1e3}),
        Proposal(
            NEURON, 1e4, 2.0, 0.01, {"rate": 1e4, "adaptation": 2.0}, "ideal", (1.0, 3.0), FACTS
        ),
    ]
    return {type(result).__name__: result for result in found}


#: Those that are no results: kinds, a status, an error; and the budget over tolerances, whose
#: parts are those of `GapBudget`, and which takes minutes.
OTHERS = {"Cause", "SpicealifError", "Status", "ToleranceBudget", "Verdict"}


class Balance(HTMLParser):
    """Checks that every tag of some HTML is closed where it should be."""

    VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "use", "path", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_public_class_is_tried(results):
    classes = {n for n in spicealif.__all__ if inspect.isclass(getattr(spicealif, n))}
    assert classes - OTHERS == set(results)


def test_a_line_is_short_and_says_of_what(results):
    for name, result in results.items():
        line = repr(result)
        assert len(line) < 600, name
        assert "\n" not in line, name
        assert line.startswith((f"<{name} ", f"{name}(")), line
        if hasattr(result, "neuron"):
            assert "'paper'" in line, line


def test_lines_have_the_figures(results):
    assert repr(results["Cosimulation"]) == (
        "<Cosimulation of 'paper', status OK, equations has 8 spikes, reference has 7 spikes>"
    )
    assert ", c 100 nF, r_s 500 ohm, v_th 400 mV, " in repr(results["Neuron"])
    assert "1000 points" in repr(results["Sweep"])
    assert "c 10 nF to 1 uF, mosfet.kind vdmos ideal" in repr(results["Sweep"])
    netlist = results["Netlist"]
    assert f"digest {netlist.digest[:12]}" in repr(netlist)


def test_notebooks_show_a_table_in_which_nothing_is_taken_for_a_tag(results):
    for name, result in results.items():
        if name in ("Range", "Tolerance", "Bank"):
            continue  # their line is all there is
        page = result._repr_html_()
        balance = Balance()
        balance.feed(page)
        assert not balance.open, name
        assert "table" in balance.tags or name == "Waveforms", name
        assert "<b>" not in page.replace(TEXT, ""), name
        assert "<i>loop" not in page, name


def test_results_have_figures(results):
    for name in ("Waveforms", "Run", "Comparison", "Cosimulation", "Certificate", "GapBudget"):
        picture = results[name].plot()._repr_png_()
        assert picture.startswith(b"\x89PNG"), name
    assert results["FitResult"].plot().axes
    # The traces that are drawn are the result's.
    assert figure_of(results["Waveforms"], neuron=NEURON).axes


def test_a_result_without_traces_says_so(results):
    from dataclasses import replace

    lost = replace(results["Run"], waveforms=None)
    with pytest.raises(CompareError, match=r"'paper' computed nothing to draw"):
        lost.plot()
    with pytest.raises(CompareError, match=r"no figure of a int"):
        figure_of(3)

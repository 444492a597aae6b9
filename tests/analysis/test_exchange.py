"""The gap budget of a circuit with makers' models, each exchanged as a whole."""

from __future__ import annotations

import math

import pytest
from vendor_models import COMPARATOR, OPAMP, TL072_FIGURES, TL072_ONE_POLE

from spicealif import explain, explain_tolerances, load_preset
from spicealif.circuit import Cause
from spicealif.errors import IntegrationError
from spicealif.plots import budget_figure
from spicealif.simulators import get_simulator

AMPLIFIER = "difference_amplifier.opamp"
PAPER = load_preset("paper").replace({"t_stop": 1.5e-4, "numerics.reltol": 1e-7})
PARTS = {AMPLIFIER: {**OPAMP, "text": TL072_ONE_POLE}, "comparator": COMPARATOR}


@pytest.mark.slow
def test_makers_models_are_causes_as_a_whole():
    tool = get_simulator("ngspice")
    options = {"measures": ("isi_mean",), "orders": 2, "cache": None}
    try:
        budget = explain(PAPER.replace(PARTS), tool, **options)
        figures = explain(PAPER.replace({AMPLIFIER: TL072_FIGURES}), tool, **options)
    finally:
        tool.close()
    (found,) = budget.measures
    assert [part.value for part in budget.exchanged] == [AMPLIFIER, "comparator"]
    assert len(found.shares) == len(Cause) + 2
    assert found.circuit - found.reference == pytest.approx(found.gap)
    assert math.fsum(s.value for s in found.shares) + found.residual == pytest.approx(found.gap)
    assert abs(found.residual) < 5e-3 * abs(found.gap)
    # as parts by the same figures: the gap is the same, whoever is held to be its cause
    assert found.gap == pytest.approx(figures["isi_mean"].gap, abs=1e-8)
    assert abs(found.shares[-2].value) > 1e-7
    text = str(budget)
    assert "op-amp TL072 as a whole" in text
    assert "op-amp TL072: its ideal variant; comparator CMP2: its ideal variant" in text
    assert "(4 runs)" in text
    assert budget.to_dict()["causes"]["comparator"]["off"] == "its ideal variant is in its place"
    assert "comparator CMP2 as a whole" in {
        label.get_text() for label in budget_figure(budget).axes[0].get_yticklabels()
    }


def test_what_cannot_be_exchanged_is_said():
    with pytest.raises(IntegrationError, match="op-amp TL072 and the comparator CMP2 are makers"):
        explain_tolerances(PAPER.replace(PARTS))

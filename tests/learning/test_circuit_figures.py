"""Figures of transfers, budgets and energies show their figures."""

from dataclasses import replace

import numpy as np
import pytest

from spicealif import Cause
from spicealif.learning import (
    AccuracyBudget,
    AccuracyShare,
    DecisionEnergy,
    EnergyPerDecision,
    Player,
    Transfer,
    TransferLevel,
    circuit_study_figure,
)
from spicealif.learning._chance import Estimate

pytestmark = pytest.mark.slow


def level(name, right, again=None):
    right = np.array([right], dtype=bool)
    again = None if again is None else np.array([again], dtype=bool)
    return TransferLevel(name, name, right, ~right, 0.1, 0.2, again, 0, (0.5,))


CARRIED = Transfer(
    (level("ideal", [1, 1, 1, 1]), level("circuit", [1, 0, 1, 0], [1, 1, 1, 0])),
    10, 4, 3, 0, (), (),
)  # fmt: skip


def share(value, low, high, *causes):
    player = Player("-".join(c.value for c in causes) or "residual", "a part", causes)
    return AccuracyShare(player, value, 0.01, 0.01, Estimate(value, low, high))


BUDGET = AccuracyBudget(
    Estimate(0.9, 0.8, 1.0), Estimate(0.8, 0.7, 0.9), Estimate(0.1, 0.05, 0.15),
    (share(0.12, 0.08, 0.16, Cause.RESET_LEVEL), share(-0.02, -0.05, 0.01, Cause.OPAMP_SPEED)),
    share(0.0, 0.0, 0.0), 0, 4, 2, 4, 9, 0, np.zeros((3, 4)), 0, 0, (),
)  # fmt: skip


def used(name, factor):
    energy = factor * np.array([1e-6, 2e-6, 3e-6, 4e-6])
    return DecisionEnergy(
        name, f"adaptation {name}", np.array([True, False, True, True]), energy, 9 * energy,
        np.array([3, 4, 5, 6]), 1e-6, 0,
    )  # fmt: skip


ENERGY = EnergyPerDecision(used("on", 1.0), used("off", 2.0), 1.0, 4, 1e-3, "reference", ())


def bars(axes):
    return [patch.get_width() for patch in axes.patches]


def test_a_budget_s_bars_are_its_shares_and_their_sum():
    axes = BUDGET.plot().axes[0]
    assert bars(axes) == pytest.approx([12.0, -2.0, 0.0, 10.0])
    # what is within chance is pale
    assert [p.get_alpha() for p in axes.patches] == [1.0, 0.3, 0.3, 1.0]
    ends = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [8.0, 16.0] in [pytest.approx(e) for e in ends]


def test_a_budget_names_its_whole_and_cuts_what_no_accuracy_can_lose():
    wide = replace(BUDGET, loss=Estimate(0.1, -1.3, 1.5))
    axes = wide.plot().axes[0]
    assert axes.get_title() == "90.0 % (ideal equations) → 80.0 % (circuit with tolerances)"
    assert list(axes.lines[-2].get_xdata()) == [-100.0, 100.0]
    assert [row[0] for row in wide.rows()[:2]] == ["ideal equations", "circuit with tolerances"]
    assert wide.rows()[2][2] == "-100.00 to +100.00"
    assert replace(BUDGET, n_draws=0).rows()[1][0] == "circuit"


def test_a_transfer_s_dots_are_its_accuracies():
    axes = CARRIED.plot().axes[0]
    dots = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert dots == pytest.approx([100.0, 50.0, 75.0])
    heights = [line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert heights == pytest.approx([0.0, 0.88, 1.12])  # alone a dot is on its tick


def test_energies_are_drawn_with_and_without_what_is_idle():
    axes = ENERGY.plot().axes[0]
    dots = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert dots == pytest.approx([25.0, 24.0, 50.0, 49.0])  # uJ
    assert "without idle supplies" in axes.get_legend_handles_labels()[1]
    assert ENERGY.on.per_spike == pytest.approx(1e-4 / 18)
    assert ENERGY.on.idle_share == pytest.approx(1 / 25)


def test_all_together_and_what_is_missing():
    whole = circuit_study_figure("task", CARRIED, ENERGY, BUDGET, title=True)
    assert len(whole.axes) == 3
    assert "task" in whole.caption
    assert len(circuit_study_figure("task", CARRIED).axes) == 1
    assert whole._repr_png_().startswith(b"\x89PNG")

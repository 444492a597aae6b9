"""Shapley values by brute force, gaps with one cause made large, the cache, and what can fail."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from command_line import call
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba
from numpy.typing import NDArray
from print_checks import assert_printable

from spicealif import (
    Cause,
    GapBudget,
    Neuron,
    Status,
    explain,
    get_simulator,
    load_preset,
    simulate,
    solve_circuit,
    solve_reference,
)
from spicealif._support.cache import Cache, cache_folder, digest_of, source_digest
from spicealif._support.figure_axes import scale_of
from spicealif._support.figure_symbols import measure_label, without_formulas
from spicealif.analysis._shapley import (
    all_subsets,
    exact_shares,
    marginals,
    sampled_orders,
    sampled_shares,
    spread_over_orders,
    subsets_of_orders,
)
from spicealif.analysis.attribution import BUDGET_MEASURES, SHOWN_MEASURES
from spicealif.circuit import ALL_CAUSES
from spicealif.errors import CompareError, IntegrationError, RunFailed, SimulatorError
from spicealif.measures.one_side import MEASURES, measure
from spicealif.plots import budget_figure, save_figure
from spicealif.simulators import Run
from spicealif.simulators.run import Cost

Floats = NDArray[np.float64]
Game = dict[frozenset[int], Floats]
PROGRAM = str(Path(sys.executable).with_name("spicealif"))
BATCH = "ngspice-batch"

# --- Shapley values -------------------------------------------------------------------------------


def game(n: int, value: Callable[[frozenset[int]], Any]) -> Game:
    return {s: np.atleast_1d(np.array(value(s), dtype=float)) for s in all_subsets(n)}


def brute_force(values: Game, n: int) -> Floats:
    """Return the mean over all orders of what each player's coming changes."""
    orders = list(itertools.permutations(range(n)))
    shares = np.zeros((n, len(values[frozenset()])))
    for order in orders:
        for k, player in enumerate(order):
            before = frozenset(order[:k])
            shares[player] += values[before | {player}] - values[before]
    return shares / len(orders)


@st.composite
def games(draw: st.DrawFn, figures: int = 2) -> tuple[int, Game]:
    n = draw(st.integers(1, 5))
    number = st.floats(-1e3, 1e3, allow_subnormal=False)
    flat = draw(st.lists(number, min_size=figures << n, max_size=figures << n))
    rows = np.array(flat).reshape(-1, figures)
    return n, dict(zip(all_subsets(n), rows, strict=True))


@pytest.mark.parametrize("n", range(7))
def test_all_subsets_are_all_subsets(n):
    subsets = all_subsets(n)
    assert len(subsets) == len(set(subsets)) == 2**n
    assert set().union(*subsets) == set(range(n))
    assert subsets[0] == frozenset(range(n))
    assert subsets[min(1, len(subsets) - 1)] == frozenset()


@given(games())
def test_shares_are_the_mean_over_all_orders(of: tuple[int, Game]) -> None:
    n, values = of
    shares = exact_shares(values, n)
    np.testing.assert_allclose(shares, brute_force(values, n), rtol=0, atol=1e-9)
    total = values[frozenset(range(n))] - values[frozenset()]
    np.testing.assert_allclose(shares.sum(axis=0), total, rtol=0, atol=1e-9)


@given(games(), st.data())
def test_a_player_that_changes_nothing_gets_nothing(of: tuple[int, Game], data: Any) -> None:
    n, values = of
    idle = data.draw(st.integers(0, n))
    # The same game with one more player among them, who makes no difference.
    names = [k for k in range(n + 1) if k != idle]
    more = game(n + 1, lambda s: values[frozenset(names.index(k) for k in s - {idle})])
    shares = exact_shares(more, n + 1)
    np.testing.assert_allclose(shares[idle], 0, atol=1e-9)
    np.testing.assert_allclose(shares[names], exact_shares(values, n), rtol=0, atol=1e-9)


@given(games())
def test_players_who_are_alike_get_the_same(of: tuple[int, Game]) -> None:
    n, values = of
    # Only the number of players counts.
    same = game(n, lambda s: values[frozenset(range(len(s)))])
    shares = exact_shares(same, n)
    np.testing.assert_allclose(shares, np.tile(shares[0], (n, 1)), rtol=0, atol=1e-9)


@given(games(), st.floats(-3, 3))
def test_shares_are_linear(of: tuple[int, Game], factor: float) -> None:
    n, values = of
    other = game(n, lambda s: [len(s) ** 2, sum(s)])
    both = {s: values[s] + factor * other[s] for s in values}
    expected = exact_shares(values, n) + factor * exact_shares(other, n)
    np.testing.assert_allclose(exact_shares(both, n), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("r", [1, 2, 3, 5])
def test_the_glove_game(r):
    # One left glove, r right ones; a pair is worth 1.
    shares = exact_shares(game(r + 1, lambda s: 0 in s and len(s) > 1), r + 1)[:, 0]
    np.testing.assert_allclose(shares, [r / (r + 1), *[1 / (r * (r + 1))] * r], rtol=1e-12)


def test_the_airport_game():
    # A runway costs what its largest aircraft needs; each stretch is shared by those who use it.
    costs = np.array([1.0, 2.5, 4.0, 9.0])
    shares = exact_shares(game(4, lambda s: max((costs[k] for k in s), default=0.0)), 4)[:, 0]
    stretches = np.diff(costs, prepend=0.0) / np.array([4, 3, 2, 1])
    np.testing.assert_allclose(shares, np.cumsum(stretches), rtol=1e-12)


def test_a_set_without_a_value_leaves_no_share():
    for missing in all_subsets(3):
        values = game(3, lambda s: float(len(s)))
        values[missing] = np.array([math.nan])
        assert np.isnan(exact_shares(values, 3)).all()


@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_orders_come_with_their_reverse(n: int, count: int, seed: int) -> None:
    orders = sampled_orders(n, count, seed)
    assert len(orders) == count + count % 2
    assert orders == sampled_orders(n, count, seed)
    for order, reverse in zip(orders[::2], orders[1::2], strict=True):
        assert sorted(order) == list(range(n))
        assert order == reverse[::-1]
    subsets = subsets_of_orders(orders)
    assert len(subsets) == len(set(subsets))
    assert subsets[:2] == [frozenset(range(n)), frozenset()]
    needed = {frozenset(order[:k]) for order in orders for k in range(n + 1)}
    assert set(subsets) == needed


@given(games(), st.integers(2, 8), st.integers(0, 1000))
def test_sampled_shares_sum_to_the_gap_too(of: tuple[int, Game], count: int, seed: int) -> None:
    n, values = of
    shares, errors = sampled_shares(values, sampled_orders(n, count, seed))
    total = values[frozenset(range(n))] - values[frozenset()]
    np.testing.assert_allclose(shares.sum(axis=0), total, rtol=0, atol=1e-9)
    # One pair has no spread that could be seen.
    assert np.isnan(errors).all() if count <= 2 else np.isfinite(errors).all()


@given(games())
def test_all_orders_give_the_exact_shares(of: tuple[int, Game]) -> None:
    n, values = of
    orders = [o for order in itertools.permutations(range(n)) for o in (order, order[::-1])]
    shares, _ = sampled_shares(values, orders)
    np.testing.assert_allclose(shares, exact_shares(values, n), rtol=0, atol=1e-9)


def test_sampled_shares_come_as_near_as_they_say():
    rng = np.random.default_rng(5)
    values = game(6, lambda _: rng.normal(size=20))
    exact = exact_shares(values, 6)
    many, few = (sampled_shares(values, sampled_orders(6, count, 1)) for count in (2000, 50))
    assert np.abs((many[0] - exact) / many[1]).max() < 4.5
    assert few[1].mean() / many[1].mean() == pytest.approx(math.sqrt(40), rel=0.2)
    # Over many seeds the deviations are those of Student's t with 19 degrees of freedom.
    samples = [sampled_shares(values, sampled_orders(6, 40, seed)) for seed in range(100)]
    deviations = np.array([(shares - exact) / errors for shares, errors in samples])
    assert np.sqrt((deviations**2).mean()) == pytest.approx(math.sqrt(19 / 17), rel=0.1)
    assert abs(deviations.mean()) < 0.1


def test_causes_that_just_add_up_have_no_sampling_error():
    parts = np.array([1.0, -2.0, 0.5, 7.0])
    values = game(4, lambda s: sum(parts[k] for k in s))
    shares, errors = sampled_shares(values, sampled_orders(4, 6, 0))
    np.testing.assert_allclose(shares[:, 0], parts, rtol=0, atol=1e-12)
    assert errors.max() < 1e-12


# --- a budget -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Neuron:
    """Return a neuron that has three causes only."""
    return load_preset("lif").replace(t_stop=6e-4).ideal()


@pytest.fixture(scope="module")
def neuron(paper: Neuron) -> Neuron:
    return paper.replace({"t_stop": 5e-4, "stimulus.frequency": 4e3, "c": 5e-8})


@pytest.fixture(scope="module", params=[pytest.param("all sets", marks=pytest.mark.slow)])
def budget(neuron: Neuron) -> GapBudget:
    return explain(neuron, BATCH, measures=BUDGET_MEASURES, cache=False)


def test_the_gap_is_that_of_simulator_and_reference(neuron, budget):
    circuit = measure(simulate(neuron, BATCH).require(), neuron)
    sharp = neuron.replace(stimulus=neuron.stimulus.sharp())
    reference = measure(solve_reference(sharp), neuron)
    assert budget.n_subsets == 512
    assert budget.n_orders == 0
    assert budget.undefined == ()
    assert [b.name for b in budget.measures] == list(BUDGET_MEASURES)
    for of in budget.measures:
        assert of.circuit == pytest.approx(circuit[of.name], rel=1e-12)
        assert of.reference == pytest.approx(reference[of.name], rel=1e-12)
        assert of.gap == of.circuit - of.reference
        assert (of.label, of.unit) == (MEASURES[of.name].label, MEASURES[of.name].unit)


def test_shares_and_residual_sum_to_the_gap(budget):
    for of in budget.measures:
        scale = max(abs(of.circuit), abs(of.reference))
        total = math.fsum(s.value for s in of.shares) + of.residual
        assert total == pytest.approx(of.gap, abs=1e-13 * scale)
        assert [s.cause for s in of.shares] == list(Cause)
        assert all(s.error == 0.0 for s in of.shares)
        # v_c is never below ground here.
        assert [s.cause for s in of.shares if not s.applies] == [Cause.BODY_DIODE]
    for name in ("isi_mean", "isi_first", "isi_last", "mean_rate", "energy_per_spike", "x_final"):
        assert abs(budget[name].residual) < 0.01 * abs(budget[name].gap)


def test_shares_are_those_of_the_equations_switched_on_in_every_order(small):
    own = explain(small, BATCH, measures=["isi_mean", "energy_per_spike"], cache=False)
    causes = (Cause.RESET_LEVEL, Cause.DISCHARGE_TIME, Cause.COMPARATOR_DELAY)
    assert tuple(s.cause for s in own["isi_mean"].shares if s.applies) == causes
    absent = ALL_CAUSES - set(causes)
    values: Game = {}
    for subset in all_subsets(3):
        on = absent | {causes[k] for k in subset}
        found = measure(solve_circuit(small, causes=on, rtol=1e-6), small)
        values[subset] = np.array([found[n] for n in ("isi_mean", "energy_per_spike")], dtype=float)
    expected = brute_force(values, 3)
    for m, name in enumerate(("isi_mean", "energy_per_spike")):
        shares = {s.cause: s.value for s in own[name].shares}
        for k, cause in enumerate(causes):
            assert shares[cause] == pytest.approx(expected[k, m], rel=1e-12)
        assert {shares[c] for c in absent} == {0.0}
    assert own.n_subsets == 8


def test_sampling_estimates_what_all_sets_give(small):
    exact = explain(small, BATCH, measures=["isi_mean"], cache=False)["isi_mean"]
    sampled = explain(small, BATCH, measures=["isi_mean"], cache=False, orders=7)
    assert sampled.n_orders == 8
    assert sampled.n_subsets <= 8
    of = sampled["isi_mean"]
    assert of.gap == exact.gap
    assert of.residual == pytest.approx(exact.residual, abs=1e-18)
    for a, b in zip(of.shares, exact.shares, strict=True):
        assert abs(a.value - b.value) <= 5 * a.error + 1e-15
    assert "sampled, from 8 orders" in str(sampled)
    assert " ± " in str(sampled)
    assert json.loads(json.dumps(sampled.to_dict(), allow_nan=False))["exact"] is False
    other = explain(small, BATCH, measures=["isi_mean"], cache=False, orders=2, seed=3)
    # A single pair has no spread.
    assert all(math.isnan(s.error) for s in other["isi_mean"].shares if s.applies)
    json.dumps(other.to_dict(), allow_nan=False)


# What is made large, and the measure in which it shows; the rest is the paper's.
PLANTED: dict[str, tuple[Cause, str, dict[str, Any]]] = {
    "high v_low": (Cause.RESET_LEVEL, "isi_mean", {"v_low": 0.25}),
    # With v_reset where the discharge ends, the reset level does not count.
    "weak MOSFET": (Cause.DISCHARGE_TIME, "isi_mean", {"mosfet.r_s": 25.0, "v_reset": 0.067}),
    "large MOSFET": (
        Cause.MOSFET_CHARGE, "isi_mean",
        {"mosfet.c_gd_max": 4e-9, "mosfet.c_gd_min": 2e-9, "mosfet.c_gs": 2e-9},
    ),
    "slow comparator": (Cause.COMPARATOR_DELAY, "isi_mean", {"comparator.t_delay": 5e-6}),
    "comparator's offset": (Cause.COMPARATOR_INPUT, "isi_mean", {"comparator.v_os": -0.06}),
    "comparator's bias": (Cause.COMPARATOR_INPUT, "isi_mean", {"comparator.i_bias": 4e-5}),
    "slow op-amp": (
        Cause.OPAMP_SPEED, "isi_mean", {"difference_amplifier.opamp.gain_bandwidth": 2e5},
    ),
    "op-amp that slews": (
        Cause.OPAMP_SPEED, "isi_mean", {"difference_amplifier.opamp.slew_rate": 1e5},
    ),
    "op-amp's offset": (
        Cause.OPAMP_RANGE, "isi_mean", {"difference_amplifier.opamp.v_os": -0.04},
    ),
    "below ground": (
        Cause.BODY_DIODE, "energy_per_spike",
        {"stimulus": {"kind": "sine", "amplitude": 1e-3, "frequency": 1e3}, "t_stop": 2e-3},
    ),
    "small resistors": (Cause.AMPLIFIER_LOADING, "isi_mean", {"difference_amplifier.r": 3e3}),
    # Edges nearly as long as the pulse; they move no interval at its top.
    "long edges": (
        Cause.STIMULUS_EDGES, "isi_mean",
        {"stimulus.t_rise": 4e-4, "stimulus.t_fall": 4e-4, "t_stop": 1e-3},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_cause_made_large_gets_the_largest_share(paper, name):
    cause, of, changes = PLANTED[name]
    design = paper.replace({"t_stop": 5e-4, **changes})
    found = explain(design, BATCH, measures=[of], orders=16, cache=False)[of]
    shares = sorted(found.shares, key=lambda s: -abs(s.value))
    assert shares[0].cause is cause
    # Not by the luck of the orders.
    distance = abs(shares[0].value) - abs(shares[1].value)
    assert distance > 2 * math.hypot(shares[0].error, shares[1].error)
    assert abs(found.residual) < 0.05 * abs(found.gap)


# --- tables, dictionaries, figures ----------------------------------------------------------------


def test_the_table_has_every_cause(budget):
    rows = budget.rows(["isi_mean", "mean_rate"])
    assert [r[0] for r in rows] == [
        "reference (ideal)", "circuit", "gap", *(f"  {c.label}" for c in Cause),
        "  residual",
    ]  # fmt: skip
    assert all(len(r) == 3 for r in rows)
    text = str(budget)
    for cause in Cause:
        # in the table of shares, and in that of what comes first and last
        tables = 1 if cause is Cause.BODY_DIODE else 2
        assert text.count(f"\n  {cause.label}") == tables * -(-len(BUDGET_MEASURES) // 3)
    assert f"exact, from all {2**9} sets of causes" in text
    assert "does not have: MOSFET body diode." in text
    page = budget._repr_html_()
    assert page.count("<tr>") == 1 + len(rows) + 1 + len(Cause) - 1
    assert "loading by the difference amplifier" in page


def test_percentages_of_the_table_are_of_the_gap(budget):
    of = budget["isi_mean"]
    texts = [row[1] for row in budget.rows(["isi_mean"])[3:]]
    applies = [*(s.applies for s in of.shares), True]
    values = [*(s.value for s in of.shares), of.residual]
    for text, value, shown in zip(texts, values, applies, strict=True):
        if not shown:
            assert text == "-"
            continue
        percent = re.search(r"\(([+-]?[\d.]+)%\)$", text)
        if abs(value) >= 10 * abs(of.gap):
            assert percent is None
        else:
            assert percent is not None
            assert float(percent[1]) == pytest.approx(100 * value / of.gap, abs=0.051)


def test_a_cause_that_does_not_apply_is_a_dash(small):
    found = explain(small, BATCH, measures=["isi_mean"], cache=False)
    cells = dict(found.rows())
    for share in found["isi_mean"].shares:
        assert (cells[f"  {share.cause.label}"] == "-") == (not share.applies)
    assert sum(s.applies for s in found["isi_mean"].shares) == 3
    assert "This neuron does not have: MOSFET capacitances, charge injection" in str(found)


def test_a_budget_is_saved_as_json_and_text(budget, tmp_path):
    files = budget.save(tmp_path / "new" / "folder")
    assert [f.name for f in files] == ["budget.json", "budget.txt"]
    data = json.loads(files[0].read_text(), parse_constant=pytest.fail)
    assert data == budget.to_dict()
    assert files[1].read_text() == f"{budget}\n"
    of = data["measures"]["isi_mean"]
    total = sum(s["value"] for s in of["shares"].values()) + of["residual"]
    assert total == pytest.approx(of["circuit"] - of["reference"], rel=1e-9)
    assert set(of["shares"]) == set(data["causes"]) == {c.value for c in Cause}


def test_an_unknown_measure_of_a_budget(budget):
    assert budget["isi_mean"].name == "isi_mean"
    with pytest.raises(CompareError, match="choose one of"):
        budget["supply_energy_per_spike"]


def test_measures_that_are_not_there_are_named(small):
    silent = small.replace({"stimulus.amplitude": 1e-4})
    found = explain(silent, BATCH, measures=BUDGET_MEASURES, cache=False)
    names = {b.name for b in found.measures}
    assert names == {"mean_rate", "v_c_peak"}
    assert set(found.undefined) == set(BUDGET_MEASURES) - names
    assert found["mean_rate"].gap == 0.0
    assert "Without a budget" in str(found)
    assert MEASURES["isi_mean"].label in str(found)
    json.dumps(found.to_dict(), allow_nan=False)
    # Nothing at all to show is no error.
    nothing = explain(silent, BATCH, measures=["isi_mean", "x_final"], cache=False)
    assert nothing.measures == ()
    assert "mean interval" in str(nothing)
    assert nothing._repr_html_()
    budget_figure(nothing)


def test_one_spike_leaves_no_interval(small):
    start = solve_circuit(small).t_spike
    short = small.replace(t_stop=float(start[0] + start[1]) / 2)
    found = explain(short, BATCH, measures=["isi_mean", "mean_rate"], cache=False)
    assert found.undefined == ("isi_mean",)
    assert found["mean_rate"].circuit == pytest.approx(1 / short.t_stop)


def test_a_large_residual_is_told(budget):
    of = budget["isi_mean"]
    assert "Not resolved" not in str(replace(budget, measures=(of,)))
    loose = replace(of, residual=0.1 * of.gap)
    assert "Not resolved" in str(replace(budget, measures=(loose,)))


def test_the_figure_is_a_waterfall(budget, tmp_path):
    some = replace(budget, measures=tuple(budget[n] for n in SHOWN_MEASURES[:4]))
    figure = budget_figure(some)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 4
    for axes, of in zip(panels, some.measures, strict=True):
        bars = axes.patches
        values = [*(s.value for s in of.shares if s.applies), of.residual, of.gap]
        assert [b.get_width() for b in bars] == pytest.approx(values, rel=1e-9)
        # Each starts where the one above ended; the gap starts at nil.
        starts = [b.get_x() for b in bars]
        scale = max(abs(v) for v in values)
        expected = [*np.concatenate(([0.0], np.cumsum(values[:-2]))), 0.0]
        assert starts == pytest.approx(expected, abs=1e-12 * scale)
        low, high = axes.get_xlim()
        assert low <= min(starts) <= max(starts) <= high
        assert measure_label(of.name, of.label) in axes.get_title()
        # The colour and the stripes say the sign, the numbers say the value.
        for bar, value in zip(bars[:-1], values, strict=False):
            assert bar.get_facecolor() == to_rgba("#0072B2" if value >= 0 else "#D55E00")
            assert bool(bar.get_hatch()) == (value < 0)
        factor = scale_of(scale, of.unit)[0]
        for text, value in zip(axes.texts, values, strict=True):
            number = text.get_text().replace("\N{MINUS SIGN}", "-").partition(" ")[0]
            assert float(number) == pytest.approx(value * factor, abs=0.0051 * scale * factor)
    labels = [without_formulas(t.get_text()) for t in panels[0].get_yticklabels()]
    causes = [c.label for c in Cause if c is not Cause.BODY_DIODE]
    # Symbols as everywhere: V_low, not v_low.
    causes = [re.sub(r"\bv_", "V_", label) for label in causes]
    assert labels == [*causes, "residual", "sum"]
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "raises the circuit's value", "lowers it", "sum: circuit minus reference",
    ]  # fmt: skip
    assert budget.neuron.name in figure.caption
    assert_printable(figure)
    assert save_figure(figure, tmp_path / "b.png").stat().st_size > 10_000


def test_the_figure_leaves_out_causes_that_do_not_apply(small):
    found = explain(small, BATCH, measures=["isi_mean"], cache=False, orders=6)
    figure = budget_figure(found)
    labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(labels) == 3 + 2
    assert "sampled from 6 orders" in figure.caption
    assert any("\N{PLUS-MINUS SIGN}" in text.get_text() for text in figure.axes[0].texts)


# --- the cache ------------------------------------------------------------------------------------


class Watched:
    """Runs ngspice, and counts; or fails."""

    name, dialect, version = "watched", "ngspice", "watched-1"

    def __init__(self, status: Status = Status.OK) -> None:
        self.tool, self.status, self.runs = get_simulator(BATCH), status, 0

    def run(self, netlist: Any, **options: Any) -> Run:
        self.runs += 1
        if self.status is not Status.OK:
            parts = (netlist, None, "", (), (), Cost(0.0, 0.0, 0), self.name, self.version)
            return Run(self.status, "It fell over.", *parts)
        return self.tool.run(netlist, **options)

    def close(self) -> None:
        self.tool.close()


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the equations and the reference were solved for, as it happens."""
    import spicealif.circuit
    import spicealif.reference

    found: list[str] = []
    circuit, reference = spicealif.circuit.solve_circuit, spicealif.reference.solve_reference

    def solve_circuit(*args: Any, **options: Any) -> Any:
        found.append("equations")
        return circuit(*args, **options)

    def solve_reference(*args: Any, **options: Any) -> Any:
        found.append("reference")
        return reference(*args, **options)

    monkeypatch.setattr(spicealif.circuit, "solve_circuit", solve_circuit)
    monkeypatch.setattr(spicealif.reference, "solve_reference", solve_reference)
    return found


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9a-f][0-9a-f]/*.kept"))


def test_a_second_call_computes_nothing(small, solved, tmp_path):
    first = explain(small, Watched(), measures=BUDGET_MEASURES, cache=tmp_path)
    assert sorted(solved) == ["equations"] * 8 + ["reference"]
    assert len(entries(tmp_path)) == 10
    solved.clear()
    again = Watched(Status.CRASHED)
    second = explain(small, again, measures=BUDGET_MEASURES, cache=str(tmp_path))
    assert solved == []
    assert again.runs == 0
    assert second.to_dict() == first.to_dict()
    # Missing figures stay missing: this neuron has no x.
    assert "x_final" in second.undefined
    # Another measure, and a sample of the orders, come from the same entries.
    explain(small, again, measures=["v_c_peak"], orders=4, cache=tmp_path)
    assert solved == []
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"key": "another", "value": {}}', "cut", "swap"],
    ids=str,
)
def test_damaged_entries_are_computed_again(small, solved, tmp_path, damage):
    first = explain(small, Watched(), cache=tmp_path)
    solved.clear()
    files = entries(tmp_path)
    texts = [f.read_bytes() for f in files]
    for k, file in enumerate(files):
        if damage == "cut":
            file.write_bytes(texts[k][:-10])
        elif damage == "swap":
            file.write_bytes(texts[k - 1])
        else:
            file.write_bytes(damage)
    simulator = Watched()
    assert explain(small, simulator, cache=tmp_path).to_dict() == first.to_dict()
    assert len(solved) == 9
    assert simulator.runs == 1
    assert [f.read_bytes() for f in files] == texts


def test_a_folder_that_cannot_be_written_to_is_no_failure(small, solved, tmp_path):
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        found = explain(small, BATCH, cache=tmp_path / "file" / "cache")
        assert math.isfinite(found["isi_mean"].gap)
    assert len(solved) == 18
    assert (tmp_path / "file").read_text() == "no folder"


def test_another_neuron_or_simulator_has_entries_of_its_own(small, solved, tmp_path):
    explain(small, Watched(), cache=tmp_path)
    solved.clear()
    explain(small.replace(name="renamed", source="elsewhere"), Watched(), cache=tmp_path)
    assert solved == []
    other = Watched()
    explain(small.replace(c=small.c * 1.01), other, cache=tmp_path)
    assert len(solved) == 9
    assert other.runs == 1
    solved.clear()
    newer = Watched()
    newer.version = "watched-2"
    explain(small, newer, cache=tmp_path)
    assert newer.runs == 1
    assert solved == []


def test_an_older_code_s_entries_are_not_used(small, solved, tmp_path, monkeypatch):
    explain(small, Watched(), cache=tmp_path)
    solved.clear()
    monkeypatch.setattr("spicealif.analysis._cause_sets.source_digest", lambda *_: "other")
    simulator = Watched()
    explain(small, simulator, cache=tmp_path)
    assert len(solved) == 9
    assert simulator.runs == 1


@pytest.mark.slow
@pytest.mark.parametrize("cache", [False, None])
def test_without_a_cache_nothing_is_written(small, solved, tmp_path, monkeypatch, cache):
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    explain(small, BATCH, cache=cache)
    explain(small, BATCH, cache=cache)
    assert len(solved) == 18
    assert list(tmp_path.iterdir()) == []


def test_the_variable_sets_the_folder(small, tmp_path, monkeypatch):
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "mine"))
    explain(small, BATCH)
    assert len(entries(tmp_path / "mine")) == 10
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.setenv("SPICEALIF_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "spicealif"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "spicealif"


def test_entries_come_back_as_they_were(tmp_path):
    cache, key = Cache(tmp_path / "c"), digest_of("a", 1, [2.5])
    assert cache.get(key) is None
    value = {"a": 0.1 + 0.2, "b": None, "c": "text", "d": -1e-300}
    cache.put(key, value)
    assert cache.get(key) == value
    assert cache.get(digest_of("a", 1, [2.6])) is None
    nowhere = Cache(None)
    nowhere.put(key, value)
    assert nowhere.get(key) is None


def test_digests_tell_code_apart():
    assert digest_of("a", "b") != digest_of("ab")
    assert source_digest("circuit") != source_digest("reference")
    assert source_digest("circuit") == source_digest("circuit")


def test_many_threads_leave_the_rights_of_new_files_alone(tmp_path, monkeypatch):
    # The umask belongs to the process, and reading it means setting it.
    umask = os.umask

    def slow(mask: int) -> int:
        old = umask(mask)
        time.sleep(1e-3)
        return old

    before = umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", slow)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda k: Cache(tmp_path).put(digest_of(k), {"k": k}), range(50)))
        after = umask(0o027)
    finally:
        umask(before)
    assert after == 0o027
    files = entries(tmp_path)
    assert len(files) == 50
    assert {f.stat().st_mode & 0o777 for f in files} == {0o640}


# --- failures and interrupts ----------------------------------------------------------------------


def no_threads_left() -> bool:
    return not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]


def test_a_failing_run_stops_the_rest(paper, solved):
    # All sets of this one would take minutes.
    solve_circuit(paper.replace(t_stop=1e-4))  # compiled
    simulator = Watched(Status.CRASHED)
    start = time.monotonic()
    with pytest.raises(RunFailed, match="It fell over") as info:
        explain(paper, simulator, cache=False)
    assert time.monotonic() - start < 10
    assert info.value.run.status is Status.CRASHED
    assert len(solved) < 50
    assert no_threads_left()


def test_equations_that_fail_say_what_was_switched_off(small, monkeypatch, tmp_path):
    import spicealif.circuit

    original = spicealif.circuit.solve_circuit

    def fail(*args: Any, causes: Any, **options: Any) -> Any:
        if Cause.RESET_LEVEL not in causes and Cause.DISCHARGE_TIME in causes:
            raise IntegrationError("They cannot be followed; do something else.")
        return original(*args, causes=causes, **options)

    monkeypatch.setattr(spicealif.circuit, "solve_circuit", fail)
    with pytest.raises(IntegrationError, match=r"do something else \(switched off: reset") as info:
        explain(small, BATCH, cache=tmp_path, workers=1)
    assert str(info.value).endswith(").")
    assert no_threads_left()


@pytest.mark.slow
def test_a_timeout_of_the_simulator(paper):
    long = paper.replace({"t_stop": 1.0})
    start = time.monotonic()
    with pytest.raises(RunFailed, match="--timeout"):
        explain(long, BATCH, timeout=0.3, cache=False)
    assert time.monotonic() - start < 20
    assert no_threads_left()


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_finished(paper, solved, tmp_path):
    neuron = paper.replace(t_stop=4e-4)

    def interrupt(fraction: float) -> None:
        if fraction > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(neuron, BATCH, orders=6, cache=tmp_path, progress=interrupt)
    assert no_threads_left()
    kept = len(entries(tmp_path))
    assert kept >= 3
    before = len(solved)
    solved.clear()
    found = explain(neuron, BATCH, orders=6, cache=tmp_path)
    total = found.n_subsets + 2
    assert kept < total
    # The run of the simulator is not in the list.
    assert len(solved) in (total - kept, total - kept - 1)
    assert before < found.n_subsets + 1
    assert len(entries(tmp_path)) == total


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["ngspice", BATCH])
def test_an_interrupt_stops_simulator_and_equations(paper, simulator):
    neuron = paper.replace({"t_stop": 1.0, "numerics.t_step_max": 1e-6})
    known = {p.pid for p in psutil.Process().children(recursive=True)}

    def ours() -> list[psutil.Process]:
        return [p for p in psutil.Process().children(recursive=True) if p.pid not in known]

    calls: list[float] = []

    def interrupt(fraction: float) -> None:
        calls.append(time.monotonic())
        if ours() and len(calls) > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(neuron, simulator, cache=False, progress=interrupt)
    assert time.monotonic() - calls[-1] < 10
    assert not ours()
    assert no_threads_left()


def test_progress_rises_to_1_in_the_caller_s_thread(small):
    seen: list[tuple[float, threading.Thread]] = []
    explain(
        small, BATCH, cache=False, progress=lambda f: seen.append((f, threading.current_thread()))
    )
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert {t for _, t in seen} == {threading.current_thread()}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(small, workers):
    one = explain(small, BATCH, cache=False)
    other = explain(small, BATCH, cache=False, workers=workers)
    assert other.to_dict() == one.to_dict()


BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown measure": ({"measures": ["isi"]}, "choose among mean_rate"),
    "measure of the pair": ({"measures": ["isi_mean", "gamma"]}, "no budget of 'gamma'"),
    "measure of one side": ({"measures": ["supply_energy_per_spike"]}, "choose among"),
    "no measure": ({"measures": []}, "name at least one"),
    "one order": ({"orders": 1}, "give 2 or more"),
    "no order": ({"orders": 0}, "give 2 or more"),
    "negative orders": ({"orders": -4}, "give 2 or more"),
    "no workers": ({"workers": 0}, "give 1 or more"),
    "negative workers": ({"workers": -1}, "give 1 or more"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options_are_refused_before_anything_runs(paper, solved, name):
    options, words = BAD_OPTIONS[name]
    simulator = Watched()
    with pytest.raises(CompareError, match=words):
        explain(paper, simulator, cache=False, **options)
    assert simulator.runs == 0
    assert solved == []


def test_an_unknown_simulator_is_refused(small):
    with pytest.raises(SimulatorError, match="choose one of"):
        explain(small, "spectre", cache=False)
    assert no_threads_left()


# --- the command line -----------------------------------------------------------------------------


def command(*arguments: str, folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPICEALIF_CACHE", str(cache))
        return call("explain", *arguments, cwd=folder)


@pytest.mark.slow
def test_command_line_writes_table_and_figure(tmp_path):
    (tmp_path / "here").mkdir()
    options = ["paper", "-s", "t_stop=1m", "--orders", "4", "--simulator", BATCH]
    out = command(*options, folder=tmp_path / "here", cache=tmp_path / "cache")
    assert out.returncode == 0, out.stderr
    folder = tmp_path / "here" / "spicealif-results" / "paper_t_stop_1m"
    assert {p.name for p in folder.iterdir()} == {"budget.json", "budget.txt", "budget.png"}
    assert (folder / "budget.txt").read_text() in out.stdout
    assert (folder / "budget.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads((folder / "budget.json").read_text())
    assert list(data["measures"]) == [n for n in SHOWN_MEASURES if n not in data["undefined"]]
    assert data["n_orders"] == 4
    assert len(entries(tmp_path / "cache")) == data["n_subsets"] + 2
    assert "Wrote to" in out.stdout
    # The same again: all of it is there already, and only JSON comes out.
    more = command(
        *options, "--json", "-q", "--measure", "isi_mean", "-o", "out",
        folder=tmp_path / "here", cache=tmp_path / "cache",
    )  # fmt: skip
    assert more.returncode == 0, more.stderr
    again = json.loads(more.stdout)
    assert again == json.loads((tmp_path / "here" / "out" / "budget.json").read_text())
    assert again["measures"] == {"isi_mean": data["measures"]["isi_mean"]}
    assert more.stderr == ""
    assert len(entries(tmp_path / "cache")) == data["n_subsets"] + 2


@pytest.mark.slow
def test_command_line_takes_every_measure_and_no_cache(tmp_path):
    (tmp_path / "here").mkdir()
    options = ["lif", "--ideal", "-s", "t_stop=0.5m", "--measure", "all", "--no-cache", "-o", "."]
    out = command(*options, folder=tmp_path / "here", cache=tmp_path / "cache")
    assert out.returncode == 0, out.stderr
    assert not (tmp_path / "cache").exists()
    data = json.loads((tmp_path / "here" / "budget.json").read_text())
    assert sorted([*data["measures"], *data["undefined"]]) == sorted(BUDGET_MEASURES)
    # Nothing to draw: a figure of an earlier run would not belong to the table.
    options[4:6] = ["--measure", "x_final"]
    assert options.count("--measure") == 1
    assert (tmp_path / "here" / "budget.png").exists()
    out = command(*options, folder=tmp_path / "here", cache=tmp_path / "cache")
    assert out.returncode == 0, out.stderr
    assert not (tmp_path / "here" / "budget.png").exists()


def test_first_last_least_and_most_are_those_of_all_orders():
    """Against all 24 orders of a game of four causes that pull at each other."""
    rng = np.random.default_rng(3)
    values = {s: rng.standard_normal(2) for s in all_subsets(4)}
    steps = {k: [] for k in range(4)}
    for order in itertools.permutations(range(4)):
        for place, k in enumerate(order):
            before = frozenset(order[:place])
            steps[k].append(values[before | {k}] - values[before])
    first, last = marginals(values, 4)
    least, most = spread_over_orders(values, 4)
    for k in range(4):
        np.testing.assert_array_equal(least[k], np.min(steps[k], axis=0))
        np.testing.assert_array_equal(most[k], np.max(steps[k], axis=0))
        np.testing.assert_array_equal(first[k], values[frozenset({k})] - values[frozenset()])
        every = frozenset(range(4))
        np.testing.assert_array_equal(last[k], values[every] - values[every - {k}])


def test_ranges_of_a_budget(budget):
    for of in budget.measures:
        for share in of.shares:
            assert share.least <= share.value <= share.most
            assert share.least <= min(share.first, share.last)
            assert share.most >= max(share.first, share.last)
    of = budget["isi_mean"]
    # The cause that comes last is switched on beside all others: solved by itself here.
    neuron = budget.neuron
    for share in of.shares[:3]:
        without = solve_circuit(neuron, causes=ALL_CAUSES - {share.cause}, rtol=1e-6)
        everything = solve_circuit(neuron, rtol=1e-6)
        changed = [measure(w, neuron)["isi_mean"] for w in (everything, without)]
        assert share.last == pytest.approx(changed[0] - changed[1], abs=1e-12)
    assert "first on, last on" in str(budget)
    kept = budget.to_dict()["measures"]["isi_mean"]["shares"]["reset_level"]
    assert {"first", "last", "least", "most"} <= set(kept)

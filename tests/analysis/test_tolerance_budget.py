"""Gap budgets over the tolerances of the parts, against circuits solved one by one."""

import json

import numpy as np
import pytest

from spicealif import (
    Cause,
    MonteCarlo,
    Tolerance,
    explain_tolerances,
    load_preset,
    solve_circuit,
    solve_reference,
)
from spicealif.cli import cli
from spicealif.errors import CompareError
from spicealif.measures.one_side import measure

# All of its intervals are alike, so that a spike more or less moves no mean.
NEURON = load_preset("lif").replace({"t_stop": 6e-4})
OFFSET = "difference_amplifier.opamp.v_os"
ONLY = [Tolerance(OFFSET, 4e-3, "uniform", relative=False)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module", params=[pytest.param("20 draws", marks=pytest.mark.slow)])
def found(kept):
    calls = []
    budget = explain_tolerances(
        NEURON, measures=["isi_mean"], tolerances=ONLY, draws=20, cache=kept, progress=calls.append
    )
    assert calls == sorted(calls)
    assert calls[-1] == pytest.approx(1.0)
    return budget


def test_the_gap_s_interval_is_that_of_circuits_solved_one_by_one(found):
    points = MonteCarlo(NEURON, 20, ONLY, 0, "latin-hypercube", sides="reference").points
    gaps = []
    for k in range(20):
        neuron = NEURON.replace(points.changes(k))
        sides = solve_circuit(neuron, rtol=1e-6), solve_reference(neuron)
        circuit, reference = (measure(side, neuron)["isi_mean"] for side in sides)
        gaps.append(circuit - reference)
    gap = found["isi_mean"].gap
    assert [gap.low, gap.high] == pytest.approx(list(np.quantile(gaps, [0.05, 0.95])), rel=1e-9)
    assert gap.mean == pytest.approx(np.mean(gaps), rel=1e-9)
    assert (gap.error, gap.positive) == (0, 0)


def test_only_the_share_of_the_offset_s_cause_moves_with_it(found):
    shares = found["isi_mean"].shares
    spread = {cause: i.deviation for cause, i in shares.items()}
    assert max(spread, key=spread.get) is Cause.OPAMP_RANGE
    for cause, share in shares.items():
        nominal = next(s for s in found.budget["isi_mean"].shares if s.cause is cause)
        assert share.nominal == nominal.value
        assert share.low <= share.nominal <= share.high
        assert share.error <= share.deviation
    # The shares of a draw sum to its gap, but for what the nominal circuit's residual is.
    total = sum(i.mean for i in shares.values()) + found.budget["isi_mean"].residual
    assert total == pytest.approx(found["isi_mean"].gap.mean, abs=5e-9)


def test_text_json_and_files(found, tmp_path):
    text = str(found)
    assert "90% of draws" in text
    assert f"20 draws of {OFFSET}" in text
    assert found.rows(found["isi_mean"])[0][0] == "gap"
    assert "90% of draws" in found._repr_html_()
    paths = found.save(tmp_path)
    assert paths[1].read_text() == text + "\n"
    data = json.loads(paths[0].read_text())
    share = data["tolerances"]["measures"]["isi_mean"]["shares"]["opamp_range"]
    assert share["low"] < 0 < share["high"]
    assert data["tolerances"]["parameters"][OFFSET]["spread"] == 4e-3
    with pytest.raises(CompareError, match="choose one of isi_mean"):
        found["isi_first"]


@pytest.mark.slow
def test_draws_that_latch_are_left_out_and_counted(kept):
    wide = [Tolerance(OFFSET, 0.05, "uniform", relative=False)]
    budget = explain_tolerances(
        NEURON, measures=["isi_mean"], tolerances=wide, draws=30, cache=kept
    )
    latching = 0
    for v in np.linspace(-0.05, 0.05, 301):
        try:
            NEURON.replace({OFFSET: v})
        except ValueError:
            latching += 1
    assert budget.refused > 0
    assert budget.refused / 30 == pytest.approx(latching / 301, abs=0.1)
    assert "would latch" in str(budget)


@pytest.mark.parametrize(
    ("choices", "words"),
    [({"draws": 19}, "give 20 to"), ({"orders": 2}, "give 4 or more")],
)
def test_choices_that_make_no_sense(choices, words):
    with pytest.raises(CompareError, match=words):
        explain_tolerances(NEURON, **choices)


def test_command_line(tmp_path, monkeypatch, kept):
    from click.testing import CliRunner

    monkeypatch.setenv("SPICEALIF_CACHE", str(kept))
    monkeypatch.chdir(tmp_path)
    # Of ideal parts, which leave three causes.
    neuron = ["lif", "--ideal", "-s", "t_stop=0.6m"]
    arguments = ["explain", *neuron, "--measure", "isi_mean", "-o", "out", "-q"]
    done = CliRunner().invoke(cli, [*arguments, "--tolerances", "--draws", "20"])
    assert done.exit_code == 0, done.output
    assert "above 0" in done.output
    assert (tmp_path / "out" / "budget.png").stat().st_size > 10_000
    done = CliRunner().invoke(cli, [*arguments, "--draws", "20"])
    assert done.exit_code == 1
    assert "--tolerances" in str(done.exception)

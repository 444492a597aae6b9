"""Measures and comparison on waveforms whose answers are known by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from spicealif import Neuron, Waveforms, compare, load_preset, solve_reference
from spicealif.design import Constant, PiecewiseLinear, PulseTrain
from spicealif.errors import CompareError
from spicealif.measures.one_side import MEASURES, measure, pauses_within


def sawtooth(neuron: Neuron, t_spike: np.ndarray, side: str, top: float = 0.4) -> Waveforms:
    """Return linear ramps from 0 to `top` between spikes; x rises linearly to 0.5."""
    time = np.linspace(0, neuron.t_stop, 20_001)
    edges = np.concatenate(([0.0], t_spike, [neuron.t_stop]))
    k = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, len(edges) - 2)
    phase = (time - edges[k]) / np.diff(edges)[k]
    signals = {
        "v_mem": top * phase,
        "v_c": 1.5 * top * phase,
        "x": 0.5 * time / neuron.t_stop,
        "i_in": neuron.stimulus.value(time),
    }
    return Waveforms(time, signals, t_spike, {"side": side})


@pytest.fixture
def pulsed(paper: Neuron) -> Neuron:
    stimulus = PulseTrain(amplitude=1e-3, frequency=100.0, t_rise=1e-6, t_fall=1e-6)
    return paper.replace(stimulus=stimulus, t_stop=20e-3)


def test_measures_by_hand(pulsed):
    # Two pulses, on from 0 to 5 ms and from 10 to 15 ms.
    spikes = np.array([1e-3, 2e-3, 4e-3, 11e-3, 14e-3])
    got = measure(sawtooth(pulsed, spikes, "circuit"), pulsed)
    assert got["spike_count"] == 5
    assert got["mean_rate"] == pytest.approx(5 / 20e-3)
    assert list(got["spikes_per_pulse"]) == [3, 2]
    assert (got["spikes_first_pulse"], got["spikes_last_pulse"]) == (3, 2)
    assert got["isi_mean"] == pytest.approx((1 + 2 + 3) / 3 * 1e-3)
    assert got["isi_first"] == pytest.approx(1.5e-3)
    assert got["isi_last"] == pytest.approx(3e-3)
    assert got["isi_growth"] == pytest.approx(1.5e-3)
    assert got["adaptation_ratio"] == pytest.approx(2.0)
    # Intervals 1 and 2 ms in the first pulse; the second has one, and the seam does not count.
    assert got["adaptation_index"] == pytest.approx(1 / 3)
    assert got["x_final"] == pytest.approx(0.5)
    assert got["v_c_peak"] == pytest.approx(0.6, rel=1e-3)
    assert math.isnan(got["supply_energy_per_spike"])


def test_source_energy_is_the_integral_of_v_times_i(paper):
    neuron = paper.replace(stimulus=Constant(amplitude=2e-3), t_stop=10e-3)
    time = np.linspace(0, 10e-3, 1001)
    signals = {"v_c": 40 * time, "v_mem": time, "i_in": np.full(1001, 2e-3)}
    waveforms = Waveforms(time, signals, np.array([5e-3, 8e-3]))
    # integral of 40 t * 2 mA over 10 ms, over two spikes
    assert measure(waveforms, neuron)["energy_per_spike"] == pytest.approx(4e-6 / 2)


def test_supply_energy_counts_every_supply(paper):
    time = np.linspace(0, 10e-3, 101)
    one = np.ones(101)
    signals = {
        "v_c": 0 * one,
        "v_mem": 0 * one,
        "i_in": 0 * one,
        "i_pos": 1e-3 * one,
        "i_neg": -2e-3 * one,
        "i_comparator": 3e-3 * one,
    }
    waveforms = Waveforms(time, signals, np.array([1e-3]))
    watts = 5 * 1e-3 + 5 * 2e-3 + 5 * 3e-3
    got = measure(waveforms, paper.replace(t_stop=10e-3))["supply_energy_per_spike"]
    assert got == pytest.approx(watts * 10e-3)


def test_the_reference_s_own_energy_agrees_with_the_trapezoidal_rule(paper):
    reference = solve_reference(paper.replace(t_stop=5e-3))
    rule = np.trapezoid(reference["v_c"] * reference["i_in"], reference.time)
    assert reference.attrs["energy_source"] == pytest.approx(rule, rel=1e-4)


def test_a_delay_is_seen_as_a_delay_and_not_as_a_change_of_shape(pulsed):
    spikes = np.array([1e-3, 2e-3, 3e-3, 4e-3, 11e-3, 12e-3, 13e-3, 14e-3])
    shifted = spikes + 1e-4
    result = compare(
        sawtooth(pulsed, shifted, "circuit"), sawtooth(pulsed, spikes, "reference"), pulsed
    )
    pair = result.of_pair
    assert pair["matched"] == 8
    assert pair["time_error_mean"] == pytest.approx(1e-4)
    assert pair["time_error_worst"] == pytest.approx(1e-4)
    # q = 4 / mean interval = 4000 1/s
    assert pair["victor_purpura"] == pytest.approx(8 * 4000 * 1e-4)
    assert pair["v_mem_nrmse"] < 2e-3
    assert pair["x_nrmse"] == pytest.approx(0, abs=1e-12)
    assert pair["gamma"] == pytest.approx(1)


def test_a_change_of_shape_is_seen_as_one(pulsed):
    spikes = np.array([1e-3, 2e-3, 3e-3, 4e-3])
    result = compare(
        sawtooth(pulsed, spikes, "circuit", top=0.44),
        sawtooth(pulsed, spikes, "reference", top=0.40),
        pulsed,
    )
    # The ramps differ by 0.04 phase; its RMS over the phase is 0.04 / sqrt(3).
    assert result.of_pair["v_mem_nrmse"] == pytest.approx(0.04 / math.sqrt(3) / 0.4, rel=1e-2)
    assert result.of_pair["time_error_worst"] == 0


def test_error_of_x_is_relative_to_the_range_of_the_second(pulsed):
    spikes = np.array([1e-3, 2e-3])
    a = sawtooth(pulsed, spikes, "circuit")
    b = sawtooth(pulsed, spikes, "reference")
    a = Waveforms(a.time, {**a.signals, "x": a["x"] + 0.05}, a.t_spike, a.attrs)
    assert compare(a, b, pulsed).of_pair["x_nrmse"] == pytest.approx(0.1)


def test_results_of_different_length_are_compared_over_the_common_time(pulsed):
    spikes = np.array([1e-3, 2e-3, 4e-3, 11e-3, 14e-3])
    whole = sawtooth(pulsed, spikes, "reference")
    result = compare(sawtooth(pulsed, spikes, "circuit").until(9e-3), whole, pulsed)
    assert result.of_b["spike_count"] == 3
    assert result.of_a["spike_count"] == 3
    assert any("Compared up to 9 ms only" in note for note in result.notes)
    assert result.of_a["mean_rate"] == pytest.approx(3 / 9e-3)


def test_a_pulse_that_was_cut_off_does_not_count_as_the_last(pulsed):
    spikes = np.array([1e-3, 2e-3, 4e-3, 11e-3, 14e-3])
    whole = sawtooth(pulsed, spikes, "reference")
    result = compare(sawtooth(pulsed, spikes, "circuit").until(12e-3), whole, pulsed)
    assert list(result.of_a["spikes_per_pulse"]) == [3]
    assert result.of_a["spikes_last_pulse"] == 3


def test_coincidence_of_cut_results_is_that_of_the_part(paper):
    neuron = paper.replace(t_stop=3e-3)
    long = paper.replace(t_stop=20e-3)
    a, b = (solve_reference(long, v).until(3e-3) for v in ("schmitt", "ideal"))
    c, d = (solve_reference(neuron, v) for v in ("schmitt", "ideal"))
    cut, whole = compare(a, b, long), compare(c, d, neuron)
    assert cut.of_pair["gamma"] == pytest.approx(whole.of_pair["gamma"], rel=1e-3)


def test_traces_that_are_not_what_they_are_called_are_doubted(paper):
    b = solve_reference(paper.replace(t_stop=2e-3))
    assert not any("look at which vector" in n or "turned" in n for n in compare(b, b).notes)
    for change, words in (
        ({"x": 100 * b["x"]}, "and a state is between 0 and 1"),
        ({"v_mem": -b["v_mem"]}, "under a positive current; its sign may be turned"),
        ({"v_mem": 10 * b["v_mem"]}, "far above v_th (400 mV)"),
    ):
        other = Waveforms(b.time, {**b.signals, **change}, b.t_spike, dict(b.attrs))
        assert any(words in note for note in compare(other, b).notes), words


def test_results_of_another_neuron_are_noticed(paper):
    a = solve_reference(paper.replace(t_stop=2e-3))
    b = solve_reference(paper.replace({"t_stop": 2e-3, "leak.tau": 1e-3}))
    assert any("different neurons (they differ in leak.tau)" in n for n in compare(a, b).notes)
    assert not any("different neurons" in note for note in compare(a, a).notes)
    with pytest.raises(CompareError, match="give the neuron"):
        compare(a, a, paper.replace(t_stop=1e-3))


def test_a_silent_neuron_is_told(paper):
    silent = solve_reference(paper.replace({"t_stop": 2e-3, "stimulus.amplitude": 1e-4}))
    notes = compare(silent, silent).notes
    assert any("Neither side fires" in note for note in notes)
    assert any("half the length of the run" in note for note in notes)


def test_one_pulse_on_a_background_has_pulses(paper):
    stimulus = PulseTrain(amplitude=0.6e-3, frequency=1e3, offset=0.4e-3, n_pulses=1)
    reference = solve_reference(paper.replace(stimulus=stimulus, t_stop=5e-3))
    notes = compare(reference, reference).notes
    assert any("counted within pulses" in note for note in notes)


def test_no_spikes_and_one_spike_are_no_error(pulsed):
    none = sawtooth(pulsed, np.empty(0), "circuit")
    one = sawtooth(pulsed, np.array([1e-3]), "reference")
    for a, b in ((none, none), (none, one), (one, none), (one, one)):
        result = compare(a, b, pulsed)
        assert "spikes" in str(result)
        json.dumps(result.to_dict(), allow_nan=False)
    assert compare(none, one, pulsed).of_pair["victor_purpura"] == 1
    assert compare(none, one, pulsed).of_pair["matched"] == 0


def test_table_dictionary_and_notebook_say_the_same(pulsed):
    spikes = np.array([1e-3, 2e-3, 4e-3])
    result = compare(
        sawtooth(pulsed, spikes, "circuit"),
        sawtooth(pulsed, spikes[:2], "reference"),
        pulsed,
        labels=("mine <&>", "yours"),
    )
    text, data, page = str(result), result.to_dict(), result._repr_html_()
    assert data["mine <&>"]["spike_count"] == 3
    assert "mine <&>" in text
    assert "mine &lt;&amp;&gt;" in page
    assert "mine <&>" not in page
    for label, a, b, _ in result.rows:
        assert label in text
        assert f"<td>{label}</td>" in page
        assert a in text
        assert b in text
    assert {n for n, m in MEASURES.items() if m.pair} <= data["pair"].keys()
    assert "numerical error" in text


def test_the_design_saved_with_a_result_is_enough(paper, tmp_path):
    neuron = paper.replace(t_stop=2e-3)
    reference = solve_reference(neuron)
    assert compare(reference, reference).neuron == neuron
    bare = Waveforms(reference.time, reference.signals, reference.t_spike)
    with pytest.raises(CompareError, match="--neuron"):
        compare(bare, bare)


def test_an_empty_result_cannot_be_compared(pulsed):
    empty = Waveforms(np.empty(0), {}, np.empty(0))
    with pytest.raises(CompareError, match="no samples"):
        compare(empty, empty, pulsed)


def test_intervals_that_span_a_pause_are_told():
    """Of a current from points nobody says where a pulse begins."""
    t = np.array([0, 400, 410, 1000, 1010, 1400, 1410, 2000]) * 1e-6
    i = np.array([1, 1, 0, 0, 1, 1, 0, 0]) * 1e-3
    neuron = load_preset("lif").replace(t_stop=2e-3)
    paused = neuron.replace(stimulus=PiecewiseLinear(t=t, i=i))
    result = compare(solve_reference(paused), solve_reference(paused), paused)
    assert pauses_within(result.b.t_spike, paused) == 1
    assert any("1 of the intervals of reference" in note for note in result.notes)
    steady = neuron.replace(stimulus=PiecewiseLinear(t=t, i=np.full(8, 1e-3)))
    for other in (neuron, steady, neuron.replace(stimulus=Constant(amplitude=1e-3))):
        spikes = solve_reference(other).t_spike
        assert len(spikes) > 5
        assert pauses_within(spikes, other) == 0

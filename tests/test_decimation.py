"""Samples that straight lines give as well are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spicealif import compare, cosimulate, load_preset, load_waveforms
from spicealif.measures.one_side import energies, measure
from spicealif.waveforms import Waveforms


def far(thin: Waveforms, whole: Waveforms) -> float:
    """Return the worst distance of a line from a sample, as a part of the trace's span."""
    worst = 0.0
    for name, values in whole.signals.items():
        if span := float(np.ptp(values)):
            worst = max(worst, float(np.abs(thin.at(name, whole.time) - values).max()) / span)
    return worst


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1, 1)] * 3), min_size=3, max_size=80),
    st.sampled_from([1e-6, 1e-3, 0.1, 0.7]),
)
def test_no_line_is_further_from_a_sample_than_was_said(rows, part):
    gaps, a, b = np.array(rows).T
    time = np.cumsum(np.abs(gaps) + 1e-9)
    whole = Waveforms(time, {"v_c": a, "v_mem": b * 1e-12}, time[::3])
    thin = whole.decimated(part)
    assert far(thin, whole) <= part * (1 + 1e-9)
    assert set(thin.time) <= set(time)
    for name in whole:
        assert thin[name].max() == whole[name].max()
        assert thin[name].min() == whole[name].min()
    assert (thin.t_spike == whole.t_spike).all()
    assert (thin.time[0], thin.time[-1]) == (time[0], time[-1])


def test_a_line_needs_its_ends_and_a_parabola_as_many_as_follow_from_its_curvature():
    time = np.linspace(0, 1, 10_001)
    line = Waveforms(time, {"v_c": 3 * time - 1}, np.array([]))
    assert len(line.decimated()) == 2
    # A chord of length h is h^2 / 4 from t^2: h = 0.02 for 1e-4 of a span of 1.
    bent = Waveforms(time, {"v_c": time**2}, np.array([]))
    assert 50 <= len(bent.decimated(1e-4)) <= 110


def test_a_jump_stays_one():
    time = np.array([0.0, 1.0, 1.0, 2.0, 3.0])
    whole = Waveforms(time, {"v_c": np.array([0.0, 1.0, 0.0, 1.0, 2.0])}, np.array([1.0]))
    assert whole.decimated(1e-3).time.tolist() == [0, 1, 1, 3]


def test_constant_traces_and_short_ones():
    flat = Waveforms(np.arange(5.0), {"v_c": np.ones(5)}, np.array([]))
    assert len(flat.decimated()) <= 3
    short = Waveforms(np.arange(2.0), {"v_c": np.ones(2)}, np.array([]))
    assert short.decimated() is short


def test_what_is_on_disk_gives_the_same_figures(tmp_path):
    neuron = load_preset("paper").replace(t_stop=1e-3)
    result = cosimulate(neuron, "equations", check=False)
    result.save(tmp_path / "all")
    result.save(tmp_path / "thin", interpolation_error=1e-4)
    whole, thin = (load_waveforms(tmp_path / name / "circuit.nc") for name in ("all", "thin"))
    assert thin.attrs["interpolation_error"] == 1e-4
    assert thin.attrs["samples"] == len(whole) > len(thin)
    assert far(thin, whole) <= 1e-4 * (1 + 1e-9)
    reference = load_waveforms(tmp_path / "thin" / "reference.nc")
    again = compare(thin, reference, neuron)
    for name, value in result.comparison.of_a.items():
        assert again.of_a[name] == pytest.approx(value, rel=1e-12, nan_ok=True), name
    for name, value in result.comparison.of_pair.items():
        assert again.of_pair[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


def test_energies_go_along():
    neuron = load_preset("paper").replace(t_stop=2e-4)
    whole = cosimulate(neuron, "ngspice", check=False).run.require()
    kept = energies(whole, neuron)
    assert set(kept) == {"energy_source", "energy_supply"}
    thin = replace(whole, attrs={**whole.attrs, **kept}).decimated(1e-2)
    assert len(thin) < len(whole) / 10
    for name in ("energy_per_spike", "supply_energy_per_spike"):
        assert measure(thin, neuron)[name] == measure(whole, neuron)[name]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_and_hides_nothing(bad):
    time = np.linspace(0, 1, 1001)
    a = np.sin(20 * time)
    a[500] = bad
    whole = Waveforms(time, {"v_c": a, "v_mem": np.full(1001, np.nan)}, np.array([]))
    assert len(whole.decimated()) == 1001  # one trace has nothing else
    whole = Waveforms(time, {"v_c": a}, np.array([]))
    thin = whole.decimated()
    assert 100 < len(thin) < 1001
    where = np.flatnonzero(thin.time == time[500])[0]
    assert thin.time[where - 1 : where + 2].tolist() == time[499:502].tolist()
    for part in (slice(0, 500), slice(501, None)):
        kept = np.isin(thin.time, time[part])
        line = np.interp(time[part], thin.time[kept], thin["v_c"][kept])
        assert np.abs(line - a[part]).max() <= 2e-4 * (1 + 1e-9)


def test_numbers_without_differences_are_left_alone():
    time = np.linspace(0, 1, 101)
    whole = Waveforms(time, {"v_c": 1.5e308 * np.sin(20 * time)}, np.array([]))
    assert whole.decimated() is whole

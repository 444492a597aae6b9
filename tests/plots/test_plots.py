"""Figures: the right data in the right panels, and nothing lost by thinning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spicealif import compare, load_preset, solve_reference
from spicealif.errors import OutputError
from spicealif.plots import (
    circuit_figure,
    envelope,
    overlay_figure,
    reference_figure,
    save_figure,
)


@pytest.fixture(scope="module")
def reference(paper):
    return solve_reference(paper.replace(t_stop=4e-3))


def test_envelope_keeps_the_extremes_of_every_bin():
    rng = np.random.default_rng(1)
    time = np.sort(rng.uniform(0, 1, 100_000))
    values = rng.normal(size=time.size)
    t, v = envelope(time, values, (0.0, 1.0), bins=200)
    assert len(t) <= 400
    assert np.all(np.diff(t) >= 0)
    edges = np.linspace(time[0], time[-1], 201)
    for low, high in itertools.pairwise(edges):
        inside = (time >= low) & (time < high)
        kept = (t >= low) & (t < high)
        assert v[kept].max() == values[inside].max()
        assert v[kept].min() == values[inside].min()


def test_envelope_leaves_short_traces_alone_and_cuts_to_the_span():
    time = np.linspace(0, 1, 101)
    t, v = envelope(time, time**2, (0.255, 0.505), bins=100)
    np.testing.assert_array_equal(v, t**2)
    # One sample beyond each end, so that the line reaches the frame.
    assert t[0] < 0.255 < t[1]
    assert t[-2] < 0.505 < t[-1]


def test_paper_s_figure_5(paper, reference):
    figure = reference_figure(reference, paper.replace(t_stop=4e-3))
    assert [a.get_ylabel() for a in figure.axes] == [
        r"$v_\mathrm{mem}$ (V)", r"$x$", r"$v_\mathrm{c}$ (V)",
    ]  # fmt: skip
    assert [a.get_title(loc="left") for a in figure.axes] == ["(a)", "(b)", "(c)"]
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    assert figure.axes[-1].get_xlim() == (0, 4)


def test_paper_s_figure_6(paper, reference):
    figure = circuit_figure(reference, paper.replace(t_stop=4e-3))
    assert [a.get_ylabel() for a in figure.axes] == [
        r"$v_\mathrm{mem}$ (V)", r"$v_\mathrm{c}$ (V)", "spike (V)", r"$x$",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", ["paper", "lif"])
def test_overlay_shows_both_sides(preset):
    neuron = load_preset(preset).replace(t_stop=5e-3)
    a, b = (solve_reference(neuron, v) for v in ("schmitt", "ideal"))
    figure = overlay_figure(compare(a, b, neuron))
    start, end, *_ = figure.axes
    assert [line.get_label() for line in start.lines[:2]] == [
        "reference (schmitt)", "reference (ideal)",
    ]  # fmt: skip
    counts = figure.axes[-1].lines
    assert int(sum(counts[0].get_ydata())) == len(a.t_spike)
    assert int(sum(counts[1].get_ydata())) == len(b.t_spike)
    assert end.get_xlim()[1] == pytest.approx(5)


def test_figures_without_spikes_are_drawn(paper, tmp_path):
    neuron = paper.replace({"stimulus.amplitude": 1e-4, "t_stop": 2e-3})
    silent = solve_reference(neuron)
    assert len(silent.t_spike) == 0
    path = save_figure(overlay_figure(compare(silent, silent, neuron)), tmp_path / "f.png")
    assert path.stat().st_size > 5000


def test_unknown_picture_format(paper, reference, tmp_path):
    figure = reference_figure(reference, paper)
    with pytest.raises(OutputError, match=r"use \.png"):
        save_figure(figure, tmp_path / "f.xyz")
    assert not list(tmp_path.iterdir())

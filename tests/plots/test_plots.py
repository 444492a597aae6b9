"""Figures: the right data in the right panels, and nothing lost by thinning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from print_checks import assert_printable, texts_of

from spicealif import compare, load_preset, solve_reference
from spicealif.errors import OutputError
from spicealif.plots import (
    circuit_figure,
    envelope,
    figure_style,
    overlay_figure,
    reference_figure,
    save_figure,
)
from spicealif.plots._traces import LABELS
from spicealif.plots._windows import ends_of_run
from spicealif.waveforms import Waveforms


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


def grid_of(figure, columns: int = 3) -> np.ndarray:
    return np.reshape(figure.axes, (-1, columns))


@pytest.mark.parametrize(
    ("draw", "names"),
    [(reference_figure, ("v_mem", "x", "v_c")), (circuit_figure, ("v_mem", "v_c", "spike", "x"))],
)
def test_paper_s_figures_5_and_6(draw, names, paper, reference):
    """The whole run and, enlarged, its first and last pulse, each with the input current above."""
    neuron = paper.replace(t_stop=4e-3)
    figure = draw(reference, neuron)
    panels = grid_of(figure)
    assert [axes.get_ylabel() for axes in panels[:, 0]] == [
        r"$i_\mathrm{in}$ (mA)", *(LABELS[name] for name in names)
    ]  # fmt: skip
    assert [axes.get_title(loc="left") for axes in panels[1:, 0]] == [
        f"({letter})" for letter in "abcd"[: len(names)]
    ]
    assert [axes.get_title() for axes in panels[0]] == ["whole run", "first pulse", "last pulse"]
    assert {axes.get_xlabel() for axes in panels[-1]} == {"time (ms)"}
    whole, first, last = (axes.get_xlim() for axes in panels[-1])
    assert whole == (0, 4)
    # 1 ms each, 0.5 ms with current.
    assert first[0] == 0
    assert 0.5 < first[1] <= 1
    assert last[0] == pytest.approx(3)
    assert 3.5 < last[1] <= 4
    for row, name in zip(panels[1:], names, strict=True):
        for axes, (t0, t1) in zip(row, (whole, first, last), strict=True):
            t, v = envelope(reference.time, reference[name], (t0 * 1e-3, t1 * 1e-3))
            np.testing.assert_array_equal(axes.lines[0].get_ydata(), v)
            np.testing.assert_allclose(axes.lines[0].get_xdata(), t * 1e3)
    drawn = panels[0, 0].lines[0]
    np.testing.assert_allclose(
        drawn.get_ydata() * 1e-3,
        np.interp(drawn.get_xdata() * 1e-3, reference.time, reference["i_in"]),
    )
    assert drawn.get_ydata().max() == pytest.approx(1)
    assert_printable(figure)


def test_a_result_without_its_input_current_has_the_neuron_s(paper, reference):
    """As a raw file of somebody's circuit may."""
    neuron = paper.replace(t_stop=4e-3)
    signals = {name: reference[name] for name in ("v_mem", "spike")}
    bare = Waveforms(reference.time, signals, reference.t_spike, {})
    panels = grid_of(circuit_figure(bare, neuron))
    line = panels[0, 0].lines[0]
    np.testing.assert_allclose(
        line.get_ydata() * 1e-3, neuron.stimulus.value(line.get_xdata() * 1e-3)
    )


def test_an_output_at_rest_is_drawn_against_the_comparator_s_swing(paper):
    neuron = paper.replace({"stimulus.amplitude": 1e-4, "t_stop": 2e-3})
    panels = grid_of(circuit_figure(solve_reference(neuron), neuron))
    low, high = panels[3, 0].get_ylim()
    assert panels[3, 0].get_ylabel() == "spike (V)"
    assert low < neuron.output_levels[0] < neuron.output_levels[1] < high


# --- which part of a run is enlarged ------------------------------------------------------------


def pulses(paper, **changes):
    """Return a neuron with pulses of 0.5 ms, each 1 ms."""
    return paper.replace({"t_stop": 10e-3, **changes})


def test_windows_are_the_first_and_last_pulses_with_spikes(paper):
    neuron = pulses(paper)
    a, b = np.array([2.1e-3, 2.3e-3, 4.2e-3]), np.array([4.1e-3, 6.4e-3, 6.45e-3])
    first, last = ends_of_run(neuron, (a, b), 0.0, 10e-3)
    assert first.title == "pulse 3, the first with spikes"
    assert (first.start, last.start) == (pytest.approx(2e-3), pytest.approx(6e-3))
    assert last.title == "pulse 7, the last with spikes"
    assert 6.5e-3 <= last.end <= 7e-3
    # More pulses until there are spikes enough, the pulses between included.
    first, last = ends_of_run(neuron, (a, b), 0.0, 10e-3, least=3)
    assert first.title == "pulses 3 to 5, the first with spikes"
    assert (first.start, first.end >= 4.5e-3) == (pytest.approx(2e-3), True)
    assert last.title == "pulses 5 to 7, the last with spikes"
    assert last.start == pytest.approx(4e-3)


def test_windows_of_many_spikes_show_some(paper):
    neuron = pulses(paper, **{"stimulus.duty": 0.9, "t_stop": 2e-3})
    train = np.arange(200) * 1e-5
    first, last = ends_of_run(neuron, (train,), 0.0, 2e-3)
    for window in (first, last):
        assert 11 <= np.sum((train >= window.start) & (train <= window.end)) <= 14
    assert first.start == 0
    assert last.end == pytest.approx(train[-1], abs=2e-5)


@pytest.mark.parametrize(
    "stimulus",
    [
        {"kind": "sine", "amplitude": 6e-4, "offset": 3e-4, "frequency": 50.0},
        {"kind": "constant", "amplitude": 1e-3},
    ],
)
def test_windows_without_pulses_are_where_the_spikes_are(paper, stimulus):
    neuron = paper.replace(stimulus=stimulus, t_stop=60e-3)
    train = 20e-3 + np.arange(30) * 1e-4
    first, last = ends_of_run(neuron, (train,), 0.0, 60e-3)
    assert (first.title, last.title) == ("first spikes", "last spikes")
    for window, some in ((first, train[:8]), (last, train[-8:])):
        assert window.start < some[0] < some[-1] < window.end
        assert window.end - window.start < 1.5e-3
    # The onset is shown where it is no longer than the spikes that follow.
    first, _ = ends_of_run(neuron, (train - 19.9e-3,), 0.0, 60e-3)
    assert first.start == 0


def test_windows_of_one_spike_and_of_none(paper):
    neuron = paper.replace(stimulus={"kind": "constant", "amplitude": 1e-3}, t_stop=10e-3)
    first, last = ends_of_run(neuron, (np.array([5e-3]), np.empty(0)), 0.0, 10e-3)
    assert first.start < 5e-3 < first.end
    assert last.start < 5e-3 < last.end
    first, last = ends_of_run(neuron, (np.empty(0),), 2e-3, 10e-3)
    assert (first.title, last.title) == ("start of the run", "end of the run")
    assert (first.start, last.end) == (2e-3, 10e-3)
    first, last = ends_of_run(pulses(paper), (np.empty(0),), 0.0, 10e-3)
    assert (first.title, last.title) == ("first pulse", "last pulse")


@pytest.mark.parametrize("preset", ["paper", "lif"])
def test_overlay_shows_both_sides(preset):
    neuron = load_preset(preset).replace(t_stop=5e-3)
    a, b = (solve_reference(neuron, v) for v in ("schmitt", "ideal"))
    figure = overlay_figure(compare(a, b, neuron))
    start, end, *_ = figure.axes
    assert [line.get_label() for line in start.lines[:2]] == [
        "reference (schmitt)", "reference (ideal)",
    ]  # fmt: skip
    for line, side in zip(start.lines[:2], (a, b), strict=True):
        _, v = envelope(side.time, side["v_mem"], tuple(1e-3 * x for x in start.get_xlim()))
        np.testing.assert_array_equal(line.get_ydata(), v)
    # In greyscale, too.
    assert start.lines[0].get_linestyle() != start.lines[1].get_linestyle()
    counts = figure.axes[-1].lines
    assert int(sum(counts[0].get_ydata())) == len(a.t_spike)
    assert int(sum(counts[1].get_ydata())) == len(b.t_spike)
    low, high = end.get_xlim()
    assert 3 < low < 1e3 * a.t_spike[-1] < high <= 5
    # Two references are told apart beside the raster too.
    raster = figure.axes[4]
    assert [t.get_text() for t in raster.get_yticklabels()] == ["schmitt", "ideal"]
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "reference (schmitt)", "reference (ideal)",
    ]  # fmt: skip
    assert_printable(figure)


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


# --- the check for print itself -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: f.axes[0].set_title("whole", fontsize=7), "whole"),
        (lambda f: f.axes[0].set_ylabel("leak.tau (ms)"), "holds a key"),
        (lambda f: f.axes[0].set_ylabel("v_mem (V)"), "holds a key"),
        (lambda f: f.axes[1].set_title("$x$"), "as it stands"),
        (lambda f: f.text(0.5, 1.2, "out"), "is cut"),
        (lambda f: f.text(0.5, 0.01, "over the axis's label"), "lies on"),
        (lambda f: f.suptitle("paper"), "nobody asked for"),
        (lambda f: f.legend(f.axes[0].lines, ["i"], loc="center"), ""),
        (lambda f: f.set_size_inches(4, 4), "mm wide"),
    ],
)
def test_what_cannot_be_printed_is_found(spoil, told, paper, reference):
    figure = reference_figure(reference, paper.replace(t_stop=4e-3))
    texts = [text.get_text() for text in texts_of(figure)]
    assert {"whole run", "first pulse", "time (ms)", "0", "4"} <= set(texts)
    with figure_style():
        spoil(figure)
    with pytest.raises(AssertionError, match=told):
        assert_printable(figure)

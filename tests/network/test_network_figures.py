"""Figures of networks: the right data in the right panels, and fit for print."""

import numpy as np
import pytest
from print_checks import assert_printable

from spicealif import load_preset
from spicealif.errors import CompareError
from spicealif.network import (
    AllToAll,
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    FromList,
    Network,
    Population,
    Projection,
    SpikeSource,
    compare_networks,
    comparison_figure,
    expand,
    measure_network,
    phase_figure,
    propagation_figure,
    raster_figure,
    solve_network,
    weights_figure,
)
from spicealif.network.measures import Trains
from spicealif.plots import figure_of

PAPER = load_preset("paper")
T_STOP = 1e-3
MIXED = Network(
    name="mixed",
    populations=(
        Population(name="exc", neuron=PAPER, size=3),
        Population(name="inh", neuron=PAPER, size=2),
    ),
    sources=(SpikeSource(name="in", size=2, times=((1e-5,), (2e-5,))),),
    projections=(
        Projection(
            source="in", target="exc", connector=AllToAll(),
            synapse=CrossbarSynapse(device=PAPER.leak.replace({"r_on": 2e3, "r_off": 2e4})),
        ),
        Projection(
            source="exc", target="inh", synapse=DiodeSynapse(r=1e3), resistance=(1e3, 5e3),
            connector=FromList(connections=((0, 1), (2, 0))),
        ),
        Projection(
            source="inh", target="exc", connector=AllToAll(),
            synapse=CurrentSynapse(tau_s=50e-6, g_m=50e-6, sign=-1),
        ),
    ),
    t_stop=3e-5,
)  # fmt: skip
CHAIN = MIXED.replace(
    populations=(Population(name="n", neuron=PAPER, size=4),),
    sources=(),
    projections=(
        Projection(
            source="n", target="n", synapse=DiodeSynapse(r=1e3),
            connector=FromList(connections=((0, 1), (1, 2), (2, 3))),
        ),
    ),
    t_stop=T_STOP,
)  # fmt: skip
FIRST = np.arange(1, 10) * 1e-4
NAMES = ("exc_", "inh_", "n_", "t_", "in")


def trains(network, *t_spike, label="made"):
    expanded = expand(network.replace(t_stop=T_STOP))
    names = expanded.names[: len(t_spike)]
    return Trains(label, names, t_spike, T_STOP, expanded, np.arange(len(t_spike)))


@pytest.fixture(scope="module")
def five():
    return trains(MIXED, FIRST, FIRST + 1e-5, FIRST[:4], FIRST[::2], np.empty(0))


@pytest.fixture(scope="module")
def four():
    return trains(CHAIN, *(FIRST + k * (1e-5 + 1e-6 * k) for k in range(4)))


def test_a_raster_has_every_spike_and_each_population_its_rate(five):
    figure = raster_figure(five, bin_width=1e-4)
    assert_printable(figure, NAMES)
    raster, rate = figure.axes
    rows = raster.collections
    assert [len(row.get_positions()) for row in rows] == [9, 9, 4, 5, 0]
    np.testing.assert_allclose(rows[1].get_positions(), (FIRST + 1e-5) * 1e3)
    exc, inh = (patch.get_data() for patch in rate.patches)
    counts = np.histogram(np.concatenate(five.t_spike[:3]), np.linspace(0, T_STOP, 11))[0]
    np.testing.assert_allclose(exc.values, counts / 3 / 1e-4)
    # what is below the stairs is the number of spikes
    assert np.sum(inh.values * np.diff(inh.edges) * 1e-3) * 2 == pytest.approx(5)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["exc (3)", "inh (2)"]
    assert "mixed" in figure.caption


def test_a_raster_of_many_neurons_has_numbers(five):
    many = MIXED.replace({"populations.exc.size": 60}).replace(projections=())
    figure = raster_figure(trains(many, *([FIRST] * 62)))
    assert_printable(figure, NAMES)
    assert "exc_0" not in [t.get_text() for t in figure.axes[0].get_yticklabels()]


def test_phases_are_in_the_intervals_of_the_first(four):
    figure = phase_figure(four)
    assert_printable(figure, NAMES)
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["n_1", "n_2", "n_3"]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), 0.24, atol=1e-9)
    with pytest.raises(CompareError, match="n_0 has 1 spikes"):
        phase_figure(trains(CHAIN, FIRST[:1], FIRST, FIRST, FIRST))


def test_propagation_has_the_delay_of_each_link(four):
    figure = propagation_figure(four)
    assert_printable(figure, NAMES)
    above, below = figure.axes
    np.testing.assert_allclose(below.lines[0].get_ydata(), [1.1e-5, 1.3e-5, 1.5e-5])
    assert [t.get_text() for t in below.get_xticklabels()] == ["0 → 1", "1 → 2", "2 → 3"]
    np.testing.assert_allclose(above.lines[0].get_xdata(), [0.1, 0.111])
    with pytest.raises(CompareError, match="nothing propagates"):
        propagation_figure(trains(CHAIN, FIRST, np.empty(0), FIRST, np.empty(0)))


def test_a_comparison_has_rates_and_differences(four):
    other = trains(CHAIN, *([FIRST] * 3), FIRST[:5], label="other")
    figure = comparison_figure(compare_networks(four, other))
    assert_printable(figure, NAMES)
    rates, apart, growth = figure.axes
    np.testing.assert_allclose(rates.lines[1].get_xdata(), [9e3, 9e3, 9e3, 5e3])
    np.testing.assert_allclose(apart.lines[1].get_xdata(), [0, 1.1e-5, 2.4e-5, 3.9e-5])
    assert len(growth.lines[0].get_ydata()) == 9 + 9 + 5
    assert "without a partner" in figure.caption


def matrices(figure):
    return [axes.images[0].get_array().filled(np.nan) for axes in figure.axes if axes.images]


def test_weights_are_a_matrix_for_each_projection():
    figure = weights_figure(MIXED)
    assert_printable(figure, NAMES)
    crossbar, diode, current = matrices(figure)
    np.testing.assert_array_equal(crossbar, np.full((2, 3), PAPER.leak.x_0))
    np.testing.assert_array_equal(diode, [[np.nan, 1e3], [np.nan, np.nan], [5e3, np.nan]])
    np.testing.assert_allclose(current, np.full((2, 3), -50e-6))
    with pytest.raises(CompareError, match="no synapses"):
        weights_figure(MIXED.replace(projections=()))


def test_states_of_memristors_are_drawn_at_start_and_end():
    solution = solve_network(MIXED)
    figure = weights_figure(MIXED, solution)
    assert_printable(figure, NAMES)
    start, end, _, _ = matrices(figure)
    assert np.all(end >= start)
    np.testing.assert_array_equal(np.sort(end.ravel()), np.sort(solution.weights_end[:6, 0]))
    assert end.max() > start.max()
    with pytest.raises(CompareError, match="another network"):
        weights_figure(CHAIN, solution)
    assert len(solution.plot().axes) == 2


def test_results_have_their_figures(four):
    comparison = compare_networks(four, four, labels=("a", "b"))
    assert len(comparison.plot().axes) == 3
    assert len(figure_of(measure_network(four)).axes) == 2


@pytest.mark.parametrize("width", [0.0, -1.0, 2 * T_STOP, float("nan")])
def test_a_bin_is_within_the_run(five, width):
    with pytest.raises(CompareError, match="does not fit"):
        raster_figure(five, bin_width=width)

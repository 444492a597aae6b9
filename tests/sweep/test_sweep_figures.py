"""Figures of sweeps: what is drawn is what was computed, and what failed is seen."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from print_checks import assert_printable
from scipy import stats

from spicealif import load_preset, solve_reference
from spicealif._support.figure_axes import cell_edges, is_log, quantity, with_prefix
from spicealif.cli.plot import plot_command
from spicealif.errors import SweepError
from spicealif.measures.one_side import MEASURES
from spicealif.plots import save_figure
from spicealif.sweep import Range, Sweep, f_i_curve
from spicealif.sweep.figures import sweep_figure
from spicealif.sweep.statistics import sensitivity, yield_of

UNITS = {
    "c": "F", "r_s": "ohm", "leak.tau": "s", "v_th": "V", "stimulus.amplitude": "A",
    "stimulus.frequency": "Hz", "t_stop": "s",
}  # fmt: skip
BOTH = ("circuit", "reference")
BLUE, ORANGE = to_rgba("#0072B2"), to_rgba("#D55E00")


def build(
    grid: dict | None = None,
    drawn: dict | None = None,
    *,
    dim: str = "point",
    sides: tuple[str, ...] = BOTH,
    varies: str = "both",
    kind: str = "grid",
    failed: tuple[int, ...] = (),
    seed: int = 1,
    **given: np.ndarray,
) -> xr.Dataset:
    """Build a sweep's dataset by hand; `given` holds measures of all sides, the rest is random."""
    parameters = {**(grid or {}), **(drawn or {})}
    dims = tuple(grid) if grid else (dim,)
    shape = tuple(len(v) for v in grid.values()) if grid else (len(next(iter(drawn.values()))),)
    rng = np.random.default_rng(seed)
    bad = np.zeros(math.prod(shape), bool)
    bad[list(failed)] = True
    bad = bad.reshape(shape)
    data = {}
    for name, info in MEASURES.items():
        full = shape if info.pair else (len(sides), *shape)
        if info.pair and len(sides) == 1:
            continue
        values = np.asarray(given.get(name, 1e-4 * (1 + rng.random(full))), float)
        values = np.where(bad, np.nan, np.broadcast_to(values, full))
        attrs = {"long_name": info.label, "units": info.unit or "1"}
        data[name] = (dims if info.pair else ("side", *dims), values, attrs)
    data["status"] = (dims, np.where(bad, "INVALID", "OK").astype(object))
    data["reason"] = (dims, np.where(bad, "It was refused.", "").astype(object))
    data["spikes_per_pulse"] = (("side", *dims, "pulse"), np.ones((len(sides), *shape, 2)))
    coords: dict = {"side": ("side", np.array(sides, object))}
    for name, values in parameters.items():
        attrs = {"units": UNITS.get(name, "1"), "long_name": name}
        coords[name] = (name if grid else dim, np.asarray(values), attrs)
    attrs = {
        "kind": kind, "parameters": " ".join(parameters), "varies": varies,
        "design": 'name = "mine"\n', "sides": "both" if len(sides) == 2 else sides[0],
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs=attrs)


def prototypes(n: int = 40, **choices) -> xr.Dataset:
    rng = np.random.default_rng(3)
    drawn = {
        "c": 1e-7 * (1 + 0.05 * rng.standard_normal(n)),
        "r_s": 500 * (1 + 0.01 * rng.standard_normal(n)),
        "leak.tau": 5e-3 * np.exp(0.3 * rng.standard_normal(n)),
    }
    return build(drawn=drawn, dim="prototype", kind="prototypes", **choices)


def crosses(figure) -> int:
    """Return how many failed points are marked in all panels together."""
    return sum(
        len(line.get_xdata()) for a in figure.axes for line in a.lines if line.get_gid() == "failed"
    )


def mesh_of(axes) -> QuadMesh:
    (mesh,) = (c for c in axes.collections if isinstance(c, QuadMesh))
    return mesh


def panel_axes(figure) -> list:
    return [a for a in figure.axes if a.get_label() != "<colorbar>" and a.get_visible()]


def tornado_of(figure):
    return next(a for a in figure.axes if a.get_title().startswith("what moves"))


def yield_panel(figure):
    return next(a for a in figure.axes if a.get_title().startswith("yield of"))


def ticks(axis) -> list[str]:
    axis.figure.canvas.draw()
    return [t.get_text() for t in axis.get_ticklabels()]


# --- one parameter ------------------------------------------------------------------------------


def test_one_parameter_gives_lines_of_the_main_measures_of_both_sides():
    dataset = build({"c": [47e-9, 100e-9, 220e-9]})
    figure = sweep_figure(dataset)
    assert [a.get_ylabel() for a in figure.axes] == [
        "mean interval (µs)", "last / first interval (10⁻⁶)", "growth of the interval (µs)",
        "mean rate (µHz)",
    ]  # fmt: skip
    for axes in figure.axes:
        assert axes.get_xlabel() == "$C$ (nF)"
        assert axes.get_xscale() == "log"
        assert ticks(axes.xaxis) == ["47", "100", "220"]
        circuit, reference = axes.lines
        assert to_rgba(circuit.get_color()) == BLUE
        assert circuit.get_linestyle() == "-"
        assert to_rgba(reference.get_color()) == ORANGE
        assert reference.get_linestyle() == "--"
    np.testing.assert_array_equal(
        figure.axes[0].lines[0].get_ydata(), dataset["isi_mean"].sel(side="circuit")
    )
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), dataset["c"])
    assert figure.get_suptitle() == ""
    assert figure.caption == "mine: measures over C; circuit and reference, 3 points"


def test_a_named_measure_is_drawn_with_the_difference_of_the_sides():
    dataset = build({"v_th": [0.1, 0.2, 0.3, 0.4]})
    figure = sweep_figure(dataset, "v_c_peak")
    values, gap = panel_axes(figure)
    assert values.get_ylabel() == "peak capacitor voltage (µV)"
    assert values.get_xscale() == "linear"
    assert gap.get_ylabel() == "peak capacitor voltage:\ncircuit minus reference (µV)"
    both = dataset["v_c_peak"]
    np.testing.assert_array_equal(
        gap.lines[0].get_ydata(), both.sel(side="circuit") - both.sel(side="reference")
    )


def test_a_measure_of_the_pair_has_one_line():
    (axes,) = panel_axes(sweep_figure(build({"v_th": [0.1, 0.2]}), "gamma"))
    assert len(axes.lines) == 1
    assert axes.get_ylabel() == "coincidence factor (10⁻⁶)"


def test_failed_points_of_a_line_are_crosses_and_counted():
    figure = sweep_figure(build({"v_th": [0.1, 0.2, 0.3]}, failed=(1,)), "isi_mean")
    assert crosses(figure) == 2  # one in each panel
    (cross,) = (line for line in figure.axes[0].lines if line.get_gid() == "failed")
    assert cross.get_xdata().tolist() == [0.2]
    assert "3 points, 1 of them failed (crosses)" in figure.caption
    assert "failed" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_names_are_ticks():
    dataset = build({"comparator.kind": np.array(["full", "ideal"], object)})
    axes = sweep_figure(dataset).axes[0]
    assert ticks(axes.xaxis) == ["full", "ideal"]
    assert axes.get_xlabel() == "comparator"


def test_a_figure_of_failures_only_is_drawn(tmp_path):
    for grid in ({"c": [1e-7, 2e-7]}, {"c": [1e-7, 2e-7], "v_th": [0.1, 0.2]}):
        n = math.prod(map(len, grid.values()))
        figure = sweep_figure(build(grid, failed=tuple(range(n))))
        assert crosses(figure) >= n
        save_figure(figure, tmp_path / "f.png")
    figure = sweep_figure(prototypes(4, failed=(0, 1, 2, 3), varies="circuit"))
    assert "4 of them failed" in figure.caption
    save_figure(figure, tmp_path / "f.png")


# --- the experiments of their own ---------------------------------------------------------------


def test_f_i_curve_shows_onset_and_steady_rate_of_both_sides():
    first = np.array([[np.nan, np.nan, 1e-4], [np.nan, 4e-4, 2e-4]])
    count = np.array([[0, 1, 9], [0, 5, 8]])
    dataset = build(
        {"stimulus.amplitude": [1e-4, 5e-4, 1e-3]},
        kind="f-i-curve", isi_first=first, isi_last=2 * first, spike_count=count,
    )  # fmt: skip
    figure = sweep_figure(dataset)
    axes, why = figure.axes
    assert why.get_xlabel() == "constant current (mA)"
    assert axes.get_ylabel() == "rate (kHz)"
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert len(drawn) == 4
    # No spikes and one spike have no interval, and no rate is made up for them.
    np.testing.assert_allclose(drawn["circuit: onset, 1 / first interval"], [np.nan, np.nan, 1e4])
    np.testing.assert_allclose(drawn["reference: steady, 1 / last interval"], [np.nan, 1250, 2500])
    assert reasons(why) == {
        ("no spikes", BLUE): [1e-4], ("no spikes", ORANGE): [1e-4],
        ("one spike, no interval", BLUE): [5e-4],
    }  # fmt: skip
    assert legend_of(figure) == [
        "circuit", "reference", "onset, 1 / first interval", "steady, 1 / last interval",
        "no spikes", "one spike, no interval",
    ]  # fmt: skip


def reasons(axes) -> dict:
    """Return at which currents there is no rate, by the reason and the side's colour."""
    return {
        (line.get_label(), to_rgba(line.get_color())): line.get_xdata().tolist()
        for line in axes.lines
    }


def legend_of(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_a_neuron_that_has_adapted_to_silence_has_no_steady_rate():
    """Its last interval is that of its last spikes, long before the end of the run."""
    times = np.full((2, 3, 4), np.nan)
    times[:, 0, :3] = [1e-3, 2e-3, 3e-3]  # silent from 3 ms on
    times[:, 1] = [1e-3, 4e-3, 7e-3, 10e-3]
    dataset = build(
        {"stimulus.amplitude": [1e-4, 5e-4, 1e-3]}, kind="f-i-curve", spike_count=[[3, 4, 0]] * 2,
        isi_first=[[1e-3, 3e-3, np.nan]] * 2, isi_last=[[1e-3, 3e-3, np.nan]] * 2,
    )  # fmt: skip
    dataset["t_spike"] = (("side", "stimulus.amplitude", "spike"), times)
    dataset.attrs["design"] = 'name = "a"\nt_stop = 0.01\n'
    axes, why = sweep_figure(dataset).axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_allclose(drawn["circuit: onset, 1 / first interval"], [1e3, 1e3 / 3, np.nan])
    np.testing.assert_allclose(
        drawn["circuit: steady, 1 / last interval"], [np.nan, 1e3 / 3, np.nan]
    )
    assert reasons(why)["silent at the end", BLUE] == [1e-4]
    assert reasons(why)["no spikes", BLUE] == [1e-3]


def test_an_f_i_curve_with_a_rate_everywhere_says_nothing_of_silence():
    dataset = build(
        {"stimulus.amplitude": [1e-4, 5e-4]}, kind="f-i-curve", spike_count=[[4, 4]] * 2
    )
    figure = sweep_figure(dataset)
    (axes,) = panel_axes(figure)
    assert axes.get_xlabel() == "constant current (µA)"
    assert len(legend_of(figure)) == 4


def test_frequency_response_has_a_line_for_each_amplitude_and_side():
    frequency, amplitude = np.geomspace(100, 1e4, 5), [5e-4, 1e-3]
    dataset = build(
        {"stimulus.frequency": frequency, "stimulus.amplitude": amplitude},
        kind="frequency-response", failed=(3,),
    )  # fmt: skip
    figure = sweep_figure(dataset)
    rate, per_period, interval = figure.axes
    assert {a.get_xlabel() for a in figure.axes} == {"stimulus frequency (kHz)"}
    assert {a.get_xscale() for a in figure.axes} == {"log"}
    assert rate.get_ylabel().startswith("mean rate (")
    assert per_period.get_ylabel() == "spikes per period"
    assert interval.get_ylabel().startswith("mean interval (")
    assert crosses(figure) == 3
    lines = [line for line in per_period.lines if line.get_gid() != "failed"]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "--"]
    assert lines[0].get_color().tolist() == lines[2].get_color().tolist()
    of = dataset["mean_rate"].sel(side="reference").isel({"stimulus.amplitude": 1})
    np.testing.assert_allclose(lines[3].get_ydata(), of / frequency)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "500 µA", "1 mA", "circuit", "reference", "failed",
    ]  # fmt: skip
    # The dimensions in the other order mean the same.
    turned = dataset.transpose("side", "stimulus.amplitude", "stimulus.frequency", ...)
    other = sweep_figure(turned).axes[1].lines[3].get_ydata()
    np.testing.assert_allclose(other, lines[3].get_ydata())


def test_adaptation_map_shows_both_sides_their_gap_and_the_cost():
    tau, r_s = np.geomspace(5e-4, 5e-2, 4), np.geomspace(125, 2000, 3)
    dataset = build({"leak.tau": tau, "r_s": r_s}, kind="adaptation-map", failed=(0, 5))
    figure = sweep_figure(dataset)
    circuit, reference, gap, *costs = panel_axes(figure)
    ratio = dataset["adaptation_ratio"]
    for axes, of in (
        (circuit, ratio.sel(side="circuit")),
        (reference, ratio.sel(side="reference")),
        (gap, ratio.sel(side="circuit") - ratio.sel(side="reference")),
    ):
        shown = mesh_of(axes).get_array().filled(np.nan)
        np.testing.assert_allclose(shown, of.transpose("r_s", "leak.tau"))
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert (axes.get_xlabel(), axes.get_ylabel()) == (
            r"$\tau$ (ms)", r"$R_\mathrm{s}$ (Ω)",
        )  # fmt: skip
    assert mesh_of(circuit).norm.vmin == mesh_of(reference).norm.vmin == float(ratio.min())
    assert crosses(figure) == 6
    (cross,) = (line for line in gap.lines if line.get_gid() == "failed")
    np.testing.assert_allclose(cross.get_xdata(), tau[[0, 1]])
    np.testing.assert_allclose(cross.get_ydata(), r_s[[0, 2]])
    assert [a.get_title() for a in costs] == [
        "circuit: what adaptation costs", "reference: what adaptation costs",
    ]  # fmt: skip
    assert costs[0].get_ylabel() == "source energy per spike (µJ)"
    for axes, side in zip(costs, BOTH, strict=True):
        assert axes.get_xlabel() == "last / first interval (10⁻⁶)"
        of = dataset.sel(side=side)
        # Each point says which it is: by its colour its tau, by its size its r_s.
        for row, level in zip(axes.collections, r_s, strict=True):
            at = of.sel({"r_s": level})
            good = np.isfinite(at["adaptation_ratio"].values)
            drawn = np.column_stack((row.get_offsets(), row.get_array()))[good]
            expected = [at["adaptation_ratio"], at["energy_per_spike"], tau]
            np.testing.assert_array_equal(drawn, np.column_stack(expected)[good])
        sizes = [float(row.get_sizes()[0]) for row in axes.collections]
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 3
    entries = [t.get_text() for f in figure.subfigs for lg in f.legends for t in lg.get_texts()]
    assert entries[-3:] == [rf"$R_\mathrm{{s}}$ = {v}" for v in ("125 Ω", "500 Ω", "2 kΩ")]


def test_differences_are_drawn_as_differences_around_nil():
    ratio = np.array([[[2.0, 3], [4, 5]], [[3.0, 2], [4, 1]]])
    dataset = build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3]}, adaptation_ratio=ratio)
    figure = sweep_figure(dataset, "adaptation_ratio")
    gap = panel_axes(figure)[-1]
    assert gap.get_title() == "circuit minus reference"
    bar = [a for a in figure.axes if a.get_label() == "<colorbar>"][-1]
    assert bar.get_ylabel() == "difference of\nlast / first interval"
    mesh = mesh_of(gap)
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-4, 4)
    middle, high, low = mesh.cmap(mesh.norm([0.0, 4.0, -4.0]))
    assert min(middle[:3]) > 0.99
    assert high[2] > high[0]  # blue where the circuit's value is larger
    assert low[0] > low[2]
    # Without colours a minus tells the one end from the other.
    (minus,) = (line for line in gap.lines if line.get_gid() == "minus")
    assert (minus.get_xdata().tolist(), minus.get_ydata().tolist()) == ([1e-7], [0.2])
    assert legend_of(figure) == ["circuit below reference"]


def test_an_experiment_with_a_named_measure_is_drawn_like_any_sweep():
    dataset = build({"stimulus.amplitude": [1e-4, 2e-4, 3e-4]}, kind="f-i-curve")
    assert len(panel_axes(sweep_figure(dataset, "x_final"))) == 2


# --- maps and drawn points ----------------------------------------------------------------------


def test_two_parameters_give_maps_with_the_values_where_they_belong():
    dataset = build({"c": [220e-9, 47e-9, 100e-9], "v_th": [0.2, 0.3]}, failed=(0,))
    figure = sweep_figure(dataset, "isi_last")
    circuit, reference, gap = panel_axes(figure)
    assert [a.get_title() for a in (circuit, reference, gap)] == [
        "circuit", "reference", "circuit minus reference",
    ]  # fmt: skip
    # Sorted by the value, whatever order they came in.
    shown = mesh_of(circuit).get_array().filled(np.nan)
    of = dataset["isi_last"].sel(side="circuit").sortby("c").transpose("v_th", "c")
    np.testing.assert_allclose(shown, of)
    (cross,) = (line for line in circuit.lines if line.get_gid() == "failed")
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (220e-9, 0.2)
    bar = next(a for a in figure.axes if a.get_label() == "<colorbar>")
    assert bar.get_ylabel() == "last interval (µs)"
    assert circuit.get_ylabel() == r"$V_\mathrm{th}$ (mV)"


def test_one_side_alone_gives_one_map():
    for dataset in (
        build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3]}, sides=("reference",)),
        build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3]}).sel(side="reference"),
    ):
        figure = sweep_figure(dataset)
        assert len(panel_axes(figure)) == 1
        assert figure.caption.endswith("reference, 4 points")


def test_three_parameters_give_a_map_for_each_value_of_the_shortest():
    dataset = build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3, 0.4], "r_s": [100.0, 200, 300]})
    figure = sweep_figure(dataset)
    shown = panel_axes(figure)
    assert len(shown) == 6
    assert [a.get_title() for a in shown[:2]] == ["$C$ = 100 nF", "$C$ = 200 nF"]
    of = dataset["isi_mean"].sel(side="reference").isel(c=1).transpose("r_s", "v_th")
    np.testing.assert_allclose(mesh_of(shown[3]).get_array(), of)


def test_more_parameters_ask_for_a_slice_that_works():
    dataset = build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3], "r_s": [1.0, 2], "t_stop": [1.0, 2]})
    with pytest.raises(SweepError, match=r"take a slice, such as dataset\.sel\(\{'c': 1e-07\}\)"):
        sweep_figure(dataset)
    figure = sweep_figure(dataset.sel({"c": 1e-7, "v_th": 0.2}))
    assert "at C = 100 nF, V_th = 200 mV;" in figure.caption
    with pytest.raises(SweepError, match="One point makes no figure"):
        sweep_figure(dataset.isel(c=0, v_th=0, r_s=0, t_stop=0))


def test_drawn_points_are_scattered_over_each_parameter():
    rng = np.random.default_rng(2)
    c, tau = 1e-8 * 100 ** rng.random(30), 1e-3 * (1 + rng.random(30))
    dataset = build(drawn={"c": c, "leak.tau": tau}, kind="random", failed=(4, 7))
    figure = sweep_figure(dataset, "mean_rate")
    left, right = panel_axes(figure)
    assert (left.get_xlabel(), left.get_xscale()) == ("$C$ (nF)", "log")
    assert (right.get_xlabel(), right.get_xscale()) == (r"$\tau$ (ms)", "linear")
    assert left.get_ylabel() == "mean rate (µHz)"
    order = np.argsort(c)
    np.testing.assert_array_equal(left.lines[0].get_xdata(), c[order])
    np.testing.assert_array_equal(
        left.lines[1].get_ydata(), dataset["mean_rate"].sel(side="reference").values[order]
    )
    assert left.lines[0].get_linestyle() == "None"
    assert crosses(figure) == 4


# --- prototypes ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_prototypes_show_histograms_the_design_s_value_and_the_yield():
    values = np.vstack(
        [1e-4 * (1 + 0.1 * np.random.default_rng(0).standard_normal(40)), [1e-4] * 40]
    )
    dataset = prototypes(varies="circuit", isi_mean=values, failed=(3, 4, 5))
    figure = sweep_figure(dataset)
    histogram = figure.axes[0]
    assert histogram.get_xlabel() == "mean interval (µs)"
    assert sum(bar.get_height() for bar in histogram.patches[:-1]) == 37
    (nominal,) = histogram.lines
    assert nominal.get_xdata() == [1e-4, 1e-4]
    assert to_rgba(nominal.get_color()) == ORANGE
    tornado, share = tornado_of(figure), figure.axes[-1]
    assert tornado.get_title().startswith("what moves the mean interval (circuit)")
    assert len(tornado.patches) == 3
    assert share.get_title() == "yield of the circuit;\nlimits: nominal value ± 10 %"
    good = (abs(values[0] - 1e-4) <= 1e-5) & ~np.isin(np.arange(40), [3, 4, 5])
    assert share.texts[0].get_text().startswith(f"{100 * good.mean():.0f} % (")
    assert ticks(share.yaxis)[0] == "mean interval\n90 to 110 µs"
    assert ticks(share.yaxis)[-1] == "all of these"
    assert "40 prototypes, 3 of them failed (outside every limit)" in figure.caption


def test_limits_as_given_are_told_and_a_median_serves_where_nothing_is_nominal():
    dataset = prototypes()
    share = yield_panel(sweep_figure(dataset, yield_limits={"isi_last": (1.2e-4, math.inf)}))
    assert share.get_title() == "yield of the circuit;\nlimits as given"
    with pytest.warns(match=r"No prototype is within the limits \(at least 1\.2 s\).* runs from"):
        sweep_figure(dataset, yield_limits={"isi_last": (1.2, math.inf)})
    assert ticks(share.yaxis) == ["last interval\nat least 120 µs"]
    share = yield_panel(sweep_figure(dataset, "isi_last"))
    assert share.get_title() == "yield of the circuit;\nlimits: median ± 10 %"
    # Both sides scatter: two histograms in one panel.
    histogram = sweep_figure(dataset, "isi_last").axes[0]
    assert histogram.get_legend_handles_labels()[1][:2] == ["circuit", "reference"]


def test_tornado_says_which_coefficient_and_its_unit():
    dataset = prototypes(60)
    c = dataset["c"].values
    dataset["isi_mean"][:] = 1e3 * c + 1e-9 * np.random.default_rng(0).standard_normal(60)
    tornado = tornado_of(sweep_figure(dataset, "isi_mean"))
    assert ticks(tornado.yaxis)[0] == "$C$"
    assert sorted(ticks(tornado.yaxis)) == ["$C$", r"$R_\mathrm{s}$", r"$\tau$"]
    assert tornado.get_xlabel() == "standardised regression coefficient\nwith 95 % error bars"
    (top,) = tornado.child_axes
    assert top.get_xlabel() == "per standard deviation\nof the parameter (µs)"
    widths = [bar.get_width() for bar in tornado.patches]
    np.testing.assert_allclose(widths, sensitivity(dataset, "isi_mean").coefficients)
    # A steep power is not linear: ranks serve.
    dataset["isi_mean"][:] = np.exp(2e9 * (c - 1e-7))
    tornado = tornado_of(sweep_figure(dataset, "isi_mean"))
    assert "of ranks" in tornado.get_xlabel()


def test_too_few_prototypes_for_a_tornado_are_told_in_its_place():
    figure = sweep_figure(prototypes(4), "isi_mean")
    assert any("take more points" in t.get_text() for a in figure.axes for t in a.texts)


def test_points_that_lack_a_value_are_counted():
    values = np.array([[[1.0, np.nan], [3, 4]]] * 2) * 1e-4
    dataset = build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3]}, isi_mean=values, failed=(2,))
    figure = sweep_figure(dataset)
    assert figure.caption.endswith(
        "4 points, 1 of them failed (crosses), 1 without a value"
    )  # fmt: skip
    assert legend_of(figure)[:1] == ["failed"]
    assert legend_of(figure)[-1] == "no value"
    values = np.full(40, 1e-4)
    values[:3] = np.nan
    histogram = sweep_figure(prototypes(isi_mean=values)).axes[0]
    assert histogram.get_title() == "3 without a value"


def test_limits_without_prototypes_are_refused():
    with pytest.raises(SweepError, match="Limits are for prototypes"):
        sweep_figure(build({"c": [1e-7, 2e-7]}), yield_limits={"isi_mean": (0, 1)})


# --- for print ----------------------------------------------------------------------------------


def many(**choices) -> dict[str, xr.Dataset]:
    """Return a sweep of each kind."""
    tau, r_s = np.geomspace(5e-4, 5e-2, 9), np.geomspace(125, 2000, 9)
    grid = {"c": np.geomspace(47e-9, 220e-9, 5), "leak.tau": tau[:6]}
    rng = np.random.default_rng(5)
    drawn = {name: 1e-3 * (1 + rng.random(20)) for name in ("c", "leak.tau", "v_th", "r_s")}
    amplitude, frequency = np.linspace(5e-4, 1e-3, 5), np.geomspace(100, 1e4, 13)
    drifts = {"drift": np.arange(5), "temperature": np.linspace(253.15, 373.15, 13)}
    temperature = build(drifts, kind="temperature", **choices)
    temperature["temperature"].attrs |= {"units": "K"}
    temperature = temperature.drop_vars("drift").assign_coords(
        description=("drift", ["leak device alone", *(f"with {k}" for k in "abc"), "all of them"])
    )
    return {
        "lines": build({"c": np.geomspace(47e-9, 220e-9, 7)}, failed=(1,), **choices),
        "one line": build({"leak.tau": tau[:4]}, sides=("circuit",), **choices),
        "maps": build(grid, failed=(0,), **choices),
        "many maps": build(grid | {"r_s": r_s[:6]}, failed=(0,), **choices),
        "scatter": build(drawn=drawn, kind="random", failed=(3,), **choices),
        "f-I": build({"stimulus.amplitude": np.arange(1, 41) / 4e4}, kind="f-i-curve",
                     spike_count=np.minimum(np.arange(40), 5), failed=(39,), **choices),
        "frequency": build({"stimulus.frequency": frequency, "stimulus.amplitude": amplitude},
                           kind="frequency-response", **choices),
        "adaptation": build({"leak.tau": tau, "r_s": r_s}, kind="adaptation-map", **choices),
        "prototypes": prototypes(40, varies="circuit", **choices),
        "temperature": temperature,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", list(many()))
def test_every_sweep_s_figure_can_be_printed(name):
    dataset = many()[name]
    figure = sweep_figure(dataset)
    assert_printable(figure)
    width = 88 if name == "f-I" else 180
    assert figure.get_figwidth() * 25.4 == pytest.approx(width, abs=0.1)
    one = sweep_figure(dataset, "isi_last")
    assert_printable(one)
    width = 88 if name == "one line" else 180
    assert one.get_figwidth() * 25.4 == pytest.approx(width, abs=0.1)


def test_a_temperature_is_drawn_in_degrees_celsius():
    dataset = build({"temperature": [253.15, 293.15, 333.15, 373.15]})
    dataset["temperature"].attrs["units"] = "K"
    axes = sweep_figure(dataset, "isi_mean").axes[0]
    assert axes.get_xlabel() == "temperature (\N{DEGREE SIGN}C)"
    assert ticks(axes.xaxis) == ["\N{MINUS SIGN}20", "20", "60", "100"]
    assert axes.lines[0].get_xdata().tolist() == [253.15, 293.15, 333.15, 373.15]
    # Many values get round ticks, round in degC that is.
    axes = sweep_figure(many()["temperature"]).axes[2]
    assert axes.get_xlabel() == "temperature (\N{DEGREE SIGN}C)"
    assert ticks(axes.xaxis)[1:4] == ["0", "50", "100"]
    assert quantity(298.15, "K") == "25 \N{DEGREE SIGN}C"


# --- statistics ---------------------------------------------------------------------------------


def linear_model(n: int, noise: float) -> tuple[xr.Dataset, np.ndarray]:
    dataset = prototypes(n, failed=(2,))
    x = np.column_stack([dataset[p].values for p in ("c", "r_s", "leak.tau")])
    z = (x - x.mean(0)) / x.std(0, ddof=1)
    y = 5 + z @ np.array([3.0, -4.0, 0.5]) + noise * np.random.default_rng(7).standard_normal(n)
    dataset["isi_mean"][:] = np.where(dataset["status"] == "OK", y, np.nan)
    return dataset, x


def test_sensitivity_of_a_linear_model_is_its_coefficients():
    dataset, _ = linear_model(200, 0.0)
    table = sensitivity(dataset, "isi_mean", "circuit")
    assert table.names == ("r_s", "c", "leak.tau")
    assert table.r_squared == pytest.approx(1)
    assert (table.n, table.left_out, table.side) == (199, 1, "circuit")
    # In the measure's unit they are the model's, but for the point that is left out.
    np.testing.assert_allclose(table.coefficients * table.scatter, [-4, 3, 0.5], rtol=0.02)
    assert np.all(table.standard_errors < 1e-12)


def test_sensitivity_agrees_with_least_squares_and_its_errors_with_the_scatter():
    dataset, x = linear_model(80, 2.0)
    table = sensitivity(dataset, "isi_mean", "reference")
    y = dataset["isi_mean"].sel(side="reference").values
    good = np.isfinite(y)
    scaled = np.column_stack([np.ones(good.sum()), x[good] * [1e7, 1e-2, 1e2]])
    beta, rest, *_ = np.linalg.lstsq(scaled, y[good], rcond=None)
    variance = float(rest[0]) / (good.sum() - 4)
    errors = np.sqrt(np.diag(np.linalg.inv(scaled.T @ scaled)) * variance)
    factor = scaled[:, 1:].std(0, ddof=1) / y[good].std(ddof=1)
    expected = dict(zip(("c", "r_s", "leak.tau"), beta[1:] * factor, strict=True))
    np.testing.assert_allclose(table.coefficients, [expected[n] for n in table.names], rtol=1e-9)
    expected = dict(zip(("c", "r_s", "leak.tau"), errors[1:] * factor, strict=True))
    np.testing.assert_allclose(table.standard_errors, [expected[n] for n in table.names], rtol=1e-9)
    assert "R^2 = " in str(table)
    assert "1 without a value left out" in str(table)


def test_ranks_of_a_single_monotone_parameter_correlate_like_spearman():
    dataset = build(drawn={"c": np.random.default_rng(5).random(50)}, kind="random")
    y = dataset["isi_mean"].sel(side="circuit").values
    table = sensitivity(dataset, "isi_mean", method="rank")
    expected = stats.spearmanr(dataset["c"].values, y).statistic
    assert table.coefficients[0] == pytest.approx(expected, rel=1e-12)
    dataset["isi_mean"][:] = np.exp(20 * dataset["c"].values)
    assert sensitivity(dataset, "isi_mean", method="rank").coefficients[0] == pytest.approx(1)


def test_what_has_no_sensitivity_is_refused():
    dataset = prototypes(30, varies="circuit", isi_mean=np.vstack([np.arange(30.0), [1.0] * 30]))
    with pytest.raises(SweepError, match="the same at all points"):
        sensitivity(dataset, "isi_mean", "reference")
    with pytest.raises(SweepError, match="need at least 5"):
        sensitivity(prototypes(4), "isi_mean")
    with pytest.raises(SweepError, match="did you mean isi_mean"):
        sensitivity(dataset, "isi_maen")
    with pytest.raises(SweepError, match="not one number for each point"):
        sensitivity(dataset, "spikes_per_pulse")
    with pytest.raises(SweepError, match="choose linear or rank"):
        sensitivity(dataset, "isi_mean", method="cubic")
    with pytest.raises(SweepError, match="no side 'both'"):
        sensitivity(dataset, "isi_mean", "both")
    x = np.random.default_rng(0).random(20)
    with pytest.raises(SweepError, match="follow from each other"):
        sensitivity(build(drawn={"c": x, "r_s": 3 * x}), "isi_mean")


@pytest.mark.parametrize("good", [0, 1, 13, 39, 40])
def test_yield_has_the_wilson_interval(good):
    values = np.where(np.arange(40) < good, 1e-4, 5e-4)
    dataset = prototypes(isi_mean=values)
    share, low, high = yield_of(dataset, {"isi_mean": (0, 2e-4)}, "reference")
    expected = stats.binomtest(good, 40).proportion_ci(method="wilson")
    assert share == good / 40
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_yield_counts_failed_and_missing_as_failures_and_joins_limits():
    values = np.full(40, 1e-4)
    values[7] = np.nan
    dataset = prototypes(isi_mean=values, isi_last=np.arange(40.0), failed=(0, 1))
    anything = (-math.inf, math.inf)
    assert yield_of(dataset, {"isi_mean": anything}).share == 37 / 40
    both = {"isi_mean": anything, "isi_last": (10, math.inf)}
    assert yield_of(dataset, both).share == 30 / 40
    with pytest.raises(SweepError, match="give the lower one first"):
        yield_of(dataset, {"isi_mean": (2, 1)})
    with pytest.raises(SweepError, match="no limits"):
        yield_of(dataset, {})


def test_importing_the_figures_does_not_load_matplotlib():
    code = "import sys, spicealif.sweep.figures; print('matplotlib' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_a_dataset_of_something_else_is_refused():
    with pytest.raises(SweepError, match="not a sweep's"):
        sweep_figure(xr.Dataset({"a": ("b", [1.0])}))


# --- axes ---------------------------------------------------------------------------------------


def test_prefixes():
    assert with_prefix(4.7e3, "ohm") == (1e-3, "kΩ")
    assert with_prefix(1e-3, "s")[1] == "ms"
    assert with_prefix(0.0, "V") == (1.0, "V")
    assert with_prefix(300, "K") == (1.0, "K")
    assert with_prefix(1e-30, "A")[1] == "fA"
    assert with_prefix(12345, "") == (1.0, "")
    assert quantity(220e-9, "F") == "220 nF"
    assert quantity("ideal", "") == "ideal"


def test_scale_follows_from_the_values():
    assert is_log(np.geomspace(1, 16, 5))
    assert is_log(np.array([47e-9, 100e-9, 220e-9]))
    assert not is_log(np.linspace(1, 16, 5))
    assert not is_log(np.array([-1.0, 1, 100]))
    assert not is_log(np.array([1.0, 100]))


def test_cells_meet_in_the_middle_between_the_values():
    np.testing.assert_allclose(cell_edges(np.array([1.0, 2, 4]), log=False), [0.5, 1.5, 3, 5])
    edges = cell_edges(np.array([1.0, 10, 100]), log=True)
    np.testing.assert_allclose(edges, 10 ** np.array([-0.5, 0.5, 1.5, 2.5]))
    assert np.all(np.diff(cell_edges(np.array([0.0]), log=False)) > 0)


# --- the command, and real sweeps ---------------------------------------------------------------


def plot(*arguments: str) -> str:
    """Run the command; return its output, or raise what it raises."""
    result = CliRunner().invoke(plot_command, arguments, catch_exceptions=False)
    return result.output


def save(dataset: xr.Dataset, path) -> str:
    dataset.to_netcdf(path, engine="h5netcdf")
    return str(path)


@pytest.mark.slow
def test_a_real_sweep_is_drawn_from_its_file(tmp_path, paper):
    short = paper.replace(t_stop=2e-3)
    curve = f_i_curve(short, points=3, sides="reference").run(store=tmp_path / "s", workers=1)
    file = save(curve, tmp_path / "curve.nc")
    said = plot(file)
    assert said.startswith(f"Wrote {tmp_path / 'curve.png'}: paper: f-I curve; reference, 3 points")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    first = float(curve["isi_first"][0, -1])
    axes = sweep_figure(curve).axes[0]
    assert axes.lines[0].get_ydata()[-1] == 1 / first
    # Read back from the file it gives the same figure.
    with xr.open_dataset(file, engine="h5netcdf") as again:
        other = sweep_figure(again.load()).axes[0]
    np.testing.assert_array_equal(other.lines[0].get_ydata(), axes.lines[0].get_ydata())
    assert other.get_ylabel() == axes.get_ylabel()


@pytest.mark.slow
def test_points_that_a_design_refuses_are_seen(tmp_path, paper):
    over = {"leak.r_on": [500.0, 2000.0], "c": ["50n", "100n"]}
    sweep = Sweep(paper.replace(t_stop=1e-3), over, sides="reference")
    dataset = sweep.run(store=tmp_path, workers=1)
    figure = sweep_figure(dataset)
    assert crosses(figure) == 2  # r_on above r_off
    assert "2 of them failed" in figure.caption
    drawn = Sweep(
        paper.replace(t_stop=1e-3), {"leak.r_on": Range(400, 2400)}, "sobol", 4, sides="reference"
    ).run(store=tmp_path, workers=1)
    assert crosses(sweep_figure(drawn)) == int(drawn.attrs["failed"]) == 2


@pytest.mark.slow
def test_command_takes_a_slice_a_measure_and_limits(tmp_path):
    dataset = build({"c": [1e-7, 2e-7], "v_th": [0.2, 0.3], "r_s": [1.0, 2], "t_stop": [1.0, 2]})
    file = save(dataset, tmp_path / "grid.nc")
    target = tmp_path / "out.svg"
    plot(file, "--at", "c=100n", "--at", "v_th=0.2", "--measure", "isi_last", "-o", str(target))
    assert target.read_text().startswith("<?xml")
    with pytest.raises(SweepError, match=r"has no c = '3n'; its values are 1e-07, 2e-07\."):
        plot(file, "--at", "c=3n")
    with pytest.raises(SweepError, match="choose one of c, v_th, r_s, t_stop"):
        plot(file, "--at", "d=1")
    with pytest.raises(SweepError, match="write --at c=100n"):
        plot(file, "--at", "c")
    with pytest.raises(SweepError, match="no measure 'isi'"):
        plot(file, "--measure", "isi")
    file = save(prototypes(), tmp_path / "p.nc")
    plot(file, "--limit", "isi_mean=90u:110u", "--limit", "isi_last=:1m", "-o", str(target))
    for text in ("isi_mean", "isi_mean=1", "isi_mean=:", "=1:2"):
        with pytest.raises(SweepError, match="is not MEASURE=LOW:HIGH"):
            plot(file, "--limit", text)
    with pytest.raises(SweepError, match="limit of 'isi_mean'"):
        plot(file, "--limit", "isi_mean=a:b")


def test_other_files_are_told_where_they_belong(tmp_path):
    waveforms = solve_reference(load_preset("lif").replace(t_stop=1e-3))
    path = waveforms.save(tmp_path / "w.nc")
    with pytest.raises(SweepError, match="spicealif compare FILE --figure"):
        plot(str(path))
    (tmp_path / "x.raw").write_bytes(b"Title: x\n")
    with pytest.raises(SweepError, match="--neuron NEURON --figure"):
        plot(str(tmp_path / "x.raw"))
    with pytest.raises(SweepError, match="no such file"):
        plot(str(tmp_path / "none.nc"))
    (tmp_path / "t.nc").write_text("text")
    with pytest.raises(SweepError, match="it is not netCDF"):
        plot(str(tmp_path / "t.nc"))
    file = save(xr.Dataset({"a": ("b", [1.0])}), tmp_path / "o.nc")
    with pytest.raises(SweepError, match="holds no sweep"):
        plot(file)

"""What a fit gives back: look-ups, table, JSON, preset and figures."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from print_checks import assert_printable

from spicealif.design import Memristor, load_device
from spicealif.errors import DesignError, FitError, OutputError
from spicealif.fit import figures, fit_device

DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.32, v_off=0.15, tau=4e-5)


def noisy_loop(amplitude, name, **changes):
    """A loop solved by SciPy, with 1 % of noise."""
    path = Path(__file__).parents[2] / "benchmarks" / "fit_recovery.py"
    spec = importlib.util.spec_from_file_location("fit_recovery", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loop = module.noisy_loop(np.random.default_rng(1), DEVICE, 5000.0, amplitude, 120, 0.01)
    return dataclasses.replace(loop, name=name, **changes)


@pytest.fixture(scope="module")
def result():
    """Two loops that have a tau each; v_off is held."""
    loops = [
        noisy_loop(0.8, "first", file="first.csv", sha256="ab" * 32, notes=("A note.",)),
        # as a resistor that was found from the columns comes out
        noisy_loop(1.0, "second", r_s=5000.000000000262),
    ]
    return fit_device(loops, per_loop=["tau"], held={"v_off": 0.15})


@pytest.fixture(scope="module")
def single_shot():
    return fit_device(noisy_loop(0.8, "shot", period=None))


def columns(result):
    """The table's cells by the name in the first column."""
    lines = str(result).split("\n\n")[0].splitlines()[2:]
    return {cells[0]: cells[1:] for cells in (re.split(r" {2,}", line) for line in lines)}


# --- look-ups -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_values_and_intervals_are_found_by_name(result):
    assert result.names == ("r_on", "r_off", "v_on", "tau[0]", "tau[1]")
    assert result.value("r_on") == result.device.r_on == result.loops[1].device.r_on
    assert result.value("tau[0]") == result.loops[0].device.tau
    assert result.value("tau[1]") == result.loops[1].device.tau
    low, high = result.interval("tau[1]")
    assert 0 < low < result.value("tau[1]") < high
    assert isinstance(low, float)


@pytest.mark.parametrize(
    ("name", "words"),
    [("beta", "'beta' was not fitted"), ("tau", r"tau\[0\], tau\[1\]"), ("v_off", "held at 0.15")],
)
def test_what_was_not_fitted_has_no_value(result, name, words):
    for look_up in (result.value, result.interval):
        with pytest.raises(FitError, match=words):
            look_up(name)


def test_units_are_those_of_the_model(result):
    names = ("r_on", "tau", "tau[1]", "v_off", "x_0")
    assert [result.unit(name) for name in names] == ["ohm", "s", "s", "V", ""]
    for name in ("beta", "kind", "beta[0]"):
        with pytest.raises(FitError, match="has no parameter"):
            result.unit(name)


# --- table --------------------------------------------------------------------------------------


def test_table_has_values_intervals_and_half_widths(result):
    cells = columns(result)
    assert list(cells) == [*result.names, "v_off"]
    assert cells["v_off"] == ["150 mV", "held"]
    factors = {"kohm": 1e3, "mV": 1e-3, "us": 1e-6}
    for name in result.names:
        value, interval, width = cells[name][:3]
        number, unit = value.split()
        assert float(number) * factors[unit] == pytest.approx(result.value(name), rel=1e-3)
        low, high = result.interval(name)
        shown = [float(end.split()[0]) * factors[end.split()[1]] for end in interval.split(" to ")]
        assert shown == pytest.approx([low, high], rel=1e-3)
        assert float(width.rstrip("%")) == pytest.approx(
            50 * (high - low) / result.value(name), abs=0.06
        )


def test_notes_have_loss_drive_and_warnings(result):
    marked = dataclasses.replace(result, warnings=("Mind this.",))
    notes = str(marked).split("\n\n")[1]
    assert f"{result.loss:.4g} (mean of the loops)" in notes
    assert f"numerical error {result.loss_error:.1g}" in notes
    for fitted in result.loops:
        assert (
            f"{fitted.loop.name}: NMSE(v) {fitted.nmse_v:.4g}, NMSE(i) {fitted.nmse_i:.4g}; "
            in (notes)
        )
        assert fitted.drive in notes
    assert notes.count("5 kohm in series, 1 kHz, drive: ") == 2
    assert "A note." in notes
    assert notes.endswith("Mind this.")


def test_marks_of_what_is_not_to_be_relied_on(result):
    marked = dataclasses.replace(result, at_bound=("r_off",), not_identifiable=("tau[1]",))
    cells = columns(marked)
    assert cells["r_off"][-1] == "at a bound"
    assert cells["tau[1]"][-1] == "hardly pinned"
    assert cells["r_on"][-1].endswith("%")


def test_html_has_the_same_rows_and_escapes_names(result):
    strange = dataclasses.replace(result.loops[0].loop, name="<b>&")
    loops = (dataclasses.replace(result.loops[0], loop=strange), result.loops[1])
    html = dataclasses.replace(result, loops=loops)._repr_html_()
    for name in (*result.names, "v_off"):
        assert f"<td>{name}</td>" in html
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html


# --- JSON ---------------------------------------------------------------------------------------


def test_json_has_it_all_without_loss(result):
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert list(data["parameters"]) == list(result.names)
    for k, name in enumerate(result.names):
        entry = data["parameters"][name]
        assert entry["value"] == result.values[k]
        assert entry["interval"] == result.intervals[k].tolist()
        assert entry["bounds"] == result.bounds[k].tolist()
        assert entry["identifiable"] is (name not in result.not_identifiable)
    assert data["correlation"]["names"] == list(result.names)
    np.testing.assert_array_equal(data["correlation"]["matrix"], result.correlation)
    assert data["held"] == {"v_off": 0.15}
    assert data["device"]["tau"] == result.device.tau
    assert data["series_resistor"] == 5000.0
    assert [loop["file"] for loop in data["loops"]] == ["first.csv", "second"]
    assert data["loss"] == result.loss
    assert data["loss"] == pytest.approx(data["nmse_v"] + data["nmse_i"], rel=1e-6)


# --- preset -------------------------------------------------------------------------------------


def test_preset_comes_back_as_it_was_written(result, tmp_path):
    path = result.save_preset(
        tmp_path / "device.toml", "mine", description='My "device", \u00e9', source="a bench"
    )
    assert path == tmp_path / "device.toml"
    preset = load_device(path)
    assert preset == result.preset("mine", description='My "device", \u00e9', source="a bench")
    assert (preset.name, preset.source) == ("mine", "a bench")
    assert preset.device == result.device
    fit = preset.fit
    assert (fit.loss, fit.level, fit.seed, fit.temperature) == (result.loss, 0.95, 0, 298.5)
    assert fit.series_resistor == 5000.0
    assert fit.held == {"v_off": 0.15}
    assert fit.warnings == list(result.warnings)
    assert fit.intervals["tau"] == result.interval("tau[0]")
    first, second = fit.loops
    assert (first.file, first.sha256, first.points) == ("first.csv", "ab" * 32, 120)
    assert first.frequency == pytest.approx(1e3)
    # the largest of the noisy samples
    assert [first.amplitude, second.amplitude] == pytest.approx([0.8, 1.0], rel=0.05)
    assert [p.name for p in tmp_path.iterdir()] == ["device.toml"]


def test_preset_of_another_loop_has_its_own_parameters(result):
    preset = result.preset(loop=1)
    assert preset.name == "second_mms"
    assert preset.device.tau == result.value("tau[1]")
    assert preset.device.r_on == result.value("r_on")
    assert preset.fit.intervals["tau"] == result.interval("tau[1]")
    for loop in (2, -1):
        with pytest.raises(FitError, match="give 0 to 1"):
            result.preset(loop=loop)


@pytest.mark.slow
def test_state_at_the_begin_of_a_record_is_not_the_presets(single_shot):
    assert "x_0" in single_shot.names
    preset = single_shot.preset()
    assert preset.device.x_0 == 0
    assert set(preset.fit.intervals) == set(single_shot.names) - {"x_0"}
    assert preset.fit.loops[0].frequency is None
    assert "single shot" in str(single_shot)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("5k 0.8V", "fit_5k_0_8V_mms"),
        ("l\u00fccke-3", "l_cke_3_mms"),
        ("a" * 200, f"{'a' * 60}_mms"),
        ("", "_mms"),
    ],
)
def test_any_file_name_makes_a_preset(result, name, made, tmp_path):
    loop = dataclasses.replace(result.loops[0].loop, name=name, file=f"{name}.csv")
    loops = (dataclasses.replace(result.loops[0], loop=loop),) * 60
    path = dataclasses.replace(result, loops=loops).save_preset(tmp_path / "x.toml")
    preset = load_device(path)
    assert preset.name == made
    assert f"{name}.csv" in preset.source
    assert len(preset.description) <= 2000


def test_bad_presets_are_one_sentence(result, tmp_path):
    with pytest.raises(DesignError, match="name"):
        result.save_preset(tmp_path / "x.toml", "two words")
    with pytest.raises(OutputError, match="cannot be written"):
        result.save_preset(tmp_path / "no" / "x.toml")
    assert not list(tmp_path.iterdir())


# --- figures ------------------------------------------------------------------------------------


def test_loops_have_a_panel_each(result):
    first, second = figures.loop_figure(result).axes
    for ax, fitted in ((first, result.loops[0]), (second, result.loops[1])):
        assert ax.get_xlabel() == r"device voltage $v_\mathrm{mem}$ (V)"
        assert ax.get_ylabel() == "current $i_\\mathrm{mem}$ (\u00b5A)"
        assert fitted.loop.name in ax.get_title()
        measured, drawn = ax.lines[:2]
        np.testing.assert_array_equal(measured.get_xdata(), fitted.loop.v_mem)
        np.testing.assert_allclose(measured.get_ydata(), fitted.loop.i * 1e6)
        # a steady state is drawn closed
        assert len(drawn.get_xdata()) == 121
        assert drawn.get_xydata()[0] == pytest.approx(drawn.get_xydata()[-1])


def test_an_open_loop_is_drawn_open(single_shot):
    (ax,) = figures.loop_figure(single_shot).axes
    assert len(ax.lines[1].get_xdata()) == 120


def test_four_loops_leave_no_empty_panel(result):
    four = dataclasses.replace(result, loops=result.loops * 2)
    assert len(figures.loop_figure(four).axes) == 4


def test_traces_are_over_time(result):
    axes = np.reshape(figures.trace_figure(result).axes, (3, 2))
    labels = ["voltage (V)", "$i_\\mathrm{mem}$ (\u00b5A)", "state $x$"]
    for column, fitted in zip(axes.T, result.loops, strict=True):
        assert [ax.get_ylabel() for ax in column] == labels
        assert column[2].get_xlabel() == "time (ms)"
        source, measured, drawn = column[0].lines
        np.testing.assert_array_equal(source.get_ydata(), fitted.v_in)
        np.testing.assert_array_equal(measured.get_ydata(), fitted.loop.v_mem)
        np.testing.assert_array_equal(drawn.get_ydata(), fitted.v_mem)
        np.testing.assert_array_equal(column[2].lines[0].get_ydata(), fitted.x)


def test_residuals_are_over_time_and_voltage_with_their_autocorrelation(result):
    axes = np.reshape(figures.residual_figure(result).axes, (5, 2))
    for k, (column, fitted) in enumerate(zip(axes.T, result.loops, strict=True)):
        of_v, of_i = fitted.loop.v_mem - fitted.v_mem, fitted.loop.i - fitted.i
        for row, values, name in (
            (0, of_v * 1e3, "residual of $v_\\mathrm{mem}$\n(mV)"),
            (1, of_i * 1e6, "residual of $i_\\mathrm{mem}$\n(\u00b5A)"),
        ):
            # The first of a row says what the others are of.
            told = name if k == 0 else name.partition("\n")[2]
            assert column[row].get_ylabel() == column[row + 2].get_ylabel() == told
            assert column[row].get_xlabel() == "time (ms)"
            assert column[row + 2].get_xlabel() == r"measured $v_\mathrm{mem}$ (V)"
            np.testing.assert_allclose(column[row].lines[0].get_ydata(), values)
            np.testing.assert_allclose(column[row + 2].lines[0].get_ydata(), values)
            np.testing.assert_array_equal(column[row + 2].lines[0].get_xdata(), fitted.loop.v_mem)
        rho = column[4].lines[0].get_ydata()
        centred = of_v - of_v.mean()
        whole = np.correlate(centred, centred, "full")[119:159]
        np.testing.assert_allclose(rho, whole / whole[0], atol=1e-12)
        (band,) = column[4].patches
        extents = band.get_extents().transformed(column[4].transData.inverted())
        assert (extents.y0, extents.y1) == pytest.approx(
            (-1.96 / np.sqrt(120), 1.96 / np.sqrt(120)), rel=1e-6
        )
        assert column[4].get_xlabel() == "lag (samples)"


def test_residuals_are_over_the_period_or_the_record(result, single_shot):
    for of in (result, single_shot):
        loop = of.loops[0].loop
        shown = figures.residual_figure(of).axes[0].lines[0].get_xdata() * 1e-3
        record = loop.time - loop.time[0]
        expected = record if loop.period is None else np.sort(record % loop.period)
        np.testing.assert_allclose(shown, expected, atol=1e-12)


def test_correlations_are_a_matrix_with_numbers(result):
    matrix = np.eye(5)
    matrix[0, 1] = matrix[1, 0] = -0.9965
    matrix[0, 2] = matrix[2, 0] = -0.0004
    ax, bar = figures.correlation_figure(dataclasses.replace(result, correlation=matrix)).axes
    assert result.names == ("r_on", "r_off", "v_on", "tau[0]", "tau[1]")
    symbols = [rf"${n[0].upper()}_\mathrm{{{n[2:]}}}$" for n in result.names[:3]]
    # A file's own parameter has the file's number.
    symbols += [r"$\tau$ (1)", r"$\tau$ (2)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == symbols
    assert [label.get_text() for label in ax.get_yticklabels()] == symbols
    texts = np.reshape([text.get_text() for text in ax.texts], (5, 5))
    assert texts[0].tolist() == ["1.00", "\N{MINUS SIGN}0.9965", "0.00", "0.00", "0.00"]
    np.testing.assert_array_equal(ax.images[0].get_array(), matrix)
    assert bar.get_ylabel() == "correlation of the estimates"


@pytest.mark.slow
@pytest.mark.parametrize("loops", [1, 2, 4, 5])
def test_figures_can_be_printed(result, loops):
    some = dataclasses.replace(result, loops=(result.loops * 3)[:loops])
    names = tuple(each.loop.name for each in some.loops)
    for draw in (figures.loop_figure, figures.trace_figure, figures.residual_figure):
        # More loops are more than a page, which is the reader's to cut.
        if loops < 5:
            assert_printable(draw(some), names)
        else:
            assert len(draw(some).axes) % 5 == 0
    assert_printable(figures.correlation_figure(some))


def test_another_format_takes_the_place_of_the_first(result, tmp_path):
    figures.save_figures(result, tmp_path)
    paths = figures.save_figures(result, tmp_path, "pdf", title="loops of mine")
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.read_bytes().startswith(b"%PDF") for path in paths)
    with pytest.raises(OutputError, match=r"choose one of png, svg, pdf\."):
        figures.save_figures(result, tmp_path, "gif")
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.slow
def test_figures_are_written_as_png(result, tmp_path):
    paths = figures.save_figures(result, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == [
        "loops.png", "traces.png", "residuals.png", "correlations.png",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        figures.save_figures(result, tmp_path / "file")

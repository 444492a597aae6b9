"""The raw file reader on files that LTspice itself wrote.

They lie beside the checkout, in ``shared/ltspice_files``; the tests are skipped where that folder
is absent. What each file holds is stated in its ``PROVENANCE.md``.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spicealif.errors import RawFileError
from spicealif.rawfile._compression import interpolate, middles
from spicealif.rawfile.raw import RawPlot, read_raw

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "ltspice_files"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder shared/ltspice_files is not beside the checkout"
)

FEICHT = "PeterFeicht__ltspice2matlab/testdata"
PARK = "DongHoonPark__ltspice_pytool"
SVD = "svd-ai-lab__sim-plugin-ltspice/tests/lib/fixtures"

#: The true number of steps. The table counts restarts of the axis, and so the doubled first points
#: of LTspice IV's binary files twice, and the points of an operating point not at all.
STEPS = {
    f"{FEICHT}/IV/bin/dc/dc_stepped.raw": 4,
    f"{FEICHT}/IV/bin/tran/tran_stepped.raw": 2,
    f"{FEICHT}/IV/bin/op/op_stepped.raw": 11,
    f"{FEICHT}/IV/text/dc/dc_stepped.raw": 4,
    f"{FEICHT}/XVII/bin/ac/ac_stepped.raw": 3,
    f"{FEICHT}/XVII/bin_compressed/tran/tran_stepped.raw": 2,
    f"{FEICHT}/XVII/bin_compressed/dc/dc_stepped.raw": 4,
    f"{PARK}/examples/05_AC/ac.raw": 3,
    f"{PARK}/unittest/reverse_x_analysis.raw": 28,
    f"{SVD}/raw/step_rc.raw": 3,
}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    file: str
    encoding: str
    body: str
    flags: frozenset[str]
    n_variables: int
    n_points: int
    negative: int
    axis: tuple[complex, complex]
    name: str
    values: tuple[complex, complex]

    @property
    def path(self) -> Path:
        return FOLDER / self.file

    def plot(self) -> RawPlot:
        (plot,) = read_raw(self.path)
        return plot


def ends(text: str) -> tuple[complex, complex]:
    first, _, last = text.partition(" → ")
    return complex(first), complex(last)


def table() -> list[Row]:
    if not FOLDER.is_dir():
        return []
    rows = []
    for line in (FOLDER / "PROVENANCE.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 8 or not cells[0].endswith(".raw"):
            continue
        encoding, body = cells[2].split(" / ")
        n_variables, n_points = map(int, cells[4].split("\N{MULTIPLICATION SIGN}"))
        name, _, values = cells[7].rpartition(": ")
        rows.append(
            Row(
                cells[0],
                encoding,
                body,
                frozenset(cells[3].split()),
                n_variables,
                n_points,
                int(cells[5].split("/")[0]),
                ends(cells[6]),
                name,
                ends(values),
            )
        )
    return rows


ROWS = table()
each_file = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.file)


def path(file: str) -> Path:
    return FOLDER / file


def plot_of(file: str) -> RawPlot:
    (plot,) = read_raw(path(file))
    return plot


# ---------------------------------------------------------------- every file, against the table


def test_the_table_lists_every_file() -> None:
    assert len(ROWS) > 20
    assert sorted(row.path for row in ROWS) == sorted(FOLDER.rglob("*.raw"))


@each_file
def test_values_are_those_of_the_table(row: Row) -> None:
    plot = row.plot()
    assert plot.flags == row.flags
    assert len(plot.variables) == row.n_variables
    assert plot.n_points == plot.n_points_declared == row.n_points
    assert not plot.truncated
    assert plot.writer == "ltspice"
    assert plot.command.startswith("Linear Technology Corporation LTspice")
    assert plot.offset == 0
    assert plot.compressed == (row.negative > 0)
    columns = plot.read_all()
    assert len(columns) == row.n_variables
    for column, (first, last) in ((columns[0], row.axis), (plot[row.name], row.values)):
        assert column.shape == (row.n_points,)
        np.testing.assert_allclose(column[0], first, rtol=1e-5, atol=1e-30)
        np.testing.assert_allclose(column[-1], last, rtol=1e-5, atol=1e-30)
    is_complex = "complex" in row.flags
    wide = row.body == "values" or "double" in row.flags
    types = {column.dtype for column in columns[1:]}
    expected = np.complex128 if is_complex else np.float64 if wide else np.float32
    assert types == {np.dtype(expected)}
    assert columns[0].dtype == (np.complex128 if is_complex else np.float64)


@each_file
def test_steps_are_the_true_ones(row: Row) -> None:
    plot = row.plot()
    assert plot.n_steps == len(plot.steps) == STEPS.get(row.file, 1)
    assert (plot.n_steps > 1) == ("stepped" in row.flags)
    assert plot.step_values is None  # no stepped file has its log beside it
    total = 0
    whole = plot.columns()
    for k, points in enumerate(plot.steps):
        columns = plot.columns(k)
        for name, column in columns.items():
            np.testing.assert_array_equal(column, whole[name][points])
        total += points.stop - points.start
        if plot.axis is not None:
            moves = np.diff(columns[plot.axis].real)
            assert (moves < 0).all() if "reverse" in row.flags else (moves > 0).all()
    doubled = plot.n_steps - 1 if "IV/bin" in row.file and plot.axis else 0
    assert total == plot.n_points - doubled
    assert (plot.axis is None) == (".op" in row.file or "/op" in row.file or "/tf" in row.file)


def test_lengths_of_steps() -> None:
    def lengths(file: str) -> list[int]:
        return [s.stop - s.start for s in plot_of(f"{FEICHT}/{file}").steps]

    assert lengths("IV/bin/dc/dc_stepped.raw") == [11] * 4
    assert lengths("IV/text/dc/dc_stepped.raw") == [11] * 4
    assert lengths("IV/bin/tran/tran_stepped.raw") == [1042, 1042]
    assert lengths("IV/bin/op/op_stepped.raw") == [1] * 11
    assert lengths("XVII/bin_compressed/dc/dc_stepped.raw") == [5, 6, 6, 8]
    assert lengths("XVII/bin_compressed/tran/tran_stepped.raw") == [71, 71]


def test_binary_steps_are_those_of_the_text() -> None:
    binary = plot_of(f"{FEICHT}/IV/bin/dc/dc_stepped.raw")
    text = plot_of(f"{FEICHT}/IV/text/dc/dc_stepped.raw")
    for k in range(4):
        ours = binary.columns(k)
        for name, column in text.columns(k).items():
            np.testing.assert_allclose(ours[name], column, rtol=1e-7, atol=1e-13)


def test_titles_that_are_not_ascii() -> None:
    title = plot_of(f"{SVD}/raw/step_rc.raw").title
    assert title.startswith("* RC with parameter sweep")
    assert not title.isascii()


# ---------------------------------------------------------------- twins


@pytest.mark.parametrize(
    ("one", "other", "rtol"),
    [
        ("unittest/rl_circuit_tran.raw", "unittest/rl_circuit_tran64b.raw", 1e-7),
        ("unittest/rl_circuit_ac.raw", "unittest/rl_circuit_acascii.raw", 1e-7),
    ],
)
def test_twins_agree(one: str, other: str, rtol: float) -> None:
    first, second = plot_of(f"{PARK}/{one}"), plot_of(f"{PARK}/{other}")
    assert first.names == second.names
    for name in first.names:
        scale = np.abs(second[name]).max()
        np.testing.assert_allclose(first[name], second[name], rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("version", ["IV", "XVII"])
def test_binary_is_smoothed_text(version: str) -> None:
    """LTspice smooths what it writes in binary, against the ringing of its trapezoidal rule.

    Its weights are 1, 2, 1, so a sine of 1 kHz in steps of 1.95 us comes out 4e-5 too small; text
    has the solver's own values. Both versions' files show it to the last bit of a float32.
    """
    binary = plot_of(f"{FEICHT}/{version}/bin/tran/tran.raw")
    text = plot_of(f"{FEICHT}/{version}/text/tran/tran.raw")
    np.testing.assert_allclose(binary["time"], text["time"], rtol=0, atol=1e-15)
    even = slice(30, -5)  # where the steps are equal
    for name in binary.names[1:]:
        solved = text[name]
        smooth = (solved[:-2] + 2 * solved[1:-1] + solved[2:]) / 4
        scale = np.abs(solved).max()
        np.testing.assert_allclose(
            binary[name][1:-1][even], smooth[even], rtol=0, atol=2e-7 * scale
        )
    sine = text["V(ue1)"]
    assert np.abs(binary["V(ue1)"] - sine).max() > 3e-5 * np.abs(sine).max()


# ---------------------------------------------------------------- other readers

#: Where spicelib 1.6 is wrong: it takes the first point's value for the beginning of a step even
#: where there is no log, and then has no place for it.
SPICELIB_FAILS = frozenset(file for file in STEPS if "op_stepped" not in file)
#: It keeps LTspice's text values as float32; binary ones are that in the file.
SPICELIB_ROUNDS = frozenset(f"{FEICHT}/{v}/text/tran/tran.raw" for v in ("IV", "XVII"))


@each_file
def test_agrees_with_spicelib(row: Row) -> None:
    from spicelib import RawRead  # type: ignore[import-untyped]

    plot = row.plot()
    logging.disable(logging.CRITICAL)
    try:
        if row.file in SPICELIB_FAILS:
            with pytest.raises(IndexError):
                RawRead(str(row.path), traces_to_read="*", verbose=False)
            return
        other = RawRead(str(row.path), traces_to_read="*", verbose=False)
    finally:
        logging.disable(logging.NOTSET)
    for name, column in zip(plot.names, plot.read_all(), strict=True):
        # its traces keep the marks of compressed points; its axis does not
        theirs = other.get_axis() if name == plot.axis else other.get_trace(name).data
        if row.file in SPICELIB_ROUNDS and name != plot.axis:
            assert np.asarray(theirs).dtype == np.float32
            column = column.astype(np.float32)  # noqa: PLW2901
        np.testing.assert_array_equal(column, theirs)


@pytest.mark.parametrize("file", sorted(f for f in SPICELIB_FAILS if "/IV/" not in f))
def test_agrees_with_spicelib_where_it_has_a_log(file: str, tmp_path: Path) -> None:
    """LTspice IV's doubled points are steps to it, and it looks for text's before reading it."""
    from spicelib import RawRead

    plot = plot_of(file)
    copy = shutil.copy(path(file), tmp_path / "a.raw")
    log = "Circuit: x\n\n" + "".join(f".step k={k}\n" for k in range(plot.n_steps)) + "\n"
    copy.with_suffix(".log").write_text(log + "Date: x\nTotal elapsed time: 0.1 seconds.\n")
    other = RawRead(str(copy), traces_to_read="*", verbose=False)
    assert list(other.get_steps()) == list(range(plot.n_steps))
    for k in range(plot.n_steps):
        for name, column in plot.columns(k).items():
            theirs = other.get_wave(name, k)
            np.testing.assert_array_equal(column.astype(theirs.dtype), theirs)


#: Where the package ``ltspice`` 1.0.6 is wrong about steps: LTspice IV's doubled points are steps
#: to it, and the steps of an operating point are one. What it counts is in the second place.
LTSPICE_MISCOUNTS = {
    f"{FEICHT}/IV/bin/dc/dc_stepped.raw": 7,
    f"{FEICHT}/IV/bin/tran/tran_stepped.raw": 3,
    f"{FEICHT}/IV/bin/op/op_stepped.raw": 1,
}


@each_file
def test_agrees_with_ltspice(row: Row) -> None:
    """The package ``ltspice`` 1.0.6 reads no float32 binary file with NumPy from 2.4 on.

    Before that NumPy makes a number of an array of one, and the package is a second reader.
    """
    import ltspice

    plot = row.plot()
    single = plot.read_all()[-1].dtype == np.float32
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = ltspice.Ltspice(str(row.path))
        if single and np.lib.NumpyVersion(np.__version__) >= "2.4.0":
            with pytest.raises(ValueError, match="array element"):
                other.parse()
            return
        other.parse()
    if row.file in LTSPICE_MISCOUNTS:
        assert other.case_count == LTSPICE_MISCOUNTS[row.file] != plot.n_steps
        return
    assert other.case_count == plot.n_steps
    for k in range(plot.n_steps):
        for name, column in plot.columns(k).items():
            theirs = other.get_x(k) if name == plot.axis else other.get_data(name, k)
            if single and plot.n_points == 1:
                # It keeps an operating point's first variable, a double in the file, as float32.
                assert theirs.dtype == np.float32
                np.testing.assert_array_equal(column.astype(np.float32), theirs)
            else:
                np.testing.assert_array_equal(column, theirs)


# ---------------------------------------------------------------- compression

#: The variables of which LTspice's own compression loses more than 0.2 % of the range: theirs is
#: a small part of their value, and its tolerance is a part of the value. The figure is what a
#: parabola through the *uncompressed* file's values at the same three times is off by, in percent
#: of the range; no reader can do better than what was written.
LOST = {
    "V(ue12)": 2.7,
    "Ib(Q1)": 0.41,
    "Ib(Q2)": 0.41,
    "I(E1)": 0.41,
    "I(E2)": 0.41,
    "I(Vc)": 2.9,
}


def twins() -> tuple[RawPlot, RawPlot]:
    return (
        plot_of(f"{FEICHT}/XVII/bin/tran/tran.raw"),
        plot_of(f"{FEICHT}/XVII/bin_compressed/tran/tran.raw"),
    )


def test_expanded_waveforms_agree_with_the_uncompressed_twin() -> None:
    whole, compressed = twins()
    t = whole["time"]
    expanded = compressed.columns(expand=True)
    assert compressed.n_points < len(expanded["time"]) < 32 * compressed.n_points
    assert np.isin(compressed["time"], expanded["time"]).all()
    assert (np.diff(expanded["time"]) > 0).all()
    for name in whole.names[1:]:
        truth = whole[name].astype(float)
        span, size = np.ptp(truth), np.abs(truth).max()
        lines = np.interp(t, expanded["time"], expanded[name].astype(float))
        exact = compressed.at(name, t)
        assert np.abs(lines - exact).max() <= 3e-4 * span + 1e-6 * size
        stored = np.interp(t, compressed["time"], compressed[name].astype(float))
        for ours in (lines, exact):
            error = np.abs(ours - truth).max()
            assert error <= LOST.get(name, 0.2) / 100 * span, name
            # LTspice's tolerance: relative, and absolute for a voltage or a current
            assert error <= 0.0025 * size + (1e-5 if name.startswith("V") else 1e-9)
            if span:
                assert error < np.abs(stored - truth).max()


def test_what_is_lost_was_lost_in_writing() -> None:
    """A parabola through true values is as far off, so the loss is in the points chosen."""
    whole, compressed = twins()
    t = whole["time"]
    marks = middles(compressed._source.read(range(1), slice(0, 36))[0])
    assert len(marks) == 16
    axis = compressed["time"]
    ends = np.setdiff1d(np.arange(36), marks)
    for name, most in LOST.items():
        truth = whole[name].astype(float)
        best = interpolate(t, axis, np.interp(axis, t, truth), marks)
        lost = np.abs(best - truth).max() / np.ptp(truth)
        ours = np.abs(compressed.at(name, t) - truth).max() / np.ptp(truth)
        assert 0.002 < lost <= most / 100
        assert ours <= lost * 1.01
        # the ends of parabolas are the simulation's own points, to the last bit
        at = np.searchsorted(t, axis[ends] * (1 - 1e-12))
        np.testing.assert_array_equal(compressed[name][ends], whole[name][at])


def test_a_smooth_waveform_expands_well() -> None:
    """Charging of 100 nF through 1 kohm, known in closed form."""
    plot = plot_of(f"{SVD}/ltspice_good.raw")
    expanded = plot.columns(expand=True)
    t = expanded["time"]
    first = t < 0.9e-3
    # the source rises within 1 us
    tau, rise = 1e-4, 1e-6
    closed = 1 - tau / rise * (np.exp(rise / tau) - 1) * np.exp(-t / tau)
    late = first & (t > 2e-6)
    assert np.abs(expanded["V(out)"] - closed)[late].max() < 1e-3


def test_expanding_leaves_other_plots_alone() -> None:
    for file in (f"{FEICHT}/XVII/bin/tran/tran.raw", f"{PARK}/unittest/rl_circuit_ac.raw"):
        plot = plot_of(file)
        for name, column in plot.columns(expand=True).items():
            np.testing.assert_array_equal(column, plot[name])


def test_values_between_points_of_each_step() -> None:
    plot = plot_of(f"{PARK}/unittest/reverse_x_analysis.raw")
    for k in (0, 27):
        columns = plot.columns(k)
        got = plot.at("V(n004)", columns["vce"], k)
        np.testing.assert_array_equal(got, columns["V(n004)"])
        middle = plot.at("V(n004)", 0.5, k)
        assert middle == pytest.approx(columns["V(n004)"][-2:].mean())
    with pytest.raises(RawFileError, match="28 steps and none is chosen"):
        plot.at("V(n004)", 0.5)
    with pytest.raises(RawFileError, match="28 steps, no 28"):
        plot.columns(28)
    with pytest.raises(RawFileError, match="none is chosen"):
        plot.columns(expand=True)


# ---------------------------------------------------------------- logs


def with_log(tmp_path: Path, lines: int) -> Path:
    copy = shutil.copy(path(f"{SVD}/raw/step_rc.raw"), tmp_path / "rc.raw")
    steps = "".join(f".step r={k + 1}k c={k}n\n" for k in range(lines))
    log = f"Circuit: * RC\n\n{steps}\nTotal elapsed time: 0.011 seconds.\n"
    (tmp_path / "rc.log").write_text(log)
    return copy


def test_log_beside_the_file_gives_step_values(tmp_path: Path) -> None:
    raw = with_log(tmp_path, 3)
    (plot,) = read_raw(raw)
    assert plot.step_values is not None
    assert [v["r"] for v in plot.step_values] == pytest.approx([1000, 2000, 3000])
    assert read_raw(raw, log=tmp_path / "rc.log")[0].step_values == plot.step_values
    assert read_raw(str(raw), log=str(tmp_path / "rc.log"))[0].step_values == plot.step_values


def test_log_of_another_run_is_ignored_or_refused(tmp_path: Path) -> None:
    raw = with_log(tmp_path, 4)
    assert read_raw(raw)[0].step_values is None
    with pytest.raises(RawFileError, match=r"lists 4 steps, and .* has 3; pass the log of the"):
        read_raw(raw, log=tmp_path / "rc.log")
    with pytest.raises(RawFileError, match="4 steps"):  # a file without steps
        read_raw(path(f"{SVD}/ltspice_good.raw"), log=tmp_path / "rc.log")
    with pytest.raises(RawFileError, match="log cannot be read"):
        read_raw(raw, log=tmp_path / "missing.log")
    (tmp_path / "rc.log").write_bytes(bytes(range(256)))
    assert read_raw(raw)[0].step_values is None
    (tmp_path / "rc.log").unlink()
    (tmp_path / "rc.log").mkdir()
    assert read_raw(raw)[0].step_values is None


def test_log_of_a_run_without_steps(tmp_path: Path) -> None:
    assert read_raw(path(f"{SVD}/ltspice_good.raw"))[0].step_values is None
    good = path(f"{SVD}/ltspice_good.log")
    assert read_raw(path(f"{SVD}/ltspice_good.raw"), log=good)[0].step_values is None


# ---------------------------------------------------------------- damage


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        f"{FEICHT}/XVII/bin/tf/tf.raw",
        f"{FEICHT}/XVII/bin/tran/tran.op.raw",
        f"{FEICHT}/XVII/bin_compressed/tran/tran.raw",
        f"{FEICHT}/XVII/bin_compressed/dc/dc_stepped.raw",
        f"{FEICHT}/IV/bin/op/op_stepped.raw",
        f"{FEICHT}/IV/bin/dc/dc_stepped.raw",
        f"{SVD}/ltspice_good.op.raw",
    ],
)
def test_cut_at_every_byte(file: str, tmp_path: Path) -> None:
    cut_everywhere(path(file).read_bytes(), tmp_path / "cut.raw")


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", [f"{FEICHT}/IV/text/dc/dc_stepped.raw", f"{PARK}/unittest/rl_circuit_acascii.raw"]
)
def test_text_cut_at_every_byte(file: str, tmp_path: Path) -> None:
    content = path(file).read_bytes()[:4000]
    cut_everywhere(content, tmp_path / "cut.raw")


def cut_everywhere(content: bytes, copy: Path) -> None:
    copy.write_bytes(content)
    (whole,) = read_raw(copy)
    columns, n_steps = whole.read_all(), whole.n_steps
    most, before = 0, -1
    for cut in range(len(content) - 1, -1, -1):
        os.truncate(copy, cut)
        try:
            (plot,) = read_raw(copy)
        except RawFileError as error:
            assert str(error).endswith(".")
            assert "\n" not in str(error)
            continue
        assert plot.n_points <= whole.n_points
        assert plot.truncated
        if plot.n_points == before:
            continue  # the same bytes as with the last cut
        before = plot.n_points
        most = max(most, plot.n_points)
        for ours, column in zip(plot.read_all(), columns, strict=True):
            np.testing.assert_array_equal(ours, column[: plot.n_points])
        assert plot.n_steps <= n_steps
        plot.columns(step=0, expand=True)
    assert most >= whole.n_points - 1

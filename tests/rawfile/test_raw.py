"""The raw file reader against ngspice's own output, other readers, and damaged files.

Other simulators' files are read in `test_raw_ltspice.py` and `test_raw_flavours.py`.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_ngspice import with_home

from spicealif.errors import RawFileError
from spicealif.rawfile.raw import RawPlot, RawVariable, read_raw
from spicealif.rawfile.second_reader import cross_check

RC = """V1 in 0 dc 1 ac 1 PULSE(0 1 1u 1u 1u 10u 20u)
R1 in out 1k
C1 out 0 1n
"""
TRAN = f"test deck\n{RC}.tran 0.1u 20u 0 1u\n.end\n"
AC = f"test deck\n{RC}.ac dec 5 1 1meg\n.end\n"
# B1 has no solution once v(out) passes 0.5 V, so the transient fails; the noise analysis follows
FAILING = f"""test deck
{RC.replace("dc 1", "dc 0")}B1 x 0 V= v(out) > 0.5 ? (v(x) > 0.5 ? 0 : 1) : 0
R2 x 0 1
.tran 0.1u 20u 0 0.1u
.noise v(out) V1 dec 5 1 1meg
.end
"""
LONG = "long run\nV1 in 0 SIN(0 1 1meg)\nR1 in out 1k\nC1 out 0 1n\n.tran 1n 10 0 1n\n.end\n"


def run_ngspice(deck: str, folder: Path, *, text: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deck.cir").write_text(deck)
    command = ["ngspice", "-n", "-b", "-r", "out.raw", "-o", "out.log", "deck.cir"]
    if text:
        (folder / ".spiceinit").write_text("set filetype=ascii\n")
        command.remove("-n")
    subprocess.run(
        command, cwd=folder, env=with_home(), check=False, timeout=60, capture_output=True
    )
    assert (folder / "out.raw").exists() or ".control" in deck
    return folder / "out.raw"


def run_control(commands: str, folder: Path) -> Path:
    run_ngspice(f"test deck\n{RC}.control\n{commands}\n.endc\n.end\n", folder)
    return folder


@pytest.fixture(scope="module")
def tran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_ngspice(TRAN, tmp_path_factory.mktemp("tran"))


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_ngspice(FAILING, tmp_path_factory.mktemp("failing"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three analyses written in many ways by ngspice itself."""
    return run_control(
        """op
tran 0.5u 5u 0 1u
ac dec 5 1 1meg
set wr_singlescale
set wr_vecnames
set numdgt=16
setplot tran1
wrdata tran.txt v(in) v(out) i(v1)
setplot ac1
wrdata ac.txt v(in) v(out) i(v1)
write three.raw op1.all tran1.all ac1.all
set appendwrite
setplot op1
write appended.raw
setplot tran1
write appended.raw
setplot ac1
write appended.raw
unset appendwrite
setplot tran1
write odd.raw v(out) V(out) v(in) - 2*v(out)
set filetype=ascii
write three_text.raw op1.all tran1.all ac1.all
set filetype=binary
set nopadding
write unpadded.raw
let short=vector(5)
write short.raw v(out) short
unset nopadding
write padded.raw v(out) short""",
        tmp_path_factory.mktemp("written"),
    )


def assert_sentence(error: RawFileError, path: Path | None = None) -> None:
    message = str(error)
    assert message.endswith(".")
    assert "\n" not in message
    assert "; " in message
    if path is not None:
        assert str(path) in message


def refused(path: Path) -> str:
    with pytest.raises(RawFileError) as caught:
        read_raw(path)
    assert_sentence(caught.value, path)
    return str(caught.value)


def make(
    n_points: int | str = 3,
    variables: tuple[str, ...] = ("time\ttime", "v(a)\tvoltage"),
    data: bytes | None = None,
    *,
    flags: str = "real",
    extra: str = "",
    end: str = "Binary",
) -> bytes:
    lines = "".join(f"\t{i}\t{v}\n" for i, v in enumerate(variables))
    header = (
        f"Title: made\nDate: today\nPlotname: Transient Analysis\nFlags: {flags}\n"
        f"No. Variables: {len(variables)}\nNo. Points: {n_points}\n{extra}"
        f"Variables:\n{lines}{end}:\n"
    )
    if data is None:
        data = np.arange(3.0 * len(variables)).tobytes()
    return header.encode() + data


# ---------------------------------------------------------------- against ngspice and others


def test_binary_transient_agrees_with_spicelib_and_ltspice(tran: Path) -> None:
    import ltspice
    from spicelib import RawRead  # type: ignore[import-untyped]

    (plot,) = read_raw(tran)
    assert plot.title == "test deck"
    assert plot.plotname == "Transient Analysis"
    assert plot.flags == {"real"}
    assert plot.variables == (
        RawVariable("time", "time"),
        RawVariable("v(in)", "voltage"),
        RawVariable("v(out)", "voltage"),
        RawVariable("i(v1)", "current"),
    )
    assert plot.n_points == plot.n_points_declared > 20
    assert not plot.truncated
    spicelib = RawRead(str(tran), dialect="ngspice", verbose=False)
    other = ltspice.Ltspice(str(tran))
    other.parse()
    for name in plot.names:
        expected = np.asarray(spicelib.get_trace(name).data)
        np.testing.assert_array_equal(plot[name], expected)
        if name != "time":
            np.testing.assert_array_equal(plot[name], np.ravel(other.get_data(name)))
    assert plot["time"][-1] == pytest.approx(20e-6)


def test_complex_agrees_with_spicelib(tmp_path: Path) -> None:
    from spicelib import RawRead

    path = run_ngspice(AC, tmp_path)
    (plot,) = read_raw(path)
    assert plot.is_complex
    assert plot.n_points == 31
    spicelib = RawRead(str(path), dialect="ngspice", verbose=False)
    for name in plot.names[1:]:
        np.testing.assert_array_equal(plot[name], np.asarray(spicelib.get_trace(name).data))
    # ngspice leaves the imaginary part of the frequency uninitialised with -r
    frequency = plot["frequency"]
    np.testing.assert_allclose(frequency.real, np.logspace(0, 6, 31), rtol=1e-9)
    assert not frequency.imag.any()
    assert not plot.read_all()[0].imag.any()
    s = 2j * np.pi * frequency
    np.testing.assert_allclose(plot["v(out)"], 1 / (1 + s * 1e-6), rtol=1e-6)


@pytest.mark.parametrize("name", ["three.raw", "three_text.raw", "appended.raw"])
def test_several_plots_agree_with_wrdata(written: Path, name: str) -> None:
    op, transient, ac = read_raw(written / name)
    assert [p.plotname for p in (op, transient, ac)] == [
        "Operating Point",
        "Transient Analysis",
        "AC Analysis",
    ]
    assert not any(p.truncated for p in (op, transient, ac))
    assert op.n_points == 1
    assert op["v(out)"].tolist() == [1.0]
    table = np.loadtxt(written / "tran.txt", skiprows=1)
    np.testing.assert_allclose(np.transpose(transient.read_all()), table, rtol=1e-14, atol=1e-300)
    table = np.loadtxt(written / "ac.txt", skiprows=1)
    for i, column in enumerate(["v(in)", "v(out)", "i(v1)"]):
        expected = table[:, 1 + 2 * i] + 1j * table[:, 2 + 2 * i]
        np.testing.assert_allclose(ac[column], expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("deck", [TRAN, AC])
def test_text_written_during_the_run_agrees_with_binary(deck: str, tmp_path: Path) -> None:
    (binary,) = read_raw(run_ngspice(deck, tmp_path / "b"))
    path = run_ngspice(deck, tmp_path / "t", text=True)
    assert b"Values:" in path.read_bytes()
    (text,) = read_raw(path)
    assert text.variables == binary.variables
    assert text.n_points == binary.n_points
    np.testing.assert_allclose(text.read_all(), binary.read_all(), rtol=1e-14, atol=1e-300)
    np.testing.assert_array_equal(text["V(OUT)"], text.read_all()[2])


@pytest.mark.parametrize("text", [False, True])
def test_killed_run_is_recovered(text: bool, tmp_path: Path) -> None:
    (tmp_path / "deck.cir").write_text(LONG)
    command = ["ngspice", "-n", "-b", "-r", "out.raw", "-o", "out.log", "deck.cir"]
    if text:
        (tmp_path / ".spiceinit").write_text("set filetype=ascii\n")
        command.remove("-n")
    path = tmp_path / "out.raw"
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=with_home(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 20
            while not path.exists() or path.stat().st_size < 100_000:
                assert time.monotonic() < deadline, "ngspice wrote no raw file"
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
    content = path.read_bytes()
    assert b"No. Points: 0 " in content
    (plot,) = read_raw(path)
    assert plot.truncated
    assert plot.n_points_declared == 0
    assert plot.n_points > 500
    if not text:
        start = content.index(b"Binary:\n") + 8
        assert plot.n_points == (len(content) - start) // 32
        expected = np.frombuffer(content, "<f8", plot.n_points * 4, start).reshape(-1, 4)
        np.testing.assert_array_equal(plot.read_all(), expected.T)
    assert np.all(np.diff(plot["time"]) > 0)
    np.testing.assert_allclose(plot["v(in)"], np.sin(2e6 * np.pi * plot["time"]), atol=1e-9)


def test_failed_analysis_followed_by_another(failing: Path) -> None:
    plots = {p.plotname: p for p in read_raw(failing)}
    assert list(plots)[-2:] == ["Noise Spectral Density Curves", "Integrated Noise"]
    failed = plots["Transient Analysis"]
    assert failed.truncated
    assert failed.n_points_declared == 0
    times = failed["time"]
    assert np.all(np.diff(times) > 0)
    assert 1e-6 < times[-1] < 3e-6  # where v(out) reaches 0.5 V
    noise = plots["Noise Spectral Density Curves"]
    assert not noise.truncated
    np.testing.assert_allclose(noise["frequency"], np.logspace(0, 6, 31), rtol=1e-9)


def test_odd_names_and_repeated_vectors(written: Path) -> None:
    (plot,) = read_raw(written / "odd.raw")
    assert plot.names == ("time", "v(out)", "v(out)", "v(in) - 2*v(out)")
    np.testing.assert_array_equal(plot["v(out)"], plot.read_all()[2])
    assert list(plot.columns()) == ["time", "v(out)", "v(in) - 2*v(out)"]
    source = read_raw(written / "three.raw")[1]
    np.testing.assert_allclose(
        plot["v(in) - 2*v(out)"], source["v(in)"] - 2 * source["v(out)"], atol=1e-15
    )


def test_unpadded(written: Path) -> None:
    (plot,) = read_raw(written / "unpadded.raw")
    assert "unpadded" in plot.flags
    np.testing.assert_array_equal(plot.read_all(), read_raw(written / "three.raw")[1].read_all())
    assert "unset nopadding" in refused(written / "short.raw")
    (plot,) = read_raw(written / "padded.raw")
    assert plot.names == ("time", "v(out)", "short")
    assert plot["short"][:5].tolist() == [0, 1, 2, 3, 4]


# ---------------------------------------------------------------- the interface


def test_lookup(tran: Path) -> None:
    (plot,) = read_raw(tran)
    np.testing.assert_array_equal(plot["V(OUT)"], plot["v(out)"])
    assert "V(Out)" in plot
    assert "v(nowhere)" not in plot
    assert 3 not in plot
    assert list(plot) == list(plot.names)
    with pytest.raises(RawFileError, match=r"no variable 'v\(outt\)'; use 'v\(out\)'") as caught:
        plot["v(outt)"]
    assert_sentence(caught.value, tran)
    with pytest.raises(RawFileError, match=r"use one of time, v\(in\)"):
        plot["@#!"]


def test_columns_are_rows_of_read_all(tran: Path) -> None:
    (plot,) = read_raw(tran)
    everything = plot.read_all()
    assert len(everything) == 4
    for row, (name, column) in zip(everything, plot.columns().items(), strict=True):
        np.testing.assert_array_equal(row, column)
        np.testing.assert_array_equal(row, plot[name])
        assert column.flags.c_contiguous
    plot["time"][:] = -1  # a copy: the next read is untouched
    np.testing.assert_array_equal(plot["time"], everything[0])


def test_a_plot_can_be_pickled(tran: Path) -> None:
    (plot,) = read_raw(tran)
    again: RawPlot = pickle.loads(pickle.dumps(plot))
    np.testing.assert_array_equal(again.read_all(), plot.read_all())


@pytest.mark.parametrize("n_variables", [1, 3, 1000])
def test_blocks_and_windows_join(
    n_variables: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spicealif.rawfile._binary._WINDOW", 60_000)
    monkeypatch.setattr("spicealif.rawfile._binary._BLOCK", 9_000)
    rows = 200_000 // n_variables
    table = np.random.default_rng(1).standard_normal((rows, n_variables))
    path = tmp_path / "a.raw"
    names = tuple(f"v({i})\tvoltage" for i in range(n_variables))
    path.write_bytes(make(rows, names, table.tobytes()))
    (plot,) = read_raw(path)
    np.testing.assert_array_equal(plot.read_all(), table.T)
    np.testing.assert_array_equal(plot[f"v({n_variables - 1})"], table[:, -1])


def test_text_pieces_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    expected = [p.read_all() for p in read_raw(written / "three_text.raw")]
    monkeypatch.setattr("spicealif.rawfile._text._TEXT", 37)
    for plot, values in zip(read_raw(written / "three_text.raw"), expected, strict=True):
        np.testing.assert_array_equal(plot.read_all(), values)


def test_search_for_a_header_across_steps(failing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [p.n_points for p in read_raw(failing)]
    monkeypatch.setattr("spicealif.rawfile._lines._FIRST_SCAN", 7)
    monkeypatch.setattr("spicealif.rawfile._lines._SCAN", 101)
    assert [p.n_points for p in read_raw(failing)] == expected


def test_tolerated_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    extra = "Dimensions: 3\nCommand: version 44\nOption: reltol = 1e-6\n"
    plain = make(extra=extra)
    header, data = plain[: plain.index(b"Binary:\n") + 8], plain[-48:]
    for content in (plain, header.replace(b"\n", b"\r\n") + data, b"\n\n" + plain + b"\n"):
        path.write_bytes(content)
        (plot,) = read_raw(path)
        assert plot["v(a)"].tolist() == [1, 3, 5]
        assert plot.title == "made"
        assert not plot.truncated
    path.write_bytes(make(flags="real padded") + b"\n" + make(0, data=b"12345678" * 5))
    assert [p.n_points for p in read_raw(path)] == [3, 2]


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(make(variables=("v(A)\tvoltage", "v(a)\tvoltage")))
    (plot,) = read_raw(path)
    assert plot["v(A)"].tolist() == [0, 2, 4]
    assert plot["v(a)"].tolist() == [1, 3, 5]
    with pytest.raises(RawFileError, match="read_all"):
        plot["V(a)"]
    path.write_bytes(make(variables=("v(a)\tvoltage", "v(a)\tvoltage")))
    with pytest.raises(RawFileError, match="read_all"):
        read_raw(path)[0].columns()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"hello\n",
        b"\0" * 1000,
        b"Title: x\n",
        make(variables=()),
        make("many"),
        make("-3"),
        make("\u0663"),
        make(flags="real complex"),
        make(flags=""),
        make(extra="no colon here\n"),
        make(extra="Option: " + "x" * 70_000 + "\n"),
        make(extra="Option: x\n" * 10_001),
        make(extra="a" + " " * 60_000 + "\n"),
        make(extra="No. Variables: 99\n"),
        make() + b"garbage",
        make(end="Values", data=b" 0\t1\n\t2\n 1\t1\n\tx\n"),
        make(end="Values", data=b" 0\t1\n\t2\n 7\t1\n\t1\n 2\t1\n\t1\n"),
        make(end="Values", data=b" 0\t1\n\t2_0\n"),
        make(1, end="Values", data=b" 0\t1\n\t2\n 7\t1\n\t1\n"),
        make(1, end="Values", data=b" 0\t1\n\t2\n 7"),
        make(end="Values", data=b"9" * 5_000),
    ],
    ids=lambda c: repr(c[-24:]),
)
def test_malformed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(content)
    began = time.perf_counter()
    refused(path)
    assert time.perf_counter() - began < 2


def test_the_title_does_not_tell_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(make().replace(b"Title: made", b"Title: made by LTspice"))
    assert read_raw(path)[0].n_points == 3
    assert read_raw(path)[0].writer == ""


def test_not_a_file(tmp_path: Path) -> None:
    refused(tmp_path / "missing.raw")
    refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe")
    with pytest.raises(RawFileError) as caught:
        read_raw("a\0b")
    assert_sentence(caught.value)


def test_a_file_that_went_away_or_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(make())
    (plot,) = read_raw(path)
    path.write_bytes(make() + make())
    with pytest.raises(RawFileError, match="has changed"):
        plot["time"]
    path.unlink()
    with pytest.raises(RawFileError, match="cannot be read"):
        plot.read_all()


def test_declared_sizes_allocate_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    huge = b"1000000000000"
    path.write_bytes(make(10**12))
    tracemalloc.start()
    try:
        (plot,) = read_raw(path)
        assert plot.n_points == 3
        assert plot.n_points_declared == 10**12
        assert plot.truncated
        plot.read_all()
        path.write_bytes(make().replace(b"Variables: 2", b"Variables: " + huge))
        refused(path)
        path.write_bytes(make(10**12, end="Values", data=b" 0\t1\n\t2\n"))
        assert read_raw(path)[0].n_points == 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.slow
def test_one_column_of_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    n = 1_300_000  # 100 variables: 1.04 GB, nearly all of it a hole
    names = tuple(f"v({i})\tvoltage" for i in range(100))
    content = make(n, names, b"")
    with path.open("wb") as file:
        file.write(content)
        file.truncate(len(content) + n * 800)
    code = (
        "import sys\n"
        "from spicealif.rawfile.raw import read_raw\n"
        "column = read_raw(sys.argv[1])[0]['v(7)']\n"
        "assert column.shape == (1_300_000,) and not column.any()\n"
        # Not ru_maxrss, which a process inherits from the one that started it.
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 300 * 1024  # kB


def test_import_is_light() -> None:
    code = (
        "import sys, spicealif.rawfile.raw\n"
        "print([m for m in ('xarray', 'matplotlib', 'numba', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- damage


def is_prefix(plots: list[RawPlot], whole: list[np.ndarray]) -> bool:
    """Whether the plots hold nothing but the first points of the first plots of `whole`."""
    if len(plots) > len(whole):
        return False
    for i, plot in enumerate(plots):
        values = np.array(plot.read_all())
        if i < len(plots) - 1 and values.shape != whole[i].shape:
            return False
        if not np.array_equal(values, whole[i][:, : values.shape[1]], equal_nan=True):
            return False
        if values.shape[1] < whole[i].shape[1] and not plot.truncated:
            return False
    return True


SMALL = "set filetype={}\nop\ntran 0.5u 5u 0 1u\nac dec 1 1 100\nwrite a.raw op1.all {} ac1.all"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "ascii", "failing"])
def test_truncation_at_every_byte(kind: str, tmp_path: Path, failing: Path) -> None:
    if kind == "failing":
        content = failing.read_bytes()
        # the end of the failed transient, the header after it and the beginning of its data
        second = content.index(b"Title:", content.index(b"No. Points: 0 "))
        cuts = range(second - 200, second + 400)
    else:
        vectors = "tran1.v(in) tran1.v(out)"
        content = (run_control(SMALL.format(kind, vectors), tmp_path) / "a.raw").read_bytes()
        cuts = range(len(content))
    path = tmp_path / "cut.raw"
    path.write_bytes(content)
    whole = [np.array(p.read_all()) for p in read_raw(path)]
    assert len(whole) >= 3
    most = 0
    for cut in reversed(cuts):
        os.truncate(path, cut)
        try:
            plots = read_raw(path)
        except RawFileError as error:
            assert_sentence(error, path)
            continue
        assert is_prefix(plots, whole), f"cut at byte {cut}"
        most = max(most, sum(p.n_points for p in plots))
    assert most > 10


def survives(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    try:
        for plot in read_raw(path):
            values = plot.read_all()
            assert [v.shape for v in values] == len(plot.variables) * [(plot.n_points,)]
            assert sum(v.nbytes for v in values) <= 8 * len(content)
    except RawFileError as error:
        assert_sentence(error, path)


PLOTS = [
    make() + make(0),
    make(3, flags="complex", data=np.arange(12.0).tobytes()) + make(),
    make(2, end="Values", data=b" 0\t1.5\n\t2e-3\n\n 1\t2\n\t-1\n\n") + make(),
    make(1, flags="complex", end="Values", data=b"0\t\t1,2\n\t3.0e+00,4\n"),
]
QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.slow
@QUICK
@given(
    content=st.sampled_from(PLOTS),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=6)), max_size=4),
    cut=st.integers(0, 12),
)
def test_fuzzed_bytes(
    content: bytes, edits: list[tuple[int, bytes]], cut: int, tmp_path: Path
) -> None:
    for at, piece in edits:
        place = at % len(content)
        content = content[:place] + piece + content[place + cut :] or b"x"
    survives(content, tmp_path / "a.raw")


@QUICK
@given(
    points=st.one_of(st.integers(0, 10), st.text(max_size=5)),
    flags=st.sampled_from(["real", "complex", "real unpadded", "x"]),
    extra=st.text(max_size=30),
    end=st.sampled_from(["Binary", "Values", "values"]),
    data=st.one_of(st.binary(max_size=200), st.text("0123456789 ,.\t\ne+-naif", max_size=80)),
)
def test_fuzzed_fields(
    points: int | str, flags: str, extra: str, end: str, data: bytes | str, tmp_path: Path
) -> None:
    body = data.encode() if isinstance(data, str) else data
    content = make(points, data=body, flags=flags, extra=extra + "\n", end=end)
    survives(content, tmp_path / "a.raw")


def test_second_reader_agrees_and_notices_a_difference(tran: Path, tmp_path: Path) -> None:
    plot = read_raw(tran)[-1]
    cross_check(tran, plot)
    changed = tmp_path / "changed.raw"
    content = bytearray(tran.read_bytes())
    content[-5] ^= 1  # one bit of the last value
    changed.write_bytes(content)
    with pytest.raises(RawFileError, match="reads other values"):
        cross_check(changed, plot)
    changed.write_bytes(b"nothing")
    with pytest.raises(RawFileError, match="cannot read"):
        cross_check(changed, plot)

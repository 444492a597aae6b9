"""The raw file reader on flavours of which there is no file at hand, written here by the byte.

What the dialects look like follows LTspice's documentation, Xyce's source, and the readers and
writers of other projects (spicelib's among them, which also writes some of the files here).
"""

from __future__ import annotations

import os
import pickle
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_files import LTSPICE, NAMES, header, rows, utf16

from spicealif.errors import RawFileError
from spicealif.rawfile._compression import TOLERANCE
from spicealif.rawfile.raw import RawPlot, RawVariable, read_raw

TIME = np.array([0, 1e-3, 3e-3, 4e-3, 1e-2])
FREQUENCY = np.array([1.0, 10, 100, 1e3, 1e4])
A = np.array([1.5, -2.25, 0.5, 8, -16])
B = np.array([0.0, 0.125, -0.5, 2, 32])


def runs(axis: np.ndarray, *columns: np.ndarray, first: str = "f8", rest: str = "f4") -> bytes:
    parts = [axis.astype(f"<{first}")] + [column.astype(f"<{rest}") for column in columns]
    return b"".join(part.tobytes() for part in parts)


def text(axis: list[str], *columns: list[str], end: str = "\r\n") -> bytes:
    out = ""
    for i, values in enumerate(zip(axis, *columns, strict=True)):
        out += f"{i}\t\t" + f"{end}\t".join(values) + end
    return out.encode()


AC = ("frequency\tfrequency", *NAMES[1:])
Z, W = A + 1j * B, B - 2j * A
COMPLEX = {"flags": "complex forward log", "plotname": "AC Analysis"}
NOISE = "Noise Spectral Density - (V/Hz# or A/Hz#)".replace("#", "\N{VULGAR FRACTION ONE HALF}")
QSPICE = "QSPICE64, Build Sep 13 2023 09:01:15"
#: Each flavour's bytes, and what a reader should get: columns in the types stored.
FLAVOURS: dict[str, tuple[bytes, list[np.ndarray]]] = {
    "single": (utf16(header()) + rows(TIME, A, B), [TIME, A.astype("f4"), B.astype("f4")]),
    "double": (
        utf16(header(flags="real forward double")) + rows(TIME, A, B, rest="f8"),
        [TIME, A, B],
    ),
    "8-bit": (header().encode() + rows(TIME, A, B), [TIME, A.astype("f4"), B.astype("f4")]),
    "fastaccess": (
        utf16(header(flags="real forward FastAccess")) + runs(TIME, A, B),
        [TIME, A.astype("f4"), B.astype("f4")],
    ),
    "fastaccess double": (
        utf16(header(flags="real double forward fastaccess")) + runs(TIME, A, B, rest="f8"),
        [TIME, A, B],
    ),
    "fastaccess complex": (
        utf16(header(AC, **COMPLEX).replace("log", "log fastaccess"))
        + runs(FREQUENCY, Z, W, first="c16", rest="c16"),
        [FREQUENCY + 0j, Z, W],
    ),
    "fastaccess complex, real axis": (
        utf16(header(AC, **COMPLEX).replace("log", "log fastaccess"))
        + runs(FREQUENCY, Z, W, rest="c16"),
        [FREQUENCY, Z, W],
    ),
    "noise": (
        utf16(header(AC, plotname=NOISE, flags="real forward log")) + rows(FREQUENCY, A, B),
        [FREQUENCY, A.astype("f4"), B.astype("f4")],
    ),
    "noise IV": (
        header(AC, plotname=NOISE, flags="real forward log").encode("cp1252")
        + rows(FREQUENCY, A, B),
        [FREQUENCY, A.astype("f4"), B.astype("f4")],
    ),
    "26": (
        utf16(header(tuple(f"{name}\tunit=x" for name in NAMES))) + rows(TIME, A, B),
        [TIME, A.astype("f4"), B.astype("f4")],
    ),
    "qspice": (
        header(
            ("Time\ttime", *NAMES[1:]),
            flags="real",
            command=QSPICE,
            offset=None,
            extra="Abscissa:  0.000000000000000e+00  1.000000000000000e-02   \n.param temp=27\n"
            ".alias I(R2) (0.0001mho*V(n01,out))\n",
        )
        .replace("Flags", "Plot Suggestion(s): \xabV(a)\xbb\nFlags")
        .encode("cp1252")
        + rows(TIME, A, B, rest="f8"),
        [TIME, A, B],
    ),
    "qspice ac": (
        header(AC, **COMPLEX, command=QSPICE, offset=None).encode()
        + rows(FREQUENCY, Z, W, rest="c16"),
        [FREQUENCY, Z, W],
    ),
    "xyce": (
        header(
            ("TIME\ttime", "V(A)\tvoltage", "I(B)\tcurrent"),
            flags="real",
            command=None,
            offset=None,
            extra="Version: Xyce Release 7.8.0-opensource\n",
        ).encode()
        + rows(TIME, A, B, rest="f8"),
        [TIME, A, B],
    ),
    "xyce ac": (
        header(AC, flags="complex", plotname="AC Analysis", command=None, offset=None).encode()
        + rows(FREQUENCY, Z, W, first="c16", rest="c16"),
        [FREQUENCY + 0j, Z, W],
    ),
    "text": (
        header(end="Values").replace("\n", "\r\n").encode()
        + text([repr(t) for t in TIME.tolist()], *([repr(v) for v in c.tolist()] for c in (A, B))),
        [TIME, A, B],
    ),
    "text, old C library": (
        header(NAMES[:2], 4, end="Values").encode()
        + text(
            ["0", "1e+000", "2e+000", "3e+000"],
            ["-1.#IND000000000e+000", "1.#INF", "-1.#INF000e+000", "1.#QNAN0e+000"],
        ),
        [np.arange(4.0), np.array([np.nan, np.inf, -np.inf, np.nan])],
    ),
    "text ac": (
        header(AC, **COMPLEX, end="Values").encode()
        + text(
            [f"{f!r},\t0.0e+000" for f in FREQUENCY.tolist()],
            [f"{v.real!r},{v.imag!r}" for v in Z.tolist()],
            [f"{v.real!r},{v.imag!r}" for v in W.tolist()],
        ),
        [FREQUENCY + 0j, Z, W],
    ),
    "text ac, real axis": (
        header(AC, **COMPLEX, command=QSPICE, offset=None, end="Values").encode()
        + text(
            [f"{f!r}" for f in FREQUENCY.tolist()],
            [f"{v.real!r},{v.imag!r}" for v in Z.tolist()],
            [f"{v.real!r},{v.imag!r}" for v in W.tolist()],
        ),
        [FREQUENCY, Z, W],
    ),
    "text utf-16": (
        utf16(header(NAMES[:2], end="Values"))
        + text([repr(t) for t in TIME.tolist()], [repr(v) for v in A.tolist()])
        .decode()
        .encode("utf-16-le"),
        [TIME, A],
    ),
}
WRITERS = {"qspice": "qspice", "qspice ac": "qspice", "xyce": "xyce", "xyce ac": ""}
WRITERS |= {"text ac, real axis": "qspice"}
each_flavour = pytest.mark.parametrize("flavour", FLAVOURS)


def read_one(content: bytes, path: Path) -> RawPlot:
    path.write_bytes(content)
    (plot,) = read_raw(path)
    return plot


def assert_columns(plot: RawPlot, expected: list[np.ndarray]) -> None:
    columns = plot.read_all()
    assert len(columns) == len(expected)
    for i, (ours, wanted) in enumerate(zip(columns, expected, strict=True)):
        assert ours.dtype == wanted.dtype
        np.testing.assert_array_equal(ours, wanted)
        np.testing.assert_array_equal(plot[plot.names[i]], wanted)
        assert ours.flags.c_contiguous


# ---------------------------------------------------------------- each flavour


@each_flavour
def test_values(flavour: str, tmp_path: Path) -> None:
    content, expected = FLAVOURS[flavour]
    plot = read_one(content, tmp_path / "a.raw")
    assert_columns(plot, expected)
    assert plot.writer == WRITERS.get(flavour, "ltspice")
    assert not plot.truncated
    assert plot.axis == plot.names[0]
    assert plot.n_steps == 1
    assert plot.steps == (slice(0, plot.n_points),)
    assert not plot.compressed
    assert plot.last == expected[0][-1].real
    again: RawPlot = pickle.loads(pickle.dumps(plot))
    assert_columns(again, expected)


@each_flavour
def test_several_plots_in_one_file(flavour: str, tmp_path: Path) -> None:
    content, expected = FLAVOURS[flavour]
    path = tmp_path / "a.raw"
    other, other_expected = FLAVOURS["single"]
    path.write_bytes(content + other + content)
    plots = read_raw(path)
    assert len(plots) == 3
    for plot, wanted in zip(plots, (expected, other_expected, expected), strict=True):
        assert_columns(plot, wanted)


@each_flavour
def test_byte_order_mark_and_line_ends(flavour: str, tmp_path: Path) -> None:
    content, expected = FLAVOURS[flavour]
    wide = content[1:2] == b"\0"
    mark = b"\xff\xfe" if wide else b"\xef\xbb\xbf"
    assert_columns(read_one(mark + content, tmp_path / "a.raw"), expected)
    word = utf16("ary:\n") if wide else b"ary:\n"
    at = content.find(word)
    if at < 0:
        return
    head, data = content[: at + len(word)], content[at + len(word) :]
    lines = (utf16("\n"), utf16("\r\n")) if wide else (b"\n", b"\r\n")
    crlf = b"".join(
        [head.decode("utf-16-le").replace("\n", "\r\n").encode("utf-16-le")]
        if wide
        else [head.replace(*lines)]
    )
    assert_columns(read_one(crlf + data, tmp_path / "a.raw"), expected)


@pytest.mark.slow
@each_flavour
def test_cut_at_every_byte(flavour: str, tmp_path: Path) -> None:
    content, expected = FLAVOURS[flavour]
    path = tmp_path / "cut.raw"
    path.write_bytes(content)
    most, refused_with_data = 0, []
    for cut in range(len(content) - 1, -1, -1):
        os.truncate(path, cut)
        try:
            (plot,) = read_raw(path)
        except RawFileError as error:
            assert_sentence(error)
            if "before its data" not in str(error) and "is empty" not in str(error):
                refused_with_data.append(cut)
            continue
        assert plot.truncated == (plot.n_points < len(expected[0]))
        most = max(most, plot.n_points - (not plot.truncated))
        for ours, wanted in zip(plot.read_all(), expected, strict=True):
            np.testing.assert_array_equal(ours, wanted[: plot.n_points])
    assert most == len(expected[0]) - 1
    # where a file of an unknown program could also be a shorter one that is complete
    assert len(refused_with_data) <= (flavour == "xyce ac")


def assert_sentence(error: RawFileError) -> None:
    message = str(error)
    assert message.endswith(".")
    assert "\n" not in message
    assert "; " in message


@each_flavour
def test_blocks_and_windows_join(
    flavour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spicealif.rawfile._binary._WINDOW", 60)
    monkeypatch.setattr("spicealif.rawfile._binary._BLOCK", 30)
    monkeypatch.setattr("spicealif.rawfile._text._TEXT", 7)
    content, expected = FLAVOURS[flavour]
    plot = read_one(content, tmp_path / "a.raw")
    assert_columns(plot, expected)
    for k in range(1, len(expected)):
        part = plot._source.read(range(k, len(expected)), slice(1, 3))
        for ours, wanted in zip(part, expected[k:], strict=True):
            np.testing.assert_array_equal(ours, wanted[1:3])


# ---------------------------------------------------------------- particular things


def test_header_fields(tmp_path: Path) -> None:
    note = "Backannotation: u1 1 2\nBackannotation: r1 2 1\n"
    head = header(after=note, title="* C:\\caf\N{LATIN SMALL LETTER E WITH ACUTE}.asc")
    for content in (utf16(head), head.encode("cp1252"), head.encode("utf-8")):
        plot = read_one(content + rows(TIME, A, B), tmp_path / "a.raw")
        assert plot.title == "* C:\\caf\N{LATIN SMALL LETTER E WITH ACUTE}.asc"
        assert plot.command == LTSPICE
        assert plot.variables[2] == RawVariable("I(B)", "device_current")
        assert_columns(plot, [TIME, A.astype("f4"), B.astype("f4")])
    plot = read_one(*(FLAVOURS["noise IV"][:1]), tmp_path / "a.raw")
    assert plot.plotname == NOISE


@pytest.mark.parametrize(
    ("change", "writer"),
    [
        ({"command": "Linear Technology Corporation LTspice IV"}, "ltspice"),
        ({"command": "Analog Devices LTspice 26"}, "ltspice"),
        ({"command": None}, "ltspice"),  # the flag "forward"
        ({"command": None, "flags": "real"}, ""),
        ({"command": "ngspice-44.2, Build Sat Jan 11", "flags": "real"}, "ngspice"),
        ({"command": "version 42", "flags": "real"}, "ngspice"),
        ({"command": None, "flags": "real padded"}, "ngspice"),
        ({"command": QSPICE, "flags": "real"}, "qspice"),
        ({"command": None, "flags": "real", "extra": "Abscissa: 0 1\n"}, "qspice"),
        ({"command": "Xyce 7.9", "flags": "real"}, "xyce"),
    ],
)
def test_writer(change: dict[str, str], writer: str, tmp_path: Path) -> None:
    rest = "f4" if writer == "ltspice" else "f8"
    content = header(**change).encode() + rows(TIME, A, B, rest=rest)  # type: ignore[arg-type]
    plot = read_one(content, tmp_path / "a.raw")
    assert plot.writer == writer
    assert_columns(plot, [TIME, A.astype(rest), B.astype(rest)])


def test_offset_is_added_to_the_axis(tmp_path: Path) -> None:
    head = header(offset=" 5.0000000000000000e-003")
    marked = TIME * [1, -1, 1, 1, 1]
    plot = read_one(utf16(head) + rows(marked, A, B), tmp_path / "a.raw")
    assert plot.offset == 5e-3
    np.testing.assert_array_equal(plot["time"], TIME + 5e-3)
    assert plot.last == TIME[-1] + 5e-3
    assert plot.compressed
    np.testing.assert_array_equal(plot.columns(expand=True)["time"][[0, -1]], [5e-3, 15e-3])
    np.testing.assert_array_equal(plot.at("V(a)", TIME + 5e-3), A)
    with pytest.raises(RawFileError, match=r"stay between 0\.005 and 0\.015"):
        plot.at("V(a)", 0.0)
    for bad in ("nan", "1e999", "soon"):
        (tmp_path / "b.raw").write_bytes(utf16(header(offset=bad)) + rows(TIME, A, B))
        with pytest.raises(RawFileError, match="'offset' needs a number"):
            read_raw(tmp_path / "b.raw")
    # an operating point has no axis to shift
    head = header(NAMES[1:], 1, plotname="Operating Point", flags="real", offset="1")
    plot = read_one(utf16(head) + rows(A[:1], B[:1]), tmp_path / "a.raw")
    assert plot["V(a)"] == A[0]


def test_negative_values_that_are_no_marks(tmp_path: Path) -> None:
    sweep = np.array([-2.0, -1, 0, 1, 2])
    for content in (
        utf16(header(("v1\tvoltage", *NAMES[1:]), plotname="DC transfer characteristic"))
        + rows(sweep, A, B),
        header(flags="real", command="ngspice-44").encode() + rows(sweep, A, B, rest="f8"),
    ):
        plot = read_one(content, tmp_path / "a.raw")
        np.testing.assert_array_equal(plot.read_all()[0], sweep)
        assert not plot.compressed


def test_xyce_leaves_the_count_blank_until_its_end(tmp_path: Path) -> None:
    content, expected = FLAVOURS["xyce"]
    blank = content.replace(b"No. Points:            5", b"No. Points:             ")
    assert blank != content
    plot = read_one(blank, tmp_path / "a.raw")
    assert plot.truncated
    assert plot.n_points_declared == 0
    assert_columns(plot, expected)


def test_steps_of_xyce_are_plots(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    content = FLAVOURS["xyce"][0]
    name = b"Plotname: Step Analysis: Step %d of 2 params:  name = TIMECONSTANT value = 1  "
    path.write_bytes(b"".join(content.replace(b"Plotname: ", name % k) for k in (1, 2)))
    plots = read_raw(path)
    assert [plot.n_steps for plot in plots] == [1, 1]
    assert [plot.axis for plot in plots] == ["TIME", "TIME"]
    assert "Step 2 of 2" in plots[1].plotname


@pytest.mark.parametrize(
    ("numtype", "by_variable"),
    # complex ones it flags "fastaccess" and writes point by point; its own reader then reads
    # another order, as does ours
    [("real", False), ("real", True), ("double", False), ("double", True), ("complex", False)],
)
def test_files_that_spicelib_writes(numtype: str, by_variable: bool, tmp_path: Path) -> None:
    from spicelib.raw.raw_write import RawWrite, Trace  # type: ignore[import-untyped]

    is_complex = numtype == "complex"
    writer = RawWrite("AC Analysis" if is_complex else None, fastacces=by_variable)
    writer.flag_forward = True
    if is_complex:
        traces = [Trace("frequency", FREQUENCY, "frequency", "complex")]
        traces += [Trace("V(a)", Z, "voltage", "complex"), Trace("I(B)", W, "current", "complex")]
        expected = [FREQUENCY + 0j, Z, W]
    else:
        traces = [Trace("time", TIME, "time", "double")]
        kind = "double" if numtype == "double" else "real"
        columns = [A, B] if kind == "double" else [A.astype("f4"), B.astype("f4")]
        traces += [
            Trace(name, column, "voltage", kind)
            for name, column in zip(("V(a)", "V(b)"), columns, strict=True)
        ]
        expected = [TIME, *columns]
    for trace in traces:
        writer.add_trace(trace)
    path = tmp_path / "a.raw"
    writer.save(path)
    (plot,) = read_raw(path)
    # it does not say "double" of a file that is: the size tells
    assert "double" not in plot.flags
    assert_columns(plot, expected)


# ---------------------------------------------------------------- size against header


def test_size_decides_where_only_one_reading_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    wide = utf16(header()) + rows(TIME, A, B, rest="f8")  # "double" forgotten
    assert_columns(read_one(wide, path), [TIME, A, B])
    ac = header(AC, **COMPLEX, command=QSPICE).encode()
    full = ac + rows(FREQUENCY, Z, W, first="c16", rest="c16")
    assert_columns(read_one(full, path), [FREQUENCY + 0j, Z, W])
    real_axis = utf16(header(AC, **COMPLEX)) + rows(FREQUENCY, Z, W, rest="c16")
    assert_columns(read_one(real_axis, path), [FREQUENCY, Z, W])
    # with another plot behind it
    path.write_bytes(wide + wide)
    for plot in read_raw(path):
        assert_columns(plot, [TIME, A, B])


def test_size_that_fits_two_readings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    unknown = {"flags": "real", "command": None, "offset": None}
    path.write_bytes(header(**unknown).encode() + rows(TIME, A, B))
    with pytest.raises(RawFileError, match="does not say which program wrote it") as caught:
        read_raw(path)
    assert_sentence(caught.value)
    # of a program that never writes float32 it can only be a file cut off
    plot = read_one(
        header(flags="real", command="ngspice-44").encode() + rows(TIME, A, B), tmp_path / "b.raw"
    )
    assert plot.truncated
    assert plot.n_points == 3


def test_more_than_is_declared_is_refused(tmp_path: Path) -> None:
    for flavour in ("single", "fastaccess", "qspice"):
        path = tmp_path / "a.raw"
        path.write_bytes(FLAVOURS[flavour][0] + b"12345678" * 20)
        with pytest.raises(RawFileError, match="what follows byte"):
            read_raw(path)


def test_count_that_was_never_written(tmp_path: Path) -> None:
    for flavour in ("single", "double", "fastaccess", "qspice ac"):
        content, expected = FLAVOURS[flavour]
        wide = content[1:2] == b"\0"
        old, new = ("           5\n", "           0\n")
        zero = content.replace(
            utf16(old) if wide else old.encode(), utf16(new) if wide else new.encode()
        )
        assert zero != content
        path = tmp_path / "a.raw"
        plot = read_one(zero, path)
        assert plot.truncated
        assert_columns(plot, expected)
        if flavour == "fastaccess":
            path.write_bytes(zero[:-1])
            with pytest.raises(RawFileError, match="does not say how many points"):
                read_raw(path)
            continue
        path.write_bytes(zero + content)
        first, second = read_raw(path)
        assert_columns(first, expected)
        assert_columns(second, expected)


# ---------------------------------------------------------------- steps


def stepped(
    axis: list[float],
    tmp_path: Path,
    *,
    name: str = "v1\tvoltage",
    flags: str = "real forward stepped",
    values: list[float] | None = None,
    runs_of_variables: bool = False,
) -> RawPlot:
    t = np.array(axis)
    y = np.arange(len(t), dtype=float) if values is None else np.array(values)
    plotname = "Transient Analysis" if name.startswith("time") else "DC transfer characteristic"
    head = header((name, "V(a)\tvoltage"), len(t), flags=flags, plotname=plotname)
    body = runs(t, y) if runs_of_variables else rows(t, y)
    return read_one(utf16(head) + body, tmp_path / "a.raw")


@pytest.mark.parametrize(
    ("axis", "flags", "expected"),
    [
        ([1, 2, 3, 1, 2, 3], "forward", [(0, 3), (3, 6)]),
        ([1, 2, 3, 1, 3], "forward", [(0, 3), (3, 5)]),
        ([3, 2, 1, 3, 1], "reverse", [(0, 3), (3, 5)]),
        ([1, 3, 2, 1, 3, 2], "forward", [(0, 3), (3, 6)]),  # .dc V1 list 1 3 2
        ([5, 5, 5], "forward", [(0, 1), (1, 2), (2, 3)]),  # one frequency
        ([1], "forward", [(0, 1)]),
        ([1, 2, 3], "forward", [(0, 3)]),
        ([-2, -1, -2, -1], "forward", [(0, 2), (2, 4)]),
    ],
)
def test_steps(
    axis: list[float], flags: str, expected: list[tuple[int, int]], tmp_path: Path
) -> None:
    for by_variable in (False, True):
        fast = " fastaccess" if by_variable else ""
        plot = stepped(
            axis, tmp_path, flags=f"real {flags} stepped{fast}", runs_of_variables=by_variable
        )
        assert plot.steps == tuple(slice(*ends) for ends in expected)
        assert plot.n_steps == len(expected)
        for k, (a, b) in enumerate(expected):
            assert plot.columns(k)["V(a)"].tolist() == list(range(a, b))


@pytest.mark.parametrize("by_variable", [False, True])
def test_doubled_first_points(by_variable: bool, tmp_path: Path) -> None:
    flags = "real forward stepped" + (" fastaccess" if by_variable else "")
    axis = [0, 1, 2, 0, 0, 1, 0, 0, 3]
    values = [0.0, 1, 2, 7, 7, 8, 9, 9.5, 10]  # the last pair differs: nothing is dropped
    plot = stepped(
        axis,
        tmp_path,
        name="time\ttime",
        flags=flags,
        values=values,
        runs_of_variables=by_variable,
    )
    assert plot.steps == (slice(0, 3), slice(4, 6), slice(6, 9))
    assert plot.n_points == 9


def test_compressed_steps(tmp_path: Path) -> None:
    t = [0, -1, 2, 3, 0, -2, 4]
    y = [0.0, 1, 4, 4, 0, -4, -16]
    plot = stepped(t, tmp_path, name="time\ttime", values=y)
    assert plot.compressed
    assert plot.steps == (slice(0, 4), slice(4, 7))
    x = np.linspace(0, 2, 41)
    np.testing.assert_allclose(plot.at("V(a)", x, 0), x**2, atol=1e-12)
    np.testing.assert_allclose(plot.at("V(a)", 2 * x, 1), -((2 * x) ** 2), atol=1e-12)
    assert plot.at("V(a)", 2.5, 0) == 4
    columns = plot.columns(1, expand=True)
    error = np.abs(columns["V(a)"] + columns["time"] ** 2).max()
    assert error < 1e-6 * 16
    assert plot.columns()["time"].tolist() == [0, 1, 2, 3, 0, 2, 4]


def test_stepped_operating_point_has_one_point_a_step(tmp_path: Path) -> None:
    head = header(
        ("r\tparam", "V(a)\tvoltage"), 3, flags="real stepped", plotname="Operating Point"
    )
    plot = read_one(utf16(head) + rows(np.array([1.0, 5, 5]), A[:3]), tmp_path / "a.raw")
    assert plot.axis is None
    assert plot.last is None
    assert plot.steps == (slice(0, 1), slice(1, 2), slice(2, 3))
    assert plot.columns(2)["V(a)"].tolist() == [A[2]]
    with pytest.raises(RawFileError, match="no axis"):
        plot.at("V(a)", 1.0, 0)


def test_a_stepped_file_without_points(tmp_path: Path) -> None:
    plot = read_one(utf16(header(n=0, flags="real forward stepped")), tmp_path / "a.raw")
    assert plot.n_points == 0
    assert plot.steps == (slice(0, 0),)
    assert plot.step_values is None
    assert plot.last is None
    with pytest.raises(RawFileError, match="no points"):
        plot.at("V(a)", 0.0)


# ---------------------------------------------------------------- between points


def compressed(t: np.ndarray, y: np.ndarray, path: Path, rest: str = "f8") -> RawPlot:
    flags = "real forward" + (" double" if rest == "f8" else "")
    head = header(NAMES[:2], len(t), flags=flags)
    return read_one(utf16(head) + rows(t, y, rest=rest), path)


@pytest.mark.slow
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3),
    half=st.floats(1e-9, 1e3),
)
def test_expansion_keeps_its_tolerance(values: list[float], half: float, tmp_path: Path) -> None:
    y = np.array(values)
    t = np.array([0, -half, 2 * half])
    plot = compressed(t, y, tmp_path / "a.raw")
    columns = plot.columns(expand=True)
    x, drawn = columns["time"], columns["V(a)"]
    assert len(x) <= 2 * 32 + 1
    assert np.isin(np.abs(t), x).all()
    fine = np.linspace(0, 2 * half, 1000)
    parabola = np.polynomial.polynomial.polyval(
        fine / half, np.polynomial.polynomial.polyfit([0, 1, 2], y, 2)
    )
    tiny = 1e-9 * np.abs(y).max()
    exact = plot.at("V(a)", fine.clip(0, x[-1]))
    np.testing.assert_allclose(exact, parabola, rtol=0, atol=tiny)
    error = np.abs(np.interp(fine, x, drawn) - parabola).max()
    assert error <= 1.001 * TOLERANCE * np.ptp(y) + tiny


def test_marks_that_belong_to_no_parabola(tmp_path: Path) -> None:
    for marked in (
        [-1.0, 2, 3, 4],  # at an end
        [1.0, 2, 3, -4],
        [1.0, -2, -3, 4],  # side by side
        [1.0, -2, 2, 4],  # no time between
        [2.0, -2, 3, 4],
        [1.0, -2, np.inf, np.inf],
    ):
        t = np.array(marked)
        y = np.array([0.0, 5, 1, 2])
        plot = compressed(t, y, tmp_path / "a.raw")
        assert plot.compressed
        columns = plot.columns(expand=True)
        assert columns["time"].tolist() == np.abs(t).tolist()
        assert columns["V(a)"].tolist() == y.tolist()


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    t = np.array([0.0, -1, 2, -3, 4])
    for bad in (np.nan, np.inf, -np.inf, 3e38):
        y = np.array([0.0, 1, 4, bad, 0])
        plot = compressed(t, y, tmp_path / "a.raw", "f4")
        columns = plot.columns(expand=True)
        assert columns["V(a)"].dtype == np.float32
        assert len(columns["V(a)"]) <= 4 * 32 + 1
        kept = np.isin(columns["time"], np.abs(t))
        np.testing.assert_array_equal(columns["V(a)"][kept], y.astype(np.float32))
        assert plot.at("V(a)", [0.5]).shape == (1,)
    plot = compressed(np.array([0.0, np.nan, 2, -3, 4]), A, tmp_path / "a.raw")
    plot.columns(expand=True)
    with pytest.raises(RawFileError, match="turns back"):
        plot.at("V(a)", 1.0)


def test_at(tmp_path: Path) -> None:
    plot = read_one(FLAVOURS["double"][0], tmp_path / "a.raw")
    assert plot.at("v(A)", 2e-3) == (A[1] + A[2]) / 2
    assert plot.at("V(a)", [[0.0, 1e-2]]).tolist() == [[A[0], A[-1]]]
    assert plot.at("time", 5e-3) == pytest.approx(5e-3)
    assert plot.at("V(a)", []).shape == (0,)
    for outside in (-1e-3, 1.001e-2, np.nan):
        with pytest.raises(RawFileError, match="outside the axis") as caught:
            plot.at("V(a)", outside)
        assert_sentence(caught.value)
    with pytest.raises(RawFileError, match="no variable"):
        plot.at("V(z)", 0.0)
    ac = read_one(FLAVOURS["fastaccess complex"][0], tmp_path / "b.raw")
    assert ac.at("V(a)", 5.5) == pytest.approx((Z[0] + Z[1]) / 2)
    back = stepped([1, 3, 2], tmp_path, flags="real forward")
    with pytest.raises(RawFileError, match="turns back"):
        back.at("V(a)", 1.5)
    one = read_one(utf16(header(n=1)) + rows(TIME[:1], A[:1], B[:1]), tmp_path / "c.raw")
    assert one.at("V(a)", 0.0) == A[0]
    twice = read_one(
        utf16(header(NAMES[:2], 4)) + rows(np.array([0.0, 1, 1, 2]), A[:4]), tmp_path / "d.raw"
    )
    assert twice.at("V(a)", [0.5, 1.0, 1.5]).tolist() == [-0.375, 0.5, 4.25]


# ---------------------------------------------------------------- anything at all


@pytest.mark.slow
def test_nothing_takes_long(tmp_path: Path) -> None:
    """Contents that would take a careless reader forever."""
    path = tmp_path / "a.raw"
    small = header(NAMES[:1], 0, command=None, offset=None, flags="real").encode()
    title = b"Title:"
    contents = [
        small * 5000,
        small + title * 200_000,
        small + utf16("Title:") * 100_000,
        small + (title + b"\n") * 150_000,
        utf16(header(NAMES[:1], 0)) * 2500,
        utf16("Title: ") + b"\n" * 60_000 + b"\0" * 2,
        utf16("Title: ") + b"\n" * 7,
        utf16("Title: " + "\u0a0a" * 30_000 + "\n") * 10,
        utf16(header(n=0, flags="real forward stepped", names=NAMES[:1])) + b"\0" * 800_000,
        utf16(header(n=0, flags="real forward stepped", names=NAMES[:1]))
        + np.tile([1.0, 0.0, 0.0], 30_000).tobytes(),
    ]
    for content in contents:
        path.write_bytes(content)
        began = time.process_time()
        try:
            plots = read_raw(path)
            assert sum(plot.n_steps for plot in plots[-3:]) >= 0
        except RawFileError as error:
            assert_sentence(error)
        assert time.process_time() - began < 4


QUICK = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def survives(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    try:
        plots = read_raw(path)
    except RawFileError as error:
        assert_sentence(error)
        return
    for plot in plots:
        columns = plot.read_all()
        assert all(column.shape == (plot.n_points,) for column in columns)
        assert sum(column.nbytes for column in columns) <= 8 * len(content)
        assert plot.n_steps == len(plot.steps) >= 1
        for step in (None, 0, plot.n_steps - 1):
            try:
                expanded = plot.columns(step, expand=True)
                assert sum(column.nbytes for column in expanded.values()) <= 300 * len(content)
                axis = expanded[plot.names[0]].real
                plot.at(plot.names[-1], axis[:3], step)
            except RawFileError as error:
                assert_sentence(error)


@pytest.mark.slow
@QUICK
@given(
    content=st.sampled_from([content for content, _ in FLAVOURS.values()]),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=9)), max_size=4),
    cut=st.integers(0, 12),
)
def test_fuzzed_bytes(
    content: bytes, edits: list[tuple[int, bytes]], cut: int, tmp_path: Path
) -> None:
    for at, piece in edits:
        place = at % len(content)
        content = content[:place] + piece + content[place + cut :] or b"x"
    survives(content, tmp_path / "a.raw")


@pytest.mark.slow
@QUICK
@given(
    n=st.one_of(st.integers(0, 40), st.just(10**15)),
    flags=st.sets(
        st.sampled_from(["forward", "reverse", "stepped", "double", "fastaccess", "log"])
    ),
    is_complex=st.booleans(),
    is_time=st.booleans(),
    offset=st.sampled_from(["0", "1e300", "-5", "x"]),
    values=st.lists(
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1, -1, 2, -0.0])
        ),
        max_size=40,
    ),
    tail=st.binary(max_size=9),
    wide=st.booleans(),
)
def test_fuzzed_fields(
    n: int,
    flags: set[str],
    is_complex: bool,
    is_time: bool,
    offset: str,
    values: list[float],
    tail: bytes,
    wide: bool,
    tmp_path: Path,
) -> None:
    names = NAMES if is_time else ("v1\tvoltage", *NAMES[1:])
    words = " ".join(["complex" if is_complex else "real", *sorted(flags)])
    head = header(names, n, flags=words, offset=offset)
    body = struct.pack(f"<{len(values)}d", *values) + tail
    survives((utf16(head) if wide else head.encode()) + body, tmp_path / "a.raw")

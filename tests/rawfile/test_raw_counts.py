"""Raw files whose header counts, lists or says something else than what is stored, and files of
other formats. The records of a stepped ``.dc`` list are those of a file that LTspice wrote
(Cognitohazard/ltspice-mcp, step_dc.raw): its header counts 5 points, 6 are stored.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from raw_files import NAMES, header, rows, utf16
from test_raw_flavours import (
    AC,
    COMPLEX,
    FLAVOURS,
    FREQUENCY,
    TIME,
    A,
    B,
    W,
    Z,
    assert_columns,
    assert_sentence,
    read_one,
    runs,
    text,
)

from spicealif.errors import RawFileError
from spicealif.simulators import read_raw

READERS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "readers.py"
VALUES = np.array([0, 0.25, 0.5, 0.75, 1])


@pytest.mark.slow
@pytest.mark.skipif(not READERS.is_file(), reason="../shared/cases is not there")
def test_the_cases_of_a_release_that_read_them_wrongly() -> None:
    command = [sys.executable, str(READERS)]
    # Two of its cases run the program by its name.
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PATH": place},
    )  # fmt: skip
    assert done.stdout.startswith("11 of 11 hold"), done.stdout + done.stderr


# ---------------------------------------------------------------- more is stored than counted


def dc(axis: list[float], values: np.ndarray, n: int, end: str = "Binary") -> bytes:
    head = header(
        ("vin\tvoltage", "V(out)\tvoltage"),
        n,
        flags="real forward stepped",
        plotname="DC transfer characteristic",
        end=end,
    )
    if end == "Values":
        return head.encode() + text(list(map(repr, axis)), list(map(repr, values.tolist())))
    return utf16(head) + rows(np.array(axis), values)


@pytest.mark.parametrize("end", ["Binary", "Values"])
def test_an_empty_record_behind_a_stepped_list(end: str, tmp_path: Path) -> None:
    axis = [1.0, 1, 10, 1, 10, 0]
    plot = read_one(dc(axis, np.append(VALUES, 0.0), 5, end), tmp_path / "a.raw")
    assert plot.n_points == plot.n_points_declared == 5
    assert not plot.truncated
    assert plot.steps == (slice(0, 1), slice(1, 3), slice(3, 5))
    assert plot.columns(2)["V(out)"].tolist() == [0.75, 1]


def growing(kind: str, n: int, extra: bytes = b"") -> tuple[bytes, list[np.ndarray]]:
    """Return a file of 5 points whose header counts `n`."""
    content, columns = FLAVOURS[kind]
    wide = content[1:2] == b"\0"
    old, new = f"No. Points: {5:>12}", f"No. Points: {n:>12}"
    out = content.replace(
        utf16(old) if wide else old.encode(), utf16(new) if wide else new.encode()
    )
    assert out != content
    return out + extra, columns


GROWING = [
    "single", "double", "8-bit", "noise", "qspice", "qspice ac", "xyce", "text", "text ac",
    "text utf-16",
]  # fmt: skip


@pytest.mark.parametrize("kind", GROWING)
@pytest.mark.parametrize("n", [1, 3, 4])
def test_a_file_that_is_still_growing(kind: str, n: int, tmp_path: Path) -> None:
    content, expected = growing(kind, n)
    plot = read_one(content, tmp_path / "a.raw")
    assert_columns(plot, expected)
    assert plot.truncated
    assert plot.n_points_declared == n
    # with another plot behind it
    (tmp_path / "b.raw").write_bytes(content + FLAVOURS["single"][0])
    first, second = read_raw(tmp_path / "b.raw")
    assert_columns(first, expected)
    assert_columns(second, FLAVOURS["single"][1])


@pytest.mark.parametrize("kind", ["single", "double", "qspice", "xyce"])
def test_a_point_that_is_half_written(kind: str, tmp_path: Path) -> None:
    content, expected = growing(kind, 3)
    for cut in range(1, 8):
        plot = read_one(content[:-cut], tmp_path / "a.raw")
        for ours, wanted in zip(plot.read_all(), expected, strict=True):
            np.testing.assert_array_equal(ours, wanted[:4])


def test_marks_of_compression_go_on_too(tmp_path: Path) -> None:
    t = np.array([0, 1e-3, -2e-3, 3e-3, -4e-3, 5e-3])
    plot = read_one(utf16(header(NAMES[:2], 2)) + rows(t, np.arange(6.0)), tmp_path / "a.raw")
    assert plot.n_points == 6
    assert plot.compressed
    assert plot["time"].tolist() == np.abs(t).tolist()


def test_room_that_was_made_and_not_used(tmp_path: Path) -> None:
    content, expected = growing("single", 3, bytes(16 * 100))
    assert_columns(read_one(content, tmp_path / "a.raw"), expected)
    plot = read_one(FLAVOURS["single"][0] + bytes(16 * 100), tmp_path / "a.raw")
    assert_columns(plot, expected)
    assert not plot.truncated


def test_growing_is_not_taken_for_wider_numbers(tmp_path: Path) -> None:
    """Three points of float64 are as long as four of float32 and a float64."""
    head = utf16(header(NAMES[:2], 3))
    t, v = TIME[:4], A[:4]
    assert len(rows(t, v)) == len(rows(t[:3], v[:3], rest="f8"))
    plot = read_one(head + rows(t, v), tmp_path / "a.raw")
    assert_columns(plot, [t, v.astype("f4")])
    plot = read_one(head + rows(t[:3], v[:3], rest="f8"), tmp_path / "b.raw")
    assert_columns(plot, [t[:3], v[:3]])


@pytest.mark.parametrize("behind", [b"12345678" * 20, b"garbage", b"\xff" * 64, b"\0" * 3 + b"x"])
def test_what_is_no_further_point_is_refused(behind: bytes, tmp_path: Path) -> None:
    for kind in ("single", "qspice", "xyce", "fastaccess"):
        path = tmp_path / "a.raw"
        path.write_bytes(FLAVOURS[kind][0] + behind)
        with pytest.raises(RawFileError, match="what follows byte") as caught:
            read_raw(path)
        assert_sentence(caught.value)


def test_more_is_counted_than_is_stored_before_another_plot(tmp_path: Path) -> None:
    for kind in ("single", "double", "qspice", "xyce"):
        content, expected = growing(kind, 7)
        path = tmp_path / "a.raw"
        path.write_bytes(content + FLAVOURS["double"][0] * 3)
        plots = read_raw(path)
        assert [p.n_points for p in plots] == [5, 5, 5, 5]
        assert_columns(plots[0], expected)
        assert plots[0].truncated and not plots[1].truncated


# ---------------------------------------------------------------- headers written once


def step_of_xyce(k: int, title: str = "", end: str = "Binary") -> bytes:
    return (
        f"{title}Plotname: Step Analysis: Step {k} of 3 params:  name = R1:R value = {k}  "
        "Transient Analysis\nFlags: real\nNo. Variables: 2\nNo. Points: 5                 \n"
        f"{'Version: Xyce Release 7.8' + chr(10) if title else ''}"
        f"Variables:\n\t0\ttime\ttime\n\t1\tOUT\tvoltage\n{end}:\n"
    ).encode()


@pytest.mark.parametrize("end", ["Binary", "Values"])
@pytest.mark.parametrize("blank", [False, True])
def test_xyce_writes_title_and_date_once(end: str, blank: bool, tmp_path: Path) -> None:
    out = b""
    for k in (1, 2, 3):
        head = step_of_xyce(k, "Title: * rc\nDate: x\n" if k == 1 else "", end)
        if blank and k == 3:  # the count of the step that was running is not there yet
            head = head.replace(b"No. Points: 5 ", b"No. Points:   ")
        out += head
        if end == "Binary":
            out += rows(TIME, k * A, rest="f8")
        else:
            out += text(list(map(repr, TIME.tolist())), list(map(repr, (k * A).tolist())), end="\n")
            out += b"\n"
    (tmp_path / "a.raw").write_bytes(out)
    plots = read_raw(tmp_path / "a.raw")
    assert [p.n_points for p in plots] == [5, 5, 5]
    for k, plot in enumerate(plots, start=1):
        assert_columns(plot, [TIME, k * A])
        assert (plot.title, plot.date, plot.writer) == ("* rc", "x", "xyce")
        assert f"Step {k} of 3" in plot.plotname
    assert plots[-1].truncated == blank


def test_a_frequency_response_that_was_stopped_before_its_first_point(tmp_path: Path) -> None:
    names = ("frequency\tfrequency", "gain_1\tgain", "phase_1\tphase")
    head = header(names, 0, flags="complex forward", plotname="Frequency Response Analysis")
    head = head.replace("No. Variables: 3", "No. Variables: 1")
    plot = read_one(utf16(head), tmp_path / "a.raw")
    assert plot.names == ("frequency", "gain_1", "phase_1")
    assert plot.n_points == 0
    assert plot.truncated
    # where numbers follow, they must fit the names
    whole = head.replace(f"Points: {0:>12}", f"Points: {5:>12}")
    content = utf16(whole) + rows(FREQUENCY, Z, W, first="c16", rest="c16")
    assert_columns(read_one(content, tmp_path / "b.raw"), [FREQUENCY + 0j, Z, W])
    (tmp_path / "c.raw").write_bytes(content[:-40])
    with pytest.raises(RawFileError, match="counts 1 variables and lists 3"):
        read_raw(tmp_path / "c.raw")


# ---------------------------------------------------------------- numbers that mean something else


def test_numbers_with_the_high_byte_first_are_refused(tmp_path: Path) -> None:
    head = header(flags="real", command="spectre", offset=None).encode()
    body = rows(TIME, A, B, rest="f8")
    (tmp_path / "a.raw").write_bytes(head + np.frombuffer(body, "<f8").astype(">f8").tobytes())
    with pytest.raises(RawFileError, match="high byte first, as Spectre") as caught:
        read_raw(tmp_path / "a.raw")
    assert_sentence(caught.value)
    assert_columns(read_one(head + body, tmp_path / "b.raw"), [TIME, A, B])


def test_numbers_that_an_editor_destroyed_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    t = np.sort(rng.random(300))
    body = rows(t, rng.normal(size=300), rest="f8").decode("utf-8", "replace").encode()
    head = header(NAMES[:2], 300, flags="real forward double").encode()
    (tmp_path / "a.raw").write_bytes(head + body)
    with pytest.raises(RawFileError, match="took it for text"):
        read_raw(tmp_path / "a.raw")


def test_decimal_commas(tmp_path: Path) -> None:
    def comma(values: np.ndarray) -> list[str]:
        return [f"{v:.6e}".replace(".", ",") for v in values]

    head = header(end="Values", command="ngspice-44", offset=None, flags="real").encode()
    plot = read_one(head + text(comma(TIME), comma(A), comma(B)), tmp_path / "a.raw")
    assert_columns(plot, [TIME, A, B])
    # a pair of numbers, or the digits behind a comma
    for bad in (["1,25"] * 5, ["1,234,5e+00"] * 5, ["1.234,5e+00"] * 5):
        (tmp_path / "b.raw").write_bytes(head + text(comma(TIME), bad, comma(B)))
        with pytest.raises(RawFileError, match="more than one way"):
            read_raw(tmp_path / "b.raw")
    ac = header(AC, **COMPLEX, end="Values").encode()
    pairs = [f"{v.real:.3e},{v.imag:.3e}".replace(".", ",") for v in Z.tolist()]
    (tmp_path / "c.raw").write_bytes(ac + text(pairs, pairs, pairs))
    with pytest.raises(RawFileError, match="more than one way"):
        read_raw(tmp_path / "c.raw")


@pytest.mark.parametrize(
    ("axis", "values", "expected"),
    [
        # each step has one point, then two
        ([1, 1, 10, 1, 10], [0, 1, 2, 3, 4], [(0, 1), (1, 3), (3, 5)]),
        # the same value twice with other results is another step
        ([1, 10, 1, 1, 10], [0, 1, 2, 3, 4], [(0, 2), (2, 3), (3, 5)]),
        # with the same results it is LTspice IV's doubled point
        ([1, 10, 1, 1, 10], [0, 1, 2, 2, 4], [(0, 2), (3, 5)]),
        ([1, 2, 2, 2, 1, 2], [0, 1, 2, 3, 4, 5], [(0, 2), (2, 3), (3, 4), (4, 6)]),
    ],
)
def test_steps_of_a_sweep(
    axis: list[float], values: list[float], expected: list[tuple[int, int]], tmp_path: Path
) -> None:
    plot = read_one(dc(axis, np.array(values, float), len(axis)), tmp_path / "a.raw")
    assert plot.steps == tuple(slice(*ends) for ends in expected)


def test_times_of_a_log_count_from_the_begin_of_saving(tmp_path: Path) -> None:
    plot = read_one(utf16(header(offset="4.0e-002")) + rows(TIME, A, B), tmp_path / "a.raw")
    at = np.array([1e-3, 3e-3])  # "v: v(a)=... AT 0.001" in the log of .tran 0 50m 40m
    assert plot.from_log(at).tolist() == (at + 0.04).tolist()
    assert plot.at("V(a)", plot.from_log(at)).tolist() == A[1:3].tolist()
    with pytest.raises(RawFileError, match=r"from_log\(\) first, which adds 0.04"):
        plot.at("V(a)", at)
    plain = read_one(FLAVOURS["noise"][0], tmp_path / "b.raw")
    assert plain.from_log([10.0]).tolist() == [10.0]


# ---------------------------------------------------------------- other formats

HSPICE = b"00020000000000009601        * title" + b" " * 200
FOREIGN: dict[str, tuple[bytes, str]] = {
    "gzip": (gzip.compress(b"Title: x", mtime=0), "packed with gzip; unpack it"),
    "bzip2": (b"BZh91AY&SY", "bzip2"),
    "xz": (b"\xfd7zXZ\0\0", "packed with xz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", "zstd"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "git lfs pull",
    ),
    "git-annex": (b"/annex/objects/SHA256E-s31--4d.raw\n", "git annex get"),
    "HTML": (b"\n<!DOCTYPE html>\n<html><body>404</body></html>", "web page"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "netCDF or HDF5"),
    "netCDF 3": (b"CDF\x01" + bytes(100), "netCDF"),
    "HSPICE text": (HSPICE, "HSPICE"),
    "HSPICE binary": (b"\x04\0\0\0\x70\0\0\0\x04\0\0\0\xc0\x01\0\0" + HSPICE, "HSPICE"),
    "HSPICE 2001": (b"00020000000000000000" + b"2001    * t" + b" " * 200, "HSPICE"),
    "PSpice text": (b"#H\nSOURCE='PSpice' VERSION='17.2'\n", "CSDF"),
    "PSpice": (b"\0\1\2PSpice 17.2 Probe data\0" + bytes(range(128, 200)), "PSpice"),
    "PSF text": (b'HEADER\n"PSFversion" "1.00"\n"simulator" "spectre"\n', "nutascii"),
    "CSV": (b"time,V(out)\n0,1\n1e-3,2\n", "table of numbers"),
    "export": (b"time\tV(out)\n0.000e+00\t1.0\n1e-3\t2\n", "table of numbers"),
    "semicolons": (b"time;V\n0,1;2,5\n", "table of numbers"),
    "asc": (b"Version 4\nSHEET 1 880 680\nWIRE 0 0 1 1\n", "schematic of LTspice"),
    "asc 4.1": (b"Version 4.1\r\nSHEET 1 880 680\r\n", "schematic of LTspice"),
    "asy": (b"Version 4\nSymbolType CELL\n", "symbol"),
    "netlist": (b"* rc\nR1 a 0 1k\nV1 a 0 1\n.tran 1m\n.end\n", "netlist; run it"),
    "netlist without star": (b"rc\nR1 a 0 1k\nV1 a 0 1\n.tran 1m\n.end\n", "netlist; run it"),
    "log": (b"Circuit: * C:\\x.asc\n\nDirect Newton iteration for .op point succeeded.\n", "log"),
    "log 26": (b"LTspice 26.1.1 for Windows\nCircuit: x\n", "log of LTspice"),
    "log UTF-16": ("Circuit: * x\r\n\r\nDate: now".encode("utf-16-le"), "log of LTspice"),
    "UTF-16 with a mark": ("\ufefftime,V\r\n0,1\r\n".encode("utf-16-le"), "table of numbers"),
    "UTF-16 BE": ("\ufeffTitle: x\nDate: y\n".encode("utf-16-be"), "high byte first"),
    "UTF-16 BE without a mark": ("Title: x\nDate: y\n".encode("utf-16-be"), "high byte first"),
    "JSON": (b'{"time": [0, 1]}', "JSON"),
    "VCD": (b"$date today $end\n$timescale 1ns $end", "VCD"),
    "Touchstone": (b"! x\n# GHz S RI R 50\n1 0 0 0 0\n", "Touchstone"),
    "Qucs": (b"<Qucs Dataset 0.0.19>\n", "Qucs"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(90), "MAT-file"),
    "empty": (b"", "it is empty"),
    "text": (b"hello\n", "does not begin with 'Title:'"),
    "zeros": (bytes(1000), "does not begin with 'Title:'"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_formats_are_named(name: str, tmp_path: Path) -> None:
    content, words = FOREIGN[name]
    path = tmp_path / "a.raw"
    path.write_bytes(content)
    with pytest.raises(RawFileError) as caught:
        read_raw(path)
    assert words in str(caught.value)
    assert_sentence(caught.value)


def test_a_zip_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.raw", "w") as archive:
        archive.writestr("x.raw", FLAVOURS["single"][0])
    with pytest.raises(RawFileError, match="zip archive"):
        read_raw(tmp_path / "a.raw")


def test_plots_stored_by_variable_may_have_an_empty_record_and_no_more(tmp_path: Path) -> None:
    """Of more points than counted nobody can say where the second variable begins."""
    path = tmp_path / "a.raw"
    for flavour, first, rest in (("", "f8", "f4"), (" double", "f8", "f8")):
        head = utf16(header(flags=f"real forward fastaccess{flavour}"))
        columns = [np.append(c, 0.0) for c in (TIME, A, B)]
        plot = read_one(head + runs(*columns, first=first, rest=rest), path)
        assert_columns(plot, [TIME, A.astype(rest), B.astype(rest)])
        assert not plot.truncated
        columns[0][-1] = 1.0
        whole = runs(TIME, A, B, rest=rest)
        for body in (runs(*columns, first=first, rest=rest), whole + b"\1" * 8):
            path.write_bytes(head + body)
            with pytest.raises(RawFileError, match="what follows byte"):
                read_raw(path)

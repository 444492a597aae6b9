"""What cells, headings and files mean to the reader of tables, and what it asks about."""

from __future__ import annotations

import gzip
import os
import time

import numpy as np
import pytest

from spicealif.csvfile.cells import kind_of
from spicealif.design import PiecewiseLinear
from spicealif.errors import DesignError, FitError
from spicealif.fit import read_loop

N = 40
T = np.arange(N) / N * 0.01
U = 0.8 * np.sin(2 * np.pi * 100 * T)
M = 0.4 * U
HEAD = "t_s,v_in_V,v_mem_V\n"


def rows(*columns, delimiter=",", form="{:.6f}", comma=False):
    text = ""
    for row in zip(*columns, strict=True):
        cells = [form.format(x) for x in row]
        text += delimiter.join(c.replace(".", ",") if comma else c for c in cells) + "\n"
    return text


PLAIN = HEAD + rows(T, U, M)


def read(tmp_path, content, **options):
    path = tmp_path / "f.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_loop(path, **({"series_resistor": 5000} | options))


def check(loop):
    for name, values in (("time", T), ("v_in", U), ("v_mem", M)):
        np.testing.assert_allclose(getattr(loop, name), values, atol=6e-7, err_msg=name)


def grouped(sign, point):
    table = str.maketrans({",": sign, ".": point})
    return "".join(
        f"{a * 1e6:,.4f};{b * 1e3:,.4f};{c * 1e3:,.4f}\n".translate(table)
        for a, b, c in zip(T, U, M, strict=True)
    )


# --- headings and their units ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "scale"),
    [
        ("Time(S)", 1), ("TIME (SEC)", 1), ("time [secs]", 1), ("Time (Seconds)", 1), ("T (s)", 1),
        ("t/s", 1), ('"Time, s"', 1), ("elapsed time (s)", 1), ("Zeit in s", 1), ("[s]", 1),
        ("in s", 1), ("s", 1), ("seconds", 1), ("Time [s] (relative)", 1), ("x (s)", 1),
        ("Source [second]", 1), ("t_ms", 1e3), ("Time (mS)", 1e3), ("Time [msec]", 1e3),
        ("ms", 1e3), ("t (us)", 1e6), ("t [\u00b5s]", 1e6), ("t [\u03bcs]", 1e6), ("us", 1e6),
        ("Time (US)", 1e6), ("time in microseconds", 1e6), ("t_ns", 1e9), ("\u65f6\u95f4(ms)", 1e3),
    ],
)  # fmt: skip
def test_units_of_time(tmp_path, heading, scale):
    content = f"{heading},v_in_V,v_mem_V\n" + rows(T * scale, U, M, form="{:.9f}")
    check(read(tmp_path, content))


@pytest.mark.parametrize(
    ("heading", "scale"),
    [
        ("V_in (mVolts)", 1e3), ("Vin (KV)", 1e-3), ("v_in_mV", 1e3), ("Vin in volts", 1),
        ('"V_in, V"', 1), ("V_in(uV)", 1e6), ("V_in (\u03bcV)", 1e6), ("Vs", 1), ("u_s", 1),
        ("V(in)", 1), ("V_in (V DC)", 1), ("V_in (millivolts)", 1e3),
    ],
)  # fmt: skip
def test_units_of_voltage(tmp_path, heading, scale):
    content = f"t_s,{heading},v_mem_V\n" + rows(T, U * scale, M, form="{:.9f}")
    check(read(tmp_path, content))


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("time [MS]", "may be milli or mega"), ("Time(Ms)", "may be milli or mega"),
        ("Time (min)", "unit 'min' of column 1"), ("Time (h)", "unit 'h' of column 1"),
        ("Time (samples)", "unit 'samples'"), ("n", "no time column"), ("index", "no time column"),
        ("#", "no time column"), ("id", "no time column"), ("sample", "no time column"),
        ("x", "no time column"), ("", "no time column"), ("Unnamed: 0", "no time column"),
        ("period_s", "no time column"),
    ],
)  # fmt: skip
def test_what_is_no_time_in_seconds_is_asked_about(tmp_path, heading, words):
    with pytest.raises(FitError, match=words) as error:
        read(tmp_path, f"{heading},v_in_V,v_mem_V\n" + rows(T, U, M))
    for scaled in ("[us]", "[ns]", "[ks]"):
        assert scaled not in str(error.value)
    assert ("[ms]" in str(error.value)) == ("milli" in words)


@pytest.mark.parametrize(
    "heading",
    ["Voltage", "Voltage (V)", "V", "CH1", "CH1 (V)", "U", "Spannung [V]", "V(n001)", "X(CH1)"],
)
def test_a_voltage_of_nothing_beside_a_known_one(tmp_path, heading):
    with pytest.raises(FitError, match=r"may be the voltage of the source, .*leave it out"):
        read(tmp_path, f"t_s,{heading},v_mem_V\n" + rows(T, U, M))


def test_two_currents_are_asked_about(tmp_path):
    head = "t_s,v_mem_V,i_A,CH3 (mA)\n"
    with pytest.raises(FitError, match=r"'i_A' and 'CH3 \(mA\)' could both be the current"):
        read(tmp_path, head + rows(T, M, M / 1e3, U))


def test_assumed_units_and_chosen_columns_are_told(tmp_path):
    loop = read(tmp_path, "n,time,vin,vmem,T_K\n" + rows(range(N), T, U, M, T))
    assert loop.notes[0] == (
        "f.csv: time from 'time', v_mem from 'vmem', v_in from 'vin'; not used: 'n', 'T_K'."
    )
    assert [note for note in loop.notes if "no unit" in note] == [
        f"f.csv: the heading '{name}' has no unit; {unit} is assumed."
        for name, unit in (("time", "s"), ("vmem", "V"), ("vin", "V"))
    ]


def test_a_unit_that_contradicts_the_heading(tmp_path):
    with pytest.raises(FitError, match="headed in s and asked for in ms; leave the unit out"):
        read(tmp_path, PLAIN, columns={"time": "t_s [ms]"})
    loop = read(tmp_path, PLAIN, columns={"time": "#1 [ms]"})
    np.testing.assert_allclose(loop.time, T / 1e3, atol=1e-9)
    assert any("in ms as asked, not in s as headed" in note for note in loop.notes)


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", "  "),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("-", "\u2212"),
        "sep=,\n" + PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-32"),
        HEAD.replace(",", "\t") + rows(T, U, M),
        "# " + HEAD.replace(",", ", ") + "# by Kim, May, 2024\n" + rows(T, U, M),
        "t_s;v_in_V;v_mem_V\n" + rows(T, U, M, delimiter=";", comma=True),
        "t_s v_in_V v_mem_V\n" + rows(T, U, M, delimiter=" ", comma=True),
        "t_us;v_in_mV;v_mem_mV\n" + grouped(",", "."),
        "t_us;v_in_mV;v_mem_mV\n" + grouped(".", ","),
        "t_us;v_in_mV;v_mem_mV\n" + grouped("\u202f", ","),
        "t_us;v_in_mV;v_mem_mV\n" + grouped(" ", ","),
        "t_us;v_in_mV;v_mem_mV\n" + grouped("'", "."),
        "t_s,v_in_V,v_mem_V,remark\n" + rows(T, U, M).replace("\n", ",on\n", 8),
        "t_s,state,v_in_V,v_mem_V\n"
        + "".join(f"{a:.6f},on,{b:.6f},{c:.6f}\n" for a, b, c in zip(T, U, M, strict=True)),
        HEAD + "".join(f"{a * 1e3:.4f}m,{b * 1e3:.4f}mV,{c:.6f}\n"
                       for a, b, c in zip(T, U, M, strict=True)),
    ],
)  # fmt: skip
def test_the_same_in_many_spellings(tmp_path, content):
    check(read(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEAD + rows(T, U, M, comma=True), "commas between the columns and"),
        ("t_s;v_in_V;v_mem_V\n" + "".join(f"1,{k:03d};{k}e-3;{k}e-4\n" for k in range(N)),
         "'1,000', which may be a number with decimals or with thousands"),
        ("t_s;v_in_V;v_mem_V\n" + "".join(f"{k + 1}.000;0,{k}5;0,{k}1\n" for k in range(N)),
         "'1.000', which may be a number with decimals or with thousands"),
        ("t_s,v_in_V,v_mem_V\n" + ",".join(map(str, range(30_000))), "more than 100,000 charact"),
        ("t_s;v_in_V;v_mem_V\n0.5;1;2\n0,7;1;2\n", "'0,7' in a column with decimal points"),
        (PLAIN + "0.01,0.1\n", "Line 42 .* 2 columns where the headings have 3"),
        (PLAIN + "0.01,0.1,3,4\n", "Line 42 .* 4 columns where the headings have 3"),
        (PLAIN + "0.01,0.1,0.2e-\n", "Line 42 .* '0.2e-' where a number is expected"),
        (PLAIN + "END\n", "Line 42 .* 'END' where a number"),
        (PLAIN + PLAIN, "Line 42 .* the headings again"),
        (PLAIN + rows(T, U, M), "begins again in line 42"),
        (PLAIN + '"0.01,0.1,0.2\n', "Line 42 .* quotation mark that is not closed"),
        (HEAD + "0,x,0\n" + rows(T, U, M), "Line 2 .* 'x' where a number"),
        (HEAD + "0,0,0\n1,1,1\nabc,0.5,0.5\n" + rows(T + 2, U, M), "Line 4 .* 'abc'"),
        (HEAD + "0,1_0,0\n" + rows(T, U, M), "Line 2 .* '1_0'"),
        ("a," + HEAD[:-1] + ",x\n" + rows(T, U, M), "5 headings in line 1"),
        ("t_s,v_in_V\n" + rows(T, U, M), "2 headings in line 1 over rows of 3 columns"),
        ("0,1,2\n" + rows(T, U, M), "may number the columns"),
        (HEAD + rows(T[::-1], U, M), "fall from row to row"),
        (HEAD + rows(T, U, np.full(N, 9.91e37), form="{:.4e}"), "no number but '9.9100e\\+37'"),
        ("t_s,v_in_V,v_mem_V,v_mem_V\n" + rows(T, U, M, U), "could both be"),
        (HEAD + "".join(f"{round(a, 3):.3f},{b},{c}\n" for a, b, c in zip(T, U, M, strict=True)),
         "written with too few digits"),
        (HEAD + "".join(f"10:00:0{k % 9}.5,1,{k}\n" for k in range(N)), "dates or times of day"),
        (HEAD + rows(T, U, M) + "\n\nt_s,v_in_V\n" + rows(T, U), "where|headings again"),
    ],
)  # fmt: skip
def test_what_could_mean_two_things_is_asked_about(tmp_path, content, words):
    with pytest.raises(FitError, match=words) as error:
        read(tmp_path, content)
    message = str(error.value)
    assert message[0].isupper()
    assert message.endswith(".")
    assert "; " in message or ": " in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "code",
    ["9.91E37", "9.9E+37", "199.999E99", "9.9999E+37", "-9.9E37", "1e400", "OVLD", "Overflow",
     "#N/A", "1.#QNAN", "Inf", "-inf", "NaN", "\u221e", "----", "****", "-999", "9999.0",
     "-999.25"],
)  # fmt: skip
def test_codes_are_no_values_and_are_counted(tmp_path, code):
    lines = PLAIN.splitlines()
    lines[6] = lines[6].rsplit(",", 1)[0] + "," + code
    loop = read(tmp_path, "\n".join(lines), frequency=100)
    assert len(loop.time) == N - 1
    assert any("1 rows without a number were left out (the first in line 7" in note
               for note in loop.notes)  # fmt: skip


def test_a_thousand_less_one_may_be_a_value(tmp_path):
    text = "v_in_mV,v_mem_mV\n" + "".join(f"{u},{m}\n" for u, m in zip(
        np.linspace(-999, 999, 37), np.linspace(-400, 400, 37), strict=True))  # fmt: skip
    loop = read(tmp_path, text, frequency=100)
    assert len(loop.time) == 37
    assert loop.v_in[0] == -0.999


def test_a_row_left_out_keeps_the_times_of_the_others(tmp_path):
    lines = ("v_in_V,v_mem_V\n" + rows(U, M)).splitlines()
    lines[6] = "OVLD,OVLD"
    loop = read(tmp_path, "\n".join(lines), frequency=100)
    np.testing.assert_allclose(loop.time, np.delete(T, 5), atol=1e-12)
    loop = read(tmp_path, "\n".join(lines), columns={"time": "every 250us"})
    np.testing.assert_allclose(loop.time, np.delete(T, 5), atol=1e-12)


def test_rounded_times_that_rise_are_told(tmp_path):
    t = [f"{round(a, 4):.4f}" for a in T]
    content = HEAD + "".join(f"{a},{b:.6f},{c:.6f}\n" for a, b, c in zip(t, U, M, strict=True))
    notes = read(tmp_path, content, frequency=100).notes
    assert any("rounded to 0.0001 s and the samples about 0.00025" in note for note in notes)
    check(read(tmp_path, content, columns={"time": "every 250us"}))


# --- files that are no tables ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"t,v", mtime=0), "compressed by gzip"),
        (b"PK\x03\x04" + bytes(40), "ZIP archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"CDF\x01" + bytes(40), "netCDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "old Excel"),
        (b"MATLAB 5.0 MAT-file, Platform", "MATLAB"),
        (b"TDSm" + bytes(20), "TDMS"),
        (b"WAVEDESC" + bytes(20), "LeCroy"),
        (b"Title: * x\nPlotname: Transient", "raw file of a SPICE simulator"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"<!DOCTYPE html><html>", "web page"),
        (PLAIN.encode() + bytes(100), "zero byte at"),
        (b"", "empty"),
        (b"\xff\xfe", "no table"),
    ],
)
def test_other_files_are_named(tmp_path, data, words):
    with pytest.raises(FitError, match=words):
        read(tmp_path, data)


def test_devices_are_not_read_for_ever(tmp_path):
    path = tmp_path / "zero"
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this user may not make devices")
    with pytest.raises(FitError, match="is a device; give"):
        read_loop(path)


def test_a_pipe_is_read(tmp_path):
    import threading

    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(PLAIN,))
    writer.start()
    check(read_loop(path, series_resistor=5000))
    writer.join()


# --- stimuli --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "t", "i"),
    [
        ("0,0\n1e-3,5e-4\n", (0, 1e-3), (0, 5e-4)),
        ("0,0 # start\n1e-3,5e-4 # on, really\n", (0, 1e-3), (0, 5e-4)),
        ("t (ms);I (mA)\n0;0\n1,5;0,5\n", (0, 1.5e-3), (0, 5e-4)),
        ("# t_us, i_mA\n0,1\n5,2\n", (0, 5e-6), (1e-3, 2e-3)),
        ("0,0.5m\n1m,0.2mA\n", (0, 1e-3), (5e-4, 2e-4)),
        ("t_s,i_A\n0,0.5m\n", (0,), (5e-4,)),
        ("n,t_us,i_A,note\n0,0,1,a\n1,10,2,b\n", (0, 1e-5), (1, 2)),
        ("I [uA]\tTime [ns]\n1\t0\n2\t7\n", (0, 7e-9), (1e-6, 2e-6)),
    ],
)
def test_stimuli(tmp_path, text, t, i):
    path = tmp_path / "i.csv"
    path.write_text(text)
    stimulus = PiecewiseLinear.from_csv(path)
    assert (stimulus.t, stimulus.i) == (t, i)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,0,1\n1e-3,5e-4,1\n", "3 columns and no headings; write headings"),
        ("n,i_A\n0,0\n1,5e-4\n", "no column is known as the time"),
        ("x,y\n0,0\n1e-3,5e-4\n", "no column is known as the time"),
        ("t_s,v_V\n0,1\n1,2\n", "no column is known as the current"),
        ("t_s,i_A,I1 (mA)\n0,1,2\n1,2,3\n", "could both be the current"),
        ("t (min),i_A\n0,1\n1,2\n", "unit 'min'"),
        ("0,0.5m\n1e-3,5c\n", "Line 2"),
        ("t,i\nabc,0.5\n1,0.2\n2,0.3\n", "Line 2"),
        ("t,i\n0,1\n1,NaN\n2,0.3\n", "not finite"),
        ("t,i\n0,1\n1,9.9E37\n2,0.3\n", "Line 3"),
        ("Sample Interval,2e-6\n0,0.1\n1,0.2\n2,0.3\n", "no column is known"),
        ("t_s,i_A\n" + "".join(f"{k // 2 * 1e-3:.4f},{k % 3}\n" for k in range(40)),
         "give the edges a duration"),
    ],
)  # fmt: skip
def test_stimuli_that_are_asked_about(tmp_path, text, words):
    path = tmp_path / "i.csv"
    path.write_text(text)
    with pytest.raises(DesignError, match=words):
        PiecewiseLinear.from_csv(path)


def test_columns_of_a_stimulus_may_be_named(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text("a,b\n0,0\n0,5\n")
    stimulus = PiecewiseLinear.from_csv(path, {"time": "every 2us", "i": "-b [mA]"})
    assert (stimulus.t, stimulus.i) == ((0, 2e-6), (0, -5e-3))
    with pytest.raises(DesignError, match="has no column 'c'"):
        PiecewiseLinear.from_csv(path, {"time": "a", "i": "c"})
    with pytest.raises(DesignError, match="are texts"):
        PiecewiseLinear.from_csv(path, {"time": 1})


def test_a_cell_of_a_million_digits_takes_no_time():
    """Two runs of digits side by side in an expression took time with the square of its length."""
    begin = time.process_time()
    assert kind_of("1" * 1_000_000 + "x") == "t"
    assert time.process_time() - begin < 5


def test_a_line_of_sixty_thousand_cells_is_refused_at_once(tmp_path):
    begin = time.process_time()
    with pytest.raises(FitError, match=r"Line 2 of .* has more than 4,096 cells; write one row"):
        read(tmp_path, "a,b\n1" + "," * 60_000 + "\n")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("heading", ["t_min", "t_h", "time_hours", "Time (min)"])
def test_minutes_and_hours_are_never_seconds(tmp_path, heading):
    """Also where the column is named; what it may be said to be is another matter."""
    path = tmp_path / "f.csv"
    path.write_text(f"{heading},i_mA\n0,0\n1,1\n")
    for columns in ({}, {"time": heading}, {"time": "#1"}):
        with pytest.raises(DesignError, match="is not one of time; write the column in s"):
            PiecewiseLinear.from_csv(path, columns)
    assert PiecewiseLinear.from_csv(path, {"time": "#1 [s]"}).t == (0.0, 1.0)
    path.write_text("t_ms,v_min,i_mA\n0,7,0\n1,8,1\n")  # v_min is the least one
    assert PiecewiseLinear.from_csv(path).t == (0.0, 1e-3)


def test_a_table_that_ends_in_an_empty_row(tmp_path):
    """Found by fuzzing: an IndexError, where commas of decimals had become blanks."""
    with pytest.raises(FitError):
        read(tmp_path, "\t1\t5 000000E-05\t1 615049E-02\n\t#\ts\tV vs  Ref \tA")

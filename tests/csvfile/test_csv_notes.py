"""What is told of a stimulus from a file: what was assumed, and what its rows do not say."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from spicealif.design import PiecewiseLinear, load_toml
from spicealif.errors import DesignError


def read(folder: Path, text: str) -> tuple[PiecewiseLinear, str]:
    path = folder / "i.csv"
    path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        stimulus = PiecewiseLinear.from_csv(path)
    return stimulus, "\n".join(str(w.message) for w in told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,i_A\n0,0\n1e-3,1e-3\n2e-3,0\n", ""),
        # what a table ends with in a program for tables
        ("t_s,i_A\n0,0\n1e-3,1e-3\n2e-3,0\n,\n,\n", ""),
        ("t,i\n0,0\n1e-3,1e-3\n2e-3,0\n", "'t' has no unit; s is assumed"),
        ("t_s,i\n0,0\n1e-3,1e-3\n2e-3,0\n", "'i' has no unit; A is assumed"),
        ("0,0\n1e-3,1e-3\n2e-3,0\n", "column 2 has no unit; A is assumed"),
        ("t_s,i_A,v_V\n0,0,1\n1e-3,1e-3,2\n2e-3,0,3\n", "not used: 'v_V'"),
        ("t_s,i_A\n1e-3,1e-3\n2e-3,0\n", "before its first row (0.001 s) that row's 0.001 A flow"),
        ("t_s,i_A\n0,0\n2e-3,3e-4\n", "after its last row (0.002 s) that row's 0.0003 A flow on"),
        ("t_s,i_A\n1e-3,1e-3\n", "one row; its 0.001 A flow all the time"),
        ("t_s,i_A\n0,1e-3\n1e-3,2e-3\n2e-3,1e-7\n", ""),
    ],
)
def test_assumptions_are_told(tmp_path, text, words):
    _, told = read(tmp_path, text)
    assert words in told
    assert bool(words) == bool(told)


def test_times_rounded_by_an_instrument_are_told(tmp_path):
    rows = "".join(f"{round(k * 1.3e-6, 6):.6f},0\n" for k in range(40))
    assert "rounded to 1e-06 s" in read(tmp_path, f"t_s,i_A\n{rows}")[1]


@pytest.mark.parametrize("units", ["# units: us, mA", "# us, mA", "% Unit;us;mA", "Units,us,mA"])
def test_units_in_a_line_above_are_asked_about(tmp_path, units):
    with pytest.raises(DesignError, match="a line above it speaks of units"):
        read(tmp_path, f"{units}\nt,i\n0,0\n1e-3,1e-3\n2e-3,0\n")
    # where the heading says it, a remark is a remark
    stimulus, _ = read(tmp_path, f"{units}\nt_us,i_mA\n0,0\n1,1\n2,0\n")
    assert stimulus.t == (0, 1e-6, 2e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,i_A\n0,0\n,\n1e-3,1e-3\n2e-3,0\n", "Line 3 of .* no number for time"),
        ("t_s,i_A\n0,0\n1e-3,1e-3\n1e-3,0\n", r"line 4 of .*\(0.001 s\) is not later .* line 3"),
        ("t_s,i_A\n-2e-3,0\n-1e-3,0\n1e-3,1\n", r"begin at -0.002 s .*remove the 2 rows"),
        ("t_s,i_A\n-2e-3,0\n1e-3,1\n", r"remove the 1 row before 0, or add 0.002 s"),
    ],
)
def test_a_refusal_names_the_line_and_the_remedy(tmp_path, text, words):
    with pytest.raises(DesignError, match=words):
        read(tmp_path, text)


# Each of these was read as s and A, or with its sign or scale lost.
UNREAD = [
    *("X Unit: ms", "X Unit,ms", "Time Unit: ms", "TimeUnit=ms", "Time base unit,ms,"),
    *("# time in ms, current in mA", "# t [ms], i [mA]", "Maßeinheit: ms", "# t/ms Vs/mV"),
    *("# Scale: ms, mA", "# all times in minutes", "Horizontal Unit,ms"),
]


@pytest.mark.parametrize("line", UNREAD)
def test_a_unit_anywhere_above_is_asked_about(tmp_path, line):
    with pytest.raises(DesignError, match="a line above it speaks of units"):
        read(tmp_path, f"{line}\ntime,current\n0,0\n1,1\n2,0\n")


@pytest.mark.parametrize(
    "line", ["# time in s, current in A", "Sampled every 50 us", "# a pulse 2 ms after the trigger"]
)
def test_what_contradicts_nothing_is_no_question(tmp_path, line):
    assert read(tmp_path, f"{line}\ntime,current\n0,0\n1,1\n2,0\n")[0].t == (0, 1, 2)


@pytest.mark.parametrize("row", ["ms,", "(ms),", "ms,mA"])
def test_a_row_of_units_may_be_partial(tmp_path, row):
    assert read(tmp_path, f"Time,Current\n{row}\n0,0\n1,1\n2,0\n")[0].t == (0, 1e-3, 2e-3)


@pytest.mark.parametrize(
    "heading",
    [
        *("Current (x10^-3 A)", "Current {mA}", "Current (mA rms)", "I_mA_avg", "current_mA_mean"),
        *("currentmA", "mA current", "Current=mA", "Current (mA"),
    ],
)
def test_a_unit_that_is_not_understood_is_asked_about_by_name_too(tmp_path, heading):
    text = f"Time (s),{heading}\n0,0\n1,1\n2,0\n"
    path = tmp_path / "i.csv"
    path.write_text(text, encoding="utf-8")
    for asked in (heading, "#2"):
        with pytest.raises(DesignError):
            PiecewiseLinear.from_csv(path, {"i": asked})
    assert PiecewiseLinear.from_csv(path, {"i": "#2 [mA]"}).i == (0, 1e-3, 0)


@pytest.mark.parametrize(
    "heading",
    [
        *("-I (mA)", "\u2212I (mA)", "-Current (mA)", "|I| (mA)", "I^2 (mA)", "\u221aI (mA)"),
        *("I*1000 (mA)", "I/10 (mA)", "I (mA) x10"),
    ],
)
def test_a_sign_or_a_scale_in_a_heading_is_asked_about(tmp_path, heading):
    text = f"Time (s),{heading}\n0,0\n1,1\n2,0\n"
    with pytest.raises(DesignError, match=r"turned or scaled|no column is known"):
        read(tmp_path, text)
    path = tmp_path / "i.csv"
    assert PiecewiseLinear.from_csv(path, {"i": "#2 [mA]"}).i == (0, 1e-3, 0)
    assert PiecewiseLinear.from_csv(path, {"i": "-#2 [mA]"}).i == (0, -1e-3, 0)


def test_headings_of_a_data_frame_of_r_have_units(tmp_path):
    stimulus, told = read(tmp_path, '"Time..ms.","Current..mA."\n0,0\n1,1\n2,0\n')
    assert (stimulus.t, stimulus.i, told) == ((0, 1e-3, 2e-3), (0, 1e-3, 0), "")


def test_an_interval_beside_other_times_is_refused(tmp_path):
    rows = "".join(f"{k * 0.05:.2f},0.001\n" for k in range(20))
    path = tmp_path / "i.csv"
    path.write_text(f"Time (ms),i_A\n{rows}", encoding="utf-8")
    with pytest.raises(DesignError, match=r"5e-05 s apart by its column 'Time \(ms\)'"):
        PiecewiseLinear.from_csv(path, {"time": "every 1us"})
    with pytest.warns(match="time from a sample every 5e-05 s"):
        PiecewiseLinear.from_csv(path, {"time": "every 50us"})


def test_a_missing_row_is_no_rounded_time(tmp_path):
    rows = "".join(f"{k * 50},0\n" for k in range(40) if k != 17)
    assert read(tmp_path, f"t_us,i_A\n{rows}")[1] == ""


@pytest.mark.parametrize(
    "headings", ["t_in_ms,i_in_mA", "Time in ms,Intensit\u00e9 (mA)", "tiempo_in_ms,intensidad_mA"]
)
def test_names_of_other_habits(tmp_path, headings):
    stimulus, told = read(tmp_path, f"{headings}\n0,0\n1,1\n2,0\n")
    assert (stimulus.t, stimulus.i, told) == ((0, 1e-3, 2e-3), (0, 1e-3, 0), "")


def test_a_term_of_a_sum_may_be_a_file(tmp_path):
    (tmp_path / "i.csv").write_text("t_us,i_mA\n0,0\n100,1\n200,0\n", encoding="utf-8")
    inner = 'kind = "sum", terms = [{file = "i.csv"}]'
    (tmp_path / "n.toml").write_text(
        'preset = "paper"\n[stimulus]\nkind = "sum"\nterms = [{kind = "constant", '
        f'amplitude = "2 mA"}}, {{kind = "pwl", file = "i.csv"}}, {{{inner}}}]\n',
        encoding="utf-8",
    )
    stimulus = load_toml(tmp_path / "n.toml").stimulus
    assert stimulus.value(100e-6) == pytest.approx(4e-3)
    assert stimulus.value(1e-3) == pytest.approx(2e-3)

"""Loops that are not what they are said to be: refused or doubted, with the likely cause."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spicealif.design import Memristor, SeriesCircuit, Sine, Step
from spicealif.errors import FitError
from spicealif.fit import Loop, fit_device, read_loop
from spicealif.fit._checks import check_loops
from spicealif.reference.series.solve import solve_series

SHARED = Path(__file__).parents[3] / "shared"
DEVICE = Memristor(r_on=3400, r_off=29000, v_on=0.33, v_off=0.2, tau=4.5e-5)
R = 5000.0


def solved(drive, t_stop, begin, period, noise=0.01):
    trace = solve_series(SeriesCircuit(device=DEVICE, r_s=R, drive=drive, t_stop=t_stop))
    t = begin + np.arange(300) / 300 * (t_stop - begin)
    rng = np.random.default_rng(2)
    v, i, u = (np.interp(t, trace.time, trace[name]) for name in ("v_mem", "i_mem", "v_in"))
    v, i, u = (y + noise * np.abs(y).max() * rng.standard_normal(300) for y in (v, i, u))
    return Loop(t - begin, v, i, u, R, period, "right")


SINE = Sine(amplitude=0.8, frequency=1e3)
LOOPS = {
    "steady state": solved(SINE, 6e-3, 5e-3, 1e-3),
    "single shot": solved(SINE, 1.4e-3, 0.0, None),
}


def test_right_loops_are_not_doubted():
    for loop in LOOPS.values():
        assert check_loops([loop]) == []
    assert check_loops(list(LOOPS.values())) == []
    one_sided = solved(Step(amplitude=0.8, delay=1e-4), 1e-3, 0.0, None)
    assert check_loops([one_sided]) == []


@pytest.mark.parametrize("part", [0.9, 0.5])
def test_a_current_at_its_compliance_is_told(part):
    for loop in LOOPS.values():
        limit = part * loop.i.max()
        held = np.minimum(loop.i, limit)
        for made in ("", "v_mem"):  # measured, or made of the programmed source
            clipped = replace(loop, i=held, v_mem=loop.v_in - R * held, made=made)
            (said,) = check_loops([clipped])
            assert f"the current stays at {limit:.3g} A in" in said
            assert "compliance" in said


def test_a_voltage_at_the_end_of_its_range_is_told():
    loop = LOOPS["single shot"]
    held = np.maximum(loop.v_mem, 0.6 * loop.v_mem.min())
    said = check_loops([replace(loop, v_mem=held)])
    assert any("the device's voltage stays at" in text for text in said)


def changed(loop, v=None, i=None, u=None, r_s=R):
    return replace(
        loop,
        v_mem=loop.v_mem if v is None else v,
        i=loop.i if i is None else i,
        v_in=loop.v_in if u is None else u,
        r_s=r_s,
    )


FAULTS = {
    "wired in reverse": (lambda q: changed(q, -q.v_mem, -q.i, -q.v_in), "wired in reverse"),
    "current turned": (lambda q: changed(q, i=-q.i), "sign of one is turned"),
    "magnitude of i": (lambda q: changed(q, i=np.abs(q.i)), r"magnitude \(\|i\|"),
    "magnitude of v": (lambda q: changed(q, v=np.abs(q.v_mem)), r"magnitude \(\|v_mem\|"),
    "magnitude of i, v_mem made of it": (
        lambda q: changed(q, v=q.v_in - R * np.abs(q.i), i=np.abs(q.i)),
        r"magnitude|exchanged|opposite signs",
    ),
    "channels exchanged": (
        lambda q: changed(q, v=q.v_in, i=(q.v_mem - q.v_in) / R, u=q.v_mem),
        "channels are exchanged",
    ),
    "device and current exchanged": (
        lambda q: changed(q, v=q.i, i=q.v_mem),
        "two columns are exchanged",
    ),
    "mV as V": (
        lambda q: changed(q, 1e3 * q.v_mem, 1e3 * q.i, 1e3 * q.v_in),
        r"reaches 8\d\d V.*another unit",
    ),
    "mA as A": (lambda q: changed(q, i=1e3 * q.i), "another unit"),
    "times 1e200": (
        lambda q: changed(q, 1e200 * q.v_mem, 1e200 * q.i, 1e200 * q.v_in),
        "another unit",
    ),
    "times 1e-200": (
        lambda q: changed(q, 1e-200 * q.v_mem, 1e-200 * q.i, 1e-200 * q.v_in),
        "no instrument resolves",
    ),
    "time times 1e200": (
        lambda q: replace(
            q, time=q.time * 1e200, period=None if q.period is None else q.period * 1e200
        ),
        "Give the time's unit",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", LOOPS)
def test_what_cannot_be_is_refused_before_the_fit(kind, fault):
    (change, words) = FAULTS[fault]
    with pytest.raises(FitError, match=words) as error:
        fit_device(change(LOOPS[kind]))
    assert str(error.value).startswith("right: ")


def test_a_current_a_thousand_times_too_small_is_doubted():
    loop = LOOPS["steady state"]
    small = loop.i / 1e3
    (said,) = check_loops([changed(loop, v=loop.v_in - R * small, i=small)])
    assert "perhaps the current or the resistor is in another unit" in said


@pytest.mark.parametrize(
    "other",
    [
        lambda q: q,
        lambda q: replace(q, name="again", time=q.time + 1.0),
        lambda q: replace(q, v_mem=np.round(q.v_mem, 6), v_in=np.round(q.v_in, 6)),
        lambda q: replace(
            q, time=q.time[:200], v_mem=q.v_mem[50:250], i=q.i[50:250], v_in=q.v_in[50:250],
            period=None,
        ),
    ],
    ids=["itself", "later", "rounded", "a part"],
)  # fmt: skip
def test_a_record_given_twice_is_refused(other):
    loop = LOOPS["steady state"]
    with pytest.raises(FitError, match="hold the same samples"):
        fit_device([loop, other(loop)])


def test_two_records_of_one_device_are_two():
    trace = solve_series(SeriesCircuit(device=DEVICE, r_s=R, drive=SINE, t_stop=6e-3))
    t = 5e-3 + np.arange(300) / 300e3
    loops = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        # of 8 bits, whose samples are often the same by chance
        signals = []
        for name in ("v_mem", "i_mem", "v_in"):
            y = np.interp(t, trace.time, trace[name])
            step = 2 * np.abs(y).max() / 256
            signals.append(np.round((y + 0.5 * step * rng.standard_normal(300)) / step) * step)
        loops.append(Loop(t - 5e-3, *signals, R, 1e-3))
    assert check_loops(loops) == []


def test_copied_periods_are_said():
    loop = LOOPS["steady state"]
    n = 3 * len(loop.time)
    more = (np.tile(y, 3) for y in (loop.v_mem, loop.i, loop.v_in))
    (said,) = check_loops([Loop(np.arange(n) * loop.time[1], *more, R, loop.period)])
    assert "copies of each other" in said


def test_a_device_that_does_not_describe_its_loop_is_no_preset(tmp_path):
    loop = LOOPS["steady state"]
    result = fit_device(loop, held={"r_on": 1e6, "v_on": 0.3, "v_off": 0.1, "tau": 1e-4})
    assert result.loss > 0.5
    assert any("does not describe right" in text for text in result.warnings)
    with pytest.raises(FitError, match="does not describe right"):
        result.save_preset(tmp_path / "device.toml")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not SHARED.exists(), reason="the folder ../shared is not beside the project")
class TestMeasured:
    def test_no_measured_loop_is_doubted(self):
        folder = SHARED / "measured"
        with (folder / "index.csv").open() as file:
            loops = [read_loop(folder / row["file"]) for row in csv.DictReader(file)]
        assert check_loops(loops) == []

    @pytest.mark.parametrize(
        ("name", "words"),
        [("swapped.csv", "two channels are exchanged"), ("milli.csv", "reaches 8.* V.*unit")],
    )
    def test_misleading_files(self, name, words):
        path = SHARED / "cases" / "17_misleading_sentences" / name
        with pytest.raises(FitError, match=words):
            fit_device(read_loop(path, series_resistor="5k"))

    def test_columns_of_a_measured_loop_exchanged(self):
        path = SHARED / "measured" / "w_sdc" / "5k_0.8V_1000Hz_M1.csv"
        with pytest.raises(FitError, match=r"negative\. Probably the source's and the device's"):
            read_loop(path, columns={"v_mem": "3", "v_in": "2"})
        with pytest.raises(FitError, match=r"negative\. Probably the sign of the current"):
            read_loop(path, columns={"i": "-4"})


def written(path, loop, factor=1.0, current=True):
    rows = [loop.time, loop.v_mem, loop.v_in, *([loop.i * factor] if current else [])]
    head = "time_s,v_mem_V,v_in_V" + (",i_A" if current else "")
    np.savetxt(path, np.column_stack(rows), delimiter=",", header=head, comments="")
    return path


def test_a_resistor_that_the_columns_give_is_looked_at(tmp_path):
    loop = LOOPS["steady state"]
    in_ua = written(tmp_path / "a.csv", loop, 1e6)
    with pytest.raises(FitError, match=r"0\.00\d+ ohm\. Probably the current's column"):
        read_loop(in_ua)
    in_ma = written(tmp_path / "b.csv", loop, 1e3)
    assert any("perhaps the current's column" in note for note in read_loop(in_ma).notes)
    with pytest.raises(FitError, match=r"factor of about 1e3: probably a column"):
        read_loop(in_ma, series_resistor="5k")


def test_columns_without_a_number_are_named(tmp_path):
    path = written(tmp_path / "a.csv", LOOPS["steady state"])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(q.rsplit(",", 1)[0] + ",nan" for q in lines[1:])]))
    with pytest.raises(FitError, match=r"column of i .*holds no number but 'nan' 300 times"):
        read_loop(path)


@pytest.mark.parametrize(("given", "doubted"), [("25 K", True), ("77 K", True), (298.5, False)])
def test_a_cold_device_may_be_degrees(given, doubted):
    result = fit_device(
        LOOPS["steady state"],
        temperature=given,
        held={"r_on": 3400, "v_on": 0.33, "v_off": 0.2, "tau": 4.5e-5},
    )
    assert any("degrees Celsius were meant" in text for text in result.warnings) == doubted

"""Files as instruments and programs write them, of one measured loop that was never measured.

The loop is a memristor of r_on 600 ohm, r_off 9 kohm, v_on 0.25 V, v_off 0.15 V, tau 200 us behind
5 kohm, under a sine of 0.8 V and 100 Hz, solved by SciPy's LSODA: nothing of this project has a
part in it. Every file was written after a published manual or example of its format; where a detail
is an assumption, `InstrumentFile.remark` says so.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

__all__ = ["TRUTH", "InstrumentFile", "instrument_files", "true_loop"]

TRUTH = {"r_on": 600.0, "r_off": 9000.0, "v_on": 0.25, "v_off": 0.15, "tau": 2e-4}
R_S, AMPLITUDE, FREQUENCY, SAMPLES = 5000.0, 0.8, 100.0, 200
#: At 298.5 K
_V_T = 1.380649e-23 * 298.5 / 1.602176634e-19


@dataclass(frozen=True)
class InstrumentFile:
    """One file.

    Attributes
    ----------
    name : str
        Of the file.
    whose : str
        Instrument or program.
    data : bytes
    answer : dict
        What `read_loop` has to be told, beside the resistor; empty where it needs no help.
    asks : str
        What the refusal says (a regular expression) without that help; empty where none is needed.
    wrong : bool
        Whether there is no help: the file cannot be read as one loop.
    columns : dict of str to ndarray
        What is written in the file, in SI units.
    r_s : float
        What the resistor is said to be.
    remark : str
    """

    name: str
    whose: str
    data: bytes
    answer: dict[str, object] = field(default_factory=dict)
    asks: str = ""
    wrong: bool = False
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    r_s: float = R_S
    remark: str = ""


@cache
def true_loop() -> dict[str, np.ndarray]:
    """Return time, v_in, v_mem and i of the loop in the steady state, in SI units."""
    omega = 2 * math.pi * FREQUENCY

    def device(t: float, x: float) -> tuple[float, float, float]:
        u = AMPLITUDE * math.sin(omega * t)
        g = x / TRUTH["r_on"] + (1 - x) / TRUTH["r_off"]
        v = u / (1 + R_S * g)
        return u, v, g * v

    def rate(t: float, y: np.ndarray) -> list[float]:
        (x,) = y
        v = device(t, x)[1]
        on = 1 / (1 + math.exp(-(v - TRUTH["v_on"]) / _V_T))
        off = 1 - 1 / (1 + math.exp(-(v + TRUTH["v_off"]) / _V_T))
        return [(on * (1 - x) - off * x) / TRUTH["tau"]]

    t = np.arange(SAMPLES) / (SAMPLES * FREQUENCY)
    begin = 5 / FREQUENCY
    done = solve_ivp(
        rate, (0, begin + 1 / FREQUENCY), [0.0], method="LSODA", t_eval=begin + t, rtol=1e-10,
        atol=1e-12, max_step=1 / (200 * FREQUENCY),
    )  # fmt: skip
    rows = np.array([device(s, x) for s, x in zip(done.t, done.y[0], strict=True)])
    return {"time": t, "v_in": rows[:, 0], "v_mem": rows[:, 1], "i": rows[:, 2]}


class _Writer:
    """Writes columns as texts and remembers what was written, exactly."""

    def __init__(self) -> None:
        self.columns: dict[str, np.ndarray] = {}

    def cells(
        self, quantity: str, form: str, *, power: int = 0, shift: float = 0.0, sign: int = 1
    ) -> list[str]:
        """Return a quantity as texts in units of 10**-power, decimal points."""
        values = sign * (true_loop()[quantity] + shift) * 10.0**power
        texts = [format(value, form) for value in values]
        exact = [sign * Decimal(text) * Decimal(10) ** -power for text in texts]
        self.columns[quantity] = np.array([float(number) for number in exact])
        return texts


def _lines(*columns: Sequence[str], delimiter: str = ",", end: str = "") -> str:
    return "".join(delimiter.join(row) + end + "\n" for row in zip(*columns, strict=True))


def _quoted(head: Sequence[str], *columns: Sequence[str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(zip(*columns, strict=True))
    return file.getvalue()


def _comma(cells: Sequence[str]) -> list[str]:
    return [cell.replace(".", ",") for cell in cells]


#: Which channel is which, where the file names channels only.
_CH = {"v_in": "CH1", "v_mem": "CH2"}

_MADE: list[tuple[str, str, Callable[[_Writer], dict[str, object]]]] = []


def _file(name: str, whose: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    def keep(make: Callable[..., object]) -> Callable[..., object]:
        _MADE.append((name, whose, make))  # type: ignore[arg-type]
        return make

    return keep


@cache
def instrument_files() -> tuple[InstrumentFile, ...]:
    """Return all files."""
    out = []
    for name, whose, make in _MADE:
        writer = _Writer()
        facts = dict(make(writer))
        data = facts.pop("data")
        columns = facts.pop("columns", {})
        content = data if isinstance(data, bytes) else str(data).encode()
        out.append(InstrumentFile(name, whose, content, columns=writer.columns | columns, **facts))  # type: ignore[arg-type]
    return tuple(out)


# --- oscilloscopes --------------------------------------------------------------------------------


def _scope(w: _Writer, form: str = "+.6E", **time: float) -> tuple[list[str], list[str], list[str]]:
    return w.cells("time", form, **time), w.cells("v_in", form), w.cells("v_mem", form)


@_file("keysight_infiniivision.csv", "Keysight InfiniiVision")
def _(w):
    rows = _lines(*_scope(w))
    return {
        "data": "x-axis,1,2\nsecond,Volt,Volt\n" + rows,
        "answer": {"columns": {"v_in": "1", "v_mem": "2"}},
        "asks": r"may be the voltage of the source or of the memristor",
    }


@_file("keysight_infiniium.csv", "Keysight Infiniium")
def _(w):
    head = (
        "Revision:,0\nType:,normal\nStart:,0\nPoints:,200\nCount:,1\nXDispRange:,0.01\n"
        "XDispOrg:,0\nXInc:,5.0E-05\nXOrg:,0\nYDispRange:,1.6\nYDispOrg:,-0.8\nYInc:,1E-04\n"
        "YOrg:,0\nXUnits:,second\nYUnits:,Volt\nDate:,01 JAN 2024\nTime:,10:00:00\nData:,\n"
    )
    return {
        "data": head + _lines(*_scope(w)),
        "answer": {"columns": {"time": "1", "v_in": "2", "v_mem": "3"}},
        "asks": r"no column is known by its heading",
        "remark": "two channels side by side are an assumption",
    }


@_file("tektronix_tds2000.csv", "Tektronix TDS 2000 (preamble in the first columns)")
def _(w):
    t, v = w.cells("time", ".12f"), w.cells("v_mem", ".8f")
    facts = [
        ("Record Length", "2.000000e+02"), ("Sample Interval", "5.000000e-05"),
        ("Trigger Point", "0.000000000000e+00"), ("", ""), ("", ""), ("", ""), ("Source", "CH2"),
        ("Vertical Units", "V"), ("Vertical Scale", "1.000000e-01"),
        ("Vertical Offset", "0.000000e+00"), ("Horizontal Units", "s"),
        ("Horizontal Scale", "1.000000e-03"), ("Pt Fmt", "Y"), ("Yzero", "0.000000e+00"),
        ("Probe Atten", "1.000000e+00"), ("Model Number", "TDS2024B"),
        ("Serial Number", "C000000"), ("Firmware Version", "FV:v22.11"),
    ]  # fmt: skip
    rows = []
    for k in range(SAMPLES):
        (key, value) = facts[k] if k < len(facts) else ("", "")
        rows.append(f"{key},{value},,{t[k]},{v[k]},\n")
    return {
        "data": "".join(rows), "wrong": True,
        "asks": "may be the voltage of the source or of the memristor",
        "remark": "one channel a file: not a loop by itself; the time is read, the voltage named",
    }  # fmt: skip


@_file("tektronix_mso5.csv", "Tektronix MSO 4/5/6")
def _(w):
    head = (
        "Model,MSO54\nFirmware Version,1.28.8\n\nWaveform Type,ANALOG,,\nPoint Format,Y,,\n"
        "Horizontal Units,s,,\nHorizontal Scale,0.001,,\nHorizontal Delay,0,,\n"
        "Sample Interval,5e-05,,\nRecord Length,200,,\nGating,0.0% to 100.0%,,\n"
        "Probe Attenuation,1,1\nVertical Units,V,V\nVertical Offset,0,0\nVertical Scale,0.2,0.2\n"
        "Vertical Position,0,0\n,,\n,,\n,,\nLabel,,\nTIME,CH1,CH2\n"
    )
    return {
        "data": head + _lines(*_scope(w, ".6e")), "answer": {"columns": _CH},
        "asks": "'CH1' \\(and 1 more\\) may be",
    }  # fmt: skip


@_file("rigol_ds1000z.csv", "Rigol DS1000Z (start and increment in the headings)")
def _(w):
    v, m = w.cells("v_in", ".2e"), w.cells("v_mem", ".2e")
    index = [str(k) for k in range(SAMPLES)]
    head = "X,CH1,CH2,Start,Increment,\nSequence,Volt,Volt,-1.000000e-03,5.000000e-05\n"
    start = [float(Decimal("-1.000000e-03") + k * Decimal("5.0e-05")) for k in range(SAMPLES)]
    return {
        "data": head + _lines(index, v, m, end=","), "answer": {"columns": _CH},
        "asks": "may be the voltage of", "columns": {"time": np.array(start)},
    }  # fmt: skip


@_file("rigol_ds1000e.csv", "Rigol DS1000E")
def _(w):
    head = "Time,X(CH1),X(CH2),\nSecond,Volt,Volt,\n"
    return {
        "data": head + _lines(*_scope(w, ".4e"), end=","),
        "answer": {"columns": {"v_in": "X(CH1)", "v_mem": "X(CH2)"}},
        "asks": "may be the voltage of",
    }


@_file("rigol_mso5000.csv", "Rigol MSO5000 (t0 and tInc in the headings)")
def _(w):
    head = "CH1(V),CH2(V),t0 = -0.001,tInc = 5e-05,\n"
    start = [float(Decimal("-0.001") + k * Decimal("5e-05")) for k in range(SAMPLES)]
    return {
        "data": head + _lines(w.cells("v_in", ".6f"), w.cells("v_mem", ".6f"), end=",,"),
        "answer": {"columns": _CH}, "asks": "may be the voltage of",
        "columns": {"time": np.array(start)},
    }  # fmt: skip


@_file("siglent_sds1104xe.csv", "Siglent SDS1000X-E")
def _(w):
    head = (
        "Record Length,Analog:200,\nSample Interval,Analog:5.000000E-05,\n"
        "Vertical Units,CH1:V,CH2:V,\nVertical Scale,CH1:0.20,CH2:0.20,\n"
        "Vertical Offset,CH1:0.00,CH2:0.00,\nHorizontal Units,s,\nHorizontal Scale,0.001,\n"
        "Model Number,SDS1104X-E,\nSerial Number,SDSXXXXX,\nSoftware Version,8.2.6.1.37R9,\n"
        "Source,CH1,CH2\nSecond,Value,Value\n"
    )
    return {
        "data": head + _lines(*_scope(w, "+.6E")), "answer": {"columns": _CH},
        "asks": "may be the voltage of",
    }  # fmt: skip


@_file("siglent_bin2csv.csv", "Siglent bin2csv")
def _(w):
    head = (
        "Record Length,Analog:200\nSample Rate,20000.0\nVertical Scale,CH1: 0.20,CH2: 0.20\n"
        "Vertical Offset,CH1:0.00000,CH2:0.00000\nHorizontal Scale, 0.001000000\n"
        "Second,Volt,Volt\n"
    )
    t, v, m = w.cells("time", ".11f"), w.cells("v_in", ".5f"), w.cells("v_mem", ".5f")
    return {
        "data": head + _lines(t, [" " + c for c in v], [" " + c for c in m]),
        "answer": {"columns": {"v_in": "2", "v_mem": "3"}},
        "asks": "may be the voltage of",
    }


@_file("lecroy.csv", "Teledyne LeCroy (one channel)")
def _(w):
    head = (
        "LECROYWR64Xi,20113,Waveform\nSegments,1,SegmentSize,200\n"
        "Segment,TrigTime,TimeSinceSegment1\n#1,14-May-2019 13:29:30,0                 \n"
        "Time,Ampl\n"
    )
    rows = _lines(w.cells("time", ".7E"), w.cells("v_mem", ".6f"))
    return {"data": head + rows, "wrong": True, "asks": "'Ampl' may be the voltage of"}


@_file("lecroy_two.csv", "Teledyne LeCroy (two traces)")
def _(w):
    head = (
        "LECROYMAUI,0,Waveform\nSegments,1,SegmentSize,200\nSegment,TrigTime,TimeSinceSegment1\n"
        "#1,24-Feb-2016 16:34:36,0                 \nTime, Ampl1, Ampl2\n"
    )
    return {
        "data": head + _lines(*_scope(w, ".7e"), delimiter=", "),
        "answer": {"columns": {"v_in": "Ampl1", "v_mem": "Ampl2"}},
        "asks": "may be the voltage of",
    }


@_file("rohde_schwarz_rtb.csv", "Rohde & Schwarz RTB2000")
def _(w):
    return {
        "data": "in s,C1 in V,C2 in V\n" + _lines(*_scope(w, ".7E")),
        "answer": {"columns": {"v_in": "C1", "v_mem": "C2"}},
        "asks": "may be the voltage of",
    }


@_file("hameg_hmo.csv", "Hameg / Rohde & Schwarz HMO")
def _(w):
    return {
        "data": "[s],CH1[V],CH2[V]\n" + _lines(*_scope(w, ".5E")), "answer": {"columns": _CH},
        "asks": "may be the voltage of",
    }  # fmt: skip


@_file("yokogawa_dlm.csv", "Yokogawa DLM")
def _(w):
    head = (
        '"//YOKOGAWA ASCII FILE FORMAT"\nModel,DLM2024\nBlockNumber,1\nTraceName,CH1,CH2\n'
        "BlockSize,200,200\nVUnit,V,V\nSampleRate,2.0E+04,2.0E+04\n"
        "HResolution,5.0000E-05,5.0000E-05\nHOffset,-1.0000E-03,-1.0000E-03\nHUnit,s,s\n"
        "DisplayBlockSize,200,200\nDisplayPointNo.,1,1\nDate,2024/01/05,2024/01/05\n"
        "Time,10:00:00.00,10:00:00.00\n\n"
    )
    start = [float(Decimal("-1.0E-03") + k * Decimal("5E-05")) for k in range(SAMPLES)]
    rows = _lines(w.cells("v_in", ".5E"), w.cells("v_mem", ".5E"), end=",")
    return {
        "data": head + "".join("," + row + "\n" for row in rows.splitlines()),
        "answer": {"columns": _CH}, "asks": "may be the voltage of",
        "columns": {"time": np.array(start)},
        "remark": "the lead comma and the order of the rows are an assumption",
    }  # fmt: skip


@_file("picoscope.csv", "PicoScope (two heading rows, an overflow)")
def _(w):
    t, a, b = (
        w.cells("time", ".8f", power=3),
        w.cells("v_in", ".6f"),
        w.cells("v_mem", ".5f", power=3),
    )
    b[50] = "\u221e"
    for name in ("time", "v_in", "v_mem"):
        w.columns[name] = np.delete(w.columns[name], 50)
    return {
        "data": "Time,Channel A,Channel B\n(ms),(V),(mV)\n\n" + _lines(t, a, b),
        "answer": {"columns": {"v_in": "Channel A", "v_mem": "Channel B"}},
        "asks": "may be the voltage of",
    }


@_file("owon.csv", "OWON (an index, no time)")
def _(w):
    head = (
        "Channel :,CH1(mV),CH2(mV)\nFrequency :,F=100.0Hz,F=100.0Hz\nPK-PK :,1.6V,0.5V\n\n"
        "index,CH1_Voltage(mV),CH2_Voltage(mV)\n"
    )
    rows = _lines(
        [str(k) for k in range(SAMPLES)], w.cells("v_in", ".2f", power=3),
        w.cells("v_mem", ".2f", power=3),
    )  # fmt: skip
    columns = {"v_in": "2", "v_mem": "3", "time": "every 50us"}
    return {
        "data": head + rows, "answer": {"columns": columns}, "asks": "may be the voltage of",
        "columns": {"time": np.arange(SAMPLES) * 5e-5},
    }  # fmt: skip


@_file("digilent_waveforms.csv", "Digilent WaveForms")
def _(w):
    head = (
        "#Digilent WaveForms Oscilloscope Acquisition\n#Device Name: Discovery2\n"
        "#Serial Number: SN:210321A35FCC\n#Date Time: 2022-06-29 18:31:51.647\n"
        "#Sample rate: 20000Hz\n#Samples: 200\n#Trigger: Source: Channel 1 Type: Edge\n"
        "#Channel 1: Range: 500 mV/div Offset: 0 V\n\nTime (s),Channel 1 (V),Channel 2 (V)\n"
    )
    return {
        "data": head + _lines(*_scope(w, ".9g")),
        "answer": {"columns": {"v_in": "Channel 1", "v_mem": "Channel 2"}},
        "asks": "may be the voltage of",
    }


@_file("saleae_logic2.csv", "Saleae Logic 2 (named channels)")
def _(w):
    return {"data": "Time [s],v_in,v_mem\n" + _lines(*_scope(w, ".9f"))}


@_file("micsig.csv", "Micsig (two blocks with preambles, like old Tektronix files)")
def _(w):
    t, v, m = w.cells("time", ".8f"), w.cells("v_in", ".6f"), w.cells("v_mem", ".6f")
    rows = [
        f"{'Length' if k == 0 else ''},{'200' if k == 0 else ''},,{t[k]},{v[k]},"
        f"{'Length' if k == 0 else ''},{'200' if k == 0 else ''},,{t[k]},{m[k]},\n"
        for k in range(SAMPLES)
    ]
    return {
        "data": "ProID,Info,,time,Vol.,ProID,Info,,time,Vol.,\n" + "".join(rows),
        "answer": {"columns": {"v_in": "#5", "v_mem": "#10"}},
        "asks": "may be the voltage of",
    }


@_file("lecroy_segments.csv", "Teledyne LeCroy (two segments)")
def _(w):
    rows = _lines(*_scope(w, ".7e"))
    head = (
        "LECROYMAUI,0,Waveform\nSegments,2,SegmentSize,200\nSegment,TrigTime,TimeSinceSegment1\n"
        "#1,24-Feb-2016 16:34:36,0\n#2,24-Feb-2016 16:34:37,1\nTime,v_in,v_mem\n"
    )
    return {"data": head + rows + rows, "wrong": True, "asks": "2 segments"}


@_file("keysight_segments.csv", "Keysight InfiniiVision (segmented memory)")
def _(w):
    rows = _lines(*_scope(w))
    head = "points/segment = 200\nx-axis,v_in,v_mem\nsecond,Volt,Volt\n"
    return {"data": head + rows + rows, "wrong": True, "asks": "begins again in line 204"}


# --- source-measure units -------------------------------------------------------------------------


@_file("keysight_easyexpert.csv", "Keysight EasyEXPERT (B1500)")
def _(w):
    head = (
        "SetupTitle, I/V-t Sampling\nPrimitiveTest, I/V-t Sampling\n"
        "TestParameter, Channel.UnitType, SMU, SMU\nTestParameter, Channel.Unit, SMU1:HR, SMU2:HR\n"
        "TestParameter, Channel.VName, Vin, Vmem\nTestParameter, Measurement.Bias.Source, 0, 0\n"
        "MetaData, TestRecord.RecordTime, 01/05/2024 10:00:00\n"
        "AnalysisSetup, Analysis.Setup.Title, I/V-t Sampling\nDimension1, 200, 200, 200\n"
        "Dimension2, 1, 1, 1\nDataName, Time, Vin, Vmem\n"
    )
    t, v, m = _scope(w, ".6E")
    return {
        "data": head
        + "".join(f"DataValue, {a}, {b}, {c}\n" for a, b, c in zip(t, v, m, strict=True))
    }


@_file("keithley_tsp.csv", "Keithley 2600 (TSP, numbers in brackets)")
def _(w):
    t, v, i = w.cells("time", ".6e"), w.cells("v_mem", ".6e"), w.cells("i", ".6e")
    index = [f"{k + 1:.6e}" for k in range(SAMPLES)]
    return {
        "data": "Item,Smu1.Time[1][1],Smu1.V[1][1],Smu1.I[1][1]\n" + _lines(index, t, v, i),
        "answer": {"columns": {"v_mem": "Smu1.V[1][1]"}},
        "asks": "may be the voltage of the source or of the memristor",
    }


@_file("keithley_2450.csv", "Keithley 2450 (reading buffer; source values beside readings)")
def _(w):
    t, v, i = w.cells("time", ".6f"), w.cells("v_in", ".6f"), w.cells("i", ".6E")
    head = (
        "Buffer Name,defbuffer1\nInstrument,2450\nSerial Number,04000000\n\n"
        "Index,Reading,Unit,Date,Time,Relative Time,Source Output Value,Source Output Unit\n"
    )
    n = SAMPLES
    rows = _lines(
        [str(k + 1) for k in range(n)], i, ["Amp DC"] * n, ["01/05/2024"] * n,
        [f"10:00:{k / n:09.6f}" for k in range(n)], t, v, ["Volt DC"] * n,
    )  # fmt: skip
    columns = {"i": "Reading [A]", "v_in": "Source Output Value [V]", "time": "Relative Time"}
    return {
        "data": head + rows, "answer": {"columns": columns}, "asks": "no column is known",
        "remark": "which headings a buffer has is chosen at its export",
    }  # fmt: skip


@_file("keithley_kickstart.csv", "Keithley KickStart")
def _(w):
    t, v, i = w.cells("time", ".6f"), w.cells("v_mem", ".7f"), w.cells("i", ".6E")
    head = "Index,SMU-1 Time (s),SMU-1 Voltage (V),SMU-1 Current (A)\n"
    return {
        "data": head + _lines([str(k + 1) for k in range(SAMPLES)], t, v, i),
        "answer": {"columns": {"v_mem": "SMU-1 Voltage"}}, "asks": "may be the voltage of",
    }  # fmt: skip


@_file("keithley_clarius.csv", "Keithley 4200A Clarius")
def _(w):
    t, v, i = w.cells("time", ".6E"), w.cells("v_mem", ".6E"), w.cells("i", ".6E")
    return {
        "data": "Time,AnodeV,AnodeI,CathodeV\n" + _lines(t, v, i, ["0.000000E+0"] * SAMPLES),
        "answer": {"columns": {"v_mem": "AnodeV", "i": "AnodeI"}},
        "asks": "no column is known",
    }


@_file("keysight_b2900.csv", "Keysight B2900 (overflow codes 9.91E+37)")
def _(w):
    t, v, i = w.cells("time", "+.6E"), w.cells("v_in", "+.6E"), w.cells("i", "+.6E")
    i[3], i[60] = "+9.910000E+37", "+9.900000E+37"
    for name in ("time", "v_in", "i"):
        w.columns[name] = np.delete(w.columns[name], [3, 60])
    return {"data": "Time (s),Source Voltage (V),Current (A)\n" + _lines(t, v, i)}


@_file("gamry.dta", "Gamry (.DTA)")
def _(w):
    t, v, i = w.cells("time", ".6E"), w.cells("v_mem", ".6E"), w.cells("i", ".6E")
    head = (
        "EXPLAIN\nTAG\tCYC\nTITLE\tLABEL\tCyclic\tTest &Identifier\nDATE\tLABEL\t1/5/2024\tDate\n"
        "CURVE\tTABLE\t200\n\tPt\tT\tVf\tIm\tVu\n\t#\ts\tV vs. Ref.\tA\tV\n"
    )
    rows = "".join(f"\t{k}\t{t[k]}\t{v[k]}\t{i[k]}\t0.000000E+00\n" for k in range(SAMPLES))
    return {
        "data": head + rows, "answer": {"columns": {"v_mem": "Vf"}},
        "asks": "'Vf' .* may be the voltage of",
    }  # fmt: skip


@_file("biologic.mpt", "BioLogic EC-Lab (.mpt, decimal commas, Latin-1)")
def _(w):
    t, v, i = w.cells("time", ".9E"), w.cells("v_mem", ".7E"), w.cells("i", ".7E", power=3)
    head = "EC-Lab ASCII FILE\nNb header lines : 5\n\nDevice : SP-300, 25 \xb0C\n"
    head += "time/s\tEwe/V\t<I>/mA\n"
    rows = _lines(_comma(t), _comma(v), _comma(i), delimiter="\t")
    return {
        "data": (head + rows).encode("latin-1"), "answer": {"columns": {"v_mem": "Ewe"}},
        "asks": "'Ewe/V' may be the voltage of",
    }  # fmt: skip


# --- programs -------------------------------------------------------------------------------------


def _lvm_head(decimal: str, x_columns: str) -> str:
    return (
        "LabVIEW Measurement\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\n"
        f"Decimal_Separator\t{decimal}\nMulti_Headings\tNo\nX_Columns\t{x_columns}\n"
        "Time_Pref\tRelative\nOperator\tKim\nDate\t2024/01/05\nTime\t10:00:00.93\n"
        "***End_of_Header***\n\nChannels\t2\nSamples\t200\t200\nDate\t2024/01/05\t2024/01/05\n"
        "Time\t10:00:00.93\t10:00:00.93\nX_Dimension\tTime\tTime\n"
    )


@_file("labview_one.lvm", "NI LabVIEW (.lvm, one time column)")
def _(w):
    head = _lvm_head(".", "One") + "X0\t0.0E+0\t0.0E+0\nDelta_X\t5.0E-5\t5.0E-5\n"
    head += "***End_of_Header***\nX_Value\tv_in\tv_mem\tComment\n"
    return {"data": head + _lines(*_scope(w, ".6f"), delimiter="\t", end="\t")}


@_file("labview_none.lvm", "NI LabVIEW (.lvm, no time column, decimal commas)")
def _(w):
    head = _lvm_head(",", "No") + "X0\t0,0E+0\t0,0E+0\nDelta_X\t0,000050\t0,000050\n"
    head += "***End_of_Header***\nX_Value\tv_in\tv_mem\tComment\n"
    v, m = _comma(w.cells("v_in", ".6f")), _comma(w.cells("v_mem", ".6f"))
    return {
        "data": head + _lines([""] * SAMPLES, v, m, delimiter="\t"),
        "columns": {"time": np.arange(SAMPLES) * 5e-5},
    }


@_file("ltspice.txt", "LTspice (text export)")
def _(w):
    return {
        "data": "time\tV(in)\tV(mem)\n" + _lines(*_scope(w, ".15e"), delimiter="\t"),
    }


@_file("ltspice_nodes.txt", "LTspice (numbered nodes, current through the resistor)")
def _(w):
    t, v, i = w.cells("time", ".15e"), w.cells("v_mem", ".15e"), w.cells("i", ".15e")
    return {
        "data": "time\tV(n002)\tI(R1)\n" + _lines(t, v, i, delimiter="\t"),
        "answer": {"columns": {"v_mem": "V(n002)", "i": "I(R1)"}}, "asks": ".",
    }  # fmt: skip


@_file("ltspice_stepped.txt", "LTspice (stepped: two runs)")
def _(w):
    rows = _lines(*_scope(w, ".9e"), delimiter="\t")
    run = "Step Information: R={}K  (Run: {}/2)\n"
    return {
        "data": "time\tV(in)\tV(mem)\n" + run.format(1, 1) + rows + run.format(2, 2) + rows,
        "wrong": True, "asks": "Step Information",
    }  # fmt: skip


@_file("ngspice_wrdata.txt", "ngspice (wrdata with names, the time in front of each)")
def _(w):
    t, v, m = _scope(w, " .8e")
    return {
        "data": " time           v(in)          time           v(mem)\n"
        + _lines(t, v, t, m, delimiter=" ", end=" "),
    }


@_file("numpy_savetxt.txt", "NumPy savetxt (headings in a comment)")
def _(w):
    return {"data": "# t_s v_in_V v_mem_V\n" + _lines(*_scope(w, ".18e"), delimiter=" ")}


@_file("pandas_index.csv", "pandas to_csv (with its index)")
def _(w):
    t, v, i = w.cells("time", ".12g"), w.cells("v_mem", ".12g"), w.cells("i", ".12g")
    return {"data": ",t_s,v_mem_V,i_A\n" + _lines([str(k) for k in range(SAMPLES)], t, v, i)}


@_file("pandas_numbers.csv", "pandas to_csv of an array (its columns are 0, 1, 2)")
def _(w):
    t, v, m = _scope(w, ".12g")
    return {
        "data": ",0,1,2\n" + _lines([str(k) for k in range(SAMPLES)], t, v, m),
        "answer": {"columns": {"time": "0 [s]", "v_in": "1 [V]", "v_mem": "2 [V]"}},
        "asks": ".",
    }


@_file("r_write_csv.csv", "R write.csv (quoted row names)")
def _(w):
    t, v, m = _scope(w, ".15g")
    rows = _lines([f'"{k + 1}"' for k in range(SAMPLES)], t, v, m)
    return {"data": '"","t_s","v_in_V","v_mem_V"\n' + rows}


@_file("r_write_table.txt", "R write.table (a heading less than columns)")
def _(w):
    t, v, m = _scope(w, ".15g")
    rows = _lines([f'"{k + 1}"' for k in range(SAMPLES)], t, v, m, delimiter=" ")
    return {
        "data": '"t_s" "v_in_V" "v_mem_V"\n' + rows,
        "answer": {"columns": {"time": "2", "v_in": "3", "v_mem": "4"}},
        "asks": "3 headings in line 1 over rows of 4 columns",
    }


@_file("matlab_writematrix.csv", "MATLAB writematrix (no headings)")
def _(w):
    return {
        "data": _lines(*_scope(w, ".15g")),
        "answer": {"columns": {"time": "1", "v_in": "2", "v_mem": "3"}},
        "asks": "no column is known",
    }


@_file("octave_save.txt", "GNU Octave save -text")
def _(w):
    head = "# Created by Octave 8.4.0, Fri Jan 05 10:00:00 2024\n# name: x\n# type: matrix\n"
    head += "# rows: 200\n# columns: 3\n"
    return {
        "data": head
        + _lines(*([" " + c for c in column] for column in _scope(w, ".15g")), delimiter=""),
        "answer": {"columns": {"time": "1", "v_in": "2", "v_mem": "3"}},
        "asks": "no column is known",
    }


@_file("excel_german.csv", "Excel, German (sep=;, decimal commas, byte order mark)")
def _(w):
    t, v, m = w.cells("time", ".3f", power=3), w.cells("v_in", ".6f"), w.cells("v_mem", ".6f")
    body = "sep=;\nZeit (ms);U_in (V);U_mem (V)\n"
    body += _lines(_comma(t), _comma(v), _comma(m), delimiter=";")
    return {"data": body.encode("utf-8-sig")}


@_file("excel_unicode.txt", "Excel, Unicode text (UTF-16, tabs)")
def _(w):
    t, v, i = w.cells("time", ".3f", power=3), w.cells("v_mem", ".6f"), w.cells("i", ".4f", power=6)
    body = "t [ms]\tv_mem [V]\ti [\u00b5A]\r\n" + _lines(t, v, i, delimiter="\t").replace(
        "\n", "\r\n"
    )
    return {"data": body.encode("utf-16")}


@_file("quoted_decimal_commas.csv", "A database (RFC 4180, everything quoted, decimal commas)")
def _(w):
    t, v, i = (
        w.cells("time", ".3f", power=3),
        w.cells("v_mem", ".3f", power=3),
        w.cells("i", ".3f", power=6),
    )
    return {"data": _quoted(["t_ms", "v_mem_mV", "i_uA"], _comma(t), _comma(v), _comma(i))}


@_file("old_macintosh.csv", "Classic Macintosh (carriage returns), capitals")
def _(w):
    body = "TIME(S),V_IN(V),V_MEM(V)\n" + _lines(*_scope(w, ".6E"))
    return {"data": body.replace("\n", "\r")}


@_file("logger_clock.csv", "A data logger (time of day)")
def _(w):
    clock = [f"2024-01-05 10:00:00.{k * 50:06d}" for k in range(SAMPLES)]
    v, m = w.cells("v_in", ".6f"), w.cells("v_mem", ".6f")
    return {
        "data": "Time,v_in_V,v_mem_V\n" + _lines(clock, v, m),
        "answer": {"columns": {"time": "every 50us"}}, "asks": "dates or times of day",
        "columns": {"time": np.arange(SAMPLES) * 5e-5},
    }  # fmt: skip


@_file("rounded_times.csv", "A logger that writes the time with four digits")
def _(w):
    t = [f"{round(value, 4):.4f}" for value in true_loop()["time"]]
    v, m = w.cells("v_in", ".6f"), w.cells("v_mem", ".6f")
    return {
        "data": "t_s,v_in_V,v_mem_V\n" + _lines(t, v, m),
        "answer": {"columns": {"time": "every 50us"}}, "asks": "too few digits",
        "columns": {"time": np.arange(SAMPLES) * 5e-5},
    }  # fmt: skip

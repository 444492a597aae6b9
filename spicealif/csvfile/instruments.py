"""What preambles of instruments and programs say of the columns below them.

Each format here was written down after the published manuals; ``docs/csv_files.md`` lists them.
Most need nothing but their name: headings, units and numbers are found without knowing them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from spicealif.csvfile.cells import NumberFormat, kind_of, parse_number
from spicealif.csvfile.headings import key_of, parse_heading
from spicealif.csvfile.layout import Layout
from spicealif.csvfile.units import Unit, find_unit
from spicealif.errors import TableFileError

__all__ = ["MadeTime", "Preamble", "read_preamble"]

#: What is seen in the first lines, and whose it is.
_MAKERS = tuple(
    (re.compile(sign), whose)
    for sign, whose in (
        (r"EasyEXPERT|^SetupTitle|^PrimitiveTest|^DataName", "Keysight EasyEXPERT"),
        (r"^\*\*\*End_of_Header|^LabVIEW Measurement", "NI LabVIEW (.lvm)"),
        (r"^#?\s*Digilent WaveForms", "Digilent WaveForms"),
        (r"^LECROY", "Teledyne LeCroy"),
        (r"YOKOGAWA", "Yokogawa"),
        (r"^Step Information:", "LTspice, stepped"),
        (r"Created by Octave", "GNU Octave"),
        (r"^EXPLAIN\b", "Gamry"),
        (r"^EC-Lab ASCII FILE", "BioLogic EC-Lab"),
        (r"^;?Version, 1, 0", "Cadence (.vcsv)"),
        (r"^Model,(?:MSO|DPO|MDO|TBS|TDS)", "Tektronix"),
        (r"^Record Length,.*,.*,", "Tektronix TDS"),
        (r"^Record Length,Analog", "Siglent"),
        (r"^Buffer Name|^Channel,defbuffer|KEITHLEY", "Keithley"),
        (r"^Format,\d\.\d[A-Z]", "GW Instek"),
    )
)
_INTERVALS = ("sampleinterval", "samplinginterval", "samplingperiod", "deltax", "xincrement",
              "xincr", "sampleperiod", "increment", "deltat", "dt", "hresolution")  # fmt: skip
_RATES = ("samplerate", "samplingrate", "samplingfrequency", "fs")
_T0 = re.compile(r"t0\s*=\s*([-+0-9.eE]+)\s*s?\Z")
_T_INC = re.compile(r"tInc\s*=\s*([-+0-9.eE]+)\s*s?\Z", re.IGNORECASE)


@dataclass(frozen=True)
class MadeTime:
    """A time axis that stands in the preamble and not in a column.

    Attributes
    ----------
    start, step : float
        In s.
    counter : int or None
        The column that counts the samples; None if the rows do.
    """

    start: float
    step: float
    counter: int | None = None


@dataclass(frozen=True)
class Preamble:
    """What was understood of the lines above the table.

    Attributes
    ----------
    layout : Layout
        With the headings and units that the preamble gives.
    maker : str
        Whose file it is, or an empty text.
    time : MadeTime or None
    interval : float or None
        Between the samples in s, as a hint: the preamble states it, but not that of which rows.
    """

    layout: Layout
    maker: str = ""
    time: MadeTime | None = None
    interval: float | None = None


def read_preamble(text: str, layout: Layout, name: str) -> Preamble:
    """Return what the lines above a table say of it.

    Parameters
    ----------
    text : str
    layout : Layout
    name : str
        What the file is called in messages.

    Raises
    ------
    TableFileError
        If it says that the file holds what is not one record.
    """
    lines = text.split("\n", layout.start)[: layout.start]
    begins = [line[:200].strip("\"' ") for line in lines[:60]]
    maker = next((m for sign, m in _MAKERS if any(map(sign.search, begins))), "")
    facts = _facts(layout)
    if maker == "Teledyne LeCroy":
        _refuse_segments(facts, name)
    layout, made = _rigol(layout, name)
    if made is None and maker == "Yokogawa":
        layout, made = _yokogawa(layout, facts)
    if made is None and maker.startswith("NI LabVIEW"):
        layout, made = _labview(layout, facts)
    if maker == "Tektronix TDS":
        layout = _old_tektronix(layout)
    return Preamble(_with_units(layout, facts), maker, made, _interval(facts))


def _facts(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return the preamble as keys and values."""
    facts: dict[str, tuple[str, ...]] = {}
    for row in layout.above:
        if len(row.cells) > 1 and row.cells[0]:
            facts.setdefault(key_of(row.cells[0]), row.cells[1:])
    for comment in layout.comments:
        (key, colon, value) = comment.partition(":")
        if not colon:
            (key, colon, value) = comment.partition("=")
        if colon:
            facts.setdefault(key_of(key), (value.strip(),))
    return facts


def _number(cell: str) -> float | None:
    cell = cell.strip()
    for form in (NumberFormat("."), NumberFormat(",")):
        value = parse_number(cell, form) if cell else None
        if value is not None and math.isfinite(value):
            return value
    return None


def _interval(facts: Mapping[str, tuple[str, ...]]) -> float | None:
    for key in _INTERVALS:
        value = _number(facts[key][0]) if key in facts else None
        if value is not None and value > 0:
            return value
    for key in _RATES:
        text = facts[key][0].removesuffix("Hz") if key in facts else ""
        value = _number(text)
        if value is not None and value > 0 and math.isfinite(1 / value):
            return 1 / value
    return None


# --- one maker each -------------------------------------------------------------------------------


def _refuse_segments(facts: Mapping[str, tuple[str, ...]], name: str) -> None:
    count = _number(facts["segments"][0]) if "segments" in facts else None
    if count is not None and count > 1:
        raise TableFileError(
            f"The file {name} holds {count:g} segments one after the other; export one of them."
        )


def _rigol(layout: Layout, name: str) -> tuple[Layout, MadeTime | None]:
    """Take start and increment from the headings: ``X,CH1,Start,Increment``, ``t0 =, tInc =``."""
    keys = [key_of(heading) for heading in layout.headings]
    if "start" in keys and "increment" in keys and keys[0] in ("x", "sequence"):
        start = _number(layout.units[keys.index("start")])
        step = _number(layout.units[keys.index("increment")])
        if start is None or step is None or not step > 0:
            raise TableFileError(
                f"The file {name} has 'Start' and 'Increment' among its headings and no such "
                "numbers below them; write them there, or export the record with its times."
            )
        keep = min(keys.index("start"), keys.index("increment"))
        return _cut(layout, keep), MadeTime(start, step, 0)
    t0 = [m for heading in layout.headings if (m := _T0.match(heading.strip()))]
    inc = [m for heading in layout.headings if (m := _T_INC.match(heading.strip()))]
    if t0 and inc:
        start, step = _number(t0[0][1]), _number(inc[0][1])
        keep = min(
            k for k, heading in enumerate(layout.headings)
            if _T0.match(heading.strip()) or _T_INC.match(heading.strip())
        )  # fmt: skip
        if start is not None and step is not None and step > 0:
            timed = any(parse_heading(h).base == "s" for h in layout.headings[:keep])
            return _cut(layout, keep), None if timed else MadeTime(start, step)
    return layout, None


def _yokogawa(
    layout: Layout, facts: Mapping[str, tuple[str, ...]]
) -> tuple[Layout, MadeTime | None]:
    """Take time and names from ``TraceName``, ``VUnit``, ``HResolution`` and ``HOffset``."""
    names, units = facts.get("tracename", ()), facts.get("vunit", ())
    steps = [_number(cell) for cell in facts.get("hresolution", ()) if cell]
    starts = [_number(cell) for cell in facts.get("hoffset", ()) if cell]
    # The row above the data is the last of the preamble, and has as many cells.
    if not names or not steps or set(names) & set(layout.headings) - {""}:
        return layout, None
    skip = _leading_blank(layout)
    width = len([n for n in names if n])
    if layout.width - skip != width or len(set(steps)) > 1 or len(set(starts)) > 1:
        return layout, None
    blank = ("",) * skip
    layout = replace(
        layout,
        headings=(*blank, *names[:width]),
        units=(*blank, *(units[:width] if len(units) >= width else [""] * width)),
        doubt="",
    )
    step, start = steps[0], starts[0] if starts else 0.0
    in_s = all(cell in ("s", "S", "") for cell in facts.get("hunit", ()))
    made = step is not None and start is not None and step > 0 and in_s
    return layout, MadeTime(start or 0.0, step or 0.0) if made else None


def _labview(
    layout: Layout, facts: Mapping[str, tuple[str, ...]]
) -> tuple[Layout, MadeTime | None]:
    """Name what .lvm calls ``X_Value``, and make the time where it was not saved."""
    is_time = all(cell in ("Time", "") for cell in facts.get("xdimension", ("Time",)))
    units = list(layout.units)
    labels = facts.get("yunitlabel", ())
    columns = [k for k, heading in enumerate(layout.headings) if key_of(heading) == "xvalue"]
    values = [
        k for k, h in enumerate(layout.headings)
        if h and k not in columns and key_of(h) != "comment"
    ]  # fmt: skip
    if len([u for u in labels if u]) == len(values):
        for k, label in zip(values, (u for u in labels if u), strict=True):
            units[k] = units[k] or label
    saved = [
        k for k in columns if any(row.cells[k : k + 1] not in ((), ("",)) for row in layout.head)
    ]
    headings = list(layout.headings)
    for k in columns if is_time else ():
        headings[k], units[k] = ("Time", "s") if k in saved else ("", "")
    layout = replace(layout, headings=tuple(headings), units=tuple(units))
    steps = {_number(cell) for cell in facts.get("deltax", ()) if cell}
    starts = {_number(cell) for cell in facts.get("x0", ()) if cell}
    if not is_time or saved or len(steps) != 1 or len(starts) > 1:
        return layout, None
    step, start = steps.pop(), starts.pop() if starts else 0.0
    if step is None or start is None or not step > 0:
        return layout, None
    return layout, MadeTime(start, step)


def _old_tektronix(layout: Layout) -> Layout:
    """Name the columns of files whose first columns are the preamble (TDS 200, 1000, 2000)."""
    facts: dict[str, str] = {}
    for row in layout.head[:40]:
        if len(row.cells) > 1 and row.cells[0]:
            facts.setdefault(key_of(row.cells[0]), row.cells[1])
    if any(layout.headings) or "recordlength" not in facts or layout.width < 5:
        return layout
    block = [k for k, cell in enumerate(layout.head[0].cells) if kind_of(cell) == "n"]
    # length, time and value; another channel may stand to the right, with its own preamble
    if block != [1, 3, 4]:
        return layout
    headings, units = [""] * layout.width, [""] * layout.width
    headings[3], headings[4] = "Time", facts.get("source", "CH1")
    units[3], units[4] = facts.get("horizontalunits", ""), facts.get("verticalunits", "")
    return replace(layout, headings=tuple(headings), units=tuple(units))


def _with_units(layout: Layout, facts: Mapping[str, tuple[str, ...]]) -> Layout:
    """Take units from rows such as ``Vertical Units,V,V`` where neither heading nor row has one."""
    given = [cell.rpartition(":")[2].strip() for cell in facts.get("verticalunits", ()) if cell]
    heads = [parse_heading(heading) for heading in layout.headings]
    if not given or any(find_unit(unit) is None for unit in given):
        return layout
    times = [
        k for k, head in enumerate(heads)
        if head.is_generic("s") or head.base == "s" or find_unit(layout.units[k]) == Unit("s")
    ]  # fmt: skip
    values = [k for k, head in enumerate(heads) if head.name and k not in times]
    units = list(layout.units)
    if len(given) == len(values):
        for k, unit in zip(values, given, strict=True):
            units[k] = units[k] or ("" if heads[k].unit else unit)
    across = facts.get("horizontalunits", ("",))[0]
    if len(times) == 1 and not (heads[times[0]].unit or units[times[0]]) and find_unit(across):
        units[times[0]] = across
    return replace(layout, units=tuple(units))


def _leading_blank(layout: Layout) -> int:
    """Return 1 if the first cell of every row is empty."""
    return int(all(row.cells and not row.cells[0] for row in layout.head))


def _cut(layout: Layout, width: int) -> Layout:
    """Return a layout without the columns from one on, which hold no data."""
    width = max(width, 1)
    return replace(
        layout, width=width, headings=layout.headings[:width], units=layout.units[:width],
        formats=layout.formats[:width],
    )  # fmt: skip

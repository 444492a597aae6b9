"""The section with the traces of a run and its spikes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.measures import spikes as _spikes
from spicealif.report._blocks import Block, Cell, Section, Table, Text, Traces
from spicealif.report._charts import Chart, Marks, Panel, Series, thinned
from spicealif.report._material import RunMaterial
from spicealif.report._words import listed, si, typeset
from spicealif.waveforms import QUANTITIES, Waveforms

__all__ = ["traces_section"]

_Floats = NDArray[np.float64]
#: What is drawn, and how high.
_DRAWN = {"i_in": 84, "v_mem": 190, "v_c": 150, "x": 120}
#: Spikes of a side that are drawn, and rows of the table.
_MOST_SPIKES, _MOST_ROWS = 20_000, 2000


def traces_section(material: RunMaterial) -> Section:
    """Return the section with v_mem, v_c, x and the spikes, and the spikes' table."""
    blocks: list[Block] = []
    if (why := material.missing.get("traces")) is not None:
        blocks.append(Text([typeset(why)], "missing"))
    sides = _sides(material)
    if not sides:
        blocks.append(Text(["There are no waveforms to draw."], "missing"))
        return Section("traces", "Traces and spikes", blocks)
    blocks.append(Traces(_chart(material, sides), _table(material, sides)))
    return Section("traces", "Traces and spikes", blocks)


def _sides(material: RunMaterial) -> list[tuple[str, int, Waveforms]]:
    """Return name, colour and waveforms of what is there."""
    labels = ("circuit", "reference")
    if material.comparison is not None:
        labels = material.comparison.labels
    found = ((labels[0], 1, material.circuit), (labels[1], 2, material.reference))
    return [(typeset(name), c, w) for name, c, w in found if w is not None and len(w) > 1]


def _chart(material: RunMaterial, sides: Sequence[tuple[str, int, Waveforms]]) -> Chart:
    begin = min(float(w.time[0]) for *_, w in sides)
    end = max(float(w.time[-1]) for *_, w in sides)
    # The current is the same on both sides.
    wanted = [
        (name, colour, quantity, waveforms)
        for quantity in _DRAWN
        for name, colour, waveforms in (sides[:1] if quantity == "i_in" else sides)
        if quantity in waveforms
    ]
    few = thinned([(waveforms, quantity) for *_, quantity, waveforms in wanted])
    drawn: dict[str, list[Series]] = {}
    for (name, colour, quantity, _), (time, values, part, samples) in zip(wanted, few, strict=True):
        alone = quantity == "i_in"
        label, shade = ("input current", 3) if alone else (name, colour)
        drawn.setdefault(quantity, []).append(Series(label, shade, time, values, part, samples))
    neuron = material.neuron
    levels = {"v_mem": [(neuron.v_th, "v_th"), (neuron.v_low, "v_low")]}
    panels = []
    for quantity, series in drawn.items():
        unit, words = QUANTITIES[quantity]
        unit = "" if unit == "1" else unit
        panels.append(
            Panel(quantity, words, unit, series, height=_DRAWN[quantity],
                  lines=levels.get(quantity, ()))
        )  # fmt: skip
    if intervals := _intervals(material, sides):
        panels.append(Panel("interval", "since the spike before", "s", intervals, height=120))
    marks = [Marks(name, c, w.t_spike[:_MOST_SPIKES]) for name, c, w in sides]
    panels.append(Panel("spikes", "spike times", marks=marks, height=30 + 26 * len(marks)))
    counts = listed([f"{counted(len(w.t_spike), 'spike')} of {name}" for name, _, w in sides])
    description = (
        f"{listed([p.symbol for p in panels])} from {si(begin, 's')} to {si(end, 's')}; {counts}."
    )
    return Chart(
        "traces", "Traces over time", begin, end, panels, description, _embedded(panels, sides)
    )


def _intervals(material: RunMaterial, sides: Sequence[tuple[str, int, Waveforms]]) -> list[Series]:
    """Return the intervals between spikes, at the second of each two, as points."""
    starts = _pulses(material)
    out = []
    for name, colour, waveforms in sides:
        t = waveforms.t_spike[:_MOST_SPIKES]
        pulse = np.searchsorted(starts, t, side="right")
        same = np.diff(pulse) == 0
        if same.any():
            out.append(Series(name, colour, t[1:][same], np.diff(t)[same], dots=True))
    return out


def _embedded(panels: Sequence[Panel], sides: Sequence[tuple[str, int, Waveforms]]) -> list[str]:
    """Say what of the traces is in the page, and how exact that is."""
    series = [(panel, s) for panel in panels for s in panel.series if not s.dots]
    if not series:
        return []
    parts = [s.part for _, s in series]
    samples = sum(len(s.time) for _, s in series)
    of = sum(s.samples for _, s in series)
    said = f"Embedded are {samples:,} samples of the {of:,} that were computed of these traces. "
    if any(math.isnan(part) for part in parts):
        said += (
            "That is the smallest and largest value in each of many stretches, since lines within "
            "a known distance would take too many: zoomed far, a trace is drawn more coarsely than "
            "it was computed."
        )
    else:
        worst = max(parts)
        of_v = [(s.part * s.span, panel.unit) for panel, s in series if panel.symbol == "v_mem"]
        example = f", of v_mem {si(max(e for e, _ in of_v), of_v[0][1])}" if of_v else ""
        said += (
            f"Straight lines between them are within {worst:.2g} of each trace's span of every "
            f"sample that was computed{example}, at every zoom."
        )
    notes = [
        said,
        "Values are rounded to 1/65534 of their span and times to 2\N{SUPERSCRIPT MINUS}"
        "\N{SUPERSCRIPT THREE}\N{SUPERSCRIPT TWO} of the run; spike times are not rounded.",
    ]
    if any(len(w.t_spike) > _MOST_SPIKES for *_, w in sides):
        notes.append(f"Of each side the first {_MOST_SPIKES:,} spikes are drawn.")
    return notes


def _table(material: RunMaterial, sides: Sequence[tuple[str, int, Waveforms]]) -> Table | None:
    """Return the table of spikes: matched pairs, and those that have no partner."""
    if not any(len(w.t_spike) for *_, w in sides):
        return None
    if len(sides) == 1:
        return _of_one(material, sides[0][2])
    pair = material.comparison
    a, b = (w.t_spike for *_, w in sides)
    window = float(pair.of_pair["match_window"]) if pair is not None else math.inf
    i_a, i_b = _spikes.match_spikes(a, b, window)
    partner = dict(zip(i_a.tolist(), i_b.tolist(), strict=True))
    lonely = sorted(set(range(len(b))) - set(partner.values()))
    order: list[tuple[float, int | None, int | None]] = [
        (float(a[k]), k, partner.get(k)) for k in range(len(a))
    ]
    order += [(float(b[k]), None, k) for k in lonely]
    order.sort(key=lambda row: row[0])
    starts = _pulses(material)
    rows = []
    for number, (time, k, j) in enumerate(order, start=1):
        t_a, t_b = (
            (float(a[k]) if k is not None else None),
            (float(b[j]) if j is not None else None),
        )
        row: list[str | Cell] = [
            _number(number, t_a, t_b),
            *([str(int(np.searchsorted(starts, time, side="right")))] if len(starts) else []),
            _time(t_a),
            _interval(a, k),
            _time(t_b),
            _interval(b, j),
            si(t_a - t_b, "s")
            if t_a is not None and t_b is not None
            else Cell("no partner", "unresolved"),
        ]
        rows.append(row)
    names = [name.partition(" (")[0] for name, *_ in sides]
    head = ["spike", *(["pulse"] if len(starts) else []), f"{names[0]}, ms", "interval",
            f"{names[1]}, ms", "interval", "difference"]  # fmt: skip
    caption = (
        f"{counted(len(i_a), 'matched pair')}; {len(a) - len(i_a)} of {names[0]} and "
        f"{len(b) - len(i_b)} of {names[1]} without a partner nearer than {si(window, 's')}"
    )
    return Table(*_cut(caption, head, rows))


def _of_one(material: RunMaterial, waveforms: Waveforms) -> Table:
    t, starts = waveforms.t_spike, _pulses(material)
    rows = [
        [
            _number(k + 1, float(t[k]), None),
            *([str(int(np.searchsorted(starts, t[k], side="right")))] if len(starts) else []),
            _time(float(t[k])),
            _interval(t, k),
        ]
        for k in range(len(t))
    ]
    head = ["spike", *(["pulse"] if len(starts) else []), "time, ms", "interval"]
    return Table(*_cut(counted(len(t), "spike"), head, rows))


def _cut(
    caption: str, head: list[str], rows: list[list[str | Cell]]
) -> tuple[str, list[str], list[list[str | Cell]]]:
    """Leave out the middle of a table that would fill books."""
    if len(rows) <= _MOST_ROWS:
        return caption, head, rows
    half = _MOST_ROWS // 2
    caption += f"; of {len(rows):,} rows here are the first and the last {half:,}"
    return caption, head, rows[:half] + rows[-half:]


def _pulses(material: RunMaterial) -> _Floats:
    """Return when pulses begin, in s; empty where the current has none."""
    starts, _ = material.neuron.stimulus.windows(material.neuron.t_stop)
    return starts if len(starts) > 1 else np.empty(0)


def _number(number: int, t_a: float | None, t_b: float | None) -> Cell:
    """Return a row's number; what it stands for in the pictures goes with it."""
    times = " ".join("-" if t is None else repr(t) for t in (t_a, t_b))
    return Cell(str(number), times)


def _time(t: float | None) -> str | Cell:
    return "\u2013" if t is None else f"{t * 1e3:.6f}"


def _interval(t: _Floats, k: int | None) -> str:
    return si(float(t[k] - t[k - 1]), "s") if k else "\u2013"

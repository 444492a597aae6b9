"""Traces over time: thinned with a known error, packed for the page, and drawn as SVG.

The drawing here is what is seen before, and without, the page's script, and in print where the
script has not drawn anything; with the script the same numbers are drawn anew at every zoom.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif.waveforms import Waveforms

__all__ = ["Chart", "Marks", "Panel", "Series", "nice_ticks", "thinned"]

_Floats = NDArray[np.float64]

#: Samples of all traces of a report together, about 8 bytes each.
_MOST = 150_000
#: Of each trace's span: how far lines may be from the samples that are left out; the first that
#: leaves few enough is taken.
_PARTS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2)
#: Steps that a time and a value are written in.
_TIME_STEPS, _VALUE_STEPS = 2**32 - 1, 2**16 - 2
#: What stands for a value that is none.
_NO_VALUE = 2**16 - 1
#: The drawing in units of which the page is 760 wide: margins, and distance of points.
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM, _AXIS = 760, 62, 10, 8, 8, 34
_COLUMN = 1.5


@dataclass(frozen=True, eq=False)
class Series:
    """A trace.

    Attributes
    ----------
    name : str
    colour : int
        1 for the circuit, 2 for the reference, 3 for what both have.
    time, values : ndarray, shape (N,)
        In s and in the panel's unit.
    part : float
        Of the span: how far lines between these samples may be from those left out, in all.
    samples : int
        How many samples there were before anything was left out.
    dots : bool
        Whether the samples are all there is, and no lines between them.
    """

    name: str
    colour: int
    time: _Floats
    values: _Floats
    part: float = 0.0
    samples: int = 0
    dots: bool = False

    @property
    def span(self) -> float:
        """Largest minus smallest value."""
        good = self.values[np.isfinite(self.values)]
        return float(np.ptp(good)) if len(good) else 0.0

    def packed(self, begin: float, end: float) -> dict[str, Any]:
        """Return the trace as the page's script reads it."""
        good = np.isfinite(self.values)
        low = float(self.values[good].min()) if good.any() else 0.0
        span = self.span or 1.0
        values = np.full(len(self.values), _NO_VALUE, dtype="<u2")
        values[good] = np.rint((self.values[good] - low) / span * _VALUE_STEPS)
        # A result may begin before the picture does by a rounding.
        at = np.clip((self.time - begin) / ((end - begin) or 1.0), 0.0, 1.0)
        return {
            "name": self.name, "colour": self.colour, "n": len(values), "low": low, "span": span,
            "dots": self.dots,
            "t": _base64(np.rint(at * _TIME_STEPS).astype("<u4")), "v": _base64(values),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Marks:
    """Moments, such as spikes, as a row of strokes.

    Attributes
    ----------
    name : str
    colour : int
    time : ndarray, shape (K,)
        In s.
    """

    name: str
    colour: int
    time: _Floats

    def packed(self) -> dict[str, Any]:
        """Return the moments as the page's script reads them."""
        packed = _base64(np.asarray(self.time, dtype="<f8"))
        return {"name": self.name, "colour": self.colour, "n": len(self.time), "t": packed}


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a chart.

    Attributes
    ----------
    symbol, words, unit : str
        What is drawn, such as ``v_mem``, ``membrane voltage`` and ``V``.
    series : sequence of Series
    marks : sequence of Marks
        Instead of series.
    height : int
        In units of which the page is 760 wide.
    lines : sequence of (float, str)
        Levels to be drawn, with their names.
    """

    symbol: str
    words: str
    unit: str = ""
    series: Sequence[Series] = ()
    marks: Sequence[Marks] = ()
    height: int = 150
    lines: Sequence[tuple[float, str]] = ()

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value of the picture, some room included."""
        finite = [s.values[np.isfinite(s.values)] for s in self.series]
        ends = [float(f(v)) for v in finite if len(v) for f in (np.min, np.max)]
        ends += [level for level, _ in self.lines]
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        room = 0.06 * (high - low) or abs(high) or 1.0
        return low - room, high + room

    @property
    def scale(self) -> tuple[float, str]:
        """Factor and unit of the numbers at the axis."""
        return _prefixed(max(abs(end) for end in self.limits), self.unit)

    @property
    def caption(self) -> str:
        """What is drawn, in which unit."""
        unit = self.scale[1] if self.series else ""
        return f"{self.words} in {unit}" if unit else self.words


@dataclass(frozen=True, eq=False)
class Chart:
    """Panels over one time axis.

    Attributes
    ----------
    name : str
        For links: letters and hyphens.
    title : str
    begin, end : float
        In s.
    panels : sequence of Panel
    description : str
        What there is to see, for those who do not.
    embedded : sequence of str
        What of the traces is in the page, in sentences.
    """

    name: str
    title: str
    begin: float
    end: float
    panels: Sequence[Panel]
    description: str
    embedded: Sequence[str] = field(default=())

    @property
    def data(self) -> dict[str, Any]:
        """Everything that the page's script needs to draw it anew."""
        factor, unit = _prefixed(max(abs(self.begin), abs(self.end)), "s")
        panels = []
        for panel in self.panels:
            scale, shown = panel.scale
            panels.append(
                {
                    "symbol": panel.symbol,
                    "unit": shown,
                    "scale": scale,
                    "height": panel.height,
                    "limits": panel.limits,
                    "series": [s.packed(self.begin, self.end) for s in panel.series],
                    "marks": [m.packed() for m in panel.marks],
                    "lines": [[level, name] for level, name in panel.lines],
                }
            )
        return {
            "begin": self.begin, "end": self.end, "factor": factor, "unit": unit, "panels": panels,
            "left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": _BOTTOM, "axis": _AXIS,
        }  # fmt: skip

    @property
    def legend(self) -> list[tuple[str, int]]:
        """Names of the traces with their colours, each once."""
        series = [(s.name, s.colour) for panel in self.panels for s in panel.series]
        marks = [(m.name, m.colour) for panel in self.panels for m in panel.marks]
        return list(dict.fromkeys([*series, *marks]))

    @property
    def drawn(self) -> list[tuple[Panel, str]]:
        """The panels, each with its SVG."""
        last = len(self.panels) - 1
        return [(p, self._svg(p, k == last)) for k, p in enumerate(self.panels)]

    def _svg(self, panel: Panel, last: bool) -> str:
        height = panel.height + (_AXIS - _BOTTOM if last else 0)
        left, right = _LEFT, _WIDTH - _RIGHT
        top, bottom = _TOP, panel.height - _BOTTOM
        low, high = panel.limits
        across = (right - left) / ((self.end - self.begin) or 1.0)
        down = (bottom - top) / (high - low)

        def x_of(t: Any) -> Any:
            return left + (t - self.begin) * across

        def y_of(v: Any) -> Any:
            return bottom - (v - low) * down

        grid, words, lines = [], [], []
        factor, unit = _prefixed(max(abs(self.begin), abs(self.end)), "s")
        for tick in nice_ticks(self.begin * factor, self.end * factor, 7):
            x = x_of(tick / factor)
            grid.append(f"M{x:.1f} {top}V{bottom}")
            if last:
                words.append(_word(x, bottom + 16, "middle", f"{tick:.6g}"))
        if last:
            words.append(_word((left + right) / 2, bottom + 32, "middle", f"time in {unit}"))
        if panel.marks:
            each = (bottom - top) / len(panel.marks)
            for k, marks in enumerate(panel.marks):
                y = top + each * k
                words.append(_word(left - 6, y + each / 2 + 4, "end", marks.name.split(" (")[0]))
                strokes = "".join(
                    f"M{x:.1f} {y + 3:.1f}V{y + each - 3:.1f}"
                    for x in np.unique(np.round(x_of(marks.time), 1))
                )
                lines.append(f'<path class="line c{marks.colour}" d="{strokes}"/>')
        else:
            scale, _ = panel.scale
            for tick in nice_ticks(low * scale, high * scale, max(2, panel.height // 34)):
                y = y_of(tick / scale)
                grid.append(f"M{left} {y:.1f}H{right}")
                words.append(_word(left - 6, y + 4, "end", f"{tick:.6g}"))
            for level, name in panel.lines:
                y = y_of(level)
                lines.append(f'<path class="level" d="M{left} {y:.1f}H{right}"/>')
                words.append(_word(right - 4, y + (14 if y < top + 18 else -5), "end", name))
            # The first of them, the circuit, lies on top.
            for series in reversed(panel.series):
                x, y = x_of(series.time), y_of(series.values)
                path = _dots(x, y) if series.dots else _path(x, y)
                dense = " dense" if len(series.time) > 4 * (right - left) else ""
                dense = " dots" if series.dots else dense
                lines.append(f'<path class="line c{series.colour}{dense}" d="{path}"/>')
        title = escape(f"{panel.symbol}: {panel.words}")
        return (
            f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">'
            f'<path class="grid" d="{"".join(grid)}"/>{"".join(lines)}'
            f'<rect class="frame" x="{left}" y="{top}" width="{right - left}" '
            f'height="{bottom - top}"/><g class="words">{"".join(words)}</g></svg>'
        )


def thinned(
    wanted: Sequence[tuple[Waveforms, str]], most: int = _MOST
) -> list[tuple[_Floats, _Floats, float, int]]:
    """Return traces with as many samples as a page holds, all with the same error.

    Parameters
    ----------
    wanted : sequence of (Waveforms, str)
        Results, and the quantity of each.
    most : int
        Samples of all of them together.

    Returns
    -------
    list of (ndarray, ndarray, float, int)
        Time and values of each, shape (N,); how far lines between them may be from the samples of
        the run, as a part of the trace's span; and how many samples the run had.
    """
    out: list[tuple[_Floats, _Floats, float, int]] = []
    for part in _PARTS:
        out = []
        for waveforms, name in wanted:
            alone = Waveforms(waveforms.time, {name: waveforms[name]}, waveforms.t_spike)
            before = float(waveforms.attrs.get("interpolation_error", 0.0))
            samples = int(waveforms.attrs.get("samples", len(waveforms)))
            few = alone.decimated(part)
            out.append((few.time, few[name], before + part, samples))
        if sum(len(time) for time, *_ in out) <= most:
            return out
    return [_every_kth(trace, most // max(len(out), 1)) for trace in out]


def _every_kth(
    trace: tuple[_Floats, _Floats, float, int], most: int
) -> tuple[_Floats, _Floats, float, int]:
    """Return the smallest and largest value in each of as many stretches as there is room for."""
    time, values, _, samples = trace
    if len(time) <= most:
        return trace
    width = -(-len(time) // (most // 2))
    starts = range(0, len(time), width)
    keep: set[int] = {0, len(time) - 1}
    for start in starts:
        stretch = np.nan_to_num(values[start : start + width])
        keep |= {start + int(stretch.argmin()), start + int(stretch.argmax())}
    kept = np.array(sorted(keep))
    return time[kept], values[kept], math.nan, samples


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Return round numbers from `low` to `high`, `about` so many."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    raw = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.7)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step + 0.0 for k in range(first, last + 1)]


def _path(x: _Floats, y: _Floats) -> str:
    """Return an SVG path that shows of each column of the picture first, extremes and last."""
    column = np.floor(x / _COLUMN).astype(int)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(column) != 0)))
    points: list[str] = []
    pen = "M"
    for a, b in zip(starts, [*starts[1:], len(x)], strict=True):
        part = y[a:b]
        if not np.isfinite(part).all():
            pen = "M"
            continue
        some = sorted({a, a + int(part.argmin()), a + int(part.argmax()), b - 1})
        for k in some:
            points.append(f"{pen}{x[k]:.1f} {y[k]:.1f}")
            pen = "L"
    return "".join(points)


def _dots(x: _Floats, y: _Floats) -> str:
    """Return an SVG path of points, each place once."""
    good = np.isfinite(y)
    places = zip(np.round(x[good], 1).tolist(), np.round(y[good], 1).tolist(), strict=True)
    return "".join(f"M{a} {b}h0" for a, b in dict.fromkeys(places))


def _word(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _prefixed(largest: float, unit: str) -> tuple[float, str]:
    """Return a factor, and the unit with the prefix, that suit the largest value."""
    if not unit:
        return 1.0, ""
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "\u00b5"), (1e9, "n")):
        if largest * factor >= 1:
            return factor, prefix + unit
    return 1e12, f"p{unit}"

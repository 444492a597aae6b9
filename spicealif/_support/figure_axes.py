"""Axes of figures: labels with SI prefixes, scales, ticks, edges of cells.

Data stay in SI units; the ticks' formatter applies the prefix that the label names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.figures import readable

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.ticker import MaxNLocator

__all__ = [
    "CELSIUS",
    "ZERO_CELSIUS",
    "cell_edges",
    "dress",
    "is_log",
    "is_text",
    "positions",
    "quantity",
    "scale_of",
    "set_label",
    "with_prefix",
]

#: What a temperature is drawn in; data stay in K.
CELSIUS, ZERO_CELSIUS = "\N{DEGREE SIGN}C", 273.15

_Floats = NDArray[np.float64]
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
#: Digits as exponents. No formula: a label may hold a name with a dollar sign in it.
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: A logarithmic axis is worth it from this ratio of the largest to the smallest value.
_LOG_SPAN = 3.0
#: So many values at most get a tick each.
_TICKS = 7
#: Width of a digit of 8 pt in mm.
_CHARACTER = 1.8


def with_prefix(size: float, unit: str) -> tuple[float, str]:
    """Return the factor and the text of a unit with the prefix that suits a size.

    Parameters
    ----------
    size : float
        In the unit.
    unit : str
        SI unit; empty for plain numbers, which get no prefix; nor do K and such as 1/s.

    Returns
    -------
    factor : float
        What values in the unit are multiplied with.
    text : str
        Such as ``µs``.
    """
    unit = "Ω" if unit == "ohm" else unit
    if not unit or unit == "K" or "/" in unit or not (math.isfinite(size) and size):
        return 1.0, unit
    # A little more than 1 still counts as 1, whatever rounding left of it.
    exponent = 3 * math.floor(math.log10(abs(size) * (1 + 1e-9)) / 3)
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**-exponent, _PREFIXES[exponent] + unit


def quantity(value: Any, unit: str) -> str:
    """Return a value with its unit and prefix, such as ``4.7 kΩ``; a temperature in °C."""
    if isinstance(value, str | bool | np.bool_):
        return readable(str(value))
    if unit == "K":
        return f"{_digits(float(value) - ZERO_CELSIUS, 4)} {CELSIUS}"
    factor, text = with_prefix(float(value), unit)
    return f"{_digits(float(value) * factor, 3)} {text}".rstrip()


def is_text(values: NDArray[Any]) -> bool:
    """Return whether a parameter's values are names or truths rather than numbers."""
    return values.dtype.kind not in "fiu"


def positions(values: NDArray[Any]) -> _Floats:
    """Return where values are drawn: numbers where they are, names at 0, 1, 2, and so on."""
    if not is_text(values):
        return np.asarray(values, dtype=np.float64)
    names = _names(values)
    return np.array([names.index(str(v)) for v in values.ravel()], float).reshape(values.shape)


def is_log(values: NDArray[Any]) -> bool:
    """Return whether a parameter's values lie better on a logarithmic axis."""
    if is_text(values) or len(np.unique(values)) < 3 or not (np.all(values > 0)):
        return False
    low, high, middle = float(values.min()), float(values.max()), float(np.median(values))
    if high < _LOG_SPAN * low:
        return False
    # Evenly spread values have their median in the middle of the ends.
    return middle < (math.sqrt(low * high) + (low + high) / 2) / 2


def dress(
    axis: Axis,
    label: str,
    unit: str,
    values: NDArray[Any],
    *,
    log: bool = False,
    grid: bool = False,
    room: float = math.inf,
) -> None:
    """Give an axis its label with unit and prefix, its scale and its ticks.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    label : str
        Without unit; may hold formulas, see `spicealif._support.figure_symbols`.
    unit : str
        SI unit; empty for plain numbers. A temperature in K gets ticks in °C.
    values : ndarray
        What is drawn along the axis, in the unit; names get a tick each.
    log : bool
        Whether the scale is logarithmic.
    grid : bool
        Whether the values are those of a grid, which get a tick each if they are few.
    room : float
        Length of an x axis in mm; ticks of a grid that would touch are left out.
    """
    from matplotlib.ticker import (
        FixedLocator,
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullFormatter,
        NullLocator,
    )

    if is_text(values):
        names = _names(values)
        axis.set_ticks(list(range(len(names))), labels=[readable(name) for name in names])
        set_label(axis, label)
        return
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if log:
        _set_scale(axis)
        size = math.sqrt(finite.min() * finite.max()) if len(finite) else 1.0
    else:
        size = float(np.abs(finite).max()) if len(finite) else 1.0
    shift = ZERO_CELSIUS if unit == "K" else 0.0
    factor, text = scale_of(size, unit)
    text = CELSIUS if shift else text
    set_label(axis, f"{label} ({text})" if text else label)
    different = np.unique(finite)
    if grid and 0 < len(different) <= _TICKS:
        digits = 4 if shift else 3
        words = [_digits(v * factor - shift, digits) for v in different]
        every = math.ceil(sum(len(word) + 1 for word in words) * _CHARACTER / room) or 1
        axis.set_major_locator(FixedLocator(different[::every].tolist()))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda v, _: _digits(v * factor - shift, digits)))
        return
    if log:
        decades = math.log10(finite.max() / finite.min()) if len(finite) else 1
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
        axis.set_minor_locator(LogLocator(subs=range(2, 10)))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(_round_numbers(MaxNLocator, shift))
    axis.set_major_formatter(FuncFormatter(lambda v, _: _digits(v * factor - shift)))


def set_label(axis: Axis, label: str) -> None:
    """Label an axis by a text that may hold formulas."""
    axis.set_label_text(label, parse_math=True)


def cell_edges(values: _Floats, *, log: bool) -> _Floats:
    """Return the edges of cells around values, shape (n + 1,).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Sorted upwards.
    log : bool
        Whether the middle between two values is meant on a logarithmic scale.
    """
    v = np.log(values) if log else np.asarray(values, dtype=float)
    if len(v) == 1:
        half = np.array([0.5 if log else 0.5 * (abs(v[0]) or 1.0)])
        edges = np.concatenate((v - half, v + half))
    else:
        middles = (v[1:] + v[:-1]) / 2
        ends = [v[0] - (middles[0] - v[0])], [v[-1] + (v[-1] - middles[-1])]
        edges = np.concatenate((ends[0], middles, ends[1]))
    out: NDArray[np.float64] = np.exp(edges) if log else edges
    return out


def _round_numbers(kind: type[MaxNLocator], shift: float) -> MaxNLocator:
    """Return a locator of ticks that are round numbers, less a shift of the scale."""

    class Shifted(kind):  # type: ignore[valid-type,misc]  # loaded with matplotlib, not before
        def tick_values(self, vmin: float, vmax: float) -> Any:
            return super().tick_values(vmin - shift, vmax - shift) + shift

    return Shifted(5, steps=[1, 2, 2.5, 5, 10])


def scale_of(size: float, unit: str) -> tuple[float, str]:
    """Return the factor and the unit with its prefix that make numbers short enough for a tick.

    Parameters
    ----------
    size : float
        What is usual of them, in the unit.
    unit : str
        SI unit; a plain number (empty) may get a power of ten.
    """
    if unit:
        return with_prefix(size, unit)
    if not (math.isfinite(size) and size) or 0.02 <= size < 1e5:
        return 1.0, ""
    exponent = 3 * math.floor(math.log10(size * (1 + 1e-9)) / 3)
    return 10.0**-exponent, f"10{str(exponent).translate(_RAISED)}"


def _names(values: NDArray[Any]) -> list[str]:
    """Return the different names in the order in which they come."""
    return list(dict.fromkeys(str(v) for v in values.ravel()))


def _digits(value: float, n: int = 10) -> str:
    """Return a tick's number without a trail of rounding, and without an exponent if it may be."""
    return f"{float(f'{value:.{n}g}'):.10g}".replace("-", "\N{MINUS SIGN}")


def _set_scale(axis: Axis) -> None:
    """Make an axis logarithmic, by the method of its axes that does it."""
    axes = axis.axes
    if axis.get_scale() != "log":  # a colour bar's is already
        (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")

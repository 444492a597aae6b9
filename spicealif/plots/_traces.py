"""Traces over time: colours and labels of ours, and no more points than a picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "CIRCUIT_COLOUR",
    "LABELS",
    "REFERENCE_COLOUR",
    "draw_trace",
    "envelope",
    "mark_threshold",
    "time_unit",
]

_Floats = NDArray[np.float64]

#: Okabe and Ito's palette, which people with colour vision deficiency can tell apart.
CIRCUIT_COLOUR, REFERENCE_COLOUR = "#0072B2", "#D55E00"
LABELS = {
    "v_mem": r"$v_\mathrm{mem}$ (V)",
    "v_c": r"$v_\mathrm{c}$ (V)",
    "x": r"$x$",
    "spike": "spike (V)",
}
_PIXELS = 1500


def envelope(
    time: _Floats, values: _Floats, span: tuple[float, float], bins: int = _PIXELS
) -> tuple[_Floats, _Floats]:
    """Reduce a trace to its extremes in equal bins of time.

    Parameters
    ----------
    time, values : ndarray, shape (N,)
        The trace; time in s, not decreasing.
    span : tuple of float
        The part to keep, in s.
    bins : int
        Number of bins.

    Returns
    -------
    time, values : ndarray, shape (M,)
        The part of the trace in `span` with one sample beyond each end; if it has more than
        4 samples a bin, for each bin its lowest and its highest sample, in their order of time.
    """
    low = max(int(np.searchsorted(time, span[0])) - 1, 0)
    high = min(int(np.searchsorted(time, span[1], side="right")) + 1, len(time))
    t, v = time[low:high], values[low:high]
    if len(t) <= 4 * bins:
        return t, v
    edges = np.searchsorted(t, np.linspace(t[0], t[-1], bins + 1)[:-1])
    edges = np.unique(edges)
    width = np.diff(np.append(edges, len(t)))
    # argmin per bin without a loop: sort by (bin, value) and take the first and last of each.
    bin_of = np.repeat(np.arange(len(edges)), width)
    order = np.lexsort((v, bin_of))
    lowest, highest = order[edges], order[edges + width - 1]
    keep = np.unique(np.concatenate((lowest, highest)))
    return t[keep], v[keep]


def draw_trace(
    axes: Axes,
    waveforms: Waveforms,
    name: str,
    factor: float,
    colour: str,
    span: tuple[float, float],
    label: str | None = None,
) -> None:
    """Draw a signal over a part of the run; a side that has a label is one of two."""
    t, v = envelope(waveforms.time, waveforms[name], span)
    # The reference dashed, so that the circuit shows beneath where the two agree.
    style = "--" if label is not None and colour == REFERENCE_COLOUR else "-"
    axes.plot(t * factor, v, style, color=colour, lw=0.9, label=label)


def mark_threshold(axes: Axes, v_th: float) -> None:
    """Write v_th beside its line."""
    where = (1.005, v_th)
    text = r"$V_\mathrm{th}$"
    axes.annotate(
        text, where, xycoords=("axes fraction", "data"), va="center", fontsize=9, parse_math=True
    )


def time_unit(t_stop: float) -> tuple[float, str]:
    """Return the factor from s to a unit that suits the run, and the unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if t_stop * factor >= 1:
            return factor, unit
    return 1e9, "ns"

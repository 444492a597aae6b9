"""Traces over time: colours and labels of ours, and no more points than a picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Neuron
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "CIRCUIT_COLOUR",
    "LABELS",
    "REFERENCE_COLOUR",
    "draw_trace",
    "envelope",
    "input_current",
    "mark_threshold",
    "shade",
    "time_unit",
]

_Floats = NDArray[np.float64]

#: Okabe and Ito's palette, which people with colour vision deficiency can tell apart.
CIRCUIT_COLOUR, REFERENCE_COLOUR = "#0072B2", "#D55E00"
LABELS = {
    "i_in": r"$i_\mathrm{in}$ (A)",
    "v_mem": r"$v_\mathrm{mem}$ (V)",
    "v_c": r"$v_\mathrm{c}$ (V)",
    "x": r"$x$",
    "spike": "spike (V)",
}
#: As many as a page is wide at the 300 dots per inch of a PNG.
_PIXELS = 2200


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
    style: Any = (0, (3, 1.5)) if label is not None and colour == REFERENCE_COLOUR else "-"
    axes.plot(t * factor, v, ls=style, color=colour, label=label)


def input_current(waveforms: Waveforms, neuron: Neuron) -> _Floats:
    """Return the input current at a result's samples in A, shape (N,).

    The result's own, or where it has none, as a raw file of a circuit of somebody's may, the one
    that the neuron asks for.
    """
    if "i_in" in waveforms:
        return waveforms["i_in"]
    return neuron.stimulus.value(waveforms.time)


def mark_threshold(axes: Axes, v_th: float) -> None:
    """Draw v_th as a line, and its symbol beside it."""
    axes.axhline(v_th, color="0.4", lw=0.7, ls=":", zorder=1)
    axes.annotate(
        r"$V_\mathrm{th}$", (1.01, v_th), xycoords=("axes fraction", "data"), va="center",
        parse_math=True, annotation_clip=False,
    )  # fmt: skip


def shade(axes: Axes, start: float, end: float) -> None:
    """Mark a part of a run, in units of the axis."""
    axes.axvspan(start, end, color="0.88", lw=0, zorder=0)


def time_unit(t_stop: float) -> tuple[float, str]:
    """Return the factor from s to a unit that suits the run, and the unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if t_stop * factor >= 1:
            return factor, unit
    return 1e9, "ns"

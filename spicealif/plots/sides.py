"""One side of the job: the paper's Fig. 5 (reference) and Fig. 6 (circuit)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spicealif._support.figures import in_figure_style, new_figure, readable
from spicealif.design import Neuron
from spicealif.plots._traces import (
    CIRCUIT_COLOUR,
    LABELS,
    REFERENCE_COLOUR,
    draw_trace,
    mark_threshold,
    time_unit,
)
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["circuit_figure", "reference_figure"]


@in_figure_style
def reference_figure(waveforms: Waveforms, neuron: Neuron) -> Figure:
    """Return the layout of the paper's Fig. 5: v_mem, x and v_c of the reference.

    Parameters
    ----------
    waveforms : Waveforms
        The reference's.
    neuron : Neuron
        Gives the threshold that is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = [n for n in ("v_mem", "x", "v_c") if n in waveforms]
    title = f"Reference (ODE by RK4, {readable(str(waveforms.attrs.get('variant', '')))})"
    return _stack(waveforms, neuron, names, REFERENCE_COLOUR, title)


@in_figure_style
def circuit_figure(waveforms: Waveforms, neuron: Neuron) -> Figure:
    """Return the layout of the paper's Fig. 6: v_mem, v_c, spike and x of the circuit.

    Parameters
    ----------
    waveforms : Waveforms
        The circuit's.
    neuron : Neuron
        Gives the threshold that is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = [n for n in ("v_mem", "v_c", "spike", "x") if n in waveforms]
    title = f"Circuit ({readable(str(waveforms.attrs.get('simulator', 'SPICE')))})"
    return _stack(waveforms, neuron, names, CIRCUIT_COLOUR, title)


def _stack(
    waveforms: Waveforms, neuron: Neuron, names: list[str], colour: str, title: str
) -> Figure:
    factor, unit = time_unit(neuron.t_stop)
    figure = new_figure(8, 2.1 * len(names) + 0.6)
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for letter, axes, name in zip("abcd", panels, names, strict=False):
        draw_trace(axes, waveforms, name, factor, colour, (0.0, neuron.t_stop))
        if name == "v_mem":
            axes.axhline(neuron.v_th, color="0.4", lw=0.8, ls=":")
            mark_threshold(axes, neuron.v_th)
        axes.set_ylabel(LABELS[name], parse_math=True)
        axes.set_title(f"({letter})", loc="left", fontsize=10)
        axes.grid(color="0.92", lw=0.6)
        axes.set_axisbelow(True)
    panels[-1].set_xlabel(f"time ({unit})")
    panels[-1].set_xlim(0, neuron.t_stop * factor)
    figure.suptitle(f"{title}: {neuron.name}", fontsize=11)
    return figure

"""Waveforms of a raw file that would not fit in memory, read and thinned block by block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spicealif._support.decimation import Thinner
from spicealif.design import Neuron
from spicealif.measures.one_side import energies
from spicealif.netlist import Netlist
from spicealif.rawfile.raw import RawPlot
from spicealif.simulators.judge import spike_times, waveforms_from
from spicealif.waveforms import Waveforms

__all__ = ["thinned_waveforms"]

_Floats = NDArray[np.float64]
#: Points that are read at a time.
_BLOCK = 20_000


def thinned_waveforms(
    plot: RawPlot, netlist: Netlist, attrs: Mapping[str, str | float | int]
) -> tuple[Waveforms | None, list[str]]:
    """Make waveforms of a plot, as `waveforms_from` does of its columns.

    Parameters
    ----------
    plot : RawPlot
        Of a neuron's transient analysis.
    netlist : Netlist
        Its ``interpolation_error`` says how many samples are kept, see `Waveforms.decimated`.
    attrs : mapping
        Provenance.

    Returns
    -------
    waveforms : Waveforms or None
        Spike times are those of all samples, and so are the energies, which are attributes.
    missing : list of str
        Vectors that were asked for and are not there.
    """
    neuron = netlist.neuron
    thinner, spikes = Thinner(netlist.interpolation_error), _Spikes(neuron)
    total: dict[str, float] = {}
    missing = list(netlist.vectors)
    before: dict[str, _Floats] = {}
    for columns in plot.blocks(_BLOCK):
        block, missing = waveforms_from(columns, netlist, {})
        if block is None:
            continue
        thinner.feed(block.time, block.signals)
        if "spike" in block:
            spikes.feed(block.time, block["spike"])
        # The piece between two blocks counts as well.
        traces = {"time": block.time, **block.signals}
        joined = {
            name: np.append(before.get(name, np.empty(0)), values)
            for name, values in traces.items()
        }
        time = joined.pop("time")
        for name, energy in energies(Waveforms(time, joined, np.empty(0)), neuron).items():
            total[name] = total.get(name, 0.0) + energy
        before = {name: values[-1:] for name, values in traces.items()}
    time, signals = thinner.result()
    if not len(time):
        return None, missing
    kept = {"interpolation_error": thinner.part, "samples": thinner.samples}
    return Waveforms(time, signals, spikes.result(), {**attrs, **total, **kept}), missing


class _Spikes:
    """Spike times of a comparator's output that comes block by block.

    Behind the last sample at which the output is surely low a spike may be unfinished, so that much
    is looked at again with the next block.
    """

    def __init__(self, neuron: Neuron) -> None:
        self._neuron = neuron
        low, high = neuron.output_levels
        self._low = low + (high - low) / 4
        self._time, self._output = np.empty(0), np.empty(0)
        self._found: list[_Floats] = []

    def feed(self, time: _Floats, output: _Floats) -> None:
        self._time = np.append(self._time, time)
        self._output = np.append(self._output, output)
        low = np.flatnonzero(self._output < self._low)
        if len(low):
            self._look(int(low[-1]))

    def result(self) -> _Floats:
        self._look(len(self._time) - 1)
        return np.concatenate(self._found) if self._found else np.empty(0)

    def _look(self, last: int) -> None:
        cut = slice(0, last + 1)
        self._found.append(spike_times(self._time[cut], self._output[cut], self._neuron))
        self._time, self._output = self._time[last:], self._output[last:]

"""Measures of one result: spikes, intervals, adaptation, state, energy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.design import Constant, Neuron
from spicealif.errors import WaveformError
from spicealif.measures import spikes
from spicealif.waveforms import Waveforms

__all__ = [
    "MEASURES",
    "PULSE_MEASURES",
    "Measure",
    "Value",
    "energies",
    "has_pulses",
    "measure",
    "pauses_within",
]

_Floats = NDArray[np.float64]
#: What is long of an interval against the median, how many of these are looked at for pauses, and
#: at how many points.
_LONG, _MOST_LOOKED_AT, _INSIDE = 2.0, 10_000, 16
#: What a measure is.
Value: TypeAlias = float | int | NDArray[Any]


@dataclass(frozen=True)
class Measure:
    """What a measure is called and counted in.

    Attributes
    ----------
    label : str
        For tables.
    unit : str
        SI unit; empty for numbers.
    pair : bool
        Whether it belongs to the pair of results rather than to each side.
    """

    label: str
    unit: str = ""
    pair: bool = False


#: Every measure by its name in `Comparison.to_dict`.
MEASURES: Mapping[str, Measure] = {
    "spike_count": Measure("spikes"),
    "mean_rate": Measure("mean rate", "Hz"),
    "spikes_first_pulse": Measure("spikes in the first pulse"),
    "spikes_last_pulse": Measure("spikes in the last pulse"),
    "isi_mean": Measure("mean interval", "s"),
    "isi_first": Measure("first interval", "s"),
    "isi_last": Measure("last interval", "s"),
    "isi_growth": Measure("growth of the interval", "s"),
    "adaptation_ratio": Measure("last / first interval"),
    "adaptation_index": Measure("adaptation index"),
    "x_final": Measure("final state x"),
    "v_c_peak": Measure("peak capacitor voltage", "V"),
    "energy_per_spike": Measure("source energy per spike", "J"),
    "supply_energy_per_spike": Measure("supply energy per spike", "J"),
    "matched": Measure("matched spikes", pair=True),
    "time_error_mean": Measure("mean spike-time difference", "s", pair=True),
    "time_error_worst": Measure("worst spike-time difference", "s", pair=True),
    "victor_purpura": Measure("Victor-Purpura distance", pair=True),
    "van_rossum": Measure("van Rossum distance", pair=True),
    "gamma": Measure("coincidence factor", pair=True),
    "x_nrmse": Measure("error of x (NRMSE)", pair=True),
    "v_mem_nrmse": Measure("error of v_mem, intervals aligned", pair=True),
}


#: Measures that repeat the count where the stimulus has no pulses.
PULSE_MEASURES = ("spikes_first_pulse", "spikes_last_pulse")


def measure(waveforms: Waveforms, neuron: Neuron) -> dict[str, Value]:
    """Return the measures of one side.

    Parameters
    ----------
    waveforms : Waveforms
        The result.
    neuron : Neuron
        What it is of.

    Returns
    -------
    dict of str to float, int or ndarray
        SI units; NaN where a measure does not exist. ``spikes_per_pulse`` has shape
        (pulses,), of those that the result covers to the end of their current. Intervals
        (``isi_*``) and the adaptation index (mean of
        ``(ISI_{k+1} - ISI_k) / (ISI_{k+1} + ISI_k)``) count only intervals within a pulse, the
        index only neighbouring ones; ``isi_growth`` is
        ``isi_last - isi_first`` and ``adaptation_ratio`` is ``isi_last / isi_first``. Without
        pulses, ``isi_first`` and ``isi_last`` are the first and the last interval.
    """
    t = waveforms.t_spike
    if not len(waveforms):
        raise WaveformError("These waveforms have no samples; give those of a run.")
    # A run that began late or ended early is measured over the time it covers.
    begin, end = 0.0, neuron.t_stop
    if len(waveforms):
        first, last = float(waveforms.time[0]), float(waveforms.time[-1])
        # A summary without traces has its samples at the end of the run.
        begin, end = first if last > first else 0.0, min(end, last)
    duration = end - begin if end > begin else end
    starts, ends = neuron.stimulus.whole_windows(neuron.t_stop, begin, end)
    per_pulse = spikes.spikes_per_window(t, starts, ends)
    isi = spikes.within_window_intervals(t, starts, ends)
    by_pulse = np.split(isi, np.cumsum(np.maximum(per_pulse - 1, 0))[:-1]) if len(starts) else []
    first, last = _edge_intervals(by_pulse)
    out: dict[str, Value] = {
        "spike_count": len(t),
        "mean_rate": spikes.mean_rate(t, duration),
        "spikes_per_pulse": per_pulse,
        "spikes_first_pulse": int(per_pulse[0]) if len(per_pulse) else 0,
        "spikes_last_pulse": int(per_pulse[-1]) if len(per_pulse) else 0,
        "isi_mean": float(isi.mean()) if len(isi) else math.nan,
        "isi_first": first,
        "isi_last": last,
        "isi_growth": last - first,
        "adaptation_ratio": last / first if first else math.nan,  # spikes at one time
        "adaptation_index": _adaptation_index(by_pulse),
        "x_final": float(waveforms["x"][-1]) if "x" in waveforms else math.nan,
        "v_c_peak": float(waveforms["v_c"].max()) if "v_c" in waveforms else math.nan,
    }
    out["energy_per_spike"] = _per_spike(_source_energy(waveforms), len(t))
    out["supply_energy_per_spike"] = _per_spike(_supply_energy(waveforms, neuron), len(t))
    return out


def energies(waveforms: Waveforms, neuron: Neuron) -> dict[str, float]:
    """Return the energies of a run in J as attributes, from which `measure` takes them.

    ``energy_source`` and, where there are supplies' currents, ``energy_supply``.
    """
    found = {
        "energy_source": _source_energy(waveforms),
        "energy_supply": _supply_energy(waveforms, neuron),
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def has_pulses(neuron: Neuron) -> bool:
    """Return whether the stimulus has pulses, rather than one window that is the whole run."""
    starts, ends = neuron.stimulus.windows(neuron.t_stop)
    return len(starts) != 1 or bool(starts[0] > 0 or ends[0] < neuron.t_stop)


def pauses_within(t_spike: _Floats, neuron: Neuron) -> int:
    """Return how many intervals between spikes span a pause of a stimulus without pulses.

    Of a sine, of points from a file and the like nothing says where a pulse begins, so that such
    intervals count as any others. In a pause the current is below a tenth of its peak, for more
    than half of the interval.
    """
    if has_pulses(neuron) or len(t_spike) < 3 or isinstance(neuron.stimulus, Constant):
        return 0
    isi = np.diff(t_spike)
    # A pause between two spikes makes a long interval; these few alone are looked at.
    long = np.flatnonzero(isi > _LONG * np.median(isi))[:_MOST_LOOKED_AT]
    inside = (np.arange(_INSIDE) + 0.5) / _INSIDE
    at = t_spike[long, None] + isi[long, None] * inside
    current = np.abs(neuron.stimulus.value(at.ravel())).reshape(at.shape)
    low = current < 0.1 * abs(neuron.stimulus.peak(neuron.t_stop))
    return int(np.sum(low.mean(axis=1) > 0.5))


def _adaptation_index(by_pulse: list[_Floats]) -> float:
    """Return the adaptation index over neighbouring intervals of the same pulse."""
    long = [isi for isi in by_pulse if len(isi) >= 2]
    if not long:
        return math.nan
    # Each pulse counts by its pairs of neighbours.
    index = [spikes.adaptation_index(isi) for isi in long]
    return float(np.average(index, weights=[len(isi) - 1 for isi in long]))


def _edge_intervals(by_pulse: list[_Floats]) -> tuple[float, float]:
    """Return the mean interval of the first and of the last pulse that has intervals, in s."""
    full = [isi for isi in by_pulse if len(isi)]
    if not full:
        return math.nan, math.nan
    if len(by_pulse) == 1:  # one pulse, or none: the first and the last interval themselves
        return float(full[0][0]), float(full[0][-1])
    return float(full[0].mean()), float(full[-1].mean())


def _source_energy(waveforms: Waveforms) -> float:
    if "energy_source" in waveforms.attrs:
        return float(waveforms.attrs["energy_source"])
    if "v_c" not in waveforms or "i_in" not in waveforms:
        return math.nan
    return float(np.trapezoid(waveforms["v_c"] * waveforms["i_in"], waveforms.time))


def _supply_energy(waveforms: Waveforms, neuron: Neuron) -> float:
    if "energy_supply" in waveforms.attrs:
        return float(waveforms.attrs["energy_supply"])
    supplies = neuron.supplies
    volts = {
        "i_pos": supplies.v_pos,
        "i_neg": supplies.v_neg,
        "i_comparator": supplies.v_comparator,
    }
    if not all(name in waveforms for name in volts):
        return math.nan
    return sum(
        v * float(np.trapezoid(waveforms[name], waveforms.time)) for name, v in volts.items()
    )


def _per_spike(energy: float, count: int) -> float:
    return energy / count if count else math.nan

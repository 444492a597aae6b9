"""Two results of one neuron side by side: measures of each, differences, distances.

Pointwise errors of spiking traces mean nothing after the first missed spike, so the traces are
compared inside matched inter-spike intervals, and the drift of the spikes is told apart.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif import spikes
from spicealif.design import Neuron, parse_toml
from spicealif.errors import CompareError
from spicealif.waveforms import Waveforms

__all__ = ["MEASURES", "Comparison", "Measure", "compare", "measure"]

_Floats = NDArray[np.float64]
_Value = float | int | NDArray[Any]

#: Samples of an inter-spike interval in which v_mem is compared, and of the run for x.
_PHASES = (np.arange(64) + 0.5) / 64
_X_SAMPLES = 4001


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
    "isi_mean": Measure("mean interval within pulses", "s"),
    "isi_first": Measure("mean interval, first pulse", "s"),
    "isi_last": Measure("mean interval, last pulse", "s"),
    "isi_growth": Measure("growth of the interval", "s"),
    "adaptation_ratio": Measure("last interval / first interval"),
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


def measure(waveforms: Waveforms, neuron: Neuron) -> dict[str, _Value]:
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
        (pulses,). Intervals (``isi_*``) and the adaptation index (mean of
        ``(ISI_{k+1} - ISI_k) / (ISI_{k+1} + ISI_k)``) count only intervals within a pulse, taken in order, so that the
        index tells the adaptation over the run; ``isi_growth`` is ``isi_last - isi_first`` and
        ``adaptation_ratio`` is ``isi_last / isi_first``. Without pulses, ``isi_first`` and
        ``isi_last`` are the first and the last interval.
    """
    t = waveforms.t_spike
    starts, ends = neuron.stimulus.windows(neuron.t_stop)
    # A run that ended early is measured over the time it covers.
    duration = min(neuron.t_stop, float(waveforms.time[-1])) if len(waveforms) else neuron.t_stop
    inside = starts < duration
    starts, ends = starts[inside], ends[inside]
    per_pulse = spikes.spikes_per_window(t, starts, ends)
    isi = spikes.within_window_intervals(t, starts, ends)
    first, last = _edge_intervals(t, starts, ends)
    out: dict[str, _Value] = {
        "spike_count": len(t),
        "mean_rate": spikes.mean_rate(t, duration),
        "spikes_per_pulse": per_pulse,
        "spikes_first_pulse": int(per_pulse[0]) if len(per_pulse) else 0,
        "spikes_last_pulse": int(per_pulse[-1]) if len(per_pulse) else 0,
        "isi_mean": float(isi.mean()) if len(isi) else math.nan,
        "isi_first": first,
        "isi_last": last,
        "isi_growth": last - first,
        "adaptation_ratio": last / first,
        "adaptation_index": spikes.adaptation_index(isi),
        "x_final": float(waveforms["x"][-1]) if "x" in waveforms else math.nan,
        "v_c_peak": float(waveforms["v_c"].max()),
    }
    out["energy_per_spike"] = _per_spike(_source_energy(waveforms), len(t))
    out["supply_energy_per_spike"] = _per_spike(_supply_energy(waveforms, neuron), len(t))
    return out


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two results of one neuron, compared.

    Attributes
    ----------
    neuron : Neuron
    a, b : Waveforms
        The results, usually circuit and reference.
    labels : tuple of str
        What `a` and `b` are called.
    of_a, of_b : dict
        Measures of each side, see `measure`.
    of_pair : dict
        Measures of the pair: ``matched`` (spikes of `a` with a partner nearer than
        ``match_window``), ``time_error_*`` (of matched spikes, a minus b; worst by magnitude),
        ``victor_purpura`` (at ``victor_purpura_q``, 1/s), ``van_rossum`` (at ``van_rossum_tau``,
        s), ``gamma``, ``x_nrmse`` (RMS difference over the range of b's x) and ``v_mem_nrmse``
        (RMS difference inside intervals between matched spikes, each stretched to the same
        phase, over v_th).
    """

    neuron: Neuron
    a: Waveforms
    b: Waveforms
    labels: tuple[str, str]
    of_a: dict[str, _Value]
    of_b: dict[str, _Value]
    of_pair: dict[str, _Value]

    @cached_property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Rows of the table: label, `a`, `b`, difference, as texts with units."""
        out = []
        for name, info in MEASURES.items():
            if info.pair:
                out.append((info.label, "", "", _text(self.of_pair[name], info.unit)))
                continue
            a, b = self.of_a[name], self.of_b[name]
            if _missing(a) and _missing(b):
                continue
            out.append((info.label, _text(a, info.unit), _text(b, info.unit), _gap(a, b, info)))
        return out

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        window = _text(self.of_pair["match_window"], "s")
        tau = _text(self.of_pair["van_rossum_tau"], "s")
        return [
            f"Spikes are matched if nearer than {window} (half the mean interval of "
            f"{self.labels[1]}); Victor-Purpura cost {self.of_pair['victor_purpura_q']:.4g} 1/s, "
            f"van Rossum time constant {tau}.",
            "The numerical error of these figures is not known: they come from one run of each "
            "side at its default settings.",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and lists, for JSON.

        NaN becomes None, since JSON has no NaN.
        """
        return {
            "neuron": self.neuron.name,
            "labels": list(self.labels),
            self.labels[0]: {k: _plain(v) for k, v in self.of_a.items()},
            self.labels[1]: {k: _plain(v) for k, v in self.of_b.items()},
            "pair": {k: _plain(v) for k, v in self.of_pair.items()},
        }

    def __str__(self) -> str:
        rows = [("", *self.labels, "difference"), *self.rows]
        widths = [max(len(r[k]) for r in rows) for k in range(4)]
        lines = [
            "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(r, widths, strict=True))).rstrip()
            for r in rows
        ]
        lines.insert(1, "-" * len(max(lines, key=len)))
        return "\n".join([*lines, "", *self.notes])

    def _repr_html_(self) -> str:
        def cells(tag: str, row: tuple[str, ...]) -> str:
            return "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row)

        head = cells("th", ("", *self.labels, "difference"))
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{html.escape(n)}</p>" for n in self.notes)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"
        )


def compare(
    a: Waveforms,
    b: Waveforms,
    neuron: Neuron | None = None,
    *,
    labels: tuple[str, str] | None = None,
) -> Comparison:
    """Compare two results of one neuron.

    Parameters
    ----------
    a, b : Waveforms
        Usually the circuit's and the reference's.
    neuron : Neuron, optional
        What they are of; if not given, the design saved with one of them.
    labels : tuple of str, optional
        What to call them.

    Returns
    -------
    Comparison

    Raises
    ------
    CompareError
        If the neuron is not known, or the results have no samples or no common quantity.
    """
    if neuron is None:
        design = a.attrs.get("design") or b.attrs.get("design")
        if not design:
            raise CompareError(
                "Neither result says which neuron it is of; give the neuron (--neuron FILE)."
            )
        neuron = parse_toml(str(design))
    for waveforms in (a, b):
        if not len(waveforms):
            raise CompareError("One of the results has no samples; run it again.")
    return Comparison(
        neuron,
        a,
        b,
        labels or _labels(a, b),
        measure(a, neuron),
        measure(b, neuron),
        _pair(a, b, neuron),
    )


def _pair(a: Waveforms, b: Waveforms, neuron: Neuron) -> dict[str, _Value]:
    starts, ends = neuron.stimulus.windows(neuron.t_stop)
    isi = spikes.within_window_intervals(b.t_spike, starts, ends)
    if not len(isi):
        isi = spikes.within_window_intervals(a.t_spike, starts, ends)
    # Without intervals any scale will do; the length of the run is one.
    scale = float(isi.mean()) if len(isi) else neuron.t_stop
    window, q, tau = scale / 2, 4 / scale, scale
    i_a, i_b = spikes.match_spikes(a.t_spike, b.t_spike, window)
    error = a.t_spike[i_a] - b.t_spike[i_b]
    try:
        gamma = spikes.gamma_coincidence(b.t_spike, a.t_spike, scale / 4, neuron.t_stop)
    except CompareError:
        gamma = math.nan  # so many spikes that chance alone pairs them all
    return {
        "matched": len(i_a),
        "match_window": window,
        "time_error_mean": float(error.mean()) if len(error) else math.nan,
        "time_error_worst": float(error[np.argmax(np.abs(error))]) if len(error) else math.nan,
        "victor_purpura": spikes.victor_purpura(a.t_spike, b.t_spike, q),
        "victor_purpura_q": q,
        "van_rossum": spikes.van_rossum(a.t_spike, b.t_spike, tau),
        "van_rossum_tau": tau,
        "gamma": gamma,
        "x_nrmse": _x_error(a, b),
        "v_mem_nrmse": _v_mem_error(a, b, i_a, i_b, (starts, ends), neuron.v_th),
    }


def _x_error(a: Waveforms, b: Waveforms) -> float:
    if "x" not in a or "x" not in b:
        return math.nan
    end = min(a.time[-1], b.time[-1])
    t = np.linspace(0.0, end, _X_SAMPLES)
    x_a, x_b = a.at("x", t), b.at("x", t)
    span = float(np.ptp(x_b))
    rms = float(np.sqrt(np.mean((x_a - x_b) ** 2)))
    return rms / span if span > 0 else math.nan


def _v_mem_error(
    a: Waveforms,
    b: Waveforms,
    i_a: NDArray[np.intp],
    i_b: NDArray[np.intp],
    windows: tuple[_Floats, _Floats],
    v_th: float,
) -> float:
    """Return the RMS difference of v_mem between neighbouring matched spikes, over v_th."""
    if "v_mem" not in a or "v_mem" not in b or len(i_a) < 2:
        return math.nan
    starts, _ = windows
    t_a, t_b = a.t_spike[i_a], b.t_spike[i_b]
    same_pulse = np.diff(np.searchsorted(starts, t_b, side="right")) == 0
    follow = (np.diff(i_a) == 1) & (np.diff(i_b) == 1) & same_pulse
    k = np.flatnonzero(follow)
    if not len(k):
        return math.nan
    grid_a = t_a[k, None] + np.diff(t_a)[k, None] * _PHASES
    grid_b = t_b[k, None] + np.diff(t_b)[k, None] * _PHASES
    error = a.at("v_mem", grid_a) - b.at("v_mem", grid_b)
    return float(np.sqrt(np.mean(error**2))) / v_th


def _edge_intervals(t: _Floats, starts: _Floats, ends: _Floats) -> tuple[float, float]:
    """Return the mean interval of the first and of the last pulse that has intervals, in s."""
    if len(starts) == 1:
        isi = spikes.within_window_intervals(t, starts, ends)
        return (float(isi[0]), float(isi[-1])) if len(isi) else (math.nan, math.nan)
    first = np.searchsorted(t, starts)
    count = np.searchsorted(t, ends) - first
    full = np.flatnonzero(count >= 2)
    if not len(full):
        return math.nan, math.nan

    def mean(pulse: int) -> float:
        low, n = first[pulse], count[pulse]
        return float((t[low + n - 1] - t[low]) / (n - 1))

    return mean(int(full[0])), mean(int(full[-1]))


def _source_energy(waveforms: Waveforms) -> float:
    if "energy_source" in waveforms.attrs:
        return float(waveforms.attrs["energy_source"])
    return float(np.trapezoid(waveforms["v_c"] * waveforms["i_in"], waveforms.time))


def _supply_energy(waveforms: Waveforms, neuron: Neuron) -> float:
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


def _labels(a: Waveforms, b: Waveforms) -> tuple[str, str]:
    first, second = _label(a), _label(b)
    return (first, second) if first != second else (f"{first} (a)", f"{second} (b)")


def _label(waveforms: Waveforms) -> str:
    attrs = waveforms.attrs
    side = str(attrs.get("side", "result"))
    detail = attrs.get("simulator") or attrs.get("variant")
    return f"{side} ({detail})" if detail else side


def _missing(value: _Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _text(value: _Value, unit: str) -> str:
    if _missing(value):
        return "-"
    if isinstance(value, int | np.integer):
        return str(value)
    if unit:
        from quantiphy import Quantity

        return str(Quantity(float(value), unit).render(prec=3))
    return f"{float(value):.4g}"


def _gap(a: _Value, b: _Value, info: Measure) -> str:
    if _missing(a) or _missing(b):
        return "-"
    gap = a - b
    if isinstance(gap, int | np.integer):
        return f"{gap:+d}"
    relative = f" ({gap / abs(b):+.1%})" if b else ""
    text = _text(gap, info.unit)
    return f"{'' if text.startswith('-') else '+'}{text}{relative}"


def _plain(value: _Value) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


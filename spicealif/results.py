"""Loading saved results of any kind: our netCDF files, and raw files that any SPICE wrote."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import shown
from spicealif.circuit import CircuitCheck
from spicealif.design import Neuron
from spicealif.errors import CompareError, WaveformError
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import Value
from spicealif.netlist.render import signals_of
from spicealif.rawfile.choice import Choice, choose_plot
from spicealif.rawfile.second_reader import cross_check as check_both_readers
from spicealif.rawfile.vectors import canonical, parse_sum
from spicealif.simulators._common import provenance
from spicealif.simulators.judge import spike_times
from spicealif.waveforms import QUANTITIES, Waveforms, load_waveforms

if TYPE_CHECKING:
    from spicealif.rawfile.raw import RawPlot

__all__ = ["load_result", "with_stored_figures"]

#: A file of netCDF-4, which is HDF5, begins so; netCDF-3 is not written by us.
_HDF5 = b"\x89HDF\r\n\x1a\n"
#: A raw file begins so, in 8 bits and in UTF-16 without and with a byte order mark.
_TITLE = (b"title:", b"plotname:", b"t\0i\0t\0l\0", b"p\0l\0o\0t\0", b"\xff\xfet\0i\0")
#: Endings of netlists, which are easily given for the raw file beside them.
_NETLISTS = (".net", ".cir", ".sp")
#: What a comparison cannot do without.
_NEEDED = ("spike", "v_mem")
#: From how large a share of its charge on an input current counts as another one.
_OTHER_CURRENT = 0.01
#: An output that moves by less than this share of the comparator's swing is at rest.
_SWING = 0.1


def load_result(
    path: str | os.PathLike[str],
    neuron: Neuron | None = None,
    *,
    signals: Mapping[str, str] | None = None,
    spike_level: float | None = None,
    step: int | None = None,
    plot: int | str | None = None,
    cross_check: bool = False,
) -> Waveforms:
    """Load waveforms from a netCDF file of ours, or from a raw file of LTspice or another SPICE.

    Parameters
    ----------
    path : path-like
        The file; what it is shows from its content. Of a raw file its transient analysis is taken.
    neuron : Neuron, optional
        What a raw file is of.
    signals : mapping of str to str, optional
        How quantities are made of the raw file's vectors, for a circuit that does not name its
        nodes as our netlists do: ``{"v_mem": "V(vc)-V(vs)", "spike": "V(out)"}``. Quantities not
        given are looked for under our netlists' names.
    spike_level : float, optional
        Voltage in V that ``spike`` crosses upwards at a spike; the middle of the neuron's
        comparator's levels if not given.
    step : int, optional
        Which step of a stepped raw file to take, from 1; of Xyce's, in which each step is a plot of
        its own, too.
    plot : int or str, optional
        Which plot of the raw file to take, where it has several transient analyses: its number in
        the file, from 1, or a part of its name.
    cross_check : bool
        Read a raw file with the package ``ltspice`` as well, and fail on any difference. Where
        that package is known to be wrong it is left out, and ``attrs["caveat"]`` says so.

    Returns
    -------
    Waveforms
        ``attrs["caveat"]`` says what limits the values' accuracy, ``attrs["taken"]`` which plot and
        step of several were taken, and ``attrs["foreign"]`` is 1 for a circuit whose vectors had to
        be named; each where there is something to say.

    Raises
    ------
    WaveformError
        If the file cannot be loaded, or it is a raw file and the neuron, a vector or the choice
        of a plot or a step is missing.
    RawFileError
        If a raw file is damaged, or the two readers differ.

    Examples
    --------
    >>> path = solve_circuit(load_preset("paper").replace(t_stop="1m")).save("circuit.nc")
    >>> len(load_result(path).t_spike)
    8
    """
    path = Path(path)
    if not _is_raw(path):
        if signals or step is not None or spike_level is not None or plot is not None:
            raise WaveformError(
                f"{ascii(str(path))} is no raw file; name vectors, a plot, a step or a spike level "
                "for raw files only."
            )
        if path.suffix.lower() in _NETLISTS:
            raise WaveformError(
                f"{ascii(str(path))} is a netlist; run it, and give the .raw file that comes out."
            )
        return load_waveforms(path)
    if neuron is None:
        raise WaveformError(
            f"{ascii(str(path))} is a raw file, which does not say which neuron it is of; give the "
            "neuron (--neuron FILE)."
        )
    choice = choose_plot(path, plot, step)
    skipped = check_both_readers(path, choice.plot) if cross_check else ""
    return _waveforms(choice, neuron, signals or {}, spike_level, skipped)


def with_stored_figures(
    comparison: Comparison, data: Any, path: str | os.PathLike[str]
) -> Comparison:
    """Return a comparison with the figures that were saved with its waveforms.

    They are of all samples, which the files may not have, and their numerical error is known.

    Parameters
    ----------
    comparison : Comparison
        Of the waveforms in a folder of a run.
    data : object
        What the folder's ``comparison.json`` holds.
    path : path-like
        Of that file, for the sentence.

    Returns
    -------
    Comparison
        The same if the file is of other waveforms: other labels, or other numbers of spikes.

    Raises
    ------
    CompareError
        If it is no comparison.
    """
    try:
        sides = [{**data[label]} for label in comparison.labels if label in data]
        pair, error = {**data["pair"]}, data.get("numerical_error")
        counts = [side["spike_count"] for side in sides]
    except (TypeError, KeyError, AttributeError) as problem:
        raise CompareError(
            f"{ascii(str(path))} is no comparison as spicealif saves it ({type(problem).__name__}: "
            f"{shown(problem, 60)}); run it again, or take the file away."
        ) from None
    if counts != [comparison.of_a["spike_count"], comparison.of_b["spike_count"]]:
        return comparison
    try:
        check = None if error is None else CircuitCheck.from_dict(error)
    except CompareError as problem:
        raise CompareError(f"In {ascii(str(path))}: {problem}") from None
    return replace(
        comparison,
        of_a=_stored(comparison.of_a, sides[0]),
        of_b=_stored(comparison.of_b, sides[1]),
        of_pair=_stored(comparison.of_pair, pair),
        check=check,
    )


def _stored(own: Mapping[str, Value], saved: Mapping[str, Any]) -> dict[str, Value]:
    """Return figures with those of the same kind that were saved; null stands for NaN."""
    out = dict(own)
    for name, value in saved.items():
        if isinstance(own.get(name), int | float) and isinstance(value, int | float | None):
            out[name] = math.nan if value is None else value
    return out


def _is_raw(path: Path) -> bool:
    """Whether a file is to be read as a raw file: by its beginning, else by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError):
        head = b""
    if head.startswith(_HDF5):
        return False
    return head.lower().startswith(_TITLE) or path.suffix.lower() in (".raw", ".qraw")


def _waveforms(
    choice: Choice,
    neuron: Neuron,
    signals: Mapping[str, str],
    spike_level: float | None,
    skipped: str,
) -> Waveforms:
    plot = choice.plot
    unknown = sorted(set(signals) - set(QUANTITIES))
    if unknown:
        raise WaveformError(
            f"There is no quantity {ascii(unknown[0])}; choose one of {', '.join(QUANTITIES)}."
        )
    if plot.axis is None or not plot.n_points:
        raise WaveformError(
            f"{ascii(str(plot.path))} holds no time points; run the simulation again."
        )
    sums = _sums(plot, neuron, signals)
    columns = _columns(plot, {name for terms in sums.values() for _, name in terms}, choice.step)
    time = np.asarray(columns[plot.axis], dtype=np.float64)
    traces: dict[str, NDArray[np.float64]] = {
        quantity: sum(
            (k * np.asarray(columns[name], dtype=np.float64) for k, name in terms),
            np.zeros(len(time)),
        )
        for quantity, terms in sums.items()
    }
    spikes = spike_times(time, traces["spike"], neuron, spike_level)
    caveats = _caveats(plot, skipped)
    caveats += _other_current(traces, time, neuron)
    if not len(spikes):
        caveats += _other_levels(traces["spike"], neuron, spike_level)
    traces.setdefault("i_in", neuron.stimulus.value(np.maximum(time, 0.0)))
    attrs = provenance(neuron, plot.writer or "raw file", plot.command or plot.title)
    if caveats:
        attrs["caveat"] = " ".join(caveats)
    if choice.taken:
        attrs["taken"] = choice.taken
    if signals:  # the parts that the neuron describes are not this circuit's
        attrs["foreign"] = 1
    return Waveforms(time, traces, spikes, attrs)


def _sums(
    plot: RawPlot, neuron: Neuron, signals: Mapping[str, str]
) -> dict[str, tuple[tuple[float, str], ...]]:
    """Return of which of the file's vectors each quantity is made."""
    names = {canonical(name): name for name in plot.names}
    # The neuron's nodes at the top level, or within its subcircuit.
    ours = [
        signals_of(neuron),
        signals_of(neuron, subcircuit=True),
        signals_of(neuron, "ltspice", subcircuit=True),
    ]
    sums: dict[str, tuple[tuple[float, str], ...]] = {}
    for quantity in QUANTITIES:
        if quantity in signals:
            sums[quantity] = parse_sum(signals[quantity], plot.names)
            continue
        for terms in (way[quantity] for way in ours if quantity in way):
            if all(canonical(vector) in names for _, vector in terms):
                sums[quantity] = tuple((k, names[canonical(vector)]) for k, vector in terms)
                break
    missing = [q for q in _NEEDED if q not in sums]
    if missing:
        listed = ", ".join(plot.names[:12]) + (", ..." if len(plot.names) > 12 else "")
        raise WaveformError(
            f"{ascii(str(plot.path))} has no vectors for {' and '.join(missing)} under our "
            "netlists' names; save these vectors in the simulation, or say how each is made of the "
            f"file's ({' '.join(_option(q) for q in missing)}), which are {ascii(listed)[1:-1]}."
        )
    return sums


def _columns(plot: RawPlot, needed: set[str], step: int | None) -> dict[str, NDArray[Any]]:
    """Read the axis and the vectors that are needed, over one step if there are several."""
    if plot.compressed:
        # Where points are put in depends on all vectors.
        return plot.columns(step=step, expand=True)
    points = slice(None) if step is None else plot.steps[step]
    # Others stay in the file: somebody's circuit may have hundreds.
    return {name: plot[name][points] for name in sorted({*needed, str(plot.axis)})}


def _option(quantity: str) -> str:
    return f"--{quantity.replace('_', '-')} 'V(...)'"


def _caveats(plot: RawPlot, skipped: str) -> list[str]:
    """Return what limits the accuracy of a raw file's values."""
    out = []
    if plot.compressed:
        out.append(
            "The raw file is compressed, which loses accuracy; add '.options plotwinsize=0' to the "
            "netlist to switch that off."
        )
    if plot.is_float32:
        out.append(
            "The raw file holds values of 7 digits; add '.options numdgt=15' to the netlist for 16."
        )
    if plot.n_points > plot.n_points_declared > 0:
        out.append(
            f"The raw file holds {plot.n_points} points and counts {plot.n_points_declared}: its "
            "run was still going or was stopped."
        )
    elif plot.truncated:
        out.append("The raw file ends early: its run was stopped, or the file was cut off.")
    return [*out, skipped] if skipped else out


def _other_current(
    traces: Mapping[str, NDArray[np.float64]], time: NDArray[np.float64], neuron: Neuron
) -> list[str]:
    """Return a caveat if the file's input current is not the neuron's."""
    if "i_in" not in traces:
        return []
    # In charge: at the edges of pulses a small difference in time is a large one in current.
    wanted = neuron.stimulus.value(time)
    whole, gap = (
        float(np.trapezoid(np.abs(current), time)) for current in (wanted, traces["i_in"] - wanted)
    )
    if gap <= _OTHER_CURRENT * whole:
        return []
    return [
        f"The file's input current differs from the neuron's stimulus (by {gap:.3g} A s, of "
        f"{whole:.3g} A s); the reference is driven by the stimulus."
    ]


def _other_levels(spike: NDArray[np.float64], neuron: Neuron, level: float | None) -> list[str]:
    """Return a caveat if an output that moves like a comparator's never rises through the level."""
    high, low = neuron.comparator.v_oh, neuron.comparator.v_ol
    if level is None:
        level = (high + low) / 2
    finite = spike[np.isfinite(spike)]
    if not len(finite) or np.ptp(finite) < _SWING * (high - low):
        return []
    return [
        f"No spikes were found: spike goes from {finite.min():.4g} V to {finite.max():.4g} V and "
        f"does not rise through {level:.4g} V; name another level (--spike-level VOLT)."
    ]

"""Whether a run succeeded, decided from its data and log; what the log says, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import shown
from spicealif.design import Neuron
from spicealif.measures.spikes import crossing_times
from spicealif.netlist import Netlist, SourceLine
from spicealif.rawfile.vectors import canonical
from spicealif.simulators.run import Message, Status
from spicealif.waveforms import Waveforms

__all__ = ["judge", "read_log", "spike_times", "waveforms_from"]

_Floats = NDArray[np.float64]

_LINE = re.compile(r"line(?: number| no\.)?\s+(\d+)", re.IGNORECASE)
_TROUBLE = re.compile(
    r'(?:trouble with (?:\S+-instance |node |)|check node |in line |\(instance: x)"?([\w.#:]+)',
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"parameter \[(\w+)\]", re.IGNORECASE)
_NAMED = re.compile(r"\b([bceilmrvx]_[a-z0-9_]+|[a-z]\w*(?:\.\w+)+)\b", re.IGNORECASE)

# A line that begins a report, and how many of the lines after it belong to the report: the card,
# the reason.
_REPORTS = (
    (re.compile(r"(?:error|model issue) on line|mismatch of \.subckt", re.IGNORECASE), 2),
    (
        re.compile(r"netlist line no\.|from line$|parsing stopped at$|out of range", re.IGNORECASE),
        1,
    ),
)
_BEGINS = re.compile(r"error|warning|note|doanalyses|simulation", re.IGNORECASE)
# What gmin and source stepping print in front of a message, without a line end.
_STEPPING = re.compile(
    r"^(?:(?:trying gmin =|supplies reduced to)\s*[\d.e+-]+%?\s*)+", re.IGNORECASE
)

# Lines that look alarming and are not: the simulator recovered by itself, or they are the title
# or the table of initial voltages, which hold names that are not ours to judge.
_HARMLESS = re.compile(
    r"gmin step|source step|true gmin|dynamic gmin|gmin increment|can't find init file|"
    r"no compatibility mode|compatibility modes selected|unsupported ngspice version|^circuit:|"
    r"^\S+\s+[-+]?[\d.]+(?:e[-+]?\d+)?$",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\berror\b|fatal|timestep too small|simulation interrupted|simulation\(s\) aborted|no such|"
    r"unknown (?:subckt|model|parameter)|undefined|mismatch|too few|no job",
    re.IGNORECASE,
)
# Errors whatever the line calls itself: the vector asked for is then a column of zeros.
_NO_VECTOR = re.compile(r"unrecognized variable", re.IGNORECASE)
_SINGULAR = re.compile(r"singular matrix", re.IGNORECASE)
_WARNING = re.compile(r"\bwarning\b|\bnote: |\bignor(?:ed|ing)\b|\bassumed\b", re.IGNORECASE)


def read_log(log: str, netlist: Netlist) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Find errors and warnings in ngspice's output and map them to the netlist.

    Parameters
    ----------
    log : str
        The simulator's output.
    netlist : Netlist
        What it ran.

    Returns
    -------
    errors, warnings : tuple of Message
        In the log's order, each once.
    """
    errors: dict[str, Message] = {}
    warnings: dict[str, Message] = {}
    # A singular matrix is met on the way to many good operating points.
    aborted = "simulation(s) aborted" in log
    for line, text in _reports(log):
        if _HARMLESS.search(line):
            continue
        if (
            _NO_VECTOR.search(line)
            or (aborted and _SINGULAR.search(line))
            or (_ERROR.search(text) and not line.lower().startswith("warning"))
        ):
            errors.setdefault(text, Message("error", text, _source(text, netlist)))
        elif _WARNING.search(text):
            warnings.setdefault(text, Message("warning", text, _source(text, netlist)))
    return tuple(errors.values()), tuple(warnings.values())


def waveforms_from(
    columns: Mapping[str, _Floats], netlist: Netlist, attrs: Mapping[str, str | float | int]
) -> tuple[Waveforms | None, list[str]]:
    """Make waveforms of a simulator's vectors, by the netlist's own names.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (N,)
        The simulator's vectors in SI units; names in any of ngspice's spellings.
    netlist : Netlist
        Says how the quantities are made of vectors.
    attrs : mapping
        Provenance.

    Returns
    -------
    waveforms : Waveforms or None
        None if there is no time vector or it is empty.
    missing : list of str
        Vectors that were asked for and are not there.
    """
    # LTspice stores float32 unless told otherwise; everything after the reader is float64.
    named = {canonical(n): np.asarray(v, dtype=np.float64) for n, v in columns.items()}
    time = named.get("time")
    missing = [v for v in netlist.vectors if canonical(v) not in named]
    if time is None or not len(time):
        return None, missing
    signals: dict[str, _Floats] = {}
    for name, terms in netlist.signals.items():
        if any(vector in missing for _, vector in terms):
            continue
        values = [named[canonical(vector)] for _, vector in terms]
        if len(terms) == 1 and terms[0][0] == 1.0:
            signals[name] = values[0]
        else:
            total = terms[0][0] * values[0]
            for (factor, _), value in zip(terms[1:], values[1:], strict=True):
                total = total + factor * value
            signals[name] = total
    for name, stimulus in netlist.inputs.items():
        signals[name] = stimulus.value(time)
    spikes = np.empty(0)
    if "spike" in signals:
        spikes = spike_times(time, signals["spike"], netlist.neuron)
    return Waveforms(time, signals, spikes, attrs), missing


def spike_times(
    time: _Floats, spike: _Floats, neuron: Neuron, level: float | None = None
) -> _Floats:
    """Return when the comparator's output rises, finer than the samples.

    Parameters
    ----------
    time, spike : ndarray, shape (N,)
        Time in s and the comparator's output in V; samples that are not finite are passed over.
    neuron : Neuron
        Gives the comparator's output levels.
    level : float, optional
        Voltage of the crossing in V; the middle of the levels if not given.

    Returns
    -------
    ndarray, shape (K,)
        In s.
    """
    finite = np.isfinite(spike)
    time, spike = time[finite], spike[finite]
    low, high = neuron.output_levels
    hysteresis = (high - low) / 4
    if level is None:
        level = (high + low) / 2
    else:
        # Another circuit's levels: how low its output goes is the scale.
        hysteresis = max(level - float(spike.min(initial=level)), 0.0) / 2
    return crossing_times(time, spike, level, hysteresis=hysteresis)


def judge(
    netlist: Netlist,
    waveforms: Waveforms | None,
    missing: list[str],
    errors: tuple[Message, ...],
    *,
    exit_code: int | None = 0,
    stopped: Status | None = None,
    died: str = "",
) -> tuple[Status, str]:
    """Decide how a run ended.

    Success is: data present, last time at the end of the run, every vector there and finite, and
    for a program exit code 0. Errors in the log of a run whose data are complete are not failures
    (ngspice recovers from some), but they say why incomplete data are incomplete.

    Parameters
    ----------
    netlist : Netlist
    waveforms : Waveforms or None
    missing : list of str
        Vectors that are not there.
    errors : tuple of Message
        What the log says.
    exit_code : int or None
        The program's, None if the process died in another way.
    stopped : Status, optional
        TIMEOUT if the caller stopped the run.
    died : str
        What ended the simulator's process before it was done, the beginning of a sentence.

    Returns
    -------
    status : Status
    reason : str
        One sentence, empty if the run is complete.
    """
    reached = float(waveforms.time[-1]) if waveforms is not None else 0.0
    # The last point is t_stop itself; only rounding is forgiven.
    complete = reached >= netlist.t_stop * (1 - 1e-9)
    cause = _cause(errors, begun=reached > 0)
    why = f": {cause}" if cause else ""
    if died and stopped is None:
        # Whatever it had computed: nobody knows what of it was still to be written.
        where = f"at {reached:.6g} s of {netlist.t_stop:g} s" if reached > 0 else "before its data"
        return Status.CRASHED, f"{died} {where}{'' if cause in died else why}."
    if complete and not missing and waveforms is not None:
        broken = [n for n, v in waveforms.signals.items() if not np.isfinite(v).all()]
        if broken:
            return Status.INCOMPLETE, f"{', '.join(broken)} hold values that are not finite{why}."
        absent = [m for m in errors if _NO_VECTOR.search(m.text)]
        if absent:
            return Status.INCOMPLETE, f"A vector holds nothing but zeros: {_short(absent[0])}."
        if exit_code == 0 or stopped is not None:
            return Status.OK, ""
        return Status.INCOMPLETE, f"The program ended with exit code {exit_code}{why}."
    if stopped is not None:
        return stopped, f"Stopped at {reached:.6g} s of {netlist.t_stop:g} s."
    if missing and waveforms is not None and complete:
        return Status.INCOMPLETE, f"The vectors {', '.join(missing)} are missing{why}."
    if reached > 0:
        return Status.STOPPED_EARLY, f"It ended at {reached:.6g} s of {netlist.t_stop:g} s{why}."
    if exit_code is None or exit_code < 0:
        return Status.CRASHED, f"Nothing was computed{why}."
    if not cause:
        why = " and the simulator gave no reason; look whether an analysis is asked for"
    return Status.REJECTED, f"Nothing was computed{why}."


def _reports(log: str) -> Iterator[tuple[str, str]]:
    """Yield each report of a log: its first line, and the whole of it in one line."""
    lines = [text for line in log.splitlines() if (text := _STEPPING.sub("", line.strip()))]
    k = 0
    while k < len(lines):
        line = lines[k]
        k += 1
        parts = [line]
        for _ in range(next((n for pattern, n in _REPORTS if pattern.search(line)), 0)):
            if k < len(lines) and not _BEGINS.match(lines[k]):
                parts.append(lines[k])
                k += 1
        yield line, " ".join(parts)


def _source(report: str, netlist: Netlist) -> SourceLine | None:
    for name in _TROUBLE.findall(report):
        if found := netlist.find(name):
            return found
    number = _LINE.search(report)
    if number and (found := netlist.line(int(number[1]))) and found.text:
        return found
    report = report.lower()
    parameter = _PARAMETER.search(report)
    for source in netlist.source_map:
        text = source.text.lower()
        # Cards with a blank: ".end" is part of much else.
        if text and text[0] not in "*+" and " " in text and text in report:
            return source
        if parameter and re.search(rf"\b{parameter[1]}\b", text):
            return source
    for name in _NAMED.findall(report):
        if found := netlist.find(name):
            return found
    return None


def _cause(errors: tuple[Message, ...], *, begun: bool) -> str:
    """Return what the log gives as the reason.

    Of a run that had begun it is the last report that names a component; of one that had not, the
    first too, with what leads up to it: the solver's last word is then often a bystander.
    """
    placed = [k for k, message in enumerate(errors) if message.source]
    if not placed:
        return _short(errors[0]) if errors else ""
    chosen = errors[placed[-1] : placed[-1] + 1]
    if not begun:
        chosen = errors[: placed[0] + 1] + chosen * (len(placed) > 1)
    return "; ".join(map(_short, chosen))


def _short(message: Message) -> str:
    text = shown(message.text, 200).rstrip(" .:!")
    return f"{text} [{message.source}]" if message.source else text

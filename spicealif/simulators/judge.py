"""Whether a run succeeded, decided from its data and log; what the log says, and of what."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spicealif.netlist import Netlist, SourceLine
from spicealif.simulators.run import Message, Status
from spicealif.spikes import crossing_times
from spicealif.waveforms import Waveforms

__all__ = ["judge", "read_log", "waveforms_from"]

_Floats = NDArray[np.float64]

_LINE = re.compile(r"(?:error on line|line(?: number)?)\s+(\d+)", re.IGNORECASE)
_TROUBLE = re.compile(r'trouble with (?:node |)"?([\w.#:]+)"?', re.IGNORECASE)
_TROUBLE_DEVICE = re.compile(r"trouble with \S+-instance\s+(\S+)", re.IGNORECASE)
_TIME = re.compile(r"time(?:point)? ?= ?([0-9.eE+-]+)")
_NAMED = re.compile(r"\b([bceilmrvx]_[a-z0-9_]+|[a-z0-9_.]+\.[a-z0-9_.]+)\b", re.IGNORECASE)

# Lines that look alarming and are not: the simulator recovered by itself.
_HARMLESS = re.compile(
    r"gmin step|source step|true gmin|dynamic gmin|can't find init file|"
    r"no compatibility mode|unsupported ngspice version",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\berror\b|fatal|timestep too small|singular matrix|simulation interrupted|"
    r"simulation\(s\) aborted|no such|unknown (?:subckt|model|parameter)|undefined",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\bwarning\b|\bnote: ", re.IGNORECASE)


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
    lines = [line.strip() for line in log.splitlines()]
    for k, line in enumerate(lines):
        if not line or _HARMLESS.search(line):
            continue
        if _ERROR.search(line) and not line.lower().startswith("warning"):
            # ngspice puts the offending card on the next line.
            following = lines[k + 1] if k + 1 < len(lines) else ""
            errors.setdefault(line, Message("error", line, _source(line, following, netlist)))
        elif _WARNING.search(line):
            warnings.setdefault(line, Message("warning", line, _source(line, "", netlist)))
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
    named = {_canonical(name): values for name, values in columns.items()}
    time = named.get("time")
    missing = [v for v in netlist.vectors if _canonical(v) not in named]
    if time is None or not len(time):
        return None, missing
    signals: dict[str, _Floats] = {}
    for name, terms in netlist.signals.items():
        if any(vector in missing for _, vector in terms):
            continue
        values = [named[_canonical(vector)] for _, vector in terms]
        if len(terms) == 1 and terms[0][0] == 1.0:
            signals[name] = values[0]
        else:
            total = terms[0][0] * values[0]
            for (factor, _), value in zip(terms[1:], values[1:], strict=True):
                total = total + factor * value
            signals[name] = total
    neuron = netlist.neuron
    signals["i_in"] = neuron.stimulus.value(time)
    spikes = np.empty(0)
    if "spike" in signals:
        level = (neuron.comparator.v_oh + neuron.comparator.v_ol) / 2
        swing = neuron.comparator.v_oh - neuron.comparator.v_ol
        spikes = crossing_times(time, signals["spike"], level, hysteresis=swing / 4)
    return Waveforms(time, signals, spikes, attrs), missing


def judge(
    netlist: Netlist,
    waveforms: Waveforms | None,
    missing: list[str],
    errors: tuple[Message, ...],
    *,
    exit_code: int | None = 0,
    stopped: Status | None = None,
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
        TIMEOUT or INTERRUPTED if the caller stopped the run.

    Returns
    -------
    status : Status
    reason : str
        One sentence, empty if the run is complete.
    """
    reached = float(waveforms.time[-1]) if waveforms is not None else 0.0
    # The last point is t_stop itself; half a step of rounding is the most that is forgiven.
    complete = reached >= netlist.t_stop * (1 - 1e-9)
    cause = next((m for m in errors if m.source), errors[0] if errors else None)
    why = f": {_short(cause)}" if cause else ""
    if complete and not missing and waveforms is not None:
        broken = [n for n, v in waveforms.signals.items() if not np.isfinite(v).all()]
        if broken:
            return Status.INCOMPLETE, f"{', '.join(broken)} hold values that are not finite{why}."
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
    if cause is None and exit_code == 0:
        return Status.INCOMPLETE, "The simulator left no data and gave no reason."
    return Status.REJECTED, f"Nothing was computed{why}."


def _canonical(name: str) -> str:
    """Return one spelling for ``v(x)``, ``x``, ``i(v_pos)``, ``v_pos#branch``."""
    name = name.lower()
    if name.startswith("v(") and name.endswith(")"):
        return name[2:-1]
    if name.startswith("i(") and name.endswith(")"):
        return f"{name[2:-1]}#branch"
    return name


def _source(line: str, following: str, netlist: Netlist) -> SourceLine | None:
    trouble = _TROUBLE_DEVICE.search(line) or _TROUBLE.search(line)
    if trouble:
        found = netlist.find(trouble[1])
        if found:
            return found
    number = _LINE.search(line)
    if number and (found := netlist.line(int(number[1]))) and found.text:
        return found
    for text in (line, following):
        card = text.lower()
        for source in netlist.source_map:
            if source.text and source.text[0] not in "*+." and source.text.lower() in card:
                return source
        for name in _NAMED.findall(text):
            if found := netlist.find(name):
                return found
    return None


def _short(message: Message) -> str:
    text = str(message)
    return text if len(text) <= 300 else f"{text[:297]}..."

"""What is done for a point, in whatever process or thread it is done.

A job is self-contained and small, and so is its answer, so that both can go to another machine.
A simulator is kept warm between the jobs of a thread.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from spicealif._tables import plain
from spicealif.comparison import compare
from spicealif.design import Neuron, parse_toml
from spicealif.errors import DesignError, OutputError, SpicealifError
from spicealif.measures import measure
from spicealif.netlist import build_netlist
from spicealif.reference import Variant
from spicealif.simulators import Simulator, get_simulator
from spicealif.waveforms import Waveforms

__all__ = ["ERROR", "INVALID", "OK", "Job", "Settings", "Side", "Value", "evaluate", "failure"]

Side: TypeAlias = Literal["circuit", "reference", "both"]
Value: TypeAlias = dict[str, Any]

#: Statuses of a point; the others are those of a run, see `Status`.
OK, INVALID, ERROR = "OK", "INVALID", "ERROR"


@dataclass(frozen=True)
class Settings:
    """What all points of an experiment have in common.

    Attributes
    ----------
    sides : {"circuit", "reference", "both"}
        What is computed.
    varies : {"circuit", "reference", "both"}
        Which sides the parameters' values apply to; the other side stays at the base design.
    variant : {"ideal", "schmitt"}
        The reference.
    simulator : str
    timeout : float or None
        Seconds of wall time for one run of the circuit.
    spikes : bool
        Whether spike times are kept.
    waveforms : str
        Folder for the waveforms of each point; empty if they are not kept.
    experiment : str
        What the results are filed under in the store.
    """

    sides: Side
    varies: Side
    variant: Variant
    simulator: str
    timeout: float | None
    spikes: bool
    waveforms: str
    experiment: str


@dataclass(frozen=True)
class Job:
    """Points to be computed.

    Attributes
    ----------
    base : str
        The base design as TOML.
    settings : Settings
    points : tuple of (str, mapping)
        Key, and the values that differ from the base design.
    """

    base: str
    settings: Settings
    points: tuple[tuple[str, Mapping[str, Any]], ...]


def evaluate(job: Job) -> list[Value]:
    """Compute the points of a job.

    Parameters
    ----------
    job : Job

    Returns
    -------
    list of dict
        For each point, in order, plain numbers and texts: ``status``, ``reason``, ``cpu_s``,
        ``simulator`` (its version), and for each side its measures (see `measure`; NaN is None),
        for both also ``pair`` (see `Comparison`).
    """
    if job.settings.sides == "reference" and len(job.points) > 1:
        return _references(job)
    return [_point(job, key, changes) for key, changes in job.points]


def failure(job: Job, status: str, reason: str) -> list[Value]:
    """Return a failed result for each point of a job."""
    return [_failed(job.settings, status, reason) for _ in job.points]


def _failed(settings: Settings, status: str, reason: str) -> Value:
    return {"status": status, "reason": reason, "experiment": settings.experiment}


def _point(job: Job, key: str, changes: Mapping[str, Any]) -> Value:
    start = time.process_time()
    try:
        value = _compute(job, key, changes)
    except SpicealifError as error:
        kind = INVALID if isinstance(error, DesignError) else ERROR
        value = _failed(job.settings, kind, str(error))
    except Exception as error:
        # One point's trouble, of whatever kind, is not the others'.
        value = _failed(job.settings, ERROR, f"{type(error).__name__}: {error}.")
    value["cpu_s"] = value.get("cpu_s", 0.0) + time.process_time() - start
    return value


def _compute(job: Job, key: str, changes: Mapping[str, Any]) -> Value:
    settings = job.settings
    base = _base(job.base)
    varied = base.replace(dict(changes))
    value: Value = {"status": OK, "reason": "", "experiment": settings.experiment}
    circuit = reference = None
    if settings.sides != "reference":
        neuron = varied if settings.varies != "reference" else base
        tool = _simulator(settings.simulator)
        run = tool.run(build_netlist(neuron, tool.dialect), timeout=settings.timeout)
        value["simulator"], value["cpu_s"] = run.version, run.cost.cpu_s
        if not run.ok or run.waveforms is None:
            return _failed(settings, run.status.name, run.message) | {
                k: value[k] for k in ("simulator", "cpu_s")
            }
        circuit = run.waveforms
        value["circuit"] = _plain(measure(circuit, neuron))
    if settings.sides != "circuit":
        neuron = varied if settings.varies != "circuit" else base
        if neuron is base:
            reference = _nominal(job.base, settings.variant)
        else:
            reference = _reference(neuron, settings.variant)
        value["reference"] = _plain(measure(reference, neuron))
    if circuit is not None and reference is not None:
        value["pair"] = _plain(compare(circuit, reference, varied).of_pair)
    sides = {"circuit": circuit, "reference": reference}
    _keep(value, {k: w for k, w in sides.items() if w is not None}, settings, key)
    return value


def _references(job: Job) -> list[Value]:
    """Integrate many neurons at once."""
    return [_point(job, key, changes) for key, changes in job.points]


def _keep(value: Value, sides: Mapping[str, Waveforms], settings: Settings, key: str) -> None:
    if settings.spikes:
        value["t_spike"] = {side: w.t_spike.tolist() for side, w in sides.items()}
    if settings.waveforms:
        try:
            Path(settings.waveforms).mkdir(parents=True, exist_ok=True)
            for side, waveforms in sides.items():
                waveforms.save(Path(settings.waveforms) / f"{key}-{side}.nc")
            value["waveforms"] = sorted(sides)
        except (OSError, OutputError) as error:
            # The measures are there all the same.
            value["reason"] = f"The waveforms could not be kept: {error}"


@lru_cache(maxsize=4)
def _base(text: str) -> Neuron:
    return parse_toml(text)


@lru_cache(maxsize=4)
def _nominal(text: str, variant: Variant) -> Waveforms:
    return _reference(_base(text), variant)


def _reference(neuron: Neuron, variant: Variant) -> Waveforms:
    from spicealif.reference import solve_reference

    return solve_reference(neuron, variant)


class _Tools(threading.local):
    """The simulators of a thread: some are not to be shared between threads."""

    def __init__(self) -> None:
        self.by_name: dict[str, Simulator] = {}


_TOOLS = _Tools()


def _simulator(name: str) -> Simulator:
    tool = _TOOLS.by_name.get(name)
    if tool is None:
        tool = _TOOLS.by_name[name] = get_simulator(name)
        atexit.register(tool.close)
    return tool


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in figures.items()}

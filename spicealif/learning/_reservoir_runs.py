"""The runs behind a reservoir's features: its network under each sample, each solved once."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import Cache, digest_of, source_digest
from spicealif._support.kept import tell
from spicealif._support.text import counted
from spicealif.circuit.parameters import Cause
from spicealif.design import Constant, PiecewiseLinear
from spicealif.errors import IntegrationError
from spicealif.learning.encoding import OVER_TIME, currents
from spicealif.learning.runs import version_of_backend
from spicealif.learning.trains import spike_trains
from spicealif.network import (
    Expanded,
    Network,
    StimulusArrays,
    Values,
    expand,
    solve_network,
    solve_network_reference,
)
from spicealif.network.build import changed
from spicealif.network.store import dump_network, parse_network
from spicealif.reference import Variant, solve_references
from spicealif.sweep.pool import run_jobs
from spicealif.sweep.worker import OK, Job, Settings, Value, trouble

__all__ = ["Drive", "Way", "driven_network", "solve_samples"]

_Floats: TypeAlias = NDArray[np.float64]

#: Parts of the package that a kept result depends on.
_SOURCES = ("quantities", "design", "reference", "circuit", "network",
            "learning/encoding.py", "learning/trains.py")  # fmt: skip
_SPICE_SOURCES = (*_SOURCES, "netlist", "simulators", "rawfile", "waveforms.py")
#: Seconds from which on it is told before how long the rest will take.
_LONG = 600.0
#: Seconds of work for which no processes are started, which takes some seconds itself.
_STARTING = 5.0
#: Seconds of work that a job should have: little is lost with it, and handing it over is less.
_JOB = 2.0
_MOST_SAMPLES = 64


@dataclass(frozen=True)
class Drive:
    """How an input becomes what drives the network.

    Attributes
    ----------
    sources : bool
        Whether inputs are the trains of spike sources; the neurons' currents otherwise.
    encoding : str
    i_low, i_high : float
        In A.
    rate_high : float
        In Hz.
    duration : float
        In s.
    """

    sources: bool
    encoding: str
    i_low: float
    i_high: float
    rate_high: float
    duration: float

    def currents(self, u: _Floats) -> tuple[_Floats | None, _Floats]:
        """Return times in s and each neuron's currents in A; see `encoding.currents`."""
        flat = u if self.encoding in OVER_TIME else u[:, 0]
        return currents(flat, self.encoding, self.i_low, self.i_high, self.duration)  # type: ignore[arg-type]

    def trains(self, u: _Floats) -> list[_Floats]:
        """Return each source's spike times in s."""
        return spike_trains(u, self.encoding, self.rate_high, self.duration)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Way:
    """By what runs are solved, and where they are kept."""

    backend: str
    variant: Variant
    causes: AbstractSet[Cause]
    rtol: float


@dataclass(frozen=True)
class _SampleJob(Job):
    """Samples to be solved: `base` is the network as TOML, a point's value its input."""

    drive: Drive = field(kw_only=True)
    way: Way = field(kw_only=True)

    def evaluate(self) -> list[Value]:
        """Solve the samples one after the other; the trouble of one is not the others'."""
        expanded = _expanded(self.base)
        return [
            _solved(expanded, sample["u"], self.drive, self.way, self.settings)
            for _, sample in self.points
        ]


def driven_network(network: Network, u: _Floats, drive: Drive) -> Network:
    """Return a network with a sample's input written out.

    Parameters
    ----------
    network : Network
    u : ndarray, shape (m, K)
        Inputs from 0 to 1, of each neuron or each single source.
    drive : Drive
    """
    if drive.sources:
        trains, sources = iter(drive.trains(u)), []
        for one in network.sources:
            mine = tuple(Values(next(trains)) for _ in range(one.size))
            sources.append(one.replace(times=[train.tolist() for train in mine]))
        return network.replace(sources=tuple(sources))
    times, i = drive.currents(u)
    populations, begin = [], 0
    for population in network.populations:
        mine_i = i[begin : begin + population.size]
        begin += population.size
        if times is None:
            changes: dict[str, Any] = {"parameters.stimulus.amplitude": mine_i}
        else:
            changes = {"stimuli": StimulusArrays(t=Values(times), i=Values(mine_i))}
        populations.append(population.replace(changes))
    return network.replace(populations=tuple(populations))


def solve_samples(
    network: Network,
    inputs: Sequence[_Floats],
    drive: Drive,
    way: Way,
    jobs: int,
    kept: Cache,
    progress: Callable[[float], None] | None = None,
) -> list[Value]:
    """Solve a network under different inputs.

    Parameters
    ----------
    network : Network
    inputs : sequence of ndarray, shape (m, K)
    drive : Drive
    way : Way
    jobs : int
        Processes; no bit depends on it.
    kept : Cache
        What is there already is not solved again, and each sample is kept when it is done.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    list of dict
        For each input ``status``, ``reason``, and of one that was solved ``t_spike`` of each
        neuron, ``x_last``, ``energy_source``, ``energy_supply``: bits as hexadecimal text.
    """
    spice = way.backend not in ("reference", "equations")
    common = [
        network.digest, list(vars(drive).values()), way.backend, way.variant,
        sorted(cause.value for cause in way.causes), way.rtol,
        source_digest(*(_SPICE_SOURCES if spice else _SOURCES)),
        version_of_backend(way.backend) if spice else "",
    ]  # fmt: skip
    keys = [digest_of(*common, list(u.shape), u.tobytes().hex()) for u in inputs]
    found = {k: value for k, key in enumerate(keys) if (value := _read(kept.get(key)))}
    missing = [k for k in range(len(inputs)) if k not in found]
    settings = Settings("both", "both", way.variant, way.backend, None, True, "", network.name)

    def done(k: int, value: Value) -> None:
        found[k] = value
        if value["status"] == OK:  # a failure may pass: the next time it is tried again
            kept.put(keys[k], value)
        if progress is not None:
            progress(len(found) / len(inputs))

    def alone(k: int) -> None:
        done(k, _solved(expanded, inputs[k], drive, way, settings))

    try:
        if missing:
            expanded, start = expand(network), time.perf_counter()
            alone(missing.pop(0))
            took = time.perf_counter() - start
            _tell_time(took * len(missing) / jobs, len(missing), jobs)
            if jobs == 1 or took * len(missing) < _STARTING:
                for k in missing:
                    alone(k)
            else:
                size = max(1, min(_MOST_SAMPLES, int(_JOB / took), len(missing) // jobs))
                parts = [missing[k : k + size] for k in range(0, len(missing), size)]
                base = dump_network(network)
                todo = (
                    _SampleJob(base, settings, tuple((str(k), {"u": inputs[k]}) for k in part),
                               drive=drive, way=way)
                    for part in parts
                )  # fmt: skip
                with contextlib.closing(run_jobs(todo, None, jobs, lambda: None)) as results:
                    for job, values in results:
                        for (number, _), value in zip(job.points, values, strict=True):
                            done(int(number), value)
    finally:
        kept.tell_trouble()
    return [found[k] for k in range(len(inputs))]


def _tell_time(seconds: float, samples: int, jobs: int) -> None:
    if seconds > _LONG:
        told = f"{seconds / 3600:.1f} hours" if seconds > 7200 else f"{seconds / 60:.0f} minutes"
        tell(
            f"The {counted(samples, 'sample')} that are left take about {told} with n_jobs={jobs}; "
            "what is done is kept, so that it may be interrupted and go on later."
        )


def _solved(
    expanded: Expanded, u: _Floats, drive: Drive, way: Way, settings: Settings
) -> Value:  # fmt: skip
    try:
        return {"status": OK, "reason": "", **_found(_driven(expanded, u, drive), way)}
    except Exception as error:
        return trouble(settings, error)


def _driven(expanded: Expanded, u: _Floats, drive: Drive) -> Expanded:
    """Return the same as `expand` of `driven_network`, where only what differs is made anew."""
    if drive.sources:
        trains = drive.trains(u)
        sources = [(of, t) for (of, _), t in zip(expanded.sources, trains, strict=True)]
        return replace(expanded, sources=tuple(sources))
    times, i = drive.currents(u)
    made: dict[tuple[int, bytes], Any] = {}
    neurons = []
    for neuron, row in zip(expanded.neurons, i, strict=True):
        key = (id(neuron), row.tobytes())
        if key not in made:
            stimulus = (
                Constant(amplitude=float(row))
                if times is None
                else PiecewiseLinear(t=tuple(times.tolist()), i=tuple(row.tolist()))
            )
            made[key] = changed(neuron, {"stimulus": stimulus})
        neurons.append(made[key])
    return replace(expanded, neurons=tuple(neurons))


def _found(expanded: Expanded, way: Way) -> Value:
    none = np.full(len(expanded.neurons), math.nan)
    if way.backend == "reference" and not expanded.synapses:
        # Nothing joins them, so that each takes steps of its own, as in a bank.
        alone = solve_references(expanded.neurons, way.variant, threads=1)
        for one in alone:
            if one.error is not None:
                raise IntegrationError(one.error)
        x = np.array([one.x_final for one in alone])
        return _written([one.t_spike for one in alone], x, none, none)
    if way.backend == "reference":
        reference = solve_network_reference(expanded, variant=way.variant, workers=1)
        return _written(reference.t_spike, reference.x_end, none, none)
    if way.backend == "equations":
        # One thread: as many samples as there are jobs are solved at a time.
        found = solve_network(expanded, causes=way.causes, rtol=way.rtol, workers=1)
        return _written(found.t_spike, found.x_end, found.energy, found.energy_supply)
    from spicealif.network.spice import run_flat

    name = "ngspice-batch" if way.backend == "ngspice" else way.backend
    flat = run_flat(expanded, name, keep=("spike",)).require()
    return _written(flat.t_spike, none, none, none)


def _written(
    t_spike: Sequence[_Floats], x: _Floats, source: _Floats, supply: _Floats
) -> dict[str, Any]:
    figures = {"x_last": x, "energy_source": source, "energy_supply": supply}
    return {
        "t_spike": [np.asarray(train, dtype=float).tobytes().hex() for train in t_spike],
        **{name: np.asarray(array, dtype=float).tobytes().hex() for name, array in figures.items()},
    }


def _read(value: Mapping[str, Any] | None) -> Value | None:
    """Return a kept sample; None if it is none."""
    if value is None or not isinstance(value.get("t_spike"), list):
        return None
    whole = {"status", "x_last", "energy_source", "energy_supply"} <= set(value)
    return dict(value) if whole else None


@lru_cache(maxsize=2)
def _expanded(text: str) -> Expanded:
    return expand(parse_network(text, files=False))

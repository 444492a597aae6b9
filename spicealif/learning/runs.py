"""The runs behind a stage's features: one neuron under one current, each solved once."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import Cache, cache_folder, digest_of, open_cache, source_digest
from spicealif.bank import Bank, solve_bank
from spicealif.circuit.parameters import ALL_CAUSES, Cause
from spicealif.design import Constant, Neuron, PiecewiseLinear
from spicealif.errors import IntegrationError, SpicealifError
from spicealif.measures.one_side import energies
from spicealif.reference import Variant

__all__ = [
    "BACKENDS",
    "Backend",
    "BankRuns",
    "Distinct",
    "How",
    "gathered",
    "open_kept",
    "solve_runs",
    "version_of_backend",
]

_Floats: TypeAlias = NDArray[np.float64]
Backend: TypeAlias = Literal["reference", "equations", "ngspice", "ltspice"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)

#: Parts of the package that a kept result depends on.
_SOURCES = ("quantities", "design", "reference", "circuit", "bank", "learning/encoding.py")
_SPICE_SOURCES = (
    *_SOURCES, "netlist", "simulators", "rawfile", "waveforms.py", "measures/one_side.py",
)  # fmt: skip
#: Runs in one entry of the cache: some seconds of the circuit's equations.
_BLOCK = 32
#: Runs that the reference solves in one call: what bounds the memory for currents.
_REFERENCE_BLOCK = 16384


@dataclass(frozen=True, eq=False)
class BankRuns:
    """What the neurons of a stage did for each sample.

    Runs that are the same, a neuron's values and its current, are solved once; arrays whose names
    begin with ``run_`` have one item for each distinct run, and `unique` says which is whose.

    Attributes
    ----------
    unique : ndarray of int, shape (n, m)
        The run of sample k and neuron j.
    times : ndarray
        Spike times in s of all distinct runs, one after the other.
    run_counts : ndarray of int, shape (runs,)
    run_x_last : ndarray, shape (runs,)
        State of the memristor at the end; NaN with a resistor.
    run_energy_source, run_energy_supply : ndarray, shape (runs,)
        In J; NaN for supplies that are not there.
    run_errors : mapping of int to str
        Why a run was not solved to its end.
    duration : float
        In s.
    backend : str
        What solved them.
    """

    unique: NDArray[np.int64]
    times: _Floats
    run_counts: NDArray[np.int64]
    run_x_last: _Floats
    run_energy_source: _Floats
    run_energy_supply: _Floats
    run_errors: Mapping[int, str]
    duration: float
    backend: str

    def __repr__(self) -> str:
        return (
            f"<BankRuns {self.backend}: {self.n_samples} samples, {self.n_neurons} neurons, "
            f"{len(self.run_counts)} distinct runs>"
        )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.unique)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return int(self.unique.shape[1])

    @cached_property
    def _begin(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.run_counts)])

    def t_spike(self, sample: int, neuron: int) -> _Floats:
        """Return the spike times in s of a neuron for a sample."""
        run = int(self.unique[sample, neuron])
        return self.times[self._begin[run] : self._begin[run + 1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Spikes of each sample and neuron, shape (n, m)."""
        return self.run_counts[self.unique]

    @property
    def x_last(self) -> _Floats:
        """State of the memristor at the end, shape (n, m); NaN with a resistor."""
        return self.run_x_last[self.unique]

    @property
    def energy_source(self) -> _Floats:
        """Energy from the source in J, shape (n, m)."""
        return self.run_energy_source[self.unique]

    @property
    def energy_supply(self) -> _Floats:
        """Energy from the supplies in J, shape (n, m); NaN where there are none."""
        return self.run_energy_supply[self.unique]

    @property
    def errors(self) -> dict[tuple[int, int], str]:
        """Why a neuron's run for a sample was not solved to its end, by sample and neuron."""
        if not self.run_errors:
            return {}
        bad = np.argwhere(np.isin(self.unique, list(self.run_errors)))
        return {(int(k), int(j)): self.run_errors[int(self.unique[k, j])] for k, j in bad}

    def require(self) -> BankRuns:
        """Return the runs if all were solved.

        Raises
        ------
        IntegrationError
            Which names the first sample and neuron that were not, and why.
        """
        if self.run_errors:
            errors = self.errors
            (sample, neuron), reason = next(iter(errors.items()))
            raise IntegrationError(
                f"Sample {sample}, neuron {neuron}, by {self.backend} "
                f"({len(errors)} of {self.unique.size} runs failed): {reason}"
            )
        return self


@dataclass(frozen=True)
class Distinct:
    """Distinct runs: for each its neuron's values and its current.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (runs,)
        By dotted name, SI.
    inputs : ndarray, shape (runs, K)
        Scaled inputs, which `encode` turns into currents; kept apart since they are shorter.
    encode : callable
        From inputs to times and currents, see `spicealif.learning.encoding.currents`.
    encoding : tuple
        What `encode` depends on, for the digest of kept results.
    """

    values: Mapping[str, _Floats]
    inputs: _Floats
    encode: Callable[[_Floats], tuple[_Floats | None, _Floats]]
    encoding: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.inputs)

    def part(self, begin: int, end: int) -> dict[str, Any]:
        """Return values and currents of some runs as `solve_bank` takes them, with its times."""
        times, i = self.encode(self.inputs[begin:end])
        values = {name: array[begin:end] for name, array in self.values.items()}
        return {"values": {**values, "stimulus": i}, "times": times}


@dataclass(frozen=True)
class How:
    """How runs are solved; see `AlifBank`."""

    backend: Backend = "reference"
    variant: Variant = "ideal"
    causes: AbstractSet[Cause] = ALL_CAUSES
    rtol: float | None = None
    threads: int = 1
    cache: str | os.PathLike[str] | bool | None = True


def solve_runs(
    neuron: Neuron,
    runs: Distinct,
    how: How,
    progress: Callable[[float], None] | None = None,
) -> list[Bank]:
    """Solve distinct runs, in parts, and return the parts.

    All but the reference's are kept as soon as a part is solved, so that what was interrupted goes
    on where it was; reading the reference's back would take as long as solving it.

    Raises
    ------
    DesignError
        If a run's neuron is refused.
    SimulatorNotFound
        If the backend is a simulator that is not there.
    """
    if how.backend == "reference":
        return _by_reference(neuron, runs, how, progress)
    kept = open_kept(how.cache)
    spice = how.backend not in ("reference", "equations")
    common = [
        neuron.digest, how.backend, list(runs.encoding),
        sorted(c.value for c in how.causes) if not spice else [], how.rtol,
        source_digest(*(_SPICE_SOURCES if spice else _SOURCES)),
        version_of_backend(how.backend) if spice else "",
    ]  # fmt: skip
    solve = _by_simulator if spice else _by_equations
    parts: list[Bank] = []
    try:
        for begin in range(0, len(runs), _BLOCK):
            part = runs.part(begin, begin + _BLOCK)
            count = len(runs.inputs[begin : begin + _BLOCK])
            key = digest_of(*common, _plain(runs, begin, begin + _BLOCK))
            entry = kept.get(key)
            bank = None if entry is None else _read(entry, count)
            if bank is None:
                done = begin / len(runs)

                def of_part(f: float, done: float = done, count: int = count) -> None:
                    if progress is not None:
                        progress(done + f * count / len(runs))

                bank = solve(neuron, part, how, of_part)
                # A failure may pass: the next time it is tried again.
                if not bank.errors:
                    kept.put(key, _written(bank))
            parts.append(bank)
            if progress is not None:
                progress(min(1.0, (begin + count) / len(runs)))
    finally:
        kept.tell_trouble()
    return parts


def open_kept(wanted: str | os.PathLike[str] | bool | None) -> Cache:
    """Return where runs are kept: True is the user's cache folder, None or False nowhere."""
    if wanted is True and (folder := cache_folder()) is not None:
        return open_cache(folder / "learning")
    return open_cache(Path(wanted) if isinstance(wanted, str | os.PathLike) else wanted)


def _by_reference(
    neuron: Neuron, runs: Distinct, how: How, progress: Callable[[float], None] | None
) -> list[Bank]:
    parts = []
    for begin in range(0, len(runs), _REFERENCE_BLOCK):
        end = min(begin + _REFERENCE_BLOCK, len(runs))
        share = (end - begin) / len(runs)

        def of_part(f: float, begin: int = begin, share: float = share) -> None:
            if progress is not None:
                progress(begin / len(runs) + f * share)

        part = runs.part(begin, end)
        parts.append(
            solve_bank(neuron, **part, variant=how.variant, threads=how.threads, progress=of_part)
        )
    return parts


def _by_equations(
    neuron: Neuron, part: Mapping[str, Any], how: How, progress: Callable[[float], None]
) -> Bank:
    return solve_bank(
        neuron, **part, side="equations", causes=how.causes, rtol=how.rtol, threads=how.threads,
        progress=progress,
    )  # fmt: skip


def _by_simulator(
    neuron: Neuron, part: Mapping[str, Any], how: How, progress: Callable[[float], None]
) -> Bank:
    """Run each neuron's netlist; a simulator of its own for each thread."""
    from spicealif.netlist import build_netlist
    from spicealif.simulators import get_simulator

    values, times = dict(part["values"]), part["times"]
    i = values.pop("stimulus")
    mine = threading.local()
    made: list[Any] = []

    def one(k: int) -> tuple[_Floats, tuple[float, ...], str | None]:
        if not hasattr(mine, "tool"):
            mine.tool = get_simulator(how.backend)
            made.append(mine.tool)
        stimulus = (
            Constant(amplitude=float(i[k]))
            if times is None
            else PiecewiseLinear(t=tuple(times.tolist()), i=tuple(i[k].tolist()))
        )
        changes = {name: float(array[k]) for name, array in values.items()}
        mine_k = neuron.replace({**changes, "stimulus": stimulus})
        try:
            w = mine.tool.run(build_netlist(mine_k, mine.tool.dialect)).require()
        except SpicealifError as error:
            return np.empty(0), (math.nan,) * 5, str(error)
        v_c, x = w["v_c"], float(w["x"][-1]) if "x" in w else math.nan
        energy = energies(w, mine_k)
        both = (energy.get(name, math.nan) for name in ("energy_source", "energy_supply"))
        return w.t_spike, (float(v_c[-1]), float(v_c.max()), x, *both), None

    n = len(i)
    found: list[Any] = [None] * n
    try:
        with ThreadPoolExecutor(how.threads) as pool:
            tasks = {pool.submit(one, k): k for k in range(n)}
            try:
                for count, task in enumerate(as_completed(tasks), 1):
                    found[tasks[task]] = task.result()
                    progress(count / n)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        for tool in made:
            tool.close()
    (v_c, peak, x, source, supply) = np.array([row for _, row, _ in found], dtype=float).T
    counts = np.array([len(t) for t, _, _ in found], dtype=np.int64)
    errors = {k: error for k, (_, _, error) in enumerate(found) if error is not None}
    times = np.concatenate([t for t, _, _ in found])
    return Bank(times, counts, v_c, peak, x, source, supply, errors, "equations")


def version_of_backend(backend: str) -> str:
    """Return name and version of a simulator, for the digest of kept results."""
    from spicealif.simulators import get_simulator
    from spicealif.simulators.registry import version_of

    tool = get_simulator(backend)
    try:
        return f"{tool.name} ({version_of(tool)})"
    finally:
        tool.close()


def _plain(runs: Distinct, begin: int, end: int) -> list[Any]:
    """Return the bits of values and inputs as texts."""
    values = {name: array[begin:end].tobytes().hex() for name, array in runs.values.items()}
    return [values, runs.inputs[begin:end].tobytes().hex(), runs.inputs.shape[1]]


_FIGURES = ("v_c_final", "v_c_peak", "x_final", "energy_source", "energy_supply")


def _written(bank: Bank) -> dict[str, Any]:
    """Return a part as it is kept: bits, so that what is read is what was solved."""
    figures = {name: getattr(bank, name).tobytes().hex() for name in _FIGURES}
    return {"times": bank.times.tobytes().hex(), "count": bank.spike_count.tolist(), **figures}


def _read(entry: Mapping[str, Any], n: int) -> Bank | None:
    """Return a kept part; None if it is none of n runs."""
    try:
        counts = np.array(entry["count"], dtype=np.int64)
        times = np.frombuffer(bytes.fromhex(entry["times"]))
        figures = [np.frombuffer(bytes.fromhex(entry[name])) for name in _FIGURES]
    except (KeyError, TypeError, ValueError):
        return None
    if len(counts) != n or counts.sum() != len(times) or any(len(f) != n for f in figures):
        return None
    (v_c, peak, x, source, supply) = figures
    return Bank(times, counts, v_c, peak, x, source, supply, {}, "equations")


def gathered(
    parts: Sequence[Bank], unique: NDArray[np.int64], duration: float, backend: str
) -> BankRuns:
    """Return the parts of `solve_runs` as the runs of a stage."""
    errors: dict[int, str] = {}
    begin = 0
    for part in parts:
        errors |= {begin + k: reason for k, reason in part.errors.items()}
        begin += len(part)

    def every(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return BankRuns(
        unique, every("times"), every("spike_count"), every("x_final"), every("energy_source"),
        every("energy_supply"), errors, duration, backend,
    )  # fmt: skip

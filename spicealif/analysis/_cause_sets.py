"""A neuron's circuit with every set of causes, in parallel and cached; see `attribution`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeAlias

import numpy as np

from spicealif._support.cache import Cache, digest_of, source_digest
from spicealif._support.cores import usable_cores
from spicealif.circuit.parameters import ALL_CAUSES, Cause, circuit_parameters
from spicealif.design import Neuron
from spicealif.errors import IntegrationError
from spicealif.measures.one_side import MEASURES, PULSE_MEASURES, has_pulses, measure
from spicealif.measures.tables import plain
from spicealif.netlist import build_netlist
from spicealif.simulators import Simulator, get_simulator
from spicealif.simulators.registry import version_of
from spicealif.waveforms import Waveforms

__all__ = ["BUDGET_MEASURES", "CauseSets", "causes_of"]

#: The measures that have a budget: those of one side that both sides have.
BUDGET_MEASURES: tuple[str, ...] = tuple(
    name
    for name, info in MEASURES.items()
    if not info.pair and name not in ("spike_count", "supply_energy_per_spike")
)
#: Relative tolerance of the equations: on the presets it moves no spike by more than 1 ns.
_RTOL = 1e-6
#: What a cached result depends on besides the neuron, as parts of the package.
_SOURCES = (
    *("quantities", "design", "circuit", "reference", "rawfile", "simulators"),
    *("waveforms.py", "measures"),
)
#: Seconds between two looks at what runs.
_LOOK = 0.1
#: How the progress weighs the simulator's run against one solution of the equations.
_RUN_WEIGHT = 15


def causes_of(neuron: Neuron) -> list[Cause]:
    """Return the causes that this neuron has: those that change a number when taken away."""
    full, none = circuit_parameters(neuron), circuit_parameters(neuron, frozenset())

    def same(a: Any, b: Any) -> bool:
        return bool(np.array_equal(a.values, b.values) and a.neuron == b.neuron)

    return [
        cause
        for cause in Cause
        if not (
            same(full, circuit_parameters(neuron, ALL_CAUSES - {cause}))
            and same(none, circuit_parameters(neuron, frozenset({cause})))
        )
    ]


def _wait_for(
    pending: set[Future[Any]],
    jobs: Sequence[CauseSets],
    fraction: Callable[[], float],
    progress: Callable[[float], None] | None,
) -> None:
    """Wait for all, report how far they are, and stop the jobs if one fails or is interrupted."""
    try:
        while pending:
            finished, pending = wait(pending, _LOOK, FIRST_COMPLETED)
            for future in finished:
                future.result()  # raises what it raised
            if progress is not None:
                progress(fraction())
    except BaseException:
        for job in jobs:
            job.stop.set()
        for future in pending:
            future.cancel()
        raise


class _Stopped(Exception):
    """Ends a solution that nobody waits for any more."""


_Figures: TypeAlias = dict[str, float]
_Subset: TypeAlias = frozenset[int]


class CauseSets:
    """The simulator's run, the reference and all sets of causes, in parallel and cached."""

    def __init__(
        self,
        neuron: Neuron,
        causes: list[Cause],
        simulator: str | Simulator,
        timeout: float | None,
        cache: Cache,
    ) -> None:
        self.neuron, self.causes = neuron, causes
        self.simulator, self.timeout, self.cache = simulator, timeout, cache
        self.stop = threading.Event()
        self.done: dict[object, float] = {}
        self.code = source_digest(*_SOURCES)

    def work(
        self,
        subsets: list[_Subset],
        workers: int | None,
        progress: Callable[[float], None] | None,
    ) -> tuple[dict[_Subset, _Figures], _Figures, _Figures, str]:
        """Return the figures of each set, of the circuit and the reference; the simulator."""
        count = workers or usable_cores()

        def fraction() -> float:
            run = _RUN_WEIGHT * self.done.get("run", 0.0)
            rest = sum(v for k, v in list(self.done.items()) if k != "run")
            # the reference counts as one set more
            return (run + rest) / (_RUN_WEIGHT + len(subsets) + 1)

        with ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(count) as pool:
            circuit = beside.submit(self._circuit)
            reference = pool.submit(self._reference)
            solutions = {s: pool.submit(self._subset, s) for s in subsets}
            _wait_for({circuit, reference, *solutions.values()}, [self], fraction, progress)
            figures, version = circuit.result()
            values = {s: future.result() for s, future in solutions.items()}
            return values, figures, reference.result(), version

    @staticmethod
    def work_together(
        jobs: Sequence[CauseSets],
        subsets: list[_Subset],
        workers: int | None,
        progress: Callable[[float], None] | None,
    ) -> list[tuple[dict[_Subset, _Figures], _Figures] | IntegrationError]:
        """Return each neuron's figures of the sets and of the reference, or why there are none.

        No simulator runs.
        """

        def one(job: CauseSets, subset: _Subset) -> _Figures | IntegrationError:
            try:
                return job._subset(subset)
            except IntegrationError as error:
                return error

        def fraction() -> float:
            done = sum(sum(list(job.done.values())) for job in jobs)
            return done / (len(jobs) * (len(subsets) + 1))

        with ThreadPoolExecutor(workers or usable_cores()) as pool:
            references = [pool.submit(job._reference) for job in jobs]
            solutions = [{s: pool.submit(one, job, s) for s in subsets} for job in jobs]
            every = {f for of in solutions for f in of.values()}
            _wait_for({*references, *every}, jobs, fraction, progress)
        found: list[tuple[dict[_Subset, _Figures], _Figures] | IntegrationError] = []
        for reference, of in zip(references, solutions, strict=True):
            values: dict[_Subset, _Figures] = {}
            failed: IntegrationError | None = None
            for subset, future in of.items():
                result = future.result()
                if isinstance(result, IntegrationError):
                    failed = failed or result
                else:
                    values[subset] = result
            found.append(failed or (values, reference.result()))
        return found

    def circuit_alone(self) -> tuple[_Figures, str]:
        """Return the figures of the simulator's run, from the cache if they are there, and it."""
        return self._circuit()

    def _look(self, key: object, fraction: float) -> None:
        if self.stop.is_set():
            raise _Stopped
        self.done[key] = fraction

    def _circuit(self) -> tuple[_Figures, str]:
        named = isinstance(self.simulator, str)
        tool = get_simulator(self.simulator) if isinstance(self.simulator, str) else self.simulator
        try:
            version = f"{tool.name} ({version_of(tool)})"
            netlist = build_netlist(self.neuron, tool.dialect)
            key = digest_of("run", netlist.digest, version, self.neuron.digest, self.code)

            def compute() -> _Figures:
                run = tool.run(
                    netlist, timeout=self.timeout, progress=lambda f: self._look("run", f)
                )
                return self._figures(run.require())

            return self._cached(key, "run", compute), version
        finally:
            if named:
                tool.close()

    def _reference(self) -> _Figures:
        def compute() -> _Figures:
            from spicealif.reference import solve_reference

            sharp = self.neuron.replace(stimulus=self.neuron.stimulus.sharp())
            return self._figures(solve_reference(sharp))

        key = digest_of("reference", self.neuron.digest, self.code)
        return self._cached(key, "reference", compute)

    def _subset(self, subset: _Subset) -> _Figures:
        on = frozenset(self.causes[k] for k in subset)

        def compute() -> _Figures:
            from spicealif.circuit import solve_circuit

            # Causes that the neuron does not have make no difference: on, as in the netlist.
            others = ALL_CAUSES - set(self.causes)
            try:
                waveforms = solve_circuit(
                    self.neuron,
                    causes=on | others,
                    rtol=_RTOL,
                    progress=lambda f: self._look(subset, f),
                )
            except IntegrationError as error:
                off = ", ".join(c.label for c in self.causes if c not in on) or "nothing"
                raise IntegrationError(f"{str(error)[:-1]} (switched off: {off}).") from None
            return self._figures(waveforms)

        names = sorted(c.value for c in on)
        key = digest_of("equations", self.neuron.digest, names, _RTOL, self.code)
        return self._cached(key, subset, compute)

    def _cached(self, key: str, label: object, compute: Callable[[], _Figures]) -> _Figures:
        self._look(label, 0.0)
        entry = self.cache.get(key)
        if entry is None:
            figures = compute()
            self.cache.put(key, {name: plain(v) for name, v in figures.items()})
        else:
            figures = {n: math.nan if entry.get(n) is None else entry[n] for n in BUDGET_MEASURES}
        self.done[label] = 1.0
        return figures

    def _figures(self, waveforms: Waveforms) -> _Figures:
        found = measure(waveforms, self.neuron)
        figures = {name: float(found[name]) for name in BUDGET_MEASURES}
        if not has_pulses(self.neuron):
            figures |= dict.fromkeys(PULSE_MEASURES, math.nan)
        return figures

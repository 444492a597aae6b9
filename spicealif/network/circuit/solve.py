"""Windowed waveform relaxation: a network's neurons one by one until nothing changes any more.

Neurons act on each other only through the voltages of outputs and capacitors, so that a network's
solution is what each neuron alone gives while it is fed the others' waveforms (Lelarasmee, Ruehli,
Sangiovanni-Vincentelli, IEEE Trans. CAD 1 (3), 1982). Each is solved by its own steps; the cost is
linear in their number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cores import usable_cores
from spicealif.circuit.parameters import ALL_CAUSES, Cause
from spicealif.errors import IntegrationError
from spicealif.network.circuit.arrays import network_arrays
from spicealif.network.circuit.graph import levels_of
from spicealif.network.circuit.result import NetworkSolution
from spicealif.network.circuit.waves import Waves
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand

__all__ = ["DEFAULT_RTOL", "DEFAULT_T_TOL", "solve_network"]

_LOG = logging.getLogger(__name__)
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Relative tolerance of each neuron's solution, and of the iteration in s.
DEFAULT_RTOL, DEFAULT_T_TOL = 1e-6, 1e-10
#: The largest tolerance of the iteration that makes sense, in s.
MOST_T_TOL = 1e-6
#: Windows in s: the first, the shortest.
FIRST_WINDOW, SHORTEST_WINDOW = 20e-6, 20e-9
#: Windows are not made shorter than LEAST_WINDOW (s) because of what they cost: a pulse is solved
#: some times however short its window is.
LEAST_WINDOW = 4e-6
#: Sweeps over a window before it is cut. A window in which a neuron was solved fewer than FEW times
#: in the mean makes the next one longer, one with more than MANY makes it shorter; what is solved
#: once and what is solved again cost least together in between (benchmarks/network_circuit.py).
MOST_SWEEPS, FEW, MANY = 24, 1.25, 1.6
#: Of each neuron over a window: it is solved again only from the last one on before its input has
#: changed.
CHECKPOINTS = 32
#: Neurons that a thread takes at a time.
CHUNK = 8


def solve_network(
    network: Network | Expanded,
    *,
    causes: AbstractSet[Cause] = ALL_CAUSES,
    rtol: float = DEFAULT_RTOL,
    t_tol: float = DEFAULT_T_TOL,
    keep: Literal["all"] | Collection[int] = (),
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkSolution:
    """Solve the circuit's equations of a network.

    Parameters
    ----------
    network : Network or Expanded
    causes : set of Cause
        Which differences from the ideal are on, in all neurons at once; see `solve_circuit`.
    rtol : float
        Relative tolerance of each neuron's solution.
    t_tol : float
        Tolerance of the iteration in s: a neuron is solved again while the wave of one that it is
        joined to has changed by more, which is the integral of the change over the swing.
    keep : "all" or collection of int
        Neurons whose traces are kept.
    workers : int, optional
        Threads; all cores if not given. The result does not depend on it.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    NetworkSolution

    Raises
    ------
    IntegrationError
        If a synapse has a delay, which a circuit has not; if the tolerances make no sense, a
        neuron cannot be followed (it is named), or the iteration does not converge.
    """
    expanded = network if isinstance(network, Expanded) else expand(network)
    if not 1e-13 < rtol < 1e-2:
        raise IntegrationError(
            f"The relative tolerance is {rtol:g}; choose one from 1e-12 to 1e-3."
        )
    if not 0 < t_tol <= MOST_T_TOL:
        raise IntegrationError(
            f"The tolerance of the iteration is {t_tol:g} s; give it above 0 and at most "
            f"{MOST_T_TOL:g} s, since spikes are that uncertain then."
        )
    if unknown := [c for c in causes if not isinstance(c, Cause)]:
        raise IntegrationError(f"{ascii(unknown[0])} is no Cause; choose from spicealif's Cause.")
    if workers is not None and workers < 1:
        raise IntegrationError(f"{workers} workers solve nothing; give 1 or more.")
    if keep != "all":
        for k in keep:
            if isinstance(k, bool) or not isinstance(k, int | np.integer):
                raise IntegrationError(
                    f"{ascii(k)} is no neuron to keep; give their numbers, from 0, or 'all'."
                )
            if not 0 <= k < len(expanded.neurons):
                raise IntegrationError(
                    f"There is no neuron {k} to keep; they are 0 to {len(expanded.neurons) - 1}."
                )
    for some in expanded.synapses:
        if np.any(some.delay > 0):
            raise IntegrationError(
                f"The projection from {some.projection.source} to {some.projection.target} has a "
                "delay, which no circuit has without a part that makes it; set delay = 0, or solve "
                "the reference."
            )
    return _Relaxation(expanded, causes, rtol, t_tol, keep, workers).run(progress)


class _Relaxation:
    """The state of a run."""

    def __init__(
        self, expanded: Expanded, causes: AbstractSet[Cause], rtol: float, t_tol: float,
        keep: Literal["all"] | Collection[int], workers: int | None,
    ) -> None:  # fmt: skip
        self.expanded, self.rtol, self.t_tol = expanded, rtol, t_tol
        self.n, self.nodes = len(expanded.neurons), len(expanded.names)
        self.arrays = arrays = network_arrays(expanded, causes)
        self.t_stop = expanded.network.t_stop
        synapses = arrays.synapses
        self.levels = levels_of(synapses.pre, synapses.post, self.n)
        self.kept = np.arange(self.n) if keep == "all" else np.array(sorted(set(keep)), dtype=int)
        self.waves = Waves(expanded, arrays, self.kept)
        self.threads = max(1, usable_cores() if workers is None else workers)
        self.state: list[Any] = [
            arrays.y.copy(), arrays.fs.copy(), arrays.ns.copy(), synapses.z.copy(),
            synapses.z.copy(),
        ]  # fmt: skip
        self.after = [a.copy() for a in self.state]
        self.tables = (
            arrays.values, arrays.active, arrays.n_active, *arrays.pieces, arrays.piece_start,
            arrays.sines, arrays.sine_start, arrays.h_max, arrays.q,
        )  # fmt: skip
        self.groups = (
            synapses.equations, synapses.currents, synapses.rates, synapses.group, synapses.q,
            synapses.q_start, synapses.n_states, synapses.weights, synapses.follows, synapses.pre,
            synapses.post, synapses.ins, synapses.in_start, synapses.outs, synapses.out_start,
        )  # fmt: skip
        # Checkpoints: time, state of the neuron and of its synapses, voltages across these.
        joined = np.diff(synapses.in_start[: self.n + 1]) + np.diff(
            synapses.out_start[: self.n + 1]
        )
        length = 1 + arrays.y.shape[1] + arrays.fs.shape[1] + 3 * joined
        start = np.concatenate([[0], np.cumsum(CHECKPOINTS * length)]).astype(np.int64)
        whole = np.zeros((self.n, CHECKPOINTS, arrays.ns.shape[1] + 1), dtype=np.int64)
        self.saved = (np.zeros(int(start[-1])), start, length.astype(np.int64), whole)
        self.since = np.full(self.n, -np.inf)
        self.windows = self.sweeps = self.solved = self.steps = 0
        self.error = 0.0

    def run(self, progress: Callable[[float], None] | None) -> NetworkSolution:
        began = time.perf_counter()
        now, window = 0.0, min(FIRST_WINDOW, self.t_stop)
        self.waves.begin(0.0)
        with ThreadPoolExecutor(self.threads) as pool:
            while now < self.t_stop:
                end = now + window
                if end > self.t_stop - 0.5 * window:
                    end = self.t_stop
                before = self.solved
                sweeps, error = self._window(now, end, pool)
                solved = self.solved - before
                if sweeps == 0:
                    window *= 0.25
                    if window < SHORTEST_WINDOW:
                        raise IntegrationError(
                            f"The network's neurons do not agree at t = {now:g} s however short "
                            f"the windows are ({error}); weaken the synapses of low resistance, or "
                            "choose a larger t_tol."
                        )
                    continue
                self.state, self.after = self.after, self.state
                # Both copies of a synapse's states are one again.
                self.state[4][:] = self.state[3]
                self.waves.accept(now, end, self.state)
                self.windows += 1
                now = end
                if solved < FEW * self.n:
                    window *= 1.15
                elif solved > MANY * self.n:
                    window = max(0.5 * window, min(window, LEAST_WINDOW))
                if progress is not None:
                    progress(now / self.t_stop)
        took = time.perf_counter() - began
        _LOG.info(
            "network: %d windows, %d sweeps, %d solved, %.3g s", self.windows, self.sweeps,
            self.solved, took,
        )  # fmt: skip
        return self._result()

    def _window(self, begin: float, end: float, pool: ThreadPoolExecutor) -> tuple[int, str]:
        """Iterate over one window; return the number of sweeps, 0 if they do not converge."""
        from spicealif.network.circuit.kernel import mark

        waves, synapses = self.waves, self.arrays.synapses
        ends = (
            synapses.pre, synapses.post, synapses.ins, synapses.in_start, synapses.outs,
            synapses.out_start,
        )  # fmt: skip
        waves.guess(begin, end)
        dirty = np.ones(self.n, dtype=bool)
        self.since[:] = -np.inf
        for sweep in range(1, MOST_SWEEPS + 1):
            left = 0.0
            self.sweeps += 1
            for level in self.levels:
                ids = level[dirty[level]]
                if not len(ids):
                    continue
                dirty[ids] = False
                self._solve(ids, begin, end, pool)
                waves.flip(ids)
                self.since[ids] = np.inf
                ignored = mark(
                    ids, self.t_tol, self.arrays.swing, self.arrays.level, waves.pulsing,
                    waves.lowest, ends, waves.arguments()[0], synapses.blocks, synapses.gain,
                    synapses.lag, synapses.effect, dirty, self.since,
                )  # fmt: skip
                left = max(left, ignored)
            if not dirty.any():
                self.error = max(self.error, left)
                return sweep, ""
        return 0, f"after {MOST_SWEEPS} sweeps {self.expanded.names[int(np.argmax(dirty))]} changes"

    def _solve(self, ids: _Ints, begin: float, end: float, pool: ThreadPoolExecutor) -> None:
        from spicealif.network.circuit import kernel

        sweep: Any = kernel.sweep
        left = ids
        while len(left):
            for number, model in enumerate(self.arrays.models):
                of_model = left[self.arrays.model[left] == number]
                if not len(of_model):
                    continue
                parts = [of_model[k : k + CHUNK] for k in range(0, len(of_model), CHUNK)]
                if self.threads > 1 and len(parts) == 1 and len(of_model) > 1:
                    parts = np.array_split(of_model, min(self.threads, len(of_model)))

                def work(part: _Ints, model: Any = model) -> None:
                    sweep(
                        part, begin, end, self.tables, self.groups, tuple(self.state),
                        tuple(self.after), *self.waves.arguments(), self.saved, self.since,
                        self.rtol, model,
                    )  # fmt: skip

                if len(parts) == 1:
                    work(parts[0])
                else:
                    list(pool.map(work, parts))
            self.solved += len(left)
            self.steps += int(self.waves.steps[left].sum())
            left = self._failed(left)
            if len(left):
                self.waves.grow()

    def _failed(self, ids: _Ints) -> _Ints:
        """Return the neurons whose buffers were too small; refuse to go on with others."""
        from spicealif.circuit import run

        status = self.waves.status[ids]
        stalled = ids[status == run.STALLED]
        bad = ids[~np.isfinite(self.after[0][ids]).all(axis=1)]
        for k in (*stalled, *bad):
            raise IntegrationError(
                f"Neuron {self.expanded.names[k]} cannot be followed beyond "
                f"t = {self.after[1][k, 4]:g} s; look whether it latches there, or use values of "
                "ordinary size."
            )
        paused: _Ints = ids[status == run.PAUSED]
        return paused

    def _result(self) -> NetworkSolution:
        y, fs, z = self.state[0], self.state[1], self.state[3]
        supply = np.array([_supply(n, fs[k], self.t_stop) for k, n in
                           enumerate(self.expanded.neurons)])  # fmt: skip
        return NetworkSolution(
            self.expanded, self.waves.spikes(), self.waves.traces(), fs[:, 2].copy(), supply,
            y[:, 1].copy(), z.copy(), self.rtol, self.t_tol, self.error, self.windows, self.sweeps,
            self.solved, self.steps,
        )  # fmt: skip


def _supply(neuron: Any, fs: _Floats, t_stop: float) -> float:
    from spicealif.circuit.solve import supply_energy

    if not neuron.uses_supplies:
        return float("nan")
    return supply_energy(neuron.at_temperature, tuple(fs[6:9].tolist()))

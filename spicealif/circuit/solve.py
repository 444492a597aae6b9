"""Solving the circuit's own differential equations: the route that no SPICE is part of."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif._support.decimation import Thinner
from spicealif.circuit.layout import P_TAU
from spicealif.circuit.parameters import ALL_CAUSES, Cause, CircuitParameters, circuit_parameters
from spicealif.design import (
    Comparator,
    DifferenceAmplifier,
    Neuron,
    OpAmp,
    StimulusPieces,
    store,
)
from spicealif.errors import IntegrationError
from spicealif.reference.driver import leak_device
from spicealif.waveforms import Waveforms

__all__ = [
    "DEFAULT_RTOL",
    "METHODS",
    "Method",
    "Solution",
    "check_method",
    "check_rtol",
    "largest_step",
    "settled",
    "solve_circuit",
    "supply_energy",
]

_LOG = logging.getLogger(__name__)

_Floats: TypeAlias = NDArray[np.float64]
Method: TypeAlias = Literal["rodas", "LSODA", "Radau", "BDF"]
#: Columns (time, v_c, v_mem, x, spike, energy, v_d, and the drops of `rates.drops`), spike times,
#: number of steps, and the drops' integrals in V s: the op-amp's above 0 and below it, and the
#: comparator's above 0.
Solution: TypeAlias = tuple[tuple[_Floats, ...], _Floats, int, tuple[float, ...]]
#: The integrators: our own compiled one, and SciPy's.
METHODS: tuple[Method, ...] = ("rodas", "LSODA", "Radau", "BDF")

#: Relative tolerances if none is given: spike times of the presets to 1 ns or better.
DEFAULT_RTOL: dict[str, float] = {"rodas": 1e-7, "LSODA": 1e-9, "Radau": 1e-8, "BDF": 1e-8}
#: Steps in one call of the kernel: some tenths of a second, then Ctrl-C and progress get a turn.
_CHUNK = 50_000
_FIRST_ROWS, _FIRST_SPIKES = 1 << 17, 1 << 10
#: Where the source's energy is among the columns of a `Solution`.
_ENERGY = 5
#: Time in s over which the nodes settle before t = 0, the capacitor and x held.
_SETTLE = 1e-3
#: SciPy's solvers take no longer steps (s), or a spike could fit between two of them.
_LONGEST = 5e-6
#: More steps than this are refused as a run that gets nowhere.
_MAX_STEPS = 400_000_000


def solve_circuit(
    neuron: Neuron,
    *,
    causes: AbstractSet[Cause] = ALL_CAUSES,
    method: Method = "rodas",
    rtol: float | None = None,
    interpolation_error: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Waveforms:
    """Solve the differential equations of a neuron's circuit.

    The equations are written out by hand from the parts (`spicealif.circuit.rates`), apart from
    the netlist's templates; no SPICE is involved.

    Parameters
    ----------
    neuron : Neuron
        Its parts may be real or ideal.
    causes : set of Cause
        Which differences from the `ideal` reference are on; all of them give the circuit of the
        netlist.
    method : {"rodas", "LSODA", "Radau", "BDF"}
        ``rodas`` is compiled and fast. The others are SciPy's solvers; they know no events, so
        that they solve only circuits with a comparator that takes time and a discharge through
        the MOSFET as it is.
    rtol : float, optional
        Relative tolerance; the absolute one is a hundredth of it (V). ``Radau`` and ``BDF`` crawl
        below 1e-8, where they meet the rounding that a drain of 1 mohm magnifies.
    interpolation_error : float
        Above 0, as many samples are kept as straight lines between them need to be within this
        part of each trace's span of the others, while it is solved (``rodas``); see
        `Waveforms.decimated`.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    Waveforms
        Quantities v_c, v_mem, x (memristor only), spike, v_d, i_in and, where the parts have
        supplies, i_pos, i_neg and i_comparator; the side is ``equations``. Energies of source and
        supplies are integrated with the steps. A spike is the comparator's output rising through
        half its swing, as in a circuit's waveforms.

    Raises
    ------
    IntegrationError
        If the method is unknown or cannot take these causes, the tolerance makes no sense, or
        the integration cannot go on.

    Examples
    --------
    >>> circuit = solve_circuit(load_preset("paper").replace(t_stop="1m"))
    >>> len(circuit.t_spike)
    8
    """
    check_method(method)
    tolerance = DEFAULT_RTOL[method] if rtol is None else rtol
    check_rtol(tolerance)
    provenance = store.provenance(neuron)
    neuron = neuron.at_temperature
    parameters = circuit_parameters(neuron, causes)
    device = leak_device(neuron.leak, neuron.thermal_voltage)
    y = settled(parameters, device)
    traces = _Traces(neuron, parameters, interpolation_error)
    if method == "rodas":
        pieces = parameters.neuron.stimulus.pieces(neuron.t_stop)
        h_max = largest_step(neuron)
        columns, t_spike, n_steps, integrals = _integrate(
            parameters.values, parameters.active, pieces, y, tolerance, h_max, progress, device,
            traces.thin if traces.thinner is not None else None,
        )  # fmt: skip
    else:
        from spicealif.circuit.scipy_route import integrate_by_scipy

        longest = min(largest_step(neuron), _LONGEST)
        columns, t_spike, n_steps, integrals = integrate_by_scipy(
            parameters, y, method, tolerance, longest, progress, device
        )
    energy = float(columns[_ENERGY][-1])
    time, signals = traces.made(columns)
    attrs = {
        "side": "equations",
        "method": method,
        "rtol": tolerance,
        "n_steps": n_steps,
        "energy_source": energy,
        **provenance,
        **traces.attrs,
    }
    if neuron.uses_supplies:
        attrs["energy_supply"] = supply_energy(neuron, integrals)
    _LOG.info(
        "equations by %s, rtol %g: %d steps, %d spikes", method, tolerance, n_steps, len(t_spike)
    )
    return Waveforms(time, signals, t_spike, attrs)


def check_rtol(rtol: float) -> None:
    """Refuse a relative tolerance that nothing can be solved with.

    Raises
    ------
    IntegrationError
    """
    if not 1e-14 < rtol < 1e-2:
        raise IntegrationError(
            f"The relative tolerance is {rtol:g}; choose one between 1e-14 and 1e-2."
        )


class _Traces:
    """From the integrator's columns to quantities, thinned while they come if that is asked for."""

    def __init__(self, neuron: Neuron, parameters: CircuitParameters, part: float) -> None:
        self._neuron, self._parameters = neuron, parameters
        self.thinner = Thinner(part) if part > 0 else None

    def thin(self, columns: tuple[_Floats, ...]) -> None:
        assert self.thinner is not None
        self.thinner.feed(columns[0], self._quantities(columns))

    def made(self, columns: tuple[_Floats, ...]) -> tuple[_Floats, dict[str, _Floats]]:
        """Return time and quantities, the last columns being these."""
        if self.thinner is None:
            return columns[0], self._quantities(columns)
        if self.thinner.samples == 0:  # of a method that gives all at once
            self.thin(columns)
        return self.thinner.result()

    @property
    def attrs(self) -> dict[str, float | int]:
        if self.thinner is None:
            return {}
        return {"interpolation_error": self.thinner.part, "samples": self.thinner.samples}

    def _quantities(self, columns: tuple[_Floats, ...]) -> dict[str, _Floats]:
        time, v_c, v_mem, x, spike, _, v_d, drop_a, drop_b = columns
        signals = {"v_c": v_c, "v_mem": v_mem, "spike": spike, "v_d": v_d}
        signals["i_in"] = self._parameters.neuron.stimulus.value(time)
        if self._parameters.values[P_TAU] < math.inf:
            signals["x"] = x
        if self._neuron.uses_supplies:
            signals |= _supply_currents(self._neuron, (drop_a, drop_b))
        return signals


def _supply_currents(neuron: Neuron, drops: tuple[_Floats, _Floats]) -> dict[str, _Floats]:
    """Return the currents that the supplies deliver in A.

    What an output delivers comes from the positive supply, what it takes goes to the negative one;
    the comparator's bias currents, which flow out of its inputs, come from its supply.
    """
    zero = np.zeros(len(drops[0]))
    out = {"i_pos": zero, "i_neg": zero, "i_comparator": zero}
    amplifier, comparator = neuron.difference_amplifier, neuron.comparator
    if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
        (quiet, r) = (amplifier.opamp.i_quiescent, amplifier.opamp.r_out)
        out["i_pos"] = quiet + np.maximum(drops[0], 0.0) / r
        out["i_neg"] = -quiet - np.maximum(-drops[0], 0.0) / r
    if isinstance(comparator, Comparator):
        quiet = comparator.i_quiescent + 2 * comparator.i_bias
        out["i_comparator"] = quiet + np.maximum(drops[1], 0.0) / comparator.r_source
    return out


def supply_energy(neuron: Neuron, integrals: tuple[float, ...]) -> float:
    """Return the energy that the supplies deliver in the run in J, see `_supply_currents`."""
    supplies, t, energy = neuron.supplies, neuron.t_stop, 0.0
    amplifier, comparator = neuron.difference_amplifier, neuron.comparator
    if isinstance(amplifier, DifferenceAmplifier) and isinstance(amplifier.opamp, OpAmp):
        (quiet, r) = (amplifier.opamp.i_quiescent, amplifier.opamp.r_out)
        energy += supplies.v_pos * (quiet * t + integrals[0] / r)
        energy -= supplies.v_neg * (quiet * t + integrals[1] / r)
    if isinstance(comparator, Comparator):
        quiet = comparator.i_quiescent + 2 * comparator.i_bias
        energy += supplies.v_comparator * (quiet * t + integrals[2] / comparator.r_source)
    return energy


def _integrate(
    values: _Floats,
    active: NDArray[np.int64],
    pieces: StimulusPieces,
    y: _Floats,
    rtol: float,
    h_max: float,
    progress: Callable[[float], None] | None,
    device: Any,
    taken: Callable[[tuple[_Floats, ...]], None] | None = None,
) -> Solution:
    """Run the compiled integrator, `y` being changed to the state at the end.

    If given, `taken` is called with the rows whenever there are many, and only the last of them is
    returned.
    """
    from spicealif.circuit import layout, run

    sines = np.array(pieces.sines, dtype=np.float64)
    sines[:, 1] *= 2.0 * math.pi
    stimulus = (pieces.t, pieces.i, pieces.slope, sines)
    fs = np.zeros(run.N_FLOAT_STATE)
    ns = np.zeros(run.N_INT_STATE, dtype=np.int64)
    # step, no hold, no row yet, a sharp comparator starts low
    fs[1], fs[3], fs[4], fs[5] = run.H_CORNER, -1.0, -1.0, values[layout.P_V_OL]
    settings = np.array([rtol, h_max, math.inf, math.inf])
    rows = [np.empty(_FIRST_ROWS) for _ in range(9)]
    spikes = np.empty(_FIRST_SPIKES)
    first = 0  # row that has not been taken
    t_stop = float(pieces.t[-1])
    status = run.PAUSED
    while status != run.DONE:
        out = (*rows, spikes)
        status = run.advance(
            values, active, stimulus, y, fs, ns, out, settings, _CHUNK, device, None
        )
        now = float(fs[4])
        if status == run.STALLED or not np.isfinite(y).all() or ns[5] > _MAX_STEPS:
            raise IntegrationError(
                f"The circuit's equations cannot be followed beyond t = {now:g} s; use values of "
                "ordinary size, or look whether the neuron latches there."
            )
        full = ns[3] >= rows[0].size - run.ROWS_A_STEP
        if taken is not None and (full or status == run.DONE):
            taken(tuple(row[first : ns[3]] for row in rows))
            for row in rows:  # the last one stays: the kernel goes on behind it
                row[0] = row[ns[3] - 1]
            first = ns[3] = 1
        elif full:
            rows = [np.concatenate((row, np.empty_like(row))) for row in rows]
        if ns[4] >= spikes.size:
            spikes = np.concatenate((spikes, np.empty_like(spikes)))
        if progress is not None:
            progress(1.0 if status == run.DONE else min(max(now / t_stop, 0.0), 1.0))
    columns = tuple(row[: ns[3]] for row in rows)
    return columns, spikes[: ns[4]].copy(), int(ns[5]), tuple(fs[6:9].tolist())


def check_method(method: str) -> None:
    """Raise `IntegrationError` unless `method` is one of `METHODS`."""
    if method not in METHODS:
        raise IntegrationError(
            f"There is no method {ascii(method)} for the circuit's equations; choose one of "
            f"{', '.join(METHODS)}."
        )


def settled(parameters: CircuitParameters, device: Any) -> _Floats:
    """Return the state at t = 0: v_c and x as given, all other nodes at rest.

    It is what SPICE's operating point with ``.ic`` finds; here the nodes are let settle with the
    capacitor and the memristor's state held. `device` is that of the leak, see `leak_device`.
    """
    from spicealif.circuit import layout

    held = parameters.values.copy()
    held[layout.P_C] = held[layout.P_TAU] = math.inf
    y = parameters.y_0.copy()
    pieces = StimulusPieces(np.array([0.0, _SETTLE]), np.zeros(1), np.zeros(1))
    _integrate(held, parameters.active, pieces, y, 1e-8, _SETTLE, None, device)
    return y


def largest_step(neuron: Neuron) -> float:
    """Return the largest step: a fortieth of the shortest period of a sine."""
    period = min((1 / sine[1] for sine in neuron.stimulus.sines()), default=math.inf)
    return min(period / 40, neuron.t_stop)

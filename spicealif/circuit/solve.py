"""Solving the circuit's own differential equations: the route that no SPICE is part of."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.circuit.layout import P_TAU
from spicealif.circuit.parameters import ALL_CAUSES, Cause, CircuitParameters, circuit_parameters
from spicealif.design import Neuron, StimulusPieces, store
from spicealif.errors import IntegrationError
from spicealif.reference.driver import leak_device
from spicealif.waveforms import Waveforms

__all__ = [
    "DEFAULT_RTOL",
    "METHODS",
    "Method",
    "Solution",
    "check_method",
    "largest_step",
    "settled",
    "solve_circuit",
]

_Floats: TypeAlias = NDArray[np.float64]
Method: TypeAlias = Literal["rodas", "LSODA", "Radau", "BDF"]
#: Columns (time, v_c, v_mem, x, spike, energy), spike times, number of steps.
Solution: TypeAlias = tuple[tuple[_Floats, ...], _Floats, int]
#: The integrators: our own compiled one, and SciPy's.
METHODS: tuple[Method, ...] = ("rodas", "LSODA", "Radau", "BDF")

#: Relative tolerances if none is given: spike times of the presets to 1 ns or better.
DEFAULT_RTOL: dict[str, float] = {"rodas": 1e-7, "LSODA": 1e-9, "Radau": 1e-8, "BDF": 1e-8}
#: Steps in one call of the kernel: some tenths of a second, then Ctrl-C and progress get a turn.
_CHUNK = 50_000
_FIRST_ROWS, _FIRST_SPIKES = 1 << 17, 1 << 10
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
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    Waveforms
        Quantities v_c, v_mem, x (memristor only), spike and i_in; the side is ``equations``. A
        spike is the comparator's output rising through half its swing, as in a circuit's
        waveforms.

    Raises
    ------
    IntegrationError
        If the method is unknown or cannot take these causes, the tolerance makes no sense, or
        the integration cannot go on.
    """
    check_method(method)
    tolerance = DEFAULT_RTOL[method] if rtol is None else rtol
    if not 1e-14 < tolerance < 1e-2:
        raise IntegrationError(
            f"The relative tolerance is {tolerance:g}; choose one between 1e-14 and 1e-2."
        )
    parameters = circuit_parameters(neuron, causes)
    device = leak_device(neuron.leak, neuron.thermal_voltage)
    y = settled(parameters, device)
    if method == "rodas":
        pieces = parameters.neuron.stimulus.pieces(neuron.t_stop)
        h_max = largest_step(neuron)
        columns, t_spike, n_steps = _integrate(
            parameters.values, parameters.active, pieces, y, tolerance, h_max, progress, device
        )
    else:
        from spicealif.circuit.scipy_route import integrate_by_scipy

        longest = min(largest_step(neuron), _LONGEST)
        columns, t_spike, n_steps = integrate_by_scipy(
            parameters, y, method, tolerance, longest, progress, device
        )
    time, v_c, v_mem, x, spike, energy = columns
    signals = {"v_c": v_c, "v_mem": v_mem, "spike": spike}
    signals["i_in"] = parameters.neuron.stimulus.value(time)
    if parameters.values[P_TAU] < math.inf:
        signals["x"] = x
    attrs = {
        "side": "equations",
        "method": method,
        "rtol": tolerance,
        "n_steps": n_steps,
        "energy_source": float(energy[-1]),
        **store.provenance(neuron),
    }
    return Waveforms(time, signals, t_spike, attrs)


def _integrate(
    values: _Floats,
    active: NDArray[np.int64],
    pieces: StimulusPieces,
    y: _Floats,
    rtol: float,
    h_max: float,
    progress: Callable[[float], None] | None,
    device: Any,
) -> Solution:
    """Run the compiled integrator, `y` being changed to the state at the end."""
    from spicealif.circuit import layout, rodas

    sines = np.array(pieces.sines, dtype=np.float64)
    sines[:, 1] *= 2.0 * math.pi
    stimulus = (pieces.t, pieces.i, pieces.slope, sines)
    fs = np.zeros(rodas.N_FLOAT_STATE)
    ns = np.zeros(rodas.N_INT_STATE, dtype=np.int64)
    # step, no hold, no row yet, a sharp comparator starts low
    fs[1], fs[3], fs[4], fs[5] = rodas.H_CORNER, -1.0, -1.0, values[layout.P_V_OL]
    settings = np.array([rtol, h_max])
    rows = [np.empty(_FIRST_ROWS) for _ in range(6)]
    spikes = np.empty(_FIRST_SPIKES)
    t_stop = float(pieces.t[-1])
    status = rodas.PAUSED
    while status != rodas.DONE:
        out = (*rows, spikes)
        status = rodas.advance(values, active, stimulus, y, fs, ns, out, settings, _CHUNK, device)
        now = float(fs[4])
        if status == rodas.STALLED or not np.isfinite(y).all() or ns[5] > _MAX_STEPS:
            raise IntegrationError(
                f"The circuit's equations cannot be followed beyond t = {now:g} s; use values of "
                "ordinary size, or look whether the neuron latches there."
            )
        if ns[3] >= rows[0].size - 2:
            rows = [np.concatenate((row, np.empty_like(row))) for row in rows]
        if ns[4] >= spikes.size:
            spikes = np.concatenate((spikes, np.empty_like(spikes)))
        if progress is not None:
            progress(1.0 if status == rodas.DONE else min(max(now / t_stop, 0.0), 1.0))
    return tuple(row[: ns[3]] for row in rows), spikes[: ns[4]].copy(), int(ns[5])


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

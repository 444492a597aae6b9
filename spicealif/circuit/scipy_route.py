"""The circuit's equations by SciPy's stiff solvers: the check of our own integrator."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from spicealif.circuit import layout
from spicealif.circuit.parameters import CircuitParameters
from spicealif.circuit.rates import drops, rates
from spicealif.circuit.rodas import jacobian
from spicealif.design import StimulusPieces
from spicealif.errors import IntegrationError

__all__ = ["integrate_by_scipy"]

_Floats: TypeAlias = NDArray[np.float64]
#: Integrals that go with the state: the source's energy, and those of `Solution`.
_INTEGRALS = 4


def integrate_by_scipy(
    parameters: CircuitParameters,
    y: _Floats,
    method: str,
    rtol: float,
    longest: float,
    progress: Callable[[float], None] | None,
    device: Any,
) -> tuple[tuple[_Floats, ...], _Floats, int, tuple[float, ...]]:
    """Solve by ``scipy.integrate.solve_ivp``, piece by piece of the stimulus.

    Parameters
    ----------
    parameters : CircuitParameters
    y : ndarray, shape (N_STATES,)
        The state at t = 0.
    method : str
        ``LSODA``, ``Radau`` or ``BDF``.
    rtol, longest : float
        Relative tolerance, and the largest step in s.
    progress : callable, optional
        Called with the fraction done.
    device : Device or None
        See `rates`.

    Returns
    -------
    columns, t_spike, n_steps, integrals
        As `spicealif.circuit.solve.Solution`.

    Raises
    ------
    IntegrationError
        If the circuit has events, which these solvers do not take, or the solver gives up.
    """
    p, neuron = parameters.values, parameters.neuron
    if p[layout.P_COMPARATOR] == layout.COMPARATOR_SHARP or p[layout.P_RESET] or p[layout.P_WAIT]:
        raise IntegrationError(
            f"SciPy's {method} cannot solve a circuit with a sharp comparator or an ideal "
            "discharge; use the method rodas."
        )
    pieces = neuron.stimulus.pieces(neuron.t_stop)
    system = _System(parameters, pieces, y, progress, device)
    n = len(parameters.active)
    # LSODA finds out by itself when the equations are stiff, and does well with its own Jacobian;
    # the others' drown in the rounding that a drain of 1 mohm magnifies.
    options: dict[str, Any] = {} if method == "LSODA" else {"jac": system.jacobian}
    z = np.append(y[parameters.active], np.zeros(_INTEGRALS))
    atol = np.full(n + _INTEGRALS, rtol * 1e-2)
    # the energy, in J, and the drops' integrals, in V s; they steer no step
    atol[n:] = [rtol * 1e-6, 1.0, 1.0, 1.0]
    times, states, spikes, steps = [], [], [], 0
    for k, (start, end) in enumerate(itertools.pairwise(pieces.t)):
        system.piece = k
        solution = solve_ivp(
            system.right_side,
            (start, end),
            z,
            method=method,
            rtol=rtol,
            atol=atol,
            events=system.rising,
            first_step=min(1e-10, (end - start) / 10),
            max_step=longest,
            **options,
        )
        if not solution.success:
            raise IntegrationError(
                f"SciPy's {method} stopped at t = {solution.t[-1]:g} s "
                f"({solution.message.strip()}); choose a larger rtol or another method."
            )
        z = solution.y[:, -1]
        times.append(solution.t if k == 0 else solution.t[1:])
        states.append(solution.y if k == 0 else solution.y[:, 1:])
        spikes.append(solution.t_events[0])
        steps += len(solution.t) - 1
    time, state = np.concatenate(times), np.concatenate(states, axis=1)
    v_mem, v_d, v_spike, drop_a, drop_b = system.voltages(state)
    where = np.flatnonzero(parameters.active == layout.Y_X)
    x = state[where[0]] if len(where) else np.zeros(len(time))
    columns = (time, state[0], v_mem, x, v_spike, state[n], v_d, drop_a, drop_b)
    return columns, np.concatenate(spikes), steps, tuple(state[n + 1 :, -1].tolist())


class _Rising:
    """The event "the comparator's output rises through half its swing".

    It is looked at after every step, which makes it the place to tell the progress from: a piece
    of the stimulus may be the whole run.
    """

    direction = 1.0

    def __init__(self, system: _System) -> None:
        self._system = system

    def __call__(self, t: float, z: _Floats) -> float:
        self._system.right_side(t, z)
        self._system.tell(t)
        return self._system.v_spike - self._system.middle


class _System:
    """The compiled rates as SciPy wants them: active states, energy, the drops' integrals."""

    def __init__(
        self,
        parameters: CircuitParameters,
        pieces: StimulusPieces,
        y: _Floats,
        progress: Callable[[float], None] | None,
        device: Any,
    ) -> None:
        self._p, self._active, self._pieces = parameters.values, parameters.active, pieces
        self._progress, self._told, self._device = progress, 0.0, device
        self._y, self._dy = y.copy(), np.empty(layout.N_STATES)
        self._scratch = [np.empty(layout.N_STATES) for _ in range(3)]
        self._edge = np.zeros(layout.N_STATES)
        self._jac = np.empty(layout.N_STATES**2)
        self.middle = float(0.5 * (self._p[layout.P_V_OH] + self._p[layout.P_V_LEVEL]))
        self.piece, self.v_spike = 0, 0.0
        self.rising = _Rising(self)

    def tell(self, t: float) -> None:
        """Report how far the solver has got; where it looks for an event it goes back a little."""
        fraction = t / float(self._pieces.t[-1])
        if self._progress is not None and fraction > self._told:
            self._told = fraction
            self._progress(fraction)

    def current(self, t: float) -> float:
        k, pieces = self.piece, self._pieces
        i_in = float(pieces.i[k] + pieces.slope[k] * (t - pieces.t[k]))
        for amplitude, frequency, phase, start in pieces.sines:
            angle = 2 * math.pi * frequency * max(t - start, 0.0) + phase
            i_in += float(amplitude * math.sin(angle))
        return i_in

    def right_side(self, t: float, z: _Floats) -> _Floats:
        self._y[self._active] = z[:-_INTEGRALS]
        i_in = self.current(t)
        self.v_spike = float(rates(self._y, i_in, 0.0, self._p, self._dy, self._device)[2])
        (a, b) = drops(self._y, self._p)
        integrals = (z[0] * i_in, max(a, 0.0), max(-a, 0.0), max(b, 0.0))  # v_c is the first
        return np.append(self._dy[self._active], integrals)

    def jacobian(self, t: float, z: _Floats) -> _Floats:
        i_in = self.current(t)
        self.right_side(t, z)
        (arg, g, f_low) = self._scratch
        (active, device) = (self._active, self._device)
        (y, p, edge) = (self._y, self._p, self._edge)
        jacobian(y, i_in, 0.0, p, active, self._dy, arg, g, f_low, self._jac, edge, device)
        n = len(z) - _INTEGRALS
        out = np.zeros((n + _INTEGRALS, n + _INTEGRALS))
        out[:n, :n] = self._jac.reshape(layout.N_STATES, -1)[:n, :n]
        out[n, 0] = i_in
        return out

    def voltages(self, state: _Floats) -> tuple[_Floats, ...]:
        """Return v_mem, v_d, the comparator's output and the drops at each column of `state`."""
        out = np.empty((5, state.shape[1]))
        for k in range(state.shape[1]):
            self._y[self._active] = state[:-_INTEGRALS, k]
            out[:3, k] = rates(self._y, 0.0, 0.0, self._p, self._dy, self._device)[:3]
            out[3:, k] = drops(self._y, self._p)
        return tuple(out)

"""What a synapse does to its target when a spike is a point in time.

======== ====================================================== =========
kind     charge of a spike                                      decay
======== ====================================================== =========
current  that of a pulse through low-pass and transconductor    tau_s
diode    t_pulse (v_oh - v_d - v_th/2) / r                      none
memristor t_pulse i(v_oh - v_d - v_th/2, x)                     none
crossbar sign gain t_pulse i(v_oh, x)                           none
======== ====================================================== =========

Approximations, all of them of the point in time itself: the pulse has the duration `pulse_of` the
presynaptic neuron, always the same, and the charge that moves within it moves at the spike's
arrival. The target's capacitor stands halfway between 0 and its threshold. v_d is what the diode
drops at the current that then flows, at the memristor's first state. Between pulses a `current`
synapse gives nothing, though v_ol is not quite 0, and no diode leaks.

A memristor's state moves during each pulse by its model's rate at that voltage (a `crossbar`'s at
v_oh), and between the pulses at 0 V (at v_ol), so that spikes change the charge of later ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spicealif.design import MemristorModel
from spicealif.errors import IntegrationError
from spicealif.network.expanded import Expanded, Synapses
from spicealif.network.reference.pulse import Pulse, pulse_of
from spicealif.network.synapses import (
    CrossbarSynapse,
    CurrentSynapse,
    DiodeSynapse,
    JunctionDiode,
    MemristorSynapse,
)
from spicealif.network.synapses._device import device_coefficients

__all__ = ["Plastic", "PointForm", "point_form", "saturated_charge"]

_Floats: TypeAlias = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True, eq=False)
class Plastic:
    """Devices whose state each spike moves.

    Attributes
    ----------
    model : type of MemristorModel
    q : ndarray, shape (m, n)
        Coefficients of the model.
    x : ndarray, shape (m,)
        States at t = 0.
    v_pulse, v_rest : ndarray, shape (m,)
        Voltage in V across the devices during a pulse and otherwise.
    t_pulse : ndarray, shape (m,)
        In s.
    t_rest : float
        Time in s in which a state moves between pulses.
    factor : ndarray, shape (m,)
        By which the device's charge is multiplied.
    """

    model: type[MemristorModel]
    q: _Floats
    x: _Floats
    v_pulse: _Floats
    v_rest: _Floats
    t_pulse: _Floats
    t_rest: float
    factor: _Floats


@dataclass(frozen=True, eq=False)
class PointForm:
    """The synapses of a projection as points in time.

    Attributes
    ----------
    charge : ndarray, shape (m,)
        In C, negative for an inhibitory synapse; the first spike's for plastic ones.
    tau_s : ndarray, shape (m,)
        Time constant in s of the current that a spike brings, 0 where the charge comes at once.
    plastic : Plastic or None
    """

    charge: _Floats
    tau_s: _Floats
    plastic: Plastic | None = None


def point_form(synapses: Synapses, expanded: Expanded) -> PointForm:
    """Return the synapses of a projection as points in time; see the module for what that means.

    Raises
    ------
    IntegrationError
        If another package's kind has no method ``point_form(synapses, expanded)`` that says so.
    """
    synapse, n = synapses.synapse, len(expanded.neurons)
    cached: dict[int, Pulse] = {}

    def pulse(pre: int) -> Pulse:
        of = expanded.neurons[pre] if pre < n else expanded.sources[pre - n][0]
        if id(of) not in cached:
            cached[id(of)] = pulse_of(of)
        return cached[id(of)]

    pulses = {int(pre): pulse(int(pre)) for pre in np.unique(synapses.pre)}
    rows = np.array([pulses[int(pre)] for pre in synapses.pre]).reshape(-1, 3)
    high, low, duration = rows.T
    half = np.array([0.5 * neuron.v_th for neuron in expanded.neurons])[synapses.post]
    thermal = np.array([neuron.thermal_voltage for neuron in expanded.neurons])[synapses.post]

    def of(name: str) -> _Floats:
        value = synapses.values.get(name, getattr(synapse, name, None))
        return np.array(np.broadcast_to(np.asarray(value, dtype=float), synapses.pre.shape))

    if isinstance(synapse, CurrentSynapse):
        tau, swing = of("tau_s"), high - low
        charge = saturated_charge(of("g_m"), of("i_max"), swing, duration, tau)
        return PointForm(of("sign") * charge, tau)
    if isinstance(synapse, DiodeSynapse):
        r = of("r")
        v = high - half
        v_d = _drop(synapse.diode, v, thermal, lambda w: w / r)
        return PointForm(np.maximum(duration * (v - v_d) / r, 0.0), np.zeros(len(r)))
    if isinstance(synapse, MemristorSynapse | CrossbarSynapse):
        device = synapse.memristor
        x = np.array(of("device.x_0")) if "device.x_0" in synapses.values else np.full(
            len(high), device.x_0
        )  # fmt: skip
        q = _coefficients(device, synapses, thermal)

        def current(v: _Floats) -> _Floats:
            out = [0.0] * 3
            i = np.empty(len(v))
            for k, at in enumerate(v):
                device.current(float(at), float(x[k]), q[k], out)
                i[k] = out[0]
            return i

        if isinstance(synapse, MemristorSynapse):
            v = np.maximum(high - half, 0.0)
            v = v - _drop(synapse.diode, v, thermal, current)
            factor, rest = np.ones(len(v)), np.zeros(len(v))
        else:
            v, rest, factor = high, low, of("sign") * of("gain")
        t_rest = device.time_scale(float(np.abs(rest).max(initial=0.0)))
        plastic = Plastic(type(device), q, x, v, rest, duration, t_rest, factor)
        return PointForm(factor * current(v) * duration, np.zeros(len(v)), plastic)
    own = getattr(synapse, "point_form", None)
    if own is None:
        raise IntegrationError(
            f"A synapse of kind {synapse.kind!r} does not say what a spike brings as a point in "
            "time; ask those who make it for a method point_form, or take another kind."
        )
    return own(synapses, expanded)  # type: ignore[no-any-return]


def saturated_charge(
    g_m: _Floats, i_max: _Floats, swing: _Floats, duration: _Floats, tau: _Floats
) -> _Floats:
    """Return the charge of one pulse through a low-pass and a saturating transconductor in C.

    ``int i_max tanh(g_m s(t) / i_max) dt``, where s rises by the low-pass during the pulse and
    decays after it: ``g_m swing duration`` far below saturation, and less beyond.
    """
    full = g_m * swing / i_max
    nodes, weights = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS
    rise = -np.expm1(-np.multiply.outer(duration / tau, nodes))
    during = i_max * duration * (np.tanh(full[:, None] * rise) @ weights)
    peak = -full * np.expm1(-duration / tau)
    u = peak[:, None] * nodes
    with np.errstate(invalid="ignore", divide="ignore"):
        after = np.where(u == 0.0, 1.0, np.tanh(u) / u) @ weights
    charge: _Floats = during + i_max * tau * peak * after
    return charge


def _coefficients(device: MemristorModel, synapses: Synapses, thermal: _Floats) -> _Floats:
    """Return the devices' coefficients, shape (m, n)."""
    m = len(synapses.pre)
    rows = []
    for k in range(m):
        values = {name: float(each[k]) for name, each in synapses.values.items()}
        rows.append(device_coefficients(device, values, float(thermal[k])))
    return np.array(rows, dtype=float).reshape(m, -1)


def _drop(diode: JunctionDiode, v: _Floats, thermal: _Floats, current: Any) -> _Floats:
    """Return the diode's voltage in series with what conducts `current` of the rest, by bisection.

    The junction's law without its conductance GMIN, of 1 pA/V.
    """
    (low, high) = (np.zeros(len(v)), np.maximum(v, 0.0))
    for _ in range(60):
        middle = 0.5 * (low + high)
        passed = diode.i_s * np.expm1(np.minimum(middle / (diode.n * thermal), 200.0))
        more = passed > current(v - middle)
        (low, high) = (np.where(more, low, middle), np.where(more, middle, high))
    root: _Floats = 0.5 * (low + high)
    return root

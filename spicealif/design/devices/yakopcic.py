"""Yakopcic's model: a hyperbolic sine as current, an exponential beyond thresholds as rate.

Source: Yakopcic, Taha, Subramanyam and Pino, "Generalized Memristive Device SPICE Model and its
Application in Circuit Design", IEEE TCAD 32 (8), 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import Ampere, Number, PerSecond, PerVolt, Volt
from spicealif.design.devices._model import LoopScale, MemristorModel, SearchRange

__all__ = ["Yakopcic"]


class Yakopcic(MemristorModel):
    """A memristor by Yakopcic's model, for eta = 1 (a positive voltage sets).

    ``i = a_1 x sinh(b v)`` for v >= 0 and ``a_2 x sinh(b v)`` for v < 0;
    ``dx/dt = a_p (e^v - e^v_p) f_p(x)`` for v > v_p,
    ``dx/dt = -a_n (e^-v - e^v_n) f_n(x)`` for v < -v_n, 0 between (v in V), with
    ``f_p = exp(-alpha_p y) (1 - y/(1 - x_p))``, ``y = max(x - x_p, 0)``, and
    ``f_n = exp(-alpha_n z) (1 - z/(1 - x_n))``, ``z = max(1 - x_n - x, 0)``.

    At x = 0 no current flows.

    Attributes
    ----------
    a_1, a_2 : float
        Currents in A that the hyperbolic sine is multiplied by, for positive and negative v.
    b : float
        Its steepness in 1/V.
    v_p, v_n : float
        Thresholds in V, 0 or more: x rises above v_p and falls below -v_n.
    a_p, a_n : float
        Rates in 1/s.
    x_p, x_n : float
        States at which the motion begins to slow down: above x_p, and below 1 - x_n.
    alpha_p, alpha_n : float
        How steeply it does.
    x_0 : float
        State at t = 0, between 0 and 1.
    """

    title: ClassVar[str] = "Yakopcic"
    # The publication's values for the device of Oblea et al. (2010)
    example: ClassVar[Mapping[str, float]] = {
        "a_1": 0.17, "a_2": 0.17, "b": 0.05, "v_p": 0.16, "v_n": 0.15, "a_p": 4000.0,
        "a_n": 4000.0, "x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 5.0, "x_0": 0.11,
    }  # fmt: skip
    held: ClassVar[Mapping[str, float]] = {"x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 5.0}

    kind: Literal["yakopcic"] = "yakopcic"
    a_1: Ampere = Field(gt=0, description="current for v >= 0 in A")
    a_2: Ampere = Field(gt=0, description="current for v < 0 in A")
    b: PerVolt = Field(gt=0, le=1000, description="steepness of the current in 1/V")
    v_p: Volt = Field(ge=0, le=100, description="set threshold in V")
    v_n: Volt = Field(ge=0, le=100, description="reset threshold in V; resets below -v_n")
    a_p: PerSecond = Field(ge=0, description="set rate in 1/s")
    a_n: PerSecond = Field(ge=0, description="reset rate in 1/s")
    x_p: Number = Field(ge=0, lt=1, description="state above which setting slows down")
    x_n: Number = Field(ge=0, lt=1, description="resetting slows down below 1 - x_n")
    alpha_p: Number = Field(ge=0, le=100, description="how steeply setting slows down")
    alpha_n: Number = Field(ge=0, le=100, description="how steeply resetting slows down")

    @staticmethod
    def coefficients(values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return the parameters in the order of the class."""
        names = ("a_1", "a_2", "b", "v_p", "v_n", "a_p", "a_n", "x_p", "x_n", "alpha_p", "alpha_n")
        return tuple(values[name] for name in names)

    @staticmethod
    def current(v: float, x: float, q: Sequence[float], out: MutableSequence[float]) -> None:
        """Write i, di/dv and di/dx to `out`; the sine's argument is limited to +-200."""
        a = q[0] if v >= 0.0 else q[1]
        z = min(max(q[2] * v, -200.0), 200.0)
        shape = a * math.sinh(z)
        (out[0], out[1], out[2]) = (x * shape, x * a * q[2] * math.cosh(z), shape)

    @staticmethod
    def rate(v: float, x: float, q: Sequence[float]) -> float:
        """Return dx/dt; exponents are limited to 200."""
        if v > q[3]:
            y = max(x - q[7], 0.0)
            motion = math.exp(min(v, 200.0)) - math.exp(q[3])
            return q[5] * motion * math.exp(-q[9] * y) * (1.0 - y / (1.0 - q[7]))
        if v < -q[4]:
            z = max(1.0 - q[8] - x, 0.0)
            motion = math.exp(min(-v, 200.0)) - math.exp(q[4])
            return -q[6] * motion * math.exp(-q[10] * z) * (1.0 - z / (1.0 - q[8]))
        return 0.0

    @classmethod
    def search_space(cls, seen: LoopScale) -> dict[str, SearchRange]:
        """Return where a fit looks for each parameter."""
        # a_1 sinh(b v) at the peak lies around the peak current
        current = SearchRange(
            1e-4 * seen.v_peak / seen.r_high, 1e3 * seen.v_peak / seen.r_low, log=True
        )
        rate = SearchRange(1e-3 / seen.t_span, 10 / seen.t_sample / seen.v_peak, log=True)
        threshold = SearchRange(0.0, seen.v_peak)
        return {
            **{"a_1": current, "a_2": current},
            "b": SearchRange(0.01 / seen.v_peak, 20 / seen.v_peak, log=True),
            **{"v_p": threshold, "v_n": threshold, "a_p": rate, "a_n": rate},
            **{"x_p": SearchRange(0.0, 0.95), "x_n": SearchRange(0.0, 0.95)},
            **{"alpha_p": SearchRange(0.0, 20.0), "alpha_n": SearchRange(0.0, 20.0)},
        }

    def time_scale(self, v: float) -> float:
        """Return the time in s in which the slowing motion decays fastest within +-v."""
        on = self.a_p * max(math.exp(min(v, 200.0)) - math.exp(self.v_p), 0.0)
        off = self.a_n * max(math.exp(min(v, 200.0)) - math.exp(self.v_n), 0.0)
        fastest = max(
            on * (self.alpha_p + 1 / (1 - self.x_p)), off * (self.alpha_n + 1 / (1 - self.x_n))
        )
        return 1 / fastest if fastest > 0 else math.inf

    def voltage_scale(self, thermal_voltage: float) -> float:
        """Return kT/q, or what a steeper hyperbolic sine needs."""
        return 1 / max(1 / thermal_voltage, self.b)

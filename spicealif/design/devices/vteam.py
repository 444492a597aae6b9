"""The VTEAM model: a state that moves only beyond threshold voltages, by a power law.

Source: Kvatinsky, Ramadan, Friedman and Kolodny, "VTEAM: A General Model for Voltage-Controlled
Memristors", IEEE TCAS-II 62 (8), 2015. The window is Biolek's (Biolek, Biolek and Biolkova, "SPICE
Model of Memristor with Nonlinear Dopant Drift", Radioengineering 18 (2), 2009).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from spicealif.design._base import Number, Ohm, PerSecond, Volt
from spicealif.design.devices._model import (
    LoopScale,
    MemristorModel,
    SearchRange,
    on_below_off,
)

__all__ = ["VTEAM"]


class VTEAM(MemristorModel):
    """A memristor by the VTEAM model, with this project's directions.

    ``v = (r_off + (r_on - r_off) x) i``, and
    ``dx/dt = k_on (v/v_on - 1)^alpha_on (1 - x^p)`` for v > v_on,
    ``dx/dt = -k_off (-v/v_off - 1)^alpha_off (1 - (1 - x)^p)`` for v < -v_off, 0 between.

    The publication's state w falls from w_off to w_on as the device sets; here
    x = (w_off - w)/(w_off - w_on), so a rate k here is the publication's over the device's length.
    It also resets at positive voltages; here they set, as in the other models.

    Attributes
    ----------
    r_on, r_off : float
        Resistance at x = 1 and at x = 0 in ohm.
    v_on, v_off : float
        Thresholds in V, both above 0: x rises above v_on and falls below -v_off.
    k_on, k_off : float
        Rates in 1/s at twice the threshold.
    alpha_on, alpha_off : float
        Exponents, 1 or more.
    p : float
        Exponent of Biolek's window, 1 or more (2p in the publication).
    x_0 : float
        State at t = 0, between 0 and 1.
    """

    title: ClassVar[str] = "VTEAM"
    # Magnitudes of the publication's Fig. 2 example, at the voltages of the MMS example
    example: ClassVar[Mapping[str, float]] = {
        "r_on": 500.0, "r_off": 1500.0, "v_on": 0.2, "v_off": 0.2,
        "k_on": 2000.0, "k_off": 2000.0, "alpha_on": 3.0, "alpha_off": 3.0, "p": 4.0, "x_0": 0.3,
    }  # fmt: skip
    held: ClassVar[Mapping[str, float]] = {"p": 4.0}

    kind: Literal["vteam"] = "vteam"
    r_on: Ohm = Field(gt=0, description="resistance at x = 1 in ohm")
    r_off: Ohm = Field(gt=0, description="resistance at x = 0 in ohm")
    v_on: Volt = Field(gt=0, le=100, description="set threshold in V")
    v_off: Volt = Field(gt=0, le=100, description="reset threshold in V; resets below -v_off")
    k_on: PerSecond = Field(ge=0, description="set rate at v = 2 v_on in 1/s")
    k_off: PerSecond = Field(ge=0, description="reset rate at v = -2 v_off in 1/s")
    alpha_on: Number = Field(default=3.0, ge=1, le=20, description="exponent of setting")
    alpha_off: Number = Field(default=3.0, ge=1, le=20, description="exponent of resetting")
    p: Number = Field(default=4.0, ge=1, le=100, description="exponent of the window")

    _resistances = model_validator(mode="after")(on_below_off)

    @staticmethod
    def coefficients(values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return r_off, r_on - r_off, v_on, v_off, k_on, k_off, alpha_on, alpha_off, p."""
        r_off = values["r_off"]
        names = ("v_on", "v_off", "k_on", "k_off", "alpha_on", "alpha_off", "p")
        return (r_off, values["r_on"] - r_off, *(values[name] for name in names))

    @staticmethod
    def current(v: float, x: float, q: Sequence[float], out: MutableSequence[float]) -> None:
        """Write i, di/dv and di/dx to `out`."""
        g = 1.0 / (q[0] + q[1] * x)
        (out[0], out[1], out[2]) = (v * g, g, -v * g * g * q[1])

    @staticmethod
    def rate(v: float, x: float, q: Sequence[float]) -> float:
        """Return dx/dt."""
        if v > q[2]:
            return q[4] * math.pow(v / q[2] - 1.0, q[6]) * (1.0 - math.pow(max(x, 0.0), q[8]))
        if v < -q[3]:
            return (
                -q[5] * math.pow(-v / q[3] - 1.0, q[7]) * (1.0 - math.pow(max(1.0 - x, 0.0), q[8]))
            )
        return 0.0

    @classmethod
    def search_space(cls, seen: LoopScale) -> dict[str, SearchRange]:
        """Return where a fit looks for each parameter."""
        threshold = SearchRange(0.02 * seen.v_peak, seen.v_peak, log=True)
        rate = SearchRange(1e-3 / seen.t_span, 10 / seen.t_sample, log=True)
        return {
            "r_on": SearchRange(seen.r_low / 30, seen.r_high, log=True),
            "r_off": SearchRange(seen.r_low, seen.r_high * 30, log=True),
            **{"v_on": threshold, "v_off": threshold, "k_on": rate, "k_off": rate},
            **{"alpha_on": SearchRange(1.0, 10.0), "alpha_off": SearchRange(1.0, 10.0)},
            "p": SearchRange(1.0, 20.0),
        }

    def time_scale(self, v: float) -> float:
        """Return the time in s in which the window's part of x decays fastest within +-v."""
        on = self.k_on * max(v / self.v_on - 1, 0.0) ** self.alpha_on
        off = self.k_off * max(v / self.v_off - 1, 0.0) ** self.alpha_off
        fastest = max(on, off) * self.p
        return 1 / fastest if fastest > 0 else math.inf

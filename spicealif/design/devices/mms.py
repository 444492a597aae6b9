"""The mean metastable switch (MMS) model, the paper's memristor.

Source: Molter and Nugent, "The Generalized Metastable Switch Memristor Model", CNNA 2016; parameter
names as in Knowm's LTspice model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from spicealif.design._base import Ohm, Second, Volt
from spicealif.design.devices._model import (
    LoopScale,
    MemristorModel,
    SearchRange,
    on_below_off,
)

__all__ = ["Memristor"]


class Memristor(MemristorModel):
    """A memristor by the mean metastable switch (MMS) model.

    Conductance ``G = x / r_on + (1 - x) / r_off``; state
    ``dx/dt = (s(v - v_on) (1 - x) - (1 - s(v + v_off)) x) / tau`` with the logistic function
    ``s(u) = 1 / (1 + exp(-u / V_T))``. Source: Molter and Nugent, "The Generalized Metastable
    Switch Memristor Model", CNNA 2016, with the parameter names of Knowm's LTspice model.

    Attributes
    ----------
    r_on, r_off : float
        Resistance at x = 1 and at x = 0 in ohm.
    v_on : float
        Voltage in V around which the device sets.
    v_off : float
        Reset voltage in V in Knowm's convention: the device resets around v = -v_off, so a
        bipolar device has v_off > 0. A negative value is a volatile device that resets already
        at v >= 0.
    tau : float
        Time scale of the state in s.
    x_0 : float
        State at t = 0, between 0 and 1.
    """

    title: ClassVar[str] = "mean metastable switch (MMS)"
    # Knowm, "memristor models in LTspice"
    example: ClassVar[Mapping[str, float]] = {
        "r_on": 500.0, "r_off": 1500.0, "v_on": 0.27, "v_off": 0.27, "tau": 1e-4,
    }  # fmt: skip

    kind: Literal["mms"] = "mms"
    r_on: Ohm = Field(gt=0, description="resistance at x = 1 in ohm")
    r_off: Ohm = Field(gt=0, description="resistance at x = 0 in ohm")
    v_on: Volt = Field(ge=-100, le=100, description="set voltage in V")
    v_off: Volt = Field(
        ge=-100, le=100, description="reset voltage in V; resets around v = -v_off (Knowm)"
    )
    tau: Second = Field(gt=0, description="time scale of the state in s")

    _resistances = model_validator(mode="after")(on_below_off)

    @staticmethod
    def coefficients(values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return g_0, g_1 (G = g_0 + g_1 x), v_on, v_off, V_T and tau."""
        g_0 = 1.0 / values["r_off"]
        one = 0.0 * g_0 + 1.0  # of the others' shape
        return (
            *(g_0, 1.0 / values["r_on"] - g_0),
            *(values["v_on"], values["v_off"], thermal_voltage * one, values["tau"]),
        )

    @staticmethod
    def current(v: float, x: float, q: Sequence[float], out: MutableSequence[float]) -> None:
        """Write i, di/dv and di/dx to `out`."""
        g = q[0] + q[1] * x
        (out[0], out[1], out[2]) = (v * g, g, v * q[1])

    @staticmethod
    def rate(v: float, x: float, q: Sequence[float]) -> float:
        """Return dx/dt; exponents are limited to +-500, as in the netlist."""
        s_on = 1.0 / (1.0 + math.exp(min(max((q[2] - v) / q[4], -500.0), 500.0)))
        p_off = 1.0 / (1.0 + math.exp(min(max((v + q[3]) / q[4], -500.0), 500.0)))
        return (s_on * (1.0 - x) - p_off * x) / q[5]

    @classmethod
    def search_space(cls, seen: LoopScale) -> dict[str, SearchRange]:
        """Return where a fit looks for each parameter."""
        return {
            "r_on": SearchRange(seen.r_low / 30, seen.r_high, log=True),
            "r_off": SearchRange(seen.r_low, seen.r_high * 30, log=True),
            "v_on": SearchRange(-0.5 * seen.v_peak, 1.5 * seen.v_peak),
            "v_off": SearchRange(-seen.v_peak, 1.5 * seen.v_peak),
            "tau": SearchRange(seen.t_sample / 10, seen.t_span * 10, log=True),
        }

    def time_scale(self, v: float) -> float:
        """Return tau."""
        return self.tau

    def r_min(self, v: float) -> float:
        """Return r_on."""
        return self.r_on

    def differential_r_min(self, low: float, high: float) -> float:
        """Return r_on."""
        return self.r_on

    def r_max(self, v: float) -> float:
        """Return r_off."""
        return self.r_off

"""The generalised metastable switch (GMMS) model: MMS and a Schottky diode's current in parallel.

Source: Molter and Nugent, "The Generalized Metastable Switch Memristor Model", CNNA 2016.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from spicealif.design._base import Ampere, Number, Ohm, PerVolt, Second, Volt
from spicealif.design.devices._model import (
    LoopScale,
    MemristorModel,
    SearchRange,
    on_below_off,
)
from spicealif.design.devices.mms import Memristor

__all__ = ["GMMS"]


class GMMS(MemristorModel):
    """A memristor by the generalised metastable switch (GMMS) model.

    Current ``i = phi G v + (1 - phi) (alpha_f (exp(beta_f v) - 1) - alpha_r (exp(-beta_r v) - 1))``
    with the conductance and the state of the MMS model (`Memristor`).

    The published form is without the two -1. It is the same wherever alpha_f = alpha_r; otherwise
    it drives a current of (1 - phi) (alpha_f - alpha_r) at 0 V, which no passive device does.
    Scaling r_on, r_off, alpha_f and alpha_r makes up for any other phi, so loops cannot tell phi;
    a fit holds it.

    Attributes
    ----------
    r_on, r_off, v_on, v_off, tau, x_0 : float
        As of `Memristor`.
    phi : float
        Share of the metastable switches in the current, above 0; 1 is the MMS model.
    alpha_f, alpha_r : float
        Schottky currents in A, forward and reverse.
    beta_f, beta_r : float
        Their steepness in 1/V.
    """

    title: ClassVar[str] = "generalised metastable switch (GMMS)"
    # The MMS values and the Schottky values of Knowm's example
    example: ClassVar[Mapping[str, float]] = {
        **Memristor.example,
        "phi": 0.8, "alpha_f": 8e-4, "beta_f": 4.0, "alpha_r": 8e-4, "beta_r": 4.0,
    }  # fmt: skip
    held: ClassVar[Mapping[str, float]] = {"phi": 0.8}
    simpler: ClassVar[str | None] = "mms"

    kind: Literal["gmms"] = "gmms"
    r_on: Ohm = Field(gt=0, description="resistance at x = 1 in ohm (of G)")
    r_off: Ohm = Field(gt=0, description="resistance at x = 0 in ohm (of G)")
    v_on: Volt = Field(ge=-100, le=100, description="set voltage in V")
    v_off: Volt = Field(
        ge=-100, le=100, description="reset voltage in V; resets around v = -v_off (Knowm)"
    )
    tau: Second = Field(gt=0, description="time scale of the state in s")
    phi: Number = Field(gt=0, le=1, description="share of the metastable switches")
    alpha_f: Ampere = Field(ge=0, description="forward Schottky current in A")
    beta_f: PerVolt = Field(ge=0, le=1000, description="forward steepness in 1/V")
    alpha_r: Ampere = Field(ge=0, description="reverse Schottky current in A")
    beta_r: PerVolt = Field(ge=0, le=1000, description="reverse steepness in 1/V")

    _resistances = model_validator(mode="after")(on_below_off)

    @staticmethod
    def coefficients(values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return those of the MMS model with phi g_0 and phi g_1, then a_f, beta_f, a_r, beta_r.

        a_f and a_r are (1 - phi) alpha_f and (1 - phi) alpha_r.
        """
        (g_0, g_1, *state) = Memristor.coefficients(values, thermal_voltage)
        (phi, rest) = (values["phi"], 1.0 - values["phi"])
        schottky = (rest * values["alpha_f"], values["beta_f"])
        return (phi * g_0, phi * g_1, *state, *schottky, rest * values["alpha_r"], values["beta_r"])

    @staticmethod
    def current(v: float, x: float, q: Sequence[float], out: MutableSequence[float]) -> None:
        """Write i, di/dv and di/dx to `out`; exponents are limited to 200, as in the netlist."""
        g = q[0] + q[1] * x
        (z_f, z_r) = (min(q[7] * v, 200.0), min(-q[9] * v, 200.0))
        out[0] = v * g + q[6] * math.expm1(z_f) - q[8] * math.expm1(z_r)
        out[1] = g + q[6] * q[7] * math.exp(z_f) + q[8] * q[9] * math.exp(z_r)
        out[2] = v * q[1]

    @staticmethod
    def rate(v: float, x: float, q: Sequence[float]) -> float:
        """Return dx/dt, as of the MMS model."""
        s_on = 1.0 / (1.0 + math.exp(min(max((q[2] - v) / q[4], -500.0), 500.0)))
        p_off = 1.0 / (1.0 + math.exp(min(max((v + q[3]) / q[4], -500.0), 500.0)))
        return (s_on * (1.0 - x) - p_off * x) / q[5]

    @classmethod
    def search_space(cls, seen: LoopScale) -> dict[str, SearchRange]:
        """Return where a fit looks for each parameter."""
        # the whole measured current through the Schottky part, at the share of phi's example
        largest = 5.0 * seen.v_peak / seen.r_low
        steepest = 20.0 / seen.v_peak
        return {
            **Memristor.search_space(seen),
            # the loop's resistance is that of switches and Schottky part together: r_on is above it
            "r_on": SearchRange(seen.r_low / 30, seen.r_high * 3, log=True),
            "phi": SearchRange(0.01, 1.0),
            # as good as 0 at the lower end
            "alpha_f": SearchRange(largest * 1e-6, largest, log=True),
            "beta_f": SearchRange(0.0, steepest),
            "alpha_r": SearchRange(largest * 1e-6, largest, log=True),
            "beta_r": SearchRange(0.0, steepest),
        }

    @classmethod
    def embed(
        cls, values: Mapping[str, float], seen: LoopScale, held: Mapping[str, float]
    ) -> dict[str, float]:
        """Return MMS values with the switches' conductance divided by phi and no Schottky part."""
        phi = held.get("phi", 1.0)
        beta = 4.0 / seen.v_peak
        return {
            **values,
            **{"alpha_f": 0.0, "beta_f": beta, "alpha_r": 0.0, "beta_r": beta, "phi": phi},
            **{"r_on": values["r_on"] * phi, "r_off": values["r_off"] * phi},
            **held,
        }

    def time_scale(self, v: float) -> float:
        """Return tau."""
        return self.tau

    def voltage_scale(self, thermal_voltage: float) -> float:
        """Return kT/q, or what the steeper Schottky current needs."""
        return 1 / max(1 / thermal_voltage, self.beta_f, self.beta_r)

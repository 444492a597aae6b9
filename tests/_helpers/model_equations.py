"""The models' equations, written out from the papers apart from the package."""

from __future__ import annotations

import math
from typing import Any

from spicealif.design import GMMS, VTEAM, Yakopcic

V_T = 1.380649e-23 * 298.5 / 1.602176634e-19


# Devices with which the paper's circuit spikes, at rates like those of its own.
DEVICES = {
    "gmms": GMMS(
        r_on=500.0, r_off=1500.0, v_on=0.27, v_off=0.2, tau=5e-3,
        phi=0.8, alpha_f=2e-4, beta_f=4.0, alpha_r=1e-4, beta_r=3.0, x_0=0.1,
    ),
    "vteam": VTEAM(
        r_on=500.0, r_off=1500.0, v_on=0.2, v_off=0.2, k_on=100.0, k_off=50.0, x_0=0.3
    ),
    "yakopcic": Yakopcic(
        a_1=0.04, a_2=0.03, b=0.5, v_p=0.16, v_n=0.15, a_p=50.0, a_n=50.0,
        x_p=0.3, x_n=0.5, alpha_p=1.0, alpha_n=5.0, x_0=0.05,
    ),
}  # fmt: skip


def equations(leak: Any) -> Any:
    """Return i, di/dv, di/dx and dx/dt as a function of v and x, written out from the papers."""

    def gmms(v, x):
        g = x / leak.r_on + (1 - x) / leak.r_off
        (f, r) = (
            leak.alpha_f * math.exp(leak.beta_f * v),
            leak.alpha_r * math.exp(-leak.beta_r * v),
        )
        i = leak.phi * g * v + (1 - leak.phi) * (f - leak.alpha_f - r + leak.alpha_r)
        i_v = leak.phi * g + (1 - leak.phi) * (leak.beta_f * f + leak.beta_r * r)
        on = 1 / (1 + math.exp((leak.v_on - v) / V_T))
        off = 1 / (1 + math.exp((leak.v_off + v) / V_T))
        i_x = leak.phi * v * (1 / leak.r_on - 1 / leak.r_off)
        return i, i_v, i_x, (on * (1 - x) - off * x) / leak.tau

    def vteam(v, x):
        r = leak.r_off + (leak.r_on - leak.r_off) * x
        rate = 0.0
        if v > leak.v_on:
            rate = leak.k_on * (v / leak.v_on - 1) ** leak.alpha_on * (1 - x**leak.p)
        elif v < -leak.v_off:
            rate = -leak.k_off * (-v / leak.v_off - 1) ** leak.alpha_off * (1 - (1 - x) ** leak.p)
        return v / r, 1 / r, v * (leak.r_off - leak.r_on) / r**2, rate

    def yakopcic(v, x):
        a = leak.a_1 if v >= 0 else leak.a_2
        rate = 0.0
        if v > leak.v_p:
            y = x - leak.x_p
            slowed = math.exp(-leak.alpha_p * y) * (1 - y / (1 - leak.x_p)) if y > 0 else 1.0
            rate = leak.a_p * (math.exp(v) - math.exp(leak.v_p)) * slowed
        elif v < -leak.v_n:
            z = 1 - leak.x_n - x
            slowed = math.exp(-leak.alpha_n * z) * (1 - z / (1 - leak.x_n)) if z > 0 else 1.0
            rate = -leak.a_n * (math.exp(-v) - math.exp(leak.v_n)) * slowed
        shape = a * math.sinh(leak.b * v)
        return x * shape, x * a * leak.b * math.cosh(leak.b * v), shape, rate

    return {"gmms": gmms, "vteam": vteam, "yakopcic": yakopcic}[leak.kind]

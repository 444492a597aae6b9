"""The synapse of a low-pass and a transconductor."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from spicealif.design._base import Ampere, Number, Ohm, Second
from spicealif.network.synapses._synapse import Synapse, WeightKind, reciprocal

__all__ = ["CurrentSynapse"]


class CurrentSynapse(Synapse):
    """A low-pass of the spike output, then a saturating transconductor: either sign.

    ``tau_s dv_f/dt = v_pre - v_f``, ``i_post = sign i_max tanh(g_m v_f / i_max)``. The low-pass is
    a resistor r_f and a capacitor tau_s / r_f; the transconductor draws nothing and has no limits
    other than i_max.

    Attributes
    ----------
    tau_s : float
        Time constant in s.
    r_f : float
        Resistance of the low-pass in ohm, by which it loads the output.
    g_m : float
        Transconductance in S.
    i_max : float
        Current in A at which it saturates.
    sign : int
        +1 excitatory, -1 inhibitory.
    """

    title: ClassVar[str] = "low-pass and transconductor"
    n_states: ClassVar[int] = 1
    weights: ClassVar[Mapping[WeightKind, str]] = {
        "conductance": "g_m", "resistance": "g_m", "charge": "g_m",
    }  # fmt: skip
    signed: ClassVar[bool] = True
    one_way: ClassVar[bool] = True

    kind: Literal["current"] = "current"
    tau_s: Second = Field(gt=0, le=10, description="time constant in s")
    r_f: Ohm = Field(default=10e3, gt=0, description="resistance of the low-pass in ohm")
    g_m: Number = Field(gt=0, le=10, description="transconductance in S")
    i_max: Ampere = Field(default=1e-3, gt=0, le=10, description="where it saturates in A")
    sign: Literal[1, -1] = Field(default=1, description="1 excitatory, -1 inhibitory")

    def initial(self, v_pre: float, v_post: float) -> tuple[float, ...]:
        """Return the low-pass's voltage, settled."""
        return (v_pre,)

    def coefficients(self, values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return 1/r_f, 1/tau_s, g_m / i_max and sign i_max."""
        tau_s, r_f = values.get("tau_s", self.tau_s), values.get("r_f", self.r_f)
        i_max = values.get("i_max", self.i_max)
        gain = values.get("g_m", self.g_m) * reciprocal(i_max)
        return reciprocal(r_f), reciprocal(tau_s), gain, values.get("sign", self.sign) * i_max

    @staticmethod
    def equations(
        v_pre: float,
        v_post: float,
        s: Sequence[float],
        q: Sequence[float],
        out: MutableSequence[float],
        current: Any,
        rate: Any,
        room: MutableSequence[float],
    ) -> None:
        """See `Synapse.equations`."""
        out[0] = q[0] * (v_pre - s[0])
        out[1] = q[0]
        out[2] = q[3] * math.tanh(q[2] * s[0])
        out[3] = q[1] * (v_pre - s[0])
        out[4] = 0.0

    def weighted(self, unit: WeightKind, weights: Any, **neurons: Any) -> tuple[str, Any]:
        """Return g_m; a charge is that of one pulse of `swing` V and `t_pulse` s, unsaturated."""
        name, values = super().weighted(unit, weights)
        if unit == "charge":
            values = np.asarray(values) / (neurons["swing"] * neurons["t_pulse"])
        return name, reciprocal(values) if unit == "resistance" else values

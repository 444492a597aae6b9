"""The synapse of a resistor and a diode."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import Ohm
from spicealif.network.synapses._diode_equations import diode_capacitance, diode_current
from spicealif.network.synapses._synapse import JunctionDiode, Synapse, WeightKind, reciprocal

__all__ = ["DiodeSynapse"]


class DiodeSynapse(Synapse):
    """A resistor and a diode from the spike output to the capacitor: excitatory, one way.

    It conducts only while the output is above the capacitor's voltage by the diode's.
    ``c(v_d) dv_d/dt = (v_pre - v_d - v_post)/r - i(v_d)``, where v_d is the diode's voltage.

    Attributes
    ----------
    r : float
        Resistance in ohm.
    diode : JunctionDiode
    """

    title: ClassVar[str] = "resistor and diode"
    n_states: ClassVar[int] = 1
    weights: ClassVar[Mapping[WeightKind, str]] = {"resistance": "r", "conductance": "r"}

    blocks: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    state_weights: ClassVar[tuple[float, float]] = (1e-3, 1.0)

    kind: Literal["diode"] = "diode"
    r: Ohm = Field(gt=0, description="resistance in ohm")
    diode: JunctionDiode = Field(default=JunctionDiode())

    def initial(self, v_pre: float, v_post: float) -> tuple[float, ...]:
        """Return the diode's voltage: all of it, since it blocks."""
        return (min(v_pre - v_post, 0.0),)

    def coefficients(self, values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return 1/r and the diode's numbers."""
        return (reciprocal(values.get("r", self.r)), *self.diode.numbers(thermal_voltage))

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
        i = q[0] * (v_pre - s[0] - v_post)
        out[0] = i
        out[1] = q[0]
        out[2] = i
        out[3] = (i - diode_current(s[0], q, 1)) / diode_capacitance(s[0], q, 1)
        out[4] = 0.0

    def weighted(self, unit: WeightKind, weights: Any, **neurons: Any) -> tuple[str, Any]:
        """Return r."""
        name, values = super().weighted(unit, weights)
        return name, reciprocal(values) if unit == "conductance" else values

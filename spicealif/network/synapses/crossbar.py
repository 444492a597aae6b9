"""The synapse of a crossbar's cell: a memristor from an output to a column at virtual ground."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from spicealif.design._base import Number
from spicealif.design.devices import MemristorModel
from spicealif.design.leak import AnyLeak
from spicealif.network.synapses._device import checked_device, device_coefficients, weighted_state
from spicealif.network.synapses._synapse import Synapse, WeightKind

__all__ = ["CrossbarSynapse"]


class CrossbarSynapse(Synapse):
    """A memristor from the spike output to a column, whose current is mirrored into the target.

    The column is an ideal virtual ground, and the mirror an ideal one with a gain and a sign, so
    that a column's current is the sum of its devices'. A pair of projections with both signs
    makes signed weights of two devices.

    Attributes
    ----------
    device : MemristorModel
        Its ``x_0`` is the state at t = 0.
    gain : float
        Of the mirror.
    sign : int
        +1 excitatory, -1 inhibitory.
    """

    title: ClassVar[str] = "crossbar of memristors"
    n_states: ClassVar[int] = 1
    weights: ClassVar[Mapping[WeightKind, str]] = {
        "conductance": "device.x_0", "resistance": "device.x_0",
    }  # fmt: skip
    signed: ClassVar[bool] = True
    one_way: ClassVar[bool] = True
    linear_load: ClassVar[bool] = False

    kind: Literal["crossbar"] = "crossbar"
    device: AnyLeak = Field(description="a memristor")
    gain: Number = Field(default=1.0, gt=0, le=1000, description="of the mirror")
    sign: Literal[1, -1] = Field(default=1, description="1 excitatory, -1 inhibitory")

    def model_post_init(self, context: Any) -> None:
        """Refuse a device that is no memristor."""
        checked_device(self.device)

    @property
    def memristor(self) -> MemristorModel:
        """The device."""
        return checked_device(self.device)

    def initial(self, v_pre: float, v_post: float) -> tuple[float, ...]:
        """Return the device's state."""
        return (self.memristor.x_0,)

    def coefficients(self, values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return sign times gain behind the device's numbers, and how many these are."""
        device = device_coefficients(self.memristor, values, thermal_voltage)
        signed = values.get("sign", self.sign) * values.get("gain", self.gain)
        return (*device, signed, float(len(device)))

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
        current(v_pre, s[0], q, room)
        out[0] = room[0]
        out[1] = room[1]
        out[2] = q[int(q[-1])] * room[0]
        out[3] = rate(v_pre, s[0], q)
        out[4] = 0.0

    def weighted(self, unit: WeightKind, weights: Any, **neurons: Any) -> tuple[str, Any]:
        """Return the states x_0 at which the device has these conductances."""
        name, values = super().weighted(unit, weights)
        return name, weighted_state(self.memristor, unit, values)

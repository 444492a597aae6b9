"""The synapse of a memristor, with or without a diode."""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from spicealif.design.devices import MemristorModel
from spicealif.design.leak import AnyLeak
from spicealif.network.synapses._device import checked_device, device_coefficients, weighted_state
from spicealif.network.synapses._diode_equations import diode_capacitance, diode_current
from spicealif.network.synapses._synapse import JunctionDiode, Synapse, WeightKind

__all__ = ["MemristorSynapse"]


class MemristorSynapse(Synapse):
    """A memristor and a diode from the spike output to the capacitor; its state is plastic.

    Each spike puts nearly the whole output voltage across the device, far above the v_on of
    ordinary ones, so that its state moves towards 1 with every spike of the presynaptic neuron;
    the diode keeps it from being reset between them.

    Attributes
    ----------
    device : MemristorModel
        Its ``x_0`` is the state at t = 0.
    diode : JunctionDiode
    """

    title: ClassVar[str] = "memristor and diode"
    n_states: ClassVar[int] = 2
    weights: ClassVar[Mapping[WeightKind, str]] = {
        "conductance": "device.x_0", "resistance": "device.x_0",
    }  # fmt: skip
    linear_load: ClassVar[bool] = False

    blocks: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    state_weights: ClassVar[tuple[float, float]] = (1e-3, 1.0)

    kind: Literal["memristor"] = "memristor"
    device: AnyLeak = Field(description="a memristor")
    diode: JunctionDiode = Field(default=JunctionDiode())

    def model_post_init(self, context: Any) -> None:
        """Refuse a device that is no memristor."""
        checked_device(self.device)

    @property
    def memristor(self) -> MemristorModel:
        """The device."""
        return checked_device(self.device)

    def initial(self, v_pre: float, v_post: float) -> tuple[float, ...]:
        """Return the diode's voltage, which blocks, and the device's state."""
        return (min(v_pre - v_post, 0.0), self.memristor.x_0)

    def coefficients(self, values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return the diode's numbers behind the device's, and how many the latter are."""
        device = device_coefficients(self.memristor, values, thermal_voltage)
        return (*device, *self.diode.numbers(thermal_voltage), float(len(device)))

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
        k = int(q[-1])  # numbers of the device
        v = v_pre - s[0] - v_post
        current(v, s[1], q, room)
        out[0] = room[0]
        out[1] = room[1]
        out[2] = room[0]
        out[3] = (room[0] - diode_current(s[0], q, k)) / diode_capacitance(s[0], q, k)
        out[4] = rate(v, s[1], q)

    def weighted(self, unit: WeightKind, weights: Any, **neurons: Any) -> tuple[str, Any]:
        """Return the states x_0 at which the device has these conductances."""
        name, values = super().weighted(unit, weights)
        return name, weighted_state(self.memristor, unit, values)

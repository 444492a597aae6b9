"""The leak branch's device: a memristor (the ALIF neuron) or a resistor (the plain LIF neuron)."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, SerializeAsAny, WrapValidator

from spicealif.design._base import Ohm, Part
from spicealif.design._sentences import register_tags
from spicealif.design.devices import MemristorModel
from spicealif.design.devices.choice import choose_device
from spicealif.design.devices.registry import OWN
from spicealif.design.devices.store import device_table
from spicealif.design.devices.subcircuit import SubcircuitMemristor
from spicealif.design.parts.store import vendor_table
from spicealif.errors import DesignError

__all__ = ["AnyLeak", "Resistor"]


class Resistor(Part):
    """A resistor as leak: the plain LIF neuron of the paper's Eq. 1.

    Attributes
    ----------
    r : float
        Resistance in ohm.
    """

    kind: Literal["resistor"] = "resistor"
    r: Ohm = Field(gt=0, description="resistance in ohm")

    def r_min(self, v: float) -> float:
        """Return the lowest resistance in ohm."""
        return self.r

    def differential_r_min(self, low: float, high: float) -> float:
        """Return the lowest differential resistance in ohm."""
        return self.r

    def r_max(self, v: float) -> float:
        """Return the highest resistance in ohm."""
        return self.r


def _written_out(value: object, ours: Callable[[object], Any]) -> Part:
    """Put a device preset's values where it is named; take former names of kinds."""
    if isinstance(value, Mapping) and value.get("kind") == "subcircuit":
        try:
            return choose_device(vendor_table("leak", value), ours, _OTHERS)
        except DesignError as error:
            raise ValueError(str(error)) from None
    if isinstance(value, Mapping) and ("preset" in value or "file" in value):
        value = device_table(value)
    return choose_device(value, ours, _OTHERS)


#: Kinds beside our memristor models.
_OTHERS = ("resistor", "subcircuit")


if TYPE_CHECKING:
    AnyLeak: TypeAlias = MemristorModel | Resistor
else:
    _union: Any = functools.reduce(operator.or_, [*OWN.values(), SubcircuitMemristor, Resistor])
    AnyLeak = Annotated[
        SerializeAsAny[Annotated[_union, Field(discriminator="kind")]],
        WrapValidator(_written_out),
    ]
register_tags(*OWN.values(), Resistor)

"""The leak branch's device: a memristor (the ALIF neuron) or a resistor (the plain LIF neuron)."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from spicealif.design._base import Ohm, Part, current_kind, register_tags
from spicealif.design.device_store import device_table
from spicealif.design.devices import MODELS, MemristorModel

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


def _written_out(value: object) -> object:
    """Put a device preset's values where it is named; take former names of kinds."""
    if isinstance(value, Mapping) and ("preset" in value or "file" in value):
        return device_table(value)
    if isinstance(value, Mapping) and "kind" in value:
        return {**value, "kind": current_kind(value["kind"])}
    return value


if TYPE_CHECKING:
    AnyLeak: TypeAlias = MemristorModel | Resistor
else:
    _union: Any = functools.reduce(operator.or_, [*MODELS.values(), Resistor])
    AnyLeak = Annotated[
        Annotated[_union, Field(discriminator="kind")], BeforeValidator(_written_out)
    ]
register_tags(*MODELS.values(), Resistor)

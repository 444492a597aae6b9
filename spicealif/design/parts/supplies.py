"""The supply voltages."""

from __future__ import annotations

from pydantic import Field

from spicealif.design._base import Part, Volt

__all__ = ["Supplies"]


class Supplies(Part):
    """The supply voltages.

    Attributes
    ----------
    v_pos, v_neg : float
        Supplies of the op-amp in V.
    v_comparator : float
        Supply of the comparator in V.
    """

    v_pos: Volt = Field(default=5.0, gt=0, description="op-amp's positive supply in V")
    v_neg: Volt = Field(default=-5.0, le=0, description="op-amp's negative supply in V")
    v_comparator: Volt = Field(default=5.0, gt=0, description="comparator's supply in V")

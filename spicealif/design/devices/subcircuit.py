"""A memristor by somebody's SPICE model, with an MMS device beside it for the references."""

from __future__ import annotations

from typing import ClassVar, Literal

from spicealif.design.devices.mms import Memristor
from spicealif.design.parts import EmbeddedModel

__all__ = ["SubcircuitMemristor"]


class SubcircuitMemristor(Memristor, EmbeddedModel):
    """A memristor by a SPICE model that is put into the netlist.

    SPICE alone can run it. The references need equations: they take the MMS device of the values
    ``r_on``, ``r_off``, ``v_on``, ``v_off`` and ``tau``, so what the two differ by is in the gap.

    Attributes
    ----------
    model, pins, text
        See `EmbeddedModel`; the pins' roles are p and n (a positive voltage from p to n sets) and
        x, the state as a voltage, 1 V being x = 1. A model that does not show it can be made to:
        the node of its state is one more on its ``.subckt`` line.
    r_on, r_off, v_on, v_off, tau
        As of `Memristor`.
    x_0 : float
        As of `Memristor`; the voltage of x at t = 0. A capacitor's ``IC=`` in the model counts for
        nothing.
    """

    title: ClassVar[str] = "somebody's SPICE model"
    label: ClassVar[str] = "memristor"
    roles: ClassVar[tuple[str, ...]] = ("p", "n", "x")
    prefix: ClassVar[str] = "memristor__"
    stand_in: ClassVar[str] = "the MMS device of the values beside it"

    kind: Literal["subcircuit"] = "subcircuit"  # type: ignore[assignment]

    def as_mms(self) -> Memristor:
        """Return the MMS device that the references take."""
        return Memristor(**{name: getattr(self, name) for name in Memristor.model_fields
                            if name != "kind"})  # fmt: skip

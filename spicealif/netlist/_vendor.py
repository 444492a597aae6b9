"""What templates print of makers' models: pins, names, and cards that were checked again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from spicealif.design import Neuron
from spicealif.design._vendor import vendor_parts
from spicealif.design.parts import EmbeddedModel, LibraryModel, VendorModel, pin_roles
from spicealif.design.parts.model_cards import ModelProblem
from spicealif.errors import NetlistError
from spicealif.netlist._spice import Spice
from spicealif.netlist.dialect import Dialect

__all__ = ["check_editable", "vendor_values"]


def vendor_values(neuron: Neuron, dialect: Dialect) -> dict[str, Any]:
    """Return what the templates of makers' models call, and the mode that ngspice needs.

    Parameters
    ----------
    neuron : Neuron
    dialect : Dialect

    Returns
    -------
    dict of str to object
        ``mode``, ``libraries``, and the functions ``maker_pins``, ``maker_open``, ``maker_cards``,
        ``maker_digest``, ``maker_library``, ``maker_name`` and ``maker_title``.

    Raises
    ------
    NetlistError
        If a part is of a library that the dialect's simulators do not have.
    """
    parts = vendor_parts(neuron).values()
    libraries: list[str] = []
    for part in parts:
        if not isinstance(part, LibraryModel):
            continue
        if not dialect.has_library:
            raise NetlistError(
                f"The {part.called} is a model of LTspice's own library ({part.library}), which "
                "only LTspice has; write the netlist for LTspice (--dialect ltspice) or run it "
                "there, or take its maker's file (kind = 'subcircuit') or its figures."
            )
        if part.library not in libraries:
            libraries.append(part.library)
    embedded = any(isinstance(part, EmbeddedModel) for part in parts)
    return {
        "mode": dialect.makers_mode if embedded else "",
        "libraries": [Spice(name) for name in libraries],
        "maker_pins": _pins,
        "maker_open": _open,
        "maker_cards": _cards,
        "maker_digest": _digest,
        "maker_library": lambda part: Spice(part.library),
        "maker_name": _name,
        "maker_title": lambda part: Spice(part.model),
    }


def check_editable(neuron: Neuron) -> None:
    """Refuse a neuron that cannot be written in parameters or as a subcircuit.

    Raises
    ------
    NetlistError
        If a part of it is its maker's model, which brings parameters and subcircuits of its own.
    """
    for part in vendor_parts(neuron).values():
        raise NetlistError(
            f"The {part.called} is its maker's model, with which a netlist is neither written in "
            "parameters nor as a subcircuit; leave --style and --subckt out, or give the part by "
            "its figures."
        )


def _pins(part: VendorModel, nodes: Mapping[str, str]) -> Spice:
    """Return the nodes of a call, in the order of the subcircuit's pins."""
    open_nodes = iter(_open(part))
    given = {"gnd": "0", **nodes}
    return Spice(" ".join(next(open_nodes) if r == "nc" else given[r] for r in pin_roles(part)))


def _open(part: VendorModel) -> list[str]:
    """Return nodes for the pins that are left open."""
    stem = part.label.lower().replace("-", "")
    return [f"{stem}_nc{k}" for k in range(1, pin_roles(part).count("nc") + 1)]


def _cards(part: EmbeddedModel) -> Spice:
    # `netlist_text` reads the cards anew and lets none pass that is not allowed.
    try:
        return Spice(part.netlist_text)
    except ModelProblem as problem:
        raise NetlistError(
            f"The model of the {part.called} may not stand in a netlist: "
            f"{str(problem).rstrip('.')}."
        ) from None


def _digest(part: EmbeddedModel) -> Spice:
    return Spice(hashlib.sha256(part.text.encode("ascii")).hexdigest())


def _name(part: VendorModel) -> Spice:
    return Spice(part.netlist_name if isinstance(part, EmbeddedModel) else part.model)

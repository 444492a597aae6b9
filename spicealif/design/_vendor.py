"""What a neuron's makers' models mean for everything that is computed beside SPICE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spicealif.design.devices.subcircuit import SubcircuitMemristor
from spicealif.design.parts import DifferenceAmplifier, LibraryModel, VendorModel

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = [
    "no_equations",
    "temperature_doubts",
    "vendor_doubts",
    "vendor_parts",
    "with_defaults_named",
]


def vendor_parts(neuron: Neuron) -> dict[str, VendorModel]:
    """Return the parts that makers' models stand for, by their place in the design.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    dict of str to VendorModel
        By dotted name, such as ``"difference_amplifier.opamp"``.
    """
    amplifier = neuron.difference_amplifier
    places: dict[str, object] = {"leak": neuron.leak}
    if isinstance(amplifier, DifferenceAmplifier):
        places["difference_amplifier.opamp"] = amplifier.opamp
    places |= {"comparator": neuron.comparator, "mosfet": neuron.mosfet}
    return {place: part for place, part in places.items() if isinstance(part, VendorModel)}


def no_equations(neuron: Neuron) -> str:
    """Return why a neuron's circuit has no differential equations, without a full stop.

    Parameters
    ----------
    neuron : Neuron

    Returns
    -------
    str
        Empty if it has them.
    """
    parts = vendor_parts(neuron).values()
    if not parts:
        return ""
    titles = [f"the {part.called}" for part in parts]
    names = " and ".join(filter(None, (", ".join(titles[:-1]), titles[-1])))
    one = len(parts) == 1
    what = "LTspice's library" if all(isinstance(p, LibraryModel) for p in parts) else "its maker"
    verb = f"is a model of {what}, which has" if one else "are makers' models, which have"
    return f"{names} {verb} no differential equations here"


def vendor_doubts(neuron: Neuron) -> list[str]:
    """Return what the figures beside makers' models leave open, a sentence each."""
    out = []
    for place, part in vendor_parts(neuron).items():
        if assumed := part.assumed:
            out.append(
                f"The {part.called} is its maker's model, and the figures beside it that nobody "
                f"gave are those of {part.whose} ({', '.join(assumed)}); from them follow "
                f"{part.decided}: give them, as {place}.{assumed[0]}."
            )
    if isinstance(neuron.leak, SubcircuitMemristor):
        out.append(
            f"The {neuron.leak.called} is run by its SPICE model, and the references take the MMS "
            "device of leak.r_on to leak.tau for it: what the two differ by is in the gap."
        )
    return out


def temperature_doubts(neuron: Neuron) -> list[str]:
    """Return which parts do not follow the temperature, since makers' models stand for them."""
    if neuron.temperature == neuron.temperature_nominal:
        return []
    return [
        f"The {part.called} is its maker's model and runs at {neuron.temperature:g} K with the "
        f"values of {neuron.temperature_nominal:g} K, while the other parts follow the "
        "temperature; give it by its figures and their coefficients if that matters."
        for part in vendor_parts(neuron).values()
    ]


def with_defaults_named(neuron: Neuron, said: str) -> str:
    """Return a refusal, with the figures of makers' models that nobody gave and it may rest on."""
    notes = [
        f"of the {part.called} nobody gave {', '.join(part.assumed)}, which are those of "
        f"{part.whose}"
        for part in vendor_parts(neuron).values()
        if part.assumed
    ]
    return f"{said.rstrip('.')} ({'; '.join(notes)})." if notes else said

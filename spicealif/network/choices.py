"""What of a network is computed and kept: sides, the reference's variant, neurons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from spicealif.errors import DesignError, IntegrationError
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.reference import Variant

__all__ = ["SIDES", "Side", "check_sides", "chosen_variant", "find_neurons", "kept_neurons"]

Side: TypeAlias = Literal["equations", "reference"]
SIDES: tuple[Side, ...] = ("equations", "reference")


def check_sides(sides: Collection[str]) -> list[str]:
    """Return the sides that are asked for, in their own order.

    Raises
    ------
    IntegrationError
        If there is no such side, or none is asked for.
    """
    wanted = [sides] if isinstance(sides, str) else list(sides)
    for side in wanted:
        if side not in SIDES:
            raise IntegrationError(
                f"There is no side {ascii(side)}; choose equations, reference or both."
            )
    if not wanted:
        raise IntegrationError("No side is asked for; choose equations, reference or both.")
    return [side for side in SIDES if side in wanted]


def chosen_variant(network: Network | Expanded) -> Variant:
    """Return the reference's variant that a network can be computed by; see `run_network`."""
    expanded = network if isinstance(network, Expanded) else expand(network)
    n = len(expanded.neurons)
    at_once = any(bool(((s.delay <= 0) & (s.pre < n)).any()) for s in expanded.synapses)
    return "schmitt" if at_once else "ideal"


def find_neurons(network: Network | Expanded, asked: Sequence[int | str]) -> list[int]:
    """Return the numbers of neurons that are given by name, population or number, in order.

    Parameters
    ----------
    network : Network or Expanded
    asked : sequence of int or str
        Such as ``17``, ``"17"``, ``"exc_3"``, or ``"exc"`` for a whole population.

    Raises
    ------
    DesignError
        If there is no such neuron.
    """
    expanded = network if isinstance(network, Expanded) else expand(network)
    n = len(expanded.neurons)
    places = {name: k for k, name in enumerate(expanded.names[:n])}
    whole: dict[str, list[int]] = {}
    start = 0
    for population in expanded.network.populations:
        whole[population.name] = list(range(start, start + population.size))
        start += population.size
    out: list[int] = []
    for one in asked:
        text = str(one).strip()
        if text in places:
            out.append(places[text])
        elif text in whole:
            out += whole[text]
        elif text.isascii() and text.isdigit() and len(text) < 10 and int(text) < n:
            out.append(int(text))
        else:
            populations = ", ".join(whole)
            raise DesignError(
                f"The network has no neuron {ascii(text)[:60]}; give a number from 0 to {n - 1}, a "
                f"name such as {expanded.names[0]}, or a population ({populations})."
            )
    return sorted(set(out))


def kept_neurons(expanded: Expanded, keep: str | Sequence[int | str]) -> list[int]:
    """Return the numbers of the neurons that ``keep`` of `run_network` names.

    Raises
    ------
    DesignError
        If there is no such neuron.
    """
    if isinstance(keep, str):
        if keep in ("all", "none"):
            return list(range(len(expanded.neurons))) if keep == "all" else []
        keep = keep.split(",")
    return find_neurons(expanded, keep)

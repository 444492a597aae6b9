"""The values of a network by their dotted names, as `Network.replace` takes them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from spicealif.design._base import Part
from spicealif.errors import SweepError
from spicealif.network.description import Network, Projection

__all__ = ["network_parameter", "parameter_names"]

_LISTS = ("populations", "sources", "projections")


def network_parameter(network: Network, name: str) -> tuple[Any, str]:
    """Return the value of a network's parameter by its dotted name, and its SI unit.

    Raises
    ------
    SweepError
        If there is none of this name, if it is a part rather than a value, or if the neurons have
        values of their own of it.
    """
    first, *rest = name.split(".")
    part: Any = network
    if first in _LISTS and len(rest) > 1:
        part = next((p for p in getattr(network, first) if getattr(p, "name", "") == rest[0]), None)
        if part is None and rest[0].isdigit() and int(rest[0]) < len(getattr(network, first)):
            part = getattr(network, first)[int(rest[0])]
        rest = rest[1:]
    elif first in _LISTS:
        part = None
    else:
        rest = [first, *rest]
    if part is None:
        raise _unknown(network, name)
    if rest[0] == "neuron" and ".".join(rest[1:]) in getattr(part, "parameters", {}):
        behind = ".".join(rest[1:])
        raise SweepError(
            f"Every neuron of {part.name} has a value of its own of {behind}, so that {name} "
            f"changes nothing; take {behind} out of the population's parameters first."
        )
    weight = part.weight if isinstance(part, Projection) else None
    if weight is not None and ".".join(rest) == f"synapse.{part.synapse.weights[weight[0]]}":
        raise SweepError(
            f"{name} is set by the weights of {part.label}, which are given as {weight[0]}; take "
            f"{name.partition('.synapse.')[0]}.{weight[0]}."
        )
    for key in rest[:-1]:
        part = getattr(part, key, None)
    fields = type(part).model_fields if isinstance(part, Part) else {}
    if rest[-1] not in fields or isinstance(getattr(part, rest[-1]), Part):
        raise _unknown(network, name)
    told = type(part).model_json_schema()["properties"].get(rest[-1], {})
    # What may be left out has its unit within a choice.
    units = [one.get("unit") for one in (told, *told.get("anyOf", ()))]
    unit = next((str(one) for one in units if one), "")
    return getattr(part, rest[-1]), "" if unit == "1" else unit


def parameter_names(network: Network) -> list[str]:
    """Return the dotted names of all values of a network, as `Network.replace` takes them."""
    known = ["t_stop", "seed"]
    for kind in _LISTS:
        for k, item in enumerate(getattr(network, kind)):
            known += _names(item.to_dict(), f"{kind}.{getattr(item, 'name', k)}.")
    return known


def _unknown(network: Network, name: str) -> SweepError:
    known = parameter_names(network)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return SweepError(
        f"The network has no parameter {ascii(name)[:80]}; {hint}"
        "'spicealif network presets NAME' shows what a network has."
    )


def _names(data: Mapping[str, Any], before: str) -> list[str]:
    out: list[str] = []
    for key, value in data.items():
        out += (
            _names(value, f"{before}{key}.") if isinstance(value, Mapping) else [f"{before}{key}"]
        )
    return out

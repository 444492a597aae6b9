"""The JSON Schema of a network's file."""

from __future__ import annotations

from typing import Any

from spicealif.design import Part, preset_names, store
from spicealif.network.connectors import (
    AllToAll,
    FixedInDegree,
    FixedProbability,
    FromList,
    OneToOne,
)
from spicealif.network.description import Network
from spicealif.network.populations import Population, Scatter, StimulusArrays, Tolerances
from spicealif.network.projections import Projection
from spicealif.network.sources import SpikeSource
from spicealif.network.synapses import SYNAPSES, JunctionDiode

__all__ = ["network_schema"]

_PARTS: tuple[type[Part], ...] = (
    Population, Scatter, StimulusArrays, Tolerances, SpikeSource, Projection, JunctionDiode,
    AllToAll, OneToOne, FixedProbability, FixedInDegree, FromList,
)  # fmt: skip


def network_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a network's TOML file.

    Returns
    -------
    dict

    Examples
    --------
    >>> network_schema()["required"]
    ['populations', 't_stop']
    """
    out = Network.model_json_schema()
    definitions: dict[str, Any] = out["$defs"]
    neuron = store.schema()
    definitions |= neuron.pop("$defs")
    neuron.pop("$schema")
    definitions["Neuron"] = _named(neuron)
    projection = definitions["Projection"]["properties"]
    for name, kind in SYNAPSES.items():
        if kind.__name__ not in definitions:  # another package's
            (part := kind.model_json_schema()).pop("$defs", None)
            definitions[kind.__name__] = part
            projection["synapse"]["oneOf"].append({"$ref": f"#/$defs/{kind.__name__}"})
            projection["synapse"]["discriminator"]["mapping"][name] = f"#/$defs/{kind.__name__}"
        # What a weight sets may be left out.
        definitions[kind.__name__]["required"] = [
            field
            for field in definitions[kind.__name__].get("required", [])
            if field not in kind.weights.values()
        ]
    projection["sign"] = {"enum": [1, -1], "description": "of a synapse that has one"}
    store.add_bounds(out["properties"], Network)
    parts: tuple[type[Part], ...] = (*_PARTS, *SYNAPSES.values())
    for model in parts:
        store.add_bounds(definitions[model.__name__]["properties"], model)
    out["properties"]["arrays"] = {
        "type": "object",
        "description": "the netCDF file beside this one that holds the long arrays",
        "properties": {"file": {"type": "string"}, "content_sha256": {"type": "string"}},
        "required": ["file", "content_sha256"],
        "additionalProperties": False,
    }
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return out


def _named(neuron: dict[str, Any]) -> dict[str, Any]:
    """Let a neuron be a preset, a file, or a table that starts from a preset."""
    changed = {
        "type": "object",
        # Parts of it may be given in part; what they may hold is in the whole neuron's schema.
        "properties": {
            **{key: {} for key in neuron["properties"]},
            "preset": {"enum": preset_names()},
        },
        "required": ["preset"],
        "additionalProperties": False,
    }
    # t_stop is the network's.
    neuron["required"] = [name for name in neuron["required"] if name != "t_stop"]
    name = {"type": "string", "description": "a preset, or the path of a neuron's TOML file"}
    return {"anyOf": [name, changed, neuron], "title": "Neuron"}

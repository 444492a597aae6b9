"""The digest of a network: of everything that can change a result."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

from spicealif.network.arrays import KEEP, Values
from spicealif.network.synapses import Synapse

__all__ = ["network_digest"]

_FOR_PEOPLE = ("name", "description", "source")


def network_digest(network: Any) -> str:
    """Return SHA-256 of everything that can change a network's result, as hexadecimal text.

    Names of populations are in it, since results go by them; a population's neuron is in it by
    its own digest, at the network's ``t_stop``, and an array by its bytes.

    Parameters
    ----------
    network : Network
    """
    data = network.model_dump(mode="json", exclude_none=True, context={KEEP: _array})
    for name in _FOR_PEOPLE:
        data.pop(name, None)
    for population, out in zip(network.populations, data["populations"], strict=True):
        out["neuron"] = population.neuron.replace(t_stop=network.t_stop).digest
        for scatter in (out.get("tolerances") or {}).get("of") or ():
            scatter.pop("source", None)
    for projection, out in zip(network.projections, data["projections"], strict=True):
        if code := _code(projection.synapse):
            out["code"] = code
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _array(values: Values) -> dict[str, Any]:
    array = values.array
    digest = hashlib.sha256(array.astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()
    return {"shape": list(array.shape), "sha256": digest}


def _code(synapse: Synapse) -> str:
    """Return the digest of another package's code: of the kind, and of the model of its device."""
    kind = type(synapse)
    digests = []
    if kind.__module__.partition(".")[0] != __name__.partition(".")[0]:
        found = hashlib.sha256(Path(inspect.getfile(kind)).read_bytes())
        for template in sorted(kind.template_folder().glob("*.j2")):
            found.update(template.read_bytes())
        digests.append(found.hexdigest())
    if synapse.memristor is not None:
        digests.append(synapse.memristor.code_digest())
    return "".join(digests)

"""Synapses of one kind from one population to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from spicealif.design._base import Identifier, Part
from spicealif.errors import DesignError
from spicealif.network.arrays import (
    Charges,
    Conductances,
    Resistances,
    Seconds,
    Values,
    as_array,
)
from spicealif.network.connectors import AnyConnector
from spicealif.network.synapses import AnySynapse, Synapse, WeightKind, load_synapse

__all__ = ["WEIGHTS", "Projection"]

#: The units that weights are stated in, and their symbols.
WEIGHTS: Mapping[WeightKind, str] = {"conductance": "S", "resistance": "ohm", "charge": "C"}
#: What stands in a synapse's parameter where weights give each connection its own.
_NOT_SAID = 1.0


class Projection(Part):
    """Synapses of one kind from a population or sources to a population.

    A weight or delay is one number; or one for each connection in the connector's order; or a
    matrix with a row for each neuron of the source and a column for each of the target, of which
    what is connected counts. Where a conductance or a charge of an array is 0 there is no synapse.

    Attributes
    ----------
    source, target : str
        Names; the source may be a `SpikeSource`.
    synapse : Synapse
        In a table the parameter that a weight sets is left out; a `Synapse`, which must have one,
        loses it. ``sign`` may be given beside it.
    connector : Connector
    conductance, resistance, charge : float or array, optional
        The weights, in S, ohm or C: at most one of the three. Without any the synapse's own
        parameters hold. Which of them a kind takes is in its ``weights``.
    delay : float or array
        In s, 0 or more; of the references only.
    """

    source: Identifier = Field(description="a population or sources")
    target: Identifier = Field(description="a population")
    synapse: AnySynapse = Field(description="the kind of synapse and its parameters")
    connector: AnyConnector = Field(description="which neuron is joined to which")
    conductance: Conductances | None = Field(default=None, description="weights in S")
    resistance: Resistances | None = Field(default=None, description="weights in ohm")
    charge: Charges | None = Field(default=None, description="weights in C, of one spike")
    delay: Seconds = Field(default=0.0, description="in s, of the references only")

    @property
    def weight(self) -> tuple[WeightKind, float | Values] | None:
        """Unit and numbers of the weights, if any are given."""
        for unit in WEIGHTS:
            given = getattr(self, unit)
            if given is not None:
                return unit, given
        return None

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        return f"the projection from {self.source} to {self.target}"

    @model_validator(mode="before")
    @classmethod
    def _into_synapse(cls, data: Any) -> Any:
        """Put a sign into the synapse, and something into the parameter that the weights set."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        synapse = data.get("synapse")
        sign = data.pop("sign", None)
        if isinstance(synapse, Mapping) and isinstance(synapse.get("kind"), str):
            try:
                kind = load_synapse(synapse["kind"])
            except DesignError:
                return data  # which the field's own validation refuses
            if sign is not None and not kind.signed:
                raise ValueError(
                    f"A synapse of kind {kind.model_fields['kind'].default!r} has no sign; remove "
                    "it, or take a kind such as 'current'"
                )
            synapse = {**synapse} if sign is None else {**synapse, "sign": sign}
            for unit, name in _set_by(data, kind):
                if synapse.setdefault(name, _NOT_SAID) != _NOT_SAID:
                    raise ValueError(
                        f"The projection from {data.get('source')} to {data.get('target')} has "
                        f"weights as {unit}, which set the synapses' {name}, and {name} = "
                        f"{synapse[name]} too; give one of the two"
                    )
            data["synapse"] = synapse
        elif isinstance(synapse, Part):
            if sign is not None and "sign" not in type(synapse).model_fields:
                raise ValueError(
                    f"A synapse of kind {getattr(synapse, 'kind', '?')!r} has no sign; remove it, "
                    "or take a kind such as 'current'"
                )
            changes = {} if sign is None else {"sign": sign}
            if isinstance(synapse, Synapse):
                changes |= {name: _NOT_SAID for _, name in _set_by(data, type(synapse))}
            if any(getattr(synapse, name) != value for name, value in changes.items()):
                data["synapse"] = synapse.replace(changes)
        return data

    @model_validator(mode="after")
    def _weights(self) -> Self:
        given = [unit for unit in WEIGHTS if getattr(self, unit) is not None]
        if len(given) > 1:
            raise ValueError(
                f"{self.label[0].upper()}{self.label[1:]} has weights as {' and as '.join(given)}; "
                "give one of them"
            )
        for unit in given:
            self._check_weight(unit)
        delays = as_array(self.delay)
        if np.any(delays < 0):
            raise ValueError(
                f"delay of {self.label} is {delays.min():g} s; give 0 or more: no effect comes "
                "before its cause"
            )
        return self

    def _check_weight(self, unit: WeightKind) -> None:
        if unit not in self.synapse.weights:
            raise ValueError(
                f"A synapse of kind {self.synapse.kind!r} takes no weight as {unit}; give it as "
                f"{' or '.join(self.synapse.weights)}"
            )
        values = as_array(getattr(self, unit))
        if np.any(values < 0):
            remedy = (
                "give positive weights and sign = -1 for inhibition (a projection for each sign)"
                if self.synapse.signed
                else "give positive weights, or take a kind with a sign such as 'current'"
            )
            raise ValueError(
                f"{unit} of {self.label} is {values.min():g} {WEIGHTS[unit]}; {remedy}"
            )
        if np.any(values == 0) and (unit == "resistance" or values.ndim == 0):
            raise ValueError(
                f"{unit} of {self.label} is 0; give more than 0"
                + ("" if values.ndim else ", or remove the projection")
            )

    def shape_trouble(self, n_pre: int, n_post: int, same: bool) -> str:
        """Return what is wrong with the shapes of weights and delays; empty if nothing is."""
        weight = self.weight
        for name, value in ((weight or ("", 0.0)), ("delay", self.delay)):
            shape = np.shape(as_array(value))
            count = self.connector.count(n_pre, n_post, same)
            if len(shape) == 1 and not self.connector.counted:
                return (
                    f"{name} of {self.label} has {shape[0]} numbers, and how many connections "
                    "there are is drawn; give one number, or a matrix with a row for each of "
                    f"{n_pre} sources and {n_post} columns"
                )
            if len(shape) == 1 and shape[0] != count:
                return (
                    f"{name} of {self.label} has {shape[0]} numbers for {count} connections; give "
                    "one number, or one for each"
                )
            if len(shape) == 2 and shape != (n_pre, n_post):
                return (
                    f"{name} of {self.label} is a matrix of {shape[0]} x {shape[1]} between "
                    f"{n_pre} and {n_post} neurons; give {n_pre} rows of {n_post}"
                )
        return ""

    def picked(
        self, value: float | Values, pre: NDArray[np.int64], post: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return a weight's or delay's number for each connection, given in their order."""
        array = as_array(value)
        if array.ndim == 2:
            return np.asarray(array[pre, post])
        return np.array(np.broadcast_to(array, pre.shape))


def _set_by(data: Mapping[str, Any], kind: type[Synapse]) -> list[tuple[str, str]]:
    """Return the units of the weights that are given, and the synapse's own field that each sets.

    A device's first state is no such field: devices are taken as they are, with a state of theirs.
    """
    given = [unit for unit in WEIGHTS if data.get(unit) is not None]
    named = [(unit, kind.weights.get(unit, "")) for unit in given]
    return [(unit, name) for unit, name in named if name in kind.model_fields]

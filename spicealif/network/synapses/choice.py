"""A field that holds a synapse of any kind, ours or another package's."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field, SerializeAsAny, ValidationError, WrapValidator

from spicealif._support.text import continued
from spicealif.design._base import Part
from spicealif.design._sentences import register_tags, sentence
from spicealif.errors import DesignError
from spicealif.network.synapses._synapse import Synapse
from spicealif.network.synapses.registry import ADDED, OWN, load_synapse

__all__ = ["AnySynapse"]


def _chosen(value: object, ours: Callable[[object], Any]) -> Part:
    """Validate a synapse of our kinds, or of a package's, which is looked for when asked for."""
    if isinstance(value, Synapse):
        return value
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return ours(value)  # type: ignore[no-any-return]
    kind = value["kind"]
    if kind in OWN or not ADDED.found:
        return ours(value)  # type: ignore[no-any-return]
    try:
        model = load_synapse(kind)
    except DesignError as error:
        raise ValueError(str(error)) from None
    try:
        return model.model_validate(dict(value))
    except ValidationError as error:
        said = continued(sentence(error, model))
        raise ValueError(f"In the synapse of kind {kind!r}, {said}") from None


if TYPE_CHECKING:
    AnySynapse: TypeAlias = Synapse
else:
    _union: Any = functools.reduce(operator.or_, OWN.values())
    AnySynapse = Annotated[
        SerializeAsAny[Annotated[_union, Field(discriminator="kind")]],
        WrapValidator(_chosen),
    ]
register_tags(*OWN.values())

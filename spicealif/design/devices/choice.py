"""A field that holds a device of any model, ours or another package's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from spicealif._support.text import continued
from spicealif.design._base import Part
from spicealif.design._changes import current_kind
from spicealif.design._sentences import sentence
from spicealif.design.devices._model import MemristorModel
from spicealif.design.devices.registry import ADDED, OWN, load_model
from spicealif.errors import DesignError

__all__ = ["choose_device"]


def choose_device(value: object, ours: Callable[[object], Any], others: tuple[str, ...]) -> Part:
    """Return a validated device.

    pydantic's union of classes is made once and for our own models; a package's model is looked
    for by its kind when one is asked for.

    Parameters
    ----------
    value : mapping or Part
    ours : callable
        Validates what is of one of our kinds.
    others : tuple of str
        Kinds beside the memristor models that `ours` takes.

    Raises
    ------
    ValueError
        If it is a package's, and the package or a value is not as it must be; as `ours`.
    """
    if isinstance(value, MemristorModel):
        return value
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return ours(value)  # type: ignore[no-any-return]
    kind = current_kind(value["kind"])
    if kind in OWN or kind in others or not ADDED.found:
        return ours({**value, "kind": kind})  # type: ignore[no-any-return]
    if kind not in {found.name for found in ADDED.found}:
        known = ", ".join([*ADDED.names(), *others])
        raise ValueError(
            f"{kind!r} is not a kind of device; set kind to one of {known}, or "
            "install the package that brings it ('spicealif plugins')."
        )
    try:
        model = load_model(kind)
    except DesignError as error:
        raise ValueError(str(error)) from None
    try:
        return model.model_validate(dict(value))
    except ValidationError as error:
        said = continued(sentence(error, model))
        raise ValueError(f"In the device of kind {kind!r}, {said}") from None

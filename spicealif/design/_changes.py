"""Changes of a description: what is kept of a part, and what another kind of part replaces.

A neuron's TOML file that starts from a preset says its changes in tables, `Part.replace` takes them
by dotted names. Both come here, so that the same changes give the same neuron.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spicealif.errors import DesignError

__all__ = ["Whole", "current_kind", "nest", "with_changes"]

#: Parts that can be named as a whole (see `load_device`), and the keys that do so.
_NAMED_WHOLE = dict.fromkeys(("leak", "opamp", "comparator", "mosfet"), ("preset", "file"))


_FORMER = {"memristor": "mms", "op482": "behavioural", "ad8561": "behavioural"}


class Whole(dict[str, Any]):
    """A part that is given whole: nothing of the one that was in its place is kept."""


def current_kind(kind: Any) -> Any:
    """Return today's name of a kind of part.

    There was one memristor model, MMS, one op-amp and one comparator.
    """
    return _FORMER.get(kind, kind) if isinstance(kind, str) else kind


def with_changes(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description with some of its values changed.

    Parameters
    ----------
    old : mapping
        The fields, nested parts as mappings.
    changes : mapping
        New values. Mappings change what is there, except a `Whole`, which takes its place; None
        stands for "not given", which a TOML file says by leaving the key out.

    Returns
    -------
    dict
        Nothing of it has been validated.
    """
    out = dict(old)
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Whole):
            out[key] = dict(value)
        elif isinstance(value, Mapping):
            out[key] = with_changes(_kept(key, out.get(key), value), value)
        else:
            out[key] = value
    return out


def _kept(name: str, old: Any, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is kept of a part: all of it, or nothing if the changes make it another.

    Another kind has other fields, and what is left of the old one would be unknown; a part that is
    named as a whole has values of its own.
    """
    if not isinstance(old, Mapping):
        return {}
    if any(changes.get(key) is not None for key in _NAMED_WHOLE.get(name, ())):
        return {}
    kind = changes.get("kind")
    return old if kind is None or current_kind(kind) == current_kind(old.get("kind")) else {}


def nest(changes: dict[str, Any], dotted: str, value: Any, old: Mapping[str, Any]) -> None:
    """Put a value that is given by its dotted name into nested changes.

    Parameters
    ----------
    changes : dict
        Changed in place; what is given whole must be in it before what is in it.
    dotted : str
        Such as ``leak.tau``.
    value : object
    old : mapping
        What will be changed.

    Raises
    ------
    DesignError
        If the name goes into a single value.
    """
    *path, last = dotted.split(".")
    place: dict[str, Any] = changes
    there: Any = old
    for step in path:
        inner = place.get(step, {})
        there = {} if isinstance(inner, Whole) else there.get(step, {})
        if not isinstance(inner, dict) or not isinstance(there, Mapping):
            raise DesignError(
                f"{ascii(dotted)} does not name a field, since {ascii(step)} is a single value; "
                "use a name such as leak.tau."
            )
        # a copy: what was given whole is the caller's
        whole = isinstance(place, Whole) or isinstance(inner, Whole)
        place[step] = inner = Whole(inner) if whole else dict(inner)
        place = inner
    if value is None and isinstance(place, Whole):
        place.pop(last, None)
    else:
        place[last] = value

"""pydantic's errors as sentences: what is wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic import ValidationError as _ValidationError

from spicealif._support.text import continued

__all__ = ["register_presets", "register_tags", "sentence"]

_BOUNDS = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
}


def sentence(error: _ValidationError, model: type[BaseModel]) -> str:
    """Return pydantic's error as one sentence that names the field and the remedy.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic found.
    model : type
        The class that was being built; its fields give the known names.

    Returns
    -------
    str
        The first finding, and how many more there are.
    """
    errors = error.errors(include_url=False)
    # A key that is not known is often why another is missing.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    lacking = [e for e in errors if e["type"] == "missing" and e["loc"][:-1] == first["loc"][:-1]]
    if first["type"] == "missing" and first["loc"][-2:-1]:
        text = _missing(first["loc"][:-1], [str(e["loc"][-1]) for e in lacking])
        rest = len(errors) - len(lacking)
    else:
        text, rest = _one(first, model), len(errors) - 1
    return f"{text[:-1]} ({rest} more like this)." if rest else text


def _missing(place: tuple[int | str, ...], names: list[str]) -> str:
    """Say which values a part lacks, and which devices have them."""
    where = _dotted(place)
    kind, others = str(place[-1]), ", ".join(names[1:])
    text = f"{where}.{names[0]} is missing{f', and so are {others}' if len(names) > 2 else ''}"
    if len(names) == 2:
        text += f", and so is {others}"
    text += f"; give {'it a value' if len(names) == 1 else 'them values'}"
    if kind not in _TAGS:
        return f"{text}."
    presets = " or ".join(name for search in _PRESETS for name in search(kind)[:3])
    offer = f", or take a device preset that has them ({where}.preset={presets})" if presets else ""
    return f"{text}{offer}."


def _one(item: Any, model: type[BaseModel]) -> str:
    # Discriminated unions put the tag between two names; tags of ours are field values.
    where = _dotted(item["loc"])
    kind, ctx, value = item["type"], item.get("ctx", {}), item.get("input")
    label = where or model.__name__
    if isinstance(value, float) and not math.isfinite(value):
        kind = "finite_number"
    if kind in _BOUNDS:
        rule = _BOUNDS[kind].format(**ctx)
        return f"{label} = {_show(value)} {rule}; give such a value."
    match kind:
        case "finite_number":
            return f"{label} = {_show(value)} is not finite; give a finite number."
        case "extra_forbidden":
            return _unknown(item["loc"], model)
        case "missing":
            start = " (or begin the file with preset = 'paper')" if label == "leak" else ""
            return f"{label} is missing; give it a value{start}."
        case "value_error":
            message = str(ctx.get("error", item["msg"]))
            if message.startswith("is ") and "which is not finite" in message:
                return f"{label} = {_show(value)} is not finite; give a finite number."
            return _stop(f"{where} {message}" if where and message.startswith("is ") else message)
        case "union_tag_invalid" | "union_tag_not_found":
            tags = str(ctx.get("expected_tags", "")) or "the known kinds, see the JSON Schema"
            tag = ctx.get("tag")
            got = f"{tag!r} is not a kind of {label}" if tag else f"{label} has no 'kind'"
            # A model of another package: a file may name one that is not installed here.
            brought = "'mms'" in tags and tag
            other = ", or install the package that brings it ('spicealif plugins')"
            return f"{got}; set kind to one of {tags}{other if brought else ''}."
        case "model_attributes_type" | "model_type" | "dict_type":
            return f"{label} = {_show(value)} is a single value; give a table with its keys."
        case "string_pattern_mismatch":
            return (
                f"{label} = {_show(value)} is not a plain name; use letters, digits and "
                "underscores only, starting with a letter or an underscore."
            )
        case "literal_error":
            return f"{label} = {_show(value)} is not known; use one of {ctx.get('expected')}."
        case _:
            detail = continued(item["msg"])
            return _stop(f"{label} = {_show(value)} is not valid: {detail}; see the JSON Schema")


def _unknown(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    name = str(loc[-1])
    owner = _owner(loc[:-1], model)
    known = list(owner.model_fields) if owner else []
    where = _dotted(loc[:-1])
    place = f" in {where}" if where else ""
    hint = _meant(name, known, model if not where else None)
    return f"Unknown key {_show(name)}{place}; {hint} (known keys: {', '.join(known)})."


def _meant(name: str, known: list[str], model: type[BaseModel] | None) -> str:
    """Return which key was meant, from those at the place or else, at the top, in its parts."""
    small = {key.lower(): key for key in known}
    if close := difflib.get_close_matches(name.lower(), small, n=1):
        return f"did you mean {small[close[0]]!r}"
    inner: dict[str, str] = {}  # by the name within its part
    for key, field in model.model_fields.items() if model else ():
        for part in _models_in(field.annotation):
            for within in part.model_fields:
                inner.setdefault(within.lower(), f"{key}.{within}")
    return f"did you mean {inner[name.lower()]!r}" if name.lower() in inner else "remove it"


def _owner(loc: tuple[int | str, ...], model: type[BaseModel] | None) -> type[BaseModel] | None:
    """Follow pydantic's path to the class whose field it ends in."""
    current: type[BaseModel] | None = model
    options: dict[str, type[BaseModel]] = {}
    for step in loc:
        if isinstance(step, int):
            continue
        if step in options:
            current, options = options[step], {}
            continue
        field = current.model_fields.get(step) if current else None
        if field is None:
            return None
        classes = _models_in(field.annotation)
        options = {
            str(c.model_fields["kind"].default): c for c in classes if "kind" in c.model_fields
        }
        current = classes[0] if classes else None
    return current


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for inner in getattr(annotation, "__args__", ()):
        found += _models_in(inner)
    return found


def _dotted(loc: tuple[int | str, ...]) -> str:
    names: list[str] = []
    after_name = False
    for step in loc:
        if isinstance(step, int):
            if names:
                names[-1] += f"[{step}]"
            after_name = True
        elif after_name and _is_tag(step):
            after_name = False
        else:
            names.append(str(step))
            after_name = True
    return ".".join(names)


def _is_tag(step: str) -> bool:
    return step in _TAGS


#: Values of ``kind`` seen so far; pydantic puts them into its error paths.
_TAGS: set[str] = set()


def register_tags(*classes: type[BaseModel]) -> None:
    """Note the ``kind`` of classes that are members of a discriminated union."""
    _TAGS.update(str(c.model_fields["kind"].default) for c in classes)


#: Who knows presets of a kind of part; they stand above this module.
_PRESETS: list[Callable[[str], list[str]]] = []


def register_presets(search: Callable[[str], list[str]]) -> None:
    """Note a function that names the presets of a kind of part, for refusals to offer."""
    _PRESETS.append(search)


def _show(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _stop(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

"""Presets of parts: op-amps, comparators and MOSFETs with the figures of their data sheets.

A preset is a TOML file: ``name``, ``title`` (as printed on the part), ``part`` (``opamp``,
``comparator`` or ``mosfet``), ``source``, a table ``[values]`` with fields of that part, and a
table ``[sources]`` that says for each where it comes from. What a file does not give is the class's
default. Other packages bring presets with the entry point ``spicealif.parts``, whose object is the
path of such a file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, StrictFloat, StrictInt, StrictStr, WrapValidator

from spicealif._support.plugins import Addition, Announced
from spicealif._support.resources import models_dir
from spicealif._support.text_files import names_file, read_person_text, toml_table
from spicealif.design._base import Identifier, Part
from spicealif.design.parts.model_file import read_model_file
from spicealif.errors import DesignError, within

__all__ = [
    "PARTS",
    "PartKind",
    "PartPreset",
    "added_parts",
    "load_added",
    "load_part",
    "part_choice",
    "part_names",
    "vendor_table",
]

PartKind: TypeAlias = Literal["opamp", "comparator", "mosfet"]
#: What holds each kind's presets, and what a design's table of it is called.
PARTS: dict[PartKind, str] = {"opamp": "opamps", "comparator": "comparators", "mosfet": "mosfets"}
_LABELS = {"opamp": "op-amp", "comparator": "comparator", "mosfet": "MOSFET"}
#: The class that a kind's preset describes, as a design's ``kind``.
_KIND = {"opamp": "behavioural", "comparator": "behavioural", "mosfet": "vdmos"}
#: Kinds of parts that a maker's model stands for.
_VENDOR = ("subcircuit", "library")


class PartPreset(Part):
    """A part with its figures and their sources.

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    title : str
        As printed on the part.
    part : {"opamp", "comparator", "mosfet"}
    source : str
        The data sheet.
    values : mapping of str to number or text
        Fields of the part.
    sources : mapping of str to str
        Where each comes from, or that it is an assumption.
    figures : mapping of str to str
        What the data sheet says of what is no value here.
    limits : mapping of str to number
        Limits that the data sheet states.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    name: Identifier = Field(description="letters, digits and underscores")
    title: str = Field(default="", max_length=80, description="as printed on the part")
    part: PartKind = Field(description="opamp, comparator or mosfet")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    values: dict[str, StrictInt | StrictFloat | StrictStr] = Field(description="fields of the part")
    sources: dict[str, str] = Field(default={}, description="where each value comes from")
    figures: dict[str, str] = Field(default={}, description="other figures of the data sheet")
    limits: dict[str, float | str] = Field(default={}, description="limits of the data sheet")


def part_names(part: PartKind) -> list[str]:
    """Return the names of the presets of a kind that come with spicealif, sorted."""
    return sorted(p.stem for p in (models_dir() / "parts" / PARTS[part]).glob("*.toml"))


@cache
def _added() -> Addition:
    ours = tuple(name for part in PARTS for name in part_names(part))
    return Addition("spicealif.parts", "part", DesignError, ours)


def load_part(part: PartKind, name_or_path: str | os.PathLike[str]) -> PartPreset:
    """Return a preset of a part that comes with spicealif or a package, or one from a file.

    Parameters
    ----------
    part : {"opamp", "comparator", "mosfet"}
    name_or_path : str or path-like
        One of `part_names`, a name that a package announces, or the path of a TOML file.

    Returns
    -------
    PartPreset

    Raises
    ------
    DesignError
        If there is no such preset or file, or it describes something else.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise DesignError(
            f"A part is named by a text, not by {ascii(name_or_path)[:60]}; give its name or the "
            "path of a TOML file."
        )
    if isinstance(name_or_path, str) and name_or_path in part_names(part):
        return _shipped(part, name_or_path)
    if isinstance(name_or_path, str) and name_or_path in _others():
        return _checked(load_added(name_or_path), part)
    if not str(name_or_path).strip():
        raise DesignError(
            f"The name of the {_LABELS[part]} is empty; give one of {', '.join(part_names(part))}, "
            "or the path of a TOML file."
        )
    path = Path(name_or_path)
    if isinstance(name_or_path, str) and path.suffix.lower() != ".toml" and not names_file(path):
        raise DesignError(_no_such(part, name_or_path))
    return _checked(_read(path), part)


def load_added(name: str) -> PartPreset:
    """Return a part that a package announces.

    Raises
    ------
    DesignError
        If there is none, or it cannot be loaded or is no part's file.
    """
    found, label = _added().load(name)
    if not isinstance(found, str | os.PathLike):
        raise DesignError(
            f"{label} is no path of a TOML file but {ascii(found)[:60]}; ask those who make it."
        )
    return _read(Path(found))


def added_parts() -> tuple[Announced, ...]:
    """Return what packages announce, each with what is wrong with it; nothing is loaded."""
    return _added().found


def part_choice(part: PartKind, former: str = "") -> WrapValidator:
    """Return the validator of a design's field that holds a part of a kind.

    A table may name a preset (``preset = "tl072"``) or a file (``file = "mine.toml"``) and change
    some of its values; the name of a preset is welcome as its ``kind`` too.

    Parameters
    ----------
    part : {"opamp", "comparator", "mosfet"}
    former : str
        What the behavioural part's ``kind`` was called before it could be any part.
    """

    def choose(value: object, ours: Callable[[object], Any]) -> Any:
        if not isinstance(value, Mapping):
            return ours(value)
        kind = value.get("kind")
        if isinstance(kind, str) and kind == former:
            value = {**value, "kind": _KIND[part]}
        elif isinstance(kind, str) and kind in part_names(part):
            if "preset" in value or "file" in value:
                raise DesignError(
                    f"{_LABELS[part]}: kind = {kind!r} names a part, and so does "
                    f"{'preset' if 'preset' in value else 'file'}; remove one of them."
                )
            value = {**{k: v for k, v in value.items() if k != "kind"}, "preset": kind}
        if kind in _VENDOR:
            return ours(vendor_table(part, value))
        if isinstance(kind, str) and {"model", "pins", "text", "library"} & set(value):
            close = difflib.get_close_matches(kind.lower(), _VENDOR, n=1, cutoff=0.3)
            meant = f"did you mean {close[0]!r}" if close else "set it to 'subcircuit' or 'library'"
            raise DesignError(
                f"{part}.kind = {ascii(kind)[:40]} is no kind that has a maker's model; {meant}."
            )
        if "preset" in value or "file" in value:
            return ours(_written_out(part, value))
        if isinstance(kind, str) and kind not in ("ideal", _KIND[part], former):
            raise DesignError(
                f"{ascii(kind)[:40]} is no kind of {_LABELS[part]}; set kind to {_KIND[part]!r}, "
                "'ideal', 'subcircuit' or 'library', or take a part "
                f"(preset = {', '.join(part_names(part))}, or file)."
            )
        return ours(value)

    def safely(value: object, ours: Callable[[object], Any]) -> Any:
        try:
            return choose(value, ours)
        except DesignError as error:
            raise ValueError(str(error)) from None

    return WrapValidator(safely)


def vendor_table(part: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of a part that a maker's model stands for, its file read into ``text``.

    Parameters
    ----------
    part : str
        What it is called in sentences.
    table : mapping
        Its ``kind`` is ``"subcircuit"`` or ``"library"``.

    Raises
    ------
    DesignError
        If something is missing or there twice, or the file is not taken.
    """
    given = dict(table)
    kind, name = given["kind"], given.get("model")
    if "preset" in given:
        raise DesignError(
            f"{part}.preset names a part by its figures, and kind = {kind!r} one by its maker's "
            "model; remove one of them."
        )
    if "model" not in given:
        raise DesignError(
            f"{part}.kind = {kind!r} asks for model, the name of the .subckt; give it."
        )
    if kind == "library" or "file" not in given:
        lacks = "library, a file of LTspice's own" if kind == "library" else "file, the maker's"
        if "file" in given or not {"text", "library"} & set(given):
            raise DesignError(
                f"{part}.kind = {kind!r} asks for {lacks}; give it"
                f"{', in place of file' if 'file' in given else ''}."
            )
        return given
    if "text" in given:
        raise DesignError(f"{part}.file and {part}.text both give a model; remove one of them.")
    path = _path(part, given, "maker's model")
    return {**given, "text": read_model_file(path, str(name))}


def _written_out(part: PartKind, table: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(table)
    if "preset" in given and "file" in given:
        raise DesignError(f"{part}.preset and {part}.file both name a part; remove one of them.")
    preset = load_part(part, given.pop("preset") if "preset" in given else _path(part, given))
    kind = given.pop("kind", _KIND[part])
    if kind != _KIND[part]:
        raise DesignError(
            f"{part}.kind = {ascii(kind)[:40]} does not go with the part {preset.name!r}, which is "
            f"of kind {_KIND[part]!r}; remove the kind."
        )
    return {**preset.values, "name": preset.name, **given, "kind": kind}


def _path(part: str, given: dict[str, Any], what: str = "part's TOML") -> Path:
    value = given.pop("file")
    if not isinstance(value, str | os.PathLike):
        raise DesignError(
            f"{part}.file = {ascii(value)[:60]} is not a path; give that of a {what} file."
        )
    if not str(value).strip():
        raise DesignError(f"{part}.file is empty; give the path of a {what} file.")
    return Path(value)


@cache
def _others() -> frozenset[str]:
    return frozenset(one.name for one in added_parts() if one.name)


@cache
def _shipped(part: PartKind, name: str) -> PartPreset:
    return _read(models_dir() / "parts" / PARTS[part] / f"{name}.toml")


def _checked(preset: PartPreset, part: PartKind) -> PartPreset:
    if preset.part != part:
        raise DesignError(
            f"The part {preset.name!r} is of the kind {_LABELS[preset.part]!r} and no "
            f"{_LABELS[part]}; name another, or give it as {preset.part}."
        )
    return preset


def _no_such(part: PartKind, name: str) -> str:
    known = part_names(part)
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {close[0]!r}, or " if close else ""
    return (
        f"{ascii(name)[:60]} is neither one of the {_LABELS[part]}s ({', '.join(known)}) nor a "
        f"TOML file; {hint}give the figures of its data sheet ('spicealif presets --parts')."
    )


def _read(path: Path) -> PartPreset:
    shown = ascii(str(path))
    remedy = "give the path of a part's TOML file, or a part ('spicealif presets --parts')"
    text = read_person_text(path, "part file", remedy, DesignError)
    data = toml_table(text, f"The part file {shown}", "a part's", DesignError)
    if "values" not in data or "part" not in data:
        raise DesignError(
            f"The part file {shown} has no {'part' if 'values' in data else 'table [values]'}; see "
            "docs/any_part.md for what such a file says."
        )
    data.setdefault("name", re.sub(r"\W", "_", path.stem, flags=re.A))
    try:
        return PartPreset.from_dict(data)
    except DesignError as error:
        raise DesignError(within(ascii(path.name), error)) from None

"""Designs in files: TOML in and out, presets, JSON Schema."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from spicealif._support.digest import check_signature
from spicealif._support.files import write_text
from spicealif._support.kept import tell
from spicealif._support.kinds import NEURON, check_ending, signed
from spicealif._support.resources import models_dir
from spicealif._support.text_files import read_person_text, toml_table
from spicealif.design._base import Part
from spicealif.design._changes import Whole, with_changes
from spicealif.design._vendor import vendor_parts
from spicealif.design.devices.registry import MODELS, OWN
from spicealif.design.devices.store import device_names
from spicealif.design.neuron import Neuron
from spicealif.design.parts.store import part_names
from spicealif.design.series import AnyDesign
from spicealif.design.stimulus.sources import PiecewiseLinear
from spicealif.errors import DesignError, within

__all__ = [
    "add_bounds",
    "changed_from",
    "dump_toml",
    "from_table",
    "load_preset",
    "load_toml",
    "named_file",
    "parse_toml",
    "preset_names",
    "provenance",
    "save_toml",
    "schema",
]

#: Keys that say nothing of how a neuron behaves, and how long their texts may be.
_FOR_PEOPLE = frozenset({"name", "description", "source"})
_LONGEST = 2000
#: Items of lists beside those of 8 letters, and tables and values, that a result's design exceeds
#: in no case.
_MOST_ITEMS, _MOST_TABLES = 1 << 17, 1 << 14
#: Sums of sums of stimuli in which files are looked for.
_DEEPEST = 16


def preset_names() -> list[str]:
    """Return the names of the presets that come with spicealif, sorted.

    Examples
    --------
    >>> preset_names()
    ['knowm-generic', 'lif', 'paper', 'paper-volatile']
    """
    return sorted(p.stem for p in (models_dir() / "presets").glob("*.toml"))


@cache
def load_preset(name: str) -> Neuron:
    """Return a preset.

    Parameters
    ----------
    name : str
        One of `preset_names()`.

    Returns
    -------
    Neuron

    Raises
    ------
    DesignError
        If there is no such preset.

    Examples
    --------
    >>> load_preset("paper").replace({"leak.tau": "2m", "c": "220n"}).c
    2.2e-07
    """
    known = preset_names()
    if name not in known:
        raise DesignError(f"There is no preset {ascii(name)}; choose one of {', '.join(known)}.")
    return load_toml(models_dir() / "presets" / f"{name}.toml")


def load_toml(path: str | os.PathLike[str]) -> Neuron:
    """Read a neuron from a TOML file.

    A key ``preset`` at the top takes everything that the file does not give from that preset,
    except the name, which then is the file's.
    ``stimulus.file`` names a CSV file and ``stimulus.columns`` its columns (see
    `PiecewiseLinear.from_csv`), and ``leak.file`` a device's TOML file (see `load_device`),
    relative to the TOML file; ``leak.preset`` names a device preset. Other keys of ``leak`` replace
    the device's values.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Neuron

    Raises
    ------
    DesignError
        If the file cannot be read, is not TOML, or does not describe a working neuron.

    Examples
    --------
    >>> path = save_toml(load_preset("lif"), "lif.toml")
    >>> load_toml(path) == load_preset("lif")
    True
    """
    path = Path(path)
    text = read_person_text(
        path, "design file", "give the path of a TOML file, or use a preset", DesignError
    )
    check_signature(text, ascii(path.name))
    try:
        return parse_toml(text, folder=path.parent, name=re.sub(r"\W", "_", path.stem, flags=re.A))
    except DesignError as error:
        raise DesignError(within(ascii(path.name), error)) from None


def parse_toml(
    text: str,
    *,
    folder: str | os.PathLike[str] = ".",
    name: str | None = None,
    files: bool = True,
) -> Neuron:
    r"""Read a neuron from TOML text; see `load_toml`.

    Parameters
    ----------
    text : str
        The TOML.
    folder : path-like
        Where the files of a stimulus or of a device are looked for.
    name : str, optional
        The neuron's name if the text gives none; else it would go by the preset's.
    files : bool
        Whether the text may name files. One that came with a result may not: results are data.

    Returns
    -------
    Neuron

    Raises
    ------
    DesignError
        If the text names a file and may not, is not TOML or does not describe a working neuron.

    Examples
    --------
    >>> parse_toml('preset = "paper"\nc = "220n"').c
    2.2e-07
    """
    if not files and _too_much(text):
        raise DesignError(
            "This design holds more than any result's own design does; give the neuron's own file "
            "instead (--neuron FILE)."
        )
    data = toml_table(text, "This", "a neuron's", DesignError)
    if not files and (named := named_file(data)):
        raise DesignError(
            f"This design names a file or a device ({named}), which a result's own design never "
            "does; give the neuron's own file instead (--neuron FILE)."
        )
    return from_table(data, folder=folder, name=name)


def from_table(
    data: dict[str, Any], *, folder: str | os.PathLike[str] = ".", name: str | None = None
) -> Neuron:
    """Return the neuron of a table as a TOML file holds it; see `load_toml`.

    Parameters
    ----------
    data : dict
        Changed in place.
    folder : path-like
        Where the files of a stimulus or of a device are looked for.
    name : str, optional
        The neuron's name if the table gives none.

    Raises
    ------
    DesignError
        If it does not describe a working neuron.
    """
    if isinstance(data.get("device"), dict) and "leak" not in data:
        raise DesignError(
            "This is a device's file and no neuron's; take the device into a neuron: "
            "--set leak.file=FILE, or leak = {file = 'FILE'} in its own file."
        )
    preset = data.pop("preset", None)
    for path in _NAMED_BY_FILE:
        table: Any = data
        for step in path:
            table = table.get(step) if isinstance(table, dict) else None
        if isinstance(table, dict) and isinstance(table.get("file"), str):
            table["file"] = str(Path(folder) / table["file"])
    base = None if preset is None else load_preset(str(preset)).to_dict()
    stimulus = data.get("stimulus")
    firsts: list[float] = []
    if isinstance(stimulus, Mapping):
        data["stimulus"] = _with_points(stimulus, Path(folder), firsts)
    if base is not None:
        if changes := ", ".join(ascii(key)[1:-1] for key in data if key not in _FOR_PEOPLE):
            base |= changed_from(base, str(preset), changes)
        data = with_changes(base, {"name": name, **data} if name else data)
    neuron = Neuron.from_dict(data)
    for first in firsts:
        if first > neuron.t_stop:  # which may yet be set
            tell(f"The stimulus' file begins at {first:g} s, behind t_stop = {neuron.t_stop:g} s.")
    return neuron


def changed_from(base: Mapping[str, Any], name: str, changes: str) -> dict[str, str]:
    """Return what people are told of a neuron that was made of another: its own words are not true.

    Parameters
    ----------
    base : mapping
        The other neuron.
    name, changes : str
        What it is called, and what is different.

    Returns
    -------
    dict of str to str
        ``description`` and ``source``.
    """
    out = {"description": f"{name}, changed: {changes}."}
    if source := base.get("source"):
        unchanged = "Of what was not changed: "
        out["source"] = f"{unchanged}{str(source).removeprefix(unchanged)}"
    return {key: text if len(text) <= _LONGEST else f"{text[:_LONGEST - 3]}..."
            for key, text in out.items()}  # fmt: skip


def dump_toml(design: AnyDesign) -> str:
    """Return a design as TOML text, every value written out.

    Parameters
    ----------
    design : Neuron or SeriesCircuit

    Returns
    -------
    str

    Examples
    --------
    >>> dump_toml(load_preset("lif")).splitlines()[0]
    'name = "lif"'
    """
    import tomli_w

    # A maker's model is read more easily line by line; a text with returns would lose them so.
    lines = (
        isinstance(design, Neuron)
        and vendor_parts(design)
        and "\r" not in design.description + design.source
    )
    return tomli_w.dumps(design.to_dict(), multiline_strings=bool(lines))


def provenance(design: AnyDesign) -> dict[str, str | float]:
    """Return what every result says of the design it is of, for its ``attrs``."""
    return {
        "design_digest": design.digest,
        "neuron" if isinstance(design, Neuron) else "series_circuit": design.name,
        "design": dump_toml(design),
        "t_stop": design.t_stop,
    }


def save_toml(neuron: Neuron, path: str | os.PathLike[str]) -> Path:
    """Write the neuron to a TOML file.

    Parameters
    ----------
    neuron : Neuron
    path : path-like

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> path = save_toml(load_preset("paper").replace(c="220n"), "mine.toml")
    """
    check_ending(Path(path), NEURON)
    return write_text(Path(path), signed(dump_toml(neuron)))


#: Tables that may name a device or a part by a file.
_NAMED_BY_FILE = (("leak",), ("difference_amplifier", "opamp"), ("comparator",), ("mosfet",))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a complete neuron.

    A file that starts from a ``preset`` may leave out whatever the preset gives, and a ``leak``
    that names a device whatever the device gives.
    """
    out = Neuron.model_json_schema()
    _add_models(out)
    add_bounds(out["properties"], Neuron)
    for model in _classes(Part):
        if model.__name__ in out["$defs"]:
            add_bounds(out["$defs"][model.__name__]["properties"], model)
    properties = out["properties"]
    _add_names(properties["leak"], device_names(), "device")
    _add_names(properties["comparator"], part_names("comparator"), "comparator")
    _add_names(properties["mosfet"], part_names("mosfet"), "MOSFET")
    amplifier = out["$defs"]["DifferenceAmplifier"]["properties"]
    _add_names(amplifier["opamp"], part_names("opamp"), "op-amp")
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return out


def _add_models(out: dict[str, Any]) -> None:
    """Add the models of other packages, which pydantic's union of our own does not have."""
    leak = out["properties"]["leak"]
    for name, model in MODELS.items():
        if name not in OWN:
            (part := model.model_json_schema()).pop("$defs", None)
            out["$defs"][model.__name__] = part
            leak["oneOf"].append({"$ref": f"#/$defs/{model.__name__}"})
            leak["discriminator"]["mapping"][name] = f"#/$defs/{model.__name__}"


def add_bounds(properties: dict[str, Any], model: type[BaseModel]) -> None:
    """Write a model's bounds into its properties' schema.

    pydantic leaves them out where texts may stand too.
    """
    names = {
        "gt": "exclusiveMinimum",
        "ge": "minimum",
        "lt": "exclusiveMaximum",
        "le": "maximum",
    }
    for field, info in model.model_fields.items():
        for constraint in info.metadata:
            for attribute, name in names.items():
                bound = getattr(constraint, attribute, None)
                if bound is not None:
                    properties[field][name] = bound
                    for part in (properties[field], *properties[field].get("anyOf", ())):
                        part.pop(attribute, None)


def _add_names(part: dict[str, Any], known: list[str], what: str) -> None:
    """Let a table name a preset or a file, which is written out before pydantic sees it."""
    whole = {key: part.pop(key) for key in ("oneOf", "discriminator") if key in part}
    names: dict[str, Any] = {"type": "string", "description": f"{what} preset"}
    if known:
        names["enum"] = known
    path = {"type": "string", "description": f"path of a {what}'s TOML file, relative to this one"}
    part["anyOf"] = [
        whole,
        *(
            {"type": "object", "properties": {key: value}, "required": [key]}
            for key, value in (("preset", names), ("file", path))
        ),
    ]


def _classes(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _classes(child)


def _too_much(text: str) -> bool:
    """Whether a text makes far more of itself in memory than a design that spicealif wrote.

    That has few tables, and numbers of many digits in its lists.
    """
    items, tables = text.count(","), sum(text.count(c) for c in "[{=")
    return items > _MOST_ITEMS + len(text) // 8 or tables > _MOST_TABLES


def named_file(data: dict[str, Any]) -> str:
    """Return the key by which a design names a file, or a device that could be one; else empty."""
    waiting: list[tuple[Any, str]] = [(data, "")]  # no recursion: tables may be nested deeply
    while waiting:
        value, key = waiting.pop()
        if isinstance(value, list):
            waiting += [(part, key) for part in value if isinstance(part, list | dict)]
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name == "file" or (name == "preset" and key):
                    return f"{key}.{_key(name)}".lstrip(".")
                waiting.append((inner, key or _key(name)))
    return ""


def _with_points(
    stimulus: Mapping[str, Any], folder: Path, firsts: list[float], depth: int = 0
) -> Mapping[str, Any]:
    """Return a stimulus with the points of its files, its own and those of a sum's terms."""
    if "file" in stimulus:
        points = _from_file(stimulus, folder)
        firsts.append(points["t"][0])
        return Whole(points)
    terms = stimulus.get("terms")
    if not isinstance(terms, list) or depth > _DEEPEST:
        return stimulus
    return {
        **stimulus,
        "terms": [
            _with_points(term, folder, firsts, depth + 1) if isinstance(term, Mapping) else term
            for term in terms
        ],
    }


def _from_file(stimulus: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    extra = sorted(set(stimulus) - {"file", "kind", "columns"})
    if extra or stimulus.get("kind", "pwl") != "pwl":
        raise DesignError(
            "stimulus.file goes with kind = 'pwl', columns and nothing else; remove "
            f"{', '.join(_key(k) for k in extra) or 'the other kind'}."
        )
    columns = stimulus.get("columns", {})
    if not isinstance(columns, Mapping):
        raise DesignError(
            "stimulus.columns is no table; write it as in columns = {time = '1', i = '2'}."
        )
    return PiecewiseLinear.from_csv(folder / str(stimulus["file"]), columns).to_dict()


def _key(name: str) -> str:
    """Return a user's key as it may stand in a sentence."""
    return name if name.isidentifier() and name.isascii() else ascii(name)

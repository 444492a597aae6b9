"""Designs in files: TOML in and out, presets, JSON Schema."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from spicealif._digest import check_signature
from spicealif._files import write_text
from spicealif._kinds import NEURON, check_ending, signed
from spicealif._resources import models_dir
from spicealif._text_files import read_person_text, toml_table
from spicealif.design._base import Part, current_kind
from spicealif.design.device_store import device_names
from spicealif.design.neuron import Neuron
from spicealif.design.series import AnyDesign
from spicealif.design.stimulus import PiecewiseLinear
from spicealif.errors import DesignError, within

__all__ = [
    "dump_toml",
    "load_preset",
    "load_toml",
    "parse_toml",
    "preset_names",
    "provenance",
    "save_toml",
    "schema",
]


def preset_names() -> list[str]:
    """Return the names of the presets that come with spicealif, sorted."""
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
    """Read a neuron from TOML text; see `load_toml`.

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
    """
    data = toml_table(text, "This", "a neuron's", DesignError)
    if not files and (named := _named_file(data)):
        raise DesignError(
            f"This design names a file or a device ({named}), which a result's own design never "
            "does; give the neuron's own file instead (--neuron FILE)."
        )
    preset = data.pop("preset", None)
    leak = data.get("leak")
    if isinstance(leak, dict) and isinstance(leak.get("file"), str):
        leak["file"] = str(Path(folder) / leak["file"])
    if preset is not None:
        data = _merged(load_preset(str(preset)).to_dict(), {"name": name, **data} if name else data)
    stimulus = data.get("stimulus")
    if isinstance(stimulus, Mapping) and "file" in stimulus:
        data["stimulus"] = _from_file(stimulus, Path(folder))
    return Neuron.from_dict(data)


def dump_toml(design: AnyDesign) -> str:
    """Return a design as TOML text, every value written out.

    Parameters
    ----------
    design : Neuron or SeriesCircuit

    Returns
    -------
    str
    """
    import tomli_w

    return tomli_w.dumps(design.to_dict())


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
    """
    check_ending(Path(path), NEURON)
    return write_text(Path(path), signed(dump_toml(neuron)))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a complete neuron.

    A file that starts from a ``preset`` may leave out whatever the preset gives, and a ``leak``
    that names a device whatever the device gives.
    """
    out = Neuron.model_json_schema()
    _add_bounds(out["properties"], Neuron)
    for model in _classes(Part):
        if model.__name__ in out["$defs"]:
            _add_bounds(out["$defs"][model.__name__]["properties"], model)
    _add_devices(out["properties"])
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return out


def _add_bounds(properties: dict[str, Any], model: type[BaseModel]) -> None:
    """Write the bounds into the schema; pydantic leaves them out where texts may stand too."""
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


def _add_devices(properties: dict[str, Any]) -> None:
    """Let the leak name a device, which pydantic does not see: it is written out before that."""
    leak = properties["leak"]
    whole = {key: leak.pop(key) for key in ("oneOf", "discriminator") if key in leak}
    names: dict[str, Any] = {"type": "string", "description": "device preset"}
    if known := device_names():
        names["enum"] = known
    path = {"type": "string", "description": "path of a device's TOML file, relative to this one"}
    leak["anyOf"] = [
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


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`; a table of another kind replaces the old one."""
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        if isinstance(value, Mapping) and isinstance(old, dict):
            # A new kind of part has other fields; what is left of the old one would be unknown.
            kind = current_kind(value.get("kind", old.get("kind")))
            same = kind == old.get("kind") and not {"file", "preset"} & value.keys()
            out[key] = _merged(old, value) if same else dict(value)
        else:
            out[key] = value
    return out


def _named_file(data: dict[str, Any]) -> str:
    """Return the key by which a design names a file, or a device that could be one; else empty."""
    waiting: list[tuple[Any, str]] = [(data, "")]  # no recursion: tables may be nested deeply
    while waiting:
        value, key = waiting.pop()
        if isinstance(value, list):
            waiting += [(part, key) for part in value]
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name == "file" or (name == "preset" and key):
                    return f"{key}.{_key(name)}".lstrip(".")
                waiting.append((inner, key or _key(name)))
    return ""


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

"""TOML for people: each value followed by what it is and its unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from spicealif.design._base import Part

__all__ = ["commented_toml"]

#: Longest line with its comment; a longer one goes without.
_WIDTH = 160


def commented_toml(part: Part) -> str:
    """Return a part as TOML text in which a comment says what each number is, with its unit.

    Parameters
    ----------
    part : Part
        A neuron or a device preset.

    Returns
    -------
    str
        Reads back as the same part.
    """
    import tomli_w

    # Short lists of numbers, as confidence intervals are, are read more easily on one line.
    text = re.sub(
        r"(?<= = )\[\n((?:    [-+\w.]+,\n){1,4})\]",
        lambda found: f"[{', '.join(found[1].replace(',', '').split())}]",
        tomli_w.dumps(part.to_dict()),
    )
    owner: Any = part
    lines = []
    for line in text.splitlines():
        if table := re.fullmatch(r"\[([\w.-]+)\]", line):
            owner = _follow(part, table[1].split("."))
        elif line.startswith("[["):
            owner = None  # a list of tables: its entries stand on their own
        lines.append(_commented(line, owner))
    return "\n".join(lines) + "\n"


def _follow(part: Any, path: list[str]) -> Any:
    """Return what stands at the end of `path`, or None."""
    top = part
    for step in path:
        part = getattr(part, step, None)
    # What a fit says of parameters by name: their units are those of the device's own fields.
    return getattr(top, "device", None) if isinstance(part, Mapping) else part


def _commented(line: str, owner: Any) -> str:
    entry = re.fullmatch(r"(\w+) = [^\"'{].*", line)
    if entry is None or not isinstance(owner, BaseModel) or '"' in line:
        return line
    field = type(owner).model_fields.get(entry[1])
    if field is None:
        return line
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    said = field.description or ""
    if unit not in ("", "1") and not re.search(rf"\bin {re.escape(unit)}(?![\w/^])", said):
        said = f"{said}, in {unit}" if said else f"in {unit}"
    whole = f"{line}  # {said}" if said else line
    return whole if len(whole) <= _WIDTH else line

"""What renders templates, and what may reach a netlist through them.

Templates print numbers, which are written with ``repr``, and names, which must match
``[A-Za-z_][A-Za-z0-9_]*``; everything else is refused by `_finalize`, whatever a template does.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import jinja2

from spicealif._support.resources import models_dir, netlists_dir
from spicealif.design import MemristorModel, Resistor
from spicealif.errors import NetlistError
from spicealif.netlist._marking import MarkingLoader
from spicealif.netlist._spice import Spice as _Spice
from spicealif.netlist._symbols import Symbol
from spicealif.netlist.dialect import Dialect

__all__ = ["SAFE_TEXT", "find_template", "state_capacitance"]

#: What a rendered netlist may consist of.
SAFE_TEXT = re.compile(r"[ -~\n]*\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@cache
def find_template(dialect: Dialect, base: str, device: Path | None = None) -> jinja2.Template:
    """Return a template, which finds others in its dialect's folder, then in those of all.

    Parameters
    ----------
    dialect : Dialect
    base : str
        Name of the template's file.
    device : Path, optional
        One more folder, of another package.
    """
    root, parts = netlists_dir(), models_dir() / "parts"
    folders = [
        (f"netlists/{dialect.name}", dialect.templates or root / dialect.name),
        ("netlists/base", root / "base"),
        ("models/parts", parts),
    ]
    if device is not None and device != parts:  # a model of another package
        folders.append((f"{device.parent.name}/{device.name}", device))
    environment = jinja2.Environment(
        loader=MarkingLoader(folders),
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    return environment.get_template(base)


def _finalize(value: object) -> str:
    # type() and not isinstance(): a bool is an int, and a subclass of str could be anything.
    kind = type(value)
    if kind is float or kind is int:
        if not math.isfinite(value):  # type: ignore[arg-type]
            raise NetlistError(f"A netlist value is {value}; check the design's parameters.")
        return repr(value)
    if kind is Symbol:
        _finalize(value.value)  # type: ignore[attr-defined]
        return value.braced  # type: ignore[attr-defined,no-any-return]
    if kind is _Spice or (kind is str and _NAME.match(str(value))):
        return str(value)
    if isinstance(value, jinja2.Undefined):
        name = ascii(getattr(value, "_undefined_name", "?"))
        raise NetlistError(
            f"A template prints {name}, which there is not; mend the template, or ask those who "
            "make the package that it is of."
        )
    raise NetlistError(
        f"A template tried to print {ascii(value)[:60]} ({kind.__name__}), which is neither a "
        "number nor a plain name; only these may reach a netlist."
    )


def state_capacitance(device: MemristorModel | Resistor, v: float) -> float:
    """Return the capacitance in F that a state is integrated on, for voltages around `v`.

    As many farads as the state's time scale has seconds make its currents of order 1, which is
    what a simulator holds an initial state best against; but its charge is to stay far above
    chgtol, and the current through its path to ground far below.
    """
    if not isinstance(device, MemristorModel):
        return 1.0
    return min(max(device.time_scale(v), 1e-4), 1.0)

"""Device presets: memristors with their parameters, and where these come from.

A device preset is a TOML file: ``name``, ``description`` and ``source``, a table ``[device]`` that
reads like the ``[leak]`` of a neuron, and, where a fit gave the values, a table ``[fit]`` with its
loss, its loops and its confidence intervals.
"""

from __future__ import annotations

import difflib
import functools
import operator
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field, SerializeAsAny, WrapValidator

from spicealif._support.described import Described
from spicealif._support.digest import check_signature
from spicealif._support.resources import models_dir
from spicealif._support.text_files import names_file, read_person_text, toml_table
from spicealif.design._base import (
    Hertz,
    Identifier,
    Number,
    Part,
    Volt,
)
from spicealif.design._changes import current_kind
from spicealif.design._sentences import register_presets
from spicealif.design.devices import MemristorModel
from spicealif.design.devices.choice import choose_device
from spicealif.design.devices.registry import OWN
from spicealif.errors import DesignError, within
from spicealif.quantities.grammar import format_quantity

__all__ = [
    "DevicePreset",
    "FitRecord",
    "LoopRecord",
    "device_names",
    "device_table",
    "devices_of_kind",
    "load_device",
]


def _any_model(value: object, ours: Callable[[object], Any]) -> Part:
    """Take a device of any model, and former names of kinds, as older files hold them."""
    return choose_device(value, ours, ())


if TYPE_CHECKING:
    _AnyDevice: TypeAlias = MemristorModel
else:
    _AnyDevice = Annotated[
        SerializeAsAny[
            Annotated[functools.reduce(operator.or_, OWN.values()), Field(discriminator="kind")]
        ],
        WrapValidator(_any_model),
    ]


class LoopRecord(Part):
    """One measured loop that a device was fitted to.

    Attributes
    ----------
    file : str
        Name of the file, without its folder.
    amplitude : float, optional
        Of the drive (device and series resistor together) in V.
    frequency : float, optional
        Of the drive in Hz.
    points : int
        Samples.
    sha256 : str
        Of the file's bytes, as hexadecimal text.
    """

    model_config = ConfigDict(frozen=True, extra="allow", validate_default=False)

    file: str = Field(description="name of the measured file")
    amplitude: Volt | None = Field(default=None, description="amplitude of the drive in V")
    frequency: Hertz | None = Field(default=None, description="frequency of the drive in Hz")
    points: int = Field(default=0, ge=0, description="samples")
    sha256: str = Field(default="", description="of the file's bytes")


class FitRecord(Part):
    """The fit that gave a device's parameters. Keys beyond these are kept as they are.

    Attributes
    ----------
    loss : float
        NMSE(v) + NMSE(i) of the simulated series circuit against the loops.
    nmse_v, nmse_i : float
        Its two parts: of the device's voltage and of its current.
    series_resistor : float or list of float
        In ohm; one for each loop where they differ.
    temperature : float
        In K.
    level : float
        Confidence level of the intervals.
    seed : int
        Of the global search.
    spicealif : str
        Version that did the fit.
    warnings : list of str
        Sentences on parameters at a bound or not identifiable.
    loops : list of LoopRecord
        What was fitted.
    intervals : dict of str to (float, float)
        Confidence interval of each fitted parameter, SI units; infinite where there is no bound.
    held : dict of str to float
        Parameters that were not fitted.
    """

    # A record of another version may say more than this one knows.
    model_config = ConfigDict(frozen=True, extra="allow", validate_default=False)

    loss: float | None = Field(default=None, ge=0, description="NMSE(v) + NMSE(i)")
    nmse_v: float | None = Field(default=None, ge=0, description="NMSE of the device's voltage")
    nmse_i: float | None = Field(default=None, ge=0, description="NMSE of the current")
    series_resistor: float | list[float] | None = Field(
        default=None, description="series resistor in ohm"
    )
    # Written by a fit, always in K: nobody is to be asked about it.
    temperature: float | None = Field(
        default=None, gt=0, description="in K", json_schema_extra={"unit": "K"}
    )
    level: Number | None = Field(
        default=None, gt=0, lt=1, description="confidence level of the intervals"
    )
    seed: int | None = Field(default=None, description="seed of the global search")
    spicealif: str | None = Field(default=None, description="version that did the fit")
    warnings: list[str] = Field(default=[], description="what to know about the values")
    loops: list[LoopRecord] = Field(default=[], description="what was fitted")
    intervals: dict[str, tuple[float, float]] = Field(
        default={}, description="confidence intervals in SI units"
    )
    held: dict[str, float] = Field(default={}, description="parameters that were not fitted")


class DevicePreset(Described, Part):
    """A memristor with its parameters and their source.

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    description, source : str
        Free text for people.
    device : MemristorModel
        What a neuron takes as its leak.
    fit : FitRecord or None
        Where the values come from, if a fit gave them.
    """

    name: Identifier = Field(description="letters, digits and underscores")
    description: str = Field(default="", max_length=2000, description="for people")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    device: _AnyDevice = Field(description="the memristor")
    fit: FitRecord | None = Field(default=None, description="the fit that gave the values")

    def _facts(self) -> list[tuple[str, str]]:
        values = self.device.to_dict()
        fields = type(self.device).model_fields
        facts = [("", f"'{self.name}'"), ("model", values.pop("kind"))]
        for name, value in values.items():
            extra = fields[name].json_schema_extra
            unit = extra.get("unit", "1") if isinstance(extra, dict) else "1"
            number = isinstance(value, int | float) and unit != "1"
            facts.append((name, format_quantity(value, str(unit)) if number else str(value)))
        return [*facts, ("", "fitted" if self.fit else "")][: len(facts) + bool(self.fit)]


def device_names() -> list[str]:
    """Return the names of the device presets that come with spicealif, sorted.

    Examples
    --------
    >>> "yakopcic_oblea" in device_names()
    True
    """
    return sorted(p.stem for p in (models_dir() / "devices").glob("*.toml"))


def devices_of_kind(kind: str) -> list[str]:
    """Return the names of the device presets of a model."""
    return [name for name in device_names() if _shipped(name).device.to_dict()["kind"] == kind]


register_presets(devices_of_kind)


def load_device(name_or_path: str | os.PathLike[str]) -> DevicePreset:
    """Return a device preset that comes with spicealif, or one from a file.

    Parameters
    ----------
    name_or_path : str or path-like
        One of `device_names()`, or the path of a TOML file (as ``spicealif fit`` writes it).

    Returns
    -------
    DevicePreset

    Raises
    ------
    DesignError
        If there is no such preset or file, or it does not describe a memristor.

    Examples
    --------
    >>> load_device("vteam_memtorch").device.kind
    'vteam'
    """
    if isinstance(name_or_path, str) and name_or_path in device_names():
        return _shipped(name_or_path)
    if not isinstance(name_or_path, str | os.PathLike):
        raise DesignError(
            f"A device preset is named by a text, not by {_shown(name_or_path)}; give its name or "
            "the path of a TOML file."
        )
    path = Path(name_or_path)
    if isinstance(name_or_path, str) and path.suffix.lower() != ".toml" and not names_file(path):
        raise DesignError(_no_such(name_or_path))
    return _read(path)


@cache
def _shipped(name: str) -> DevicePreset:
    return _read(models_dir() / "devices" / f"{name}.toml")


def device_table(leak: Mapping[str, Any]) -> dict[str, Any]:
    """Return a leak's table with the device preset that it names written out.

    Parameters
    ----------
    leak : mapping
        With ``preset`` or ``file``; other keys replace the preset's values.

    Returns
    -------
    dict

    Raises
    ------
    DesignError
        If there is no such preset, or the other keys do not go with it.
    """
    given = dict(leak)
    if "preset" in given and "file" in given:
        raise DesignError("leak.preset and leak.file both name a device; remove one of them.")
    preset = load_device(given.pop("preset") if "preset" in given else _path(given.pop("file")))
    values = preset.device.to_dict()
    kind = current_kind(given.get("kind", values["kind"]))
    if kind != values["kind"]:
        raise DesignError(
            f"leak.kind = {_shown(kind)} does not go with the device {preset.name!r}, which is of "
            f"kind {values['kind']!r}; remove leak.kind, or choose another device."
        )
    return {**values, **given, "kind": kind}


def _path(value: object) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise DesignError(
            f"leak.file = {_shown(value)} is not a path; give that of a device's TOML file."
        )
    return Path(value)


def _no_such(name: str) -> str:
    known = device_names()
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}, or " if close else ""
    listed = ", ".join(known) if known else "none are installed"
    return (
        f"{_shown(name)} is neither a device preset ({listed}) nor a TOML file; {hint}give the "
        "name of a preset or the path of a file that 'spicealif fit' wrote."
    )


def _read(path: Path) -> DevicePreset:
    shown = ascii(str(path))
    remedy = (
        "give the path of a device's TOML file, or use a device preset (see 'spicealif presets')"
    )
    text = read_person_text(path, "device file", remedy, DesignError)
    data = toml_table(text, f"The device file {shown}", "a device's", DesignError)
    if "device" not in data:
        what = "a neuron's file" if "leak" in data or "preset" in data else "not a device's"
        raise DesignError(
            f"The device file {shown} has no table [device] and is {what}; give it one, written "
            "as the [leak] of a neuron."
        )
    check_signature(text, ascii(path.name))
    data.setdefault("name", re.sub(r"\W", "_", path.stem, flags=re.A))
    try:
        return DevicePreset.from_dict(data)
    except DesignError as error:
        raise DesignError(within(ascii(path.name), error)) from None


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

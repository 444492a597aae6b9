"""``spicealif presets``, ``schema``, ``doctor`` and ``plugins``: what there is."""

from __future__ import annotations

import contextlib
import functools
import sys
import time
import tomllib
from typing import TYPE_CHECKING

import click

from spicealif.cli._answer import answer
from spicealif.cli._output import print_text
from spicealif.cli._terminal import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spicealif.design import DevicePreset, Neuron

__all__ = ["doctor_command", "plugins_command", "presets_command", "schema_command"]


@click.command(
    "presets",
    cls=Command,
    epilog="Example:  spicealif presets paper > my_neuron.toml",
    short_help="List the presets of neurons and devices, or print one as TOML.",
)
@click.argument("name", required=False)
@click.option("--parts", is_flag=True, help="Only op-amps, comparators and MOSFETs.")
def presets_command(name: str | None, parts: bool) -> None:
    """List the presets with their sources, or print the preset NAME as TOML.

    There are presets of whole neurons, presets of devices (memristors), which any neuron takes
    with --set leak.preset=NAME, and presets of parts (--parts), such as --set
    comparator.preset=NAME.
    """
    from spicealif.design import device_names, load_device, load_preset, preset_names
    from spicealif.design._comments import commented_toml
    from spicealif.errors import DesignError

    if name is None:
        answer(_parts if parts else _presets)
    if parts and name is None:
        _list_parts()
        return
    if name is not None:
        if parts and _part(name) is None:
            raise DesignError(
                f"There is no part {ascii(name)[:60]}; 'spicealif presets --parts' lists them."
            )
        if (part := _part(name)) is not None and (parts or name not in preset_names()):
            text = part
        elif name in device_names() and name not in preset_names():
            text = commented_toml(load_device(name))
        else:
            text = commented_toml(_neuron(name))
        answer(tomllib.loads(text))
        print_text(text)
        return
    click.echo("Neurons (NEURON of most commands):\n")
    for preset in preset_names():
        neuron = load_preset(preset)
        _list(preset, neuron.description, f"Source: {neuron.source}")
    click.echo('\nDevices (--set leak.preset=NAME, or preset = "NAME" in [leak]):\n')
    for preset in device_names():
        device = load_device(preset)
        loss = device.fit.loss if device.fit else None
        fitted = "" if loss is None else f" Fitted, loss {loss:.2g}."
        _list(preset, f"{device.description}{fitted}", f"Source: {device.source}")
    if not device_names():
        click.echo("none installed; 'spicealif fit' makes one from measured loops")


#: What a neuron's table for each kind of part is called.
_TABLES = {"opamp": "difference_amplifier.opamp", "comparator": "comparator", "mosfet": "mosfet"}


def _presets() -> dict[str, list[dict[str, str]]]:
    from spicealif.design import device_names, load_device, load_preset, preset_names

    neurons = {name: load_preset(name) for name in preset_names()}
    devices = {name: load_device(name) for name in device_names()}

    def listed(found: Mapping[str, Neuron] | Mapping[str, DevicePreset]) -> list[dict[str, str]]:
        return [
            {"name": name, "description": preset.description, "source": preset.source}
            for name, preset in found.items()
        ]

    return {"neurons": listed(neurons), "devices": listed(devices)}


def _parts() -> dict[str, list[dict[str, str]]]:
    from spicealif.design.parts.store import PARTS, load_part, part_names

    found: dict[str, list[dict[str, str]]] = {}
    for kind, folder in PARTS.items():
        parts = [(name, load_part(kind, name)) for name in part_names(kind)]
        found[folder] = [{"name": n, "title": p.title, "source": p.source} for n, p in parts]
    return found


def _list_parts() -> None:
    from spicealif.design.parts.store import PARTS, load_part, part_names

    for kind in PARTS:
        click.echo(f"{PARTS[kind]} (--set {_TABLES[kind]}.preset=NAME):\n")
        for name in part_names(kind):
            part = load_part(kind, name)
            _list(name, f"{part.title}. Source: {part.source}")
        click.echo("")


def _part(name: str) -> str | None:
    """Return a part's file, with the source of each value; None if there is no such part."""
    from spicealif._support.resources import models_dir
    from spicealif.design.parts.store import PARTS, part_names

    for kind in PARTS:
        if name in part_names(kind):
            path = models_dir() / "parts" / PARTS[kind] / f"{name}.toml"
            return path.read_text(encoding="utf-8")
    return None


def _neuron(name: str) -> Neuron:
    import difflib

    from spicealif.design import device_names, load_preset, preset_names
    from spicealif.design.parts.store import PARTS, part_names
    from spicealif.errors import DesignError

    if name not in preset_names() and (devices := device_names()):
        parts = [part for kind in PARTS for part in part_names(kind)]
        everything = [*preset_names(), *devices, *parts]
        close = difflib.get_close_matches(name.lower(), everything, n=1, cutoff=0.75)
        hint = f"did you mean {close[0]!r}, or choose" if close else "choose"
        raise DesignError(
            f"There is no preset {ascii(name)}; {hint} one of {', '.join(preset_names())} "
            f"(neurons), of {', '.join(devices)} (devices) or of the parts that "
            "'spicealif presets --parts' lists."
        )
    return load_preset(name)


def _list(name: str, *texts: str) -> None:
    import shutil
    import textwrap

    width = max(min(shutil.get_terminal_size().columns, 96), 24)
    click.echo(name)
    for text in texts:
        click.echo(textwrap.fill(text, width, initial_indent="    ", subsequent_indent="    "))


@click.command(
    "schema",
    cls=Command,
    epilog="Example:  spicealif schema > neuron.schema.json",
    short_help="Print the JSON Schema of a neuron's file.",
)
def schema_command() -> None:
    """Print the JSON Schema of a neuron's TOML or JSON file."""
    import json

    from spicealif.design import schema

    answer(schema())
    click.echo(json.dumps(schema(), indent=1))


@click.command(
    "doctor",
    cls=Command,
    epilog="Example:  spicealif doctor",
    short_help="Say what is installed and how to get what is missing.",
)
@click.option(
    "--compile",
    "compiling",
    is_flag=True,
    help="Also compile what runs need and keep it, so that the first run does not wait for it.",
)
def doctor_command(compiling: bool) -> None:
    """Say what is installed, what is missing, and the command that installs it.

    The exit code is 0 if at least one SPICE works.
    """
    from importlib import metadata

    python = sys.version.split()[0]
    click.echo(f"Python {python}")
    versions: dict[str, str | None] = {}
    # What the package's own metadata requires, so that this list cannot go stale.
    for requirement in metadata.requires("spicealif") or []:
        if "extra ==" in requirement:
            continue
        name = requirement.split(";")[0].split(">")[0].split("=")[0].strip()
        try:
            versions[name] = metadata.version(name)
            click.echo(f"ok       {name} {versions[name]}")
        except metadata.PackageNotFoundError:
            versions[name] = None
            click.echo(f"missing  {name}: install it with: pip install {name}")
    working, absent = _simulators()
    found = {"working": working, "absent": absent}
    answer({"python": python, "packages": versions, "simulators": found})
    # One SPICE is enough: with it the others are no loss. The equations are none.
    spice = [line for line in working if " simulator equations:" not in line]
    label = "absent  " if spice else "missing "
    for line in (*working, *(f"{label} {text}" for text in absent)):
        click.echo(line)
    if compiling:
        _compile()
    if not spice:
        click.echo("No SPICE works; the circuit's equations, the reference and netlists do.")
        raise click.exceptions.Exit(1)


@click.command(
    "plugins",
    cls=Command,
    epilog="Example:  spicealif plugins",
    short_help="List simulators, memristor models, dialects and synapses, and who brings them.",
)
def plugins_command() -> None:
    """List simulators, memristor models, dialects, synapses and parts, and who brings them.

    Packages announce them with the entry points spicealif.simulators, spicealif.devices,
    spicealif.dialects, spicealif.synapses and spicealif.parts. Each is loaded; what fails to load
    is named with the reason, breaks nothing else, and makes the exit code 1.
    """
    from spicealif.cli._plugins import find_plugins

    found = find_plugins()
    answer([one.to_dict() for one in found])
    width = max(len(f"{one.what} {one.name}") for one in found)
    for one in found:
        state = f"error: {one.trouble}" if one.trouble else one.target
        click.echo(f"{f'{one.what} {one.name}':<{width}}  {one.package:<16}  {state}")
    if any(one.trouble for one in found):
        raise click.exceptions.Exit(1)


def _compile() -> None:
    """Solve a short run by every compiled route that the common commands take."""
    from spicealif._support.compiled import watched
    from spicealif._support.progress import progress_bar
    from spicealif.bank import solve_bank
    from spicealif.cosim import cosimulate
    from spicealif.design import load_preset
    from spicealif.reference import VARIANTS

    neuron = load_preset("paper").replace(t_stop=1e-3)
    new: list[None] = []
    begin = time.monotonic()
    with watched(lambda: new.append(None)), progress_bar("compiling", False):
        for variant in VARIANTS:
            cosimulate(neuron, "equations", variant=variant).run.require().decimated()
            solve_bank(neuron, {"c": [neuron.c]}, variant=variant)
    took = f"compiled in {time.monotonic() - begin:.0f} s" if new else "compiled already"
    click.echo(f"ok       {took}")


def _simulators() -> tuple[list[str], list[str]]:
    """Return a text for each simulator that works, and for each that does not."""
    from spicealif._support.plugins import announced, patiently
    from spicealif.errors import SpicealifError
    from spicealif.simulators.registry import GROUP

    working: list[str] = []
    absent: list[str] = []
    for found in announced(GROUP):
        # Ours need no address; of a plug-in it is the first thing to know.
        label = f"simulator {found.name or '?'}{'' if found.ours else f' (of {found.package})'}"
        if found.trouble:
            absent.append(f"{label}: {found.trouble}")
            continue
        try:
            if found.ours:
                working += _look(found.name, label)
            else:
                look = functools.partial(_look, found.name, label)
                working += patiently(look, "The plug-in")
        except SpicealifError as error:
            absent.append(f"{label}: {error}")
    return working, absent


def _look(name: str, label: str) -> list[str]:
    from spicealif.simulators import get_simulator
    from spicealif.simulators.registry import version_of

    simulator = get_simulator(name)
    try:
        lines = [f"ok       {label}: {version_of(simulator)}"]
        # Where one of several installations was found is worth saying.
        if where := getattr(simulator, "where", ""):
            lines.append(f"             {where}")
        return lines
    finally:
        with contextlib.suppress(Exception):  # a plug-in may fail in this too
            simulator.close()

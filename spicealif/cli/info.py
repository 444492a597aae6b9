"""``spicealif presets``, ``schema`` and ``doctor``: what there is."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING

import click

from spicealif.cli._output import print_text

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["doctor_command", "presets_command", "schema_command"]


@click.command(
    "presets",
    epilog="Example:  spicealif presets paper > my_neuron.toml",
    short_help="List the presets of neurons and devices, or print one as TOML.",
)
@click.argument("name", required=False)
def presets_command(name: str | None) -> None:
    """List the presets with their sources, or print the preset NAME as TOML.

    There are presets of whole neurons, and presets of devices (memristors), which any neuron takes
    with --set leak.preset=NAME.
    """
    from spicealif.design import device_names, load_device, load_preset, preset_names
    from spicealif.design._comments import commented_toml

    if name is not None:
        if name in device_names() and name not in preset_names():
            print_text(commented_toml(load_device(name)))
        else:
            print_text(commented_toml(_neuron(name)))
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


def _neuron(name: str) -> Neuron:
    from spicealif.design import device_names, load_preset, preset_names
    from spicealif.errors import DesignError

    if name not in preset_names() and (devices := device_names()):
        raise DesignError(
            f"There is no preset {ascii(name)}; choose one of {', '.join(preset_names())} "
            f"(neurons) or of {', '.join(devices)} (devices)."
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
    epilog="Example:  spicealif schema > neuron.schema.json",
    short_help="Print the JSON Schema of a neuron's file.",
)
def schema_command() -> None:
    """Print the JSON Schema of a neuron's TOML or JSON file."""
    import json

    from spicealif.design import schema

    click.echo(json.dumps(schema(), indent=1))


@click.command(
    "doctor",
    epilog="Example:  spicealif doctor",
    short_help="Say what is installed and how to get what is missing.",
)
def doctor_command() -> None:
    """Say what is installed, what is missing, and the command that installs it.

    The exit code is 0 if at least one simulator works.
    """
    from importlib import metadata

    click.echo(f"Python {sys.version.split()[0]}")
    # What the package's own metadata requires, so that this list cannot go stale.
    for requirement in metadata.requires("spicealif") or []:
        if "extra ==" in requirement:
            continue
        name = requirement.split(";")[0].split(">")[0].split("=")[0].strip()
        try:
            click.echo(f"ok       {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            click.echo(f"missing  {name}: install it with: pip install {name}")
    working, absent = _simulators()
    # One simulator is enough: with it the others are no loss.
    label = "absent  " if working else "missing "
    for line in (*working, *(f"{label} {text}" for text in absent)):
        click.echo(line)
    if not working:
        click.echo("No simulator works; the reference and netlists do.")
        raise click.exceptions.Exit(1)


def _simulators() -> tuple[list[str], list[str]]:
    """Return a text for each simulator that works, and for each that does not."""
    from spicealif.errors import SpicealifError
    from spicealif.simulators.registry import announced, patiently

    working: list[str] = []
    absent: list[str] = []
    for found in announced():
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

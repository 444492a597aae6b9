"""``spicealif network``: networks of neurons, from their files to their results."""

from __future__ import annotations

import click

from spicealif.cli._terminal import Group
from spicealif.cli.network.compare import compare_command
from spicealif.cli.network.describe import (
    export_nir_command,
    import_nir_command,
    netlist_command,
    presets_command,
    schema_command,
)
from spicealif.cli.network.run import run_command
from spicealif.cli.network.sweep import sweep_command
from spicealif.cli.network.verify import verify_command

__all__ = ["network_command"]


@click.group(
    "network",
    cls=Group,
    epilog="Example:  spicealif network run ring --t-stop 1m",
    short_help="Run, check, compare and sweep networks of neurons.",
)
def network_command() -> None:
    """Run networks of neurons, check them in SPICE, compare and sweep them.

    A NETWORK is the name of a preset (see "spicealif network presets") or the path of a TOML file.
    """


for _command in (
    run_command,
    netlist_command,
    verify_command,
    compare_command,
    sweep_command,
    presets_command,
    schema_command,
    export_nir_command,
    import_nir_command,
):
    network_command.add_command(_command)

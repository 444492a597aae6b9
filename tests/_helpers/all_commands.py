"""Every command of the program that does something: a group's commands stand for it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from spicealif.cli import cli

__all__ = ["every_command"]


def every_command(
    group: click.Group = cli, before: str = ""
) -> Iterator[tuple[str, click.Command]]:
    """Yield each with its words, such as ``"network run"``."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command

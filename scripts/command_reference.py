"""The page on commands, docs/commands.md, derived from their ``--help``.

    .venv/bin/python scripts/command_reference.py            # writes the page
    .venv/bin/python scripts/command_reference.py --check    # exit code 1 if it is not up to date

``scripts/test.sh`` checks it, so that no option is added without the page.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from spicealif.cli import cli

__all__ = ["commands", "page"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"

_HEAD = """# Commands

<!-- Written by scripts/command_reference.py; scripts/test.sh fails if it is not up to date. -->

What `spicealif COMMAND --help` says, for all commands. A `NEURON` is the name of a preset
(`spicealif presets`) or the path of a TOML file. Values are written as [Numbers](quantities.md)
says, results go where [Where results go](output.md) says, and the codes that commands end with are
in [Exit codes](exit_codes.md).
"""


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command with its name, a group's own commands after it."""
    yield from _below(("spicealif",), cli)


def page() -> str:
    """Return docs/commands.md."""
    found = list(commands())
    lines = [_HEAD, "| command | what it does |", "|---|---|"]
    lines += [
        f"| [`{' '.join(name)}`](#{'-'.join(name)}) | {_escaped(command.get_short_help_str(200))} |"
        for name, command in found[1:]
    ]
    for name, command in found:
        lines += ["", *_section(name, command)]
    return "\n".join(lines) + "\n"


def _below(
    name: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if command.hidden:
        return
    yield name, command
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from _below((*name, word), inner)


def _section(name: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=" ".join(name), **cli.context_settings)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"{'#' * max(2, len(name))} {' '.join(name)}", "", "```text", usage, "```"]
    for paragraph in (command.help or "").split("\n\n"):
        lines += ["", *_paragraph(paragraph)]
    records = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) is not None and record[1]
    ]
    if records:
        lines += ["", *(f"- `{what}`: {_escaped(text)}" for what, text in records)]
    if isinstance(command, click.Group) and len(name) > 1:
        inner = ", ".join(f"[`{word}`](#{'-'.join((*name, word))})" for word in command.commands)
        lines += ["", f"Its commands: {inner}."]
    example = re.match(r"Example:\s+(.*)", " ".join((command.epilog or "").split()))
    if example:
        lines += ["", "```sh", example[1], "```"]
    return lines


def _paragraph(text: str) -> list[str]:
    """Return a paragraph of help as Markdown; one that click is told to leave alone as a block."""
    if text.startswith("\b"):
        return ["```text", *text.removeprefix("\b").strip("\n").split("\n"), "```"]
    return [_escaped(" ".join(text.split()))]


def _escaped(text: str) -> str:
    return re.sub(r"([*<>|\[\]])", r"\\\1", " ".join(text.split()))


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    new = page()
    if not parser.parse_args().check:
        PAGE.write_text(new, encoding="utf-8")
        print(f"Wrote {PAGE}.")
        return 0
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if old == new:
        return 0
    differences = difflib.unified_diff(old.split("\n"), new.split("\n"), "page", "--help", n=0)
    print("\n".join(list(differences)[:30]))
    print("docs/commands.md is not what --help says; run: python scripts/command_reference.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())

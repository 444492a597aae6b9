"""``spicealif completion``: the script that makes a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from spicealif.cli._output import print_text
from spicealif.cli._terminal import Command

__all__ = ["completion_command"]

_SHELLS = ("bash", "zsh", "fish")
#: After "c=" comes a value, and no blank; fish leaves it out by itself.
_NO_BLANK = {
    "bash": {
        "COMPREPLY+=($value)": 'COMPREPLY+=("$value")\n'
        "            [[ $value == *= ]] && compopt -o nospace"
    },
    "zsh": {
        "compadd -U -V unsorted -a completions": "if [[ ${completions[1]} == *= ]]; then\n"
        "            compadd -S '' -U -V unsorted -a completions\n"
        "        else\n"
        "            compadd -U -V unsorted -a completions\n"
        "        fi",
    },
}


@click.command(
    "completion",
    cls=Command,
    epilog="Example:  spicealif completion bash > ~/.spicealif-completion",
    short_help="Print the script that makes your shell complete commands, presets and keys.",
)
@click.argument("shell", type=click.Choice(_SHELLS))
def completion_command(shell: str) -> None:
    r"""Print the script for SHELL that completes commands, options and what these take.

    That is presets and TOML files, simulators, variants, experiments, measures, and the keys of
    --set and --over. Switch it on by a line in ~/.bashrc or, behind compinit, in ~/.zshrc:

    \b
    eval "$(spicealif completion bash)"

    Of fish, redirect the script into a file spicealif.fish among its completions.
    """
    cli = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    assert found is not None  # click has these three
    script = found(cli, {}, "spicealif", "_SPICEALIF_COMPLETE").source()
    for old, new in _NO_BLANK.get(shell, {}).items():
        script = script.replace(old, new)
    print_text(script)

"""The group of commands, and what becomes of errors.

Nothing heavy is imported here: ``--help`` costs as much as Python and click.
"""

from __future__ import annotations

import contextlib
import os
import sys

import click

from spicealif.cli import _interrupts
from spicealif.cli._terminal import HelpContext
from spicealif.cli.compare import compare_command
from spicealif.cli.explain import explain_command
from spicealif.cli.fit import fit_command
from spicealif.cli.info import doctor_command, presets_command, schema_command
from spicealif.cli.plot import plot_command
from spicealif.cli.propose import propose_command
from spicealif.cli.run import run_command
from spicealif.cli.sides import netlist_command, reference_command, simulate_command
from spicealif.cli.sweep import store_command, sweep_command
from spicealif.cli.verify import verify_command

__all__ = ["cli", "main"]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  spicealif run paper",
)
@click.version_option(package_name="spicealif")
def cli() -> None:
    """Build, run and compare the memristor-based adaptive LIF neuron, as circuit and as ODE.

    A NEURON is the name of a preset (see "spicealif presets") or the path of a TOML file.
    """


for _command in (
    run_command,
    netlist_command,
    simulate_command,
    reference_command,
    compare_command,
    explain_command,
    verify_command,
    fit_command,
    propose_command,
    sweep_command,
    store_command,
    plot_command,
    presets_command,
    schema_command,
    doctor_command,
):
    _command.context_class = HelpContext
    cli.add_command(_command)
cli.context_class = HelpContext


def main() -> None:
    """Run the command line; errors of ours become one line and exit code 1."""
    from spicealif.errors import SpicealifError

    try:
        # A closed terminal or a batch system's kill ends like Ctrl-C, which stops the simulator.
        _interrupts.allow()
        try:
            cli.main(standalone_mode=False)
        finally:
            # What is left is to say how it ended.
            _interrupts.end_at_once()
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("Interrupted; files already written are whole.")
        _interrupts.leave()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SpicealifError as error:
        _fail(str(error), 1)
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        _fail(
            f"There is not enough memory{detail}; take fewer points or samples, a shorter t_stop, "
            "or a larger machine.",
            1,
        )
    except BrokenPipeError:
        # The reader of our output went away (a pager, head); that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        _fail(f"The output cannot be written ({reason}); write it somewhere else.", 1)


def _fail(message: str, code: int) -> None:
    _say(message)
    sys.exit(code)


def _say(message: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        click.echo(f"Error: {message}", err=True)

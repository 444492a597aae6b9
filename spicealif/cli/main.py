"""The group of commands, and what becomes of errors.

Nothing heavy is imported here: ``--help`` costs as much as Python and click.
"""

from __future__ import annotations

import os
import signal
import sys

import click

from spicealif._kept import told_in_sentences
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
@click.pass_context
def cli(context: click.Context) -> None:
    """Build, run and compare the memristor-based adaptive LIF neuron, as circuit and as ODE.

    A NEURON is the name of a preset (see "spicealif presets") or the path of a TOML file.
    """
    context.with_resource(told_in_sentences())


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
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors of ours become one line and exit code 1."""
    from spicealif.errors import SpicealifError

    # A closed terminal or a batch system's kill ends like Ctrl-C, which stops the simulator.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        cli.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("Interrupted; files already written are whole.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SpicealifError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # The reader of our output went away (a pager, head); that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        _fail(f"The output cannot be written ({reason}); write it somewhere else.", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)

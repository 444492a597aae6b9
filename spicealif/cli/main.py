"""The group of commands, and what becomes of errors.

Nothing heavy is imported here: ``--help`` costs as much as Python and click.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Callable

import click

from spicealif.cli._signals import INTERRUPTED, end_quietly, one_interrupt
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

_NO_MEMORY = (
    "The memory is not enough for this; raise the limit if there is one (ulimit -v), or compute "
    "less at a time."
)


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
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors of ours become one line and exit code 1."""
    from spicealif.errors import SpicealifError

    # A closed terminal or a batch system's kill ends like Ctrl-C, which stops the simulator.
    one_interrupt()
    # Our matrices are small: BLAS's threads only take memory, and where that is short it hangs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    warnings.formatwarning = _warning_text
    try:
        cli.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail(INTERRUPTED, 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SpicealifError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # The reader of our output went away (a pager, head); that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (MemoryError, ImportError) as error:
        if not _out_of_memory(error):
            raise
        _fail(_NO_MEMORY, 1)
    except OSError as error:
        if _out_of_memory(error):
            _fail(_NO_MEMORY, 1)
        reason = error.strerror or type(error).__name__
        _fail(f"The output cannot be written ({reason}); write it somewhere else.", 1)
    finally:
        end_quietly()


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    # The loader of libraries knows no MemoryError, and numba's hides what it was told.
    words = ["failed to map segment", "annot allocate memory"]
    with contextlib.suppress(ImportError):  # Windows has none
        import resource

        if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
            words.append("shared object file")
    return any(word in str(error) for word in words)


def _warning_text(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
    *,
    usual: Callable[..., str] = warnings.formatwarning,
) -> str:
    """Return what is printed of a warning: of ours its sentence alone."""
    if category.__module__.startswith("spicealif."):
        return f"Note: {message}\n"
    return usual(message, category, filename, lineno, line)


def _fail(message: str, code: int) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)

"""The group of commands, and what becomes of errors.

Nothing heavy is imported here: ``--help`` costs as much as Python and click.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import click

from spicealif.cli._streams import close_streams, open_streams, outlets
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

__all__ = ["CODES", "cli", "main", "run"]

#: Exit codes by what they mean.
CODES = MappingProxyType(
    {
        "done": 0,
        "error": 1,
        "usage": 2,
        "interrupted": 128 + signal.SIGINT,
        "broken pipe": 128 + 13,  # SIGPIPE, which not every system has
    }
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


def main() -> NoReturn:
    """Run the command line as a program."""
    # Nothing here gains by more threads of linear algebra. Where memory is short, OpenBLAS cannot
    # start them, and then waits for them for ever or ends the process as if by Ctrl-C.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            # A closed terminal or a batch system's kill ends like Ctrl-C, which stops the
            # simulator.
            signal.signal(getattr(signal, name), _end)
    open_streams()
    code = run(sys.argv[1:])
    close_streams()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; print what went wrong as one sentence, and return the exit code.

    The one place where exit codes are made; ``docs/exit_codes.md`` lists them. Commands end with
    an exception, or with ``raise click.exceptions.Exit(code)``.
    """
    with outlets() as (out, _):
        code = _code(arguments)
        trouble = out.trouble
        if trouble is None:
            return code
        if isinstance(trouble, BrokenPipeError):
            # Whoever reads us (a pager, head) went away, which is nobody's error. Yet what we had
            # to say was not heard, so it is no success either: the code of a program that ends by
            # SIGPIPE.
            return code or CODES["broken pipe"]
        reason = trouble.strerror or type(trouble).__name__
        reason = "it is not open for writing" if trouble.errno == errno.EBADF else reason
        return code or _told(f"Standard output cannot be written ({reason}); write to a file.")


def _code(arguments: Sequence[str]) -> int:
    from spicealif.errors import SpicealifError

    _signals.clear()
    try:
        _invoke(list(arguments))
        return CODES["done"]
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SpicealifError as error:
        return _told(str(error))
    except SystemExit as error:
        # No command of ours ends so; a library might, and click's completion does.
        return error.code if isinstance(error.code, int) else CODES["error"]
    except BrokenPipeError:
        return CODES["broken pipe"]
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    """Tell of an error that is none of ours."""
    if _is_want_of_memory(error):
        return _told(
            "There is not enough memory; free some, or ask for less at a time (a shorter t_stop, "
            "fewer points or workers)."
        )
    if isinstance(error, RecursionError):
        return _told("Something in the input is nested too deeply; give one that is flatter.")
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        if error.filename is None:
            return _told(f"The system refused something ({reason}); free what it lacks.")
        return _told(
            f"{ascii(os.fsdecode(error.filename))} cannot be used ({reason}); check that it is "
            "there, and its rights."
        )
    return _unforeseen(error)


def _is_want_of_memory(error: BaseException | None) -> bool:
    """Whether an error comes of one that says so: a library that cannot be loaded has many names.

    numpy, HDF5 and the dynamic linker each have their own.
    """
    while error is not None:
        text = str(error)
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if "Cannot allocate memory" in text or "failed to map segment" in text:
            return True
        error = error.__cause__ or error.__context__
    return False


def _invoke(arguments: list[str]) -> None:
    """Run a command without click's own door, which makes codes of some exceptions itself."""
    if any(name.endswith("_COMPLETE") for name in os.environ):
        cli.main(
            arguments, prog_name="spicealif"
        )  # a shell may want the words that could come next
    with cli.make_context("spicealif", arguments) as context:
        cli.invoke(context)


def _interrupted() -> int:
    number = _signals[-1] if _signals else int(signal.SIGINT)
    return _told("Interrupted; files already written are whole.", 128 + number)


def _unforeseen(error: BaseException) -> int:
    """Tell of a fault of ours: what, where, and how to see all of it."""
    if os.environ.get("SPICEALIF_TRACEBACK"):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "spicealif" in Path(frame.filename).parts]
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    text = " ".join(ascii(str(error))[1:-1].split())[:200]
    return _told(
        f"Something happened that spicealif does not know ({type(error).__name__}{where}: {text}); "
        "this is a fault of its own: run it again with SPICEALIF_TRACEBACK=1 set, and report "
        "what it prints."
    )


def _told(message: str, code: int = CODES["error"]) -> int:
    with contextlib.suppress(OSError):  # nobody is left to be told
        click.echo(f"Error: {message}", err=True)
    return code


#: Signals that asked for the end, as numbers.
_signals: list[int] = []


def _end(number: int, frame: object) -> NoReturn:
    _signals.append(number)
    raise KeyboardInterrupt

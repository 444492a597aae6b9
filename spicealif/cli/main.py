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
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import click

from spicealif._support.kept import told_in_sentences
from spicealif.cli import _interrupts
from spicealif.cli._completion import let_complete
from spicealif.cli._streams import close_streams, open_streams, outlets
from spicealif.cli._terminal import HelpContext
from spicealif.cli.cite import cite_command
from spicealif.cli.compare import compare_command
from spicealif.cli.completion import completion_command
from spicealif.cli.explain import explain_command
from spicealif.cli.export import export_command
from spicealif.cli.fit import fit_command
from spicealif.cli.info import doctor_command, plugins_command, presets_command, schema_command
from spicealif.cli.learn import learn_command
from spicealif.cli.learn_circuit import learn_circuit_command
from spicealif.cli.network import network_command
from spicealif.cli.plot import plot_command
from spicealif.cli.propose import propose_command
from spicealif.cli.report import report_command
from spicealif.cli.run import run_command
from spicealif.cli.schematic import schematic_command
from spicealif.cli.sides import netlist_command, reference_command, simulate_command
from spicealif.cli.store import store_command
from spicealif.cli.sweep import sweep_command
from spicealif.cli.verify import verify_command

_NO_MEMORY = (
    "There is not enough memory; free some, raise the limit if there is one (ulimit -v), or ask "
    "for less at a time (a shorter t_stop, fewer points or workers)."
)

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
@click.pass_context
def cli(context: click.Context) -> None:
    """Build, run and compare the memristor-based adaptive LIF neuron, as circuit and as ODE.

    A NEURON is the name of a preset (see "spicealif presets") or the path of a TOML file.
    """
    context.with_resource(told_in_sentences())


for _command in (
    run_command,
    netlist_command,
    schematic_command,
    simulate_command,
    reference_command,
    compare_command,
    explain_command,
    verify_command,
    report_command,
    fit_command,
    propose_command,
    sweep_command,
    store_command,
    network_command,
    learn_command,
    learn_circuit_command,
    plot_command,
    export_command,
    cite_command,
    presets_command,
    schema_command,
    doctor_command,
    plugins_command,
    completion_command,
):
    let_complete(_command)
    cli.add_command(_command)
cli.context_class = HelpContext


def main() -> NoReturn:
    """Run the command line as a program."""
    # A closed terminal or a batch system's kill ends like Ctrl-C, which stops the simulator.
    _interrupts.allow()
    # Our matrices are small: BLAS's threads only take memory, and where that is short it hangs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    warnings.formatwarning = _warning_text
    open_streams()
    code = run(sys.argv[1:])
    close_streams()
    if code == _interrupts.exit_code():
        _interrupts.leave()
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
    _interrupts.begin()
    try:
        try:
            _invoke(list(arguments))
        finally:
            # What is left is to say how it ended.
            _interrupts.end_at_once()
        return CODES["done"]
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted()
    except SystemExit as error:
        # No command of ours ends so; a library might, and click's completion does.
        return error.code if isinstance(error.code, int) else CODES["error"]
    except Exception as error:
        return _interrupted() if _interrupts.raised() else _failed(error)


def _failed(error: Exception) -> int:
    """Tell of an error."""
    from spicealif.errors import SpicealifError

    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, SpicealifError):
        return _told(str(error))
    if isinstance(error, BrokenPipeError):
        return CODES["broken pipe"]
    return _foreign(error)


def _foreign(error: Exception) -> int:
    """Tell of an error that is none of ours."""
    if _out_of_memory(error):
        return _told(_NO_MEMORY)
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


def _invoke(arguments: list[str]) -> None:
    """Run a command without click's own door, which makes codes of some exceptions itself."""
    if any(name.endswith("_COMPLETE") for name in os.environ):
        cli.main(
            arguments, prog_name="spicealif"
        )  # a shell may want the words that could come next
    with cli.make_context("spicealif", arguments) as context:
        cli.invoke(context)


def _interrupted() -> int:
    return _told(_interrupts.MESSAGE, _interrupts.exit_code())


def _out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error comes of one that says so; it has many names.

    NumPy, HDF5 and the loader of libraries each have their own, and numba's hides what it was told.
    """
    words = ["failed to map segment", "annot allocate memory"]
    if sys.platform != "win32":  # which has none
        import resource

        if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
            words.append("shared object file")
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if any(word in str(error) for word in words):
            return True
        error = error.__cause__ or error.__context__
    return False


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

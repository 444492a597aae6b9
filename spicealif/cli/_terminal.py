"""What fits a narrow terminal: help, and the tables of results."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import click

from spicealif.cli._answer import QUIET, only_the_answer, want
from spicealif.cli._log import tell_more
from spicealif.errors import ResourceError

__all__ = ["Command", "Group", "HelpContext", "for_terminal"]

#: Bytes of address space in which every command can at least end with a sentence.
_LEAST_MEMORY = 1e9

_Callback: TypeAlias = Callable[[click.Context, click.Parameter, bool], None]
#: What is a script, and nothing that a program would want as JSON.
_NO_JSON = {"completion"}

#: Below this many columns click's own help is wider than the terminal.
_NARROW = 52


def for_terminal(result: object, *, short: bool = False) -> str:
    """Return a result as text, for the terminal's width if standard output is one.

    Parameters
    ----------
    result : object
        Whose `str` is its tables.
    short : bool
        Whether tables of measures show the main ones only.
    """
    from spicealif.measures.tables import fitting, short_tables

    if short:
        with short_tables():
            return for_terminal(result)
    terminal = False
    with contextlib.suppress(AttributeError, OSError, ValueError):
        terminal = sys.stdout.isatty()
    if not terminal:
        return str(result)
    with fitting(shutil.get_terminal_size().columns):
        return str(result)


class _Help(click.HelpFormatter):
    """Help that is as narrow as the terminal."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = shutil.get_terminal_size().columns
        if width is None and columns < _NARROW:
            width = max(columns - 1, 20)
        super().__init__(indent_increment, width, max_width)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        super().write_dl(rows, min(col_max, max(self.width // 3, 10)), col_spacing)


class HelpContext(click.Context):
    """A command's context whose help fits the terminal."""

    formatter_class = _Help


def _be_quiet(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    context.meta[QUIET] = value


class Command(click.Command):
    """A command that takes an option twice only if it is meant to be."""

    context_class = HelpContext

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = {parameter.name for parameter in self.params}
        if self.name not in _NO_JSON and "as_json" not in names:
            told = "Print the result as JSON (SI units), and no text for people."
            self._add_flag(want, told, "--json")
        if "quiet" not in names:
            self._add_flag(_be_quiet, "No progress, no list of files.", "-q", "--quiet")
        self._add_flag(
            tell_more, "Tell on standard error what is done, and when.", "-v", "--verbose"
        )

    def _add_flag(self, callback: _Callback, told: str, *names: str) -> None:
        """Add a flag that goes to its callback and not to the command's function."""
        self.params.append(
            click.Option(names, is_flag=True, expose_value=False, callback=callback, help=told)
        )

    def invoke(self, ctx: click.Context) -> Any:
        with only_the_answer(ctx):
            return super().invoke(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        order = self.make_parser(ctx).parse_args(args=list(args))[2]
        for option in order:
            single = isinstance(option, click.Option) and not (option.multiple or option.is_flag)
            if single and order.count(option) > 1:
                raise click.UsageError(f"{option.opts[-1]} is given twice; give it once.", ctx)
        if not any(name in option.opts for option in order for name in ctx.help_option_names):
            _require_room()
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A command that has commands of its own."""

    context_class = HelpContext


def _require_room() -> None:
    """Raise if a limit of this process is below what the numerical libraries need to say so.

    Where no room is left OpenBLAS asks again for ever, deaf to SIGTERM (measured between 180 and
    200 MB, and once at 600 MB on another processor, whose kernels take larger buffers), and LLVM
    ends the process with a signal (500 MB). ``fit`` is done in 550 MB, ``verify`` in 700.
    """
    if sys.platform == "win32":
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _LEAST_MEMORY:
        raise ResourceError(
            f"There is not enough memory: this process may take {limit / 1e6:.0f} MB (ulimit -v), "
            f"in which numerical libraries hang or abort; allow {_LEAST_MEMORY / 1e9:g} GB."
        )

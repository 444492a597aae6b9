"""Where the commands write, and all that is checked before anything is computed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spicealif.cli._answer import answering

if TYPE_CHECKING:
    from spicealif._support.kinds import Kind
    from spicealif._support.places import Place

__all__ = [
    "Say",
    "check_picture",
    "print_text",
    "writing",
    "writing_folder",
]

#: Prints a line: on standard output, unless a result goes there.
Say = Callable[[str], None]


def print_text(text: str) -> None:
    """Print a text that is a file's content: UTF-8 whatever the locale, except in a terminal."""
    from spicealif._support.files import write_text
    from spicealif._support.places import STANDARD_OUTPUT

    if answering():
        return  # it is in the answer
    if sys.stdout is None or sys.stdout.isatty():
        click.echo(text, nl=False)
    else:
        write_text(STANDARD_OUTPUT, text)


def check_picture(path: Path | None, picture: str | None, title: bool) -> None:
    """Refuse options of a figure without one, and a format that its name contradicts.

    Raises
    ------
    OutputError
        In either case.
    """
    from spicealif._support.figures import picture_format
    from spicealif.errors import OutputError

    if path is not None:
        picture_format(path, picture)
    elif picture is not None or title:
        option = "--format" if picture is not None else "--title"
        raise OutputError(f"{option} is for a figure, and none is asked for; add --figure FILE.")


@contextlib.contextmanager
def writing(
    *outputs: tuple[Path | None, Kind],
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
    printing: bool = False,
) -> Iterator[Say]:
    """Make sure that files can be written and may be replaced, before their content is computed.

    Parameters
    ----------
    *outputs : tuple of Path or None and Kind
        The files; None for one that is not asked for.
    inputs : iterable of str or path-like
        What the command reads, or might: names of presets and texts ``KEY=VALUE`` are no harm.
    force : bool
        Whether to replace files that are no results of ours.
    printing : bool
        Whether the command prints JSON, which must not be mixed with a result.

    Yields
    ------
    callable
        Prints a line, beside a result that goes to standard output.

    Raises
    ------
    OutputError
        If a file cannot or may not be written; folders made for them are taken away then, and also
        if the block fails and they are empty.
    """
    from spicealif._support.files import output_place
    from spicealif._support.kinds import check_ending
    from spicealif._support.text import shown_lines

    printing = printing or answering()
    wanted = [(path, kind) for path, kind in outputs if path is not None]
    with contextlib.ExitStack() as places:
        found = []
        for path, kind in wanted:
            check_ending(path, kind)
            found.append((places.enter_context(output_place(path)), kind))
        to_stdout = any(place.is_stdout for place, _ in found)
        _check_apart([place for place, _ in found], to_stdout and printing)
        for place, kind in found:
            if kind.binary and place.is_terminal():
                from spicealif.errors import OutputError

                raise OutputError(
                    f"{_capital(kind.name)} is nothing to show in a terminal; give the name of a "
                    "file, or a pipe."
                )
            if place.kind == "pipe" and sys.stderr is not None and sys.stderr.isatty():
                shown = ascii(str(place.shown))
                click.echo(f"{shown} is a pipe; the result waits for a reader.", err=True)
            if place.kind == "file":
                _check_input(place, inputs)
                _check_kind(place, kind, force)
        # The name of a file may hold anything.
        yield lambda text: click.echo(shown_lines(text), err=to_stdout)


@contextlib.contextmanager
def writing_folder(
    path: Path,
    files: Mapping[str, Kind],
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> Iterator[Path]:
    """Make a folder for results, and make sure that what is in it may be replaced.

    Parameters
    ----------
    path : Path
        The folder.
    files : mapping of str to Kind
        Names of the files that may be written or taken away.
    inputs, force
        As in `writing`.

    Yields
    ------
    Path

    Raises
    ------
    OutputError
        As in `writing`.
    """
    from spicealif._support.files import output_folder
    from spicealif._support.places import locate

    _check_folder_name(path)
    with output_folder(path):
        existing = [(locate(path / name), kind) for name, kind in files.items()]
        existing = [pair for pair in existing if pair[0].kind == "file" and pair[0].status]
        known = False
        unknown = []
        for place, kind in existing:
            _check_input(place, inputs)
            if _is_ours(place, kind):
                known = known or bool(place.status and place.status.st_size)
            else:
                unknown.append((place, kind))
        for place, kind in unknown:
            # A plain text is known by its neighbours.
            if not (known and place.shown.suffix.lower() in (".txt", ".log")):
                _ask(place, kind, force)
        yield path


def _check_folder_name(path: Path) -> None:
    """Refuse what reads like the name of a file, unless there is a folder of that name."""
    from spicealif._support import kinds as _kinds
    from spicealif._support.places import STANDARD_OUTPUT
    from spicealif.errors import OutputError

    if path == STANDARD_OUTPUT:
        raise OutputError(
            "These results are a folder of files and do not go to standard output; give the name "
            "of a folder."
        )
    kinds = (k for k in vars(_kinds).values() if isinstance(k, _kinds.Kind))
    endings = {e for kind in kinds for e in kind.endings if e} | {".csv", ".raw", ".h5"}
    if path.suffix.lower() in endings and not os.path.lexists(path):
        raise OutputError(
            f"These results are a folder of files, and {ascii(path.name)} reads like the name of "
            "one file; give the name of a folder."
        )


def _check_apart(places: list[Place], printing: bool) -> None:
    from spicealif.errors import OutputError

    targets = [(p.path, p.descriptor) for p in places]
    if len(set(targets)) < len(targets):
        raise OutputError("Two results are to go to the same place; give each a place of its own.")
    if printing:
        raise OutputError(
            "Both the JSON and a file are to go to standard output; give the file a name."
        )


def _check_input(place: Place, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    from spicealif.errors import OutputError

    if place.status is None:
        return
    for given in inputs:
        # Of "leak.file=device.toml" the value is a file.
        text = os.fspath(given) if given is not None else ""
        for name in {text, text.partition("=")[2]} - {""}:
            try:
                same = os.path.samestat(os.stat(name), place.status)  # noqa: PTH116
            except (OSError, ValueError):
                continue  # no file
            if same:
                raise OutputError(
                    f"{ascii(str(place.shown))} is read by this command and would be replaced by "
                    "its result; give the result another name."
                )


def _check_kind(place: Place, kind: Kind, force: bool) -> None:
    if place.status is not None and not _is_ours(place, kind):
        _ask(place, kind, force)


def _is_ours(place: Place, kind: Kind) -> bool:
    """Whether nothing is lost that another run could not make again."""
    if place.status is None or not place.status.st_size:
        return True
    try:
        return kind.is_one(place.path, place.shown.suffix.lower())
    except (OSError, ValueError, RecursionError):
        return False


def _ask(place: Place, kind: Kind, force: bool) -> None:
    """Let somebody at a terminal decide; without one, refuse."""
    from spicealif.errors import OutputError

    if force:
        return
    shown = ascii(str(place.shown))
    what = f"{shown} exists and is not {kind.name} as spicealif writes it"
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm(f"{what}. Replace it?", err=True):
            return
        raise OutputError(f"{shown} is left as it was; give the result another name.")
    raise OutputError(f"{what}; give the result another name, or add --force to replace it.")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

"""Progress on a terminal; silence elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

__all__ = ["counting_bar", "progress_bar"]


@contextlib.contextmanager
def progress_bar(label: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """Give a callback that moves a progress bar, or None where nobody would see it.

    Parameters
    ----------
    label : str
        What is going on.
    quiet : bool
        Whether the user asked for silence.

    Yields
    ------
    callable or None
        Takes the fraction done, 0 to 1.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=1.0)
        yield lambda fraction: progress.update(task, completed=fraction)


@contextlib.contextmanager
def counting_bar(label: str, quiet: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Give a callback that counts points, with their rate and the time left.

    Parameters
    ----------
    label : str
        What is going on.
    quiet : bool
        Whether the user asked for silence.

    Yields
    ------
    callable or None
        Takes the points done, all points, and the failed ones among those done.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}{task.fields[more]}"),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None, more="")
        begun: list[tuple[float, int]] = []

        def move(done: int, total: int, failed: int) -> None:
            now = time.monotonic()
            # Stored points took no time: the rate counts from the first call.
            if not begun:
                begun.append((now, done))
            start, before = begun[0]
            rate = (done - before) / (now - start) if now > start else 0.0
            more = (f", {rate:.3g}/s" if rate else "") + (f", {failed} failed" if failed else "")
            progress.update(task, total=total, completed=done, more=more)

        yield move

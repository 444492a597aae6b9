"""Progress on a terminal and in a notebook; silence elsewhere.

One line, never wider than the terminal, wiped at the end. The cursor is never hidden, so that no
way to end, however sudden, leaves a terminal without one.
"""

from __future__ import annotations

import contextlib
import html
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Task

__all__ = ["Bar", "progress_bar"]

#: Terminals from this width on have room for a bar, and its width.
_WITH_BAR, _BAR = 70, 20
_ECHO = len("^C^C") + 1
#: Seconds between two lines on a terminal that cannot wipe one.
_PLAIN = 30.0
#: Seconds between two updates in a notebook.
_CELL = 0.2


class Bar(Protocol):
    """Moves a progress bar: by the fraction done, or by what is counted."""

    def __call__(self, done: float, total: int | None = None, failed: int = 0, /) -> None:
        """Move it to `done`: of 1, or of `total` points, so many `failed` among those done."""


@contextlib.contextmanager
def progress_bar(label: str, quiet: bool = False) -> Iterator[Bar | None]:
    """Give a callback that moves a progress bar, or None where nobody would see it.

    Parameters
    ----------
    label : str
        What is going on.
    quiet : bool
        Whether the user asked for silence.

    Yields
    ------
    Bar or None
        For the argument ``progress`` of whatever takes long. What is counted is shown with its
        rate. In a terminal it is a line that is wiped at the end, in a notebook a bar that stays;
        None elsewhere.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="1m")
    >>> with progress_bar("circuit and reference") as bar:
    ...     result = cosimulate(neuron, "equations", progress=bar)
    """
    begun: list[tuple[float, float]] = []
    with _display(label, quiet) as show:
        if show is None:
            yield None
            return

        def move(done: float, total: int | None = None, failed: int = 0, /) -> None:
            if total is None:
                show(done, "")
                return
            now = time.monotonic()
            # Stored points took no time: the rate counts from the first call.
            if not begun:
                begun.append((now, done))
            start, before = begun[0]
            rate = (done - before) / (now - start) if now > start else 0.0
            told = [f"{done}/{total}", f"{rate:.3g}/s" if rate else ""]
            told.append(f"{failed} failed" if failed else "")
            show(done / total if total else 1.0, ", ".join(filter(None, told)))

        yield move


@contextlib.contextmanager
def _display(label: str, quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    """Give a callback that takes the fraction done and what is told instead of it."""
    if quiet:
        yield None
        return
    if (shell := _notebook()) is not None:
        yield _Cell(label, shell).show
        return
    if not _is_terminal():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    from spicealif._support.compiled import watched

    class Screen(Console):
        """A terminal that keeps its cursor."""

        def show_cursor(self, show: bool = True) -> bool:
            return False

    class Line(Progress):
        """A progress that is one line at any width."""

        def get_renderables(self) -> Iterable[RenderableType]:
            return [_line(task, self.console.width) for task in self.tasks]

    # Exported, these two would be believed before the terminal's own size.
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    console = Screen(stderr=True, _environ=environment, highlight=False, markup=False)
    if console.is_dumb_terminal or not console.is_interactive:
        yield _plain_lines(label)
        return
    # What goes to standard output meanwhile is the result, and no matter of this line.
    with Line(console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(label, total=1.0, told="", known=False)

        def compiling() -> None:
            progress.update(task, description=f"compiling for the first use; {label}")

        with watched(compiling):
            yield lambda fraction, told: progress.update(
                task, description=label, completed=_within(fraction), told=told, known=True
            )


def _notebook() -> ModuleType | None:
    """Return IPython's module for display if this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython import display

    return cast("ModuleType", display)


class _Cell:
    """A bar below a notebook's cell: HTML's own, which needs no widgets."""

    def __init__(self, label: str, display: ModuleType) -> None:
        self._label, self._display, self._shown = label, display, -math.inf
        self._handle = display.display(display.HTML(self._html(0.0, "")), display_id=True)

    def show(self, fraction: float, told: str) -> None:
        now = time.monotonic()
        # Each one is a message to the browser, which may be far away.
        if fraction < 1 and now - self._shown < _CELL:
            return
        self._shown = now
        self._handle.update(self._display.HTML(self._html(_within(fraction), told)))

    def _html(self, fraction: float, told: str) -> str:
        said = html.escape(told or f"{100 * fraction:.0f} %")
        return (
            f"<div>{html.escape(self._label)} <progress max='1' value='{fraction:.4f}'></progress> "
            f"{said}</div>"
        )


def _line(task: Task, columns: int) -> RenderableType:
    """Return the line for a terminal of a width: label, bar if there is room, what is told."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    told = ""
    if task.fields["known"]:
        told = task.fields["told"] or f"{100 * task.completed:.0f} %"
        left = task.time_remaining
        if left is not None and not task.finished:
            told += f", {_clock(left)} left"
    # Room for the ^C that a terminal echoes, twice, or it would begin a line that nobody wipes.
    room = max(columns - _ECHO, 1)
    bar = columns >= _WITH_BAR
    for_label = room - len(told) - 2 - (_BAR + 2) * bar
    cells: list[RenderableType] = [Text(_cut(task.description, for_label))]
    if bar:
        cells.append(ProgressBar(total=1.0, completed=task.completed, width=_BAR))
    cells.append(Text(told))
    if not bar:
        line = f"{_cut(task.description, for_label)}  {told}" if for_label > 3 else told
        return Text(line.strip()[:room], no_wrap=True, overflow="crop")
    grid: Any = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for _ in cells:
        grid.add_column(no_wrap=True)
    grid.add_row(*cells)
    return grid  # type: ignore[no-any-return]


def _plain_lines(label: str) -> Callable[[float, str], None]:
    """Print a line now and then, for a terminal that can do no more."""
    sys.stderr.write(f"{label} ...\n")
    sys.stderr.flush()
    last = [time.monotonic()]

    def show(fraction: float, told: str) -> None:
        if time.monotonic() - last[0] > _PLAIN:
            last[0] = time.monotonic()
            sys.stderr.write(f"{label}: {told or f'{100 * _within(fraction):.0f} %'}\n")
            sys.stderr.flush()

    return show


def _is_terminal() -> bool:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # none, or closed
        return sys.stderr.isatty()
    return False


def _within(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0) if math.isfinite(fraction) else 0.0


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."


def _clock(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

"""The one door to matplotlib: figures that look the same whatever the user has set.

A user's matplotlibrc, style, backend or environment would change our figures, or stop them: LaTeX
that is not installed, a notebook's backend outside of the notebook, another picture format. So
every figure is made, drawn and written under matplotlib's own defaults and a few choices of ours.
The user's settings are put back afterwards. Nothing here goes through pyplot.

Texts are not read as formulas, so that a file called ``$5_$.csv`` is called so in its figure; a
label of ours that is one says ``parse_math=True``.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from spicealif._files import replacing
from spicealif._kinds import PICTURE, check_ending
from spicealif.errors import OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "FIGURE_ENDINGS",
    "figure_style",
    "in_figure_style",
    "new_figure",
    "readable",
    "save_figure",
]

#: How the name of a picture ends; what is written follows from it.
FIGURE_ENDINGS: tuple[str, ...] = PICTURE.endings

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What differs from matplotlib's own defaults.
_STYLE: Mapping[str, Any] = {
    "figure.dpi": 110,
    "text.parse_math": False,
    # The same figure gives the same file: names inside an SVG are else drawn by lot.
    "svg.hashsalt": "spicealif",
}
#: Who writes what, said by name: a user's registered backend would otherwise do it.
_WRITERS = {".png": "agg", ".svg": "svg", ".pdf": "pdf"}
#: What would say when a file was written.
_UNDATED: Mapping[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}

#: matplotlib's settings belong to the whole process; so does the right to exchange them.
_LOCK = threading.RLock()
_DEPTH = [0]


@contextlib.contextmanager
def figure_style() -> Iterator[None]:
    """Let matplotlib forget the user's settings while the block runs.

    One thread at a time; others wait.

    Raises
    ------
    OutputError
        If matplotlib cannot be loaded.
    """
    with _LOCK:
        if _DEPTH[0]:
            yield
            return
        _DEPTH[0] += 1
        try:
            with _unlogged():
                mpl = _matplotlib()
                with mpl.rc_context():
                    mpl.rcdefaults()
                    mpl.rcParams.update(_STYLE)
                    yield
        finally:
            _DEPTH[0] -= 1


def in_figure_style(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function that draws run within `figure_style`."""

    @functools.wraps(function)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with figure_style():
            return function(*args, **kwargs)

    return styled


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure that is drawn in our style, wherever that happens.

    What is put into it takes the style of the moment: do that within `figure_style`.

    Parameters
    ----------
    width, height : float
        In inches.
    **options
        For `matplotlib.figure.Figure`; without a ``layout`` it is "constrained".
    """
    with figure_style():
        from spicealif._styled_figure import StyledFigure

        return StyledFigure(figsize=(width, height), **({"layout": "constrained"} | options))


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure (PNG, SVG or PDF, by the file's ending); return the path.

    What is drawn anew from the same data gives the same file, byte by byte.

    Parameters
    ----------
    figure : Figure
        Of ours or any other.
    path : path-like
        Ends in one of `FIGURE_ENDINGS`, in small letters or capitals.

    Raises
    ------
    OutputError
        If the file cannot be written or its ending is none of these.
    """
    target = Path(path)
    check_ending(target, PICTURE)
    ending = target.suffix.lower()
    # A pipe or a device has no ending that counts.
    ending = ending if ending in FIGURE_ENDINGS else FIGURE_ENDINGS[0]
    with replacing(target) as file, figure_style():
        figure.savefig(
            file,
            format=ending[1:],
            backend=_WRITERS[ending],
            metadata=_UNDATED.get(ending),
        )
    return target


def readable(text: str) -> str:
    """Return a text for a figure: what its font cannot draw as Python would escape it.

    For texts that come from outside, such as names of files, which may hold anything.
    """
    with figure_style():
        from matplotlib.font_manager import findfont, get_font

        drawn = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(c if ord(c) in drawn and c.isprintable() else ascii(c)[1:-1] for c in text)


def _matplotlib() -> Any:
    """Import matplotlib, whatever its settings on this machine are."""
    if (loaded := sys.modules.get("matplotlib")) is not None:
        return loaded
    try:
        try:
            return importlib.import_module("matplotlib")
        except ImportError:
            raise
        except Exception:
            # A matplotlibrc that cannot be read, or a backend that there is not. Without them it
            # is matplotlib's own settings file that it finds.
            _forget_half()
            with _without_settings():
                return importlib.import_module("matplotlib")
    except Exception as error:
        raise OutputError(
            f"Figures cannot be drawn, since matplotlib does not load ({type(error).__name__}: "
            f"{str(error).strip().rstrip('.')}); install it again with: pip install "
            "--force-reinstall matplotlib."
        ) from None


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep back what matplotlib says of the user's settings and folders, which are not used."""
    logger = logging.getLogger("matplotlib")
    asked = logger.level  # by somebody who wants to read it
    if not asked:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(asked)


def _forget_half() -> None:
    """Take away what an import of matplotlib that failed has left, so that it can be tried again.

    Compiled modules stay: some cannot be loaded a second time.
    """
    for name, module in list(sys.modules.items()):
        source = str(getattr(module, "__file__", None))
        if name.partition(".")[0] == "matplotlib" and source.endswith(".py"):
            del sys.modules[name]


@contextlib.contextmanager
def _without_settings() -> Iterator[None]:
    """Hide the user's settings of matplotlib from it."""
    changes: dict[str, str | None] = {"MPLBACKEND": None}
    spec = importlib.util.find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        changes["MATPLOTLIBRC"] = str(Path(spec.origin).parent / "mpl-data" / "matplotlibrc")
    before = {name: os.environ.get(name) for name in changes}
    exists = os.path.exists
    _set(changes)
    # A file of this name in the working directory comes before all others and cannot be declined.
    os.path.exists = lambda path: path != "matplotlibrc" and exists(path)
    try:
        yield
    finally:
        os.path.exists = exists
        _set(before)


def _set(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

"""The one door to matplotlib: figures that look the same whatever the user has set.

A user's matplotlibrc, style, backend or environment would change our figures, or stop them: LaTeX
that is not installed, a notebook's backend outside of the notebook, another picture format. So
every figure is made, drawn and written under matplotlib's own defaults and a few choices of ours.
The user's settings are put back afterwards. Nothing here goes through pyplot.

Texts are not read as formulas, so that a file called ``$5_$.csv`` is called so in its figure; a
label of ours that is one says ``parse_math=True``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from spicealif._support.figure_style import figure_style
from spicealif._support.files import replacing
from spicealif._support.kinds import PICTURE, check_ending

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

#: Who writes what, said by name: a user's registered backend would otherwise do it.
_WRITERS = {".png": "agg", ".svg": "svg", ".pdf": "pdf"}
#: What would say when a file was written.
_UNDATED: Mapping[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


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
        from spicealif._support.styled_figure import StyledFigure

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

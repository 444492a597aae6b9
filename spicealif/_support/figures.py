"""The one door to matplotlib: figures that look the same whatever the user has set.

A user's matplotlibrc, style, backend or environment would change our figures, or stop them: LaTeX
that is not installed, a notebook's backend outside of the notebook, another picture format. So
every figure is made, drawn and written under matplotlib's own defaults and the choices of our style
file (``spicealif.mplstyle``): as wide as a column or a page, 8 pt, legends outside of the data.
The user's settings are put back afterwards. Nothing here goes through pyplot.

Texts are not read as formulas, so that a file called ``$5_$.csv`` is called so in its figure; a
label of ours that is one says ``parse_math=True``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from spicealif._support.figure_style import STYLE_FILE, figure_style
from spicealif._support.files import replacing
from spicealif._support.kinds import PICTURE, check_ending
from spicealif._support.places import locate
from spicealif.errors import OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure, FigureBase

    from spicealif._support.styled_figure import StyledFigure

__all__ = [
    "COLUMN",
    "FIGURE_ENDINGS",
    "FIGURE_FORMATS",
    "PAGE",
    "STYLE_FILE",
    "add_legend",
    "check_format",
    "figure_style",
    "in_figure_style",
    "new_figure",
    "picture_format",
    "readable",
    "save_figure",
]

#: Widths of figures in mm: of a column, and of a page with two.
COLUMN, PAGE = 88.0, 180.0
_INCH = 25.4
#: How much of a figure's width a legend may take.
_FULL = 0.97

#: How the name of a picture ends; what is written follows from it.
FIGURE_ENDINGS: tuple[str, ...] = PICTURE.endings
#: What ``--format`` may be.
FIGURE_FORMATS: tuple[str, ...] = tuple(ending[1:] for ending in PICTURE.endings)

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Who writes what, said by name: a user's registered backend would otherwise do it.
_WRITERS = {"png": "agg", "svg": "svg", "pdf": "pdf"}
#: What would say when a file was written.
_UNDATED: Mapping[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
#: Where a file says what it shows.
_CAPTION = {"png": "Description", "svg": "Description", "pdf": "Subject"}


def in_figure_style(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function that draws run within `figure_style`."""

    @functools.wraps(function)
    def styled(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with figure_style():
            return function(*args, **kwargs)

    return styled


def new_figure(width: float, height: float, **options: Any) -> StyledFigure:
    """Return an empty figure that is drawn in our style, wherever that happens.

    What is put into it takes the style of the moment: do that within `figure_style`.

    Parameters
    ----------
    width, height : float
        In mm, as it is printed; `COLUMN` and `PAGE` are the widths to choose from.
    **options
        For `matplotlib.figure.Figure`; without a ``layout`` it is "constrained".
    """
    with figure_style():
        from spicealif._support.styled_figure import StyledFigure

        size = (width / _INCH, height / _INCH)
        return StyledFigure(figsize=size, **({"layout": "constrained"} | options))


def add_legend(
    figure: FigureBase,
    handles: Sequence[Any],
    labels: Sequence[str],
    *,
    formulas: bool = False,
) -> None:
    """Add a legend below all panels, in as many columns as the figure's width has room for.

    Parameters
    ----------
    figure : Figure or SubFigure
    handles : sequence of Artist
    labels : sequence of str
    formulas : bool
        Whether the labels hold formulas.
    """
    of: Any = figure  # a figure or a part of one; both have what is used here
    renderer = of.figure.canvas.get_renderer()
    for rows in range(1, len(labels) + 1):
        legend = of.legend(
            list(handles), list(labels), loc="outside lower center", ncols=-(-len(labels) // rows)
        )
        for text in legend.get_texts():
            text.set_parse_math(formulas)
        if rows == len(labels) or _width(legend, renderer) <= _FULL * of.bbox.width:
            return
        legend.remove()


def _width(legend: Any, renderer: Any) -> float:
    return float(legend.get_window_extent(renderer).width)


def picture_format(path: Path, wanted: str | None = None) -> str:
    """Return the format, such as "png", of a picture that goes to `path`.

    Parameters
    ----------
    path : Path
        Its ending says the format; a pipe, a device or an open file may have any name.
    wanted : str, optional
        The format, where it is given apart from the name.

    Raises
    ------
    OutputError
        If the ending is none of `FIGURE_ENDINGS` or another format's, or there is no such format.
    """
    check_format(wanted)
    check_ending(path, PICTURE)
    ending = path.suffix.lower()
    if locate(path).kind != "file":  # whose name says nothing, unless nothing else does
        return wanted or (ending if ending in FIGURE_ENDINGS else FIGURE_ENDINGS[0])[1:]
    if wanted is not None and ending != f".{wanted}":
        raise OutputError(
            f"{ascii(path.name)} is the name of another format than {wanted}; leave the format "
            "out, or change the name."
        )
    return ending[1:]


def check_format(wanted: str | None) -> None:
    """Refuse a format of pictures that is not written.

    Raises
    ------
    OutputError
        If it is none of `FIGURE_FORMATS`.
    """
    if wanted is not None and wanted not in FIGURE_FORMATS:
        raise OutputError(
            f"Figures are not written as {ascii(wanted)}; choose one of "
            f"{', '.join(FIGURE_FORMATS)}."
        )


def save_figure(figure: Figure, path: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write a figure (PNG, SVG or PDF, by the file's ending); return the path.

    What is drawn anew from the same data gives the same file, byte by byte. A figure of ours has
    its caption in the file, as what the picture is of.

    Parameters
    ----------
    figure : Figure
        Of ours or any other.
    path : path-like
        Ends in one of `FIGURE_ENDINGS`, in small letters or capitals.
    format : {"png", "svg", "pdf"}, optional
        For a pipe or a device, whose name does not say it.

    Raises
    ------
    OutputError
        If the file cannot be written, its ending is none of these, or says another format.
    """
    target = Path(path)
    kind = picture_format(target, format)
    metadata: dict[str, str | None] = dict(_UNDATED.get(kind, {}))
    if caption := getattr(figure, "caption", ""):
        metadata[_CAPTION[kind]] = readable(caption)
    with replacing(target) as file, figure_style():
        figure.savefig(file, format=kind, backend=_WRITERS[kind], metadata=metadata or None)
    return target


def readable(text: str) -> str:
    """Return a text for a figure: what its font cannot draw as Python would escape it.

    For texts that come from outside, such as names of files, which may hold anything.
    """
    with figure_style():
        from matplotlib.font_manager import findfont, get_font

        drawn = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(c if ord(c) in drawn and c.isprintable() else ascii(c)[1:-1] for c in text)

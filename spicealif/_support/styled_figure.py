"""A figure that keeps its style wherever it is drawn, apart because it needs matplotlib at once."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.artist import allow_rasterization
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spicealif._support.figure_style import figure_style

__all__ = ["StyledFigure"]


class StyledFigure(Figure):
    """A figure that is drawn in our style by whoever draws it, a notebook for one.

    Attributes
    ----------
    caption : str
        What it shows, as plain text.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.caption = ""
        super().__init__(*args, **options)
        FigureCanvasAgg(self)

    # As the original, or panels of an SVG could not become pixels.
    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        with figure_style():
            super().draw(renderer)

    def savefig(self, *args: Any, **options: Any) -> None:
        with figure_style():
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        """Return the picture, which a notebook shows even if pyplot was never loaded there."""
        buffer = io.BytesIO()
        # As large as a screen shows it, not as fine as it is printed.
        self.savefig(buffer, format="png", backend="agg", bbox_inches="tight", dpi="figure")
        return buffer.getvalue()

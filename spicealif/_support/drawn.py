"""The way from a result to its figure.

Figures stand above the results that they show, and nothing below may import what is above. A method
``plot`` is what people look for on a result all the same, so this one door asks for the figures'
room by its name, when it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawn"]

_FIGURES = "spicealif.plots.of_result"


class Drawn:
    """A result that has a figure."""

    def plot(self, **options: Any) -> Figure:
        """Draw the result.

        Parameters
        ----------
        **options
            Of the figure's own function, see `spicealif.plots.figure_of`.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; ``savefig`` or `spicealif.plots.save_figure` writes it.

        Raises
        ------
        CompareError, RunFailed, WaveformError
            If the result has no traces, or does not say which neuron it is of.
        """
        return cast("Figure", import_module(_FIGURES).figure_of(self, **options))

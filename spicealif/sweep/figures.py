"""Figures of sweeps: which one shows an experiment best follows from what it varies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spicealif._support.figures import in_figure_style
from spicealif.errors import SweepError
from spicealif.sweep._experiment_figures import EXPERIMENT_FIGURES
from spicealif.sweep._grid_figures import lines, many_maps, maps, scatter
from spicealif.sweep._prototype_figure import YIELD_WIDTH, Limits, prototypes
from spicealif.sweep._results import PROTOTYPE, Results
from spicealif.sweep.statistics import sensitivity, yield_of

if TYPE_CHECKING:
    import xarray as xr

    from spicealif._support.styled_figure import StyledFigure

__all__ = ["YIELD_WIDTH", "sensitivity", "sweep_figure", "yield_of"]


@in_figure_style
def sweep_figure(
    dataset: xr.Dataset,
    measure: str | None = None,
    yield_limits: Limits | None = None,
    *,
    title: bool | str = False,
) -> StyledFigure:
    """Draw a sweep.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `Experiment.run` returns it, or a slice of one (``dataset.sel({"c": 1e-7})``).
    measure : str, optional
        What to draw. If not given: an experiment of `EXPERIMENTS` is drawn as its kind asks for,
        other sweeps by their main measures.
    yield_limits : mapping of str to (float, float), optional
        For prototypes: the lowest and highest good value of each measure, in SI units, infinity for
        no limit. If not given, ten percent (`YIELD_WIDTH`) around the design's own value where that
        was computed (``varies="circuit"``), else around the median.
    title : bool or str
        Whether the figure says above the panels what it shows, or what it says there. What it
        shows is its attribute `caption` as well, and is written into its file.

    Returns
    -------
    matplotlib.figure.Figure
        88 or 180 mm wide. One parameter: lines. Two: maps of both sides and of their difference.
        Three: a row of maps for each. Drawn points: a panel for each parameter. Prototypes:
        histograms, what moves them (`sensitivity`) and yield (`yield_of`). Failed points are
        crosses and are counted in the caption; grey cells have no value, such as an interval where
        there is one spike.

    Raises
    ------
    SweepError
        If the dataset is no sweep's, there is no such measure, limits are given without prototypes,
        or there are more parameters than a figure can show.
    """
    results = Results(dataset)
    for name in (*([measure] if measure else ()), *(yield_limits or ())):
        results.check(name)
    dims = results.dims
    if dims == (PROTOTYPE,):
        return prototypes(results, measure, yield_limits, title)
    if yield_limits:
        raise SweepError("Limits are for prototypes, and this sweep has none; leave them out.")
    if not dims:
        raise SweepError("One point makes no figure; draw a slice that leaves a parameter open.")
    own = EXPERIMENT_FIGURES.get((results.kind, frozenset(dims)))
    if measure is None and own is not None:
        return own(results, title)
    if len(dims) == 1 and dims[0] not in dataset.coords:
        return scatter(results, measure or results.main[0], title)
    if len(dims) == 1:
        return lines(results, measure, title)
    draw = maps if len(dims) == 2 else many_maps
    return draw(results, measure or results.main[0], title)

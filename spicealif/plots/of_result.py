"""Which figure belongs to which result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from spicealif.errors import CompareError
from spicealif.measures.comparison import Comparison, design_of
from spicealif.plots.budget import budget_figure
from spicealif.plots.overlay import overlay_figure
from spicealif.plots.sides import circuit_figure, reference_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spicealif.analysis.budget import GapBudget
    from spicealif.analysis.certificate import Certificate
    from spicealif.analysis.tolerance_budget import ToleranceBudget
    from spicealif.cosim import Cosimulation
    from spicealif.design import Neuron
    from spicealif.fit import FitResult
    from spicealif.simulators import Run
    from spicealif.waveforms import Waveforms

__all__ = ["figure_of"]


def figure_of(
    result: Waveforms
    | Run
    | Comparison
    | Cosimulation
    | Certificate
    | GapBudget
    | ToleranceBudget
    | FitResult,
    **options: Any,
) -> Figure:
    """Return the figure of a result; ``result.plot()`` is the same.

    Parameters
    ----------
    result : Waveforms, Run, Comparison, Cosimulation, Certificate, GapBudget, ToleranceBudget or \
            FitResult
    **options
        Of the figure's own function: `circuit_figure` and `reference_figure` for traces (with
        ``neuron`` where these do not say which one they are of), `overlay_figure` for comparisons,
        `budget_figure` for budgets (without the intervals of a `ToleranceBudget`),
        `spicealif.fit.figures.loop_figure` for fits, `spicealif.network.raster_figure` and
        `spicealif.network.comparison_figure` for networks. A sweep's result is an
        `xarray.Dataset`, for which `spicealif.sweep.figures.sweep_figure` is.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    CompareError
        If there is no figure of it, nothing was computed, or traces do not say which neuron they
        are of.
    """
    for kind in type(result).__mro__:
        if kind.__module__.startswith("spicealif.") and kind.__name__ in _FIGURES:
            return _FIGURES[kind.__name__](result, **options)
    raise CompareError(
        f"There is no figure of a {type(result).__name__}; spicealif.plots and "
        "spicealif.sweep.figures have those that there are."
    )


def _of_waveforms(result: Waveforms, *, neuron: Neuron | None = None, **options: Any) -> Figure:
    of = design_of(result) if neuron is None else neuron
    draw = reference_figure if result.attrs.get("side") == "reference" else circuit_figure
    return draw(result, of, **options)


def _of_run(result: Run, **options: Any) -> Figure:
    if result.waveforms is None:
        raise CompareError(
            f"The run of '{result.netlist.design.name}' computed nothing to draw; .message says "
            "why."
        )
    return _of_waveforms(result.waveforms, neuron=result.netlist.neuron, **options)


def _of_both(result: Cosimulation | Certificate, **options: Any) -> Figure:
    if result.comparison is None:
        raise CompareError(
            f"The circuit of '{result.neuron.name}' computed nothing; .reference.plot() draws the "
            "reference."
        )
    return overlay_figure(result.comparison, **options)


def _of_tolerances(result: ToleranceBudget, **options: Any) -> Figure:
    return budget_figure(result.budget, **options)


def _of_fit(result: FitResult, **options: Any) -> Figure:
    from spicealif.fit.figures import loop_figure

    return loop_figure(result, **options)


def _of_network(result: Any, **options: Any) -> Figure:
    from spicealif.network.figures import raster_figure

    return raster_figure(getattr(result, "trains", result), **options)


def _of_networks(result: Any, **options: Any) -> Figure:
    from spicealif.network.figures import comparison_figure

    return comparison_figure(result, **options)


def _of_network_certificate(result: Any, **options: Any) -> Figure:
    if result.comparison is None:
        return _of_network(result.measures, **options)
    return _of_networks(result.comparison, **options)


#: By the name of the class: who draws a run need not load what fits devices.
_FIGURES: Mapping[str, Callable[..., Figure]] = MappingProxyType(
    {
        "Waveforms": _of_waveforms,
        "Run": _of_run,
        "Comparison": overlay_figure,
        "Cosimulation": _of_both,
        "Certificate": _of_both,
        "GapBudget": budget_figure,
        "ToleranceBudget": _of_tolerances,
        "FitResult": _of_fit,
        "NetworkSolution": _of_network,
        "NetworkReference": _of_network,
        "FlatRun": _of_network,
        "NetworkMeasures": _of_network,
        "NetworkComparison": _of_networks,
        "NetworkCertificate": _of_network_certificate,
    }
)

"""``spicealif explain``: the gap between circuit and reference, cause by cause.

What it prints is in `spicealif.analysis._budget_shown`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif._support.progress import progress_bar
from spicealif.cli._options import (
    find_neuron,
    format_option,
    json_option,
    neuron_options,
    output_options,
    quiet_option,
    simulator_options,
    title_option,
    workers_option,
)
from spicealif.cli._output import writing_folder
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import CountType

if TYPE_CHECKING:
    from spicealif.analysis.budget import GapBudget
    from spicealif.analysis.tolerance_budget import ToleranceBudget

__all__ = ["explain_command"]


@click.command(
    "explain",
    cls=Command,
    epilog="Example:  spicealif explain paper --measure isi_mean --measure isi_growth",
    short_help="Say which part of the circuit causes which part of the gap.",
)
@neuron_options
@simulator_options
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME",
    help="What to explain; may be repeated. NAME 'all' takes every measure.",
)
@click.option(
    "--orders",
    type=CountType(),
    metavar="N",
    help="Sample N orders of the causes, with error bars, instead of solving all sets.",
)
@click.option(
    "--tolerances",
    is_flag=True,
    help="Give the gap and every share with an interval over the parts' tolerances.",
)
@click.option(
    "--draws",
    type=CountType(),
    metavar="N",
    help="Circuits to draw for --tolerances [default: 32].",
)
@click.option(
    "--seed", type=int, default=0, help="Of the draws and of sampled orders [default: 0]."
)
@workers_option("Threads to solve in")
@click.option("--cache/--no-cache", default=True, help="Whether to keep and reuse results.")
@json_option
@output_options("Folder for table and figure [default: the neuron's name, in spicealif-results].")
@format_option("Of the figure: png, svg or pdf [default: png].")
@title_option
@quiet_option
def explain_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    simulator: str,
    timeout: float | None,
    measures: tuple[str, ...],
    orders: int | None,
    tolerances: bool,
    draws: int | None,
    seed: int,
    workers: int | None,
    cache: bool,
    as_json: bool,
    output: Path | None,
    force: bool,
    picture: str | None,
    title: bool,
    quiet: bool,
) -> None:
    """Attribute the gap between NEURON's circuit and its ideal reference to causes.

    The circuit's equations are solved with every set of causes switched on; a cause's Shapley
    value is its share. Prints the table and writes it (JSON and text) with a waterfall figure.
    Results are kept in the folder SPICEALIF_CACHE, or the user's cache folder.

    One circuit is one draw of its offsets: --tolerances draws many and says which shares are a
    fact of the circuit. On two cores the paper's neuron takes one to two minutes, with --tolerances
    about five, and seconds from what is kept.
    """
    from spicealif._support.folders import exchanging
    from spicealif._support.kinds import BUDGET_FILES
    from spicealif.analysis.attribution import BUDGET_MEASURES, SHOWN_MEASURES, explain
    from spicealif.analysis.tolerance_budget import explain_tolerances
    from spicealif.errors import CompareError
    from spicealif.measures.shown import json_text

    if draws is not None and not tolerances:
        raise CompareError("--draws says how many circuits --tolerances draws; give both.")
    described = find_neuron(neuron, changes, ideal)
    wanted = BUDGET_MEASURES if "all" in measures else measures or SHOWN_MEASURES
    # The folder is made and locked before minutes of computing, so that it cannot fail then.
    target = output or Path("spicealif-results") / described.name
    with (
        writing_folder(target, BUDGET_FILES, (neuron, *changes), force),
        exchanging(target, BUDGET_FILES, patience=0.0) as folder,
    ):
        label = f"all sets of causes, {described.t_stop * 1e3:g} ms of circuit time each"
        # Draws are SciPy's, which needs its own.
        lean = contextlib.nullcontext() if tolerances else without_scipy_blas()
        with progress_bar(label, quiet) as bar, lean:
            choices: dict[str, Any] = {
                "measures": wanted,
                "seed": seed,
                "workers": workers,
                "timeout": timeout,
                "cache": cache,
                "progress": bar,
            }
            budget: GapBudget | ToleranceBudget
            if tolerances:
                some = {"draws": draws, "orders": orders}
                choices |= {name: value for name, value in some.items() if value is not None}
                budget = explain_tolerances(described, simulator, **choices)
                shown = budget.budget
            else:
                budget = shown = explain(described, simulator, orders=orders, **choices)
        click.echo(json_text(budget) if as_json else for_terminal(budget))
        files = budget.save(folder)
        if shown.measures:
            from spicealif import plots

            figure = plots.budget_figure(shown, title=title)
            files.append(plots.save_figure(figure, folder / f"budget.{picture or 'png'}"))
    if not quiet:
        names = ", ".join(file.name for file in files)
        click.echo(f"\nWrote to {target}: {names}.", err=as_json)

"""``spicealif network run``: the whole job for a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._limits import limit_options
from spicealif.cli._options import (
    all_option,
    force_option,
    format_option,
    quiet_option,
    workers_option,
)
from spicealif.cli._output import writing_folder
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import OutputPath
from spicealif.cli.network._find import (
    SIDES,
    ask_about_network,
    find_network,
    network_options,
    side_option,
    tau_option,
    tolerance_options,
)
from spicealif.cli.network._show import Whole, population_table, spike_counts
from spicealif.errors import CompareError, OutputError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from spicealif.network import NetworkRun

__all__ = ["run_command"]

#: What a certificate takes, in units of the run as asked for.
_LEVELS = 4.0


@click.command(
    "run",
    cls=Command,
    epilog="Example:  spicealif network run ring --t-stop 1m --keep n_0,n_1 --out ring-results",
    short_help="Solve circuit and reference of a network, compare them, write everything.",
)
@network_options
@side_option
@click.option(
    "--variant",
    type=click.Choice(["ideal", "schmitt"]),
    default=None,
    help="Reference: ideal (point spikes, which need delays) or schmitt (pulses)  [default: "
    "schmitt where a synapse has no delay].",
)
@tolerance_options
@tau_option
@click.option(
    "--keep",
    default="none",
    show_default=True,
    metavar="NEURONS",
    help="Whose traces are written: all, none, or names, numbers and populations with commas. "
    "Spike times always are.",
)
@workers_option("Threads")
@click.option("--certificate", is_flag=True, help="Find the numerical error of both sides too.")
@click.option(
    "-o",
    "--output",
    "--out",
    "output",
    type=OutputPath(),
    metavar="FOLDER",
    help="Folder for the results [default: the network's name, in spicealif-results].",
)
@force_option
@click.option("--figures/--no-figures", default=False, help="Whether to draw figures.")
@format_option("Of the figures: png, svg or pdf [default: png].")
@limit_options
@all_option
@quiet_option
def run_command(
    network: str,
    changes: tuple[str, ...],
    t_stop: float | None,
    side: str,
    variant: str | None,
    rtol: float,
    t_tol: float,
    tau: float | None,
    keep: str,
    workers: int | None,
    certificate: bool,
    output: Path | None,
    force: bool,
    figures: bool,
    picture: str | None,
    limit: float,
    yes: bool,
    all_rows: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Solve NETWORK as a circuit and as reference equations, and compare.

    Prints the comparison and writes the network, both sides' spikes and the traces that are kept
    (netCDF), the measures, the comparison and where it was computed, all at once when all is done.
    A network with delays has no circuit: --side reference. What a large network will take is said
    before it begins.
    """
    from spicealif._support.folders import exchanging
    from spicealif._support.kinds import NETWORK_RUN_FILES
    from spicealif.network import estimate_network, expand, run_network
    from spicealif.network.choices import kept_neurons

    if picture is not None and not figures:
        raise OutputError("--format is for figures; add --figures, or leave it out.")
    described = find_network(network, changes, t_stop)
    kept = kept_neurons(expand(described), keep)
    sides = SIDES[side]
    about = estimate_network(described, sides=sides, rtol=rtol, kept=len(kept))
    about = about * _LEVELS if certificate else about
    if not quiet or about.cpu_s > limit:
        ask_about_network(described, about, limit=limit, yes=yes, workers=workers)
    target = output or Path("spicealif-results") / described.name
    earlier = {path.name for path in target.glob("network-????????.nc")}
    names = {*NETWORK_RUN_FILES, *earlier}
    with (
        writing_folder(target, NETWORK_RUN_FILES, (network, *changes), force),
        exchanging(target, names, patience=0.0) as beside,
    ):
        label = f"{described.name}, {counted(described.n_neurons, 'neuron')}"
        with progress_bar(label, quiet) as bar:
            result = run_network(
                described, sides=sides, variant=variant, rtol=rtol, t_tol=t_tol, keep=kept,  # type: ignore[arg-type]
                workers=workers, certificate=certificate, tau=tau, progress=bar,
            )  # fmt: skip
        if figures:
            _draw(result, beside, picture or "png")
        result.write_into(beside)
        files = sorted(path.name for path in beside.iterdir())
        answer(lambda: _answer(result, target))
    found = result.certificate
    shown = result.comparison if found is None or isinstance(found, Mapping) else found
    if shown is None:
        click.echo(population_table(result))
    else:
        click.echo(for_terminal(Whole(shown, all_rows)))
    if not quiet:
        cost = " and ".join(f"{s:.3g} s ({name})" for name, s in result.cost.items())
        click.echo(f"{cost} of CPU. Wrote to {target}: {', '.join(files)}.")


def _answer(result: NetworkRun, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "network": result.network.name,
        "digest": result.network.digest,
        "folder": folder,
        "spikes": spike_counts(result),
        "measures": {name: one.to_dict() for name, one in result.measures.items()},
    }
    for name in ("comparison", "certificate"):
        if (one := getattr(result, name)) is not None:
            found[name] = one.to_dict()
    return found


def _draw(result: NetworkRun, folder: Path, picture: str) -> None:
    """Draw what there is to see of a run: phases of a ring, the delays along a chain."""
    from spicealif import network as own
    from spicealif.plots import save_figure

    side = result.solution if result.solution is not None else result.reference
    expanded = result.expanded
    figures: dict[str, Callable[[], Figure]] = {"raster": lambda: own.raster_figure(side, expanded)}
    if expanded.synapses:
        figures["weights"] = lambda: own.weights_figure(expanded, result.solution)
    measures = next(iter(result.measures.values()))
    if measures.is_ring:
        figures["phase"] = lambda: own.phase_figure(side, expanded)
    elif _is_chain(measures.links, len(expanded.neurons)):
        figures["propagation"] = lambda: own.propagation_figure(side, expanded)
    if (comparison := result.comparison) is not None:
        figures["comparison"] = lambda: own.comparison_figure(comparison)
    for name, draw in figures.items():
        try:
            figure = draw()
        except CompareError as error:  # too few spikes for it; the others are drawn
            click.echo(f"Note: {name}.{picture} is left out. {error}", err=True)
            continue
        save_figure(figure, folder / f"{name}.{picture}")


def _is_chain(links: NDArray[np.int64], n: int) -> bool:
    """Return whether each neuron is joined to the next one and no other."""
    return len(links) == n - 1 > 0 and sorted(map(tuple, links.tolist())) == [
        (k, k + 1) for k in range(n - 1)
    ]

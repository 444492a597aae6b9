"""``spicealif network compare``: saved runs of networks against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import all_option
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli.network._find import tau_option
from spicealif.cli.network._show import Whole

if TYPE_CHECKING:
    from spicealif.network import NetworkRun

__all__ = ["compare_command"]


@click.command(
    "compare",
    cls=Command,
    epilog="Example:  spicealif network compare ring-results",
    short_help="Compare circuit and reference of a saved run, or two saved runs.",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("other", required=False, type=click.Path(path_type=Path))
@tau_option
@all_option
def compare_command(folder: Path, other: Path | None, tau: float | None, all_rows: bool) -> None:
    """Compare circuit and reference of the run in FOLDER, or the runs in FOLDER and OTHER.

    Of two runs the same sides are compared neuron by neuron: the circuits if both have one.
    """
    from spicealif.errors import CompareError
    from spicealif.network import load_network_run
    from spicealif.network.comparison import compare_networks

    first = load_network_run(folder)
    if other is None:
        if first.comparison is None:
            raise CompareError(
                f"{ascii(str(folder))} holds one side only; run the network with --side both, or "
                "give a second folder."
            )
        comparison = first.comparison
        if tau is not None:
            comparison = compare_networks(
                first.solution, first.reference, network=first.expanded, tau=tau
            )
    else:
        second = load_network_run(other)
        a, b = _shared_sides(first, second)
        comparison = compare_networks(
            a, b, network=first.expanded, labels=(folder.name, other.name), tau=tau
        )
    answer(comparison.to_dict())
    click.echo(for_terminal(Whole(comparison, all_rows)))


def _shared_sides(first: NetworkRun, second: NetworkRun) -> tuple[Any, Any]:
    """Return the circuits of both runs, or their references."""
    from spicealif.errors import CompareError

    for side in ("solution", "reference"):
        both = getattr(first, side), getattr(second, side)
        if all(one is not None for one in both):
            return both
    raise CompareError(
        "One run has a circuit side alone and the other a reference alone; run one of them with "
        "--side both."
    )

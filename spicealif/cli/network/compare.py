"""``spicealif network compare``: saved runs of networks against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._answer import answer
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli.network._show import Text

if TYPE_CHECKING:
    from spicealif.network import NetworkRun

__all__ = ["compare_command"]

#: Rows of neurons that a terminal shows.
_MOST = 40


@click.command(
    "compare",
    cls=Command,
    epilog="Example:  spicealif network compare results",
    short_help="Compare circuit and reference of a saved run, or two saved runs.",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("other", required=False, type=click.Path(path_type=Path))
def compare_command(folder: Path, other: Path | None) -> None:
    """Compare circuit and reference of the run in FOLDER, or the runs in FOLDER and OTHER.

    Of two runs the same sides are compared neuron by neuron: the circuits if both have one.
    """
    from spicealif.errors import CompareError
    from spicealif.network import load_network_run

    first = load_network_run(folder)
    if other is None:
        if first.solution is None or first.reference is None:
            raise CompareError(
                f"{ascii(str(folder))} holds one side only; run the network with --side both, or "
                "give a second folder."
            )
        labels = ("circuit", "reference")
        trains = (first.solution.t_spike, first.reference.t_spike)
        names = first.reference.names
        if first.comparison is not None:
            answer(first.comparison.to_dict())
            click.echo(for_terminal(first.comparison))
            return
    else:
        second = load_network_run(other)
        side = _shared_side(first, second)
        labels = (str(folder), str(other))
        trains = _of(first, side), _of(second, side)
        names = first.expanded.names[: len(trains[0])]
        if names != second.expanded.names[: len(trains[1])]:
            raise CompareError(
                "The two runs are of networks with other neurons; give runs of the same neurons."
            )
    _show(labels, names, trains, first.network.t_stop)


def _shared_side(first: NetworkRun, second: NetworkRun) -> str:
    from spicealif.errors import CompareError

    for side in ("solution", "reference"):
        if getattr(first, side) is not None and getattr(second, side) is not None:
            return side
    raise CompareError(
        "One run has a circuit side alone and the other a reference alone; run one of them with "
        "--side both."
    )


def _of(run: NetworkRun, side: str) -> Any:
    return getattr(run, side).t_spike


def _show(labels: Any, names: Any, trains: Any, t_stop: float) -> None:
    """Print spikes and the largest difference of each neuron."""
    import math

    from spicealif.measures.tables import figure
    from spicealif.network.spice import worst_difference

    found = []
    for name, a, b in zip(names, *trains, strict=True):
        found.append((name, len(a), len(b), worst_difference(a, b, t_stop)))
    answer(
        {
            "labels": list(labels),
            "neurons": [
                {"name": n, "spikes": [i, j], "worst": None if math.isinf(w) else w}
                for n, i, j, w in found
            ],
        }
    )
    rows = [
        [n, str(i), str(j), "other number" if math.isinf(w) else figure(w, "s")]
        for n, i, j, w in found[:_MOST]
    ]
    same = [w for *_, w in found if math.isfinite(w)]
    worst = f", worst difference {figure(max(same), 's')}" if same else ""
    notes = [f"{len(same)} of {len(found)} neurons have as many spikes{worst}."]
    if len(found) > _MOST:
        notes.append(f"{len(found) - _MOST} more neurons with --json.")
    head = ["neuron", *(f"spikes ({label})" for label in labels), "worst difference"]
    click.echo(for_terminal(Text(head, rows, notes)))

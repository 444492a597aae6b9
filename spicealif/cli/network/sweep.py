"""``spicealif network sweep``: a network over values of its parameters."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._interrupts import kept_what_was_done
from spicealif.cli._limits import ask, check_limit, duration, limit_options
from spicealif.cli._options import force_option, quiet_option, retry_option, workers_option
from spicealif.cli._output import writing_folder
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import OutputPath
from spicealif.cli._values import read_values
from spicealif.cli.network._find import (
    SIDES,
    find_network,
    network_options,
    side_option,
    tau_option,
    tolerance_options,
)
from spicealif.cli.network._show import Points

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.network import Network
    from spicealif.network.sweep import NetworkSweep
    from spicealif.sweep import Store

__all__ = ["sweep_command"]

#: Failed points that are named.
_MOST = 10
_EXAMPLE = "populations.exc.neuron.c"


@click.command(
    "sweep",
    cls=Command,
    epilog="Example:  spicealif network sweep ring --vary projections.0.resistance=1k:10k:4 "
    "--out ring-sweep",
    short_help="Compute a network at many values of its parameters.",
)
@network_options
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=VALUES",
    help="Vary a parameter: a,b,c or low:high:n or low:high:n:log. May be repeated: all "
    "combinations are computed.",
)
@side_option
@click.option(
    "--variant",
    type=click.Choice(["ideal", "schmitt"]),
    default=None,
    help="Reference: ideal or schmitt  [default: schmitt where a synapse has no delay].",
)
@tolerance_options
@tau_option
@workers_option("Processes")
@retry_option("points")
@click.option(
    "-o",
    "--output",
    "--out",
    "output",
    type=OutputPath(),
    metavar="FOLDER",
    help="Folder for the results [default: NAME-sweep, named after the network].",
)
@force_option
@limit_options
@quiet_option
def sweep_command(
    network: str,
    changes: tuple[str, ...],
    t_stop: float | None,
    vary: tuple[str, ...],
    side: str,
    variant: str | None,
    rtol: float,
    t_tol: float,
    tau: float | None,
    workers: int | None,
    retry_failed: bool,
    output: Path | None,
    force: bool,
    limit: float,
    yes: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Compute NETWORK at all combinations of values, and write a table of all points.

    The folder holds the table (sweep.csv, sweep.nc), the network, and in its folder "store" every
    point's result with its spike times: the same command again computes only what is missing, so
    that a sweep that was interrupted or killed goes on where it was. A point that fails is named,
    and stops none of the others; the exit code then is 1.
    """
    from spicealif._support.kinds import NETWORK, SWEEP
    from spicealif.network import save_network
    from spicealif.network.sweep import NetworkSweep
    from spicealif.sweep import Store
    from spicealif.sweep.files import save_sweep

    described = find_network(network, changes, t_stop)
    given = {change.partition("=")[0].strip() for change in changes}
    given |= set() if t_stop is None else {"t_stop"}
    over = _over(described, vary, given)
    sweep = NetworkSweep(described, over, SIDES[side], variant, rtol, t_tol, tau)  # type: ignore[arg-type]
    target = output or Path(f"{described.name}-sweep")
    files = {"network.toml": NETWORK, "sweep.nc": SWEEP, "sweep.csv": SWEEP}
    with writing_folder(target, files, (network, *changes), force):
        store = Store(target / "store")
        _tell_or_ask(sweep, store, limit, yes, quiet, workers)
        label = f"{described.name}, {counted(len(sweep), 'point')}"
        try:
            with kept_what_was_done(), progress_bar(label, quiet) as bar:
                result = sweep.run(
                    store=store, workers=workers, retry_failed=retry_failed, progress=bar
                )
        finally:
            store.close()
            for empty in (store.folder / "segments", store.folder):
                with contextlib.suppress(OSError):  # it holds results
                    empty.rmdir()
        save_network(described, target / "network.toml")
        save_sweep(result, target / "sweep.nc")
        save_sweep(result, target / "sweep.csv")
    failed = int(result.attrs["failed"])
    named = _failures(sweep, result)
    answer(
        {
            "experiment": sweep.name, "points": len(sweep), "failed": failed, "folder": target,
            "failures": named,
        }
    )  # fmt: skip
    if not quiet:
        click.echo(for_terminal(Points(result)))
        told = f", {failed} of them failed ({result.attrs['failures']})" if failed else ""
        click.echo(
            f"{described.name}: {counted(len(sweep), 'point')}{told}. Wrote to {target}: "
            "sweep.csv, sweep.nc, network.toml, store."
        )
    for one in named[:_MOST]:
        click.echo(f"Failed at {one['point']}: {one['reason']}", err=True)
    if len(named) > _MOST:
        click.echo(f"{len(named) - _MOST} more failed; the table has their reasons.", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _over(network: Network, vary: tuple[str, ...], given: set[str]) -> dict[str, Any]:
    """Read what is varied, each parameter once."""
    from spicealif.errors import SweepError
    from spicealif.network.parameters import network_parameter

    if not vary:
        raise SweepError("Say what is varied: --vary KEY=VALUES (several if wanted).")
    over: dict[str, Any] = {}
    for text in vary:
        name = text.partition("=")[0].strip()
        if name in over:
            raise SweepError(f"--vary names {ascii(name)} twice; give all its values at once.")
        if name in given:
            raise SweepError(f"{ascii(name)} is set and varied; leave it out of one of the two.")
        unit = network_parameter(network, name)[1] if name and "=" in text else ""
        key, values = read_values(text, unit=unit or None, option="--vary", example=_EXAMPLE)
        over[key] = values
    return over


def _tell_or_ask(
    sweep: NetworkSweep, store: Store, limit: float, yes: bool, quiet: bool, workers: int | None
) -> None:
    from spicealif._support.cores import usable_cores
    from spicealif.network import estimate_network

    check_limit(limit)
    there = len(store.find(set(sweep.keys())))
    left = len(sweep) - there
    about = estimate_network(sweep.network, sides=sweep.sides, rtol=sweep.rtol).cpu_s * left
    count = max(1, min(workers or usable_cores(), left))
    said = f"about {duration(about / count)}, {counted(count, 'point')} at a time, for what is left"
    if there and not quiet:
        click.echo(f"Note: {there} of {counted(len(sweep), 'point')} are there.", err=True)
    if about > limit and not yes:
        ask(f"{sweep.network.name}, {counted(left, 'point')}: {said}",
            "take fewer points, or shorten t_stop")  # fmt: skip
    elif about > 0.1 * limit and not quiet:
        click.echo(f"Note: {said}.", err=True)


def _failures(sweep: NetworkSweep, result: xr.Dataset) -> list[dict[str, str]]:
    """Return where points failed, by their values, and why."""
    statuses, reasons = result["status"].values.ravel(), result["reason"].values.ravel()
    found = []
    for k, (status, reason) in enumerate(zip(statuses, reasons, strict=True)):
        if status != "OK":
            values = sweep.changes(k).items()
            told = ", ".join(f"{n} = {v:g}" if isinstance(v, float) else f"{n} = {v}"
                             for n, v in values)  # fmt: skip
            found.append({"point": told, "status": str(status), "reason": str(reason)})
    return found

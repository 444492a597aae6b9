"""``spicealif store``: what sweeps keep."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._options import store_option
from spicealif.cli._terminal import Command

__all__ = ["store_command"]


@click.command(
    "store",
    cls=Command,
    epilog="Example:  spicealif store check --set-aside",
    short_help="List, check or prune the store of sweeps.",
)
@click.argument("action", type=click.Choice(["list", "check", "prune"]), default="list")
@store_option
@click.option("--set-aside", is_flag=True, help="With check: move damaged lines out of the way.")
@click.option("--failed", is_flag=True, help="With prune: leave out points that failed.")
@click.option("--experiment", metavar="NAME", help="With prune: leave out this experiment's.")
def store_command(
    action: str, store: Path | None, set_aside: bool, failed: bool, experiment: str | None
) -> None:
    """List the experiments in the store, check it for damage, or write it anew without some.

    Files that somebody is writing to are left as they are.
    """
    from spicealif.errors import SweepError
    from spicealif.sweep import Store, default_store

    folder = store or default_store()
    kept = Store(folder)
    if set_aside and action != "check":
        raise SweepError("--set-aside goes with check; remove it, or say 'store check'.")
    if (failed or experiment) and action != "prune":
        raise SweepError("--failed and --experiment go with prune; say 'store prune'.")
    if action == "prune":
        count = kept.prune(failed=failed, experiment=experiment)
        answer({"folder": folder, "left_out": count})
        click.echo(f"{folder}: {counted(count, 'result')} left out.")
        return
    report = kept.check(set_aside=set_aside)
    answer({"folder": folder, **dataclasses.asdict(report)})
    click.echo(
        f"{folder}: {counted(report.results, 'result')} ({report.failed} of failed points), "
        f"{report.size / 1e6:.3g} MB in {counted(report.segments, 'file')}."
    )
    if report.waveforms:
        click.echo(f"Waveforms: {report.waveforms} files, {report.waveforms_size / 1e6:.3g} MB.")
    if action == "list":
        for name, count in sorted(report.by_experiment.items()):
            click.echo(f"{count:9d}  {name}")
    found = {
        "damaged lines": report.damaged,
        "damaged files of waveforms": report.damaged_waveforms,
        "files of waveforms that are gone": report.lost_waveforms,
    }
    for name, count in found.items():
        done = "set aside in its folder 'damaged'" if set_aside else "ignored"
        done = "" if name.endswith("gone") else f", {done}"
        if count:
            click.echo(f"{count} {name}{done}; their points will be computed again.", err=True)
    if any(found.values()) and action == "check" and not set_aside:
        raise click.exceptions.Exit(1)

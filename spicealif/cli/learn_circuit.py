"""``spicealif learn-circuit``: what the circuit makes of a readout trained on ideal equations."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._interrupts import kept_what_was_done
from spicealif.cli._options import (
    figure_options,
    output_options,
    quiet_option,
    report_option,
    workers_option,
)
from spicealif.cli._output import check_picture, writing
from spicealif.cli._tasks import find_task, give_result, need_packages, task_set_option
from spicealif.cli._terminal import Command
from spicealif.cli._types import CountType

__all__ = ["learn_circuit_command"]


@click.command(
    "learn-circuit",
    cls=Command,
    epilog="Example:  spicealif learn-circuit iris --set bank.duration=1m --samples 6 --no-budget",
    short_help="What the circuit makes of a readout that was trained on ideal equations.",
)
@click.argument("task")
@task_set_option
@click.option(
    "--readout",
    metavar="NAME",
    help="ridge, logistic or svm  [default: the task's first].",
)
@click.option(
    "--samples",
    type=CountType(),
    metavar="N",
    help="Test samples, drawn by the seed  [default: all of the split].",
)
@click.option(
    "--exchange",
    is_flag=True,
    help="Train on the split's test samples, and test on those that it trains with.",
)
@click.option(
    "--draws",
    type=CountType(),
    default=4,
    show_default=True,
    metavar="N",
    help="Draws of the parts' tolerances.",
)
@click.option(
    "--device",
    metavar="NAME",
    help="The memristor of the level 'device': a device preset, or the path of its file  [default: "
    "a measured W-SDC device].",
)
@click.option("--retrain", is_flag=True, help="Train a readout on each circuit's features too.")
@click.option(
    "--budget/--no-budget",
    default=True,
    help="Whether the lost points are attributed to causes and tolerances.  [default: yes]",
)
@click.option(
    "--orders",
    type=CountType(),
    default=8,
    show_default=True,
    metavar="N",
    help="Orders of causes and tolerances that the budget samples, at least 2 a draw.",
)
@click.option(
    "--grouping",
    type=click.Choice(["one", "parts", "each"]),
    default="parts",
    show_default=True,
    help="Tolerances in the budget: together, by part, or each for itself.",
)
@click.option(
    "--spot-checks",
    type=CountType(),
    default=0,
    show_default=True,
    metavar="N",
    help="Samples that a simulator solves too, those first whose predictions are not certified.",
)
@click.option(
    "--simulator",
    type=click.Choice(["ngspice", "ltspice"]),
    default="ngspice",
    show_default=True,
    help="Of the spot checks.",
)
@click.option(
    "--seed",
    type=CountType(),
    default=0,
    show_default=True,
    metavar="N",
    help="Of the split and everything that is drawn.",
)
@workers_option("Threads")
@output_options("File to write: .json with everything  [default: none].")
@figure_options("Draw levels, budget and energy as well.")
@report_option
@quiet_option
def learn_circuit_command(
    task: str,
    changes: tuple[str, ...],
    readout: str | None,
    samples: int | None,
    exchange: bool,
    draws: int,
    device: str | None,
    retrain: bool,
    budget: bool,
    orders: int,
    grouping: str,
    spot_checks: int,
    simulator: str,
    seed: int,
    workers: int | None,
    output: Path | None,
    force: bool,
    figure: Path | None,
    picture: str | None,
    title: bool,
    report: Path | None,
    quiet: bool,
) -> None:
    """Apply a readout trained on the ideal equations of TASK's bank to features of its circuit.

    TASK is a name (see "spicealif learn --list") or a TOML file. The table has the accuracy on
    features of the ideal equations, of the circuit, of the circuit with its parts' tolerances, with
    a measured memristor, and with adaptation off; then what the lost points are made of, how many
    predictions the numerical error could change, and the energy for a decision. Runs of the circuit
    are kept in the user's cache folder: the same again goes on where it was.
    """
    need_packages()
    from spicealif._support.kinds import CIRCUIT_STUDY, PICTURE, REPORT
    from spicealif.learning.circuit_study import run_circuit_study

    check_picture(figure, picture, title)
    described = find_task(task, changes)
    targets = (output, CIRCUIT_STUDY), (figure, PICTURE), (report, REPORT)
    inputs = (task, described.data.source, device)
    with writing(*targets, inputs=inputs, force=force) as say:
        parts = ["transfer", *(["budget"] if budget else []), "certificate", "energy"]
        label = f"{described.name}, {counted(len(parts), 'part')}"
        with kept_what_was_done(), progress_bar(label, quiet) as bar:
            result = run_circuit_study(
                described, readout=readout, samples=samples, exchange=exchange, draws=draws,
                device=device, retrain=retrain, budget=budget, orders=orders,
                grouping=grouping,  # type: ignore[arg-type]
                spot_checks=spot_checks, backend=simulator, seed=seed,
                workers=-1 if workers is None else workers, progress=bar,
            )  # fmt: skip
        wrote = give_result(result, say, output, figure, picture, title, report)
        if wrote and not quiet:
            say(f"Wrote {', '.join(map(str, wrote))}.")

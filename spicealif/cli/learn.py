"""``spicealif learn``: what a bank of neurons is worth on a task, beside other methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._interrupts import kept_what_was_done
from spicealif.cli._options import (
    figure_options,
    output_options,
    quiet_option,
    report_option,
    retry_option,
    store_option,
    workers_option,
)
from spicealif.cli._output import check_picture, print_text, writing
from spicealif.cli._tasks import find_task, give_result, need_packages, task_set_option
from spicealif.cli._terminal import Command
from spicealif.cli._types import CountType

if TYPE_CHECKING:
    from spicealif.learning import StudyResult, Task

__all__ = ["learn_command"]


@click.command(
    "learn",
    cls=Command,
    epilog="Example:  spicealif learn iris --seeds 5 -o iris.json --figure iris.svg",
    short_help="What a bank of neurons is worth on a task of machine learning.",
)
@click.argument("task", required=False)
@click.option("--list", "listing", is_flag=True, help="List the tasks that come with spicealif.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a task's TOML file.")
@task_set_option
@click.option(
    "--methods",
    metavar="NAMES",
    help="Only these, with commas: alif-ridge, lif-svm, raw-logistic, rbf-svm, minirocket and "
    "so on; alif, lif and raw stand for all their readouts  [default: the task's].",
)
@click.option(
    "--seeds", type=CountType(), metavar="N", help="How many splits [default: the task's]."
)
@click.option("--method", metavar="NAME", help="With --seed: compute this one cell.")
@click.option("--seed", type=CountType(), metavar="N", help="With --method: of this split.")
@workers_option("Processes")
@store_option
@retry_option("cells")
@output_options(
    "File to write: .json with everything, or .csv with a row for each method [default: none]."
)
@figure_options("Draw the accuracies as well.")
@report_option
@quiet_option
def learn_command(
    task: str | None,
    listing: bool,
    schema: bool,
    changes: tuple[str, ...],
    methods: str | None,
    seeds: int | None,
    method: str | None,
    seed: int | None,
    workers: int | None,
    store: Path | None,
    retry_failed: bool,
    output: Path | None,
    force: bool,
    figure: Path | None,
    picture: str | None,
    title: bool,
    report: Path | None,
    quiet: bool,
) -> None:
    """Train and test readouts of a bank of neurons on TASK, and classical methods beside them.

    TASK is a name (see --list) or a TOML file. All methods are trained on the same splits, and
    choose what they choose on the training samples alone. The table has each method's accuracy with
    its interval, and whether its difference to the bank is more than chance. Cells are kept: the
    same again computes only what is missing, so that what was interrupted goes on where it was, and
    an empty folder as --store computes all of it again. The exit code is 1 if a cell failed.
    """
    need_packages()
    from spicealif.errors import LearningError

    if schema and (listing or task is not None):
        raise LearningError("--schema is of all tasks; give it alone.")
    if (schema or listing) and (output or figure or report):
        raise LearningError(
            f"{'--schema' if schema else '--list'} prints and writes no file; give it alone."
        )
    if schema:
        _print_schema()
        return
    if listing:
        if task is not None:
            raise LearningError("--list shows all tasks; leave out the task's name, or --list.")
        _list()
        return
    if task is None:
        raise click.UsageError("Missing argument 'TASK'; --list shows what there is.")
    check_picture(figure, picture, title)
    described = find_task(task, changes)
    chosen, numbers = _cells(described, methods, seeds, method, seed)
    _compute(
        described, task, chosen, numbers, workers, store, retry_failed, quiet,
        (output, figure, picture, title, report), force,
    )  # fmt: skip


def _compute(
    task: Task,
    name: str,
    methods: list[str],
    seeds: list[int],
    workers: int | None,
    store: Path | None,
    retry_failed: bool,
    quiet: bool,
    files: tuple[Path | None, Path | None, str | None, bool, Path | None],
    force: bool,
) -> None:
    from spicealif._support.kinds import PICTURE, REPORT, STUDY
    from spicealif.learning.study import run_study

    output, figure, picture, title, report = files
    targets = (output, STUDY), (figure, PICTURE), (report, REPORT)
    with writing(*targets, inputs=(name, task.data.source), force=force) as say:
        label = f"{task.name}, {counted(len(methods) * len(seeds), 'cell')}"
        kept: list[int] = []
        with kept_what_was_done(), progress_bar(label, quiet) as bar:

            def look(done: int, total: int, failed: int) -> None:
                kept.append(done)  # the first call tells what the store has
                if bar is not None:
                    bar(done, total, failed)

            result = run_study(
                task, methods=methods, seeds=seeds, store=store, workers=workers,
                retry_failed=retry_failed, progress=look,
            )  # fmt: skip
        wrote = give_result(result, say, output, figure, picture, title, report)
        if kept[0] and not quiet:
            total = counted(len(result.cells), "cell")
            say(
                f"{kept[0]} of {total} kept from before; --store NEW_FOLDER computes all of them "
                "again."
            )
        if wrote and not quiet:
            say(f"Wrote {', '.join(map(str, wrote))}.")
    _tell_failed(result)


def _tell_failed(result: StudyResult) -> None:
    if not result.failed:
        return
    first = result.failed[0]
    click.echo(
        f"{len(result.failed)} of {counted(len(result.cells), 'cell')} failed; the first is "
        f"{first.method}, seed {first.seed}: {first.reason}",
        err=True,
    )
    raise click.exceptions.Exit(1)


def _list() -> None:
    from spicealif.learning.task_files import load_task, task_names

    tasks = {name: load_task(name) for name in task_names()}
    answer(
        [{"name": name, "description": task.description, "methods": task.methods,
          "seeds": task.seeds} for name, task in tasks.items()]
    )  # fmt: skip
    width = max(map(len, tasks))
    for name, task in tasks.items():
        click.echo(f"{name:<{width}}  {task.description}")


def _print_schema() -> None:
    import json

    from spicealif.learning.task_files import task_schema

    schema = task_schema()
    answer(schema)
    print_text(json.dumps(schema, indent=1) + "\n")


def _cells(
    task: Task, methods: str | None, seeds: int | None, method: str | None, seed: int | None
) -> tuple[list[str], list[int]]:
    """Return the methods and seeds that are asked for."""
    from spicealif.errors import LearningError
    from spicealif.learning._names import STAGES
    from spicealif.learning.study import check_methods

    if (method is None) != (seed is None):
        raise LearningError("--method and --seed are of one cell; give both, or neither.")
    if method is not None and seed is not None:
        if methods is not None or seeds is not None:
            raise LearningError(
                "--method and --seed compute one cell, --methods and --seeds many; choose one."
            )
        return check_methods(task, [method]), [seed]
    if seeds is not None and seeds < 1:
        raise LearningError("--seeds 0 leaves nothing to compute; give 1 or more.")
    names: list[str] | None = None
    if methods is not None:
        names = []
        for name in (part.strip() for part in methods.split(",")):
            if name in STAGES:
                names += [f"{name}-{readout}" for readout in task.readouts]
            elif name:
                names.append(name)
    return check_methods(task, names), list(range(task.seeds if seeds is None else seeds))

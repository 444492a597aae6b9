"""``spicealif report``: a result as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import find_neuron, output_options, quiet_option, set_option
from spicealif.cli._output import writing
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._terminal import Command

__all__ = ["report_command"]


@click.command(
    "report",
    cls=Command,
    epilog="Example:  spicealif report spicealif-results/paper -o paper.html",
    short_help="Write a result as one HTML file to send, read and print.",
)
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--budget",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Of a run: the gap budget, budget.json of 'spicealif explain' or its folder [default: the "
    "one in the folder RESULT].",
)
@click.option(
    "--neuron",
    metavar="NEURON",
    help="Preset or TOML file; needed for raw files, which do not say what they are of.",
)
@set_option("Change a value of the neuron, such as t_stop=10m; may be repeated.")
@output_options(
    "HTML file to write [default: report.html in the folder RESULT; of a file its name with .html]."
)
@quiet_option
def report_command(
    result: Path,
    budget: Path | None,
    neuron: str | None,
    changes: tuple[str, ...],
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the report of RESULT: one file that loads nothing and can be sent and printed.

    RESULT is a folder of "spicealif run" or "explain", a .nc file of "simulate", "reference" or
    "sweep", the JSON of "fit --result", "explain", "learn" or "learn-circuit", a device's file of
    "fit", or a raw file. Of a neuron's file, as "propose" writes it, the reference is solved for
    the report. A certificate is shown if the run has one (run --certify).
    """
    from spicealif._support.kinds import REPORT
    from spicealif.errors import DesignError
    from spicealif.report import write_report

    if changes and neuron is None:
        raise DesignError("--set changes a neuron, and none is given; add --neuron NEURON.")
    described = find_neuron(neuron, changes) if neuron else None
    target = output or (result / "report.html" if result.is_dir() else result.with_suffix(".html"))
    inputs = (result, budget, neuron, *changes)
    with writing((target, REPORT), inputs=inputs, force=force) as say:
        with without_scipy_blas():
            written = write_report(result, target, budget=budget, neuron=described)
        answer({"file": written})
        if not quiet:
            size = written.stat().st_size if written.is_file() else 0
            told = f" ({size / 1000:,.0f} kB)" if size else ""
            say(f"Wrote {target}{told}.")

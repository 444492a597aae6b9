"""``spicealif run``: the whole job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._options import (
    CROSS_CHECK_RUN,
    cross_check_option,
    find_neuron,
    neuron_argument,
    quiet_option,
    set_options,
    simulator_options,
    variant_option,
    with_cross_check,
)
from spicealif.cli._output import output_option, writing_folder
from spicealif.cli._progress import progress_bar
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._terminal import for_terminal
from spicealif.cli._types import QuantityType

if TYPE_CHECKING:
    from spicealif.certificate import Certificate
    from spicealif.cosim import Cosimulation

__all__ = ["run_command"]


@click.command(
    "run",
    epilog="Example:  spicealif run paper --set leak.tau=2m --output results",
    short_help="Run circuit and reference, compare them, write everything.",
)
@neuron_argument
@set_options
@variant_option
@simulator_options
@cross_check_option(CROSS_CHECK_RUN)
@output_option("Folder for the results [default: spicealif-results/NAME].")
@click.option(
    "--certify",
    "certified",
    is_flag=True,
    help="Run both sides at two levels of refinement, and judge each difference.",
)
@click.option(
    "--tolerance",
    type=QuantityType(),
    metavar="PART",
    help="With --certify: up to which part of the reference figures agree [default: 1e-3].",
)
@click.option("--figures/--no-figures", default=True, help="Whether to draw figures.")
@quiet_option
def run_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    variant: str,
    simulator: str,
    timeout: float | None,
    cross_check: bool,
    output: Path | None,
    force: bool,
    certified: bool,
    tolerance: float | None,
    figures: bool,
    quiet: bool,
) -> None:
    """Run NEURON as a circuit and as differential equations, and compare.

    Prints the comparison and writes the design, the netlist, both sides' waveforms (netCDF), the
    comparison (JSON and text) and, unless told not to, figures. With --certify also a certificate
    (JSON and text): each figure's numerical error, and whether the sides agree, differ, or are
    not resolved. The exit code does not depend on the verdicts.
    """
    from spicealif._folders import exchanging
    from spicealif._kinds import RUN_FILES
    from spicealif._needs import check_needs, circuit_needs, reference_needs
    from spicealif.cosim import Cosimulation, cosimulate
    from spicealif.errors import CompareError

    if tolerance is not None and not certified:
        raise CompareError(
            "--tolerance is for certificates; give --certify too, or remove --tolerance."
        )
    described = find_neuron(neuron, changes, ideal)
    needs = circuit_needs(described, timeout) + reference_needs(described)
    if certified:  # the finer level takes twice the points, beside the other
        needs += needs + needs
    check_needs(needs, output or Path())
    tool = with_cross_check(simulator, cross_check)
    # The folder is made and locked before minutes of computing, so that it cannot fail then.
    target = output or Path("spicealif-results") / described.name
    with (
        writing_folder(target, RUN_FILES, (neuron, *changes), force),
        exchanging(target, RUN_FILES, patience=0.0) as folder,
    ):
        levels = "two levels, " if certified else ""
        label = f"{simulator}, {levels}{described.t_stop * 1e3:g} ms of circuit time"
        result: Cosimulation | Certificate
        with progress_bar(label, quiet) as bar, without_scipy_blas():
            options: dict[str, Any] = {"variant": variant, "timeout": timeout, "progress": bar}
            if certified:
                from spicealif.certificate import certify

                if tolerance is not None:
                    options["tolerance"] = tolerance
                result = certify(described, tool, **options)
            else:
                meanwhile = _import_what_comes_next if figures else None
                result = cosimulate(described, tool, meanwhile=meanwhile, **options)
        if result.comparison is not None:
            click.echo(for_terminal(result if certified else result.comparison))
        files = result.save(folder)
        if figures:
            files += _draw(result, folder)
    if not quiet:
        cost = result.run.cost
        click.echo(
            f"\n{result.run.version}: {cost.points} points, {cost.cpu_s:.3g} s of CPU. "
            f"Wrote to {target}: {', '.join(f.name for f in files)}."
        )
    for warning in result.run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    # After everything there is has been written: a run that died half-way is an error.
    if isinstance(result, Cosimulation):
        result.run.require()
    else:
        result.require()


def _import_what_comes_next() -> None:
    """Load the libraries that saving and drawing need, while the simulator is still at work."""
    import h5netcdf  # noqa: F401
    import xarray  # noqa: F401


def _draw(result: Certificate | Cosimulation, folder: Path) -> list[Path]:
    from spicealif import plots

    neuron = result.neuron
    files = [
        plots.save_figure(plots.reference_figure(result.reference, neuron), folder / "fig5.png")
    ]
    if result.run.waveforms is not None:
        figure = plots.circuit_figure(result.run.waveforms, neuron)
        files.append(plots.save_figure(figure, folder / "fig6.png"))
    if result.comparison is not None:
        figure = plots.overlay_figure(result.comparison)
        files.append(plots.save_figure(figure, folder / "overlay.png"))
    return files

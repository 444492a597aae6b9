"""``spicealif run``: the whole job."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._limits import ask_about, limit_options
from spicealif.cli._options import (
    CROSS_CHECK_RUN,
    all_option,
    check_option,
    cross_check_option,
    find_neuron,
    format_option,
    neuron_options,
    output_options,
    quiet_option,
    simulator_options,
    title_option,
    variant_option,
    with_cross_check,
)
from spicealif.cli._output import writing_folder
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import QuantityType

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spicealif.analysis.certificate import Certificate
    from spicealif.cosim import Cosimulation
    from spicealif.design import Neuron
    from spicealif.simulators import Simulator
    from spicealif.waveforms import Waveforms

__all__ = ["run_command"]

#: What both levels of a certificate take, in units of the run as asked for.
_LEVELS = 5.0
#: Part of each trace's span that the waveforms on disk may be off by between their samples.
_ERRORS = {"all": 0.0, "decimated": 1e-4, "spikes": 1e-2}
_KEPT = "as many samples as lines need to be within {:g} of each trace's span (--keep all: all)"
#: Samples above which figures are drawn of thinned traces, and how far these may be off.
_MOST_DRAWN, _DRAWN = 400_000, 3e-3
#: Points of the circuit above which traces are thinned while they come: these would take 500 MB.
_MANY = 2e6


@click.command(
    "run",
    cls=Command,
    epilog="Example:  spicealif run paper --set leak.tau=2m --output results",
    short_help="Run circuit and reference, compare them, write everything.",
)
@neuron_options
@variant_option
@simulator_options
@cross_check_option(CROSS_CHECK_RUN)
@output_options("Folder for the results [default: the neuron's name, in spicealif-results].")
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
@check_option
@click.option(
    "--keep",
    type=click.Choice(list(_ERRORS)[::-1]),
    default="decimated",
    show_default=True,
    help="Samples in the files: all, or as many as straight lines between them need to be within "
    "1e-4 of each trace's span, or 1e-2 (spikes). Spike times are exact in each.",
)
@click.option("--figures/--no-figures", default=True, help="Whether to draw figures.")
@format_option("Of the figures: png, svg or pdf [default: png].")
@title_option
@click.option(
    "--report", is_flag=True, help="Write report.html as well: all of it in one file to send."
)
@limit_options
@all_option
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
    check: bool,
    keep: str,
    figures: bool,
    picture: str | None,
    title: bool,
    report: bool,
    limit: float,
    yes: bool,
    all_rows: bool,
    quiet: bool,
) -> None:
    """Run NEURON as a circuit and as differential equations, and compare.

    Prints the comparison and writes the design, the netlist, both sides' waveforms (netCDF), the
    comparison (JSON and text) and, unless told not to, figures. With --certify also a certificate
    (JSON and text): each figure's numerical error, and whether the sides agree, differ, or are
    not resolved. The exit code does not depend on the verdicts.

    A run that ends early is an error; what it has computed is written as well, into NAME-stopped
    where there are results already. On two cores the paper's 50 ms take about 10 s, and with
    --certify half a minute.
    """
    from spicealif._support.folders import exchanging
    from spicealif._support.kinds import RUN_FILES, beside_good
    from spicealif.cosim import Cosimulation
    from spicealif.errors import CompareError, OutputError

    if tolerance is not None and not certified:
        raise CompareError(
            "--tolerance is for certificates; give --certify too, or remove --tolerance."
        )
    if not figures and (picture is not None or title):
        option = "--format" if picture is not None else "--title"
        raise OutputError(f"{option} is for figures; leave out --no-figures, or {option}.")
    look = _Look(picture or "png", title) if figures else None
    described = find_neuron(neuron, changes, ideal)
    part = _thinned(described, keep) if not certified else 0.0
    _check_needs(described, timeout, certified, part, output)
    ask_about(
        described, simulator, limit=limit, yes=yes, timeout=timeout, check=check or certified,
        times=_LEVELS if certified else 1.0,
    )  # fmt: skip
    given = click.get_current_context().get_parameter_source("simulator")
    if part and simulator == "ngspice" and given is ParameterSource.DEFAULT:
        simulator = _to_disk()
    tool = with_cross_check(simulator, cross_check)
    # The folder is made and locked before minutes of computing, so that it cannot fail then.
    target = output or Path("spicealif-results") / described.name
    with (
        writing_folder(target, RUN_FILES, (neuron, *changes), force),
        exchanging(target, RUN_FILES, patience=0.0) as folder,
    ):
        options: dict[str, Any] = {"variant": variant, "timeout": timeout}
        if certified:
            options |= {} if tolerance is None else {"tolerance": tolerance}
        else:
            options |= {"meanwhile": _import_what_comes_next if figures else None, "check": check}
            options |= {"interpolation_error": part}
        result = _computed(described, tool, simulator, certified, options, quiet)
        answer(lambda: _found(result, target))
        if result.comparison is not None:
            shown = result if certified else result.comparison
            click.echo(for_terminal(shown, short=not all_rows))
        earlier = [target / name for name in RUN_FILES if (target / name).exists()]
        if result.run.status.ok or not earlier:
            files = _save(result, folder, look, keep, target if report else None)
        else:  # which keeps the earlier results from being replaced by half a run
            target = beside_good(target)
            with (
                writing_folder(target, RUN_FILES, (neuron, *changes), force),
                exchanging(target, RUN_FILES, patience=0.0) as other,
            ):
                files = _save(result, other, look, keep, target if report else None)
    if not quiet:
        cost = result.run.cost
        click.echo(
            f"\n{result.run.version}: {counted(cost.points, 'point')}, {cost.cpu_s:.3g} s of CPU. "
            f"Wrote to {target}: {', '.join(f.name for f in files)}."
            + (f" Waveforms there: {_KEPT.format(_ERRORS[keep])}." if keep != "all" else "")
        )
    for warning in result.run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    # After everything there is has been written: a run that died half-way is an error.
    if isinstance(result, Cosimulation):
        result.run.require()
    else:
        result.require()


def _found(result: Certificate | Cosimulation, folder: Path) -> dict[str, Any]:
    from spicealif.cosim import Cosimulation

    run, pair = result.run, result.comparison
    figures: dict[str, Any] = {} if pair is None else {"comparison": pair.to_dict()}
    if not isinstance(result, Cosimulation) and result.measures:
        figures["certificate"] = result.to_dict()
    return {
        "neuron": result.neuron.name,
        "simulator": run.simulator,
        "version": run.version,
        "status": run.status.name,
        "reason": run.reason,
        "folder": folder,
        **figures,
    }


def _computed(
    neuron: Neuron,
    tool: str | Simulator,
    simulator: str,
    certified: bool,
    options: dict[str, Any],
    quiet: bool,
) -> Certificate | Cosimulation:
    """Run both sides; where no SPICE is installed and none was asked for, by the equations."""
    from spicealif.cosim import cosimulate
    from spicealif.errors import SimulatorNotFound

    levels = "two levels, " if certified else ""
    given = click.get_current_context().get_parameter_source("simulator")
    try:
        label = f"{simulator}, {levels}{neuron.t_stop * 1e3:g} ms of circuit time"
        with progress_bar(label, quiet) as bar, without_scipy_blas():
            if certified:
                from spicealif.analysis.certificate import certify

                return certify(neuron, tool, progress=bar, **options)
            return cosimulate(neuron, tool, progress=bar, **options)
    except SimulatorNotFound as error:
        if given is not ParameterSource.DEFAULT or simulator == "equations":
            raise
        if simulator == "ngspice" and shutil.which("ngspice"):
            click.echo(f"Note: taking the program ngspice. {error}\n", err=True)
            return _computed(neuron, "ngspice-batch", "ngspice-batch", certified, options, quiet)
        click.echo(
            f"Note: the circuit side is solved by its own differential equations, since no SPICE "
            f"is here. {error}\n",
            err=True,
        )
        return _computed(neuron, "equations", "equations", certified, options, quiet)


def _check_needs(
    neuron: Neuron, timeout: float | None, certified: bool, part: float, output: Path | None
) -> None:
    from spicealif.design.needs import check_needs, circuit_needs, reference_needs

    needs = circuit_needs(neuron, timeout) + reference_needs(neuron)
    if part:  # there are never many samples at a time
        needs = replace(needs, memory=0.0, others=0.0)
    if certified:  # the finer level takes twice the points, beside the other
        needs += needs + needs
    check_needs(needs, output or Path())


def _thinned(neuron: Neuron, keep: str) -> float:
    """Return how far traces are thinned while they come; 0 where there are few points."""
    from spicealif.simulators.estimate import estimate_run

    if (
        keep == "all"
        or not max(estimate_run(neuron, roughly=True).points, neuron.t_stop / neuron.default_h)
        > _MANY
    ):
        return 0.0
    # What the table is made of; the files may have less.
    return min(_ERRORS[keep], 2e-3)


def _to_disk() -> str:
    """Take the ngspice that writes its data to disk, if it is here."""
    if shutil.which("ngspice") is None:
        return "ngspice"
    click.echo(
        "Note: taking the program ngspice (ngspice-batch), which writes its data to disk, since "
        "there will be more points than memory should hold.",
        err=True,
    )
    return "ngspice-batch"


def _import_what_comes_next() -> None:
    """Load the libraries that saving and drawing need, while the simulator is still at work."""
    import h5netcdf  # noqa: F401
    import xarray  # noqa: F401


class _Look(NamedTuple):
    """How figures are drawn."""

    format: str
    title: bool


def _save(
    result: Certificate | Cosimulation,
    folder: Path,
    look: _Look | None,
    keep: str,
    reported: Path | None,
) -> list[Path]:
    """Write a result into a folder, and its report if that folder's own name is given."""
    files = result.save(folder, interpolation_error=_ERRORS[keep])
    files += _draw(result, folder, look) if look is not None else []
    if reported is not None:
        from spicealif.report.write import write_run_report

        files.append(write_run_report(folder, reported))
    return files


def _draw(result: Certificate | Cosimulation, folder: Path, look: _Look) -> list[Path]:
    from spicealif import plots

    def drawn(waveforms: Waveforms) -> Waveforms:
        # More samples than a page has dots take memory and show nothing.
        return waveforms.decimated(_DRAWN) if len(waveforms) > _MOST_DRAWN else waveforms

    def saved(figure: Figure, name: str) -> Path:
        return plots.save_figure(figure, folder / f"{name}.{look.format}")

    neuron, reference, title = result.neuron, drawn(result.reference), look.title
    files = [saved(plots.reference_figure(reference, neuron, title=title), "fig5")]
    if result.run.waveforms is not None:
        circuit = drawn(result.run.waveforms)
        files.append(saved(plots.circuit_figure(circuit, neuron, title=title), "fig6"))
    if result.comparison is not None:
        pair = result.comparison
        pair = replace(pair, a=drawn(pair.a), b=drawn(pair.b))
        files.append(saved(plots.overlay_figure(pair, title=title), "overlay"))
    return files

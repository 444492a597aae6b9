"""``spicealif netlist``, ``simulate`` and ``reference``: one step of the job at a time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._limits import ask_about, limit_options
from spicealif.cli._options import (
    CROSS_CHECK_RUN,
    cross_check_option,
    find_neuron,
    neuron_options,
    output_options,
    quiet_option,
    simulator_options,
    variant_option,
    with_cross_check,
)
from spicealif.cli._output import print_text, writing
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._terminal import Command
from spicealif.cli._types import CountType

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["netlist_command", "reference_command", "simulate_command"]

_TRACES_OUTPUT = (
    "File to write: .nc (netCDF, which other commands read), or the traces alone as .csv or "
    ".parquet [default: NAME-{}.nc]."
)


@click.command(
    "netlist",
    cls=Command,
    epilog="Example:  spicealif netlist paper --dialect ltspice --output neuron.net",
    short_help="Print or write the netlist.",
)
@neuron_options
@click.option(
    "--dialect",
    default="ngspice",
    show_default=True,
    metavar="NAME",
    help="Whose netlist: ngspice or ltspice.",
)
@click.option(
    "--check/--no-check",
    default=None,
    help="Whether ngspice runs it first, to find the reltol that numerics.accuracy asks for; else "
    "it is 1e-8.  [default: for ltspice yes, but not for parameters]",
)
@click.option(
    "--style",
    default="numbers",
    show_default=True,
    metavar="NAME",
    help="How values are written: numbers, each where it is used, or parameters, which are named, "
    "edited and stepped in the simulator; what depends on several of them follows.",
)
@click.option(
    "--subckt",
    "subcircuit",
    is_flag=True,
    help="Write the neuron as one subcircuit, and stimulus, supplies and analysis around it.",
)
@output_options("File to write [default: print].")
@quiet_option
def netlist_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    dialect: str,
    check: bool | None,
    style: str,
    subcircuit: bool,
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Print the netlist of NEURON, or write it to a file.

    LTspice opens a netlist whose name ends in .net or .cir; the raw file that it writes is compared
    by "spicealif compare". With --style parameters the file is one to edit there, with a directive
    such as ".step param c list 47n 100n 220n" (docs/deck_to_edit.md).
    """
    from spicealif._support.files import write_text
    from spicealif._support.kinds import NETLIST
    from spicealif.netlist import build_netlist

    with writing((output, NETLIST), inputs=(neuron, *changes), force=force) as say:
        described = find_neuron(neuron, changes, ideal)
        build = partial(build_netlist, described, dialect, style=style, subcircuit=subcircuit)
        netlist = build()  # what cannot be written is told at once
        # One to edit has a tolerance that suits other values as well.
        if check or (check is None and dialect == "ltspice" and style == "numbers"):
            netlist = build(reltol=_found(described, check is not None, quiet))
        answer(
            {
                "neuron": described.name, "dialect": netlist.dialect, "reltol": netlist.reltol,
                "digest": netlist.digest, "file": output, "text": netlist.text,
            }
        )  # fmt: skip
        if output is None:
            print_text(netlist.text)
            return
        write_text(output, netlist.text)
        say(f"Wrote {output} (digest {netlist.digest[:12]}).")


def _found(neuron: Neuron, asked: bool, quiet: bool) -> float | None:
    """Return the reltol that ngspice needs, told in a note; None where none is found."""
    from spicealif.cosim import find_reltol
    from spicealif.errors import SimulatorNotFound
    from spicealif.measures.tables import figure

    if neuron.numerics.reltol is not None:
        return None
    try:
        with progress_bar("ngspice, to find the reltol", quiet) as bar:
            found = find_reltol(neuron, progress=bar)
    except SimulatorNotFound as error:
        if asked:
            raise
        found, why = None, f"no ngspice is here to find a better one. {error}"
    else:
        why = "the circuit's equations, which would say what is enough, cannot be solved."
        if neuron.no_equations:
            why = f"{neuron.no_equations}, and these would say what is enough."
    if found is None:
        _note(f"reltol is {neuron.numerics.safe_reltol:g}, and its error is not known: {why}")
        return None
    if found.error != found.error:
        _note(
            f"reltol {found.reltol:g}, with which ngspice has another number of spikes than the "
            "circuit's own equations; see 'spicealif run'."
        )
        return found.reltol
    enough = found.error <= neuron.numerics.accuracy
    _note(
        f"reltol {found.reltol:g}, with which spike times in ngspice are within "
        f"{figure(found.error, 's')} of the circuit's own equations"
        + (
            "."
            if enough
            else f", which is not the {figure(neuron.numerics.accuracy, 's')} asked for."
        )
    )
    return found.reltol


def _left_out(target: Path) -> str:
    """Return what is said of a table that has not all there is."""
    if target.suffix.lower() not in (".csv", ".parquet"):
        return ""
    return (
        " It has the traces; spike times and provenance are in a .nc, of which 'spicealif export' "
        "makes tables."
    )


def _note(text: str) -> None:
    click.echo(f"Note: {text}", err=True)


@click.command(
    "simulate",
    cls=Command,
    epilog="Example:  spicealif simulate paper --simulator ngspice-batch --output circuit.nc",
    short_help="Run the circuit only.",
)
@neuron_options
@simulator_options
@cross_check_option(CROSS_CHECK_RUN)
@output_options(_TRACES_OUTPUT.format("circuit"))
@limit_options
@quiet_option
def simulate_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    simulator: str,
    timeout: float | None,
    cross_check: bool,
    output: Path | None,
    force: bool,
    limit: float,
    yes: bool,
    quiet: bool,
) -> None:
    """Run NEURON as a circuit and write its waveforms.

    What a run that ends early has computed is written as well, to NAME-stopped.nc where the file
    is there already; the exit code then is 1.
    """
    from spicealif._support.kinds import WAVEFORMS, beside_good
    from spicealif.cosim import simulate
    from spicealif.design.needs import check_needs, circuit_needs

    described = find_neuron(neuron, changes, ideal)
    target = output or Path(f"{described.name}-circuit.nc")
    check_needs(circuit_needs(described, timeout), target.parent)
    ask_about(
        described, simulator, limit=limit, yes=yes, timeout=timeout, check=False, reference=False
    )
    with writing((target, WAVEFORMS), inputs=(neuron, *changes), force=force) as say:
        with progress_bar(
            f"{simulator}, {described.t_stop * 1e3:g} ms of circuit time", quiet
        ) as bar:
            tool = with_cross_check(simulator, cross_check)
            run = simulate(described, tool, timeout=timeout, progress=bar)
        found: dict[str, Any] = {
            "neuron": described.name, "simulator": run.simulator, "version": run.version,
            "status": run.status.name, "reason": run.reason, "points": run.cost.points,
            "cpu_s": run.cost.cpu_s, "warnings": [str(warning) for warning in run.warnings],
        }  # fmt: skip
        answer(found)
        if run.waveforms is not None:
            if not run.status.ok and target.is_file():
                # which keeps the earlier result from being replaced by half a run
                target = beside_good(target, target.suffix)
                with writing((target, WAVEFORMS), inputs=(neuron, *changes), force=force):
                    run.waveforms.save(target)
            else:
                run.waveforms.save(target)
            answer({**found, "file": target, "t_spike": run.waveforms.t_spike})
            say(
                f"{run.version}: {counted(len(run.waveforms.t_spike), 'spike')}, "
                f"{counted(run.cost.points, 'point')}, "
                f"{run.cost.cpu_s:.1f} s of CPU. Wrote {target}.{_left_out(target)}"
            )
    for warning in run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    run.require()


@click.command(
    "reference",
    cls=Command,
    epilog="Example:  spicealif reference paper --variant schmitt --output reference.nc",
    short_help="Integrate the differential equations only.",
)
@neuron_options
@variant_option
@click.option(
    "--switches",
    type=CountType(),
    metavar="N",
    help="Draw N metastable switches instead of their mean (memristors mms and gmms).",
)
@click.option("--seed", type=CountType(), metavar="S", help="Seed of the draws [default: 0].")
@output_options(_TRACES_OUTPUT.format("reference"))
@quiet_option
def reference_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    variant: str,
    switches: int | None,
    seed: int | None,
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Integrate NEURON's differential equations by RK4 and write the waveforms.

    With --switches the memristor's switches turn at random; the same seed gives the same waveforms.
    """
    if seed is not None and switches is None:
        raise click.UsageError("--seed counts with --switches only; add, say, --switches 1000.")
    from spicealif._support.kinds import WAVEFORMS
    from spicealif.design.needs import check_needs, reference_needs
    from spicealif.reference import solve_reference

    described = find_neuron(neuron, changes, ideal)
    target = output or Path(f"{described.name}-reference.nc")
    check_needs(reference_needs(described), target.parent)
    with writing((target, WAVEFORMS), inputs=(neuron, *changes), force=force) as say:
        with progress_bar("RK4", quiet) as bar, without_scipy_blas():
            waveforms = solve_reference(
                described,
                variant,  # type: ignore[arg-type]  # checked there
                progress=bar,
                switches=switches,
                seed=seed or 0,
            )
        waveforms.save(target)
        how = "" if switches is None else f", {switches} switches, seed {seed or 0}"
        (spikes, steps) = (len(waveforms.t_spike), int(waveforms.attrs["n_steps"]))
        answer(
            {
                "neuron": described.name, "variant": variant, "steps": steps,
                "h": waveforms.attrs["h"], "file": target, "t_spike": waveforms.t_spike,
            }
        )  # fmt: skip
        say(
            f"RK4 ({variant}{how}): {counted(spikes, 'spike')}, {counted(steps, 'step')} of at "
            f"most {float(waveforms.attrs['h']):g} s. Wrote {target}.{_left_out(target)}"
        )

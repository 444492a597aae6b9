"""``spicealif netlist``, ``simulate`` and ``reference``: one step of the job at a time."""

from __future__ import annotations

from pathlib import Path

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
from spicealif.cli._output import output_option, print_text, writing
from spicealif.cli._progress import progress_bar
from spicealif.cli._start import without_scipy_blas
from spicealif.cli._types import CountType

__all__ = ["netlist_command", "reference_command", "simulate_command"]


@click.command(
    "netlist",
    epilog="Example:  spicealif netlist paper --dialect ltspice --output neuron.net",
    short_help="Print or write the netlist.",
)
@neuron_argument
@set_options
@click.option(
    "--dialect",
    default="ngspice",
    show_default=True,
    metavar="NAME",
    help="Whose netlist: ngspice or ltspice.",
)
@output_option("File to write [default: print].")
def netlist_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    dialect: str,
    output: Path | None,
    force: bool,
) -> None:
    """Print the netlist of NEURON, or write it to a file.

    LTspice opens a netlist whose name ends in .net or .cir; the raw file that it writes is compared
    by "spicealif compare".
    """
    from spicealif._files import write_text
    from spicealif._kinds import NETLIST
    from spicealif.netlist import build_netlist

    with writing((output, NETLIST), inputs=(neuron, *changes), force=force) as say:
        netlist = build_netlist(find_neuron(neuron, changes, ideal), dialect)
        if output is None:
            print_text(netlist.text)
            return
        write_text(output, netlist.text)
        say(f"Wrote {output} (digest {netlist.digest[:12]}).")


@click.command(
    "simulate",
    epilog="Example:  spicealif simulate paper --simulator ngspice-batch --output circuit.nc",
    short_help="Run the circuit only.",
)
@neuron_argument
@set_options
@simulator_options
@cross_check_option(CROSS_CHECK_RUN)
@output_option("netCDF file to write [default: NAME-circuit.nc].")
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
    quiet: bool,
) -> None:
    """Run NEURON as a circuit and write its waveforms.

    What a run that ends early has computed is written as well; the exit code then is 1.
    """
    from spicealif._kinds import WAVEFORMS
    from spicealif._needs import check_needs, circuit_needs
    from spicealif.cosim import simulate

    described = find_neuron(neuron, changes, ideal)
    target = output or Path(f"{described.name}-circuit.nc")
    check_needs(circuit_needs(described, timeout), target.parent)
    with writing((target, WAVEFORMS), inputs=(neuron, *changes), force=force) as say:
        with progress_bar(
            f"{simulator}, {described.t_stop * 1e3:g} ms of circuit time", quiet
        ) as bar:
            tool = with_cross_check(simulator, cross_check)
            run = simulate(described, tool, timeout=timeout, progress=bar)
        if run.waveforms is not None:
            run.waveforms.save(target)
            say(
                f"{run.version}: {len(run.waveforms.t_spike)} spikes, {run.cost.points} points, "
                f"{run.cost.cpu_s:.1f} s of CPU. Wrote {target}."
            )
    for warning in run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    run.require()


@click.command(
    "reference",
    epilog="Example:  spicealif reference paper --variant schmitt --output reference.nc",
    short_help="Integrate the differential equations only.",
)
@neuron_argument
@set_options
@variant_option
@click.option(
    "--switches",
    type=CountType(),
    metavar="N",
    help="Draw N metastable switches instead of their mean (memristors mms and gmms).",
)
@click.option("--seed", type=CountType(), metavar="S", help="Seed of the draws [default: 0].")
@output_option("netCDF file to write [default: NAME-reference.nc].")
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
    from spicealif._kinds import WAVEFORMS
    from spicealif._needs import check_needs, reference_needs
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
        (spikes, steps) = (len(waveforms.t_spike), waveforms.attrs["n_steps"])
        say(
            f"RK4 ({variant}{how}): {spikes} spikes, {steps} steps of at most "
            f"{float(waveforms.attrs['h']):g} s. Wrote {target}."
        )

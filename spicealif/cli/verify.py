"""``spicealif verify``: the simulator against the circuit's own differential equations."""

from __future__ import annotations

import click

from spicealif._support.progress import progress_bar
from spicealif.cli._limits import ask_about, limit_options
from spicealif.cli._options import (
    find_neuron,
    json_option,
    neuron_options,
    quiet_option,
    simulator_options,
)
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import QuantityType

__all__ = ["verify_command"]


@click.command(
    "verify",
    cls=Command,
    epilog="Example:  spicealif verify paper --set t_stop=5m",
    short_help="Check the simulator against the circuit's own equations.",
)
@neuron_options
@simulator_options
@click.option(
    "--method",
    default="LSODA",
    show_default=True,
    metavar="NAME",
    help="SciPy's LSODA, Radau or BDF, or rodas (compiled, ten times faster).",
)
@click.option(
    "--rtol", type=QuantityType(), metavar="NUMBER", help="Relative tolerance of the solver."
)
@click.option(
    "--tolerance",
    default="20n",
    show_default=True,
    metavar="TIME",
    help="Largest difference of a spike time that passes, in s.",
)
@limit_options
@json_option
@quiet_option
def verify_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    simulator: str,
    timeout: float | None,
    method: str,
    rtol: float | None,
    tolerance: str,
    limit: float,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run NEURON's circuit in a simulator and solve its differential equations, apart from it.

    The equations are written out from the design; neither the netlist nor any SPICE is part of
    that route. The exit code is 1 if the spike times differ by more than the tolerance. On two
    cores the paper's 50 ms take about a minute.
    """
    from spicealif.analysis.verification import verify
    from spicealif.errors import CompareError
    from spicealif.measures.shown import json_text
    from spicealif.quantities.grammar import quantity_of

    described = find_neuron(neuron, changes, ideal)
    largest = quantity_of("The tolerance", tolerance, "s", CompareError)
    ask_about(
        described, simulator, limit=limit, yes=yes, timeout=timeout, check=False, reference=False
    )
    label = f"{simulator} and {method}, {described.t_stop * 1e3:g} ms of circuit time"
    with progress_bar(label, quiet) as bar:
        result = verify(
            described,
            simulator,
            method=method,  # type: ignore[arg-type]  # checked there
            rtol=rtol,
            tolerance=largest,
            timeout=timeout,
            progress=bar,
        )
    click.echo(json_text(result) if as_json else for_terminal(result))
    if not result.ok:
        raise click.exceptions.Exit(1)

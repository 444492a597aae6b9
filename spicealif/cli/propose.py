"""``spicealif propose``: a neuron around a device, for a wanted rate and adaptation."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif._support.progress import progress_bar
from spicealif.cli._answer import answer
from spicealif.cli._options import output_options, quiet_option, variant_option
from spicealif.cli._output import writing
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli._types import QuantityType

__all__ = ["propose_command"]


@click.command(
    "propose",
    cls=Command,
    epilog="Example:  spicealif propose w_sdc_5k_1khz_m2 --rate 5k --adaptation 2 -o neuron.toml",
    short_help="Propose a neuron around a device.",
)
@click.argument("device")
@click.option("--rate", required=True, metavar="HZ", help="Wanted initial rate, such as 5k.")
@click.option(
    "--adaptation",
    required=True,
    type=QuantityType(),
    metavar="RATIO",
    help="Wanted last interval over first interval.",
)
@click.option("--current", metavar="A", help="Input current [default: chosen].")
@click.option(
    "--max-current",
    default="1m",
    show_default=True,
    metavar="A",
    help="The device's rated current.",
)
@click.option(
    "--pulses",
    metavar="HZ",
    help="Pulses of this frequency, duty 50 %, instead of a constant current.",
)
@click.option("--t-stop", metavar="S", help="Length of the run [default: chosen].")
@click.option("--series", type=click.Choice(["E24", "E96"]), help="Round to preferred values.")
@variant_option
@click.option("--check", is_flag=True, help="Run the circuit in ngspice too.")
@output_options("Write the neuron to this TOML file.")
@quiet_option
def propose_command(
    device: str,
    rate: str,
    adaptation: float,
    current: str | None,
    max_current: str,
    pulses: str | None,
    t_stop: str | None,
    series: str | None,
    variant: str,
    check: bool,
    output: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Propose R_s, C, thresholds and current for DEVICE, a device preset or its TOML file.

    Exit code 1 if the wish cannot be had; the nearest design is then printed and written.
    """
    from spicealif._support.kinds import NEURON
    from spicealif.design import PulseTrain
    from spicealif.propose import propose_neuron

    stimulus = None if pulses is None else PulseTrain.from_dict(
        {"kind": "pulse", "amplitude": 1e-3, "frequency": pulses, "duty": 0.5}
    )  # fmt: skip
    with writing((output, NEURON), inputs=(device,), force=force) as say:
        with progress_bar("searching", quiet) as progress:
            proposal = propose_neuron(
                device,
                rate=rate,
                adaptation=adaptation,
                i_peak=current,
                i_max=max_current,
                stimulus=stimulus,
                t_stop=t_stop,
                series=series,
                variant=variant,
                progress=progress,
            )
        if check:
            proposal = proposal.check()
        answer(lambda: {**proposal.to_dict(), "file": output})
        say(for_terminal(proposal))
        if output is not None:
            proposal.save(output)
            if not quiet:
                say(f"Wrote {output}")
                say(f"Run it: spicealif run {output}")
    if not proposal.met:
        raise click.exceptions.Exit(1)

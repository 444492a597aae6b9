"""Work that would take long is told, and asked about, before it starts."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import click

from spicealif.cli._options import together
from spicealif.cli._types import QuantityType

if TYPE_CHECKING:
    from spicealif.design import Neuron

__all__ = ["ask", "ask_about", "check_limit", "duration", "limit_options", "tell_duration"]

#: Seconds of CPU that nobody is asked about, and that nothing is said about in a sweep.
_LIMIT, _SHORT = 600.0, 60.0

limit_options = together(
    click.option(
        "--limit",
        type=QuantityType("s"),
        default=f"{_LIMIT:g}",
        show_default=True,
        metavar="SECONDS",
        help="Ask before a run that will take about this long or longer.",
    ),
    click.option("--yes", is_flag=True, help="Run however long it takes, without asking."),
)


def ask_about(
    neuron: Neuron,
    simulator: str,
    *,
    limit: float,
    yes: bool,
    timeout: float | None,
    check: bool = True,
    reference: bool = True,
    times: float = 1.0,
) -> None:
    """Ask somebody at a terminal about a run that will take long; without one, refuse it.

    Raises
    ------
    ResourceError
        If it is not to be run.
    """
    from spicealif.simulators.estimate import estimate_run

    check_limit(limit)
    if yes or (timeout is not None and timeout <= limit):
        return
    for roughly in (True, False):  # most need no closer look, which compiles the reference
        about = estimate_run(
            neuron, simulator, check=check, reference=reference, roughly=roughly
        ) * times  # fmt: skip
        if not about.cpu_s > limit:
            return
    said = (
        f"{neuron.name} over {neuron.t_stop:g} s will take about {duration(about.cpu_s)} of "
        f"computing ({about.points:.1g} points of the circuit, about {_count(about.spikes)} "
        "spikes)"
    )
    remedy = (
        "shorten t_stop, or let it fire less often (c, the current) or in larger steps "
        "(numerics.t_step_max)"
    )
    ask(said, remedy)


def check_limit(limit: float) -> None:
    """Refuse a limit that is none.

    Raises
    ------
    ResourceError
        If it is not above 0.
    """
    from spicealif.errors import ResourceError

    if not limit > 0:
        raise ResourceError(f"--limit is {limit:g} s; give a time in s above 0, such as 3600.")


def ask(said: str, remedy: str) -> None:
    """Ask somebody at a terminal whether to run what will take long; without one, refuse it.

    Raises
    ------
    ResourceError
        If it is not to be run.
    """
    from spicealif.errors import ResourceError

    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm(f"{said}. Run it?", err=True):
            return
        raise ResourceError(f"It was not run; {remedy}.")
    raise ResourceError(f"{said}; {remedy}, or add --yes (or a larger --limit).")


def tell_duration(neuron: Neuron, simulator: str, sides: str, times: int, workers: int) -> None:
    """Say how long the points of a sweep will take, if that is long."""
    from spicealif.simulators.estimate import estimate_run

    spice = simulator != "equations" and sides != "reference"
    about = estimate_run(neuron, simulator, check=spice, reference=sides != "circuit") * times
    seconds = about.cpu_s / max(min(workers, times), 1)
    if seconds > _SHORT:
        processes = "1 process" if workers == 1 else f"{workers} processes"
        click.echo(
            f"Note: about {duration(seconds)} on {processes}, if all points are like the base "
            "design and none is stored yet.",
            err=True,
        )


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    for unit, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * unit:
            return (
                f"{seconds / unit:.2g} {name}"
                if seconds < 100 * unit
                else f"{seconds / unit:.0f} {name}"
            )
    return f"{seconds:.0f} s"


def _count(number: float) -> str:
    return "an unknown number of" if math.isnan(number) else f"{number:.2g}"

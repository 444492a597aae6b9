"""``spicealif network verify``: a network's solution against SPICE."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._limits import ask, check_limit, duration, limit_options
from spicealif.cli._options import quiet_option, simulator_options, workers_option
from spicealif.cli._terminal import Command, for_terminal
from spicealif.cli.network._find import (
    ask_about_network,
    choose_neurons,
    find_network,
    network_options,
    tolerance_options,
)

if TYPE_CHECKING:
    from spicealif._support.progress import Bar
    from spicealif.network import Expanded, NetworkSolution
    from spicealif.network.witness import NetworkVerification

__all__ = ["verify_command"]


@click.command(
    "verify",
    cls=Command,
    epilog="Example:  spicealif network verify ring --neurons n_0,n_3 --t-stop 1m",
    short_help="Check a network's solution in SPICE, neuron by neuron or as one deck.",
)
@network_options
@click.option(
    "--neurons",
    metavar="NEURONS",
    help="Who is checked: names, numbers or populations with commas (3,17 or exc_3), a share of "
    "them, drawn (5%), or all  [default: all].",
)
@click.option(
    "--flat",
    is_flag=True,
    help="Run the whole network as one deck instead, whose cost goes with the square of its size.",
)
@tolerance_options
@simulator_options
@click.option(
    "--tolerance",
    default="20n",
    show_default=True,
    metavar="TIME",
    help="Largest difference of a spike time that passes, in s.",
)
@workers_option("Decks at a time")
@limit_options
@quiet_option
def verify_command(
    network: str,
    changes: tuple[str, ...],
    t_stop: float | None,
    neurons: str | None,
    flat: bool,
    rtol: float,
    t_tol: float,
    simulator: str,
    timeout: float | None,
    tolerance: str,
    workers: int | None,
    limit: float,
    yes: bool,
    quiet: bool,
) -> None:
    """Run neurons of NETWORK in SPICE, each alone with all others played back, and compare spikes.

    NETWORK may also be the folder of a run: then its solution is checked, and its traces are taken
    if it kept them (else they are computed again). A network whose every neuron agrees solves the
    circuit's equations as SPICE does, at a cost that is linear in its size. What the decks will
    take is said before they run. The exit code is 1 if a neuron differs by more than the tolerance
    or its deck fails; it is named.
    """
    from spicealif.errors import CompareError
    from spicealif.quantities.grammar import quantity_of

    if flat and neurons is not None:
        raise CompareError(
            "--flat runs all neurons as one deck, and --neurons some by decks of their own; give "
            "one of the two."
        )
    largest = quantity_of("The tolerance", tolerance, "s", CompareError)
    if not largest > 0:
        raise CompareError(f"The tolerance is {largest:g} s; give a time above 0, such as 20n.")
    check_limit(limit)
    simulator = _runs_decks(simulator)
    if Path(network).is_dir():
        if changes or t_stop is not None:
            raise CompareError(
                "A saved run is checked as it is; leave out --set and --t-stop, or give the "
                "network instead of its folder."
            )
        saved = _saved(network)
        expanded, rtol, t_tol = saved.expanded, saved.rtol, saved.t_tol
    else:
        saved, expanded = None, _expanded(network, changes, t_stop)
    chosen = choose_neurons(expanded, neurons or "all")
    job = _Job(simulator, largest, workers, timeout, limit, yes, quiet)
    if flat:
        about = _flat_s(expanded)
        job.tell(about, "the deck of all neurons", 1)
    solution = job.solution(expanded, saved, [] if flat else chosen, rtol, t_tol)
    result = job.flat(solution) if flat else job.neurons(solution, chosen)
    answer(result.to_dict())
    click.echo(for_terminal(result))
    if not result.ok:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class _Job:
    """How decks are run."""

    simulator: str
    tolerance: float
    workers: int | None
    timeout: float | None
    limit: float
    yes: bool
    quiet: bool

    def solution(
        self,
        expanded: Expanded,
        saved: NetworkSolution | None,
        chosen: list[int],
        rtol: float,
        t_tol: float,
    ) -> NetworkSolution:
        """Return the network's solution, the saved one if it has the traces."""
        from spicealif.network import estimate_network, solve_network
        from spicealif.network.witness import needed_neurons

        needed = needed_neurons(expanded, chosen)
        if saved is not None:
            if all(k in saved.traces for k in needed):
                return saved
            if not self.quiet:
                click.echo(
                    "Note: the run kept no traces of these neurons and their neighbours; they are "
                    "computed again.",
                    err=True,
                )
        network = expanded.network
        cost = estimate_network(network, sides=("equations",), rtol=rtol, kept=len(needed))
        ask_about_network(network, cost, limit=self.limit, yes=self.yes, workers=self.workers)
        with progress_bar(f"{network.name}, by its equations", self.quiet) as bar:
            solution = solve_network(
                expanded, rtol=rtol, t_tol=t_tol, keep=needed, workers=self.workers, progress=bar
            )
        if saved is not None:
            _check_same(saved, solution)
        return solution

    def neurons(self, solution: NetworkSolution, chosen: list[int]) -> NetworkVerification:
        """Run the decks of single neurons."""
        from spicealif.network.witness import estimate_witnesses, verify_neurons

        about = estimate_witnesses(solution, chosen)
        self.tell(about, counted(len(chosen), "witness deck"), self.workers)
        with self._bar(solution) as bar:
            return verify_neurons(
                solution, chosen, self.simulator, tolerance=self.tolerance, workers=self.workers,
                timeout=self.timeout, progress=bar,
            )  # fmt: skip

    def flat(self, solution: NetworkSolution) -> NetworkVerification:
        """Run the whole as one deck."""
        from spicealif.network.witness import verify_flat

        with self._bar(solution) as bar:
            return verify_flat(
                solution, self.simulator, tolerance=self.tolerance, timeout=self.timeout,
                progress=bar,
            )  # fmt: skip

    def tell(self, seconds: float, what: str, workers: int | None) -> None:
        """Say what decks will take, and ask about it if that is much."""
        from spicealif._support.cores import usable_cores

        said = f"about {duration(max(seconds, 1.0))} of CPU for {what}"
        if seconds > self.limit and not self.yes:
            remedy = "check fewer neurons (--neurons 5%), or shorten t_stop"
            ask(f"{said[0].upper()}{said[1:]}", remedy)
        elif not self.quiet:
            count = workers or usable_cores()
            click.echo(f"Note: {said}, {counted(count, 'run')} at a time.", err=True)

    def _bar(self, solution: NetworkSolution) -> AbstractContextManager[Bar | None]:
        t_stop = solution.expanded.network.t_stop
        return progress_bar(f"{self.simulator}, {t_stop * 1e3:g} ms", self.quiet)


def _expanded(network: str, changes: tuple[str, ...], t_stop: float | None) -> Expanded:
    """Return the network that the command line describes, neuron by neuron."""
    from spicealif.network import expand

    return expand(find_network(network, changes, t_stop))


def _flat_s(expanded: Expanded) -> float:
    """Return about how many seconds the deck of all neurons takes."""
    from spicealif.network.witness import estimate_flat

    return estimate_flat(expanded).cpu_s


def _saved(folder: str) -> NetworkSolution:
    from spicealif.errors import CompareError
    from spicealif.network import load_network_run

    run = load_network_run(folder)
    if run.solution is None:
        raise CompareError(
            f"{ascii(folder)} holds no circuit side; run the network with --side both."
        )
    return run.solution


def _runs_decks(simulator: str) -> str:
    """Return the simulator, the program in place of the library: several run at a time."""
    from click.core import ParameterSource

    from spicealif.simulators import get_simulator
    from spicealif.simulators.registry import version_of

    given = click.get_current_context().get_parameter_source("simulator")
    name = "ngspice-batch" if given is ParameterSource.DEFAULT else simulator
    tool = get_simulator(name)
    try:
        version_of(tool)  # that it is missing is told before minutes of computing
    finally:
        tool.close()
    return name


def _check_same(saved: NetworkSolution, again: NetworkSolution) -> None:
    """Refuse traces of another solution than the saved one, another version's for example."""
    from spicealif.errors import CompareError

    pairs = zip(saved.t_spike, again.t_spike, strict=True)
    if any(a.tobytes() != b.tobytes() for a, b in pairs):
        raise CompareError(
            "The network's solution is not the saved one any more (another version of spicealif, "
            "or another machine); run the network again with --keep all."
        )

"""``spicealif sweep``: experiments of many points."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from spicealif._support.progress import progress_bar
from spicealif._support.text import counted
from spicealif.cli._answer import answer
from spicealif.cli._interrupts import kept_what_was_done
from spicealif.cli._limits import tell_duration
from spicealif.cli._options import (
    figure_options,
    find_neuron,
    neuron_options,
    output_options,
    quiet_option,
    retry_option,
    simulator_options,
    store_option,
    variant_option,
    workers_option,
)
from spicealif.cli._output import check_picture, writing
from spicealif.cli._terminal import Command
from spicealif.cli._types import CountType
from spicealif.cli._values import read_values

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray as xr

    from spicealif.design import Neuron
    from spicealif.sweep import Experiment

__all__ = ["sweep_command"]

#: Who looks at an experiment's points, unless told.
_WITNESS = "ngspice:5%"


@click.command(
    "sweep",
    cls=Command,
    epilog="Example:  spicealif sweep paper --over leak.tau=1m:10m:7 --over c=47n,100n,220n",
    short_help="Compute many points: sweeps, Monte Carlo, the paper's experiments.",
)
@neuron_options
@click.option(
    "--over",
    multiple=True,
    metavar="KEY=VALUES",
    help="Vary a parameter: a,b,c or low:high:n or low:high:n:log; to draw, low:high or "
    "low:high:log. May be repeated.",
)
@click.option(
    "--experiment",
    "name",
    metavar="NAME",
    help="Instead of --over: frequency-response, f-i-curve, adaptation-map, prototypes "
    "or temperature.",
)
@click.option(
    "--sampling",
    default="grid",
    show_default=True,
    metavar="NAME",
    help="grid, list (k-th values together), random, latin-hypercube or sobol.",
)
@click.option("-n", "--points", type=CountType(), metavar="N", help="How many points to draw.")
@click.option("--seed", type=CountType(), default=0, show_default=True, metavar="N")
@click.option(
    "--sides",
    default="both",
    show_default=True,
    metavar="NAME",
    help="What is computed: circuit, reference or both.",
)
@click.option(
    "--varies",
    metavar="NAME",
    help="Which side's values change: circuit, reference or both "
    "[default: both; of prototypes: circuit].",
)
@variant_option
@simulator_options
@click.option(
    "--witness",
    metavar="SIMULATOR:SHARE",
    help="Compute some of the points by another simulator too, and say how far apart they are: "
    "ngspice:5% of the points, or ngspice:20; none for none.",
)
@workers_option("Processes")
@click.option("--dask", metavar="ADDRESS", help="Compute on the Dask cluster at this address.")
@store_option
@retry_option("points")
@click.option(
    "--spikes/--no-spikes",
    default=None,
    help="Whether to keep spike times [default: no; of an f-i-curve: yes].",
)
@click.option("--waveforms", is_flag=True, help="Keep each point's waveforms in the store.")
@output_options(
    "File to write: .nc (netCDF, with all there is, which 'spicealif plot' draws), or a row for "
    "each point and side as .csv or .parquet [default: NAME.nc, named after the experiment]."
)
@figure_options("Draw the result as well.")
@quiet_option
def sweep_command(
    neuron: str,
    changes: tuple[str, ...],
    ideal: bool,
    over: tuple[str, ...],
    name: str | None,
    workers: int | None,
    dask: str | None,
    store: Path | None,
    retry_failed: bool,
    output: Path | None,
    force: bool,
    figure: Path | None,
    picture: str | None,
    title: bool,
    quiet: bool,
    witness: str | None,
    **choices: Any,
) -> None:
    """Compute NEURON at many points and write the measures of all of them as netCDF.

    Results are kept in a store: the same again computes only what is missing, so that an
    interrupted sweep goes on where it was. What failed, and why, is in the file; the exit code is 1
    if a point failed for another reason than that its design is refused, or if none has a value.

    The circuit is computed by ngspice; that of an --experiment, unless --simulator is given, by its
    own equations, and where ngspice is installed one point in twenty by ngspice too. How long it
    will take is told as it begins.
    """
    from spicealif._support.kinds import PICTURE, SWEEP
    from spicealif.sweep.files import save_sweep
    from spicealif.sweep.witness import check_witness, parse_witness, with_witness
    from spicealif.sweep.worker import INVALID, OK

    check_picture(figure, picture, title)
    _refuse_both(changes, over)
    described = find_neuron(neuron, changes, ideal)
    if name is not None and choices["sides"] != "reference" and not described.no_equations:
        witness = _quickly(choices, witness)
    none = witness is None or witness.strip() == "none"
    looked = None if none else parse_witness(str(witness), int(choices["seed"]))
    if looked is not None and choices["spikes"] is None:
        choices["spikes"] = True
    experiment = _experiment(described, over, name, choices, changes)
    if looked is not None:
        check_witness(experiment, looked)
    target = output or Path(f"{experiment.name}.nc")
    with writing((target, SWEEP), (figure, PICTURE), inputs=(neuron, *changes), force=force) as say:
        if dask is None and not quiet:
            from spicealif.sweep.pool import width

            tell_duration(
                experiment.neuron, experiment.simulator, experiment.sides, len(experiment),
                width(None, workers),
            )  # fmt: skip
        label = f"{experiment.name}, {counted(len(experiment), 'point')}"
        with kept_what_was_done():
            with _executor(dask) as executor, progress_bar(label, quiet) as bar:
                result = experiment.run(
                    store=store,
                    executor=executor,
                    workers=workers,
                    retry_failed=retry_failed,
                    progress=bar,
                )
            if looked is not None:
                label = f"witness {looked.simulator}"
                with _executor(dask) as executor, progress_bar(label, quiet) as bar:
                    result = with_witness(
                        experiment, result, looked, store=store, executor=executor,
                        workers=workers, retry_failed=retry_failed, progress=bar,
                    )  # fmt: skip
        save_sweep(result, target)
        failed = int(result.attrs["failed"])
        _answer(experiment, result, target, figure)
        told = f", {failed} of them failed ({result.attrs['failures']})" if failed else ""
        say(f"{experiment.name}: {counted(len(experiment), 'point')}{told}. Wrote {target}.")
        for said in ("accuracy", "witness"):
            if said in result.attrs:
                say(str(result.attrs[said]))
        if figure is not None:
            _draw(result, figure, picture, title)
            say(f"Wrote {figure}.")
    if failed:
        reasons = [str(r) for r in result["reason"].values.ravel() if r]
        click.echo(f"The first reason: {reasons[0] if reasons else 'not told'}", err=True)
        statuses = set(result["status"].values.ravel())
        if statuses - {OK, INVALID} or OK not in statuses:
            raise click.exceptions.Exit(1)


def _answer(experiment: Experiment, result: xr.Dataset, file: Path, figure: Path | None) -> None:
    told = ("failures", "accuracy", "witness")
    answer(
        {
            "experiment": experiment.name,
            "points": len(experiment),
            "failed": int(result.attrs["failed"]),
            "file": file,
            "figure": figure,
            **{name: result.attrs[name] for name in told if name in result.attrs},
        }
    )


def _draw(result: xr.Dataset, figure: Path, picture: str | None, title: bool) -> None:
    from spicealif.plots import save_figure
    from spicealif.sweep.figures import sweep_figure

    save_figure(sweep_figure(result, title=title), figure, picture)


def _quickly(choices: dict[str, Any], witness: str | None) -> str | None:
    """Have an experiment's circuits solved by their equations, unless told; return the witness.

    Hundreds of circuits take minutes so, and hours in SPICE.
    """
    from spicealif.errors import SimulatorNotFound
    from spicealif.simulators.registry import get_simulator, version_of

    source = click.get_current_context().get_parameter_source("simulator")
    if source is not ParameterSource.DEFAULT:
        return witness
    choices["simulator"] = "equations"
    with contextlib.suppress(SimulatorNotFound):
        if witness is None:
            version_of(get_simulator(_WITNESS.partition(":")[0]))
            witness = _WITNESS
    looked = f", and by a witness ({witness})" if witness not in (None, "none") else ""
    click.echo(
        f"Note: the circuits are solved by their own differential equations{looked}; --simulator "
        "chooses another way.",
        err=True,
    )
    return witness


def _refuse_both(changes: tuple[str, ...], over: tuple[str, ...]) -> None:
    """Refuse a key that is set and varied: the one value would be in the name of the results."""
    from spicealif.errors import SweepError

    names = {text.partition("=")[0].strip() for text in over}
    for key in (change.partition("=")[0].strip() for change in changes):
        if key in names:
            raise SweepError(f"{ascii(key)} is in --set and in --over; leave it out of --set.")


def _refuse_stimulus(changes: tuple[str, ...], name: str) -> None:
    """Refuse a stimulus for an experiment that has its own."""
    from spicealif.errors import SweepError

    keys = [change.partition("=")[0].strip() for change in changes]
    if given := next((key for key in keys if key.split(".")[0] == "stimulus"), None):
        raise SweepError(
            f"The experiment {name} has a stimulus of its own (steps up to the peak of the "
            f"neuron's), so {ascii(given)} would say something else; leave it out of --set, or use "
            "--over stimulus.amplitude=..."
        )


def _experiment(
    neuron: Neuron,
    over: tuple[str, ...],
    name: str | None,
    choices: dict[str, Any],
    changes: tuple[str, ...],
) -> Experiment:
    from spicealif.errors import SweepError
    from spicealif.sweep import Sweep, experiment

    n, seed, sampling = (choices.pop(key) for key in ("points", "seed", "sampling"))
    # What is not said is the experiment's own choice.
    for key in ("varies", "timeout", "spikes"):
        if choices[key] is None:
            del choices[key]
    if (name is None) == (not over):
        raise SweepError("Say what is varied: either --over (several if wanted) or --experiment.")
    if name is None:
        return Sweep(neuron, _over(neuron, over, sampling), sampling, n, seed, **choices)
    if sampling != "grid":
        raise SweepError("--sampling goes with --over; remove it.")
    if name == "f-i-curve":
        _refuse_stimulus(changes, name)
    if name == "prototypes":
        choices |= {"seed": seed} | ({"n": n} if n is not None else {})
    elif n is not None:
        raise SweepError(f"-n does not go with the experiment {name}; remove it.")
    return experiment(name, neuron, **choices)


def _over(neuron: Neuron, texts: tuple[str, ...], sampling: str) -> dict[str, Any]:
    """Read what is varied, each parameter once."""
    from spicealif.errors import SweepError
    from spicealif.sweep.space import design_value, unit_of

    out: dict[str, Any] = {}
    for text in texts:
        name = text.partition("=")[0].strip()
        if name in out:
            raise SweepError(f"--over names {ascii(name)} twice; give all its values at once.")
        unit = None
        if name in ("stimulus.file", "leak.file", "leak.preset"):
            raise SweepError(
                f"{name} cannot be varied; run the sweep once for each (--set {name}=...)."
            )
        if name and "=" in text:
            design_value(neuron, name)
            unit = unit_of(neuron, name)
        key, values = read_values(text, drawn=sampling not in ("grid", "list"), unit=unit)
        out[key] = values
    return out


@contextlib.contextmanager
def _executor(address: str | None) -> Iterator[Executor | None]:
    """Give Dask's executor, or None for processes of our own."""
    if address is None:
        yield None
        return
    from spicealif.errors import SweepError

    try:
        from distributed import Client
    except ImportError:
        raise SweepError(
            "Dask is not installed; install it with: pip install 'spicealif[dask]'."
        ) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise SweepError(
            f"No Dask scheduler answers at {ascii(address)} ({type(error).__name__}); check the "
            "address."
        ) from None
    with client:
        yield client.get_executor()

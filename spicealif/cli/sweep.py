"""``spicealif sweep`` and ``store``: experiments of many points, and what is kept of them."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._options import (
    find_neuron,
    neuron_argument,
    quiet_option,
    set_options,
    simulator_options,
    variant_option,
)
from spicealif.cli._output import OutputPath, output_option, writing
from spicealif.cli._progress import counting_bar
from spicealif.cli._types import CountType

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from spicealif.design import Neuron
    from spicealif.sweep import Experiment

__all__ = ["store_command", "sweep_command"]

#: Values that one --over may ask for.
_MOST_VALUES = 1_000_000

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where results are kept [default: the user's cache folder].",
)


@click.command(
    "sweep",
    epilog="Example:  spicealif sweep paper --over leak.tau=1m:10m:7 --over c=47n,100n,220n",
    short_help="Compute many points: sweeps, Monte Carlo, the paper's experiments.",
)
@neuron_argument
@set_options
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
    help="Instead of --over: frequency-response, f-i-curve, adaptation-map or prototypes.",
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
@click.option("--workers", type=CountType(), metavar="N", help="Processes [default: all CPUs].")
@click.option("--dask", metavar="ADDRESS", help="Compute on the Dask cluster at this address.")
@store_option
@click.option("--retry-failed", is_flag=True, help="Compute points anew that failed before.")
@click.option(
    "--spikes/--no-spikes",
    default=None,
    help="Whether to keep spike times [default: no; of an f-i-curve: yes].",
)
@click.option("--waveforms", is_flag=True, help="Keep each point's waveforms in the store.")
@output_option("netCDF file to write [default: NAME.nc, named after the experiment].")
@click.option("--figure", type=OutputPath(), metavar="FILE", help="Draw the result as well.")
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
    quiet: bool,
    **choices: Any,
) -> None:
    """Compute NEURON at many points and write the measures of all of them as netCDF.

    Results are kept in a store: the same again computes only what is missing, so that an
    interrupted sweep goes on where it was. What failed, and why, is in the file; the exit code is 1
    if a point failed for another reason than that its design is refused.
    """
    from spicealif._digest import with_digest
    from spicealif._kinds import PICTURE, SWEEP
    from spicealif._netcdf_write import write_netcdf
    from spicealif.sweep.worker import INVALID, OK

    _refuse_both(changes, over)
    experiment = _experiment(find_neuron(neuron, changes, ideal), over, name, choices)
    target = output or Path(f"{experiment.name}.nc")
    with writing((target, SWEEP), (figure, PICTURE), inputs=(neuron, *changes), force=force) as say:
        label = f"{experiment.name}, {len(experiment)} points"
        try:
            with _executor(dask) as executor, counting_bar(label, quiet) as bar:
                result = experiment.run(
                    store=store,
                    executor=executor,
                    workers=workers,
                    retry_failed=retry_failed,
                    progress=bar,
                )
        except KeyboardInterrupt:
            click.echo("What was done is kept; the same command goes on from there.", err=True)
            raise
        write_netcdf(with_digest(result), target)
        failed = int(result.attrs["failed"])
        told = f", {failed} of them failed ({result.attrs['failures']})" if failed else ""
        say(f"{experiment.name}: {len(experiment)} points{told}. Wrote {target}.")
        if figure is not None:
            from spicealif.plots import save_figure
            from spicealif.sweep.figures import sweep_figure

            save_figure(sweep_figure(result), figure)
            say(f"Wrote {figure}.")
    if failed:
        reasons = [str(r) for r in result["reason"].values.ravel() if r]
        click.echo(f"The first reason: {reasons[0] if reasons else 'not told'}", err=True)
        if set(result["status"].values.ravel()) - {OK, INVALID}:
            raise click.exceptions.Exit(1)


@click.command(
    "store",
    epilog="Example:  spicealif store check --set-aside",
    short_help="List, check or prune the store of sweeps.",
)
@click.argument("action", type=click.Choice(["list", "check", "prune"]), default="list")
@store_option
@click.option("--set-aside", is_flag=True, help="With check: move damaged lines out of the way.")
@click.option("--failed", is_flag=True, help="With prune: leave out points that failed.")
@click.option("--experiment", metavar="NAME", help="With prune: leave out this experiment's.")
def store_command(
    action: str, store: Path | None, set_aside: bool, failed: bool, experiment: str | None
) -> None:
    """List the experiments in the store, check it for damage, or write it anew without some.

    Files that somebody is writing to are left as they are.
    """
    from spicealif.errors import SweepError
    from spicealif.sweep import Store, default_store

    folder = store or default_store()
    kept = Store(folder)
    if set_aside and action != "check":
        raise SweepError("--set-aside goes with check; remove it, or say 'store check'.")
    if (failed or experiment) and action != "prune":
        raise SweepError("--failed and --experiment go with prune; say 'store prune'.")
    if action == "prune":
        count = kept.prune(failed=failed, experiment=experiment)
        click.echo(f"{folder}: {count} results left out.")
        return
    report = kept.check(set_aside=set_aside)
    click.echo(
        f"{folder}: {report.results} results ({report.failed} of failed points), "
        f"{report.size / 1e6:.3g} MB in {report.segments} files."
    )
    if report.waveforms:
        click.echo(f"Waveforms: {report.waveforms} files, {report.waveforms_size / 1e6:.3g} MB.")
    if action == "list":
        for name, count in sorted(report.by_experiment.items()):
            click.echo(f"{count:9d}  {name}")
    found = {
        "damaged lines": report.damaged,
        "damaged files of waveforms": report.damaged_waveforms,
        "files of waveforms that are gone": report.lost_waveforms,
    }
    for name, count in found.items():
        done = "set aside in its folder 'damaged'" if set_aside else "ignored"
        done = "" if name.endswith("gone") else f", {done}"
        if count:
            click.echo(f"{count} {name}{done}; their points will be computed again.", err=True)
    if any(found.values()) and action == "check" and not set_aside:
        raise click.exceptions.Exit(1)


def _refuse_both(changes: tuple[str, ...], over: tuple[str, ...]) -> None:
    """Refuse a key that is set and varied: the one value would be in the name of the results."""
    from spicealif.errors import SweepError

    names = {text.partition("=")[0].strip() for text in over}
    for key in (change.partition("=")[0].strip() for change in changes):
        if key in names:
            raise SweepError(f"{ascii(key)} is in --set and in --over; leave it out of --set.")


def _experiment(
    neuron: Neuron, over: tuple[str, ...], name: str | None, choices: dict[str, Any]
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
        if name and "=" in text:
            design_value(neuron, name)
            unit = unit_of(neuron, name)
        key, values = _values(text, drawn=sampling not in ("grid", "list"), unit=unit)
        out[key] = values
    return out


def _values(text: str, *, drawn: bool, unit: str | None = None) -> tuple[str, Any]:
    """Read KEY=VALUES; without a unit, numbers of any."""
    import numpy as np

    from spicealif.errors import SweepError
    from spicealif.quantities import parse_any, parse_count, quantity_of
    from spicealif.sweep import Range

    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not key or not values:
        raise SweepError(f"--over {ascii(text)} is not KEY=VALUES; write --over c=47n,100n.")
    if ":" not in values:
        return key, _listed(text, values)
    low, high, *more = (part.strip() for part in values.split(":"))
    log = bool(more) and more[-1] == "log"
    more = more[:-1] if log else more
    if drawn and not more:
        return key, Range(low, high, log)
    form = "low:high or low:high:log" if drawn else "low:high:n or low:high:n:log"
    wrong = f"--over {ascii(text)} is not KEY={form}; write, say, c=47n:220n:5."
    if len(more) != 1:
        raise SweepError(wrong)
    try:
        count = parse_count(more[0])
        for end in (low, high):
            parse_any(end)
    except ValueError as error:
        # A comma, an unknown prefix: that is what is to be mended, if it looks like a number.
        number = all(end[:1].isdigit() for end in (low, high, more[0]))
        raise SweepError(f"--over {ascii(text)}: a value {error}." if number else wrong) from None
    if not 1 <= count <= _MOST_VALUES:
        raise SweepError(
            f"--over {ascii(text)} asks for {count} values; give a number from 1 to {_MOST_VALUES}."
        )
    label = f"An end of the range of {key}"
    first, last = (
        parse_any(end) if unit is None else quantity_of(label, end, unit, SweepError)
        for end in (low, high)
    )
    if log and not min(first, last) > 0:
        raise SweepError(wrong)
    spaced = (np.geomspace if log else np.linspace)(first, last, count)
    # They are in K, and outside the usual range the design would ask.
    return key, [f"{v!r} K" for v in spaced.tolist()] if unit == "K" else spaced


def _listed(text: str, values: str) -> list[str]:
    """Return values between commas, unless a comma may be meant as a decimal one."""
    from spicealif.errors import SweepError

    parts = [part.strip() for part in values.split(",")]
    for first, second in itertools.pairwise(parts):
        # "0,22u" could be 0.22u; "0, 22u" and "0u,22u" could not.
        if (
            re.fullmatch(r"[-+]?[0-9]+", first)
            and re.fullmatch(r"[0-9]+ ?[^-+0-9.eE].*", second)
            and f"{first},{second}" in values
        ):
            raise SweepError(
                f"--over {ascii(text)} could mean the values {first} and {second} or the value "
                f"{first}.{second}; write {first}.{second}, or give every value its prefix or unit."
            )
    return parts


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

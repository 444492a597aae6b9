"""``spicealif compare``: any two saved results."""

from __future__ import annotations

from pathlib import Path

import click

from spicealif.cli._options import find_neuron

__all__ = ["compare_command"]


@click.command(
    "compare",
    epilog="Example:  spicealif compare circuit.nc reference.nc --figure overlay.png",
    short_help="Compare two saved results.",
)
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option(
    "--neuron",
    metavar="NEURON",
    help="Preset or TOML file; needed for raw files, which do not say what they are of.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table (SI units).")
@click.option(
    "--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw both into this file."
)
@click.option(
    "--second-reader",
    is_flag=True,
    help="Read raw files with the package ltspice as well, and fail if it reads other values.",
)
def compare_command(
    first: Path,
    second: Path,
    neuron: str | None,
    as_json: bool,
    figure: Path | None,
    second_reader: bool,
) -> None:
    """Compare FIRST with SECOND: netCDF files of ours (.nc) or ngspice raw files (.raw)."""
    import json

    from spicealif.comparison import compare
    from spicealif.results import load_result

    described = find_neuron(neuron) if neuron else None
    a, b = (load_result(p, described, second_reader=second_reader) for p in (first, second))
    comparison = compare(a, b, described)
    if as_json:
        click.echo(json.dumps(comparison.to_dict(), indent=1, allow_nan=False))
    else:
        click.echo(str(comparison))
    if figure is not None:
        from spicealif import plots

        plots.save_figure(plots.overlay_figure(comparison), figure)
        click.echo(f"Wrote {figure}.", err=as_json)

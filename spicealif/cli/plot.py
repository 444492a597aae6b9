"""``spicealif plot``: the figure of a sweep that was saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._options import output_option

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["plot_command"]

#: How far a value of --at may be from one of the sweep's, relatively: what printing leaves out.
_NEAR = 5e-3


@click.command(
    "plot",
    epilog="Example:  spicealif plot prototypes.nc --limit isi_mean=90u:110u -o yield.png",
    short_help="Draw a sweep that 'spicealif sweep' wrote.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--measure", metavar="NAME", help="What to draw [default: what suits the experiment]."
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="MEASURE=LOW:HIGH",
    help="Of prototypes: which values are good; LOW or HIGH may be left out. May be repeated.",
)
@click.option(
    "--at",
    "at",
    multiple=True,
    metavar="KEY=VALUE",
    help="Draw only the points of a grid where a parameter has this value. May be repeated.",
)
@output_option("Picture to write: .png, .svg or .pdf [default: FILE with .png instead of .nc].")
def plot_command(
    file: Path,
    measure: str | None,
    limits: tuple[str, ...],
    at: tuple[str, ...],
    output: Path | None,
) -> None:
    """Draw the sweep in FILE, a netCDF file of "spicealif sweep".

    Failed points are crosses. Of prototypes the figure shows histograms, which parameter moves a
    measure how much, and how many prototypes are within limits.
    """
    from spicealif.plots import save_figure
    from spicealif.sweep.figures import sweep_figure

    good = dict(_limit(text) for text in limits)
    dataset = _slice(_load(file), at)
    target = output or file.with_suffix(".png")
    save_figure(sweep_figure(dataset, measure, good or None), target)
    click.echo(f"Wrote {target}.")


def _load(path: Path) -> xr.Dataset:
    """Load a sweep, and say of another file of ours what it is for."""
    import xarray as xr

    from spicealif._digest import check_digest
    from spicealif.errors import SweepError

    shown = ascii(str(path))
    if path.suffix.lower() in (".raw", ".qraw"):
        raise SweepError(
            f"{shown} is a simulator's raw file and no sweep; draw it with 'spicealif compare FILE "
            "--neuron NEURON --figure PICTURE'."
        )
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            dataset = opened.load()
    except Exception as error:
        # h5py and xarray raise whatever they meet in a broken file.
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number else "it is not netCDF"
        raise SweepError(
            f"{shown} cannot be loaded as a sweep ({reason}); give a netCDF file that 'spicealif "
            "sweep' wrote."
        ) from None
    if wrong := check_digest(dataset):
        raise SweepError(f"{shown} cannot be used, since {wrong}.")
    if "time" in dataset.variables and "t_spike" in dataset.variables:
        raise SweepError(
            f"{shown} holds the waveforms of one run and no sweep; draw it with 'spicealif compare "
            "FILE --figure PICTURE'."
        )
    if "status" not in dataset.variables or "kind" not in dataset.attrs:
        raise SweepError(
            f"{shown} is netCDF but holds no sweep; give a file that 'spicealif sweep' wrote."
        )
    return dataset


def _limit(text: str) -> tuple[str, tuple[float, float]]:
    """Read MEASURE=LOW:HIGH."""
    from spicealif.design import parse_quantity
    from spicealif.errors import SweepError
    from spicealif.measures import MEASURES

    name, equals, ends = (part.strip() for part in text.partition("="))
    low, colon, high = (part.strip() for part in ends.partition(":"))
    if not (name and equals and colon and (low or high)):
        raise SweepError(
            f"--limit {ascii(text)} is not MEASURE=LOW:HIGH; write --limit isi_mean=90u:110u."
        )
    unit = MEASURES[name].unit if name in MEASURES else ""
    try:
        return name, (
            parse_quantity(low, unit) if low else -float("inf"),
            parse_quantity(high, unit) if high else float("inf"),
        )
    except ValueError as error:
        raise SweepError(f"An end of the limit of {ascii(name)} {error}.") from None


def _slice(dataset: xr.Dataset, at: tuple[str, ...]) -> xr.Dataset:
    """Take the points where parameters have the values asked for."""
    from spicealif.errors import SweepError

    for text in at:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise SweepError(f"--at {ascii(text)} is not KEY=VALUE; write --at c=100n.")
        if name not in dataset.dims or name not in dataset.coords:
            grid = [str(d) for d in dataset["status"].dims if d in dataset.coords]
            told = f"choose one of {', '.join(grid)}" if grid else "leave --at out"
            raise SweepError(f"The sweep is no grid over {ascii(name)}; {told}.")
        values = dataset[name].values.tolist()
        dataset = dataset.isel({name: _index(name, value, values)})
    return dataset


def _index(name: str, text: str, values: list[Any]) -> int:
    """Return which of a parameter's values a text means."""
    from spicealif.design import parse_quantity
    from spicealif.errors import SweepError

    none = SweepError(
        f"The sweep has no {name} = {ascii(text)}; its values are "
        f"{', '.join(f'{v:.4g}' if isinstance(v, float) else str(v) for v in values[:12])}"
        f"{', ...' if len(values) > 12 else ''}."
    )
    if isinstance(values[0], str | bool):
        names = [str(v).lower() for v in values]
        if text.lower() not in names:
            raise none
        return names.index(text.lower())
    try:
        wanted = parse_quantity(text)
    except ValueError as error:
        raise SweepError(f"--at {name}: the value {error}.") from None
    nearest = min(range(len(values)), key=lambda k: abs(values[k] - wanted))
    if abs(values[nearest] - wanted) > _NEAR * abs(wanted):
        raise none
    return nearest

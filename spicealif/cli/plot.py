"""``spicealif plot``: the figure of a sweep that was saved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import format_option, output_options, title_option
from spicealif.cli._output import writing
from spicealif.cli._terminal import Command

if TYPE_CHECKING:
    import xarray as xr


__all__ = ["plot_command"]

#: How far a value of --at may be from one of the sweep's, relatively: what printing leaves out.
_NEAR = 5e-3


@click.command(
    "plot",
    cls=Command,
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
@output_options("Picture to write: .png, .svg or .pdf [default: FILE with .png instead of .nc].")
@format_option("png, svg or pdf, where no name of a file says it [default: png].")
@title_option
def plot_command(
    file: Path,
    measure: str | None,
    limits: tuple[str, ...],
    at: tuple[str, ...],
    output: Path | None,
    force: bool,
    picture: str | None,
    title: bool,
) -> None:
    """Draw the sweep in FILE, a netCDF file of "spicealif sweep", for print.

    Failed points are crosses. Of prototypes the figure shows histograms, which parameter moves a
    measure how much, and how many prototypes are within limits. What it shows is printed, for a
    caption, and stands in the picture's file.
    """
    from spicealif._support.figures import picture_format
    from spicealif._support.kinds import PICTURE
    from spicealif._support.text import shown
    from spicealif.errors import SpicealifError, SweepError
    from spicealif.plots import save_figure
    from spicealif.sweep.figures import sweep_figure
    from spicealif.sweep.files import load_sweep

    dataset = load_sweep(file)
    good = _limits(dataset, limits)
    target = output or file.with_suffix(f".{picture or 'png'}")
    picture_format(target, picture)
    with writing((target, PICTURE), inputs=(file,), force=force) as say:
        try:
            figure = sweep_figure(_slice(dataset, at), measure, good or None, title=title)
        except SpicealifError:
            raise
        except Exception as error:
            # A file that calls itself a sweep may be damaged in any way; what is missing says
            # itself.
            raise SweepError(
                f"{ascii(str(file))} cannot be drawn, since it is damaged or not as "
                f"'spicealif sweep' writes it ({type(error).__name__}: {shown(error, 80)}); "
                "compute the sweep again."
            ) from None
        save_figure(figure, target, picture)
        answer({"files": [target], "shows": figure.caption})
        say(f"Wrote {target}: {figure.caption}.")


def _limits(dataset: xr.Dataset, texts: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Read the limits, each measure's once."""
    from spicealif.errors import SweepError

    out: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, ends = _limit(dataset, text)
        if name in out:
            raise SweepError(f"--limit gives {ascii(name)} twice; give it once, as LOW:HIGH.")
        out[name] = ends
    return out


def _limit(dataset: xr.Dataset, text: str) -> tuple[str, tuple[float, float]]:
    """Read MEASURE=LOW:HIGH."""
    from spicealif.errors import SweepError
    from spicealif.quantities.grammar import quantity_of
    from spicealif.sweep._results import Results

    name, equals, ends = (part.strip() for part in text.partition("="))
    low, colon, high = (part.strip() for part in ends.partition(":"))
    if not (name and equals and colon and (low or high)):
        raise SweepError(
            f"--limit {ascii(text)} is not MEASURE=LOW:HIGH; write --limit isi_mean=90u:110u."
        )
    Results(dataset).check(name)
    unit, label = str(dataset[name].attrs.get("units", "")), f"An end of the limit of {ascii(name)}"
    lowest = quantity_of(label, low, unit, SweepError) if low else -math.inf
    highest = quantity_of(label, high, unit, SweepError) if high else math.inf
    if not lowest < highest:
        raise SweepError(
            f"--limit {ascii(text)} lets nothing pass, from {lowest:g} to {highest:g}; give "
            "LOW:HIGH with the smaller value first."
        )
    return name, (lowest, highest)


def _slice(dataset: xr.Dataset, at: tuple[str, ...]) -> xr.Dataset:
    """Take the points where parameters have the values asked for."""
    from spicealif.errors import SweepError

    seen: set[str] = set()
    for text in at:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise SweepError(f"--at {ascii(text)} is not KEY=VALUE; write --at c=100n.")
        if name in seen:
            raise SweepError(f"--at gives {ascii(name)} twice; give it once.")
        seen.add(name)
        if name not in dataset.dims or name not in dataset.coords:
            grid = [str(d) for d in dataset["status"].dims if d in dataset.coords]
            told = f"choose one of {', '.join(grid)}" if grid else "leave --at out"
            raise SweepError(f"The sweep is no grid over {ascii(name)}; {told}.")
        values = dataset[name].values.tolist()
        unit = str(dataset[name].attrs.get("units", ""))
        dataset = dataset.isel({name: _index(name, value, values, unit)})
    return dataset


def _index(name: str, text: str, values: list[Any], unit: str) -> int:
    """Return which of a parameter's values a text means."""
    from spicealif._support.text import shown
    from spicealif.errors import SweepError
    from spicealif.quantities.grammar import quantity_of

    none = SweepError(
        f"The sweep has no {name} = {ascii(text)}; its values are "
        f"{', '.join(f'{v:.4g}' if isinstance(v, float) else shown(v, 40) for v in values[:12])}"
        f"{', ...' if len(values) > 12 else ''}."
    )
    if isinstance(values[0], str | bool):
        names = [str(v).lower() for v in values]
        if text.lower() not in names:
            raise none
        return names.index(text.lower())
    wanted = quantity_of(f"--at {name}", text, unit, SweepError)
    nearest = min(range(len(values)), key=lambda k: abs(values[k] - wanted))
    if abs(values[nearest] - wanted) > _NEAR * abs(wanted):
        raise none
    return nearest

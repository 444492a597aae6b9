"""``spicealif plot``: the figure of a sweep that was saved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spicealif.cli._answer import answer
from spicealif.cli._options import output_options
from spicealif.cli._output import writing
from spicealif.cli._terminal import Command

if TYPE_CHECKING:
    import xarray as xr

    from spicealif._support.netcdf import NetcdfFile

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
def plot_command(
    file: Path,
    measure: str | None,
    limits: tuple[str, ...],
    at: tuple[str, ...],
    output: Path | None,
    force: bool,
) -> None:
    """Draw the sweep in FILE, a netCDF file of "spicealif sweep".

    Failed points are crosses. Of prototypes the figure shows histograms, which parameter moves a
    measure how much, and how many prototypes are within limits.
    """
    from spicealif._support.kinds import PICTURE
    from spicealif._support.text import shown
    from spicealif.errors import SpicealifError, SweepError
    from spicealif.plots import save_figure
    from spicealif.sweep.figures import sweep_figure

    dataset = _load(file)
    good = _limits(dataset, limits)
    target = output or file.with_suffix(".png")
    with writing((target, PICTURE), inputs=(file,), force=force) as say:
        try:
            figure = sweep_figure(_slice(dataset, at), measure, good or None)
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
        save_figure(figure, target)
        answer({"files": [target]})
        say(f"Wrote {target}.")


def _load(path: Path) -> xr.Dataset:
    """Load a sweep, and say of another file of ours what it is for."""
    from spicealif._support.digest import check_digest
    from spicealif._support.netcdf import NetcdfError, read_netcdf
    from spicealif.errors import SweepError

    shown = ascii(str(path))
    if path.suffix.lower() in (".raw", ".qraw"):
        raise SweepError(
            f"{shown} is a simulator's raw file and no sweep; draw it with 'spicealif compare FILE "
            "--neuron NEURON --figure PICTURE'."
        )
    try:
        dataset = _dataset(read_netcdf(path))
    except NetcdfError as error:
        raise SweepError(
            f"{shown} cannot be loaded as a sweep ({error}); give a netCDF file that 'spicealif "
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


def _dataset(file: NetcdfFile) -> xr.Dataset:
    """Make a dataset of what a file holds, as xarray itself reads it."""
    import xarray as xr

    from spicealif._support.netcdf import NetcdfError

    # xarray keeps the names of coordinates that are no axis in this attribute.
    listed = str(file.attrs.pop("coordinates", "")).split()
    for variable in file.variables.values():
        listed += str(variable.attrs.pop("coordinates", "")).split()
    named = set(listed) | {n for n, v in file.variables.items() if v.dims == (n,)}
    parts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name, variable in file.variables.items():
        parts[name in named][name] = (variable.dims, variable.values, _plain(variable.attrs))
    try:
        return xr.Dataset(parts[0], coords=parts[1], attrs=_plain(file.attrs))
    except ValueError:
        raise NetcdfError("its variables do not fit together") from None


def _plain(attrs: dict[str, Any]) -> dict[str, Any]:
    """Return attributes whose texts, foreign as they are, stand on one line each."""
    from spicealif._support.text import shown

    return {
        name: shown(value, 1 << 20) if isinstance(value, str) and name != "design" else value
        for name, value in attrs.items()
    }


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

"""Sweeps on disk: loading what ``spicealif sweep`` wrote, whatever may have become of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif._support.digest import check_digest, with_digest
from spicealif._support.kinds import SWEEP, check_ending
from spicealif._support.netcdf import NetcdfError, NetcdfFile, read_netcdf
from spicealif._support.netcdf_write import write_netcdf
from spicealif._support.tables import Table, refuse_table, save_table
from spicealif._support.text import shown
from spicealif.errors import SweepError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["load_sweep", "save_sweep", "sweep_table"]


def save_sweep(dataset: xr.Dataset, path: str | os.PathLike[str]) -> Path:
    """Write a sweep; return the path.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `Sweep.run` returns it.
    path : path-like
        Ends in .nc (netCDF, which `load_sweep` reads, with all there is), or in .csv or .parquet:
        one row a point and side, see `sweep_table`.

    Raises
    ------
    OutputError
        If the file cannot be written or has another ending.
    SweepError
        If the dataset is no sweep's.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="1m")
    >>> result = Sweep(neuron, {"c": ["47n", "100n"]}, sides="reference").run(workers=1)
    >>> path = save_sweep(result, "sweep.csv")
    >>> path.read_text().splitlines()[0].split(",")[:4]
    ['c [F]', 'side', 'status', 'reason']
    """
    target = Path(path)
    check_ending(target, SWEEP)
    if target.suffix.lower() in (".csv", ".parquet"):
        return save_table(sweep_table(dataset), target)
    return write_netcdf(with_digest(dataset), target)


def sweep_table(dataset: xr.Dataset) -> Table:
    """Return a sweep as a table, one row a point and side.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `Sweep.run` returns it.

    Returns
    -------
    Table
        The values of the parameters, the side, what became of it and its measures. What belongs to
        both sides (status, figures of the pair) stands in both rows; what has more than one value a
        side (spike times, figures of each pulse) is left out.

    Raises
    ------
    SweepError
        If the dataset is no sweep's.
    """
    if "status" not in dataset or "kind" not in dataset.attrs:
        raise SweepError("The dataset is no result of a sweep; give one that spicealif computed.")
    points = list(dataset["status"].dims)
    dims = {*points, "side"}
    names = [str(n) for n, v in dataset.data_vars.items() if set(v.dims) <= dims]
    order = [*points, *(["side"] if "side" in dataset.dims else [])]
    frame = dataset[names].to_dataframe(dim_order=order).reset_index()
    values = [str(n) for n, v in dataset.coords.items() if set(v.dims) <= set(points)]
    first = [*points, *values, "side", "status", "reason", "simulator"]
    ordered = dict.fromkeys([*(n for n in first if n in frame.columns), *frame.columns])
    columns = {str(name): frame[name].to_numpy() for name in ordered}
    units = {n: str(dataset[n].attrs["units"]) for n in columns
             if n in dataset.variables and "units" in dataset[n].attrs}  # fmt: skip
    attrs = {str(k): v for k, v in dataset.attrs.items() if isinstance(v, str | int | float)}
    return Table(columns, units, attrs)


def load_sweep(path: str | os.PathLike[str]) -> xr.Dataset:
    """Load a sweep that ``spicealif sweep`` wrote.

    Parameters
    ----------
    path : path-like
        A netCDF file.

    Returns
    -------
    xarray.Dataset
        As `Sweep.run` returned it.

    Raises
    ------
    SweepError
        If the file cannot be read, is damaged, or is something else; the sentence says which.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="1m")
    >>> sweep = Sweep(neuron, {"c": ["47n", "100n"]}, sides="reference")
    >>> path = save_sweep(sweep.run(workers=1), "sweep.nc")
    >>> load_sweep(path)["spike_count"].values.tolist()
    [[16.0, 7.0]]
    """
    path = Path(path)
    name = ascii(str(path))
    if path.suffix.lower() in (".raw", ".qraw"):
        raise SweepError(
            f"{name} is a simulator's raw file and no sweep; draw it with 'spicealif compare FILE "
            "--neuron NEURON --figure PICTURE'."
        )
    try:
        dataset = _dataset(read_netcdf(path))
    except NetcdfError as error:
        raise SweepError(
            f"{name} cannot be loaded as a sweep ({error}); give a netCDF file that 'spicealif "
            "sweep' wrote."
        ) from None
    if wrong := check_digest(dataset):
        raise SweepError(f"{name} cannot be used, since {wrong}.")
    refuse_table(dataset.attrs, path, SweepError)
    if {"time", "t_spike"} <= set(dataset.variables):
        raise SweepError(
            f"{name} holds the waveforms of one run and no sweep; draw it with 'spicealif compare "
            "FILE --figure PICTURE', load it with load_waveforms."
        )
    if "status" not in dataset.variables or "kind" not in dataset.attrs:
        raise SweepError(
            f"{name} is netCDF but holds no sweep; give a file that 'spicealif sweep' wrote."
        )
    return dataset


def _dataset(file: NetcdfFile) -> xr.Dataset:
    """Make a dataset of what a file holds, as xarray itself reads it."""
    import xarray as xr

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
    return {
        name: shown(value, 1 << 20) if isinstance(value, str) and name != "design" else value
        for name, value in attrs.items()
    }

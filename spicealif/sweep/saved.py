"""Loading what a sweep has saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif._support.digest import check_digest
from spicealif._support.netcdf import NetcdfError, read_netcdf
from spicealif._support.text import shown
from spicealif.errors import SweepError

if TYPE_CHECKING:
    import xarray as xr

    from spicealif._support.netcdf import NetcdfFile

__all__ = ["load_sweep"]

#: Characters of an attribute, such as a list of failures.
_LONGEST = 1 << 20


def load_sweep(path: str | os.PathLike[str]) -> xr.Dataset:
    """Load a sweep that ``spicealif sweep`` wrote.

    Parameters
    ----------
    path : path-like
        The netCDF file.

    Returns
    -------
    xarray.Dataset
        As `Experiment.run` returns it.

    Raises
    ------
    SweepError
        If the file cannot be loaded, is not as it was saved, or is no sweep's.
    """
    name = ascii(str(path))
    try:
        dataset = _dataset(read_netcdf(Path(path)))
    except NetcdfError as error:
        raise SweepError(
            f"{name} cannot be loaded as a sweep ({error}); give a netCDF file that 'spicealif "
            "sweep' wrote."
        ) from None
    if wrong := check_digest(dataset):
        raise SweepError(f"{name} cannot be used, since {wrong}.")
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
        name: shown(value, _LONGEST) if isinstance(value, str) and name != "design" else value
        for name, value in attrs.items()
    }

"""Networks in files: TOML in and out, the arrays beside it, and the JSON Schema.

Arrays of more than `LONGEST_IN_TOML` numbers stand in a netCDF file beside the TOML and not in an
npz one: netCDF is what all results here are in, its reader refuses whatever a file of another
origin could do with it, and any program can look into it. The TOML holds the file's name and the
digest of what it says, so that the two cannot be taken for a pair that they are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.digest import CONTENT, check_signature, content_digest
from spicealif._support.files import write_text
from spicealif._support.kinds import NETWORK, check_ending, signed
from spicealif._support.netcdf import NetcdfError, read_netcdf
from spicealif._support.netcdf_write import write_netcdf
from spicealif._support.text_files import read_person_text, toml_table
from spicealif.design import preset_names
from spicealif.design.store import from_table, load_toml, named_file
from spicealif.errors import DesignError, within
from spicealif.network.arrays import KEEP, Values
from spicealif.network.description import Network

__all__ = [
    "LONGEST_IN_TOML",
    "dump_network",
    "load_network",
    "parse_network",
    "save_network",
]

#: Numbers in an array that stands in the TOML itself; about what a person reads.
LONGEST_IN_TOML = 256
#: Keys of the TOML's table of the arrays' file.
_FILE, _DIGEST = "file", "content_sha256"
_WHAT = "network file"
_REMEDY = "save the network again, or restore the file from a copy"


def load_network(path: str | os.PathLike[str]) -> Network:
    """Read a network from a TOML file.

    ``neuron`` of a population is a table as of a neuron's file (with ``preset`` at its top if it
    starts from one), the name of a preset, or the path of a neuron's TOML file relative to the
    network's.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Network

    Raises
    ------
    DesignError
        If the file or its arrays' cannot be read, the arrays are not those that the TOML was
        written with, or it does not describe a network.

    Examples
    --------
    >>> path = save_network(load_network_preset("ring"), "ring.toml")
    >>> load_network(path) == load_network_preset("ring")
    True
    """
    path = Path(path)
    text = read_person_text(
        path, _WHAT, "give the path of a TOML file, or use a network preset", DesignError
    )
    check_signature(text, ascii(path.name))
    try:
        name = re.sub(r"\W", "_", path.stem, flags=re.A)
        return parse_network(text, folder=path.parent, name=name)
    except DesignError as error:
        raise DesignError(within(ascii(path.name), error)) from None


def parse_network(
    text: str,
    *,
    folder: str | os.PathLike[str] = ".",
    name: str | None = None,
    files: bool = True,
) -> Network:
    """Read a network from TOML text; see `load_network`.

    Parameters
    ----------
    text : str
    folder : path-like
        Where files are looked for that the text names.
    name : str, optional
        The network's name if the text gives none.
    files : bool
        Whether the text may name files. One that came with a result may not: results are data.

    Returns
    -------
    Network

    Raises
    ------
    DesignError
        If the text names a file and may not, is not TOML or does not describe a network.
    """
    data = toml_table(text, "This", "a network's", DesignError)
    if not files and (named := "arrays" if "arrays" in data else named_file(data)):
        raise DesignError(
            f"This network names a file or a device ({named}), which a result's own network never "
            "does; give the network's own file instead."
        )
    if "populations" not in data and "leak" in data:
        raise DesignError(
            "This is a neuron's file and no network's; name it in a population: "
            "neuron = 'FILE' in [[populations]]."
        )
    folder = Path(folder)
    if "arrays" in data:
        arrays = _read_arrays(data.pop("arrays"), folder)
        data = _with_arrays(data, arrays)
    populations = data.get("populations")
    for population in populations if isinstance(populations, list) else ():
        if isinstance(population, dict) and "neuron" in population:
            population["neuron"] = _neuron(population["neuron"], folder, data.get("t_stop"), files)
    projections = data.get("projections")
    for projection in projections if isinstance(projections, list) else ():
        synapse = projection.get("synapse") if isinstance(projection, dict) else None
        device = synapse.get("device") if isinstance(synapse, dict) else None
        if isinstance(device, dict) and isinstance(device.get("file"), str):
            device["file"] = str(folder / device["file"])
    if name and "name" not in data:
        data["name"] = name
    return Network.from_dict(data)


def dump_network(network: Network) -> str:
    """Return a network as TOML text, every value and every array written out.

    Parameters
    ----------
    network : Network

    Returns
    -------
    str
    """
    import tomli_w

    return tomli_w.dumps(_tidy(network.to_dict()))


def save_network(network: Network, path: str | os.PathLike[str]) -> Path:
    """Write a network to a TOML file, its long arrays to a netCDF file beside it.

    That file's name ends in a part of its digest: ``NAME-1a2b3c4d.nc``. It is written first, and
    an earlier one stays, so that the TOML never names arrays that are not its own.

    Parameters
    ----------
    network : Network
    path : path-like
        Ends in ``.toml``.

    Returns
    -------
    Path
        The TOML file.

    Raises
    ------
    OutputError
        If one of them cannot be written.

    Examples
    --------
    >>> path = save_network(load_network_preset("pair"), "pair.toml")
    """
    import tomli_w

    path = Path(path)
    check_ending(path, NETWORK)
    aside: list[NDArray[Any]] = []

    def keep(values: Values) -> Any:
        if values.array.size <= LONGEST_IN_TOML:
            return values.tolist()
        aside.append(values.array)
        return {"array": len(aside) - 1}

    data = network.model_dump(mode="json", exclude_none=True, context={KEEP: keep})
    if aside:
        data = {**_tidy(data), "arrays": _write_arrays(data, aside, path)}
    return write_text(path, signed(tomli_w.dumps(_tidy(data))))


def _tidy(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, which TOML would show as empty tables and lists."""
    out = {key: value for key, value in data.items() if value not in ("", [], {})}
    out["populations"] = [
        {k: v for k, v in population.items() if v != {}} for population in data["populations"]
    ]
    return out


def _write_arrays(data: Any, aside: list[NDArray[Any]], path: Path) -> dict[str, str]:
    """Write the arrays under names that say where they belong; return the TOML's table."""
    import xarray as xr

    variables: dict[str, Any] = {}
    for place, where in _references(data):
        array, name = aside[where["array"]], place.strip("_")
        variables[name] = ([f"{name}_{axis}" for axis in range(array.ndim)], array)
        where["array"] = name
    dataset = xr.Dataset(
        {name: xr.Variable(dims, array) for name, (dims, array) in variables.items()},
        attrs={"title": "Arrays of a network of spicealif"},
    )
    digest = content_digest(dataset)
    target = path.with_name(f"{path.stem}-{digest[:8]}.nc")
    write_netcdf(dataset.assign_attrs({CONTENT: digest}), target)
    return {_FILE: target.name, _DIGEST: digest}


def _references(value: Any, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each place where an array is named, and its table."""
    if isinstance(value, dict):
        if set(value) == {"array"}:
            yield before, value
            return
        for key, inner in value.items():
            yield from _references(inner, f"{before}_{re.sub(r'[^A-Za-z0-9]', '_', key)}")
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            if isinstance(inner, list | dict):
                yield from _references(inner, f"{before}_{k}")


def _read_arrays(table: Any, folder: Path) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of the file that a TOML names, if they are what it was written with."""
    if not isinstance(table, dict) or set(table) != {_FILE, _DIGEST}:
        raise DesignError(
            f"arrays is no table of the arrays' file; give its {_FILE} and its {_DIGEST}, as "
            "save_network writes them."
        )
    name, digest = str(table[_FILE]), str(table[_DIGEST])
    if Path(name).name != name or "\\" in name or name in ("", ".", ".."):
        raise DesignError(
            f"arrays.{_FILE} = {ascii(name)} is not beside the TOML; give the name of a file in "
            "the same folder."
        )
    try:
        file = read_netcdf(folder / name)
    except NetcdfError as error:
        raise DesignError(
            f"The arrays' file {ascii(name)} cannot be read ({error}); {_REMEDY}."
        ) from None
    file.attrs.pop(CONTENT, None)
    if content_digest(file) != digest:
        raise DesignError(
            f"The arrays' file {ascii(name)} is not what the network was written with (another "
            f"digest); {_REMEDY}."
        )
    return {key: np.asarray(variable.values) for key, variable in file.variables.items()}


def _with_arrays(data: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Put the arrays where they are named."""

    def put(value: Any) -> Any:
        if isinstance(value, list):
            # Lists of numbers, which may be long, hold no references.
            return (
                [put(v) for v in value] if any(isinstance(v, list | dict) for v in value) else value
            )
        if not isinstance(value, dict):
            return value
        if set(value) != {"array"}:
            return {key: put(inner) for key, inner in value.items()}
        name = str(value["array"])
        if name not in arrays:
            raise DesignError(
                f"The arrays' file has no array {ascii(name)}; {_REMEDY} ({len(arrays)} are there)."
            )
        return arrays[name]

    return {key: put(value) for key, value in data.items()}


def _neuron(value: Any, folder: Path, t_stop: Any, files: bool) -> Any:
    """Return a neuron of a population's ``neuron``, or what its own validation refuses."""
    if isinstance(value, str):
        if value in preset_names():
            return value
        if not files:
            raise DesignError(
                f"neuron = {ascii(value)} names a file, which a result's own network never does; "
                "give the network's own file instead."
            )
        if not value.endswith(".toml"):
            raise DesignError(
                f"neuron = {ascii(value)} is no preset ({', '.join(preset_names())}) and no file; "
                "give a preset's name, the path of a neuron's .toml, or a table."
            )
        return load_toml(folder / value)
    if not isinstance(value, dict):
        return value
    if t_stop is not None:
        value.setdefault("t_stop", t_stop)
    return from_table(dict(value), folder=folder)

"""Tables on disk: CSV, Parquet or netCDF, by the ending of the file's name.

CSV has the unit behind the name (``v_c [V]``), as the reader of measured files understands it, and
every number with as many digits as it needs to be the same again. Parquet and netCDF have units and
provenance beside the columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spicealif._support.files import replacing
from spicealif._support.kinds import TABLE, TABLE_MARK, check_ending
from spicealif.errors import OutputError, SpicealifError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Table", "refuse_table", "save_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length.

    Attributes
    ----------
    columns : mapping of str to ndarray, shape (N,)
        Numbers or texts by name.
    units : mapping of str to str
        Of the columns that have one.
    attrs : mapping
        Provenance: texts and numbers.
    """

    columns: Mapping[str, NDArray[np.generic]]
    units: Mapping[str, str] = field(default_factory=dict)
    attrs: Mapping[str, str | float | int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def headings(self) -> list[str]:
        """Return the columns' names with their units, as CSV has them."""
        named = ((name, self.units.get(name, "")) for name in self.columns)
        return [f"{name} [{unit}]" if unit not in ("", "1") else name for name, unit in named]


def save_table(table: Table, path: Path) -> Path:
    """Write a table, whole or not at all; return the path.

    Parameters
    ----------
    table : Table
    path : Path
        Ends in .csv, .parquet or .nc; a pipe or a device, which may be called anything, gets CSV.

    Raises
    ------
    OutputError
        If it cannot be written, has another ending, or Parquet is asked for and pyarrow, which
        writes it, is not installed.
    """
    check_ending(path, TABLE)
    ending = path.suffix.lower()
    if ending == ".nc":
        return _save_netcdf(table, path)
    if ending == ".parquet":
        return _save_parquet(table, path)
    with replacing(path) as file:
        # In pieces: the text of a million rows is several times their numbers.
        _frame(table, table.headings()).to_csv(
            file, index=False, encoding="utf-8", lineterminator="\n", chunksize=50_000
        )
    return path


def refuse_table(
    attrs: Mapping[Any, Any], path: str | os.PathLike[str], error: type[SpicealifError]
) -> None:
    """Refuse netCDF that is a table, which has not all that a result has.

    Parameters
    ----------
    attrs : mapping
        The file's.
    path : path-like
        The file, for the sentence.
    error : type of SpicealifError
        What to raise.

    Raises
    ------
    SpicealifError
        If `save_table` wrote it.
    """
    if TABLE_MARK in attrs:
        raise error(
            f"{ascii(str(path))} is a table that 'spicealif export' made of a result, and no "
            "result any more; give the file that it was made of."
        )


def _frame(table: Table, names: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(zip(names, table.columns.values(), strict=True)))


def _save_parquet(table: Table, path: Path) -> Path:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise OutputError(
            "Parquet is written by pyarrow, which is not installed; install it with: pip install "
            "'spicealif[parquet]', or write .csv or .nc."
        ) from None
    fields, arrays = [], []
    for name, values in table.columns.items():
        array = pa.array(values.tolist() if values.dtype.kind == "O" else values)
        unit = table.units.get(name, "")
        fields.append(pa.field(name, array.type, metadata={"unit": unit} if unit else None))
        arrays.append(array)
    about = {"spicealif": json.dumps(dict(table.attrs), allow_nan=True)}
    schema = pa.schema(fields, metadata=about)
    with replacing(path) as file:
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file)
    return path


def _save_netcdf(table: Table, path: Path) -> Path:
    import xarray as xr

    from spicealif._support.digest import with_digest
    from spicealif._support.netcdf_write import write_netcdf

    variables = {
        name: ("row", values, {"units": table.units[name]} if name in table.units else {})
        for name, values in table.columns.items()
    }
    attrs = {**table.attrs, TABLE_MARK: "columns of a result, for other programs"}
    return write_netcdf(with_digest(xr.Dataset(variables, attrs=attrs)), path)

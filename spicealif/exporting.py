"""Results as tables for other programs: traces, spikes and measures as CSV, Parquet or netCDF."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif._support.tables import Table, save_table
from spicealif.errors import CompareError, WaveformError
from spicealif.measures.comparison import Comparison, design_of
from spicealif.measures.one_side import MEASURES, measure
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.cosim import Cosimulation
    from spicealif.simulators import Run

__all__ = ["TABLES", "TableName", "export", "table_of"]

TableName: TypeAlias = Literal["traces", "spikes", "measures"]
TABLES: tuple[TableName, ...] = get_args(TableName)


def export(
    result: Waveforms | Run | Comparison | Cosimulation | xr.Dataset,
    path: str | os.PathLike[str],
    what: TableName | None = None,
) -> Path:
    """Write a table of a result.

    Parameters
    ----------
    result : Waveforms, Run, Comparison, Cosimulation or xarray.Dataset
        A dataset is what a sweep returns.
    path : path-like
        Ends in .csv, .parquet or .nc, which decides what is written.
    what : {"traces", "spikes", "measures"}, optional
        Traces over time, one row a spike, or one row a measure; of a sweep, which has measures
        only, one row a point and side. If not given: traces of waveforms and runs, measures of
        everything else.

    Returns
    -------
    Path

    Raises
    ------
    CompareError
        If the result has no such table, or does not say which neuron it is of (measures).
    OutputError
        If the file cannot be written or has another ending.

    Examples
    --------
    >>> reference = solve_reference(load_preset("paper").replace(t_stop="1m"))
    >>> path = export(reference, "spikes.csv", "spikes")
    >>> print(path.read_text().splitlines()[0])
    spike,t_spike [s]
    """
    return save_table(table_of(result, what), Path(path))


def table_of(
    result: Waveforms | Run | Comparison | Cosimulation | xr.Dataset,
    what: TableName | None = None,
) -> Table:
    """Return the table that `export` writes.

    Parameters
    ----------
    result, what
        As in `export`.

    Returns
    -------
    Table

    Raises
    ------
    CompareError
        As in `export`.
    """
    if what is not None and what not in TABLES:
        raise CompareError(f"There is no table {ascii(what)}; choose one of {', '.join(TABLES)}.")
    found: Any = result
    if hasattr(found, "require"):  # a run, complete or not
        found = found.waveforms
    if hasattr(found, "comparison"):
        found = found.comparison
    if found is None:
        raise CompareError("The run computed nothing that a table could have.")
    if isinstance(found, Waveforms):
        if what in (None, "traces"):
            return found.table
        return _spikes(found) if what == "spikes" else _measures_of_one(found)
    if isinstance(found, Comparison):
        if (what or "measures") == "measures":
            return _measures_of_two(found)
        tables = {label: table_of(w, what) for label, w in _sides(found).items()}
        return _stacked(tables)
    if hasattr(found, "data_vars"):
        if what not in (None, "measures"):
            raise CompareError(
                f"A sweep has measures and no {what}; take them of one point, run by itself."
            )
        from spicealif.sweep.files import sweep_table

        return sweep_table(found)
    raise CompareError(f"There is no table of a {type(result).__name__}; give a run or a sweep.")


def _spikes(waveforms: Waveforms) -> Table:
    count = np.arange(1, len(waveforms.t_spike) + 1)
    columns = {"spike": count, "t_spike": waveforms.t_spike}
    return Table(columns, {"t_spike": "s"}, waveforms.attrs)


def _measures_of_one(waveforms: Waveforms) -> Table:
    try:
        values = measure(waveforms, design_of(waveforms))
    except WaveformError as error:
        raise CompareError(str(error)) from None
    names = [name for name, info in MEASURES.items() if not info.pair and name in values]
    side = str(waveforms.attrs.get("side"))
    side = side if side in ("circuit", "reference", "equations") else "value"
    columns = _measure_names(names) | {side: _numbers(values[name] for name in names)}
    return Table(columns, {}, waveforms.attrs)


def _measures_of_two(comparison: Comparison) -> Table:
    a, b, pair = comparison.of_a, comparison.of_b, comparison.of_pair
    names = list(MEASURES)
    first = _numbers(a.get(name) for name in names)
    second = _numbers(b.get(name) for name in names)
    of_pair = _numbers(pair.get(name) if MEASURES[name].pair else None for name in names)
    difference = np.where(np.isnan(of_pair), first - second, of_pair)
    columns: dict[str, NDArray[Any]] = _measure_names(names) | {
        comparison.labels[0]: first,
        comparison.labels[1]: second,
        "difference": difference,
    }
    if comparison.check is not None:
        errors, own = comparison.check.errors, comparison.check.own_errors
        columns["numerical_error"] = np.array(
            [abs(errors.get(n, math.nan)) + own.get(n, math.nan) for n in names]
        )
    return Table(columns, {}, {"neuron": comparison.neuron.name})


def _measure_names(names: list[str]) -> dict[str, NDArray[Any]]:
    return {
        "measure": np.array(names, dtype=object),
        "label": np.array([MEASURES[n].label for n in names], dtype=object),
        "unit": np.array([MEASURES[n].unit for n in names], dtype=object),
    }


def _numbers(values: Iterable[Any]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else float(value) for value in values])


def _sides(comparison: Comparison) -> dict[str, Waveforms]:
    return dict(zip(comparison.labels, (comparison.a, comparison.b), strict=True))


def _stacked(tables: Mapping[str, Table]) -> Table:
    """Put tables below each other, with a column that says which one a row is of."""
    names = list(dict.fromkeys(name for table in tables.values() for name in table.columns))
    sides = np.concatenate([np.full(len(t), label, dtype=object) for label, t in tables.items()])
    columns: dict[str, NDArray[Any]] = {"side": sides}
    units: dict[str, str] = {}
    for name in names:
        columns[name] = np.concatenate(
            [t.columns.get(name, np.full(len(t), math.nan)) for t in tables.values()]
        )
    for table in tables.values():
        units |= table.units
    return Table(columns, units, next(iter(tables.values())).attrs)

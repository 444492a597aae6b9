"""From the values of points to one `xarray.Dataset`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif.design import dump_toml
from spicealif.measures import MEASURES
from spicealif.sweep.space import unit_of
from spicealif.sweep.worker import OK, Value

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.sweep.experiment import Experiment
    from spicealif.sweep.store import Store

__all__ = ["dataset"]


def dataset(experiment: Experiment, values: Sequence[Value], store: Store) -> xr.Dataset:
    """Put the results of all points together.

    Parameters
    ----------
    experiment : Experiment
    values : sequence of dict
        The result of each point, see `worker.evaluate`.
    store : Store
        Where they are kept.

    Returns
    -------
    xarray.Dataset
        Dimensions: those of the points; ``side`` (``circuit``, ``reference``) for measures of one
        side; ``pulse`` for ``spikes_per_pulse`` and ``spike`` for ``t_spike``, filled up with NaN.
        Variables: the measures (see `measure` and `Comparison`; units in their ``attrs``),
        ``status``, ``reason`` and ``simulator`` (its version) of each point; where waveforms were
        kept, ``waveforms``, the name of each one's file. A point that failed has NaN. Nothing
        depends on who computed it, how fast, or in what order.
    """
    import xarray as xr

    points = experiment.points
    dims = tuple(points.dims)
    shape = tuple(points.dims.values())
    sides = [s for s in ("circuit", "reference") if experiment.sides in ("both", s)]
    data: dict[str, tuple[tuple[str, ...], NDArray[Any], dict[str, str]]] = {}
    for name, info in MEASURES.items():
        attrs = {"long_name": info.label, "units": info.unit or "1"}
        if not info.pair:
            columns = [[_number(v.get(s, {}).get(name)) for v in values] for s in sides]
            array = np.array(columns).reshape(len(sides), *shape)
            data[name] = (("side", *dims), array, attrs)
        elif len(sides) == 2:
            column = np.array([_number(v.get("pair", {}).get(name)) for v in values])
            data[name] = (dims, column.reshape(shape), attrs)
    for name, inner, unit, key in (
        ("spikes_per_pulse", "pulse", "1", None),
        ("t_spike", "spike", "s", "t_spike"),
    ):
        rows = [[_row(v, s, name, key) for v in values] for s in sides]
        longest = max((len(row) for side in rows for row in side), default=0)
        if longest:
            array = np.full((len(sides), len(values), longest), np.nan)
            for k, side in enumerate(rows):
                for i, row in enumerate(side):
                    array[k, i, : len(row)] = row
            data[name] = (
                ("side", *dims, inner),
                array.reshape(len(sides), *shape, longest),
                {"long_name": name.replace("_", " "), "units": unit},
            )
    for name in ("status", "reason", "simulator"):
        texts = np.array([str(v.get(name, "")) for v in values], dtype=object)
        data[name] = (dims, texts.reshape(shape), {})
    if experiment.waveforms:
        keys = experiment.keys()
        names = [
            [
                store.waveforms_path(key, s).name if s in v.get("waveforms", ()) else ""
                for s in sides
            ]
            for key, v in zip(keys, values, strict=True)
        ]
        folder = str(store.waveforms_path("", "").parent.absolute())
        files = np.array(names, dtype=object).T.reshape(len(sides), *shape)
        data["waveforms"] = (("side", *dims), files, {"folder": folder})
    coords: dict[str, Any] = {"side": ("side", np.array(sides, dtype=object))}
    for name, column in points.values.items():
        unit = unit_of(experiment.neuron, name)
        attrs = {"units": unit or "1", "long_name": name}
        if name in points.dims:
            # A grid: the values of one dimension.
            index = [slice(None) if d == name else 0 for d in dims]
            coords[name] = (name, column.reshape(shape)[tuple(index)], attrs)
        else:
            coords[name] = (dims, column.reshape(shape), attrs)
    return xr.Dataset(data, coords=coords, attrs=_attrs(experiment, values, store))


def _attrs(experiment: Experiment, values: Sequence[Value], store: Store) -> dict[str, str | int]:
    statuses = Counter(str(v["status"]) for v in values)
    failed = len(values) - statuses.pop(OK, 0)
    attrs: dict[str, str | int] = {
        "experiment": experiment.name,
        "kind": experiment.kind,
        "design": dump_toml(experiment.neuron),
        "parameters": " ".join(experiment.points.values),
        "sides": experiment.sides,
        "varies": experiment.varies,
        "variant": experiment.variant,
        "points": len(values),
        "failed": failed,
        "failures": ", ".join(f"{k} {name}" for name, k in statuses.most_common()),
    }
    if store.trouble:
        attrs["store"] = store.trouble
    return attrs


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _row(value: Value, side: str, name: str, key: str | None) -> list[float]:
    found = value.get(key, {}).get(side) if key else value.get(side, {}).get(name)
    return found or []

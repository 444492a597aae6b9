"""From the values of points to one `xarray.Dataset`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
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

#: Where a result has the measures of both sides together.
_PAIR = "pair"
#: What is a list for each side of a point: its dimension, and its unit.
_LISTS = (("spikes_per_pulse", "pulse", "1"), ("t_spike", "spike", "s"))


def dataset(experiment: Experiment, values: Collection[Value], store: Store) -> xr.Dataset:
    """Put the results of all points together.

    Parameters
    ----------
    experiment : Experiment
    values : collection of dict
        The result of each point, see `worker.evaluate`; gone through twice.
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
    columns = _Columns(sides, len(points))
    for k, value in enumerate(values):
        columns.add(k, value)
    for name, info in MEASURES.items():
        attrs = {"long_name": info.label, "units": info.unit or "1"}
        if not info.pair:
            array = np.array([columns.numbers[s, name] for s in sides])
            data[name] = (("side", *dims), array.reshape(len(sides), *shape), attrs)
        elif len(sides) == 2:
            data[name] = (dims, columns.numbers[_PAIR, name].reshape(shape), attrs)
    for name, inner, unit in _LISTS:
        if columns.longest[name]:
            array = _lists(name, values, columns)
            data[name] = (
                ("side", *dims, inner),
                array.reshape(len(sides), *shape, -1),
                {"long_name": name.replace("_", " "), "units": unit},
            )
    for name, texts in columns.texts.items():
        data[name] = (dims, texts.reshape(shape), {})
    if experiment.waveforms:
        data["waveforms"] = _files(experiment, columns, store)
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
    return xr.Dataset(data, coords=coords, attrs=_attrs(experiment, columns, store))


class _Columns:
    """The results of points as columns, filled point by point."""

    def __init__(self, sides: Sequence[str], n: int) -> None:
        wanted = [(s, name) for s in sides for name, info in MEASURES.items() if not info.pair]
        if len(sides) == 2:
            wanted += [(_PAIR, name) for name, info in MEASURES.items() if info.pair]
        self.sides = sides
        self.numbers = {key: np.full(n, np.nan) for key in wanted}
        self.texts = {t: np.full(n, "", dtype=object) for t in ("status", "reason", "simulator")}
        self.longest = {name: 0 for name, _, _ in _LISTS}
        self.waveforms: list[Sequence[str]] = []
        #: Each text once, however many points have it.
        self._known: dict[str, str] = {}

    def add(self, k: int, value: Value) -> None:
        for part, name in self.numbers:
            number = value.get(part, {}).get(name)
            if number is not None:
                self.numbers[part, name][k] = number
        for name, column in self.texts.items():
            text = str(value.get(name, ""))
            column[k] = self._known.setdefault(text, text)
        for name in self.longest:
            rows = [len(_row(value, side, name)) for side in self.sides]
            self.longest[name] = max(self.longest[name], *rows)
        self.waveforms.append(tuple(value.get("waveforms") or ()))


def _attrs(experiment: Experiment, columns: _Columns, store: Store) -> dict[str, str | int]:
    statuses = Counter(columns.texts["status"].tolist())
    failed = len(experiment) - statuses.pop(OK, 0)
    attrs: dict[str, str | int] = {
        "experiment": experiment.name,
        "kind": experiment.kind,
        "design": dump_toml(experiment.neuron),
        "parameters": " ".join(experiment.points.values),
        "sides": experiment.sides,
        "varies": experiment.varies,
        "variant": experiment.variant,
        "points": len(experiment),
        "failed": failed,
        "failures": ", ".join(f"{k} {name}" for name, k in statuses.most_common()),
    }
    if store.trouble:
        attrs["store"] = store.trouble
    return attrs


def _lists(name: str, values: Collection[Value], columns: _Columns) -> NDArray[np.float64]:
    """Return what is a list for each side of a point, shape (sides, points, longest)."""
    array = np.full((len(columns.sides), len(values), columns.longest[name]), np.nan)
    for i, value in enumerate(values):
        for k, side in enumerate(columns.sides):
            row = _row(value, side, name)
            array[k, i, : len(row)] = row
    return array


def _files(
    experiment: Experiment, columns: _Columns, store: Store
) -> tuple[tuple[str, ...], NDArray[Any], dict[str, str]]:
    """Return the variable with the names of the files of waveforms."""
    sides, dims = columns.sides, experiment.points.dims
    names = [
        [store.waveforms_path(key, s).name if s in kept else "" for s in sides]
        for key, kept in zip(experiment.keys(), columns.waveforms, strict=True)
    ]
    folder = str(store.waveforms_path("", "").parent.absolute())
    files = np.array(names, dtype=object).T.reshape(len(sides), *dims.values())
    return ("side", *dims), files, {"folder": folder}


def _row(value: Value, side: str, name: str) -> list[float]:
    # Spike times stand beside the measures, each side's under its name.
    found = value.get(name, {}).get(side) if name == "t_spike" else value.get(side, {}).get(name)
    return found or []

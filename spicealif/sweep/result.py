"""From the values of points to one `xarray.Dataset`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.design import Neuron, dump_toml
from spicealif.measures.one_side import MEASURES
from spicealif.measures.tables import figure
from spicealif.sweep.space import Points, unit_of
from spicealif.sweep.worker import OK, Value

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.sweep.store import Store

__all__ = ["dataset"]

#: Where a result has the measures of both sides together.
_PAIR = "pair"
#: What is known of the accuracy of a point's run in SPICE: name, what it is, and its unit.
_CHECK = (
    ("spike_time_error", "error of the circuit's spike times", "s"),
    ("reltol", "SPICE's relative tolerance", "1"),
)
#: What is a list for each side of a point: its dimension, and its unit.
_LISTS = (("spikes_per_pulse", "pulse", "1"), ("t_spike", "spike", "s"))


class _Described(Protocol):
    """What a result says of the experiment that it is of; an `Experiment` is one."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def neuron(self) -> Neuron: ...
    @property
    def points(self) -> Points: ...
    @property
    def sides(self) -> str: ...
    @property
    def varies(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def waveforms(self) -> bool: ...
    def keys(self) -> list[str]: ...
    def __len__(self) -> int: ...


def dataset(experiment: _Described, values: Collection[Value], store: Store) -> xr.Dataset:
    """Put the results of all points together.

    Parameters
    ----------
    experiment : _Described
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
        ``status``, ``reason`` and ``simulator`` (its version) of each point; of runs in SPICE
        ``spike_time_error`` against the circuit's own equations (NaN with another number of spikes)
        and ``reltol``, which `run_accurately` found; where waveforms were
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
    for name, label, unit in _CHECK if columns.checked else ():
        column = columns.numbers["check", name].reshape(shape)
        data[name] = (dims, column, {"long_name": label, "units": unit})
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
        wanted += [("check", name) for name, _, _ in _CHECK]
        self.sides = sides
        self.checked = False
        self.numbers = {key: np.full(n, np.nan) for key in wanted}
        self.texts = {t: np.full(n, "", dtype=object) for t in ("status", "reason", "simulator")}
        self.longest = {name: 0 for name, _, _ in _LISTS}
        self.waveforms: list[Sequence[str]] = []
        #: Each text once, however many points have it.
        self._known: dict[str, str] = {}

    def add(self, k: int, value: Value) -> None:
        self.checked = self.checked or "check" in value
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


def _attrs(experiment: _Described, columns: _Columns, store: Store) -> dict[str, str | int]:
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
    asked = experiment.points.values.get("numerics.accuracy")
    if asked is None or len(np.unique(np.asarray(asked))) == 1:
        own = (
            experiment.neuron.numerics.accuracy
            if asked is None
            else float(np.asarray(asked).flat[0])
        )
        said = _accuracy(own, columns)
    else:
        said = ""  # each point's own: its spike_time_error tells
    if said:
        attrs["accuracy"] = said
    if store.trouble:
        attrs["store"] = store.trouble
    return attrs


def _accuracy(asked: float, columns: _Columns) -> str:
    """Return how accurate the runs in SPICE are, a sentence; empty if none was checked."""
    tolerances = columns.numbers["check", "reltol"]
    checked = np.isfinite(tolerances)
    if not checked.any():
        return ""
    errors = columns.numbers["check", "spike_time_error"][checked]
    good = errors <= asked
    worst = float(errors[good].max(initial=0.0))
    text = (
        f"Accuracy: {int(good.sum())} of {counted(len(errors), 'run')} in SPICE have spike times "
        f"within {figure(asked, 's')} of the circuit's own equations (numerics.accuracy"
        + (f"; worst of them {figure(worst, 's')})" if good.any() else ")")
    )
    other, far = int(np.isnan(errors).sum()), errors[errors > asked]
    if len(far):
        text += f"; {len(far)} up to {figure(float(far.max()), 's')}"
    if other:
        text += f"; {other} with another number of spikes"
    return f"{text}."


def _lists(name: str, values: Collection[Value], columns: _Columns) -> NDArray[np.float64]:
    """Return what is a list for each side of a point, shape (sides, points, longest)."""
    array = np.full((len(columns.sides), len(values), columns.longest[name]), np.nan)
    for i, value in enumerate(values):
        for k, side in enumerate(columns.sides):
            row = _row(value, side, name)
            array[k, i, : len(row)] = row
    return array


def _files(
    experiment: _Described, columns: _Columns, store: Store
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

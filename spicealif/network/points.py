"""The points of a sweep of networks: what is kept of each, and all of them as one dataset."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spicealif.network.choices import SIDES
from spicealif.network.description import Network
from spicealif.network.measures import Trains, common_tau, together
from spicealif.network.parameters import network_parameter
from spicealif.network.run import NetworkRun
from spicealif.sweep.worker import OK, Value

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dataset", "point_of"]

_NAMES = {"equations": "circuit", "reference": "reference"}
_UNITS = {"mean_rate": "Hz", "energy": "J"}
#: What depends on tau, which is known when all points are there.
_FILTERED = ("synchrony", "van_rossum")


class _Described(Protocol):
    """What points say of the sweep that they are of; a `NetworkSweep` is one."""

    @property
    def name(self) -> str: ...
    @property
    def network(self) -> Network: ...
    @property
    def over(self) -> Mapping[str, Sequence[Any] | NDArray[Any]]: ...
    @property
    def sides(self) -> Sequence[str]: ...
    @property
    def variant(self) -> str | None: ...
    @property
    def rtol(self) -> float: ...
    @property
    def t_tol(self) -> float: ...
    @property
    def tau(self) -> float | None: ...
    def changes(self, index: int) -> dict[str, Any]: ...


def point_of(run: NetworkRun) -> Value:
    """Return what is kept of a point: plain numbers and lists."""
    out: Value = {"spikes": {}, "t_spike": {}}
    for name, side in (("circuit", run.solution), ("reference", run.reference)):
        if side is None:
            continue
        counts = [len(train) for train in side.t_spike]
        total = sum(counts)
        figures: dict[str, float | int | None] = {
            "spike_count": total,
            "mean_rate": total / len(counts) / run.network.t_stop,
        }
        if run.solution is side:
            figures["energy"] = float(run.solution.energy.sum())
        measured = {k: v for k, v in run.measures[name].of_network.items() if k not in _FILTERED}
        figures = {**_scalars(measured), **figures}
        out[name] = figures
        out["spikes"][name] = counts
        out["t_spike"][name] = [train.tolist() for train in side.t_spike]
    if run.comparison is not None:
        pair, apart = run.comparison, np.asarray(run.comparison.worst)
        known = apart[np.isfinite(apart)]
        out["pair"] = _scalars(
            {
                "matched": int(pair.matched.sum()),
                "time_error_worst": float(known.max()) if len(known) else math.nan,
            }
        )
    return out


def _scalars(data: Mapping[str, Any]) -> dict[str, float | int | None]:
    """Return the single numbers of a result; NaN as None, which JSON knows."""
    out: dict[str, float | int | None] = {}
    for key, value in data.items():
        one = value.item() if isinstance(value, np.generic) else value
        if isinstance(one, bool):
            out[key] = int(one)
        elif isinstance(one, int | float):
            out[key] = one if one - one == 0 else None
    return out


def dataset(sweep: _Described, values: Sequence[Value]) -> xr.Dataset:
    """Put the results of all points together; see `NetworkSweep.run`.

    Parameters
    ----------
    sweep : _Described
    values : sequence of dict
        Of each point, see `point_of`.
    """
    import xarray as xr

    dims, shape = tuple(sweep.over), tuple(map(len, sweep.over.values()))
    sides = [_NAMES[side] for side in SIDES if side in sweep.sides]
    tau, values = _filtered(sweep, values)
    data: dict[str, Any] = {}
    for text in ("status", "reason"):
        column = np.array([str(v.get(text, "")) for v in values], dtype=object)
        data[text] = (dims, column.reshape(shape))
    names = dict.fromkeys(n for v in values for side in sides for n in v.get(side, {}))
    for name in ["spike_count", *(n for n in names if n != "spike_count")]:
        column = np.array([[_number(v.get(s, {}).get(name)) for v in values] for s in sides])
        attrs = {"units": _UNITS.get(name, "1")}
        data[name] = (("side", *dims), column.reshape(len(sides), *shape), attrs)
    for name in dict.fromkeys(n for v in values for n in v.get("pair", {})):
        column = np.array([_number(v.get("pair", {}).get(name)) for v in values])
        data[name if name not in data else f"pair_{name}"] = (dims, column.reshape(shape))
    most = max((len(c) for v in values for c in v.get("spikes", {}).values()), default=0)
    counts = np.full((len(sides), len(values), most), np.nan)
    for i, side in enumerate(sides):
        for k, value in enumerate(values):
            row = value.get("spikes", {}).get(side, [])
            counts[i, k, : len(row)] = row
    data["spikes"] = (("side", *dims, "neuron"), counts.reshape(len(sides), *shape, most))
    coords: dict[str, Any] = {"side": ("side", np.array(sides, dtype=object))}
    for name, values_of in sweep.over.items():
        texts = any(isinstance(one, str) for one in values_of)
        array = np.array(values_of, dtype=object if texts else float)
        unit = network_parameter(sweep.network, name)[1]
        coords[name] = (name, array, {"units": unit or "1", "long_name": name})
    statuses = Counter(str(v["status"]) for v in values)
    failed = len(values) - statuses.pop(OK, 0)
    about: dict[str, Any] = {
        "experiment": sweep.name, "kind": "network", "network": sweep.network.name,
        "network_digest": sweep.network.digest, "parameters": " ".join(sweep.over),
        "sides": " ".join(sides), "points": len(values), "failed": failed,
        "failures": ", ".join(f"{k} {name}" for name, k in statuses.most_common()),
        "rtol": sweep.rtol, "t_tol": sweep.t_tol, "variant": str(sweep.variant or "chosen"),
        **({} if tau is None else {"tau": tau}),
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs=about)


def _filtered(sweep: _Described, values: Sequence[Value]) -> tuple[float | None, list[Value]]:
    """Return tau, None without a point, and the points with what depends on it."""
    points = []
    for k, value in enumerate(values):
        t_stop = float(sweep.changes(k).get("t_stop", sweep.network.t_stop))
        points.append(
            {side: _trains(side, of, t_stop) for side, of in value.get("t_spike", {}).items()}
        )
    ordered = [of[side] for of in points for side in ("reference", "circuit") if side in of]
    if not ordered:
        return sweep.tau, list(values)
    tau = common_tau(*ordered) if sweep.tau is None else sweep.tau
    out = []
    for value, of in zip(values, points, strict=True):
        both = {side: _scalars(dict(zip(_FILTERED, together(trains, tau), strict=True)))
                for side, trains in of.items()}  # fmt: skip
        out.append({**value, **{side: {**value[side], **more} for side, more in both.items()}})
    return tau, out


def _trains(side: str, t_spike: Sequence[Sequence[float]], t_stop: float) -> Trains:
    trains = tuple(np.array(train, dtype=float) for train in t_spike)
    names = tuple(str(k) for k in range(len(trains)))
    return Trains(side, names, trains, t_stop, None, np.arange(len(trains)))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)

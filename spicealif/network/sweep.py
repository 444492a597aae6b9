"""Networks over values of their parameters: many points, each computed once and kept.

The pool of processes and the store are those of neurons (`spicealif.sweep`): a job says itself how
it is computed, a worker that dies takes one point with it, and every result is a line with its own
digest, so that a sweep that was killed goes on where it was. What is a neuron's there (its designs,
its measures, one design for each side) has no counterpart here and is apart.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import digest_of, source_digest
from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.design._base import Part
from spicealif.errors import SweepError
from spicealif.network.circuit import DEFAULT_T_TOL
from spicealif.network.description import Network, Projection
from spicealif.network.measures import Trains, common_tau, together
from spicealif.network.run import SIDES, NetworkRun, Side, run_network
from spicealif.network.store import dump_network, parse_network
from spicealif.quantities.grammar import parse_any, quantity_of
from spicealif.reference import Variant, check_variant
from spicealif.sweep.missing import Progress, compute_missing, opened
from spicealif.sweep.pool import width
from spicealif.sweep.space import MAX_POINTS
from spicealif.sweep.store import Store
from spicealif.sweep.worker import OK, Job, Settings, Value, trouble

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NetworkSweep", "network_parameter", "parameter_names"]

#: Parts of the package that a result depends on.
_SOURCES = ("quantities", "design", "reference", "circuit", "network", "measures")
_LISTS = ("populations", "sources", "projections")
_NAMES = {"equations": "circuit", "reference": "reference"}
_UNITS = {"mean_rate": "Hz", "energy": "J"}
#: What depends on tau, which is known when all points are there.
_FILTERED = ("synchrony", "van_rossum")


@dataclass(frozen=True)
class _Point:
    """How every point of a sweep is computed."""

    sides: tuple[Side, ...]
    variant: Variant | None
    rtol: float
    t_tol: float


@dataclass(frozen=True)
class _NetworkJob(Job):
    """Networks to be computed: `base` is one as TOML."""

    how: _Point = field(kw_only=True)

    def evaluate(self) -> list[Value]:
        """Compute the points one after the other; the trouble of one is not the others'."""
        return [self._point(changes) for _, changes in self.points]

    def _point(self, changes: Mapping[str, Any]) -> Value:
        try:
            network = _base(self.base).replace(dict(changes))
            # One thread: as many points as there are workers are computed at a time.
            run = run_network(
                network, sides=self.how.sides, variant=self.how.variant, rtol=self.how.rtol,
                t_tol=self.how.t_tol, workers=1,
            )  # fmt: skip
        except Exception as error:
            return trouble(self.settings, error)
        return {"status": OK, "reason": "", "experiment": self.settings.experiment, **_found(run)}


@dataclass(frozen=True, eq=False, repr=False)
class NetworkSweep(Described):
    """A network computed over all combinations of values of its parameters.

    Attributes
    ----------
    network : Network
    over : mapping of str to sequence
        For each parameter (dotted name, such as ``"projections.0.resistance"``) its values:
        numbers in SI units, texts such as ``"10k"``, or choices.
    sides : tuple of {"equations", "reference"}
    variant : {"ideal", "schmitt"}, optional
        Of the reference; see `run_network`.
    rtol, t_tol : float
        Of the circuit side, see `solve_network`.
    tau : float, optional
        Time constant in s of synchrony and van Rossum distance, of all points. If not given,
        `common_tau` of the first point that was computed, in their order; no result that is kept
        depends on it.

    Raises
    ------
    SweepError
        If there is no such parameter, or its values make no sense.

    Examples
    --------
    >>> network = load_network_preset("pair").replace(t_stop="0.2m")
    >>> sweep = NetworkSweep(network, {"projections.0.resistance": ["200", "2k"]})
    >>> sweep.run(workers=1)["spike_count"].sel(side="circuit").shape
    (2,)
    """

    network: Network
    over: Mapping[str, Sequence[Any] | NDArray[Any]]
    sides: tuple[Side, ...] = SIDES
    variant: Variant | None = None
    rtol: float = 1e-6
    t_tol: float = DEFAULT_T_TOL
    tau: float | None = None

    def __post_init__(self) -> None:
        if not self.over:
            raise SweepError("Nothing is varied; name a parameter with its values.")
        if self.variant is not None:
            check_variant(self.variant)
        if self.tau is not None and not 0 < self.tau < math.inf:
            raise SweepError(f"tau is {self.tau} s; give a finite time above 0.")
        if not self.sides or set(self.sides) - set(SIDES):
            raise SweepError("The sides are equations, reference or both; choose one of these.")
        for name, values in self.over.items():
            if isinstance(values, str | int | float):
                raise SweepError(f"The values of {name} are {values!r}; give a list of values.")
        sizes = [len(values) for values in self.over.values()]
        if math.prod(sizes) > MAX_POINTS:
            raise SweepError(
                f"The grid would have {math.prod(sizes)} points, more than {MAX_POINTS}; take "
                "fewer values."
            )
        columns = {name: _column(self.network, name, v) for name, v in self.over.items()}
        object.__setattr__(self, "over", columns)

    def __len__(self) -> int:
        return math.prod(self._shape)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.network.name}'"),
            ("", counted(len(self), "point")),
            ("over", ", ".join(self.over)),
        ]

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(len(values) for values in self.over.values())

    @cached_property
    def name(self) -> str:
        """What the results are filed under in a store: the network's name and a digest."""
        columns = {name: list(values) for name, values in self.over.items()}
        return f"{self.network.name}-network-{digest_of(self._common, columns)[:12]}"

    def changes(self, index: int) -> dict[str, Any]:
        """Return the values of a point, as `Network.replace` takes them."""
        places = np.unravel_index(index, self._shape)
        return {
            name: values[int(k)]
            for (name, values), k in zip(self.over.items(), places, strict=True)
        }

    def keys(self) -> list[str]:
        """Return the key of each point: the digest of everything that its result depends on."""
        return [digest_of(self._common, self.changes(k)) for k in range(len(self))]

    @cached_property
    def _common(self) -> list[Any]:
        how = [list(self.sides), self.variant, self.rtol, self.t_tol]
        return [self.network.digest, how, source_digest(*_SOURCES)]

    def run(
        self,
        *,
        store: Store | str | os.PathLike[str] | None = None,
        workers: int | None = None,
        retry_failed: bool = False,
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Compute what the store does not have yet, and return everything.

        Parameters
        ----------
        store : Store or path-like, optional
            Where results are kept; `spicealif.sweep.default_store` if not given.
        workers : int, optional
            Number of processes; the usable cores if not given. No result depends on it.
        retry_failed : bool
            Compute points anew that failed before.
        progress : callable, optional
            Called with the points done (stored ones included), all points, and the failed ones.

        Returns
        -------
        xarray.Dataset
            Dimensions: the parameters; ``side`` (circuit, reference) and ``neuron``. Variables:
            ``status`` and ``reason`` of each point, the measures of each side, ``spikes`` of each
            neuron (NaN beyond the network's size where that is varied).

        Raises
        ------
        StoreError
            If the store cannot be read.
        SweepError
            If no process can be started. What was done is stored.
        """
        width(None, workers)
        with opened(store) as kept:
            keys = self.keys()
            values = kept.find(set(keys), failed=not retry_failed)
            kept.tell_damage()
            compute_missing(
                {key: k for k, key in enumerate(keys)}, values, kept, self._jobs,
                workers=workers, progress=progress,
            )  # fmt: skip
            return _dataset(self, [values[key] for key in keys])

    def _jobs(self, missing: Mapping[str, int]) -> Iterator[_NetworkJob]:
        base = dump_network(self.network)
        settings = Settings("both", "both", "ideal", "equations", None, True, "", self.name)
        how = _Point(tuple(self.sides), self.variant, self.rtol, self.t_tol)
        for key, k in missing.items():
            yield _NetworkJob(base, settings, ((key, self.changes(k)),), how=how)


def network_parameter(network: Network, name: str) -> tuple[Any, str]:
    """Return the value of a network's parameter by its dotted name, and its SI unit.

    Raises
    ------
    SweepError
        If there is none of this name, if it is a part rather than a value, or if the neurons have
        values of their own of it.
    """
    first, *rest = name.split(".")
    part: Any = network
    if first in _LISTS and len(rest) > 1:
        part = next((p for p in getattr(network, first) if getattr(p, "name", "") == rest[0]), None)
        if part is None and rest[0].isdigit() and int(rest[0]) < len(getattr(network, first)):
            part = getattr(network, first)[int(rest[0])]
        rest = rest[1:]
    elif first in _LISTS:
        part = None
    else:
        rest = [first, *rest]
    if part is None:
        raise _unknown(network, name)
    if rest[0] == "neuron" and ".".join(rest[1:]) in getattr(part, "parameters", {}):
        behind = ".".join(rest[1:])
        raise SweepError(
            f"Every neuron of {part.name} has a value of its own of {behind}, so that {name} "
            f"changes nothing; take {behind} out of the population's parameters first."
        )
    weight = part.weight if isinstance(part, Projection) else None
    if weight is not None and ".".join(rest) == f"synapse.{part.synapse.weights[weight[0]]}":
        raise SweepError(
            f"{name} is set by the weights of {part.label}, which are given as {weight[0]}; take "
            f"{name.partition('.synapse.')[0]}.{weight[0]}."
        )
    for key in rest[:-1]:
        part = getattr(part, key, None)
    fields = type(part).model_fields if isinstance(part, Part) else {}
    if rest[-1] not in fields or isinstance(getattr(part, rest[-1]), Part):
        raise _unknown(network, name)
    told = type(part).model_json_schema()["properties"].get(rest[-1], {})
    # What may be left out has its unit within a choice.
    units = [one.get("unit") for one in (told, *told.get("anyOf", ()))]
    unit = next((str(one) for one in units if one), "")
    return getattr(part, rest[-1]), "" if unit == "1" else unit


def parameter_names(network: Network) -> list[str]:
    """Return the dotted names of all values of a network, as `Network.replace` takes them."""
    known = ["t_stop", "seed"]
    for kind in _LISTS:
        for k, item in enumerate(getattr(network, kind)):
            known += _names(item.to_dict(), f"{kind}.{getattr(item, 'name', k)}.")
    return known


def _unknown(network: Network, name: str) -> SweepError:
    known = parameter_names(network)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return SweepError(
        f"The network has no parameter {ascii(name)[:80]}; {hint}"
        "'spicealif network presets NAME' shows what a network has."
    )


def _names(data: Mapping[str, Any], before: str) -> list[str]:
    out: list[str] = []
    for key, value in data.items():
        out += (
            _names(value, f"{before}{key}.") if isinstance(value, Mapping) else [f"{before}{key}"]
        )
    return out


def _column(network: Network, name: str, values: Any) -> tuple[Any, ...]:
    old, unit = network_parameter(network, name)
    numeric = old is None or (isinstance(old, int | float) and not isinstance(old, bool))
    out = []
    for value in list(values):
        one = value.item() if isinstance(value, np.generic) else value
        if isinstance(one, str) and (numeric or unit):
            if unit:
                one = quantity_of(f"A value of {name}", one, unit, SweepError)
            else:
                with contextlib.suppress(ValueError):
                    one = parse_any(one)
        if isinstance(old, int) and isinstance(one, float) and one.is_integer():
            one = int(one)
        if isinstance(one, float) and not math.isfinite(one):
            raise SweepError(f"A value of {name} is {one}; give finite numbers.")
        if not isinstance(one, str | int | float):
            raise SweepError(f"A value of {name} is {ascii(one)[:40]}; give numbers or names.")
        out.append(one)
    if not out:
        raise SweepError(f"There are no values of {name}; give at least one.")
    if len(set(out)) < len(out):
        raise SweepError(f"A value of {name} is there twice; give each value once.")
    return tuple(out)


@lru_cache(maxsize=2)
def _base(text: str) -> Network:
    return parse_network(text, files=False)


def _found(run: NetworkRun) -> Value:
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


def _dataset(sweep: NetworkSweep, values: Sequence[Value]) -> xr.Dataset:
    import xarray as xr

    dims, shape = tuple(sweep.over), sweep._shape
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


def _filtered(sweep: NetworkSweep, values: Sequence[Value]) -> tuple[float | None, list[Value]]:
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

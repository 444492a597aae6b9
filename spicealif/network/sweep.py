"""Networks over values of their parameters: many points, each computed once and kept.

The pool of processes and the store are those of neurons (`spicealif.sweep`): a job says itself how
it is computed, a worker that dies takes one point with it, and every result is a line with its own
digest, so that a sweep that was killed goes on where it was. What is a neuron's there (its designs,
its measures, one design for each side) has no counterpart here and is apart.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import digest_of, source_digest
from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.errors import SweepError
from spicealif.network.choices import SIDES, Side
from spicealif.network.circuit import DEFAULT_T_TOL
from spicealif.network.description import Network
from spicealif.network.parameters import network_parameter
from spicealif.network.points import dataset, point_of
from spicealif.network.run import run_network
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

__all__ = ["NetworkSweep"]

#: Parts of the package that a result depends on.
_SOURCES = ("quantities", "design", "reference", "circuit", "network", "measures")


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
        return {"status": OK, "reason": "", "experiment": self.settings.experiment, **point_of(run)}


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
            return dataset(self, [values[key] for key in keys])

    def _jobs(self, missing: Mapping[str, int]) -> Iterator[_NetworkJob]:
        base = dump_network(self.network)
        settings = Settings("both", "both", "ideal", "equations", None, True, "", self.name)
        how = _Point(tuple(self.sides), self.variant, self.rtol, self.t_tol)
        for key, k in missing.items():
            yield _NetworkJob(base, settings, ((key, self.changes(k)),), how=how)


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

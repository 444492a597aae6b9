"""Experiments: what is computed for which points, how it is resumed, what comes out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif._support.cache import digest_of, source_digest
from spicealif._support.described import Described
from spicealif._support.kept import tell
from spicealif._support.resources import models_dir, netlists_dir
from spicealif._support.text import counted
from spicealif.design import Neuron, dump_toml
from spicealif.design.needs import Needs, check_needs, sweep_needs
from spicealif.errors import DesignError, SweepError
from spicealif.quantities.grammar import format_quantity
from spicealif.reference import Variant, check_variant
from spicealif.simulators import get_simulator
from spicealif.simulators.registry import version_of
from spicealif.sweep._packed import Packed
from spicealif.sweep.missing import Progress, compute_missing, opened
from spicealif.sweep.pool import batch_size, width
from spicealif.sweep.space import Points, Range, Sampling, sweep_points, unit_of
from spicealif.sweep.store import Store
from spicealif.sweep.worker import OK, UNKEPT, Job, Settings, Side, Value

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Experiment", "Sweep"]

#: Points whose designs are looked at to know what one needs.
_LOOKED_AT = 8
_SIDES = get_args(Side)
#: Parts of the package that a result depends on.
_SOURCES = (
    *("quantities", "design", "netlist", "reference", "rawfile", "simulators", "circuit"),
    *("waveforms.py", "measures", "sweep/worker.py"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Experiment(Described):
    """A neuron, and points at which it is computed.

    Attributes
    ----------
    neuron : Neuron
        The base design.
    points : Points
    sides : {"both", "circuit", "reference"}
        What is computed.
    varies : {"both", "circuit", "reference"}
        Which sides the points' values apply to; the other stays at the base design.
    variant : {"ideal", "schmitt"}
        The reference.
    simulator : str
        What runs the circuit.
    timeout : float or None
        Seconds of wall time for one run of the circuit; a point that takes longer has failed.
    spikes : bool
        Whether spike times are kept.
    waveforms : bool
        Whether waveforms are kept, one netCDF file for each point and side, in the store.
    kind : str
        What the experiment is, for the result's ``attrs``.

    Raises
    ------
    SweepError, IntegrationError
        If a choice is not one of those above.
    """

    neuron: Neuron
    points: Points
    sides: Side = "both"
    varies: Side = "both"
    variant: Variant = "ideal"
    simulator: str = "ngspice"
    timeout: float | None = 600.0
    spikes: bool = False
    waveforms: bool = False
    kind: str = field(default="experiment", kw_only=True)

    def __post_init__(self) -> None:
        for name in ("sides", "varies"):
            if getattr(self, name) not in _SIDES:
                raise SweepError(
                    f"{name} is {ascii(getattr(self, name))}; choose one of {', '.join(_SIDES)}."
                )
        if self.varies != "both" and self.sides not in ("both", self.varies):
            raise SweepError(
                f"The values apply to the {self.varies} and only the {self.sides} is computed; "
                "compute both, or let the values apply to what is computed."
            )
        check_variant(self.variant)
        if self.timeout is not None and not self.timeout > 0:
            raise SweepError(f"The timeout is {self.timeout:g} s; give a positive number or None.")

    def __len__(self) -> int:
        return len(self.points)

    def _facts(self) -> list[tuple[str, str]]:
        varied = []
        for name, values in self.points.values.items():
            if values.dtype.kind == "f":
                unit = unit_of(self.neuron, name)
                ends = [format_quantity(float(v), unit) for v in (values.min(), values.max())]
                varied.append(f"{name} {' to '.join(dict.fromkeys(ends))}")
            else:
                varied.append(f"{name} {' '.join(map(str, dict.fromkeys(values.tolist())))}")
        sides = "circuit and reference" if self.sides == "both" else self.sides
        return [
            ("of", f"'{self.neuron.name}'"),
            ("", counted(len(self), "point")),
            ("of", sides),
            ("by", "RK4" if self.sides == "reference" else self.simulator),
            ("over", ", ".join(varied)),
        ]

    @cached_property
    def name(self) -> str:
        """What the results are filed under in a store: neuron, kind and a digest."""
        columns = {n: v.tolist() for n, v in self.points.values.items()}
        digest = digest_of(self._common, columns, dict(self.points.dims))
        return f"{self.neuron.name}-{self.kind}-{digest[:12]}"

    def keys(self) -> list[str]:
        """Return the key of each point: the digest of everything that its result depends on.

        These are the base design and the values that differ from it, what is computed and how, the
        simulator and its version, and the sources that make the deck and the measures.

        Raises
        ------
        SimulatorError
            If the circuit is computed and its simulator is not there.
        """
        return [digest_of(self._common, self.points.changes(k)) for k in range(len(self))]

    def run(
        self,
        *,
        store: Store | str | os.PathLike[str] | None = None,
        executor: Executor | None = None,
        workers: int | None = None,
        retry_failed: bool = False,
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Compute what the store does not have yet, and return everything.

        Parameters
        ----------
        store : Store or path-like, optional
            Where results are kept; `default_store` if not given.
        executor : concurrent.futures.Executor, optional
            Who computes, such as a thread pool, or Dask's ``client.get_executor()``; worker
            processes of our own if not given. It is not shut down.
        workers : int, optional
            Number of our own processes (the usable cores if not given), or how many jobs a foreign
            executor does at a time.
        retry_failed : bool
            Compute points anew that failed before.
        progress : callable, optional
            See `Progress`.

        Returns
        -------
        xarray.Dataset
            See `dataset`.

        Raises
        ------
        SimulatorError
            If the circuit is computed and its simulator is not there.
        StoreError
            If the store cannot be read.
        SweepError
            If the executor breaks. What was done is stored.
        """
        from spicealif.sweep.result import dataset

        with opened(store) as kept:
            check_needs(self.needs(executor, workers), kept.folder)
            keys = self.keys()
            values = Packed()
            kept.find(set(keys), values, failed=not retry_failed)
            for key in list(values) if self.waveforms else []:
                value = values[key]
                # Of a point that failed there are no waveforms.
                if value["status"] == OK and not kept.has_waveforms(key, value):
                    del values[key]
            kept.tell_damage()
            compute_missing(
                {key: k for k, key in enumerate(keys)}, values, kept,
                lambda missing: self._jobs(missing, kept, executor, workers),
                executor=executor, workers=workers, progress=progress,
            )  # fmt: skip
            if self.waveforms:
                _tell_unkept(values)
            return dataset(self, _InOrder(keys, values), kept)

    def needs(self, executor: Executor | None = None, workers: int | None = None) -> Needs:
        """Return what the experiment needs at least, of memory and disk; see `_needs`.

        Some of the points tell what one needs.
        """
        designs: list[Neuron] = [self.neuron] if self.varies != self.sides else []
        for k in np.linspace(0, len(self) - 1, min(len(self), _LOOKED_AT)).astype(int).tolist():
            with contextlib.suppress(DesignError):  # it will be told of the point
                designs.append(self.neuron.replace(self.points.changes(k)))
        return sweep_needs(
            len(self),
            2 if self.sides == "both" else 1,
            designs,
            self.sides != "reference",
            self.timeout,
            width(executor, workers) if executor is None else 0,
            self.waveforms,
        )

    @cached_property
    def _common(self) -> list[Any]:
        """What the results of all points depend on."""
        version = ""
        if self.sides != "reference":
            tool = get_simulator(self.simulator)
            try:
                version = f"{self.simulator} {version_of(tool)}"
            finally:
                tool.close()
        return [
            self.neuron.digest,
            [self.sides, self.varies, self.variant, version, self.timeout],
            [self.spikes, self.waveforms],
            [source_digest(*_SOURCES), _templates_digest()],
        ]

    def _settings(self, store: Store) -> Settings:
        folder = str(store.waveforms_path("", "").parent.absolute()) if self.waveforms else ""
        return Settings(
            sides=self.sides,
            varies=self.varies,
            variant=self.variant,
            simulator=self.simulator,
            timeout=self.timeout,
            spikes=self.spikes,
            waveforms=folder,
            experiment=self.name,
        )

    def _jobs(
        self,
        missing: Mapping[str, int],
        store: Store,
        executor: Executor | None,
        workers: int | None,
    ) -> Iterator[Job]:
        settings, base = self._settings(store), dump_toml(self.neuron)
        size = 1
        if self.sides == "reference" and not self.waveforms:
            size = batch_size(len(missing), executor, workers)
        batch: list[tuple[str, Mapping[str, Any]]] = []
        for key, k in missing.items():
            batch.append((key, self.points.changes(k)))
            if len(batch) == size:
                yield Job(base, settings, tuple(batch))
                batch = []
        if batch:
            yield Job(base, settings, tuple(batch))


class _InOrder(Collection[Value]):
    """The results of keys, each taken out when it is its turn."""

    def __init__(self, keys: Sequence[str], values: Mapping[str, Value]) -> None:
        self._keys, self._values = keys, values

    def __contains__(self, value: object) -> bool:
        return any(value == own for own in self)

    def __iter__(self) -> Iterator[Value]:
        return (self._values[key] for key in self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class Sweep(Experiment):
    """A neuron computed over values of its parameters.

    Parameters
    ----------
    neuron : Neuron
        The base design.
    over : mapping of str to values
        For each parameter (dotted name, such as ``"leak.tau"``) its values, or a `Range`.
    sampling : {"grid", "list", "random", "latin-hypercube", "sobol"}
        See `sweep_points`.
    n : int, optional
        Number of points where they are drawn.
    seed : int
        The same seed draws the same points.
    **choices
        ``sides``, ``varies``, ``variant``, ``simulator``, ``timeout``, ``spikes``,
        ``waveforms``: see `Experiment`.

    Raises
    ------
    SweepError
        If values, sampling and choices do not fit each other.

    Examples
    --------
    >>> neuron = load_preset("paper").replace(t_stop="1m")
    >>> values = {"c": ["47n", "100n"], "leak.tau": [1e-3, 5e-3]}
    >>> result = Sweep(neuron, values, simulator="equations").run(workers=1)
    >>> result["isi_mean"].sel(side="circuit").dims
    ('c', 'leak.tau')
    """

    def __init__(
        self,
        neuron: Neuron,
        over: Mapping[str, Sequence[float | str] | NDArray[Any] | Range],
        sampling: Sampling = "grid",
        n: int | None = None,
        seed: int = 0,
        **choices: Any,
    ) -> None:
        points = sweep_points(neuron, over, sampling, n, seed)
        super().__init__(neuron, points, kind=choices.pop("kind", sampling), **choices)


def _tell_unkept(values: Mapping[str, Value]) -> None:
    """Tell of waveforms that could not be kept: their points are not in the store either."""
    if unkept := sum(value["reason"].startswith(UNKEPT) for value in values.values()):
        tell(
            f"The waveforms of {unkept} points could not be kept (their reasons are in the "
            "result); free some space, and run the same again."
        )


def _templates_digest() -> str:
    """Return the digest of the files that netlists are made from."""
    files = sorted(
        path
        for folder in (netlists_dir(), models_dir() / "parts")
        for path in Path(folder).rglob("*.j2")
    )
    return digest_of([[path.name, path.read_text(encoding="utf-8")] for path in files])

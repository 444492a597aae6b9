"""Both sides of a network in netCDF: spikes to the last bit, and the traces that were kept.

Trains and traces have different lengths, so that each quantity of all neurons is one long array,
with the number of values of each neuron beside it (a "contiguous ragged array" of the CF
conventions). The file holds the digest of all it says (`spicealif._support.digest`) and that of the
network it is of; one that is damaged, changed or of another network is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.digest import CONTENT, check_digest, with_digest
from spicealif._support.netcdf import NetcdfError, NetcdfFile, read_netcdf
from spicealif._support.netcdf_write import write_netcdf
from spicealif._support.text import shown
from spicealif.errors import WaveformError
from spicealif.network.circuit import NetworkSolution, NeuronTraces
from spicealif.network.expanded import Expanded
from spicealif.network.reference import NetworkReference, NetworkTrace

__all__ = ["load_reference", "load_solution", "save_reference", "save_solution"]

_Floats = NDArray[np.float64]
_SIDE, _NETWORK = "side", "network_digest"
_UNITS = {
    "t": "s", "time": "s", "x": "1", "spike_slope": "V/s", "v_c_slope": "V/s",
}  # fmt: skip
#: Names of a reference's traces, in the order of `NetworkTrace`.
_TRACE = ("t", "v_c", "v_mem", "x")
#: Whole numbers of a solution.
_COUNTS = ("windows", "sweeps", "solved", "n_steps")


def save_solution(solution: NetworkSolution, path: str | os.PathLike[str]) -> Path:
    """Write the circuit side of a network as netCDF; return the path.

    Parameters
    ----------
    solution : NetworkSolution
        Its traces are written as far as they were kept.
    path : path-like

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    traces = {k: {"time": t.time, **t.signals} for k, t in solution.traces.items()}
    dataset = _dataset(
        "circuit", solution.expanded, solution.t_spike, traces,
        {
            "rtol": solution.rtol, "t_tol": solution.t_tol,
            "iteration_error": solution.iteration_error,
            **{name: getattr(solution, name) for name in _COUNTS},
        },
    )  # fmt: skip
    for name, unit in (("energy", "J"), ("energy_supply", "J"), ("x_end", "1")):
        dataset[name] = ("neuron", getattr(solution, name), {"units": unit})
    dataset["weights_end"] = (("synapse", "state"), solution.weights_end)
    return write_netcdf(with_digest(dataset), Path(path))


def save_reference(
    reference: NetworkReference, expanded: Expanded, path: str | os.PathLike[str]
) -> Path:
    """Write the reference of a network as netCDF; return the path.

    Parameters
    ----------
    reference : NetworkReference
    expanded : Expanded
        What it is of.
    path : path-like

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    places = {name: k for k, name in enumerate(reference.names)}
    traces = {
        places[name]: {key: getattr(trace, key) for key in _TRACE}
        for name, trace in reference.traces.items()
    }
    about = {
        "n_steps": reference.n_steps, "h": reference.h,
        "attrs": json.dumps(dict(reference.attrs)),
    }  # fmt: skip
    dataset = _dataset("reference", expanded, reference.t_spike, traces, about)
    if len(reference.x_end):
        dataset["x_end"] = ("neuron", reference.x_end, {"units": "1"})
    return write_netcdf(with_digest(dataset), Path(path))


def load_solution(path: str | os.PathLike[str], expanded: Expanded) -> NetworkSolution:
    """Read what `save_solution` wrote.

    Parameters
    ----------
    path : path-like
    expanded : Expanded
        The network that it is to be of.

    Returns
    -------
    NetworkSolution
        Equal to the one that was saved, to the last bit.

    Raises
    ------
    WaveformError
        If the file cannot be read, is damaged, or is of something else.
    """
    file = _Saved(path, "circuit", expanded)
    traces = {}
    for k, signals in file.traces().items():
        time = signals.pop("time", np.empty(0))
        traces[k] = NeuronTraces(time, signals)
    n = len(expanded.neurons)
    return NetworkSolution(
        expanded=expanded,
        t_spike=file.spikes(),
        traces=traces,
        energy=file.floats("energy", (n,)),
        energy_supply=file.floats("energy_supply", (n,)),
        x_end=file.floats("x_end", (n,)),
        weights_end=file.floats("weights_end", (None, 2)),
        rtol=file.number("rtol"),
        t_tol=file.number("t_tol"),
        iteration_error=file.number("iteration_error"),
        windows=int(file.number("windows")),
        sweeps=int(file.number("sweeps")),
        solved=int(file.number("solved")),
        n_steps=int(file.number("n_steps")),
    )


def load_reference(path: str | os.PathLike[str], expanded: Expanded) -> NetworkReference:
    """Read what `save_reference` wrote; see `load_solution`."""
    file = _Saved(path, "reference", expanded)
    n = len(expanded.neurons)
    names = expanded.names[:n]
    traces = {}
    for k, signals in file.traces().items():
        length = len(signals.get("t", ()))
        columns = [signals.get(key, np.zeros(length)) for key in _TRACE]
        traces[names[k]] = NetworkTrace(*columns)
    return NetworkReference(
        tuple(names), file.spikes(), traces, int(file.number("n_steps")), file.number("h"),
        file.attrs(), x_end=file.floats("x_end", (n,)) if file.has("x_end") else np.empty(0),
    )  # fmt: skip


def _dataset(
    side: str,
    expanded: Expanded,
    t_spike: Sequence[_Floats],
    traces: Mapping[int, Mapping[str, _Floats]],
    about: Mapping[str, Any],
) -> Any:
    import xarray as xr

    n = len(expanded.neurons)
    data: dict[str, Any] = {
        "spike_count": ("neuron", _lengths(t_spike), {"long_name": "values of t_spike of each"}),
        "t_spike": ("event", _joined(t_spike), {"units": "s", "long_name": "spike times"}),
        "traced": ("trace", np.array(list(traces), dtype=np.int64)),
    }
    if traces:
        names = dict.fromkeys(name for signals in traces.values() for name in signals)
        first = next(iter(names))
        data["sample_count"] = ("trace", _lengths([s[first] for s in traces.values()]))
        for name in names:
            # Of a neuron that has no such signal, x of a resistor, there are zeros and a note.
            columns = [s.get(name, np.zeros(len(s[first]))) for s in traces.values()]
            there = np.array([name in s for s in traces.values()], dtype=np.int8)
            data[name] = ("sample", _joined(columns), {"units": _UNITS.get(name, "V")})
            data[f"has_{name}"] = ("trace", there)
    coords = {"neuron": ("neuron", np.array(expanded.names[:n], dtype=object))}
    attrs = {
        _SIDE: side, "network": expanded.network.name, _NETWORK: expanded.network.digest,
        "t_stop": expanded.network.t_stop, **about,
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs=attrs)


def _lengths(arrays: Iterable[_Floats]) -> NDArray[np.int64]:
    return np.array([len(a) for a in arrays], dtype=np.int64)


def _joined(arrays: Sequence[_Floats]) -> _Floats:
    return np.concatenate([np.empty(0), *arrays])


class _Saved:
    """A file that `_dataset` made, looked at before it is used."""

    def __init__(self, path: str | os.PathLike[str], side: str, expanded: Expanded) -> None:
        self._name, self._expanded = ascii(str(path)), expanded
        try:
            self._file: NetcdfFile = read_netcdf(path)
        except NetcdfError as error:
            raise WaveformError(
                f"{self._name} cannot be loaded ({error}); run the network again, or restore the "
                "file from a copy."
            ) from None
        ours = self._file.attrs.get(_SIDE) == side and _NETWORK in self._file.attrs
        if not ours or CONTENT not in self._file.attrs:
            raise WaveformError(
                f"{self._name} holds no {side} side of a network; give the folder that 'spicealif "
                "network run' wrote."
            )
        if wrong := check_digest(self._file):
            raise WaveformError(f"{self._name} cannot be used, since {wrong}.")
        if self._file.attrs[_NETWORK] != expanded.network.digest:
            raise WaveformError(
                f"{self._name} is of another network than the one beside it (network "
                f"{shown(self._file.attrs.get('network', '?'), 60)}, another digest); run the "
                "network again."
            )

    def spikes(self) -> tuple[_Floats, ...]:
        """Return the spike times of each neuron."""
        counts = self._counts("spike_count", len(self._expanded.neurons))
        return tuple(self._parts("t_spike", counts))

    def traces(self) -> dict[int, dict[str, _Floats]]:
        """Return the signals of each neuron that has some."""
        traced = self._array("traced").astype(np.int64)
        if not len(traced):
            return {}
        if traced.min() < 0 or traced.max() >= len(self._expanded.neurons):
            raise self._misfit("traced")
        counts = self._counts("sample_count", len(traced))
        out: dict[int, dict[str, _Floats]] = {int(k): {} for k in traced}
        for name, variable in self._file.variables.items():
            if variable.dims != ("sample",):
                continue
            there = self._counts(f"has_{name}", len(traced))
            for k, has, part in zip(traced, there, self._parts(name, counts), strict=True):
                if has:
                    out[int(k)][name] = part
        return out

    def has(self, name: str) -> bool:
        """Whether there is a variable of a name; files of earlier versions have fewer."""
        return name in self._file.variables

    def floats(self, name: str, shape: tuple[int | None, ...]) -> _Floats:
        """Return an array of a shape, in which None may be any length."""
        values = self._array(name)
        fits = len(values.shape) == len(shape) and all(
            want is None or want == got for want, got in zip(shape, values.shape, strict=True)
        )
        if not fits:
            raise self._misfit(name)
        return values.astype(np.float64)

    def number(self, name: str) -> float:
        """Return an attribute that is a number."""
        value = self._file.attrs.get(name)
        if not isinstance(value, int | float):
            raise self._misfit(name)
        return value

    def attrs(self) -> dict[str, Any]:
        """Return what else was told of the solution."""
        try:
            found = json.loads(str(self._file.attrs.get("attrs", "")))
        except (ValueError, RecursionError):
            raise self._misfit("attrs") from None
        if not isinstance(found, dict):
            raise self._misfit("attrs")
        return found

    def _counts(self, name: str, n: int) -> NDArray[np.int64]:
        counts = self._array(name).astype(np.int64)
        if counts.shape != (n,) or counts.min(initial=0) < 0:
            raise self._misfit(name)
        return counts

    def _parts(self, name: str, counts: NDArray[np.int64]) -> list[_Floats]:
        values = self._array(name).astype(np.float64)
        if values.shape != (int(counts.sum()),):
            raise self._misfit(name)
        return [part.copy() for part in np.split(values, np.cumsum(counts)[:-1])]

    def _array(self, name: str) -> NDArray[Any]:
        variable = self._file.variables.get(name)
        if variable is None or variable.values.dtype.kind not in "fiub":
            raise self._misfit(name)
        return variable.values

    def _misfit(self, name: str) -> WaveformError:
        return WaveformError(
            f"{self._name} is no side of this network as spicealif saves it ({name} does not fit); "
            "run the network again."
        )

"""One container for both sides: traces over time, spike times, and where they came from.

`Waveforms` holds plain NumPy arrays, so that a run can be compared without paying for xarray's
import (0.6 s of CPU); `Waveforms.dataset` is the same as an `xarray.Dataset`, which is also what
is saved as netCDF.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._digest import check_digest, with_digest
from spicealif._kinds import WAVEFORMS, check_ending
from spicealif._netcdf_write import write_netcdf
from spicealif._text import shown
from spicealif.errors import WaveformError

if TYPE_CHECKING:
    import xarray as xr

    from spicealif._netcdf import NetcdfFile

__all__ = ["QUANTITIES", "Waveforms", "load_waveforms"]

_Floats = NDArray[np.float64]

#: Unit and meaning of every quantity; both sides use these names.
QUANTITIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "v_mem": ("V", "membrane voltage (across the leak device)"),
        "v_c": ("V", "capacitor voltage"),
        "x": ("1", "memristor state"),
        "spike": ("V", "comparator output"),
        "i_in": ("A", "input current"),
        "v_in": ("V", "voltage of the source of a series circuit"),
        "i_mem": ("A", "current through the memristor of a series circuit"),
        "v_d": ("V", "difference amplifier output"),
        "i_pos": ("A", "current from the op-amp's positive supply"),
        "i_neg": ("A", "current from the op-amp's negative supply"),
        "i_comparator": ("A", "current from the comparator's supply"),
    }
)


#: What kind the attributes are that something is made of.
_TEXTS = ("side", "simulator", "version", "variant", "neuron", "design", "design_digest", "caveat")
_NUMBERS = ("energy_source", "t_stop", "h", "n_steps", "switches", "seed", "method_order")


@dataclass(frozen=True, eq=False)
class Waveforms:
    """Traces of one run of one side.

    Attributes
    ----------
    time : ndarray, shape (N,)
        In s, not decreasing.
    signals : mapping of str to ndarray, shape (N,)
        Traces by name, units as in `QUANTITIES`.
    t_spike : ndarray, shape (K,)
        Spike times in s, finer than the samples.
    attrs : mapping
        Provenance: ``side``, ``simulator``, digests and the like; texts and numbers.
    """

    time: _Floats
    signals: Mapping[str, _Floats]
    t_spike: _Floats
    attrs: Mapping[str, str | float | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.signals.items():
            if values.shape != self.time.shape:
                raise WaveformError(
                    f"{name} has {values.shape} samples and time has {self.time.shape}; give as "
                    "many of one as of the other."
                )

    def __getitem__(self, name: str) -> _Floats:
        try:
            return self.time if name == "time" else self.signals[name]
        except KeyError:
            raise WaveformError(
                f"These waveforms have no {ascii(name)}; choose one of {', '.join(self.signals)}."
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self.signals

    def __iter__(self) -> Iterator[str]:
        return iter(self.signals)

    def __len__(self) -> int:
        return len(self.time)

    def at(self, name: str, t: _Floats | float) -> _Floats:
        """Return a trace at the times `t` (s) by linear interpolation, shape of `t`."""
        return np.asarray(np.interp(t, self.time, self[name]))

    def until(self, end: float) -> Waveforms:
        """Return the part up to the time `end` in s; energies of the whole run are left out."""
        stop = int(np.searchsorted(self.time, end, side="right"))
        attrs = {k: v for k, v in self.attrs.items() if k != "energy_source"}
        return Waveforms(
            self.time[:stop],
            {name: values[:stop] for name, values in self.signals.items()},
            self.t_spike[self.t_spike <= end],
            attrs,
        )

    def between(self, start: float, end: float) -> Waveforms:
        """Return the part from `start` to `end` in s; energies of the whole run are left out.

        Parameters
        ----------
        start, end : float
            In s, within the times that there are, `start` before `end`.

        Returns
        -------
        Waveforms
            It begins at `start` and ends at `end`: where no sample is, one is put in, on the line
            between its neighbours.
        """
        first = int(np.searchsorted(self.time, start, side="left"))
        last = int(np.searchsorted(self.time, end, side="right"))
        inner = self.time[first:last]
        before = not len(inner) or bool(inner[0] > start)
        after = not len(inner) or bool(inner[-1] < end)
        time = np.concatenate(([start] if before else [], inner, [end] if after else []))
        signals = {}
        for name, values in self.signals.items():
            at = np.interp((start, end), self.time, values)
            inside = values[first:last]
            signals[name] = np.concatenate(
                (at[:1] if before else [], inside, at[1:] if after else [])
            )
        spikes = self.t_spike
        attrs = {k: v for k, v in self.attrs.items() if k != "energy_source"}
        return Waveforms(time, signals, spikes[(spikes >= start) & (spikes <= end)], attrs)

    @cached_property
    def dataset(self) -> xr.Dataset:
        """The same as an `xarray.Dataset`: coordinate ``time``, spike times as ``t_spike``."""
        import xarray as xr

        variables = {
            name: ("time", values, _attributes(name)) for name, values in self.signals.items()
        }
        return xr.Dataset(
            {
                **variables,
                "t_spike": (
                    "spike_index",
                    self.t_spike,
                    {"units": "s", "long_name": "spike time"},
                ),
            },
            coords={"time": ("time", self.time, {"units": "s", "long_name": "time"})},
            attrs=dict(self.attrs),
        )

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Waveforms:
        """Return waveforms from an `xarray.Dataset` of the layout of `dataset`.

        Raises
        ------
        WaveformError
            If ``time`` or ``t_spike`` is missing.
        """
        for name in ("time", "t_spike"):
            if name not in dataset.variables:
                raise WaveformError(
                    f"The dataset has no {name!r}; give a file that spicealif saved."
                )
        signals = {
            str(name): np.asarray(v.values, dtype=float)
            for name, v in dataset.data_vars.items()
            if v.dims == ("time",)
        }
        return cls(
            np.asarray(dataset["time"].values, dtype=float),
            signals,
            np.asarray(dataset["t_spike"].values, dtype=float),
            {str(k): _plain(v) for k, v in dataset.attrs.items()},
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the waveforms as netCDF (HDF5); return the path.

        Raises
        ------
        OutputError
            If the file cannot be written, or its ending is not .nc.
        """
        check_ending(Path(path), WAVEFORMS)
        return write_netcdf(with_digest(self.dataset), Path(path))

    def __repr__(self) -> str:
        span = f"{self.time[0]:g} to {self.time[-1]:g} s" if len(self.time) else "empty"
        return (
            f"<Waveforms {', '.join(self.signals)}: {len(self.time)} samples, {span}, "
            f"{len(self.t_spike)} spikes>"
        )

    def _repr_html_(self) -> str:
        return str(self.dataset._repr_html_())


def load_waveforms(path: str | os.PathLike[str]) -> Waveforms:
    """Load waveforms that `Waveforms.save` wrote.

    Parameters
    ----------
    path : path-like
        A netCDF file.

    Returns
    -------
    Waveforms

    Raises
    ------
    WaveformError
        If the file cannot be read or is not one of ours.
    """
    from spicealif._netcdf import NetcdfError, read_netcdf

    try:
        file = read_netcdf(path)
    except NetcdfError as error:
        raise WaveformError(
            f"{ascii(str(path))} cannot be loaded as waveforms ({error}); give a netCDF file that "
            "spicealif saved."
        ) from None
    if wrong := check_digest(file):
        raise WaveformError(f"{ascii(str(path))} cannot be used, since {wrong}.")
    variables = file.variables
    for name in ("time", "t_spike"):
        if name not in variables:
            raise WaveformError(
                f"{ascii(str(path))} has no {name!r} and is no run's; give a file that spicealif "
                "saved."
            )
    wrong = _wrong(file)
    if wrong:
        raise WaveformError(
            f"{ascii(str(path))} cannot be loaded as waveforms ({wrong}); run it again, or give "
            "another file that spicealif saved."
        )
    signals = {
        name: np.asarray(v.values, dtype=float)
        for name, v in variables.items()
        if v.dims == ("time",) and name != "time"
    }
    return Waveforms(
        np.asarray(variables["time"].values, dtype=float),
        signals,
        np.asarray(variables["t_spike"].values, dtype=float),
        file.attrs,
    )


def _wrong(file: NetcdfFile) -> str:
    """Return what is wrong with the file of a run; empty if nothing is."""
    variables = file.variables
    for name in ("time", "t_spike"):
        values = variables[name].values
        if values.ndim != 1 or values.dtype.kind not in "fiu":
            return f"its {name} is no list of times"
        times = np.asarray(values, dtype=float)
        if not np.isfinite(times).all() or (np.diff(times) < 0).any():
            return f"its {name} does not increase"
    time, spikes = variables["time"].values, variables["t_spike"].values
    if len(spikes) and (not len(time) or spikes[0] < time[0] or spikes[-1] > time[-1] * (1 + 1e-9)):
        return "its t_spike lies outside its time"
    if variables["time"].dims != ("time",):
        return "its time is no axis"
    for name, variable in variables.items():
        if variable.dims == ("time",) and variable.values.dtype.kind not in "fiu":
            return f"its {shown(name, 40)} holds no numbers"
    for names, kinds in ((_TEXTS, str), (_NUMBERS, int | float)):
        for name in names:
            if name in file.attrs and not isinstance(file.attrs[name], kinds):
                return f"its attribute {name} is no {'text' if kinds is str else 'number'}"
    return ""


def _attributes(name: str) -> dict[str, str]:
    unit, long_name = QUANTITIES.get(name, ("", name))
    return {"units": unit, "long_name": long_name}


def _plain(value: Any) -> str | float | int:
    out: str | float | int = value.item() if isinstance(value, np.generic) else value
    return out

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

from spicealif._support.digest import check_digest, with_digest
from spicealif._support.drawn import Drawn
from spicealif._support.kinds import WAVEFORMS, check_ending
from spicealif._support.netcdf_write import write_netcdf
from spicealif._support.tables import Table, refuse_table, save_table
from spicealif._support.text import counted, shown
from spicealif.errors import WaveformError

if TYPE_CHECKING:
    import xarray as xr

    from spicealif._support.netcdf import NetcdfFile

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


#: Samples above which waveforms are thinned block by block, and those of a block.
_MANY, _BLOCK = 400_000, 50_000
#: Larger numbers have no differences and slopes.
_EXTREME = 1e150
#: What kind the attributes are that something is made of.
_TEXTS = ("side", "simulator", "version", "variant", "neuron", "design", "design_digest", "caveat")
_ENERGIES = ("energy_source", "energy_supply")
_NUMBERS = (*_ENERGIES, "t_stop", "reltol", "h", "n_steps", "switches", "seed", "method_order")


@dataclass(frozen=True, eq=False)
class Waveforms(Drawn):
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
        attrs = {k: v for k, v in self.attrs.items() if k not in _ENERGIES}
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
        attrs = {k: v for k, v in self.attrs.items() if k not in _ENERGIES}
        return Waveforms(time, signals, spikes[(spikes >= start) & (spikes <= end)], attrs)

    def decimated(self, part: float = 1e-4) -> Waveforms:
        """Return as many samples as straight lines between them need to be near all others.

        Parameters
        ----------
        part : float
            Of each trace's span: how far a line may be from a sample that is left out.

        Returns
        -------
        Waveforms
            The largest and the smallest sample of each trace are among them, those that are not
            finite with their neighbours, and all spike times.
            The attribute ``interpolation_error`` is `part`, and ``samples`` how many there were.
            Energies are not those of the lines: give them as attributes (see `measure`).
        """
        from spicealif._support.decimation_kernel import kept_samples

        if len(self) < 3 or not self.signals:
            return self
        if len(self) > _MANY:
            return self._decimated_in_blocks(part)
        values = np.array(list(self.signals.values()))
        finite = np.isfinite(values)
        good = np.where(finite, values, 0.0)
        if np.abs(good).max() > _EXTREME or not np.isfinite(self.time).all():
            return self  # no span that numbers could hold
        low, high = (np.where(finite, values, end) for end in (np.inf, -np.inf))
        span = np.where(finite.any(axis=1), high.max(axis=1) - low.min(axis=1), 0.0)
        wanted = ~finite.all(axis=0)
        wanted[1:] |= ~finite.all(axis=0)[:-1]
        wanted[:-1] |= ~finite.all(axis=0)[1:]
        wanted[high.argmax(axis=1)] = wanted[low.argmin(axis=1)] = True
        kept = kept_samples(self.time, good, part * span, wanted)
        signals = {name: values[kept] for name, values in self.signals.items()}
        return Waveforms(self.time[kept], signals, self.t_spike, self._thinned(part))

    def _decimated_in_blocks(self, part: float) -> Waveforms:
        """Return what `decimated` does, in little memory beside what is kept; some samples more."""
        from spicealif._support.decimation import Thinner

        thinner = Thinner(part)
        for begin in range(0, len(self), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            traces = {name: values[block] for name, values in self.signals.items()}
            thinner.feed(self.time[block], traces)
        time, signals = thinner.result()
        return Waveforms(time, signals, self.t_spike, self._thinned(part))

    def _thinned(self, part: float) -> dict[str, str | float | int]:
        before = float(self.attrs.get("interpolation_error", 0.0))  # of lines through lines
        return {"samples": len(self), **self.attrs, "interpolation_error": before + part}

    @property
    def table(self) -> Table:
        """The traces as columns, ``time`` first."""
        units = {name: QUANTITIES[name][0] for name in self.signals if name in QUANTITIES}
        return Table({"time": self.time, **self.signals}, {"time": "s"} | units, self.attrs)

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
        """Write the waveforms; return the path.

        Parameters
        ----------
        path : path-like
            Ends in .nc (netCDF, which `load_waveforms` reads), or in .csv or .parquet: the traces
            for other programs, without the spike times (`spicealif.export` writes those).

        Raises
        ------
        OutputError
            If the file cannot be written or has another ending.
        """
        target = Path(path)
        check_ending(target, WAVEFORMS)
        if target.suffix.lower() in (".csv", ".parquet"):
            return save_table(self.table, target)
        return write_netcdf(with_digest(self.dataset), target)

    def __repr__(self) -> str:
        span = f"{self.time[0]:g} to {self.time[-1]:g} s" if len(self.time) else "empty"
        return (
            f"<Waveforms {', '.join(self.signals)}: {counted(len(self.time), 'sample')}, {span}, "
            f"{counted(len(self.t_spike), 'spike')}>"
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

    Examples
    --------
    >>> path = solve_reference(load_preset("paper").replace(t_stop="1m")).save("reference.nc")
    >>> len(load_waveforms(path).t_spike)
    7
    """
    from spicealif._support.netcdf import NetcdfError, read_netcdf

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
    refuse_table(file.attrs, path, WaveformError)
    if "network_digest" in file.attrs:
        raise WaveformError(
            f"{ascii(str(path))} is of a network and holds no single neuron's run; compare its "
            "folder with 'spicealif network compare', or load it with load_network_run."
        )
    for name in ("time", "t_spike"):
        if name not in variables and "failures" in file.attrs:
            raise WaveformError(
                f"{ascii(str(path))} is a sweep's result and holds no single run; look at it with "
                "'spicealif plot', or run the point again that you mean."
            )
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

"""What a fit has found."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicealif._digest import signed
from spicealif._files import write_text
from spicealif._tables import figure, html_table, plain, text_table
from spicealif.design import DevicePreset, MemristorModel
from spicealif.errors import FitError
from spicealif.fit.loop import Loop

__all__ = ["FitResult", "FittedLoop"]

_Floats = npt.NDArray[np.float64]
#: What a preset's name and its free texts may hold.
_LONGEST_NAME, _LONGEST_TEXT = 64, 2000


@dataclass(frozen=True, eq=False)
class FittedLoop:
    """A loop and what the fitted device does in its place.

    Attributes
    ----------
    loop : Loop
    device : MemristorModel
        With the values that belong to this loop; its x_0 is the state at the record's begin.
    v_mem, i, x, v_in : ndarray, shape (N,)
        Simulated at the loop's samples, in their order; v_in is what drove the simulation.
    nmse_v, nmse_i : float
        Mean squared error over the variance of the measured values.
    drive : str
        How the drive was taken from the samples.
    white : bool
        Whether the residuals look like noise (Ljung-Box test of both at 1 %).
    """

    loop: Loop
    device: MemristorModel
    v_mem: _Floats
    i: _Floats
    x: _Floats
    v_in: _Floats
    nmse_v: float
    nmse_i: float
    drive: str
    white: bool


@dataclass(frozen=True, eq=False)
class FitResult:
    """A memristor model fitted to measured loops.

    Attributes
    ----------
    model : str
        Its name in `spicealif.design.MODELS`.
    device : MemristorModel
        The fitted device, x_0 = 0; of the first loop where parameters differ between loops.
    names : tuple of str, length P
        The fitted parameters; one that each loop has its own of as ``tau[0]``, ``tau[1]``.
    values : ndarray, shape (P,)
        In SI units.
    intervals : ndarray, shape (P, 2)
        Confidence intervals at `level`.
    correlation : ndarray, shape (P, P)
        Of the estimates.
    held : dict of str to float
        Parameters that were not fitted.
    bounds : ndarray, shape (P, 2)
        Where was looked.
    at_bound : tuple of str
        Parameters that ended at a bound.
    not_identifiable : tuple of str
        Parameters that the loops hardly pin.
    level : float
        Of the intervals.
    temperature : float
        In K.
    seed : int
    loss : float
        Mean over the loops of NMSE(v) + NMSE(i).
    loss_error : float
        By how much the loss changes if every step of the simulation is halved.
    loops : tuple of FittedLoop
    warnings : tuple of str
        Sentences.
    evaluations : int
        Simulations of a loop.
    cpu_s, wall_s : float
        What the fit took, in s.
    """

    model: str
    device: MemristorModel
    names: tuple[str, ...]
    values: _Floats
    intervals: _Floats
    correlation: _Floats
    held: dict[str, float]
    bounds: _Floats
    at_bound: tuple[str, ...]
    not_identifiable: tuple[str, ...]
    level: float
    temperature: float
    seed: int
    loss: float
    loss_error: float
    loops: tuple[FittedLoop, ...]
    warnings: tuple[str, ...]
    evaluations: int
    cpu_s: float
    wall_s: float

    def value(self, name: str) -> float:
        """Return a fitted parameter's value; raises `FitError` if it was not fitted."""
        return float(self.values[self._index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """Return a fitted parameter's interval; raises `FitError` if it was not fitted."""
        (low, high) = self.intervals[self._index(name)]
        return float(low), float(high)

    def _index(self, name: str) -> int:
        if name in self.names:
            return self.names.index(name)
        if name in self.held:
            raise FitError(f"{name} was held at {self.held[name]:g}; free it to have it fitted.")
        raise FitError(f"{ascii(name)} was not fitted; fitted were {', '.join(self.names)}.")

    def unit(self, name: str) -> str:
        """Return the unit of a parameter, empty for a plain number.

        Raises
        ------
        FitError
            If the model has no such parameter.
        """
        fields = type(self.device).model_fields
        bare = re.sub(r"\[\d+\]$", "", name)
        if bare not in fields or bare == "kind":
            known = ", ".join(field for field in fields if field != "kind")
            raise FitError(
                f"The model {self.model} has no parameter {ascii(name)}; it has {known}."
            )
        extra = fields[bare].json_schema_extra
        unit = extra.get("unit", "1") if isinstance(extra, dict) else "1"
        return "" if unit == "1" else str(unit)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = [f"{self.model} fit", "value", f"{self.level:.0%} interval", "half-width", ""]
        rows = []
        for name, value, (low, high) in zip(self.names, self.values, self.intervals, strict=True):
            unit = self.unit(name)
            remark = "at a bound" if name in self.at_bound else ""
            remark = "hardly pinned" if name in self.not_identifiable else remark
            width = f"{(high - low) / 2 / abs(value):.1%}" if value else "-"
            between = f"{figure(low, unit)} to {figure(high, unit)}"
            rows.append([name, figure(value, unit), between, width, remark])
        for name, value in self.held.items():
            rows.append([name, figure(value, self.unit(name)), "", "", "held"])
        return head, rows

    def _notes(self) -> list[str]:
        many = len(self.loops) > 1
        out = [
            f"loss NMSE(v) + NMSE(i) = {self.loss:.4g}{' (mean of the loops)' if many else ''}, "
            f"numerical error {self.loss_error:.1g}; {self.evaluations} simulations, "
            f"{self.cpu_s:.1f} s of CPU"
        ]
        for fitted in self.loops:
            loop = fitted.loop
            how = "single shot" if loop.frequency is None else f"{figure(loop.frequency, 'Hz')}"
            out.append(
                f"{loop.name}: NMSE(v) {fitted.nmse_v:.4g}, NMSE(i) {fitted.nmse_i:.4g}; "
                f"{figure(loop.r_s, 'ohm')} in series, {how}, drive: {fitted.drive}"
            )
            out += loop.notes
        return [*out, *self.warnings]

    def __str__(self) -> str:
        (head, rows) = self._table()
        return text_table(head, rows, self._notes())

    def _repr_html_(self) -> str:
        (head, rows) = self._table()
        return html_table(head, rows, self._notes())

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the traces as JSON has it."""
        return {
            "model": self.model,
            "device": self.device.to_dict(),
            "parameters": {
                name: {
                    "value": plain(float(value)),
                    "interval": [plain(float(low)), plain(float(high))],
                    "bounds": [plain(float(b)) for b in bounds],
                    "unit": self.unit(name),
                    "at_bound": name in self.at_bound,
                    "identifiable": name not in (*self.not_identifiable, *self.at_bound),
                }
                for name, value, (low, high), bounds in zip(
                    self.names, self.values, self.intervals, self.bounds, strict=True
                )
            },
            "correlation": {"names": list(self.names), "matrix": plain(self.correlation)},
            **self._record(),
            "loss_error": self.loss_error,
            "evaluations": self.evaluations,
            "cpu_s": self.cpu_s,
            "wall_s": self.wall_s,
        }

    def _record(self) -> dict[str, Any]:
        """Return the part that a device preset keeps too."""
        # found from columns, it carries their rounding
        resistors = [float(f"{fitted.loop.r_s:.6g}") for fitted in self.loops]
        loops = []
        for fitted in self.loops:
            loop = fitted.loop
            # the largest sample; noise is in its fourth digit
            entry = {
                "file": loop.file or loop.name,
                "amplitude": float(f"{loop.v_peak:.3g}"),
                "frequency": loop.frequency,
                "points": len(loop.time),
                "sha256": loop.sha256,
                "nmse_v": fitted.nmse_v,
                "nmse_i": fitted.nmse_i,
            }
            loops.append({key: value for key, value in entry.items() if value not in (None, "")})
        return {
            "loss": self.loss,
            "nmse_v": float(np.mean([fitted.nmse_v for fitted in self.loops])),
            "nmse_i": float(np.mean([fitted.nmse_i for fitted in self.loops])),
            "series_resistor": resistors[0] if len(set(resistors)) == 1 else resistors,
            "temperature": self.temperature,
            "level": self.level,
            "seed": self.seed,
            "spicealif": version("spicealif"),
            "warnings": list(self.warnings),
            "loops": loops,
            "held": dict(self.held),
        }

    def preset(
        self, name: str | None = None, *, loop: int = 0, description: str = "", source: str = ""
    ) -> DevicePreset:
        """Return the device as a preset, with the fit that gave it.

        Parameters
        ----------
        name : str, optional
            Letters, digits and underscores, at most 64; made of the loop's and the model's name if
            not given.
        loop : int
            Whose parameters, where each loop has its own.
        description, source : str
            Free text; if not given, what was fitted to what.

        Raises
        ------
        FitError
            If there is no such loop.
        DesignError
            If the name or a text is not one of a preset.
        """
        if not 0 <= loop < len(self.loops):
            raise FitError(f"There is no loop {loop}; give 0 to {len(self.loops) - 1}.")
        fitted = self.loops[loop]
        made = re.sub(r"\W", "_", fitted.loop.name, flags=re.ASCII)
        made = made if not made[:1].isdigit() else f"fit_{made}"
        made = f"{made[: _LONGEST_NAME - len(self.model) - 1]}_{self.model}"
        files = ", ".join(each.loop.file or each.loop.name for each in self.loops)
        intervals = {
            re.sub(r"\[\d+\]$", "", n): [float(low), float(high)]
            for n, (low, high) in zip(self.names, self.intervals, strict=True)
            if not re.search(r"\[\d+\]$", n) or n.endswith(f"[{loop}]")
        }
        # The state at a record's begin is the record's; the preset starts at 0.
        intervals.pop("x_0", None)
        return DevicePreset.from_dict(
            {
                "name": name or made,
                "description": description or _short(f"{self.device.title}, fitted to {files}"),
                "source": source or _short(f"spicealif fit of {files}"),
                "device": {**fitted.device.to_dict(), "x_0": 0.0},
                "fit": {**self._record(), "intervals": intervals},
            }
        )

    def save_preset(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        loop: int = 0,
        description: str = "",
        source: str = "",
    ) -> Path:
        """Write the device as a TOML file that a neuron takes as ``leak.file``; return its path.

        Parameters
        ----------
        path : path-like
        name, loop, description, source
            See `preset`.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        import tomli_w

        preset = self.preset(name, loop=loop, description=description, source=source)
        return write_text(Path(path), signed(tomli_w.dumps(preset.to_dict())))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."

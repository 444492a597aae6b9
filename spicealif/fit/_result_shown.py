"""What a fit shows: rows, notes, plain figures, and the record that a preset keeps of it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spicealif.design import MemristorModel
from spicealif.fit._fitted import FittedLoop
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain

__all__ = ["FitShown"]

_Floats = npt.NDArray[np.float64]
#: Samples of a loop that its JSON keeps, and their digits: to be drawn, not to be fitted again.
_DRAWN, _DIGITS = 2000, 7


class FitShown(ShownInNotebooks):
    """What of a `FitResult` is shown."""

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

    if TYPE_CHECKING:

        def unit(self, name: str) -> str: ...

    def _facts(self) -> list[tuple[str, str]]:
        values = ", ".join(
            f"{name} {figure(value, self.unit(name))}"
            for name, value in zip(self.names, self.values, strict=True)
        )
        return [
            ("of", self.model),
            ("to", ", ".join(f"'{fitted.loop.name}'" for fitted in self.loops)),
            ("loss", f"{self.loss:.4g}"),
            ("values:", values),
        ]

    def _pages(self) -> list[Page]:
        return [Page((self._table(),), self._notes())]

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = [f"{self.model} fit", "value", f"{self.level:.0%} interval", "half-width", ""]
        rows = []
        for name, value, (low, high) in zip(self.names, self.values, self.intervals, strict=True):
            unit = self.unit(name)
            remark = "at a bound" if name in self.at_bound else ""
            remark = "hardly pinned" if name in self.not_identifiable else remark
            half = (high - low) / 2 / abs(value) if value else 0.0
            width = f"{half:.1%}" if value else "-"
            width = "over 1000%" if half > 10 else width
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

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it, of the traces what a figure needs.

        ``traces`` has of each loop at most 2000 samples, every k-th of the record, 7 digits each:
        measured ``v_mem`` and ``i``, and as fitted ``v_in``, ``v_mem``, ``i`` and ``x``.
        """
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
            "notes": self._notes(),
            "traces": [_drawn(fitted) for fitted in self.loops],
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


def _drawn(fitted: FittedLoop) -> dict[str, Any]:
    """Return of a loop's traces what a figure needs."""
    loop = fitted.loop
    every = -(-len(loop.time) // _DRAWN)

    def some(values: _Floats) -> list[float]:
        return [float(f"{value:.{_DIGITS}g}") for value in values[::every]]

    return {
        "name": loop.name,
        "r_s": loop.r_s,
        "period": loop.period,
        "nmse_v": fitted.nmse_v,
        "nmse_i": fitted.nmse_i,
        "drive": fitted.drive,
        "white": bool(fitted.white),
        "every": every,
        # Digits of the time alone tell neighbours apart in a long record.
        "time": (loop.time[::every] - loop.time[0]).tolist(),
        "measured": {"v_mem": some(loop.v_mem), "i": some(loop.i), "v_in": some(loop.v_in)},
        "fitted": {
            "v_in": some(fitted.v_in),
            "v_mem": some(fitted.v_mem),
            "i": some(fitted.i),
            "x": some(fitted.x),
        },
    }

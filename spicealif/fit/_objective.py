"""What a fit minimises: the weighted differences of simulated and measured loops.

Parameters are searched as numbers between 0 and 1 along their search range, in the logarithm where
the range says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spicealif.design.devices import LoopScale, Memristor, MemristorModel, SearchRange
from spicealif.fit._drive import Drive
from spicealif.fit.loop import Loop
from spicealif.reference.device import compiled_functions
from spicealif.reference.series.kernel import simulate, steady_state

__all__ = ["Objective", "Unknown", "scale_of"]

_Floats = npt.NDArray[np.float64]
#: Steps of the coarse simulation per time scale of the device, and of the fine one.
COARSE, FINE = 1.5, 6.0
#: Change of the state over a period at which it counts as steady: coarse, fine.
COARSE_STEADY, FINE_STEADY = 1e-4, 1e-11
#: The simulation's steps are the samples' distance over 2^(k/2), k up to this. The coarse
#: simulation's search also visits devices far faster than the samples: there up to the second, and
#: for models by function pointers, which take several times as long, up to the third.
_FINEST, _FINEST_COARSE, _FINEST_POINTERS = 22, 14, 6
#: Stands for a residual that is not a number.
_AWFUL = 1e3


@dataclass(frozen=True)
class Unknown:
    """A parameter that is searched: its name, the loop it belongs to (None: all), its range."""

    name: str
    loop: int | None
    range: SearchRange

    def value(self, z: float) -> float:
        """Return the parameter at the place z in its range."""
        (low, high) = (self.range.low, self.range.high)
        if self.range.log:
            return math.exp(math.log(low) + z * (math.log(high) - math.log(low)))
        return low + z * (high - low)

    def place(self, value: float) -> float:
        """Return where in its range a value lies, 0 or 1 if it is outside."""
        (low, high) = (self.range.low, self.range.high)
        if self.range.log:
            value = max(value, low)
            z = math.log(value / low) / math.log(high / low)
        else:
            z = (value - low) / (high - low)
        return min(max(z, 0.0), 1.0)


class Objective:
    """The residuals of a model's parameters.

    Not for several threads at once: take a `copy` for each.

    Parameters
    ----------
    loops : sequence of Loop
    model : type of MemristorModel
    thermal_voltage : float
        In V.
    unknowns : sequence of Unknown
    held : mapping of str to float
        All other parameters.
    """

    def __init__(
        self,
        loops: Sequence[Loop],
        model: type[MemristorModel],
        thermal_voltage: float,
        unknowns: Sequence[Unknown],
        held: Mapping[str, float],
    ) -> None:
        (self.loops, self.model, self.thermal_voltage) = (tuple(loops), model, thermal_voltage)
        (self.unknowns, self.held) = (tuple(unknowns), dict(held))
        self.drives = [Drive(loop) for loop in loops]
        self._v_peak = [float(np.abs(loop.v_in).max()) for loop in loops]
        measured = [(loop.v_mem[d.order], loop.i[d.order]) for loop, d in self._pairs()]
        self._measured = measured
        #: 1/sqrt of what the squares of each loop's two residuals are divided by; an array where
        #: the loop's samples are means of unlike numbers of samples
        self.weights: list[tuple[Any, ...]] = []
        for (loop, d), pair in zip(self._pairs(), measured, strict=True):
            counts = None if loop.counts is None else loop.counts[d.order]
            self.weights.append(tuple(_weights(y, counts, len(loops)) for y in pair))
        self._grids: dict[tuple[int, float], Any] = {}
        self._functions = None if model is Memristor else compiled_functions(model)
        self._scratch = np.zeros(4)
        self.evaluations = 0

    def copy(self) -> Objective:
        """Return one for another thread."""
        other: Objective = object.__new__(Objective)
        other.__dict__.update(self.__dict__)
        (other._scratch, other._grids, other.evaluations) = (np.zeros(4), {}, 0)
        return other

    def _pairs(self) -> list[tuple[Loop, Drive]]:
        return list(zip(self.loops, self.drives, strict=True))

    def values(self, z: _Floats, loop: int) -> dict[str, float]:
        """Return the model's parameters for a loop."""
        out = dict(self.held)
        for unknown, place in zip(self.unknowns, z, strict=True):
            if unknown.loop in (None, loop):
                out[unknown.name] = unknown.value(float(place))
        if out.get("r_on", 0.0) > out.get("r_off", math.inf):
            out["r_off"] = out["r_on"]  # x = 1 is the low resistance
        return out

    def place(self, values: Mapping[str, float]) -> _Floats:
        """Return where the parameters lie in their ranges."""
        return np.array([unknown.place(values[unknown.name]) for unknown in self.unknowns])

    def steps(self, z: _Floats, per_scale: float) -> list[float]:
        """Return for each loop the steps' length in s for so many in the device's time scale."""
        out = []
        for k, drive in enumerate(self.drives):
            values: dict[str, Any] = {"x_0": 0.0, **self.values(z, k)}
            # without its checks, which take longer than a simulation
            scale = self.model.model_construct(**values).time_scale(self._v_peak[k])
            longest = float(np.diff(drive.ends).max())
            exponent = math.ceil(2 * math.log2(max(longest * per_scale / scale, 1e-9)))
            coarse = _FINEST_COARSE if self._functions is None else _FINEST_POINTERS
            finest = coarse if per_scale == COARSE else _FINEST
            out.append(longest / 2 ** (min(max(exponent, 0), finest) / 2))
        return out

    def simulate(
        self,
        z: _Floats,
        loop: int,
        h: float,
        steady: float,
        coefficients: _Floats | None = None,
    ) -> tuple[_Floats, _Floats, _Floats]:
        """Return v_mem, i and x at a loop's samples, in the order of `Drive.order`.

        Parameters
        ----------
        z : ndarray
            Places of the unknowns.
        loop : int
        h : float
            Longest step in s.
        steady : float
            Change of the state over a period at which it counts as steady.
        coefficients : ndarray, optional
            Another drive's.
        """
        values = self.values(z, loop)
        if coefficients is None:
            if (loop, h) not in self._grids:
                self._grids[loop, h] = self.drives[loop].grid(h)
            (u, lengths, at) = self._grids[loop, h]
        else:
            (u, lengths, at) = self.drives[loop].grid(h, coefficients)
        q: Any = np.array(self.model.coefficients(values, self.thermal_voltage), dtype=np.float64)
        device = None if self._functions is None else (*self._functions, q, self._scratch)
        (v, i, x) = np.empty((3, len(lengths) + 1))
        record = self.loops[loop]
        if record.period is None:
            simulate(u, lengths, record.r_s, values["x_0"], q, device, v, i, x)
        else:
            steady_state(u, lengths, record.r_s, 0.5, q, device, steady, v, i, x)
        self.evaluations += 1
        return v[at], i[at], x[at]

    def residuals(self, z: _Floats, steps: Sequence[float], steady: float = FINE_STEADY) -> _Floats:
        """Return the weighted residuals, v then i of each loop; the sum of squares is the loss."""
        out = []
        for k, ((v, i), (w_v, w_i)) in enumerate(zip(self._measured, self.weights, strict=True)):
            (v_sim, i_sim, _) = self.simulate(z, k, steps[k], steady)
            out += [w_v * (v_sim - v), w_i * (i_sim - i)]
        r = np.concatenate(out)
        return np.where(np.isfinite(r), r, _AWFUL)

    def coarse_loss(self, z: _Floats) -> float:
        """Return the loss by a coarse simulation."""
        r = self.residuals(z, self.steps(z, COARSE), COARSE_STEADY)
        return float(r @ r)


def _weights(y: _Floats, counts: _Floats | None, loops: int) -> Any:
    if counts is None:
        return 1 / math.sqrt(loops * np.sum((y - y.mean()) ** 2))
    power = np.sum(counts * (y - np.average(y, weights=counts)) ** 2)
    return np.sqrt(counts / (loops * power))


def scale_of(loops: Sequence[Loop]) -> LoopScale | None:
    """Return what loops say of their device; None if voltage and current never have one sign."""
    (low, high) = ([], [])
    for loop in loops:
        (v, i) = (np.abs(loop.v_mem), np.abs(loop.i))
        r = loop.v_mem[(v > 0.2 * v.max()) & (i > 0.02 * i.max())]
        r = r / loop.i[(v > 0.2 * v.max()) & (i > 0.02 * i.max())]
        r = r[r > 0]
        # A device takes up power; what gives it off has a sign turned.
        if not len(r) or loop.v_mem @ loop.i <= 0:
            return None
        low.append(float(np.percentile(r, 1)))
        high.append(float(np.percentile(r, 99)))
    return LoopScale(
        max(float(np.abs(loop.v_mem).max()) for loop in loops),
        min(low),
        max(high),
        min(float(np.median(np.diff(loop.time))) for loop in loops),
        max(loop.period or float(np.ptp(loop.time)) for loop in loops),
    )

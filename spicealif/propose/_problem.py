"""One wish, the limits that a design must respect, and designs tried by the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spicealif.design import (
    DifferenceAmplifier,
    Memristor,
    MemristorModel,
    Mosfet,
    Neuron,
    OpAmp,
    PulseTrain,
    Step,
    Stimulus,
    nearest_in_series,
)
from spicealif.errors import DesignError
from spicealif.propose._device import Branch, charge_time

if TYPE_CHECKING:
    from spicealif.reference import ReferenceSummary

__all__ = ["Limits", "Point", "Problem"]

#: v_low is this part of v_th, as in the preset `paper`, but at least `LOWEST_V_LOW`, which keeps
#: the neuron from latching at the data sheets' offsets (op-amp 2 x 4 mV, comparator 7 mV, bias).
V_LOW_SHARE = 1 / 8
LOWEST_V_LOW = 0.03
#: The difference amplifier's resistors draw at most this part of the current if they can; ...
LOAD = 0.01
#: ... but with the op-amp's input capacitance they make its loop ring, whose quality factor stays
#: below this (beyond about 2 it undershoots and ends the discharge early), ...
QUALITY = 1.5
#: ... and its bias current must not move the threshold by more than this part of v_th.
BIAS_SHARE = 2e-3
#: The gate's charge may move the capacitor by this part of v_th, which bounds C from below.
INJECTION_SHARE = 0.05
_SMALLEST_C = 1e-10
#: Steps of the reference per time constant while searching; the last word has `Neuron.default_h`.
_STEPS = 25
_ROUNDS = 14


@dataclass(frozen=True)
class Limits:
    """What a proposed neuron must respect.

    Attributes
    ----------
    i_max : float
        Largest current in A.
    v_min, v_max : float
        Range of v_th in V.
    c_max : float
        Largest C in F.
    margin : float
        Least quotient of the input current and the device's current at v_th.
    v_c_max : float
        Highest capacitor voltage in V.
    load : float
        Largest part of the input current that the difference amplifier may draw.
    """

    i_max: float
    v_min: float
    v_max: float
    c_max: float
    margin: float
    v_c_max: float
    load: float


@dataclass(frozen=True, eq=False)
class Point:
    """A design that was tried.

    Attributes
    ----------
    u : ndarray, shape (3,)
        Its place in the unit cube: v_th, current over leak, r_s.
    v_th, i_peak, r_s, c : float
        SI units.
    rate, adaptation : float
        What the reference gives, Hz and ratio; NaN if the design is not possible.
    refused : str
        The limit that it breaks; empty if none.
    """

    u: np.ndarray
    v_th: float = math.nan
    i_peak: float = math.nan
    r_s: float = math.nan
    c: float = math.nan
    rate: float = math.nan
    adaptation: float = math.nan
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Problem:
    """A wish and everything that a design for it is made of.

    Attributes
    ----------
    device : MemristorModel
    rate : float
        Wanted initial rate in Hz.
    base : Neuron
        Everything that is not proposed.
    stimulus : Stimulus
        Its shape; scaled to the current.
    t_stop : float
        Length of the run in s.
    variant : str
        Of the reference.
    limits : Limits
    i_peak : float or None
        The current in A, if it is given.
    tolerance : float
        Relative, of the rate.
    refused : dict of str to int
        How many designs broke which limit.
    """

    device: MemristorModel
    rate: float
    base: Neuron
    stimulus: Stimulus
    t_stop: float
    variant: str
    limits: Limits
    i_peak: float | None
    tolerance: float
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def branch(self) -> Branch:
        """The device at the neuron's temperature."""
        return Branch(self.device, self.base.thermal_voltage)

    @property
    def steps(self) -> float:
        """Roughly how many steps a run of a design takes."""
        scale = min(self.device.time_scale(self.limits.v_max), 1 / self.rate)
        return self.t_stop * _STEPS / scale

    @property
    def batched(self) -> bool:
        """Whether the reference runs many neurons of this device at once."""
        return isinstance(self.device, Memristor)

    def c_min(self, v_th: float) -> float:
        """Return the smallest C in F for a threshold in V."""
        mosfet = self.base.mosfet
        if not isinstance(mosfet, Mosfet):
            return _SMALLEST_C
        charge = mosfet.c_gd_max * self.base.comparator.v_oh
        return max(_SMALLEST_C, charge / (INJECTION_SHARE * v_th))

    def place(self, u: np.ndarray) -> Point:
        """Return the design at a place of the unit cube, its C as the charging time asks for."""
        limits, branch = self.limits, self.branch
        v_th = limits.v_min + (limits.v_max - limits.v_min) * float(u[0])
        x_max = branch.largest_state(v_th)
        leak = branch.current(v_th, x_max)
        if self.i_peak is None:
            largest = limits.i_max / leak
            if largest < limits.margin:
                return Point(u, v_th=v_th, refused="current")
            i_peak = leak * limits.margin * (largest / limits.margin) ** float(u[1])
        else:
            i_peak = self.i_peak
            if i_peak < leak * limits.margin * (1 - 1e-9):
                return Point(u, v_th=v_th, i_peak=i_peak, refused="current")
        # At v_th and x_max the capacitor is at v_th + r_s leak, its highest.
        r_s = max(limits.v_c_max - v_th, 0.0) / leak * float(u[2]) ** 2
        if self.amplifier(v_th, i_peak, r_s, x_max)[1] > limits.load:
            return Point(u, v_th=v_th, i_peak=i_peak, r_s=r_s, refused="load")
        unit = charge_time(branch, self.device.x_0, v_th, r_s, i_peak)
        return Point(u, v_th=v_th, i_peak=i_peak, r_s=r_s, c=1 / (self.rate * unit))

    def amplifier(
        self, v_th: float, i_peak: float, r_s: float, x_max: float
    ) -> tuple[float, float]:
        """Return the difference amplifier's resistors in ohm, and their part of the current.

        The part is the largest at v_th. The resistors lead from v_c to ground and from v_s to the
        inverting input, which stands at v_c gain / (1 + gain). (0, 0) if the amplifier is ideal.
        """
        amplifier = self.base.difference_amplifier
        if not isinstance(amplifier, DifferenceAmplifier):
            return 0.0, 0.0
        gain = amplifier.gain
        drawn = 0.0  # V: times 1/r in A
        for x in (self.device.x_0, x_max):
            v_s = r_s * self.branch.current(v_th, x)
            v_c = v_th + v_s
            drawn = max(drawn, v_c / (1 + gain) + abs(v_s - v_c * gain / (1 + gain)))
        r = max(drawn / (LOAD * i_peak), DifferenceAmplifier().r)
        r = nearest_in_series(min(r, _largest_resistor(amplifier, v_th)), "E24")
        return r, drawn / (r * i_peak)

    def neuron(self, point: Point, t_stop: float, *, coarse: bool) -> Neuron:
        """Return a design as a neuron; see `Neuron` for what it may refuse."""
        stimulus = self.stimulus
        factor = point.i_peak / stimulus.peak(self.t_stop)
        scaled: dict[str, Any] = {
            name: getattr(stimulus, name) * factor
            for name in ("amplitude", "offset")
            if name in type(stimulus).model_fields
        }
        changes: dict[str, Any] = {
            "leak": self.device,
            "v_th": point.v_th,
            "v_low": min(max(point.v_th * V_LOW_SHARE, LOWEST_V_LOW), point.v_th / 2),
            "r_s": point.r_s,
            "c": point.c,
            "stimulus": stimulus.replace(scaled),
            "t_stop": t_stop,
        }
        if coarse:
            tau_m = point.c * (self.device.r_min(point.v_th) + point.r_s)
            scale = min(tau_m, self.device.time_scale(point.v_th), 1 / self.rate)
            changes["numerics.h"] = scale / _STEPS
        if isinstance(self.base.difference_amplifier, DifferenceAmplifier):
            x_max = self.branch.largest_state(point.v_th)
            changes["difference_amplifier.r"] = self.amplifier(
                point.v_th, point.i_peak, point.r_s, x_max
            )[0]
        return self.base.replace(changes)

    def try_out(self, places: Sequence[np.ndarray]) -> list[Point]:
        """Return the designs at places of the cube, with the rate met and adaptation measured."""
        points = self._with_rate([self.place(u) for u in places])
        going = [k for k, p in enumerate(points) if not p.refused]
        for k, tried in zip(going, self.run([points[k] for k in going]), strict=True):
            points[k] = tried
        for p in points:
            if p.refused:
                self.refused[p.refused] = self.refused.get(p.refused, 0) + 1
        return points

    def run(self, points: Sequence[Point]) -> list[Point]:
        """Return designs with rate and adaptation over the whole run."""
        out = []
        for point, (neuron, summary) in zip(points, self._solve(points, self.t_stop), strict=True):
            if neuron is None or summary is None:
                out.append(replace(point, refused="neuron"))
                continue
            out.append(self._measured(point, neuron, summary))
        return out

    def _measured(self, point: Point, neuron: Neuron, summary: ReferenceSummary) -> Point:
        measures = _measure(neuron, summary)
        rate, ratio = 1 / float(measures["isi_first"]), float(measures["adaptation_ratio"])
        refused = ""
        if isinstance(self.stimulus, PulseTrain):
            if min(int(measures["spikes_first_pulse"]), int(measures["spikes_last_pulse"])) < 2:
                refused = "pulses"
        elif not len(summary.t_spike) > 2 or (
            self.t_stop - summary.t_spike[-1] > 1.5 * float(measures["isi_last"])
        ):
            refused = "silent"
        if not refused and summary.v_c_peak > self.limits.v_c_max * (1 + 1e-6):
            refused = "v_c"
        return replace(point, rate=rate, adaptation=ratio, refused=refused)

    def _with_rate(self, points: list[Point]) -> list[Point]:
        """Return the designs with C such that the reference's first interval is as wanted."""
        done = {k: p for k, p in enumerate(points) if p.refused}
        going = {k: p for k, p in enumerate(points) if not p.refused}
        before: dict[int, tuple[float, float]] = {}
        for turn in range(_ROUNDS):
            for k, p in list(going.items()):
                if refused := self._out_of_range(p, final=turn > 0):
                    done[k] = replace(going.pop(k), refused=refused)
            if not going:
                break
            keys = list(going)
            solved = self._solve([going[k] for k in keys], self._first_part)
            for k, (neuron, summary) in zip(keys, solved, strict=True):
                p = going[k]
                if neuron is None or summary is None:
                    done[k] = replace(going.pop(k), refused="neuron")
                    continue
                interval = self._first_interval(neuron, summary)
                error = math.log(interval * self.rate) if interval > 0 else math.nan
                if abs(error) < self.tolerance / 20:
                    done[k] = going.pop(k)
                    continue
                going[k] = replace(p, c=p.c * math.exp(_step(math.log(p.c), error, before.get(k))))
                before[k] = (math.log(p.c), error)
        for k, p in going.items():
            done[k] = replace(p, refused="pulses" if math.isnan(before[k][1]) else "rate")
        return [done[k] for k in range(len(points))]

    def _out_of_range(self, p: Point, *, final: bool) -> str:
        # The first guess of C is some way off; only what the reference corrected is refused.
        slack = 1.0 if final else 4.0
        if p.c * slack < self.c_min(p.v_th):
            return "c_min"
        return "c_max" if p.c > self.limits.c_max * slack else ""

    def _first_interval(self, neuron: Neuron, summary: ReferenceSummary) -> float:
        """Return what `measure` calls isi_first, or NaN."""
        if len(summary.t_spike) < 2:
            return math.nan
        measures = _measure(neuron, summary)
        if isinstance(self.stimulus, PulseTrain) and int(measures["spikes_first_pulse"]) < 2:
            return math.nan
        return float(measures["isi_first"])

    @property
    def _first_part(self) -> float:
        """How long a run must be in s to show the first interval as the whole run does."""
        stimulus = self.stimulus
        if isinstance(stimulus, PulseTrain):
            return min(self.t_stop, stimulus.delay + 2 / stimulus.frequency)
        start = stimulus.delay + stimulus.t_rise if isinstance(stimulus, Step) else 0.0
        return min(self.t_stop, start + 6 / self.rate)

    def _solve(
        self, points: Sequence[Point], t_stop: float
    ) -> list[tuple[Neuron | None, ReferenceSummary | None]]:
        from spicealif.reference import solve_references

        neurons: list[Neuron | None] = []
        for p in points:
            try:
                neurons.append(self.neuron(p, t_stop, coarse=True))
            except DesignError:
                neurons.append(None)
        working = [n for n in neurons if n is not None]
        answers = iter(solve_references(working, self.variant))  # type: ignore[arg-type]
        return [
            (n, None if n is None or (s := next(answers)).error is not None else s) for n in neurons
        ]


def _largest_resistor(amplifier: DifferenceAmplifier, v_th: float) -> float:
    """Return how high the amplifier's resistors in ohm may be for its op-amp.

    The feedback's resistors in parallel, r gain / (1 + gain), and c_in make a pole after the
    integrator of the op-amp, whose loop crosses 1 at w = 2 pi gain_bandwidth / (1 + gain): a loop
    of second order with the quality factor sqrt(w times that time constant).
    """
    opamp = amplifier.opamp
    if not isinstance(opamp, OpAmp):
        return math.inf
    gain = amplifier.gain
    w = 2 * math.pi * opamp.gain_bandwidth / (1 + gain)
    largest = QUALITY**2 / w * (1 + gain) / (gain * opamp.c_in)
    if opamp.i_bias:
        largest = min(largest, BIAS_SHARE * v_th / abs(opamp.i_bias))
    return largest


def _measure(neuron: Neuron, summary: ReferenceSummary) -> dict[str, float]:
    """Return the measures of spikes; the same function as a comparison's."""
    from spicealif.measures.one_side import measure
    from spicealif.waveforms import Waveforms

    # Without `ReferenceSummary.waveforms`' provenance, which takes longer than the measures.
    end = Waveforms(np.full(2, summary.t_end), {}, summary.t_spike, {})
    return measure(end, neuron)  # type: ignore[return-value]


def _step(log_c: float, error: float, before: tuple[float, float] | None) -> float:
    """Return the change of ln C that takes the error of ln(interval) to 0, by the secant."""
    if math.isnan(error):
        return -0.5  # too few spikes: C is too large
    slope = 1.0
    if before is not None and not math.isnan(before[1]) and log_c != before[0]:
        slope = min(max((error - before[1]) / (log_c - before[0]), 0.5), 3.0)
    return min(max(-error / slope, -1.5), 1.5)

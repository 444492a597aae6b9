"""What all input currents share: values, pieces and SPICE text from their corners."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spicealif.design._base import Part
from spicealif.errors import DesignError, NetlistError

__all__ = ["MAX_CORNERS", "Stimulus", "StimulusPieces", "clip_knots", "ideal_edge", "pwl", "source"]

_Floats = NDArray[np.float64]

#: More corners than this are refused: each is a breakpoint for both sides.
MAX_CORNERS = 5_000_000


@dataclass(frozen=True, eq=False)
class StimulusPieces:
    """A stimulus cut at its corners into linear pieces, with sines apart.

    Attributes
    ----------
    t : ndarray, shape (K + 1,)
        Piece boundaries in s, strictly increasing from 0 to the end of the run.
    i : ndarray, shape (K,)
        Current at the start of each piece in A, without the sines.
    slope : ndarray, shape (K,)
        Slope within each piece in A/s, without the sines.
    sines : ndarray, shape (S, 4)
        Amplitude (A), frequency (Hz), phase (rad) and start (s) of each sine; before its start
        a sine stays at ``amplitude * sin(phase)``.
    """

    t: _Floats
    i: _Floats
    slope: _Floats
    sines: _Floats = field(default_factory=lambda: np.empty((0, 4)))


class Stimulus(Part):
    """Base of the input currents; a positive current charges the capacitor.

    Of a series circuit (`SeriesCircuit`) it is the source's voltage: what is called a current, in
    A, is then a voltage in V.
    """

    @abstractmethod
    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return corner times in [0, t_stop] and the limits of the linear part around each.

        Parameters
        ----------
        t_stop : float
            End of the run in s.

        Returns
        -------
        t, before, after : ndarray, shape (M,)
            Times in s, strictly increasing from 0 to `t_stop`, and the current just before and
            just after each in A (they differ only at an ideal edge).
        """

    def sines(self) -> list[tuple[float, float, float, float]]:
        """Return (amplitude, frequency, phase, start) of each sine part, SI units and rad."""
        return []

    @abstractmethod
    def spice(self, t_stop: float) -> list[str]:
        """Return the SPICE source functions whose sum is this current.

        Parameters
        ----------
        t_stop : float
            End of the run in s.

        Returns
        -------
        list of str
            One text per current source, such as ``"PULSE(0.0 0.001 ...)"``.

        Raises
        ------
        NetlistError
            If an edge is ideal (duration 0), which no SPICE can follow.
        """

    def sharp(self) -> Self:
        """Return the same stimulus with edges of no duration, where it has edges of its own."""
        return self

    def corners(self, t_stop: float) -> _Floats:
        """Return the times in [0, t_stop] at which value or slope jump, in s, shape (M,)."""
        return self.knots(t_stop)[0]

    def value(self, t: float | _Floats) -> _Floats:
        """Return the current at `t`.

        Parameters
        ----------
        t : float or ndarray, shape (N,)
            Times in s, 0 or later.

        Returns
        -------
        ndarray, shape (N,) or ()
            Current in A; at an ideal edge, the value after it.
        """
        time = np.asarray(t, dtype=float)
        t_end = float(time.max()) if time.size else 0.0
        pieces = self.pieces(max(t_end, 1e-12) * (1 + 1e-9))
        k = np.clip(np.searchsorted(pieces.t, time, side="right") - 1, 0, len(pieces.i) - 1)
        out = pieces.i[k] + pieces.slope[k] * (time - pieces.t[k])
        for amplitude, frequency, phase, start in pieces.sines:
            angle = 2 * math.pi * frequency * np.maximum(time - start, 0.0) + phase
            out = out + amplitude * np.sin(angle)
        return np.asarray(out)

    def pieces(self, t_stop: float) -> StimulusPieces:
        """Return the stimulus as pieces for the reference integrator (`StimulusPieces`).

        Raises
        ------
        DesignError
            If a point or a slope is not finite, as the sum of an offset and an amplitude can be.
        """
        t, before, after = self.knots(t_stop)
        _check_points(t, before, after)
        with np.errstate(over="ignore"):
            slope = (before[1:] - after[:-1]) / np.diff(t)
        _check_points(slope)
        sines = np.array(self.sines(), dtype=float).reshape(-1, 4)
        return StimulusPieces(t, after[:-1].copy(), slope, sines)

    def peak(self, t_stop: float) -> float:
        """Return an upper bound of the current over the run in A."""
        _, before, after = self.knots(t_stop)
        linear = float(max(before.max(), after.max()))
        return linear + sum(abs(amplitude) for amplitude, *_ in self.sines())

    def windows(self, t_stop: float) -> tuple[_Floats, _Floats]:
        """Return start and end of each stimulus pulse within the run.

        A stimulus without pulses has one window, the whole run.

        Returns
        -------
        starts, ends : ndarray, shape (P,)
            In s. A pulse ends where the next one starts, so that a spike in flight when the
            current falls is still counted with its pulse.
        """
        return np.array([0.0]), np.array([t_stop])

    def drive_ends(self, t_stop: float) -> _Floats:
        """Return when the current of each of the `windows` is over in s, shape (P,).

        Later than `t_stop` for a pulse that the end of the run cuts off.
        """
        return self.windows(t_stop)[1]

    def whole_windows(
        self, t_stop: float, begin: float = 0.0, end: float | None = None
    ) -> tuple[_Floats, _Floats]:
        """Return start and end of each pulse that was not cut off.

        Parameters
        ----------
        t_stop : float
            Length of the run in s.
        begin, end : float, optional
            What there is of it, in s; the whole if not given.

        Returns
        -------
        starts, ends : ndarray, shape (P,)
            In s. Of pulses that begin within that time and whose current is over in it: a pulse
            that was cut off would count as one that fired less. If there is none, of those that
            have some of it.
        """
        end = t_stop if end is None else min(end, t_stop)
        starts, ends = self.windows(t_stop)
        begun = starts >= begin - 1e-9 * abs(end - begin)
        kept = begun & (self.drive_ends(t_stop) <= end * (1 + 1e-9))
        if not kept.any():
            kept = (starts < end) & (ends > begin)
        return starts[kept], np.minimum(ends[kept], end)


def clip_knots(t: _Floats, i: _Floats, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
    """Merge points at equal times into edges, cut at `t_stop`, extend to it by a constant."""
    if t[-1] < t_stop:
        t, i = np.append(t, t_stop), np.append(i, i[-1])
    end = float(np.interp(t_stop, t, i)) if t_stop not in t else None
    keep = t < t_stop if end is not None else t <= t_stop
    t, i = t[keep], i[keep]
    if end is not None:
        t, i = np.append(t, t_stop), np.append(i, end)
    times, first = np.unique(t, return_index=True)
    last = np.append(first[1:], len(t)) - 1
    return times, i[first], i[last]


def source(function: str, fields: Iterable[float]) -> str:
    """Return a SPICE source function with its fields written out.

    Raises
    ------
    NetlistError
        If a field is not finite.
    """
    numbers = [float(f) for f in fields]
    if not all(map(math.isfinite, numbers)):
        raise NetlistError(
            f"The stimulus needs {function} with a value that is not finite; use currents and "
            "times of ordinary size."
        )
    return f"{function}({' '.join(map(repr, numbers))})"


def pwl(t: _Floats, before: _Floats, after: _Floats) -> str:
    """Return a PWL source through knots; see `Stimulus.knots`."""
    if np.any(before != after):
        raise ideal_edge("stimulus", "edge")
    if not (np.isfinite(t).all() and np.isfinite(after).all()):
        raise NetlistError(
            "The stimulus has a point that is not finite; use currents and times of ordinary size."
        )
    points = [f"{a!r} {b!r}" for a, b in zip(t.tolist(), after.tolist(), strict=True)]
    # SPICE reads long cards badly; four points a line stay readable.
    lines = [" ".join(points[k : k + 4]) for k in range(0, len(points), 4)]
    return "PWL(" + "\n+ ".join(lines) + ")"


def ideal_edge(kind: str, name: str) -> NetlistError:
    """Return the error for an edge of no duration."""
    return NetlistError(
        f"The {kind}'s {name} is 0, an ideal edge that no circuit simulator can follow; set it "
        "to a duration such as 1e-8 s."
    )


def _check_points(*points: _Floats) -> None:
    if not all(np.isfinite(values).all() for values in points):
        raise DesignError(
            "The stimulus has a point or a slope that is not finite; use currents and times of "
            "ordinary size."
        )

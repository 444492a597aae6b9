"""Input currents: each knows its value, its corners, its pieces for RK4 and its SPICE text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from spicealif.design._base import (
    Ampere,
    Count,
    Hertz,
    Number,
    Radian,
    Second,
)
from spicealif.design._sentences import register_tags
from spicealif.design.stimulus.base import (
    MAX_CORNERS,
    Stimulus,
    StimulusPieces,
    clip_knots,
    ideal_edge,
    pwl,
    source,
)
from spicealif.errors import DesignError

__all__ = [
    "AnyStimulus",
    "Constant",
    "PiecewiseLinear",
    "PulseTrain",
    "Sine",
    "Step",
    "Stimulus",
    "StimulusPieces",
    "Sum",
]

_Floats = NDArray[np.float64]


class Constant(Stimulus):
    """A constant current from t = 0 on.

    Attributes
    ----------
    amplitude : float
        Current in A.
    """

    kind: Literal["constant"] = "constant"
    amplitude: Ampere = Field(description="current in A")

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots: the ends of the run."""
        t = np.array([0.0, t_stop])
        i = np.full(2, self.amplitude)
        return t, i, i

    def spice(self, t_stop: float) -> list[str]:
        """Return the number: LTspice documents no word DC in front of it."""
        return [repr(float(self.amplitude))]


class Step(Stimulus):
    """A step from `offset` to `offset + amplitude`.

    Attributes
    ----------
    amplitude : float
        Height of the step in A.
    delay : float
        Time at which the step starts in s.
    t_rise : float
        Duration of the linear edge in s; 0 is an ideal edge, for the reference only.
    offset : float
        Current before the step in A.
    """

    kind: Literal["step"] = "step"
    amplitude: Ampere = Field(description="height of the step in A")
    delay: Second = Field(default=0.0, ge=0, description="start of the edge in s")
    t_rise: Second = Field(default=1e-8, ge=0, description="duration of the edge in s")
    offset: Ampere = Field(default=0.0, description="current before the step in A")

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots: the ends of the run and of the edge."""
        top = self.offset + self.amplitude
        return clip_knots(
            np.array([0.0, self.delay, self.delay + self.t_rise]),
            np.array([self.offset, self.offset, top]),
            t_stop,
        )

    def spice(self, t_stop: float) -> list[str]:
        """Return a PWL source."""
        if self.t_rise == 0:
            raise ideal_edge("step", "t_rise")
        return [pwl(*self.knots(t_stop))]

    def sharp(self) -> Self:
        """Return the step with an edge of no duration in the middle of this one's."""
        return self.replace(t_rise=0.0, delay=self.delay + self.t_rise / 2)


class PulseTrain(Stimulus):
    """A train of trapezoidal pulses.

    The k-th pulse starts to rise at ``delay + k / frequency`` and starts to fall `duty` periods
    later, so that equal edges leave the mean current at ``offset + amplitude * duty``.

    Attributes
    ----------
    amplitude : float
        Height of the pulses in A.
    frequency : float
        Pulses per second in Hz.
    duty : float
        Fraction of the period from the start of the rise to the start of the fall.
    delay : float
        Start of the first pulse in s.
    t_rise, t_fall : float
        Duration of the edges in s; 0 is an ideal edge, for the reference only.
    offset : float
        Current between the pulses in A.
    n_pulses : int, optional
        Number of pulses; without it the train never ends.
    """

    kind: Literal["pulse"] = "pulse"
    amplitude: Ampere = Field(description="height of the pulses in A")
    frequency: Hertz = Field(gt=0, description="pulses per second in Hz")
    duty: Number = Field(default=0.5, gt=0, lt=1, description="on-fraction of the period")
    delay: Second = Field(default=0.0, ge=0, description="start of the first pulse in s")
    t_rise: Second = Field(default=1e-8, ge=0, description="duration of the rising edge in s")
    t_fall: Second = Field(default=1e-8, ge=0, description="duration of the falling edge in s")
    offset: Ampere = Field(default=0.0, description="current between the pulses in A")
    n_pulses: Count | None = Field(default=None, ge=1, description="number of pulses")

    @model_validator(mode="after")
    def _edges_fit(self) -> Self:
        period = 1 / self.frequency
        if self.t_rise >= self.duty * period or self.t_fall >= (1 - self.duty) * period:
            raise ValueError(
                f"The edges (t_rise = {self.t_rise:g} s, t_fall = {self.t_fall:g} s) do not fit "
                f"into a period of {period:g} s at duty {self.duty:g}; shorten them or lower the "
                "frequency."
            )
        return self

    def _starts(self, t_stop: float) -> _Floats:
        # A run of 9 periods and a rounding error has 9 pulses.
        wanted = max(0.0, (t_stop - self.delay) * self.frequency)
        if self.n_pulses is not None:
            wanted = min(wanted, self.n_pulses)
        if 4 * wanted > MAX_CORNERS:
            raise DesignError(
                f"The pulse train has {wanted:g} pulses in {t_stop:g} s; shorten the run or lower "
                "the frequency."
            )
        return self.delay + np.arange(math.ceil(wanted * (1 - 1e-12))) / self.frequency

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots: four a pulse, and the ends of the run."""
        starts = self._starts(t_stop)
        top = self.offset + self.amplitude
        fall = self.duty / self.frequency
        shape = np.array([0.0, self.t_rise, fall, fall + self.t_fall])
        # Where a fall ends as the next pulse starts, rounding must not exchange the two.
        t = np.maximum.accumulate((starts[:, None] + shape).ravel())
        i = np.tile(np.array([self.offset, top, top, self.offset]), len(starts))
        return clip_knots(np.concatenate(([0.0], t)), np.concatenate(([self.offset], i)), t_stop)

    def spice(self, t_stop: float) -> list[str]:
        """Return a PULSE source, or a PWL source if the number of pulses is limited."""
        for name in ("t_rise", "t_fall"):
            if getattr(self, name) == 0:
                raise ideal_edge("pulse", name)
        if self.n_pulses is not None:
            # The number of pulses is not a portable field of PULSE.
            return [pwl(*self.knots(t_stop))]
        period = 1 / self.frequency
        fields = (
            self.offset,
            self.offset + self.amplitude,
            self.delay,
            self.t_rise,
            self.t_fall,
            self.duty * period - self.t_rise,
            period,
        )
        return [source("PULSE", fields)]

    def sharp(self) -> Self:
        """Return the train with edges of no duration; the charge is kept if both were equal."""
        return self.replace(t_rise=0.0, t_fall=0.0)

    def windows(self, t_stop: float) -> tuple[_Floats, _Floats]:
        """Return start and end of each pulse; a pulse ends where the next starts."""
        starts = self._starts(t_stop)
        return starts, np.minimum(starts + 1 / self.frequency, t_stop)

    def drive_ends(self, t_stop: float) -> _Floats:
        """Return when each pulse has fallen, or the next begins."""
        length = min(self.duty / self.frequency + self.t_fall, 1 / self.frequency)
        return self._starts(t_stop) + length


class Sine(Stimulus):
    """A sine current, ``offset + amplitude * sin(2 pi frequency (t - delay) + phase)``.

    Attributes
    ----------
    amplitude, offset : float
        In A.
    frequency : float
        In Hz.
    delay : float
        Before this time in s the current stays at its value at `delay`.
    phase : float
        In rad.
    """

    kind: Literal["sine"] = "sine"
    amplitude: Ampere = Field(description="amplitude in A")
    frequency: Hertz = Field(gt=0, description="frequency in Hz")
    offset: Ampere = Field(default=0.0, description="mean current in A")
    delay: Second = Field(default=0.0, ge=0, description="start in s")
    phase: Radian = Field(default=0.0, description="phase in rad")

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots: the ends of the run and the start of the sine."""
        return clip_knots(np.array([0.0, self.delay]), np.full(2, self.offset), t_stop)

    def sines(self) -> list[tuple[float, float, float, float]]:
        """Return the one sine."""
        return [(self.amplitude, self.frequency, self.phase, self.delay)]

    def spice(self, t_stop: float) -> list[str]:
        """Return a SIN source; its phase is in degrees."""
        fields = (
            self.offset,
            self.amplitude,
            self.frequency,
            self.delay,
            0.0,
            math.degrees(self.phase),
        )
        return [source("SINE", fields)]


class PiecewiseLinear(Stimulus):
    """A current given by points, linear in between and constant outside.

    Attributes
    ----------
    t : tuple of float
        Times in s, 0 or later, strictly increasing.
    i : tuple of float
        Currents in A.
    """

    kind: Literal["pwl"] = "pwl"
    t: tuple[Second, ...] = Field(description="times in s")
    i: tuple[Ampere, ...] = Field(description="currents in A")

    @model_validator(mode="after")
    def _valid_points(self) -> Self:
        if not self.t:
            raise ValueError("The piecewise linear stimulus has no points; give at least one.")
        if len(self.t) != len(self.i):
            raise ValueError(
                f"The piecewise linear stimulus has {len(self.t)} times and {len(self.i)} "
                "currents; give as many of one as of the other."
            )
        if self.t[0] < 0:
            raise ValueError(
                f"The piecewise linear stimulus starts at {self.t[0]:g} s; start at 0 or later."
            )
        if np.any(np.diff(self.t) <= 0):
            raise ValueError(
                "The times of the piecewise linear stimulus do not increase strictly; sort them "
                "and give each edge a duration."
            )
        return self

    @classmethod
    def from_csv(cls, path: str | Path, columns: Mapping[str, str] | None = None) -> Self:
        """Read times and currents from a text file with columns.

        Columns are found by their headings and units (``t_us``, ``Current (mA)``). Without
        headings a file has two columns, the time in s and the current in A.

        Parameters
        ----------
        path : path-like
            CSV or the like: commas, semicolons, tabs or blanks between columns, decimal points or
            commas, quotes, comments, an instrument's preamble (see ``docs/csv_files.md``).
        columns : mapping of str to str, optional
            Which column is ``time`` and which ``i``: a heading or a number from 1, with its unit in
            brackets where the file does not say it. ``time`` may be ``every 2us``.

        Returns
        -------
        PiecewiseLinear

        Raises
        ------
        DesignError
            If the file cannot be read, something in it could mean two things, or its points are
            not valid.
        """
        from spicealif.design.stimulus.file import read_points

        t, i = read_points(path, columns)
        return cls(t=tuple(t), i=tuple(i))

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots: the points and the ends of the run."""
        t, i = np.array(self.t), np.array(self.i)
        if t[0] > 0:
            t, i = np.concatenate(([0.0], t)), np.concatenate(([i[0]], i))
        return clip_knots(t, i, t_stop)

    def spice(self, t_stop: float) -> list[str]:
        """Return a PWL source."""
        return [pwl(*self.knots(t_stop))]


class Sum(Stimulus):
    """The sum of several currents.

    Attributes
    ----------
    terms : tuple of stimuli
        At least one.
    """

    kind: Literal["sum"] = "sum"
    terms: tuple[AnyStimulus, ...] = Field(min_length=1, description="the currents to add")

    def knots(self, t_stop: float) -> tuple[_Floats, _Floats, _Floats]:
        """Return the knots of all terms, merged."""
        parts = [term.knots(t_stop) for term in self.terms]
        t = np.unique(np.concatenate([p[0] for p in parts]))
        before, after = np.zeros(len(t)), np.zeros(len(t))
        for t_k, b_k, a_k in parts:
            k = np.clip(np.searchsorted(t_k, t, side="right") - 1, 0, len(t_k) - 2)
            slope = (b_k[1:] - a_k[:-1]) / np.diff(t_k)
            inner = a_k[k] + slope[k] * (t - t_k[k])
            here = np.searchsorted(t_k, t)
            at = t_k[np.minimum(here, len(t_k) - 1)] == t
            here = np.minimum(here, len(t_k) - 1)
            before += np.where(at, b_k[here], inner)
            after += np.where(at, a_k[here], inner)
        return t, before, after

    def sines(self) -> list[tuple[float, float, float, float]]:
        """Return the sines of all terms."""
        return [sine for term in self.terms for sine in term.sines()]

    def spice(self, t_stop: float) -> list[str]:
        """Return the sources of all terms."""
        return [text for term in self.terms for text in term.spice(t_stop)]

    def sharp(self) -> Self:
        """Return the sum of the terms with edges of no duration."""
        return self.replace(terms=[term.sharp().to_dict() for term in self.terms])

    def windows(self, t_stop: float) -> tuple[_Floats, _Floats]:
        """Return the pulses of the first term that has pulses, else the whole run."""
        term = self._pulsed(t_stop)
        return super().windows(t_stop) if term is None else term.windows(t_stop)

    def drive_ends(self, t_stop: float) -> _Floats:
        """Return when the current of each pulse of that term is over."""
        term = self._pulsed(t_stop)
        return super().drive_ends(t_stop) if term is None else term.drive_ends(t_stop)

    def _pulsed(self, t_stop: float) -> AnyStimulus | None:
        return next((term for term in self.terms if len(term.windows(t_stop)[0]) > 1), None)


AnyStimulus = Annotated[
    Constant | Step | PulseTrain | Sine | PiecewiseLinear | Sum, Field(discriminator="kind")
]
Sum.model_rebuild()
register_tags(Constant, Step, PulseTrain, Sine, PiecewiseLinear, Sum)

"""What every memristor model shares: its parameters, equations, and what others ask of it.

A model is one class in one file. Its equations are plain functions of numbers, which need nothing
but `math`: tests call them as they are, and `spicealif.reference.device` compiles the very same
functions for the reference, the circuit's equations and the fit.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from abc import abstractmethod
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import Field

from spicealif._support.resources import models_dir
from spicealif.design._base import Number, Part

__all__ = ["LoopScale", "MemristorModel", "SearchRange", "on_below_off"]

_T = TypeVar("_T", bound="_TwoResistances")


@dataclass(frozen=True, slots=True)
class LoopScale:
    """What measured loops say of their device before any model is fitted.

    Attributes
    ----------
    v_peak : float
        Largest absolute voltage across the device in V.
    r_low, r_high : float
        Smallest and largest quotient of voltage and current in ohm, where both are well above
        their resolution.
    t_sample, t_span : float
        Median distance of samples, and length of the record (or period), in s; of several
        records the smallest and the largest.
    """

    v_peak: float
    r_low: float
    r_high: float
    t_sample: float
    t_span: float


@dataclass(frozen=True, slots=True)
class SearchRange:
    """Where a fit looks for a parameter.

    Attributes
    ----------
    low, high : float
        Bounds in the parameter's unit.
    log : bool
        Whether to search in the logarithm; `low` is then above 0.
    """

    low: float
    high: float
    log: bool = False


class MemristorModel(Part):
    """A memristor with one state x between 0 and 1; the base of all models.

    The device's current is i(v, x) and its state follows dx/dt = f(v, x). At x = 1 its resistance
    is low; a positive voltage sets it (x rises), a negative one resets it.

    Attributes
    ----------
    x_0 : float
        State at t = 0, between 0 and 1.
    """

    #: What the model is called in tables and figures.
    title: ClassVar[str]
    #: A published set of parameters, and where it stands; examples and tests use it.
    example: ClassVar[Mapping[str, float]]
    #: Parameters that a fit holds unless told otherwise, since loops cannot tell them apart.
    held: ClassVar[Mapping[str, float]] = {}
    #: Name of the model that this one contains, if any; a fit then begins with that one.
    simpler: ClassVar[str | None] = None

    x_0: Number = Field(default=0.0, ge=0, le=1, description="state at t = 0")

    @classmethod
    def template_folder(cls) -> Path:
        """Return the folder with the model's template, ``leak_<kind>.cir.j2``.

        Of another package it is the folder ``templates`` beside the module of the class.
        """
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            return models_dir() / "parts"
        return Path(inspect.getfile(cls)).parent / "templates"

    @classmethod
    @cache
    def code_digest(cls) -> str:
        """Return the SHA-256 of another package's model and template; empty for our own.

        What is kept on disk is under it as well: equations of an older version of the package must
        not be taken for its own. (Our own are in the digest of our source.)
        """
        folder = cls.template_folder()
        if folder == models_dir() / "parts":
            return ""
        digest = hashlib.sha256(Path(inspect.getfile(cls)).read_bytes())
        for template in sorted(folder.glob("*.j2")):
            digest.update(template.read_bytes())
        return digest.hexdigest()

    @staticmethod
    @abstractmethod
    def coefficients(values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return what the equations take as `q`.

        Parameters
        ----------
        values : mapping of str to float or ndarray
            The model's parameters by name, SI units.
        thermal_voltage : float
            kT/q in V.

        Returns
        -------
        tuple of float or ndarray
            As many and as long whatever the values; arrays give arrays.
        """

    @staticmethod
    @abstractmethod
    def current(v: float, x: float, q: Sequence[float], out: MutableSequence[float]) -> None:
        """Write i in A, di/dv in S and di/dx in A at the voltage v and the state x to `out`.

        Compiled by numba: numbers and `math` only. di/dv must not be negative, and i(0, x) is 0.
        """

    @staticmethod
    @abstractmethod
    def rate(v: float, x: float, q: Sequence[float]) -> float:
        """Return dx/dt in 1/s; compiled by numba.

        It must not be negative at x = 0 nor positive at x = 1.
        """

    @classmethod
    @abstractmethod
    def search_space(cls, seen: LoopScale) -> dict[str, SearchRange]:
        """Return where a fit to such loops looks for each parameter."""

    @classmethod
    def embed(
        cls, values: Mapping[str, float], seen: LoopScale, held: Mapping[str, float]
    ) -> dict[str, float]:
        """Return this model's parameters for which it is the `simpler` one with these values.

        Parameters
        ----------
        values : mapping of str to float
            The simpler model's parameters.
        seen : LoopScale
        held : mapping of str to float
            What this model's fit holds.
        """
        return {**values, **held}

    @abstractmethod
    def time_scale(self, v: float) -> float:
        """Return the time in s in which x changes fastest while the voltage is within +-v."""

    def voltage_scale(self, thermal_voltage: float) -> float:
        """Return the voltage in V over which the rate or the current changes by a factor e.

        kT/q, unless the model says otherwise; the reference's steps follow a moving v_mem by it.
        """
        return thermal_voltage

    def numbers(self, thermal_voltage: float) -> tuple[float, ...]:
        """Return the coefficients of this device; `thermal_voltage` is kT/q in V."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return tuple(float(q) for q in self.coefficients(values, thermal_voltage))

    def resistance(self, v: float, x: float) -> float:
        """Return v / i in ohm at the voltage v (not 0) and the state x; infinity where i is 0."""
        out = [0.0, 0.0, 0.0]
        # No model's current depends on the temperature, so any thermal voltage will do.
        self.current(v, x, self.numbers(0.025), out)
        return v / out[0] if out[0] != 0 else math.inf

    def r_min(self, v: float) -> float:
        """Return the lowest resistance v / i in ohm at voltages of up to +-v (above 0)."""
        return min(self.resistance(v, 1.0), self.resistance(-v, 1.0))

    def differential_r_min(self, low: float, high: float) -> float:
        """Return the lowest differential resistance dv/di in ohm between two voltages.

        A current that rises ever more steeply is steepest at x = 1 and at one of the ends.
        """
        (q, out, steepest) = (self.numbers(0.025), [0.0, 0.0, 0.0], 0.0)
        for end in (low, high):
            self.current(end, 1.0, q, out)
            steepest = max(steepest, out[1])
        return 1 / steepest if steepest > 0 else math.inf

    def v_reach(self, i: float, v: float) -> tuple[float, float]:
        """Return the voltages in V, within +-v, between which a source of +-i keeps the device.

        At x = 0, where it takes the least current.
        """
        (q, out) = (self.numbers(0.025), [0.0, 0.0, 0.0])

        def taken(v: float) -> float:
            self.current(v, 0.0, q, out)
            return abs(out[0])

        ends = []
        for end in (-v, v):
            (inside, beyond) = (0.0, end)
            # Without a current there is no voltage, which halving never reaches.
            least = 1e-9 * v
            while taken(beyond) > i and abs(beyond - inside) > max(0.01 * abs(beyond), least):
                middle = 0.5 * (inside + beyond)
                (inside, beyond) = (inside, middle) if taken(middle) > i else (middle, beyond)
            ends.append(beyond)
        return ends[0], ends[1]

    def r_max(self, v: float) -> float:
        """Return the highest resistance v / i in ohm at voltages of up to +-v (above 0)."""
        small = v * 1e-6
        return max(self.resistance(small, 0.0), self.resistance(-small, 0.0))


class _TwoResistances(Protocol):
    r_on: float
    r_off: float


def on_below_off(device: _T) -> _T:
    """Refuse a device whose r_on is above its r_off; a validator of models that have the two."""
    if device.r_on > device.r_off:
        raise ValueError(
            f"The memristor's r_on = {device.r_on:g} ohm is above r_off = {device.r_off:g} ohm; "
            "lower r_on or raise r_off, or exchange them if both were meant the other way round "
            "(x = 1 is the low-resistance state)."
        )
    return device

"""The circuit that a memristor is measured in: a voltage source, a resistor, the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from spicealif._support.described import Described
from spicealif.design._base import Identifier, Kelvin, Ohm, Part, Second, parse_quantity
from spicealif.design._shared import digest_of, thermal_voltage
from spicealif.design._working import MAX_STEPS
from spicealif.design.devices import MemristorModel
from spicealif.design.leak import AnyLeak
from spicealif.design.neuron import Neuron
from spicealif.design.numerics import SeriesNumerics, too_long
from spicealif.design.parts import EmbeddedModel
from spicealif.design.stimulus.sources import AnyStimulus
from spicealif.quantities.grammar import format_quantity

__all__ = ["AnyDesign", "SeriesCircuit"]

#: Keys of a stimulus that hold currents, here voltages.
_AMPLITUDES = ("amplitude", "offset", "i")


def _is_memristor(device: object) -> object:
    if not isinstance(device, MemristorModel):
        raise ValueError(
            "The device of a series circuit is a memristor; set device.kind to a memristor model."
        )
    if isinstance(device, EmbeddedModel):
        raise ValueError(
            "The device of a series circuit cannot be somebody's SPICE model, since its reference "
            "needs equations; take a memristor model."
        )
    return device


def _in_volts(value: object) -> object:
    """Read the drive's texts, such as "0.8 V", as voltages."""
    if not isinstance(value, Mapping):
        return value
    out: dict[str, Any] = dict(value)
    for key in _AMPLITUDES:
        given = out.get(key)
        if isinstance(given, str):
            out[key] = _volts(key, given)
        elif isinstance(given, list | tuple):
            out[key] = [_volts(key, v) if isinstance(v, str) else v for v in given]
    if isinstance(terms := out.get("terms"), list | tuple):
        out["terms"] = [_in_volts(term) for term in terms]
    return out


def _volts(key: str, text: str) -> float:
    try:
        return parse_quantity(text, "V")
    except ValueError as error:
        raise ValueError(f"drive.{key} {error}") from None


if TYPE_CHECKING:
    _Device: TypeAlias = MemristorModel
else:
    _Device = Annotated[AnyLeak, AfterValidator(_is_memristor)]
_Drive = Annotated[AnyStimulus, BeforeValidator(_in_volts)]


class SeriesCircuit(Described, Part):
    """A memristor in series with a resistor and a voltage source: how devices are measured.

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    description, source : str
        Free text for people; never part of a netlist.
    device : MemristorModel
        From the resistor to ground.
    r_s : float
        Resistance between source and device in ohm; may be 0.
    drive : Stimulus
        The source's voltage. The classes are those of a neuron's input current; their amplitudes,
        offsets and points are volts here. Give those as numbers: a class cannot know what it
        will drive, so ``Sine(amplitude="0.8 V", ...)`` is refused, while a table
        ``{"kind": "sine", "amplitude": "0.8 V", ...}`` and its TOML are read.
    t_stop : float
        Length of the run in s.
    temperature : float
        In K; sets the thermal voltage.
    numerics : SeriesNumerics
        How finely both sides are computed.

    Raises
    ------
    DesignError
        If a value is missing, unknown or out of range.
    """

    name: Identifier = Field(default="series", description="letters, digits and underscores")
    description: str = Field(default="", max_length=2000, description="for people")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    device: _Device = Field(description="memristor")
    r_s: Ohm = Field(default=0.0, ge=0, description="resistance in series with the device in ohm")
    drive: _Drive = Field(description="voltage of the source, in V")
    t_stop: Second = Field(gt=0, description="length of the run in s")
    temperature: Kelvin = Field(default=298.5, gt=1, lt=1000, description="in K")
    numerics: SeriesNumerics = Field(default=SeriesNumerics())

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("", f"'{self.name}'"),
            ("device", self.device.to_dict()["kind"]),
            ("r_s", format_quantity(self.r_s, "ohm")),
            ("drive", f"{self.drive.kind} up to {format_quantity(self.v_peak, 'V')}"),
            ("t_stop", format_quantity(self.t_stop, "s")),
        ]

    @property
    def thermal_voltage(self) -> float:
        """The thermal voltage kT/q in V."""
        return thermal_voltage(self.temperature)

    @cached_property
    def v_peak(self) -> float:
        """An upper bound of the drive's absolute value over the run in V."""
        _, before, after = self.drive.knots(self.t_stop)
        linear = float(np.abs([before, after]).max())
        return linear + sum(abs(amplitude) for amplitude, *_ in self.drive.sines())

    @property
    def t_step_max(self) -> float:
        """Largest simulator step in s: a part of a sine's period and of the run.

        What the device needs beyond it the simulator finds by its truncation error.
        """
        step = min(self._sine_period, self.t_stop) / self.numerics.steps_per_period
        return min(step, self.numerics.t_step_max or math.inf)

    @property
    def t_step_first(self) -> float:
        """Limit of the first simulator step in s, whose truncation error is not known."""
        return min(self.t_step_max, self.shortest_time / 10)

    @property
    def default_h(self) -> float:
        """Largest reference step in s.

        `SeriesNumerics.h`, else 1/20,000 of a sine's period and of the run and 1/100 of the
        time in which the state changes fastest. Most models have thresholds at which the rate's
        slope jumps, so that the error falls with the square of the step only.
        """
        if self.numerics.h is not None:
            return self.numerics.h
        period = min(self._sine_period, self.t_stop)
        return min(period / 20_000, self.shortest_time / 100)

    @property
    def shortest_time(self) -> float:
        """Time in s in which the state changes fastest while the drive is within its peak."""
        return self.device.time_scale(self.v_peak)

    @property
    def _sine_period(self) -> float:
        """The shortest period of a sine in the drive in s, or infinity."""
        return min((1 / sine[1] for sine in self.drive.sines()), default=math.inf)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result, as hexadecimal text."""
        return digest_of(self)

    @model_validator(mode="after")
    def _can_be_computed(self) -> SeriesCircuit:
        try:
            steps = self.t_stop / min(self.t_step_max, self.default_h)
        except ArithmeticError:
            raise ValueError(
                "A value is so large or so small that the circuit cannot be computed; use values "
                "of ordinary size."
            ) from None
        if not steps <= MAX_STEPS:
            raise ValueError(
                f"t_stop = {self.t_stop:g} s would take at least {steps:.1g} steps; shorten the "
                "run, or set numerics.h and numerics.t_step_max (the device's state changes "
                f"within {self.shortest_time:.2g} s at {self.v_peak:g} V)."
            )
        h = self.numerics.h
        if h is not None and (said := too_long("numerics.h", h, self.shortest_time)):
            raise ValueError(f"{said}.")
        return self


#: What a netlist can be built of.
AnyDesign: TypeAlias = Neuron | SeriesCircuit

"""What is to be fitted, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spicealif.design import MODELS, MemristorModel
from spicealif.design._shared import thermal_voltage
from spicealif.design.devices import LoopScale, SearchRange
from spicealif.design.devices.registry import load_model
from spicealif.errors import DesignError, FitError
from spicealif.fit._checks import check_loops
from spicealif.fit._objective import Objective, Unknown, scale_of
from spicealif.fit._thin import thinned
from spicealif.fit.loop import Loop

__all__ = ["Problem", "check_options", "model_of"]

#: Samples of a loop from which on means of neighbours stand for them; where edges ask for more, up
#: to the second.
_USUAL, _MOST = 1200, 6000
#: The same in the search, which ends near a minimum only, if the loop has more than the third.
_ROUGH, _MOST_ROUGH, _ROUGH_FROM = 250, 1000, 400
#: Kelvin below which degrees Celsius may have been meant.
_COLD = 150.0
#: Some loop's scale, where only the names of a search space matter.
_ANY = LoopScale(1.0, 1e3, 1e4, 1e-6, 1e-3)


@dataclass(frozen=True)
class Problem:
    """What is to be fitted, checked."""

    loops: tuple[Loop, ...]
    model: type[MemristorModel]
    scale: LoopScale
    thermal_voltage: float
    unknowns: tuple[Unknown, ...]
    held: dict[str, float]
    seed: int
    level: float
    #: Sentences on what is unlikely in the loops.
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        loops: tuple[Loop, ...],
        model: str,
        temperature: float,
        bounds: Mapping[str, tuple[float, float]] | None,
        held: Mapping[str, float] | None,
        per_loop: Sequence[str],
        seed: int,
        level: float,
    ) -> Problem:
        if not loops:
            raise FitError("There is no loop to fit; give at least one.")
        check_options(model, temperature, bounds, held, per_loop, seed, level)
        warnings = (*_cold(temperature), *check_loops(loops))
        loops = tuple(thinned(loop, _USUAL, _MOST) for loop in loops)
        scale = scale_of(loops)
        if scale is None:
            raise FitError(
                "Voltage and current of a loop never are well above their resolution together; "
                "see the columns and their units."
            )
        kind = MODELS[model]
        space = kind.search_space(scale)
        single_shot = [k for k, loop in enumerate(loops) if loop.period is None]
        if not single_shot and ("x_0" in (held or {}) or "x_0" in (bounds or {})):
            raise FitError(
                "x_0 is held or bounded, but no loop is a single shot, which alone begins in a "
                "state of its own; take it away, or say --single-shot."
            )
        fixed = {**kind.held, **{k: float(v) for k, v in (held or {}).items()}}
        for name, (low, high) in (bounds or {}).items():
            fixed.pop(name, None)
            if name != "x_0":
                space[name] = _range(name, float(low), float(high), space[name].log)
        of_x = (bounds or {}).get("x_0", (0.0, 1.0))
        unknowns = []
        for name, where in space.items():
            if name not in fixed:
                own = range(len(loops)) if name in per_loop and len(loops) > 1 else [None]
                unknowns += [Unknown(name, k, where) for k in own]
        if "x_0" not in fixed:
            where = _range("x_0", float(of_x[0]), float(of_x[1]), False)
            unknowns += [Unknown("x_0", k, where) for k in single_shot]
        if not unknowns:
            raise FitError("Every parameter is held; set at least one free.")
        problem = cls(
            loops, kind, scale, thermal_voltage(temperature), tuple(unknowns), fixed, seed, level,
            warnings,
        )  # fmt: skip
        problem.check_held()
        return problem

    @property
    def names(self) -> tuple[str, ...]:
        """Of the unknowns; with the loop's number where several loops have their own."""
        many = len(self.loops) > 1
        return tuple(
            f"{u.name}[{u.loop}]" if u.loop is not None and many else u.name for u in self.unknowns
        )

    @property
    def all_periodic(self) -> bool:
        return all(loop.period is not None for loop in self.loops)

    def rough(self) -> Problem:
        """Return the problem with fewer samples, whose minimum is nearly the same."""
        few = [
            thinned(loop, _ROUGH, _MOST_ROUGH) if len(loop.time) > _ROUGH_FROM else loop
            for loop in self.loops
        ]
        return replace(self, loops=tuple(few))

    def objective(self) -> Objective:
        return Objective(self.loops, self.model, self.thermal_voltage, self.unknowns, self.held)

    def check_held(self) -> None:
        """Raise `FitError` if no device has the values that are held."""
        middle = {u.name: u.value(0.5) for u in self.unknowns}
        middle = {k: v for k, v in middle.items() if k not in ("r_on", "r_off")}
        ends = {"r_on": 1e-30, "r_off": 1e30}
        ends = {k: v for k, v in ends.items() if k in self.model.model_fields}
        try:
            self.model(**{**ends, **middle, **self.held})
        except DesignError as error:
            raise FitError(str(error)) from None


def check_options(
    model: str,
    temperature: float,
    bounds: Mapping[str, tuple[float, float]] | None,
    held: Mapping[str, float] | None,
    per_loop: Sequence[str],
    seed: int,
    level: float,
) -> None:
    """Raise `FitError` if what is asked makes no sense whatever the loops are.

    Parameters
    ----------
    model, temperature, bounds, held, per_loop, seed, level
        See `spicealif.fit.fit_device`.
    """
    (bounds, held) = (dict(bounds or {}), dict(held or {}))
    model_of(model)
    if not 0 < level < 1:
        raise FitError(f"The level {level:g} is not between 0 and 1; give, for example, 0.95.")
    if not 1 < temperature < 1000:
        raise FitError(f"The temperature {temperature:g} K is not between 1 and 1000 K.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise FitError(f"The seed {ascii(seed)} is not a whole number of 0 or more.")
    _check_names(model, bounds, held, per_loop)
    _check_values(MODELS[model], bounds, held)


def model_of(name: str) -> type[MemristorModel]:
    """Return the class of a memristor model.

    Raises
    ------
    FitError
        If there is none of that name, or it is another package's and cannot be used.
    """
    try:
        return load_model(name)
    except DesignError as error:
        raise FitError(str(error)) from None


def _check_names(
    model: str,
    bounds: Mapping[str, tuple[float, float]],
    held: Mapping[str, float],
    per_loop: Sequence[str],
) -> None:
    space = (*MODELS[model].search_space(_ANY), "x_0")
    for name in (*bounds, *held, *per_loop):
        if name not in space:
            raise FitError(
                f"The model {model} has no parameter {ascii(name)}; it has {', '.join(space)}."
            )
    for name in bounds:
        if name in held:
            raise FitError(f"{name} is held and has bounds; take one of the two away.")
    for name in per_loop:
        if name in held:
            raise FitError(
                f"{name} is held, so that loops cannot have their own; take one of the two away."
            )


def _check_values(
    kind: type[MemristorModel],
    bounds: Mapping[str, tuple[float, float]],
    held: Mapping[str, float],
) -> None:
    for name, (low, high) in bounds.items():
        where = _range(name, float(low), float(high), False)
        for end in (where.low, where.high):
            _allowed(kind, {name: end}, f"the bound {end:g} of {name}")
    for name, value in held.items():
        _allowed(kind, {name: float(value)}, f"{name} = {float(value):g}")
    _allowed(kind, {k: float(v) for k, v in held.items()}, "what is held")
    (least, most) = (
        bounds["r_on"][0] if "r_on" in bounds else held.get("r_on", 0.0),
        bounds["r_off"][1] if "r_off" in bounds else held.get("r_off", math.inf),
    )
    if least > most:
        raise FitError(
            f"r_on is {least:g} ohm at least and r_off {most:g} ohm at most, but x = 1 is the low "
            "resistance; give bounds or values with r_on below r_off."
        )


def _allowed(kind: type[MemristorModel], values: Mapping[str, float], what: str) -> None:
    """Raise `FitError` if the model's example with these values is no device."""
    pair = {"r_on": 1e-30, "r_off": 1e30} if "r_on" in kind.model_fields else {}
    try:
        kind(**{**kind.example, **pair, **values})
    except DesignError as error:
        raise FitError(f"With {what} there is no device: {error}") from None


def _cold(temperature: float) -> tuple[str, ...]:
    if temperature >= _COLD:
        return ()
    return (
        f"The temperature of {temperature:g} K is {temperature - 273.15:.5g} degrees Celsius. If "
        f"{temperature:g} degrees Celsius were meant, give {temperature + 273.15:.5g} K: v_on, "
        "v_off and tau depend on it.",
    )


def _range(name: str, low: float, high: float, log: bool) -> SearchRange:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise FitError(
            f"The bounds {low:g} and {high:g} of {name} are not a range; give a lower and a "
            "higher finite value, or hold it."
        )
    return SearchRange(low, high, log and low > 0)

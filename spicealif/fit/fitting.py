"""Identification of a memristor model from measured loops."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, differential_evolution, least_squares
from scipy.stats import qmc
from scipy.stats import t as student_t

from spicealif._cores import usable_cores
from spicealif.design import MODELS, MemristorModel
from spicealif.design._shared import thermal_voltage
from spicealif.design.devices import LoopScale, SearchRange
from spicealif.errors import DesignError, FitError
from spicealif.fit._objective import COARSE, FINE, Objective, Unknown, scale_of
from spicealif.fit._uncertainty import Uncertainty, find_uncertainty
from spicealif.fit.loop import Loop
from spicealif.fit.result import FitResult, FittedLoop

__all__ = ["fit_device"]

_Floats = npt.NDArray[np.float64]
#: Members of the global search's population, at least, and for each unknown; generations at most.
_POPULATION, _POPULATION_EACH, _GENERATIONS = 60, 5, 100
#: Places of the ranges that are looked at besides; local searches from the best of them. The global
#: search alone ends in a side minimum (x up to 1/2 only, with half of r_on) for one device of six.
_SAMPLES, _STARTS = 512, 20
#: Two of them are at least so far apart.
_APART = 0.15
#: Minima of the simpler model that the search goes on from; local searches from around the best
#: and from around each other one, and how far around.
_MINIMA, _STARTS_AROUND, _STARTS_BESIDE, _SPREAD = 3, 8, 3, 0.05
#: Of these, how many are then brought down by a fine simulation.
_POLISHED = 2
#: How near a bound (in the range's units) counts as at it.
_AT_BOUND = 1e-3
#: Half-width of an interval as a part of the search range (or ln 2 on a logarithmic one) from which
#: a parameter counts as not identifiable.
_WIDE, _WIDE_LOG = 0.25, math.log(2)
#: Correlation from which two parameters are said to trade.
_CORRELATED = 0.95


def fit_device(
    loops: Loop | Sequence[Loop],
    model: str = "mms",
    *,
    temperature: float = 298.5,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    held: Mapping[str, float] | None = None,
    per_loop: Sequence[str] = (),
    seed: int = 0,
    level: float = 0.95,
    progress: Callable[[float], None] | None = None,
) -> FitResult:
    """Fit a memristor model to measured loops.

    The measured circuit (source, series resistor, device) is simulated by the compiled kernel, and
    the mean over the loops of NMSE(v) + NMSE(i) is minimised, where NMSE(y) is the sum of squared
    differences over the sum of squared deviations of the measured y from its mean: first by
    differential evolution (Storn and Price, J. Global Optimization 11, 1997), then by least squares
    from its best members. A model that contains a simpler one (GMMS contains MMS) starts from the
    simpler one's fit instead, so that it is never worse.

    A periodic loop is simulated in its steady state. A single shot begins in a state x_0 that is
    fitted, unless it is held.

    Parameters
    ----------
    loops : Loop or sequence of Loop
        What was measured.
    model : str
        Name in `spicealif.design.MODELS`.
    temperature : float
        Of the device in K; sets kT/q of the models that have it. It is not fitted: tau, v_on and
        v_off make up for it.
    bounds : mapping of str to (float, float), optional
        Search ranges instead of the model's own (`MemristorModel.search_space`).
    held : mapping of str to float, optional
        Parameters that are not fitted. Some models hold parameters by themselves
        (`MemristorModel.held`); bounds set these free.
    per_loop : sequence of str
        Parameters that each loop has its own of; the others are shared.
    seed : int
        Of the search; same seed, same result, bit for bit.
    level : float
        Of the confidence intervals, between 0 and 1.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        If there is no loop, a name is unknown, or a value or bound makes no sense.
    """
    (wall, cpu) = (time.perf_counter(), time.process_time())
    loops = (loops,) if isinstance(loops, Loop) else tuple(loops)
    problem = _Problem.of(loops, model, temperature, bounds, held, per_loop, seed, level)
    tell = progress or (lambda _: None)
    minimum = _minimise(problem, tell)
    (z, steps) = (minimum.z, minimum.steps)
    objective = problem.objective()
    r = objective.residuals(z, steps)
    finer = objective.residuals(z, [h / 2 for h in steps])
    uncertainty = find_uncertainty(objective, z, steps, r)
    tell(1.0)
    loss = float(r @ r)
    loss_error = abs(float(finer @ finer) - loss)
    fitted = [
        _fitted(objective, k, z, steps[k], white) for k, white in enumerate(uncertainty.white)
    ]
    findings = _Findings.of(problem, objective, z, uncertainty)
    return FitResult(
        model=model,
        device=fitted[0].device.replace(x_0=0.0),
        names=problem.names,
        values=findings.values,
        intervals=findings.intervals,
        correlation=findings.correlation,
        held={k: v for k, v in problem.held.items() if k != "x_0" or not problem.all_periodic},
        bounds=np.array([[u.range.low, u.range.high] for u in problem.unknowns]).reshape(-1, 2),
        at_bound=findings.at_bound,
        not_identifiable=findings.not_identifiable,
        level=level,
        temperature=temperature,
        seed=seed,
        loss=loss,
        loss_error=loss_error,
        loops=tuple(fitted),
        warnings=(*_unresolved(loss, loss_error), *findings.warnings(fitted)),
        evaluations=minimum.evaluations + objective.evaluations,
        cpu_s=time.process_time() - cpu,
        wall_s=time.perf_counter() - wall,
    )


@dataclass(frozen=True)
class _Problem:
    """What is to be fitted, checked."""

    loops: tuple[Loop, ...]
    model: type[MemristorModel]
    scale: LoopScale
    thermal_voltage: float
    unknowns: tuple[Unknown, ...]
    held: dict[str, float]
    seed: int
    level: float

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
    ) -> _Problem:
        _check(loops, model, temperature, seed, level)
        scale = scale_of(loops)
        if scale is None:
            raise FitError(
                "Voltage and current of a loop mostly have opposite signs; turn the sign of "
                "one of them."
            )
        kind = MODELS[model]
        space = kind.search_space(scale)
        single_shot = [k for k, loop in enumerate(loops) if loop.period is None]
        known = [*space, "x_0"]
        for name in (*(bounds or {}), *(held or {}), *per_loop):
            if name not in known:
                raise FitError(
                    f"The model {model} has no parameter {ascii(name)}; it has {', '.join(known)}."
                )
        fixed = {**kind.held, **{k: float(v) for k, v in (held or {}).items()}}
        for name, (low, high) in (bounds or {}).items():
            if name in (held or {}):
                raise FitError(f"{name} is held and has bounds; take one of the two away.")
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
            loops, kind, scale, thermal_voltage(temperature), tuple(unknowns), fixed, seed, level
        )
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


def _check(
    loops: tuple[Loop, ...], model: str, temperature: float, seed: int, level: float
) -> None:
    if model not in MODELS:
        raise FitError(
            f"There is no memristor model {ascii(model)}; choose one of {', '.join(MODELS)}."
        )
    if not loops:
        raise FitError("There is no loop to fit; give at least one.")
    if not 0 < level < 1:
        raise FitError(f"The level {level:g} is not between 0 and 1; give, for example, 0.95.")
    if not 1 < temperature < 1000:
        raise FitError(f"The temperature {temperature:g} K is not between 1 and 1000 K.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise FitError(f"The seed {ascii(seed)} is not a whole number of 0 or more.")


def _range(name: str, low: float, high: float, log: bool) -> SearchRange:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise FitError(
            f"The bounds {low:g} and {high:g} of {name} are not a range; give a lower and a "
            "higher finite value, or hold it."
        )
    return SearchRange(low, high, log and low > 0)


@dataclass(frozen=True, eq=False)
class _Minimum:
    """Where the search ended: place and steps; other minima by rising loss; loops simulated."""

    z: _Floats
    steps: list[float]
    minima: list[_Floats]
    evaluations: int


def _minimise(problem: _Problem, tell: Callable[[float], None]) -> _Minimum:
    """Find the minimum."""
    objective = problem.objective()
    simpler = problem.model.simpler
    if simpler is None or not set(MODELS[simpler].model_fields) <= set(problem.model.model_fields):
        starts = _search(problem, objective, lambda part: tell(0.8 * part))
        done = 0.8
    else:
        (starts, done) = (_from_simpler(problem, objective, lambda part: tell(0.3 * part)), 0.3)
    ends = []
    with ThreadPoolExecutor(min(usable_cores(), len(starts))) as pool:
        copies = [objective.copy() for _ in starts]
        for k, end in enumerate(pool.map(_approach, copies, starts)):
            ends.append(end)
            tell(done + (0.9 - done) * (k + 1) / len(starts))
        minima = [z for _, z in sorted(ends, key=lambda end: end[0])]
        best = pool.map(_descend, copies, minima[:_POLISHED])
        (_, z, steps) = min(best, key=lambda end: end[0])
    count = objective.evaluations + sum(copy.evaluations for copy in copies)
    return _Minimum(z, steps, _apart(minima, _MINIMA), count)


def _search(
    problem: _Problem, objective: Objective, tell: Callable[[float], None]
) -> list[_Floats]:
    """Return where differential evolution ends, and the best of places all over the ranges."""
    n = len(problem.unknowns)
    places = qmc.Sobol(n, rng=np.random.default_rng([problem.seed, 2])).random(_SAMPLES)
    starts = _best_apart(objective, places, _STARTS)
    generation = itertools.count(1)

    def step(intermediate_result: OptimizeResult) -> None:
        tell(min(next(generation) / _GENERATIONS, 1.0))

    found = differential_evolution(
        objective.coarse_loss,
        [(0.0, 1.0)] * n,
        rng=np.random.default_rng(problem.seed),
        polish=False,
        init="sobol",
        popsize=max(_POPULATION_EACH, math.ceil(_POPULATION / n)),
        maxiter=_GENERATIONS,
        tol=1e-3,
        callback=step,
    )
    return [np.array(found.x), *starts]


def _from_simpler(
    problem: _Problem, objective: Objective, tell: Callable[[float], None]
) -> list[_Floats]:
    """Return starts around the fit of the model that this one contains."""
    assert problem.model.simpler is not None
    kind = MODELS[problem.model.simpler]
    theirs = kind.search_space(problem.scale)
    fields = set(kind.model_fields)
    unknowns = tuple(
        Unknown(u.name, u.loop, theirs.get(u.name, u.range))
        for u in problem.unknowns
        if u.name in fields
    )
    held = {k: v for k, v in problem.held.items() if k in fields}
    part = _Problem(
        problem.loops, kind, problem.scale, problem.thermal_voltage, unknowns, held, problem.seed,
        problem.level,
    )  # fmt: skip
    minima = [np.empty(0)]
    if unknowns:
        found = _minimise(part, tell)
        objective.evaluations += found.evaluations
        # What is a side minimum there can be the best one here.
        minima = [found.z, *found.minima[1:]]
    simple = part.objective()
    shared = [unknown.name in fields for unknown in problem.unknowns]
    rng = np.random.default_rng([problem.seed, 1])
    starts: list[_Floats] = []
    for z in minima:
        centre = np.empty(len(problem.unknowns))
        for k, unknown in enumerate(problem.unknowns):
            values = simple.values(z, unknown.loop or 0)
            more = problem.model.embed(values, problem.scale, problem.held)
            centre[k] = unknown.place(more[unknown.name])
        if not starts:
            starts.append(centre)  # the simpler model itself
        places = rng.uniform(size=(_SAMPLES // 2, len(centre)))
        near = centre[shared] + _SPREAD * rng.standard_normal((len(places), sum(shared)))
        places[:, shared] = np.clip(near, 0.0, 1.0)
        count = _STARTS_AROUND if len(starts) == 1 else _STARTS_BESIDE
        starts += _best_apart(objective, places, count)
    return starts


def _best_apart(objective: Objective, places: _Floats, count: int) -> list[_Floats]:
    """Return the places of least loss, so many at most, of which no two are close together."""
    losses = [objective.coarse_loss(place) for place in places]
    return _apart([places[k] for k in np.argsort(losses)], count)


def _apart(places: Sequence[_Floats], count: int) -> list[_Floats]:
    """Return the first places, so many at most, that are not close to one before."""
    kept: list[_Floats] = []
    for place in places:
        if len(kept) < count and all(np.abs(place - other).max() > _APART for other in kept):
            kept.append(place)
    return kept


def _approach(objective: Objective, start: _Floats) -> tuple[float, _Floats]:
    """Return loss and place that least squares reach from a start, by a coarse simulation."""
    z = np.clip(start, 1e-9, 1 - 1e-9)
    steps = objective.steps(z, COARSE)
    found = least_squares(
        lambda y: objective.residuals(y, steps, 1e-9),
        z,
        bounds=(0.0, 1.0),
        diff_step=1e-5,
        xtol=1e-5,
        ftol=1e-4,
        max_nfev=40,
    )
    return objective.coarse_loss(found.x), found.x


def _descend(objective: Objective, start: _Floats) -> tuple[float, _Floats, list[float]]:
    """Return loss, place and steps of the minimum that least squares reach from a place."""
    z = np.clip(start, 1e-9, 1 - 1e-9)
    steps = objective.steps(z, FINE)
    best: tuple[float, _Floats, list[float]] = (math.inf, z, steps)
    for _ in range(4):
        # While it runs the grid stays: the objective would jump with it.
        grid = steps
        found = least_squares(
            lambda y: objective.residuals(y, grid),  # noqa: B023 - used at once
            z,
            bounds=(0.0, 1.0),
            diff_step=1e-6,
            xtol=1e-9,
            ftol=1e-10,
            gtol=1e-14,
            max_nfev=60,
        )
        best = (2 * float(found.cost), found.x, steps)
        needed = objective.steps(found.x, FINE)
        if all(new >= old for new, old in zip(needed, steps, strict=True)):
            break
        (steps, z) = (needed, np.clip(found.x, 1e-9, 1 - 1e-9))
    return best


def _fitted(objective: Objective, k: int, z: _Floats, h: float, white: bool) -> FittedLoop:
    """Return a loop and what the device does in its place."""
    (loop, drive) = (objective.loops[k], objective.drives[k])
    (v, i, x) = (np.empty(len(loop.time)) for _ in range(3))
    (v[drive.order], i[drive.order], x[drive.order]) = objective.simulate(z, k, h, 1e-12)
    values = objective.values(z, k)
    device = objective.model(**{**values, "x_0": min(max(float(x[0]), 0.0), 1.0)})

    def nmse(simulated: _Floats, measured: _Floats) -> float:
        deviation = measured - measured.mean()
        return float(np.sum((simulated - measured) ** 2) / np.sum(deviation**2))

    phase = loop.time - loop.time[0]
    v_in = drive.values(phase if loop.period is None else phase % loop.period)
    return FittedLoop(
        loop, device, v, i, x, v_in, nmse(v, loop.v_mem), nmse(i, loop.i), drive.text, white
    )


def _unresolved(loss: float, error: float) -> tuple[str, ...]:
    """Return a warning if the loss is not known to 1 %."""
    if error <= max(0.01 * loss, 1e-9):
        return ()
    return (
        f"The simulation is not resolved: the loss changes by {error:.2g} if its steps are halved. "
        "The device found is far faster than a loop's samples; bound it to slower ones (tau).",
    )


@dataclass(frozen=True, eq=False)
class _Findings:
    """Values, intervals and what there is to warn of."""

    problem: _Problem
    values: _Floats
    intervals: _Floats
    correlation: _Floats
    at_bound: tuple[str, ...]
    not_identifiable: tuple[str, ...]

    @classmethod
    def of(
        cls, problem: _Problem, objective: Objective, z: _Floats, uncertainty: Uncertainty
    ) -> _Findings:
        unknowns = problem.unknowns
        error = np.sqrt(np.maximum(np.diag(uncertainty.covariance), 0.0))
        half = error * student_t.ppf(0.5 + problem.level / 2, uncertainty.freedom)
        values = np.array([u.value(place) for u, place in zip(unknowns, z, strict=True)])
        ends = [
            [u.value(max(place - d, 0.0)), u.value(min(place + d, 1.0))]
            for u, place, d in zip(unknowns, z, half, strict=True)
        ]
        scale = np.where(error > 0, error, 1.0)
        correlation = uncertainty.covariance / np.outer(scale, scale)
        np.fill_diagonal(correlation, 1.0)
        wide = [
            d * (math.log(u.range.high / u.range.low) if u.range.log else 1.0)
            > (_WIDE_LOG if u.range.log else _WIDE)
            for u, d in zip(unknowns, half, strict=True)
        ]
        at_bound = [bool(min(place, 1 - place) < _AT_BOUND) for place in z]
        names = problem.names
        return cls(
            problem,
            values,
            np.array(ends).reshape(-1, 2),
            np.clip(correlation, -1.0, 1.0),
            tuple(n for n, is_so in zip(names, at_bound, strict=True) if is_so),
            tuple(
                n
                for n, is_so, bound in zip(names, wide, at_bound, strict=True)
                if is_so and not bound
            ),
        )

    def warnings(self, loops: Sequence[FittedLoop]) -> tuple[str, ...]:
        """Return sentences on what is not to be relied on."""
        (names, level) = (self.problem.names, self.problem.level)
        out = []
        if self.at_bound:
            out.append(
                f"At a bound of the search range: {', '.join(self.at_bound)}. Widen the bounds or "
                "hold these; their intervals are one-sided and not reliable."
            )
        if self.not_identifiable:
            out.append(
                f"Hardly pinned by the loops: {', '.join(self.not_identifiable)}; see their "
                f"intervals at {level:g}. Hold them, or add a loop with another drive."
            )
        pairs = [
            f"{names[j]} and {names[k]} ({self.correlation[j, k]:.3f})"
            for j, k in itertools.combinations(range(len(names)), 2)
            if abs(self.correlation[j, k]) > _CORRELATED
            and not {names[j], names[k]} & set(self.at_bound)
        ]
        if pairs:
            out.append(
                f"Correlated: {', '.join(pairs)}. The loops pin a combination of the two better "
                "than each; hold one, or add a loop with another amplitude or frequency."
            )
        rough = [fitted.loop.name for fitted in loops if not fitted.white]
        if rough:
            out.append(
                f"More than noise is left in the residuals of {', '.join(rough)}: the model does "
                "not explain the measurement down to its noise. The intervals allow for that, but "
                "say nothing of other drives."
            )
        return tuple(out)

"""The search for the minimum: globally, then by least squares from many places."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, differential_evolution, least_squares
from scipy.stats import qmc

from spicealif._support.cores import usable_cores
from spicealif.design import MODELS
from spicealif.fit._objective import COARSE, FINE, Objective, Unknown
from spicealif.fit._problem import Problem

__all__ = ["Minimum", "minimise"]

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


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where the search ended: place and steps; other minima by rising loss; loops simulated."""

    z: _Floats
    steps: list[float]
    minima: list[_Floats]
    evaluations: int


def minimise(problem: Problem, tell: Callable[[float], None]) -> Minimum:
    """Find the minimum."""
    whole = problem.objective()
    problem = problem.rough()
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
        fine = [whole.copy() for _ in minima[:_POLISHED]]
        best = pool.map(_descend, fine, minima[:_POLISHED])
        (_, z, steps) = min(best, key=lambda end: end[0])
    count = objective.evaluations + sum(copy.evaluations for copy in (*copies, *fine))
    return Minimum(z, steps, _apart(minima, _MINIMA), count)


def _search(problem: Problem, objective: Objective, tell: Callable[[float], None]) -> list[_Floats]:
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
    problem: Problem, objective: Objective, tell: Callable[[float], None]
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
    part = Problem(
        problem.loops, kind, problem.scale, problem.thermal_voltage, unknowns, held, problem.seed,
        problem.level,
    )  # fmt: skip
    minima = [np.empty(0)]
    if unknowns:
        found = minimise(part, tell)
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

"""The search: which adaptations a device can give at a rate, and a design for one of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from spicealif.propose._problem import Point, Problem

__all__ = ["explore", "nearest_rate", "pick"]

#: Steps of the reference that a first look may take, one model at a time and batched.
_BUDGET = {False: 3e7, True: 4e8}
_LEAST, _MOST = 48, 384
#: Looks around the extreme designs: how far, and how many designs at each of the best few.
_ZOOMS = (0.2, 0.1, 0.05, 0.02, 0.01)
_BEST, _AROUND = 6, 8
#: Designs on the line between two that bracket the wish, lines tried, and looks at each.
_ON_LINE, _LINES, _LOOKS = 9, 6, 6

Progress = Callable[[float], None]


def explore(problem: Problem, progress: Progress | None = None) -> list[Point]:
    """Return possible designs all over the cube and at the ends of what can be reached.

    Parameters
    ----------
    problem : Problem
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    list of Point
        Not refused, each with the wanted rate; the extreme adaptations are among them.
    """
    report = progress or (lambda _: None)
    count = int(np.clip(_BUDGET[problem.batched] / problem.steps, _LEAST, _MOST))
    found = _possible(problem, [*_corners(), *_spread(count)])
    rng = np.random.default_rng(1)  # the same wish gets the same answer
    for turn, width in enumerate(_ZOOMS):
        report((turn + 1) / (len(_ZOOMS) + 1))
        if not found:
            break
        ordered = sorted(found, key=lambda p: p.adaptation)
        centres = [*ordered[:_BEST], *ordered[-_BEST:]]
        places = [
            np.clip(centre.u + rng.uniform(-width, width, 3), 0.0, 1.0)
            for centre in centres
            for _ in range(_AROUND if problem.batched else _AROUND // 4)
        ]
        found += _possible(problem, places)
    return found


def pick(problem: Problem, found: Sequence[Point], adaptation: float, tolerance: float) -> Point:
    """Return the design that comes nearest to an adaptation, comfortable ones first.

    Between a design above and one below the wish lies one that meets it; of such pairs the one
    with the least `_strain` is taken, and the line between them is searched.

    Parameters
    ----------
    problem : Problem
    found : sequence of Point
        At least one, from `explore`.
    adaptation : float
        The wish.
    tolerance : float
        Relative.
    """
    best = min(found, key=lambda p: _miss(p, adaptation))
    for pair in _pairs(problem, found, adaptation):
        below, above = pair
        for _ in range(_LOOKS):
            near = min((below, above), key=lambda p: _miss(p, adaptation))
            if _miss(near, adaptation) < tolerance / 4:
                return near
            best = min(best, near, key=lambda p: _miss(p, adaptation))
            steps = np.linspace(0, 1, _ON_LINE + 2)[1:-1]
            line = [below.u + s * (above.u - below.u) for s in steps]
            points = [below, *_possible(problem, line), above]
            bracket = next(
                (a, b)
                for a, b in itertools.pairwise(points)
                if a.adaptation <= adaptation <= b.adaptation
            )
            if bracket == (below, above):
                break  # nothing between them is possible
            below, above = bracket
        best = min(best, below, above, key=lambda p: _miss(p, adaptation))
        if _miss(best, adaptation) < tolerance / 2:
            break
    return best


def nearest_rate(problem: Problem) -> tuple[float, float]:
    """Return the lowest and highest initial rate in Hz that C's limits allow, by charging times.

    An estimate: the state is held where it starts. (inf, 0) if no current is allowed.
    """
    low, high = math.inf, 0.0
    for u in [*_corners(), *_spread(_MOST)]:
        p = problem.place(u)
        if not p.refused and math.isfinite(p.c) and p.c > 0:
            unit = 1 / (p.c * problem.rate)
            low = min(low, 1 / (unit * problem.limits.c_max))
            high = max(high, 1 / (unit * problem.c_min(p.v_th)))
    return low, high


def _possible(problem: Problem, places: Sequence[np.ndarray]) -> list[Point]:
    return [p for p in problem.try_out(places) if not p.refused and math.isfinite(p.adaptation)]


def _miss(p: Point, adaptation: float) -> float:
    return abs(math.log(p.adaptation / adaptation))


def _strain(p: Point, problem: Problem) -> float:
    """Return how far a design is from comfortable: current, r_s, threshold of ordinary size."""
    r_1 = problem.device.r_min(p.v_th) + 1e-300
    leak = p.v_th / r_1
    return (
        math.log(max(p.i_peak / leak, 1e-3) / 2) ** 2
        + (p.r_s / r_1 / 2) ** 2
        + 2 * math.log(p.v_th / 0.4) ** 2
    )


def _pairs(
    problem: Problem, found: Sequence[Point], adaptation: float
) -> list[tuple[Point, Point]]:
    strain = {id(p): _strain(p, problem) for p in found}
    by_strain = sorted(found, key=lambda p: strain[id(p)])
    below = [p for p in by_strain if p.adaptation <= adaptation][:64]
    above = [p for p in by_strain if p.adaptation >= adaptation][:64]
    cost = {
        (a, b): strain[id(a)] + strain[id(b)] + 4 * float(np.sum((a.u - b.u) ** 2))
        for a in below
        for b in above
    }
    return sorted(cost, key=lambda pair: cost[pair])[:_LINES]


def _corners() -> list[np.ndarray]:
    return [np.array(u, dtype=float) for u in itertools.product((0, 0.5, 1), repeat=3)]


def _spread(count: int) -> list[np.ndarray]:
    """Return places spread evenly over the cube (Roberts' additive recurrence R3)."""
    root = 1.2207440846057596  # of z^4 = z + 1
    steps = np.array([1 / root, 1 / root**2, 1 / root**3])
    return list((0.5 + np.outer(np.arange(1, count + 1), steps)) % 1.0)

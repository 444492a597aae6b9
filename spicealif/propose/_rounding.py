"""Preferred values: r_s and C rounded, threshold and current trimmed to the wish again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from spicealif.design import nearest_in_series
from spicealif.propose._problem import Point, Problem

__all__ = ["rounded"]

_ROUNDS = 8
#: Relative difference for slopes.
_DELTA = 1e-3


def rounded(problem: Problem, point: Point, series: str) -> tuple[Point, Problem]:
    """Return a design with preferred values, and the problem with rounded hysteresis resistors.

    Parameters
    ----------
    problem : Problem
    point : Point
    series : {"E24", "E96"}
        For the resistors; capacitors are made in E24 at most.
    """
    problem = replace(problem, base=problem.base.replace({"hysteresis.series": series}))
    r_s = nearest_in_series(point.r_s, series) if point.r_s > 0 else 0.0  # type: ignore[arg-type]
    wish = np.log([problem.rate, point.adaptation])
    best = problem.run([replace(point, r_s=r_s, c=nearest_in_series(point.c, "E24"))])[0]
    free = ["v_th"] if problem.i_peak is not None else ["v_th", "i_peak"]
    for _ in range(_ROUNDS):
        # Newton's step in the logarithms, from differences; only the rate if the current is given.
        near = [replace(best, **{name: getattr(best, name) * (1 + _DELTA)}) for name in free]
        tried = problem.run(near)
        slopes = np.array([(_figures(p) - _figures(best)) / _DELTA for p in tried]).T[: len(free)]
        miss = (wish - _figures(best))[: len(free)]
        if not np.isfinite(slopes).all() or not np.abs(miss).max() > 1e-4:
            break
        step = np.clip(np.linalg.lstsq(slopes, miss)[0], -0.2, 0.2)
        better = False
        for part in (1.0, 0.5, 0.2):
            moved = replace(best, **_moved(best, free, part * step))
            moved = _kept(problem, moved)
            after = problem.run([moved])[0]
            gap = np.abs((wish - _figures(after))[: len(free)]).max()
            if gap < np.abs(miss).max() and not after.refused:
                best, better = after, True
                break
        if not better:
            break
    return best, problem


def _moved(point: Point, names: list[str], step: np.ndarray) -> dict[str, Any]:
    return {
        name: float(getattr(point, name) * math.exp(s)) for name, s in zip(names, step, strict=True)
    }


def _kept(problem: Problem, point: Point) -> Point:
    """Return a point with v_th and current within the limits."""
    limits, branch = problem.limits, problem.branch
    v_th = min(max(point.v_th, limits.v_min), limits.v_max)
    leak = branch.current(v_th, branch.largest_state(v_th))
    i_peak = point.i_peak
    if problem.i_peak is None:
        i_peak = min(max(i_peak, limits.margin * leak), limits.i_max)
    return replace(point, v_th=v_th, i_peak=i_peak)


def _figures(point: Point) -> np.ndarray:
    return np.log([point.rate, point.adaptation])

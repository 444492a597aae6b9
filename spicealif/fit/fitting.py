"""Identification of a memristor model from measured loops."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from spicealif.errors import FitError
from spicealif.fit._objective import Objective
from spicealif.fit._problem import Problem
from spicealif.fit._search import minimise
from spicealif.fit._uncertainty import Uncertainty, find_uncertainty
from spicealif.fit.loop import Loop
from spicealif.fit.result import FitResult, FittedLoop
from spicealif.quantities.grammar import quantity_of

__all__ = ["fit_device"]

_Floats = npt.NDArray[np.float64]
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
    temperature: float | str = 298.5,
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

    A loop of more than 1200 samples is fitted as means of neighbouring ones (all periods laid upon
    each other), short where the signals change fast, each counting as many times as it
    has samples; the result's loops hold the means and say so in their notes.

    Before the search the loops are asked whether they can be what they are said to be: columns
    exchanged, signs turned, magnitudes in place of values, units a thousand times off, a frequency
    that the drive does not have, one record given twice. What cannot be is refused, what is
    unlikely is in the result's warnings.

    Parameters
    ----------
    loops : Loop or sequence of Loop
        What was measured.
    model : str
        Name in `spicealif.design.MODELS`.
    temperature : float or str
        Of the device, in K or as ``"25 degC"``; sets kT/q of the models that have it. It is not
        fitted: tau, v_on and v_off make up for it.
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
        If there is no loop, a name is unknown, a value or bound makes no sense, or a loop cannot
        be that of a device behind its resistor.
    """
    (wall, cpu) = (time.perf_counter(), time.process_time())
    loops = (loops,) if isinstance(loops, Loop) else tuple(loops)
    kelvin = quantity_of("The temperature", temperature, "K", FitError)
    problem = Problem.of(loops, model, kelvin, bounds, held, per_loop, seed, level)
    tell = progress or (lambda _: None)
    minimum = minimise(problem, tell)
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
        temperature=kelvin,
        seed=seed,
        loss=loss,
        loss_error=loss_error,
        loops=tuple(fitted),
        warnings=(
            *problem.warnings,
            *_undescribed(fitted),
            *_unresolved(loss, loss_error),
            *findings.warnings(fitted),
        ),
        evaluations=minimum.evaluations + objective.evaluations,
        cpu_s=time.process_time() - cpu,
        wall_s=time.perf_counter() - wall,
    )


def _fitted(objective: Objective, k: int, z: _Floats, h: float, white: bool) -> FittedLoop:
    """Return a loop and what the device does in its place."""
    (loop, drive) = (objective.loops[k], objective.drives[k])
    (v, i, x) = (np.empty(len(loop.time)) for _ in range(3))
    (v[drive.order], i[drive.order], x[drive.order]) = objective.simulate(z, k, h, 1e-12)
    values = objective.values(z, k)
    device = objective.model(**{**values, "x_0": min(max(float(x[0]), 0.0), 1.0)})

    counts = np.ones(len(loop.time)) if loop.counts is None else loop.counts

    def nmse(simulated: _Floats, measured: _Floats) -> float:
        deviation = measured - np.average(measured, weights=counts)
        return float(np.sum(counts * (simulated - measured) ** 2) / np.sum(counts * deviation**2))

    phase = loop.time - loop.time[0]
    v_in = drive.values(phase if loop.period is None else phase % loop.period)
    return FittedLoop(
        loop, device, v, i, x, v_in, nmse(v, loop.v_mem), nmse(i, loop.i), drive.text, white
    )


def _undescribed(loops: Sequence[FittedLoop]) -> tuple[str, ...]:
    """Return a warning for each loop that the device does not describe."""
    return tuple(
        f"The device does not describe {fitted.loop.name}: its loss is "
        f"{fitted.nmse_v + fitted.nmse_i:.2g}, where a constant voltage and current have 2. "
        "Probably the columns, their signs or units, the drive's frequency, the model or what was "
        "held or bounded is not that loop's; see the traces (--figures)."
        for fitted in loops
        if not fitted.described
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

    problem: Problem
    values: _Floats
    intervals: _Floats
    correlation: _Floats
    at_bound: tuple[str, ...]
    not_identifiable: tuple[str, ...]

    @classmethod
    def of(
        cls, problem: Problem, objective: Objective, z: _Floats, uncertainty: Uncertainty
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

"""The numerical error of a circuit's run, from the circuit's own differential equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spicealif._support.text import continued, counted, shown
from spicealif.circuit.judged import solve_twice, spike_movement
from spicealif.design import Neuron
from spicealif.errors import CompareError, IntegrationError
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import MEASURES, measure
from spicealif.measures.span import SAME
from spicealif.measures.tables import figure
from spicealif.waveforms import Waveforms

__all__ = [
    "Attempt",
    "CircuitCheck",
    "check_by_finer",
    "check_circuit",
    "solve_judges",
    "with_check",
]

#: The judges' relative tolerances: a figure's own error is what it changes by between the two. A
#: peak converges more slowly than spike times, and 1e-7, which is enough for these, is not for it.
_JUDGES = (1e-8, 1e-9)
#: No figure of theirs is made of what lies between samples: peaks are kept, energies integrated.
_JUDGES_KEEP = 5e-2
#: What they are at most of the tolerance of a run by the same equations, and the least of all:
#: below it rounding decides, and steps become a hundred times as many.
_FINER, _TIGHTEST = (0.1, 0.01), 1e-11


@dataclass(frozen=True)
class Attempt:
    """A run on the way to the accuracy that was asked for.

    Attributes
    ----------
    reltol : float
        SPICE's relative tolerance.
    error : float
        How far a spike may be off in s: its distance from the equations' and their own error. NaN
        if the counts differ.
    """

    reltol: float
    error: float


@dataclass(frozen=True, eq=False)
class CircuitCheck:
    """What a run of the circuit is off by.

    Attributes
    ----------
    errors : dict of str to float
        Of each figure of `measure` that is a number, the run's minus the equations'; NaN where one
        has none.
    own_errors : dict of str to float
        What the equations' own figures change by with a tenth of their tolerance.
    worst, median : float
        Of the spike times' distances from those of the equations, in s; NaN if there are not as
        many.
    own_error : float
        Of the equations' spike times in s, likewise; NaN if their number changes.
    spikes : tuple of int
        Of the run and of the equations.
    trouble : str
        Why nothing is known, a sentence without its full stop; empty if it is.
    sure : bool
        Whether the run says itself which design it is of. A raw file does not.
    accuracy : float
        The error of a spike time in s that was asked for; NaN if none was.
    attempts : tuple of Attempt
        The runs that were made for it; the last is this one.
    finer : str
        Where the circuit has no equations, what stands in their place: a second run of the same
        simulator, and how it is finer. `worst` and `errors` are then against that run, whose own
        error is not known.
    why : str
        Why it has none, without a full stop.
    """

    errors: dict[str, float]
    own_errors: dict[str, float]
    worst: float = math.nan
    median: float = math.nan
    own_error: float = math.nan
    spikes: tuple[int, int] = (0, 0)
    trouble: str = ""
    sure: bool = True
    accuracy: float = math.nan
    attempts: tuple[Attempt, ...] = ()
    finer: str = ""
    why: str = ""

    def note(self, label: str) -> str:
        """Return the sentence below a table in which the run is called `label`."""
        if self.trouble:
            return f"The numerical error of {label} is not known: {self.trouble}."
        if self.finer:
            return self._note_of_levels(label)
        if self.spikes[0] != self.spikes[1]:
            return (
                f"Do not rely on {label}: it has {self.spikes[0]} spikes where the circuit's own "
                f"differential equations have {self.spikes[1]}. "
                + (
                    f"{self._remedy()} 'spicealif verify'; with a model of your own, see whether "
                    "its class and its template say the same."
                    if self.sure
                    else "The file does not say which design it is of; see whether it is this one."
                )
            )
        if not self.spikes[0]:
            return (
                f"Numerical error of {label}: in the table, against the circuit's own "
                "differential equations; neither has a spike."
            )
        own = "not resolved" if math.isnan(self.own_error) else figure(self.own_error, "s")
        return (
            f"Numerical error of {label}, against the circuit's own differential equations: spike "
            f"times within {figure(self.worst, 's')} (median {figure(self.median, 's')}; the "
            f"equations' own error is {own}); the figures as in the table, own error included."
            + self._reached()
            + ("" if self.sure else " All of it holds if the file is of this very design.")
        )

    def _note_of_levels(self, label: str) -> str:
        """Return the sentence on a run that was judged by a finer one."""
        (here, there) = self.spikes
        since = f"There are no equations to judge {label} by, since {self.why}."
        if here != there:
            return (
                f"Do not rely on {label}: it has {here} spikes, and a second run in SPICE with "
                f"{self.finer} has {there}. Lower numerics.reltol or numerics.t_step_max. {since}"
            )
        times = "neither has a spike"
        if here:
            times = (
                f"spike times within {figure(self.worst, 's')} (median {figure(self.median, 's')})"
            )
        return (
            f"Numerical error of {label}, against a second run in SPICE with {self.finer}: "
            f"{times}; the figures as in the table. {since} What both have wrong does not show."
        )

    @property
    def reached(self) -> bool | None:
        """Whether the run is as accurate as was asked for; None if nothing was."""
        return self.attempts[-1].error <= self.accuracy if self.attempts else None

    def _remedy(self) -> str:
        if not self.attempts:
            return "Lower numerics.reltol, or see"
        tried = " and ".join(f"{a.reltol:g}" for a in self.attempts)
        return f"A reltol of {tried} did not change that; see"

    def _reached(self) -> str:
        """Return what is said of the accuracy that was asked for."""
        if not self.attempts:
            return ""
        last, runs = self.attempts[-1], counted(len(self.attempts), "run")
        asked = f"{figure(self.accuracy, 's')} (numerics.accuracy)"
        if self.reached:
            return f" Asked for were {asked}, reached in {runs}, with reltol {last.reltol:g}."
        return (
            f" Asked for were {asked}, which {runs} did not reach, the last with reltol "
            f"{last.reltol:g}: ask for less, or look at what makes this neuron so sensitive "
            "('spicealif run --certify')."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes for JSON; NaN becomes None."""

        def plain(value: float) -> float | None:
            return None if math.isnan(value) else value

        return {
            "spike_time_worst": plain(self.worst),
            "spike_time_median": plain(self.median),
            "equations_spike_time_error": plain(self.own_error),
            "spikes": list(self.spikes),
            "accuracy_asked_for": plain(self.accuracy),
            "attempts": [{"reltol": a.reltol, "error": plain(a.error)} for a in self.attempts],
            "figures": {name: plain(value) for name, value in self.errors.items()},
            "equations_figures": {name: plain(v) for name, v in self.own_errors.items()},
            "trouble": self.trouble,
            **({"finer_run": self.finer, "no_equations": self.why} if self.finer else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CircuitCheck:
        """Return a check from what `to_dict` gave, as ``comparison.json`` holds it.

        Raises
        ------
        CompareError
            If it is not such a dictionary.
        """

        def number(value: Any) -> float:
            return math.nan if value is None else float(value)

        try:
            return cls(
                errors={str(k): number(v) for k, v in data["figures"].items()},
                own_errors={str(k): number(v) for k, v in data["equations_figures"].items()},
                worst=number(data["spike_time_worst"]),
                median=number(data["spike_time_median"]),
                own_error=number(data["equations_spike_time_error"]),
                spikes=(int(data["spikes"][0]), int(data["spikes"][1])),
                trouble=str(data["trouble"]),
                accuracy=number(data["accuracy_asked_for"]),
                attempts=tuple(
                    Attempt(float(a["reltol"]), number(a["error"])) for a in data["attempts"]
                ),
                finer=str(data.get("finer_run", "")),
                why=str(data.get("no_equations", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise CompareError(
                f"The numerical error of a saved comparison cannot be read ({type(error).__name__}:"
                f" {shown(error, 60)}); run it again."
            ) from None


def check_circuit(
    waveforms: Waveforms,
    neuron: Neuron,
    *,
    judges: tuple[Waveforms, Waveforms] | IntegrationError | None = None,
    attempts: tuple[Attempt, ...] = (),
    progress: Callable[[float], None] | None = None,
) -> CircuitCheck:
    """Compare a whole run of a neuron's circuit with the circuit's differential equations.

    Parameters
    ----------
    waveforms : Waveforms
        Of a simulator that ran our netlist, or of the equations themselves, which are then solved
        with a tenth and a hundredth of their tolerance.
    neuron : Neuron
        What they are of.
    judges : tuple of Waveforms or IntegrationError, optional
        Of `solve_judges`, if it was called already, or what it raised.
    attempts : tuple of Attempt
        What `run_accurately` made, if it made the run.
    progress : callable, optional
        Called with the fraction done of each solution; it may raise to end the work.

    Returns
    -------
    CircuitCheck
        With `trouble` where the equations cannot be solved; nothing is raised for it.
    """
    try:
        if isinstance(judges, IntegrationError):
            raise judges
        if judges is None:
            own_rtol = waveforms.attrs.get("rtol")
            rtol = float(own_rtol) if isinstance(own_rtol, int | float) else None
            judges = solve_judges(neuron, rtol, progress)
    except IntegrationError as error:
        return CircuitCheck({}, {}, trouble=continued(str(error).rstrip(".")))
    (loose, equations) = judges
    of = [measure(w, neuron) for w in (waveforms, equations, loose)]
    names = [n for n, info in MEASURES.items() if not info.pair and np.ndim(of[0][n]) == 0]
    errors = {n: float(of[0][n]) - float(of[1][n]) for n in names}
    own_errors = {n: abs(float(of[1][n]) - float(of[2][n])) for n in names}
    counts = (len(waveforms.t_spike), len(equations.t_spike))
    own = spike_movement(loose, equations)
    known: dict[str, Any] = {
        "own_error": own,
        "spikes": counts,
        "sure": "design_digest" in waveforms.attrs,
        "accuracy": neuron.numerics.accuracy if attempts else math.nan,
        "attempts": attempts,
    }
    if counts[0] != counts[1] or not counts[0]:
        return CircuitCheck(errors, own_errors, **known)
    apart = np.abs(waveforms.t_spike - equations.t_spike)
    worst, median = float(apart.max()), float(np.median(apart))
    return CircuitCheck(errors, own_errors, worst, median, **known)


def check_by_finer(
    waveforms: Waveforms, fine: Waveforms, neuron: Neuron, finer: str
) -> CircuitCheck:
    """Compare a whole run of a circuit that has no equations with a finer run of it.

    Parameters
    ----------
    waveforms, fine : Waveforms
    neuron : Neuron
        What the first is of.
    finer : str
        In what the second is finer, in the middle of a sentence.

    Returns
    -------
    CircuitCheck
        With `finer`.
    """
    of = [measure(w, neuron) for w in (waveforms, fine)]
    names = [n for n, info in MEASURES.items() if not info.pair and np.ndim(of[0][n]) == 0]
    errors = {n: float(of[0][n]) - float(of[1][n]) for n in names}
    counts = (len(waveforms.t_spike), len(fine.t_spike))
    known: dict[str, Any] = {"spikes": counts, "finer": finer, "why": neuron.no_equations}
    if counts[0] == counts[1] > 0:
        apart = np.abs(waveforms.t_spike - fine.t_spike)
        known |= {"worst": float(apart.max()), "median": float(np.median(apart))}
    return CircuitCheck(errors, dict.fromkeys(names, 0.0), **known)


def solve_judges(
    neuron: Neuron,
    rtol: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Waveforms, Waveforms]:
    """Solve the circuit's equations at the two tolerances that a run is judged by.

    Parameters
    ----------
    neuron : Neuron
    rtol : float, optional
        Of a run by the equations themselves.
    progress : callable, optional
        As in `check_circuit`.

    Returns
    -------
    tuple of Waveforms
        The looser solution and the tighter one.

    Raises
    ------
    IntegrationError
        As `solve_circuit`, or if there are no two tolerances below that of the run.
    """
    tolerances = _JUDGES
    if rtol is not None:
        tolerances = min(_FINER[0] * rtol, _JUDGES[0]), min(_FINER[1] * rtol, _JUDGES[1])
        if not min(tolerances) >= _TIGHTEST * (1 - 1e-9):
            raise IntegrationError(
                f"The run has a relative tolerance of {rtol:g} itself, and below {_TIGHTEST:g} "
                "rounding decides; take a numerics.reltol of 1e-10 or more."
            )
    return solve_twice(neuron, tolerances, progress=progress, interpolation_error=_JUDGES_KEEP)


def with_check(
    comparison: Comparison, *, progress: Callable[[float], None] | None = None
) -> Comparison:
    """Return a comparison with the numerical error of the side that is a circuit of ours.

    Parameters
    ----------
    comparison : Comparison
    progress : callable, optional
        As in `check_circuit`.

    Returns
    -------
    Comparison
        The same if no side is one, or what there is of it is not the neuron's whole run.
    """
    neuron = comparison.neuron
    for side, waveforms in enumerate((comparison.a, comparison.b)):
        ours = waveforms.attrs.get("side") == "circuit" and not waveforms.attrs.get("foreign")
        # Cut to what both have in common it would be compared with another run.
        whole = all(
            begin <= SAME * neuron.t_stop and end >= neuron.t_stop * (1 - SAME)
            for begin, end in comparison.spans
        )
        same = waveforms.attrs.get("design_digest", neuron.digest) == neuron.digest
        if ours and whole and same:
            check = check_circuit(waveforms, neuron, progress=progress)
            return replace(comparison, check=check, checked=side)
        if ours and same and not whole:
            begin, end = comparison.spans[side]
            trouble = (
                f"there are {figure(begin, 's')} to {figure(end, 's')} of it, and the neuron runs "
                f"for {figure(neuron.t_stop, 's')}; name the neuron with what was changed for the "
                "run (--set t_stop=...)"
            )
            return replace(comparison, check=CircuitCheck({}, {}, trouble=trouble), checked=side)
    return comparison

"""How certain a network's result is: each side at two levels, and whether errors multiply."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from spicealif._support.drawn import Drawn
from spicealif.errors import CompareError
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure
from spicealif.network.circuit import DEFAULT_T_TOL, NetworkSolution, solve_network
from spicealif.network.comparison import TOLERANCE, NetworkComparison, compare_networks
from spicealif.network.description import Network
from spicealif.network.expanded import Expanded, expand
from spicealif.network.measures import (
    NETWORK_MEASURES,
    NetworkMeasures,
    check_tau,
    common_tau,
    measure_network,
    trains_of,
)
from spicealif.network.reference import NetworkReference, solve_network_reference
from spicealif.network.refinement import CERTAIN, SideError, side_error

__all__ = ["FINER_RTOL", "FINER_T_TOL", "NetworkCertificate", "certify_network"]

#: What the tolerances of the finer level are divided by, and their least. Measured with the preset
#: pair (0.4 ms) against rtol 1e-9 and t_tol 3e-11 s: at 1e-6 and 1e-9 s spike times are off by
#: 2.1 ns, and by 1.1 ns at 1e-7 and 1e-10 s whatever rtol; at 1e-7 and 3e-11 s by 0.02 ns.
FINER_RTOL, FINER_T_TOL = 10.0, 10.0
_LEAST_RTOL = 1e-11


@dataclass(frozen=True, eq=False, repr=False)
class NetworkCertificate(ShownInNotebooks, Drawn):
    """Results of a network with their numerical errors.

    The error of a figure is what it changes by when its side alone is refined. It is an estimate,
    not a bound, and it cannot find a mistake that both levels share.

    Attributes
    ----------
    solution, fine : NetworkSolution
        The circuit at the level asked for and at a finer one.
    reference, fine_reference : NetworkReference or None
        With the step and half of it.
    measures : NetworkMeasures
        Of `solution`.
    circuit_error, reference_error : SideError or None
    comparison : NetworkComparison or None
        Of `solution` against `reference`, with these errors and verdicts.
    certain : float
        The part of the mean interval beyond which a spike time is not certain.
    """

    solution: NetworkSolution
    fine: NetworkSolution
    reference: NetworkReference | None
    fine_reference: NetworkReference | None
    measures: NetworkMeasures
    circuit_error: SideError
    reference_error: SideError | None
    comparison: NetworkComparison | None
    certain: float

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("of", f"'{self.solution.expanded.network.name}'"),
            ("spike times within", figure(self.circuit_error.spike_times, "s")),
            ("multiplies errors", "yes" if self.circuit_error.growth.multiplies else "no"),
        ]

    @property
    def sides(self) -> list[tuple[str, SideError]]:
        """The sides that have an error, by their names."""
        both = (("circuit", self.circuit_error), ("reference", self.reference_error))
        return [(name, error) for name, error in both if error is not None]

    @property
    def notes(self) -> list[str]:
        """What the errors mean."""
        notes = []
        for name, error in self.sides:
            notes.append(f"The {name}: {error.level}, refined to {error.fine_level}.")
            lost = int(error.counts_differ.sum())
            if lost:
                notes.append(
                    f"The {name} has other numbers of spikes of {lost} of "
                    f"{len(error.counts_differ)} neurons at its finer level."
                )
            notes.append(f"The {name}: {error.growth.sentence}")
            if not error.certain:
                notes.append(
                    f"The {name}'s spike times are certain to {self.certain:.0%} of the mean "
                    f"interval until {figure(error.certain_until, 's')} only, of "
                    f"{figure(error.t_stop, 's')}; what is measured beyond is one of many possible "
                    "runs."
                )
        notes.append(
            "The iteration's own error is what the last sweep still changed; how it adds up is in "
            "the error of the spike times."
        )
        return notes

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table of errors as texts."""
        sides = self.sides
        rows = [
            ("spike times (worst)", "", *(figure(e.spike_times, "s") for _, e in sides)),
            (
                "iteration",
                "",
                *(figure(e.iteration, "s") if e.iteration else "-" for _, e in sides),
            ),
        ]
        for name, info in NETWORK_MEASURES.items():
            if math.isnan(self.measures.of_network[name]):
                continue
            rows.append(
                (
                    info.label, figure(self.measures.of_network[name], info.unit),
                    *(figure(e.of_network[name], info.unit) for _, e in sides),
                )
            )  # fmt: skip
        return rows

    def table(self, *, all: bool = False) -> str:
        """Return the errors as text, and the comparison if there is one.

        Parameters
        ----------
        all : bool
            Whether to list all neurons of the comparison.
        """
        own = "\n".join(page.text() for page in self._errors())
        return own if self.comparison is None else f"{own}\n\n{self.comparison.table(all=all)}"

    def _errors(self) -> list[Page]:
        head = ("", "circuit", *(f"error of the {name}" for name, _ in self.sides))
        return [Page(((head, self.rows()),), self.notes)]

    def _pages(self) -> list[Page]:
        return [*self._errors(), *([] if self.comparison is None else self.comparison._pages())]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as nested dictionaries of plain numbers and lists, for JSON."""
        return {
            "network": self.solution.expanded.network.name,
            "network_digest": self.solution.expanded.network.digest,
            "certain": self.certain,
            "measures": self.measures.to_dict(),
            "circuit_error": self.circuit_error.to_dict(),
            "reference_error": (
                None if self.reference_error is None else self.reference_error.to_dict()
            ),
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "notes": self.notes,
        }


def certify_network(
    network: Network | Expanded,
    *,
    rtol: float = 1e-6,
    t_tol: float = DEFAULT_T_TOL,
    reference: bool = True,
    variant: Literal["ideal", "schmitt"] = "schmitt",
    h: float | None = None,
    keep: Literal["all"] | Collection[int] = (),
    tolerance: float = TOLERANCE,
    certain: float = CERTAIN,
    tau: float | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkCertificate:
    """Solve a network at two levels of each side, and tell the errors.

    Parameters
    ----------
    network : Network or Expanded
    rtol, t_tol : float
        Of the circuit, see `solve_network`. The finer level has a tenth and a thirtieth of them.
    reference : bool
        Whether the reference is solved as well, with its step and half of it.
    variant : {"ideal", "schmitt"}
        Of the reference; ``ideal`` needs delays, which no circuit has.
    h : float, optional
        Of the reference; its default if not given.
    keep : "all" or collection of int
        Neurons whose traces `solution` keeps.
    tolerance : float
        See `compare_networks`.
    certain : float
        The part of the mean interval beyond which a spike time is not certain.
    tau : float, optional
        See `compare_networks`.
    workers : int, optional
        Threads.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    NetworkCertificate

    Raises
    ------
    CompareError
        If `certain` or the tolerance makes no sense.
    IntegrationError
        If a side cannot be solved.

    Examples
    --------
    >>> certificate = certify_network(load_network_preset("pair").replace(t_stop="0.1m"))
    >>> certificate.circuit_error.spike_times < 20e-9
    True
    """
    if not 0 < certain < 1:
        raise CompareError(
            f"certain is {certain:g}, and it is a part of the mean interval; give a number between "
            "0 and 1, such as 0.02."
        )
    if not 0 <= tolerance < 1:
        raise CompareError(
            f"The tolerance is {tolerance:g}; give a number from 0 to below 1, such as 1e-3."
        )
    check_tau(tau)
    expanded = network if isinstance(network, Expanded) else expand(network)

    def part(begin: float, end: float) -> Callable[[float], None] | None:
        return None if progress is None else lambda f: progress(begin + f * (end - begin))

    fine_rtol, fine_t_tol = max(rtol / FINER_RTOL, _LEAST_RTOL), t_tol / FINER_T_TOL
    solution = solve_network(
        expanded, rtol=rtol, t_tol=t_tol, keep=keep, workers=workers, progress=part(0.0, 0.25)
    )
    fine = solve_network(
        expanded, rtol=fine_rtol, t_tol=fine_t_tol, workers=workers, progress=part(0.25, 0.9)
    )
    levels = (
        f"rtol {rtol:.3g}, t_tol {figure(t_tol, 's')}",
        f"rtol {fine_rtol:.3g}, t_tol {figure(fine_t_tol, 's')}",
    )

    def of_circuit(tau: float) -> tuple[NetworkMeasures, SideError]:
        measures, finer = (measure_network(side, tau=tau) for side in (solution, fine))
        return measures, side_error(measures, finer, levels, solution.iteration_error, certain)

    if not reference:
        measures, error = of_circuit(common_tau(trains_of(solution)) if tau is None else tau)
        return NetworkCertificate(solution, fine, None, None, measures, error, None, None, certain)
    coarse = solve_network_reference(
        expanded, variant=variant, h=h, workers=workers, progress=part(0.9, 0.93)
    )
    half = solve_network_reference(
        expanded, variant=variant, h=coarse.h / 2, workers=workers, progress=part(0.93, 1.0)
    )
    tau = common_tau(trains_of(coarse), trains_of(solution)) if tau is None else tau
    measures, error = of_circuit(tau)
    of_half = side_error(
        measure_network(coarse, tau=tau), measure_network(half, tau=tau),
        (f"h {figure(coarse.h, 's')}", f"h {figure(half.h, 's')}"), certain=certain,
    )  # fmt: skip
    compared = compare_networks(
        solution, coarse, errors=(error, of_half), tolerance=tolerance, tau=tau
    )
    return NetworkCertificate(
        solution, fine, coarse, half, measures, error, of_half, compared, certain
    )

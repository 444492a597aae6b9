"""The whole job for a network: both sides, measured and compared, written into a folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spicealif._support.described import Described
from spicealif._support.files import make_folder, write_text
from spicealif._support.folders import exchanging
from spicealif._support.kept import stamp_of
from spicealif._support.kinds import NETWORK_RUN_FILES
from spicealif._support.origin import origin
from spicealif._support.text import counted
from spicealif.design.needs import Needs, check_needs
from spicealif.errors import IntegrationError
from spicealif.network.certificate import NetworkCertificate, certify_network
from spicealif.network.choices import SIDES, Side, check_sides, chosen_variant, kept_neurons
from spicealif.network.circuit import DEFAULT_T_TOL, NetworkSolution, solve_network
from spicealif.network.comparison import NetworkComparison, compare_networks
from spicealif.network.description import Network
from spicealif.network.estimate import estimate_network
from spicealif.network.expanded import Expanded, expand
from spicealif.network.measures import (
    NetworkMeasures,
    check_tau,
    common_tau,
    measure_network,
    trains_of,
)
from spicealif.network.reference import NetworkReference, solve_network_reference
from spicealif.network.saved import save_reference, save_solution
from spicealif.network.store import save_network
from spicealif.reference import Variant

__all__ = ["PROVENANCE", "NetworkRun", "measured_run", "run_network"]

#: Where a run of a folder says what its files are.
PROVENANCE = "provenance.json"
#: Share of a run of both sides that the circuit's is, where nothing is known.
_MOST = 0.9


@dataclass(frozen=True, eq=False, repr=False)
class NetworkRun(Described):
    """Both sides of a network, and what was made of them.

    Attributes
    ----------
    network : Network
    solution : NetworkSolution or None
        The circuit side, by its equations; None if it was not asked for.
    reference : NetworkReference or None
    measures : mapping of str to NetworkMeasures
        Of each side, by ``"circuit"`` and ``"reference"``.
    comparison : NetworkComparison or None
        Of the circuit with the reference, where there are both.
    certificate : NetworkCertificate, mapping or None
        If it was asked for; of a run that was loaded what its file says.
    cost : mapping of str to float
        Seconds of CPU of each side.
    tau : float or None
        Time constant in s of synchrony and van Rossum distance, where one was given.
    made : mapping
        Where and when it was computed; of a run that was loaded, what its folder says.
    """

    network: Network
    solution: NetworkSolution | None = None
    reference: NetworkReference | None = None
    measures: Mapping[str, NetworkMeasures] = field(default_factory=dict)
    comparison: NetworkComparison | None = None
    certificate: NetworkCertificate | Mapping[str, Any] | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=origin)
    tau: float | None = None

    @property
    def expanded(self) -> Expanded:
        """All neurons and synapses."""
        return self.solution.expanded if self.solution is not None else expand(self.network)

    def _facts(self) -> list[tuple[str, str]]:
        both = {"circuit": self.solution, "reference": self.reference}
        told = [
            (f"{name} has", counted(sum(map(len, side.t_spike)), "spike"))
            for name, side in both.items()
            if side is not None
        ]
        return [("of", f"'{self.network.name}'"),
                ("", counted(self.network.n_neurons, "neuron")), *told]  # fmt: skip

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write network, spikes, kept traces, measures and comparison into a folder.

        Parameters
        ----------
        folder : path-like
            Created if need be; files of the same names are replaced, and those of an earlier run
            that this one does not have are removed: all at once, when all are there.

        Returns
        -------
        list of Path
            The files written. ``provenance.json`` holds each one's size and SHA-256.

        Raises
        ------
        OutputError
            If something cannot be written, or another run writes into the folder; what was there
            is as it was then.
        """
        target = make_folder(Path(folder))
        earlier = {path.name for path in target.glob("network-????????.nc")}
        with exchanging(target, {*NETWORK_RUN_FILES, *earlier}) as beside:
            self.write_into(beside)
            return [target / path.name for path in sorted(beside.iterdir())]

    def write_into(self, folder: Path) -> None:
        """Write the files into a folder that is there, one after the other; see `save`."""
        save_network(self.network, folder / "network.toml")
        expanded = self.expanded
        if self.solution is not None:
            save_solution(self.solution, folder / "circuit.nc")
        if self.reference is not None:
            save_reference(self.reference, expanded, folder / "reference.nc")
        texts = {"sides": {name: one.to_dict() for name, one in self.measures.items()}}
        _write_json(folder / "measures.json", texts)
        for name, made in (("comparison", self.comparison), ("certificate", self.certificate)):
            if made is None:
                continue
            told = dict(made) if isinstance(made, Mapping) else made.to_dict()
            _write_json(folder / f"{name}.json", {"network": self.network.name, **told})
            if not isinstance(made, Mapping):
                write_text(folder / f"{name}.txt", f"{made}\n")
        files = {path.name: list(stamp_of(path)) for path in sorted(folder.iterdir())}
        _write_json(folder / PROVENANCE, {**self._provenance(), "files": files})

    def _provenance(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            **self.made, "network": self.network.name, "digest": self.network.digest,
            "cpu_s": dict(self.cost),
        }  # fmt: skip
        if self.tau is not None:
            found["tau"] = self.tau
        if self.solution is not None:
            found |= {"rtol": self.solution.rtol, "t_tol": self.solution.t_tol,
                      "iteration_error": self.solution.iteration_error}  # fmt: skip
        if self.reference is not None:
            found |= {"variant": self.reference.attrs.get("variant"), "h": self.reference.h}
        return found


def run_network(
    network: Network,
    *,
    sides: Collection[Side] = SIDES,
    variant: Variant | None = None,
    rtol: float = 1e-6,
    t_tol: float = DEFAULT_T_TOL,
    keep: Literal["all", "none"] | Sequence[int | str] = "none",
    workers: int | None = None,
    certificate: bool = False,
    tau: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> NetworkRun:
    """Solve a network as a circuit and as a reference, measure both and compare them.

    Parameters
    ----------
    network : Network
    sides : collection of {"equations", "reference"}
        What is computed.
    variant : {"ideal", "schmitt"}, optional
        The reference. If not given, ``schmitt`` where a synapse has no delay, as in every circuit
        (point spikes need delays, see `solve_network_reference`), and ``ideal`` elsewhere.
    rtol, t_tol : float
        Of the circuit side, see `solve_network`.
    keep : "all", "none" or sequence of int or str
        Neurons, by number or name, whose traces are kept. Spikes always are.
    workers : int, optional
        Threads; all cores if not given. No result depends on it.
    certificate : bool
        Whether the numerical error of both sides is found by computing them more finely; see
        `certify_network`. Of the reference no traces are kept then.
    tau : float, optional
        Time constant in s of synchrony and van Rossum distance, of both sides; see
        `compare_networks`.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    NetworkRun

    Raises
    ------
    IntegrationError
        If a side cannot be solved; the neuron is named. Also if there is no such side or neuron.
    ResourceError
        If there is less memory than the run needs.

    Examples
    --------
    >>> run = run_network(load_network_preset("pair").replace(t_stop="0.2m"))
    >>> [len(t) for t in run.solution.t_spike]
    [9, 3]
    """
    wanted = check_sides(sides)
    if workers is not None and workers < 1:
        raise IntegrationError(f"The number of workers is {workers}; give 1 or more.")
    if certificate and len(wanted) < len(SIDES):
        raise IntegrationError(
            "A certificate is of both sides; ask for equations and reference, or for no "
            "certificate."
        )
    check_tau(tau)
    expanded = expand(network)
    kept = kept_neurons(expanded, keep)
    about = estimate_network(network, sides=wanted, rtol=rtol, kept=len(kept))
    check_needs(Needs(points=about.cpu_s, memory=0.5 * about.memory))
    share = about.circuit / about.cpu_s if about.cpu_s else _MOST
    which = variant or chosen_variant(expanded)
    if certificate:
        start = time.process_time()
        found = certify_network(
            expanded, rtol=rtol, t_tol=t_tol, variant=which, keep=kept, workers=workers,
            tau=tau, progress=progress,
        )  # fmt: skip
        cost = {"both, at two levels": time.process_time() - start}
        return measured_run(
            network, expanded, found.solution, found.reference, tau, comparison=found.comparison,
            certificate=found, cost=cost,
        )  # fmt: skip

    def part(begin: float, end: float) -> Callable[[float], None] | None:
        if progress is None:
            return None
        return lambda done: progress(begin + (end - begin) * done)

    solution = reference = None
    cost = {}
    if "equations" in wanted:
        start = time.process_time()
        solution = solve_network(
            expanded, rtol=rtol, t_tol=t_tol, keep=kept, workers=workers, progress=part(0.0, share)
        )
        cost["circuit"] = time.process_time() - start
    if "reference" in wanted:
        start = time.process_time()
        reference = solve_network_reference(
            expanded, variant=which, workers=workers, keep=kept, progress=part(share, 1.0)
        )
        cost["reference"] = time.process_time() - start
    return measured_run(network, expanded, solution, reference, tau, cost=cost)


def measured_run(
    network: Network,
    expanded: Expanded,
    solution: NetworkSolution | None,
    reference: NetworkReference | None,
    tau: float | None,
    **others: Any,
) -> NetworkRun:
    """Return a run of sides that are there, measured, and compared unless a comparison is given.

    Parameters
    ----------
    network : Network
    expanded : Expanded
        Of the network.
    solution, reference, tau, **others
        See `NetworkRun`.
    """
    sides = {"circuit": solution, "reference": reference}
    trains = {name: trains_of(one, expanded) for name, one in sides.items() if one is not None}
    common = tau
    if tau is None and trains:
        common = common_tau(*(trains[k] for k in ("reference", "circuit") if k in trains))
    measures = {name: measure_network(one, tau=common) for name, one in trains.items()}
    if "comparison" not in others and solution is not None and reference is not None:
        others["comparison"] = compare_networks(solution, reference, network=expanded, tau=tau)
    return NetworkRun(network, solution, reference, measures, tau=tau, **others)


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    write_text(path, f"{json.dumps(_plain(data), indent=1, allow_nan=False)}\n")


def _plain(value: Any) -> Any:
    """Return what JSON knows; NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value

"""Some points of a sweep, computed a second time by another simulator.

A sweep by the circuit's own equations is fast; that they describe what SPICE computes is shown on a
stated, seeded share of its points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import counted
from spicealif.errors import SweepError
from spicealif.measures.one_side import MEASURES
from spicealif.measures.tables import figure
from spicealif.simulators import get_simulator, simulator_names
from spicealif.sweep.experiment import Experiment
from spicealif.sweep.space import Points
from spicealif.sweep.worker import OK

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Witness", "check_witness", "parse_witness", "with_witness"]


@dataclass(frozen=True)
class Witness:
    """Who looks at how many points.

    Attributes
    ----------
    simulator : str
    share : float
        Of the points, above 0 and up to 1; 0 where `count` says how many.
    count : int
    seed : int
        Draws which ones.
    """

    simulator: str
    share: float = 0.0
    count: int = 0
    seed: int = 0

    def drawn(self, n: int, among: Sequence[int] | None = None) -> list[int]:
        """Return which of n points are looked at, rising; if given, `among` these only."""
        wanted = self.count or max(1, math.ceil(self.share * n - 1e-9))
        allowed = set(range(n) if among is None else among)
        order = np.random.default_rng(self.seed).permutation(n).tolist()
        return sorted([k for k in order if k in allowed][:wanted])


def parse_witness(text: str, seed: int = 0) -> Witness:
    """Read ``ngspice:5%`` or ``ngspice:20``.

    Raises
    ------
    SweepError
        If it is neither.
    """
    name, _, amount = text.partition(":")
    number = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*", amount)
    if name.strip() and number:
        value = float(number[1])
        if number[2] and 0 < value <= 100:
            return Witness(name.strip(), share=value / 100, seed=seed)
        if not number[2] and value >= 1 and value == int(value):
            return Witness(name.strip(), count=int(value), seed=seed)
    raise SweepError(
        f"The witness {ascii(text)} is not SIMULATOR:SHARE; write ngspice:5% or, for a number of "
        "points, ngspice:20."
    )


def check_witness(experiment: Experiment, witness: Witness) -> None:
    """Raise `SweepError` if a witness has nothing to look at, or is who computed it."""
    if experiment.sides == "reference" or not experiment.spikes:
        raise SweepError(
            "A witness looks at the circuit's spike times; compute the circuit and keep spikes."
        )
    if witness.simulator == experiment.simulator:
        raise SweepError(
            f"The witness is {witness.simulator}, which computed the points itself; choose another "
            "simulator for one of them."
        )
    if witness.simulator not in simulator_names():
        get_simulator(witness.simulator)  # which says what there is


def with_witness(
    experiment: Experiment, result: xr.Dataset, witness: Witness, **options: Any
) -> xr.Dataset:
    """Return a result with what another simulator says of some of its points.

    Parameters
    ----------
    experiment : Experiment
        With the circuit among its sides, and spike times kept.
    result : xarray.Dataset
        What it gave.
    witness : Witness
    **options
        Of `Experiment.run` for those points: the store, workers, progress.

    Returns
    -------
    xarray.Dataset
        With variables along ``witness``: ``witness_point`` (number of the point, from 0, the last
        dimension varying fastest), ``witness_status``, ``witness_spike_time`` (worst distance of a
        spike from the witness' in s; NaN if there are not as many) and, along ``witness_measure``
        too, ``witness_difference`` (of each measure of the circuit, minus the witness'). The
        attribute ``witness`` says it in a sentence.

    Raises
    ------
    SweepError
        If the experiment has no circuit side or no spike times, or the witness is who computed it.
    """
    check_witness(experiment, witness)
    dims, n = tuple(experiment.points.dims), len(experiment)
    # Of a point that has no result there is nothing to be seen.
    usable = np.flatnonzero(result["status"].transpose(*dims).values == OK)
    chosen = witness.drawn(n, usable.tolist())
    if not chosen:
        return result.assign_attrs(witness="Witness: no point has a result to be looked at.")
    columns = {name: values[chosen] for name, values in experiment.points.values.items()}
    if experiment.varies == "reference":  # the circuit is the base design everywhere
        columns = {}
    other = Experiment(
        experiment.neuron, Points(columns, {"witness": len(chosen)}), sides="circuit",
        simulator=witness.simulator, timeout=experiment.timeout, spikes=True, kind="witness",
    )  # fmt: skip
    seen = other.run(**options)
    names = [name for name, info in MEASURES.items() if not info.pair]

    def circuit(dataset: xr.Dataset, name: str, along: tuple[str, ...], n: int) -> Any:
        values = dataset[name].sel(side="circuit").transpose(*along, ...).values
        return values.reshape(n, -1)

    gaps = np.column_stack([
        circuit(result, name, dims, n)[chosen, 0]
        - circuit(seen, name, ("witness",), len(chosen))[:, 0]
        for name in names
    ])  # fmt: skip
    none: list[Any] = [()] * len(chosen)
    theirs = circuit(seen, "t_spike", ("witness",), len(chosen)) if "t_spike" in seen else none
    ours = circuit(result, "t_spike", dims, n)[chosen] if "t_spike" in result else none
    moved, spikes = zip(*(_moved(a, b) for a, b in zip(ours, theirs, strict=True)), strict=True)
    status = seen["status"].values
    added = result.assign(
        witness_point=("witness", np.array(chosen), {"long_name": "number of the point"}),
        witness_status=("witness", status),
        witness_spike_time=(
            "witness", np.where(status == OK, np.array(moved), np.nan),
            {"units": "s", "long_name": "worst distance of a spike from the witness's"},
        ),
        witness_difference=(
            ("witness", "witness_measure"), gaps,
            {"long_name": "the circuit's measure minus the witness's, in the measure's unit"},
        ),
    ).assign_coords(witness_measure=("witness_measure", np.array(names, dtype=object)))  # fmt: skip
    added = added.assign({
        f"witness_{name}": ("witness", values, {"long_name": f"{name} of the point"})
        for name, values in columns.items()
    })  # fmt: skip
    versions = [str(v) for v in seen["simulator"].values if v]
    who = versions[0] if versions else witness.simulator
    said = _sentence(added, who, n, witness.seed, np.array(spikes))
    return added.assign_attrs(witness=said)


def _moved(a: Any, b: Any) -> tuple[float, int]:
    """Return the worst distance of a spike, NaN where none can be told, and how many there are."""
    (a, b) = (np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    (a, b) = (a[np.isfinite(a)], b[np.isfinite(b)])
    alike = len(a) == len(b) > 0
    return (float(np.abs(a - b).max()) if alike else math.nan), len(a) + len(b)


def _sentence(added: xr.Dataset, who: str, n: int, seed: int, spikes: NDArray[np.int64]) -> str:
    ok = added["witness_status"].values == OK
    moved = added["witness_spike_time"].values
    known = moved[np.isfinite(moved)]
    text = (
        f"Witness: {who} computed {counted(int(np.sum(ok)), 'point')} of {n} too (drawn with seed "
        f"{seed}); "
    )
    silent, failed = int(np.sum(ok & (spikes == 0))), int(np.sum(~ok))
    apart = int(np.sum(ok & ~np.isfinite(moved) & (spikes > 0)))
    rest = f"; {counted(apart, 'point')} with another number of spikes" if apart else ""
    rest += f"; {counted(silent, 'point')} without a spike on either side" if silent else ""
    rest += f"; {counted(failed, 'point')} that failed there" if failed else ""
    if not len(known):
        return f"{text}no spike time can be compared{rest}."
    gaps = added["witness_difference"].sel(witness_measure="isi_mean").values
    gaps = np.abs(gaps[np.isfinite(gaps)])
    text += (
        f"spike times are within {figure(float(known.max()), 's')} of each other (median of the "
        f"points' worst {figure(float(np.median(known)), 's')})"
    )
    if len(gaps):
        text += (
            f", mean intervals within {figure(float(gaps.max()), 's')} (median "
            f"{figure(float(np.median(gaps)), 's')})"
        )
    return f"{text}{rest}."

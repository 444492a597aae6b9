"""How values of real parts scatter, and the points of a Monte Carlo experiment.

Every distribution is drawn by its inverse cumulative function from numbers between 0 and 1, so that
random, Latin-hypercube and Sobol sampling serve all of them, and so that the same seed gives the
same points whatever NumPy's own generators of distributions do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spicealif.design import GMMS, Memristor, Neuron
from spicealif.design._vendor import vendor_parts
from spicealif.errors import SweepError
from spicealif.sweep.experiment import Experiment
from spicealif.sweep.space import Points, checked_count, design_value, uniforms

__all__ = ["DEFAULT_TOLERANCES", "MonteCarlo", "Tolerance", "tolerances_of"]

Distribution: TypeAlias = Literal["uniform", "normal", "lognormal"]
#: Standard deviations at which a normal distribution is cut off: nobody sells the rest.
_CUT = 3.0
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Tolerance:
    """How a parameter scatters around the design's value.

    Parameters
    ----------
    parameter : str
        Dotted name, such as ``"c"`` or ``"leak.r_on"``.
    spread : float
        ``uniform``: half the width. ``normal``: a third of it is the standard deviation, and values
        beyond it do not occur. ``lognormal``: the standard deviation of the logarithm.
    distribution : {"uniform", "normal", "lognormal"}
    relative : bool
        Whether `spread` is a part of the design's value, or in the parameter's SI unit. A
        lognormal's always is a part.
    source : str
        Where the figure comes from.

    Raises
    ------
    SweepError
        If the spread is not positive, or a relative one is 1 or more.

    Examples
    --------
    >>> MonteCarlo(load_preset("lif"), 4, [Tolerance("c", 0.05)]).points.values["c"].shape
    (4,)
    """

    parameter: str
    spread: float
    distribution: Distribution = "uniform"
    relative: bool = True
    source: str = ""

    def __post_init__(self) -> None:
        if self.distribution not in get_args(Distribution):
            raise SweepError(
                f"There is no distribution {ascii(self.distribution)}; choose one of "
                f"{', '.join(get_args(Distribution))}."
            )
        if not (math.isfinite(self.spread) and self.spread > 0):
            raise SweepError(f"The spread of {self.parameter} is {self.spread}; give it above 0.")
        if self.relative and self.distribution != "lognormal" and self.spread >= 1:
            raise SweepError(
                f"The spread of {self.parameter} is {self.spread:g} of its value, so that it could "
                "be 0; give less than 1, or relative=False."
            )

    def values(self, nominal: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at the cumulative probabilities `u`, shape of `u`."""
        from scipy.special import ndtr, ndtri

        if self.distribution == "lognormal":
            return np.asarray(nominal * np.exp(self.spread * ndtri(u)))
        if self.distribution == "uniform":
            deviation = 2 * u - 1
        else:
            # normal, cut off at _CUT standard deviations, which lie at the spread
            low = ndtr(-_CUT)
            deviation = ndtri(low + u * (1 - 2 * low)) / _CUT
        scale = self.spread * abs(nominal) if self.relative else self.spread
        return np.asarray(nominal + scale * deviation)

    def cumulative(self, nominal: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of a value below `values`; the inverse of `values()`."""
        from scipy.special import ndtr

        if self.distribution == "lognormal":
            return np.asarray(ndtr(np.log(np.maximum(values / nominal, _TINY)) / self.spread))
        scale = self.spread * abs(nominal) if self.relative else self.spread
        deviation = np.clip((values - nominal) / scale, -1.0, 1.0)
        if self.distribution == "uniform":
            return np.asarray((deviation + 1) / 2)
        low = ndtr(-_CUT)
        return np.asarray((ndtr(_CUT * deviation) - low) / (1 - 2 * low))

    def standard_deviation(self, nominal: float) -> float:
        """Return the standard deviation of the distribution, in the parameter's unit."""
        if self.distribution == "lognormal":
            s = self.spread
            return abs(nominal) * math.exp(s * s / 2) * math.sqrt(math.expm1(s * s))
        scale = self.spread * abs(nominal) if self.relative else self.spread
        if self.distribution == "uniform":
            return scale / math.sqrt(3)
        density = math.exp(-_CUT * _CUT / 2) / math.sqrt(2 * math.pi)
        inside = math.erf(_CUT / math.sqrt(2))
        return scale / _CUT * math.sqrt(1 - 2 * _CUT * density / inside)


_RESISTOR = "metal film, 1 %: the tolerance sold, taken as evenly spread"
_CAPACITOR = "C0G or film, 5 %: the tolerance sold, taken as evenly spread"
_DEVICES = (
    "fits to three measured W-SDC devices (5 kohm, 0.8 V, 1 kHz): range of the logarithms over "
    "1.693, which estimates a standard deviation from three values; taken as lognormal; three "
    "devices say little"
)
#: What scatters unless a user says otherwise; a part's tolerances apply where the part is.
DEFAULT_TOLERANCES: tuple[Tolerance, ...] = (
    Tolerance("c", 0.05, source=_CAPACITOR),
    Tolerance("r_s", 0.01, source=_RESISTOR),
    Tolerance("leak.r", 0.01, source=_RESISTOR),
    Tolerance("hysteresis.r_a", 0.01, source=_RESISTOR),
    Tolerance("difference_amplifier.r", 0.01, source=_RESISTOR),
    Tolerance(
        "difference_amplifier.opamp.v_os",
        4e-3,
        "normal",
        relative=False,
        source="OP282/OP482 data sheet: at most 4 mV, taken as three standard deviations",
    ),
    Tolerance(
        "comparator.v_os",
        7e-3,
        "normal",
        relative=False,
        source="AD8561 data sheet: at most 7 mV, taken as three standard deviations",
    ),
    Tolerance(
        "mosfet.v_to",
        0.4,
        "normal",
        relative=False,
        source="onsemi NDS7002A/D (2N7002): V_GS(th) 2.1 V typical, at most 2.5 V; the distance, "
        "0.4 V, taken as three standard deviations both ways, well above the least of 1.0 V",
    ),
    Tolerance(
        "temperature",
        10.0,
        relative=False,
        source="assumption: a room, 10 K around the design's temperature",
    ),
    Tolerance("leak.r_on", 0.22, "lognormal", source=_DEVICES),
    Tolerance("leak.r_off", 0.72, "lognormal", source=_DEVICES),
    Tolerance("leak.v_on", 0.11, "lognormal", source=_DEVICES),
    Tolerance("leak.v_off", 0.98, "lognormal", source=_DEVICES),
    Tolerance("leak.tau", 0.44, "lognormal", source=_DEVICES),
)


def tolerances_of(neuron: Neuron) -> tuple[Tolerance, ...]:
    """Return the default tolerances of the parameters that a neuron has.

    Those of the memristor are known for the models MMS and GMMS alone; another model's parameters
    scatter only if their tolerances are given. A part that its maker's model stands for does not
    scatter: the figures beside the model are not in it.
    """
    found = []
    makers = tuple(f"{place}." for place in vendor_parts(neuron))
    for tolerance in DEFAULT_TOLERANCES:
        if tolerance.parameter.startswith(makers):
            continue
        if tolerance.source == _DEVICES and not isinstance(neuron.leak, Memristor | GMMS):
            continue
        try:
            value = design_value(neuron, tolerance.parameter)
        except SweepError:
            continue
        # A part of nothing is nothing: an r_s of 0 has no tolerance.
        if isinstance(value, int | float) and (value != 0 or not tolerance.relative):
            found.append(tolerance)
    return tuple(found)


class MonteCarlo(Experiment):
    """Prototypes: a neuron whose parts scatter.

    Every parameter is drawn for itself but for one pair: a memristor whose r_on is above its r_off
    is none. r_on is drawn as it stands, and r_off from the part of its distribution that lies above
    that r_on (of its own number between 0 and 1, so that the same seed gives the same bits and each
    sampling keeps its evenness). r_on's distribution stays; r_off's loses its low end, the more the
    higher r_on is. With the default tolerances and the paper's memristor 7 % of the pairs were
    exchanged before; the median of r_off rises from 1500 to 1607 ohm, and the standard deviation
    of its logarithm falls from 0.72 to 0.64.

    Parameters
    ----------
    neuron : Neuron
        The design, at the middle of all distributions.
    n : int
        Number of prototypes.
    tolerances : sequence of Tolerance, optional
        `tolerances_of` the neuron if not given.
    seed : int
        The same seed draws the same prototypes.
    sampling : {"random", "latin-hypercube", "sobol"}
        Only ``random`` gives independent prototypes; the others estimate means with less error.
    **choices
        ``sides``, ``varies``, ``variant``, ``simulator``, ``timeout``, ``spikes``,
        ``waveforms``: see `Experiment`. ``varies="circuit"`` compares each prototype with the
        equations of the design as it was meant; ``"both"`` with its own equations.

    Raises
    ------
    SweepError
        If a tolerance's parameter is not there or not a number, or a choice makes no sense.

    Examples
    --------
    >>> MonteCarlo(load_preset("lif"), 4, [Tolerance("c", 0.05)], sides="reference")
    <MonteCarlo of 'lif', 4 points, of reference, by RK4, over c 95.17 nF to 101.4 nF>
    """

    def __init__(
        self,
        neuron: Neuron,
        n: int,
        tolerances: Sequence[Tolerance] | None = None,
        seed: int = 0,
        sampling: Literal["random", "latin-hypercube", "sobol"] = "random",
        **choices: Any,
    ) -> None:
        chosen = tolerances_of(neuron) if tolerances is None else tuple(tolerances)
        points = _prototypes(neuron, n, chosen, seed, sampling)
        super().__init__(neuron, points, kind=choices.pop("kind", "monte-carlo"), **choices)
        # A frozen class; its fields are set by now.
        object.__setattr__(self, "tolerances", chosen)

    tolerances: tuple[Tolerance, ...]


def _prototypes(
    neuron: Neuron, n: int, tolerances: Sequence[Tolerance], seed: int, sampling: str
) -> Points:
    if sampling not in ("random", "latin-hypercube", "sobol"):
        raise SweepError(
            f"There is no sampling {ascii(sampling)} of prototypes; choose random, "
            "latin-hypercube or sobol."
        )
    if not tolerances:
        raise SweepError("Nothing scatters; give at least one tolerance.")
    names = [t.parameter for t in tolerances]
    if len(set(names)) < len(names):
        raise SweepError("A parameter has two tolerances; give one for each.")
    checked_count(n, "prototypes", len(tolerances))
    u = uniforms(n, len(tolerances), sampling, seed)
    values: dict[str, NDArray[Any]] = {}
    for k, tolerance in enumerate(tolerances):
        nominal = design_value(neuron, tolerance.parameter)
        if isinstance(nominal, bool) or not isinstance(nominal, int | float):
            raise SweepError(
                f"{tolerance.parameter} is {nominal!r}, which cannot scatter; name a number."
            )
        if nominal == 0 and (tolerance.relative or tolerance.distribution == "lognormal"):
            raise SweepError(
                f"{tolerance.parameter} is 0, and a part of 0 is 0; give relative=False with a "
                "spread in the parameter's unit."
            )
        values[tolerance.parameter] = tolerance.values(float(nominal), u[:, k])
    _order_resistances(neuron, {t.parameter: t for t in tolerances}, values, u)
    return Points(values, {"prototype": n})


def _order_resistances(
    neuron: Neuron,
    tolerances: Mapping[str, Tolerance],
    values: dict[str, NDArray[Any]],
    u: NDArray[np.float64],
) -> None:
    """Keep r_on below r_off, without which there is no memristor; see `MonteCarlo`."""
    on, off = "leak.r_on", "leak.r_off"
    names = list(tolerances)
    if off in tolerances:
        nominal, tolerance = float(design_value(neuron, off)), tolerances[off]
        least = values[on] if on in values else np.full(len(u), float(design_value(neuron, on)))
        below = tolerance.cumulative(nominal, least)
        # Where r_off cannot reach r_on at all nothing helps; the design refuses that one.
        share = np.where(below < 1, below + u[:, names.index(off)] * (1 - below), np.nan)
        inside = np.clip(share, _TINY, 1 - np.finfo(float).epsneg)
        drawn = np.maximum(tolerance.values(nominal, inside), least)
        values[off] = np.where(np.isnan(share), values[off], drawn)
    elif on in tolerances:
        nominal, tolerance = float(design_value(neuron, on)), tolerances[on]
        most = float(design_value(neuron, off))
        above = tolerance.cumulative(nominal, np.asarray(most))
        inside = np.clip(u[:, names.index(on)] * above, _TINY, None)
        values[on] = np.minimum(tolerance.values(nominal, inside), most)

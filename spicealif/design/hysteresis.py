"""The comparator's positive feedback: from wanted thresholds to resistors and reference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from spicealif.design._base import Ohm, Part
from spicealif.errors import DesignError

__all__ = ["Hysteresis", "HysteresisNetwork", "nearest_in_series", "thresholds"]

# IEC 60063. E24 is not the rounded geometric series, so both are listed or computed as there.
_E24 = (
    *(10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30),
    *(33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91),
)
_SERIES: dict[str, tuple[float, ...]] = {
    "E24": tuple(v / 10 for v in _E24),
    "E96": tuple(round(10 ** (k / 96), 2) for k in range(96)),
}


class Hysteresis(Part):
    """What is chosen of the hysteresis network; the rest follows from the thresholds.

    Attributes
    ----------
    r_a : float
        Resistor from the difference amplifier to the comparator's input in ohm. Small against
        v_th / i_bias of the comparator, or its bias current shifts the thresholds.
    series : {"E24", "E96"}, optional
        Round both resistors to this series of preferred values.
    """

    r_a: Ohm = Field(default=1e3, gt=0, description="input resistor in ohm")
    series: Literal["E24", "E96"] | None = Field(
        default=None, description="series of preferred values for the resistors"
    )

    def solve(
        self,
        v_high: float,
        v_low: float,
        v_oh: float,
        v_ol: float,
        r_out: float = 0.0,
        r_low: float | None = None,
    ) -> HysteresisNetwork:
        """Return the network whose thresholds are `v_high` and `v_low`.

        The resistors set the distance of the thresholds and the reference sets their place; r_f is
        r_b with the comparator's output resistance, which is in series with it::

            v_high = (v_ref (r_a + r_f) - v_ol r_a) / r_f
            v_low  = (v_ref (r_a + r_f) - v_oh r_a) / r_f

        With rounded resistors `v_high` is kept and `v_low` moves.

        Parameters
        ----------
        v_high, v_low : float
            Wanted thresholds at the network's input in V.
        v_oh, v_ol : float
            The comparator's output levels without a load in V.
        r_out : float
            Its output resistance in ohm.
        r_low : float, optional
            That of the low level where it is another, as of an open collector with its pull-up.

        Returns
        -------
        HysteresisNetwork

        Raises
        ------
        DesignError
            If the levels are in the wrong order, or `r_out` alone is more than the feedback asks
            for.
        """
        if not v_oh > v_ol:
            raise DesignError(
                f"The comparator's v_oh = {v_oh:g} V is not above v_ol = {v_ol:g} V; "
                "raise v_oh or lower v_ol, or exchange them."
            )
        if not v_high > v_low:
            raise DesignError(
                f"The threshold v_th gives {v_high:g} V at the comparator, not above the "
                f"{v_low:g} V of v_low; lower v_low or raise v_th."
            )
        r_a = nearest_in_series(self.r_a, self.series) if self.series else self.r_a
        r_low = r_out if r_low is None else r_low
        if r_low == r_out:
            r_b = r_a * (v_oh - v_ol) / (v_high - v_low) - r_out
        else:
            r_b = _feedback(r_a, (v_high, v_low), (v_oh, r_out), (v_ol, r_low))
        if not r_b > 0:
            raise DesignError(
                f"The comparator's output resistance of {r_out:g} ohm is more than the feedback "
                f"from {v_oh:g} V may have with hysteresis.r_a = {r_a:g} ohm; raise hysteresis.r_a"
                f"{'' if r_low == r_out else ', or lower comparator.r_pull_up'}."
            )
        if self.series:
            r_b = nearest_in_series(r_b, self.series)
        r_f = r_b + r_low
        v_ref = (v_high * r_f + v_ol * r_a) / (r_a + r_f)
        high = thresholds(r_a, r_f, v_ref, v_oh, v_ol)[0]
        low = thresholds(r_a, r_b + r_out, v_ref, v_oh, v_ol)[1]
        return HysteresisNetwork(r_a, r_b, v_ref, high, low, r_out)


@dataclass(frozen=True)
class HysteresisNetwork:
    """A solved network: resistors in ohm, reference and resulting thresholds in V.

    The thresholds hold for a comparator of this output resistance; offset, bias current and finite
    gain move them.
    """

    r_a: float
    r_b: float
    v_ref: float
    v_high: float
    v_low: float
    r_out: float = 0.0

    @property
    def share(self) -> float:
        """Part of the comparator's output swing that is fed back to its input."""
        return self.r_a / (self.r_a + self.r_b + self.r_out)


def _feedback(
    r_a: float, levels: tuple[float, float], high: tuple[float, float], low: tuple[float, float]
) -> float:
    """Return r_b in ohm for levels that have resistances of their own; below 0 if there is none.

    The upper threshold sets v_ref for any r_b; the lower one then rises with r_b.
    """

    def lower(r_b: float) -> float:
        r_f = r_b + low[1]
        v_ref = (levels[0] * r_f + low[0] * r_a) / (r_a + r_f)
        return thresholds(r_a, r_b + high[1], v_ref, high[0], low[0])[1] - levels[1]

    begin, end = 0.0, r_a
    if lower(begin) > 0:
        return -1.0
    while lower(end) < 0 and end < 1e12 * r_a:
        end *= 2
    for _ in range(200):
        middle = 0.5 * (begin + end)
        begin, end = (begin, middle) if lower(middle) > 0 else (middle, end)
    return 0.5 * (begin + end)


def thresholds(
    r_a: float, r_b: float, v_ref: float, v_oh: float, v_ol: float
) -> tuple[float, float]:
    """Return the thresholds (v_high, v_low) in V of a network; r_b as r_f in `Hysteresis.solve`."""
    scaled = v_ref * (r_a + r_b)
    return (scaled - v_ol * r_a) / r_b, (scaled - v_oh * r_a) / r_b


def nearest_in_series(value: float, series: Literal["E24", "E96"]) -> float:
    """Return the preferred value nearest to `value` by ratio.

    Parameters
    ----------
    value : float
        Positive.
    series : {"E24", "E96"}
        IEC 60063.

    Returns
    -------
    float
    """
    decade = 10.0 ** math.floor(math.log10(value))
    candidates = [m * decade for m in (*_SERIES[series], 10.0)]
    best = min(candidates, key=lambda c: abs(math.log(c / value)))
    return float(f"{best:.6g}")

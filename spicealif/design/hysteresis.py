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

    def solve(self, v_high: float, v_low: float, v_oh: float, v_ol: float) -> HysteresisNetwork:
        """Return the network whose thresholds are `v_high` and `v_low`.

        The resistors set the distance of the thresholds and the reference sets their place::

            v_high = (v_ref (r_a + r_b) - v_ol r_a) / r_b
            v_low  = (v_ref (r_a + r_b) - v_oh r_a) / r_b

        With rounded resistors `v_high` is kept and `v_low` moves.

        Parameters
        ----------
        v_high, v_low : float
            Wanted thresholds at the network's input in V.
        v_oh, v_ol : float
            The comparator's output levels in V.

        Returns
        -------
        HysteresisNetwork

        Raises
        ------
        DesignError
            If the levels are in the wrong order.
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
        r_b = r_a * (v_oh - v_ol) / (v_high - v_low)
        if self.series:
            r_b = nearest_in_series(r_b, self.series)
        v_ref = (v_high * r_b + v_ol * r_a) / (r_a + r_b)
        return HysteresisNetwork(r_a, r_b, v_ref, *thresholds(r_a, r_b, v_ref, v_oh, v_ol))


@dataclass(frozen=True)
class HysteresisNetwork:
    """A solved network: resistors in ohm, reference and resulting thresholds in V.

    The thresholds hold for an ideal comparator; offset and bias current move them.
    """

    r_a: float
    r_b: float
    v_ref: float
    v_high: float
    v_low: float

    @property
    def share(self) -> float:
        """Part of the comparator's output swing that is fed back to its input."""
        return self.r_a / (self.r_a + self.r_b)


def thresholds(
    r_a: float, r_b: float, v_ref: float, v_oh: float, v_ol: float
) -> tuple[float, float]:
    """Return the thresholds (v_high, v_low) in V of a network; see `Hysteresis.solve`."""
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

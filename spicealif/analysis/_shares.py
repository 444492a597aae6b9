"""The gap of one measure, and what each cause contributes to it."""

from __future__ import annotations

from dataclasses import dataclass

from spicealif.circuit.parameters import Cause

__all__ = ["MakersPart", "MeasureBudget", "Share"]

#: The part of the largest share of a gap below which a change of sign over orders is not told.
_SMALL_SHARE = 0.05


@dataclass(frozen=True)
class MakersPart:
    """A part that its maker's model stands for, as a cause: it has no smaller ones here.

    Attributes
    ----------
    value : str
        Its place in the design, such as ``"comparator"``.
    title : str
        What it is called, such as ``"comparator LM393"``.
    stand_in : str
        What it is exchanged against.
    """

    value: str
    title: str
    stand_in: str = "its ideal variant"

    @property
    def label(self) -> str:
        """What it is called in tables and figures."""
        return f"{self.title} as a whole"

    @property
    def off(self) -> str:
        """What the circuit is without it."""
        return f"{self.stand_in} is in its place"


@dataclass(frozen=True)
class Share:
    """What one cause contributes to a gap.

    Attributes
    ----------
    cause : Cause or MakersPart
    value : float
        Its Shapley value, in the measure's unit.
    error : float
        Standard error of a sampled value; 0 of an exact one.
    applies : bool
        Whether this neuron has the cause at all; if not, all figures are 0.
    first, last : float
        What switching the cause on changes before all others, and after all others.
    least, most : float
        The least and the most that it changes over all orders (of those sampled, if so).
    """

    cause: Cause | MakersPart
    value: float
    error: float
    applies: bool
    first: float = 0.0
    last: float = 0.0
    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True)
class MeasureBudget:
    """The gap of one measure and what it is made of.

    Attributes
    ----------
    name, label, unit : str
        As in `MEASURES`; SI.
    circuit, reference : float
        The simulator's circuit with all parts as designed, and the `ideal` reference with edges
        of no duration.
    gap : float
        Circuit minus reference.
    shares : tuple of Share
        One for each cause, and one for each part that its maker's model stands for.
    residual : float
        The gap less all shares: what the simulator differs by from the equations of the same
        circuit, and the equations without any cause from the reference. It is numerical error,
        or a mistake in one of the three.
    """

    name: str
    label: str
    unit: str
    circuit: float
    reference: float
    gap: float
    shares: tuple[Share, ...]
    residual: float

    def turns(self, share: Share) -> bool:
        """Return whether a share's sign depends on the order, by more than 5 % of the largest."""
        most = _SMALL_SHARE * max((abs(s.value) for s in self.shares), default=0.0)
        return share.least < -most and share.most > most

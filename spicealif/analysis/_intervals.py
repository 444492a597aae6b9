"""Figures over draws of the parts' tolerances."""

from __future__ import annotations

from dataclasses import dataclass

from spicealif.circuit.parameters import Cause

__all__ = ["COVERED", "FEWEST", "Interval", "MeasureTolerance"]

#: The part of the draws that an interval holds.
COVERED = 0.9
#: Draws below which an interval of 90 % would be the least and the most.
FEWEST = 20


@dataclass(frozen=True)
class Interval:
    """A figure over the draws.

    Attributes
    ----------
    nominal : float
        The nominal circuit's.
    low, high : float
        The ends of the interval that holds the middle 90 % of the draws.
    mean, deviation : float
        Mean and standard deviation of the draws.
    positive : float
        The part of the draws in which it is above 0.
    error : float
        Standard deviation of what the choice of orders leaves open in one draw; 0 of a gap.
    """

    nominal: float
    low: float
    high: float
    mean: float
    deviation: float
    positive: float
    error: float = 0.0


@dataclass(frozen=True)
class MeasureTolerance:
    """One measure over the draws.

    Attributes
    ----------
    name, label, unit : str
        As in `MEASURES`; SI.
    gap : Interval
        Circuit minus reference, both of the draw. The circuit is solved by its equations.
    shares : dict of Cause to Interval
        Of the causes that the neuron has.
    draws : int
        Draws that have this measure on both sides and in all sets of causes.
    """

    name: str
    label: str
    unit: str
    gap: Interval
    shares: dict[Cause, Interval]
    draws: int

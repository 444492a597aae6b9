"""Accuracies and points of accuracy as texts."""

from __future__ import annotations

import math

from spicealif.learning._chance import Estimate

__all__ = ["interval_of", "p_value", "percent", "points", "points_interval"]


def percent(value: float) -> str:
    """Return a part of 1 in percent."""
    return "-" if math.isnan(value) else f"{value:.1%}".replace("%", " %")


def interval_of(estimate: Estimate) -> str:
    """Return the interval of a part of 1 in percent; ends beyond 0 and 1 are cut off."""
    if math.isnan(estimate.low):
        return "-"
    return f"{100 * max(estimate.low, 0.0):.1f} to {100 * min(estimate.high, 1.0):.1f}"


def points(value: float, *, sign: bool = True) -> str:
    """Return a difference of accuracies in points, which are hundredths."""
    if not math.isfinite(value):
        return "-"
    text = f"{100 * value:+.2f}" if sign else f"{100 * value:.2f}"
    return text[1:] if text in ("+0.00", "-0.00") else text


def points_interval(estimate: Estimate) -> str:
    """Return the interval of a difference in points; ends beyond 100 are cut off."""
    if not math.isfinite(estimate.low):
        return "-"
    return f"{points(max(estimate.low, -1.0))} to {points(min(estimate.high, 1.0))}"


def p_value(p: float) -> str:
    """Return a p-value."""
    if math.isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"

"""The cells of a gap budget's tables, and the note on their orders; see `attribution`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spicealif.measures.tables import figure

if TYPE_CHECKING:
    from spicealif.analysis._shares import MakersPart, MeasureBudget, Share
    from spicealif.circuit.parameters import Cause

__all__ = ["RANGE_NOTE", "part_text", "range_text", "share_text", "short_label", "with_sign"]

RANGE_NOTE = (
    "A share is a mean over orders; the second table has what switching the cause on changes "
    "before all others and after all others."
)


def part_text(value: float, budget: MeasureBudget) -> str:
    """Return a part of a gap with its sign, and in percent of the gap where that says something."""
    text = signed(value, budget)
    # A percentage of a gap in which large shares cancel would say nothing.
    if not budget.gap or abs(value) >= 10 * abs(budget.gap):
        return text
    percent = f"{value / budget.gap:+.1%}"
    return f"{text} ({'0.0%' if percent in ('+0.0%', '-0.0%') else percent})"


def signed(value: float, budget: MeasureBudget) -> str:
    """Return a part of a gap with its sign."""
    if abs(value) <= 1e-12 * max(abs(budget.circuit), abs(budget.reference)):
        value = 0.0  # the rounding of the sums
    return with_sign(value, budget.unit)


def with_sign(value: float, unit: str) -> str:
    """Return a figure with its sign."""
    text = figure(value, unit)
    return text if text.startswith("-") else f"+{text}"


def share_text(share: Share, budget: MeasureBudget) -> str:
    """Return a cause's share, with the standard error of a sampled one."""
    if not share.applies:
        return "-"
    text = part_text(share.value, budget)
    return f"{text} \u00b1 {figure(share.error, budget.unit)}" if share.error else text


def range_text(share: Share, budget: MeasureBudget) -> str:
    """Return what a cause changes when it is switched on first, and last."""
    return f"{signed(share.first, budget)}, {signed(share.last, budget)}"


def short_label(cause: Cause | MakersPart) -> str:
    """Return a cause's label without what explains it."""
    return cause.label.partition(" (")[0].partition(",")[0]

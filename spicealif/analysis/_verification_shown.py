"""What a verification shows: rows, notes and plain figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spicealif._support.text import counted
from spicealif.design import Neuron
from spicealif.measures.shown import Page, ShownInNotebooks
from spicealif.measures.tables import figure, plain
from spicealif.simulators import Run
from spicealif.waveforms import Waveforms

__all__ = ["VerificationShown"]


class VerificationShown(ShownInNotebooks):
    """What of a `Verification` is shown."""

    neuron: Neuron
    run: Run
    equations: Waveforms
    matched: int
    time_error_mean: float
    time_error_worst: float
    tolerance: float

    if TYPE_CHECKING:  # what the verification makes of them

        @property
        def equations_error(self) -> float: ...

        @property
        def all_matched(self) -> bool: ...

        @property
        def ok(self) -> bool: ...

    def _facts(self) -> list[tuple[str, str]]:
        good = "within" if self.ok else "not within"
        return [
            ("of", f"'{self.neuron.name}'"),
            ("by", self.run.version),
            ("matched", counted(self.matched, "spike")),
            ("worst difference", figure(self.time_error_worst, "s")),
            (good, figure(self.tolerance, "s")),
        ]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Rows of the table: label and figure, as texts."""
        attrs = self.equations.attrs
        return [
            (f"spikes, {self.run.simulator}", str(len(self.run.require().t_spike))),
            (f"spikes, equations by {attrs['method']}", str(len(self.equations.t_spike))),
            ("matched spikes", str(self.matched)),
            ("mean spike-time difference", figure(self.time_error_mean, "s")),
            ("worst spike-time difference", figure(self.time_error_worst, "s")),
            ("error of the equations themselves", figure(self.equations_error, "s")),
        ]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the table."""
        attrs, own = self.equations.attrs, self.equations_error
        worst = abs(self.time_error_worst) if self.matched else 0.0
        good = "is within" if self.ok else "is NOT within"
        unsure = math.isnan(own) or (self.all_matched and worst - own <= self.tolerance)
        if not self.ok and unsure:
            good = "cannot be said to be within"
        return [
            f"The simulator {good} {figure(self.tolerance, 's')} of the circuit's own "
            f"differential equations, solved by {attrs['method']} with a relative tolerance of "
            f"{float(attrs['rtol']):g}. The equations' own error is what a tolerance ten times as "
            "loose changes, and counts as difference."
            + (
                " The simulator solves the same equations by another method: no SPICE was asked."
                if self.run.simulator == "equations"
                else ""
            )
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and texts, for JSON; NaN becomes None."""
        return {
            "neuron": self.neuron.name,
            "simulator": self.run.simulator,
            "version": self.run.version,
            "method": self.equations.attrs["method"],
            "rtol": self.equations.attrs["rtol"],
            "spikes_simulator": len(self.run.require().t_spike),
            "spikes_equations": len(self.equations.t_spike),
            "matched": self.matched,
            "time_error_mean": plain(self.time_error_mean),
            "time_error_worst": plain(self.time_error_worst),
            "equations_error": plain(self.equations_error),
            "tolerance": self.tolerance,
            "ok": self.ok,
        }

    def _pages(self) -> list[Page]:
        return [Page(((("", "figure"), self.rows),), self.notes)]

"""The circuit's own differential equations in a simulator's place.

They are written out by hand from the parts (`spicealif.circuit`), so that they describe the
circuits that spicealif draws and no other netlist. They take the design and not the netlist's text,
which goes with the result all the same.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import metadata
from typing import Any

from spicealif.design import Neuron
from spicealif.errors import IntegrationError, SimulatorError
from spicealif.netlist import Netlist
from spicealif.simulators._common import check_timeout, provenance
from spicealif.simulators.process.turn import Turn
from spicealif.simulators.run import Cost, Message, Progress, Run, Status
from spicealif.waveforms import Waveforms

__all__ = ["Equations", "rtol_of"]

#: Relative tolerance of the equations for each numerics.reltol of SPICE: the defaults, 1e-7 and
#: 1e-8, both have spike times to 1 ns or better.
_PER_RELTOL = 10.0
_TIGHTEST, _LOOSEST = 1e-12, 1e-4


def rtol_of(neuron: Neuron) -> float:
    """Return the equations' relative tolerance for a neuron's ``numerics.reltol``.

    Ten times that, between 1e-12 and 1e-4; so a certificate's finer level is finer here as well.
    """
    return min(max(_PER_RELTOL * neuron.numerics.safe_reltol, _TIGHTEST), _LOOSEST)


class _Late(Exception):
    """Ends a run at its timeout."""


class Equations:
    """Runs a neuron's circuit by its differential equations; no SPICE is involved."""

    name = "equations"
    dialect = "ngspice"

    def __init__(self) -> None:
        self._turn = Turn(self.name)

    @property
    def version(self) -> str:
        """The package's version, whose equations they are."""
        return f"spicealif {metadata.version('spicealif')}"

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Solve the equations of the design that a netlist was made of.

        Parameters
        ----------
        netlist : Netlist
            Of a neuron. Its text is not read.
        timeout : float, optional
            Seconds of wall time.
        progress : callable, optional
            Called with the fraction done, 0 to 1.

        Returns
        -------
        Run
            Relative tolerance: see `rtol_of`. A run that is stopped has no waveforms.

        Raises
        ------
        SimulatorError
            If the timeout makes no sense, another thread is using this object, or a maker's model
            stands for a part, which has no equations.
        """
        check_timeout(timeout)
        if isinstance(netlist.design, Neuron) and (why := netlist.design.no_equations):
            raise SimulatorError(
                f"The simulator equations cannot run this neuron, since {why}; take the simulator "
                "ngspice, or give the part by its figures."
            )
        with self._turn.taken():
            return self._run(netlist, timeout, progress)

    def close(self) -> None:
        """Do nothing: there is no process."""

    def _run(self, netlist: Netlist, timeout: float | None, progress: Progress | None) -> Run:
        from spicealif.circuit import solve_circuit

        start, cpu = time.perf_counter(), time.thread_time()
        design = netlist.design
        if not isinstance(design, Neuron):
            return self._ended(
                netlist, Status.REJECTED, "The equations are those of a neuron's circuit, and this "
                "is a series circuit, whose equations are its reference; take a SPICE simulator, "
                "or 'solve_series'.", start, cpu,
            )  # fmt: skip

        def look(fraction: float) -> None:
            if timeout is not None and time.perf_counter() - start > timeout:
                raise _Late
            if progress is not None:
                progress(fraction)

        try:
            solved = solve_circuit(
                design,
                rtol=rtol_of(design),
                interpolation_error=netlist.interpolation_error,
                progress=look,
            )
        except _Late:
            reason = f"The equations were not solved within the {timeout:g} s that they were given."
            return self._ended(netlist, Status.TIMEOUT, reason, start, cpu)
        except IntegrationError as error:
            return self._ended(netlist, Status.STOPPED_EARLY, str(error), start, cpu)
        kept = (
            *("method", "rtol", "n_steps", "energy_source", "energy_supply"),
            *("interpolation_error", "samples"),
        )
        attrs: dict[str, Any] = {
            "netlist_digest": netlist.digest,
            **provenance(design, self.name, self.version),
            **{name: solved.attrs[name] for name in kept if name in solved.attrs},
        }
        return self._ended(netlist, Status.OK, "", start, cpu, replace(solved, attrs=attrs))

    def _ended(
        self, netlist: Netlist, status: Status, reason: str, start: float, cpu: float,
        waveforms: Waveforms | None = None,
    ) -> Run:  # fmt: skip
        points = 0
        if waveforms is not None:
            points = int(waveforms.attrs.get("samples", len(waveforms)))
        errors = (Message("error", reason),) if reason else ()
        log = reason or f"The circuit's differential equations, {points} points."
        return Run(
            status=status, reason=reason, netlist=netlist, waveforms=waveforms, log=log,
            errors=errors, warnings=(),
            cost=Cost(time.thread_time() - cpu, time.perf_counter() - start, points),
            simulator=self.name, version=self.version,
        )  # fmt: skip

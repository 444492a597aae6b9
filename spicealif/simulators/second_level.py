"""The numerical error of a circuit that has no equations: a second run of it, more finely."""

from __future__ import annotations

import time
from dataclasses import replace

from spicealif.circuit.check import CircuitCheck, check_by_finer
from spicealif.design import Neuron
from spicealif.design.refinement import refined
from spicealif.netlist import build_netlist
from spicealif.simulators.run import Progress, Run, Simulator

__all__ = ["check_in_spice"]


def check_in_spice(
    neuron: Neuron,
    tool: Simulator,
    run: Run,
    end: float | None,
    progress: Progress | None,
) -> CircuitCheck | None:
    """Run a circuit that has no equations a second time, at a finer level, and compare.

    Parameters
    ----------
    neuron : Neuron
    tool : Simulator
    run : Run
        The first.
    end : float or None
        When the time limit ends, as ``time.monotonic()``, in s.
    progress : callable or None
        Called with the fraction of the second run that is done.

    Returns
    -------
    CircuitCheck or None
        With its `trouble` if the second run is not complete; None if the circuit has equations, or
        the first run is not.

    Raises
    ------
    NetlistError, SimulatorNotFound, SimulatorError
        As `build_netlist` and `Simulator.run`.
    """
    if not neuron.no_equations or not run.ok or run.waveforms is None:
        return None
    left = None if end is None else end - time.monotonic()
    trouble = "the time limit ended before it could be run a second time, at a finer level"
    if left is None or left > 0:
        netlist = replace(
            build_netlist(refined(neuron), tool.dialect),
            interpolation_error=run.netlist.interpolation_error,
        )
        second = tool.run(netlist, timeout=left, progress=progress)
        if second.ok and second.waveforms is not None:
            how = (
                f"reltol {netlist.reltol:g} in place of {run.netlist.reltol:g}, half the largest "
                "step and a finer steering"
            )
            return check_by_finer(run.waveforms, second.waveforms, neuron, how)
        trouble = f"a second run at a finer level failed ({second.reason.rstrip('.')})"
    return CircuitCheck({}, {}, trouble=f"{neuron.no_equations}, and {trouble}")

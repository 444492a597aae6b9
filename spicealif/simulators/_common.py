"""What the runners of ngspice share."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spicealif.design import store
from spicealif.errors import SimulatorError
from spicealif.netlist import Netlist
from spicealif.simulators.judge import judge, read_log, waveforms_from
from spicealif.simulators.raw import RawPlot, read_raw
from spicealif.simulators.run import Cost, Run, Status

__all__ = ["Output", "check_timeout", "finish", "private_folder", "provenance", "transients"]


@dataclass
class Output:
    """What a simulator left, before anything is made of it.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (N,)
        Its vectors by its own names, SI units.
    log : str
        Its words.
    cpu_s : float
        Its own CPU time in s.
    exit_code : int or None
        The program's; None if its process died in another way.
    timed_out : bool
        Whether it was stopped at the timeout.
    """

    columns: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    log: str = ""
    cpu_s: float = 0.0
    exit_code: int | None = 0
    timed_out: bool = False


def finish(netlist: Netlist, simulator: str, version: str, output: Output, start: float) -> Run:
    """Judge a simulator's output and make it a `Run`; `start` is ``time.perf_counter()`` then."""
    errors, warnings = read_log(output.log, netlist)
    attrs = provenance(netlist, simulator, version)
    waveforms, missing = waveforms_from(output.columns, netlist, attrs)
    stopped = Status.TIMEOUT if output.timed_out else None
    status, reason = judge(
        netlist, waveforms, missing, errors, exit_code=output.exit_code, stopped=stopped
    )
    points = len(waveforms) if waveforms is not None else 0
    return Run(
        status=status,
        reason=reason,
        netlist=netlist,
        waveforms=waveforms,
        log=output.log,
        errors=errors,
        warnings=warnings,
        cost=Cost(output.cpu_s, time.perf_counter() - start, points),
        simulator=simulator,
        version=version,
    )


def transients(raw: Path) -> list[RawPlot]:
    """Return the transient analyses of a raw file; raises `RawFileError` as `read_raw` does."""
    return [plot for plot in read_raw(raw) if "transient" in plot.plotname.lower()]


def check_timeout(timeout: float | None) -> None:
    """Raise `SimulatorError` unless `timeout` is None or positive."""
    if timeout is not None and not timeout > 0:
        raise SimulatorError(f"The timeout is {timeout:g} s; give a positive number of seconds.")


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new temporary folder, or raise `SimulatorError`."""
    try:
        # A file still open in it must not turn a good run into an error.
        return tempfile.TemporaryDirectory(prefix="spicealif-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SimulatorError(
            f"A temporary folder cannot be made ({error.strerror}); free some space, or set TMPDIR "
            "to a folder that can be written to."
        ) from None


def provenance(netlist: Netlist, simulator: str, version: str) -> dict[str, str | float | int]:
    """Return where a circuit's waveforms came from, for their ``attrs``."""
    return {
        "side": "circuit",
        "simulator": simulator,
        "version": version,
        "netlist_digest": netlist.digest,
        **store.provenance(netlist.neuron),
    }

"""ngspice as a program: one process a run, a private folder, its raw file read back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path

from spicealif.errors import RawFileError, SimulatorError, SimulatorNotFound
from spicealif.netlist import Netlist
from spicealif.rawfile.raw import RawPlot
from spicealif.simulators._common import (
    SUSPENDED,
    Output,
    check_timeout,
    death,
    finish,
    in_blocks,
    no_room,
    private_folder,
    transients,
    watch,
    write_deck,
)
from spicealif.simulators.process.environment import ngspice_environment
from spicealif.simulators.process.path import find_on_path
from spicealif.simulators.process.process import NotStarted, run_program
from spicealif.simulators.run import Progress, Run, Status
from spicealif.simulators.thinned import thinned_waveforms

__all__ = ["NgspiceBatch"]

_LOG = "out.log"
_INTERNAL = re.compile(
    r"internal error(?: --|:) *([^\n]{1,80}?)[ .]*$", re.IGNORECASE | re.MULTILINE
)
INSTALL = (
    "take the simulator 'equations', which needs none, or install it with: apt-get install ngspice"
)


class NgspiceBatch:
    """The program ``ngspice`` in batch mode.

    Parameters
    ----------
    program : str
        Name or path of the program.
    cross_check : bool
        Read each run's raw file with the package ``ltspice`` too; a difference fails the run.
    """

    name = "ngspice-batch"
    dialect = "ngspice"

    def __init__(self, program: str = "ngspice", *, cross_check: bool = False) -> None:
        self.program = program
        self.cross_check = cross_check

    @cached_property
    def path(self) -> str:
        """Path of the program.

        Raises
        ------
        SimulatorNotFound
            If it is not on this machine.
        """
        path = find_on_path(self.program)
        if path is None:
            raise SimulatorNotFound(
                f"The program {self.program!r} is not on this machine; {INSTALL}."
            )
        # It is started in another folder, where a relative path is another one.
        return str(Path(path).absolute())

    @cached_property
    def version(self) -> str:
        """The program's version, such as ``"ngspice-39"``."""
        try:
            out = subprocess.run(
                [self.path, "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=20,
                check=False,
                env=ngspice_environment(Path(os.sep)),
            ).stdout
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SimulatorError(
                f"{self.path!r} does not tell its version ({type(error).__name__}); check that it "
                "is ngspice."
            ) from None
        found = re.search(r"ngspice-[\w.+-]+", out)
        return found[0] if found else "ngspice (unknown version)"

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Run a netlist in the dialect ngspice; see `Simulator.run`."""
        check_timeout(timeout)
        version = self.version
        start = time.perf_counter()
        with private_folder() as name:
            folder = Path(name)
            write_deck(folder, "neuron.cir", netlist.text)
            raw, log_file = folder / "out.raw", folder / _LOG
            # -n: no .spiceinit, which would be somebody's program run before ours
            mode = [f"-Dngbehavior={netlist.compatibility}"] if netlist.compatibility else []
            command = [self.path, "-n", "-b", *mode, "-r", raw.name, "-o", log_file.name]
            command.append("neuron.cir")
            try:
                done = run_program(
                    command,
                    folder=folder,
                    timeout=timeout,
                    poll=watch(raw, netlist.t_stop, progress),
                    environment=ngspice_environment(folder),
                )
            except NotStarted as error:
                raise SimulatorError(
                    f"{self.path!r} cannot be started ({error}); check the program."
                ) from None
            log = log_file.read_text(errors="replace") if log_file.exists() else ""
            plot = _plot(raw)
            thinned = plot is not None and in_blocks(netlist)
            columns = plot.columns() if plot is not None and not thinned else {}
            stopped = Status.TIMEOUT if done.timed_out else None
            output = Output(columns, log, done.cpu_s, done.exit_code, stopped)
            if plot is not None and thinned:
                output.made = thinned_waveforms(plot, netlist, {})
            output.died = SUSPENDED if done.suspended else _death(done.exit_code, log)
            if stopped is None:
                output.no_room = _no_room(folder, output, plot, netlist.t_stop)
            if self.cross_check and plot is not None:
                output.second_opinion(raw, plot)
        output.timeout = timeout
        return finish(netlist, self.name, version, output, start)

    def close(self) -> None:
        """Do nothing: no process outlives a run."""


def _death(code: int, log: str) -> str:
    """Return what ended ngspice, the beginning of a sentence; empty if it ended by itself.

    It catches some signals, and its own failures to get memory, and says so before it exits with 1.
    A script around it tells its signal as shells do, by a code above 128.
    """
    if code and (found := _INTERNAL.search(log)):
        return f"The program ngspice ended with an {found[0].strip()}"
    return death(128 - code if 128 < code < 192 else code)


def _no_room(folder: Path, output: Output, plot: RawPlot | None, t_stop: float) -> str:
    """Return why ngspice's files are not whole, if that is the disk's fault.

    ngspice notices no failed write: it computes to the end and returns 0.
    """
    time = output.columns.get("time")
    if output.made is not None and output.made[0] is not None:
        time = output.made[0].time
    if time is not None and len(time) and time[-1] >= t_stop * (1 - 1e-9):
        return ""
    if output.exit_code == -getattr(signal, "SIGXFSZ", 0):
        return "a file grew beyond what this machine allows (ulimit -f)"
    if reason := no_room(folder):
        return reason
    # Somebody may have made room meanwhile, but a run that returns 0 has a log, and as many points
    # as its header says.
    empty = not output.log and (folder / _LOG).exists()
    if output.exit_code == 0 and (empty or (plot is not None and plot.truncated)):
        return "its files were cut off, as on a disk that was full for a while"
    return ""


def _plot(raw: Path) -> RawPlot | None:
    if not raw.exists():
        return None
    try:
        plots = transients(raw)
    except RawFileError:
        # A run killed before the header was out leaves such a file; the judge says the rest.
        return None
    return plots[-1] if plots else None

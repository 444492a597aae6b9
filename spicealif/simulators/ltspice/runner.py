"""LTspice as a program: one process a run, a private folder, its raw file and log read back."""

from __future__ import annotations

import contextlib
import os
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spicealif.errors import LogFileError, RawFileError, SimulatorError
from spicealif.ltspice_log.log import LtspiceLog, parse_ltspice_log, read_ltspice_log
from spicealif.netlist import Netlist
from spicealif.rawfile.raw import RawPlot
from spicealif.simulators._common import (
    SUSPENDED,
    Output,
    check_timeout,
    death,
    finish,
    no_room,
    private_folder,
    transients,
    watch,
    write_deck,
)
from spicealif.simulators.ltspice._judge import DECK, doubt, messages, nothing
from spicealif.simulators.ltspice._program import Host, LtspiceProgram, Solver, find_ltspice
from spicealif.simulators.process.environment import ltspice_environment
from spicealif.simulators.process.process import Finished, NotStarted, run_program
from spicealif.simulators.process.tree import ProcessTree
from spicealif.simulators.run import Message, Progress, Run, Status

__all__ = ["Ltspice", "Solver"]

#: A file system's clock may be this much coarser than ours, s.
_CLOCK = 2.0


class Ltspice:
    """LTspice for Windows or macOS, or for Windows under Wine.

    Safe to use from several threads at a time: each run has a folder and a process of its own.

    Parameters
    ----------
    program : path-like, optional
        The program, its folder, or its name on the PATH; see `find_ltspice` for where it is
        searched if not given.
    solver : Solver or str
        Which of LTspice's solvers runs: ``"default"`` (what its settings say), ``"normal"`` or
        ``"alternate"``, which rounds less and takes about twice as long.
    idle_limit : float or None
        LTspice is stopped after so many seconds without computing or writing anything, since it
        then waits for an answer in a window that nobody sees; None waits for ever.
    cross_check : bool
        Read each run's raw file with the package ``ltspice`` too; a difference fails the run.
    host : Host, optional
        The machine to search for the program; this one if not given.

    Raises
    ------
    SimulatorError
        If a parameter makes no sense.
    """

    name = "ltspice"
    dialect = "ltspice"

    def __init__(
        self,
        program: str | os.PathLike[str] | None = None,
        *,
        solver: Solver | str = Solver.DEFAULT,
        idle_limit: float | None = 60.0,
        cross_check: bool = False,
        host: Host | None = None,
    ) -> None:
        if idle_limit is not None and not idle_limit > 0:
            raise SimulatorError(
                f"idle_limit is {idle_limit:g} s; give a positive number of seconds, or None."
            )
        self._asked = program
        self.solver = _solver(solver)
        self.idle_limit = idle_limit
        self.cross_check = cross_check
        self._host = host

    @cached_property
    def program(self) -> LtspiceProgram:
        """LTspice as it was found.

        Raises
        ------
        SimulatorNotFound
            If it is not on this machine.
        """
        return find_ltspice(self._asked, self._host)

    @property
    def version(self) -> str:
        """The version that the program's file states, such as ``"LTspice 24.1.9.0"``."""
        return self.program.version

    @property
    def where(self) -> str:
        """Where the program is, how it was found and what starts it, for people."""
        program = self.program
        launcher = f", started by {' '.join(program.launcher)}" if program.launcher else ""
        return f"{program.path}, {program.found}{launcher}"

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Run a netlist in the dialect ltspice, and no other; see `Simulator.run`.

        The status comes from the raw file and the log: LTspice's exit code says little.
        """
        check_timeout(timeout)
        if netlist.dialect != self.dialect:
            raise SimulatorError(
                f"The netlist is in the dialect {netlist.dialect}; build it with "
                "build_netlist(neuron, 'ltspice')."
            )
        program = self.program
        start = time.perf_counter()
        with private_folder() as name:
            # Without links: Wine's drive Z: does not know macOS' and Linux' shortcuts to /tmp.
            deck = write_deck(Path(name).resolve(), DECK, netlist.text)
            try:
                done = run_program(
                    program.command(deck, self.solver),
                    folder=deck.parent,
                    timeout=timeout,
                    poll=watch(deck.with_suffix(".raw"), netlist.t_stop, progress),
                    environment=ltspice_environment(program.environment),
                    tree=ProcessTree(Path(name).name),
                    idle_limit=self.idle_limit,
                )
            except NotStarted as error:
                raise SimulatorError(
                    f"{ascii(str(program.path))} cannot be started ({error}); check the "
                    "program, or name another by SPICEALIF_LTSPICE."
                ) from None
            output, version = self._output(netlist, deck, done)
        output.timeout = timeout
        return finish(netlist, self.name, version or program.version, output, start)

    def close(self) -> None:
        """Do nothing: no process outlives a run."""

    def _output(self, netlist: Netlist, deck: Path, done: Finished) -> tuple[Output, str]:
        """Read what a run left; return it with the version that it states."""
        raw = deck.with_suffix(".raw")
        # By the file system's own clock, which need not be ours.
        begun = deck.stat().st_mtime
        log = _log(deck.with_suffix(".log"), begun)
        plot, columns, complaint = _plot(raw, begun)
        stopped = Status.TIMEOUT if done.timed_out else Status.STALLED if done.idle else None
        errors, warnings = messages(log, netlist)
        whole = log.finished and plot is not None and not plot.truncated
        died = "" if done.stopped else death(done.exit_code, "LTspice")
        died = SUSPENDED if done.suspended else died
        words = [died, complaint or "" if not stopped else ""]
        errors += tuple(Message("error", text) for text in words if text)
        output = Output(
            # What it says of itself at its end is worth more than its exit code.
            exit_code=0 if log.finished or done.exit_code > 0 else done.exit_code,
            columns=columns,
            log=log.text,
            cpu_s=done.cpu_s,
            stopped=stopped,
            messages=(errors, warnings),
            doubt=doubt(log, errors, stopped),
            # What it says of itself at its end is worth more than how it went away.
            died="" if log.finished else died,
            no_room="" if whole or stopped else no_room(deck.parent),
        )
        if complaint or not columns:
            output.nothing = nothing(log, done, self.idle_limit, complaint)
        if plot is not None and self.cross_check:
            output.second_opinion(raw, plot)
        if log.finished and not log.fatal and (done.stopped or done.exit_code):
            how = f"ended with exit code {done.exit_code}"
            how = "did not end and was stopped" if done.stopped else how
            text = f"LTspice {how} after a run that its log calls finished."
            output.remarks += (Message("warning", text),)
        if done.stragglers:
            text = "Something that LTspice had started outlived it and was stopped."
            output.remarks += (Message("warning", text),)
        # IV and XVII do not say in their logs which they are, and little of it in the raw file.
        command = plot.command if plot is not None and not self.program.stated else ""
        return output, log.version or command


def _solver(value: Solver | str) -> Solver:
    if isinstance(value, Solver):
        return value
    try:
        return Solver[value.upper()]
    except (KeyError, AttributeError):
        names = ", ".join(s.name.lower() for s in Solver)
        raise SimulatorError(
            f"LTspice has no solver {ascii(value)}; choose one of {names}."
        ) from None


def _fresh(path: Path, begun: float) -> bool:
    """Whether a file is there and was written since `begun`."""
    try:
        return path.stat().st_mtime >= begun - _CLOCK
    except OSError:
        return False


def _log(path: Path, begun: float) -> LtspiceLog:
    if _fresh(path, begun):
        with contextlib.suppress(LogFileError):
            log = read_ltspice_log(path)
            # Lines of UTF-16 among others have a zero behind each letter.
            return parse_ltspice_log(log.text.replace("\0", "")) if "\0" in log.text else log
    return parse_ltspice_log("")


def _plot(raw: Path, begun: float) -> tuple[RawPlot | None, dict[str, NDArray[Any]], str | None]:
    """Return the transient analysis, its columns, and why a file that is there has no data."""
    if not _fresh(raw, begun):
        return None, {}, None
    try:
        plots = transients(raw)
        if not plots:
            return None, {}, "the raw file holds no transient analysis"
        columns = plots[-1].columns(expand=True)
        axis = next(iter(columns.values()))
        # The first point is the operating point: it shows no run.
        few = "" if len(axis) and axis[-1] > 0 else "the raw file holds no point after the first"
        return plots[-1], columns, few or None
    except RawFileError as error:
        # A run stopped before the header was out leaves such a file. Its place is gone by the
        # time that this is read.
        what = str(error).removeprefix(f"{ascii(str(raw))}: ").rstrip(".")
        return None, {}, f"the raw file is of no use: {what.partition(';')[0]}"

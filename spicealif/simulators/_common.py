"""What the runners share: folders, netlists written, outputs judged."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spicealif._text import shown
from spicealif.design import AnyDesign, store
from spicealif.errors import RawFileError, SimulatorError
from spicealif.netlist import Netlist
from spicealif.simulators._folders import PrivateFolder
from spicealif.simulators.judge import judge, read_log, waveforms_from
from spicealif.simulators.raw import RawPlot, read_raw
from spicealif.simulators.run import Cost, Message, Run, Status
from spicealif.simulators.second_reader import cross_check

__all__ = [
    "SUSPENDED",
    "Output",
    "check_timeout",
    "death",
    "finish",
    "no_room",
    "private_folder",
    "provenance",
    "transients",
    "write_deck",
]

#: What is said of a simulator that was given up because it did not go on.
SUSPENDED = "The simulator's process was stopped (SIGSTOP), did not go on, and was ended"
#: What a folder must have room for so that it is not called full, bytes.
_ROOM = 1 << 16


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
    stopped : Status or None
        Why it was stopped by us, such as TIMEOUT.
    messages : tuple of tuple of Message, or None
        Errors and warnings, where somebody has read them already; ngspice's are read here.
    remarks : tuple of Message
        Warnings of ours about the run.
    doubt : tuple of Status and str, or None
        Why data that look complete are no result all the same.
    nothing : tuple of Status and str, or None
        Why there is nothing at all, where the simulator's runner knows better than the judge.
    died : str
        What ended the simulator before it was done, the beginning of a sentence; empty if it ended
        by itself or by us.
    no_room : str
        Why its files could not be written, in the middle of a sentence; empty if they could.
    """

    columns: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    log: str = ""
    cpu_s: float = 0.0
    exit_code: int | None = 0
    stopped: Status | None = None
    messages: tuple[tuple[Message, ...], tuple[Message, ...]] | None = None
    remarks: tuple[Message, ...] = ()
    doubt: tuple[Status, str] | None = None
    nothing: tuple[Status, str] | None = None
    died: str = ""
    no_room: str = ""

    def second_opinion(self, raw: Path, plot: RawPlot) -> None:
        """Have the package ``ltspice`` read the raw file too; a difference becomes the doubt."""
        try:
            skipped = cross_check(raw, plot)
        except RawFileError as error:
            # The file is gone when this is read.
            reason = str(error).replace(ascii(str(raw)), "the raw file")
            self.doubt = Status.READERS_DIFFER, reason
            return
        if skipped:
            self.remarks += (Message("warning", skipped),)


def finish(netlist: Netlist, simulator: str, version: str, output: Output, start: float) -> Run:
    """Judge a simulator's output and make it a `Run`; `start` is ``time.perf_counter()`` then."""
    errors, warnings = output.messages or read_log(output.log, netlist)
    attrs = {"netlist_digest": netlist.digest, **provenance(netlist.design, simulator, version)}
    waveforms, missing = waveforms_from(output.columns, netlist, attrs)
    status, reason = judge(
        netlist,
        waveforms,
        missing,
        errors,
        exit_code=output.exit_code,
        stopped=output.stopped,
        died=output.died,
    )
    if output.doubt is not None and status.ok:
        status, reason = output.doubt
    if output.nothing is not None:
        status, reason = output.nothing
    if output.no_room and not status.ok and output.stopped is None:
        status, reason = Status.NO_ROOM, f"{reason.rstrip('.')}: {output.no_room}."
    points = len(waveforms) if waveforms is not None else 0
    return Run(
        status=status,
        reason=reason,
        netlist=netlist,
        waveforms=waveforms,
        log=output.log,
        errors=errors,
        warnings=(*warnings, *output.remarks),
        cost=Cost(output.cpu_s, time.perf_counter() - start, points),
        simulator=simulator,
        version=shown(version, 100),  # of a log or a raw file, where the program does not say it
    )


def transients(raw: Path) -> list[RawPlot]:
    """Return the transient analyses of a raw file; raises `RawFileError` as `read_raw` does."""
    return [plot for plot in read_raw(raw) if "transient" in plot.plotname.lower()]


def check_timeout(timeout: float | None) -> None:
    """Raise `SimulatorError` unless `timeout` is None or positive."""
    if timeout is not None and not timeout > 0:
        raise SimulatorError(f"The timeout is {timeout:g} s; give a positive number of seconds.")


def write_deck(folder: Path, name: str, text: str) -> Path:
    """Write a netlist into a private folder; return its path, or raise `SimulatorError`."""
    deck = folder / name
    try:
        deck.write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise SimulatorError(
            f"The netlist cannot be written to a temporary folder ({error.strerror}); free some "
            "space, or set TMPDIR to a folder that has some."
        ) from None
    return deck


def no_room(folder: Path) -> str:
    """Return why nothing more can be written in a folder; empty if it can.

    It is tried: quotas, limits of a file's size and broken disks show in no figure of free room.
    """
    probe = folder / "room"
    try:
        with probe.open("wb") as file:
            file.write(bytes(_ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return "too many files are open"
        reason = error.strerror or type(error).__name__
        what = "the folder for temporary files"
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            return f"no room is left in {what} ({reason})"
        return f"nothing more can be written in {what} ({reason})"
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return ""


def death(exit_code: int | None, program: str = "The program ngspice") -> str:
    """Return what ended a program that did not end by itself; empty if it did.

    Parameters
    ----------
    exit_code : int or None
        As in `Finished`; None if nothing is known but that it is gone.
    program : str
        What it is called.

    Returns
    -------
    str
        The beginning of a sentence.
    """
    if exit_code is None:
        return f"{program} died"
    if exit_code >= 0:
        return ""
    if exit_code < -128:
        return f"{program} was ended by exception 0x{exit_code & 0xFFFFFFFF:X}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return f"{program} was ended by signal {-exit_code}"
    # The one that nobody can catch, and that the system sends when memory runs out.
    hint = " (as the system does when memory runs out)" if name == "SIGKILL" else ""
    return f"{program} was ended by {name}{hint}"


def private_folder() -> PrivateFolder:
    """Return a new temporary folder, or raise `SimulatorError`."""
    return PrivateFolder()


def provenance(design: AnyDesign, simulator: str, version: str) -> dict[str, str | float | int]:
    """Return where a circuit's waveforms came from, for their ``attrs``."""
    return {
        "side": "circuit",
        "simulator": simulator,
        "version": version,
        **store.provenance(design),
    }

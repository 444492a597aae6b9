"""What the runners share: folders, netlists written, outputs judged."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spicealif._support.text import shown
from spicealif.design import AnyDesign, Neuron, store
from spicealif.errors import RawFileError, SimulatorError
from spicealif.netlist import Netlist
from spicealif.rawfile.growing import GrowingRaw
from spicealif.rawfile.raw import RawPlot, read_raw
from spicealif.rawfile.second_reader import cross_check
from spicealif.simulators.judge import judge, read_log, waveforms_from
from spicealif.simulators.process.folders import PrivateFolder
from spicealif.simulators.run import Cost, Message, Progress, Run, Status
from spicealif.waveforms import Waveforms

__all__ = [
    "SUSPENDED",
    "Output",
    "check_timeout",
    "death",
    "finish",
    "in_blocks",
    "no_room",
    "private_folder",
    "provenance",
    "transients",
    "watch",
    "write_deck",
]

#: What is said of a simulator that was given up because it did not go on.
SUSPENDED = "The simulator's process was stopped (SIGSTOP), did not go on, and was ended"
#: What a folder must have room for so that it is not called full, bytes.
_ROOM = 1 << 16
#: The largest reltol with which spikes were nowhere more than 13 ns off on `paper`.
_COARSE = 1e-5


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
    timeout : float or None
        Seconds that it was given.
    no_room : str
        Why its files could not be written, in the middle of a sentence; empty if they could.
    made : tuple of Waveforms or None and list of str, or None
        In place of `columns`, what `thinned_waveforms` has made of them.
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
    timeout: float | None = None
    no_room: str = ""
    made: tuple[Waveforms | None, list[str]] | None = None

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


def in_blocks(netlist: Netlist) -> bool:
    """Return whether the samples of a run are thinned while they are read."""
    return netlist.interpolation_error > 0 and isinstance(netlist.design, Neuron)


def finish(netlist: Netlist, simulator: str, version: str, output: Output, start: float) -> Run:
    """Judge a simulator's output and make it a `Run`; `start` is ``time.perf_counter()`` then."""
    errors, warnings = output.messages or read_log(output.log, netlist)
    attrs: dict[str, str | float | int] = {
        "netlist_digest": netlist.digest,
        "reltol": netlist.reltol,
        **provenance(netlist.design, simulator, version),
    }
    if output.made is not None:
        (waveforms, missing) = output.made
        if waveforms is not None:
            attrs = {**attrs, **waveforms.attrs}
            waveforms = replace(waveforms, attrs=attrs)
    else:
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
    if status is Status.TIMEOUT and output.timeout is not None:
        reason = f"{reason.rstrip('.')}, after the {output.timeout:g} s that it was given."
    if output.doubt is not None and status.ok:
        status, reason = output.doubt
    if output.nothing is not None:
        status, reason = output.nothing
    if output.no_room and not status.ok and output.stopped is None:
        status, reason = Status.NO_ROOM, f"{reason.rstrip('.')}: {output.no_room}."
    points = int(attrs.get("samples", len(waveforms))) if waveforms is not None else 0
    coarse = _coarse(netlist.design)
    if waveforms is not None:
        # What is wrong with them goes with them into files.
        said = [f"{reason} ({status.name})"] if not status.ok else []
        if caveat := " ".join([*said, *coarse]):
            waveforms = replace(waveforms, attrs={**attrs, "caveat": caveat})
    return Run(
        status=status,
        reason=reason,
        netlist=netlist,
        waveforms=waveforms,
        log=output.log,
        errors=errors,
        warnings=(*warnings, *output.remarks, *(Message("warning", text) for text in coarse)),
        cost=Cost(output.cpu_s, time.perf_counter() - start, points),
        simulator=simulator,
        version=shown(version, 100),  # of a log or a raw file, where the program does not say it
    )


def _coarse(design: AnyDesign) -> list[str]:
    """Return what is to be said of tolerances with which nobody would take a result for one."""
    reltol = design.numerics.safe_reltol
    if reltol <= _COARSE:
        return []
    usual = type(design.numerics)().safe_reltol
    return [
        f"numerics.reltol = {reltol:g} is coarse ({usual:g} is safe): on the preset paper "
        "spikes were up to 5 us off with 1e-4 and 25 us with 1e-2; lower it, or look at the errors "
        "('spicealif run --certify')."
    ]


def transients(raw: Path) -> list[RawPlot]:
    """Return the transient analyses of a raw file; raises `RawFileError` as `read_raw` does."""
    return [plot for plot in read_raw(raw) if "transient" in plot.plotname.lower()]


def watch(raw: Path, t_stop: float, progress: Progress | None) -> Callable[[], None] | None:
    """Return a function that reports how far a raw file has got; None if nobody wants to know."""
    if progress is None:
        return None
    growing = GrowingRaw(raw)

    def look() -> None:
        reached = growing.last()
        if reached is not None and 0 <= reached <= t_stop:
            progress(reached / t_stop)

    return look


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

"""What a simulator returns: a `Run`, whatever happened."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from spicealif._support.described import Described
from spicealif._support.drawn import Drawn
from spicealif._support.text import counted, shown
from spicealif.design import Neuron
from spicealif.errors import RunFailed
from spicealif.netlist import Netlist, SourceLine
from spicealif.waveforms import Waveforms

__all__ = ["Cost", "Message", "Progress", "Run", "Simulator", "Status"]

_LOG = logging.getLogger(__name__)

_LONGEST = 1000  # characters of a simulator's message that are shown
#: Called with the fraction done, 0 to 1, a few times a second.
Progress = Callable[[float], None]


class Status(enum.Enum):
    """How a run ended; the text is the sentence a user reads, remedy included."""

    OK = "The run reached its end with every vector it was asked for."
    STOPPED_EARLY = (
        "The simulator stopped before the end of the run; the waveforms up to that time are kept."
        " Look at the component named, or relax numerics.reltol."
    )
    TIMEOUT = (
        "The run took longer than the timeout and was stopped; give it more time (--timeout) or "
        "shorten t_stop."
    )
    REJECTED = (
        "The simulator did not accept the netlist; look at the line named, and report it if the "
        "netlist is ours."
    )
    INCOMPLETE = (
        "The simulator ended normally but its data are not complete; look at its log for what it "
        "dropped."
    )
    CRASHED = (
        "The simulator's process died before it was done; run it again, with more memory if that "
        "ran out, or try simulator ngspice-batch."
    )
    NO_ROOM = (
        "The simulator's files could not be written; free some space, or set TMPDIR to a folder "
        "that has some, and run it again."
    )
    STALLED = (
        "The simulator neither computed nor wrote anything and was stopped; it may have been "
        "waiting for an answer in a window: start it once by hand and answer it."
    )
    UNSOLVED = (
        "The simulator wrote data to the end but says that it could not solve the circuit; do not "
        "use them, and look at the component named."
    )
    NO_OUTPUT = (
        "The simulator ended without writing anything; check that the program named is what it "
        "should be, and run the netlist once by hand ('spicealif netlist' writes it)."
    )
    READERS_DIFFER = (
        "Two readers read the raw file differently; trust neither until it is known why, and "
        "report it with the netlist."
    )

    @property
    def ok(self) -> bool:
        """Whether the data are complete."""
        return self is Status.OK

    @property
    def passing(self) -> bool:
        """Whether the trouble was the machine's, so that the same run may well succeed."""
        return self in (Status.CRASHED, Status.NO_ROOM)


@dataclass(frozen=True)
class Message:
    """One finding in a simulator's log.

    Attributes
    ----------
    level : {"error", "warning"}
    text : str
        The simulator's words.
    source : SourceLine or None
        The line and component it speaks of, where known.
    """

    level: str
    text: str
    source: SourceLine | None = None

    def __str__(self) -> str:
        text = shown(self.text, _LONGEST)
        return f"{text} [{self.source}]" if self.source else text


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes
    ----------
    cpu_s : float
        CPU time of the simulator itself in s.
    wall_s : float
        Time from call to data in s.
    points : int
        Time points stored.
    """

    cpu_s: float
    wall_s: float
    points: int


@dataclass(frozen=True, eq=False, repr=False)
class Run(Described, Drawn):
    """A simulator run.

    Attributes
    ----------
    status : Status
    reason : str
        What happened in one sentence, with the component where known; empty if all is well.
    netlist : Netlist
    waveforms : Waveforms or None
        All there is; partial if the run died half-way, None if there is nothing.
    log : str
        The simulator's output.
    errors, warnings : tuple of Message
        What the log says, mapped to components.
    cost : Cost
    simulator : str
        ``"ngspice"``, ``"ngspice-batch"`` or ``"ltspice"``.
    version : str
        The simulator's own version, such as ``"ngspice-39"``.
    """

    status: Status
    reason: str
    netlist: Netlist
    waveforms: Waveforms | None
    log: str
    errors: tuple[Message, ...]
    warnings: tuple[Message, ...]
    cost: Cost
    simulator: str
    version: str

    def __post_init__(self) -> None:
        # Made once, when a run has ended in whatever way.
        _LOG.info("reltol %g: %r", self.netlist.reltol, self)

    def _facts(self) -> list[tuple[str, str]]:
        facts = [
            ("of", f"'{self.netlist.design.name}'"),
            ("by", self.version),
            ("status", self.status.name if self.ok else f"{self.status.name} ({self.reason})"),
        ]
        if self.waveforms is not None:
            facts.append(("with", counted(len(self.waveforms.t_spike), "spike")))
        facts.append(("", counted(self.cost.points, "time point")))
        facts.append(("CPU", f"{self.cost.cpu_s:.3g} s"))
        if self.warnings:
            facts.append(("", counted(len(self.warnings), "warning")))
        return facts

    @property
    def ok(self) -> bool:
        """Whether the data are complete."""
        return self.status.ok

    @property
    def message(self) -> str:
        """What happened and what to do, for people."""
        remedy = self.status.value
        design = self.netlist.design
        makers = isinstance(design, Neuron) and bool(design.no_equations)
        if self.status is Status.REJECTED and makers:
            remedy = (
                "The simulator did not accept the netlist, in which a maker's model stands for a "
                "part; look at the line named, and try another simulator or an older model of the "
                "maker's."
            )
        return remedy if self.ok else f"{self.reason} {remedy}".strip()

    def record(self) -> dict[str, Any]:
        """Return in plain values by what it was run, how it ended and what it cost."""
        return {
            "simulator": self.simulator,
            "version": self.version,
            "status": self.status.name,
            "reason": self.reason,
            "warnings": [str(warning) for warning in self.warnings],
            "cpu_s": self.cost.cpu_s,
            "wall_s": self.cost.wall_s,
            "points": self.cost.points,
        }

    def require(self) -> Waveforms:
        """Return the waveforms of a complete run.

        Returns
        -------
        Waveforms

        Raises
        ------
        RunFailed
            If the run is not complete; its ``run`` has what there is.
        """
        if not self.ok or self.waveforms is None:
            raise RunFailed(self.message, self)
        return self.waveforms


class Simulator(Protocol):
    """What a simulator must do.

    1. ``run`` returns a `Run` whatever the simulator does; it raises only `SimulatorNotFound`,
       or `SimulatorError` for a call that makes no sense.
    2. The status comes from the data and the log, never from the exit code alone.
    3. No process outlives ``close``, a timeout, or an exception.
    4. `KeyboardInterrupt` is passed on after the simulator has been stopped.
    """

    name: str
    dialect: str

    @property
    def version(self) -> str:
        """The simulator's version."""
        ...

    def run(
        self, netlist: Netlist, *, timeout: float | None = None, progress: Progress | None = None
    ) -> Run:
        """Run a netlist.

        Parameters
        ----------
        netlist : Netlist
            In the simulator's dialect.
        timeout : float, optional
            Seconds of wall time after which the simulator is stopped with all that it started;
            what it has computed by then is kept.
        progress : callable, optional
            Called with the fraction done.

        Returns
        -------
        Run

        Raises
        ------
        SimulatorNotFound
            If the simulator is not on this machine.
        SimulatorError
            If the call makes no sense (such as a timeout that is not positive), there is no room
            for temporary files, or the simulator cannot be started.
        """
        ...

    def close(self) -> None:
        """Release processes; the simulator can still be used again."""
        ...

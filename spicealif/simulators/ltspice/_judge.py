"""What LTspice's log means for a run, and which part of the circuit it speaks of."""

from __future__ import annotations

from pathlib import PureWindowsPath

from spicealif.ltspice_log.log import LogMessage, LtspiceLog
from spicealif.netlist import Netlist, SourceLine
from spicealif.simulators.process.process import Finished
from spicealif.simulators.run import Message, Status

__all__ = ["DECK", "doubt", "messages", "nothing"]

#: Name of the netlist's file; LTspice names raw file and log after it.
DECK = "neuron.net"


def messages(log: LtspiceLog, netlist: Netlist) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return the errors and warnings of a log, mapped to the netlist.

    Parameters
    ----------
    log : LtspiceLog
    netlist : Netlist
        What was run.

    Returns
    -------
    errors, warnings : tuple of Message
        In the log's order, each once.
    """
    found: dict[str, dict[str, Message]] = {"error": {}, "warning": {}}
    for message in log.messages:
        source, text = _source(message, netlist), _text(message)
        found[message.level].setdefault(text, Message(message.level, text, source))
    return tuple(found["error"].values()), tuple(found["warning"].values())


def doubt(
    log: LtspiceLog, errors: tuple[Message, ...], stopped: Status | None = None
) -> tuple[Status, str] | None:
    """Return why a run is no result although its data look complete, if there is a reason.

    LTspice writes a raw file for a singular matrix too, so its data alone prove nothing.

    Parameters
    ----------
    log : LtspiceLog
    errors : tuple of Message
        Its errors, see `messages`.
    stopped : Status, optional
        Why it was stopped by us.

    Returns
    -------
    tuple of Status and str, or None
    """
    fatal = {_text(m) for m in log.fatal}
    blamed = next((m for m in errors if m.text in fatal), None)
    if blamed is not None:
        return Status.UNSOLVED, f"LTspice says: {str(blamed).rstrip(' .')}."
    status = stopped or Status.INCOMPLETE
    if not log.text:
        return status, "LTspice left no log, so it is not known whether it ended well."
    if not log.finished:
        return status, "LTspice's log ends before the run does."
    return None


def nothing(
    log: LtspiceLog, done: Finished, idle_limit: float | None, complaint: str | None
) -> tuple[Status, str] | None:
    """Return what became of a run without data, where LTspice's log does not say it.

    Parameters
    ----------
    log : LtspiceLog
    done : Finished
        How the program ended.
    idle_limit : float or None
        After how many seconds of doing nothing it was stopped.
    complaint : str or None
        Why its raw file has no data; None if there is no raw file.

    Returns
    -------
    tuple of Status and str, or None
        None if the log or the way it ended says it all.
    """
    if done.idle:
        return Status.STALLED, (
            f"LTspice did nothing for {idle_limit or 0:g} s; versions from 24 on ask at their "
            "first start whether they may report usage."
        )
    if done.stopped or log.errors or (done.exit_code < 0 and not log.finished):
        return None
    code = f"LTspice ended with exit code {done.exit_code}"
    if not log.text and complaint is None:
        return Status.NO_OUTPUT, f"{code}, without a raw file or a log."
    why = complaint or "there is no raw file"
    if log.finished:
        return Status.INCOMPLETE, f"LTspice's log says that the run ended, but {why}."
    return Status.CRASHED, f"{code} before it had computed anything, and without a reason: {why}."


def _text(message: LogMessage) -> str:
    """Return LTspice's words without the folder of the netlist, which is gone by then."""
    name = PureWindowsPath(message.file).name
    return message.text.replace(message.file, name, 1) if name == DECK else message.text


def _source(message: LogMessage, netlist: Netlist) -> SourceLine | None:
    words = " ".join(message.text.lower().split())
    for source in netlist.source_map:
        card = " ".join(source.text.lower().split())
        # Cards with a blank: ".end" is part of much else.
        if card and card[0] not in "*+" and " " in card and card in words:
            return source
    for name in message.names:
        if found := netlist.find(name):
            return found
    # A line of a library is none of ours; LTspice 24 and later name the file.
    ours = not message.file or PureWindowsPath(message.file).name.lower() == DECK
    if ours and message.line is not None and (found := netlist.line(message.line)) and found.text:
        return found
    return None

"""What LTspice's log means for a run, and which part of the circuit it speaks of."""

from __future__ import annotations

from pathlib import PureWindowsPath

from spicealif.netlist import Netlist, SourceLine
from spicealif.simulators.ltspice_log import LogMessage, LtspiceLog
from spicealif.simulators.run import Message, Status

__all__ = ["DECK", "doubt", "messages"]

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
        source = _source(message, netlist)
        found[message.level].setdefault(message.text, Message(message.level, message.text, source))
    return tuple(found["error"].values()), tuple(found["warning"].values())


def doubt(log: LtspiceLog, errors: tuple[Message, ...]) -> tuple[Status, str] | None:
    """Return why a run is no result although its data look complete, if there is a reason.

    LTspice writes a raw file for a singular matrix too, so its data alone prove nothing.

    Parameters
    ----------
    log : LtspiceLog
    errors : tuple of Message
        Its errors, see `messages`.

    Returns
    -------
    tuple of Status and str, or None
    """
    fatal = {m.text for m in log.fatal}
    blamed = next((m for m in errors if m.text in fatal), None)
    if blamed is not None:
        return Status.UNSOLVED, f"LTspice says: {str(blamed).rstrip(' .')}."
    if not log.text:
        return Status.INCOMPLETE, "LTspice left no log, so it is not known whether it ended well."
    if not log.finished:
        return Status.INCOMPLETE, "LTspice's log ends before the run does."
    return None


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

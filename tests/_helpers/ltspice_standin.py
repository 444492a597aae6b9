r"""A stand-in for LTspice, which cannot be installed where these tests run.

It takes LTspice's command line, checks the deck as LTspice would, runs it in ngspice and writes
LTspice's files beside the netlist: ``deck.raw``, ``deck.op.raw``, ``deck.log``. Nothing of the
package is used, so that the package's reader can be tested against it. ::

    LTspice [-Run] -b [-ascii] [-alt | -norm] [-ini FILE] deck.net [-IFOLDER]

`install(folder)` writes a program that runs this file. The environment says what it is like;
`install(folder, do="hang")` writes the same into the program itself.

STANDIN_FLAVOUR   iv, xvii, mac17, win24, win26 (default): headers, logs, command line, words
STANDIN_DO        misbehaviour, joined by commas; see `_standin_faults.py`:
    hang            a modal dialog: no CPU, no files          burn   the same, using the CPU
    nothing         exit 0, no files                          log-only   exit 0, a finished log
    cut[:n]         the raw file ends at byte n (half), the log is not finished
    cut-done[:n]    the same with a finished log
    singular        a complete raw file, but the log says that the matrix is singular
    kill[:n] segv[:n]   die by SIGKILL or SIGSEGV after n bytes (half) of the raw file
    full[:n]        no room for the raw file: the file system's, or from byte n on
    stale[:s]       everything complete, but the files are s seconds old (3600)
    slow[:s]        the raw file grows over s seconds (2)     wait[:s]   s seconds before anything
    linger          all files complete, but the program never ends; with cut it stops half-way
    ignore-term     SIGTERM, SIGINT and SIGHUP are ignored
    fork            child, and grandchild in a session of its own, all hanging
    daemon          a good run, which leaves a process in a session of its own (Wine's server)
STANDIN_EXIT      exit code, whatever happened
STANDIN_LOG       utf-16-le, utf-8, cp1252 or mixed: the log's encoding, instead of the flavour's
STANDIN_RAW       a raw file of ngspice's to convert, instead of running ngspice (milliseconds)
STANDIN_LIFE      seconds after which whatever hangs ends (60): a failed test leaves nothing
STANDIN_WINDOW    what a wrong command line does: fail (exit 64, default) or hang, as LTspice does
STANDIN_CHECK     portable (default), ltspice (only what LTspice itself refuses) or off
STANDIN_WINE      1: called as "wine LTspice.exe ...", and paths are Z:\... only
STANDIN_BACKANNO  text of a Backannotation line; STANDIN_FOURTH  a fourth column of the variables
STANDIN_MODE      ngspice's compatibility mode, such as ltpsa; none by default
STANDIN_NGSPICE   the program ngspice

Exit codes of its own: 64 wrong command line, 65 wrong setting, 66 a fault of
the stand-in, 67 LTspice does this and the
stand-in does not, 70 hung for STANDIN_LIFE.
"""

import errno
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from _standin_deck import DeckError, NotDone, read_deck
from _standin_faults import Faults
from _standin_raw import FLAVOURS

WRONG_COMMAND, WRONG_SETTING, BROKEN, NOT_DONE = 64, 65, 66, 67
DEFAULTS = {
    "FLAVOUR": "win26",
    "DO": "",
    "EXIT": "",
    "LOG": "",
    "RAW": "",
    "LIFE": "60",
    "WINDOW": "fail",
    "CHECK": "portable",
    "WINE": "",
    "BACKANNO": "",
    "FOURTH": "",
    "MODE": "",
    "NGSPICE": "ngspice",
}
CHOICES = {
    "FLAVOUR": tuple(FLAVOURS),
    "LOG": ("", "utf-16-le", "utf-8", "cp1252", "mixed"),
    "WINDOW": ("fail", "hang"),
    "CHECK": ("portable", "ltspice", "off"),
    "WINE": ("", "1"),
}


def write_raw(*args, **options):
    """See `_standin_raw.write_raw`."""
    from _standin_raw import write_raw as write

    write(*args, **options)


def raw_bytes(*args, **options):
    """See `_standin_raw.raw_bytes`."""
    from _standin_raw import raw_bytes as build

    return build(*args, **options)


def compress(*args, **options):
    """See `_standin_raw.compress`."""
    from _standin_raw import compress as thin

    return thin(*args, **options)


def write_log(*args, **options):
    """See `_standin_log.write_log`."""
    from _standin_log import write_log as write

    write(*args, **options)


def install(folder, name="LTspice", **settings) -> Path:
    """Write a program that runs the stand-in with this interpreter; return its path.

    Settings are the environment's names without STANDIN_, in lower case; they go before the
    environment, so that tests need not change theirs.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    lines = ["#!/bin/sh"]
    for key, text in settings.items():
        if key.upper() not in DEFAULTS:
            raise ValueError(f"no setting {key!r}; known: {' '.join(DEFAULTS).lower()}")
        lines.append(f"export STANDIN_{key.upper()}={_quoted(text)}")
    lines.append(f'exec {_quoted(sys.executable)} {_quoted(Path(__file__).resolve())} "$@"')
    program.write_text("\n".join([*lines, ""]))
    program.chmod(0o755)
    return program


def _quoted(text):
    return "'" + str(text).replace("'", "'\\''") + "'"


class WrongCommand(Exception):
    """LTspice would open a window now."""


@dataclass
class Command:
    """What the command line asks for."""

    netlist: Path
    spelled: str
    ascii: bool = False
    alternate: bool = False


def read_command(arguments, flavour, wine=False) -> Command | None:
    """Read a command line as strictly as LTspice; None asks for the version."""
    arguments = list(arguments)
    if wine:
        # wine's own first argument is the program
        program = arguments.pop(0) if arguments else ""
        if not program.lower().endswith(".exe") or not _local(program, False).exists():
            raise WrongCommand(f"wine: cannot find {program!r}")
    if not FLAVOURS[flavour].windows:
        if len(arguments) != 2 or arguments[0] != "-b" or arguments[1].startswith("-"):
            raise WrongCommand("LTspice 17 for macOS knows only: -b netlist")
        return Command(Path(arguments[1]), arguments[1])
    if arguments == ["-version"] and flavour in ("win24", "win26"):
        return None
    if arguments and arguments[-1].startswith("-I") and arguments[-1] != "-I":
        arguments.pop()
    if "-ini" in arguments:
        at = arguments.index("-ini")
        if len(arguments) < at + 2 or arguments[at + 1].startswith("-"):
            raise WrongCommand("-ini needs a file")
        del arguments[at : at + 2]
    switches = [word for word in arguments if word.startswith("-")]
    unknown = set(switches) - {"-b", "-Run", "-ascii", "-alt", "-norm"}
    if unknown:
        raise WrongCommand(f"not known, or not in its place: {' '.join(sorted(unknown))}")
    if "-b" not in switches:
        raise WrongCommand("no -b: the window stays open")
    files = [word for word in arguments if not word.startswith("-")]
    if len(files) != 1:
        raise WrongCommand(f"{len(files)} netlists")
    path = _local(files[0], wine)
    # a path of Windows's is told as it was given, any other in full
    spelled = str(path.absolute()) if str(path) == files[0] else files[0]
    return Command(path, spelled, "-ascii" in switches, "-alt" in switches)


def _local(text, only_windows):
    """Return where a path of Windows's is here: Wine has / as drive Z."""
    if text[:2].lower() == "z:":
        return Path(text[2:].replace("\\", "/"))
    if only_windows or text[1:2] == ":" or "\\" in text:
        raise WrongCommand(f"no such path for Windows programs: {text!r}")
    return Path(text)


def settings() -> dict:
    """Read the environment; a setting or value that is not known is an error."""
    given = {k[8:]: v for k, v in os.environ.items() if k.startswith("STANDIN_")}
    unknown = set(given) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown: {' '.join(sorted(unknown))}")
    found = {**DEFAULTS, **given}
    for key, choices in CHOICES.items():
        if found[key] not in choices:
            raise ValueError(f"STANDIN_{key}={found[key]!r} is none of {choices}")
    return found


def main(arguments=None) -> int:
    """Run as a program."""
    try:
        chosen = settings()
        faults = Faults(chosen["DO"], float(chosen["LIFE"]))
        code = int(chosen["EXIT"]) if chosen["EXIT"] else None
    except ValueError as error:
        return _say(f"wrong setting: {error}", WRONG_SETTING)
    flavour = chosen["FLAVOUR"]
    try:
        command = read_command(
            sys.argv[1:] if arguments is None else arguments, flavour, bool(chosen["WINE"])
        )
    except WrongCommand as error:
        if chosen["WINDOW"] == "hang":
            faults.rest()
        return _say(f"wrong command line: {error}", WRONG_COMMAND)
    if command is None:
        print(FLAVOURS[flavour].version.split()[1])
        return 0
    try:
        mine = _simulate(command, chosen, faults)
    except NotDone as error:
        return _say(f"the stand-in does not do this: {error}", NOT_DONE)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            traceback.print_exc()
            return BROKEN
        mine = _say(error.strerror, 1)  # a guess: no such end of LTspice's is known
    except Exception:
        # not 1: that is what LTspice ends with
        traceback.print_exc()
        return BROKEN
    return mine if code is None else code


def _say(text, code):
    print(f"stand-in for LTspice: {text}", file=sys.stderr)
    return code


def _simulate(command, chosen, faults):
    """Run a deck and write its files; return LTspice's exit code."""
    if chosen["WINE"]:
        print("0024:fixme:ntdll:NtQuerySystemInformation info_class ...", file=sys.stderr)
    if not faults.begin():
        return 0
    path = command.netlist
    if not path.is_file():
        return 0  # real: no complaint, no files
    started = time.time()
    from _standin_run import Run

    run = Run(command, chosen, faults, started)
    try:
        deck = read_deck(path.read_bytes(), check=chosen["CHECK"])
    except DeckError as error:
        return run.refuse(error)
    return run.go(deck)


if __name__ == "__main__":
    sys.exit(main())

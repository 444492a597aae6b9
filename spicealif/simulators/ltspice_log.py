"""Reader of the logs that LTspice writes beside each raw file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from spicealif.errors import LogFileError
from spicealif.simulators._ltspice_text import decode_log, parse_number

__all__ = ["LtspiceLog", "decode_log", "parse_ltspice_log", "read_ltspice_log"]

_MAX_SIZE = 1 << 28  # bytes


@dataclass(frozen=True)
class LtspiceLog:
    """What a log says.

    Attributes
    ----------
    text : str
        The whole log.
    encoding : str
        Its encoding as `decode_log` names it; empty if it was given as text.
    steps : tuple of dict of str to float
        The values of the stepped parameters, in the order of the steps: the i-th belongs to the
        i-th step of the raw file. Names as LTspice writes them, in lower case, values in SI units;
        NaN where the value is no number. Empty for a run that is not stepped.
    step_lines : tuple of str
        The same as LTspice wrote them, without ``.step``.
    finished : bool
        Whether LTspice got as far as writing ``Total elapsed time``. That is no proof of success.
    """

    text: str
    encoding: str = ""
    steps: tuple[dict[str, float], ...] = ()
    step_lines: tuple[str, ...] = ()
    finished: bool = False


def parse_ltspice_log(text: str) -> LtspiceLog:
    """Find what a log says.

    Parameters
    ----------
    text : str
        The text of a log, of its beginning, or of anything else.

    Returns
    -------
    LtspiceLog
        What was not found is empty or None.
    """
    steps: list[dict[str, float]] = []
    step_lines: list[str] = []
    finished = False
    for line in text.split("\n"):
        if line.startswith(".step") and (step := _step(line[5:])):
            steps.append(step)
            step_lines.append(line[5:].strip())
        elif line.startswith("Total elapsed time:"):
            finished = True
    return LtspiceLog(text, "", tuple(steps), tuple(step_lines), finished)


def read_ltspice_log(path: str | os.PathLike[str]) -> LtspiceLog:
    """Read a log file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    LtspiceLog

    Raises
    ------
    LogFileError
        The file does not exist, cannot be read, is not a regular file or is larger than 256 MB.
    """
    from dataclasses import replace

    text, encoding = decode_log(_read(path))
    return replace(parse_ltspice_log(text), encoding=encoding)


def _step(text: str) -> dict[str, float]:
    """Parse the assignments of a ``.step`` line; empty if it holds none."""
    values: dict[str, float] = {}
    for token in text.split():
        name, equals, value = token.rpartition("=")
        if equals and name:
            number = parse_number(value)
            values[name.lower()] = float("nan") if number is None else number
    return values


def _read(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file."""
    try:
        file_path = Path(path)
        status = file_path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
            _fail(path, "it is not a regular file", "pass the log that LTspice wrote")
        with file_path.open("rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except FileNotFoundError:
        _fail(path, "the file does not exist", "check the path and that the simulation ran")
    except OSError as error:
        _fail(path, f"the file cannot be read ({error.strerror})", "check the path and its mode")
    except (TypeError, ValueError) as error:
        if isinstance(error, LogFileError):
            raise
        _fail(path, f"this is no path ({error})", "pass the path of a log")
    if len(data) > _MAX_SIZE:
        _fail(path, "it is larger than 256 MB, which no log is", "check the path")
    return data


def _fail(path: object, what: str, remedy: str) -> NoReturn:
    raise LogFileError(f"{ascii(str(path))}: {what}; {remedy}.")

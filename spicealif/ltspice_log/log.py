"""Reader of the logs that LTspice, and Qspice, write beside each raw file.

A log is read line by line, each by its own form: the order of the parts differs from version to
version. IV and XVII write settings and statistics behind the results; 17 for macOS, 24 and later
write settings first; 24 and later write results last, and the reason why a circuit was refused
behind the elapsed time or, without any head, alone.
"""

from __future__ import annotations

import math
import os
import re
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from spicealif.errors import LogFileError
from spicealif.ltspice_log._glue import split_glued
from spicealif.ltspice_log._measurements import (
    Measurement,
    Table,
    failed,
    failed_name,
    parse_result,
    read_table,
)
from spicealif.ltspice_log._messages import (
    Finding,
    LogMessage,
    find_message,
    shows_run,
    shows_solution,
)
from spicealif.ltspice_log._text import decode_log, parse_number, point

__all__ = [
    "LogMessage",
    "LtspiceLog",
    "Measurement",
    "decode_log",
    "parse_ltspice_log",
    "read_ltspice_log",
]

_MAX_SIZE = 1 << 28  # bytes
_MAX_REASONS = 10  # lines of an otherwise silent log that are taken for the reason

_TIME = re.compile(r"([0-9.,]{1,30}) {0,3}(hour|minute|second)", re.IGNORECASE)
_SECONDS = {"hour": 3600.0, "minute": 60.0, "second": 1.0}
_SETTING = re.compile(r"(temp|tnom|method|solver) = (.{1,200})")
#: ``.step r=1`` of LTspice, ``1 of 2 steps:  .step r=1`` of Qspice.
_STEP = re.compile(r"(?:\d{1,9} of \d{1,9} steps?: {0,8})?\.step", re.IGNORECASE)
_VERSION = re.compile(r"LTspice [0-9]")
_HEAD = ("Circuit: ", "Start Time: ", "Date: ", "Options:", "Total iterations:")


@dataclass(frozen=True, eq=False)
class LtspiceLog:
    """What a log says.

    Attributes
    ----------
    text : str
        The whole log.
    encoding : str
        Its encoding as `decode_log` names it; empty if it was given as text.
    version : str
        The program, such as ``LTspice 17.2.4 for MacOS``; empty up to XVII, which do not say it.
    circuit : str
        First line of the netlist without its star, or the netlist's path (24 and later).
    steps : tuple of dict of str to float
        The values of the stepped parameters, in the order of the steps: the i-th belongs to the
        i-th step of the raw file. Names in lower case as LTspice writes them (``2n2222(vaf)`` for a
        parameter of a model), values in SI units, temperatures in degrees Celsius; NaN where a
        value is no number. Empty for a run without steps, and for a stepped operating point, whose
        raw file has the parameter among its variables.
    step_lines : tuple of str
        The same as LTspice wrote them, without ``.step``.
    measurements : dict of str to Measurement
        Results of ``.meas`` by name in lower case, those that failed last. LTspice computes them on
        compressed waveforms.
    messages : tuple of LogMessage
        Errors and warnings in the log's order, each once.
    elapsed_s : float or None
        How long the run took, in s, as LTspice says.
    finished : bool
        Whether LTspice got as far as writing the elapsed time. It writes it for many failed runs
        too: a run that failed has a fatal message.
    method : str
        Integration method, such as ``modified trap``; empty if not stated.
    solver : str
        ``Normal`` or ``Alternate``; empty if not stated.
    temp, tnom : float or None
        Temperature of the circuit (of one step, if it is stepped) and nominal temperature, in
        degrees Celsius.
    """

    text: str = field(repr=False)
    encoding: str = ""
    version: str = ""
    circuit: str = ""
    steps: tuple[dict[str, float], ...] = ()
    step_lines: tuple[str, ...] = ()
    measurements: dict[str, Measurement] = field(default_factory=dict)
    messages: tuple[LogMessage, ...] = ()
    elapsed_s: float | None = None
    finished: bool = False
    method: str = ""
    solver: str = ""
    temp: float | None = None
    tnom: float | None = None

    @property
    def errors(self) -> tuple[LogMessage, ...]:
        """The messages that are errors."""
        return tuple(message for message in self.messages if message.level == "error")

    @property
    def warnings(self) -> tuple[LogMessage, ...]:
        """The messages that are warnings."""
        return tuple(message for message in self.messages if message.level == "warning")

    @property
    def fatal(self) -> tuple[LogMessage, ...]:
        """The messages because of which the run's data are missing or no solution."""
        return tuple(message for message in self.messages if message.fatal)


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
    return _Parser(text).parse()


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
    text, encoding = decode_log(_read(path))
    return replace(parse_ltspice_log(text), encoding=encoding)


class _Parser:
    """Goes through the lines of a log once."""

    def __init__(self, text: str) -> None:
        self.log = LtspiceLog(text)
        self.lines = split_glued(text.split("\n"))
        self.steps: list[dict[str, float]] = []
        self.step_lines: list[str] = []
        self.results: list[Measurement | Table] = []
        self.failed: list[str] = []
        self.findings: list[Finding] = []
        self.facts: dict[str, str] = {}
        self.elapsed: float | None = None
        self.finished = self.ran = False
        self.solved = -1
        self.rest: list[int] = []  # lines that nothing else claimed

    def parse(self) -> LtspiceLog:
        k = 0
        while k < len(self.lines):
            k = self._take(k)
        return replace(
            self.log,
            version=self.facts.get("version", ""),
            circuit=self.facts.get("circuit", ""),
            steps=tuple(self.steps),
            step_lines=tuple(self.step_lines),
            measurements=self._measurements(),
            messages=self._messages(),
            elapsed_s=self.elapsed,
            finished=self.finished,
            method=self.facts.get("method", ""),
            solver=self.facts.get("solver", ""),
            temp=parse_number(self.facts.get("temp", "")),
            tnom=parse_number(self.facts.get("tnom", "")),
        )

    def _take(self, k: int) -> int:
        """Read what begins at line `k`, and return the line after it."""
        line = self.lines[k].strip()
        if not line:
            return k + 1
        if shows_run(line):
            self.ran = True
        if shows_solution(line):
            self.solved = k
        if match := _STEP.match(line):
            text = line[match.end() :]
            if step := _step(text):
                self.steps.append(step)
                self.step_lines.append(text.strip())
            return k + 1
        if line.startswith("Measurement:"):
            table, end = read_table(self.lines, k)
            self.results.append(table)
            return end
        if line.startswith("Files loaded:"):
            return self._skip(k, ("",))
        if line.startswith("--- Expanded Netlist ---"):  # of .options list
            return self._skip(k, ("", ".end"))
        if self._is_fact(line):
            return k + 1
        if result := parse_result(line):
            self.results.append(result)
            return k + 1
        if name := failed_name(line):
            self.failed.append(name)
        finding, end = find_message(self.lines, k)
        if finding:
            self.findings.append(finding)
            return end
        self.rest.append(k)
        return k + 1

    def _is_fact(self, line: str) -> bool:
        """Take a line of the log's head or tail; return whether it is one."""
        if line.startswith("Total elapsed time:"):
            self.finished = True
            self.elapsed = _elapsed(line)
        elif match := _SETTING.fullmatch(line):
            self.facts.setdefault(match[1], match[2])
        elif _VERSION.match(line):
            self.facts.setdefault("version", line)
        elif line.startswith("Circuit: "):
            self.facts.setdefault("circuit", line[9:].lstrip("* "))
        else:
            return line.startswith(_HEAD)
        return True

    def _skip(self, k: int, ends: tuple[str, ...]) -> int:
        """Index of the line after the next one that is one of `ends`."""
        k += 1
        while k < len(self.lines) and self.lines[k].strip().lower() not in ends:
            k += 1
        return k + 1

    def _measurements(self) -> dict[str, Measurement]:
        measurements: dict[str, Measurement] = {}
        for i, result in enumerate(self.results):
            if isinstance(result, Measurement):
                measurement = result
            else:
                # Only the last table can be cut off. Others that lack rows are not worth the
                # memory that a hostile log could ask for.
                whole = i == len(self.results) - 1 or len(self.steps) <= 4 * len(result.rows)
                measurement = result.measurement(len(self.steps) if whole else 0)
            measurements[measurement.name.lower()] = measurement
        for name in self.failed:
            if name.lower() not in measurements:
                measurements[name.lower()] = failed(name, max(1, len(self.steps)))
        return measurements

    def _messages(self) -> tuple[LogMessage, ...]:
        judged: dict[str, LogMessage] = {}
        for finding in sorted([*self.findings, *self._reasons()], key=lambda f: f.index):
            message = finding.judged(ran=self.ran, solved=self.solved)
            judged.setdefault(message.text, message)
        return tuple(judged.values())

    def _reasons(self) -> list[Finding]:
        """Take unknown lines for the reason why LTspice did not run, where they must hold it.

        24 and later write the reason right behind the elapsed time or the iterations, where else a
        blank line follows; a log without any sign of a run holds nothing but its reason.
        """
        reasons = [k for k in self.rest if self._ends_run(k - 1)]
        if not self.ran and not self.findings:
            reasons = self.rest[:_MAX_REASONS]
        return [
            Finding(LogMessage("error", " ".join(self.lines[k].strip()[:1000].split())), "fatal", k)
            for k in reasons[:_MAX_REASONS]
        ]

    def _ends_run(self, k: int) -> bool:
        return k >= 0 and self.lines[k].startswith(("Total elapsed time:", "Total iterations:"))


def _step(text: str) -> dict[str, float]:
    """Parse the assignments of a ``.step`` line; empty if it holds none.

    Temperatures carry a unit: ``temp=-40°C`` in XVII, ``temp=-40°`` in 26, and what a wrong
    encoding makes of the sign.
    """
    values: dict[str, float] = {}
    for token in text.split():
        name, equals, value = token.rpartition("=")
        if equals and name:
            if name.lower() == "temp":
                value = re.sub(r"[^0-9.]{1,4}$", "", value)
            number = parse_number(point(value))
            values[name.lower()] = math.nan if number is None else number
    return values


def _elapsed(line: str) -> float | None:
    """Seconds of ``Total elapsed time: 0.119 seconds.``."""
    total: float | None = None
    for number, unit in _TIME.findall(line[:200]):
        value = parse_number(point(number))
        if value is not None:
            total = (total or 0.0) + value * _SECONDS[unit.lower()]
    return total


def _read(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file."""
    try:
        file_path = Path(path)
        if not stat.S_ISREG(file_path.stat().st_mode):  # opening a pipe would wait for a writer
            _fail(path, "it is not a regular file", "pass the log that LTspice wrote")
        with file_path.open("rb") as file:
            # read(n) makes room for n bytes, however few there are
            size = min(os.fstat(file.fileno()).st_size, _MAX_SIZE)
            data = file.read(size + 1)
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

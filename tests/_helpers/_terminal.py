"""A terminal with a person at it: runs a command, keeps what is seen, presses Ctrl-C.

The command runs in a pseudo-terminal, whose line discipline sends a Ctrl-C to the foreground group
as a real one's does; `pyte` draws what comes out, as a terminal would.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import ptyprocess
import pyte

__all__ = ["Seen", "Terminal", "command"]

ROOT = Path(__file__).resolve().parent.parent.parent
#: Seconds after which a command counts as hanging, and that processes have to go away.
_LIMIT, _GRACE = 300.0, 5.0
_ROWS = 24


def command(*arguments: str) -> list[str]:
    """Return the command line of spicealif in this checkout, called as its script calls it."""
    start = (
        "import sys; sys.argv[0] = 'spicealif'; from spicealif.cli import main; sys.exit(main())"
    )
    return [sys.executable, "-c", start, *arguments]


@dataclass
class Seen:
    """What a person saw.

    Attributes
    ----------
    code : int
        The exit code; negative for the signal that ended the command.
    text : str
        All that stayed on the screen, scrolled lines included, lines cut where the terminal ends.
    raw : bytes
        All that was written.
    screens : list of tuple of str
        The screen after each piece of output.
    cursor : bool
        Whether the cursor is seen at the end.
    same_mode : bool
        Whether the terminal's mode is as it was.
    left : list of str
        Processes that outlived the command.
    """

    code: int = 0
    text: str = ""
    raw: bytes = b""
    screens: list[tuple[str, ...]] = field(default_factory=list)
    cursor: bool = True
    same_mode: bool = True
    left: list[str] = field(default_factory=list)

    def printed(self) -> list[str]:
        """Return the lines as they were written, however wide the terminal is."""
        plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.raw).decode("utf-8", "replace")
        return [row for part in plain.split("\n") for row in part.split("\r")]

    def wrapped_progress(self) -> bool:
        """Return whether progress ever took more than one line.

        Of one line the cursor goes up once, when it is wiped; of more, at each drawing.
        """
        return self.raw.count(b"\x1b[1A") > 1

    @property
    def trouble(self) -> list[str]:
        """What no run may show, interrupted or not."""
        found = []
        if b"Traceback" in self.raw or b"Exception ignored" in self.raw:
            found.append("traceback")
        if not self.cursor:
            found.append("no cursor")
        if not self.same_mode:
            found.append("another mode")
        if self.left:
            found.append(f"left: {self.left}")
        return found


class Terminal:
    """A terminal of a size, in which one command runs.

    Parameters
    ----------
    arguments : sequence of str
        The command.
    columns : int
    folder : Path
        Working directory.
    environment : mapping
        Added to this process's.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 100,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        # Of its own, by which its processes are known: simulators inherit little else.
        self._temporary = tempfile.TemporaryDirectory()
        self._begun = time.time()
        without = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COVERAGE_PROCESS_START")
        env = {k: v for k, v in os.environ.items() if k not in without}
        env |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        env |= {**(environment or {}), "TMPDIR": self._temporary.name}
        self.screen = pyte.HistoryScreen(columns, _ROWS, history=5000, ratio=1)
        self.stream = pyte.ByteStream(self.screen)
        self.seen = Seen()
        self.process = ptyprocess.PtyProcess.spawn(
            list(arguments), cwd=str(folder), env=env, dimensions=(_ROWS, columns)
        )
        self._mode = termios.tcgetattr(self.process.fd)

    def runs(self) -> bool:
        """Return whether the command has not ended."""
        return self._runs()

    def wait_for_program(self, limit: float = 20.0) -> None:
        """Wait until Python itself has started and Ctrl-C is the command's own matter.

        It then handles SIGTERM as well, which Python does not.
        """
        end = time.monotonic() + limit
        status = Path(f"/proc/{self.process.pid}/status")
        while time.monotonic() < end and self.runs():
            caught = int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)
            if caught >> (signal.SIGTERM - 1) & 1:
                return
            time.sleep(0.001)

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C."""
        os.write(self.process.fd, b"\x03")

    def resize(self, columns: int) -> None:
        """Make the window narrower or wider, which sends SIGWINCH."""
        self.process.setwinsize(_ROWS, columns)
        self.screen.resize(_ROWS, columns)

    def read_until(self, done: Callable[[Terminal], bool], limit: float = _LIMIT) -> bool:
        """Read what is written until something is seen; return whether it was.

        Returns False if the command ended before; fails if the limit is over.
        """
        end = time.monotonic() + limit
        while not done(self):
            if time.monotonic() > end:
                return False
            if not self._read(0.05):
                return False
        return True

    def finish(self) -> Seen:
        """Read to the command's end and say what was seen."""
        end = time.monotonic() + _LIMIT
        while self._read(0.1):
            if time.monotonic() > end:
                os.kill(self.process.pid, signal.SIGKILL)
                raise AssertionError(f"the command hangs; on its screen: {self.lines()}")
        seen = self.seen
        self._wait()
        seen.same_mode = termios.tcgetattr(self.process.fd) == self._mode
        seen.cursor = not self.screen.cursor.hidden
        history = [
            "".join(c.data for _, c in sorted(row.items())) for row in self.screen.history.top
        ]
        seen.text = "\n".join(line.rstrip() for line in [*history, *self.lines()]).rstrip()
        seen.left = self._left()
        self.process.fileobj.close()
        return seen

    def lines(self) -> tuple[str, ...]:
        """Return what is on the screen now."""
        return tuple(line.rstrip() for line in self.screen.display)

    def _read(self, wait: float) -> bool:
        """Take what has been written; return False at the end."""
        if not select.select([self.process.fd], [], [], wait)[0]:
            # Where something holds the terminal open, its end does not come.
            return psutil.pid_exists(self.process.pid) and self._runs()
        try:
            data = os.read(self.process.fd, 65536)
        except OSError:  # the other side is closed
            return False
        if not data:
            return False
        self.seen.raw += data
        self.stream.feed(data)
        self.seen.screens.append(self.lines())
        return True

    def _runs(self) -> bool:
        return psutil.Process(self.process.pid).status() != psutil.STATUS_ZOMBIE

    def _wait(self) -> None:
        """Take the exit code of a command that has closed the terminal."""
        end = time.monotonic() + _GRACE
        while self._runs():
            if time.monotonic() > end:
                os.kill(self.process.pid, signal.SIGKILL)
                raise AssertionError(f"the command closed its terminal and goes on: {self.lines()}")
            time.sleep(0.005)
        _, status = os.waitpid(self.process.pid, 0)
        self.process.terminated = True
        self.seen.code = os.waitstatus_to_exitcode(status)

    def _left(self) -> list[str]:
        end = time.monotonic() + _GRACE
        while left := self._marked():
            if time.monotonic() > end:
                for process in left:
                    process.kill()
                return [" ".join(p.cmdline()) for p in left if p.is_running()] or ["?"]
            time.sleep(0.05)
        return []

    def _marked(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.create_time() < self._begun - 1:
                    continue  # of somebody else
                if process.environ().get("TMPDIR") == self._temporary.name:
                    found.append(process)
            except psutil.Error:
                continue
        return [p for p in found if p.status() != psutil.STATUS_ZOMBIE]

"""Seeing to it that a program does not outlive this process, whatever ends this process.

On Linux the kernel does it: the program is started by ``setpriv --pdeathsig``, which costs less
than a millisecond and leaves no process of its own. What starts others in turn (LTspice under Wine)
is watched by a shell that waits for a pipe to close, as is every program where there is no such
``setpriv``; on Windows the program is put into a job that ends with its last handle. What slips
through, because the watcher was killed as well, is ended by the next call (`folders`).
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from spicealif.simulators.process.environment import python_path

__all__ = ["NO_PROGRAM", "guarded_command", "guarding"]

#: Exit codes with which ``setpriv`` says that it could not start the program.
NO_PROGRAM = (126, 127)
#: Waits for a word; if the pipe closes without one, does what its arguments say.
_WATCH = 'read -r word || exec "$@"'
_END = """
import os, shutil, sys
folder, sys.path[:] = sys.argv[1], sys.argv[2:]
from spicealif.simulators.process.tree import ProcessTree
ProcessTree(os.path.basename(folder)).kill()
shutil.rmtree(folder, ignore_errors=True)
"""


@cache
def _setpriv() -> str | None:
    """Return the program that ties another to its parent's life, if there is one that can."""
    path = shutil.which("setpriv") if sys.platform == "linux" else None
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--pdeathsig", "KILL", "--", path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if done.returncode == 0 else None


def guarded_command(command: Sequence[str]) -> list[str]:
    """Return the command that starts a program so that it ends with the calling thread.

    The thread that starts it must be the one that waits for it. Where the kernel offers nothing of
    the kind the command comes back as it is.
    """
    path = _setpriv()
    return [path, "--pdeathsig", "KILL", "--", *command] if path else list(command)


@contextlib.contextmanager
def guarding(folder: Path, *, tree: bool) -> Iterator[None]:
    """End the processes of a run, and remove its folder, if this process ends in the block.

    Parameters
    ----------
    folder : Path
        The run's private folder, whose name its processes have in their environment.
    tree : bool
        Whether the program may start others; one that does not is the kernel's, see
        `guarded_command`.
    """
    watcher = None
    if sys.platform != "win32" and (tree or _setpriv() is None):
        end = [sys.executable, "-c", _END, str(folder), *python_path()]
        # No watcher is no reason not to run.
        with contextlib.suppress(OSError):
            watcher = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "sh", *end],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )
    try:
        yield
    finally:
        if watcher is not None:
            watcher.kill()
            watcher.wait()
            assert watcher.stdin is not None
            watcher.stdin.close()

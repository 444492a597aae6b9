"""The command line within this process, for tests that ask what a command does and not how it
starts: Python and its imports are the most of what a short command costs.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from spicealif.cli.main import _warning_text, run

__all__ = ["call"]


def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as the program does, and return its exit code and what it printed."""
    words = [str(word) for word in arguments]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))

    def show(message: Any, category: Any, filename: str, lineno: int, *_: object) -> None:
        sys.stderr.write(_warning_text(message, category, filename, lineno))

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(cwd or Path.cwd()))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(warnings.catch_warnings())
        warnings.resetwarnings()
        warnings.showwarning = show
        code = run(words)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(words, code, *texts)

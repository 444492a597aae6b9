"""What a simulator's process inherits: made by us, so that it depends on nobody's settings.

ngspice runs whatever ``spinit`` and ``.spiceinit`` hold, and finds them by environment variables
and the home folder; without HOME it dies of a null pointer; under a Turkish locale it does not
know the letter I. So its environment is a list of what it needs and nothing else. LTspice is
another matter: Wine, its screen and people's own scripts need variables that nobody can list, so
there only what is known to do harm is taken out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["MARK", "ltspice_environment", "ngspice_environment", "python_path"]

#: Holds the name of a run's private folder, so that its processes are known wherever they go.
MARK = "SPICEALIF_RUN"

#: Where programs and libraries are, and where files may go.
_NEEDED = (
    *("PATH", "TMPDIR", "LD_LIBRARY_PATH", "NGSPICE_LIBRARY_PATH"),
    *("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH"),
)
#: Without these no program starts on Windows, or none finds its libraries and temporary files.
_NEEDED_WINDOWS = (
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP"),
    *("PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"),
)
#: Locales, ngspice's own variables, and what makes a shell run somebody's file first.
_HARMFUL = ("LANG", "LANGUAGE", "BASH_ENV", "ENV")
_HARMFUL_BEGINNINGS = ("LC_", "SPICE_", "NGSPICE_")


def ngspice_environment(folder: Path, *, python: bool = False) -> dict[str, str]:
    """Return the environment of a process that runs ngspice.

    Parameters
    ----------
    folder : Path
        The run's private folder, which is its home too.
    python : bool
        Whether the process is Python's; it then keeps what Python was told by variables.

    Returns
    -------
    dict of str to str
    """
    names = (*_NEEDED, *(_NEEDED_WINDOWS if sys.platform == "win32" else ()))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    if python:
        kept |= {k: v for k, v in os.environ.items() if k.startswith(("PYTHON", "__PYVENV"))}
        # One thread: it computes nothing with it, and its threads take memory.
        kept["OPENBLAS_NUM_THREADS"] = "1"
    return kept | {"LC_ALL": "C", "HOME": str(folder), MARK: folder.name}


def ltspice_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that runs LTspice.

    Parameters
    ----------
    extra : mapping of str to str
        What the way it is started needs, see `LtspiceProgram`.

    Returns
    -------
    dict of str to str
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _HARMFUL and not name.startswith(_HARMFUL_BEGINNINGS)
    }
    if sys.platform != "win32":
        # Not plain C: Wine then takes names of files for ASCII.
        kept["LC_ALL"] = "C.UTF-8"
    return {**kept, **extra}


def python_path() -> list[str]:
    """Return ``sys.path`` for a Python process of ours, which may start in another folder.

    What was added at run time is in it, in the same order, so that the process finds the same
    spicealif; so is what PYTHONPATH has got since this process began.
    """
    added = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    entries = [p for p in sys.path if isinstance(p, str)]
    # Path('') is the current folder, as it is in sys.path.
    return [os.path.abspath(p) for p in (*(a for a in added if a not in entries), *entries)]  # noqa: PTH100

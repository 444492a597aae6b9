"""Programs on the PATH, and nowhere else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["find_on_path"]


def find_on_path(name: str, path: str | None = None) -> str | None:
    """Return where a program is, as `shutil.which` does.

    On Windows that looks into the current folder first, and what lies there may be anybody's: it
    counts only if the PATH names the folder.

    Parameters
    ----------
    name : str
        Name or path of the program.
    path : str, optional
        The PATH to search; the environment's if not given.

    Returns
    -------
    str or None
    """
    found = shutil.which(name, path=path)
    if found is None or os.path.dirname(name):  # noqa: PTH120 - a name, not yet a path
        return found
    folders = (os.environ.get("PATH", "") if path is None else path).split(os.pathsep)
    here = Path(found).parent.absolute()
    named = {Path(folder).absolute() for folder in folders if folder}
    return found if here in named or here != Path.cwd() else None

"""Where the templates and models are: inside the wheel, or at the top of a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spicealif.errors import SpicealifError

__all__ = ["models_dir", "netlists_dir"]


@cache
def models_dir() -> Path:
    """Return the folder of part models and presets."""
    return _find("models")


@cache
def netlists_dir() -> Path:
    """Return the folder of netlist templates."""
    return _find("netlists")


def _find(name: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise SpicealifError(
        f"The folder '{name}' of this installation is missing; install spicealif again."
    )

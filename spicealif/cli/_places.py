"""Where a command is to write, asked before it computes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["check_places"]

#: What is written into the folder of figures of a fit.
_FIGURES = ("loops.png", "traces.png", "residuals.png", "correlations.png")


def check_places(
    outputs: Mapping[str, tuple[Path | None, str]], figures: Path | None, inputs: Sequence[Path]
) -> None:
    """Raise `OutputError` if what a fit finds could not be written where it is said.

    Whether the folders can be written to is asked by `spicealif._files.output_folder`.

    Parameters
    ----------
    outputs : mapping of str to (Path or None, str)
        By option: the file, and the ending that it must have.
    figures : Path or None
        Folder.
    inputs : sequence of Path
        Files that are read, which must not be written over.
    """
    from spicealif.errors import OutputError

    seen: dict[Path, str] = {}
    read = {_real(path) for path in inputs}
    for option, (path, ending) in outputs.items():
        if path is None:
            continue
        mode = _mode(path, option)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(
                f"{option} {ascii(str(path))} is a folder; give the name of a file, such as "
                f"{ascii(str(path / f'device{ending}'))}."
            )
        special = mode is not None and not stat.S_ISREG(mode)
        if not special and path.suffix.lower() != ending:
            better = path.with_suffix(ending) if path.name else path / f"device{ending}"
            raise OutputError(
                f"{option} writes {ending[1:].upper()}, but {ascii(str(path))} does not end in "
                f"{ending}; give {ascii(str(better))}."
            )
        where = _real(path)
        if where in read:
            raise OutputError(
                f"{option} {ascii(str(path))} is a file that is read; give another name."
            )
        if not special and where in seen:
            raise OutputError(
                f"{seen[where]} and {option} both are {ascii(str(path))}; give two names."
            )
        seen[where] = option
    if figures is not None:
        for name in _FIGURES:
            mode = _mode(figures / name, "--figures")
            if mode is not None and stat.S_ISDIR(mode):
                raise OutputError(
                    f"{ascii(str(figures / name))} is a folder where --figures writes a file; "
                    "choose another place."
                )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _mode(path: Path, option: str) -> int | None:
    """Return the type of what is there, None if there is nothing."""
    from spicealif.errors import OutputError

    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise OutputError(
                f"{option} {ascii(str(path))} is longer than names of files may be; shorten it."
            ) from None
        return None  # whatever else is wrong with the folder is said when it is made
    except ValueError:
        raise OutputError(f"{option} {ascii(str(path))} is not a path; give another.") from None

"""Small results kept on disk under the digest of everything they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from spicealif._support.files import replacing
from spicealif._support.kept import open_regular, read_record, record, set_aside, tell
from spicealif.errors import OutputError

__all__ = ["NO_HOME", "Cache", "cache_folder", "digest_of", "open_cache", "source_digest"]

_DAMAGED = "damaged"
#: A longer file is no entry of ours; of one that has no end so much is read.
_LONGEST = 1 << 24

#: Said where a user has no folder of that kind.
NO_HOME = (
    "this user has no home folder; name a folder of yours in the environment's SPICEALIF_CACHE."
)


def cache_folder(*, chosen: bool = True) -> Path | None:
    """Return where results are kept: ``SPICEALIF_CACHE``, or the user's cache folder.

    Parameters
    ----------
    chosen : bool
        Whether ``SPICEALIF_CACHE`` counts.

    Returns
    -------
    Path or None
        Absolute; None for a user who has no home folder.
    """
    if chosen and (named := os.environ.get("SPICEALIF_CACHE")):
        return Path(named).absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # others are to be ignored, says the XDG specification
        return base / "spicealif"
    try:
        return Path.home() / ".cache" / "spicealif"
    except RuntimeError:
        return None


def digest_of(*parts: object) -> str:
    """Return the SHA-256 of some numbers and texts, as hexadecimal text."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def source_digest(*names: str) -> str:
    """Return the SHA-256 of parts of this package's source.

    A result kept by an older version of the code that made it must not be taken for its own.

    Parameters
    ----------
    *names : str
        Files and folders relative to the package.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for name in names:
        path = root / name
        for file in sorted(path.glob("**/*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def open_cache(wanted: str | os.PathLike[str] | bool | None) -> Cache:
    """Return the cache that a caller asks for: True is the user's folder, False or None none."""
    folder = cache_folder() if wanted is True else Path(wanted) if wanted else None
    kept = Cache(folder)
    if wanted is True and folder is None:
        kept.trouble = f"Nothing is kept for the next time: {NO_HOME}"
    return kept


class Cache:
    """Dictionaries of plain numbers and texts by key, a file with one record each.

    Parameters
    ----------
    folder : Path or None
        Made when something is first kept; None keeps nothing.

    Notes
    -----
    Threads may share it. Trouble raises nothing, since all that is lost is the time to compute
    something again: it is remembered, for `tell_trouble`.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        #: Damaged entries that were met, and why something could not be read or written.
        self.damaged, self.trouble = 0, ""

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what is kept under `key`; None if there is nothing, or it is damaged."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            with open_regular(path) as file:
                found = read_record(file.read(_LONGEST))
        except (FileNotFoundError, NotADirectoryError):
            return None  # the latter is told when something is to be written
        except PermissionError as error:
            self._in_trouble("read", error)
            return None
        except OSError:
            found = None
        # The key inside tells a file that was renamed.
        if found is not None and found[0] == key.encode("ascii"):
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(found[1])
                if isinstance(value, dict):
                    return value
        self.damaged += 1
        with contextlib.suppress(OSError):  # it is written anew in any case
            set_aside(path, self.folder / _DAMAGED)
        return None

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep `value` under `key`; a folder that cannot be written to keeps nothing."""
        if self.folder is None:
            return
        path = self._path(key)
        content = record(key, json.dumps(value).encode("ascii"))
        if len(content) > _LONGEST:
            return  # it would not be read either
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(content)
        except (OSError, OutputError) as error:
            self._in_trouble("written", error)

    def tell_trouble(self) -> None:
        """Tell what went wrong since the last time, in a sentence of each kind."""
        shown = _shown(self.folder)
        if self.damaged:
            count = "An entry" if self.damaged == 1 else f"{self.damaged} entries"
            was = "was" if self.damaged == 1 else "were"
            tell(
                f"{count} of the cache {shown} {was} damaged and computed again; check the disk if "
                f"this comes again (what was damaged is in its folder '{_DAMAGED}')."
            )
        if self.trouble:
            tell(self.trouble)
        self.damaged, self.trouble = 0, ""

    def _in_trouble(self, what: str, error: OSError) -> None:
        cause = error.__context__ if isinstance(error.__context__, OSError) else error
        reason = cause.strerror or str(cause) or type(cause).__name__
        self.trouble = (
            f"The cache {_shown(self.folder)} cannot be {what} ({reason}), so that the same "
            "is computed again next time; name a folder of yours with room in SPICEALIF_CACHE."
        )

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.kept"


def _shown(path: Path | None) -> str:
    return ascii(str(path))

"""Small results kept on disk under the digest of everything they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from spicealif._files import write_text
from spicealif.errors import OutputError

__all__ = ["Cache", "cache_folder", "digest_of", "source_digest"]


def cache_folder(*, chosen: bool = True) -> Path:
    """Return where results are kept: ``SPICEALIF_CACHE``, or the user's cache folder.

    Parameters
    ----------
    chosen : bool
        Whether ``SPICEALIF_CACHE`` counts.
    """
    if chosen and (named := os.environ.get("SPICEALIF_CACHE")):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "spicealif"
    except RuntimeError:
        # A user without account and HOME, as in some containers: nothing can be kept there, which
        # whoever tries says.
        return Path(os.sep, "nonexistent", ".cache", "spicealif")


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
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for name in names:
        path = root / name
        for file in sorted(path.glob("**/*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


class Cache:
    """Dictionaries of plain numbers and texts by key, one small file each.

    Parameters
    ----------
    folder : Path or None
        Made when something is first kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what is kept under `key`; None if there is nothing, or it is damaged."""
        if self.folder is None:
            return None
        try:
            entry = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        # The key inside tells a file that was renamed or cut from a whole one.
        if not isinstance(entry, dict) or entry.get("key") != key:
            return None
        value = entry.get("value")
        return value if isinstance(value, dict) else None

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep `value` under `key`; a folder that cannot be written to keeps nothing."""
        if self.folder is None:
            return
        path = self._path(key)
        # Nothing is lost but the time to compute it again.
        with contextlib.suppress(OSError, OutputError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps({"key": key, "value": value}) + "\n")

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.json"

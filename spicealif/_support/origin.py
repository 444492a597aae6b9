"""Where and when something was computed: package, Python, machine, date."""

from __future__ import annotations

import datetime
import platform
from importlib import metadata

__all__ = ["origin"]

#: Packages whose versions may change the last digits of a result.
_PACKAGES = ("numpy", "scipy", "numba")


def origin() -> dict[str, str]:
    """Return what is computing here and now.

    Returns
    -------
    dict of str to str
        ``date`` (UTC, ISO 8601), ``spicealif``, ``python``, ``system`` and ``machine`` (the kind
        of processor; neither the machine's nor the user's name), and ``packages``.
    """
    packages = []
    for name in _PACKAGES:
        try:
            packages.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # vendored, or taken apart by a packager
            continue
    now = datetime.datetime.now(datetime.UTC)
    return {
        "date": now.isoformat(timespec="seconds"),
        "spicealif": metadata.version("spicealif"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": ", ".join(packages),
    }

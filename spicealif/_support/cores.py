"""How many cores there are for us."""

from __future__ import annotations

import os
import sys

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

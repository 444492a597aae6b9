"""What the tests need to run ngspice by themselves, without the package."""

from __future__ import annotations

import os


def with_home() -> dict[str, str]:
    """Return our environment, with a home folder if it has none.

    Without HOME ngspice 39 dies of a null pointer. The package gives it one of its own, so this is
    for direct calls only: set for all, it would hide what the package does where there is none.
    """
    return {"HOME": os.sep, **os.environ}

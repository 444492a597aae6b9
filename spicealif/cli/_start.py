"""Keeping the command line's start-up short."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

__all__ = ["without_scipy_blas"]

_MODULE = "scipy.linalg.cython_blas"


@contextlib.contextmanager
def without_scipy_blas() -> Iterator[None]:
    """Keep numba from loading SciPy's linear algebra while the block runs.

    At its first use numba looks whether SciPy's BLAS is there, which takes 0.2 s of CPU; our
    kernels use no linear algebra. This is for the command line's own process only: a program
    that imports spicealif may want numba's ``np.dot``.
    """
    if _MODULE in sys.modules:
        yield
        return
    # None makes the import fail at once, which numba takes for "SciPy is not installed".
    sys.modules[_MODULE] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(_MODULE, None)

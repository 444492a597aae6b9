"""How the numbers of a binary plot lie in its file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number of a binary plot is.

    Attributes
    ----------
    first, rest : numpy.dtype
        Type of the first variable, and of all others.
    n_variables : int
    data : int
        Offset of the first number in the file, in bytes.
    stride_points : int
        0 where a point's values stand together; otherwise (``fastaccess``) the number of points
        from one variable to the next.
    """

    first: np.dtype[np.generic]
    rest: np.dtype[np.generic]
    n_variables: int
    data: int
    stride_points: int = 0

    @property
    def row(self) -> int:
        """Bytes of one point."""
        return self.first.itemsize + self.rest.itemsize * (self.n_variables - 1)

    def dtype(self, i: int) -> np.dtype[np.generic]:
        """Type of variable `i`."""
        return self.rest if i else self.first

    def offset(self, i: int) -> int:
        """Bytes from the first number of the plot to the first of variable `i`."""
        before = self.first.itemsize + self.rest.itemsize * (i - 1) if i else 0
        return before * (self.stride_points or 1)

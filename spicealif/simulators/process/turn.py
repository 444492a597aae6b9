"""A simulator object serves one thread at a time, and after a fork the child's begins anew."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from spicealif.errors import SimulatorError

__all__ = ["Turn"]


class Turn:
    """Whose turn it is with a simulator.

    Parameters
    ----------
    name : str
        The simulator's.
    """

    def __init__(self, name: str) -> None:
        self._name, self._busy, self._owner = name, threading.Lock(), os.getpid()

    @property
    def forked(self) -> bool:
        """Whether this process is a child of the one that had the last turn."""
        return self._owner != os.getpid()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take it for the block, or raise `SimulatorError` if another thread has it."""
        if self.forked:
            self._busy, self._owner = threading.Lock(), os.getpid()
        if not self._busy.acquire(blocking=False):
            raise SimulatorError(
                f"The simulator {self._name} is in use by another thread; give each thread one of "
                f"its own (get_simulator({self._name!r}))."
            )
        try:
            yield
        finally:
            self._busy.release()

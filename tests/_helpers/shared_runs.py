"""Runs that several tests look at, made once in a session by whichever of its processes asks."""

from __future__ import annotations

import contextlib
import os
import pickle
from functools import cache
from pathlib import Path

from spicealif import Neuron, cosimulate
from spicealif.cosim import Cosimulation

__all__ = ["SharedRuns"]


class SharedRuns:
    """Results of whole runs, by the neuron's digest.

    Parameters
    ----------
    folder : Path
        Common to the session's processes, and of this session alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.cosimulated = cache(self._cosimulated)

    def _cosimulated(self, neuron: Neuron) -> Cosimulation:
        path = self._folder / f"{neuron.digest}.pickle"
        with path.with_suffix(".lock").open("w") as lock:
            # Another process may be at it; without locks both do it, and one is kept.
            with contextlib.suppress(ImportError):
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                written = path.with_suffix(f".{os.getpid()}")
                written.write_bytes(pickle.dumps(cosimulate(neuron)))
                written.replace(path)
            made: Cosimulation = pickle.loads(path.read_bytes())
        return made

"""The exceptions of spicealif: one tree, every message one sentence that ends in a remedy.

::

    SpicealifError
    |-- DesignError            the description of a neuron is invalid or would not work (ValueError)
    |-- NetlistError           a template could not be rendered, or would emit something unsafe
    |-- IntegrationError        the reference integration cannot be done as asked
    |-- SimulatorError
    |   |-- SimulatorNotFound  the program or library is not on this machine
    |   `-- RunFailed          a run ended without complete data; ``.run`` holds what there is
    |-- RawFileError           a raw file cannot be read as what it claims to be (ValueError)
    |-- LogFileError           a simulator's log cannot be read (ValueError)
    |-- TableFileError         a text file holds no table that can be read (ValueError)
    |-- StoreError             a store of results cannot be read (OSError)
    |-- FitError               a measured loop cannot be read or fitted as asked (ValueError)
    |-- SweepError             an experiment makes no sense, or cannot go on (ValueError)
    |-- LearningError          a data set cannot be read, or a study makes no sense (ValueError)
    |-- WaveformError          waveforms are missing a quantity or cannot be loaded (ValueError)
    |-- CompareError           two results cannot be compared (ValueError)
    |-- OutputError            a file or folder cannot be written (OSError)
    `-- ResourceError          there is less memory or room than is needed at least

What stops nothing and should be known all the same is a `SpicealifWarning` (UserWarning).
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CompareError",
    "DesignError",
    "FitError",
    "IntegrationError",
    "LearningError",
    "LogFileError",
    "NetlistError",
    "OutputError",
    "RawFileError",
    "ResourceError",
    "RunFailed",
    "SimulatorError",
    "SimulatorNotFound",
    "SpicealifError",
    "SpicealifWarning",
    "StoreError",
    "SweepError",
    "TableFileError",
    "WaveformError",
    "within",
]


class SpicealifError(Exception):
    """Base of every error that spicealif raises on purpose."""


class DesignError(SpicealifError, ValueError):
    """The description of a neuron is invalid, or the circuit it describes would not work."""


class NetlistError(SpicealifError):
    """A netlist template could not be rendered, or would have emitted something unsafe."""


class IntegrationError(SpicealifError, ValueError):
    """The reference integration cannot be done as asked."""


class SimulatorError(SpicealifError):
    """Something went wrong with a simulator."""


class SimulatorNotFound(SimulatorError):
    """The simulator's program or library is not on this machine."""


class RunFailed(SimulatorError):
    """A simulator run ended without complete data.

    Parameters
    ----------
    message : str
        What happened, where, and what to do next.
    run : Run
        The run, with its log and whatever waveforms it left.
    """

    def __init__(self, message: str, run: Any) -> None:
        super().__init__(message)
        self.run = run


class RawFileError(SpicealifError, ValueError):
    """A raw file cannot be read as what it claims to be."""


class LogFileError(SpicealifError, ValueError):
    """A simulator's log cannot be read."""


class TableFileError(SpicealifError, ValueError):
    """A text file (CSV or the like) holds no table of numbers that can be read without doubt."""


class StoreError(SpicealifError, OSError):
    """A store of results cannot be read."""


class FitError(SpicealifError, ValueError):
    """A measured loop cannot be read, or a fit cannot be done as asked."""


class SweepError(SpicealifError, ValueError):
    """An experiment of many points makes no sense, or cannot go on."""


class LearningError(SpicealifError, ValueError):
    """A data set cannot be read without doubt, or a study of learning makes no sense."""


class WaveformError(SpicealifError, ValueError):
    """Waveforms are missing a quantity, or cannot be loaded."""


class CompareError(SpicealifError, ValueError):
    """Two results cannot be compared."""


class OutputError(SpicealifError, OSError):
    """A file or folder cannot be written."""


def within(place: str, message: object) -> str:
    """Return a sentence that says at its end where it holds; no capital comes in its middle.

    Parameters
    ----------
    place : str
        Such as the name of a file, in quotes.
    message : str or Exception
        A sentence.
    """
    return f"{str(message).removesuffix('.')} (in {place})."


class ResourceError(SpicealifError):
    """There is less memory, or less room on a disk, than a run needs at least."""


class SpicealifWarning(UserWarning):
    """What stops nothing and should be known: a cache that cannot be written, a changed file."""

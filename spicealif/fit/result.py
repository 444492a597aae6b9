"""What a fit has found."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spicealif._support.drawn import Drawn
from spicealif._support.files import write_text
from spicealif._support.kinds import DEVICE, check_ending, signed
from spicealif.design import DevicePreset, MemristorModel
from spicealif.errors import FitError
from spicealif.fit._fitted import FittedLoop
from spicealif.fit._result_shown import FitShown

__all__ = ["FitResult", "FittedLoop"]

_Floats = npt.NDArray[np.float64]
#: What a preset's name and its free texts may hold.
_LONGEST_NAME, _LONGEST_TEXT = 64, 2000


@dataclass(frozen=True, eq=False, repr=False)
class FitResult(FitShown, Drawn):
    """A memristor model fitted to measured loops.

    Attributes
    ----------
    model : str
        Its name in `spicealif.design.MODELS`.
    device : MemristorModel
        The fitted device, x_0 = 0; of the first loop where parameters differ between loops.
    names : tuple of str, length P
        The fitted parameters; one that each loop has its own of as ``tau[0]``, ``tau[1]``.
    values : ndarray, shape (P,)
        In SI units.
    intervals : ndarray, shape (P, 2)
        Confidence intervals at `level`.
    correlation : ndarray, shape (P, P)
        Of the estimates.
    held : dict of str to float
        Parameters that were not fitted.
    bounds : ndarray, shape (P, 2)
        Where was looked.
    at_bound : tuple of str
        Parameters that ended at a bound.
    not_identifiable : tuple of str
        Parameters that the loops hardly pin.
    level : float
        Of the intervals.
    temperature : float
        In K.
    seed : int
    loss : float
        Mean over the loops of NMSE(v) + NMSE(i).
    loss_error : float
        By how much the loss changes if every step of the simulation is halved.
    loops : tuple of FittedLoop
    warnings : tuple of str
        Sentences.
    evaluations : int
        Simulations of a loop.
    cpu_s, wall_s : float
        What the fit took, in s.
    """

    model: str
    device: MemristorModel
    names: tuple[str, ...]
    values: _Floats
    intervals: _Floats
    correlation: _Floats
    held: dict[str, float]
    bounds: _Floats
    at_bound: tuple[str, ...]
    not_identifiable: tuple[str, ...]
    level: float
    temperature: float
    seed: int
    loss: float
    loss_error: float
    loops: tuple[FittedLoop, ...]
    warnings: tuple[str, ...]
    evaluations: int
    cpu_s: float
    wall_s: float

    def value(self, name: str) -> float:
        """Return a fitted parameter's value; raises `FitError` if it was not fitted."""
        return float(self.values[self._index(name)])

    def interval(self, name: str) -> tuple[float, float]:
        """Return a fitted parameter's interval; raises `FitError` if it was not fitted."""
        (low, high) = self.intervals[self._index(name)]
        return float(low), float(high)

    def _index(self, name: str) -> int:
        if name in self.names:
            return self.names.index(name)
        if name in self.held:
            raise FitError(f"{name} was held at {self.held[name]:g}; free it to have it fitted.")
        raise FitError(f"{ascii(name)} was not fitted; fitted were {', '.join(self.names)}.")

    def unit(self, name: str) -> str:
        """Return the unit of a parameter, empty for a plain number.

        Raises
        ------
        FitError
            If the model has no such parameter.
        """
        fields = type(self.device).model_fields
        bare = re.sub(r"\[\d+\]$", "", name)
        if bare not in fields or bare == "kind":
            known = ", ".join(field for field in fields if field != "kind")
            raise FitError(
                f"The model {self.model} has no parameter {ascii(name)}; it has {known}."
            )
        extra = fields[bare].json_schema_extra
        unit = extra.get("unit", "1") if isinstance(extra, dict) else "1"
        return "" if unit == "1" else str(unit)

    def preset(
        self, name: str | None = None, *, loop: int = 0, description: str = "", source: str = ""
    ) -> DevicePreset:
        """Return the device as a preset, with the fit that gave it.

        Parameters
        ----------
        name : str, optional
            Letters, digits and underscores, at most 64; made of the loop's and the model's name if
            not given.
        loop : int
            Whose parameters, where each loop has its own.
        description, source : str
            Free text; if not given, what was fitted to what.

        Raises
        ------
        FitError
            If there is no such loop.
        DesignError
            If the name or a text is not one of a preset.
        """
        if not 0 <= loop < len(self.loops):
            raise FitError(f"There is no loop {loop}; give 0 to {len(self.loops) - 1}.")
        fitted = self.loops[loop]
        if not fitted.described:
            raise FitError(
                f"The fitted device does not describe {fitted.loop.name} (loss "
                f"{fitted.nmse_v + fitted.nmse_i:.2g}, of 2 at most), so that it is not written "
                "as a device; see the fit's warnings for the likely cause."
            )
        made = re.sub(r"\W", "_", fitted.loop.name, flags=re.ASCII)
        made = made if not made[:1].isdigit() else f"fit_{made}"
        made = f"{made[: _LONGEST_NAME - len(self.model) - 1]}_{self.model}"
        files = ", ".join(each.loop.file or each.loop.name for each in self.loops)
        intervals = {
            re.sub(r"\[\d+\]$", "", n): [float(low), float(high)]
            for n, (low, high) in zip(self.names, self.intervals, strict=True)
            if not re.search(r"\[\d+\]$", n) or n.endswith(f"[{loop}]")
        }
        # The state at a record's begin is the record's; the preset starts at 0.
        intervals.pop("x_0", None)
        return DevicePreset.from_dict(
            {
                "name": name or made,
                "description": description or _short(f"{self.device.title}, fitted to {files}"),
                "source": source or _short(f"spicealif fit of {files}"),
                "device": {**fitted.device.to_dict(), "x_0": 0.0},
                "fit": {**self._record(), "intervals": intervals},
            }
        )

    def save_preset(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        loop: int = 0,
        description: str = "",
        source: str = "",
    ) -> Path:
        """Write the device as a TOML file that a neuron takes as ``leak.file``; return its path.

        Parameters
        ----------
        path : path-like
        name, loop, description, source
            See `preset`.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        import tomli_w

        check_ending(Path(path), DEVICE)
        preset = self.preset(name, loop=loop, description=description, source=source)
        return write_text(Path(path), signed(tomli_w.dumps(preset.to_dict())))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."

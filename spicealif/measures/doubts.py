"""What in two results makes it doubtful that they are what they are taken for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from spicealif._support.text import shown
from spicealif.design import Neuron
from spicealif.measures.tables import figure
from spicealif.waveforms import Waveforms

__all__ = ["differing", "doubts"]

#: How far a state may leave 0 to 1 by numerical error, and v_mem pass v_th by delays.
_STATE, _OVERSHOOT = 0.05, 3.0
_SHOWN = 4  # keys that are listed
_FOR_PEOPLE = frozenset({"name", "description", "source"})


def doubts(waveforms: Waveforms, label: str, neuron: Neuron) -> list[str]:
    """Return why a result's traces may not be what they are called, as notes."""
    notes = []
    if "x" in waveforms.signals:
        x = waveforms["x"]
        low, high = float(x.min()), float(x.max())
        if low < -_STATE or high > 1 + _STATE:
            notes.append(
                f"{label}: x runs from {low:.3g} to {high:.3g}, and a state is between 0 and 1; "
                "look at which vector was taken for it."
            )
    v = waveforms["v_mem"]
    low, high = float(v.min()), float(v.max())
    if -low > neuron.v_th / 2 and -low > 2 * high and neuron.stimulus.peak(neuron.t_stop) > 0:
        notes.append(
            f"{label}: v_mem runs from {figure(low, 'V')} to {figure(high, 'V')} under a positive "
            "current; its sign may be turned."
        )
    elif high > _OVERSHOOT * neuron.v_th:
        notes.append(
            f"{label}: v_mem reaches {figure(high, 'V')}, far above v_th "
            f"({figure(neuron.v_th, 'V')}); look at which vector was taken for it."
        )
    return notes


def differing(*designs: Any) -> str:
    """Return which keys of two designs differ, in words; empty if that cannot be told.

    Parameters
    ----------
    *designs : str
        TOML texts, as results hold them.
    """
    try:
        flat = [dict(_flat(tomllib.loads(str(text)))) for text in designs]
    except tomllib.TOMLDecodeError:
        return ""
    keys = [k for k in {**flat[0], **flat[1]} if k not in _FOR_PEOPLE
            and flat[0].get(k) != flat[1].get(k)]  # fmt: skip
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return shown(", ".join(keys[:_SHOWN]) + more)


def _flat(table: Mapping[str, Any], start: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in table.items():
        inner = isinstance(value, Mapping)
        out += _flat(value, f"{start}{key}.") if inner else [(start + key, value)]
    return out

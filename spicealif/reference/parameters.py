"""The neuron as the reference equations see it."""

from __future__ import annotations

from dataclasses import dataclass

from spicealif.design import MemristorModel, Resistor

__all__ = ["KernelParameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelParameters:
    """The neuron as the reference equations see it; every value in SI units.

    Parameters
    ----------
    c, r_s : float
        Capacitance and the resistance in series with the leak (may be 0).
    leak : MemristorModel or Resistor
        The device that v_mem is sensed across.
    thermal_voltage : float
        kT/q of the memristor.
    v_th, v_low : float
        The comparator's upper and lower threshold for v_mem; `v_low` counts in ``schmitt`` only.
    r_ds_on : float
        Resistance of the closed discharge switch (``schmitt``).
    v_rest, v_reset, t_ref : float
        Far end of the leak branch; v_c after a spike and how long it is held there (``ideal``).
    delay_on, delay_off : float
        Time from a crossing until the switch closes or opens (``schmitt``).
    x_0, v_c_0 : float
        The state at t = 0.
    shortest_time : float, optional
        See `Neuron.shortest_time`; from the leak at +-v_th if not given.
    """

    c: float
    r_s: float
    leak: MemristorModel | Resistor
    thermal_voltage: float
    v_th: float
    v_low: float
    r_ds_on: float
    v_rest: float = 0.0
    v_reset: float = 0.0
    t_ref: float = 0.0
    delay_on: float = 0.0
    delay_off: float = 0.0
    x_0: float = 0.0
    v_c_0: float = 0.0
    shortest_time: float | None = None

"""Metastable switches as they are: N of them, each on or off, drawn at the end of every step.

A device of the MMS or GMMS model consists of N metastable switches, of which the share x is on.
The models follow the mean; here every switch moves by itself (Molter and Nugent, "The Generalized
Metastable Switch Memristor Model", CNNA 2016). In dt an off switch turns on with the probability
a dt, and an on switch off with b dt, where a = s(v - v_on)/tau and b = (1 - s(v + v_off))/tau.

Over a step in which a and b are constant a two-state switch ends with exactly these probabilities
on the other side: ``p_on = A (1 - exp(-(A + B)))/(A + B)`` and ``p_off`` likewise with B, where A
and B are a and b times the step's length. They lie between 0 and 1 however long the step is. The
switches are independent, so that those that turn are two binomial draws. A and B are the integrals
of a and b over the step by Simpson's rule, which keeps the error of the mean at the second order
of the step and makes it small.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from spicealif._support.compiled import njit
from spicealif.design import GMMS, Memristor, MemristorModel, Resistor
from spicealif.errors import IntegrationError

__all__ = ["MAX_SWITCHES", "Switches", "check_switches", "draw_switches", "move_switches"]

#: A NumPy Generator and the number of switches.
Switches: TypeAlias = tuple[Any, int]
#: With more switches the binomial draws would feel the rounding of 1 - p.
MAX_SWITCHES = 10**15


def check_switches(leak: MemristorModel | Resistor, switches: int, seed: int) -> None:
    """Raise `IntegrationError` unless a leak can be drawn as so many metastable switches."""
    if not isinstance(leak, Memristor | GMMS):
        what = leak.title if isinstance(leak, MemristorModel) else "resistor"
        raise IntegrationError(
            f"The leak ({what}) has no metastable switches to draw; leave switches out, or take a "
            "memristor of kind mms or gmms."
        )
    for name, value, least in (("switches", switches, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise IntegrationError(
                f"{name} is {ascii(value)}; give a whole number of {least} or more."
            )
    if switches > MAX_SWITCHES:
        raise IntegrationError(
            f"{switches} switches are more than can be drawn (limit {MAX_SWITCHES:.0e}); leave "
            "switches out for their mean."
        )
    if seed >= 1 << 63:
        raise IntegrationError(f"The seed {seed} is too large; choose one below 2**63.")


@njit(cache=True, error_model="numpy")
def draw_switches(on: int, n: int, a: float, b: float, rng: Any) -> int:
    """Return how many switches are on after a step.

    Parameters
    ----------
    on, n : int
        How many are on before it, and how many there are.
    a, b : float
        Rates of turning on and off, in 1/s, integrated over the step: numbers of 0 or more.
    rng : numpy.random.Generator
        Two draws are taken from it.

    Returns
    -------
    int
        Between 0 and n.
    """
    total = a + b
    if not total > 0.0:
        return on
    share = -math.expm1(-total) / total
    return int(
        on + rng.binomial(n - on, min(a * share, 1.0)) - rng.binomial(on, min(b * share, 1.0))
    )


@njit(cache=True, error_model="numpy")
def _rates(m: float, w: tuple[float, ...]) -> tuple[float, float]:
    """Return the rates of turning on and off, times tau, at the voltage m; w of `mms_switching`."""
    (u_on, vt_inv, _, _, _, log_k) = w
    u = u_on - m * vt_inv
    return 1.0 / (1.0 + math.exp(u)), 1.0 / (1.0 + math.exp(log_k - u))


@njit(cache=True, error_model="numpy")
def move_switches(
    x: float,
    m: tuple[float, float, float],
    length: float,
    w: tuple[float, ...],
    switches: Switches,
) -> float:
    """Return the share of switches that are on after a step.

    Parameters
    ----------
    x : float
        The share before it, a multiple of 1/N.
    m : tuple of float
        Voltage across the device at the step's start, middle and end, in V.
    length : float
        Of the step, in s.
    w : tuple of float
        See `equations.mms_switching`.
    switches : Switches
    """
    (rng, n) = switches
    ((a_0, b_0), (a_m, b_m), (a_1, b_1)) = (_rates(m[0], w), _rates(m[1], w), _rates(m[2], w))
    sixth = length / (6.0 * w[3])
    (a, b) = (sixth * (a_0 + 4.0 * a_m + a_1), sixth * (b_0 + 4.0 * b_m + b_1))
    return draw_switches(int(x * n + 0.5), n, a, b, rng) / n

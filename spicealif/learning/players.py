"""What costs a circuit accuracy: its causes, and the tolerances of its parts, as players of a game.

A player is switched on or off as a whole. What its tolerances draw does not depend on which other
players are on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from spicealif.analysis._cause_sets import causes_of
from spicealif.circuit.parameters import ALL_CAUSES, Cause
from spicealif.design import Neuron
from spicealif.errors import CompareError
from spicealif.sweep.tolerances import Tolerance

__all__ = ["Grouping", "Player", "causes_on", "players_of", "tolerances_on"]

#: How the tolerances are put together: one player, one for each part, or one for each parameter.
Grouping: TypeAlias = Literal["one", "parts", "each"]

_GROUPINGS = ("one", "parts", "each")
#: A spread that changes no bit of a value: the parameter has its draw, and its draw is nothing.
_NO_SPREAD = 1e-300
#: Parts by the beginnings of their parameters' names.
_PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "membrane": ("tolerance of C and R_s", ("c", "r_s")),
    "leak": ("device-to-device spread of the leak", ("leak.",)),
    "amplifier": ("tolerance of the difference amplifier", ("difference_amplifier.",)),
    "comparator": (
        "tolerance of the comparator and its network",
        ("comparator.", "hysteresis."),
    ),
    "mosfet": ("tolerance of the MOSFET", ("mosfet.",)),
    "temperature": ("temperature", ("temperature",)),
}


@dataclass(frozen=True)
class Player:
    """Something that is on in the real circuit and off in the ideal equations.

    Attributes
    ----------
    name : str
        In files.
    label : str
        In tables and figures.
    causes : tuple of Cause
        Of the circuit's differences from the ideal equations.
    parameters : tuple of str
        Those whose tolerances it switches on; dotted names.
    """

    name: str
    label: str
    causes: tuple[Cause, ...] = ()
    parameters: tuple[str, ...] = ()


def players_of(
    neuron: Neuron, tolerances: Sequence[Tolerance], grouping: Grouping = "parts"
) -> tuple[Player, ...]:
    """Return the players of a neuron: each of its causes, and its tolerances.

    Parameters
    ----------
    neuron : Neuron
    tolerances : sequence of Tolerance
        May be empty.
    grouping : {"one", "parts", "each"}
        Whether all tolerances are one player, those of a part are, or each is.

    Returns
    -------
    tuple of Player

    Raises
    ------
    CompareError
        If there is no such grouping.
    """
    if grouping not in _GROUPINGS:
        raise CompareError(
            f"Tolerances are not grouped by {ascii(grouping)}; choose one of "
            f"{', '.join(_GROUPINGS)}."
        )
    players = [Player(cause.value, cause.label, (cause,)) for cause in causes_of(neuron)]
    names = [t.parameter for t in tolerances]
    if grouping == "one":
        if names:
            players.append(Player("tolerances", "tolerances of all parts", (), tuple(names)))
        return tuple(players)
    if grouping == "each":
        players += [Player(f"tolerance:{n}", f"tolerance of {n}", (), (n,)) for n in names]
        return tuple(players)
    rest = dict.fromkeys(names)
    for part, (label, beginnings) in _PARTS.items():
        taken = tuple(n for n in rest if _belongs(n, beginnings))
        for name in taken:
            del rest[name]
        if taken:
            players.append(Player(f"tolerance:{part}", label, (), taken))
    if rest:
        players.append(Player("tolerance:other", "other tolerances", (), tuple(rest)))
    return tuple(players)


def _belongs(name: str, beginnings: tuple[str, ...]) -> bool:
    return any(name.startswith(b) if b.endswith(".") else name == b for b in beginnings)


def causes_on(neuron: Neuron, players: Iterable[Player], on: Iterable[Player]) -> frozenset[Cause]:
    """Return the causes that are on where these players are.

    Causes that no player has are on, as in the circuit; for those that the neuron does not have it
    makes no difference.
    """
    played = {cause for player in players for cause in player.causes}
    return (ALL_CAUSES - played) | {cause for player in on for cause in player.causes}


def tolerances_on(
    tolerances: Sequence[Tolerance], on: Iterable[Player]
) -> tuple[Tolerance, ...] | None:
    """Return the tolerances where these players are on; None if nothing is drawn.

    All parameters stay in the list, those that are off with a spread of nothing, so that each
    keeps its own draw whichever others are on.
    """
    names = {name for player in on for name in player.parameters}
    if not any(t.parameter in names for t in tolerances):
        return None
    return tuple(t if t.parameter in names else replace(t, spread=_NO_SPREAD) for t in tolerances)

"""What the points of accuracy that a circuit loses are made of: a share for each cause.

A readout is trained on features of the ideal equations. The circuit's own equations are then solved
with sets of players on: the causes by which the circuit differs from the ideal equations, and the
tolerances of its parts. The value of a set is whether each test sample is predicted rightly, so
that every share is a mean over the test samples, and what of it is chance of the finite test set is
known as well as what is chance of the orders and draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spicealif.analysis._cause_sets import causes_of
from spicealif.analysis._shapley import (
    all_subsets,
    exact_shares,
    sampled_orders,
    shares_of_pairs,
    subsets_of_orders,
)
from spicealif.errors import CompareError
from spicealif.learning._accuracy_shown import AccuracyBudgetShown, AccuracyShare
from spicealif.learning._chance import Estimate, combined, of_draws, wilson
from spicealif.learning._levels import (
    accepted_draws,
    as_equations,
    check_samples,
    driven_neuron,
    fitted_bank,
    part,
    scatter_of,
    solved_features,
    trained,
)
from spicealif.learning.circuit_figures import accuracy_budget_figure
from spicealif.learning.players import (
    Grouping,
    Player,
    causes_on,
    players_of,
    tolerances_on,
)
from spicealif.sweep.tolerances import Tolerance

if TYPE_CHECKING:
    from spicealif._support.styled_figure import StyledFigure

__all__ = ["AccuracyBudget", "AccuracyShare", "budget_accuracy", "check_orders"]

_Floats: TypeAlias = NDArray[np.float64]
_Subset: TypeAlias = frozenset[int]

#: Draws of the parts, and orders of the players, unless told.
DRAWS, ORDERS = 4, 8
#: Relative tolerance of the circuit's equations unless told.
RTOL = 1e-6
_MOST_ORDERS, _MOST_PLAYERS = 100_000, 12


@dataclass(frozen=True, eq=False, repr=False)
class AccuracyBudget(AccuracyBudgetShown):
    """The points of accuracy between the ideal equations and the circuit, and their shares.

    Attributes
    ----------
    ideal : Estimate
        Accuracy of the readout on features of the ideal equations, with Wilson's interval.
    circuit : Estimate
        Accuracy on the features of the circuit with all causes and tolerances on, mean over draws;
        the interval is over samples and draws.
    loss : Estimate
        `ideal` less `circuit`, a part of 1; the interval is of the paired difference.
    shares : tuple of AccuracyShare
        One for each player.
    residual : AccuracyShare
        What the equations without any cause and tolerance lose against the ideal reference: both
        sides' numerical error, or a mistake. It and the shares sum to `loss`.
    residual_changed : int
        Predictions that the two differ in.
    n_samples, n_draws, n_orders, n_sets : int
        Test samples; draws of the tolerances (0 without any); orders sampled (0 if all sets were
        solved and the shares are exact for these draws); sets solved, a draw each.
    seed : int
        Of orders and draws.
    lost_by_sample : ndarray, shape (players + 1, N)
        The shares of each test sample, the residual's last; the sum over a column is what that
        sample lost, from -1 to 1.
    failed : int
        Runs of the circuit that could not be followed to their end, over all sets.
    refused : int
        Draws that the design refuses, and that others were taken for.
    tolerances : tuple of Tolerance
        What was drawn.
    """

    ideal: Estimate
    circuit: Estimate
    loss: Estimate
    shares: tuple[AccuracyShare, ...]
    residual: AccuracyShare
    residual_changed: int
    n_samples: int
    n_draws: int
    n_orders: int
    n_sets: int
    seed: int
    lost_by_sample: _Floats
    failed: int
    refused: int
    tolerances: tuple[Tolerance, ...]

    def __getitem__(self, name: str) -> AccuracyShare:
        """Return the share of a player by its name."""
        for share in (*self.shares, self.residual):
            if share.player.name == name:
                return share
        raise CompareError(
            f"There is no share of {ascii(name)}; choose one of "
            f"{', '.join(s.player.name for s in self.shares)}."
        )

    def plot(self, *, title: bool | str = False) -> StyledFigure:
        """Return the figure; see `accuracy_budget_figure`."""
        return accuracy_budget_figure(self, title=title)


def budget_accuracy(
    bank: Any,
    readout: Any,
    X_train: ArrayLike,  # noqa: N803
    y_train: ArrayLike,
    X_test: ArrayLike,  # noqa: N803
    y_test: ArrayLike,
    *,
    tolerances: str | Sequence[Tolerance] | None = "default",
    grouping: Grouping = "parts",
    players: Sequence[Player] | None = None,
    draws: int = DRAWS,
    orders: int | None = ORDERS,
    rtol: float | None = RTOL,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> AccuracyBudget:
    """Attribute the accuracy that a circuit loses to its causes and its parts' tolerances.

    Parameters
    ----------
    bank : AlifBank
        Fitted on `X_train` in a copy. Its neuron, encoding and features count; each level has its
        own backend.
    readout : estimator
        A classifier, trained in a copy on the features of the ideal equations.
    X_train, y_train, X_test, y_test : array_like
        The circuit is solved for `X_test` alone.
    tolerances : "default", sequence of Tolerance or None
        What scatters; None leaves the circuit's causes as the only players.
    grouping : {"one", "parts", "each"}
        See `players_of`. With ``one`` the budget takes the fewest runs.
    players : sequence of Player, optional
        Others than `players_of` makes; they must have all causes of the neuron.
    draws : int
        Draws of the tolerances.
    orders : int or None
        Orders of the players that are sampled, rounded up so that each draw has as many pairs of an
        order and its reverse: at least 2 orders a draw. None solves every set with every draw,
        which 12 players at most may have.
    rtol : float, optional
        Of the circuit's equations; at 1e-6 spikes of the presets are within some ns. None is the
        bank's own.
    seed : int
        Of orders and draws.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    AccuracyBudget

    Raises
    ------
    CompareError
        If a choice makes no sense.

    Notes
    -----
    A draw goes with orders of its own: the value that is shared out is the mean over the draws, and
    the Shapley value is linear, so that the mean of the shares over draws is its share. The
    standard error between draws therefore holds both what the choice of orders and what the choice
    of draws leaves open, at the cost of one draw for each set.

    The features of each set are kept by the bank's cache: a budget that was stopped goes on where
    it was.
    """
    check_orders(draws, orders)
    _, labels = check_samples(X_test, y_test)
    ideal = fitted_bank(bank, X_train, y_train)
    neuron = driven_neuron(ideal)
    scatter = scatter_of(neuron, tolerances)
    chosen = players_of(neuron, scatter, grouping) if players is None else tuple(players)
    _check_players(chosen, causes_of(neuron), orders)
    fitted = trained(readout, ideal, X_train, y_train)
    reference = fitted.predict(ideal.transform(X_test))

    numbers, refused = accepted_draws(ideal, scatter, draws if scatter else 1, seed)
    plan = _Plan(chosen, len(numbers), orders, seed)
    solved = _Solver(
        as_equations(ideal, rtol=rtol), fitted, X_test, labels, neuron, chosen, scatter, numbers
    )
    values = solved.all(plan.jobs(solved.draws_anything), progress)
    empty, every = frozenset[int](), frozenset(range(len(chosen)))
    nothing, full = values[0][empty], np.array([of[every] for of in values])
    right = (reference == labels).astype(float)

    by_draw = plan.shares(values)  # (draws or pairs, players, N), of what is gained
    lost = -by_draw.mean(axis=0)
    shares = tuple(
        _share(player, lost[k], -by_draw[:, k].mean(axis=1)) for k, player in enumerate(chosen)
    )
    gap = right - nothing
    residual = _share(Player("residual", "residual"), gap, np.zeros(1))
    drawn = full if scatter else full[:1]
    return AccuracyBudget(
        wilson(int(right.sum()), len(right)),
        of_draws(drawn),
        of_draws(right - drawn),
        shares,
        residual,
        int(np.sum(solved.predicted[0, empty] != reference)),
        len(labels),
        draws if scatter else 0,
        plan.n_orders,
        len(solved.predicted),
        seed,
        np.vstack([lost, gap]),
        solved.failed,
        refused,
        scatter,
    )


def _share(player: Player, by_sample: _Floats, by_draw: _Floats) -> AccuracyShare:
    """Return a share with its errors: over the samples, and over draws with their orders."""
    n, pairs = len(by_sample), len(by_draw)
    value = float(by_sample.mean())
    of_samples = float(by_sample.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    of_orders, sources = 0.0, [(of_samples, n - 1.0)]
    if pairs > 1:
        of_orders = float(by_draw.std(ddof=1)) / math.sqrt(pairs)
        sources.append((of_orders, pairs - 1.0))
    return AccuracyShare(player, value, of_samples, of_orders, combined(value, *sources))


class _Plan:
    """Which sets are solved with which draw, and the shares that they give."""

    def __init__(
        self, players: Sequence[Player], draws: int, orders: int | None, seed: int
    ) -> None:
        self.n, self.draws = len(players), draws
        self.orders: list[list[tuple[int, ...]]] = []
        self.n_orders = 0
        if orders is None or self.n < 2:
            return
        pairs = -(-((orders + 1) // 2) // draws)  # of each draw
        every = sampled_orders(self.n, 2 * pairs * draws, seed)
        self.orders = [every[2 * pairs * d : 2 * pairs * (d + 1)] for d in range(draws)]
        self.n_orders = len(every)

    def subsets(self, draw: int) -> list[_Subset]:
        if not self.orders:
            return all_subsets(self.n)
        return subsets_of_orders(self.orders[draw])

    def jobs(self, draws_anything: Callable[[_Subset], bool]) -> dict[tuple[int, _Subset], int]:
        """Return what is wanted of (draw, set), and the draw that it is solved with.

        Where nothing is drawn all draws are the same.
        """
        return {
            (d, s): d if draws_anything(s) else 0
            for d in range(self.draws)
            for s in self.subsets(d)
        }

    def shares(self, values: Sequence[dict[_Subset, _Floats]]) -> _Floats:
        """Return the shares of each draw, or of each pair of orders with a single draw."""
        if not self.orders:
            return np.array([exact_shares(of, self.n) for of in values])
        pairs = [shares_of_pairs(v, o) for v, o in zip(values, self.orders, strict=True)]
        if self.draws == 1:
            return pairs[0]
        return np.array([of.mean(axis=0) for of in pairs])


class _Solver:
    """Whether each test sample is predicted rightly with sets of players on."""

    def __init__(
        self,
        bank: Any,
        readout: Any,
        samples: ArrayLike,
        labels: NDArray[Any],
        neuron: Any,
        players: Sequence[Player],
        tolerances: tuple[Tolerance, ...],
        numbers: list[int],
    ) -> None:
        self.bank, self.readout, self.samples, self.labels = bank, readout, samples, labels
        self.neuron, self.players, self.tolerances = neuron, players, tolerances
        self.numbers = numbers
        self.predicted: dict[tuple[int, _Subset], NDArray[Any]] = {}
        self.failed = 0

    def draws_anything(self, subset: _Subset) -> bool:
        return any(self.players[k].parameters for k in subset)

    def all(
        self,
        jobs: dict[tuple[int, _Subset], int],
        progress: Callable[[float], None] | None,
    ) -> list[dict[_Subset, _Floats]]:
        """Return the values of each draw's sets."""
        wanted = list(dict.fromkeys((of, s) for (_, s), of in jobs.items()))
        for k, (draw, subset) in enumerate(wanted):
            self._solve(draw, subset, part(progress, k / len(wanted), 1 / len(wanted)))
        if progress is not None:
            progress(1.0)
        values: list[dict[_Subset, _Floats]] = [{} for _ in {d for d, _ in jobs}]
        for (d, subset), of in jobs.items():
            right = self.predicted[of, subset] == self.labels
            values[d][subset] = right.astype(float)
        return values

    def _solve(self, draw: int, subset: _Subset, progress: Callable[[float], None] | None) -> None:
        on = [self.players[k] for k in sorted(subset)]
        bank = as_equations(
            self.bank,
            causes=causes_on(self.neuron, self.players, on),
            tolerances=tolerances_on(self.tolerances, on),
            draw=self.numbers[draw],
            progress=progress,
        )
        features, failed = solved_features(bank, self.samples)
        self.failed += failed
        self.predicted[draw, subset] = self.readout.predict(features)


def check_orders(draws: int, orders: int | None) -> None:
    """Refuse numbers of draws and orders that make no budget.

    Raises
    ------
    CompareError
    """
    if draws < 1:
        raise CompareError(f"{draws} draws are none; give 1 or more.")
    if orders is not None and not 2 <= orders <= _MOST_ORDERS:
        raise CompareError(
            f"Orders are sampled in pairs, and {orders} cannot be; give 2 to {_MOST_ORDERS} (in "
            "Python None for all sets)."
        )


def _check_players(players: Sequence[Player], causes: Sequence[Any], orders: int | None) -> None:
    names = [p.name for p in players]
    if not names or len(set(names)) < len(names):
        raise CompareError("The players need names, and each another one.")
    played = [c for p in players for c in (*p.causes, *p.parameters)]
    if len(set(played)) < len(played):
        raise CompareError("A cause or a tolerance has two players; give it to one of them.")
    if missing := [c.value for c in causes if c not in played]:
        raise CompareError(
            f"No player has {', '.join(missing)}, so that the circuit without any would not be "
            "the ideal one; give each cause of the neuron to a player."
        )
    if orders is None and len(players) > _MOST_PLAYERS:
        raise CompareError(
            f"{len(players)} players have {2 ** len(players)} sets, too many to solve all; sample "
            f"orders, or put players together until they are {_MOST_PLAYERS} at most."
        )

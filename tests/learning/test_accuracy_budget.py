"""Accuracy budgets of rules whose shares are known, by sample."""

import itertools
import json

import numpy as np
import pytest
from bank_stubs import ReadsOff, StubBank

from spicealif import Cause, Tolerance, load_preset
from spicealif.analysis._cause_sets import causes_of
from spicealif.errors import CompareError
from spicealif.learning.accuracy_budget import budget_accuracy
from spicealif.learning.players import Player, causes_on, players_of, tolerances_on

RESET, DELAY = Cause.RESET_LEVEL, Cause.COMPARATOR_DELAY
SCATTER = [Tolerance("c", 0.05), Tolerance("r_s", 0.01), Tolerance("mosfet.v_to", 0.1)]
X, Y = np.arange(12), np.zeros(12)


def additive(sample, causes, scatter, draw, neuron):
    """Samples 0 and 1 are lost by one cause, 2 by another, 3 by C in odd draws."""
    return (
        (sample in (0, 1) and RESET in causes)
        or (sample == 2 and DELAY in causes)
        or (sample == 3 and "c" in scatter and draw % 2 == 1)
    )


def together(sample, causes, scatter, draw, neuron):
    """Sample 4 is lost by two causes together, 5 by a cause and a tolerance together."""
    return (sample == 4 and {RESET, DELAY} <= causes) or (
        sample == 5 and RESET in causes and "mosfet.v_to" in scatter
    )


def budget(rule, **choices):
    choices = {"tolerances": SCATTER, "draws": 2, **choices}
    return budget_accuracy(StubBank(rule), ReadsOff(), X, Y, X, Y, **choices)


@pytest.mark.parametrize("orders", [2, 12])
def test_an_additive_loss_is_shared_exactly_sample_by_sample(orders):
    found = budget(additive, orders=orders)
    expected = {"reset_level": [0, 1], "comparator_delay": [2], "tolerance:membrane": [3]}
    for k, share in enumerate(found.shares):
        of_sample = np.zeros(12)
        of_sample[expected.get(share.player.name, [])] = 1.0
        if share.player.name == "tolerance:membrane":
            of_sample /= 2  # one of two draws
        assert found.lost_by_sample[k] == pytest.approx(of_sample, abs=1e-15)
        assert share.value == pytest.approx(of_sample.mean())
        assert share.error_samples == pytest.approx(of_sample.std(ddof=1) / np.sqrt(12))
    assert found["reset_level"].error_orders == 0
    # the two draws lose 0 and 1 of 12
    assert found["tolerance:membrane"].error_orders == pytest.approx(0.5 / 12)
    assert found.loss.value == pytest.approx(3.5 / 12)
    assert found.circuit.value == pytest.approx(8.5 / 12)


def test_what_players_lose_together_is_halved_between_them():
    found = budget(together, orders=4)
    assert found["reset_level"].value == pytest.approx(1.0 / 12)
    assert found["comparator_delay"].value == pytest.approx(0.5 / 12)
    assert found["tolerance:mosfet"].value == pytest.approx(0.5 / 12)


def test_shares_and_residual_sum_to_the_loss_of_any_rule():
    rng = np.random.default_rng(0)
    table = {}

    def random(sample, causes, scatter, draw, neuron):
        key = sample, causes, scatter, draw if scatter else None
        return table.setdefault(key, rng.random() < 0.4)

    for choices in ({"orders": 6}, {"orders": None, "grouping": "one", "draws": 3}):
        found = budget(random, **choices)
        shares = sum(share.value for share in found.shares)
        assert shares + found.residual.value == pytest.approx(found.loss.value, abs=1e-14)
        assert found.lost_by_sample.sum(axis=0).mean() == pytest.approx(found.loss.value)
        assert found.lost_by_sample[:-1].mean(axis=1) == pytest.approx(
            [share.value for share in found.shares]
        )
        assert found.residual.value != 0
        assert found.residual_changed > 0


def test_all_sets_give_the_shares_of_their_definition():
    causes = causes_of(StubBank(together).fit(X).neuron_)
    players = [
        Player("a", "a", (RESET,)),
        Player("b", "b", tuple(c for c in causes if c is not RESET)),
        Player("t", "t", (), ("c", "mosfet.v_to")),
    ]

    def quorum(sample, causes, scatter, draw, neuron):
        on = (RESET in causes) + (DELAY in causes) + 2 * bool(scatter)
        return sample < on - (draw if scatter else 0)

    found = budget(quorum, players=players, orders=None)
    ons = [({RESET}, False), (set(causes) - {RESET}, False), (set(), True)]
    expected = np.zeros(3)
    for order in itertools.permutations(range(3)):
        for draw in range(2):
            before, causes_so_far, scatters = 0.0, set(), False
            for k in order:
                causes_so_far |= ons[k][0]
                scatters |= ons[k][1]
                now = np.mean([quorum(x, causes_so_far, scatters, draw, None) for x in X])
                expected[k] += (now - before) / 12
                before = now
    assert [share.value for share in found.shares] == pytest.approx(list(expected))
    assert found.n_orders == 0


def test_sets_without_a_draw_are_solved_once():
    solved = []
    bank = StubBank(additive, solved=solved)
    found = budget_accuracy(
        bank, ReadsOff(), X, Y, X, Y, tolerances=SCATTER, grouping="one", draws=2, orders=None
    )
    assert len(solved) == len(set(solved)) == found.n_sets
    n = len(found.shares)
    assert found.n_sets == 2 ** (n - 1) * 3  # half of the sets have the tolerances, twice


def test_progress_rises_to_1():
    told = []
    budget(additive, orders=2, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_it_shows_itself():
    found = budget(additive, orders=2)
    text = str(found)
    assert "reset level" in text
    assert "within chance" in text
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    total = sum(share["value"] for share in told["shares"]) + told["residual"]["value"]
    assert total == pytest.approx(told["loss"]["value"])
    with pytest.raises(CompareError, match="no share of 'x'"):
        found["x"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"orders": 1}, "in pairs, and 1 cannot be; give 2"),
        ({"draws": 0}, "0 draws"),
        ({"grouping": "all"}, "not grouped"),
        ({"tolerances": "some"}, "give 'default'"),
        ({"players": [Player("a", "a", (RESET,))]}, "No player has"),
        ({"players": [Player("a", "a"), Player("a", "b")]}, "need names"),
        ({"players": [Player("a", "a", (RESET,)), Player("b", "b", (RESET,))]}, "two players"),
        ({"orders": None, "grouping": "each", "tolerances": "default"}, "too many"),
    ],
)
def test_choices_that_make_no_sense_are_refused(choices, message):
    with pytest.raises(CompareError, match=message):
        budget(additive, **choices)


def test_a_tolerance_draws_the_same_whichever_others_are_on():
    from spicealif.learning.neurons import neuron_values

    neuron = load_preset("paper")
    players = players_of(neuron, SCATTER, "each")
    on = {p.parameters: p for p in players if p.parameters}
    every = neuron_values(neuron, 5, None, 0, SCATTER, 3)
    alone = tolerances_on(SCATTER, [on["r_s",]])
    some = neuron_values(neuron, 5, None, 0, alone, 3)
    assert np.array_equal(some["r_s"], every["r_s"])
    assert (some["c"] == neuron.c).all()  # to the bit
    assert tolerances_on(SCATTER, players[:2]) is None


def test_players_hold_every_cause_and_tolerance_once():
    neuron = load_preset("paper")
    from spicealif.sweep.tolerances import tolerances_of

    scatter = tolerances_of(neuron)
    for grouping in ("one", "parts", "each"):
        players = players_of(neuron, scatter, grouping)
        assert [c for p in players for c in p.causes] == causes_of(neuron)
        named = [n for p in players for n in p.parameters]
        assert sorted(named) == sorted(t.parameter for t in scatter)
    assert causes_on(neuron, players, players) == frozenset(Cause)

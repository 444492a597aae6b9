"""Wishes for a neuron that cannot be had: one sentence, exit code 1, no search in vain."""

from __future__ import annotations

import signal
import sys

import pytest

import spicealif.propose
from spicealif.cli.main import main
from spicealif.design import load_device
from spicealif.errors import DesignError
from spicealif.propose import neuron, propose_neuron


class Unmet:
    """What is printed of a proposal, and that it does not meet the wish."""

    met = False

    def __str__(self):
        return "Not to be had: an adaptation of 1000."


def exit_code(monkeypatch, *arguments):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the test's process keeps its own
    monkeypatch.setattr(sys, "argv", ["spicealif", "propose", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.mark.parametrize(("met", "code"), [(False, 1), (True, 0)])
def test_exit_code_says_whether_the_wish_is_met(monkeypatch, capsys, met, code):
    proposal = Unmet()
    proposal.met = met
    monkeypatch.setattr(spicealif.propose, "propose_neuron", lambda *_, **__: proposal)
    got = exit_code(monkeypatch, "any", "--rate", "5k", "--adaptation", "1000", "-q")
    assert "Not to be had" in capsys.readouterr().out
    assert got == code


@pytest.mark.parametrize(
    ("rate", "adaptation", "words"),
    [
        ("1e300", "1000", "rate of 1e"),
        ("1e-300", "2", "rate of 1e-300 Hz"),
        ("5k", "1e300", "adaptation of 1e"),
        ("5k", "1e-300", "adaptation of 1e-300"),
        ("5k", "nan", "adaptation is nan"),
        ("inf", "2", "rate"),
    ],
)
def test_absurd_wishes_are_refused_without_a_search(monkeypatch, capsys, rate, adaptation, words):
    monkeypatch.setattr(neuron, "explore", lambda *_: pytest.fail("a search was begun"))
    code = exit_code(
        monkeypatch, "w_sdc_5k_1khz_m2", "--rate", rate, "--adaptation", adaptation, "-q"
    )
    (out, err) = capsys.readouterr()
    assert (code, out) == (1, "")
    assert words in err
    assert err.startswith("Error: ")
    assert len(err.splitlines()) == 1


def test_a_rate_far_out_of_reach_is_not_searched_for(monkeypatch):
    rates = []

    def explore(problem, _):
        rates.append(problem.rate)
        return []

    monkeypatch.setattr(neuron, "explore", explore)
    with pytest.raises(DesignError, match=r"near 0\.001 Hz"):
        propose_neuron("w_sdc_5k_1khz_m2", rate=1e-3, adaptation=2)
    assert rates
    assert min(rates) > 0.1


def test_a_fit_is_taken_as_the_device_that_it_found(monkeypatch):
    device = load_device("w_sdc_5k_1khz_m2").device
    asked = []

    class Fit:
        names = ("r_on", "tau")

        def preset(self):
            asked.append(self)
            return load_device("w_sdc_5k_1khz_m2")

    def explore(problem, _):
        assert problem.device == device
        return []

    monkeypatch.setattr(neuron, "explore", explore)
    with pytest.raises(DesignError, match="can be built around this device"):
        propose_neuron(Fit(), rate=5e3, adaptation=2)
    assert len(asked) == 1
    monkeypatch.setattr(Fit, "names", ("r_on[0]", "r_on[1]", "tau"))
    with pytest.raises(DesignError, match=r"\(r_on\[0\], r_on\[1\]\); say which loop's"):
        propose_neuron(Fit(), rate=5e3, adaptation=2)
    assert len(asked) == 1

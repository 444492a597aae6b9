"""The examples in docstrings are run, and show what they say."""

import doctest
import inspect

import pytest

import spicealif
from spicealif.plots import save_figure

#: Theirs take a run of minutes (`docs/` has them), or a file of somebody's own.
WITHOUT = {"explain_tolerances", "fit_device", "read_loop"}
PUBLIC = {name: getattr(spicealif, name) for name in spicealif.__all__}
FUNCTIONS = [name for name, value in PUBLIC.items() if inspect.isfunction(value)]
WITH = [n for n, v in PUBLIC.items() if n != "__version__" and ">>>" in (inspect.getdoc(v) or "")]


def test_every_public_function_has_an_example():
    assert set(FUNCTIONS) - set(WITH) == WITHOUT
    assert {"Sweep", "MonteCarlo", "Range", "Store", "Tolerance"} <= set(WITH)


#: One of each kind is enough where every other test is quick; these take seconds.
SLOW = {"propose_neuron", "verify", "Sweep", "simulate", "certify", "explain", "find_reltol"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in WITH]
)
def test_an_example_shows_what_it_says(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPICEALIF_CACHE", str(tmp_path / "cache"))
    names = {**PUBLIC, "save_figure": save_figure}
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(PUBLIC[name]), names, name, None, 0)
    assert test.examples
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert (failed, tried) == (0, len(test.examples)), capsys.readouterr().out

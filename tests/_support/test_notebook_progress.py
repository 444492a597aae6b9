"""The bar below a notebook's cell."""

import sys
from types import SimpleNamespace

import pytest

from spicealif import progress_bar


@pytest.fixture
def cells(monkeypatch):
    """A notebook's kernel, as far as a bar asks for it; what it shows, in order."""
    shown = []
    handle = SimpleNamespace(update=shown.append)

    def display(page, display_id):
        assert display_id is True
        shown.append(page)
        return handle

    module = SimpleNamespace(HTML=str, display=display)
    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=module)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr("spicealif._support.progress._CELL", 0.0)
    return shown


def test_a_notebook_has_a_bar_of_html(cells):
    with progress_bar("a <b> run") as bar:
        bar(0.25)
        bar(3, 4, 1)
    assert len(cells) == 3
    assert all("a &lt;b&gt; run" in page for page in cells)
    assert "value='0.0000'" in cells[0]
    assert "value='0.2500'></progress> 25 %" in cells[1]
    assert "value='0.7500'></progress> 3/4, " in cells[2]
    assert "1 failed" in cells[2]


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch):
    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with progress_bar("run") as bar:  # whose standard error is no terminal
        assert bar is None


def test_quiet_is_quiet(cells):
    with progress_bar("run", quiet=True) as bar:
        assert bar is None
    assert cells == []

"""Pages as text and HTML, and that every result shows itself through them."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest

import spicealif
from spicealif._support.described import Described
from spicealif.cosim import Cosimulation
from spicealif.measures.shown import Page, Shown, ShownInNotebooks, json_text
from spicealif.measures.tables import fitting, html_table, note_lines, text_table
from spicealif.netlist import Netlist
from spicealif.waveforms import Waveforms

HEAD = ("", "a", "b", "c")
ROWS = [("first", "1", "2", "3"), ("second <1>", "10", "20", "30")]
NOTES = ["A note that is long enough to be broken into two lines.", "Another."]


class Result(ShownInNotebooks):
    def __init__(self, *pages: Page) -> None:
        self.pages = pages

    def _pages(self):
        return self.pages

    def to_dict(self):
        return {"pages": len(self.pages), "none": None}


@pytest.mark.parametrize("notes", [[], NOTES])
@pytest.mark.parametrize("width", [0, 20, 30, 60])
def test_one_table_is_a_page_as_it_stands(notes, width):
    result = Result(Page(((HEAD, ROWS),), notes))
    with fitting(width) if width else fitting(10_000):
        assert str(result) == text_table(HEAD, ROWS, notes)
    assert result._repr_html_() == html_table(HEAD, ROWS, notes)


def test_columns_side_by_side_in_text_and_all_of_them_in_html():
    other = ("x", "d", "e", "f"), [("y", "4", "5", "6")]
    result = Result(Page(((HEAD, ROWS), other), NOTES, columns=2))
    left = [HEAD[:3], [row[:3] for row in ROWS]], [other[0][:3], [other[1][0][:3]]]
    right = [("", "c"), [(r[0], r[3]) for r in ROWS]], [("x", "f"), [("y", "6")]]
    assert str(result) == "\n".join([*(text_table(h, r) for h, r in (*left, *right)), *NOTES])
    assert result._repr_html_() == html_table(HEAD, ROWS) + html_table(*other, NOTES)
    # nothing to show side by side
    assert str(Result(Page(((("",), []),), NOTES, columns=2))) == "\n".join(NOTES)


def test_pages_are_apart():
    table = HEAD, ROWS
    plain = text_table(*table).rstrip()
    result = Result(Page((table,), NOTES), Page((table,)), Page((table,), NOTES, close=True))
    under = "\n".join(note_lines(NOTES))
    assert str(result) == f"{plain}\n\n{under}\n\n{plain}\n\n{plain}\n{under}"
    html = html_table(*table)
    assert result._repr_html_() == "\n".join(
        [html_table(*table, NOTES), html, html_table(*table, NOTES)]
    )


def test_json_is_one_text():
    result = Result(Page(((HEAD, ROWS),)))
    assert json_text(result) == json.dumps(result.to_dict(), indent=1)


def test_every_result_shows_itself_through_pages():
    """A table of its own in `__str__` or `_repr_html_` is a second mechanism.

    There is one for pages and one for facts; xarray shows waveforms, a netlist adds its text, and a
    run of both sides has the pages of its comparison.
    """
    found, own = set(), []
    for module in pkgutil.walk_packages(spicealif.__path__, "spicealif."):
        if module.name.endswith(("__main__", "_worker")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if not isinstance(value, type) or value.__module__ != module.name:
                continue
            if issubclass(value, Shown) and "_pages" not in vars(value):
                found.add(name)
            if "_repr_html_" in vars(value):
                own.append(value)
    assert set(own) == {Cosimulation, Described, Netlist, Shown, Waveforms}
    assert found == {
        "AccuracyBudget", "Certificate", "CertifiedPredictions", "Comparison",
        "EnergyPerDecision", "FitResult", "GapBudget", "NetworkComparison", "NetworkMeasures",
        "Proposal", "ShownInNotebooks", "SpotChecks", "ToleranceBudget", "Transfer",
        "Verification",
    }  # fmt: skip


def test_a_heading_takes_two_lines_before_the_table_becomes_a_list():
    head = ("", "circuit (ngspice)", "reference (ideal)")
    rows = [("mean rate", "4.58 kHz", "4.46 kHz")]
    with fitting(37):
        assert text_table(head, rows).splitlines()[:4] == [
            "             circuit  reference",
            "           (ngspice)    (ideal)",
            "-" * 31,
            "mean rate   4.58 kHz   4.46 kHz",
        ]
    with fitting(30):
        assert text_table(head, rows).splitlines()[0] == "mean rate"

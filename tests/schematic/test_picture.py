"""The circuit as a picture: size, values, texts that touch nothing, the user's settings."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
import schemdraw
from matplotlib.transforms import Bbox

from spicealif import Neuron, draw_schematic, load_preset, write_schematic
from spicealif.cli.main import run

PAPER = load_preset("paper")
NEURONS: dict[str, Neuron] = {
    "paper": PAPER,
    "lif": load_preset("lif"),
    "knowm-generic": load_preset("knowm-generic"),
    "ideal": PAPER.ideal(),
    "op-amp ideal": PAPER.replace({"difference_amplifier.opamp.kind": "ideal"}),
    "open collector, long name": PAPER.replace(
        {"comparator.preset": "lm393", "comparator.name": "a_name_of_many_letters"}
    ),
    "Yakopcic": PAPER.replace({"leak.preset": "yakopcic_oblea"}),
}


@pytest.fixture(scope="module", params=NEURONS)
def figure(request):
    return draw_schematic(NEURONS[request.param])


def test_no_text_touches_another_or_a_line_or_leaves_the_picture(figure):
    axes = figure.axes[0]
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in axes.texts]
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert Bbox.intersection(a, b) is None, (one, other)
    lines = [axes.transData.transform(np.column_stack(ln.get_data())) for ln in axes.lines]
    for text, box in boxes:
        if text in "+\N{MINUS SIGN}":
            continue  # inside of a symbol
        assert figure.bbox.contains(box.x0, box.y0), text
        assert figure.bbox.contains(box.x1, box.y1), text
        for line in lines:
            for p, q in itertools.pairwise(line[~np.isnan(line).any(axis=1)]):
                steps = np.linspace(p, q, max(2, int(np.hypot(*(q - p)) / 2)))
                inside = (steps > box.min).all(axis=1) & (steps < box.max).all(axis=1)
                assert not inside.any(), (text, p, q)


def test_the_papers_neuron_is_a_page_wide_with_its_values():
    figure = draw_schematic(PAPER)
    assert figure.get_figwidth() * 25.4 == pytest.approx(180, abs=1)
    texts = [t.get_text() for t in figure.axes[0].texts]
    for value in ("100 nF", "10.6 k\N{GREEK CAPITAL LETTER OMEGA}", "368 mV", "OP482", "AD8561"):
        assert value in texts
    assert "+5 V" in texts
    assert "\N{MINUS SIGN}5 V" in texts
    assert any("pulses from 0 A to 1 mA, 500 \N{MICRO SIGN}s long, every 1 ms" in t for t in texts)
    # what only the simulator wants is not in it
    assert not [t for t in texts if "st" in t and "R" in t]


def test_a_pull_up_and_a_long_name_are_told_below():
    texts = [
        t.get_text() for t in draw_schematic(NEURONS["open collector, long name"]).axes[0].texts
    ]
    told = "A_NAME_OF_MANY_LETTERS, open collector, pulled up by 1 k\N{GREEK CAPITAL LETTER OMEGA}"
    assert f"comparator:  {told}" in texts
    assert "comp." in texts


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_command_writes_pictures_that_are_the_same_each_time(ending, tmp_path):
    path = tmp_path / f"n.{ending}"
    assert run(["schematic", "lif", "-q", "-o", str(path)]) == 0
    first = path.read_bytes()
    assert write_schematic(load_preset("lif"), path) == (path,)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_users_style_of_schemdraw_is_not_ours():
    plain = draw_schematic(PAPER)
    try:
        schemdraw.config(lw=9, fontsize=40, color="red", bgcolor="black")
        styled = draw_schematic(PAPER)
    finally:
        schemdraw.theme("default")
    assert styled.get_facecolor() == plain.get_facecolor()
    pairs = zip(plain.axes[0].lines, styled.axes[0].lines, strict=True)
    assert all(a.get_color() == b.get_color() and a.get_lw() == b.get_lw() for a, b in pairs)


def test_drawing_chooses_no_backend_of_matplotlib():
    code = (
        "import matplotlib\n"
        "from spicealif import draw_schematic, load_preset\n"
        "before = dict.__getitem__(matplotlib.rcParams, 'backend')\n"
        "draw_schematic(load_preset('lif'))\n"
        "print(dict.__getitem__(matplotlib.rcParams, 'backend') is before)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"

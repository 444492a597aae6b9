"""Figures are the same whatever the user has told matplotlib, and nobody's settings are changed."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser

from spicealif import compare, load_preset, solve_reference
from spicealif._support.figure_symbols import parameter_label, without_formulas
from spicealif._support.figures import figure_style, new_figure, readable
from spicealif.errors import OutputError
from spicealif.fit.figures import loop_figure
from spicealif.plots import (
    COLUMN_WIDTH,
    FIGURE_FORMATS,
    PAGE_WIDTH,
    STYLE_FILE,
    overlay_figure,
    reference_figure,
    save_figure,
)

#: Each of them changes a picture, or stops it.
HOSTILE = {
    "text.usetex": True,
    "font.size": 40,
    "font.family": ["serif"],
    "mathtext.fontset": "stix",
    "figure.dpi": 30,
    "savefig.dpi": 12,
    "savefig.format": "svg",
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "figure.autolayout": True,
    "axes.facecolor": "black",
    "axes.unicode_minus": False,
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 9,
    "lines.antialiased": False,
    "path.simplify": False,
    "path.sketch": (1, 100, 2),
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "legend.fontsize": 50,
}
#: What another program draws and writes; prints nothing.
DRAW = """
import sys
from spicealif._support.figures import figure_style, new_figure, save_figure
with figure_style():
    figure = new_figure(76, 51)
    axes = figure.subplots()
    axes.plot([0, 1e-6], [-1, 1])
    axes.set_ylabel("$v_{mem}$", parse_math=True)
    axes.set_title("$5_$")
save_figure(figure, sys.argv[1])
"""


@pytest.fixture(scope="module")
def small():
    return load_preset("paper").replace(t_stop=2e-3)


@pytest.fixture(scope="module")
def sides(small):
    return solve_reference(small), solve_reference(small, "schmitt")


def draw(folder: Path, small, reference) -> list[bytes]:
    files = [save_figure(reference_figure(reference, small), folder / "f.png")]
    for ending in (".svg", ".pdf"):
        with figure_style():
            figure = new_figure(76, 51)
            figure.subplots().plot([1, 2], [-1e-6, 2e-6], label="a_$b$")
            figure.legend()
        files.append(save_figure(figure, folder / f"f{ending}"))
    return [file.read_bytes() for file in files]


def test_settings_of_the_user_change_no_byte_and_stay_as_they_were(small, sides, tmp_path):
    plain = draw(tmp_path, small, sides[0])
    with mpl.rc_context(HOSTILE):
        before = dict(mpl.rcParams)
        drawn = draw(tmp_path, small, sides[0])
        assert dict(mpl.rcParams) == before
    assert drawn == plain
    assert [data[:4] for data in drawn] == [b"\x89PNG", b"<?xm", b"%PDF"]
    assert b"<svg" in drawn[1]


def test_figures_of_others_are_written_whatever_is_set(tmp_path):
    # Made in the user's style, which stays; but what is written is what the ending says.
    figure = Figure(figsize=(2, 2))
    with mpl.rc_context({"savefig.format": "svg", "savefig.bbox": "tight", "savefig.dpi": 7}):
        path = save_figure(figure, tmp_path / "F.PNG")
    data = path.read_bytes()
    assert data[:4] == b"\x89PNG"
    width = int.from_bytes(data[16:20], "big")
    assert width == 2 * 300  # inches, and dots in each as for every figure


@pytest.mark.slow
@pytest.mark.parametrize("case", ["broken", "elsewhere"])
def test_settings_that_cannot_be_read_stop_no_figure(case, tmp_path):
    """matplotlib itself does not even load with the first ones."""
    there = tmp_path / "there"
    there.mkdir()
    if case == "broken":
        # In the working directory, where matplotlib looks first; no text at all.
        (there / "matplotlibrc").write_bytes(bytes(range(128, 256)) * 9)
        changes = {"MPLBACKEND": "nonsense"}
        stopped = [sys.executable, "-c", "import matplotlib"]
        assert subprocess.run(stopped, check=False, cwd=there, capture_output=True).returncode != 0
    else:
        (tmp_path / "rc").write_text("text.usetex: True\nno such line\nfont.size: 33\n")
        changes = {
            "MATPLOTLIBRC": str(tmp_path / "rc"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": "/proc/nowhere",
        }
    (tmp_path / "draw.py").write_text(DRAW)
    root = str(Path(__file__).resolve().parent.parent.parent)
    environment = {**os.environ, **changes, "PYTHONPATH": root}
    command = [sys.executable, str(tmp_path / "draw.py"), "theirs.png"]
    done = subprocess.run(
        command, check=False, cwd=there, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The same here, in a program whose settings are the test's.
    old, sys.argv = sys.argv, ["draw.py", str(tmp_path / "ours.png")]
    try:
        exec(compile(DRAW, "draw.py", "exec"), {})
    finally:
        sys.argv = old
    assert (there / "theirs.png").read_bytes() == (tmp_path / "ours.png").read_bytes()


@pytest.mark.slow
def test_a_notebook_shows_a_figure_in_our_style(small, sides):
    figure = reference_figure(sides[0], small)
    figure._repr_png_()  # the layout of the second drawing begins where the first one's ended
    plain = figure._repr_png_()
    with mpl.rc_context(HOSTILE):
        assert figure._repr_png_() == plain
    # As IPython's inline backend does it: through the canvas, in the user's settings.
    with mpl.rc_context({"text.usetex": True}):
        buffer = io.BytesIO()
        figure.canvas.print_figure(buffer, format="png")
    assert buffer.getvalue()[:4] == b"\x89PNG"


def test_threads_that_draw_leave_the_settings_alone(small, sides, tmp_path):
    with mpl.rc_context({"font.size": 17}):
        before = dict(mpl.rcParams)

        def draw(k: int) -> bytes:
            with figure_style():
                figure = new_figure(51, 51)
                figure.suptitle("x")
            return save_figure(figure, tmp_path / f"{k}.png").read_bytes()

        with ThreadPoolExecutor(4) as pool:
            drawn = set(pool.map(draw, range(12)))
        assert len(drawn) == 1
        assert dict(mpl.rcParams) == before


NAMES = [r"$\frac{1$.csv", "a$b$c", "_hidden", "\\alpha_{", "\udce9t\u4e2d.csv", "two\nlines\x07"]


@pytest.mark.slow
def test_a_side_s_name_is_a_name_and_no_formula(small, sides, tmp_path):
    name = r"_$\frac{1$"  # which matplotlib would hide, and could not read either
    figure = overlay_figure(compare(*sides, small, labels=(name, "other")))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [name, "other"]
    save_figure(figure, tmp_path / "f.png")


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("a µ.csv", "a µ.csv"),
        ("\u4e2d.csv", r"\u4e2d.csv"),
        ("caf\udce9", r"caf\udce9"),  # Latin-1 where UTF-8 is expected
        ("two\nlines\x07\U0001f980", r"two\nlines\x07\U0001f980"),
    ],
)
def test_what_cannot_be_drawn_is_spelled(name, drawn):
    assert readable(name) == drawn


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_measured_file_s_name_is_a_name(name, tmp_path):
    time = np.linspace(0, 1, 50)
    loop = SimpleNamespace(
        name=name, time=time, period=None, v_mem=np.sin(time), i=1e-3 * np.cos(time)
    )
    fitted = SimpleNamespace(loop=loop, v_mem=loop.v_mem, i=loop.i, nmse_v=0.1, nmse_i=0.1)
    result = SimpleNamespace(loops=[fitted], device=SimpleNamespace(title=name))
    figure = loop_figure(result)
    assert not figure.axes[0].title.get_parse_math()
    save_figure(figure, tmp_path / "f.svg")


@pytest.mark.parametrize("name", ["f", "f.", "f.jpg", "f.png.gz", ".png", "f.svgz"])
def test_other_endings_are_refused_with_those_that_are_written(name, tmp_path):
    with pytest.raises(OutputError, match=r"use \.png, \.svg or \.pdf\."):
        save_figure(new_figure(25, 25), tmp_path / name)
    assert not list(tmp_path.iterdir())


# --- for print ----------------------------------------------------------------------------------


def test_the_style_is_a_file_that_matplotlib_takes(tmp_path):
    with mpl.rc_context():
        mpl.style.use(STYLE_FILE)
        theirs = dict(mpl.rcParams)
    with figure_style():
        ours = dict(mpl.rcParams)
    for name in ("font.size", "axes.labelsize", "legend.fontsize", "savefig.dpi", "font.family"):
        assert theirs[name] == ours[name]
    assert (ours["font.size"], ours["savefig.dpi"]) == (8, 300)
    # Nothing in it is matplotlib's own default, or it would say what needs no saying.
    said = mpl.rc_params_from_file(STYLE_FILE, use_default_template=False)
    assert {"font.size", "axes.grid", "svg.hashsalt", "pdf.fonttype"} <= set(said)


@pytest.mark.parametrize("width", [COLUMN_WIDTH, PAGE_WIDTH])
@pytest.mark.parametrize("kind", FIGURE_FORMATS)
def test_pictures_are_as_wide_as_a_column_or_a_page(width, kind, tmp_path):
    with figure_style():
        figure = new_figure(width, 40)
        figure.subplots().plot([1, 2])
    data = save_figure(figure, tmp_path / f"f.{kind}").read_bytes()
    if kind == "png":
        pixels = int.from_bytes(data[16:20], "big")
        assert pixels == pytest.approx(width / 25.4 * 300, abs=1)
        per_metre = data.index(b"pHYs") + 4  # which a text processor takes the size from
        assert int.from_bytes(data[per_metre : per_metre + 4], "big") == round(300 / 0.0254)
        return
    pattern = rb'width="([0-9.]+)pt"' if kind == "svg" else rb"/MediaBox \[ 0 0 ([0-9.]+)"
    points = float(re.search(pattern, data)[1])
    assert points / 72 * 25.4 == pytest.approx(width, abs=0.01)


@pytest.mark.parametrize("kind", FIGURE_FORMATS)
def test_a_picture_s_file_says_what_it_shows(kind, small, sides, tmp_path):
    figure = reference_figure(sides[0], small)
    assert figure.get_suptitle() == ""
    assert figure.caption == "paper: reference (ODE by RK4, ideal)"
    data = save_figure(figure, tmp_path / f"f.{kind}").read_bytes()
    said = figure.caption.encode()
    # PDF puts a backslash before brackets.
    said = said.replace(b"(", b"\\(").replace(b")", b"\\)") if kind == "pdf" else said
    assert said in data


def test_a_title_is_drawn_where_it_is_asked_for(small, sides):
    asked = reference_figure(sides[0], small, title=True)
    assert asked.get_suptitle() == "paper: reference (ODE by RK4, ideal)"
    own = reference_figure(sides[0], small, title=r"my $\frac{1$ neuron")
    assert own._suptitle.get_window_extent(own.canvas.get_renderer()).width > 0
    assert own.get_suptitle() == r"my \$\frac{1\$ neuron"  # no formula


def test_a_format_given_apart_from_the_name_may_not_contradict_it(tmp_path):
    figure = new_figure(25, 25)
    with pytest.raises(OutputError, match="another format than svg"):
        save_figure(figure, tmp_path / "f.png", "svg")
    with pytest.raises(OutputError, match=r"as 'gif'; choose one of png, svg, pdf\."):
        save_figure(figure, tmp_path / "f.png", "gif")
    assert not list(tmp_path.iterdir())
    assert save_figure(figure, tmp_path / "f.PDF", "pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_takes_the_format_that_is_given(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        save_figure(new_figure(25, 25), tmp_path / "pipe", "svg")
        assert b"<svg" in read.result(10)


# --- symbols ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("leak.tau", r"$\tau$"),
        ("r_s", r"$R_\mathrm{s}$"),
        ("leak.r_on", r"$R_\mathrm{on}$"),
        ("c", "$C$"),
        ("t_stop", "length of the run"),
        ("temperature", "temperature"),
        ("comparator.v_os", r"comparator $V_\mathrm{os}$"),
        ("difference_amplifier.opamp.slew_rate", "op-amp slew rate"),
        ("difference_amplifier.opamp.tc_v_os",
         r"op-amp temperature coefficient of $V_\mathrm{os}$"),
        ("mosfet.c_gd_max", r"MOSFET $C_\mathrm{gd,max}$"),
        ("stimulus.frequency", "stimulus frequency"),
        ("leak.my_own_thing", "my own thing"),
        (r"$\frac{1$", r"\$\frac{1\$"),
    ],
)  # fmt: skip
def test_a_parameter_s_key_becomes_its_symbol(key, label):
    assert parameter_label(key) == label


def test_every_parameter_of_a_design_has_a_label_that_is_no_key_and_can_be_drawn():
    keys = set()

    def walk(part, before=""):
        for name, value in part.items():
            if isinstance(value, dict):
                walk(value, f"{before}{name}.")
            else:
                keys.add(before + name)

    for preset in ("paper", "lif", "knowm-generic"):
        walk(load_preset(preset).to_dict())
    assert len(keys) > 80
    labels = {key: parameter_label(key) for key in keys}
    parser = MathTextParser("agg")
    for key, label in labels.items():
        assert "_" not in re.sub(r"\$[^$]*\$", "", label), key
        assert "." not in label, key
        parser.parse(label)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (r"final state $x$", "final state x"),
        (r"$\tau$ = 5 ms, $R_\mathrm{s}$ = 1 kΩ", "tau = 5 ms, R_s = 1 kΩ"),
        (r"costs \$5 and $C$", "costs $5 and C"),
    ],
)
def test_a_caption_has_no_formulas(label, text):
    assert without_formulas(label) == text

"""What holds for every figure: it can be printed as it is."""

from __future__ import annotations

import itertools
import re

from matplotlib.text import Text

__all__ = ["assert_printable", "texts_of"]

#: What reads like a key: words joined by underscores, or by a dot.
_KEY = re.compile(r"[A-Za-z]\w*(_|\.)[A-Za-z]\w*")
_FORMULA = re.compile(r"\$[^$]*\$")


def texts_of(figure) -> list[Text]:
    """Return the texts that are seen: titles, labels, ticks within the axes, legends, notes."""
    figure.draw_without_rendering()
    parts = [figure, *(s for s in getattr(figure, "subfigs", ()))]
    found = [text for part in parts for text in part.texts]
    found += [
        text
        for part in parts
        for legend in part.legends
        for text in (*legend.get_texts(), legend.get_title())
    ]
    for axes in figure.axes:
        for each in (axes, *axes.child_axes):
            if not each.get_visible() or not each.axison:
                found += each.texts if each.get_visible() else []
                continue
            found += [each.title, each._left_title, each._right_title, *each.texts]
            for axis in (each.xaxis, each.yaxis):
                found += [axis.label, *_ticks(axis)]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _ticks(axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    both = [(axis.get_major_ticks(), axis.get_majorticklocs())]
    both += [(axis.get_minor_ticks(), axis.get_minorticklocs())]
    out = []
    for ticks, places in both:
        for tick, place in zip(ticks, places, strict=False):
            if low - room <= place <= high + room:
                out += [t for t in (tick.label1, tick.label2) if t.get_visible()]
    return out


def assert_printable(figure, names: tuple[str, ...] = ()) -> None:
    """Check width and sizes, that nothing is cut or overlaps, and that symbols stand for keys.

    Parameters
    ----------
    figure : Figure
    names : tuple of str
        Texts that may hold what reads like a key, such as names of files.
    """
    width = figure.get_figwidth() * 25.4
    assert min(abs(width - 88), abs(width - 180)) < 0.1, f"{width} mm wide"
    assert figure.get_figheight() * 25.4 < 250, "higher than a page"
    assert figure.get_suptitle() == "", "a title that nobody asked for"
    assert figure.caption
    texts = texts_of(figure)
    renderer = figure.canvas.get_renderer()
    assert len(texts) > 5
    for text in texts:
        said = text.get_text()
        assert text.get_fontsize() == 8, said
        box = text.get_window_extent(renderer)
        frame = figure.bbox.padded(1.5)
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, f"{said!r} is cut"
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, f"{said!r} is cut"
        if said not in names and not any(name in said for name in names):
            assert not _KEY.search(_FORMULA.sub("", said)), f"{said!r} holds a key"
        if "$" in said:
            assert text.get_parse_math(), f"{said!r} is shown as it stands"
    _no_overlap(figure, texts, renderer)
    _legends_outside(figure, renderer)


def _no_overlap(figure, texts, renderer) -> None:
    """Check that no two texts lie on each other."""
    boxes = [(text.get_text(), text.get_window_extent(renderer).padded(-0.5)) for text in texts]
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not a.overlaps(b), f"{one!r} lies on {other!r}"


def _legends_outside(figure, renderer) -> None:
    parts = [figure, *(s for s in getattr(figure, "subfigs", ()))]
    legends = [legend for part in parts for legend in part.legends]
    assert not any(axes.get_legend() for axes in figure.axes)
    for legend in legends:
        box = legend.get_window_extent(renderer)
        assert box.width <= figure.bbox.width
        for axes in figure.axes:
            if axes.get_visible():
                assert not box.padded(-1).overlaps(axes.get_tightbbox(renderer)), "on the data"

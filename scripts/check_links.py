"""Check the links of a built web site, and of the Markdown files of the project.

    python scripts/check_links.py [HTML_FOLDER]

Every link to a file of the project must lead to one, every anchor to a heading or an ``id``.
Nothing may be loaded from another site when a page is opened (fonts, scripts, styles, pictures):
the pages are to be read without a network. Links to other sites are counted and not followed.
Without HTML_FOLDER only the Markdown files are looked at. The exit code is 1 if something is wrong.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["anchors_of", "check_html", "check_markdown", "markdown_files"]

ROOT = Path(__file__).resolve().parent.parent
#: Attributes by which a page loads something when it is opened.
_LOADS = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src"}
#: Kinds of ``<link>`` that load nothing.
_NO_LOAD = frozenset({"index", "search", "next", "prev", "canonical", "alternate"})
_FENCE = re.compile(r"^(```+|~~~+|:::+).*?^\1\s*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(?<!\\)!?\[[^\]\[]*(?:\[[^\]]*\][^\]\[]*)*\]\(<?([^)\s>]+)>?\)")


class _Page(HTMLParser):
    """The links, the anchors and what is loaded, of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        kinds = set(found.get("rel", "").split())
        if tag in _LOADS and _LOADS[tag] in found and not (tag == "link" and kinds & _NO_LOAD):
            self.loads.append(found[_LOADS[tag]])


@cache
def _page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def check_html(folder: Path) -> tuple[list[str], int]:
    """Return what is wrong with a web site, and how many links lead to other sites."""
    wrong, outside = [], set()
    for path in sorted(folder.rglob("*.html")):
        where = path.relative_to(folder)
        if where.parts[0] in ("_static", "_sources"):
            continue
        page = _page(path)
        wrong += [
            f"{where}: loads {what} from another site"
            for what in page.loads
            if urlsplit(what).netloc
        ]
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                outside.add(link)
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if not target.exists():
                wrong.append(f"{where}: {link} leads to no file")
            elif (
                parts.fragment
                and target.suffix == ".html"
                and unquote(parts.fragment) not in _page(target).anchors
            ):
                wrong.append(f"{where}: {link} leads to no anchor")
    return wrong, len(outside)


def markdown_files() -> Iterator[Path]:
    """Yield the Markdown files that people read in the project."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "examples"):
        yield from (p for p in sorted((ROOT / folder).rglob("*.md")) if "_build" not in p.parts)


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """Return the anchors of a Markdown file's headings, as forges and MyST make them."""
    found: set[str] = set()
    for heading in re.findall(
        r"^#{1,6} (.+)$", _FENCE.sub("", path.read_text(encoding="utf-8")), re.M
    ):
        text = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")
        anchor, number = text, 1
        while anchor in found:
            anchor, number = f"{text}-{number}", number + 1
        found.add(anchor)
    return frozenset(found)


def check_markdown() -> tuple[list[str], int]:
    """Return what is wrong with the links of the Markdown files, and how many lead outside."""
    wrong, outside = [], 0
    for path in markdown_files():
        where = path.relative_to(ROOT)
        text = _CODE.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
        for link in _LINK.findall(text):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                outside += 1
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if not target.exists():
                wrong.append(f"{where}: {link} leads to no file")
            elif parts.fragment and target.suffix == ".md":
                text_anchors = anchors_of(target) | _included(target)
                if parts.fragment not in text_anchors:
                    wrong.append(f"{where}: {link} leads to no heading")
    return wrong, outside


def _included(path: Path) -> frozenset[str]:
    """Return the anchors of the files that a page includes."""
    names = re.findall(r"^```\{include\} (\S+)", path.read_text(encoding="utf-8"), re.M)
    return frozenset().union(*(anchors_of((path.parent / name).resolve()) for name in names))


def main() -> int:
    """Check, and say what is wrong."""
    wrong, outside = check_markdown()
    for name in sys.argv[1:]:
        of_pages, more = check_html(Path(name).resolve())
        wrong, outside = wrong + of_pages, outside + more
    print("\n".join(wrong) or f"No broken link. {outside} links to other sites were not followed.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

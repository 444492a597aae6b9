"""Reading a report as a browser's parser would, without a browser."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["ReportPage"]

_EMPTY = {"meta", "link", "input", "br", "path", "rect", "use"}


class ReportPage(HTMLParser):
    """What stands in a report's HTML.

    Parameters
    ----------
    text : str

    Attributes
    ----------
    elements : list of (str, dict)
        Tags with their attributes, in order.
    texts : dict of str to str
        The visible text by the id of the section.
    unclosed : list of str
        Tags that nothing closes, or that close nothing.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self._sections: list[str] = []
        self._silent = 0
        self.feed(text)
        self.close()
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag in _EMPTY:
            return
        self._open.append(tag)
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "section":
            self._sections.append(found.get("id", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        if not self._open or self._open[-1] != tag:
            self.unclosed.append(f"/{tag}")
            return
        self._open.pop()
        if tag in ("script", "style"):
            self._silent -= 1
        if tag == "section":
            self._sections.pop()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        for name in {*self._sections, ""}:
            self.texts[name] = f"{self.texts.get(name, '')} {data}"

    def words(self, section: str = "") -> str:
        """Return the visible text of a section in one line; of the whole page if none is named."""
        return " ".join(self.texts.get(section, "").split())

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of all elements of a tag."""
        return [attributes for name, attributes in self.elements if name == tag]

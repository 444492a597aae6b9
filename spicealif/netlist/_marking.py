"""Templates whose lines are known by file and number after rendering, by an invisible mark."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

__all__ = ["MarkingLoader", "unmark"]

_MARK = "\x1e"
_TAG = re.compile(r"(\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\})|(\n)|([^\S\n]+)|([^{\n\s]+|\{)", re.DOTALL)


class MarkingLoader(jinja2.BaseLoader):
    """Looks a template up in several folders and marks its lines."""

    def __init__(self, folders: list[tuple[str, Path]]) -> None:
        self.folders = folders

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, None]:
        for label, folder in self.folders:
            path = folder / template
            if path.is_file():
                source = path.read_text(encoding="utf-8")
                return _mark(source, f"{label}/{template}"), str(path), None
        raise jinja2.TemplateNotFound(template)


def _mark(source: str, name: str) -> str:
    """Return the template with a mark at the end of each line that prints something."""
    out: list[str] = []
    line, prints = 1, False
    for match in _TAG.finditer(source):
        tag, newline, _, text = match.groups()
        if newline:
            if prints:
                out.append(f"{_MARK}{name}:{line}{_MARK}")
            line, prints = line + 1, False
        elif tag:
            prints = prints or tag.startswith("{{")
            line += tag.count("\n")
        elif text:
            prints = True
        out.append(match.group())
    return "".join(out)


def unmark(marked: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    """Return the text without its marks, and template and line that each of its lines is from."""
    lines = marked.split("\n")
    if not lines[-1]:
        lines.pop()
    texts: list[str] = []
    origins: list[tuple[str, int]] = []
    waiting = 0
    for line in lines:
        text, mark, rest = line.partition(_MARK)
        texts.append(text)
        waiting += 1
        if mark:
            # Lines printed by one tag (a long PWL) share the mark at its end.
            name, _, number = rest[: rest.index(_MARK)].rpartition(":")
            origins += [(name, int(number))] * waiting
            waiting = 0
    origins += [("", 0)] * waiting
    return "\n".join(texts) + "\n", tuple(origins)

"""What a report is made of: sections of blocks, each of which a template knows how to draw.

Texts are plain; the templates escape them. Only a `Picture`'s SVG is markup, and that is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from spicealif.report._charts import Chart

__all__ = [
    "Bars",
    "Block",
    "Cell",
    "Code",
    "Command",
    "Facts",
    "Listing",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Tabs",
    "Text",
    "Traces",
]


@dataclass(frozen=True)
class Cell:
    """A table's cell that is more than its text.

    Attributes
    ----------
    text : str
    kind : str
        A class of the style sheet, such as a verdict's.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs.

    Attributes
    ----------
    paragraphs : sequence of str
    kind : str
        ``""``, ``"notes"`` (small, a list) or ``"missing"`` (what is not there, and why).
    """

    paragraphs: Sequence[str]
    kind: str = ""
    shape: ClassVar[str] = "text"


@dataclass(frozen=True)
class Command:
    """A sentence, and the command that it speaks of."""

    sentence: str
    command: str
    shape: ClassVar[str] = "command"


@dataclass(frozen=True)
class Code:
    """A text of many lines, to be copied."""

    text: str
    label: str
    shape: ClassVar[str] = "code"


@dataclass(frozen=True)
class Table:
    """A table; the first column has the rows' labels.

    Attributes
    ----------
    caption : str
    head : sequence of str
    rows : sequence of sequence of (str or Cell)
    kind : str
        Classes of the style sheet: ``"long"`` scrolls on the screen, ``"words"`` has texts rather
        than figures.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    kind: str = ""
    shape: ClassVar[str] = "table"


@dataclass(frozen=True)
class Bars:
    """A table with a bar in each row, to both sides of zero.

    Attributes
    ----------
    caption : str
    head : sequence of str
        Above the labels, the bars and the cells.
    rows : sequence of (str, float or None, sequence of str, str)
        Label, value of the bar (None for none), cells, and ``"total"``, ``"part"`` or ``"rest"``.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, float | None, Sequence[str], str]]
    shape: ClassVar[str] = "bars"

    @property
    def placed(self) -> list[tuple[str, float, float, Sequence[str], str]]:
        """The rows with where the bar begins and how wide it is, in percent."""
        values = [value for _, value, *_ in self.rows if value is not None]
        low, high = min([0.0, *values]), max([0.0, *values])
        scale = 100.0 / ((high - low) or 1.0)
        out = []
        for label, value, cells, kind in self.rows:
            width = abs(value or 0.0) * scale
            begin = (min(value or 0.0, 0.0) - low) * scale
            out.append((label, begin, max(width, 0.4) if value else 0.0, cells, kind))
        return out

    @property
    def zero(self) -> float:
        """Where zero is, in percent."""
        values = [value for _, value, *_ in self.rows if value is not None]
        low, high = min([0.0, *values]), max([0.0, *values])
        return -low / ((high - low) or 1.0) * 100.0


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for.

    Attributes
    ----------
    rows : sequence of (str, str)
    code : bool
        Whether the values are digests and the like.
    """

    rows: Sequence[tuple[str, str]]
    code: bool = False
    shape: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Listing:
    """A netlist whose lines have the colour of their component.

    Attributes
    ----------
    lines : sequence of (int, str, int, str)
        Number, text, component (from 0; -1 for none) and class of each line.
    components : sequence of str
        Their names.
    """

    lines: Sequence[tuple[int, str, int, str]]
    components: Sequence[str]
    shape: ClassVar[str] = "listing"


@dataclass(frozen=True)
class Picture:
    """A drawing that can be zoomed.

    Attributes
    ----------
    svg : str
        Markup of ours.
    title, description : str
        What it is, and what it shows in words.
    ink : bool
        Whether it is lines only, which may be light on dark; else it keeps its white paper.
    """

    svg: str
    title: str
    description: str
    ink: bool = False
    shape: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Traces:
    """Traces over time that are zoomed together, and the table of the spikes that goes with them.

    Attributes
    ----------
    chart : Chart
    spikes : Table or None
    """

    chart: Chart
    spikes: Table | None = None
    shape: ClassVar[str] = "traces"


@dataclass(frozen=True)
class Tabs:
    """Blocks behind tabs on the screen, one below the other in print.

    Attributes
    ----------
    label : str
        What the tabs choose.
    tabs : sequence of (str, sequence of Block)
    """

    label: str
    tabs: Sequence[tuple[str, Sequence[Block]]]
    shape: ClassVar[str] = "tabs"


Block: TypeAlias = Bars | Text | Command | Code | Table | Facts | Listing | Picture | Traces | Tabs


@dataclass(frozen=True)
class Section:
    """A heading, and what is under it.

    Attributes
    ----------
    name : str
        For links: letters and hyphens.
    title : str
    blocks : sequence of Block
    """

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes
    ----------
    title : str
    kind : str
        What sort of result it is of, such as ``"Run"``.
    question : str
    answer : sequence of str
        Three sentences.
    sections : sequence of Section
    made : str
        Who wrote it and when.
    headline : sequence of (str, str, str)
        Label, figure and remark of a few figures beside the answer.
    """

    title: str
    kind: str
    question: str
    answer: Sequence[str]
    sections: Sequence[Section]
    made: str
    headline: Sequence[tuple[str, str, str]] = field(default=())

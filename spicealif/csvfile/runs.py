"""Rows one after the other that may be rows of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Run", "find_runs", "is_heading", "is_like"]


@dataclass
class Run:
    """Rows one after the other that may be rows of one table.

    Attributes
    ----------
    first, last : int
        Among all rows.
    profile : list of str
        Of each column ``n`` (numbers), ``t`` (texts) or ``m`` (nothing).
    """

    first: int
    last: int
    profile: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many."""
        return self.last - self.first + 1

    @property
    def numbers(self) -> list[int]:
        """Columns with numbers, from 0."""
        return [k for k, kind in enumerate(self.profile) if kind == "n"]

    @property
    def has_text(self) -> bool:
        """Whether a column holds texts."""
        return "t" in self.profile


def find_runs(kinds: Sequence[str]) -> list[Run]:
    """Return the runs of rows with numbers.

    Parameters
    ----------
    kinds : sequence of str
        Of each row the kinds of its cells (see `kind_of`).
    """
    runs: list[Run] = []
    current: Run | None = None
    for k, row in enumerate(kinds):
        numbers = row.count("n") + row.count("q")
        if current is not None:
            merged = _merged(current.profile, row) if numbers or "t" not in row else None
            if merged is not None:
                current.last, current.profile = k, merged
                continue
            current = None
        if numbers:
            current = Run(k, k, ["n" if kind == "q" else kind for kind in row])
            runs.append(current)
    return runs


def is_like(other: Run, run: Run) -> bool:
    """Return whether rows further up may be rows of the same table."""
    texts = [k for k, kind in enumerate(other.profile) if kind == "t"]
    same = all(k < len(run.profile) and run.profile[k] == "t" for k in texts)
    return same and _merged(run.profile, "".join(other.profile)) is not None


def is_heading(cells: Sequence[str], kinds: str, run: Run) -> bool:
    """Return whether a row holds names: texts, some of them numbers such as those of channels."""
    if "t" not in kinds:
        return False
    at = [j for j in run.numbers if j < len(cells)]
    # Under names of quantities no number is a name.
    if not at or kinds[at[0]] not in "tm":
        return False
    texts = [j for j in at if kinds[j] == "t"]
    return bool(texts) and all(
        kinds[j] in "tm" or (cells[j].isdigit() and len(cells[j]) < 4) for j in at
    )


def _merged(profile: Sequence[str], row: str) -> list[str] | None:
    """Return what two rows of one table have in common, or None if they are not of one."""
    out = list(profile) + ["m"] * (len(row) - len(profile))
    for k, kind in enumerate(row):
        kind = "n" if kind == "q" else kind  # noqa: PLW2901
        if out[k] == "m":
            out[k] = kind
        elif kind not in ("m", out[k]):
            return None
    return out

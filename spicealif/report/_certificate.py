"""The section with a numerical certificate."""

from __future__ import annotations

from typing import Any

from spicealif.report._blocks import Block, Cell, Command, Section, Table, Text
from spicealif.report._material import Json
from spicealif.report._words import si, typeset

__all__ = ["certificate_section", "verdict_cell"]

_KINDS = {"agree": "agree", "differ": "differ", "not resolved": "unresolved"}
#: What the levels are refined in: key, label, unit.
_LEVELS = (
    ("reltol", "SPICE's relative tolerance", ""),
    ("t_step_max", "largest step of SPICE", "s"),
    ("steering_delta", "step steering: part of the threshold a step may cover", ""),
    ("h", "step of the reference", "s"),
)


def certificate_section(certificate: Json | None, why: str, command: str) -> Section:
    """Return the section with the certificate, or with how to get one.

    Parameters
    ----------
    certificate : dict or None
        As `Certificate.to_dict`.
    why : str
        Why there is none, where that is known.
    command : str
        What makes one.
    """
    title = "Numerical certificate"
    if certificate is None:
        reason = typeset(why) if why else (
            "This run has no certificate: how large the numerical error of each figure is, on both "
            "sides, was not measured."
        )  # fmt: skip
        said = "Both sides at two levels of refinement, and a verdict on each difference:"
        return Section("certificate", title, [Text([reason], "missing"), Command(said, command)])
    rows = []
    for m in certificate["measures"].values():
        unit = str(m["unit"])
        rows.append(
            (
                typeset(m["label"]),
                si(_number(m["gap"]), unit),
                si(_number(m["error"]), unit),
                si(_number(m["circuit_error"]), unit),
                si(_number(m["reference_error"]), unit),
                si(_number(m["tolerance"]), unit),
                verdict_cell(m["verdict"]),
            )
        )
    head = ("", "gap", "its error", "of the circuit", "of the reference", "tolerance", "verdict")
    levels = [
        (label, *(si(_number(level.get(key)), unit) for level in certificate["levels"]))
        for key, label, unit in _LEVELS
    ]
    blocks: list[Block] = [
        Text(
            [
                "A numerical error is what a figure changes by when one side alone is refined. It "
                "is an estimate, and no bound. The verdicts weigh the gap between the sides "
                "against it."
            ]
        ),
        Table("Each difference, its numerical error, and the verdict", head, rows),
        Table("The two levels", ("", "as asked for", "refined"), levels),
        Text([typeset(note) for note in certificate.get("notes") or ()], "notes"),
    ]
    return Section("certificate", title, blocks)


def verdict_cell(verdict: Any) -> Cell | str:
    """Return a verdict in its colour; a dash if there is none."""
    text = str(verdict) if verdict else ""
    return Cell(typeset(text), _KINDS.get(text, "")) if text else "\u2013"


def _number(value: Any) -> Any:
    return float("nan") if value is None else value

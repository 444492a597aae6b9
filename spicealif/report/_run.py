"""The report of a run: of a circuit, of its reference, or of both beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spicealif._support.text import counted
from spicealif.measures.one_side import MEASURES, PULSE_MEASURES, Value, has_pulses, measure
from spicealif.measures.tables import missing as is_missing
from spicealif.report._answer import answer_of_run, question_of_run
from spicealif.report._blocks import Block, Cell, Command, Page, Section, Table, Text
from spicealif.report._budget import budget_section
from spicealif.report._certificate import certificate_section, verdict_cell
from spicealif.report._material import RunMaterial
from spicealif.report._parts import (
    design_section,
    netlist_section,
    provenance_section,
    schematic_section,
)
from spicealif.report._traces import traces_section
from spicealif.report._words import percent, quoted, si, signed, typeset, value_with_error

__all__ = ["headline_of", "page_of_run", "sections_of_run"]


def page_of_run(material: RunMaterial, made: str) -> Page:
    """Return the report of a run.

    Parameters
    ----------
    material : RunMaterial
    made : str
        Who wrote the report and when.
    """
    name = typeset(material.neuron.name)
    kinds = {
        (True, True): "circuit and reference",
        (True, False): "circuit",
        (False, True): "reference",
    }
    kind = kinds.get((material.circuit is not None, material.reference is not None), "design")
    return Page(
        title=f"{name}: {kind}",
        kind="run report",
        question=question_of_run(material),
        answer=answer_of_run(material),
        sections=sections_of_run(material),
        made=made,
        headline=headline_of(material),
    )


def sections_of_run(material: RunMaterial) -> list[Section]:
    """Return all sections of a run's report."""
    design = material.folder and f"{material.folder}/neuron.toml"
    certify = quoted("spicealif", "run", design or "neuron.toml", "--certify")
    sections = [schematic_section(material.neuron), _figures(material), traces_section(material)]
    if material.comparison is not None or material.certificate is not None:
        sections.append(
            certificate_section(
                material.certificate, material.missing.get("certificate", ""), certify
            )
        )
    explain = ["spicealif", "explain", design or "neuron.toml"]
    explain += ["-o", material.folder] if material.folder else []
    sections.append(
        budget_section(material.budget, material.missing.get("budget", ""), quoted(*explain))
    )
    facts = _facts(material)
    sections += [
        netlist_section(material.netlist),
        design_section(material.neuron),
        provenance_section(
            material.origin, [*_digests(material), *material.digests], material.commands, facts
        ),
    ]
    return sections


def headline_of(material: RunMaterial) -> list[tuple[str, str, str]]:
    """Return a few figures to stand beside the answer."""
    pair = material.comparison
    if pair is None:
        side = material.circuit if material.circuit is not None else material.reference
        if side is None:
            return []
        own = measure(side, material.neuron)
        return [
            (MEASURES[name].label, si(own[name], MEASURES[name].unit), "")
            for name in ("spike_count", "isi_mean", "adaptation_ratio", "x_final")
            if not is_missing(own[name])
        ]
    out = []
    for name in ("spike_count", "isi_mean", "adaptation_ratio"):
        info, a, b = MEASURES[name], pair.of_a[name], pair.of_b[name]
        if is_missing(a) or is_missing(b):
            continue
        apart = percent(float(a) - float(b), float(b))
        beside = f"{_short(pair.labels[1])} {si(b, info.unit)}{f', {apart}' if apart else ''}"
        out.append((info.label, si(a, info.unit), beside))
    error = worst_error(material)
    if not math.isnan(error):
        out.append(("numerical error of a spike time", si(error, "s"), "at most, of the circuit"))
    else:
        worst = pair.of_pair["time_error_worst"]
        if not is_missing(worst):
            out.append(("worst spike-time difference", si(worst, "s"), "of matched spikes"))
    return out


def worst_error(material: RunMaterial) -> float:
    """Return the numerical error of the circuit's spike times in s; NaN if it is not known."""
    if material.certificate is not None:
        error = material.certificate.get("equations_difference")
        if error is None:
            error = material.certificate["movement"]["circuit"]
        return math.nan if error is None else float(error)
    check: Any = material.comparison.check if material.comparison is not None else None
    return float(getattr(check, "worst", math.nan))


def _figures(material: RunMaterial) -> Section:
    """Return the section with the key figures, their units and numerical errors."""
    blocks: list[Block] = []
    if (why := material.missing.get("figures")) is not None:
        blocks.append(Text([typeset(why)], "missing"))
    pair = material.comparison
    if pair is None:
        blocks.append(_one_side(material))
        return Section("figures", "Key figures", blocks)
    certified = material.certificate["measures"] if material.certificate is not None else {}
    rows: list[tuple[str | Cell, ...]] = []
    pulses = has_pulses(material.neuron)
    for name, info in MEASURES.items():
        if name in PULSE_MEASURES and not pulses:
            continue
        known = certified.get(name, {})
        errors = (known.get("circuit_error"), known.get("reference_error"))
        if info.pair:
            gap = value_with_error(pair.of_pair[name], known.get("error"), info.unit)
            row: tuple[str | Cell, ...] = (info.label, "", "", gap)
        else:
            a, b = pair.of_a[name], pair.of_b[name]
            if is_missing(a) and is_missing(b):
                continue
            if not certified:
                errors = (_checked(material, name, 0), _checked(material, name, 1))
            row = (
                info.label,
                value_with_error(a, errors[0], info.unit),
                value_with_error(b, errors[1], info.unit),
                _gap(a, b, info.unit),
            )
        rows.append((*row, verdict_cell(known.get("verdict"))) if certified else row)
    head = ["", *(typeset(label) for label in pair.labels), "difference"]
    if certified:
        head.append("verdict")
    about = "numerical error behind \u00b1" if certified or pair.check is not None else "no errors"
    caption = f"Figures of both sides with their units, {about}"
    if about == "no errors":
        caption = "Figures of both sides with their units; their numerical error is not known"
    blocks.append(Table(caption, head, rows))
    if not certified and material.reference is not None and material.circuit is not None:
        blocks += _how_to_know(material)
    blocks.append(Text([typeset(note) for note in pair.notes], "notes"))
    return Section("figures", "Key figures", blocks)


def _how_to_know(material: RunMaterial) -> list[Block]:
    pair = material.comparison
    assert pair is not None
    what = "the reference's" if pair.check is not None else "their"
    design = f"{material.folder}/neuron.toml" if material.folder else "neuron.toml"
    return [
        Command(
            f"A certificate measures {what} numerical error too, and judges each difference:",
            quoted("spicealif", "run", design, "--certify"),
        )
    ]


def _one_side(material: RunMaterial) -> Block:
    side = material.circuit if material.circuit is not None else material.reference
    if side is None:
        return Text(["There are no waveforms, and so no figures."], "missing")
    own = measure(side, material.neuron)
    pulses = has_pulses(material.neuron)
    rows = [
        (info.label, si(own[name], info.unit))
        for name, info in MEASURES.items()
        if name in own and not is_missing(own[name]) and (pulses or name not in PULSE_MEASURES)
    ]
    who = "the circuit" if material.circuit is not None else "the reference"
    return Table(f"Figures of {who} with their units; nothing is there to compare with",
                 ("", "value"), rows)  # fmt: skip


def _checked(material: RunMaterial, name: str, side: int) -> float | None:
    """Return the numerical error of a figure from the check of the circuit; None if not known."""
    pair = material.comparison
    if pair is None or pair.check is None or side != pair.checked:
        return None
    error = abs(pair.check.errors.get(name, math.nan)) + pair.check.own_errors.get(name, math.nan)
    return None if math.isnan(error) else error


def _gap(a: Value, b: Value, unit: str) -> str:
    if is_missing(a) or is_missing(b):
        return "\u2013"
    if isinstance(a, int) and isinstance(b, int):
        return f"{a - b:+d}".replace("-", "\N{MINUS SIGN}") if a != b else "0"
    gap = float(a) - float(b)
    apart = percent(gap, float(b))
    return f"{signed(gap, unit)} ({apart})" if apart else signed(gap, unit)


def _facts(material: RunMaterial) -> list[tuple[str, str]]:
    """Return what the waveforms say of how they were computed."""
    out = []
    for label, side in (("Circuit", material.circuit), ("Reference", material.reference)):
        if side is None:
            continue
        attrs: Mapping[str, Any] = side.attrs
        words = [str(attrs[k]) for k in ("version", "variant") if attrs.get(k)]
        if "reltol" in attrs:
            words.append(f"reltol {float(attrs['reltol']):g}")
        if "h" in attrs:
            words.append(f"step at most {si(float(attrs['h']), 's')}")
        if "switches" in attrs:
            words.append(f"{attrs['switches']} switches, seed {attrs.get('seed', 0)}")
        samples = int(attrs.get("samples", len(side)))
        words.append(f"{samples:,} samples computed, {len(side):,} kept")
        words.append(counted(len(side.t_spike), "spike"))
        out.append((label, typeset(", ".join(words))))
        if attrs.get("caveat"):
            out.append((f"{label}, caveat", typeset(attrs["caveat"])))
    return out


def _digests(material: RunMaterial) -> list[tuple[str, str]]:
    out = [("Design", material.neuron.digest)]
    for side in (material.circuit, material.reference):
        if side is not None and (digest := side.attrs.get("netlist_digest")):
            out.append(("Netlist that ran", typeset(digest)))
            break
    return out


def _short(label: str) -> str:
    return typeset(label.partition(" (")[0])

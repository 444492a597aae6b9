"""The question that a run answers, and the answer in three sentences, from its figures."""

from __future__ import annotations

import math
from typing import Any

from spicealif._support.text import counted
from spicealif.measures.comparison import Comparison
from spicealif.measures.one_side import MEASURES, measure
from spicealif.measures.tables import missing
from spicealif.report._budget import largest_cause
from spicealif.report._material import RunMaterial
from spicealif.report._words import percent, si, typeset

__all__ = ["answer_of_run", "question_of_run"]


def question_of_run(material: RunMaterial) -> str:
    """Return what a run was made to answer."""
    name, length = typeset(material.neuron.name), si(material.neuron.t_stop, "s")
    pair = material.comparison
    if pair is not None:
        a, b = (_called(label) for label in pair.labels)
        begin = max(start for start, _ in pair.spans)
        end = min(end for _, end in pair.spans)
        if abs(end - begin - material.neuron.t_stop) > 1e-3 * material.neuron.t_stop:
            length = f"the {si(end - begin, 's')} that both cover of {length}"
        return f"How closely does {a} of {name} follow {b} over {length}, and can that be trusted?"
    if material.circuit is not None:
        return f"What does the circuit of {name} do over {length}?"
    return f"What does {name} do over {length} by its differential equations?"


def answer_of_run(material: RunMaterial) -> list[str]:
    """Return the answer: what happens, how it adapts, and how sure that is."""
    pair = material.comparison
    incomplete = []
    if material.origin.get("status", "OK") != "OK":
        incomplete = ["The circuit's run is not complete; what follows is of what there is."]
    if pair is None:
        return [*incomplete, *_alone(material)]
    warned = [typeset(warning) for warning in pair.warnings]
    return [*incomplete, *warned, _counts(pair), _adaptation(pair), _trust(material, pair)]


def _called(label: str) -> str:
    """Return a side's label with an article: the circuit (in ngspice), the reference (ideal)."""
    return f"the {typeset(label)}"


def _sides(pair: Comparison) -> tuple[str, str]:
    """Return what both sides are called in a sentence."""
    short = [typeset(label.partition(" (")[0]) for label in pair.labels]
    if short[0] == short[1]:
        short = [typeset(label) for label in pair.labels]
    return f"the {short[0]}", f"the {short[1]}"


def _counts(pair: Comparison) -> str:
    a, b = _sides(pair)
    n_a, n_b = int(float(pair.of_a["spike_count"])), int(float(pair.of_b["spike_count"]))
    begin = f"{a[0].upper()}{a[1:]} fires {counted(n_a, 'spike')} and {b} {n_b}"
    if not n_a and not n_b:
        return f"Neither {a} nor {b} fires."
    isi_a, isi_b = float(pair.of_a["isi_mean"]), float(pair.of_b["isi_mean"])
    if math.isnan(isi_a) or math.isnan(isi_b):
        return f"{begin}; there are too few spikes for intervals on both sides."
    gap = isi_a - isi_b
    apart = percent(abs(gap), isi_b).lstrip("+")
    matched = int(float(pair.of_pair["matched"]))
    worst = pair.of_pair["time_error_worst"]
    compared = (
        f"the mean interval is the same, {si(isi_a, 's')}"
        if not gap
        else f"the mean interval of {a} is {si(abs(gap), 's')}{f' ({apart})' if apart else ''} "
        f"{'longer' if gap > 0 else 'shorter'}, {si(isi_a, 's')} instead of {si(isi_b, 's')}"
    )
    pairs = ""
    if matched and not missing(worst):
        pairs = f", and of {counted(matched, 'matched pair')} the worst is "
        pairs += f"{si(abs(float(worst)), 's')} apart"
    return f"{begin}: {compared}{pairs}."


def _adaptation(pair: Comparison) -> str:
    a, b = _sides(pair)
    first, last = (float(pair.of_a[k]) for k in ("isi_first", "isi_last"))
    ratio_a, ratio_b = (float(of["adaptation_ratio"]) for of in (pair.of_a, pair.of_b))
    if any(math.isnan(v) for v in (first, last, ratio_a, ratio_b)):
        return "Whether it adapts cannot be said, since one side has too few intervals."
    what = "grows" if last >= first else "shrinks"
    more = (
        "the same"
        if abs(ratio_a / ratio_b - 1) < 5e-4
        else f"{'more' if ratio_a > ratio_b else 'less'}"
    )
    judged = (
        f"as much as in {b} (factor {ratio_b:.4g})"
        if more == "the same"
        else f"{more} than in {b} (factor {ratio_b:.4g})"
    )
    return (
        f"From the first interval to the last, that of {a} {what} from {si(first, 's')} to "
        f"{si(last, 's')}, by a factor of {ratio_a:.4g}, {judged}."
    )


def _trust(material: RunMaterial, pair: Comparison) -> str:
    cause = ""
    if material.budget is not None and (found := largest_cause(material.budget)) is not None:
        cause = f"; {found}"
    certificate = material.certificate
    if certificate is not None:
        verdicts = [m["verdict"] for m in certificate["measures"].values() if m["verdict"]]
        words = {"agree": "agree", "differ": "differ", "not resolved": "are not resolved"}
        ones = {"agree": "agrees", "differ": "differs", "not resolved": "is not resolved"}
        counts = {v: verdicts.count(v) for v in words if v in verdicts}
        said = [f"{k} {(ones if k == 1 else words)[v]}" for v, k in counts.items()]
        error = certificate.get("equations_difference")
        moved = certificate["movement"]["circuit"]
        known = error if error is not None else moved
        within = f", with spike times right to {si(float(known), 's')}" if known is not None else ""
        return f"Of {len(verdicts)} figures that a certificate judged, {_and(said)}{within}{cause}."
    check: Any = pair.check
    if check is not None and not getattr(check, "trouble", ""):
        worst = float(getattr(check, "worst", math.nan))
        if not math.isnan(worst):
            return (
                f"The numerical error of the circuit's spike times is at most {si(worst, 's')}, "
                f"against its own differential equations; that of the reference was not "
                f"measured{cause}."
            )
    return f"The numerical error of these figures is not known, since nobody measured it{cause}."


def _alone(material: RunMaterial) -> list[str]:
    circuit = material.circuit is not None
    side = material.circuit if circuit else material.reference
    who = "The circuit" if circuit else "The reference"
    if side is None:
        return [f"{who} left no waveforms."]
    own = measure(side, material.neuron)
    n = len(side.t_spike)
    top = max(float(side["v_mem"].max()), 0.0) if "v_mem" in side and len(side) else math.nan
    if not n:
        return [
            f"{who} does not fire.",
            f"The membrane voltage reaches {si(top, 'V')}, and the threshold is "
            f"{si(material.neuron.v_th, 'V')}.",
            _unchecked(circuit),
        ]
    isi = own["isi_mean"]
    first = f"{who} fires {counted(n, 'spike')}, a mean rate of {si(own['mean_rate'], 'Hz')}"
    first += f" and a mean interval of {si(isi, 's')}." if not missing(isi) else "."
    ratio = float(own["adaptation_ratio"])
    if math.isnan(ratio):
        second = "There are too few intervals to say whether it adapts."
    else:
        label = MEASURES["adaptation_ratio"].label
        second = (
            f"From {si(own['isi_first'], 's')} the interval goes to {si(own['isi_last'], 's')} "
            f"({label}: {ratio:.4g})"
        )
        x = own["x_final"]
        second += f", and the memristor's state ends at {si(x)}." if not missing(x) else "."
    return [first, second, _unchecked(circuit)]


def _unchecked(circuit: bool) -> str:
    other = "reference" if circuit else "circuit"
    return (
        f"Only this side was computed: what it differs by from the {other}, and its numerical "
        "error, are not known here."
    )


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)

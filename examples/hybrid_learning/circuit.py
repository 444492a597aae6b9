"""What the circuit keeps of readouts that were trained on ideal equations: digits, BasicMotions.

Usage: circuit.py [--studies FOLDER] [--text]. FOLDER holds what these commands wrote:

    spicealif learn-circuit digits --readout logistic --samples 600 --retrain --grouping one
        --draws 4 --orders 8 --spot-checks 30 -o FOLDER/digits.json --figure digits.png
    spicealif learn-circuit basic-motions --retrain --grouping one
        --draws 8 --orders 16 --spot-checks 5 -o FOLDER/basic-motions.json
        --figure basic-motions.png
    spicealif learn-circuit basic-motions --exchange --retrain --grouping parts
        --draws 8 --orders 16 --spot-checks 5 -o FOLDER/basic-motions-exchanged.json
        --figure basic-motions-exchanged.png

They take 40, 15 and 45 minutes of CPU time; runs are kept, so that they can be
stopped. What is kept of them is circuit.json; --text makes the text from that.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tasks import HERE, listed, percent, write_block

TASKS = ("digits", "basic-motions", "basic-motions-exchanged")
#: What stands before the numbers of samples: both sides of a split are tested in turn.
LABELS = {"basic-motions-exchanged": "basic-motions, the sides of its split exchanged"}
_BULKY = ("train", "test", "predicted", "margins", "p_values", "predicted_equations",
          "predicted_simulator", "samples", "by_sample", "lost_by_sample")  # fmt: skip


def thinned(value: Any) -> Any:
    """Return a result without what has one item for each sample."""
    if isinstance(value, dict):
        return {k: thinned(v) for k, v in value.items() if k not in _BULKY}
    if isinstance(value, list):
        return [thinned(v) for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def points(estimate: dict[str, float], sign: str = "+") -> str:
    """Return an estimate in points of accuracy with its interval."""
    value, low, high = (100 * estimate[k] for k in ("value", "low", "high"))
    return f"{value:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f})"


def of_task(name: str, study: dict[str, Any]) -> list[str]:
    """Return a task's part of the text."""
    transfer, budget = study["transfer"], study["budget"]
    certified, spots, energy = study["certified"], study["spot_checks"], study["energy"]
    lines = [
        f"### {LABELS.get(name, name)}: {transfer['n_test']} test samples, "
        f"readout {study['readout']}", "",
        "| features of | accuracy | predictions changed | counts differ | trained on its own |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for level in transfer["levels"]:
        a, r = level["accuracy"], level["recovered"]
        changed = level["changed"]
        told = str(changed[0]) if len(changed) == 1 else f"{min(changed)} to {max(changed)} a draw"
        own = "-" if r is None else percent(r["value"])
        lines.append(
            f"| {level['label']} | {percent(a['value'])} ({percent(max(0, a['low']))} to "
            f"{percent(min(1, a['high']))}) | {told} | {level['counts_differ']:.1%} | {own} |"
        )
    drawn = f"{budget['n_orders']} orders, {budget['n_draws']} draws"
    lines += [
        "",
        "Lost, ideal equations to the circuit with tolerances: "
        f"{points(budget['loss'])} points, as Shapley shares ({drawn}):",
        "",
        "| what | points | |",
        "|---|---|---|",
    ]
    for share in [*budget["shares"], budget["residual"]]:
        chance = "within chance" if share["within_chance"] else ""
        lines.append(f"| {share['label']} | {points(share['interval'])} | {chance} |")
    total = sum(s["value"] for s in [*budget["shares"], budget["residual"]])
    assert abs(total - budget["loss"]["value"]) < 1e-6, "shares sum to the loss"
    beyond = [s["label"] for s in budget["shares"] if not s["within_chance"]]
    lines += [
        "",
        f"- Beyond chance: {listed(beyond)}.",
        f"- **Certified**: {certified['certified']} of {certified['n']} predictions of the circuit "
        f"lie farther from the boundary than the numerical error of their features "
        f"({certified['uncertain_features']:.1%} of the features are uncertain; spike times to "
        f"{1e9 * certified['spike_time_error_median']:.2g} ns in the median and "
        f"{1e9 * certified['spike_time_error_worst']:.2g} ns at worst).",
        f"- **Spot checks** in {spots['backend']}: {spots['n_counts']} counts of {spots['n']} "
        f"samples, {len(spots['differences'])} differ, {spots['unexplained']} of them unexplained; "
        f"spikes are at most {1e9 * spots['worst']:.2g} ns apart.",
    ]
    on, off = energy["levels"]
    lines.append(
        f"- **Energy of a decision** ({energy['n_neurons']} neurons, "
        f"{1e3 * energy['duration']:g} ms): {1e3 * on['energy']:.3g} mJ, of which the sources "
        f"deliver {1e6 * on['source']:.3g} uJ; {on['idle_share']:.1%} would be drawn without any "
        "current. "
        f"{on['spikes']:.0f} spikes. Without adaptation {1e3 * off['energy']:.3g} mJ, sources "
        f"{1e6 * off['source']:.3g} uJ, {off['spikes']:.0f} spikes; its own readout reaches "
        f"{percent(off['accuracy']['value'])} against {percent(on['accuracy']['value'])} %."
    )
    return lines


def both_sides(name: str, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the accuracies over all samples of a set, each tested once."""
    counts = [study["transfer"]["n_test"] for study in (one, other)]
    levels = zip(one["transfer"]["levels"], other["transfer"]["levels"], strict=True)
    told = []
    for pair in levels:
        assert pair[0]["name"] == pair[1]["name"], "the same levels of both"
        told.append(f"{pair[0]['label']} {percent(mean(counts, [p['accuracy'] for p in pair]))} %")
    own = [
        f"{pair[0]['label']} {percent(mean(counts, [p['recovered'] for p in pair]))} %"
        for pair in zip(one["transfer"]["levels"], other["transfer"]["levels"], strict=True)
        if pair[0]["name"] != "ideal"
    ]
    return [
        f"### {name}: both sides, all {sum(counts)} samples", "",
        f"- Each sample is tested once, by a readout that has not seen it: {', '.join(told)}.",
        f"- By readouts trained on their own features: {', '.join(own)}.",
    ]  # fmt: skip


def mean(counts: list[int], estimates: list[dict[str, float]]) -> float:
    """Return the mean over the samples of both sides."""
    whole = sum(n * estimate["value"] for n, estimate in zip(counts, estimates, strict=True))
    return whole / sum(counts)


def text(result: dict[str, Any]) -> str:
    """Return the text's block."""
    lines: list[str] = []
    for name in TASKS:
        if name in result:
            lines += [*of_task(name, result[name]), ""]
    for name in TASKS:
        if other := result.get(f"{name}-exchanged"):
            lines += both_sides(name, result[name], other)
    return "\n".join(lines).rstrip()


def main() -> None:
    """Read, and write result and text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=Path, help="folder of the commands' files")
    parser.add_argument("--text", action="store_true", help="text from circuit.json")
    options = parser.parse_args()
    path = HERE / "circuit.json"
    if not options.text:
        if options.studies is None:
            parser.error("--studies is missing; give the folder that the commands wrote into.")
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for name in TASKS:
            if not (options.studies / f"{name}.json").exists():
                continue  # that of before stays
            study = json.loads((options.studies / f"{name}.json").read_text(encoding="utf-8"))
            study["spot_checks"]["n"] = len(study["spot_checks"]["samples"])
            found[name] = thinned(study)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_block("circuit", text(json.loads(path.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()

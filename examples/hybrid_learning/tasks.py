"""What the neuron is worth on ten tasks, beside a resistor as leak, raw samples and other methods.

Usage: tasks.py [--studies FOLDER] [--text]. Each task is one command, `spicealif learn TASK -o
FOLDER/TASK.json`; all of them take about 70 minutes of CPU time, most of it mnist1d. With --studies
the files that these commands wrote are taken; without, all is computed (cells are kept in the
store, so that it can be stopped). What is kept of them is tasks.json; --text makes text and figure
from that.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
ORDER = (
    "digits", "digits-rows", "iris", "breast-cancer", "gunpoint", "italy-power-demand", "arrowhead",
    "basic-motions", "japanese-vowels", "mnist1d",
)  # fmt: skip
METHODS = (
    ("alif-ridge", "ALIF, ridge"), ("alif-logistic", "ALIF, logistic"),
    ("alif-svm", "ALIF, linear SVM"),
    ("lif-ridge", "LIF, ridge"), ("lif-logistic", "LIF, logistic"), ("lif-svm", "LIF, linear SVM"),
    ("raw-ridge", "raw, ridge"), ("raw-logistic", "raw, logistic"), ("raw-svm", "raw, linear SVM"),
    ("rbf-svm", "RBF-SVM"), ("random-forest", "random forest"), ("k-nn", "k-NN"), ("mlp", "MLP"),
    ("minirocket", "MiniRocket"), ("rocket", "ROCKET"), ("1nn-dtw", "1-NN DTW"),
)  # fmt: skip
#: What of a study is kept.
KEPT = ("accuracy", "low", "high", "balanced_accuracy", "n_features", "difference", "p", "p_holm",
        "p_nadeau_bengio", "verdict", "splits", "failed")  # fmt: skip


def compute(folder: Path | None) -> dict[str, Any]:
    """Return what is kept of all studies."""
    from spicealif.learning import load_study, run_study

    out = {}
    for task in ORDER:
        study = run_study(task) if folder is None else load_study(folder / f"{task}.json")
        table = study.to_dict()
        out[task] = {
            "n_train": table["cells"][0]["n_train"],
            "n_test": table["cells"][0]["n_test"],
            "chance": table["chance"],
            "compared_with": table["compared_with"],
            "data": table["data_source"],
            "methods": {m["method"]: {k: m[k] for k in KEPT} for m in table["methods"]},
            "accuracies": {
                m["method"]: [
                    round(c["accuracy"], 6) for c in table["cells"] if c["method"] == m["method"]
                ]
                for m in table["methods"]
            },
        }
        print(task, flush=True)
    return out


def best(task: dict[str, Any], names: list[str]) -> str:
    """Return the method with the best mean accuracy among some."""
    return max(
        (n for n in names if n in task["methods"]), key=lambda n: task["methods"][n]["accuracy"]
    )


def percent(x: float) -> str:
    """Return an accuracy as it stands in tables."""
    return f"{100 * x:.1f}"


def of_stage(stage: str) -> list[str]:
    """Return the methods of a stage."""
    return [name for name, _ in METHODS if name.startswith(f"{stage}-")]


CLASSICAL = [name for name, _ in METHODS[9:]]


def control_of(task: dict[str, Any]) -> str:
    """Return the control with the same readout as what all are compared with."""
    return "lif-" + task["compared_with"].split("-", 1)[1]


def whole_table(result: dict[str, Any]) -> list[str]:
    """Return the accuracies of all methods on all tasks, the best of each task marked."""
    lines = ["| | " + " | ".join(ORDER) + " |", "|---|" + "---|" * len(ORDER)]
    tops = {t: max(m["accuracy"] for m in result[t]["methods"].values()) for t in ORDER}
    for name, label in METHODS:
        cells = []
        for task in ORDER:
            found = result[task]["methods"].get(name)
            if found is None:
                cells.append("")
                continue
            text = percent(found["accuracy"])
            cells.append(f"**{text}**" if found["accuracy"] == tops[task] else text)
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines.append(
        "| features of the bank | "
        + " | ".join(str(result[t]["methods"]["alif-ridge"]["n_features"]) for t in ORDER)
        + " |"
    )
    return lines


def compared_table(result: dict[str, Any]) -> list[str]:
    """Return the bank against its control, raw samples and the best classical method."""
    labels = dict(METHODS)
    lines = [
        "| task | train / test | splits | ALIF | no adaptation | raw, best readout | best other |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ORDER:
        task = result[name]
        chosen = task["methods"][task["compared_with"]]
        cells = [
            f"{name} | {task['n_train']} / {task['n_test']} | {chosen['splits']}",
            f"{percent(chosen['accuracy'])} "
            f"({percent(chosen['low'])} to {percent(chosen['high'])}), "
            f"{labels[task['compared_with']].split(', ')[1]}",
        ]
        for other in (control_of(task), best(task, of_stage("raw")), best(task, CLASSICAL)):
            found = task["methods"][other]
            p = found["p_holm"]
            told = "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
            which = "" if other.startswith("lif") else f" {labels[other].replace('raw, ', '')}"
            cells.append(f"{percent(found['accuracy'])}{which}, p {told}")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def counted(result: dict[str, Any], names: str) -> dict[str, list[str]]:
    """Return on which tasks a kind of method is better, worse, or not told apart."""
    out: dict[str, list[str]] = {"better": [], "worse": [], "within chance": []}
    for name in ORDER:
        task = result[name]
        other = control_of(task) if names == "lif" else best(
            task, of_stage("raw") if names == "raw" else CLASSICAL
        )  # fmt: skip
        out[task["methods"][other]["verdict"]].append(name)
    return out


def listed(names: list[str]) -> str:
    """Return names as a list of words."""
    return ", ".join(names) if names else "none"


def text(result: dict[str, Any]) -> str:
    """Return the text's block, all figures in it from the result."""
    return "\n".join(
        [
            *compared_table(result),
            "",
            "Accuracies in per cent; the interval is of 95 %, p by the corrected resampled t,",
            "adjusted by Holm's method over all methods of a task that are not ALIF's. ALIF stands",
            "for its readout that is best by folds within the training samples; the best of raw",
            "samples and of the other methods is by test accuracy, which favours these a little.",
            "",
            "All methods:",
            "",
            *whole_table(result),
        ]
    )


def published(result: dict[str, Any]) -> str:
    """Return published figures beside ours, and the range of our splits."""
    lines = [
        "| task | published, in LTspice (arXiv:2507.20998) | here, mean of ten splits | range |",
        "|---|---|---|---|",
    ]
    for name, figure in (("iris", "99.1 %"), ("breast-cancer", "97.9 %")):
        task = result[name]
        method = task["compared_with"]
        each = task["accuracies"][method]
        lines.append(
            f"| {name} | {figure} | {percent(task['methods'][method]['accuracy'])} % "
            f"({dict(METHODS)[method]}) | {percent(min(each))} to {percent(max(each))} % |"
        )
    return "\n".join(lines)


def gains(result: dict[str, Any], stage: str) -> list[tuple[float, str]]:
    """Return by how many points the bank is ahead with the same readout, the most first."""
    out = []
    for name in ORDER:
        methods, chosen = result[name]["methods"], result[name]["compared_with"]
        other = f"{stage}-{chosen.split('-', 1)[1]}"
        out.append((100 * (methods[chosen]["accuracy"] - methods[other]["accuracy"]), name))
    return sorted(out, reverse=True)


def told(pairs: list[tuple[float, str]]) -> str:
    """Return differences and tasks as words."""
    return ", ".join(f"{name} {difference:+.1f}" for difference, name in pairs)


def verdicts(found: dict[str, list[str]]) -> str:
    """Return on which tasks the bank is better and worse than something, by more than chance."""
    return (
        f"better by more than chance on {listed(found['worse'])}; worse on "
        f"{listed(found['better'])}; within chance on {listed(found['within chance'])}"
    )


def answer(result: dict[str, Any], circuit: dict[str, Any]) -> str:
    """Return what the tables say in words, all of it computed."""
    raw, lif, other = (counted(result, kind) for kind in ("raw", "lif", "classical"))
    over_raw, over_lif = gains(result, "raw"), gains(result, "lif")
    lines = [
        "- **The stage** before a linear readout, against raw samples with the same readout, in "
        f"points: {told(over_raw[:4])}; least {told(over_raw[-2:])}. Against the best raw readout "
        f"it is {verdicts(raw)}.",
        "- **Adaptation** by itself, against a resistor with the same readout: "
        f"{told(over_lif[:3])}; least {told(over_lif[-2:])}. It is {verdicts(lif)}.",
        f"- **Classical methods**: against the best of each task the stage is {verdicts(other)}.",
    ]
    for name, study in circuit.items():
        levels = {level["name"]: level for level in study["transfer"]["levels"]}
        said = ", ".join(
            f"{level['label']} {percent(level['accuracy']['value'])} %"
            + (
                f" (trained on its own {percent(level['recovered']['value'])} %)"
                if key != "ideal" and level["recovered"]
                else ""
            )
            for key, level in levels.items()
        )
        task = name.replace("-exchanged", ", sides exchanged")
        lines.append(f"- **The circuit**, {task}: {said}.")
    return "\n".join(lines)


def draw(result: dict[str, Any]) -> Figure:
    """Return the figure: mean accuracies and intervals, a row for each task."""
    fig, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    labels = dict(METHODS)
    for row, name in enumerate(ORDER):
        task = result[name]
        shown = (
            (task["compared_with"], "ALIF", "C0", "o"),
            (control_of(task), "without adaptation", "C1", "s"),
            (best(task, of_stage("raw")), "raw, best readout", "0.5", "D"),
            (best(task, CLASSICAL), "best classical", "C2", "^"),
        )
        for place, (method, label, colour, marker) in enumerate(shown):
            found = task["methods"][method]
            y = row + (place - 1.5) * 0.18
            axes.plot([100 * found["low"], 100 * found["high"]], [y, y], color=colour, lw=1)
            axes.plot(
                100 * found["accuracy"], y, marker, color=colour, ms=4,
                label=label if row == 0 else None,
            )  # fmt: skip
        axes.annotate(
            labels[best(task, CLASSICAL)],
            (101, row),
            fontsize=7,
            va="center",
            annotation_clip=False,
        )
    axes.set_yticks(range(len(ORDER)), ORDER)
    axes.set_ylim(len(ORDER) - 0.5, -0.5)
    axes.set_xlim(20, 100)
    axes.set_xlabel("accuracy (%), mean of all splits, interval of 95 %")
    axes.grid(axis="x", lw=0.3)
    axes.legend(loc="upper left", fontsize=8)
    return fig


def main() -> None:
    """Compute or read, and write result, figure and text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=Path, help="folder of files that 'spicealif learn' wrote")
    parser.add_argument("--text", action="store_true", help="text and figure from tasks.json")
    options = parser.parse_args()
    path = HERE / "tasks.json"
    if not options.text:
        path.write_text(json.dumps(compute(options.studies), indent=1) + "\n", encoding="utf-8")
    result = json.loads(path.read_text(encoding="utf-8"))
    draw(result).savefig(HERE / "tasks.png", dpi=150)
    write_block("tasks", text(result))
    write_block("published", published(result))
    circuit = HERE / "circuit.json"
    if circuit.exists():
        write_block("answer", answer(result, json.loads(circuit.read_text(encoding="utf-8"))))


def write_block(name: str, block: str) -> None:
    """Exchange a block of the text."""
    page = HERE / "README.md"
    old = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- study: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(old):
        sys.exit(f"The text has no block {name}.")
    page.write_text(pattern.sub(lambda m: f"{m[1]}{block}\n{m[2]}", old), encoding="utf-8")


if __name__ == "__main__":
    main()

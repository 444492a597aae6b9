"""Attribute the difference in adaptation to the parts of the circuit that cause it.

Runs the gap budget of the preset `paper` for the measures of adaptation and writes the table and
the figure that the text beside this script shows; with --tolerances also the table over the parts'
tolerances. The first time takes one to two minutes on two cores, and with --tolerances five more;
after that the results come from the cache.

Usage: python why.py [--tolerances] [--output FOLDER] [--set KEY=VALUE ...] [--orders N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from spicealif import explain, explain_tolerances, load_preset
from spicealif.plots import budget_figure, save_figure

MEASURES = (
    *("isi_first", "isi_last", "isi_growth"),
    *("adaptation_ratio", "adaptation_index", "x_final"),
)


def main(argv: list[str] | None = None) -> None:
    """Explain, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--orders", type=int, help="sample orders instead of solving all sets")
    parser.add_argument("--tolerances", action="store_true", help="draw circuits as well")
    parser.add_argument("--draws", type=int, default=32, help="how many, with --tolerances")
    arguments = parser.parse_args(argv)
    changes = dict(change.split("=", 1) for change in arguments.changes)
    neuron = load_preset("paper").replace(changes)

    budget = explain(neuron, measures=MEASURES, orders=arguments.orders)
    print(budget)
    files = budget.save(arguments.output)
    files.append(save_figure(budget_figure(budget), arguments.output / "budget.png"))
    if arguments.tolerances:
        drawn = explain_tolerances(neuron, measures=MEASURES, draws=arguments.draws)
        path = arguments.output / "tolerances.txt"
        path.write_text(f"{drawn}\n", encoding="utf-8")
        print(f"\n{drawn}")
        files.append(path)
    print("\nWrote", ", ".join(str(file) for file in files))


if __name__ == "__main__":
    main()

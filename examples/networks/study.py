"""What the studies share: command line, accuracy of a result, files, and the text's blocks."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spicealif.measures.tables import figure as quantity
from spicealif.network import Network, NetworkSolution, solve_network
from spicealif.network.spice import run_witnesses, worst_difference
from spicealif.plots import save_figure

__all__ = ["FINER", "HERE", "Study", "accuracy", "claim", "quantity", "rounded", "table"]

HERE = Path(__file__).resolve().parent
#: The solution that judges.
FINER = {"rtol": 1e-7, "t_tol": 1e-10}
#: How far what witness decks play back may be from the solution, in V. A transconductor takes a
#: tenth of a millivolt of an output's low level for an input, so that the default is too coarse.
PLAYED = 3e-6


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes
    ----------
    name : str
        Of its files and of its block in the text.
    run : callable
        Given whether it is to be quick, returns the result: what JSON can hold.
    draw : callable
        Given a result, returns the figure.
    text : callable
        Given a result, returns the block, or ends with what of it is not so any more.
    """

    name: str
    run: Callable[[bool], dict[str, Any]]
    draw: Callable[[dict[str, Any]], Figure]
    text: Callable[[dict[str, Any]], str]

    def main(self, doc: str, argv: Sequence[str] | None = None) -> None:
        """Run it, and write result, figure and text."""
        parser = argparse.ArgumentParser(description=doc.splitlines()[0])
        parser.add_argument("--output", type=Path, default=HERE, help="folder of the result")
        parser.add_argument("--quick", action="store_true", help="a few points only, and no text")
        parser.add_argument("--text", action="store_true", help="the text from the kept result")
        options = parser.parse_args(argv)
        path = options.output / f"{self.name}.json"
        if not options.text:
            options.output.mkdir(parents=True, exist_ok=True)
            result = rounded(self.run(options.quick))
            path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(result, indent=1))
        if options.quick:
            return
        result = json.loads(path.read_text(encoding="utf-8"))
        save_figure(self.draw(result), options.output / f"{self.name}.png")
        block = self.text(result)
        page = HERE / "README.md"
        old = page.read_text(encoding="utf-8")
        pattern = re.compile(rf"(<!-- study: {self.name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not pattern.search(old):
            sys.exit(f"The text has no block {self.name}.")
        page.write_text(pattern.sub(lambda m: m[1] + block + m[2], old), encoding="utf-8")


def accuracy(
    network: Network,
    base: NetworkSolution | None = None,
    witnesses: Sequence[int] = (),
    finer: Mapping[str, float] = FINER,
) -> dict[str, Any]:
    """Return how far a network's spikes are from a finer solution, and from ngspice's.

    Parameters
    ----------
    network : Network
    base : NetworkSolution, optional
        With the tolerances of the study; solved here, if not given.
    witnesses : sequence of int
        Neurons whose decks are run with the finer solution played back.
    finer : mapping
        Tolerances of the finer solution.

    Returns
    -------
    dict
        ``finer``: the worst difference of a spike in s; ``neuron``: whose; ``spikes``: how many
        were compared; ``witness``: the worst difference in s of the witnesses, from the finer
        solution, ``witnesses``: their names, ``witness_spikes``: their number of spikes. It is
        None where a neuron has another number of spikes.
    """
    base = base or solve_network(network)
    better = solve_network(network, **finer, keep="all" if witnesses else ())
    worst = [
        worst_difference(a, b, network.t_stop)
        for a, b in zip(base.t_spike, better.t_spike, strict=True)
    ]
    k = int(np.argmax(worst))
    out: dict[str, Any] = {
        "finer": worst[k] if math.isfinite(worst[k]) else None,
        "neuron": base.names[k],
        "spikes": sum(len(t) for t in base.t_spike),
    }
    if witnesses:
        found = run_witnesses(network, witnesses, better.played(), tolerance=PLAYED)
        for one in found:
            if not one.ok or math.isinf(one.worst):
                sys.exit(one.message)
        out |= {
            "witness": max(one.worst for one in found),
            "witnesses": [one.name for one in found],
            "witness_spikes": sum(len(one.t_spike) for one in found),
        }
    return out


def claim(holds: bool, sentence: str) -> None:
    """End if what a text says is not so any more."""
    if not holds:
        sys.exit(f"The result does not show this any more; write it anew: {sentence}")


def rounded(value: Any) -> Any:
    """Return a result with seven digits of each number, as JSON keeps it."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, np.ndarray):
        return rounded(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def counts(t: NDArray[np.float64], width: float, t_stop: float) -> list[int]:
    """Return the numbers of spikes in windows of equal width."""
    edges = np.arange(round(t_stop / width) + 1) * width
    return [int(n) for n in np.histogram(t, edges)[0]]

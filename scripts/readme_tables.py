"""Run what the tables of the presets in README and docs say, and write them there.

    python scripts/readme_tables.py [--check] [BLOCK ...]

A block of a page stands between ``<!-- tables: NAME -->`` and ``<!-- end -->``:

- ``comparison``: what ``spicealif run paper`` prints.
- ``certificate``: four rows of ``spicealif run paper --certify``, and the run without steering.
- ``sentences``: which sentence of the paper which preset shows, from one run of each.

``measured`` is no block but the rows of "What was measured" that depend on the parts. Without BLOCK
all of it is made, in about ten minutes; ``comparison`` and ``sentences`` take one. With ``--check``
nothing is written, and the exit code is 1 if a page says something else: another word, or a
number that is more than 1 % off.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from spicealif import (
    Comparison,
    Neuron,
    Waveforms,
    certify,
    cosimulate,
    load_preset,
    simulate,
    solve_reference,
    verify,
)
from spicealif.design import Resistor
from spicealif.measures.one_side import MEASURES
from spicealif.measures.tables import figure, short_tables
from spicealif.netlist import build_netlist

README = Path(__file__).resolve().parents[1] / "README.md"
PRESETS = ("paper", "paper-volatile", "knowm-generic", "lif")
#: The rows of the README's comparison: the first of `spicealif run paper`'s table.
CERTIFIED = ("spikes", "mean interval", "growth of the interval", "adaptation index")


@cache
def compared(preset: str) -> Comparison:
    """Return the comparison of a preset's circuit and ideal reference."""
    return cosimulate(load_preset(preset)).comparison


def comparison() -> str:
    """Return the table that `spicealif run paper` prints."""
    with short_tables():
        lines = str(compared("paper")).splitlines()
    return "```text\n" + "\n".join(line.rstrip() for line in lines[: lines.index("")]) + "\n```"


def certificate() -> str:
    """Return four rows of the certificate, and what is lost without steering."""
    good = certify(load_preset("paper"))
    lines = str(good).splitlines()
    rows = [
        lines[0],
        *(line for name in CERTIFIED for line in lines if line.startswith(name + "  ")),
    ]
    width, longest = max(map(len, CERTIFIED)), max(len(info.label) for info in MEASURES.values())
    rows = [line[:width] + line[longest:] for line in rows]
    rough = load_preset("paper").replace({"numerics.reltol": 1e-3, "numerics.steering": False})
    judged = certify(rough)
    assert good.comparison is not None and judged.comparison is not None
    a, b = good.comparison.of_a, judged.comparison.of_a
    verdicts = {str(m.verdict.value) for m in judged.measures if m.verdict is not None}
    late = abs(b["isi_first"] - a["isi_first"])
    text = (
        "At SPICE's usual tolerance and without steering (`--set numerics.reltol=1e-3 --set\n"
        f"numerics.steering=false`) there are {b['spike_count']} spikes instead of "
        f"{a['spike_count']}, the first interval is {figure(late, 's')} off, the growth\nof the "
        f"interval is {figure(b['isi_growth'], 's')} instead of {figure(a['isi_growth'], 's')} and "
        f"the adaptation index {b['adaptation_index']:.2g} instead of\n"
        f"{a['adaptation_index']:.2g}; the verdicts are then: {', '.join(sorted(verdicts))}."
    )
    return "```text\n" + "\n".join(line.rstrip() for line in rows) + "\n```\n\n" + text


# --- which sentence of the paper a preset shows ---------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What one preset does, on both sides.

    Attributes
    ----------
    neuron : Neuron
    pair : Comparison
    """

    neuron: Neuron
    pair: Comparison

    def x(self, side: Waveforms, when: float) -> float:
        """Return the state at a time in s."""
        return float(np.interp(when, side.time, side["x"]))

    def resistance(self, x: float) -> float:
        """Return the device's resistance in ohm at the state x."""
        leak = self.neuron.leak
        return 1 / (x / leak.r_on + (1 - x) / leak.r_off)

    def per_pulse(self, side: Waveforms) -> list[int]:
        """Return the spikes of the first and of the last pulse."""
        starts, ends = self.neuron.stimulus.windows(self.neuron.t_stop)
        t = side.t_spike
        return [int(((t >= starts[k]) & (t < ends[k])).sum()) for k in (0, -1)]

    def peaks(self, side: Waveforms) -> list[float]:
        """Return the largest v_c in V of the first and of the last pulse."""
        starts, ends = self.neuron.stimulus.windows(self.neuron.t_stop)
        t, v = side.time, side["v_c"]
        return [float(v[(t >= starts[k]) & (t < ends[k])].max()) for k in (0, -1)]

    def energies(self, side: Waveforms) -> list[float]:
        """Return the stimulus' energy in J in the first and in the last pulse."""
        starts, ends = self.neuron.stimulus.windows(self.neuron.t_stop)
        found = []
        for k in (0, -1):
            inside = (side.time >= starts[k]) & (side.time < ends[k])
            power = (side["v_c"] * side["i_in"])[inside]
            found.append(float(np.trapezoid(power, side.time[inside])))
        return found

    def pause(self, side: Waveforms) -> list[float]:
        """Return the state as the last pause begins and as it ends."""
        stimulus, stop = self.neuron.stimulus, self.neuron.t_stop
        begin, end = stimulus.drive_ends(stop)[-1], stimulus.windows(stop)[1][-1]
        return [self.x(side, float(begin)), self.x(side, float(end))]


#: A sentence's cell: whether the preset shows it, and with which figures.
Cell = tuple[bool, str]


def state_rises(f: Facts) -> Cell:
    """Judge: the state rises and the resistance falls, in the reference."""
    x = [f.x(f.pair.b, when) for when in (0.0, f.neuron.t_stop)]
    r = [f.resistance(one) for one in x]
    return r[1] < 0.99 * r[0], f"x {x[0]:.3g} to {x[1]:.3g}, R {r[0]:.0f} to {r[1]:.0f} ohm"


def share_falls(f: Facts) -> Cell:
    """Judge: the memristor's part of the capacitor's voltage falls."""
    r = [f.resistance(f.x(f.pair.b, when)) for when in (0.0, f.neuron.t_stop)]
    share = [one / (one + f.neuron.r_s) for one in r]
    return share[1] < 0.99 * share[0], f"{share[0]:.0%} to {share[1]:.0%} of v_c"


def state_falls(f: Facts) -> Cell:
    """Judge: in a pause the state falls to zero, at least nine tenths of the way."""
    begin, end = f.pause(f.pair.b)
    fall = begin - end
    if fall > 0.9 * begin:
        return True, f"x {begin:.3g} to {end:.3g} in a pause"
    if fall > 0.01 * begin:
        return False, f"in part: x {begin:.3g} to {end:.3g} in a pause"
    return False, f"x {begin:.3g} to {end:.3g} in a pause"


def slows(f: Facts) -> Cell:
    """Judge: the reference spikes fast first, and more slowly later."""
    first, last = f.per_pulse(f.pair.b)
    b = f.pair.of_b
    intervals = f"{figure(b['isi_first'], 's')} to {figure(b['isi_last'], 's')}"
    return b["isi_last"] > 1.01 * b["isi_first"], f"{first} to {last} a pulse, {intervals}"


def higher_voltage(f: Facts) -> Cell:
    """Judge: the capacitor is charged to a higher voltage later."""
    first, last = f.peaks(f.pair.b)
    return last > 1.01 * first, f"v_c {first * 1e3:.0f} to {last * 1e3:.0f} mV"


def less_pronounced(f: Facts) -> Cell:
    """Judge: the interval grows less in the circuit."""
    a, b = f.pair.of_a["isi_growth"], f.pair.of_b["isi_growth"]
    gap = f"{figure(a, 's')} against {figure(b, 's')} ({a / b - 1:+.1%})"
    return a < 0.99 * b, f"growth {gap}"


def voltage_less_pronounced(f: Facts) -> Cell:
    """Judge: the capacitor's peak rises less in the circuit."""
    a, b = (last / first for first, last in (f.peaks(f.pair.a), f.peaks(f.pair.b)))
    return a < 1 + 0.99 * (b - 1), f"rise of the peak {a - 1:.1%} against {b - 1:.1%}"


def signal_unclear(f: Facts) -> Cell:
    """Judge: the circuit's spikes hardly show it, at most one spike a pulse less."""
    first, last = f.per_pulse(f.pair.a)
    return abs(first - last) <= 1, f"{first} to {last} a pulse"


def throughout(f: Facts) -> Cell:
    """Judge: the circuit's state rises from each fifth of the run to the next."""
    x = [f.x(f.pair.a, k * f.neuron.t_stop / 5) for k in range(6)]
    rises = bool(np.all(np.diff(x) > 0.01 * x[-1]))
    return rises, "x " + ", ".join(f"{one:.2f}" for one in x[1:])


def lower_energy(f: Facts) -> Cell:
    """Judge: the stimulus gives less energy a pulse as spikes become rare."""
    first, last = f.energies(f.pair.a)
    return last < 0.99 * first, f"{figure(first, 'J')} to {figure(last, 'J')} a pulse"


#: The paper's sentences, with the figure they speak of.
SENTENCES: tuple[tuple[str, Callable[[Facts], Cell]], ...] = (
    ('"the value of its internal state variable x also increases, which subsequently decreases '
     'its resistance" (also Fig. 5b)', state_rises),
    ('"a reduction in the voltage across the memristor"', share_falls),
    ('"Over time, the residual voltage causes a reset of the state variable x to zero"',
     state_falls),
    ('"a high frequency of generated spikes. Subsequently, ... this frequency decreased" (Fig. 5a)',
     slows),
    ('"as the resistance decreases, a higher voltage is required to charge the capacitor" '
     '(Fig. 5c)', higher_voltage),
    ('"the adaptation effect ... is also noticeable, though not as pronounced" (Fig. 6a, circuit '
     'against equations)', less_pronounced),
    ('"The neuron\'s adaptation is visible, but not as pronounced" (Fig. 6b, v_c)',
     voltage_less_pronounced),
    ('"this plot also does not clearly demonstrate the adaptive nature" (Fig. 6, the circuit\'s '
     'spikes)', signal_unclear),
    ('"throughout the test, the memristor tended towards a low-resistance state ... by increasing '
     'the state variable" (Fig. 6d; x at each fifth of the run)', throughout),
    ('"This reduction in spiking frequency corresponds to lower energy expenditure" (the '
     'stimulus\' energy)', lower_energy),
)  # fmt: skip


def sentences() -> str:
    """Return the table of sentences."""
    facts = {p: Facts(load_preset(p), compared(p)) for p in PRESETS}
    with_x = {p: f for p, f in facts.items() if not isinstance(f.neuron.leak, Resistor)}
    rows = ["| the paper's sentence | " + " | ".join(f"`{p}`" for p in with_x) + " |"]
    rows.append("|---" * (1 + len(with_x)) + "|")
    for sentence, judge in SENTENCES:
        cells = []
        for f in with_x.values():
            shown, text = judge(f)
            cells.append(
                text if text.startswith("in part") else f"{'yes' if shown else 'no'}: {text}"
            )
        rows.append(f"| {sentence} | " + " | ".join(cells) + " |")
    lif = compared("lif")
    if max(abs(side["isi_growth"]) for side in (lif.of_a, lif.of_b)) > 1e-11:
        sys.exit("The intervals of lif are not equal; write the sentence anew.")
    rows += [
        "",
        "`lif` has a resistor and no state: it shows the paper's Eq. 1 and Fig. 2, and none of "
        "these. Its\nintervals are equal to 10 ps on both sides.",
    ]
    return "\n".join(rows)


# --- what was measured ----------------------------------------------------------------------------


def worst(a: Waveforms, b: Waveforms) -> str:
    """Return the worst spike-time difference of two results in ns."""
    if len(a.t_spike) != len(b.t_spike):
        sys.exit(f"{len(a.t_spike)} and {len(b.t_spike)} spikes: there is no worst difference.")
    return f"{np.abs(a.t_spike - b.t_spike).max() * 1e9:.2g} ns"


def against_equations(neuron: Neuron) -> tuple[int, str]:
    """Return the spikes of a circuit, and its worst error against its own equations."""
    # Compiled; LSODA takes a quarter of an hour for one of these, and both tell their own error.
    found = verify(neuron, method="rodas")
    if not found.all_matched:
        sys.exit(f"{neuron.name}: spikes without a partner.")
    return found.matched, f"{abs(found.time_error_worst) * 1e9:.2g} ns"


def range_of(values: np.ndarray) -> str:
    """Return a range of differences in ns, by their magnitudes."""
    low, high = sorted(np.abs([values.min(), values.max()]) * 1e9)
    if values.min() < 0 < values.max():
        sys.exit("The intervals differ both ways; write the sentence anew.")
    return f"{low:.0f} to {high:.0f} ns {'longer' if values.min() > 0 else 'shorter'}"


def ideal_row(neuron: Neuron) -> str:
    """Return what the all-ideal circuit and the `schmitt` reference differ by."""
    circuit, reference = simulate(neuron).require(), solve_reference(neuron, "schmitt")
    if len(circuit.t_spike) != len(reference.t_spike):
        sys.exit("The all-ideal circuit and the reference have different counts.")
    difference = np.diff(circuit.t_spike) - np.diff(reference.t_spike)
    starts, _ = neuron.stimulus.windows(neuron.t_stop)
    inside = np.diff(np.searchsorted(starts, reference.t_spike, side="right")) == 0
    return (
        f"{len(circuit.t_spike)} spikes in both; intervals within pulses "
        f"{range_of(difference[inside])}, across a pause {range_of(difference[~inside])}"
    )


def independent_rows(neuron: Neuron) -> dict[str, tuple[str, str, str]]:
    """Return what the all-ideal circuit differs by from equations that the tests solve."""
    sys.path[:0] = [str(README.parent / "tests" / "_helpers")]
    from independent import three_state_spikes

    exact, found = three_state_spikes(neuron)[0], []
    for steering in (True, False):
        other = neuron.replace({"numerics.steering": steering})
        trains = [simulate(other, name).require().t_spike for name in ("ngspice", "ngspice-batch")]
        if any(len(train) != len(exact) for train in trains):
            sys.exit("The all-ideal circuit has other spikes than its equations.")
        found.append(max(np.abs(train - exact).max() for train in trains))
    return {
        "circuit, all parts ideal, 2 ms": (
            "three equations of its own, by SciPy's LSODA, rtol 1e-11",
            f"worst spike-time error {found[0] * 1e9:.1g} ns, in both simulators",
            "`tests/circuit/test_circuit_accuracy.py`",
        ),
        "the same with steering off": ("the same", f"{found[1] * 1e6:.2g} us", "the same"),
    }


def ltspice_row(neuron: Neuron) -> str:
    """Return what LTspice's netlist in ngspice's LTspice mode differs by, as the test does it."""
    sys.path[:0] = [str(README.parent / "tests" / "_helpers")]
    import tempfile

    from ltspice_standin import install

    from spicealif.simulators import get_simulator
    from spicealif.simulators.ltspice.runner import Ltspice

    with tempfile.TemporaryDirectory() as folder:
        program = install(Path(folder), mode="ltpsa")
        there = Ltspice(program).run(build_netlist(neuron, "ltspice")).require()
    here = get_simulator("ngspice-batch").run(build_netlist(neuron)).require()
    return f"{len(here.t_spike)} spikes in both, worst spike-time difference {worst(here, there)}"


def measured() -> dict[str, tuple[str, str, str]]:
    """Return rows of "What was measured": the first cell, and against what, result, command."""
    paper = load_preset("paper")
    count, error = against_equations(paper)
    others = {p: against_equations(load_preset(p))[1] for p in PRESETS[1:]}
    listed = ", ".join(f"`{p}` {e}" for p, e in others.items())
    models = {"GMMS": "gmms_knowm", "VTEAM": "vteam_memtorch", "Yakopcic": "yakopcic_oblea"}
    neurons = {m: paper.replace({"leak.preset": p}) for m, p in models.items()}
    errors = ", ".join(f"{against_equations(n)[1]} ({m})" for m, n in neurons.items())
    return {
        **independent_rows(paper.replace(t_stop=2e-3).ideal()),
        "circuit, full, paper's neuron, 50 ms": (
            "its own equations",
            f"{count} spikes in both, worst spike-time error {error} ({listed})",
            "`spicealif verify --method rodas`",
        ),
        "circuit, all parts ideal, paper's neuron, 50 ms": (
            "`schmitt` reference",
            ideal_row(paper.ideal()),
            "`benchmarks/refinement.py --ideal`",
        ),
        "LTspice's netlist in ngspice's LTspice mode, paper's neuron, 50 ms": (
            "ngspice's netlist",
            ltspice_row(paper),
            "`tests/netlist/test_ltspice_dialect.py`",
        ),
        "neuron with each model, paper's stimulus, 50 ms, ngspice": (
            "its own equations",
            f"worst spike-time error {errors}",
            "`spicealif verify paper --method rodas -s leak.preset=gmms_knowm`, `vteam_memtorch`, "
            "`yakopcic_oblea`",
        ),
    }


BLOCKS = {"comparison": comparison, "certificate": certificate, "sentences": sentences}
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
#: Numerical errors: how large they are is the rounding's and the machine's. They set widths too.
_ERROR = re.compile(r"\+- \d+(?:\.\d+)?(?:e[-+]?\d+)?(?: [fpnum]?[sVAJ]\b)?")
_RULE = re.compile(r"-{5,}")


def same(old: str, new: str) -> bool:
    """Return whether two texts have the same words, and numbers within 1 %; any errors."""
    (old, new) = (_RULE.sub("-----", _ERROR.sub("+- error", text)) for text in (old, new))
    if _NUMBER.sub("#", " ".join(old.split())) != _NUMBER.sub("#", " ".join(new.split())):
        return False
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return all(abs(float(a) - float(b)) <= 0.01 * abs(float(b)) for a, b in pairs)


def pages() -> dict[Path, str]:
    """Return the README and the pages of the documentation, with their texts."""
    found = [README, *sorted((README.parent / "docs").rglob("*.md"))]
    return {p: p.read_text(encoding="utf-8") for p in found if "_build" not in p.parts}


def put(texts: dict[Path, str], name: str, new: str) -> list[str]:
    """Make a block anew in every page that has it; return the blocks that were there."""
    pattern = re.compile(rf"(<!-- tables: {name} -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)
    olds = []
    for path, text in texts.items():
        olds += [found[2] for found in pattern.finditer(text)]
        texts[path] = pattern.sub(lambda found: found[1] + new + found[3], text)
    if not olds:
        sys.exit(f"No page has the block {name}.")
    return olds


def put_row(texts: dict[Path, str], what: str, new: str) -> list[str]:
    """Make a row anew in every page that has it; return the rows that were there."""
    olds = []
    for path, text in texts.items():
        lines = text.splitlines(keepends=True)
        at = [k for k, line in enumerate(lines) if line.startswith(f"| {what} |")]
        olds += [lines[k].rstrip("\n") for k in at]
        texts[path] = "".join(f"{new}\n" if k in at else line for k, line in enumerate(lines))
    if not olds:
        sys.exit(f"No page has the row {what!r}.")
    return olds


def main() -> None:
    """Make what was asked for, and write or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help="/".join([*BLOCKS, "measured"]))
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    options = parser.parse_args()
    names = options.blocks or [*BLOCKS, "measured"]
    unknown = set(names) - {*BLOCKS, "measured"}
    if unknown:
        parser.error(f"there is no block {', '.join(sorted(unknown))}")
    blocks = {name: BLOCKS[name]() for name in names if name in BLOCKS}
    rows = measured() if "measured" in names else {}
    # Read when all is made: minutes later somebody may have edited it.
    before = pages()
    after, wrong = dict(before), []
    for name, new in blocks.items():
        wrong += [new for old in put(after, name, new) if not same(old, new)]
    for what, cells in rows.items():
        new = f"| {what} | " + " | ".join(cells) + " |"
        wrong += [new for old in put_row(after, what, new) if not same(old, new)]
    if not options.check:
        for path in [p for p in after if after[p] != before[p]]:
            path.write_text(after[path], encoding="utf-8")
            print(f"Wrote {path}.")
    elif wrong:
        print("A page says something else than:", *wrong, sep="\n\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

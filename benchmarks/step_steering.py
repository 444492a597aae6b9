"""How accurate the circuit's spike times are for their cost, with and without step steering.

Everything is measured against `spicealif.circuit.solve_circuit`, which solves the circuit's own
differential equations without SPICE. Two tables:

- Work and precision: the paper's preset, real and all-ideal parts, by four families of settings:
  reltol alone (no steering), a small largest step alone (no steering), the package's first
  steering element, and the netlist as the package writes it. A figure shows the same.
- Random designs: seeded (the elements were tuned on seed 7; the default seed is another), real
  parts, the default netlist. Per design the worst spike-time error over the whole run, and what a
  largest step alone would cost for the same error. The latter is measured on a short stretch of the
  same design, against the steered error and cost on that stretch. Where the smallest step that is
  affordable still does not reach the error, the cost is extrapolated with the measured slope (at
  most order 2, the method's own) and marked with a tilde.

The package's first element was one voltage source across one capacitor, ``asinh(u / 1 mV)`` of the
voltage u between the comparator's inputs, with chgtol 1e-14 and no bound of the steps per interval;
it is put in by editing the netlist's text. What the present ones are is said in
``netlists/base/steering.cir.j2``.

An *early trigger* is a spike whose time error falls by more than 100 ns from one spike to the
next. *Sensitivity* is how far the worst spike moves if both thresholds rise by
one part in a million: it says which designs magnify every error, a real circuit's included.

Usage: python benchmarks/step_steering.py [--quick] [--cache FILE] [--figure FILE]
       python benchmarks/step_steering.py --from docs/step_steering.txt    # draws the figure anew
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spicealif import Neuron, load_preset, solve_reference
from spicealif._support.figures import PAGE, add_legend, in_figure_style, new_figure, save_figure
from spicealif.circuit import solve_circuit
from spicealif.design import Memristor, PulseTrain, Sine
from spicealif.errors import DesignError, SpicealifError
from spicealif.netlist import build_netlist
from spicealif.simulators.ngspice.batch import NgspiceBatch

Floats = NDArray[np.float64]

#: Relative tolerance of the exact solution; at ten times it, spikes move by less than the errors
#: measured here.
ORACLE_RTOL = 1e-8
#: A fall of the time error by more than this from spike to spike is an early trigger, s.
EARLY = 100e-9
#: Tolerances of the runs that a largest step alone shall make accurate: ngspice's default, and
#: one at which the rest of the circuit is well solved. The cheaper of the two counts.
BRUTE_RELTOLS = (1e-3, 1e-6)
#: An error below this is not asked of the rivals of steering, s.
FLOOR = 0.2e-9
SIMULATOR = NgspiceBatch()


#: Settings of runs that steering does not decide: chgtol below the charges of all capacitances,
#: and no step bound but `t_step_max`.
UNSTEERED = {"numerics.chgtol": 1e-14, "numerics.steps_per_charge": 1e-6}


def first_element(neuron: Neuron) -> str:
    """Return the lines of the package's first steering element."""
    u = "V(u)" if neuron.comparator.kind == "ideal" else "V(cp,ref)"
    return f"B_st st 0 V=asinh({u}/0.001)\nC_st st 0 1e-06\n"


@dataclass(frozen=True)
class Outcome:
    """What one run gave: spike times (s), CPU time (s), points; why it failed, if it did."""

    t_spike: Floats
    cpu_s: float
    points: int
    reason: str = ""


class Cache:
    """Results by key, in memory and as JSON lines in a file, so that a run can be resumed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Outcome] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    continue  # the line that was being written when the run was interrupted
                spikes = np.array(row["t_spike"], dtype=float)
                self._known[row["key"]] = Outcome(
                    spikes, row["cpu_s"], row["points"], row["reason"]
                )

    def get(self, key: str) -> Outcome | None:
        """Return what is known under `key`."""
        return self._known.get(key)

    def put(self, key: str, outcome: Outcome) -> Outcome:
        """Remember and return `outcome`."""
        self._known[key] = outcome
        if self._path is not None:
            row = {"key": key, **dataclasses.asdict(outcome)}
            row["t_spike"] = [float(t) for t in outcome.t_spike]
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        return outcome


def exact(neuron: Neuron, cache: Cache) -> Floats:
    """Return the spike times of the circuit's equations; the numerics of SPICE do not matter."""
    plain = neuron.replace({"numerics": {}})
    key = f"exact {ORACLE_RTOL:g} {plain.digest}"
    known = cache.get(key)
    if known is None:
        waveforms = solve_circuit(plain, rtol=ORACLE_RTOL)
        known = cache.put(key, Outcome(waveforms.t_spike, 0.0, len(waveforms)))
    return known.t_spike


def run(neuron: Neuron, cache: Cache, element: str | None = None) -> Outcome:
    """Run a netlist in ngspice, its steering element replaced if another is given."""
    netlist = build_netlist(neuron)
    if element is not None:
        text, count = re.subn(
            r"(?m)^(\* --- step steering.*\n)(?:(?!\* --- ).*\n)*",
            lambda found: found[1] + element,
            netlist.text,
        )
        if count != 1:
            raise SpicealifError("The netlist has no step-steering element to replace.")
        netlist = dataclasses.replace(netlist, text=text)
    key = "run " + hashlib.sha256(netlist.text.encode()).hexdigest()
    known = cache.get(key)
    if known is not None:
        return known
    done = SIMULATOR.run(netlist)
    spikes = done.waveforms.t_spike if done.ok and done.waveforms is not None else np.array([])
    return cache.put(key, Outcome(spikes, done.cost.cpu_s, done.cost.points, done.reason))


def worst_error(outcome: Outcome, truth: Floats) -> float:
    """Return the worst spike-time error in s; infinite if the run failed or the counts differ."""
    if outcome.reason or len(outcome.t_spike) != len(truth):
        return math.inf
    return float(np.abs(outcome.t_spike - truth).max(initial=0.0))


def early_triggers(outcome: Outcome, truth: Floats) -> int:
    """Return the number of early triggers, as far as the two trains can be paired."""
    n = min(len(outcome.t_spike), len(truth))
    if n == 0:
        return 0
    error = outcome.t_spike[:n] - truth[:n]
    # Beyond half an interval two spikes are no pair, and what follows says nothing.
    apart = np.abs(error) > 0.5 * np.diff(truth[:n], append=math.inf)
    n = int(np.argmax(apart)) + 1 if apart.any() else n
    return int((np.diff(error[:n], prepend=0.0) < -EARLY).sum())


# --- random designs ---


def random_designs(seed: int, count: int, t_stop: float = 50e-3) -> list[Neuron]:
    """Return random valid designs with real parts.

    C is 10 nF to 1 uF, tau 0.1 to 20 ms, R_off/R_on 1 to 100 (all log-uniform), v_th 0.2 to 1 V;
    the stimulus is a pulse train or a sine strong enough to fire. Designs that `Neuron` refuses,
    or that fire fewer than 5 or more than 3000 times, are drawn again.

    Parameters
    ----------
    seed, count : int
    t_stop : float
        Length of the run in s.

    Returns
    -------
    list of Neuron
    """
    rng = np.random.default_rng(seed)
    paper = load_preset("paper")
    found: list[Neuron] = []
    while len(found) < count:
        try:
            neuron = _draw(rng, paper, t_stop)
        except DesignError:
            continue
        if 5 <= len(solve_reference(neuron, "schmitt").t_spike) <= 3000:
            found.append(neuron)
    return found


def _draw(rng: np.random.Generator, paper: Neuron, t_stop: float) -> Neuron:
    def log_uniform(low: float, high: float) -> float:
        return math.exp(rng.uniform(math.log(low), math.log(high)))

    c, tau, ratio = log_uniform(1e-8, 1e-6), log_uniform(1e-4, 2e-2), log_uniform(1, 100)
    middle = log_uniform(500, 3000)
    r_on, r_off = middle / math.sqrt(ratio), middle * math.sqrt(ratio)
    v_th = float(rng.uniform(0.2, 1))
    v_low = v_th * float(rng.uniform(0.08, 0.4))
    r_s = float(rng.choice([0, 0.3, 1])) * middle
    # Current in units of what just reaches v_th, with the memristor off or half-way.
    strength = log_uniform(1.3, 6)
    resistance = 1 / (1 / r_off + 1 / 20e3) if rng.random() < 0.5 else middle
    current = strength * v_th / resistance
    stimulus: PulseTrain | Sine
    if rng.random() < 0.6:
        stimulus = PulseTrain(
            amplitude=current,
            frequency=log_uniform(100, 3000),
            duty=float(rng.uniform(0.2, 0.8)),
        )
    else:
        stimulus = Sine(
            amplitude=current / 2 * float(rng.uniform(0.5, 1.5)),
            offset=current / 2,
            frequency=log_uniform(50, 1000),
        )
    v_on = float(v_th * rng.uniform(0.3, 1.2))
    leak = {"leak.tau": tau, "leak.r_on": r_on, "leak.r_off": r_off, "leak.v_on": v_on}
    leak["leak.v_off"] = v_on
    rest = {"c": c, "v_th": v_th, "v_low": v_low, "r_s": r_s}
    return paper.replace({**leak, **rest, "stimulus": stimulus, "t_stop": t_stop})


@dataclass(frozen=True)
class Rival:
    """What another way to the same error costs, in units of the steered run's CPU time."""

    ratio: float
    extrapolated: bool = False


#: A cost that was tried: largest step or reltol, error (s), CPU time (s).
Tried = list[tuple[float, float, float]]


def rivals(neuron: Neuron, cache: Cache, points: float, spikes: int = 6) -> tuple[Rival, Rival]:
    """Return what a largest step alone, and reltol alone, cost for the steered run's error.

    Parameters
    ----------
    neuron : Neuron
    cache : Cache
    points : float
        Affordable number of points of one run.
    spikes : int
        Length of the stretch: up to half-way between this spike and the next.

    Returns
    -------
    largest step, reltol : Rival
    """
    truth = exact(neuron, cache)
    if len(truth) > spikes:
        end = float(truth[spikes - 1] + truth[spikes]) / 2
        neuron = neuron.replace(t_stop=end)
        truth = exact(neuron, cache)
    good = run(neuron, cache)
    goal = max(worst_error(good, truth), FLOOR)
    off = neuron.replace({**UNSTEERED, "numerics.steering": False})

    def attempt(change: dict[str, float], setting: float, tried: Tried) -> bool:
        outcome = run(off.replace(change), cache)
        error = worst_error(outcome, truth)
        tried.append((setting, error, outcome.cpu_s))
        return error <= goal

    brute = []
    for reltol in BRUTE_RELTOLS:
        steps: Tried = []
        # From 200 points in the stretch on, by factors of 4: an error of order 2 falls 16 times.
        step = min(1e-6, neuron.t_stop / 200)
        while step >= neuron.t_stop / points:
            change = {"numerics.reltol": reltol, "numerics.t_step_max": step}
            if attempt(change, step, steps):
                break
            step /= 4
        brute.append(_rival(steps, goal, good.cpu_s, (1.0, 2.0), -1.0))
    step = neuron.t_step_max
    tolerances: Tried = []
    for reltol in (1e-6, 1e-7, 1e-8, 1e-9):
        change = {"numerics.reltol": reltol, "numerics.t_step_max": step}
        if attempt(change, reltol, tolerances):
            break
    tight = _rival(tolerances, goal, good.cpu_s, (1 / 3, 2 / 3), -1 / 3)
    return min(brute, key=lambda r: r.ratio), tight


def _rival(
    tried: Tried, goal: float, cpu_s: float, orders: tuple[float, float], growth: float
) -> Rival:
    """Return the cost of reaching `goal` (s), extrapolated if no attempt did.

    The order, d log(error) / d log(setting), is the one measured over the last three attempts,
    kept within `orders`: an early trigger is at most a step early, and the method's order is 2.
    The cost goes with the setting to the power `growth`.
    """
    _, error, cost = tried[-1]
    if error <= goal:
        return Rival(cost / cpu_s)
    seen = np.array([(math.log(s), math.log(e)) for s, e, _ in tried[-3:] if 0 < e < math.inf])
    if math.isinf(error) or len(seen) < 2:
        return Rival(math.inf, True)
    order = float(np.polyfit(seen[:, 0], seen[:, 1], 1)[0])
    order = min(max(order, orders[0]), orders[1])
    return Rival(cost * (goal / error) ** (growth / order) / cpu_s, True)


def sensitivity(neuron: Neuron, cache: Cache) -> float:
    """Return how far the worst spike moves in s if the thresholds rise by 1e-6 of themselves."""
    factor = 1 + 1e-6
    other = neuron.replace({"v_th": neuron.v_th * factor, "v_low": neuron.v_low * factor})
    a, b = exact(neuron, cache), exact(other, cache)
    return float(np.abs(a - b).max(initial=0.0)) if len(a) == len(b) else math.inf


def design_table(arguments: argparse.Namespace, cache: Cache) -> None:
    """Print one row per random design, and a summary."""
    designs = random_designs(arguments.seed, arguments.designs, arguments.t_stop)
    if arguments.reltol is not None:
        designs = [n.replace({"numerics.reltol": arguments.reltol}) for n in designs]
    print(
        f"\n{len(designs)} random designs, real parts, {arguments.t_stop * 1e3:g} ms, seed "
        f"{arguments.seed}\n"
        "'step': cost of the largest step alone for the same error, 'reltol': of reltol alone\n"
        " no        C      tau  ratio  v_th stimulus      spikes   error early   sens.     CPU"
        "   points  CPU, step    step  reltol\n"
        "            F        s             V                        ns        ns/ppm       s"
        "                   s   times   times",
        flush=True,
    )
    errors, steps, tolerances, cpu, points, early = [], [], [], 0.0, 0, 0
    for number, neuron in enumerate(designs):
        truth = exact(neuron, cache)
        outcome = run(neuron, cache)
        error = worst_error(outcome, truth)
        step, reltol = rivals(neuron, cache, arguments.brute_points)
        errors.append(error)
        steps.append(step.ratio)
        tolerances.append(reltol.ratio)
        cpu, points = cpu + outcome.cpu_s, points + outcome.points
        early += early_triggers(outcome, truth)
        leak, stimulus = neuron.leak, neuron.stimulus
        assert isinstance(leak, Memristor) and isinstance(stimulus, PulseTrain | Sine)
        kind = f"{stimulus.kind} {stimulus.frequency:.0f} Hz"
        marks = ["~" if rival.extrapolated else " " for rival in (step, reltol)]
        print(
            f"{number:3d} {neuron.c:8.2e} {leak.tau:8.2e} {leak.r_off / leak.r_on:6.1f} "
            f"{neuron.v_th:5.2f} {kind:13s} {len(truth):6d} {error * 1e9:7.2f} "
            f"{early_triggers(outcome, truth):5d} {sensitivity(neuron, cache) * 1e9:7.2f} "
            f"{outcome.cpu_s:7.2f} {outcome.points:8d} "
            f"{marks[0]}{step.ratio * outcome.cpu_s:9.0f} {marks[0]}{step.ratio:6.0f} "
            f"{marks[1]}{reltol.ratio:6.1f}",
            flush=True,
        )
    print(
        f"error: median {np.median(errors) * 1e9:.2f} ns, worst {max(errors) * 1e9:.1f} ns, "
        f"{sum(e < 20e-9 for e in errors)} of {len(errors)} below 20 ns; {early} early triggers; "
        f"CPU {cpu:.0f} s, {points} points\n"
        f"times the cost for the same error (~ extrapolated): largest step median "
        f"{np.median(steps):.0f}, least {min(steps):.1f}, {sum(r >= 20 for r in steps)} of "
        f"{len(steps)} at least 20; reltol median {np.median(tolerances):.1f}, least "
        f"{min(tolerances):.1f}"
    )


# --- work and precision ---


@dataclass(frozen=True)
class Family:
    """A family of settings: label, colour and marker in the figure."""

    label: str
    colour: str
    marker: str


# Okabe and Ito's palette, as in spicealif.plots.
PLAIN = Family("no steering, reltol alone", "#D55E00", "s")
BRUTE = Family("no steering, largest step alone (reltol 1e-6)", "#555555", "^")
FIRST = Family("steering, the first element", "#56B4E9", "D")
PACKAGE = Family("steering, as the package writes it", "#0072B2", "o")
FAMILIES = (PLAIN, BRUTE, FIRST, PACKAGE)


def family_runs(neuron: Neuron, cache: Cache, quick: bool) -> Iterator[tuple[Family, str, Outcome]]:
    """Yield the runs of all families on one neuron."""
    plain = neuron.replace(UNSTEERED)
    off = plain.replace({"numerics.steering": False})
    for reltol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)[: 4 if quick else None]:
        change = {"numerics.reltol": reltol, "numerics.t_step_max": 5e-6}
        yield PLAIN, f"reltol {reltol:g}", run(off.replace(change), cache)
    for step in (1e-6, 3e-7, 1e-7, 3e-8, 1e-8, 3e-9)[: 3 if quick else None]:
        change = {"numerics.reltol": 1e-6, "numerics.t_step_max": step}
        yield BRUTE, f"t_step_max {step:g}", run(off.replace(change), cache)
    reltols = (1e-5, 1e-6, 1e-7, 1e-8)[: 3 if quick else None]
    for reltol in reltols:
        first = plain.replace({"numerics.reltol": reltol})
        yield FIRST, f"reltol {reltol:g}", run(first, cache, first_element(neuron))
    numerics = neuron.numerics
    for reltol in (*reltols, 1e-9):
        # The largest step goes with the others: as reltol to one third.
        factor = (reltol / numerics.reltol) ** (1 / 3)
        change = {
            "numerics.reltol": reltol,
            "numerics.steps_per_charge": numerics.steps_per_charge / factor,
            "numerics.t_step_max": numerics.t_step_max * factor,
        }
        yield PACKAGE, f"reltol {reltol:g}", run(neuron.replace(change), cache)


#: Of each run: family, CPU time (s), worst error (s), early triggers.
Rows = list[tuple[Family, float, float, int]]


def work_precision(title: str, neuron: Neuron, cache: Cache, quick: bool) -> Rows:
    """Print the table of one neuron and return what the figure shows."""
    truth = exact(neuron, cache)
    print(f"\n{title}, {neuron.t_stop * 1e3:g} ms, {len(truth)} spikes")
    print(f"{'settings':66s}   CPU s    points   error ns  early", flush=True)
    rows: Rows = []
    for family, setting, outcome in family_runs(neuron, cache, quick):
        error, early = worst_error(outcome, truth), early_triggers(outcome, truth)
        rows.append((family, outcome.cpu_s, error, early))
        if outcome.reason:
            text = "failed"
        elif math.isinf(error):
            text = f"{len(outcome.t_spike)} spikes"
        else:
            text = f"{error * 1e9:.2f}"
        print(
            f"{family.label:46s} {setting:19s} {outcome.cpu_s:7.2f} {outcome.points:9d} "
            f"{text:>10s} {early:6d}",
            flush=True,
        )
    return rows


def printed(path: Path) -> list[tuple[str, Rows]]:
    """Read the panels of the figure from the tables that an earlier run printed."""
    panels: list[tuple[str, Rows]] = []
    by_label = {family.label: family for family in FAMILIES}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"Preset paper, ([a-z ]+), [0-9.]+ ms, \d+ spikes", line):
            panels.append((match[1], []))
            continue
        family = by_label.get(line[:46].rstrip())
        if family is None:
            continue
        cpu, _, *error, early = line[46 + 1 + 19 :].split()
        # A run with another number of spikes has no error.
        value = float(error[0]) * 1e-9 if len(error) == 1 and error[0] != "failed" else math.inf
        panels[-1][1].append((family, float(cpu), value, int(early)))
    return panels


@in_figure_style
def draw(panels: list[tuple[str, Rows]], path: Path) -> None:
    """Write the work-precision figure."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import NullFormatter

    figure = new_figure(PAGE, 92)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, rows) in zip(axes, panels, strict=True):
        for family in FAMILIES:
            points = [(c, e * 1e9, n) for f, c, e, n in rows if f is family and math.isfinite(e)]
            if not points:
                continue
            cpu, error, early = zip(*points, strict=True)
            ax.loglog(cpu, error, color=family.colour, zorder=2)
            # Hollow: at least one early trigger.
            filled = [family.colour if n == 0 else "white" for n in early]
            ax.scatter(
                cpu, error, c=filled, edgecolors=family.colour, marker=family.marker, s=18,
                linewidths=0.8, zorder=3,
            )  # fmt: skip
        ax.axhline(20, color="0.6", ls="--", zorder=1)
        ax.set_title(title)
        ax.set_xlabel("CPU time (s)")
        ax.xaxis.set_minor_formatter(NullFormatter())
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(lambda v, _: f"{v:g}")
    axes[0].set_ylabel("worst spike-time error (ns)")
    handles = [Line2D([], [], color=f.colour, marker=f.marker, ms=4) for f in FAMILIES]
    handles += [
        Line2D([], [], color="0.3", marker="o", mfc="white", ms=4, lw=0),
        Line2D([], [], color="0.6", ls="--"),
    ]
    add_legend(figure, handles, [*(f.label for f in FAMILIES), "hollow: fires early", "20 ns"])
    save_figure(figure, path)
    print(f"\nfigure: {path}")


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=24, help="number of random designs")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--t-stop", type=float, default=50e-3, help="length of their runs in s")
    parser.add_argument("--figure", type=Path, help="where to write the figure (PNG)")
    parser.add_argument(
        "--from", dest="tables", type=Path,
        help="only draw the figure, of the tables that an earlier run printed into this file",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, help="JSON lines; an interrupted run resumes from it")
    parser.add_argument("--quick", action="store_true", help="short runs, four designs")
    parser.add_argument("--reltol", type=float, help="of the random designs [the default]")
    parser.add_argument("--brute-points", type=float, default=2e5, help="points of one brute run")
    arguments = parser.parse_args()
    if arguments.tables is not None:
        draw(printed(arguments.tables), arguments.figure or arguments.tables.with_suffix(".png"))
        return
    if arguments.quick:
        arguments.designs = min(arguments.designs, 4)
        arguments.t_stop = min(arguments.t_stop, 5e-3)
        arguments.brute_points = min(arguments.brute_points, 1e5)
    cache = Cache(arguments.cache)
    paper = load_preset("paper").replace(t_stop=1e-3 if arguments.quick else 5e-3)
    panels = [
        (title, work_precision(f"Preset paper, {title}", neuron, cache, arguments.quick))
        for title, neuron in (("real parts", paper), ("all parts ideal", paper.ideal()))
    ]
    if arguments.figure is not None:
        draw(panels, arguments.figure)
    design_table(arguments, cache)


if __name__ == "__main__":
    main()

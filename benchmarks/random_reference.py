"""The reference's step on random designs, against SciPy's DOP853 restarted at every event.

MMS devices with r_on from 200 ohm to 500 kohm and tau from 20 us to 0.5 s; constant currents,
pulses and piecewise linear noise of up to 20 times the paper's; both variants. The oracle shares no
code with the package: Eq. 2 is written out here. Its own error is taken from a second run at a
tolerance 30 times as loose, and a design whose oracle is not good enough is named, not counted.

With --verdicts, certificates of the first N designs against the circuit's equations are judged too:
what is true of a gap is taken from the oracle and from the equations at rtol 1e-10.

Usage: random_reference.py [--designs N] [--seed S] [--verdicts N]
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from scipy.integrate import solve_ivp

from spicealif import Neuron, certify, load_preset, solve_circuit, solve_reference
from spicealif.errors import DesignError

#: What a printed error may be smaller than the true one by, and below what both are rounding.
SHARE, FLOOR_X, FLOOR_T = 3.0, 1e-12, 1e-14


def draw(rng: np.random.Generator) -> Neuron:
    """Return a random neuron with 1 to 60 spikes or so."""
    while True:
        r_on = float(np.exp(rng.uniform(math.log(200), math.log(5e5))))
        tau = float(np.exp(rng.uniform(math.log(2e-5), math.log(0.5))))
        c = float(np.exp(rng.uniform(math.log(2e-8), math.log(1e-6))))
        peak = 1e-3 * float(np.exp(rng.uniform(0, math.log(20))))
        t_stop = 0.4 * c / peak * float(rng.uniform(5, 60))
        kind = rng.choice(["constant", "pulse", "pwl"])
        stimulus: dict[str, object] = {"kind": "constant", "amplitude": peak}
        if kind == "pulse":
            stimulus = {"kind": "pulse", "amplitude": peak, "frequency": 3 / t_stop, "duty": 0.6,
                        "t_rise": t_stop * 1e-4, "t_fall": t_stop * 1e-4}  # fmt: skip
        elif kind == "pwl":
            t = np.linspace(0, t_stop, int(rng.integers(10, 300)))
            i = np.clip(peak * (0.4 + 0.5 * rng.standard_normal(len(t))), -0.3 * peak, peak)
            stimulus = {"kind": "pwl", "t": t.tolist(), "i": i.tolist()}
        leak = {
            "kind": "mms", "r_on": r_on, "r_off": r_on * float(rng.uniform(2, 30)),
            "v_on": float(rng.uniform(0.1, 0.4)), "v_off": float(rng.uniform(-0.1, 0.3)),
            "tau": tau, "x_0": float(rng.uniform(0, 0.5)),
        }  # fmt: skip
        try:
            return load_preset("paper").ideal().replace(
                {"leak": leak, "c": c, "r_s": float(rng.uniform(0, r_on)), "t_stop": t_stop,
                 "stimulus": stimulus, "mosfet.r_ds_on": 2.0}
            )  # fmt: skip
        except DesignError:  # it would latch at such a current
            continue


def oracle(neuron: Neuron, variant: str, rtol: float) -> tuple[np.ndarray, float]:
    """Return spike times and x at the end, by DOP853 restarted at corners and events."""
    leak, v_t = neuron.leak, 1.380649e-23 * neuron.temperature / 1.602176634e-19
    v_low = neuron.network.v_low / neuron.difference_amplifier.gain
    r_ds, delays = neuron.r_ds_on, neuron.switch_delays
    pieces = neuron.stimulus.pieces(neuron.t_stop)

    def logistic(u: float) -> float:
        return 1 / (1 + math.exp(-min(max(u / v_t, -600.0), 600.0)))

    def v_mem(y: np.ndarray) -> float:
        r_m = 1 / (y[1] / leak.r_on + (1 - y[1]) / leak.r_off)
        return float(y[0] * r_m / (r_m + neuron.r_s))

    t, y, phase, due, spikes = 0.0, np.array([0.0, leak.x_0]), "up", 0.0, []
    for k, i_0 in enumerate(pieces.i):
        begin, end = pieces.t[k], pieces.t[k + 1]
        while t < end:
            closed = phase in ("down", "off")

            def rates(t, y, closed=closed, i_0=i_0, k=k, begin=begin):
                g = y[1] / leak.r_on + (1 - y[1]) / leak.r_off
                i = i_0 + pieces.slope[k] * (t - begin)
                m = y[0] / (1 + neuron.r_s * g)
                dv = (i - m * g - (y[0] / r_ds if closed else 0.0)) / neuron.c
                on, off = logistic(m - leak.v_on), 1 - logistic(m + leak.v_off)
                return [dv, (on * (1 - y[1]) - off * y[1]) / leak.tau]

            sign = {"up": 1.0, "down": -1.0}.get(phase, 0.0)
            level = neuron.v_th if sign > 0 else v_low

            def watch(t, y, sign=sign, level=level):
                return sign * (v_mem(y) - level)

            watch.terminal, watch.direction = True, 1.0
            stop = end if sign else min(end, due)
            crossed = bool(sign) and watch(t, y) >= 0
            if not crossed and stop > t:
                # steps of at most a part of an interval, so that no crossing is stepped over
                slew = max(abs(i_0), abs(i_0 + pieces.slope[k] * (end - begin)), 1e-6) / neuron.c
                longest = min(0.2 * r_ds * neuron.c if closed else math.inf, 0.02 / slew)
                s = solve_ivp(
                    rates, (t, stop), y, "DOP853", events=watch if sign else None,
                    max_step=longest, rtol=rtol, atol=rtol * 1e-2,
                )  # fmt: skip
                t, y, crossed = float(s.t[-1]), s.y[:, -1], s.status == 1
            if not crossed and (sign or t < due):
                continue
            if phase == "up" and variant == "ideal":
                spikes.append(t)
                y = np.array([0.0, y[1]])
            elif phase == "up":
                phase, due = "on", t + delays[0]
            elif phase == "on":
                spikes.append(t)
                phase = "down"
            elif phase == "down":
                phase, due = "off", t + delays[1]
            else:
                phase = "up"
    return np.array(spikes), float(y[1])


def figures(spikes: np.ndarray, x: float) -> dict[str, float]:
    """Return figures of a side that a verdict is given of."""
    gaps = np.diff(spikes)
    if not len(gaps):
        return {"x_final": x}
    return {"x_final": x, "isi_first": float(gaps[0]), "isi_last": float(gaps[-1])}


def verdicts(neuron: Neuron, variant: str, truths: tuple) -> list[tuple[str, str, float, float]]:
    """Return name, verdict, true relative gap and what is not known of that, for each figure."""
    certificate = certify(neuron, "equations", variant=variant)
    # a figure that one side does not have gets no verdict
    found = {m.name: m.verdict.value for m in certificate.measures if m.verdict is not None}
    circuits = [solve_circuit(neuron, rtol=rtol) for rtol in (1e-10, 1e-9)]
    sides = [figures(c.t_spike, float(c["x"][-1])) for c in circuits]
    references = [figures(*truth) for truth in truths]
    out = []
    for name, reference in references[0].items():
        if any(name not in side for side in (*sides, references[1], found)):
            continue
        gap = abs(sides[0][name] - reference) / abs(reference)
        unknown = abs(sides[1][name] - sides[0][name]) + abs(references[1][name] - reference)
        out.append((name, found[name], gap, unknown / abs(reference)))
    return out


def judge(rows: list[tuple[str, str, float, float]], tolerance: float = 1e-3) -> None:
    """Print how many verdicts there were, and how many were false."""
    false, open_ = [], 0
    for row in rows:
        _, verdict, gap, unknown = row
        low, high = gap - unknown, gap + unknown
        open_ += low < tolerance < high
        wrong = low > tolerance if verdict == "agree" else high < tolerance
        if wrong and verdict != "not resolved":
            false.append(row)
    kinds = {verdict for _, verdict, _, _ in rows}
    counts = ", ".join(f"{k} {sum(v == k for _, v, _, _ in rows)}" for k in sorted(kinds))
    print(f"{len(rows)} verdicts ({counts}); false: {false or 'none'}; not to be judged: {open_}")


def main() -> None:
    """Print the worst errors, and how the errors that halving h shows compare with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--verdicts", type=int, default=0)
    options = parser.parse_args()
    rng, rows, begin = np.random.default_rng(options.seed), [], time.monotonic()
    judged: list[tuple[str, str, float, float]] = []
    for number in range(options.designs):
        neuron = draw(rng)
        variant = "ideal" if number % 2 else "schmitt"
        truth, loose = (oracle(neuron, variant, rtol) for rtol in (1e-12, 3e-11))
        if number < options.verdicts:
            judged += verdicts(neuron, variant, (truth, loose))
        base = solve_reference(neuron, variant)
        fine = solve_reference(neuron, variant, h=neuron.default_h / 2)
        counts = {len(truth[0]), len(loose[0]), len(base.t_spike), len(fine.t_spike)}
        if len(counts) > 1:
            print(f"design {number} ({variant}): spikes {counts}")
            continue
        x, x_fine = float(base["x"][-1]), float(fine["x"][-1])
        worst = [
            float(np.abs(a - b).max(initial=0.0))
            for a, b in (
                (base.t_spike, truth[0]), (base.t_spike, fine.t_spike), (truth[0], loose[0])
            )
        ]  # fmt: skip
        rows.append((abs(x - truth[1]), abs(x - x_fine), abs(truth[1] - loose[1]), *worst))
    table = np.array(rows)
    print(f"{len(rows)} of {options.designs} designs, {time.monotonic() - begin:.0f} s")
    known = table[:, 2] < 1e-5, table[:, 5] < 1e-10
    beyond = (known[0] & (table[:, 0] > 1e-4)) | (known[1] & (table[:, 3] > 1e-9))
    print(
        f"beyond 1e-4 of x or 1 ns: {beyond.sum()} of {(known[0] & known[1]).sum()} whose oracle "
        f"knows better; printed there: {table[beyond][:, [0, 1, 3, 4]].tolist()}"
    )
    for name, k, floor in (("x", 0, FLOOR_X), ("spike time in s", 3, FLOOR_T)):
        true, printed, own = table[:, k], table[:, k + 1], table[:, k + 2]
        # where the oracle is good enough to judge the printed error
        known = own < true / 3
        fair = (printed >= (true - own) / SHARE) | (true <= floor)
        print(
            f"{name}: worst {true.max():.2g}, median {np.median(true):.2g}; oracle's own error at "
            f"most {own.max():.2g}; printed error at least a third of the true one in "
            f"{np.mean(fair[known]):.1%} of {known.sum()} (in {np.mean(fair):.1%} of all)"
        )
    if judged:
        judge(judged)


if __name__ == "__main__":
    main()

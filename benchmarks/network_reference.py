"""Reference of networks: speed beside Brian2, and how far its spikes are from ours.

    python benchmarks/network_reference.py --brian /path/to/python-with-brian2

Both integrate the same equations: neurons with a constant drive each, exponential synapses, delays.
Brian2 is its fastest target, C++ standalone with ``-O3 -march=native -ffast-math``, on one thread
(with ``--openmp`` also on two, which is slower at this size); its time is that of the run's loop as
it reports it. Ours is that of the call without the preparation (`Neuron` objects to arrays), which
is printed apart, as Brian2's building is. Runs alternate; medians are printed, and nothing is kept
from earlier runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spicealif.design import load_preset
from spicealif.network import (
    CurrentSynapse,
    Expanded,
    FromList,
    Network,
    Population,
    Projection,
    expand,
)
from spicealif.network.reference.ideal import run_ideal
from spicealif.network.reference.tables import ideal_tables

TAU_S, T_STOP = 100e-6, 2e-3
CHARGE = 0.5e-9


def network(leak: str, n: int, synapses: int, seed: int, drive: float) -> Expanded:
    """Return n neurons with constant drives and so many synapses with delays."""
    rng = np.random.Generator(np.random.PCG64(seed))
    neuron = load_preset("lif" if leak == "resistor" else "paper").replace(
        {"stimulus": {"kind": "constant", "amplitude": drive}, "t_stop": T_STOP, "v_reset": 0.0}
    )
    drives = tuple(drive * rng.uniform(0.9, 1.1, n))
    pairs = rng.integers(0, n, (synapses, 2))
    pairs[:, 1] = np.where(pairs[:, 0] == pairs[:, 1], (pairs[:, 1] + 1) % n, pairs[:, 1])
    return expand(
        Network(
            populations=(
                Population(
                    name="n", neuron=neuron, size=n, parameters={"stimulus.amplitude": drives}
                ),
            ),
            projections=(
                Projection(
                    source="n", target="n", synapse=CurrentSynapse(tau_s=TAU_S, g_m=1e-6),
                    connector=FromList(connections=tuple(map(tuple, pairs.tolist()))),
                    charge=tuple(rng.uniform(0.2, 1.0, synapses) * CHARGE * 10000 / synapses),
                    delay=tuple(rng.uniform(50e-6, 500e-6, synapses)),
                ),
            ),
            t_stop=T_STOP,
        )
    )  # fmt: skip


class Brian:
    """Brian2 with a network, built once and run on demand."""

    def __init__(self, python: str, file: Path, threads: int) -> None:
        script = Path(__file__).with_name("network_brian2.py")
        self._process = subprocess.Popen(
            [python, str(script), str(file), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")},
        )  # fmt: skip
        self.build = self._answer()["build"]

    def _answer(self) -> dict:
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("Brian2 ended without an answer; its message is above.")
            if line.startswith("{"):
                return json.loads(line)

    def run(self) -> dict:
        """Return times and spikes of one run."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def file_for_brian(
    expanded: Expanded, tables, leak: str, method: str, file: Path, h: float
) -> None:
    """Write the network as Brian2's script reads it."""
    first = expanded.neurons[0]
    (s, joined) = (expanded.synapses[0], tables.joined[0])
    slot_of = {int(k): slot for slot, k in enumerate(tables.neuron_of) if k >= 0}
    row = tables.par[slot_of[0]]
    back = np.empty(len(s.pre))
    back[joined.ints[:, 2]] = joined.size  # from the order of neurons to that of synapses
    shared = {
        "c_inv": row[0], "d_0": row[2], "d_1": row[3], "g_0": row[4], "g_1": row[5],
        "v_th": first.v_th, "tau_s": TAU_S,
    }  # fmt: skip
    if leak == "mms":
        v_t = first.thermal_voltage
        shared |= {
            "v_on": first.leak.v_on, "v_t": v_t, "tau": first.leak.tau, "k": row[8],
        }  # fmt: skip
    np.savez(
        file, leak=leak, method=method, h=h, t_stop=T_STOP, t_ref=first.t_ref,
        i_0=[n.stimulus.amplitude for n in expanded.neurons], pre=s.pre, post=s.post, jump=back,
        delay=s.delay, shared=list(shared), **shared,
    )  # fmt: skip


def compare(expanded: Expanded, spikes: np.ndarray, answer: dict, h: float) -> str:
    """Return how far Brian2's spikes are from ours.

    It resets a neuron at the end of the step in which it fires, so that each spike is late by up to
    a step and each interval begins late by as much: the k-th spike is within k steps, but for what
    the synapses hand on.
    """
    (i, t) = (np.array(answer["i"], dtype=int), np.array(answer["t"]))
    same, worst, each, others = 0, 0.0, 0.0, 0
    for k in range(len(expanded.neurons)):
        (a, b) = (np.sort(spikes[spikes[:, 0] == k, 1]), np.sort(t[i == k]))
        if len(a) != len(b):
            others += 1
            continue
        same += 1
        late = np.abs(b - a) / h
        worst = max(worst, float(late.max(initial=0.0)))
        each = max(each, float((late / np.arange(1, len(late) + 1)).max(initial=0.0)))
    return (
        f"{same} neurons with as many spikes ({others} with others), worst {worst:.2f} steps, "
        f"{each:.2f} a spike"
    )


def agreement(python: str, n: int, m: int) -> None:
    """Print how Brian2's spikes of a smaller network come nearer to ours with its step."""
    for leak in ("mms", "resistor"):
        expanded = network(leak, n, m, 2, 0.5e-3)
        tables = ideal_tables(expanded, 1e-6, ())
        longest = float(expanded.synapses[0].delay.max())
        spikes = run_ideal(tables, expanded.neurons, expanded.names, (), longest, 1, None).spikes
        print(f"{leak}, {n} neurons, {m} synapses: {len(spikes)} spikes; ours at 1 us, Brian2 at")
        for h in (1e-6, 0.1e-6, 0.01e-6):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "network.npz"
                file_for_brian(expanded, tables, leak, "rk4", file, h)
                brian = Brian(python, file, 1)
                said = compare(expanded, spikes, brian.run(), h)
                print(f"  {1e6 * h:.2f} us: {said}", flush=True)
                brian.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brian", default=os.environ.get("SPICEALIF_BRIAN2", ""),
                        help="an interpreter with Brian2 (or SPICEALIF_BRIAN2)")  # fmt: skip
    parser.add_argument("--openmp", action="store_true", help="Brian2 on two threads, too")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--neurons", type=int, default=1000)
    parser.add_argument("--synapses", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--drive", type=float, default=0.5e-3, help="in A")
    parser.add_argument("--agreement", action="store_true", help="only how the spikes agree")
    given = parser.parse_args()
    if given.agreement:
        agreement(given.brian, 100, 1000)
        return
    for leak in ("mms", "resistor"):
        for m in given.synapses:
            expanded = network(leak, given.neurons, m, 1, given.drive)
            begin = time.perf_counter()
            tables = ideal_tables(expanded, 1e-6, ())
            prepared = time.perf_counter() - begin
            longest = float(expanded.synapses[0].delay.max())

            def ours(threads, tables=tables, expanded=expanded, longest=longest):
                begin, cpu = time.perf_counter(), time.process_time()
                outcome = run_ideal(
                    tables, expanded.neurons, expanded.names, (), longest, threads, None
                )
                return time.perf_counter() - begin, time.process_time() - cpu, outcome

            ours(1), ours(2)  # compiled
            brians = {}
            with tempfile.TemporaryDirectory() as folder:
                # RK4 as ours, and where the equations are linear Brian2's exact integration.
                methods = ["rk4"] if leak == "mms" else ["rk4", "exact"]
                if given.brian:
                    for method in methods:
                        for threads in (1, 2) if given.openmp else (1,):
                            file = Path(folder) / f"{method}.npz"
                            file_for_brian(expanded, tables, leak, method, file, tables.grid.h)
                            brians[method, threads] = Brian(given.brian, file, threads)
                times = {key: [] for key in [("ours", 1), ("ours", 2), *brians]}
                cpus = {key: [] for key in times}
                answers = {}
                for _ in range(given.runs):
                    for threads in (1, 2):
                        wall, cpu, outcome = ours(threads)
                        times["ours", threads].append(wall)
                        cpus["ours", threads].append(cpu)
                    for key, brian in brians.items():
                        answers[key] = brian.run()
                        times[key].append(answers[key]["loop"])
                        cpus[key].append(answers[key]["cpu"])
            print(f"{leak}, {given.neurons} neurons, {m} synapses, 2 ms at 1 us: "
                  f"{len(outcome.spikes)} spikes, {outcome.n_arrived} arrivals, "
                  f"preparation {prepared:.2f} s")  # fmt: skip
            best = statistics.median(times["ours", 2])
            for key, found in times.items():
                middle = statistics.median(found)
                extra = ""
                if key in brians:
                    extra = f"  build {brians[key].build:.0f} s; " + compare(
                        expanded, outcome.spikes, answers[key], tables.grid.h
                    )
                print(f"  {key[0]:6} {key[1]} threads: {1e3 * middle:8.1f} ms "
                      f"({1e3 * min(found):.1f} to {1e3 * max(found):.1f}; "
                      f"CPU {1e3 * statistics.median(cpus[key]):.1f}), "
                      f"{middle / best:5.2f} of ours on 2{extra}")  # fmt: skip
            for brian in brians.values():
                brian.close()
            sys.stdout.flush()


if __name__ == "__main__":
    main()

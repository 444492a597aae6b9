"""What spicealif costs beside ngspice: start-up, whole run, help, rendering.

All figures are CPU seconds of a whole process tree (user and system), medians of repeated runs
in one session, so that the ratios hold on a noisy machine.

Usage: python benchmarks/overhead.py [--repeat N] [--t-stop S]
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from spicealif import build_netlist, load_preset

FIRST_RESULT = """
from spicealif.cli._options import find_neuron
from spicealif.cli._start import without_scipy_blas
from spicealif.cosim import cosimulate
with without_scipy_blas():
    result = cosimulate(find_neuron('paper', ('t_stop={t_stop}',)))
print(result.comparison)
print('CPU', result.run.cost.cpu_s)
"""


def cpu_of(command: list[str], **variables: str) -> tuple[float, str]:
    """Run a command; return the CPU seconds of it and all it waited for, and its output.

    Variables are what its environment has besides ours.
    """
    # Python's own byte code cache belongs to "warm caches".
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= variables
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode:
        raise SystemExit(f"{command} failed:\n{text}")
    return usage.ru_utime + usage.ru_stime, text


def first_result(t_stop: float) -> tuple[float, float]:
    """Return CPU beyond ngspice's own up to the printed table, and ngspice's own."""
    cpu, text = cpu_of([sys.executable, "-c", FIRST_RESULT.format(t_stop=t_stop)])
    own = float(text.rsplit("CPU", 1)[1])
    return cpu - own, own


def whole_run(t_stop: float, figures: bool, program: str) -> tuple[float, float]:
    """Return CPU of ``spicealif run`` beyond ngspice's own, and ngspice's own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", "paper", "-s", f"t_stop={t_stop}", "-o", folder]
        cpu, text = cpu_of([*command, "--figures" if figures else "--no-figures"])
        own = float(re.search(r"([0-9.]+) s of CPU", text)[1])
    return cpu - own, own


def ngspice_alone(t_stop: float) -> float:
    """Return the CPU of the program ngspice on the same netlist."""
    with tempfile.TemporaryDirectory() as folder:
        build_netlist(load_preset("paper").replace(t_stop=t_stop)).write(folder)
        path = Path(folder)
        cpu, _ = cpu_of(
            ["ngspice", "-n", "-b", "-r", str(path / "o.raw"), str(path / "neuron.cir")],
            HOME=folder,  # without one ngspice dies
        )
    return cpu


def netlists_a_second() -> float:
    """Return how many different netlists are built a second of CPU, validation left out."""
    neurons = [load_preset("paper").replace(c=1e-7 * (1 + k / 1000)) for k in range(1000)]
    start = time.process_time()
    for neuron in neurons:
        _ = build_netlist(neuron).digest
    return len(neurons) / (time.process_time() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--t-stop", type=float, default=50e-3, help="length of the long runs in s")
    arguments = parser.parse_args()
    program = str(Path(sys.executable).with_name("spicealif"))
    first_result(1e-4)  # warm the caches
    cpu_of([program, "--help"])

    def median(values: list[float]) -> float:
        return statistics.median(values)

    helps = [cpu_of([program, "--help"])[0] for _ in range(2 * arguments.repeat)]
    starts = [first_result(1e-4)[0] for _ in range(arguments.repeat)]
    drawn = [whole_run(1e-4, True, program)[0] for _ in range(arguments.repeat)]
    print(f"spicealif --help                              {median(helps):8.3f} s")
    print(f"start-up to first result (table)              {median(starts):8.3f} s")
    print(f"start-up to everything written, with figures  {median(drawn):8.3f} s")
    rows = []
    for _ in range(max(1, arguments.repeat // 2)):
        rows.append(
            (
                ngspice_alone(arguments.t_stop),
                *first_result(arguments.t_stop),
                *whole_run(arguments.t_stop, True, program),
            )
        )
    alone, beyond_first, own_first, beyond_run, own_run = map(median, zip(*rows, strict=True))
    print(f"\npaper preset, {arguments.t_stop:g} s of circuit time")
    print(f"ngspice -b on the same netlist                {alone:8.3f} s")
    print(f"ngspice's own in the worker                   {own_first:8.3f} s, {own_run:.3f} s")
    first_share = (beyond_first - median(starts)) / own_first
    run_share = (beyond_run - median(drawn)) / own_run
    print(f"table: beyond ngspice and start-up            {first_share:8.1%}")
    print(f"all written: beyond ngspice and start-up      {run_share:8.1%}")
    print(f"\nnetlists a second                             {netlists_a_second():8.0f}")


if __name__ == "__main__":
    main()

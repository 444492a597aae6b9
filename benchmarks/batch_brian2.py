"""Brian2's side of ``batch_reference.py``: C++ standalone, RK4, spikes on the grid.

Reads the neurons from an ``.npz`` file, then runs once for each line of standard input and
answers with the CPU seconds of the run and the number of spikes.
"""

import resource
import sys
import tempfile

import brian2 as b2
import numpy as np

REDUCED = """
dv/dt = (i_in - m * (g_0 + g_1 * x)) * c_inv / second : 1
dx/dt = ((a + k) * (1 - x) - a * (1 + a) * x) / (tau * (1 + a) * (a + k)) / second : 1
m = v / (d_0 + d_1 * x) : 1
a = exp((v_on - m) / v_t) : 1
"""
AS_WRITTEN = """
dv/dt = (i_in - v / (r + r_s)) * c_inv / second : 1
dx/dt = (s_on * (1 - x) - (1 - s_off) * x) / tau / second : 1
m = v * r / (r + r_s) : 1
r = 1 / (x / r_on + (1 - x) / r_off) : 1
s_on = 1 / (1 + exp(-(m - v_on) / v_t)) : 1
s_off = 1 / (1 + exp(-(m + v_off) / v_t)) : 1
"""
COMMON = """
i_in = i_on * int((t / second) % 1e-3 < 0.5e-3 - 1e-9) : 1
c_inv : 1 (constant)
tau : 1 (constant)
v_th : 1 (constant)
"""
SHARED = {
    "reduced": ("g_0", "g_1", "d_0", "d_1", "k", "v_on", "v_t", "i_on"),
    "as written": ("r_on", "r_off", "r_s", "v_on", "v_off", "v_t", "i_on"),
}


def main() -> None:
    data = np.load(sys.argv[1])
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs["codegen.cpp.extra_compile_args_gcc"] = ["-O3", "-march=native", "-ffast-math"]
    b2.defaultclock.dt = float(data["h"]) * b2.second
    form = sys.argv[2]
    shared = {name: float(data[name]) for name in SHARED[form]}
    group = b2.NeuronGroup(
        len(data["c_inv"]),
        (REDUCED if form == "reduced" else AS_WRITTEN) + COMMON,
        threshold="m >= v_th",
        reset="v = 0",
        method="rk4",
        namespace=shared,
    )
    for name in ("c_inv", "tau", "v_th"):
        setattr(group, name, data[name])
    monitor = b2.SpikeMonitor(group, record=False)
    b2.run(float(data["t_stop"]) * b2.second)
    with tempfile.TemporaryDirectory() as folder:
        b2.device.build(directory=folder, compile=True, run=False)
        for _ in sys.stdin:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            b2.device.run(folder, with_output=False, run_args=None)
            spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            print(spent, int(np.sum(monitor.count[:])), flush=True)


if __name__ == "__main__":
    main()

"""Brian2's side of ``network_reference.py``: C++ standalone, spikes on the grid.

Run by an interpreter that has Brian2. Reads the network from an ``.npz`` file, then runs once for
each line of standard input and answers with the CPU and wall seconds of the run's loop, which leave
out that Brian2 makes and compiles its C++, and with its spikes.
"""

import json
import resource
import sys
import tempfile
import time

import brian2 as b2
import numpy as np

EQUATIONS = {
    "mms": """
dv/dt = (i_0 + i_s - m * (g_0 + g_1 * x)) * c_inv / second : 1 {held}
dx/dt = ((a + k) * (1 - x) - a * (1 + a) * x) / (tau * (1 + a) * (a + k)) / second : 1
di_s/dt = -i_s / tau_s / second : 1
m = v / (d_0 + d_1 * x) : 1
a = exp((v_on - m) / v_t) : 1
""",
    "resistor": """
dv/dt = (i_0 + i_s - v / d_0 * g_0) * c_inv / second : 1 {held}
di_s/dt = -i_s / tau_s / second : 1
m = v / d_0 : 1
""",
}
COMMON = """
i_0 : 1 (constant)
"""


def main() -> None:
    data = np.load(sys.argv[1])
    threads = int(sys.argv[2])
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs["codegen.cpp.extra_compile_args_gcc"] = ["-O3", "-march=native", "-ffast-math"]
    b2.prefs["devices.cpp_standalone.openmp_threads"] = threads
    b2.defaultclock.dt = float(data["h"]) * b2.second
    leak, method = str(data["leak"]), str(data["method"])
    shared = {name: float(data[name]) for name in data["shared"]}
    refractory = float(data["t_ref"])
    group = b2.NeuronGroup(
        len(data["i_0"]),
        EQUATIONS[leak].format(held="(unless refractory)" if refractory else "") + COMMON,
        threshold="m >= v_th",
        reset="v = 0",
        refractory=refractory * b2.second if refractory else False,
        method=method,
        namespace=shared,
    )
    group.i_0 = data["i_0"]
    synapses = b2.Synapses(group, group, "w : 1", on_pre="i_s_post += w")
    synapses.connect(i=data["pre"], j=data["post"])
    synapses.w = data["jump"]
    synapses.delay = data["delay"] * b2.second
    monitor = b2.SpikeMonitor(group)
    b2.run(float(data["t_stop"]) * b2.second)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        b2.device.build(directory=folder, compile=True, run=False)
        print(json.dumps({"build": time.perf_counter() - begin}), flush=True)
        for _ in sys.stdin:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            begin = time.perf_counter()
            b2.device.run(folder, with_output=False, run_args=None)
            wall = time.perf_counter() - begin
            spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            answer = {
                "cpu": spent, "wall": wall, "loop": float(b2.device._last_run_time),
                "i": np.asarray(monitor.i[:]).tolist(),
                "t": np.asarray(monitor.t[:] / b2.second).tolist(),
            }  # fmt: skip
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

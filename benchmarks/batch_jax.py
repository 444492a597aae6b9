"""JAX's side of ``batch_reference.py``: one compiled loop, RK4, spikes on the grid.

Reads the neurons from an ``.npz`` file, then runs once for each line of standard input and
answers with the CPU seconds of the run and the number of spikes.
"""

import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def main() -> None:
    data = dict(np.load(sys.argv[1]))
    (h, i_on, v_on, v_t) = (float(data[n]) for n in ("h", "i_on", "v_on", "v_t"))
    (g_0, g_1, d_0, d_1, k) = (float(data[n]) for n in ("g_0", "g_1", "d_0", "d_1", "k"))
    (c_inv, tau, v_th) = (jnp.asarray(data[n]) for n in ("c_inv", "tau", "v_th"))
    steps = round(float(data["t_stop"]) / h)
    (period, on) = (round(1e-3 / h), round(0.5e-3 / h))

    (v_off, r_on, r_off, r_s) = (float(data[n]) for n in ("v_off", "r_on", "r_off", "r_s"))

    def as_written(v, x, i):
        r = 1 / (x / r_on + (1 - x) / r_off)
        m = v * r / (r + r_s)
        s_on = 1 / (1 + jnp.exp(-(m - v_on) / v_t))
        s_off = 1 / (1 + jnp.exp(-(m + v_off) / v_t))
        return (i - v / (r + r_s)) * c_inv, (s_on * (1 - x) - (1 - s_off) * x) / tau

    def reduced(v, x, i):
        m = v / (d_0 + d_1 * x)
        a = jnp.exp((v_on - m) / v_t)
        dx = ((a + k) * (1 - x) - a * (1 + a) * x) / (tau * (1 + a) * (a + k))
        return (i - m * (g_0 + g_1 * x)) * c_inv, dx

    rates = reduced if sys.argv[2] == "reduced" else as_written

    def step(n, state):
        (v, x, energy, count) = state
        i = jnp.where(n % period < on, i_on, 0.0)
        (kv_1, kx_1) = rates(v, x, i)
        (v_2, x_2) = (v + 0.5 * h * kv_1, x + 0.5 * h * kx_1)
        (kv_2, kx_2) = rates(v_2, x_2, i)
        (v_3, x_3) = (v + 0.5 * h * kv_2, x + 0.5 * h * kx_2)
        (kv_3, kx_3) = rates(v_3, x_3, i)
        (v_4, x_4) = (v + h * kv_3, x + h * kx_3)
        (kv_4, kx_4) = rates(v_4, x_4, i)
        energy = energy + h / 6 * i * (v + 2 * (v_2 + v_3) + v_4)
        v = v + h / 6 * (kv_1 + 2 * (kv_2 + kv_3) + kv_4)
        x = x + h / 6 * (kx_1 + 2 * (kx_2 + kx_3) + kx_4)
        fires = v >= v_th * (d_0 + d_1 * x)
        return jnp.where(fires, 0.0, v), x, energy, count + fires

    zero = jnp.zeros(len(c_inv))
    start = (zero, zero, zero, jnp.zeros(len(c_inv), dtype=jnp.int64))
    run = jax.jit(lambda state: jax.lax.fori_loop(0, steps, step, state))
    jax.block_until_ready(run(start))
    for _ in sys.stdin:
        before = time.process_time()
        count = jax.block_until_ready(run(start))[3]
        print(time.process_time() - before, int(count.sum()), flush=True)


if __name__ == "__main__":
    main()

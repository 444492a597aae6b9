"""What a sample of a reservoir costs: seconds of CPU, by backend and size.

Run it with ``python benchmarks/reservoir.py``.
"""

from __future__ import annotations

import time

from sklearn.datasets import load_digits

from spicealif.learning import AlifReservoir


def cost(reservoir: AlifReservoir, samples: int) -> float:
    x, _ = load_digits(return_X_y=True)
    reservoir.fit(x)
    if reservoir.backend == "reference":
        reservoir.transform(x[-1:])  # compiled, or loaded
    start = time.process_time()
    reservoir.transform(x[:samples])
    return (time.process_time() - start) / samples


def main() -> None:
    kinds = [
        *((f"ideal, {n} neurons", {"n_neurons": n}, 20) for n in (20, 50, 100)),
        ("schmitt", {"variant": "schmitt"}, 2),
        ("equations", {"backend": "equations"}, 1),
        ("ideal, crossbar", {"input": "crossbar", "encoding": "rate"}, 10),
    ]
    for name, parameters, samples in kinds:
        reservoir = AlifReservoir(**parameters, cache=None)
        seconds = cost(reservoir, samples)
        print(f"{name:20} {seconds:8.4f} s  ({reservoir.network_.n_synapses} synapses)")


if __name__ == "__main__":
    main()

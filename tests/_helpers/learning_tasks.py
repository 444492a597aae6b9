"""A task that is over in moments: 30 samples of three features, in two classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spicealif.learning import Task

__all__ = ["small_task"]


def small_task(folder: Path, **changes: Any) -> Task:
    """Write the samples into a folder; return the task, with some values changed."""
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], 15)
    x = rng.normal(size=(30, 3)) + 2.0 * y[:, None]
    np.savez(folder / "small.npz", X=x, y=y)
    task = Task.from_dict(
        {
            "name": "small",
            "readouts": ["ridge"],
            "baselines": ["k-nn"],
            "seeds": 4,
            "inner_folds": 3,
            "data": {"source": str(folder / "small.npz"), "folds": 2},
            "bank": {"duration": "2m", "features": ["count", "t_first"]},
        }
    )
    return task.replace(changes)

"""How the banks of the shipped tasks were chosen: folds within training samples alone.

Usage: choose_banks.py [TASK ...]. For each task the training samples are those of its first split
(at most 1,000 of them); no test sample of that split is looked at. (Test samples of other splits
are among them, so that accuracies over all splits may be slightly too good, for the stage and for
its control alike.) Of all banks of a small grid the one with the fewest features is taken whose
accuracy with ridge is within one point of the best; of several with as few the best.
"""

from __future__ import annotations

import itertools
import sys
import warnings

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spicealif.learning import AlifBank, load_dataset, load_task, split_of, task_names

SPREAD = {"leak.tau": ("0.5m", "20m"), "c": ("50n", "200n")}
SERIES = {
    "encoding": ("series",), "duration": ("10m",), "polarity": ("offset", "split"),
    "windows": (1, 4, 12), "i_low": (0.0, "0.2m"), "i_high": ("1m", "2m"),
    "neurons_per_input": (1, 4), "features": (("count", "x_last"),),
}  # fmt: skip
FEATURES = {
    "encoding": ("amplitude",), "duration": ("4m", "8m"), "i_low": (0.0, "0.2m"),
    "i_high": ("1m", "2m"), "neurons_per_input": (1, 4),
    "features": (("count",), ("count", "x_last"), ("count", "t_first")),
}  # fmt: skip
ROWS = {
    "encoding": ("steps",), "duration": ("2m", "8m"), "i_low": (0.0, "0.2m"),
    "i_high": ("1m", "2m"), "windows": (8,), "features": (("count", "x_last"),),
}  # fmt: skip
#: Of digits so many features at most.
MOST = {"digits": 72, "digits-rows": 72}


def main() -> None:
    """Try every bank of the grid and print the best ones and the choice."""
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or task_names():
        task = load_task(name)
        data = load_dataset(task.data.source)
        train = split_of(task, data, 0).train
        if len(train) > 1000:
            train = train_test_split(
                train, train_size=1000, random_state=0, stratify=data.y[train]
            )[0]  # fmt: skip
        x, y = data.x[train], data.y[train]
        folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
        ridge = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-3, 3, 13)))
        raw = 100 * cross_val_score(ridge, x.reshape(len(x), -1), y, cv=folds).mean()
        grid = ROWS if name == "digits-rows" else SERIES if data.kind == "series" else FEATURES
        found = []
        for values in itertools.product(*grid.values()):
            chosen = dict(zip(grid, values, strict=True))
            if chosen.get("neurons_per_input", 1) > 1:
                chosen["spread"] = SPREAD
            f = AlifBank(**chosen, n_jobs=-1).fit_transform(x)
            if f.shape[1] > MOST.get(name, 10_000):
                continue
            accuracy = 100 * cross_val_score(ridge, f, y, cv=folds).mean()
            found.append((round(accuracy, 2), f.shape[1], str(chosen)))
        best = max(a for a, _, _ in found)
        accuracy, width, text = min(
            (c for c in found if c[0] >= best - 1), key=lambda c: (c[1], -c[0])
        )
        print(f"{name}: {len(x)} samples, raw {raw:.1f} %, best {best:.1f} % of {len(found)} banks")
        print(f"    chosen: {accuracy:.1f} %, {width} features, {text}", flush=True)


if __name__ == "__main__":
    main()

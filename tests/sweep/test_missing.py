"""What is missing is computed and kept, each result as it comes, whoever asks for it."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from spicealif.errors import SpicealifWarning
from spicealif.sweep import Store
from spicealif.sweep.missing import compute_missing, opened
from spicealif.sweep.worker import OK, PASSING, Job, Settings

SETTINGS = Settings("both", "both", "ideal", "equations", None, False, "", "squares")
KEYS = {f"{k:064x}": k for k in range(6)}
GATE = threading.Event()


@dataclass(frozen=True)
class Squares(Job):
    """Squares; 4 fails, 5 fails for the machine's trouble, and 3 waits where it is told to."""

    def evaluate(self):
        out = []
        for _, point in self.points:
            x = point["x"]
            if x == 3:
                GATE.wait(60)
            value = {"status": "ERROR" if x > 3 else OK, "reason": "", "experiment": "squares"}
            out.append(value | ({PASSING: True} if x == 5 else {}) | {"square": x * x})
        return out


def jobs(missing):
    assert missing, "nothing is missing"
    return (Squares("", SETTINGS, ((key, {"x": k}),)) for key, k in missing.items())


def compute(values, store, progress=None, asked=KEYS):
    with ThreadPoolExecutor(1) as executor:
        try:
            compute_missing(asked, values, store, jobs, executor=executor, progress=progress)
        finally:
            GATE.set()


@pytest.fixture(autouse=True)
def _open_gate():
    GATE.set()


def test_each_point_is_computed_once_and_failures_are_counted(tmp_path):
    seen = []
    with opened(tmp_path) as store:
        values = store.find(set())
        compute(values, store, lambda *told: seen.append(told))
        assert {key: value["square"] for key, value in values.items()} == {
            key: k * k for key, k in KEYS.items()
        }
        assert (seen[0], seen[-1]) == ((0, 6, 0), (6, 6, 2))
        compute(values, store)  # asks for no jobs
        kept = store.find(set(KEYS))
        assert sorted(value["square"] for value in kept.values()) == [0, 1, 4, 9, 16]
        assert all(PASSING not in value for value in [*kept.values(), *values.values()])
        good = store.find(set(KEYS), failed=False)
        assert sorted(value["square"] for value in good.values()) == [0, 1, 4, 9]


def test_what_was_done_before_an_interrupt_is_kept(tmp_path):
    GATE.clear()

    def press(done, total, failed):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), opened(tmp_path) as store:
        compute({}, store, press)
    assert sorted(v["square"] for v in Store(tmp_path).find(set(KEYS)).values()) == [0, 1, 4]


def test_a_store_that_fills_up_is_told_of_at_once_and_once(tmp_path, monkeypatch):
    GATE.clear()
    with opened(tmp_path) as store, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", SpicealifWarning)
        lines = []

        def append(line):
            lines.append(line)
            if len(lines) > 1:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(store._own, "_append", append)
        counts = []

        def look(done, total, failed):
            counts.append((done, len(told)))
            if done == 3:
                GATE.set()

        values = {}
        compute(values, store, look)
        assert len(values) == 6, "what cannot be kept is computed all the same"
    assert (3, 1) in counts, "told while the others are computed"
    assert [str(one.message) for one in told] == [store.trouble]
    assert "No space left" in store.trouble


def test_a_store_that_is_given_stays_open(tmp_path):
    store = Store(tmp_path)
    with opened(store) as same:
        assert same is store
        compute({}, same, asked=dict([next(iter(KEYS.items()))]))
    assert store._own._file is not None
    store.close()

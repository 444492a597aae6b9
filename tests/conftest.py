"""What several test files need."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_runs import SharedRuns

from spicealif import Neuron, load_preset
from spicealif._support.cache import cache_folder

# Some machines tell Python to keep nothing compiled. Then each process of hundreds compiles the
# package anew, which is a third of what a short command takes, and pytest every test.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell without job control has what it starts in the background ignore Ctrl-C, and so do all whom
# that starts. The tests send it, to programs and to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests, and the programs they start, away from the user's cache.

    Compiled functions are kept over the sessions, or each would compile for minutes; they are found
    by what they are made of.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "NUMBA_CACHE_DIR" not in os.environ:
            patch.setenv("NUMBA_CACHE_DIR", str(cache_folder() / "tests"))
        patch.setenv("SPICEALIF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Let files get to the disk when they do: what a crash of the machine leaves is not tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Put back what signals do: a command that a test runs as a program ends with its handlers.

    A signal that a later test sends to itself would then end the whole process.
    """
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def paper() -> Neuron:
    """Return the paper's neuron."""
    return load_preset("paper")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the top of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def plain_folder() -> Iterator[Path]:
    """Return a folder whose path has neither a blank nor a quote, whatever TMPDIR is.

    It is for what cannot be quoted: the commands of ngspice's own language, and xvfb-run.
    """
    with tempfile.TemporaryDirectory(prefix="plain-", dir="/tmp") as name:
        yield Path(name).resolve()


@pytest.fixture(scope="session")
def shared_runs(tmp_path_factory: pytest.TempPathFactory) -> SharedRuns:
    """Return the runs that the whole session has in common."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which is of all workers
    (folder / "shared-runs").mkdir(exist_ok=True)
    return SharedRuns(folder / "shared-runs")

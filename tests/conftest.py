"""What several test files need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spicealif import Neuron, load_preset
from spicealif._cache import cache_folder


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


@pytest.fixture(scope="session")
def paper() -> Neuron:
    """Return the paper's neuron."""
    return load_preset("paper")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the top of the checkout."""
    return Path(__file__).resolve().parent.parent

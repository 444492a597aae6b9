"""What several test files need."""

from __future__ import annotations

from pathlib import Path

import pytest

from spicealif import Neuron, load_preset


@pytest.fixture(scope="session")
def paper() -> Neuron:
    """Return the paper's neuron."""
    return load_preset("paper")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the top of the checkout."""
    return Path(__file__).resolve().parent.parent

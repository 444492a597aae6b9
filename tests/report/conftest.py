"""Results that the tests of reports have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from spicealif import certify, explain, load_preset
from spicealif.analysis.attribution import GapBudget
from spicealif.analysis.certificate import Certificate


@pytest.fixture(scope="package")
def certificate() -> Certificate:
    """Return 3 ms of the paper's neuron, by the circuit's equations."""
    return certify(load_preset("paper").replace(t_stop=3e-3), "equations")


@pytest.fixture(scope="package")
def budget(certificate: Certificate) -> GapBudget:
    return explain(certificate.neuron, "equations", orders=3, measures=("isi_mean", "isi_growth"))


@pytest.fixture(scope="package")
def saved(
    certificate: Certificate, budget: GapBudget, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a folder with a run, its certificate and its budget; not to be written into."""
    folder = tmp_path_factory.mktemp("report") / "run"
    certificate.save(folder, interpolation_error=1e-4)
    budget.save(folder)
    return folder

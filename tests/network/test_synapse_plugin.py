"""A kind of synapse of another package, found through its entry point."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from spicealif.errors import DesignError
from spicealif.network import SYNAPSES, CurrentSynapse, Network, expand, network_schema
from spicealif.network.synapses import load_synapse, registry

CODE = '''
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from pydantic import Field
from spicealif.design._base import Ohm
from spicealif.network import Synapse


class GapJunction(Synapse):
    """A resistor both ways: i = (v_pre - v_post) / r."""

    title: ClassVar[str] = "gap junction"
    weights: ClassVar[Mapping[str, str]] = {"resistance": "r"}
    kind: Literal["gap"] = "gap"
    r: Ohm = Field(gt=0, description="resistance in ohm")

    def initial(self, v_pre, v_post):
        return ()

    def coefficients(self, values, thermal_voltage):
        return (1.0 / values.get("r", self.r),)

    @staticmethod
    def equations(v_pre, v_post, s, q, out, current, rate, room):
        out[0] = q[0] * (v_pre - v_post)
        out[1] = q[0]
        out[2] = out[0]
        out[3] = 0.0
        out[4] = 0.0


class Half(Synapse):
    kind: Literal["half"] = "half"


NONE = None
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package that is installed by hand."""
    monkeypatch.syspath_prepend(str(tmp_path))
    info = tmp_path / "spicealif_gap-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spicealif-gap\nVersion: 1.2\n")
    entries = [
        "gap = spicealif_gap:GapJunction", "half = spicealif_gap:Half",
        "none = spicealif_gap:NONE", "other = spicealif_gap:GapJunction",
        "nowhere = spicealif_gap_nowhere:X", "diode = spicealif_gap:GapJunction",
    ]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(["[spicealif.synapses]", *entries, ""]))
    package = tmp_path / "spicealif_gap"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text(CODE)
    (package / "templates" / "synapse_gap.cir.j2").write_text("* gap\n")
    fresh(monkeypatch)
    yield package
    sys.modules.pop("spicealif_gap", None)
    load_synapse.cache_clear()


def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for packages anew, as a new process does."""
    monkeypatch.delitem(registry.ADDED.__dict__, "found", raising=False)
    load_synapse.cache_clear()
    sys.modules.pop("spicealif_gap", None)


def network(**synapse: object) -> Network:
    return Network.from_dict(
        {
            "populations": [{"name": "a", "neuron": "lif", "size": 2}],
            "projections": [
                {"source": "a", "target": "a", "synapse": {"kind": "gap", **synapse},
                 "connector": {"kind": "all-to-all"}, "resistance": ["1k", "2k"]},
            ],
            "t_stop": 1e-3,
        }
    )  # fmt: skip


def test_a_packages_kind_stands_wherever_ours_do(place: Path):
    assert "gap" in SYNAPSES
    one = network()
    (synapses,) = expand(one).synapses
    assert synapses.values["r"].tolist() == [1e3, 2e3]
    q = synapses.synapse.coefficients(synapses.values, 0.0257)
    out = np.zeros(5)
    synapses.synapse.equations(3.0, 1.0, (), [q[0][1]], out, None, None, np.zeros(3))
    assert out[:3].tolist() == [1e-3, 5e-4, 1e-3]
    assert Network.from_dict(one.to_dict()) == one
    assert one.replace({"projections.0.resistance": 5e3}).projections[0].resistance == 5e3
    schema = network_schema()
    assert "GapJunction" in schema["$defs"]
    assert schema["$defs"]["GapJunction"]["properties"]["r"]["exclusiveMinimum"] == 0


def test_what_is_wrong_with_it_is_said_as_of_ours(place: Path):
    with pytest.raises(DesignError, match=r"In the synapse of kind 'gap', unknown key 'x'"):
        network(x=1)
    with pytest.raises(DesignError, match="kind 'gap' has no sign"):
        network().replace({"projections.0.sign": -1})
    with pytest.raises(DesignError, match="takes no weight as charge; give it as resistance"):
        network().replace({"projections.0.charge": 1e-9, "projections.0.resistance": None})
    with pytest.raises(
        DesignError, match=r"no kind of synapse 'nothing'; choose one of diode.* gap"
    ):
        network(kind="nothing")


def test_broken_ones_are_named_and_break_nothing_else(place: Path):
    for name, words in {
        "half": "has no ",
        "none": "is no subclass of spicealif.network.Synapse but None",
        "other": "announced under another name than its kind",
        "nowhere": "cannot be loaded (ModuleNotFoundError",
    }.items():
        with pytest.raises(DesignError) as caught:
            load_synapse(name)
        assert words in str(caught.value)
        assert "spicealif-gap 1.2" in str(caught.value)
    assert load_synapse("diode").__module__.startswith("spicealif.")
    assert list(SYNAPSES) == ["diode", "memristor", "current", "crossbar", "gap"]
    (place / "templates" / "synapse_gap.cir.j2").unlink()
    load_synapse.cache_clear()
    with pytest.raises(DesignError, match=r"has no template synapse_gap\.cir\.j2"):
        load_synapse("gap")


def test_a_new_version_of_the_package_is_another_digest(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    digests = []
    for change in ("", "# a change\n", ""):
        (place / "__init__.py").write_text(CODE + change)
        fresh(monkeypatch)
        digests.append(network().digest)
    assert digests[0] == digests[2] != digests[1]
    # and of its template
    (place / "templates" / "synapse_gap.cir.j2").write_text("* another\n")
    assert network().digest not in digests


def test_a_kind_that_is_not_installed_is_told():
    with pytest.raises(DesignError, match="'gap' is not a kind of"):
        network()
    assert CurrentSynapse.template_folder().name == "base"

"""What reports are made of, wherever it came from: a result in memory or its files.

Saved and live results meet in plain figures: a certificate and a budget are here what their
`to_dict` gives, which is what their JSON files hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from spicealif.design import Neuron
from spicealif.measures.comparison import Comparison
from spicealif.waveforms import Waveforms

if TYPE_CHECKING:
    import xarray as xr

    from spicealif.fit import FitResult
    from spicealif.learning import CircuitStudy, StudyResult
    from spicealif.propose import Proposal

__all__ = [
    "BudgetMaterial",
    "CircuitStudyMaterial",
    "FitMaterial",
    "Json",
    "Material",
    "NetlistText",
    "ProposalMaterial",
    "RunMaterial",
    "StudyMaterial",
    "SweepMaterial",
]

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class NetlistText:
    """A netlist, and what is known of it.

    Attributes
    ----------
    text : str
    remark : str
        Whether it is the one that ran, in a sentence.
    """

    text: str
    remark: str


@dataclass(frozen=True, eq=False)
class RunMaterial:
    """A run of one side or of both.

    Attributes
    ----------
    neuron : Neuron
    circuit, reference : Waveforms or None
    comparison : Comparison or None
        With the numerical error of the circuit's figures where it is known.
    certificate, budget : dict or None
        As their `to_dict`.
    netlist : NetlistText or None
    origin : dict
        As ``provenance.json`` has it; empty if that is not known.
    digests : list of (str, str)
        Names of what the report was made of, and SHA-256.
    commands : list of (str, str)
        Sentence and command: how all of it is made again.
    missing : dict of str to str
        By the name of a section, why it is not there or not whole.
    folder : str
        Where it was saved; empty if it was not.
    """

    neuron: Neuron
    circuit: Waveforms | None = None
    reference: Waveforms | None = None
    comparison: Comparison | None = None
    certificate: Json | None = None
    budget: Json | None = None
    netlist: NetlistText | None = None
    origin: Json = field(default_factory=dict)
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    folder: str = ""


@dataclass(frozen=True, eq=False)
class BudgetMaterial:
    """A gap budget without the run.

    Attributes
    ----------
    budget : dict
    neuron : Neuron or None
        None if it was saved by a version that did not say.
    digests, commands : list of (str, str)
    """

    budget: Json
    neuron: Neuron | None
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class SweepMaterial:
    """A sweep.

    Attributes
    ----------
    dataset : xarray.Dataset
    neuron : Neuron or None
        The design that is varied; None if the file does not say.
    digests, commands : list of (str, str)
    """

    dataset: xr.Dataset
    neuron: Neuron | None
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class FitMaterial:
    """A fit.

    Attributes
    ----------
    data : dict
        As `FitResult.to_dict`, or as much of it as a device's file keeps.
    result : FitResult or None
        What its figures are drawn of; None where no traces were kept.
    device : str
        The device's TOML; empty if it describes no loop.
    digests, commands : list of (str, str)
    why : str
        Why there are no traces.
    """

    data: Json
    result: FitResult | None
    device: str = ""
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, eq=False)
class ProposalMaterial:
    """A proposal, and the run of its reference.

    Attributes
    ----------
    proposal : Proposal
    run : RunMaterial
    """

    proposal: Proposal
    run: RunMaterial


@dataclass(frozen=True, eq=False)
class StudyMaterial:
    """A study of learning.

    Attributes
    ----------
    result : StudyResult
    digests, commands : list of (str, str)
    """

    result: StudyResult
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class CircuitStudyMaterial:
    """A study of what a circuit keeps of a readout.

    Attributes
    ----------
    result : CircuitStudy
    digests, commands : list of (str, str)
    """

    result: CircuitStudy
    digests: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)


Material: TypeAlias = (
    RunMaterial
    | BudgetMaterial
    | SweepMaterial
    | FitMaterial
    | ProposalMaterial
    | StudyMaterial
    | CircuitStudyMaterial
)

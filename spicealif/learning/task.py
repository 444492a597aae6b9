"""The description of a study: data, splits, bank, readouts and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from spicealif._support.cache import digest_of
from spicealif._support.described import Described
from spicealif._support.text import counted
from spicealif.design import Neuron, preset_names
from spicealif.design._base import Ampere, Count, Part, Second
from spicealif.errors import DesignError, LearningError
from spicealif.learning._names import SERIES_ONLY, Baseline, Readout, method_names
from spicealif.learning.bank_checks import check_description
from spicealif.learning.datasets import Dataset, load_dataset

__all__ = ["Bank", "Data", "Task"]

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=64)]
#: Encodings that take a series.
_OF_SERIES = ("series", "steps")


class Data(Part):
    """What is classified, and how it is split.

    Attributes
    ----------
    source : str
        A data set that comes with a package (`dataset_names`), or the path of a file.
    split : {"folds", "resamples"}
        "folds": stratified k-fold, repeated. "resamples": seed 0 is the data set's own split, each
        further seed a stratified resample of the same sizes, as studies of the time-series archive
        do.
    folds : int
        Of "folds".
    label : str, optional
        The column of the classes in a CSV file.
    drop : tuple of str
        Columns of a CSV file that are no features.
    """

    source: str = Field(min_length=1, description="a data set's name, or the path of a file")
    split: Literal["folds", "resamples"] = Field(
        default="folds",
        description="folds: repeated stratified k-fold; resamples: the data set's own split, then "
        "stratified resamples of its sizes",
    )
    folds: Count = Field(default=5, ge=2, le=100, description="of the split folds")
    label: str | None = Field(default=None, description="column of the classes in a CSV file")
    drop: tuple[str, ...] = Field(default=(), description="columns that are no features")


def _neuron(value: Any) -> Any:
    """Take a mapping as a neuron's table, which may start from a preset."""
    from spicealif.design.store import from_table

    if isinstance(value, Mapping):
        return from_table(dict(value))
    if isinstance(value, str) and value not in preset_names():
        raise DesignError(
            f"neuron = {ascii(value)} is no preset ({', '.join(preset_names())}); give a preset's "
            "name or a table (a path is possible in a task's file)."
        )
    return value


class Bank(Part):
    """The bank of neurons; what each value means is told by `AlifBank`.

    Attributes
    ----------
    random_state : int, optional
        Of the neurons' spread. If not given it is the seed of the split, so that the intervals hold
        over banks that are drawn anew.
    """

    neuron: Annotated[str | Neuron, BeforeValidator(_neuron)] = Field(
        default="paper", description="a preset, the path of a neuron's TOML file, or a table"
    )
    encoding: Literal["amplitude", "rate", "first-spike", "series", "steps"] = "amplitude"
    duration: Second = Field(default=8e-3, gt=0, description="length of a sample's run in s")
    i_low: Ampere = Field(default=0.0, description="current of the least value in A")
    i_high: Ampere = Field(default=1e-3, description="current of the largest value in A")
    input_range: tuple[float, float] | None = Field(
        default=None, description="least and largest value [default: those of the training data]"
    )
    polarity: Literal["offset", "split"] = Field(
        default="offset", description="split: values above and below 0 drive neurons of their own"
    )
    neurons_per_input: Count = Field(default=1, ge=1)
    n_neurons: Count | None = Field(default=None, ge=1)
    spread: dict[str, tuple[float | str, float | str]] | None = Field(
        default=None, description="least and largest value of neurons' parameters"
    )
    tolerances: Literal["default"] | None = None
    draw: Count = Field(default=0, ge=0, description="which prototype the tolerances draw")
    features: tuple[Literal["count", "t_first", "isi_mean", "x_last", "energy"], ...] = Field(
        default=("count",), min_length=1
    )
    windows: Count = Field(default=1, ge=1, description="counts in so many equal windows")
    backend: Literal["reference", "equations", "ngspice", "ltspice"] = "reference"
    variant: Literal["ideal", "schmitt"] = "ideal"
    rtol: float | None = None
    random_state: Count | None = Field(default=None, ge=0)

    def arguments(self, seed: int) -> dict[str, Any]:
        """Return what `AlifBank` is made with for a split's seed."""
        out = {name: getattr(self, name) for name in type(self).model_fields}
        if out["random_state"] is None:
            out["random_state"] = seed
        return out

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_description(self.arguments(0))
        return self


class Task(Described, Part):
    """A study: what is classified, by which methods, and over which splits.

    Attributes
    ----------
    name : str
    description, source : str
        For people.
    data : Data
    bank : Bank
    readouts : tuple of {"ridge", "logistic", "svm"}
        Each reads the samples as they are ("raw"), the bank ("alif"), and the bank whose neurons do
        not adapt ("lif").
    baselines : tuple of str
        Classical methods beside it: "rbf-svm", "random-forest", "k-nn", "mlp", and for series
        "minirocket", "rocket", "1nn-dtw".
    seeds : int
        Splits for each method. Of folds seed k is fold ``k % folds`` of repetition ``k // folds``.
    inner_folds : int
        Folds within the training data, by which a method's own parameters are chosen.

    Raises
    ------
    DesignError
        If a value makes no sense.

    Examples
    --------
    >>> task = load_task("digits-rows")
    >>> task.replace({"bank.duration": "4m"}).bank.duration
    0.004
    """

    name: _Name = Field(description="letters, digits, underscores and hyphens")
    description: str = Field(default="", max_length=2000, description="for people")
    source: str = Field(default="", max_length=2000, description="where the values come from")
    readouts: tuple[Readout, ...] = Field(default=("ridge", "logistic", "svm"), min_length=1)
    baselines: tuple[Baseline, ...] = Field(default=("rbf-svm", "random-forest", "k-nn", "mlp"))
    seeds: Count = Field(default=10, ge=1, le=1000, description="splits for each method")
    inner_folds: Count = Field(default=5, ge=2, le=20, description="within the training data")
    data: Data = Field(description="what is classified, and how it is split")
    bank: Bank = Field(default_factory=Bank, description="the bank of neurons")

    @property
    def methods(self) -> list[str]:
        """Names of all methods of the study."""
        return method_names(self.readouts, self.baselines)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result but the data, as hexadecimal text."""
        data = self.to_dict()
        for key in ("name", "description", "source", "seeds", "readouts", "baselines"):
            data.pop(key, None)
        return digest_of(data)

    def load_data(self) -> Dataset:
        """Return the data set.

        Raises
        ------
        LearningError
            If it cannot be read, or is not what the bank or a method asks for.
        """
        kind: Literal["features", "series"] = (
            "series" if self.bank.encoding in _OF_SERIES else "features"
        )
        from spicealif.learning.datasets import dataset_names

        own = self.data.source not in dataset_names()
        found = load_dataset(
            self.data.source, label=self.data.label, drop=self.data.drop, kind=kind if own else None
        )
        if found.kind != kind:
            raise LearningError(
                f"{found.name} has {found.kind}, and the bank's encoding {self.bank.encoding} "
                f"takes {kind}; choose an encoding for {found.kind}."
            )
        if found.kind == "features" and (bad := SERIES_ONLY & set(self.baselines)):
            raise LearningError(
                f"{', '.join(sorted(bad))} take series, and {found.name} has features; leave them "
                "out of baselines."
            )
        if self.data.split == "resamples" and found.split is None:
            raise LearningError(
                f"{found.name} has no split of its own, which resamples are made after; take the "
                "split folds."
            )
        return found

    def __str__(self) -> str:
        return repr(self)

    def _facts(self) -> list[tuple[str, str]]:
        how = f"{self.data.folds} folds" if self.data.split == "folds" else "resamples of its split"
        return [
            ("", f"'{self.name}'"),
            ("data", f"{Path(self.data.source).name} ({how})"),
            ("", f"{self.bank.encoding} encoding"),
            ("", counted(len(self.methods), "method")),
            ("", counted(self.seeds, "seed")),
        ]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for what, names in (("readouts", self.readouts), ("baselines", self.baselines)):
            if len(set(names)) < len(names):
                raise ValueError(f"{what} has a name twice; give each once")
        return self

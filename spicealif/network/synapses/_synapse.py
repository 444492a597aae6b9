"""What every kind of synapse shares: its parameters, its equations, and what others ask of it.

A kind is one class in one file, one template (``netlists/base/synapse_<kind>.cir.j2``) and one
entry of the registry, or the entry point ``spicealif.synapses`` of another package. Its equations
are a plain function of numbers, which needs nothing but `math`: tests call it as it is, and the
circuit's equations and the reference compile that very function.

A synapse touches its neurons in two places only: it draws `i_pre` from the output of the
presynaptic comparator, whose voltage is `v_pre`, and it drives `i_post` into the capacitor of the
postsynaptic neuron, whose voltage is `v_post`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, MutableSequence, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spicealif._support.resources import netlists_dir
from spicealif.design._base import Ampere, Farad, Number, Part, Second, Volt
from spicealif.design.devices import MemristorModel
from spicealif.errors import DesignError

__all__ = ["N_OUT", "JunctionDiode", "Synapse", "WeightKind"]

#: In what a weight is stated: S, ohm, or C moved by one spike.
WeightKind: TypeAlias = Literal["conductance", "resistance", "charge"]
#: Results of `Synapse.equations`.
N_OUT = 5
#: At most so many states.
MAX_STATES = 2


class JunctionDiode(Part):
    """A small-signal diode as SPICE's junction model has it, without series resistance.

    The values are those of a 1N4148's card in wide use (``Is=2.52n N=1.752 Cjo=4p M=0.4 tt=20n``);
    its series resistance of 0.57 ohm is left out.

    Attributes
    ----------
    i_s : float
        Saturation current in A.
    n : float
        Emission coefficient.
    c_jo : float
        Capacitance at 0 V in F.
    m, v_j : float
        Grading coefficient and built-in voltage (V) of the junction.
    t_t : float
        Transit time in s.
    """

    i_s: Ampere = Field(default=2.52e-9, gt=0, le=1e-3, description="saturation current in A")
    n: Number = Field(default=1.752, ge=0.5, le=5, description="emission coefficient")
    c_jo: Farad = Field(default=4e-12, gt=0, le=1e-6, description="capacitance at 0 V in F")
    # ngspice takes 0.9 for whatever is above, with a warning.
    m: Number = Field(default=0.4, ge=0, le=0.9, description="grading coefficient")
    v_j: Volt = Field(default=1.0, gt=0, le=10, description="built-in voltage in V")
    t_t: Second = Field(default=20e-9, ge=0, le=1e-3, description="transit time in s")

    def numbers(self, thermal_voltage: float) -> tuple[float, ...]:
        """Return what `diode_current` takes as q, from its first number on."""
        return (self.i_s, self.n * thermal_voltage, self.c_jo, self.m, self.v_j, self.t_t)


class Synapse(Part):
    """A kind of synapse.

    Attributes
    ----------
    title : str
        What a person calls it.
    n_states : int
        Number of its states, 0 to 2.
    weights : mapping of str to str
        The units that this kind takes weights in (see `WeightKind`), and the parameter that each
        sets.
    signed : bool
        Whether it has a field ``sign`` (+1 or -1).
    linear_load : bool
        Whether the current that it draws from an output is linear in that output's voltage.
    blocks : bool
        Whether it carries next to nothing while the output is low.
    follows : bool
        Whether the first state is a voltage that, while nothing flows, is that between the
        synapse's ends.
    state_weights : tuple of float
        What an error of a state counts for beside one of the circuit's when steps are chosen: a
        diode's voltage little, since its charge is that of picofarads.
    one_way : bool
        Whether nothing of the target acts back on it: what it draws does not depend on `v_post`.
    """

    title: ClassVar[str]
    n_states: ClassVar[int] = 0
    weights: ClassVar[Mapping[WeightKind, str]]
    signed: ClassVar[bool] = False
    linear_load: ClassVar[bool] = True
    blocks: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    state_weights: ClassVar[tuple[float, float]] = (1.0, 1.0)
    one_way: ClassVar[bool] = False

    kind: str

    @classmethod
    def template_folder(cls) -> Path:
        """Return the folder of the kind's template, ``synapse_<kind>.cir.j2``.

        Of ours that is ``netlists/base``; another package's kind keeps it in ``templates``
        beside its module.
        """
        import inspect

        module = Path(inspect.getfile(cls)).parent
        own = Path(__file__).parent
        return netlists_dir() / "base" if module == own else module / "templates"

    @property
    def memristor(self) -> MemristorModel | None:
        """The memristor that it has, if it has one."""
        return None

    @abstractmethod
    def initial(self, v_pre: float, v_post: float) -> tuple[float, ...]:
        """Return the states at t = 0, between an output at `v_pre` and a capacitor at `v_post`."""

    @abstractmethod
    def coefficients(self, values: Mapping[str, Any], thermal_voltage: float) -> tuple[Any, ...]:
        """Return what the equations take as `q`.

        Parameters
        ----------
        values : mapping of str to float or ndarray
            Parameters of this synapse that differ from connection to connection, SI units; the
            others are its own.
        thermal_voltage : float
            kT/q in V.

        Returns
        -------
        tuple of float or ndarray
            As many and as long whatever the values; those of a memristor come first.
        """

    @staticmethod
    @abstractmethod
    def equations(
        v_pre: float,
        v_post: float,
        s: Sequence[float],
        q: Sequence[float],
        out: MutableSequence[float],
        current: Any,
        rate: Any,
        room: MutableSequence[float],
    ) -> None:
        """Write i_pre (A), d i_pre / d v_pre (S), i_post (A), and ds/dt of both states to `out`.

        Compiled by numba: numbers and `math` only.

        Parameters
        ----------
        v_pre : float
            Output of the presynaptic comparator in V.
        v_post : float
            Capacitor voltage of the postsynaptic neuron in V.
        s : sequence of float
            The states.
        q : sequence of float
            See `coefficients`.
        out : mutable sequence of float
            Five results.
        current, rate : callable
            Of the memristor's model (`MemristorModel.current`, `rate`), which take q as it is; of
            the MMS model where the synapse has no memristor.
        room : mutable sequence of float
            Three numbers that `current` can write to.
        """

    def weighted(self, unit: WeightKind, weights: Any, **neurons: Any) -> tuple[str, Any]:
        """Return the parameter that weights set, and its values.

        Parameters
        ----------
        unit : {"conductance", "resistance", "charge"}
        weights : float or ndarray
            In S, ohm or C.
        neurons
            What a kind needs to know of the neurons: `swing` in V and `t_pulse` in s of the
            presynaptic output's pulse.

        Raises
        ------
        DesignError
            If this kind takes no such weights.
        """
        if unit not in self.weights:
            known = " or ".join(self.weights)
            raise DesignError(
                f"A synapse of kind {self.kind!r} takes no weight as {unit}; give it as {known}."
            )
        return self.weights[unit], weights

    def with_values(self, values: Mapping[str, float]) -> Synapse:
        """Return the synapse of one connection, validated."""
        return self.replace(dict(values))


def reciprocal(weights: float | NDArray[np.float64]) -> Any:
    """Return 1 / weights."""
    return 1.0 / np.asarray(weights) if np.ndim(weights) else 1.0 / float(weights)

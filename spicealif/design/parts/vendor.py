"""What parts have that a maker's model stands for: its text or its library, and its pins.

The model is what a simulator runs. The figures beside it, which are those of a data sheet, are what
everything else is computed from: the feedback's resistors, the references, the steering, and
whether the circuit would work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from spicealif.design._base import Part
from spicealif.design.parts.model_cards import ModelProblem
from spicealif.design.parts.model_file import without_dots
from spicealif.design.parts.model_text import ModelText, model_text

__all__ = ["EmbeddedModel", "LibraryModel", "VendorModel", "pin_roles"]

#: How makers call pins, in letters and digits alone; what is called otherwise is not checked.
_CALLED = {
    "in+": {"in+", "+in", "inp", "vin+", "in_p", "noninv", "vinp", "ip", "inplus"},
    "in-": {"in-", "-in", "inn", "inm", "vin-", "in_n", "inv", "vinn", "vinm", "inminus"},
    "v+": {"v+", "vcc", "vdd", "vp", "vs+", "v_pos", "vccp", "vpos"},
    "v-": {"v-", "vee", "vss", "vn", "vs-", "v_neg", "vneg"},
    "out": {"out", "vout", "output", "vo", "q"},
    "drain": {"d", "drain"},
    "gate": {"g", "gate"},
    "source": {"s", "source"},
    "p": {"p", "plus", "te", "pos"},
    "n": {"n", "minus", "be", "neg"},
    "x": {"x", "xsv", "state"},
}
_NAMED = {name: role for role, names in _CALLED.items() for name in names}
_PLAIN = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$"
_ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+/-]*$", max_length=64)
]
#: Roles that any part may have besides its own: connected to ground, and to nothing.
_ANY = ("gnd", "nc")


class VendorModel(Part):
    """A part that a maker's model stands for.

    Attributes
    ----------
    model : str
        What the model is called: its ``.subckt``.
    pins : str
        The roles of its pins in the order of its ``.subckt`` line, with blanks between:
        ``"in+ in- v+ v- out"`` or ``"drain gate source"``, each of these once, in any order.
        ``gnd`` is a pin that is grounded, ``nc`` one that is left open (over 1 Gohm to ground).
    """

    model: _ModelName = Field(description="name of its .subckt in the file")
    pins: str = Field(
        default="", max_length=200, description="roles of its pins, in the .subckt's order"
    )

    #: What the part is called in sentences.
    label: ClassVar[str] = "part"
    #: Roles that its pins must have, and may have beside `gnd` and `nc`.
    roles: ClassVar[tuple[str, ...]] = ()
    more_roles: ClassVar[tuple[str, ...]] = ()
    #: Figures that something is computed from, and what that is.
    deciding: ClassVar[tuple[str, ...]] = ()
    decided: ClassVar[str] = ""
    #: Whose figures the defaults are.
    whose: ClassVar[str] = ""
    #: What a gap budget exchanges it against.
    stand_in: ClassVar[str] = "its ideal variant"

    @property
    def pin_list(self) -> tuple[str, ...]:
        """The roles of the pins in order."""
        return tuple(self.pins.lower().replace(",", " ").split())

    @property
    def called(self) -> str:
        """What the part is called in sentences: ``op-amp TL072``."""
        return f"{self.label} {self.model}"

    @property
    def assumed(self) -> tuple[str, ...]:
        """Figures that something is computed from and that are the defaults, of another part."""
        if self.whose.endswith(f" {self.model.upper()}"):
            return ()
        fields = type(self).model_fields
        return tuple(n for n in self.deciding if getattr(self, n) == fields[n].default)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """Name the part after its model where nothing else is said; take a list of pins."""
        if isinstance(data, Mapping) and isinstance(data.get("pins"), list | tuple):
            data = {**data, "pins": " ".join(map(str, data["pins"]))}
        if not isinstance(data, Mapping) or "name" in data or "name" not in cls.model_fields:
            return data
        name = re.sub(r"\W", "_", str(data.get("model", "")), flags=re.ASCII).lower()[:60]
        return {**data, "name": name if not name[:1].isdigit() else f"n{name}"}

    def _check_pins(self, called: tuple[str, ...] | None) -> None:
        pins, label = self.pin_list, self.label
        usual = " ".join(self.roles)
        known = (*self.roles, *self.more_roles, *_ANY)
        place = f"The {label}'s pins = {ascii(self.pins)[:60]}"
        for pin in pins:
            if pin not in known:
                raise ValueError(
                    f"{place} has {ascii(pin)[:20]}, and the roles are {', '.join(known)}; write "
                    f"them in the order of the .subckt line, such as {usual!r}."
                )
        lacking = [r for r in self.roles if r not in pins]
        twice = [r for r in (*self.roles, *self.more_roles) if pins.count(r) > 1]
        if lacking or twice:
            what = f"lacks {', '.join(lacking)}" if lacking else f"has {twice[0]} twice"
            raise ValueError(
                f"{place} {what}; write the roles in the order of the .subckt line, such as "
                f"{usual!r}."
            )
        if called is None:
            return
        if len(called) != len(pins):
            raise ValueError(
                f"{place} has {len(pins)} pins, and the .subckt line of {self.model} has "
                f"{len(called)} ({', '.join(called[:12])}); name one for each, with gnd or nc for "
                "those that the circuit has no use for."
            )
        for number, (pin, name) in enumerate(zip(pins, called, strict=True), start=1):
            role = _NAMED.get(name.lower())
            if pin in self.roles and role in self.roles and role != pin:
                raise ValueError(
                    f"{place} calls pin {number} of {self.model} {pin}, and its .subckt line calls "
                    f"it {name}; write the roles in the order of that line."
                )


def pin_roles(part: VendorModel) -> tuple[str, ...]:
    """Return the roles of a part's pins; of a ``.model`` card those that its element has."""
    return part.pin_list or part.roles


class EmbeddedModel(VendorModel):
    """A part whose maker's model is put into the netlist.

    Attributes
    ----------
    model, pins
        See `VendorModel`.
    text : str
        The model: what the part needs of the maker's file, comments gone. A design's file names
        the file (``file = "OP482.cir"``) and this is read from it.
    """

    text: str = Field(description="the model's cards, which 'file' is read into")

    #: Begins the names that its subcircuits have in a netlist.
    prefix: ClassVar[str] = "part__"

    @model_validator(mode="before")
    @classmethod
    def _as_kept(cls, data: Any) -> Any:
        """Keep what the part needs of the text."""
        if not isinstance(data, Mapping) or not isinstance(data.get("text"), str):
            return data
        try:
            kept = model_text(data["text"], str(data.get("model", "")))
        except ModelProblem as problem:
            raise ValueError(
                f"The {cls.label}'s model {ascii(data.get('model', ''))[:40]} is not taken: "
                f"{without_dots(problem)}."
            ) from None
        return {**data, "text": kept.text, "model": kept.name}

    @model_validator(mode="after")
    def _pins_fit(self) -> Self:
        kept = self.kept
        if not kept.kind:
            self._check_pins(kept.pins)
        elif "gate" not in self.roles:
            raise ValueError(
                f"The {self.label}'s model {self.model} is a .model card of a MOSFET; name a "
                ".subckt of the file."
            )
        elif self.pins:
            raise ValueError(
                f"The {self.label}'s model {self.model} is a .model card, whose pins are known; "
                "remove pins."
            )
        return self

    @property
    def kept(self) -> ModelText:
        """The model's text, every card checked."""
        return model_text(self.text, self.model)

    @property
    def netlist_name(self) -> str:
        """What its subcircuit is called in a netlist."""
        return self.prefix + re.sub(r"\W", "_", self.model.lower(), flags=re.ASCII)

    @property
    def netlist_text(self) -> str:
        """Its subcircuits as they stand in a netlist."""
        return self.kept.embedded(self.prefix)


class LibraryModel(VendorModel):
    """A part of LTspice's own library, which LTspice alone can run.

    Attributes
    ----------
    model, pins
        See `VendorModel`.
    library : str
        Name of the library's file, such as ``"ADI1.lib"``; a name and no path.
    """

    library: str = Field(
        pattern=_PLAIN, max_length=64, description="file of LTspice's library, without its path"
    )

    @model_validator(mode="after")
    def _pins_known(self) -> Self:
        if "/" in self.model or ".." in self.library:
            raise ValueError(
                f"The {self.label}'s library = {ascii(self.library)} and model = "
                f"{ascii(self.model)} are to be a file's and a subcircuit's name; give them "
                "without a path."
            )
        self._check_pins(None)
        return self

"""Text that may stand in a netlist as it is."""

__all__ = ["Spice"]


class Spice(str):
    """Text that this project wrote, or the checked cards of a maker's model."""

    __slots__ = ()

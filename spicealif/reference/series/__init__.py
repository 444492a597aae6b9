"""The reference of the measuring circuit: a device and a resistor in series with a source."""

__all__: list[str] = []

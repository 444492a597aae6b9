"""Input currents: what they share, the kinds of them, and currents from files."""

__all__: list[str] = []

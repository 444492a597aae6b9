"""LTspice: finding the program, running it, judging what it left."""

__all__: list[str] = []

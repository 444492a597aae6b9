"""ngspice: the shared library in a worker process, and the program."""

__all__: list[str] = []

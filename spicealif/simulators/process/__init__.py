"""Processes of simulators: environment, start, watch, end with all children, folders."""

__all__: list[str] = []

"""The reference of many neurons at once: lanes of a vectorised kernel."""

__all__: list[str] = []

"""Banks of neurons as a stage of machine learning, and what they are worth on real tasks."""

__all__: list[str] = []

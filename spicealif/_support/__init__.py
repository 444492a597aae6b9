"""What has nothing to do with neurons: files, caches, texts, memory, figures' style."""

__all__: list[str] = []

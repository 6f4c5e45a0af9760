"""Image stages, under their documented paths."""

"""Stages, under their documented paths."""

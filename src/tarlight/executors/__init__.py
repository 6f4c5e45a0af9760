"""Executors: they run the stages of a pipeline (C11)."""

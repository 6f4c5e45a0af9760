"""`Pipeline`, under its documented path."""

from nemo_curator.pipeline.pipeline import Pipeline

__all__ = ["Pipeline"]
